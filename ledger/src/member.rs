//! The rules for members: admission, roles, suspension, keys and relations. Implements [LED-MEM-1]
//! to [LED-MEM-9].

use std::collections::BTreeSet;

use crate::event::member::{MemberKey, Role};
use crate::event::{AddKey, AdmitMember, RelateMembers, RevokeKey, SetRoles, SetTwoKeys};
use crate::execute::Act;
use crate::keys::PublicKey;
use crate::limits::MAX_KEYS;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::review::require_independent;
use crate::state::record::{MemberRecord, OwnedKey, RevokedKey, Signed};
use crate::state::{Key, Records, State, View};
use crate::succession;
use crate::text::Handle;
use crate::words::{moment, word};

/// The roles that governance alone confers on members of a running chain.
const RESERVED: [Role; 2] = [Role::Exchange, Role::Regulator];

/// Weight of looking how one key came to be.
const KEY_WEIGHT: u64 = 5;

/// `admit_member`: an exchange admits a member.
pub(crate) fn admit_member(act: &mut Act<'_>, e: &AdmitMember) -> Result<(), Refusal> {
    act.require_role(Role::Exchange)?;
    if let Some(role) = e.roles.iter().find(|role| RESERVED.contains(role)) {
        return Err(reserved(*role).into());
    }
    admit(act.state, act.context.height, e)?;
    act.effects.created.push(Missing::Member(e.handle.clone()));
    Ok(())
}

/// Admits a member, at genesis or by an exchange.
pub(crate) fn admit(state: &mut State, height: u64, e: &AdmitMember) -> Result<(), Refusal> {
    if state.member(&e.handle)?.is_some() {
        return Err(
            Reject::new(Code::HandleTaken, format!("{} is a member already", e.handle)).into()
        );
    }
    let keys: BTreeSet<_> = e.keys.iter().map(|k| k.key).collect();
    if e.roles.is_empty()
        || has_repeats(&e.roles)
        || keys.is_empty()
        || keys.len() != e.keys.len()
        || e.keys.iter().any(|k| k.scopes.is_empty() || has_repeats(&k.scopes))
    {
        let text = format!("{} needs roles, keys and scopes for every key, each once", e.handle);
        return Err(Reject::new(Code::MemberIncomplete, text).into());
    }
    for key in keys {
        claim_key(state, &e.handle, &key, None)?;
    }
    let record = MemberRecord {
        name: e.name.clone(),
        roles: e.roles.to_vec(),
        keys: e.keys.to_vec(),
        suspended: false,
        two_keys: Vec::new(),
        successor: None,
        predecessors: 0,
        height,
    };
    Ok(state.put(&Key::Member(e.handle.clone()), &record)?)
}

/// Makes a key the member's for ever, whether it signs or not.
fn claim_key(
    state: &mut State,
    handle: &Handle,
    key: &PublicKey,
    added: Option<Signed>,
) -> Result<(), Refusal> {
    check_key(state, key)?;
    Ok(state.put(&Key::KeyOwner(*key), &OwnedKey { member: handle.clone(), added })?)
}

/// Fails unless a key may become a member's. Implements [LED-KEY-3].
fn check_key<V: View>(view: &V, key: &PublicKey) -> Result<(), Refusal> {
    if !key.is_acceptable() {
        let text = format!("{key} is weak, torsioned or not canonical");
        return Err(Reject::new(Code::KeyNotAcceptable, text).into());
    }
    if let Some(owned) = view.get::<OwnedKey>(&Key::KeyOwner(*key))? {
        let text = format!("{key} is a key of {}", owned.member);
        return Err(Reject::new(Code::KeyInUse, text).into());
    }
    Ok(())
}

/// Fails unless the member may have one key more, and this one.
pub(crate) fn check_new_key<V: View>(
    view: &V,
    handle: &Handle,
    member: &MemberRecord,
    new: &MemberKey,
) -> Result<(), Refusal> {
    if member.keys.len() >= MAX_KEYS {
        let text = format!("{handle} has {MAX_KEYS} keys, the most there may be");
        return Err(Reject::new(Code::TooManyKeys, text).into());
    }
    if new.scopes.is_empty() || has_repeats(&new.scopes) {
        let text = "the key needs scopes, each once";
        return Err(Reject::new(Code::MemberIncomplete, text).into());
    }
    check_key(view, &new.key)
}

/// Gives a member a key that [`check_new_key`] has let pass.
pub(crate) fn put_key(
    state: &mut State,
    handle: &Handle,
    mut member: MemberRecord,
    new: &MemberKey,
    added: Option<Signed>,
) -> Result<(), Refusal> {
    claim_key(state, handle, &new.key, added)?;
    member.keys.push(new.clone());
    Ok(state.put(&Key::Member(handle.clone()), &member)?)
}

pub(crate) fn has_repeats<T: Ord>(items: &[T]) -> bool {
    items.iter().collect::<BTreeSet<_>>().len() != items.len()
}

