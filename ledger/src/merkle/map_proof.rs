//! Proofs about the state map: that a key is present with a value, or that it is absent; for one
//! key, and for many that share nodes.
//!
//! Why they are sound is argued in [`super::map`]: a root and a key determine one path, and the
//! verifier takes every side from the asked key. Implements [LED-MAP-5] to [LED-MAP-7].

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::hex32;
use super::map::{
    EMPTY_ROOT, Leaf, StateMap, Subtree, Top, bit_of, branch_hash, leaf_hash, value_hash,
};
use crate::codec::List;
use crate::hash::Digest;

/// Most nodes of one [`MapMultiProof`].
pub const MAX_MULTIPROOF_NODES: usize = 65_536;

/// One branch on a key's path: the bit it divides at and the hash of the child not taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapStep {
    /// The bit of the key that chooses the side.
    pub bit: u8,
    /// Hash of the other side.
    #[serde(with = "hex32")]
    pub sibling: [u8; 32],
}

/// The leaf of a key that was not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherLeaf {
    /// The key it holds.
    #[serde(with = "hex32")]
    pub key: [u8; 32],
    /// The hash of the value it holds.
    #[serde(with = "hex32")]
    pub value_hash: [u8; 32],
}

impl OtherLeaf {
    fn of(leaf: &Leaf) -> Self {
        OtherLeaf { key: leaf.key, value_hash: leaf.value_hash() }
    }

    fn hash(&self) -> [u8; 32] {
        leaf_hash(&self.key, &self.value_hash)
    }
}

/// Shows what a map holds under one key. Implements [LED-MAP-5].
///
/// Canonical bytes: the number of steps as u64 and the steps (bit as one byte, 32 bytes), then 0,
/// or 1 and the other leaf (key, value hash).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapProof {
    /// The branches on the key's path, from the top down; bits strictly grow.
    pub steps: List<MapStep, 256>,
    /// When the key is absent, the leaf at the end of its path; none when the map is empty. When
    /// the key is present, none: the verifier makes its leaf from the key and the value.
    pub other: Option<OtherLeaf>,
}

impl MapProof {
    /// Whether the map with this root holds exactly `value` under `key`; `None`: holds nothing.
    pub fn verify(&self, root: &Digest, key: &[u8; 32], value: Option<&[u8]>) -> bool {
        let leaf = match (value, &self.other) {
            (Some(value), None) => leaf_hash(key, &value_hash(value)),
            (None, Some(other)) if other.key != *key => other.hash(),
            (None, None) => return self.steps.is_empty() && *root == EMPTY_ROOT,
            (Some(_), Some(_)) | (None, Some(_)) => return false,
        };
        if !self.steps.is_sorted_by(|above, below| above.bit < below.bit) {
            return false;
        }
        let top = self.steps.iter().rev().fold(leaf, |hash, MapStep { bit, sibling }| {
            if bit_of(key, *bit) {
                branch_hash(*bit, sibling, &hash)
            } else {
                branch_hash(*bit, &hash, sibling)
            }
        });
        Digest::Blake3(top) == *root
    }
}

/// One node of a [`MapMultiProof`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MultiNode {
    /// A branch that an asked key passes, dividing at this bit; its left side follows, then its
    /// right.
    Branch(u8),
    /// The hash of a side that no asked key takes.
    Skipped(#[serde(with = "hex32")] [u8; 32]),
    /// The leaf of an asked key that is present.
    Present,
    /// The leaf of another key, where only absent keys end.
    Other(OtherLeaf),
}

/// Shows what a map holds under each of many keys; nodes they share appear once.
/// Implements [LED-MAP-6].
///
/// The nodes are those of the trie from the top, each branch before its left side and that before
/// its right, cut off where no asked key goes. No nodes stand for the empty map. Canonical bytes:
/// the number of nodes as u64, then for each a u32, 0 to 3 in the order of [`MultiNode`], and its
/// fields.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MapMultiProof {
    nodes: List<MultiNode, MAX_MULTIPROOF_NODES>,
}

/// A key and what is claimed of it: its value, or that it is absent.
type Claim<'a> = ([u8; 32], Option<&'a [u8]>);

impl MapMultiProof {
    /// The nodes, in the order of the proof.
    pub fn nodes(&self) -> &[MultiNode] {
        &self.nodes
    }

