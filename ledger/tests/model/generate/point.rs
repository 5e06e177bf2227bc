//! Acts at the very millisecond at which something begins or ends, or one beside it.

use headwater_ledger::event::Event;
use headwater_ledger::event::dispute::AppealRuling;
use headwater_ledger::event::market::{
    ConfirmDelivery, ContestPayout, SignContract, TerminateContract, VoidPayment,
};
use headwater_ledger::event::rights::{GrantRight, RequestGrant, TakeOffer};
use headwater_ledger::hash::{
    AccessId, AssetId, ContractId, DisputeId, GrantId, OfferId, PaymentId, PayoutId, RegistrationId,
};
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use super::{DAY_MS, Made, Maker};
use crate::naive::{ContractStanding, DisputeStanding, PayoutStanding, Standing};

/// What begins or ends.
#[derive(Debug, Clone)]
enum Point {
    Use(GrantId),
    Sign(ContractId),
    Confirm(ContractId),
    Terminate(ContractId),
    Licence(ContractId),
    Void(PaymentId),
    Contest(PayoutId),
    Appeal(DisputeId),
    Hold(AssetId, Right, Handle),
    Registration(RegistrationId),
    Access(AccessId),
    Take(OfferId),
    Below(AssetId),
}

impl Maker {
    /// Goes to a moment that is soon, and does what it decides about.
    pub(super) fn point(&mut self) -> Made {
        let soon = self.naive.now + 1..self.naive.now + 25 * DAY_MS;
        let mut all = self.moments();
        all.retain(|(at, _)| soon.contains(at));
        let Some((at, point)) = self.random.pick(&all) else { return self.act() };
        self.naive.now = at + self.random.below(3) - 1;
        self.at(point)
    }

    fn moments(&self) -> Vec<(u64, Point)> {
        let naive = &self.naive;
        let mut all = Vec::new();
        for (id, g) in &naive.grants {
            if matches!(g.standing, Standing::Accepted | Standing::Revoked) {
                let ends = [g.terms.not_before_ms, g.end, g.end + g.terms.filing_window_ms];
                all.extend(ends.map(|at| (at, Point::Use(*id))));
                all.push((g.file_by, Point::Use(*id)));
            }
        }
        for (id, c) in &naive.contracts {
            if c.standing != ContractStanding::Open {
                continue;
            }
            if c.signed.len() < 2 {
                all.push((c.sign_by, Point::Sign(*id)));
            } else {
                all.extend(c.instalments.iter().map(|(due, _)| (*due, Point::Terminate(*id))));
                all.push((c.licence.not_after_ms, Point::Licence(*id)));
            }
            if let Some(delivered) = c.delivered.filter(|_| !c.confirmed) {
                all.push((delivered, Point::Confirm(*id)));
            }
        }
        let payments = naive.payments.iter().filter(|p| !p.void);
        all.extend(payments.map(|p| (p.void_until, Point::Void(p.id))));
        let payouts = naive.payouts.iter().filter(|(_, p)| p.standing == PayoutStanding::Paid);
        all.extend(payouts.map(|(id, p)| (p.contest_until, Point::Contest(*id))));
        let ruled = naive.disputes.iter().filter(|(_, d)| d.standing == DisputeStanding::Ruled);
        let ruled = ruled.map(|(id, d)| (d.rulings[0].appeal_until, Point::Appeal(*id)));
        all.extend(ruled);
        let hold = |h: &crate::naive::Hold| Point::Hold(h.asset, h.right, h.owner.clone());
        all.extend(naive.holds.iter().map(|h| (h.until, hold(h))));
        for (id, r) in &naive.registrations {
            let at = if r.in_notice() { r.notice_until } else { r.end };
            all.push((at, Point::Registration(*id)));
        }
        all.extend(naive.accesses.iter().map(|(id, a)| (a.until, Point::Access(*id))));
        all.extend(naive.offers.iter().map(|(id, o)| (o.take_by, Point::Take(*id))));
        let lapsing = naive.assets.iter().filter_map(|(id, a)| Some((a.withdrawn?.1, *id)));
        all.extend(lapsing.map(|(at, id)| (at, Point::Below(id))));
        all
    }

    fn at(&mut self, point: Point) -> Made {
        match point {
            Point::Use(grant) if self.naive.grants[&grant].right == GrantRight::Processing => {
                self.derived_under(grant)
            }
            Point::Use(grant) => {
                let seller = self.naive.grants[&grant].grantee.clone();
                self.sold_by(&seller)
            }
            Point::Sign(contract) => {
                let held = self.naive.contracts[&contract].clone();
                let schedule = self.naive.schedule_hash(&held.asset);
                let by = if held.signed.contains("buyer") { held.exchange } else { held.buyer };
                let e = SignContract { contract, schedule };
                Some((self.or_any(by), Event::SignContract(e)))
            }
            Point::Confirm(contract) => {
                let held = self.naive.contracts[&contract].clone();
                let by = self.random.pick(&[held.seller, held.exchange])?;
                Some((self.or_any(by), Event::ConfirmDelivery(ConfirmDelivery { contract })))
            }
            Point::Terminate(contract) => {
                let by = self.naive.contracts[&contract].exchange.clone();
                Some((self.or_any(by), Event::TerminateContract(TerminateContract { contract })))
            }
            Point::Licence(contract) => self.propose_like(contract),
            Point::Void(payment) => {
                let at = self.naive.payment(&payment).ok()?;
                let account = self.naive.payments[at].account;
                let by = self.naive.accounts[&account].exchange.clone();
                Some((self.or_any(by), Event::VoidPayment(VoidPayment { payment })))
            }
            Point::Contest(payout) => {
                let by = self.naive.payouts[&payout].payee.clone();
                let e = ContestPayout { payout, evidence: self.digest() };
                Some((self.or_any(by), Event::ContestPayout(e)))
            }
            Point::Appeal(dispute) => {
                let by = self.naive.disputes[&dispute].opener.clone();
                let e = AppealRuling { dispute, grounds: self.digest() };
                Some((self.or_any(by), Event::AppealRuling(e)))
            }
            Point::Hold(asset, right, owner) => self.paid_to(asset, right, owner),
            Point::Registration(registration) => self.registered(registration),
            Point::Access(access) => self.used(access),
            Point::Take(offer) => Some((self.member(), Event::TakeOffer(TakeOffer { offer }))),
            Point::Below(source) => {
                let below = self
                    .naive
                    .assets
                    .keys()
                    .filter(|id| **id != source && self.naive.ancestry(id).contains(&source));
                let below: Vec<AssetId> = below.copied().collect();
                let asset = self.random.pick(&below)?;
                let right = self.right();
                let e = RequestGrant { asset, right, terms: self.terms_on(&asset, right) };
                Some((self.member(), Event::RequestGrant(e)))
            }
        }
    }
}
