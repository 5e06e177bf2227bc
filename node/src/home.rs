//! The folder of a node: where its configuration, keys and data are.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use headwater_ledger::genesis::Genesis;
use headwater_ledger::keys::SigningKey;

use crate::config::Config;
use crate::gossip;
use crate::hint::hinted;

/// The folder of a node.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

impl Home {
    /// The home in this folder, which need not exist yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Home(folder.into())
    }
    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }
    /// The configuration.
    pub fn config_file(&self) -> PathBuf {
        self.0.join("config.toml")
    }
    /// The genesis document.
    pub fn genesis_file(&self) -> PathBuf {
        self.0.join("genesis.json")
    }
    /// The validator's key: 64 hexadecimal digits of its seed.
    pub fn consensus_key_file(&self) -> PathBuf {
        self.0.join("consensus.key")
    }
    /// The key that names the node to its peers.
    pub fn network_key_file(&self) -> PathBuf {
        self.0.join("network.key")
    }
    /// The block log: the ledger.
    pub fn log_folder(&self) -> PathBuf {
        self.0.join("log")
    }
    /// State snapshots.
    pub fn snapshots_folder(&self) -> PathBuf {
        self.0.join("snapshots")
    }
    /// Query indexes, which can be deleted at any time.
    pub fn index_folder(&self) -> PathBuf {
        self.0.join("index")
    }
    /// The engine's own files.
    pub fn engine_folder(&self) -> PathBuf {
        self.0.join("consensus")
    }

    /// Makes the folder with fresh keys and this configuration; refuses to touch an existing home.
    pub fn create(&self, config: &Config) -> Result<NodeKeys> {
        let keys = NodeKeys { consensus: fresh_seed()?, network: fresh_seed()? };
        self.create_with(config, &keys)?;
        Ok(keys)
    }

    /// As [`Home::create`], with keys made before.
    pub fn create_with(&self, config: &Config, keys: &NodeKeys) -> Result<()> {
        for file in [self.config_file(), self.consensus_key_file(), self.network_key_file()] {
            if file.exists() {
                let text = format!("{} holds a node already", self.0.display());
                return Err(hinted(text, "choose another folder; keys are never written over"));
            }
        }
        fs::create_dir_all(&self.0)
            .with_context(|| format!("cannot make the folder {}", self.0.display()))?;
        write_secret(&self.consensus_key_file(), &keys.consensus)?;
        write_secret(&self.network_key_file(), &keys.network)?;
        write_file(&self.config_file(), config.to_toml_documented().as_bytes(), 0o644)
    }

    /// Writes the genesis document.
    pub fn write_genesis(&self, genesis: &Genesis) -> Result<()> {
        let text = serde_json::to_string_pretty(genesis)?;
        write_file(&self.genesis_file(), text.as_bytes(), 0o644)
    }

    /// Reads the genesis document.
    pub fn genesis(&self) -> Result<Genesis> {
        read_genesis(&self.genesis_file())
    }

    /// Reads the keys.
    pub fn keys(&self) -> Result<NodeKeys> {
        Ok(NodeKeys {
            consensus: read_secret(&self.consensus_key_file())?,
            network: read_secret(&self.network_key_file())?,
        })
    }
}

/// Reads a genesis document.
pub fn read_genesis(path: &Path) -> Result<Genesis> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the genesis document {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is not a genesis document", path.display()))
}

/// The secret seeds of a node.
pub struct NodeKeys {
    /// Signs proposals and votes.
    pub consensus: [u8; 32],
    /// Names the node to its peers.
    pub network: [u8; 32],
}

impl NodeKeys {
    /// The validator's signing key.
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_seed(&self.consensus)
    }
    /// The peer id in addresses.
    pub fn peer_id(&self) -> String {
        gossip::peer_id(&self.network)
    }
}

/// A seed from the operating system.
pub fn fresh_seed() -> Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| anyhow::anyhow!("no randomness: {e}"))?;
    Ok(seed)
}

/// Writes a secret seed, readable by its owner only.
pub fn write_secret(path: &Path, seed: &[u8; 32]) -> Result<()> {
    write_file(path, hex::encode(seed).as_bytes(), 0o600)
}

fn read_secret(path: &Path) -> Result<[u8; 32]> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the key {}", path.display()))?;
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim(), &mut seed)
        .with_context(|| format!("{} is not a key of 64 hexadecimal digits", path.display()))?;
    Ok(seed)
}

fn write_file(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let write = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
