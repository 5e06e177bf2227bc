//! The rulebook a second time, as plainly as it can be put: every fact in an ordinary map, every
//! question answered by walking through all of them. No caches, no trees, no incremental sums.
//! Slow, and easy to check against the specification.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use headwater_ledger::event::Event;
use headwater_ledger::event::asset::{Metadata, Purpose, Stage};
use headwater_ledger::event::dispute::{Ruling, Subject};
use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::event::member::{MemberKey, Role, Scope, TwoKeyAct};
use headwater_ledger::event::rights::{GrantRight, Owner, Terms};
use headwater_ledger::hash::{
    AccessId, AccountId, AggregateId, AssetId, CertificateId, ChangeId, ContractId, Digest,
    DisputeId, GrantId, ListingId, OfferId, PaymentId, PayoutId, RegistrationId, RequestId,
    SetOffId, SuccessionId, TransferId,
};
use headwater_ledger::keys::PublicKey;
use headwater_ledger::money::Currency;
use headwater_ledger::reject::Code;
use headwater_ledger::split::{Right, Split};
use headwater_ledger::text::{Code as Text, Handle};

use crate::access::Access;
use crate::aggregate::Aggregate;
use crate::certificate::Certificate;
use crate::governance::Change;
use crate::registration::Registration;
use crate::share::{Cut, Held, Returned};
use crate::world::{BEGIN_MS, FIRST_KEYS, MEMBERS, handle, key, list};

pub const UNITS: u128 = 1_000_000_000_000_000_000;

/// Which key signed something, and when.
pub type Signed = (PublicKey, u64);

/// An owner's line of a claim.
pub type Line = (AssetId, Right, Handle);

/// A verdict of the model.
pub type Verdict = Result<(), Code>;

#[derive(Debug, Clone, Default)]
pub struct Member {
    pub roles: Vec<Role>,
    pub keys: BTreeMap<PublicKey, Vec<Scope>>,
    pub two_keys: Vec<TwoKeyAct>,
    pub suspended: bool,
    pub successor: Option<Handle>,
}

#[derive(Debug, Clone)]
pub struct Input {
    pub asset: AssetId,
    pub weight: u64,
    pub grant: Option<GrantId>,
}

/// A floor as it binds an asset: what of, how much, and how much reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    pub bp: u128,
    pub units: u128,
}

#[derive(Debug, Clone)]
pub struct Asset {
    pub author: Handle,
    pub name: String,
    pub stage: Stage,
    pub split: Split,
    pub inputs: Vec<Input>,
    pub purposes: Option<Vec<Purpose>>,
    /// Where it may be used, by the grants that it and what is above it were made under.
    pub territories: Option<Vec<Text>>,
    pub line: AssetId,
    pub version: u32,
    pub void: bool,
    pub consent_based: bool,
    pub root: Digest,
    pub duplicate: bool,
    /// Whether another's logged use had put the content out, and nobody had registered it.
    pub foreign: bool,
    pub cleared: bool,
    pub signed: Signed,
    pub metadata: Metadata,
    pub seq: u64,
    pub time: u64,
    /// When consent was withdrawn, and the deadline for a replacement.
    pub withdrawn: Option<(u64, u64)>,
    /// The attestations: their ordinals, with which key, and when that was found to have been in
    /// other hands.
    pub attested: Vec<(u64, Signed, Option<u64>)>,
    pub floors: BTreeMap<(AssetId, Option<Handle>), Bound>,
    /// The compliance reviews.
    pub reviews: Vec<Review>,
}

/// A compliance review.
#[derive(Debug, Clone)]
pub struct Review {
    pub by: Handle,
    pub accepts: bool,
    /// Whether no later one takes its place.
    pub stands: bool,
    /// Whether it matters to anybody else.
    pub counts: bool,
}

#[derive(Debug, Clone)]
pub struct Epoch {
    pub seq: u64,
    /// How often the right has changed.
    pub changes: u32,
    pub owners: BTreeMap<Handle, u16>,
    pub manager: Handle,
    pub threshold: Option<u16>,
    /// What signed the transfers since the last ruling.
    pub signed: Vec<Signed>,
}

#[derive(Debug, Clone)]
pub struct Transfer {
    pub asset: AssetId,
    pub right: Right,
    pub proposer: Handle,
    pub owners: BTreeMap<Handle, u16>,
    pub manager: Handle,
    pub threshold: Option<u16>,
    /// How often the right had changed when it was proposed.
    pub changes: u32,
    pub outstanding: Vec<Handle>,
    pub signed: Vec<Signed>,
    pub done: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Offered,
    Accepted,
    Declined,
    Revoked,
    Surrendered,
    Voided,
    Withdrawn,
}

