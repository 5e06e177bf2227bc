//! Codes, events and sources kept in order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use headwater_ledger::reject::{Code, Outlook};

#[test]
fn numbers_and_names_of_codes_are_unique_and_lead_back() {
    let numbers: BTreeSet<u16> = Code::ALL.iter().map(|code| code.number()).collect();
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!((numbers.len(), names.len()), (Code::ALL.len(), Code::ALL.len()));
    for code in Code::ALL {
        assert_eq!(Code::from_name(code.name()), Some(*code));
        assert_eq!(code.to_string(), code.name());
        let shape = |c: char| c.is_ascii_uppercase() || c == '_';
        assert!(code.name().chars().all(shape), "{code}");
        assert!((101..=999).contains(&code.number()), "{code}");
    }
    assert_eq!(Code::from_name("no such code"), None);
}

/// The name is the variant's, so that code, logs and spec agree.
#[test]
fn names_of_codes_are_those_of_their_variants() {
    for code in Code::ALL {
        let camel: String = code
            .name()
            .split('_')
            .map(|word| {
                let (first, rest) = word.split_at(1);
                format!("{first}{}", rest.to_ascii_lowercase())
            })
            .collect();
        assert_eq!(camel, format!("{code:?}"));
    }
}

#[test]
fn every_code_has_a_hint_and_a_rule() {
    let mut hints: BTreeMap<&str, Code> = BTreeMap::new();
    for code in Code::ALL {
        let help = code.help();
        assert!(help.len() > 15 && !help.ends_with('.'), "{code}: {help}");
        assert!(help.starts_with(|c: char| c.is_lowercase()), "{code}: {help}");
        let tag: Vec<&str> = code.tag().split('-').collect();
        let [ledger, topic, number] = tag[..] else { panic!("{code}: {tag:?}") };
        assert_eq!(ledger, "LED", "{code}");
        assert!(topic.len() >= 3 && topic.chars().all(|c| c.is_ascii_uppercase()), "{code}");
        assert!(number.parse::<u8>().is_ok_and(|n| n > 0), "{code}");
        if let Some(other) = hints.insert(help, *code) {
            panic!("{code} and {other} give the same hint");
        }
    }
}

/// Exactly the codes of unknown objects wait for an object.
#[test]
fn unknown_objects_are_waited_for() {
    for code in Code::ALL {
        let unknown = code.name().starts_with("UNKNOWN_");
        assert_eq!(unknown, code.outlook() == Outlook::AwaitsReference, "{code}");
        assert_eq!(code.is_transient(), code.outlook() != Outlook::Final, "{code}");
    }
}

/// What holds of some events and not of others is a method that matches every variant, so that a
/// new event cannot be forgotten: no rule asks whether an event is one of a few.
#[test]
fn no_rule_asks_whether_an_event_is_one_of_a_few() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    // The language of scenarios reads and writes single events.
    let mut folders = vec![src.clone()];
    let mut rules = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.starts_with(src.join("scenario")) {
                let text = std::fs::read_to_string(&path).unwrap();
                let rule = text.split("#[cfg(test)]").next().unwrap();
                rules += 1;
                for (at, _) in rule.match_indices("matches!(") {
                    let mut open = 0;
                    let inside = |c: &char| {
                        open += i32::from(*c == '(') - i32::from(*c == ')');
                        open > 0
                    };
                    let asked: String =
                        rule[at + "matches!".len()..].chars().take_while(inside).collect();
                    assert!(!asked.contains("Event::"), "{}: matches!{asked})", path.display());
                }
                assert!(!rule.contains("let Event::"), "{}", path.display());
            }
        }
    }
    assert!(rules > 80, "the sources are elsewhere: {rules} files");
}

/// The rules match every variant of their enumerations by name.
#[test]
fn rules_have_no_catch_all_arms() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = [
        "asset.rs",
        "contract.rs",
        "dispute.rs",
        "dispute/ruling.rs",
        "dispute/waiting.rs",
        "event.rs",
        "event/asset.rs",
        "event/governance.rs",
        "event/market.rs",
        "event/member.rs",
        "event/needs.rs",
        "event/rights.rs",
        "execute.rs",
        "execute/act.rs",
        "execute/admit.rs",
        "execute/apply.rs",
        "floor.rs",
        "governance.rs",
        "governance/change.rs",
        "grant.rs",
        "listing.rs",
        "member.rs",
        "payment.rs",
        "query/inbox/desk.rs",
        "rights.rs",
        "reject/outlook.rs",
        "state.rs",
        "state/key.rs",
        "state/record.rs",
        "succession.rs",
    ];
    for file in files {
        let text = std::fs::read_to_string(src.join(file)).unwrap();
        let rules = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in (1..).zip(rules.lines()) {
            let arm = line.trim_start();
            assert!(!arm.starts_with("_ =>") && !arm.contains("| _ =>"), "{file}:{number}");
        }
    }
}
