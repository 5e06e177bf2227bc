//! The state: records under typed keys in the authenticated map. Cloning it is a snapshot.
//!
//! Implements [LED-STA-1]. Every record is read through [`View`], so the same queries run on a
//! node's state and on a client's verified reads.

pub mod key;
pub mod record;

use std::sync::Arc;

use bincode::{Decode, Encode};

use crate::codec;
use crate::event::governance::Rulebook;
use crate::genesis::{Genesis, GenesisError, PROTOCOL_VERSION};
use crate::hash::Digest;
use crate::merkle::map::StateMap;
use crate::reject::Fault;
pub use key::{Key, Relation};
pub use record::{Records, View};

/// The ledger's state after some block.
#[derive(Debug, Clone, Default)]
pub struct State {
    map: StateMap,
}

impl View for State {
    fn value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault> {
        Ok(self.map.get(&key.hash()?).cloned())
    }
}

impl State {
    /// The state before the first block.
    pub fn genesis(genesis: &Genesis) -> Result<Self, GenesisError> {
        let bad = |e: String| GenesisError(e);
        if !(1..=PROTOCOL_VERSION).contains(&genesis.protocol) {
            return Err(bad(format!(
                "protocol version {}, this software has 1 to {PROTOCOL_VERSION}",
                genesis.protocol
            )));
        }
        let mut state = State::default();
        for member in &genesis.members {
            crate::member::admit(&mut state, 0, member).map_err(|e| bad(e.to_string()))?;
        }
        let set = genesis.validator_set()?;
        for v in set.validators() {
            let member = state.member(&v.member).map_err(|e| bad(e.to_string()))?;
            if !member.is_some_and(|m| m.has_role(crate::event::member::Role::Exchange)) {
                return Err(bad(format!("validator {} is not an exchange", v.member)));
            }
        }
        let rulebook = genesis.rulebook.clone().unwrap_or_else(Rulebook::standard);
        crate::governance::check_rulebook(&rulebook).map_err(bad)?;
        let put = |state: &mut State| -> Result<(), Fault> {
            state.put(&Key::Protocol, &genesis.protocol)?;
            state.put(&Key::RulebookVersion, &1u32)?;
            state.put(&Key::Rulebook(1), &rulebook)?;
            state.put(&Key::Ordinal, &0u64)?;
            state.put(&Key::PruneCursor, &crate::execute::expiry_hour(genesis.time_ms))?;
            state.put(&Key::Validators, &set.validators().to_vec())?;
            state.put(&Key::NextValidators, &set.validators().to_vec())
        };
        put(&mut state).map_err(|e| bad(e.to_string()))?;
        Ok(state)
    }

    /// A state rebuilt from stored entries; the caller compares its root.
    pub fn from_map(map: StateMap) -> Self {
        State { map }
    }

    /// The map.
    pub fn map(&self) -> &StateMap {
        &self.map
    }

    /// The root that headers carry.
    pub fn root(&self) -> Digest {
        self.map.root()
    }

    pub(crate) fn put<T: Encode>(&mut self, key: &Key, value: &T) -> Result<(), Fault> {
        self.map.insert(key.hash()?, codec::encode(value)?.into());
        Ok(())
    }

    pub(crate) fn delete(&mut self, key: &Key) -> Result<(), Fault> {
        self.map.remove(&key.hash()?);
        Ok(())
    }
}

/// Decodes a record of the state; bytes that do not decode are a fault.
pub(crate) fn decode_record<T: Decode<()>>(bytes: &[u8]) -> Result<T, Fault> {
    let (value, used) = codec::decode_prefix(bytes)?;
    if used == bytes.len() { Ok(value) } else { Err(Fault("a record has bytes left over".into())) }
}
