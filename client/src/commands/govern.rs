//! `headwater govern`: changes that validators decide by more than two thirds of their power.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use headwater_ledger::event::governance::{
    Change, ConferRoles, RestoreKey, Rulebook, SetValidator,
};
use headwater_ledger::event::member::Role;
use headwater_ledger::event::{ApproveChange, Event, ProposeChange};
use headwater_ledger::hash::ChangeId;
use headwater_ledger::keys::PublicKey;
use headwater_ledger::query::{self, Lists as _};
use headwater_ledger::reject::Fault;
use headwater_ledger::state::record::{ChangeRecord, ChangeStatus};
use headwater_ledger::state::{Key, Relation, View as _};
use headwater_ledger::text::Handle;
use serde::Serialize;

use super::common::OneArgs;
use super::member::{ScopeArgs, member_key};
use super::shares::proved;
use crate::build::{Acting, ActingArgs};
use crate::failure::{Failure, Kind};
use crate::output::{Page, Report};
use crate::remote::Connection;
use crate::remote::view::AsOf;
use crate::session::Session;
use crate::show;
use crate::value::choice;

/// Propose, approve and list changes by governance.
#[derive(Debug, Subcommand)]
pub enum GovernCommand {
    /// Propose a change, as a member that runs a validator
    #[command(subcommand)]
    Propose(Box<ProposeCommand>),
    /// Approve a change, as a member that runs a validator
    #[command(after_help = "\
Examples:
  headwater govern approve 01234567 --as first-exchange

See what it would change with `headwater explain 01234567` first.")]
    Approve(OneArgs),
    /// List every change that was proposed
    #[command(after_help = "\
Examples:
  headwater govern list
  headwater govern list --at 12000 --json")]
    List(ListArgs),
    /// Print the rulebook in force, as `propose rulebook` takes it
    #[command(after_help = "\
Examples:
  headwater govern rulebook --json > rulebook.json")]
    Rulebook(ListArgs),
}

/// What can be proposed.
#[derive(Debug, Subcommand)]
pub enum ProposeCommand {
    /// Add a validator, change its power, or remove it with power 0
    #[command(after_help = "\
Examples:
  headwater govern propose validator second-exchange \\
      --key ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a \\
      --power 10 --at-height 12000 --as first-exchange")]
    Validator(ValidatorArgs),
    /// Replace the rulebook
    #[command(after_help = "\
Examples:
  headwater govern rulebook --json > rulebook.json
  headwater govern propose rulebook rulebook.json --at-height 12000 --as first-exchange")]
    Rulebook(RulebookArgs),
    /// Raise the protocol version by one
    #[command(after_help = "\
Examples:
  headwater govern propose protocol 2 --at-height 12000 --as first-exchange")]
    Protocol(ProtocolArgs),
    /// Give a member its roles, exchange and regulator included
    #[command(after_help = "\
Examples:
  headwater govern propose roles second-exchange --role exchange --at-height 12000 \\
      --as first-exchange")]
    Roles(RolesArgs),
    /// Add a key to a member that has lost its own
    #[command(after_help = "\
Examples:
  headwater govern propose key city-hospital \\
      --key ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a \\
      --at-height 12000 --as first-exchange")]
    Key(KeyArgs),
}

