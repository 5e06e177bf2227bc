//! The application: what the consensus engine and the HTTP API ask of the ledger.
//!
//! Synchronous and deterministic but for its seams: the clock, the disk below the chain, and the
//! network, which its callers own.

mod intake;
mod remembered;
mod status;

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use headwater_ledger::block::{Block, Header};
use headwater_ledger::certificate::CommitCertificate;
use headwater_ledger::envelope::VerifiedEnvelope;
use headwater_ledger::event::Event;
use headwater_ledger::execute::{BlockContext, Execution};
use headwater_ledger::hash::{BlockId, ChainId, EnvelopeId, ValidatorAddress};
use headwater_ledger::limits::{MAX_BLOCK_BYTES, MAX_BLOCK_ENVELOPES, MAX_BLOCK_WEIGHT};
use headwater_ledger::merkle::tree::Leaf;
use headwater_ledger::reject::{Code, Fault as LedgerFault, Outlook, Refusal, Reject};
use headwater_ledger::text::Handle;
use headwater_ledger::validator::ValidatorSet;
use tokio::sync::{Notify, broadcast, watch};

use crate::application::{Application, BlockSummary, Fault, Freshness, Verdict};
use crate::archive::{Archive, rows};
use crate::chain::{self, Apply, Chain, Invalid, Outcome, guarded};
use crate::clock::Clock;
use crate::mempool::{Mempool, Place};
use crate::metrics::Metrics;
use crate::past::Past;
use crate::store::index::IndexStore;
pub use intake::{Origin, Reception, SharedVerdicts, Trial, Tried};
use remembered::Remembered;
pub use status::{BlockNotice, Status, Turned};

/// How far a proposed block's time may be ahead of this node's clock.
const MAX_LEAD_MS: u64 = 2_000;

/// Outcomes of envelopes remembered for those who ask.
const MAX_OUTCOMES: usize = 65_536;

/// Bytes of a block that are not envelopes.
const BLOCK_OVERHEAD: usize = 1_024;

/// Quarantined envelopes remembered.
const MAX_QUARANTINED: usize = 4_096;

/// How long a block is filled, in milliseconds. What is left comes next: where execution is slow,
/// blocks are smaller, so that the other validators can check them before they time out.
const MAX_FILL_MS: u64 = 100;

/// Weight that failed envelopes of one member may cost while a block is filled.
const MAX_WASTE_PER_MEMBER: u64 = MAX_BLOCK_WEIGHT / 4;

/// Everything an [`App`] is made of.
pub struct Parts {
    /// The committed chain.
    pub chain: Chain,
    /// States that are not in memory any more.
    pub past: Past,
    /// What is written behind the log.
    pub archive: Archive,
    /// The query indexes.
    pub index: Arc<dyn IndexStore>,
    /// The pool.
    pub mempool: Mempool,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// Heights between two snapshots; 0 for none.
    pub snapshot_every: u64,
    /// Heights between two snapshots that are never deleted; 0 for none.
    pub archive_every: u64,
    /// How envelopes are executed.
    pub apply: Apply,
}

/// The application.
pub struct App {
    parts: Parts,
    verdicts: SharedVerdicts,
    quarantined: HashSet<EnvelopeId>,
    refused: Remembered<Turned>,
    recorded: Remembered<(u64, u32)>,
    /// Kept for the next envelope to be tried.
    trial: Option<Trial>,
    /// Counts changes that somebody may wait for.
    changes: watch::Sender<u64>,
    blocks: broadcast::Sender<BlockNotice>,
    work: Arc<Notify>,
}

impl App {
    /// An application on an open chain.
    pub fn new(parts: Parts) -> Self {
        let tip = parts.chain.tip();
        parts.metrics.height.set(tip.height);
        // A state without versions executes no block, which says so loudly.
        if let Ok((protocol, rulebook)) = tip.versions() {
            parts.metrics.protocol.set(protocol.into());
            parts.metrics.rulebook.set(rulebook.into());
        }
        App {
            parts,
            verdicts: SharedVerdicts::default(),
            quarantined: HashSet::new(),
            refused: Remembered::new(MAX_OUTCOMES),
            recorded: Remembered::new(MAX_OUTCOMES),
            trial: None,
            changes: watch::Sender::new(0),
            blocks: broadcast::Sender::new(256),
            work: Arc::new(Notify::new()),
        }
    }