fn reserved(role: Role) -> Reject {
    let text = format!("the role {} is conferred and taken by governance alone", word(&role));
    Reject::new(Code::RoleReserved, text)
}

/// `suspend_member` and `reinstate_member`: a regulator suspends or reinstates a member.
pub(crate) fn set_suspended(
    act: &mut Act<'_>,
    handle: &Handle,
    suspended: bool,
) -> Result<(), Refusal> {
    act.require_role(Role::Regulator)?;
    let mut member = act.named_member(handle)?;
    if act.author == handle {
        let text = format!("{handle} would suspend itself");
        return Err(Reject::new(Code::NotConcerned, text).into());
    }
    if let Some(successor) = &member.successor {
        let text = format!("{handle} was succeeded by {successor}, who acts for it");
        return Err(Reject::new(Code::SuccessionClosed, text).into());
    }
    require_independent(act, handle)?;
    if member.suspended == suspended {
        let (code, is) = if suspended {
            (Code::AlreadySuspended, "is suspended already")
        } else {
            (Code::NotSuspended, "is not suspended")
        };
        return Err(Reject::new(code, format!("{handle} {is}")).into());
    }
    member.suspended = suspended;
    Ok(act.state.put(&Key::Member(handle.clone()), &member)?)
}

/// `set_roles`. Implements [LED-MEM-5].
pub(crate) fn set_roles(act: &mut Act<'_>, e: &SetRoles) -> Result<(), Refusal> {
    act.require_role(Role::Exchange)?;
    let mut member = act.named_member(&e.member)?;
    if act.is(&e.member)? {
        let text = format!("{} changes roles of others, not its own", act.author);
        return Err(Reject::new(Code::NotConcerned, text).into());
    }
    if e.roles.is_empty() || has_repeats(&e.roles) {
        let text = format!("{} needs roles, each once", e.member);
        return Err(Reject::new(Code::MemberIncomplete, text).into());
    }
    let changed = |role: &&Role| member.has_role(**role) != e.roles.contains(*role);
    if let Some(role) = RESERVED.iter().find(changed) {
        return Err(reserved(*role).into());
    }
    member.roles = e.roles.to_vec();
    Ok(act.state.put(&Key::Member(e.member.clone()), &member)?)
}

/// `add_key`. Implements [LED-MEM-6].
pub(crate) fn add_key(act: &mut Act<'_>, e: &AddKey) -> Result<(), Refusal> {
    let member = act.named_member(act.author)?;
    check_new_key(act.state, act.author, &member, &e.key)?;
    let added = act.signed();
    put_key(act.state, act.author, member, &e.key, Some(added))
}

/// `revoke_key`. Implements [LED-MEM-7].
pub(crate) fn revoke_key(act: &mut Act<'_>, e: &RevokeKey) -> Result<(), Refusal> {
    let mut member = act.named_member(&e.member)?;
    let reject = |code, text| Err(Refusal::from(Reject::new(code, text)));
    if !act.is(&e.member)? && !act.member.has_role(Role::Regulator) {
        let text = format!("neither {} nor a regulator ends its key", e.member);
        return reject(Code::NotConcerned, text);
    }
    let before: Option<RevokedKey> = act.state.get(&Key::RevokedKey(e.key))?;
    // A key that was put out of use can be found to have been in other hands, or for longer: who
    // holds a stolen key does not settle since when by revoking it himself.
    let found_later = e.compromised_since_ms.is_some_and(|since| {
        let earlier = |before: u64| since < before;
        before.is_some_and(|r| r.member == e.member && r.compromised_since_ms.is_none_or(earlier))
    });
    if member.scopes_of(&e.key).is_none() && !found_later {
        return Err(no_key(act.state, &e.member, &e.key)?.into());
    }
    let now = act.context.time_ms;
    let earliest = now.saturating_sub(act.rulebook.compromise_lookback_ms);
    if let Some(since) = e.compromised_since_ms
        && !(earliest..=now).contains(&since)
    {
        let [since, earliest, now] = [since, earliest, now].map(moment);
        let text = format!("{since} is not within {earliest} to {now}");
        return reject(Code::CompromiseOutOfRange, text);
    }
    let mut ended = vec![(e.key, e.compromised_since_ms)];
    while let Some((key, since)) = ended.pop() {
        end_key(act, &e.member, &mut member, &key, since)?;
        let Some(since) = since else { continue };
        for other in &member.keys {
            act.weigh(KEY_WEIGHT)?;
            let owned: Option<OwnedKey> = act.state.get(&Key::KeyOwner(other.key))?;
            let Some(added) = owned.and_then(|owned| owned.added) else { continue };
            let fell = added.key == key && (since..now).contains(&added.time_ms);
            if fell && other.key != act.signer {
                ended.push((other.key, Some(added.time_ms)));
            }
        }
    }
    Ok(act.state.put(&Key::Member(e.member.clone()), &member)?)
}

