//! The rules for changes that validators decide. Implements [LED-GOV-1] to [LED-GOV-4].

mod change;

use std::collections::BTreeSet;

use crate::event::{ApproveChange, ProposeChange};
use crate::execute::{Act, BlockContext};
use crate::hash::ChangeId;
use crate::limits::{MAX_ACTIVATION_AHEAD, MAX_SCHEDULED};
use crate::member::compromised;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::state::record::{ChangeRecord, ChangeStatus, ScheduledChange};
use crate::state::{Key, Records, Relation, State, View};
use crate::succession;
use crate::text::Handle;
use crate::validator::Validator;
pub(crate) use change::check_rulebook;

/// What each validator of the present set adds to the weight of a proposal or an approval.
/// Implements [LED-LIM-2].
const VALIDATOR_WEIGHT: u64 = 8;
/// What each entry in an inbox adds to the weight of a proposal.
const INBOX_WEIGHT: u64 = 20;

/// Makes the changes whose height has come, before the first envelope of a block. One that is not
/// possible any more fails and changes nothing. Implements [LED-GOV-3].
pub(crate) fn activate(state: &mut State, context: &BlockContext) -> Result<(), Fault> {
    let scheduled = scheduled(state)?;
    let due = scheduled.partition_point(|s| s.activate_height <= context.height);
    if due == 0 {
        return Ok(());
    }
    let (now, later) = scheduled.split_at(due);
    for ScheduledChange { change: id, .. } in now {
        let key = Key::Change(*id);
        let record: Option<ChangeRecord> = state.get(&key)?;
        let mut record = record.ok_or_else(|| Fault(format!("change {id} is missing")))?;
        // Approvals that have fallen since are made up for by nobody.
        let approvals = standing(state, &record)?;
        let stands =
            approvals.len() == record.approvals.len() || is_carried(&approvals, &seats(state)?);
        record.status = match stands.then(|| change::make(state, &record.change)) {
            Some(Ok(())) => ChangeStatus::Active,
            None | Some(Err(Refusal::Reject(_))) => ChangeStatus::Failed,
            Some(Err(Refusal::Fault(fault))) => return Err(fault),
        };
        state.put(&key, &record)?;
    }
    put_scheduled(state, later)
}

/// Whether a member is asked to approve a change after the block of a height: it runs a validator
/// for which nobody has approved, and the change is still possible. Implements [LED-GOV-2].
pub(crate) fn waits_for<V: View>(
    view: &V,
    change: &ChangeRecord,
    member: &Handle,
    height: u64,
) -> Result<bool, Fault> {
    if change.status != ChangeStatus::Proposed || change.activate_height <= height.saturating_add(1)
    {
        return Ok(false);
    }
    let approvals = standing(view, change)?;
    let mut asked = false;
    for validator in view.next_validators()?.validators() {
        let line = succession::line(view, &validator.member)?;
        let approved = line.iter().any(|member| approvals.contains(member));
        asked = asked || (line.last() == Some(member) && !approved);
    }
    if !asked {
        return Ok(false);
    }
    match change::check(view, &change.change) {
        Ok(()) => Ok(true),
        Err(Refusal::Reject(_)) => Ok(false),
        Err(Refusal::Fault(fault)) => Err(fault),
    }
}

/// `propose_change`.
pub(crate) fn propose(act: &mut Act<'_>, e: &ProposeChange) -> Result<(), Refusal> {
    let seats = weighed_seats(act)?;
    own_seat(act, &seats)?;
    let height = act.context.height;
    let last = height.saturating_add(MAX_ACTIVATION_AHEAD);
    if e.activate_height <= height || e.activate_height > last {
        let text = format!("height {} is not after {height} and at most {last}", e.activate_height);
        return Err(Reject::new(Code::ActivationOutOfRange, text).into());
    }
    change::check(act.state, &e.change)?;
    let id = ChangeId::from_digest(*act.event.digest());
    let mut record = ChangeRecord {
        change: e.change.clone(),
        activate_height: e.activate_height,
        proposer: act.author.clone(),
        approvals: vec![act.author.clone()],
        signed: vec![act.signed()],
        status: ChangeStatus::Proposed,
        height,
    };
    decide(act, &id, &mut record, &seats)?;
    act.append(Relation::Changes, id.digest())?;
    let asked: BTreeSet<&Handle> = seats.iter().filter_map(|seat| seat.line.last()).collect();
    for member in asked {
        act.append(Relation::MemberInbox(member.clone()), id.digest())?;
        act.weigh(INBOX_WEIGHT)?;
    }
    act.effects.created.push(Missing::Change(id));
    Ok(())
}

