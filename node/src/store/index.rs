//! Query indexes: rows derived from blocks, written behind the log and rebuilt from it when lost.
//!
//! Never the truth: an index can be deleted at any time. Implements [LED-IDX-1].

mod memory;
mod sled;
#[cfg(test)]
mod tests;

pub use memory::MemoryIndex;
pub use sled::{CACHE_BYTES, Opened, SledIndex};

/// Most bytes of a row's key. Short keys are what keeps an index small and quick.
pub const MAX_KEY_BYTES: usize = 64;
/// Most bytes of a row's value.
pub const MAX_VALUE_BYTES: usize = 1 << 10;
/// Most rows of one page of a scan.
pub const MAX_PAGE_ROWS: usize = 10_000;

/// A row: key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Why the index did not answer or did not take rows.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A block was left out.
    #[error("cannot index height {found}: the index is at {height}, so the next is {}", height.saturating_add(1))]
    Gap {
        /// The height the index is at.
        height: u64,
        /// The height offered.
        found: u64,
    },
    /// A row breaks the limits, which is a fault of the caller.
    #[error(
        "a row with a key of {key} bytes and a value of {value} is above the limits of \
         {MAX_KEY_BYTES} and {MAX_VALUE_BYTES}, or its key is empty"
    )]
    Row {
        /// Bytes of the key.
        key: usize,
        /// Bytes of the value.
        value: usize,
    },
    /// Another process has the index open.
    #[error("the index is locked: another process is using this home directory; stop it first")]
    Locked,
    /// The store below failed; what it holds is not to be trusted until it was rebuilt.
    #[error("the index failed: {0}. It holds nothing that the block log does not: rebuild it")]
    Failed(String),
}

/// A store of rows with the height up to which they are complete.
///
/// Rows must be idempotent: putting those of a block again changes nothing [LED-IDX-2]. After a crash the
/// index may hold some rows of blocks above [`IndexStore::height`]; they are put again.
pub trait IndexStore: Send + Sync {
    /// The height up to which all rows are there; 0 when empty. After reopening, what was last
    /// flushed.
    fn height(&self) -> u64;

    /// Puts the rows of the block of a height: the next one, or one that was put before.
    fn apply(&self, height: u64, rows: Vec<Row>) -> Result<(), IndexError>;

    /// Makes rows and height durable. Costs two syncs, so it is called every so many blocks.
    fn flush(&self) -> Result<(), IndexError>;

    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;

    /// The rows whose key begins with `prefix`, in key order, from the first one greater than
    /// `after`; at most `limit` and [`MAX_PAGE_ROWS`]. The last key is the cursor of the next page.
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, IndexError>;
}

/// Checks height and rows before any row is put, and sorts them by key.
fn check(height: u64, found: u64, rows: &mut [Row]) -> Result<(), IndexError> {
    if found == 0 || found > height.saturating_add(1) {
        return Err(IndexError::Gap { height, found });
    }
    for (key, value) in rows.iter() {
        let (key, value) = (key.len(), value.len());
        if key == 0 || key > MAX_KEY_BYTES || value > MAX_VALUE_BYTES {
            return Err(IndexError::Row { key, value });
        }
    }
    // Stable, so that of two rows with one key the later wins everywhere.
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(())
}

/// Where a scan begins: after the cursor, but never before the prefix.
fn start<'a>(prefix: &'a [u8], after: Option<&'a [u8]>) -> std::ops::Bound<&'a [u8]> {
    use std::ops::Bound::{Excluded, Included};
    match after {
        Some(after) if after >= prefix => Excluded(after),
        _ => Included(prefix),
    }
}
