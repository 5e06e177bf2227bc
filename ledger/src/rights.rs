//! The rules for the ownership of rights: transfers and consent. Implements [LED-RGT-1] to
//! [LED-RGT-3].

use std::collections::BTreeMap;

use crate::asset::named_in_force;
use crate::event::rights::{AcceptTransfer, Owner, TransferRight};
use crate::execute::Act;
use crate::hash::{AssetId, TransferId};
use crate::reject::{Code, Missing, Refusal, Reject};
use crate::split::{BASIS_POINTS, Right};
use crate::state::record::{AssetRecord, EpochRecord, RightRecord, TransferRecord};
use crate::state::{Key, Records, Relation};
use crate::text::Handle;

/// Fails unless the author manages the right; gives its current ownership.
pub(crate) fn managed(
    act: &Act<'_>,
    id: &AssetId,
    asset: &AssetRecord,
    right: Right,
) -> Result<RightRecord, Refusal> {
    let record = act.state.right(id, asset, right)?;
    if record.manager == *act.author {
        return Ok(record);
    }
    Err(Reject::new(
        Code::NotRightManager,
        format!(
            "the {right} right over {}/{} is managed by {}",
            asset.author, asset.name, record.manager
        ),
    )
    .into())
}

fn parts_by_owner(owners: &[Owner]) -> BTreeMap<Handle, u16> {
    owners.iter().map(|o| (o.member.clone(), o.parts)).collect()
}

/// `transfer_right`.
pub(crate) fn transfer(act: &mut Act<'_>, e: &TransferRight) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    let current = managed(act, &e.asset, &asset, e.right)?;
    let sum: u64 = e.owners.iter().map(|o| u64::from(o.parts)).sum();
    if sum != BASIS_POINTS || e.owners.iter().any(|o| o.parts == 0) {
        let text = format!("the owners' parts add up to {sum}, expected 10000, each at least 1");
        return Err(Reject::new(Code::PartsSum, text).into());
    }
    let new = parts_by_owner(&e.owners);
    if new.len() != e.owners.len() {
        return Err(Reject::new(Code::RepeatedOwner, "an owner is named twice").into());
    }
    if !new.contains_key(&e.manager) {
        let text = format!("{} would manage the right without owning a part", e.manager);
        return Err(Reject::new(Code::ManagerNotOwner, text).into());
    }
    for member in new.keys() {
        act.named_member(member)?;
    }
    let old = act.state.epoch(&e.asset, &asset, e.right, current.epoch)?;
    let old = parts_by_owner(&old.owners);
    let outstanding = outstanding(&old, &new, act.author);
    let mut record = TransferRecord {
        asset: e.asset,
        right: e.right,
        proposer: act.author.clone(),
        owners: new.into_iter().map(|(member, parts)| Owner { member, parts }).collect(),
        manager: e.manager.clone(),
        epoch: current.epoch,
        outstanding,
        done: false,
    };
    if record.outstanding.is_empty() {
        take_effect(act, &asset, &mut record)?;
    }
    let id = TransferId::from_digest(*act.event.digest());
    act.state.put(&Key::Transfer(id), &record)?;
    act.effects.created.push(Missing::Transfer(id));
    Ok(())
}

/// Whose consent a transfer needs besides the author's: owners who are new or whose parts shrink.
fn outstanding(
    old: &BTreeMap<Handle, u16>,
    new: &BTreeMap<Handle, u16>,
    author: &Handle,
) -> Vec<Handle> {
    let added = new.keys().filter(|m| !old.contains_key(*m));
    let shrunk =
        old.iter().filter(|(m, parts)| new.get(*m).is_none_or(|n| n < parts)).map(|(m, _)| m);
    let asked: std::collections::BTreeSet<&Handle> = added.chain(shrunk).collect();
    asked.into_iter().filter(|m| *m != author).cloned().collect()
}

/// `accept_transfer`.
pub(crate) fn accept_transfer(act: &mut Act<'_>, e: &AcceptTransfer) -> Result<(), Refusal> {
    let mut record = act.state.transfer(&e.transfer)?.ok_or_else(|| {
        Reject::missing(
            Code::UnknownTransfer,
            Missing::Transfer(e.transfer),
            format!("transfer {} is not recorded", e.transfer),
        )
    })?;
    let asset = named_in_force(act, &record.asset)?;
    let current = act.state.right(&record.asset, &asset, record.right)?;
    if record.done || current.epoch != record.epoch {
        return Err(Reject::new(Code::TransferClosed, "the transfer is closed").into());
    }
    let before = record.outstanding.len();
    record.outstanding.retain(|m| m != act.author);
    if record.outstanding.len() == before {
        let text = format!("the consent of {} is not outstanding", act.author);
        return Err(Reject::new(Code::ConsentNotAsked, text).into());
    }
    if record.outstanding.is_empty() {
        take_effect(act, &asset, &mut record)?;
    }
    Ok(act.state.put(&Key::Transfer(e.transfer), &record)?)
}

/// Begins a new ownership epoch.
fn take_effect(
    act: &mut Act<'_>,
    asset: &AssetRecord,
    record: &mut TransferRecord,
) -> Result<(), Refusal> {
    record.done = true;
    let id = record.asset;
    let old = act.state.epoch(&id, asset, record.right, record.epoch)?;
    let epoch = record.epoch.saturating_add(1);
    let owners = record.owners.clone();
    let begun = EpochRecord { start_seq: act.seq, height: act.context.height, owners };
    act.state.put(&Key::Epoch(id, record.right, epoch), &begun)?;
    let head = RightRecord { epoch, manager: record.manager.clone() };
    act.state.put(&Key::Right(id, record.right), &head)?;
    for owner in &record.owners {
        if old.owners.iter().all(|o| o.member != owner.member) {
            act.append(Relation::MemberAssets(owner.member.clone()), id.digest())?;
        }
    }
    Ok(())
}
