//! Held slices of rights: parts of an owner that are neither paid out nor given away for now.
//! Implements [LED-DSP-1], [LED-DSP-2] and [LED-DSP-8].

use crate::event::dispute::Slice;
use crate::event::rights::Owner;
use crate::execute::Act;
use crate::hash::{AssetId, DisputeId};
use crate::limits::{MAX_FREEZES, MAX_HOLDS};
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::split::Right;
use crate::state::record::{Hold, HoldKind};
use crate::state::{Key, View};
use crate::text::Handle;

/// The holds on a right that are in force at a block time, in the order in which they were placed.
pub(crate) fn in_force<V: View>(
    view: &V,
    asset: &AssetId,
    right: Right,
    now_ms: u64,
) -> Result<Vec<Hold>, Fault> {
    let mut holds: Vec<Hold> = view.get(&Key::Holds(*asset, right))?.unwrap_or_default();
    holds.retain(|h| h.until_ms >= now_ms);
    Ok(holds)
}

/// The parts of an owner that holds are of, added up.
pub(crate) fn parts_of(holds: &[Hold], owner: &Handle) -> u64 {
    holds.iter().filter(|h| h.owner == *owner).map(|h| u64::from(h.parts)).sum()
}

/// The parts of an owner in an ownership epoch that holds are of, added up.
pub(crate) fn parts_in(holds: &[Hold], owner: &Handle, epoch: u32) -> u64 {
    let is_of = |h: &&Hold| match h.kind {
        HoldKind::Cooling | HoldKind::Frozen => true,
        HoldKind::Awarded(since) => since <= epoch,
    };
    let own = holds.iter().filter(|h| h.owner == *owner);
    own.filter(is_of).map(|h| u64::from(h.parts)).sum()
}

/// The holds in force on a right that keep what rulings gave which are not final.
pub(crate) fn awarded(act: &Act<'_>, asset: &AssetId, right: Right) -> Result<Vec<Hold>, Fault> {
    let mut holds = in_force(act.state, asset, right, act.context.time_ms)?;
    holds.retain(|h| matches!(h.kind, HoldKind::Awarded(_)));
    Ok(holds)
}

/// The parts of an owner without those that holds are of.
pub(crate) fn lasting(holds: &[Hold], owner: &Owner) -> u64 {
    u64::from(owner.parts).saturating_sub(parts_of(holds, &owner.member))
}

fn counts_as_frozen(kind: HoldKind) -> bool {
    match kind {
        HoldKind::Cooling => false,
        HoldKind::Frozen | HoldKind::Awarded(_) => true,
    }
}

/// Holds parts until a block time, in place of an earlier hold of the same dispute. Holds that are
/// over make room.
pub(crate) fn place(
    act: &mut Act<'_>,
    (asset, right): (&AssetId, Right),
    hold: Hold,
) -> Result<(), Refusal> {
    if try_place(act, (asset, right), hold)? {
        return Ok(());
    }
    let text = format!("{MAX_FREEZES} slices of the {right} right are held in this way already");
    Err(Reject::new(Code::HoldsFull, text).into())
}

/// The same, if there is room; gives whether there was.
pub(crate) fn try_place(
    act: &mut Act<'_>,
    (asset, right): (&AssetId, Right),
    hold: Hold,
) -> Result<bool, Fault> {
    let mut holds = in_force(act.state, asset, right, act.context.time_ms)?;
    holds.retain(|h| h.dispute != hold.dispute);
    let is_frozen = counts_as_frozen(hold.kind);
    let same = holds.iter().filter(|h| counts_as_frozen(h.kind) == is_frozen).count();
    if same >= if is_frozen { MAX_FREEZES } else { MAX_HOLDS } {
        return Ok(false);
    }
    holds.push(hold);
    act.state.put(&Key::Holds(*asset, right), &holds)?;
    Ok(true)
}

/// The ruling of a dispute is appealed: its hold lasts as long as it may without the ruling.
pub(crate) fn appealed(act: &mut Act<'_>, slice: &Slice, dispute: &DisputeId) -> Result<(), Fault> {
    change(act, slice, dispute, |hold| hold.until_ms = hold.appealed_until_ms)
}

/// A first ruling dismissed a dispute: its hold lasts no longer than that can be appealed.
pub(crate) fn dismissed(
    act: &mut Act<'_>,
    slice: &Slice,
    dispute: &DisputeId,
    appeal_until_ms: u64,
) -> Result<(), Fault> {
    change(act, slice, dispute, |hold| hold.until_ms = hold.until_ms.min(appeal_until_ms))
}

fn change(
    act: &mut Act<'_>,
    slice: &Slice,
    dispute: &DisputeId,
    change: impl FnOnce(&mut Hold),
) -> Result<(), Fault> {
    let mut holds = in_force(act.state, &slice.asset, slice.right, act.context.time_ms)?;
    let Some(hold) = holds.iter_mut().find(|h| h.dispute == *dispute) else { return Ok(()) };
    change(hold);
    act.state.put(&Key::Holds(slice.asset, slice.right), &holds)
}

/// Ends the hold of a dispute, if there is one.
pub(crate) fn lift(act: &mut Act<'_>, slice: &Slice, dispute: &DisputeId) -> Result<(), Fault> {
    let key = Key::Holds(slice.asset, slice.right);
    let mut holds: Vec<Hold> = act.state.get(&key)?.unwrap_or_default();
    holds.retain(|h| h.dispute != *dispute);
    if holds.is_empty() { act.state.delete(&key) } else { act.state.put(&key, &holds) }
}
