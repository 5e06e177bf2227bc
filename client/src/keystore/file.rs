//! The key file: its fields, their encryption, and what can be wrong with them.

use std::fmt;
use std::path::Path;

use argon2::{Algorithm as Argon2Kind, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use headwater_ledger::hash::Digest;
use headwater_ledger::keys::{PublicKey, SigningKey};
use headwater_ledger::text::Handle;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

use super::{KeyName, Label, random};
use crate::failure::{Failure, Kind};
use crate::passphrase::Passphrase;

const VERSION: u32 = 1;
const CHECKSUM: &str = "headwater 2026-11 key file checksum";

/// Cost of new keys: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Highest cost accepted from a file, so that a hostile one cannot exhaust the machine.
const MAX_MEMORY_KIB: u32 = 256 << 10;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 4;

/// A key file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    version: u32,
    algorithm: Algorithm,
    handle: Handle,
    label: Option<Label>,
    /// The public key of the encrypted seed.
    pub public_key: PublicKey,
    kdf: Kdf,
    cipher: Cipher,
    checksum: Digest,
}

#[derive(Debug, Serialize, Deserialize)]
enum Algorithm {
    #[serde(rename = "ed25519")]
    Ed25519,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    algorithm: KdfAlgorithm,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: Hex<16>,
}

#[derive(Debug, Serialize, Deserialize)]
enum KdfAlgorithm {
    #[serde(rename = "argon2id")]
    Argon2id,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cipher {
    algorithm: CipherAlgorithm,
    nonce: Hex<24>,
    ciphertext: Hex<48>,
}

#[derive(Debug, Serialize, Deserialize)]
enum CipherAlgorithm {
    #[serde(rename = "xchacha20-poly1305")]
    XChaCha20Poly1305,
}

/// Why a key file gives no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Its format is newer than this program.
    Version(u32),
    /// Its fields do not fit together.
    Damaged(String),
    /// Its cost would exhaust the machine.
    Cost(&'static str),
    /// The passphrase does not open it.
    WrongPassphrase,
}

impl Unreadable {
    /// The failure of the file at `path`, damaged in the way `why` says.
    pub fn damaged(path: &Path, why: &str) -> Failure {
        Unreadable::Damaged(why.into()).into_failure(path)
    }

    /// The failure of the file at `path`.
    pub fn into_failure(self, path: &Path) -> Failure {
        let path = path.display();
        let restore = "restore it from a backup, or move it away and import the key again";
        match self {
            Unreadable::Version(version) => Failure::new(
                Kind::Damaged,
                format_args!("the key file {path} has format {version}, expected {VERSION}"),
            )
            .hint("use a newer headwater"),
            Unreadable::Damaged(why) => {
                let message = format_args!("the key file {path} is damaged or was altered: {why}");
                Failure::new(Kind::Damaged, message).hint(restore)
            }
            Unreadable::Cost(what) => Failure::new(
                Kind::Damaged,
                format_args!("the key file {path} asks for an Argon2 cost out of bounds: {what}"),
            )
            .hint(restore),
            Unreadable::WrongPassphrase => {
                let message = format_args!("the passphrase does not open the key file {path}");
                Failure::new(Kind::WrongPassphrase, message)
            }
        }
    }
}

impl KeyFile {
    /// Encrypts `seed` with fresh salt and nonce.
    pub fn seal(name: &KeyName, seed: &[u8; 32], passphrase: &Passphrase) -> Result<Self, Failure> {
        let (mut salt, mut nonce) = ([0; 16], [0; 24]);
        random(&mut salt)?;
        random(&mut nonce)?;
        let mut file = KeyFile {
            version: VERSION,
            algorithm: Algorithm::Ed25519,
            handle: name.handle.clone(),
            label: name.label.clone(),
            public_key: SigningKey::from_seed(seed).public_key(),
            kdf: Kdf {
                algorithm: KdfAlgorithm::Argon2id,
                memory_kib: MEMORY_KIB,
                passes: PASSES,
                lanes: LANES,
                salt: Hex(salt),
            },
            cipher: Cipher {
                algorithm: CipherAlgorithm::XChaCha20Poly1305,
                nonce: Hex(nonce),
                ciphertext: Hex([0; 48]),
            },
            checksum: Digest::Blake3([0; 32]),
        };
        let failed = || Failure::new(Kind::Io, "cannot encrypt the key");
        let key = file.kdf.derive(passphrase).map_err(|_| failed())?;
        let payload = Payload { msg: seed, aad: &file.bound_fields() };
        let sealed = XChaCha20Poly1305::new(key.as_ref().into())
            .encrypt(XNonce::from_slice(&file.cipher.nonce.0), payload)
            .map_err(|_| failed())?;
        file.cipher.ciphertext = Hex(sealed.try_into().map_err(|_| failed())?);
        file.checksum = file.expected_checksum();
        Ok(file)
    }

