//! Disputes in the naive model: marks, holds, rulings, appeals.

use std::collections::{BTreeMap, BTreeSet};

use headwater_ledger::event::dispute::{
    AppealRuling, FileEvidence, OpenDispute, OrderFreeze, Redirect, RuleDispute, Ruling, Slice,
    Subject,
};
use headwater_ledger::event::market::{ContestPayout, ProvedClaim};
use headwater_ledger::event::member::Role;
use headwater_ledger::hash::{
    AccountId, AssetId, ContractId, DisputeId, GrantId, PaymentId, PayoutId,
};
use headwater_ledger::limits::MAX_HOLDS;
use headwater_ledger::payment::account_id;
use headwater_ledger::reject::Code;
use headwater_ledger::text::Handle;

use crate::naive::{
    Act, ContractStanding, Dispute, DisputeStanding, Epoch, Given, Hold, Line, Naive,
    PayoutStanding, Standing, Verdict, need, refuse,
};

impl Naive {
    pub fn open_dispute(&mut self, act: &Act<'_>, e: &OpenDispute) -> Verdict {
        self.open_about(act, &e.subject)
    }

    fn open_about(&mut self, act: &Act<'_>, subject: &Subject) -> Verdict {
        let id = DisputeId::from_digest(act.id);
        let respondents = self.concerned(act, subject)?;
        if let Subject::Share(slice) = subject {
            let line = line_of(slice);
            let new = self.held_once.insert((line, act.author.clone()));
            need(new, Code::HeldAlready)?;
            self.hold(slice, id, self.now + self.rulebook.cooling_ms)?;
        }
        let dispute = Dispute {
            subject: subject.clone(),
            opener: act.author.clone(),
            respondents: respondents.into_iter().filter(|r| r != act.author).collect(),
            standing: DisputeStanding::Open,
            rulings: Vec::new(),
        };
        self.disputes.insert(id, dispute);
        Ok(())
    }

    fn hold(&mut self, slice: &Slice, dispute: DisputeId, until: u64) -> Verdict {
        let now = self.now;
        self.holds.retain(|h| h.dispute != dispute && h.until >= now);
        let (asset, right) = (slice.asset, slice.right);
        let same = self.holds.iter().filter(|h| (h.asset, h.right) == (asset, right)).count();
        need(same < MAX_HOLDS, Code::HoldsFull)?;
        let (owner, parts) = (slice.owner.clone(), slice.parts);
        self.holds.push(Hold { dispute, asset, right, owner, parts, until });
        Ok(())
    }

    /// Whom a subject concerns, as they act now.
    fn concerned(&self, act: &Act<'_>, subject: &Subject) -> Result<BTreeSet<Handle>, Code> {
        let parties = |id: &ContractId| -> Result<Vec<Handle>, Code> {
            let c = self.contract(id)?;
            Ok(vec![c.seller, c.buyer, c.exchange])
        };
        let (concerned, closed) = match subject {
            Subject::Asset(id) => (vec![self.asset_named(id)?.author.clone()], false),
            Subject::Grant(id) => {
                let grant = self.grants.get(id).ok_or(Code::UnknownGrant)?;
                (vec![grant.grantor.clone(), grant.grantee.clone()], false)
            }
            Subject::Share(slice) => {
                self.asset_named(&slice.asset)?;
                let owners = &self.epoch(&slice.asset, slice.right).owners;
                let owned = owners.get(&slice.owner).copied().unwrap_or(0);
                need((1..=owned).contains(&slice.parts), Code::SubjectInvalid)?;
                (vec![slice.owner.clone()], false)
            }
            Subject::Payment(id) => {
                let contract = self.payments[self.payment(id)?].contract;
                (parties(&contract)?, true)
            }
            Subject::Payout(id) => {
                let payout = self.payouts.get(id).ok_or(Code::UnknownPayout)?;
                let exchange = self.accounts[&payout.account].exchange.clone();
                (vec![exchange, payout.payee.clone()], true)
            }
            Subject::Contract(id) => (parties(id)?, true),
        };
        let concerned: BTreeSet<Handle> = concerned.iter().map(|m| self.acting(m)).collect();
        let may =
            !closed || concerned.contains(act.author) || self.has_role(act.author, Role::Regulator);
        need(may, Code::NotDisputeParty)?;
        Ok(concerned)
    }

