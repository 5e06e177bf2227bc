//! The configuration file: read as text, checked once, carried as [`Config`] ever after.

mod address;
mod raw;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use headwater_ledger::limits;
use libp2p::Multiaddr;
use tracing_subscriber::EnvFilter;

pub use address::{AddressProblem, PeerAddress};
pub use raw::{
    RawApi, RawConfig, RawConsensus, RawGossip, RawLog, RawMempool, RawStorage, option_names,
};

/// A configuration that was checked. It can only be had from a [`RawConfig`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    raw: RawConfig,
    api_listen: SocketAddr,
    consensus: ConsensusConfig,
    gossip: GossipConfig,
    log_format: LogFormat,
}

/// The `[consensus]` options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsensusConfig {
    /// Where the consensus engine listens.
    pub listen: Multiaddr,
    /// The consensus engines of the other nodes.
    pub peers: Vec<PeerAddress>,
    /// Longest wait before a block is made although nothing is to be recorded.
    pub heartbeat: Duration,
    /// How long each step of a round waits.
    pub timeouts: ConsensusTimeouts,
}

/// Wait of each consensus step in round 0, what every further round adds, and the cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsensusTimeouts {
    /// For a proposal.
    pub propose: Duration,
    /// Added to `propose` with each round.
    pub propose_delta: Duration,
    /// For more prevotes when two thirds disagree.
    pub prevote: Duration,
    /// Added to `prevote` with each round.
    pub prevote_delta: Duration,
    /// For more precommits when two thirds disagree.
    pub precommit: Duration,
    /// Added to `precommit` with each round.
    pub precommit_delta: Duration,
    /// Before votes are sent again in a round that makes no progress.
    pub rebroadcast: Duration,
    /// No wait grows beyond this.
    pub max: Duration,
}

