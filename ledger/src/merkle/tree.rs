//! The Merkle tree over a fixed list, in the shape of RFC 9162, and its inclusion proofs.
//!
//! For leaf data `d_0 … d_(n-1)`, with `‖` for concatenation and hashes as 32 raw bytes:
//!
//! - leaf: `H_i = TREE_LEAF(d_i)`;
//! - top of one leaf: `T(H_i) = H_i`;
//! - top of `n > 1` leaves: `TREE_NODE(T(first k) ‖ T(the rest))`, where `k` is the largest power
//!   of two smaller than `n`;
//! - top of no leaves: 32 zero bytes;
//! - root: `TREE_ROOT(n as u64, little endian ‖ top)`.
//!
//! The root commits to the number of leaves, so a proof cannot be replayed for another size.
//! Implements [LED-TREE-1] to [LED-TREE-4].

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::hex32_list;
use crate::codec::List;
use crate::hash::{Context, Digest};

/// The hash of one entry of a tree. Made from the entry's data only, so that an inner node can
/// never be passed off as an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf([u8; 32]);

impl Leaf {
    /// The leaf of an entry: `TREE_LEAF(data)`. Implements [LED-TREE-1].
    pub fn of(data: &[u8]) -> Self {
        Leaf(Context::TREE_LEAF.hash32(&[data]))
    }
}

/// The root of the tree over `leaves`, in order. Implements [LED-TREE-3].
pub fn root(leaves: &[Leaf]) -> Digest {
    let mut layer: Vec<[u8; 32]> = leaves.iter().map(|leaf| leaf.0).collect();
    let size = len_u64(leaves);
    while layer.len() > 1 {
        layer = next_layer(&layer);
    }
    seal(size, &layer.first().copied().unwrap_or_default())
}

/// Shows that one leaf stands at one place of a tree of one size. Implements [LED-TREE-4].
///
/// `path` holds the siblings met on the way from the leaf up to the top. Canonical bytes: `index`
/// and `size` as u64, then the number of hashes as u64 and the hashes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// Place of the leaf, from 0.
    pub index: u64,
    /// Number of leaves in the tree.
    pub size: u64,
    /// Sibling hashes, the leaf's own first.
    #[serde(with = "hex32_list")]
    pub path: List<[u8; 32], 64>,
}

impl InclusionProof {
    /// The proof for the leaf at `index`, or `None` when there is no such leaf.
    ///
    /// Hashes the whole tree once.
    pub fn of(leaves: &[Leaf], index: usize) -> Option<Self> {
        leaves.get(index)?;
        let mut layer: Vec<[u8; 32]> = leaves.iter().map(|leaf| leaf.0).collect();
        let mut place = index;
        let mut path = Vec::new();
        while layer.len() > 1 {
            // The last node of an odd layer has no sibling: it moves up as it is.
            path.extend(layer.get(place ^ 1));
            layer = next_layer(&layer);
            place >>= 1;
        }
        Some(InclusionProof {
            index: u64::try_from(index).ok()?,
            size: len_u64(leaves),
            path: List::new(path).ok()?,
        })
    }

    /// Whether `leaf` stands at `self.index` of the tree of `self.size` leaves with this root.
    ///
    /// Also false when the path has fewer or more hashes than that place calls for.
    pub fn verify(&self, root: &Digest, leaf: &Leaf) -> bool {
        self.root(leaf).is_some_and(|found| found == *root)
    }

    /// The root of the tree in which `leaf` stands at `self.index` by this path; `None` when the
    /// path has fewer or more hashes than that place calls for.
    pub fn root(&self, leaf: &Leaf) -> Option<Digest> {
        if self.index >= self.size {
            return None;
        }
        let mut path = self.path.iter();
        let mut hash = leaf.0;
        let mut place = self.index;
        let mut last = self.size.saturating_sub(1);
        while last > 0 {
            let is_right = place & 1 == 1;
            if is_right || place < last {
                let sibling = path.next()?;
                hash = if is_right { node(sibling, &hash) } else { node(&hash, sibling) };
            }
            place >>= 1;
            last >>= 1;
        }
        path.next().is_none().then(|| seal(self.size, &hash))
    }
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Context::TREE_NODE.hash32(&[left, right])
}

fn seal(size: u64, top: &[u8; 32]) -> Digest {
    Context::TREE_ROOT.hash(&[&size.to_le_bytes(), top])
}

/// Pairs neighbours; a last one without a neighbour moves up. Repeated to the top this gives the
/// split at the largest power of two, since every full subtree is aligned to its own size.
fn next_layer(layer: &[[u8; 32]]) -> Vec<[u8; 32]> {
    let up = |pair: &[[u8; 32]]| match pair {
        [left, right] => Some(node(left, right)),
        other => other.first().copied(),
    };
    layer.chunks(2).filter_map(up).collect()
}

