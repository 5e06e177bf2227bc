//! The rules for the ownership of rights: who acts for them, transfers and consent. Implements
//! [LED-RGT-1] to [LED-RGT-4].

use std::collections::BTreeMap;

use crate::approval;
use crate::asset::named_uncontested;
use crate::event::rights::{AcceptTransfer, Owner, TransferRight};
use crate::execute::Act;
use crate::hash::{AssetId, TransferId};
use crate::hold;
use crate::limits::{MAX_EPOCHS, MAX_SIGNED, RULING_EPOCHS};
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::split::{BASIS_POINTS, Right};
use crate::state::record::{AssetRecord, EpochRecord, Hold, RightRecord, Signed, TransferRecord};
use crate::state::{Key, Records, Relation};
use crate::text::Handle;

/// Fails unless the author acts for the right: as its manager, or where it has a threshold as an
/// owner who reaches it with the owners that have approved the act. Gives its current ownership.
/// Implements [LED-RGT-1] and [LED-RGT-4].
pub(crate) fn managed(
    act: &mut Act<'_>,
    id: &AssetId,
    asset: &AssetRecord,
    right: Right,
) -> Result<RightRecord, Refusal> {
    let record = act.state.right(id, asset, right)?;
    uncontested(act, asset, right, &record)?;
    let shown = || format!("the {right} right over {}/{}", asset.author, asset.name);
    let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
    let Some(threshold) = record.threshold_parts else {
        if act.is(&record.manager)? {
            return Ok(record);
        }
        return reject(
            Code::NotRightManager,
            format!("{} is managed by {}", shown(), record.manager),
        );
    };
    let owners = approval::owners(act, id, asset, right)?;
    let approvers = approval::approvers(act, id)?;
    let (mut owns, mut parts) = (false, 0u64);
    for owner in owners {
        let acting = act.acting(&owner.member)?;
        owns |= acting == *act.author;
        if acting == *act.author || approvers.contains(&acting) {
            parts = parts.saturating_add(owner.parts.into());
        }
    }
    if !owns {
        return reject(
            Code::NotRightManager,
            format!("{} owns no part of {}", act.author, shown()),
        );
    }
    if parts < u64::from(threshold) {
        let text = format!("owners of {parts} parts act for {}, it needs {threshold}", shown());
        return reject(Code::OwnersNeeded, text);
    }
    Ok(record)
}

/// Fails when a key that transferred the right is said to have been in other hands then, and no
/// ruling about the right has come since. Implements [LED-RGT-5].
pub(crate) fn uncontested(
    act: &mut Act<'_>,
    asset: &AssetRecord,
    right: Right,
    record: &RightRecord,
) -> Result<(), Refusal> {
    if !act.in_other_hands(&record.signed)? {
        return Ok(());
    }
    let text = format!(
        "the {right} right over {}/{} was transferred with a key that is said to have been in \
         other hands",
        asset.author, asset.name
    );
    Err(Reject::new(Code::Contested, text).into())
}

/// Like [`managed`], for an act that gives a right away or lets others have it: not on the strength
/// of parts that a ruling gave which is not final, for they may go back. Implements [LED-DSP-8].
pub(crate) fn disposes(
    act: &mut Act<'_>,
    id: &AssetId,
    asset: &AssetRecord,
    right: Right,
) -> Result<RightRecord, Refusal> {
    let record = managed(act, id, asset, right)?;
    let awarded = hold::awarded(act, id, right)?;
    if awarded.is_empty() {
        return Ok(record);
    }
    let approvers = match record.threshold_parts {
        Some(_) => approval::approvers(act, id)?,
        None => Default::default(),
    };
    let acts = |act: &Act<'_>, owner: &Handle| {
        let acting = act.acting(owner)?;
        Ok(acting == *act.author || approvers.contains(&acting))
    };
    require_lasting(act, (id, asset, right), &record, &awarded, acts)?;
    Ok(record)
}

