//! The client against nodes that tell the truth: what it prints, and which chain it is for.

use serde_json::json;

use crate::served::{FakeNode, Reader, Served, SetOf, TIP, TRACE_DOWN, case, changing};
use crate::world::{World, biopsy_report};

#[test]
fn a_trace_is_printed_in_every_format() {
    let (ids, node) = case();
    let user = Reader::new();
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
    let user = Reader::new();
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
fn what_is_not_recorded_is_told_with_a_hint() {
    let (_, node) = case();
    let user = Reader::new();
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
    let user = Reader::new();
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
    let fresh = Reader::new();
    fresh.catches(&node, &["status", "--chain-id", &other], "genesis document is that of chain");
    assert!(!fresh.0.home.path().join("home/chain.json").exists());
    let status = fresh.json(&node, &["status", "--chain-id", chain], 0);
    assert_eq!(status["pinning"], "as_named");
}

#[test]
fn a_genesis_document_of_ones_own_pins_its_chain() {
    let (_, node) = case();
    let user = Reader::new();
    let file = user.0.home.path().join("genesis.json");
    std::fs::write(&file, serde_json::to_vec(&biopsy_report().world.genesis).unwrap()).unwrap();
    let status = user.json(&node, &["status", "--genesis", file.to_str().unwrap()], 0);
    assert_eq!(status["pinning"], "as_named");
    assert!(!node.requests().contains(&"/v1/genesis".to_string()));
}

#[test]
fn a_node_of_another_chain_is_not_believed_until_it_is_pinned_on_purpose() {
    let (_, node) = case();
    let user = Reader::new();
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
    let user = Reader::new();
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
    assert_eq!(Reader::new().json(&node, &["status"], 0)["as_of"]["height"], 30);
}
