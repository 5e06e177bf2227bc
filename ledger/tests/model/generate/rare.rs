//! Disputes, and what happens now and then.

use headwater_ledger::event::Event;
use headwater_ledger::event::asset::{AttestDeidentification, WithdrawConsent};
use headwater_ledger::event::dispute::{
    Adjustment, AppealRuling, FileEvidence, Ground, OpenDispute, OrderFreeze, Redirect,
    RefundOrder, RuleDispute, Ruling, Slice, Subject,
};
use headwater_ledger::event::market::{ContestPayout, Decision, DelistProduct, ReviewCompliance};
use headwater_ledger::event::member::{
    AcceptSuccession, ProposeSuccession, ReinstateMember, RelateMembers, SuspendMember,
};
use headwater_ledger::event::rights::{VoidAsset, WithdrawOffer};
use headwater_ledger::hash::{AccountId, AssetId, DisputeId, PaymentId};
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use super::money::proved;
use super::{DAY_MS, Made, Maker};
use crate::naive::{Dispute, DisputeStanding};
use crate::world::{handle, list};

impl Maker {
    pub(super) fn regulator(&mut self) -> Handle {
        let all = ["health-regulator", "data-regulator", "third-regulator"];
        let one = all[self.random.below(3) as usize];
        self.or_any(handle(one))
    }

    pub(super) fn dispute(&mut self) -> Made {
        let all: Vec<_> = self.naive.disputes.iter().map(|(id, d)| (*id, d.clone())).collect();
        let waiting: Vec<_> = all
            .iter()
            .filter(|(_, d)| {
                matches!(d.standing, DisputeStanding::Open | DisputeStanding::Appealed)
            })
            .cloned()
            .collect();
        match self.random.below(10) {
            0..=4 => {
                let usual = self.random.in_ten(9);
                let (id, dispute) = self.random.pick(if usual { &waiting } else { &all })?;
                self.decide(id, &dispute)
            }
            5 => {
                let (dispute, held) = self.random.pick(&all)?;
                let parties: Vec<Handle> =
                    held.respondents.iter().cloned().chain([held.opener.clone()]).collect();
                let by = self.random.pick(&parties)?;
                let grounds = self.digest();
                let e = AppealRuling { dispute, grounds };
                Some((self.or_any(by), Event::AppealRuling(e)))
            }
            _ => self.open_dispute(),
        }
    }

    fn decide(&mut self, dispute: DisputeId, held: &Dispute) -> Made {
        let by = self.regulator();
        if matches!(held.subject, Subject::Share(_)) && self.random.in_ten(3) {
            let most = self.naive.rulebook.max_freeze_ms;
            let until_ms = self.naive.now
                + match self.random.below(10) {
                    0 => most,
                    1 => most + 1,
                    _ => self.random.below(200) * DAY_MS,
                };
            return Some((by, Event::OrderFreeze(OrderFreeze { dispute, until_ms })));
        }
        let ruling = if self.random.in_ten(3) {
            Ruling::Dismiss
        } else {
            match &held.subject {
                Subject::Asset(_) => Ruling::VoidAsset,
                Subject::Grant(_) => Ruling::VoidGrant,
                Subject::Share(slice) => Ruling::Redirect(self.redirect(slice)),
                Subject::Payment(id) => Ruling::Refund(self.order(id)),
                Subject::Payout(_) => Ruling::ReversePayout,
                Subject::Contract(_) => Ruling::EndContract,
            }
        };
        let again = held.rulings.first().map(|r| r.ruling.clone());
        let ruling = again.filter(|_| self.random.in_ten(2)).unwrap_or(ruling);
        let reasons = self.digest();
        Some((by, Event::RuleDispute(RuleDispute { dispute, ruling, reasons })))
    }

    fn order(&mut self, id: &PaymentId) -> RefundOrder {
        let p = self.naive.payments.iter().find(|p| p.id == *id).expect("recorded").clone();
        let mut part = |paid: u64, back: u64| {
            if self.random.in_ten(5) { self.random.below(paid - back + 1) } else { 0 }
        };
        RefundOrder {
            net: part(p.net, p.back_net),
            fee: part(p.fee, p.back_fee),
            tax: part(p.tax, p.back_tax),
        }
    }

