//! The wire shapes of the engine's messages and their conversions. Implements [LED-WIRE-1].

use bincode::de::read::Reader;
use bincode::de::{BorrowDecoder, Decoder};
use bincode::enc::Encoder;
use bincode::enc::write::Writer;
use bincode::error::{DecodeError, EncodeError};
use bincode::{BorrowDecode, Decode, Encode};
use bytes::Bytes;
use headwater_ledger::certificate::{CommitCertificate, CommitSignature};
use headwater_ledger::codec::{self, CodecError, List};
use headwater_ledger::hash::{BlockId, ValidatorAddress};
use headwater_ledger::keys::Signature;
use headwater_ledger::limits::{MAX_BLOCK_BYTES, MAX_VALIDATORS};
use malachitebft_app_channel::app::consensus::{LivenessMsg, ProposedValue, SignedConsensusMsg};
use malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use malachitebft_app_channel::app::types::PeerId;
use malachitebft_app_channel::app::types::core as engine;
use malachitebft_app_channel::app::types::core::{NilOrVal, Round, SignedMessage, Validity};
use malachitebft_app_channel::app::types::sync as engine_sync;
use malachitebft_sync::{ValueRequest, ValueResponse};

use crate::engine::context::{Address, Consensus, Height, Part, Proposal, Value, Vote};

type Decoded<T> = Result<T, CodecError>;

fn refuse<T>(why: &str) -> Decoded<T> {
    Err(CodecError::NotCanonical(why.into()))
}

/// Bytes of which there are at most `MAX`; the bound is checked before anything is allocated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Payload<const MAX: usize>(pub Bytes);

impl<const MAX: usize> Encode for Payload<MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (self.0.len() as u64).encode(encoder)?;
        encoder.writer().write(&self.0)
    }
}

impl<C, const MAX: usize> Decode<C> for Payload<MAX> {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let len = usize::try_from(u64::decode(decoder)?).unwrap_or(usize::MAX);
        if len > MAX {
            return Err(DecodeError::Other("more bytes than their limit"));
        }
        decoder.claim_bytes_read(len)?;
        let mut bytes = vec![0; len];
        decoder.reader().read(&mut bytes)?;
        Ok(Payload(bytes.into()))
    }
}

impl<'de, C, const MAX: usize> BorrowDecode<'de, C> for Payload<MAX> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(d: &mut D) -> Result<Self, DecodeError> {
        <Self as Decode<C>>::decode(d)
    }
}

/// The number of a round that has one. Votes and certificates always do.
fn number(round: Round) -> Decoded<u32> {
    round.as_u32().map_or_else(|| refuse("a round without a number"), Ok)
}

fn nil_or(block: Option<BlockId>) -> NilOrVal<Value> {
    block.map_or(NilOrVal::Nil, |id| NilOrVal::Val(Value(id)))
}

fn block_of(value: &NilOrVal<Value>) -> Option<BlockId> {
    match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(value) => Some(value.0),
    }
}

fn bounded<T, const MAX: usize>(items: Vec<T>) -> Decoded<List<T, MAX>> {
    List::new(items).or_else(|_| refuse("more signatures than validators"))
}

#[derive(Encode, Decode)]
enum VoteKind {
    Prevote,
    Precommit,
}

impl VoteKind {
    fn of_engine(kind: engine::VoteType) -> Self {
        match kind {
            engine::VoteType::Prevote => VoteKind::Prevote,
            engine::VoteType::Precommit => VoteKind::Precommit,
        }
    }
    fn into_engine(self) -> engine::VoteType {
        match self {
            VoteKind::Prevote => engine::VoteType::Prevote,
            VoteKind::Precommit => engine::VoteType::Precommit,
        }
    }
}

#[derive(Encode, Decode)]
pub(super) struct SignedVote {
    kind: VoteKind,
    height: u64,
    round: u32,
    block_id: Option<BlockId>,
    validator: ValidatorAddress,
    signature: Signature,
}

impl SignedVote {
    fn of_engine(vote: &engine::SignedVote<Consensus>) -> Decoded<Self> {
        let Vote { kind, height, round, value, validator } = &vote.message;
        Ok(SignedVote {
            kind: VoteKind::of_engine(*kind),
            height: height.0,
            round: number(*round)?,
            block_id: block_of(value),
            validator: validator.0,
            signature: vote.signature,
        })
    }
    fn into_engine(self) -> engine::SignedVote<Consensus> {
        let vote = Vote {
            kind: self.kind.into_engine(),
            height: Height(self.height),
            round: Round::new(self.round),
            value: nil_or(self.block_id),
            validator: Address(self.validator),
        };
        SignedMessage::new(vote, self.signature)
    }
}

