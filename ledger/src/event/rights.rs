//! The three rights: transfers, grants and voiding.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::asset::Purpose;
use crate::codec::List;
use crate::hash::{AssetId, Digest, GrantId, OfferId, RequestId, TransferId};
use crate::limits::{MAX_ANSWERS, MAX_CHOICES, MAX_INPUTS, MAX_OWNERS};
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
    /// When given, no owner acts for the right alone: an act needs owners of at least this many
    /// parts of 10 000, its author and those who approved it. Implements [LED-RGT-4].
    #[serde(default)]
    pub threshold_parts: Option<u16>,
}

/// `approve_act`: an owner approves, ahead, one act of another owner: an event with these very
/// bytes. It counts for acts that need the owners' parts, and for grants with a floor, which every
/// owner of the processing right consents to when the split pays that right. Implements [LED-RGT-4] and [LED-GRT-6].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveAct {
    /// The asset the act is about.
    pub asset: AssetId,
    /// Hash of the event's canonical bytes.
    pub act: Digest,
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
    /// The grant on the same asset and right that the author holds and sub-licenses; absent when
    /// he acts for the right itself. Implements [LED-GRT-5].
    #[serde(default)]
    pub parent: Option<GrantId>,
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
    /// How many further steps may build on it; 0 means the grantee alone.
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
    /// Of what `floor_bp` is a part.
    #[serde(default)]
    pub floor_kind: FloorKind,
    /// Who else may use the right, within the purposes, territories and term.
    #[serde(default)]
    pub exclusivity: Exclusivity,
    /// What a revocation does.
    #[serde(default)]
    pub revocation: Revocation,
}

/// Of what a floor is a part. Implements [LED-FLR-1] and [LED-FLR-3].
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum FloorKind {
    /// Of any descendant's sale, however deep.
    #[default]
    Absolute,
    /// Of what the directly derived asset earns; carried through further derivations by the same
    /// member or one related to it.
    Relative,
}

/// Who else may use a granted right. Implements [LED-GRT-7].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusivity {
    /// Others may be granted the same.
    #[default]
    None,
    /// Nobody else is granted the same; the owners may still use the right themselves.
    Sole,
    /// Nobody else, the owners included.
    Exclusive,
}

/// What a revocation does. Implements [LED-GRT-8].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// Ends the grant at once, for the future only.
    #[default]
    Prospective,
    /// Ends the grant so many milliseconds after the revocation, for the future only.
    Sunset(u64),
    /// Ends the grant at once; what was derived under it, and everything below, is neither
    /// derived from nor listed nor contracted for any more.
    SuspendDownstream,
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

/// `revoke_grant`: the grantor ends a grant, for the future only, or takes an offer back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeGrant {
    /// The grant.
    pub grant: GrantId,
}

/// `void_asset`: the author takes an asset back of which no right was transferred and nothing made,
/// granted, listed, asked for or disputed: nothing new may be built on it. Implements [LED-AST-6].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoidAsset {
    /// The asset.
    pub asset: AssetId,
    /// Salted hash of the reason.
    pub reason: Digest,
}

/// `request_grant`: whoever wants a grant asks for it, with its terms. Implements [LED-GRT-9].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestGrant {
    /// The asset.
    pub asset: AssetId,
    /// The right.
    pub right: GrantRight,
    /// The terms asked for.
    pub terms: Terms,
}

/// `approve_requests`: whoever acts for the rights grants requests as they were asked for, many at
/// once. Each becomes an accepted grant whose id is that of the request.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveRequests {
    /// The requests, each once.
    pub requests: List<RequestId, MAX_ANSWERS>,
    /// For operation of derived assets: the operation grants on their inputs that allow it.
    #[serde(default)]
    pub under: List<GrantId, MAX_INPUTS>,
}

/// `decline_requests`: whoever acts for the rights declines requests, many at once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclineRequests {
    /// The requests, each once.
    pub requests: List<RequestId, MAX_ANSWERS>,
}

/// `offer_standing`: offers the same grant to whoever takes it. Implements [LED-GRT-10].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferStanding {
    /// The asset.
    pub asset: AssetId,
    /// The right granted.
    pub right: GrantRight,
    /// Under which terms; not exclusive, not sole.
    pub terms: Terms,
    /// Last block time at which it can be taken, milliseconds since 1970.
    pub take_by_ms: u64,
    /// For operation of a derived asset: the operation grants on its inputs that allow this one.
    #[serde(default)]
    pub under: List<GrantId, MAX_INPUTS>,
}

/// `take_offer`: a member takes a standing offer and has an accepted grant, whose id is this
/// event's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeOffer {
    /// The offer.
    pub offer: OfferId,
}

/// `withdraw_offer`: whoever acts for the right ends a standing offer; grants taken stay.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawOffer {
    /// The offer.
    pub offer: OfferId,
}

/// `renew_grant`: whoever granted extends an accepted grant that has not ended.
/// Implements [LED-GRT-11].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewGrant {
    /// The grant.
    pub grant: GrantId,
    /// Its new end, later than before, milliseconds since 1970.
    pub not_after_ms: u64,
}

/// `surrender_grant`: the grantee gives an accepted grant back, for the future only.
/// Implements [LED-GRT-12].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurrenderGrant {
    /// The grant.
    pub grant: GrantId,
}

/// `consent_filing`: after a revocation, the grantor lets work done before it be filed until some
/// time. Implements [LED-GRT-13].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentFiling {
    /// The revoked grant.
    pub grant: GrantId,
    /// Last block time at which it can be filed, milliseconds since 1970.
    pub file_by_ms: u64,
}
