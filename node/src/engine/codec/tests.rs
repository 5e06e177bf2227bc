//! Every message comes back as it went; nothing else is accepted and nothing panics.

use super::*;
use headwater_ledger::hash::{BlockId, Digest, ValidatorAddress};
use headwater_ledger::keys::{Signature, SigningKey};
use malachitebft_app_channel::app::streaming::{StreamContent, StreamId};
use malachitebft_app_channel::app::types::PeerId;
use malachitebft_app_channel::app::types::core::{
    ExtendedCommitCertificate, ExtendedCommitSignature, NilOrVal, PolkaSignature, Round,
    RoundCertificate, RoundCertificateType, RoundSignature, SignedMessage, Validity, VoteType,
};
use malachitebft_app_channel::app::types::sync::RawDecidedValue;
use malachitebft_sync::{ValueRequest, ValueResponse};
use proptest::prelude::*;

use crate::engine::context::{Address, Height, PartInit, Proposal, Value, Vote};

fn block_id(seed: u8) -> BlockId {
    BlockId::from_digest(Digest::Blake3([seed; 32]))
}
fn address(seed: u8) -> Address {
    Address(ValidatorAddress::from_digest(Digest::Blake3([seed; 32])))
}
fn signature(seed: u8) -> Signature {
    SigningKey::from_seed(&[seed; 32]).sign(b"message")
}

fn vote(kind: VoteType, value: NilOrVal<Value>) -> SignedMessage<Consensus, Vote> {
    let (height, round) = (Height(7), Round::new(u32::MAX));
    SignedMessage::new(Vote { kind, height, round, value, validator: address(3) }, signature(1))
}

fn proposal(pol_round: Round) -> SignedConsensusMsg<Consensus> {
    let (height, round, value) = (Height(u64::MAX), Round::new(2), Value(block_id(9)));
    let proposal = Proposal { height, round, value, pol_round, proposer: address(4) };
    SignedConsensusMsg::Proposal(SignedMessage::new(proposal, signature(2)))
}

/// Encodes, decodes and compares; then refuses every shorter and longer input.
fn returns<T: PartialEq + std::fmt::Debug>(message: T)
where
    WireCodec: Codec<T, Error = CodecError>,
{
    let bytes = WireCodec.encode(&message).unwrap();
    assert_eq!(WireCodec.decode(bytes.clone()).unwrap(), message);
    for end in 0..bytes.len() {
        let short: Result<T, _> = WireCodec.decode(bytes.slice(..end));
        assert!(short.is_err(), "{end} of {} bytes", bytes.len());
    }
    let long: Result<T, _> = WireCodec.decode([&bytes[..], &[0]].concat().into());
    assert!(long.is_err());
}

#[test]
fn votes_and_proposals_return() {
    for kind in [VoteType::Prevote, VoteType::Precommit] {
        for value in [NilOrVal::Nil, NilOrVal::Val(Value(block_id(5)))] {
            returns(SignedConsensusMsg::Vote(vote(kind, value)));
        }
    }
    returns(proposal(Round::Nil));
    returns(proposal(Round::new(0)));
}

#[test]
fn a_vote_without_a_round_is_not_encoded() {
    let mut signed = vote(VoteType::Prevote, NilOrVal::Nil);
    signed.message.round = Round::Nil;
    assert!(WireCodec.encode(&SignedConsensusMsg::Vote(signed)).is_err());
}

#[test]
fn proposed_values_return() {
    for validity in [Validity::Valid, Validity::Invalid] {
        returns(ProposedValue {
            height: Height(1),
            round: Round::new(0),
            valid_round: Round::Nil,
            proposer: address(1),
            value: Value(block_id(2)),
            validity,
        });
    }
}

#[test]
fn liveness_messages_return() {
    let polka = PolkaCertificate {
        height: Height(3),
        round: Round::new(1),
        value_id: Value(block_id(1)),
        polka_signatures: vec![PolkaSignature::new(address(1), signature(1)); 3],
    };
    returns(polka.clone());
    returns(LivenessMsg::PolkaCertificate(polka));
    returns(LivenessMsg::Vote(vote(VoteType::Precommit, NilOrVal::Nil)));
    for cert_type in [RoundCertificateType::Skip, RoundCertificateType::Precommit] {
        returns(LivenessMsg::SkipRoundCertificate(RoundCertificate {
            height: Height(3),
            round: Round::new(1),
            cert_type,
            round_signatures: vec![
                RoundSignature::new(VoteType::Prevote, NilOrVal::Nil, address(1), signature(1)),
                RoundSignature::new(
                    VoteType::Precommit,
                    NilOrVal::Val(Value(block_id(1))),
                    address(2),
                    signature(2),
                ),
            ],
        }));
    }
}

