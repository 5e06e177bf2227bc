//! `headwater account`: closing accounts.

use clap::{Args, Subcommand};
use headwater_ledger::event::{CloseAccount, Event};

use crate::build::{Acting, ActingArgs};
use crate::failure::Failure;
use crate::lookup::AccountRef;
use crate::session::Session;

/// Close accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Close an account, as its exchange, and give out what rounding left
    #[command(after_help = "\
Examples:
  headwater account close insight-co/report@first-exchange:CNY --as first-exchange

Every contract paid into it must be delivered and confirmed. No payment, refund or redirect follows.")]
    Close(CloseArgs),
}

/// Arguments of `headwater account close`.
#[derive(Debug, Args)]
pub struct CloseArgs {
    /// The account: PRODUCT@EXCHANGE:CURRENCY or its id
    account: AccountRef,
    #[command(flatten)]
    acting: ActingArgs,
}

impl AccountCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            AccountCommand::Close(args) => {
                let acting = Acting::begin(session, &args.acting)?;
                let account = acting.account(&args.account)?;
                acting.act(Event::CloseAccount(CloseAccount { account }))
            }
        }
    }
}