    /// The committed chain.
    pub fn chain(&self) -> &Chain {
        &self.parts.chain
    }
    /// States that are not in memory any more, to be asked without holding the application.
    pub fn past(&self) -> Past {
        self.parts.past.clone()
    }
    /// The query indexes.
    pub fn index(&self) -> &Arc<dyn IndexStore> {
        &self.parts.index
    }
    /// The pool.
    pub fn mempool(&self) -> &Mempool {
        &self.parts.mempool
    }
    /// Metrics.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.parts.metrics.clone()
    }
    /// The shared signature verdicts.
    pub fn verdicts(&self) -> SharedVerdicts {
        self.verdicts.clone()
    }
    /// Changes whenever a block is committed or an envelope refused.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
    /// Committed blocks as they come.
    pub fn blocks(&self) -> broadcast::Receiver<BlockNotice> {
        self.blocks.subscribe()
    }
    /// Fires when there is work for a block.
    pub fn work(&self) -> Arc<Notify> {
        self.work.clone()
    }
    /// Waits until index and snapshots are durable.
    pub fn settle(&self) {
        self.parts.archive.settle();
    }

    /// What has become of an envelope, as far as this node knows.
    pub fn status(&self, id: &EnvelopeId) -> Status {
        if let Some((height, index)) = self.recorded.get(id) {
            return Status::Recorded { height: *height, index: *index };
        }
        if let Some(place) = self.parts.mempool.place(id) {
            return match (place, self.refused.get(id)) {
                (Place::Ready, _) => Status::Pending,
                (_, Some(why)) => Status::Waiting(why.clone()),
                (_, None) => Status::Pending,
            };
        }
        match self.parts.index.get(&rows::envelope_key(id)) {
            Ok(Some(value)) => {
                if let Some((height, index)) = rows::read_envelope(&value) {
                    return Status::Recorded { height, index };
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "index not readable"),
        }
        match self.refused.get(id) {
            Some(why) => Status::Refused(why.clone()),
            None => Status::Unknown,
        }
    }

    /// Pending envelopes that peers may have missed.
    pub fn to_republish(&mut self, age_ms: u64, max: usize) -> Vec<Arc<VerifiedEnvelope>> {
        let now = self.parts.clock.now_ms();
        self.parts.mempool.to_republish(now, age_ms, max)
    }

    fn refuse(&mut self, id: EnvelopeId, why: Turned) -> Status {
        self.parts.metrics.refused(why.code());
        self.parts.mempool.remove(&id);
        self.refused.insert(id, why.clone());
        self.changes.send_modify(|n| *n += 1);
        Status::Refused(why)
    }

    /// Puts an undecided envelope aside whose execution found a fault: it concerns the envelope,
    /// not the node.
    fn quarantine(&mut self, id: EnvelopeId, fault: &LedgerFault) -> Status {
        tracing::error!(%id, %fault, "envelope quarantined; report it with this id");
        self.parts.metrics.quarantined.inc();
        if self.quarantined.len() < MAX_QUARANTINED {
            self.quarantined.insert(id);
        }
        self.refuse(id, Turned::quarantined())
    }

    fn next_context(&self) -> BlockContext {
        let tip = self.parts.chain.tip();
        BlockContext {
            chain_id: self.parts.chain.chain_id(),
            height: tip.height + 1,
            time_ms: self.parts.clock.now_ms().max(tip.time_ms + 1),
        }
    }

    /// Fills a block from the pool, for [`MAX_FILL_MS`] at the most. Envelopes that fail leave the
    /// ready queue, so that work never stays pending when blocks come out empty. What failing costs
    /// is counted against the author.
    fn fill(&mut self, execution: &mut Execution) -> Vec<Arc<VerifiedEnvelope>> {
        let height = self.parts.chain.tip().height + 1;
        let room = MAX_BLOCK_BYTES - BLOCK_OVERHEAD;
        let candidates = self.parts.mempool.candidates(MAX_BLOCK_ENVELOPES, room);
        let mut taken: Vec<Arc<VerifiedEnvelope>> = Vec::with_capacity(candidates.len());
        let apply = self.parts.apply;
        let (mut waste, mut wasted) = (BTreeMap::<Handle, u64>::new(), 0u64);
        let until = self.parts.clock.now_ms().saturating_add(MAX_FILL_MS);
        for (tried, envelope) in candidates.into_iter().enumerate() {
            if tried > 0 && self.parts.clock.now_ms() >= until {
                break;
            }
            let id = envelope.id();
            let author = &envelope.header().author;
            if waste.get(author).is_some_and(|w| *w >= MAX_WASTE_PER_MEMBER) {
                continue;
            }
            let refusal = match guarded(apply, execution, &envelope) {
                Ok(()) => {
                    taken.push(envelope);
                    continue;
                }
                Err(refusal) => refusal,
            };
            let weights = envelope.events().iter().map(Event::base_weight);
            let weight = weights.fold(0, u64::saturating_add);
            *waste.entry(author.clone()).or_default() += weight;
            wasted += weight;
            match refusal {
                // What is left comes next.
                Refusal::Reject(reject) if reject.code == Code::BlockFull => break,
                Refusal::Reject(reject) => match reject.code.outlook() {
                    Outlook::Final => {
                        self.refuse(id, Turned::rejected(reject));
                    }
                    Outlook::AwaitsReference | Outlook::AwaitsState => {
                        self.park(id, reject, height);
                    }
                },
                Refusal::Fault(fault) => {
                    self.quarantine(id, &fault);
                }
            }
            if wasted >= MAX_BLOCK_WEIGHT {
                break;
            }
        }
        if let Some(last) = taken.last() {
            self.parts.mempool.set_turn(last.header().author.clone());
        }
        taken
    }

    /// Puts a pending envelope aside that failed for now; without room for it, it is turned away.
    fn park(&mut self, id: EnvelopeId, reject: Reject, height: u64) {
        let missing = reject.missing.clone();
        let why = Turned::rejected(reject);
        match self.parts.mempool.park(&id, missing, height) {
            Ok(()) => self.refused.insert(id, why),
            Err(_) => {
                self.refuse(id, why);
            }
        }
    }

    fn update_pool_metrics(&self) {
        let (metrics, pool) = (&self.parts.metrics, &self.parts.mempool);
        metrics.mempool_envelopes.set(pool.len() as u64);
        metrics.mempool_bytes.set(pool.bytes() as u64);
        metrics.mempool_waiting.set(pool.waiting() as u64);
    }

    /// What follows a commit: pool, archive, those who wait.
    fn committed(&mut self, outcome: &Outcome, block_bytes: usize) -> Result<(), Fault> {
        let header = &outcome.header;
        for (place, (id, _)) in (0u32..).zip(&outcome.envelopes) {
            self.recorded.insert(*id, (header.height, place));
        }
        let created = outcome.executed.effects.iter().flat_map(|e| &e.created);
        let ids = outcome.envelopes.iter().map(|(id, _)| id);
        self.parts.mempool.committed(header.height, ids, created);
        self.trial = None;
        for id in self.parts.mempool.expire(header.time_ms) {
            let text = "its not_after passed before it could be recorded";
            self.refuse(id, Turned::rejected(Reject::new(Code::Expired, text)));
        }
        let rows = rows::of_block(header.height, &outcome.envelopes, &outcome.executed)
            .map_err(|e| Fault::new(e.to_string()))?;
        self.parts.archive.rows(header.height, rows);
        let is_due = |every: u64| every > 0 && header.height.is_multiple_of(every);
        if is_due(self.parts.snapshot_every) || is_due(self.parts.archive_every) {
            let tip = self.parts.chain.tip();
            self.parts.archive.snapshot(
                tip.height,
                tip.block_id,
                header.state_root,
                tip.state.clone(),
            );
        }
        let metrics = &self.parts.metrics;
        metrics.height.set(header.height);
        metrics.protocol.set(header.protocol.into());
        metrics.rulebook.set(header.rulebook.into());
        metrics.events_recorded.inc_by(header.events.into());
        metrics.envelopes_recorded.inc_by(header.envelopes.into());
        metrics.block_bytes.observe(block_bytes as f64);
        metrics.set_block_time_lag(self.parts.clock.now_ms(), header.time_ms);
        self.update_pool_metrics();
        self.changes.send_modify(|n| *n += 1);
        // Nobody may be listening.
        let _ = self.blocks.send(BlockNotice::of(header, self.parts.chain.tip().block_id));
        if self.parts.mempool.has_ready() {
            self.work.notify_one();
        }
        Ok(())
    }
}

