//! `headwater hash`: commits to a file or a folder, or checks such a commitment. Talks to no node.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use headwater_ledger::commitment::ContentSalt;
use headwater_ledger::hash::Digest;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::commitment::{Commitment, Lines, Source};
use crate::failure::{Failure, Kind};
use crate::keystore::{random, write_new};
use crate::output::{Page, Report};
use crate::session::Session;

const AFTER_HELP: &str = "\
Examples:
  headwater hash admissions.csv --save-salt admissions.salt --count-lines
  headwater hash scans/ --records 1200 --json
  headwater hash admissions.csv --verify blake3:… --salt-file admissions.salt

The salt is secret and is the only way to check the commitment later: keep it with the data.
Losing it makes the commitment unverifiable for ever; deleting it is how the data is erased
from the ledger. A salt given with --salt can be seen by other users of this machine.

Every regular file below a folder counts, hidden ones too; empty folders do not.
--count-lines counts a header line as a record.";

/// Arguments of `headwater hash`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct HashArgs {
    /// File or folder
    path: PathBuf,
    /// Salt to use: 64 hexadecimal digits [default: a new random one]
    #[arg(long, value_name = "HEX", group = "known_salt", value_parser = parse_salt)]
    salt: Option<ContentSalt>,
    /// File that holds the salt to use
    #[arg(long, value_name = "FILE", group = "known_salt")]
    salt_file: Option<PathBuf>,
    /// New file to save the salt in, instead of printing it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["salt_file", "verify"])]
    save_salt: Option<PathBuf>,
    /// Number of records, as you state it
    #[arg(long, value_name = "N", conflicts_with = "count_lines")]
    records: Option<u64>,
    /// Count the lines of all files as records
    #[arg(long)]
    count_lines: bool,
    /// Compare with this root, and exit 3 if it differs
    #[arg(long, value_name = "ROOT", requires = "known_salt")]
    verify: Option<Digest>,
}

fn parse_salt(text: &str) -> Result<ContentSalt, &'static str> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| "expected 64 hexadecimal digits")?;
    Ok(ContentSalt::from_bytes(bytes))
}

impl HashArgs {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        let source = Source::scan(&self.path)?;
        if let Some(file) = &self.save_salt {
            check_place_of_salt(file, &self.path)?;
        }
        let salt = self.content_salt()?;
        let bar = session.output.progress_bytes(source.bytes());
        let lines = if self.count_lines { Lines::Count } else { Lines::Ignore };
        let found = source.commit(&salt, lines, &|bytes| bar.inc(bytes));
        bar.finish_and_clear();
        let found = found?;
        if let Some(expected) = self.verify {
            compare(&found, &expected)?;
        }
        if let Some(file) = &self.save_salt {
            let line = Zeroizing::new(hex::encode(salt.to_bytes()) + "\n");
            write_new(file, line.as_bytes())
                .map_err(|error| Failure::io("write the salt file", file, &error))?;
        }
        session.output.report(&self.into_report(found, &salt))
    }

    fn content_salt(&self) -> Result<ContentSalt, Failure> {
        match (&self.salt, &self.salt_file) {
            (Some(salt), _) => Ok(salt.clone()),
            (None, Some(file)) => read_salt(file),
            (None, None) => {
                let mut bytes = [0; 32];
                random(&mut bytes)?;
                Ok(ContentSalt::from_bytes(bytes))
            }
        }
    }

    fn into_report(self, found: Commitment, salt: &ContentSalt) -> HashReport {
        let salt_file = self.save_salt.or(self.salt_file);
        let hidden = salt_file.is_some() || self.verify.is_some();
        HashReport {
            root: found.root,
            bytes: found.bytes,
            records: self.records.or(found.lines),
            files: found.files,
            salt: (!hidden).then(|| hex::encode(salt.to_bytes())),
            salt_file,
            verified: self.verify.map(|_| true),
            warning: match self.verify {
                Some(_) => None,
                None => Some(
                    "keep the salt secret and safe: without it the commitment can never be verified",
                ),
            },
        }
    }
}

fn compare(found: &Commitment, expected: &Digest) -> Result<(), Failure> {
    if found.root == *expected {
        return Ok(());
    }
    let message = format_args!("the content gives root {}, expected {expected}", found.root);
    Err(Failure::new(Kind::VerificationFailed, message).hint(
        "either the content is not the one committed to, or the salt is another one; \
         names within a folder count too",
    ))
}

/// Refuses, before hours of hashing, a place where the salt cannot or must not be written.
fn check_place_of_salt(file: &Path, content: &Path) -> Result<(), Failure> {
    if file.symlink_metadata().is_ok() {
        let message = format_args!("the salt file {} exists already", file.display());
        let hint = "choose another name, or use the salt in it with --salt-file";
        return Err(Failure::new(Kind::AlreadyExists, message).hint(hint));
    }
    let parent = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let real = |path: &Path| path.canonicalize().map_err(|e| Failure::io("read", path, &e));
    if real(parent)?.starts_with(real(content)?) {
        let message = "the salt cannot be saved inside the folder that is committed to";
        return Err(Failure::new(Kind::Usage, message).hint("save it beside the folder"));
    }
    Ok(())
}

fn read_salt(path: &Path) -> Result<ContentSalt, Failure> {
    let mut text = Zeroizing::new(Vec::with_capacity(80));
    File::open(path)
        .and_then(|file| file.take(67).read_to_end(&mut text))
        .map_err(|error| Failure::io("read the salt file", path, &error))?;
    std::str::from_utf8(text.trim_ascii_end()).ok().and_then(|t| parse_salt(t).ok()).ok_or_else(
        || {
            let message = format_args!("the file {} holds no salt", path.display());
            Failure::new(Kind::BadInput, message).hint("a salt is 64 hexadecimal digits")
        },
    )
}

#[derive(Serialize)]
struct HashReport {
    root: Digest,
    bytes: u64,
    records: Option<u64>,
    files: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
}

impl Report for HashReport {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.verified.is_some() {
            page.line("the content matches the commitment")?;
        }
        page.field("root", self.root)?;
        page.field("bytes", self.bytes)?;
        if let Some(records) = self.records {
            page.field("records", records)?;
        }
        page.field("files", self.files)?;
        if let Some(salt) = &self.salt {
            page.field("salt", salt)?;
        }
        if let Some(file) = &self.salt_file {
            page.field("salt file", file.display())?;
        }
        match self.warning {
            Some(warning) => page.line(warning),
            None => Ok(()),
        }
    }
}
