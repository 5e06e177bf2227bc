//! The state map: a persistent, structure-sharing, authenticated map from 32-byte keys to bytes.
//!
//! # Shape
//!
//! A binary trie over the bits of the keys with compressed paths. Bit 0 of a key is the most
//! significant bit of its first byte, bit 255 the least significant of its last. A set of keys has
//! one shape:
//!
//! - one key: a leaf;
//! - more: a branch at bit `b`, the lowest bit in which two of the keys differ; on its left the
//!   keys whose bit `b` is 0, on its right those whose bit `b` is 1, each shaped likewise.
//!
//! Every branch has two children that are not empty, and the bits of the branches strictly grow on
//! the way down, so that no path has more than 256 of them.
//!
//! # Hashes
//!
//! With `‖` for concatenation and hashes as 32 raw bytes:
//!
//! - value hash: `V = STATE_LEAF(0x00 ‖ value)`;
//! - leaf: `STATE_LEAF(0x01 ‖ key ‖ V)`;
//! - branch: `STATE_NODE(b as one byte ‖ left ‖ right)`;
//! - root: the hash of the top node; of the empty map, 32 zero bytes.
//!
//! The shape is a function of the keys alone, so the root is a function of the contents alone.
//!
//! # Why the skipped bits need not be hashed
//!
//! A root together with a key determines one path. Start at the top; at a branch, the bit that its
//! hash commits to says which bit of the *asked* key chooses the side; end at a leaf, whose hash
//! commits to a key and a value. A verifier follows exactly this rule and never takes the side
//! from the proof. Unless two inputs with one hash are known, every proof that is accepted for a
//! root and a key therefore shows the same branches and the same leaf. That leaf holds the asked
//! key, with its value, or holds another; so for one root and one key at most one of "present with
//! this value" and "absent" can be shown, whoever made the root and whatever it stands for.
//!
//! It remains that for the root of an honest map the one answer is the right one. In the trie
//! above, a key that is present lies on its own path: at each branch it is on the side its bit
//! says. So if the leaf at the end of its path holds another key, it is not in the map.
//!
//! Telling a leaf from a branch, and a leaf from a value, rests on the two contexts and on the
//! first byte under `STATE_LEAF`. Implements [LED-MAP-1] to [LED-MAP-4].
//!
//! # In memory
//!
//! What a read costs is waiting for memory, once for each node on the way. So the branches at an
//! even bit and at the next are one node, a quad, which halves the way.

use std::fmt;
use std::mem;
use std::sync::{Arc, OnceLock};

use crate::hash::{Context, Digest};

/// The root of a map without entries: 32 zero bytes. Implements [LED-MAP-4].
pub const EMPTY_ROOT: Digest = Digest::Blake3([0; 32]);

/// An authenticated map. A clone costs one reference count and is a snapshot: later writes to
/// either do not show in the other, and both share what they have in common.
///
/// Hashes are computed when a root or a proof is asked for, and only those of changed nodes.
#[derive(Clone, Default)]
pub struct StateMap {
    pub(super) top: Option<Link>,
    len: usize,
}

/// A node and, beside it, its hash: so that hashing a branch does not visit the side that has not
/// changed. The hash is empty from the moment the node changes until it is asked for; when it is
/// there, so are all hashes below.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) node: Node,
    hash: OnceLock<[u8; 32]>,
}

#[derive(Clone)]
pub(super) enum Node {
    Leaf(Arc<Leaf>),
    /// The branches at an even bit and at the next, those that there are.
    Quad(u8, Arc<Quad>),
}

#[derive(Clone)]
pub(super) struct Leaf {
    pub(super) key: [u8; 32],
    pub(super) value: Arc<[u8]>,
}

/// What is below two bits of the keys, by their four values; two at least are there.
type Quad = [Option<Link>; 4];

/// A subtree as the hashes see it: what a link leads to, or the branch above two links of a quad.
#[derive(Clone, Copy)]
pub(super) enum Subtree<'a> {
    Link(&'a Link),
    Pair(u8, &'a Link, &'a Link),
}

