//! Use of data in a secure environment, usable and not extractable.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::asset::Purpose;
use super::market::Decision;
use crate::codec::List;
use crate::hash::{AccessId, AssetId, Digest};
use crate::limits::MAX_CHOICES;
use crate::text::Handle;

/// `request_access`: a member asks to work with an asset inside a secure environment.
/// Implements [LED-ACC-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestAccess {
    /// The asset.
    pub asset: AssetId,
    /// What for; at least one purpose, each once, within those of the asset.
    pub purposes: List<Purpose, MAX_CHOICES>,
    /// The member that runs the environment and logs the use.
    pub environment: Handle,
    /// End of the access asked for, milliseconds since 1970.
    pub not_after_ms: u64,
}

/// `decide_access`: whoever acts for the processing right decides, and ends what was granted by
/// rejecting it. Implements [LED-ACC-2].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideAccess {
    /// The access.
    pub access: AccessId,
    /// Accept or reject.
    pub decision: Decision,
}

/// `record_usage`: the environment logs one job run under an access that is in force.
/// Implements [LED-ACC-3].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordUsage {
    /// The access.
    pub access: AccessId,
    /// Salted hash of the job's code; unique for the access.
    pub job: Digest,
    /// Records read.
    pub rows: u64,
    /// Content commitment of what left the environment; absent when nothing did. An asset
    /// registered with this content root matches it.
    #[serde(default)]
    pub output: Option<Digest>,
}
