//! What governance can change: whether a change is possible on a state, and making it.
//! Implements [LED-GOV-3] and [LED-GOV-4].

use crate::event::governance::{Change, ConferRoles, RestoreKey, Rulebook, SetValidator};
use crate::event::member::{Role, Scope};
use crate::execute::acting;
use crate::genesis::PROTOCOL_VERSION;
use crate::limits::{MAX_ANCESTRY_EDGES, MAX_INPUTS, MAX_RULEBOOK_MS};
use crate::member::{check_new_key, has_repeats, put_key};
use crate::reject::{Code, Refusal, Reject};
use crate::split::BASIS_POINTS;
use crate::state::record::MemberRecord;
use crate::state::{Key, Records, State, View};
use crate::text::Handle;
use crate::validator::{Validator, ValidatorSet};
use crate::words::{percent, span};

/// What a change that is possible makes.
enum Made<'a> {
    Validators(ValidatorSet),
    Rulebook(u32, &'a Rulebook),
    Protocol(u32),
    Roles(&'a Handle, MemberRecord),
    Key(&'a RestoreKey, MemberRecord),
}

/// Fails when a change is not possible on this state.
pub(super) fn check<V: View>(view: &V, change: &Change) -> Result<(), Refusal> {
    plan(view, change).map(drop)
}

/// Makes a change, or tells why it is not possible and changes nothing.
pub(super) fn make(state: &mut State, change: &Change) -> Result<(), Refusal> {
    match plan(state, change)? {
        Made::Validators(set) => Ok(state.put(&Key::NextValidators, &set.validators().to_vec())?),
        Made::Rulebook(version, rulebook) => {
            state.put(&Key::Rulebook(version), rulebook)?;
            Ok(state.put(&Key::RulebookVersion, &version)?)
        }
        Made::Protocol(version) => Ok(state.put(&Key::Protocol, &version)?),
        Made::Roles(member, record) => Ok(state.put(&Key::Member(member.clone()), &record)?),
        Made::Key(restored, record) => {
            put_key(state, &restored.member, record, &restored.key, None)
        }
    }
}

/// What a change would make, or why it is not possible.
fn plan<'a, V: View>(view: &V, change: &'a Change) -> Result<Made<'a>, Refusal> {
    match change {
        Change::SetValidator(c) => Ok(Made::Validators(with_validator(view, c)?)),
        Change::SetRulebook(rulebook) => {
            check_rulebook(rulebook).map_err(invalid)?;
            let (version, _) = view.rulebook()?;
            let next = version.checked_add(1);
            let next = next.ok_or_else(|| invalid("versions are exhausted".into()))?;
            Ok(Made::Rulebook(next, rulebook))
        }
        Change::SetProtocol(version) => {
            let current = view.protocol()?;
            if current.checked_add(1) != Some(*version) || *version > PROTOCOL_VERSION {
                let text = format!("version {version} does not follow {current}, or is not known");
                return Err(invalid(text));
            }
            Ok(Made::Protocol(*version))
        }
        Change::ConferRoles(c) => Ok(Made::Roles(&c.member, confer(view, c)?)),
        Change::RestoreKey(c) => Ok(Made::Key(c, restore(view, c)?)),
    }
}

fn invalid(text: String) -> Refusal {
    Reject::new(Code::ChangeInvalid, text).into()
}

/// A member that a change names and that no other has succeeded.
fn member<V: View>(view: &V, handle: &Handle) -> Result<MemberRecord, Refusal> {
    let found = view.member(handle)?;
    let found = found.ok_or_else(|| invalid(format!("{handle} is not a member")))?;
    match &found.successor {
        Some(other) => Err(invalid(format!("{handle} was succeeded by {other}"))),
        None => Ok(found),
    }
}

