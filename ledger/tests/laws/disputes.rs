//! Disputes: rulings move what they say and no more, and appeals put back what can be.

use std::collections::BTreeMap;

use headwater_ledger::event::dispute::{Ruling, Subject};
use headwater_ledger::event::rights::{Exclusivity, Terms};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::Key;
use headwater_ledger::state::View;
use headwater_ledger::state::record::{DisputeRecord, DisputeStatus, GrantStatus, Hold, Records};
use proptest::prelude::*;

use crate::support::rights::sub;
use crate::support::story::*;
use crate::support::*;

fn owned(w: &World) -> BTreeMap<String, u16> {
    let epochs = w.epochs(&w.asset(CHEST_RAW), Right::Holding).unwrap();
    epochs.last().unwrap().owners.iter().map(|(m, p)| (m.to_string(), *p)).collect()
}

fn manager(w: &World) -> String {
    let record = w.asset_record(CHEST_RAW);
    w.state.right(&w.asset(CHEST_RAW), &record, Right::Holding).unwrap().manager.to_string()
}

fn holds(w: &World) -> Vec<Hold> {
    let holds = w.state.get(&Key::Holds(w.asset(CHEST_RAW), Right::Holding));
    holds.unwrap().unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Holds [LED-DSP-1], [LED-DSP-4] and [LED-DSP-5]: a hold is of the disputed owner's parts
    /// alone; a redirect moves exactly the slice; what `to` still has of it comes back when the
    /// ruling on appeal dismisses; and nobody else's parts ever change.
    #[test]
    fn redirects_move_the_slice_and_come_back(
        parts in 1u16..=9_000,
        sold in prop::option::of(1u16..=10_000),
        dismissed in any::<bool>(),
    ) {
        let mut w = World::sources();
        w.share_with_patients();
        let share = slice(w.asset(CHEST_RAW), Right::Holding, CHEST, parts);
        let id = w.record(COUNTY, dispute(Subject::Share(share))).dispute();
        let held = holds(&w);
        prop_assert_eq!(held.len(), 1);
        prop_assert_eq!((held[0].owner.as_str(), held[0].parts), (CHEST, parts));
        w.record(REGULATOR, rule(id, redirect(COUNTY, &[])));
        prop_assert!(holds(&w).is_empty());
        let mut model = BTreeMap::from([(CHEST, 9_000 - parts), (FUND, 1_000), (COUNTY, parts)]);
        let shown = |model: &BTreeMap<&str, u16>| -> BTreeMap<String, u16> {
            model.iter().filter(|(_, p)| **p > 0).map(|(m, p)| (m.to_string(), *p)).collect()
        };
        prop_assert_eq!(owned(&w), shown(&model));
        let managed_by = if parts == 9_000 { COUNTY } else { CHEST };
        prop_assert_eq!(manager(&w), managed_by);
        if let (Some(sold), true) = (sold, parts == 9_000) {
            // The county hospital acts for the right now, and gives some of it on.
            let sold = sold.min(parts);
            *model.get_mut(COUNTY).unwrap() -= sold;
            *model.get_mut(FUND).unwrap() += sold;
            let mut owners = vec![(FUND, model[FUND])];
            if model[COUNTY] > 0 {
                owners.push((COUNTY, model[COUNTY]));
            }
            let chest = w.asset(CHEST_RAW);
            let given = w.record(COUNTY, transfer(chest, Right::Holding, &owners)).transfer();
            if w.state.transfer(&given).unwrap().is_some_and(|t| !t.done) {
                w.record(FUND, accept_transfer(given));
            }
        }
        w.record(CHEST, appeal(id));
        let before = owned(&w);
        if dismissed {
            w.record(BUREAU, rule(id, Ruling::Dismiss));
            let back = std::mem::take(model.get_mut(COUNTY).unwrap());
            *model.get_mut(CHEST).unwrap() += back;
            prop_assert_eq!(owned(&w), shown(&model));
        } else {
            let epochs = w.epochs(&w.asset(CHEST_RAW), Right::Holding).unwrap().len();
            w.record(BUREAU, rule(id, redirect(COUNTY, &[])));
            prop_assert_eq!(owned(&w), before, "the same ruling changes nothing");
            let after = w.epochs(&w.asset(CHEST_RAW), Right::Holding).unwrap().len();
            prop_assert_eq!(after, epochs);
        }
        prop_assert_eq!(owned(&w).values().sum::<u16>(), 10_000);
        let record: DisputeRecord = w.state.get(&Key::Dispute(id)).unwrap().unwrap();
        prop_assert_eq!((record.status, record.rulings.len()), (DisputeStatus::Final, 2));
    }
}

