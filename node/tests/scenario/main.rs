//! Histories on networks of whole nodes in one process.

#[path = "../../../ledger/tests/support/mod.rs"]
mod support;

mod governance;
mod network;
mod paced;
mod stories;
mod story;
mod target;
