//! Recorded ids are kept until their envelopes expire, and forgotten then. Implements [LED-ENV-5].

use crate::limits::MAX_PRUNED_PER_BLOCK;
use crate::reject::Fault;
use crate::state::record::PruneList;
use crate::state::{Key, State, View};

/// Longest walk over hours without recorded ids in one block.
const MAX_HOURS_PER_BLOCK: u64 = 1_000;

/// The hour bucket in which an envelope id is forgotten.
pub fn expiry_hour(time_ms: u64) -> u64 {
    time_ms / 3_600_000
}

/// Forgets recorded ids whose hour is over, a bounded number at a time. Implements [LED-ENV-5].
pub(super) fn prune(state: &mut State, time_ms: u64) -> Result<(), Fault> {
    let cursor: Option<u64> = state.get(&Key::PruneCursor)?;
    let mut hour = cursor.ok_or_else(|| Fault("the state holds no prune cursor".into()))?;
    let (begin, now) = (hour, expiry_hour(time_ms));
    let mut pruned = 0usize;
    while hour < now
        && pruned < MAX_PRUNED_PER_BLOCK
        && hour.saturating_sub(begin) < MAX_HOURS_PER_BLOCK
    {
        let head: Option<u64> = state.get(&Key::PruneHead(hour))?;
        let Some(height) = head.filter(|h| *h > 0) else {
            state.delete(&Key::PruneHead(hour))?;
            hour = hour.saturating_add(1);
            continue;
        };
        let list: Option<PruneList> = state.get(&Key::PruneList(hour, height))?;
        let list = list.ok_or_else(|| Fault(format!("prune list {hour}/{height} is missing")))?;
        if pruned > 0 && pruned.saturating_add(list.ids.len()) > MAX_PRUNED_PER_BLOCK {
            break;
        }
        for id in &list.ids {
            state.delete(&Key::Recorded(*id))?;
        }
        pruned = pruned.saturating_add(list.ids.len());
        state.delete(&Key::PruneList(hour, height))?;
        state.put(&Key::PruneHead(hour), &list.previous)?;
    }
    if hour != begin {
        state.put(&Key::PruneCursor, &hour)?;
    }
    Ok(())
}
