//! Disputes: marks, holds, evidence, rulings and appeals.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::List;
use crate::hash::{
    AccountId, AssetId, ContractId, Digest, DisputeId, GrantId, PaymentId, PayoutId,
};
use crate::limits::MAX_ADJUSTMENTS;
use crate::split::Right;
use crate::text::Handle;

use super::market::ProvedClaim;

/// What a dispute is about.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An asset as such: who collected it, whether it may be there. Holds no money.
    Asset(AssetId),
    /// A grant: whether it was given, by whom. Holds no money.
    Grant(GrantId),
    /// Part of what one owner has of a right: the slice that is held.
    Share(Slice),
    /// A payment: whether it is to be refunded. Holds no money.
    Payment(PaymentId),
    /// A payout that did not arrive. Holds no money.
    Payout(PayoutId),
    /// A contract: whether it was kept. Holds no money.
    Contract(ContractId),
}

/// Parts of one owner's part of a right, in every account.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// The asset.
    pub asset: AssetId,
    /// The right.
    pub right: Right,
    /// Whose part is contested.
    pub owner: Handle,
    /// How many of his parts of 10 000, at least 1; at most what he has had at any time.
    pub parts: u16,
}

/// Why somebody disputes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// The disputer says he owns it.
    Ownership,
    /// It was used beyond what was allowed.
    Misuse,
    /// It is not what it was said to be.
    Misstatement,
    /// It is the same as another.
    Duplicate,
    /// A key was in other hands.
    Compromise,
    /// It was not delivered as agreed, or not paid.
    Performance,
}

/// `open_dispute`: a member marks what it disputes. A slice is held for the rulebook's cooling
/// period; each slice can be held this way once by each member. Implements [LED-DSP-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenDispute {
    /// What it is about.
    pub subject: Subject,
    /// Why.
    pub ground: Ground,
    /// Salted hash of the first evidence.
    pub evidence: Digest,
}

/// `order_freeze`: a regulator that is neither party nor owner holds exactly the disputed slice until a deadline:
/// new money accrues, everybody else is paid. Implements [LED-DSP-2].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderFreeze {
    /// The open dispute, about a share.
    pub dispute: DisputeId,
    /// Last block time of the freeze, milliseconds since 1970.
    pub until_ms: u64,
}

/// `file_evidence`: a party, an owner or a regulator adds evidence to an open dispute. Implements [LED-DSP-3].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEvidence {
    /// The dispute.
    pub dispute: DisputeId,
    /// Salted hash of the evidence.
    pub evidence: Digest,
}

/// An account of which earlier money goes over with a redirected slice.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// The account.
    pub account: AccountId,
    /// The claim of the disputed right in it.
    pub claim: ProvedClaim,
}

/// What a ruling does. Nothing is ever rewritten.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// The dispute is without ground: its mark ends, and its hold once that is final.
    Dismiss,
    /// The grant is void: nothing new is made under it. For disputes about a grant.
    VoidGrant,
    /// The asset is void: nothing new is built on it or sold. For disputes about an asset.
    VoidAsset,
    /// The slice is another member's: a new ownership epoch, and of the accounts named also what it
    /// earned before. For disputes about a share.
    Redirect(Redirect),
    /// Parts of the payment are to be given back; only its exchange can record that, and only
    /// that much is held of it until it does. For disputes about a payment.
    Refund(RefundOrder),
    /// The payout did not arrive: it counts as not paid. For disputes about a payout.
    ReversePayout,
    /// The contract ends; its licence too. For disputes about a contract.
    EndContract,
}

/// To whom a slice goes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// The owner of the slice from then on.
    pub to: Handle,
    /// Of which accounts earlier money goes over with it.
    #[serde(default)]
    pub adjustments: List<Adjustment, MAX_ADJUSTMENTS>,
}

/// What is to be refunded.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundOrder {
    /// Of the net, minor units.
    pub net: u64,
    /// Of the fee, minor units.
    pub fee: u64,
    /// Of the tax, minor units.
    pub tax: u64,
}

/// `rule_dispute`: a regulator that is neither party nor owner rules; on appeal another than before. On appeal a
/// ruling that differs reverses what the first one did. Implements [LED-DSP-4].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDispute {
    /// The dispute.
    pub dispute: DisputeId,
    /// The ruling; fits the subject.
    pub ruling: Ruling,
    /// Salted hash of the reasons.
    pub reasons: Digest,
}

/// `appeal_ruling`: a party or an owner appeals once, within the rulebook's time. Implements [LED-DSP-5].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppealRuling {
    /// The dispute.
    pub dispute: DisputeId,
    /// Salted hash of the grounds.
    pub grounds: Digest,
}
