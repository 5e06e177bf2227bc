//! Use in secure environments in the naive model.

use headwater_ledger::event::access::{DecideAccess, RecordUsage, RequestAccess};
use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::market::Decision;
use headwater_ledger::event::rights::{Exclusivity, GrantRight};
use headwater_ledger::hash::{AccessId, AssetId, Digest, GrantId};
use headwater_ledger::limits::MAX_ACCESS_MS;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use crate::grant::distinct;
use crate::naive::{Act, Naive, Verdict, all_allowed, need, purposes_meet};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessStanding {
    Requested,
    Granted,
    Refused,
    Ended,
}

#[derive(Debug, Clone)]
pub struct Access {
    pub asset: AssetId,
    pub by: Handle,
    pub purposes: Vec<Purpose>,
    pub environment: Handle,
    pub until: u64,
    pub standing: AccessStanding,
    /// The jobs logged, with the rows that they read.
    pub jobs: Vec<(Digest, u64)>,
}

impl Naive {
    pub fn request_access(&mut self, act: &Act<'_>, id: AccessId, e: &RequestAccess) -> Verdict {
        self.in_force(&e.asset)?;
        self.usable(&e.asset)?;
        need(!e.purposes.is_empty() && distinct(&e.purposes), Code::PurposesEmpty)?;
        self.inherited(&e.asset, &e.purposes, &[])?;
        self.not_given_alone(act.author, &e.asset, &e.purposes)?;
        self.known(&e.environment)?;
        need(!self.is(act.author, &e.environment), Code::NotIndependent)?;
        let in_range = e.not_after_ms >= self.now && e.not_after_ms <= self.now + MAX_ACCESS_MS;
        need(in_range, Code::TermOutOfRange)?;
        let access = Access {
            asset: e.asset,
            by: act.author.clone(),
            purposes: e.purposes.to_vec(),
            environment: e.environment.clone(),
            until: e.not_after_ms,
            standing: AccessStanding::Requested,
            jobs: Vec::new(),
        };
        self.accesses.insert(id, access);
        Ok(())
    }

    /// Fails when somebody else alone was given the processing of an asset for one of the purposes:
    /// neither a sub-licence of that is his, nor, when it is sole, the right or a grant above it.
    fn not_given_alone(&self, by: &Handle, asset: &AssetId, purposes: &[Purpose]) -> Verdict {
        let owner = self.acts_alone(by, asset, Right::Processing)?;
        let his = |g: &GrantId| self.acting(&self.grants[g].grantee) == self.acting(by);
        let given = self.all_live(GrantRight::Processing).any(|(id, g)| {
            let gives = owner || self.chain(id).iter().skip(1).any(his);
            let excludes = match g.terms.exclusivity {
                Exclusivity::None => false,
                Exclusivity::Sole => !gives,
                Exclusivity::Exclusive => true,
            };
            let below = self.all_live(GrantRight::Processing).any(|(sub, s)| {
                sub != id
                    && self.chain(sub).contains(&id)
                    && his(&sub)
                    && s.terms.not_before_ms <= self.now
                    && all_allowed(purposes, &s.terms.purposes)
            });
            excludes
                && self.covers_asset(g, asset)
                && g.terms.not_before_ms <= self.now
                && purposes_meet(purposes, &g.terms.purposes)
                && !his(&id)
                && (gives || !below)
        });
        need(!given, Code::ReservedToGrantee)
    }

    pub fn decide_access(&mut self, act: &Act<'_>, e: &DecideAccess) -> Verdict {
        let held = self.accesses.get(&e.access).ok_or(Code::UnknownAccess)?.clone();
        let asked = held.standing == AccessStanding::Requested;
        if asked && e.decision == Decision::Reject {
            self.acts_for(act, &held.asset, Right::Processing)?;
        } else {
            self.disposes(act, &held.asset, Right::Processing)?;
        }
        let runs = held.standing == AccessStanding::Granted && self.now <= held.until;
        need(asked || runs && e.decision == Decision::Reject, Code::AccessClosed)?;
        let mut standing = if asked { AccessStanding::Refused } else { AccessStanding::Ended };
        if e.decision == Decision::Accept {
            need(self.now <= held.until, Code::AccessClosed)?;
            self.in_force(&held.asset)?;
            self.usable(&held.asset)?;
            self.not_suspended(&held.by)?;
            need(self.acting(&held.by) != self.acting(&held.environment), Code::NotIndependent)?;
            self.not_given_alone(&held.by, &held.asset, &held.purposes)?;
            standing = AccessStanding::Granted;
        }
        self.accesses.get_mut(&e.access).unwrap().standing = standing;
        Ok(())
    }

    pub fn record_usage(&mut self, act: &Act<'_>, e: &RecordUsage) -> Verdict {
        let held = self.accesses.get(&e.access).ok_or(Code::UnknownAccess)?.clone();
        need(self.is(act.author, &held.environment), Code::NotEnvironment)?;
        let open = held.standing == AccessStanding::Granted && self.now <= held.until;
        need(open, Code::AccessNotInForce)?;
        let suspended = self.members[&self.acting(&held.by)].suspended;
        need(!suspended, Code::AccessNotInForce)?;
        self.in_force(&held.asset)?;
        self.usable(&held.asset)?;
        need(held.jobs.iter().all(|(job, _)| *job != e.job), Code::JobRepeated)?;
        if let Some(output) = e.output {
            self.outputs.entry(output).or_insert(held.by);
        }
        self.accesses.get_mut(&e.access).unwrap().jobs.push((e.job, e.rows));
        Ok(())
    }
}
