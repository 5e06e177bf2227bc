//! Signing and verifying for the engine: one chain id, domains of our own, and the guard.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use headwater_ledger::certificate::{VoteType as LedgerVoteType, vote_sign_bytes};
use headwater_ledger::hash::ChainId;
use headwater_ledger::keys::{PublicKey, Signature, SigningKey};
use malachitebft_app_channel::app::types::core::{
    NilOrVal, Round, SignedExtension, SignedMessage, SignedProposal, SignedVote, ValidatorProof,
    VoteExtensionScope, VoteType,
};
use malachitebft_app_channel::{Signer, Verifier};
use malachitebft_signing::{Error, VerificationResult};
use tokio::sync::Notify;

use super::context::{Consensus, PartInit, Proposal, Value, Vote};
use super::last_signed::{Content, Guard, GuardError, Slot, Step};
use super::sign_bytes::{part_sign_bytes, proposal_sign_bytes};

/// The bytes of a vote; `None` when its round has no number.
pub(super) fn vote_bytes(chain_id: &ChainId, vote: &Vote) -> Option<Vec<u8>> {
    let kind = match vote.kind {
        VoteType::Prevote => LedgerVoteType::Prevote,
        VoteType::Precommit => LedgerVoteType::Precommit,
    };
    let block_id = match &vote.value {
        NilOrVal::Nil => None,
        NilOrVal::Val(value) => Some(&value.0),
    };
    Some(vote_sign_bytes(chain_id, kind, vote.height.0, vote.round.as_u32()?, block_id))
}

pub(super) fn proposal_bytes(chain_id: &ChainId, p: &Proposal) -> Option<Vec<u8>> {
    let (round, pol_round) = (p.round.as_u32()?, p.pol_round.as_u32());
    Some(proposal_sign_bytes(chain_id, p.height.0, round, pol_round, &p.value.0))
}

/// Verifies under ZIP-215 what the engine receives.
#[derive(Clone)]
pub(super) struct ChainVerifier {
    pub chain_id: ChainId,
}

impl ChainVerifier {
    /// Whether the first part of a stream is signed by the key.
    pub fn is_signed_init(&self, init: &PartInit, key: &PublicKey) -> bool {
        let bytes = part_sign_bytes(
            &self.chain_id,
            init.height,
            init.round,
            &init.block_id,
            init.block_bytes,
        );
        key.verify(&bytes, &init.signature)
    }
}

fn verdict(bytes: Option<Vec<u8>>, signature: &Signature, key: &PublicKey) -> VerificationResult {
    VerificationResult::from_bool(bytes.is_some_and(|bytes| key.verify(&bytes, signature)))
}

#[async_trait]
impl Verifier<Consensus> for ChainVerifier {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(verdict(vote_bytes(&self.chain_id, vote), signature, key))
    }

    async fn verify_signed_proposal(
        &self,
        proposal: &Proposal,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(verdict(proposal_bytes(&self.chain_id, proposal), signature, key))
    }

    async fn verify_signed_vote_extension(
        &self,
        _: &VoteExtensionScope<Consensus>,
        (): &(),
        _: &Signature,
        _: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::Invalid) // there are none
    }

    async fn verify_validator_proof(
        &self,
        proof: &ValidatorProof<Consensus>,
    ) -> Result<VerificationResult, Error> {
        let key = proof.decoded_public_key().map_err(Error::from_source)?;
        Ok(VerificationResult::from_bool(key.verify(&proof.preimage(), &proof.signature)))
    }
}

/// The validator's key behind its guard. Clones share both.
#[derive(Clone)]
pub(super) struct GuardedSigner {
    chain_id: ChainId,
    key: SigningKey,
    state: Arc<Mutex<State>>,
    stopped: Arc<Notify>,
}

struct State {
    guard: Guard,
    failure: Option<GuardError>,
}

impl GuardedSigner {
    /// A signer that signs what the guard admits.
    pub fn new(chain_id: ChainId, key: SigningKey, guard: Guard) -> Self {
        let state = Arc::new(Mutex::new(State { guard, failure: None }));
        GuardedSigner { chain_id, key, state, stopped: Arc::default() }
    }

