//! Acts of several owners, sub-licences, what excludes each other, and what becomes of grants, each
//! against a model written differently.

use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::rights::{Exclusivity, GrantRight, Revocation, Terms};
use headwater_ledger::event::{
    ConsentFiling, RegisterAsset, RenewGrant, SurrenderGrant, TakeOffer,
};
use headwater_ledger::hash::GrantId;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::{GrantStatus, InForce, Records};
use headwater_ledger::state::{Key, View};
use proptest::prelude::*;

use crate::support::rights::*;
use crate::support::story::*;
use crate::support::*;

const PLACES: [&str; 5] = ["CN", "CN-GD", "CN-GD-01", "CN-BJ", "SG"];
/// The leaves that each place stands for.
const LEAVES: [&[u8]; 5] = [&[0, 1, 2], &[0, 1], &[0], &[2], &[3]];
const KINDS: [Exclusivity; 3] = [Exclusivity::None, Exclusivity::Sole, Exclusivity::Exclusive];

/// A grant to try: kind, purposes as bits, place, first hour, hours; and on which of three versions,
/// with later ones or not.
type Tried = ((usize, u8, usize, u64, u64), (usize, bool));

fn tried_terms(&((kind, purposes, place, begin, hours), (_, future_versions)): &Tried) -> Terms {
    let chosen = [Purpose::HealthResearch, Purpose::Commercial, Purpose::ClinicalCare];
    let chosen: Vec<Purpose> =
        (0..3).filter(|i| purposes & (1 << i) != 0).map(|i| chosen[i as usize]).collect();
    let begin = GENESIS_MS + DAY_MS + begin * HOUR_MS;
    Terms {
        purposes: list(&chosen),
        territories: list(&codes(PLACES[place])),
        not_before_ms: begin,
        not_after_ms: begin + hours * HOUR_MS,
        exclusivity: KINDS[kind],
        future_versions,
        ..terms()
    }
}

