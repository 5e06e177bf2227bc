//! Who signs; acts about keys, members and governance.

use headwater_ledger::event::Event;
use headwater_ledger::event::governance::{
    ApproveChange, Change, ConferRoles, ProposeChange, RestoreKey, Rulebook,
};
use headwater_ledger::event::member::{
    AddKey, AdmitMember, MemberKey, RevokeKey, Role, Scope, SetRoles, SetTwoKeys, TwoKeyAct,
};
use headwater_ledger::text::Handle;

use super::{Made, Maker};
use crate::governance::ChangeStanding;
use crate::world::{KEYS, MEMBERS, NEWCOMER, handle, key, list};

const ACTS: [TwoKeyAct; 3] = [TwoKeyAct::Money, TwoKeyAct::Transfers, TwoKeyAct::Rulings];
const ROLES: [Role; 8] = [
    Role::Exchange,
    Role::Holder,
    Role::Processor,
    Role::Operator,
    Role::Buyer,
    Role::Appraiser,
    Role::Regulator,
    Role::Auditor,
];

impl Maker {
    /// Each of some things or not.
    fn some<T: Clone>(&mut self, of: &[T], in_ten: u64) -> Vec<T> {
        of.iter().filter(|_| self.random.in_ten(in_ten)).cloned().collect()
    }

