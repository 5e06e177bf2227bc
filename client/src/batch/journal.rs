//! What was signed and what became of it: `FILE.journal`, beside the file of envelopes.
//!
//! The signed bytes of a line are written and fsynced before they are sent, so that after a crash
//! the same bytes are sent again: an envelope is recorded at most once. One JSON object a line;
//! a last line that was torn by a crash was never sent and is cut off.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use headwater_ledger::hash::{ChainId, EnvelopeId};
use serde::{Deserialize, Serialize};

use super::input::Line;
use crate::build::{Signed, read_signed};
use crate::failure::{Failure, Kind};
use crate::show;
use crate::value::moment::now_ms;

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Entry {
    /// The first line.
    Journal { version: u32, chain_id: ChainId },
    /// An envelope about to be sent.
    Signed { line: u64, digest: String, bytes: String },
    /// It is recorded.
    Recorded { line: u64, envelope: EnvelopeId, height: Option<u64>, index: Option<u64> },
    /// It was refused for good.
    Refused { line: u64, envelope: EnvelopeId, code: String },
}

/// What earlier runs did with a line.
#[derive(Debug, Clone)]
pub enum Past {
    /// Signed, and perhaps sent; not known to be recorded or refused for good.
    Signed(Signed),
    /// Recorded.
    Recorded {
        /// The envelope.
        envelope: EnvelopeId,
        /// Height of its block.
        height: Option<u64>,
        /// Its place in the block.
        index: Option<u64>,
    },
    /// Refused for good; the line may be changed and is signed anew.
    Refused,
}

/// The journal of a file, held by one process at a time.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    past: BTreeMap<u64, (String, Past)>,
}

impl Journal {
    /// The journal's place for a file.
    pub fn path(file: &Path) -> PathBuf {
        let mut name = file.as_os_str().to_os_string();
        name.push(".journal");
        PathBuf::from(name)
    }

    /// Opens or begins the journal of a file for a chain.
    pub fn open(path: PathBuf, chain_id: &ChainId) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::io("open the journal", &path, &error);
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        let file = options.open(&path).map_err(failed)?;
        lock(&file, &path)?;
        let mut past = BTreeMap::new();
        let whole = read(&file, &path, chain_id, &mut past)?;
        let len = file.metadata().map_err(failed)?.len();
        if whole < len {
            file.set_len(whole).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        let mut journal = Journal { path, file, past };
        if whole == 0 {
            journal.append(&[Entry::Journal { version: VERSION, chain_id: *chain_id }])?;
            journal.sync_folder()?;
        }
        Ok(journal)
    }

    /// Refuses a file whose recorded lines are no longer what they were, or lines that were signed
    /// and may still be recorded.
    pub fn check(&self, lines: &[Line]) -> Result<(), Failure> {
        let now: BTreeMap<u64, &str> =
            lines.iter().map(|line| (line.number, line.digest.as_str())).collect();
        for (number, (digest, past)) in &self.past {
            if now.get(number) == Some(&digest.as_str()) {
                continue;
            }
            let (verb, advice) = match past {
                Past::Recorded { .. } => {
                    let advice = "put new envelopes below it or into another file".to_string();
                    ("recorded", advice)
                }
                Past::Signed(signed) => {
                    let not_after_ms = signed.envelope.header.not_after_ms;
                    if not_after_ms < now_ms() {
                        continue;
                    }
                    let until = show::time(not_after_ms);
                    ("signed", format!("to change it, wait until {until}: it may be recorded"))
                }
                Past::Refused => continue,
            };
            let message = format_args!("line {number} was {verb} before and has changed since");
            return Err(Failure::new(Kind::BadInput, message).hint(format_args!(
                "restore the line; {advice}; {} keeps what was done",
                self.path.display()
            )));
        }
        Ok(())
    }

    /// Whether a line is no longer what it was when it was signed.
    pub fn has_changed(&self, line: &Line) -> bool {
        self.past.get(&line.number).is_some_and(|(digest, _)| *digest != line.digest)
    }

    /// What earlier runs did with a line.
    pub fn past(&self, line: &Line) -> Option<&Past> {
        self.past.get(&line.number).map(|(_, past)| past)
    }

    /// Notes envelopes that are about to be sent; they are on disk when this returns.
    pub fn signed(&mut self, signed: &[(&Line, &Signed)]) -> Result<(), Failure> {
        let entry = |(line, signed): &(&Line, &Signed)| Entry::Signed {
            line: line.number,
            digest: line.digest.clone(),
            bytes: hex::encode(&signed.bytes),
        };
        self.append(&signed.iter().map(entry).collect::<Vec<_>>())
    }

