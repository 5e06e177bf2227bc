//! What people get wrong: each mistake has a code, a sentence, a hint and an exit code, and nothing is
//! half done.

use std::collections::BTreeMap;
use std::path::Path;

use crate::members::{METADATA, Members, raw};
use crate::user::User;

/// Every file of a folder with its content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => {
                found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn typical_mistakes_are_told_and_leave_nothing_behind() {
    let user = Members::new();
    let content = user.file("a.csv", "1\n");
    let bad = user.file("bad.json", "{\"handle\":");
    let (wrong, none) = (user.file("wrong", "not that one\n"), user.path("none.csv"));
    user.act("clinic", &raw("a", &content));
    let offer = ["grant", "offer", "clinic/a", "--to", "works", "--right", "processing"];
    let offer = [&offer[..], &["--purpose", "commercial", "--territory", "CN"]].concat();
    user.act("clinic", &[&offer[..], &["--days", "30"]].concat());
    let zeros = format!("blake3:{}", "0".repeat(64));
    let twice = {
        let mut chain = user.node.chain.lock().unwrap();
        chain.forge_alike();
        chain.last_event().to_string()[..20].to_string()
    };
    let before = (files(user.home.path()), user.node.chain.lock().unwrap().received.len());
    let with = |words: &[&'static str], more: &[&str]| -> Vec<String> {
        words.iter().map(|w| w.to_string()).chain(more.iter().map(|w| w.to_string())).collect()
    };
    let register = |name: &'static str, split: &'static str, content: &str| {
        let own = ["asset", "register", name, "--stage", "raw", "--split", split, "--count-lines"];
        with(&[&own[..], &METADATA].concat(), &["--content", content, "--as", "clinic"])
    };
    let pay = |gross: &'static str, currency: &'static str| {
        let own = ["payment", "record", "01234567", "--tax", "0", "--bank-ref", "B-1"];
        with(&own, &["--currency", currency, "--gross", gross, "--as", "bourse"])
    };
    let offer = |more: &[&str]| {
        let words: Vec<String> = offer.iter().map(|w| w.to_string()).collect();
        let more = more.iter().chain(&["--as", "clinic"]).map(|w| w.to_string());
        words.into_iter().chain(more).collect::<Vec<_>>()
    };
    let mistakes = [
        // Names.
        (with(&["statement", "nobody"], &[]), "not_found", "is not recorded as of height"),
        (with(&["statement", "No Body"], &[]), "usage", "is not a handle"),
        (with(&["trace", "clinic/b", "--down"], &[]), "not_found", "clinic/b is not recorded"),
        (with(&["trace", "clinic", "--down"], &[]), "usage", "expected HANDLE/NAME"),
        (register("Bad Name", "10000/0/0/0", &content), "usage", "is not an asset name"),
        (with(&["grant", "accept", "01234567"], &["--as", "works"]), "not_found", "begins with"),
        (with(&["grant", "accept", "0123"], &["--as", "works"]), "usage", "at least 8"),
        (with(&["grant", "accept", "0123456x"], &["--as", "works"]), "usage", "hexadecimal"),
        (with(&["grant", "accept"], &[&twice, "--as", "works"]), "node", "several event ids"),
        (with(&["inbox", "approve", "--all", "gift"], &["--as", "works"]), "usage", "grant, "),
        // Numbers and dates.
        (pay("12.345", "CNY"), "usage", "does not have 2 decimals"),
        (pay("-5.00", "CNY"), "usage", "`-5.00` is not a number"),
        (pay("1,000.00", "CNY"), "usage", "is not a number"),
        (pay("1.00", "cny"), "usage", "is not a currency"),
        (offer(&["--days", "-3"]), "usage", "'-3'"),
        (offer(&["--until", "31.12.2026"]), "usage", "expected a date"),
        (offer(&["--until", "2020-01-01"]), "usage", "ends before it begins"),
        (offer(&[]), "usage", "--until <TIME>"),
        (register("b", "6000/2000/1000/0", &content), "usage", "9000 bp, expected 10000"),
        (with(&["statement", "clinic", "--at", "soon"], &[]), "usage", "'soon'"),
        // Files.
        (register("b", "10000/0/0/0", &none), "not_found", "none.csv"),
        (with(&["submit"], &[&none]), "not_found", "none.csv"),
        (with(&["member", "admit", "--from"], &[&bad, "--as", "bourse"]), "bad_input", "EOF"),
        (with(&["act"], &[&none, "--as", "works"]), "not_found", "none.csv"),
        (with(&["hash"], &[&none]), "not_found", "none.csv"),
        (with(&["status", "--pin", "--genesis"], &[&bad]), "bad_input", "not a genesis document"),
        // Keys.
        (with(&["grant", "accept", "01234567"], &[]), "usage", "which member acts"),
        (with(&["grant", "accept", "01234567"], &["--as", "lab"]), "not_found", "no key lab"),
        (
            with(&["grant", "accept", "01234567", "--as", "works"], &["--passphrase-file", &wrong]),
            "wrong_passphrase",
            "does not open the key works",
        ),
        (
            with(&["grant", "accept", "01234567", "--as", "works"], &["--passphrase-file", &none]),
            "not_found",
            "none.csv",
        ),
        (with(&["key", "import", "x", "--seed-file"], &[&content]), "bad_input", "no seed"),
        // The node and its chain.
        (with(&["status", "--node", "http://127.0.0.1:1"], &[]), "node", "no answer from"),
        (with(&["status", "--node", "127.0.0.1:26680"], &[]), "usage", "expected an address"),
        (with(&["status", "--chain-id"], &[&zeros]), "verification_failed", "is pinned to chain"),
        (with(&["status", "--chain-id", "1234"], &[]), "usage", "64 lower-case hexadecimal"),
    ];
    for (arguments, code, sentence) in &mistakes {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let error = user.errs(&arguments, code);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(sentence), "{arguments:?}: {message}");
        let chain = user.node.chain.lock().unwrap();
        let after = (files(user.home.path()), chain.received.len());
        assert!(after == before, "{arguments:?} left something");
    }
}