    /// Reads a file that should hold the key `name`, and checks all that needs no passphrase.
    pub fn parse(bytes: &[u8], name: &KeyName) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let damaged = |error: serde_json::Error| Unreadable::Damaged(error.to_string());
        let Versioned { version } = serde_json::from_slice(bytes).map_err(damaged)?;
        if version != VERSION {
            return Err(Unreadable::Version(version));
        }
        let file: KeyFile = serde_json::from_slice(bytes).map_err(damaged)?;
        if file.checksum != file.expected_checksum() {
            return Err(Unreadable::Damaged("its checksum does not match".into()));
        }
        if file.handle != name.handle || file.label != name.label {
            let held = KeyName { handle: file.handle, label: file.label };
            return Err(Unreadable::Damaged(format!("it holds the key {held}")));
        }
        file.kdf.check()?;
        Ok(file)
    }

    /// Decrypts the seed.
    pub fn open(&self, passphrase: &Passphrase) -> Result<Zeroizing<[u8; 32]>, Unreadable> {
        let key = self.kdf.derive(passphrase)?;
        let payload = Payload { msg: &self.cipher.ciphertext.0, aad: &self.bound_fields() };
        let opened = XChaCha20Poly1305::new(key.as_ref().into())
            .decrypt(XNonce::from_slice(&self.cipher.nonce.0), payload)
            .map_err(|_| Unreadable::WrongPassphrase)?;
        let opened = Zeroizing::new(opened);
        let mut seed = Zeroizing::new([0; 32]);
        if opened.len() != seed.len() {
            return Err(Unreadable::Damaged("its seed is not 32 bytes".into()));
        }
        seed.copy_from_slice(&opened);
        if SigningKey::from_seed(&seed).public_key() != self.public_key {
            return Err(Unreadable::Damaged("its public key is not that of its seed".into()));
        }
        Ok(seed)
    }

    /// The file's bytes: JSON that a person can read, with a final line break.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Failure> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Failure::new(Kind::Io, format_args!("cannot write JSON: {error}")))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Every field but ciphertext and checksum, each with its length: the associated data.
    fn bound_fields(&self) -> Vec<u8> {
        let Algorithm::Ed25519 = self.algorithm;
        let KdfAlgorithm::Argon2id = self.kdf.algorithm;
        let CipherAlgorithm::XChaCha20Poly1305 = self.cipher.algorithm;
        let fields: [&[u8]; 11] = [
            b"headwater key file",
            &self.version.to_le_bytes(),
            b"ed25519",
            self.handle.as_str().as_bytes(),
            self.label.as_ref().map_or("", Label::as_str).as_bytes(),
            self.public_key.raw(),
            b"argon2id",
            &[self.kdf.memory_kib, self.kdf.passes, self.kdf.lanes].map(u32::to_le_bytes).concat(),
            &self.kdf.salt.0,
            b"xchacha20-poly1305",
            &self.cipher.nonce.0,
        ];
        let mut out = Vec::new();
        for field in fields {
            out.extend((field.len() as u64).to_le_bytes());
            out.extend(field);
        }
        out
    }

    fn expected_checksum(&self) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key(CHECKSUM);
        hasher.update(&self.bound_fields());
        hasher.update(&self.cipher.ciphertext.0);
        Digest::Blake3(*hasher.finalize().as_bytes())
    }
}

impl Kdf {
    fn check(&self) -> Result<(), Unreadable> {
        match self {
            kdf if kdf.memory_kib > MAX_MEMORY_KIB => Err(Unreadable::Cost("memory_kib")),
            kdf if kdf.passes > MAX_PASSES => Err(Unreadable::Cost("passes")),
            kdf if kdf.lanes > MAX_LANES => Err(Unreadable::Cost("lanes")),
            _ => Ok(()),
        }
    }

    fn derive(&self, passphrase: &Passphrase) -> Result<Zeroizing<[u8; 32]>, Unreadable> {
        self.check()?;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| Unreadable::Cost("memory_kib, passes or lanes"))?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Argon2Kind::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt.0, key.as_mut())
            .map_err(|_| Unreadable::Cost("memory_kib, passes or lanes"))?;
        Ok(key)
    }
}

