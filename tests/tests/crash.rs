//! Killing validators without warning: the network lives, nothing acknowledged is lost, nothing
//! forks.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use headwater_ledger::event::asset::Stage;
use headwater_ledger::event::member::Role;
use headwater_ledger::hash::ChainId;
use headwater_tests::Cluster;
use headwater_tests::cluster::{Setup, wait};
use headwater_tests::node::{outcome, post};
use headwater_tests::writers::{RAW_SPLIT, Signed, Writer, registration};

const VALIDATORS: [&str; 4] = ["exchange-1", "exchange-2", "exchange-3", "exchange-4"];

fn now_ms() -> Result<u64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(u64::try_from(now.as_millis())?)
}

fn cluster(folder: &Path, writer: &Writer) -> Result<Cluster> {
    let members = folder.join("members.json");
    std::fs::write(&members, serde_json::to_string(&[writer.admission()?])?)?;
    let mut cluster = Cluster::make(&Setup {
        folder,
        validators: &VALIDATORS,
        members: Some(&members),
        arguments: &["--heartbeat-ms", "1000", "--snapshot-every-heights", "20"],
    })?;
    cluster.start_all()?;
    Ok(cluster)
}

fn envelope(writer: &Writer, chain: ChainId, n: u64) -> Result<Signed> {
    let event = registration(&format!("asset-{n}"), Stage::Raw, RAW_SPLIT, None)?;
    writer.sign(chain, now_ms()? + 3_600_000, n, vec![event])
}

/// Posts to nodes in turn until one acknowledges that it is recorded; gives id and height.
fn record(
    apis: &[String],
    down: &AtomicUsize,
    signed: &Signed,
    first: usize,
) -> Option<(String, u64)> {
    let id = signed.id.to_string();
    for turn in 0..200 {
        let place = (first + turn) % apis.len();
        if place == down.load(Ordering::SeqCst) {
            continue;
        }
        // A node that was killed just now does not answer: the next one gets the same bytes.
        if post(&apis[place], &[&signed.bytes]).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(20));
            continue;
        }
        if let Ok(status) = outcome(&apis[place], &id, 5_000)
            && status["status"] == "recorded"
            && let Some(height) = status["height"].as_u64()
        {
            return Some((id, height));
        }
    }
    None
}

/// Every acknowledged envelope is recorded at every node at the height acknowledged, and every
/// height has one block.
fn nothing_lost_nothing_forked(cluster: &Cluster, acknowledged: &[(String, u64)]) -> Result<()> {
    let (height, roots) = cluster.wait_for_agreement()?;
    ensure!(roots.iter().all(|r| r == &roots[0]), "state roots differ: {roots:?}");
    for node in &cluster.nodes {
        for (id, at) in acknowledged {
            let status = outcome(&node.api, id, 0)?;
            ensure!(
                status["status"] == "recorded" && status["height"].as_u64() == Some(*at),
                "{} says {status} of an envelope acknowledged at height {at}",
                node.name
            );
        }
    }
    for at in 1..=height {
        let id = cluster.block_id(0, at)?;
        for place in 1..cluster.nodes.len() {
            ensure!(cluster.block_id(place, at)? == id, "two blocks at height {at}");
        }
    }
    Ok(())
}

#[test]
fn killing_any_validator_leaves_the_network_live_and_loses_nothing_acknowledged() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let writer = Writer::new("crash-holder", Role::Holder)?;
    let mut cluster = cluster(folder.path(), &writer)?;
    let chain: ChainId = cluster.chain_id.parse()?;
    let apis: Vec<String> = cluster.nodes.iter().map(|n| n.api.clone()).collect();
    let (stop, down) = (AtomicBool::new(false), AtomicUsize::new(usize::MAX));
    let acknowledged = Mutex::new(Vec::new());
    let count = || acknowledged.lock().map(|a| a.len()).unwrap_or(0);

    std::thread::scope(|scope| -> Result<()> {
        let load = scope.spawn(|| -> Result<()> {
            let mut n = 0;
            while !stop.load(Ordering::SeqCst) {
                let signed = envelope(&writer, chain, n)?;
                let recorded = record(&apis, &down, &signed, usize::try_from(n)?);
                let recorded = recorded.context("an envelope was never recorded")?;
                acknowledged.lock().map_err(|_| anyhow::anyhow!("poisoned"))?.push(recorded);
                n += 1;
            }
            Ok(())
        });
        let mut kills = || -> Result<()> {
            for victim in 0..4 {
                let before = count();
                // Let the victim be killed at different moments of a block's life.
                wait("some acknowledgements", || Ok(count() > before + 3))?;
                std::thread::sleep(std::time::Duration::from_millis(7 * victim as u64));
                down.store(victim, Ordering::SeqCst);
                cluster.kill(victim)?;
                let before = count();
                wait("the others to go on", || Ok(count() > before + 8))?;
                cluster.start(victim)?;
                let height = cluster.height((victim + 1) % 4);
                cluster.wait_for_height(victim, height)?;
                down.store(usize::MAX, Ordering::SeqCst);
            }
            Ok(())
        };
        let result = kills();
        stop.store(true, Ordering::SeqCst);
        let load = load.join().map_err(|_| anyhow::anyhow!("the load panicked"))?;
        result.and(load)
    })?;
    let acknowledged = acknowledged.into_inner()?;
    ensure!(acknowledged.len() > 40, "only {} acknowledged", acknowledged.len());
    nothing_lost_nothing_forked(&cluster, &acknowledged)
}

#[test]
fn killing_all_validators_at_once_loses_nothing_and_they_resume() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let writer = Writer::new("crash-holder", Role::Holder)?;
    let mut cluster = cluster(folder.path(), &writer)?;
    let chain: ChainId = cluster.chain_id.parse()?;
    let apis: Vec<String> = cluster.nodes.iter().map(|n| n.api.clone()).collect();
    let nobody = AtomicUsize::new(usize::MAX);
    let mut acknowledged = Vec::new();
    for round in 0..2 {
        for n in 0..5 {
            let signed = envelope(&writer, chain, round * 100 + n)?;
            let recorded = record(&apis, &nobody, &signed, usize::try_from(n)?);
            acknowledged.push(recorded.context("an envelope was never recorded")?);
        }
        for place in 0..4 {
            cluster.kill(place)?;
        }
        for place in 0..4 {
            cluster.start(place)?;
        }
        let signed = envelope(&writer, chain, round * 100 + 50)?;
        let mut last = None;
        wait("the network to resume", || {
            last = record(&apis, &nobody, &signed, 0);
            Ok(last.is_some())
        })?;
        acknowledged.extend(last);
    }
    nothing_lost_nothing_forked(&cluster, &acknowledged)?;
    for (place, name) in VALIDATORS.iter().enumerate() {
        ensure!(cluster.stop(place)?, "{name} did not end well");
    }
    Ok(())
}