/// The top of a subtree.
pub(super) enum Top<'a> {
    Leaf(&'a Leaf),
    /// A branch: the bit it divides at, its left side and its right.
    Branch(u8, Subtree<'a>, Subtree<'a>),
}

impl StateMap {
    /// A map without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.top.is_none()
    }

    /// The value recorded under `key`.
    pub fn get(&self, key: &[u8; 32]) -> Option<&Arc<[u8]>> {
        let mut node = &self.top.as_ref()?.node;
        while let Node::Quad(bit, quad) = node {
            node = &quad.get(place(key, *bit))?.as_ref()?.node;
        }
        match node {
            Node::Leaf(leaf) if leaf.key == *key => Some(&leaf.value),
            Node::Leaf(_) | Node::Quad(..) => None,
        }
    }

    /// Records `value` under `key`, in place of what was there.
    pub fn insert(&mut self, key: [u8; 32], value: Arc<[u8]>) {
        let new = Link::leaf(key, value);
        let Some(top) = &mut self.top else {
            self.top = Some(new);
            self.len = 1;
            return;
        };
        let beside = top.node.nearest(&key).and_then(|near| {
            let bit = first_difference(&key, &near.key)? & !1;
            Some((bit, place(&near.key, bit)))
        });
        let Some((bit, old_place)) = beside else {
            return top.change(&key, None, |leaf| *leaf = new);
        };
        top.change(&key, Some(bit), |link| match &mut link.node {
            Node::Quad(at, quad) if *at == bit => {
                link.hash.take();
                set(Arc::make_mut(quad), place(&key, bit), Some(new));
            }
            _ => {
                // The new leaf stands in for a moment, until the old subtree is below a quad.
                let old = mem::replace(link, new.clone());
                *link = Link::quad(bit, [(old_place, old), (place(&key, bit), new)]);
            }
        });
        self.len = self.len.saturating_add(1);
    }

    /// Removes the entry of `key`; false when there was none.
    pub fn remove(&mut self, key: &[u8; 32]) -> bool {
        if self.get(key).is_none() {
            return false;
        }
        let last = self.top.as_ref().and_then(|top| top.node.last_bit(key));
        match (&mut self.top, last) {
            (Some(top), Some(bit)) => top.change(key, Some(bit), |link| link.drop_child(key)),
            (top, _) => *top = None,
        }
        self.len = self.len.saturating_sub(1);
        true
    }

    /// The root: a commitment to all entries and to nothing else. Hashes what has changed since
    /// the last call. Implements [LED-MAP-4].
    pub fn root(&self) -> Digest {
        self.top.as_ref().map_or(EMPTY_ROOT, |top| Digest::Blake3(top.hash()))
    }

    /// All entries, in ascending order of key.
    pub fn iter(&self) -> Iter<'_> {
        Iter { pending: self.top.iter().map(|top| &top.node).collect() }
    }
}

impl fmt::Debug for StateMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateMap").field("len", &self.len).field("root", &self.root()).finish()
    }
}

/// Builds the map at once, without intermediate tries; quickest when the pairs come sorted by key.
/// The last of several values for one key counts.
impl FromIterator<([u8; 32], Arc<[u8]>)> for StateMap {
    fn from_iter<I: IntoIterator<Item = ([u8; 32], Arc<[u8]>)>>(pairs: I) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by_key(|pair| pair.0);
        pairs.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                mem::swap(later, kept);
            }
            same
        });
        StateMap { top: build(&pairs), len: pairs.len() }
    }
}

/// The trie over pairs sorted by key, without duplicates.
fn build(pairs: &[([u8; 32], Arc<[u8]>)]) -> Option<Link> {
    let (first, last) = (pairs.first()?, pairs.last()?);
    let Some(bit) = first_difference(&first.0, &last.0) else {
        return Some(Link::leaf(first.0, first.1.clone()));
    };
    let bit = bit & !1;
    let parts = pairs.chunk_by(|a, b| place(&a.0, bit) == place(&b.0, bit));
    let children = parts.filter_map(|part| Some((place(&part.first()?.0, bit), build(part)?)));
    Some(Link::quad(bit, children))
}

