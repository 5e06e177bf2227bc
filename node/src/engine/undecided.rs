//! Blocks that are voted on and not yet decided: one durable file for each.
//!
//! The engine's log holds block ids only; after a crash the bodies are found here.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bincode::{Decode, Encode};
use headwater_ledger::codec::{self, CodecError};
use headwater_ledger::hash::{BlockId, ValidatorAddress};
use headwater_ledger::limits::MAX_BLOCK_BYTES;

use super::codec::Payload;
use super::context::PartInit;

/// A block that passed its check.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Undecided {
    pub height: u64,
    pub round: u32,
    pub proposer: ValidatorAddress,
    pub block_id: BlockId,
    /// The builder's signed first part, to stream the block again; a synced block has none.
    pub init: Option<PartInit>,
    pub block: Payload<MAX_BLOCK_BYTES>,
}

/// Why a block could not be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum UndecidedError {
    #[error("cannot use {path}: {source}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// The undecided blocks above the tip, in memory and on disk.
#[derive(Debug)]
pub(super) struct UndecidedStore {
    folder: PathBuf,
    blocks: BTreeMap<(u64, BlockId), Undecided>,
}

const MAX_FILE: usize = MAX_BLOCK_BYTES + 1024;
const SUM: usize = 32;

impl UndecidedStore {
    /// Opens the folder, removing torn files and those at or below the tip.
    pub fn open(folder: PathBuf, tip: u64) -> Result<Self, UndecidedError> {
        let mut store = UndecidedStore { folder, blocks: BTreeMap::new() };
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| UndecidedError::Io { path, source }
        };
        fs::create_dir_all(&store.folder).map_err(fail(&store.folder))?;
        for entry in fs::read_dir(&store.folder).map_err(fail(&store.folder))? {
            let path = entry.map_err(fail(&store.folder))?.path();
            let kept = read(&path).map_err(fail(&path))?.filter(|b| b.height > tip);
            match kept {
                Some(block) => {
                    store.blocks.insert((block.height, block.block_id), block);
                }
                None => fs::remove_file(&path).map_err(fail(&path))?,
            }
        }
        Ok(store)
    }

    /// Keeps a block; durable when it returns.
    pub fn put(&mut self, block: Undecided) -> Result<(), UndecidedError> {
        let path = self.path(block.height, &block.block_id);
        let bytes = codec::encode(&block)?;
        let write = || {
            let fresh = path.with_extension("new");
            let mut file = File::create(&fresh)?;
            file.write_all(blake3::hash(&bytes).as_bytes())?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(|source| UndecidedError::Io { path: path.clone(), source })?;
        self.blocks.insert((block.height, block.block_id), block);
        Ok(())
    }

    /// The block with this id at this height.
    pub fn get(&self, height: u64, id: &BlockId) -> Option<&Undecided> {
        self.blocks.get(&(height, *id))
    }

    /// The blocks of a height.
    pub fn at(&self, height: u64) -> impl Iterator<Item = &Undecided> {
        self.blocks.values().filter(move |b| b.height == height)
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Drops one block, which turned out not to be valid.
    pub fn remove(&mut self, height: u64, id: &BlockId) -> Result<(), UndecidedError> {
        self.blocks.remove(&(height, *id));
        let path = self.path(height, id);
        fs::remove_file(&path).map_err(|source| UndecidedError::Io { path, source })
    }

    /// Drops everything up to a decided height.
    pub fn prune(&mut self, height: u64) -> Result<(), UndecidedError> {
        let old: Vec<_> = self.blocks.keys().filter(|(h, _)| *h <= height).copied().collect();
        old.into_iter().try_for_each(|(height, id)| self.remove(height, &id))
    }

    fn path(&self, height: u64, id: &BlockId) -> PathBuf {
        self.folder.join(format!("{height}-{}.block", hex::encode(id.digest().raw())))
    }
}

/// Reads a file; `None` when it is torn or no block.
fn read(path: &Path) -> io::Result<Option<Undecided>> {
    if path.extension().is_none_or(|e| e != "block") {
        return Ok(None);
    }
    let bytes = fs::read(path)?;
    let Some((sum, body)) = bytes.split_at_checked(SUM) else { return Ok(None) };
    if blake3::hash(body).as_bytes() != sum {
        return Ok(None);
    }
    Ok(codec::decode(body, MAX_FILE).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use headwater_ledger::hash::Digest;

    fn block(height: u64, seed: u8) -> Undecided {
        Undecided {
            height,
            round: 3,
            proposer: ValidatorAddress::from_digest(Digest::Blake3([7; 32])),
            block_id: BlockId::from_digest(Digest::Blake3([seed; 32])),
            init: None,
            block: Payload(Bytes::from(vec![seed; 100_000])),
        }
    }

    #[test]
    fn blocks_above_the_tip_survive_a_restart_and_others_do_not() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("undecided");
        let mut store = UndecidedStore::open(folder.clone(), 0).unwrap();
        assert!(store.is_empty());
        for kept in [block(4, 1), block(5, 2), block(5, 3)] {
            store.put(kept).unwrap();
        }
        let store = UndecidedStore::open(folder.clone(), 4).unwrap();
        assert_eq!(store.at(5).cloned().collect::<Vec<_>>(), [block(5, 2), block(5, 3)]);
        assert_eq!(store.get(4, &block(4, 1).block_id), None);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn torn_and_foreign_files_are_removed() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().to_owned();
        let mut store = UndecidedStore::open(folder.clone(), 0).unwrap();
        store.put(block(1, 1)).unwrap();
        store.put(block(1, 2)).unwrap();
        let torn = store.path(1, &block(1, 1).block_id);
        let bytes = fs::read(&torn).unwrap();
        fs::write(&torn, &bytes[..bytes.len() - 1]).unwrap();
        fs::write(folder.join("x.new"), b"half").unwrap();
        let store = UndecidedStore::open(folder.clone(), 0).unwrap();
        assert_eq!(store.at(1).cloned().collect::<Vec<_>>(), [block(1, 2)]);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn decided_heights_are_pruned_from_disk() {
        let home = tempfile::tempdir().unwrap();
        let mut store = UndecidedStore::open(home.path().to_owned(), 0).unwrap();
        store.put(block(1, 1)).unwrap();
        store.put(block(2, 2)).unwrap();
        store.prune(1).unwrap();
        assert_eq!(store.at(1).count(), 0);
        assert_eq!(store.at(2).count(), 1);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
