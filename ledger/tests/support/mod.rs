//! A small world for tests: a genesis with everyone in it, one block for each envelope, a clock
//! that the test sets, and short names for events.
//!
//! Everything goes the real way: bytes, decoding, verification, execution.

#![allow(dead_code, unused_imports)] // each test file uses a part of it

pub mod events;
pub mod market;
pub mod members;
pub mod money;
pub mod payouts;
pub mod rights;
pub mod story;

use std::collections::BTreeMap;

use headwater_ledger::codec::List;
use headwater_ledger::envelope::{
    ENVELOPE_VERSION, Envelope, EnvelopeHeader, SignedEnvelope, asset_id, event_id,
};
use headwater_ledger::event::member::{MemberKey, Role, Scope};
use headwater_ledger::event::{AdmitMember, Event};
use headwater_ledger::execute::{Appended, BlockContext, Effects, Execution};
use headwater_ledger::genesis::{Genesis, PROTOCOL_VERSION};
use headwater_ledger::hash::{
    AssetId, ChainId, ContractId, Digest, DisputeId, EnvelopeId, GrantId, ListingId, PaymentId,
    TransferId,
};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::reject::{Code, Refusal, Reject};
use headwater_ledger::state::record::{AssetRecord, Records};
use headwater_ledger::state::{State, View};
use headwater_ledger::text::Handle;
use headwater_ledger::validator::Validator;

pub use events::*;

/// Block time of genesis, milliseconds since 1970.
pub const GENESIS_MS: u64 = 1_780_000_000_000;
pub const HOUR_MS: u64 = 3_600_000;
pub const DAY_MS: u64 = 24 * HOUR_MS;

pub const GZ: &str = "gz-exchange";
pub const BJ: &str = "bj-exchange";
pub const REGULATOR: &str = "health-bureau";
pub const CHEST: &str = "chest-hospital";
pub const COUNTY: &str = "county-hospital";
pub const FUND: &str = "patients-fund";
pub const LAB: &str = "clean-lab";
pub const INSIGHT: &str = "insight-co";
pub const BUYER: &str = "pharma-co";

pub const BUREAU: &str = "data-bureau";
pub const APPRAISER: &str = "fair-value";

const MEMBERS: [(&str, Role); 11] = [
    (GZ, Role::Exchange),
    (BJ, Role::Exchange),
    (REGULATOR, Role::Regulator),
    (CHEST, Role::Holder),
    (COUNTY, Role::Holder),
    (FUND, Role::Holder),
    (LAB, Role::Processor),
    (INSIGHT, Role::Operator),
    (BUYER, Role::Buyer),
    (BUREAU, Role::Regulator),
    (APPRAISER, Role::Appraiser),
];

pub fn handle(text: &str) -> Handle {
    text.parse().unwrap_or_else(|e| panic!("{e}"))
}

pub fn list<T: Clone, const MAX: usize>(items: &[T]) -> List<T, MAX> {
    List::new(items.to_vec()).unwrap_or_else(|_| panic!("more than {MAX} items"))
}

/// The signing key with this name; a member's own key has the name of the member.
pub fn key(name: &str) -> SigningKey {
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SigningKey::from_seed(&seed)
}

/// The county hospital's second key, which may only register.
pub const PIPELINE_KEY: &str = "county-hospital/pipeline";

pub fn genesis() -> Genesis {
    let members: Vec<AdmitMember> = MEMBERS
        .iter()
        .map(|(name, role)| {
            let mut member = admit(name, *role);
            if *name == COUNTY {
                let mut keys = member.keys.into_inner();
                let scopes = list(&[Scope::Register]);
                keys.push(MemberKey { key: key(PIPELINE_KEY).public_key(), scopes });
                member.keys = list(&keys);
            }
            member
        })
        .collect();
    let validator = |name: &str| Validator {
        member: handle(name),
        key: key(&format!("{name}/consensus")).public_key(),
        power: 10,
    };
    Genesis {
        rulebook: Default::default(),
        name: "test".parse().unwrap(),
        protocol: PROTOCOL_VERSION,
        time_ms: GENESIS_MS,
        members: list(&members),
        validators: list(&[validator(GZ), validator(BJ)]),
    }
}

/// What one recorded envelope did.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub id: EnvelopeId,
    pub effects: Effects,
}

impl Recorded {
    /// The digest of the first event's id, which names what the event created.
    pub fn first(&self) -> Digest {
        *event_id(&self.id, 0).digest()
    }
    pub fn grant(&self) -> GrantId {
        GrantId::from_digest(self.first())
    }
    pub fn transfer(&self) -> TransferId {
        TransferId::from_digest(self.first())
    }
    pub fn listing(&self) -> ListingId {
        ListingId::from_digest(self.first())
    }
    pub fn contract(&self) -> ContractId {
        ContractId::from_digest(self.first())
    }
    pub fn payment(&self) -> PaymentId {
        PaymentId::from_digest(self.first())
    }
    pub fn dispute(&self) -> DisputeId {
        DisputeId::from_digest(self.first())
    }
}

