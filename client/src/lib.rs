//! Headwater's query and signing client.
//!
//! - [`batch`]: a file of envelopes, sent once each whatever happens
//! - [`build`]: envelopes built, signed, sent and followed to their outcome
//! - [`cli`]: the command line and the way from arguments to an exit code
//! - [`commands`]: one module per command; how to add one is told there
//! - [`commitment`]: salted commitments to files and folders
//! - [`failure`]: errors, hints and exit codes
//! - [`keystore`]: encrypted signing keys on disk
//! - [`lookup`]: names and ids as people write them
//! - [`output`]: human and JSON output
//! - [`passphrase`]: where passphrases come from
//! - [`remote`]: a node's answers, proved
//! - [`salts`]: secret salts of commitments, kept beside the keys
//! - [`session`]: what every command is given
//! - [`show`]: amounts, shares, times and ids for people
//! - [`submission`]: handing envelopes to a node
//! - [`usage`]: what is said of a command line that cannot be read
//! - [`value`]: amounts, dates and other values as people write them

pub mod batch;
pub mod build;
pub mod cli;
pub mod commands;
pub mod commitment;
pub mod failure;
pub mod keystore;
pub mod lookup;
pub mod output;
pub mod passphrase;
pub mod remote;
pub mod salts;
pub mod session;
pub mod show;
pub mod submission;
pub mod usage;
pub mod value;

pub use cli::run;
