//! Whole nodes in one process: real engines over 127.0.0.1, the real ledger on real files, and one
//! clock for all that stands still until it is moved.
//!
//! Every wait is for a condition; its limit only ends a test that fails.

use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use headwater_ledger::envelope::VerifiedEnvelope;
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::{ChainId, Digest, EnvelopeId};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::query::{ListEntry, Lists};
use headwater_ledger::reject::{Fault, Refusal, Reject};
use headwater_ledger::state::{Key, Records as _, Relation, State, View};
use headwater_ledger::validator::{Validator, address_of};
use headwater_node::app::{App, Origin, Reception, SharedVerdicts, Status, Turned};
use headwater_node::application::{Application as _, SharedApplication};
use headwater_node::archive::rows;
use headwater_node::chain::{self, Point};
use headwater_node::clock::{Clock as _, ManualClock};
use headwater_node::engine::{
    Engine, EngineConfig, EngineError, EngineKeys, EngineView, Timeouts, peer_id,
};
use headwater_node::mempool::Limits;
use headwater_node::opening::Opening;
use headwater_node::store::disk::RealDisk;
use headwater_node::store::index::{IndexStore, SledIndex};
use tempfile::TempDir;

use crate::paced::Paced;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often a wait looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What has become of a submitted envelope.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is recorded.
    Recorded {
        /// Its id.
        id: EnvelopeId,
        /// In the block of this height.
        height: u64,
    },
    /// A rule refused it. Nothing of it is kept, not even when what it refers to comes later.
    Refused(Reject),
}

impl Outcome {
    /// The envelope's id and the height at which it was recorded; fails when it was refused.
    pub fn recorded(&self) -> (EnvelopeId, u64) {
        match self {
            Outcome::Recorded { id, height } => (*id, *height),
            Outcome::Refused(reject) => panic!("refused: {reject}"),
        }
    }

    /// The height at which it was recorded; fails when it was refused.
    pub fn height(&self) -> u64 {
        self.recorded().1
    }
}

/// When blocks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As on any network: when there is something to record, and at every heartbeat.
    Free,
    /// When [`Network::make_block`] asks for one and at no other time.
    Told,
}

/// How a network is set up.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// When blocks are made.
    pub pace: Pace,
    /// Longest pause between two blocks when there is nothing to record, in milliseconds of the
    /// machine's time, not of the network's clock.
    pub heartbeat_ms: u64,
    /// Heights whose state a node keeps in memory.
    pub keep_heights: usize,
    /// Heights between two snapshots.
    pub snapshot_every: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { pace: Pace::Free, heartbeat_ms: 300, keep_heights: 64, snapshot_every: 10 }
    }
}

/// A node while it runs.
struct Running {
    app: Arc<Mutex<App>>,
    /// Absent until the node takes part.
    engine: Option<Engine>,
    verdicts: SharedVerdicts,
}

/// A node: its folder and keys outlive it.
struct Node {
    home: TempDir,
    port: u16,
    consensus: SigningKey,
    network_seed: [u8; 32],
    running: Option<Running>,
}

/// The state of a node at its tip with the lists it holds, for the ledger's queries.
pub struct Seen {
    /// The height, block and state.
    pub point: Arc<Point>,
    index: Arc<dyn IndexStore>,
}

impl Seen {
    /// The same node's state of an earlier height, with the lists as they were.
    pub fn at(&self, point: Arc<Point>) -> Seen {
        Seen { point, index: self.index.clone() }
    }
}

impl View for Seen {
    fn value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault> {
        self.point.state.value(key)
    }
}

impl Lists for Seen {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        let fault = |e: &dyn std::fmt::Display| Fault(e.to_string());
        let count = usize::try_from(self.range(relation)?.count()).map_err(|e| fault(&e))?;
        let mut entries = Vec::new();
        while entries.len() < count {
            let (prefix, after) = rows::list_scan(relation, entries.len() as u64)?;
            let left = count - entries.len();
            let found = self.index.scan(&prefix, after.as_deref(), left).map_err(|e| fault(&e))?;
            if found.is_empty() {
                return Err(Fault("the index lacks entries of a list".into()));
            }
            for (_, value) in found {
                entries.push(ListEntry::from_bytes(&value)?);
            }
        }
        Ok(entries)
    }
}

