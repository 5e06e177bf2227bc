//! Redirected shares on random histories: payments, refunds, voids and orders of refunds,
//! deliveries, transfers, payouts, disputes, freezes, rulings, appeals and the closing, in any order.
//! No minor unit is lost, none is paid twice, and what a ruling gave away is there when another
//! gives it back.

use std::collections::BTreeMap;

use headwater_ledger::event::SetOffOverpayment;
use headwater_ledger::event::dispute::{RefundOrder, Ruling, Subject};
use headwater_ledger::event::market::ProvedLine;
use headwater_ledger::event::member::Role;
use headwater_ledger::event::rights::Owner;
use headwater_ledger::hash::{ContractId, DisputeId, PaymentId};
use headwater_ledger::limits::{MAX_CUTS, MAX_EPOCHS, MAX_FREEZES, MAX_HOLDS, RULING_EPOCHS};
use headwater_ledger::query::{AccountStatement, Balance};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::{
    CutRecord, DisputeRecord, DisputeStatus, EpochRecord, Hold, HoldKind, Kept, Records,
    RightRecord, Run,
};
use headwater_ledger::state::{Key, View};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::market::terminate;
use crate::support::payouts::*;
use crate::support::story::*;
use crate::support::*;

const OWNERS: [&str; 4] = [CHEST, FUND, COUNTY, LAB];
const ARBITERS: [&str; 2] = [REGULATOR, BUREAU];

#[derive(Debug, Clone)]
enum Deed {
    Pay { contract: Index, gross: u64 },
    Refund { payment: Index, net_bp: u64 },
    Void { payment: Index },
    Order { payment: Index, net_bp: u64 },
    Confirm { contract: Index },
    Transfer { to: Index, chest: u16 },
    PayOut { owner: Index, bp: u64 },
    SetOff { owner: Index, bp: u64 },
    Dispute { owner: Index, parts: u16 },
    Award { owner: Index, to: Index, parts: u16 },
    Overturn { dispute: Index, to: Option<Index> },
    Freeze { dispute: Index },
    Redirect { dispute: Index, to: Index, by: Index, with_money: bool },
    Dismiss { dispute: Index, by: Index },
    Appeal { dispute: Index },
    Pass { days: u64 },
}

fn deed() -> impl Strategy<Value = Deed> {
    use Deed::*;
    let of = any::<Index>;
    prop_oneof![
        6 => (of(), 1..900_000u64).prop_map(|(contract, gross)| Pay { contract, gross }),
        1 => (of(), 0..=10_000u64).prop_map(|(payment, net_bp)| Refund { payment, net_bp }),
        1 => of().prop_map(|payment| Void { payment }),
        1 => (of(), 0..=10_000u64).prop_map(|(payment, net_bp)| Order { payment, net_bp }),
        1 => of().prop_map(|contract| Confirm { contract }),
        3 => (of(), 0..10_000u16).prop_map(|(to, chest)| Transfer { to, chest }),
        8 => (of(), 1..=12_000u64)
            .prop_map(|(owner, bp)| PayOut { owner, bp: bp.min(10_000) }),
        1 => (of(), 1..=10_000u64).prop_map(|(owner, bp)| SetOff { owner, bp }),
        2 => (of(), 1..=10_000u16).prop_map(|(owner, parts)| Dispute { owner, parts }),
        6 => (of(), of(), 1..=10_000u16)
            .prop_map(|(owner, to, parts)| Award { owner, to, parts }),
        2 => (of(), prop::option::of(of())).prop_map(|(dispute, to)| Overturn { dispute, to }),
        1 => of().prop_map(|dispute| Freeze { dispute }),
        2 => (of(), of(), of(), prop::bool::weighted(0.9)).prop_map(
            |(dispute, to, by, with_money)| Redirect { dispute, to, by, with_money }
        ),
        1 => (of(), of()).prop_map(|(dispute, by)| Dismiss { dispute, by }),
        1 => of().prop_map(|dispute| Appeal { dispute }),
        6 => (1..40u64).prop_map(|days| Pass { days }),
    ]
}

