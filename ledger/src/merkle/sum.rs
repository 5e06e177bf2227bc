//! The Merkle-sum tree over a list of weighted sources, and its inclusion proofs.
//!
//! Of the shape of [`super::tree`]; every node carries the sum of the weights below it, and an inner
//! node commits to the sums of both its children:
//!
//! - leaf of a source with weight w: hash `SUM_LEAF(source, 33 bytes ‖ w as u64, little endian)`,
//!   sum w;
//! - node: hash `SUM_NODE(left hash ‖ left sum ‖ right hash ‖ right sum)`, hashes as 32 raw bytes
//!   and sums as u64, little endian; its sum is that of both. The left of n > 1 leaves are the
//!   first k, the largest power of two smaller than n.
//!
//! Weights are never negative and sums never wrap, so that sources proved at different places
//! cannot have more weight together than the root. Implements [LED-AGG-3].

use crate::hash::{Context, Digest};

/// A node: its hash and the sum of the weights below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The hash.
    pub hash: Digest,
    /// The sum.
    pub sum: u64,
}

impl Node {
    /// The leaf of a source.
    pub fn leaf(source: &Digest, weight: u64) -> Self {
        let parts: [&[u8]; 2] = [&source.to_bytes(), &weight.to_le_bytes()];
        Node { hash: Context::SUM_LEAF.hash(&parts), sum: weight }
    }

    /// The node above two; `None` when the sum is above what 64 bits hold.
    pub fn above(left: &Node, right: &Node) -> Option<Self> {
        let sum = left.sum.checked_add(right.sum)?;
        let parts: [&[u8]; 4] =
            [left.hash.raw(), &left.sum.to_le_bytes(), right.hash.raw(), &right.sum.to_le_bytes()];
        Some(Node { hash: Context::SUM_NODE.hash(&parts), sum })
    }
}

/// A whole tree, for whoever seals sources and proves them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// From the leaves up to the root alone.
    layers: Vec<Vec<Node>>,
}

impl Tree {
    /// The tree over these leaves, in order; `None` without leaves or when their sum is above what
    /// 64 bits hold.
    pub fn new(leaves: Vec<Node>) -> Option<Self> {
        let mut layers = vec![leaves];
        while let Some(layer) = layers.last().filter(|layer| layer.len() > 1) {
            let up = |pair: &[Node]| match pair {
                [left, right] => Node::above(left, right),
                other => other.first().copied(),
            };
            let next = layer.chunks(2).map(up).collect::<Option<Vec<_>>>()?;
            layers.push(next);
        }
        layers.last().is_some_and(|layer| !layer.is_empty()).then_some(Tree { layers })
    }

    /// The root.
    pub fn root(&self) -> Option<Node> {
        self.layers.last()?.first().copied()
    }

    /// The nodes beside the path of the leaf at `index`, from the leaf up; `None` when there is no
    /// such leaf.
    pub fn path(&self, index: usize) -> Option<Vec<Node>> {
        self.layers.first()?.get(index)?;
        let mut place = index;
        let mut path = Vec::new();
        for layer in &self.layers {
            // The last node of an odd layer has no sibling: it moves up as it is.
            path.extend(layer.get(place ^ 1).filter(|_| layer.len() > 1));
            place >>= 1;
        }
        Some(path)
    }
}

