//! Opening a node: snapshots that are used, passed over or contradict the log, indexes that lag,
//! and light blocks of every height, however old.

use std::path::Path;

use headwater_ledger::block::Block;
use headwater_ledger::codec;
use headwater_ledger::hash::Digest;
use headwater_node::application::Application;
use headwater_node::chain;
use headwater_node::hint::Hinted;
use headwater_node::mempool::Limits;
use headwater_node::store::disk::{Crash, Disk, Tear};
use headwater_node::store::index::{IndexStore, MemoryIndex};

use crate::nodes::{Clerk, LOG, Node, Settings, certificate, chain_id, genesis};
use crate::support::{digest, raw};

const NOTHING_SURVIVES: Crash = Crash { keep_bytes: 0, keep_names: 0, tear: Tear::Short };

/// A node with a block for each of these heights, and everything on its disk.
fn grown(heights: u64) -> Node {
    let (mut node, mut clerk) = (Node::new(), Clerk::default());
    for height in 1..=heights {
        node.submit(&clerk.sign("north", raw(&format!("asset-{height}"))));
        node.clock.advance(1_000);
        node.advance();
    }
    node.app.settle();
    node
}

/// Opens what is on the disk of a node that has been stopped.
fn reopen(node: Node) -> anyhow::Result<Node> {
    let Node { app, disk, index, clock, settings } = node;
    drop(app);
    Node::open(disk, index.after_crash(), clock, settings)
}

fn damage(node: &Node, place: usize) {
    let path = &node.snapshots()[place];
    let middle = node.disk.open(path).unwrap().size().unwrap() / 2;
    node.disk.flip(path, middle, 0x10).unwrap();
}

#[test]
fn a_node_opens_from_the_newest_snapshot_that_is_whole() {
    // Snapshots are at 10 and 15; the lowest height in memory tells which was used.
    for (damaged, lowest) in [(vec![], 15), (vec![0], 10), (vec![1], 15), (vec![0, 1], 3)] {
        let node = grown(17);
        assert_eq!(node.snapshots().len(), 2);
        damaged.iter().for_each(|place| damage(&node, *place));
        let root = node.root();
        // With everything replayed, the ten latest of heights 0 to 17 stay, from 8 on.
        let expected = if lowest == 3 { 8 } else { lowest };
        let node = reopen(node).unwrap();
        assert_eq!((node.root(), node.tip()), (root, 17));
        assert_eq!(node.app.chain().lowest(), expected, "{damaged:?} damaged");
    }
}

#[test]
fn a_machine_that_goes_down_at_any_height_finds_every_block() {
    let mut node = Node::new();
    let mut clerk = Clerk::default();
    for height in 1..=30u64 {
        node.submit(&clerk.sign("south", raw(&format!("asset-{height}"))));
        node.clock.advance(1_000);
        let header = node.advance();
        node = node.crash(NOTHING_SURVIVES);
        assert_eq!((node.tip(), node.root()), (height, header.state_root));
    }
}

#[test]
fn a_log_that_ends_before_a_snapshot_is_refused_with_a_hint() {
    let node = grown(17);
    for name in node.disk.list(Path::new(LOG)).unwrap() {
        if name.starts_with("segment-") {
            node.disk.remove(&Path::new(LOG).join(name)).unwrap();
        }
    }
    node.disk.sync_dir(Path::new(LOG)).unwrap();
    let Node { app, disk, clock, settings, .. } = node;
    drop(app);
    let error = Node::open(disk, MemoryIndex::new(), clock, settings).err().expect("it opened");
    assert_eq!(error.to_string(), "the block log ends at 0, but a snapshot has 15");
    let hint = error.downcast_ref::<Hinted>().expect("a hint").hint();
    assert!(hint.contains("the log lost blocks"), "{hint}");
}

#[test]
fn a_damaged_log_is_refused() {
    let node = grown(8);
    let segment = Path::new(LOG).join("segment-00000000000000000001.hwl");
    node.disk.flip(&segment, 900, 1).unwrap();
    let error = reopen(node).err().expect("it opened");
    assert!(error.to_string().contains("the block log is damaged"), "{error}");
}

#[test]
fn an_index_that_is_behind_is_brought_up_and_no_snapshot_above_it_is_used() {
    let node = grown(17);
    let rows = node.index.scan(b"", None, 10_000).unwrap();
    let Node { app, disk, clock, settings, .. } = node;
    drop(app);
    let node = Node::open(disk, MemoryIndex::new(), clock, settings).unwrap();
    node.app.settle();
    assert_eq!(node.index.height(), 17);
    assert_eq!(node.index.scan(b"", None, 10_000).unwrap(), rows);
}

#[test]
fn light_blocks_of_all_heights_prove_themselves_also_after_opening() {
    let set: Digest = genesis().validator_set().unwrap().hash().unwrap();
    let node = reopen(grown(17)).unwrap();
    assert_eq!(node.app.chain().lowest(), 15, "not opened from the snapshot");
    for height in 1..=17 {
        let light = node.app.chain().light(height).unwrap().expect("a light block");
        assert_eq!(light.header.height, height);
        light.verify(&chain_id(), &set).unwrap();
        let point = node.app.chain().at(height);
        assert_eq!(point.is_some(), height >= 15);
        assert!(point.is_none_or(|p| p.height == height && p.light.as_ref() == Some(&light)));
    }
    assert!(node.app.chain().light(0).unwrap().is_none());
    assert!(node.app.chain().light(18).unwrap().is_none());
}

#[test]
fn no_light_block_is_served_with_validators_of_another_set() {
    let mut node = grown(2);
    // A block that another set decided, put into the log behind the node's back.
    let mut block = Block::from_bytes(&node.build(0)).unwrap();
    block.header.validators = digest("another set");
    let bytes = block.to_bytes().unwrap();
    let certificate = codec::encode(&certificate(&bytes, &[0, 1, 2])).unwrap();
    node.app.chain().log().append(3, &bytes, &certificate).unwrap();
    let fault = node.app.chain().light(3).unwrap_err();
    let told = "the validators that decided height 3 are not in the index";
    assert!(fault.to_string().starts_with(told), "{fault}");
}

#[test]
fn what_is_pending_is_bounded_as_the_settings_say() {
    let limits = Limits { max_bytes: 1 << 20, max_envelopes: 3, max_per_member: 2, max_waiting: 1 };
    let settings = Settings { limits, apply: chain::apply, ..Settings::default() };
    let (mut node, mut clerk) = (Node::with(settings), Clerk::default());
    let codes: Vec<String> = ["north", "north", "north", "south", "east"]
        .iter()
        .zip(1..)
        .map(|(author, n)| match node.submit(&clerk.sign(author, raw(&format!("a{n}")))) {
            headwater_node::app::Status::Refused(why) => why.code().to_owned(),
            status => format!("{status:?}"),
        })
        .collect();
    assert_eq!(codes, ["Pending", "Pending", "MEMBER_QUOTA", "Pending", "MEMPOOL_FULL"]);
    node.advance();
    assert!(node.app.mempool().is_empty() && !node.app.has_work());
}