    /// Notes outcomes: where it is recorded, or the code of a final refusal.
    pub fn settled(&mut self, outcomes: &[(&Line, Outcome)]) -> Result<(), Failure> {
        let entry = |(line, outcome): &(&Line, Outcome)| {
            let line = line.number;
            match outcome.clone() {
                Outcome::Recorded { envelope, height, index } => {
                    Entry::Recorded { line, envelope, height, index }
                }
                Outcome::Refused { envelope, code } => Entry::Refused { line, envelope, code },
            }
        };
        self.append(&outcomes.iter().map(entry).collect::<Vec<_>>())
    }

    fn append(&mut self, entries: &[Entry]) -> Result<(), Failure> {
        if entries.is_empty() {
            return Ok(());
        }
        let failed = |error: io::Error| Failure::io("write the journal", &self.path, &error);
        let mut bytes = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut bytes, entry).map_err(|e| failed(io::Error::other(e)))?;
            bytes.push(b'\n');
        }
        self.file.write_all(&bytes).and_then(|()| self.file.sync_data()).map_err(failed)
    }

    fn sync_folder(&self) -> Result<(), Failure> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| Failure::io("sync the folder", folder, &error))
    }
}

/// What became of an envelope for good.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Recorded.
    Recorded {
        /// The envelope.
        envelope: EnvelopeId,
        /// Height of its block.
        height: Option<u64>,
        /// Its place in the block.
        index: Option<u64>,
    },
    /// Refused for good.
    Refused {
        /// The envelope.
        envelope: EnvelopeId,
        /// The rule's code.
        code: String,
    },
}

fn lock(file: &File, path: &Path) -> Result<(), Failure> {
    use rustix::fs::{FlockOperation, flock};
    flock(file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        let message = format_args!("the journal {} is in use", path.display());
        Failure::new(Kind::AlreadyExists, message)
            .hint("another `headwater submit` works on the same file; wait for it")
    })
}