    fn subject(&mut self) -> Option<Subject> {
        Some(match self.random.below(12) {
            0 => Subject::Asset(self.asset()?),
            1 | 6 => {
                let above: Vec<_> = self.naive.grants.values().filter_map(|g| g.parent).collect();
                let all: Vec<_> = self.naive.grants.keys().copied().collect();
                let all = if self.random.in_ten(5) && !above.is_empty() { above } else { all };
                Subject::Grant(self.random.pick(&all)?)
            }
            2 | 3 => {
                let all: Vec<_> = self.naive.payments.iter().map(|p| p.id).collect();
                Subject::Payment(self.random.pick(&all)?)
            }
            4 => {
                let all: Vec<_> = self.naive.payouts.keys().copied().collect();
                Subject::Payout(self.random.pick(&all)?)
            }
            5 => {
                let all: Vec<_> = self.naive.contracts.keys().copied().collect();
                Subject::Contract(self.random.pick(&all)?)
            }
            _ => {
                let (asset, right) = self.disputed_right()?;
                let then = self.naive.epochs(&asset, right).iter().flat_map(|e| &e.owners);
                let then: Vec<_> = then.map(|(o, p)| (o.clone(), *p)).collect();
                let now = &self.naive.epoch(&asset, right).owners;
                let now: Vec<_> = now.iter().map(|(o, p)| (o.clone(), *p)).collect();
                let owners = if self.random.in_ten(3) { then } else { now };
                let (owner, parts) = self.random.pick(&owners)?;
                let parts = match self.random.below(6) {
                    0 => parts + 1,
                    1 | 2 => parts,
                    _ => 1 + self.random.below(u64::from(parts)) as u16,
                };
                Subject::Share(Slice { asset, right, owner, parts })
            }
        })
    }

    /// A right, rather one that money falls to.
    fn disputed_right(&mut self) -> Option<(AssetId, Right)> {
        // Two disputes may hold parts of one owner.
        if let Some(held) = self.random.pick(&self.naive.holds)
            && self.random.in_ten(3)
        {
            return Some((held.asset, held.right));
        }
        if let Some(account) = self.account()
            && self.random.in_ten(7)
        {
            let claim = self.claim(&account)?;
            return Some((claim.asset, claim.right));
        }
        Some((self.asset()?, Right::ALL[self.random.below(3) as usize]))
    }

    fn open_dispute(&mut self) -> Made {
        let subject = self.subject()?;
        let evidence = self.digest();
        let by = match &subject {
            Subject::Payment(_) | Subject::Payout(_) | Subject::Contract(_) => {
                let buyer = handle("cover-insurance");
                if self.random.in_ten(5) { buyer } else { self.regulator() }
            }
            Subject::Asset(_) | Subject::Grant(_) | Subject::Share(_) => self.member(),
        };
        let ground = Ground::Ownership;
        Some((by, Event::OpenDispute(OpenDispute { subject, ground, evidence })))
    }

    pub(super) fn redirect(&mut self, slice: &Slice) -> Redirect {
        let mut adjustments = Vec::new();
        let accounts: Vec<AccountId> = self.naive.accounts.keys().copied().collect();
        for account in accounts {
            if self.naive.accounts[&account].closed.is_some() {
                continue;
            }
            let product = self.naive.accounts[&account].product;
            let claims: Vec<_> = self.naive.schedule(&product).into_iter().collect();
            let place = claims.iter().position(|(c, _)| *c == (slice.asset, slice.right));
            let Some(index) = place else { continue };
            if self.random.in_ten(8) {
                adjustments.push(Adjustment { account, claim: proved(&claims, index) });
            }
        }
        let owners = &self.naive.epoch(&slice.asset, slice.right).owners;
        let owners: Vec<Handle> = owners.keys().cloned().collect();
        let other = self.random.pick(&owners).filter(|_| self.random.in_ten(4));
        let to = other.unwrap_or_else(|| self.member());
        Redirect { to, adjustments: list(&adjustments) }
    }