/// What must not change by a deed, or only so.
#[derive(Clone, PartialEq, Eq)]
enum Effect {
    /// Nothing falls away: no line shrinks, nobody becomes overpaid.
    Adds,
    /// Money moves between lines; what is there stays, but for what rounding takes. Whoever had an
    /// award, and was paid nothing of it, may lose it.
    Moves(Option<String>),
    /// Something is given back, or is to be.
    TakesBack,
}

struct Played {
    w: World,
    contracts: Vec<(ContractId, bool)>,
    payments: Vec<PaymentId>,
    disputes: Vec<DisputeId>,
    deeds: usize,
    gave_back: bool,
}

fn of_chest(statement: &AccountStatement) -> BTreeMap<String, Balance> {
    let holding = |b: &&Balance| b.name == CHEST_RAW && b.right == Right::Holding;
    let all = statement.balances.iter().filter(holding);
    all.map(|b| (b.party.to_string(), b.clone())).collect()
}

/// What was set off with a line, and paid of it.
fn had(b: &Balance) -> i128 {
    i128::from(b.paid) - i128::from(b.set_off)
}

/// What a line has, and what of it is confirmed.
fn has(b: &Balance) -> (i128, i128) {
    let all = i128::from(b.entitled) + i128::from(b.adjusted);
    (all, all - i128::from(b.held))
}

/// What was paid to others beyond what their lines have.
fn overpaid(statement: &AccountStatement, but_to: &Option<String>) -> i128 {
    let others = statement.balances.iter().filter(|b| but_to.as_deref() != Some(b.party.as_str()));
    others.map(|b| i128::from(b.overpaid)).sum()
}

impl Played {
    fn begin() -> Self {
        let mut w = World::contracted();
        let mut contracts = vec![(w.contract(), false)];
        for _ in 0..2 {
            w.propose(PRICE);
            w.sign_by_all();
            contracts.push((w.contract(), false));
        }
        let (payments, disputes) = (Vec::new(), Vec::new());
        let mut played = Played { w, contracts, payments, disputes, deeds: 0, gave_back: false };
        played.pay(0, 1_000_000);
        played.confirm(0);
        played
    }

    fn reference(&mut self) -> String {
        self.deeds += 1;
        format!("R-{}", self.deeds)
    }

    fn pay(&mut self, contract: usize, gross: u64) {
        let reference = self.reference();
        let event = pay(self.contracts[contract].0, gross, gross / 20, &reference);
        self.payments.push(self.w.record(GZ, event).payment());
    }

    fn record(&self, dispute: &DisputeId) -> DisputeRecord {
        self.w.state.get(&Key::Dispute(*dispute)).unwrap().unwrap()
    }

    /// To whom the first ruling gave the share.
    fn awarded(&self, dispute: &DisputeId) -> Option<String> {
        match &self.record(dispute).rulings.first()?.ruling {
            Ruling::Redirect(redirect) => Some(redirect.to.to_string()),
            _ => None,
        }
    }

    fn confirm(&mut self, contract: usize) {
        let (id, is_confirmed) = self.contracts[contract];
        if !is_confirmed {
            self.w.record(INSIGHT, deliver(id));
            self.w.record(BUYER, confirm(id));
            self.contracts[contract].1 = true;
        }
    }

    fn transfer(&mut self, to: &str, chest: u16) {
        let owners: Vec<_> =
            [(CHEST, chest), (to, 10_000 - chest)].into_iter().filter(|o| o.1 > 0).collect();
        let record = self.w.asset_record(CHEST_RAW);
        let asset = self.w.asset(CHEST_RAW);
        let manager = self.w.state.right(&asset, &record, Right::Holding).unwrap().manager;
        let bytes = self.w.by(manager.as_str(), transfer(asset, Right::Holding, &owners));
        let Ok(proposed) = self.w.submit(&bytes) else { return };
        let id = proposed.transfer();
        for member in OWNERS {
            let bytes = self.w.by(member, accept_transfer(id));
            let _ = self.w.submit(&bytes);
        }
    }