/// Whether two grants share a single version, hour, leaf and purpose while one of them excludes
/// others.
fn clash(a: &Tried, b: &Tried) -> bool {
    let cells = |(t, (version, future)): &Tried| {
        let mut cells = std::collections::BTreeSet::new();
        for version in *version..if *future { 3 } else { version + 1 } {
            for hour in t.3..=t.3 + t.4 {
                for leaf in LEAVES[t.2] {
                    for bit in (0..3).filter(|bit| t.1 & (1 << bit) != 0) {
                        cells.insert((version, hour, *leaf, bit));
                    }
                }
            }
        }
        cells
    };
    a.0.0 + b.0.0 > 0 && !cells(a).is_disjoint(&cells(b))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Holds [LED-GRT-7]: a grant is refused exactly when it shares a cell of version, time, place
    /// and purpose with one in force and either excludes others; what was surrendered excludes
    /// nobody.
    #[test]
    fn overlapping_exclusives_are_refused(
        tried in prop::collection::vec(
            ((0usize..3, 1u8..8, 0usize..5, 0u64..6, 0u64..6), (0usize..3, any::<bool>())),
            1..8,
        ),
        given_back in 0usize..8,
    ) {
        let mut w = World::sources();
        let mut versions = vec![w.asset(CHEST_RAW)];
        for name in ["fna-2027", "fna-2028"] {
            w.record(CHEST, RegisterAsset { revises: versions.last().copied(), ..raw(name) });
            versions.push(w.asset(&format!("{CHEST}/{name}")));
        }
        let mut held: Vec<(Tried, GrantId)> = Vec::new();
        for (n, t) in tried.iter().enumerate() {
            let bytes = w.by(CHEST, processing_grant(versions[t.1.0], LAB, tried_terms(t)));
            let outcome = w.submit(&bytes).map(|r| r.grant()).map_err(|r| r.code);
            if held.iter().any(|(other, _)| clash(other, t)) {
                prop_assert_eq!(outcome, Err(Code::ExclusiveConflict));
            } else {
                let grant = outcome.unwrap();
                w.record(LAB, accept_grant(grant));
                held.push((*t, grant));
            }
            if n == given_back && !held.is_empty() {
                let (_, grant) = held.remove(0);
                w.record(LAB, SurrenderGrant { grant });
            }
        }
        let listed = |key: Key| -> Vec<_> {
            let listed: Vec<InForce> = w.state.get(&key).unwrap().unwrap_or_default();
            listed.into_iter().map(|entry| entry.id).collect()
        };
        let of = |chosen: &dyn Fn(&(usize, bool)) -> bool| -> Vec<_> {
            let held = held.iter().filter(|(t, _)| chosen(&t.1));
            held.map(|(_, grant)| *grant.digest()).collect()
        };
        for (n, version) in versions.iter().enumerate() {
            let on = listed(Key::GrantsInForce(*version, GrantRight::Processing));
            prop_assert_eq!(on, of(&|(on, _)| *on == n));
        }
        let future = listed(Key::FutureGrants(versions[0], GrantRight::Processing));
        prop_assert_eq!(future, of(&|(_, future)| *future));
    }

    /// Holds [LED-RGT-4]: an act passes exactly when its author owns a part and he and those who
    /// approved it reach the threshold.
    #[test]
    fn owners_act_when_they_reach_the_threshold(
        cuts in prop::collection::btree_set(1u16..10_000, 3), threshold in 1u16..=10_000,
        approving in 0u8..16, author in 0usize..5,
    ) {
        let cuts: Vec<u16> = cuts.into_iter().collect();
        let parts = [cuts[0], cuts[1] - cuts[0], cuts[2] - cuts[1], 10_000 - cuts[2]];
        let members = [CHEST, COUNTY, FUND, INSIGHT, BUYER];
        let owners: Vec<_> = members.into_iter().zip(parts).collect();
        let mut w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let moved = w.record(CHEST, shared(chest, Right::Processing, &owners, threshold));
        for owner in [COUNTY, FUND, INSIGHT] {
            w.record(owner, accept_transfer(moved.transfer()));
        }
        let offer = processing_grant(chest, LAB, terms());
        let mut sum = 0;
        for i in 0..4 {
            if approving & (1 << i) != 0 && i != author {
                w.record(members[i], approve_act(chest, offer.clone()));
                sum += parts[i];
            }
        }
        let expected = match parts.get(author) {
            None => Err(Code::NotRightManager),
            Some(own) if sum + own < threshold => Err(Code::OwnersNeeded),
            Some(_) => Ok(()),
        };
        let bytes = w.by(members[author], offer);
        prop_assert_eq!(w.submit(&bytes).map(|_| ()).map_err(|r| r.code), expected);
    }

    /// Holds [LED-GRT-5]: whatever is derived along a chain of sub-licences, no grant of it counts
    /// more derivations than it allows, and each counts those of all below it.
    #[test]
    fn a_chain_never_allows_more_than_its_root(
        limits in prop::collection::vec(prop::option::of(1u32..5), 1..5),
        uses in prop::collection::vec(0usize..5, 0..10),
    ) {
        let parties = [CHEST, LAB, INSIGHT, COUNTY, FUND];
        let mut w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let mut chain: Vec<GrantId> = Vec::new();
        for (step, limit) in limits.iter().enumerate() {
            let depth = (limits.len() - step) as u8 - 1;
            let terms = Terms { max_derivations: *limit, ..deep(depth) };
            let mut offer = processing_grant(chest, parties[step + 1], terms);
            offer.parent = chain.last().copied();
            chain.push(w.give(parties[step], offer));
        }
        let mut counts = vec![0u32; limits.len()];
        for (n, at) in uses.into_iter().enumerate() {
            let at = at % limits.len();
            let work = processed(&format!("made-{n}"), &[input(chest, 1, chain[at])]);
            let bytes = w.by(parties[at + 1], work);
            let outcome = w.submit(&bytes).map(|_| ()).map_err(|r| r.code);
            let open = (0..=at).all(|i| limits[i].is_none_or(|max| counts[i] < max));
            prop_assert_eq!(outcome, if open { Ok(()) } else { Err(Code::GrantExhausted) });
            if open {
                counts[..=at].iter_mut().for_each(|count| *count += 1);
            }
        }
        let used: Vec<u32> =
            chain.iter().map(|id| w.state.grant(id).unwrap().unwrap().used).collect();
        prop_assert_eq!(used, counts);
    }

    /// Holds [LED-GRT-8] and [LED-GRT-13]: what a revocation leaves of a grant, and what consent to
    /// late filing brings back.
    #[test]
    fn a_revocation_ends_what_its_terms_say(
        mode in 0usize..3, sunset in 1u64..5, now in 1u64..9, done in 0u64..9,
        consent in prop::option::of(0u64..9),
    ) {
        let modes =
            [Revocation::Prospective, Revocation::Sunset(sunset * HOUR_MS), Revocation::SuspendDownstream];
        let (mut w, grant) = World::lab_has(Terms {
            filing_window_ms: 365 * DAY_MS,
            ..revocable(modes[mode])
        });
        let revoked = GENESIS_MS + HOUR_MS;
        w.now_ms = revoked;
        w.record(CHEST, revoke_grant(grant));
        if let Some(by) = consent {
            w.record(CHEST, ConsentFiling { grant, file_by_ms: revoked + by * HOUR_MS });
        }
        w.now_ms = revoked + now * HOUR_MS;
        let work = processed("cleaned", &[input(w.asset(CHEST_RAW), 1, grant)]);
        let bytes = w.by(LAB, doing(work, |a| a.claimed_to_ms = revoked + done * HOUR_MS));
        let length = if mode == 1 { sunset } else { 0 };
        let late = consent.is_some_and(|by| now <= by) && done <= length;
        let expected = match mode {
            1 if now <= length => Ok(false),
            _ if late => Ok(true),
            _ => Err(Code::GrantRevoked),
        };
        let late = |w: &World| w.asset_record("clean-lab/cleaned").late;
        let outcome = w.submit(&bytes).map(|_| ()).map_err(|r| r.code);
        prop_assert_eq!(outcome.map(|()| late(&w)), expected);
    }
}

