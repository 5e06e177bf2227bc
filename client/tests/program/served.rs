//! A node that serves the blocks and states of a known history, and can be told to lie.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use headwater_ledger::block::Header;
use headwater_ledger::certificate::{
    CommitCertificate, CommitSignature, VoteType, vote_sign_bytes,
};
use headwater_ledger::codec::{decode, encode};
use headwater_ledger::execute::genesis_parent;
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::Digest;
use headwater_ledger::keys::SigningKey;
use headwater_ledger::light::LightBlock;
use headwater_ledger::query::ListEntry;
use headwater_ledger::state::{Key, Relation, State, View as _};
use headwater_ledger::validator::{Validator, ValidatorSet};
use serde_json::{Value, json};

use crate::http;
use crate::user::User;
use crate::world::{BiopsyReport, World, biopsy_report};

/// Changes an honest answer: the path, the request, the answer.
pub type Lie = Box<dyn Fn(&Served, &str, &Value, &mut Value) + Send + Sync>;

/// What a node serves.
pub struct Served {
    pub genesis: Genesis,
    /// The light block of each height from 1.
    pub blocks: Vec<LightBlock>,
    /// The state after each height from 1.
    pub states: Vec<State>,
    pub lists: BTreeMap<Vec<u8>, Vec<ListEntry>>,
    /// The height it is at.
    pub height: u64,
    /// So often it says that a state is being made again.
    pub rebuilding: AtomicU32,
}

impl Served {
    pub fn of(world: World) -> Self {
        let height = world.height();
        let World { genesis, mut states, blocks, lists, .. } = world;
        states.remove(0);
        Served { genesis, blocks, states, lists, height, rebuilding: AtomicU32::new(0) }
    }

    pub fn at(&self, height: u64) -> (&LightBlock, &State) {
        let at = usize::try_from(height).unwrap() - 1;
        (&self.blocks[at], &self.states[at])
    }

    /// The honest answer to a request for these keys at a height.
    pub fn prove(&self, height: u64, keys: &[Key]) -> Value {
        let (block, state) = self.at(height);
        let hashes: Vec<[u8; 32]> = keys.iter().map(|key| key.hash().unwrap()).collect();
        let values: Vec<Option<String>> =
            keys.iter().map(|key| state.value(key).unwrap().map(hex::encode)).collect();
        json!({ "block": block, "values": values, "proof": state.map().prove_many(&hashes) })
    }

    pub fn answer(&self, path: &str, request: &Value) -> (u16, Value) {
        let error = |status, code: &str| {
            (status, json!({ "error": { "code": code, "message": "a sentence", "hint": null } }))
        };
        if let Some(height) = path.strip_prefix("/v1/blocks/") {
            let height = if height == "latest" { Ok(self.height) } else { height.parse() };
            return match height {
                Ok(height) if height <= self.height => (200, json!(self.at(height).0)),
                _ => error(404, "UNKNOWN_HEIGHT"),
            };
        }
        match path {
            "/v1/genesis" => (200, json!(self.genesis)),
            "/v1/status" => {
                let mempool = json!({ "envelopes": 0, "bytes": 0, "waiting": 0 });
                let status = json!({
                    "moniker": "n1", "version": "0.1.0", "protocol": 1, "height": self.height,
                    "index_height": self.height, "min_state_height": 1, "mempool": mempool,
                    "something_new": true,
                });
                (200, status)
            }
            "/v1/state" => {
                let height = request["height"].as_u64().unwrap_or(self.height);
                let less = |n: u32| n.checked_sub(1);
                if self.rebuilding.fetch_update(Relaxed, Relaxed, less).is_ok() {
                    return error(503, "STATE_REBUILDING");
                }
                if height > self.height {
                    return error(404, "UNKNOWN_HEIGHT");
                }
                (200, self.prove(height, &keys(request)))
            }
            "/v1/lists" => {
                let relation: Relation =
                    serde_json::from_value(request["relation"].clone()).unwrap();
                let list = self.lists.get(&encode(&relation).unwrap()).cloned().unwrap_or_default();
                let piece = list
                    .iter()
                    .skip(request["from"].as_u64().unwrap() as usize)
                    .take(request["limit"].as_u64().unwrap() as usize);
                let piece: Vec<String> = piece.map(|entry| hex::encode(entry.to_bytes())).collect();
                (200, json!({ "entries": piece }))
            }
            _ => error(404, "UNKNOWN_ROUTE"),
        }
    }
}

pub fn keys(request: &Value) -> Vec<Key> {
    let key = |text: &Value| {
        let bytes = hex::decode(text.as_str().unwrap()).unwrap();
        decode(&bytes, 512).unwrap()
    };
    request["keys"].as_array().unwrap().iter().map(key).collect()
}

