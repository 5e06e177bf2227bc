//! Networks in simulation: random histories, skewed clocks, lost gossip, nodes that are away,
//! machines that go down at any moment and disks that fill up in the middle of a block.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use headwater_ledger::block::{Block, Header};
use headwater_ledger::certificate::CommitCertificate;
use headwater_ledger::envelope::VerifiedEnvelope;
use headwater_ledger::hash::{Digest, EnvelopeId};
use headwater_node::app::{Origin, Status};
use headwater_node::application::{Application, Freshness, Verdict};
use headwater_node::clock::{Clock, ManualClock};
use headwater_node::store::disk::{Crash, SimDisk, Tear};
use headwater_node::store::index::{IndexStore, MemoryIndex};

use crate::history::{Dice, History};
use crate::nodes::{Node, Settings, VALIDATORS, address, certificate};
use crate::support::GENESIS_MS;

/// What a validator allows a block to be ahead of its clock.
const LEAD_MS: u64 = 2_000;

struct Decided {
    block: Bytes,
    certificate: CommitCertificate,
    root: Digest,
}

struct Network {
    dice: Dice,
    nodes: Vec<Node>,
    /// Until which step a node does not take part.
    away_until: Vec<u64>,
    /// The real time, which no node knows.
    now_ms: u64,
    skews: Vec<i64>,
    step: u64,
    history: History,
    /// Envelopes under way: when they arrive, where, and they.
    mail: Vec<(u64, usize, VerifiedEnvelope)>,
    decided: Vec<Decided>,
    crashes: u32,
    too_early: u32,
}

