//! Set-offs on random histories: a member has what it had, nothing becomes payable by them, and
//! what they leave is what a payout on the other line would have left.

use std::collections::BTreeMap;

use headwater_ledger::event::dispute::{Adjustment, Subject};
use headwater_ledger::event::market::ProvedLine;
use headwater_ledger::event::{RecordPayout, SetOffOverpayment};
use headwater_ledger::hash::{AggregateId, ContractId, PaymentId};
use headwater_ledger::query::{AccountStatement, Balance};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::Records;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::payouts::*;
use crate::support::story::*;
use crate::support::*;

#[derive(Debug, Clone)]
enum Deed {
    Pay { gross: u64 },
    Refund { payment: Index, net_bp: u64 },
    PayOut { line: Index, bp: u64 },
    Hold { line: Index, parts: u16 },
    Later,
    SetOff { from: Index, to: Index, any: bool, bp: u64 },
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        2 => (1..3_000_000u64).prop_map(|gross| Deed::Pay { gross }),
        3 => (any::<Index>(), 1_000..=10_000u64)
            .prop_map(|(payment, net_bp)| Deed::Refund { payment, net_bp }),
        4 => (any::<Index>(), 5_000..=10_000u64).prop_map(|(line, bp)| Deed::PayOut { line, bp }),
        1 => (any::<Index>(), 1..=10_000u16).prop_map(|(line, parts)| Deed::Hold { line, parts }),
        1 => Just(Deed::Later),
        6 => (any::<Index>(), any::<Index>(), prop::bool::weighted(0.2), 1..=10_000u64)
            .prop_map(|(from, to, any, bp)| Deed::SetOff { from, to, any, bp }),
    ]
}

struct Played {
    w: World,
    contract: ContractId,
    payments: Vec<PaymentId>,
    deeds: usize,
    set_off: u64,
}

/// What a line has left: payable, or overpaid when it is below 0.
fn left(b: &Balance) -> i128 {
    i128::from(b.payable) - i128::from(b.overpaid)
}

fn by_member(statement: &AccountStatement) -> BTreeMap<String, i128> {
    let mut sums = BTreeMap::new();
    for b in &statement.balances {
        *sums.entry(b.party.to_string()).or_default() += left(b);
    }
    sums
}

impl Played {
    fn begin() -> Self {
        let mut w = World::confirmed();
        let first = w.payment();
        // More can be paid and is confirmed at once.
        w.propose(PRICE);
        w.sign_by_all();
        let contract = w.contract();
        w.deliver_and_confirm();
        Played { w, contract, payments: vec![first], deeds: 0, set_off: 0 }
    }

    fn proved(&self, b: &Balance) -> ProvedLine {
        ProvedLine { claim: self.w.claim(REPORT, &b.asset, b.right), owner: b.party.clone() }
    }

    fn set_off(&self, from: &Balance, to: &Balance, amount: u64) -> SetOffOverpayment {
        let account = self.w.account(REPORT, GZ).0;
        SetOffOverpayment { account, from: self.proved(from), to: self.proved(to), amount }
    }

    fn play(&mut self, deed: &Deed) {
        self.deeds += 1;
        let reference = format!("R-{}", self.deeds);
        let statement = self.w.statement();
        let balances = &statement.balances;
        match deed {
            Deed::Pay { gross } => {
                let event = pay(self.contract, *gross, 0, &reference);
                self.payments.push(self.w.record(GZ, event).payment());
            }
            Deed::Refund { payment, net_bp } => {
                let payment = self.payments[payment.index(self.payments.len())];
                let record = self.w.state.payment(&payment).unwrap().unwrap();
                let net = (record.amounts.net - record.refunded.net) * net_bp / 10_000;
                if net > 0 {
                    self.w.record(GZ, refund(payment, [net, 0, 0], &reference));
                }
            }
            Deed::PayOut { line, bp } => {
                let balance = &balances[line.index(balances.len())];
                let amount = balance.payable * bp / 10_000;
                if amount > 0 {
                    let ProvedLine { claim, owner } = self.proved(balance);
                    let bank_reference = reference.parse().unwrap();
                    let account = self.w.account(REPORT, GZ).0;
                    self.w
                        .record(GZ, RecordPayout { account, claim, owner, amount, bank_reference });
                }
            }
            Deed::Hold { line, parts } => {
                let b = &balances[line.index(balances.len())];
                let share = slice(b.asset, b.right, b.party.as_str(), *parts);
                let event = dispute(Subject::Share(share));
                // Who holds it already, or is a party, cannot.
                let _ = self.w.tried(APPRAISER, event);
            }
            Deed::Later => self.w.now_ms += 8 * DAY_MS,
            Deed::SetOff { from, to, any, bp } => {
                // The company has two lines.
                let own: Vec<&Balance> =
                    balances.iter().filter(|b| *any || b.party.as_str() == INSIGHT).collect();
                let of = |index: &Index| own[index.index(own.len())].clone();
                self.attempt(&statement, &of(from), &of(to), *bp);
            }
        }
    }

