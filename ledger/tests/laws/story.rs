//! The whole story at once: replay gives the same roots, and lists are as long as what happened.

use headwater_ledger::envelope::SignedEnvelope;
use headwater_ledger::execute::{BlockContext, Execution};
use headwater_ledger::hash::Digest;
use headwater_ledger::state::record::Records;
use headwater_ledger::state::{Key, Relation, State, View};

use crate::support::story::*;
use crate::support::*;

fn told() -> World {
    let mut w = World::paid();
    w.record(INSIGHT, deliver(w.contract()));
    w.record(BUYER, confirm(w.contract()));
    w.share_with_patients();
    w.record(GZ, refund(w.payment(), [1, 2, 3], "B-9"));
    w.void(COUNTY_RAW);
    w
}

/// Executes a log of (time, envelope) from genesis, so many envelopes to a block.
fn replay(w: &World, to_a_block: usize) -> (State, Vec<Digest>) {
    let mut state = State::genesis(&genesis()).unwrap();
    let mut roots = Vec::new();
    for (height, block) in (1..).zip(w.log.chunks(to_a_block)) {
        let context = BlockContext { chain_id: w.chain, height, time_ms: block[0].0 };
        let mut execution = Execution::begin(&state, context).unwrap();
        for (_, bytes) in block {
            let envelope = SignedEnvelope::from_bytes(bytes).unwrap();
            execution.apply(&envelope.verify().unwrap()).unwrap();
        }
        let executed = execution.finish().unwrap();
        roots.push(executed.state_root);
        state = executed.state;
    }
    (state, roots)
}

/// Holds [LED-EXE-1]: execution is a function of its inputs.
#[test]
fn replay_gives_the_same_roots() {
    let w = told();
    let (once, again) = (replay(&w, 1), replay(&w, 1));
    assert_eq!(once.1, again.1);
    assert_eq!(once.0.root(), w.state.root());
    let distinct: std::collections::BTreeSet<_> = once.1.iter().collect();
    assert_eq!(distinct.len(), w.log.len(), "every block changes the root");
    // A state rebuilt from its entries is the same state.
    let map = w.state.map().iter().map(|(k, v)| (*k, v.clone())).collect();
    assert_eq!(State::from_map(map).root(), w.state.root());
}

/// How envelopes are packed into blocks changes heights and times, never money or rights.
#[test]
fn packing_changes_nobodys_share() {
    let w = told();
    let expected = w.shares(REPORT, GZ);
    for to_a_block in [2, 7, 1_000] {
        let (state, _) = replay(&w, to_a_block);
        let mut packed = w.clone();
        packed.state = state;
        assert_eq!(packed.shares(REPORT, GZ), expected, "{to_a_block} to a block");
        assert_eq!(packed.schedule(REPORT), w.schedule(REPORT));
    }
}

/// Holds [LED-STA-3]: every list holds as many entries as there were events for it.
#[test]
fn lists_are_as_long_as_what_happened() {
    let w = told();
    let (account, _) = w.account(REPORT, GZ);
    let (chest, cleaned, report) = (w.asset(CHEST_RAW), w.asset(CLEANED), w.asset(REPORT));
    for (relation, expected) in [
        (Relation::MemberAssets(handle(CHEST)), 1),
        (Relation::MemberAssets(handle(FUND)), 1),
        (Relation::MemberAssets(handle(LAB)), 1),
        (Relation::MemberGrants(handle(LAB)), 6),
        (Relation::MemberGrants(handle(CHEST)), 2),
        (Relation::MemberContracts(handle(BUYER)), 1),
        (Relation::MemberContracts(handle(INSIGHT)), 1),
        (Relation::MemberContracts(handle(GZ)), 1),
        (Relation::MemberContracts(handle(BJ)), 0),
        (Relation::AssetDerivations(chest), 1),
        (Relation::AssetDerivations(cleaned), 1),
        (Relation::AssetDerivations(report), 0),
        (Relation::AssetGrants(chest), 2),
        (Relation::AssetListings(report), 1),
        (Relation::AssetAccounts(report), 1),
        (Relation::AccountPayments(account), 1),
    ] {
        assert_eq!(w.state.range(&relation).unwrap().count(), expected, "{relation:?}");
    }
    let acts: u64 = [GZ, BJ, REGULATOR, CHEST, COUNTY, FUND, LAB, INSIGHT, BUYER]
        .iter()
        .map(|m| w.state.range(&Relation::MemberEvents(handle(m))).unwrap().count())
        .sum();
    assert_eq!(acts, w.log.len() as u64);
    assert_eq!(w.state.get::<u64>(&Key::Ordinal).unwrap(), Some(acts));
}

