//! The committed chain: the block log, the state at its tip and the recent states before it.

mod sets; // validator sets of past heights

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use headwater_ledger::block::{Block, Header};
use headwater_ledger::certificate::CommitCertificate;
use headwater_ledger::codec;
use headwater_ledger::envelope::VerifiedEnvelope;
use headwater_ledger::event::Event;
use headwater_ledger::event::governance::Change;
use headwater_ledger::execute::{BlockContext, Executed, Execution, genesis_parent};
use headwater_ledger::genesis::{Genesis, PROTOCOL_VERSION};
use headwater_ledger::hash::{BlockId, ChainId, Digest, EnvelopeId};
use headwater_ledger::light::LightBlock;
use headwater_ledger::merkle::tree::Leaf;
use headwater_ledger::reject::{Fault as LedgerFault, Refusal};
use headwater_ledger::state::record::{ChangeRecord, ScheduledChange};
use headwater_ledger::state::{Key, Records as _, State, View as _};
use headwater_ledger::validator::ValidatorSet;

use crate::application::Fault;
use crate::store::index::IndexStore;
use crate::store::log::{BlockLog, Record};
use crate::store::snapshot::Snapshots;
use sets::Sets;

/// Most bytes of an encoded certificate: a hundred signatures and some room.
const MAX_CERTIFICATE_BYTES: usize = 64 << 10;

/// Executed blocks kept until one of them is decided.
const MAX_EXECUTED: usize = 8;

/// Positive signature verdicts kept, in two generations.
const VERDICTS_PER_GENERATION: usize = 65_536;

/// A committed height and everything that can be asked of it.
pub struct Point {
    /// The height; 0 for the genesis.
    pub height: u64,
    /// Its block id; for the genesis the chain id's digest.
    pub block_id: BlockId,
    /// Its block time.
    pub time_ms: u64,
    /// Header, certificate and validators; absent for the genesis.
    pub light: Option<LightBlock>,
    /// The state after it.
    pub state: State,
    /// The validators of the next height.
    pub next: Arc<ValidatorSet>,
}

impl Point {
    /// Protocol version and version of the rulebook of its block; of the genesis for height 0.
    pub fn versions(&self) -> Result<(u32, u32), Fault> {
        match &self.light {
            Some(light) => Ok((light.header.protocol, light.header.rulebook)),
            None => {
                let (rulebook, _) = self.state.rulebook().map_err(fault)?;
                Ok((self.state.protocol().map_err(fault)?, rulebook))
            }
        }
    }
}

/// Envelopes whose signatures were found valid, by leaf, which commits to every byte.
#[derive(Default)]
pub struct Verdicts {
    young: HashSet<Leaf>,
    old: HashSet<Leaf>,
}

impl Verdicts {
    /// Whether the envelope with this leaf was found valid.
    pub fn knows(&self, leaf: &Leaf) -> bool {
        self.young.contains(leaf) || self.old.contains(leaf)
    }
    /// Remembers a positive verdict; the oldest are forgotten first.
    pub fn remember(&mut self, leaf: Leaf) {
        if self.young.len() >= VERDICTS_PER_GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(leaf);
    }
}

/// A block with everything its execution gave.
pub struct Outcome {
    /// The header.
    pub header: Header,
    /// Ids of its envelopes with their numbers of events, in order.
    pub envelopes: Vec<(EnvelopeId, u32)>,
    /// What its execution gave.
    pub executed: Executed,
}

/// Why a block is not valid on the tip.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// A rule of blocks is broken.
    #[error("{0}")]
    Block(String),
    /// An envelope in it cannot be executed.
    #[error("envelope {id}: {refusal}")]
    Envelope {
        /// The envelope.
        id: EnvelopeId,
        /// Why.
        refusal: Refusal,
    },
}

/// How an envelope is executed; a seam, so that tests can make one panic.
pub type Apply = fn(&mut Execution, &VerifiedEnvelope) -> Result<(), Refusal>;

/// Executes an envelope by the ledger's rules.
pub fn apply(execution: &mut Execution, envelope: &VerifiedEnvelope) -> Result<(), Refusal> {
    execution.apply(envelope).map(|_| ())
}

