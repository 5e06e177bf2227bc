//! The task that owns the swarm: sends frames, hands received ones to the application, passes on
//! what it accepts, and dials lost peers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use headwater_ledger::hash::ChainId;
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance, MessageId, PublishError};
use libp2p::swarm::SwarmEvent;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId, Swarm, ping};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tracing::{debug, info, warn};

use super::queue::Outbound;
use super::swarm::{Behaviour, BehaviourEvent, topic};
use super::{GossipError, Inbound, Responder, Verdict, frame};
use crate::config::{GossipConfig, PeerAddress};
use crate::metrics::{DropReason, GossipMetrics, RejectReason};

/// Time that [`frame::TARGET_FRAME_BYTES`] take: envelopes published meanwhile share the next
/// frame, and a burst is spread so that it does not overrun the peers' queues.
const FRAME_INTERVAL: Duration = Duration::from_millis(5);
/// How often lost peers are looked for.
const REDIAL_INTERVAL: Duration = Duration::from_millis(250);
/// How much longer the side with the larger identity waits before it dials. Were both to dial at
/// once, each would refuse the other's connection as the second.
const PATIENCE: Duration = Duration::from_secs(1);
/// Wait after the first failed dial; each further one doubles it.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// Longest wait between dials.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// The state of the task.
pub struct Driver {
    swarm: Swarm<Behaviour>,
    topic: IdentTopic,
    listen: Multiaddr,
    allowed: BTreeSet<PeerId>,
    dials: Vec<Dial>,
    outbound: Arc<Outbound>,
    next_frame: Instant,
    inbound: mpsc::Sender<Inbound>,
    // Unbounded, yet holds at most one verdict for each frame the application was handed.
    verdicts: (mpsc::UnboundedSender<Decided>, mpsc::UnboundedReceiver<Decided>),
    metrics: GossipMetrics,
}

/// A verdict with the message it is about.
struct Decided {
    message: MessageId,
    peer: PeerId,
    verdict: Verdict,
}

/// When a peer is dialled next, should it not be connected.
struct Dial {
    peer: PeerAddress,
    patience: Duration,
    failures: u32,
    next: Instant,
}

impl Dial {
    fn new(peer: PeerAddress, own: PeerId) -> Self {
        let patience = if own < peer.id() { Duration::ZERO } else { PATIENCE };
        Dial { peer, patience, failures: 0, next: Instant::now() + patience }
    }

    fn backoff(&self) -> Duration {
        let wait = FIRST_BACKOFF.saturating_mul(2u32.saturating_pow(self.failures));
        wait.min(MAX_BACKOFF) + self.patience
    }
}

/// Whether the task goes on.
enum Next {
    Continue,
    Stop,
}

impl Driver {
    /// A driver of a swarm that listens already.
    pub fn new(
        swarm: Swarm<Behaviour>,
        config: &GossipConfig,
        chain_id: ChainId,
        outbound: Arc<Outbound>,
        inbound: mpsc::Sender<Inbound>,
        metrics: GossipMetrics,
    ) -> Self {
        let own = *swarm.local_peer_id();
        let dials = config.peers.iter().cloned();
        Driver {
            swarm,
            topic: topic(chain_id),
            listen: config.listen.clone(),
            allowed: config.peers.iter().map(PeerAddress::id).collect(),
            dials: dials.map(|peer| Dial::new(peer, own)).collect(),
            outbound,
            next_frame: Instant::now(),
            inbound,
            verdicts: mpsc::unbounded_channel(),
            metrics,
        }
    }

    /// Runs until the handle or the receiver of frames is gone, or listening fails.
    pub async fn run(mut self) -> Result<(), GossipError> {
        let mut redial = interval(REDIAL_INTERVAL);
        redial.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let outbound = self.outbound.clone();
        while !outbound.is_closed() {
            // Timers are a millisecond coarse: what may go now goes now.
            if !outbound.is_empty() && self.next_frame <= Instant::now() {
                self.send_frame();
            }
            let next_frame = self.next_frame;
            tokio::select! {
                () = outbound.changed() => {}
                () = sleep_until(next_frame), if !outbound.is_empty() => {}
                _ = redial.tick() => self.redial(),
                Some(decided) = self.verdicts.1.recv() => self.report(decided),
                event = self.swarm.select_next_some() => match self.handle(event)? {
                    Next::Continue => {}
                    Next::Stop => break,
                },
            }
        }
        self.metrics.peers.set(0);
        Ok(())
    }

