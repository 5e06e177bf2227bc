//! What becomes of envelopes that are handed in: verdicts, waiting, waking, and members who try to
//! get in the way of others.

use headwater_ledger::block::Block;
use headwater_ledger::envelope::{VerifiedEnvelope, asset_id, event_id};
use headwater_ledger::event::market::Decision;
use headwater_ledger::hash::{AssetId, GrantId, ListingId};
use headwater_node::app::{Origin, Reception, Status};
use headwater_node::application::Application;

use crate::nodes::{Clerk, Node, chain_id, pipeline};
use crate::support::*;

const LATER_MS: u64 = GENESIS_MS + HOUR_MS;

/// The asset with this name of the member `north`.
fn asset(name: &str) -> AssetId {
    asset_id(&chain_id(), &handle("north"), &name.parse().unwrap())
}

fn code(status: &Status) -> String {
    match status {
        Status::Pending => "pending".into(),
        Status::Recorded { height, index } => format!("recorded {height} {index}"),
        Status::Waiting(why) => format!("waiting {}", why.code()),
        Status::Refused(why) => format!("refused {}", why.code()),
        Status::Unknown => "unknown".into(),
    }
}

fn assert_status(node: &Node, envelope: &VerifiedEnvelope, expected: &str) {
    assert_eq!(code(&node.app.status(&envelope.id())), expected);
}

#[test]
fn what_refers_to_something_pending_waits_and_follows_it_at_once() {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    let source = clerk.sign("north", raw("source"));
    let id = asset("source");
    let derived = clerk.sign("north", processed("derived", &[input(id, 1, None)]));
    assert_eq!(code(&node.submit(&derived)), "waiting UNKNOWN_ASSET");
    assert!(!node.app.has_work());
    assert_eq!(code(&node.submit(&source)), "pending");
    node.advance();
    assert_status(&node, &source, "recorded 1 0");
    assert_status(&node, &derived, "pending");
    assert!(node.app.has_work());
    node.advance();
    assert_status(&node, &derived, "recorded 2 0");
    assert_eq!(code(&node.submit(&derived)), "recorded 2 0");
}

#[test]
fn what_was_missing_when_it_was_tried_may_be_there_when_it_comes_in() {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    let offer = clerk.sign("north", raw("source"));
    let id = asset("source");
    let derived = clerk.sign("north", processed("derived", &[input(id, 1, None)]));
    let Ok(Reception::Untried(trial)) = node.app.receive(&derived.id()) else {
        panic!("it is known already")
    };
    let tried = trial.run(&derived);
    // The block that makes it comes in between: nothing would wake the envelope any more.
    node.submit(&offer);
    node.advance();
    let (status, is_new) = node.app.submit_tried(derived, tried);
    assert_eq!((code(&status).as_str(), is_new), ("pending", true));
}

#[test]
fn refusals_are_final_or_not_as_the_rules_say() {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    node.submit(&clerk.sign("north", raw("a")));
    node.advance();
    let taken = clerk.sign("north", raw("a"));
    let stranger = clerk.sign("stranger", raw("a"));
    let listing = ListingId::from_digest(digest("none"));
    let unknown = clerk.sign("north", review(listing, Decision::Accept));
    for (envelope, expected, is_final) in [
        (&taken, "refused NAME_TAKEN", true),
        (&stranger, "refused UNKNOWN_AUTHOR", false),
        (&unknown, "waiting UNKNOWN_LISTING", false),
    ] {
        let status = node.submit(envelope);
        assert_eq!(code(&status), expected);
        assert_status(&node, envelope, expected);
        let (Status::Refused(why) | Status::Waiting(why)) = status else { panic!("{status:?}") };
        assert_eq!(why.is_final(), is_final);
    }
    // From a peer nothing is said of what this node may only not know yet.
    let from_peer = node.app.submit(clerk.sign("stranger", raw("b")), Origin::Peer);
    assert_eq!((code(&from_peer.0).as_str(), from_peer.1), ("unknown", false));
    let dead = clerk.sign("nobody", raw("c"));
    assert_status(&node, &dead, "unknown");
}

#[test]
fn an_envelope_that_is_not_recorded_in_time_is_refused_as_expired() {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    let now = GENESIS_MS + 1_000;
    let events = [raw("a").event()];
    let kept = clerk.sign_until("north", &events, now + 5_000);
    let late = clerk.sign_until("south", &events, now + 4_999);
    for envelope in [&kept, &late] {
        node.app.submit(envelope.clone(), Origin::Peer);
    }
    let mut other = Node::new();
    other.clock.set(now + 5_000);
    let mut changes = node.app.changes();
    changes.borrow_and_update();
    let block = other.build(0);
    node.commit(&block);
    assert!(changes.has_changed().unwrap());
    assert_status(&node, &late, "refused EXPIRED");
    assert_status(&node, &kept, "pending");
}