impl Application for App {
    fn chain_id(&self) -> ChainId {
        self.parts.chain.chain_id()
    }

    fn tip_height(&self) -> u64 {
        self.parts.chain.tip().height
    }

    fn tip_time_ms(&self) -> u64 {
        self.parts.chain.tip().time_ms
    }

    fn latest_fresh_time_ms(&self) -> u64 {
        self.parts.clock.now_ms().saturating_add(MAX_LEAD_MS)
    }

    fn validators(&self) -> Arc<ValidatorSet> {
        self.parts.chain.tip().next.clone()
    }

    fn build_block(
        &mut self,
        height: u64,
        _round: u32,
        proposer: ValidatorAddress,
    ) -> Result<(BlockId, Bytes), Fault> {
        let started = Instant::now();
        let fault = |e: &dyn std::fmt::Display| Fault::new(format!("a block cannot be built: {e}"));
        let context = self.next_context();
        if context.height != height {
            let tip = context.height - 1;
            return Err(Fault::new(format!("asked to build height {height} on tip {tip}")));
        }
        let state = &self.parts.chain.tip().state;
        let mut execution = Execution::begin(state, context).map_err(|e| fault(&e))?;
        let taken = self.fill(&mut execution);
        let executed = execution.finish().map_err(|e| fault(&e))?;
        let header = executed.header(&context, self.parts.chain.tip().block_id, proposer);
        let id = header.id().map_err(|e| fault(&e))?;
        let envelopes = taken.iter().map(|e| e.signed().clone()).collect();
        let block = Block { header: header.clone(), envelopes };
        let bytes = block.to_bytes().map_err(|e| fault(&e))?;
        let envelopes = taken
            .iter()
            .map(|e| (e.id(), u32::try_from(e.events().len()).unwrap_or(u32::MAX)))
            .collect();
        let outcome = Outcome { header, envelopes, executed };
        self.parts.chain.remember(&bytes, Arc::new(outcome));
        self.parts.metrics.block_execution.observe(started.elapsed().as_secs_f64());
        Ok((id, bytes.into()))
    }