/// Fails when those who act for a right do so by parts that may go back. Who acts with a threshold is
/// said; without one it is the manager.
fn require_lasting(
    act: &Act<'_>,
    (id, asset, right): (&AssetId, &AssetRecord, Right),
    record: &RightRecord,
    awarded: &[Hold],
    acts: impl Fn(&Act<'_>, &Handle) -> Result<bool, Fault>,
) -> Result<(), Refusal> {
    let mut parts = 0u64;
    for owner in act.state.epoch(id, asset, right, record.epoch)?.owners {
        let counts = match record.threshold_parts {
            Some(_) => acts(act, &owner.member)?,
            None => owner.member == record.manager,
        };
        if counts {
            parts = parts.saturating_add(hold::lasting(awarded, &owner));
        }
    }
    if parts >= record.threshold_parts.unwrap_or(1).into() {
        return Ok(());
    }
    let text = format!(
        "who acts for the {right} right over {}/{} does so by a ruling that is not final",
        asset.author, asset.name
    );
    Err(Reject::new(Code::PartsHeld, text).into())
}

/// As [`alone`], for what lets others have something of the right: fails when the member acts by
/// parts that a ruling gave which is not final. Implements [LED-DSP-8].
pub(crate) fn disposes_alone(
    act: &mut Act<'_>,
    member: &Handle,
    (id, asset): (&AssetId, &AssetRecord),
    right: Right,
) -> Result<bool, Refusal> {
    if !alone(act, member, (id, asset), right)? {
        return Ok(false);
    }
    let awarded = hold::awarded(act, id, right)?;
    if !awarded.is_empty() {
        let record = act.state.right(id, asset, right)?;
        let acts = |act: &Act<'_>, owner: &Handle| act.same(owner, member);
        require_lasting(act, (id, asset, right), &record, &awarded, acts)?;
    }
    Ok(true)
}

/// Whether a member acts for a right by itself, whoever the author is: as its manager, or where it
/// has a threshold with parts of its own that reach it. Fails where it would but for a stolen key.
/// Implements [LED-RGT-4].
pub(crate) fn alone(
    act: &mut Act<'_>,
    member: &Handle,
    (id, asset): (&AssetId, &AssetRecord),
    right: Right,
) -> Result<bool, Refusal> {
    let record = act.state.right(id, asset, right)?;
    let acts = match record.threshold_parts {
        None => act.same(&record.manager, member)?,
        Some(threshold) => {
            let member = act.acting(member)?;
            let mut parts = 0u64;
            for owner in approval::owners(act, id, asset, right)? {
                if act.acting(&owner.member)? == member {
                    parts = parts.saturating_add(owner.parts.into());
                }
            }
            parts >= u64::from(threshold)
        }
    };
    if acts {
        uncontested(act, asset, right, &record)?;
    }
    Ok(acts)
}

fn parts_by_owner(owners: &[Owner]) -> BTreeMap<Handle, u16> {
    owners.iter().map(|o| (o.member.clone(), o.parts)).collect()
}

/// `transfer_right`.
pub(crate) fn transfer(act: &mut Act<'_>, e: &TransferRight) -> Result<(), Refusal> {
    let asset = named_uncontested(act, &e.asset)?;
    let current = disposes(act, &e.asset, &asset, e.right)?;
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
    if e.threshold_parts.is_some_and(|t| t == 0 || u64::from(t) > BASIS_POINTS) {
        let text = "the threshold is not within 1 to 10000 parts";
        return Err(Reject::new(Code::ThresholdInvalid, text).into());
    }
    for member in new.keys() {
        act.named_member(member)?;
    }
    let old = act.state.epoch(&e.asset, &asset, e.right, current.epoch)?;
    let old = parts_by_owner(&old.owners);
    if (&old, &current.manager, current.threshold_parts) == (&new, &e.manager, e.threshold_parts) {
        let text = "the right has these owners, this manager and this threshold";
        return Err(Reject::new(Code::TransferUnchanged, text).into());
    }
    let outstanding = outstanding(act, &old, &new)?;
    let mut record = TransferRecord {
        asset: e.asset,
        right: e.right,
        proposer: act.author.clone(),
        owners: new.into_iter().map(|(member, parts)| Owner { member, parts }).collect(),
        manager: e.manager.clone(),
        threshold_parts: e.threshold_parts,
        changes: current.changes,
        outstanding,
        signed: vec![act.signed()],
        done: false,
    };
    if record.outstanding.is_empty() {
        take_effect(act, &asset, current, &mut record)?;
    }
    let id = TransferId::from_digest(*act.event.digest());
    act.state.put(&Key::Transfer(id), &record)?;
    for member in &record.outstanding {
        act.wait_for(member)?;
    }
    act.effects.created.push(Missing::Transfer(id));
    Ok(())
}

/// Whose consent a transfer needs besides the author's: owners who are new or whose parts shrink.
fn outstanding(
    act: &Act<'_>,
    old: &BTreeMap<Handle, u16>,
    new: &BTreeMap<Handle, u16>,
) -> Result<Vec<Handle>, Fault> {
    let added = new.keys().filter(|m| !old.contains_key(*m));
    let shrunk =
        old.iter().filter(|(m, parts)| new.get(*m).is_none_or(|n| n < parts)).map(|(m, _)| m);
    let asked: std::collections::BTreeSet<&Handle> = added.chain(shrunk).collect();
    let mut outstanding = Vec::new();
    for member in asked {
        if !act.is(member)? {
            outstanding.push(member.clone());
        }
    }
    Ok(outstanding)
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
    let asset = named_uncontested(act, &record.asset)?;
    let current = act.state.right(&record.asset, &asset, record.right)?;
    if record.done || current.changes != record.changes {
        return Err(Reject::new(Code::TransferClosed, "the transfer is closed").into());
    }
    uncontested(act, &asset, record.right, &current)?;
    if act.in_other_hands(&record.signed)? {
        let text = "a key that signed the transfer is said to have been in other hands";
        return Err(Reject::new(Code::Contested, text).into());
    }
    record.signed.push(act.signed());
    act.require_not_suspended(&record.proposer)?;
    let asked = std::mem::take(&mut record.outstanding);
    let before = asked.len();
    for member in asked {
        if !act.is(&member)? {
            record.outstanding.push(member);
        }
    }
    if record.outstanding.len() == before {
        let text = format!("the consent of {} is not outstanding", act.author);
        return Err(Reject::new(Code::ConsentNotAsked, text).into());
    }
    if record.outstanding.is_empty() {
        take_effect(act, &asset, current, &mut record)?;
    }
    Ok(act.state.put(&Key::Transfer(e.transfer), &record)?)
}

/// A transfer takes effect. A new epoch begins only when the owners change: who acts for the right
/// makes no difference to its money.
fn take_effect(
    act: &mut Act<'_>,
    asset: &AssetRecord,
    current: RightRecord,
    record: &mut TransferRecord,
) -> Result<(), Refusal> {
    record.done = true;
    let (id, right) = (record.asset, record.right);
    let (manager, threshold_parts) = (record.manager.clone(), record.threshold_parts);
    let earliest = act.context.time_ms.saturating_sub(act.rulebook.compromise_lookback_ms);
    let mut signed = current.signed.clone();
    // Of a key the latest says all: it is compromised when an earlier one is.
    let again = |one: &Signed| record.signed.iter().any(|new| new.key == one.key);
    signed.retain(|one| one.time_ms >= earliest && !again(one));
    for new in record.signed.iter().rev() {
        if signed.iter().all(|one| one.key != new.key) {
            signed.push(new.clone());
        }
    }
    if signed.len() > MAX_SIGNED {
        let text = format!("{} keys have signed transfers of the right of late", signed.len());
        return Err(Reject::new(Code::EpochsFull, text).into());
    }
    let head = RightRecord { manager, threshold_parts, signed, ..current };
    if act.state.epoch(&id, asset, right, head.epoch)?.owners == record.owners {
        let changes = head.changes.saturating_add(1);
        return Ok(act.state.put(&Key::Right(id, right), &RightRecord { changes, ..head })?);
    }
    if head.epoch.saturating_add(1) >= MAX_EPOCHS.saturating_sub(RULING_EPOCHS) {
        let text = format!("transfers have begun {} ownership epochs", head.epoch);
        return Err(Reject::new(Code::EpochsFull, text).into());
    }
    require_not_held(act, asset, record, head.epoch)?;
    begin_epoch(act, (&id, asset), right, head, record.owners.clone())
}

/// Fails when a transfer would leave an owner with less than what disputes hold of him.
/// Implements [LED-DSP-8].
fn require_not_held(
    act: &Act<'_>,
    asset: &AssetRecord,
    record: &TransferRecord,
    epoch: u32,
) -> Result<(), Refusal> {
    let holds = hold::in_force(act.state, &record.asset, record.right, act.context.time_ms)?;
    if holds.is_empty() {
        return Ok(());
    }
    let new = parts_by_owner(&record.owners);
    for owner in act.state.epoch(&record.asset, asset, record.right, epoch)?.owners {
        let held = hold::parts_of(&holds, &owner.member).min(owner.parts.into());
        let left = new.get(&owner.member).copied().unwrap_or(0);
        if u64::from(left) < held {
            let text = format!("{held} parts of {} are held, {left} would be left", owner.member);
            return Err(Reject::new(Code::PartsHeld, text).into());
        }
    }
    Ok(())
}

/// Begins a new ownership epoch after that of `head`, with its manager and these owners, in order
/// of handle.
pub(crate) fn begin_epoch(
    act: &mut Act<'_>,
    (id, asset): (&AssetId, &AssetRecord),
    right: Right,
    head: RightRecord,
    owners: Vec<Owner>,
) -> Result<(), Refusal> {
    let old = act.state.epoch(id, asset, right, head.epoch)?;
    let epoch = head.epoch.saturating_add(1);
    for owner in &owners {
        if old.owners.iter().all(|o| o.member != owner.member) {
            act.append(Relation::MemberAssets(owner.member.clone()), id.digest())?;
        }
    }
    let begun = EpochRecord { start_seq: act.seq, height: act.context.height, owners };
    act.state.put(&Key::Epoch(*id, right, epoch), &begun)?;
    let changes = head.changes.saturating_add(1);
    Ok(act.state.put(&Key::Right(*id, right), &RightRecord { epoch, changes, ..head })?)
}
