//! The HTTP API as a client sees it: every route, and every answer proven.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use futures::StreamExt;
use headwater_ledger::block::Header;
use headwater_ledger::codec;
use headwater_ledger::envelope::{VerifiedEnvelope, event_id};
use headwater_ledger::genesis::{Genesis, PROTOCOL_VERSION};
use headwater_ledger::light::LightBlock;
use headwater_ledger::merkle::map_proof::MapMultiProof;
use headwater_ledger::merkle::range::Range;
use headwater_ledger::state::{Key, Relation};
use headwater_node::api::{Api, router};
use headwater_node::app::{App, Origin, Status};
use headwater_node::application::Application;
use headwater_node::gossip::Gossip;
use headwater_node::store::index::MemoryIndex;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::nodes::{Clerk, Node, address, certificate, chain_id, genesis};
use crate::support::*;

/// What was passed on to the peers.
#[derive(Default)]
pub struct Published(Mutex<Vec<Bytes>>);

impl Gossip for Published {
    fn publish(&self, envelope: Bytes) {
        self.0.lock().unwrap().push(envelope);
    }
}

pub struct Server {
    pub app: Arc<Mutex<App>>,
    pub index: MemoryIndex,
    pub published: Arc<Published>,
    router: Router,
}

impl Server {
    pub fn of(node: Node) -> Server {
        Server::patient(node, Duration::from_secs(60))
    }

    /// A server that waits so long for the state of a past height.
    pub fn patient(node: Node, past_patience: Duration) -> Server {
        let Node { app, index, .. } = node;
        let (metrics, verdicts) = (app.metrics(), app.verdicts());
        let (app, published) = (Arc::new(Mutex::new(app)), Arc::new(Published::default()));
        let router = router(Api {
            app: app.clone(),
            gossip: published.clone(),
            metrics,
            engine: Arc::default(),
            moniker: "gz-1".into(),
            verdicts,
            past_patience,
        });
        Server { app, index, published, router }
    }

    pub async fn ask(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Status and JSON body.
    pub async fn json(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.ask(request).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let value = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("no JSON: {body:?}"));
        (status, value)
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, value) = self.json(get(path)).await;
        assert_eq!(status, StatusCode::OK, "{path}: {value}");
        value
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, value) = self.json(post(path, body)).await;
        assert_eq!(status, StatusCode::OK, "{path}: {value}");
        value
    }

    /// Submits a batch and gives its results.
    pub async fn submit(&self, envelopes: &[&VerifiedEnvelope]) -> Vec<Value> {
        let (status, value) = self.json(batch(&framed(envelopes))).await;
        assert_eq!(status, StatusCode::OK, "{value}");
        value["results"].as_array().unwrap().clone()
    }

    /// Builds and commits the next block.
    pub fn advance(&self) {
        let mut app = self.app.lock().unwrap();
        let height = app.tip_height() + 1;
        let (_, block) = app.build_block(height, 0, address(0)).unwrap();
        let certificate = certificate(&block, &[0, 1, 3]);
        app.commit(block, certificate).unwrap();
    }
}

pub fn get(path: &str) -> Request<Body> {
    Request::builder().uri(path).body(Body::empty()).unwrap()
}

