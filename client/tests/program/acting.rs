//! Members act with the `headwater` program against a node that runs the ledger's rules.

#[path = "support/chain.rs"]
mod chain;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use chain::{Manner, Node, seed};
use headwater_ledger::envelope::asset_id;
use headwater_ledger::hash::AssetId;
use headwater_ledger::state::{Key, Records as _};
use serde_json::{Value, json};
use tempfile::TempDir;

const MEMBERS: [&str; 5] = ["bourse", "clinic", "works", "pharma", "watch"];

/// A user who holds the keys of all members.
struct User {
    home: TempDir,
    node: Node,
}

impl User {
    fn new() -> Self {
        let user = User { home: tempfile::tempdir().unwrap(), node: Node::start() };
        for handle in MEMBERS {
            let file = user.file("seed", &hex::encode(seed(handle)));
            user.json(&["key", "import", handle, "--seed-file", &file], 0);
        }
        user
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_str().unwrap().to_string()
    }

    fn file(&self, name: &str, content: &str) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HEADWATER_")) {
            command.env_remove(name);
        }
        command.args(arguments).env("HEADWATER_HOME", self.home.path().join("home"));
        command.env("HEADWATER_NODE", &self.node.url);
        command.env("HEADWATER_PASSPHRASE", "correct horse").stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Acts, and gives the id of the object made, or null.
    fn act(&self, member: &str, arguments: &[&str]) -> String {
        let done = self.json(&[arguments, &["--as", member]].concat(), 0);
        assert_eq!(done["status"], "recorded", "{done}");
        done["made"][0]["id"].as_str().unwrap_or_default().to_string()
    }

    /// Acts in vain, and gives the error.
    fn refused(&self, member: &str, arguments: &[&str]) -> Value {
        self.json(&[arguments, &["--as", member]].concat(), 1)["error"].clone()
    }

    /// Runs `submit` and gives its reports and the summary.
    fn submit(&self, file: &str, options: &[&str], code: i32) -> (Vec<Value>, Value) {
        let output = self.run(&[&["submit", file, "--json"], options].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{stderr}{}",
            String::from_utf8_lossy(&output.stdout)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        if code != 0 {
            assert!(lines.pop().unwrap()["error"].is_object(), "{text}");
        }
        let summary = lines.pop().unwrap_or_default()["summary"].clone();
        (lines, summary)
    }

    fn asset(&self, author: &str, name: &str) -> AssetId {
        let chain_id = self.node.chain.lock().unwrap().chain_id();
        asset_id(&chain_id, &author.parse().unwrap(), &name.parse().unwrap())
    }
}

const METADATA: [&str; 14] = [
    "--format",
    "text/csv",
    "--region",
    "CN-GD",
    "--period-from",
    "2026-01-01",
    "--period-to",
    "2026-06-30",
    "--classification",
    "general",
    "--sensitivity",
    "2",
    "--deidentification",
    "anonymised",
];

fn raw<'a>(name: &'a str, content: &'a str) -> Vec<&'a str> {
    let own = [
        "asset",
        "register",
        name,
        "--stage",
        "raw",
        "--content",
        content,
        "--count-lines",
        "--split",
        "4000/3000/3000/0",
    ];
    [&own[..], &METADATA[..]].concat()
}

