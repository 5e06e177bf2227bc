//! Salted commitments to files and folders on disk.
//!
//! The rules are the ledger's ([`headwater_ledger::commitment`]); this module walks folders and
//! reads files. Nothing is read whole: parts are read in small pieces, by as many threads as the
//! machine has processors, each with a buffer of its own, and their hashes are joined in order.
//! A file that changes while it is read is an error, never a commitment to something in between.

use std::fs::{self, File, Metadata};
use std::io;
use std::num::NonZero;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::thread;

use headwater_ledger::commitment::{
    ContentBuilder, ContentPath, ContentSalt, FileSalt, PART_BYTES, PartHasher, RootBuilder,
    part_bytes, part_count,
};
use headwater_ledger::hash::Digest;

use crate::failure::{Failure, Kind};

/// Bytes read at a time: small enough to stay in a processor's own cache until hashed.
const READ_BYTES: usize = 128 << 10;
/// Parts below which a file is not worth another thread.
const PARTS_PER_THREAD: u64 = 4;
/// Hashes that a thread may be ahead of the slowest one.
const PARTS_AHEAD: usize = 64;

/// A file or a folder that can be committed to.
#[derive(Debug)]
pub struct Source {
    root: PathBuf,
    /// Path and size of every file, in the order of the paths.
    files: Vec<(ContentPath, u64)>,
}

/// Whether lines are counted while the bytes pass by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// Count them. A last line without a line break counts.
    Count,
    /// Do not.
    Ignore,
}

/// What a commitment says in public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// The root of the salted tree.
    pub root: Digest,
    /// Size of all files, in bytes.
    pub bytes: u64,
    /// Number of files.
    pub files: u64,
    /// Number of lines, where they were counted.
    pub lines: Option<u64>,
}

impl Source {
    /// Finds the files of a content: `path` itself, or everything below it. Refuses symbolic
    /// links, devices, pipes and sockets, names that are not UTF-8, and folders without files.
    pub fn scan(path: &Path) -> Result<Self, Failure> {
        let metadata = path.symlink_metadata().map_err(|e| Failure::io("read", path, &e))?;
        let mut files = Vec::new();
        if metadata.is_dir() {
            scan_folder(path, &mut files)?;
            files.sort();
        } else {
            need_regular(path, &metadata)?;
            files.push((ContentPath::single_file(), metadata.len()));
        }
        if files.is_empty() {
            let message = format_args!("the folder {} holds no files", path.display());
            let hint = "folders are not part of a commitment, only the files in them are";
            return Err(Failure::new(Kind::BadInput, message).hint(hint));
        }
        Ok(Source { root: path.to_path_buf(), files })
    }

    /// Size of all files, in bytes, when they were found.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Reads everything and commits to it. `progress` is told the bytes of each part done.
    pub fn commit(
        &self,
        salt: &ContentSalt,
        lines: Lines,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Commitment, Failure> {
        let mut content = ContentBuilder::new(salt.clone());
        let (mut bytes, mut line_count) = (0, 0);
        for (path, _) in &self.files {
            let disk = match path.as_str() {
                "" => self.root.clone(),
                relative => self.root.join(relative),
            };
            let file = CommittedFile::read(&disk, &salt.file(path), lines, progress)?;
            content
                .push(path, file.bytes, &file.root)
                .map_err(|error| Failure::new(Kind::BadInput, error))?;
            bytes += file.bytes;
            line_count += file.lines;
        }
        let lines = (lines == Lines::Count).then_some(line_count);
        Ok(Commitment { root: content.root(), bytes, files: self.files.len() as u64, lines })
    }
}

fn scan_folder(root: &Path, files: &mut Vec<(ContentPath, u64)>) -> Result<(), Failure> {
    // Folders still to be read, with the prefix of the paths below them.
    let mut folders = vec![(root.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let failed = |error: io::Error| Failure::io("read the folder", &folder, &error);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let disk = entry.path();
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                let message = format_args!("the name of {} is not UTF-8", disk.display());
                let hint = "rename the file, so that every system sees the same name";
                return Err(Failure::new(Kind::BadInput, message).hint(hint));
            };
            let relative = format!("{prefix}{name}");
            let metadata = entry.metadata().map_err(|e| Failure::io("read", &disk, &e))?;
            if metadata.is_dir() {
                folders.push((disk, relative + "/"));
                continue;
            }
            need_regular(&disk, &metadata)?;
            let path = relative.parse().map_err(|e| Failure::new(Kind::BadInput, e))?;
            files.push((path, metadata.len()));
        }
    }
    Ok(())
}

fn need_regular(path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    if metadata.is_file() {
        return Ok(());
    }
    let shown = path.display();
    let failure = |what| Failure::new(Kind::BadInput, format_args!("{shown} is {what}"));
    Err(if metadata.is_symlink() {
        failure("a symbolic link, which a commitment cannot follow")
            .hint("replace it by the file it points to, or pass that file")
    } else {
        failure("neither a file nor a folder")
            .hint("move devices, pipes and sockets out of the folder")
    })
}

