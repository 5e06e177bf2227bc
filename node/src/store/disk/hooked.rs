//! A simulated disk that calls the test at every step, for crashes and failures in between.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::{Crash, Disk, DiskFile, SimDisk, Tear};

/// All ways of tearing.
pub const TEARS: [Tear; 3] = [Tear::Short, Tear::Zeros, Tear::Holes];

/// When the hook is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A file or directory is about to be synced.
    BeforeSync,
    /// Something was written, cut, created, renamed, removed or synced.
    Changed,
}

type Hook = dyn Fn(Moment, &SimDisk) + Send + Sync;

/// A disk with a hook.
#[derive(Clone)]
pub struct HookedDisk {
    disk: SimDisk,
    hook: Arc<Hook>,
}

impl HookedDisk {
    pub fn new(
        disk: SimDisk,
        hook: impl Fn(Moment, &SimDisk) + Send + Sync + 'static,
    ) -> HookedDisk {
        HookedDisk { disk, hook: Arc::new(hook) }
    }

    /// A disk that notes every state which a crash between two steps could leave.
    pub fn noting_crashes(disk: SimDisk) -> (HookedDisk, Arc<Mutex<Vec<SimDisk>>>) {
        let seen: Arc<Mutex<Vec<SimDisk>>> = Arc::default();
        let notes = seen.clone();
        let hooked = HookedDisk::new(disk, move |_, disk| {
            let all = disk.unsynced_bytes();
            for keep_names in 0..=disk.unsynced_names() {
                for tear in TEARS {
                    for keep_bytes in [0, 1, all / 2, all.saturating_sub(1), all] {
                        let crash = Crash { keep_bytes, keep_names, tear };
                        notes.lock().unwrap().push(disk.after_crash(crash));
                    }
                }
            }
        });
        (hooked, seen)
    }

    /// A disk whose `n`-th sync from now fails.
    pub fn failing_sync(disk: SimDisk, n: u32) -> HookedDisk {
        let left = Mutex::new(n);
        HookedDisk::new(disk, move |moment, disk| {
            if moment == Moment::BeforeSync {
                let mut left = left.lock().unwrap();
                *left = left.wrapping_sub(1);
                if *left == 0 {
                    disk.fail_syncs(1);
                }
            }
        })
    }

    fn changed<T>(&self, result: io::Result<T>) -> io::Result<T> {
        (self.hook)(Moment::Changed, &self.disk);
        result
    }

    fn before_sync(&self) {
        (self.hook)(Moment::BeforeSync, &self.disk);
    }

    fn file(&self, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(HookedFile { file, disk: self.clone() })
    }
}

struct HookedFile {
    file: Box<dyn DiskFile>,
    disk: HookedDisk,
}

impl DiskFile for HookedFile {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, out)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.changed(self.file.write_at(offset, bytes))
    }
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }
    fn truncate(&self, size: u64) -> io::Result<()> {
        self.disk.changed(self.file.truncate(size))
    }
    fn sync(&self) -> io::Result<()> {
        self.disk.before_sync();
        self.disk.changed(self.file.sync())
    }
}

impl Disk for HookedDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(self.disk.open(path)?))
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(self.changed(self.disk.create(path))?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.changed(self.disk.rename(from, to))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.changed(self.disk.remove(path))
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.before_sync();
        self.changed(self.disk.sync_dir(dir))
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        self.disk.lock(path)
    }
}

/// Every file of a directory with its size.
pub fn files(disk: &SimDisk, dir: &Path) -> Vec<(PathBuf, u64)> {
    let paths = disk.list(dir).unwrap().into_iter().map(|name| dir.join(name));
    paths.map(|path| (path.clone(), disk.open(&path).unwrap().size().unwrap())).collect()
}
