//! Which asset an act is about, for acts that owners of a right approve ahead. This is the client's
//! one list of all events: whoever adds one decides here whether owners act by it.

use headwater_ledger::event::Event;
use headwater_ledger::hash::{AssetId, Digest};
use headwater_ledger::query::{self, Object, QueryError};
use headwater_ledger::state::View;

/// What an act of a right's owners names: its asset, or an object that is about one.
enum Subject {
    Asset(AssetId),
    Object(Digest),
}

/// The asset of an act of a right's owners; `None` for acts that no owner does as an owner.
pub fn asset_of<V: View>(view: &V, event: &Event) -> Result<Option<AssetId>, QueryError> {
    let id = match subject(event) {
        None => return Ok(None),
        Some(Subject::Asset(asset)) => return Ok(Some(asset)),
        Some(Subject::Object(id)) => id,
    };
    let object = query::object(view, &id)?;
    let object = object.ok_or_else(|| QueryError::Unknown(id.to_string()))?;
    Ok(match object {
        Object::Grant(_, grant) => Some(grant.asset),
        Object::Request(_, request) => Some(request.asset),
        Object::Offer(_, offer) => Some(offer.asset),
        Object::Access(_, access) => Some(access.asset),
        Object::Registration(_, registration) => Some(registration.asset),
        Object::Listing(_, listing) => Some(listing.asset),
        Object::Contract(_, contract) => Some(contract.asset),
        Object::Asset(..)
        | Object::Transfer(..)
        | Object::Payment(..)
        | Object::Account(..)
        | Object::Payout(..)
        | Object::SetOff(..)
        | Object::Certificate(..)
        | Object::Aggregate(..)
        | Object::Dispute(..)
        | Object::Succession(..)
        | Object::Change(..) => None,
    })
}

/// What an event names, where owners of a right do it as its owners.
fn subject(event: &Event) -> Option<Subject> {
    let asset = |id: &AssetId| Some(Subject::Asset(*id));
    let object = |id: &Digest| Some(Subject::Object(*id));
    match event {
        Event::TransferRight(e) => asset(&e.asset),
        Event::OfferGrant(e) => asset(&e.asset),
        Event::OfferStanding(e) => asset(&e.asset),
        Event::RegisterAsset(e) => e.revises.as_ref().and_then(asset),
        Event::ListProduct(e) => asset(&e.asset),
        Event::FileRegistration(e) => asset(&e.asset),
        Event::RevokeGrant(e) => object(e.grant.digest()),
        Event::RenewGrant(e) => object(e.grant.digest()),
        Event::SurrenderGrant(e) => object(e.grant.digest()),
        Event::ConsentFiling(e) => object(e.grant.digest()),
        Event::ApproveRequests(e) => e.requests.first().and_then(|id| object(id.digest())),
        Event::DeclineRequests(e) => e.requests.first().and_then(|id| object(id.digest())),
        Event::WithdrawOffer(e) => object(e.offer.digest()),
        Event::ChangeRegistration(e) => object(e.registration.digest()),
        Event::CancelRegistration(e) => object(e.registration.digest()),
        Event::DecideAccess(e) => object(e.access.digest()),
        Event::DelistProduct(e) => object(e.listing.digest()),
        Event::ProposeContract(e) => object(e.listing.digest()),
        Event::RecordDelivery(e) => object(e.contract.digest()),
        Event::WithdrawContract(e) => object(e.contract.digest()),
        Event::TerminateContract(e) => object(e.contract.digest()),
        Event::AdmitMember(_)
        | Event::SuspendMember(_)
        | Event::ReinstateMember(_)
        | Event::AcceptTransfer(_)
        | Event::AcceptGrant(_)
        | Event::DeclineGrant(_)
        | Event::VoidAsset(_)
        | Event::WithdrawConsent(_)
        | Event::ReviewListing(_)
        | Event::SignContract(_)
        | Event::RecordPayment(_)
        | Event::ConfirmDelivery(_)
        | Event::RefundPayment(_)
        | Event::SetRoles(_)
        | Event::AddKey(_)
        | Event::RevokeKey(_)
        | Event::SetTwoKeys(_)
        | Event::RelateMembers(_)
        | Event::ProposeSuccession(_)
        | Event::AcceptSuccession(_)
        | Event::ProposeChange(_)
        | Event::ApproveChange(_)
        | Event::AttestDeidentification(_)
        | Event::ObjectRegistration(_)
        | Event::DecideRegistration(_)
        | Event::RenewRegistration(_)
        | Event::ApproveAct(_)
        | Event::RequestGrant(_)
        | Event::TakeOffer(_)
        | Event::RequestAccess(_)
        | Event::RecordUsage(_)
        | Event::ReviewCompliance(_)
        | Event::RecordValuation(_)
        | Event::DeclineContract(_)
        | Event::VoidPayment(_)
        | Event::RecordPayout(_)
        | Event::ContestPayout(_)
        | Event::CloseAccount(_)
        | Event::IssueCertificate(_)
        | Event::VoidCertificate(_)
        | Event::SealSources(_)
        | Event::PaySource(_)
        | Event::OpenDispute(_)
        | Event::OrderFreeze(_)
        | Event::FileEvidence(_)
        | Event::RuleDispute(_)
        | Event::AppealRuling(_)
        | Event::SetOffOverpayment(_) => None,
    }
}
