//! The rules for requests and standing offers. Implements [LED-GRT-9] and [LED-GRT-10].

use std::collections::BTreeSet;

use crate::approval;
use crate::asset::{called, check_inherited, named_in_force, usable};
use crate::event::rights::{
    ApproveRequests, DeclineRequests, Exclusivity, GrantRight, OfferStanding, RequestGrant,
    TakeOffer, Terms, WithdrawOffer,
};
use crate::execute::Act;
use crate::grant::{self, Named, over};
use crate::hash::{AssetId, GrantId, OfferId, RequestId};
use crate::reject::{Code, Missing, Refusal, Reject};
use crate::rights::{self, disposes, managed};
use crate::split::Right;
use crate::state::record::{
    AssetRecord, GrantRecord, GrantStatus, OfferRecord, RequestRecord, RequestStatus,
};
use crate::state::{Key, Records, View};
use crate::text::Handle;
use crate::words::word;

/// Weight of putting an act before one more owner.
const INBOX_WEIGHT: u64 = 15;

/// `request_grant`.
pub(crate) fn request(act: &mut Act<'_>, e: &RequestGrant) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    usable(act, &e.asset, &asset)?;
    grant::check_terms(act.context.time_ms, e.right, &e.terms, &[], None)?;
    check_inherited(&asset, &e.terms.purposes, &e.terms.territories)?;
    put_before_deciders(act, &e.asset, &asset, e.right.into())?;
    let id = RequestId::from_digest(*act.event.digest());
    let record = RequestRecord {
        asset: e.asset,
        right: e.right,
        by: act.author.clone(),
        terms: e.terms.clone(),
        status: RequestStatus::Open,
        height: act.context.height,
    };
    act.state.put(&Key::Request(id), &record)?;
    act.effects.created.push(Missing::Request(id));
    Ok(())
}

/// Puts the act before everyone who decides about a right.
pub(crate) fn put_before_deciders(
    act: &mut Act<'_>,
    id: &AssetId,
    asset: &AssetRecord,
    right: Right,
) -> Result<(), Refusal> {
    for member in deciders(act, id, asset, right)? {
        act.weigh(INBOX_WEIGHT)?;
        act.wait_for(&member)?;
    }
    Ok(())
}

/// Who decides about a right: its manager, or where it has a threshold all owners; each once, in
/// order of handle, as who acts for them now.
fn deciders(
    act: &mut Act<'_>,
    id: &AssetId,
    asset: &AssetRecord,
    right: Right,
) -> Result<BTreeSet<Handle>, Refusal> {
    let record = act.state.right(id, asset, right)?;
    let mut deciders = BTreeSet::from([act.acting(&record.manager)?]);
    if record.threshold_parts.is_some() {
        for owner in approval::owners(act, id, asset, right)? {
            deciders.insert(act.acting(&owner.member)?);
        }
    }
    Ok(deciders)
}

/// An open request that an event names.
fn open(act: &Act<'_>, id: &RequestId) -> Result<RequestRecord, Refusal> {
    let found = act.state.get::<RequestRecord>(&Key::Request(*id))?;
    let record = found.ok_or_else(|| {
        let text = format!("request {id} is not recorded");
        Reject::missing(Code::UnknownRequest, Missing::Request(*id), text)
    })?;
    match record.status {
        RequestStatus::Open => Ok(record),
        RequestStatus::Approved | RequestStatus::Declined => {
            let asset = called(act.state, &record.asset)?;
            let (by, status) = (&record.by, word(&record.status));
            let text = format!("{by}'s request about {asset} is {status} already");
            Err(Reject::new(Code::RequestClosed, text).into())
        }
    }
}

fn check_some(requests: &[RequestId]) -> Result<(), Reject> {
    if requests.is_empty() {
        return Err(Reject::new(Code::RequestsEmpty, "no request is named"));
    }
    Ok(())
}

