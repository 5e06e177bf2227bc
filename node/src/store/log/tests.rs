//! Every crash point, every flipped bit, and the real file system.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::store::disk::hooked::{self, HookedDisk, TEARS};
use crate::store::disk::{Crash, RealDisk, SimDisk, Tear};

const CHAIN: [u8; 32] = [7; 32];
const DIR: &str = "/home/blocks";

fn record(height: u64, bytes: usize) -> Record {
    let fill = |salt: u64| {
        (0..bytes as u64).map(|i| (height * 31 + i * 7 + salt) as u8).collect::<Vec<u8>>()
    };
    Record { block: fill(1), certificate: fill(2) }
}

fn open(disk: &SimDisk, segment_bytes: u64) -> Result<(BlockLog, Recovery), LogError> {
    BlockLog::open_with(Arc::new(disk.clone()), Path::new(DIR), CHAIN, segment_bytes)
}

fn append(log: &BlockLog, height: u64, bytes: usize) -> Result<(), LogError> {
    let record = record(height, bytes);
    log.append(height, &record.block, &record.certificate)
}

/// A disk with a log of records of these sizes.
fn written(sizes: &[usize], segment_bytes: u64) -> SimDisk {
    let disk = SimDisk::new();
    let (log, _) = open(&disk, segment_bytes).unwrap();
    for (height, bytes) in (1..).zip(sizes) {
        append(&log, height, *bytes).unwrap();
    }
    disk
}

/// The log holds exactly the records of these sizes, by every way of reading.
fn assert_holds(log: &BlockLog, sizes: &[usize]) {
    assert_eq!(log.tip(), sizes.len() as u64);
    let expected: Vec<_> = (1..).zip(sizes).map(|(h, bytes)| (h, record(h, *bytes))).collect();
    let found: Vec<_> = log.iter_from(0).map(Result::unwrap).collect();
    assert_eq!(found, expected);
    for (height, record) in expected {
        assert_eq!(log.read(height).unwrap(), Some(record));
    }
    assert_eq!(log.read(0).unwrap(), None);
    assert_eq!(log.read(log.tip() + 1).unwrap(), None);
}

/// Every segment file with its size.
fn files(disk: &SimDisk) -> Vec<(PathBuf, u64)> {
    hooked::files(disk, Path::new(DIR))
}

/// A log whose last append was interrupted before its sync: acknowledged `sizes`, then `last`.
///
/// Written by hand, since an append does not return before its sync.
fn interrupted(sizes: &[usize], last: usize, segment_bytes: u64) -> SimDisk {
    let disk = written(sizes, segment_bytes);
    let (log, _) = open(&disk, segment_bytes).unwrap();
    let height = log.tip() + 1;
    let mut buffer = Vec::new();
    let record = record(height, last);
    let hash = log.writer().last_hash;
    format::encode(&mut buffer, height, &hash, &record.block, &record.certificate).unwrap();
    let mut writer = log.writer();
    let (file, _, end) = log.segment_for(height, &mut writer).unwrap();
    file.write_at(end, &buffer).unwrap();
    drop(writer);
    disk
}

#[test]
fn an_empty_log_has_tip_zero_and_nothing_to_read() {
    let disk = SimDisk::new();
    let (log, recovery) = open(&disk, SEGMENT_BYTES).unwrap();
    assert_eq!(recovery, Recovery { tip: 0, segments: 0, bytes: 0, torn: None });
    assert_holds(&log, &[]);
}

/// [LED-LOG-1], [LED-LOG-2] and [LED-LOG-6].
#[test]
fn reopening_finds_every_record_across_segments() {
    let sizes = [0, 1, 300, 20, 500, 3, 900, 0];
    let disk = written(&sizes, 700);
    let (log, recovery) = open(&disk, 700).unwrap();
    assert_holds(&log, &sizes);
    assert_eq!((recovery.tip, recovery.torn), (8, None));
    assert!(recovery.segments >= 3, "the test should cross segments");
    assert_eq!(recovery.bytes, files(&disk).iter().map(|(_, size)| size).sum::<u64>());
    assert_eq!(log.bytes(), recovery.bytes);
    assert_eq!(log.iter_from(7).count(), 2);
    assert_eq!(log.iter_from(9).count(), 0);
}