/// Holds [LED-DSP-2]: a freeze takes the place of the hold, and is not there after the ruling.
#[test]
fn a_freeze_replaces_the_hold_of_its_dispute_only() {
    let mut w = World::sources();
    let share =
        |w: &World, parts| Subject::Share(slice(w.asset(CHEST_RAW), Right::Holding, CHEST, parts));
    let (first, second) = (share(&w, 3_000), share(&w, 500));
    let first = w.record(COUNTY, dispute(first)).dispute();
    let other = w.record(FUND, dispute(second)).dispute();
    let before = holds(&w);
    let until = w.now_ms + 100 * DAY_MS;
    w.record(REGULATOR, freeze(first, until));
    let after = holds(&w);
    assert_eq!(after.iter().find(|h| h.dispute == first).map(|h| h.until_ms), Some(until));
    let of_other = |holds: &[Hold]| holds.iter().find(|h| h.dispute == other).cloned();
    assert_eq!(of_other(&after), of_other(&before));
    w.record(REGULATOR, rule(first, Ruling::Dismiss));
    assert_eq!(holds(&w), Vec::from_iter(of_other(&before)));
}

/// Holds [LED-DSP-4] and [LED-DSP-5]: marks count what waits, and voids are undone on appeal.
#[test]
fn marks_count_disputes_that_wait_and_voids_come_undone() {
    let mut w = World::cleaned();
    let chest = w.asset(CHEST_RAW);
    let grant = w.grant("chest processing");
    let about = w.record(COUNTY, dispute(Subject::Asset(chest))).dispute();
    let of_grant = w.record(FUND, dispute(Subject::Grant(grant))).dispute();
    let state = |w: &World| {
        let (asset, grant) = (w.asset_record(CHEST_RAW), w.state.grant(&grant).unwrap().unwrap());
        (asset.disputes, asset.void, asset.cleared, grant.disputes, grant.status, grant.cleared)
    };
    use GrantStatus::{Accepted, Voided};
    assert_eq!(state(&w), (1, false, false, 1, Accepted, false));
    w.record(REGULATOR, rule(about, Ruling::VoidAsset));
    w.record(REGULATOR, rule(of_grant, Ruling::VoidGrant));
    assert_eq!(state(&w), (0, true, false, 0, Voided, false));
    w.record(CHEST, appeal(about));
    w.record(LAB, appeal(of_grant));
    assert_eq!(state(&w), (1, true, false, 1, Voided, false));
    w.record(BUREAU, rule(about, Ruling::Dismiss));
    w.record(BUREAU, rule(of_grant, Ruling::Dismiss));
    assert_eq!(state(&w), (0, false, true, 0, Accepted, true));
}

/// Holds [LED-GRT-7] and [LED-DSP-5]: what sub-licenses a disputed grant stays in force when the
/// dispute is dismissed, is not while the grant is void, and is again when that is undone.
#[test]
fn sub_licences_stand_and_fall_with_the_ruling_on_the_grant_above() {
    let exclusive =
        |depth| Terms { sublicence_depth: depth, exclusivity: Exclusivity::Exclusive, ..terms() };
    for appealed in [false, true] {
        let mut w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let above = w.give(CHEST, processing_grant(chest, LAB, exclusive(2)));
        w.give(LAB, sub(above, processing_grant(chest, INSIGHT, exclusive(1))));
        let second = w.by(LAB, sub(above, processing_grant(chest, COUNTY, exclusive(0))));
        let about = w.record(FUND, dispute(Subject::Grant(above))).dispute();
        if appealed {
            w.record(REGULATOR, rule(about, Ruling::VoidGrant));
            let elsewhere = Terms { territories: list(&["JP".parse().unwrap()]), ..terms() };
            w.give(CHEST, processing_grant(chest, LAB, elsewhere));
            w.record(LAB, appeal(about));
            w.record(BUREAU, rule(about, Ruling::Dismiss));
        } else {
            w.record(REGULATOR, rule(about, Ruling::Dismiss));
        }
        let refused = w.submit(&second).map_err(|reject| reject.code);
        assert_eq!(refused.err(), Some(Code::ExclusiveConflict), "appealed: {appealed}");
    }
}
