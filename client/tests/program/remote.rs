//! The client against nodes that tell the truth and nodes that lie. Whatever a node says, nothing
//! is printed that is not proved; a lie ends with exit code 3 and is kept as evidence.

#[path = "../../ledger/tests/support/world.rs"]
mod world;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
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
use std::collections::BTreeMap;
use tempfile::TempDir;
use world::{BiopsyReport, World, biopsy_report};

/// Changes an honest answer: the path, the request, the answer.
type Lie = Box<dyn Fn(&Served, &str, &Value, &mut Value) + Send + Sync>;

/// What a node serves.
struct Served {
    genesis: Genesis,
    /// The light block of each height from 1.
    blocks: Vec<LightBlock>,
    /// The state after each height from 1.
    states: Vec<State>,
    lists: BTreeMap<Vec<u8>, Vec<ListEntry>>,
    /// The height it is at.
    height: u64,
    /// So often it says that a state is being made again.
    rebuilding: AtomicU32,
}

impl Served {
    fn of(world: World) -> Self {
        let height = world.height();
        let World { genesis, mut states, blocks, lists, .. } = world;
        states.remove(0);
        Served { genesis, blocks, states, lists, height, rebuilding: AtomicU32::new(0) }
    }

    fn at(&self, height: u64) -> (&LightBlock, &State) {
        let at = usize::try_from(height).unwrap() - 1;
        (&self.blocks[at], &self.states[at])
    }

    /// The honest answer to a request for these keys at a height.
    fn prove(&self, height: u64, keys: &[Key]) -> Value {
        let (block, state) = self.at(height);
        let hashes: Vec<[u8; 32]> = keys.iter().map(|key| key.hash().unwrap()).collect();
        let values: Vec<Option<String>> =
            keys.iter().map(|key| state.value(key).unwrap().map(hex::encode)).collect();
        json!({ "block": block, "values": values, "proof": state.map().prove_many(&hashes) })
    }

    fn answer(&self, path: &str, request: &Value) -> (u16, Value) {
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

fn keys(request: &Value) -> Vec<Key> {
    let key = |text: &Value| {
        let bytes = hex::decode(text.as_str().unwrap()).unwrap();
        decode(&bytes, 512).unwrap()
    };
    request["keys"].as_array().unwrap().iter().map(key).collect()
}

/// A node on this machine, until the test ends.
struct FakeNode {
    url: String,
    lie: Arc<Mutex<Option<Lie>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeNode {
    fn start(served: Served) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let lie = Arc::new(Mutex::new(None));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (told, seen, served) = (lie.clone(), asked.clone(), Arc::new(served));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (told, seen, served) = (told.clone(), seen.clone(), served.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &served, &told, &seen));
            }
        });
        FakeNode { url, lie, asked }
    }

    fn lies(&self, lie: impl Fn(&Served, &str, &Value, &mut Value) + Send + Sync + 'static) {
        *self.lie.lock().unwrap() = Some(Box::new(lie));
    }

    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn serve(stream: TcpStream, served: &Served, lie: &Mutex<Option<Lie>>, asked: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.split(' ');
    let (_, path) = (words.next().unwrap(), words.next().unwrap_or_default().to_string());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let request: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    asked.lock().unwrap().push(path.clone());
    let (status, mut answer) = served.answer(&path, &request);
    if let Some(lie) = &*lie.lock().unwrap() {
        lie(served, &path, &request, &mut answer);
    }
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        answer.len()
    );
    let mut stream = stream;
    // A client that has seen enough may be gone.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(answer.as_bytes()));
}

/// A user with a home folder of their own.
struct User {
    home: TempDir,
}

impl User {
    fn new() -> Self {
        User { home: tempfile::tempdir().unwrap() }
    }

