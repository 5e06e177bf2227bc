//! Nodes in one process on 127.0.0.1. Tests wait for conditions; the deadline only ends a failure.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::Duration;

use libp2p::gossipsub::IdentTopic;
use tokio::time::{sleep, timeout};

use super::*;
use crate::metrics::RejectReason;

const DEADLINE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(20);

/// A node whose application answers each frame by `judge`.
struct Node {
    gossip: Option<LibP2pGossip>,
    metrics: GossipMetrics,
    seen: Arc<std::sync::Mutex<BTreeSet<Bytes>>>,
    task: JoinHandle<Result<(), GossipError>>,
}

fn chain() -> ChainId {
    "blake3:0101010101010101010101010101010101010101010101010101010101010101".parse().unwrap()
}

fn seed(index: usize) -> [u8; 32] {
    [u8::try_from(index).unwrap() + 1; 32]
}

/// Ports that were free a moment ago, all different.
fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

fn config(port: u16, peers: &[(usize, u16)]) -> GossipConfig {
    let address = |(index, port): &(usize, u16)| {
        format!("/ip4/127.0.0.1/tcp/{port}/p2p/{}", peer_id(&seed(*index))).parse().unwrap()
    };
    GossipConfig {
        listen: format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap(),
        peers: peers.iter().map(address).collect(),
    }
}

fn accept_all(_: &[Bytes]) -> Option<Verdict> {
    Some(Verdict::Accept)
}

impl Node {
    async fn start(
        index: usize,
        config: GossipConfig,
        judge: fn(&[Bytes]) -> Option<Verdict>,
    ) -> Node {
        let (sender, mut inbound) = mpsc::channel::<Inbound>(64);
        let metrics = GossipMetrics::default();
        let (gossip, task) =
            LibP2pGossip::start(&config, chain(), &seed(index), sender, metrics.clone())
                .await
                .unwrap();
        let seen = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
        let keep = seen.clone();
        tokio::spawn(async move {
            while let Some(Inbound { envelopes, verdict, .. }) = inbound.recv().await {
                match judge(&envelopes) {
                    Some(judged) => verdict.decide(judged),
                    None => drop(verdict),
                }
                keep.lock().unwrap().extend(envelopes);
            }
        });
        Node { gossip: Some(gossip), metrics, seen, task }
    }

    fn publish(&self, envelope: &'static [u8]) {
        self.gossip.as_ref().unwrap().publish(Bytes::from_static(envelope));
    }

    fn has(&self, envelope: &'static [u8]) -> bool {
        self.seen.lock().unwrap().contains(envelope)
    }

    /// Publishes `envelope` as its keeper does, again and again, until `condition`.
    async fn publish_until(&self, envelope: &'static [u8], condition: impl Fn() -> bool) {
        let again = async {
            while !condition() {
                self.publish(envelope);
                sleep(STEP * 5).await;
            }
        };
        timeout(DEADLINE, again).await.expect("never came to be");
    }
}

async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            sleep(STEP).await;
        }
    };
    timeout(DEADLINE, wait).await.expect("never came to be");
}

