//! Disputes that are not final: they can still change what they are about, so that it stays open
//! for them. Implements [LED-DSP-9].

use crate::execute::Act;
use crate::hash::{AccountId, AssetId, DisputeId};
use crate::limits::MAX_APPEALABLE;
use crate::reject::Fault;
use crate::split::Right;
use crate::state::record::{Appealable, Contest};
use crate::state::{Key, View};

/// What becomes of a dispute.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    /// It is opened, and waits for a ruling.
    Opened,
    /// It was ruled on, and can be appealed until this block time; not at all when there is none.
    Ruled(Option<u64>),
    /// Its ruling is appealed: it waits again.
    Appealed,
}

impl Change {
    /// How many disputes wait after it, of so many before.
    pub(crate) fn counted(self, waiting: u32) -> Result<u32, Fault> {
        let after = match self {
            Change::Opened | Change::Appealed => waiting.checked_add(1),
            Change::Ruled(_) => waiting.checked_sub(1),
        };
        after.ok_or_else(|| Fault("fewer disputes wait than none".into()))
    }
}

impl Contest {
    /// The same after a change of a dispute at a block time.
    pub(crate) fn after(
        mut self,
        dispute: &DisputeId,
        change: Change,
        now_ms: u64,
    ) -> Result<Self, Fault> {
        self.waiting = change.counted(self.waiting)?;
        self.appealable.retain(|a| a.dispute != *dispute && now_ms <= a.until_ms);
        match change {
            Change::Opened | Change::Ruled(None) | Change::Appealed => {}
            Change::Ruled(Some(until_ms)) if self.appealable.len() < MAX_APPEALABLE => {
                self.appealable.push(Appealable { dispute: *dispute, until_ms });
            }
            Change::Ruled(Some(until_ms)) => {
                self.others_until_ms = self.others_until_ms.max(until_ms);
            }
        }
        Ok(self)
    }
}

/// Notes a change of a dispute about something of an account.
pub(crate) fn of_account(
    act: &mut Act<'_>,
    id: &AccountId,
    of: (&DisputeId, Change),
) -> Result<(), Fault> {
    note(act, &Key::AccountContest(*id), of)
}

/// Adds the disputes about a contract to those of the account that it is paid into from now on.
pub(crate) fn more_of_account(
    act: &mut Act<'_>,
    id: &AccountId,
    more: &Contest,
) -> Result<(), Fault> {
    if *more == Contest::default() {
        return Ok(());
    }
    let key = Key::AccountContest(*id);
    let contest: Contest = act.state.get(&key)?.unwrap_or_default();
    let waiting = contest.waiting.saturating_add(more.waiting);
    let others_until_ms = contest.others_until_ms.max(more.appeal_until_ms());
    act.state.put(&key, &Contest { waiting, others_until_ms, ..contest })
}

/// Notes a change of a dispute about a share of a right.
pub(crate) fn of_share(
    act: &mut Act<'_>,
    (asset, right): (&AssetId, Right),
    of: (&DisputeId, Change),
) -> Result<(), Fault> {
    note(act, &Key::ShareContest(*asset, right), of)
}

fn note(
    act: &mut Act<'_>,
    key: &Key,
    (dispute, change): (&DisputeId, Change),
) -> Result<(), Fault> {
    let contest: Contest = act.state.get(key)?.unwrap_or_default();
    act.state.put(key, &contest.after(dispute, change, act.context.time_ms)?)
}