/// A network of nodes that share a clock.
pub struct Network {
    genesis: Genesis,
    chain_id: ChainId,
    clock: Arc<ManualClock>,
    settings: Settings,
    /// The height up to which blocks are made when the network is told.
    wanted: Arc<AtomicU64>,
    nodes: Vec<Node>,
}

impl Network {
    /// Starts a node for every consensus key. A node whose key is not among the validators of the
    /// genesis document follows until it is. The clock stands one second after the genesis.
    pub fn start(genesis: Genesis, keys: &[SigningKey], settings: Settings) -> Network {
        let mut network = Network::open(genesis, keys, settings);
        (0..keys.len()).for_each(|i| network.join(i));
        network
    }

    /// The nodes of [`Network::start`], open and not yet taking part.
    pub fn open(genesis: Genesis, keys: &[SigningKey], settings: Settings) -> Network {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let listeners: Vec<_> =
            keys.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let node = |(i, (key, listener)): (usize, (&SigningKey, &TcpListener))| Node {
            home: tempfile::tempdir().unwrap(),
            port: listener.local_addr().unwrap().port(),
            consensus: key.clone(),
            network_seed: [u8::try_from(i).unwrap() + 101; 32],
            running: None,
        };
        let nodes: Vec<_> = keys.iter().zip(&listeners).enumerate().map(node).collect();
        drop(listeners);
        let chain_id = genesis.chain_id().unwrap();
        let clock = Arc::new(ManualClock::at(genesis.time_ms + 1_000));
        let wanted = Arc::default();
        let mut network = Network { genesis, chain_id, clock, settings, wanted, nodes };
        (0..keys.len()).for_each(|i| network.open_node(i));
        network
    }

    /// Validators of equal power: one for each member and key.
    pub fn validators(of: &[(&str, &SigningKey)]) -> Vec<Validator> {
        let validator = |(member, key): &(&str, &SigningKey)| Validator {
            member: member.parse().unwrap(),
            key: key.public_key(),
            power: 10,
        };
        of.iter().map(validator).collect()
    }

