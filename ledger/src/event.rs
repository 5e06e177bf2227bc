//! The events a member signs. Variants are only ever appended: their order is the wire format.
//!
//! The JSON form is serde's: `{"register_asset": {…}}`. Implements [LED-EVT-1].

pub mod access;
pub mod aggregate;
pub mod asset;
pub mod dispute;
pub mod governance;
pub mod market;
pub mod member;
mod needs;
pub mod rights;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub use access::{DecideAccess, RecordUsage, RequestAccess};
pub use aggregate::{PaySource, SealSources};
pub use asset::{
    AttestDeidentification, CancelRegistration, ChangeRegistration, DecideRegistration,
    FileRegistration, ObjectRegistration, RegisterAsset, RenewRegistration, WithdrawConsent,
};
pub use dispute::{AppealRuling, FileEvidence, OpenDispute, OrderFreeze, RuleDispute};
pub use governance::{ApproveChange, ProposeChange};
pub use market::{
    CloseAccount, ConfirmDelivery, ContestPayout, DeclineContract, DelistProduct, IssueCertificate,
    ListProduct, ProposeContract, RecordDelivery, RecordPayment, RecordPayout, RecordValuation,
    RefundPayment, ReviewCompliance, ReviewListing, SetOffOverpayment, SignContract,
    TerminateContract, VoidCertificate, VoidPayment, WithdrawContract,
};
pub use member::{
    AcceptSuccession, AddKey, AdmitMember, ProposeSuccession, ReinstateMember, RelateMembers,
    RevokeKey, Scope, SetRoles, SetTwoKeys, SuspendMember, TwoKeyAct,
};
pub use needs::KeyChange;
pub use rights::{
    AcceptGrant, AcceptTransfer, ApproveAct, ApproveRequests, ConsentFiling, DeclineGrant,
    DeclineRequests, OfferGrant, OfferStanding, RenewGrant, RequestGrant, RevokeGrant,
    SurrenderGrant, TakeOffer, TransferRight, VoidAsset, WithdrawOffer,
};