    /// One fen more than can be is refused; what can be moves, and nothing else changes.
    fn attempt(&mut self, before: &AccountStatement, from: &Balance, to: &Balance, bp: u64) {
        let refused = |played: &mut Self, amount| {
            let event = played.set_off(from, to, amount);
            played.w.refused(GZ, event)
        };
        if (from.asset, from.right, &from.party) == (to.asset, to.right, &to.party) {
            assert_eq!(refused(self, 1), Code::SameLine);
            return;
        }
        if from.party != to.party {
            assert_eq!(refused(self, 1), Code::OwnersDiffer);
            return;
        }
        let overpaid = to.overpaid.saturating_sub(to.frozen);
        let most = from.payable.min(overpaid);
        let above = refused(self, most + 1);
        let code =
            if most == from.payable { Code::SetOffAbovePayable } else { Code::SetOffAboveOverpaid };
        assert_eq!(above, code);
        let amount = most * bp / 10_000;
        if amount == 0 {
            return;
        }
        let event = self.set_off(from, to, amount);
        self.w.record(GZ, event);
        self.set_off += amount;
        let after = self.w.statement();
        assert_eq!(by_member(&after), by_member(before), "everybody has what he had");
        assert_eq!((&after.lines, after.residue), (&before.lines, before.residue));
        assert_eq!(after.set_offs.len(), before.set_offs.len() + 1);
        for (was, is) in before.balances.iter().zip(&after.balances) {
            assert!(is.payable <= was.payable && is.overpaid <= was.overpaid, "{was:?} {is:?}");
            let same = (was.entitled, was.adjusted, was.held, was.frozen, was.paid);
            assert_eq!(same, (is.entitled, is.adjusted, is.held, is.frozen, is.paid));
        }
        // When every hold is over, what was met is still not payable.
        let account = after.account;
        let late = self.w.now_ms + 400 * DAY_MS;
        let product = self.w.asset(REPORT);
        let late = headwater_ledger::query::product_statement(&self.w, &product, late).unwrap();
        let late = late.accounts.iter().find(|a| a.account == account).unwrap();
        let of = |b: &&Balance| (b.asset, b.right, &b.party) == (to.asset, to.right, &to.party);
        assert_eq!(late.balances.iter().find(of).unwrap().payable, 0);
    }

