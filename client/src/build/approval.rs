//! Which asset an act is about, for acts that owners of a right approve ahead.

use headwater_ledger::event::Event;
use headwater_ledger::hash::{AccessId, AssetId, ContractId, GrantId, ListingId};
use headwater_ledger::query::QueryError;
use headwater_ledger::state::record::AccessRecord;
use headwater_ledger::state::record::{OfferRecord, RegistrationRecord, RequestRecord};
use headwater_ledger::state::{Key, Records, View};

/// The asset of an act of a right's owners; `None` for acts that no owner does as an owner.
pub fn asset_of<V: View>(view: &V, event: &Event) -> Result<Option<AssetId>, QueryError> {
    Ok(match event {
        Event::TransferRight(e) => Some(e.asset),
        Event::OfferGrant(e) => Some(e.asset),
        Event::OfferStanding(e) => Some(e.asset),
        Event::RegisterAsset(e) => e.revises,
        Event::ListProduct(e) => Some(e.asset),
        Event::FileRegistration(e) => Some(e.asset),
        Event::WithdrawConsent(e) => Some(e.asset),
        Event::RevokeGrant(e) => grant(view, &e.grant)?,
        Event::RenewGrant(e) => grant(view, &e.grant)?,
        Event::SurrenderGrant(e) => grant(view, &e.grant)?,
        Event::ConsentFiling(e) => grant(view, &e.grant)?,
        Event::ApproveRequests(e) => request(view, e.requests.first())?,
        Event::DeclineRequests(e) => request(view, e.requests.first())?,
        Event::WithdrawOffer(e) => {
            let offer: Option<OfferRecord> = view.get(&Key::Offer(e.offer))?;
            Some(found(offer, "offer", &e.offer)?.asset)
        }
        Event::ChangeRegistration(e) => registration(view, &e.registration)?,
        Event::CancelRegistration(e) => registration(view, &e.registration)?,
        Event::DecideAccess(e) => access(view, &e.access)?,
        Event::DelistProduct(e) => listing(view, &e.listing)?,
        Event::ProposeContract(e) => listing(view, &e.listing)?,
        Event::RecordDelivery(e) => contract(view, &e.contract)?,
        Event::WithdrawContract(e) => contract(view, &e.contract)?,
        Event::TerminateContract(e) => contract(view, &e.contract)?,
        Event::AdmitMember(_)
        | Event::SuspendMember(_)
        | Event::ReinstateMember(_)
        | Event::AcceptTransfer(_)
        | Event::AcceptGrant(_)
        | Event::DeclineGrant(_)
        | Event::VoidAsset(_)
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
        | Event::AppealRuling(_) => None,
    })
}

fn found<T>(record: Option<T>, what: &str, id: &dyn std::fmt::Display) -> Result<T, QueryError> {
    record.ok_or_else(|| QueryError::Unknown(format!("{what} {id}")))
}

fn grant<V: View>(view: &V, id: &GrantId) -> Result<Option<AssetId>, QueryError> {
    Ok(Some(found(view.grant(id)?, "grant", id)?.asset))
}

fn request<V: View>(
    view: &V,
    id: Option<&headwater_ledger::hash::RequestId>,
) -> Result<Option<AssetId>, QueryError> {
    let Some(id) = id else { return Ok(None) };
    let request: Option<RequestRecord> = view.get(&Key::Request(*id))?;
    Ok(Some(found(request, "request", id)?.asset))
}

fn registration<V: View>(
    view: &V,
    id: &headwater_ledger::hash::RegistrationId,
) -> Result<Option<AssetId>, QueryError> {
    let registration: Option<RegistrationRecord> = view.get(&Key::Registration(*id))?;
    Ok(Some(found(registration, "registration", id)?.asset))
}

fn access<V: View>(view: &V, id: &AccessId) -> Result<Option<AssetId>, QueryError> {
    let access: Option<AccessRecord> = view.get(&Key::Access(*id))?;
    Ok(Some(found(access, "access", id)?.asset))
}

fn listing<V: View>(view: &V, id: &ListingId) -> Result<Option<AssetId>, QueryError> {
    Ok(Some(found(view.listing(id)?, "listing", id)?.asset))
}

fn contract<V: View>(view: &V, id: &ContractId) -> Result<Option<AssetId>, QueryError> {
    Ok(Some(found(view.contract(id)?, "contract", id)?.asset))
}
