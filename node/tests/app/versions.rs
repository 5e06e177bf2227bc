//! Software that is older than its network: it stops where it does not know the way, says so, and
//! leaves everything as it was.

use std::path::Path;
use std::sync::Arc;

use headwater_ledger::block::Block;
use headwater_ledger::codec;
use headwater_ledger::event::governance::Change;
use headwater_ledger::event::{Event, ProposeChange};
use headwater_ledger::genesis::PROTOCOL_VERSION;
use headwater_ledger::state::{Key, State};
use headwater_node::application::{Application, Freshness, Verdict};
use headwater_node::store::disk::Disk;
use headwater_node::store::index::IndexStore;
use headwater_node::store::snapshot::{SnapshotMeta, Snapshots};

use crate::nodes::{Clerk, LOG, Node, SNAPSHOTS, certificate, chain_id};
use crate::support::raw;

const NEWER: u32 = PROTOCOL_VERSION + 1;

/// A node at this height with everything on its disk, and whoever signs for its members.
fn grown(heights: u64) -> (Node, Clerk) {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    for height in 1..=heights {
        node.submit(&clerk.sign("north", raw(&format!("asset-{height}"))));
        node.clock.advance(1_000);
        node.advance();
    }
    node.app.settle();
    (node, clerk)
}

/// The next block of this node, changed to what newer software would make of it.
fn next(node: &mut Node, change: impl FnOnce(&mut Block)) -> Vec<u8> {
    let mut block = Block::from_bytes(&node.build(0)).unwrap();
    change(&mut block);
    block.to_bytes().unwrap()
}

fn reopen(node: Node) -> anyhow::Result<Node> {
    let Node { app, disk, index, clock, settings } = node;
    drop(app);
    Node::open(disk, index.after_crash(), clock, settings)
}

/// Why a node does not open on this disk. Each time the same, and nothing is changed by it.
fn refusal(node: Node) -> String {
    let Node { app, disk, index, clock, settings } = node;
    drop(app);
    let files = |folder: &str| -> Vec<(String, u64)> {
        let names = disk.list(Path::new(folder)).unwrap();
        let size = |name: &str| disk.open(&Path::new(folder).join(name)).unwrap().size().unwrap();
        names.into_iter().map(|name| (name.clone(), size(&name))).collect()
    };
    let before = [LOG, SNAPSHOTS].map(files);
    let refusals: Vec<String> = (0..3)
        .map(|_| {
            let opened = Node::open(disk.clone(), index.after_crash(), clock.clone(), settings);
            opened.err().expect("it opened").to_string()
        })
        .collect();
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "{refusals:?}");
    assert_eq!([LOG, SNAPSHOTS].map(files), before);
    refusals[0].clone()
}

/// What is said in each case, and what is not.
fn assert_asks_for_newer(told: &str) {
    assert!(told.contains(&format!("protocol version {NEWER}")), "{told}");
    assert!(told.contains(&format!("this program knows 1 to {PROTOCOL_VERSION}")), "{told}");
    assert!(told.contains("install a"), "{told}");
    assert!(told.contains("nothing was changed"), "{told}");
    assert!(!told.contains("report this"), "{told}");
}

#[test]
fn a_decided_block_of_a_newer_protocol_stops_the_node_where_it_is() {
    let (mut node, _) = grown(3);
    let root = node.root();
    let block = next(&mut node, |block| block.header.protocol = NEWER);
    let decision = certificate(&block, &[0, 1, 2]);
    for _ in 0..2 {
        // Asked for its vote it says no; told of the decision it stops, also after a restart.
        let verdict = node.app.check_block(&block, Freshness::Replayed);
        assert!(matches!(verdict, Verdict::Invalid(_)), "{verdict:?}");
        let fault = node.app.commit(block.clone().into(), decision.clone()).unwrap_err();
        assert_asks_for_newer(&fault.to_string());
        assert_eq!((node.tip(), node.root(), node.app.chain().log().tip()), (3, root, 3));
        assert!(node.app.metrics().faults.get() > 0);
        node = reopen(node).unwrap();
        assert_eq!((node.tip(), node.root()), (3, root));
    }
}

#[test]
fn a_decided_proposal_of_a_newer_protocol_stops_the_node_before_it_comes_into_force() {
    let (mut node, mut clerk) = grown(3);
    let change = Change::SetProtocol(NEWER);
    let proposal = Event::ProposeChange(ProposeChange { change, activate_height: 100 });
    let until = node.app.tip_time_ms() + 60_000;
    let envelope = clerk.sign_until("north", &[proposal], until);
    // This software proposes no such thing.
    node.submit(&envelope);
    assert_eq!(Block::from_bytes(&node.build(0)).unwrap().envelopes.len(), 0);
    let block = next(&mut node, |block| {
        block.envelopes.push(envelope.signed().clone());
    });
    let fault = node.app.commit(block.clone().into(), certificate(&block, &[0, 1, 2]));
    let told = fault.unwrap_err().to_string();
    assert!(told.contains("decided block 4 is not valid here"), "{told}");
    assert!(told.contains(&format!("goes on with protocol version {NEWER}: install a")), "{told}");
    assert_eq!((node.tip(), node.app.chain().log().tip()), (3, 3));
}

#[test]
fn a_log_that_newer_software_has_written_is_not_replayed() {
    let (mut node, _) = grown(3);
    let block = next(&mut node, |block| block.header.protocol = NEWER);
    let decision = codec::encode(&certificate(&block, &[0, 1, 2])).unwrap();
    node.app.chain().log().append(4, &block, &decision).unwrap();
    assert_asks_for_newer(&refusal(node));
}

#[test]
fn a_snapshot_that_newer_software_has_written_is_not_opened() {
    let (mut node, _) = grown(3);
    let mut map = node.app.chain().tip().state.map().clone();
    let version = codec::encode(&NEWER).unwrap();
    map.insert(Key::Protocol.hash().unwrap(), version.into());
    let state = State::from_map(map);
    let block = next(&mut node, |block| {
        block.header.protocol = NEWER;
        block.header.state_root = state.root();
    });
    let decision = certificate(&block, &[0, 1, 2]);
    let id = decision.block_id;
    node.app.chain().log().append(4, &block, &codec::encode(&decision).unwrap()).unwrap();
    node.index.apply(4, Vec::new()).unwrap();
    node.index.flush().unwrap();
    let chain = *chain_id().digest().raw();
    let disk = Arc::new(node.disk.clone());
    let snapshots = Snapshots::open(disk, Path::new(SNAPSHOTS), chain).unwrap();
    let meta = SnapshotMeta {
        height: 4,
        block_id: *id.digest().raw(),
        state_root: *state.root().raw(),
        entries: state.map().len() as u64,
    };
    let entries = state.map().iter().map(|(key, value)| (*key, value.clone()));
    snapshots.write(&meta, entries).unwrap();
    assert_asks_for_newer(&refusal(node));
}