impl Network {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let settings = Settings { snapshot_every: 3 + seed % 5, ..Settings::default() };
        Network {
            nodes: (0..VALIDATORS).map(|_| Node::with(settings)).collect(),
            away_until: vec![0; VALIDATORS],
            now_ms: GENESIS_MS + 5_000,
            skews: (0..VALIDATORS).map(|_| dice.below(3_000) as i64 - 1_500).collect(),
            step: 0,
            history: History::new(seed),
            mail: Vec::new(),
            decided: Vec::new(),
            crashes: 0,
            too_early: 0,
            dice,
        }
    }

    fn tip(&self) -> u64 {
        self.decided.len() as u64
    }

    fn present(&self) -> Vec<usize> {
        (0..VALIDATORS).filter(|i| self.away_until[*i] <= self.step).collect()
    }

    /// Time passes for everyone, and those who come back catch up.
    fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        for (node, skew) in self.nodes.iter().zip(&self.skews) {
            node.clock.set(self.now_ms.saturating_add_signed(*skew));
        }
        for i in self.present() {
            self.catch_up(i);
        }
    }

    fn catch_up(&mut self, i: usize) {
        let node = &mut self.nodes[i];
        for decided in &self.decided[node.tip() as usize..] {
            let verdict = node.app.check_block(&decided.block, Freshness::Replayed);
            assert_eq!(verdict, Verdict::Valid, "node {i} at height {}", node.tip() + 1);
            node.app.commit(decided.block.clone(), decided.certificate.clone()).unwrap();
            assert_eq!(node.root(), decided.root);
        }
    }

    /// Clients hand envelopes in, and the nodes pass them on.
    fn submit(&mut self, count: u64) {
        for _ in 0..count {
            let present = self.present();
            let at = present[self.dice.below(present.len() as u64) as usize];
            let state = self.nodes[at].app.chain().tip().state.clone();
            let envelope = self.history.next(&state, self.now_ms);
            let (_, is_new) = self.nodes[at].app.submit(envelope.clone(), Origin::Client);
            if is_new {
                self.publish(at, envelope, 40);
            }
        }
    }

    fn publish(&mut self, from: usize, envelope: VerifiedEnvelope, lost_percent: u64) {
        for to in (0..VALIDATORS).filter(|to| *to != from) {
            if !self.dice.chance(lost_percent) {
                self.mail.push((self.step + self.dice.below(4), to, envelope.clone()));
            }
        }
    }

    fn deliver(&mut self, lost_percent: u64) {
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.mail).into_iter().partition(|m| m.0 <= self.step);
        self.mail = later;
        for (_, to, envelope) in due {
            let is_here = self.away_until[to] <= self.step;
            if is_here && self.nodes[to].app.submit(envelope.clone(), Origin::Peer).1 {
                self.publish(to, envelope, lost_percent);
            }
        }
        for from in self.present() {
            for envelope in self.nodes[from].app.to_republish(3_000, 50) {
                self.publish(from, (*envelope).clone(), lost_percent);
            }
        }
    }

    /// One round: a proposer builds, the others judge, and with a quorum all commit.
    fn round(&mut self) {
        let present = self.present();
        let proposer = present[self.dice.below(present.len() as u64) as usize];
        let height = self.tip() + 1;
        let node = &mut self.nodes[proposer];
        let (id, block) = node.app.build_block(height, 0, address(proposer)).unwrap();
        let header = Header::of_block(&block).unwrap();
        assert_eq!(header.id().unwrap(), id);
        let parent_ms = node.app.tip_time_ms();
        assert!(header.time_ms > parent_ms, "block time does not advance");

        let mut voters = Vec::new();
        for i in &present {
            let node = &mut self.nodes[*i];
            let is_early = header.time_ms > node.clock.now_ms() + LEAD_MS;
            match node.app.check_block(&block, Freshness::Fresh) {
                Verdict::Valid if is_early => panic!("node {i} takes a block from its future"),
                Verdict::Valid => voters.push(*i),
                Verdict::Invalid(_) if is_early => self.too_early += 1,
                Verdict::Invalid(reason) => panic!("node {i} refuses height {height}: {reason}"),
            }
        }
        if voters.len() * 3 <= VALIDATORS * 2 {
            return;
        }
        let certificate = certificate(&block, &voters[..3]);
        self.decided.push(Decided { block, certificate, root: header.state_root });
        for i in present {
            match self.dice.chance(6) {
                true => self.fail_while_committing(i),
                false => self.catch_up(i),
            }
        }
    }

    fn any_crash(&mut self) -> Crash {
        let tear = [Tear::Short, Tear::Zeros, Tear::Holes][self.dice.below(3) as usize];
        let everything = self.dice.chance(30);
        Crash {
            keep_bytes: if everything { u64::MAX } else { self.dice.below(4_000) },
            keep_names: self.dice.below(4) as usize,
            tear,
        }
    }

    /// The machine goes down, and comes back later.
    fn crash(&mut self, i: usize) {
        self.crashes += 1;
        let crash = self.any_crash();
        let spare = Node::with(self.nodes[i].settings);
        let node = std::mem::replace(&mut self.nodes[i], spare);
        let acknowledged = node.tip();
        let node = node.crash(crash);
        assert!(node.tip() >= acknowledged, "node {i} lost height {acknowledged}: {crash:?}");
        if let Some(last) = node.tip().checked_sub(1) {
            assert_eq!(node.root(), self.decided[last as usize].root, "node {i} after {crash:?}");
        }
        self.nodes[i] = node;
        self.away_until[i] = self.step + self.dice.below(5);
    }

    /// The disk fills up in the middle of a block; then the machine goes down.
    fn fail_while_committing(&mut self, i: usize) {
        let Decided { block, certificate, .. } = &self.decided[self.nodes[i].tip() as usize];
        let (block, certificate) = (block.clone(), certificate.clone());
        let free = self.dice.below(block.len() as u64);
        let node = &mut self.nodes[i];
        // Snapshots are written by another thread; they should not run into the full disk.
        node.app.settle();
        node.disk.set_free_bytes(Some(free));
        node.app.commit(block, certificate).expect_err("the disk is full");
        self.crash(i);
    }

    fn finish(&mut self) {
        self.away_until = vec![0; VALIDATORS];
        // Without losses and with time, everything pending is recorded or refused.
        for _ in 0..40 {
            self.step += 1;
            self.pass(3_500);
            self.deliver(0);
            self.round();
        }
        // Those that went down in the last rounds catch up.
        self.away_until = vec![0; VALIDATORS];
        self.pass(1);
        for (i, node) in self.nodes.iter_mut().enumerate() {
            // What is tried again now and then is tried once more, and still fails.
            let block = Block::from_bytes(&node.build(i)).unwrap();
            assert_eq!(block.envelopes, [], "node {i} has not recorded what it could");
            assert!(!node.app.has_work(), "node {i} keeps itself busy");
        }
        for node in &self.nodes {
            node.app.settle();
            assert_eq!((node.tip(), node.index.height()), (self.tip(), self.tip()));
            assert_eq!(node.root(), self.decided.last().unwrap().root);
        }
        self.check_statuses();
        self.check_replay();
    }

    /// All nodes say the same of every recorded envelope, and each is recorded once.
    fn check_statuses(&self) {
        let mut recorded: BTreeMap<EnvelopeId, (u64, u32)> = BTreeMap::new();
        for (height, decided) in (1..).zip(&self.decided) {
            let block = Block::from_bytes(&decided.block).unwrap();
            for (place, signed) in (0..).zip(&block.envelopes) {
                let id = signed.envelope.id().unwrap();
                assert_eq!(recorded.insert(id, (height, place)), None, "{id} is recorded twice");
            }
        }
        for envelope in self.history.sent() {
            let id = envelope.id();
            for (i, node) in self.nodes.iter().enumerate() {
                match (node.app.status(&id), recorded.get(&id)) {
                    (Status::Recorded { height, index }, place) => {
                        assert_eq!(Some(&(height, index)), place, "node {i}, {id}");
                    }
                    (status, Some(_)) => panic!("node {i} says {status:?} of the recorded {id}"),
                    (Status::Pending, None) => panic!("node {i} still has {id}"),
                    (Status::Waiting(_) | Status::Refused(_) | Status::Unknown, None) => {}
                }
            }
        }
        assert!(recorded.len() * 6 > self.history.sent().len(), "{} recorded", recorded.len());
    }

    /// From the log alone, and from nothing, the same state comes out.
    fn check_replay(&self) {
        let node = &self.nodes[0];
        let disk = SimDisk::new();
        let clock = Arc::new(ManualClock::at(0));
        let mut fresh = Node::open(disk, MemoryIndex::new(), clock, node.settings).unwrap();
        fresh.sync_from(node);
        assert_eq!(fresh.root(), node.root());
        let log_only = Settings { snapshot_every: 0, ..node.settings };
        fresh.app.settle();
        let (disk, clock) = (fresh.disk.clone(), fresh.clock.clone());
        drop(fresh);
        let replayed = Node::open(disk, MemoryIndex::new(), clock, log_only).unwrap();
        assert_eq!(replayed.root(), node.root());
        replayed.app.settle();
        assert_eq!(replayed.index.height(), node.tip());
        assert_eq!(
            replayed.index.scan(b"", None, 10_000).unwrap(),
            node.index.scan(b"", None, 10_000).unwrap()
        );
    }
}