#[derive(Encode, Decode)]
pub(super) struct SignedProposal {
    height: u64,
    round: u32,
    block_id: BlockId,
    pol_round: Option<u32>,
    proposer: ValidatorAddress,
    signature: Signature,
}

#[derive(Encode, Decode)]
pub(super) enum Message {
    Vote(SignedVote),
    Proposal(SignedProposal),
}

impl Message {
    pub fn of_engine(message: &SignedConsensusMsg<Consensus>) -> Decoded<Self> {
        Ok(match message {
            SignedConsensusMsg::Vote(vote) => Message::Vote(SignedVote::of_engine(vote)?),
            SignedConsensusMsg::Proposal(proposal) => Message::Proposal(SignedProposal {
                height: proposal.message.height.0,
                round: number(proposal.message.round)?,
                block_id: proposal.message.value.0,
                pol_round: proposal.message.pol_round.as_u32(),
                proposer: proposal.message.proposer.0,
                signature: proposal.signature,
            }),
        })
    }
    pub fn into_engine(self) -> Decoded<SignedConsensusMsg<Consensus>> {
        Ok(match self {
            Message::Vote(vote) => SignedConsensusMsg::Vote(vote.into_engine()),
            Message::Proposal(p) => SignedConsensusMsg::Proposal(SignedMessage::new(
                Proposal {
                    height: Height(p.height),
                    round: Round::new(p.round),
                    value: Value(p.block_id),
                    pol_round: Round::from(p.pol_round),
                    proposer: Address(p.proposer),
                },
                p.signature,
            )),
        })
    }
}

#[derive(Encode, Decode)]
pub(super) struct Proposed {
    height: u64,
    round: Option<u32>,
    valid_round: Option<u32>,
    proposer: ValidatorAddress,
    block_id: BlockId,
    valid: bool,
}

impl Proposed {
    pub fn of_engine(value: &ProposedValue<Consensus>) -> Decoded<Self> {
        Ok(Proposed {
            height: value.height.0,
            round: value.round.as_u32(),
            valid_round: value.valid_round.as_u32(),
            proposer: value.proposer.0,
            block_id: value.value.0,
            valid: value.validity.is_valid(),
        })
    }
    pub fn into_engine(self) -> Decoded<ProposedValue<Consensus>> {
        Ok(ProposedValue {
            height: Height(self.height),
            round: Round::from(self.round),
            valid_round: Round::from(self.valid_round),
            proposer: Address(self.proposer),
            value: Value(self.block_id),
            validity: Validity::from_bool(self.valid),
        })
    }
}

#[derive(Encode, Decode)]
pub(super) struct Polka {
    height: u64,
    round: u32,
    block_id: BlockId,
    signatures: List<CommitSignature, MAX_VALIDATORS>,
}

impl Polka {
    pub fn of_engine(polka: &engine::PolkaCertificate<Consensus>) -> Decoded<Self> {
        let signatures = polka.polka_signatures.iter();
        let signatures = signatures.map(|s| signature_of(&s.address, s.signature)).collect();
        Ok(Polka {
            height: polka.height.0,
            round: number(polka.round)?,
            block_id: polka.value_id.0,
            signatures: bounded(signatures)?,
        })
    }
    pub fn into_engine(self) -> Decoded<engine::PolkaCertificate<Consensus>> {
        let signatures = self.signatures.into_inner().into_iter();
        let convert =
            |s: CommitSignature| engine::PolkaSignature::new(Address(s.validator), s.signature);
        Ok(engine::PolkaCertificate {
            height: Height(self.height),
            round: Round::new(self.round),
            value_id: Value(self.block_id),
            polka_signatures: signatures.map(convert).collect(),
        })
    }
}

fn signature_of(address: &Address, signature: Signature) -> CommitSignature {
    CommitSignature { validator: address.0, signature }
}

#[derive(Encode, Decode)]
pub(super) struct RoundSignature {
    kind: VoteKind,
    block_id: Option<BlockId>,
    signature: CommitSignature,
}

