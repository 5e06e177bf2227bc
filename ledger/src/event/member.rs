//! Members: admission, roles, keys and suspension.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::List;
use crate::keys::PublicKey;
use crate::limits::MAX_KEYS;
use crate::text::{DisplayName, Handle};

/// What a member does in the market. A member may have several roles.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Lists, reviews, clears; admits members.
    Exchange,
    /// Holds raw data.
    Holder,
    /// Processes data.
    Processor,
    /// Operates data products.
    Operator,
    /// Buys data products.
    Buyer,
    /// Values assets.
    Appraiser,
    /// Suspends members and voids assets.
    Regulator,
    /// Reads everything, acts on nothing.
    Auditor,
}

/// What a key may sign. Implements [LED-MEM-3].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Registering assets.
    Register,
    /// Transfers and grants.
    Rights,
    /// Listings, contracts and deliveries.
    Contract,
    /// Payments and refunds.
    Money,
    /// Suspensions and voiding.
    Arbitrate,
    /// Admitting members.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 6] = [
        Scope::Register,
        Scope::Rights,
        Scope::Contract,
        Scope::Money,
        Scope::Arbitrate,
        Scope::Admin,
    ];
}

/// A member's key and what it may sign.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberKey {
    /// The key.
    pub key: PublicKey,
    /// What it may sign; at least one scope.
    pub scopes: List<Scope, 6>,
}

/// `admit_member`: an exchange admits a member. Implements [LED-MEM-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmitMember {
    /// The member's permanent handle, unique on the ledger.
    pub handle: Handle,
    /// Its name as shown.
    pub name: DisplayName,
    /// Its roles; at least one, each once.
    pub roles: List<Role, 8>,
    /// Its keys; at least one, none in use by another member.
    pub keys: List<MemberKey, MAX_KEYS>,
}

/// `suspend_member`: a regulator suspends a member, whose envelopes are then refused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuspendMember {
    /// The member suspended.
    pub member: Handle,
}

/// `reinstate_member`: a regulator lifts a suspension.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReinstateMember {
    /// The member reinstated.
    pub member: Handle,
}
