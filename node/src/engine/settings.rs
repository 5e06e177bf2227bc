//! The configuration of the engine and what of it the consensus library is given.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use headwater_ledger::keys::SigningKey;
use malachitebft_app_channel::app::config::{
    ConsensusConfig, NodeConfig, PubSubProtocol, ValuePayload, ValueSyncConfig,
};
use malachitebft_app_channel::app::net::Multiaddr;
use malachitebft_app_channel::app::types::core::LinearTimeouts;
use malachitebft_app_channel::app::types::{Keypair, PeerId};
use serde::{Deserialize, Serialize};

use super::EngineError;
use super::codec::MAX_RESPONSE;

/// How the engine is set up.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The node's name in logs and metrics.
    pub moniker: String,
    /// The folder that holds the engine's log, the undecided blocks and the last-signed record.
    pub home: PathBuf,
    /// Where to listen, such as `/ip4/0.0.0.0/tcp/26600`.
    pub listen: String,
    /// The other nodes, such as `/ip4/10.0.0.2/tcp/26600/p2p/12D3…`. Only these may connect.
    pub peers: Vec<String>,
    /// Longest pause between two blocks when there is nothing to record, in milliseconds.
    pub heartbeat_ms: u64,
    /// Interval at which peers are told the tip, in milliseconds.
    pub status_interval_ms: u64,
    /// Timeouts of a round.
    pub timeouts: Timeouts,
}

/// Timeouts of a round: each grows by its `_delta_ms` from round to round, up to `max_ms`.
///
/// A height whose proposer is dead costs `propose_ms + precommit_ms`. The first round is short for
/// that reason; growth gives a slow machine the time it needs in a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For the proposal and its block to arrive.
    pub propose_ms: u64,
    /// Growth of `propose_ms`.
    pub propose_delta_ms: u64,
    /// For further prevotes, once two thirds disagree.
    pub prevote_ms: u64,
    /// Growth of `prevote_ms`.
    pub prevote_delta_ms: u64,
    /// For further precommits, once two thirds disagree.
    pub precommit_ms: u64,
    /// Growth of `precommit_ms`.
    pub precommit_delta_ms: u64,
    /// Until votes are sent again to peers that may have missed them.
    pub rebroadcast_ms: u64,
    /// The longest any of them gets.
    pub max_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            propose_ms: 600,
            propose_delta_ms: 500,
            prevote_ms: 250,
            prevote_delta_ms: 250,
            precommit_ms: 250,
            precommit_delta_ms: 250,
            rebroadcast_ms: 1_500,
            max_ms: 30_000,
        }
    }
}

impl Timeouts {
    pub(super) fn for_engine(&self) -> LinearTimeouts {
        let ms = Duration::from_millis;
        LinearTimeouts {
            propose: ms(self.propose_ms),
            propose_delta: ms(self.propose_delta_ms),
            prevote: ms(self.prevote_ms),
            prevote_delta: ms(self.prevote_delta_ms),
            precommit: ms(self.precommit_ms),
            precommit_delta: ms(self.precommit_delta_ms),
            rebroadcast: ms(self.rebroadcast_ms),
            max_timeout: ms(self.max_ms),
        }
    }
}

/// The keys of a node.
pub struct EngineKeys {
    /// The validator's key; `None` for a full node, which follows and never votes.
    pub consensus: Option<SigningKey>,
    /// Secret seed of the Ed25519 key that names the node to its peers.
    pub network_seed: [u8; 32],
}

/// The peer id of a network key, for the `/p2p/…` part of addresses.
pub fn peer_id(network_seed: &[u8; 32]) -> String {
    network_key(network_seed).public().to_peer_id().to_string()
}

pub(super) fn network_key(seed: &[u8; 32]) -> Keypair {
    let mut seed = *seed;
    // Any 32 bytes are an Ed25519 seed.
    Keypair::ed25519_from_bytes(&mut seed).expect("a 32-byte seed")
}

/// The configuration in the library's shape.
#[derive(Clone)]
pub(super) struct Settings {
    moniker: String,
    consensus: ConsensusConfig,
    sync: ValueSyncConfig,
}

