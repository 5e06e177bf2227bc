//! Salted commitments to content: the rules that turn bytes, a path and a salt into hashes.
//!
//! A content is a list of files. Each file is cut into parts of [`PART_BYTES`]; the parts of a file
//! form a tree, and so do the files of the content. Every part and every file has a salt of its
//! own, derived one way from the holder's [`ContentSalt`], so that one part can be shown to
//! somebody without giving away anything that helps to guess another.
//!
//! Reading files is the client's business; this module sees bytes only.
//! Implements [LED-COM-1] to [LED-COM-7].

use std::fmt;
use std::str::FromStr;

use crate::hash::{Context, Digest};
use crate::merkle::tree::{InclusionProof, Leaf};

/// Bytes of every part of a file but the last. Implements [LED-COM-1].
pub const PART_BYTES: u64 = 1 << 20;
/// Most bytes of a file's path in a content.
pub const MAX_PATH_BYTES: usize = 4_096;

const TAG_FILE: u8 = 1;
const TAG_ENTRY: u8 = 2;
const TAG_PART: u8 = 3;

/// Number of parts of a file of `bytes` bytes. An empty file has one empty part, so that its
/// commitment is salted too. Implements [LED-COM-1].
pub fn part_count(bytes: u64) -> u64 {
    bytes.div_ceil(PART_BYTES).max(1)
}

/// Bytes of part `index` of a file of `file_bytes` bytes; `None` when there is no such part.
/// Implements [LED-COM-1].
pub fn part_bytes(file_bytes: u64, index: u64) -> Option<u64> {
    if index >= part_count(file_bytes) {
        return None;
    }
    Some(file_bytes.checked_sub(index.checked_mul(PART_BYTES)?)?.min(PART_BYTES))
}

/// The holder's secret salt of one content. Without it the commitment says nothing and can never
/// be checked again: deleting it is how a content is erased from the ledger. Implements [LED-COM-2].
#[derive(Clone, PartialEq, Eq)]
pub struct ContentSalt([u8; 32]);

/// The salt of one file; shows that file whole and no other. Implements [LED-COM-2].
#[derive(Clone, PartialEq, Eq)]
pub struct FileSalt([u8; 32]);

/// The salt of one part of one file; shows that part and no other. Implements [LED-COM-2].
#[derive(Clone, PartialEq, Eq)]
pub struct PartSalt([u8; 32]);

/// The salt of one file's entry; shows its path, size and root, not its bytes.
/// Implements [LED-COM-2].
#[derive(Clone, PartialEq, Eq)]
pub struct EntrySalt([u8; 32]);