    /// The chain all nodes belong to.
    pub fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    /// The time that all clocks show, in milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Moves all clocks to a time, which the next block carries. Time never goes back.
    pub fn set_time(&self, time_ms: u64) {
        self.clock.set(time_ms.max(self.clock.now_ms()));
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The folder of a node.
    pub fn home(&self, i: usize) -> &Path {
        self.nodes[i].home.path()
    }

    /// Starts a node that does not run on what is in its folder.
    pub fn start_node(&mut self, i: usize) {
        self.open_node(i);
        self.join(i);
    }

    fn open_node(&mut self, i: usize) {
        let app = self.open_app(i);
        let verdicts = app.verdicts();
        let app = Arc::new(Mutex::new(app));
        self.nodes[i].running = Some(Running { app, engine: None, verdicts });
    }

    /// Lets an open node take part.
    fn join(&mut self, i: usize) {
        let app = self.running(i).app.clone();
        let work = self.app(i).work();
        let peer =
            |n: &Node| format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", n.port, peer_id(&n.network_seed));
        let node = &self.nodes[i];
        let config = EngineConfig {
            moniker: format!("node-{i}"),
            home: node.home.path().join("consensus"),
            listen: format!("/ip4/127.0.0.1/tcp/{}", node.port),
            peers: self.nodes.iter().map(peer).collect(),
            heartbeat_ms: self.settings.heartbeat_ms,
            status_interval_ms: 500,
            timeouts: Timeouts::default(),
        };
        let keys =
            EngineKeys { consensus: Some(node.consensus.clone()), network_seed: node.network_seed };
        let application: SharedApplication = match self.settings.pace {
            Pace::Free => app,
            Pace::Told => Arc::new(Mutex::new(Paced { app, wanted: self.wanted.clone() })),
        };
        let engine = Engine::start(config, keys, application, work);
        self.nodes[i].running.as_mut().expect("an open node").engine = Some(engine);
    }

    /// Lets every node take part that does not yet.
    pub fn join_all(&mut self) {
        for i in 0..self.nodes.len() {
            if self.nodes[i].running.as_ref().is_some_and(|running| running.engine.is_none()) {
                self.join(i);
            }
        }
    }

    /// Has the running nodes make one block more, and waits until all have it. Of [`Pace::Told`].
    pub async fn make_block(&self) -> u64 {
        let height = self.all().map(|i| self.height(i)).max().expect("a running node") + 1;
        self.wanted.store(height, Ordering::SeqCst);
        self.all().for_each(|i| self.app(i).work().notify_one());
        self.reach(height).await;
        height
    }

    fn open_app(&self, i: usize) -> App {
        let home = self.nodes[i].home.path();
        let chain_id = *self.chain_id.digest().raw();
        let opening = Opening {
            genesis: self.genesis.clone(),
            disk: Arc::new(RealDisk),
            log_folder: home.join("log"),
            snapshots_folder: home.join("snapshots"),
            clock: self.clock.clone(),
            limits: Limits {
                max_bytes: 64 << 20,
                max_envelopes: 10_000,
                max_per_member: 10_000,
                max_waiting: 1_000,
            },
            keep_heights: self.settings.keep_heights,
            snapshot_every: self.settings.snapshot_every,
            archive_every: 0,
            apply: chain::apply,
        };
        let index = |_| {
            let folder = home.join("index");
            let (index, _) = SledIndex::open(&folder, chain_id, rows::FORMAT, 16 << 20)?;
            Ok(Arc::new(index) as Arc<dyn IndexStore>)
        };
        opening.open(index).unwrap()
    }

    /// Stops a node in order and closes its files.
    pub async fn stop_node(&mut self, i: usize) -> Result<(), EngineError> {
        let Running { app, engine, .. } = self.nodes[i].running.take().expect("a running node");
        let ended = match engine {
            Some(mut engine) => {
                engine.shutdown();
                engine.ended().await
            }
            None => Ok(()),
        };
        let app = Arc::try_unwrap(app).unwrap_or_else(|_| panic!("somebody holds the application"));
        app.into_inner().unwrap().settle();
        ended
    }

    /// Stops all nodes; every engine must end well.
    pub async fn finish(mut self) {
        self.agree().await;
        for i in 0..self.nodes.len() {
            if self.nodes[i].running.is_some() {
                self.stop_node(i).await.unwrap();
            }
        }
    }

    fn running(&self, i: usize) -> &Running {
        self.nodes[i].running.as_ref().expect("a running node")
    }

    /// The application of a node, locked: its engine waits meanwhile.
    pub fn app(&self, i: usize) -> MutexGuard<'_, App> {
        self.running(i).app.lock().unwrap()
    }

    /// What a node shows of its engine.
    pub fn view(&self, i: usize) -> Arc<EngineView> {
        self.running(i).engine.as_ref().expect("it takes part").view()
    }

    /// The address of a node's consensus key.
    pub fn address(&self, i: usize) -> headwater_ledger::hash::ValidatorAddress {
        address_of(&self.nodes[i].consensus.public_key())
    }

    /// Hands an envelope's bytes to a node as a client does. What a rule refuses on the node's
    /// present state is refused at once; the rest is in its pool, unless it was known already.
    pub fn hand(&self, i: usize, bytes: &[u8]) -> Result<(VerifiedEnvelope, Status), Reject> {
        let envelope = self.running(i).verdicts.verify(bytes)?;
        let id = envelope.id();
        let reception = self.app(i).receive(&id).unwrap();
        match reception {
            Reception::Known(Status::Refused(Turned::Rule(reject))) => Err(reject),
            Reception::Known(status) => Ok((envelope, status)),
            Reception::Untried(trial) => {
                let tried = trial.run(&envelope);
                match tried.refusal() {
                    None => {}
                    Some(Refusal::Reject(reject)) => return Err(reject.clone()),
                    Some(Refusal::Fault(fault)) => {
                        panic!("envelope {id} makes the rules fail: {fault}")
                    }
                }
                let (status, _) = self.app(i).submit_tried(envelope.clone(), tried);
                Ok((envelope, status))
            }
        }
    }

