//! Execution: envelopes applied to a state, one by one, each wholly or not at all.
//!
//! Deterministic: the same state, context and envelopes give the same state on every machine.
//! Implements [LED-EXE-1] to [LED-EXE-4].

mod act;
mod admit;
mod apply;
mod prune;

use std::collections::{BTreeMap, BTreeSet};

use crate::block::Header;
use crate::envelope::{VerifiedEnvelope, event_id};
use crate::event::governance::Rulebook;
use crate::hash::{BlockId, ChainId, Digest, EnvelopeId, ValidatorAddress};
use crate::limits::{MAX_BLOCK_ENVELOPES, MAX_BLOCK_WEIGHT};
use crate::merkle::tree;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::state::record::PruneList;
use crate::state::{Key, Records, Relation, State, View};
use crate::validator::ValidatorSet;

pub(crate) use act::Act;
pub(crate) use act::acts_for;
pub use act::{act_hash, acting, list_entry};
pub use admit::admit;
pub use prune::expiry_hour;

/// Where and when an envelope is executed. The only clock a rule ever sees is the block's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockContext {
    /// The chain.
    pub chain_id: ChainId,
    /// Height of the block being made.
    pub height: u64,
    /// Its time, milliseconds since 1970.
    pub time_ms: u64,
}

/// An entry that execution appended to a list of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The list.
    pub relation: Relation,
    /// The entry's place, from 0.
    pub index: u64,
    /// The entry: height and identifier, see [`Relation`].
    pub entry: [u8; 41],
}

/// What the execution of one envelope did besides changing the state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// Entries appended to lists.
    pub appended: Vec<Appended>,
    /// Objects that envelopes may have waited for.
    pub created: Vec<Missing>,
    /// Weight used.
    pub weight: u64,
}

/// A block being executed on top of a state: envelopes are tried one after the other.
#[derive(Debug, Clone)]
pub struct Execution {
    context: BlockContext,
    state: State,
    seq: u64,
    weight: u64,
    envelopes: Vec<(EnvelopeId, tree::Leaf)>,
    events: u32,
    /// Ids by the hour in which they are forgotten.
    expiries: BTreeMap<u64, Vec<EnvelopeId>>,
    effects: Vec<Effects>,
    validators: Digest,
    next_validators: ValidatorSet,
    protocol: u32,
    rulebook_version: u32,
    rulebook: Rulebook,
}

/// A block executed to the end.
#[derive(Debug, Clone)]
pub struct Executed {
    /// The state after it.
    pub state: State,
    /// Its root.
    pub state_root: Digest,
    /// Root of the envelopes' leaves.
    pub envelope_root: Digest,
    /// Number of envelopes.
    pub envelopes: u32,
    /// Number of events.
    pub events: u32,
    /// Hash of the set that decides this height.
    pub validators: Digest,
    /// Hash of the set that decides the next height.
    pub next_validators: Digest,
    /// Protocol version in force.
    pub protocol: u32,
    /// Version of the rulebook in force.
    pub rulebook: u32,
    /// What each envelope did, in order.
    pub effects: Vec<Effects>,
}

impl Execution {
    /// Begins a block on top of `parent`: forgets expired ids. Implements [LED-EXE-1].
    pub fn begin(parent: &State, context: BlockContext) -> Result<Self, Fault> {
        let mut state = parent.clone();
        let seq = state.get(&Key::Ordinal)?;
        let seq = seq.ok_or_else(|| Fault("the state holds no ordinal".into()))?;
        let validators = state.validators()?.hash()?;
        let next_validators = state.next_validators()?;
        crate::governance::activate(&mut state, &context)?;
        let protocol = state.protocol()?;
        let (rulebook_version, rulebook) = state.rulebook()?;
        prune::prune(&mut state, context.time_ms)?;
        Ok(Execution {
            protocol,
            rulebook_version,
            rulebook,
            validators,
            next_validators,
            context,
            state,
            seq,
            weight: 0,
            envelopes: Vec::new(),
            events: 0,
            expiries: BTreeMap::new(),
            effects: Vec::new(),
        })
    }

    /// Weight used so far.
    pub fn weight(&self) -> u64 {
        self.weight
    }

    /// Number of envelopes so far.
    pub fn len(&self) -> usize {
        self.envelopes.len()
    }

    /// Whether no envelope was applied yet.
    pub fn is_empty(&self) -> bool {
        self.envelopes.is_empty()
    }

