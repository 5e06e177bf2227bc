//! A node of one validator that runs the ledger's rules in memory and speaks the HTTP API: what it
//! records is executed, certified and proved like on a real network. It can be told to misbehave.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use headwater_ledger::certificate::{
    CommitCertificate, CommitSignature, VoteType, vote_sign_bytes,
};
use headwater_ledger::codec::{List, decode, encode};
use headwater_ledger::envelope::{SignedEnvelope, VerifiedEnvelope, event_id};
use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::event::member::{MemberKey, Role};
use headwater_ledger::event::{AdmitMember, Event, Scope};
use headwater_ledger::execute::{BlockContext, Execution, genesis_parent};
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::{ChainId, EnvelopeId, EventId};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::light::LightBlock;
use headwater_ledger::reject::{Refusal, Reject};
use headwater_ledger::state::{Key, Relation, State, View as _};
use headwater_ledger::validator::Validator;
use serde_json::{Value, json};

use crate::http::{self, Answer};

/// The member's key of every test.
pub fn seed(handle: &str) -> [u8; 32] {
    *blake3::hash(handle.as_bytes()).as_bytes()
}

const VALIDATOR_SEED: [u8; 32] = [200; 32];

fn member(handle: &str, roles: &[Role]) -> AdmitMember {
    let key = SigningKey::from_seed(&seed(handle)).public_key();
    let scopes = List::new(Scope::ALL.to_vec()).unwrap();
    AdmitMember {
        handle: handle.parse().unwrap(),
        name: handle.parse().unwrap(),
        roles: List::new(roles.to_vec()).unwrap(),
        keys: List::new(vec![MemberKey { key, scopes }]).unwrap(),
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// How a node treats what is sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As it should.
    Honest,
    /// It records, but never answers.
    Mute,
    /// It says that it recorded, but did not.
    Liar,
    /// It has no room.
    Full,
}

enum Fate {
    Recorded { height: u64, index: u64 },
    Waiting(Reject, Box<VerifiedEnvelope>),
    Refused(Reject),
}

/// The chain.
pub struct Chain {
    pub genesis: Genesis,
    chain_id: ChainId,
    state: State,
    blocks: Vec<LightBlock>,
    fates: BTreeMap<EnvelopeId, Fate>,
    events: Vec<(EventId, Event)>,
    /// Entries of lists by the bytes of their relation.
    lists: BTreeMap<Vec<u8>, Vec<String>>,
    /// Ids of the envelopes recorded, in order.
    pub recorded: Vec<EnvelopeId>,
    /// Every envelope received, as often as it was.
    pub received: Vec<EnvelopeId>,
    /// How far the chain's time is ahead of the clock.
    pub ahead_ms: u64,
    /// Number of envelopes in each batch received.
    pub batches: Vec<usize>,
    pub manner: Manner,
}

impl Chain {
    fn new(rulebook: Rulebook) -> Self {
        let key = SigningKey::from_seed(&VALIDATOR_SEED).public_key();
        let validators = vec![Validator { member: "bourse".parse().unwrap(), key, power: 1 }];
        let genesis = Genesis {
            rulebook: Some(rulebook),
            name: "test".parse().unwrap(),
            protocol: 1,
            time_ms: now_ms() - 60_000,
            members: List::new(vec![
                member("bourse", &[Role::Exchange]),
                member("clinic", &[Role::Holder]),
                member("works", &[Role::Processor, Role::Operator]),
                member("pharma", &[Role::Buyer]),
                member("watch", &[Role::Regulator]),
            ])
            .unwrap(),
            validators: List::new(validators).unwrap(),
        };
        let mut chain = Chain {
            chain_id: genesis.chain_id().unwrap(),
            state: State::genesis(&genesis).unwrap(),
            genesis,
            blocks: Vec::new(),
            fates: BTreeMap::new(),
            events: Vec::new(),
            lists: BTreeMap::new(),
            recorded: Vec::new(),
            received: Vec::new(),
            ahead_ms: 0,
            batches: Vec::new(),
            manner: Manner::Honest,
        };
        chain.block(&[]);
        chain
    }

    fn context(&self) -> BlockContext {
        let last_ms = self.blocks.last().map_or(self.genesis.time_ms, |b| b.header.time_ms);
        BlockContext {
            chain_id: self.chain_id,
            height: self.blocks.len() as u64 + 1,
            time_ms: (now_ms() + self.ahead_ms).max(last_ms + 1),
        }
    }

    /// Makes a block of envelopes that are known to pass.
    fn block(&mut self, envelopes: &[&VerifiedEnvelope]) {
        let context = self.context();
        let mut execution = Execution::begin(&self.state, context).unwrap();
        for envelope in envelopes {
            execution.apply(envelope).unwrap();
        }
        let executed = execution.finish().unwrap();
        let parent = match self.blocks.last() {
            Some(block) => block.certificate.block_id,
            None => genesis_parent(&self.chain_id),
        };
        let validators = self.genesis.validators.to_vec();
        let proposer = validators[0].address();
        let header = executed.header(&context, parent, proposer);
        let block_id = header.id().unwrap();
        let height = context.height;
        let message =
            vote_sign_bytes(&self.chain_id, VoteType::Precommit, height, 0, Some(&block_id));
        let signature = SigningKey::from_seed(&VALIDATOR_SEED).sign(&message);
        let signatures = vec![CommitSignature { validator: proposer, signature }];
        let certificate = CommitCertificate { height, round: 0, block_id, signatures };
        self.blocks.push(LightBlock { header, certificate, validators });
        for appended in executed.effects.iter().flat_map(|effects| &effects.appended) {
            let list = self.lists.entry(encode(&appended.relation).unwrap()).or_default();
            list.push(hex::encode(appended.entry));
        }
        self.state = executed.state;
        for (envelope, index) in envelopes.iter().zip(0u64..) {
            let id = envelope.id();
            self.recorded.push(id);
            self.fates.insert(id, Fate::Recorded { height, index });
            for (event, place) in envelope.events().iter().zip(0u32..) {
                self.events.push((event_id(&id, place), event.clone()));
            }
        }
    }

    fn try_one(&mut self, envelope: VerifiedEnvelope) {
        let mut trial = Execution::begin(&self.state, self.context()).unwrap();
        let tried = trial.apply(&envelope).map(|_| ());
        match tried {
            Ok(()) => self.block(&[&envelope]),
            Err(Refusal::Reject(reject)) if reject.code.is_transient() => {
                let id = envelope.id();
                self.fates.insert(id, Fate::Waiting(reject, Box::new(envelope)));
            }
            Err(Refusal::Reject(reject)) => {
                self.fates.insert(envelope.id(), Fate::Refused(reject));
            }
            Err(Refusal::Fault(fault)) => panic!("{fault}"),
        }
    }

    fn submit(&mut self, bytes: &[u8]) -> Value {
        let verified = SignedEnvelope::from_bytes(bytes).and_then(SignedEnvelope::verify);
        let envelope = verified.expect("the client sends envelopes that verify");
        let id = envelope.id();
        self.received.push(id);
        match self.manner {
            Manner::Full => {
                return json!({ "id": id, "status": "refused", "code": "MEMPOOL_FULL",
                    "number": null, "rule": null, "message": "no room", "hint": "wait",
                    "final": false });
            }
            Manner::Liar => {
                return json!({ "id": id, "status": "recorded", "height": 1, "index": 0 });
            }
            Manner::Honest | Manner::Mute => {}
        }
        if !self.fates.contains_key(&id) {
            self.try_one(envelope);
            self.wake();
        }
        self.status(&id)
    }

    /// Tries again what waits.
    fn wake(&mut self) {
        loop {
            let height = self.blocks.len();
            let waiting = self.fates.values().filter_map(|fate| match fate {
                Fate::Waiting(_, envelope) => Some(envelope.as_ref().clone()),
                Fate::Recorded { .. } | Fate::Refused(_) => None,
            });
            for envelope in waiting.collect::<Vec<_>>() {
                self.try_one(envelope);
            }
            if self.blocks.len() == height {
                return;
            }
        }
    }

    fn status(&self, id: &EnvelopeId) -> Value {
        let turned = |status: &str, reject: &Reject| {
            json!({ "id": id, "status": status, "code": reject.code.name(),
                "number": reject.code.number(), "rule": reject.code.tag(),
                "message": reject.message, "hint": reject.code.help(),
                "final": !reject.code.is_transient() })
        };
        match self.fates.get(id) {
            None => json!({ "id": id, "status": "unknown" }),
            Some(Fate::Recorded { height, index }) => {
                json!({ "id": id, "status": "recorded", "height": height, "index": index })
            }
            Some(Fate::Waiting(reject, _)) => turned("waiting", reject),
            Some(Fate::Refused(reject)) => turned("refused", reject),
        }
    }

    fn read(&self, request: &Value) -> Value {
        let key = |text: &Value| -> Key {
            decode(&hex::decode(text.as_str().unwrap()).unwrap(), 512).unwrap()
        };
        let keys: Vec<Key> = request["keys"].as_array().unwrap().iter().map(key).collect();
        let hashes: Vec<[u8; 32]> = keys.iter().map(|key| key.hash().unwrap()).collect();
        let values: Vec<Option<String>> =
            keys.iter().map(|key| self.state.value(key).unwrap().map(hex::encode)).collect();
        let asked = request["height"].as_u64().unwrap_or(self.blocks.len() as u64);
        assert_eq!(asked, self.blocks.len() as u64, "only the latest state is kept");
        let proof = self.state.map().prove_many(&hashes);
        json!({ "block": self.blocks.last().unwrap(), "values": values, "proof": proof })
    }

    fn list(&self, request: &Value) -> Value {
        let relation: Relation = serde_json::from_value(request["relation"].clone()).unwrap();
        let entries = self.lists.get(&encode(&relation).unwrap());
        let entries = entries.into_iter().flatten();
        let [from, limit] = ["from", "limit"].map(|name| request[name].as_u64().unwrap() as usize);
        let entries: Vec<&String> = entries.skip(from).take(limit).collect();
        json!({ "entries": entries })
    }

    fn event(&self, prefix: &str) -> (u16, Value) {
        let found: Vec<&(EventId, Event)> =
            self.events.iter().filter(|(id, _)| id.to_string().starts_with(prefix)).collect();
        match found[..] {
            [_, _, ..] => {
                let message = format!("several event ids begin with {prefix}");
                let error = json!({ "code": "AMBIGUOUS_ID", "message": message, "hint": "" });
                (400, json!({ "error": error }))
            }
            [(id, event)] => (200, json!({ "id": id, "event": event, "author": "x" })),
            [] => {
                let error = json!({ "code": "UNKNOWN_EVENT", "message": "none", "hint": "" });
                (404, json!({ "error": error }))
            }
        }
    }

    /// Makes up an event whose id begins like that of the last one.
    pub fn forge_alike(&mut self) {
        let (id, event) = self.events.last().unwrap().clone();
        let mut text = id.to_string();
        let last = if text.ends_with('0') { '1' } else { '0' };
        text.pop();
        text.push(last);
        self.events.push((text.parse().unwrap(), event));
    }

    /// The id of the last event.
    pub fn last_event(&self) -> EventId {
        self.events.last().unwrap().0
    }

    /// The time of each height from 1.
    pub fn times(&self) -> Vec<u64> {
        self.blocks.iter().map(|block| block.header.time_ms).collect()
    }

    /// Makes an empty block, so that the chain's time goes on.
    pub fn tick(&mut self) {
        self.block(&[]);
    }

    /// Whether there is a record under a key.
    pub fn has(&self, key: &Key) -> bool {
        self.state.value(key).unwrap().is_some()
    }

    /// The state, for typed reads.
    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn chain_id(&self) -> ChainId {
        self.chain_id
    }
}

/// A node on this machine, until the test ends.
#[derive(Clone)]
pub struct Node {
    pub url: String,
    pub chain: Arc<Mutex<Chain>>,
}

impl Node {
    pub fn start(rulebook: Rulebook) -> Self {
        let chain = Arc::new(Mutex::new(Chain::new(rulebook)));
        let served = chain.clone();
        let url = http::serve(move |target, body| answer(&served, target, body));
        Node { url, chain }
    }

    pub fn manner(&self, manner: Manner) {
        self.chain.lock().unwrap().manner = manner;
    }
}

fn answer(chain: &Mutex<Chain>, target: &str, body: &[u8]) -> Answer {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if let Some(id) = path.strip_prefix("/v1/envelopes/") {
        let id = id.parse().unwrap();
        let status = chain.lock().unwrap().status(&id);
        let settled = matches!(status["status"].as_str(), Some("recorded" | "refused"));
        if !settled && query != "wait_ms=0" {
            std::thread::sleep(Duration::from_millis(50));
        }
        return Some((200, chain.lock().unwrap().status(&id)));
    }
    let mut chain = chain.lock().unwrap();
    if let Some(prefix) = path.strip_prefix("/v1/events/") {
        return Some(chain.event(prefix));
    }
    if let Some(height) = path.strip_prefix("/v1/blocks/") {
        let height = match height {
            "latest" => chain.blocks.len(),
            height => height.parse().unwrap(),
        };
        return Some((200, json!(chain.blocks[height - 1])));
    }
    match path {
        "/v1/genesis" => Some((200, json!(chain.genesis))),
        "/v1/state" => Some((200, chain.read(&serde_json::from_slice(body).unwrap()))),
        "/v1/lists" => Some((200, chain.list(&serde_json::from_slice(body).unwrap()))),
        "/v1/envelopes" => {
            let (mut rest, mut results) = (body, Vec::new());
            while let Some((len, after)) = rest.split_first_chunk::<4>() {
                let (bytes, after) = after.split_at(u32::from_le_bytes(*len) as usize);
                results.push(chain.submit(bytes));
                rest = after;
            }
            chain.batches.push(results.len());
            (chain.manner != Manner::Mute).then(|| (200, json!({ "results": results })))
        }
        _ => panic!("unexpected request {target}"),
    }
}
