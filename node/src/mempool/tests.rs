//! The pool against a naive model, and its rules one by one.

use headwater_ledger::codec::List;
use headwater_ledger::envelope::{ENVELOPE_VERSION, Envelope, EnvelopeHeader};
use headwater_ledger::event::Event;
use headwater_ledger::event::rights::AcceptGrant;
use headwater_ledger::hash::{ChainId, Context, GrantId};
use headwater_ledger::keys::SigningKey;
use proptest::prelude::*;

use super::*;

const MEMBERS: [&str; 4] = ["ant", "bee", "cat", "dog"];

const ROOMY: Limits = Limits {
    max_bytes: 1 << 30,
    max_envelopes: 10_000,
    max_per_member: 10_000,
    max_waiting: 10_000,
};

fn grant(n: u64) -> GrantId {
    GrantId::from_digest(Context::EVENT.hash(&[&n.to_le_bytes()]))
}

fn missing(n: u64) -> Missing {
    Missing::Grant(grant(n))
}

/// The `n`th envelope; equal numbers give equal ids.
fn envelope_until(n: u64, member: &str, events: usize, not_after_ms: u64) -> Arc<VerifiedEnvelope> {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&n.to_le_bytes());
    let header = EnvelopeHeader {
        version: ENVELOPE_VERSION,
        chain_id: ChainId::from_digest(Context::GENESIS.hash(&[])),
        author: member.parse().unwrap(),
        not_after_ms,
        salt,
    };
    let event = Event::AcceptGrant(AcceptGrant { grant: grant(n) });
    let envelope = Envelope { header, events: List::new(vec![event; events]).unwrap() };
    let signed = envelope.sign(&[&SigningKey::from_seed(&[7; 32])]).unwrap();
    Arc::new(signed.verify_unless(|_| true).unwrap())
}

fn envelope(n: u64, member: &str) -> Arc<VerifiedEnvelope> {
    envelope_until(n, member, 1, 1_000)
}

fn ids(envelopes: &[Arc<VerifiedEnvelope>]) -> Vec<EnvelopeId> {
    envelopes.iter().map(|e| e.id()).collect()
}

fn all(pool: &Mempool) -> Vec<EnvelopeId> {
    ids(&pool.candidates(usize::MAX, usize::MAX))
}

fn pool_of(limits: Limits, envelopes: &[Arc<VerifiedEnvelope>]) -> Mempool {
    let mut pool = Mempool::new(limits);
    for envelope in envelopes {
        assert_eq!(pool.insert(envelope.clone(), Place::Ready, 0), Ok(true));
    }
    pool
}

#[test]
fn beside_a_member_that_floods_another_is_at_most_second() {
    let flood: Vec<_> = (0..500).map(|n| envelope(n, "bee")).collect();
    for other in ["ant", "cat"] {
        for turn in [None, Some("ant"), Some("bee"), Some("cat")] {
            let mut pool = pool_of(ROOMY, &flood);
            let single = envelope(1_000, other);
            pool.insert(single.clone(), Place::Ready, 0).unwrap();
            if let Some(turn) = turn {
                pool.set_turn(turn.parse().unwrap());
            }
            assert!(all(&pool)[..2].contains(&single.id()), "{other} after {turn:?}");
        }
    }
}

#[test]
fn blocks_of_one_envelope_serve_every_member_in_turn() {
    let envelopes: Vec<_> =
        (0..6).map(|n| envelope(n, ["ant", "bee", "cat"][n as usize / 2])).collect();
    let mut pool = pool_of(ROOMY, &envelopes);
    let mut order = Vec::new();
    for height in 1..=6 {
        let first = pool.candidates(1, usize::MAX).remove(0);
        pool.set_turn(first.header().author.clone());
        pool.committed(height, [&first.id()], []);
        order.push(first.id());
    }
    let expected = [0, 2, 4, 1, 3, 5].map(|n: usize| envelopes[n].id());
    assert_eq!(order, expected);
    assert!(pool.is_empty());
}

#[test]
fn candidates_keep_to_both_bounds_and_never_come_out_empty() {
    let envelopes: Vec<_> = (0..4).map(|n| envelope(n, "ant")).collect();
    let size = envelopes[0].bytes().len();
    let pool = pool_of(ROOMY, &envelopes);
    assert_eq!(pool.candidates(3, usize::MAX).len(), 3);
    assert_eq!(pool.candidates(10, 2 * size).len(), 2);
    assert_eq!(pool.candidates(10, 3 * size - 1).len(), 2);
    assert_eq!(pool.candidates(10, 1).len(), 1);
}