/// [LED-LOG-4].
#[test]
fn only_the_next_height_is_appended_and_a_refusal_stops_nothing() {
    let disk = written(&[5, 5], SEGMENT_BYTES);
    let (log, _) = open(&disk, SEGMENT_BYTES).unwrap();
    for wrong in [0, 1, 2, 4, u64::MAX] {
        let error = log.append(wrong, b"", b"").unwrap_err();
        assert!(matches!(error, LogError::NotNext { tip: 2, found } if found == wrong));
    }
    let large = vec![0; MAX_RECORD_BYTES as usize];
    assert!(matches!(log.append(3, &large, b""), Err(LogError::TooLarge { .. })));
    append(&log, 3, 5).unwrap();
    assert_holds(&log, &[5, 5, 5]);
}

/// [LED-LOG-2] and [LED-LOG-3], field by field.
#[test]
fn the_bytes_are_those_of_the_specification() {
    let disk = SimDisk::new();
    let (log, _) = open(&disk, SEGMENT_BYTES).unwrap();
    log.append(1, b"block", b"cert").unwrap();
    log.append(2, b"", b"").unwrap();
    let path = Path::new("/home/blocks/segment-00000000000000000001.hwl");
    let mut bytes = vec![0; 120 + 97 + 88];
    let file = disk.open(path).unwrap();
    assert_eq!(file.size().unwrap(), bytes.len() as u64);
    file.read_at(0, &mut bytes).unwrap();
    let hash = |context, bytes: &[u8]| blake3::derive_key(context, bytes);
    let expected_header = [b"HWLOGSEG\x01\0\0\0\x01\0\0\0".as_slice(), &CHAIN, &[1, 0, 0, 0]];
    let expected_header = [expected_header.concat(), vec![0; 4], CHAIN.to_vec()].concat();
    assert_eq!(bytes[..88], expected_header);
    assert_eq!(bytes[88..120], hash("headwater 2026-11 log segment", &bytes[..88]));
    let expected: [&[u8]; 6] = [
        b"HWRC\x61\0\0\0\x01\0\0\0\0\0\0\0",
        &CHAIN,
        b"\x05\0\0\0",
        b"block",
        b"\x04\0\0\0",
        b"cert",
    ];
    assert_eq!(bytes[120..185], expected.concat());
    let first = hash("headwater 2026-11 log record", &bytes[120..185]);
    assert_eq!(bytes[185..217], first);
    let expected: [&[u8]; 3] = [b"HWRC\x58\0\0\0\x02\0\0\0\0\0\0\0", &first, &[0; 8]];
    assert_eq!(bytes[217..273], expected.concat());
    assert_eq!(bytes[273..], hash("headwater 2026-11 log record", &bytes[217..273]));
}

#[test]
fn the_largest_record_is_read_back() {
    let disk = written(&[10], SEGMENT_BYTES);
    let (log, _) = open(&disk, SEGMENT_BYTES).unwrap();
    let large = vec![9; MAX_RECORD_BYTES as usize - 88];
    log.append(2, &large, b"").unwrap();
    drop(log);
    let (log, _) = open(&disk, SEGMENT_BYTES).unwrap();
    assert_eq!(log.read(2).unwrap().unwrap().block, large);
}

/// [LED-LOG-8].
#[test]
fn two_processes_cannot_open_one_log() {
    let disk = written(&[5], SEGMENT_BYTES);
    let (_log, _) = open(&disk, SEGMENT_BYTES).unwrap();
    assert!(matches!(open(&disk, SEGMENT_BYTES), Err(LogError::Locked { .. })));
}

#[test]
fn a_log_of_another_chain_is_refused() {
    let disk = written(&[5], SEGMENT_BYTES);
    let other = BlockLog::open(Arc::new(disk), Path::new(DIR), [8; 32]);
    assert!(matches!(other, Err(LogError::OtherChain { found: CHAIN, .. })));
}

#[test]
fn an_unknown_format_is_named_and_not_called_damage() {
    let header = SegmentHeader { chain_id: CHAIN, first_height: 1, previous_hash: CHAIN };
    let mut bytes = header.encode();
    bytes[8] = 2;
    assert_eq!(SegmentHeader::decode(&bytes), Err(format::HeaderFlaw::Damaged));
    let (covered, hash) = bytes.split_last_chunk_mut::<32>().unwrap();
    let context = "headwater 2026-11 log segment";
    *hash = *blake3::Hasher::new_derive_key(context).update(covered).finalize().as_bytes();
    assert_eq!(SegmentHeader::decode(&bytes), Err(format::HeaderFlaw::Version(2)));
}

