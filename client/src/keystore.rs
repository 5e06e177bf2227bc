//! Signing keys on disk, each in a file of its own, encrypted under a passphrase.
//!
//! `HOME/keys/HANDLE.json` holds a member's first key, `HANDLE+LABEL.json` further ones. The seed is
//! encrypted with XChaCha20-Poly1305 under a key that Argon2id makes from the passphrase; every
//! other field is bound to it as associated data. A checksum over the whole tells a damaged file
//! from a wrong passphrase before a passphrase is asked for.

mod file;
mod name;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use headwater_ledger::keys::{PublicKey, SigningKey};
use headwater_ledger::text::Handle;
use zeroize::Zeroizing;

use self::file::KeyFile;
pub use self::file::Unreadable;
pub use self::name::{KeyName, Label};
use crate::failure::{Failure, Kind};
use crate::passphrase::Passphrase;

/// Most bytes of a key file.
const MAX_FILE_BYTES: u64 = 16 << 10;

/// The folder that holds a person's or a machine's keys.
#[derive(Debug, Clone)]
pub struct Keystore {
    keys: PathBuf,
}

/// What a key file says without its passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// Member and label.
    pub name: KeyName,
    /// The public key, as the file states it.
    pub public_key: PublicKey,
    /// The file.
    pub path: PathBuf,
}

/// The keys of a keystore, and the files among them that are not whole.
#[derive(Debug)]
pub struct Listing {
    /// The keys, by name.
    pub keys: Vec<KeyInfo>,
    /// Files that should hold a key and do not.
    pub unreadable: Vec<(PathBuf, Failure)>,
}

impl Keystore {
    /// The keystore in the folder `home`. Nothing is created before the first key.
    pub fn open(home: &Path) -> Self {
        Keystore { keys: home.join("keys") }
    }

    /// Refuses when there is a key of this name, so that nobody chooses a passphrase in vain.
    pub fn need_free(&self, name: &KeyName) -> Result<(), Failure> {
        let path = self.path(name);
        match path.symlink_metadata() {
            Ok(_) => Err(exists(name, &path)),
            Err(_) => Ok(()),
        }
    }

    /// Makes a new key and stores it. Refuses to replace one.
    pub fn create(&self, name: &KeyName, passphrase: &Passphrase) -> Result<KeyInfo, Failure> {
        let mut seed = Zeroizing::new([0; 32]);
        random(seed.as_mut())?;
        self.import(name, &seed, passphrase)
    }

