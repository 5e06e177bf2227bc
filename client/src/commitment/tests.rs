//! Laws of commitments to files and folders, and a naive model of them in memory.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const PART: usize = PART_BYTES as usize;

fn salt(byte: u8) -> ContentSalt {
    ContentSalt::from_bytes([byte; 32])
}

fn commit(path: &Path, salt: &ContentSalt) -> Commitment {
    Source::scan(path).unwrap().commit(salt, Lines::Count, &|_| ()).unwrap()
}

/// Writes files in the given order.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    root
}

/// Bytes that repeat only after a long while.
fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

/// The rules again, from the text of the specification, on `blake3` alone and all in memory.
mod naive {
    use super::*;

    fn keyed(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(key, message).as_bytes()
    }

    fn tree(entries: &[[u8; 32]]) -> [u8; 32] {
        fn top(entries: &[[u8; 32]]) -> [u8; 32] {
            if let [entry] = entries {
                return blake3::derive_key("headwater 2026-11 tree leaf", entry);
            }
            let half = entries.len().next_power_of_two() / 2;
            let both = [top(&entries[..half]), top(&entries[half..])].concat();
            blake3::derive_key("headwater 2026-11 tree node", &both)
        }
        let count = (entries.len() as u64).to_le_bytes();
        blake3::derive_key("headwater 2026-11 tree root", &[&count[..], &top(entries)].concat())
    }

    pub fn root(files: &BTreeMap<String, Vec<u8>>, salt: &[u8; 32]) -> Digest {
        let entry = |(path, bytes): (&String, &Vec<u8>)| {
            let file_salt = keyed(salt, &[b"\x01", path.as_bytes()].concat());
            let mut pieces: Vec<&[u8]> = bytes.chunks(1_048_576).collect();
            if pieces.is_empty() {
                pieces.push(&[]);
            }
            let leaf = |(index, piece): (usize, &&[u8])| {
                let index = (index as u64).to_le_bytes();
                let part_salt = keyed(&file_salt, &[b"\x03", &index[..]].concat());
                let message = [piece, &part_salt[..], &index[..]].concat();
                blake3::derive_key("headwater 2026-11 content leaf", &message)
            };
            let leaves: Vec<[u8; 32]> = pieces.iter().enumerate().map(leaf).collect();
            let message = [
                &(path.len() as u64).to_le_bytes()[..],
                path.as_bytes(),
                &(bytes.len() as u64).to_le_bytes(),
                &tree(&leaves),
                &keyed(&file_salt, b"\x02"),
            ];
            blake3::derive_key("headwater 2026-11 content file", &message.concat())
        };
        Digest::Blake3(tree(&files.iter().map(entry).collect::<Vec<_>>()))
    }
}

fn assert_like_the_model(files: &[(&str, &[u8])]) {
    let root = folder(files);
    let model = files.iter().map(|(path, bytes)| (path.to_string(), bytes.to_vec())).collect();
    assert_eq!(commit(root.path(), &salt(7)).root, naive::root(&model, &[7; 32]));
}

#[test]
fn files_around_whole_parts_follow_the_model() {
    let bytes = noise(13 * PART);
    let lens = [0, 1, PART - 1, PART, PART + 1, 3 * PART, 8 * PART, 13 * PART - 5];
    for len in lens {
        let root = folder(&[("x", &bytes[..len])]);
        let found = commit(&root.path().join("x"), &salt(7));
        let model = BTreeMap::from([(String::new(), bytes[..len].to_vec())]);
        assert_eq!(found.root, naive::root(&model, &[7; 32]), "{len} bytes");
        assert_eq!((found.bytes, found.files), (len as u64, 1));
    }
}

