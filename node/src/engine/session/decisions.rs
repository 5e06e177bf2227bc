//! Decisions of a session: committing, syncing, and the pause between heights.

use std::time::{Duration, Instant};

use bytes::Bytes;
use malachitebft_app_channel::Reply;
use malachitebft_app_channel::app::consensus::SignedConsensusMsg;
use malachitebft_app_channel::app::engine::host::{Next, SyncedValueOutcome};
use malachitebft_app_channel::app::types::MisbehaviorEvidence;
use malachitebft_app_channel::app::types::core::{
    CommitCertificate, Height as _, Round, Validator as _, ValidatorSet as _,
};
use malachitebft_app_channel::app::types::sync::RawDecidedValue;
use tracing::{error, info, warn};

use super::blocks::{fits, value_of};
use super::{Ended, Pause, Session};
use crate::application::{Fault, Freshness, Verdict};
use crate::engine::EngineError;
use crate::engine::codec::{MAX_RESPONSE, Payload, certificate_from_engine, certificate_to_sync};
use crate::engine::context::{Address, Consensus, Height, ValidatorSet};
use crate::engine::signing::{proposal_bytes, vote_bytes};
use crate::engine::undecided::Undecided;

/// Most blocks in one sync response.
const MAX_SYNCED: u64 = 64;

