//! States at past heights: made again from genesis or a snapshot, whatever a node keeps.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use headwater_ledger::codec;
use headwater_ledger::envelope::VerifiedEnvelope;
use headwater_ledger::execute::Execution;
use headwater_ledger::hash::Digest;
use headwater_ledger::light::LightBlock;
use headwater_ledger::merkle::map_proof::MapMultiProof;
use headwater_ledger::reject::Refusal;
use headwater_ledger::state::Key;
use headwater_node::app::Origin;
use headwater_node::chain;
use headwater_node::past::{MAX_REBUILT, NotYet};
use headwater_node::store::disk::{Crash, Tear};
use serde_json::{Value, json};

use crate::history::History;
use crate::http::{Server, post};
use crate::nodes::{Clerk, MEMBERS, Node, Settings, chain_id, genesis};
use crate::support::*;

const PATIENCE: Duration = Duration::from_secs(60);
const BLOCKS: u64 = 34;

/// A node that has recorded some random history, with the state root of each height from 1 on.
fn grown(settings: Settings) -> (Node, Vec<Digest>) {
    let mut node = Node::with(settings);
    let mut history = History::new(7);
    let mut roots = Vec::new();
    for _ in 0..BLOCKS {
        for _ in 0..6 {
            let state = node.app.chain().tip().state.clone();
            let envelope = history.next(&state, node.clock.advance(40));
            node.app.submit(envelope, Origin::Client);
        }
        roots.push(node.advance().state_root);
    }
    node.app.settle();
    (node, roots)
}

#[tokio::test]
async fn every_past_height_has_the_state_that_its_block_was_decided_with() {
    let off = Crash { keep_bytes: 0, keep_names: usize::MAX, tear: Tear::Short };
    for (snapshot_every, archive_every, files) in [(0, 0, 0), (5, 0, 2), (5, 10, 4)] {
        let settings =
            Settings { keep_heights: 3, snapshot_every, archive_every, ..Settings::default() };
        let (node, roots) = grown(settings);
        assert_eq!(node.snapshots().len(), files);
        let node = node.crash(off);
        let past = node.app.past();
        for height in [30, 1, 2, 17, 31, 16, 5, 30, 10, 10] {
            let point = past.at(height, PATIENCE).await.unwrap();
            assert_eq!((point.height, point.state.root()), (height, roots[height as usize - 1]));
            let light = point.light.clone().unwrap();
            assert_eq!(light.header.state_root, point.state.root());
        }
        // Four are kept: the first 30 was gone when it was asked for again, the last 10 was not.
        assert_eq!((MAX_REBUILT, node.app.metrics().states_rebuilt.get()), (4, 9));
    }
}

#[tokio::test]
async fn an_answer_of_a_past_height_is_proved_by_its_block() {
    let (node, roots) = grown(Settings { keep_heights: 2, ..Settings::default() });
    let server = Server::of(node);
    let key = Key::Member(handle("north"));
    let body = |height: u64| json!({ "height": height, "keys": [hex::encode(codec::encode(&key).unwrap())] });
    for height in [1, 12, 33, 34] {
        let (status, answer): (_, Value) = server.json(post("/v1/state", body(height))).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let light: LightBlock = serde_json::from_value(answer["block"].clone()).unwrap();
        light.verify(&chain_id(), &genesis().validator_set().unwrap().hash().unwrap()).unwrap();
        assert_eq!(
            (light.header.height, light.header.state_root),
            (height, roots[height as usize - 1])
        );
        let value = hex::decode(answer["values"][0].as_str().unwrap()).unwrap();
        let proof: MapMultiProof = serde_json::from_value(answer["proof"].clone()).unwrap();
        assert!(proof.verify(&light.header.state_root, &[(key.hash().unwrap(), Some(&value))]));
    }
}

/// While set, whoever replays past blocks stands still.
static IS_HELD: AtomicBool = AtomicBool::new(true);

fn held(execution: &mut Execution, envelope: &VerifiedEnvelope) -> Result<(), Refusal> {
    while std::thread::current().name() == Some("past") && IS_HELD.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(1));
    }
    chain::apply(execution, envelope)
}

