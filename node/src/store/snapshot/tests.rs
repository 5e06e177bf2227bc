//! Every crash point, every flipped bit, and the real file system.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::store::disk::hooked::{self, HookedDisk};
use crate::store::disk::{RealDisk, SimDisk};

const CHAIN: [u8; 32] = [7; 32];
const DIR: &str = "/home/snapshots";

type State = BTreeMap<[u8; 32], Arc<[u8]>>;

/// A state that differs at each height.
fn state(height: u64, entries: u8) -> State {
    let value = |n: u8| vec![height as u8; usize::from(n) * 3];
    (0..entries).map(|n| ([n * 2 + 1; 32], value(n).into())).collect()
}

fn meta(height: u64, state: &State) -> SnapshotMeta {
    let entries = state.len() as u64;
    SnapshotMeta { height, block_id: [height as u8; 32], state_root: root(state), entries }
}

/// Stands for the state root.
fn root(state: &State) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for (key, value) in state {
        hasher.update(key).update(value);
    }
    *hasher.finalize().as_bytes()
}

fn open(disk: &SimDisk) -> Snapshots {
    Snapshots::open(Arc::new(disk.clone()), Path::new(DIR), CHAIN).unwrap()
}

fn write(snapshots: &Snapshots, height: u64) -> Result<(), SnapshotError> {
    let state = state(height, 5);
    snapshots.write(&meta(height, &state), state)
}

fn load(snapshots: &Snapshots) -> Option<(u64, State)> {
    let loaded = snapshots.load_latest(0, u64::MAX, |meta, entries| {
        let state: State = entries.map(|(key, value)| (key, value.into())).collect();
        if root(&state) == meta.state_root { Ok(state) } else { Err("another root".into()) }
    });
    loaded.unwrap().map(|(meta, state)| (meta.height, state))
}

/// [LED-SNAP-2], field by field.
#[test]
fn the_bytes_are_those_of_the_specification() {
    let disk = SimDisk::new();
    let meta = SnapshotMeta { height: 258, block_id: [3; 32], state_root: [4; 32], entries: 1 };
    open(&disk).write(&meta, [([5; 32], b"value".as_slice().into())]).unwrap();
    let mut bytes = vec![0; 128 + 41 + 32];
    let path = Path::new("/home/snapshots/snapshot-00000000000000000258.hws");
    let file = disk.open(path).unwrap();
    assert_eq!(file.size().unwrap(), bytes.len() as u64);
    file.read_at(0, &mut bytes).unwrap();
    let expected: [&[u8]; 9] = [
        b"HWSNAPSH\x01\0\0\0\x01\0\0\0",
        &CHAIN,
        b"\x02\x01\0\0\0\0\0\0",
        &[3; 32],
        &[4; 32],
        b"\x01\0\0\0\0\0\0\0",
        &[5; 32],
        b"\x05\0\0\0",
        b"value",
    ];
    assert_eq!(bytes[..169], expected.concat());
    assert_eq!(bytes[169..], blake3::derive_key("headwater 2026-11 state snapshot", &bytes[..169]));
}

/// [LED-SNAP-4] and [LED-SNAP-5].
#[test]
fn the_newest_of_two_kept_snapshots_is_loaded() {
    let disk = SimDisk::new();
    let snapshots = open(&disk);
    assert_eq!(load(&snapshots), None);
    for height in [10, 9_999_999_999, 20] {
        write(&snapshots, height).unwrap();
    }
    assert_eq!(snapshots.heights().unwrap(), [9_999_999_999, 20]);
    assert_eq!(load(&snapshots).unwrap(), (9_999_999_999, state(9_999_999_999, 5)));
}

/// [LED-SNAP-3].
#[test]
fn a_crash_at_any_step_of_writing_leaves_a_whole_snapshot() {
    let base = SimDisk::new();
    for height in [1, 2] {
        write(&open(&base), height).unwrap();
    }
    let (hooked, seen) = HookedDisk::noting_crashes(base.clone());
    let snapshots = Snapshots::open(Arc::new(hooked), Path::new(DIR), CHAIN).unwrap();
    write(&snapshots, 3).unwrap();
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let mut newest = Vec::new();
    for crashed in seen {
        let snapshots = open(&crashed);
        let (height, found) = load(&snapshots).expect("some snapshot is always whole");
        assert_eq!(found, state(height, 5));
        newest.push(height);
        // Whatever was left over is gone after the next one.
        write(&snapshots, 4).unwrap();
        assert_eq!(snapshots.heights().unwrap(), [4, height]);
        assert_eq!(hooked::files(&crashed, Path::new(DIR)).len(), 2);
    }
    newest.dedup();
    assert!(newest.contains(&2) && newest.contains(&3));
    // Once written it survives any crash.
    assert_eq!(newest.last(), Some(&3));
}

/// [LED-SNAP-2] and [LED-SNAP-5].
#[test]
fn any_flipped_bit_or_cut_makes_the_previous_one_be_used() {
    let disk = SimDisk::new();
    let snapshots = open(&disk);
    for height in [1, 2] {
        write(&snapshots, height).unwrap();
    }
    let (path, size) = hooked::files(&disk, Path::new(DIR)).remove(1);
    for (offset, bit) in (0..size).flat_map(|o| (0..8).map(move |b| (o, b))) {
        disk.flip(&path, offset, 1 << bit).unwrap();
        // Without a check of the root, so that the hash alone must notice.
        let loaded =
            snapshots.load_latest(0, u64::MAX, |_, entries| Ok(entries.count())).unwrap().unwrap();
        assert_eq!((loaded.0.height, loaded.1), (1, 5), "byte {offset} bit {bit}");
        disk.flip(&path, offset, 1 << bit).unwrap();
    }
    assert_eq!(load(&snapshots).unwrap().0, 2);
    let file = disk.open(&path).unwrap();
    file.write_at(size, b"x").unwrap();
    assert_eq!(load(&snapshots).unwrap().0, 1);
    for cut in (0..size).rev() {
        file.truncate(cut).unwrap();
        assert_eq!(load(&snapshots).unwrap().0, 1);
    }
}

