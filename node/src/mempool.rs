//! Pending envelopes: bounded, fair between members, waiting for what they refer to.
//!
//! A member's envelopes keep their order; members take turns. Nothing one member does may starve
//! another: every bound is per member first, and envelopes that failed are tried again ever later.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// Counts arrivals; a member's envelopes are tried in this order.
    arrival: u64,
    tries: u32,
    published_ms: u64,
}

/// Envelopes in order of arrival.
type Queue = BTreeMap<u64, EnvelopeId>;

/// What one member has pending.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    envelopes: usize,
    waiting: usize,
    bytes: usize,
}

/// One member may have this part of the bytes and of the waiting places: one in so many.
const MEMBER_PART: usize = 4;

/// The pool. Every step costs the logarithm of what is pending.
pub struct Mempool {
    limits: Limits,
    entries: HashMap<EnvelopeId, Entry>,
    /// Ready envelopes by author.
    ready: BTreeMap<Handle, Queue>,
    ready_count: usize,
    waiting: usize,
    /// Pending envelopes by author, ready or not.
    shares: BTreeMap<Handle, Share>,
    by_missing: BTreeMap<Missing, Queue>,
    by_retry: BTreeSet<(u64, u64, EnvelopeId)>,
    by_expiry: BTreeSet<(u64, EnvelopeId)>,
    by_published: BTreeSet<(u64, u64, EnvelopeId)>,
    /// The author after whom the next block begins.
    turn: Option<Handle>,
    bytes: usize,
    arrivals: u64,
}

