//! The genesis document: who is there when the chain begins. Its hash names the chain.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::{self, List};
use crate::event::AdmitMember;
use crate::event::governance::Rulebook;
use crate::hash::{ChainId, Context};
use crate::limits::MAX_VALIDATORS;
use crate::text::Code;
use crate::validator::{Validator, ValidatorSet};

/// The newest protocol version of this crate's rules; it has all from 1 on.
pub const PROTOCOL_VERSION: u32 = 2;

/// The begin of a chain. Implements [LED-GEN-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// A name for people.
    pub name: Code,
    /// Protocol version in force from height 1.
    pub protocol: u32,
    /// Time before the first block, milliseconds since 1970.
    pub time_ms: u64,
    /// The members there from the begin.
    pub members: List<AdmitMember, 1024>,
    /// The validators of heights 1 and 2; each is run by a member with the role of an exchange.
    pub validators: List<Validator, MAX_VALIDATORS>,
    /// The first rulebook; absent for the standard one.
    #[serde(default)]
    pub rulebook: Option<Rulebook>,
}

/// Why a genesis document is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the genesis document is not valid: {0}")]
pub struct GenesisError(pub String);

impl Genesis {
    /// The chain id: the hash of the canonical bytes.
    pub fn chain_id(&self) -> Result<ChainId, GenesisError> {
        let bytes = codec::encode(self).map_err(|e| GenesisError(e.to_string()))?;
        Ok(ChainId::from_digest(Context::GENESIS.hash(&[&bytes])))
    }

    /// The first validator set.
    pub fn validator_set(&self) -> Result<ValidatorSet, GenesisError> {
        ValidatorSet::new(self.validators.to_vec()).map_err(|e| GenesisError(e.to_string()))
    }
}