/// As `apply`, turning a panic into a fault. An execution is changed only by what succeeds, so it
/// stays usable.
pub fn guarded(
    apply: Apply,
    execution: &mut Execution,
    envelope: &VerifiedEnvelope,
) -> Result<(), Refusal> {
    catch_unwind(AssertUnwindSafe(|| apply(execution, envelope)))
        .unwrap_or_else(|_| Err(LedgerFault("executing the envelope panicked".into()).into()))
}

/// The blocks of the log, to be read without holding the chain.
#[derive(Clone)]
pub struct Blocks {
    log: Arc<BlockLog>,
    sets: Arc<Sets>,
}

impl Blocks {
    /// Block and certificate of a height; `None` when the log does not have it.
    pub fn record(&self, height: u64) -> Result<Option<Record>, Fault> {
        self.log.read(height).map_err(fault)
    }

    /// The light block of any height in the log.
    pub fn light(&self, height: u64) -> Result<Option<LightBlock>, Fault> {
        let Some(record) = self.record(height)? else { return Ok(None) };
        let header = Header::of_block(&record.block).map_err(fault)?;
        let certificate = decode_certificate(&record.certificate)?;
        self.certified(header, certificate).map(Some)
    }

    /// The point after the block that follows a point in the log. Signatures are not checked: more
    /// than two thirds of the validators have done so.
    pub fn replay(&self, chain_id: ChainId, parent: &Point, apply: Apply) -> Result<Point, Fault> {
        let height = parent.height.saturating_add(1);
        let record = self.record(height)?;
        let record = record.ok_or_else(|| Fault::new(format!("the log has no block {height}")))?;
        let certificate = decode_certificate(&record.certificate)?;
        let block = Block::from_bytes(&record.block).map_err(fault)?;
        let outcome = execute(chain_id, parent, block, |_| true, apply).map_err(|invalid| {
            Fault::new(format!("block {height} of the log is not valid: {invalid}"))
        })?;
        certifies(&outcome.header, &certificate)?;
        let validators = parent.next.validators().to_vec();
        advance(&outcome, LightBlock { header: outcome.header.clone(), certificate, validators })
    }

    /// The light block of a header and its certificate. Never one with validators that are not
    /// those of the header.
    fn certified(
        &self,
        header: Header,
        certificate: CommitCertificate,
    ) -> Result<LightBlock, Fault> {
        certifies(&header, &certificate)?;
        let set = self.sets.find(&header.validators)?.ok_or_else(|| {
            Fault::new(format!(
                "the validators that decided height {} are not in the index: stop the node and run \
                 `headwater-node reindex`",
                header.height
            ))
        })?;
        Ok(LightBlock { header, certificate, validators: set.validators().to_vec() })
    }
}

/// Fails when a certificate is for another block than the header.
fn certifies(header: &Header, certificate: &CommitCertificate) -> Result<(), Fault> {
    let id = header.id().map_err(fault)?;
    if (certificate.height, certificate.block_id) == (header.height, id) {
        return Ok(());
    }
    Err(Fault::new(format!(
        "the certificate given for block {} of height {} is for block {} of height {}",
        id, header.height, certificate.block_id, certificate.height
    )))
}

/// The committed chain.
pub struct Chain {
    genesis: Genesis,
    chain_id: ChainId,
    blocks: Blocks,
    tip: Arc<Point>,
    history: VecDeque<Arc<Point>>,
    keep: usize,
    /// Results by the hash of all bytes of the block: a known header with another body is another
    /// block.
    executed: HashMap<blake3::Hash, Arc<Outcome>>,
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::new(error.to_string())
}

/// The point before the first block.
pub fn genesis_point(genesis: &Genesis, chain_id: &ChainId) -> Result<Point, Fault> {
    let state = State::genesis(genesis).map_err(fault)?;
    Ok(Point {
        height: 0,
        block_id: genesis_parent(chain_id),
        time_ms: genesis.time_ms,
        light: None,
        next: Arc::new(state.validators().map_err(fault)?),
        state,
    })
}

