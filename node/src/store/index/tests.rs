//! One suite for every index store, and what only sled can do wrong.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

const CHAIN: [u8; 32] = [7; 32];
const FORMAT: u32 = 3;
const CACHE: u64 = 1 << 20;

/// A store under test that can go down as in a crash.
trait Subject {
    fn store(&self) -> &dyn IndexStore;
    /// Reopens what a killed process left.
    fn crash(self) -> Self;
    /// Closes and reopens.
    fn reopen(self) -> Self;
}

impl Subject for MemoryIndex {
    fn store(&self) -> &dyn IndexStore {
        self
    }
    fn crash(self) -> Self {
        self.after_crash()
    }
    fn reopen(self) -> Self {
        self.after_crash()
    }
}

struct SledSubject {
    index: SledIndex,
    home: tempfile::TempDir,
}

fn open(dir: &Path) -> (SledIndex, Opened) {
    SledIndex::open(dir, CHAIN, FORMAT, CACHE).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl SledSubject {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        SledSubject { index: open(home.path()).0, home }
    }
}

impl Subject for SledSubject {
    fn store(&self) -> &dyn IndexStore {
        &self.index
    }
    /// Copies the files while sled has them open: what it kept in memory is lost.
    fn crash(self) -> Self {
        let home = tempfile::tempdir().unwrap();
        copy(self.home.path(), home.path());
        SledSubject { index: open(home.path()).0, home }
    }
    fn reopen(self) -> Self {
        let SledSubject { index, home } = self;
        drop(index);
        SledSubject { index: open(home.path()).0, home }
    }
}

fn row(key: &str, value: &str) -> Row {
    (key.into(), value.into())
}

/// Rows of a block: two of its own, and one that all blocks write.
fn rows(height: u64) -> Vec<Row> {
    vec![
        row("tip", &height.to_string()),
        row(&format!("b/{height:04}"), "second"),
        row(&format!("a/{height:04}"), &"x".repeat(height as usize % 300)),
    ]
}

fn model(heights: u64) -> Vec<Row> {
    (1..=heights).flat_map(rows).collect::<BTreeMap<_, _>>().into_iter().collect()
}

fn all(store: &dyn IndexStore) -> Vec<Row> {
    store.scan(b"", None, usize::MAX).unwrap()
}

fn suite<S: Subject>(new: impl Fn() -> S) {
    starts_empty_and_takes_only_the_next_height(new());
    gets_and_scans_by_prefix_in_pages(new());
    refuses_rows_above_the_limits_whole(new());
    the_last_of_equal_keys_wins(new());
    for unflushed in [0, 1, 7, 40] {
        a_crash_goes_back_to_a_height_whose_rows_are_there(new(), unflushed);
    }
    closing_keeps_what_was_flushed(new());
}

fn starts_empty_and_takes_only_the_next_height(subject: impl Subject) {
    let store = subject.store();
    assert_eq!((store.height(), all(store)), (0, vec![]));
    assert!(matches!(store.apply(0, vec![]), Err(IndexError::Gap { height: 0, found: 0 })));
    assert!(matches!(store.apply(2, rows(2)), Err(IndexError::Gap { height: 0, found: 2 })));
    assert_eq!(all(store), []);
    for height in 1..=5 {
        store.apply(height, rows(height)).unwrap();
        assert_eq!((store.height(), all(store)), (height, model(height)));
    }
    // Again, from an earlier one on.
    for height in 3..=5 {
        store.apply(height, rows(height)).unwrap();
        assert_eq!(store.height(), 5);
    }
    assert_eq!(all(store), model(5));
}