#[tokio::test]
async fn one_state_is_made_again_at_a_time_and_blocks_go_on_meanwhile() {
    let settings =
        Settings { keep_heights: 2, snapshot_every: 0, apply: held, ..Settings::default() };
    let (mut node, roots) = grown(settings);
    let past = node.app.past();
    let moment = Duration::from_millis(20);
    let not_yet = past.at(20, moment).await.err().unwrap();
    assert!(matches!(not_yet, NotYet::Rebuilding { goal: 20, at: 0..20 }), "{not_yet}");
    let other = past.at(10, moment).await.err().unwrap();
    assert!(matches!(other, NotYet::Rebuilding { goal: 20, .. }), "{other}");
    assert_eq!(node.advance().height, BLOCKS + 1);
    IS_HELD.store(false, Ordering::SeqCst);
    let (one, other) = tokio::join!(past.at(20, PATIENCE), past.at(10, PATIENCE));
    assert_eq!(one.unwrap().state.root(), roots[19]);
    assert_eq!(other.unwrap().state.root(), roots[9]);
    assert_eq!(node.app.metrics().states_rebuilt.get(), 2);
}

/// While set, the state that the test below asks for is not ready.
static IS_GATED: AtomicBool = AtomicBool::new(true);

fn gated(execution: &mut Execution, envelope: &VerifiedEnvelope) -> Result<(), Refusal> {
    while std::thread::current().name() == Some("past") && IS_GATED.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(1));
    }
    chain::apply(execution, envelope)
}

#[tokio::test]
async fn a_state_that_takes_longer_than_a_request_is_answered_503_until_it_is_there() {
    let settings =
        Settings { keep_heights: 2, snapshot_every: 0, apply: gated, ..Settings::default() };
    let (node, roots) = grown(settings);
    let server = Server::patient(node, Duration::from_millis(30));
    let key = hex::encode(codec::encode(&Key::Protocol).unwrap());
    let ask = |height: u64| post("/v1/state", json!({ "height": height, "keys": [&key] }));
    for asked in [20, 20, 7] {
        let response = server.ask(ask(asked)).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "2");
        let (_, answer) = server.json(ask(asked)).await;
        let error = &answer["error"];
        assert_eq!(error["code"], "STATE_REBUILDING");
        let message = error["message"].as_str().unwrap();
        let told = "the state of height 20 is being made again from the block log: at height ";
        assert!(message.starts_with(told), "{message}");
        assert!(error["hint"].as_str().unwrap().starts_with("ask again"), "{error}");
    }
    // What is in memory is answered meanwhile, and what cannot be is still refused.
    assert_eq!(server.json(ask(BLOCKS)).await.0, StatusCode::OK);
    assert_eq!(server.json(ask(BLOCKS + 1)).await.1["error"]["code"], "UNKNOWN_HEIGHT");
    IS_GATED.store(false, Ordering::SeqCst);
    let started = Instant::now();
    let block = loop {
        let (status, answer) = server.json(ask(20)).await;
        if status == StatusCode::OK {
            break answer["block"].clone();
        }
        assert_eq!(answer["error"]["code"], "STATE_REBUILDING");
        assert!(started.elapsed() < PATIENCE, "the state is never there");
    };
    assert_eq!(block["header"]["state_root"], json!(roots[19]));
}

/// Run it by hand, with `--release -- --ignored --nocapture`; the figure is in docs/performance.md.
#[tokio::test]
#[ignore = "measures"]
async fn how_quickly_a_state_is_made_again() {
    const PER_BLOCK: usize = 20;
    const PER_ENVELOPE: usize = 100;
    let settings = Settings { keep_heights: 2, snapshot_every: 0, ..Settings::default() };
    let (mut node, mut clerk) = (Node::with(settings), Clerk::default());
    let mut events = 0;
    for block in 0..51 {
        for envelope in 0..PER_BLOCK {
            let name = |n| format!("a-{block}-{envelope}-{n}");
            let acts: Vec<_> = (0..PER_ENVELOPE).map(|n| raw(&name(n)).event()).collect();
            let author = MEMBERS[envelope % 4];
            let until = GENESIS_MS + HOUR_MS;
            node.submit(&clerk.sign_until(author, &acts, until));
        }
        events += u64::from(node.advance().events);
    }
    let started = Instant::now();
    let point = node.app.past().at(49, PATIENCE).await.unwrap();
    let seconds = started.elapsed().as_secs_f64();
    let entries = point.state.map().len();
    println!(
        "about {events} events, {entries} entries: {seconds:.2} s, {:.0} events/s",
        events as f64 * 49.0 / 51.0 / seconds
    );
}
