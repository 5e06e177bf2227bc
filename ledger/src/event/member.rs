//! Members: admission, roles, keys and suspension.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::List;
use crate::hash::SuccessionId;
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
    /// Freezes, rulings and suspensions.
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

/// `set_roles`: an exchange changes another member's roles. The roles exchange and regulator are
/// neither given nor taken this way, only by governance. Implements [LED-MEM-5].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetRoles {
    /// The member.
    pub member: Handle,
    /// Its roles from then on; at least one, each once.
    pub roles: List<Role, 8>,
}

/// `add_key`: a member adds a key of its own. Implements [LED-MEM-6].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddKey {
    /// The key, in use by nobody before, and its scopes.
    pub key: MemberKey,
}

/// `revoke_key`: a member, or a regulator, ends a key; it signs nothing from then on.
///
/// With `compromised_since_ms`, assets, grants and rights that the key signed away from that block
/// time on, alone or as the first of several, serve for nothing new until a ruling. Contracts signed
/// by three stand. Implements [LED-MEM-7].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeKey {
    /// Whose key it is.
    pub member: Handle,
    /// The key.
    pub key: PublicKey,
    /// Block time since which the key was in other hands, milliseconds since 1970; not earlier
    /// than the rulebook's look-back.
    #[serde(default)]
    pub compromised_since_ms: Option<u64>,
}

/// Acts that can be made to need two keys. Implements [LED-MEM-8].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum TwoKeyAct {
    /// Payments, refunds, voided payments, payouts, set-offs and closing an account.
    Money,
    /// Transfers of rights and consent to them.
    Transfers,
    /// Freezes, rulings and suspensions.
    Rulings,
}

impl TwoKeyAct {
    /// The scope that the keys for such an act have.
    pub const fn scope(self) -> Scope {
        match self {
            TwoKeyAct::Money => Scope::Money,
            TwoKeyAct::Transfers => Scope::Rights,
            TwoKeyAct::Rulings => Scope::Arbitrate,
        }
    }
}

/// `set_two_keys`: a member says for which of its acts two of its keys must sign, besides those
/// for which the rulebook says so of everybody. Implements [LED-MEM-8].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetTwoKeys {
    /// The acts, each once.
    pub acts: List<TwoKeyAct, 3>,
}

/// `relate_members`: records that two members belong together, or no longer do. Either of them or
/// a regulator says that they do, of a regulator only a regulator; that they do not, a regulator
/// that is neither. Implements [LED-MEM-9].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelateMembers {
    /// One member.
    pub a: Handle,
    /// The other.
    pub b: Handle,
    /// Whether they belong together from then on.
    pub related: bool,
}

/// `propose_succession`: a member that is merged or dissolved names its successor; or a regulator
/// does for one that is neither exchange, regulator nor auditor. Implements [LED-MEM-10].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposeSuccession {
    /// The member that ends.
    pub member: Handle,
    /// Who acts for it from then on.
    pub successor: Handle,
}

/// `accept_succession`: the successor accepts. From then on the member's keys sign nothing, and
/// the successor acts wherever the member is named: as owner, manager, grantee, party, payee.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptSuccession {
    /// The succession.
    pub succession: SuccessionId,
}
