//! The three rights: transfers, grants and voiding.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::asset::Purpose;
use crate::codec::List;
use crate::hash::{AssetId, Digest, GrantId, TransferId};
use crate::limits::{MAX_CHOICES, MAX_INPUTS, MAX_OWNERS};
use crate::split::Right;
use crate::text::{Code, Handle};

/// An owner's part of a right.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The owner.
    pub member: Handle,
    /// Parts of 10 000, at least 1.
    pub parts: u16,
}

/// `transfer_right`: proposes the owners of one right. It takes effect when every owner who is new
/// or whose parts shrink has consented. Implements [LED-RGT-2].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferRight {
    /// The asset.
    pub asset: AssetId,
    /// Which of its rights.
    pub right: Right,
    /// The owners from then on, each once, parts adding up to 10 000.
    pub owners: List<Owner, MAX_OWNERS>,
    /// The owner who acts for the right from then on.
    pub manager: Handle,
}

/// `accept_transfer`: consents to a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptTransfer {
    /// The transfer.
    pub transfer: TransferId,
}

/// The rights that can be granted.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum GrantRight {
    /// Deriving from the asset.
    Processing,
    /// Selling the asset or what is derived from it.
    Operation,
}

impl From<GrantRight> for Right {
    fn from(right: GrantRight) -> Right {
        match right {
            GrantRight::Processing => Right::Processing,
            GrantRight::Operation => Right::Operation,
        }
    }
}

/// `offer_grant`: offers a grant, which has effect once accepted. Implements [LED-GRT-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferGrant {
    /// The asset.
    pub asset: AssetId,
    /// The right granted.
    pub right: GrantRight,
    /// Who may use it.
    pub grantee: Handle,
    /// Under which terms.
    pub terms: Terms,
    /// For operation of a derived asset: the operation grants on its inputs that allow this one.
    #[serde(default)]
    pub under: List<GrantId, MAX_INPUTS>,
}

/// The terms of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What the asset may be used for; at least one purpose.
    pub purposes: List<Purpose, MAX_CHOICES>,
    /// Where; at least one territory.
    pub territories: List<Code, MAX_CHOICES>,
    /// Effective from this block time, milliseconds since 1970.
    pub not_before_ms: u64,
    /// Effective up to and including this block time, milliseconds since 1970.
    pub not_after_ms: u64,
    /// For operation: how many further steps may build on it; 0 means the grantee alone.
    #[serde(default)]
    pub sublicence_depth: u8,
    /// For processing: how many derivations it allows; absent means any number.
    #[serde(default)]
    pub max_derivations: Option<u32>,
    /// Whether it also covers later versions of the asset.
    #[serde(default)]
    pub future_versions: bool,
    /// For processing: at least this part of any descendant's sale must reach the asset, however
    /// deep. Basis points; 0 means no floor.
    #[serde(default)]
    pub floor_bp: u16,
    /// How long after the term work done within it may still be registered, in milliseconds.
    #[serde(default)]
    pub filing_window_ms: u64,
}

/// `accept_grant`: the grantee accepts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptGrant {
    /// The grant.
    pub grant: GrantId,
}

/// `decline_grant`: the grantee declines an offer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclineGrant {
    /// The grant.
    pub grant: GrantId,
}

/// `revoke_grant`: the grantor ends a grant, for the future only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeGrant {
    /// The grant.
    pub grant: GrantId,
}

/// `void_asset`: a regulator declares an asset void: nothing new may be built on it or sold.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoidAsset {
    /// The asset.
    pub asset: AssetId,
    /// Salted hash of the ruling.
    pub ruling: Digest,
}