#[derive(Encode, Decode)]
pub(super) struct RoundCertificate {
    height: u64,
    round: u32,
    skip: bool,
    signatures: List<RoundSignature, { 2 * MAX_VALIDATORS }>,
}

#[derive(Encode, Decode)]
pub(super) enum Liveness {
    Vote(SignedVote),
    Polka(Polka),
    Round(RoundCertificate),
}

impl Liveness {
    pub fn of_engine(message: &LivenessMsg<Consensus>) -> Decoded<Self> {
        Ok(match message {
            LivenessMsg::Vote(vote) => Liveness::Vote(SignedVote::of_engine(vote)?),
            LivenessMsg::PolkaCertificate(polka) => Liveness::Polka(Polka::of_engine(polka)?),
            LivenessMsg::SkipRoundCertificate(round) => {
                let convert = |s: &engine::RoundSignature<Consensus>| RoundSignature {
                    kind: VoteKind::of_engine(s.vote_type),
                    block_id: block_of(&s.value_id),
                    signature: signature_of(&s.address, s.signature),
                };
                Liveness::Round(RoundCertificate {
                    height: round.height.0,
                    round: number(round.round)?,
                    skip: matches!(round.cert_type, engine::RoundCertificateType::Skip),
                    signatures: bounded(round.round_signatures.iter().map(convert).collect())?,
                })
            }
        })
    }
    pub fn into_engine(self) -> Decoded<LivenessMsg<Consensus>> {
        Ok(match self {
            Liveness::Vote(vote) => LivenessMsg::Vote(vote.into_engine()),
            Liveness::Polka(polka) => LivenessMsg::PolkaCertificate(polka.into_engine()?),
            Liveness::Round(r) => {
                let convert = |s: RoundSignature| {
                    engine::RoundSignature::new(
                        s.kind.into_engine(),
                        nil_or(s.block_id),
                        Address(s.signature.validator),
                        s.signature.signature,
                    )
                };
                LivenessMsg::SkipRoundCertificate(engine::RoundCertificate {
                    height: Height(r.height),
                    round: Round::new(r.round),
                    cert_type: match r.skip {
                        true => engine::RoundCertificateType::Skip,
                        false => engine::RoundCertificateType::Precommit,
                    },
                    round_signatures: r.signatures.into_inner().into_iter().map(convert).collect(),
                })
            }
        })
    }
}

#[derive(Encode, Decode)]
pub(super) struct Stream {
    id: Payload<32>,
    sequence: u64,
    part: Option<Part>,
}

impl Stream {
    pub fn of_engine(message: &StreamMessage<Part>) -> Decoded<Self> {
        Ok(Stream {
            id: Payload(message.stream_id.to_bytes()),
            sequence: message.sequence,
            part: message.content.as_data().cloned(),
        })
    }
    pub fn into_engine(self) -> Decoded<StreamMessage<Part>> {
        let content = self.part.map_or(StreamContent::Fin, StreamContent::Data);
        Ok(StreamMessage::new(StreamId::new(self.id.0), self.sequence, content))
    }
}

#[derive(Encode, Decode)]
pub(super) struct Proof {
    public_key: Payload<64>,
    peer_id: Payload<64>,
    signature: Signature,
}

impl Proof {
    pub fn of_engine(proof: &engine::ValidatorProof<Consensus>) -> Decoded<Self> {
        Ok(Proof {
            public_key: Payload(proof.public_key.clone().into()),
            peer_id: Payload(proof.peer_id.clone().into()),
            signature: proof.signature,
        })
    }
    pub fn into_engine(self) -> Decoded<engine::ValidatorProof<Consensus>> {
        let (key, peer) = (self.public_key.0.to_vec(), self.peer_id.0.to_vec());
        Ok(engine::ValidatorProof::new(key, peer, self.signature))
    }
}

#[derive(Encode, Decode)]
pub(super) struct PeerStatus {
    peer_id: Payload<64>,
    tip_height: u64,
    min_height: u64,
}

impl PeerStatus {
    pub fn of_engine(status: &engine_sync::Status<Consensus>) -> Decoded<Self> {
        Ok(PeerStatus {
            peer_id: Payload(status.peer_id.to_bytes().into()),
            tip_height: status.tip_height.0,
            min_height: status.history_min_height.0,
        })
    }
    pub fn into_engine(self) -> Decoded<engine_sync::Status<Consensus>> {
        let peer_id = PeerId::from_bytes(&self.peer_id.0).or_else(|_| refuse("a peer id"))?;
        Ok(engine_sync::Status {
            peer_id,
            tip_height: Height(self.tip_height),
            history_min_height: Height(self.min_height),
        })
    }
}

