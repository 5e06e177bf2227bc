//! The `headwater` program itself: keys, commitments, errors and exit codes, as a user meets them.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::user::User;

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn mode(path: &str) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_key_is_made_shown_listed_and_never_replaced() {
    let user = User::new();
    let made = user.json(&["key", "new", "clinic"], 0);
    assert_eq!((made["handle"].as_str(), &made["label"]), (Some("clinic"), &Value::Null));
    assert_eq!(mode(made["file"].as_str().unwrap()), 0o600);
    assert_eq!(user.json(&["key", "show", "clinic"], 0), made);
    let labelled = user.json(&["key", "new", "clinic", "--label", "two"], 0);
    assert_eq!(user.json(&["key", "show", "clinic+two"], 0), labelled);
    assert_ne!(made["public_key"], labelled["public_key"]);
    let listed = user.json(&["key", "list"], 0);
    assert_eq!(listed["keys"], Value::from(vec![made.clone(), labelled]));
    let refused = user.json(&["key", "new", "clinic"], 1);
    assert_eq!(refused["error"]["code"], "already_exists");
    assert_eq!(user.json(&["key", "show", "clinic"], 0), made);
}

#[test]
fn an_imported_seed_gives_its_known_public_key() {
    let user = User::new();
    // The first test vector of RFC 8032.
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let public = "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let files: [(&str, Vec<u8>); 3] = [
        ("hex", seed.as_bytes().to_vec()),
        ("line", format!("{seed}\r\n").into_bytes()),
        ("raw", hex::decode(seed).unwrap()),
    ];
    for (label, bytes) in files {
        let file = user.path(label);
        fs::write(&file, bytes).unwrap();
        let made = user.json(&["key", "import", "a", "--label", label, "--seed-file", &file], 0);
        assert_eq!(made["public_key"], public);
    }
    fs::write(user.path("bad"), &seed[1..]).unwrap();
    let bad = user.json(&["key", "import", "b", "--seed-file", &user.path("bad")], 1);
    assert_eq!(bad["error"]["code"], "bad_input");
}

#[test]
fn a_passphrase_is_changed_only_by_who_knows_it() {
    let user = User::new();
    let made = user.json(&["key", "new", "clinic"], 0);
    let (wrong, new) = (user.path("wrong"), user.path("new"));
    fs::write(&wrong, "not that one\n").unwrap();
    fs::write(&new, "battery staple\n").unwrap();
    let change = ["key", "change-passphrase", "clinic", "--new-passphrase-file", &new];
    let refused = user.json(&[&change[..], &["--passphrase-file", &wrong]].concat(), 1);
    assert_eq!(refused["error"]["code"], "wrong_passphrase");
    assert_eq!(user.json(&change, 0), made);
    let retired = user.json(&change, 1);
    assert_eq!(retired["error"]["code"], "wrong_passphrase");
    user.json(&[&change[..], &["--passphrase-file", &new]].concat(), 0);
}

