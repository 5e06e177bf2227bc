//! What is derived from names, so that a story needs no hexadecimal: keys, hashes, sources.

use crate::codec::{CodecError, List};
use crate::event::aggregate::SumNode;
use crate::hash::Digest;
use crate::keys::SigningKey;
use crate::limits::MAX_PROOF;
use crate::merkle::sum::{Node, Tree};
use crate::text::Handle;

/// The key of this name of a member.
pub fn signing_key(member: &Handle, name: &str) -> SigningKey {
    let text = format!("{member}/{name}");
    SigningKey::from_seed(&blake3::derive_key("headwater 2026-11 scenario key", text.as_bytes()))
}

/// The hash that stands for a text: a report, a reason, an object that does not exist.
pub fn label(text: &str) -> Digest {
    Digest::Blake3(blake3::derive_key("headwater 2026-11 scenario label", text.as_bytes()))
}

/// The text whose hash is the content of an asset that states no other.
pub fn content_of(author: &Handle, name: &str) -> String {
    format!("content of {author}/{name}")
}

/// The Merkle-sum tree over sources; none when there are none, or more than 64 bits hold.
fn sum_tree(sources: &[(String, u64)]) -> Option<Tree> {
    Tree::new(sources.iter().map(|s| Node::leaf(&label(&s.0), s.1)).collect())
}

/// Root and sum of the Merkle-sum tree over sources.
pub fn sum_root(sources: &[(String, u64)]) -> (Digest, u64) {
    let root = sum_tree(sources).and_then(|tree| tree.root());
    root.map_or((label("no sources"), 0), |root| (root.hash, root.sum))
}

/// The nodes beside the path of the source at a place.
pub fn sum_proof(
    sources: &[(String, u64)],
    place: usize,
) -> Result<List<SumNode, MAX_PROOF>, CodecError> {
    let path = sum_tree(sources).and_then(|tree| tree.path(place)).unwrap_or_default();
    let path = path.iter().map(|n| SumNode { hash: n.hash, sum: n.sum }).collect();
    List::new(path).map_err(|_| CodecError::OverLimit)
}