#[test]
fn a_snapshot_of_another_chain_or_name_is_passed_over() {
    let disk = SimDisk::new();
    write(&open(&disk), 1).unwrap();
    let other = Snapshots::open(Arc::new(disk.clone()), Path::new(DIR), [8; 32]).unwrap();
    assert_eq!(load(&other), None);
    let dir = Path::new(DIR);
    disk.rename(&dir.join(snapshot_name(1)), &dir.join(snapshot_name(2))).unwrap();
    assert_eq!(load(&open(&disk)), None);
}

/// [LED-SNAP-1] and [LED-SNAP-5].
#[test]
fn a_snapshot_that_the_builder_refuses_or_does_not_finish_is_passed_over() {
    let disk = SimDisk::new();
    let snapshots = open(&disk);
    for height in [1, 2] {
        write(&snapshots, height).unwrap();
    }
    let loaded = snapshots
        .load_latest(0, u64::MAX, |meta, entries| match meta.height {
            2 => Err("wrong root".to_owned()),
            _ => Ok(entries.count()),
        })
        .unwrap();
    assert_eq!(loaded.map(|(meta, count)| (meta.height, count)), Some((1, 5)));
    let unfinished =
        snapshots.load_latest(0, u64::MAX, |_, entries| Ok(entries.take(5).count())).unwrap();
    assert_eq!(unfinished, None);
}

/// [LED-SNAP-6].
#[test]
fn wrong_entries_are_refused_and_leave_no_file() {
    let disk = SimDisk::new();
    let snapshots = open(&disk);
    let value: Arc<[u8]> = vec![1].into();
    let large: Arc<[u8]> = vec![0; MAX_VALUE_BYTES + 1].into();
    let (a, b) = ([1; 32], [2; 32]);
    for (entries, count, expected) in [
        (vec![(b, value.clone()), (a, value.clone())], 2, "ascending"),
        (vec![(a, value.clone()), (a, value.clone())], 2, "ascending"),
        (vec![(a, large)], 1, "limit"),
        (vec![(a, value)], 2, "number"),
    ] {
        let meta = SnapshotMeta { entries: count, ..meta(1, &State::new()) };
        let error = snapshots.write(&meta, entries).unwrap_err();
        assert!(matches!(error, SnapshotError::Entries(rule) if rule.contains(expected)));
        assert_eq!(hooked::files(&disk, Path::new(DIR)), []);
    }
}

#[test]
fn a_full_disk_leaves_the_snapshots_there_were() {
    let disk = SimDisk::new();
    let snapshots = open(&disk);
    for height in [1, 2] {
        write(&snapshots, height).unwrap();
    }
    for free in [0, 1, 127, 128, 200, 300] {
        disk.set_free_bytes(Some(free));
        assert!(matches!(write(&snapshots, 3), Err(SnapshotError::Io { .. })));
        assert_eq!(hooked::files(&disk, Path::new(DIR)).len(), 2);
        assert_eq!(load(&snapshots).unwrap().0, 2);
    }
}

proptest! {
    #[test]
    fn any_state_is_read_back(
        state in prop::collection::btree_map(
            any::<[u8; 32]>(), prop::collection::vec(any::<u8>(), 0..200), 0..40),
    ) {
        let disk = SimDisk::new();
        let state: State = state.into_iter().map(|(key, value)| (key, value.into())).collect();
        let snapshots = open(&disk);
        snapshots.write(&meta(9, &state), state.clone()).unwrap();
        prop_assert_eq!(load(&snapshots), Some((9, state)));
    }
}

#[test]
fn a_real_directory_keeps_two_and_reads_values_larger_than_its_buffer() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("snapshots");
    let snapshots = Snapshots::open(Arc::new(RealDisk), &dir, CHAIN).unwrap();
    let mut expected = State::new();
    for height in 1..=4 {
        expected = state(height, 100);
        expected.insert([255; 32], vec![height as u8; MAX_VALUE_BYTES].into());
        snapshots.write(&meta(height, &expected), expected.clone()).unwrap();
    }
    let again = Snapshots::open(Arc::new(RealDisk), &dir, CHAIN).unwrap();
    assert_eq!(again.heights().unwrap(), [4, 3]);
    assert_eq!(load(&again), Some((4, expected)));
}

/// Prints how fast a large state is written and read.
/// `cargo test --release -p headwater-node --lib snapshot_speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn snapshot_speed() {
    use std::time::Instant;
    let home = tempfile::tempdir_in(".").unwrap();
    let snapshots = Snapshots::open(Arc::new(RealDisk), home.path(), CHAIN).unwrap();
    let value: Arc<[u8]> = vec![5; 200].into();
    let count = 2_000_000u64;
    let key = |n: u64| {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&n.to_be_bytes());
        key
    };
    let meta = SnapshotMeta { entries: count, ..meta(1, &State::new()) };
    let start = Instant::now();
    snapshots.write(&meta, (0..count).map(|n| (key(n), value.clone()))).unwrap();
    let written = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let loaded =
        snapshots.load_latest(0, u64::MAX, |_, entries| Ok(entries.count() as u64)).unwrap();
    assert_eq!(loaded.unwrap().1, count);
    let read = start.elapsed().as_secs_f64();
    println!("{count} entries of 236 B: written in {written:.2} s, read in {read:.2} s");
}
