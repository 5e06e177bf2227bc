//! `headwater asset registration`: the registration of the rights over an asset.

use clap::{Args, Subcommand};
use headwater_ledger::event::asset::ChangeKind;
use headwater_ledger::event::{
    CancelRegistration, ChangeRegistration, DecideRegistration, Event, FileRegistration,
    ObjectRegistration, RenewRegistration,
};
use headwater_ledger::hash::RegistrationId;
use headwater_ledger::text::Handle;

use super::register::MetadataArgs;
use crate::build::{Acting, ActingArgs};
use crate::commands::common::{DecisionArgs, DocumentArgs};
use crate::failure::Failure;
use crate::lookup::ObjectRef;
use crate::remote::resolve::AssetRef;
use crate::session::Session;
use crate::value::moment::DAY_MS;

/// File, decide and change registrations of the rights over assets.
#[derive(Debug, Subcommand)]
pub enum RegistrationCommand {
    /// File for the registration of the rights over an asset; the public notice begins
    #[command(after_help = "\
Examples:
  headwater asset registration file city-hospital/admissions-2026 --registry first-exchange \\
      --days 1096 --as city-hospital")]
    File(FileArgs),
    /// Object during the public notice
    #[command(after_help = "\
Examples:
  headwater asset registration object 01234567 --document grounds.pdf --as county-hospital")]
    Object(WithDocumentArgs),
    /// Decide once the notice is over, as the registry
    #[command(after_help = "\
Examples:
  headwater asset registration decide 01234567 --accept --as first-exchange")]
    Decide(DecideArgs),
    /// Replace what is registered because the facts have changed, as whoever holds the asset
    #[command(after_help = "\
Examples:
  headwater asset registration amend 01234567 --format text/csv --region CN-GD \\
      --period-from 2026-01-01 --period-to 2026-12-31 --classification important \\
      --sensitivity 4 --deidentification pseudonymised --as city-hospital")]
    Amend(Box<ChangeArgs>),
    /// Replace what is registered because the entry was wrong, as the registry
    #[command(after_help = "\
Examples:
  headwater asset registration correct 01234567 --format text/csv --region CN-GD \\
      --period-from 2026-01-01 --period-to 2026-06-30 --classification important \\
      --sensitivity 4 --deidentification pseudonymised --as first-exchange")]
    Correct(Box<ChangeArgs>),
    /// Extend a registration from its end on, as the registry
    #[command(after_help = "\
Examples:
  headwater asset registration renew 01234567 --days 1096 --as first-exchange")]
    Renew(RenewArgs),
    /// End a registration
    #[command(after_help = "\
Examples:
  headwater asset registration cancel 01234567 --document reason.pdf --as city-hospital")]
    Cancel(WithDocumentArgs),
}

/// Arguments of `headwater asset registration file`.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// The asset: HANDLE/NAME or an id
    asset: AssetRef,
    /// The exchange that keeps the register
    #[arg(long, value_name = "HANDLE")]
    registry: Handle,
    /// How long it is to be in force from the decision
    #[arg(long, value_name = "N")]
    days: u32,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater asset registration object` and `cancel`.
#[derive(Debug, Args)]
pub struct WithDocumentArgs {
    /// The registration's id, or at least 8 of its digits
    registration: ObjectRef,
    #[command(flatten)]
    document: DocumentArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater asset registration decide`.
#[derive(Debug, Args)]
pub struct DecideArgs {
    /// The registration's id, or at least 8 of its digits
    registration: ObjectRef,
    #[command(flatten)]
    decision: DecisionArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater asset registration amend` and `correct`.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// The registration's id, or at least 8 of its digits
    registration: ObjectRef,
    #[command(flatten)]
    metadata: MetadataArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater asset registration renew`.
#[derive(Debug, Args)]
pub struct RenewArgs {
    /// The registration's id, or at least 8 of its digits
    registration: ObjectRef,
    /// By how much
    #[arg(long, value_name = "N")]
    days: u32,
    #[command(flatten)]
    acting: ActingArgs,
}

impl RegistrationCommand {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            RegistrationCommand::File(args) => args.run(session),
            RegistrationCommand::Object(args) => args.object(session),
            RegistrationCommand::Decide(args) => {
                let acting = Acting::begin(session, &args.acting)?;
                let registration = acting.id(&args.registration)?;
                let decision = args.decision.decision();
                let event = DecideRegistration { registration, decision };
                acting.act(Event::DecideRegistration(event))
            }
            RegistrationCommand::Amend(args) => args.run(session, ChangeKind::Amendment),
            RegistrationCommand::Correct(args) => args.run(session, ChangeKind::Correction),
            RegistrationCommand::Renew(args) => {
                let acting = Acting::begin(session, &args.acting)?;
                let registration = acting.id(&args.registration)?;
                let term_ms = u64::from(args.days) * DAY_MS;
                acting.act(Event::RenewRegistration(RenewRegistration { registration, term_ms }))
            }
            RegistrationCommand::Cancel(args) => args.cancel(session),
        }
    }
}

impl FileArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let asset = acting.asset(&self.asset);
        let term_ms = u64::from(self.days) * DAY_MS;
        let event = FileRegistration { asset, registry: self.registry, term_ms };
        acting.act(Event::FileRegistration(event))
    }
}

impl WithDocumentArgs {
    fn object(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let registration: RegistrationId = acting.id(&self.registration)?;
        let grounds = self.document.commit(&acting, "objection", registration.digest())?;
        acting.act(Event::ObjectRegistration(ObjectRegistration { registration, grounds }))
    }

    fn cancel(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let registration: RegistrationId = acting.id(&self.registration)?;
        let reason = self.document.commit(&acting, "cancellation", registration.digest())?;
        acting.act(Event::CancelRegistration(CancelRegistration { registration, reason }))
    }
}

impl ChangeArgs {
    fn run(self, session: &Session, kind: ChangeKind) -> Result<(), Failure> {
        let metadata = self.metadata.metadata()?;
        let acting = Acting::begin(session, &self.acting)?;
        let registration = acting.id(&self.registration)?;
        let event = ChangeRegistration { registration, kind, metadata };
        acting.act(Event::ChangeRegistration(event))
    }
}
