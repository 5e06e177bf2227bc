//! The market: listings, three-party contracts, payments, deliveries and refunds.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::asset::Purpose;
use crate::codec::List;
use crate::hash::{AssetId, ContractId, Digest, GrantId, ListingId, PaymentId};
use crate::limits::{MAX_CHOICES, MAX_INPUTS};
use crate::money::Currency;
use crate::text::{Code, Handle};

/// `list_product`: offers a product at an exchange. Freezes and hashes the attribution schedule.
/// Implements [LED-MKT-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListProduct {
    /// The product.
    pub asset: AssetId,
    /// The exchange.
    pub exchange: Handle,
    /// The exchange's fee in basis points of what remains after tax.
    pub fee_bp: u16,
    /// The operation grants on the direct inputs, where the seller does not own that right.
    #[serde(default)]
    pub operation_grants: List<GrantId, MAX_INPUTS>,
}

/// `review_listing`: the exchange's decision.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewListing {
    /// The listing.
    pub listing: ListingId,
    /// Accept or reject.
    pub decision: Decision,
}

/// Outcome of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Accepted.
    Accept,
    /// Rejected.
    Reject,
}

/// `propose_contract`: the seller proposes; buyer and exchange sign. Implements [LED-MKT-3].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposeContract {
    /// The accepted listing sold from.
    pub listing: ListingId,
    /// The buyer.
    pub buyer: Handle,
    /// Hash of the attribution schedule agreed to.
    pub schedule: Digest,
    /// Price in minor units, tax included.
    pub price: u64,
    /// Its currency.
    pub currency: Currency,
    /// What the buyer may do with the product.
    pub licence: Licence,
    /// Last block time at which it can be signed, milliseconds since 1970.
    pub sign_by_ms: u64,
}

/// What a buyer may do with a product.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// Purposes, within those of the product.
    pub purposes: List<Purpose, MAX_CHOICES>,
    /// Territories, within those of the operation grants listed.
    pub territories: List<Code, MAX_CHOICES>,
    /// End of the licence, milliseconds since 1970; within the operation grants listed.
    pub not_after_ms: u64,
}

/// `sign_contract`: the buyer or the exchange signs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignContract {
    /// The contract.
    pub contract: ContractId,
    /// Hash of the attribution schedule signed for.
    pub schedule: Digest,
}

/// `record_payment`: money the contract's exchange has cleared. Implements [LED-MKT-5].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordPayment {
    /// The contract paid.
    pub contract: ContractId,
    /// Everything the buyer paid, minor units.
    pub gross: u64,
    /// The tax in it, as stated, minor units.
    pub tax: u64,
    /// Currency of both.
    pub currency: Currency,
    /// The bank's reference, unique for the exchange.
    pub bank_reference: Code,
}

/// `record_delivery`: the seller has delivered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordDelivery {
    /// The contract.
    pub contract: ContractId,
    /// Salted commitment to what was delivered.
    pub delivered: Digest,
}

/// `confirm_delivery`: the buyer confirms; what was held becomes payable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmDelivery {
    /// The contract.
    pub contract: ContractId,
}

/// `refund_payment`: parts of a payment given back. Implements [LED-MKT-7].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundPayment {
    /// The payment.
    pub payment: PaymentId,
    /// Given back of the net, minor units.
    pub net: u64,
    /// Given back of the fee, minor units.
    pub fee: u64,
    /// Given back of the tax, minor units.
    pub tax: u64,
    /// The bank's reference, unique for the exchange.
    pub bank_reference: Code,
}
