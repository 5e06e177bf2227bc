//! The append-only Merkle mountain range behind a provably complete list, and the proof that a run
//! of its entries is exactly what stands at those places.
//!
//! `count` entries are covered by perfect trees ("mountains"), one for each 1 bit of `count`, the
//! largest first, over the entries from left to right. With `‖` for concatenation and hashes as 32
//! raw bytes:
//!
//! - leaf of entry data `d`: `MMR_LEAF(d)`;
//! - node over two perfect trees of one size: `MMR_NODE(left ‖ right)`;
//! - peak: the top of a mountain;
//! - root: `MMR_ROOT(count as u64, little endian ‖ peaks from left to right)`.
//!
//! Implements [LED-RANGE-1] to [LED-RANGE-4].

use bincode::de::{BorrowDecoder, Decoder};
use bincode::error::DecodeError;
use bincode::{BorrowDecode, Decode, Encode};
use serde::{Deserialize, Serialize};

use super::hex32_list;
use crate::codec::List;
use crate::hash::{Context, Digest};

/// Most entries a range can have: far more than can ever be recorded, so that counting never
/// overflows.
pub const MAX_RANGE_COUNT: u64 = 1 << 62;

/// The hash of one entry of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RangeLeaf([u8; 32]);

impl RangeLeaf {
    /// The leaf of an entry: `MMR_LEAF(data)`. Implements [LED-RANGE-1].
    pub fn of(data: &[u8]) -> Self {
        RangeLeaf(Context::MMR_LEAF.hash32(&[data]))
    }
}

/// What it takes to append to a range and to know its root: its count and its peaks.
///
/// Canonical bytes: `count` as u64, the number of peaks as u64, the peaks. There is one peak for
/// each 1 bit of `count`, and `count` is at most [`MAX_RANGE_COUNT`]; anything else is refused
/// when decoding.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Serialize, Deserialize)]
#[serde(try_from = "RawRange", into = "RawRange")]
pub struct Range {
    count: u64,
    peaks: Vec<[u8; 32]>,
}

/// A range as it is read, before its peaks are checked against its count.
#[derive(Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRange {
    count: u64,
    #[serde(with = "hex32_list")]
    peaks: List<[u8; 32], 64>,
}

impl TryFrom<RawRange> for Range {
    type Error = &'static str;
    fn try_from(raw: RawRange) -> Result<Self, &'static str> {
        if raw.count > MAX_RANGE_COUNT {
            return Err("a range has too many entries");
        }
        if u32::try_from(raw.peaks.len()) != Ok(raw.count.count_ones()) {
            return Err("a range has one peak for each 1 bit of its count");
        }
        Ok(Range { count: raw.count, peaks: raw.peaks.into_inner() })
    }
}

impl From<Range> for RawRange {
    fn from(range: Range) -> Self {
        // Never cut: a count has at most 64 bits.
        RawRange { count: range.count, peaks: List::new(range.peaks).unwrap_or_default() }
    }
}

impl<C> Decode<C> for Range {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Range::try_from(RawRange::decode(decoder)?).map_err(DecodeError::Other)
    }
}

impl<'de, C> BorrowDecode<'de, C> for Range {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        <Self as Decode<C>>::decode(decoder)
    }
}

impl Range {
    /// Number of entries.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Appends an entry. Implements [LED-RANGE-2].
    pub fn push(&mut self, leaf_data: &[u8]) {
        let RangeLeaf(mut hash) = RangeLeaf::of(leaf_data);
        // Each 1 bit at the end of the count is a mountain as large as the new one.
        for _ in 0..self.count.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.count = self.count.saturating_add(1);
    }

    /// The commitment to all entries, their order and their number. Implements [LED-RANGE-3].
    pub fn root(&self) -> Digest {
        seal(self.count, &self.peaks)
    }
}

/// Shows that a run of neighbouring entries stands at given places of a range.
/// Implements [LED-RANGE-4].
///
/// Canonical bytes: `first` as u64, the number of hashes as u64, the hashes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RangeProof {
    /// Place of the run's first entry, from 0.
    pub first: u64,
    /// Tops of the largest trees that hold no entry of the run, from left to right. None when the
    /// run is the whole range.
    #[serde(with = "hex32_list")]
    pub siblings: List<[u8; 32], 192>,
}

