//! Records of money that leaves the ledger: payouts, adjustments, certificates, aggregates.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::hash::{AccountId, AssetId, ContractId, Digest, DisputeId};
use crate::split::Right;
use crate::text::{Code, Handle};

/// What left an owner's line of a claim, and what rulings moved. Minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct LineRecord {
    /// Paid out and not reversed.
    pub paid: u64,
    /// Moved to this line by rulings.
    pub adjusted_in: u64,
    /// Moved away from this line by rulings.
    pub adjusted_out: u64,
}

/// Where a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutStatus {
    /// Recorded.
    Paid,
    /// Its payee says it did not arrive.
    Contested,
    /// Ruled not to have arrived.
    Reversed,
}

/// A payout.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PayoutRecord {
    /// The account it came from.
    pub account: AccountId,
    /// The claim: asset.
    pub asset: AssetId,
    /// The claim: right.
    pub right: Right,
    /// The owner whose line it was paid on.
    pub owner: Handle,
    /// Who was paid: the owner, or his successor.
    pub payee: Handle,
    /// Minor units.
    pub amount: u64,
    /// The bank's reference.
    pub bank_reference: Code,
    /// Where it stands.
    pub status: PayoutStatus,
    /// Ordinal of the event.
    pub seq: u64,
    /// Height at which it was recorded.
    pub height: u64,
    /// Block time at which it was recorded, milliseconds since 1970.
    pub time_ms: u64,
}

/// A line that got a minor unit of the residue when its account was closed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
pub struct ClosingLine {
    /// The asset.
    pub asset: AssetId,
    /// The right.
    pub right: Right,
    /// The ownership epoch.
    pub epoch: u32,
    /// The owner.
    pub owner: Handle,
}

/// A transaction certificate.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct TradeCertificateRecord {
    /// The contract.
    pub contract: ContractId,
    /// Who issued it.
    pub exchange: Handle,
    /// Its number at the exchange, from 1.
    pub number: u64,
    /// Whether it was voided.
    pub void: bool,
    /// Height at which it was issued.
    pub height: u64,
    /// Block time at which it was issued, milliseconds since 1970.
    pub time_ms: u64,
}

/// The sources behind an owner's part of a right.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct AggregateRecord {
    /// The asset.
    pub asset: AssetId,
    /// The right.
    pub right: Right,
    /// The owner who sealed it.
    pub owner: Handle,
    /// Root of the Merkle-sum tree.
    pub root: Digest,
    /// Number of sources.
    pub sources: u32,
    /// Sum of their weights.
    pub total_weight: u64,
    /// Height at which it was sealed.
    pub height: u64,
}

/// Parts of an owner's part of a right that are held back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Hold {
    /// The dispute.
    pub dispute: DisputeId,
    /// Whose part.
    pub owner: Handle,
    /// How many of his parts of 10 000.
    pub parts: u16,
    /// Last block time of the hold, milliseconds since 1970.
    pub until_ms: u64,
}
