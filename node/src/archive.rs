//! What is written behind the log, off the consensus path: query indexes and state snapshots.
//!
//! One thread indexes committed blocks in order. When it falls behind by [`QUEUE`] blocks, commits
//! wait for it: nothing is dropped. A snapshot is written, by a thread of its own, only after the
//! index is durable up to its height, so that reopening never has to look behind a snapshot.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use headwater_ledger::execute::Executed;
use headwater_ledger::hash::{BlockId, Context, Digest, EnvelopeId, EventId};
use headwater_ledger::state::{Records as _, Relation, State};

use crate::metrics::Metrics;
use crate::store::index::{IndexError, IndexStore, Row};
use crate::store::snapshot::{SnapshotMeta, Snapshots};

/// Committed blocks that may wait to be indexed.
const QUEUE: usize = 1_024;

/// How often the index is made durable, in blocks.
const FLUSH_EVERY: u64 = 256;

/// The keys and values of the query indexes. Keys are short: that is what keeps sled fast.
pub mod rows {
    use super::*;
    use headwater_ledger::codec::{self, CodecError};
    use headwater_ledger::reject::Fault;
    use headwater_ledger::validator::{Validator, ValidatorSet};

    /// Version of the rows; another one means that the indexes are rebuilt.
    pub const FORMAT: u32 = 2;

    /// Bytes of an id in a key.
    const ID_BYTES: usize = 16;
    /// Bytes of the key of an event.
    pub const EVENT_KEY_BYTES: usize = 1 + ID_BYTES;

    fn key(kind: u8, digest: &Digest) -> Vec<u8> {
        let mut key = vec![kind];
        key.extend_from_slice(&digest.raw()[..ID_BYTES]);
        key
    }

    /// Event id → height, place of its envelope, place in it: u64, u32, u32, little endian.
    pub fn event_key(id: &EventId) -> Vec<u8> {
        key(b'e', id.digest())
    }

    /// The keys of all events whose id begins with these bytes.
    pub fn event_prefix(prefix: &[u8]) -> Vec<u8> {
        let mut key = vec![b'e'];
        key.extend_from_slice(&prefix[..prefix.len().min(ID_BYTES)]);
        key
    }

    /// Envelope id → height and place in the block: u64, u32, little endian.
    pub fn envelope_key(id: &EnvelopeId) -> Vec<u8> {
        key(b'n', id.digest())
    }

    fn list_prefix(relation: &Relation) -> Result<Vec<u8>, CodecError> {
        Ok(key(b'l', &Context::STATE_KEY.hash(&[&codec::encode(relation)?])))
    }

    /// An entry of a list: the relation's key, then its place as u64, big endian.
    pub fn list_key(relation: &Relation, index: u64) -> Result<Vec<u8>, CodecError> {
        let mut key = list_prefix(relation)?;
        key.extend_from_slice(&index.to_be_bytes());
        Ok(key)
    }

    /// The prefix of all entries of a list, and the cursor before entry `from`.
    pub fn list_scan(
        relation: &Relation,
        from: u64,
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), CodecError> {
        let prefix = list_prefix(relation)?;
        let after = match from.checked_sub(1) {
            Some(before) => Some(list_key(relation, before)?),
            None => None,
        };
        Ok((prefix, after))
    }

    /// The prefix of the validators of a set, by the hash of the set.
    pub fn set_prefix(hash: &Digest) -> Vec<u8> {
        key(b'v', hash)
    }

    /// The validators of the set with this hash: the prefix and the place as u16, big endian.
    fn of_set(hash: &Digest, set: &ValidatorSet) -> Result<Vec<Row>, CodecError> {
        let row = |(place, validator): (u16, &Validator)| {
            let mut key = set_prefix(hash);
            key.extend_from_slice(&place.to_be_bytes());
            Ok((key, codec::encode(validator)?))
        };
        (0u16..).zip(set.validators()).map(row).collect()
    }

    /// Reads the value of [`event_key`].
    pub fn read_event(value: &[u8]) -> Option<(u64, u32, u32)> {
        let (height, rest) = value.split_first_chunk::<8>()?;
        let (envelope, rest) = rest.split_first_chunk::<4>()?;
        let event = <[u8; 4]>::try_from(rest).ok()?;
        Some((
            u64::from_le_bytes(*height),
            u32::from_le_bytes(*envelope),
            u32::from_le_bytes(event),
        ))
    }

    /// Reads the value of [`envelope_key`].
    pub fn read_envelope(value: &[u8]) -> Option<(u64, u32)> {
        let (height, rest) = value.split_first_chunk::<8>()?;
        let index = <[u8; 4]>::try_from(rest).ok()?;
        Some((u64::from_le_bytes(*height), u32::from_le_bytes(index)))
    }

