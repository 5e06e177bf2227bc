//! Opening the log: verifies every record and tells an interrupted append from damage.
//!
//! Every append is synced before the next begins, so at most one record can be incomplete after a
//! crash: the last. Whatever else does not verify was durable once and is damage, which no program
//! should repair by throwing acknowledged blocks away.

use std::io;
use std::path::Path;

use super::format::{self, Flaw, HeaderFlaw, RecordHead, SegmentHeader};
use super::{LogError, Recovery, Segment, TornTail, Writer, segment_path};
use crate::store::disk::{Disk, DiskFile, Window, remove_temporaries};

/// Reads all segments of `dir` and leaves the last one ready for the next append.
pub(super) fn recover(
    disk: &dyn Disk,
    dir: &Path,
    chain_id: &[u8; 32],
) -> Result<(Vec<Segment>, Writer, Recovery), LogError> {
    remove_temporaries(disk, dir).map_err(LogError::io("clean", dir))?;
    let names = disk.list(dir).map_err(LogError::io("list", dir))?;
    let firsts: Vec<u64> = names.iter().filter_map(|n| format::parse_segment_name(n)).collect();
    let mut scan = Scan { dir, chain_id, tip: 0, last_hash: *chain_id, last_record: None };
    let mut segments = Vec::with_capacity(firsts.len());
    let (mut file, mut torn) = (None, None);
    for (place, first_height) in firsts.iter().enumerate() {
        let path = segment_path(dir, *first_height);
        let open = disk.open(&path).map_err(LogError::io("open", &path))?;
        let is_last = place + 1 == firsts.len();
        let (segment, tail) = scan.segment(&*open, &path, *first_height, is_last)?;
        segments.push(segment);
        (file, torn) = (Some((open, path)), tail);
    }
    if let Some((open, path)) = &file {
        settle(&**open, torn.as_ref(), scan.last_record.as_ref())
            .map_err(LogError::io("settle", path))?;
    }
    // The names too may be left over from a process that failed to sync them.
    disk.sync_dir(dir).map_err(LogError::io("sync", dir))?;
    let recovery = Recovery {
        tip: scan.tip,
        segments: segments.len(),
        bytes: segments.iter().map(|segment| segment.end).sum(),
        torn,
    };
    let writer = Writer {
        file: file.map(|(open, _)| open),
        last_hash: scan.last_hash,
        stopped: false,
        buffer: Vec::new(),
    };
    Ok((segments, writer, recovery))
}

/// Cuts off a torn tail and makes sure that the last record is durable.
///
/// When a sync failed, the last record may be readable although it never reached the disk, and
/// another sync would not write it. Writing the same bytes in place once more makes it do so, and
/// can tear nothing. Implements [LED-LOG-8].
fn settle(
    file: &dyn DiskFile,
    torn: Option<&TornTail>,
    last: Option<&(u64, Vec<u8>)>,
) -> io::Result<()> {
    if let Some(torn) = torn {
        file.truncate(torn.offset)?;
    }
    if let Some((offset, bytes)) = last {
        file.write_at(*offset, bytes)?;
    }
    file.sync()
}

/// The state of going through the log from its first record.
struct Scan<'a> {
    dir: &'a Path,
    chain_id: &'a [u8; 32],
    tip: u64,
    last_hash: [u8; 32],
    /// Offset and bytes of the last record, when it is in the last segment.
    last_record: Option<(u64, Vec<u8>)>,
}