impl<'a> IntoIterator for &'a StateMap {
    type Item = (&'a [u8; 32], &'a Arc<[u8]>);
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The entries of a [`StateMap`], in ascending order of key.
pub struct Iter<'a> {
    /// Subtrees still to come, the next one last. At most three for each quad of a path.
    pending: Vec<&'a Node>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8; 32], &'a Arc<[u8]>);
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.pending.pop()? {
                Node::Leaf(leaf) => return Some((&leaf.key, &leaf.value)),
                Node::Quad(_, quad) => {
                    self.pending.extend(quad.iter().rev().flatten().map(|link| &link.node));
                }
            }
        }
    }
}

impl Node {
    /// The leaf at the end of the key's path; where nothing is on the key's side, some leaf of the
    /// other sides.
    fn nearest(&self, key: &[u8; 32]) -> Option<&Leaf> {
        let mut node = self;
        loop {
            match node {
                Node::Leaf(leaf) => return Some(leaf),
                Node::Quad(bit, quad) => {
                    let child = quad.get(place(key, *bit)).and_then(Option::as_ref);
                    node = &child.or_else(|| quad.iter().flatten().next())?.node;
                }
            }
        }
    }

    /// The bit of the last quad on the path of a key that is there.
    fn last_bit(&self, key: &[u8; 32]) -> Option<u8> {
        let (mut node, mut last) = (self, None);
        while let Node::Quad(bit, quad) = node {
            last = Some(*bit);
            node = &quad.get(place(key, *bit))?.as_ref()?.node;
        }
        last
    }
}

impl Link {
    fn to(node: Node) -> Self {
        Link { node, hash: OnceLock::new() }
    }

    fn leaf(key: [u8; 32], value: Arc<[u8]>) -> Self {
        Link::to(Node::Leaf(Arc::new(Leaf { key, value })))
    }

    /// The branches at `bit` and the next, over children in these places.
    fn quad(bit: u8, children: impl IntoIterator<Item = (usize, Link)>) -> Self {
        let mut quad = Quad::default();
        for (place, child) in children {
            set(&mut quad, place, Some(child));
        }
        Link::to(Node::Quad(bit, Arc::new(quad)))
    }

    /// Changes the first node on the key's path that is not a quad above `bit` (`None`: the leaf).
    /// Copies the quads up to it that snapshots share, and forgets their hashes. Recursion is at
    /// most 128 deep.
    fn change(&mut self, key: &[u8; 32], bit: Option<u8>, change: impl FnOnce(&mut Link)) {
        match &mut self.node {
            Node::Quad(at, shared) if bit.is_none_or(|bit| *at < bit) => {
                self.hash.take();
                let quad = Arc::make_mut(shared);
                if let Some(child) = quad.get_mut(place(key, *at)).and_then(Option::as_mut) {
                    child.change(key, bit, change);
                }
            }
            Node::Quad(..) | Node::Leaf(_) => change(self),
        }
    }

    /// Takes the key's child out of a quad, and the quad out of the way when one child is left.
    fn drop_child(&mut self, key: &[u8; 32]) {
        let Node::Quad(bit, shared) = &mut self.node else { return };
        self.hash.take();
        let quad = Arc::make_mut(shared);
        set(quad, place(key, *bit), None);
        let mut left = quad.iter_mut().filter(|child| child.is_some());
        if let (Some(only), None) = (left.next(), left.next())
            && let Some(only) = only.take()
        {
            *self = only;
        }
    }

    /// The hash of the node; recursion is at most 256 deep.
    pub(super) fn hash(&self) -> [u8; 32] {
        *self.hash.get_or_init(|| match Subtree::Link(self).top() {
            Some(Top::Leaf(leaf)) => leaf_hash(&leaf.key, &leaf.value_hash()),
            Some(Top::Branch(bit, left, right)) => branch_hash(bit, &left.hash(), &right.hash()),
            None => [0; 32],
        })
    }
}

