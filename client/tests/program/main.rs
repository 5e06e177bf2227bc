//! The `headwater` program as a process: alone, against nodes that tell the truth, and against
//! nodes that lie.

mod acting;
mod base;
mod chain;
mod http;
mod lies;
mod members;
mod mistakes;
mod money;
mod past;
mod remote;
mod served;
mod submitting;
mod user;
#[path = "../../../ledger/tests/support/world.rs"]
mod world;
