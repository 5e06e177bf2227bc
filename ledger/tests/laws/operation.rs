//! Selling: what a right to sell rests on, and when a listing makes room for another.

use headwater_ledger::event::rights::{GrantRight, Terms};
use headwater_ledger::event::{OfferGrant, RegisterAsset};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::Records;
use headwater_ledger::state::{Key, View};

use crate::support::story::*;
use crate::support::*;

/// Holds [LED-GRT-4]: under protocol version 1 what a sale rests on is read from the direct inputs
/// alone.
#[test]
fn an_own_direct_input_is_enough_and_another_members_is_not() {
    let mut w = World::of_protocol(1);
    w.record(CHEST, raw("fna-2026"));
    w.record(COUNTY, raw("fna-2026"));
    w.grant_lab();
    let inputs = w.lab_inputs();
    w.record(LAB, processed("fna-cleaned", &inputs));
    w.record(LAB, product("sold", &[input(w.asset(CLEANED), 1, None)]));
    w.record(LAB, list_product(w.asset("clean-lab/sold"), &[]));
    let inputs = w.lab_inputs();
    w.record(LAB, product("direct", &inputs));
    let direct = w.asset("clean-lab/direct");
    let (chest, county) = (w.grant("chest operation"), w.grant("county operation"));
    for too_few in [vec![], vec![chest], vec![county]] {
        assert_eq!(w.refused(LAB, list_product(direct, &too_few)), Code::OperationNotCovered);
    }
    let listing = w.record(LAB, list_product(direct, &[chest, county])).listing();
    let record = w.state.listing(&listing).unwrap().unwrap();
    assert_eq!(record.not_after_ms, YEAR_END_MS);
}

/// Who owns everything down to the sources needs no grant.
#[test]
fn a_product_of_ones_own_data_needs_no_grant() {
    let mut w = World::sources();
    w.record(CHEST, processed("cleaned", &[input(w.asset(CHEST_RAW), 1, None)]));
    let cleaned = w.asset("chest-hospital/cleaned");
    w.record(
        CHEST,
        product("sold", &[input(cleaned, 1, None), input(w.asset(CHEST_RAW), 1, None)]),
    );
    w.record(CHEST, list_product(w.asset("chest-hospital/sold"), &[]));
}

/// Holds [LED-MKT-1]: a listing stands in the way of another only while it can be sold from.
#[test]
fn a_listing_that_nothing_can_be_sold_from_makes_room() {
    let mut w = World::accepted();
    let report = w.asset(REPORT);
    let grants = [w.grant("cleaned operation")];
    assert_eq!(w.refused(INSIGHT, list_product(report, &grants)), Code::AlreadyListed);
    w.record(LAB, revoke_grant(grants[0]));
    assert_eq!(w.refused(INSIGHT, list_product(report, &grants)), Code::GrantRevoked);
    let cleaned = w.asset(CLEANED);
    let under = list(&[w.grant("chest operation"), w.grant("county operation")]);
    let offer = OfferGrant { under, ..operation_grant(cleaned, INSIGHT, 1) };
    let renewed = w.give(LAB, offer);
    w.record(INSIGHT, list_product(report, &[renewed]));
    assert_eq!(w.refused(INSIGHT, list_product(report, &[renewed])), Code::AlreadyListed);
}

/// The new manager of the operation right lists; the former seller's listing ends with his right.
#[test]
fn a_listing_ends_with_the_sellers_right() {
    let mut w = World::accepted();
    let report = w.asset(REPORT);
    let cleaned = w.asset(CLEANED);
    let moved = w.record(INSIGHT, transfer(report, Right::Operation, &[(FUND, 10_000)]));
    w.record(FUND, accept_transfer(moved.transfer()));
    let under = list(&[w.grant("chest operation"), w.grant("county operation")]);
    let offer = OfferGrant { under, ..operation_grant(cleaned, FUND, 1) };
    let grant = w.give(LAB, offer);
    assert_eq!(w.refused(INSIGHT, w.clone().proposal(PRICE)), Code::NotRightManager);
    w.record(FUND, list_product(report, &[grant]));
    assert_eq!(w.refused(INSIGHT, w.clone().proposal(PRICE)), Code::ListingEnded);
}

/// Holds [LED-LIN-5]: a derivation is one, whatever the number of versions it takes in.
#[test]
fn two_versions_in_one_derivation_count_once() {
    let mut w = World::sources();
    let first = w.asset(CHEST_RAW);
    let once = Terms { max_derivations: Some(1), future_versions: true, ..terms() };
    let grant = w.give(CHEST, processing_grant(first, LAB, once));
    w.record(CHEST, RegisterAsset { revises: Some(first), ..raw("fna-2027") });
    let next = w.asset("chest-hospital/fna-2027");
    w.record(LAB, processed("both", &[input(first, 1, grant), input(next, 1, grant)]));
    assert_eq!(w.state.grant(&grant).unwrap().unwrap().used, 1);
    let again = processed("again", &[input(first, 1, grant)]);
    assert_eq!(w.refused(LAB, again), Code::GrantExhausted);
}

