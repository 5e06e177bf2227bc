//! Validators and the sets they form. Implements [LED-VAL-1].

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError};
use crate::hash::{Context, Digest, ValidatorAddress};
use crate::keys::PublicKey;
use crate::limits;
use crate::text::Handle;

/// A member that votes, with its consensus key and voting power.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// The member that runs it.
    pub member: Handle,
    /// The key that signs proposals and votes.
    pub key: PublicKey,
    /// Voting power, at least 1.
    pub power: u64,
}

impl Validator {
    /// The name of the validator in headers and certificates.
    pub fn address(&self) -> ValidatorAddress {
        address_of(&self.key)
    }
}

/// The validator address of a consensus key.
pub fn address_of(key: &PublicKey) -> ValidatorAddress {
    ValidatorAddress::from_digest(Context::VALIDATOR_ADDRESS.hash(&[&[1], key.raw()]))
}

/// Why validators do not form a set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValidatorSetError {
    /// No validator, or more than the limit.
    #[error("{0} validators, expected 1 to {max}", max = limits::MAX_VALIDATORS)]
    Count(usize),
    /// Two validators share a key.
    #[error("consensus key {0} appears twice")]
    RepeatedKey(PublicKey),
    /// A validator without power.
    #[error("validator {0} has no voting power")]
    NoPower(Handle),
    /// The total would overflow the engine's quorum arithmetic.
    #[error("total voting power is above {max}", max = limits::MAX_TOTAL_POWER)]
    TotalPower,
    /// A key that is weak, torsioned or not canonical.
    #[error("consensus key {0} is not acceptable")]
    Key(PublicKey),
}

/// A validator set: ordered by address, keys unique, total power bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatorSet(Vec<Validator>);

impl ValidatorSet {
    /// Checks and orders validators.
    pub fn new(validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        let set = ValidatorSet::with_known_keys(validators)?;
        match set.0.iter().find(|v| !v.key.is_acceptable()) {
            Some(v) => Err(ValidatorSetError::Key(v.key)),
            None => Ok(set),
        }
    }

    /// As [`ValidatorSet::new`] for keys that were checked before: that check is the slow part.
    pub(crate) fn with_known_keys(
        mut validators: Vec<Validator>,
    ) -> Result<Self, ValidatorSetError> {
        if validators.is_empty() || validators.len() > limits::MAX_VALIDATORS {
            return Err(ValidatorSetError::Count(validators.len()));
        }
        validators.sort_by_cached_key(Validator::address);
        let mut total = 0u64;
        let mut previous = None;
        for v in &validators {
            if previous == Some(v.key) {
                return Err(ValidatorSetError::RepeatedKey(v.key));
            }
            previous = Some(v.key);
            if v.power == 0 {
                return Err(ValidatorSetError::NoPower(v.member.clone()));
            }
            total = total.checked_add(v.power).ok_or(ValidatorSetError::TotalPower)?;
        }
        if total > limits::MAX_TOTAL_POWER {
            return Err(ValidatorSetError::TotalPower);
        }
        Ok(ValidatorSet(validators))
    }

    /// The validators, ordered by address.
    pub fn validators(&self) -> &[Validator] {
        &self.0
    }

    /// The validator with this address.
    pub fn by_address(&self, address: &ValidatorAddress) -> Option<&Validator> {
        self.0.iter().find(|v| v.address() == *address)
    }

    /// Sum of the voting powers.
    pub fn total_power(&self) -> u64 {
        self.0.iter().map(|v| v.power).sum()
    }

    /// The hash the header carries.
    pub fn hash(&self) -> Result<Digest, CodecError> {
        Ok(Context::VALIDATOR_SET.hash(&[&codec::encode(&self.0)?]))
    }
}
