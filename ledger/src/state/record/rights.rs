//! Records about rights besides the rights themselves: transfers, approvals, requests, offers,
//! terms in force.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::event::asset::Purpose;
use crate::event::rights::{Exclusivity, GrantRight, Owner, Terms};
use crate::hash::{AssetId, Digest, GrantId};
use crate::keys::PublicKey;
use crate::split::Right;
use crate::state::record::Signed;
use crate::text::{Code, Handle};

/// A proposed transfer of a right.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct TransferRecord {
    /// The asset.
    pub asset: AssetId,
    /// The right.
    pub right: Right,
    /// Who proposed it.
    pub proposer: Handle,
    /// The owners from then on, in order of handle.
    pub owners: Vec<Owner>,
    /// Who acts for the right from then on.
    pub manager: Handle,
    /// When given, the parts of 10 000 that an act needs instead.
    pub threshold_parts: Option<u16>,
    /// How often the right had changed when it was proposed; it lapses when it changes again.
    pub changes: u32,
    /// Whose consent is outstanding.
    pub outstanding: Vec<Handle>,
    /// With which keys it was proposed and consented to.
    pub signed: Vec<Signed>,
    /// Whether it has taken effect.
    pub done: bool,
}

/// Owners who approved an act ahead.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ApprovalRecord {
    /// The approvals, in order.
    pub by: Vec<Approved>,
}

/// An owner's approval of an act.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Approved {
    /// The owner.
    pub member: Handle,
    /// Last block time at which it counts, milliseconds since 1970.
    pub until_ms: u64,
    /// With which key.
    pub signed: Signed,
}

/// Where a request or a standing offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// Waits for an answer.
    Open,
    /// Granted.
    Approved,
    /// Declined.
    Declined,
}

/// A request for a grant.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The asset.
    pub asset: AssetId,
    /// The right.
    pub right: GrantRight,
    /// Who asks.
    pub by: Handle,
    /// Under which terms.
    pub terms: Terms,
    /// Where it stands.
    pub status: RequestStatus,
    /// Height of the request.
    pub height: u64,
}

/// A standing offer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct OfferRecord {
    /// The asset.
    pub asset: AssetId,
    /// The right.
    pub right: GrantRight,
    /// Who offers.
    pub grantor: Handle,
    /// How often the right had changed when it was offered; the offer lapses when it changes again.
    pub changes: u32,
    /// Under which terms.
    pub terms: Terms,
    /// For operation of a derived asset: the grants it rests on.
    pub under: Vec<GrantId>,
    /// Last block time at which it can be taken, milliseconds since 1970.
    pub take_by_ms: u64,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
    /// Grants taken from it.
    pub taken: u32,
    /// The key that signed the offer.
    pub signer: PublicKey,
    /// Block time of the offer, milliseconds since 1970.
    pub time_ms: u64,
    /// Height of the offer.
    pub height: u64,
}

/// The scope and term of a grant, or of a licence, that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct InForce {
    /// The grant, or the contract of the licence.
    pub id: Digest,
    /// The version granted, from 1; 0 for a licence.
    pub version: u32,
    /// Who else may have the same.
    pub exclusivity: Exclusivity,
    /// Purposes.
    pub purposes: Vec<Purpose>,
    /// Territories.
    pub territories: Vec<Code>,
    /// First block time.
    pub not_before_ms: u64,
    /// Last block time.
    pub not_after_ms: u64,
    /// The last block time at which the ruling that voided it can be undone: until then nobody may
    /// use it, and it leaves its place to no other. `None` when it is not void.
    pub void_until_ms: Option<u64>,
}

impl InForce {
    /// Whether it leaves its place to no other at a block time.
    pub fn keeps_place(&self, now_ms: u64) -> bool {
        now_ms <= self.not_after_ms && self.void_until_ms.is_none_or(|until| now_ms <= until)
    }
}
