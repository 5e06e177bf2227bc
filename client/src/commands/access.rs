//! `headwater access`: use of data inside a secure environment.

use clap::{Args, Subcommand};
use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::{DecideAccess, Event, RecordUsage, RequestAccess};
use headwater_ledger::hash::Digest;
use headwater_ledger::text::Handle;

use super::common::DecisionArgs;
use crate::build::{Acting, ActingArgs};
use crate::failure::Failure;
use crate::lookup::ObjectRef;
use crate::remote::resolve::AssetRef;
use crate::session::Session;
use crate::value::choice;
use crate::value::moment::Moment;

/// Ask for access to data in a secure environment, decide on it, log its use.
#[derive(Debug, Subcommand)]
pub enum AccessCommand {
    /// Ask to work with an asset inside a secure environment
    #[command(after_help = "\
Examples:
  headwater access request city-hospital/admissions-2026 --purpose health-research \\
      --environment secure-lab --until 2027-03-31 --as data-works")]
    Request(RequestArgs),
    /// Decide on an access, as whoever acts for the processing right; rejecting ends a granted one
    #[command(after_help = "\
Examples:
  headwater access decide 01234567 --accept --as city-hospital")]
    Decide(DecideArgs),
    /// Log one job, as the member that runs the environment
    #[command(after_help = "\
Examples:
  headwater access log 01234567 --rows 51200 --as secure-lab \\
      --job blake3:00000000000000000000000000000000000000000000000000000000000000aa
  headwater access log 01234567 --rows 51200 --as secure-lab \\
      --job blake3:00000000000000000000000000000000000000000000000000000000000000aa \\
      --output blake3:00000000000000000000000000000000000000000000000000000000000000bb

Both are commitments made with `headwater hash`: of the job's code, and of what left the
environment. An asset registered with that content matches the log.")]
    Log(LogArgs),
}

/// Arguments of `headwater access request`.
#[derive(Debug, Args)]
pub struct RequestArgs {
    /// The asset: HANDLE/NAME or an id
    asset: AssetRef,
    /// What for: general-research, health-research, disease-research, population-research,
    /// clinical-care, method-development, commercial
    #[arg(long = "purpose", value_name = "PURPOSE", value_delimiter = ',', required = true)]
    #[arg(value_parser = choice::parse::<Purpose>)]
    purposes: Vec<Purpose>,
    /// The member that runs the environment and logs the use
    #[arg(long, value_name = "HANDLE")]
    environment: Handle,
    /// End of the access
    #[arg(long, value_name = "TIME")]
    until: Moment,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater access decide`.
#[derive(Debug, Args)]
pub struct DecideArgs {
    /// The access's id, or at least 8 of its digits
    access: ObjectRef,
    #[command(flatten)]
    decision: DecisionArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater access log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The access's id, or at least 8 of its digits
    access: ObjectRef,
    /// Commitment to the job's code
    #[arg(long, value_name = "ROOT")]
    job: Digest,
    /// Records read
    #[arg(long, value_name = "N")]
    rows: u64,
    /// Commitment to what left the environment [default: nothing left it]
    #[arg(long, value_name = "ROOT")]
    output: Option<Digest>,
    #[command(flatten)]
    acting: ActingArgs,
}

impl AccessCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            AccessCommand::Request(args) => args.run(session),
            AccessCommand::Decide(args) => {
                let acting = Acting::begin(session, &args.acting)?;
                let (access, decision) = (acting.id(&args.access)?, args.decision.decision());
                acting.act(Event::DecideAccess(DecideAccess { access, decision }))
            }
            AccessCommand::Log(args) => {
                let acting = Acting::begin(session, &args.acting)?;
                let LogArgs { job, rows, output, .. } = args;
                let access = acting.id(&args.access)?;
                acting.act(Event::RecordUsage(RecordUsage { access, job, rows, output }))
            }
        }
    }
}

impl RequestArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let purposes = choice::list(self.purposes, "purposes")?;
        let acting = Acting::begin(session, &self.acting)?;
        acting.act(Event::RequestAccess(RequestAccess {
            asset: acting.asset(&self.asset),
            purposes,
            environment: self.environment,
            not_after_ms: self.until.end_ms(),
        }))
    }
}