#[derive(Encode, Decode)]
pub(super) struct SyncRequest {
    first: u64,
    last: u64,
}

impl SyncRequest {
    pub fn of_engine(request: &engine_sync::Request<Consensus>) -> Decoded<Self> {
        let engine_sync::Request::ValueRequest(request) = request;
        Ok(SyncRequest { first: request.range.start().0, last: request.range.end().0 })
    }
    pub fn into_engine(self) -> Decoded<engine_sync::Request<Consensus>> {
        let range = Height(self.first)..=Height(self.last);
        Ok(engine_sync::Request::ValueRequest(ValueRequest::new(range)))
    }
}

#[derive(Encode, Decode)]
struct Decided {
    block: Payload<MAX_BLOCK_BYTES>,
    certificate: CommitCertificate,
}

#[derive(Encode, Decode)]
pub(super) struct SyncResponse {
    first: u64,
    values: List<Decided, 256>,
}

impl SyncResponse {
    pub fn of_engine(response: &engine_sync::Response<Consensus>) -> Decoded<Self> {
        let engine_sync::Response::ValueResponse(response) = response;
        let mut values = Vec::new();
        for value in &response.values {
            let certificate = certificate_from_sync(&value.certificate)?;
            values.push(Decided { block: Payload(value.value_bytes.clone()), certificate });
        }
        Ok(SyncResponse { first: response.start_height.0, values: bounded(values)? })
    }
    pub fn into_engine(self) -> Decoded<engine_sync::Response<Consensus>> {
        let mut values = Vec::new();
        for decided in self.values.into_inner() {
            let certificate = certificate_to_sync(decided.certificate)?;
            values.push(engine_sync::RawDecidedValue::new(decided.block.0, certificate));
        }
        let response = ValueResponse::new(Height(self.first), values);
        Ok(engine_sync::Response::ValueResponse(response))
    }
}

/// The bytes a response takes, without building them.
pub(super) fn response_len(response: &engine_sync::Response<Consensus>) -> Decoded<usize> {
    let engine_sync::Response::ValueResponse(response) = response;
    let mut len = 16;
    for value in &response.values {
        let certificate = certificate_from_sync(&value.certificate)?;
        len += 8 + value.value_bytes.len() + codec::encode(&certificate)?.len();
    }
    Ok(len)
}

fn certificate_from_sync(
    certificate: &engine::ExtendedCommitCertificate<Consensus>,
) -> Decoded<CommitCertificate> {
    let signatures = certificate.commit_signatures.iter();
    Ok(CommitCertificate {
        height: certificate.height.0,
        round: number(certificate.round)?,
        block_id: certificate.value_id.0,
        signatures: signatures.map(|s| signature_of(&s.address, s.signature)).collect(),
    })
}

/// The ledger's form of a certificate the engine made: signatures ordered by validator.
pub(in crate::engine) fn certificate_from_engine(
    certificate: &engine::CommitCertificate<Consensus>,
) -> Decoded<CommitCertificate> {
    let signatures = certificate.commit_signatures.iter();
    let mut signatures: Vec<_> =
        signatures.map(|s| signature_of(&s.address, s.signature)).collect();
    signatures.sort_by_key(|s| s.validator);
    Ok(CommitCertificate {
        height: certificate.height.0,
        round: number(certificate.round)?,
        block_id: certificate.value_id.0,
        signatures,
    })
}

/// The engine's form of a certificate for sync.
pub(in crate::engine) fn certificate_to_sync(
    certificate: CommitCertificate,
) -> Decoded<engine::ExtendedCommitCertificate<Consensus>> {
    if certificate.signatures.len() > MAX_VALIDATORS {
        return refuse("more signatures than validators");
    }
    let convert = |s: CommitSignature| {
        engine::ExtendedCommitSignature::new(Address(s.validator), s.signature, None)
    };
    Ok(engine::ExtendedCommitCertificate {
        height: Height(certificate.height),
        round: Round::new(certificate.round),
        value_id: Value(certificate.block_id),
        commit_signatures: certificate.signatures.into_iter().map(convert).collect(),
    })
}
