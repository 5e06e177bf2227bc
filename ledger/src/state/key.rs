//! The keys of the state map. Their canonical bytes are hashed to a position. Variants are only
//! ever appended. Implements [LED-STA-2].

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError};
use crate::event::rights::GrantRight;
use crate::hash::{
    AccessId, AccountId, AggregateId, AssetId, CertificateId, ChangeId, Context, ContractId,
    Digest, DisputeId, EnvelopeId, EventId, GrantId, ListingId, OfferId, PaymentId, PayoutId,
    RegistrationId, RequestId, SetOffId, SuccessionId, TransferId,
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
    /// [`super::record::OwnedKey`]: whose key this is.
    KeyOwner(PublicKey),
    /// [`super::record::AssetRecord`].
    Asset(AssetId),
    /// [`super::record::AssetInputs`].
    Inputs(AssetId),
    /// `AssetId`: the version that follows this one.
    Revision(AssetId),
    /// `AssetId`: the last version of the line that begins with this asset, void ones included.
    LineEnd(AssetId),
    /// `Vec<Floor>`: the floors that bind what is derived from this asset.
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
    /// `Vec<Entry>`: a row of up to sixteen payments of an account.
    AccountEntries(AccountId, u64),
    /// Sixteen `u64`: a node, by level and number, of the tree of refunded net of an account.
    AccountRefund(AccountId, u32, u64),
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
    /// `u32`: the version of the rulebook in force.
    RulebookVersion,
    /// [`crate::event::governance::Rulebook`] of a version, from 1.
    Rulebook(u32),
    /// [`super::record::ChangeRecord`].
    Change(ChangeId),
    /// `Vec<ScheduledChange>`: changes that wait for their height, in order of height and approval.
    Scheduled,
    /// [`super::record::SuccessionRecord`].
    Succession(SuccessionId),
    /// `bool`: whether two members, the smaller handle first, belong together.
    Related(Handle, Handle),
    /// [`super::record::RevokedKey`]: a key that signs no more.
    RevokedKey(PublicKey),
    /// `Vec<AssetId>`: the first assets registered with this content root, in order.
    ContentClaim(Digest),
    /// `Vec<Watch>`: the conditions that follow from the ancestry of an asset.
    Watches(AssetId),
    /// [`super::record::WithdrawalRecord`]: withdrawn consent to this version.
    Withdrawal(AssetId),
    /// [`super::record::AttestationRecord`]: an attested de-identification.
    Attestation(AssetId),
    /// `RegistrationId`: the registration of an asset that is in notice or in force.
    RegisteredAs(AssetId),
    /// [`super::record::RegistrationRecord`].
    Registration(RegistrationId),
    /// [`super::record::ApprovalRecord`]: who approved an act about an asset.
    Approval(AssetId, Digest),
    /// [`super::record::RequestRecord`].
    Request(RequestId),
    /// [`super::record::OfferRecord`].
    Offer(OfferId),
    /// `Vec<InForce>`: the accepted grants by the owners of a right of an asset that have not ended.
    GrantsInForce(AssetId, GrantRight),
    /// `Vec<InForce>`: the licences of a product that have not ended, at whichever exchange.
    LicencesInForce(AssetId),
    /// [`super::record::AccessRecord`].
    Access(AccessId),
    /// `EventId`: the log entry of a job under an access.
    Usage(AccessId, Digest),
    /// `AccessId`: the first logged use that put this content out.
    UsageOutput(Digest),
    /// [`super::record::ComplianceRecord`]: the newest review of an asset that counts.
    Compliance(AssetId),
    /// [`super::record::ValuationRecord`]: the newest valuation of an asset.
    Valuation(AssetId),
    /// `Vec<PaymentId>`: the payments of a contract.
    ContractPayments(ContractId),
    /// Sixteen `u64`: a node, by level and number, of the tree of confirmed net of an account.
    AccountConfirmed(AccountId, u32, u64),
    /// [`super::record::LineRecord`]: what was paid out and set off on an owner's line of a claim.
    PaidLine(AccountId, AssetId, Right, Handle),
    /// [`super::record::PayoutRecord`].
    Payout(PayoutId),
    /// `Vec<ClosingLine>`: the lines that got a minor unit of the residue of a closed account.
    Closing(AccountId),
    /// `u64`: the number of the last certificate of an exchange.
    CertificateNumber(Handle),
    /// [`super::record::TradeCertificateRecord`].
    Certificate(CertificateId),
    /// `CertificateId`: the certificate in force of a contract.
    CertifiedBy(ContractId),
    /// [`super::record::AggregateRecord`].
    Aggregate(AggregateId),
    /// `AggregateId`: the sources of an owner's part of a right.
    SealedBy(AssetId, Right, Handle),
    /// `u64`: what a source was paid, in minor units of an account.
    SourcePaid(AggregateId, AccountId, Digest),
    /// [`super::record::DisputeRecord`].
    Dispute(DisputeId),
    /// `Vec<Hold>`: the slices of a right that are held.
    Holds(AssetId, Right),
    /// `DisputeId`: the dispute by which a member has held parts of an owner's part of a right.
    HeldOnce(AssetId, Right, Handle, Handle),
    /// [`super::record::UsageRecord`]: what a log entry of an access says.
    UsageEntry(EventId),
    /// `GrantId`: the grant that a member took from a standing offer.
    TakenBy(OfferId, Handle),
    /// [`super::record::SetOffRecord`].
    SetOff(SetOffId),
    /// `Vec<InForce>`: those of the accepted grants by the owners of a right that cover later
    /// versions too, by the first version of the line.
    FutureGrants(AssetId, GrantRight),
    /// `Vec<InForce>`: the accepted sub-licences of a grant that have not ended.
    SubLicences(GrantId),
    /// `Handle`: who acts for a member that was succeeded, the last of its successors.
    ActedForBy(Handle),
    /// `Vec<Handle>`: the members for which this one acts, without itself.
    ActsFor(Handle),
    /// `u64`: how many disputes wait for a ruling.
    Waiting,
    /// [`super::record::WaitingDispute`] in a place below that number, in no order.
    WaitingAt(u64),
    /// `u64`: the place of a dispute that waits for a ruling.
    WaitsAt(DisputeId),
    /// [`super::record::FiledRecord`]: what an event in the file of a dispute is.
    Filed(EventId),
    /// `Vec<CutRecord>`: what rulings cut out of a claim of an account.
    Cuts(AccountId, AssetId, Right),
    /// `Vec<Return>`: parts of a right that rulings on appeal gave back.
    Returns(AssetId, Right),
    /// `u16`: the most parts of a right that one ruling gave to a member.
    AwardedTo(AssetId, Right, Handle),
    /// [`super::record::Contest`]: the disputes about shares of a right that are not final.
    ShareContest(AssetId, Right),
    /// [`super::record::Contest`]: the disputes about payments and payouts of an account, and about
    /// contracts paid into it, that are not final.
    AccountContest(AccountId),
    /// `Vec<u64>`: a node, by level and number, of the index of an account's payments.
    AccountIndex(AccountId, u32, u64),
    /// `Decision`: the newest compliance review of an asset by a member.
    Reviewed(AssetId, Handle),
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
    /// Event ids of what has waited for the member's decision, disputes aside: offers, transfers,
    /// requests, listings, contracts, accesses, registrations, payouts, successions and changes.
    MemberInbox(Handle),
    /// Asset ids: registered with the same content root as this one by other members.
    AssetDuplicates(AssetId),
    /// Event ids: reviews, valuations, attestations and withdrawn consent of this asset.
    AssetFindings(AssetId),
    /// Event ids: registrations of this asset and what became of them.
    AssetRegistrations(AssetId),
    /// Event ids: accesses to this asset and their logged use.
    AssetUsage(AssetId),
    /// Dispute ids: about this asset, its rights, or grants on it.
    AssetDisputes(AssetId),
    /// Dispute ids: of this member, or about what is its.
    MemberDisputes(Handle),
    /// Event ids: evidence, freezes, rulings and appeals of this dispute.
    DisputeEvents(DisputeId),
    /// Payout ids of this account.
    AccountPayouts(AccountId),
    /// Certificate ids of this exchange.
    ExchangeCertificates(Handle),
    /// Change ids: every proposal by governance.
    Changes,
    /// Set-off ids of this account.
    AccountSetOffs(AccountId),
}
