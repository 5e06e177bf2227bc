//! The real client as a process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::program;

/// The passphrase of every key in tests.
pub const PASSPHRASE: &str = "for tests and demonstrations";

/// A client with its own folder of keys, talking to one node.
#[derive(Clone)]
pub struct Client {
    /// Folder of keys and pinned state.
    pub home: PathBuf,
    /// The node.
    pub node: String,
}

impl Client {
    /// A client with this folder and node.
    pub fn new(home: &Path, node: &str) -> Self {
        Client { home: home.to_owned(), node: node.to_owned() }
    }

    /// Arguments that every call begins with, for people to copy.
    pub fn words(&self, acting: Option<&str>) -> Result<Vec<String>> {
        let mut words = vec![
            program("headwater")?.display().to_string(),
            "--home".into(),
            self.home.display().to_string(),
            "--node".into(),
            self.node.clone(),
        ];
        if let Some(handle) = acting {
            words.extend(["--as".into(), handle.into()]);
        }
        Ok(words)
    }

    /// Runs the client and gives whatever came of it.
    pub fn output(&self, acting: Option<&str>, arguments: &[&str]) -> Result<Output> {
        let words: Vec<OsString> = self.words(acting)?.into_iter().map(OsString::from).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(arguments);
        command.env("HEADWATER_PASSPHRASE", PASSPHRASE);
        command.output().with_context(|| format!("cannot run headwater {}", arguments.join(" ")))
    }

    /// Runs the client with `--json`; fails unless it succeeds.
    pub fn json(&self, acting: Option<&str>, arguments: &[&str]) -> Result<Value> {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let output = self.output(acting, &all)?;
        if !output.status.success() {
            bail!(
                "headwater {} failed: {}{}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("headwater {} printed no JSON", arguments.join(" ")))
    }

    /// Runs the client; fails unless it succeeds; gives what it printed.
    pub fn text(&self, acting: Option<&str>, arguments: &[&str]) -> Result<String> {
        let output = self.output(acting, arguments)?;
        if !output.status.success() {
            bail!(
                "headwater {} failed: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs the client with `--json`, expecting a refusal; gives its code.
    pub fn refusal(&self, acting: Option<&str>, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let output = self.output(acting, &all)?;
        if output.status.success() {
            bail!("headwater {} was not refused", arguments.join(" "));
        }
        let answer: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("no JSON: {}", String::from_utf8_lossy(&output.stdout)))?;
        Ok(answer["error"]["code"].as_str().context("no code")?.into())
    }
}
