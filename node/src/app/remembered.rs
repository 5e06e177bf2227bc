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