impl Scan<'_> {
    /// Verifies one segment.
    fn segment(
        &mut self,
        file: &dyn DiskFile,
        path: &Path,
        first_height: u64,
        is_last: bool,
    ) -> Result<(Segment, Option<TornTail>), LogError> {
        let read = |error| LogError::io("read", path)(error);
        let mut window = Window::new(file).map_err(read)?;
        self.header(&mut window, path, first_height)?;
        let mut offset = format::SEGMENT_HEADER_BYTES as u64;
        let mut last_start = None;
        let mut offsets = Vec::new();
        let mut torn = None;
        while offset < window.size() {
            match record_at(&mut window, offset).map_err(read)? {
                Ok((head, hash)) => {
                    self.follows(&head, path, offset)?;
                    (self.tip, self.last_hash) = (head.height, hash);
                    offsets.push(u32::try_from(offset).map_err(|_| {
                        LogError::damaged(path, offset, "the file is larger than any segment")
                    })?);
                    last_start = Some(offset);
                    offset += head.total;
                }
                Err(flaw) => {
                    let verdict = self.judge(&mut window, offset, flaw).map_err(read)?;
                    if let Some(found) = verdict {
                        return Err(LogError::damaged(path, offset, found));
                    }
                    let bytes = window.size() - offset;
                    if !is_last {
                        let found = format!("{flaw}, and a later segment exists");
                        return Err(LogError::damaged(path, offset, found));
                    }
                    torn = Some(TornTail { file: path.to_owned(), offset, bytes });
                    break;
                }
            }
        }
        self.last_record = None;
        if let (true, Some(start)) = (is_last, last_start) {
            // A record that verified is at most MAX_RECORD_BYTES.
            let bytes = window.at(start, (offset - start) as usize).map_err(read)?;
            self.last_record = bytes.map(|bytes| (start, bytes.to_vec()));
        }
        Ok((Segment { first_height, offsets, end: offset }, torn))
    }

    /// Checks that a segment is of this chain and goes on where the one before ended.
    fn header(
        &self,
        window: &mut Window<'_>,
        path: &Path,
        first_height: u64,
    ) -> Result<(), LogError> {
        let bytes =
            window.at(0, format::SEGMENT_HEADER_BYTES).map_err(LogError::io("read", path))?;
        let header =
            SegmentHeader::decode(bytes.unwrap_or_default()).map_err(|flaw| match flaw {
                HeaderFlaw::Version(version) => {
                    LogError::UnknownFormat { file: path.to_owned(), version }
                }
                HeaderFlaw::Damaged => {
                    LogError::damaged(path, 0, "the segment's header is damaged")
                }
            })?;
        if header.chain_id != *self.chain_id {
            return Err(LogError::OtherChain { file: path.to_owned(), found: header.chain_id });
        }
        if header.first_height != first_height {
            let found =
                format!("the header says height {}, not {first_height}", header.first_height);
            return Err(LogError::damaged(path, 0, found));
        }
        let expected = self.tip + 1;
        if first_height != expected {
            let missing = segment_path(self.dir, expected);
            let found = format!(
                "it begins at height {first_height}, but height {expected} comes next: {} is \
                 missing or the file before was cut",
                missing.display()
            );
            return Err(LogError::damaged(path, 0, found));
        }
        if header.previous_hash != self.last_hash {
            return Err(LogError::damaged(path, 0, "it does not continue the segment before"));
        }
        Ok(())
    }

    /// Checks that an intact record continues the chain.
    fn follows(&self, head: &RecordHead, path: &Path, offset: u64) -> Result<(), LogError> {
        let expected = self.tip + 1;
        if head.height != expected {
            let found = format!("an intact record has height {}, not {expected}", head.height);
            return Err(LogError::damaged(path, offset, found));
        }
        if head.previous_hash != self.last_hash {
            let found = format!("the intact record of height {expected} does not continue the log");
            return Err(LogError::damaged(path, offset, found));
        }
        Ok(())
    }

    /// Tells whether bytes that are no record can be what an interrupted append left (`None`), or
    /// what makes them damage. Implements [LED-LOG-7].
    ///
    /// A block that contains the bytes of a whole record can make a torn tail look like damage,
    /// never the other way round.
    fn judge(
        &self,
        window: &mut Window<'_>,
        offset: u64,
        flaw: Flaw,
    ) -> io::Result<Option<String>> {
        let size = window.size();
        if size - offset > format::MAX_RECORD_BYTES {
            return Ok(Some(format!("{flaw}, and more follows than one append can have left")));
        }
        if let Some(bytes) = window.at(offset, format::RECORD_HEAD_BYTES)?
            && let Ok(head) = format::decode_head(bytes)
            && head.previous_hash == self.last_hash
            && head.height == self.tip + 1
            && offset + head.total < size
        {
            return Ok(Some(format!("{flaw}, and bytes of later appends follow it")));
        }
        let follower = find_record(window, offset + 1)?;
        Ok(follower.map(|(at, head)| {
            format!("{flaw}, and the intact record of height {} follows at byte {at}", head.height)
        }))
    }
}

/// The record at `offset`: its head and hash, or why there is none.
fn record_at(
    window: &mut Window<'_>,
    offset: u64,
) -> io::Result<Result<(RecordHead, [u8; 32]), Flaw>> {
    let Some(bytes) = window.at(offset, format::RECORD_HEAD_BYTES)? else {
        return Ok(Err(Flaw::Incomplete));
    };
    let head = match format::decode_head(bytes) {
        Ok(head) => head,
        Err(flaw) => return Ok(Err(flaw)),
    };
    // At most MAX_RECORD_BYTES.
    let bytes = window.at(offset, head.total as usize)?;
    Ok(bytes.map_or(Err(Flaw::Incomplete), format::check))
}

/// The first intact record that begins at `from` or later.
fn find_record(window: &mut Window<'_>, mut from: u64) -> io::Result<Option<(u64, RecordHead)>> {
    let magic = format::RECORD_MAGIC;
    while from + (magic.len() as u64) <= window.size() {
        let ahead = (window.size() - from).min(Window::AHEAD) as usize;
        let Some(bytes) = window.at(from, ahead)? else {
            break;
        };
        let candidates: Vec<u64> = (from..)
            .zip(bytes.windows(magic.len()))
            .filter_map(|(at, four)| (four == magic).then_some(at))
            .collect();
        for at in candidates {
            if let Ok((head, _)) = record_at(window, at)? {
                return Ok(Some((at, head)));
            }
        }
        from += (ahead - (magic.len() - 1)) as u64;
    }
    Ok(None)
}
