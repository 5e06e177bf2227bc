//! The index in memory, for tests and simulation.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{IndexError, IndexStore, MAX_PAGE_ROWS, Row, check, start};

/// Rows in a map. Clones share them.
#[derive(Clone, Default)]
pub struct MemoryIndex(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    height: u64,
    flushed: u64,
}

impl MemoryIndex {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a process finds after a crash: the height last flushed, with rows of later blocks
    /// already there.
    pub fn after_crash(&self) -> MemoryIndex {
        let state = self.state();
        let (rows, flushed) = (state.rows.clone(), state.flushed);
        MemoryIndex(Arc::new(Mutex::new(State { rows, height: flushed, flushed })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IndexStore for MemoryIndex {
    fn height(&self) -> u64 {
        self.state().height
    }

    fn apply(&self, height: u64, mut rows: Vec<Row>) -> Result<(), IndexError> {
        let mut state = self.state();
        check(state.height, height, &mut rows)?;
        state.rows.extend(rows);
        state.height = state.height.max(height);
        Ok(())
    }

    fn flush(&self) -> Result<(), IndexError> {
        let mut state = self.state();
        state.flushed = state.height;
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.state().rows.get(key).cloned())
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, IndexError> {
        let state = self.state();
        let range = (start(prefix, after), Bound::Unbounded);
        let rows = state.rows.range::<[u8], _>(range);
        let rows =
            rows.take_while(|(key, _)| key.starts_with(prefix)).take(limit.min(MAX_PAGE_ROWS));
        Ok(rows.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}