macro_rules! salt {
    ($name:ident) => {
        impl $name {
            /// The salt of these bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                $name(bytes)
            }
            /// The secret bytes; the caller keeps them safe.
            pub const fn to_bytes(&self) -> [u8; 32] {
                self.0
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

salt!(ContentSalt);
salt!(FileSalt);
salt!(PartSalt);
salt!(EntrySalt);

impl ContentSalt {
    /// The salt of the file at `path`. Implements [LED-COM-2].
    pub fn file(&self, path: &ContentPath) -> FileSalt {
        FileSalt(derive(&self.0, TAG_FILE, path.as_str().as_bytes()))
    }
}

impl FileSalt {
    /// The salt of the file's entry. Implements [LED-COM-2].
    pub fn entry(&self) -> EntrySalt {
        EntrySalt(derive(&self.0, TAG_ENTRY, &[]))
    }
    /// The salt of the file's part `index`. Implements [LED-COM-2].
    pub fn part(&self, index: u64) -> PartSalt {
        PartSalt(derive(&self.0, TAG_PART, &index.to_le_bytes()))
    }
}

fn derive(key: &[u8; 32], tag: u8, rest: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&[tag]);
    hasher.update(rest);
    *hasher.finalize().as_bytes()
}

/// The path of a file within its content: relative, `/` between components, at most
/// [`MAX_PATH_BYTES`] bytes of UTF-8, no empty, `.` or `..` component and no NUL.
/// Ordered by its bytes. Implements [LED-COM-3].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentPath(Box<str>);

/// Why a text is not the path of a file in a content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path {0:?} is not relative, normal and at most {MAX_PATH_BYTES} bytes")]
pub struct BadPath(String);

impl ContentPath {
    /// The empty path: the one file of a content that is a single file. Its name is no part of the
    /// commitment.
    pub fn single_file() -> Self {
        ContentPath("".into())
    }
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ContentPath {
    type Err = BadPath;
    fn from_str(text: &str) -> Result<Self, BadPath> {
        let normal = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        if text.len() <= MAX_PATH_BYTES && text.split('/').all(normal) {
            return Ok(ContentPath(text.into()));
        }
        Err(BadPath(text.chars().take(80).collect()))
    }
}

impl fmt::Display for ContentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ContentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// Hashes one part of a file, given in pieces. Implements [LED-COM-4].
///
/// Salt and index follow the bytes, so that the bytes stay aligned to the hash function's own
/// tree and are hashed at full speed.
pub struct PartHasher(blake3::Hasher);

impl PartHasher {
    /// A part of which nothing is hashed yet.
    pub fn new() -> Self {
        PartHasher(blake3::Hasher::new_derive_key(Context::CONTENT_LEAF.as_str()))
    }
    /// Adds the next bytes of the part.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    /// The entry of the part in its file's tree: `CONTENT_LEAF(bytes ‖ salt ‖ index)`.
    pub fn finish(mut self, salt: &PartSalt, index: u64) -> [u8; 32] {
        self.0.update(&salt.0);
        self.0.update(&index.to_le_bytes());
        *self.0.finalize().as_bytes()
    }
}

impl Default for PartHasher {
    fn default() -> Self {
        Self::new()
    }
}

/// The entry of a file in its content's tree: `CONTENT_FILE(path length ‖ path ‖ size ‖ root of the
/// parts ‖ salt)`. Implements [LED-COM-5].
pub fn file_entry(
    salt: &EntrySalt,
    path: &ContentPath,
    bytes: u64,
    parts_root: &Digest,
) -> [u8; 32] {
    let path = path.as_str().as_bytes();
    // A path has at most `MAX_PATH_BYTES` bytes, so the length always fits.
    let len = u64::try_from(path.len()).unwrap_or(u64::MAX);
    Context::CONTENT_FILE.hash32(&[
        &len.to_le_bytes(),
        path,
        &bytes.to_le_bytes(),
        parts_root.raw(),
        &salt.0,
    ])
}

/// The root of a Merkle tree over 32-byte entries that arrive one by one, in order.
///
/// Gives what [LED-TREE-3] gives for the whole list and keeps only the subtrees not yet joined: 64
/// hashes at the most. Implements [LED-COM-6].
#[derive(Debug, Clone, Default)]
pub struct RootBuilder {
    count: u64,
    /// Complete subtrees, largest first; one for each one-bit of `count`.
    subtrees: Vec<[u8; 32]>,
}

impl RootBuilder {
    /// A tree without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next entry.
    pub fn push(&mut self, entry: &[u8; 32]) {
        let mut node = Context::TREE_LEAF.hash32(&[entry]);
        // Adding one carries through the trailing one-bits: each is a subtree of the same size as
        // the node that reaches it.
        for _ in 0..self.count.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                node = Context::TREE_NODE.hash32(&[&left, &node]);
            }
        }
        self.subtrees.push(node);
        self.count = self.count.saturating_add(1);
    }

    /// The root of the entries so far.
    pub fn root(&self) -> Digest {
        let join = |right: [u8; 32], left: &[u8; 32]| Context::TREE_NODE.hash32(&[left, &right]);
        let mut subtrees = self.subtrees.iter().rev();
        let top = match subtrees.next() {
            Some(smallest) => subtrees.fold(*smallest, join),
            None => [0; 32],
        };
        Context::TREE_ROOT.hash(&[&self.count.to_le_bytes(), &top])
    }
}

/// The root of a content, from its files in the order of their paths. Implements [LED-COM-6].
#[derive(Debug, Clone)]
pub struct ContentBuilder {
    salt: ContentSalt,
    tree: RootBuilder,
    last: Option<ContentPath>,
}

/// Why a file cannot be added to a content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file {0:?} does not come after the file before it")]
pub struct OutOfOrder(ContentPath);

impl ContentBuilder {
    /// A content without files.
    pub fn new(salt: ContentSalt) -> Self {
        ContentBuilder { salt, tree: RootBuilder::new(), last: None }
    }

    /// Adds the file at `path`, with its size and the root over its parts. Refuses a path that
    /// does not come after the last one.
    pub fn push(
        &mut self,
        path: &ContentPath,
        bytes: u64,
        parts_root: &Digest,
    ) -> Result<(), OutOfOrder> {
        if self.last.as_ref().is_some_and(|last| last >= path) {
            return Err(OutOfOrder(path.clone()));
        }
        let salt = self.salt.file(path).entry();
        self.tree.push(&file_entry(&salt, path, bytes, parts_root));
        self.last = Some(path.clone());
        Ok(())
    }

    /// The commitment's root over the files so far.
    pub fn root(&self) -> Digest {
        self.tree.root()
    }
}

/// All that shows one part of one file to somebody who knows the content's root, but the part's
/// bytes. Gives away nothing about any other part. Implements [LED-COM-7].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPart {
    /// The file.
    pub path: ContentPath,
    /// Its size in bytes.
    pub file_bytes: u64,
    /// The root over its parts.
    pub parts_root: Digest,
    /// The salt of its entry.
    pub entry_salt: EntrySalt,
    /// Where its entry stands in the content.
    pub entry_proof: InclusionProof,
    /// The salt of the part.
    pub part_salt: PartSalt,
    /// Where the part stands in the file; its `index` is the part's.
    pub part_proof: InclusionProof,
}

