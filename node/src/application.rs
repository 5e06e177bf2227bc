//! The seam between the consensus engine and the ledger it orders.
//!
//! The engine knows blocks only as bytes with an id; what they mean is behind [`Application`].
//! No type of the consensus library appears here.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use headwater_ledger::certificate::CommitCertificate;
use headwater_ledger::hash::{BlockId, ChainId, ValidatorAddress};
use headwater_ledger::validator::ValidatorSet;

/// The application, shared between the engine and the HTTP API.
pub type SharedApplication = Arc<Mutex<dyn Application>>;

/// Our own bug or a damaged store: the node stops loudly with this sentence, it never guesses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

impl Fault {
    /// A fault described by a sentence that says what to do where it can.
    pub fn new(sentence: impl Into<String>) -> Self {
        Fault(sentence.into())
    }
}

/// Whether the clock rule applies to a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Just proposed: its time must not be too far ahead of the local clock.
    Fresh,
    /// From sync or replay: others have judged its time already, the clock is not consulted.
    Replayed,
}

/// The judgement of the application on a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The block may be decided.
    Valid,
    /// The block breaks a rule; why, for the log. The validator votes nil.
    Invalid(String),
}

/// What the engine needs to know of a block before it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSummary {
    /// The hash of its header.
    pub id: BlockId,
    /// The height its header claims.
    pub height: u64,
    /// The validator its header names as the one that built it.
    pub proposer: ValidatorAddress,
}

/// A ledger that blocks are built for, checked against and committed to.
///
/// Only the engine calls `build_block`, `check_block` and `commit`, one at a time, always for the
/// height above the tip. None of the functions may panic: a poisoned lock stops the node.
pub trait Application: Send + 'static {
    /// The chain this node belongs to.
    fn chain_id(&self) -> ChainId;

    /// The height of the last committed block; 0 while there is only the genesis.
    fn tip_height(&self) -> u64;

    /// The time of the tip's block in milliseconds; the genesis time while there is no block.
    fn tip_time_ms(&self) -> u64;

    /// The latest time a fresh block may carry now, in milliseconds: the application's clock plus
    /// the lead it allows. A block with a later time was proposed after this call; a validator
    /// that lost its signing record waits for one.
    fn latest_fresh_time_ms(&self) -> u64;

    /// The validators that act at the height above the tip.
    fn validators(&self) -> Arc<ValidatorSet>;

    /// Builds a block on the tip: its id and its bytes, at most
    /// [`headwater_ledger::limits::MAX_BLOCK_BYTES`].
    fn build_block(
        &mut self,
        height: u64,
        round: u32,
        proposer: ValidatorAddress,
    ) -> Result<(BlockId, Bytes), Fault>;

    /// Reads the header of a block without checking anything else; `None` when there is none.
    fn summarize(&self, block: &[u8]) -> Option<BlockSummary>;

    /// Judges a block on the tip. A panic inside is the application's to catch: it answers
    /// `Invalid` and quarantines the envelope.
    fn check_block(&mut self, block: &[u8], freshness: Freshness) -> Verdict;

    /// Makes a decided block and its certificate durable and the new tip, before it returns.
    fn commit(&mut self, block: Bytes, certificate: CommitCertificate) -> Result<(), Fault>;

    /// The block and certificate of a height; `None` when this node does not hold it.
    fn decided(&self, height: u64) -> Result<Option<(Bytes, CommitCertificate)>, Fault>;

    /// The lowest height [`Application::decided`] can serve; 0 when there is none.
    fn min_height(&self) -> u64;

    /// Whether something waits to be recorded that can go into a block now. While it is true,
    /// heights follow each other without a pause: it must not stay true when blocks come out empty.
    fn has_work(&self) -> bool;
}
