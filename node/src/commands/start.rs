//! `start`: the node itself, from its folder to its graceful end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use headwater_ledger::genesis::Genesis;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::api::{self, Api};
use crate::app::{App, Origin, SharedVerdicts, Status};
use crate::archive::rows;
use crate::chain;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::engine::{Engine, EngineConfig, EngineKeys, Timeouts};
use crate::gossip::{Gossip, Inbound, LibP2pGossip, Verdict};
use crate::hint::hinted;
use crate::home::{Home, NodeKeys};
use crate::logging;
use crate::mempool::Limits;
use crate::opening::Opening;
use crate::store::disk::RealDisk;
use crate::store::index::{IndexStore, Opened, SledIndex};

/// How often peers are told the tip when nothing is decided.
const STATUS_INTERVAL_MS: u64 = 2_000;
/// Longest wait of a request for the state of a past height; asking again goes on waiting.
const PAST_PATIENCE: Duration = Duration::from_secs(10);
/// Frames of gossip that may wait to be judged.
const GOSSIP_QUEUE: usize = 256;
/// How often pending envelopes are looked through for some to send again.
const REPUBLISH_EVERY: Duration = Duration::from_secs(2);
/// Age at which a pending envelope is sent again, in milliseconds.
const REPUBLISH_AGE_MS: u64 = 3_000;
/// Envelopes sent again at a time.
const REPUBLISH_MAX: usize = 1_000;

/// Runs the node until it is told to stop or its engine ends.
pub(super) fn run(home: &Home) -> Result<()> {
    let config = Config::load(&home.config_file())?;
    logging::start(&config)?;
    let genesis = home.genesis().map_err(|e| {
        let hint = "put the network's genesis.json into the folder; `testnet` and `dev` write it";
        hinted(format!("{e:#}"), hint)
    })?;
    let keys = home.keys()?;
    for warning in config.warnings() {
        warn!(%warning, "configuration");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(home, &config, genesis, keys))
}

/// Opens log, state and indexes, bringing the indexes up to the log.
pub(super) fn open(home: &Home, config: &Config, genesis: Genesis) -> Result<App> {
    let (pool, storage) = (config.mempool(), config.storage());
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let limits = Limits {
        max_bytes: count(pool.max_bytes),
        max_envelopes: count(pool.max_envelopes),
        max_per_member: count(pool.max_per_member),
        max_waiting: count(pool.max_waiting),
    };
    let chain_id = *genesis.chain_id()?.digest().raw();
    let opening = Opening {
        genesis,
        disk: Arc::new(RealDisk),
        log_folder: home.log_folder(),
        snapshots_folder: home.snapshots_folder(),
        clock: Arc::new(SystemClock),
        limits,
        keep_heights: count(storage.keep_heights_in_memory),
        snapshot_every: storage.snapshot_every_heights,
        archive_every: storage.archive_every_heights,
        apply: chain::apply,
    };
    opening.open(|tip| open_index(home, chain_id, tip, storage.index_cache_mib << 20))
}

/// Opens the query indexes; ones that are ahead of the log are deleted.
fn open_index(
    home: &Home,
    chain_id: [u8; 32],
    tip: u64,
    cache_bytes: u64,
) -> Result<Arc<dyn IndexStore>> {
    let folder = home.index_folder();
    let (mut index, mut opened) = SledIndex::open(&folder, chain_id, rows::FORMAT, cache_bytes)?;
    if index.height() > tip {
        warn!(index = index.height(), tip, "the query index is ahead of the block log");
        drop(index);
        SledIndex::delete(&folder)?;
        (index, opened) = SledIndex::open(&folder, chain_id, rows::FORMAT, cache_bytes)?;
    }
    if let Opened::Rebuild { reason } = opened {
        info!(%reason, "the query index is built from the block log");
    }
    Ok(Arc::new(index))
}

