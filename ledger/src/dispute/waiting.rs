//! The disputes that wait for a ruling, for whoever may rule: one list for all regulators, that
//! takes a few writes however many there are, and is whole by its number. Implements [LED-DSP-6].

use crate::execute::Act;
use crate::hash::DisputeId;
use crate::reject::Fault;
use crate::state::record::WaitingDispute;
use crate::state::{Key, View};

/// The dispute waits from now on, in the place after the last.
pub(super) fn begin(act: &mut Act<'_>, dispute: DisputeId) -> Result<(), Fault> {
    let place = count(act)?;
    let waiting = WaitingDispute { dispute, height: act.context.height };
    act.state.put(&Key::WaitingAt(place), &waiting)?;
    act.state.put(&Key::WaitsAt(dispute), &place)?;
    act.state.put(&Key::Waiting, &place.saturating_add(1))
}

/// It was ruled on: the last one takes its place.
pub(super) fn end(act: &mut Act<'_>, dispute: DisputeId) -> Result<(), Fault> {
    let missing = || Fault(format!("dispute {dispute} is not among those that wait"));
    let place: u64 = act.state.get(&Key::WaitsAt(dispute))?.ok_or_else(missing)?;
    let last = count(act)?.checked_sub(1).ok_or_else(missing)?;
    if place != last {
        let moved: WaitingDispute = act.state.get(&Key::WaitingAt(last))?.ok_or_else(missing)?;
        act.state.put(&Key::WaitingAt(place), &moved)?;
        act.state.put(&Key::WaitsAt(moved.dispute), &place)?;
    }
    act.state.delete(&Key::WaitingAt(last))?;
    act.state.delete(&Key::WaitsAt(dispute))?;
    act.state.put(&Key::Waiting, &last)
}

fn count(act: &Act<'_>) -> Result<u64, Fault> {
    Ok(act.state.get(&Key::Waiting)?.unwrap_or(0))
}
