//! The set-offs of an account.

use serde::{Deserialize, Serialize};

use crate::hash::{AccountId, SetOffId};
use crate::query::{Budget, Lists, MAX_ROWS, QueryError};
use crate::reject::Fault;
use crate::state::record::{OwnerLine, SetOffRecord};
use crate::state::{Key, Relation};

/// What was payable on a line of an account, set off against what was overpaid on another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetOffShown {
    /// Its id.
    pub id: SetOffId,
    /// The line on which it was payable.
    pub from: OwnerLine,
    /// The line that was overpaid.
    pub to: OwnerLine,
    /// Minor units.
    pub amount: u64,
    /// Height at which it was recorded.
    pub height: u64,
    /// Block time at which it was recorded, milliseconds since 1970.
    pub time_ms: u64,
}

/// All set-offs of an account, in the order recorded.
pub(in crate::query) fn set_offs<V: Lists>(
    view: &V,
    account: &AccountId,
) -> Result<Vec<SetOffShown>, QueryError> {
    let entries = view.entries(&Relation::AccountSetOffs(*account))?;
    Budget::new("set-offs", MAX_ROWS).take(entries.len())?;
    let ids: Vec<SetOffId> = entries.iter().map(|e| SetOffId::from_digest(e.id)).collect();
    view.prefetch(&ids.iter().map(|id| Key::SetOff(*id)).collect::<Vec<_>>())?;
    let shown = |id: SetOffId| {
        let record: Option<SetOffRecord> = view.get(&Key::SetOff(id))?;
        let record = record.ok_or_else(|| Fault(format!("set-off {id} is not recorded")))?;
        let SetOffRecord { from, to, amount, height, time_ms, .. } = record;
        Ok(SetOffShown { id, from, to, amount, height, time_ms })
    };
    ids.into_iter().map(shown).collect()
}
