//! Pending envelopes: bounded, fair between members, waiting for what they refer to.
//!
//! A member's envelopes keep their order; members take turns. Nothing one member does may starve
//! another: every bound is per member first, and envelopes that failed are tried again ever later.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use headwater_ledger::envelope::VerifiedEnvelope;
use headwater_ledger::hash::EnvelopeId;
use headwater_ledger::reject::Missing;
use headwater_ledger::text::Handle;

/// Bounds on what may be pending.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of all envelopes.
    pub max_bytes: usize,
    /// Number of all envelopes.
    pub max_envelopes: usize,
    /// Number of envelopes of one member.
    pub max_per_member: usize,
    /// Number of envelopes that wait.
    pub max_waiting: usize,
}

/// Why an envelope was not taken. The newcomer is turned away; nothing pending is pushed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// The pool is full.
    #[error("the node holds as many pending envelopes as it can")]
    Pool,
    /// The member's share is used up.
    #[error("the author has as many pending envelopes at this node as one member may have")]
    Member,
    /// Too many envelopes wait.
    #[error("the node holds as many waiting envelopes as it can")]
    Waiting,
}

/// Whether an envelope can go into a block now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It can be tried.
    Ready,
    /// It waits for exactly this object.
    AwaitsReference(Missing),
    /// It waits for the state to change; tried again at this height.
    AwaitsState {
        /// The height after which it is tried again.
        retry_after: u64,
    },
}

struct Entry {
    envelope: Arc<VerifiedEnvelope>,
    place: Place,
    tries: u32,
    published_ms: u64,
}

/// The pool.
pub struct Mempool {
    limits: Limits,
    entries: HashMap<EnvelopeId, Entry>,
    /// Ready envelopes by author, in order of arrival.
    ready: BTreeMap<Handle, VecDeque<EnvelopeId>>,
    ready_count: usize,
    /// Pending envelopes by author, ready or not.
    shares: BTreeMap<Handle, usize>,
    by_missing: BTreeMap<Missing, Vec<EnvelopeId>>,
    by_retry: BTreeSet<(u64, EnvelopeId)>,
    by_expiry: BTreeSet<(u64, EnvelopeId)>,
    /// The author after whom the next block begins.
    turn: Option<Handle>,
    bytes: usize,
}

impl Mempool {
    /// An empty pool.
    pub fn new(limits: Limits) -> Self {
        Mempool {
            limits,
            entries: HashMap::new(),
            ready: BTreeMap::new(),
            ready_count: 0,
            shares: BTreeMap::new(),
            by_missing: BTreeMap::new(),
            by_retry: BTreeSet::new(),
            by_expiry: BTreeSet::new(),
            turn: None,
            bytes: 0,
        }
    }

    /// Number of pending envelopes, waiting ones included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// Number of envelopes that wait.
    pub fn waiting(&self) -> usize {
        self.entries.len() - self.ready_count
    }
    /// Whether an envelope can be tried now.
    pub fn has_ready(&self) -> bool {
        self.ready_count > 0
    }
    /// Bytes pending.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
    /// Where a pending envelope stands.
    pub fn place(&self, id: &EnvelopeId) -> Option<&Place> {
        self.entries.get(id).map(|e| &e.place)
    }

    /// Takes an envelope unless it is pending already or a bound is reached; tells whether it is
    /// new.
    pub fn insert(
        &mut self,
        envelope: Arc<VerifiedEnvelope>,
        place: Place,
        now_ms: u64,
    ) -> Result<bool, Full> {
        let id = envelope.id();
        if self.entries.contains_key(&id) {
            return Ok(false);
        }
        let author = &envelope.header().author;
        let size = envelope.bytes().len();
        if self.entries.len() >= self.limits.max_envelopes
            || self.bytes + size > self.limits.max_bytes
        {
            return Err(Full::Pool);
        }
        if self.shares.get(author).is_some_and(|n| *n >= self.limits.max_per_member) {
            return Err(Full::Member);
        }
        if place != Place::Ready && self.waiting() >= self.limits.max_waiting {
            return Err(Full::Waiting);
        }
        self.bytes += size;
        *self.shares.entry(author.clone()).or_default() += 1;
        self.by_expiry.insert((envelope.header().not_after_ms, id));
        let entry = Entry { envelope, place: Place::Ready, tries: 0, published_ms: now_ms };
        self.entries.insert(id, entry);
        self.enter(id, place);
        Ok(true)
    }