    /// [`Network::hand`], then waits until that node has recorded it.
    pub async fn submit(&self, i: usize, bytes: &[u8]) -> Outcome {
        let envelope = match self.hand(i, bytes) {
            Ok((envelope, _)) => envelope,
            Err(reject) => return Outcome::Refused(reject),
        };
        let id = envelope.id();
        let mut outcome = None;
        let mut offered = None;
        self.wait(&format!("envelope {id} to be recorded"), || {
            outcome = self.outcome(i, id);
            if outcome.is_none() && offered.is_none_or(|at: Instant| at.elapsed() > LOOK_EVERY * 40)
            {
                offered = Some(Instant::now());
                self.offer(i, &envelope);
            }
            outcome.is_some()
        })
        .await;
        outcome.expect("waited for it")
    }

    fn outcome(&self, i: usize, id: EnvelopeId) -> Option<Outcome> {
        match self.app(i).status(&id) {
            Status::Recorded { height, .. } => Some(Outcome::Recorded { id, height }),
            Status::Refused(Turned::Rule(reject)) => Some(Outcome::Refused(reject)),
            Status::Refused(why) => panic!("envelope {id} was turned away: {}", why.message()),
            Status::Pending | Status::Waiting(_) | Status::Unknown => None,
        }
    }

    /// Gives a pending envelope to the other nodes, as gossip does.
    pub fn offer(&self, from: usize, envelope: &VerifiedEnvelope) {
        let others = (0..self.nodes.len()).filter(|i| *i != from);
        for i in others.filter(|i| self.nodes[*i].running.is_some()) {
            self.app(i).submit(envelope.clone(), Origin::Peer);
        }
    }

    /// The height of a node.
    pub fn height(&self, i: usize) -> u64 {
        self.app(i).tip_height()
    }

    /// The state of a node at its tip.
    pub fn state(&self, i: usize) -> State {
        self.app(i).chain().tip().state.clone()
    }

    /// State and lists of a node at its tip, once its index is there.
    pub async fn seen(&self, i: usize) -> Seen {
        let (point, index) = {
            let app = self.app(i);
            (app.chain().tip().clone(), app.index().clone())
        };
        self.wait("the index", || index.height() >= point.height).await;
        Seen { point, index }
    }

    fn all(&self) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(|i| self.nodes[*i].running.is_some())
    }

    /// Waits until all running nodes have reached a height.
    pub async fn reach(&self, height: u64) {
        self.wait(&format!("height {height}"), || self.all().all(|i| self.height(i) >= height))
            .await;
    }

    /// Waits until all running nodes have a height in common, the greatest of now, and fails unless
    /// they have the same state root there. Gives height and root.
    pub async fn agree(&self) -> (u64, Digest) {
        let height = self.all().map(|i| self.height(i)).max().expect("a running node");
        self.reach(height).await;
        let root = |i| {
            let light = self.app(i).chain().light(height).unwrap();
            light.map(|light| light.header.state_root)
        };
        let roots: Vec<_> = self.all().map(root).collect();
        assert!(roots.windows(2).all(|pair| pair[0] == pair[1]), "height {height}: {roots:?}");
        match roots[0] {
            Some(root) => (height, root),
            None => (0, self.state(self.all().next().expect("a running node")).root()),
        }
    }

    /// Waits for a condition.
    pub async fn wait(&self, what: &str, mut is_met: impl FnMut() -> bool) {
        let start = Instant::now();
        while !is_met() {
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