impl Mempool {
    /// An empty pool.
    pub fn new(limits: Limits) -> Self {
        Mempool {
            limits,
            entries: HashMap::new(),
            ready: BTreeMap::new(),
            ready_count: 0,
            waiting: 0,
            shares: BTreeMap::new(),
            by_missing: BTreeMap::new(),
            by_retry: BTreeSet::new(),
            by_expiry: BTreeSet::new(),
            by_published: BTreeSet::new(),
            turn: None,
            bytes: 0,
            arrivals: 0,
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
        self.waiting
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
        let share = self.shares.get(author).copied().unwrap_or_default();
        // A single envelope always fits, however small the part.
        let is_many = share.envelopes > 0;
        if share.envelopes >= self.limits.max_per_member
            || (is_many && share.bytes + size > self.limits.max_bytes / MEMBER_PART)
        {
            return Err(Full::Member);
        }
        if place != Place::Ready {
            self.room_to_wait(share)?;
        }
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.bytes += size;
        let share = self.shares.entry(author.clone()).or_default();
        share.envelopes += 1;
        share.bytes += size;
        self.by_expiry.insert((envelope.header().not_after_ms, id));
        self.by_published.insert((now_ms, arrival, id));
        let entry =
            Entry { envelope, place: Place::Ready, arrival, tries: 0, published_ms: now_ms };
        self.entries.insert(id, entry);
        self.enter(id, place);
        Ok(true)
    }

    /// Whether one more envelope of a member with this share may wait.
    fn room_to_wait(&self, share: Share) -> Result<(), Full> {
        if self.waiting >= self.limits.max_waiting {
            return Err(Full::Waiting);
        }
        if share.waiting > 0 && share.waiting >= self.limits.max_waiting / MEMBER_PART {
            return Err(Full::Member);
        }
        Ok(())
    }

    /// Envelopes to try for a block: members in turn, each member's in order of arrival.
    pub fn candidates(&self, max_envelopes: usize, max_bytes: usize) -> Vec<Arc<VerifiedEnvelope>> {
        let first = |h: &&Handle| self.turn.as_ref().is_some_and(|t| *h > t);
        let (after, before): (Vec<_>, Vec<_>) = self.ready.keys().partition(first);
        let mut queues: Vec<_> =
            after.into_iter().chain(before).map(|h| self.ready[h].values()).collect();
        let (mut out, mut bytes) = (Vec::new(), 0);
        while !queues.is_empty() {
            let mut live = Vec::with_capacity(queues.len());
            for mut queue in queues {
                let Some(entry) = queue.next().and_then(|id| self.entries.get(id)) else {
                    continue;
                };
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

    /// Moves a pending envelope that failed for now in the block of this height. When too many
    /// wait, it is removed.
    pub fn park(
        &mut self,
        id: &EnvelopeId,
        missing: Option<Missing>,
        height: u64,
    ) -> Result<(), Full> {
        if !self.entries.contains_key(id) {
            return Ok(());
        }
        self.leave(id);
        let Some(entry) = self.entries.get_mut(id) else { return Ok(()) };
        // 0, 1, 3, … 63 heights are left out.
        let retry_after = height + (1 << entry.tries.min(6)) - 1;
        entry.tries = entry.tries.saturating_add(1);
        let share = self.shares.get(&entry.envelope.header().author).copied();
        let place = match missing {
            Some(missing) => Place::AwaitsReference(missing),
            None => Place::AwaitsState { retry_after },
        };
        let room = self.room_to_wait(share.unwrap_or_default());
        self.enter(*id, place);
        room.inspect_err(|_| self.remove(id))
    }

    /// Removes an envelope for good.
    pub fn remove(&mut self, id: &EnvelopeId) {
        self.leave(id);
        let Some(entry) = self.entries.remove(id) else { return };
        let header = entry.envelope.header();
        let size = entry.envelope.bytes().len();
        self.bytes -= size;
        self.by_expiry.remove(&(header.not_after_ms, *id));
        self.by_published.remove(&(entry.published_ms, entry.arrival, *id));
        if let Some(share) = self.shares.get_mut(&header.author) {
            share.envelopes -= 1;
            share.bytes -= size;
            if share.envelopes == 0 {
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
        let mut woken: Vec<EnvelopeId> = Vec::new();
        for missing in created {
            woken.extend(self.by_missing.get(missing).into_iter().flat_map(BTreeMap::values));
        }
        let due = self.by_retry.iter().take_while(|(retry, _, _)| *retry <= height);
        woken.extend(due.map(|(_, _, id)| *id));
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

    /// Pending envelopes last sent to the peers before `now_ms - age_ms`, to be sent again; those
    /// that were not sent for the longest time come first.
    pub fn to_republish(
        &mut self,
        now_ms: u64,
        age_ms: u64,
        max: usize,
    ) -> Vec<Arc<VerifiedEnvelope>> {
        let due = self.by_published.iter().copied();
        let due =
            due.take_while(|(published_ms, ..)| published_ms.saturating_add(age_ms) <= now_ms);
        let due: Vec<(u64, u64, EnvelopeId)> = due.take(max).collect();
        let mut out = Vec::with_capacity(due.len());
        for (published_ms, arrival, id) in due {
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            entry.published_ms = now_ms;
            out.push(entry.envelope.clone());
            self.by_published.remove(&(published_ms, arrival, id));
            self.by_published.insert((now_ms, arrival, id));
        }
        out
    }

    /// Puts an envelope that has no place into one.
    fn enter(&mut self, id: EnvelopeId, place: Place) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let author = &entry.envelope.header().author;
        match &place {
            Place::Ready => {
                self.ready.entry(author.clone()).or_default().insert(entry.arrival, id);
                self.ready_count += 1;
            }
            Place::AwaitsReference(missing) => {
                self.by_missing.entry(missing.clone()).or_default().insert(entry.arrival, id);
            }
            Place::AwaitsState { retry_after } => {
                self.by_retry.insert((*retry_after, entry.arrival, id));
            }
        }
        if place != Place::Ready {
            self.waiting += 1;
            self.shares.entry(author.clone()).or_default().waiting += 1;
        }
        entry.place = place;
    }

    /// Takes an envelope out of its place; `enter` or removing it follows.
    fn leave(&mut self, id: &EnvelopeId) {
        let Some(entry) = self.entries.get(id) else { return };
        let author = &entry.envelope.header().author;
        match &entry.place {
            Place::Ready => {
                if take(&mut self.ready, author, entry.arrival) {
                    self.ready_count -= 1;
                }
            }
            Place::AwaitsReference(missing) => {
                take(&mut self.by_missing, missing, entry.arrival);
            }
            Place::AwaitsState { retry_after } => {
                self.by_retry.remove(&(*retry_after, entry.arrival, *id));
            }
        }
        if entry.place != Place::Ready {
            self.waiting -= 1;
            self.shares.entry(author.clone()).or_default().waiting -= 1;
        }
    }
}

/// Takes an envelope out of one of several queues; tells whether it was there.
fn take<K: Ord>(queues: &mut BTreeMap<K, Queue>, key: &K, arrival: u64) -> bool {
    let Some(queue) = queues.get_mut(key) else { return false };
    let was_there = queue.remove(&arrival).is_some();
    if queue.is_empty() {
        queues.remove(key);
    }
    was_there
}