/// One act of a member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An exchange admits a member.
    AdmitMember(AdmitMember),
    /// A regulator suspends a member.
    SuspendMember(SuspendMember),
    /// A regulator lifts a suspension.
    ReinstateMember(ReinstateMember),
    /// The author registers a resource, a dataset or a product.
    RegisterAsset(RegisterAsset),
    /// The manager of a right proposes new owners for it.
    TransferRight(TransferRight),
    /// An owner whose consent a transfer needs gives it.
    AcceptTransfer(AcceptTransfer),
    /// The manager of a right offers a grant under it.
    OfferGrant(OfferGrant),
    /// The grantee accepts a grant.
    AcceptGrant(AcceptGrant),
    /// The grantee declines a grant.
    DeclineGrant(DeclineGrant),
    /// The grantor revokes a grant.
    RevokeGrant(RevokeGrant),
    /// A regulator declares an asset void.
    VoidAsset(VoidAsset),
    /// The operator lists a product at an exchange; this freezes its attribution schedule.
    ListProduct(ListProduct),
    /// The exchange accepts or rejects a listing.
    ReviewListing(ReviewListing),
    /// The seller proposes a three-party contract.
    ProposeContract(ProposeContract),
    /// The buyer or the exchange signs a contract.
    SignContract(SignContract),
    /// The contract's exchange records a payment it has cleared.
    RecordPayment(RecordPayment),
    /// The seller records a delivery.
    RecordDelivery(RecordDelivery),
    /// The buyer confirms a delivery.
    ConfirmDelivery(ConfirmDelivery),
    /// The contract's exchange records a refund.
    RefundPayment(RefundPayment),
    /// An exchange changes another member's roles.
    SetRoles(SetRoles),
    /// A member adds a key of its own.
    AddKey(AddKey),
    /// A member or a regulator ends a key.
    RevokeKey(RevokeKey),
    /// A member says which of its acts need two keys.
    SetTwoKeys(SetTwoKeys),
    /// Records whether two members belong together.
    RelateMembers(RelateMembers),
    /// A regulator or an exchange names the successor of a member.
    ProposeSuccession(ProposeSuccession),
    /// The successor of a member accepts.
    AcceptSuccession(AcceptSuccession),
    /// A validator's member proposes a change by governance.
    ProposeChange(ProposeChange),
    /// A validator's member approves a change.
    ApproveChange(ApproveChange),
    /// The holder records that patients have withdrawn consent.
    WithdrawConsent(WithdrawConsent),
    /// An independent member attests de-identification.
    AttestDeidentification(AttestDeidentification),
    /// Files for the registration of the rights over an asset.
    FileRegistration(FileRegistration),
    /// A member objects to a registration in public notice.
    ObjectRegistration(ObjectRegistration),
    /// The registry decides a registration.
    DecideRegistration(DecideRegistration),
    /// Amends or corrects what the register states.
    ChangeRegistration(ChangeRegistration),
    /// The registry extends a registration.
    RenewRegistration(RenewRegistration),
    /// Ends a registration.
    CancelRegistration(CancelRegistration),
    /// An owner approves an act of another owner ahead.
    ApproveAct(ApproveAct),
    /// A member asks for a grant.
    RequestGrant(RequestGrant),
    /// Requests are granted, many at once.
    ApproveRequests(ApproveRequests),
    /// Requests are declined, many at once.
    DeclineRequests(DeclineRequests),
    /// Offers a grant to whoever takes it.
    OfferStanding(OfferStanding),
    /// A member takes a standing offer.
    TakeOffer(TakeOffer),
    /// Ends a standing offer.
    WithdrawOffer(WithdrawOffer),
    /// The grantor extends a grant.
    RenewGrant(RenewGrant),
    /// The grantee gives a grant back.
    SurrenderGrant(SurrenderGrant),
    /// The grantor lets work done before a revocation be filed.
    ConsentFiling(ConsentFiling),
    /// A member asks to work with an asset in a secure environment.
    RequestAccess(RequestAccess),
    /// A request for access is decided.
    DecideAccess(DecideAccess),
    /// The environment logs one job.
    RecordUsage(RecordUsage),
    /// An independent member reviews an asset's compliance.
    ReviewCompliance(ReviewCompliance),
    /// An appraiser values an asset.
    RecordValuation(RecordValuation),
    /// Ends a listing.
    DelistProduct(DelistProduct),
    /// The buyer or the exchange declines a contract.
    DeclineContract(DeclineContract),
    /// The seller withdraws a contract.
    WithdrawContract(WithdrawContract),
    /// Ends a signed contract for the future.
    TerminateContract(TerminateContract),
    /// The exchange takes back a payment entered in error.
    VoidPayment(VoidPayment),
    /// The exchange has paid an owner of a claim.
    RecordPayout(RecordPayout),
    /// The payee says that a payout did not arrive.
    ContestPayout(ContestPayout),
    /// The exchange closes an account and gives out the residue.
    CloseAccount(CloseAccount),
    /// The exchange certifies a trade.
    IssueCertificate(IssueCertificate),
    /// The exchange voids a certificate.
    VoidCertificate(VoidCertificate),
    /// An owner commits to the sources he hands money on to.
    SealSources(SealSources),
    /// An owner has handed a source its part.
    PaySource(PaySource),
    /// A member marks what it disputes.
    OpenDispute(OpenDispute),
    /// A regulator holds a disputed slice.
    OrderFreeze(OrderFreeze),
    /// A party adds evidence to a dispute.
    FileEvidence(FileEvidence),
    /// A regulator rules.
    RuleDispute(RuleDispute),
    /// A party appeals a ruling.
    AppealRuling(AppealRuling),
    /// The exchange sets off what is payable on a line against what was overpaid on another.
    SetOffOverpayment(SetOffOverpayment),
}