    fn pay_out(&mut self, owner: &str, bp: u64) {
        let reference = self.reference();
        let Some(balance) = of_chest(&self.w.statement()).remove(owner) else {
            let event = self.w.payout(owner, 1, &reference);
            assert_eq!(self.w.refused(GZ, event), Code::NoSuchLine);
            return;
        };
        let above = self.w.payout(owner, balance.payable + 1, &reference);
        assert_eq!(self.w.refused(GZ, above), Code::PayoutAbovePayable);
        let amount = balance.payable * bp / 10_000;
        if amount > 0 {
            let event = self.w.payout(owner, amount, &reference);
            self.w.record(GZ, event);
        }
    }

    /// Sets off what is payable on some other line of an owner against what he was overpaid.
    fn set_off(&mut self, owner: &str, bp: u64) {
        let statement = self.w.statement();
        let own = || statement.balances.iter().filter(|b| b.party.as_str() == owner);
        let from = own().find(|b| b.payable > 0);
        let to = own().find(|b| had(b) > has(b).1);
        let Some((from, to)) = from.zip(to) else { return };
        let most = i128::from(from.payable).min(had(to) - has(to).1) as u64;
        let of = |b: &Balance| ProvedLine {
            claim: self.w.claim(REPORT, &b.asset, b.right),
            owner: b.party.clone(),
        };
        let (from, to) = (of(from), of(to));
        let account = self.w.account(REPORT, GZ).0;
        let event = |amount| {
            let (from, to) = (from.clone(), to.clone());
            SetOffOverpayment { account, from, to, amount }
        };
        let refused = self.w.refused(GZ, event(most + 1));
        assert!(matches!(refused, Code::SetOffAbovePayable | Code::SetOffAboveOverpaid));
        let amount = most * bp / 10_000;
        if amount > 0 {
            self.w.record(GZ, event(amount));
        }
    }

    /// Somebody who has not done so before disputes a share, as much of it as its owner has had.
    fn dispute(&mut self, owner: &str, parts: u16) -> Option<DisputeId> {
        let opener = format!("opener-{}", self.disputes.len());
        if self.w.state.member(&handle(&opener)).unwrap().is_none() {
            self.w.record(GZ, admit(&opener, Role::Holder));
        }
        for parts in [parts, parts / 3, parts / 9, parts / 81] {
            let share = slice(self.w.asset(CHEST_RAW), Right::Holding, owner, parts);
            let bytes = self.w.by(&opener, dispute(Subject::Share(share)));
            if let Ok(opened) = self.w.submit(&bytes) {
                self.disputes.push(opened.dispute());
                return Some(opened.dispute());
            }
        }
        None
    }

    /// Rules, and when the ruling is refused says why.
    fn rule(&mut self, dispute: DisputeId, by: usize, ruling: Ruling) -> Option<Code> {
        let code = self.w.tried(ARBITERS[by % 2], rule(dispute, ruling.clone()))?;
        if code == Code::SameArbiter {
            return self.w.tried(ARBITERS[(by + 1) % 2], rule(dispute, ruling));
        }
        Some(code)
    }

