//! What governance decides: whose approval counts, what a rulebook, a genesis document and a set of
//! validators may hold.

use headwater_ledger::envelope::SignedEnvelope;
use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::event::market::ListProduct;
use headwater_ledger::event::member::{Role, Scope};
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::ChangeId;
use headwater_ledger::limits::{MAX_ANCESTRY_EDGES, MAX_INPUTS, MAX_RULEBOOK_MS, MAX_VALIDATORS};
use headwater_ledger::reject::Missing;
use headwater_ledger::state::record::{ChangeRecord, ChangeStatus, Records};
use headwater_ledger::state::{Key, Relation, State, View};

use crate::governance::{Chain, WHO, genesis_with, validators};
use crate::support::members::*;
use crate::support::story::*;
use crate::support::*;

/// Holds [LED-GOV-2]: exactly two thirds of the power are not more than two thirds.
#[test]
fn two_thirds_are_not_enough() {
    let (mut genesis, mut set) = genesis_with([1; 4]);
    set.remove(&3);
    genesis.validators = list(&validators(&set));
    let mut chain = Chain::new(genesis);
    let propose = chain.world.by(GZ, change(rulebook(|r| r.fee_cap_bp = 1), 9));
    let id = SignedEnvelope::from_bytes(&propose).unwrap().envelope.id().unwrap();
    let id = ChangeId::from_digest(*headwater_ledger::envelope::event_id(&id, 0).digest());
    chain.block(vec![propose]);
    let status = |chain: &Chain| {
        let record: Option<ChangeRecord> = chain.world.state.get(&Key::Change(id)).unwrap();
        record.unwrap().status
    };
    let second = chain.world.by(BJ, approve(id));
    chain.block(vec![second]);
    assert_eq!(status(&chain), ChangeStatus::Proposed);
    let third = chain.world.by(WHO[2], approve(id));
    chain.block(vec![third]);
    assert_eq!(status(&chain), ChangeStatus::Scheduled);
}

/// Holds [LED-GOV-1]: a proposal is listed for every member that runs a validator, once, the author's
/// too, whose approval can fall; and can be named from then on.
#[test]
fn a_proposal_is_listed_for_every_validator() {
    let (mut genesis, mut set) = genesis_with([1; 4]);
    set.insert(4, (1, 5));
    genesis.validators = list(&validators(&set));
    let mut members = genesis.members.to_vec();
    members.push(admit("guangdong-data", Role::Exchange));
    genesis.members = list(&members);
    let mut chain = Chain::new(genesis);
    let w = &mut chain.world;
    // Who acts for an exchange decides for its validators.
    w.succeed(WHO[3], "guangdong-data");
    let count = |w: &World, member: &str| {
        w.state.range(&Relation::MemberInbox(handle(member))).unwrap().count()
    };
    let before = ["guangdong-data", WHO[3], GZ, BJ, WHO[2], CHEST].map(|m| count(w, m));
    let proposed = w.record(GZ, change(rulebook(|r| r.fee_cap_bp = 1), 99));
    let after = ["guangdong-data", WHO[3], GZ, BJ, WHO[2], CHEST].map(|m| count(w, m));
    let more: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    assert_eq!(more, [1, 0, 1, 1, 1, 0]);
    assert_eq!(proposed.effects.created, [Missing::Change(proposed.change())]);
    w.record("guangdong-data", approve(proposed.change()));
}

/// Holds [LED-GOV-2]: a successor has the power of the seats that it took over and of its own, each
/// once, and what its predecessor approved it has not approved for its own.
#[test]
fn an_approval_counts_for_the_seats_of_who_gave_it() {
    let (genesis, _) = genesis_with([10, 10, 10, 10]);
    let mut chain = Chain::new(genesis);
    let w = &mut chain.world;
    let status = |w: &World, id: ChangeId| {
        w.state.get::<ChangeRecord>(&Key::Change(id)).unwrap().unwrap().status
    };
    let fees = |cap| change(rulebook(|r| r.fee_cap_bp = cap), 99);
    let before = w.record(WHO[3], fees(1)).change();
    w.succeed(WHO[3], WHO[2]);
    // 10 of 40 approved before the merger; with another's 10 it is one half, not three quarters.
    w.record(GZ, approve(before));
    assert_eq!(status(w, before), ChangeStatus::Proposed);
    w.record(WHO[2], approve(before));
    assert_eq!(status(w, before), ChangeStatus::Scheduled);
    let after = w.record(WHO[2], fees(2)).change();
    assert_eq!(status(w, after), ChangeStatus::Proposed);
    assert_eq!(w.refused(WHO[2], approve(after)).name(), "ALREADY_APPROVED");
    w.record(GZ, approve(after));
    assert_eq!(status(w, after), ChangeStatus::Scheduled);
}

/// Holds [LED-MEM-5]: governance alone makes a regulator, who acts as one from that height on.
#[test]
fn conferred_roles_and_restored_keys_serve() {
    let mut w = World::default();
    w.record(COUNTY, revoke_key(COUNTY, COUNTY));
    w.decide(confer(CHEST, &[Role::Holder, Role::Regulator]));
    w.decide(restore(COUNTY, member_key("new", &Scope::ALL)));
    w.record(CHEST, suspend(LAB));
    assert_eq!(w.state.member(&handle(COUNTY)).unwrap().unwrap().keys.len(), 2);
    let envelope = w.envelope(COUNTY, vec![raw("fna-2026").event()]);
    w.submit(&signed(envelope, &["new"])).unwrap();
}

