//! Governance in the naive model: changes that validators decide, made at their height.

use headwater_ledger::event::governance::{self, ApproveChange, ProposeChange, Rulebook};
use headwater_ledger::event::member::Role;
use headwater_ledger::hash::ChangeId;
use headwater_ledger::limits::{
    MAX_ACTIVATION_AHEAD, MAX_ANCESTRY_EDGES, MAX_INPUTS, MAX_RULEBOOK_MS, MAX_SCHEDULED,
};
use headwater_ledger::reject::Code;
use headwater_ledger::text::Handle;

use crate::grant::distinct;
use crate::naive::{Act, Naive, Signed, Verdict, need, refuse};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeStanding {
    Proposed,
    Scheduled,
    Active,
    Failed,
}

#[derive(Debug, Clone)]
pub struct Change {
    pub change: governance::Change,
    pub at: u64,
    pub approvals: Vec<(Handle, Signed)>,
    pub standing: ChangeStanding,
}

impl Naive {
    /// Makes the changes whose height has come.
    pub fn activate(&mut self) {
        let mut due: Vec<ChangeId> = self.scheduled.clone();
        due.retain(|id| self.changes[id].at <= self.height);
        due.sort_by_key(|id| self.changes[id].at);
        for id in due {
            let change = self.changes[&id].change.clone();
            let mut made = self.clone();
            let stolen = self.changes[&id].approvals.iter().any(|(_, s)| self.compromised(*s));
            let standing = match made.make(&change) {
                Ok(()) if stolen && !self.carried(&id) => ChangeStanding::Failed,
                Ok(()) => {
                    *self = made;
                    ChangeStanding::Active
                }
                Err(_) => ChangeStanding::Failed,
            };
            self.changes.get_mut(&id).unwrap().standing = standing;
            self.scheduled.retain(|other| *other != id);
        }
    }

    fn make(&mut self, change: &governance::Change) -> Verdict {
        use governance::Change as C;
        match change {
            C::SetRulebook(rulebook) => {
                need(within_bounds(rulebook), Code::ChangeInvalid)?;
                self.rulebook = rulebook.clone();
                self.rulebooks += 1;
            }
            C::SetProtocol(version) => {
                let next = *version == self.protocol + 1 && *version <= 2;
                need(next, Code::ChangeInvalid)?;
                self.protocol = *version;
            }
            C::ConferRoles(c) => {
                self.goes_on(&c.member)?;
                need(!c.roles.is_empty() && distinct(&c.roles), Code::ChangeInvalid)?;
                let mut named = self.validators.iter();
                let validates = named.any(|(member, _)| self.acting(member) == c.member);
                let fits = !validates || c.roles.contains(&Role::Exchange);
                need(fits, Code::ChangeInvalid)?;
                self.members.get_mut(&c.member).unwrap().roles = c.roles.to_vec();
            }
            C::RestoreKey(c) => {
                self.goes_on(&c.member)?;
                need(self.may_be_given(&c.member), Code::ChangeInvalid)?;
                self.key_fits(&c.member, &c.key).map_err(|_| Code::ChangeInvalid)?;
                self.give_key(&c.member, &c.key);
            }
            C::SetValidator(_) => panic!("the model has one set of validators"),
        }
        Ok(())
    }

    /// A member that a change names is there and has no successor.
    fn goes_on(&self, member: &Handle) -> Verdict {
        let goes_on = self.members.get(member).is_some_and(|m| m.successor.is_none());
        need(goes_on, Code::ChangeInvalid)
    }

    fn validates(&self, act: &Act<'_>) -> Verdict {
        let runs = self.validators.iter().any(|(member, _)| self.acting(member) == *act.author);
        need(runs, Code::NotValidator)
    }

    pub fn propose_change(&mut self, act: &Act<'_>, id: ChangeId, e: &ProposeChange) -> Verdict {
        self.validates(act)?;
        let ahead = self.height < e.activate_height
            && e.activate_height <= self.height + MAX_ACTIVATION_AHEAD;
        need(ahead, Code::ActivationOutOfRange)?;
        self.clone().make(&e.change)?;
        let change = Change {
            change: e.change.clone(),
            at: e.activate_height,
            approvals: vec![(act.author.clone(), (act.signer, self.now))],
            standing: ChangeStanding::Proposed,
        };
        self.changes.insert(id, change);
        self.count(&id)
    }

    pub fn approve_change(&mut self, act: &Act<'_>, e: &ApproveChange) -> Verdict {
        self.validates(act)?;
        let held = self.changes.get(&e.change).ok_or(Code::UnknownChange)?.clone();
        let open = held.standing == ChangeStanding::Proposed && self.height < held.at;
        need(open, Code::ChangeClosed)?;
        let mut again = held.approvals.iter().filter(|(by, _)| by == act.author);
        need(again.all(|(_, s)| self.compromised(*s)), Code::AlreadyApproved)?;
        self.clone().make(&held.change)?;
        let signed = (act.signer, self.now);
        let approvals = &mut self.changes.get_mut(&e.change).unwrap().approvals;
        match approvals.iter_mut().find(|(by, _)| by == act.author) {
            Some(fallen) => fallen.1 = signed,
            None => approvals.push((act.author.clone(), signed)),
        }
        self.count(&e.change)
    }

    /// Schedules a change that more than two thirds of the power have approved.
    fn count(&mut self, id: &ChangeId) -> Verdict {
        if !self.carried(id) {
            return Ok(());
        }
        if self.scheduled.len() >= MAX_SCHEDULED {
            return refuse(Code::ScheduleFull);
        }
        self.changes.get_mut(id).unwrap().standing = ChangeStanding::Scheduled;
        self.scheduled.push(*id);
        Ok(())
    }

    /// Whether more than two thirds of the power have approved a change.
    fn carried(&self, id: &ChangeId) -> bool {
        let good = |(_, signed): &&(Handle, Signed)| !self.compromised(*signed);
        let for_it: Vec<&Handle> =
            self.changes[id].approvals.iter().filter(good).map(|(by, _)| by).collect();
        let (mut with, mut all) = (0u128, 0u128);
        for (member, power) in &self.validators {
            all += u128::from(*power);
            if self.succession(member).iter().any(|of| for_it.contains(&of)) {
                with += u128::from(*power);
            }
        }
        3 * with > 2 * all
    }
}

fn within_bounds(r: &Rulebook) -> bool {
    let times = [
        r.deemed_delivery_ms,
        r.cooling_ms,
        r.max_freeze_ms,
        r.appeal_ms,
        r.notice_ms,
        r.registration_term_ms,
        r.replacement_ms,
        r.compromise_lookback_ms,
        r.contest_ms,
    ];
    r.fee_cap_bp <= 10_000
        && (1..=MAX_INPUTS).contains(&(r.max_inputs as usize))
        && (1..=MAX_ANCESTRY_EDGES).contains(&(r.max_ancestry_edges as usize))
        && times.iter().all(|ms| *ms <= MAX_RULEBOOK_MS)
        && distinct(&r.two_keys)
}
