//! State snapshots: immutable files from which a node reopens without replaying the whole log.
//!
//! Never the truth: each can be deleted, and the state made again from the block log. Implements
//! [LED-SNAP-1] and [LED-SNAP-2].

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, DiskFile, Window, remove_temporaries, write_atomic};

/// Most bytes of one value: 16 MiB. Implements [LED-SNAP-6].
pub const MAX_VALUE_BYTES: usize = 16 << 20;
/// Snapshots kept; older ones are deleted when a new one is durable. Implements [LED-SNAP-4].
pub const KEPT_SNAPSHOTS: usize = 2;

const MAGIC: [u8; 8] = *b"HWSNAPSH";
const FORMAT_VERSION: u32 = 1;
const HASH_BLAKE3: u32 = 1;
const HEADER_BYTES: usize = 128;
const ENTRY_HEAD_BYTES: usize = 36;
const HASH_BYTES: usize = 32;
const CONTEXT: &str = "headwater 2026-11 state snapshot";
/// Bytes gathered before a write.
const WRITE_BYTES: usize = 1 << 20;

/// What a snapshot is a snapshot of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotMeta {
    /// Height of the last block in it.
    pub height: u64,
    /// Id of that block.
    pub block_id: [u8; 32],
    /// State root after that block.
    pub state_root: [u8; 32],
    /// Number of entries.
    pub entries: u64,
}

/// One entry of the state.
pub type SnapshotEntry = ([u8; 32], Vec<u8>);

/// Why a snapshot cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
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
    /// The file is not what was once written.
    #[error("the snapshot {} is damaged: {found}; it can be deleted", path.display())]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// What was found, as a clause.
        found: &'static str,
    },
    /// The entries to write break the format's rules, which is a fault of the caller.
    #[error("cannot write a snapshot: {0}")]
    Entries(&'static str),
}

impl SnapshotError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SnapshotError {
        move |source| SnapshotError::Io { action, path: path.to_owned(), source }
    }
}

/// The snapshots of one node.
pub struct Snapshots {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    chain_id: [u8; 32],
    archive_every: u64,
}

fn snapshot_name(height: u64) -> String {
    format!("snapshot-{height:020}.hws")
}

fn parse_snapshot_name(name: &str) -> Option<u64> {
    let height = name.strip_prefix("snapshot-")?.strip_suffix(".hws")?.parse().ok()?;
    (snapshot_name(height) == name).then_some(height)
}

