//! The register of rights in the naive model.

use headwater_ledger::event::asset::{
    CancelRegistration, ChangeKind, ChangeRegistration, DecideRegistration, FileRegistration,
    Metadata, ObjectRegistration, RenewRegistration,
};
use headwater_ledger::event::market::Decision;
use headwater_ledger::hash::{AssetId, RegistrationId};
use headwater_ledger::limits::MAX_OBJECTIONS;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use crate::asset::in_ranges;
use crate::naive::{Act, Naive, Verdict, need, refuse};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filing {
    Notice,
    Registered,
    Rejected,
    Cancelled,
}

#[derive(Debug, Clone)]
pub struct Registration {
    pub asset: AssetId,
    pub registry: Handle,
    pub applicant: Handle,
    pub standing: Filing,
    pub notice_until: u64,
    pub term: u64,
    pub end: u64,
    pub objections: Vec<Handle>,
    pub metadata: Metadata,
    pub changes: u32,
}

impl Registration {
    pub fn in_notice(&self) -> bool {
        self.standing == Filing::Notice
    }

    pub fn in_force(&self, now: u64) -> bool {
        self.standing == Filing::Registered && now <= self.end
    }
}

impl Naive {
    /// The registration of an asset that is not over.
    pub fn registered_as(&self, asset: &AssetId) -> Option<RegistrationId> {
        let of = self.registrations.iter().filter(|(_, r)| r.asset == *asset);
        let mut open = of.filter(|(_, r)| r.in_notice() || r.in_force(self.now));
        open.next().map(|(id, _)| *id)
    }

    fn registration(&self, id: &RegistrationId) -> Result<Registration, Code> {
        self.registrations.get(id).cloned().ok_or(Code::UnknownRegistration)
    }

    fn term_fits(&self, term: u64) -> Verdict {
        need(1 <= term && term <= self.rulebook.registration_term_ms, Code::TermOutOfRange)
    }

    fn keeps(&self, act: &Act<'_>, held: &Registration) -> Verdict {
        need(self.is(act.author, &held.registry), Code::NotRegistry)
    }

    fn stands_now(&self, held: &Registration) -> Verdict {
        need(!held.in_notice(), Code::RegistrationNotInForce)?;
        need(held.in_force(self.now), Code::RegistrationClosed)
    }

    /// A registry neither made what it registers nor holds a part of it, nor belongs with who does.
    fn registers_for_others(&self, registry: &Handle, asset: &AssetId) -> Verdict {
        need(!self.related(registry, &self.assets[asset].author), Code::NotIndependent)?;
        self.apart_from_owners(registry, asset)
    }

    pub fn file_registration(
        &mut self,
        act: &Act<'_>,
        id: RegistrationId,
        e: &FileRegistration,
    ) -> Verdict {
        let asset = self.in_force(&e.asset)?.clone();
        self.acts_for(act, &e.asset, Right::Holding)?;
        self.known(&e.registry)?;
        self.takes_business(&e.registry)?;
        need(!self.related(act.author, &e.registry), Code::NotIndependent)?;
        self.registers_for_others(&e.registry, &e.asset)?;
        self.term_fits(e.term_ms)?;
        need(self.registered_as(&e.asset).is_none(), Code::AlreadyRegistered)?;
        let registration = Registration {
            asset: e.asset,
            registry: e.registry.clone(),
            applicant: act.author.clone(),
            standing: Filing::Notice,
            notice_until: self.now + self.rulebook.notice_ms,
            term: e.term_ms,
            end: 0,
            objections: Vec::new(),
            metadata: asset.metadata,
            changes: 0,
        };
        self.registrations.insert(id, registration);
        Ok(())
    }

    pub fn object_registration(&mut self, act: &Act<'_>, e: &ObjectRegistration) -> Verdict {
        let held = self.registration(&e.registration)?;
        need(!self.is(act.author, &held.applicant), Code::NotConcerned)?;
        if matches!(held.standing, Filing::Rejected | Filing::Cancelled) {
            return refuse(Code::RegistrationClosed);
        }
        need(held.in_notice() && self.now <= held.notice_until, Code::NoticeOver)?;
        need(!held.objections.contains(act.author), Code::AlreadyObjected)?;
        need(held.objections.len() < MAX_OBJECTIONS, Code::OverLimit)?;
        let held = self.registrations.get_mut(&e.registration).unwrap();
        held.objections.push(act.author.clone());
        Ok(())
    }

    pub fn decide_registration(&mut self, act: &Act<'_>, e: &DecideRegistration) -> Verdict {
        let held = self.registration(&e.registration)?;
        self.keeps(act, &held)?;
        need(held.in_notice(), Code::RegistrationClosed)?;
        need(self.now > held.notice_until, Code::NoticeNotOver)?;
        let mut standing = Filing::Rejected;
        if e.decision == Decision::Accept {
            let asset = self.in_force(&held.asset)?;
            self.takes_business(&held.registry)?;
            self.not_suspended(&held.applicant)?;
            self.registers_for_others(act.author, &held.asset)?;
            need(!self.contested(asset), Code::Contested)?;
            standing = Filing::Registered;
        }
        let end = self.now + held.term;
        let held = self.registrations.get_mut(&e.registration).unwrap();
        held.standing = standing;
        held.end = if standing == Filing::Registered { end } else { 0 };
        Ok(())
    }

    pub fn change_registration(&mut self, act: &Act<'_>, e: &ChangeRegistration) -> Verdict {
        let held = self.registration(&e.registration)?;
        self.in_force(&held.asset)?;
        match e.kind {
            ChangeKind::Amendment => self.acts_for(act, &held.asset, Right::Holding)?,
            ChangeKind::Correction => self.keeps(act, &held)?,
        }
        self.stands_now(&held)?;
        need(in_ranges(&e.metadata), Code::OutOfRange)?;
        let held = self.registrations.get_mut(&e.registration).unwrap();
        held.metadata = e.metadata.clone();
        held.changes += 1;
        Ok(())
    }

    pub fn renew_registration(&mut self, act: &Act<'_>, e: &RenewRegistration) -> Verdict {
        let held = self.registration(&e.registration)?;
        self.keeps(act, &held)?;
        let asset = self.in_force(&held.asset)?;
        self.stands_now(&held)?;
        self.takes_business(&held.registry)?;
        self.registers_for_others(act.author, &held.asset)?;
        need(!self.contested(asset), Code::Contested)?;
        self.term_fits(e.term_ms)?;
        let end = held.end + e.term_ms;
        let latest = self.now + 2 * self.rulebook.registration_term_ms;
        need(end <= latest, Code::TermOutOfRange)?;
        self.registrations.get_mut(&e.registration).unwrap().end = end;
        Ok(())
    }

    pub fn cancel_registration(&mut self, act: &Act<'_>, e: &CancelRegistration) -> Verdict {
        let held = self.registration(&e.registration)?;
        if self.keeps(act, &held).is_err() {
            self.disposes(act, &held.asset, Right::Holding)?;
        }
        need(held.in_notice() || held.in_force(self.now), Code::RegistrationClosed)?;
        let held = self.registrations.get_mut(&e.registration).unwrap();
        held.standing = Filing::Cancelled;
        Ok(())
    }
}
