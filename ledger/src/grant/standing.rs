//! Where a grant stands, told in a word: what the rules would make of it now.

use std::collections::BTreeSet;

use super::lapsed;
use crate::asset::serves;
use crate::hash::GrantId;
use crate::member::compromised;
use crate::reject::{Fault, Refusal};
use crate::state::View;
use crate::state::record::{GrantRecord, GrantStatus, Records};

/// Where a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Waits for its grantee.
    Offered,
    /// Offered, and cannot be accepted any more.
    Lapsed,
    /// Declined by its grantee.
    Declined,
    /// Ended by its grantor, by a revocation with a sunset too once that is over.
    Revoked,
    /// Given back.
    Surrendered,
    /// Void by a ruling.
    Voided,
    /// Taken back before it was answered.
    Withdrawn,
    /// Signed with a key that was in other hands.
    Contested,
    /// Its asset is void.
    Void,
    /// Its asset serves for nothing new.
    Suspended,
    /// A grant above it, or one that it rests on, gives nothing.
    EndedAbove,
    /// Its term has not begun.
    NotYet,
    /// Revoked with a sunset, which is still to come.
    Ending,
    /// In force.
    InForce,
    /// Its term is over.
    Expired,
}

/// Where a grant stands at a block time, with all that it depends on.
pub(crate) fn standing<V: View>(
    view: &V,
    grant: &GrantRecord,
    now_ms: u64,
) -> Result<Standing, Fault> {
    let own = alone(view, grant, now_ms)?;
    let gives = |is| matches!(is, Standing::InForce | Standing::Ending | Standing::NotYet);
    if !gives(own) {
        return Ok(own);
    }
    let mut open: Vec<GrantId> = grant.under.iter().chain(&grant.parent).copied().collect();
    let mut looked = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !looked.insert(id) {
            continue;
        }
        let missing = || Fault(format!("grant {id} is missing"));
        let other = view.grant(&id)?.ok_or_else(missing)?;
        if !gives(alone(view, &other, now_ms)?) {
            return Ok(Standing::EndedAbove);
        }
        open.extend(other.under.iter().chain(&other.parent));
    }
    let missing = || Fault(format!("asset {} of a grant is missing", grant.asset));
    let asset = view.asset(&grant.asset)?.ok_or_else(missing)?;
    if asset.void {
        return Ok(Standing::Void);
    }
    match serves(view, now_ms, &grant.asset, &asset, &mut 0) {
        Ok(()) => Ok(own),
        Err(Refusal::Reject(_)) => Ok(Standing::Suspended),
        Err(Refusal::Fault(fault)) => Err(fault),
    }
}

/// Where a grant stands as far as it is up to itself.
fn alone<V: View>(view: &V, grant: &GrantRecord, now_ms: u64) -> Result<Standing, Fault> {
    let over = now_ms > grant.not_after_ms;
    let foreign = || -> Result<bool, Fault> {
        Ok(!grant.cleared && compromised(view, &grant.signer, grant.time_ms)?)
    };
    Ok(match grant.status {
        GrantStatus::Offered if over || lapsed(view, grant)? => Standing::Lapsed,
        GrantStatus::Offered => Standing::Offered,
        GrantStatus::Declined => Standing::Declined,
        GrantStatus::Revoked => Standing::Revoked,
        GrantStatus::Surrendered => Standing::Surrendered,
        GrantStatus::Voided => Standing::Voided,
        GrantStatus::Withdrawn => Standing::Withdrawn,
        GrantStatus::Accepted if over && grant.revoked_ms.is_some() => Standing::Revoked,
        GrantStatus::Accepted if over => Standing::Expired,
        GrantStatus::Accepted if foreign()? => Standing::Contested,
        GrantStatus::Accepted if now_ms < grant.terms.not_before_ms => Standing::NotYet,
        GrantStatus::Accepted if grant.revoked_ms.is_some() => Standing::Ending,
        GrantStatus::Accepted => Standing::InForce,
    })
}
