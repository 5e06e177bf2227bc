//! Streams come together in any order, within bounds, and never at another peer's expense.

use super::*;
use headwater_ledger::hash::{BlockId, Digest, ValidatorAddress};
use headwater_ledger::keys::Signature;
use proptest::prelude::*;

fn peer(seed: u8) -> PeerId {
    crate::engine::peer_id(&[seed; 32]).parse().unwrap()
}
fn id(seed: u8) -> StreamId {
    StreamId::new(vec![seed; 16].into())
}
fn init(height: u64, block_bytes: usize) -> PartInit {
    PartInit {
        height,
        round: 0,
        proposer: ValidatorAddress::from_digest(Digest::Blake3([1; 32])),
        block_id: BlockId::from_digest(Digest::Blake3([2; 32])),
        block_bytes: block_bytes as u64,
        signature: Signature::Ed25519([3; 64]),
    }
}
fn block(len: usize) -> Bytes {
    (0..len).map(|i| (i % 251) as u8).collect::<Vec<_>>().into()
}
fn add_all(streams: &mut Streams, from: u8, parts: Vec<StreamMessage<Part>>) -> Option<Assembled> {
    let mut out = None;
    for part in parts {
        assert!(out.is_none(), "complete before the last part");
        out = streams.add(peer(from), part, |_| true);
    }
    out
}

#[test]
fn blocks_of_every_size_come_back() {
    for len in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, MAX_BLOCK_BYTES] {
        let (init, block) = (init(1, len), block(len));
        let parts = cut(id(1), init.clone(), &block);
        assert!(parts.len() as u64 <= MAX_STREAM_PARTS);
        let mut streams = Streams::default();
        let back = add_all(&mut streams, 1, parts).unwrap();
        assert_eq!((back.init, back.block), (init, block));
        assert!(streams.open.is_empty());
    }
}

#[test]
fn a_stream_that_breaks_a_rule_yields_nothing_and_leaves_nothing() {
    let good = || cut(id(1), init(1, 2 * PIECE_BYTES), &block(2 * PIECE_BYTES));
    let piece = |n: u64, len| {
        let piece = Part::Piece(Payload(block(len)));
        StreamMessage::new(id(1), n, StreamContent::Data(piece))
    };
    let mut second_init = good();
    second_init[1] = StreamMessage::new(id(1), 1, StreamContent::Data(Part::Init(init(1, 9))));
    let mut repeated = good();
    repeated.insert(2, repeated[1].clone());
    let mut beyond = good();
    beyond[1] = piece(MAX_STREAM_PARTS, 5);
    let mut empty = good();
    empty[1] = piece(1, 0);
    let wrong_length = cut(id(1), init(1, 5), &block(6));
    let too_long = cut(id(1), init(1, MAX_BLOCK_BYTES + 1), &block(6));
    for (name, parts) in [
        ("second init", second_init),
        ("repeated piece", repeated),
        ("piece beyond the last", beyond),
        ("empty piece", empty),
        ("too long", too_long),
    ] {
        let mut streams = Streams::default();
        assert!(add_all(&mut streams, 1, parts).is_none(), "{name}");
        assert!(streams.open.is_empty(), "{name}");
    }
    let mut streams = Streams::default();
    assert!(add_all(&mut streams, 1, wrong_length).is_none());
    let mut streams = Streams::default();
    for part in good() {
        assert!(streams.add(peer(1), part, |_| false).is_none());
    }
    assert!(streams.open.is_empty());
}

#[test]
fn one_peer_cannot_push_out_another() {
    let mut streams = Streams::default();
    let mut honest = cut(id(1), init(1, 10), &block(10));
    let end = honest.pop().unwrap();
    assert!(add_all(&mut streams, 1, honest).is_none());
    for n in 0..100 {
        let parts = cut(id(n), init(1, 10), &block(10)).into_iter().take(2).collect();
        assert!(add_all(&mut streams, 2, parts).is_none());
        let held = Assembled { init: init(3, 10), block: block(10) };
        streams.hold(peer(2), held);
    }
    assert_eq!(streams.open.len(), 1 + MAX_OPEN_PER_PEER);
    assert_eq!(streams.held.len(), MAX_HELD_PER_PEER);
    assert!(streams.add(peer(1), end, |_| true).is_some());
}

#[test]
fn the_same_stream_id_of_two_peers_names_two_streams() {
    let mut streams = Streams::default();
    let mut a = cut(id(1), init(1, 10), &block(10)).into_iter();
    let b = cut(id(1), init(1, 20), &block(20));
    assert!(streams.add(peer(1), a.next().unwrap(), |_| true).is_none());
    assert_eq!(add_all(&mut streams, 2, b).unwrap().block.len(), 20);
    assert!(streams.add(peer(1), a.next().unwrap(), |_| true).is_none());
    assert_eq!(streams.add(peer(1), a.next().unwrap(), |_| true).unwrap().block.len(), 10);
}

#[test]
fn held_blocks_are_given_out_at_their_height_and_pruned_below_it() {
    let mut streams = Streams::default();
    for (from, height) in [(1, 5), (2, 6), (3, 5)] {
        let held = Assembled { init: init(height, 1), block: block(1) };
        streams.hold(peer(from), held);
    }
    assert!(streams.has_above(5) && !streams.has_above(6));
    assert_eq!(streams.take_held(5).len(), 2);
    assert_eq!(streams.take_held(5).len(), 0);
    streams.prune(6);
    assert!(!streams.has_above(0));
}

proptest! {
    #[test]
    fn order_of_arrival_does_not_matter(
        len in 0usize..(3 * PIECE_BYTES),
        order in Just((0..5usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let parts = cut(id(1), init(1, len), &block(len));
        let mut streams = Streams::default();
        let mut out = None;
        for i in order.into_iter().filter(|i| *i < parts.len()) {
            out = out.or(streams.add(peer(1), parts[i].clone(), |_| true));
        }
        prop_assert_eq!(out.unwrap().block, block(len));
        prop_assert!(streams.open.is_empty());
    }
}
