//! Short constructors for what members and validators do among themselves.

use headwater_ledger::event::governance::{
    Change, ConferRoles, RestoreKey, Rulebook, SetValidator,
};
use headwater_ledger::event::member::{MemberKey, Role, Scope};
use headwater_ledger::event::{
    AcceptSuccession, AddKey, ApproveChange, Event, ProposeChange, ProposeSuccession,
    RelateMembers, RevokeKey, SetRoles, SetTwoKeys, TwoKeyAct,
};
use headwater_ledger::hash::{ChangeId, SuccessionId};

use super::{Act, BJ, GZ, Recorded, World, handle, key, list};

macro_rules! acts {
    ($($name:ident)*) => {
        $(impl Act for $name {
            fn event(self) -> Event {
                Event::$name(self)
            }
        })*
    };
}

acts! {
    SetRoles AddKey RevokeKey SetTwoKeys RelateMembers ProposeSuccession AcceptSuccession
    ProposeChange ApproveChange
}

pub fn set_roles(member: &str, roles: &[Role]) -> SetRoles {
    SetRoles { member: handle(member), roles: list(roles) }
}

/// The key with this name, for these scopes.
pub fn member_key(name: &str, scopes: &[Scope]) -> MemberKey {
    MemberKey { key: key(name).public_key(), scopes: list(scopes) }
}

pub fn add_key(name: &str, scopes: &[Scope]) -> AddKey {
    AddKey { key: member_key(name, scopes) }
}

/// The end of the key with this name.
pub fn revoke_key(member: &str, name: &str) -> RevokeKey {
    RevokeKey { member: handle(member), key: key(name).public_key(), compromised_since_ms: None }
}

pub fn two_keys(acts: &[TwoKeyAct]) -> SetTwoKeys {
    SetTwoKeys { acts: list(acts) }
}

pub fn relate(a: &str, b: &str, related: bool) -> RelateMembers {
    RelateMembers { a: handle(a), b: handle(b), related }
}

pub fn succession(member: &str, successor: &str) -> ProposeSuccession {
    ProposeSuccession { member: handle(member), successor: handle(successor) }
}

pub fn accept_succession(succession: SuccessionId) -> AcceptSuccession {
    AcceptSuccession { succession }
}

pub fn change(change: Change, activate_height: u64) -> ProposeChange {
    ProposeChange { change, activate_height }
}

pub fn approve(change: ChangeId) -> ApproveChange {
    ApproveChange { change }
}

/// The validator with the consensus key of this name.
pub fn set_validator(member: &str, key_name: &str, power: u64) -> Change {
    let key = key(key_name).public_key();
    Change::SetValidator(SetValidator { member: handle(member), key, power })
}

pub fn confer(member: &str, roles: &[Role]) -> Change {
    Change::ConferRoles(ConferRoles { member: handle(member), roles: list(roles) })
}

pub fn restore(member: &str, key: MemberKey) -> Change {
    Change::RestoreKey(RestoreKey { member: handle(member), key })
}

/// The standard rulebook with something else in it.
pub fn rulebook(vary: impl FnOnce(&mut Rulebook)) -> Change {
    let mut rulebook = Rulebook::standard();
    vary(&mut rulebook);
    Change::SetRulebook(rulebook)
}

impl Recorded {
    pub fn succession(&self) -> SuccessionId {
        SuccessionId::from_digest(self.first())
    }
    pub fn change(&self) -> ChangeId {
        ChangeId::from_digest(self.first())
    }
}

impl World {
    /// The member has named its successor, who has accepted.
    pub fn succeed(&mut self, member: &str, successor: &str) {
        let id = self.record(member, succession(member, successor)).succession();
        self.record(successor, accept_succession(id));
    }

    /// Both validators have approved a change for the height that comes after.
    pub fn decide(&mut self, what: Change) -> ChangeId {
        let id = self.record(GZ, change(what, self.height + 3)).change();
        self.record(BJ, approve(id));
        id
    }
}
