//! The ledger in this process, on one core: a chain in memory without network, disk or votes.

use std::collections::{BTreeMap, VecDeque};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use headwater_ledger::codec::encode;
use headwater_ledger::envelope::{SignedEnvelope, VerifiedEnvelope};
use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::event::member::Role;
use headwater_ledger::execute::{BlockContext, Execution};
use headwater_ledger::genesis::{Genesis, PROTOCOL_VERSION};
use headwater_ledger::hash::{ChainId, Context};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::limits::MAX_EVENT_WEIGHT;
use headwater_ledger::merkle::map::StateMap;
use headwater_ledger::query::{ListEntry, Lists};
use headwater_ledger::reject::{Code, Fault, Refusal};
use headwater_ledger::state::{Key, Relation, State, View};
use headwater_ledger::validator::Validator;
use headwater_tests::writers::{Signed, Writer, list, registrations};
use serde_json::json;

use crate::machine::Limits;
use crate::report::{Report, percentile, quantity};

/// Time of the genesis; each block is a second later.
const BEGIN_MS: u64 = 1_790_000_000_000;
/// States of past blocks kept, as a node keeps them.
const KEPT_STATES: usize = 64;

/// A chain in memory with everything a node's state and index would hold.
pub struct Ledger {
    /// The chain.
    pub chain_id: ChainId,
    state: State,
    kept: VecDeque<State>,
    lists: BTreeMap<Vec<u8>, Vec<ListEntry>>,
    height: u64,
}

/// How long the parts of a block took.
pub struct BlockTimes {
    /// Applying each envelope.
    pub applied: Vec<Duration>,
    /// Ending the block: the state root.
    pub finished: Duration,
}

/// What one envelope costs, as often as it was tried.
pub struct Cost {
    /// Seconds for applying it.
    pub applied: Vec<f64>,
    /// Seconds for the state root of a block with nothing else.
    pub roots: Vec<f64>,
    /// Its weight.
    pub weight: u64,
}

impl Ledger {
    /// A chain with these members; the first is an exchange and runs the only validator.
    pub fn new(members: &[Writer]) -> Result<Self> {
        Ledger::with(members, 1, PROTOCOL_VERSION, None)
    }

    /// A chain with these members, of whom the first so many are exchanges and run a validator
    /// each, a protocol version and a rulebook.
    pub fn with(
        members: &[Writer],
        run: usize,
        protocol: u32,
        rulebook: Option<Rulebook>,
    ) -> Result<Self> {
        let validator = |(n, member): (u64, &Writer)| {
            let mut seed = [1; 32];
            seed[..8].copy_from_slice(&n.to_le_bytes());
            let key = SigningKey::from_seed(&seed).public_key();
            Validator { member: member.handle.clone(), key, power: 1 }
        };
        let validators = (0..).zip(members).take(run).map(validator).collect();
        let genesis = Genesis {
            rulebook,
            name: "benchmark".parse()?,
            protocol,
            time_ms: BEGIN_MS,
            members: list(members.iter().map(Writer::admission).collect::<Result<_>>()?)?,
            validators: list(validators)?,
        };
        Ok(Ledger {
            chain_id: genesis.chain_id()?,
            state: State::genesis(&genesis)?,
            kept: VecDeque::new(),
            lists: BTreeMap::new(),
            height: 0,
        })
    }

    /// A `not_after` that holds for the next hour of blocks.
    pub fn not_after_ms(&self) -> u64 {
        BEGIN_MS + (self.height + 3_600) * 1_000
    }

