//! The payouts of an account.

use serde::{Deserialize, Serialize};

use crate::hash::{AccountId, AssetId, PayoutId};
use crate::query::{Budget, Lists, MAX_ROWS, QueryError};
use crate::reject::Fault;
use crate::split::Right;
use crate::state::record::{PayoutRecord, PayoutStatus};
use crate::state::{Key, Relation};
use crate::text::{Code, Handle};

/// A payout from an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutShown {
    /// Its id.
    pub id: PayoutId,
    /// The asset of the claim.
    pub asset: AssetId,
    /// The right of the claim.
    pub right: Right,
    /// The owner whose line it was paid on.
    pub owner: Handle,
    /// Who was paid: the owner, or his successor.
    pub payee: Handle,
    /// Minor units.
    pub amount: u64,
    /// The bank's reference.
    pub bank_reference: Code,
    /// Where it stands.
    pub status: PayoutStatus,
    /// Height at which it was recorded.
    pub height: u64,
    /// Block time at which it was recorded, milliseconds since 1970.
    pub time_ms: u64,
}

/// All payouts of an account, in the order recorded.
pub(super) fn payouts<V: Lists>(
    view: &V,
    account: &AccountId,
) -> Result<Vec<PayoutShown>, QueryError> {
    let entries = view.entries(&Relation::AccountPayouts(*account))?;
    Budget::new("payouts", MAX_ROWS).take(entries.len())?;
    let ids: Vec<PayoutId> = entries.iter().map(|e| PayoutId::from_digest(e.id)).collect();
    view.prefetch(&ids.iter().map(|id| Key::Payout(*id)).collect::<Vec<_>>())?;
    let shown = |id: PayoutId| {
        let payout: Option<PayoutRecord> = view.get(&Key::Payout(id))?;
        let payout = payout.ok_or_else(|| Fault(format!("payout {id} is not recorded")))?;
        Ok(PayoutShown {
            id,
            asset: payout.asset,
            right: payout.right,
            owner: payout.owner,
            payee: payout.payee,
            amount: payout.amount,
            bank_reference: payout.bank_reference,
            status: payout.status,
            height: payout.height,
            time_ms: payout.time_ms,
        })
    };
    ids.into_iter().map(shown).collect()
}