async fn serve(home: &Home, config: &Config, genesis: Genesis, keys: NodeKeys) -> Result<()> {
    let (folder, settings) = (home.clone(), config.clone());
    let app = tokio::task::spawn_blocking(move || open(&folder, &settings, genesis)).await??;
    let chain_id = app.chain().chain_id();
    let height = app.chain().tip().height;
    let (work, verdicts, metrics) = (app.work(), app.verdicts(), app.metrics());
    let app = Arc::new(Mutex::new(app));
    info!(%chain_id, height, "chain opened");

    let (inbound, frames) = mpsc::channel(GOSSIP_QUEUE);
    let (gossip, gossip_task) = LibP2pGossip::start(
        config.gossip(),
        chain_id,
        &keys.network,
        inbound,
        metrics.gossip.clone(),
    )
    .await?;
    let gossip: Arc<dyn Gossip> = Arc::new(gossip);
    let receiving = tokio::spawn(receive(frames, app.clone(), verdicts.clone()));
    let republishing = tokio::spawn(republish(app.clone(), gossip.clone()));

    let listener = tokio::net::TcpListener::bind(config.api_listen())
        .await
        .with_context(|| format!("cannot listen on {}", config.api_listen()))?;
    let address = listener.local_addr()?;
    let mut engine =
        Engine::start(engine_config(home, config), engine_keys(keys), app.clone(), work);
    let router = api::router(Api {
        app: app.clone(),
        gossip,
        metrics,
        engine: engine.view(),
        moniker: config.moniker().into(),
        verdicts,
        past_patience: PAST_PATIENCE,
    });
    let (stop_api, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let stop = async {
            // Dropping the sender stops it too.
            let _ = stopped.await;
        };
        axum::serve(listener, router).with_graceful_shutdown(stop).await
    });
    info!(%address, "API is listening");

    let result = tokio::select! {
        signal = shutdown_signal() => {
            info!(signal = signal?, "shutting down");
            engine.shutdown();
            engine.ended().await.map_err(anyhow::Error::from)
        }
        ended = engine.ended() => match ended {
            Ok(()) => Err(anyhow::anyhow!("the consensus engine ended by itself")),
            Err(error) => Err(error.into()),
        },
        gossip = gossip_task => match gossip {
            Ok(Ok(())) => Err(anyhow::anyhow!("gossip ended by itself")),
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(error.into()),
        },
    };
    // Open event streams would keep the API alive; they are cut after a moment.
    drop(stop_api);
    if tokio::time::timeout(Duration::from_secs(1), serving).await.is_err() {
        warn!("open API connections were cut");
    }
    stop(receiving).await;
    stop(republishing).await;
    let settled = tokio::task::spawn_blocking(move || {
        app.lock().unwrap_or_else(PoisonError::into_inner).settle();
    });
    settled.await?;
    info!("stopped");
    result
}

async fn stop(task: JoinHandle<()>) {
    task.abort();
    // Being aborted is what it should report.
    let _ = task.await;
}

fn engine_config(home: &Home, config: &Config) -> EngineConfig {
    let ms = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    let consensus = config.consensus();
    let t = &consensus.timeouts;
    EngineConfig {
        moniker: config.moniker().into(),
        home: home.engine_folder(),
        listen: consensus.listen.to_string(),
        peers: consensus.peers.iter().map(|p| p.to_string()).collect(),
        heartbeat_ms: ms(consensus.heartbeat),
        timeouts: Timeouts {
            propose_ms: ms(t.propose),
            propose_delta_ms: ms(t.propose_delta),
            prevote_ms: ms(t.prevote),
            prevote_delta_ms: ms(t.prevote_delta),
            precommit_ms: ms(t.precommit),
            precommit_delta_ms: ms(t.precommit_delta),
            rebroadcast_ms: ms(t.rebroadcast),
            max_ms: ms(t.max),
        },
        status_interval_ms: STATUS_INTERVAL_MS,
    }
}

fn engine_keys(keys: NodeKeys) -> EngineKeys {
    EngineKeys { consensus: Some(keys.signing_key()), network_seed: keys.network }
}

/// Judges what peers send and takes what is new.
async fn receive(
    mut frames: mpsc::Receiver<Inbound>,
    app: Arc<Mutex<App>>,
    verdicts: SharedVerdicts,
) {
    while let Some(frame) = frames.recv().await {
        let (app, verdicts) = (app.clone(), verdicts.clone());
        let judged = tokio::task::spawn_blocking(move || {
            let verified: Vec<_> = frame.envelopes.iter().map(|b| verdicts.verify(b)).collect();
            let mut app = app.lock().unwrap_or_else(PoisonError::into_inner);
            let judgements = verified.into_iter().map(|envelope| match envelope {
                Err(_) => Verdict::Reject,
                Ok(envelope) => match app.submit(envelope, Origin::Peer) {
                    (Status::Pending | Status::Waiting(_), true) => Verdict::Accept,
                    _ => Verdict::Ignore,
                },
            });
            frame.verdict.decide(Verdict::of_frame(judgements));
        });
        if let Err(error) = judged.await {
            warn!(%error, "judging a gossip frame failed");
        }
    }
}

/// Sends pending envelopes again that peers may have missed.
async fn republish(app: Arc<Mutex<App>>, gossip: Arc<dyn Gossip>) {
    let mut tick = tokio::time::interval(REPUBLISH_EVERY);
    loop {
        tick.tick().await;
        let envelopes = {
            let mut app = app.lock().unwrap_or_else(PoisonError::into_inner);
            app.to_republish(REPUBLISH_AGE_MS, REPUBLISH_MAX)
        };
        for envelope in envelopes {
            gossip.publish(bytes::Bytes::copy_from_slice(envelope.bytes()));
        }
    }
}

async fn shutdown_signal() -> Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        result = tokio::signal::ctrl_c() => {
            result?;
            Ok("SIGINT")
        }
    }
}
