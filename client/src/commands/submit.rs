//! `headwater submit`: signs and sends a file of envelopes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use headwater_ledger::keys::SigningKey;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::batch::input::{Batch, Line};
use crate::batch::journal::{Journal, Past};
use crate::batch::prepare::Signer;
use crate::batch::report::{LineReport, Summary};
use crate::batch::run::{AfterRefusal, Run};
use crate::build::SigningArgs;
use crate::failure::{Failure, Kind};
use crate::keystore::KeyName;
use crate::output::{Format, Page, Report};
use crate::remote::Connection;
use crate::session::Session;

const AFTER_HELP: &str = "\
Examples:
  headwater submit registrations.ndjson
  headwater submit registrations.ndjson --report report.ndjson --keep-going
  headwater submit registrations.ndjson --dry-run
  headwater submit payments.ndjson --also-key first-exchange+treasurer

One envelope a line, signed with the author's key from the home folder (HANDLE or HANDLE+LABEL):
  {\"author\":\"clinic\",\"label\":\"scans\",\"events\":[{\"register_asset\":{…}}]}
  {\"author\":\"clinic\",\"label\":\"offer\",\"events\":[{\"offer_grant\":{\"asset\":\"clinic/scans\",…}}]}
  {\"author\":\"works\",\"events\":[{\"accept_grant\":{\"grant\":\"$offer\"}}]}
Events are in the ledger's JSON. \"asset\" and \"revises\" may be HANDLE/NAME; \"$label\" is what the
first event of that earlier line makes, \"$label.N\" what its event N makes, from 0; \"schedule\" of a
contract may be \"auto\". The whole file is checked before anything is sent.

Lines that only register assets without inputs are sent up to 64 at a time; every other line waits
for all before it. FILE.journal keeps the signed bytes, so that the command can be run again after
any interruption: nothing is recorded twice, and recorded lines are skipped. Lines that were
refused may be corrected and lines may be added; recorded lines must stay as they are.

One JSON report a line, in order:
  {\"line\",\"label\",\"status\":\"recorded|refused|waiting|pending|failed\",\"earlier\",\"envelope\",
   \"height\",\"index\",\"made\":[{\"event\",\"kind\",\"id\",\"name\"}]}  and where not recorded
  \"code\",\"message\",\"hint\",\"rule\",\"final\"
and at the end {\"summary\":{\"envelopes\",\"recorded\",\"earlier\",\"refused\",\"outstanding\",\"not_tried\"}}
on standard output with --json, else a line on standard error. Exit code 1 unless all is recorded.";

/// Arguments of `headwater submit`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct SubmitArgs {
    /// File with one envelope a line
    file: PathBuf,
    /// File for the report lines, instead of standard output
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Go on after a line that is not recorded
    #[arg(long)]
    keep_going: bool,
    /// Check the file; sign and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Further key that signs every line of its member too, for acts that need two: HANDLE+LABEL
    #[arg(long = "also-key", value_name = "KEY", value_delimiter = ',')]
    also_keys: Vec<KeyName>,
    #[command(flatten)]
    signing: SigningArgs,
}

impl SubmitArgs {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        let warn = |text: String| session.output.warn(text);
        let batch = Batch::read(&self.file, self.signing.strict, &warn)?;
        if self.dry_run {
            let envelopes = batch.lines().len() as u64;
            return session.output.report(&Checked { dry_run: true, envelopes });
        }
        let connection = Connection::open(session)?;
        let journal = Journal::open(Journal::path(&self.file), &connection.chain_id())?;
        journal.check(batch.lines())?;
        let keys = unlock(session, batch.lines(), &journal, &self.also_keys)?;
        let mut sink = self.sink()?;
        let bar = progress(batch.lines().len() as u64);
        let signer = Signer {
            connection: &connection,
            batch: &batch,
            keys,
            also_keys: self.also_keys,
            signing: self.signing,
            recorded: RefCell::default(),
        };
        let after_refusal = if self.keep_going { AfterRefusal::GoOn } else { AfterRefusal::Stop };
        let run = Run { signer, journal, after_refusal };
        let done = run.work(&mut |report| {
            bar.suspend(|| sink.line(report))?;
            bar.inc(1);
            Ok(())
        });
        bar.finish_and_clear();
        let summary = done.map_err(|failure| interrupted(failure, &self.file))?;
        finish(session, &summary, &self.file)
    }

    fn sink(&self) -> Result<Sink, Failure> {
        let Some(path) = &self.report else { return Ok(Sink { file: None }) };
        let file = File::create(path).map_err(|e| Failure::io("write the report", path, &e))?;
        Ok(Sink { file: Some((path.clone(), BufWriter::new(file))) })
    }
}

/// Unlocks each key once: those of the authors of the lines that are not recorded yet.
fn unlock(
    session: &Session,
    lines: &[Line],
    journal: &Journal,
    also_keys: &[KeyName],
) -> Result<BTreeMap<KeyName, SigningKey>, Failure> {
    let keystore = session.keystore();
    let open =
        lines.iter().filter(|line| !matches!(journal.past(line), Some(Past::Recorded { .. })));
    let mut names: BTreeSet<&KeyName> = open.map(|line| &line.author).collect();
    let authors: BTreeSet<_> = names.iter().map(|name| &name.handle).collect();
    let also: Vec<_> = also_keys.iter().filter(|key| authors.contains(&key.handle)).collect();
    names.extend(also);
    // All missing keys are told before any passphrase is asked for.
    for name in &names {
        keystore.info(name)?;
    }
    let unlock = |name: &KeyName| {
        let key = keystore.unlock(name, &session.passphrase(name)?)?;
        Ok((name.clone(), key))
    };
    names.into_iter().map(unlock).collect()
}

/// Where report lines go.
struct Sink {
    file: Option<(PathBuf, BufWriter<File>)>,
}

impl Sink {
    fn line(&mut self, report: &LineReport) -> Result<(), Failure> {
        let mut bytes = serde_json::to_vec(report).map_err(|e| Failure::new(Kind::Io, e))?;
        bytes.push(b'\n');
        match &mut self.file {
            None => {
                let mut out = io::stdout().lock();
                let written = out.write_all(&bytes).and_then(|()| out.flush());
                written.map_err(|error| Failure::output(&error))
            }
            // Flushed line by line: whoever watches the file sees how far it got.
            Some((path, file)) => file
                .write_all(&bytes)
                .and_then(|()| file.flush())
                .map_err(|error| Failure::io("write the report", path, &error)),
        }
    }
}

/// A bar over the envelopes on standard error; invisible unless that is a terminal.
fn progress(envelopes: u64) -> ProgressBar {
    let target = match io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr_with_hz(10),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(envelopes), target);
    let template = "{bar:40} {pos} of {len} envelopes, {per_sec}, {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn interrupted(failure: Failure, file: &Path) -> Failure {
    let again = format!(
        "run `headwater submit {}` again to go on: nothing is recorded twice",
        file.display()
    );
    if matches!(failure.kind(), Kind::ReaderGone | Kind::BadInput) {
        return failure;
    }
    let hint = format!("{}; {again}", failure.hint_text());
    failure.hint(hint)
}

fn finish(session: &Session, summary: &Summary, file: &Path) -> Result<(), Failure> {
    match session.output.format() {
        Format::Json => session.output.report(&Ended { summary: *summary })?,
        Format::Human => {
            // Standard output holds reports alone.
            let _ = writeln!(io::stderr(), "{}", sentence(summary));
        }
    }
    if summary.is_complete() {
        return Ok(());
    }
    let missing = summary.envelopes - summary.recorded - summary.earlier;
    let message = format!("{missing} of {} envelopes are not recorded", summary.envelopes);
    Err(Failure::new(Kind::Refused, message).hint(format_args!(
        "see the report; correct the lines refused and run `headwater submit {}` again: recorded \
         lines are skipped",
        file.display()
    )))
}

fn sentence(summary: &Summary) -> String {
    let counts = [
        (summary.earlier, "of them by an earlier run"),
        (summary.refused, "refused"),
        (summary.outstanding, "outstanding"),
        (summary.not_tried, "not tried"),
    ];
    let recorded = summary.recorded + summary.earlier;
    let mut text = format!("{recorded} of {} envelopes recorded", summary.envelopes);
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {count} {what}"));
    }
    text
}

#[derive(Serialize)]
struct Ended {
    summary: Summary,
}

impl Report for Ended {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.line(sentence(&self.summary))
    }
}

#[derive(Serialize)]
struct Checked {
    dry_run: bool,
    envelopes: u64,
}

impl Report for Checked {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.line(format_args!("{} envelopes, all well formed; nothing was sent", self.envelopes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_only_what_happened() {
        let all = Summary { envelopes: 2, recorded: 2, ..Summary::default() };
        assert_eq!(sentence(&all), "2 of 2 envelopes recorded");
        let some = Summary {
            envelopes: 5,
            recorded: 1,
            earlier: 2,
            refused: 1,
            not_tried: 1,
            outstanding: 0,
        };
        assert_eq!(
            sentence(&some),
            "3 of 5 envelopes recorded, 2 of them by an earlier run, 1 refused, 1 not tried"
        );
        assert!(all.is_complete() && !some.is_complete());
    }
}
