//! Engines across changes of the validator set: joining, power, leaving, syncing, restarting.

use headwater_ledger::hash::ChainId;
use headwater_node::application::Application as _;
use headwater_node::engine::Mode;

use super::cluster::{Cluster, wait_for};

/// From which height on who acts with which power. From 20 on nothing is decided without node 4;
/// from 30 on node 0 is out.
const SETS: [(u64, &[(usize, u64)]); 4] = [
    (1, &[(0, 10), (1, 10), (2, 10), (3, 10)]),
    (12, &[(0, 10), (1, 10), (2, 10), (3, 10), (4, 10)]),
    (20, &[(0, 10), (1, 10), (2, 10), (3, 10), (4, 30)]),
    (30, &[(1, 10), (2, 10), (3, 10), (4, 10)]),
];
const LEAVES: u64 = 30;

/// Every certificate that a node holds is one of the set of its height.
fn assert_certified(cluster: &Cluster, i: usize) {
    let ledger = cluster.nodes[i].ledger.lock().unwrap();
    let chain_id: ChainId = ledger.chain_id();
    for certificate in ledger.certificates() {
        let set = ledger.set_of(certificate.height);
        certificate.verify(&chain_id, &set).unwrap_or_else(|e| panic!("{certificate:?}: {e}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn validators_join_change_power_and_leave_while_the_network_goes_on() {
    let mut cluster = Cluster::changing(&SETS, 5, 1, true, 1_000);
    (0..5).for_each(|i| cluster.start(i));
    cluster.reach(&[0, 1, 2, 3, 4], LEAVES + 15).await;

    let joined = cluster.signed(1, 4, 0);
    assert!(joined.iter().all(|height| *height >= 12), "{joined:?}");
    let needed: Vec<u64> = joined.into_iter().filter(|h| (20..LEAVES).contains(h)).collect();
    assert_eq!(needed, (20..LEAVES).collect::<Vec<_>>(), "decided without the power that counts");
    assert_eq!(cluster.signed(1, 0, LEAVES - 1), [0u64; 0], "a validator that was removed");
    // The removed one goes on as a follower, and so it does after a restart.
    assert_eq!(cluster.view(0).mode(), Mode::Voting);
    cluster.stop(0).await.unwrap();
    cluster.reach(&[1, 2, 3, 4], cluster.height(0) + 5).await;
    cluster.start(0);
    cluster.reach(&[0], cluster.height(1) + 5).await;

    // One that was never there syncs across all changes.
    cluster.start(5);
    cluster.reach(&[5], cluster.height(1)).await;
    (0..6).for_each(|i| assert_certified(&cluster, i));
    assert_eq!((0..5).map(|i| cluster.view(i).misbehaviours()).sum::<u64>(), 0);
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_validator_that_was_away_while_the_set_changed_votes_in_the_new_one() {
    let mut cluster = Cluster::changing(&SETS, 5, 0, true, 1_000);
    (0..5).for_each(|i| cluster.start(i));
    cluster.reach(&[0, 1, 2, 3, 4], 3).await;
    cluster.stop(3).await.unwrap();
    let before = cluster.height(3);
    assert!(before < 20, "the set changed before the validator was away");
    cluster.reach(&[0, 1, 2, 4], LEAVES + 3).await;
    cluster.start(3);
    wait_for("its vote", || !cluster.signed(1, 3, LEAVES).is_empty()).await;
    assert_eq!(cluster.view(3).mode(), Mode::Voting);
    (0..5).for_each(|i| assert_certified(&cluster, i));
    cluster.finish().await;
}
