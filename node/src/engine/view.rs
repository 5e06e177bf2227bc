//! What the rest of the node may see of the engine: its mode, its peers, misbehaviour, metrics.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use malachitebft_app_channel::NetworkRequest;
use malachitebft_app_channel::app::metrics;
use serde::Serialize;
use tokio::sync::mpsc::Sender;

/// What this node does in consensus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Not running.
    #[default]
    Stopped,
    /// Follows; it has no validator key.
    Following,
    /// Follows until it is certain that its votes cannot contradict earlier ones.
    Abstaining,
    /// Votes whenever its key is in the validator set.
    Voting,
}

/// A connected peer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Peer {
    /// Its peer id.
    pub id: String,
    /// Its name, as it gives it.
    pub moniker: String,
    /// Where it is.
    pub address: String,
    /// Its validator address, when it has proved to hold the key of a current validator. It proves so
    /// once a connection; what it sent before this node's engine ran is lost.
    pub validator: Option<String>,
}

/// Shared by the engine, which writes, and the API, which reads.
#[derive(Debug, Default)]
pub struct EngineView {
    mode: Mutex<Mode>,
    network: Mutex<Option<Sender<NetworkRequest>>>,
    misbehaviours: AtomicU64,
}

impl EngineView {
    /// What this node does now.
    pub fn mode(&self) -> Mode {
        *self.mode.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Double votes and double proposals seen since the node started, each with its evidence in
    /// the log.
    pub fn misbehaviours(&self) -> u64 {
        self.misbehaviours.load(Ordering::Relaxed)
    }

    /// The connected peers, ordered by id; empty while the engine is not running.
    pub async fn peers(&self) -> Vec<Peer> {
        let network = self.network.lock().unwrap_or_else(|e| e.into_inner()).clone();
        let Some(network) = network else { return Vec::new() };
        let Ok(Some(state)) = NetworkRequest::dump_state(&network).await else {
            return Vec::new();
        };
        let peers = state.peers.into_iter().map(|(id, info)| Peer {
            id: id.to_string(),
            moniker: info.moniker,
            address: info.address.to_string(),
            validator: info.consensus_address,
        });
        let mut peers: Vec<_> = peers.collect();
        peers.sort();
        peers
    }

    pub(super) fn set(&self, mode: Mode, network: Option<Sender<NetworkRequest>>) {
        *self.mode.lock().unwrap_or_else(|e| e.into_inner()) = mode;
        *self.network.lock().unwrap_or_else(|e| e.into_inner()) = network;
    }

    pub(super) fn add_misbehaviours(&self, count: u64) {
        self.misbehaviours.fetch_add(count, Ordering::Relaxed);
    }
}

/// The engine's metrics in Prometheus's text format.
///
/// The library registers its metrics anew in every session; a family's description is given once.
pub fn metrics_text() -> String {
    let mut text = String::new();
    metrics::export(&mut text);
    let mut described = BTreeSet::new();
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if !line.starts_with('#') || (line != "# EOF" && described.insert(line)) {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}