pub fn post(path: &str, body: Value) -> Request<Body> {
    let request = Request::builder().method(Method::POST).uri(path);
    let request = request.header(header::CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}

pub fn batch(body: &[u8]) -> Request<Body> {
    let request = Request::builder().method(Method::POST).uri("/v1/envelopes");
    let request = request.header(header::CONTENT_TYPE, "application/octet-stream");
    request.body(Body::from(body.to_vec())).unwrap()
}

pub fn framed(envelopes: &[&VerifiedEnvelope]) -> Vec<u8> {
    let mut body = Vec::new();
    for envelope in envelopes {
        body.extend_from_slice(&u32::try_from(envelope.bytes().len()).unwrap().to_le_bytes());
        body.extend_from_slice(envelope.bytes());
    }
    body
}

/// A server at height 4; `north` has registered `a1`, then `south` and `north` two more in turn.
pub fn served() -> (Server, Vec<VerifiedEnvelope>) {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    let several = [raw("a2").event(), raw("a3").event()];
    let envelopes = vec![
        clerk.sign("north", raw("a1")),
        clerk.sign_until("north", &several, GENESIS_MS + HOUR_MS),
        clerk.sign("south", raw("b1")),
    ];
    node.submit(&envelopes[0]);
    node.advance();
    node.submit(&envelopes[1]);
    node.submit(&envelopes[2]);
    for _ in 2..=4 {
        node.advance();
    }
    (Server::of(node), envelopes)
}

fn verified(block: &Value) -> LightBlock {
    let light: LightBlock = serde_json::from_value(block.clone()).unwrap();
    light.verify(&chain_id(), &genesis().validator_set().unwrap().hash().unwrap()).unwrap();
    light
}

#[tokio::test]
async fn status_genesis_health_and_metrics_tell_where_the_node_stands() {
    let (server, envelopes) = served();
    let status = server.get("/v1/status").await;
    let fields: Vec<&str> = status.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "chain_id",
        "name",
        "moniker",
        "version",
        "protocol",
        "rulebook",
        "height",
        "block_id",
        "block_time_ms",
        "state_root",
        "validators",
        "index_height",
        "min_state_height",
        "consensus",
        "mempool",
    ];
    assert_eq!(fields, expected);
    let light = verified(&server.get("/v1/blocks/latest").await);
    assert_eq!(status["chain_id"], json!(chain_id()));
    assert_eq!(status["block_id"], json!(light.header.id().unwrap()));
    assert_eq!(status["state_root"], json!(light.header.state_root));
    assert_eq!(status["block_time_ms"], json!(light.header.time_ms));
    assert_eq!((&status["height"], &status["validators"]), (&json!(4), &json!(4)));
    assert_eq!((&status["moniker"], &status["min_state_height"]), (&json!("gz-1"), &json!(0)));
    assert_eq!((&status["protocol"], &status["rulebook"]), (&json!(PROTOCOL_VERSION), &json!(1)));
    let consensus = json!({ "mode": "stopped", "misbehaviours": 0, "peers": [] });
    assert_eq!(status["consensus"], consensus);
    assert_eq!(status["mempool"], json!({ "envelopes": 0, "bytes": 0, "waiting": 0 }));

    let document: Genesis = serde_json::from_value(server.get("/v1/genesis").await).unwrap();
    assert_eq!(document.chain_id().unwrap(), chain_id());
    assert_eq!(server.get("/health").await, json!({ "status": "ok", "height": 4 }));

    let response = server.ask(get("/metrics")).await;
    assert_eq!(response.status(), StatusCode::OK);
    let page = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let page = String::from_utf8(page.to_vec()).unwrap();
    let protocol = format!("headwater_protocol {PROTOCOL_VERSION}");
    for line in ["headwater_height 4", &protocol, "headwater_rulebook 1"] {
        assert!(page.contains(line), "{line} is not in {page}");
    }
    assert!(page.ends_with("# EOF\n"));
    assert_eq!(envelopes.len(), 3);
}

#[tokio::test]
async fn the_openapi_document_lists_every_route_and_no_other() {
    let (server, _) = served();
    let document = server.get("/openapi.json").await;
    let mut listed = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            listed.insert((path.clone(), method.clone()));
        }
    }
    let source = include_str!("../../src/api.rs");
    let mut routed = BTreeSet::new();
    for line in source.lines().filter_map(|l| l.trim().strip_prefix(".route(\"")) {
        let (path, handler) = line.split_once("\", ").expect("a route on one line");
        let method = handler.split_once('(').expect("a method").0;
        routed.insert((path.to_owned(), method.to_owned()));
    }
    assert!(routed.remove(&("/openapi.json".to_owned(), "get".to_owned())));
    assert_eq!(routed.len(), 12);
    assert_eq!(listed, routed);
}