/// `approve_requests`.
pub(crate) fn approve(act: &mut Act<'_>, e: &ApproveRequests) -> Result<(), Refusal> {
    check_some(&e.requests)?;
    let under = Named::read(act, &e.under)?;
    for id in &e.requests {
        let mut request = open(act, id)?;
        let asset = named_in_force(act, &request.asset)?;
        usable(act, &request.asset, &asset)?;
        let right = disposes(act, &request.asset, &asset, request.right.into())?;
        if act.context.time_ms > request.terms.not_after_ms {
            let text = "the term asked for is over";
            return Err(Reject::new(Code::RequestClosed, text).into());
        }
        act.require_not_suspended(&request.by)?;
        let place = (request.asset, request.right);
        grant::check_fits(act, request.right, &request.terms, &asset)?;
        let mut grant = accepted(act, place, right.changes, &request.terms);
        grant.grantee = request.by.clone();
        grant::consent_to_floor(act, &asset, &grant)?;
        if request.right == GrantRight::Operation {
            over(act, act.author, &request.asset, &under)?.check_terms(&request.terms)?;
            grant.under = e.under.to_vec();
        }
        grant::record_accepted(act, &GrantId::from_digest(*id.digest()), &grant)?;
        request.status = RequestStatus::Approved;
        act.state.put(&Key::Request(*id), &request)?;
    }
    Ok(())
}

/// A grant by the author to himself, accepted: others change what differs.
fn accepted(
    act: &Act<'_>,
    (asset, right): (AssetId, GrantRight),
    changes: u32,
    terms: &Terms,
) -> GrantRecord {
    GrantRecord {
        asset,
        right,
        grantor: act.author.clone(),
        changes,
        grantee: act.author.clone(),
        terms: terms.clone(),
        parent: None,
        under: Vec::new(),
        status: GrantStatus::Accepted,
        not_after_ms: terms.not_after_ms,
        revoked_ms: None,
        revoked_by: None,
        file_by_ms: 0,
        used: 0,
        disputes: 0,
        cleared: false,
        signer: act.signer,
        time_ms: act.context.time_ms,
        height: act.context.height,
    }
}

/// `decline_requests`: who asked may, too, and takes it back.
pub(crate) fn decline(act: &mut Act<'_>, e: &DeclineRequests) -> Result<(), Refusal> {
    check_some(&e.requests)?;
    for id in &e.requests {
        let mut request = open(act, id)?;
        let asset = crate::asset::named(act, &request.asset)?;
        if !act.is(&request.by)? {
            managed(act, &request.asset, &asset, request.right.into())?;
        }
        request.status = RequestStatus::Declined;
        act.state.put(&Key::Request(*id), &request)?;
    }
    Ok(())
}

/// `offer_standing`.
pub(crate) fn offer(act: &mut Act<'_>, e: &OfferStanding) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    usable(act, &e.asset, &asset)?;
    let right = disposes(act, &e.asset, &asset, e.right.into())?;
    grant::check_terms(act.context.time_ms, e.right, &e.terms, &e.under, None)?;
    grant::check_fits(act, e.right, &e.terms, &asset)?;
    match e.terms.exclusivity {
        Exclusivity::None => {}
        Exclusivity::Sole | Exclusivity::Exclusive => {
            let text = "a standing offer is neither exclusive nor sole";
            return Err(Reject::new(Code::TermsInvalid, text).into());
        }
    }
    let sample = accepted(act, (e.asset, e.right), right.changes, &e.terms);
    grant::consent_to_floor(act, &asset, &sample)?;
    if e.right == GrantRight::Operation {
        grant::cover(act, act.author, &e.asset, &e.under)?.check_terms(&e.terms)?;
    }
    let id = OfferId::from_digest(*act.event.digest());
    let record = OfferRecord {
        asset: e.asset,
        right: e.right,
        grantor: act.author.clone(),
        changes: right.changes,
        terms: e.terms.clone(),
        under: e.under.to_vec(),
        take_by_ms: e.take_by_ms,
        withdrawn: false,
        taken: 0,
        signer: act.signer,
        time_ms: act.context.time_ms,
        height: act.context.height,
    };
    act.state.put(&Key::Offer(id), &record)?;
    act.effects.created.push(Missing::Offer(id));
    Ok(())
}

