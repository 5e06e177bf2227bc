//! The laws of the ledger's rules, on random histories and against models written differently.

#[path = "../support/mod.rs"]
mod support;

mod conditions;
mod decisions;
mod disputes;
mod envelopes;
mod floors;
mod governance;
mod grants;
mod inboxes;
mod licences;
mod life_cycles;
mod members;
mod operation;
mod ownership;
mod payouts;
mod permits;
mod redirects;
mod references;
mod set_offs;
mod story;
mod trade;
mod weights;
