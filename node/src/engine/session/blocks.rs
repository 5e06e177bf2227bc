//! Proposals of a session: building, streaming, assembling and checking blocks.

use bytes::Bytes;
use headwater_ledger::hash::BlockId;
use headwater_ledger::limits::MAX_BLOCK_BYTES;
use malachitebft_app_channel::app::streaming::{StreamId, StreamMessage};
use malachitebft_app_channel::app::types::core::{Round, Validator as _, Validity};
use malachitebft_app_channel::app::types::{LocallyProposedValue, PeerId, ProposedValue};
use malachitebft_app_channel::{NetworkMsg, Reply};
use tracing::warn;

use super::Session;
use crate::application::{Fault, Freshness, Verdict};
use crate::engine::EngineError;
use crate::engine::codec::Payload;
use crate::engine::context::{Address, Consensus, Height, Part, PartInit, ValidatorSet, Value};
use crate::engine::signing::ChainVerifier;
use crate::engine::streams::{Assembled, MAX_HEIGHTS_AHEAD, cut};
use crate::engine::undecided::Undecided;

/// How far above the current round a block may be; those further ahead are streamed again when
/// their round comes.
const MAX_ROUNDS_AHEAD: u32 = 8;
/// Blocks kept for one round: a second one proves that its builder equivocates.
const MAX_BLOCKS_PER_ROUND: usize = 2;

/// What a block must satisfy before its bytes are looked at.
struct Admission {
    next_height: u64,
    round: u32,
    validators: ValidatorSet,
    verifier: ChainVerifier,
}

impl Admission {
    /// Whether the proposer of this height and round announces the block.
    fn is_rightful(&self, init: &PartInit) -> bool {
        let proposer = self.validators.proposer(init.height, init.round);
        init.height == self.next_height
            && init.round <= self.round.saturating_add(MAX_ROUNDS_AHEAD)
            && *proposer.address() == Address(init.proposer)
            && self.verifier.is_signed_init(init, proposer.public_key())
    }

    /// Whether the block may come in: of the next height, or to be held for a later one.
    fn admits(&self, init: &PartInit) -> bool {
        let ahead = init.height.checked_sub(self.next_height);
        self.is_rightful(init) || ahead.is_some_and(|n| (1..=MAX_HEIGHTS_AHEAD).contains(&n))
    }
}