/// Holds [LED-GRT-1]: an operation grant with future versions covers the later versions of a raw
/// resource, which rest on nothing.
#[test]
fn operation_of_later_raw_versions_is_covered() {
    let mut w = World::sources();
    let first = w.asset(CHEST_RAW);
    let mut offer = operation_grant(first, LAB, 1);
    offer.terms.future_versions = true;
    let operation = w.give(CHEST, offer);
    w.record(CHEST, RegisterAsset { revises: Some(first), ..raw("fna-2027") });
    let next = w.asset("chest-hospital/fna-2027");
    let processing = w.give(CHEST, processing_grant(next, LAB, terms()));
    w.record(LAB, product("sold", &[input(next, 1, processing)]));
    w.record(LAB, list_product(w.asset("clean-lab/sold"), &[operation]));
}

/// Of several grants on one line of versions the one on the earliest covers, in whatever order
/// they are named.
#[test]
fn the_grant_on_the_earliest_version_covers_the_line() {
    let mut w = World::default();
    let mut versions = Vec::new();
    for i in 1..4 {
        let name = format!("fna-{i}");
        w.record(CHEST, RegisterAsset { revises: versions.last().copied(), ..raw(&name) });
        versions.push(w.asset(&format!("{CHEST}/{name}")));
    }
    let mut give = |asset| {
        let mut offer = operation_grant(asset, LAB, 1);
        offer.terms.future_versions = true;
        w.give(CHEST, offer)
    };
    let (first, last) = (give(versions[0]), give(versions[2]));
    let processing = w.give(CHEST, processing_grant(versions[1], LAB, terms()));
    w.record(LAB, product("sold", &[input(versions[1], 1, processing)]));
    let sold = w.asset("clean-lab/sold");
    assert_eq!(w.refused(LAB, list_product(sold, &[last])), Code::OperationNotCovered);
    w.clone().record(LAB, list_product(sold, &[first, last]));
    w.record(LAB, list_product(sold, &[last, first]));
}

/// Holds [LED-LIM-2]: looking at rights again costs weight wherever it is done.
#[test]
fn every_look_at_the_rights_of_a_sale_is_weighed() {
    let mut w = World::reported();
    let under = list(&[w.grant("chest operation"), w.grant("county operation")]);
    let offer = OfferGrant { under, ..operation_grant(w.asset(CLEANED), INSIGHT, 1) };
    for _ in 0..3 {
        w.give(LAB, offer.clone());
    }
    let key = Key::GrantsInForce(w.asset(CLEANED), GrantRight::Operation);
    let listed = w.state.value(&key).unwrap().unwrap().len() as u64 / 200;
    assert!(listed > 0);
    // Two grants and two inputs, and the grants in force, beside the base weight.
    assert_eq!(w.record(LAB, offer).effects.weight, 100 + 4 * 4 + listed);
    w.list_report();
    w.accept_listing();
    // One grant and one input, the two grants that it rests on, and what the exchange found; to sign,
    // the key of the proposal.
    assert_eq!(w.record(INSIGHT, w.clone().proposal(PRICE)).effects.weight, 40 + 4 * 4 + 2);
    w.propose(PRICE);
    let sign = sign_contract(w.contract(), w.schedule_hash());
    assert_eq!(w.record(BUYER, sign).effects.weight, 50 + 4 * 4 + 2 + 1);
}

/// Holds [LED-LIM-2]: what one block has no room for, the next one takes.
#[test]
fn a_full_block_leaves_the_envelope_for_the_next() {
    use headwater_ledger::envelope::SignedEnvelope;
    use headwater_ledger::execute::Execution;
    use headwater_ledger::limits::MAX_BLOCK_WEIGHT;
    use headwater_ledger::reject::Refusal;

    let mut w = World::default();
    let envelopes: Vec<_> = (0..6)
        .map(|n| {
            let names = n * 1_000..(n + 1) * 1_000;
            let events = names.map(|i| raw(&format!("set-{i}")).event()).collect();
            let bytes = signed(w.envelope(CHEST, events), &[CHEST]);
            SignedEnvelope::from_bytes(&bytes).unwrap().verify().unwrap()
        })
        .collect();
    let mut execution = Execution::begin(&w.state, w.context()).unwrap();
    for envelope in &envelopes[..5] {
        execution.apply(envelope).unwrap();
    }
    assert_eq!(execution.weight(), MAX_BLOCK_WEIGHT);
    let Err(Refusal::Reject(full)) = execution.apply(&envelopes[5]) else { panic!("no room") };
    assert_eq!(full.code, Code::BlockFull);
    assert!(full.code.is_transient());
    w.state = execution.finish().unwrap().state;
    w.height += 1;
    let mut next = Execution::begin(&w.state, w.context()).unwrap();
    next.apply(&envelopes[5]).unwrap();
}