/// Reads the entries and gives the number of bytes that are whole lines.
fn read(
    file: &File,
    path: &Path,
    chain_id: &ChainId,
    past: &mut BTreeMap<u64, (String, Past)>,
) -> Result<u64, Failure> {
    let damaged = |number: u64, why: &str| {
        let message = format_args!("line {number} of the journal {} {why}", path.display());
        Failure::new(Kind::Damaged, message).hint(
            "restore it from a backup; without it, envelopes already sent may be recorded twice",
        )
    };
    let mut reader = BufReader::new(file);
    let (mut whole, mut bytes) = (0u64, Vec::new());
    for number in 1.. {
        bytes.clear();
        let read = reader.read_until(b'\n', &mut bytes);
        let read = read.map_err(|error| Failure::io("read the journal", path, &error))?;
        if read == 0 || bytes.last() != Some(&b'\n') {
            return Ok(whole);
        }
        let entry: Entry =
            serde_json::from_slice(&bytes).map_err(|_| damaged(number, "is damaged"))?;
        match (number, entry) {
            (1, Entry::Journal { version: VERSION, chain_id: found }) => {
                if found != *chain_id {
                    let message = format_args!(
                        "the journal {} is for chain {found}, this folder is pinned to {chain_id}",
                        path.display()
                    );
                    return Err(Failure::new(Kind::BadInput, message)
                        .hint("use the --home of that chain, or another file"));
                }
            }
            (1, _) => return Err(damaged(number, "does not begin a journal of this version")),
            (_, Entry::Journal { .. }) => return Err(damaged(number, "begins it again")),
            (_, Entry::Signed { line, digest, bytes }) => {
                let signed = hex::decode(bytes).ok().and_then(read_signed);
                let signed = signed.ok_or_else(|| damaged(number, "holds no envelope"))?;
                past.insert(line, (digest, Past::Signed(signed)));
            }
            (_, Entry::Recorded { line, envelope, height, index }) => {
                let known = past.get_mut(&line);
                let known = known.ok_or_else(|| damaged(number, "settles what was not sent"))?;
                known.1 = Past::Recorded { envelope, height, index };
            }
            (_, Entry::Refused { line, .. }) => {
                let known = past.get_mut(&line);
                known.ok_or_else(|| damaged(number, "settles what was not sent"))?.1 =
                    Past::Refused;
            }
        }
        whole += read as u64;
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use headwater_ledger::event::{AcceptGrant, Event};
    use headwater_ledger::hash::{Digest, GrantId};
    use headwater_ledger::keys::SigningKey;

    use super::super::input::Batch;
    use super::*;
    use crate::build::{envelope, sign};

    fn chain(byte: u8) -> ChainId {
        ChainId::from_digest(Digest::Blake3([byte; 32]))
    }

    fn batch(grants: &[u8]) -> Batch {
        let line = |byte: &u8| {
            let grant = Digest::Blake3([*byte; 32]);
            format!(
                "{{\"author\":\"a\",\"events\":[{{\"accept_grant\":{{\"grant\":\"{grant}\"}}}}]}}\n"
            )
        };
        Batch::parse(grants.iter().map(line).collect(), false, &|_| ()).unwrap()
    }

    fn signed(byte: u8) -> Signed {
        let grant = GrantId::from_digest(Digest::Blake3([byte; 32]));
        let events = vec![Event::AcceptGrant(AcceptGrant { grant })];
        let envelope = envelope(chain(7), "a".parse().unwrap(), u64::MAX, events).unwrap();
        sign(envelope, &[&SigningKey::from_seed(&[1; 32])]).unwrap()
    }

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Place(tempfile::tempdir().unwrap())
        }
        fn path(&self) -> PathBuf {
            Journal::path(&self.0.path().join("acts.ndjson"))
        }
        fn open(&self) -> Result<Journal, Failure> {
            Journal::open(self.path(), &chain(7))
        }
    }

    fn recorded(signed: &Signed) -> Outcome {
        Outcome::Recorded { envelope: signed.id, height: Some(9), index: Some(0) }
    }

    #[test]
    fn what_was_done_is_known_after_a_crash() {
        let (place, batch) = (Place::new(), batch(&[1, 2, 3, 4]));
        let (one, two, three) = (signed(1), signed(2), signed(3));
        let lines = batch.lines();
        {
            let mut journal = place.open().unwrap();
            journal.signed(&[(&lines[0], &one), (&lines[1], &two), (&lines[2], &three)]).unwrap();
            let refused = Outcome::Refused { envelope: two.id, code: "GRANT_CLOSED".into() };
            journal.settled(&[(&lines[0], recorded(&one)), (&lines[1], refused)]).unwrap();
        }
        assert_eq!(fs::metadata(place.path()).unwrap().permissions().mode() & 0o777, 0o600);
        let journal = place.open().unwrap();
        let Some(Past::Recorded { envelope, height: Some(9), .. }) = journal.past(&lines[0]) else {
            panic!("{journal:?}")
        };
        assert_eq!(*envelope, one.id);
        assert!(matches!(journal.past(&lines[1]), Some(Past::Refused)));
        let Some(Past::Signed(again)) = journal.past(&lines[2]) else { panic!("{journal:?}") };
        assert_eq!(again.bytes, three.bytes);
        assert!(journal.past(&lines[3]).is_none());
    }

    #[test]
    fn a_torn_last_line_was_never_sent() {
        let (place, batch) = (Place::new(), batch(&[1, 2]));
        let (one, two) = (signed(1), signed(2));
        let lines = batch.lines();
        let mut journal = place.open().unwrap();
        journal.signed(&[(&lines[0], &one)]).unwrap();
        let before = fs::metadata(place.path()).unwrap().len();
        journal.signed(&[(&lines[1], &two)]).unwrap();
        drop(journal);
        let bytes = fs::read(place.path()).unwrap();
        for cut in [bytes.len() - 1, before as usize + 1, before as usize] {
            fs::write(place.path(), &bytes[..cut]).unwrap();
            let journal = place.open().unwrap();
            assert!(matches!(journal.past(&lines[0]), Some(Past::Signed(_))));
            assert!(journal.past(&lines[1]).is_none());
            assert_eq!(fs::metadata(place.path()).unwrap().len(), before);
        }
        fs::write(place.path(), &bytes[..5]).unwrap();
        assert!(place.open().unwrap().past(&lines[0]).is_none());
    }

    #[test]
    fn recorded_and_sent_lines_must_stay_and_refused_ones_may_change() {
        let (place, before) = (Place::new(), batch(&[1, 2, 3]));
        let lines = before.lines();
        let mut journal = place.open().unwrap();
        let signed: Vec<Signed> = (1..=3).map(signed).collect();
        let all: Vec<_> = lines.iter().zip(&signed).collect();
        journal.signed(&all).unwrap();
        let refused = Outcome::Refused { envelope: signed[1].id, code: "X".into() };
        journal.settled(&[(&lines[0], recorded(&signed[0])), (&lines[1], refused)]).unwrap();
        drop(journal);
        let journal = place.open().unwrap();
        for good in [vec![1, 2, 3], vec![1, 9, 3], vec![1, 2, 3, 4]] {
            assert_eq!(journal.check(batch(&good).lines()), Ok(()), "{good:?}");
        }
        for bad in [vec![9, 2, 3], vec![1, 2, 9], vec![1, 2], vec![2, 1, 3], vec![]] {
            let failure = journal.check(batch(&bad).lines()).unwrap_err();
            assert!(failure.message().contains("has changed since"), "{failure}");
        }
    }

    #[test]
    fn a_journal_is_of_one_chain_and_one_process() {
        let place = Place::new();
        let journal = place.open().unwrap();
        assert_eq!(place.open().unwrap_err().kind(), Kind::AlreadyExists);
        drop(journal);
        let other = Journal::open(place.path(), &chain(8)).unwrap_err();
        assert!(other.message().contains("is for chain"), "{other}");
        fs::write(place.path(), "{}\n").unwrap();
        assert_eq!(place.open().unwrap_err().kind(), Kind::Damaged);
    }
}
