//! The application without a network: whole networks of it in simulation, poison, blocks that lie,
//! opening after crashes, and the HTTP API.

#[path = "../../../ledger/tests/support/mod.rs"]
mod support;

mod blocks;
mod history;
mod http;
mod http_errors;
mod nodes;
mod opening;
mod past;
mod poison;
mod simulation;
mod submission;
mod versions;
