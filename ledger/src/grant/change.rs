//! What becomes of a grant: revocation, renewal, surrender, late filing. Implements [LED-GRT-3],
//! [LED-GRT-8] and [LED-GRT-11] to [LED-GRT-13].

use super::cover::cover;
use super::parent::has_floor_of;
use super::{closed, consent_to_floor, in_force, named, parent, require_grantee};
use crate::asset::{named_in_force, usable};
use crate::event::rights::{
    ConsentFiling, GrantRight, RenewGrant, Revocation, RevokeGrant, SurrenderGrant,
};
use crate::execute::Act;
use crate::hash::GrantId;
use crate::reject::{Code, Refusal, Reject};
use crate::rights::disposes;
use crate::state::Key;
use crate::state::record::{GrantRecord, GrantStatus};
use crate::watch;
use crate::words::moment;

/// Fails unless the author is the grantor: he acts for the right now, or holds the grant that this
/// one sub-licenses.
fn require_grantor(act: &mut Act<'_>, grant: &GrantRecord) -> Result<(), Refusal> {
    if let Some(above) = &grant.parent {
        let holder = named(act, above)?.grantee;
        if act.is(&holder)? {
            return Ok(());
        }
        let text = format!("the grant above is held by {holder}");
        return Err(Reject::new(Code::NotGrantor, text).into());
    }
    let asset = crate::asset::named(act, &grant.asset)?;
    let acts = disposes(act, &grant.asset, &asset, grant.right.into());
    acts.map(|_| ()).map_err(|refusal| match refusal {
        Refusal::Reject(r) if r.code == Code::NotRightManager => {
            Reject::new(Code::NotGrantor, r.message).into()
        }
        Refusal::Reject(_) | Refusal::Fault(_) => refusal,
    })
}

/// `revoke_grant`.
pub(crate) fn revoke(act: &mut Act<'_>, e: &RevokeGrant) -> Result<(), Refusal> {
    let mut grant = named(act, &e.grant)?;
    require_grantor(act, &grant)?;
    let now = act.context.time_ms;
    match grant.status {
        GrantStatus::Offered => {
            grant.status = GrantStatus::Withdrawn;
            return Ok(act.state.put(&Key::Grant(e.grant), &grant)?);
        }
        // What is over is over, but for what its end was agreed to suspend.
        GrantStatus::Accepted
            if grant.revoked_ms.is_none()
                && (now <= grant.not_after_ms || watch::suspends(&grant.terms)) => {}
        // Giving a grant back does not keep what was made under it from being suspended, nor does
        // a revocation that a stolen key has signed.
        GrantStatus::Surrendered if watch::suspends(&grant.terms) => {}
        GrantStatus::Revoked if watch::has_fallen(act.state, &grant)? => {}
        GrantStatus::Accepted
        | GrantStatus::Declined
        | GrantStatus::Revoked
        | GrantStatus::Surrendered
        | GrantStatus::Voided
        | GrantStatus::Withdrawn => return Err(closed(&grant)),
    }
    let end = match grant.terms.revocation {
        Revocation::Prospective | Revocation::SuspendDownstream => {
            grant.status = GrantStatus::Revoked;
            now
        }
        Revocation::Sunset(ms) => now.saturating_add(ms),
    };
    (grant.revoked_ms, grant.revoked_by) = (Some(now), Some(act.signer));
    grant.not_after_ms = grant.not_after_ms.min(end);
    end_entry(act, &e.grant, &grant)
}

/// Stores a grant and what its entry among those in force becomes.
fn end_entry(act: &mut Act<'_>, id: &GrantId, grant: &GrantRecord) -> Result<(), Refusal> {
    in_force::update(act, id, grant, None)?;
    Ok(act.state.put(&Key::Grant(*id), grant)?)
}

/// `renew_grant`.
pub(crate) fn renew(act: &mut Act<'_>, e: &RenewGrant) -> Result<(), Refusal> {
    let mut grant = named(act, &e.grant)?;
    require_grantor(act, &grant)?;
    let asset = named_in_force(act, &grant.asset)?;
    usable(act, &grant.asset, &asset)?;
    let ended = act.context.time_ms > grant.not_after_ms;
    if grant.status != GrantStatus::Accepted || grant.revoked_ms.is_some() || ended {
        return Err(closed(&grant));
    }
    if e.not_after_ms <= grant.not_after_ms {
        let text = format!("the grant ends at {} already", moment(grant.not_after_ms));
        return Err(Reject::new(Code::RenewalNotLater, text).into());
    }
    if e.not_after_ms > parent::require_effective(act, &grant)? {
        let text = "the term goes beyond the grant it sub-licenses";
        return Err(Reject::new(Code::TermBeyondParent, text).into());
    }
    grant.not_after_ms = e.not_after_ms;
    (grant.signer, grant.time_ms, grant.cleared) = (act.signer, act.context.time_ms, false);
    let same_floor = match &grant.parent {
        Some(above) => has_floor_of(&named(act, above)?.terms, &grant.terms),
        None => false,
    };
    if !same_floor {
        consent_to_floor(act, &asset, &grant)?;
    }
    if grant.right == GrantRight::Operation && grant.parent.is_none() {
        let mut terms = grant.terms.clone();
        terms.not_after_ms = e.not_after_ms;
        cover(act, act.author, &grant.asset, &grant.under)?.check_terms(&terms)?;
    }
    in_force::check(act, Some(&e.grant), &grant)?;
    end_entry(act, &e.grant, &grant)
}

/// `surrender_grant`.
pub(crate) fn surrender(act: &mut Act<'_>, e: &SurrenderGrant) -> Result<(), Refusal> {
    let mut grant = named(act, &e.grant)?;
    require_grantee(act, &grant)?;
    if grant.status != GrantStatus::Accepted || act.context.time_ms > grant.not_after_ms {
        return Err(closed(&grant));
    }
    grant.status = GrantStatus::Surrendered;
    grant.not_after_ms = act.context.time_ms;
    end_entry(act, &e.grant, &grant)
}

/// `consent_filing`.
pub(crate) fn consent_filing(act: &mut Act<'_>, e: &ConsentFiling) -> Result<(), Refusal> {
    let mut grant = named(act, &e.grant)?;
    require_grantor(act, &grant)?;
    let stands = match grant.status {
        GrantStatus::Accepted | GrantStatus::Revoked => grant.revoked_ms.is_some(),
        GrantStatus::Offered
        | GrantStatus::Declined
        | GrantStatus::Surrendered
        | GrantStatus::Voided
        | GrantStatus::Withdrawn => false,
    };
    if !stands {
        let text = "the grant was not revoked while it was accepted";
        return Err(Reject::new(Code::GrantNotRevoked, text).into());
    }
    grant.file_by_ms = e.file_by_ms;
    Ok(act.state.put(&Key::Grant(e.grant), &grant)?)
}

/// A ruling has voided a grant, which can be undone until a block time, or put it back to where it
/// stood: its place was kept. Implements [LED-GRT-7].
pub(crate) fn ruled(
    act: &mut Act<'_>,
    id: &GrantId,
    grant: &GrantRecord,
    until_ms: u64,
) -> Result<(), Refusal> {
    let void_until_ms = (grant.status == GrantStatus::Voided).then_some(until_ms);
    in_force::update(act, id, grant, void_until_ms)?;
    Ok(act.state.put(&Key::Grant(*id), grant)?)
}