    /// Whether the map with this root holds exactly what is claimed of every key: the value, or
    /// `None`: nothing. The claims are for the keys the proof was made for, in any order; a key
    /// claimed twice is refused.
    pub fn verify(&self, root: &Digest, claims: &[([u8; 32], Option<&[u8]>)]) -> bool {
        let mut claims: Vec<&Claim<'_>> = claims.iter().collect();
        claims.sort_by_key(|claim| claim.0);
        if !claims.is_sorted_by(|a, b| a.0 < b.0) {
            return false;
        }
        let mut nodes = self.nodes.iter();
        if nodes.len() == 0 {
            return *root == EMPTY_ROOT && claims.iter().all(|claim| claim.1.is_none());
        }
        let top = fold(&mut nodes, None, &claims);
        nodes.next().is_none() && top.is_some_and(|top| Digest::Blake3(top) == *root)
    }
}

/// The hash of the next subtree, into which `claims` lead; `None` when they are not shown by it.
/// Recursion is at most 256 deep, since bits strictly grow.
fn fold(
    nodes: &mut std::slice::Iter<'_, MultiNode>,
    above: Option<u8>,
    claims: &[&Claim<'_>],
) -> Option<[u8; 32]> {
    match nodes.next()? {
        MultiNode::Skipped(hash) => claims.is_empty().then_some(*hash),
        MultiNode::Branch(bit) => {
            if claims.is_empty() || above.is_some_and(|above| above >= *bit) {
                return None;
            }
            let (right, left): (Vec<_>, Vec<_>) =
                claims.iter().partition(|claim| bit_of(&claim.0, *bit));
            let left = fold(nodes, Some(*bit), &left)?;
            let right = fold(nodes, Some(*bit), &right)?;
            Some(branch_hash(*bit, &left, &right))
        }
        MultiNode::Present => {
            let mut present = claims.iter().filter_map(|claim| Some((&claim.0, claim.1?)));
            let (key, value) = present.next()?;
            // A leaf holds one key: the others that end here must be claimed absent.
            present.next().is_none().then(|| leaf_hash(key, &value_hash(value)))
        }
        MultiNode::Other(other) => {
            let absent = |claim: &&Claim<'_>| claim.1.is_none() && claim.0 != other.key;
            (!claims.is_empty() && claims.iter().all(absent)).then(|| other.hash())
        }
    }
}

impl StateMap {
    /// The proof of what this map holds under `key`.
    pub fn prove(&self, key: &[u8; 32]) -> MapProof {
        let mut steps = Vec::new();
        let mut next = self.top.as_ref().map(Subtree::Link);
        let mut other = None;
        while let Some(top) = next.and_then(Subtree::top) {
            next = match top {
                Top::Leaf(leaf) => {
                    other = (leaf.key != *key).then(|| OtherLeaf::of(leaf));
                    None
                }
                Top::Branch(bit, left, right) => {
                    let (child, sibling) =
                        if bit_of(key, bit) { (right, left) } else { (left, right) };
                    steps.push(MapStep { bit, sibling: sibling.hash() });
                    Some(child)
                }
            };
        }
        // Never cut: the bits on a path strictly grow, so there are at most 256.
        MapProof { steps: List::new(steps).unwrap_or_default(), other }
    }

    /// The proof of what this map holds under each of `keys`; order and repetitions do not matter.
    /// `None` when it would take more than [`MAX_MULTIPROOF_NODES`] nodes: ask in pieces.
    pub fn prove_many(&self, keys: &[[u8; 32]]) -> Option<MapMultiProof> {
        let mut nodes = Vec::new();
        if let Some(top) = &self.top {
            unfold(Subtree::Link(top), &keys.iter().collect::<Vec<_>>(), &mut nodes)?;
        }
        Some(MapMultiProof { nodes: List::new(nodes).ok()? })
    }
}

/// Appends the proof of the subtree into which `keys` lead; `None` once there are too many nodes.
fn unfold(part: Subtree<'_>, keys: &[&[u8; 32]], nodes: &mut Vec<MultiNode>) -> Option<()> {
    if nodes.len() >= MAX_MULTIPROOF_NODES {
        return None;
    }
    if keys.is_empty() {
        nodes.push(MultiNode::Skipped(part.hash()));
        return Some(());
    }
    match part.top()? {
        Top::Leaf(leaf) => {
            let present = keys.iter().any(|key| **key == leaf.key);
            nodes.push(match present {
                true => MultiNode::Present,
                false => MultiNode::Other(OtherLeaf::of(leaf)),
            });
        }
        Top::Branch(bit, left, right) => {
            nodes.push(MultiNode::Branch(bit));
            let (to_right, to_left): (Vec<_>, Vec<_>) =
                keys.iter().partition(|key| bit_of(key, bit));
            unfold(left, &to_left, nodes)?;
            unfold(right, &to_right, nodes)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::super::map::tests::{crowded_key, map_of};
    use super::*;
    use crate::codec::{decode, encode};

    type Entries = BTreeMap<[u8; 32], Vec<u8>>;

    fn entries() -> impl Strategy<Value = Entries> {
        let value = prop::collection::vec(any::<u8>(), 0..70);
        prop::collection::btree_map(crowded_key(), value, 0..60)
    }

    /// The root that follows from steps, leaf and key as the definition says.
    fn climb(steps: &[(u8, [u8; 32])], key: &[u8; 32], mut hash: [u8; 32]) -> Digest {
        for (bit, sibling) in steps.iter().rev() {
            let one = key[*bit as usize / 8] >> (7 - bit % 8) & 1 == 1;
            let (left, right) = if one { (*sibling, hash) } else { (hash, *sibling) };
            let both = [&[*bit][..], &left, &right].concat();
            hash = blake3::derive_key("headwater 2026-11 state node", &both);
        }
        Digest::Blake3(hash)
    }

    fn leaf(key: &[u8; 32], value: &[u8]) -> [u8; 32] {
        leaf_hash(key, &value_hash(value))
    }

    fn proof(steps: &[(u8, [u8; 32])], other: Option<OtherLeaf>) -> MapProof {
        let steps = steps.iter().map(|(bit, sibling)| MapStep { bit: *bit, sibling: *sibling });
        MapProof { steps: List::new(steps.collect()).unwrap(), other }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_key_is_proven_as_the_map_holds_it_and_in_no_other_way(
            entries in entries(), asked in prop::collection::vec(crowded_key(), 1..10),
        ) {
            let map = map_of(&entries);
            let root = map.root();
            for key in asked.iter().chain(entries.keys()) {
                let value = entries.get(key).map(Vec::as_slice);
                let proof = map.prove(key);
                prop_assert!(proof.verify(&root, key, value));
                let other: &[u8] = if value == Some(b"other") { b"more" } else { b"other" };
                prop_assert!(!proof.verify(&root, key, Some(other)));
                if value.is_some() {
                    prop_assert!(!proof.verify(&root, key, None));
                }
                let bytes = encode(&proof).unwrap();
                prop_assert_eq!(&decode::<MapProof>(&bytes, 1 << 20).unwrap(), &proof);
                let json = serde_json::to_string(&proof).unwrap();
                prop_assert_eq!(&serde_json::from_str::<MapProof>(&json).unwrap(), &proof);
            }
        }

        #[test]
        fn a_proof_shows_nothing_about_a_present_key_but_its_own_value(
            entries in entries(), asked in crowded_key(),
        ) {
            let map = map_of(&entries);
            let root = map.root();
            let proof = map.prove(&asked);
            for (key, value) in entries.iter().filter(|(key, _)| **key != asked) {
                prop_assert!(!proof.verify(&root, key, None), "present key shown absent");
                // The other leaf and the asked key may trade places only by dropping `other`.
                prop_assert!(!proof.verify(&root, key, Some(value)));
                let confused = MapProof { other: None, ..proof.clone() };
                prop_assert!(!confused.verify(&root, &asked, None));
                let own = entries.get(&asked) == Some(value);
                prop_assert_eq!(confused.verify(&root, &asked, Some(value)), own);
            }
        }

        #[test]
        fn any_flipped_bit_of_a_proof_is_refused(
            entries in entries(), asked in crowded_key(), at in any::<Index>(),
            present in any::<bool>(), byte in any::<Index>(), bit in 0u8..8,
        ) {
            let map = map_of(&entries);
            let key = match present && !entries.is_empty() {
                true => *at.get(&entries.keys().copied().collect::<Vec<_>>()),
                false => asked,
            };
            let value = entries.get(&key).map(Vec::as_slice);
            let mut bytes = encode(&map.prove(&key)).unwrap();
            let byte = byte.index(bytes.len());
            bytes[byte] ^= 1 << bit;
            if let Ok(tampered) = decode::<MapProof>(&bytes, 1 << 20) {
                prop_assert!(!tampered.verify(&map.root(), &key, value));
            }
        }

        #[test]
        fn a_dropped_doubled_or_moved_step_is_refused(
            entries in entries(), key in crowded_key(), at in any::<Index>(), to in any::<Index>(),
        ) {
            let map = map_of(&entries);
            let (root, proof) = (map.root(), map.prove(&key));
            let value = entries.get(&key).map(Vec::as_slice);
            prop_assume!(proof.steps.len() > 1);
            let (at, to) = (at.index(proof.steps.len()), to.index(proof.steps.len()));
            let steps = proof.steps.clone().into_inner();
            let mut dropped = steps.clone();
            dropped.remove(at);
            let mut doubled = steps.clone();
            doubled.insert(at, steps[at].clone());
            let mut moved = steps.clone();
            moved.swap(at, to);
            for (changed, same) in [(dropped, false), (doubled, false), (moved, at == to)] {
                let changed = MapProof { steps: List::new(changed).unwrap(), ..proof.clone() };
                prop_assert_eq!(changed.verify(&root, &key, value), same);
            }
        }

        #[test]
        fn many_keys_are_proven_at_once(
            entries in entries(), asked in prop::collection::vec(crowded_key(), 0..20),
            present in prop::collection::vec(any::<Index>(), 0..20),
        ) {
            let map = map_of(&entries);
            let held: Vec<_> = entries.keys().copied().collect();
            let mut keys = asked;
            keys.extend(present.iter().filter(|_| !held.is_empty()).map(|at| *at.get(&held)));
            let proof = map.prove_many(&keys).unwrap();
            keys.sort();
            keys.dedup();
            let claims: Vec<Claim<'_>> =
                keys.iter().rev().map(|key| (*key, entries.get(key).map(Vec::as_slice))).collect();
            prop_assert!(proof.verify(&map.root(), &claims));
            let json = serde_json::to_string(&proof).unwrap();
            prop_assert_eq!(&serde_json::from_str::<MapMultiProof>(&json).unwrap(), &proof);
            let bytes = encode(&proof).unwrap();
            prop_assert_eq!(&decode::<MapMultiProof>(&bytes, 1 << 20).unwrap(), &proof);
            for at in 0..claims.len() {
                let mut wrong = claims.clone();
                wrong[at].1 = match wrong[at].1 { Some(_) => None, None => Some(b"") };
                prop_assert!(!proof.verify(&map.root(), &wrong), "presence and absence confused");
                wrong[at].1 = Some(b"a value of some other length");
                prop_assert!(!proof.verify(&map.root(), &wrong), "wrong value");
                let twice = [&claims[..], &claims[at..=at]].concat();
                prop_assert!(!proof.verify(&map.root(), &twice), "claimed twice");
            }
        }

        #[test]
        fn any_flipped_bit_of_a_multiproof_is_refused(
            entries in entries(), keys in prop::collection::btree_set(crowded_key(), 0..10),
            byte in any::<Index>(), bit in 0u8..8,
        ) {
            let map = map_of(&entries);
            let keys: Vec<_> = keys.into_iter().chain(entries.keys().copied().take(3)).collect();
            let claims: BTreeMap<_, _> =
                keys.iter().map(|key| (*key, entries.get(key).map(Vec::as_slice))).collect();
            let claims: Vec<Claim<'_>> = claims.into_iter().collect();
            let mut bytes = encode(&map.prove_many(&keys).unwrap()).unwrap();
            let byte = byte.index(bytes.len());
            bytes[byte] ^= 1 << bit;
            if let Ok(tampered) = decode::<MapMultiProof>(&bytes, 1 << 20) {
                prop_assert!(!tampered.verify(&map.root(), &claims));
            }
        }
    }

    #[test]
    fn the_longest_path_has_256_steps_and_is_proven() {
        // Every key differs from zero in exactly one bit: a branch at each bit of the zero key.
        let mut entries = Entries::from([([0; 32], b"zero".to_vec())]);
        for bit in 0..256 {
            let mut key = [0; 32];
            key[bit / 8] = 0x80 >> (bit % 8);
            entries.insert(key, vec![bit as u8]);
        }
        let map = map_of(&entries);
        let present = map.prove(&[0; 32]);
        assert_eq!(present.steps.len(), 256);
        assert!(present.verify(&map.root(), &[0; 32], Some(b"zero")));
        let mut gone = map.clone();
        assert!(gone.remove(&[0; 32]));
        let absent = gone.prove(&[0; 32]);
        assert_eq!(absent.steps.len(), 255);
        assert!(absent.verify(&gone.root(), &[0; 32], None));
        assert!(!absent.verify(&map.root(), &[0; 32], None));
        let keys: Vec<_> = entries.keys().copied().collect();
        let claims: Vec<Claim<'_>> = entries.iter().map(|(k, v)| (*k, Some(&v[..]))).collect();
        assert!(map.prove_many(&keys).unwrap().verify(&map.root(), &claims));
    }

    #[test]
    fn the_empty_map_shows_every_key_absent_and_no_other_map_does() {
        let (empty, one) = (StateMap::new(), map_of(&Entries::from([([1; 32], vec![1])])));
        let proof = empty.prove(&[9; 32]);
        assert!(proof.verify(&EMPTY_ROOT, &[9; 32], None));
        assert!(!proof.verify(&EMPTY_ROOT, &[9; 32], Some(b"")));
        assert!(!proof.verify(&one.root(), &[9; 32], None));
        let step = self::proof(&[(0, [0; 32])], None);
        assert!(!step.verify(&EMPTY_ROOT, &[9; 32], None));
        let many = empty.prove_many(&[[9; 32]]).unwrap();
        assert!(many.verify(&EMPTY_ROOT, &[([9; 32], None)]));
        assert!(!many.verify(&EMPTY_ROOT, &[([9; 32], Some(b""))]));
        assert!(!many.verify(&one.root(), &[([9; 32], None)]));
    }

    #[test]
    fn no_value_hashes_as_a_leaf_does() {
        let (key, vh) = ([3; 32], value_hash(b"v"));
        let inside = [key, vh].concat();
        for value in [&inside, &[&[1][..], &inside].concat(), &[&[0][..], &inside].concat()] {
            assert_ne!(value_hash(value), leaf_hash(&key, &vh));
        }
    }

    #[test]
    fn the_verifier_refuses_branches_that_do_not_strictly_go_down_the_key() {
        let (key, value) = ([0; 32], &b"v"[..]);
        let top = leaf(&key, value);
        for bits in [&[3, 3][..], &[4, 2], &[1, 9, 9], &[255, 0]] {
            let steps: Vec<_> = bits.iter().map(|bit| (*bit, [7; 32])).collect();
            let root = climb(&steps, &key, top);
            assert!(!proof(&steps, None).verify(&root, &key, Some(value)), "{bits:?}");
        }
        let steps = [(2, [7; 32]), (4, [7; 32])];
        assert!(proof(&steps, None).verify(&climb(&steps, &key, top), &key, Some(value)));
    }

    #[test]
    fn no_root_whatever_it_is_shows_a_key_both_present_and_absent() {
        // An ill-made trie: the key sits on the side that its bit 0 does not choose.
        let (key, value, stranger) = ([0; 32], &b"v"[..], [0x40; 32]);
        let hash = leaf(&stranger, b"s");
        let root = Digest::Blake3(branch_hash(0, &hash, &leaf(&key, value)));
        let other = OtherLeaf { key: stranger, value_hash: value_hash(b"s") };
        let absent = proof(&[(0, leaf(&key, value))], Some(other));
        assert!(absent.verify(&root, &key, None));
        // The present leaf cannot be reached: for this key the verifier always goes left.
        for bit in 0..=255 {
            assert!(!proof(&[(bit, hash)], None).verify(&root, &key, Some(value)));
        }
    }

    #[test]
    fn a_multiproof_is_refused_when_it_hides_or_invents_a_side() {
        let entries =
            Entries::from([([0; 32], vec![1]), ([0x40; 32], vec![2]), ([0xff; 32], vec![3])]);
        let map = map_of(&entries);
        let root = map.root();
        let vh = |byte: u8| value_hash(&[byte]);
        let hash = |key: u8, value: u8| leaf(&[key; 32], &[value]);
        let low = branch_hash(1, &hash(0, 1), &hash(0x40, 2));
        let check = |nodes: Vec<MultiNode>, claims: &[Claim<'_>]| {
            MapMultiProof { nodes: List::new(nodes).unwrap() }.verify(&root, claims)
        };
        use MultiNode::{Branch, Other, Present, Skipped};
        let one: &[Claim<'_>] = &[([0xff; 32], Some(&[3]))];
        assert!(check(vec![Branch(0), Skipped(low), Present], one));
        // Unfolded further than asked.
        let more = vec![Branch(0), Branch(1), Skipped(hash(0, 1)), Skipped(hash(0x40, 2)), Present];
        assert!(!check(more, one));
        // Something after the end, or too little.
        assert!(!check(vec![Branch(0), Skipped(low), Present, Present], one));
        assert!(!check(vec![Branch(0), Skipped(low)], one));
        // A side that an asked key takes is skipped.
        let absent = ([0x20; 32], None);
        assert!(!check(vec![Branch(0), Skipped(low), Present], &[one[0], absent]));
        // A key is called absent by its own leaf.
        let own = OtherLeaf { key: [0xff; 32], value_hash: vh(3) };
        assert!(!check(vec![Branch(0), Skipped(low), Other(own.clone())], &[([0xff; 32], None)]));
        // Another leaf where no key was asked.
        let zero: &[Claim<'_>] = &[([0; 32], Some(&[1]))];
        let skipped = |node| vec![Branch(0), Branch(1), Present, node, Skipped(hash(0xff, 3))];
        let shown = OtherLeaf { key: [0x40; 32], value_hash: vh(2) };
        assert!(check(skipped(Skipped(hash(0x40, 2))), zero));
        assert!(!check(skipped(Other(shown)), zero));
        // One leaf for two present keys, and for a present and an absent one.
        let two: &[Claim<'_>] = &[([0xf0; 32], Some(&[3])), ([0xff; 32], Some(&[3]))];
        assert!(!check(vec![Branch(0), Skipped(low), Present], two));
        let mixed: &[Claim<'_>] = &[([0xf0; 32], None), ([0xff; 32], Some(&[3]))];
        assert!(check(vec![Branch(0), Skipped(low), Present], mixed));
        assert!(!check(vec![Branch(0), Skipped(low), Other(own)], mixed));
        // Nothing asked: only the whole may be skipped.
        let Digest::Blake3(top) = root;
        assert!(check(vec![Skipped(top)], &[]));
        assert!(!check(vec![Branch(0), Skipped(low), Skipped(hash(0xff, 3))], &[]));
    }

    #[test]
    fn a_multiproof_refuses_branches_whose_bits_do_not_grow() {
        let claims: &[Claim<'_>] = &[([0; 32], Some(b"v"))];
        let deep = branch_hash(5, &leaf(&[0; 32], b"v"), &[7; 32]);
        for (bit, grows) in [(4, true), (5, false), (6, false)] {
            let root = Digest::Blake3(branch_hash(bit, &deep, &[8; 32]));
            let nodes = vec![
                MultiNode::Branch(bit),
                MultiNode::Branch(5),
                MultiNode::Present,
                MultiNode::Skipped([7; 32]),
                MultiNode::Skipped([8; 32]),
            ];
            let proof = MapMultiProof { nodes: List::new(nodes).unwrap() };
            assert_eq!(proof.verify(&root, claims), grows, "{bit} above 5");
        }
    }

    #[test]
    fn a_multiproof_of_too_many_nodes_is_not_made() {
        let key = |i: u32| *blake3::hash(&i.to_le_bytes()).as_bytes();
        let map: StateMap = (0..40_000).map(|i| (key(i), vec![1].into())).collect();
        let keys: Vec<_> = (0..40_000).map(key).collect();
        assert_eq!(map.prove_many(&keys), None);
        assert!(map.prove_many(&keys[..2_000]).is_some());
    }

    #[test]
    fn json_forms_are_fixed() {
        let entries = Entries::from([([0; 32], vec![1]), ([0xff; 32], vec![2])]);
        let map = map_of(&entries);
        let (low, high) = (hex::encode([0; 32]), hex::encode(leaf(&[0xff; 32], &[2])));
        let vh = hex::encode(value_hash(&[1]));
        let other = format!(r#"{{"key":"{low}","value_hash":"{vh}"}}"#);
        let proof = map.prove(&[1; 32]);
        let json = format!(r#"{{"steps":[{{"bit":0,"sibling":"{high}"}}],"other":{other}}}"#);
        assert_eq!(serde_json::to_string(&proof).unwrap(), json);
        let many = map.prove_many(&[[1; 32]]).unwrap();
        let json = format!(r#"[{{"branch":0}},{{"other":{other}}},{{"skipped":"{high}"}}]"#);
        assert_eq!(serde_json::to_string(&many).unwrap(), json);
        let many = map.prove_many(&[[0; 32]]).unwrap();
        let json = format!(r#"[{{"branch":0}},"present",{{"skipped":"{high}"}}]"#);
        assert_eq!(serde_json::to_string(&many).unwrap(), json);
    }
}