/// Holds [LED-GRT-7]: a chain of sub-licences does not exclude itself, and ends as one.
#[test]
fn an_exclusive_grant_is_sub_licensed_and_ends_with_its_chain() {
    let alone = exclusive(Exclusivity::Exclusive);
    let (mut w, grant) = World::lab_has(Terms { sublicence_depth: 2, ..alone.clone() });
    let chest = w.asset(CHEST_RAW);
    let below = w.give(LAB, sub(grant, processing_grant(chest, INSIGHT, alone.clone())));
    w.record(INSIGHT, processed("cleaned", &[input(chest, 1, below)]));
    // A second sub-licence excludes the first, which is not above it.
    let beside = sub(grant, processing_grant(chest, BUYER, terms()));
    assert_eq!(w.refused(LAB, beside), Code::ExclusiveConflict);
    w.record(CHEST, revoke_grant(grant));
    w.record(CHEST, processed("cleaned", &[input(chest, 1, None)]));
    w.give(CHEST, processing_grant(chest, BUYER, alone));
}

/// Holds [LED-GRT-7]: elsewhere and for other purposes the owner works; a sole grant leaves him his
/// right. Nobody keeps a right by a grant to himself.
#[test]
fn an_owner_is_kept_out_of_the_granted_use_alone() {
    let mut w = World::sources();
    let chest = w.asset(CHEST_RAW);
    let narrow = Terms {
        purposes: list(&[Purpose::Commercial]),
        territories: list(&codes("CN-GD")),
        ..exclusive(Exclusivity::Exclusive)
    };
    w.give(CHEST, processing_grant(chest, LAB, narrow));
    let doing_at = |name: &str, purpose, place: &str| {
        doing(processed(name, &[input(chest, 1, None)]), |a| {
            a.purposes = list(&[purpose]);
            a.territory = place.parse().unwrap();
        })
    };
    let (health, trade) = (Purpose::HealthResearch, Purpose::Commercial);
    w.record(CHEST, doing_at("research", health, "CN-GD"));
    w.record(CHEST, doing_at("beijing", trade, "CN-BJ"));
    for place in ["CN-GD", "CN-GD-01", "CN"] {
        assert_eq!(w.refused(CHEST, doing_at("trade", trade, place)), Code::ReservedToGrantee);
    }
    let county = w.asset(COUNTY_RAW);
    let own = exclusive(Exclusivity::Exclusive);
    assert_eq!(w.refused(COUNTY, processing_grant(county, COUNTY, own)), Code::TermsInvalid);
    let (mut w, _) = World::lab_has(exclusive(Exclusivity::Sole));
    w.record(CHEST, processed("cleaned", &[input(chest, 1, None)]));
}

