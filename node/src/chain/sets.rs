//! The validator sets of past heights, by their hash.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use headwater_ledger::codec;
use headwater_ledger::hash::Digest;
use headwater_ledger::limits::MAX_VALIDATORS;
use headwater_ledger::validator::{Validator, ValidatorSet};

use super::fault;
use crate::application::Fault;
use crate::archive::rows;
use crate::store::index::IndexStore;

/// Sets kept in memory: more than blocks can wait to be indexed, so that a set which is not in
/// memory any more is in the index.
const MAX_SETS: usize = 2_048;

/// The sets seen since the node was opened; the others are in the index. Whatever is given hashes
/// to what was asked for.
pub(super) struct Sets {
    seen: Mutex<VecDeque<(Digest, Arc<ValidatorSet>)>>,
    index: Arc<dyn IndexStore>,
}

impl Sets {
    /// No set seen yet.
    pub fn new(index: Arc<dyn IndexStore>) -> Self {
        Sets { seen: Mutex::default(), index }
    }

    /// Remembers a set under its hash.
    pub fn see(&self, hash: Digest, set: &Arc<ValidatorSet>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.iter().any(|(known, _)| *known == hash) {
            return;
        }
        if seen.len() >= MAX_SETS {
            // The first is that of the genesis, which is in no index.
            seen.remove(1);
        }
        seen.push_back((hash, set.clone()));
    }

    /// The set with this hash; `None` when it is neither remembered nor indexed.
    pub fn find(&self, hash: &Digest) -> Result<Option<Arc<ValidatorSet>>, Fault> {
        let seen = {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.iter().rev().find(|(known, _)| known == hash).map(|(_, set)| set.clone())
        };
        if seen.is_some() {
            return Ok(seen);
        }
        let found = self.index.scan(&rows::set_prefix(hash), None, MAX_VALIDATORS);
        let found = found.map_err(fault)?;
        if found.is_empty() {
            return Ok(None);
        }
        let validators: Result<Vec<Validator>, _> =
            found.iter().map(|(_, value)| codec::decode(value, value.len())).collect();
        let set = ValidatorSet::new(validators.map_err(fault)?).map_err(fault)?;
        if set.hash().map_err(fault)? != *hash {
            return Err(Fault::new(
                "the index holds a validator set that does not have its hash: stop the node and run \
                 `headwater-node reindex`",
            ));
        }
        Ok(Some(Arc::new(set)))
    }
}
