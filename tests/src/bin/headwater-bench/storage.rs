//! What is left on disk, and how fast the log is derived again from it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use headwater_tests::{Cluster, program};
use serde_json::{Value, json};

use crate::ledger::Rates;
use crate::machine::Limits;
use crate::report::{Report, quantity};

/// What the log of a node must hold.
pub struct Expected {
    /// Events in envelopes of one.
    pub single_events: u64,
    /// Events in envelopes of a hundred.
    pub batch_events: u64,
}

/// Bytes that the files below a folder take on the disk.
fn disk_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes +=
            if metadata.is_dir() { disk_bytes(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}

/// Runs `headwater-node check` on a stopped node and reports; then what its folders hold.
pub fn replay(
    home: &Path,
    expected: &Expected,
    limits: &Limits,
    rates: &Rates,
    report: &mut Report,
) -> Result<()> {
    let mut check = Command::new(program("headwater-node")?);
    let output = check.args(["check", "--json", "--home"]).arg(home).output()?;
    if !output.status.success() {
        bail!("check failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let field = |name: &str| found[name].as_f64().with_context(|| format!("no {name}: {found}"));
    let (events, envelopes) = (field("events")?, field("envelopes")?);
    let (height, seconds) = (field("height")?, field("seconds")?);
    let all = expected.single_events + expected.batch_events;
    if events as u64 != all {
        bail!("the log holds {events} events, {all} were recorded");
    }
    let log = disk_bytes(&home.join("log"))? as f64;
    let index = disk_bytes(&home.join("index"))? as f64;
    // What one core needs for the same envelopes without a log, certificates or headers.
    let alone = expected.single_events as f64 * rates.single.seconds()
        + expected.batch_events as f64 / 100.0 * rates.batch.seconds();
    let signatures = envelopes / limits.ed25519_verifications_per_s;
    report.section("headwater-node check: everything derived again from the log, one core");
    let what = format!("replay of {height} blocks");
    let (per_s, bound) = (events / seconds, events / alone);
    report.against(
        &what,
        quantity(per_s, "events/s"),
        "the ledger alone",
        quantity(bound, "events/s"),
    );
    report.line("read from the log", quantity(log / 1e6 / seconds, "MB/s"));
    report.json(
        "replay",
        json!({
            "blocks": height,
            "envelopes": envelopes,
            "events": events,
            "log_bytes": log,
            "seconds": seconds,
            "events_per_s": per_s,
            "log_mb_per_s": log / 1e6 / seconds,
            "ledger_alone_events_per_s": bound,
            "ratio_to_ledger_alone": per_s / bound,
            "signature_part_of_time": signatures / seconds,
        }),
    );
    report.section("on disk, each node");
    report.line("block log", quantity(log / events, "bytes/event"));
    report.line("query index", quantity(index / events, "bytes/event"));
    report.json(
        "disk",
        json!({
            "events": events,
            "log_bytes_per_event": log / events,
            "index_bytes_per_event": index / events,
        }),
    );
    Ok(())
}

/// Starts the stopped nodes again with a snapshot at every height, until the first has written one
/// of the state that holds all these events; reports its size.
pub fn snapshot(cluster: &mut Cluster, events: u64, report: &mut Report) -> Result<()> {
    let homes: Vec<_> = cluster.nodes.iter().map(|node| node.home.clone()).collect();
    for home in &homes {
        let path = home.join("config.toml");
        let text = fs::read_to_string(&path)?;
        let lines = text.lines().map(|line| match line.starts_with("snapshot_every_heights") {
            true => "snapshot_every_heights = 1",
            false => line,
        });
        fs::write(&path, lines.collect::<Vec<_>>().join("\n") + "\n")?;
    }
    for place in 0..cluster.nodes.len() {
        cluster.start(place)?;
    }
    let folder = cluster.nodes[0].home.join("snapshots");
    headwater_tests::cluster::wait("a snapshot", || {
        let complete = fs::read_dir(&folder).into_iter().flatten().flatten();
        Ok(complete.count() >= 2)
    })?;
    stop(cluster)?;
    let mut sizes = Vec::new();
    for entry in fs::read_dir(&folder)? {
        sizes.push(entry?.metadata()?.blocks() * 512);
    }
    let largest = sizes.into_iter().max().context("no snapshot was written")? as f64;
    report.line("one state snapshot", quantity(largest / events as f64, "bytes/event"));
    report.json(
        "snapshot",
        json!({
            "events": events,
            "bytes": largest,
            "snapshot_bytes_per_event": largest / events as f64,
        }),
    );
    Ok(())
}

/// Asks every node to stop, once all have the same blocks, and waits for it.
pub fn stop(cluster: &mut Cluster) -> Result<()> {
    cluster.wait_for_agreement()?;
    for place in 0..cluster.nodes.len() {
        if !cluster.stop(place)? {
            bail!("{} did not end well", cluster.nodes[place].name);
        }
    }
    Ok(())
}