impl Event {
    /// The event's name in JSON, in the spec and in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Event::AdmitMember(_) => "admit_member",
            Event::SuspendMember(_) => "suspend_member",
            Event::ReinstateMember(_) => "reinstate_member",
            Event::RegisterAsset(_) => "register_asset",
            Event::TransferRight(_) => "transfer_right",
            Event::AcceptTransfer(_) => "accept_transfer",
            Event::OfferGrant(_) => "offer_grant",
            Event::AcceptGrant(_) => "accept_grant",
            Event::DeclineGrant(_) => "decline_grant",
            Event::RevokeGrant(_) => "revoke_grant",
            Event::VoidAsset(_) => "void_asset",
            Event::ListProduct(_) => "list_product",
            Event::ReviewListing(_) => "review_listing",
            Event::ProposeContract(_) => "propose_contract",
            Event::SignContract(_) => "sign_contract",
            Event::RecordPayment(_) => "record_payment",
            Event::RecordDelivery(_) => "record_delivery",
            Event::ConfirmDelivery(_) => "confirm_delivery",
            Event::RefundPayment(_) => "refund_payment",
            Event::SetRoles(_) => "set_roles",
            Event::AddKey(_) => "add_key",
            Event::RevokeKey(_) => "revoke_key",
            Event::SetTwoKeys(_) => "set_two_keys",
            Event::RelateMembers(_) => "relate_members",
            Event::ProposeSuccession(_) => "propose_succession",
            Event::AcceptSuccession(_) => "accept_succession",
            Event::ProposeChange(_) => "propose_change",
            Event::ApproveChange(_) => "approve_change",
            Event::WithdrawConsent(_) => "withdraw_consent",
            Event::AttestDeidentification(_) => "attest_deidentification",
            Event::FileRegistration(_) => "file_registration",
            Event::ObjectRegistration(_) => "object_registration",
            Event::DecideRegistration(_) => "decide_registration",
            Event::ChangeRegistration(_) => "change_registration",
            Event::RenewRegistration(_) => "renew_registration",
            Event::CancelRegistration(_) => "cancel_registration",
            Event::ApproveAct(_) => "approve_act",
            Event::RequestGrant(_) => "request_grant",
            Event::ApproveRequests(_) => "approve_requests",
            Event::DeclineRequests(_) => "decline_requests",
            Event::OfferStanding(_) => "offer_standing",
            Event::TakeOffer(_) => "take_offer",
            Event::WithdrawOffer(_) => "withdraw_offer",
            Event::RenewGrant(_) => "renew_grant",
            Event::SurrenderGrant(_) => "surrender_grant",
            Event::ConsentFiling(_) => "consent_filing",
            Event::RequestAccess(_) => "request_access",
            Event::DecideAccess(_) => "decide_access",
            Event::RecordUsage(_) => "record_usage",
            Event::ReviewCompliance(_) => "review_compliance",
            Event::RecordValuation(_) => "record_valuation",
            Event::DelistProduct(_) => "delist_product",
            Event::DeclineContract(_) => "decline_contract",
            Event::WithdrawContract(_) => "withdraw_contract",
            Event::TerminateContract(_) => "terminate_contract",
            Event::VoidPayment(_) => "void_payment",
            Event::RecordPayout(_) => "record_payout",
            Event::ContestPayout(_) => "contest_payout",
            Event::CloseAccount(_) => "close_account",
            Event::IssueCertificate(_) => "issue_certificate",
            Event::VoidCertificate(_) => "void_certificate",
            Event::SealSources(_) => "seal_sources",
            Event::PaySource(_) => "pay_source",
            Event::OpenDispute(_) => "open_dispute",
            Event::OrderFreeze(_) => "order_freeze",
            Event::FileEvidence(_) => "file_evidence",
            Event::RuleDispute(_) => "rule_dispute",
            Event::AppealRuling(_) => "appeal_ruling",
            Event::SetOffOverpayment(_) => "set_off_overpayment",
        }
    }

    /// What kind of object the event makes, if it makes one. Its id is the event's, but for an
    /// asset, whose id is that of its name.
    pub fn makes(&self) -> Option<&'static str> {
        match self {
            Event::RegisterAsset(_) => Some("asset"),
            Event::TransferRight(_) => Some("transfer"),
            Event::OfferGrant(_) | Event::TakeOffer(_) => Some("grant"),
            Event::ListProduct(_) => Some("listing"),
            Event::ProposeContract(_) => Some("contract"),
            Event::RecordPayment(_) => Some("payment"),
            Event::ProposeSuccession(_) => Some("succession"),
            Event::ProposeChange(_) => Some("change"),
            Event::FileRegistration(_) => Some("registration"),
            Event::RequestGrant(_) => Some("request"),
            Event::OfferStanding(_) => Some("offer"),
            Event::RequestAccess(_) => Some("access"),
            Event::RecordPayout(_) => Some("payout"),
            Event::SetOffOverpayment(_) => Some("set-off"),
            Event::IssueCertificate(_) => Some("certificate"),
            Event::SealSources(_) => Some("aggregate"),
            Event::OpenDispute(_) | Event::ContestPayout(_) => Some("dispute"),
            Event::AdmitMember(_)
            | Event::SuspendMember(_)
            | Event::ReinstateMember(_)
            | Event::AcceptTransfer(_)
            | Event::AcceptGrant(_)
            | Event::DeclineGrant(_)
            | Event::RevokeGrant(_)
            | Event::VoidAsset(_)
            | Event::ReviewListing(_)
            | Event::SignContract(_)
            | Event::RecordDelivery(_)
            | Event::ConfirmDelivery(_)
            | Event::RefundPayment(_)
            | Event::SetRoles(_)
            | Event::AddKey(_)
            | Event::RevokeKey(_)
            | Event::SetTwoKeys(_)
            | Event::RelateMembers(_)
            | Event::AcceptSuccession(_)
            | Event::ApproveChange(_)
            | Event::WithdrawConsent(_)
            | Event::AttestDeidentification(_)
            | Event::ObjectRegistration(_)
            | Event::DecideRegistration(_)
            | Event::ChangeRegistration(_)
            | Event::RenewRegistration(_)
            | Event::CancelRegistration(_)
            | Event::ApproveAct(_)
            | Event::ApproveRequests(_)
            | Event::DeclineRequests(_)
            | Event::WithdrawOffer(_)
            | Event::RenewGrant(_)
            | Event::SurrenderGrant(_)
            | Event::ConsentFiling(_)
            | Event::DecideAccess(_)
            | Event::RecordUsage(_)
            | Event::ReviewCompliance(_)
            | Event::RecordValuation(_)
            | Event::DelistProduct(_)
            | Event::DeclineContract(_)
            | Event::WithdrawContract(_)
            | Event::TerminateContract(_)
            | Event::VoidPayment(_)
            | Event::CloseAccount(_)
            | Event::VoidCertificate(_)
            | Event::PaySource(_)
            | Event::OrderFreeze(_)
            | Event::FileEvidence(_)
            | Event::RuleDispute(_)
            | Event::AppealRuling(_) => None,
        }
    }

    /// What the event costs to execute, in weight units of about one microsecond on the reference
    /// machine. Listing adds one unit an edge walked. Implements [LED-LIM-2].
    pub fn base_weight(&self) -> u64 {
        let many = |items: usize, each: u64| (items as u64).saturating_mul(each);
        match self {
            Event::RegisterAsset(e) => {
                let inputs = e.derivation.as_ref().map_or(0, |d| d.inputs.len());
                20u64.saturating_add(many(inputs, 9))
            }
            Event::TransferRight(e) => 30u64.saturating_add(many(e.owners.len(), 10)),
            Event::AcceptTransfer(_) => 500,
            Event::AdmitMember(e) => 30u64.saturating_add(many(e.keys.len(), 100)),
            Event::SetRoles(_)
            | Event::RevokeKey(_)
            | Event::AcceptSuccession(_)
            | Event::WithdrawConsent(_)
            | Event::AttestDeidentification(_)
            | Event::ObjectRegistration(_)
            | Event::DecideRegistration(_)
            | Event::RequestGrant(_)
            | Event::DecideAccess(_)
            | Event::ReviewCompliance(_)
            | Event::RecordValuation(_)
            | Event::DelistProduct(_)
            | Event::ReviewListing(_)
            | Event::ProposeContract(_) => 40,
            Event::SealSources(_)
            | Event::VoidAsset(_)
            | Event::OfferStanding(_)
            | Event::ListProduct(_)
            | Event::FileRegistration(_)
            | Event::ChangeRegistration(_)
            | Event::RequestAccess(_)
            | Event::RecordUsage(_)
            | Event::SignContract(_)
            | Event::IssueCertificate(_)
            | Event::FileEvidence(_)
            | Event::AppealRuling(_) => 50,
            Event::ApproveAct(_)
            | Event::TerminateContract(_)
            | Event::ContestPayout(_)
            | Event::OrderFreeze(_) => 60,
            Event::OpenDispute(_) => 120,
            Event::AcceptGrant(_) => 60,
            Event::OfferGrant(_)
            | Event::SurrenderGrant(_)
            | Event::PaySource(_)
            | Event::RecordPayment(_) => 100,
            Event::AddKey(_)
            | Event::ProposeChange(_)
            | Event::ApproveChange(_)
            | Event::RefundPayment(_)
            | Event::TakeOffer(_) => 150,
            Event::RenewGrant(_) | Event::VoidPayment(_) | Event::RecordPayout(_) => 200,
            Event::RuleDispute(_) | Event::SetOffOverpayment(_) => 300,
            Event::CloseAccount(_) => 200,
            Event::ApproveRequests(e) => many(e.requests.len(), 44).saturating_add(20),
            Event::DeclineRequests(e) => many(e.requests.len(), 40).saturating_add(20),
            Event::SuspendMember(_)
            | Event::ReinstateMember(_)
            | Event::SetTwoKeys(_)
            | Event::RelateMembers(_)
            | Event::ProposeSuccession(_)
            | Event::RenewRegistration(_)
            | Event::CancelRegistration(_)
            | Event::WithdrawOffer(_)
            | Event::ConsentFiling(_)
            | Event::DeclineContract(_)
            | Event::WithdrawContract(_)
            | Event::VoidCertificate(_)
            | Event::DeclineGrant(_)
            | Event::RevokeGrant(_)
            | Event::RecordDelivery(_)
            | Event::ConfirmDelivery(_) => 30,
        }
    }
}