#[tokio::test]
async fn blocks_of_every_height_are_certified_and_their_bytes_have_their_id() {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    for n in 0..15 {
        node.submit(&clerk.sign("north", raw(&format!("a{n}"))));
        node.advance();
    }
    let server = Server::of(node);
    for height in 1..=15u64 {
        let light = verified(&server.get(&format!("/v1/blocks/{height}")).await);
        assert_eq!(light.header.height, height);
        let response = server.ask(get(&format!("/v1/blocks/{height}/raw"))).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/octet-stream");
        let raw = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert_eq!(Header::of_block(&raw).unwrap(), light.header);
    }
    let latest = server.get("/v1/blocks/latest").await;
    assert_eq!(latest, server.get("/v1/blocks/15").await);
}

#[tokio::test]
async fn a_batch_is_answered_in_order_and_only_what_is_new_is_passed_on() {
    let (server, recorded) = served();
    let mut clerk = Clerk::default();
    // Salts of the first three are taken.
    for _ in 0..3 {
        clerk.sign("north", raw("x"));
    }
    let fresh = clerk.sign("north", raw("c1"));
    let taken = clerk.sign("north", raw("a1"));
    let unknown = asset_id_of("south", "later");
    let waits = clerk.sign("south", processed("c2", &[input(unknown, 1, None)]));
    let mut forged = fresh.bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let mut body = framed(&[&fresh, &taken, &waits, &fresh, &recorded[1]]);
    body.extend_from_slice(&u32::try_from(forged.len()).unwrap().to_le_bytes());
    body.extend_from_slice(&forged);
    body.extend_from_slice(&[2, 0, 0, 0, 1, 2]);
    let (status, answer) = server.json(batch(&body)).await;
    assert_eq!(status, StatusCode::OK);
    let results = answer["results"].as_array().unwrap();
    let statuses: Vec<&str> = results.iter().map(|r| r["status"].as_str().unwrap()).collect();
    let expected = ["pending", "refused", "waiting", "pending", "recorded", "refused", "refused"];
    assert_eq!(statuses, expected);
    assert_eq!(results[0], json!({ "id": fresh.id(), "status": "pending" }));
    let refused = &results[1];
    assert_eq!(refused["id"], json!(taken.id()));
    assert_eq!((&refused["code"], &refused["final"]), (&json!("NAME_TAKEN"), &json!(true)));
    assert!(refused["number"].is_u64() && refused["rule"].as_str().unwrap().starts_with("LED-"));
    assert!(refused["message"].is_string() && refused["hint"].is_string());
    let waiting = &results[2];
    assert_eq!((&waiting["code"], &waiting["final"]), (&json!("UNKNOWN_ASSET"), &json!(false)));
    let expected = json!({ "id": recorded[1].id(), "status": "recorded", "height": 2, "index": 1 });
    assert_eq!(results[4], expected);
    assert_eq!((&results[5]["code"], &results[5]["id"]), (&json!("BAD_SIGNATURE"), &json!(null)));
    assert_eq!(results[6]["code"], json!("NON_CANONICAL"));
    let published = server.published.0.lock().unwrap().clone();
    assert_eq!(published, [fresh.bytes().to_vec(), waits.bytes().to_vec()]);
    assert_eq!(server.submit(&[]).await, Vec::<Value>::new());
    let mempool = server.get("/v1/status").await["mempool"].clone();
    assert_eq!((&mempool["envelopes"], &mempool["waiting"]), (&json!(2), &json!(1)));
}

fn asset_id_of(author: &str, name: &str) -> headwater_ledger::hash::AssetId {
    headwater_ledger::envelope::asset_id(&chain_id(), &handle(author), &name.parse().unwrap())
}

