//! Grants in time: terms, late filing, later versions, sub-licences, and what survives what.

use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::rights::Terms;
use headwater_ledger::event::{OfferGrant, RegisterAsset};
use headwater_ledger::hash::{AssetId, GrantId};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::{GrantStatus, Records};
use proptest::prelude::*;

use crate::support::story::*;
use crate::support::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Holds [LED-LIN-5]: within the term work is filed in time; within the window after it, late
    /// and only if it ended within the term; otherwise not at all.
    #[test]
    fn work_is_in_time_late_or_too_late(
        begin in 0u64..6, length in 0u64..6, window in 0u64..6, now in 1u64..20,
        claimed_from in 0u64..20, claimed_length in 0u64..6,
    ) {
        let at = |hours: u64| GENESIS_MS + DAY_MS + hours * HOUR_MS;
        let mut w = World::sources();
        let terms = Terms {
            not_before_ms: at(begin),
            not_after_ms: at(begin + length),
            filing_window_ms: window * HOUR_MS,
            ..terms()
        };
        let chest = w.asset(CHEST_RAW);
        let grant = w.give(CHEST, processing_grant(chest, LAB, terms));
        w.now_ms = at(now);
        let work = doing(processed("fna-cleaned", &[input(chest, 1, grant)]), |a| {
            a.claimed_from_ms = at(claimed_from);
            a.claimed_to_ms = at(claimed_from + claimed_length);
        });
        let end = begin + length;
        let expected = if now < begin || claimed_from < begin {
            Err(Code::GrantNotYetEffective)
        } else if now <= end {
            Ok(false)
        } else if now <= end + window && claimed_from + claimed_length <= end {
            Ok(true)
        } else {
            Err(Code::GrantExpired)
        };
        let bytes = w.by(LAB, work);
        let outcome = w.submit(&bytes).map(|_| w.asset_record(CLEANED).late).map_err(|r| r.code);
        prop_assert_eq!(outcome, expected);
    }

    /// Holds [LED-LIN-5]: a grant covers the versions after its own exactly when it says so.
    #[test]
    fn later_versions_are_covered_when_the_grant_says_so(
        granted in 0usize..4, used in 0usize..4, future_versions: bool,
    ) {
        let mut w = World::default();
        let mut versions: Vec<AssetId> = Vec::new();
        for i in 0..4 {
            let name = format!("fna-{i}");
            w.record(CHEST, RegisterAsset { revises: versions.last().copied(), ..raw(&name) });
            versions.push(w.asset(&format!("{CHEST}/{name}")));
            let record = w.asset_record(&format!("{CHEST}/{name}"));
            prop_assert_eq!((record.first_version, record.version), (versions[0], i + 1));
        }
        let terms = Terms { future_versions, ..terms() };
        let grant = w.give(CHEST, processing_grant(versions[granted], LAB, terms));
        let work = w.by(LAB, processed("cleaned", &[input(versions[used], 1, grant)]));
        let outcome = w.submit(&work).map(|_| ()).map_err(|r| r.code);
        let covered = used == granted || (future_versions && used > granted);
        prop_assert_eq!(outcome, if covered { Ok(()) } else { Err(Code::GrantWrongAsset) });
    }

    /// Holds [LED-LIN-5]: a grant for n derivations allows n, and counts what was recorded.
    #[test]
    fn a_grant_allows_as_many_derivations_as_it_says(max in 1u32..5, tried in 1u32..7) {
        let mut w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let terms = Terms { max_derivations: Some(max), ..terms() };
        let grant = w.give(CHEST, processing_grant(chest, LAB, terms));
        for n in 0..tried {
            let work = w.by(LAB, processed(&format!("cleaned-{n}"), &[input(chest, 1, grant)]));
            let outcome = w.submit(&work).map(|_| ()).map_err(|r| r.code);
            prop_assert_eq!(outcome, if n < max { Ok(()) } else { Err(Code::GrantExhausted) });
        }
        let used = w.state.grant(&grant).unwrap().unwrap().used;
        prop_assert_eq!(used, max.min(tried));
    }

    /// Holds [LED-GRT-4]: along a chain of sub-licences the depth strictly falls, and only a grant
    /// with depth left lets its holder sell what he made.
    #[test]
    fn sub_licences_get_shallower_at_every_step(depths in prop::collection::vec(0u8..5, 1..6)) {
        let parties = [CHEST, LAB, INSIGHT, COUNTY, FUND, BUYER, BJ];
        let mut w = World::default();
        w.record(CHEST, raw("made-0"));
        let mut asset = w.asset("chest-hospital/made-0");
        let mut above: Option<(GrantId, u8)> = None;
        for (step, depth) in depths.into_iter().enumerate() {
            let (grantor, grantee) = (parties[step], parties[step + 1]);
            let under = list(&above.map(|(grant, _)| grant).into_iter().collect::<Vec<_>>());
            let offer = OfferGrant { under, ..operation_grant(asset, grantee, depth) };
            let bytes = w.by(grantor, offer);
            let outcome = w.submit(&bytes).map_err(|r| r.code);
            let expected = match above {
                Some((_, 0)) => Some(Code::OperationNotCovered),
                Some((_, held)) if depth >= held => Some(Code::SublicenceTooDeep),
                Some(_) | None => None,
            };
            prop_assert_eq!(outcome.as_ref().err().copied(), expected);
            let Ok(recorded) = outcome else { break };
            w.record(grantee, accept_grant(recorded.grant()));
            let processing = w.give(grantor, processing_grant(asset, grantee, terms()));
            let name = format!("made-{}", step + 1);
            let made = w.asset(&format!("{grantee}/{name}"));
            w.record(grantee, product(&name, &[input(asset, 1, processing)]));
            let listed = w.clone().submit(&{
                let mut seller = w.clone();
                seller.by(grantee, list_product(made, &[recorded.grant()]))
            });
            let sells = if depth > 0 { None } else { Some(Code::OperationNotCovered) };
            prop_assert_eq!(listed.map(|_| ()).map_err(|r| r.code).err(), sells);
            (asset, above) = (made, Some((recorded.grant(), depth)));
        }
    }
}