#[test]
fn folders_follow_the_model() {
    let big = noise(9 * PART + 17);
    assert_like_the_model(&[("a/b", b"1"), ("a-b", b"2")]);
    assert_like_the_model(&[("empty", b""), ("big", &big), ("deep/er/still/x.csv", b"1,2\n")]);
    assert_like_the_model(&[("病历/一.csv", b"x"), ("z", b""), (".hidden", b"h")]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_folder_follows_the_model(
        files in prop::collection::btree_map("[a-c]{1,2}(/[a-c -]{1,2}x){0,2}", prop::collection::vec(any::<u8>(), 0..40), 1..12),
    ) {
        // A path cannot be a file and a folder at once.
        let clash = |path: &str| files.keys().any(|other| other.starts_with(&format!("{path}/")));
        let files: BTreeMap<_, _> =
            files.iter().filter(|(path, _)| !clash(path)).map(|(p, b)| (p.clone(), b.clone())).collect();
        let list: Vec<(&str, &[u8])> = files.iter().map(|(p, b)| (p.as_str(), b.as_slice())).collect();
        let found = commit(folder(&list).path(), &salt(3));
        prop_assert_eq!(found.root, naive::root(&files, &[3; 32]));
        prop_assert_eq!(found.files, files.len() as u64);
        prop_assert_eq!(found.bytes, files.values().map(|b| b.len() as u64).sum::<u64>());
        let lines: usize = files.values().map(|b| b.split_inclusive(|&b| b == b'\n').count()).sum();
        prop_assert_eq!(found.lines, Some(lines as u64));
    }
}

#[test]
fn the_order_of_writing_is_irrelevant() {
    let files: [(&str, &[u8]); 3] = [("a", b"1"), ("b/c", b"2"), ("b/a", b"3")];
    let mut reversed = files;
    reversed.reverse();
    let (one, other) = (folder(&files), folder(&reversed));
    assert_eq!(commit(one.path(), &salt(7)), commit(other.path(), &salt(7)));
}

#[test]
fn renaming_moving_and_swapping_change_the_root() {
    let base = commit(folder(&[("a", b"1"), ("b", b"2")]).path(), &salt(7)).root;
    let variants: [&[(&str, &[u8])]; 5] = [
        &[("a", b"1"), ("c", b"2")],
        &[("a", b"2"), ("b", b"1")],
        &[("a", b"1"), ("d/b", b"2")],
        &[("a", b"1")],
        &[("a", b"1"), ("b", b"2"), ("c", b"")],
    ];
    for files in variants {
        assert_ne!(commit(folder(files).path(), &salt(7)).root, base, "{files:?}");
    }
}

#[test]
fn a_single_files_own_name_is_not_committed_to() {
    let root = folder(&[("a.csv", b"1"), ("b.csv", b"1")]);
    let single = |name: &str| commit(&root.path().join(name), &salt(7)).root;
    assert_eq!(single("a.csv"), single("b.csv"));
    let inside = folder(&[("a.csv", b"1")]);
    assert_ne!(single("a.csv"), commit(inside.path(), &salt(7)).root);
}

#[test]
fn different_salts_give_different_roots_even_of_nothing() {
    for bytes in [b"".as_slice(), b"age,sex\n"] {
        let root = folder(&[("x", bytes)]);
        assert_ne!(commit(root.path(), &salt(1)).root, commit(root.path(), &salt(2)).root);
    }
}

#[test]
fn one_changed_byte_anywhere_changes_the_root() {
    let mut bytes = noise(5 * PART + 3);
    let root_of = |bytes: &[u8]| commit(folder(&[("x", bytes)]).path(), &salt(7)).root;
    let base = root_of(&bytes);
    for at in [0, READ_BYTES, PART - 1, PART, 4 * PART, 5 * PART + 2] {
        bytes[at] ^= 1;
        assert_ne!(root_of(&bytes), base, "byte {at}");
        bytes[at] ^= 1;
    }
    assert_eq!(root_of(&bytes), base);
}

#[test]
fn lines_are_those_a_reader_would_count() {
    let cases: [(&[u8], u64); 6] =
        [(b"", 0), (b"\n", 1), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"\n\n", 2)];
    for (bytes, lines) in cases {
        assert_eq!(
            commit(folder(&[("x", bytes)]).path(), &salt(7)).lines,
            Some(lines),
            "{bytes:?}"
        );
    }
    let mut long = vec![b'\n'; PART + 1_000];
    assert_eq!(commit(folder(&[("x", &long)]).path(), &salt(7)).lines, Some(long.len() as u64));
    long.push(b'x');
    assert_eq!(commit(folder(&[("x", &long)]).path(), &salt(7)).lines, Some(long.len() as u64));
    let ignored = Source::scan(folder(&[("x", b"a\n")]).path());
    assert!(ignored.is_ok());
}