/// [LED-LOG-4] and [LED-LOG-7].
#[test]
fn every_crash_point_of_an_append_leaves_what_was_acknowledged() {
    // The last case begins a segment, so that its creation is crashed too.
    for (sizes, last, segment_bytes) in
        [(vec![], 9, 4096), (vec![40, 0, 13], 30, 4096), (vec![200, 200], 30, 400)]
    {
        let disk = interrupted(&sizes, last, segment_bytes);
        let all = disk.unsynced_bytes();
        assert!(all > 0);
        for (tear, keep_bytes) in TEARS.iter().flat_map(|t| (0..=all).map(move |n| (*t, n))) {
            let crash = Crash { keep_bytes, keep_names: 9, tear };
            let crashed = disk.after_crash(crash);
            let (log, recovery) = open(&crashed, segment_bytes).expect("a crash is never an error");
            let mut expected = sizes.clone();
            if keep_bytes == all {
                expected.push(last);
            }
            assert_holds(&log, &expected);
            let leaves_bytes = match tear {
                Tear::Short => keep_bytes > 0 && keep_bytes < all,
                Tear::Zeros | Tear::Holes => keep_bytes < all,
            };
            assert_eq!(recovery.torn.is_some(), leaves_bytes, "{crash:?}");
            // What was recovered is durable, and the log goes on.
            append(&log, log.tip() + 1, 0).unwrap();
            expected.push(0);
            drop(log);
            let again = crashed.after_crash(Crash { keep_bytes: 0, keep_names: 0, tear });
            let (log, recovery) = open(&again, segment_bytes).unwrap();
            assert_holds(&log, &expected);
            assert_eq!(recovery.torn, None);
        }
    }
}

#[test]
fn a_crash_between_any_two_disk_calls_loses_nothing_acknowledged() {
    let (disk, seen) = HookedDisk::noting_crashes(SimDisk::new());
    let (log, _) = BlockLog::open_with(Arc::new(disk), Path::new(DIR), CHAIN, 600).unwrap();
    let sizes = [100, 30, 250, 10, 90, 400, 1];
    for (height, bytes) in (1..).zip(sizes) {
        let acknowledged = log.tip() as usize;
        append(&log, height, bytes).unwrap();
        for crashed in std::mem::take(&mut *seen.lock().unwrap()) {
            let (log, _) = open(&crashed, 600).expect("a crash is never an error");
            let tip = log.tip() as usize;
            assert!(tip == acknowledged || tip == acknowledged + 1);
            assert_holds(&log, &sizes[..tip]);
        }
    }
}

#[test]
fn a_crash_during_recovery_is_recovered_from() {
    let sizes = [40, 0, 13];
    let torn = interrupted(&sizes, 30, 4096).after_crash(Crash {
        keep_bytes: 50,
        keep_names: 9,
        tear: Tear::Zeros,
    });
    let (disk, seen) = HookedDisk::noting_crashes(torn);
    BlockLog::open_with(Arc::new(disk), Path::new(DIR), CHAIN, 4096).unwrap();
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert!(seen.len() > 10);
    for crashed in seen {
        assert_holds(&open(&crashed, 4096).unwrap().0, &sizes);
    }
}

/// [LED-LOG-3] and [LED-LOG-7].
#[test]
fn every_flipped_bit_before_the_last_record_is_damage_and_changes_nothing() {
    let sizes = [20, 0, 35, 8, 60];
    for segment_bytes in [4096, 300] {
        let disk = written(&sizes, segment_bytes);
        let all = files(&disk);
        let last_record = 88 + 2 * 60;
        for (place, (path, size)) in all.iter().enumerate() {
            let is_last = place + 1 == all.len();
            let durable = if is_last { size - last_record } else { *size };
            for (offset, bit) in (0..durable).flat_map(|o| (0..8).map(move |b| (o, b))) {
                disk.flip(path, offset, 1 << bit).unwrap();
                match open(&disk, segment_bytes) {
                    Err(LogError::Damaged { file, offset: at, .. }) => {
                        assert_eq!(&file, path);
                        assert!(at <= offset);
                    }
                    Err(error) => panic!("byte {offset} bit {bit}: {error}"),
                    Ok((log, _)) => panic!("byte {offset} bit {bit}: tip {}", log.tip()),
                }
                assert_eq!(files(&disk), all);
                disk.flip(path, offset, 1 << bit).unwrap();
            }
        }
        assert_holds(&open(&disk, segment_bytes).unwrap().0, &sizes);
    }
}

