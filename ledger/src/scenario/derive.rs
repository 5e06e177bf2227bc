//! What is derived from names, so that a story needs no hexadecimal: keys, hashes, sources.

use crate::codec::{CodecError, List};
use crate::event::aggregate::SumNode;
use crate::hash::{Context, Digest};
use crate::keys::SigningKey;
use crate::limits::MAX_PROOF;
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

/// A node of a Merkle-sum tree.
type Node = (Digest, u64);

fn leaf(source: &str, weight: u64) -> Node {
    let parts: [&[u8]; 2] = [&label(source).to_bytes(), &weight.to_le_bytes()];
    (Context::SUM_LEAF.hash(&parts), weight)
}

fn join(left: &Node, right: &Node) -> Node {
    let parts: [&[u8]; 4] =
        [left.0.raw(), &left.1.to_le_bytes(), right.0.raw(), &right.1.to_le_bytes()];
    (Context::SUM_NODE.hash(&parts), left.1.saturating_add(right.1))
}

fn layer_above(layer: &[Node]) -> Vec<Node> {
    let up = |pair: &[Node]| match pair {
        [left, right] => Some(join(left, right)),
        other => other.first().copied(),
    };
    layer.chunks(2).filter_map(up).collect()
}

/// Root and sum of the Merkle-sum tree over sources.
pub fn sum_root(sources: &[(String, u64)]) -> (Digest, u64) {
    let mut layer: Vec<Node> = sources.iter().map(|s| leaf(&s.0, s.1)).collect();
    while layer.len() > 1 {
        layer = layer_above(&layer);
    }
    layer.first().copied().unwrap_or((label("no sources"), 0))
}

/// The nodes beside the path of the source at a place.
pub fn sum_proof(
    sources: &[(String, u64)],
    place: usize,
) -> Result<List<SumNode, MAX_PROOF>, CodecError> {
    let mut layer: Vec<Node> = sources.iter().map(|s| leaf(&s.0, s.1)).collect();
    let (mut place, mut path) = (place, Vec::new());
    while layer.len() > 1 {
        path.extend(layer.get(place ^ 1).map(|(hash, sum)| SumNode { hash: *hash, sum: *sum }));
        layer = layer_above(&layer);
        place >>= 1;
    }
    List::new(path).map_err(|_| CodecError::OverLimit)
}