/// Takes a key from a member for good; one that signs no more keeps the time when that began.
fn end_key(
    act: &mut Act<'_>,
    handle: &Handle,
    member: &mut MemberRecord,
    key: &PublicKey,
    compromised_since_ms: Option<u64>,
) -> Result<(), Refusal> {
    let before: Option<RevokedKey> = act.state.get(&Key::RevokedKey(*key))?;
    let now = (act.context.height, act.context.time_ms);
    let (height, time_ms) = before.map_or(now, |before| (before.height, before.time_ms));
    member.keys.retain(|k| k.key != *key);
    let revoked = RevokedKey { member: handle.clone(), height, time_ms, compromised_since_ms };
    Ok(act.state.put(&Key::RevokedKey(*key), &revoked)?)
}

/// Why a key is not among those of a member: it was revoked, or never was one.
pub(crate) fn no_key<V: View>(view: &V, member: &Handle, key: &PublicKey) -> Result<Reject, Fault> {
    let revoked: Option<RevokedKey> = view.get(&Key::RevokedKey(*key))?;
    Ok(match revoked.filter(|revoked| revoked.member == *member) {
        Some(_) => Reject::new(Code::KeyRevoked, format!("{key} of {member} is revoked")),
        None => Reject::new(Code::KeyUnknown, format!("{key} is not a key of {member}")),
    })
}

/// Whether what a key signed at a block time is said to have been signed by other hands. Of several
/// that signed an envelope, records name the first.
/// Implements [LED-MEM-7].
pub fn compromised<V: View>(view: &V, signer: &PublicKey, time_ms: u64) -> Result<bool, Fault> {
    let revoked: Option<RevokedKey> = view.get(&Key::RevokedKey(*signer))?;
    Ok(revoked.and_then(|r| r.compromised_since_ms).is_some_and(|since| since <= time_ms))
}

/// `set_two_keys`. Implements [LED-MEM-8].
pub(crate) fn set_two_keys(act: &mut Act<'_>, e: &SetTwoKeys) -> Result<(), Refusal> {
    let mut member = act.named_member(act.author)?;
    if has_repeats(&e.acts) {
        return Err(Reject::new(Code::MemberIncomplete, "an act is named twice").into());
    }
    member.two_keys = e.acts.to_vec();
    Ok(act.state.put(&Key::Member(act.author.clone()), &member)?)
}

/// `relate_members`. Implements [LED-MEM-9].
pub(crate) fn relate(act: &mut Act<'_>, e: &RelateMembers) -> Result<(), Refusal> {
    act.named_member(&e.a)?;
    act.named_member(&e.b)?;
    let (lines_a, lines_b) =
        (succession::line(act.state, &e.a)?, succession::line(act.state, &e.b)?);
    if lines_a.last() == lines_b.last() {
        let text = format!("{} and {} are one member, or one acts for both", e.a, e.b);
        return Err(Reject::new(Code::SameMember, text).into());
    }
    let one_of_both = act.is(&e.a)? || act.is(&e.b)?;
    let regulator = act.member.has_role(Role::Regulator);
    let (concerned, who) = if !e.related {
        (regulator && !one_of_both, "a regulator that is neither of the two")
    } else if watches(act, &lines_a, &lines_b)? {
        (regulator, "of a regulator, a regulator")
    } else {
        (regulator || one_of_both, "one of the two or a regulator")
    };
    if !concerned {
        return Err(Reject::new(Code::NotConcerned, format!("{who} says this")).into());
    }
    if e.related {
        let (Some(a), Some(b)) = (lines_a.last(), lines_b.last()) else {
            return Err(Fault("a line of successors is empty".into()).into());
        };
        return Ok(act.state.put(&related_key(a, b), &true)?);
    }
    for a in &lines_a {
        for b in &lines_b {
            act.state.delete(&related_key(a, b))?;
        }
    }
    Ok(())
}

/// Whether one of those who act for two members is a regulator: nobody else takes an arbiter away
/// by calling itself close to it.
fn watches(act: &Act<'_>, a: &[Handle], b: &[Handle]) -> Result<bool, Fault> {
    for end in [a, b].into_iter().filter_map(<[Handle]>::last) {
        if act.state.member(end)?.is_some_and(|member| member.has_role(Role::Regulator)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether two members are the same or belong together: what was said of either, or of those who
/// have acted for it since. Implements [LED-MEM-9].
pub fn related<V: View>(view: &V, a: &Handle, b: &Handle) -> Result<bool, Fault> {
    let (lines_a, lines_b) = (succession::line(view, a)?, succession::line(view, b)?);
    if lines_a.last() == lines_b.last() {
        return Ok(true);
    }
    for a in &lines_a {
        for b in &lines_b {
            if view.get(&related_key(a, b))?.unwrap_or(false) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The key of a relation: the smaller handle first.
fn related_key(a: &Handle, b: &Handle) -> Key {
    let (first, second) = if a < b { (a, b) } else { (b, a) };
    Key::Related(first.clone(), second.clone())
}
