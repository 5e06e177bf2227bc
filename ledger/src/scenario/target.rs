//! What records the acts of a story.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names::AnyLists;
use crate::codec::encode;
use crate::envelope::SignedEnvelope;
use crate::execute::{BlockContext, Execution};
use crate::genesis::Genesis;
use crate::hash::ChainId;
use crate::query::{ListEntry, Lists};
use crate::reject::{Fault, Refusal, Reject};
use crate::state::{Key, Relation, State, View};

/// States before the newest that are kept.
const MAX_PAST: usize = 4_096;

/// Time from one block to the next unless a story moves the clock, in milliseconds.
const BLOCK_MS: u64 = 1_000;

/// What came of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is recorded.
    Recorded,
    /// A rule refused it.
    Refused(Reject),
}

/// What records the acts of a story: this crate's rules in memory, or a network.
pub trait Target {
    /// The chain.
    fn chain_id(&self) -> ChainId;
    /// Height of the newest block.
    fn height(&self) -> u64;
    /// Time of the newest block, milliseconds since 1970.
    fn time_ms(&self) -> u64;
    /// Time that the next block will have, as far as that is known.
    fn next_ms(&self) -> u64;
    /// Records an envelope in a block of its own; nothing happens when it is refused.
    fn submit(&mut self, envelope: SignedEnvelope) -> Result<Verdict, Fault>;
    /// The next block has this time, later than that of the newest.
    fn pass_until(&mut self, time_ms: u64) -> Result<(), Fault>;
    /// So many blocks without an envelope.
    fn pass_blocks(&mut self, count: u64) -> Result<(), Fault>;
    /// The state after the newest block, with its lists.
    fn lists(&self) -> &dyn AnyLists;
    /// Time of an earlier block, and the state after it with its lists.
    fn past(&self, height: u64) -> Result<(u64, Box<dyn AnyLists + '_>), Fault>;
}

/// This crate's rules in memory.
#[derive(Debug, Clone)]
pub struct LedgerTarget {
    chain_id: ChainId,
    height: u64,
    time_ms: u64,
    next_ms: u64,
    state: State,
    /// Lists by the canonical bytes of their relation.
    lists: BTreeMap<Vec<u8>, Vec<ListEntry>>,
    /// Time and state of each block by height, the newest too.
    past: BTreeMap<u64, (u64, State)>,
}

/// The ledger as it was after an earlier block.
struct Past<'a> {
    height: u64,
    state: &'a State,
    lists: &'a BTreeMap<Vec<u8>, Vec<ListEntry>>,
}

impl View for Past<'_> {
    fn value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault> {
        self.state.value(key)
    }
}

impl Lists for Past<'_> {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        let entries = self.lists.get(&encode(relation)?).into_iter().flatten();
        Ok(entries.filter(|entry| entry.height <= self.height).copied().collect())
    }
}

impl LedgerTarget {
    /// Before the first block.
    pub fn new(genesis: &Genesis) -> Result<Self, Fault> {
        let fault = |e: crate::genesis::GenesisError| Fault(e.to_string());
        let state = State::genesis(genesis).map_err(fault)?;
        let past = BTreeMap::from([(0, (genesis.time_ms, state.clone()))]);
        Ok(LedgerTarget {
            chain_id: genesis.chain_id().map_err(fault)?,
            height: 0,
            time_ms: genesis.time_ms,
            next_ms: genesis.time_ms.saturating_add(BLOCK_MS),
            state,
            lists: BTreeMap::new(),
            past,
        })
    }

    /// The state after the newest block.
    pub fn state(&self) -> &State {
        &self.state
    }

    fn begin(&self) -> Result<Execution, Fault> {
        let height = self.height.saturating_add(1);
        let context = BlockContext { chain_id: self.chain_id, height, time_ms: self.next_ms };
        Execution::begin(&self.state, context)
    }

    fn end(&mut self, execution: Execution) -> Result<(), Fault> {
        let executed = execution.finish()?;
        for appended in executed.effects.iter().flat_map(|effects| &effects.appended) {
            let entry = ListEntry::from_bytes(&appended.entry)?;
            self.lists.entry(encode(&appended.relation)?).or_default().push(entry);
        }
        self.state = executed.state;
        self.height = self.height.saturating_add(1);
        self.time_ms = self.next_ms;
        self.next_ms = self.time_ms.saturating_add(BLOCK_MS);
        self.past.insert(self.height, (self.time_ms, self.state.clone()));
        if self.past.len() > MAX_PAST {
            self.past.pop_first();
        }
        Ok(())
    }
}

impl View for LedgerTarget {
    fn value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault> {
        self.state.value(key)
    }
}

impl Lists for LedgerTarget {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        Ok(self.lists.get(&encode(relation)?).cloned().unwrap_or_default())
    }
}

impl Target for LedgerTarget {
    fn chain_id(&self) -> ChainId {
        self.chain_id
    }
    fn height(&self) -> u64 {
        self.height
    }
    fn time_ms(&self) -> u64 {
        self.time_ms
    }
    fn next_ms(&self) -> u64 {
        self.next_ms
    }
    fn submit(&mut self, envelope: SignedEnvelope) -> Result<Verdict, Fault> {
        let envelope = match envelope.verify() {
            Ok(envelope) => envelope,
            Err(reject) => return Ok(Verdict::Refused(reject)),
        };
        let mut execution = self.begin()?;
        match execution.apply(&envelope) {
            Ok(_) => {}
            Err(Refusal::Reject(reject)) => return Ok(Verdict::Refused(reject)),
            Err(Refusal::Fault(fault)) => return Err(fault),
        }
        self.end(execution)?;
        Ok(Verdict::Recorded)
    }
    fn pass_until(&mut self, time_ms: u64) -> Result<(), Fault> {
        if time_ms <= self.time_ms {
            return Err(Fault("the clock only goes forward".into()));
        }
        self.next_ms = time_ms;
        Ok(())
    }
    fn pass_blocks(&mut self, count: u64) -> Result<(), Fault> {
        for _ in 0..count {
            let execution = self.begin()?;
            self.end(execution)?;
        }
        Ok(())
    }
    fn lists(&self) -> &dyn AnyLists {
        self
    }
    fn past(&self, height: u64) -> Result<(u64, Box<dyn AnyLists + '_>), Fault> {
        let Some((time_ms, state)) = self.past.get(&height) else {
            let newest = self.height;
            return Err(Fault(format!(
                "no state of height {height} is kept; the newest block has height {newest}, and \
                 those of the {MAX_PAST} newest are"
            )));
        };
        Ok((*time_ms, Box::new(Past { height, state, lists: &self.lists })))
    }
}
