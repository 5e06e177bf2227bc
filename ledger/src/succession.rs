//! The rules for members that end: their successors. Implements [LED-MEM-10].

use crate::event::member::Role;
use crate::event::{AcceptSuccession, ProposeSuccession};
use crate::execute::Act;
use crate::hash::SuccessionId;
use crate::limits::{MAX_CHAIN, MAX_PREDECESSORS};
use crate::member::{compromised, related};
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::state::record::{MemberRecord, SuccessionRecord};
use crate::state::{Key, Records, View};
use crate::text::Handle;
use crate::words::word;

/// Weight of saying of one member that another acts for it.
const TAKE_OVER_WEIGHT: u64 = 10;

/// A member and its successors, one after the other; the last acts for all. At most one more than
/// [`MAX_CHAIN`].
pub(crate) fn line<V: View>(view: &V, handle: &Handle) -> Result<Vec<Handle>, Fault> {
    let mut last = handle.clone();
    let mut line = Vec::new();
    for _ in 0..MAX_CHAIN {
        match view.member(&last)?.and_then(|member| member.successor) {
            Some(successor) => line.push(std::mem::replace(&mut last, successor)),
            None => break,
        }
    }
    line.push(last);
    Ok(line)
}

/// `propose_succession`.
pub(crate) fn propose(act: &mut Act<'_>, e: &ProposeSuccession) -> Result<(), Refusal> {
    if *act.author != e.member && !act.member.has_role(Role::Regulator) {
        let text = format!("neither {} nor a regulator names its successor", e.member);
        return Err(Reject::new(Code::NotConcerned, text).into());
    }
    let member = act.named_member(&e.member)?;
    let successor = act.named_member(&e.successor)?;
    let record = SuccessionRecord {
        member: e.member.clone(),
        successor: e.successor.clone(),
        proposer: act.author.clone(),
        signed: act.signed(),
        accepted: false,
        height: act.context.height,
    };
    check(act.state, &record, &member, &successor)?;
    let id = SuccessionId::from_digest(*act.event.digest());
    act.state.put(&Key::Succession(id), &record)?;
    act.wait_for(&e.successor)?;
    act.effects.created.push(Missing::Succession(id));
    Ok(())
}

/// `accept_succession`.
pub(crate) fn accept(act: &mut Act<'_>, e: &AcceptSuccession) -> Result<(), Refusal> {
    let key = Key::Succession(e.succession);
    let Some(mut record) = act.state.get::<SuccessionRecord>(&key)? else {
        let (missing, text) = (
            Missing::Succession(e.succession),
            format!("succession {} is not recorded", e.succession),
        );
        return Err(Reject::missing(Code::UnknownSuccession, missing, text).into());
    };
    if record.successor != *act.author {
        let text = format!("{} is the successor named", record.successor);
        return Err(Reject::new(Code::NotSuccessor, text).into());
    }
    if record.accepted {
        return Err(Reject::new(Code::SuccessionClosed, "it was accepted").into());
    }
    let mut member = act.named_member(&record.member)?;
    let mut successor = act.named_member(&record.successor)?;
    check(act.state, &record, &member, &successor)?;
    take_over(act, &record.member, &record.successor)?;
    successor.predecessors = successor.predecessors.max(member.predecessors.saturating_add(1));
    member.successor = Some(record.successor.clone());
    record.accepted = true;
    act.state.put(&Key::Member(record.member.clone()), &member)?;
    act.state.put(&Key::Member(record.successor.clone()), &successor)?;
    Ok(act.state.put(&key, &record)?)
}

/// From now on the successor acts for the member and for all for whom that has acted.
fn take_over(act: &mut Act<'_>, member: &Handle, successor: &Handle) -> Result<(), Refusal> {
    let (before, place) = (Key::ActsFor(member.clone()), Key::ActsFor(successor.clone()));
    let mut taken: Vec<Handle> = act.state.get(&before)?.unwrap_or_default();
    taken.push(member.clone());
    let mut all: Vec<Handle> = act.state.get(&place)?.unwrap_or_default();
    if all.len().saturating_add(taken.len()) > MAX_PREDECESSORS {
        let text = format!("{successor} would act for more than {MAX_PREDECESSORS} members");
        return Err(Reject::new(Code::SuccessionInvalid, text).into());
    }
    act.weigh((taken.len() as u64).saturating_mul(TAKE_OVER_WEIGHT))?;
    for one in &taken {
        act.state.put(&Key::ActedForBy(one.clone()), successor)?;
    }
    all.append(&mut taken);
    act.state.delete(&before)?;
    Ok(act.state.put(&place, &all)?)
}

/// Whether a member can accept a succession now.
pub(crate) fn waits_for<V: View>(
    view: &V,
    record: &SuccessionRecord,
    by: &Handle,
) -> Result<bool, Fault> {
    if record.accepted || record.successor != *by {
        return Ok(false);
    }
    let (member, successor) = (view.member(&record.member)?, view.member(&record.successor)?);
    let (Some(member), Some(successor)) = (member, successor) else { return Ok(false) };
    match check(view, record, &member, &successor) {
        Ok(()) => Ok(true),
        Err(Refusal::Reject(_)) => Ok(false),
        Err(Refusal::Fault(fault)) => Err(fault),
    }
}

/// The roles whose bearers alone say who succeeds them. Who runs a validator is an exchange.
const OWN_WORD: [Role; 3] = [Role::Exchange, Role::Regulator, Role::Auditor];

/// Fails unless the one can succeed the other. Both are at the end of their lines, so that no line
/// ever leads back.
fn check<V: View>(
    view: &V,
    e: &SuccessionRecord,
    member: &MemberRecord,
    successor: &MemberRecord,
) -> Result<(), Refusal> {
    if compromised(view, &e.signed.key, e.signed.time_ms)? {
        let text = "the key that proposed it is said to have been in other hands";
        return Err(Reject::new(Code::Contested, text).into());
    }
    if e.proposer != e.member {
        if let Some(role) = OWN_WORD.iter().find(|role| member.has_role(**role)) {
            let text =
                format!("{} has the role {}: it names its successor itself", e.member, word(role));
            return Err(Reject::new(Code::NotConcerned, text).into());
        }
        if related(view, &e.proposer, &e.successor)? {
            let text = format!("{} is, or belongs with, {}", e.proposer, e.successor);
            return Err(Reject::new(Code::NotIndependent, text).into());
        }
    }
    if let Some(other) = &member.successor {
        let text = format!("{} was succeeded by {other}", e.member);
        return Err(Reject::new(Code::SuccessionClosed, text).into());
    }
    let reject = |text| Err(Reject::new(Code::SuccessionInvalid, text).into());
    if e.member == e.successor {
        return reject(format!("{} cannot succeed itself", e.member));
    }
    if member.suspended {
        return reject(format!("{} is suspended", e.member));
    }
    if successor.suspended {
        return reject(format!("{} is suspended", e.successor));
    }
    if let Some(other) = &successor.successor {
        return reject(format!("{} was succeeded by {other} itself", e.successor));
    }
    if member.has_role(Role::Exchange) && !successor.has_role(Role::Exchange) {
        return reject(format!("{} is an exchange and {} is not", e.member, e.successor));
    }
    let steps = usize::try_from(member.predecessors).unwrap_or(usize::MAX);
    if steps >= MAX_CHAIN {
        return reject(format!("{MAX_CHAIN} successions in line lead to {} already", e.member));
    }
    Ok(())
}
