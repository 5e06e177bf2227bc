//! Evidence: what a node said when it was caught in a lie.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::chain::Pinned;
use super::http::{Exchange, Node};
use crate::failure::{Failure, Kind};
use crate::keystore::write_new;

#[derive(Serialize)]
struct Evidence<'a> {
    time_ms: u64,
    node: String,
    reason: &'a str,
    pinned: Option<&'a Pinned>,
    exchange: &'a Exchange,
}

/// Keeps what the node said and gives the failure to end with. Exit code 3.
pub(super) fn accuse(
    home: &Path,
    node: &Node,
    pinned: Option<&Pinned>,
    exchange: &Exchange,
    reason: &str,
) -> Failure {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
    let time_ms = u64::try_from(now).unwrap_or(u64::MAX);
    let evidence = Evidence { time_ms, node: node.url().to_string(), reason, pinned, exchange };
    let message = format!("the node's answer is not proved: {reason}");
    match save(home, time_ms, &evidence) {
        Ok(path) => Failure::new(
            Kind::VerificationFailed,
            format_args!("{message}; the evidence is in {}", path.display()),
        )
        .hint("ask another node with --node, and show the evidence to the regulator"),
        Err(failure) => Failure::new(
            Kind::VerificationFailed,
            format_args!("{message}; the evidence could not be kept: {failure}"),
        )
        .hint("ask another node with --node"),
    }
}

fn save(home: &Path, time_ms: u64, evidence: &Evidence<'_>) -> Result<PathBuf, Failure> {
    let folder = home.join("evidence");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| Failure::io("create the folder", &folder, &error))?;
    let mut bytes =
        serde_json::to_vec_pretty(evidence).map_err(|error| Failure::new(Kind::Io, error))?;
    bytes.push(b'\n');
    // Several commands may be lied to within one millisecond.
    let names = (0..100).map(|n| match n {
        0 => format!("{time_ms}.json"),
        n => format!("{time_ms}-{n}.json"),
    });
    let mut path = folder.clone();
    for name in names {
        path = folder.join(name);
        match write_new(&path, &bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Failure::io("write", &path, &error)),
            Ok(()) => return Ok(path),
        }
    }
    Err(Failure::new(Kind::AlreadyExists, format_args!("{} exists already", path.display())))
}