/// Holds [LED-GRT-6]: with the consent of all owners of the processing right a floor is granted,
/// and sub-licensed as it is without asking again.
#[test]
fn a_floor_is_granted_with_the_consent_of_the_owners_of_processing() {
    let (mut w, chest) = World::processing_paid();
    let floor = |depth| Terms { floor_bp: 500, ..deep(depth) };
    let offer = processing_grant(chest, LAB, floor(1));
    assert_eq!(w.refused(CHEST, offer.clone()), Code::FloorConsentMissing);
    w.record(FUND, approve_act(chest, offer.clone()));
    let grant = w.give(CHEST, offer.clone());
    assert_eq!(w.refused(CHEST, offer), Code::FloorConsentMissing);
    let below = w.give(LAB, sub(grant, processing_grant(chest, INSIGHT, floor(0))));
    w.record(INSIGHT, processed("cleaned", &[input(chest, 1, below)]));
}

/// Holds [LED-GRT-6]: owners of other rights are not asked, nor those of a processing right that
/// the split pays nothing.
#[test]
fn nobody_else_is_asked_about_a_floor() {
    let floor = || Terms { floor_bp: 500, ..terms() };
    let mut w = World::sources();
    w.share_with_patients();
    w.record(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, floor()));
    let mut w = World::processing_shared(6_000);
    w.record(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, floor()));
    let (mut w, asset) = World::processing_paid();
    w.record(CHEST, processing_grant(asset, LAB, terms()));
    w.record(CHEST, operation_grant(asset, LAB, 1));
}

/// Holds [LED-GRT-9] and [LED-GRT-10]: an approved request is an accepted grant with its id, a
/// taken offer one with the id of the taking.
#[test]
fn requests_and_offers_become_grants() {
    let mut w = World::sources();
    let chest = w.asset(CHEST_RAW);
    let ask = request_grant(chest, GrantRight::Processing, terms());
    let asked = w.record(LAB, ask.clone());
    let also = w.record(INSIGHT, ask);
    w.record(CHEST, approve_requests(&[asked.request(), also.request()]));
    w.record(LAB, processed("cleaned", &[input(chest, 1, asked.grant())]));
    w.record(INSIGHT, processed("cleaned", &[input(chest, 1, also.grant())]));
    let offer = w.record(CHEST, offer_standing(chest, terms())).offer();
    let taken = w.record(BUYER, TakeOffer { offer }).grant();
    w.record(BUYER, processed("cleaned", &[input(chest, 1, taken)]));
    let record = w.state.grant(&taken).unwrap().unwrap();
    assert_eq!((record.grantor, record.grantee), (handle(CHEST), handle(BUYER)));
    // Once it is given back the offer can be taken again.
    w.record(BUYER, SurrenderGrant { grant: taken });
    w.record(BUYER, TakeOffer { offer });
}

/// Holds [LED-GRT-11]: a renewed grant works on, and the grant it rests on can be renewed first.
#[test]
fn a_renewal_extends_the_term() {
    let (mut w, grant) = World::lab_has(deep(1));
    let chest = w.asset(CHEST_RAW);
    let below = w.give(LAB, sub(grant, processing_grant(chest, INSIGHT, terms())));
    let not_after_ms = YEAR_END_MS + DAY_MS;
    w.record(CHEST, RenewGrant { grant, not_after_ms });
    w.record(LAB, RenewGrant { grant: below, not_after_ms });
    w.now_ms = not_after_ms;
    w.record(INSIGHT, processed("cleaned", &[input(chest, 1, below)]));
    let record = w.state.grant(&below).unwrap().unwrap();
    assert_eq!((record.status, record.not_after_ms), (GrantStatus::Accepted, not_after_ms));
}

/// Holds [LED-GRT-4]: a dataset of one's own in between lets nobody sell what he may not; with the
/// grants on what it is made of he may.
#[test]
fn an_own_dataset_in_between_rests_on_its_own_inputs() {
    let mut w = World::granted();
    let inputs = w.lab_inputs();
    w.record(LAB, processed("fna-cleaned", &inputs));
    let passing_on = |asset| RegisterAsset { split: split([0, 500, 500, 9_000]), ..asset };
    let again = processed("again", &[input(w.asset(CLEANED), 1, None)]);
    w.record(LAB, passing_on(again));
    let sold = product("sold", &[input(w.asset("clean-lab/again"), 1, None)]);
    w.record(LAB, passing_on(sold));
    let sold = w.asset("clean-lab/sold");
    let (chest, county) = (w.grant("chest operation"), w.grant("county operation"));
    for too_few in [vec![], vec![chest], vec![county]] {
        assert_eq!(w.refused(LAB, list_product(sold, &too_few)), Code::OperationNotCovered);
    }
    w.record(LAB, list_product(sold, &[chest, county]));
}
