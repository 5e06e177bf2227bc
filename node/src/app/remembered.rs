//! A bounded memory of what has become of envelopes.

use std::collections::{BTreeMap, HashMap};

use headwater_ledger::hash::EnvelopeId;

/// A map that forgets what was put in longest ago.
pub(super) struct Remembered<V> {
    map: HashMap<EnvelopeId, (u64, V)>,
    order: BTreeMap<u64, EnvelopeId>,
    puts: u64,
    max: usize,
}

impl<V> Remembered<V> {
    pub(super) fn new(max: usize) -> Self {
        Remembered { map: HashMap::new(), order: BTreeMap::new(), puts: 0, max }
    }
    pub(super) fn get(&self, id: &EnvelopeId) -> Option<&V> {
        self.map.get(id).map(|(_, value)| value)
    }
    pub(super) fn insert(&mut self, id: EnvelopeId, value: V) {
        self.puts += 1;
        self.order.insert(self.puts, id);
        if let Some((put, _)) = self.map.insert(id, (self.puts, value)) {
            self.order.remove(&put);
        }
        if self.order.len() > self.max
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.map.remove(&oldest);
        }
    }
    pub(super) fn remove(&mut self, id: &EnvelopeId) {
        if let Some((put, _)) = self.map.remove(id) {
            self.order.remove(&put);
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_ledger::hash::Context;

    use super::*;

    fn id(n: u8) -> EnvelopeId {
        EnvelopeId::from_digest(Context::ENVELOPE.hash(&[&[n]]))
    }

    fn kept(memory: &Remembered<u8>) -> Vec<u8> {
        (0..10).filter(|n| memory.get(&id(*n)).is_some()).collect()
    }

    #[test]
    fn what_was_put_in_longest_ago_is_forgotten_first() {
        let mut memory = Remembered::new(3);
        (0..5).for_each(|n| memory.insert(id(n), n));
        assert_eq!(kept(&memory), [2, 3, 4]);
        // Put in again, it counts as new, and the newer value stands.
        memory.insert(id(2), 22);
        memory.insert(id(5), 5);
        assert_eq!(kept(&memory), [2, 4, 5]);
        assert_eq!(memory.get(&id(2)), Some(&22));
    }

    #[test]
    fn what_was_removed_leaves_nothing_behind() {
        let mut memory = Remembered::new(2);
        for round in 0..10 {
            memory.insert(id(0), round);
            memory.remove(&id(0));
            memory.remove(&id(0));
        }
        memory.insert(id(1), 1);
        memory.insert(id(0), 0);
        assert_eq!(kept(&memory), [0, 1]);
        assert_eq!((memory.map.len(), memory.order.len()), (2, 2));
    }
}
