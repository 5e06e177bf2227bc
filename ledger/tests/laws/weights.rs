//! What events weigh for what they look at.

use headwater_ledger::event::RegisterAsset;
use headwater_ledger::event::dispute::Subject;
use headwater_ledger::event::rights::{Owner, Revocation, Terms};
use headwater_ledger::limits::MAX_EVENT_WEIGHT;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::EpochRecord;
use headwater_ledger::state::{Key, View};

use crate::support::payouts::*;
use crate::support::story::*;
use crate::support::*;

/// Holds [LED-LIM-2]: voiding a payment weighs the walk for the schedule, 3 for each claim, and 7 for
/// each whose right has changed hands, beside its base weight.
#[test]
fn voiding_a_payment_weighs_every_claim_that_it_looks_at() {
    let mut w = World::paid();
    let claims = w.schedule(REPORT).len() as u64;
    let walk: u64 = [CHEST_RAW, COUNTY_RAW, CLEANED, REPORT]
        .iter()
        .map(|shown| {
            let inputs = w.state.value(&Key::Inputs(w.asset(shown))).unwrap();
            1 + inputs.map_or(0, |bytes| bytes.len() as u64 / 42)
        })
        .sum();
    assert!(claims > 4 && walk > 4);
    let weighs = |mut w: World| w.record(GZ, void_payment(w.payment())).effects.weight;
    assert_eq!(weighs(w.clone()), 200 + walk + 3 * claims);
    // What has changed hands before the payment does not keep it from being voided.
    let chest = w.asset(CHEST_RAW);
    w.owned_often(chest, Right::Holding, &[(CHEST, 10_000)], 1);
    let (start_seq, owners) = (0, vec![Owner { member: handle(CHEST), parts: 10_000 }]);
    let before = EpochRecord { start_seq, height: 1, owners };
    w.put(&Key::Epoch(chest, Right::Holding, 1), &before);
    assert_eq!(weighs(w), 200 + walk + 3 * claims + 7);
}

/// Holds [LED-LIM-2]: a ruling may look at more than other events, so that a right that has changed
/// hands often is redirected with its money.
#[test]
fn a_ruling_weighs_more_than_another_event_may() {
    let mut w = World::paid();
    let chest = w.asset(CHEST_RAW);
    let share = Subject::Share(slice(chest, Right::Holding, CHEST, 3_000));
    let id = w.record(COUNTY, dispute(share)).dispute();
    w.owned_often(chest, Right::Holding, &[(CHEST, 10_000)], 125);
    let ruling = rule(id, redirect(COUNTY, &[w.earlier_money()]));
    let weight = w.record(REGULATOR, ruling).effects.weight;
    let (epochs, account) = (126, 30);
    let money = 20 * epochs + account + 40 * epochs + 24;
    assert!(weight > MAX_EVENT_WEIGHT);
    // Beside the money it weighs what any ruling about a share does.
    assert!((money..money + 500).contains(&weight), "{weight}");
}

/// Holds [LED-LIM-2]: whoever looks whether an asset is usable looks at its conditions, each weighs 2.
#[test]
fn every_condition_that_is_looked_at_is_weighed() {
    let mut w = World::sources();
    let chest = w.asset(CHEST_RAW);
    let suspends = Terms { revocation: Revocation::SuspendDownstream, ..terms() };
    let mut weighs = |terms: Terms, name: &str| {
        let grant = w.give(CHEST, processing_grant(chest, LAB, terms));
        w.record(LAB, processed(name, &[input(chest, 1, grant)]));
        let made = w.asset(&format!("{LAB}/{name}"));
        w.record(LAB, processing_grant(made, INSIGHT, self::terms())).effects.weight
    };
    let plain = weighs(terms(), "plain");
    assert_eq!(weighs(suspends, "watched"), plain + 2);
}

/// Holds [LED-LIM-2]: whoever registers a content root looks at those with it, and whoever uses a
/// duplicate looks who has it first; each of them weighs 2.
#[test]
fn every_asset_with_the_same_content_is_weighed() {
    let mut w = World::sources();
    let same = |name: &str| RegisterAsset { content: raw("same").content, ..raw(name) };
    let weights = [CHEST, COUNTY, FUND].map(|who| w.record(who, same("copy")).effects.weight);
    assert_eq!(weights, [weights[0], weights[0] + 2, weights[0] + 4]);
    w.void(&format!("{CHEST}/copy"));
    w.void(&format!("{COUNTY}/copy"));
    let weighs = |w: &mut World, name: &str| {
        let asset = w.asset(&format!("{FUND}/{name}"));
        w.record(FUND, processing_grant(asset, LAB, terms())).effects.weight
    };
    w.record(FUND, raw("alone"));
    assert_eq!(weighs(&mut w, "copy"), weighs(&mut w, "alone") + 2 * 3);
}
