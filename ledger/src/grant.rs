//! The rules for grants: offer and answer. Implements [LED-GRT-1] and [LED-GRT-2].

mod change;
mod check;
mod cover;
mod in_force;
mod parent;
mod standing;
mod terms;

pub(crate) use change::{consent_filing, renew, revoke, ruled, surrender};
pub(crate) use check::{Use, allows, ancestors, by_right, count_derivation};
pub(crate) use cover::{Cover, Named, cover, narrow, over};
pub(crate) use in_force::{Intent, check_void, conflict, not_reserved, places};
pub(crate) use standing::{Standing, standing};
pub(crate) use terms::{check as check_terms, check_fits};

use crate::approval::floor_consent;
use crate::asset::{self, named_in_force, usable};
use crate::event::rights::{AcceptGrant, DeclineGrant, GrantRight, OfferGrant};
use crate::execute::Act;
use crate::hash::GrantId;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::rights::{self, disposes};
use crate::split::Right;
use crate::state::record::{AssetRecord, GrantRecord, GrantStatus};
use crate::state::{Key, Records, Relation, View};
use crate::words::{moment, word};

/// `offer_grant`.
pub(crate) fn offer(act: &mut Act<'_>, e: &OfferGrant) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    usable(act, &e.asset, &asset)?;
    let parent = match &e.parent {
        Some(parent) => Some(parent::held(act, parent, &e.asset, e.right)?),
        None => {
            disposes(act, &e.asset, &asset, e.right.into())?;
            None
        }
    };
    let changes = act.state.right(&e.asset, &asset, e.right.into())?.changes;
    act.named_member(&e.grantee)?;
    terms::check(act.context.time_ms, e.right, &e.terms, &e.under, e.parent.as_ref())?;
    match &parent {
        Some(parent) => parent.check_terms(&e.terms)?,
        None => check_fits(act, e.right, &e.terms, &asset)?,
    }
    let record = GrantRecord {
        asset: e.asset,
        right: e.right,
        grantor: act.author.clone(),
        changes,
        grantee: e.grantee.clone(),
        terms: e.terms.clone(),
        parent: e.parent,
        under: e.under.to_vec(),
        status: GrantStatus::Offered,
        not_after_ms: e.terms.not_after_ms,
        revoked_ms: None,
        revoked_by: None,
        file_by_ms: 0,
        used: 0,
        disputes: 0,
        cleared: false,
        signer: act.signer,
        time_ms: act.context.time_ms,
        height: act.context.height,
    };
    if parent.is_none_or(|p| !parent::has_floor_of(p.terms(), &e.terms)) {
        consent_to_floor(act, &asset, &record)?;
    }
    if e.right == GrantRight::Operation && e.parent.is_none() {
        cover(act, act.author, &e.asset, &e.under)?.check_terms(&e.terms)?;
    }
    in_force::check(act, None, &record)?;
    let id = GrantId::from_digest(*act.event.digest());
    act.wait_for(&e.grantee)?;
    record_new(act, &id, &record)
}

/// Fails unless the owners of the right granted have approved the floor of a new grant.
pub(crate) fn consent_to_floor(
    act: &mut Act<'_>,
    asset: &AssetRecord,
    grant: &GrantRecord,
) -> Result<(), Refusal> {
    match grant.right {
        GrantRight::Processing if grant.terms.floor_bp > 0 => {
            floor_consent(act, &grant.asset, asset)
        }
        GrantRight::Processing | GrantRight::Operation => Ok(()),
    }
}

/// Nobody grants anything to himself, as both act now.
fn between_two(act: &Act<'_>, grant: &GrantRecord) -> Result<(), Refusal> {
    if act.same(&grant.grantor, &grant.grantee)? {
        let text = format!("{} would grant it to itself", grant.grantor);
        return Err(Reject::new(Code::TermsInvalid, text).into());
    }
    Ok(())
}

/// Records a grant, with its places in the lists. Implements [LED-GRT-1].
fn record_new(act: &mut Act<'_>, id: &GrantId, grant: &GrantRecord) -> Result<(), Refusal> {
    between_two(act, grant)?;
    act.state.put(&Key::Grant(*id), grant)?;
    act.append(Relation::AssetGrants(grant.asset), id.digest())?;
    act.append(Relation::MemberGrants(grant.grantor.clone()), id.digest())?;
    act.append(Relation::MemberGrants(grant.grantee.clone()), id.digest())?;
    act.effects.created.push(Missing::Grant(*id));
    Ok(())
}