/// `approve_change`.
pub(crate) fn approve(act: &mut Act<'_>, e: &ApproveChange) -> Result<(), Refusal> {
    let seats = weighed_seats(act)?;
    own_seat(act, &seats)?;
    let found: Option<ChangeRecord> = act.state.get(&Key::Change(e.change))?;
    let Some(mut record) = found else {
        let text = format!("change {} is not recorded", e.change);
        let missing = Missing::Change(e.change);
        return Err(Reject::missing(Code::UnknownChange, missing, text).into());
    };
    let reject = |code, text| Err(Refusal::from(Reject::new(code, text)));
    match record.status {
        ChangeStatus::Proposed if record.activate_height > act.context.height => {}
        ChangeStatus::Proposed => {
            let text = format!("its height {} has passed", record.activate_height);
            return reject(Code::ChangeClosed, text);
        }
        ChangeStatus::Scheduled | ChangeStatus::Active | ChangeStatus::Failed => {
            return reject(Code::ChangeClosed, "it was approved before".into());
        }
    }
    let approvals = standing(act.state, &record)?;
    if approvals.contains(act.author) {
        return reject(Code::AlreadyApproved, format!("{} has approved", act.author));
    }
    change::check(act.state, &record.change)?;
    let fallen = record.approvals.iter().position(|member| member == act.author);
    match fallen.and_then(|at| record.signed.get_mut(at)) {
        Some(signed) => *signed = act.signed(),
        None => {
            record.approvals.push(act.author.clone());
            record.signed.push(act.signed());
        }
    }
    decide(act, &e.change, &mut record, &seats)
}

/// Records a change with its approvals; with more than two thirds of the power it is scheduled.
/// Implements [LED-GOV-2].
fn decide(
    act: &mut Act<'_>,
    id: &ChangeId,
    record: &mut ChangeRecord,
    seats: &[Seat],
) -> Result<(), Refusal> {
    if is_carried(&standing(act.state, record)?, seats) {
        let mut scheduled = scheduled(act.state)?;
        if scheduled.len() >= MAX_SCHEDULED {
            let text = format!("{MAX_SCHEDULED} changes are scheduled");
            return Err(Reject::new(Code::ScheduleFull, text).into());
        }
        let activate_height = record.activate_height;
        let place = scheduled.partition_point(|s| s.activate_height <= activate_height);
        scheduled.insert(place, ScheduledChange { activate_height, change: *id });
        put_scheduled(act.state, &scheduled)?;
        record.status = ChangeStatus::Scheduled;
    }
    Ok(act.state.put(&Key::Change(*id), record)?)
}

/// The approvals of a change that count: those whose key is not said to have been in other hands.
/// Implements [LED-MEM-7].
fn standing<V: View>(view: &V, record: &ChangeRecord) -> Result<BTreeSet<Handle>, Fault> {
    let mut approvals = BTreeSet::new();
    for (member, signed) in record.approvals.iter().zip(&record.signed) {
        if !compromised(view, &signed.key, signed.time_ms)? {
            approvals.insert(member.clone());
        }
    }
    Ok(approvals)
}

/// Whether more than two thirds of the power have approved. Implements [LED-GOV-2].
fn is_carried(approvals: &BTreeSet<Handle>, seats: &[Seat]) -> bool {
    let (mut all, mut approving) = (0u128, 0u128);
    for seat in seats {
        all = all.saturating_add(seat.power.into());
        if seat.line.iter().any(|member| approvals.contains(member)) {
            approving = approving.saturating_add(seat.power.into());
        }
    }
    approving.saturating_mul(3) > all.saturating_mul(2)
}

/// A validator of the present set: the member that it names with those that succeeded it, of whom
/// the last runs it, and its power.
struct Seat {
    line: Vec<Handle>,
    power: u64,
}

/// The present set. It is `NextValidators`: every change of the set that was made so far is in it.
fn seats<V: View>(view: &V) -> Result<Vec<Seat>, Fault> {
    let set = view.next_validators()?;
    let seat = |v: &Validator| -> Result<Seat, Fault> {
        Ok(Seat { line: succession::line(view, &v.member)?, power: v.power })
    };
    set.validators().iter().map(seat).collect()
}

/// The present set, weighed with what each validator may have approved.
fn weighed_seats(act: &mut Act<'_>) -> Result<Vec<Seat>, Refusal> {
    let seats = seats(act.state)?;
    act.weigh((seats.len() as u64).saturating_mul(VALIDATOR_WEIGHT))?;
    Ok(seats)
}

fn own_seat(act: &Act<'_>, seats: &[Seat]) -> Result<(), Reject> {
    if seats.iter().any(|seat| seat.line.last() == Some(act.author)) {
        return Ok(());
    }
    Err(Reject::new(Code::NotValidator, format!("{} runs no validator", act.author)))
}

fn scheduled(state: &State) -> Result<Vec<ScheduledChange>, Fault> {
    Ok(state.get(&Key::Scheduled)?.unwrap_or_default())
}

fn put_scheduled(state: &mut State, scheduled: &[ScheduledChange]) -> Result<(), Fault> {
    if scheduled.is_empty() {
        return state.delete(&Key::Scheduled);
    }
    state.put(&Key::Scheduled, &scheduled.to_vec())
}
