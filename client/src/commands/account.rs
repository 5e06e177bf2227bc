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

Every signed contract must be wholly paid or terminated, what was paid for confirmed, every refund that was
ordered given back, every dispute final, and the rulebook's time to contest over since something was last
confirmed or, of what is confirmed, given back. No payment, refund or redirect follows, and the account is not
opened again: the product is sold at another exchange or in another currency then.")]
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
