//! Members in the naive model: admission, roles, suspension, relations, successors.

use headwater_ledger::event::member::{
    AdmitMember, ProposeSuccession, RelateMembers, Role, SetRoles,
};
use headwater_ledger::hash::SuccessionId;
use headwater_ledger::limits::MAX_CHAIN;
use headwater_ledger::reject::Code;
use headwater_ledger::text::Handle;

use crate::grant::distinct;
use crate::keys::scopes_fit;
use crate::naive::{Act, Member, Naive, Succession, Verdict, need};

/// The roles that governance alone gives.
const RESERVED: [Role; 2] = [Role::Exchange, Role::Regulator];

impl Naive {
    pub fn admit(&mut self, act: &Act<'_>, e: &AdmitMember) -> Verdict {
        need(self.has_role(act.author, Role::Exchange), Code::RoleRequired)?;
        need(!e.roles.iter().any(|role| RESERVED.contains(role)), Code::RoleReserved)?;
        need(!self.members.contains_key(&e.handle), Code::HandleTaken)?;
        let keys: Vec<_> = e.keys.iter().map(|k| k.key).collect();
        let complete = !e.roles.is_empty()
            && distinct(&e.roles)
            && !keys.is_empty()
            && distinct(&keys)
            && e.keys.iter().all(|k| scopes_fit(&k.scopes));
        need(complete, Code::MemberIncomplete)?;
        need(!keys.iter().any(|key| self.key_owners.contains_key(key)), Code::KeyInUse)?;
        let member = Member { roles: e.roles.to_vec(), ..Member::default() };
        self.members.insert(e.handle.clone(), member);
        for key in &*e.keys {
            self.give_key(&e.handle, key);
        }
        Ok(())
    }

    pub fn set_roles(&mut self, act: &Act<'_>, e: &SetRoles) -> Verdict {
        need(self.has_role(act.author, Role::Exchange), Code::RoleRequired)?;
        self.known(&e.member)?;
        need(!self.is(act.author, &e.member), Code::NotConcerned)?;
        need(!e.roles.is_empty() && distinct(&e.roles), Code::MemberIncomplete)?;
        let same = |role: &Role| self.has_role(&e.member, *role) == e.roles.contains(role);
        need(RESERVED.iter().all(same), Code::RoleReserved)?;
        self.members.get_mut(&e.member).unwrap().roles = e.roles.to_vec();
        Ok(())
    }

    pub fn suspend(&mut self, act: &Act<'_>, member: &Handle, suspended: bool) -> Verdict {
        need(self.has_role(act.author, Role::Regulator), Code::RoleRequired)?;
        let held = self.members.get(member).ok_or(Code::UnknownMember)?;
        need(act.author != member, Code::NotConcerned)?;
        need(held.successor.is_none(), Code::SuccessionClosed)?;
        need(!self.related(act.author, member), Code::NotIndependent)?;
        let code = if suspended { Code::AlreadySuspended } else { Code::NotSuspended };
        need(held.suspended != suspended, code)?;
        self.members.get_mut(member).unwrap().suspended = suspended;
        Ok(())
    }

    pub fn relate(&mut self, act: &Act<'_>, e: &RelateMembers) -> Verdict {
        self.known(&e.a)?;
        self.known(&e.b)?;
        let (a, b) = (self.succession(&e.a), self.succession(&e.b));
        need(a.last() != b.last(), Code::SameMember)?;
        let own = self.is(act.author, &e.a) || self.is(act.author, &e.b);
        let regulator = self.has_role(act.author, Role::Regulator);
        let watched = [&e.a, &e.b].map(|m| self.has_role(&self.acting(m), Role::Regulator));
        let may = if e.related {
            regulator || own && watched == [false, false]
        } else {
            regulator && !own
        };
        need(may, Code::NotConcerned)?;
        if e.related {
            self.related.insert((self.acting(&e.a), self.acting(&e.b)));
            return Ok(());
        }
        let of = |x: &Handle, y: &Handle| a.contains(x) && b.contains(y);
        self.related.retain(|(x, y)| !of(x, y) && !of(y, x));
        Ok(())
    }

    /// Fails while a member is suspended, as it acts now.
    pub fn not_suspended(&self, member: &Handle) -> Verdict {
        need(!self.members[&self.acting(member)].suspended, Code::PartySuspended)
    }

    /// Fails unless a member, as it acts now, is an exchange that takes new business.
    pub fn takes_business(&self, member: &Handle) -> Verdict {
        need(self.has_role(&self.acting(member), Role::Exchange), Code::NotAnExchange)?;
        self.not_suspended(member)
    }

    pub fn propose_succession(&mut self, act: &Act<'_>, e: &ProposeSuccession) -> Verdict {
        let own = *act.author == e.member;
        need(own || self.has_role(act.author, Role::Regulator), Code::NotConcerned)?;
        self.known(&e.member)?;
        self.known(&e.successor)?;
        let (member, successor) = (e.member.clone(), e.successor.clone());
        let proposer = act.author.clone();
        let signed = (act.signer, self.now);
        let proposed = Succession { member, successor, proposer, signed, accepted: false };
        self.can_succeed(&proposed)?;
        self.successions.insert(SuccessionId::from_digest(act.id), proposed);
        Ok(())
    }

    fn can_succeed(&self, s: &Succession) -> Verdict {
        need(!self.compromised(s.signed), Code::Contested)?;
        if s.proposer != s.member {
            let own_word = [Role::Exchange, Role::Regulator, Role::Auditor];
            let free = own_word.iter().all(|role| !self.has_role(&s.member, *role));
            need(free, Code::NotConcerned)?;
            need(!self.related(&s.proposer, &s.successor), Code::NotIndependent)?;
        }
        let (member, next) = (&self.members[&s.member], &self.members[&s.successor]);
        need(member.successor.is_none(), Code::SuccessionClosed)?;
        let exchanges = [&s.member, &s.successor].map(|m| self.has_role(m, Role::Exchange));
        let fits = s.member != s.successor
            && !member.suspended
            && !next.suspended
            && next.successor.is_none()
            && exchanges != [true, false]
            && self.predecessors(&s.member) < MAX_CHAIN;
        need(fits, Code::SuccessionInvalid)
    }

    /// The longest line of successions that leads to a member.
    fn predecessors(&self, member: &Handle) -> usize {
        let before = self.members.iter().filter(|(_, m)| m.successor.as_ref() == Some(member));
        before.map(|(handle, _)| 1 + self.predecessors(handle)).max().unwrap_or(0)
    }

    pub fn accept_succession(&mut self, act: &Act<'_>, id: &SuccessionId) -> Verdict {
        let held = self.successions.get(id).ok_or(Code::UnknownSuccession)?.clone();
        need(held.successor == *act.author, Code::NotSuccessor)?;
        need(!held.accepted, Code::SuccessionClosed)?;
        self.can_succeed(&held)?;
        self.successions.get_mut(id).unwrap().accepted = true;
        self.members.get_mut(&held.member).unwrap().successor = Some(held.successor);
        Ok(())
    }
}
