//! `headwater dispute`: marks, holds, evidence, rulings and appeals.

mod rule;
mod subject;

use clap::{Args, Subcommand};
use headwater_ledger::event::{AppealRuling, Event, FileEvidence, OrderFreeze};
use headwater_ledger::hash::DisputeId;

pub use self::rule::RuleArgs;
pub use self::subject::OpenArgs;
use super::common::DocumentArgs;
use super::explain::ExplainArgs;
use crate::build::{Acting, ActingArgs};
use crate::failure::Failure;
use crate::lookup::ObjectRef;
use crate::session::Session;
use crate::value::moment::Moment;

/// Open disputes, hold what they are about, add evidence, rule and appeal.
#[derive(Debug, Subcommand)]
pub enum DisputeCommand {
    /// Mark what you dispute
    #[command(after_help = "\
Examples:
  headwater dispute open --share city-hospital/admissions-2026 --right holding \\
      --owner city-hospital --parts 3000 --ground ownership --document claim.pdf \\
      --as county-hospital
  headwater dispute open --asset data-works/cohort --ground misuse --document report.pdf \\
      --as city-hospital
  headwater dispute open --contract 01234567 --ground performance --document letter.pdf \\
      --as pharma-inc

A share is held for the rulebook's cooling period: neither paid out nor given away; unless you have held
parts of this owner before, or 16 are held: then it is a mark, and a regulator may freeze it. Everybody
else is paid. It can be disputed of whoever has had it, too, after it was given away.")]
    Open(Box<OpenArgs>),
    /// Hold the disputed share until a deadline, as a regulator
    #[command(after_help = "\
Examples:
  headwater dispute freeze 01234567 --until 2027-03-31 --as health-commission")]
    Freeze(FreezeArgs),
    /// Add evidence, as a party, an owner of the disputed asset or grant's right, or a regulator
    #[command(after_help = "\
Examples:
  headwater dispute evidence 01234567 --document collection-log.pdf --as county-hospital")]
    Evidence(DocumentedArgs),
    /// Rule, as a regulator who has no part in it
    #[command(after_help = "\
Examples:
  headwater dispute rule 01234567 --dismiss --document reasons.pdf --as health-commission
  headwater dispute rule 01234567 --redirect-to county-hospital \\
      --adjust insight-co/report@first-exchange:CNY --document reasons.pdf \\
      --as health-commission
  headwater dispute rule 01234567 --refund-net 1000.00 --refund-fee 15.00 --refund-tax 60.00 \\
      --document reasons.pdf --as health-commission")]
    Rule(Box<RuleArgs>),
    /// Appeal a ruling once, as a party or an owner of the disputed asset or grant's right
    #[command(after_help = "\
Examples:
  headwater dispute appeal 01234567 --document grounds.pdf --as city-hospital")]
    Appeal(DocumentedArgs),
    /// Show a dispute and its life so far, proved: evidence, freezes, rulings and appeals, by whom
    /// and at which height
    #[command(after_help = "\
Examples:
  headwater dispute show 01234567")]
    Show(ExplainArgs),
}

/// Arguments of `headwater dispute freeze`.
#[derive(Debug, Args)]
pub struct FreezeArgs {
    /// The dispute's id, or at least 8 of its digits
    dispute: ObjectRef,
    /// Last moment of the freeze
    #[arg(long, value_name = "TIME")]
    until: Moment,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater dispute evidence` and `appeal`.
#[derive(Debug, Args)]
pub struct DocumentedArgs {
    /// The dispute's id, or at least 8 of its digits
    dispute: ObjectRef,
    #[command(flatten)]
    document: DocumentArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

impl DisputeCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            DisputeCommand::Open(args) => args.run(session),
            DisputeCommand::Freeze(args) => {
                let acting = Acting::begin(session, &args.acting)?;
                let (dispute, until_ms) = (acting.id(&args.dispute)?, args.until.end_ms());
                acting.act(Event::OrderFreeze(OrderFreeze { dispute, until_ms }))
            }
            DisputeCommand::Evidence(args) => {
                let acting = Acting::begin(session, &args.acting)?;
                let dispute: DisputeId = acting.id(&args.dispute)?;
                let evidence = args.document.commit(&acting, "evidence", dispute.digest())?;
                acting.act(Event::FileEvidence(FileEvidence { dispute, evidence }))
            }
            DisputeCommand::Rule(args) => args.run(session),
            DisputeCommand::Appeal(args) => {
                let acting = Acting::begin(session, &args.acting)?;
                let dispute: DisputeId = acting.id(&args.dispute)?;
                let grounds = args.document.commit(&acting, "appeal", dispute.digest())?;
                acting.act(Event::AppealRuling(AppealRuling { dispute, grounds }))
            }
            DisputeCommand::Show(args) => args.run(session),
        }
    }
}
