//! From a trusted height to a later one, by commit certificates.
//!
//! A later block is proved when more than two thirds of the voting power of the trusted set signed
//! it. While the set stays the same, any height is one step; where it changes, the change itself
//! must be proved by the set before it.

use headwater_ledger::execute::genesis_parent;
use headwater_ledger::hash::{BlockId, ChainId, Digest};
use headwater_ledger::light::{LightBlock, LightError};
use serde::{Deserialize, Serialize};

/// A block that is proved, and the sets that follow from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trusted {
    /// Its height; 0 for genesis.
    pub height: u64,
    /// Its id; for genesis what block 1 names as its parent.
    pub block_id: BlockId,
    /// Its time, milliseconds since 1970.
    pub time_ms: u64,
    /// Hash of the set that decided it.
    pub validators: Digest,
    /// Hash of the set that decides the next height.
    pub next_validators: Digest,
}

/// Why a block does not follow from a trusted one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproved {
    /// It was decided by another set than the trusted one: a change in between may explain it.
    #[error("block {height} was decided by validator set {found}, expected {trusted}")]
    OtherSet {
        /// Height of the block.
        height: u64,
        /// The set it names.
        found: Digest,
        /// The set expected.
        trusted: Digest,
    },
    /// It does not prove itself.
    #[error("block {height} is not proved: {error}")]
    Light {
        /// Its height.
        height: u64,
        /// Why not.
        error: LightError,
    },
    /// Two blocks at one height.
    #[error("block {height} is {found}, but {trusted} was proved at this height before")]
    Fork {
        /// The height.
        height: u64,
        /// The block given.
        found: BlockId,
        /// The block proved before.
        trusted: BlockId,
    },
    /// It names another parent than the trusted block.
    #[error("block {height} names another parent than the block proved before it")]
    Parent {
        /// Its height.
        height: u64,
    },
    /// Its time does not advance.
    #[error("block {height} is not later than the block proved before it")]
    Time {
        /// Its height.
        height: u64,
    },
    /// It lies before the trusted block.
    #[error("block {height} lies before block {trusted}, which was proved already")]
    Before {
        /// Its height.
        height: u64,
        /// The trusted height.
        trusted: u64,
    },
}

impl Trusted {
    /// What a genesis document proves.
    pub fn genesis(chain_id: &ChainId, time_ms: u64, validators: Digest) -> Self {
        let block_id = genesis_parent(chain_id);
        Trusted { height: 0, block_id, time_ms, validators, next_validators: validators }
    }

