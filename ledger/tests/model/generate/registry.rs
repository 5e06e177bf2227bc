//! Acts about registrations, use in secure environments and valuations.

use headwater_ledger::event::Event;
use headwater_ledger::event::access::{DecideAccess, RecordUsage, RequestAccess};
use headwater_ledger::event::asset::{
    CancelRegistration, ChangeKind, ChangeRegistration, DecideRegistration, FileRegistration,
    ObjectRegistration, RenewRegistration,
};
use headwater_ledger::event::market::{Decision, RecordValuation, ValuationMethod};
use headwater_ledger::hash::{AccessId, Digest, RegistrationId};
use headwater_ledger::split::Right;

use super::{DAY_MS, Made, Maker, metadata};
use crate::access::{Access, AccessStanding};
use crate::world::{handle, list};

impl Maker {
    fn decision(&mut self) -> Decision {
        if self.random.in_ten(8) { Decision::Accept } else { Decision::Reject }
    }

    /// A filing, or what becomes of one.
    pub(super) fn registry(&mut self) -> Made {
        let (now, usual) = (self.naive.now, self.random.in_ten(9));
        let all = self.naive.registrations.iter();
        let all = all.filter(|(_, r)| !usual || r.in_notice() || r.in_force(now));
        let all: Vec<_> = all.map(|(id, _)| *id).collect();
        if let Some(registration) = self.random.pick(&all)
            && self.random.in_ten(7)
        {
            return self.registered(registration);
        }
        let asset = self.asset()?;
        let by = self.naive.epoch(&asset, Right::Holding).manager.clone();
        let by = self.or_any(by);
        let registry = self.exchange();
        let registry = if self.random.in_ten(9) { registry } else { self.member() };
        let most = self.naive.rulebook.registration_term_ms;
        let term_ms = match self.random.below(8) {
            0 => most,
            1 => most + 1,
            2 => 0,
            _ => 1 + self.random.below(200 * DAY_MS),
        };
        let e = FileRegistration { asset, registry, term_ms };
        self.maybe_approved(&asset, by, Event::FileRegistration(e))
    }

    pub(super) fn registered(&mut self, registration: RegistrationId) -> Made {
        let held = self.naive.registrations[&registration].clone();
        let owner = self.naive.epoch(&held.asset, Right::Holding).manager.clone();
        let registry = self.or_any(held.registry.clone());
        let owner = self.or_any(owner);
        let odd = self.random.below(12) == 0;
        let what =
            if held.in_notice() != odd { self.random.below(4) } else { 4 + self.random.below(4) };
        Some(match what {
            0 => {
                let e = ObjectRegistration { registration, grounds: self.digest() };
                (self.member(), Event::ObjectRegistration(e))
            }
            1 | 2 => {
                let e = DecideRegistration { registration, decision: self.decision() };
                (registry, Event::DecideRegistration(e))
            }
            3 | 4 => {
                let e = CancelRegistration { registration, reason: self.digest() };
                let by = if self.random.in_ten(5) { owner } else { registry };
                (by, Event::CancelRegistration(e))
            }
            5 | 6 => {
                let mut metadata = metadata();
                metadata.sensitivity = self.random.below(7).min(6) as u8;
                let kind = self.random.pick(&[ChangeKind::Amendment, ChangeKind::Correction])?;
                let by = if kind == ChangeKind::Amendment { owner } else { registry };
                let e = ChangeRegistration { registration, kind, metadata };
                (by, Event::ChangeRegistration(e))
            }
            _ => {
                let most = self.naive.rulebook.registration_term_ms;
                let last = (self.naive.now + 2 * most).saturating_sub(held.end);
                let term_ms = match self.random.below(6) {
                    0 => last,
                    1 => last + 1,
                    2 => most,
                    _ => 1 + self.random.below(30 * DAY_MS),
                };
                (registry, Event::RenewRegistration(RenewRegistration { registration, term_ms }))
            }
        })
    }

    /// A request for access, or what becomes of one.
    pub(super) fn access(&mut self) -> Made {
        let (now, usual) = (self.naive.now, self.random.in_ten(9));
        let all = self.naive.accesses.iter();
        let open = |a: &Access| a.until >= now && a.standing != AccessStanding::Refused;
        let all: Vec<_> = all.filter(|(_, a)| !usual || open(a)).map(|(id, _)| *id).collect();
        if let Some(access) = self.random.pick(&all)
            && self.random.in_ten(7)
        {
            return self.used(access);
        }
        let (asset, by) = (self.asset()?, self.member());
        let purposes = self.purposes();
        let not_after_ms = self.naive.now + self.random.below(200) * DAY_MS;
        let not_after_ms = not_after_ms - u64::from(self.random.below(12) == 0);
        let environment = self.member();
        let e = RequestAccess { asset, purposes: list(&purposes), environment, not_after_ms };
        Some((by, Event::RequestAccess(e)))
    }

    pub(super) fn used(&mut self, access: AccessId) -> Made {
        let held = self.naive.accesses[&access].clone();
        if held.standing == AccessStanding::Requested || self.random.below(12) == 0 {
            let by = self.naive.epoch(&held.asset, Right::Processing).manager.clone();
            let e = DecideAccess { access, decision: self.decision() };
            let by = self.or_any(by);
            return self.maybe_approved(&held.asset, by, Event::DecideAccess(e));
        }
        let before: Vec<Digest> = held.jobs.iter().map(|(job, _)| *job).collect();
        let again = self.random.pick(&before).filter(|_| self.random.in_ten(1));
        let job = again.unwrap_or_else(|| self.digest());
        let rows = if self.random.below(9) == 0 { u64::MAX } else { self.random.below(1_000) };
        let output = self.random.in_ten(5).then(|| self.digest());
        let e = RecordUsage { access, job, rows, output };
        Some((self.or_any(held.environment), Event::RecordUsage(e)))
    }

    pub(super) fn valuation(&mut self) -> Made {
        let mut quality = metadata().quality;
        if self.random.below(9) == 0 {
            quality.timeliness = 101;
        }
        let e = RecordValuation {
            asset: self.asset()?,
            method: ValuationMethod::Income,
            value: self.random.below(1_000),
            currency: "CNY".parse().unwrap(),
            quality,
            report: self.digest(),
        };
        Some((self.or_any(handle("fair-appraiser")), Event::RecordValuation(e)))
    }
}