/// What was made before a revocation stands; and only what comes after is refused.
#[test]
fn revocation_reaches_the_future_only() {
    let mut w = World::cleaned();
    w.record(CHEST, revoke_grant(w.grant("chest processing")));
    let inputs = w.lab_inputs();
    assert_eq!(w.refused(LAB, processed("again", &inputs)), Code::GrantRevoked);
    // The company derives from what the lab made before.
    w.report();
    w.list_report();
}

/// Holds [LED-GRT-2]: a transfer of the right leaves its grants in force, for the new manager to
/// revoke.
#[test]
fn grants_survive_a_transfer() {
    let mut w = World::granted();
    let chest = w.asset(CHEST_RAW);
    let moved = w.record(CHEST, transfer(chest, Right::Processing, &[(FUND, 10_000)]));
    w.record(FUND, accept_transfer(moved.transfer()));
    let inputs = w.lab_inputs();
    w.record(LAB, processed("fna-cleaned", &inputs));
    let grant = w.grant("chest processing");
    w.record(FUND, revoke_grant(grant));
    assert_eq!(w.state.grant(&grant).unwrap().unwrap().status, GrantStatus::Revoked);
    assert_eq!(w.refused(LAB, processed("again", &inputs)), Code::GrantRevoked);
}

/// Holds [LED-LIN-4]: the manager of the processing right needs no grant, whoever registered.
#[test]
fn who_owns_the_processing_right_needs_no_grant() {
    let mut w = World::sources();
    let chest = w.asset(CHEST_RAW);
    let moved = w.record(CHEST, transfer(chest, Right::Processing, &[(LAB, 10_000)]));
    w.record(LAB, accept_transfer(moved.transfer()));
    w.record(LAB, processed("fna-cleaned", &[input(chest, 1, None)]));
}

/// Holds [LED-LIN-3] and [LED-LIN-7]: neither work on the next asset nor a grant of it widens what its
/// own inputs allowed.
#[test]
fn purposes_narrow_on_the_way_down() {
    let mut w = World::sources();
    let wide =
        Terms { purposes: list(&[Purpose::HealthResearch, Purpose::ClinicalCare]), ..terms() };
    let chest = w.asset(CHEST_RAW);
    let grant = w.give(CHEST, processing_grant(chest, LAB, wide.clone()));
    let research = doing(processed("cleaned", &[input(chest, 1, grant)]), |a| {
        a.purposes = list(&[Purpose::HealthResearch]);
    });
    w.record(LAB, research);
    let cleaned = w.asset("clean-lab/cleaned");
    let next = processing_grant(cleaned, INSIGHT, wide.clone());
    assert_eq!(w.refused(LAB, next), Code::PurposeNotInherited);
    let care = doing(processed("for-care", &[input(cleaned, 1, None)]), |a| {
        a.purposes = list(&[Purpose::ClinicalCare]);
    });
    assert_eq!(w.refused(LAB, care), Code::PurposeNotInherited);
    let research = list(&[Purpose::HealthResearch]);
    let abroad = list(&["SG".parse().unwrap()]);
    let abroad = Terms { purposes: research, territories: abroad, ..terms() };
    assert_eq!(
        w.refused(LAB, processing_grant(cleaned, INSIGHT, abroad)),
        Code::TerritoryNotInherited
    );
    let abroad = doing(processed("abroad", &[input(cleaned, 1, None)]), |a| {
        a.purposes = list(&[Purpose::HealthResearch]);
        a.territory = "SG".parse().unwrap();
    });
    assert_eq!(w.refused(LAB, abroad), Code::TerritoryNotInherited);
}

/// Holds [LED-MKT-3]: what a product is sold for stays within what it was made for and what the
/// operation grants allow.
#[test]
fn a_licence_is_within_product_and_grants() {
    let mut w = World::reported();
    let narrow = Terms {
        purposes: list(&[Purpose::Commercial]),
        sublicence_depth: 1,
        not_after_ms: GENESIS_MS + 30 * DAY_MS,
        ..terms()
    };
    let under = list(&[w.grant("chest operation"), w.grant("county operation")]);
    let offer =
        OfferGrant { under, terms: narrow, ..operation_grant(w.asset(CLEANED), INSIGHT, 1) };
    let grant = w.give(LAB, offer);
    let listing = w.record(INSIGHT, list_product(w.asset(REPORT), &[grant])).listing();
    let record = w.state.listing(&listing).unwrap().unwrap();
    assert_eq!(record.purposes, Some(vec![Purpose::Commercial]));
    assert_eq!(record.territories, Some(vec!["CN".parse().unwrap()]));
    assert_eq!(record.not_after_ms, GENESIS_MS + 30 * DAY_MS);
}