impl Session<'_> {
    fn admission(&self) -> Admission {
        Admission {
            next_height: self.tip.saturating_add(1),
            round: self.round,
            validators: self.validators.clone(),
            verifier: self.verifier.clone(),
        }
    }

    /// Tells the library of the blocks it has not seen in this session: those of before a restart
    /// and those that came early.
    pub(super) fn started_round(
        &mut self,
        height: u64,
        round: Round,
    ) -> Result<Vec<ProposedValue<Consensus>>, EngineError> {
        self.round = round.as_u32().unwrap_or(0);
        let mut out = Vec::new();
        let known: Vec<_> = self.undecided.at(height).cloned().collect();
        for kept in known {
            if !self.delivered.insert(kept.block_id) {
                continue;
            }
            let verdict = self.node.application()?.check_block(&kept.block.0, Freshness::Replayed);
            match verdict {
                Verdict::Valid => out.push(value_of(&kept)),
                Verdict::Invalid(reason) => {
                    warn!(height, id = %kept.block_id, reason, "kept block is no longer valid");
                    self.undecided.remove(height, &kept.block_id)?;
                }
            }
        }
        let admission = self.admission();
        for assembled in self.streams.take_held(height) {
            if admission.is_rightful(&assembled.init) {
                out.extend(self.accept(assembled)?);
            }
        }
        Ok(out)
    }

    /// Proposes a block: the one built for this height and round before, else a new one. It is
    /// durable before the library hears of it.
    pub(super) async fn propose(
        &mut self,
        height: u64,
        round: Round,
        reply: Reply<LocallyProposedValue<Consensus>>,
    ) -> Result<(), EngineError> {
        let (Some(me), Some(signer), Some(number)) =
            (self.signs_as(), self.signer.clone(), round.as_u32())
        else {
            warn!(height, %round, "asked to propose without being able to");
            return Ok(());
        };
        let is_same = |b: &&Undecided| b.proposer == me && b.round == number && b.init.is_some();
        let before = self.undecided.at(height).find(is_same).cloned();
        let kept = match before {
            Some(kept) => kept,
            None => {
                let (block_id, block) = self.node.application()?.build_block(height, number, me)?;
                if block.len() > MAX_BLOCK_BYTES {
                    let sentence = format!("built a block of {} bytes", block.len());
                    return Err(Fault::new(sentence).into());
                }
                let init = signer.sign_init(PartInit {
                    height,
                    round: number,
                    proposer: me,
                    block_id,
                    block_bytes: block.len() as u64,
                    signature: headwater_ledger::keys::Signature::Ed25519([0; 64]),
                });
                let (init, block) = (Some(init), Payload(block));
                let kept = Undecided { height, round: number, proposer: me, block_id, init, block };
                self.undecided.put(kept.clone())?;
                kept
            }
        };
        self.delivered.insert(kept.block_id);
        let _ = reply.send(LocallyProposedValue::new(Height(height), round, Value(kept.block_id)));
        self.publish(&kept).await;
        Ok(())
    }

    /// Streams a block again as its builder announced it.
    pub(super) async fn restream(&mut self, height: u64, id: &BlockId) {
        if let Some(kept) = self.undecided.get(height, id).cloned() {
            self.publish(&kept).await;
        }
    }

    async fn publish(&mut self, kept: &Undecided) {
        let Some(init) = kept.init.clone() else { return };
        self.streams_sent += 1;
        let id = [self.stream_prefix.to_le_bytes(), self.streams_sent.to_le_bytes()].concat();
        for part in cut(StreamId::new(id.into()), init, &kept.block.0) {
            if self.network.send(NetworkMsg::PublishProposalPart(part)).await.is_err() {
                return; // the library is stopping
            }
        }
    }

    /// Takes a part in; gives the library the block when that completes it and it can be checked.
    pub(super) fn receive_part(
        &mut self,
        peer: PeerId,
        part: StreamMessage<Part>,
    ) -> Result<Option<ProposedValue<Consensus>>, EngineError> {
        let admission = self.admission();
        match self.streams.add(peer, part, |init| admission.admits(init)) {
            None => Ok(None),
            // The height may have been decided since the stream began, or have come up.
            Some(assembled) if admission.is_rightful(&assembled.init) => self.accept(assembled),
            Some(assembled) if assembled.init.height > admission.next_height => {
                self.streams.hold(peer, assembled);
                Ok(None)
            }
            Some(_) => Ok(None),
        }
    }

    /// Checks a block of the next height from its rightful proposer and keeps it when it is valid.
    fn accept(
        &mut self,
        Assembled { init, block }: Assembled,
    ) -> Result<Option<ProposedValue<Consensus>>, EngineError> {
        let PartInit { height, round, proposer, block_id, .. } = init;
        if self.undecided.get(height, &block_id).is_some() {
            let kept = self.undecided.get(height, &block_id);
            let is_news = self.delivered.insert(block_id);
            return Ok(kept.filter(|_| is_news).map(value_of));
        }
        let of_round = self.undecided.at(height).filter(|b| b.round == round);
        if of_round.count() >= MAX_BLOCKS_PER_ROUND {
            return Ok(None);
        }
        let verdict = {
            let mut application = self.node.application()?;
            let summary = application.summarize(&block);
            let is_announced = summary
                .is_some_and(|s| s.id == block_id && s.height == height && s.proposer == proposer);
            if !is_announced {
                warn!(height, round, %proposer, "stream does not hold the block it announced");
                return Ok(None);
            }
            application.check_block(&block, Freshness::Fresh)
        };
        let kept = Undecided {
            height,
            round,
            proposer,
            block_id,
            init: Some(init),
            block: Payload(block),
        };
        let mut value = value_of(&kept);
        match verdict {
            Verdict::Valid => {
                self.undecided.put(kept)?;
                self.delivered.insert(block_id);
            }
            Verdict::Invalid(reason) => {
                warn!(height, round, %proposer, id = %block_id, reason, "proposal is not valid");
                value.validity = Validity::Invalid;
            }
        }
        Ok(Some(value))
    }
}

/// A valid block as the library is told of it.
pub(super) fn value_of(kept: &Undecided) -> ProposedValue<Consensus> {
    ProposedValue {
        height: Height(kept.height),
        round: Round::new(kept.round),
        valid_round: Round::Nil,
        proposer: Address(kept.proposer),
        value: Value(kept.block_id),
        validity: Validity::Valid,
    }
}

/// Bytes of a block from sync; checked for size only.
pub(super) fn fits(block: &Bytes) -> bool {
    block.len() <= MAX_BLOCK_BYTES
}