/// The root of the tree of `size` leaves in which `leaf` stands at `index` by this path. `None`
/// when there is no such place, when the path has fewer or more nodes than it calls for, or when a
/// sum is above what 64 bits hold.
pub fn climb<'a>(
    leaf: Node,
    (index, size): (u64, u64),
    path: impl IntoIterator<Item = &'a Node>,
) -> Option<Node> {
    let mut last = size.checked_sub(1).filter(|last| index <= *last)?;
    let mut path = path.into_iter();
    let (mut node, mut place) = (leaf, index);
    while last > 0 {
        let is_right = place & 1 == 1;
        if is_right || place < last {
            let sibling = path.next()?;
            let (left, right) = if is_right { (sibling, &node) } else { (&node, sibling) };
            node = Node::above(left, right)?;
        }
        place >>= 1;
        last >>= 1;
    }
    path.next().is_none().then_some(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(n: u64) -> Vec<Node> {
        (0..n).map(|i| Node::leaf(&Context::CONTENT_LEAF.hash(&[&[i as u8]]), i * i + 1)).collect()
    }

    /// The definition, word for word.
    fn naive(leaves: &[Node]) -> (Vec<u8>, u64) {
        if let [one] = leaves {
            return (one.hash.raw().to_vec(), one.sum);
        }
        let mut k = 1;
        while k * 2 < leaves.len() {
            k *= 2;
        }
        let (left, right) = (naive(&leaves[..k]), naive(&leaves[k..]));
        let side = |(hash, sum): &(Vec<u8>, u64)| [&hash[..], &sum.to_le_bytes()].concat();
        let bytes = [side(&left), side(&right)].concat();
        let hash = blake3::derive_key("headwater 2026-11 sum node", &bytes);
        (hash.to_vec(), left.1 + right.1)
    }

    /// Holds [LED-AGG-3].
    #[test]
    fn the_root_follows_the_definition_and_every_leaf_is_proved_at_its_place_only() {
        let source = Context::CONTENT_LEAF.hash(&[b"s"]);
        let leaf = [&source.to_bytes()[..], &7u64.to_le_bytes()].concat();
        let expected = blake3::derive_key("headwater 2026-11 sum leaf", &leaf);
        assert_eq!(Node::leaf(&source, 7), Node { hash: Digest::Blake3(expected), sum: 7 });
        for n in 1..40u64 {
            let leaves = leaves(n);
            let tree = Tree::new(leaves.clone()).unwrap();
            let root = tree.root().unwrap();
            assert_eq!((root.hash.raw().to_vec(), root.sum), naive(&leaves), "{n} leaves");
            for (index, leaf) in (0u64..).zip(&leaves) {
                let path = tree.path(index as usize).unwrap();
                for other in 0..n + 2 {
                    let found = climb(*leaf, (other, n), &path);
                    assert_eq!(found == Some(root), other == index, "{index} of {n} at {other}");
                }
                let mut longer = path.clone();
                longer.push(*leaf);
                assert_eq!(climb(*leaf, (index, n), &longer), None);
            }
            assert_eq!(tree.path(n as usize), None);
        }
        assert_eq!(Tree::new(Vec::new()), None);
    }

    /// Holds [LED-AGG-3]: neither the weight of a source nor a sum beside its path can be changed.
    #[test]
    fn another_weight_or_sum_gives_another_root_or_none() {
        let source = |i: u8| Context::CONTENT_LEAF.hash(&[&[i]]);
        let tree = Tree::new((0..7).map(|i| Node::leaf(&source(i), 10)).collect()).unwrap();
        let root = tree.root().unwrap();
        for index in 0..7u8 {
            let path = tree.path(index.into()).unwrap();
            let place = (u64::from(index), 7);
            assert_eq!(climb(Node::leaf(&source(index), 10), place, &path), Some(root));
            let more = climb(Node::leaf(&source(index), 11), place, &path).unwrap();
            assert!(more.hash != root.hash && more.sum != root.sum);
            for at in 0..path.len() {
                let mut changed = path.clone();
                changed[at].sum -= 1;
                let found = climb(Node::leaf(&source(index), 10), place, &changed).unwrap();
                assert_ne!(found.hash, root.hash);
                changed[at].sum = u64::MAX;
                assert_eq!(climb(Node::leaf(&source(index), 10), place, &changed), None);
            }
        }
        assert_eq!(Tree::new(vec![Node::leaf(&source(0), u64::MAX); 2]), None);
    }
}
