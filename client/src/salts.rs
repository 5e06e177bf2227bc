//! Secret salts of commitments made while acting: `HOME/salts/*.json`, one file for each object.
//!
//! The salt is the only way to show later what was committed to, and deleting it is how the
//! content is erased from the ledger. A file is written before anything is sent, and is never
//! replaced: committing again under the same name to the same content uses the same salt.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use headwater_ledger::commitment::{
    ContentBuilder, ContentPath, ContentSalt, PartHasher, RootBuilder,
};
use headwater_ledger::hash::Digest;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::commitment::{Commitment, Lines, Source};
use crate::failure::{Failure, Kind};
use crate::keystore::{random, write_new};
use crate::output::Output;

/// The salts of one object, by what was committed to, such as `content` or `method`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SaltFile {
    /// What they are for, for people.
    subject: String,
    salts: BTreeMap<String, Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    root: Digest,
    bytes: u64,
    salt: String,
    path: PathBuf,
}

/// The salts of an object about to be recorded.
#[derive(Debug)]
pub struct Salts {
    file: PathBuf,
    stored: Option<SaltFile>,
    found: SaltFile,
}

impl Salts {
    /// The salts of `subject`, such as `city-hospital/admissions-2026`.
    pub fn open(home: &Path, subject: &str) -> Result<Self, Failure> {
        // A handle has no `+`, and neither has a name: different subjects have different files.
        let file = home.join("salts").join(format!("{}.json", subject.replace('/', "+")));
        let stored = match fs::read(&file).map(Zeroizing::new) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|error| {
                let message = format_args!("the salt file {} is damaged: {error}", file.display());
                Failure::new(Kind::Damaged, message).hint("restore it from a backup")
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::io("read the salt file", &file, &error)),
        };
        let found = SaltFile { subject: subject.to_string(), salts: BTreeMap::new() };
        Ok(Salts { file, stored, found })
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Commits to a file or folder, and remembers the salt under `what`.
    pub fn commit(
        &mut self,
        what: &str,
        path: &Path,
        lines: Lines,
        output: &Output,
    ) -> Result<Commitment, Failure> {
        let bytes = self.salt(what)?;
        let source = Source::scan(path)?;
        let bar = output.progress_bytes(source.bytes());
        let salt = ContentSalt::from_bytes(*bytes);
        let found = source.commit(&salt, lines, &|bytes| bar.inc(bytes));
        bar.finish_and_clear();
        let found = found?;
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        self.remember(what, found.root, found.bytes, path, &bytes)?;
        Ok(found)
    }

    /// Commits to a short text as to a file with that content, and remembers the salt under it.
    pub fn commit_text(&mut self, text: &str) -> Result<Digest, Failure> {
        let bytes = self.salt(text)?;
        let salt = ContentSalt::from_bytes(*bytes);
        let path = ContentPath::single_file();
        let mut hasher = PartHasher::new();
        hasher.update(text.as_bytes());
        let mut parts = RootBuilder::new();
        parts.push(&hasher.finish(&salt.file(&path).part(0), 0));
        let mut content = ContentBuilder::new(salt);
        let length = text.len() as u64;
        content
            .push(&path, length, &parts.root())
            .map_err(|error| Failure::new(Kind::BadInput, error))?;
        let root = content.root();
        self.remember(text, root, length, PathBuf::new(), &bytes)?;
        Ok(root)
    }

    /// The salt stored under `what`, or a new one.
    fn salt(&self, what: &str) -> Result<Zeroizing<[u8; 32]>, Failure> {
        let mut bytes = Zeroizing::new([0; 32]);
        match self.stored.as_ref().and_then(|file| file.salts.get(what)) {
            Some(entry) => hex::decode_to_slice(&entry.salt, bytes.as_mut()).map_err(|_| {
                let message = format_args!("the salt file {} is damaged", self.file.display());
                Failure::new(Kind::Damaged, message).hint("restore it from a backup")
            })?,
            None => random(bytes.as_mut())?,
        }
        Ok(bytes)
    }

