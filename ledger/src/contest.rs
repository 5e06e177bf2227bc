//! Disputes that are not final: they can still change what they are about, so that it stays open
//! for them. Implements [LED-DSP-9].

use crate::execute::Act;
use crate::hash::{AccountId, AssetId};
use crate::reject::Fault;
use crate::split::Right;
use crate::state::record::Contest;
use crate::state::{Key, View};

/// What becomes of a dispute.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    /// It waits for a ruling.
    Waits,
    /// It was ruled on, and can be appealed until this block time; not at all when there is none.
    Ruled(Option<u64>),
}

impl Change {
    /// What the number of disputes that wait changes by.
    pub(crate) fn of_waiting(self) -> i32 {
        match self {
            Change::Waits => 1,
            Change::Ruled(_) => -1,
        }
    }
}

impl Contest {
    /// The same after a change of one dispute.
    pub(crate) fn after(mut self, change: Change) -> Result<Self, Fault> {
        let waiting = self.waiting.checked_add_signed(change.of_waiting());
        self.waiting = waiting.ok_or_else(|| Fault("fewer disputes wait than none".into()))?;
        if let Change::Ruled(Some(until_ms)) = change {
            self.appeal_until_ms = self.appeal_until_ms.max(until_ms);
        }
        Ok(self)
    }
}

/// Notes a change of a dispute about something of an account.
pub(crate) fn of_account(act: &mut Act<'_>, id: &AccountId, change: Change) -> Result<(), Fault> {
    note(act, &Key::AccountContest(*id), change)
}

/// Adds so many disputes that wait for a ruling about something of an account.
pub(crate) fn more_of_account(act: &mut Act<'_>, id: &AccountId, more: u32) -> Result<(), Fault> {
    if more == 0 {
        return Ok(());
    }
    let key = Key::AccountContest(*id);
    let contest: Contest = act.state.get(&key)?.unwrap_or_default();
    let waiting = contest.waiting.saturating_add(more);
    act.state.put(&key, &Contest { waiting, ..contest })
}

/// Notes a change of a dispute about a share of a right.
pub(crate) fn of_share(
    act: &mut Act<'_>,
    (asset, right): (&AssetId, Right),
    change: Change,
) -> Result<(), Fault> {
    note(act, &Key::ShareContest(*asset, right), change)
}

fn note(act: &mut Act<'_>, key: &Key, change: Change) -> Result<(), Fault> {
    let contest: Contest = act.state.get(key)?.unwrap_or_default();
    act.state.put(key, &contest.after(change)?)
}
