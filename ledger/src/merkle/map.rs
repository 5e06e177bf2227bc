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
        self.hash.take();
        match &mut self.node {
            Node::Quad(at, shared) if bit.is_none_or(|bit| *at < bit) => {
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
pub(super) mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Entries = BTreeMap<[u8; 32], Vec<u8>>;

    /// Keys that collide often and share long prefixes: a few flipped bits away from one of two
    /// keys, among them ones equal in their first 255 bits.
    pub(in super::super) fn crowded_key() -> impl Strategy<Value = [u8; 32]> {
        let bits = prop::collection::vec(
            prop_oneof![Just(255u8), Just(254), Just(0), Just(127), any::<u8>()],
            0..4,
        );
        (prop_oneof![Just(0u8), Just(0xa5)], bits).prop_map(|(fill, bits)| {
            let mut key = [fill; 32];
            for bit in bits {
                key[bit as usize / 8] ^= 0x80 >> (bit % 8);
            }
            key
        })
    }

    pub(in super::super) fn map_of(entries: &BTreeMap<[u8; 32], Vec<u8>>) -> StateMap {
        let mut map = StateMap::new();
        for (key, value) in entries {
            map.insert(*key, value.as_slice().into());
        }
        map
    }

    /// The definition on plain lists and `blake3::derive_key`, with keys as lists of bits.
    fn naive(entries: &[(Vec<bool>, [u8; 32], Vec<u8>)]) -> [u8; 32] {
        let leaf = |bytes: &[u8]| blake3::derive_key("headwater 2026-11 state leaf", bytes);
        match entries {
            [] => [0; 32],
            [(_, key, value)] => {
                let value = leaf(&[&[0], value.as_slice()].concat());
                leaf(&[&[1][..], key, &value].concat())
            }
            many => {
                let differs = |bit: &usize| many.iter().any(|e| e.0[*bit] != many[0].0[*bit]);
                let bit = (0..256).find(differs).unwrap();
                let (right, left): (Vec<_>, Vec<_>) = many.iter().cloned().partition(|e| e.0[bit]);
                let both = [&[bit as u8][..], &naive(&left), &naive(&right)].concat();
                blake3::derive_key("headwater 2026-11 state node", &both)
            }
        }
    }

    fn naive_root(entries: &Entries) -> Digest {
        let bits = |key: &[u8; 32]| {
            key.iter().flat_map(|b| (0..8).map(move |i| (b >> (7 - i)) & 1 == 1)).collect()
        };
        let entries: Vec<_> = entries.iter().map(|(k, v)| (bits(k), *k, v.clone())).collect();
        Digest::Blake3(naive(&entries))
    }

    fn contents(map: &StateMap) -> Entries {
        map.iter().map(|(key, value)| (*key, value.to_vec())).collect()
    }

    #[derive(Debug, Clone)]
    enum Write {
        Insert([u8; 32], Vec<u8>),
        Remove([u8; 32]),
        Root,
        Snapshot,
    }

    fn short_value() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..3)
    }

    fn writes() -> impl Strategy<Value = Vec<Write>> {
        let write = prop_oneof![
            6 => (crowded_key(), short_value()).prop_map(|(key, value)| Write::Insert(key, value)),
            4 => crowded_key().prop_map(Write::Remove),
            1 => Just(Write::Root),
            1 => Just(Write::Snapshot),
        ];
        prop::collection::vec(write, 0..120)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn behaves_as_an_ordered_map_and_never_changes_a_snapshot(writes in writes()) {
            let (mut map, mut model) = (StateMap::new(), Entries::new());
            let mut snapshots = Vec::new();
            for write in writes {
                match write {
                    Write::Insert(key, value) => {
                        map.insert(key, value.as_slice().into());
                        model.insert(key, value);
                    }
                    Write::Remove(key) => {
                        prop_assert_eq!(map.remove(&key), model.remove(&key).is_some());
                        prop_assert!(map.get(&key).is_none());
                    }
                    Write::Root => prop_assert_eq!(map.root(), naive_root(&model)),
                    Write::Snapshot => snapshots.push((map.clone(), model.clone())),
                }
                prop_assert_eq!(map.len(), model.len());
                prop_assert_eq!(map.is_empty(), model.is_empty());
            }
            snapshots.push((map, model));
            for (map, model) in snapshots {
                prop_assert!(map.iter().map(|(k, _)| k).is_sorted());
                prop_assert_eq!(contents(&map), model.clone());
                prop_assert_eq!(map.root(), naive_root(&model));
                for (key, value) in &model {
                    prop_assert_eq!(map.get(key).map(|v| v.to_vec()), Some(value.clone()));
                }
            }
        }

        #[test]
        fn the_root_depends_on_the_contents_alone(
            pairs in prop::collection::vec((crowded_key(), 0u8..3), 0..60), seed in any::<u64>(),
        ) {
            let model: Entries = pairs.iter().map(|(k, v)| (*k, vec![*v])).collect();
            let expected = naive_root(&model);
            let bulk: StateMap = pairs.iter().map(|(k, v)| (*k, vec![*v].into())).collect();
            prop_assert_eq!(bulk.root(), expected);
            prop_assert_eq!(contents(&bulk), model.clone());
            prop_assert_eq!(bulk.len(), model.len());
            let mut order: Vec<_> = model.iter().collect();
            let mixed = |key: &[u8; 32]| blake3::hash(&[&key[..], &seed.to_le_bytes()].concat());
            order.sort_by_key(|(key, _)| *mixed(key).as_bytes());
            let mut map = StateMap::new();
            for (key, value) in order {
                map.insert(*key, b"for now"[..].into());
                map.root();
                map.insert(*key, value.as_slice().into());
            }
            prop_assert_eq!(map.root(), expected);
        }

        #[test]
        fn removing_what_was_added_restores_the_root(
            old in prop::collection::btree_map(crowded_key(), short_value(), 0..40),
            added in prop::collection::btree_set(crowded_key(), 0..40),
        ) {
            let before = map_of(&old);
            let root = before.root();
            let mut map = before.clone();
            let added: Vec<_> = added.into_iter().filter(|key| !old.contains_key(key)).collect();
            for key in &added {
                map.insert(*key, b"added"[..].into());
                prop_assert_ne!(map.root(), root);
            }
            for key in added.iter().rev() {
                prop_assert!(map.remove(key));
                prop_assert!(!map.remove(key));
            }
            prop_assert_eq!(map.root(), root);
            prop_assert_eq!(before.root(), root);
        }

        #[test]
        fn two_different_contents_have_different_roots(
            a in prop::collection::btree_map(crowded_key(), short_value(), 0..6),
            b in prop::collection::btree_map(crowded_key(), short_value(), 0..6),
        ) {
            prop_assert_eq!(map_of(&a).root() == map_of(&b).root(), a == b);
        }
    }

    #[test]
    fn the_first_difference_is_found_at_every_bit() {
        for bit in 0..=255u8 {
            let (a, mut b) = ([0x5a; 32], [0x5a; 32]);
            b[bit as usize / 8] ^= 0x80 >> (bit % 8);
            assert_eq!(first_difference(&a, &b), Some(bit));
            b[31] ^= if bit == 255 { 0 } else { 1 };
            assert_eq!(first_difference(&b, &a), Some(bit));
        }
        assert_eq!(first_difference(&[1; 32], &[1; 32]), None);
    }

    #[test]
    fn writes_to_an_unshared_map_copy_no_quad() {
        let key = |i: u16| *blake3::hash(&i.to_le_bytes()).as_bytes();
        let mut map: StateMap = (0..1_000).map(|i| (key(i), vec![0].into())).collect();
        let top = |map: &StateMap| match map.top.as_ref().map(|top| &top.node) {
            Some(Node::Quad(_, quad)) => Arc::as_ptr(quad),
            _ => panic!("a thousand keys have a quad"),
        };
        let before = top(&map);
        (1_000..1_100).for_each(|i| map.insert(key(i), vec![1].into()));
        assert_eq!(top(&map), before);
        let snapshot = map.clone();
        map.insert(key(5), vec![2].into());
        assert_eq!(top(&snapshot), before);
        assert_ne!(top(&map), before);
    }
}