#[test]
fn folders_without_files_are_refused() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("a/b")).unwrap();
    assert_eq!(Source::scan(root.path()).unwrap_err().kind(), Kind::BadInput);
}

#[test]
fn symbolic_links_are_refused_wherever_they_are() {
    let root = folder(&[("data/x", b"1")]);
    let link = root.path().join("data/link");
    for target in ["x", ".", "nowhere"] {
        std::os::unix::fs::symlink(target, &link).unwrap();
        for path in [root.path().to_path_buf(), link.clone()] {
            let failure = Source::scan(&path).unwrap_err();
            assert_eq!(failure.kind(), Kind::BadInput);
            assert!(failure.message().contains("data/link is a symbolic link"), "{failure}");
        }
        fs::remove_file(&link).unwrap();
    }
    commit(root.path(), &salt(7));
}

#[test]
fn a_file_replaced_by_a_link_after_the_scan_is_refused() {
    let root = folder(&[("x", b"1"), ("y", b"1")]);
    let source = Source::scan(root.path()).unwrap();
    fs::remove_file(root.path().join("y")).unwrap();
    std::os::unix::fs::symlink("x", root.path().join("y")).unwrap();
    let failure = source.commit(&salt(7), Lines::Ignore, &|_| ()).unwrap_err();
    assert!(failure.message().contains("y is a symbolic link"), "{failure}");
}

#[test]
fn sockets_and_devices_are_refused() {
    let root = folder(&[("x", b"1")]);
    let _listener = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
    for path in [root.path(), Path::new("/dev/null")] {
        let failure = Source::scan(path).unwrap_err();
        assert!(failure.message().contains("is neither a file nor a folder"), "{failure}");
    }
}

#[test]
fn names_that_are_not_utf8_are_refused() {
    let root = folder(&[("x", b"1")]);
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
    fs::write(root.path().join(name), b"1").unwrap();
    let failure = Source::scan(root.path()).unwrap_err();
    assert!(failure.message().contains("is not UTF-8"), "{failure}");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let root = folder(&[("x", &noise(9 * PART))]);
    let path = root.path().join("x");
    let source = Source::scan(&path).unwrap();
    let grow = |_| {
        fs::OpenOptions::new().append(true).open(&path).unwrap().set_len(10 * PART_BYTES).unwrap()
    };
    let shrink = |_| fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(3).unwrap();
    let touch = |_| File::open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let acts: [&(dyn Fn(u64) + Sync); 3] = [&grow, &touch, &shrink];
    for (at, act) in acts.into_iter().enumerate() {
        let failure = source.commit(&salt(7), Lines::Ignore, act).unwrap_err();
        assert!(failure.message().contains("changed while it was read"), "{at}: {failure}");
        fs::write(&path, noise(9 * PART)).unwrap();
    }
}

#[test]
fn progress_adds_up_to_the_bytes() {
    let root = folder(&[("x", &noise(9 * PART + 1)), ("y", b"12345")]);
    let done = std::sync::atomic::AtomicU64::new(0);
    let source = Source::scan(root.path()).unwrap();
    let add = |bytes| {
        done.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
    };
    source.commit(&salt(7), Lines::Ignore, &add).unwrap();
    assert_eq!(done.into_inner(), source.bytes());
    assert_eq!(source.bytes(), 9 * PART_BYTES + 6);
}