    /// Remembers the salt of what was committed to, unless another thing had that name before.
    fn remember(
        &mut self,
        what: &str,
        root: Digest,
        bytes: u64,
        path: PathBuf,
        salt: &[u8; 32],
    ) -> Result<(), Failure> {
        let stored = self.stored.as_ref().and_then(|file| file.salts.get(what));
        if let Some(entry) = stored
            && entry.root != root
        {
            let message = format_args!(
                "{} holds the salt of another {what} of {}",
                self.file.display(),
                self.found.subject
            );
            return Err(Failure::new(Kind::AlreadyExists, message).hint(
                "choose another name, or move the file away if nothing was recorded under this \
                 name",
            ));
        }
        let entry = Entry { root, bytes, salt: hex::encode(salt), path };
        self.found.salts.insert(what.to_string(), entry);
        Ok(())
    }

    /// Writes the salts, for their owner only. Those that are there already stay as they are.
    pub fn save(self) -> Result<(), Failure> {
        let Salts { file, stored, found } = self;
        let mut merged = found;
        if let Some(stored) = stored {
            if merged.salts.keys().all(|what| stored.salts.contains_key(what)) {
                return Ok(());
            }
            merged.salts.extend(stored.salts);
        }
        let folder = file.parent().unwrap_or(Path::new("."));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| Failure::io("create the folder", folder, &error))?;
        let json = serde_json::to_vec_pretty(&merged).map(Zeroizing::new);
        let mut json = json.map_err(|error| Failure::new(Kind::Io, error))?;
        json.push(b'\n');
        let mut unique = [0; 8];
        random(&mut unique)?;
        let temporary = folder.join(format!(".salts.{}", hex::encode(unique)));
        let written = write_new(&temporary, &json)
            .and_then(|()| fs::rename(&temporary, &file))
            .and_then(|()| File::open(folder)?.sync_all());
        written.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            Failure::io("write the salt file", &file, &error)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::output::Format;

    fn commit(home: &Path, content: &Path) -> Result<Digest, Failure> {
        let mut salts = Salts::open(home, "clinic/scans")?;
        let output = Output::new(Format::Json);
        let root = salts.commit("content", content, Lines::Ignore, &output)?.root;
        salts.save()?;
        Ok(root)
    }

    #[test]
    fn the_same_content_keeps_its_salt_and_other_content_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let content = home.path().join("scans.csv");
        fs::write(&content, "1,2\n").unwrap();
        let root = commit(home.path(), &content).unwrap();
        let file = home.path().join("salts/clinic+scans.json");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let before = fs::read(&file).unwrap();
        assert_eq!(commit(home.path(), &content), Ok(root));
        fs::write(&content, "1,3\n").unwrap();
        let failure = commit(home.path(), &content).unwrap_err();
        assert_eq!(failure.kind(), Kind::AlreadyExists);
        assert_eq!(fs::read(&file).unwrap(), before);
    }

    #[test]
    fn the_stored_salt_reproduces_the_root() {
        let home = tempfile::tempdir().unwrap();
        let content = home.path().join("scans.csv");
        fs::write(&content, "1,2\n").unwrap();
        let root = commit(home.path(), &content).unwrap();
        let file = fs::read(home.path().join("salts/clinic+scans.json")).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&file).unwrap();
        let mut salt = [0; 32];
        hex::decode_to_slice(json["salts"]["content"]["salt"].as_str().unwrap(), &mut salt)
            .unwrap();
        let salt = ContentSalt::from_bytes(salt);
        let again = Source::scan(&content).unwrap().commit(&salt, Lines::Ignore, &|_| ());
        assert_eq!(again.unwrap().root, root);
    }

    #[test]
    fn a_further_salt_is_added_to_those_there() {
        let home = tempfile::tempdir().unwrap();
        let content = home.path().join("scans.csv");
        fs::write(&content, "1,2\n").unwrap();
        let root = commit(home.path(), &content).unwrap();
        let output = Output::new(Format::Json);
        let mut salts = Salts::open(home.path(), "clinic/scans").unwrap();
        let method = salts.commit("method", &content, Lines::Ignore, &output).unwrap().root;
        salts.save().unwrap();
        assert_ne!(method, root);
        assert_eq!(commit(home.path(), &content), Ok(root));
        let mut salts = Salts::open(home.path(), "clinic/scans").unwrap();
        assert_eq!(salts.commit("method", &content, Lines::Ignore, &output).unwrap().root, method);
    }

    #[test]
    fn a_damaged_file_is_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("salts")).unwrap();
        let file = home.path().join("salts/clinic+scans.json");
        fs::write(&file, "{").unwrap();
        assert_eq!(Salts::open(home.path(), "clinic/scans").unwrap_err().kind(), Kind::Damaged);
    }
}
