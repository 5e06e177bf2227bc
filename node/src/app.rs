//! The application: what the consensus engine and the HTTP API ask of the ledger.
//!
//! Synchronous and deterministic but for its seams: the clock, the disk below the chain, and the
//! network, which its callers own.

mod status;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use headwater_ledger::block::{Block, Header};
use headwater_ledger::certificate::CommitCertificate;
use headwater_ledger::envelope::{SignedEnvelope, VerifiedEnvelope};
use headwater_ledger::execute::{BlockContext, Execution, admit};
use headwater_ledger::hash::{BlockId, ChainId, EnvelopeId, ValidatorAddress};
use headwater_ledger::limits::{MAX_BLOCK_BYTES, MAX_BLOCK_ENVELOPES};
use headwater_ledger::merkle::tree::Leaf;
use headwater_ledger::reject::{Code, Fault as LedgerFault, Outlook, Refusal, Reject};
use headwater_ledger::validator::ValidatorSet;
use tokio::sync::{Notify, broadcast, watch};

use crate::application::{Application, BlockSummary, Fault, Freshness, Verdict};
use crate::archive::{Archive, rows};
use crate::chain::{self, Apply, Chain, Invalid, Outcome, Verdicts, guarded};
use crate::clock::Clock;
use crate::mempool::{Mempool, Place};
use crate::metrics::Metrics;
use crate::store::index::IndexStore;
pub use status::{BlockNotice, Status, Turned};

/// How far a proposed block's time may be ahead of this node's clock.
const MAX_LEAD_MS: u64 = 2_000;

/// Outcomes of envelopes remembered for those who ask.
const MAX_OUTCOMES: usize = 65_536;

/// Bytes of a block that are not envelopes.
const BLOCK_OVERHEAD: usize = 1_024;

/// Quarantined envelopes remembered.
const MAX_QUARANTINED: usize = 4_096;

/// A map that forgets its oldest entries.
struct Remembered<V> {
    map: HashMap<EnvelopeId, V>,
    order: VecDeque<EnvelopeId>,
    max: usize,
}

impl<V> Remembered<V> {
    fn new(max: usize) -> Self {
        Remembered { map: HashMap::new(), order: VecDeque::new(), max }
    }
    fn insert(&mut self, id: EnvelopeId, value: V) {
        if self.map.insert(id, value).is_none() {
            self.order.push_back(id);
            if self.order.len() > self.max
                && let Some(oldest) = self.order.pop_front()
            {
                self.map.remove(&oldest);
            }
        }
    }
}

/// Signature verdicts shared by the API, gossip and the application.
#[derive(Clone, Default)]
pub struct SharedVerdicts(Arc<Mutex<Verdicts>>);

impl SharedVerdicts {
    fn lock(&self) -> std::sync::MutexGuard<'_, Verdicts> {
        // A set stays usable whatever happened while it was locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decodes received bytes and checks all that needs no state, signatures included, once.
    pub fn verify(&self, bytes: &[u8]) -> Result<VerifiedEnvelope, Reject> {
        let envelope =
            SignedEnvelope::from_bytes(bytes)?.verify_unless(|leaf| self.lock().knows(leaf))?;
        self.lock().remember(envelope.leaf());
        Ok(envelope)
    }
}

/// Who handed an envelope in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A client of this node, who is told at once what the rules say.
    Client,
    /// Another node.
    Peer,
}

/// Everything an [`App`] is made of.
pub struct Parts {
    /// The committed chain.
    pub chain: Chain,
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
    /// The next block with nothing in it, to try envelopes on.
    trial: Option<Execution>,
    /// Counts changes that somebody may wait for.
    changes: watch::Sender<u64>,
    blocks: broadcast::Sender<BlockNotice>,
    work: Arc<Notify>,
}

