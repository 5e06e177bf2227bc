//! Holds `ledger-spec.md` to the code: tables, examples, names and rule tags.
//!
//! The parts of the spec between `<!-- generated: … -->` and `<!-- end -->` are what this file
//! makes from the source. `HEADWATER_WRITE_SPEC=1 cargo test -p headwater-ledger --test spec`
//! writes them anew; what it changes is a change of the format and is reviewed as one.

#[path = "spec/examples.rs"]
mod examples;
#[path = "spec/lists.rs"]
mod lists;
#[path = "spec/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use headwater_ledger::codec;
use headwater_ledger::event::Event;
use headwater_ledger::hash::Context;
use headwater_ledger::limits::{MAX_BLOCK_ENVELOPES, MAX_BLOCK_WEIGHT, MAX_PRUNED_PER_BLOCK};
use headwater_ledger::reject::{Code, Outlook};
use source::{Declared, Item};

const SPEC: &str = "ledger-spec.md";

fn spec() -> String {
    fs::read_to_string(source::root().join(SPEC)).expect("the spec is there")
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

fn contexts() -> Vec<String> {
    let declared = fs::read_to_string(source::root().join("ledger/src/hash.rs")).unwrap();
    let mut rows = vec!["| name | context string | hashes |".into(), "|---|---|---|".into()];
    let mut doc = String::new();
    let mut listed = Vec::new();
    for line in declared.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            doc = text.trim_end_matches('.').replace('|', "\\|");
        } else if let Some((name, text)) = line.split_once(" = \"headwater ") {
            let text = format!("headwater {}", text.trim_end_matches("\";"));
            rows.push(format!("| `{name}` | `{text}` | {doc} |"));
            listed.push(text);
        }
    }
    let known: Vec<_> = Context::ALL.iter().map(|c| c.as_str()).collect();
    assert_eq!(listed, known, "the contexts in the source and those in Context::ALL");
    rows
}

fn limits() -> Vec<String> {
    let mut rows = vec!["| limit | value | |".into(), "|---|---|---|".into()];
    for Item { name, kind, doc, .. } in source::constants("ledger/src/limits.rs") {
        rows.push(format!("| `{name}` | {} | {doc} |", grouped(source::evaluate(&kind))));
    }
    rows
}

fn codes() -> Vec<String> {
    let mut rows =
        vec!["| number | name | rule | outlook | hint |".into(), "|---|---|---|---|---|".into()];
    for code in Code::ALL {
        let outlook = match code.outlook() {
            Outlook::Final => "final",
            Outlook::AwaitsReference => "reference",
            Outlook::AwaitsState => "state",
        };
        rows.push(format!(
            "| {} | `{}` | {} | {outlook} | {} |",
            code.number(),
            code.name(),
            code.tag(),
            code.help().replace('|', "\\|")
        ));
    }
    rows
}

/// The weight of an event as the spec states it: a base, and more for each item of a list.
struct Weight {
    event: &'static str,
    base: u64,
    /// The list; empty when there is none.
    list: &'static str,
    each: u64,
    count: fn(&Event) -> usize,
}

fn flat(event: &'static str, base: u64) -> Weight {
    Weight { event, base, list: "", each: 0, count: |_| 0 }
}

