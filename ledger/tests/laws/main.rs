//! The laws of the ledger's rules, on random histories and against models written differently.

#[path = "../support/mod.rs"]
mod support;

mod envelopes;
mod floors;
mod grants;
mod operation;
mod ownership;
mod references;
mod story;
