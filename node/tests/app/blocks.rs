//! Blocks that lie are refused, whatever was executed before.

use bytes::Bytes;
use headwater_ledger::block::{Block, Header};
use headwater_ledger::envelope::{SignedEnvelope, VerifiedEnvelope};
use headwater_ledger::execute::{BlockContext, Execution};
use headwater_ledger::hash::{BlockId, ChainId};
use headwater_ledger::keys::Signature;
use headwater_ledger::limits::MAX_BLOCK_BYTES;
use headwater_node::application::{Application, Freshness, Verdict};

use crate::nodes::{Clerk, Node, address, certificate, certificate_of, chain_id};
use crate::support::{Act, GENESIS_MS, HOUR_MS, digest, list, raw};

/// A node at height 2 and a valid block of two envelopes for height 3.
fn ready() -> (Node, Block) {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    node.submit(&clerk.sign("north", raw("a")));
    node.advance();
    node.advance();
    node.submit(&clerk.sign("north", raw("b")));
    node.submit(&clerk.sign("east", raw("c")));
    let block = Block::from_bytes(&node.build(1)).unwrap();
    assert_eq!(block.envelopes.len(), 2);
    (node, block)
}

fn bytes(block: &Block) -> Bytes {
    block.to_bytes().unwrap().into()
}

/// The same node with nothing in its caches.
fn without_caches(node: &Node) -> Node {
    let mut fresh = Node::new();
    fresh.sync_from(node);
    fresh
}

/// Why the block is not valid, the same for a node that has built the true one and one that sees
/// it first.
fn refused(node: &mut Node, block: &[u8]) -> String {
    let mut fresh = without_caches(node);
    let [reason, other] = [node, &mut fresh].map(|node| {
        let (height, root) = (node.tip(), node.root());
        let Verdict::Invalid(reason) = node.app.check_block(block, Freshness::Replayed) else {
            panic!("the block passed");
        };
        assert_eq!((node.tip(), node.root()), (height, root));
        reason
    });
    assert_eq!(reason, other);
    reason
}

fn assert_refused(node: &mut Node, block: &[u8], expected: &str) {
    let reason = refused(node, block);
    assert!(reason.contains(expected), "`{reason}` does not say `{expected}`");
}

#[test]
fn every_field_of_a_header_is_checked() {
    let (mut node, block) = ready();
    let parent_ms = node.app.tip_time_ms();
    let other = || digest("other");
    type Change = Box<dyn Fn(&mut Header)>;
    let changes: Vec<(&str, Change)> = vec![
        ("it is of protocol version 3, this program knows", Box::new(|h| h.protocol += 1)),
        ("does not match its execution", Box::new(|h| h.protocol -= 1)),
        ("does not match its execution", Box::new(|h| h.rulebook += 1)),
        (
            "does not match its execution",
            Box::new(move |h| h.chain_id = ChainId::from_digest(other())),
        ),
        ("height 4, expected 3", Box::new(|h| h.height += 1)),
        ("height 2, expected 3", Box::new(|h| h.height -= 1)),
        ("is not after", Box::new(move |h| h.time_ms = parent_ms)),
        ("is not after", Box::new(move |h| h.time_ms = parent_ms - 1)),
        (
            "does not match its execution",
            Box::new(move |h| h.parent = BlockId::from_digest(other())),
        ),
        ("does not match its execution", Box::new(move |h| h.envelope_root = other())),
        ("does not match its execution", Box::new(|h| h.envelopes += 1)),
        ("does not match its execution", Box::new(|h| h.events -= 1)),
        ("does not match its execution", Box::new(move |h| h.state_root = other())),
        ("does not match its execution", Box::new(move |h| h.validators = other())),
        ("does not match its execution", Box::new(move |h| h.next_validators = other())),
        ("is not a validator", Box::new(|h| h.proposer = address(99))),
    ];
    for (expected, change) in changes {
        let mut lie = block.clone();
        change(&mut lie.header);
        assert_ne!(lie, block);
        assert_refused(&mut node, &bytes(&lie), expected);
    }
    assert_eq!(node.app.check_block(&bytes(&block), Freshness::Fresh), Verdict::Valid);
    assert_eq!(
        without_caches(&node).app.check_block(&bytes(&block), Freshness::Fresh),
        Verdict::Valid
    );
}

#[test]
fn a_known_header_does_not_vouch_for_another_body() {
    let (mut node, block) = ready();
    // The true block has been executed, so that its header is known.
    assert_eq!(node.app.check_block(&bytes(&block), Freshness::Fresh), Verdict::Valid);
    let bodies: Vec<Vec<SignedEnvelope>> = vec![
        vec![],
        vec![block.envelopes[0].clone()],
        block.envelopes.iter().rev().cloned().collect(),
    ];
    for envelopes in bodies {
        let lie = Block { header: block.header.clone(), envelopes };
        assert_refused(&mut node, &bytes(&lie), "does not match its execution");
    }
    let twice = block.envelopes.iter().chain(&block.envelopes[..1]).cloned().collect();
    let lie = Block { header: block.header.clone(), envelopes: twice };
    assert_refused(&mut node, &bytes(&lie), "is recorded already");
}

