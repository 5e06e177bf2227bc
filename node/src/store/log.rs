//! The block log: the ledger itself. Blocks with their certificates, appended, checksummed, chained
//! by hash and synced before they are acknowledged.
//!
//! Implements [LED-LOG-1].

mod format;
mod recover;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::disk::{Disk, DiskFile, write_atomic};
use format::SegmentHeader;

pub use format::{MAX_RECORD_BYTES, Record};

/// A segment is closed, and a new one begun, when it has grown to this many bytes.
pub const SEGMENT_BYTES: u64 = 256 << 20;

/// Why the log cannot be opened, read or appended to.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// Something the log once made durable is no longer there as it was.
    #[error(
        "the block log is damaged: {}, byte {offset}: {found}. Nothing was changed. Restore this \
         file from a backup; or move the whole directory of the log elsewhere and start again, so \
         that the blocks are fetched from other nodes",
        file.display()
    )]
    Damaged {
        /// The damaged file.
        file: PathBuf,
        /// Where the damage begins.
        offset: u64,
        /// What was found, as a clause.
        found: String,
    },
    /// The log belongs to another chain.
    #[error(
        "{} belongs to the chain {}, not to this one. Check which genesis and which home directory \
         the node was started with",
        file.display(), hex::encode(found)
    )]
    OtherChain {
        /// The first segment that says so.
        file: PathBuf,
        /// The chain it belongs to.
        found: [u8; 32],
    },
    /// The log was written in a format this version does not know.
    #[error("{} is in format {version}, which this version cannot read: use a newer one", file.display())]
    UnknownFormat {
        /// The segment that says so.
        file: PathBuf,
        /// Its format.
        version: u32,
    },
    /// Another process has the log open.
    #[error("{} is locked: another process is using this home directory; stop it first", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The block is not the one after the last.
    #[error("cannot append height {found}: the log ends at {tip}, so the next is {}", tip.saturating_add(1))]
    NotNext {
        /// The last height in the log.
        tip: u64,
        /// The height offered.
        found: u64,
    },
    /// The record would be larger than any reader accepts.
    #[error("a record of {bytes} bytes is above the limit of {MAX_RECORD_BYTES}")]
    TooLarge {
        /// Bytes of the record.
        bytes: u64,
    },
    /// An earlier append failed, so what the file holds is unknown.
    #[error("the block log stopped after a failed append: solve what failed, then reopen the log")]
    Stopped,
}

impl LogError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
        move |source| LogError::Io { action, path: path.to_owned(), source }
    }

    fn damaged(file: &Path, offset: u64, found: impl Into<String>) -> LogError {
        LogError::Damaged { file: file.to_owned(), offset, found: found.into() }
    }
}

/// What opening the log found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Last height in the log; 0 when it is empty.
    pub tip: u64,
    /// Segment files.
    pub segments: usize,
    /// Bytes read and verified.
    pub bytes: u64,
    /// An append that a crash interrupted, and that was removed.
    pub torn: Option<TornTail>,
}

/// The rest of an append that was never acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// The last segment.
    pub file: PathBuf,
    /// Where it was cut.
    pub offset: u64,
    /// Bytes cut off.
    pub bytes: u64,
}

/// The records of one segment file.
struct Segment {
    first_height: u64,
    /// Where each record begins. A segment is far below 4 GiB.
    offsets: Vec<u32>,
    /// Where the last record ends.
    end: u64,
}

struct Writer {
    /// The last segment, open; `None` when there is no segment.
    file: Option<Box<dyn DiskFile>>,
    /// Hash of the last record; the chain id when there is none.
    last_hash: [u8; 32],
    /// Set while appending, and left set when that fails.
    stopped: bool,
    /// Kept for its capacity.
    buffer: Vec<u8>,
}