fn gets_and_scans_by_prefix_in_pages(subject: impl Subject) {
    let store = subject.store();
    let keys = ["a", "a/1", "a/2", "a/3", "a0", "b", "\u{7f}"];
    store.apply(1, keys.iter().rev().map(|key| row(key, &key.repeat(2))).collect()).unwrap();
    assert_eq!(store.get(b"a/2").unwrap(), Some(b"a/2a/2".to_vec()));
    assert_eq!(store.get(b"a/").unwrap(), None);
    let scan = |prefix: &str, after: Option<&str>, limit| {
        let rows = store.scan(prefix.as_bytes(), after.map(str::as_bytes), limit).unwrap();
        rows.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(scan("a/", None, 9), ["a/1", "a/2", "a/3"]);
    assert_eq!(scan("a/", None, 2), ["a/1", "a/2"]);
    assert_eq!(scan("a/", Some("a/2"), 2), ["a/3"]);
    assert_eq!(scan("a/", Some("a/3"), 2), Vec::<String>::new());
    assert_eq!(scan("a/", Some("a/25"), 2), ["a/3"]);
    // Cursors outside the prefix.
    assert_eq!(scan("a/", Some("a"), 1), ["a/1"]);
    assert_eq!(scan("a/", Some("b"), 1), Vec::<String>::new());
    assert_eq!(scan("a", None, 0), Vec::<String>::new());
    assert_eq!(scan("", None, 99), keys);
    assert_eq!(scan("c", None, 99), Vec::<String>::new());
    let mut paged = Vec::new();
    while let [.., _] = scan("", paged.last().map(String::as_str), 3)[..] {
        paged.extend(scan("", paged.last().map(String::as_str), 3));
    }
    assert_eq!(paged, keys);
}

fn refuses_rows_above_the_limits_whole(subject: impl Subject) {
    let store = subject.store();
    let fits = (vec![1; MAX_KEY_BYTES], vec![2; MAX_VALUE_BYTES]);
    for (key, value) in [(0, 1), (MAX_KEY_BYTES + 1, 1), (1, MAX_VALUE_BYTES + 1)] {
        let error = store.apply(1, vec![fits.clone(), (vec![9; key], vec![9; value])]).unwrap_err();
        assert!(matches!(error, IndexError::Row { key: k, value: v } if (k, v) == (key, value)));
        assert_eq!((store.height(), all(store)), (0, vec![]));
    }
    store.apply(1, vec![fits.clone()]).unwrap();
    assert_eq!(store.get(&fits.0).unwrap(), Some(fits.1));
}

fn the_last_of_equal_keys_wins(subject: impl Subject) {
    let store = subject.store();
    store.apply(1, vec![row("k", "z"), row("j", ""), row("k", "a")]).unwrap();
    assert_eq!(all(store), [row("j", ""), row("k", "a")]);
}

fn a_crash_goes_back_to_a_height_whose_rows_are_there(subject: impl Subject, unflushed: u64) {
    let store = subject.store();
    for height in 1..=20 {
        store.apply(height, rows(height)).unwrap();
    }
    store.flush().unwrap();
    for height in 21..=20 + unflushed {
        store.apply(height, rows(height)).unwrap();
    }
    let subject = subject.crash();
    let store = subject.store();
    assert_eq!(store.height(), 20);
    let found = all(store);
    for (key, value) in model(20) {
        // Only a row that a later block writes again may be newer already.
        assert!(key == b"tip" || found.contains(&(key, value)));
    }
    for height in 21..=60 {
        store.apply(height, rows(height)).unwrap();
    }
    assert_eq!(all(store), model(60));
    store.flush().unwrap();
    let subject = subject.crash();
    assert_eq!((subject.store().height(), all(subject.store())), (60, model(60)));
}

fn closing_keeps_what_was_flushed(subject: impl Subject) {
    for height in 1..=30 {
        subject.store().apply(height, rows(height)).unwrap();
    }
    subject.store().flush().unwrap();
    let subject = subject.reopen();
    assert_eq!((subject.store().height(), all(subject.store())), (30, model(30)));
}

#[test]
fn memory_index_passes_the_suite() {
    suite(MemoryIndex::new);
}

/// [LED-IDX-2] and [LED-IDX-4].
#[test]
fn sled_index_passes_the_suite() {
    suite(SledSubject::new);
}

/// A sled index at height 10, closed.
fn closed() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let (index, opened) = open(home.path());
    assert_eq!(opened, Opened::Rebuild { reason: "it is empty".to_owned() });
    for height in 1..=10 {
        index.apply(height, rows(height)).unwrap();
    }
    index.flush().unwrap();
    home
}

