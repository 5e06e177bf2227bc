//! A network as what records the acts of a story written in the scenario language.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_ledger::envelope::SignedEnvelope;
use headwater_ledger::event::Event;
use headwater_ledger::event::governance::Change;
use headwater_ledger::execute::{BlockContext, Execution};
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::{ChainId, Digest};
use headwater_ledger::keys::{PublicKey, SigningKey};
use headwater_ledger::reject::{Fault, Refusal};
use headwater_ledger::scenario::names::AnyLists;
use headwater_ledger::scenario::{LedgerTarget, Target, Verdict, signing_key};
use headwater_node::app::Status;
use tokio::runtime::Runtime;

use crate::network::{Network, Pace, Seen, Settings};

/// Time from one block to the next unless the story moves the clock, as in memory.
const BLOCK_MS: u64 = 1_000;
/// Nodes of a network at least.
const NODES: usize = 4;
/// Longest wait for the state of an earlier height.
const PATIENCE: Duration = Duration::from_secs(60);

/// The rules in memory, noting what a network needs to know before it can run the same story.
pub struct Rehearsal {
    target: LedgerTarget,
    /// Whether the story proposes changes of governance.
    pub governs: bool,
    /// The consensus keys that it proposes as validators.
    pub proposed: Vec<PublicKey>,
    /// The state root after each height.
    pub roots: BTreeMap<u64, Digest>,
}

impl Rehearsal {
    /// Before the first block.
    pub fn new(genesis: &Genesis) -> Rehearsal {
        let target = LedgerTarget::new(genesis).unwrap();
        Rehearsal { target, governs: false, proposed: Vec::new(), roots: BTreeMap::new() }
    }

    fn note_root(&mut self) {
        self.roots.insert(self.target.height(), self.target.state().root());
    }
}

impl Target for Rehearsal {
    fn submit(&mut self, envelope: SignedEnvelope) -> Result<Verdict, Fault> {
        for event in envelope.envelope.events.iter() {
            if let Event::ProposeChange(proposal) = event {
                self.governs = true;
                if let Change::SetValidator(validator) = &proposal.change {
                    self.proposed.push(validator.key);
                }
            }
        }
        let verdict = self.target.submit(envelope)?;
        self.note_root();
        Ok(verdict)
    }
    fn pass_blocks(&mut self, count: u64) -> Result<(), Fault> {
        self.target.pass_blocks(count)?;
        self.note_root();
        Ok(())
    }
    fn pass_until(&mut self, time_ms: u64) -> Result<(), Fault> {
        self.target.pass_until(time_ms)
    }
    fn chain_id(&self) -> ChainId {
        self.target.chain_id()
    }
    fn height(&self) -> u64 {
        self.target.height()
    }
    fn time_ms(&self) -> u64 {
        self.target.time_ms()
    }
    fn next_ms(&self) -> u64 {
        self.target.next_ms()
    }
    fn lists(&self) -> &dyn AnyLists {
        self.target.lists()
    }
    fn past(&self, height: u64) -> Result<(u64, Box<dyn AnyLists + '_>), Fault> {
        self.target.past(height)
    }
}

/// The consensus keys of a network for a story: its validators', those it proposes, and as many
/// followers' as four nodes need.
pub fn consensus_keys(genesis: &Genesis, proposed: &[PublicKey]) -> Vec<SigningKey> {
    let mut keys: Vec<SigningKey> =
        genesis.validators.iter().map(|v| signing_key(&v.member, "validator")).collect();
    let all: Vec<_> = genesis.members.iter().map(|m| signing_key(&m.handle, "validator")).collect();
    for key in proposed {
        if keys.iter().all(|k| k.public_key() != *key) {
            keys.extend(all.iter().find(|k| k.public_key() == *key).cloned());
        }
    }
    let followers = (keys.len()..NODES).map(|n| {
        SigningKey::from_seed(&[u8::try_from(n).expect("fewer than four are few") + 1; 32])
    });
    keys.extend(followers);
    keys
}

/// A network that records the acts of a story: each is handed to another node, and what comes of
/// it is read from yet another.
pub struct NetworkTarget {
    runtime: Runtime,
    network: Network,
    next_ms: u64,
    /// What the next expectation is read from.
    seen: Seen,
    /// Envelopes submitted so far.
    turn: usize,
    /// Blocks after which a node is stopped for two blocks and started again.
    restart_at: Option<u64>,
    /// Whether the last node is stopped now.
    away: bool,
}

impl NetworkTarget {
    /// Before the first block. With `restart_at` a node is away for two blocks from that height on.
    pub fn new(genesis: Genesis, keys: &[SigningKey], restart_at: Option<u64>) -> NetworkTarget {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let settings = Settings {
            pace: Pace::Told,
            heartbeat_ms: 3_600_000,
            keep_heights: 16,
            snapshot_every: 20,
        };
        let next_ms = genesis.time_ms + BLOCK_MS;
        let network = Network::open(genesis, keys, settings);
        let seen = runtime.block_on(network.seen(0));
        NetworkTarget { runtime, network, next_ms, seen, turn: 0, restart_at, away: false }
    }

