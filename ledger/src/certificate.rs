//! Commit certificates: precommits of more than two thirds of the voting power for one block.
//!
//! A certificate is checked with nothing but this crate. Implements [LED-CERT-1] to [LED-CERT-3].

use std::collections::BTreeSet;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::hash::{BlockId, ChainId, ValidatorAddress};
use crate::keys::Signature;
use crate::validator::ValidatorSet;

/// The two kinds of vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoteType {
    /// First step; tag 1.
    Prevote,
    /// Second step, which commits; tag 2.
    Precommit,
}

/// The bytes a validator signs for a vote; the same for all validators.
///
/// 16-byte domain, chain id, vote type, height, round, then 0 for nil or 1 and the block id.
pub fn vote_sign_bytes(
    chain_id: &ChainId,
    vote_type: VoteType,
    height: u64,
    round: u32,
    block_id: Option<&BlockId>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    out.extend_from_slice(b"headwater/vote/1");
    out.extend_from_slice(&chain_id.digest().to_bytes());
    out.push(match vote_type {
        VoteType::Prevote => 1,
        VoteType::Precommit => 2,
    });
    out.extend_from_slice(&height.to_le_bytes());
    out.extend_from_slice(&round.to_le_bytes());
    match block_id {
        None => out.push(0),
        Some(id) => {
            out.push(1);
            out.extend_from_slice(&id.digest().to_bytes());
        }
    }
    out
}

/// One validator's precommit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitSignature {
    /// Who signed.
    pub validator: ValidatorAddress,
    /// Over [`vote_sign_bytes`].
    pub signature: Signature,
}

/// Proof that a block was decided. Nodes may hold different, equally valid, sets of signatures.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitCertificate {
    /// Height decided.
    pub height: u64,
    /// Round in which it was decided.
    pub round: u32,
    /// The block decided.
    pub block_id: BlockId,
    /// Precommits, at most one a validator.
    pub signatures: Vec<CommitSignature>,
}

/// Why a certificate proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A signer outside the set.
    #[error("{0} is not a validator of this set")]
    UnknownValidator(ValidatorAddress),
    /// One validator counted twice.
    #[error("{0} signed twice")]
    RepeatedValidator(ValidatorAddress),
    /// A signature that does not verify.
    #[error("the signature of {0} is not valid")]
    BadSignature(ValidatorAddress),
    /// Not more than two thirds.
    #[error("voting power {signed} of {total} is not more than two thirds")]
    NoQuorum {
        /// Power that signed.
        signed: u64,
        /// Power of the set.
        total: u64,
    },
}

impl CommitCertificate {
    /// Checks every signature and the quorum against the set that acted at this height.
    pub fn verify(&self, chain_id: &ChainId, set: &ValidatorSet) -> Result<(), CertificateError> {
        let message = vote_sign_bytes(
            chain_id,
            VoteType::Precommit,
            self.height,
            self.round,
            Some(&self.block_id),
        );
        let mut seen = BTreeSet::new();
        let mut signed = 0u64;
        for s in &self.signatures {
            let validator = set
                .by_address(&s.validator)
                .ok_or(CertificateError::UnknownValidator(s.validator))?;
            if !seen.insert(s.validator) {
                return Err(CertificateError::RepeatedValidator(s.validator));
            }
            if !validator.key.verify(&message, &s.signature) {
                return Err(CertificateError::BadSignature(s.validator));
            }
            signed = signed.saturating_add(validator.power);
        }
        let total = set.total_power();
        if u128::from(signed) * 3 <= u128::from(total) * 2 {
            return Err(CertificateError::NoQuorum { signed, total });
        }
        Ok(())
    }
}
