//! `headwater asset`: registers assets, moves the rights over them, declares them void.

mod consent;
mod register;
mod registration;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use headwater_ledger::event::rights::Owner;
use headwater_ledger::event::{AcceptTransfer, Event, TransferRight, VoidAsset};
use headwater_ledger::hash::Digest;
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

pub use self::consent::{AttestArgs, WithdrawConsentArgs};
pub use self::register::RegisterArgs;
pub(super) use self::register::parse_quality;
pub use self::registration::RegistrationCommand;
use super::common::OneArgs;
use crate::build::{Acting, ActingArgs};
use crate::commitment::Lines;
use crate::failure::{Failure, Kind};
use crate::remote::resolve::AssetRef;
use crate::salts::Salts;
use crate::session::Session;
use crate::value::choice;
use crate::value::share::parse_owner;

/// Register assets, move and register the rights over them, declare them void.
#[derive(Debug, Subcommand)]
pub enum AssetCommand {
    /// Register a raw resource, a processed dataset or a data product
    #[command(after_help = register::AFTER_HELP)]
    Register(Box<RegisterArgs>),
    /// Propose the owners of one right over an asset
    #[command(after_help = "\
Examples:
  headwater asset transfer city-hospital/admissions-2026 --right holding \\
      --owner city-hospital=9000 --owner patients-fund=1000 --manager city-hospital

Parts are of 10000. It takes effect once every owner who is new or whose part shrinks has agreed
with `headwater asset accept-transfer`. With --threshold, an act under the right then needs owners
of so many parts: its author and those who said yes before, each with the same command and
--approve.")]
    Transfer(TransferArgs),
    /// Agree to a transfer
    #[command(after_help = "\
Examples:
  headwater asset accept-transfer 01234567 --as patients-fund")]
    AcceptTransfer(OneArgs),
    /// Take back an asset of one's own that nothing rests on: nothing new is built on it
    #[command(after_help = "\
Examples:
  headwater asset void data-works/cohort --reason wrong-file.txt --as data-works

Only while nothing was made, granted, listed, asked for or disputed of it, by yourself neither, and no
right over it was transferred; otherwise a ruling voids it: see `headwater dispute`. Only a salted
commitment to the reason is recorded; the salt is kept in the folder salts of the home folder.")]
    Void(VoidArgs),
    /// Record that patients have withdrawn their consent: how many, never who
    #[command(after_help = "\
Examples:
  headwater asset withdraw-consent city-hospital/admissions-2026 --patients 3 \
      --document withdrawn.csv --as city-hospital

Nothing new is derived from this version from then on. Register a version without them with
--revises before the rulebook's time is over, or what rests on it can no longer be sold.")]
    WithdrawConsent(WithdrawConsentArgs),
    /// Attest that nobody can be singled out in an asset
    #[command(after_help = "\
Examples:
  headwater asset attest data-works/cohort --document report.pdf --as audit-office")]
    Attest(AttestArgs),
    /// File, decide and change the registration of the rights over an asset
    #[command(subcommand)]
    Registration(RegistrationCommand),
}

/// Arguments of `headwater asset transfer`.
#[derive(Debug, Args)]
pub struct TransferArgs {
    /// The asset: HANDLE/NAME or an id
    asset: AssetRef,
    /// holding, processing or operation
    #[arg(long, value_parser = choice::parse::<Right>)]
    right: Right,
    /// An owner from then on, with parts of 10000
    #[arg(long = "owner", value_name = "HANDLE=PARTS", value_delimiter = ',', required = true)]
    #[arg(value_parser = parse_owner)]
    owners: Vec<Owner>,
    /// The owner who acts for the right from then on
    #[arg(long, value_name = "HANDLE")]
    manager: Handle,
    /// Parts of 10000 that an act under the right needs from then on, instead of the manager
    #[arg(long, value_name = "PARTS", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    threshold: Option<u16>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater asset void`.
#[derive(Debug, Args)]
pub struct VoidArgs {
    /// The asset: HANDLE/NAME or an id
    asset: AssetRef,
    /// File or folder with the reason
    #[arg(long, value_name = "PATH", required_unless_present = "reason_root")]
    #[arg(conflicts_with = "reason_root")]
    reason: Option<PathBuf>,
    /// Commitment to the reason made before with `headwater hash`
    #[arg(long, value_name = "ROOT")]
    reason_root: Option<Digest>,
    #[command(flatten)]
    acting: ActingArgs,
}

impl AssetCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            AssetCommand::Register(args) => args.run(session),
            AssetCommand::Transfer(args) => args.run(session),
            AssetCommand::AcceptTransfer(args) => {
                args.act(session, |transfer| Event::AcceptTransfer(AcceptTransfer { transfer }))
            }
            AssetCommand::Void(args) => args.run(session),
            AssetCommand::WithdrawConsent(args) => args.run(session),
            AssetCommand::Attest(args) => args.run(session),
            AssetCommand::Registration(command) => command.run(session),
        }
    }
}

impl TransferArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let sum: u32 = self.owners.iter().map(|owner| u32::from(owner.parts)).sum();
        if sum != 10_000 {
            let message = format_args!("the owners' parts add up to {sum}, expected 10000");
            return Err(Failure::new(Kind::Usage, message).hint("correct the --owner options"));
        }
        if !self.owners.iter().any(|owner| owner.member == self.manager) {
            let message = format_args!("{} would manage a right without a part", self.manager);
            return Err(
                Failure::new(Kind::Usage, message).hint("choose the manager among the owners")
            );
        }
        let owners = choice::list(self.owners, "owners")?;
        let acting = Acting::begin(session, &self.acting)?;
        let asset = acting.asset(&self.asset);
        let (right, manager) = (self.right, self.manager);
        acting.act(Event::TransferRight(TransferRight {
            threshold_parts: self.threshold,
            asset,
            right,
            owners,
            manager,
        }))
    }
}

impl VoidArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let asset = acting.asset(&self.asset);
        let reason = match (self.reason_root, &self.reason) {
            (Some(root), _) => root,
            (None, Some(path)) => {
                let subject = format!("void-{}", hex::encode(asset.digest().raw()));
                let mut salts = Salts::open(&session.home, &subject)?;
                let root = salts.commit("reason", path, Lines::Ignore, &session.output)?.root;
                if !acting.is_dry_run() {
                    salts.save()?;
                }
                root
            }
            (None, None) => return Err(Failure::new(Kind::Usage, "no reason is given")),
        };
        acting.act(Event::VoidAsset(VoidAsset { asset, reason }))
    }
}