/// Bytes that JSON shows as lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
struct Hex<const N: usize>([u8; N]);

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        hex::decode_to_slice(&text, &mut bytes).map_err(de::Error::custom)?;
        Ok(Hex(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> KeyName {
        "clinic+signing".parse().unwrap()
    }

    fn passphrase() -> Passphrase {
        Passphrase::new("correct horse".into()).unwrap()
    }

    fn sealed() -> KeyFile {
        KeyFile::seal(&name(), &[7; 32], &passphrase()).unwrap()
    }

    /// Serializes `file` with a checksum that fits, as somebody would who alters it on purpose.
    fn reseal_checksum(mut file: KeyFile) -> Vec<u8> {
        file.checksum = file.expected_checksum();
        file.to_bytes().unwrap()
    }

    #[test]
    fn a_sealed_seed_opens_with_its_passphrase_only() {
        let file = KeyFile::parse(&sealed().to_bytes().unwrap(), &name()).unwrap();
        assert_eq!(*file.open(&passphrase()).unwrap(), [7; 32]);
        let other = Passphrase::new("correct horsf".into()).unwrap();
        assert_eq!(file.open(&other), Err(Unreadable::WrongPassphrase));
    }

    #[test]
    fn every_seal_has_its_own_salt_and_nonce() {
        let (a, b) = (sealed(), sealed());
        assert_ne!(a.kdf.salt, b.kdf.salt);
        assert_ne!(a.cipher.nonce, b.cipher.nonce);
        assert_ne!(a.cipher.ciphertext, b.cipher.ciphertext);
    }

    #[test]
    fn any_changed_byte_is_noticed_without_the_passphrase() {
        let bytes = sealed().to_bytes().unwrap();
        // A final line break or an indentation may change; no other byte may.
        let whitespace = |b: u8| b.is_ascii_whitespace();
        for (at, &byte) in bytes.iter().enumerate().filter(|(_, b)| !whitespace(**b)) {
            let mut changed = bytes.clone();
            changed[at] = if byte == b'1' { b'2' } else { b'1' };
            assert!(KeyFile::parse(&changed, &name()).is_err(), "byte {at}");
        }
        for len in 0..bytes.len() - 2 {
            assert!(KeyFile::parse(&bytes[..len], &name()).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn a_field_altered_together_with_its_checksum_gives_no_key() {
        let cases: [fn(&mut KeyFile); 6] = [
            |f| f.public_key = SigningKey::from_seed(&[8; 32]).public_key(),
            |f| f.kdf.passes = 1,
            |f| f.kdf.memory_kib -= 1,
            |f| f.kdf.salt.0[0] ^= 1,
            |f| f.cipher.nonce.0[0] ^= 1,
            |f| f.cipher.ciphertext.0[0] ^= 1,
        ];
        for (at, alter) in cases.iter().enumerate() {
            let mut file = sealed();
            alter(&mut file);
            let file = KeyFile::parse(&reseal_checksum(file), &name()).unwrap();
            assert_eq!(file.open(&passphrase()), Err(Unreadable::WrongPassphrase), "case {at}");
        }
    }

    #[test]
    fn another_members_file_is_not_taken_for_ones_own() {
        let bytes = sealed().to_bytes().unwrap();
        let why = KeyFile::parse(&bytes, &"clinic".parse().unwrap()).unwrap_err();
        assert_eq!(why, Unreadable::Damaged("it holds the key clinic+signing".into()));
        let mut renamed = sealed();
        renamed.label = None;
        let file = KeyFile::parse(&reseal_checksum(renamed), &"clinic".parse().unwrap()).unwrap();
        assert_eq!(file.open(&passphrase()), Err(Unreadable::WrongPassphrase));
    }

    #[test]
    fn a_hostile_cost_is_refused_before_it_is_paid() {
        let costs = [
            (100 << 20, PASSES, LANES, "memory_kib"),
            (MEMORY_KIB, u32::MAX, LANES, "passes"),
            (MEMORY_KIB, PASSES, 1 << 20, "lanes"),
        ];
        for (memory_kib, passes, lanes, what) in costs {
            let mut file = sealed();
            file.kdf = Kdf { memory_kib, passes, lanes, ..file.kdf };
            let why = KeyFile::parse(&reseal_checksum(file), &name()).unwrap_err();
            assert_eq!(why, Unreadable::Cost(what));
        }
        let mut file = sealed();
        file.kdf.passes = 0;
        let file = KeyFile::parse(&reseal_checksum(file), &name()).unwrap();
        assert!(matches!(file.open(&passphrase()), Err(Unreadable::Cost(_))));
    }

    #[test]
    fn a_newer_format_is_named() {
        let text = String::from_utf8(sealed().to_bytes().unwrap()).unwrap();
        let newer = text.replace("\"version\": 1", "\"version\": 2, \"more\": true");
        let why = KeyFile::parse(newer.as_bytes(), &name()).unwrap_err();
        assert_eq!(why, Unreadable::Version(2));
    }
}