    /// The contract that is disputed, itself or a payment of it.
    pub fn contract_of(&self, subject: &Subject) -> Option<ContractId> {
        match subject {
            Subject::Contract(id) => Some(*id),
            Subject::Payment(id) => self.payment(id).ok().map(|at| self.payments[at].contract),
            _ => None,
        }
    }

    /// The account that cannot be closed while something is disputed.
    pub fn account_of(&self, subject: &Subject) -> Option<AccountId> {
        if let Subject::Payout(id) = subject {
            return self.payouts.get(id).map(|p| p.account);
        }
        let contract = &self.contracts[&self.contract_of(subject)?];
        let billed = contract.signed.len() == 2 && contract.price > 0;
        let id = account_id(&contract.asset, &contract.exchange, &contract.currency).unwrap();
        billed.then_some(id)
    }

    pub fn contest(&mut self, act: &Act<'_>, e: &ContestPayout) -> Verdict {
        let payout = self.payouts.get(&e.payout).ok_or(Code::UnknownPayout)?.clone();
        need(self.is(act.author, &payout.payee), Code::NotPayee)?;
        need(payout.standing == PayoutStanding::Paid, Code::PayoutContested)?;
        let in_time = self.now <= payout.time + self.rulebook.contest_ms;
        need(in_time, Code::ContestTooLate)?;
        self.payouts.get_mut(&e.payout).unwrap().standing = PayoutStanding::Contested;
        self.open_about(act, &Subject::Payout(e.payout))
    }

    /// A dispute that a regulator who is no party decides about.
    fn arbitrated(&self, act: &Act<'_>, id: &DisputeId) -> Result<Dispute, Code> {
        need(self.has_role(act.author, Role::Regulator), Code::RoleRequired)?;
        let dispute = self.disputes.get(id).ok_or(Code::UnknownDispute)?.clone();
        let waits = matches!(dispute.standing, DisputeStanding::Open | DisputeStanding::Appealed);
        need(waits, Code::DisputeClosed)?;
        let belongs = |party: &Handle| self.related(act.author, party);
        let is_party = belongs(&dispute.opener) || dispute.respondents.iter().any(belongs);
        need(!is_party, Code::ArbiterIsParty)?;
        Ok(dispute)
    }

    pub fn freeze(&mut self, act: &Act<'_>, e: &OrderFreeze) -> Verdict {
        let dispute = self.arbitrated(act, &e.dispute)?;
        let Subject::Share(slice) = dispute.subject else {
            return refuse(Code::FreezeOutOfRange);
        };
        let latest = self.now + self.rulebook.max_freeze_ms;
        let fits = e.until_ms > self.now && e.until_ms <= latest;
        need(fits, Code::FreezeOutOfRange)?;
        self.hold(&slice, e.dispute, e.until_ms)
    }

    pub fn file_evidence(&self, act: &Act<'_>, e: &FileEvidence) -> Verdict {
        let dispute = self.disputes.get(&e.dispute).ok_or(Code::UnknownDispute)?;
        let mut parties = dispute.respondents.iter().chain([&dispute.opener]);
        let party = parties.any(|p| self.is(act.author, p));
        let may = party || self.has_role(act.author, Role::Regulator);
        need(may, Code::NotDisputeParty)?;
        let waits = matches!(dispute.standing, DisputeStanding::Open | DisputeStanding::Appealed);
        need(waits, Code::DisputeClosed)
    }

