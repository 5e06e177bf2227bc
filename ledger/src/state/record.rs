//! The records of the state and typed access to them.

mod cut;
mod dispute;
mod governance;
mod money;
mod registry;
mod rights;

use std::sync::Arc;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub use cut::*;
pub use dispute::*;
pub use governance::*;
pub use money::*;
pub use registry::*;
pub use rights::*;

use super::{Key, Relation, decode_record};
use crate::account::{Account, Amounts};
use crate::attribution::{AncestryNode, Claim, ScheduleError};
use crate::event::asset::{Activity, Content, Metadata, Purpose, Stage};
use crate::event::governance::Rulebook;
use crate::event::market::{Instalment, Licence};
use crate::event::member::{MemberKey, Role, Scope, TwoKeyAct};
use crate::event::rights::{GrantRight, Owner, Terms};
use crate::hash::{
    AccessId, AccountId, AssetId, ContractId, Digest, DisputeId, EnvelopeId, EventId, GrantId,
    ListingId, PaymentId, TransferId,
};
use crate::keys::PublicKey;
use crate::limits::MAX_ANCESTRY_EDGES;
use crate::merkle::range::Range;
use crate::money::Currency;
use crate::reject::Fault;
use crate::split::{Right, Split};
use crate::text::{AssetName, Code, DisplayName, Handle};
use crate::validator::{Validator, ValidatorSet};

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct MemberRecord {
    /// Name as shown.
    pub name: DisplayName,
    /// Roles.
    pub roles: Vec<Role>,
    /// Keys and their scopes.
    pub keys: Vec<MemberKey>,
    /// Whether its acts are refused.
    pub suspended: bool,
    /// The acts for which two of its keys must sign.
    pub two_keys: Vec<TwoKeyAct>,
    /// Who acts wherever this member is named, since it was merged or dissolved.
    pub successor: Option<Handle>,
    /// Steps of the longest line of successions that leads to this member.
    pub predecessors: u32,
    /// Height of admission; 0 for genesis.
    pub height: u64,
}

impl MemberRecord {
    /// Whether the member has the role.
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
    /// The scopes of a key of the member.
    pub fn scopes_of(&self, key: &PublicKey) -> Option<&[Scope]> {
        self.keys.iter().find(|k| k.key == *key).map(|k| &*k.scopes)
    }
}

/// An asset, all but its inputs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct AssetRecord {
    /// Who registered it.
    pub author: Handle,
    /// Its name, unique for the author.
    pub name: AssetName,
    /// Its stage.
    pub stage: Stage,
    /// The commitment to its content.
    pub content: Content,
    /// What it is, as stated.
    pub metadata: Metadata,
    /// What was done to make it.
    pub activity: Option<Activity>,
    /// Where it may be used: what the grants that it and its inputs were made under have in common;
    /// `None` means anywhere.
    pub territories: Option<Vec<Code>>,
    /// The first version of this line of versions; itself when it revises nothing.
    pub first_version: AssetId,
    /// Number of the version, from 1.
    pub version: u32,
    /// Whether a grant's term was over when it was filed, within the filing window.
    pub late: bool,
    /// Whether it was declared void.
    pub void: bool,
    /// Last block time at which the ruling that voided it can be undone, milliseconds since 1970; the
    /// last there is until an appeal is decided, 0 when it cannot.
    pub void_until_ms: u64,
    /// Whether patients' consent can be withdrawn from it.
    pub consent_based: bool,
    /// An asset that another member registered before with the same content root.
    pub duplicate_of: Option<AssetId>,
    /// An access of another member whose logged use put this content out before it was registered.
    pub output_of: Option<AccessId>,
    /// Disputes about the asset that are open.
    pub disputes: u32,
    /// Whether a ruling dismissed what contested it.
    pub cleared: bool,
    /// The key that signed the registration.
    pub signer: PublicKey,
    /// The event that registered it.
    pub event: EventId,
    /// That event's ordinal.
    pub seq: u64,
    /// Height at which it was recorded.
    pub height: u64,
    /// Block time at which it was recorded, milliseconds since 1970.
    pub time_ms: u64,
}