/// A block whose header fits its envelopes, made by a proposer who checks nothing.
fn unchecked(
    node: &Node,
    envelopes: Vec<SignedEnvelope>,
    applies: impl Fn(&mut Execution, &VerifiedEnvelope),
) -> Bytes {
    let tip = node.app.chain().tip();
    let context =
        BlockContext { chain_id: chain_id(), height: tip.height + 1, time_ms: tip.time_ms + 1 };
    let mut execution = Execution::begin(&tip.state, context).unwrap();
    for signed in &envelopes {
        applies(&mut execution, &signed.clone().verify_unless(|_| true).unwrap());
    }
    let header = execution.finish().unwrap().header(&context, tip.block_id, address(0));
    bytes(&Block { header, envelopes })
}

#[test]
fn signatures_are_checked_unless_these_very_bytes_were_found_good() {
    let mut node = Node::new();
    let good = Clerk::default().sign("north", raw("a"));
    // The node has seen and cached the good one.
    node.app.verdicts().verify(good.bytes()).unwrap();
    let mut forged = good.signed().clone();
    let mut signatures = forged.signatures.to_vec();
    let Signature::Ed25519(bytes) = &mut signatures[0].signature;
    bytes[40] ^= 1;
    forged.signatures = list(&signatures);
    let applies = |execution: &mut Execution, envelope: &VerifiedEnvelope| {
        execution.apply(envelope).unwrap();
    };
    let block = unchecked(&node, vec![forged], applies);
    assert_refused(&mut node, &block, "is not valid");
    let block = unchecked(&node, vec![good.signed().clone()], applies);
    assert_eq!(node.app.check_block(&block, Freshness::Fresh), Verdict::Valid);
}

#[test]
fn a_block_with_an_envelope_that_breaks_a_rule_is_refused() {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    node.submit(&clerk.sign("north", raw("a")));
    node.advance();
    let known = clerk.sign("north", raw("b"));
    node.submit(&known);
    node.advance();
    let event = raw("c").event();
    let late = clerk.sign_until("north", std::slice::from_ref(&event), GENESIS_MS);
    let early = clerk.sign_until("north", &[event], GENESIS_MS + 100 * HOUR_MS);
    for (envelope, expected) in [
        (clerk.sign("north", raw("a")), "is registered already"),
        (clerk.sign("stranger", raw("c")), "is not a member"),
        (known, "is recorded already"),
        (late, "is before the block's time"),
        (early, "is more than 24 hours after"),
    ] {
        let block = unchecked(&node, vec![envelope.signed().clone()], |_, _| {});
        assert_refused(&mut node, &block, expected);
    }
}

#[test]
fn bytes_that_are_not_a_canonical_block_are_refused() {
    let (mut node, block) = ready();
    let whole = bytes(&block);
    assert_refused(&mut node, b"", "no header");
    assert_refused(&mut node, &whole[..100], "no header");
    assert_refused(&mut node, &whole[..whole.len() - 1], "not a canonical encoding");
    assert_refused(&mut node, &[&whole[..], &[0]].concat(), "left over");
    let oversize = [&whole[..], &vec![0; MAX_BLOCK_BYTES]].concat();
    assert_refused(&mut node, &oversize, "at most 8388608 are allowed");
    // Every single flipped bit is noticed.
    for at in (0..whole.len()).step_by(7) {
        let mut flipped = whole.to_vec();
        flipped[at] ^= 1 << (at % 8);
        let verdict = node.app.check_block(&flipped, Freshness::Replayed);
        assert!(matches!(verdict, Verdict::Invalid(_)), "byte {at}");
    }
}

#[test]
fn a_block_on_another_tip_is_refused_also_when_it_was_valid_before() {
    let (mut node, block) = ready();
    let old = bytes(&block);
    assert_eq!(node.app.check_block(&old, Freshness::Fresh), Verdict::Valid);
    node.clock.advance(1_000);
    let other = node.build(2);
    assert_ne!(other, old);
    node.commit(&other);
    assert_refused(&mut node, &old, "height 3, expected 4");
}

#[test]
fn a_certificate_of_another_block_is_a_fault_and_changes_nothing() {
    let (mut node, block) = ready();
    let block = bytes(&block);
    let id = Header::of_block(&block).unwrap().id().unwrap();
    let other = BlockId::from_digest(digest("other"));
    for wrong in [certificate_of(3, other, &[0, 1, 2]), certificate_of(4, id, &[0, 1, 2])] {
        let fault = node.app.commit(block.clone(), wrong).unwrap_err();
        assert!(fault.to_string().contains("the certificate given for block"), "{fault}");
        assert_eq!((node.tip(), node.app.chain().log().tip()), (2, 2));
    }
    node.app.commit(block.clone(), certificate(&block, &[1, 2, 3])).unwrap();
    assert_eq!(node.tip(), 3);
}