impl Snapshots {
    /// The snapshots in `dir`, which is created when missing. Removes unfinished ones, so it must
    /// not run beside [`Snapshots::write`].
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        chain_id: [u8; 32],
    ) -> Result<Snapshots, SnapshotError> {
        disk.create_dir(dir).map_err(SnapshotError::io("create", dir))?;
        remove_temporaries(&*disk, dir).map_err(SnapshotError::io("clean", dir))?;
        Ok(Snapshots { disk, dir: dir.to_owned(), chain_id, archive_every: 0 })
    }

    /// Never deletes the snapshots of multiples of this height; 0 for none. Implements [LED-SNAP-4].
    pub fn archiving(mut self, every: u64) -> Self {
        self.archive_every = every;
        self
    }

    fn is_archived(&self, height: u64) -> bool {
        self.archive_every > 0 && height.is_multiple_of(self.archive_every)
    }

    /// Heights of the snapshot files, newest first, damaged ones included.
    pub fn heights(&self) -> Result<Vec<u64>, SnapshotError> {
        let names = self.disk.list(&self.dir).map_err(SnapshotError::io("list", &self.dir))?;
        let mut heights: Vec<u64> = names.iter().filter_map(|n| parse_snapshot_name(n)).collect();
        heights.sort_unstable_by(|a, b| b.cmp(a));
        Ok(heights)
    }

    /// Writes a snapshot durably, then deletes all but the newest [`KEPT_SNAPSHOTS`] and those to
    /// be archived.
    ///
    /// `entries` are `meta.entries` many, with strictly ascending keys and values of at most
    /// [`MAX_VALUE_BYTES`]. Meant for a thread of its own: it takes as long as the disk does.
    /// Implements [LED-SNAP-3].
    pub fn write(
        &self,
        meta: &SnapshotMeta,
        entries: impl IntoIterator<Item = ([u8; 32], Arc<[u8]>)>,
    ) -> Result<(), SnapshotError> {
        let path = self.dir.join(snapshot_name(meta.height));
        let mut wrong = None;
        let written = write_atomic(&*self.disk, &path, |file| {
            let mut out = Output::new(file);
            out.put(&encode_header(&self.chain_id, meta))?;
            wrong = put_entries(&mut out, meta.entries, entries)?;
            match wrong {
                Some(rule) => Err(io::Error::new(io::ErrorKind::InvalidInput, rule)),
                None => out.finish(),
            }
        });
        if let Some(rule) = wrong {
            return Err(SnapshotError::Entries(rule));
        }
        written.map_err(SnapshotError::io("write", &path))?;
        let heights = self.heights()?.into_iter().skip(KEPT_SNAPSHOTS);
        for old in heights.filter(|height| !self.is_archived(*height)) {
            let path = self.dir.join(snapshot_name(old));
            self.disk.remove(&path).map_err(SnapshotError::io("remove", &path))?;
        }
        // Not synced: a removal that a crash undoes is done again after the next snapshot.
        Ok(())
    }

    /// Loads the newest snapshot of these heights, the last one included, that is whole: `build` makes the state from the entries and checks
    /// it against `meta.state_root`.
    ///
    /// Entries are handed out while the file is read, so what `build` makes is returned only when
    /// it took them all and the hash of the file was right. A damaged snapshot, or one that
    /// `build` refuses with a reason, is passed over with a warning. `None` when none is left: the
    /// state is then made from the block log. Implements [LED-SNAP-5].
    pub fn load_latest<T>(
        &self,
        lowest: u64,
        highest: u64,
        mut build: impl FnMut(
            &SnapshotMeta,
            &mut dyn Iterator<Item = SnapshotEntry>,
        ) -> Result<T, String>,
    ) -> Result<Option<(SnapshotMeta, T)>, SnapshotError> {
        let wanted = |height: &u64| (lowest..=highest).contains(height);
        for height in self.heights()?.into_iter().filter(wanted) {
            let path = self.dir.join(snapshot_name(height));
            match self.load(&path, height, &mut build) {
                Ok(Ok(loaded)) => return Ok(Some(loaded)),
                Ok(Err(reason)) => {
                    tracing::warn!(height, %reason, "snapshot refused; trying an older one");
                }
                Err(error) => {
                    tracing::warn!(height, %error, "snapshot unusable; trying an older one");
                }
            }
        }
        Ok(None)
    }

    fn load<T>(
        &self,
        path: &Path,
        height: u64,
        build: &mut impl FnMut(
            &SnapshotMeta,
            &mut dyn Iterator<Item = SnapshotEntry>,
        ) -> Result<T, String>,
    ) -> Result<Result<(SnapshotMeta, T), String>, SnapshotError> {
        let file = self.disk.open(path).map_err(SnapshotError::io("open", path))?;
        let mut input = Input::open(&*file, path, &self.chain_id)?;
        if input.meta.height != height {
            return Err(input.damaged("its height is not the one of its name"));
        }
        let built = build(&input.meta.clone(), &mut input);
        if let Some(error) = input.failure.take() {
            return Err(error);
        }
        Ok(match built {
            Ok(_) if !input.verified => Err("not all of its entries were used".to_owned()),
            Ok(state) => Ok((input.meta, state)),
            Err(reason) => Err(reason),
        })
    }
}

fn encode_header(chain_id: &[u8; 32], meta: &SnapshotMeta) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    out.extend_from_slice(&HASH_BLAKE3.to_le_bytes());
    out.extend_from_slice(chain_id);
    out.extend_from_slice(&meta.height.to_le_bytes());
    out.extend_from_slice(&meta.block_id);
    out.extend_from_slice(&meta.state_root);
    out.extend_from_slice(&meta.entries.to_le_bytes());
    out
}

/// Reads a header of this format and chain.
fn decode_header(bytes: &[u8], chain_id: &[u8; 32]) -> Option<SnapshotMeta> {
    let meta = SnapshotMeta {
        height: u64::from_le_bytes(*bytes.get(48..)?.first_chunk()?),
        block_id: *bytes.get(56..)?.first_chunk()?,
        state_root: *bytes.get(88..)?.first_chunk()?,
        entries: u64::from_le_bytes(*bytes.get(120..)?.first_chunk()?),
    };
    (encode_header(chain_id, &meta) == bytes).then_some(meta)
}

/// Writes the entries; the rule that they break, if they do.
fn put_entries(
    out: &mut Output<'_>,
    stated: u64,
    entries: impl IntoIterator<Item = ([u8; 32], Arc<[u8]>)>,
) -> io::Result<Option<&'static str>> {
    let mut count = 0u64;
    let mut last: Option<[u8; 32]> = None;
    for (key, value) in entries {
        if last.is_some_and(|last| last >= key) {
            return Ok(Some("its keys are not in ascending order"));
        }
        if value.len() > MAX_VALUE_BYTES {
            return Ok(Some("a value is above the limit"));
        }
        out.put(&key)?;
        // At most MAX_VALUE_BYTES.
        out.put(&(value.len() as u32).to_le_bytes())?;
        out.put(&value)?;
        last = Some(key);
        count += 1;
    }
    Ok((count != stated).then_some("the number of entries is not the one stated"))
}