    /// Checks a block of the same height or a later one; gives what is trusted from then on.
    pub fn check(&self, chain_id: &ChainId, block: &LightBlock) -> Result<Trusted, Unproved> {
        let header = &block.header;
        let height = header.height;
        if height < self.height || height == 0 {
            return Err(Unproved::Before { height, trusted: self.height });
        }
        let same = height == self.height;
        let trusted = if same { self.validators } else { self.next_validators };
        block.verify(chain_id, &trusted).map_err(|error| match error {
            LightError::UntrustedSet { found, trusted } => {
                Unproved::OtherSet { height, found, trusted }
            }
            error => Unproved::Light { height, error },
        })?;
        let block_id = block.certificate.block_id;
        if same && block_id != self.block_id {
            return Err(Unproved::Fork { height, found: block_id, trusted: self.block_id });
        }
        if height - self.height == 1 && header.parent != self.block_id {
            return Err(Unproved::Parent { height });
        }
        if !same && header.time_ms <= self.time_ms {
            return Err(Unproved::Time { height });
        }
        Ok(Trusted {
            height,
            block_id,
            time_ms: header.time_ms,
            validators: header.validators,
            next_validators: header.next_validators,
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_ledger::block::Header;
    use headwater_ledger::certificate::{
        CommitCertificate, CommitSignature, VoteType, vote_sign_bytes,
    };
    use headwater_ledger::keys::SigningKey;
    use headwater_ledger::validator::{Validator, ValidatorSet};

    use super::*;

    fn digest(n: u8) -> Digest {
        Digest::Blake3([n; 32])
    }

    fn chain_id() -> ChainId {
        ChainId::from_digest(digest(1))
    }

    /// One validator with this key decides.
    fn set(seed: u8) -> (SigningKey, Vec<Validator>, Digest) {
        let key = SigningKey::from_seed(&[seed; 32]);
        let member = "gba-exchange".parse().unwrap();
        let validators = vec![Validator { member, key: key.public_key(), power: 1 }];
        let hash = ValidatorSet::new(validators.clone()).unwrap().hash().unwrap();
        (key, validators, hash)
    }

    fn block(height: u64, parent: BlockId, time_ms: u64, (by, next): (u8, u8)) -> LightBlock {
        let (key, validators, hash) = set(by);
        let header = Header {
            rulebook: Default::default(),
            protocol: 1,
            chain_id: chain_id(),
            height,
            time_ms,
            parent,
            envelope_root: digest(2),
            envelopes: 0,
            events: 0,
            state_root: digest(3),
            validators: hash,
            next_validators: set(next).2,
            proposer: validators[0].address(),
        };
        let block_id = header.id().unwrap();
        let message = vote_sign_bytes(&chain_id(), VoteType::Precommit, height, 0, Some(&block_id));
        let signature =
            CommitSignature { validator: validators[0].address(), signature: key.sign(&message) };
        let certificate =
            CommitCertificate { height, round: 0, block_id, signatures: vec![signature] };
        LightBlock { header, certificate, validators }
    }

    #[test]
    fn a_block_follows_from_the_set_that_was_announced_for_it() {
        let chain = chain_id();
        let genesis = Trusted::genesis(&chain, 100, set(7).2);
        let first = block(1, genesis.block_id, 101, (7, 8));
        let trusted = genesis.check(&chain, &first).unwrap();
        assert_eq!((trusted.height, trusted.next_validators), (1, set(8).2));
        let second = block(2, trusted.block_id, 102, (8, 8));
        assert_eq!(trusted.check(&chain, &second).unwrap().height, 2);
        // Far ahead, but decided by the trusted set.
        let later = block(9, BlockId::from_digest(digest(9)), 109, (8, 7));
        assert_eq!(trusted.check(&chain, &later).unwrap().next_validators, set(7).2);
        assert_eq!(trusted.check(&chain, &first), Ok(trusted.clone()));
    }

    #[test]
    fn what_does_not_follow_is_told_apart() {
        let chain = chain_id();
        let genesis = Trusted::genesis(&chain, 100, set(7).2);
        let first = block(1, genesis.block_id, 101, (7, 7));
        let trusted = genesis.check(&chain, &first).unwrap();
        let elsewhere = BlockId::from_digest(digest(5));
        let fork = block(1, elsewhere, 101, (7, 7));
        let (found, at) = (fork.certificate.block_id, trusted.block_id);
        for (given, expected) in [
            (block(2, elsewhere, 102, (7, 7)), Unproved::Parent { height: 2 }),
            (block(2, at, 101, (7, 7)), Unproved::Time { height: 2 }),
            (block(5, elsewhere, 90, (7, 7)), Unproved::Time { height: 5 }),
            (fork, Unproved::Fork { height: 1, found, trusted: at }),
            (
                block(2, at, 102, (8, 8)),
                Unproved::OtherSet { height: 2, found: set(8).2, trusted: set(7).2 },
            ),
        ] {
            assert_eq!(trusted.check(&chain, &given), Err(expected));
        }
        let two = trusted.check(&chain, &block(2, at, 102, (7, 7))).unwrap();
        let before = Unproved::Before { height: 1, trusted: 2 };
        assert_eq!(two.check(&chain, &first), Err(before));
        let mut unsigned = block(2, at, 102, (7, 7));
        unsigned.certificate.signatures.clear();
        assert!(matches!(
            trusted.check(&chain, &unsigned),
            Err(Unproved::Light { height: 2, error: LightError::Certificate(_) })
        ));
    }
}