/// Records a grant that is accepted from the beginning.
pub(crate) fn record_accepted(
    act: &mut Act<'_>,
    id: &GrantId,
    grant: &GrantRecord,
) -> Result<(), Refusal> {
    in_force::add(act, id, grant)?;
    record_new(act, id, grant)
}

/// A grant that an event names.
pub(crate) fn named(act: &Act<'_>, id: &GrantId) -> Result<GrantRecord, Refusal> {
    Ok(act.state.grant(id)?.ok_or_else(|| {
        Reject::missing(
            Code::UnknownGrant,
            Missing::Grant(*id),
            format!("grant {id} is not recorded"),
        )
    })?)
}

/// How a grant is called in a refusal: by whom, to whom, over what.
pub(crate) fn called<V: View>(view: &V, id: &GrantId) -> Result<String, Fault> {
    let Some(grant) = view.grant(id)? else { return Ok(format!("grant {id}")) };
    let asset = asset::called(view, &grant.asset)?;
    Ok(format!("the grant of {} to {} on {asset}", grant.grantor, grant.grantee))
}

/// A refusal because a grant is not in the state that the act needs.
fn closed(grant: &GrantRecord) -> Refusal {
    let text = match grant.revoked_ms {
        Some(at) if grant.status == GrantStatus::Accepted => {
            let (at, end) = (moment(at), moment(grant.not_after_ms));
            format!("the grant was revoked at {at} and ends at {end}")
        }
        Some(_) | None => {
            format!(
                "the grant is {}, its end is {}",
                word(&grant.status),
                moment(grant.not_after_ms)
            )
        }
    };
    Reject::new(Code::GrantClosed, text).into()
}

fn require_grantee(act: &Act<'_>, grant: &GrantRecord) -> Result<(), Refusal> {
    if act.is(&grant.grantee)? {
        return Ok(());
    }
    let text = format!("the grant is offered to {}", grant.grantee);
    Err(Reject::new(Code::NotGrantee, text).into())
}

/// An offered grant that its grantee answers.
fn answered(act: &Act<'_>, id: &GrantId) -> Result<GrantRecord, Refusal> {
    let grant = named(act, id)?;
    require_grantee(act, &grant)?;
    if grant.status != GrantStatus::Offered {
        return Err(closed(&grant));
    }
    Ok(grant)
}

/// Whether an offered grant has lapsed: the right has changed since. One that sub-licenses another
/// stands with that instead.
pub(crate) fn lapsed<V: View>(view: &V, grant: &GrantRecord) -> Result<bool, Fault> {
    if grant.parent.is_some() {
        return Ok(false);
    }
    let missing = || Fault(format!("asset {} of a grant is missing", grant.asset));
    let asset = view.asset(&grant.asset)?.ok_or_else(missing)?;
    Ok(view.right(&grant.asset, &asset, grant.right.into())?.changes != grant.changes)
}

/// `accept_grant`.
pub(crate) fn accept(act: &mut Act<'_>, e: &AcceptGrant) -> Result<(), Refusal> {
    let mut grant = answered(act, &e.grant)?;
    let asset = named_in_force(act, &grant.asset)?;
    usable(act, &grant.asset, &asset)?;
    if act.context.time_ms > grant.not_after_ms {
        return Err(closed(&grant));
    }
    if lapsed(act.state, &grant)? {
        let text = "who owns the right or acts for it has changed since the grant was offered";
        return Err(Reject::new(Code::GrantClosed, text).into());
    }
    act.require_not_suspended(&grant.grantor)?;
    between_two(act, &grant)?;
    check::uncontested(act, &grant)?;
    if grant.parent.is_none() {
        let right: Right = grant.right.into();
        let record = act.state.right(&grant.asset, &asset, right)?;
        rights::uncontested(act, &asset, right, &record)?;
    }
    parent::require_effective(act, &grant)?;
    grant.status = GrantStatus::Accepted;
    in_force::add(act, &e.grant, &grant)?;
    Ok(act.state.put(&Key::Grant(e.grant), &grant)?)
}

/// `decline_grant`.
pub(crate) fn decline(act: &mut Act<'_>, e: &DeclineGrant) -> Result<(), Refusal> {
    let mut grant = answered(act, &e.grant)?;
    grant.status = GrantStatus::Declined;
    Ok(act.state.put(&Key::Grant(e.grant), &grant)?)
}