    fn send_frame(&mut self) {
        let envelopes = self.outbound.take_frame();
        let count = count(&envelopes);
        let frame = frame::encode(&envelopes);
        let intervals = frame.len().div_ceil(frame::TARGET_FRAME_BYTES);
        let pause = FRAME_INTERVAL.saturating_mul(u32::try_from(intervals).unwrap_or(u32::MAX));
        self.next_frame = Instant::now() + pause;
        let dropped = match self.swarm.behaviour_mut().gossip.publish(self.topic.clone(), frame) {
            Ok(_) => {
                self.metrics.sent.inc_by(count);
                self.metrics.sent_frames.inc();
                return;
            }
            Err(PublishError::NoPeersSubscribedToTopic) => DropReason::NoPeer,
            Err(PublishError::AllQueuesFull(_)) => DropReason::PeersSlow,
            Err(error) => {
                warn!(%error, "gossip frame not sent");
                DropReason::OwnSize
            }
        };
        self.metrics.dropped(dropped).inc_by(count);
    }

    fn redial(&mut self) {
        let now = Instant::now();
        for dial in &mut self.dials {
            if dial.next > now || self.swarm.is_connected(&dial.peer.id()) {
                continue;
            }
            dial.next = now + dial.backoff();
            dial.failures = dial.failures.saturating_add(1);
            let options = DialOpts::peer_id(dial.peer.id())
                .addresses(vec![dial.peer.address().clone()])
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .build();
            if let Err(error) = self.swarm.dial(options) {
                debug!(peer = %dial.peer.id(), %error, "gossip peer not dialled");
            }
        }
    }

    fn report(&mut self, decided: Decided) {
        let Decided { message, peer, verdict } = decided;
        let acceptance = match verdict {
            Verdict::Accept => MessageAcceptance::Accept,
            Verdict::Ignore => MessageAcceptance::Ignore,
            Verdict::Reject => {
                self.metrics.rejected(RejectReason::Refused).inc();
                MessageAcceptance::Reject
            }
        };
        self.settle(&message, &peer, acceptance);
    }

