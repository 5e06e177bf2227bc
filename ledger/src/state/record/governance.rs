//! Records of members and of governance.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::event::governance::Change;
use crate::hash::ChangeId;
use crate::keys::PublicKey;
use crate::text::Handle;

/// Whose key a key is, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct OwnedKey {
    /// The member.
    pub member: Handle,
    /// How it came to be; none for a key that the member was admitted with or governance restored.
    pub added: Option<Signed>,
}

/// Which key signed an act, and when.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Signed {
    /// The key; of several, the first.
    pub key: PublicKey,
    /// Its block time, milliseconds since 1970.
    pub time_ms: u64,
}

/// A key that signs no more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct RevokedKey {
    /// Whose key it was.
    pub member: Handle,
    /// Height of the revocation.
    pub height: u64,
    /// Its block time, milliseconds since 1970.
    pub time_ms: u64,
    /// Since when it is said to have been in other hands.
    pub compromised_since_ms: Option<u64>,
}

/// A succession that was proposed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct SuccessionRecord {
    /// The member that ends.
    pub member: Handle,
    /// Who is to act for it.
    pub successor: Handle,
    /// Who proposed it.
    pub proposer: Handle,
    /// With which key.
    pub signed: Signed,
    /// Whether the successor has accepted.
    pub accepted: bool,
    /// Height of the proposal.
    pub height: u64,
}

/// Where a change by governance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeStatus {
    /// Waits for approvals.
    Proposed,
    /// Approved; waits for its height.
    Scheduled,
    /// In effect since its height.
    Active,
    /// Not possible any more at its height; nothing was changed.
    Failed,
}

/// A change by governance.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ChangeRecord {
    /// What is to change.
    pub change: Change,
    /// The height whose block makes the change.
    pub activate_height: u64,
    /// Who proposed it.
    pub proposer: Handle,
    /// Who has approved, the proposer first.
    pub approvals: Vec<Handle>,
    /// With which key each did.
    pub signed: Vec<Signed>,
    /// Where it stands.
    pub status: ChangeStatus,
    /// Height of the proposal.
    pub height: u64,
}

/// A change that waits for its height.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ScheduledChange {
    /// Its height.
    pub activate_height: u64,
    /// The change.
    pub change: ChangeId,
}
