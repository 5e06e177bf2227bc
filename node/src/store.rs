//! What a node keeps on disk: the block log, state snapshots and query indexes.
//!
//! The **block log** is the ledger. Snapshots only make reopening quick, and indexes only make
//! queries quick: both can be deleted and are made again from the log. Everything here handles
//! opaque bytes; what they mean is decided elsewhere.

/// The disk as a seam: real files, or a simulated disk that crashes.
pub mod disk;
/// Query indexes: rows that can always be rebuilt from the log.
pub mod index;
/// The block log: blocks with their certificates, chained by hash.
pub mod log;
/// State snapshots: immutable files to reopen from.
pub mod snapshot;