/// Nodes 0..count that all know each other.
async fn full_mesh(count: usize) -> Vec<Node> {
    let ports = free_ports(count);
    let mut nodes = Vec::new();
    for index in 0..count {
        let peers: Vec<(usize, u16)> =
            (0..count).filter(|other| *other != index).map(|other| (other, ports[other])).collect();
        nodes.push(Node::start(index, config(ports[index], &peers), accept_all).await);
    }
    until(|| nodes.iter().all(|node| node.metrics.peers.get() == count as u64 - 1)).await;
    nodes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_any_of_four_nodes_publishes_reaches_all_others() {
    let nodes = full_mesh(4).await;
    let envelopes: [&'static [u8]; 4] = [b"from 0", b"from 1", b"from 2", b"from 3"];
    for (author, envelope) in envelopes.into_iter().enumerate() {
        let others = || nodes.iter().enumerate().filter(|(index, _)| *index != author);
        nodes[author]
            .publish_until(envelope, || others().all(|(_, node)| node.has(envelope)))
            .await;
        assert!(!nodes[author].has(envelope), "a node does not hear itself");
    }
    // Large ones travel too, and many at once share frames.
    let large = Bytes::from(vec![9; headwater_ledger::limits::MAX_ENVELOPE_BYTES]);
    let many: Vec<Bytes> = (0..2_000u32).map(|n| Bytes::from(n.to_le_bytes().to_vec())).collect();
    let frames_before = nodes[0].metrics.sent_frames.get();
    for envelope in many.iter().chain([&large]) {
        nodes[0].gossip.as_ref().unwrap().publish(envelope.clone());
    }
    until(|| {
        nodes[1..].iter().all(|node| {
            let seen = node.seen.lock().unwrap();
            seen.contains(&large) && many.iter().all(|envelope| seen.contains(envelope))
        })
    })
    .await;
    let frames = nodes[0].metrics.sent_frames.get() - frames_before;
    assert!(frames < 200, "2001 envelopes took {frames} frames");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_can_neither_send_nor_receive() {
    let ports = free_ports(3);
    let members = [(0, ports[0]), (1, ports[1])];
    let a = Node::start(0, config(ports[0], &members[1..]), accept_all).await;
    let b = Node::start(1, config(ports[1], &members[..1]), accept_all).await;
    // The stranger knows both and both do not know it.
    let stranger = Node::start(2, config(ports[2], &members), accept_all).await;
    let tried =
        || a.metrics.refused_connections.get() > 1 && b.metrics.refused_connections.get() > 1;
    stranger.publish_until(b"from the stranger", tried).await;
    a.publish_until(b"from a", || b.has(b"from a")).await;
    b.publish_until(b"from b", || a.has(b"from b")).await;
    stranger.publish(b"from the stranger");
    let more = a.metrics.refused_connections.get() + 1;
    until(|| a.metrics.refused_connections.get() >= more).await;
    assert!(!a.has(b"from the stranger") && !b.has(b"from the stranger"));
    assert!(stranger.seen.lock().unwrap().is_empty());
    assert_eq!(stranger.metrics.sent.get(), 0);
    assert_eq!((a.metrics.peers.get(), b.metrics.peers.get()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_peer_passes_on_for_a_stranger_is_rejected() {
    let ports = free_ports(3);
    // 0 knows 1 only; 1 knows both; so 2's envelope comes to 0 through 1, signed by a stranger.
    let zero = Node::start(0, config(ports[0], &[(1, ports[1])]), accept_all).await;
    let one = Node::start(1, config(ports[1], &[(0, ports[0]), (2, ports[2])]), accept_all).await;
    let two = Node::start(2, config(ports[2], &[(1, ports[1])]), accept_all).await;
    one.publish_until(b"hello", || zero.has(b"hello") && two.has(b"hello")).await;
    let rejected = zero.metrics.rejected(RejectReason::Stranger);
    two.publish_until(b"smuggled", || one.has(b"smuggled") && rejected.get() > 0).await;
    assert!(!zero.has(b"smuggled"));
}

fn judge_by_first_letter(envelopes: &[Bytes]) -> Option<Verdict> {
    match envelopes[0][0] {
        b'r' => Some(Verdict::Reject),
        b'i' => Some(Verdict::Ignore),
        b'd' => None,
        _ => Some(Verdict::Accept),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_accepted_frames_are_passed_on() {
    let ports = free_ports(5);
    // A line: 0 and 2 allow each other and cannot reach each other, for nobody listens there.
    let (dead_zero, dead_two) = (ports[3], ports[4]);
    let zero_peers = [(1, ports[1]), (2, dead_two)];
    let two_peers = [(1, ports[1]), (0, dead_zero)];
    let zero = Node::start(0, config(ports[0], &zero_peers), accept_all).await;
    let one_peers = [(0, ports[0]), (2, ports[2])];
    let one = Node::start(1, config(ports[1], &one_peers), judge_by_first_letter).await;
    let two = Node::start(2, config(ports[2], &two_peers), accept_all).await;
    zero.publish_until(b"accepted first", || two.has(b"accepted first")).await;
    let held_back: [&'static [u8]; 3] = [b"rejected", b"ignored", b"dropped by the application"];
    for envelope in held_back {
        zero.publish_until(envelope, || one.has(envelope)).await;
    }
    zero.publish_until(b"accepted last", || two.has(b"accepted last")).await;
    for envelope in held_back {
        assert!(!two.has(envelope), "{}", envelope.escape_ascii());
    }
    assert!(one.metrics.rejected(RejectReason::Refused).get() >= 1);
}

/// A listed peer that speaks gossipsub and sends whatever bytes it likes.
async fn raw_peer(index: usize, target: (usize, u16)) -> mpsc::Sender<Vec<u8>> {
    use futures::StreamExt as _;
    let config = config(0, &[target]);
    let peers = [config.peers[0].id()];
    let mut swarm = swarm::build(keypair(&seed(index)), &peers, chain(), 16 << 20).unwrap();
    let (sender, mut messages) = mpsc::channel::<Vec<u8>>(16);
    let topic: IdentTopic = swarm::topic(chain());
    let mut redial = tokio::time::interval(STEP * 5);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = redial.tick() => {
                    if !swarm.is_connected(&peers[0]) {
                        let _ = swarm.dial(config.peers[0].address().clone());
                    }
                }
                message = messages.recv() => {
                    let Some(message) = message else { break };
                    // Until the subscription has arrived there is nobody to send to.
                    let _ = swarm.behaviour_mut().gossip.publish(topic.clone(), message);
                }
                _ = swarm.select_next_some() => {}
            }
        }
    });
    sender
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_and_oversize_frames_are_rejected_counted_and_survived() {
    let ports = free_ports(2);
    let node = Node::start(0, config(ports[0], &[(1, ports[1])]), accept_all).await;
    let raw = raw_peer(1, (0, ports[0])).await;
    let malformed = node.metrics.rejected(RejectReason::Malformed);
    let send_until = async |what: &str,
                            raw: &mpsc::Sender<Vec<u8>>,
                            bytes: Vec<u8>,
                            condition: &dyn Fn() -> bool| {
        let again = async {
            while !condition() {
                raw.send(bytes.clone()).await.unwrap();
                sleep(STEP * 5).await;
            }
        };
        timeout(DEADLINE, again).await.expect(what);
    };
    send_until("malformed", &raw, b"not a frame".to_vec(), &|| malformed.get() > 0).await;
    let before = malformed.get();
    let above = vec![1; MAX_FRAME_BYTES + 1];
    send_until("above the bound", &raw, above, &|| malformed.get() > before).await;
    assert!(node.seen.lock().unwrap().is_empty());
    // Far above what gossipsub reads: it never becomes a frame, not even a malformed one. Its
    // sender is not heard again on that connection.
    sleep(STEP * 10).await;
    let (frames, refused) = (node.metrics.received_frames.get(), malformed.get());
    raw.send(frame::encode(&[Bytes::from(vec![b'h'; 8 << 20])])).await.unwrap();
    sleep(STEP * 50).await;
    assert_eq!((node.metrics.received_frames.get(), malformed.get()), (frames, refused));
    // A new connection is heard.
    drop(raw);
    let raw = raw_peer(1, (0, ports[0])).await;
    let fine = frame::encode(&[Bytes::from_static(b"fine")]);
    send_until("fine", &raw, fine, &|| node.has(b"fine")).await;
    assert!(node.seen.lock().unwrap().iter().all(|envelope| envelope == "fine"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_comes_back_is_dialled_and_healed_by_publishing_again() {
    let ports = free_ports(2);
    let zero = Node::start(0, config(ports[0], &[(1, ports[1])]), accept_all).await;
    let peers = [(0, ports[0])];
    let mut one = Node::start(1, config(ports[1], &peers), accept_all).await;
    zero.publish_until(b"first", || one.has(b"first")).await;
    drop(one.gossip.take());
    assert!(matches!(one.task.await, Ok(Ok(()))), "the task ends with its handle");
    until(|| zero.metrics.peers.get() == 0).await;
    let lost = zero.metrics.dropped(DropReason::NoPeer);
    zero.publish_until(b"while away", || lost.get() > 0).await;
    let back = Node::start(1, config(ports[1], &peers), accept_all).await;
    zero.publish_until(b"while away", || back.has(b"while away")).await;
}

#[tokio::test]
async fn publishing_never_blocks_and_counts_what_cannot_travel() {
    let ports = free_ports(2);
    let node = Node::start(0, config(ports[0], &[(1, ports[1])]), accept_all).await;
    let gossip = node.gossip.as_ref().unwrap();
    gossip.publish(Bytes::new());
    gossip.publish(Bytes::from(vec![0; headwater_ledger::limits::MAX_ENVELOPE_BYTES + 1]));
    assert_eq!(node.metrics.dropped(DropReason::OwnSize).get(), 2);
    // Nothing is sent meanwhile, for the only thread is here.
    let envelope = Bytes::from(vec![0; 1 << 20]);
    (0..70).for_each(|_| gossip.publish(envelope.clone()));
    assert_eq!(node.metrics.dropped(DropReason::OutboundFull).get(), 7);
    until(|| node.metrics.dropped(DropReason::NoPeer).get() == 63).await;
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = config(taken.local_addr().unwrap().port(), &[]);
    let (sender, _inbound) = mpsc::channel(1);
    let error = LibP2pGossip::start(&config, chain(), &seed(0), sender, GossipMetrics::default())
        .await
        .expect_err("the port is taken");
    assert!(matches!(&error, GossipError::Listen { address, .. } if *address == config.listen));
    assert!(error.hint().contains("gossip.listen"));
}

#[test]
fn a_frame_is_rejected_by_one_envelope_and_else_accepted_by_one() {
    use Verdict::{Accept, Ignore, Reject};
    for (envelopes, frame) in [
        (vec![], Ignore),
        (vec![Ignore, Ignore], Ignore),
        (vec![Ignore, Accept, Ignore], Accept),
        (vec![Accept, Reject, Accept], Reject),
        (vec![Reject], Reject),
    ] {
        assert_eq!(Verdict::of_frame(envelopes.clone()), frame, "{envelopes:?}");
    }
}

#[test]
fn the_peer_id_of_a_seed_is_the_known_one() {
    // The identity multihash of the protobuf of the public key of seed 00…00, in base 58.
    assert_eq!(peer_id(&[0; 32]), "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN");
}