#[test]
fn damage_before_a_torn_tail_is_damage() {
    let disk = interrupted(&[20, 20, 20], 30, 4096);
    let crashed = disk.after_crash(Crash { keep_bytes: 100, keep_names: 9, tear: Tear::Short });
    let (path, size) = files(&crashed).remove(0);
    // A byte of the last acknowledged record's block: no intact record follows it.
    let offset = size - 100 - 50;
    crashed.flip(&path, offset, 1).unwrap();
    let error = open(&crashed, 4096).err().expect("an acknowledged record must not be cut off");
    assert!(matches!(error, LogError::Damaged { .. }), "{error}");
}

#[test]
fn a_damage_message_says_where_what_and_what_to_do() {
    let disk = written(&[20, 20, 20], SEGMENT_BYTES);
    let (path, _) = files(&disk).remove(0);
    disk.flip(&path, 180, 4).unwrap();
    assert_eq!(
        open(&disk, SEGMENT_BYTES).err().unwrap().to_string(),
        "the block log is damaged: /home/blocks/segment-00000000000000000001.hwl, byte 120: the \
         bytes of a record do not match its hash, and bytes of later appends follow it. Nothing \
         was changed. Restore this file from a backup; or move the whole directory of the log \
         elsewhere and start again, so that the blocks are fetched from other nodes"
    );
}

/// [LED-LOG-9].
#[test]
fn damage_found_while_reading_is_reported() {
    let disk = written(&[20, 20], SEGMENT_BYTES);
    let (log, _) = open(&disk, SEGMENT_BYTES).unwrap();
    let (path, _) = files(&disk).remove(0);
    disk.flip(&path, 180, 4).unwrap();
    assert!(matches!(log.read(1), Err(LogError::Damaged { offset: 120, .. })));
    assert_eq!(log.read(2).unwrap(), Some(record(2, 20)));
    let mut records = log.iter_from(1);
    assert!(matches!(records.next(), Some(Err(LogError::Damaged { .. }))));
    assert!(records.next().is_none());
}

#[test]
fn a_missing_or_foreign_segment_is_damage() {
    let sizes = [200; 6];
    let disk = written(&sizes, 400);
    let all = files(&disk);
    assert!(all.len() >= 3);
    for (path, _) in &all[..all.len() - 1] {
        let broken = disk.after_crash(Crash { keep_bytes: 0, keep_names: 0, tear: Tear::Short });
        broken.remove(path).unwrap();
        let error = open(&broken, 400).err().unwrap();
        assert!(matches!(&error, LogError::Damaged { .. }));
        assert!(error.to_string().contains("is missing"), "{error}");
    }
    // The second segment of a log with another history.
    let other = written(&[199, 200, 200, 200, 200, 200], 400);
    let (path, size) = &all[1];
    let mut bytes = vec![0; *size as usize];
    disk.open(path).unwrap().read_at(0, &mut bytes).unwrap();
    other.create(path).unwrap().write_at(0, &bytes).unwrap();
    let error = open(&other, 400).err().unwrap();
    assert!(error.to_string().contains("does not continue"), "{error}");
}

