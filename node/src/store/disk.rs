//! The disk as an injected seam: the few operations the log and the snapshots need.
//!
//! [`RealDisk`] is the file system. [`SimDisk`] is memory that can lose or tear what was not
//! synced, so that every crash point can be tested.

#[cfg(test)]
pub(super) mod hooked;
mod sim;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

pub use sim::{Crash, SimDisk, Tear};

/// A file open for reading and writing at given offsets.
pub trait DiskFile: Send + Sync {
    /// Fills `out` from `offset`; `UnexpectedEof` when the file ends before.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`. Not durable before [`DiskFile::sync`]; a failed write may
    /// have left any part of them.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Bytes in the file.
    fn size(&self) -> io::Result<u64>;
    /// Cuts the file to `size` bytes.
    fn truncate(&self, size: u64) -> io::Result<()>;
    /// Makes contents and size durable (`fdatasync`).
    ///
    /// After an error nothing is known about what was written since the last success: calling it
    /// again may succeed without having made anything durable.
    fn sync(&self) -> io::Result<()>;
}

/// A file system, real or simulated.
pub trait Disk: Send + Sync {
    /// Creates a directory and its missing parents, durably. Not an error when it exists.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// The names of the files in a directory, in order. Directories and names that are not UTF-8
    /// are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Opens an existing file.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Creates an empty file, replacing one of that name. The name is durable after
    /// [`Disk::sync_dir`].
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Renames a file over another, atomically. Durable after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file. Durable after [`Disk::sync_dir`].
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Takes an exclusive lock on a file, created when missing, held until the guard is dropped or
    /// the process ends. `WouldBlock` when somebody else holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>>;
}

/// Suffix of a file still being written; one found after a crash is rubbish.
pub const TEMPORARY_SUFFIX: &str = ".tmp";

/// Writes a file so that after a crash there is either all of it or nothing under its name: into a
/// temporary file, sync, rename, sync the directory.
pub fn write_atomic(
    disk: &dyn Disk,
    path: &Path,
    fill: impl FnOnce(&dyn DiskFile) -> io::Result<()>,
) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(TEMPORARY_SUFFIX);
    let temporary = Path::new(&temporary);
    let file = disk.create(temporary)?;
    let filled = fill(&*file).and_then(|()| file.sync());
    drop(file);
    if let Err(error) = filled {
        // Best effort: whoever opens the directory next removes it otherwise.
        let _ = disk.remove(temporary);
        return Err(error);
    }
    disk.rename(temporary, path)?;
    disk.sync_dir(parent(path))
}

/// Removes what an interrupted [`write_atomic`] left in `dir`.
pub fn remove_temporaries(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    for name in disk.list(dir)? {
        if name.ends_with(TEMPORARY_SUFFIX) {
            disk.remove(&dir.join(name))?;
        }
    }
    Ok(())
}

/// The directory a file is in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// Reads a file forwards in large pieces.
pub(super) struct Window<'a> {
    file: &'a dyn DiskFile,
    size: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    /// Bytes read ahead.
    pub(super) const AHEAD: u64 = 1 << 20;

    /// A window on a file that does not change meanwhile.
    pub(super) fn new(file: &'a dyn DiskFile) -> io::Result<Self> {
        Ok(Window { file, size: file.size()?, start: 0, bytes: Vec::new() })
    }

    /// Bytes in the file.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The `count` bytes at `offset`, or `None` when the file ends before.
    pub(super) fn at(&mut self, offset: u64, count: usize) -> io::Result<Option<&[u8]>> {
        let Some(end) = offset.checked_add(count as u64).filter(|end| *end <= self.size) else {
            return Ok(None);
        };
        if offset < self.start || end > self.start + self.bytes.len() as u64 {
            let ahead = (self.size - offset).min(Self::AHEAD.max(count as u64));
            // At most a record or AHEAD, both far below usize::MAX.
            self.bytes.resize(ahead as usize, 0);
            self.start = offset;
            self.file.read_at(offset, &mut self.bytes)?;
        }
        let from = (offset - self.start) as usize;
        Ok(Some(&self.bytes[from..from + count]))
    }
}

/// The file system of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl DiskFile for File {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(out, offset)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
    fn truncate(&self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Disk for RealDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        let above = parent(dir);
        if above != dir {
            self.create_dir(above)?;
        }
        match std::fs::create_dir(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => self.sync_dir(above),
        }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            if let (true, Ok(name)) =
                (entry.file_type()?.is_file(), entry.file_name().into_string())
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(true).open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        Ok(Box::new(options.read(true).write(true).create(true).truncate(true).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        use rustix::fs::{FlockOperation, flock};
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(file))
    }
}
