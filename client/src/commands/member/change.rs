//! `headwater member`: roles, keys, relations and succession of members that are there already.

use clap::Args;
use headwater_ledger::event::member::{MemberKey, Role, TwoKeyAct};
use headwater_ledger::event::{
    AddKey, Event, ProposeSuccession, RelateMembers, RevokeKey, Scope, SetRoles, SetTwoKeys,
};
use headwater_ledger::keys::PublicKey;
use headwater_ledger::text::Handle;

use super::ScopeArgs;
use crate::build::{Acting, ActingArgs};
use crate::failure::Failure;
use crate::session::Session;
use crate::value::choice;
use crate::value::moment::Moment;

/// Arguments of `headwater member set-roles`.
#[derive(Debug, Args)]
pub struct SetRolesArgs {
    /// The member
    handle: Handle,
    /// Role from then on: exchange, holder, processor, operator, buyer, appraiser, regulator,
    /// auditor
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',', value_parser = choice::parse::<Role>)]
    #[arg(required = true)]
    roles: Vec<Role>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater member add-key`.
#[derive(Debug, Args)]
pub struct AddKeyArgs {
    /// The public key
    key: PublicKey,
    /// Key of yours that ends in the same envelope: a rotation, for which the old key alone signs
    #[arg(long, value_name = "KEY")]
    in_place_of: Option<PublicKey>,
    #[command(flatten)]
    scopes: ScopeArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater member revoke-key`.
#[derive(Debug, Args)]
pub struct RevokeKeyArgs {
    /// The public key
    key: PublicKey,
    /// Whose key it is [default: the member who acts]
    #[arg(long, value_name = "HANDLE")]
    of: Option<Handle>,
    /// Since when it was in other hands: assets, grants and rights that it signed away from then on,
    /// alone or as the first of several, serve for nothing new until a ruling; what it approved, voted
    /// for or attested does not count
    #[arg(long, value_name = "TIME")]
    compromised_since: Option<Moment>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater member two-keys`.
#[derive(Debug, Args)]
pub struct TwoKeysArgs {
    /// Acts that two keys must sign: money, transfers, rulings
    #[arg(long = "for", value_name = "ACT", value_delimiter = ',', value_parser = choice::parse::<TwoKeyAct>)]
    #[arg(required_unless_present = "none")]
    acts: Vec<TwoKeyAct>,
    /// None, but for what the rulebook says of everybody
    #[arg(long, conflicts_with = "acts")]
    none: bool,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater member relate`.
#[derive(Debug, Args)]
pub struct RelateArgs {
    /// One member
    a: Handle,
    /// The other
    b: Handle,
    /// They no longer belong together
    #[arg(long)]
    no_longer: bool,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater member succeed`.
#[derive(Debug, Args)]
pub struct SucceedArgs {
    /// The member that ends
    member: Handle,
    /// Who acts for it from then on
    #[arg(long, value_name = "HANDLE")]
    by: Handle,
    #[command(flatten)]
    acting: ActingArgs,
}

impl SetRolesArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let roles = choice::list(self.roles, "roles")?;
        let event = Event::SetRoles(SetRoles { member: self.handle, roles });
        Acting::begin(session, &self.acting)?.act(event)
    }
}

/// A key and what it may sign; everything unless told otherwise.
pub fn member_key(key: PublicKey, scopes: ScopeArgs) -> Result<MemberKey, Failure> {
    let scopes = if scopes.scopes.is_empty() { Scope::ALL.to_vec() } else { scopes.scopes };
    Ok(MemberKey { key, scopes: choice::list(scopes, "scopes")? })
}

impl AddKeyArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let key = member_key(self.key, self.scopes)?;
        let acting = Acting::begin(session, &self.acting)?;
        let mut events = vec![Event::AddKey(AddKey { key })];
        if let Some(key) = self.in_place_of {
            let (member, compromised_since_ms) = (acting.author().clone(), None);
            events.push(Event::RevokeKey(RevokeKey { member, key, compromised_since_ms }));
        }
        acting.act_all(events, None)
    }
}

impl RevokeKeyArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let member = self.of.unwrap_or_else(|| acting.author().clone());
        let compromised_since_ms = self.compromised_since.map(Moment::begin_ms);
        acting.act(Event::RevokeKey(RevokeKey { member, key: self.key, compromised_since_ms }))
    }
}

impl TwoKeysArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let acts = choice::list(self.acts, "acts")?;
        Acting::begin(session, &self.acting)?.act(Event::SetTwoKeys(SetTwoKeys { acts }))
    }
}

impl RelateArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let event = RelateMembers { a: self.a, b: self.b, related: !self.no_longer };
        Acting::begin(session, &self.acting)?.act(Event::RelateMembers(event))
    }
}

impl SucceedArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let event = ProposeSuccession { member: self.member, successor: self.by };
        Acting::begin(session, &self.acting)?.act(Event::ProposeSuccession(event))
    }
}