fn weights() -> Vec<Weight> {
    let keys = |e: &Event| if let Event::AdmitMember(e) = e { e.keys.len() } else { 0 };
    let inputs = |e: &Event| match e {
        Event::RegisterAsset(e) => e.derivation.as_ref().map_or(0, |d| d.inputs.len()),
        _ => 0,
    };
    let owners = |e: &Event| if let Event::TransferRight(e) = e { e.owners.len() } else { 0 };
    let requests = |e: &Event| match e {
        Event::ApproveRequests(e) => e.requests.len(),
        Event::DeclineRequests(e) => e.requests.len(),
        _ => 0,
    };
    vec![
        Weight { list: "keys", each: 100, count: keys, ..flat("admit_member", 30) },
        flat("suspend_member", 30),
        flat("reinstate_member", 30),
        Weight { list: "inputs", each: 9, count: inputs, ..flat("register_asset", 20) },
        Weight { list: "owners", each: 10, count: owners, ..flat("transfer_right", 30) },
        flat("accept_transfer", 500),
        flat("offer_grant", 100),
        flat("accept_grant", 60),
        flat("decline_grant", 30),
        flat("revoke_grant", 30),
        flat("void_asset", 50),
        flat("list_product", 50),
        flat("review_listing", 40),
        flat("propose_contract", 40),
        flat("sign_contract", 50),
        flat("record_payment", 100),
        flat("record_delivery", 30),
        flat("confirm_delivery", 30),
        flat("refund_payment", 150),
        flat("set_roles", 40),
        flat("add_key", 150),
        flat("revoke_key", 40),
        flat("set_two_keys", 30),
        flat("relate_members", 30),
        flat("propose_succession", 30),
        flat("accept_succession", 40),
        flat("propose_change", 150),
        flat("approve_change", 150),
        flat("withdraw_consent", 40),
        flat("attest_deidentification", 40),
        flat("file_registration", 50),
        flat("object_registration", 40),
        flat("decide_registration", 40),
        flat("change_registration", 50),
        flat("renew_registration", 30),
        flat("cancel_registration", 30),
        flat("approve_act", 60),
        flat("request_grant", 40),
        Weight { list: "requests", each: 44, count: requests, ..flat("approve_requests", 20) },
        Weight { list: "requests", each: 40, count: requests, ..flat("decline_requests", 20) },
        flat("offer_standing", 50),
        flat("take_offer", 150),
        flat("withdraw_offer", 30),
        flat("renew_grant", 200),
        flat("surrender_grant", 100),
        flat("consent_filing", 30),
        flat("request_access", 50),
        flat("decide_access", 40),
        flat("record_usage", 50),
        flat("review_compliance", 40),
        flat("record_valuation", 40),
        flat("delist_product", 40),
        flat("decline_contract", 30),
        flat("withdraw_contract", 30),
        flat("terminate_contract", 60),
        flat("void_payment", 200),
        flat("record_payout", 200),
        flat("contest_payout", 60),
        flat("close_account", 200),
        flat("issue_certificate", 50),
        flat("void_certificate", 30),
        flat("seal_sources", 50),
        flat("pay_source", 100),
        flat("open_dispute", 120),
        flat("order_freeze", 60),
        flat("file_evidence", 50),
        flat("rule_dispute", 300),
        flat("appeal_ruling", 50),
        flat("set_off_overpayment", 300),
    ]
}

/// The events of the spec's JSON examples, by name.
fn samples(spec: &str) -> BTreeMap<String, Event> {
    let mut found = BTreeMap::new();
    for block in spec.split("```json\n").skip(1) {
        let json = block.split("```").next().unwrap_or_default();
        if let Ok(event) = serde_json::from_str::<Event>(json) {
            found.insert(event.name().to_owned(), event);
        }
    }
    found
}

/// The event with three items in a list, wherever in it the list is.
fn with_three(event: &Event, list: &str) -> Event {
    fn fill(value: &mut serde_json::Value, list: &str) {
        let Some(fields) = value.as_object_mut() else { return };
        for (name, value) in fields.iter_mut() {
            match value.as_array_mut() {
                Some(items) if name == list => {
                    let grant = serde_json::Value::from(format!("blake3:{}", "33".repeat(32)));
                    let item = items.first().cloned().unwrap_or(grant);
                    items.resize(3, item);
                }
                _ => fill(value, list),
            }
        }
    }
    let mut json = serde_json::to_value(event).unwrap();
    fill(&mut json, list);
    serde_json::from_value(json).unwrap()
}

