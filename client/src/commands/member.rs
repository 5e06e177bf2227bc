//! `headwater member`: admits and describes members, and changes what is recorded of them.

mod change;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use headwater_ledger::event::member::{MemberKey, Role};
use headwater_ledger::event::{
    AcceptSuccession, AdmitMember, Event, ReinstateMember, Scope, SuspendMember,
};
use headwater_ledger::keys::PublicKey;
use headwater_ledger::text::{DisplayName, Handle};
use serde::{Deserialize, Serialize};

pub use self::change::{
    AddKeyArgs, RelateArgs, RevokeKeyArgs, SetRolesArgs, SucceedArgs, TwoKeysArgs, member_key,
};
use super::common::OneArgs;
use crate::build::{Acting, ActingArgs};
use crate::failure::{Failure, Kind};
use crate::keystore::KeyName;
use crate::output::{Page, Report};
use crate::session::Session;
use crate::value::choice;

/// Most bytes of a description.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// Admit and describe members; change their roles, keys and standing.
#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// Admit a member, as an exchange
    #[command(after_help = "\
Examples:
  headwater member admit city-hospital --name 'City Hospital' --role holder \\
      --key ed25519:… --as first-exchange
  headwater member admit --from city-hospital.json --as first-exchange

The file is what the member made with `headwater member describe`; compare the key with
the member over another channel.")]
    Admit(AdmitArgs),
    /// Print a member's description from the keys in the home folder, for an exchange or a genesis
    /// document
    #[command(after_help = "\
Examples:
  headwater member describe city-hospital --name 'City Hospital' --role holder > member.json
  headwater member describe insight-co+desk --name 'Insight Co' --role operator \\
      --scopes contract,register

Needs no passphrase and no node, and so trusts the key file.")]
    Describe(DescribeArgs),
    /// Suspend a member, as a regulator
    #[command(after_help = "\
Examples:
  headwater member suspend insight-co --as health-commission")]
    Suspend(StandingArgs),
    /// Lift a suspension, as a regulator
    #[command(after_help = "\
Examples:
  headwater member reinstate insight-co --as health-commission")]
    Reinstate(StandingArgs),
    /// Change another member's roles, as an exchange
    #[command(after_help = "\
Examples:
  headwater member set-roles insight-co --role operator,processor --as first-exchange

The roles exchange and regulator are given and taken by `headwater govern propose roles` alone.")]
    SetRoles(SetRolesArgs),
    /// Add a key of your own
    #[command(after_help = "\
Examples:
  headwater key new insight-co+desk
  headwater member add-key \
      ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a \
      --scopes contract --as insight-co
  headwater member add-key \
      ed25519:3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c \
      --in-place-of ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a \
      --as insight-co

Where some of your acts need two keys, by your own choice or by the rulebook, so does adding a key
that could be the second: sign with --also-key. A key that takes the place of the one that signs
needs no second. Who has only one key there gets another by `headwater govern propose key`.")]
    AddKey(AddKeyArgs),
    /// End a key; it signs nothing from then on
    #[command(after_help = "\
Examples:
  headwater member revoke-key \
      ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a --as insight-co
  headwater member revoke-key \
      ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a \
      --of insight-co --compromised-since 2026-11-20T08:00:00Z --as health-commission

With --compromised-since, assets, grants and rights that it signed away from then on, alone or as the
first of several, serve for nothing new until a ruling; what it approved, voted for or attested does not
count. Contracts signed by three stand.")]
    RevokeKey(RevokeKeyArgs),
    /// Say for which of your acts two of your keys must sign
    #[command(after_help = "\
Examples:
  headwater member two-keys --for money,transfers --as first-exchange
  headwater member two-keys --none --as first-exchange --also-key first-exchange+second

Sign such acts with --also-key. Have two keys with the scope admin before you choose: one key cannot
add the second any more, and takes nothing back.")]
    TwoKeys(TwoKeysArgs),
    /// Record that two members belong together, or no longer do
    #[command(after_help = "\
Examples:
  headwater member relate data-works insight-co --as data-works
  headwater member relate data-works insight-co --no-longer --as health-commission")]
    Relate(RelateArgs),
    /// Name the successor of a member that was merged or dissolved
    #[command(after_help = "\
Examples:
  headwater member succeed county-hospital --by city-hospital --as county-hospital

The member itself says so, or a regulator for one that is neither exchange, regulator nor auditor. It takes effect once the successor accepts with `headwater member accept-succession`.")]
    Succeed(SucceedArgs),
    /// Accept to act for a member that ends
    #[command(after_help = "\
Examples:
  headwater member accept-succession 01234567 --as city-hospital

From then on that member's keys sign nothing, and you act wherever it is named.")]
    AcceptSuccession(OneArgs),
}