#[test]
fn arguments_that_cannot_be_read_are_told_with_an_example_of_that_command() {
    let user = User::new();
    for (arguments, message, hint) in [
        (
            &["grant", "accept"][..],
            "`headwater grant accept` needs <ID>",
            "for example: headwater grant accept 01234567",
        ),
        (
            &["grant", "offer", "--to", "works"],
            "`headwater grant offer` needs <ASSET>, --right <RIGHT>, --purpose",
            "for example: headwater grant offer ",
        ),
        (
            &["--node", "http://127.0.0.1:1", "key"],
            "`headwater key` needs a command: new,",
            "key new",
        ),
        (
            &["key", "shwo"],
            "unrecognized subcommand 'shwo'",
            "did you mean `show`; for example: headwater key show",
        ),
        (&["statment", "x"], "unrecognized subcommand 'statment'", "headwater statement"),
        (
            &["trace", "a/b", "--donw"],
            "'--donw'",
            "did you mean `--down`; for example: headwater trace",
        ),
        (&["trace", "a/b"], "`headwater trace` needs <--up|--down>", "headwater trace"),
        (
            &["hash", "x", "--records", "1", "--count-lines"],
            "cannot be used with",
            "headwater hash",
        ),
        (&["hash", "x", "--records"], "a value is required for '--records <N>'", "headwater hash"),
        (
            &["asset", "register", "x", "--stage", "rawe"],
            "'rawe' for '--stage <STAGE>': expected one of raw, processed, product",
            "for example: headwater asset register ",
        ),
    ] {
        let error = user.errs(arguments, "usage");
        let (said, told) = (error["message"].as_str().unwrap(), error["hint"].as_str().unwrap());
        assert!(said.contains(message), "{arguments:?}: {said}");
        assert!(told.contains(hint) && told.contains("--help` has more"), "{arguments:?}: {told}");
        assert!(!said.contains('\n') && !said.contains("Usage:"), "{arguments:?}: {said}");
    }
    // Alone it shows what there is; after `--`, `--json` is no option.
    let bare = user.run(&[]);
    assert_eq!((bare.status.code(), bare.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8(bare.stderr).unwrap().contains("Trade:\n  listing"));
    assert!(user.run(&["key", "--", "--json"]).stdout.is_empty());
}
