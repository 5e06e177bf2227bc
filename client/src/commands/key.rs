//! `headwater key`: makes, shows and keeps signing keys. Talks to no node.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use headwater_ledger::keys::PublicKey;
use headwater_ledger::text::Handle;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::{Failure, Kind};
use crate::keystore::{KeyInfo, KeyName, Label};
use crate::output::{Page, Report};
use crate::passphrase::Source;
use crate::session::Session;

/// Make, show and keep signing keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a new key and store it under a passphrase
    #[command(after_help = "\
Examples:
  headwater key new city-hospital
  headwater key new city-hospital --label pipeline --passphrase-file secret.txt")]
    New(NameArgs),
    /// List the keys in the home folder
    #[command(after_help = "\
Examples:
  headwater key list
  headwater key list --json")]
    List,
    /// Show a public key, to send it to an exchange
    #[command(after_help = "\
Examples:
  headwater key show city-hospital
  headwater key show city-hospital+pipeline --json

Needs no passphrase, and so trusts the file.")]
    Show(NameArgs),
    /// Store the key of a secret seed made elsewhere
    #[command(after_help = "\
Examples:
  headwater key import city-hospital --seed-file seed.hex

The file holds 32 bytes, or their 64 hexadecimal digits. Delete it afterwards.")]
    Import {
        /// The key's name.
        #[command(flatten)]
        name: NameArgs,
        /// File that holds the secret seed
        #[arg(long, value_name = "FILE")]
        seed_file: PathBuf,
    },
    /// Store a key under another passphrase
    #[command(after_help = "\
Examples:
  headwater key change-passphrase city-hospital
  headwater key change-passphrase city-hospital --passphrase-file old --new-passphrase-file new")]
    ChangePassphrase {
        /// The key's name.
        #[command(flatten)]
        name: NameArgs,
        /// File that holds the new passphrase; else HEADWATER_NEW_PASSPHRASE or the terminal
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
}

/// The name of a key.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// Member whose key it is; HANDLE+LABEL is the same as HANDLE --label LABEL
    #[arg(value_name = "HANDLE")]
    name: KeyName,
    /// Tells further keys of the same member apart
    #[arg(long)]
    label: Option<Label>,
}

impl NameArgs {
    fn into_name(self) -> Result<KeyName, Failure> {
        match (&self.name.label, self.label) {
            (Some(_), Some(_)) => Err(Failure::new(Kind::Usage, "the key is given two labels")
                .hint("write either HANDLE+LABEL or HANDLE --label LABEL")),
            (None, label) => Ok(KeyName { label, ..self.name }),
            (Some(_), None) => Ok(self.name),
        }
    }
}

impl KeyCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            KeyCommand::New(name) => new(session, &name.into_name()?),
            KeyCommand::List => list(session),
            KeyCommand::Show(name) => {
                let info = session.keystore().info(&name.into_name()?)?;
                session.output.report(&KeyReport::new("key", &info))
            }
            KeyCommand::Import { name, seed_file } => {
                import(session, &name.into_name()?, &seed_file)
            }
            KeyCommand::ChangePassphrase { name, new_passphrase_file } => {
                change_passphrase(session, &name.into_name()?, new_passphrase_file)
            }
        }
    }
}

fn new(session: &Session, name: &KeyName) -> Result<(), Failure> {
    let keystore = session.keystore();
    keystore.need_free(name)?;
    let info = keystore.create(name, &session.choose_passphrase(name)?)?;
    session.output.report(&KeyReport::new("created", &info))
}

fn import(session: &Session, name: &KeyName, seed_file: &Path) -> Result<(), Failure> {
    let keystore = session.keystore();
    keystore.need_free(name)?;
    let seed = read_seed(seed_file)?;
    let info = keystore.import(name, &seed, &session.choose_passphrase(name)?)?;
    session.output.report(&KeyReport::new("imported", &info))
}

fn change_passphrase(
    session: &Session,
    name: &KeyName,
    new_file: Option<PathBuf>,
) -> Result<(), Failure> {
    let keystore = session.keystore();
    keystore.info(name)?;
    let old = session.passphrase(name)?;
    // A wrong passphrase is told before a new one is asked for.
    keystore.unlock(name, &old)?;
    let source = Source {
        file: new_file,
        variable: "HEADWATER_NEW_PASSPHRASE",
        option: "--new-passphrase-file",
    };
    let info = keystore.change_passphrase(name, &old, &source.choose(name)?)?;
    session.output.report(&KeyReport::new("changed", &info))
}

fn list(session: &Session) -> Result<(), Failure> {
    let listing = session.keystore().list()?;
    for (_, failure) in &listing.unreadable {
        session.output.warn(failure);
    }
    let keys = listing.keys.iter().map(|info| KeyReport::new("key", info)).collect();
    let broken = |(path, failure): &(PathBuf, Failure)| UnreadableFile {
        file: path.clone(),
        problem: failure.message().to_string(),
    };
    let unreadable = listing.unreadable.iter().map(broken).collect();
    session.output.report(&KeyList { keys, unreadable })
}

/// Reads 32 bytes, or 64 hexadecimal digits with or without a line break after them.
fn read_seed(path: &Path) -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(80));
    File::open(path)
        .and_then(|file| file.take(67).read_to_end(&mut bytes))
        .map_err(|error| Failure::io("read the seed file", path, &error))?;
    let mut seed = Zeroizing::new([0; 32]);
    if bytes.len() == seed.len() {
        seed.copy_from_slice(&bytes);
        return Ok(seed);
    }
    hex::decode_to_slice(bytes.trim_ascii_end(), seed.as_mut()).map_err(|_| {
        let message = format_args!("the file {} holds no seed", path.display());
        Failure::new(Kind::BadInput, message).hint("a seed is 32 bytes or 64 hexadecimal digits")
    })?;
    Ok(seed)
}

#[derive(Serialize)]
struct KeyReport {
    #[serde(skip)]
    verb: &'static str,
    handle: Handle,
    label: Option<Label>,
    public_key: PublicKey,
    file: PathBuf,
}

impl KeyReport {
    fn new(verb: &'static str, info: &KeyInfo) -> Self {
        let KeyName { handle, label } = info.name.clone();
        KeyReport { verb, handle, label, public_key: info.public_key, file: info.path.clone() }
    }

    fn name(&self) -> String {
        KeyName { handle: self.handle.clone(), label: self.label.clone() }.to_string()
    }
}

impl Report for KeyReport {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.field(self.verb, self.name())?;
        page.field("public key", self.public_key)?;
        page.field("file", self.file.display())
    }
}

#[derive(Serialize)]
struct KeyList {
    keys: Vec<KeyReport>,
    unreadable: Vec<UnreadableFile>,
}

#[derive(Serialize)]
struct UnreadableFile {
    file: PathBuf,
    problem: String,
}

impl Report for KeyList {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.keys.is_empty() {
            return page.line("no keys; make one with `headwater key new HANDLE`");
        }
        let row = |key: &KeyReport| [key.name(), key.public_key.to_string()];
        page.table(["key", "public key"], self.keys.iter().map(row))
    }
}