/// The next set with one validator added, changed or removed.
fn with_validator<V: View>(view: &V, c: &SetValidator) -> Result<ValidatorSet, Refusal> {
    let mut set = view.next_validators()?.validators().to_vec();
    let place = set.iter().position(|v| v.key == c.key);
    let present = place.map(|place| set.remove(place));
    if let Some(present) = &present
        && present.member != c.member
        && acting(view, &present.member)? != c.member
    {
        return Err(invalid(format!("{} runs the validator {}", present.member, c.key)));
    }
    if c.power == 0 {
        if present.is_none() {
            return Err(invalid(format!("{} is no validator's key", c.key)));
        }
    } else {
        if !member(view, &c.member)?.has_role(Role::Exchange) {
            return Err(invalid(format!("{} is not an exchange", c.member)));
        }
        let seat = Validator { member: c.member.clone(), key: c.key, power: c.power };
        if present.as_ref() == Some(&seat) {
            return Err(invalid(format!("{} runs it with this power already", c.member)));
        }
        set.push(seat);
    }
    if !c.key.is_acceptable() {
        return Err(invalid(format!("consensus key {} is not acceptable", c.key)));
    }
    ValidatorSet::with_known_keys(set).map_err(|error| invalid(error.to_string()))
}

fn confer<V: View>(view: &V, c: &ConferRoles) -> Result<MemberRecord, Refusal> {
    let mut record = member(view, &c.member)?;
    if c.roles.is_empty() || has_repeats(&c.roles) {
        return Err(invalid(format!("{} needs roles, each once", c.member)));
    }
    if !c.roles.contains(&Role::Exchange) {
        for validator in view.next_validators()?.validators() {
            if acting(view, &validator.member)? == c.member {
                return Err(invalid(format!("{} runs a validator, as an exchange", c.member)));
            }
        }
    }
    record.roles = c.roles.to_vec();
    Ok(record)
}

fn restore<V: View>(view: &V, c: &RestoreKey) -> Result<MemberRecord, Refusal> {
    let record = member(view, &c.member)?;
    let two = !record.two_keys.is_empty() || !view.rulebook()?.1.two_keys.is_empty();
    let admin = record.keys.iter().filter(|key| key.scopes.contains(&Scope::Admin)).count();
    if admin >= if two { 2 } else { 1 } {
        return Err(invalid(format!("{} has the keys to add others itself", c.member)));
    }
    let checked = check_new_key(view, &c.member, &record, &c.key);
    checked.map_err(|refusal| match refusal {
        Refusal::Reject(reject) => invalid(reject.message),
        Refusal::Fault(fault) => fault.into(),
    })?;
    Ok(record)
}

/// Fails when a rulebook's numbers are not within their bounds. Implements [LED-GOV-4].
pub(crate) fn check_rulebook(r: &Rulebook) -> Result<(), String> {
    if u64::from(r.fee_cap_bp) > BASIS_POINTS {
        return Err(format!("a fee cap of {}, at most 100%", percent(r.fee_cap_bp)));
    }
    let inputs = usize::try_from(r.max_inputs).unwrap_or(usize::MAX);
    if !(1..=MAX_INPUTS).contains(&inputs) {
        return Err(format!("at most {inputs} inputs, expected 1 to {MAX_INPUTS}"));
    }
    let edges = usize::try_from(r.max_ancestry_edges).unwrap_or(usize::MAX);
    if !(1..=MAX_ANCESTRY_EDGES).contains(&edges) {
        return Err(format!("ancestries of {edges} edges, expected 1 to {MAX_ANCESTRY_EDGES}"));
    }
    let durations = [
        r.deemed_delivery_ms,
        r.cooling_ms,
        r.max_freeze_ms,
        r.appeal_ms,
        r.notice_ms,
        r.registration_term_ms,
        r.replacement_ms,
        r.compromise_lookback_ms,
        r.contest_ms,
    ];
    if let Some(long) = durations.iter().find(|ms| **ms > MAX_RULEBOOK_MS) {
        return Err(format!("a time of {}, at most {}", span(*long), span(MAX_RULEBOOK_MS)));
    }
    if has_repeats(&r.two_keys) {
        return Err("an act that needs two keys is named twice".into());
    }
    Ok(())
}