    /// Records envelopes in one block and tells how long it took.
    pub fn record(&mut self, envelopes: &[VerifiedEnvelope]) -> Result<BlockTimes> {
        let height = self.height + 1;
        let time_ms = BEGIN_MS + height * 1_000;
        let context = BlockContext { chain_id: self.chain_id, height, time_ms };
        let mut execution = Execution::begin(&self.state, context)?;
        let mut applied = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            let started = Instant::now();
            execution.apply(envelope)?;
            applied.push(started.elapsed());
        }
        let started = Instant::now();
        let executed = execution.finish()?;
        let finished = started.elapsed();
        for appended in executed.effects.iter().flat_map(|e| &e.appended) {
            let list = self.lists.entry(encode(&appended.relation)?).or_default();
            list.push(ListEntry::from_bytes(&appended.entry)?);
        }
        self.kept.push_back(std::mem::replace(&mut self.state, executed.state));
        if self.kept.len() > KEPT_STATES {
            self.kept.pop_front();
        }
        self.height = height;
        Ok(BlockTimes { applied, finished })
    }

    /// What applying one envelope to the present state takes, so many times; nothing is recorded.
    pub fn cost(&self, envelope: &VerifiedEnvelope, times: usize) -> Result<Cost> {
        let height = self.height + 1;
        let time_ms = BEGIN_MS + height * 1_000;
        let context = BlockContext { chain_id: self.chain_id, height, time_ms };
        let mut cost = Cost { applied: Vec::new(), roots: Vec::new(), weight: 0 };
        for _ in 0..times {
            let mut execution = Execution::begin(&self.state, context)?;
            let started = Instant::now();
            let applied = black_box(execution.apply(envelope).map(|effects| effects.weight));
            cost.applied.push(started.elapsed().as_secs_f64());
            cost.weight = match applied {
                Ok(weight) => weight,
                // What is refused for its weight has been looked at up to there: that counts too.
                Err(Refusal::Reject(reject)) if reject.code == Code::OverWeight => MAX_EVENT_WEIGHT,
                Err(refusal) => return Err(refusal.into()),
            };
            let started = Instant::now();
            black_box(execution.finish()?);
            cost.roots.push(started.elapsed().as_secs_f64());
        }
        Ok(cost)
    }

    /// What the state root of a block without envelopes takes, the median of so many.
    pub fn empty_root(&self, times: usize) -> Result<f64> {
        let height = self.height + 1;
        let time_ms = BEGIN_MS + height * 1_000;
        let context = BlockContext { chain_id: self.chain_id, height, time_ms };
        let mut seconds = Vec::new();
        for _ in 0..times {
            let execution = Execution::begin(&self.state, context)?;
            let started = Instant::now();
            black_box(execution.finish()?);
            seconds.push(started.elapsed().as_secs_f64());
        }
        Ok(percentile(&mut seconds, 0.5))
    }

    /// Puts records into the state as events would have, where only their number matters.
    pub fn fill(&mut self, records: impl IntoIterator<Item = (Key, Vec<u8>)>) -> Result<()> {
        let mut map = self.state.map().clone();
        for (key, record) in records {
            map.insert(key.hash()?, record.into());
        }
        self.state = State::from_map(map);
        self.state.root();
        Ok(())
    }

    /// The newest state.
    pub fn state(&self) -> &State {
        &self.state
    }
}

impl View for Ledger {
    fn value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault> {
        self.state.value(key)
    }
}

impl Lists for Ledger {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        Ok(self.lists.get(&encode(relation)?).cloned().unwrap_or_default())
    }
}

/// Decodes and verifies an envelope, its signature included.
pub fn verified(signed: &Signed) -> Result<VerifiedEnvelope> {
    Ok(SignedEnvelope::from_bytes(&signed.bytes)?.verify()?)
}

/// What one core does with envelopes that register raw resources.
pub struct Rates {
    /// One event in each envelope.
    pub single: Rate,
    /// A hundred events in each envelope.
    pub batch: Rate,
}

/// Seconds of one core for an envelope.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Its number of events.
    pub events: usize,
    /// Bytes that travel.
    pub bytes: usize,
    /// Decoding it and checking everything that needs no state.
    pub verify_s: f64,
    /// Executing it, with its share of the block's state root.
    pub execute_s: f64,
}

impl Rate {
    /// Seconds for verifying and executing it once.
    pub fn seconds(&self) -> f64 {
        self.verify_s + self.execute_s
    }