    pub fn appeal(&mut self, act: &Act<'_>, e: &AppealRuling) -> Verdict {
        let dispute = self.disputes.get(&e.dispute).ok_or(Code::UnknownDispute)?.clone();
        let mut parties = dispute.respondents.iter().chain([&dispute.opener]);
        need(parties.any(|p| self.is(act.author, p)), Code::NotDisputeParty)?;
        match dispute.standing {
            DisputeStanding::Ruled => {}
            DisputeStanding::Open => return refuse(Code::NotRuled),
            DisputeStanding::Appealed | DisputeStanding::Final => {
                return refuse(Code::AlreadyAppealed);
            }
        }
        let latest = dispute.rulings[0].time + self.rulebook.appeal_ms;
        need(self.now <= latest, Code::AppealTooLate)?;
        self.disputes.get_mut(&e.dispute).unwrap().standing = DisputeStanding::Appealed;
        Ok(())
    }

    pub fn rule(&mut self, act: &Act<'_>, e: &RuleDispute) -> Verdict {
        let dispute = self.arbitrated(act, &e.dispute)?;
        let first = dispute.rulings.first().cloned();
        let again = first.as_ref().is_some_and(|f| self.is(act.author, &f.by));
        need(!again, Code::SameArbiter)?;
        let fits = match &e.ruling {
            Ruling::Dismiss => true,
            Ruling::VoidGrant => matches!(dispute.subject, Subject::Grant(_)),
            Ruling::VoidAsset => matches!(dispute.subject, Subject::Asset(_)),
            Ruling::Redirect(_) => matches!(dispute.subject, Subject::Share(_)),
            Ruling::Refund(_) => matches!(dispute.subject, Subject::Payment(_)),
            Ruling::ReversePayout => matches!(dispute.subject, Subject::Payout(_)),
            Ruling::EndContract => matches!(dispute.subject, Subject::Contract(_)),
        };
        need(fits, Code::RulingDoesNotFit)?;
        let mut grant_was = None;
        if first.as_ref().is_none_or(|f| f.ruling != e.ruling) {
            grant_was = self.take_effect_of(act, &dispute.subject, first.as_ref(), &e.ruling)?;
        }
        self.holds.retain(|h| h.dispute != e.dispute);
        let (by, ruling, time) = (act.author.clone(), e.ruling.clone(), self.now);
        let held = self.disputes.get_mut(&e.dispute).unwrap();
        held.rulings.push(Given { by, ruling, time, grant_was });
        held.standing = match held.standing {
            DisputeStanding::Appealed => DisputeStanding::Final,
            _ => DisputeStanding::Ruled,
        };
        Ok(())
    }

    /// Undoes a first ruling and does what another says.
    fn take_effect_of(
        &mut self,
        act: &Act<'_>,
        subject: &Subject,
        first: Option<&Given>,
        ruling: &Ruling,
    ) -> Result<Option<Standing>, Code> {
        let before = first.map(|f| &f.ruling);
        match subject {
            Subject::Asset(id) => self.rule_on_asset(id, before, ruling)?,
            Subject::Grant(id) => {
                return self.rule_on_grant(id, first.and_then(|f| f.grant_was), ruling);
            }
            Subject::Share(slice) => self.rule_on_share(act, slice, before, ruling)?,
            Subject::Payment(id) => self.rule_on_payment(id, before, ruling)?,
            Subject::Payout(id) => self.rule_on_payout(id, before, ruling)?,
            Subject::Contract(id) => {
                let held = self.contracts.get_mut(id).unwrap();
                if before == Some(&Ruling::EndContract) {
                    held.standing = ContractStanding::Open;
                }
                if *ruling == Ruling::EndContract {
                    need(held.standing == ContractStanding::Open, Code::ContractClosed)?;
                    held.standing = ContractStanding::Terminated;
                    if let Some(certificate) = self.certified_by(id) {
                        self.certificates.get_mut(&certificate).unwrap().void = true;
                    }
                }
            }
        }
        Ok(None)
    }

