//! The market: listings, three-party contracts, payments, deliveries and refunds.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::asset::{Purpose, Quality};
use crate::codec::List;
use crate::hash::{
    AccountId, AssetId, CertificateId, ContractId, Digest, GrantId, ListingId, PaymentId, PayoutId,
};
use crate::limits::{MAX_CHOICES, MAX_INPUTS, MAX_INSTALMENTS, MAX_PROOF};
use crate::money::Currency;
use crate::split::Right;
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
    /// Price in minor units, tax included; 0 for a free product.
    pub price: u64,
    /// Its currency.
    pub currency: Currency,
    /// What the buyer may do with the product.
    pub licence: Licence,
    /// Last block time at which it can be signed, milliseconds since 1970.
    pub sign_by_ms: u64,
    /// When parts of the price are due, in order of time, adding up to the price; empty when it
    /// has no due date.
    #[serde(default)]
    pub instalments: List<Instalment, MAX_INSTALMENTS>,
}

/// A part of a price with the time it is due.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instalment {
    /// Minor units, at least 1.
    pub amount: u64,
    /// Block time after which it is overdue, milliseconds since 1970.
    pub due_ms: u64,
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
    /// Whether no other licence of the product may overlap it in purpose, territory and time,
    /// at whichever exchange.
    #[serde(default)]
    pub exclusive: bool,
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

/// `confirm_delivery`: the buyer confirms, or the seller or the exchange declares the delivery
/// deemed confirmed once the rulebook's time is over; what was held becomes payable.
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

/// `review_compliance`: an exchange, an appraiser or a regulator that is not, and is not related
/// to, the author or an owner of a right, reviews an asset. The newest review of each counts.
/// Implements [LED-MKT-8].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewCompliance {
    /// The asset.
    pub asset: AssetId,
    /// Accept: may be traded. Reject: may not.
    pub decision: Decision,
    /// The property-rights level found, 1 (rights fully evidenced) to 5.
    pub rights_level: u8,
    /// Salted hash of the report.
    pub report: Digest,
}

/// How a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValuationMethod {
    /// By what it cost.
    Cost,
    /// By what it will earn.
    Income,
    /// By what comparable assets fetched.
    Market,
}

/// `record_valuation`: an appraiser who is not, and is not related to, the author or the manager
/// of the operation right, values an asset. Implements [LED-MKT-9].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordValuation {
    /// The asset.
    pub asset: AssetId,
    /// The method.
    pub method: ValuationMethod,
    /// The value in minor units.
    pub value: u64,
    /// Its currency.
    pub currency: Currency,
    /// The six quality indicators as the appraiser found them.
    pub quality: Quality,
    /// Salted hash of the report.
    pub report: Digest,
}

/// `delist_product`: the seller, the exchange or a regulator ends a listing; contracts signed by
/// three stand. Implements [LED-MKT-10].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelistProduct {
    /// The listing.
    pub listing: ListingId,
}

/// `decline_contract`: the buyer or the exchange declines before all three have signed.
/// Implements [LED-MKT-11].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclineContract {
    /// The contract.
    pub contract: ContractId,
}

/// `withdraw_contract`: the seller withdraws before all three have signed.
/// Implements [LED-MKT-11].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawContract {
    /// The contract.
    pub contract: ContractId,
}

/// `terminate_contract`: ends a signed contract for the future: by seller and buyer, when both
/// have said so, or by the exchange alone while an instalment is overdue. The use licence ends;
/// money paid stands unless it is refunded. Implements [LED-MKT-12].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminateContract {
    /// The contract.
    pub contract: ContractId,
}

/// `void_payment`: the exchange takes back a payment entered in error, of which nothing was
/// refunded and for which no certificate is in force; the price is open again and the bank
/// reference free. Implements [LED-MNY-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoidPayment {
    /// The payment.
    pub payment: PaymentId,
}

/// A claim of an account's schedule with the proof that it is one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvedClaim {
    /// The asset.
    pub asset: AssetId,
    /// The right.
    pub right: Right,
    /// Units of 10^18.
    pub units: u64,
    /// Its place in the schedule, from 0.
    pub index: u64,
    /// Number of claims of the schedule.
    pub claims: u64,
    /// Inclusion proof in the schedule's tree, from the leaf up.
    #[serde(default)]
    pub proof: List<Digest, MAX_PROOF>,
}

/// `record_payout`: the account's exchange has paid an owner of a claim. Never more than is
/// payable and not held. Implements [LED-MNY-2].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordPayout {
    /// The account.
    pub account: AccountId,
    /// The claim.
    pub claim: ProvedClaim,
    /// The owner, as the epochs name him; his successor, where there is one, was paid.
    pub owner: Handle,
    /// Minor units, at least 1.
    pub amount: u64,
    /// The bank's reference, unique for the exchange.
    pub bank_reference: Code,
}

/// An owner's line of an account, with the proof of its claim.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvedLine {
    /// The claim.
    pub claim: ProvedClaim,
    /// The owner, as the epochs name him.
    pub owner: Handle,
}

/// `set_off_overpayment`: the account's exchange sets off what is payable on one line against what
/// was paid beyond another of the same member. Nobody is paid and no sum changes.
/// Implements [LED-MNY-7].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetOffOverpayment {
    /// The account of both lines.
    pub account: AccountId,
    /// The line on which it is payable.
    pub from: ProvedLine,
    /// The line that was overpaid.
    pub to: ProvedLine,
    /// Minor units, at least 1.
    pub amount: u64,
}

/// `contest_payout`: the payee says that the money did not arrive; opens a dispute about the
/// payout. Implements [LED-MNY-3].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContestPayout {
    /// The payout.
    pub payout: PayoutId,
    /// Salted hash of the evidence.
    pub evidence: Digest,
}

/// `close_account`: the exchange closes an account: no more payments, refunds or redirects. The
/// residue is given out once, one minor unit each to the lines with the largest remainders.
/// Implements [LED-MNY-4].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseAccount {
    /// The account; every contract paid into it is delivered and confirmed, no dispute about it
    /// is open.
    pub account: AccountId,
}

/// `issue_certificate`: the exchange certifies a trade that is signed by three, wholly paid,
/// delivered and confirmed. It gets the exchange's next number. Implements [LED-CRT-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueCertificate {
    /// The contract, without a certificate in force.
    pub contract: ContractId,
}

/// `void_certificate`: the exchange voids a certificate; its number is not used again.
/// Implements [LED-CRT-2].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoidCertificate {
    /// The certificate.
    pub certificate: CertificateId,
    /// Salted hash of the reason.
    pub reason: Digest,
}