/// What an envelope says it appended is what the lists then hold, at its height.
#[test]
fn effects_name_every_entry_that_was_appended() {
    let mut w = World::granted();
    let before = w.state.clone();
    let inputs = w.lab_inputs();
    let recorded = w.record(LAB, processed("fna-cleaned", &inputs));
    let cleaned = w.asset(CLEANED);
    let mut expected: Vec<_> = [
        (Relation::AssetDerivations(w.asset(CHEST_RAW)), cleaned.digest()),
        (Relation::AssetDerivations(w.asset(COUNTY_RAW)), cleaned.digest()),
        (Relation::MemberAssets(handle(LAB)), cleaned.digest()),
        (Relation::MemberEvents(handle(LAB)), &recorded.first()),
    ]
    .map(|(relation, id)| (format!("{relation:?}"), *id))
    .to_vec();
    expected.sort();
    let mut appended = Vec::new();
    for a in &recorded.effects.appended {
        assert_eq!(a.index, before.range(&a.relation).unwrap().count());
        assert_eq!(a.entry[..8], w.height.to_le_bytes());
        let id = codec_digest(&a.entry[8..]);
        appended.push((format!("{:?}", a.relation), id));
    }
    appended.sort();
    assert_eq!(appended, expected);
}

fn codec_digest(bytes: &[u8]) -> Digest {
    headwater_ledger::codec::decode(bytes, 33).unwrap()
}

/// Holds [LED-MEM-4]: a suspended member cannot act, accrues all the same, and comes back.
#[test]
fn a_suspended_member_accrues_and_does_not_act() {
    let mut w = World::contracted();
    w.record(REGULATOR, suspend(CHEST));
    assert_eq!(w.refused(CHEST, raw("fna-2027")).name(), "AUTHOR_SUSPENDED");
    w.pay(PRICE, TAX, "B-1");
    assert!(w.shares(REPORT, GZ).0[CHEST] > 0);
    w.record(REGULATOR, reinstate(CHEST));
    w.record(CHEST, raw("fna-2027"));
}

/// Holds [LED-AST-6]: money for what was sold before an asset became void is still recorded.
#[test]
fn voiding_stops_new_business_and_not_the_money_of_the_old() {
    let mut w = World::contracted();
    w.void(REPORT);
    w.pay(PRICE, TAX, "B-1");
    assert_eq!(w.refused(INSIGHT, deliver(w.contract())).name(), "VOID_ASSET");
    w.record(BUYER, confirm(w.contract()));
    w.record(GZ, refund(w.payment(), [1, 0, 0], "B-2"));
    assert_eq!(w.refused(INSIGHT, w.clone().proposal(PRICE)).name(), "VOID_ASSET");
}

/// A rejected listing makes room for another at the same exchange.
#[test]
fn a_rejected_product_can_be_listed_again() {
    let mut w = World::listed();
    let first = w.listing();
    w.record(GZ, review(first, headwater_ledger::event::market::Decision::Reject));
    w.list_report();
    assert_ne!(w.listing(), first);
    w.accept_listing();
    w.propose(PRICE);
}
