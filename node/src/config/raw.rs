//! The configuration as it is written: every option, its default and its explanation.

use serde::{Deserialize, Serialize};

/// The file `config.toml`, unchecked. Options left out have their defaults; unknown ones are errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawConfig {
    /// Option `moniker`.
    pub moniker: String,
    /// Section `[api]`.
    pub api: RawApi,
    /// Section `[consensus]`.
    pub consensus: RawConsensus,
    /// Section `[gossip]`.
    pub gossip: RawGossip,
    /// Section `[mempool]`.
    pub mempool: RawMempool,
    /// Section `[storage]`.
    pub storage: RawStorage,
    /// Section `[log]`.
    pub log: RawLog,
}

/// Section `[api]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawApi {
    /// IP address and port.
    pub listen: String,
}

/// Section `[consensus]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawConsensus {
    /// Multiaddress to listen on.
    pub listen: String,
    /// Pinned multiaddresses.
    pub peers: Vec<String>,
    /// Milliseconds.
    pub heartbeat_ms: u64,
    /// Milliseconds.
    pub timeout_propose_ms: u64,
    /// Milliseconds a round.
    pub timeout_propose_delta_ms: u64,
    /// Milliseconds.
    pub timeout_prevote_ms: u64,
    /// Milliseconds a round.
    pub timeout_prevote_delta_ms: u64,
    /// Milliseconds.
    pub timeout_precommit_ms: u64,
    /// Milliseconds a round.
    pub timeout_precommit_delta_ms: u64,
    /// Milliseconds.
    pub timeout_rebroadcast_ms: u64,
    /// Milliseconds.
    pub timeout_max_ms: u64,
}

/// Section `[gossip]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawGossip {
    /// Multiaddress to listen on.
    pub listen: String,
    /// Pinned multiaddresses.
    pub peers: Vec<String>,
}

/// Section `[mempool]`: bounds on what is pending at this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawMempool {
    /// Bytes of all pending envelopes.
    pub max_bytes: u64,
    /// Number of all pending envelopes.
    pub max_envelopes: u64,
    /// Number of pending envelopes of one member.
    pub max_per_member: u64,
    /// Number of envelopes waiting for something not yet recorded.
    pub max_waiting: u64,
}

/// Section `[storage]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawStorage {
    /// Heights between two snapshot files.
    pub snapshot_every_heights: u64,
    /// Heights between two snapshot files that are never deleted; 0 for none.
    pub archive_every_heights: u64,
    /// Number of past heights whose state is kept in memory.
    pub keep_heights_in_memory: u64,
    /// Memory of the query indexes in MiB.
    pub index_cache_mib: u64,
}

/// Section `[log]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawLog {
    /// Filter in the syntax of `RUST_LOG`.
    pub filter: String,
    /// `text` or `json`.
    pub format: String,
}

impl Default for RawConfig {
    fn default() -> Self {
        RawConfig {
            moniker: "headwater".into(),
            api: RawApi::default(),
            consensus: RawConsensus::default(),
            gossip: RawGossip::default(),
            mempool: RawMempool::default(),
            storage: RawStorage::default(),
            log: RawLog::default(),
        }
    }
}

impl Default for RawApi {
    fn default() -> Self {
        RawApi { listen: "127.0.0.1:26680".into() }
    }
}

impl Default for RawConsensus {
    fn default() -> Self {
        RawConsensus {
            listen: "/ip4/127.0.0.1/tcp/26656".into(),
            peers: Vec::new(),
            heartbeat_ms: 5_000,
            timeout_propose_ms: 1_000,
            timeout_propose_delta_ms: 500,
            timeout_prevote_ms: 500,
            timeout_prevote_delta_ms: 250,
            timeout_precommit_ms: 500,
            timeout_precommit_delta_ms: 250,
            timeout_rebroadcast_ms: 2_000,
            timeout_max_ms: 60_000,
        }
    }
}

impl Default for RawGossip {
    fn default() -> Self {
        RawGossip { listen: "/ip4/127.0.0.1/tcp/26657".into(), peers: Vec::new() }
    }
}

impl Default for RawMempool {
    fn default() -> Self {
        RawMempool {
            max_bytes: 256 << 20,
            max_envelopes: 100_000,
            max_per_member: 20_000,
            max_waiting: 10_000,
        }
    }
}

impl Default for RawStorage {
    fn default() -> Self {
        RawStorage {
            snapshot_every_heights: 10_000,
            archive_every_heights: 100_000,
            keep_heights_in_memory: 64,
            index_cache_mib: 256,
        }
    }
}

impl Default for RawLog {
    fn default() -> Self {
        RawLog { filter: "info".into(), format: "text".into() }
    }
}

