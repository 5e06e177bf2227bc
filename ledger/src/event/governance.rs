//! Governance: changes that validators decide by more than two thirds of the voting power.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::member::{MemberKey, Role, TwoKeyAct};
use crate::codec::List;
use crate::hash::ChangeId;
use crate::keys::PublicKey;
use crate::text::Handle;

/// `propose_change`: a member that runs a validator proposes a change; its own power counts as
/// approval at once. Implements [LED-GOV-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposeChange {
    /// What is to change.
    pub change: Change,
    /// The height whose block makes the change before its first envelope; later than the block
    /// of the proposal and at most 10 000 000 heights ahead.
    pub activate_height: u64,
}

/// `approve_change`: a member that runs a validator approves. With more than two thirds of the
/// voting power of the present set the change is scheduled for its height.
/// Implements [LED-GOV-2].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveChange {
    /// The change.
    pub change: ChangeId,
}

/// What governance can change.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Adds a validator, changes the power of one, or removes it with power 0.
    SetValidator(SetValidator),
    /// Replaces the rulebook; its version becomes one more.
    SetRulebook(Rulebook),
    /// Raises the protocol version by one.
    SetProtocol(u32),
    /// Gives a member its roles, exchange and regulator included.
    ConferRoles(ConferRoles),
    /// Adds a key to a member that has lost its own.
    RestoreKey(RestoreKey),
}

/// A validator with its power; 0 removes it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetValidator {
    /// The member that runs it; has the role of an exchange.
    pub member: Handle,
    /// Its consensus key.
    pub key: PublicKey,
    /// Voting power; 0 removes the validator.
    pub power: u64,
}

/// Roles that governance confers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConferRoles {
    /// The member.
    pub member: Handle,
    /// Its roles from then on; at least one, each once.
    pub roles: List<Role, 8>,
}

/// A key for a member that has lost its own.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestoreKey {
    /// The member.
    pub member: Handle,
    /// Its new key and scopes.
    pub key: MemberKey,
}

/// The numbers of the market that its members agree on. The header of every block names the
/// version of the rulebook it was decided under. Durations are milliseconds of block time.
/// Implements [LED-GOV-4].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rulebook {
    /// Highest fee an exchange may take, in basis points of what remains after tax.
    pub fee_cap_bp: u16,
    /// Most inputs of a derivation; at most the limit of the software.
    pub max_inputs: u32,
    /// Most edges in the ancestry of a product that is listed, or whose account is closed; at most
    /// the limit of the software.
    #[serde(default = "standard_ancestry_edges")]
    pub max_ancestry_edges: u32,
    /// How long after a delivery was recorded it counts as confirmed.
    pub deemed_delivery_ms: u64,
    /// How long a dispute holds the marked slice without an order.
    pub cooling_ms: u64,
    /// Longest time ahead for which a freeze can be ordered.
    pub max_freeze_ms: u64,
    /// How long after a ruling a party may appeal.
    pub appeal_ms: u64,
    /// How long a registration stands in public notice before it is decided.
    pub notice_ms: u64,
    /// Longest term of a registration, and of each renewal.
    pub registration_term_ms: u64,
    /// How long a holder has for a replacement version after patients withdraw consent.
    pub replacement_ms: u64,
    /// How far back a key can be said to have been compromised.
    pub compromise_lookback_ms: u64,
    /// How long after a payout its payee may contest it, after a payment it may be voided, and after
    /// something of it was confirmed or given back an account stays open.
    pub contest_ms: u64,
    /// Whether a product must have passed a compliance review before its listing is accepted and it
    /// is sold.
    pub require_compliance: bool,
    /// Acts that need two keys of everybody.
    #[serde(default)]
    pub two_keys: List<TwoKeyAct, 3>,
}

/// As many as an event walks in a few milliseconds.
fn standard_ancestry_edges() -> u32 {
    2_048
}

/// One day in milliseconds.
const DAY_MS: u64 = 86_400_000;

impl Rulebook {
    /// The rulebook of a chain whose genesis document names no other; version 1.
    pub fn standard() -> Self {
        Rulebook {
            fee_cap_bp: 3_000,
            max_inputs: 512,
            max_ancestry_edges: standard_ancestry_edges(),
            deemed_delivery_ms: 15 * DAY_MS,
            cooling_ms: 7 * DAY_MS,
            max_freeze_ms: 180 * DAY_MS,
            appeal_ms: 15 * DAY_MS,
            notice_ms: 10 * DAY_MS,
            registration_term_ms: 1_096 * DAY_MS,
            replacement_ms: 30 * DAY_MS,
            compromise_lookback_ms: 30 * DAY_MS,
            contest_ms: 30 * DAY_MS,
            require_compliance: false,
            two_keys: List::default(),
        }
    }
}
