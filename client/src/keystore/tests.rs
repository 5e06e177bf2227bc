//! Laws of the keystore, on real folders.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.into()).unwrap()
}

fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_created_key_unlocks_and_signs_under_its_public_key() {
    let home = tempfile::tempdir().unwrap();
    let store = Keystore::open(home.path());
    let info = store.create(&name("clinic"), &passphrase("correct horse")).unwrap();
    let key = store.unlock(&name("clinic"), &passphrase("correct horse")).unwrap();
    assert_eq!(key.public_key(), info.public_key);
    assert_eq!(store.info(&name("clinic")).unwrap(), info);
    let other = store.create(&name("clinic+two"), &passphrase("correct horse")).unwrap();
    assert_ne!(other.public_key, info.public_key);
}

#[test]
fn an_imported_key_is_that_of_its_seed() {
    let home = tempfile::tempdir().unwrap();
    let store = Keystore::open(home.path());
    store.import(&name("clinic+backup"), &[9; 32], &passphrase("correct horse")).unwrap();
    let key = store.unlock(&name("clinic+backup"), &passphrase("correct horse")).unwrap();
    assert_eq!(key.to_seed(), [9; 32]);
}

#[test]
fn files_are_their_owners_alone_and_nothing_is_left_over() {
    let home = tempfile::tempdir().unwrap();
    let store = Keystore::open(&home.path().join("new/home"));
    let info = store.create(&name("clinic"), &passphrase("correct horse")).unwrap();
    assert_eq!(mode(&info.path), 0o600);
    assert_eq!(mode(info.path.parent().unwrap()), 0o700);
    store
        .change_passphrase(&name("clinic"), &passphrase("correct horse"), &passphrase("battery"))
        .unwrap();
    assert_eq!(mode(&info.path), 0o600);
    assert_eq!(fs::read_dir(info.path.parent().unwrap()).unwrap().count(), 1);
    let seed = store.unlock(&name("clinic"), &passphrase("battery")).unwrap().to_seed();
    let text = fs::read_to_string(&info.path).unwrap();
    assert!(!text.contains(&hex::encode(seed)));
}

#[test]
fn a_key_is_never_replaced() {
    let home = tempfile::tempdir().unwrap();
    let store = Keystore::open(home.path());
    let info = store.create(&name("clinic"), &passphrase("correct horse")).unwrap();
    let before = fs::read(&info.path).unwrap();
    let failure = store.import(&name("clinic"), &[9; 32], &passphrase("other")).unwrap_err();
    assert_eq!(failure.kind(), Kind::AlreadyExists);
    assert_eq!(fs::read(&info.path).unwrap(), before);
    assert_eq!(fs::read_dir(info.path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn missing_wrong_passphrase_and_damage_are_three_things() {
    let home = tempfile::tempdir().unwrap();
    let store = Keystore::open(home.path());
    let info = store.create(&name("clinic"), &passphrase("correct horse")).unwrap();
    let unlock = |key: &str, text: &str| store.unlock(&name(key), &passphrase(text)).unwrap_err();
    assert_eq!(unlock("stranger", "correct horse").kind(), Kind::NotFound);
    assert_eq!(unlock("clinic", "wrong").kind(), Kind::WrongPassphrase);
    let text = fs::read_to_string(&info.path).unwrap();
    fs::write(&info.path, text.replace("\"passes\": 2", "\"passes\": 3")).unwrap();
    assert_eq!(unlock("clinic", "correct horse").kind(), Kind::Damaged);
    fs::write(&info.path, vec![b' '; 1 << 20]).unwrap();
    assert_eq!(unlock("clinic", "correct horse").kind(), Kind::Damaged);
}

#[test]
fn a_missing_key_hints_at_the_members_other_keys() {
    let home = tempfile::tempdir().unwrap();
    let store = Keystore::open(home.path());
    let missing = store.info(&name("clinic+x")).unwrap_err();
    assert_eq!(missing.hint_text(), "make one with `headwater key new clinic --label x`");
    store.import(&name("clinic+a"), &[1; 32], &passphrase("correct horse")).unwrap();
    store.import(&name("clinics"), &[2; 32], &passphrase("correct horse")).unwrap();
    let missing = store.info(&name("clinic")).unwrap_err();
    assert_eq!(missing.hint_text(), "the keys of clinic are: clinic+a");
}

#[test]
fn changing_the_passphrase_keeps_the_key_and_retires_the_old_one() {
    let home = tempfile::tempdir().unwrap();
    let store = Keystore::open(home.path());
    store.import(&name("clinic"), &[9; 32], &passphrase("correct horse")).unwrap();
    let change = |old: &str, new: &str| {
        store.change_passphrase(&name("clinic"), &passphrase(old), &passphrase(new))
    };
    assert_eq!(change("wrong", "new").unwrap_err().kind(), Kind::WrongPassphrase);
    change("correct horse", "new").unwrap();
    let retired = store.unlock(&name("clinic"), &passphrase("correct horse")).unwrap_err();
    assert_eq!(retired.kind(), Kind::WrongPassphrase);
    assert_eq!(store.unlock(&name("clinic"), &passphrase("new")).unwrap().to_seed(), [9; 32]);
}

#[test]
fn listing_shows_whole_keys_and_names_broken_files() {
    let home = tempfile::tempdir().unwrap();
    let store = Keystore::open(home.path());
    assert!(store.list().unwrap().keys.is_empty());
    for (text, seed) in [("b", 1), ("a+x", 2), ("a", 3)] {
        store.import(&name(text), &[seed; 32], &passphrase("correct horse")).unwrap();
    }
    let keys = home.path().join("keys");
    fs::write(keys.join("torn.json"), b"{").unwrap();
    fs::write(keys.join("Not A Key.json"), b"{}").unwrap();
    fs::write(keys.join("notes.txt"), b"mine").unwrap();
    fs::copy(keys.join("a.json"), keys.join("c.json")).unwrap();
    let listing = store.list().unwrap();
    let names: Vec<String> = listing.keys.iter().map(|key| key.name.to_string()).collect();
    assert_eq!(names, ["a", "a+x", "b"]);
    let broken: Vec<_> =
        listing.unreadable.iter().map(|(path, _)| path.file_stem().unwrap()).collect();
    assert_eq!(broken, ["Not A Key", "c", "torn"]);
}