#[test]
fn without_a_terminal_a_missing_passphrase_is_told_with_a_hint() {
    let user = User::new();
    let output = user.command(&["key", "new", "clinic"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let expected = "error: a passphrase is needed and there is no terminal to ask on\n\
                    hint: pass --passphrase-file FILE or set HEADWATER_PASSPHRASE\n";
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(text(&output.stdout), "");
    assert!(!Path::new(&user.path("home")).exists());
}

#[test]
fn the_passphrase_file_wins_over_the_variable() {
    let user = User::new();
    fs::write(user.path("short"), "1234567\n").unwrap();
    let refused = user.json(&["key", "new", "a", "--passphrase-file", &user.path("short")], 1);
    assert_eq!(refused["error"]["code"], "passphrase");
    let mut command = user.command(&["key", "new", "a"]);
    command.env("HEADWATER_PASSPHRASE_FILE", user.path("short"));
    let output = command.env("HEADWATER_PASSPHRASE", "correct horse").output().unwrap();
    assert!(text(&output.stderr).contains("fewer than 8 characters"), "{output:?}");
}

#[test]
fn a_commitment_is_verified_with_its_salt_and_no_other() {
    let user = User::new();
    let (data, salt) = (user.path("data.csv"), user.path("data.salt"));
    fs::write(&data, "age,sex\n44,f\n").unwrap();
    let made = user.json(&["hash", &data, "--save-salt", &salt, "--count-lines"], 0);
    assert_eq!(
        (&made["bytes"], &made["records"], &made["files"]),
        (&13.into(), &2.into(), &1.into())
    );
    assert_eq!(made.get("salt"), None, "a saved salt is not printed");
    assert_eq!(mode(&salt), 0o600);
    let root = made["root"].as_str().unwrap();
    let verify = ["hash", &data, "--verify", root, "--salt-file", &salt];
    assert_eq!(user.json(&verify, 0)["verified"], true);

    let zeros = "0".repeat(64);
    let other = user.json(&["hash", &data, "--verify", root, "--salt", &zeros], 3);
    assert_eq!(other["error"]["code"], "verification_failed");
    fs::write(&data, "age,sex\n45,f\n").unwrap();
    let output = user.run(&verify);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        text(&output.stderr).starts_with("error: the content gives root blake3:"),
        "{output:?}"
    );
    assert!(text(&output.stderr).contains("\nhint: "), "{output:?}");
}

#[test]
fn a_random_salt_is_printed_with_a_warning_and_is_never_the_same() {
    let user = User::new();
    let data = user.path("data.csv");
    fs::write(&data, "1\n").unwrap();
    let (one, two) = (user.json(&["hash", &data], 0), user.json(&["hash", &data], 0));
    assert_ne!(one["salt"], two["salt"]);
    assert_ne!(one["root"], two["root"]);
    assert!(one["warning"].as_str().unwrap().contains("can never be verified"));
    assert_eq!(one["records"], Value::Null);
    let salt = one["salt"].as_str().unwrap();
    let again = user.json(&["hash", &data, "--salt", salt, "--records", "1"], 0);
    assert_eq!((&again["root"], &again["records"]), (&one["root"], &1.into()));
    assert!(text(&user.run(&["hash", &data]).stdout).contains("can never be verified"));
}

#[test]
fn a_salt_is_neither_overwritten_nor_mixed_into_its_folder() {
    let user = User::new();
    fs::create_dir(user.path("data")).unwrap();
    fs::write(user.path("data/x"), "1").unwrap();
    let inside = user.json(&["hash", &user.path("data"), "--save-salt", &user.path("data/s")], 2);
    assert_eq!(inside["error"]["code"], "usage");
    fs::write(user.path("salt"), "mine").unwrap();
    let taken = user.json(&["hash", &user.path("data"), "--save-salt", &user.path("salt")], 1);
    assert_eq!(taken["error"]["code"], "already_exists");
    assert_eq!(fs::read(user.path("salt")).unwrap(), b"mine");
    let unsalted = user.json(&["hash", &user.path("data"), "--salt-file", &user.path("salt")], 1);
    assert_eq!(unsalted["error"]["code"], "bad_input");
}

#[test]
fn links_and_missing_paths_are_refused_in_a_sentence() {
    let user = User::new();
    std::os::unix::fs::symlink("/etc/hosts", user.path("link")).unwrap();
    let link = user.run(&["hash", &user.path("link")]);
    assert_eq!(link.status.code(), Some(1));
    assert!(text(&link.stderr).contains("link is a symbolic link"), "{link:?}");
    assert_eq!(user.json(&["hash", &user.path("none")], 1)["error"]["code"], "not_found");
}

#[test]
fn bad_usage_exits_2_in_text_and_in_json() {
    let user = User::new();
    let plain = user.run(&["key", "new", "Not A Handle"]);
    assert_eq!(plain.status.code(), Some(2));
    assert!(text(&plain.stderr).contains("is not a handle"), "{plain:?}");
    let json = user.json(&["key", "new", "Not A Handle"], 2);
    assert_eq!(json["error"]["code"], "usage");
    assert!(json["error"]["message"].as_str().unwrap().contains("is not a handle"), "{json}");
    let root = format!("blake3:{}", "0".repeat(64));
    for arguments in [
        &["hash", "x", "--verify", &root] as &[&str],
        &["hash", "x", "--verify", "blake3:00", "--salt-file", "s"],
        &["hash", "x", "--salt", "00"],
        &["hash", "x", "--records", "1", "--count-lines"],
        &["key", "new", "a+b", "--label", "c"],
        &["--node", "example.org", "key", "list"],
        &["key"],
        &[],
    ] {
        assert_eq!(user.run(arguments).status.code(), Some(2), "{arguments:?}");
        assert_eq!(user.json(arguments, 2)["error"]["code"], "usage", "{arguments:?}");
    }
}

#[test]
fn nothing_is_coloured_away_from_a_terminal() {
    let user = User::new();
    user.run(&["key", "new", "a"]);
    for arguments in
        [&["key", "list"] as &[&str], &["key", "show", "b"], &["--help"], &["key", "x"]]
    {
        let output = user.run(arguments);
        let printed = [output.stdout, output.stderr].concat();
        assert!(!printed.is_empty() && !printed.contains(&0x1b), "{}", text(&printed));
    }
}

#[test]
fn a_broken_file_is_named_while_the_others_are_listed() {
    let user = User::new();
    user.json(&["key", "new", "a"], 0);
    fs::write(user.path("home/keys/torn.json"), "{").unwrap();
    let output = user.run(&["key", "list"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("ed25519:"), "{output:?}");
    assert!(text(&output.stderr).starts_with("warning: the key file "), "{output:?}");
    let json = user.json(&["key", "list"], 0);
    assert!(json["unreadable"][0]["file"].as_str().unwrap().ends_with("torn.json"));
}

#[test]
fn a_reader_who_leaves_early_is_no_error() {
    let user = User::new();
    user.json(&["key", "new", "a"], 0);
    for arguments in [&["key", "list"] as &[&str], &["key", "list", "--json"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = user.command(arguments);
        let mut child = child.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let user = User::new();
    fs::write(user.path("x"), "1").unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = user.command(&["hash", &user.path("x")]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error: cannot write the output"), "{output:?}");
}
