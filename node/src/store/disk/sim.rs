//! A disk in memory that forgets, on a crash, what was not synced.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskFile, parent};

/// What a crash leaves of the bytes that were written and not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tear {
    /// Only the first bytes arrived; the file ends after them.
    Short,
    /// Only the first bytes arrived; the file has its new size and the others are zero.
    Zeros,
    /// Only the last bytes arrived (pages were written out of order); those before are zero.
    Holes,
}

/// How a simulated machine goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// How many of the unsynced bytes survive, over all files in the order of writing.
    pub keep_bytes: u64,
    /// How many of the unsynced creations, renames and removals survive, in their order.
    pub keep_names: usize,
    /// What becomes of the other bytes.
    pub tear: Tear,
}

/// A deterministic disk in memory. Clones share it.
#[derive(Clone, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// What a running process sees.
    live: View,
    /// What survives any crash.
    durable: View,
    dirs: BTreeSet<PathBuf>,
    locks: BTreeSet<PathBuf>,
    unsynced: Vec<(u64, Change)>,
    renames: Vec<(PathBuf, NameChange)>,
    next_file: u64,
    free_bytes: Option<u64>,
    failing_syncs: u32,
}

#[derive(Clone, Default)]
struct View {
    names: BTreeMap<PathBuf, u64>,
    files: BTreeMap<u64, Vec<u8>>,
}

#[derive(Clone)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    Truncate { size: u64 },
}

#[derive(Clone)]
enum NameChange {
    Link { path: PathBuf, file: u64 },
    Rename { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
}

impl View {
    fn change(&mut self, file: u64, change: &Change) {
        let contents = self.files.entry(file).or_default();
        match change {
            Change::Write { offset, bytes } => {
                let (from, to) = (*offset as usize, *offset as usize + bytes.len());
                if contents.len() < to {
                    contents.resize(to, 0);
                }
                contents[from..to].copy_from_slice(bytes);
            }
            Change::Truncate { size } => contents.resize(*size as usize, 0),
        }
    }

    /// Applies what arrives of a change when only `kept` of its bytes do. Bytes the file had before
    /// stay as they were.
    fn tear(&mut self, file: u64, change: &Change, kept: u64, tear: Tear) {
        let Change::Write { offset, bytes } = change else {
            return;
        };
        let (size, kept) = (bytes.len() as u64, kept as usize);
        let (offset, part) = match tear {
            Tear::Short | Tear::Zeros => (*offset, &bytes[..kept]),
            Tear::Holes => (offset + size - kept as u64, &bytes[bytes.len() - kept..]),
        };
        self.change(file, &Change::Write { offset, bytes: part.to_vec() });
        if tear == Tear::Zeros {
            let end = (offset + size) as usize;
            let contents = self.files.entry(file).or_default();
            contents.resize(contents.len().max(end), 0);
        }
    }

    fn rename(&mut self, change: &NameChange) {
        match change {
            NameChange::Link { path, file } => {
                self.names.insert(path.clone(), *file);
            }
            NameChange::Rename { from, to } => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                }
            }
            NameChange::Remove { path } => {
                self.names.remove(path);
            }
        }
    }
}

impl Change {
    /// Bytes it puts on the disk.
    fn weight(&self) -> u64 {
        match self {
            Change::Write { bytes, .. } => bytes.len() as u64,
            Change::Truncate { .. } => 0,
        }
    }
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes written and not yet synced.
    pub fn unsynced_bytes(&self) -> u64 {
        self.state().unsynced.iter().map(|(_, change)| change.weight()).sum()
    }

    /// Creations, renames and removals not yet synced.
    pub fn unsynced_names(&self) -> usize {
        self.state().renames.len()
    }

    /// The disk that a machine finds after going down now. This one is left as it is.
    pub fn after_crash(&self, crash: Crash) -> SimDisk {
        let state = self.state();
        let mut view = state.durable.clone();
        let mut budget = crash.keep_bytes;
        for (file, change) in &state.unsynced {
            let kept = change.weight().min(budget);
            budget -= kept;
            if kept == change.weight() {
                view.change(*file, change);
            } else {
                view.tear(*file, change, kept, crash.tear);
                if crash.tear == Tear::Short {
                    break;
                }
            }
        }
        for (_, change) in state.renames.iter().take(crash.keep_names) {
            view.rename(change);
        }
        SimDisk(Arc::new(Mutex::new(State {
            live: view.clone(),
            durable: view,
            dirs: state.dirs.clone(),
            next_file: state.next_file,
            ..State::default()
        })))
    }

