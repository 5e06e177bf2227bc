//! Files of envelopes, recorded once each whatever happens.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use headwater_ledger::state::Records as _;
use serde_json::{Value, json};

use crate::chain::Manner;
use crate::members::Members;

pub fn register(name: &str, label: &str) -> String {
    let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    let root = format!("blake3:{hex:0<64}");
    let event = json!({"register_asset": {
        "name": name, "stage": "raw", "content": {"root": root, "bytes": 1, "records": 1},
        "metadata": {"format": "text/csv", "region": "CN", "period_from_ms": 0,
            "period_to_ms": 1, "classification": "general", "sensitivity": 1,
            "deidentification": "anonymised", "quality": {"accuracy": 1, "completeness": 1,
            "consistency": 1, "timeliness": 1, "conformity": 1, "accessibility": 1}},
        "split": {"holding": 10_000, "processing": 0, "operation": 0, "upstream": 0}}});
    format!("{}\n", json!({"author": "clinic", "label": label, "events": [event]}))
}

fn offer(label: &str, right: &str) -> String {
    let end = u64::MAX >> 1;
    let event = json!({"offer_grant": {"asset": "clinic/n1", "right": right,
        "grantee": "works", "terms": {"purposes": ["commercial"], "territories": ["CN"],
        "not_before_ms": 0, "not_after_ms": end,
        "sublicence_depth": if right == "operation" { 2 } else { 0 }}}});
    format!("{}\n", json!({"author": "clinic", "label": label, "events": [event]}))
}

fn line(author: &str, label: &str, events: &[Value]) -> String {
    format!("{}\n", json!({"author": author, "label": label, "events": events}))
}

/// Registrations, and a whole sale that names everything by labels.
fn sale(registrations: usize) -> String {
    let mut text: String =
        (0..registrations).map(|n| register(&format!("n{n}"), &format!("n{n}"))).collect();
    text += &offer("processing", "processing");
    text += &offer("operation", "operation");
    text += &line(
        "works",
        "accepts",
        &[
            json!({"accept_grant": {"grant": "$processing"}}),
            json!({"accept_grant": {"grant": "$operation.0"}}),
        ],
    );
    let mut product: Value = serde_json::from_str(&register("report", "product")).unwrap();
    product["author"] = "works".into();
    let event = &mut product["events"][0]["register_asset"];
    event["stage"] = "product".into();
    // The content of another member's asset would be contested.
    event["content"]["root"] = format!("blake3:{}", "ce".repeat(32)).into();
    event["split"] = json!({"holding": 0, "processing": 5_000, "operation": 0, "upstream": 5_000});
    event["derivation"] = json!({
        "inputs": [{"asset": "clinic/n1", "weight": 1, "grant": "$processing"}],
        "activity": {"kind": "analysis", "method": format!("blake3:{}", "cd".repeat(32)),
            "purposes": ["commercial"], "territory": "CN", "claimed_from_ms": 5,
            "claimed_to_ms": 6}});
    text += &format!("{product}\n");
    text += &line(
        "works",
        "listing",
        &[json!({"list_product": {"asset": "$product",
        "exchange": "bourse", "fee_bp": 150, "operation_grants": ["$operation"]}})],
    );
    text += &line(
        "bourse",
        "review",
        &[json!({"review_listing": {"listing": "$listing", "decision": "accept"}})],
    );
    text += &line(
        "works",
        "contract",
        &[json!({"propose_contract": {"listing": "$listing",
        "buyer": "pharma", "schedule": "auto", "price": 1_000, "currency": "CNY",
        "licence": {"purposes": ["commercial"], "territories": ["CN"], "not_after_ms": u64::MAX >> 1},
        "sign_by_ms": u64::MAX >> 1}})],
    );
    for party in ["pharma", "bourse"] {
        text += &line(
            party,
            &format!("signs-{party}"),
            &[json!({"sign_contract": {"contract": "$contract", "schedule": "auto"}})],
        );
    }
    text + &line(
        "bourse",
        "payment",
        &[json!({"record_payment": {"contract": "$contract",
        "gross": 1_000, "tax": 0, "currency": "CNY", "bank_reference": "ICBC-1"}})],
    )
}