/// Asks for the outcome of an envelope while `act` happens.
async fn while_waiting(server: &Arc<Server>, id: &str, act: impl FnOnce()) -> (Value, Duration) {
    let (asked, path) = (server.clone(), format!("/v1/envelopes/{id}?wait_ms=20000"));
    let begun = std::time::Instant::now();
    let waiting = tokio::spawn(async move { asked.get(&path).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished(), "the answer came before there was one");
    act();
    (waiting.await.unwrap(), begun.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_told_when_it_is_recorded_and_when_it_is_refused() {
    let server = Arc::new(served().0);
    let mut clerk = Clerk::default();
    for _ in 0..3 {
        clerk.sign("north", raw("x"));
    }
    let good = clerk.sign("north", raw("c1"));
    server.submit(&[&good]).await;
    let (answer, took) = while_waiting(&server, &good.id().to_string(), || server.advance()).await;
    let expected = json!({ "id": good.id(), "status": "recorded", "height": 5, "index": 0 });
    assert_eq!(answer, expected);
    assert!(took < Duration::from_secs(15), "{took:?}");

    // From a peer, so that the rules are asked only when a block is built.
    let bad = clerk.sign("north", raw("a1"));
    let status = server.app.lock().unwrap().submit(bad.clone(), Origin::Peer);
    assert!(matches!(status, (Status::Pending, true)));
    let (answer, took) = while_waiting(&server, &bad.id().to_string(), || server.advance()).await;
    assert_eq!((&answer["status"], &answer["code"]), (&json!("refused"), &json!("NAME_TAKEN")));
    assert!(took < Duration::from_secs(15), "{took:?}");

    let unknown = clerk.sign("north", raw("c2"));
    let answer = server.get(&format!("/v1/envelopes/{}?wait_ms=30", unknown.id())).await;
    assert_eq!(answer, json!({ "id": unknown.id(), "status": "unknown" }));
    let answer = server.get(&format!("/v1/envelopes/{}", good.id())).await;
    assert_eq!(answer["status"], json!("recorded"));
}

/// Asks for keys and verifies the proof as a client would; the values by key.
async fn proven(
    server: &Server,
    height: Option<u64>,
    keys: &[Key],
) -> (LightBlock, Vec<Option<Vec<u8>>>) {
    let hex_keys: Vec<String> =
        keys.iter().map(|k| hex::encode(codec::encode(k).unwrap())).collect();
    let answer = server.post("/v1/state", json!({ "height": height, "keys": hex_keys })).await;
    let light = verified(&answer["block"]);
    let values: Vec<Option<String>> = serde_json::from_value(answer["values"].clone()).unwrap();
    let values: Vec<Option<Vec<u8>>> =
        values.into_iter().map(|v| v.map(|v| hex::decode(v).unwrap())).collect();
    let proof: MapMultiProof = serde_json::from_value(answer["proof"].clone()).unwrap();
    let claims: Vec<([u8; 32], Option<&[u8]>)> =
        keys.iter().zip(&values).map(|(k, v)| (k.hash().unwrap(), v.as_deref())).collect();
    assert!(proof.verify(&light.header.state_root, &claims), "the proof does not hold");
    let mut lies = claims.clone();
    lies[0].1 = if lies[0].1.is_some() { None } else { Some(b"a lie") };
    assert!(!proof.verify(&light.header.state_root, &lies), "the proof proves anything");
    (light, values)
}

#[tokio::test]
async fn records_are_proven_against_the_state_root_of_their_block() {
    let (server, _) = served();
    let keys = [
        Key::Asset(asset_id_of("north", "a1")),
        Key::Asset(asset_id_of("north", "a2")),
        Key::Asset(asset_id_of("north", "none")),
        Key::Member(handle("south")),
    ];
    let (light, values) = proven(&server, None, &keys).await;
    assert_eq!(light.header.height, 4);
    assert_eq!(values.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false, true]);
    let (light, values) = proven(&server, Some(1), &keys).await;
    assert_eq!(light.header.height, 1);
    assert_eq!(values.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false, true]);
}

#[tokio::test]
async fn lists_come_whole_and_in_pieces_and_have_the_proven_root() {
    let (server, envelopes) = served();
    for (relation, count) in [
        (Relation::MemberEvents(handle("north")), 3),
        (Relation::MemberAssets(handle("north")), 3),
        (Relation::MemberEvents(handle("south")), 1),
        (Relation::MemberGrants(handle("north")), 0),
    ] {
        let (_, values) = proven(&server, None, &[Key::Range(relation.clone())]).await;
        let range: Range = match &values[0] {
            Some(bytes) => codec::decode(bytes, bytes.len()).unwrap(),
            None => Range::default(),
        };
        assert_eq!(range.count(), count);
        for pieces in [1, 2, 4_096u64] {
            let mut found = Range::default();
            while found.count() < count {
                let ask = json!({ "relation": relation, "from": found.count(), "limit": pieces });
                let answer = server.post("/v1/lists", ask).await;
                let entries: Vec<String> =
                    serde_json::from_value(answer["entries"].clone()).unwrap();
                assert!(!entries.is_empty() && entries.len() as u64 <= pieces);
                for entry in entries {
                    let entry = hex::decode(entry).unwrap();
                    assert_eq!(entry.len(), 41);
                    found.push(&entry);
                }
            }
            assert_eq!((found.count(), found.root()), (count, range.root()));
        }
        let ask = json!({ "relation": relation, "from": count, "limit": 5 });
        assert_eq!(server.post("/v1/lists", ask).await, json!({ "entries": [] }));
    }
    assert_eq!(envelopes.len(), 3);
}

#[tokio::test]
async fn events_are_found_by_their_id_and_by_every_prefix_of_it() {
    let (server, envelopes) = served();
    let places: BTreeMap<usize, (u64, u64)> = [(0, (1, 0)), (1, (2, 1)), (2, (2, 0))].into();
    for (which, (height, place)) in places {
        let envelope = &envelopes[which];
        for (index, event) in (0u32..).zip(envelope.events()) {
            let id = event_id(&envelope.id(), index);
            let answer = server.get(&format!("/v1/events/{id}")).await;
            assert_eq!(answer["id"], json!(id));
            assert_eq!(answer["event"], json!(event));
            assert_eq!(answer["envelope_id"], json!(envelope.id()));
            assert_eq!(answer["author"], json!(envelope.header().author));
            assert_eq!((&answer["height"], &answer["envelope"]), (&json!(height), &json!(place)));
            assert_eq!(answer["index"], json!(index));
            let digits = hex::encode(id.digest().raw());
            for length in 8..=64 {
                assert_eq!(server.get(&format!("/v1/events/{}", &digits[..length])).await, answer);
            }
            let short = format!("/v1/events/blake3:{}", &digits[..9]);
            assert_eq!(server.get(&short).await, answer);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_tells_of_every_block() {
    let (server, _) = served();
    let response = server.ask(get("/v1/stream")).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    for height in 5..=7u64 {
        server.advance();
        let next = tokio::time::timeout(Duration::from_secs(10), body.next()).await;
        let chunk = next.expect("no notice").unwrap().unwrap();
        let text = String::from_utf8(chunk.to_vec()).unwrap();
        let data = text.strip_prefix("event: block\ndata: ").expect("an event named block");
        let notice: Value = serde_json::from_str(data.trim()).unwrap();
        let light = verified(&server.get("/v1/blocks/latest").await);
        let expected = json!({
            "height": height, "block_id": light.header.id().unwrap(),
            "time_ms": light.header.time_ms, "envelopes": 0, "events": 0,
        });
        assert_eq!(notice, expected);
    }
}