impl ShownPart {
    /// Whether `bytes` are this part of the content with this root. Implements [LED-COM-7].
    pub fn verify(&self, root: &Digest, bytes: &[u8]) -> bool {
        let index = self.part_proof.index;
        if self.part_proof.size != part_count(self.file_bytes)
            || part_bytes(self.file_bytes, index) != u64::try_from(bytes.len()).ok()
        {
            return false;
        }
        let mut part = PartHasher::new();
        part.update(bytes);
        let part = part.finish(&self.part_salt, index);
        let entry = file_entry(&self.entry_salt, &self.path, self.file_bytes, &self.parts_root);
        self.part_proof.verify(&self.parts_root, &Leaf::of(&part))
            && self.entry_proof.verify(root, &Leaf::of(&entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::tree;

    /// The definition of [LED-TREE-3], word for word, on `blake3::derive_key` alone.
    fn naive_top(entries: &[[u8; 32]]) -> [u8; 32] {
        match entries {
            [] => [0; 32],
            [one] => blake3::derive_key("headwater 2026-11 tree leaf", one),
            _ => {
                let mut k = 1;
                while k * 2 < entries.len() {
                    k *= 2;
                }
                let both = [naive_top(&entries[..k]), naive_top(&entries[k..])].concat();
                blake3::derive_key("headwater 2026-11 tree node", &both)
            }
        }
    }

    fn naive_root(entries: &[[u8; 32]]) -> Digest {
        let mut bytes = (entries.len() as u64).to_le_bytes().to_vec();
        bytes.extend(naive_top(entries));
        Digest::Blake3(blake3::derive_key("headwater 2026-11 tree root", &bytes))
    }

    fn path(text: &str) -> ContentPath {
        text.parse().unwrap()
    }

    #[test]
    fn streaming_root_equals_the_recursive_definition() {
        let entries: Vec<[u8; 32]> = (0..70_u8).map(|i| [i; 32]).collect();
        let mut tree = RootBuilder::new();
        assert_eq!(tree.root(), naive_root(&[]));
        for n in 1..=entries.len() {
            tree.push(&entries[n - 1]);
            assert_eq!(tree.root(), naive_root(&entries[..n]), "{n} entries");
            let leaves: Vec<Leaf> = entries[..n].iter().map(|entry| Leaf::of(entry)).collect();
            assert_eq!(tree.root(), tree::root(&leaves), "{n} entries");
        }
    }

    /// A content of two files, the second of three parts, and all that shows its part `index`.
    fn shown(index: u64) -> (Digest, ShownPart, Vec<u8>) {
        let part = |i: u64| vec![i as u8; part_bytes(2 * PART_BYTES + 5, i).unwrap() as usize];
        let salt = ContentSalt::from_bytes([7; 32]);
        let file_salt = salt.file(&path("b/c"));
        let mut parts = RootBuilder::new();
        let mut leaves = Vec::new();
        for i in 0..3 {
            let mut hasher = PartHasher::new();
            hasher.update(&part(i));
            let leaf = hasher.finish(&file_salt.part(i), i);
            parts.push(&leaf);
            leaves.push(Leaf::of(&leaf));
        }
        let (a_root, file_bytes) = (Digest::Blake3([3; 32]), 2 * PART_BYTES + 5);
        let mut content = ContentBuilder::new(salt.clone());
        content.push(&path("a"), 9, &a_root).unwrap();
        content.push(&path("b/c"), file_bytes, &parts.root()).unwrap();
        let entries = [
            file_entry(&salt.file(&path("a")).entry(), &path("a"), 9, &a_root),
            file_entry(&file_salt.entry(), &path("b/c"), file_bytes, &parts.root()),
        ]
        .map(|entry| Leaf::of(&entry));
        let shown = ShownPart {
            path: path("b/c"),
            file_bytes,
            parts_root: parts.root(),
            entry_salt: file_salt.entry(),
            entry_proof: InclusionProof::of(&entries, 1).unwrap(),
            part_salt: file_salt.part(index),
            part_proof: InclusionProof::of(&leaves, index as usize).unwrap(),
        };
        (content.root(), shown, part(index))
    }

    #[test]
    fn a_part_is_shown_without_the_others() {
        for index in 0..3 {
            let (root, shown, bytes) = shown(index);
            assert!(shown.verify(&root, &bytes), "part {index}");
        }
    }

    #[test]
    fn a_shown_part_cannot_lie_about_anything() {
        let (root, honest, bytes) = shown(2);
        let lies: [fn(&mut ShownPart); 9] = [
            |s| s.path = path("b/d"),
            |s| s.file_bytes += 1,
            |s| s.file_bytes += PART_BYTES,
            |s| s.parts_root = Digest::Blake3([0; 32]),
            |s| s.entry_salt = EntrySalt::from_bytes([0; 32]),
            |s| s.part_salt = PartSalt::from_bytes([0; 32]),
            |s| s.part_proof.index = 1,
            |s| s.part_proof.size = 4,
            |s| s.entry_proof.index = 0,
        ];
        for (at, lie) in lies.iter().enumerate() {
            let mut shown = honest.clone();
            lie(&mut shown);
            assert!(!shown.verify(&root, &bytes), "lie {at}");
        }
        assert!(!honest.verify(&Digest::Blake3([0; 32]), &bytes));
        assert!(!honest.verify(&root, &bytes[1..]));
        assert!(!honest.verify(&root, &[1; 5]));
    }

    #[test]
    fn part_sizes_add_up_to_the_file() {
        for bytes in [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES] {
            let parts = part_count(bytes);
            let sizes: Vec<u64> = (0..parts).map(|i| part_bytes(bytes, i).unwrap()).collect();
            assert_eq!(sizes.iter().sum::<u64>(), bytes);
            assert!(sizes.iter().rev().skip(1).all(|&size| size == PART_BYTES));
            assert_eq!(part_bytes(bytes, parts), None);
        }
        assert_eq!(part_count(0), 1);
        assert_eq!(part_count(2 * PART_BYTES), 2);
        assert_eq!(part_count(u64::MAX), 1 << 44);
    }

    #[test]
    fn a_part_depends_on_its_bytes_its_salt_and_its_index() {
        let leaf = |bytes: &[u8], salt: u8, index: u64| {
            let mut part = PartHasher::new();
            part.update(bytes);
            part.finish(&PartSalt::from_bytes([salt; 32]), index)
        };
        let base = leaf(b"age,sex\n", 1, 0);
        for other in [leaf(b"age,sex", 1, 0), leaf(b"age,sex\n", 2, 0), leaf(b"age,sex\n", 1, 1)] {
            assert_ne!(base, other);
        }
        let mut pieces = PartHasher::new();
        pieces.update(b"age,");
        pieces.update(b"sex\n");
        assert_eq!(base, pieces.finish(&PartSalt::from_bytes([1; 32]), 0));
        let whole = [b"age,sex\n".as_slice(), &[1; 32], &[0; 8]].concat();
        assert_eq!(base, blake3::derive_key("headwater 2026-11 content leaf", &whole));
    }

    #[test]
    fn an_entry_depends_on_every_field() {
        let entry = |salt: u8, text: &str, bytes: u64, root: u8| {
            let salt = EntrySalt::from_bytes([salt; 32]);
            file_entry(&salt, &path(text), bytes, &Digest::Blake3([root; 32]))
        };
        let base = entry(1, "a/b", 5, 9);
        for other in [entry(2, "a/b", 5, 9), entry(1, "a/c", 5, 9), entry(1, "a/b", 6, 9)] {
            assert_ne!(base, other);
        }
        assert_ne!(base, entry(1, "a/b", 5, 8));
        let mut bytes = 3_u64.to_le_bytes().to_vec();
        bytes.extend(b"a/b");
        bytes.extend(5_u64.to_le_bytes());
        bytes.extend([9; 32]);
        bytes.extend([1; 32]);
        assert_eq!(base, blake3::derive_key("headwater 2026-11 content file", &bytes));
    }

    #[test]
    fn salts_of_files_parts_and_entries_all_differ() {
        let content = ContentSalt::from_bytes([7; 32]);
        let (a, b) = (content.file(&path("a")), content.file(&path("b")));
        let all = [
            content.to_bytes(),
            content.file(&ContentPath::single_file()).to_bytes(),
            a.to_bytes(),
            b.to_bytes(),
            a.entry().to_bytes(),
            b.entry().to_bytes(),
            a.part(0).to_bytes(),
            a.part(1).to_bytes(),
            b.part(0).to_bytes(),
        ];
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
        assert_eq!(a.to_bytes(), *blake3::keyed_hash(&[7; 32], b"\x01a").as_bytes());
        assert_eq!(a.entry().to_bytes(), *blake3::keyed_hash(&a.to_bytes(), &[2]).as_bytes());
        let part_one = [3, 1, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(a.part(1).to_bytes(), *blake3::keyed_hash(&a.to_bytes(), &part_one).as_bytes());
    }

    #[test]
    fn salts_are_not_shown_by_debug() {
        assert_eq!(format!("{:?}", ContentSalt::from_bytes([0xab; 32])), "ContentSalt(…)");
        assert_eq!(format!("{:?}", PartSalt::from_bytes([0xab; 32])), "PartSalt(…)");
    }

    #[test]
    fn paths_are_relative_and_normal() {
        for good in ["a", "a/b.csv", "病历/一.csv", "..a", "a b", "a\\b"] {
            assert_eq!(path(good).as_str(), good);
        }
        for bad in ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\0b"] {
            assert!(bad.parse::<ContentPath>().is_err(), "{bad:?}");
        }
        assert!("a".repeat(MAX_PATH_BYTES).parse::<ContentPath>().is_ok());
        assert!("a".repeat(MAX_PATH_BYTES + 1).parse::<ContentPath>().is_err());
    }

    #[test]
    fn files_come_once_and_in_the_order_of_their_path_bytes() {
        let root = Digest::Blake3([0; 32]);
        let mut content = ContentBuilder::new(ContentSalt::from_bytes([7; 32]));
        // '-' (0x2d) sorts before '/' (0x2f): whole paths are compared, not components.
        content.push(&path("a-b"), 1, &root).unwrap();
        content.push(&path("a/b"), 1, &root).unwrap();
        assert_eq!(content.push(&path("a/b"), 1, &root), Err(OutOfOrder(path("a/b"))));
        assert_eq!(content.push(&path("a"), 1, &root), Err(OutOfOrder(path("a"))));
    }
}