    /// Envelopes to try for a block: members in turn, each member's in order of arrival.
    pub fn candidates(&self, max_envelopes: usize, max_bytes: usize) -> Vec<Arc<VerifiedEnvelope>> {
        let first = |h: &&Handle| self.turn.as_ref().is_some_and(|t| *h > t);
        let (after, before): (Vec<_>, Vec<_>) = self.ready.keys().partition(first);
        let mut queues: Vec<_> =
            after.into_iter().chain(before).map(|h| self.ready[h].iter()).collect();
        let (mut out, mut bytes) = (Vec::new(), 0);
        while !queues.is_empty() {
            let mut live = Vec::with_capacity(queues.len());
            for mut queue in queues {
                let Some(entry) = queue.next().and_then(|id| self.entries.get(id)) else { continue };
                bytes += entry.envelope.bytes().len();
                if out.len() >= max_envelopes || (bytes > max_bytes && !out.is_empty()) {
                    return out;
                }
                out.push(entry.envelope.clone());
                live.push(queue);
            }
            queues = live;
        }
        out
    }

    /// The next block begins with the member after this one.
    pub fn set_turn(&mut self, last: Handle) {
        self.turn = Some(last);
    }

    /// Moves a pending envelope that failed for now. When too many wait, it is removed.
    pub fn park(&mut self, id: &EnvelopeId, missing: Option<Missing>, height: u64) {
        if self.waiting() >= self.limits.max_waiting {
            self.remove(id);
            return;
        }
        let Some(entry) = self.entries.get_mut(id) else { return };
        entry.tries = entry.tries.saturating_add(1);
        let retry_after = height + (1 << entry.tries.min(6)) - 1;
        let place = match missing {
            Some(missing) => Place::AwaitsReference(missing),
            None => Place::AwaitsState { retry_after },
        };
        self.leave(id);
        self.enter(*id, place);
    }

    /// Removes an envelope for good.
    pub fn remove(&mut self, id: &EnvelopeId) {
        self.leave(id);
        let Some(entry) = self.entries.remove(id) else { return };
        let header = entry.envelope.header();
        self.bytes -= entry.envelope.bytes().len();
        self.by_expiry.remove(&(header.not_after_ms, *id));
        if let Some(n) = self.shares.get_mut(&header.author) {
            *n -= 1;
            if *n == 0 {
                self.shares.remove(&header.author);
            }
        }
    }

    /// After a commit: removes what was recorded, wakes what waited for it, and tries again what
    /// waited for the state.
    pub fn committed<'a>(
        &mut self,
        height: u64,
        recorded: impl IntoIterator<Item = &'a EnvelopeId>,
        created: impl IntoIterator<Item = &'a Missing>,
    ) {
        for id in recorded {
            self.remove(id);
        }
        let mut woken = Vec::new();
        for missing in created {
            woken.extend(self.by_missing.remove(missing).unwrap_or_default());
        }
        while let Some(&(retry, id)) = self.by_retry.first() {
            if retry > height {
                break;
            }
            self.by_retry.pop_first();
            woken.push(id);
        }
        for id in woken {
            self.leave(&id);
            self.enter(id, Place::Ready);
        }
    }

    /// Removes what can no longer be recorded at this block time and gives its ids.
    pub fn expire(&mut self, time_ms: u64) -> Vec<EnvelopeId> {
        let mut gone = Vec::new();
        while let Some(&(not_after, id)) = self.by_expiry.first() {
            if not_after >= time_ms {
                break;
            }
            self.remove(&id);
            gone.push(id);
        }
        gone
    }

    /// Pending envelopes last sent to the peers before `now_ms - age_ms`, to be sent again.
    pub fn to_republish(&mut self, now_ms: u64, age_ms: u64, max: usize) -> Vec<Arc<VerifiedEnvelope>> {
        let mut out = Vec::new();
        for entry in self.entries.values_mut() {
            if out.len() >= max {
                break;
            }
            if entry.published_ms.saturating_add(age_ms) <= now_ms {
                entry.published_ms = now_ms;
                out.push(entry.envelope.clone());
            }
        }
        out
    }

    fn enter(&mut self, id: EnvelopeId, place: Place) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        match &place {
            Place::Ready => {
                let author = entry.envelope.header().author.clone();
                self.ready.entry(author).or_default().push_back(id);
                self.ready_count += 1;
            }
            Place::AwaitsReference(missing) => {
                self.by_missing.entry(missing.clone()).or_default().push(id);
            }
            Place::AwaitsState { retry_after } => {
                self.by_retry.insert((*retry_after, id));
            }
        }
        entry.place = place;
    }

    fn leave(&mut self, id: &EnvelopeId) {
        let Some(entry) = self.entries.get(id) else { return };
        match &entry.place {
            Place::Ready => {
                let author = &entry.envelope.header().author;
                if let Some(queue) = self.ready.get_mut(author) {
                    if let Some(at) = queue.iter().position(|q| q == id) {
                        queue.remove(at);
                        self.ready_count -= 1;
                    }
                    if queue.is_empty() {
                        self.ready.remove(author);
                    }
                }
            }
            Place::AwaitsReference(missing) => {
                if let Some(list) = self.by_missing.get_mut(missing) {
                    list.retain(|q| q != id);
                    if list.is_empty() {
                        self.by_missing.remove(missing);
                    }
                }
            }
            Place::AwaitsState { retry_after } => {
                self.by_retry.remove(&(*retry_after, *id));
            }
        }
    }
}
