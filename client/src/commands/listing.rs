//! `headwater listing`: offers products at an exchange, and reviews such offers.

use clap::{Args, Subcommand};
use headwater_ledger::event::market::Decision;
use headwater_ledger::event::{Event, ListProduct, ReviewListing};
use headwater_ledger::hash::ListingId;
use headwater_ledger::text::Handle;

use super::grant::resolve_all;
use crate::build::{Acting, ActingArgs};
use crate::failure::Failure;
use crate::lookup::ObjectRef;
use crate::remote::resolve::AssetRef;
use crate::session::Session;
use crate::value::choice;

/// Offer products at an exchange, and review such offers.
#[derive(Debug, Subcommand)]
pub enum ListingCommand {
    /// List a product at an exchange; this freezes its attribution schedule
    #[command(after_help = "\
Examples:
  headwater listing create insight-co/report --exchange first-exchange --fee-bp 150 \\
      --grant 01234567,89abcdef --as insight-co

Name the operation grant on every direct input whose operation right is not yours.
`headwater shares insight-co/report` shows how money will fall.")]
    Create(CreateArgs),
    /// Accept or reject a listing, as its exchange
    #[command(after_help = "\
Examples:
  headwater listing review 01234567 --accept --as first-exchange
  headwater listing review 01234567 --reject --as first-exchange")]
    Review(ReviewArgs),
}

/// Arguments of `headwater listing create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The product: HANDLE/NAME or an id
    product: AssetRef,
    /// The exchange
    #[arg(long, value_name = "HANDLE")]
    exchange: Handle,
    /// The exchange's fee in basis points of what remains after tax
    #[arg(long, value_name = "BP")]
    fee_bp: u16,
    /// Operation grant on a direct input
    #[arg(long = "grant", value_name = "GRANT", value_delimiter = ',')]
    grants: Vec<ObjectRef>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater listing review`.
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// The listing's id, or at least 8 of its digits
    listing: ObjectRef,
    /// Accept it
    #[arg(long, required_unless_present = "reject", conflicts_with = "reject")]
    accept: bool,
    /// Reject it
    #[arg(long)]
    reject: bool,
    #[command(flatten)]
    acting: ActingArgs,
}

impl ListingCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            ListingCommand::Create(args) => args.run(session),
            ListingCommand::Review(args) => args.run(session),
        }
    }
}

impl CreateArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let operation_grants = choice::list(resolve_all(&acting, &self.grants)?, "grants")?;
        let asset = acting.asset(&self.product);
        let (exchange, fee_bp) = (self.exchange, self.fee_bp);
        acting.act(Event::ListProduct(ListProduct { asset, exchange, fee_bp, operation_grants }))
    }
}

impl ReviewArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let decision = if self.reject { Decision::Reject } else { Decision::Accept };
        let acting = Acting::begin(session, &self.acting)?;
        let listing = ListingId::from_digest(acting.object(&self.listing, "list_product")?);
        acting.act(Event::ReviewListing(ReviewListing { listing, decision }))
    }
}