    /// Limits how much files may still grow; `None` lifts the limit. A write that does not fit
    /// leaves the part that does and fails with `StorageFull`.
    pub fn set_free_bytes(&self, free: Option<u64>) {
        self.state().free_bytes = free;
    }

    /// Makes the next `count` syncs fail. As on Linux, what they should have written stays visible
    /// and is not durable, and a later sync does not write it either.
    pub fn fail_syncs(&self, count: u32) {
        self.state().failing_syncs = count;
    }

    /// Inverts the bits of `mask` in one durable byte, as bad hardware would.
    pub fn flip(&self, path: &Path, offset: u64, mask: u8) -> io::Result<()> {
        let state = &mut *self.state();
        let file = *state.live.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        for view in [&mut state.live, &mut state.durable] {
            let byte = view.files.get_mut(&file).and_then(|f| f.get_mut(offset as usize));
            *byte.ok_or(io::ErrorKind::UnexpectedEof)? ^= mask;
        }
        Ok(())
    }
}

impl State {
    fn sync_fails(&mut self) -> bool {
        let fails = self.failing_syncs > 0;
        self.failing_syncs = self.failing_syncs.saturating_sub(1);
        fails
    }

    fn change_name(&mut self, dir: &Path, change: NameChange) {
        self.live.rename(&change);
        self.renames.push((dir.to_owned(), change));
    }

    fn file(&self, path: &Path) -> io::Result<u64> {
        self.live.names.get(path).copied().ok_or(io::ErrorKind::NotFound.into())
    }
}

struct SimFile {
    disk: SimDisk,
    file: u64,
}

impl SimFile {
    fn change(&self, change: Change) {
        let state = &mut *self.disk.state();
        state.live.change(self.file, &change);
        state.unsynced.push((self.file, change));
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.disk.state();
        let contents = state.live.files.get(&self.file).ok_or(io::ErrorKind::NotFound)?;
        let bytes = contents.get(offset as usize..).and_then(|rest| rest.get(..out.len()));
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let grows = (offset + bytes.len() as u64).saturating_sub(self.size()?);
        let free = self.disk.state().free_bytes;
        let missing = free.map_or(0, |free| grows.saturating_sub(free));
        if let Some(free) = free {
            self.disk.state().free_bytes = Some(free.saturating_sub(grows));
        }
        let fitting = bytes.len() - (missing as usize).min(bytes.len());
        self.change(Change::Write { offset, bytes: bytes[..fitting].to_vec() });
        if missing > 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.state().live.files.get(&self.file).map_or(0, |f| f.len() as u64))
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        self.change(Change::Truncate { size });
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let state = &mut *self.disk.state();
        let (mine, others) =
            std::mem::take(&mut state.unsynced).into_iter().partition(|(f, _)| *f == self.file);
        state.unsynced = others;
        if state.sync_fails() {
            return Err(io::Error::other("simulated sync failure"));
        }
        let mine: Vec<(u64, Change)> = mine;
        for (file, change) in &mine {
            state.durable.change(*file, change);
        }
        Ok(())
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.state().dirs.extend(dir.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        if !state.dirs.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let names = state.live.names.keys().filter(|path| parent(path) == dir);
        Ok(names.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.state().file(path)?;
        Ok(Box::new(SimFile { disk: self.clone(), file }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let state = &mut *self.state();
        if !state.dirs.contains(parent(path)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let file = state.next_file;
        state.next_file += 1;
        state.live.files.insert(file, Vec::new());
        state.durable.files.insert(file, Vec::new());
        state.change_name(parent(path), NameChange::Link { path: path.to_owned(), file });
        Ok(Box::new(SimFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let state = &mut *self.state();
        state.file(from)?;
        let change = NameChange::Rename { from: from.to_owned(), to: to.to_owned() };
        state.change_name(parent(to), change);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let state = &mut *self.state();
        state.file(path)?;
        state.change_name(parent(path), NameChange::Remove { path: path.to_owned() });
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let state = &mut *self.state();
        if state.sync_fails() {
            return Err(io::Error::other("simulated sync failure"));
        }
        let (mine, others) =
            std::mem::take(&mut state.renames).into_iter().partition(|(d, _)| d == dir);
        state.renames = others;
        let mine: Vec<(PathBuf, NameChange)> = mine;
        for (_, change) in &mine {
            state.durable.rename(change);
        }
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        if !self.state().locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimLock { disk: self.clone(), path: path.to_owned() }))
    }
}

struct SimLock {
    disk: SimDisk,
    path: PathBuf,
}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.disk.state().locks.remove(&self.path);
    }
}
