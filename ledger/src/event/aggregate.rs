//! Aggregates: many sources behind one owner's part of a right, sealed by one commitment.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::List;
use crate::hash::{AccountId, AggregateId, AssetId, Digest};
use crate::limits::MAX_PROOF;
use crate::split::Right;
use crate::text::Code;

/// `seal_sources`: an owner of a right commits, once for the right, to the sources among which he
/// hands on what he is paid for it: the root of a Merkle-sum tree over (source, weight), their
/// number and the sum of their weights. Implements [LED-AGG-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealSources {
    /// The asset.
    pub asset: AssetId,
    /// The right of which the author owns a part.
    pub right: Right,
    /// Root of the Merkle-sum tree.
    pub root: Digest,
    /// Number of sources, 1 to 20 000.
    pub sources: u32,
    /// Sum of their weights, at least 1.
    pub total_weight: u64,
}

/// One node beside the path of a Merkle-sum proof.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SumNode {
    /// Its hash.
    pub hash: Digest,
    /// Sum of the weights below it.
    pub sum: u64,
}

/// `pay_source`: the owner has handed a source its part. Over time a source gets at most its
/// weight's part of all that the owner was paid on the account for this right, rounded down;
/// what is below a minor unit is carried to the next. Implements [LED-AGG-2].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaySource {
    /// The aggregate.
    pub aggregate: AggregateId,
    /// The account the money came from.
    pub account: AccountId,
    /// The source's salted commitment.
    pub source: Digest,
    /// Its weight.
    pub weight: u64,
    /// Its place among the sources, from 0.
    pub index: u64,
    /// The nodes beside its path, from the leaf up.
    #[serde(default)]
    pub proof: List<SumNode, MAX_PROOF>,
    /// Minor units, at least 1.
    pub amount: u64,
    /// The payer's reference, unique for him.
    pub bank_reference: Code,
}