impl NodeConfig for Settings {
    fn moniker(&self) -> &str {
        &self.moniker
    }
    fn consensus(&self) -> &ConsensusConfig {
        &self.consensus
    }
    fn consensus_mut(&mut self) -> &mut ConsensusConfig {
        &mut self.consensus
    }
    fn value_sync(&self) -> &ValueSyncConfig {
        &self.sync
    }
    fn value_sync_mut(&mut self) -> &mut ValueSyncConfig {
        &mut self.sync
    }
}

impl Settings {
    /// Checks the addresses and sets what is Headwater's choice.
    pub fn of(config: &EngineConfig, own_id: &str) -> Result<Self, EngineError> {
        let bad = |what: &str, address: &str| {
            EngineError::Config(format!("{what} `{address}` is not an address such as {EXAMPLE}"))
        };
        let listen: Multiaddr = config.listen.parse().map_err(|_| bad("listen", &config.listen))?;
        let mut peers = Vec::new();
        for text in &config.peers {
            let address: Multiaddr = text.parse().map_err(|_| bad("peer", text))?;
            match pinned_id(text) {
                None => {
                    return Err(EngineError::Config(format!(
                        "peer `{text}` does not say whom to expect; append /p2p/ and its peer id"
                    )));
                }
                Some(id) if id.to_string() == own_id => {}
                Some(_) => peers.push(address),
            }
        }
        let mut consensus =
            ConsensusConfig { value_payload: ValuePayload::ProposalAndParts, ..Default::default() };
        consensus.p2p.listen_addr = listen;
        consensus.p2p.persistent_peers = peers;
        consensus.p2p.persistent_peers_only = true;
        consensus.p2p.discovery.enabled = false;
        consensus.p2p.discovery.max_connections_per_ip = 1_024;
        consensus.p2p.protocol = PubSubProtocol::Broadcast;
        // Room for the frame around the largest message of our own.
        consensus.p2p.rpc_max_size = byte_size(MAX_RESPONSE + (1 << 20));
        let sync = ValueSyncConfig {
            status_update_interval: Duration::from_millis(config.status_interval_ms),
            max_response_size: byte_size(MAX_RESPONSE),
            ..Default::default()
        };
        Ok(Settings { moniker: config.moniker.clone(), consensus, sync })
    }
}

/// The library's type for sizes, which only its text form can make without naming its crate.
fn byte_size<T: FromStr<Err: Debug>>(bytes: usize) -> T {
    format!("{bytes} B").parse().expect("a number with its unit is a size")
}

const EXAMPLE: &str = "/ip4/10.0.0.2/tcp/26600";

/// The TCP address to listen on, when it is one.
pub(super) fn socket_address(listen: &str) -> Option<SocketAddr> {
    let mut words = listen.strip_prefix('/')?.split('/');
    let (Some("ip4" | "ip6"), ip, Some("tcp"), port) =
        (words.next(), words.next()?, words.next(), words.next()?)
    else {
        return None;
    };
    Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
}

/// The peer id an address ends in.
fn pinned_id(address: &str) -> Option<PeerId> {
    let (_, id) = address.rsplit_once("/p2p/")?;
    id.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(peers: &[String]) -> EngineConfig {
        EngineConfig {
            moniker: "a".into(),
            home: "unused".into(),
            listen: "/ip4/127.0.0.1/tcp/0".into(),
            peers: peers.to_vec(),
            heartbeat_ms: 1_000,
            status_interval_ms: 1_000,
            timeouts: Timeouts::default(),
        }
    }

    #[test]
    fn every_peer_address_must_pin_an_id_and_the_own_one_is_left_out() {
        let own = &peer_id(&[1; 32]);
        let at = |port: u16, id: &str| format!("/ip4/127.0.0.1/tcp/{port}/p2p/{id}");
        let both = [at(1, &peer_id(&[1; 32])), at(2, &peer_id(&[2; 32]))];
        let settings = Settings::of(&config(&both), own).unwrap();
        assert_eq!(settings.consensus.p2p.persistent_peers, [both[1].parse().unwrap()]);

        for wrong in ["/ip4/127.0.0.1/tcp/2".to_string(), at(2, "nobody"), "10.0.0.1:2".into()] {
            let error = Settings::of(&config(&[wrong]), own).err().unwrap();
            assert!(matches!(error, EngineError::Config(_)), "{error}");
        }
    }
}
