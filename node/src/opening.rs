//! From the files of a node to its application: the newest usable snapshot, the rest of the log,
//! and indexes brought up to both.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use headwater_ledger::genesis::Genesis;
use tracing::{info, warn};

use crate::app::{App, Parts};
use crate::application::Fault;
use crate::archive::{Archive, rows};
use crate::chain::{Apply, Chain};
use crate::clock::Clock;
use crate::hint::hinted;
use crate::mempool::{Limits, Mempool};
use crate::metrics::Metrics;
use crate::past::{Past, Sources};
use crate::store::disk::Disk;
use crate::store::index::IndexStore;
use crate::store::log::BlockLog;
use crate::store::snapshot::Snapshots;

/// How often a long replay says where it is.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// What an application is opened from.
pub struct Opening {
    /// The genesis document.
    pub genesis: Genesis,
    /// The disk with log and snapshots.
    pub disk: Arc<dyn Disk>,
    /// The folder of the block log.
    pub log_folder: PathBuf,
    /// The folder of the snapshots.
    pub snapshots_folder: PathBuf,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Bounds on what may be pending.
    pub limits: Limits,
    /// Recent heights whose state is kept in memory.
    pub keep_heights: usize,
    /// Heights between two snapshots; 0 for none.
    pub snapshot_every: u64,
    /// Heights between two snapshots that are never deleted; 0 for none.
    pub archive_every: u64,
    /// How envelopes are executed.
    pub apply: Apply,
}

impl Opening {
    /// Opens the log, then the index, which is told the tip of the log and must not be above it,
    /// then the state. Blocks that the index lacks are queued for it.
    pub fn open(self, open_index: impl FnOnce(u64) -> Result<Arc<dyn IndexStore>>) -> Result<App> {
        let chain_id = *self.genesis.chain_id()?.digest().raw();
        let (log, recovery) = BlockLog::open(self.disk.clone(), &self.log_folder, chain_id)?;
        if let Some(torn) = &recovery.torn {
            warn!(bytes = torn.bytes, "an unfinished block at the end of the log was removed");
        }
        let snapshots = Snapshots::open(self.disk, &self.snapshots_folder, chain_id)?
            .archiving(self.archive_every);
        require_log(&log, &snapshots)?;
        let snapshots = Arc::new(snapshots);
        let index = open_index(log.tip())?;
        let metrics = Arc::new(Metrics::new());
        let archive = Archive::start(index.clone(), snapshots.clone(), metrics.clone())?;
        let indexed = index.height();
        let (tip, mut told) = (log.tip(), Instant::now());
        let each = |outcome: &crate::chain::Outcome| {
            let height = outcome.header.height;
            if height > indexed {
                let rows = rows::of_block(height, &outcome.envelopes, &outcome.executed)
                    .map_err(|e| Fault::new(e.to_string()))?;
                archive.rows(height, rows);
            }
            if told.elapsed() > TELL_EVERY {
                told = Instant::now();
                info!(height, tip, "replaying the block log");
            }
            Ok(())
        };
        let keep = self.keep_heights;
        let genesis = self.genesis.clone();
        let chain = Chain::open(self.genesis, log, &snapshots, index.clone(), keep, each)?;
        let past = Past::new(Sources {
            genesis,
            chain_id: chain.chain_id(),
            blocks: chain.blocks(),
            snapshots,
            apply: self.apply,
            metrics: metrics.clone(),
        });
        Ok(App::new(Parts {
            past,
            chain,
            archive,
            index,
            mempool: Mempool::new(self.limits),
            clock: self.clock,
            metrics,
            snapshot_every: self.snapshot_every,
            archive_every: self.archive_every,
            apply: self.apply,
        }))
    }
}

/// A snapshot is written only after its block is durable in the log: fails when the log has lost
/// blocks since.
pub fn require_log(log: &BlockLog, snapshots: &Snapshots) -> Result<()> {
    match snapshots.heights()?.first() {
        Some(newest) if *newest > log.tip() => {
            let text = format!("the block log ends at {}, but a snapshot has {newest}", log.tip());
            let hint = "the log lost blocks: restore it, or start from an empty folder and sync";
            Err(hinted(text, hint))
        }
        Some(_) | None => Ok(()),
    }
}
