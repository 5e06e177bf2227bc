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

pub mod access;
pub mod account;
pub mod act;
pub mod asset;
pub mod certificate;
pub mod common;
pub mod contract;
pub mod dispute;
pub mod explain;
pub mod govern;
pub mod grant;
pub mod hash;
pub mod inbox;
pub mod key;
pub mod listing;
pub mod member;
pub mod payment;
pub mod payout;
pub mod review;
pub mod shares;
pub mod sources;
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
    /// Ask for access to data in a secure environment, decide on it, log its use
    #[command(subcommand)]
    Access(access::AccessCommand),
    /// Close accounts
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Sign and send an event written as JSON, or approve it ahead
    Act(act::ActArgs),
    /// Register assets, move and register the rights over them, declare them void
    #[command(subcommand)]
    Asset(asset::AssetCommand),
    /// Issue, void and show transaction certificates
    #[command(subcommand)]
    Certificate(certificate::CertificateCommand),
    /// Propose, sign and fulfil three-party contracts
    #[command(subcommand)]
    Contract(contract::ContractCommand),
    /// Open disputes, hold what they are about, add evidence, rule and appeal
    #[command(subcommand)]
    Dispute(dispute::DisputeCommand),
    /// Show why something is recorded, what holds of it now, and where an amount comes from
    Explain(explain::ExplainArgs),
    /// Propose, approve and list changes by governance
    #[command(subcommand)]
    Govern(govern::GovernCommand),
    /// Offer, request, answer, renew and end grants
    #[command(subcommand)]
    Grant(grant::GrantCommand),
    /// Commit to a file or a folder without showing it, or check such a commitment
    Hash(hash::HashArgs),
    /// Show what waits for a member's decision, and decide on many things at once
    Inbox(inbox::InboxArgs),
    /// Make, show and keep signing keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Offer products at an exchange, and review such offers
    #[command(subcommand)]
    Listing(listing::ListingCommand),
    /// Admit and describe members; change their roles, keys and standing
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Record money that was cleared
    #[command(subcommand)]
    Payment(payment::PaymentCommand),
    /// Record payouts to the owners of claims, and contest them
    #[command(subcommand)]
    Payout(payout::PayoutCommand),
    /// Record money that was given back
    Refund(Box<payment::RefundArgs>),
    /// Review the compliance of assets, and value them
    #[command(subcommand)]
    Review(review::ReviewCommand),
    /// Show how money that reaches a product falls
    Shares(shares::SharesArgs),
    /// Commit to the sources behind a part of a right, and hand their parts on
    #[command(subcommand)]
    Sources(sources::SourcesCommand),
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
            Command::Access(command) => command.run(session),
            Command::Account(command) => command.run(session),
            Command::Act(args) => args.run(session),
            Command::Asset(command) => command.run(session),
            Command::Certificate(command) => command.run(session),
            Command::Contract(command) => command.run(session),
            Command::Dispute(command) => command.run(session),
            Command::Explain(args) => args.run(session),
            Command::Govern(command) => command.run(session),
            Command::Grant(command) => command.run(session),
            Command::Hash(args) => args.run(session),
            Command::Inbox(args) => args.run(session),
            Command::Key(command) => command.run(session),
            Command::Listing(command) => command.run(session),
            Command::Member(command) => command.run(session),
            Command::Payment(command) => command.run(session),
            Command::Payout(command) => command.run(session),
            Command::Refund(args) => args.run(session),
            Command::Review(command) => command.run(session),
            Command::Shares(args) => args.run(session),
            Command::Sources(command) => command.run(session),
            Command::Statement(args) => args.run(session),
            Command::Status(args) => args.run(session),
            Command::Submit(args) => args.run(session),
            Command::Trace(args) => args.run(session),
        }
    }
}