/// The point of the newest usable snapshot of these heights, the last one included.
pub fn point_of_snapshot(
    blocks: &Blocks,
    snapshots: &Snapshots,
    lowest: u64,
    highest: u64,
) -> Result<Option<Point>, Fault> {
    let loaded = snapshots
        .load_latest(lowest, highest, |meta, entries| {
            let map = entries.map(|(key, value)| (key, Arc::from(value))).collect();
            let state = State::from_map(map);
            if state.root().raw() != &meta.state_root {
                return Err("its entries do not have its state root".into());
            }
            Ok(state)
        })
        .map_err(fault)?;
    let Some((meta, state)) = loaded else { return Ok(None) };
    let light = blocks.light(meta.height)?;
    let light = light.ok_or_else(|| Fault::new("the log has no block for the snapshot"))?;
    if light.header.state_root != state.root()
        || light.certificate.block_id.digest().raw() != &meta.block_id
    {
        return Err(Fault::new(format!(
            "the snapshot at height {} contradicts the block log; delete the snapshots folder and \
             start again",
            meta.height
        )));
    }
    Ok(Some(Point {
        height: meta.height,
        block_id: light.certificate.block_id,
        time_ms: light.header.time_ms,
        next: Arc::new(state.validators().map_err(fault)?),
        light: Some(light),
        state,
    }))
}

/// Fails when a state is, or is scheduled to be, of a protocol version that this program does not
/// know: it would take another path than the network at that height. Only a program older than the
/// one that wrote the state gets here, for a proposal of an unknown version is invalid by the rules.
fn require_known_protocol(state: &State) -> Result<(), Fault> {
    let scheduled: Option<Vec<ScheduledChange>> = state.get(&Key::Scheduled).map_err(fault)?;
    let mut newest = (state.protocol().map_err(fault)?, 0);
    for ScheduledChange { activate_height, change } in scheduled.unwrap_or_default() {
        let record: Option<ChangeRecord> = state.get(&Key::Change(change)).map_err(fault)?;
        if let Some(Change::SetProtocol(version)) = record.map(|r| r.change) {
            newest = newest.max((version, activate_height));
        }
    }
    let (version, height) = newest;
    if version <= PROTOCOL_VERSION {
        return Ok(());
    }
    let since = if height == 0 { String::new() } else { format!(" from height {height} on") };
    Err(Fault::new(format!(
        "the network is at protocol version {version}{since}, this program knows 1 to \
         {PROTOCOL_VERSION}: install a newer one; nothing was changed"
    )))
}

/// The newest protocol version that a block is of or proposes; 0 when it cannot be read.
fn newest_protocol(block: &[u8]) -> u32 {
    let Ok(block) = Block::from_bytes(block) else { return 0 };
    let events = block.envelopes.iter().flat_map(|signed| signed.envelope.events.iter());
    let proposed = events.map(|event| {
        if let Event::ProposeChange(proposal) = event
            && let Change::SetProtocol(version) = proposal.change
        {
            return version;
        }
        0
    });
    proposed.fold(block.header.protocol, u32::max)
}

fn hash_of(set: &ValidatorSet) -> Result<Digest, Fault> {
    set.hash().map_err(fault)
}

/// Executes a block on a point and compares every field of its header. Signatures are checked
/// unless `known` vouches for them.
pub fn execute(
    chain_id: ChainId,
    parent: &Point,
    block: Block,
    mut known: impl FnMut(&Leaf) -> bool,
    apply: Apply,
) -> Result<Outcome, Invalid> {
    let bad = |text: String| Err(Invalid::Block(text));
    let header = block.header;
    if header.protocol > PROTOCOL_VERSION {
        return bad(format!(
            "it is of protocol version {}, this program knows 1 to {PROTOCOL_VERSION}",
            header.protocol
        ));
    }
    let height = parent.height + 1;
    if header.height != height {
        return bad(format!("height {}, expected {height}", header.height));
    }
    if header.time_ms <= parent.time_ms {
        return bad(format!("time {} is not after {}", header.time_ms, parent.time_ms));
    }
    if parent.next.by_address(&header.proposer).is_none() {
        return bad(format!("proposer {} is not a validator", header.proposer));
    }
    let context = BlockContext { chain_id, height, time_ms: header.time_ms };
    let mut execution = Execution::begin(&parent.state, context)
        .map_err(|e| Invalid::Block(format!("the state cannot be read: {e}")))?;
    let mut envelopes = Vec::with_capacity(block.envelopes.len());
    for signed in block.envelopes {
        let envelope = signed
            .verify_unless(&mut known)
            .map_err(|reject| Invalid::Block(format!("an envelope is malformed: {reject}")))?;
        let id = envelope.id();
        guarded(apply, &mut execution, &envelope)
            .map_err(|refusal| Invalid::Envelope { id, refusal })?;
        envelopes.push((id, u32::try_from(envelope.events().len()).unwrap_or(u32::MAX)));
    }
    let executed = execution
        .finish()
        .map_err(|e| Invalid::Block(format!("the block cannot be finished: {e}")))?;
    let expected = executed.header(&context, parent.block_id, header.proposer);
    if expected != header {
        return bad(format!(
            "the header does not match its execution: {header:?}, executed {expected:?}"
        ));
    }
    Ok(Outcome { header, envelopes, executed })
}