impl App {
    /// An application on an open chain.
    pub fn new(parts: Parts) -> Self {
        parts.metrics.height.set(parts.chain.tip().height);
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
        if let Some((height, index)) = self.recorded.map.get(id) {
            return Status::Recorded { height: *height, index: *index };
        }
        if let Some(place) = self.parts.mempool.place(id) {
            return match (place, self.refused.map.get(id)) {
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
        match self.refused.map.get(id) {
            Some(why) => Status::Refused(why.clone()),
            None => Status::Unknown,
        }
    }

    /// Takes a verified envelope into the pool, or says why not. The flag tells whether it is new
    /// here and worth passing on.
    pub fn submit(&mut self, envelope: VerifiedEnvelope, origin: Origin) -> (Status, bool) {
        let id = envelope.id();
        if self.quarantined.contains(&id) {
            return (Status::Refused(Turned::quarantined()), false);
        }
        match self.status(&id) {
            Status::Unknown => {}
            Status::Refused(why) if why.is_final() => return (Status::Refused(why), false),
            Status::Refused(_) => {}
            known @ (Status::Pending | Status::Waiting(_) | Status::Recorded { .. }) => {
                return (known, false);
            }
        }
        let checked = match origin {
            Origin::Client => self.try_out(&envelope),
            Origin::Peer => self.check_admission(&envelope),
        };
        let (place, why) = match (checked, origin) {
            (Ok(()), _) => (Place::Ready, None),
            // This node may be behind the one that took it; what is still pending comes again.
            (Err(_), Origin::Peer) => return (Status::Unknown, false),
            (Err(Refusal::Fault(fault)), Origin::Client) => {
                return (self.quarantine(id, &fault), false);
            }
            (Err(Refusal::Reject(reject)), Origin::Client) => match &reject.missing {
                Some(missing) if reject.code != Code::UnknownAuthor => {
                    (Place::AwaitsReference(missing.clone()), Some(Turned::rejected(reject)))
                }
                _ => return (self.refuse(id, Turned::rejected(reject)), false),
            },
        };
        let now = self.parts.clock.now_ms();
        match self.parts.mempool.insert(Arc::new(envelope), place, now) {
            Ok(new) => {
                self.update_pool_metrics();
                match why {
                    Some(why) => {
                        self.refused.insert(id, why.clone());
                        (Status::Waiting(why), new)
                    }
                    None => {
                        self.refused.map.remove(&id);
                        self.work.notify_one();
                        (Status::Pending, new)
                    }
                }
            }
            Err(full) => {
                self.parts.metrics.refused(Turned::full(full).code());
                (Status::Refused(Turned::full(full)), false)
            }
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

    /// Checks author, keys and times against the committed state.
    fn check_admission(&self, envelope: &VerifiedEnvelope) -> Result<(), Refusal> {
        let context = self.next_context();
        let state = &self.parts.chain.tip().state;
        admit(state, &context, envelope).map(|_| ())
    }

    /// Executes an envelope on the committed state and throws the result away.
    fn try_out(&mut self, envelope: &VerifiedEnvelope) -> Result<(), Refusal> {
        let trial = match self.trial.take() {
            Some(trial) => trial,
            None => Execution::begin(&self.parts.chain.tip().state, self.next_context())?,
        };
        let mut execution = trial.clone();
        self.trial = Some(trial);
        guarded(self.parts.apply, &mut execution, envelope)
    }

    /// Fills a block from the pool. Envelopes that fail leave the ready queue, so that work never
    /// stays pending when blocks come out empty.
    fn fill(&mut self, execution: &mut Execution) -> Vec<Arc<VerifiedEnvelope>> {
        let height = self.parts.chain.tip().height + 1;
        let room = MAX_BLOCK_BYTES - BLOCK_OVERHEAD;
        let candidates = self.parts.mempool.candidates(MAX_BLOCK_ENVELOPES, room);
        let mut taken: Vec<Arc<VerifiedEnvelope>> = Vec::with_capacity(candidates.len());
        let apply = self.parts.apply;
        for envelope in candidates {
            let id = envelope.id();
            match guarded(apply, execution, &envelope) {
                Ok(()) => taken.push(envelope),
                // What is left comes next.
                Err(Refusal::Reject(reject)) if reject.code == Code::BlockFull => break,
                Err(Refusal::Reject(reject)) => match reject.code.outlook() {
                    Outlook::Final => {
                        self.refuse(id, Turned::rejected(reject));
                    }
                    Outlook::AwaitsReference | Outlook::AwaitsState => {
                        self.parts.mempool.park(&id, reject.missing.clone(), height);
                        self.refused.insert(id, Turned::rejected(reject));
                    }
                },
                Err(Refusal::Fault(fault)) => {
                    self.quarantine(id, &fault);
                }
            }
        }
        if let Some(last) = taken.last() {
            self.parts.mempool.set_turn(last.header().author.clone());
        }
        taken
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
        let every = self.parts.snapshot_every;
        if every > 0 && header.height.is_multiple_of(every) {
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
        let result = self.parts.chain.execute(block, known, apply);
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
        let outcome = self.parts.chain.commit(&block, certificate).inspect_err(|_| {
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
