//! Disputes: rulings move what they say and no more, and appeals put back what can be.

use std::collections::BTreeMap;

use headwater_ledger::event::dispute::{Ruling, Subject};
use headwater_ledger::event::member::Role;
use headwater_ledger::event::rights::{Exclusivity, Terms};
use headwater_ledger::limits::MAX_HOLDS;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::Key;
use headwater_ledger::state::View;
use headwater_ledger::state::record::{
    DisputeRecord, DisputeStatus, GrantStatus, Hold, HoldKind, Records,
};
use proptest::prelude::*;

use crate::support::members;
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

/// Owners of a right, and who manages it now.
struct RightOwners<'a> {
    to: &'a [(&'a str, u16)],
    manager: &'a str,
}

/// Tries to hand the right on, with everybody's consent.
fn handed_on(w: &mut World, owners: &RightOwners<'_>) -> Option<Code> {
    let event = transfer(w.asset(CHEST_RAW), Right::Holding, owners.to);
    let bytes = w.by(owners.manager, event);
    let id = match w.submit(&bytes) {
        Err(refused) => return Some(refused.code),
        Ok(proposed) => proposed.transfer(),
    };
    for (member, _) in [(COUNTY, 0), (CHEST, 0), (FUND, 0)] {
        match w.tried(member, accept_transfer(id)) {
            None | Some(Code::ConsentNotAsked) => {}
            refused => return refused,
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Holds [LED-DSP-1], [LED-DSP-4], [LED-DSP-5] and [LED-DSP-8]: a hold is of the disputed
    /// owner's parts alone; a redirect moves exactly the slice, which is held with whom it went to;
    /// it comes back, with the right's management, when the ruling on appeal dismisses; and nobody
    /// else's parts ever change.
    #[test]
    fn redirects_move_the_slice_and_come_back(
        parts in 1u16..=9_000,
        sold in 1u16..=10_000,
        dismissed in any::<bool>(),
    ) {
        let mut w = World::sources();
        w.share_with_patients();
        let chest = w.asset(CHEST_RAW);
        let share = slice(chest, Right::Holding, CHEST, parts);
        let id = w.record(COUNTY, dispute(Subject::Share(share))).dispute();
        let held = |w: &World| -> Vec<(String, u16, HoldKind)> {
            holds(w).into_iter().map(|h| (h.owner.to_string(), h.parts, h.kind)).collect()
        };
        prop_assert_eq!(held(&w), [(CHEST.to_string(), parts, HoldKind::Cooling)]);
        w.record(REGULATOR, rule(id, redirect(COUNTY, &[])));
        prop_assert_eq!(held(&w), [(COUNTY.to_string(), parts, HoldKind::Awarded(2))]);
        let shown = |of: [(&str, u16); 3]| -> BTreeMap<String, u16> {
            of.iter().filter(|(_, p)| *p > 0).map(|(m, p)| (m.to_string(), *p)).collect()
        };
        let awarded = shown([(CHEST, 9_000 - parts), (FUND, 1_000), (COUNTY, parts)]);
        prop_assert_eq!(owned(&w), awarded.clone());
        prop_assert_eq!(manager(&w), if parts == 9_000 { COUNTY } else { CHEST });
        // Who manages the right, and who has it, can give none of it on.
        let sold = sold.min(parts);
        let less = [(COUNTY, parts - sold), (CHEST, 9_000 - parts), (FUND, 1_000 + sold)];
        let less: Vec<_> = less.into_iter().filter(|o| o.1 > 0).collect();
        let less = RightOwners { to: &less, manager: &manager(&w) };
        prop_assert_eq!(handed_on(&mut w, &less), Some(Code::PartsHeld));
        w.record(CHEST, appeal(id));
        w.pass(1_000 * DAY_MS);
        prop_assert_eq!(handed_on(&mut w, &less), Some(Code::PartsHeld));
        if dismissed {
            w.record(BUREAU, rule(id, Ruling::Dismiss));
            prop_assert_eq!(owned(&w), shown([(CHEST, 9_000), (FUND, 1_000), (COUNTY, 0)]));
            prop_assert_eq!(manager(&w), CHEST);
        } else {
            let epochs = w.epochs(&chest, Right::Holding).unwrap().len();
            w.record(BUREAU, rule(id, redirect(COUNTY, &[])));
            prop_assert_eq!(owned(&w), awarded, "the same ruling changes nothing");
            prop_assert_eq!(w.epochs(&chest, Right::Holding).unwrap().len(), epochs);
        }
        prop_assert!(holds(&w).is_empty(), "what is final is held no more");
        prop_assert_eq!(owned(&w).values().sum::<u16>(), 10_000);
        let record: DisputeRecord = w.state.get(&Key::Dispute(id)).unwrap().unwrap();
        prop_assert_eq!((record.status, record.rulings.len()), (DisputeStatus::Final, 2));
    }
}

/// Holds [LED-DSP-2] and [LED-DSP-8]: a freeze takes the place of the hold, and is there until its
/// deadline or until the ruling is final.
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
    let record: DisputeRecord = w.state.get(&Key::Dispute(first)).unwrap().unwrap();
    let appeal_until = record.rulings[0].appeal_until_ms;
    let until_of = |w: &World| holds(w).iter().find(|h| h.dispute == first).map(|h| h.until_ms);
    assert_eq!(until_of(&w), Some(appeal_until), "held until the dismissal is final");
    w.record(COUNTY, appeal(first));
    assert_eq!(until_of(&w), Some(until), "and on appeal until the freeze was to end");
    w.record(BUREAU, rule(first, Ruling::Dismiss));
    assert_eq!(holds(&w), Vec::from_iter(of_other(&before)));
}

/// Holds [LED-DSP-2] and [LED-DSP-8]: holds by disputes that were opened leave room for a freeze.
#[test]
fn holds_of_accomplices_leave_room_for_a_freeze() {
    let mut w = World::sources();
    let chest = w.asset(CHEST_RAW);
    let share = |parts| Subject::Share(slice(chest, Right::Holding, CHEST, parts));
    let id = w.record(COUNTY, dispute(share(9_000))).dispute();
    w.pass(8 * DAY_MS);
    for n in 0..MAX_HOLDS {
        let name = format!("friend-{n}");
        w.record(GZ, admit(&name, Role::Holder));
        w.record(&name, dispute(share(1)));
    }
    let until = w.now_ms + 60 * DAY_MS;
    w.record(REGULATOR, freeze(id, until));
    assert_eq!(holds(&w).len(), MAX_HOLDS + 1);
}

/// Holds [LED-DSP-4]: whom a ruling gives the share is a party from then on.
#[test]
fn who_got_the_share_is_a_party() {
    let mut w = World::sources();
    let chest = w.asset(CHEST_RAW);
    let share = Subject::Share(slice(chest, Right::Holding, CHEST, 9_000));
    let id = w.record(COUNTY, dispute(share)).dispute();
    assert_eq!(w.refused(FUND, evidence(id)), Code::NotDisputeParty);
    w.record(REGULATOR, rule(id, redirect(FUND, &[])));
    w.record(CHEST, appeal(id));
    w.record(FUND, evidence(id));
    w.record(REGULATOR, members::relate(BUREAU, FUND, true));
    assert_eq!(w.refused(BUREAU, rule(id, redirect(FUND, &[]))), Code::ArbiterIsParty);
}

/// Holds [LED-DSP-1]: a share can be disputed of whoever has had so many parts at any time, and
/// only what he still has of it changes hands.
#[test]
fn parts_that_were_given_away_can_be_disputed() {
    let mut w = World::sources();
    let chest = w.asset(CHEST_RAW);
    let away = w.record(CHEST, transfer(chest, Right::Holding, &[(CHEST, 400), (FUND, 9_600)]));
    w.record(FUND, accept_transfer(away.transfer()));
    let share = |owner, parts| Subject::Share(slice(chest, Right::Holding, owner, parts));
    assert_eq!(w.refused(COUNTY, dispute(share(FUND, 9_601))), Code::SubjectInvalid);
    assert_eq!(w.refused(COUNTY, dispute(share(LAB, 1))), Code::SubjectInvalid);
    let id = w.record(COUNTY, dispute(share(CHEST, 10_000))).dispute();
    w.record(REGULATOR, rule(id, redirect(LAB, &[])));
    let after = BTreeMap::from([(FUND.to_string(), 9_600), (LAB.to_string(), 400)]);
    assert_eq!(owned(&w), after);
    w.record(COUNTY, dispute(share(LAB, 10_000)));
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
    // Nothing contested them, so that nothing is cleared that may come out later.
    assert_eq!(state(&w), (0, false, false, 0, Accepted, false));
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