impl Leaf {
    pub(super) fn value_hash(&self) -> [u8; 32] {
        value_hash(&self.value)
    }
}

impl<'a> Subtree<'a> {
    /// What is there of two neighbours in a quad, below its second bit.
    fn of(bit: u8, left: &'a Option<Link>, right: &'a Option<Link>) -> Option<Self> {
        match (left, right) {
            (Some(left), Some(right)) => Some(Subtree::Pair(bit, left, right)),
            (one, other) => one.as_ref().or(other.as_ref()).map(Subtree::Link),
        }
    }

    /// The leaf or branch at its top; none for a quad without children, which no map has.
    pub(super) fn top(self) -> Option<Top<'a>> {
        let link = match self {
            Subtree::Link(link) => link,
            Subtree::Pair(bit, left, right) => {
                return Some(Top::Branch(bit, Subtree::Link(left), Subtree::Link(right)));
            }
        };
        match &link.node {
            Node::Leaf(leaf) => Some(Top::Leaf(leaf)),
            Node::Quad(bit, quad) => {
                let [a, b, c, d] = &**quad;
                match (Subtree::of(bit | 1, a, b), Subtree::of(bit | 1, c, d)) {
                    (Some(left), Some(right)) => Some(Top::Branch(*bit, left, right)),
                    (one, other) => one.or(other)?.top(),
                }
            }
        }
    }

    /// The hash of its top; recursion is at most 256 deep.
    pub(super) fn hash(self) -> [u8; 32] {
        match self {
            Subtree::Link(link) => link.hash(),
            Subtree::Pair(bit, left, right) => branch_hash(bit, &left.hash(), &right.hash()),
        }
    }
}

/// The place of a key in a quad at this even bit: the value of that bit and the next.
fn place(key: &[u8; 32], bit: u8) -> usize {
    (usize::from(bit_of(key, bit)) << 1) | usize::from(bit_of(key, bit | 1))
}

/// Puts a child into its place, or nothing.
fn set(quad: &mut Quad, place: usize, child: Option<Link>) {
    if let Some(old) = quad.get_mut(place) {
        *old = child;
    }
}

/// The hash of a value: `STATE_LEAF(0x00 ‖ value)`. Implements [LED-MAP-2].
pub(super) fn value_hash(value: &[u8]) -> [u8; 32] {
    Context::STATE_LEAF.hash32(&[&[0], value])
}

/// The hash of a leaf: `STATE_LEAF(0x01 ‖ key ‖ value hash)`. Implements [LED-MAP-2].
pub(super) fn leaf_hash(key: &[u8; 32], value_hash: &[u8; 32]) -> [u8; 32] {
    Context::STATE_LEAF.hash32(&[&[1], key, value_hash])
}

/// The hash of a branch: `STATE_NODE(bit ‖ left ‖ right)`. Implements [LED-MAP-3].
pub(super) fn branch_hash(bit: u8, left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Context::STATE_NODE.hash32(&[&[bit], left, right])
}

/// The bit of a key; bit 0 is the most significant of the first byte.
pub(super) fn bit_of(key: &[u8; 32], bit: u8) -> bool {
    key.get(usize::from(bit >> 3)).is_some_and(|byte| byte & (0x80 >> (bit & 7)) != 0)
}

/// The lowest bit in which two keys differ.
fn first_difference(a: &[u8; 32], b: &[u8; 32]) -> Option<u8> {
    let differs = |bit: &u8| bit_of(a, *bit) != bit_of(b, *bit);
    let mut starts = (0..=u8::MAX).step_by(8).zip(a.iter().zip(b));
    let start = starts.find(|(_, (x, y))| x != y)?.0;
    (start..=start | 7).find(differs)
}

#[cfg(test)]
pub(super) mod tests;
