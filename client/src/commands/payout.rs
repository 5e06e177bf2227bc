//! `headwater payout`: what an account's exchange has paid the owners of claims, and set off.

mod record_all;
mod set_off;

use clap::{Args, Subcommand};
use headwater_ledger::event::market::ProvedClaim;
use headwater_ledger::event::{ContestPayout, Event, RecordPayout};
use headwater_ledger::hash::{AccountId, AssetId, PayoutId};
use headwater_ledger::query::{self, QueryError};
use headwater_ledger::split::Right;
use headwater_ledger::state::Records as _;
use headwater_ledger::state::record::AccountRecord;
use headwater_ledger::text::{Code, Handle};

use super::common::DocumentArgs;
use crate::build::{Acting, ActingArgs};
use crate::failure::{Failure, Kind};
use crate::lookup::{AccountRef, ObjectRef};
use crate::remote::resolve::AssetRef;
use crate::session::Session;
use crate::value::amount::{self, Notation};
use crate::value::choice;

/// Record payouts to the owners of claims and set-offs between their lines, and contest payouts.
#[derive(Debug, Subcommand)]
pub enum PayoutCommand {
    /// Record that an owner of a claim was paid, as the account's exchange
    #[command(after_help = "\
Examples:
  headwater payout record insight-co/report@first-exchange:CNY \\
      --asset city-hospital/admissions-2026 --right holding --owner city-hospital \\
      --amount 120000.00 --bank-ref ICBC-20261201-000031 --as first-exchange

Never more than is payable and not held: see `headwater statement`. The place of the claim in the
product's schedule is computed from proved reads.")]
    Record(RecordArgs),
    /// Set off what was overpaid on one line against what is payable on another
    #[command(after_help = set_off::AFTER_HELP)]
    SetOff(set_off::SetOffArgs),
    /// Record that everything payable on an account was paid, line by line, after set-offs
    #[command(after_help = record_all::AFTER_HELP)]
    RecordAll(record_all::RecordAllArgs),
    /// Say that a payout did not arrive, as its payee; opens a dispute
    #[command(after_help = "\
Examples:
  headwater payout contest 01234567 --document bank-statement.pdf --as city-hospital")]
    Contest(ContestArgs),
}

/// Arguments of `headwater payout record`.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// The account: PRODUCT@EXCHANGE:CURRENCY or its id
    account: AccountRef,
    /// The asset whose claim was paid: HANDLE/NAME or an id
    #[arg(long)]
    asset: AssetRef,
    /// The right whose claim was paid: holding, processing or operation
    #[arg(long, value_parser = choice::parse::<Right>)]
    right: Right,
    /// The owner on whose line it was paid
    #[arg(long, value_name = "HANDLE")]
    owner: Handle,
    /// What was paid
    #[arg(long, value_name = "AMOUNT")]
    amount: String,
    /// The amount is in whole minor units
    #[arg(long)]
    minor: bool,
    /// The bank's reference, unique for the exchange
    #[arg(long, value_name = "REF")]
    bank_ref: Code,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater payout contest`.
#[derive(Debug, Args)]
pub struct ContestArgs {
    /// The payout's id, or at least 8 of its digits
    payout: ObjectRef,
    #[command(flatten)]
    document: DocumentArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

impl PayoutCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            PayoutCommand::Record(args) => args.run(session),
            PayoutCommand::RecordAll(args) => args.run(session),
            PayoutCommand::SetOff(args) => args.run(session),
            PayoutCommand::Contest(args) => {
                let acting = Acting::begin(session, &args.acting)?;
                let payout: PayoutId = acting.id(&args.payout)?;
                let evidence = args.document.commit(&acting, "evidence", payout.digest())?;
                acting.act(Event::ContestPayout(ContestPayout { payout, evidence }))
            }
        }
    }
}

/// An account that is proved to be recorded.
pub(super) fn proved_account(
    acting: &Acting<'_>,
    account: &AccountId,
) -> Result<AccountRecord, Failure> {
    acting.ask(|view| {
        let record = view.account(account)?;
        record.ok_or_else(|| QueryError::Unknown(format!("account {account}")))
    })
}

/// The claim of a right in an account's schedule, with its proof.
pub(super) fn claim_of(
    acting: &Acting<'_>,
    product: &AssetId,
    asset: &AssetId,
    right: Right,
) -> Result<ProvedClaim, Failure> {
    let claim = acting.ask(|view| query::proved_claim(view, product, asset, right))?;
    claim.ok_or_else(|| {
        let message = format_args!("the product's schedule gives that {right} right nothing");
        Failure::new(Kind::NotFound, message).hint("`headwater shares` shows the claims")
    })
}

impl RecordArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let account = acting.account(&self.account)?;
        let record = proved_account(&acting, &account)?;
        let notation = if self.minor { Notation::Minor } else { Notation::Decimal };
        let amount = amount::parse(&self.amount, &record.currency, notation)?;
        let asset = acting.asset(&self.asset);
        let claim = claim_of(&acting, &record.product, &asset, self.right)?;
        let (owner, bank_reference) = (self.owner, self.bank_ref);
        let payout = RecordPayout { account, claim, owner, amount, bank_reference };
        acting.act(Event::RecordPayout(payout))
    }
}
