//! The rules for changes that validators decide. Implements [LED-GOV-1] to [LED-GOV-4].

mod change;

use std::collections::BTreeSet;

use crate::event::{ApproveChange, ProposeChange};
use crate::execute::{self, Act, BlockContext};
use crate::hash::ChangeId;
use crate::limits::{MAX_ACTIVATION_AHEAD, MAX_SCHEDULED};
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::state::record::{ChangeRecord, ChangeStatus, ScheduledChange};
use crate::state::{Key, Relation, State, View};
use crate::text::Handle;
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
        record.status = match change::make(state, &record.change) {
            Ok(()) => ChangeStatus::Active,
            Err(Refusal::Reject(_)) => ChangeStatus::Failed,
            Err(Refusal::Fault(fault)) => return Err(fault),
        };
        state.put(&key, &record)?;
    }
    put_scheduled(state, later)
}

/// `propose_change`.
pub(crate) fn propose(act: &mut Act<'_>, e: &ProposeChange) -> Result<(), Refusal> {
    let powers = powers(act)?;
    own_power(act, &powers)?;
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
        status: ChangeStatus::Proposed,
        height,
    };
    decide(act, &id, &mut record, &powers)?;
    act.append(Relation::Changes, id.digest())?;
    let author = act.author;
    let others: BTreeSet<&Handle> = powers.iter().map(|(member, _)| member).collect();
    for member in others.into_iter().filter(|member| *member != author) {
        act.append(Relation::MemberInbox(member.clone()), id.digest())?;
        act.weigh(INBOX_WEIGHT)?;
    }
    act.effects.created.push(Missing::Change(id));
    Ok(())
}

/// `approve_change`.
pub(crate) fn approve(act: &mut Act<'_>, e: &ApproveChange) -> Result<(), Refusal> {
    let powers = powers(act)?;
    own_power(act, &powers)?;
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
    if approvers(act.state, &record)?.contains(act.author) {
        return reject(Code::AlreadyApproved, format!("{} has approved", act.author));
    }
    change::check(act.state, &record.change)?;
    record.approvals.push(act.author.clone());
    decide(act, &e.change, &mut record, &powers)
}

/// Records a change with its approvals; with more than two thirds of the power it is scheduled.
/// Implements [LED-GOV-2].
fn decide(
    act: &mut Act<'_>,
    id: &ChangeId,
    record: &mut ChangeRecord,
    powers: &[(Handle, u64)],
) -> Result<(), Refusal> {
    let approvers = approvers(act.state, record)?;
    let sum = |all: bool| {
        powers
            .iter()
            .filter(|(member, _)| all || approvers.contains(member))
            .fold(0u128, |sum, (_, power)| sum.saturating_add(u128::from(*power)))
    };
    if sum(false).saturating_mul(3) > sum(true).saturating_mul(2) {
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

/// For each validator of the present set, the member that acts for it and its power. The present
/// set is `NextValidators`: every change of the set that was made so far is in it.
fn powers(act: &mut Act<'_>) -> Result<Vec<(Handle, u64)>, Refusal> {
    let set = act.state.next_validators()?;
    let walk = u64::try_from(set.validators().len()).unwrap_or(u64::MAX);
    let walk = walk.saturating_mul(VALIDATOR_WEIGHT);
    act.weigh(walk)?;
    set.validators().iter().map(|v| Ok((act.acting(&v.member)?, v.power))).collect()
}

fn own_power(act: &Act<'_>, powers: &[(Handle, u64)]) -> Result<(), Reject> {
    if powers.iter().any(|(member, _)| member == act.author) {
        return Ok(());
    }
    Err(Reject::new(Code::NotValidator, format!("{} runs no validator", act.author)))
}

/// Who acts for those that have approved.
fn approvers(state: &State, record: &ChangeRecord) -> Result<BTreeSet<Handle>, Fault> {
    record.approvals.iter().map(|member| execute::acting(state, member)).collect()
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