impl RangeProof {
    /// The proof for the `n` entries from `first` on, of a range with these leaves. `None` when
    /// they are not all there, or when `n` is 0 and the range is not empty.
    pub fn of(leaves: &[RangeLeaf], first: usize, n: usize) -> Option<Self> {
        let end = first.checked_add(n)?;
        if end > leaves.len() || (n == 0 && !leaves.is_empty()) {
            return None;
        }
        let count = u64::try_from(leaves.len()).ok()?;
        let run = Run { first: u64::try_from(first).ok()?, end: u64::try_from(end).ok()? };
        let mut siblings = Vec::new();
        for mountain in mountains(count) {
            collect(mountain, &run, leaves, &mut siblings)?;
        }
        Some(RangeProof { first: run.first, siblings: List::new(siblings).ok()? })
    }

    /// Whether the entries of `run`, given as their data, stand in this order at the places from
    /// `self.first` on, in the range of `count` entries with this root.
    ///
    /// An empty run shows one thing only: that the range is empty. Also false when the proof has
    /// fewer or more hashes than these places call for.
    pub fn verify<T: AsRef<[u8]>>(&self, count: u64, root: &Digest, run: &[T]) -> bool {
        let Some(end) = u64::try_from(run.len()).ok().and_then(|n| self.first.checked_add(n))
        else {
            return false;
        };
        if end > count || count > MAX_RANGE_COUNT || (run.is_empty() && count > 0) {
            return false;
        }
        let places = Run { first: self.first, end };
        let mut data = run.iter().map(|entry| RangeLeaf::of(entry.as_ref()));
        let mut siblings = self.siblings.iter().copied();
        let peak = |tree| rebuild(tree, &places, &mut data, &mut siblings);
        let Some(peaks) = mountains(count).map(peak).collect::<Option<Vec<_>>>() else {
            return false;
        };
        siblings.next().is_none() && seal(count, &peaks) == *root
    }
}

/// Places of a run: from `first` up to and without `end`.
struct Run {
    first: u64,
    end: u64,
}

/// A perfect tree over the `1 << height` entries from `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tree {
    start: u64,
    height: u32,
}

impl Tree {
    /// The place after its last entry. Trees lie within a count of at most [`MAX_RANGE_COUNT`].
    fn end(self) -> u64 {
        self.start.saturating_add(1 << self.height)
    }

    fn is_apart_from(self, run: &Run) -> bool {
        self.end() <= run.first || run.end <= self.start
    }

    /// Its two halves; `None` for a single entry.
    fn halves(self) -> Option<(Tree, Tree)> {
        let left = Tree { start: self.start, height: self.height.checked_sub(1)? };
        Some((left, Tree { start: left.end(), height: left.height }))
    }
}

/// The mountains of a range, from left to right.
fn mountains(count: u64) -> impl Iterator<Item = Tree> {
    let heights = (0..u64::BITS).rev().filter(move |height| count & (1 << height) != 0);
    // A mountain starts where the larger ones end: at the bits of the count above its own.
    heights.map(move |height| Tree { start: ((count >> height) ^ 1) << height, height })
}

/// The top of a tree, from the leaves of the whole range. Recursion is at most 62 deep.
fn top(tree: Tree, leaves: &[RangeLeaf]) -> Option<[u8; 32]> {
    match tree.halves() {
        None => leaves.get(usize::try_from(tree.start).ok()?).map(|leaf| leaf.0),
        Some((left, right)) => Some(node(&top(left, leaves)?, &top(right, leaves)?)),
    }
}

/// Appends the tops of the largest trees within `tree` that are apart from the run.
fn collect(tree: Tree, run: &Run, leaves: &[RangeLeaf], out: &mut Vec<[u8; 32]>) -> Option<()> {
    if tree.is_apart_from(run) {
        out.push(top(tree, leaves)?);
    } else if let Some((left, right)) = tree.halves() {
        collect(left, run, leaves, out)?;
        collect(right, run, leaves, out)?;
    }
    Some(())
}

/// The top of a tree, from the run's leaves and the proof's hashes, both in order. Visits no more
/// nodes than the run and the proof call for, whatever the count.
fn rebuild(
    tree: Tree,
    run: &Run,
    data: &mut impl Iterator<Item = RangeLeaf>,
    siblings: &mut impl Iterator<Item = [u8; 32]>,
) -> Option<[u8; 32]> {
    if tree.is_apart_from(run) {
        return siblings.next();
    }
    match tree.halves() {
        None => data.next().map(|leaf| leaf.0),
        Some((left, right)) => {
            let left = rebuild(left, run, data, siblings)?;
            Some(node(&left, &rebuild(right, run, data, siblings)?))
        }
    }
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Context::MMR_NODE.hash32(&[left, right])
}