#[test]
fn a_product_is_made_sold_paid_and_refunded() {
    let user = User::new();
    let content = user.file("scans.csv", "1,2\n3,4\n");
    let scans = user.act("clinic", &raw("scans", &content));
    assert_eq!(scans, user.asset("clinic", "scans").to_string());
    let salts = user.path("home/salts/clinic+scans.json");
    assert_eq!(fs::metadata(&salts).unwrap().permissions().mode() & 0o777, 0o600);
    let salt: Value = serde_json::from_slice(&fs::read(&salts).unwrap()).unwrap();
    {
        let chain = user.node.chain.lock().unwrap();
        let asset = chain.state().asset(&user_asset(&scans)).unwrap().unwrap();
        assert_eq!((asset.content.bytes, asset.content.records), (8, 2));
        assert_eq!(salt["salts"]["content"]["root"], asset.content.root.to_string());
        assert_eq!(asset.metadata.period_to_ms, 1_782_863_999_999);
    }

    let terms = ["--purpose", "commercial", "--territory", "CN", "--days", "30"];
    let offer = |right: &'static str| {
        let own = ["grant", "offer", "clinic/scans", "--to", "works", "--right", right];
        [&own[..], &terms[..]].concat()
    };
    let processing = user.act("clinic", &[&offer("processing")[..], &["--floor", "1000"]].concat());
    let operation = user.act("clinic", &[&offer("operation")[..], &["--depth", "2"]].concat());
    let not_mine = user.refused("pharma", &["grant", "accept", &processing]);
    assert_eq!((&not_mine["code"], &not_mine["final"]), (&json!("NOT_GRANTEE"), &json!(true)));
    assert_eq!(not_mine["rule"], "LED-GRT-2");
    // Eight digits are enough.
    user.act("works", &["grant", "accept", &processing[..15]]);
    user.act("works", &["grant", "accept", &operation["blake3:".len()..][..8]]);

    let input = format!("clinic/scans:3:{processing}");
    let product = [
        &[
            "asset",
            "register",
            "report",
            "--stage",
            "product",
            "--content",
            &content,
            "--records",
            "2",
            "--split",
            "1000/3000/2000/4000",
            "--input",
            &input,
            "--activity",
            "analysis",
            "--method",
            &content,
            "--purpose",
            "commercial",
            "--territory",
            "CN",
        ][..],
        &METADATA[..],
    ]
    .concat();
    user.act("works", &product);
    let create = ["listing", "create", "works/report", "--exchange", "bourse", "--fee-bp", "150"];
    let listing = user.act("works", &[&create[..], &["--grant", &operation]].concat());
    user.act("bourse", &["listing", "review", &listing, "--accept"]);
    let propose = [
        "contract",
        "propose",
        &listing,
        "--buyer",
        "pharma",
        "--price",
        "2000000.00",
        "--currency",
        "CNY",
    ];
    let contract = user.act("works", &propose);
    let nobody = user.json(&["contract", "sign", &contract, "--as", "pharma"], 2);
    assert!(nobody["error"]["hint"].as_str().unwrap().contains("--yes"), "{nobody}");
    let shown = user.run(&["contract", "sign", &contract, "--yes", "--as", "pharma"]);
    let terms = String::from_utf8(shown.stderr).unwrap();
    assert!(terms.contains("2 000 000.00 CNY") && terms.contains("works/report"), "{terms}");
    user.act("bourse", &["contract", "sign", &contract, "--yes"]);

    let pay = [
        "payment",
        "record",
        &contract,
        "--gross",
        "2000000.00",
        "--tax",
        "113207.55",
        "--currency",
        "CNY",
        "--bank-ref",
        "ICBC-20261123-000017",
    ];
    let preview = user.json(&[&pay[..], &["--dry-run", "--as", "bourse"]].concat(), 0);
    let parts = &preview["preview"];
    assert_eq!((&parts["net"], &parts["fee"]), (&json!(185_849_057), &json!(2_830_188)));
    let payment = user.act("bourse", &pay);
    let again = user.refused("bourse", &pay);
    assert_eq!(again["code"], "PAYMENT_ABOVE_PRICE");
    user.act("works", &["contract", "deliver", &contract, "--content", &content]);
    user.act("pharma", &["contract", "confirm", &contract]);
    let refund = ["refund", &payment, "--full", "--bank-ref", "ICBC-20261124-000001"];
    user.act("bourse", &refund);
    let nothing = user.refused("bourse", &["refund", &payment, "--full", "--bank-ref", "X-2"]);
    assert_eq!(nothing["message"], "the refund gives nothing back");
    let chain = user.node.chain.lock().unwrap();
    let payment = chain.state().payment(&payment.parse().unwrap()).unwrap().unwrap();
    assert_eq!(payment.refunded, payment.amounts);
    assert_eq!(payment.amounts.net, 185_849_057);
}

