//! The chain a home folder is pinned to: `HOME/chain.json`.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::ChainId;
use headwater_ledger::text::Code;
use serde::{Deserialize, Serialize};

use super::follow::Trusted;
use crate::failure::{Failure, Kind};
use crate::keystore::{random, write_new};

/// What a home folder knows of its chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// The hash of the genesis document.
    pub chain_id: ChainId,
    /// The chain's name for people.
    pub name: Code,
    /// What the genesis document proves.
    pub genesis: Trusted,
    /// The highest block proved so far.
    pub trusted: Trusted,
}

impl Pinned {
    /// What a genesis document says.
    pub fn of_genesis(genesis: &Genesis) -> Result<Self, Failure> {
        let bad = |error: String| Failure::new(Kind::BadInput, error);
        let chain_id = genesis.chain_id().map_err(|e| bad(e.to_string()))?;
        let set = genesis.validator_set().map_err(|e| bad(e.to_string()))?;
        let validators = set.hash().map_err(|e| bad(e.to_string()))?;
        let trusted = Trusted::genesis(&chain_id, genesis.time_ms, validators);
        Ok(Pinned { chain_id, name: genesis.name.clone(), genesis: trusted.clone(), trusted })
    }

    /// The file in a home folder.
    pub fn path(home: &Path) -> PathBuf {
        home.join("chain.json")
    }

    /// What the home folder is pinned to; `None` when it is not pinned yet.
    pub fn load(home: &Path) -> Result<Option<Self>, Failure> {
        let path = Self::path(home);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::io("read", &path, &error)),
        };
        serde_json::from_str(&text).map(Some).map_err(|error| {
            let message = format_args!("{} is damaged: {error}", path.display());
            Failure::new(Kind::Damaged, message).hint(
                "`headwater status --pin --chain-id ID` writes it anew; take the id from an exchange",
            )
        })
    }

    /// Writes the file, in one step: it is the old or the new one.
    pub fn save(&self, home: &Path) -> Result<(), Failure> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(home)
            .map_err(|error| Failure::io("create the folder", home, &error))?;
        let path = Self::path(home);
        let mut unique = [0; 8];
        random(&mut unique)?;
        let temporary = home.join(format!(".chain.{}", hex::encode(unique)));
        let mut bytes =
            serde_json::to_vec_pretty(self).map_err(|error| Failure::new(Kind::Io, error))?;
        bytes.push(b'\n');
        let written = write_new(&temporary, &bytes)
            .and_then(|()| fs::rename(&temporary, &path))
            .and_then(|()| File::open(home)?.sync_all());
        written.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            Failure::io("write", &path, &error)
        })
    }

    /// Where to begin to prove a block of this height.
    pub(super) fn start(&self, height: u64) -> Trusted {
        if height < self.trusted.height { self.genesis.clone() } else { self.trusted.clone() }
    }

    /// Keeps a block that was proved, if it is higher than every one before. Another command may
    /// have written meanwhile: the file never goes back.
    pub(super) fn advance(&mut self, proved: Trusted, home: &Path) -> Result<(), Failure> {
        if proved.height <= self.trusted.height {
            return Ok(());
        }
        self.trusted = proved;
        match Self::load(home)? {
            Some(stored)
                if stored.chain_id != self.chain_id
                    || stored.trusted.height >= self.trusted.height =>
            {
                Ok(())
            }
            Some(_) | None => self.save(home),
        }
    }
}