/// A node on this machine, until the test ends.
pub struct FakeNode {
    pub url: String,
    lie: Arc<Mutex<Option<Lie>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeNode {
    pub fn start(served: Served) -> Self {
        let lie: Arc<Mutex<Option<Lie>>> = Arc::default();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (told, seen) = (lie.clone(), asked.clone());
        let url = http::serve(move |path, body| {
            let request: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
            seen.lock().unwrap().push(path.to_string());
            let (status, mut answer) = served.answer(path, &request);
            if let Some(lie) = &*told.lock().unwrap() {
                lie(&served, path, &request, &mut answer);
            }
            Some((status, answer))
        });
        FakeNode { url, lie, asked }
    }

    pub fn lies(&self, lie: impl Fn(&Served, &str, &Value, &mut Value) + Send + Sync + 'static) {
        *self.lie.lock().unwrap() = Some(Box::new(lie));
    }

    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// A user who asks now this node, now that one.
pub struct Reader(pub User);

impl Reader {
    pub fn new() -> Self {
        Reader(User::new())
    }

    pub fn run(&self, node: &FakeNode, arguments: &[&str]) -> Output {
        self.0.run(&[&["--node", &node.url], arguments].concat())
    }

    pub fn json(&self, node: &FakeNode, arguments: &[&str], code: i32) -> Value {
        self.0.json(&[&["--node", &node.url], arguments].concat(), code)
    }

    pub fn human(&self, node: &FakeNode, arguments: &[&str]) -> String {
        let output = self.run(node, arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a question to which the node lies: nothing is answered, and the evidence is kept.
    pub fn catches(&self, node: &FakeNode, arguments: &[&str], reason: &str) {
        let answer = self.json(node, arguments, 3);
        let message = answer["error"]["message"].as_str().unwrap();
        assert_eq!(answer["error"]["code"], "verification_failed");
        assert!(message.contains(reason), "expected `{reason}` in: {message}");
        let (_, path) = message.split_once("the evidence is in ").unwrap();
        let evidence = std::fs::read_to_string(Path::new(path)).unwrap();
        let evidence: Value = serde_json::from_str(&evidence).unwrap();
        assert!(message.contains(evidence["reason"].as_str().unwrap()));
        assert_eq!(evidence["node"], node.url);
        let exchange = &evidence["exchange"];
        assert!(exchange["path"].as_str().unwrap().starts_with("/v1/"));
        assert!(!exchange["answer"].as_str().unwrap().is_empty());
    }
}

/// The height of the known case.
pub const TIP: u64 = 24;

pub const TRACE_DOWN: [&str; 3] = ["trace", "chest-hospital/fna-2026", "--down"];

pub fn case() -> (BiopsyReportIds, FakeNode) {
    let BiopsyReport { world, chest, county, .. } = biopsy_report();
    let ids = BiopsyReportIds { chest: chest.to_string(), county: county.to_string() };
    (ids, FakeNode::start(Served::of(world)))
}

pub struct BiopsyReportIds {
    pub chest: String,
    pub county: String,
}

/// Validators made up for a test.
pub struct SetOf {
    keys: Vec<SigningKey>,
    pub set: ValidatorSet,
}

impl SetOf {
    pub fn new(name: &str, size: u8) -> Self {
        let seed =
            |n| blake3::derive_key("headwater test validator", &[name.as_bytes(), &[n]].concat());
        let keys: Vec<SigningKey> = (0..size).map(|n| SigningKey::from_seed(&seed(n))).collect();
        let validators = keys.iter().map(|key| Validator {
            member: "gba-exchange".parse().unwrap(),
            key: key.public_key(),
            power: 1,
        });
        let set = ValidatorSet::new(validators.collect()).unwrap();
        SetOf { keys, set }
    }

    pub fn hash(&self) -> Digest {
        self.set.hash().unwrap()
    }

    pub fn certify(&self, header: &Header) -> CommitCertificate {
        let (height, block_id) = (header.height, header.id().unwrap());
        let message =
            vote_sign_bytes(&header.chain_id, VoteType::Precommit, height, 0, Some(&block_id));
        let signatures = self.keys.iter().map(|key| CommitSignature {
            validator: headwater_ledger::validator::address_of(&key.public_key()),
            signature: key.sign(&message),
        });
        CommitCertificate { height, round: 0, block_id, signatures: signatures.collect() }
    }
}

/// A chain of empty blocks whose validators change: `sets[n]` decides height n + 1.
pub fn changing(sets: &[&SetOf]) -> Served {
    let mut genesis = biopsy_report().world.genesis;
    genesis.validators =
        headwater_ledger::codec::List::new(sets[0].set.validators().to_vec()).unwrap();
    let state = State::genesis(&genesis).unwrap();
    let chain_id = genesis.chain_id().unwrap();
    let mut parent = genesis_parent(&chain_id);
    let mut blocks = Vec::new();
    for (at, set) in sets.iter().enumerate() {
        let next = sets.get(at + 1).unwrap_or(set);
        let header = Header {
            rulebook: Default::default(),
            protocol: 1,
            chain_id,
            height: at as u64 + 1,
            time_ms: genesis.time_ms + at as u64 + 1,
            parent,
            envelope_root: headwater_ledger::merkle::tree::root(&[]),
            envelopes: 0,
            events: 0,
            state_root: state.root(),
            validators: set.hash(),
            next_validators: next.hash(),
            proposer: set.set.validators()[0].address(),
        };
        parent = header.id().unwrap();
        let (certificate, validators) = (set.certify(&header), set.set.validators().to_vec());
        blocks.push(LightBlock { header, certificate, validators });
    }
    let states = vec![state; blocks.len()];
    let height = blocks.len() as u64;
    let (lists, rebuilding) = (BTreeMap::new(), AtomicU32::new(0));
    Served { genesis, blocks, states, lists, height, rebuilding }
}