fn user_asset(id: &str) -> AssetId {
    id.parse().unwrap()
}

#[test]
fn members_are_described_admitted_and_suspended() {
    let user = User::new();
    user.json(&["key", "new", "lab"], 0);
    let describe = [
        "member",
        "describe",
        "lab",
        "--name",
        "Lab",
        "--role",
        "processor",
        "--scopes",
        "register,rights",
    ];
    let output = user.run(&describe);
    let file = user.file("lab.json", std::str::from_utf8(&output.stdout).unwrap());
    user.act("bourse", &["member", "admit", "--from", &file]);
    let lab = Key::Member("lab".parse().unwrap());
    assert!(user.node.chain.lock().unwrap().has(&lab));
    let content = user.file("a.csv", "1\n");
    user.act("watch", &["member", "suspend", "lab"]);
    let waits = user.refused("lab", &[&raw("a", &content)[..], &["--wait", "0s"]].concat());
    assert_eq!((&waits["code"], &waits["status"]), (&json!("AUTHOR_SUSPENDED"), &json!("waiting")));
    assert!(waits["hint"].as_str().unwrap().contains("until"), "{waits}");
    user.act("watch", &["member", "reinstate", "lab"]);
    // What waited was recorded as soon as it could be.
    let asset = Key::Asset(user.asset("lab", "a"));
    assert!(user.node.chain.lock().unwrap().has(&asset));
    let taken = user.refused("lab", &raw("a", &content));
    assert_eq!(taken["code"], "NAME_TAKEN");
}

#[test]
fn rights_are_transferred_and_assets_voided() {
    let user = User::new();
    let content = user.file("a.csv", "1\n");
    user.act("clinic", &raw("a", &content));
    let transfer = [
        "asset",
        "transfer",
        "clinic/a",
        "--right",
        "holding",
        "--owner",
        "clinic=9000",
        "--owner",
        "pharma=1000",
        "--manager",
        "clinic",
    ];
    let transfer = user.act("clinic", &transfer);
    user.act("pharma", &["asset", "accept-transfer", &transfer]);
    let chain = |key: &Key| user.node.chain.lock().unwrap().has(key);
    let id = user.asset("clinic", "a");
    assert!(chain(&Key::Epoch(id, headwater_ledger::split::Right::Holding, 1)));
    user.act("watch", &["asset", "void", "clinic/a", "--ruling", &content]);
    let offer = [
        "grant",
        "offer",
        "clinic/a",
        "--to",
        "works",
        "--right",
        "processing",
        "--purpose",
        "commercial",
        "--territory",
        "CN",
        "--days",
        "1",
    ];
    assert_eq!(user.refused("clinic", &offer)["code"], "VOID_ASSET");
}

