//! The examples of the specification's appendix, computed from the crate.

use headwater_ledger::attribution::Claim;
use headwater_ledger::certificate::{VoteType, vote_sign_bytes};
use headwater_ledger::codec::{self, List};
use headwater_ledger::commitment::{
    ContentBuilder, ContentPath, ContentSalt, PartHasher, RootBuilder, file_entry,
};
use headwater_ledger::envelope::{Envelope, EnvelopeHeader, asset_id, event_id, sign_bytes};
use headwater_ledger::event::member::{AdmitMember, MemberKey, Role, Scope, SuspendMember};
use headwater_ledger::event::{AcceptGrant, Event};
use headwater_ledger::execute::{BlockContext, Execution, genesis_parent, list_entry};
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::{AssetId, BlockId, ChainId, Context, Digest, GrantId};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::listing::schedule_hash;
use headwater_ledger::merkle::map::StateMap;
use headwater_ledger::merkle::range::Range;
use headwater_ledger::merkle::tree::{self, Leaf};
use headwater_ledger::split::Right;
use headwater_ledger::state::{Key, State};
use headwater_ledger::validator::{Validator, address_of};

/// The lines of an example.
pub fn lines(name: &str) -> Vec<String> {
    let mut out = Lines(Vec::new());
    match name {
        "envelope" => envelope(&mut out),
        "state-map" => state_map(&mut out),
        "vote" => vote(&mut out),
        "genesis" => genesis(&mut out),
        "range" => range(&mut out),
        "schedule" => schedule(&mut out),
        "commitment" => commitment(&mut out),
        _ => panic!("there is no example {name}"),
    }
    out.0
}

struct Lines(Vec<String>);

impl Lines {
    fn say(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
    fn put(&mut self, name: &str, value: impl std::fmt::Display) {
        self.0.push(format!("{name} = {value}"));
    }
    fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.put(name, hex::encode(bytes));
    }
}

fn digest(byte: u8) -> Digest {
    Digest::Blake3([byte; 32])
}

fn chain() -> ChainId {
    ChainId::from_digest(digest(0xcc))
}

fn envelope(out: &mut Lines) {
    let key = SigningKey::from_seed(&[0x42; 32]);
    let header = EnvelopeHeader {
        version: 1,
        chain_id: chain(),
        author: "st-mary".parse().unwrap(),
        not_after_ms: 1_767_225_600_000,
        salt: [0x07; 16],
    };
    let grant = GrantId::from_digest(digest(0x33));
    let events = vec![
        Event::AcceptGrant(AcceptGrant { grant }),
        Event::SuspendMember(SuspendMember { member: "lab-seven".parse().unwrap() }),
    ];
    out.bytes("header", &codec::encode(&header).unwrap());
    let mut leaves = Vec::new();
    for (i, event) in events.iter().enumerate() {
        let bytes = codec::encode(event).unwrap();
        out.bytes(&format!("event {i}, {}", event.name()), &bytes);
        out.bytes(&format!("  TREE_LEAF(event {i})"), &Context::TREE_LEAF.hash32(&[&bytes]));
        leaves.push(Leaf::of(&bytes));
    }
    out.put("root of the events", tree::root(&leaves));
    let envelope = Envelope { header, events: List::new(events).unwrap() };
    let id = envelope.id().unwrap();
    out.put("envelope id", id);
    out.put("event id 0", event_id(&id, 0));
    out.put("event id 1", event_id(&id, 1));
    out.bytes("signed bytes", &sign_bytes(&id));
    out.put("public key of seed 42…42", key.public_key());
    let signed = envelope.sign(&[&key]).unwrap();
    out.put("signature", signed.signatures[0].signature);
    out.bytes("signed envelope", &signed.to_bytes().unwrap());
    let signatures = codec::encode(&signed.signatures).unwrap();
    let parts: [&[u8]; 2] = [&id.digest().to_bytes(), &signatures];
    let datum = Context::BLOCK_LEAF.hash32(&parts);
    out.bytes("leaf datum in a block", &datum);
    let verified = signed.verify().expect("the example is valid");
    assert_eq!(verified.leaf(), Leaf::of(&datum));
    out.put("envelope root of a block with it alone", tree::root(&[Leaf::of(&datum)]));
    let name = "ward-notes-2026".parse().unwrap();
    let asset = asset_id(&chain(), &verified.header().author, &name);
    out.put("asset id of st-mary/ward-notes-2026 on this chain", asset);
}

fn state_map(out: &mut Lines) {
    let mut map = StateMap::new();
    let entries: [(&str, Key, Vec<u8>); 3] = [
        ("Protocol = 1", Key::Protocol, codec::encode(&1u32).unwrap()),
        ("Ordinal = 7", Key::Ordinal, codec::encode(&7u64).unwrap()),
        ("PruneHead(2) = 5", Key::PruneHead(2), codec::encode(&5u64).unwrap()),
    ];
    for (name, key, value) in &entries {
        let place = key.hash().unwrap();
        out.say(name);
        out.bytes("  key", &codec::encode(key).unwrap());
        out.bytes("  place", &place);
        out.bytes("  value", value);
        let value_hash = Context::STATE_LEAF.hash32(&[&[0], value]);
        out.bytes("  value hash", &value_hash);
        out.bytes("  leaf", &Context::STATE_LEAF.hash32(&[&[1], &place, &value_hash]));
        map.insert(place, value.clone().into());
    }
    let root = map.root();
    out.put("root", root);
    let present = Key::Ordinal.hash().unwrap();
    let proof = map.prove(&present);
    assert!(proof.verify(&root, &present, Some(&entries[1].2)));
    out.put("proof that Ordinal = 7", serde_json::to_string(&proof).unwrap());
    let absent = Key::PruneCursor.hash().unwrap();
    let proof = map.prove(&absent);
    assert!(proof.verify(&root, &absent, None));
    out.bytes("place of PruneCursor", &absent);
    out.put("proof that PruneCursor is absent", serde_json::to_string(&proof).unwrap());
    let many = map.prove_many(&[present, absent]).unwrap();
    assert!(many.verify(&root, &[(present, Some(&entries[1].2)), (absent, None)]));
    out.put("multiproof of both", serde_json::to_string(&many).unwrap());
    out.put("root of the empty map", StateMap::new().root());
}