impl AssetRecord {
    /// What the asset may be used for; `None` means that nothing restricts it.
    pub fn purposes(&self) -> Option<&[Purpose]> {
        self.activity.as_ref().map(|a| &*a.purposes)
    }
}

/// What a walk through the lineage reads.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct AssetInputs {
    /// How money that reaches the asset is divided.
    pub split: Split,
    /// Its direct inputs in the order filed.
    pub inputs: Vec<crate::event::asset::Input>,
}

/// A floor that binds an asset and what is derived from it. Implements [LED-FLR-1] and
/// [LED-FLR-3].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Floor {
    /// The asset that must be reached.
    pub source: AssetId,
    /// By at least this part of a sale, in basis points.
    pub floor_bp: u16,
    /// Units of 10^18 of this asset's revenue that reach it, rounded down.
    pub units: u64,
    /// For a relative floor: the member that derived directly; it binds him and those related to
    /// him.
    pub party: Option<Handle>,
}

/// The current ownership of a right.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct RightRecord {
    /// The current epoch.
    pub epoch: u32,
    /// How often its owners, its manager or its threshold have changed: what was proposed or offered
    /// before such a change lapses.
    pub changes: u32,
    /// The owner who acts for the right.
    pub manager: Handle,
    /// When given, the parts of 10 000 that an act needs instead.
    pub threshold_parts: Option<u16>,
    /// With which keys its transfers were proposed and consented to, since the last ruling about it,
    /// as far back as a key could be said to be compromised when the last one took effect.
    pub signed: Vec<Signed>,
}

/// One ownership epoch of a right.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Ordinal of the event that began it.
    pub start_seq: u64,
    /// Height at which it began.
    pub height: u64,
    /// The owners in order of handle.
    pub owners: Vec<Owner>,
}

/// Where a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantStatus {
    /// Offered, not answered.
    Offered,
    /// Accepted.
    Accepted,
    /// Declined by the grantee.
    Declined,
    /// Ended by the grantor.
    Revoked,
    /// Given back by the grantee.
    Surrendered,
    /// Void by a ruling.
    Voided,
    /// Taken back by the grantor before it was answered.
    Withdrawn,
}

/// A grant under a right.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct GrantRecord {
    /// The asset.
    pub asset: AssetId,
    /// The right.
    pub right: GrantRight,
    /// Who offered it.
    pub grantor: Handle,
    /// How often the right had changed when it was offered; the offer lapses when it changes again.
    pub changes: u32,
    /// Who may use it.
    pub grantee: Handle,
    /// The terms.
    pub terms: Terms,
    /// The grant it sub-licenses.
    pub parent: Option<GrantId>,
    /// For operation of a derived asset: the grants it rests on.
    pub under: Vec<GrantId>,
    /// Where it stands.
    pub status: GrantStatus,
    /// Its last block time: that of the terms, as renewed, or as shortened by a revocation.
    pub not_after_ms: u64,
    /// Block time of the revocation.
    pub revoked_ms: Option<u64>,
    /// The key that signed the revocation.
    pub revoked_by: Option<PublicKey>,
    /// After a revocation: until when work done before it may be filed.
    pub file_by_ms: u64,
    /// Derivations made under it.
    pub used: u32,
    /// Disputes about the grant that are open.
    pub disputes: u32,
    /// Whether a ruling dismissed what contested it.
    pub cleared: bool,
    /// The key that signed the offer, or the last renewal.
    pub signer: PublicKey,
    /// Block time of that, milliseconds since 1970.
    pub time_ms: u64,
    /// Height of the offer.
    pub height: u64,
}

/// Where a listing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListingStatus {
    /// Waits for the exchange.
    Pending,
    /// Accepted.
    Accepted,
    /// Rejected.
    Rejected,
    /// Ended.
    Delisted,
}

