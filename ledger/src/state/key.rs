//! The keys of the state map. Their canonical bytes are hashed to a position. Variants are only
//! ever appended. Implements [LED-STA-2].

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError};
use crate::hash::{
    AccountId, AssetId, Context, ContractId, EnvelopeId, GrantId, ListingId, PaymentId, TransferId,
};
use crate::keys::PublicKey;
use crate::split::Right;
use crate::text::{Code, Handle};

/// What a record of the state is about.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Key {
    /// `u32`: the protocol version.
    Protocol,
    /// `Vec<Validator>`: the set of the next height.
    Validators,
    /// `Vec<Validator>`: the set of the height after.
    NextValidators,
    /// `u64`: events recorded so far.
    Ordinal,
    /// [`super::record::MemberRecord`].
    Member(Handle),
    /// `Handle`: whose key this is.
    KeyOwner(PublicKey),
    /// [`super::record::AssetRecord`].
    Asset(AssetId),
    /// [`super::record::AssetInputs`].
    Inputs(AssetId),
    /// `AssetId`: the version that follows this one.
    Revision(AssetId),
    /// `Vec<Floor>`: the absolute floors that bind what is derived from this asset.
    Floors(AssetId),
    /// [`super::record::RightRecord`]; absent while the author owns the right alone.
    Right(AssetId, Right),
    /// [`super::record::EpochRecord`] of one ownership epoch; epoch 0 is never stored.
    Epoch(AssetId, Right, u32),
    /// [`super::record::TransferRecord`].
    Transfer(TransferId),
    /// [`super::record::GrantRecord`].
    Grant(GrantId),
    /// [`super::record::ListingRecord`].
    Listing(ListingId),
    /// `ListingId`: the open listing of an asset at an exchange.
    ListedAt(AssetId, Handle),
    /// [`super::record::ContractRecord`].
    Contract(ContractId),
    /// [`super::record::PaymentRecord`].
    Payment(PaymentId),
    /// `EventId`: what used this bank reference of an exchange.
    BankReference(Handle, Code),
    /// [`super::record::AccountRecord`].
    Account(AccountId),
    /// [`crate::account::Entry`] of one payment of an account.
    AccountEntry(AccountId, u64),
    /// `u64`: a node of the refund tree of an account.
    AccountRefund(AccountId, u64),
    /// `u64`: until when the id of a recorded envelope is kept.
    Recorded(EnvelopeId),
    /// `u64`: the hour from which recorded ids have not been forgotten yet.
    PruneCursor,
    /// `u64`: the last height with recorded ids that expire in this hour.
    PruneHead(u64),
    /// [`super::record::PruneList`] of an hour and a height.
    PruneList(u64, u64),
    /// [`crate::merkle::range::Range`]: a list that is provably whole.
    Range(Relation),
}

impl Key {
    /// The position in the state map.
    pub fn hash(&self) -> Result<[u8; 32], CodecError> {
        Ok(Context::STATE_KEY.hash32(&[&codec::encode(self)?]))
    }
}

/// A list that only grows, kept as a Merkle mountain range so that it is provably whole.
///
/// An entry's bytes are the height at which it was added (8 bytes, little endian) and the 33 bytes
/// of the identifier named here. Implements [LED-STA-3].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Relation {
    /// Event ids: all acts of a member.
    MemberEvents(Handle),
    /// Asset ids: every asset over which the member has owned a part of a right.
    MemberAssets(Handle),
    /// Grant ids: offered by or to the member.
    MemberGrants(Handle),
    /// Contract ids: the member is seller, buyer or exchange.
    MemberContracts(Handle),
    /// Asset ids: registered derivations with this asset as a direct input.
    AssetDerivations(AssetId),
    /// Grant ids: offered on this asset.
    AssetGrants(AssetId),
    /// Listing ids of this product.
    AssetListings(AssetId),
    /// Account ids of this product.
    AssetAccounts(AssetId),
    /// Payment ids of this account.
    AccountPayments(AccountId),
}
