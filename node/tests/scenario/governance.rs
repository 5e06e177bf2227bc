//! Changes that validators decide, on running nodes: the validator set, the protocol version and
//! the rulebook; restarts, sync, a client that follows, and `headwater-node check` across them.

use std::process::Command;
use std::time::Duration;

use headwater_ledger::envelope::event_id;
use headwater_ledger::event::governance::{Change, Rulebook, SetValidator};
use headwater_ledger::event::{ApproveChange, Event, ProposeChange};
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::{ChangeId, Digest};
use headwater_ledger::light::LightBlock;
use headwater_ledger::state::record::{ChangeRecord, ChangeStatus};
use headwater_ledger::state::{Key, Records as _, View};
use headwater_node::engine::Mode;
use serde_json::{Value, json};

use crate::network::{Network, Settings};
use crate::story::{EXCHANGES, consensus_key, genesis, network, signed};
use crate::support::handle;

/// Heights between a proposal and its activation: room for the approvals.
const AHEAD: u64 = 9;

/// Lets the exchanges propose and approve a change until it is scheduled, and waits for its
/// height, which is given.
async fn decide(network: &Network, salt: u8, exchanges: &[usize], change: Change) -> u64 {
    let by = |i: &usize, salt, event: Event| signed(network, salt, EXCHANGES[*i], vec![event]);
    let (first, others) = exchanges.split_first().unwrap();
    let activate_height = network.height(*first) + AHEAD;
    let proposal = by(first, salt, Event::ProposeChange(ProposeChange { change, activate_height }));
    let (envelope, mut height) = network.submit(*first, &proposal).await.recorded();
    let id = ChangeId::from_digest(*event_id(&envelope, 0).digest());
    let record = |i: usize| -> ChangeRecord {
        network.state(i).get(&Key::Change(id)).unwrap().expect("a recorded proposal")
    };
    for i in others {
        // Whoever approves next knows what was recorded so far.
        network.reach(height).await;
        if record(*i).status == ChangeStatus::Scheduled {
            break;
        }
        let approval = by(i, salt, Event::ApproveChange(ApproveChange { change: id }));
        height = network.submit(*i, &approval).await.height();
    }
    network.reach(activate_height).await;
    assert_eq!(record(*first).status, ChangeStatus::Active);
    activate_height
}

fn set_validator(i: usize, power: u64) -> Change {
    let key = consensus_key(EXCHANGES[i]).public_key();
    Change::SetValidator(SetValidator { member: handle(EXCHANGES[i]), key, power })
}

/// The light block that a node gives of a height, read from its log.
fn light(network: &Network, i: usize, height: u64) -> LightBlock {
    network.app(i).chain().blocks().light(height).unwrap().expect("a block")
}

/// Follows a node from the genesis by nothing but certificates, and gives its root at a height.
fn follow(network: &Network, i: usize, genesis: &Genesis, to: u64) -> Digest {
    let mut trusted = genesis.validator_set().unwrap().hash().unwrap();
    let mut root = None;
    for height in 1..=to {
        let block = light(network, i, height);
        block.verify(&network.chain_id(), &trusted).unwrap_or_else(|e| panic!("{height}: {e}"));
        trusted = block.header.next_validators;
        root = Some(block.header.state_root);
    }
    root.expect("a height")
}

/// Whether a node's vote is in the certificate of a height.
fn has_signed(network: &Network, i: usize, height: u64) -> bool {
    let signatures = light(network, 1, height).certificate.signatures;
    signatures.iter().any(|s| s.validator == network.address(i))
}