    fn rule_on_asset(&mut self, id: &AssetId, first: Option<&Ruling>, ruling: &Ruling) -> Verdict {
        let asset = self.assets.get_mut(id).unwrap();
        if first == Some(&Ruling::VoidAsset) {
            asset.void = false;
        }
        if *ruling == Ruling::VoidAsset {
            need(!asset.void, Code::VoidAsset)?;
            asset.void = true;
        } else {
            asset.cleared = true;
        }
        Ok(())
    }

    fn rule_on_grant(
        &mut self,
        id: &GrantId,
        was: Option<Standing>,
        ruling: &Ruling,
    ) -> Result<Option<Standing>, Code> {
        let mut grant = self.grants[id].clone();
        grant.standing = was.unwrap_or(grant.standing);
        let mut voided = None;
        if *ruling == Ruling::VoidGrant {
            need(grant.standing != Standing::Voided, Code::GrantClosed)?;
            voided = Some(grant.standing);
            grant.standing = Standing::Voided;
        } else {
            grant.cleared = true;
            if grant.standing == Standing::Accepted {
                self.comes_into_force(*id, &grant)?;
            }
        }
        self.grants.insert(*id, grant);
        Ok(voided)
    }

    fn rule_on_payment(
        &mut self,
        id: &PaymentId,
        first: Option<&Ruling>,
        ruling: &Ruling,
    ) -> Verdict {
        let at = self.payment(id)?;
        if let Some(Ruling::Refund(o)) = first {
            self.payments[at].meet_order((o.net, o.fee, o.tax));
        }
        let Ruling::Refund(o) = ruling else { return Ok(()) };
        let p = &mut self.payments[at];
        need(self.accounts[&p.account].closed.is_none(), Code::AccountClosed)?;
        need(!p.void, Code::PaymentClosed)?;
        need((o.net, o.fee, o.tax) != (0, 0, 0), Code::EmptyRefund)?;
        let fits = o.net <= p.net - p.back_net - p.ordered.0
            && o.fee <= p.fee - p.back_fee - p.ordered.1
            && o.tax <= p.tax - p.back_tax - p.ordered.2;
        need(fits, Code::RefundAboveRemainder)?;
        p.ordered = (p.ordered.0 + o.net, p.ordered.1 + o.fee, p.ordered.2 + o.tax);
        Ok(())
    }

    fn rule_on_payout(
        &mut self,
        id: &PayoutId,
        first: Option<&Ruling>,
        ruling: &Ruling,
    ) -> Verdict {
        let payout = self.payouts.get_mut(id).unwrap();
        if *ruling == Ruling::ReversePayout {
            need(payout.standing != PayoutStanding::Reversed, Code::PayoutContested)?;
            payout.standing = PayoutStanding::Reversed;
        } else if payout.standing == PayoutStanding::Contested
            || first == Some(&Ruling::ReversePayout)
        {
            payout.standing = PayoutStanding::Paid;
        }
        Ok(())
    }

    fn rule_on_share(
        &mut self,
        act: &Act<'_>,
        slice: &Slice,
        first: Option<&Ruling>,
        ruling: &Ruling,
    ) -> Verdict {
        let old = self.epoch(&slice.asset, slice.right).clone();
        let mut new = Epoch { seq: act.seq, changes: old.changes + 1, ..old.clone() };
        if let Some(Ruling::Redirect(first)) = first {
            let left = new.owners.get(&first.to).copied().unwrap_or(0);
            new.give(&first.to, &slice.owner, slice.parts.min(left));
            for a in &first.adjustments {
                self.give_back(slice, first, (a.account, &a.claim, a.amount));
            }
        }
        if let Ruling::Redirect(redirect) = ruling {
            self.redirect_fits(act, slice, redirect)?;
            let owned = new.owners.get(&slice.owner).copied().unwrap_or(0);
            need(owned >= slice.parts, Code::SubjectInvalid)?;
            new.give(&slice.owner, &redirect.to, slice.parts);
            for a in &redirect.adjustments {
                self.adjust(slice, &redirect.to, (a.account, &a.claim, a.amount))?;
            }
        }
        if new.owners != old.owners {
            self.rights.get_mut(&(slice.asset, slice.right)).unwrap().push(new);
        }
        Ok(())
    }

