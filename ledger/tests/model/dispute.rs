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
use headwater_ledger::limits::{MAX_EPOCHS, MAX_FREEZES, MAX_HOLDS, MAX_OWNERS, MAX_REFUND_ORDERS};
use headwater_ledger::payment::account_id;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use crate::naive::{
    Act, Awarded, ContractStanding, Dispute, DisputeStanding, Epoch, Given, Hold, Naive, Order,
    PayoutStanding, Standing, Verdict, need, refuse,
};
use crate::share::{Held, Returned, line_of};

impl Naive {
    pub fn open_dispute(&mut self, act: &Act<'_>, e: &OpenDispute) -> Verdict {
        self.open_about(act, &e.subject)
    }

    fn open_about(&mut self, act: &Act<'_>, subject: &Subject) -> Verdict {
        let id = DisputeId::from_digest(act.id);
        let respondents = self.concerned(act, subject)?;
        let own = respondents.contains(act.author);
        need(own || !self.members[act.author].suspended, Code::AuthorSuspended)?;
        if let Subject::Share(slice) = subject {
            let once = (line_of(slice), act.author.clone());
            let until = self.now + self.rulebook.cooling_ms;
            let of = (&slice.owner, slice.parts);
            // Without room, or a second time, it is a mark.
            if !self.held_once.contains(&once)
                && self.hold(slice, of, (id, Held::Cooling), (until, until)).is_ok()
            {
                self.held_once.insert(once);
            }
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

    fn hold(
        &mut self,
        of: &Slice,
        (owner, parts): (&Handle, u16),
        (dispute, kind): (DisputeId, Held),
        (until, appealed_until): (u64, u64),
    ) -> Verdict {
        let now = self.now;
        self.holds.retain(|h| h.dispute != dispute && h.until >= now);
        let (asset, right) = (of.asset, of.right);
        let cools = |kind| kind == Held::Cooling;
        let on_right = self.holds.iter().filter(|h| (h.asset, h.right) == (asset, right));
        let same = on_right.filter(|h| cools(h.kind) == cools(kind)).count();
        need(same < if cools(kind) { MAX_HOLDS } else { MAX_FREEZES }, Code::HoldsFull)?;
        let owner = owner.clone();
        let hold = Hold { dispute, asset, right, owner, parts, kind, until, appealed_until };
        self.holds.push(hold);
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
                let then = self.owners_then(&slice.asset, slice.right);
                let now = &self.epoch(&slice.asset, slice.right).owners;
                let line = line_of(slice);
                let owned = then.iter().map(|e| &e.1).chain([now]).filter_map(|o| o.get(&line.2));
                let most = owned.chain(self.awarded.get(&line)).max().copied().unwrap_or(0);
                need((1..=most).contains(&slice.parts), Code::SubjectInvalid)?;
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

    /// Whether a dispute can change nothing any more of what it is about.
    pub fn is_final(&self, dispute: &Dispute) -> bool {
        match dispute.standing {
            DisputeStanding::Open | DisputeStanding::Appealed => false,
            DisputeStanding::Ruled => self.now > dispute.rulings[0].appeal_until,
            DisputeStanding::Final => true,
        }
    }

    /// Whether a thing is as a first ruling left it, and another may put it back.
    pub fn may_come_back(&self, subject: &Subject, ruling: &Ruling) -> bool {
        self.disputes.values().any(|d| {
            let first = d.rulings.first().is_some_and(|first| first.ruling == *ruling);
            d.subject == *subject && first && !self.is_final(d)
        })
    }

    /// Whether a grant that was in force is void, and another ruling may put it back.
    pub fn grant_may_come_back(&self, id: &GrantId) -> bool {
        self.disputes.values().any(|d| {
            let was = d.rulings.first().and_then(|first| first.grant_was);
            let about = d.subject == Subject::Grant(*id);
            about && was == Some(Standing::Accepted) && !self.is_final(d)
        })
    }

    pub fn contest(&mut self, act: &Act<'_>, e: &ContestPayout) -> Verdict {
        let payout = self.payouts.get(&e.payout).ok_or(Code::UnknownPayout)?.clone();
        need(self.is(act.author, &payout.payee), Code::NotPayee)?;
        need(payout.standing == PayoutStanding::Paid, Code::PayoutContested)?;
        need(self.now <= payout.contest_until, Code::ContestTooLate)?;
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
        let about = self.asset_disputed(&dispute.subject);
        let apart = self.apart_from_owners(act.author, &about);
        apart.map_err(|_| Code::ArbiterIsParty)?;
        Ok(dispute)
    }

    /// The asset, or the product sold, that a dispute is about.
    pub fn asset_disputed(&self, subject: &Subject) -> AssetId {
        match subject {
            Subject::Asset(id) => *id,
            Subject::Grant(id) => self.grants[id].asset,
            Subject::Share(slice) => slice.asset,
            Subject::Payout(id) => self.accounts[&self.payouts[id].account].product,
            Subject::Payment(_) | Subject::Contract(_) => {
                let contract = self.contract_of(subject).expect("it is recorded");
                self.contracts[&contract].asset
            }
        }
    }

    pub fn freeze(&mut self, act: &Act<'_>, e: &OrderFreeze) -> Verdict {
        let dispute = self.arbitrated(act, &e.dispute)?;
        let Subject::Share(slice) = dispute.subject else {
            return refuse(Code::FreezeOutOfRange);
        };
        let latest = self.now + self.rulebook.max_freeze_ms;
        let fits = e.until_ms > self.now && e.until_ms <= latest;
        need(fits, Code::FreezeOutOfRange)?;
        match dispute.rulings.first() {
            Some(Given { ruling: Ruling::Redirect(_), .. }) => Ok(()),
            _ => {
                let of = (&slice.owner, slice.parts);
                self.hold(&slice, of, (e.dispute, Held::Frozen), (e.until_ms, e.until_ms))
            }
        }
    }

    /// Whether who acts is a party of a dispute, or owns what it is about.
    fn heard(&self, act: &Act<'_>, dispute: &Dispute) -> bool {
        let owns = |asset, right| {
            self.epoch(asset, right).owners.keys().any(|owner| self.is(act.author, owner))
        };
        let mut parties = dispute.respondents.iter().chain([&dispute.opener]);
        parties.any(|p| self.is(act.author, p))
            || match &dispute.subject {
                Subject::Asset(id) => Right::ALL.iter().any(|right| owns(id, *right)),
                Subject::Grant(id) => owns(&self.grants[id].asset, self.grants[id].right.into()),
                _ => false,
            }
    }

    pub fn file_evidence(&self, act: &Act<'_>, e: &FileEvidence) -> Verdict {
        let dispute = self.disputes.get(&e.dispute).ok_or(Code::UnknownDispute)?;
        let may = self.heard(act, dispute) || self.has_role(act.author, Role::Regulator);
        need(may, Code::NotDisputeParty)?;
        let waits = matches!(dispute.standing, DisputeStanding::Open | DisputeStanding::Appealed);
        need(waits, Code::DisputeClosed)
    }

    pub fn appeal(&mut self, act: &Act<'_>, e: &AppealRuling) -> Verdict {
        let dispute = self.disputes.get(&e.dispute).ok_or(Code::UnknownDispute)?.clone();
        need(self.heard(act, &dispute), Code::NotDisputeParty)?;
        match dispute.standing {
            DisputeStanding::Ruled => {}
            DisputeStanding::Open => return refuse(Code::NotRuled),
            DisputeStanding::Appealed | DisputeStanding::Final => {
                return refuse(Code::AlreadyAppealed);
            }
        }
        need(self.now <= dispute.rulings[0].appeal_until, Code::AppealTooLate)?;
        for hold in self.holds.iter_mut().filter(|h| h.dispute == e.dispute) {
            hold.until = if self.now <= hold.until { hold.appealed_until } else { hold.until };
        }
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
        let (mut grant_was, mut awarded) = (None, None);
        if first.as_ref().is_none_or(|f| f.ruling != e.ruling) {
            let of = (e.dispute, &dispute.subject);
            (grant_was, awarded) = self.take_effect_of(act, of, first.as_ref(), &e.ruling)?;
        }
        let appeal_until = self.now + if first.is_none() { self.rulebook.appeal_ms } else { 0 };
        self.holds.retain(|h| h.dispute != e.dispute || first.is_none());
        for hold in self.holds.iter_mut().filter(|h| h.dispute == e.dispute) {
            hold.until = hold.until.min(appeal_until);
        }
        let mut joins = None;
        if let (Subject::Share(slice), Ruling::Redirect(redirect)) = (&dispute.subject, &e.ruling) {
            if first.is_none() {
                let (parts, since) = awarded.as_ref().map_or((0, 0), |a| (a.parts, a.since));
                let kind = Held::Awarded(since);
                let until = (appeal_until, u64::MAX);
                self.hold(slice, (&redirect.to, parts), (e.dispute, kind), until)?;
            }
            let to = self.acting(&redirect.to);
            let mut parties = dispute.respondents.iter().chain([&dispute.opener]);
            joins = (!parties.any(|p| self.acting(p) == to)).then_some(to);
        }
        let (by, ruling) = (act.author.clone(), e.ruling.clone());
        let held = self.disputes.get_mut(&e.dispute).unwrap();
        held.respondents.extend(joins);
        held.rulings.push(Given { by, ruling, appeal_until, grant_was, awarded });
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
        (dispute, subject): (DisputeId, &Subject),
        first: Option<&Given>,
        ruling: &Ruling,
    ) -> Result<(Option<Standing>, Option<Awarded>), Code> {
        let before = first.map(|f| &f.ruling);
        match subject {
            Subject::Asset(id) => self.rule_on_asset(id, before, ruling)?,
            Subject::Grant(id) => {
                let was = first.and_then(|f| f.grant_was);
                return Ok((self.rule_on_grant(id, was, ruling)?, None));
            }
            Subject::Share(slice) => {
                return Ok((None, self.rule_on_share(act, (dispute, slice), first, ruling)?));
            }
            Subject::Payment(id) => self.rule_on_payment(id, dispute, ruling)?,
            Subject::Payout(id) => self.rule_on_payout(id, before, ruling)?,
            Subject::Contract(id) => {
                let held = self.contracts.get_mut(id).unwrap();
                if before == Some(&Ruling::EndContract) {
                    held.standing = ContractStanding::Open;
                }
                if *ruling == Ruling::EndContract {
                    need(held.standing == ContractStanding::Open, Code::ContractClosed)?;
                    held.standing = ContractStanding::Terminated;
                    held.in_arrears = false;
                    if let Some(certificate) = self.certified_by(id) {
                        self.certificates.get_mut(&certificate).unwrap().void = true;
                    }
                }
            }
        }
        Ok((None, None))
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
            let contested = self.contested(&self.assets[id]);
            self.assets.get_mut(id).unwrap().cleared |= contested;
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
            grant.cleared |= self.compromised(grant.signed);
        }
        self.grants.insert(*id, grant);
        Ok(voided)
    }

    fn rule_on_payment(&mut self, id: &PaymentId, dispute: DisputeId, ruling: &Ruling) -> Verdict {
        let at = self.payment(id)?;
        let closed = self.accounts[&self.payments[at].account].closed.is_some();
        let p = &mut self.payments[at];
        let known = p.orders.iter_mut().find(|o| o.dispute == dispute);
        let Ruling::Refund(o) = ruling else {
            if let Some(order) = known {
                order.asked = (0, 0, 0);
                self.orders_change(&Subject::Payment(*id));
            }
            return Ok(());
        };
        need(!closed, Code::AccountClosed)?;
        need(!p.void, Code::PaymentClosed)?;
        let asked = (o.net, o.fee, o.tax);
        need(asked != (0, 0, 0), Code::EmptyRefund)?;
        match known {
            Some(order) => order.asked = asked,
            None => {
                need(p.orders.len() < MAX_REFUND_ORDERS, Code::RefundOrdersFull)?;
                p.orders.push(Order { dispute, asked, met: (0, 0, 0) });
            }
        }
        let open = p.ordered();
        let fits = open.0 <= p.net - p.back_net
            && open.1 <= p.fee - p.back_fee
            && open.2 <= p.tax - p.back_tax;
        need(fits, Code::RefundAboveRemainder)?;
        self.orders_change(&Subject::Payment(*id));
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
        (dispute, slice): (DisputeId, &Slice),
        first: Option<&Given>,
        ruling: &Ruling,
    ) -> Result<Option<Awarded>, Code> {
        let epochs = self.epochs(&slice.asset, slice.right).len();
        let old = self.epoch(&slice.asset, slice.right).clone();
        let sound: Vec<_> =
            old.signed.iter().copied().filter(|signed| !self.compromised(*signed)).collect();
        let mut new =
            Epoch { seq: act.seq, changes: old.changes + 1, signed: sound.clone(), ..old.clone() };
        let mut begins = false;
        let mut undone = false;
        if let Some(Given { ruling: Ruling::Redirect(first), awarded, .. }) = first {
            undone = true;
            if let Some(awarded) = awarded {
                begins = true;
                new.give(&first.to, &slice.owner, awarded.parts);
                if awarded.manager_was.is_some() && new.manager == first.to {
                    new.manager = awarded.manager_was.clone().unwrap();
                }
                self.returned.push(Returned {
                    asset: slice.asset,
                    right: slice.right,
                    from: first.to.clone(),
                    to: slice.owner.clone(),
                    parts: awarded.parts,
                    epochs: awarded.since..epochs,
                });
            }
            for a in &first.adjustments {
                self.put_back(dispute, slice, &first.to, a.account);
            }
        }
        let mut awarded = None;
        if let Ruling::Redirect(redirect) = ruling {
            self.redirect_fits(act, slice, redirect)?;
            let owned = new.owners.get(&slice.owner).copied().unwrap_or(0);
            let parts = slice.parts.min(owned);
            need(parts > 0 || !redirect.adjustments.is_empty(), Code::NothingToRedirect)?;
            if parts > 0 {
                let others = self.holds_on(&slice.asset, slice.right).into_iter();
                let others = others.filter(|h| h.owner == slice.owner && h.dispute != dispute);
                let held: u32 = others.map(|h| u32::from(h.parts)).sum();
                need(held + u32::from(parts) <= u32::from(owned), Code::PartsHeld)?;
                let manager = new.manager.clone();
                new.give(&slice.owner, &redirect.to, parts);
                let manager_was = (new.manager != manager).then_some(manager);
                awarded = Some(Awarded { parts, since: epochs, manager_was });
                begins = true;
                let holds = self.holds_on(&slice.asset, slice.right);
                let pending = holds.iter().filter(|h| matches!(h.kind, Held::Awarded(_))).count();
                need(undone || epochs + pending + 2 <= MAX_EPOCHS as usize, Code::EpochsFull)?;
            }
            for a in &redirect.adjustments {
                let held = self.accounts.get(&a.account).ok_or(Code::UnknownAccount)?;
                need(held.closed.is_none(), Code::AccountClosed)?;
                let units = self.proved_units(&a.account, &a.claim)?;
                self.cut_out(dispute, slice, &redirect.to, (a.account, units))?;
            }
            let most = self.awarded.entry((slice.asset, slice.right, redirect.to.clone()));
            let most = most.or_insert(0);
            *most = slice.parts.max(*most);
        }
        if begins {
            need(new.owners.len() <= MAX_OWNERS, Code::RulingDoesNotFit)?;
            self.rights.get_mut(&(slice.asset, slice.right)).unwrap().push(new);
        } else {
            let epochs = self.rights.get_mut(&(slice.asset, slice.right)).unwrap();
            epochs.last_mut().unwrap().signed = sound;
        }
        Ok(awarded)
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