/// Writes a file forwards in large pieces and hashes it.
struct Output<'a> {
    file: &'a dyn DiskFile,
    hasher: blake3::Hasher,
    offset: u64,
    buffer: Vec<u8>,
}

impl<'a> Output<'a> {
    fn new(file: &'a dyn DiskFile) -> Self {
        let hasher = blake3::Hasher::new_derive_key(CONTEXT);
        Output { file, hasher, offset: 0, buffer: Vec::with_capacity(WRITE_BYTES) }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= WRITE_BYTES {
            self.hasher.update(&self.buffer);
            self.write_out()?;
        }
        Ok(())
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.file.write_at(self.offset, &self.buffer)?;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.hasher.update(&self.buffer);
        let hash = self.hasher.finalize();
        self.buffer.extend_from_slice(hash.as_bytes());
        self.write_out()
    }
}

/// Reads a snapshot forwards; the iterator ends early when something is wrong.
struct Input<'a> {
    window: Window<'a>,
    path: &'a Path,
    meta: SnapshotMeta,
    hasher: blake3::Hasher,
    offset: u64,
    left: u64,
    last: Option<[u8; 32]>,
    failure: Option<SnapshotError>,
    /// Set when all entries were read and the hash of the file was right.
    verified: bool,
}

impl<'a> Input<'a> {
    fn open(
        file: &'a dyn DiskFile,
        path: &'a Path,
        chain_id: &[u8; 32],
    ) -> Result<Self, SnapshotError> {
        let mut window = Window::new(file).map_err(SnapshotError::io("read", path))?;
        let bytes = window.at(0, HEADER_BYTES).map_err(SnapshotError::io("read", path))?;
        let header = bytes.unwrap_or_default();
        let found = "its header is not one of this format and chain";
        let meta = decode_header(header, chain_id)
            .ok_or_else(|| SnapshotError::Damaged { path: path.to_owned(), found })?;
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(header);
        Ok(Input {
            window,
            path,
            left: meta.entries,
            meta,
            hasher,
            offset: HEADER_BYTES as u64,
            last: None,
            failure: None,
            verified: false,
        })
    }

    fn damaged(&self, found: &'static str) -> SnapshotError {
        SnapshotError::Damaged { path: self.path.to_owned(), found }
    }

    /// The next bytes of the file, before its hash.
    fn take(&mut self, count: usize) -> Result<&[u8], SnapshotError> {
        let path = self.path;
        let within = self.window.size().saturating_sub(HASH_BYTES as u64);
        let bytes = match self.offset + count as u64 <= within {
            true => self.window.at(self.offset, count),
            false => Ok(None),
        };
        let bytes = bytes.map_err(SnapshotError::io("read", path))?;
        let bytes = bytes.ok_or_else(|| SnapshotError::Damaged {
            path: path.to_owned(),
            found: "it ends too early",
        })?;
        self.hasher.update(bytes);
        self.offset += count as u64;
        Ok(bytes)
    }

    fn entry(&mut self) -> Result<SnapshotEntry, SnapshotError> {
        let head = self.take(ENTRY_HEAD_BYTES)?;
        let parts =
            head.split_first_chunk().and_then(|(key, rest)| Some((key, rest.first_chunk()?)));
        let (key, length) =
            parts.map_or(([0; 32], u32::MAX), |(k, l)| (*k, u32::from_le_bytes(*l)));
        let length = length as usize;
        if length > MAX_VALUE_BYTES {
            return Err(self.damaged("a value is above the limit"));
        }
        let value = self.take(length)?.to_vec();
        if self.last.replace(key).is_some_and(|last| last >= key) {
            return Err(self.damaged("its keys are not in ascending order"));
        }
        self.left -= 1;
        Ok((key, value))
    }

    /// Checks, after the last entry, that exactly the right hash follows.
    fn check_end(&mut self) -> Result<(), SnapshotError> {
        let size = self.window.size();
        let stated = self.window.at(self.offset, HASH_BYTES);
        let stated = stated.map_err(SnapshotError::io("read", self.path))?;
        let right = stated == Some(&self.hasher.finalize().as_bytes()[..]);
        if !right || self.offset + HASH_BYTES as u64 != size {
            return Err(self.damaged("its bytes do not match its hash"));
        }
        self.verified = true;
        Ok(())
    }
}

impl Iterator for Input<'_> {
    type Item = SnapshotEntry;

    fn next(&mut self) -> Option<SnapshotEntry> {
        if self.failure.is_some() || self.verified {
            return None;
        }
        let next = match self.left {
            0 => self.check_end().map(|()| None),
            _ => self.entry().map(Some),
        };
        next.unwrap_or_else(|error| {
            self.failure = Some(error);
            None
        })
    }
}