fn assert_rebuilt((index, opened): (SledIndex, Opened)) {
    assert!(matches!(opened, Opened::Rebuild { .. }), "{opened:?}");
    assert_eq!((index.height(), all(&index)), (0, vec![]));
    index.apply(1, rows(1)).unwrap();
    index.flush().unwrap();
}

/// [LED-IDX-1] and [LED-IDX-3].
#[test]
fn sled_of_another_chain_or_format_is_begun_anew() {
    let home = closed();
    assert_eq!(open(home.path()).1, Opened::Ready);
    assert_rebuilt(SledIndex::open(home.path(), [8; 32], FORMAT, CACHE).unwrap());
    assert_rebuilt(SledIndex::open(home.path(), [8; 32], FORMAT + 1, CACHE).unwrap());
}

#[test]
fn sled_that_cannot_be_read_is_begun_anew_and_other_files_stay() {
    let home = closed();
    std::fs::write(home.path().join("mine"), b"keep").unwrap();
    let conf = home.path().join("conf");
    let mut bytes = std::fs::read(&conf).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&conf, bytes).unwrap();
    assert_rebuilt(open(home.path()));
    assert_eq!(std::fs::read(home.path().join("mine")).unwrap(), b"keep");
}

#[test]
fn a_cut_or_overwritten_sled_file_never_stops_the_node_or_promises_missing_rows() {
    let whole = tempfile::tempdir().unwrap();
    let (index, _) = open(whole.path());
    let heights = 6_000;
    for height in 1..=heights {
        index.apply(height, rows(height)).unwrap();
        if height % 200 == 0 {
            index.flush().unwrap();
        }
    }
    drop(index);
    let file = whole.path().join("db");
    let bytes = std::fs::read(&file).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let (mut ready, mut rebuilt) = (0, 0);
    for part in 0..16 {
        let at = used * part / 16;
        for garbage in [false, true] {
            let home = tempfile::tempdir().unwrap();
            copy(whole.path(), home.path());
            let mut broken = bytes.clone();
            match garbage {
                true => broken[at..(at + 64).min(used)].fill(0xa5),
                false => broken.truncate(at),
            }
            std::fs::write(home.path().join("db"), broken).unwrap();
            let (index, opened) = open(home.path());
            if opened != Opened::Ready {
                rebuilt += 1;
                assert_eq!(index.height(), 0);
                continue;
            }
            ready += 1;
            for (key, value) in model(index.height()) {
                match index.get(&key) {
                    Ok(found) => {
                        assert!(key == b"tip" || found == Some(value), "at {at} of {used}")
                    }
                    Err(error) => assert!(matches!(error, IndexError::Failed(_))),
                }
            }
        }
    }
    assert!(ready > 0 && rebuilt > 0, "{ready} ready, {rebuilt} rebuilt");
}

#[test]
fn an_index_in_use_is_not_deleted() {
    let home = closed();
    let (index, _) = open(home.path());
    let second = SledIndex::open(home.path(), CHAIN, FORMAT, CACHE);
    assert!(matches!(second, Err(IndexError::Locked)));
    assert_eq!(all(&index), model(10));
}

/// Prints how many rows a second sled takes.
/// `cargo test --release -p headwater-node --lib index_speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn index_speed() {
    use std::time::Instant;
    let home = tempfile::tempdir_in(".").unwrap();
    let (index, _) = SledIndex::open(home.path(), CHAIN, FORMAT, CACHE_BYTES).unwrap();
    let mut number = 0u64;
    for flush_every in [1, 16, 64] {
        let (start, first) = (Instant::now(), index.height() + 1);
        for height in first..first + 128 {
            let row = |n: u64| {
                let key = [n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes(), n.to_be_bytes()];
                (key.concat(), Vec::new())
            };
            index.apply(height, (number..number + 1_000).map(row).collect()).unwrap();
            number += 1_000;
            if height % flush_every == 0 {
                index.flush().unwrap();
            }
        }
        let rate = 128_000.0 / start.elapsed().as_secs_f64();
        println!("1000 rows a block, flushed every {flush_every}: {rate:.0} rows/s");
    }
}