fn len_u64(leaves: &[Leaf]) -> u64 {
    u64::try_from(leaves.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::{decode, encode};

    fn leaves(n: usize) -> Vec<Leaf> {
        (0..n).map(|i| Leaf::of(&i.to_le_bytes())).collect()
    }

    /// The definition, word for word, on top of `blake3::derive_key` alone.
    fn naive_top(leaves: &[[u8; 32]]) -> [u8; 32] {
        match leaves {
            [] => [0; 32],
            [one] => *one,
            many => {
                let mut k = 1;
                while k * 2 < many.len() {
                    k *= 2;
                }
                let (left, right) = many.split_at(k);
                let both = [naive_top(left), naive_top(right)].concat();
                blake3::derive_key("headwater 2026-11 tree node", &both)
            }
        }
    }

    fn naive_root(data: &[Vec<u8>]) -> Digest {
        let leaf = |d: &Vec<u8>| blake3::derive_key("headwater 2026-11 tree leaf", d);
        let top = naive_top(&data.iter().map(leaf).collect::<Vec<_>>());
        let sealed = [&(data.len() as u64).to_le_bytes()[..], &top].concat();
        Digest::Blake3(blake3::derive_key("headwater 2026-11 tree root", &sealed))
    }

    #[test]
    fn root_follows_the_definition_at_every_small_size() {
        for n in 0..70usize {
            let data: Vec<Vec<u8>> = (0..n).map(|i| vec![i as u8; i % 5]).collect();
            let leaves: Vec<Leaf> = data.iter().map(|d| Leaf::of(d)).collect();
            assert_eq!(root(&leaves), naive_root(&data), "{n} leaves");
        }
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proven_and_at_no_other_place() {
        for n in 1..40usize {
            let leaves = leaves(n);
            let root = root(&leaves);
            for index in 0..n {
                let proof = InclusionProof::of(&leaves, index).unwrap();
                assert!(proof.verify(&root, &leaves[index]), "{index} of {n}");
                for other in 0..n as u64 + 2 {
                    let moved = InclusionProof { index: other, ..proof.clone() };
                    assert_eq!(moved.verify(&root, &leaves[index]), other == index as u64);
                }
            }
            assert_eq!(InclusionProof::of(&leaves, n), None);
        }
    }

    #[test]
    fn a_proof_of_another_size_or_length_is_refused() {
        for n in 1..40usize {
            let leaves = leaves(n);
            let root = root(&leaves);
            for index in 0..n {
                let proof = InclusionProof::of(&leaves, index).unwrap();
                for size in (0..80).filter(|size| *size != n as u64) {
                    let other = InclusionProof { size, ..proof.clone() };
                    assert!(!other.verify(&root, &leaves[index]), "size {size} for {n}");
                }
                let mut longer = proof.path.clone().into_inner();
                longer.push([0; 32]);
                let longer = InclusionProof { path: List::new(longer).unwrap(), ..proof.clone() };
                assert!(!longer.verify(&root, &leaves[index]));
                let mut shorter = proof.path.clone().into_inner();
                if shorter.pop().is_some() {
                    let path = List::new(shorter).unwrap();
                    assert!(!InclusionProof { path, ..proof }.verify(&root, &leaves[index]));
                }
            }
        }
    }

    #[test]
    fn the_largest_index_and_size_are_refused_and_do_not_overflow() {
        let path = List::new(vec![[7; 32]; 64]).unwrap();
        for (index, size) in [(u64::MAX, u64::MAX), (u64::MAX - 1, u64::MAX), (0, u64::MAX)] {
            let proof = InclusionProof { index, size, path: path.clone() };
            assert!(!proof.verify(&root(&[]), &Leaf::of(b"x")));
        }
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_refused(
            n in 2usize..200, at in any::<prop::sample::Index>(),
            byte in any::<prop::sample::Index>(), bit in 0u8..8,
        ) {
            let leaves = leaves(n);
            let index = at.index(n);
            let root = root(&leaves);
            let proof = InclusionProof::of(&leaves, index).unwrap();
            let mut bytes = encode(&proof).unwrap();
            prop_assert_eq!(&decode::<InclusionProof>(&bytes, 4096).unwrap(), &proof);
            let byte = byte.index(bytes.len());
            bytes[byte] ^= 1 << bit;
            if let Ok(tampered) = decode::<InclusionProof>(&bytes, 4096) {
                prop_assert!(!tampered.verify(&root, &leaves[index]));
            }
            prop_assert!(!proof.verify(&root, &Leaf::of(b"another")));
            prop_assert!(!proof.verify(&super::root(&leaves[1..]), &leaves[index]));
        }
    }

    #[test]
    fn json_writes_hashes_as_lower_case_hexadecimal_and_refuses_other_forms() {
        let proof = InclusionProof::of(&leaves(3), 2).unwrap();
        let json = serde_json::to_string(&proof).unwrap();
        let sibling = hex::encode(naive_top(&[leaves(3)[0].0, leaves(3)[1].0]));
        assert_eq!(json, format!(r#"{{"index":2,"size":3,"path":["{sibling}"]}}"#));
        assert_eq!(serde_json::from_str::<InclusionProof>(&json).unwrap(), proof);
        let upper = json.replace(&sibling, &sibling.to_uppercase());
        assert!(serde_json::from_str::<InclusionProof>(&upper).is_err());
        let short = json.replace(&sibling, &sibling[2..]);
        assert!(serde_json::from_str::<InclusionProof>(&short).is_err());
        let many = format!(r#"{{"index":2,"size":3,"path":{:?}}}"#, vec![sibling; 65]);
        assert!(serde_json::from_str::<InclusionProof>(&many).is_err());
    }
}