fn events(spec: &str) -> Vec<String> {
    let samples = samples(spec);
    let mut rows = vec!["| tag | event | scope | base weight |".into(), "|---|---|---|---|".into()];
    for weight in weights() {
        let name = weight.event;
        let event = samples.get(name).unwrap_or_else(|| panic!("no JSON example of {name}"));
        let bytes = codec::encode(event).expect("an example is within the limits");
        let tag = u32::from_le_bytes(bytes[..4].try_into().unwrap());
        for event in [event.clone(), with_three(event, weight.list)] {
            let many = weight.each * (weight.count)(&event) as u64;
            assert_eq!(event.base_weight(), weight.base + many, "the weight of {name}");
        }
        let scope = source::snake(&format!("{:?}", event.scope()));
        let mut cost = weight.base.to_string();
        if weight.each > 0 {
            cost.push_str(&format!(" + {} × `{}`", weight.each, weight.list));
        }
        rows.push(format!("| {tag} | `{name}` | `{scope}` | {cost} |"));
    }
    rows
}

fn structure(name: &str, declared: &Declared) -> Vec<String> {
    let mut rows = vec![format!("| `{name}` | type | |"), "|---|---|---|".into()];
    for Item { name, kind, doc, optional } in &declared.items {
        let optional = if *optional { " *Optional in JSON.*" } else { "" };
        rows.push(format!("| `{name}` | {kind} | {doc}{optional} |"));
    }
    rows
}

fn enumeration(name: &str, declared: &Declared) -> Vec<String> {
    let with_fields = declared.items.iter().any(|item| !item.kind.is_empty());
    let mut rows = match with_fields {
        true => vec![format!("| tag | `{name}` | fields | |"), "|---|---|---|---|".into()],
        false => vec![format!("| tag | `{name}` | |"), "|---|---|---|".into()],
    };
    for (tag, Item { name, kind, doc, .. }) in declared.items.iter().enumerate() {
        let json = source::snake(name);
        rows.push(match with_fields {
            true => format!("| {tag} | `{json}` | {kind} | {doc} |"),
            false => format!("| {tag} | `{json}` | {doc} |"),
        });
    }
    rows
}

/// What belongs between the marks of one generated part.
fn generated(part: &str, spec: &str, declared: &BTreeMap<String, Declared>) -> Vec<String> {
    let words: Vec<&str> = part.split(' ').collect();
    let known = |name: &str, is_enum: bool| {
        let found = declared.get(name).filter(|found| found.is_enum == is_enum);
        found.unwrap_or_else(|| panic!("the source declares no {part}"))
    };
    match words[..] {
        ["contexts"] => contexts(),
        ["limits"] => limits(),
        ["codes"] => codes(),
        ["events"] => events(spec),
        ["lists"] => {
            let weights = weights();
            let names: Vec<&str> = weights.iter().map(|weight| weight.event).collect();
            lists::rows(known("Relation", true).items.iter().map(|i| i.name.as_str()), &names)
        }
        ["struct", name] => structure(name, known(name, false)),
        ["enum", name] => enumeration(name, known(name, true)),
        ["example", name] => {
            let mut lines = vec!["```text".to_owned()];
            lines.extend(examples::lines(name));
            lines.push("```".into());
            lines
        }
        _ => panic!("nothing is generated for {part}"),
    }
}

/// The spec with every generated part made anew, and the names of the parts.
fn regenerated(spec: &str) -> (String, BTreeSet<String>) {
    let declared = source::declared("ledger/src");
    let (mut out, mut parts) = (String::new(), BTreeSet::new());
    let mut skipping = false;
    for line in spec.lines() {
        if line == "<!-- end -->" {
            skipping = false;
        }
        if !skipping {
            out.push_str(line);
            out.push('\n');
        }
        let mark = line.strip_prefix("<!-- generated: ").and_then(|l| l.strip_suffix(" -->"));
        if let Some(part) = mark {
            assert!(!skipping, "{part} begins within another part");
            assert!(parts.insert(part.to_owned()), "{part} is there twice");
            for row in generated(part, spec, &declared) {
                out.push_str(&row);
                out.push('\n');
            }
            skipping = true;
        }
    }
    assert!(!skipping, "a generated part has no end");
    (out, parts)
}

