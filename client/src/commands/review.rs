//! `headwater review`: compliance reviews and valuations of assets.

use clap::{Args, Subcommand};
use headwater_ledger::event::asset::Quality;
use headwater_ledger::event::market::ValuationMethod;
use headwater_ledger::event::{Event, RecordValuation, ReviewCompliance};
use headwater_ledger::money::Currency;

use super::asset::parse_quality;
use super::common::{DecisionArgs, DocumentArgs};
use crate::build::{Acting, ActingArgs};
use crate::failure::Failure;
use crate::remote::resolve::AssetRef;
use crate::session::Session;
use crate::value::amount::{self, Notation};
use crate::value::choice;

/// Review the compliance of assets, and value them.
#[derive(Debug, Subcommand)]
pub enum ReviewCommand {
    /// Say whether an asset may be traded, as an exchange, an appraiser or a regulator
    #[command(after_help = "\
Examples:
  headwater review compliance insight-co/report --accept --rights-level 2 \\
      --document report.pdf --as audit-office

A no stops sales at the exchange that made it, also when the asset is listed there later; everywhere if a
regulator made it. That of anybody else takes back his own yes and no more.")]
    Compliance(ComplianceArgs),
    /// Value an asset, as an appraiser
    #[command(after_help = "\
Examples:
  headwater review valuation insight-co/report --method income --value 5000000.00 \\
      --currency CNY --quality 98/95/99/80/100/90 --document report.pdf --as fair-value")]
    Valuation(ValuationArgs),
}

/// Arguments of `headwater review compliance`.
#[derive(Debug, Args)]
pub struct ComplianceArgs {
    /// The asset: HANDLE/NAME or an id
    asset: AssetRef,
    #[command(flatten)]
    decision: DecisionArgs,
    /// Property-rights level found, 1 (rights fully evidenced) to 5
    #[arg(long, value_name = "1-5", value_parser = clap::value_parser!(u8).range(1..=5))]
    rights_level: u8,
    #[command(flatten)]
    document: DocumentArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater review valuation`.
#[derive(Debug, Args)]
pub struct ValuationArgs {
    /// The asset: HANDLE/NAME or an id
    asset: AssetRef,
    /// cost, income or market
    #[arg(long, value_parser = choice::parse::<ValuationMethod>)]
    method: ValuationMethod,
    /// The value
    #[arg(long, value_name = "AMOUNT")]
    value: String,
    /// Its currency, such as CNY
    #[arg(long)]
    currency: Currency,
    /// The value is in whole minor units
    #[arg(long)]
    minor: bool,
    /// Accuracy, completeness, consistency, timeliness, conformity and accessibility found, in
    /// percent, such as 98/95/99/80/100/90
    #[arg(long, value_name = "SCORES", value_parser = parse_quality)]
    quality: Quality,
    #[command(flatten)]
    document: DocumentArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

impl ReviewCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            ReviewCommand::Compliance(args) => args.run(session),
            ReviewCommand::Valuation(args) => args.run(session),
        }
    }
}

impl ComplianceArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let asset = acting.asset(&self.asset);
        let (decision, rights_level) = (self.decision.decision(), self.rights_level);
        let report = self.document.commit(&acting, "compliance", asset.digest())?;
        let review = ReviewCompliance { asset, decision, rights_level, report };
        acting.act(Event::ReviewCompliance(review))
    }
}

impl ValuationArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let notation = if self.minor { Notation::Minor } else { Notation::Decimal };
        let value = amount::parse(&self.value, &self.currency, notation)?;
        let acting = Acting::begin(session, &self.acting)?;
        let asset = acting.asset(&self.asset);
        let report = self.document.commit(&acting, "valuation", asset.digest())?;
        let (method, currency, quality) = (self.method, self.currency, self.quality);
        let valuation = RecordValuation { asset, method, value, currency, quality, report };
        acting.act(Event::RecordValuation(valuation))
    }
}