#[test]
fn an_envelope_is_woken_by_exactly_what_it_misses_and_takes_its_old_place() {
    let envelopes: Vec<_> = (0..3).map(|n| envelope(n, "ant")).collect();
    let mut pool = pool_of(ROOMY, &envelopes);
    let [first, second, third] = [0, 1, 2].map(|n: usize| envelopes[n].id());
    pool.park(&first, Some(missing(1)), 5).unwrap();
    assert_eq!(pool.place(&first), Some(&Place::AwaitsReference(missing(1))));
    assert_eq!((all(&pool), pool.waiting()), (vec![second, third], 1));
    pool.committed(u64::MAX / 2, [], [&missing(2)]);
    assert_eq!(all(&pool), [second, third], "woken by another id or by time");
    pool.committed(6, [], [&missing(1)]);
    assert_eq!((all(&pool), pool.waiting()), (vec![first, second, third], 0));
}

#[test]
fn an_envelope_that_awaits_the_state_is_tried_ever_less_often() {
    let mut pool = pool_of(ROOMY, &[envelope(0, "ant")]);
    let id = envelope(0, "ant").id();
    let mut pauses = Vec::new();
    let mut height = 10;
    for _ in 0..9 {
        let parked_at = height;
        pool.park(&id, None, height).unwrap();
        while !pool.has_ready() {
            pool.committed(height, [], []);
            height += 1;
        }
        // The height at which it is tried again, counted from the one after the failure.
        pauses.push(height - parked_at - 1);
    }
    assert_eq!(pauses, [0, 1, 3, 7, 15, 31, 63, 63, 63]);
}

#[test]
fn one_member_cannot_take_all_places_to_wait() {
    let mut pool = Mempool::new(Limits { max_waiting: 8, ..ROOMY });
    let waits = |n: u64| Place::AwaitsReference(missing(n));
    assert_eq!(pool.insert(envelope(0, "ant"), waits(0), 0), Ok(true));
    assert_eq!(pool.insert(envelope(1, "ant"), waits(1), 0), Ok(true));
    assert_eq!(pool.insert(envelope(2, "ant"), waits(2), 0), Err(Full::Member));
    for n in 3..9 {
        let member = ["bee", "cat", "dog"][n as usize % 3];
        assert_eq!(pool.insert(envelope(n, member), waits(n), 0), Ok(true));
    }
    assert_eq!(pool.insert(envelope(9, "eel"), waits(9), 0), Err(Full::Waiting));
    assert_eq!(pool.insert(envelope(9, "eel"), Place::Ready, 0), Ok(true));
}

#[test]
fn without_room_to_wait_an_envelope_that_fails_is_let_go() {
    let envelopes: Vec<_> = (0..3).map(|n| envelope(n, "ant")).collect();
    let mut pool = pool_of(Limits { max_waiting: 4, ..ROOMY }, &envelopes);
    pool.park(&envelopes[0].id(), None, 1).unwrap();
    assert_eq!(pool.park(&envelopes[1].id(), None, 1), Err(Full::Member));
    assert_eq!(pool.place(&envelopes[1].id()), None);
    assert_eq!(pool.park(&envelopes[0].id(), Some(missing(1)), 2), Ok(()), "it has a place");
    assert_eq!((pool.len(), pool.waiting()), (2, 1));
    let mut none = pool_of(Limits { max_waiting: 0, ..ROOMY }, &envelopes);
    assert_eq!(none.park(&envelopes[0].id(), None, 1), Err(Full::Waiting));
    assert_eq!((none.len(), none.waiting()), (2, 0));
}

#[test]
fn one_member_cannot_take_all_bytes_but_always_some() {
    let size = envelope(0, "ant").bytes().len();
    let mut pool = Mempool::new(Limits { max_bytes: 8 * size, ..ROOMY });
    assert_eq!(pool.insert(envelope(0, "ant"), Place::Ready, 0), Ok(true));
    assert_eq!(pool.insert(envelope(1, "ant"), Place::Ready, 0), Ok(true));
    assert_eq!(pool.insert(envelope(2, "ant"), Place::Ready, 0), Err(Full::Member));
    let large = envelope_until(3, "bee", 20, 1_000);
    assert!(large.bytes().len() > 2 * size);
    assert_eq!(pool.insert(large, Place::Ready, 0), Ok(true), "a single one always fits");
}

#[test]
fn what_is_pending_too_long_is_sent_again_longest_first() {
    let envelopes: Vec<_> = (0..3).map(|n| envelope(n, "ant")).collect();
    let mut pool = Mempool::new(ROOMY);
    for (envelope, now) in envelopes.iter().zip([200, 100, 300]) {
        pool.insert(envelope.clone(), Place::Ready, now).unwrap();
    }
    let [a, b, c] = [0, 1, 2].map(|n: usize| envelopes[n].id());
    assert_eq!(ids(&pool.to_republish(250, 100, 10)), [b]);
    assert_eq!(ids(&pool.to_republish(300, 100, 10)), [a]);
    assert_eq!(ids(&pool.to_republish(1_000, 100, 2)), [b, a]);
    assert_eq!(ids(&pool.to_republish(1_000, 100, 2)), [c]);
    assert!(pool.to_republish(1_000, 100, 2).is_empty());
    assert_eq!(pool.to_republish(1_000, 0, 10).len(), 3);
}