/// Contexts, limits, events, reject codes, structures, enumerations and the bytes of the examples.
/// Holds [LED-HASH-1], [LED-LIM-1], [LED-LIM-2], [LED-REJ-1], [LED-REJ-2], [LED-EVT-1],
/// [LED-STA-2] and [LED-STA-3].
#[expect(clippy::disallowed_methods, reason = "the document is written anew when asked for")]
#[test]
fn generated_parts_are_those_of_the_code() {
    let spec = spec();
    let (expected, _) = regenerated(&spec);
    if std::env::var_os("HEADWATER_WRITE_SPEC").is_some() {
        fs::write(source::root().join(SPEC), &expected).expect("the spec can be written");
        return;
    }
    for (number, (found, expected)) in (1..).zip(spec.lines().zip(expected.lines())) {
        assert_eq!(found, expected, "line {number} of the spec and what the code says");
    }
    assert_eq!(spec.lines().count(), expected.lines().count(), "lines are missing at the end");
}

#[test]
fn every_encoded_type_has_its_table() {
    // Types whose bytes are described in words: texts, tagged bytes and the generic claim.
    let in_words = ["RawRange", "Claim", "Event", "MapMultiProof"];
    let (_, parts) = regenerated(&spec());
    let shown: BTreeSet<&str> = parts.iter().filter_map(|p| p.split(' ').nth(1)).collect();
    let needed: BTreeSet<String> = source::declared("ledger/src")
        .into_iter()
        .filter(|(name, d)| d.is_encoded && !in_words.contains(&name.as_str()))
        .map(|(name, _)| name)
        .collect();
    assert!(needed.len() > 50, "the source was read: {}", needed.len());
    let missing: Vec<_> = needed.iter().filter(|name| !shown.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "the spec has no table of {missing:?}");
}

/// Holds [LED-JSON-1] and [LED-JSON-2].
#[test]
fn every_event_has_an_example_that_is_the_event_and_a_heading() {
    let spec = spec();
    let samples = samples(&spec);
    let declared = source::declared("ledger/src");
    let names: Vec<_> = declared["Event"].items.iter().map(|i| source::snake(&i.name)).collect();
    assert_eq!(names, weights().iter().map(|w| w.event).collect::<Vec<_>>());
    for name in &names {
        let event = samples.get(name).unwrap_or_else(|| panic!("no JSON example of {name}"));
        let heading = spec.lines().any(|l| l.starts_with("#### ") && l.contains(name.as_str()));
        assert!(heading, "{name} has no heading");
        let json = serde_json::to_string(event).unwrap();
        let again: Event = serde_json::from_str(&json).unwrap();
        let bytes = codec::encode(event).unwrap();
        assert_eq!(codec::encode(&again).unwrap(), bytes, "{name} through JSON");
        assert_eq!(codec::decode::<Event>(&bytes, bytes.len()).as_ref(), Ok(event), "{name}");
    }
    // Nothing in the examples is left out silently: every block of JSON parses as an event.
    let blocks = spec.split("```json\n").count() - 1;
    assert_eq!(blocks, names.len(), "blocks of JSON, one for each event");
}

/// Holds [LED-LIM-1]: as many envelopes as a block may have fill it, of whatever events they are.
#[test]
fn no_event_is_free() {
    let lightest = weights().into_iter().map(|weight| weight.base).min().unwrap();
    assert_eq!(MAX_BLOCK_WEIGHT / lightest, MAX_BLOCK_ENVELOPES as u64);
    assert_eq!(MAX_PRUNED_PER_BLOCK, MAX_BLOCK_ENVELOPES);
}