/// The point after a block.
pub fn advance(outcome: &Outcome, light: LightBlock) -> Result<Point, Fault> {
    let state = outcome.executed.state.clone();
    Ok(Point {
        height: outcome.header.height,
        block_id: light.certificate.block_id,
        time_ms: outcome.header.time_ms,
        next: Arc::new(state.validators().map_err(fault)?),
        light: Some(light),
        state,
    })
}

/// Decodes a stored certificate.
pub fn decode_certificate(bytes: &[u8]) -> Result<CommitCertificate, Fault> {
    codec::decode(bytes, MAX_CERTIFICATE_BYTES)
        .map_err(|e| Fault::new(format!("a stored certificate cannot be read: {e}")))
}

impl Chain {
    /// Opens the chain: the newest usable snapshot, then the rest of the log. `each` is called for
    /// every block replayed. No snapshot above the height of the index is used, so that one that
    /// lags can be brought up from the log.
    pub fn open(
        genesis: Genesis,
        log: BlockLog,
        snapshots: &Snapshots,
        index: Arc<dyn IndexStore>,
        keep: usize,
        mut each: impl FnMut(&Outcome) -> Result<(), Fault>,
    ) -> Result<Self, Fault> {
        let chain_id = genesis.chain_id().map_err(fault)?;
        let mut point = genesis_point(&genesis, &chain_id)?;
        let index_height = index.height();
        let sets = Arc::new(Sets::new(index));
        sets.see(hash_of(&point.next)?, &point.next);
        let blocks = Blocks { log: Arc::new(log), sets };
        let log = blocks.log.clone();
        let highest = index_height.min(log.tip());
        if let Some(found) = point_of_snapshot(&blocks, snapshots, 1, highest)? {
            blocks.sets.see(hash_of(&found.next)?, &found.next);
            point = found;
        }
        require_known_protocol(&point.state)?;
        let mut chain = Chain {
            chain_id,
            tip: Arc::new(point),
            history: VecDeque::new(),
            keep: keep.max(1),
            executed: HashMap::new(),
            genesis,
            blocks,
        };
        chain.history.push_back(chain.tip.clone());
        while chain.tip.height < log.tip() {
            let height = chain.tip.height + 1;
            let record = chain.blocks.record(height)?;
            let record =
                record.ok_or_else(|| Fault::new(format!("the log has no block {height}")))?;
            let certificate = decode_certificate(&record.certificate)?;
            let outcome = chain.execute_decided(&record.block, apply)?;
            certifies(&outcome.header, &certificate)?;
            each(&outcome)?;
            chain.set_tip(&outcome, certificate)?;
        }
        Ok(chain)
    }

    /// The chain id.
    pub fn chain_id(&self) -> ChainId {
        self.chain_id
    }
    /// The genesis document.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }
    /// The last committed height.
    pub fn tip(&self) -> &Arc<Point> {
        &self.tip
    }
    /// The block log.
    pub fn log(&self) -> &BlockLog {
        &self.blocks.log
    }
    /// The blocks of the log, for whoever should not hold the chain while reading.
    pub fn blocks(&self) -> Blocks {
        self.blocks.clone()
    }
    /// A recent committed height; `None` when its state is not in memory.
    pub fn at(&self, height: u64) -> Option<&Arc<Point>> {
        let place = height.checked_sub(self.lowest())?;
        self.history.get(usize::try_from(place).ok()?)
    }
    /// The lowest height whose state is in memory.
    pub fn lowest(&self) -> u64 {
        self.history.front().map_or(self.tip.height, |p| p.height)
    }