/// What `headwater-node check` says of a stopped node.
fn check(network: &Network, i: usize, genesis: &Genesis) -> Value {
    let home = network.home(i);
    std::fs::write(home.join("genesis.json"), serde_json::to_vec(genesis).unwrap()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_headwater-node"))
        .args(["check", "--json", "--home"])
        .arg(home)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn check_past(network: &Network, i: usize, height: u64) {
    let past = network.app(i).past();
    let point = past.at(height, Duration::from_secs(60)).await.unwrap();
    assert_eq!(point.state.root(), light(network, i, height).header.state_root, "{height}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn validators_join_change_power_and_leave_by_governance() {
    let settings = Settings { keep_heights: 4, snapshot_every: 7, ..Settings::default() };
    let mut network = network(5, settings);
    // The fourth misses all of it.
    network.reach(1).await;
    network.stop_node(3).await.unwrap();

    let joined = decide(&network, 1, &[0, 1, 2], set_validator(4, 10)).await;
    let strong = decide(&network, 2, &[4, 0, 1, 2], set_validator(4, 30)).await;
    let left = decide(&network, 3, &[1, 4, 0, 2], set_validator(0, 0)).await;
    network.reach(left + 5).await;

    // Announced in the block after the change, in force in the one after that.
    for height in [joined, strong, left] {
        let [at, next, then] = [0, 1, 2].map(|n| light(&network, 1, height + n).header);
        assert_eq!(at.validators, at.next_validators);
        assert_ne!(next.validators, next.next_validators);
        assert_eq!(then.validators, next.next_validators);
    }
    assert!((1..joined + 2).all(|height| !has_signed(&network, 4, height)));
    assert!((strong + 2..left + 2).all(|height| has_signed(&network, 4, height)));
    assert!((left + 2..=left + 5).all(|height| !has_signed(&network, 0, height)));

    // The one that was away syncs across all three and votes; the one that left goes on following.
    network.start_node(3);
    let before = network.height(1);
    network
        .wait("a vote of the one that was away", || {
            (before..network.height(1)).any(|height| has_signed(&network, 3, height))
        })
        .await;
    network.reach(before + 5).await;
    assert_eq!(network.view(0).mode(), Mode::Voting);

    // Restarted: from the snapshot, and with the index made again from the whole log.
    for i in [0, 4] {
        network.stop_node(i).await.unwrap();
        if i == 0 {
            std::fs::remove_dir_all(network.home(i).join("index")).unwrap();
        }
        network.start_node(i);
    }
    let (height, root) = network.agree().await;
    for i in 0..5 {
        network.seen(i).await;
        assert_eq!(follow(&network, i, &genesis(), height), root, "node {i}");
    }
    for past in [1, joined, joined + 2, left + 2] {
        check_past(&network, 4, past).await;
    }
    network.agree().await;
    for i in 0..5 {
        network.stop_node(i).await.unwrap();
    }
    for i in [0, 3] {
        assert!(check(&network, i, &genesis())["height"].as_u64().unwrap() >= height);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn protocol_and_rulebook_change_at_a_height_and_everything_replays_across_it() {
    let begin = Genesis { protocol: 1, ..genesis() };
    let keys: Vec<_> = EXCHANGES[..4].iter().map(|e| consensus_key(e)).collect();
    let settings = Settings { keep_heights: 4, snapshot_every: 7, ..Settings::default() };
    let mut network = Network::start(begin.clone(), &keys, settings);
    let raised = decide(&network, 1, &[0, 1, 2, 3], Change::SetProtocol(2)).await;
    let rulebook = Rulebook { fee_cap_bp: 1_234, ..Rulebook::standard() };
    let ruled = decide(&network, 2, &[0, 1, 2, 3], Change::SetRulebook(rulebook.clone())).await;
    network.reach(ruled + 1).await;

    let versions = |height| {
        let header = light(&network, 2, height).header;
        (header.protocol, header.rulebook)
    };
    assert_eq!(
        [raised - 1, raised, ruled - 1, ruled].map(versions),
        [(1, 1), (2, 1), (2, 1), (2, 2)]
    );
    assert_eq!(network.state(3).rulebook().unwrap(), (2, rulebook));
    let page = network.app(1).metrics().render();
    assert!(
        page.contains("headwater_protocol 2") && page.contains("headwater_rulebook 2"),
        "{page}"
    );

    network.stop_node(2).await.unwrap();
    network.start_node(2);
    for height in [1, raised - 1, raised, ruled] {
        check_past(&network, 2, height).await;
    }
    let (height, root) = network.agree().await;
    assert_eq!(follow(&network, 2, &begin, height), root);
    network.stop_node(2).await.unwrap();
    let checked = check(&network, 2, &begin);
    let at = checked["height"].as_u64().unwrap();
    let header = light(&network, 0, at).header;
    assert_eq!(checked["state_root"], json!(header.state_root));
    assert_eq!((&checked["protocol"], &checked["rulebook"]), (&json!(2), &json!(2)));
    network.finish().await;
}
