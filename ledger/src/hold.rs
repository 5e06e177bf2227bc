//! Held slices of rights: how many of an owner's parts are not paid out for now.
//! Implements [LED-DSP-1] and [LED-DSP-2].

use crate::event::dispute::Slice;
use crate::execute::Act;
use crate::hash::{AssetId, DisputeId};
use crate::limits::MAX_HOLDS;
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::split::{BASIS_POINTS, Right};
use crate::state::record::Hold;
use crate::state::{Key, View};
use crate::text::Handle;

fn recorded<V: View>(view: &V, asset: &AssetId, right: Right) -> Result<Vec<Hold>, Fault> {
    Ok(view.get(&Key::Holds(*asset, right))?.unwrap_or_default())
}

/// How many of an owner's parts of a right are held at a block time; at most 10 000.
// Read by the rules of payouts.
#[allow(dead_code)]
pub(crate) fn held_parts<V: View>(
    view: &V,
    asset: &AssetId,
    right: Right,
    owner: &Handle,
    now_ms: u64,
) -> Result<u16, Fault> {
    let holds = recorded(view, asset, right)?;
    let held = holds.iter().filter(|h| h.owner == *owner && h.until_ms >= now_ms);
    let parts: u64 = held.map(|h| u64::from(h.parts)).sum();
    u16::try_from(parts.min(BASIS_POINTS)).map_err(|_| Fault("held parts overflowed".into()))
}

/// Whether a dispute holds parts of a right at a block time, whoever owns them.
pub(crate) fn is_held<V: View>(
    view: &V,
    asset: &AssetId,
    right: Right,
    now_ms: u64,
) -> Result<bool, Fault> {
    Ok(recorded(view, asset, right)?.iter().any(|h| h.until_ms >= now_ms))
}

/// Holds the slice of a dispute until a block time, in place of an earlier hold of the same
/// dispute. Holds that are over make room.
pub(crate) fn place(
    act: &mut Act<'_>,
    slice: &Slice,
    dispute: DisputeId,
    until_ms: u64,
) -> Result<(), Refusal> {
    let mut holds = recorded(act.state, &slice.asset, slice.right)?;
    holds.retain(|h| h.dispute != dispute && h.until_ms >= act.context.time_ms);
    if holds.len() >= MAX_HOLDS {
        let text = format!("{MAX_HOLDS} slices of the {} right are held already", slice.right);
        return Err(Reject::new(Code::HoldsFull, text).into());
    }
    holds.push(Hold { dispute, owner: slice.owner.clone(), parts: slice.parts, until_ms });
    Ok(act.state.put(&Key::Holds(slice.asset, slice.right), &holds)?)
}

/// Ends the hold of a dispute, if there is one.
pub(crate) fn lift(act: &mut Act<'_>, slice: &Slice, dispute: &DisputeId) -> Result<(), Fault> {
    let key = Key::Holds(slice.asset, slice.right);
    let mut holds = recorded(act.state, &slice.asset, slice.right)?;
    holds.retain(|h| h.dispute != *dispute);
    if holds.is_empty() { act.state.delete(&key) } else { act.state.put(&key, &holds) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Digest;
    use crate::state::State;
    use proptest::prelude::*;

    proptest! {
        /// Holds [LED-DSP-1]: exactly the unexpired parts of this owner are held, never another's,
        /// and never more than there are.
        #[test]
        fn holds_touch_nobody_else(
            holds in prop::collection::vec((0u8..3, 1u16..=10_000, 0u64..20), 0..=MAX_HOLDS),
            now_ms in 0u64..20,
        ) {
            let id = |n: u8| Digest::Blake3([n; 32]);
            let owner = |n: u8| -> Handle { format!("owner-{n}").parse().unwrap() };
            let (asset, right) = (AssetId::from_digest(id(9)), Right::Holding);
            let mut state = State::default();
            let recorded: Vec<Hold> = (0u8..)
                .zip(&holds)
                .map(|(n, (of, parts, until_ms))| Hold {
                    dispute: DisputeId::from_digest(id(n)),
                    owner: owner(*of),
                    parts: *parts,
                    until_ms: *until_ms,
                })
                .collect();
            state.put(&Key::Holds(asset, right), &recorded).unwrap();
            for of in 0u8..4 {
                let mut left = 10_000u16;
                for (other, parts, until_ms) in &holds {
                    if *other == of && now_ms <= *until_ms {
                        left = left.saturating_sub(*parts);
                    }
                }
                let held = held_parts(&state, &asset, right, &owner(of), now_ms).unwrap();
                prop_assert_eq!(held, 10_000 - left);
                let elsewhere = held_parts(&state, &asset, Right::Operation, &owner(of), now_ms);
                prop_assert_eq!(elsewhere.unwrap(), 0);
            }
        }
    }
}
