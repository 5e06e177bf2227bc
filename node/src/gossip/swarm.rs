//! The libp2p side: who may connect, and how gossipsub is set.

use std::time::Duration;

use futures::StreamExt as _;
use headwater_ledger::hash::ChainId;
use libp2p::allow_block_list::{self, AllowedPeers};
use libp2p::gossipsub::{self, IdentTopic, MessageId, WhitelistSubscriptionFilter};
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, connection_limits, noise, ping, tcp, yamux};

use super::GossipError;
use super::frame::MAX_FRAME_BYTES;

/// Most bytes of a gossipsub message. The slack lets frames just above their bound arrive and be
/// counted; anything larger is not read, and its sender not heard until it connects anew.
pub const MAX_TRANSMIT_BYTES: usize = MAX_FRAME_BYTES + (64 << 10);

/// Messages kept for each peer that reads slowly, half of them our own and half passed on; beyond
/// that, the newest is dropped for that peer.
const PEER_QUEUE_MESSAGES: usize = 256;

/// What runs on each connection. Strangers are refused once they have shown their identity.
#[derive(NetworkBehaviour)]
pub struct Behaviour {
    allowed: allow_block_list::Behaviour<AllowedPeers>,
    limits: connection_limits::Behaviour,
    ping: ping::Behaviour,
    pub gossip: gossipsub::Behaviour<gossipsub::IdentityTransform, WhitelistSubscriptionFilter>,
}

/// The topic of pending envelopes on `chain_id`.
pub fn topic(chain_id: ChainId) -> IdentTopic {
    IdentTopic::new(format!("headwater/{chain_id}/envelopes/1"))
}

/// A swarm that subscribes to the chain's topic and talks to `peers` only.
pub fn build(
    keypair: Keypair,
    peers: &[PeerId],
    chain_id: ChainId,
    max_transmit_bytes: usize,
) -> Result<Swarm<Behaviour>, GossipError> {
    let setup = |problem: &dyn std::fmt::Display| GossipError::Setup(problem.to_string());
    let mut allowed = allow_block_list::Behaviour::<AllowedPeers>::default();
    peers.iter().for_each(|peer| _ = allowed.allow_peer(*peer));
    // One connection for each peer. Gossipsub tells a peer what it subscribes to on the first
    // connection only: a restarted peer on a second one, beside the dead first, would never know.
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(64))
        .with_max_established_per_peer(Some(1));
    let topic = topic(chain_id);
    let gossip = gossipsub::Behaviour::new_with_subscription_filter(
        gossipsub::MessageAuthenticity::Signed(keypair.clone()),
        gossip_config(max_transmit_bytes)?,
        WhitelistSubscriptionFilter([topic.hash()].into_iter().collect()),
    )
    .map_err(|problem| setup(&problem))?;
    let behaviour = Behaviour {
        allowed,
        limits: connection_limits::Behaviour::new(limits),
        ping: ping::Behaviour::new(
            ping::Config::new()
                .with_interval(Duration::from_secs(5))
                .with_timeout(Duration::from_secs(10)),
        ),
        gossip,
    };
    let mut swarm = libp2p::SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::new().nodelay(true), noise::Config::new, yamux::Config::default)
        .map_err(|problem| setup(&problem))?
        .with_behaviour(|_| behaviour)
        .map_err(|problem| setup(&problem))?
        .with_swarm_config(|config| {
            config.with_idle_connection_timeout(Duration::from_secs(u64::MAX))
        })
        .build();
    swarm.behaviour_mut().gossip.subscribe(&topic).map_err(|problem| setup(&problem))?;
    Ok(swarm)
}

fn gossip_config(max_transmit_bytes: usize) -> Result<gossipsub::Config, GossipError> {
    gossipsub::ConfigBuilder::default()
        .validation_mode(gossipsub::ValidationMode::Strict)
        .validate_messages()
        .max_transmit_size(max_transmit_bytes)
        // Peers are few and known: everybody hears it from its author, and relays fill gaps.
        .flood_publish(true)
        // Author and sequence number, both under the author's signature. Not the content: an
        // envelope published again must reach a peer that was away the first time.
        .message_id_fn(|message| {
            let author = message.source.map(|author| author.to_bytes()).unwrap_or_default();
            let number = message.sequence_number.unwrap_or_default().to_be_bytes();
            MessageId::from([author.as_slice(), &number].concat())
        })
        .duplicate_cache_time(Duration::from_secs(60))
        // Five heartbeats of a second: how long a message waits for its verdict in memory.
        .heartbeat_initial_delay(Duration::from_millis(100))
        .heartbeat_interval(Duration::from_secs(1))
        .history_length(5)
        .history_gossip(3)
        .connection_handler_queue_len(PEER_QUEUE_MESSAGES)
        .build()
        .map_err(|problem| GossipError::Setup(problem.to_string()))
}

/// Listens on `address` and returns what it became, the port known.
pub async fn listen(
    swarm: &mut Swarm<Behaviour>,
    address: &Multiaddr,
) -> Result<Multiaddr, GossipError> {
    let refuse = |problem: String| GossipError::Listen { address: address.clone(), problem };
    let listener =
        swarm.listen_on(address.clone()).map_err(|problem| refuse(problem.to_string()))?;
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { listener_id, address } if listener_id == listener => {
                return Ok(address);
            }
            SwarmEvent::ListenerError { listener_id, error } if listener_id == listener => {
                return Err(refuse(error.to_string()));
            }
            SwarmEvent::ListenerClosed { listener_id, reason, .. } if listener_id == listener => {
                let problem = reason.err().map(|error| error.to_string());
                return Err(refuse(problem.unwrap_or_else(|| "the listener closed".to_owned())));
            }
            _ => {}
        }
    }
}