    fn play(&mut self, deed: &Deed) -> Effect {
        let payment = |payment: &Index, played: &Self| *payment.get(&played.payments);
        match deed {
            Deed::Pay { contract, gross } => {
                self.pay(contract.index(self.contracts.len()), *gross);
            }
            Deed::Refund { payment: of, net_bp } => {
                let reference = self.reference();
                let id = payment(of, self);
                let record = self.w.state.payment(&id).unwrap().unwrap();
                let net = (record.amounts.net - record.refunded.net) * net_bp / 10_000;
                let _ = self.w.tried(GZ, refund(id, [net, 0, 0], &reference));
                return Effect::TakesBack;
            }
            Deed::Void { payment: of } => {
                let id = payment(of, self);
                let _ = self.w.tried(GZ, void_payment(id));
                return Effect::TakesBack;
            }
            Deed::Order { payment: of, net_bp } => {
                let id = payment(of, self);
                let bytes = self.w.by(BUYER, dispute(Subject::Payment(id)));
                let case = self.w.submit(&bytes).unwrap().dispute();
                let record = self.w.state.payment(&id).unwrap().unwrap();
                let net = (record.amounts.net - record.refunded.net) * net_bp / 10_000;
                let order = Ruling::Refund(RefundOrder { net, fee: 0, tax: 0 });
                let _ = self.rule(case, 0, order);
                self.disputes.push(case);
                return Effect::TakesBack;
            }
            Deed::Confirm { contract } => self.confirm(contract.index(self.contracts.len())),
            Deed::Transfer { to, chest } => self.transfer(OWNERS[1 + to.index(3)], *chest),
            Deed::PayOut { owner, bp } => self.pay_out(OWNERS[owner.index(OWNERS.len())], *bp),
            Deed::SetOff { owner, bp } => self.set_off(OWNERS[owner.index(4)], *bp),
            Deed::Dispute { owner, parts } => {
                let _ = self.dispute(OWNERS[owner.index(4)], *parts);
            }
            Deed::Award { owner, to, parts } => {
                if let Some(case) = self.dispute(OWNERS[owner.index(4)], *parts) {
                    let ruling = redirect(OWNERS[to.index(4)], &[self.w.earlier_money()]);
                    let _ = self.rule(case, 0, ruling);
                }
                return Effect::Moves(None);
            }
            Deed::Overturn { dispute, to } => {
                if self.disputes.is_empty() {
                    return Effect::Adds;
                }
                let case = *dispute.get(&self.disputes);
                let (opener, awarded) = (self.record(&case).opener, self.awarded(&case));
                let _ = self.w.tried(opener.as_str(), appeal(case));
                let ruling = match to {
                    Some(to) => redirect(OWNERS[to.index(4)], &[self.w.earlier_money()]),
                    None => Ruling::Dismiss,
                };
                let _ = self.rule(case, 0, ruling);
                // What an order of a refund held is free again, or more is held.
                let is_share = matches!(self.record(&case).subject, Subject::Share(_));
                return if is_share { Effect::Moves(awarded) } else { Effect::TakesBack };
            }
            Deed::Pass { days } => self.w.pass(days * DAY_MS),
            _ if self.disputes.is_empty() => {}
            Deed::Freeze { dispute } => {
                let until = self.w.now_ms + 90 * DAY_MS;
                let dispute = *dispute.get(&self.disputes);
                let _ = self.w.tried(REGULATOR, freeze(dispute, until));
            }
            Deed::Redirect { dispute, to, by, with_money } => {
                let dispute = *dispute.get(&self.disputes);
                let awarded = self.awarded(&dispute);
                let adjustments = if *with_money { vec![self.w.earlier_money()] } else { vec![] };
                let ruling = redirect(OWNERS[to.index(OWNERS.len())], &adjustments);
                let _ = self.rule(dispute, by.index(2), ruling);
                return Effect::Moves(awarded);
            }
            Deed::Dismiss { dispute, by } => {
                let dispute = *dispute.get(&self.disputes);
                let awarded = self.awarded(&dispute);
                let _ = self.rule(dispute, by.index(2), Ruling::Dismiss);
                return Effect::Moves(awarded);
            }
            Deed::Appeal { dispute } => {
                let dispute = *dispute.get(&self.disputes);
                let opener = self.record(&dispute).opener;
                let _ = self.w.tried(opener.as_str(), appeal(dispute));
            }
        }
        Effect::Adds
    }

    /// What rounding may cost or give: a minor unit for each part of each epoch.
    fn rounding(&self, statement: &AccountStatement) -> i128 {
        let epochs = self.w.epochs(&self.w.asset(CHEST_RAW), Right::Holding).unwrap();
        let lines: usize = epochs.iter().map(|epoch| epoch.owners.len()).sum();
        (lines + statement.cuts.len() * epochs.len()) as i128
    }