/// A listing of a product.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ListingRecord {
    /// The product.
    pub asset: AssetId,
    /// Who sells it.
    pub seller: Handle,
    /// Where.
    pub exchange: Handle,
    /// The exchange's fee in basis points.
    pub fee_bp: u16,
    /// Hash of the frozen attribution schedule.
    pub schedule: Digest,
    /// Number of its claims.
    pub claims: u32,
    /// The operation grants it rests on; checked again for every contract.
    pub operation_grants: Vec<GrantId>,
    /// Territories that the operation grants allow; `None` means any.
    pub territories: Option<Vec<Code>>,
    /// Purposes that product and operation grants allow; `None` means any.
    pub purposes: Option<Vec<Purpose>>,
    /// Last block time that the operation grants allow.
    pub not_after_ms: u64,
    /// Where it stands.
    pub status: ListingStatus,
    /// Height at which it was made.
    pub height: u64,
}

/// Where a contract stands, besides who has signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractStatus {
    /// Not ended.
    Open,
    /// Declined by the buyer or the exchange.
    Declined,
    /// Withdrawn by the seller.
    Withdrawn,
    /// Ended after it was signed.
    Terminated,
}

/// A three-party contract.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ContractRecord {
    /// The listing sold from.
    pub listing: ListingId,
    /// The product.
    pub asset: AssetId,
    /// The seller, who signed by proposing.
    pub seller: Handle,
    /// The buyer.
    pub buyer: Handle,
    /// The exchange, which clears.
    pub exchange: Handle,
    /// Hash of the attribution schedule.
    pub schedule: Digest,
    /// Price in minor units.
    pub price: u64,
    /// Currency.
    pub currency: Currency,
    /// The exchange's fee in basis points.
    pub fee_bp: u16,
    /// What the buyer may do.
    pub licence: Licence,
    /// Last block time for signing.
    pub sign_by_ms: u64,
    /// Whether the buyer has signed.
    pub buyer_signed: bool,
    /// Whether the exchange has signed.
    pub exchange_signed: bool,
    /// The keys of the proposal and of these signatures, in order, until all three have signed.
    pub signed: Vec<Signed>,
    /// Where it stands.
    pub status: ContractStatus,
    /// Block time at which the seller said that it wants it terminated, milliseconds since 1970.
    pub seller_terminates: Option<u64>,
    /// The same of the buyer.
    pub buyer_terminates: Option<u64>,
    /// Whether its exchange has terminated it because an instalment was overdue.
    pub in_arrears: bool,
    /// When parts of the price are due.
    pub instalments: Vec<Instalment>,
    /// Whether seller and buyer belonged together when it was proposed.
    pub related_parties: bool,
    /// Gross paid so far, refunds not taken off.
    pub paid: u64,
    /// What of it was given back.
    pub refunded: u64,
    /// Commitment to what was delivered.
    pub delivered: Option<Digest>,
    /// Block time at which the delivery was recorded, milliseconds since 1970; 0 before.
    pub delivered_ms: u64,
    /// Block time from which on it can be deemed confirmed, milliseconds since 1970; 0 before.
    pub deemed_from_ms: u64,
    /// Whether the delivery is confirmed, or deemed to be.
    pub confirmed: bool,
    /// Whether it was deemed confirmed because time was over.
    pub deemed: bool,
    /// Disputes about it and its payments.
    pub contest: Contest,
    /// Height of the proposal.
    pub height: u64,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PaymentRecord {
    /// The contract paid.
    pub contract: ContractId,
    /// The account it went into.
    pub account: AccountId,
    /// Its number in the account, from 0.
    pub index: u64,
    /// Everything paid.
    pub gross: u64,
    /// Its three parts.
    pub amounts: Amounts,
    /// What was given back of each.
    pub refunded: Amounts,
    /// What rulings ordered to be given back and was not yet.
    pub ordered: Amounts,
    /// The orders, in the order in which they were first given.
    pub orders: Vec<RefundOrdered>,
    /// Disputes about it that are not final.
    pub contest: Contest,
    /// Whether it was entered in error.
    pub void: bool,
    /// The bank's reference.
    pub bank_reference: Code,
    /// Ordinal of the event.
    pub seq: u64,
    /// Height at which it was recorded.
    pub height: u64,
    /// Block time at which it was recorded.
    pub time_ms: u64,
    /// Last block time at which it can be voided, milliseconds since 1970.
    pub void_until_ms: u64,
}

