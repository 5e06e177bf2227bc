//! `scenario`: stories in text files, run on the rules in memory.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use headwater_ledger::scenario::{Report, Scenario};
use serde_json::json;

use super::print_json;
use crate::hint::hinted;

/// Most bytes of a file.
const MAX_BYTES: u64 = 16 << 20;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  headwater-node scenario tests/scenarios\n  headwater-node scenario story.scenario --json\n\nA story says who is there, what each member does, and what must come of it:\n\n  member gz-exchange: exchange\n  member chest-hospital: holder\n  as chest-hospital: register raw fna-2026 records 300\n  as chest-hospital: register raw fna-2026 -> reject NAME_TAKEN\n\ndocs/scenarios.md describes the whole language. No network is needed: the rules run in memory."
)]
pub(super) struct Args {
    /// Files, or folders whose files end in `.scenario`
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The files of the arguments, folders expanded, in order.
fn expand(path: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let shown = || format!("cannot read the folder {}", path.display());
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect())
        .with_context(shown)?;
    entries.sort();
    for entry in entries {
        let link = entry.symlink_metadata().is_ok_and(|m| m.is_symlink());
        if entry.is_dir() && !link || entry.extension().is_some_and(|e| e == "scenario") {
            expand(&entry, found)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    let shown = || format!("cannot read {}", path.display());
    let bytes = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) => {
            let text = format!("cannot read {}: {error}", path.display());
            return Err(hinted(text, "name files, or folders with files that end in `.scenario`"));
        }
    };
    if bytes > MAX_BYTES {
        let text = format!("{} has {bytes} bytes, at most {MAX_BYTES}", path.display());
        return Err(hinted(text, "divide the story into several files"));
    }
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => {
            hinted(format!("{} is not text in UTF-8", path.display()), "name a story's file")
        }
        _ => anyhow::Error::new(error).context(shown()),
    })
}

pub(super) fn run(args: &Args) -> Result<()> {
    let mut paths = Vec::new();
    for path in &args.files {
        expand(path, &mut paths)?;
    }
    if paths.is_empty() {
        let text = "no file ends in `.scenario` there";
        return Err(hinted(text, "name a file, or a folder with files that end in `.scenario`"));
    }
    let (mut reports, mut mistakes) = (Vec::new(), Vec::new());
    for path in &paths {
        let file = path.display().to_string();
        match Scenario::parse(&file, &read(path)?) {
            Ok(story) => reports.push(story.run()),
            Err(found) => mistakes.extend(found.iter().map(ToString::to_string)),
        }
        if !args.json {
            tell(reports.last().filter(|r| r.file == file), &mut mistakes)?;
        }
    }
    let steps: usize = reports.iter().map(|r| r.steps).sum();
    let as_expected: usize = reports.iter().map(|r| r.as_expected).sum();
    let unread = paths.len() - reports.len();
    let good = steps == as_expected && unread == 0;
    if args.json {
        print_json(&json!({
            "files": reports, "mistakes": mistakes, "steps": steps, "as_expected": as_expected,
        }))?;
    } else {
        let files = paths.len();
        writeln!(io::stdout(), "{files} files, {steps} steps, {as_expected} as expected")?;
    }
    if good {
        return Ok(());
    }
    let otherwise = steps - as_expected;
    let text = format!("{otherwise} steps came out otherwise, {unread} files have mistakes");
    let hint = "each is told above with its line; docs/scenarios.md has the language";
    Err(hinted(text, hint).context(CameOtherwise))
}

/// Every file was looked at and told of, and not all is as it should be.
#[derive(Debug, thiserror::Error)]
#[error("not everything came out as written")]
pub(super) struct CameOtherwise;

/// Prints what came of one file; its mistakes when it could not be read.
fn tell(report: Option<&Report>, mistakes: &mut Vec<String>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let Some(report) = report else {
        return mistakes.drain(..).try_for_each(|mistake| writeln!(out, "{mistake}"));
    };
    let Report { file, steps, as_expected, failures } = report;
    writeln!(out, "{file}: {steps} steps, {as_expected} as expected")?;
    for failure in failures {
        writeln!(out, "{file}:{}: {}", failure.line, failure.step)?;
        writeln!(out, "  expected: {}\n  came:     {}", failure.expected, failure.came)?;
        if let Some(hint) = &failure.hint {
            writeln!(out, "  hint:     {hint}")?;
        }
    }
    Ok(())
}