    fn redirect_fits(&self, act: &Act<'_>, slice: &Slice, redirect: &Redirect) -> Verdict {
        self.known(&redirect.to)?;
        need(redirect.to != slice.owner, Code::RulingDoesNotFit)?;
        need(!self.related(act.author, &redirect.to), Code::ArbiterIsParty)?;
        let accounts: BTreeSet<_> = redirect.adjustments.iter().map(|a| a.account).collect();
        let here = |c: &ProvedClaim| (c.asset, c.right) == (slice.asset, slice.right);
        let fits = accounts.len() == redirect.adjustments.len()
            && redirect.adjustments.iter().all(|a| here(&a.claim));
        need(fits, Code::RulingDoesNotFit)
    }

    /// The units of a claim, when it is of the schedule of an account.
    pub fn proved_units(&self, account: &AccountId, claim: &ProvedClaim) -> Result<u128, Code> {
        let schedule = self.schedule(&self.accounts[account].product);
        let units = schedule.get(&(claim.asset, claim.right)).copied();
        units.filter(|u| *u == u128::from(claim.units)).ok_or(Code::ClaimNotProved)
    }

    fn adjust(
        &mut self,
        slice: &Slice,
        to: &Handle,
        (account, claim, amount): (AccountId, &ProvedClaim, u64),
    ) -> Verdict {
        let held = self.accounts.get(&account).ok_or(Code::UnknownAccount)?;
        need(held.closed.is_none(), Code::AccountClosed)?;
        need(amount > 0, Code::AmountOutOfRange)?;
        let units = self.proved_units(&account, claim)?;
        let line = line_of(slice);
        let unpaid = self.unpaid(&account, units, &line).max(0);
        need(i128::from(amount) <= unpaid, Code::AdjustmentAboveUnpaid)?;
        let other = (slice.asset, slice.right, to.clone());
        self.adjustments.entry((account, line)).or_default().1 += amount;
        self.adjustments.entry((account, other)).or_default().0 += amount;
        Ok(())
    }

    /// Moves back what a first ruling moved, as far as it was not paid out since.
    fn give_back(
        &mut self,
        slice: &Slice,
        first: &Redirect,
        (account, claim, amount): (AccountId, &ProvedClaim, u64),
    ) {
        if self.accounts[&account].closed.is_some() {
            return;
        }
        let other = (slice.asset, slice.right, first.to.clone());
        let unpaid = self.unpaid(&account, u128::from(claim.units), &other).max(0);
        let back = u64::try_from(unpaid.min(amount.into())).unwrap();
        self.adjustments.entry((account, line_of(slice))).or_default().1 -= back;
        self.adjustments.entry((account, other)).or_default().0 -= back;
    }
}

impl Epoch {
    /// Moves parts; whoever is left with none manages no more.
    fn give(&mut self, from: &Handle, to: &Handle, parts: u16) {
        if parts == 0 {
            return;
        }
        *self.owners.entry(from.clone()).or_insert(0) -= parts;
        *self.owners.entry(to.clone()).or_insert(0) += parts;
        let owners: BTreeMap<Handle, u16> = std::mem::take(&mut self.owners);
        self.owners = owners.into_iter().filter(|(_, parts)| *parts > 0).collect();
        if !self.owners.contains_key(&self.manager) {
            self.manager = to.clone();
        }
    }
}

/// The line whose parts are disputed.
pub fn line_of(slice: &Slice) -> Line {
    (slice.asset, slice.right, slice.owner.clone())
}