/// Arguments of `headwater member admit`.
#[derive(Debug, Args)]
pub struct AdmitArgs {
    /// The member's permanent handle
    #[arg(required_unless_present = "from")]
    handle: Option<Handle>,
    /// File that describes the member, instead of the options
    #[arg(long, value_name = "FILE", conflicts_with_all = ["handle", "name", "roles", "keys", "scopes"])]
    from: Option<PathBuf>,
    /// Name as shown
    #[arg(long, required_unless_present = "from")]
    name: Option<DisplayName>,
    /// Role: exchange, holder, processor, operator, buyer, appraiser, regulator, auditor
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',', value_parser = choice::parse::<Role>)]
    #[arg(required_unless_present = "from")]
    roles: Vec<Role>,
    /// Public key
    #[arg(
        long = "key",
        value_name = "KEY",
        value_delimiter = ',',
        required_unless_present = "from"
    )]
    keys: Vec<PublicKey>,
    #[command(flatten)]
    scopes: ScopeArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// What keys may sign.
#[derive(Debug, Args)]
pub struct ScopeArgs {
    /// What the keys may sign: register, rights, contract, money, arbitrate, admin [default: all]
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', value_parser = choice::parse::<Scope>)]
    scopes: Vec<Scope>,
}

/// Arguments of `headwater member describe`.
#[derive(Debug, Args)]
pub struct DescribeArgs {
    /// The member, or one of its keys: HANDLE or HANDLE+LABEL
    #[arg(value_name = "HANDLE")]
    key: KeyName,
    /// Name as shown
    #[arg(long)]
    name: DisplayName,
    /// Role: exchange, holder, processor, operator, buyer, appraiser, regulator, auditor
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',', value_parser = choice::parse::<Role>)]
    #[arg(required = true)]
    roles: Vec<Role>,
    /// Further public key
    #[arg(long = "key", value_name = "KEY", value_delimiter = ',')]
    keys: Vec<PublicKey>,
    #[command(flatten)]
    scopes: ScopeArgs,
}

/// Arguments of `headwater member suspend` and `reinstate`.
#[derive(Debug, Args)]
pub struct StandingArgs {
    /// The member
    handle: Handle,
    #[command(flatten)]
    acting: ActingArgs,
}

impl MemberCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            MemberCommand::Admit(args) => args.run(session),
            MemberCommand::Describe(args) => args.run(session),
            MemberCommand::Suspend(StandingArgs { handle, acting }) => {
                let event = Event::SuspendMember(SuspendMember { member: handle });
                Acting::begin(session, &acting)?.act(event)
            }
            MemberCommand::Reinstate(StandingArgs { handle, acting }) => {
                let event = Event::ReinstateMember(ReinstateMember { member: handle });
                Acting::begin(session, &acting)?.act(event)
            }
            MemberCommand::SetRoles(args) => args.run(session),
            MemberCommand::AddKey(args) => args.run(session),
            MemberCommand::RevokeKey(args) => args.run(session),
            MemberCommand::TwoKeys(args) => args.run(session),
            MemberCommand::Relate(args) => args.run(session),
            MemberCommand::Succeed(args) => args.run(session),
            MemberCommand::AcceptSuccession(args) => args.act(session, |succession| {
                Event::AcceptSuccession(AcceptSuccession { succession })
            }),
        }
    }
}

fn describe(
    handle: Handle,
    name: DisplayName,
    roles: Vec<Role>,
    keys: Vec<PublicKey>,
    scopes: ScopeArgs,
) -> Result<AdmitMember, Failure> {
    let scopes = if scopes.scopes.is_empty() { Scope::ALL.to_vec() } else { scopes.scopes };
    let scopes = choice::list(scopes, "scopes")?;
    let keys = keys.into_iter().map(|key| MemberKey { key, scopes: scopes.clone() }).collect();
    let (roles, keys) = (choice::list(roles, "roles")?, choice::list(keys, "keys")?);
    Ok(AdmitMember { handle, name, roles, keys })
}

impl AdmitArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let member = match (self.from, self.handle, self.name) {
            (Some(file), _, _) => read(&file)?,
            (None, Some(handle), Some(name)) => {
                describe(handle, name, self.roles, self.keys, self.scopes)?
            }
            (None, _, _) => return Err(Failure::new(Kind::Usage, "no member is described")),
        };
        Acting::begin(session, &self.acting)?.act(Event::AdmitMember(member))
    }
}

impl DescribeArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let mut keys = vec![session.keystore().info(&self.key)?.public_key];
        keys.extend(self.keys);
        let member = describe(self.key.handle, self.name, self.roles, keys, self.scopes)?;
        session.output.report(&Description(member))
    }
}

/// Reads a description: the member itself, or the event that admits it.
fn read(path: &Path) -> Result<AdmitMember, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wrapped {
        admit_member: AdmitMember,
    }
    let failed = |error: io::Error| Failure::io("read", path, &error);
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(failed)?;
    let wrapped = serde_json::from_str::<Wrapped>(&text).map(|wrapped| wrapped.admit_member);
    wrapped.or_else(|_| serde_json::from_str(&text)).map_err(|error| {
        let message = format_args!("{} does not describe a member: {error}", path.display());
        Failure::new(Kind::BadInput, message).hint("`headwater member describe` writes such a file")
    })
}

/// The description of a member: JSON in either format, so that it can be passed on as it is.
#[derive(Serialize)]
#[serde(transparent)]
struct Description(AdmitMember);

impl Report for Description {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.line(serde_json::to_string_pretty(&self.0).map_err(io::Error::other)?)
    }
}
