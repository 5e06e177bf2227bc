//! Blocks: a header that commits to envelopes and to the state after them. Implements [LED-BLK-1].

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError};
use crate::envelope::SignedEnvelope;
use crate::hash::{BlockId, ChainId, Context, Digest, ValidatorAddress};
use crate::limits::MAX_BLOCK_BYTES;

/// What validators vote on. The state root is that *after* the block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Protocol version the block was executed under.
    pub protocol: u32,
    /// Version of the rulebook the block was executed under.
    pub rulebook: u32,
    /// The chain.
    pub chain_id: ChainId,
    /// Height, from 1.
    pub height: u64,
    /// Block time, milliseconds since 1970; strictly above the parent's.
    pub time_ms: u64,
    /// The parent's id; for height 1 the chain id's digest.
    pub parent: BlockId,
    /// Merkle root of the envelopes' leaves.
    pub envelope_root: Digest,
    /// Number of envelopes.
    pub envelopes: u32,
    /// Number of events.
    pub events: u32,
    /// Root of the state map after this block.
    pub state_root: Digest,
    /// Hash of the validator set that decides this height.
    pub validators: Digest,
    /// Hash of the validator set that decides the next height.
    pub next_validators: Digest,
    /// Who proposed it.
    pub proposer: ValidatorAddress,
}

impl Header {
    /// The block's id.
    pub fn id(&self) -> Result<BlockId, CodecError> {
        Ok(BlockId::from_digest(Context::BLOCK.hash(&[&codec::encode(self)?])))
    }

    /// Reads the header at the begin of a block's bytes and checks nothing else.
    pub fn of_block(block: &[u8]) -> Result<Header, CodecError> {
        codec::decode_prefix(block).map(|(header, _)| header)
    }
}

/// A header and its envelopes. At most [`MAX_BLOCK_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The envelopes in order of execution.
    pub envelopes: Vec<SignedEnvelope>,
}

impl Block {
    /// The bytes that are proposed, stored and synchronised.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode(self)
    }

    /// Decodes a block strictly.
    pub fn from_bytes(bytes: &[u8]) -> Result<Block, CodecError> {
        codec::decode(bytes, MAX_BLOCK_BYTES)
    }
}