    pub(super) fn rare(&mut self) -> Made {
        match self.random.below(15) {
            0 => {
                let by = self.regulator();
                Some((by, Event::SuspendMember(SuspendMember { member: self.member() })))
            }
            1 => self.relate(),
            2 => {
                let (asset, reason) = (self.asset()?, self.digest());
                let by = self.naive.assets[&asset].author.clone();
                Some((self.or_any(by), Event::VoidAsset(VoidAsset { asset, reason })))
            }
            3 => {
                let open: Vec<_> = self.naive.listings.keys().copied().collect();
                let listing = self.random.pick(&open)?;
                let by = self.naive.listings[&listing].seller.clone();
                Some((self.or_any(by), Event::DelistProduct(DelistProduct { listing })))
            }
            4 => {
                let open: Vec<_> = self.naive.offers.keys().copied().collect();
                let offer = self.random.pick(&open)?;
                let held = self.naive.offers[&offer].clone();
                let by = self.naive.epoch(&held.asset, held.right.into()).manager.clone();
                Some((self.or_any(by), Event::WithdrawOffer(WithdrawOffer { offer })))
            }
            5 => {
                let all: Vec<_> =
                    self.naive.payouts.iter().map(|(id, p)| (*id, p.payee.clone())).collect();
                let (payout, payee) = self.random.pick(&all)?;
                let e = ContestPayout { payout, evidence: self.digest() };
                Some((self.or_any(payee), Event::ContestPayout(e)))
            }
            6 => {
                let (asset, report) = (self.asset()?, self.digest());
                let by = self.regulator();
                let e = AttestDeidentification { asset, report };
                Some((by, Event::AttestDeidentification(e)))
            }
            7 | 8 => self.compliance(),
            9 => self.succession(),
            10 => self.valuation(),
            11 => {
                let all: Vec<_> = self.naive.disputes.iter().collect();
                let (dispute, held) = self.random.pick(&all)?;
                let (dispute, by) = (*dispute, held.opener.clone());
                let e = FileEvidence { dispute, evidence: self.digest() };
                Some((self.or_any(by), Event::FileEvidence(e)))
            }
            _ => {
                let based: Vec<AssetId> = self
                    .naive
                    .assets
                    .iter()
                    .filter(|(_, a)| a.consent_based)
                    .map(|(id, _)| *id)
                    .collect();
                let asset = self.random.pick(&based)?;
                let by = self.naive.epoch(&asset, Right::Holding).manager.clone();
                let patients = 1 + self.random.below(9) as u32;
                let e = WithdrawConsent { asset, patients, commitment: self.digest() };
                Some((self.or_any(by), Event::WithdrawConsent(e)))
            }
        }
    }

    /// A suspended member comes back.
    pub(super) fn reinstate(&mut self) -> Made {
        let suspended = self.naive.members.iter().filter(|(_, m)| m.suspended);
        let suspended: Vec<Handle> = suspended.map(|(member, _)| member.clone()).collect();
        let odd = self.random.below(20) == 0;
        let member = if odd { self.member() } else { self.random.pick(&suspended)? };
        Some((self.regulator(), Event::ReinstateMember(ReinstateMember { member })))
    }

    /// Two members belong together, or no more.
    pub(super) fn relate(&mut self) -> Made {
        let (a, b) = (self.member(), self.member());
        let related = self.random.in_ten(7);
        let by = if self.random.in_ten(4) { a.clone() } else { self.regulator() };
        Some((by, Event::RelateMembers(RelateMembers { a, b, related })))
    }

    fn compliance(&mut self) -> Made {
        let (asset, report) = (self.asset()?, self.digest());
        let decision = if self.random.in_ten(8) { Decision::Accept } else { Decision::Reject };
        let rights_level = self.random.below(20).min(5) as u8;
        let by = if self.random.in_ten(7) { handle("fair-appraiser") } else { self.regulator() };
        let e = ReviewCompliance { asset, decision, rights_level, report };
        Some((self.or_any(by), Event::ReviewCompliance(e)))
    }

    pub(super) fn succession(&mut self) -> Made {
        let open: Vec<_> = self
            .naive
            .successions
            .iter()
            .filter(|(_, s)| !s.accepted)
            .map(|(id, s)| (*id, s.successor.clone()))
            .collect();
        if let Some((succession, by)) = self.random.pick(&open)
            && self.random.in_ten(7)
        {
            let e = AcceptSuccession { succession };
            return Some((self.or_any(by), Event::AcceptSuccession(e)));
        }
        let (member, successor) = (self.member(), self.member());
        let by = if self.random.in_ten(4) { self.regulator() } else { member.clone() };
        let by = self.or_any(by);
        let vital = ["gz-exchange", "health-regulator", "data-regulator"];
        let vital = vital.contains(&member.as_str());
        let e = ProposeSuccession { member, successor };
        (!vital).then_some((by, Event::ProposeSuccession(e)))
    }
}