#[test]
fn envelopes_are_tried_at_the_present_time_however_old_the_last_block_is() {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    let now = GENESIS_MS + 1_000;
    assert_eq!(code(&node.submit(&clerk.sign("north", raw("a")))), "pending");
    let over = clerk.sign_until("north", &[raw("b").event()], now + 5_000);
    let far = clerk.sign_until("north", &[raw("c").event()], now + 10_000 + DAY_MS);
    node.clock.advance(10_000);
    assert_eq!(code(&node.submit(&over)), "refused EXPIRED");
    assert_eq!(code(&node.submit(&far)), "pending");
    let farther = clerk.sign_until("north", &[raw("d").event()], now + 10_001 + DAY_MS);
    assert_eq!(code(&node.submit(&farther)), "refused NOT_AFTER_TOO_FAR");
}

#[test]
fn a_copy_with_too_few_signatures_does_not_bar_the_envelope() {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    node.submit(&clerk.sign("north", raw("a")));
    node.advance();
    let id = asset("a");
    let offer = [processing_grant(id, "south", terms()).event()];
    let envelope = clerk.envelope("north", &offer, LATER_MS);
    let by = |names: &[&str]| {
        let keys: Vec<_> = names.iter().map(|n| key(n)).collect();
        let keys: Vec<_> = keys.iter().collect();
        envelope.clone().sign(&keys).unwrap().verify().unwrap()
    };
    let (stripped, full) = (by(&[&pipeline("north")]), by(&[&pipeline("north"), "north"]));
    assert_eq!(stripped.id(), full.id());
    assert_eq!(code(&node.submit(&stripped)), "refused KEY_OUT_OF_SCOPE");
    assert_eq!(code(&node.submit(&full)), "pending");
    // Nor can it push the good one out.
    assert_eq!(code(&node.submit(&stripped)), "pending");
    node.advance();
    assert_status(&node, &full, "recorded 2 0");
}

#[test]
fn what_failed_envelopes_of_one_member_cost_is_bounded_in_every_block() {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    node.submit(&clerk.sign("north", raw("taken")));
    node.advance();
    // Each executes a thousand events before it fails.
    for n in 0..40 {
        let mut events: Vec<_> =
            (0..1_000).map(|i| raw(&format!("bulk-{n}-{i}")).event()).collect();
        events.push(raw("taken").event());
        let envelope = clerk.sign_until("north", &events, LATER_MS);
        assert!(node.app.submit(envelope, Origin::Peer).1);
    }
    let small = clerk.sign("south", raw("small"));
    node.submit(&small);
    let block = node.build(0);
    let envelopes = Block::from_bytes(&block).unwrap().envelopes;
    assert_eq!(envelopes.len(), 1, "the other member's envelope is in the block");
    assert_eq!(envelopes[0].envelope.header.author.as_str(), "south");
    // 20 021 each, until 100 000 are spent, or the tenth of a second that a proposer takes.
    let failed = 41 - node.app.mempool().len();
    assert!((1..=5).contains(&failed), "{failed} envelopes were tried");
    node.commit(&block);
    // Still, every block gets rid of some.
    while !node.app.mempool().is_empty() {
        let before = node.app.mempool().len();
        node.advance();
        assert!(node.app.mempool().len() < before);
    }
}

#[test]
fn an_envelope_that_waits_for_a_grant_is_woken_by_that_grant_alone() {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    node.submit(&clerk.sign("north", raw("a")));
    node.advance();
    let id = asset("a");
    let offers: Vec<_> =
        (0..2).map(|_| clerk.sign("north", processing_grant(id, "south", terms()))).collect();
    let accepts: Vec<_> = offers
        .iter()
        .map(|o| {
            clerk.sign("south", accept_grant(GrantId::from_digest(*event_id(&o.id(), 0).digest())))
        })
        .collect();
    for accept in &accepts {
        assert_eq!(code(&node.submit(accept)), "waiting UNKNOWN_GRANT");
    }
    node.submit(&offers[1]);
    node.advance();
    assert_status(&node, &accepts[0], "waiting UNKNOWN_GRANT");
    assert_status(&node, &accepts[1], "pending");
}
