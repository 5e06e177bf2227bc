//! The events a member signs. Variants are only ever appended: their order is the wire format.
//!
//! The JSON form is serde's: `{"register_asset": {…}}`. Implements [LED-EVT-1].

pub mod asset;
pub mod market;
pub mod member;
pub mod rights;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub use asset::RegisterAsset;
pub use market::{
    ConfirmDelivery, ListProduct, ProposeContract, RecordDelivery, RecordPayment, RefundPayment,
    ReviewListing, SignContract,
};
pub use member::{AdmitMember, ReinstateMember, Scope, SuspendMember};
pub use rights::{
    AcceptGrant, AcceptTransfer, DeclineGrant, OfferGrant, RevokeGrant, TransferRight, VoidAsset,
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
        }
    }

    /// The key scope an author needs for this event. Implements [LED-MEM-3].
    pub fn scope(&self) -> Scope {
        match self {
            Event::AdmitMember(_) => Scope::Admin,
            Event::SuspendMember(_) | Event::ReinstateMember(_) | Event::VoidAsset(_) => {
                Scope::Arbitrate
            }
            Event::RegisterAsset(_) => Scope::Register,
            Event::TransferRight(_)
            | Event::AcceptTransfer(_)
            | Event::OfferGrant(_)
            | Event::AcceptGrant(_)
            | Event::DeclineGrant(_)
            | Event::RevokeGrant(_) => Scope::Rights,
            Event::ListProduct(_)
            | Event::ReviewListing(_)
            | Event::ProposeContract(_)
            | Event::SignContract(_)
            | Event::RecordDelivery(_)
            | Event::ConfirmDelivery(_) => Scope::Contract,
            Event::RecordPayment(_) | Event::RefundPayment(_) => Scope::Money,
        }
    }

    /// What the event costs to execute, in weight units of about one microsecond on the reference
    /// machine. Listing adds one unit an edge walked. Implements [LED-LIM-2].
    pub fn base_weight(&self) -> u64 {
        let many = |items: usize, each: u64| (items as u64).saturating_mul(each);
        match self {
            Event::RegisterAsset(e) => {
                let inputs = e.derivation.as_ref().map_or(0, |d| d.inputs.len());
                20u64.saturating_add(many(inputs, 15))
            }
            Event::TransferRight(e) => 30u64.saturating_add(many(e.owners.len(), 10)),
            Event::AcceptTransfer(_) => 200,
            Event::OfferGrant(e) => 30u64.saturating_add(many(e.under.len(), 15)),
            Event::ListProduct(e) => 60u64.saturating_add(many(e.operation_grants.len(), 15)),
            Event::RefundPayment(_) => 100,
            Event::AdmitMember(e) => 30u64.saturating_add(many(e.keys.len(), 100)),
            Event::SuspendMember(_)
            | Event::ReinstateMember(_)
            | Event::AcceptGrant(_)
            | Event::DeclineGrant(_)
            | Event::RevokeGrant(_)
            | Event::VoidAsset(_)
            | Event::ReviewListing(_)
            | Event::ProposeContract(_)
            | Event::SignContract(_)
            | Event::RecordPayment(_)
            | Event::RecordDelivery(_)
            | Event::ConfirmDelivery(_) => 30,
        }
    }
}