#[test]
fn a_file_of_a_whole_sale_is_recorded_once() {
    let user = Members::new();
    let file = user.file("acts.ndjson", sale(100));
    let checked = user.json(&["submit", &file, "--dry-run"], 0);
    assert_eq!(checked["envelopes"], 110);
    let (reports, summary) = user.submit(&file, &[], 0);
    assert_eq!((&summary["recorded"], &summary["refused"]), (&json!(110), &json!(0)));
    let numbers: Vec<u64> = reports.iter().map(|r| r["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=110).collect::<Vec<u64>>());
    let last = &reports[109];
    assert_eq!((&last["label"], &last["status"]), (&json!("payment"), &json!("recorded")));
    let payment = last["made"][0]["id"].as_str().unwrap();
    {
        let mut chain = user.node.chain.lock().unwrap();
        let payment = chain.state().payment(&payment.parse().unwrap()).unwrap().unwrap();
        assert_eq!(payment.gross, 1_000);
        assert_eq!(chain.recorded.len(), 110);
        assert_eq!(chain.received.len(), 110);
        let largest = *chain.batches.iter().max().unwrap();
        assert!(largest > 1 && largest <= 64, "{:?}", chain.batches);
        chain.received.clear();
    }
    // Run again, nothing is sent; the report is the same.
    let (again, summary) = user.submit(&file, &[], 0);
    assert_eq!(summary["earlier"], 110);
    for (before, now) in reports.iter().zip(&again) {
        assert_eq!(now["earlier"], true);
        assert_eq!((&before["envelope"], &before["made"]), (&now["envelope"], &now["made"]));
    }
    assert!(user.node.chain.lock().unwrap().received.is_empty());
    // What is recorded must stay; what is added below is new.
    let more = sale(100)
        + &line("pharma", "late", &[json!({"confirm_delivery": {"contract": "$contract"}})]);
    user.file("acts.ndjson", more.replace("\"ICBC-1\"", "\"ICBC-2\""));
    let output = user.run(&["submit", &file]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("line 110 was recorded before and has changed since"), "{text}");
    assert!(user.node.chain.lock().unwrap().received.is_empty());
}

/// Waits until the node has received this many envelopes.
fn received(user: &Members, child: &mut Child, count: usize) {
    let started = Instant::now();
    while user.node.chain.lock().unwrap().received.len() < count {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing arrived");
        assert!(child.try_wait().unwrap().is_none(), "the client ended");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_crash_after_sending_records_nothing_twice() {
    let user = Members::new();
    let text: String = (0..40).map(|n| register(&format!("n{n}"), &format!("n{n}"))).collect();
    let file = user.file("acts.ndjson", &(text + &offer("g", "processing")));
    user.node.manner(Manner::Mute);
    let mut child = user.unlocking(&["submit", &file]).stdout(Stdio::null()).spawn().unwrap();
    received(&user, &mut child, 40);
    child.kill().unwrap();
    child.wait().unwrap();
    user.node.manner(Manner::Honest);
    let first = user.node.chain.lock().unwrap().received.clone();
    let (reports, summary) = user.submit(&file, &[], 0);
    assert_eq!((&summary["recorded"], reports.len()), (&json!(41), 41));
    let chain = user.node.chain.lock().unwrap();
    assert_eq!(chain.received[40..80], first[..]);
    assert_eq!(chain.recorded.len(), 41);
    let journal = format!("{file}.journal");
    assert_eq!(fs::metadata(journal).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn envelopes_whose_time_is_over_are_signed_anew_only_if_not_recorded() {
    let user = Members::new();
    // The client is stopped twice: with an envelope that was recorded, and with one that was not.
    let stop = |file: &str, manner: Manner, count: usize| {
        user.node.manner(manner);
        let options = ["submit", file, "--valid-for", "10s"];
        let mut child = user.unlocking(&options).stdout(Stdio::null()).spawn().unwrap();
        received(&user, &mut child, count);
        child.kill().unwrap();
        child.wait().unwrap();
    };
    let recorded = user.file("recorded.ndjson", &(register("n1", "a") + &offer("g", "processing")));
    stop(&recorded, Manner::Mute, 1);
    let lost = user.file("lost.ndjson", register("n2", "b"));
    stop(&lost, Manner::Full, 2);
    let first = user.node.chain.lock().unwrap().received.clone();
    std::thread::sleep(Duration::from_secs(11));
    user.node.manner(Manner::Honest);
    user.node.chain.lock().unwrap().tick();
    // A line that was recorded meanwhile cannot be changed, one that never will be can.
    let text = fs::read_to_string(&recorded).unwrap();
    user.file("recorded.ndjson", text.replace("\"n1\"", "\"n3\""));
    let (reports, _) = user.submit(&recorded, &[], 1);
    assert_eq!(reports[0]["status"], "failed");
    assert!(reports[0]["message"].as_str().unwrap().contains("was recorded"), "{reports:?}");
    user.file("recorded.ndjson", &text);
    user.file("lost.ndjson", register("n4", "b"));
    let (reports, _) = user.submit(&recorded, &[], 0);
    assert_eq!(reports[0]["envelope"], first[0].to_string());
    let (reports, _) = user.submit(&lost, &[], 0);
    assert_ne!(reports[0]["envelope"], first[1].to_string());
    let chain = user.node.chain.lock().unwrap();
    assert_eq!(chain.recorded.len(), 3);
}

#[test]
fn a_refusal_stops_and_a_corrected_line_goes_on() {
    let user = Members::new();
    let accept = |grant: &str| {
        line("pharma", "", &[json!({"accept_grant": {"grant": grant}})])
            .replace("\"label\":\"\",", "")
    };
    let text =
        register("n1", "a") + &offer("g", "processing") + &accept("$g") + &register("n2", "b");
    let file = user.file("acts.ndjson", &text);
    let (reports, summary) = user.submit(&file, &[], 1);
    assert_eq!(reports[2]["code"], "NOT_GRANTEE");
    assert_eq!((&reports[2]["status"], &reports[2]["final"]), (&json!("refused"), &json!(true)));
    assert_eq!(reports.len(), 3);
    let counts = ["recorded", "refused", "not_tried"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts, [2, 1, 1]);
    let report = user.path("report.ndjson");
    let (none, summary) = user.submit(&file, &["--keep-going", "--report", &report], 1);
    assert!(none.is_empty());
    let counts = ["recorded", "earlier", "refused"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts, [1, 2, 1]);
    assert_eq!(fs::read_to_string(&report).unwrap().lines().count(), 4);
    user.file("acts.ndjson", text.replace("\"author\":\"pharma\"", "\"author\":\"works\""));
    let (reports, summary) = user.submit(&file, &[], 0);
    assert_eq!((&summary["recorded"], &summary["earlier"]), (&json!(1), &json!(3)));
    assert_eq!(reports[2]["status"], "recorded");
    assert_eq!(user.node.chain.lock().unwrap().recorded.len(), 4);
}

#[test]
fn a_malformed_line_stops_everything_with_its_place() {
    let user = Members::new();
    let file = user.file("acts.ndjson", &(register("n1", "a") + "{\"author\":\"clinic\",}\n"));
    let error = &user.json(&["submit", &file], 1)["error"];
    assert!(error["message"].as_str().unwrap().starts_with("line 2, column 20: "), "{error}");
    assert!(user.node.chain.lock().unwrap().received.is_empty());
    let missing = user.file(
        "b.ndjson",
        line(
            "nobody",
            "x",
            &[json!({"accept_grant":
        {"grant": format!("blake3:{}", "00".repeat(32))}})],
        ),
    );
    let error = &user.json(&["submit", &missing], 1)["error"];
    assert_eq!(error["code"], "not_found");
}

#[test]
fn what_rests_on_a_refused_line_is_not_sent() {
    let user = Members::new();
    let bad = offer("g", "processing").replace("\"clinic\",\"label\"", "\"pharma\",\"label\"");
    let accept = line("works", "x", &[json!({"accept_grant": {"grant": "$g"}})]);
    let text = register("n1", "a") + &bad + &accept + &register("n2", "b");
    let file = user.file("acts.ndjson", &text);
    let (reports, _) = user.submit(&file, &["--keep-going", "--wait", "0s"], 1);
    assert_eq!(
        (&reports[1]["status"], &reports[1]["code"]),
        (&json!("waiting"), &json!("NOT_RIGHT_MANAGER"))
    );
    assert_eq!(reports[2]["status"], "failed");
    assert!(reports[2]["message"].as_str().unwrap().contains("line 2 (g)"), "{reports:?}");
    assert_eq!(reports[3]["status"], "recorded");
}
