//! A user with a home folder of their own and nothing in the environment.

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub struct User {
    pub home: TempDir,
    /// The node asked where the arguments name none.
    node: String,
}

impl User {
    /// A user without a node.
    pub fn new() -> Self {
        Self::of("http://127.0.0.1:1")
    }

    /// A user of the node at this address.
    pub fn of(node: &str) -> Self {
        User { home: tempfile::tempdir().unwrap(), node: node.to_string() }
    }

    pub fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_str().unwrap().to_string()
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HEADWATER_")) {
            command.env_remove(name);
        }
        command.args(arguments).stdin(Stdio::null());
        command.env("HEADWATER_HOME", self.path("home")).env("HEADWATER_NODE", &self.node);
        command
    }

    /// With a passphrase in the environment.
    pub fn unlocking(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.env("HEADWATER_PASSPHRASE", "correct horse");
        command
    }

    /// Runs with a passphrase in the environment.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.unlocking(arguments).output().unwrap()
    }

    /// Runs with `--json`, expects this exit code, and gives the one document printed.
    pub fn json(&self, arguments: &[&str], code: i32) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        let lines = output.stdout.iter().filter(|&&b| b == b'\n').count();
        assert_eq!(lines, 1, "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Errs: as JSON with this code, a sentence, a hint and the exit code that belongs to it; for
    /// people as the same sentence and hint on standard error, and nothing on standard output.
    pub fn errs(&self, arguments: &[&str], code: &str) -> Value {
        let exit = match code {
            "usage" => 2,
            "verification_failed" => 3,
            _ => 1,
        };
        let error = self.json(arguments, exit)["error"].clone();
        assert_eq!(error["code"], code, "{arguments:?}: {error}");
        for part in ["message", "hint"] {
            let said = error[part].as_str().unwrap_or_default();
            assert!(said.len() > 10, "{arguments:?}: no {part}: {error}");
        }
        let plain = self.run(arguments);
        let said = String::from_utf8(plain.stderr).unwrap();
        assert_eq!((plain.status.code(), plain.stdout.len()), (Some(exit), 0), "{arguments:?}");
        let hint = format!("\nhint: {}\n", error["hint"].as_str().unwrap());
        assert!(said.contains("error: ") && said.ends_with(&hint), "{arguments:?}: {said}");
        error
    }
}