    /// All rows of a block: `envelopes` are the ids with their numbers of events.
    pub fn of_block(
        height: u64,
        envelopes: &[(EnvelopeId, u32)],
        executed: &Executed,
    ) -> Result<Vec<Row>, Fault> {
        let mut rows = Vec::new();
        for (place, (id, events)) in (0u32..).zip(envelopes) {
            let mut value = height.to_le_bytes().to_vec();
            value.extend_from_slice(&place.to_le_bytes());
            rows.push((envelope_key(id), value.clone()));
            for index in 0..*events {
                let event = headwater_ledger::envelope::event_id(id, index);
                let mut value = value.clone();
                value.extend_from_slice(&index.to_le_bytes());
                rows.push((event_key(&event), value));
            }
        }
        for appended in executed.effects.iter().flat_map(|e| &e.appended) {
            rows.push((list_key(&appended.relation, appended.index)?, appended.entry.to_vec()));
        }
        if executed.validators != executed.next_validators {
            let next = executed.state.validators()?;
            rows.extend(of_set(&executed.next_validators, &next)?);
        }
        Ok(rows)
    }
}

/// Work for the archive thread.
enum Job {
    /// Rows of a committed block.
    Rows(u64, Vec<Row>),
    /// A snapshot of the state after a block.
    Snapshot(Photo),
    /// Answer when everything before is durable.
    Barrier(SyncSender<()>),
}

/// A state to be written.
struct Photo {
    height: u64,
    block_id: BlockId,
    state_root: Digest,
    state: State,
}

/// Work for the snapshot thread.
enum Exposure {
    /// Write this.
    Write(Photo),
    /// Answer when everything before is written.
    Barrier(SyncSender<()>),
}

/// The handle of the archive thread. Dropping it finishes what is queued.
pub struct Archive {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Archive {
    /// Starts the thread. When the index cannot be written it ends, loudly; the log is not
    /// affected.
    pub fn start(
        index: Arc<dyn IndexStore>,
        snapshots: Arc<Snapshots>,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<Self> {
        let (jobs, receiver) = sync_channel(QUEUE);
        // One may wait while another is written; the index goes on meanwhile.
        let (exposures, waiting) = sync_channel(1);
        let (written, counters) = (snapshots, metrics.clone());
        let writer = std::thread::Builder::new()
            .name("snapshots".into())
            .spawn(move || write_all(&waiting, &written, &counters))?;
        let thread = std::thread::Builder::new().name("archive".into()).spawn(move || {
            run(&receiver, &*index, &exposures, &metrics);
            drop(exposures);
            if writer.join().is_err() {
                tracing::error!("the thread that writes snapshots failed");
            }
        })?;
        Ok(Archive { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Queues the rows of a committed block.
    pub fn rows(&self, height: u64, rows: Vec<Row>) {
        self.send(Job::Rows(height, rows));
    }

    /// Queues a snapshot.
    pub fn snapshot(&self, height: u64, block_id: BlockId, state_root: Digest, state: State) {
        self.send(Job::Snapshot(Photo { height, block_id, state_root, state }));
    }

    /// Waits until everything queued is durable.
    pub fn settle(&self) {
        let (done, wait) = sync_channel(1);
        self.send(Job::Barrier(done));
        // An error means that the thread has ended, which it has logged.
        let _ = wait.recv();
    }

    fn send(&self, job: Job) {
        // The thread ends only on a failure, which it has logged; the log goes on without it.
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(
    jobs: &Receiver<Job>,
    index: &dyn IndexStore,
    exposures: &SyncSender<Exposure>,
    metrics: &Metrics,
) {
    let mut unflushed = 0;
    let result = loop {
        let Ok(job) = jobs.recv() else { break index.flush() };
        if let Err(error) = step(job, index, exposures, metrics, &mut unflushed) {
            break Err(error);
        }
    };
    if let Err(error) = result {
        metrics.faults.inc();
        tracing::error!(%error, "query index failed; restart the node to rebuild it");
    }
}

fn step(
    job: Job,
    index: &dyn IndexStore,
    exposures: &SyncSender<Exposure>,
    metrics: &Metrics,
    unflushed: &mut u64,
) -> Result<(), IndexError> {
    match job {
        Job::Rows(height, rows) => {
            index.apply(height, rows)?;
            metrics.index_height.set(height);
            *unflushed += 1;
            if *unflushed >= FLUSH_EVERY {
                index.flush()?;
                *unflushed = 0;
            }
        }
        Job::Snapshot(photo) => {
            index.flush()?;
            *unflushed = 0;
            // The other thread ends only after this one, unless it failed.
            let _ = exposures.send(Exposure::Write(photo));
        }
        Job::Barrier(done) => {
            index.flush()?;
            *unflushed = 0;
            // When that thread failed, dropping `done` tells the waiting side.
            let _ = exposures.send(Exposure::Barrier(done));
        }
    }
    Ok(())
}

fn write_all(exposures: &Receiver<Exposure>, snapshots: &Snapshots, metrics: &Metrics) {
    for exposure in exposures {
        let Photo { height, block_id, state_root, state } = match exposure {
            Exposure::Write(photo) => photo,
            Exposure::Barrier(done) => {
                // The waiting side may have given up.
                let _ = done.send(());
                continue;
            }
        };
        let meta = SnapshotMeta {
            height,
            block_id: *block_id.digest().raw(),
            state_root: *state_root.raw(),
            entries: state.map().len() as u64,
        };
        let entries = state.map().iter().map(|(key, value)| (*key, value.clone()));
        match snapshots.write(&meta, entries) {
            Ok(()) => {
                metrics.snapshot_height.set(height);
                tracing::info!(height, entries = meta.entries, "state snapshot written");
            }
            Err(error) => tracing::warn!(height, %error, "state snapshot not written"),
        }
    }
}