/// The append-only log of blocks. Appends are one at a time; reads may run beside them.
pub struct BlockLog {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    chain_id: [u8; 32],
    segment_bytes: u64,
    segments: RwLock<Vec<Segment>>,
    writer: Mutex<Writer>,
    /// Keeps other processes out. Implements [LED-LOG-8].
    _lock: Box<dyn Send + Sync>,
}

fn segment_path(dir: &Path, first_height: u64) -> PathBuf {
    dir.join(format::segment_name(first_height))
}

impl BlockLog {
    /// Opens the log in `dir`, creating it when missing, and verifies every record.
    ///
    /// A torn tail is cut off and reported. Any other damage is an error, and nothing is changed.
    /// Implements [LED-LOG-6] and [LED-LOG-7].
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        chain_id: [u8; 32],
    ) -> Result<(BlockLog, Recovery), LogError> {
        Self::open_with(disk, dir, chain_id, SEGMENT_BYTES)
    }

    /// As [`BlockLog::open`], with segments closed at `segment_bytes` (at most [`SEGMENT_BYTES`]).
    pub fn open_with(
        disk: Arc<dyn Disk>,
        dir: &Path,
        chain_id: [u8; 32],
        segment_bytes: u64,
    ) -> Result<(BlockLog, Recovery), LogError> {
        disk.create_dir(dir).map_err(LogError::io("create", dir))?;
        let lock_path = dir.join("lock");
        let lock = disk.lock(&lock_path).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => LogError::Locked { path: lock_path.clone() },
            _ => LogError::io("lock", &lock_path)(error),
        })?;
        let (segments, writer, recovery) = recover::recover(&*disk, dir, &chain_id)?;
        let log = BlockLog {
            disk,
            dir: dir.to_owned(),
            chain_id,
            segment_bytes: segment_bytes.min(SEGMENT_BYTES),
            segments: RwLock::new(segments),
            writer: Mutex::new(writer),
            _lock: lock,
        };
        Ok((log, recovery))
    }

    /// Appends the block of the next height with its certificate; both are durable on return.
    ///
    /// After an error other than [`LogError::NotNext`] and [`LogError::TooLarge`], every further
    /// append is refused until the log is reopened; then the block is either there whole or not
    /// at all. Implements [LED-LOG-4] and [LED-LOG-5].
    pub fn append(&self, height: u64, block: &[u8], certificate: &[u8]) -> Result<(), LogError> {
        let writer = &mut *self.writer();
        if writer.stopped {
            return Err(LogError::Stopped);
        }
        let tip = self.tip();
        if tip.checked_add(1) != Some(height) {
            return Err(LogError::NotNext { tip, found: height });
        }
        let hash =
            format::encode(&mut writer.buffer, height, &writer.last_hash, block, certificate)
                .map_err(|bytes| LogError::TooLarge { bytes })?;
        writer.stopped = true;
        let (file, first_height, end) = self.segment_for(height, writer)?;
        let path = segment_path(&self.dir, first_height);
        file.write_at(end, &writer.buffer).map_err(LogError::io("append to", &path))?;
        file.sync().map_err(LogError::io("sync", &path))?;
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(segment) = segments.last_mut() {
            // Segments close at 256 MiB, so an offset fits.
            segment.offsets.push(end as u32);
            segment.end = end + writer.buffer.len() as u64;
        }
        writer.file = Some(file);
        writer.last_hash = hash;
        writer.stopped = false;
        Ok(())
    }

    /// The segment that the record of `height` goes to, begun when the last one is full.
    fn segment_for(
        &self,
        height: u64,
        writer: &mut Writer,
    ) -> Result<(Box<dyn DiskFile>, u64, u64), LogError> {
        let last = self.segments().last().map(|segment| (segment.first_height, segment.end));
        if let (Some(file), Some((first_height, end))) = (writer.file.take(), last)
            && end < self.segment_bytes
        {
            return Ok((file, first_height, end));
        }
        let header = SegmentHeader {
            chain_id: self.chain_id,
            first_height: height,
            previous_hash: writer.last_hash,
        };
        let path = segment_path(&self.dir, height);
        write_atomic(&*self.disk, &path, |file| file.write_at(0, &header.encode()))
            .map_err(LogError::io("create", &path))?;
        let file = self.disk.open(&path).map_err(LogError::io("open", &path))?;
        let end = format::SEGMENT_HEADER_BYTES as u64;
        let segment = Segment { first_height: height, offsets: Vec::new(), end };
        self.segments.write().unwrap_or_else(PoisonError::into_inner).push(segment);
        Ok((file, height, end))
    }

    /// The record of a height, verified again; `None` when the log does not have it.
    ///
    /// Implements [LED-LOG-9].
    pub fn read(&self, height: u64) -> Result<Option<Record>, LogError> {
        self.read_with(height, &mut None)
    }

    /// Reads with `open`, the segment file opened last, when it is the right one.
    fn read_with(
        &self,
        height: u64,
        open: &mut Option<(u64, Box<dyn DiskFile>)>,
    ) -> Result<Option<Record>, LogError> {
        let Some((first_height, offset, length)) = self.locate(height) else {
            return Ok(None);
        };
        let path = segment_path(&self.dir, first_height);
        let file = match open.take() {
            Some((first, file)) if first == first_height => file,
            _ => self.disk.open(&path).map_err(LogError::io("open", &path))?,
        };
        let mut bytes = vec![0; length];
        file.read_at(offset, &mut bytes).map_err(LogError::io("read", &path))?;
        let (head, record) = format::decode(&bytes)
            .map_err(|flaw| LogError::damaged(&path, offset, flaw.to_string()))?;
        if head.height != height {
            let found = format!("height {} stands where {height} was", head.height);
            return Err(LogError::damaged(&path, offset, found));
        }
        *open = Some((first_height, file));
        Ok(Some(record))
    }

    /// First height of the segment, offset and length of a record.
    fn locate(&self, height: u64) -> Option<(u64, u64, usize)> {
        let segments = self.segments();
        let after = segments.partition_point(|segment| segment.first_height <= height);
        let segment = segments.get(after.checked_sub(1)?)?;
        let place = usize::try_from(height - segment.first_height).ok()?;
        let offset = u64::from(*segment.offsets.get(place)?);
        let end = segment.offsets.get(place + 1).map_or(segment.end, |next| u64::from(*next));
        Some((segment.first_height, offset, usize::try_from(end - offset).ok()?))
    }

    /// The records from `height` on, in order, up to the tip at the time each is asked for. Ends
    /// after an error.
    pub fn iter_from(&self, height: u64) -> Records<'_> {
        Records { log: self, next: Some(height.max(1)), open: None }
    }

    /// The last height in the log; 0 when it is empty.
    pub fn tip(&self) -> u64 {
        let segments = self.segments();
        segments.last().map_or(0, |last| last.first_height - 1 + last.offsets.len() as u64)
    }

    /// Bytes of all segment files.
    pub fn bytes(&self) -> u64 {
        self.segments().iter().map(|segment| segment.end).sum()
    }

    fn segments(&self) -> std::sync::RwLockReadGuard<'_, Vec<Segment>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A panic while appending leaves `stopped` set, so the poison says nothing more.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Iterator of [`BlockLog::iter_from`].
pub struct Records<'a> {
    log: &'a BlockLog,
    next: Option<u64>,
    open: Option<(u64, Box<dyn DiskFile>)>,
}

impl Iterator for Records<'_> {
    type Item = Result<(u64, Record), LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        let height = self.next?;
        let record = self.log.read_with(height, &mut self.open).transpose();
        self.next = match &record {
            Some(Ok(_)) => height.checked_add(1),
            Some(Err(_)) => None,
            None => return None,
        };
        record.map(|record| record.map(|record| (height, record)))
    }
}
