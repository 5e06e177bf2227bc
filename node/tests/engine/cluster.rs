//! Several engines in one process, talking over 127.0.0.1.

use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headwater_ledger::hash::{BlockId, ValidatorAddress};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::validator::{Validator, ValidatorSet, address_of};
use headwater_node::application::{Application as _, SharedApplication};
use headwater_node::engine::{
    Engine, EngineConfig, EngineError, EngineKeys, EngineView, Timeouts, peer_id,
};
use tempfile::TempDir;
use tokio::sync::Notify;

use super::ledger::{Sets, TestLedger};

/// A node: its home and ledger outlive its engine.
pub struct Node {
    pub ledger: Arc<Mutex<TestLedger>>,
    pub work: Arc<Notify>,
    home: TempDir,
    engine: Option<Engine>,
}

pub struct Cluster {
    pub nodes: Vec<Node>,
    ports: Vec<u16>,
    /// Nodes with a validator key, in the set or not.
    keys: usize,
    heartbeat_ms: u64,
}

fn consensus_key(i: usize) -> SigningKey {
    SigningKey::from_seed(&[i as u8 + 1; 32])
}
fn network_seed(i: usize) -> [u8; 32] {
    [i as u8 + 101; 32]
}
pub fn address(i: usize) -> ValidatorAddress {
    address_of(&consensus_key(i).public_key())
}

impl Cluster {
    /// `validators` validators and after them `followers` full nodes, none of them started.
    pub fn new(validators: usize, followers: usize, is_busy: bool, heartbeat_ms: u64) -> Cluster {
        let powers: Vec<_> = (0..validators).map(|i| (i, 10)).collect();
        Cluster::changing(&[(1, &powers)], validators, followers, is_busy, heartbeat_ms)
    }

    /// As [`Cluster::new`], of `keys` nodes with a validator key, where those named with their
    /// power act from the height before them.
    pub fn changing(
        sets: &[(u64, &[(usize, u64)])],
        keys: usize,
        followers: usize,
        is_busy: bool,
        heartbeat_ms: u64,
    ) -> Cluster {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let validator = |(i, power): &(usize, u64)| Validator {
            member: format!("exchange-{i}").parse().unwrap(),
            key: consensus_key(*i).public_key(),
            power: *power,
        };
        let set = |powers: &[(usize, u64)]| {
            Arc::new(ValidatorSet::new(powers.iter().map(validator).collect()).unwrap())
        };
        let sets: Sets = sets.iter().map(|(from, powers)| (*from, set(powers))).collect();
        let listeners: Vec<_> =
            (0..keys + followers).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports = listeners.iter().map(|l| l.local_addr().unwrap().port()).collect();
        let node = |_| Node {
            ledger: Arc::new(Mutex::new(TestLedger::new(sets.clone(), is_busy))),
            work: Arc::new(Notify::new()),
            home: tempfile::tempdir().unwrap(),
            engine: None,
        };
        let nodes = (0..keys + followers).map(node).collect();
        Cluster { nodes, ports, keys, heartbeat_ms }
    }

    pub fn started(validators: usize, is_busy: bool, heartbeat_ms: u64) -> Cluster {
        let mut cluster = Cluster::new(validators, 0, is_busy, heartbeat_ms);
        (0..validators).for_each(|i| cluster.start(i));
        cluster
    }

    pub fn home(&self, i: usize) -> &Path {
        self.nodes[i].home.path()
    }

    pub fn start(&mut self, i: usize) {
        let peer = |j: usize| {
            let (port, id) = (self.ports[j], peer_id(&network_seed(j)));
            format!("/ip4/127.0.0.1/tcp/{port}/p2p/{id}")
        };
        let config = EngineConfig {
            moniker: format!("node-{i}"),
            home: self.home(i).to_owned(),
            listen: format!("/ip4/127.0.0.1/tcp/{}", self.ports[i]),
            peers: (0..self.nodes.len()).map(peer).collect(),
            heartbeat_ms: self.heartbeat_ms,
            status_interval_ms: 500,
            timeouts: Timeouts::default(),
        };
        let consensus = (i < self.keys).then(|| consensus_key(i));
        let keys = EngineKeys { consensus, network_seed: network_seed(i) };
        let application = Arc::clone(&self.nodes[i].ledger) as SharedApplication;
        let work = Arc::clone(&self.nodes[i].work);
        self.nodes[i].engine = Some(Engine::start(config, keys, application, work));
    }

    pub async fn stop(&mut self, i: usize) -> Result<(), EngineError> {
        let mut engine = self.nodes[i].engine.take().expect("a running engine");
        engine.shutdown();
        engine.ended().await
    }

    /// Why an engine ended that nobody stopped.
    pub async fn failure(&mut self, i: usize) -> EngineError {
        let mut engine = self.nodes[i].engine.take().expect("a running engine");
        engine.ended().await.unwrap_err()
    }

    pub fn port(&self, i: usize) -> u16 {
        self.ports[i]
    }

    pub fn view(&self, i: usize) -> Arc<EngineView> {
        self.nodes[i].engine.as_ref().expect("a running engine").view()
    }

    /// Stops what runs, before the runtime goes; every engine must end well.
    pub async fn finish(mut self) {
        self.assert_one_chain();
        for i in 0..self.nodes.len() {
            if self.nodes[i].engine.is_some() {
                self.stop(i).await.unwrap();
            }
        }
    }

    pub fn height(&self, i: usize) -> u64 {
        self.nodes[i].ledger.lock().unwrap().tip_height()
    }

    pub fn ids(&self, i: usize) -> Vec<BlockId> {
        self.nodes[i].ledger.lock().unwrap().certificates().map(|c| c.block_id).collect()
    }

    /// The heights above `above` whose certificate on node `on` carries a signature of node `i`.
    pub fn signed(&self, on: usize, i: usize, above: u64) -> Vec<u64> {
        let ledger = self.nodes[on].ledger.lock().unwrap();
        let signed = ledger
            .certificates()
            .filter(|c| c.height > above && c.signatures.iter().any(|s| s.validator == address(i)));
        signed.map(|c| c.height).collect()
    }

    /// Waits until all of `which` have reached a height.
    pub async fn reach(&self, which: &[usize], height: u64) {
        wait_for(&format!("height {height} on {which:?}"), || {
            which.iter().all(|i| self.height(*i) >= height)
        })
        .await;
    }

    /// All chains are prefixes of the longest.
    pub fn assert_one_chain(&self) {
        let chains: Vec<_> = (0..self.nodes.len()).map(|i| self.ids(i)).collect();
        let longest = chains.iter().max_by_key(|c| c.len()).unwrap();
        assert!(chains.iter().all(|chain| longest.starts_with(chain)));
    }
}

/// Waits for a condition; the limit is only there to end a test that fails.
pub async fn wait_for(what: &str, mut is_met: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_met() {
        assert!(start.elapsed() < Duration::from_secs(90), "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