    fn summarize(&self, block: &[u8]) -> Option<BlockSummary> {
        let header = Header::of_block(block).ok()?;
        let id = header.id().ok()?;
        Some(BlockSummary { id, height: header.height, proposer: header.proposer })
    }

    fn check_block(&mut self, block: &[u8], freshness: Freshness) -> Verdict {
        let started = Instant::now();
        match (freshness, Header::of_block(block)) {
            (Freshness::Fresh, Ok(header)) if header.time_ms > self.latest_fresh_time_ms() => {
                let text = format!("its time {} is too far ahead of this clock", header.time_ms);
                return Verdict::Invalid(text);
            }
            (Freshness::Fresh | Freshness::Replayed, Ok(_)) => {}
            (_, Err(error)) => return Verdict::Invalid(format!("no header: {error}")),
        }
        let verdicts = self.verdicts.clone();
        let apply = self.parts.apply;
        let known = |leaf: &Leaf| verdicts.lock().knows(leaf);
        let chain = &mut self.parts.chain;
        let result = catch_unwind(AssertUnwindSafe(|| chain.execute(block, known, apply)))
            .unwrap_or_else(|_| Err(Invalid::Block("executing it panicked".into())));
        self.parts.metrics.block_execution.observe(started.elapsed().as_secs_f64());
        match result {
            Ok(_) => Verdict::Valid,
            Err(invalid) => {
                if let Invalid::Envelope { id, refusal: Refusal::Fault(fault) } = &invalid {
                    self.quarantine(*id, fault);
                }
                Verdict::Invalid(invalid.to_string())
            }
        }
    }

    fn commit(&mut self, block: Bytes, certificate: CommitCertificate) -> Result<(), Fault> {
        let started = Instant::now();
        let apply = self.parts.apply;
        let outcome = self.parts.chain.commit(&block, certificate, apply).inspect_err(|_| {
            self.parts.metrics.faults.inc();
        })?;
        self.committed(&outcome, block.len())?;
        self.parts.metrics.block_commit.observe(started.elapsed().as_secs_f64());
        let header = &outcome.header;
        tracing::debug!(header.height, header.envelopes, header.events, "block executed");
        Ok(())
    }

    fn decided(&self, height: u64) -> Result<Option<(Bytes, CommitCertificate)>, Fault> {
        let record = self.parts.chain.log().read(height).map_err(|e| Fault::new(e.to_string()))?;
        let Some(record) = record else { return Ok(None) };
        Ok(Some((record.block.into(), chain::decode_certificate(&record.certificate)?)))
    }

    fn min_height(&self) -> u64 {
        self.parts.chain.log().tip().min(1)
    }

    fn has_work(&self) -> bool {
        self.parts.mempool.has_ready()
    }
}
