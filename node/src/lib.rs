//! Headwater's validator daemon: consensus, storage, pending envelopes and the HTTP API around
//! the rules in `headwater-ledger`.

pub mod api; // HTTP/JSON
pub mod app; // what consensus and the API ask of the ledger
pub mod application; // the seam between the two
pub mod archive; // indexes and snapshots, written behind the log
pub mod chain; // log, state and recent heights
pub mod clock; // the wall clock as a seam
pub mod commands; // what the binary does
pub mod config; // config.toml
pub mod engine; // Malachite, and nothing else of it elsewhere
pub mod gossip; // pending envelopes between known peers
pub mod hint; // errors that say what to do
pub mod home; // the folder of a node
pub mod logging; // tracing
pub mod mempool; // pending envelopes
pub mod metrics; // Prometheus
pub mod opening; // from files to the application
pub mod past; // states at past heights, made again from the log
pub mod store; // block log, snapshots, indexes