fn simulate(seed: u64) -> Network {
    let mut network = Network::new(seed);
    for step in 0..70 {
        network.step = step;
        let pause = network.dice.below(2_500);
        network.pass(pause);
        let count = network.dice.below(8);
        network.submit(count);
        network.deliver(40);
        network.round();
        if network.dice.chance(8) && network.present().len() == VALIDATORS {
            let who = network.dice.below(VALIDATORS as u64) as usize;
            network.crash(who);
        }
        if network.dice.chance(10) && network.present().len() == VALIDATORS {
            let who = network.dice.below(VALIDATORS as u64) as usize;
            network.away_until[who] = step + network.dice.below(8);
        }
    }
    network.finish();
    network
}

#[test]
fn networks_agree_and_lose_nothing_whatever_happens() {
    let seeds: Vec<u64> = match std::env::var("HEADWATER_SEED") {
        Ok(seed) => vec![seed.parse().expect("HEADWATER_SEED is a number")],
        Err(_) => (1..=10).collect(),
    };
    let (mut crashes, mut early, mut codes) = (0, 0, BTreeMap::<&str, u32>::new());
    for seed in seeds.iter().copied() {
        let run = std::panic::catch_unwind(|| simulate(seed));
        let network = run.unwrap_or_else(|panic| {
            eprintln!("failed with HEADWATER_SEED={seed}");
            std::panic::resume_unwind(panic)
        });
        crashes += network.crashes;
        early += network.too_early;
        for envelope in network.history.sent() {
            for event in envelope.events() {
                if let Status::Recorded { .. } = network.nodes[0].app.status(&envelope.id()) {
                    *codes.entry(event.name()).or_default() += 1;
                }
            }
        }
    }
    println!("{crashes} crashes, {early} blocks too early, recorded: {codes:?}");
    if seeds.len() > 1 {
        assert!(crashes > 20 && early > 5, "the histories have become too tame");
        assert!(codes.len() >= 14, "the histories record too little: {codes:?}");
    }
}

#[test]
fn block_time_advances_even_when_the_clock_goes_back() {
    let mut node = Node::new();
    node.clock.set(GENESIS_MS + 50_000);
    assert_eq!(node.advance().time_ms, GENESIS_MS + 50_000);
    for (clock, expected) in [(49_000, 50_001), (0, 50_002), (50_002, 50_003), (60_000, 60_000)] {
        node.clock.set(GENESIS_MS + clock);
        assert_eq!(node.advance().time_ms, GENESIS_MS + expected);
    }
}

#[test]
fn a_block_from_the_future_is_refused_when_fresh_and_taken_when_replayed() {
    let (mut fast, mut slow) = (Node::new(), Node::new());
    slow.clock.set(GENESIS_MS + 10_000);
    for (ahead, fresh_is_valid) in [(LEAD_MS, true), (LEAD_MS + 1, false)] {
        fast.clock.set(GENESIS_MS + 10_000 + ahead);
        let block = fast.build(0);
        let verdict = slow.app.check_block(&block, Freshness::Fresh);
        assert_eq!(verdict == Verdict::Valid, fresh_is_valid, "{verdict:?}");
        assert_eq!(slow.app.check_block(&block, Freshness::Replayed), Verdict::Valid);
        // Even a block that was executed before stays too early while it is fresh.
        let again = slow.app.check_block(&block, Freshness::Fresh);
        assert_eq!(again == Verdict::Valid, fresh_is_valid, "{again:?}");
    }
}