#[derive(Debug, Clone)]
pub struct Grant {
    pub asset: AssetId,
    pub right: GrantRight,
    pub grantor: Handle,
    /// How often the right had changed when it was offered.
    pub changes: u32,
    pub grantee: Handle,
    pub terms: Terms,
    pub under: Vec<GrantId>,
    pub parent: Option<GrantId>,
    pub standing: Standing,
    pub end: u64,
    pub revoked: Option<u64>,
    pub revoked_by: Option<PublicKey>,
    pub file_by: u64,
    pub used: u32,
    pub signed: Signed,
    pub cleared: bool,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub asset: AssetId,
    pub right: GrantRight,
    pub by: Handle,
    pub terms: Terms,
    pub open: bool,
}

#[derive(Debug, Clone)]
pub struct Offer {
    pub asset: AssetId,
    pub right: GrantRight,
    pub grantor: Handle,
    pub terms: Terms,
    pub under: Vec<GrantId>,
    pub take_by: u64,
    pub withdrawn: bool,
    pub signed: Signed,
    /// How often the right had changed when it was made.
    pub changes: u32,
    /// The grant that each has taken last.
    pub taken: BTreeMap<Handle, GrantId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListingStanding {
    Pending,
    Accepted,
    Rejected,
    Delisted,
}

#[derive(Debug, Clone)]
pub struct Listing {
    pub asset: AssetId,
    pub seller: Handle,
    pub exchange: Handle,
    pub fee_bp: u16,
    pub grants: Vec<GrantId>,
    pub purposes: Option<Vec<Purpose>>,
    pub territories: Option<Vec<Text>>,
    pub standing: ListingStanding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContractStanding {
    Open,
    Declined,
    Withdrawn,
    Terminated,
}

#[derive(Debug, Clone)]
pub struct Contract {
    pub listing: ListingId,
    pub asset: AssetId,
    pub seller: Handle,
    pub buyer: Handle,
    pub exchange: Handle,
    pub price: u64,
    pub currency: Currency,
    pub fee_bp: u16,
    pub licence: headwater_ledger::event::market::Licence,
    pub sign_by: u64,
    pub signed: BTreeSet<&'static str>,
    /// With which keys it was proposed and signed.
    pub keys: Vec<Signed>,
    pub standing: ContractStanding,
    /// Who has said when that it wants it ended.
    pub wants_end: BTreeMap<&'static str, u64>,
    /// Whether the exchange has ended it, because an instalment was overdue.
    pub in_arrears: bool,
    pub instalments: Vec<(u64, u64)>,
    /// From when on a delivery that is recorded can be deemed confirmed.
    pub delivered: Option<u64>,
    pub confirmed: bool,
}

#[derive(Debug, Clone)]
pub struct Payment {
    pub id: PaymentId,
    pub contract: ContractId,
    pub account: AccountId,
    pub seq: u64,
    pub void_until: u64,
    pub gross: u64,
    pub net: u64,
    pub fee: u64,
    pub tax: u64,
    pub back_net: u64,
    pub back_fee: u64,
    pub back_tax: u64,
    pub orders: Vec<Order>,
    pub void: bool,
    pub reference: Text,
}

/// What a dispute ordered to be given back: net, fee and tax.
#[derive(Debug, Clone)]
pub struct Order {
    pub dispute: DisputeId,
    pub asked: (u64, u64, u64),
    pub met: (u64, u64, u64),
}

#[derive(Debug, Clone)]
pub struct Payout {
    pub account: AccountId,
    pub asset: AssetId,
    pub right: Right,
    pub owner: Handle,
    pub payee: Handle,
    pub amount: u64,
    pub contest_until: u64,
    pub standing: PayoutStanding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayoutStanding {
    Paid,
    Contested,
    Reversed,
}

/// What was payable on a line and met what another was paid too much.
#[derive(Debug, Clone)]
pub struct SetOff {
    pub account: AccountId,
    pub from: Line,
    pub to: Line,
    pub amount: u64,
}

#[derive(Debug, Clone)]
pub struct Account {
    pub product: AssetId,
    pub exchange: Handle,
    /// After when it can be closed.
    pub open_until: u64,
    /// The lines of epochs that got a unit of the residue, once closed.
    pub closed: Option<Vec<(Line, usize)>>,
}

#[derive(Debug, Clone)]
pub struct Hold {
    pub dispute: DisputeId,
    pub asset: AssetId,
    pub right: Right,
    pub owner: Handle,
    pub parts: u16,
    pub kind: Held,
    pub until: u64,
    /// The same once the ruling is appealed.
    pub appealed_until: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeStanding {
    Open,
    Ruled,
    Appealed,
    Final,
}

#[derive(Debug, Clone)]
pub struct Given {
    pub by: Handle,
    pub ruling: Ruling,
    /// Until when it can be appealed.
    pub appeal_until: u64,
    /// Where a grant that it voids stood.
    pub grant_was: Option<Standing>,
    /// What present parts it gave away.
    pub awarded: Option<Awarded>,
}

#[derive(Debug, Clone)]
pub struct Awarded {
    pub parts: u16,
    pub since: usize,
    pub manager_was: Option<Handle>,
}

#[derive(Debug, Clone)]
pub struct Dispute {
    pub subject: Subject,
    pub opener: Handle,
    pub respondents: Vec<Handle>,
    pub standing: DisputeStanding,
    pub rulings: Vec<Given>,
}

#[derive(Debug, Clone)]
pub struct Succession {
    pub member: Handle,
    pub successor: Handle,
    pub proposer: Handle,
    pub signed: Signed,
    pub accepted: bool,
}

/// All facts.
#[derive(Debug, Clone)]
pub struct Naive {
    pub now: u64,
    /// The height of the block being made.
    pub height: u64,
    pub protocol: u32,
    pub rulebook: Rulebook,
    pub members: BTreeMap<Handle, Member>,
    pub related: BTreeSet<(Handle, Handle)>,
    pub assets: BTreeMap<AssetId, Asset>,
    pub rights: BTreeMap<(AssetId, Right), Vec<Epoch>>,
    pub transfers: BTreeMap<TransferId, Transfer>,
    /// An act about an asset, who has approved it, and when.
    pub approvals: BTreeSet<(AssetId, Digest, Handle, Signed)>,
    pub grants: BTreeMap<GrantId, Grant>,
    pub requests: BTreeMap<RequestId, Request>,
    pub offers: BTreeMap<OfferId, Offer>,
    pub listings: BTreeMap<ListingId, Listing>,
    pub contracts: BTreeMap<ContractId, Contract>,
    pub payments: Vec<Payment>,
    pub payouts: BTreeMap<PayoutId, Payout>,
    pub set_offs: BTreeMap<SetOffId, SetOff>,
    pub accounts: BTreeMap<AccountId, Account>,
    /// What rulings cut out of claims.
    pub cuts: BTreeMap<(AccountId, AssetId, Right), Vec<Cut>>,
    /// What rulings on appeal gave back.
    pub returned: Vec<Returned>,
    /// The most parts that one ruling gave to somebody.
    pub awarded: BTreeMap<Line, u16>,
    pub holds: Vec<Hold>,
    pub held_once: BTreeSet<(Line, Handle)>,
    pub disputes: BTreeMap<DisputeId, Dispute>,
    pub successions: BTreeMap<SuccessionId, Succession>,
    pub references: BTreeSet<(Handle, Text)>,
    /// Whose each key is, for ever.
    pub key_owners: BTreeMap<PublicKey, Handle>,
    /// Whose keys were revoked, and since when they are said to have been in other hands.
    pub revoked: BTreeMap<PublicKey, (Handle, Option<u64>)>,
    /// What signed the addition of a key, and when.
    pub added: BTreeMap<PublicKey, Signed>,
    /// Who runs validators, with their power.
    pub validators: Vec<(Handle, u64)>,
    pub rulebooks: u32,
    pub changes: BTreeMap<ChangeId, Change>,
    /// The changes to be made, in the order in which they were decided.
    pub scheduled: Vec<ChangeId>,
    pub registrations: BTreeMap<RegistrationId, Registration>,
    /// Who had the access whose log put a content out first.
    pub outputs: BTreeMap<Digest, Handle>,
    pub accesses: BTreeMap<AccessId, Access>,
    pub certificates: BTreeMap<CertificateId, Certificate>,
    pub aggregates: BTreeMap<AggregateId, Aggregate>,
    pub valuations: BTreeMap<AssetId, (Handle, u64)>,
}

/// One act being judged.
pub struct Act<'a> {
    pub author: &'a Handle,
    pub event: &'a Event,
    /// The digest of the event's id.
    pub id: Digest,
    /// Its ordinal.
    pub seq: u64,
    /// The first of the keys that signed it.
    pub signer: PublicKey,
    /// The assets whose owners' approvals of it were looked at.
    pub spent: RefCell<BTreeSet<AssetId>>,
}

pub fn refuse<T>(code: Code) -> Result<T, Code> {
    Err(code)
}

/// Refuses unless something holds.
pub fn need(holds: bool, code: Code) -> Verdict {
    if holds { Ok(()) } else { Err(code) }
}

/// Whether a purpose is another or belongs to it.
pub fn allows_purpose(outer: Purpose, inner: Purpose) -> bool {
    let above: &[Purpose] = match inner {
        Purpose::DiseaseResearch => &[Purpose::HealthResearch, Purpose::GeneralResearch],
        Purpose::HealthResearch | Purpose::PopulationResearch => &[Purpose::GeneralResearch],
        Purpose::GeneralResearch
        | Purpose::ClinicalCare
        | Purpose::MethodDevelopment
        | Purpose::Commercial => &[],
    };
    outer == inner || above.contains(&outer)
}

/// Whether every purpose is allowed by one of others.
pub fn all_allowed(inner: &[Purpose], outer: &[Purpose]) -> bool {
    inner.iter().all(|i| outer.iter().any(|o| allows_purpose(*o, *i)))
}

/// Whether some use is meant by both.
pub fn purposes_meet(a: &[Purpose], b: &[Purpose]) -> bool {
    a.iter().any(|x| b.iter().any(|y| allows_purpose(*x, *y) || allows_purpose(*y, *x)))
}

/// Whether a territory lies in another.
pub fn covers(outer: &Text, inner: &Text) -> bool {
    inner == outer || inner.as_str().starts_with(&format!("{}-", outer.as_str()))
}

pub fn owners_of(list: &[Owner]) -> BTreeMap<Handle, u16> {
    list.iter().map(|o| (o.member.clone(), o.parts)).collect()
}

/// The model before the first step.
pub fn beginning(protocol: u32) -> Naive {
    let mut naive = Naive {
        now: BEGIN_MS,
        height: 1,
        protocol,
        rulebook: Rulebook::standard(),
        members: Default::default(),
        related: Default::default(),
        assets: Default::default(),
        rights: Default::default(),
        transfers: Default::default(),
        approvals: Default::default(),
        grants: Default::default(),
        requests: Default::default(),
        offers: Default::default(),
        listings: Default::default(),
        contracts: Default::default(),
        payments: Default::default(),
        payouts: Default::default(),
        set_offs: Default::default(),
        accounts: Default::default(),
        cuts: Default::default(),
        returned: Default::default(),
        awarded: Default::default(),
        holds: Default::default(),
        held_once: Default::default(),
        disputes: Default::default(),
        successions: Default::default(),
        references: Default::default(),
        key_owners: Default::default(),
        revoked: Default::default(),
        added: Default::default(),
        validators: Default::default(),
        rulebooks: 1,
        changes: Default::default(),
        scheduled: Default::default(),
        registrations: Default::default(),
        outputs: Default::default(),
        accesses: Default::default(),
        certificates: Default::default(),
        aggregates: Default::default(),
        valuations: Default::default(),
    };
    for (name, roles) in MEMBERS {
        let member = handle(name);
        let new = Member { roles: roles.to_vec(), ..Member::default() };
        naive.members.insert(member.clone(), new);
        for (name, scopes) in FIRST_KEYS {
            naive.give_key(&member, &MemberKey { key: key(&member, name), scopes: list(scopes) });
        }
        if roles.contains(&Role::Exchange) {
            naive.validators.push((member, 10));
        }
    }
    naive
}

impl Naive {
    /// The last successor of a member.
    pub fn acting(&self, handle: &Handle) -> Handle {
        self.succession(handle).pop().expect("at least itself")
    }

    pub fn is(&self, author: &Handle, handle: &Handle) -> bool {
        author == handle || self.acting(handle) == *author
    }

    /// A member and all its successors.
    pub fn succession(&self, handle: &Handle) -> Vec<Handle> {
        let mut line = vec![handle.clone()];
        while let Some(next) =
            self.members.get(line.last().unwrap()).and_then(|m| m.successor.clone())
        {
            line.push(next);
        }
        line
    }

    pub fn related(&self, a: &Handle, b: &Handle) -> bool {
        let (a, b) = (self.succession(a), self.succession(b));
        let said = |x: &Handle, y: &Handle| self.related.contains(&(x.clone(), y.clone()));
        a.last() == b.last() || a.iter().any(|x| b.iter().any(|y| said(x, y) || said(y, x)))
    }

    pub fn has_role(&self, handle: &Handle, role: Role) -> bool {
        self.members.get(handle).is_some_and(|m| m.roles.contains(&role))
    }

    pub fn epochs(&self, asset: &AssetId, right: Right) -> &[Epoch] {
        &self.rights[&(*asset, right)]
    }

    pub fn epoch(&self, asset: &AssetId, right: Right) -> &Epoch {
        self.epochs(asset, right).last().expect("every right has an epoch")
    }
}
