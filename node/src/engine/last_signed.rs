//! The record of the last proposal or vote this validator signed, the guard against double signing.
//!
//! It is made durable before the signature exists. The file is `last-signed.json` in the home of
//! the node and belongs in no backup: a missing or copied one makes the validator abstain.
//! Implements [LED-DSIGN-3] to [LED-DSIGN-6].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use headwater_ledger::hash::{BlockId, ChainId, ValidatorAddress};
use serde::{Deserialize, Serialize};

/// What kind of message was signed; in the order in which a round asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    Propose,
    Prevote,
    Precommit,
}

/// The place of a signed message: a validator signs one message for each, and never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Slot {
    pub height: u64,
    pub round: u32,
    pub step: Step,
}

/// What was signed in a slot. With the chain id and the slot it determines the signed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    /// The block proposed or voted for; `None` is a vote for nil.
    pub block_id: Option<BlockId>,
    /// The round of the proof of lock of a proposal.
    pub pol_round: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u8,
    chain_id: ChainId,
    validator: ValidatorAddress,
    slot: Slot,
    content: Content,
    /// The inode the file was written to. A copy has another one, and so is known for a copy.
    inode: u64,
}

/// A signature that would be or might be a double one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("asked to sign {asked:?} after {signed:?}")]
pub(super) struct Refusal {
    pub asked: Slot,
    pub signed: Slot,
}

/// Why the guard did not admit a signature.
#[derive(Debug, thiserror::Error)]
pub(super) enum GuardError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("cannot write {path}: {source}", path = path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Why the record cannot be relied on at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error("cannot read {path}: {source}", path = path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{path} is damaged: {why}; delete it and the validator abstains until that is safe",
        path = path.display()
    )]
    Damaged { path: PathBuf, why: String },
    #[error("{path} belongs to validator {validator} of chain {chain_id}", path = path.display())]
    Foreign { path: PathBuf, validator: ValidatorAddress, chain_id: ChainId },
}

/// What the home of the node holds.
#[derive(Debug)]
pub(super) enum Found {
    /// No record, or a copy of one: anything may have been signed since.
    Nothing,
    /// The record this validator wrote last.
    Guard(Guard),
}

/// The record, held by the one signer of the node.
#[derive(Debug)]
pub(super) struct Guard {
    path: PathBuf,
    record: Record,
}

const FILE: &str = "last-signed.json";

impl Guard {
    /// Reads the record of this validator from the home of the node.
    pub fn find(
        home: &Path,
        chain_id: ChainId,
        validator: ValidatorAddress,
    ) -> Result<Found, RecordError> {
        let path = home.join(FILE);
        let read = |source| RecordError::Read { path: path.clone(), source };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(e) => return Err(read(e)),
        };
        let record: Record = serde_json::from_slice(&bytes)
            .map_err(|e| RecordError::Damaged { path: path.clone(), why: e.to_string() })?;
        if record.version != 1 {
            let why = format!("version {}", record.version);
            return Err(RecordError::Damaged { path, why });
        }
        if record.chain_id != chain_id || record.validator != validator {
            let Record { chain_id, validator, .. } = record;
            return Err(RecordError::Foreign { path, validator, chain_id });
        }
        if fs::metadata(&path).map_err(read)?.ino() != record.inode {
            return Ok(Found::Nothing);
        }
        Ok(Found::Guard(Guard { path, record }))
    }

    /// Writes that nothing above `height` was signed and that nothing up to it will be.
    pub fn vouch(
        home: &Path,
        chain_id: ChainId,
        validator: ValidatorAddress,
        height: u64,
    ) -> Result<Guard, GuardError> {
        let slot = Slot { height, round: u32::MAX, step: Step::Precommit };
        let content = Content { block_id: None, pol_round: None };
        let record = Record { version: 1, chain_id, validator, slot, content, inode: 0 };
        let mut guard = Guard { path: home.join(FILE), record };
        guard.write(record)?;
        Ok(guard)
    }

    /// The slot signed last.
    pub fn last(&self) -> Slot {
        self.record.slot
    }

    /// Says what may be signed in a slot, having made that durable.
    ///
    /// A later slot: what is asked for. The slot signed last: what was signed, which is then
    /// signed again, even when the engine, having lost the end of its log, asks for something
    /// else now. That is safe for proposals, prevotes and nil precommits, which bind the signer to
    /// nothing. A precommit for a block locks it, and a proposal may rest on a proof of lock; when
    /// the engine has forgotten that, the signature is refused, as it is for an earlier slot.
    pub fn admit(&mut self, slot: Slot, content: Content) -> Result<Content, GuardError> {
        let Record { slot: last, content: signed, .. } = self.record;
        if slot > last {
            self.write(Record { slot, content, ..self.record })?;
            return Ok(content);
        }
        let lock_forgotten = signed != content
            && match slot.step {
                Step::Propose => signed.pol_round.is_some(),
                Step::Prevote => false,
                Step::Precommit => signed.block_id.is_some(),
            };
        if slot < last || lock_forgotten {
            return Err(Refusal { asked: slot, signed: last }.into());
        }
        Ok(signed)
    }

    /// Replaces the file atomically and durably.
    fn write(&mut self, mut record: Record) -> Result<(), GuardError> {
        let fail = |source| GuardError::Write { path: self.path.clone(), source };
        let fresh = self.path.with_extension("json.new");
        let mut file = create(&fresh).map_err(fail)?;
        record.inode = file.metadata().map_err(fail)?.ino();
        let text = serde_json::to_vec_pretty(&record).map_err(|e| fail(e.into()))?;
        file.write_all(&text).map_err(fail)?;
        file.sync_all().map_err(fail)?;
        fs::rename(&fresh, &self.path).map_err(fail)?;
        let home = self.path.parent().unwrap_or(Path::new("."));
        File::open(home).and_then(|dir| dir.sync_all()).map_err(fail)?;
        self.record = record;
        Ok(())
    }
}

fn create(path: &Path) -> io::Result<File> {
    // Removed first, so that the new record never shares its inode with an old copy of this name.
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests;