/// The same rules, written as plainly as possible.
struct Model {
    limits: Limits,
    pending: Vec<Line>,
    turn: Option<String>,
}

struct Line {
    envelope: Arc<VerifiedEnvelope>,
    place: Place,
    tries: u32,
}

impl Line {
    fn author(&self) -> &str {
        self.envelope.header().author.as_str()
    }
    fn waits(&self) -> bool {
        self.place != Place::Ready
    }
}

impl Model {
    fn bytes(&self, of: impl Fn(&Line) -> bool) -> usize {
        self.pending.iter().filter(|l| of(l)).map(|l| l.envelope.bytes().len()).sum()
    }
    fn count(&self, of: impl Fn(&Line) -> bool) -> usize {
        self.pending.iter().filter(|l| of(l)).count()
    }

    /// Why one more envelope of a member may not wait beside these.
    fn no_room(&self, author: &str, except: Option<EnvelopeId>) -> Option<Full> {
        let waits = |l: &Line| l.waits() && Some(l.envelope.id()) != except;
        let own = self.count(|l| waits(l) && l.author() == author);
        if self.count(waits) >= self.limits.max_waiting {
            return Some(Full::Waiting);
        }
        (own > 0 && own >= self.limits.max_waiting / 4).then_some(Full::Member)
    }

    fn insert(&mut self, envelope: Arc<VerifiedEnvelope>, place: Place) -> Result<bool, Full> {
        if self.count(|l| l.envelope.id() == envelope.id()) > 0 {
            return Ok(false);
        }
        let size = envelope.bytes().len();
        let author = envelope.header().author.to_string();
        if self.pending.len() >= self.limits.max_envelopes
            || self.bytes(|_| true) + size > self.limits.max_bytes
        {
            return Err(Full::Pool);
        }
        let own = |l: &Line| l.author() == author;
        let too_many = self.count(own) >= self.limits.max_per_member;
        let too_large = self.bytes(own) + size > self.limits.max_bytes / 4;
        if too_many || (too_large && self.count(own) > 0) {
            return Err(Full::Member);
        }
        if place != Place::Ready
            && let Some(full) = self.no_room(&author, None)
        {
            return Err(full);
        }
        self.pending.push(Line { envelope, place, tries: 0 });
        Ok(true)
    }

    fn park(&mut self, id: &EnvelopeId, missing: Option<Missing>, height: u64) -> Result<(), Full> {
        let Some(at) = self.pending.iter().position(|l| l.envelope.id() == *id) else {
            return Ok(());
        };
        if let Some(full) = self.no_room(self.pending[at].author(), Some(*id)) {
            self.pending.remove(at);
            return Err(full);
        }
        let line = &mut self.pending[at];
        let retry_after = height + [0, 1, 3, 7, 15, 31, 63][line.tries.min(6) as usize];
        line.tries += 1;
        line.place = match missing {
            Some(missing) => Place::AwaitsReference(missing),
            None => Place::AwaitsState { retry_after },
        };
        Ok(())
    }

    fn committed(&mut self, height: u64, recorded: &[EnvelopeId], created: &[Missing]) {
        self.pending.retain(|l| !recorded.contains(&l.envelope.id()));
        for line in &mut self.pending {
            let wakes = match &line.place {
                Place::Ready => false,
                Place::AwaitsReference(missing) => created.contains(missing),
                Place::AwaitsState { retry_after } => *retry_after <= height,
            };
            if wakes {
                line.place = Place::Ready;
            }
        }
    }

