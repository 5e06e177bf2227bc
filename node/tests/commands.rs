//! The commands of the real binary: what they make, what they refuse and what they find.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use headwater_ledger::genesis::Genesis;
use headwater_node::config::Config;
use headwater_node::home::Home;
use serde_json::Value;
use tempfile::TempDir;

/// What a command did.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }

    /// It failed with one cause chain and one hint.
    fn assert_fails(&self, error: &str, hint: &str) {
        assert_eq!(self.code, Some(1), "{} {}", self.out, self.err);
        let line = |begin: &str| self.err.lines().find_map(|l| l.strip_prefix(begin));
        let found = line("error: ").unwrap_or_else(|| panic!("no error line: {}", self.err));
        assert!(found.contains(error), "`{found}` does not say `{error}`");
        let found = line("hint: ").unwrap_or_default();
        assert!(found.contains(hint) && found.len() > 10, "hint: `{found}`");
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater-node"));
    command.args(args).env_remove("HEADWATER_NODE_HOME").env_remove("RUST_LOG");
    command
}

fn run(args: &[&str]) -> Ran {
    let output = command(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn folder() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made");
    (dir, path)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A port with two free ones after it, most likely.
fn base_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if (1..3).all(|n| TcpListener::bind(("127.0.0.1", port.saturating_add(n))).is_ok()) {
            return port;
        }
    }
}

/// A network of one validator that makes blocks fast, and the port of its API.
fn network(folder: &Path) -> (PathBuf, u16) {
    let port = base_port();
    let base = port.to_string();
    let args = [
        "testnet",
        "--output",
        text(folder),
        "--validators",
        "solo",
        "--base-port",
        &base,
        "--heartbeat-ms",
        "100",
        "--snapshot-every-heights",
        "4",
    ];
    run(&args).json();
    (folder.join("solo"), port)
}

/// A running node, ended when the test is.
struct Running {
    child: Child,
    port: u16,
}

impl Running {
    fn start(home: &Path, port: u16) -> Running {
        let mut command = command(&["start", "--home", text(home)]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Running { child, port }
    }

    /// The height that its API tells, once it answers.
    fn height(&self) -> Option<u64> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream
            .write_all(b"GET /health HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n")
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let body = answer.split_once("\r\n\r\n")?.1;
        serde_json::from_str::<Value>(body).ok()?["height"].as_u64()
    }