    fn check(&mut self, before: &AccountStatement, effect: Effect) {
        let after = self.w.statement();
        let mut sum = i128::from(after.residue);
        for b in &after.balances {
            let due = has(b).0 + i128::from(b.set_off) + i128::from(b.overpaid);
            let is = [b.held, b.frozen, b.paid, b.payable].map(i128::from);
            assert_eq!(due, is.iter().sum::<i128>(), "{b:?}");
            assert!(b.payable == 0 || b.overpaid == 0);
            assert!(has(b).1 >= 0, "nobody has less than nothing: {b:?}");
            sum += has(b).0;
        }
        assert_eq!(sum, i128::from(after.remaining.net), "no minor unit is lost");
        let rounding = self.rounding(&after);
        let others = after.balances.len() as i128;
        assert!(i128::from(after.residue) <= rounding + others, "what rounding takes is small");
        let paid: u64 = after.balances.iter().map(|b| b.paid).sum();
        if !self.gave_back && effect != Effect::TakesBack {
            assert!(paid <= after.confirmed_net, "nothing is paid twice");
        }
        self.gave_back |= effect == Effect::TakesBack;
        let (was, is) = (of_chest(before), of_chest(&after));
        let (slack, loses) = match effect {
            Effect::Moves(ref loses) => (rounding, loses.clone()),
            Effect::Adds | Effect::TakesBack => (0, None),
        };
        if effect != Effect::TakesBack {
            let more = overpaid(&after, &loses) - overpaid(before, &loses);
            assert!(more <= slack, "{more} more than what they have was paid to some");
        }
        if effect == Effect::Adds {
            for (party, b) in &was {
                let (was, is) = (has(b), has(&is[party]));
                assert!(was.0 <= is.0 && was.1 <= is.1, "the line of {party} shrinks");
            }
        }
    }

    /// A share given away and given back leaves everything as it was, but for rounding.
    fn check_reversal(&mut self, owner: &str, to: &str) {
        let Some(last) = self.dispute(owner, 10_000) else { return };
        let opener = self.record(&last).opener;
        let mut played = World::clone(&self.w);
        let before = of_chest(&played.statement());
        let ruling = redirect(to, &[self.w.earlier_money()]);
        if played.tried(REGULATOR, rule(last, ruling)).is_some() {
            return;
        }
        for owner in OWNERS {
            if !of_chest(&played.statement()).contains_key(owner) {
                continue;
            }
            // What was awarded is held: it is not paid out.
            let payable = of_chest(&played.statement())[owner].payable;
            if payable > 0 {
                let event = played.payout(owner, payable, &format!("L-{owner}"));
                played.record(GZ, event);
            }
        }
        assert_eq!(played.tried(opener.as_str(), appeal(last)), None);
        played.pass(200 * DAY_MS);
        let code = played.tried(BUREAU, rule(last, Ruling::Dismiss));
        assert_eq!(code, None, "a redirect can be undone");
        let statement = played.statement();
        let (after, rounding) = (of_chest(&statement), self.rounding(&statement));
        for (party, b) in &before {
            let (was, is) = (has(b), has(&after[party]));
            assert!((was.0 - is.0).abs() <= rounding, "{party}: {was:?} is {is:?}");
            assert!((was.1 - is.1).abs() <= rounding, "{party}: {was:?} is {is:?}");
        }
    }

