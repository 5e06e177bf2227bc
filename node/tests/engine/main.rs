//! Clusters of real engines over a simple ledger: agreement, recovery, abstaining, pacing.

mod cluster;
mod ledger;
mod sets;

use std::fs;
use std::time::{Duration, Instant};

use cluster::{Cluster, address, wait_for};
use headwater_node::application::Application as _;
use headwater_node::engine::{EngineError, Mode, metrics_text, vouch_nothing_signed_above};

/// Waits until so many peers of the first node have proved to be validators, which they do beside
/// the blocks and maybe later; gives the number of its peers.
async fn proven_peers(cluster: &Cluster, proven: usize) -> usize {
    let begun = Instant::now();
    loop {
        let peers = cluster.view(0).peers().await;
        if peers.iter().filter(|p| p.validator.is_some()).count() == proven {
            return peers.len();
        }
        assert!(begun.elapsed() < Duration::from_secs(90), "{peers:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_validators_agree_go_on_without_one_and_take_it_back() {
    // The first one's engine runs before any peer can reach it: a proof that comes earlier is lost
    // to the library (docs/adr/0001-consensus-engine.md).
    let mut cluster = Cluster::new(4, 0, true, 1_000);
    cluster.start(0);
    wait_for("a running engine", || cluster.view(0).mode() == Mode::Voting).await;
    (1..4).for_each(|i| cluster.start(i));
    cluster.reach(&[0, 1, 2, 3], 20).await;
    cluster.assert_one_chain();
    assert_eq!(proven_peers(&cluster, 3).await, 3);
    assert!(metrics_text().contains("moniker=\"node-2\""));

    cluster.stop(3).await.unwrap();
    assert_eq!(cluster.height(3), cluster.ids(3).len() as u64);
    let (start, from) = (Instant::now(), cluster.height(0));
    cluster.reach(&[0, 1, 2], from + 12).await;
    let per_height = start.elapsed() / (cluster.height(0) - from) as u32;
    println!("3 of 4: {per_height:?} per height");
    // Every fourth height costs its timeouts; the bound leaves room for a busy machine.
    assert!(per_height < Duration::from_secs(2), "{per_height:?}");

    cluster.start(3);
    let goal = cluster.height(0) + 5;
    cluster.reach(&[0, 1, 2, 3], goal).await;
    let me = |c: &Cluster| !c.signed(0, 3, goal).is_empty();
    wait_for("a vote of the restarted validator", || me(&cluster)).await;
    assert_eq!(cluster.view(3).mode(), Mode::Voting);
    cluster.assert_one_chain();
    assert_eq!((0..4).map(|i| cluster.view(i).misbehaviours()).sum::<u64>(), 0);
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_halted_network_goes_on_when_its_validators_return() {
    let mut cluster = Cluster::started(4, true, 1_000);
    cluster.reach(&[0, 1, 2, 3], 5).await;
    for i in 0..4 {
        cluster.stop(i).await.unwrap();
    }
    let height = cluster.height(0);
    (0..4).for_each(|i| cluster.start(i));
    cluster.reach(&[0, 1, 2, 3], height + 5).await;
    cluster.assert_one_chain();
    assert!((0..4).all(|i| cluster.view(i).mode() == Mode::Voting));
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_validator_without_its_record_abstains_until_a_fresh_block() {
    let mut cluster = Cluster::started(4, true, 1_000);
    cluster.reach(&[0, 1, 2, 3], 5).await;
    cluster.stop(3).await.unwrap();
    fs::remove_file(cluster.home(3).join("last-signed.json")).unwrap();

    // No block is late enough: it follows and signs nothing.
    cluster.nodes[3].ledger.lock().unwrap().lead_ms = u64::MAX;
    let before = cluster.height(0);
    cluster.start(3);
    cluster.reach(&[0, 1, 2, 3], before + 8).await;
    assert_eq!(cluster.view(3).mode(), Mode::Abstaining);
    assert_eq!(cluster.signed(0, 3, before + 1), [0u64; 0]);
    assert!(!cluster.home(3).join("last-signed.json").exists());
    cluster.stop(3).await.unwrap();

    // With the usual lead it follows for a little, then votes again.
    cluster.nodes[3].ledger.lock().unwrap().lead_ms = 300;
    let before = cluster.height(3);
    cluster.start(3);
    wait_for("voting", || cluster.view(3).mode() == Mode::Voting).await;
    let back_at = cluster.height(3);
    wait_for("its vote", || !cluster.signed(0, 3, before).is_empty()).await;
    let first = cluster.signed(0, 3, before)[0];
    assert!(first > before + 1 && back_at > before, "{first} {back_at} {before}");
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refused_signature_costs_the_height_and_nothing_else() {
    let mut cluster = Cluster::started(4, true, 1_000);
    cluster.reach(&[0, 1, 2, 3], 3).await;
    cluster.stop(3).await.unwrap();
    // As if the block log and the engine's log came from a backup, and the record did not.
    let chain_id = cluster.nodes[3].ledger.lock().unwrap().chain_id();
    let before = cluster.height(0);
    let recorded = before + 6;
    vouch_nothing_signed_above(cluster.home(3), chain_id, address(3), recorded).unwrap();
    cluster.start(3);
    wait_for("its vote", || !cluster.signed(0, 3, before + 1).is_empty()).await;
    let first = cluster.signed(0, 3, before + 1)[0];
    assert!(first > recorded, "voted at {first}, recorded {recorded}");
    assert_eq!(cluster.view(3).mode(), Mode::Voting);
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lone_validator_whose_signature_is_refused_stops_voting_and_does_not_fail() {
    let mut cluster = Cluster::started(1, true, 1_000);
    cluster.reach(&[0], 3).await;
    cluster.stop(0).await.unwrap();
    let (height, home) = (cluster.height(0), cluster.home(0).to_owned());
    let chain_id = cluster.nodes[0].ledger.lock().unwrap().chain_id();
    // What it had signed of the next height when it was stopped decides that from the engine's log;
    // the height after it must be signed.
    vouch_nothing_signed_above(&home, chain_id, address(0), height + 2).unwrap();
    cluster.start(0);
    wait_for("abstaining", || cluster.view(0).mode() == Mode::Abstaining).await;
    let stays = cluster.height(0);
    assert!([height, height + 1].contains(&stays), "{stays} after {height}");
    cluster.stop(0).await.unwrap();
    assert_eq!(cluster.height(0), stays);
    // The operator knows better.
    vouch_nothing_signed_above(&home, chain_id, address(0), stays).unwrap();
    cluster.start(0);
    cluster.reach(&[0], stays + 3).await;
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn idle_heights_wait_and_work_wakes_them() {
    let cluster = Cluster::started(4, false, 600_000);
    cluster.reach(&[0, 1, 2, 3], 1).await;
    for n in 0..4u8 {
        let height = cluster.height(0);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(cluster.height(0), height, "a block without work");
        // As gossip does: every node has the payload, and each is told.
        let start = Instant::now();
        for node in &cluster.nodes {
            node.ledger.lock().unwrap().pending = Some(vec![n; 10]);
            node.work.notify_one();
        }
        cluster.reach(&[0, 1, 2, 3], height + 1).await;
        println!("work to commit on all: {:?}", start.elapsed());
        assert_eq!(cluster.nodes[0].ledger.lock().unwrap().payload(height + 1), [n; 10]);
    }
    // Known to one node alone, it is recorded when that node proposes; the others follow its votes.
    let height = cluster.height(0);
    cluster.nodes[1].ledger.lock().unwrap().pending = Some(vec![9; 10]);
    cluster.nodes[1].work.notify_one();
    wait_for("the payload", || cluster.nodes[1].ledger.lock().unwrap().pending.is_none()).await;
    assert!(cluster.height(0) <= height + 5);
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_invalid_proposal_costs_its_round_and_large_blocks_pass() {
    let cluster = Cluster::started(4, true, 1_000);
    cluster.nodes[2].ledger.lock().unwrap().is_evil = true;
    for i in [0, 1, 3] {
        cluster.nodes[i].ledger.lock().unwrap().filling = 3_000_000;
    }
    cluster.reach(&[0, 1, 2, 3], 8).await;
    cluster.assert_one_chain();
    {
        let ledger = cluster.nodes[0].ledger.lock().unwrap();
        assert!(ledger.certificates().any(|c| c.round > 0));
        assert!((4..=8).any(|height| ledger.payload(height).len() == 3_000_000));
    }
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_follower_keeps_up_and_a_late_one_syncs() {
    let mut cluster = Cluster::new(4, 2, true, 1_000);
    (0..5).for_each(|i| cluster.start(i));
    cluster.reach(&[0, 4], 30).await;
    assert_eq!(cluster.view(4).mode(), Mode::Following);
    cluster.start(5);
    let goal = cluster.height(0);
    let start = Instant::now();
    cluster.reach(&[5], goal).await;
    println!("{goal} heights synced in {:?}", start.elapsed());
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_port_in_use_ends_the_engine_with_a_sentence() {
    let mut cluster = Cluster::new(1, 0, true, 1_000);
    let _taken = std::net::TcpListener::bind(("127.0.0.1", cluster.port(0))).unwrap();
    cluster.start(0);
    let error = cluster.failure(0).await;
    assert!(matches!(error, EngineError::Start(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_home_that_cannot_be_used_ends_the_engine_with_a_sentence() {
    let mut cluster = Cluster::new(1, 0, true, 1_000);
    fs::write(cluster.home(0).join("last-signed.json"), "{}").unwrap();
    cluster.start(0);
    let error = cluster.stop(0).await.unwrap_err();
    assert!(matches!(error, EngineError::Store(_)), "{error}");
    assert!(error.to_string().contains("last-signed.json is damaged"), "{error}");
}