/// A standing offer that an event names, not withdrawn.
fn standing(act: &Act<'_>, id: &OfferId) -> Result<OfferRecord, Refusal> {
    let found = act.state.get::<OfferRecord>(&Key::Offer(*id))?;
    let record = found.ok_or_else(|| {
        let text = format!("offer {id} is not recorded");
        Reject::missing(Code::UnknownOffer, Missing::Offer(*id), text)
    })?;
    if record.withdrawn {
        return Err(Reject::new(Code::OfferClosed, "the offer was withdrawn").into());
    }
    Ok(record)
}

/// Whether the author has taken a grant from an offer and cannot take another: he can once he gave
/// it back, unused where the terms count derivations. What was revoked or voided is not taken anew.
fn has_taken(act: &Act<'_>, key: &Key, offer: &OfferRecord) -> Result<bool, Refusal> {
    let Some(id) = act.state.get::<GrantId>(key)? else { return Ok(false) };
    let grant = grant::named(act, &id)?;
    let gave_back = grant.status == GrantStatus::Surrendered && grant.revoked_ms.is_none();
    Ok(!gave_back || offer.terms.max_derivations.is_some() && grant.used > 0)
}

/// `take_offer`.
pub(crate) fn take(act: &mut Act<'_>, e: &TakeOffer) -> Result<(), Refusal> {
    let mut offer = standing(act, &e.offer)?;
    let asset = named_in_force(act, &offer.asset)?;
    usable(act, &offer.asset, &asset)?;
    let taken = Key::TakenBy(e.offer, act.author.clone());
    let right = act.state.right(&offer.asset, &asset, offer.right.into())?;
    let closed = if act.context.time_ms > offer.take_by_ms {
        Some("the time to take the offer is over")
    } else if act.context.time_ms > offer.terms.not_after_ms {
        Some("the term offered is over")
    } else if right.changes != offer.changes {
        Some("who owns the right or acts for it has changed since")
    } else if has_taken(act, &taken, &offer)? {
        Some("the author has had a grant from this offer")
    } else {
        None
    };
    if let Some(text) = closed {
        return Err(Reject::new(Code::OfferClosed, text).into());
    }
    act.require_not_suspended(&offer.grantor)?;
    rights::uncontested(act, &asset, offer.right.into(), &right)?;
    if crate::member::compromised(act.state, &offer.signer, offer.time_ms)? {
        let text = "the key that signed the offer is said to have been in other hands";
        return Err(Reject::new(Code::Contested, text).into());
    }
    if offer.right == GrantRight::Operation {
        grant::cover(act, &offer.grantor, &offer.asset, &offer.under)?.check_terms(&offer.terms)?;
    }
    let id = GrantId::from_digest(*act.event.digest());
    let mut grant = accepted(act, (offer.asset, offer.right), offer.changes, &offer.terms);
    grant.grantor = offer.grantor.clone();
    grant.under = offer.under.clone();
    // What the key of the grantor signed is the offer.
    (grant.signer, grant.time_ms) = (offer.signer, offer.time_ms);
    grant::record_accepted(act, &id, &grant)?;
    offer.taken = offer.taken.saturating_add(1);
    act.state.put(&taken, &id)?;
    Ok(act.state.put(&Key::Offer(e.offer), &offer)?)
}

/// `withdraw_offer`.
pub(crate) fn withdraw(act: &mut Act<'_>, e: &WithdrawOffer) -> Result<(), Refusal> {
    let mut offer = standing(act, &e.offer)?;
    let asset = crate::asset::named(act, &offer.asset)?;
    managed(act, &offer.asset, &asset, offer.right.into())?;
    offer.withdrawn = true;
    Ok(act.state.put(&Key::Offer(e.offer), &offer)?)
}