fn vote(out: &mut Lines) {
    let key = SigningKey::from_seed(&[0x01; 32]);
    let block = BlockId::from_digest(digest(0xbb));
    let bytes = vote_sign_bytes(&chain(), VoteType::Precommit, 258, 3, Some(&block));
    out.bytes("precommit for blake3:bb…bb at height 258, round 3, chain blake3:cc…cc", &bytes);
    let nil = vote_sign_bytes(&chain(), VoteType::Prevote, 258, 3, None);
    out.bytes("prevote for nil there", &nil);
    out.put("public key of seed 01…01", key.public_key());
    out.put("its address", address_of(&key.public_key()));
    out.put("its signature of the precommit", key.sign(&bytes));
}

fn genesis(out: &mut Lines) {
    let key = SigningKey::from_seed(&[0x02; 32]).public_key();
    let validator = SigningKey::from_seed(&[0x01; 32]).public_key();
    let member = AdmitMember {
        handle: "delta-exchange".parse().unwrap(),
        name: "Delta Data Exchange".parse().unwrap(),
        roles: List::new(vec![Role::Exchange]).unwrap(),
        keys: List::new(vec![MemberKey {
            key,
            scopes: List::new(vec![Scope::Contract, Scope::Money, Scope::Admin]).unwrap(),
        }])
        .unwrap(),
    };
    let validators = vec![Validator { member: member.handle.clone(), key: validator, power: 1 }];
    let genesis = Genesis {
        rulebook: Default::default(),
        name: "example".parse().unwrap(),
        protocol: 1,
        time_ms: 1_767_225_600_000,
        members: List::new(vec![member]).unwrap(),
        validators: List::new(validators).unwrap(),
    };
    out.put("JSON", serde_json::to_string(&genesis).unwrap());
    out.bytes("bytes", &codec::encode(&genesis).unwrap());
    let chain_id = genesis.chain_id().unwrap();
    out.put("chain id", chain_id);
    let set = genesis.validator_set().unwrap();
    out.put("hash of the validator set", set.hash().unwrap());
    let state = State::genesis(&genesis).expect("the example is valid");
    out.put("records in the state", state.map().len());
    out.put("state root", state.root());
    let context = BlockContext { chain_id, height: 1, time_ms: genesis.time_ms + 1 };
    let executed = Execution::begin(&state, context).unwrap().finish().unwrap();
    let proposer = address_of(&validator);
    let header = executed.header(&context, genesis_parent(&chain_id), proposer);
    out.say("the empty block at height 1, one millisecond later:");
    out.bytes("  header", &codec::encode(&header).unwrap());
    out.put("  block id", header.id().unwrap());
}

fn range(out: &mut Lines) {
    let mut range = Range::default();
    out.put("root of no entries", range.root());
    for i in 1..=3u8 {
        let entry = list_entry(u64::from(i) * 10, &digest(i));
        out.bytes(&format!("entry {}", i - 1), &entry);
        out.bytes("  leaf", &Context::MMR_LEAF.hash32(&[&entry]));
        range.push(&entry);
    }
    out.bytes("record of the three entries", &codec::encode(&range).unwrap());
    out.put("root", range.root());
}

fn schedule(out: &mut Lines) {
    let asset = |byte| AssetId::from_digest(digest(byte));
    let claim = |byte, right, units| Claim { asset: asset(byte), right, units };
    let claims = [
        claim(0x22, Right::Holding, 400_000_000_000_000_000),
        claim(0x77, Right::Processing, 350_000_000_000_000_000),
        claim(0x77, Right::Operation, 250_000_000_000_000_000),
    ];
    out.say("product blake3:77…77 with the claims");
    let mut leaves = Vec::new();
    for c in &claims {
        let bytes = codec::encode(c).unwrap();
        leaves.push(Leaf::of(&bytes));
        out.bytes(&format!("  {} units for {}", c.units, c.right), &bytes);
    }
    out.put("root of the claims", tree::root(&leaves));
    out.put("hash of the schedule", schedule_hash(&asset(0x77), &claims).unwrap());
}

fn commitment(out: &mut Lines) {
    let salt = ContentSalt::from_bytes([0x05; 32]);
    let path: ContentPath = "notes/day-1.csv".parse().unwrap();
    let bytes = b"id,age\n1,42\n";
    let file = salt.file(&path);
    let mut part = PartHasher::new();
    part.update(bytes);
    let leaf = part.finish(&file.part(0), 0);
    let mut parts = RootBuilder::new();
    parts.push(&leaf);
    let entry = file_entry(&file.entry(), &path, bytes.len() as u64, &parts.root());
    let mut content = ContentBuilder::new(salt);
    content.push(&path, bytes.len() as u64, &parts.root()).unwrap();
    out.say("content salt 05…05, one file notes/day-1.csv");
    out.bytes("  its bytes", bytes);
    out.bytes("  salt of the file", &file.to_bytes());
    out.bytes("  salt of part 0", &file.part(0).to_bytes());
    out.bytes("  salt of the entry", &file.entry().to_bytes());
    out.bytes("  leaf 0", &leaf);
    out.put("  root of the parts", parts.root());
    out.bytes("  entry", &entry);
    out.put("root", content.root());
}
