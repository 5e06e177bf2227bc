//! States at past heights: made again from the nearest snapshot and the block log, off the
//! consensus path.
//!
//! One rebuild runs at a time, on a thread of its own, however many ask; the last
//! [`MAX_REBUILT`] states are kept. A rebuild goes on when whoever asked for it has gone, so that
//! asking again finds it done.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::ChainId;
use tokio::sync::watch;
use tracing::info;

use crate::application::Fault;
use crate::chain::{self, Apply, Blocks, Point};
use crate::metrics::Metrics;
use crate::store::snapshot::Snapshots;

/// Rebuilt states kept. Each may take as much memory as the state of the tip.
pub const MAX_REBUILT: usize = 4;

/// Why there is no state of a height yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotYet {
    /// It is being rebuilt, or waits until another one is.
    #[error("the state of height {goal} is being made again from the block log: at height {at}")]
    Rebuilding {
        /// The height being rebuilt now.
        goal: u64,
        /// How far that is.
        at: u64,
    },
    /// It cannot be rebuilt.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What states are rebuilt from.
pub struct Sources {
    /// The genesis document.
    pub genesis: Genesis,
    /// The chain id.
    pub chain_id: ChainId,
    /// The blocks.
    pub blocks: Blocks,
    /// The snapshots.
    pub snapshots: Arc<Snapshots>,
    /// How envelopes are executed.
    pub apply: Apply,
    /// Metrics.
    pub metrics: Arc<Metrics>,
}

/// The rebuilt states of a node. Clones share them; the rebuild that runs ends with the last clone.
#[derive(Clone)]
pub struct Past(Arc<Inner>);

struct Inner {
    sources: Sources,
    work: Mutex<Work>,
    /// Changes whenever a rebuild has ended.
    ended: watch::Sender<()>,
}

#[derive(Default)]
struct Work {
    /// The most recently used last.
    rebuilt: VecDeque<Arc<Point>>,
    running: Option<Rebuild>,
    failed: Option<(u64, Fault)>,
}

struct Rebuild {
    goal: u64,
    at: Arc<AtomicU64>,
}

impl Work {
    /// A rebuilt state, which is then kept longest.
    fn take(&mut self, height: u64) -> Option<Arc<Point>> {
        let place = self.rebuilt.iter().position(|point| point.height == height)?;
        let point = self.rebuilt.remove(place)?;
        self.rebuilt.push_back(point.clone());
        Some(point)
    }

    fn keep(&mut self, point: Arc<Point>) {
        if self.rebuilt.len() >= MAX_REBUILT {
            self.rebuilt.pop_front();
        }
        self.rebuilt.push_back(point);
    }

    /// The rebuilt state nearest below a height.
    fn base(&self, goal: u64) -> Option<Arc<Point>> {
        let below = self.rebuilt.iter().filter(|point| point.height <= goal);
        below.max_by_key(|point| point.height).cloned()
    }
}

impl Past {
    /// No state rebuilt yet.
    pub fn new(sources: Sources) -> Self {
        let ended = watch::Sender::new(());
        Past(Arc::new(Inner { sources, work: Mutex::default(), ended }))
    }

    /// The state of a height that the log holds. Waits for `patience` while it is rebuilt.
    pub async fn at(&self, height: u64, patience: Duration) -> Result<Arc<Point>, NotYet> {
        let mut ended = self.0.ended.subscribe();
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            ended.borrow_and_update();
            let not_yet = match self.look(height) {
                Ok(point) => return Ok(point),
                Err(not_yet @ NotYet::Fault(_)) => return Err(not_yet),
                Err(not_yet @ NotYet::Rebuilding { .. }) => not_yet,
            };
            let changed = tokio::time::timeout_at(deadline, ended.changed()).await;
            if !matches!(changed, Ok(Ok(()))) {
                return Err(not_yet);
            }
        }
    }

    /// The state of a height, or how far the rebuild is that runs. One is begun when none runs.
    fn look(&self, height: u64) -> Result<Arc<Point>, NotYet> {
        let mut work = self.0.work();
        if let Some(point) = work.take(height) {
            return Ok(point);
        }
        if let Some((_, fault)) = work.failed.take_if(|(failed, _)| *failed == height) {
            return Err(fault.into());
        }
        if let Some(Rebuild { goal, at }) = &work.running {
            let at = at.load(Ordering::Relaxed);
            return Err(NotYet::Rebuilding { goal: *goal, at });
        }
        let at = Arc::new(AtomicU64::new(0));
        let (inner, progress) = (self.0.clone(), at.clone());
        std::thread::Builder::new()
            .name("past".into())
            .spawn(move || inner.run(height, &progress))
            .map_err(|e| Fault::new(format!("no thread to rebuild a state: {e}")))?;
        work.running = Some(Rebuild { goal: height, at });
        Err(NotYet::Rebuilding { goal: height, at: 0 })
    }
}

impl Inner {
    fn work(&self) -> MutexGuard<'_, Work> {
        // Every change under the lock is whole.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(self: Arc<Self>, goal: u64, at: &AtomicU64) {
        let rebuilt = catch_unwind(AssertUnwindSafe(|| self.rebuild(goal, at)));
        let panicked = |_| Err(Fault::new("rebuilding a past state panicked; see the log"));
        let rebuilt = rebuilt.unwrap_or_else(panicked);
        let mut work = self.work();
        work.running = None;
        match rebuilt {
            Ok(Some(point)) => {
                work.keep(point);
                self.sources.metrics.states_rebuilt.inc();
            }
            // Nobody is left to ask.
            Ok(None) => {}
            Err(fault) => {
                tracing::error!(height = goal, %fault, "past state not rebuilt");
                work.failed = Some((goal, fault));
            }
        }
        drop(work);
        self.ended.send_replace(());
    }

    /// The greatest known state at or below a height.
    fn base(&self, goal: u64) -> Result<Arc<Point>, Fault> {
        let Sources { genesis, chain_id, blocks, snapshots, .. } = &self.sources;
        let kept = self.work().base(goal);
        let above = kept.as_ref().map_or(0, |point| point.height);
        if let Some(point) =
            chain::point_of_snapshot(blocks, snapshots, above.saturating_add(1), goal)?
        {
            return Ok(Arc::new(point));
        }
        match kept {
            Some(point) => Ok(point),
            None => chain::genesis_point(genesis, chain_id).map(Arc::new),
        }
    }

    /// Executes the blocks up to a height; `None` when nobody is left to ask.
    fn rebuild(self: &Arc<Self>, goal: u64, at: &AtomicU64) -> Result<Option<Arc<Point>>, Fault> {
        let Sources { chain_id, blocks, apply, .. } = &self.sources;
        let started = Instant::now();
        let mut point = self.base(goal)?;
        let (from, mut events) = (point.height, 0u64);
        while point.height < goal {
            if Arc::strong_count(self) == 1 {
                return Ok(None);
            }
            at.store(point.height, Ordering::Relaxed);
            let next = blocks.replay(*chain_id, &point, *apply)?;
            events += next.light.as_ref().map_or(0, |light| u64::from(light.header.events));
            point = Arc::new(next);
        }
        let seconds = started.elapsed().as_secs_f64();
        info!(height = goal, from, events, seconds, "past state rebuilt");
        Ok(Some(point))
    }
}
