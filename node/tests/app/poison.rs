//! Envelopes whose execution panics or faults on a node: put aside while undecided, the end of the
//! node once decided.

use headwater_ledger::block::Block;
use headwater_ledger::envelope::VerifiedEnvelope;
use headwater_ledger::event::Event;
use headwater_ledger::execute::Execution;
use headwater_ledger::reject::{Fault, Refusal};
use headwater_node::app::{Origin, Status};
use headwater_node::application::{Application, Freshness, Verdict};
use headwater_node::chain;

use crate::nodes::{Clerk, Node, Settings, certificate};
use crate::support::raw;

/// Executes by the rules, but for assets with two names.
fn apply(execution: &mut Execution, envelope: &VerifiedEnvelope) -> Result<(), Refusal> {
    let registers = |name: &str| {
        let named = |e: &Event| matches!(e, Event::RegisterAsset(e) if e.name.as_str() == name);
        envelope.events().iter().any(named)
    };
    assert!(!registers("poison"), "a bug that only this asset meets");
    if registers("fault") {
        return Err(Fault("a record that cannot be".into()).into());
    }
    chain::apply(execution, envelope)
}

fn fragile() -> Node {
    Node::with(Settings { apply, ..Settings::default() })
}

fn is_quarantined(status: &Status) -> bool {
    matches!(status, Status::Refused(why) if why.code() == "QUARANTINED")
}

#[test]
fn a_client_is_told_at_once_and_nothing_stays() {
    for name in ["poison", "fault"] {
        let mut node = fragile();
        let envelope = Clerk::default().sign("north", raw(name));
        let (status, is_new) = node.app.submit(envelope.clone(), Origin::Client);
        assert!(is_quarantined(&status) && !is_new, "{status:?}");
        assert!(is_quarantined(&node.app.status(&envelope.id())));
        assert!(is_quarantined(&node.app.submit(envelope, Origin::Peer).0));
        assert!(node.app.mempool().is_empty() && !node.app.has_work());
        assert_eq!(node.app.metrics().quarantined.get(), 1);
    }
}

#[test]
fn while_building_it_is_put_aside_and_the_block_is_made_of_the_others() {
    for name in ["poison", "fault"] {
        let (mut node, mut clerk) = (fragile(), Clerk::default());
        let [before, bad, after, other] = [
            clerk.sign("north", raw("before")),
            clerk.sign("north", raw(name)),
            clerk.sign("north", raw("after")),
            clerk.sign("south", raw("other")),
        ];
        for envelope in [&before, &bad, &after, &other] {
            // From a peer they are not tried.
            let (status, is_new) = node.app.submit(envelope.clone(), Origin::Peer);
            assert!(matches!(status, Status::Pending) && is_new);
        }
        let mut changes = node.app.changes();
        changes.borrow_and_update();
        let block = node.build(0);
        assert!(changes.has_changed().unwrap(), "nobody who waits is told");
        assert_eq!(Block::from_bytes(&block).unwrap().envelopes.len(), 3);
        assert!(is_quarantined(&node.app.status(&bad.id())));
        node.commit(&block);
        assert!(!node.app.has_work(), "a poison keeps the network busy");
        for envelope in [before, after, other] {
            let status = node.app.status(&envelope.id());
            assert!(matches!(status, Status::Recorded { height: 1, .. }), "{status:?}");
        }
        node.advance();
        assert_eq!(node.tip(), 2);
    }
}

#[test]
fn a_proposal_that_holds_one_is_voted_down_and_the_next_goes_on() {
    for name in ["poison", "fault"] {
        let (mut node, mut healthy, mut clerk) = (fragile(), Node::new(), Clerk::default());
        let (bad, good) = (clerk.sign("north", raw(name)), clerk.sign("south", raw("good")));
        node.app.submit(bad.clone(), Origin::Peer);
        healthy.submit(&bad);
        let block = healthy.build(1);
        let Verdict::Invalid(reason) = node.app.check_block(&block, Freshness::Fresh) else {
            panic!("a block with a poison passed");
        };
        assert!(reason.contains(&bad.id().to_string()), "{reason}");
        assert!(is_quarantined(&node.app.status(&bad.id())));
        assert!(node.app.mempool().is_empty());
        // Asked again, it says the same.
        assert_eq!(node.app.check_block(&block, Freshness::Fresh), Verdict::Invalid(reason));

        node.submit(&good);
        let block = node.build(0);
        assert_eq!(Block::from_bytes(&block).unwrap().envelopes.len(), 1);
        node.commit(&block);
        assert_eq!(node.tip(), 1);
    }
}

#[test]
fn once_decided_it_is_a_fault_and_the_log_stays_as_it_was() {
    for name in ["poison", "fault"] {
        let (mut node, mut healthy) = (fragile(), Node::new());
        healthy.submit(&Clerk::default().sign("north", raw(name)));
        let block = healthy.build(1);
        let fault = node.app.commit(block.clone(), certificate(&block, &[0, 1, 2])).unwrap_err();
        let text = fault.to_string();
        assert!(text.contains("decided block 1 is not valid here"), "{text}");
        assert!(text.contains("headwater-node check"), "no word on what to do: {text}");
        assert_eq!((node.tip(), node.app.chain().log().tip()), (0, 0));
        assert_eq!(node.app.metrics().faults.get(), 1);
    }
}