    fn measure(events: usize, seconds: f64) -> Result<Self> {
        let writers = [Writer::new("exchange", Role::Exchange)?, Writer::new("w", Role::Holder)?];
        let mut ledger = Ledger::new(&writers)?;
        // As many events in each block as a loaded network puts in one.
        let per_block = 2_000 / events;
        let (mut verify, mut execute) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        while begun.elapsed().as_secs_f64() < seconds || verify.len() < 8 {
            let (until, prefix) = (ledger.not_after_ms(), format!("block-{}", verify.len()));
            let envelopes = (per_block, events);
            let signed = registrations(&writers[1..], ledger.chain_id, until, &prefix, envelopes)?;
            let started = Instant::now();
            let envelopes = signed.iter().map(verified).collect::<Result<Vec<_>>>()?;
            verify.push(started.elapsed().as_secs_f64() / per_block as f64);
            let times = ledger.record(&envelopes)?;
            let total = times.applied.iter().sum::<Duration>() + times.finished;
            execute.push(total.as_secs_f64() / per_block as f64);
        }
        let writers = &writers[1..];
        let sample = registrations(writers, ledger.chain_id, 0, "block-0", (1, events))?;
        Ok(Rate {
            events,
            bytes: sample[0].bytes.len(),
            verify_s: percentile(&mut verify, 0.5),
            execute_s: percentile(&mut execute, 0.5),
        })
    }

    fn json(&self) -> serde_json::Value {
        let per_event = |seconds: f64| seconds * 1e6 / self.events as f64;
        json!({
            "events_per_envelope": self.events,
            "bytes_per_envelope": self.bytes,
            "verify_us_per_event": per_event(self.verify_s),
            "execute_us_per_event": per_event(self.execute_s),
            "events_per_s_one_core": self.events as f64 / self.seconds(),
        })
    }
}

impl Rates {
    /// Measures both for about so many seconds.
    pub fn measure(seconds: f64) -> Result<Self> {
        Ok(Rates { single: Rate::measure(1, seconds)?, batch: Rate::measure(100, seconds)? })
    }

    /// Reports them.
    pub fn report(&self, limits: &Limits, report: &mut Report) {
        report.section("the ledger alone, one core, no network and no disk");
        for (rate, what) in [(&self.single, "1 event"), (&self.batch, "100 events")] {
            let events = rate.events as f64;
            report.against(
                &format!("verify envelopes of {what}"),
                quantity(events / rate.verify_s, "events/s"),
                "signatures",
                quantity(events * limits.ed25519_verifications_per_s, "events/s"),
            );
            let per_s = quantity(events / rate.execute_s, "events/s");
            report.line(&format!("execute envelopes of {what}"), per_s);
        }
        report.json(
            "ledger_alone",
            json!({ "single_event": self.single.json(), "hundred_events": self.batch.json() }),
        );
    }
}

/// Updates of the state map: ten thousand keys and a root at a time, past maps kept.
pub fn state_map(entries: u64, report: &mut Report) {
    const BATCH: u64 = 10_000;
    let key = |i: u64| Context::STATE_KEY.hash32(&[&i.to_le_bytes()]);
    let value = |i: u64| -> Arc<[u8]> {
        let mut bytes = [0; 100];
        bytes[..8].copy_from_slice(&i.to_le_bytes());
        Arc::from(bytes)
    };
    let mut map: StateMap = (0..entries).map(|i| (key(i), value(i))).collect();
    map.root();
    let mut kept = VecDeque::from([map.clone()]);
    let mut samples = Vec::new();
    for turn in 0..20u64 {
        let spread = (0..BATCH).map(|i| (turn * BATCH + i).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let pairs: Vec<_> = spread.map(|i| (key(i % entries), value(i ^ turn))).collect();
        let started = Instant::now();
        for (key, value) in pairs {
            map.insert(key, value);
        }
        black_box(map.root());
        samples.push(started.elapsed().as_secs_f64());
        kept.push_back(map.clone());
        if kept.len() > KEPT_STATES {
            kept.pop_front();
        }
    }
    let per_s = BATCH as f64 / percentile(&mut samples, 0.5);
    report.line(
        &format!("update a state map of {entries} entries, root included"),
        quantity(per_s, "updates/s"),
    );
    report.json(
        "state_map",
        json!({
            "entries": entries,
            "updates_per_root": BATCH,
            "updates_per_s_one_core": per_s,
        }),
    );
}
