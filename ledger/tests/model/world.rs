//! The ledger under test: a chain in memory, one envelope a block, with the lists of its state.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use headwater_ledger::codec::{List, encode};
use headwater_ledger::envelope::{
    ENVELOPE_VERSION, Envelope, EnvelopeHeader, VerifiedEnvelope, asset_id, event_id,
};
use headwater_ledger::event::Event;
use headwater_ledger::event::member::{Role, Scope};
use headwater_ledger::execute::{BlockContext, Execution};
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::{AssetId, ChainId, Digest};
use headwater_ledger::keys::{PublicKey, SigningKey};
use headwater_ledger::query::{ListEntry, Lists};
use headwater_ledger::reject::{Fault, Refusal, Reject};
use headwater_ledger::scenario::Scenario;
use headwater_ledger::state::{Key, Relation, State, View};
use headwater_ledger::text::Handle;

/// Time of genesis.
pub const BEGIN_MS: u64 = 1_800_000_000_000;

/// The members of every history.
pub const MEMBERS: [(&str, &[Role]); 12] = [
    ("gz-exchange", &[Role::Exchange]),
    ("bj-exchange", &[Role::Exchange]),
    ("chest-hospital", &[Role::Holder]),
    ("county-hospital", &[Role::Holder]),
    ("patients-fund", &[Role::Holder]),
    ("clean-lab", &[Role::Processor]),
    ("insight-co", &[Role::Operator]),
    ("cover-insurance", &[Role::Buyer]),
    ("fair-appraiser", &[Role::Appraiser]),
    ("health-regulator", &[Role::Regulator]),
    ("data-regulator", &[Role::Regulator]),
    ("third-regulator", &[Role::Regulator]),
];

/// One act of a history. Its ids depend on nothing but itself, so that others can be left out.
#[derive(Debug, Clone)]
pub struct Step {
    pub author: Handle,
    pub event: Event,
    /// The names of his keys that sign it.
    pub keys: Vec<&'static str>,
    pub time_ms: u64,
    pub salt: u64,
    /// For an approval: the act approved, and who is to do it.
    pub approves: Option<(Handle, Event)>,
}

pub fn handle(text: &str) -> Handle {
    text.parse().unwrap()
}

pub fn list<T: Clone, const MAX: usize>(items: &[T]) -> List<T, MAX> {
    List::new(items.to_vec()).ok().expect("within the limit")
}

/// The names of the keys that members have, or come to have.
pub const KEYS: [&str; 5] = ["main", "second", "desk", "third", "spare"];

/// Those that every member of the beginning has, and what each may sign.
pub const FIRST_KEYS: [(&str, &[Scope]); 3] = [
    ("main", &Scope::ALL),
    ("second", &Scope::ALL),
    ("desk", &[Scope::Register, Scope::Rights, Scope::Contract]),
];

/// A member that an exchange may admit later.
pub const NEWCOMER: &str = "late-clinic";

/// The keys that the scenario language derives, by member and name.
static SIGNING: LazyLock<BTreeMap<(&str, &str), SigningKey>> = LazyLock::new(|| {
    let members = MEMBERS.iter().map(|(member, _)| *member).chain([NEWCOMER]);
    let all = members.flat_map(|member| KEYS.map(|name| (member, name)));
    let key = |(member, name): (&str, &str)| {
        let text = format!("{member}/{name}");
        let seed = blake3::derive_key("headwater 2026-11 scenario key", text.as_bytes());
        SigningKey::from_seed(&seed)
    };
    all.map(|of| (of, key(of))).collect()
});

static PUBLIC: LazyLock<BTreeMap<(&str, &str), PublicKey>> =
    LazyLock::new(|| SIGNING.iter().map(|(of, key)| (*of, key.public_key())).collect());

/// The public key of this name of a member.
pub fn key(member: &Handle, name: &str) -> PublicKey {
    PUBLIC[&(member.as_str(), name)]
}

