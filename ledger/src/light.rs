//! Light blocks: a header, the certificate that decided it and the validators who did.

use serde::{Deserialize, Serialize};

use crate::block::Header;
use crate::certificate::{CertificateError, CommitCertificate};
use crate::codec::CodecError;
use crate::hash::{ChainId, Digest};
use crate::validator::{Validator, ValidatorSet, ValidatorSetError};

/// Everything that proves the state root of a height, given the hash of its validator set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LightBlock {
    /// The header.
    pub header: Header,
    /// Its commit certificate.
    pub certificate: CommitCertificate,
    /// The validators of this height.
    pub validators: Vec<Validator>,
}

/// Why a light block proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LightError {
    /// Another chain.
    #[error("the header is of chain {0}")]
    Chain(ChainId),
    /// Certificate and header are of different heights.
    #[error("the certificate is for height {certificate}, the header for {header}")]
    Height {
        /// Of the header.
        header: u64,
        /// Of the certificate.
        certificate: u64,
    },
    /// The certificate is for another block.
    #[error("the certificate is for another block than the header")]
    Block,
    /// Another validator set than the trusted one.
    #[error("the header names validator set {found}, trusted is {trusted}")]
    UntrustedSet {
        /// In the header.
        found: Digest,
        /// Known before.
        trusted: Digest,
    },
    /// The validators do not hash to the header's set.
    #[error("the validators given are not those of the header")]
    Validators,
    /// The validators do not form a set.
    #[error(transparent)]
    Set(#[from] ValidatorSetError),
    /// The certificate does not verify.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Bytes that cannot be encoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

impl LightBlock {
    /// Checks everything, given the chain and the hash of the set that decides this height.
    /// Implements [LED-CERT-4].
    pub fn verify(&self, chain_id: &ChainId, trusted_set: &Digest) -> Result<(), LightError> {
        let header = &self.header;
        if header.chain_id != *chain_id {
            return Err(LightError::Chain(header.chain_id));
        }
        if header.height != self.certificate.height {
            return Err(LightError::Height {
                header: header.height,
                certificate: self.certificate.height,
            });
        }
        if header.id()? != self.certificate.block_id {
            return Err(LightError::Block);
        }
        if header.validators != *trusted_set {
            return Err(LightError::UntrustedSet {
                found: header.validators,
                trusted: *trusted_set,
            });
        }
        let set = ValidatorSet::new(self.validators.clone())?;
        if set.hash()? != header.validators {
            return Err(LightError::Validators);
        }
        Ok(self.certificate.verify(chain_id, &set)?)
    }
}