/// When a change is made.
#[derive(Debug, Args)]
struct WhenArgs {
    /// The height whose block makes the change
    #[arg(long, value_name = "HEIGHT")]
    at_height: u64,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater govern propose validator`.
#[derive(Debug, Args)]
pub struct ValidatorArgs {
    /// The member that runs it
    member: Handle,
    /// Its consensus key
    #[arg(long)]
    key: PublicKey,
    /// Voting power; 0 removes it
    #[arg(long, value_name = "N")]
    power: u64,
    #[command(flatten)]
    when: WhenArgs,
}

/// Arguments of `headwater govern propose rulebook`.
#[derive(Debug, Args)]
pub struct RulebookArgs {
    /// File with the whole rulebook
    file: PathBuf,
    #[command(flatten)]
    when: WhenArgs,
}

/// Arguments of `headwater govern propose protocol`.
#[derive(Debug, Args)]
pub struct ProtocolArgs {
    /// The version, one above the present one
    version: u32,
    #[command(flatten)]
    when: WhenArgs,
}

/// Arguments of `headwater govern propose roles`.
#[derive(Debug, Args)]
pub struct RolesArgs {
    /// The member
    member: Handle,
    /// Role from then on: exchange, holder, processor, operator, buyer, appraiser, regulator,
    /// auditor
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',', value_parser = choice::parse::<Role>)]
    #[arg(required = true)]
    roles: Vec<Role>,
    #[command(flatten)]
    when: WhenArgs,
}

/// Arguments of `headwater govern propose key`.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// The member
    member: Handle,
    /// Its new public key
    #[arg(long)]
    key: PublicKey,
    #[command(flatten)]
    scopes: ScopeArgs,
    #[command(flatten)]
    when: WhenArgs,
}

/// Arguments of `headwater govern list` and `rulebook`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Height to ask about [default: the latest]
    #[arg(long, value_name = "HEIGHT")]
    at: Option<u64>,
}

impl GovernCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            GovernCommand::Propose(command) => command.run(session),
            GovernCommand::Approve(args) => {
                args.act(session, |change| Event::ApproveChange(ApproveChange { change }))
            }
            GovernCommand::List(args) => args.changes(session),
            GovernCommand::Rulebook(args) => args.rulebook(session),
        }
    }
}

impl ProposeCommand {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let (change, when) = match self {
            ProposeCommand::Validator(ValidatorArgs { member, key, power, when }) => {
                (Change::SetValidator(SetValidator { member, key, power }), when)
            }
            ProposeCommand::Rulebook(RulebookArgs { file, when }) => {
                let text = fs::read_to_string(&file);
                let text = text.map_err(|error| Failure::io("read", &file, &error))?;
                let rulebook = serde_json::from_str::<Rulebook>(&text).map_err(|error| {
                    let message = format_args!("{} is no rulebook: {error}", file.display());
                    Failure::new(Kind::BadInput, message)
                        .hint("`headwater govern rulebook --json` prints the one in force")
                })?;
                (Change::SetRulebook(rulebook), when)
            }
            ProposeCommand::Protocol(ProtocolArgs { version, when }) => {
                (Change::SetProtocol(version), when)
            }
            ProposeCommand::Roles(RolesArgs { member, roles, when }) => {
                let roles = choice::list(roles, "roles")?;
                (Change::ConferRoles(ConferRoles { member, roles }), when)
            }
            ProposeCommand::Key(KeyArgs { member, key, scopes, when }) => {
                let key = member_key(key, scopes)?;
                (Change::RestoreKey(RestoreKey { member, key }), when)
            }
        };
        let event = ProposeChange { change, activate_height: when.at_height };
        Acting::begin(session, &when.acting)?.act(Event::ProposeChange(event))
    }
}

impl ListArgs {
    fn changes(self, session: &Session) -> Result<(), Failure> {
        let connection = Connection::open(session)?;
        let view = connection.view(self.at)?;
        let changes = view.ask(|view| {
            let ids: Vec<ChangeId> = view
                .entries(&Relation::Changes)?
                .iter()
                .map(|entry| ChangeId::from_digest(entry.id))
                .collect();
            view.prefetch(&ids.iter().map(|id| Key::Change(*id)).collect::<Vec<_>>())?;
            let read = |id: ChangeId| {
                let record = view.get::<ChangeRecord>(&Key::Change(id))?;
                let record = record.ok_or_else(|| Fault(format!("change {id} is missing")))?;
                Ok(ChangeShown { id, record })
            };
            ids.into_iter().map(read).collect::<Result<Vec<_>, _>>()
        })?;
        session.output.report(&Changes { as_of: view.as_of(), changes })
    }

    fn rulebook(self, session: &Session) -> Result<(), Failure> {
        let connection = Connection::open(session)?;
        let view = connection.view(self.at)?;
        let rulebook = view.ask(|view| {
            let missing = || Fault("the state holds no rulebook".into());
            let version: u32 = view.get(&Key::RulebookVersion)?.ok_or_else(missing)?;
            Ok(view.get::<Rulebook>(&Key::Rulebook(version))?.ok_or_else(missing)?)
        })?;
        session.output.report(&RulebookShown(rulebook))
    }
}

#[derive(Serialize)]
struct ChangeShown {
    id: ChangeId,
    #[serde(flatten)]
    record: ChangeRecord,
}

#[derive(Serialize)]
struct Changes {
    as_of: AsOf,
    changes: Vec<ChangeShown>,
}

/// The rulebook, JSON in either format, so that it can be edited and proposed.
#[derive(Serialize)]
#[serde(transparent)]
struct RulebookShown(Rulebook);

impl Report for RulebookShown {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.line(serde_json::to_string_pretty(&self.0).map_err(io::Error::other)?)
    }
}

impl Report for Changes {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let rows = self.changes.iter().map(|change| {
            let record = &change.record;
            let status = match record.status {
                ChangeStatus::Proposed => "waits for approvals",
                ChangeStatus::Scheduled => "approved",
                ChangeStatus::Active => "in effect",
                ChangeStatus::Failed => "failed",
            };
            let approvals: Vec<&str> = record.approvals.iter().map(Handle::as_str).collect();
            [
                show::short(change.id.digest()),
                query::change_in_words(&record.change),
                status.to_string(),
                record.activate_height.to_string(),
                approvals.join(", "),
            ]
        });
        page.table(["change", "what", "stands", "at height", "approved by"], rows)?;
        page.line("")?;
        proved(page, &self.as_of)
    }
}
