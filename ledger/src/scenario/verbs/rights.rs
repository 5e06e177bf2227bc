//! Acts about rights: transfers, grants, requests and offers.

use super::asset::PURPOSES;
use crate::event::rights::Terms;
use crate::event::{
    AcceptGrant, AcceptTransfer, ApproveAct, ApproveRequests, ConsentFiling, DeclineGrant,
    DeclineRequests, OfferGrant, OfferStanding, RenewGrant, RequestGrant, RevokeGrant,
    SurrenderGrant, TakeOffer, TransferRight, WithdrawOffer,
};
use crate::hash::{GrantId, OfferId, RequestId, TransferId};
use crate::limits::{MAX_ANSWERS, MAX_CHOICES, MAX_INPUTS, MAX_OWNERS};
use crate::scenario::form::{Form, Wrong};
use crate::scenario::kind::choice::{
    ExclusivityWord, FloorWord, Grantable, PurposeWord, RevocationMode, Right,
};
use crate::scenario::kind::compound::Owner;
use crate::scenario::kind::number::{Count8, Count32, Part};
use crate::scenario::kind::reference::{Asset, Hash, Member, Ref};
use crate::scenario::kind::time::{Span, Time};
use crate::scenario::kind::{Flag, Many, Maybe, Word};

type Grants = Many<Ref<GrantId>, MAX_INPUTS>;
type Requests = Many<Ref<RequestId>, MAX_ANSWERS>;

pub(super) fn transfer_right(
    f: &mut Form<'_>,
    e: Option<&TransferRight>,
) -> Result<TransferRight, Wrong> {
    let right = f.first::<Right>("the right", e.map(|e| &e.right))?;
    let asset = f.clause::<Asset>("of|over", e.map(|e| &e.asset), "")?;
    let owners = f.clause::<Many<Owner, MAX_OWNERS>>("to", e.map(|e| &e.owners), "")?;
    let first = owners.first().map(|o| o.member.clone());
    Ok(TransferRight {
        manager: f.clause_or::<Member>(
            "manager",
            e.map(|e| &e.manager),
            "the first owner",
            |c| Ok(first.unwrap_or_else(|| c.author.clone())),
        )?,
        threshold_parts: f.clause::<Maybe<Part>>(
            "threshold",
            e.map(|e| &e.threshold_parts),
            "none",
        )?,
        right,
        asset,
        owners,
    })
}

pub(super) fn accept_transfer(
    f: &mut Form<'_>,
    e: Option<&AcceptTransfer>,
) -> Result<AcceptTransfer, Wrong> {
    let old = e.map(|e| &e.transfer);
    Ok(AcceptTransfer { transfer: f.first::<Ref<TransferId>>("the transfer", old)? })
}

pub(super) fn approve_act(f: &mut Form<'_>, e: Option<&ApproveAct>) -> Result<ApproveAct, Wrong> {
    Ok(ApproveAct {
        act: f.first::<Hash>("the act", e.map(|e| &e.act))?,
        asset: f.clause::<Asset>("about", e.map(|e| &e.asset), "")?,
    })
}

/// The terms of a grant.
fn terms(f: &mut Form<'_>, e: Option<&Terms>) -> Result<Terms, Wrong> {
    Ok(Terms {
        purposes: f.clause::<Many<PurposeWord, MAX_CHOICES>>(
            "for|purposes",
            e.map(|e| &e.purposes),
            PURPOSES,
        )?,
        territories: f.clause::<Many<Word, MAX_CHOICES>>(
            "in|territories|territory",
            e.map(|e| &e.territories),
            "CN",
        )?,
        not_before_ms: f.clause::<Time>("from", e.map(|e| &e.not_before_ms), "start")?,
        not_after_ms: f.clause::<Time>("until", e.map(|e| &e.not_after_ms), "start+365d")?,
        sublicence_depth: f.clause::<Count8>(
            "depth|sublicence-depth",
            e.map(|e| &e.sublicence_depth),
            "0",
        )?,
        max_derivations: f.clause::<Maybe<Count32>>(
            "derivations|max-derivations",
            e.map(|e| &e.max_derivations),
            "none",
        )?,
        future_versions: f.clause::<Flag>(
            "future-versions",
            e.map(|e| &e.future_versions),
            "no",
        )?,
        floor_bp: f.clause::<Part>("floor|floor-bp", e.map(|e| &e.floor_bp), "0%")?,
        floor_kind: f.clause::<FloorWord>("floor-kind", e.map(|e| &e.floor_kind), "absolute")?,
        filing_window_ms: f.clause::<Span>(
            "filing-window",
            e.map(|e| &e.filing_window_ms),
            "0d",
        )?,
        exclusivity: f.clause::<ExclusivityWord>(
            "exclusivity",
            e.map(|e| &e.exclusivity),
            "none",
        )?,
        revocation: f.clause::<RevocationMode>(
            "revocation|on-revocation",
            e.map(|e| &e.revocation),
            "prospective",
        )?,
    })
}

