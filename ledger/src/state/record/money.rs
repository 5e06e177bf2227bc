//! Records of money that leaves the ledger: payouts, adjustments, certificates, aggregates.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::hash::{AccountId, AssetId, ContractId, Digest, DisputeId, PayoutId};
use crate::split::Right;
use crate::text::{Code, Handle};

/// What left an owner's line of a claim, and what set-offs moved. Minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct LineRecord {
    /// Paid out and not reversed.
    pub paid: u64,
    /// Set off against what was overpaid here: payable on other lines of the same member.
    pub set_off_in: u64,
    /// Set off away from here: payable here, against what was overpaid on other lines.
    pub set_off_out: u64,
    /// What counts as not paid by rulings that are not final: it is not paid again before they are.
    pub reversed: Vec<Reversed>,
}

/// A payout that a ruling reversed which is not final.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Reversed {
    /// The payout.
    pub payout: PayoutId,
    /// Minor units.
    pub amount: u64,
    /// Last block time at which it is held, milliseconds since 1970; the last there is until an
    /// appeal is decided.
    pub until_ms: u64,
}

impl LineRecord {
    /// What was set off with what was overpaid here, less what was set off away from here.
    pub fn set_off(&self) -> i128 {
        i128::from(self.set_off_in).saturating_sub(self.set_off_out.into())
    }

    /// What is left of what the line has, with what was set off, after what was paid. Below 0 when
    /// more was paid.
    pub fn left_of(&self, has: u64) -> i128 {
        i128::from(has).saturating_add(self.set_off()).saturating_sub(self.paid.into())
    }

    /// What of it is held at a block time because payouts were reversed and that is not final.
    pub fn reversed_at(&self, now_ms: u64) -> u64 {
        let held = self.reversed.iter().filter(|r| now_ms <= r.until_ms);
        held.fold(0, |sum, r| sum.saturating_add(r.amount))
    }

    /// What the owner has had of the line's money: what was paid out, and what was set off away
    /// against money that he had before; without what he had of other lines in the end.
    pub fn received(&self) -> u128 {
        let had = u128::from(self.paid).saturating_add(self.set_off_out.into());
        had.saturating_sub(self.set_off_in.into())
    }
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
    /// Last block time at which its payee can contest it, milliseconds since 1970.
    pub contest_until_ms: u64,
}

/// An owner's line of a claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnerLine {
    /// The claim: asset.
    pub asset: AssetId,
    /// The claim: right.
    pub right: Right,
    /// The owner, as the epochs name him.
    pub owner: Handle,
}

/// What was payable on a line, set off against what was overpaid on another.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct SetOffRecord {
    /// The account of both lines.
    pub account: AccountId,
    /// The line on which it was payable.
    pub from: OwnerLine,
    /// The line that was overpaid.
    pub to: OwnerLine,
    /// Minor units.
    pub amount: u64,
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
    /// Whether one of them was paid.
    pub paid: bool,
    /// Height at which it was sealed.
    pub height: u64,
}

/// Why parts are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// A dispute was opened about them.
    Cooling,
    /// A regulator froze them.
    Frozen,
    /// A ruling that is not final gave them to this owner, from this ownership epoch on; what it
    /// cut out of earlier money for him is held with them.
    Awarded(u32),
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
    /// Why.
    pub kind: HoldKind,
    /// Last block time of the hold, milliseconds since 1970.
    pub until_ms: u64,
    /// The same if the ruling is appealed; the last there is for what a ruling gave.
    pub appealed_until_ms: u64,
}