/// The first lines of the scenario of a history.
pub fn beginning(protocol: u32) -> String {
    let mut text = format!("protocol {protocol}\ntime @{BEGIN_MS}\n");
    let keys = FIRST_KEYS.map(|(name, scopes)| {
        let scopes: Vec<String> = scopes.iter().map(|s| format!("{s:?}").to_lowercase()).collect();
        format!("{name}[{}]", scopes.join(", "))
    });
    for (name, roles) in MEMBERS {
        let roles: Vec<String> = roles.iter().map(|r| format!("{r:?}").to_lowercase()).collect();
        let roles = roles.join(", ");
        text.push_str(&format!("member {name}: {roles} keys {}\n", keys.join(", ")));
    }
    text
}

fn genesis(protocol: u32) -> Genesis {
    Scenario::parse("model", &beginning(protocol)).unwrap().genesis().unwrap()
}

/// A chain in memory.
pub struct World {
    pub chain: ChainId,
    pub state: State,
    pub height: u64,
    lists: BTreeMap<Vec<u8>, Vec<ListEntry>>,
}

impl View for World {
    fn value(&self, key: &Key) -> Result<Option<std::sync::Arc<[u8]>>, Fault> {
        self.state.value(key)
    }
}

impl Lists for World {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        Ok(self.lists.get(&encode(relation)?).cloned().unwrap_or_default())
    }
}

impl World {
    pub fn new(protocol: u32) -> Self {
        let genesis = genesis(protocol);
        World {
            chain: genesis.chain_id().unwrap(),
            state: State::genesis(&genesis).unwrap(),
            height: 0,
            lists: BTreeMap::new(),
        }
    }

    /// The digest of the id of a step's event, and the id of the asset it registers.
    pub fn ids(chain: &ChainId, step: &Step) -> (Digest, Option<AssetId>) {
        let event = event_id(&envelope(chain, step).id().unwrap(), 0);
        let asset = match &step.event {
            Event::RegisterAsset(e) => Some(asset_id(chain, &step.author, &e.name)),
            _ => None,
        };
        (*event.digest(), asset)
    }

    /// Makes a block of one step, or tells why not; the chain goes on without it then.
    pub fn submit(&mut self, step: &Step) -> Result<(), Reject> {
        let verified = signed(&self.chain, step);
        let context =
            BlockContext { chain_id: self.chain, height: self.height + 1, time_ms: step.time_ms };
        let mut execution = Execution::begin(&self.state, context).unwrap();
        let verdict = match execution.apply(&verified) {
            Ok(_) => Ok(()),
            Err(Refusal::Reject(reject)) => Err(reject),
            Err(Refusal::Fault(fault)) => panic!("the ledger failed: {fault}: {step:?}"),
        };
        if verdict.is_ok() {
            let executed = execution.finish().unwrap();
            for appended in executed.effects.iter().flat_map(|e| &e.appended) {
                let list = self.lists.entry(encode(&appended.relation).unwrap()).or_default();
                list.push(ListEntry::from_bytes(&appended.entry).unwrap());
            }
            self.state = executed.state;
            self.height += 1;
        }
        verdict
    }
}

fn envelope(chain: &ChainId, step: &Step) -> Envelope {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&step.salt.to_le_bytes());
    let header = EnvelopeHeader {
        version: ENVELOPE_VERSION,
        chain_id: *chain,
        author: step.author.clone(),
        not_after_ms: step.time_ms + 3_600_000,
        salt,
    };
    Envelope { header, events: list(std::slice::from_ref(&step.event)) }
}

fn signed(chain: &ChainId, step: &Step) -> VerifiedEnvelope {
    let keys = step.keys.iter().map(|name| &SIGNING[&(step.author.as_str(), *name)]);
    envelope(chain, step).sign(&keys.collect::<Vec<_>>()).unwrap().verify().unwrap()
}
