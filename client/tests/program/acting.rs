//! Members act with the `headwater` program against a node that runs the ledger's rules.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use headwater_ledger::hash::AssetId;
use headwater_ledger::state::{Key, Records as _};
use serde_json::{Value, json};

use crate::chain::Manner;
use crate::members::{METADATA, Members, raw};
use crate::submitting::register;

#[test]
fn a_product_is_made_sold_paid_and_refunded() {
    let user = Members::new();
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
    let user = Members::new();
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
    let user = Members::new();
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
    let open = ["dispute", "open", "--asset", "clinic/a", "--ground", "misuse"];
    let dispute = user.act("pharma", &[&open[..], &["--document", &content]].concat());
    let rule = ["dispute", "rule", &dispute, "--void-asset", "--document", &content];
    user.act("watch", &rule);
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
    let user = Members::new();
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
    let user = Members::new();
    user.node.manner(Manner::Liar);
    let content = user.file("a.csv", "1\n");
    let caught = user.json(&[&raw("a", &content)[..], &["--as", "clinic"]].concat(), 3);
    assert_eq!(caught["error"]["code"], "verification_failed");
    let file = user.file("acts.ndjson", register("a", "a"));
    let (reports, _) = user.submit(&file, &[], 3);
    assert!(reports.is_empty(), "{reports:?}");
}

#[test]
fn a_node_without_room_is_asked_again() {
    let user = Members::new();
    user.node.manner(Manner::Full);
    let content = user.file("a.csv", "1\n");
    let full = user.refused("clinic", &[&raw("a", &content)[..], &["--wait", "1s"]].concat());
    assert_eq!((&full["code"], &full["final"]), (&json!("MEMPOOL_FULL"), &json!(false)));
    let chain = user.node.chain.lock().unwrap();
    let first = chain.received[0];
    assert!(chain.received.len() > 1 && chain.received.iter().all(|id| *id == first));
}

#[test]
fn acts_are_approved_to_the_letter_and_assets_explained() {
    let user = Members::new();
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
    let file = user.file("act.json", user.json(&dry, 0).to_string());
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