    /// The keys that sign an event: mostly those that may and must.
    pub(super) fn signing(&mut self, author: &Handle, event: &Event) -> Vec<&'static str> {
        let held = self.naive.members.get(author).map(|m| m.keys.clone()).unwrap_or_default();
        if self.random.below(40) == 0 {
            let any = self.some(&KEYS, 4);
            return if any.is_empty() { vec!["main"] } else { any };
        }
        let may =
            |name: &&&str| held.get(&key(author, name)).is_some_and(|s| s.contains(&event.scope()));
        let able: Vec<&'static str> = KEYS.iter().filter(may).copied().collect();
        let two = self.naive.members.contains_key(author) && self.naive.needs_two(author, event);
        match able.len() {
            0 => vec!["main"],
            1 => able,
            _ if two != (self.random.below(20) == 0) => able[..2].to_vec(),
            _ if self.random.in_ten(7) => able[..1].to_vec(),
            n => vec![able[self.random.below(n as u64) as usize]],
        }
    }

    fn scopes(&mut self) -> Vec<Scope> {
        if self.random.in_ten(5) { Scope::ALL.to_vec() } else { self.some(&Scope::ALL, 5) }
    }

    fn new_key(&mut self, of: &Handle) -> MemberKey {
        let from = if self.random.in_ten(9) { &KEYS[3..] } else { &KEYS[..] };
        let name = from[self.random.below(from.len() as u64) as usize];
        MemberKey { key: key(of, name), scopes: list(&self.scopes()) }
    }

    pub(super) fn keys(&mut self) -> Made {
        let member = self.member();
        match self.random.below(10) {
            0 | 1 => {
                let e = AddKey { key: self.new_key(&member) };
                Some((member, Event::AddKey(e)))
            }
            2..=4 => self.revoke_key(member),
            5 | 6 => {
                let mut acts = self.some(&ACTS, 3);
                if self.random.below(20) == 0 {
                    acts = vec![TwoKeyAct::Money, TwoKeyAct::Money];
                }
                Some((member, Event::SetTwoKeys(SetTwoKeys { acts: list(&acts) })))
            }
            7 => self.admit(),
            _ => {
                let roles = &ROLES[if self.random.in_ten(8) { 1..6 } else { 0..8 }];
                let mut roles = self.some(roles, 5);
                let reserved = [Role::Exchange, Role::Regulator];
                let held = &self.naive.members[&member].roles;
                roles.extend(reserved.iter().filter(|r| held.contains(r)));
                roles.truncate(8);
                let e = SetRoles { member, roles: list(&roles) };
                let by = self.exchange();
                Some((self.or_any(by), Event::SetRoles(e)))
            }
        }
    }

    /// A key ends, sometimes because it was in other hands when something was signed.
    fn revoke_key(&mut self, member: Handle) -> Made {
        let held: Vec<_> = self.naive.members[&member].keys.keys().copied().collect();
        let (asset, grant) = (self.naive.assets.values(), self.naive.grants.values());
        let offer = self.naive.offers.values().map(|o| o.signed);
        let signed = asset.map(|a| a.signed).chain(grant.map(|g| g.signed)).chain(offer);
        let signed: Vec<_> = signed.filter(|(by, _)| held.contains(by)).collect();
        let lookback = self.naive.rulebook.compromise_lookback_ms;
        let earliest = self.naive.now.saturating_sub(lookback);
        let (revoked, since) = match (self.random.pick(&signed), self.random.below(8)) {
            (Some((by, at)), 0..=4) => (by, Some((at + self.random.below(2)).max(earliest))),
            (_, 5) => (self.random.pick(&held)?, Some(earliest)),
            (_, 6) => (self.random.pick(&held)?, Some(earliest.saturating_sub(1))),
            (_, 7) => (key(&member, "second"), Some(self.naive.now + self.random.below(2))),
            _ => (key(&member, "desk"), None),
        };
        // Whoever has no other goes on by governance only.
        if held.len() < 2 && self.random.in_ten(8) {
            return None;
        }
        let by = if self.random.in_ten(6) { member.clone() } else { self.regulator() };
        let e = RevokeKey { member, key: revoked, compromised_since_ms: since };
        Some((by, Event::RevokeKey(e)))
    }

    fn admit(&mut self) -> Made {
        let handle_text = if self.random.in_ten(8) { NEWCOMER } else { "clean-lab" };
        let member = handle(handle_text);
        let roles = &ROLES[if self.random.in_ten(8) { 1..6 } else { 0..8 }];
        let roles = self.some(roles, 5);
        let keys = ["main", "second"]
            .map(|name| MemberKey { key: key(&member, name), scopes: list(&Scope::ALL) });
        let name = "Late Clinic".parse().unwrap();
        let e = AdmitMember { handle: member, name, roles: list(&roles), keys: list(&keys) };
        let by = self.exchange();
        Some((self.or_any(by), Event::AdmitMember(e)))
    }

    fn rulebook(&mut self) -> Rulebook {
        let mut r = Rulebook::standard();
        r.fee_cap_bp = self.random.pick(&[0, 500, 3_000, 3_000, 10_000, 10_001]).unwrap();
        if self.random.in_ten(3) {
            r.max_inputs = self.random.below(4) as u32;
            r.max_ancestry_edges = 1 + self.random.below(6) as u32;
        }
        let times = [
            &mut r.deemed_delivery_ms,
            &mut r.cooling_ms,
            &mut r.max_freeze_ms,
            &mut r.appeal_ms,
            &mut r.notice_ms,
            &mut r.registration_term_ms,
            &mut r.replacement_ms,
            &mut r.compromise_lookback_ms,
            &mut r.contest_ms,
        ];
        for ms in times {
            *ms = match self.random.below(60) {
                0 => 0,
                1 => 400_000_000_000,
                2..=19 => *ms / 8,
                20..=29 => *ms * 2,
                _ => *ms,
            };
        }
        r.require_compliance = self.random.in_ten(2);
        r.two_keys = list(&self.some(&ACTS, 2));
        r
    }

    pub(super) fn governance(&mut self) -> Made {
        let validators = ["gz-exchange", "bj-exchange"].map(handle);
        let by = self.random.pick(&validators)?;
        let by = self.or_any(by);
        let all = self.naive.changes.iter();
        let open: Vec<_> = all
            .filter(|(_, c)| c.standing == ChangeStanding::Proposed)
            .filter(|(_, c)| c.at > self.naive.height)
            .map(|(id, c)| (*id, c.approvals[0].0.clone()))
            .collect();
        if let Some((change, proposer)) = self.random.pick(&open)
            && self.random.in_ten(7)
        {
            let other = validators.into_iter().find(|v| *v != proposer);
            let by = if self.random.in_ten(8) { self.or_any(other?) } else { by };
            return Some((by, Event::ApproveChange(ApproveChange { change })));
        }
        let member = if self.random.in_ten(8) { handle(MEMBERS[3].0) } else { self.member() };
        let change = match self.random.below(10) {
            0 => Change::SetProtocol(self.random.below(2) as u32 + 2),
            1 => {
                let vital = ["gz-exchange", "health-regulator", "data-regulator"];
                let roles = self.some(&ROLES, 4);
                if vital.contains(&member.as_str()) {
                    return None;
                }
                Change::ConferRoles(ConferRoles { member, roles: list(&roles) })
            }
            2 | 3 => {
                let member = self.keyless().unwrap_or(member);
                let key = self.new_key(&member);
                Change::RestoreKey(RestoreKey { member, key })
            }
            _ => Change::SetRulebook(self.rulebook()),
        };
        let activate_height = self.naive.height + self.random.below(14);
        Some((by, Event::ProposeChange(ProposeChange { change, activate_height })))
    }

    /// A member that has lost its keys.
    fn keyless(&mut self) -> Option<Handle> {
        let all = self.naive.members.iter().filter(|(_, m)| m.keys.is_empty());
        let all: Vec<Handle> = all.map(|(member, _)| member.clone()).collect();
        self.random.pick(&all)
    }
}