    /// Height and state root, the same on all nodes, once the story is over.
    pub fn finish(self) -> (u64, Digest) {
        // The state read last holds the index of its node open.
        let NetworkTarget { runtime, mut network, seen, away, .. } = self;
        drop(seen);
        let _guard = runtime.enter();
        network.join_all();
        if away {
            network.start_node(network.len() - 1);
        }
        let agreed = runtime.block_on(network.agree());
        runtime.block_on(network.finish());
        agreed
    }

    /// The node whose turn it is; the last may be away.
    fn node(&self, turn: usize) -> usize {
        turn % (self.network.len() - usize::from(self.away))
    }

    fn block(&mut self) -> Result<(), Fault> {
        {
            let _guard = self.runtime.enter();
            self.network.join_all();
        }
        self.network.set_time(self.next_ms);
        self.runtime.block_on(self.network.make_block());
        self.come_and_go();
        self.look();
        Ok(())
    }

    /// Reads from the node after the one whose turn it is.
    fn look(&mut self) {
        let reader = self.node(self.turn + 1);
        self.seen = self.runtime.block_on(self.network.seen(reader));
        self.next_ms = self.seen.point.time_ms + BLOCK_MS;
    }

    /// Stops the last node and starts it again two blocks later, when this is to be done.
    fn come_and_go(&mut self) {
        let Some(at) = self.restart_at else { return };
        let (height, last) = (self.network.height(0), self.network.len() - 1);
        if !self.away && height >= at {
            self.runtime.block_on(self.network.stop_node(last)).unwrap();
            self.away = true;
        } else if self.away && height >= at + 2 {
            let _guard = self.runtime.enter();
            self.network.start_node(last);
            drop(_guard);
            // It begins with a height of its own, in which the others follow it.
            self.runtime.block_on(self.network.agree());
            self.away = false;
            self.restart_at = None;
        }
    }

    /// What the rules say of an envelope that a node knows as recorded.
    fn verdict_again(&self, i: usize, envelope: SignedEnvelope) -> Result<Verdict, Fault> {
        let point = self.network.app(i).chain().tip().clone();
        let context = BlockContext {
            chain_id: self.network.chain_id(),
            height: point.height + 1,
            time_ms: self.next_ms,
        };
        let envelope = envelope.verify().map_err(|reject| Fault(reject.to_string()))?;
        match Execution::begin(&point.state, context)?.apply(&envelope) {
            Err(Refusal::Reject(reject)) => Ok(Verdict::Refused(reject)),
            Err(Refusal::Fault(fault)) => Err(fault),
            Ok(_) => Err(Fault("a recorded envelope could be recorded again".into())),
        }
    }
}

impl Target for NetworkTarget {
    fn submit(&mut self, envelope: SignedEnvelope) -> Result<Verdict, Fault> {
        let i = self.node(self.turn);
        self.turn += 1;
        self.network.set_time(self.next_ms);
        let bytes = envelope.to_bytes().map_err(|e| Fault(e.to_string()))?;
        let (verified, status) = match self.network.hand(i, &bytes) {
            Ok(handed) => handed,
            Err(reject) => return Ok(Verdict::Refused(reject)),
        };
        match status {
            Status::Pending => {}
            // A client is told where it is recorded; the rules call it a duplicate.
            Status::Recorded { .. } => return self.verdict_again(i, envelope),
            other => return Err(Fault(format!("node {i} has it as {other:?}"))),
        }
        self.network.offer(i, &verified);
        let height = self.network.height(i) + 1;
        self.block()?;
        match self.network.app(i).status(&verified.id()) {
            Status::Recorded { height: at, .. } if at == height => Ok(Verdict::Recorded),
            other => Err(Fault(format!("node {i} has it as {other:?} after height {height}"))),
        }
    }

    fn pass_until(&mut self, time_ms: u64) -> Result<(), Fault> {
        if time_ms <= self.time_ms() {
            return Err(Fault("the clock only goes forward".into()));
        }
        self.next_ms = time_ms;
        Ok(())
    }

    fn pass_blocks(&mut self, count: u64) -> Result<(), Fault> {
        (0..count).try_for_each(|_| self.block())
    }

    fn chain_id(&self) -> ChainId {
        self.network.chain_id()
    }
    fn height(&self) -> u64 {
        self.seen.point.height
    }
    fn time_ms(&self) -> u64 {
        self.seen.point.time_ms
    }
    fn next_ms(&self) -> u64 {
        self.next_ms
    }
    fn lists(&self) -> &dyn AnyLists {
        &self.seen
    }
    fn past(&self, height: u64) -> Result<(u64, Box<dyn AnyLists + '_>), Fault> {
        let past = self.network.app(self.node(self.turn + 1)).past();
        let point = self.runtime.block_on(past.at(height, PATIENCE));
        let point = point.map_err(|e| Fault(format!("no state of height {height}: {e:?}")))?;
        Ok((point.time_ms, Box::new(self.seen.at(point))))
    }
}