pub(super) fn offer_grant(f: &mut Form<'_>, e: Option<&OfferGrant>) -> Result<OfferGrant, Wrong> {
    Ok(OfferGrant {
        right: f.first::<Grantable>("the right", e.map(|e| &e.right))?,
        asset: f.clause::<Asset>("of|over|on", e.map(|e| &e.asset), "")?,
        grantee: f.clause::<Member>("to", e.map(|e| &e.grantee), "")?,
        terms: terms(f, e.map(|e| &e.terms))?,
        under: f.clause::<Grants>("under", e.map(|e| &e.under), "none")?,
        parent: f.clause::<Maybe<Ref<GrantId>>>(
            "sublicensing|parent",
            e.map(|e| &e.parent),
            "none",
        )?,
    })
}

/// The grant an act is about.
fn grant(f: &mut Form<'_>, old: Option<&GrantId>) -> Result<GrantId, Wrong> {
    f.first::<Ref<GrantId>>("the grant", old)
}

pub(super) fn accept_grant(
    f: &mut Form<'_>,
    e: Option<&AcceptGrant>,
) -> Result<AcceptGrant, Wrong> {
    Ok(AcceptGrant { grant: grant(f, e.map(|e| &e.grant))? })
}

pub(super) fn decline_grant(
    f: &mut Form<'_>,
    e: Option<&DeclineGrant>,
) -> Result<DeclineGrant, Wrong> {
    Ok(DeclineGrant { grant: grant(f, e.map(|e| &e.grant))? })
}

pub(super) fn revoke_grant(
    f: &mut Form<'_>,
    e: Option<&RevokeGrant>,
) -> Result<RevokeGrant, Wrong> {
    Ok(RevokeGrant { grant: grant(f, e.map(|e| &e.grant))? })
}

pub(super) fn surrender_grant(
    f: &mut Form<'_>,
    e: Option<&SurrenderGrant>,
) -> Result<SurrenderGrant, Wrong> {
    Ok(SurrenderGrant { grant: grant(f, e.map(|e| &e.grant))? })
}

pub(super) fn renew_grant(f: &mut Form<'_>, e: Option<&RenewGrant>) -> Result<RenewGrant, Wrong> {
    Ok(RenewGrant {
        grant: grant(f, e.map(|e| &e.grant))?,
        not_after_ms: f.clause::<Time>("until|to", e.map(|e| &e.not_after_ms), "")?,
    })
}

pub(super) fn consent_filing(
    f: &mut Form<'_>,
    e: Option<&ConsentFiling>,
) -> Result<ConsentFiling, Wrong> {
    Ok(ConsentFiling {
        grant: grant(f, e.map(|e| &e.grant))?,
        file_by_ms: f.clause::<Time>("until|by", e.map(|e| &e.file_by_ms), "")?,
    })
}

pub(super) fn request_grant(
    f: &mut Form<'_>,
    e: Option<&RequestGrant>,
) -> Result<RequestGrant, Wrong> {
    Ok(RequestGrant {
        right: f.first::<Grantable>("the right", e.map(|e| &e.right))?,
        asset: f.clause::<Asset>("of|over|on", e.map(|e| &e.asset), "")?,
        terms: terms(f, e.map(|e| &e.terms))?,
    })
}

pub(super) fn approve_requests(
    f: &mut Form<'_>,
    e: Option<&ApproveRequests>,
) -> Result<ApproveRequests, Wrong> {
    Ok(ApproveRequests {
        requests: f.first::<Requests>("the requests", e.map(|e| &e.requests))?,
        under: f.clause::<Grants>("under", e.map(|e| &e.under), "none")?,
    })
}

pub(super) fn decline_requests(
    f: &mut Form<'_>,
    e: Option<&DeclineRequests>,
) -> Result<DeclineRequests, Wrong> {
    Ok(DeclineRequests { requests: f.first::<Requests>("the requests", e.map(|e| &e.requests))? })
}

pub(super) fn offer_standing(
    f: &mut Form<'_>,
    e: Option<&OfferStanding>,
) -> Result<OfferStanding, Wrong> {
    Ok(OfferStanding {
        right: f.first::<Grantable>("the right", e.map(|e| &e.right))?,
        asset: f.clause::<Asset>("of|over|on", e.map(|e| &e.asset), "")?,
        terms: terms(f, e.map(|e| &e.terms))?,
        take_by_ms: f.clause::<Time>("take-by|taken-by", e.map(|e| &e.take_by_ms), "start+365d")?,
        under: f.clause::<Grants>("under", e.map(|e| &e.under), "none")?,
    })
}

pub(super) fn take_offer(f: &mut Form<'_>, e: Option<&TakeOffer>) -> Result<TakeOffer, Wrong> {
    Ok(TakeOffer { offer: f.first::<Ref<OfferId>>("the offer", e.map(|e| &e.offer))? })
}

pub(super) fn withdraw_offer(
    f: &mut Form<'_>,
    e: Option<&WithdrawOffer>,
) -> Result<WithdrawOffer, Wrong> {
    Ok(WithdrawOffer { offer: f.first::<Ref<OfferId>>("the offer", e.map(|e| &e.offer))? })
}