/// What the rulings of one dispute ordered to be given back of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct RefundOrdered {
    /// The dispute.
    pub dispute: DisputeId,
    /// What the ruling in force orders; nothing when it was reversed.
    pub ordered: Amounts,
    /// What of it was given back, or of what was ordered before.
    pub met: Amounts,
}

/// An account with the triple that names it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct AccountRecord {
    /// The product.
    pub product: AssetId,
    /// The clearing exchange.
    pub exchange: Handle,
    /// The currency.
    pub currency: Currency,
    /// Hash of the product's attribution schedule.
    pub schedule: Digest,
    /// The totals.
    pub totals: Account,
    /// Contracts that all three have signed, that have not ended and are not wholly paid.
    pub unpaid: u32,
    /// Contracts whose delivery is not confirmed and of whose payments some net is left.
    pub unconfirmed: u32,
    /// Payments of which parts are ordered to be given back and were not yet.
    pub orders: u32,
    /// Block time after which it can be closed: nothing was confirmed or given back for so long.
    pub open_until_ms: u64,
    /// Whether it was closed.
    pub closed: bool,
}

/// Ids recorded in one block that may be forgotten after one hour.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PruneList {
    /// The previous height with ids of the same hour; 0 for none.
    pub previous: u64,
    /// The ids.
    pub ids: Vec<EnvelopeId>,
}

/// Read access to a state: a node's own, or a client's verified reads of a remote one.
pub trait View {
    /// The bytes under a key; `None` when provably absent.
    fn value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault>;

    /// The record under a key.
    fn get<T: Decode<()>>(&self, key: &Key) -> Result<Option<T>, Fault> {
        self.value(key)?.map(|bytes| decode_record(&bytes)).transpose()
    }

    /// Tells that these keys will be read soon: a remote view asks for them all at once.
    fn prefetch(&self, _keys: &[Key]) -> Result<(), Fault> {
        Ok(())
    }
}

