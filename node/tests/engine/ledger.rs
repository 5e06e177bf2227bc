//! A ledger of the simplest kind, to drive the engine with: a chain of headers and payloads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bincode::{Decode, Encode};
use bytes::Bytes;
use headwater_ledger::certificate::CommitCertificate;
use headwater_ledger::codec;
use headwater_ledger::hash::{BlockId, ChainId, Context, Digest, ValidatorAddress};
use headwater_ledger::validator::ValidatorSet;
use headwater_node::application::{Application, BlockSummary, Fault, Freshness, Verdict};

#[derive(Encode, Decode)]
struct Block {
    chain_id: ChainId,
    height: u64,
    time_ms: u64,
    parent: Option<BlockId>,
    proposer: ValidatorAddress,
    payload: Vec<u8>,
}

impl Block {
    fn read(bytes: &[u8]) -> Option<Block> {
        codec::decode(bytes, 1 << 23).ok()
    }
}

fn id_of(block: &[u8]) -> BlockId {
    BlockId::from_digest(Context::BLOCK.hash(&[block]))
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// Validator sets by the height from which they act; the first is that of height 1.
pub type Sets = BTreeMap<u64, Arc<ValidatorSet>>;

/// The ledger of one node.
pub struct TestLedger {
    sets: Sets,
    chain: Vec<(Bytes, CommitCertificate)>,
    /// Blocks are made without a pause.
    pub is_busy: bool,
    /// One payload that waits to be recorded.
    pub pending: Option<Vec<u8>>,
    /// Bytes of filling in every block built here.
    pub filling: usize,
    /// Blocks built here break a rule.
    pub is_evil: bool,
    /// What [`Application::latest_fresh_time_ms`] adds to the clock.
    pub lead_ms: u64,
}

impl TestLedger {
    pub fn new(sets: Sets, is_busy: bool) -> Self {
        let (chain, pending) = (Vec::new(), None);
        TestLedger { sets, chain, is_busy, pending, filling: 100, is_evil: false, lead_ms: 50 }
    }

    pub fn certificates(&self) -> impl Iterator<Item = &CommitCertificate> {
        self.chain.iter().map(|(_, certificate)| certificate)
    }

    pub fn payload(&self, height: u64) -> Vec<u8> {
        Block::read(&self.chain[height as usize - 1].0).unwrap().payload
    }

    /// The validators that act at a height.
    pub fn set_of(&self, height: u64) -> Arc<ValidatorSet> {
        Arc::clone(self.sets.range(..=height).next_back().expect("a set from height 1 on").1)
    }

    fn tip(&self) -> Option<&(Bytes, CommitCertificate)> {
        self.chain.last()
    }
}

impl Application for TestLedger {
    fn chain_id(&self) -> ChainId {
        ChainId::from_digest(Digest::Blake3([42; 32]))
    }
    fn tip_height(&self) -> u64 {
        self.chain.len() as u64
    }
    fn tip_time_ms(&self) -> u64 {
        self.tip().map_or(0, |(block, _)| Block::read(block).unwrap().time_ms)
    }
    fn latest_fresh_time_ms(&self) -> u64 {
        now_ms().saturating_add(self.lead_ms)
    }
    fn validators(&self) -> Arc<ValidatorSet> {
        self.set_of(self.tip_height() + 1)
    }
    fn build_block(
        &mut self,
        height: u64,
        _: u32,
        proposer: ValidatorAddress,
    ) -> Result<(BlockId, Bytes), Fault> {
        let block = Block {
            chain_id: self.chain_id(),
            height: if self.is_evil { height + 1 } else { height },
            time_ms: now_ms().max(self.tip_time_ms() + 1),
            parent: self.tip().map(|(_, c)| c.block_id),
            proposer,
            payload: self.pending.clone().unwrap_or_else(|| vec![7; self.filling]),
        };
        let bytes = Bytes::from(codec::encode(&block).map_err(|e| Fault::new(e.to_string()))?);
        Ok((id_of(&bytes), bytes))
    }
    fn summarize(&self, block: &[u8]) -> Option<BlockSummary> {
        let Block { height, proposer, .. } = Block::read(block)?;
        let height = if self.is_fake(block) { height - 1 } else { height };
        Some(BlockSummary { id: id_of(block), height, proposer })
    }
    fn check_block(&mut self, block: &[u8], _: Freshness) -> Verdict {
        let Some(block) = Block::read(block) else { return Verdict::Invalid("unreadable".into()) };
        let parent = self.tip().map(|(_, c)| c.block_id);
        if block.height != self.tip_height() + 1 || block.parent != parent {
            return Verdict::Invalid("height or parent".into());
        }
        if block.chain_id != self.chain_id() || block.time_ms <= self.tip_time_ms() {
            return Verdict::Invalid("chain or time".into());
        }
        Verdict::Valid
    }
    fn commit(&mut self, block: Bytes, certificate: CommitCertificate) -> Result<(), Fault> {
        if let Verdict::Invalid(why) = self.check_block(&block, Freshness::Replayed) {
            return Err(Fault::new(why));
        }
        let payload = Block::read(&block).unwrap().payload;
        self.pending.take_if(|pending| *pending == payload);
        self.chain.push((block, certificate));
        Ok(())
    }
    fn decided(&self, height: u64) -> Result<Option<(Bytes, CommitCertificate)>, Fault> {
        Ok(height.checked_sub(1).and_then(|i| self.chain.get(i as usize)).cloned())
    }
    fn min_height(&self) -> u64 {
        u64::from(!self.chain.is_empty())
    }
    fn has_work(&self) -> bool {
        self.is_busy || self.pending.is_some()
    }
}

impl TestLedger {
    /// Whether a block is one an evil proposer built on this tip.
    fn is_fake(&self, block: &[u8]) -> bool {
        let parent = self.tip().map(|(_, c)| c.block_id);
        Block::read(block).is_some_and(|b| b.parent == parent && b.height == self.tip_height() + 2)
    }
}