#[test]
fn mistakes_are_found_before_anything_is_sent() {
    let user = User::new();
    let content = user.file("a.csv", "1\n");
    let with =
        |extra: &[&'static str]| [&raw("a", &content)[..], extra, &["--as", "clinic"]].concat();
    let unknown = format!("blake3:{}", "0".repeat(64));
    for (arguments, code) in [
        (with(&["--input", "clinic/b:1"]), 2),
        (with(&["--valid-for", "25h"]), 2),
        (
            vec![
                "asset",
                "transfer",
                "clinic/a",
                "--right",
                "holding",
                "--owner",
                "clinic=9000",
                "--manager",
                "clinic",
                "--as",
                "clinic",
            ],
            2,
        ),
        (
            vec![
                "payment",
                "record",
                "01234567",
                "--gross",
                "1.5",
                "--tax",
                "0.00",
                "--currency",
                "CNY",
                "--bank-ref",
                "X",
                "--as",
                "bourse",
            ],
            2,
        ),
        (
            vec![
                "payment",
                "record",
                &unknown,
                "--gross",
                "1.00",
                "--tax",
                "0.00",
                "--currency",
                "CNY",
                "--bank-ref",
                "13812345678",
                "--strict",
                "--as",
                "bourse",
            ],
            1,
        ),
        (vec!["grant", "accept", "01234567", "--as", "works"], 1),
        (vec!["grant", "accept", "01234567"], 2),
    ] {
        let error = &user.json(&arguments, code)["error"];
        assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{error}");
    }
    let dry = user.json(&with(&["--dry-run"]), 0);
    assert_eq!(dry["envelope"]["events"][0]["register_asset"]["name"], "a");
    let chain = user.node.chain.lock().unwrap();
    assert!(chain.received.is_empty());
    assert!(!std::path::Path::new(&user.path("home/salts")).exists());
}

#[test]
fn a_node_that_says_recorded_without_recording_is_caught() {
    let user = User::new();
    user.node.manner(Manner::Liar);
    let content = user.file("a.csv", "1\n");
    let caught = user.json(&[&raw("a", &content)[..], &["--as", "clinic"]].concat(), 3);
    assert_eq!(caught["error"]["code"], "verification_failed");
    let file = user.file("acts.ndjson", &register("a", "a"));
    let (reports, _) = user.submit(&file, &[], 3);
    assert!(reports.is_empty(), "{reports:?}");
}

#[test]
fn a_node_without_room_is_asked_again() {
    let user = User::new();
    user.node.manner(Manner::Full);
    let content = user.file("a.csv", "1\n");
    let full = user.refused("clinic", &[&raw("a", &content)[..], &["--wait", "1s"]].concat());
    assert_eq!((&full["code"], &full["final"]), (&json!("MEMPOOL_FULL"), &json!(false)));
    let chain = user.node.chain.lock().unwrap();
    let first = chain.received[0];
    assert!(chain.received.len() > 1 && chain.received.iter().all(|id| *id == first));
}

fn register(name: &str, label: &str) -> String {
    let root = format!("blake3:{}", "ab".repeat(32));
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
    let user = User::new();
    let file = user.file("acts.ndjson", &sale(100));
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
    user.file("acts.ndjson", &more.replace("\"ICBC-1\"", "\"ICBC-2\""));
    let output = user.run(&["submit", &file]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("line 110 was recorded before and has changed since"), "{text}");
    assert!(user.node.chain.lock().unwrap().received.is_empty());
}

/// Waits until the node has received this many envelopes.
fn received(user: &User, child: &mut Child, count: usize) {
    let started = Instant::now();
    while user.node.chain.lock().unwrap().received.len() < count {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing arrived");
        assert!(child.try_wait().unwrap().is_none(), "the client ended");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_crash_after_sending_records_nothing_twice() {
    let user = User::new();
    let text: String = (0..40).map(|n| register(&format!("n{n}"), &format!("n{n}"))).collect();
    let file = user.file("acts.ndjson", &(text + &offer("g", "processing")));
    user.node.manner(Manner::Mute);
    let mut child = user.command(&["submit", &file]).stdout(Stdio::null()).spawn().unwrap();
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
    let user = User::new();
    // The client is stopped twice: with an envelope that was recorded, and with one that was not.
    let stop = |file: &str, manner: Manner, count: usize| {
        user.node.manner(manner);
        let options = ["submit", file, "--valid-for", "10s"];
        let mut child = user.command(&options).stdout(Stdio::null()).spawn().unwrap();
        received(&user, &mut child, count);
        child.kill().unwrap();
        child.wait().unwrap();
    };
    let recorded = user.file("recorded.ndjson", &(register("n1", "a") + &offer("g", "processing")));
    stop(&recorded, Manner::Mute, 1);
    let lost = user.file("lost.ndjson", &register("n2", "b"));
    stop(&lost, Manner::Full, 2);
    let first = user.node.chain.lock().unwrap().received.clone();
    std::thread::sleep(Duration::from_secs(11));
    user.node.manner(Manner::Honest);
    user.node.chain.lock().unwrap().tick();
    // A line that was recorded meanwhile cannot be changed, one that never will be can.
    let text = fs::read_to_string(&recorded).unwrap();
    user.file("recorded.ndjson", &text.replace("\"n1\"", "\"n3\""));
    let (reports, _) = user.submit(&recorded, &[], 1);
    assert_eq!(reports[0]["status"], "failed");
    assert!(reports[0]["message"].as_str().unwrap().contains("was recorded"), "{reports:?}");
    user.file("recorded.ndjson", &text);
    user.file("lost.ndjson", &register("n4", "b"));
    let (reports, _) = user.submit(&recorded, &[], 0);
    assert_eq!(reports[0]["envelope"], first[0].to_string());
    let (reports, _) = user.submit(&lost, &[], 0);
    assert_ne!(reports[0]["envelope"], first[1].to_string());
    let chain = user.node.chain.lock().unwrap();
    assert_eq!(chain.recorded.len(), 3);
}

#[test]
fn a_refusal_stops_and_a_corrected_line_goes_on() {
    let user = User::new();
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
    user.file("acts.ndjson", &text.replace("\"author\":\"pharma\"", "\"author\":\"works\""));
    let (reports, summary) = user.submit(&file, &[], 0);
    assert_eq!((&summary["recorded"], &summary["earlier"]), (&json!(1), &json!(3)));
    assert_eq!(reports[2]["status"], "recorded");
    assert_eq!(user.node.chain.lock().unwrap().recorded.len(), 4);
}

#[test]
fn a_malformed_line_stops_everything_with_its_place() {
    let user = User::new();
    let file = user.file("acts.ndjson", &(register("n1", "a") + "{\"author\":\"clinic\",}\n"));
    let error = &user.json(&["submit", &file], 1)["error"];
    assert!(error["message"].as_str().unwrap().starts_with("line 2, column 20: "), "{error}");
    assert!(user.node.chain.lock().unwrap().received.is_empty());
    let missing = user.file(
        "b.ndjson",
        &line(
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
    let user = User::new();
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

#[test]
fn acts_are_approved_to_the_letter_and_assets_explained() {
    let user = User::new();
    let content = user.file("a.csv", "1\n");
    user.act("clinic", &raw("a", &content));
    let offer = [
        "grant",
        "offer",
        "clinic/a",
        "--to",
        "works",
        "--right",
        "processing",
        "--purpose",
        "commercial",
        "--territory",
        "CN",
        "--from",
        "2026-01-01",
        "--days",
        "900",
    ];
    let dry = [&offer[..], &["--as", "clinic", "--dry-run"]].concat();
    let file = user.file("act.json", &user.json(&dry, 0).to_string());
    let approved = user.json(&[&dry[..], &["--approve"]].concat(), 0);
    let approve = &approved["envelope"]["events"][0]["approve_act"];
    assert_eq!(approve["asset"], user.asset("clinic", "a").to_string());
    let act = ["act", &file, "--as", "pharma", "--approve", "--dry-run"];
    assert_eq!(&user.json(&act, 0)["envelope"]["events"][0]["approve_act"], approve);
    let grant = user.act("clinic", &["act", &file]);
    assert!(grant.starts_with("blake3:"), "{grant}");
    let explained = user.json(&["explain", "clinic/a"], 0);
    assert_eq!(explained["kind"], "asset");
    assert_eq!(explained["recorded_in"]["height"], explained["height"]);
    let short = &grant[..15];
    assert_eq!(user.json(&["explain", short], 0)["id"], json!(grant));
    assert!(user.json(&["inbox", "works"], 0)["items"].is_array());
}