    fn run(&self, node: &FakeNode, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HEADWATER_")) {
            command.env_remove(name);
        }
        command.args(["--node", &node.url]).args(arguments).stdin(Stdio::null());
        command.env("HEADWATER_HOME", self.home.path().join("home")).output().unwrap()
    }

    fn json(&self, node: &FakeNode, arguments: &[&str], code: i32) -> Value {
        let output = self.run(node, &[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn human(&self, node: &FakeNode, arguments: &[&str]) -> String {
        let output = self.run(node, arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a question to which the node lies: nothing is answered, and the evidence is kept.
    fn catches(&self, node: &FakeNode, arguments: &[&str], reason: &str) {
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
const TIP: u64 = 24;

const TRACE_DOWN: [&str; 3] = ["trace", "chest-hospital/fna-2026", "--down"];

fn case() -> (BiopsyReportIds, FakeNode) {
    let BiopsyReport { world, chest, county, .. } = biopsy_report();
    let ids = BiopsyReportIds { chest: chest.to_string(), county: county.to_string() };
    (ids, FakeNode::start(Served::of(world)))
}

struct BiopsyReportIds {
    chest: String,
    county: String,
}

#[test]
fn a_trace_is_printed_in_every_format() {
    let (ids, node) = case();
    let user = User::new();
    let up = user.json(&node, &["trace", "insight-co/breast-cancer-report", "--up"], 0);
    let names: Vec<&str> =
        up["assets"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    let expected = [
        "chest-hospital/fna-2026",
        "county-hospital/fna-2026",
        "clean-lab/fna-cleaned",
        "insight-co/breast-cancer-report",
    ];
    assert_eq!(names, expected);
    assert_eq!((&up["complete"], &up["direction"]), (&json!(true), &json!("up")));
    assert_eq!(up["edges"].as_array().unwrap().len(), 3);
    assert_eq!(up["assets"][0]["id"], ids.chest);
    let tree = user.human(&node, &["trace", "insight-co/breast", "--up"]);
    let lines: Vec<&str> = tree.lines().collect();
    assert!(
        lines[0].starts_with("insight-co/breast-cancer-report  product    569 records  height 18"),
        "{tree}"
    );
    assert!(lines[1].starts_with("└─ clean-lab/fna-cleaned"), "{tree}");
    assert!(lines[2].starts_with("   ├─ chest-hospital/fna-2026"), "{tree}");
    assert!(lines[2].contains("weight 300 of 569, under grant blake3:"), "{tree}");
    assert!(tree.contains("All registered derivations upstream"), "{tree}");
    assert!(tree.contains("of height 24 ("), "{tree}");
    let down = user.human(&node, &[&TRACE_DOWN[..], &["--depth", "1"]].concat());
    assert!(down.contains("Registered derivations within 1 step downstream"), "{down}");
    let dot = user.human(&node, &[&TRACE_DOWN[..], &["--format", "dot"]].concat());
    assert!(
        dot.contains("digraph lineage {") && dot.contains("a0 -> a1 [label=\"300\"];"),
        "{dot}"
    );
    let mermaid = user.human(&node, &[&TRACE_DOWN[..], &["--format", "mermaid"]].concat());
    assert!(mermaid.contains("flowchart LR") && mermaid.contains("a1 -->|1| a2"), "{mermaid}");
    let by_id = user.json(&node, &["trace", &ids.county, "--down"], 0);
    assert_eq!(by_id["asset"], ids.county);
    let early = user.json(&node, &["trace", "chest-hospital/fna-2026", "--down", "--at", "3"], 0);
    assert_eq!(early["assets"].as_array().unwrap().len(), 1);
    assert_eq!(early["as_of"]["height"], 3);
}

#[test]
fn statements_and_shares_have_the_figures_of_the_known_case() {
    let (_, node) = case();
    let user = User::new();
    let shares = user.json(&node, &["shares", "insight-co/breast-cancer-report"], 0);
    assert_eq!(shares["listings"][0]["schedule"], shares["schedule"]);
    let text = user.human(&node, &["shares", "insight-co/breast-cancer-report"]);
    assert!(text.contains("18.980668 %"), "{text}");
    assert!(text.contains("chest-hospital 90.00 %, patients-fund 10.00 %"), "{text}");
    let product = user.json(&node, &["statement", "insight-co/breast-cancer-report"], 0);
    let account = &product["accounts"][0];
    let parties: Vec<(&str, u64)> = account["parties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["party"].as_str().unwrap(), p["entitled"].as_u64().unwrap()))
        .collect();
    let expected = [
        ("chest-hospital", 31_747_852),
        ("clean-lab", 44_603_773),
        ("county-hospital", 31_630_268),
        ("insight-co", 74_339_622),
        ("patients-fund", 3_527_539),
    ];
    assert_eq!(parties, expected);
    assert_eq!((&account["residue"], &account["received"]["fee"]), (&json!(3), &json!(2_830_188)));
    let text = user.human(&node, &["statement", "insight-co/breast-cancer-report"]);
    assert!(text.contains("2 000 000.00 CNY"), "{text}");
    assert!(text.contains("317 478.52"), "{text}");
    let fund = user.human(&node, &["statement", "patients-fund"]);
    assert!(fund.contains("entitled     35 275.39 CNY"), "{fund}");
    assert!(!fund.contains("317 478.52"), "nobody else's lines: {fund}");
    let exchange = user.json(&node, &["statement", "gba-exchange"], 0);
    assert_eq!(exchange["totals"][0]["fees"], 2_830_188);
}

#[test]
fn a_time_names_the_last_block_up_to_it() {
    let served = Served::of(biopsy_report().world);
    let times: Vec<u64> = served.blocks.iter().map(|b| b.header.time_ms).collect();
    let node = FakeNode::start(served);
    let user = User::new();
    let at = |ms: u64, code| {
        let ms = ms.to_string();
        user.json(&node, &["statement", "chest-hospital", "--at-time", &ms], code)
    };
    for height in [1usize, 2, 7, 16, 23, 24] {
        let time = times[height - 1];
        assert_eq!(at(time, 0)["as_of"]["height"], height as u64);
        let end = times.get(height).map_or(time + 1_000_000, |next| next - 1);
        assert_eq!(at(end, 0)["as_of"]["height"], height as u64);
    }
    assert_eq!(at(times[0] - 1, 1)["error"]["code"], "not_found");
}

#[test]
fn a_state_that_a_node_makes_again_is_waited_for() {
    let served = Served::of(biopsy_report().world);
    served.rebuilding.store(2, Relaxed);
    let node = FakeNode::start(served);
    let output = User::new().run(&node, &["statement", "chest-hospital", "--at", "7", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.matches("makes the state of that height again").count(), 1, "{told}");
}

#[test]
fn what_is_not_recorded_is_told_with_a_hint() {
    let (_, node) = case();
    let user = User::new();
    for (arguments, code, expected) in [
        (&["trace", "chest-hospital/xray", "--up"][..], 1, "is not recorded as of height 24"),
        (&["statement", "nobody"], 1, "member nobody is not recorded as of height 24"),
        (&["shares", "no-slash"], 2, "HANDLE/NAME"),
        (&["trace", "chest-hospital/fna-2026"], 2, "--up"),
        (&["trace", "chest-hospital/fna-2026", "--up", "--at", "99"], 1, "UNKNOWN_HEIGHT"),
    ] {
        let answer = user.json(&node, arguments, code);
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn the_first_use_pins_the_chain_and_says_how_to_check_it() {
    let (_, node) = case();
    let user = User::new();
    let first = user.run(&node, &["statement", "patients-fund"]);
    let warning = String::from_utf8(first.stderr).unwrap();
    assert!(warning.contains("first use") && warning.contains("--chain-id"), "{warning}");
    let second = user.run(&node, &["statement", "patients-fund"]);
    assert!(second.stderr.is_empty(), "{second:?}");
    let status = user.json(&node, &["status"], 0);
    assert_eq!((&status["pinning"], &status["as_of"]["height"]), (&json!("before"), &json!(TIP)));
    assert_eq!(status["validators"]["signed_power"], 40);
    let chain = status["as_of"]["chain_id"].as_str().unwrap();
    user.json(&node, &["status", "--chain-id", chain], 0);
    let other = format!("blake3:{}", "0".repeat(64));
    let refused = user.json(&node, &["status", "--chain-id", &other], 3);
    assert!(refused["error"]["message"].as_str().unwrap().contains("is pinned to chain"));
    // A new home that names another chain accepts nothing of this node, and pins nothing.
    let fresh = User::new();
    fresh.catches(&node, &["status", "--chain-id", &other], "genesis document is that of chain");
    assert!(!fresh.home.path().join("home/chain.json").exists());
    let status = fresh.json(&node, &["status", "--chain-id", chain], 0);
    assert_eq!(status["pinning"], "as_named");
}

#[test]
fn a_genesis_document_of_ones_own_pins_its_chain() {
    let (_, node) = case();
    let user = User::new();
    let file = user.home.path().join("genesis.json");
    std::fs::write(&file, serde_json::to_vec(&biopsy_report().world.genesis).unwrap()).unwrap();
    let status = user.json(&node, &["status", "--genesis", file.to_str().unwrap()], 0);
    assert_eq!(status["pinning"], "as_named");
    assert!(!node.requests().contains(&"/v1/genesis".to_string()));
}

#[test]
fn a_node_of_another_chain_is_not_believed_until_it_is_pinned_on_purpose() {
    let (_, node) = case();
    let user = User::new();
    user.json(&node, &["status"], 0);
    let mut world = World::new(&[
        ("other-exchange", headwater_ledger::event::member::Role::Exchange),
        ("chest-hospital", headwater_ledger::event::member::Role::Holder),
    ]);
    for n in 0..40 {
        world.raw("chest-hospital", &format!("scan-{n}"), 1);
    }
    let other = FakeNode::start(Served::of(world));
    user.catches(&other, &["status"], "the header is of chain");
    let pinned = user.json(&other, &["status", "--pin"], 0);
    assert_eq!(pinned["pinning"], "first_use");
    user.catches(&node, &["status"], "the header is of chain");
}

#[test]
fn a_short_quorum_is_caught() {
    let (_, node) = case();
    node.lies(|_, path, _, answer| {
        if path == "/v1/state" {
            let signatures = &mut answer["block"]["certificate"]["signatures"];
            signatures.as_array_mut().unwrap().truncate(2);
        }
    });
    User::new().catches(&node, &["status"], "voting power 20 of 40 is not more than two thirds");
    node.lies(|_, path, _, answer| {
        if path == "/v1/state" {
            let signatures = answer["block"]["certificate"]["signatures"].as_array_mut().unwrap();
            signatures[3] = signatures[0].clone();
        }
    });
    User::new().catches(&node, &["status"], "signed twice");
}

#[test]
fn a_changed_header_is_caught() {
    let (_, node) = case();
    node.lies(|_, path, _, answer| {
        if path == "/v1/state" {
            answer["block"]["header"]["time_ms"] = json!(1_800_000_000_000u64);
        }
    });
    User::new().catches(&node, &["status"], "the certificate is for another block");
}

#[test]
fn validators_of_the_nodes_own_are_caught() {
    let (_, node) = case();
    node.lies(|_, path, _, answer| {
        if path == "/v1/state" {
            let mut block: LightBlock = serde_json::from_value(answer["block"].clone()).unwrap();
            let own = SetOf::new("liar", 4);
            block.header.validators = own.hash();
            block.validators = own.set.validators().to_vec();
            block.certificate = own.certify(&block.header);
            answer["block"] = json!(block);
        }
    });
    // Every height in between is asked for, and none of them announces such a set.
    User::new().catches(&node, &["status"], "was decided by validator set");
}

#[test]
fn an_answer_of_another_height_is_caught() {
    let (_, node) = case();
    node.lies(|served, path, request, answer| {
        if path == "/v1/state" && request["height"] == 20 {
            *answer = served.prove(19, &keys(request));
        }
    });
    let asked = ["shares", "insight-co/breast-cancer-report", "--at", "20"];
    User::new().catches(&node, &asked, "height 20 was asked for, the answer is of 19");
}

#[test]
fn a_record_of_a_stale_state_is_caught() {
    let (_, node) = case();
    // The first answer fixes the height; the records of the question come from the one before.
    node.lies(|served, path, request, answer| {
        if path == "/v1/state" && request["height"] == TIP {
            let block = answer["block"].clone();
            *answer = served.prove(TIP - 1, &keys(request));
            answer["block"] = block;
        }
    });
    let product = ["statement", "insight-co/breast-cancer-report"];
    User::new().catches(&node, &product, "the proof does not lead from the records");
    // With the block it really is of, it is a block that was not asked for.
    node.lies(|served, path, request, answer| {
        if path == "/v1/state" && request["height"] == TIP {
            *answer = served.prove(TIP - 1, &keys(request));
        }
    });
    User::new().catches(&node, &product, "the answer rests on another block");
}

#[test]
fn a_node_that_is_behind_is_not_taken_for_the_latest() {
    let (_, node) = case();
    let user = User::new();
    user.json(&node, &["status"], 0);
    let mut behind = Served::of(biopsy_report().world);
    behind.height = 12;
    let behind = FakeNode::start(behind);
    let answer = user.json(&behind, &["status"], 1);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("height 12, but height 24 was proved before"), "{message}");
    // Asked for on purpose, an earlier height is proved from genesis on.
    let early = user.json(&behind, &["statement", "patients-fund", "--at", "12"], 0);
    assert_eq!(early["as_of"]["height"], 12);
}

#[test]
fn two_certified_blocks_at_one_height_are_caught() {
    let (_, node) = case();
    let user = User::new();
    user.json(&node, &["status"], 0);
    let world = biopsy_report().world;
    let mut block = world.blocks.last().unwrap().clone();
    block.header.time_ms += 1;
    block.certificate = world.certify(TIP, block.header.id().unwrap(), 4);
    node.lies(move |_, path, _, answer| {
        if path == "/v1/state" {
            answer["block"] = json!(block);
        }
    });
    user.catches(&node, &["status"], "was proved at this height before");
}

#[test]
fn a_valid_proof_of_another_key_is_caught() {
    let (_, node) = case();
    let world = biopsy_report().world;
    let chest = Key::Asset(world.asset_id("chest-hospital", "fna-2026"));
    let county = Key::Asset(world.asset_id("county-hospital", "fna-2026"));
    node.lies(move |served, path, request, answer| {
        if path == "/v1/state" && keys(request).contains(&chest) {
            let mut keys = keys(request);
            for key in keys.iter_mut().filter(|key| **key == chest) {
                *key = county.clone();
            }
            *answer = served.prove(TIP, &keys);
        }
    });
    User::new().catches(&node, &TRACE_DOWN, "the proof does not lead from the records");
}

#[test]
fn a_flipped_value_is_caught() {
    let (_, node) = case();
    for flip in [
        |value: &mut Value| {
            let mut bytes = hex::decode(value.as_str().unwrap()).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            *value = json!(hex::encode(bytes));
        },
        |value: &mut Value| *value = Value::Null,
    ] {
        node.lies(move |_, path, request, answer| {
            if path == "/v1/state" && !request["height"].is_null() {
                answer["values"].as_array_mut().unwrap().iter_mut().for_each(|value| {
                    if !value.is_null() {
                        flip(value);
                    }
                });
            }
        });
        User::new().catches(&node, &TRACE_DOWN, "the proof does not lead from the records");
    }
    node.lies(|_, path, request, answer| {
        if path == "/v1/state" && !request["height"].is_null() {
            answer["values"].as_array_mut().unwrap().pop();
        }
    });
    User::new().catches(&node, &TRACE_DOWN, "records were asked for");
}

#[test]
fn a_list_that_is_not_whole_is_caught() {
    let (_, node) = case();
    let lists = |lie: fn(&mut Vec<Value>)| {
        move |_: &Served, path: &str, _: &Value, answer: &mut Value| {
            if path == "/v1/lists" {
                lie(answer["entries"].as_array_mut().unwrap());
            }
        }
    };
    let member = ["statement", "chest-hospital"];
    for (lie, reason) in [
        ((|entries| drop(entries.pop())) as fn(&mut Vec<Value>), "were given after the first"),
        (|entries| entries.push(entries[0].clone()), "2 were given after the first 0"),
        (
            |entries| {
                let mut bytes = hex::decode(entries[0].as_str().unwrap()).unwrap();
                bytes[40] ^= 1;
                entries[0] = json!(hex::encode(bytes));
            },
            "the entries do not hash to the list's root",
        ),
        (
            |entries| {
                let mut bytes = hex::decode(entries[0].as_str().unwrap()).unwrap();
                bytes[0] ^= 1;
                entries[0] = json!(hex::encode(bytes));
            },
            "the entries do not hash to the list's root",
        ),
        (|entries| entries[0] = json!("00"), "an entry of the list is malformed"),
    ] {
        node.lies(lists(lie));
        User::new().catches(&node, &member, reason);
    }
    // A node that is ahead has longer lists: only what is of the height asked counts.
    node.lies(lists(|_| {}));
    let early = ["trace", "clean-lab/fna-cleaned", "--down", "--at", "17"];
    let early = User::new().json(&node, &early, 0);
    assert_eq!(early["assets"].as_array().unwrap().len(), 1);
}

/// Validators made up for a test.
struct SetOf {
    keys: Vec<SigningKey>,
    set: ValidatorSet,
}

impl SetOf {
    fn new(name: &str, size: u8) -> Self {
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

    fn hash(&self) -> Digest {
        self.set.hash().unwrap()
    }

    fn certify(&self, header: &Header) -> CommitCertificate {
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
fn changing(sets: &[&SetOf]) -> Served {
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

#[test]
fn changes_of_the_validators_are_followed_by_certificates() {
    let (a, b, c) = (SetOf::new("a", 4), SetOf::new("b", 5), SetOf::new("c", 3));
    let heights: Vec<&SetOf> = (1..=40)
        .map(|h| {
            if h < 12 {
                &a
            } else if h < 23 {
                &b
            } else {
                &c
            }
        })
        .collect();
    let node = FakeNode::start(changing(&heights));
    let user = User::new();
    let status = user.json(&node, &["status"], 0);
    assert_eq!(
        (&status["as_of"]["height"], &status["validators"]["power"]),
        (&json!(40), &json!(3))
    );
    let asked = node.requests();
    let blocks = asked.iter().filter(|path| path.starts_with("/v1/blocks/")).count();
    assert!((2..=12).contains(&blocks), "{asked:?}");
    // What was proved once is not proved again.
    user.json(&node, &["status"], 0);
    assert_eq!(node.requests(), ["/v1/state", "/v1/status"]);
    // From a set that came back, too.
    let back: Vec<&SetOf> = (1..=30).map(|h| if (9..20).contains(&h) { &b } else { &a }).collect();
    let node = FakeNode::start(changing(&back));
    assert_eq!(User::new().json(&node, &["status"], 0)["as_of"]["height"], 30);
}

#[test]
fn a_change_of_the_validators_that_was_never_announced_is_caught() {
    let (a, liar) = (SetOf::new("a", 4), SetOf::new("liar", 4));
    let mut served = changing(&[&a; 9]);
    let taken_over: Vec<&SetOf> = (1..=9).map(|h| if h < 6 { &a } else { &liar }).collect();
    // From height 6 on other validators decide, but block 5 as `a` decided it names `a` as next.
    let forged = changing(&taken_over);
    served.blocks.splice(5.., forged.blocks[5..].iter().cloned());
    let node = FakeNode::start(served);
    User::new().catches(&node, &["status"], "block 6 was decided by validator set");
}