    /// Decides what is open, confirms what waits, closes the account, and pays everything out.
    fn close(&mut self) {
        for n in 0..self.contracts.len() {
            self.confirm(n);
        }
        for dispute in self.disputes.clone() {
            if matches!(self.record(&dispute).status, DisputeStatus::Open | DisputeStatus::Appealed)
            {
                let code = self.rule(dispute, 0, Ruling::Dismiss);
                assert_eq!(code, None, "every dispute can be decided");
            }
        }
        for payment in self.payments.clone() {
            let ordered = self.w.state.payment(&payment).unwrap().unwrap().ordered;
            if ordered.net > 0 {
                let reference = self.reference();
                self.w.record(GZ, refund(payment, [ordered.net, 0, 0], &reference));
            }
        }
        let (account, _) = self.w.account(REPORT, GZ);
        if !self.disputes.is_empty() {
            assert_eq!(self.w.refused(GZ, close(account)), Code::AccountNotSettled);
        }
        self.w.pass(400 * DAY_MS);
        for (contract, _) in self.contracts.clone() {
            for party in [BUYER, INSIGHT] {
                let _ = self.w.tried(party, terminate(contract));
            }
        }
        self.w.record(GZ, close(account));
        assert_eq!(self.w.statement().residue, 0);
        self.w.pay_out_closed();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Holds [LED-DSP-4], [LED-DSP-5], [LED-DSP-7], [LED-DSP-8], [LED-DSP-9], [LED-REV-10] and
    /// [LED-MNY-6].
    #[test]
    fn what_rulings_move_is_neither_lost_nor_paid_twice(
        deeds in prop::collection::vec(deed(), 1..90),
        last in any::<(Index, Index)>(),
        may_give_back in any::<bool>(),
    ) {
        let mut played = Played::begin();
        let gives_back = |deed: &Deed| {
            matches!(deed, Deed::Refund { .. } | Deed::Void { .. } | Deed::Order { .. })
        };
        for deed in deeds.iter().filter(|deed| may_give_back || !gives_back(deed)) {
            let before = played.w.statement();
            let effect = played.play(deed);
            played.check(&before, effect);
        }
        played.check_reversal(OWNERS[last.0.index(4)], OWNERS[last.1.index(4)]);
        played.close();
    }
}

/// A confirmed sale of a right that has changed hands as often as it can.
fn much_transferred() -> World {
    let mut w = World::confirmed();
    let chest = w.asset(CHEST_RAW);
    for epoch in 1..MAX_EPOCHS {
        let owners = vec![Owner { member: handle(CHEST), parts: 10_000 }];
        let record = EpochRecord { start_seq: 1_000_000 + u64::from(epoch), height: 1, owners };
        w.put(&Key::Epoch(chest, Right::Holding, epoch), &record);
    }
    w.put(&Key::Ordinal, &2_000_000u64);
    w
}

fn at_epoch(w: &mut World, epoch: u32) {
    let manager = handle(CHEST);
    let head =
        RightRecord { epoch, changes: epoch, manager, threshold_parts: None, signed: Vec::new() };
    w.put(&Key::Right(w.asset(CHEST_RAW), Right::Holding), &head);
}

/// Holds [LED-LIM-2] and [LED-DSP-7]: however often a right has changed hands, what it has earned
/// can be redirected.
#[test]
fn a_right_that_has_changed_hands_often_can_be_redirected() {
    let mut w = much_transferred();
    at_epoch(&mut w, MAX_EPOCHS - RULING_EPOCHS);
    let share = slice(w.asset(CHEST_RAW), Right::Holding, CHEST, 5_000);
    let id = w.record(COUNTY, dispute(Subject::Share(share))).dispute();
    let ruling = redirect(COUNTY, &[w.earlier_money()]);
    w.record(REGULATOR, rule(id, ruling));
    assert!(w.balance(COUNTY).frozen > 0);
}

/// Holds [LED-LIM-2] and [LED-MNY-2]: a line of a right with as many epochs, cuts and holds as there
/// can be is paid out.
#[test]
fn the_longest_line_is_paid_out() {
    let mut w = much_transferred();
    at_epoch(&mut w, MAX_EPOCHS - 1);
    let id = |n: usize| DisputeId::from_digest(digest(&format!("dispute {n}")));
    let cut = |n: usize| CutRecord {
        dispute: id(n),
        owner: handle(CHEST),
        runs: (0..MAX_EPOCHS)
            .step_by(2)
            .map(|e| Run { first: e, before: e + 1, parts: 1 })
            .collect(),
        kept: vec![Kept { member: handle(COUNTY), amount: 1 }; MAX_CUTS],
        holder: handle(CHEST),
    };
    let kind = |n: usize| if n < MAX_HOLDS { HoldKind::Cooling } else { HoldKind::Frozen };
    let hold = |n: usize| Hold {
        dispute: id(n),
        owner: handle(CHEST),
        parts: 1,
        kind: kind(n),
        until_ms: u64::MAX,
        appealed_until_ms: u64::MAX,
    };
    let chest = w.asset(CHEST_RAW);
    let cuts: Vec<CutRecord> = (0..MAX_CUTS).map(cut).collect();
    w.put(&Key::Cuts(w.account(REPORT, GZ).0, chest, Right::Holding), &cuts);
    let holds: Vec<Hold> = (0..MAX_HOLDS + MAX_FREEZES).map(hold).collect();
    w.put(&Key::Holds(chest, Right::Holding), &holds);
    let payable = w.balance(CHEST).payable;
    let above = w.payout(CHEST, payable + 1, "P-1");
    assert_eq!(w.refused(GZ, above), Code::PayoutAbovePayable);
    let event = w.payout(CHEST, payable, "P-1");
    w.record(GZ, event);
}