/// Every option in the order of the file, with the lines written above it. Sections are explained
/// under their own name.
const EXPLAINED: &[(&str, &str)] = &[
    ("moniker", "The node's name in its own logs; nothing else depends on it."),
    ("api", "The HTTP interface for clients, health checks and metrics."),
    (
        "api.listen",
        "IP address and port. Only this machine can reach a loopback address (127.0.0.1, ::1);\n\
         behind any other, put a TLS proxy in front.",
    ),
    ("consensus", "The consensus engine: who takes part and how long each step waits."),
    ("consensus.listen", "Where the engine listens: /ip4/ or /ip6/ with /tcp/."),
    (
        "consensus.peers",
        "Engines of the other nodes, each pinned to its identity:\n\
         \"/ip4/192.0.2.7/tcp/26656/p2p/12D3Koo...\". Host names are refused.",
    ),
    (
        "consensus.heartbeat_ms",
        "When nothing is to be recorded, a block is still made this often, in milliseconds.",
    ),
    (
        "consensus.timeout_propose_ms",
        "Wait for the proposal in the first round, in milliseconds. Shorter recovers faster from a\n\
         dead proposer; too short wastes rounds on a slow network.",
    ),
    (
        "consensus.timeout_propose_delta_ms",
        "What each further round adds to timeout_propose_ms, in milliseconds.",
    ),
    (
        "consensus.timeout_prevote_ms",
        "Wait for more prevotes once two thirds have voted without agreeing, in milliseconds.",
    ),
    (
        "consensus.timeout_prevote_delta_ms",
        "What each further round adds to timeout_prevote_ms, in milliseconds.",
    ),
    (
        "consensus.timeout_precommit_ms",
        "Wait for more precommits once two thirds have voted without agreeing, in milliseconds.",
    ),
    (
        "consensus.timeout_precommit_delta_ms",
        "What each further round adds to timeout_precommit_ms, in milliseconds.",
    ),
    (
        "consensus.timeout_rebroadcast_ms",
        "A round without progress for this long sends its votes again, in milliseconds.",
    ),
    ("consensus.timeout_max_ms", "No step waits longer than this in any round, in milliseconds."),
    ("gossip", "Passing pending envelopes on between nodes, on a port of its own."),
    ("gossip.listen", "Where gossip listens: /ip4/ or /ip6/ with /tcp/, not consensus.listen."),
    (
        "gossip.peers",
        "Gossip addresses of the same nodes as in consensus.peers, pinned with /p2p/ as there.\n\
         Nobody else can connect.",
    ),
    ("mempool", "Bounds on the envelopes that wait at this node to be recorded."),
    ("mempool.max_bytes", "Most bytes of all pending envelopes."),
    ("mempool.max_envelopes", "Most pending envelopes."),
    (
        "mempool.max_per_member",
        "Most pending envelopes of one member, so that no member crowds out the others.",
    ),
    (
        "mempool.max_waiting",
        "Most envelopes that wait for something not yet recorded; they count as pending too.",
    ),
    ("storage", "What is kept on disk and in memory beside the block log."),
    (
        "storage.snapshot_every_heights",
        "Heights between two snapshots of the state. Fewer opens faster after a stop and writes more.",
    ),
    (
        "storage.archive_every_heights",
        "Heights between two snapshots that are never deleted; 0 for none. The state of a height\n\
         long past is made again from the nearest one before it: fewer save disk and take longer.",
    ),
    (
        "storage.keep_heights_in_memory",
        "Past heights whose state is kept in memory. The state of an earlier one is made again from\n\
         snapshots and the block log when somebody asks for it.",
    ),
    ("storage.index_cache_mib", "Memory for the query indexes, in MiB."),
    ("log", "The node's log, written to standard error."),
    (
        "log.filter",
        "Least level to write: error, warn, info, debug or trace, also by module, as in\n\
         \"info,headwater_node=debug\". The environment variable RUST_LOG goes before it.",
    ),
    ("log.format", "\"text\" for people, \"json\" for machines."),
];

/// Paths of all options, such as `api.listen`, in the order of the file.
pub fn option_names() -> impl Iterator<Item = &'static str> {
    EXPLAINED.iter().map(|(name, _)| *name).filter(|name| *name == "moniker" || name.contains('.'))
}

/// The whole file with a comment above every section and option. `raw` was checked, so that its
/// numbers are within TOML's.
pub(super) fn render(raw: &RawConfig) -> String {
    let mut file = String::from(
        "# Configuration of a Headwater node. Options left out have the values of a fresh file.\n",
    );
    // Only integers beyond i64 and maps with odd keys can fail, and a checked configuration has neither.
    let values = toml::Value::try_from(raw).expect("checked options fit TOML");
    for (path, explanation) in EXPLAINED {
        let value = path.split('.').try_fold(&values, |value, key| value.get(key));
        file.push('\n');
        for line in explanation.lines() {
            file.push_str(&format!("# {line}\n"));
        }
        let name = path.rsplit('.').next().unwrap_or(path);
        match value {
            Some(toml::Value::Table(_)) => file.push_str(&format!("[{name}]\n")),
            Some(toml::Value::Array(entries)) if !entries.is_empty() => {
                let lines: String = entries.iter().map(|entry| format!("    {entry},\n")).collect();
                file.push_str(&format!("{name} = [\n{lines}]\n"));
            }
            Some(value) => file.push_str(&format!("{name} = {value}\n")),
            None => unreachable!("explained options exist; a test holds the two lists together"),
        }
    }
    file
}