/// Typed reads.
pub trait Records: View {
    /// The protocol version in force.
    fn protocol(&self) -> Result<u32, Fault> {
        self.get(&Key::Protocol)?.ok_or_else(|| Fault("the state holds no protocol version".into()))
    }
    /// The rulebook in force with its version.
    fn rulebook(&self) -> Result<(u32, Rulebook), Fault> {
        let missing = || Fault("the state holds no rulebook".into());
        let version: u32 = self.get(&Key::RulebookVersion)?.ok_or_else(missing)?;
        Ok((version, self.get(&Key::Rulebook(version))?.ok_or_else(missing)?))
    }
    /// The validators of the height after this state.
    fn validators(&self) -> Result<ValidatorSet, Fault> {
        validator_set(self, &Key::Validators)
    }
    /// The validators of the height after the next one.
    fn next_validators(&self) -> Result<ValidatorSet, Fault> {
        validator_set(self, &Key::NextValidators)
    }
    /// A member.
    fn member(&self, handle: &Handle) -> Result<Option<MemberRecord>, Fault> {
        self.get(&Key::Member(handle.clone()))
    }
    /// An asset.
    fn asset(&self, id: &AssetId) -> Result<Option<AssetRecord>, Fault> {
        self.get(&Key::Asset(*id))
    }
    /// Split and inputs of an asset.
    fn inputs(&self, id: &AssetId) -> Result<Option<AssetInputs>, Fault> {
        self.get(&Key::Inputs(*id))
    }
    /// The floors that bind what is derived from an asset.
    fn floors(&self, id: &AssetId) -> Result<Vec<Floor>, Fault> {
        Ok(self.get(&Key::Floors(*id))?.unwrap_or_default())
    }
    /// The current ownership of a right over a recorded asset.
    fn right(&self, id: &AssetId, asset: &AssetRecord, right: Right) -> Result<RightRecord, Fault> {
        let record = self.get(&Key::Right(*id, right))?;
        Ok(record.unwrap_or_else(|| RightRecord {
            epoch: 0,
            changes: 0,
            manager: asset.author.clone(),
            threshold_parts: None,
            signed: Vec::new(),
        }))
    }
    /// One ownership epoch of a right over a recorded asset.
    fn epoch(
        &self,
        id: &AssetId,
        asset: &AssetRecord,
        right: Right,
        epoch: u32,
    ) -> Result<EpochRecord, Fault> {
        if epoch == 0 {
            let owners = vec![Owner { member: asset.author.clone(), parts: 10_000 }];
            return Ok(EpochRecord { start_seq: asset.seq, height: asset.height, owners });
        }
        self.get(&Key::Epoch(*id, right, epoch))?
            .ok_or_else(|| Fault(format!("epoch {epoch} of the {right} right of {id} is missing")))
    }
    /// A transfer.
    fn transfer(&self, id: &TransferId) -> Result<Option<TransferRecord>, Fault> {
        self.get(&Key::Transfer(*id))
    }
    /// A grant.
    fn grant(&self, id: &GrantId) -> Result<Option<GrantRecord>, Fault> {
        self.get(&Key::Grant(*id))
    }
    /// A listing.
    fn listing(&self, id: &ListingId) -> Result<Option<ListingRecord>, Fault> {
        self.get(&Key::Listing(*id))
    }
    /// A contract.
    fn contract(&self, id: &ContractId) -> Result<Option<ContractRecord>, Fault> {
        self.get(&Key::Contract(*id))
    }
    /// A payment.
    fn payment(&self, id: &PaymentId) -> Result<Option<PaymentRecord>, Fault> {
        self.get(&Key::Payment(*id))
    }
    /// An account.
    fn account(&self, id: &AccountId) -> Result<Option<AccountRecord>, Fault> {
        self.get(&Key::Account(*id))
    }
    /// Count and peaks of a list.
    fn range(&self, relation: &Relation) -> Result<Range, Fault> {
        Ok(self.get(&Key::Range(relation.clone()))?.unwrap_or_default())
    }
    /// The attribution schedule of a product, computed from its ancestry.
    fn schedule(
        &self,
        product: &AssetId,
    ) -> Result<Vec<Claim<AssetId>>, ScheduleError<AssetId, Fault>> {
        self.schedule_within(product, MAX_ANCESTRY_EDGES)
    }
    /// The same when no more than so many edges may be walked.
    fn schedule_within(
        &self,
        product: &AssetId,
        max_edges: usize,
    ) -> Result<Vec<Claim<AssetId>>, ScheduleError<AssetId, Fault>> {
        let node = |id: &AssetId| {
            let found = self.inputs(id)?;
            let found = found.ok_or_else(|| Fault(format!("asset {id} has no inputs record")))?;
            let inputs = found.inputs.iter().map(|i| (i.asset, i.weight)).collect();
            Ok(AncestryNode { split: found.split, inputs })
        };
        crate::attribution::schedule(product, node, max_edges)
    }
}

impl<V: View> Records for V {}

fn validator_set<V: View + ?Sized>(view: &V, key: &Key) -> Result<ValidatorSet, Fault> {
    let list: Option<Vec<Validator>> = view.get(key)?;
    let list = list.ok_or_else(|| Fault("the state holds no validator set".into()))?;
    let set = ValidatorSet::with_known_keys(list);
    set.map_err(|e| Fault(format!("the state's validator set: {e}")))
}
