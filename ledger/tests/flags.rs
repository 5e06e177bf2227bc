//! What is flagged for people to look at: found when it is there, and not when it is not.

#[path = "support/world.rs"]
mod world;

use headwater_ledger::codec::List;
use headwater_ledger::event::Event;
use headwater_ledger::event::access::{DecideAccess, RecordUsage, RequestAccess};
use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::asset::Stage;
use headwater_ledger::event::market::Decision;
use headwater_ledger::event::member::{RelateMembers, Role};
use headwater_ledger::event::rights::GrantRight;
use headwater_ledger::hash::{AccessId, Digest};
use headwater_ledger::query::{QueryError, related_contracts, similar_filings, unmatched_outputs};
use world::{BEGIN_MS, Now, World, handle, split};

fn market() -> World {
    World::new(&[
        ("bourse", Role::Exchange),
        ("bureau", Role::Regulator),
        ("hospital", Role::Holder),
        ("lab", Role::Processor),
        ("insurer", Role::Buyer),
    ])
}

/// A raw resource with this content, format and region.
fn raw(root: Digest, name: &str, format: &str, region: &str) -> Event {
    serde_json::from_value(serde_json::json!({"register_asset": {
        "name": name, "stage": "raw",
        "content": {"root": root, "bytes": 10, "records": 1},
        "metadata": {
            "format": format, "region": region, "period_from_ms": 0, "period_to_ms": 1,
            "classification": "general", "sensitivity": 1, "deidentification": "none",
            "quality": {"accuracy": 1, "completeness": 1, "consistency": 1, "timeliness": 1,
                        "conformity": 1, "accessibility": 1}},
        "split": {"holding": 10000, "processing": 0, "operation": 0, "upstream": 0},
    }}))
    .unwrap()
}

/// Holds [LED-WRN-1].
#[test]
fn output_is_flagged_until_somebody_registers_it() {
    let mut w = market();
    let scans = w.raw("hospital", "scans", 10);
    let ask = RequestAccess {
        asset: scans,
        purposes: List::new(vec![Purpose::HealthResearch]).unwrap(),
        environment: handle("lab"),
        not_after_ms: BEGIN_MS + 3_600_000,
    };
    let access = AccessId::from_digest(*w.act("insurer", Event::RequestAccess(ask)).digest());
    let decision = Decision::Accept;
    w.act("hospital", Event::DecideAccess(DecideAccess { access, decision }));
    let output = |n: u8| Digest::Blake3([n; 32]);
    for (n, out) in [(1, None), (2, Some(output(2))), (3, Some(output(3)))] {
        let usage = RecordUsage { access, job: output(100 + n), rows: 5, output: out };
        w.act("lab", Event::RecordUsage(usage));
    }
    let flagged = |w: &World| -> Vec<Digest> {
        unmatched_outputs(&Now(w), &scans).unwrap().into_iter().map(|u| u.output).collect()
    };
    assert_eq!(flagged(&w), [output(2), output(3)]);
    let shown = unmatched_outputs(&Now(&w), &scans).unwrap().remove(0);
    assert_eq!((shown.by, shown.environment), (handle("insurer"), handle("lab")));
    w.act("insurer", raw(output(2), "result", "text/csv", "CN-GD"));
    assert_eq!(flagged(&w), [output(3)]);
}

/// Holds [LED-WRN-2].
#[test]
fn raw_filings_by_grantees_are_flagged_when_they_look_the_same() {
    let mut w = market();
    let scans = w.raw("hospital", "scans", 10);
    w.raw("lab", "before", 10);
    let grant = w.grant("hospital", scans, GrantRight::Processing, "lab", (0, &[]));
    w.raw("lab", "copied", 10);
    w.raw("insurer", "unrelated", 10);
    let root = |n: u8| Digest::Blake3([n; 32]);
    w.act("lab", raw(root(1), "elsewhere", "text/csv", "CN-BJ"));
    w.act("lab", raw(root(2), "pictures", "image/png", "CN-GD"));
    let inputs = [(scans, 1, Some(grant))];
    w.derive("lab", "cleaned", Stage::Processed, split(0, 5_000, 0, 5_000), &inputs);
    let flagged = similar_filings(&Now(&w), &scans).unwrap();
    let names: Vec<_> = flagged.iter().map(|f| f.shown.as_str()).collect();
    assert_eq!(names, ["lab/copied"]);
    assert_eq!((flagged[0].grant, &flagged[0].grantee), (grant, &handle("lab")));
}

/// Holds [LED-WRN-3].
#[test]
fn trade_between_related_members_is_flagged() {
    for related in [false, true] {
        let mut w = market();
        let scans = w.raw("hospital", "scans", 10);
        let inputs = [(scans, 1, None)];
        let report =
            w.derive("hospital", "report", Stage::Product, split(0, 0, 5_000, 5_000), &inputs);
        if related {
            let (a, b) = (handle("hospital"), handle("insurer"));
            w.act("bureau", Event::RelateMembers(RelateMembers { a, b, related }));
        }
        let listing = w.list("hospital", report, "bourse", 100, &[]);
        let (contract, _) = w.sell(("hospital", "insurer", "bourse"), listing, (1_000, 0), "B-1");
        for member in ["hospital", "insurer", "bourse"] {
            let flagged = related_contracts(&Now(&w), &handle(member)).unwrap();
            let ids: Vec<_> = flagged.into_iter().map(|c| c.contract).collect();
            assert_eq!(ids, if related { vec![contract] } else { vec![] });
        }
        assert_eq!(related_contracts(&Now(&w), &handle("lab")), Ok(vec![]));
        let unknown = related_contracts(&Now(&w), &handle("nobody"));
        assert!(matches!(unknown, Err(QueryError::Unknown(_))));
    }
}