fn changed(path: &Path) -> Failure {
    let message = format_args!("{} changed while it was read", path.display());
    Failure::new(Kind::BadInput, message).hint("stop whatever writes to it and try again")
}

/// What reading one file gave.
struct CommittedFile {
    bytes: u64,
    root: Digest,
    lines: u64,
}

impl CommittedFile {
    fn read(
        path: &Path,
        salt: &FileSalt,
        lines: Lines,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::io("read", path, &error);
        // Looked at again right before it is opened, and compared with what was opened: it may
        // have been replaced by a link or a pipe since the folder was read.
        let seen = path.symlink_metadata().map_err(failed)?;
        need_regular(path, &seen)?;
        let file = File::open(path).map_err(failed)?;
        let before = file.metadata().map_err(failed)?;
        if (before.dev(), before.ino()) != (seen.dev(), seen.ino()) {
            return Err(changed(path));
        }
        let bytes = before.len();
        let parts = Parts { file: &file, bytes, salt, lines, progress };
        let (root, lines) = parts.hash().map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => changed(path),
            _ => failed(error),
        })?;
        let after = file.metadata().map_err(failed)?;
        let grown = file.read_at(&mut [0], bytes).map_err(failed)? > 0;
        let times = |metadata: &Metadata| (metadata.mtime(), metadata.mtime_nsec());
        if grown || after.len() != bytes || times(&after) != times(&before) {
            return Err(changed(path));
        }
        Ok(CommittedFile { bytes, root, lines })
    }
}

/// The parts of one open file.
struct Parts<'a> {
    file: &'a File,
    bytes: u64,
    salt: &'a FileSalt,
    lines: Lines,
    progress: &'a (dyn Fn(u64) + Sync),
}

/// What hashing one part gave.
struct Part {
    leaf: [u8; 32],
    /// Line breaks, and one for a last line of the file without.
    lines: u64,
}

impl Parts<'_> {
    /// The root over the parts, and the number of lines.
    fn hash(&self) -> io::Result<(Digest, u64)> {
        let parts = part_count(self.bytes);
        let processors = thread::available_parallelism().map_or(1, NonZero::get) as u64;
        let threads = processors.min(parts / PARTS_PER_THREAD).max(1);
        let (mut tree, mut lines) = (RootBuilder::new(), 0);
        let mut join = |part: Part| {
            tree.push(&part.leaf);
            lines += part.lines;
        };
        if threads == 1 {
            let mut buffer = self.buffer();
            for index in 0..parts {
                join(self.hash_part(index, &mut buffer)?);
            }
            return Ok((tree.root(), lines));
        }
        thread::scope(|scope| {
            // Thread t takes the parts t, t + threads, …; taking turns restores their order.
            let mut turns = Vec::new();
            for first in 0..threads {
                let (sender, receiver) = sync_channel(PARTS_AHEAD);
                turns.push(receiver);
                scope.spawn(move || {
                    let mut buffer = self.buffer();
                    for index in (first..parts).step_by(threads as usize) {
                        if sender.send(self.hash_part(index, &mut buffer)).is_err() {
                            break;
                        }
                    }
                });
            }
            for receiver in turns.iter().cycle().take(parts as usize) {
                join(receiver.recv().map_err(io::Error::other)??);
            }
            // Dropping the receivers, here or on an error, ends the threads.
            Ok::<(), io::Error>(())
        })?;
        Ok((tree.root(), lines))
    }

    fn buffer(&self) -> Vec<u8> {
        vec![0; READ_BYTES.min(usize::try_from(self.bytes).unwrap_or(READ_BYTES)).max(1)]
    }

    fn hash_part(&self, index: u64, buffer: &mut [u8]) -> io::Result<Part> {
        let Some(bytes) = part_bytes(self.bytes, index) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let mut offset = index * PART_BYTES;
        let end = offset + bytes;
        let mut hasher = PartHasher::new();
        let mut part = Part { leaf: [0; 32], lines: 0 };
        while offset < end {
            let want = (end - offset).min(buffer.len() as u64) as usize;
            let piece = &mut buffer[..want];
            self.file.read_exact_at(piece, offset)?;
            hasher.update(piece);
            offset += want as u64;
            if self.lines == Lines::Count {
                part.lines += count_line_breaks(piece);
                let last_of_file = offset == self.bytes;
                part.lines += u64::from(last_of_file && piece.last() != Some(&b'\n'));
            }
        }
        part.leaf = hasher.finish(&self.salt.part(index), index);
        (self.progress)(bytes);
        Ok(part)
    }
}

/// Counts in runs that fit a byte, which the compiler turns into vector instructions; a run has at
/// most 255 line breaks, so nothing wraps.
fn count_line_breaks(bytes: &[u8]) -> u64 {
    let add = |count: u8, b: &u8| count.wrapping_add(u8::from(*b == b'\n'));
    bytes.chunks(255).map(|run| u64::from(run.iter().fold(0, add))).sum()
}

#[cfg(test)]
mod tests;