fn init() -> Part {
    Part::Init(PartInit {
        height: 4,
        round: 2,
        proposer: address(1).0,
        block_id: block_id(3),
        block_bytes: 77,
        signature: signature(3),
    })
}

#[test]
fn streams_return_and_a_piece_is_bounded() {
    let id = || StreamId::new(Bytes::from_static(b"0123456789abcdef"));
    returns(init());
    returns(StreamMessage::new(id(), 0, StreamContent::Data(init())));
    returns(StreamMessage::<Part>::new(id(), 9, StreamContent::Fin));
    let piece = |len| Part::Piece(Payload(Bytes::from(vec![7; len])));
    returns(StreamMessage::new(id(), 1, StreamContent::Data(piece(300))));

    let whole = StreamMessage::new(id(), 1, StreamContent::Data(piece(PIECE_BYTES)));
    let bytes = WireCodec.encode(&whole).unwrap();
    assert_eq!(Codec::<StreamMessage<Part>>::decode(&WireCodec, bytes).unwrap(), whole);
    let over = WireCodec.encode(&piece(PIECE_BYTES + 1)).unwrap();
    let decoded: Result<Part, _> = WireCodec.decode(over);
    assert_eq!(
        decoded.unwrap_err().to_string(),
        "not a canonical encoding: Other(\"more bytes than their limit\")"
    );
}

#[test]
fn sync_messages_return() {
    let peer_id: PeerId = crate::engine::peer_id(&[1; 32]).parse().unwrap();
    let (tip_height, history_min_height) = (Height(9), Height(1));
    returns(Status::<Consensus> { peer_id, tip_height, history_min_height });
    returns(Request::ValueRequest(ValueRequest::<Consensus>::new(Height(2)..=Height(5))));
    returns(ValidatorProof::<Consensus>::new(vec![1; 32], vec![2; 38], signature(1)));

    let certificate = ExtendedCommitCertificate {
        height: Height(2),
        round: Round::new(3),
        value_id: Value(block_id(1)),
        commit_signatures: vec![ExtendedCommitSignature::new(address(1), signature(1), None); 3],
    };
    let value = RawDecidedValue::<Consensus>::new(Bytes::from(vec![3; 50]), certificate);
    let response =
        Response::ValueResponse(ValueResponse::new(Height(2), vec![value.clone(), value]));
    let bytes = WireCodec.encode(&response).unwrap();
    assert_eq!(WireCodec.encoded_len(&response).unwrap(), bytes.len());
    returns(response);
}

#[test]
fn the_largest_block_fits_a_response() {
    let certificate = ExtendedCommitCertificate {
        height: Height(2),
        round: Round::new(3),
        value_id: Value(block_id(1)),
        commit_signatures: vec![
            ExtendedCommitSignature::new(address(1), signature(1), None);
            limits::MAX_VALIDATORS
        ],
    };
    let block = Bytes::from(vec![3; limits::MAX_BLOCK_BYTES]);
    let value = RawDecidedValue::<Consensus>::new(block, certificate);
    let response = Response::ValueResponse(ValueResponse::new(Height(2), vec![value]));
    let bytes = WireCodec.encode(&response).unwrap();
    assert_eq!(Codec::<Response<Consensus>>::decode(&WireCodec, bytes).unwrap(), response);
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let bytes = Bytes::from(bytes);
        let _ = Codec::<SignedConsensusMsg<Consensus>>::decode(&WireCodec, bytes.clone());
        let _ = Codec::<LivenessMsg<Consensus>>::decode(&WireCodec, bytes.clone());
        let _ = Codec::<StreamMessage<Part>>::decode(&WireCodec, bytes.clone());
        let _ = Codec::<Status<Consensus>>::decode(&WireCodec, bytes.clone());
        let _ = Codec::<Response<Consensus>>::decode(&WireCodec, bytes.clone());
        let _ = Codec::<ValidatorProof<Consensus>>::decode(&WireCodec, bytes);
    }

    #[test]
    fn a_changed_vote_is_another_vote_or_none(at in 0usize..200, bit in 0u8..8) {
        let message = SignedConsensusMsg::Vote(vote(VoteType::Prevote, NilOrVal::Nil));
        let mut bytes = WireCodec.encode(&message).unwrap().to_vec();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(decoded) = Codec::<SignedConsensusMsg<Consensus>>::decode(&WireCodec, bytes.into()) {
            prop_assert_ne!(decoded, message);
        }
    }
}
