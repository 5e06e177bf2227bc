//! `check` and `reindex`: everything derived again from the block log.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};
use headwater_ledger::block::Block;
use headwater_ledger::light::LightBlock;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{HomeArg, print_json, start};
use crate::chain::{apply, decode_certificate, execute, genesis_point};
use crate::config::Config;
use crate::hint::hinted;
use crate::home::Home;
use crate::opening::require_log;
use crate::store::disk::RealDisk;
use crate::store::index::SledIndex;
use crate::store::log::BlockLog;
use crate::store::snapshot::Snapshots;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  headwater-node check --home net/gz-exchange\n\nThe node must not be running. What is verified is\nthe block log against the genesis document; snapshots only tell how far the log must reach."
)]
pub(super) struct Args {
    #[command(flatten)]
    home: HomeArg,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

fn bar(total: u64) -> ProgressBar {
    // Hidden unless standard error is a terminal.
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} blocks, {eta} left");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

pub(super) fn run(args: &Args) -> Result<()> {
    let home = args.home.home();
    let genesis = home.genesis()?;
    let chain_id = genesis.chain_id()?;
    let started = Instant::now();
    if !home.log_folder().is_dir() {
        let text = format!("{} does not exist", home.log_folder().display());
        return Err(hinted(text, "pass the folder of a node that has run: --home DIR"));
    }
    let (disk, raw_id) = (Arc::new(RealDisk), *chain_id.digest().raw());
    let (log, recovery) = BlockLog::open(disk.clone(), &home.log_folder(), raw_id)?;
    if let Some(torn) = &recovery.torn {
        eprintln!("an unfinished block of {} bytes at the end of the log was removed", torn.bytes);
    }
    require_log(&log, &Snapshots::open(disk, &home.snapshots_folder(), raw_id)?)?;
    let mut point = genesis_point(&genesis, &chain_id)?;
    let (mut events, mut envelopes) = (0u64, 0u64);
    let progress = bar(log.tip());
    for height in 1..=log.tip() {
        let Some(record) = log.read(height)? else { bail!("the log has no block {height}") };
        let certificate = decode_certificate(&record.certificate)?;
        let block = Block::from_bytes(&record.block)?;
        let header = block.header.clone();
        let set = point.next.clone();
        let outcome = execute(chain_id, &point, block, |_| false, apply)
            .map_err(|e| anyhow::anyhow!("block {height} is not valid: {e}"))?;
        let light = LightBlock { header, certificate, validators: set.validators().to_vec() };
        light
            .verify(&chain_id, &set.hash()?)
            .map_err(|e| anyhow::anyhow!("block {height} is not certified: {e}"))?;
        events += u64::from(outcome.header.events);
        envelopes += u64::from(outcome.header.envelopes);
        point = crate::chain::advance(&outcome, light)?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    let root = point.state.root();
    let (protocol, rulebook) = point.versions()?;
    if args.json {
        return print_json(&json!({
            "height": point.height, "state_root": root, "chain_id": chain_id,
            "protocol": protocol, "rulebook": rulebook,
            "envelopes": envelopes, "events": events, "seconds": seconds,
            "removed_bytes": recovery.torn.map_or(0, |torn| torn.bytes),
        }));
    }
    println!("{} blocks, {envelopes} envelopes, {events} events: all valid", point.height);
    println!("state root {root}");
    println!("protocol version {protocol}, rulebook {rulebook}");
    println!("{:.0} events/s", events as f64 / seconds.max(1e-9));
    Ok(())
}

/// Rebuilds the query indexes.
pub(super) fn reindex(home: &Home) -> Result<()> {
    let config = Config::load(&home.config_file())?;
    let genesis = home.genesis()?;
    let disk = Arc::new(RealDisk);
    // Taking the log's lock first makes sure that no node is running on this folder.
    let log = BlockLog::open(disk, &home.log_folder(), *genesis.chain_id()?.digest().raw())?;
    SledIndex::delete(&home.index_folder())?;
    drop(log);
    let app = start::open(home, &config, genesis)?;
    app.settle();
    println!("indexed {} blocks", app.index().height());
    Ok(())
}
