//! Headwater's query and signing client.
//!
//! - [`cli`]: the command line and the way from arguments to an exit code
//! - [`commands`]: one module per command; how to add one is told there
//! - [`commitment`]: salted commitments to files and folders
//! - [`failure`]: errors, hints and exit codes
//! - [`keystore`]: encrypted signing keys on disk
//! - [`output`]: human and JSON output
//! - [`passphrase`]: where passphrases come from
//! - [`remote`]: a node's answers, proved
//! - [`session`]: what every command is given
//! - [`show`]: amounts, shares, times and ids for people

pub mod cli;
pub mod commands;
pub mod commitment;
pub mod failure;
pub mod keystore;
pub mod output;
pub mod passphrase;
pub mod remote;
pub mod session;
pub mod show;

pub use cli::run;
