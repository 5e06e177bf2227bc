//! Gossip of pending envelopes between known peers, so that every proposer has what any node was
//! given. It is best effort: whoever keeps the pending envelopes publishes those still pending from
//! time to time, which heals peers that were away.

mod driver;
mod frame;
mod queue;
mod swarm;

use std::sync::Arc;

use bytes::Bytes;
use headwater_ledger::hash::ChainId;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::GossipConfig;
use crate::metrics::{DropReason, GossipMetrics};

pub use frame::{MAX_FRAME_BYTES, MAX_FRAME_ENVELOPES, TARGET_FRAME_BYTES};
pub use queue::{MAX_QUEUED_BYTES, MAX_QUEUED_ENVELOPES};

/// Where pending envelopes go out. Implemented by the network and, in simulation, by a queue.
pub trait Gossip: Send + Sync {
    /// Sends `envelope` to the peers. Never blocks and never fails: when the outgoing queue is
    /// full the oldest envelope in it is dropped and counted.
    fn publish(&self, envelope: Bytes);
}

/// Envelopes that arrived together in one frame.
#[derive(Debug)]
pub struct Inbound {
    /// The peer that passed the frame on.
    pub peer: PeerId,
    /// The peer that made and signed the frame.
    pub author: PeerId,
    /// At least one envelope, undecoded; each at most
    /// [`headwater_ledger::limits::MAX_ENVELOPE_BYTES`].
    pub envelopes: Vec<Bytes>,
    /// Takes the judgement on the whole frame, soon: after about five seconds it is forgotten.
    pub verdict: Responder,
}

/// The judgement on a frame, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Something in it is of use: pass it on.
    Accept,
    /// Nothing in it is new or there is no room for it: let it go.
    Ignore,
    /// It holds what no honest node passes on, such as a wrong signature: let it go and count it.
    Reject,
}

impl Verdict {
    /// The judgement on a frame from those on its envelopes: one rejected envelope rejects the
    /// frame, else one accepted envelope accepts it. Honest envelopes in a rejected frame are
    /// published again by whoever keeps them.
    pub fn of_frame(envelopes: impl IntoIterator<Item = Verdict>) -> Verdict {
        envelopes.into_iter().fold(Verdict::Ignore, |frame, envelope| match (frame, envelope) {
            (Verdict::Reject, _) | (_, Verdict::Reject) => Verdict::Reject,
            (Verdict::Accept, _) | (_, Verdict::Accept) => Verdict::Accept,
            (Verdict::Ignore, Verdict::Ignore) => Verdict::Ignore,
        })
    }
}

/// Takes one [`Verdict`]. Dropping it says [`Verdict::Ignore`].
pub struct Responder(Option<Box<dyn FnOnce(Verdict) + Send>>);

impl Responder {
    /// A responder that hands its verdict to `receive`.
    pub fn new(receive: impl FnOnce(Verdict) + Send + 'static) -> Self {
        Responder(Some(Box::new(receive)))
    }

    /// Gives the verdict.
    pub fn decide(mut self, verdict: Verdict) {
        if let Some(receive) = self.0.take() {
            receive(verdict);
        }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if let Some(receive) = self.0.take() {
            receive(Verdict::Ignore);
        }
    }
}

impl std::fmt::Debug for Responder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Responder")
    }
}

/// Why gossip cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum GossipError {
    /// The library refused its settings; our own bug.
    #[error("gossip cannot be set up: {0}")]
    Setup(String),
    /// The address cannot be listened on.
    #[error("gossip cannot listen on {address}: {problem}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// What the operating system said.
        problem: String,
    },
}

impl GossipError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            GossipError::Setup(_) => "this is a bug in the node; please report it",
            GossipError::Listen { .. } => {
                "set `gossip.listen` to an address of this machine and a port no other program uses"
            }
        }
    }
}

/// Gossip over libp2p: gossipsub with signed messages behind a list of allowed peers. Dropping it
/// ends its task.
#[derive(Debug)]
pub struct LibP2pGossip {
    outbound: Arc<queue::Outbound>,
    metrics: GossipMetrics,
    listen: Multiaddr,
    has_peers: bool,
}

impl LibP2pGossip {
    /// Listens, starts to dial the peers, and returns with the task that runs until the handle is
    /// dropped or the receiver of `inbound` is, or listening fails.
    ///
    /// `seed` is the node key's. Only peers of the same chain hear each other. Frames go to
    /// `inbound`; when it is full the newest is dropped and counted. Its capacity in frames of up to
    /// [`MAX_FRAME_BYTES`] is the caller's choice.
    pub async fn start(
        config: &GossipConfig,
        chain_id: ChainId,
        seed: &[u8; 32],
        inbound: mpsc::Sender<Inbound>,
        metrics: GossipMetrics,
    ) -> Result<(LibP2pGossip, JoinHandle<Result<(), GossipError>>), GossipError> {
        let peers: Vec<PeerId> = config.peers.iter().map(|peer| peer.id()).collect();
        let mut swarm = swarm::build(keypair(seed), &peers, chain_id, swarm::MAX_TRANSMIT_BYTES)?;
        let listen = swarm::listen(&mut swarm, &config.listen).await?;
        let outbound = Arc::new(queue::Outbound::default());
        let driver = driver::Driver::new(
            swarm,
            config,
            chain_id,
            outbound.clone(),
            inbound,
            metrics.clone(),
        );
        let task = tokio::spawn(driver.run());
        let has_peers = !peers.is_empty();
        Ok((LibP2pGossip { outbound, metrics, listen, has_peers }, task))
    }

    /// The address listened on, with the port the system chose if it was left to it.
    pub fn listen_address(&self) -> &Multiaddr {
        &self.listen
    }
}

impl Gossip for LibP2pGossip {
    fn publish(&self, envelope: Bytes) {
        if !frame::fits(&envelope) {
            self.metrics.dropped(DropReason::OwnSize).inc();
        } else if self.has_peers {
            let dropped = self.outbound.push(envelope);
            if dropped > 0 {
                self.metrics.dropped(DropReason::OutboundFull).inc_by(dropped);
            }
        }
    }
}

impl Drop for LibP2pGossip {
    fn drop(&mut self) {
        self.outbound.close();
    }
}

/// The identity in `/p2p/` addresses of the node whose key has `seed`.
pub fn peer_id(seed: &[u8; 32]) -> String {
    keypair(seed).public().to_peer_id().to_string()
}

fn keypair(seed: &[u8; 32]) -> Keypair {
    // Fails only when the seed does not have 32 bytes. The copy is wiped by the callee.
    Keypair::ed25519_from_bytes(*seed).expect("every 32 bytes are an Ed25519 seed")
}

#[cfg(test)]
mod tests;