/// The numbers, names, order and table of codes are generated; here: the codes that the text gives
/// to rules exist, and each code is given to one.
#[test]
fn every_reject_code_is_given_by_a_rule_and_no_other_is_named() {
    let spec = spec();
    let (rules, _) = spec.split_once("<!-- generated: codes -->").expect("the table is there");
    let known: BTreeSet<&str> = Code::ALL.iter().map(|c| c.name()).collect();
    let not_codes: BTreeSet<String> = Context::ALL
        .iter()
        .zip(contexts().iter().skip(2))
        .filter_map(|(_, row)| row.split('`').nth(1).map(str::to_owned))
        .chain(source::constants("ledger/src/limits.rs").into_iter().map(|c| c.name))
        .chain(["UNKNOWN_…".to_owned(), "NAME".to_owned(), "MUST".to_owned()])
        .collect();
    let mut given = BTreeSet::new();
    for quoted in rules.split('`').skip(1).step_by(2) {
        let word = |c: char| c.is_ascii_uppercase() || c == '_';
        if quoted.len() > 3 && quoted.chars().all(word) && !not_codes.contains(quoted) {
            assert!(known.contains(quoted), "the spec names the code {quoted}, which is none");
            given.insert(quoted);
        }
    }
    let missing: Vec<_> = known.difference(&given).collect();
    assert!(missing.is_empty(), "no rule of the spec gives {missing:?}");
}

/// The rules that the spec defines: tags in bold at the begin of a line.
fn defined(spec: &str) -> BTreeMap<String, usize> {
    let mut rules = BTreeMap::new();
    for line in spec.lines() {
        if let Some((tag, _)) = line.strip_prefix("**[").and_then(|l| l.split_once("]**")) {
            *rules.entry(tag.to_owned()).or_insert(0) += 1;
        }
    }
    rules
}

#[test]
fn every_tag_in_the_code_is_a_rule_and_every_rule_is_referenced() {
    let spec = spec();
    let rules = defined(&spec);
    for (rule, times) in &rules {
        assert_eq!(*times, 1, "{rule} is defined {times} times");
    }
    let (in_text, _) = source::tags(&spec);
    for tag in &in_text {
        assert!(rules.contains_key(tag), "the spec refers to {tag}, which it does not define");
    }
    let mut referenced: BTreeSet<String> = Code::ALL.iter().map(|c| c.tag().to_owned()).collect();
    for folder in ["ledger/src", "node/src", "client/src", "ledger/tests", "tests"] {
        for (path, text) in source::files(folder) {
            let (named, covered) = source::tags(&text);
            for tag in named {
                let shown = path.display();
                assert!(rules.contains_key(&tag), "{shown} refers to {tag}, which is no rule");
            }
            referenced.extend(covered);
        }
    }
    let informative = spec.lines().skip_while(|l| !l.starts_with("Informative rules:"));
    let informative: String = informative.take_while(|l| !l.is_empty()).collect();
    let (informative, _) = source::tags(&informative);
    assert!(informative.len() < 10, "the list of informative rules is short");
    let forgotten: Vec<_> =
        rules.keys().filter(|r| !referenced.contains(*r) && !informative.contains(*r)).collect();
    assert!(forgotten.is_empty(), "no code and no test refers to {forgotten:?}");
}

#[test]
fn tags_are_found_singly_and_in_ranges() {
    // Written with `#`, so that these are not taken for tags of this file.
    let text = "see [#A-1] to [#A-3], #BC-2; [#A-5] and [#X]".replace('#', "LED-");
    let (named, covered) = source::tags(&text);
    let set = |tags: &str| tags.split(' ').map(|t| format!("LED-{t}")).collect::<BTreeSet<_>>();
    assert_eq!(named, set("A-1 A-3 A-5 BC-2"));
    assert_eq!(covered, set("A-1 A-2 A-3 A-5 BC-2"));
}