    /// Row by row: the first of each member, then the second of each, in the order of turns.
    fn candidates(&self) -> Vec<EnvelopeId> {
        let mut members: Vec<&str> = MEMBERS.to_vec();
        let begin = self
            .turn
            .as_deref()
            .map_or(0, |turn| members.iter().position(|m| *m > turn).unwrap_or(0));
        members.rotate_left(begin);
        let queue = |m: &str| -> Vec<EnvelopeId> {
            let lines = self.pending.iter().filter(|l| l.author() == m && !l.waits());
            lines.map(|l| l.envelope.id()).collect()
        };
        let queues: Vec<_> = members.into_iter().map(queue).collect();
        let row = |n: usize| queues.iter().filter_map(move |q| q.get(n)).copied();
        (0..self.pending.len()).flat_map(row).collect()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Insert { n: u64, member: usize, events: usize, not_after_ms: u64, awaits: Option<u64> },
    Park { n: usize, awaits: Option<u64> },
    Remove { n: usize },
    Commit { recorded: Vec<usize>, created: Vec<u64> },
    Expire { time_ms: u64 },
    Turn { member: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let awaits = || prop::option::of(0..4u64);
    let member = || 0..MEMBERS.len();
    let step = prop_oneof![
        6 => (0..60u64, member(), 1..4usize, 0..20u64, prop::option::weighted(0.3, 0..4u64))
            .prop_map(|(n, member, events, not_after_ms, awaits)| {
                Step::Insert { n, member, events, not_after_ms, awaits }
            }),
        4 => (0..20usize, awaits()).prop_map(|(n, awaits)| Step::Park { n, awaits }),
        1 => (0..20usize).prop_map(|n| Step::Remove { n }),
        3 => (prop::collection::vec(0..20usize, 0..4), prop::collection::vec(0..4u64, 0..3))
            .prop_map(|(recorded, created)| Step::Commit { recorded, created }),
        1 => (0..20u64).prop_map(|time_ms| Step::Expire { time_ms }),
        1 => member().prop_map(|member| Step::Turn { member }),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_pool_does_what_the_model_does(
        steps in steps(),
        max_envelopes in 4..30usize,
        max_per_member in 2..12usize,
        max_waiting in 0..12usize,
        max_bytes in 1_000..12_000usize,
    ) {
        let limits = Limits { max_bytes, max_envelopes, max_per_member, max_waiting };
        let mut pool = Mempool::new(limits);
        let mut model = Model { limits, pending: Vec::new(), turn: None };
        let mut height = 0;
        for step in steps {
            let nth = |model: &Model, n: usize| model.pending.get(n).map(|l| l.envelope.id());
            match step {
                Step::Insert { n, member, events, not_after_ms, awaits } => {
                    let envelope = envelope_until(n, MEMBERS[member], events, not_after_ms);
                    let place = awaits.map_or(Place::Ready, |n| Place::AwaitsReference(missing(n)));
                    let taken = pool.insert(envelope.clone(), place.clone(), height);
                    prop_assert_eq!(taken, model.insert(envelope, place));
                }
                Step::Park { n, awaits } => {
                    let id = nth(&model, n).unwrap_or_else(|| envelope(99, "ant").id());
                    let awaits = awaits.map(missing);
                    let parked = pool.park(&id, awaits.clone(), height + 1);
                    prop_assert_eq!(parked, model.park(&id, awaits, height + 1));
                }
                Step::Remove { n } => {
                    if let Some(id) = nth(&model, n) {
                        pool.remove(&id);
                        pool.remove(&id);
                        model.pending.remove(n);
                    }
                }
                Step::Commit { recorded, created } => {
                    height += 1;
                    let mut ids: Vec<_> = recorded.iter().filter_map(|n| nth(&model, *n)).collect();
                    ids.push(envelope(98, "ant").id());
                    let created: Vec<_> = created.into_iter().map(missing).collect();
                    pool.committed(height, &ids, &created);
                    model.committed(height, &ids, &created);
                }
                Step::Expire { time_ms } => {
                    let mut gone = pool.expire(time_ms);
                    let over = |l: &Line| l.envelope.header().not_after_ms < time_ms;
                    let mut expected: Vec<_> =
                        model.pending.iter().filter(|l| over(l)).map(|l| l.envelope.id()).collect();
                    gone.sort();
                    expected.sort();
                    prop_assert_eq!(gone, expected);
                    model.pending.retain(|l| !over(l));
                }
                Step::Turn { member } => {
                    pool.set_turn(MEMBERS[member].parse().unwrap());
                    model.turn = Some(MEMBERS[member].to_owned());
                }
            }
            prop_assert_eq!(all(&pool), model.candidates());
            prop_assert_eq!(pool.len(), model.pending.len());
            prop_assert_eq!(pool.bytes(), model.bytes(|_| true));
            prop_assert_eq!(pool.waiting(), model.count(Line::waits));
            prop_assert_eq!(pool.has_ready(), model.count(|l| !l.waits()) > 0);
            for line in &model.pending {
                prop_assert_eq!(pool.place(&line.envelope.id()), Some(&line.place));
            }
        }
        // Nothing of what is gone stays behind anywhere.
        for line in &model.pending {
            pool.remove(&line.envelope.id());
        }
        prop_assert!(pool.shares.is_empty() && pool.ready.is_empty() && pool.by_missing.is_empty());
        prop_assert!(pool.by_retry.is_empty() && pool.by_expiry.is_empty());
        prop_assert!(pool.by_published.is_empty() && pool.entries.is_empty());
        prop_assert_eq!((pool.bytes, pool.waiting, pool.ready_count), (0, 0, 0));
    }
}