/// Holds [LED-GOV-4]: the numbers of the rulebook in force are the limits, and serve to the last.
#[test]
fn what_the_rulebook_allows_is_allowed() {
    let mut w = World::reported();
    w.record(CHEST, raw("fna-2027"));
    w.decide(rulebook(|r| (r.fee_cap_bp, r.max_inputs) = (149, 1)));
    let listing = |w: &World, fee_bp| {
        let grants = [w.grant("cleaned operation")];
        ListProduct { fee_bp, ..list_product(w.asset(REPORT), &grants) }
    };
    let (over, within) = (listing(&w, 150), listing(&w, 149));
    assert_eq!(w.refused(INSIGHT, over).name(), "FEE_TOO_HIGH");
    w.record(INSIGHT, within);
    let own = |w: &World, year: u32| input(w.asset(&format!("{CHEST}/fna-{year}")), 1, None);
    let both = [own(&w, 2026), own(&w, 2027)];
    assert_eq!(w.refused(CHEST, processed("both", &both)).name(), "OVER_LIMIT");
    w.record(CHEST, processed("one", &both[..1]));
    w.decide(rulebook(|r| r.max_inputs = 2));
    w.record(CHEST, processed("both", &both));
}

/// Holds [LED-GOV-4] and [LED-MKT-2]: the rulebook says how large the ancestry of a listed product
/// may be, to the last edge.
#[test]
fn the_rulebook_bounds_the_ancestry_of_listed_products() {
    let mut w = World::reported();
    let listing = |w: &World| list_product(w.asset(REPORT), &[w.grant("cleaned operation")]);
    let edges = 3;
    w.decide(rulebook(|r| r.max_ancestry_edges = edges - 1));
    let over = listing(&w);
    assert_eq!(w.refused(INSIGHT, over).name(), "ANCESTRY_TOO_LARGE");
    w.decide(rulebook(|r| r.max_ancestry_edges = edges));
    let within = listing(&w);
    w.record(INSIGHT, within);
}

/// Holds [LED-GEN-1]: a genesis document has a protocol version that exists and a rulebook that
/// governance could have made.
#[test]
fn a_genesis_document_is_held_to_the_rules_of_governance() {
    let with = |vary: fn(&mut Rulebook)| {
        let mut rulebook = Rulebook::standard();
        vary(&mut rulebook);
        State::genesis(&Genesis { rulebook: Some(rulebook), ..genesis() })
    };
    let state = with(|r| r.fee_cap_bp = 10_000).unwrap();
    assert_eq!(state.rulebook().unwrap().1.fee_cap_bp, 10_000);
    assert_eq!(state.rulebook().unwrap().0, 1);
    assert!(with(|r| r.max_inputs = MAX_INPUTS as u32).is_ok());
    assert!(with(|r| r.max_ancestry_edges = MAX_ANCESTRY_EDGES as u32).is_ok());
    assert!(with(|r| r.max_ancestry_edges = MAX_ANCESTRY_EDGES as u32 + 1).is_err());
    assert!(with(|r| r.notice_ms = MAX_RULEBOOK_MS).is_ok());
    assert!(with(|r| r.fee_cap_bp = 10_001).is_err());
    assert!(with(|r| r.max_inputs = MAX_INPUTS as u32 + 1).is_err());
    let durations: [fn(&mut Rulebook) -> &mut u64; 9] = [
        |r| &mut r.deemed_delivery_ms,
        |r| &mut r.cooling_ms,
        |r| &mut r.max_freeze_ms,
        |r| &mut r.appeal_ms,
        |r| &mut r.notice_ms,
        |r| &mut r.registration_term_ms,
        |r| &mut r.replacement_ms,
        |r| &mut r.compromise_lookback_ms,
        |r| &mut r.contest_ms,
    ];
    for field in durations {
        let mut rulebook = Rulebook::standard();
        *field(&mut rulebook) = MAX_RULEBOOK_MS + 1;
        let genesis = Genesis { rulebook: Some(rulebook), ..genesis() };
        assert!(State::genesis(&genesis).is_err());
    }
    for (protocol, exists) in [(0, false), (1, true), (2, true), (3, false)] {
        let genesis = Genesis { protocol, ..genesis() };
        assert_eq!(State::genesis(&genesis).is_ok(), exists, "protocol {protocol}");
    }
}

/// Holds [LED-VAL-1]: as many validators as there may be, and not one more.
#[test]
fn the_set_grows_to_its_limit() {
    let mut w = World::default();
    let mut add = |names: std::ops::Range<usize>| {
        let height = w.height + 3;
        let proposals =
            names.map(|i| change(set_validator(GZ, &format!("validator-{i}"), 1), height).event());
        let proposed = w.all(GZ, proposals.collect());
        let approvals = (0..proposed.effects.created.len() as u32).map(|i| {
            let id = headwater_ledger::envelope::event_id(&proposed.id, i);
            approve(ChangeId::from_digest(*id.digest())).event()
        });
        let approvals = approvals.collect();
        let approvals = w.envelope(BJ, approvals);
        // Once the exchange has two thirds of the power, it decides alone.
        let closed = w.submit(&signed(approvals, &[BJ])).map_err(|r| r.code.name()).err();
        assert!(closed.is_none() || closed == Some("CHANGE_CLOSED"));
        while w.height < height {
            let name = format!("at-{}", w.height);
            w.record(CHEST, raw(&name));
        }
        w.state.next_validators().unwrap().validators().len()
    };
    assert_eq!(add(0..60), 62);
    assert_eq!(add(60..97), 99);
    // Each is possible when it is approved; the second is not any more when the first is made.
    assert_eq!(add(97..99), MAX_VALIDATORS);
    assert_eq!(w.refused(GZ, change(set_validator(GZ, "more", 1), 9_999)).name(), "CHANGE_INVALID");
}