impl Session<'_> {
    /// Commits a decided block with its certificate, durably, before the library goes on.
    pub(super) fn decide(
        &mut self,
        certificate: &CommitCertificate<Consensus>,
        reply: Reply<()>,
    ) -> Result<Option<Ended>, EngineError> {
        let certificate = certificate_from_engine(certificate)
            .map_err(|e| Fault::new(format!("the engine made a certificate of no use: {e}")))?;
        let height = certificate.height;
        if height != self.tip.saturating_add(1) {
            let sentence = format!("height {height} was decided on top of height {}", self.tip);
            return Err(Fault::new(sentence).into());
        }
        let Some(kept) = self.undecided.get(height, &certificate.block_id) else {
            // The disk lost what was durable; the block and its certificate come from a peer.
            error!(height, id = %certificate.block_id, "the decided block's body is lost");
            return Ok(Some(Ended::MustAbstain { height }));
        };
        let (round, id, block) = (certificate.round, certificate.block_id, kept.block.0.clone());
        let is_free = {
            let mut application = self.node.application()?;
            certificate.verify(&self.node.chain_id, &application.validators()).map_err(|e| {
                Fault::new(format!("the engine decided height {height} without proof: {e}"))
            })?;
            application.commit(block, certificate)?;
            self.tip = application.tip_height();
            self.validators = ValidatorSet::new(&application.validators());
            self.abstain.is_some_and(|until| until.is_over(&*application))
        };
        if self.tip != height {
            let sentence = format!("height {height} was committed and the tip is {}", self.tip);
            return Err(Fault::new(sentence).into());
        }
        info!(height, round, %id, "block committed");
        self.round = 0;
        self.delivered.clear();
        self.streams.prune(height);
        self.undecided.prune(height)?;
        let _ = reply.send(());
        Ok(is_free.then_some(Ended::MayVote { above: height }))
    }

    /// Notes misbehaviour and begins the pause before the next height.
    pub(super) fn finalize(
        &mut self,
        height: u64,
        evidence: &MisbehaviorEvidence<Consensus>,
        reply: Reply<Next<Consensus>>,
    ) {
        let proposals = evidence.proposals.iter().map(|(who, all)| (who, all.len(), "proposals"));
        let votes = evidence.votes.iter().map(|(who, all)| (who, all.len(), "votes"));
        for (validator, count, what) in proposals.chain(votes) {
            error!(height, %validator, count, what, "validator signed twice");
            self.node.view.add_misbehaviours(count as u64);
        }
        if !evidence.is_empty() {
            // The signed messages themselves, for whoever has to judge.
            error!(height, ?evidence, "evidence of misbehaviour");
        }
        let until = Instant::now() + Duration::from_millis(self.node.config.heartbeat_ms);
        self.pause = Some(Pause { reply, until });
    }

    /// Ends the pause when there is something to record, when others go on, or at the heartbeat.
    pub(super) fn resume_if_due(&mut self) -> Result<(), EngineError> {
        let Some(pause) = &self.pause else { return Ok(()) };
        let is_due = Instant::now() >= pause.until
            || self.heard > self.tip
            || self.streams.has_above(self.tip)
            || self.undecided.at(self.tip.saturating_add(1)).next().is_some()
            || self.node.application()?.has_work();
        if is_due && let Some(pause) = self.pause.take() {
            let next = Next::Start(Height(self.tip).increment(), self.height_params());
            let _ = pause.reply.send(next);
        }
        Ok(())
    }

    /// Notices the height a validator works on. It is kept until it is reached, so that a node that
    /// is behind does not pause on its way.
    pub(super) fn notice(&mut self, message: &SignedConsensusMsg<Consensus>) {
        let chain_id = &self.node.chain_id;
        let (who, bytes, signature) = match message {
            SignedConsensusMsg::Vote(v) => {
                (&v.message.validator, vote_bytes(chain_id, &v.message), &v.signature)
            }
            SignedConsensusMsg::Proposal(p) => {
                (&p.message.proposer, proposal_bytes(chain_id, &p.message), &p.signature)
            }
        };
        let signer = self.validators.get_by_address(who);
        let height = message.height().0;
        let is_theirs =
            |bytes: Vec<u8>| signer.is_some_and(|v| v.public_key().verify(&bytes, signature));
        if height > self.heard && bytes.is_some_and(is_theirs) {
            self.heard = height;
        }
    }

    /// Judges a block from sync, whose certificate the library has verified.
    pub(super) fn check_synced(
        &mut self,
        height: u64,
        round: Round,
        proposer: Address,
        block: Bytes,
    ) -> Result<SyncedValueOutcome<Consensus>, EngineError> {
        if height != self.tip.saturating_add(1) {
            return Ok(SyncedValueOutcome::LocalTransientError);
        }
        let mut application = self.node.application()?;
        let summary = application.summarize(&block).filter(|s| s.height == height);
        let Some(summary) = summary.filter(|_| fits(&block)) else {
            warn!(height, "synced bytes are no block of this height");
            return Ok(SyncedValueOutcome::PeerFault);
        };
        if self.undecided.get(height, &summary.id).is_none_or(|kept| kept.block.0 != block) {
            if let Verdict::Invalid(reason) = application.check_block(&block, Freshness::Replayed) {
                // The certificate is good, so the peer changed the block, or more than two thirds
                // of the validators judge differently from this node.
                error!(height, id = %summary.id, reason, "synced block is not valid");
                return Ok(SyncedValueOutcome::PeerFault);
            }
            self.undecided.put(Undecided {
                height,
                round: round.as_u32().unwrap_or(0),
                proposer: proposer.0,
                block_id: summary.id,
                init: None,
                block: Payload(block),
            })?;
        }
        self.delivered.insert(summary.id);
        let value = self.undecided.get(height, &summary.id).map(value_of);
        Ok(value.map_or(SyncedValueOutcome::LocalTransientError, SyncedValueOutcome::Verdict))
    }

    /// Decided blocks for a peer: from `first` on, as many as the node holds and a response takes.
    pub(super) fn decided_values(
        &self,
        first: u64,
        last: u64,
    ) -> Result<Vec<RawDecidedValue<Consensus>>, EngineError> {
        let application = self.node.application()?;
        let mut out = Vec::new();
        let mut bytes = 0;
        let last = last.min(self.tip).min(first.saturating_add(MAX_SYNCED));
        for height in first.max(1)..=last {
            let Some((block, certificate)) = application.decided(height)? else { break };
            bytes += block.len();
            if bytes > MAX_RESPONSE - (MAX_RESPONSE >> 3) {
                break;
            }
            let certificate = certificate_to_sync(certificate)
                .map_err(|e| Fault::new(format!("the certificate of {height} is damaged: {e}")))?;
            out.push(RawDecidedValue::new(block, certificate));
        }
        Ok(out)
    }
}
