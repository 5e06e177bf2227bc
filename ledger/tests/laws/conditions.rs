//! Conditions that follow an asset downstream, against a walk through its whole ancestry, and
//! contests.

use std::collections::BTreeSet;

use headwater_ledger::event::RegisterAsset;
use headwater_ledger::event::asset::Deidentification;
use headwater_ledger::event::dispute::{Ruling, Subject};
use headwater_ledger::event::rights::{Revocation, Terms};
use headwater_ledger::hash::{AssetId, GrantId};
use headwater_ledger::state::record::{Watch, WithdrawalRecord};
use headwater_ledger::state::{Key, View};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::story::*;
use crate::support::*;

const SOURCES: usize = 4;

/// A derivation: inputs, and whether the result is attested at once.
type Step = ([Index; 2], bool);

struct Node {
    id: AssetId,
    inputs: Vec<usize>,
    attested: bool,
}

/// What a node watches, by a walk over every path up.
fn walk(nodes: &[Node], grants: &[Option<GrantId>], node: usize, consent: bool) -> Vec<Watch> {
    let mut found = Vec::new();
    for input in &nodes[node].inputs {
        let consent = consent && !nodes[*input].attested;
        if *input < SOURCES {
            // The even sources rest on consent; some grants suspend.
            if consent && input % 2 == 0 {
                found.push(Watch::Consent(nodes[*input].id));
            }
            found.extend(grants[*input].map(Watch::Grant));
        } else {
            found.extend(walk(nodes, grants, *input, consent));
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Holds [LED-WTC-1], [LED-WTC-2], [LED-CNS-1] and [LED-CNS-2].
    #[test]
    fn watches_are_those_of_the_whole_ancestry(
        suspending in prop::array::uniform4(any::<bool>()),
        steps in prop::collection::vec(any::<Step>(), 1..6),
        revoked in 0..SOURCES,
    ) {
        let mut w = World::default();
        let (mut nodes, mut grants, mut watched) = (Vec::new(), Vec::new(), Vec::new());
        for (i, suspends) in suspending.into_iter().enumerate() {
            let name = format!("source-{i}");
            let source = if i % 2 == 0 { consented(&name) } else { raw(&name) };
            w.record(CHEST, source);
            let id = w.asset(&format!("{CHEST}/{name}"));
            let revocation = match suspends {
                true => Revocation::SuspendDownstream,
                false => Revocation::Prospective,
            };
            let grant = w.give(CHEST, processing_grant(id, LAB, Terms { revocation, ..terms() }));
            grants.push(grant);
            watched.push(suspends.then_some(grant));
            nodes.push(Node { id, inputs: Vec::new(), attested: false });
        }
        for (n, (inputs, attested)) in steps.into_iter().enumerate() {
            let inputs: BTreeSet<usize> = inputs.iter().map(|i| i.index(nodes.len())).collect();
            let filed: Vec<_> =
                inputs.iter().map(|i| input(nodes[*i].id, 1, grants.get(*i).copied())).collect();
            let name = format!("derived-{n}");
            let mut made = processed(&name, &filed);
            made.metadata.deidentification = Deidentification::Anonymised;
            w.record(LAB, made);
            let id = w.asset(&format!("{LAB}/{name}"));
            if attested {
                w.record(APPRAISER, attest(id));
            }
            nodes.push(Node { id, inputs: inputs.into_iter().collect(), attested });
            let listed: Option<Vec<Watch>> = w.state.get(&Key::Watches(id)).unwrap();
            let walked: BTreeSet<Watch> =
                walk(&nodes, &watched, nodes.len() - 1, true).into_iter().collect();
            prop_assert_eq!(listed.unwrap_or_default(), Vec::from_iter(walked));
        }
        // What one revocation, and one withdrawal that nothing replaces, suspend.
        w.record(CHEST, revoke_grant(grants[revoked]));
        let source = nodes[revoked].id;
        if revoked % 2 == 0 {
            w.record(CHEST, withdraw_consent(source));
        }
        for late in [false, true] {
            for (at, node) in nodes.iter().enumerate().skip(SOURCES) {
                let consent = !node.attested;
                let above = walk(&nodes, &watched, at, consent);
                let suspended = above.contains(&Watch::Grant(grants[revoked]));
                let withdrawn = late && revoked % 2 == 0 && above.contains(&Watch::Consent(source));
                let mut next = processed(&format!("next-{at}-{late}"), &[input(node.id, 1, None)]);
                next.metadata.deidentification = Deidentification::Anonymised;
                let bytes = w.by(LAB, next);
                let verdict = w.submit(&bytes).err().map(|reject| reject.code.name());
                match (suspended, withdrawn) {
                    (false, false) => prop_assert_eq!(verdict, None),
                    (true, false) => prop_assert_eq!(verdict, Some("SUSPENDED_UPSTREAM")),
                    (false, true) => prop_assert_eq!(verdict, Some("CONSENT_WITHDRAWN")),
                    (true, true) => prop_assert!(verdict.is_some()),
                }
            }
            w.pass(31 * DAY_MS);
        }
    }
}

/// Holds [LED-CNS-1]: a version that replaces the one that consent was withdrawn from lifts what
/// the withdrawal suspends when it comes at the deadline, and not a millisecond later.
#[test]
fn a_replacement_in_time_lifts_the_suspension_and_not_the_ban_on_the_old_version() {
    for late_ms in [0, 1] {
        let mut w = World::default();
        w.record(CHEST, consented("fna-2026"));
        let chest = w.asset(CHEST_RAW);
        w.record(CHEST, processed("cleaned", &[input(chest, 1, None)]));
        let cleaned = w.asset("chest-hospital/cleaned");
        w.record(CHEST, withdraw_consent(chest));
        let withdrawn: WithdrawalRecord = w.state.get(&Key::Withdrawal(chest)).unwrap().unwrap();
        w.record(CHEST, processed("before", &[input(cleaned, 1, None)]));
        w.now_ms = withdrawn.deadline_ms + late_ms;
        w.record(CHEST, RegisterAsset { revises: Some(chest), ..consented("fna-2027") });
        w.pass(DAY_MS);
        let after = processed("after", &[input(cleaned, 1, None)]);
        match late_ms {
            0 => drop(w.record(CHEST, after)),
            _ => assert_eq!(w.refused(CHEST, after).name(), "CONSENT_WITHDRAWN"),
        }
        let direct = processed("direct", &[input(chest, 1, None)]);
        assert_eq!(w.refused(CHEST, direct).name(), "CONSENT_WITHDRAWN");
        let renewed = w.asset("chest-hospital/fna-2027");
        w.record(CHEST, processed("anew", &[input(renewed, 1, None)]));
    }
}

/// Holds [LED-AST-7]: the later of two is contested until a ruling clears it, the earlier never;
/// a member registers its own content once.
#[test]
fn a_copy_is_contested_and_its_original_is_not() {
    let mut w = World::default();
    w.record(CHEST, raw("fna-2026"));
    let content = w.asset_record(CHEST_RAW).content;
    let again = RegisterAsset { content: content.clone(), ..raw("again") };
    assert_eq!(w.refused(CHEST, again).name(), "CONTENT_REGISTERED");
    w.record(COUNTY, RegisterAsset { content, ..raw("fna-2026") });
    let (first, copy) = (w.asset(CHEST_RAW), w.asset(COUNTY_RAW));
    assert_eq!(w.asset_record(COUNTY_RAW).duplicate_of, Some(first));
    assert_eq!(w.asset_record(CHEST_RAW).duplicate_of, None);
    w.record(CHEST, processed("cleaned", &[input(first, 1, None)]));
    let cleaned = || processed("cleaned", &[input(copy, 1, None)]);
    assert_eq!(w.refused(COUNTY, cleaned()).name(), "CONTESTED");
    let id = w.record(COUNTY, dispute(Subject::Asset(copy))).dispute();
    w.record(REGULATOR, rule(id, Ruling::Dismiss));
    w.record(COUNTY, cleaned());
}
