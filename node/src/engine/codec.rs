//! The engine's messages on the wire and in its write-ahead log: the ledger's canonical encoding.
//!
//! The shapes are in [`wire`]; here they are tied to the engine's types. Every decoder has a byte
//! limit, leaves nothing over and checks ranges, so that no peer can make the engine panic.

mod wire;

use bytes::Bytes;
use headwater_ledger::codec::{self, CodecError};
use headwater_ledger::limits;
use malachitebft_app_channel::app::consensus::{LivenessMsg, ProposedValue, SignedConsensusMsg};
use malachitebft_app_channel::app::streaming::StreamMessage;
use malachitebft_app_channel::app::types::codec::{Codec, HasEncodedLen};
use malachitebft_app_channel::app::types::core::{PolkaCertificate, ValidatorProof};
use malachitebft_app_channel::app::types::sync::{Request, Response, Status};

use super::context::{Consensus, PIECE_BYTES, Part};
pub(super) use wire::Payload;
pub(super) use wire::{certificate_from_engine, certificate_to_sync};

/// Most bytes of a vote, proposal, status, request or proof.
const MAX_SMALL: usize = 1 << 10;
/// Most bytes of a message that carries up to two signatures of every validator.
const MAX_SIGNATURES: usize = 256 * limits::MAX_VALIDATORS;
/// Most bytes of a part of a block's stream.
const MAX_PART: usize = PIECE_BYTES + MAX_SMALL;
/// Most bytes of a sync response; one block and its certificate always fit.
pub(super) const MAX_RESPONSE: usize = 2 * limits::MAX_BLOCK_BYTES;

/// The one codec of the log, the network and sync.
#[derive(Clone, Copy, Debug)]
pub(super) struct WireCodec;

/// Implements the engine's codec for a type through its wire shape.
macro_rules! through {
    ($engine:ty, $wire:ty, $max:expr) => {
        impl Codec<$engine> for WireCodec {
            type Error = CodecError;
            fn decode(&self, bytes: Bytes) -> Result<$engine, CodecError> {
                codec::decode::<$wire>(&bytes, $max)?.into_engine()
            }
            fn encode(&self, message: &$engine) -> Result<Bytes, CodecError> {
                codec::encode(&<$wire>::of_engine(message)?).map(Bytes::from)
            }
        }
    };
}

through!(SignedConsensusMsg<Consensus>, wire::Message, MAX_SMALL);
through!(ProposedValue<Consensus>, wire::Proposed, MAX_SMALL);
through!(PolkaCertificate<Consensus>, wire::Polka, MAX_SIGNATURES);
through!(LivenessMsg<Consensus>, wire::Liveness, MAX_SIGNATURES);
through!(StreamMessage<Part>, wire::Stream, MAX_PART);
through!(ValidatorProof<Consensus>, wire::Proof, MAX_SMALL);
through!(Status<Consensus>, wire::PeerStatus, MAX_SMALL);
through!(Request<Consensus>, wire::SyncRequest, MAX_SMALL);
through!(Response<Consensus>, wire::SyncResponse, MAX_RESPONSE);

impl Codec<Part> for WireCodec {
    type Error = CodecError;
    fn decode(&self, bytes: Bytes) -> Result<Part, CodecError> {
        codec::decode(&bytes, MAX_PART)
    }
    fn encode(&self, part: &Part) -> Result<Bytes, CodecError> {
        codec::encode(part).map(Bytes::from)
    }
}

impl HasEncodedLen<Response<Consensus>> for WireCodec {
    fn encoded_len(&self, response: &Response<Consensus>) -> Result<usize, CodecError> {
        wire::response_len(response)
    }
}

#[cfg(test)]
mod tests;
