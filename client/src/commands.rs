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

pub mod asset;
pub mod contract;
pub mod grant;
pub mod hash;
pub mod key;
pub mod listing;
pub mod member;
pub mod payment;
pub mod shares;
pub mod statement;
pub mod status;
pub mod submit;
pub mod trace;

use clap::Subcommand;

use crate::failure::Failure;
use crate::session::Session;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Register assets, move the rights over them, declare them void
    #[command(subcommand)]
    Asset(asset::AssetCommand),
    /// Propose, sign and fulfil three-party contracts
    #[command(subcommand)]
    Contract(contract::ContractCommand),
    /// Offer, answer and revoke grants
    #[command(subcommand)]
    Grant(grant::GrantCommand),
    /// Commit to a file or a folder without showing it, or check such a commitment
    Hash(hash::HashArgs),
    /// Make, show and keep signing keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Offer products at an exchange, and review such offers
    #[command(subcommand)]
    Listing(listing::ListingCommand),
    /// Admit, describe, suspend and reinstate members
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Record money that was cleared
    #[command(subcommand)]
    Payment(payment::PaymentCommand),
    /// Record money that was given back
    Refund(Box<payment::RefundArgs>),
    /// Show how money that reaches a product falls
    Shares(shares::SharesArgs),
    /// Show who is owed what, of a member or of a product
    Statement(statement::StatementArgs),
    /// Show the chain this folder is pinned to and where the node stands
    Status(status::StatusArgs),
    /// Sign and send a file of envelopes, each once whatever happens
    Submit(submit::SubmitArgs),
    /// Show what an asset was made from, or what was made from it
    Trace(trace::TraceArgs),
}

impl Command {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Command::Asset(command) => command.run(session),
            Command::Contract(command) => command.run(session),
            Command::Grant(command) => command.run(session),
            Command::Hash(args) => args.run(session),
            Command::Key(command) => command.run(session),
            Command::Listing(command) => command.run(session),
            Command::Member(command) => command.run(session),
            Command::Payment(command) => command.run(session),
            Command::Refund(args) => args.run(session),
            Command::Shares(args) => args.run(session),
            Command::Statement(args) => args.run(session),
            Command::Status(args) => args.run(session),
            Command::Submit(args) => args.run(session),
            Command::Trace(args) => args.run(session),
        }
    }
}