    fn reach(&mut self, height: u64) {
        let begun = Instant::now();
        while self.height().is_none_or(|h| h < height) {
            assert!(begun.elapsed() < Duration::from_secs(60), "height {height} is not reached");
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the node ended: {status}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as an operator would.
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A network of one that has run to at least this height and was stopped.
fn has_run(folder: &Path, height: u64) -> (PathBuf, u16) {
    let (home, port) = network(folder);
    let mut node = Running::start(&home, port);
    node.reach(height);
    node.stop();
    (home, port)
}

#[test]
fn init_makes_a_home_once_and_keeps_its_keys_secret() {
    let (_dir, path) = folder();
    let made = run(&["init", "--home", text(&path), "--moniker", "gz-1"]).json();
    let home = Home::at(&path);
    let keys = home.keys().unwrap();
    assert_eq!(made["consensus_key"], keys.signing_key().public_key().to_string());
    assert_eq!(made["peer_id"], keys.peer_id());
    assert_eq!(made["chain_id"], Value::Null);
    assert_eq!(Config::load(&home.config_file()).unwrap().moniker(), "gz-1");
    for file in [home.consensus_key_file(), home.network_key_file()] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert_ne!(keys.consensus, keys.network);

    let again = run(&["init", "--home", text(&path)]);
    again.assert_fails("holds a node already", "keys are never written over");
    // Without its configuration too: the keys are what must not be lost.
    fs::remove_file(home.config_file()).unwrap();
    let again = run(&["init", "--home", text(&path)]);
    again.assert_fails("holds a node already", "keys are never written over");
    assert_eq!(home.keys().unwrap().consensus, keys.consensus);
}

#[test]
fn init_takes_only_a_genesis_that_a_chain_can_begin_with() {
    let (dir, path) = folder();
    let net = dir.path().join("net");
    let (home, _) = network(&net);
    let genesis = Home::at(&home).genesis_file();
    let joined = run(&["init", "--home", text(&path), "--genesis", text(&genesis)]).json();
    let document: Genesis = serde_json::from_slice(&fs::read(&genesis).unwrap()).unwrap();
    assert_eq!(joined["chain_id"], document.chain_id().unwrap().to_string());
    assert_eq!(Home::at(&path).genesis().unwrap(), document);

    let other = dir.path().join("other");
    let broken = dir.path().join("broken.json");
    let ask = || run(&["init", "--home", text(&other), "--genesis", text(&broken)]);
    ask().assert_fails("cannot read the genesis document", "");
    fs::write(&broken, "{}").unwrap();
    ask().assert_fails("is not a genesis document", "");
    let mut alien = document.clone();
    alien.protocol = 99;
    fs::write(&broken, serde_json::to_vec(&alien).unwrap()).unwrap();
    ask().assert_fails("protocol version 99", "");
    let mut idle = document;
    idle.members = headwater_ledger::codec::List::default();
    fs::write(&broken, serde_json::to_vec(&idle).unwrap()).unwrap();
    ask().assert_fails("is not an exchange", "");
    assert!(!other.exists(), "half a home was made");
    fs::create_dir(&other).unwrap();
    fs::copy(&genesis, other.join("genesis.json")).unwrap();
    let both = run(&["init", "--home", text(&other), "--genesis", text(&genesis)]);
    both.assert_fails("exists already", "leave out --genesis");
    run(&["init", "--home", text(&other)]).json();
}

#[test]
fn testnet_makes_homes_that_belong_together() {
    let (_dir, path) = folder();
    let args = ["testnet", "--output", text(&path), "--validators", "gz,bj,sd", "--name", "pilot"];
    let made = run(&args).json();
    let nodes = made["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3);
    let mut ids = Vec::new();
    for (node, member) in nodes.iter().zip(["gz", "bj", "sd"]) {
        assert_eq!(node["member"], member);
        let home = Home::at(node["home"].as_str().unwrap());
        let config = Config::load(&home.config_file()).unwrap();
        assert_eq!((config.moniker(), config.consensus().peers.len()), (member, 2));
        assert_eq!(node["api"], format!("http://{}", config.api_listen()));
        let genesis = home.genesis().unwrap();
        assert_eq!(genesis.chain_id().unwrap().to_string(), made["chain_id"].as_str().unwrap());
        assert_eq!(genesis.name.as_str(), "pilot");
        let keys = home.keys().unwrap();
        let own = genesis.validators.iter().find(|v| v.member.as_str() == member).unwrap();
        assert_eq!(own.key, keys.signing_key().public_key());
        for secret in [home.consensus_key_file(), home.folder().join("member.seed")] {
            assert_eq!(mode(&secret), 0o600);
        }
        ids.push(keys.peer_id());
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
    run(&args).assert_fails("is not empty", "choose a folder");
}

#[test]
fn testnet_refuses_before_it_makes_anything() {
    let (dir, path) = folder();
    let ask = |more: &[&str]| run(&[&["testnet", "--output", text(&path)], more].concat());
    ask(&["--validators", "gz,bj,gz"]).assert_fails("named twice", "name each member once");
    ask(&["--base-port", "65530"]).assert_fails("the ports end at 65535", "");
    ask(&["--members", text(&dir.path().join("none.json"))]).assert_fails("cannot read", "");
    assert_eq!(ask(&["--validators", "Not A Handle"]).code, Some(2));
    assert_eq!(ask(&["--heartbeat-ms", "soon"]).code, Some(2));
    assert!(!path.exists(), "half a network was made");
    fs::write(&path, "a file").unwrap();
    ask(&[]).assert_fails("cannot read", "");
}

#[test]
fn bad_usage_is_exit_code_2_and_help_is_0() {
    for args in [&[][..], &["begin"], &["start"], &["init"], &["check", "--home"]] {
        assert_eq!(run(args).code, Some(2), "{args:?}");
    }
    for command in ["init", "testnet", "dev", "start", "reindex", "check", "scenario", "vouch"] {
        let help = run(&[command, "--help"]);
        assert!(help.code == Some(0) && help.out.contains("Usage:"), "{command}");
        let example = format!("\n  headwater-node {command}");
        assert!(help.out.contains(&example), "{command} has no example: {}", help.out);
    }
}

#[test]
fn arguments_that_cannot_be_read_are_told_with_an_example_of_that_command() {
    for (args, message, hint) in [
        (&["start"][..], "needs --home <DIR>", "headwater-node start --home net/gz-exchange"),
        (&["check", "--hme", "x"], "unexpected argument '--hme'", "headwater-node check --home"),
        (&["vouch", "--home", "x", "--height", "-1"], "'-1'", "headwater-node vouch --home"),
        (&["scenario"], "needs <FILE>...", "headwater-node scenario tests/scenarios"),
        (&["strat"], "unrecognized subcommand 'strat'", "did you mean `start`; for example: "),
        (&["testnet", "--validators", "Not A Handle"], "not a handle", "headwater-node testnet"),
    ] {
        let said = run(args);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{args:?}");
        let lines: Vec<&str> = said.err.lines().collect();
        assert_eq!(lines.len(), 2, "{}", said.err);
        assert!(lines[0].starts_with("error: ") && lines[0].contains(message), "{}", said.err);
        assert!(lines[1].starts_with("hint: ") && lines[1].contains(hint), "{}", said.err);

        let said = run(&[args, &["--json"]].concat());
        let told: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!((said.code, &told["error"]["code"]), (Some(2), &Value::from("usage")));
        assert_eq!(said.err, "");
    }
    // What fails later is one document too.
    let said = run(&["scenario", "/no/such.scenario", "--json"]);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &told["error"]["code"]), (Some(1), &Value::from("failed")));
    assert!(told["error"]["hint"].as_str().unwrap().starts_with("name files"), "{told}");
}

#[test]
fn what_is_wrong_with_a_home_is_said_with_a_hint() {
    let (_dir, path) = folder();
    let start = || run(&["start", "--home", text(&path)]);
    let missing = start();
    assert_eq!(missing.code, Some(1));
    assert!(missing.err.contains("hint: "), "{}", missing.err);
    run(&["init", "--home", text(&path)]).json();
    start().assert_fails("cannot read the genesis document", "genesis.json");

    let config = Home::at(&path).config_file();
    let good = fs::read_to_string(&config).unwrap();
    for (from, to) in [
        ("moniker = ", "nickname = "),
        ("[mempool]", "[mempol]"),
        ("max_waiting = 10000", "max_waiting = 10000000"),
        ("max_bytes = ", "max_bytes = -"),
    ] {
        assert!(good.contains(from), "{from}");
        fs::write(&config, good.replacen(from, to, 1)).unwrap();
        let failed = start();
        assert_eq!(failed.code, Some(1), "{to}");
        assert!(failed.err.contains("error: ") && failed.err.contains("hint: "), "{}", failed.err);
    }
}

#[test]
fn check_finds_a_log_whole_locked_or_damaged() {
    let (dir, _) = folder();
    let (home, port) = network(&dir.path().join("net"));
    let check = || run(&["check", "--home", text(&home)]);
    check().assert_fails("does not exist", "a node that has run");
    let mut node = Running::start(&home, port);
    node.reach(9);
    check().assert_fails("is locked", "");
    node.stop();

    let whole = run(&["check", "--home", text(&home), "--json"]).json();
    let height = whole["height"].as_u64().unwrap();
    assert!(height >= 9, "{whole}");
    assert_eq!((&whole["events"], &whole["removed_bytes"]), (&Value::from(0), &Value::from(0)));
    let said = check();
    assert!(said.out.contains(&format!("{height} blocks, 0 envelopes, 0 events: all valid")));
    assert!(said.out.contains(whole["state_root"].as_str().unwrap()));

    let segment = home.join("log/segment-00000000000000000001.hwl");
    let good = fs::read(&segment).unwrap();
    // Anywhere before the last block, a flipped bit is damage. The log is not touched.
    for at in [0, 60, 119, 120, 200, 700, good.len() / 2] {
        let mut bad = good.clone();
        bad[at] ^= 4;
        fs::write(&segment, &bad).unwrap();
        let found = check();
        assert_eq!(found.code, Some(1), "byte {at}: {}", found.out);
        assert!(found.err.starts_with("error: "), "{}", found.err);
        assert_eq!(fs::read(&segment).unwrap(), bad, "the damaged log was changed");
    }
    // Snapshots tell when whole blocks are missing at the end.
    fs::write(&segment, &good[..good.len() / 3]).unwrap();
    check().assert_fails("but a snapshot has", "the log lost blocks");
}

#[test]
fn a_log_of_another_chain_is_refused() {
    let (dir, _) = folder();
    let (home, _) = has_run(&dir.path().join("net"), 2);
    let (other, _) = network(&dir.path().join("other"));
    fs::copy(other.join("genesis.json"), home.join("genesis.json")).unwrap();
    for command in ["start", "check", "reindex"] {
        run(&[command, "--home", text(&home)]).assert_fails("belongs to the chain", "");
    }
}

#[test]
fn reindex_makes_a_lost_index_again_and_the_node_goes_on() {
    let (dir, _) = folder();
    let (home, port) = has_run(&dir.path().join("net"), 6);
    let height = run(&["check", "--home", text(&home), "--json"]).json()["height"].clone();
    for lose_index in [true, false] {
        if lose_index {
            fs::remove_dir_all(home.join("index")).unwrap();
        }
        let ran = run(&["reindex", "--home", text(&home)]);
        assert_eq!(
            (ran.code, ran.out),
            (Some(0), format!("indexed {height} blocks\n")),
            "{}",
            ran.err
        );
    }
    // Damaged beyond reading, the index is made again by the node itself.
    fs::write(home.join("index/db"), b"not a database").unwrap();
    let mut node = Running::start(&home, port);
    node.reach(height.as_u64().unwrap() + 2);
    node.stop();
}

#[test]
fn vouching_needs_a_yes() {
    let (_dir, path) = folder();
    run(&["init", "--home", text(&path)]).json();
    let said = run(&["vouch", "--home", text(&path), "--height", "5"]);
    said.assert_fails("a false word can fork the chain", "");
}

/// A story and what its lines come to.
fn story(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

const WORLD: &str = "member gz-exchange: exchange\nmember chest-hospital: holder\n";

#[test]
fn the_stories_of_the_repository_come_out_as_written() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/scenarios");
    let told = run(&["scenario", folder, "--json"]).json();
    let files = told["files"].as_array().unwrap();
    assert!(files.len() >= 10 && told["steps"].as_u64().unwrap() >= 100, "{told}");
    assert_eq!(told["steps"], told["as_expected"]);
    assert_eq!(told["mistakes"], serde_json::json!([]));

    let said = run(&["scenario", folder]);
    assert_eq!(said.code, Some(0), "{}", said.out);
    assert_eq!(said.out.lines().count(), files.len() + 1);
    for (line, file) in said.out.lines().zip(files) {
        let (name, steps) = (file["file"].as_str().unwrap(), &file["steps"]);
        assert_eq!(line, format!("{name}: {steps} steps, {steps} as expected"));
    }
    let (files, steps) = (files.len(), &told["steps"]);
    let total = format!("{files} files, {steps} steps, {steps} as expected");
    assert_eq!(said.out.lines().last(), Some(total.as_str()));
}

#[test]
fn a_story_that_comes_out_otherwise_is_told_with_line_code_and_hint() {
    let (dir, _) = folder();
    let good = format!("{WORLD}as chest-hospital: register raw scans\n");
    let bad = format!(
        "{good}as chest-hospital: register raw scans\nexpect derivations of chest-hospital/scans = 2\n"
    );
    let good = story(dir.path(), "good.scenario", &good);
    let bad = story(dir.path(), "bad.scenario", &bad);
    let said = run(&["scenario", text(&good), text(&bad)]);
    said.assert_fails("2 steps came out otherwise, 0 files have mistakes", "told above");
    let bad_name = text(&bad);
    let lines: Vec<&str> = said.out.lines().map(str::trim).collect();
    for line in [
        format!("{}: 1 steps, 1 as expected", text(&good)),
        format!("{bad_name}: 3 steps, 1 as expected"),
        format!("{bad_name}:4: as chest-hospital: register raw scans"),
        format!("{bad_name}:5: expect derivations of chest-hospital/scans = 2"),
        "expected: ok".into(),
        "came:     0".into(),
        "2 files, 4 steps, 2 as expected".into(),
    ] {
        assert!(lines.contains(&line.as_str()), "`{line}` is not in\n{}", said.out);
    }
    assert!(said.out.contains("came:     reject NAME_TAKEN: "), "{}", said.out);
    assert!(said.out.contains("hint:     "), "{}", said.out);

    let said = run(&["scenario", text(&bad), "--json"]);
    assert_eq!(said.code, Some(1));
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let failure = &told["files"][0]["failures"][0];
    assert_eq!((&failure["line"], &failure["expected"]), (&Value::from(4), &Value::from("ok")));
    assert_eq!((&told["steps"], &told["as_expected"]), (&Value::from(3), &Value::from(1)));
}

#[test]
fn a_story_that_cannot_be_read_is_not_run_and_the_others_are() {
    let (dir, path) = folder();
    let good = format!("{WORLD}as chest-hospital: register raw scans\n");
    let good = story(dir.path(), "good.scenario", &good);
    let torn = format!("{WORLD}as chest-hospital: regster raw scans\nat 2027-02-30\n");
    let torn = story(dir.path(), "torn.scenario", &torn);
    let said = run(&["scenario", text(&torn), text(&good)]);
    said.assert_fails("0 steps came out otherwise, 1 files have mistakes", "docs/scenarios.md");
    let told = format!("{}:3: `regster raw` is no verb; did you mean `register`?", text(&torn));
    assert!(said.out.contains(&told), "{}", said.out);
    assert!(said.out.contains("good.scenario: 1 steps, 1 as expected"), "{}", said.out);
    let said = run(&["scenario", text(&torn), "--json"]);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert!(told["mistakes"][0].as_str().unwrap().contains("torn.scenario:3: "), "{told}");

    let missing = dir.path().join("missing.scenario");
    run(&["scenario", text(&missing)]).assert_fails("missing.scenario: No such file", "name files");
    fs::create_dir(&path).unwrap();
    run(&["scenario", text(&path)])
        .assert_fails("no file ends in `.scenario` there", "name a file");
    fs::write(dir.path().join("bytes.scenario"), [0xff, 0xfe, 0]).unwrap();
    let said = run(&["scenario", text(&dir.path().join("bytes.scenario"))]);
    said.assert_fails("bytes.scenario", "");
    assert_eq!(run(&["scenario"]).code, Some(2));
    assert!(run(&["scenario", "--help"]).out.contains("headwater-node scenario tests/scenarios"));
}
