//! What the HTTP API says when it cannot answer: a status, a code, a sentence and a hint.

use axum::body::Body;
use axum::http::{Method, Request, header};
use headwater_ledger::codec;
use headwater_ledger::envelope::event_id;
use headwater_ledger::state::Key;
use headwater_node::archive::rows;
use headwater_node::store::index::IndexStore;
use serde_json::{Value, json};

use crate::http::{Server, batch, framed, get, post, served};
use crate::nodes::{Clerk, Node, Settings};
use crate::support::raw;

/// Asks and holds the answer to the form of errors.
async fn assert_error(server: &Server, request: Request<Body>, status: u16, code: &str) -> String {
    let path = request.uri().to_string();
    let (found, answer) = server.json(request).await;
    let error = &answer["error"];
    let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
    assert_eq!((found.as_u16(), text("code").as_str()), (status, code), "{path}: {answer}");
    assert!(text("message").len() > 10 && text("hint").len() > 10, "{path}: {answer}");
    assert_eq!(answer.as_object().unwrap().len(), 1);
    assert_eq!(error.as_object().unwrap().len(), 3);
    text("message")
}

fn keys(keys: &[String]) -> Value {
    json!({ "keys": keys })
}

fn member_key() -> String {
    hex::encode(codec::encode(&Key::Member("north".parse().unwrap())).unwrap())
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_unknown() {
    let (server, envelopes) = served();
    for path in ["/v1/blocks/5", "/v1/blocks/0", "/v1/blocks/18446744073709551615"] {
        assert_error(&server, get(path), 404, "UNKNOWN_HEIGHT").await;
        assert_error(&server, get(&format!("{path}/raw")), 404, "UNKNOWN_HEIGHT").await;
    }
    for path in ["/v1/blocks/last", "/v1/blocks/-1", "/v1/blocks/1.5", "/v1/blocks/%FF"] {
        let code = if path.contains('%') { "BAD_REQUEST" } else { "BAD_HEIGHT" };
        assert_error(&server, get(path), 400, code).await;
        assert_error(&server, get(&format!("{path}/raw")), 400, code).await;
    }
    for path in ["/", "/v2/status", "/v1/blocks", "/v1/events", "/v1/status/"] {
        assert_error(&server, get(path), 404, "UNKNOWN_ROUTE").await;
    }
    for (method, path) in
        [(Method::POST, "/v1/status"), (Method::DELETE, "/v1/blocks/1"), (Method::GET, "/v1/state")]
    {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        assert_error(&server, request, 405, "WRONG_METHOD").await;
    }
    assert_eq!(envelopes.len(), 3);
}

#[tokio::test]
async fn a_state_request_that_cannot_be_answered_says_why() {
    let (server, _) = served();
    let ask = |body: Value| post("/v1/state", body);
    for height in [0, 5, u64::MAX] {
        let body = json!({ "height": height, "keys": [member_key()] });
        assert_error(&server, ask(body), 404, "UNKNOWN_HEIGHT").await;
    }
    let many: Vec<String> = vec![member_key(); 1_025];
    let long = "00".repeat(513);
    let trailing = format!("{}00", member_key());
    for body in [
        keys(&[]),
        keys(&many),
        keys(&["zz".into()]),
        keys(&["0".into()]),
        keys(&["ffffffff".into()]),
        keys(&[trailing]),
        keys(&[long]),
    ] {
        assert_error(&server, ask(body), 400, "BAD_KEYS").await;
    }
    for body in [json!({}), json!({ "keys": 5 }), json!({ "keys": [], "at": 1 }), json!(null)] {
        assert_error(&server, ask(body), 422, "BAD_REQUEST").await;
    }
    let no_json = Request::builder().method(Method::POST).uri("/v1/state");
    let no_json = no_json.header(header::CONTENT_TYPE, "application/json");
    assert_error(&server, no_json.body(Body::from("{")).unwrap(), 400, "BAD_REQUEST").await;
    let no_type = Request::builder().method(Method::POST).uri("/v1/lists");
    assert_error(&server, no_type.body(Body::from("{}")).unwrap(), 415, "BAD_REQUEST").await;
    let wrong = json!({ "relation": { "member_things": "north" }, "from": 0, "limit": 1 });
    assert_error(&server, post("/v1/lists", wrong), 422, "BAD_REQUEST").await;
}

#[tokio::test]
async fn a_batch_that_is_not_well_framed_is_refused_whole() {
    let (server, _) = served();
    let envelope = Clerk::default().sign("north", raw("c1"));
    let whole = framed(&[&envelope]);
    let with_length = |length: u32| [&whole[..], &length.to_le_bytes(), &[0; 64]].concat();
    let bodies = [
        whole[..whole.len() - 1].to_vec(),
        [&whole[..], &[1, 2, 3]].concat(),
        with_length(65),
        with_length(u32::MAX),
        vec![0; 4 * 4_097],
        [&(2u32 << 20 | 1).to_le_bytes()[..], &vec![0; (2 << 20) + 1]].concat(),
    ];
    for body in bodies {
        assert_error(&server, batch(&body), 400, "BAD_BATCH").await;
    }
    assert!(server.app.lock().unwrap().mempool().is_empty(), "half of a bad batch was taken");
    let results = server.json(batch(&[0; 4 * 4_096])).await.1;
    assert_eq!(results["results"].as_array().unwrap().len(), 4_096);
    assert_error(&server, batch(&vec![0; (16 << 20) + 1]), 413, "TOO_LARGE").await;
}

#[tokio::test]
async fn an_envelope_status_needs_a_whole_id_and_known_options() {
    let (server, envelopes) = served();
    let id = envelopes[0].id().to_string();
    let short = &id[..id.len() - 1];
    for path in ["abc", short, &id.to_uppercase()] {
        assert_error(&server, get(&format!("/v1/envelopes/{path}")), 400, "BAD_ID").await;
    }
    for options in ["wait_ms=soon", "wait_ms=-1", "wait=5"] {
        let path = format!("/v1/envelopes/{id}?{options}");
        assert_error(&server, get(&path), 400, "BAD_REQUEST").await;
    }
}

#[tokio::test]
async fn prefixes_of_event_ids_are_exact_to_the_last_digit() {
    let (server, envelopes) = served();
    let id = event_id(&envelopes[0].id(), 0);
    let digits = hex::encode(id.digest().raw());
    // Another last digit is another id, at odd and even lengths, within and beyond what rows hold.
    for length in 8..=64 {
        let (begin, last) = digits[..length].split_at(length - 1);
        let other = if last == "0" { "1" } else { "0" };
        let path = format!("/v1/events/{begin}{other}");
        assert_error(&server, get(&path), 404, "UNKNOWN_EVENT").await;
    }
    let longer = format!("{digits}0");
    let upper = digits.to_uppercase();
    for bad in
        ["abc", &digits[..7], &longer, &upper, "blake3:", "zzzzzzzz", "%C3%A9%C3%A9%C3%A9%C3%A9"]
    {
        assert_error(&server, get(&format!("/v1/events/{bad}")), 400, "BAD_ID").await;
    }
}

#[tokio::test]
async fn a_prefix_of_several_event_ids_is_ambiguous_until_it_tells_them_apart() {
    let (server, envelopes) = served();
    let id = event_id(&envelopes[0].id(), 0);
    let own = rows::event_key(&id);
    server.app.lock().unwrap().settle();
    let value = server.index.get(&own).unwrap().unwrap();
    let digits = hex::encode(id.digest().raw());
    // Rows of ids that share eight digits and differ in the ninth, on both sides of the true one.
    let ninth = own[5] >> 4;
    let others: Vec<u8> = (0..16).filter(|n| *n != ninth).collect();
    let rows = others.iter().map(|n| {
        let mut key = own.clone();
        key[5] = n << 4;
        (key, value.clone())
    });
    server.index.apply(4, rows.collect()).unwrap();
    let message =
        assert_error(&server, get(&format!("/v1/events/{}", &digits[..8])), 400, "AMBIGUOUS_ID")
            .await;
    assert!(message.contains(&digits[..8]), "{message}");
    for length in 9..=12 {
        let answer = server.get(&format!("/v1/events/{}", &digits[..length])).await;
        assert_eq!(answer["id"], json!(id), "{length} digits");
    }
    for n in others {
        // The row is there, but the log has no event of this id.
        let path = format!("/v1/events/{}{n:x}", &digits[..8]);
        assert_error(&server, get(&path), 404, "UNKNOWN_EVENT").await;
    }
}

#[tokio::test]
async fn when_the_index_fails_blocks_go_on_and_lists_say_so() {
    let mut node = Node::with(Settings { breaks_index: true, ..Settings::default() });
    let envelope = Clerk::default().sign("north", raw("a1"));
    node.submit(&envelope);
    for _ in 0..12 {
        node.advance();
    }
    node.app.settle();
    assert!(node.snapshots().is_empty(), "a snapshot above the index was written");
    let server = Server::of(node);
    let status = server.get(&format!("/v1/envelopes/{}", envelope.id())).await;
    assert_eq!((&status["status"], &status["height"]), (&json!("recorded"), &json!(1)));
    let status = server.get("/v1/status").await;
    assert_eq!((&status["height"], &status["index_height"]), (&json!(12), &json!(0)));
    let list = json!({ "relation": { "member_events": "north" }, "from": 0, "limit": 1 });
    assert_error(&server, post("/v1/lists", list), 503, "INDEX_BEHIND").await;
}

#[tokio::test]
async fn after_a_failure_that_stopped_the_engine_health_is_bad_and_reads_go_on() {
    let (server, _) = served();
    let app = server.app.clone();
    let failed = std::thread::spawn(move || {
        let _held = app.lock().unwrap();
        panic!("a bug while the application was held");
    });
    assert!(failed.join().is_err());
    assert_error(&server, get("/health"), 503, "ENGINE_STOPPED").await;
    assert_eq!(server.get("/v1/status").await["height"], json!(4));
}