    /// Applies one envelope wholly, or leaves everything as it was. Implements [LED-EXE-2].
    pub fn apply(&mut self, envelope: &VerifiedEnvelope) -> Result<&Effects, Refusal> {
        let member = admit(&self.state, &self.context, envelope)?;
        let mut state = self.state.clone();
        let mut effects = Effects::default();
        let id = envelope.id();
        let author = &envelope.header().author;
        let signer = envelope.signatures().first().map(|s| s.key);
        let signer = signer.ok_or_else(|| Fault("a verified envelope has no signature".into()))?;
        let mut seq = self.seq;
        let most_weight = act::event_weight(&self.rulebook);
        for (index, event) in (0u32..).zip(envelope.events()) {
            let mut act = Act {
                state: &mut state,
                context: &self.context,
                author,
                member: &member,
                signer,
                rulebook: &self.rulebook,
                protocol: self.protocol,
                source: event,
                event: event_id(&id, index),
                seq,
                spent: BTreeSet::new(),
                most_weight: effects.weight.saturating_add(most_weight),
                effects: &mut effects,
            };
            act.weigh(event.base_weight())?;
            apply::apply_event(&mut act, event)?;
            crate::approval::spend(&mut act)?;
            let event_id = *act.event.digest();
            act.append(Relation::MemberEvents(author.clone()), &event_id)?;
            seq = seq.checked_add(1).ok_or_else(|| Fault("event ordinals are exhausted".into()))?;
        }
        let weight = self.weight.saturating_add(effects.weight);
        if weight > MAX_BLOCK_WEIGHT || self.envelopes.len() >= MAX_BLOCK_ENVELOPES {
            return Err(Reject::new(
                Code::BlockFull,
                format!("the block would weigh {weight}, at most {MAX_BLOCK_WEIGHT}"),
            )
            .into());
        }
        let not_after = envelope.header().not_after_ms;
        state.put(&Key::Recorded(id), &not_after)?;
        self.expiries.entry(expiry_hour(not_after)).or_default().push(id);
        let events = u32::try_from(envelope.events().len()).unwrap_or(u32::MAX);
        self.events = self.events.saturating_add(events);
        self.state = state;
        self.seq = seq;
        self.weight = weight;
        self.envelopes.push((id, envelope.leaf()));
        self.effects.push(effects);
        self.effects.last().ok_or_else(|| Fault("no effects".into()).into())
    }

    /// Ends the block. Implements [LED-EXE-3].
    pub fn finish(mut self) -> Result<Executed, Fault> {
        self.state.put(&Key::Ordinal, &self.seq)?;
        for (hour, ids) in std::mem::take(&mut self.expiries) {
            let previous = self.state.get(&Key::PruneHead(hour))?.unwrap_or(0);
            let height = self.context.height;
            self.state.put(&Key::PruneList(hour, height), &PruneList { previous, ids })?;
            self.state.put(&Key::PruneHead(hour), &height)?;
        }
        let next = self.next_validators.validators().to_vec();
        self.state.put(&Key::Validators, &next)?;
        let leaves: Vec<tree::Leaf> = self.envelopes.iter().map(|(_, leaf)| *leaf).collect();
        Ok(Executed {
            state_root: self.state.root(),
            state: self.state,
            envelope_root: tree::root(&leaves),
            envelopes: u32::try_from(leaves.len()).unwrap_or(u32::MAX),
            events: self.events,
            validators: self.validators,
            next_validators: self.next_validators.hash()?,
            protocol: self.protocol,
            rulebook: self.rulebook_version,
            effects: self.effects,
        })
    }
}

impl Executed {
    /// The header of the block executed on top of `parent`.
    pub fn header(
        &self,
        context: &BlockContext,
        parent: BlockId,
        proposer: ValidatorAddress,
    ) -> Header {
        Header {
            protocol: self.protocol,
            rulebook: self.rulebook,
            chain_id: context.chain_id,
            height: context.height,
            time_ms: context.time_ms,
            parent,
            envelope_root: self.envelope_root,
            envelopes: self.envelopes,
            events: self.events,
            state_root: self.state_root,
            validators: self.validators,
            next_validators: self.next_validators,
            proposer,
        }
    }
}

/// The parent of the block at height 1.
pub fn genesis_parent(chain_id: &ChainId) -> BlockId {
    BlockId::from_digest(*chain_id.digest())
}
