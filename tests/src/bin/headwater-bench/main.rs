//! The benchmark: what a network of four real validators records on this machine, each number
//! beside the machine's own limit, measured in the same run.
//!
//! Everything is bounded in count and in time. Nodes listen on loopback only and end with it.

mod hashing;
mod latency;
mod ledger;
mod lineage;
mod load;
mod machine;
mod network;
mod payments;
mod report;
mod storage;
mod worst;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::machine::Machine;
use crate::report::Report;

/// The node's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AFTER_HELP: &str = "\
The table goes to standard output, progress to standard error. Absolute numbers depend on the
machine; compare the column `of limit`, and numbers of one run only with numbers of that run.

Examples:
  headwater-bench
  headwater-bench --quick --json quick.json
  headwater-bench --events-only";

/// Measures a network of four validators and the ledger on this machine.
#[derive(Debug, Parser)]
#[command(name = "headwater-bench", version, after_help = AFTER_HELP)]
struct Args {
    /// Less of everything: under a minute, and less exact
    #[arg(long)]
    quick: bool,
    /// Only the dearest events, in this process; fails when one takes longer than the bound
    #[arg(long)]
    events_only: bool,
    /// Write the numbers to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Existing folder to work in; a new folder in it is removed at the end
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// Envelopes of one event.
    pub single_event_envelopes: usize,
    /// Envelopes of a hundred events.
    pub batch_envelopes: usize,
    /// No more is posted after this many seconds of a load.
    pub load_seconds: u64,
    /// Envelopes submitted one at a time.
    pub latency_samples: usize,
    /// One of so many samples is preceded by a second of silence.
    pub latency_pause_one_in: usize,
    /// Payments for each product.
    pub payments: usize,
    /// Size of the file to hash.
    pub hash_bytes: u64,
    /// Entries of the state map.
    pub map_entries: u64,
    /// Seconds for each of the machine's limits.
    pub limit_seconds: f64,
}

const FULL: Amount = Amount {
    single_event_envelopes: 40_000,
    batch_envelopes: 2_000,
    load_seconds: 40,
    latency_samples: 200,
    latency_pause_one_in: 10,
    payments: 1_000,
    hash_bytes: 1 << 30,
    map_entries: 1_000_000,
    limit_seconds: 2.0,
};

const QUICK: Amount = Amount {
    single_event_envelopes: 4_000,
    batch_envelopes: 200,
    load_seconds: 8,
    latency_samples: 24,
    latency_pause_one_in: 12,
    payments: 200,
    hash_bytes: 256 << 20,
    map_entries: 200_000,
    limit_seconds: 0.5,
};

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let started = Instant::now();
    let amount = if args.quick { QUICK } else { FULL };
    let parent = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new()
        .prefix("headwater-bench-")
        .tempdir_in(&parent)
        .with_context(|| format!("cannot make a folder in {}", parent.display()))?;
    let step = |what: &str| eprintln!("[{:>4.0} s] {what}", started.elapsed().as_secs_f64());

    let machine = Machine::read();
    let mut report = Report::default();
    let above = if args.events_only {
        worst::measure(&mut report)?
    } else if let Err(error) = measure(folder.path(), &amount, &machine, &step, &mut report) {
        eprintln!("hint: the nodes' folders and logs are kept in {}", folder.keep().display());
        return Err(error);
    } else {
        Vec::new()
    };
    step("done");

    let seconds = started.elapsed().as_secs_f64();
    let document = report.document(&machine, args.quick, seconds);
    print!("{}", report.table(&machine, args.quick, seconds));
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&document)? + "\n";
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if !above.is_empty() {
        let above = above.join(", ");
        bail!(
            "longer than the bound: {above}; a busy machine slows all: try again when it is idle"
        );
    }
    Ok(())
}

fn measure(
    folder: &Path,
    amount: &Amount,
    machine: &Machine,
    step: &dyn Fn(&str),
    report: &mut Report,
) -> Result<()> {
    step("the machine's limits");
    let limits = machine::Limits::measure(folder, amount.limit_seconds)?;
    limits.report(machine, report);
    step("the ledger in this process");
    let rates = ledger::Rates::measure(amount.limit_seconds)?;
    rates.report(&limits, report);
    ledger::state_map(amount.map_entries, report);
    step("payments behind lineages of 1, 100 and 10 000 ancestors");
    payments::measure(amount.payments, report)?;
    step("the dearest events");
    worst::measure(report)?;
    step("hashing a file");
    hashing::measure(folder, amount.hash_bytes, &limits, report)?;
    network::measure(folder, amount, machine, &limits, &rates, step, report)
}