#[test]
fn an_intact_record_that_does_not_continue_the_chain_is_damage() {
    let disk = written(&[5, 5, 5], SEGMENT_BYTES);
    let (log, _) = open(&disk, SEGMENT_BYTES).unwrap();
    let mut bytes = Vec::new();
    let file = disk.open(&files(&disk)[0].0).unwrap();
    let start = log.locate(3).unwrap().1;
    for (height, previous, expected) in
        [(3, [1; 32], "does not continue the log"), (4, [1; 32], "has height 4, not 3")]
    {
        let record = record(3, 5);
        format::encode(&mut bytes, height, &previous, &record.block, &record.certificate).unwrap();
        file.write_at(start, &bytes).unwrap();
        let copy = disk.after_crash(Crash { keep_bytes: 999, keep_names: 0, tear: Tear::Short });
        let error = open(&copy, SEGMENT_BYTES).err().unwrap();
        assert!(matches!(&error, LogError::Damaged { offset, .. } if *offset == start));
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn an_empty_segment_that_does_not_continue_the_chain_is_damage() {
    let disk = written(&[5, 5], SEGMENT_BYTES);
    let header = SegmentHeader { chain_id: CHAIN, first_height: 3, previous_hash: [1; 32] };
    let path = segment_path(Path::new(DIR), 3);
    disk.create(&path).unwrap().write_at(0, &header.encode()).unwrap();
    let error = open(&disk, SEGMENT_BYTES).err().unwrap();
    assert!(error.to_string().contains("does not continue the segment"), "{error}");
}

#[test]
fn a_segment_that_was_never_finished_is_removed() {
    let disk = written(&[5, 5], SEGMENT_BYTES);
    let path = Path::new(DIR).join("segment-00000000000000000003.hwl.tmp");
    disk.create(&path).unwrap().write_at(0, b"half").unwrap();
    assert_holds(&open(&disk, SEGMENT_BYTES).unwrap().0, &[5, 5]);
    assert_eq!(files(&disk).len(), 1);
}

/// [LED-LOG-5].
#[test]
fn a_full_disk_stops_appends_until_the_log_is_reopened() {
    let sizes = [40, 50];
    let whole = 88 + 2 * 60;
    for (segment_bytes, most) in [(4096, whole), (300, whole + 120)] {
        for free in 0..most {
            let disk = written(&sizes, segment_bytes);
            let (log, _) = open(&disk, segment_bytes).unwrap();
            disk.set_free_bytes(Some(free));
            let error = append(&log, 3, 60).unwrap_err();
            assert!(matches!(&error, LogError::Io { source, .. }
                if source.kind() == io::ErrorKind::StorageFull));
            assert!(matches!(append(&log, 3, 60), Err(LogError::Stopped)));
            assert_holds(&log, &sizes);
            drop(log);
            // Still full: reading goes on. Then there is room again.
            assert_holds(&open(&disk, segment_bytes).unwrap().0, &sizes);
            disk.set_free_bytes(None);
            let (log, _) = open(&disk, segment_bytes).unwrap();
            append(&log, 3, 60).unwrap();
            assert_holds(&log, &[40, 50, 60]);
        }
    }
}

/// [LED-LOG-5] and [LED-LOG-8].
#[test]
fn a_record_whose_sync_failed_is_made_durable_or_gone_after_reopening() {
    // One failing sync each: of the record; of a new segment; of the directory.
    for (segment_bytes, failing) in [(4096, 1), (300, 1), (300, 2), (300, 3)] {
        let disk = written(&[40, 50], segment_bytes);
        // Opening syncs the last file and the directory.
        let hooked = HookedDisk::failing_sync(disk.clone(), 2 + failing);
        let (log, _) =
            BlockLog::open_with(Arc::new(hooked), Path::new(DIR), CHAIN, segment_bytes).unwrap();
        assert!(matches!(append(&log, 3, 60), Err(LogError::Io { .. })));
        assert!(matches!(append(&log, 3, 60), Err(LogError::Stopped)));
        drop(log);
        let (log, _) = open(&disk, segment_bytes).unwrap();
        let seen = log.tip();
        append(&log, seen + 1, 70).unwrap();
        let crashed = disk.after_crash(Crash { keep_bytes: 0, keep_names: 0, tear: Tear::Short });
        let (log, _) = open(&crashed, segment_bytes).unwrap();
        let expected: &[usize] = if seen == 3 { &[40, 50, 60, 70] } else { &[40, 50, 70] };
        assert_holds(&log, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_history_of_appends_and_crashes_keeps_what_was_acknowledged(
        steps in prop::collection::vec((0usize..300, 0u64..900, 0u8..3, any::<bool>()), 1..20),
        segment_bytes in 200u64..2000,
    ) {
        let mut disk = SimDisk::new();
        let mut sizes: Vec<usize> = Vec::new();
        for (bytes, keep_bytes, tear, crashes) in steps {
            if !crashes {
                let (log, _) = open(&disk, segment_bytes).unwrap();
                append(&log, log.tip() + 1, bytes).unwrap();
                sizes.push(bytes);
                continue;
            }
            let (log, _) = open(&disk, segment_bytes).unwrap();
            disk.set_free_bytes(Some(keep_bytes));
            if append(&log, log.tip() + 1, bytes).is_ok() {
                sizes.push(bytes);
            }
            drop(log);
            let tear = TEARS[usize::from(tear)];
            disk = disk.after_crash(Crash { keep_bytes: keep_bytes / 2, keep_names: 2, tear });
            let (log, _) = open(&disk, segment_bytes).unwrap();
            assert_holds(&log, &sizes);
        }
    }

    #[test]
    fn records_round_trip_and_no_other_bytes_are_one(
        block in prop::collection::vec(any::<u8>(), 0..200),
        certificate in prop::collection::vec(any::<u8>(), 0..50),
        height in 1u64..,
        change in (any::<prop::sample::Index>(), 1u8..),
    ) {
        let mut bytes = Vec::new();
        let hash = format::encode(&mut bytes, height, &CHAIN, &block, &certificate).unwrap();
        let (head, record) = format::decode(&bytes).unwrap();
        prop_assert_eq!(head.height, height);
        prop_assert_eq!(head.previous_hash, CHAIN);
        prop_assert_eq!(&bytes[bytes.len() - 32..], &hash[..]);
        prop_assert_eq!(record, Record { block, certificate });
        let at = change.0.index(bytes.len());
        bytes[at] ^= change.1;
        prop_assert!(format::decode(&bytes).is_err());
    }
}

#[test]
fn a_real_directory_is_written_torn_and_reopened() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("a/blocks");
    let open = || BlockLog::open_with(Arc::new(RealDisk), &dir, CHAIN, 2000);
    let (log, _) = open().unwrap();
    assert!(matches!(open(), Err(LogError::Locked { .. })));
    let sizes: Vec<usize> = (0..40).map(|n| n * 13).collect();
    for (height, bytes) in (1..).zip(&sizes) {
        append(&log, height, *bytes).unwrap();
    }
    drop(log);
    let (log, recovery) = open().unwrap();
    assert_holds(&log, &sizes);
    assert!(recovery.segments > 5);
    let last = segment_path(&dir, log.segments().last().unwrap().first_height);
    drop(log);
    let size = std::fs::metadata(&last).unwrap().len();
    std::fs::File::options().write(true).open(&last).unwrap().set_len(size - 1).unwrap();
    let (log, recovery) = open().unwrap();
    assert_holds(&log, &sizes[..39]);
    assert_eq!(recovery.torn.unwrap().file, last);
}

/// Prints appends a second beside bare write and fdatasync, and how fast a log is reopened.
/// `cargo test --release -p headwater-node --lib log_speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn log_speed() {
    use std::io::Write;
    use std::time::Instant;
    let home = tempfile::tempdir_in(".").unwrap();
    for bytes in [500, 50_000, 1_000_000] {
        let count = if bytes > 100_000 { 300 } else { 2_000 };
        let payload = vec![3; bytes];
        let mut raw = std::fs::File::create(home.path().join("raw")).unwrap();
        let start = Instant::now();
        for _ in 0..count {
            raw.write_all(&payload).unwrap();
            raw.sync_data().unwrap();
        }
        let raw_rate = f64::from(count) / start.elapsed().as_secs_f64();
        let dir = home.path().join(bytes.to_string());
        let (log, _) = BlockLog::open(Arc::new(RealDisk), &dir, CHAIN).unwrap();
        let start = Instant::now();
        for height in 1..=count as u64 {
            log.append(height, &payload, &[1; 100]).unwrap();
        }
        let rate = f64::from(count) / start.elapsed().as_secs_f64();
        println!("{bytes} B: {rate:.0} appends/s, raw fdatasync {raw_rate:.0}/s");
    }
    for (bytes, count) in [(1_000, 1_000_000u64), (100_000, 10_000), (2_000_000, 500)] {
        let dir = home.path().join(format!("reopen-{bytes}"));
        let (log, _) = BlockLog::open(Arc::new(RealDisk), &dir, CHAIN).unwrap();
        let payload = vec![3; bytes];
        let mut whole = Vec::new();
        for height in 1..=count {
            let writer = &mut *log.writer();
            let (file, first, end) = log.segment_for(height, writer).unwrap();
            let hash = writer.last_hash;
            writer.last_hash =
                format::encode(&mut whole, height, &hash, &payload, &[1; 100]).unwrap();
            file.write_at(end, &whole).unwrap();
            writer.file = Some(file);
            let mut segments = log.segments.write().unwrap();
            let segment = segments.iter_mut().find(|s| s.first_height == first).unwrap();
            segment.offsets.push(end as u32);
            segment.end = end + whole.len() as u64;
        }
        drop(log);
        let start = Instant::now();
        let (log, recovery) = BlockLog::open(Arc::new(RealDisk), &dir, CHAIN).unwrap();
        let gigabytes = recovery.bytes as f64 / 1e9;
        println!(
            "reopen {count} x {bytes} B: {:.2} GB/s",
            gigabytes / start.elapsed().as_secs_f64()
        );
        let start = Instant::now();
        assert_eq!(log.iter_from(1).count() as u64, count);
        println!("  iterate: {:.2} GB/s", gigabytes / start.elapsed().as_secs_f64());
    }
}