    fn settle(&mut self, message: &MessageId, peer: &PeerId, acceptance: MessageAcceptance) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if !gossip.report_message_validation_result(message, peer, acceptance) {
            debug!(%peer, "gossip verdict came late");
        }
    }

    fn handle(&mut self, event: SwarmEvent<BehaviourEvent>) -> Result<Next, GossipError> {
        match event {
            SwarmEvent::Behaviour(event) => return Ok(self.handle_behaviour(event)),
            SwarmEvent::ConnectionEstablished { peer_id, num_established, .. } => {
                if num_established.get() == 1 {
                    info!(peer = %peer_id, "gossip peer connected");
                }
                self.count_peers();
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established, .. } => {
                if num_established == 0 {
                    info!(peer = %peer_id, "gossip peer lost");
                    self.dial_after_loss(peer_id);
                }
                self.count_peers();
            }
            SwarmEvent::IncomingConnectionError { error, .. } => {
                self.metrics.refused_connections.inc();
                debug!(%error, "gossip connection refused");
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                let problem = match reason {
                    Ok(()) => "the listener closed".to_owned(),
                    Err(error) => error.to_string(),
                };
                return Err(GossipError::Listen { address: self.listen.clone(), problem });
            }
            _ => {}
        }
        Ok(Next::Continue)
    }

    fn count_peers(&self) {
        let connected = self.swarm.connected_peers().count();
        self.metrics.peers.set(u64::try_from(connected).unwrap_or(u64::MAX));
    }

    /// A peer that subscribes has let us in, unlike one that connects and hangs up.
    fn forget_failures(&mut self, peer: PeerId) {
        if let Some(dial) = self.dials.iter_mut().find(|dial| dial.peer.id() == peer) {
            dial.failures = 0;
        }
    }

    fn dial_after_loss(&mut self, peer: PeerId) {
        if let Some(dial) = self.dials.iter_mut().find(|dial| dial.peer.id() == peer) {
            dial.next = Instant::now() + dial.backoff();
            dial.failures = dial.failures.saturating_add(1);
        }
    }

    fn handle_behaviour(&mut self, event: BehaviourEvent) -> Next {
        match event {
            BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            }) => return self.receive(propagation_source, message_id, message),
            BehaviourEvent::Gossip(gossipsub::Event::Subscribed { peer_id, .. }) => {
                self.forget_failures(peer_id);
            }
            BehaviourEvent::Gossip(gossipsub::Event::SlowPeer { peer_id, failed_messages }) => {
                let lost = failed_messages.publish + failed_messages.forward;
                let lost = lost + failed_messages.timeout;
                self.metrics.undelivered_frames.inc_by(u64::try_from(lost).unwrap_or(u64::MAX));
                debug!(peer = %peer_id, frames = lost, "gossip peer is slow");
            }
            // A peer that fell silent without closing, as after a cut cable.
            BehaviourEvent::Ping(ping::Event { connection, result: Err(error), peer }) => {
                debug!(%peer, %error, "gossip peer does not answer");
                self.swarm.close_connection(connection);
            }
            _ => {}
        }
        Next::Continue
    }

    fn receive(&mut self, peer: PeerId, id: MessageId, message: gossipsub::Message) -> Next {
        self.metrics.received_frames.inc();
        // Strict validation has checked that the author signed it; whether it is a peer, we must.
        let Some(author) = message.source.filter(|author| self.allowed.contains(author)) else {
            self.refuse(&peer, &id, RejectReason::Stranger);
            return Next::Continue;
        };
        let envelopes = match frame::decode(&message.data) {
            Ok(envelopes) => envelopes,
            Err(error) => {
                debug!(%peer, %author, %error, "gossip frame is malformed");
                self.refuse(&peer, &id, RejectReason::Malformed);
                return Next::Continue;
            }
        };
        let count = count(&envelopes);
        self.metrics.received.inc_by(count);
        let decided = self.verdicts.0.clone();
        let verdict = Responder::new(move |verdict| {
            // When the task has ended, nobody waits for verdicts any more.
            let _ = decided.send(Decided { message: id, peer, verdict });
        });
        match self.inbound.try_send(Inbound { peer, author, envelopes, verdict }) {
            Ok(()) => Next::Continue,
            // Dropping the frame says Ignore.
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.metrics.dropped(DropReason::InboundFull).inc_by(count);
                Next::Continue
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Next::Stop,
        }
    }

    fn refuse(&mut self, peer: &PeerId, message: &MessageId, reason: RejectReason) {
        self.metrics.rejected(reason).inc();
        self.settle(message, peer, MessageAcceptance::Reject);
    }
}

fn count(envelopes: &[bytes::Bytes]) -> u64 {
    u64::try_from(envelopes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_between_dials_doubles_up_to_its_cap_and_one_side_is_patient() {
        let ids = [1, 2].map(|byte| crate::gossip::peer_id(&[byte; 32]).parse::<PeerId>().unwrap());
        let (small, large) = (ids[0].min(ids[1]), ids[0].max(ids[1]));
        let address = |id: PeerId| format!("/ip4/127.0.0.1/tcp/1/p2p/{id}").parse().unwrap();
        let waits = |mut dial: Dial| {
            [0, 1, 2, 5, 6, u32::MAX].map(|failures| {
                dial.failures = failures;
                dial.backoff().as_millis()
            })
        };
        let eager = [500, 1_000, 2_000, 16_000, 30_000, 30_000];
        assert_eq!(waits(Dial::new(address(large), small)), eager);
        assert_eq!(waits(Dial::new(address(small), large)), eager.map(|wait| wait + 1_000));
    }
}