    /// Waits until the guard has not admitted a signature.
    pub async fn stopped(&self) {
        self.stopped.notified().await;
    }

    /// Why the guard stopped the engine, if it did.
    pub fn take_failure(&self) -> Option<GuardError> {
        // A thread that panicked here leaves no half-made state worth fearing: the file decides.
        self.state.lock().unwrap_or_else(|e| e.into_inner()).failure.take()
    }

    /// Signs the first part of a stream. That is no vote: a second one harms nobody.
    pub fn sign_init(&self, mut init: PartInit) -> PartInit {
        let bytes = part_sign_bytes(
            &self.chain_id,
            init.height,
            init.round,
            &init.block_id,
            init.block_bytes,
        );
        init.signature = self.key.sign(&bytes);
        init
    }

    /// Asks the guard, off the asynchronous workers, for it waits for the disk.
    ///
    /// When the guard does not admit the signature this never returns: an error would make the
    /// library tear itself down without leaving its port. The session sees
    /// [`GuardedSigner::stopped`] and ends it in good order.
    async fn admit(&self, slot: Slot, content: Content) -> Result<Content, Error> {
        let state = Arc::clone(&self.state);
        let admit = move || {
            let mut state = state.lock().unwrap_or_else(|e| e.into_inner());
            match state.guard.admit(slot, content) {
                Ok(admitted) => Some(admitted),
                Err(e) => {
                    state.failure = Some(e);
                    None
                }
            }
        };
        match tokio::task::spawn_blocking(admit).await.map_err(Error::from_source)? {
            Some(admitted) => Ok(admitted),
            None => {
                self.stopped.notify_one();
                std::future::pending().await
            }
        }
    }
}

fn slot(height: u64, round: Round, step: Step) -> Result<Slot, Error> {
    let round = round.as_u32().ok_or_else(|| Error::from_source("a round without a number"))?;
    Ok(Slot { height, round, step })
}

#[async_trait]
impl Signer<Consensus> for GuardedSigner {
    async fn sign_vote(&self, mut vote: Vote) -> Result<SignedVote<Consensus>, Error> {
        let step = match vote.kind {
            VoteType::Prevote => Step::Prevote,
            VoteType::Precommit => Step::Precommit,
        };
        let block_id = match &vote.value {
            NilOrVal::Nil => None,
            NilOrVal::Val(value) => Some(value.0),
        };
        let slot = slot(vote.height.0, vote.round, step)?;
        let admitted = self.admit(slot, Content { block_id, pol_round: None }).await?;
        vote.value = admitted.block_id.map_or(NilOrVal::Nil, |id| NilOrVal::Val(Value(id)));
        let bytes = vote_bytes(&self.chain_id, &vote).ok_or_else(Error::new)?;
        Ok(SignedMessage::new(vote, self.key.sign(&bytes)))
    }

    async fn sign_proposal(&self, mut p: Proposal) -> Result<SignedProposal<Consensus>, Error> {
        let slot = slot(p.height.0, p.round, Step::Propose)?;
        let content = Content { block_id: Some(p.value.0), pol_round: p.pol_round.as_u32() };
        let admitted = self.admit(slot, content).await?;
        p.value = Value(admitted.block_id.ok_or_else(Error::new)?);
        p.pol_round = Round::from(admitted.pol_round);
        let bytes = proposal_bytes(&self.chain_id, &p).ok_or_else(Error::new)?;
        Ok(SignedMessage::new(p, self.key.sign(&bytes)))
    }

    async fn sign_vote_extension(
        &self,
        _: VoteExtensionScope<Consensus>,
        (): (),
    ) -> Result<SignedExtension<Consensus>, Error> {
        Err(Error::from_source("vote extensions are not used"))
    }

    async fn sign_validator_proof(
        &self,
        public_key: Vec<u8>,
        peer_id: Vec<u8>,
    ) -> Result<ValidatorProof<Consensus>, Error> {
        let bytes = ValidatorProof::<Consensus>::signing_bytes(&public_key, &peer_id);
        let signature = self.key.sign(&bytes);
        Ok(ValidatorProof::new(public_key, peer_id, signature))
    }
}