/// The `[gossip]` options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GossipConfig {
    /// Where the gossip of pending envelopes listens.
    pub listen: Multiaddr,
    /// The gossip of the other nodes; nobody else can connect.
    pub peers: Vec<PeerAddress>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Why a configuration cannot be used. One sentence; [`ConfigError::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The text is not TOML, or holds an unknown option or a value of the wrong kind.
    #[error("{} line {line}: {message}", .file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Line of the mistake, counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// An option has a value that cannot be used.
    #[error("option `{option}` {problem}")]
    Option {
        /// Path of the option, such as `api.listen`.
        option: String,
        /// What is wrong, as the rest of a sentence.
        problem: String,
        /// What to write instead.
        hint: String,
    },
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            ConfigError::Read { .. } => {
                "name the node's folder with --home, or create one with `headwater-node init`"
            }
            ConfigError::Syntax { .. } => {
                "`headwater-node init` into a new folder writes a file with every option explained"
            }
            ConfigError::Option { hint, .. } => hint,
        }
    }
}

impl Config {
    /// Reads and checks the file at `path`. Options left out have their defaults.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { file: path.to_owned(), source })?;
        Config::parse(&text, path)
    }

    /// Checks `text`; `file` is named in errors.
    pub fn parse(text: &str, file: &Path) -> Result<Config, ConfigError> {
        let raw: RawConfig = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
            let message = error.message().replace('\n', ", ");
            ConfigError::Syntax { file: file.to_owned(), line, message }
        })?;
        Config::try_from(raw)
    }

    /// The whole file as it could have been written by hand, a comment above every option.
    pub fn to_toml_documented(&self) -> String {
        raw::render(&self.raw)
    }

    /// Sentences an operator should read at every start.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.api_listen.ip().is_loopback() {
            warnings.push(format!(
                "the HTTP API listens on {}, which other machines can reach without encryption: \
                 put a TLS proxy in front of it or set `api.listen` to a loopback address",
                self.api_listen
            ));
        }
        let lacks = |these: &[PeerAddress], those: &[PeerAddress]| {
            these.iter().find(|peer| those.iter().all(|other| other.id() != peer.id())).cloned()
        };
        let (consensus, gossip) = (&self.consensus.peers, &self.gossip.peers);
        if let Some(peer) = lacks(consensus, gossip) {
            warnings.push(format!(
                "peer {} is in `consensus.peers` and not in `gossip.peers`: \
                 envelopes submitted at one node will reach the other late",
                peer.id()
            ));
        }
        if let Some(peer) = lacks(gossip, consensus) {
            warnings.push(format!(
                "peer {} is in `gossip.peers` and not in `consensus.peers`: \
                 it can send envelopes and takes no part in consensus with this node",
                peer.id()
            ));
        }
        warnings
    }

    /// The node's name in logs.
    pub fn moniker(&self) -> &str {
        &self.raw.moniker
    }
    /// Where the HTTP API listens.
    pub fn api_listen(&self) -> SocketAddr {
        self.api_listen
    }
    /// The `[consensus]` options.
    pub fn consensus(&self) -> &ConsensusConfig {
        &self.consensus
    }
    /// The `[gossip]` options.
    pub fn gossip(&self) -> &GossipConfig {
        &self.gossip
    }
    /// The `[mempool]` options.
    pub fn mempool(&self) -> &RawMempool {
        &self.raw.mempool
    }
    /// The `[storage]` options.
    pub fn storage(&self) -> &RawStorage {
        &self.raw.storage
    }
    /// The log filter in the syntax of `RUST_LOG`; it was checked to parse.
    pub fn log_filter(&self) -> &str {
        &self.raw.log.filter
    }
    /// How log lines are written.
    pub fn log_format(&self) -> LogFormat {
        self.log_format
    }
}

impl TryFrom<RawConfig> for Config {
    type Error = ConfigError;

    /// Checks every option and names the first that is wrong.
    fn try_from(raw: RawConfig) -> Result<Config, ConfigError> {
        check_moniker(&raw.moniker)?;
        check_mempool(&raw.mempool)?;
        check_storage(&raw.storage)?;
        let api_listen = parse_api_listen(&raw.api.listen)?;
        let consensus = parse_consensus(&raw.consensus)?;
        let gossip = GossipConfig {
            listen: listen("gossip.listen", &raw.gossip.listen)?,
            peers: peers("gossip.peers", &raw.gossip.peers)?,
        };
        if consensus.listen == gossip.listen && address::tcp_port(&gossip.listen) != Some(0) {
            return Err(refuse(
                "gossip.listen",
                "is the same address as `consensus.listen`",
                "give each its own port, such as 26656 for consensus and 26657 for gossip",
            ));
        }
        let log_format = parse_log(&raw.log)?;
        Ok(Config { api_listen, consensus, gossip, log_format, raw })
    }
}

fn refuse(option: &str, problem: impl Into<String>, hint: impl Into<String>) -> ConfigError {
    ConfigError::Option { option: option.into(), problem: problem.into(), hint: hint.into() }
}

fn check_moniker(moniker: &str) -> Result<(), ConfigError> {
    let fine = !moniker.is_empty() && moniker.len() <= 64 && !moniker.chars().any(char::is_control);
    if fine {
        return Ok(());
    }
    Err(refuse(
        "moniker",
        format!("has {} bytes or a control character", moniker.len()),
        "choose a name of 1 to 64 bytes such as \"exchange-east-1\"",
    ))
}

fn check_range(option: &str, value: u64, min: u64, max: u64) -> Result<(), ConfigError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(refuse(option, format!("is {value}"), format!("choose a value from {min} to {max}")))
}

fn check_mempool(mempool: &RawMempool) -> Result<(), ConfigError> {
    let RawMempool { max_bytes, max_envelopes, max_per_member, max_waiting } = *mempool;
    let one_envelope = limits::MAX_ENVELOPE_BYTES as u64;
    check_range("mempool.max_bytes", max_bytes, one_envelope, 1 << 36)?;
    check_range("mempool.max_envelopes", max_envelopes, 1, 10_000_000)?;
    check_range("mempool.max_per_member", max_per_member, 1, max_envelopes)?;
    check_range("mempool.max_waiting", max_waiting, 0, max_envelopes)
}

fn check_storage(storage: &RawStorage) -> Result<(), ConfigError> {
    let RawStorage {
        snapshot_every_heights,
        archive_every_heights,
        keep_heights_in_memory,
        index_cache_mib,
    } = *storage;
    check_range("storage.snapshot_every_heights", snapshot_every_heights, 1, 10_000_000)?;
    check_range("storage.archive_every_heights", archive_every_heights, 0, 1_000_000_000)?;
    check_range("storage.keep_heights_in_memory", keep_heights_in_memory, 2, 1_000_000)?;
    check_range("storage.index_cache_mib", index_cache_mib, 16, 1 << 20)
}

fn parse_api_listen(text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse().map_err(|_| {
        refuse(
            "api.listen",
            format!("is `{text}`, not an IP address and a port"),
            "write an address such as \"127.0.0.1:26680\" or \"[::1]:26680\"; names are not looked up",
        )
    })
}

fn parse_consensus(raw: &RawConsensus) -> Result<ConsensusConfig, ConfigError> {
    let millis = |name: &str, value: u64, min: u64, max: u64| {
        check_range(&format!("consensus.{name}"), value, min, max)
            .map(|()| Duration::from_millis(value))
    };
    let (wait_max, delta_max) = (60_000, 10_000);
    let timeouts = ConsensusTimeouts {
        propose: millis("timeout_propose_ms", raw.timeout_propose_ms, 10, wait_max)?,
        propose_delta: millis(
            "timeout_propose_delta_ms",
            raw.timeout_propose_delta_ms,
            1,
            delta_max,
        )?,
        prevote: millis("timeout_prevote_ms", raw.timeout_prevote_ms, 10, wait_max)?,
        prevote_delta: millis(
            "timeout_prevote_delta_ms",
            raw.timeout_prevote_delta_ms,
            1,
            delta_max,
        )?,
        precommit: millis("timeout_precommit_ms", raw.timeout_precommit_ms, 10, wait_max)?,
        precommit_delta: millis(
            "timeout_precommit_delta_ms",
            raw.timeout_precommit_delta_ms,
            1,
            delta_max,
        )?,
        rebroadcast: millis("timeout_rebroadcast_ms", raw.timeout_rebroadcast_ms, 10, 600_000)?,
        max: millis("timeout_max_ms", raw.timeout_max_ms, 1_000, 600_000)?,
    };
    let first = [timeouts.propose, timeouts.prevote, timeouts.precommit];
    if first.iter().any(|wait| *wait > timeouts.max) {
        return Err(refuse(
            "consensus.timeout_max_ms",
            format!("is {}, less than the first round's waits", raw.timeout_max_ms),
            "choose at least the largest of timeout_propose_ms, timeout_prevote_ms, timeout_precommit_ms",
        ));
    }
    Ok(ConsensusConfig {
        listen: listen("consensus.listen", &raw.listen)?,
        peers: peers("consensus.peers", &raw.peers)?,
        heartbeat: millis("heartbeat_ms", raw.heartbeat_ms, 100, 600_000)?,
        timeouts,
    })
}

fn listen(option: &str, text: &str) -> Result<Multiaddr, ConfigError> {
    address::parse_listen(text)
        .map_err(|problem| refuse(option, problem.to_string(), problem.hint()))
}

fn peers(option: &str, texts: &[String]) -> Result<Vec<PeerAddress>, ConfigError> {
    let mut peers: Vec<PeerAddress> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let option = format!("{option}[{index}]");
        let peer: PeerAddress = text.parse().map_err(|problem: AddressProblem| {
            refuse(&option, problem.to_string(), problem.hint())
        })?;
        if peers.iter().any(|other| other.id() == peer.id()) {
            return Err(refuse(
                &option,
                format!("names peer {} a second time", peer.id()),
                "keep one address for each peer",
            ));
        }
        peers.push(peer);
    }
    if peers.len() > limits::MAX_VALIDATORS * 2 {
        return Err(refuse(
            option,
            format!("has {} entries", peers.len()),
            format!("list at most {} peers", limits::MAX_VALIDATORS * 2),
        ));
    }
    Ok(peers)
}

fn parse_log(raw: &RawLog) -> Result<LogFormat, ConfigError> {
    EnvFilter::try_new(&raw.filter).map_err(|error| {
        refuse(
            "log.filter",
            format!("is `{}`: {error}", raw.filter),
            "write a level or a list such as \"info,headwater_node=debug\"",
        )
    })?;
    match raw.format.as_str() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(refuse(
            "log.format",
            format!("is `{other}`"),
            "choose \"text\" for people or \"json\" for machines",
        )),
    }
}

#[cfg(test)]
mod tests;