    /// The light block of any height in the log.
    pub fn light(&self, height: u64) -> Result<Option<LightBlock>, Fault> {
        if let Some(light) = self.at(height).and_then(|p| p.light.clone()) {
            return Ok(Some(light));
        }
        self.blocks.light(height)
    }

    /// Executes a proposed block on the tip, once.
    pub fn execute(
        &mut self,
        bytes: &[u8],
        known: impl FnMut(&Leaf) -> bool,
        apply: Apply,
    ) -> Result<Arc<Outcome>, Invalid> {
        let key = blake3::hash(bytes);
        if let Some(outcome) = self.executed.get(&key) {
            return Ok(outcome.clone());
        }
        let block = Block::from_bytes(bytes).map_err(|e| Invalid::Block(e.to_string()))?;
        let outcome = Arc::new(execute(self.chain_id, &self.tip, block, known, apply)?);
        self.remember(bytes, outcome.clone());
        Ok(outcome)
    }

    /// Keeps the result of executing these bytes on the tip until a block is committed.
    pub fn remember(&mut self, bytes: &[u8], outcome: Arc<Outcome>) {
        if self.executed.len() >= MAX_EXECUTED {
            self.executed.clear();
        }
        self.executed.insert(blake3::hash(bytes), outcome);
    }

    /// Executes a decided block; a failure is a fault.
    fn execute_decided(&mut self, bytes: &[u8], apply: Apply) -> Result<Arc<Outcome>, Fault> {
        // More than two thirds of the validators have checked the signatures, this node included
        // unless it is catching up.
        self.execute(bytes, |_| true, apply).map_err(|invalid| {
            let advice = match newest_protocol(bytes) {
                newest if newest > PROTOCOL_VERSION => format!(
                    "The network goes on with protocol version {newest}: install a program that \
                     knows it; nothing was changed"
                ),
                _ => "Run `headwater-node check` and report this; do not delete anything".into(),
            };
            let height = self.tip.height + 1;
            Fault::new(format!("decided block {height} is not valid here: {invalid}. {advice}"))
        })
    }

    /// Makes a decided block durable and the new tip.
    pub fn commit(
        &mut self,
        bytes: &[u8],
        certificate: CommitCertificate,
        apply: Apply,
    ) -> Result<Arc<Outcome>, Fault> {
        let outcome = self.execute_decided(bytes, apply)?;
        certifies(&outcome.header, &certificate)?;
        let encoded = codec::encode(&certificate).map_err(fault)?;
        self.blocks.log.append(outcome.header.height, bytes, &encoded).map_err(fault)?;
        self.set_tip(&outcome, certificate)?;
        Ok(outcome)
    }

    fn set_tip(&mut self, outcome: &Outcome, certificate: CommitCertificate) -> Result<(), Fault> {
        let validators = self.tip.next.validators().to_vec();
        let light = LightBlock { header: outcome.header.clone(), certificate, validators };
        self.tip = Arc::new(advance(outcome, light)?);
        self.blocks.sets.see(outcome.header.next_validators, &self.tip.next);
        self.history.push_back(self.tip.clone());
        while self.history.len() > self.keep {
            self.history.pop_front();
        }
        self.executed.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_of_verdicts_keeps_the_latest_and_is_bounded() {
        let leaf = |n: usize| Leaf::of(&n.to_le_bytes());
        let mut verdicts = Verdicts::default();
        let last = 3 * VERDICTS_PER_GENERATION;
        for n in 0..=last {
            verdicts.remember(leaf(n));
            assert!(verdicts.knows(&leaf(n)));
            let before = n.saturating_sub(VERDICTS_PER_GENERATION - 1);
            assert!(verdicts.knows(&leaf(before)), "{before} is forgotten at {n}");
        }
        assert!(!verdicts.knows(&leaf(0)) && !verdicts.knows(&leaf(last + 1)));
        assert!(verdicts.young.len() + verdicts.old.len() <= 2 * VERDICTS_PER_GENERATION);
    }
}
