//! The index in sled.
//!
//! sled's own flush does not reach the platter on Linux (it is `sync_file_range`), so its file is
//! synced here too; it can panic on a file that a power cut left half-written, so every call is
//! guarded; and it takes batches badly, so rows go in one by one, sorted.

use std::any::Any;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{IndexError, IndexStore, MAX_PAGE_ROWS, Row, check, start};

/// A cache that is enough for a node: 128 MiB. sled's memory is a few times that.
pub const CACHE_BYTES: u64 = 128 << 20;

/// Tree of the rows.
const ROWS: &str = "rows";
/// Tree of what the index says of itself.
const ABOUT: &str = "about";
/// Key in [`ABOUT`]: chain id, then the format of the rows as u32.
const OWNER: &str = "owner";
/// Key in [`ABOUT`]: the watermark, u64.
const HEIGHT: &str = "height";
/// What sled keeps in its directory, but for its `snap.` files.
const SLED_FILES: [&str; 2] = ["db", "conf"];

/// A dropped sled lets go of its lock a moment later, from a thread of its own.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// What opening an index came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It is there, as far as its height.
    Ready,
    /// It was empty, or unusable and was deleted: rebuild it from the block log.
    Rebuild {
        /// Why, as a clause.
        reason: String,
    },
}

/// An index in a directory of its own.
pub struct SledIndex {
    dir: PathBuf,
    db: ::sled::Db,
    rows: ::sled::Tree,
    about: ::sled::Tree,
    applied: AtomicU64,
    /// The height last flushed; held by whoever writes.
    flushed: Mutex<u64>,
}

impl SledIndex {
    /// Opens the index of a chain in `dir`. `format` is the caller's version of the rows.
    ///
    /// An index that is damaged, of another chain or of another format is deleted and begun anew.
    /// Implements [LED-IDX-3].
    pub fn open(
        dir: &Path,
        chain_id: [u8; 32],
        format: u32,
        cache_bytes: u64,
    ) -> Result<(SledIndex, Opened), IndexError> {
        let mut tries = LOCK_TRIES;
        let first = loop {
            match Self::try_open(dir, &chain_id, format, cache_bytes) {
                Err(IndexError::Locked) if tries > 0 => {
                    tries -= 1;
                    std::thread::sleep(LOCK_PAUSE);
                }
                opened => break opened,
            }
        };
        let reason = match first {
            Ok(index) if index.height() > 0 => return Ok((index, Opened::Ready)),
            Ok(index) => {
                return Ok((index, Opened::Rebuild { reason: "it is empty".to_owned() }));
            }
            Err(IndexError::Failed(reason)) => reason,
            Err(error) => return Err(error),
        };
        Self::delete(dir).map_err(|error| IndexError::Failed(error.to_string()))?;
        let index = Self::try_open(dir, &chain_id, format, cache_bytes)?;
        Ok((index, Opened::Rebuild { reason }))
    }

    /// Deletes what sled keeps in `dir`, and nothing else.
    pub fn delete(dir: &Path) -> io::Result<()> {
        let entries = match std::fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if SLED_FILES.contains(&&*name) || name.starts_with("snap.") {
                std::fs::remove_file(entry.path())?;
            } else if name == "blobs" {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    fn try_open(
        dir: &Path,
        chain_id: &[u8; 32],
        format: u32,
        cache_bytes: u64,
    ) -> Result<SledIndex, IndexError> {
        let mut owner = chain_id.to_vec();
        owner.extend_from_slice(&format.to_le_bytes());
        guard(|| {
            let config = ::sled::Config::new().path(dir).flush_every_ms(None);
            let db = config.cache_capacity(cache_bytes).open()?;
            let (rows, about) = (db.open_tree(ROWS)?, db.open_tree(ABOUT)?);
            Ok((db, rows, about))
        })
        .and_then(|(db, rows, about)| {
            let (found, height) = guard(|| Ok((about.get(OWNER)?, about.get(HEIGHT)?)))?;
            let applied = match (found, height) {
                (None, None) => {
                    guard(|| about.insert(OWNER, owner))?;
                    0
                }
                (Some(found), height) if found == owner => match height {
                    None => 0,
                    Some(bytes) => {
                        u64::from_le_bytes(bytes.as_ref().try_into().map_err(|_| {
                            IndexError::Failed("its height cannot be read".to_owned())
                        })?)
                    }
                },
                _ => {
                    let reason = "it belongs to another chain, or its rows are of another format";
                    return Err(IndexError::Failed(reason.to_owned()));
                }
            };
            let (dir, flushed) = (dir.to_owned(), Mutex::new(applied));
            Ok(SledIndex { dir, db, rows, about, applied: applied.into(), flushed })
        })
    }

    /// Flushes sled and syncs its file.
    fn sync(&self) -> Result<(), IndexError> {
        guard(|| self.db.flush())?;
        File::open(self.dir.join("db"))
            .and_then(|file| file.sync_all())
            .map_err(|error| IndexError::Failed(error.to_string()))
    }

    fn flushed(&self) -> MutexGuard<'_, u64> {
        self.flushed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IndexStore for SledIndex {
    fn height(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    fn apply(&self, height: u64, mut rows: Vec<Row>) -> Result<(), IndexError> {
        let _writing = self.flushed();
        check(self.height(), height, &mut rows)?;
        for (key, value) in rows {
            guard(|| self.rows.insert(key, value))?;
        }
        self.applied.fetch_max(height, Ordering::Release);
        Ok(())
    }

    fn flush(&self) -> Result<(), IndexError> {
        let mut flushed = self.flushed();
        let applied = self.height();
        if *flushed == applied {
            return Ok(());
        }
        // The rows first: a watermark on the disk must never promise rows that are not
        // [LED-IDX-4].
        self.sync()?;
        guard(|| self.about.insert(HEIGHT, &applied.to_le_bytes()))?;
        self.sync()?;
        *flushed = applied;
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(guard(|| self.rows.get(key))?.map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, IndexError> {
        guard(|| {
            let range = (start(prefix, after), Bound::Unbounded);
            let mut out = Vec::new();
            for row in self.rows.range::<&[u8], _>(range).take(limit.min(MAX_PAGE_ROWS)) {
                let (key, value) = row?;
                if !key.starts_with(prefix) {
                    break;
                }
                out.push((key.to_vec(), value.to_vec()));
            }
            Ok(out)
        })
    }
}

/// Runs a call into sled; its errors and panics become [`IndexError`].
fn guard<T>(call: impl FnOnce() -> ::sled::Result<T>) -> Result<T, IndexError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(::sled::Error::Io(error))) if error.to_string().contains("acquire lock") => {
            Err(IndexError::Locked)
        }
        Ok(Err(error)) => Err(IndexError::Failed(error.to_string())),
        Err(panic) => Err(IndexError::Failed(panic_text(&*panic))),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("sled panicked: {}", text.unwrap_or_else(|| "without a message".to_owned()))
}
