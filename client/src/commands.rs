//! The commands, one module each.
//!
//! To add a command `x`:
//! 1. Write `commands/x.rs` with `pub struct XArgs` (`#[derive(Debug, Args)]`) or `pub enum
//!    XCommand` (`#[derive(Debug, Subcommand)]`), examples in `#[command(after_help = …)]`, and
//!    `pub fn run(self, session: &Session) -> Result<(), Failure>`.
//! 2. Add `pub mod x;`, one variant and one arm below, in the alphabetical order of the names.
//!
//! A command prints by `session.output.report(&result)?`, where the result implements
//! [`Report`](crate::output::Report), signs with `session.signing_key()?`, and fails with a
//! [`Failure`] that says what to do. It never prints or exits itself.

pub mod hash;
pub mod key;
pub mod shares;
pub mod statement;
pub mod status;
pub mod trace;

use clap::Subcommand;

use crate::failure::Failure;
use crate::session::Session;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Commit to a file or a folder without showing it, or check such a commitment
    Hash(hash::HashArgs),
    /// Make, show and keep signing keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Show how money that reaches a product falls
    Shares(shares::SharesArgs),
    /// Show who is owed what, of a member or of a product
    Statement(statement::StatementArgs),
    /// Show the chain this folder is pinned to and where the node stands
    Status(status::StatusArgs),
    /// Show what an asset was made from, or what was made from it
    Trace(trace::TraceArgs),
}

impl Command {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Command::Hash(args) => args.run(session),
            Command::Key(command) => command.run(session),
            Command::Shares(args) => args.run(session),
            Command::Statement(args) => args.run(session),
            Command::Status(args) => args.run(session),
            Command::Trace(args) => args.run(session),
        }
    }
}
