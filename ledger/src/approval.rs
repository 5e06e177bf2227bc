//! The rules for acts that several owners decide. Implements [LED-RGT-4] and [LED-GRT-6].

use std::collections::BTreeSet;

use crate::event::ApproveAct;
use crate::event::rights::Owner;
use crate::execute::Act;
use crate::hash::AssetId;
use crate::limits::APPROVAL_MS;
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::split::Right;
use crate::state::record::{ApprovalRecord, Approved, AssetRecord};
use crate::state::{Key, Records, View};
use crate::text::Handle;

/// Weight of looking at one owner, or at one who approved.
const OWNER_WEIGHT: u64 = 3;

/// The present owners of a right, weighed.
pub(crate) fn owners(
    act: &mut Act<'_>,
    id: &AssetId,
    asset: &AssetRecord,
    right: Right,
) -> Result<Vec<Owner>, Refusal> {
    let epoch = act.state.right(id, asset, right)?.epoch;
    let owners = act.state.epoch(id, asset, right, epoch)?.owners;
    act.weigh((owners.len() as u64).saturating_mul(OWNER_WEIGHT))?;
    Ok(owners)
}

/// Those whose approvals of the act that is applied count, as who acts for them now. That act uses
/// up the approvals.
pub(crate) fn approvers(act: &mut Act<'_>, id: &AssetId) -> Result<BTreeSet<Handle>, Refusal> {
    let key = Key::Approval(*id, act.hash()?);
    let Some(record) = act.state.get::<ApprovalRecord>(&key)? else { return Ok(BTreeSet::new()) };
    act.weigh((record.by.len() as u64).saturating_mul(OWNER_WEIGHT))?;
    act.spent.insert(*id);
    let mut approvers = BTreeSet::new();
    for approved in &record.by {
        if counts(act, approved)? {
            approvers.insert(act.acting(&approved.member)?);
        }
    }
    Ok(approvers)
}

/// Whether an approval has not lapsed and its key is not said to have been in other hands.
fn counts(act: &mut Act<'_>, approved: &Approved) -> Result<bool, Refusal> {
    let lapsed = act.context.time_ms > approved.until_ms;
    Ok(!lapsed && !act.in_other_hands(std::slice::from_ref(&approved.signed))?)
}

/// `approve_act`.
pub(crate) fn approve(act: &mut Act<'_>, e: &ApproveAct) -> Result<(), Refusal> {
    let asset = crate::asset::named(act, &e.asset)?;
    let mut acting = BTreeSet::new();
    for right in Right::ALL {
        for owner in owners(act, &e.asset, &asset, right)? {
            acting.insert(act.acting(&owner.member)?);
        }
    }
    if !acting.contains(act.author) {
        let text =
            format!("{} owns no part of a right over {}/{}", act.author, asset.author, asset.name);
        return Err(Reject::new(Code::NotOwner, text).into());
    }
    let key = Key::Approval(e.asset, e.act);
    let before = act.state.get::<ApprovalRecord>(&key)?.map(|r| r.by).unwrap_or_default();
    act.weigh((before.len() as u64).saturating_mul(OWNER_WEIGHT))?;
    // Who is no owner any more is forgotten, and what has lapsed, which bounds the list.
    let mut by = Vec::new();
    for approved in before {
        if !counts(act, &approved)? {
            continue;
        }
        if act.is(&approved.member)? {
            let text = format!("{} has approved this act", approved.member);
            return Err(Reject::new(Code::ActApprovedAlready, text).into());
        }
        if acting.contains(&act.acting(&approved.member)?) {
            by.push(approved);
        }
    }
    let until_ms = act.context.time_ms.saturating_add(APPROVAL_MS);
    by.push(Approved { member: act.author.clone(), until_ms, signed: act.signed() });
    Ok(act.state.put(&key, &ApprovalRecord { by })?)
}

/// Fails unless every owner of the processing right whom the split of this asset pays has approved
/// the act, besides the author. Implements [LED-GRT-6].
pub(crate) fn floor_consent(
    act: &mut Act<'_>,
    id: &AssetId,
    asset: &AssetRecord,
) -> Result<(), Refusal> {
    let found = act.state.inputs(id)?;
    let split = found.ok_or_else(|| Fault(format!("asset {id} has no inputs record")))?.split;
    if split.processing_bp == 0 {
        return Ok(());
    }
    let approvers = approvers(act, id)?;
    for owner in owners(act, id, asset, Right::Processing)? {
        let acting = act.acting(&owner.member)?;
        if acting != *act.author && !approvers.contains(&acting) {
            let text = format!("{} owns a part of the processing right", owner.member);
            return Err(Reject::new(Code::FloorConsentMissing, text).into());
        }
    }
    Ok(())
}

/// Forgets the approvals that the act applied has used.
pub(crate) fn spend(act: &mut Act<'_>) -> Result<(), Fault> {
    if act.spent.is_empty() {
        return Ok(());
    }
    let hash = act.hash()?;
    for asset in std::mem::take(&mut act.spent) {
        act.state.delete(&Key::Approval(asset, hash))?;
    }
    Ok(())
}