    /// Stores the key of a seed made elsewhere. Refuses to replace one.
    pub fn import(
        &self,
        name: &KeyName,
        seed: &[u8; 32],
        passphrase: &Passphrase,
    ) -> Result<KeyInfo, Failure> {
        self.need_free(name)?;
        let path = self.path(name);
        let file = KeyFile::seal(name, seed, passphrase)?;
        let temporary = self.write_temporary(name, &file)?;
        // A hard link, unlike a rename, fails when the name is taken meanwhile.
        let linked = fs::hard_link(&temporary, &path);
        let _ = fs::remove_file(&temporary);
        linked.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(name, &path),
            _ => Failure::io("create", &path, &error),
        })?;
        self.sync_folder()?;
        Ok(KeyInfo { name: name.clone(), public_key: file.public_key, path })
    }

    /// Decrypts a key.
    pub fn unlock(&self, name: &KeyName, passphrase: &Passphrase) -> Result<SigningKey, Failure> {
        let file = self.load(name)?;
        Ok(SigningKey::from_seed(&*self.open_seed(name, &file, passphrase)?))
    }

    /// What the file of a key says without its passphrase.
    pub fn info(&self, name: &KeyName) -> Result<KeyInfo, Failure> {
        let public_key = self.load(name)?.public_key;
        Ok(KeyInfo { name: name.clone(), public_key, path: self.path(name) })
    }

    /// Encrypts a key under another passphrase, in one step: the file is the old or the new one.
    pub fn change_passphrase(
        &self,
        name: &KeyName,
        old: &Passphrase,
        new: &Passphrase,
    ) -> Result<KeyInfo, Failure> {
        let seed = self.open_seed(name, &self.load(name)?, old)?;
        let file = KeyFile::seal(name, &seed, new)?;
        let temporary = self.write_temporary(name, &file)?;
        let path = self.path(name);
        if let Err(error) = fs::rename(&temporary, &path) {
            let _ = fs::remove_file(&temporary);
            return Err(Failure::io("replace", &path, &error));
        }
        self.sync_folder()?;
        Ok(KeyInfo { name: name.clone(), public_key: file.public_key, path })
    }

    /// Every key, by name. A keystore that does not exist yet has none.
    pub fn list(&self) -> Result<Listing, Failure> {
        let mut listing = Listing { keys: Vec::new(), unreadable: Vec::new() };
        for path in self.files()? {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let info = match stem.parse::<KeyName>() {
                Ok(name) => self.info(&name),
                Err(_) => Err(Unreadable::damaged(&path, "its name is not that of a key")),
            };
            match info {
                Ok(info) => listing.keys.push(info),
                Err(failure) => listing.unreadable.push((path, failure)),
            }
        }
        listing.keys.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listing)
    }

    /// The `.json` files of the keystore, by path.
    fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        let entries = match fs::read_dir(&self.keys) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Failure::io("read the folder", &self.keys, &error)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Failure::io("read", &self.keys, &error))?;
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    fn path(&self, name: &KeyName) -> PathBuf {
        self.keys.join(format!("{name}.json"))
    }

    fn load(&self, name: &KeyName) -> Result<KeyFile, Failure> {
        let path = self.path(name);
        let file = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => self.missing(name),
            _ => Failure::io("read the key file", &path, &error),
        })?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::io("read the key file", &path, &error))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(Unreadable::damaged(&path, "it is longer than any key file"));
        }
        KeyFile::parse(&bytes, name).map_err(|why| why.into_failure(&path))
    }

    fn open_seed(
        &self,
        name: &KeyName,
        file: &KeyFile,
        passphrase: &Passphrase,
    ) -> Result<Zeroizing<[u8; 32]>, Failure> {
        file.open(passphrase).map_err(|why| match why {
            Unreadable::WrongPassphrase => {
                let message = format_args!("the passphrase does not open the key {name}");
                Failure::new(Kind::WrongPassphrase, message)
                    .hint("if you are sure of it, the file was altered: restore it from a backup")
            }
            why => why.into_failure(&self.path(name)),
        })
    }

    fn missing(&self, name: &KeyName) -> Failure {
        let failure = Failure::new(
            Kind::NotFound,
            format_args!("there is no key {name} in {}", self.keys.display()),
        );
        let siblings = self.of_member(&name.handle);
        if siblings.is_empty() {
            let label = name.label.as_ref().map(|l| format!(" --label {l}")).unwrap_or_default();
            failure.hint(format_args!("make one with `headwater key new {}{label}`", name.handle))
        } else {
            failure.hint(format_args!("the keys of {} are: {}", name.handle, siblings.join(", ")))
        }
    }

    /// Names of the keys of one member, as far as the folder can be read: for hints.
    fn of_member(&self, handle: &Handle) -> Vec<String> {
        let stem = |path: PathBuf| path.file_stem()?.to_str()?.parse::<KeyName>().ok();
        let names = self.files().unwrap_or_default().into_iter().filter_map(stem);
        names.filter(|name| name.handle == *handle).map(|name| name.to_string()).collect()
    }

    /// Writes and fsyncs `file` under a name that `list` does not see.
    fn write_temporary(&self, name: &KeyName, file: &KeyFile) -> Result<PathBuf, Failure> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.keys)
            .map_err(|error| Failure::io("create the folder", &self.keys, &error))?;
        let mut unique = [0; 8];
        random(&mut unique)?;
        let path = self.keys.join(format!(".{name}.{}", hex::encode(unique)));
        write_new(&path, &file.to_bytes()?).map_err(|error| {
            let _ = fs::remove_file(&path);
            Failure::io("write", &path, &error)
        })?;
        Ok(path)
    }

    fn sync_folder(&self) -> Result<(), Failure> {
        File::open(&self.keys)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| Failure::io("sync the folder", &self.keys, &error))
    }
}

/// Writes and fsyncs a new file that only its owner may read. Refuses to replace one.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Fills `bytes` from the operating system's generator.
pub fn random(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes).map_err(|error| {
        let message = format_args!("the operating system gives no random bytes: {error}");
        Failure::new(Kind::Io, message)
    })
}

fn exists(name: &KeyName, path: &Path) -> Failure {
    let message = format_args!("the key {name} exists already: {}", path.display());
    Failure::new(Kind::AlreadyExists, message)
        .hint("give the new key a label with --label, or move the old file away")
}

#[cfg(test)]
mod tests;