fn seal(count: u64, peaks: &[[u8; 32]]) -> Digest {
    Context::MMR_ROOT.hash(&[&count.to_le_bytes(), peaks.as_flattened()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::codec::{decode, encode};

    fn data(n: usize) -> Vec<Vec<u8>> {
        (0..n)
            .map(|i| i.to_le_bytes()[..i % 8].iter().chain(&[i as u8]).copied().collect())
            .collect()
    }

    fn leaves(data: &[Vec<u8>]) -> Vec<RangeLeaf> {
        data.iter().map(|d| RangeLeaf::of(d)).collect()
    }

    fn range(data: &[Vec<u8>]) -> Range {
        let mut range = Range::default();
        data.iter().for_each(|d| range.push(d));
        range
    }

    /// The definition, on slices and `blake3::derive_key`.
    fn naive_root(data: &[Vec<u8>]) -> Digest {
        fn perfect(data: &[Vec<u8>]) -> [u8; 32] {
            if let [one] = data {
                return blake3::derive_key("headwater 2026-11 range leaf", one);
            }
            let (left, right) = data.split_at(data.len() / 2);
            let both = [perfect(left), perfect(right)].concat();
            blake3::derive_key("headwater 2026-11 range node", &both)
        }
        let mut bytes = (data.len() as u64).to_le_bytes().to_vec();
        let mut rest = data;
        while !rest.is_empty() {
            let largest = 1 << rest.len().ilog2();
            let (mountain, after) = rest.split_at(largest);
            bytes.extend(perfect(mountain));
            rest = after;
        }
        Digest::Blake3(blake3::derive_key("headwater 2026-11 range root", &bytes))
    }

    #[test]
    fn appending_follows_the_definition_at_every_small_count() {
        let data = data(140);
        let mut range = Range::default();
        for n in 0..data.len() {
            assert_eq!(range.count(), n as u64);
            assert_eq!(range.root(), naive_root(&data[..n]), "{n} entries");
            range.push(&data[n]);
        }
    }

    #[test]
    fn every_run_is_proven_and_at_no_other_place_count_or_root() {
        for count in 0..18usize {
            let data = data(count);
            let (leaves, root) = (leaves(&data), range(&data).root());
            for first in 0..=count {
                for n in 0..=count - first {
                    let Some(proof) = RangeProof::of(&leaves, first, n) else {
                        assert!(n == 0 && count > 0, "{first}+{n} of {count}");
                        continue;
                    };
                    let run = &data[first..first + n];
                    assert!(proof.verify(count as u64, &root, run), "{first}+{n} of {count}");
                    assert_eq!(proof.siblings.is_empty(), n == count);
                    for other in (0..20).filter(|other| *other != first as u64) {
                        let moved = RangeProof { first: other, ..proof.clone() };
                        assert!(!moved.verify(count as u64, &root, run));
                    }
                    for other in (0..40).filter(|other| *other != count as u64) {
                        assert!(!proof.verify(other, &root, run));
                    }
                    for keep in 0..n {
                        assert!(!proof.verify(count as u64, &root, &run[..keep]));
                    }
                }
            }
            assert_eq!(RangeProof::of(&leaves, 0, count + 1), None);
            assert_eq!(RangeProof::of(&leaves, usize::MAX, 1), None);
        }
    }

    #[test]
    fn an_empty_run_shows_an_empty_range_and_nothing_else() {
        let proof = RangeProof { first: 0, siblings: List::default() };
        let none: [&[u8]; 0] = [];
        assert!(proof.verify(0, &Range::default().root(), &none));
        assert!(!proof.verify(0, &range(&data(1)).root(), &none));
        // Its peaks alone would give the root of a range without showing any entry.
        let full = range(&data(3));
        for first in 0..=3 {
            let siblings = List::new(full.peaks.clone()).unwrap();
            assert!(!RangeProof { first, siblings }.verify(3, &full.root(), &none));
        }
    }

    #[test]
    fn the_largest_counts_are_refused_and_do_not_overflow() {
        let siblings = List::new(vec![[7; 32]; 192]).unwrap();
        let root = Range::default().root();
        for first in [0, 1, MAX_RANGE_COUNT - 1, MAX_RANGE_COUNT, u64::MAX - 1, u64::MAX] {
            let proof = RangeProof { first, siblings: siblings.clone() };
            for count in [MAX_RANGE_COUNT - 1, MAX_RANGE_COUNT, MAX_RANGE_COUNT + 1, u64::MAX] {
                assert!(!proof.verify(count, &root, &[b"x"]));
            }
        }
        // One more than the largest count is refused even when everything else fits.
        let (entry, other) = (RangeLeaf::of(b"x").0, [7; 32]);
        let mut hash = entry;
        for _ in 0..62 {
            hash = node(&hash, &other);
        }
        let siblings = |n| List::new(vec![other; n]).unwrap();
        let proof = RangeProof { first: 0, siblings: siblings(62) };
        assert!(proof.verify(MAX_RANGE_COUNT, &seal(MAX_RANGE_COUNT, &[hash]), &[b"x"]));
        let proof = RangeProof { first: 0, siblings: siblings(63) };
        let root = seal(MAX_RANGE_COUNT + 1, &[hash, other]);
        assert!(!proof.verify(MAX_RANGE_COUNT + 1, &root, &[b"x"]));
    }

    #[test]
    fn the_longest_proof_fits_its_bound() {
        // An entry in the middle of the largest mountain, with every smaller one beside it.
        let run = Run { first: 1 << 60, end: (1 << 60) + 1 };
        let mut pending: Vec<Tree> = mountains(MAX_RANGE_COUNT - 1).collect();
        let mut siblings = 0;
        while let Some(tree) = pending.pop() {
            match tree.halves() {
                _ if tree.is_apart_from(&run) => siblings += 1,
                Some((left, right)) => pending.extend([left, right]),
                None => (),
            }
        }
        assert_eq!(siblings, 61 + 61);
    }

    #[test]
    fn a_range_whose_peaks_do_not_match_its_count_is_refused() {
        for (count, peaks, ok) in [(0, 0, true), (3, 2, true), (3, 1, false), (4, 2, false)] {
            let raw = (count as u64, vec![[1u8; 32]; peaks]);
            let bytes = encode(&raw).unwrap();
            assert_eq!(decode::<Range>(&bytes, 4096).is_ok(), ok);
            let peaks = vec![hex::encode([1; 32]); peaks];
            let json = format!(r#"{{"count":{count},"peaks":{peaks:?}}}"#);
            assert_eq!(serde_json::from_str::<Range>(&json).is_ok(), ok);
        }
        let large = (MAX_RANGE_COUNT + 1, vec![[1u8; 32]; 2]);
        assert!(decode::<Range>(&encode(&large).unwrap(), 4096).is_err());
    }

    proptest! {
        #[test]
        fn reading_in_pieces_reads_the_whole_list(n in 1usize..300, piece in 1usize..64) {
            let data = data(n);
            let (leaves, range) = (leaves(&data), range(&data));
            for first in (0..n).step_by(piece) {
                let run = &data[first..n.min(first + piece)];
                let proof = RangeProof::of(&leaves, first, run.len()).unwrap();
                prop_assert!(proof.verify(range.count(), &range.root(), run));
            }
            prop_assert_eq!(&decode::<Range>(&encode(&range).unwrap(), 4096).unwrap(), &range);
            let json = serde_json::to_string(&range).unwrap();
            prop_assert_eq!(serde_json::from_str::<Range>(&json).unwrap(), range);
        }

        #[test]
        fn any_change_to_proof_or_entries_is_refused(
            n in 2usize..200, ends in any::<(Index, Index)>(),
            byte in any::<Index>(), bit in 0u8..8, entry in any::<Index>(),
        ) {
            let data = data(n);
            let (leaves, range) = (leaves(&data), range(&data));
            let (a, b) = (ends.0.index(n), ends.1.index(n));
            let (first, last) = (a.min(b), a.max(b));
            let run = data[first..=last].to_vec();
            let proof = RangeProof::of(&leaves, first, run.len()).unwrap();
            let (count, root) = (range.count(), range.root());
            let mut bytes = encode(&proof).unwrap();
            prop_assert_eq!(&decode::<RangeProof>(&bytes, 1 << 14).unwrap(), &proof);
            let json = serde_json::to_string(&proof).unwrap();
            prop_assert_eq!(&serde_json::from_str::<RangeProof>(&json).unwrap(), &proof);
            let byte = byte.index(bytes.len());
            bytes[byte] ^= 1 << bit;
            if let Ok(tampered) = decode::<RangeProof>(&bytes, 1 << 14) {
                prop_assert!(!tampered.verify(count, &root, &run));
            }
            let entry = entry.index(run.len());
            let mut wrong = run.clone();
            wrong[entry].push(0);
            prop_assert!(!proof.verify(count, &root, &wrong));
            let mut dropped = run.clone();
            dropped.remove(entry);
            prop_assert!(!proof.verify(count, &root, &dropped));
            let mut doubled = run.clone();
            doubled.insert(entry, run[entry].clone());
            prop_assert!(!proof.verify(count, &root, &doubled));
            if run.len() > 1 {
                let mut swapped = run.clone();
                swapped.swap(0, run.len() - 1);
                prop_assert!(!proof.verify(count, &root, &swapped));
            }
            let mut longer = proof.siblings.clone().into_inner();
            longer.push([0; 32]);
            let longer = RangeProof { siblings: List::new(longer).unwrap(), ..proof };
            prop_assert!(!longer.verify(count, &root, &run));
        }
    }
}
