//! `headwater listing`: offers products at an exchange, and reviews such offers.

use clap::{Args, Subcommand};
use headwater_ledger::event::{DelistProduct, Event, ListProduct, ReviewListing};
use headwater_ledger::text::Handle;

use super::common::{DecisionArgs, OneArgs};
use crate::build::{Acting, ActingArgs};
use crate::failure::Failure;
use crate::lookup::ObjectRef;
use crate::remote::resolve::AssetRef;
use crate::session::Session;

/// Offer products at an exchange, and review such offers.
#[derive(Debug, Subcommand)]
pub enum ListingCommand {
    /// List a product at an exchange; this freezes its attribution schedule
    #[command(after_help = "\
Examples:
  headwater listing create insight-co/report --exchange first-exchange --fee-bp 150 \\
      --grant 01234567,89abcdef --as insight-co

Name the operation grant on every direct input whose operation right is not yours.
`headwater shares insight-co/report`, or --dry-run, shows how money will fall.")]
    Create(CreateArgs),
    /// Accept or reject a listing, as its exchange
    #[command(after_help = "\
Examples:
  headwater listing review 01234567 --accept --as first-exchange
  headwater listing review 01234567 --reject --as first-exchange")]
    Review(ReviewArgs),
    /// End a listing, as its seller, its exchange or a regulator
    #[command(after_help = "\
Examples:
  headwater listing delist 01234567 --as insight-co

Contracts signed by three stand.")]
    Delist(OneArgs),
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
    #[command(flatten)]
    decision: DecisionArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

impl ListingCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            ListingCommand::Create(args) => args.run(session),
            ListingCommand::Review(args) => args.run(session),
            ListingCommand::Delist(args) => {
                args.act(session, |listing| Event::DelistProduct(DelistProduct { listing }))
            }
        }
    }
}

impl CreateArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let operation_grants = acting.ids(&self.grants)?;
        let asset = acting.asset(&self.product);
        let preview = acting.shares_preview(&asset, "the product", None)?;
        let (exchange, fee_bp) = (self.exchange, self.fee_bp);
        let event = ListProduct { asset, exchange, fee_bp, operation_grants };
        acting.act_previewed(Event::ListProduct(event), preview)
    }
}

impl ReviewArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let (listing, decision) = (acting.id(&self.listing)?, self.decision.decision());
        acting.act(Event::ReviewListing(ReviewListing { listing, decision }))
    }
}