    fn check(&self) {
        let statement = self.w.statement();
        let entitled: u64 = statement.lines.iter().map(|l| l.entitled).sum();
        assert_eq!(entitled + statement.residue, statement.remaining.net, "no fen is lost");
        let set_off: i64 = statement.balances.iter().map(|b| b.set_off).sum();
        assert_eq!(set_off, 0, "what is set off away arrives");
        let moved: u64 = statement.set_offs.iter().map(|s| s.amount).sum();
        assert_eq!(moved, self.set_off, "every set-off is listed");
        for b in &statement.balances {
            let has = i128::from(b.entitled) + i128::from(b.adjusted) + i128::from(b.set_off);
            let falls: i128 = [b.held, b.frozen, b.paid, b.payable].map(i128::from).iter().sum();
            assert_eq!(has + i128::from(b.overpaid), falls, "{b:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Holds [LED-MNY-6] and [LED-MNY-7].
    #[test]
    fn a_set_off_pays_nobody_and_takes_from_nobody(
        deeds in prop::collection::vec(deed(), 8..24),
    ) {
        let mut played = Played::begin();
        for deed in &deeds {
            played.play(deed);
            played.check();
        }
    }
}

/// Holds [LED-MNY-7]: paying all lines after a set-off pays what paying the net of the member would.
#[test]
fn after_a_set_off_only_the_rest_is_paid() {
    let mut w = World::overpaid();
    w.record(GZ, w.set_off(7_500_000));
    let (from, to) = (
        w.balance_of(REPORT, Right::Operation, INSIGHT),
        w.balance_of(REPORT, Right::Processing, INSIGHT),
    );
    assert_eq!((from.payable, from.overpaid, from.set_off), (26_462_264, 0, -7_500_000));
    assert_eq!((to.payable, to.overpaid, to.set_off), (0, 0, 7_500_000));
    // 339 622.64 and 203 773.58 less the 278 773.58 that it has.
    assert_eq!(from.payable, 33_962_264 + 20_377_358 - 27_877_358);
}

/// Holds [LED-MNY-7]: a suspended member is set off, and a closed account.
#[test]
fn a_suspension_or_a_closing_does_not_keep_from_setting_off() {
    let mut w = World::overpaid();
    w.record(REGULATOR, suspend(INSIGHT));
    w.record(GZ, w.set_off(1_000_000));
    let account = w.account(REPORT, GZ).0;
    w.pass(31 * DAY_MS);
    w.record(GZ, close(account));
    let of = |w: &World, right| left(&w.balance_of(REPORT, right, INSIGHT));
    let (from, to) = (of(&w, Right::Operation), of(&w, Right::Processing));
    // The closing may have given the line one fen.
    assert!((-6_500_000..=-6_499_999).contains(&to), "{to}");
    w.record(GZ, w.set_off((-to) as u64));
    assert_eq!((of(&w, Right::Operation), of(&w, Right::Processing)), (from + to, 0));
    assert_eq!(w.refused(GZ, w.set_off(1)), Code::SetOffAboveOverpaid);
}

/// Holds [LED-AGG-2] and [LED-MNY-7]: behind each line the sources get their part of what their line
/// brought in the end, wherever the owner got it.
#[test]
fn sources_follow_their_line_through_a_set_off() {
    let mut w = World::overpaid();
    let account = w.account(REPORT, GZ).0;
    let mut sealed = |right| {
        let event = seal(w.asset(REPORT), right);
        (AggregateId::from_digest(w.record(INSIGHT, event).first()), account)
    };
    let (operation, processing) = (sealed(Right::Operation), sealed(Right::Processing));
    assert_eq!(w.refused(INSIGHT, pay_source(operation, 2, 1, "S-1")), Code::SourceAboveDue);
    w.record(GZ, w.set_off(7_500_000));
    // Four sevenths of 75 000.00 that it had before, and of the 203 773.58 that were its own.
    for (of, due) in [(operation, 7_500_000 * 4 / 7), (processing, 20_377_358 * 4 / 7)] {
        let reference = format!("S-{due}");
        assert_eq!(
            w.refused(INSIGHT, pay_source(of, 2, due + 1, &reference)),
            Code::SourceAboveDue
        );
        w.record(INSIGHT, pay_source(of, 2, due, &reference));
    }
}

/// Holds [LED-DSP-7] and [LED-MNY-7]: what was set off away counts as paid, and is not redirected.
#[test]
fn what_was_set_off_away_stays_with_whom_it_served() {
    let mut w = World::overpaid();
    w.record(GZ, w.set_off(7_500_000));
    let share = slice(w.asset(REPORT), Right::Operation, INSIGHT, 10_000);
    let id = w.record(COUNTY, dispute(Subject::Share(share))).dispute();
    let account = w.account(REPORT, GZ).0;
    let claim = w.line(REPORT, Right::Operation, INSIGHT).claim;
    w.record(REGULATOR, rule(id, redirect(COUNTY, &[Adjustment { account, claim }])));
    let awarded = w.balance_of(REPORT, Right::Operation, COUNTY);
    assert_eq!((awarded.adjusted, awarded.payable), (33_962_264 - 7_500_000, 0));
    assert_eq!(left(&w.balance_of(REPORT, Right::Operation, INSIGHT)), 0);
}