/// A ledger and its clock.
#[derive(Debug, Clone)]
pub struct World {
    pub chain: ChainId,
    pub state: State,
    /// Height of the last block.
    pub height: u64,
    /// Time of the next block, milliseconds since 1970.
    pub now_ms: u64,
    /// Time and envelope of every block so far.
    pub log: Vec<(u64, Vec<u8>)>,
    /// Envelopes that come before the next one in its block.
    pub before: Vec<Vec<u8>>,
    /// What the story has named so far.
    pub named: BTreeMap<&'static str, Digest>,
    /// What blocks appended to lists, in order.
    pub appended: Vec<Appended>,
    salt: u64,
}

impl Default for World {
    fn default() -> Self {
        World::of_protocol(PROTOCOL_VERSION)
    }
}

impl World {
    /// A ledger that begins with a protocol version.
    pub fn of_protocol(protocol: u32) -> World {
        let genesis = Genesis { protocol, ..genesis() };
        World {
            chain: genesis.chain_id().unwrap(),
            state: State::genesis(&genesis).unwrap(),
            height: 0,
            now_ms: GENESIS_MS + 1_000,
            log: Vec::new(),
            before: Vec::new(),
            named: BTreeMap::new(),
            appended: Vec::new(),
            salt: 0,
        }
    }
}

impl World {
    /// The id of the asset shown as `author/name`.
    pub fn asset(&self, shown: &str) -> AssetId {
        let (author, name) = shown.split_once('/').expect("author/name");
        asset_id(&self.chain, &handle(author), &name.parse().unwrap())
    }

    pub fn asset_record(&self, shown: &str) -> AssetRecord {
        self.state.asset(&self.asset(shown)).unwrap().unwrap_or_else(|| panic!("no {shown}"))
    }

    /// An envelope that may be recorded within the hour, with a salt of its own.
    pub fn envelope(&mut self, author: &str, events: Vec<Event>) -> Envelope {
        self.salt += 1;
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.salt.to_le_bytes());
        Envelope {
            header: EnvelopeHeader {
                version: ENVELOPE_VERSION,
                chain_id: self.chain,
                author: handle(author),
                not_after_ms: self.now_ms + HOUR_MS,
                salt,
            },
            events: list(&events.into_iter().map(|e| of_its_own(author, e)).collect::<Vec<_>>()),
        }
    }

    /// The bytes of an envelope with one act, signed by its author.
    pub fn by(&mut self, author: &str, act: impl Act) -> Vec<u8> {
        let envelope = self.envelope(author, vec![act.event()]);
        signed(envelope, &[author])
    }

    pub fn context(&self) -> BlockContext {
        BlockContext { chain_id: self.chain, height: self.height + 1, time_ms: self.now_ms }
    }

    /// Makes a block of one envelope, or tells why not and makes none. A fault fails the test.
    pub fn submit(&mut self, bytes: &[u8]) -> Result<Recorded, Reject> {
        let envelope = SignedEnvelope::from_bytes(bytes)?.verify()?;
        let mut execution = Execution::begin(&self.state, self.context()).unwrap();
        let effects = match execution.apply(&envelope) {
            Ok(effects) => effects.clone(),
            Err(Refusal::Reject(reject)) => return Err(reject),
            Err(Refusal::Fault(fault)) => panic!("the ledger failed: {fault}"),
        };
        self.state = execution.finish().unwrap().state;
        self.appended.extend(effects.appended.iter().cloned());
        self.log.push((self.now_ms, bytes.to_vec()));
        self.height += 1;
        self.now_ms += 1_000;
        Ok(Recorded { id: envelope.id(), effects })
    }

    /// Records one act; a refusal fails the test.
    pub fn record(&mut self, author: &str, act: impl Act) -> Recorded {
        let bytes = self.by(author, act);
        self.submit(&bytes).unwrap_or_else(|r| panic!("{author} was refused: {} {r}", r.code))
    }

    /// Records many acts in one envelope; a refusal fails the test.
    pub fn all(&mut self, author: &str, events: Vec<Event>) -> Recorded {
        let envelope = self.envelope(author, events);
        let bytes = signed(envelope, &[author]);
        self.submit(&bytes).unwrap_or_else(|r| panic!("{author} was refused: {} {r}", r.code))
    }

    /// The code that refuses one act; a pass fails the test.
    pub fn refused(&mut self, author: &str, act: impl Act) -> Code {
        let bytes = self.by(author, act);
        match self.submit(&bytes) {
            Ok(_) => panic!("an act of {author} was recorded"),
            Err(reject) => reject.code,
        }
    }

    /// Lets an amount of block time pass.
    pub fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
    }
}

/// Two members' assets of the same name have different content, unless a test says otherwise.
fn of_its_own(author: &str, mut event: Event) -> Event {
    if let Event::RegisterAsset(e) = &mut event
        && e.content.root == digest(&e.name.to_string())
    {
        e.content.root = digest(&format!("{author}/{}", e.name));
    }
    event
}

/// The bytes of an envelope signed with the keys of these names.
pub fn signed(envelope: Envelope, keys: &[&str]) -> Vec<u8> {
    let keys: Vec<SigningKey> = keys.iter().map(|name| key(name)).collect();
    let keys: Vec<&SigningKey> = keys.iter().collect();
    envelope.sign(&keys).unwrap().to_bytes().unwrap()
}
