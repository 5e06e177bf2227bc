//! Money on random histories of payments, refunds, voids, deliveries, transfers, payouts and
//! closings: no minor unit is lost, and nobody is paid what is not payable.

use headwater_ledger::hash::{AggregateId, ContractId, PaymentId};
use headwater_ledger::limits::MAX_EPOCHS;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::{ContractStatus, Records};
use headwater_ledger::state::{Key, View};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::market::terminate;
use crate::support::payouts::*;
use crate::support::story::*;
use crate::support::*;

#[derive(Debug, Clone)]
enum Deed {
    Pay { contract: Index, gross: u64 },
    Refund { payment: Index, net_bp: u64 },
    Void { payment: Index },
    Confirm { contract: Index },
    Transfer { chest: u16 },
    PayOut { line: Index, bp: u64 },
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (any::<Index>(), 1..3_000_000u64)
            .prop_map(|(contract, gross)| Deed::Pay { contract, gross }),
        2 => (any::<Index>(), 0..=10_000u64)
            .prop_map(|(payment, net_bp)| Deed::Refund { payment, net_bp }),
        1 => any::<Index>().prop_map(|payment| Deed::Void { payment }),
        2 => any::<Index>().prop_map(|contract| Deed::Confirm { contract }),
        2 => (1..10_000u16).prop_map(|chest| Deed::Transfer { chest }),
        4 => (any::<Index>(), 1..=10_000u64).prop_map(|(line, bp)| Deed::PayOut { line, bp }),
    ]
}

/// A payment as the model holds it: a row of its own, and who owned when it was made.
struct Paid {
    id: PaymentId,
    contract: usize,
    left: u64,
    is_untouched: bool,
    chest_parts: u16,
    epoch: u64,
}

struct Played {
    w: World,
    contracts: Vec<(ContractId, bool)>,
    paid: Vec<Paid>,
    chest_parts: u16,
    epoch: u64,
    deeds: usize,
}

impl Played {
    fn begin() -> Self {
        let mut w = World::contracted();
        let first = w.contract();
        w.propose(PRICE);
        w.sign_by_all();
        let contracts = vec![(first, false), (w.contract(), false)];
        Played { w, contracts, paid: Vec::new(), chest_parts: 10_000, epoch: 0, deeds: 0 }
    }

    fn reference(&mut self) -> String {
        self.deeds += 1;
        format!("R-{}", self.deeds)
    }

    fn play(&mut self, deed: &Deed) {
        let reference = self.reference();
        match deed {
            Deed::Pay { contract, gross } => {
                let contract = contract.index(self.contracts.len());
                let event = pay(self.contracts[contract].0, *gross, gross / 20, &reference);
                let id = self.w.record(GZ, event).payment();
                let net = self.w.state.payment(&id).unwrap().unwrap().amounts.net;
                let (chest_parts, epoch) = (self.chest_parts, self.epoch);
                let is_untouched = true;
                let left = net;
                let paid = Paid { id, contract, left, is_untouched, chest_parts, epoch };
                self.paid.push(paid);
            }
            Deed::Refund { payment, net_bp } if !self.paid.is_empty() => {
                let payment = payment.index(self.paid.len());
                let payment = &mut self.paid[payment];
                let net = payment.left * net_bp / 10_000;
                if net > 0 {
                    self.w.record(GZ, refund(payment.id, [net, 0, 0], &reference));
                    payment.left -= net;
                    payment.is_untouched = false;
                }
            }
            Deed::Void { payment } if !self.paid.is_empty() => {
                let payment = payment.index(self.paid.len());
                let payment = &mut self.paid[payment];
                let event = void_payment(payment.id);
                if payment.is_untouched && payment.epoch < self.epoch {
                    // Its money has an owner who is another's now.
                    assert_eq!(self.w.refused(GZ, event), Code::VoidTooLate);
                } else if payment.is_untouched {
                    self.w.record(GZ, event);
                    (payment.left, payment.is_untouched) = (0, false);
                } else {
                    assert_eq!(self.w.refused(GZ, event), Code::PaymentClosed);
                }
            }
            Deed::Confirm { contract } => {
                let contract = contract.index(self.contracts.len());
                let (id, is_confirmed) = &mut self.contracts[contract];
                if !*is_confirmed {
                    self.w.record(INSIGHT, deliver(*id));
                    self.w.record(BUYER, confirm(*id));
                    *is_confirmed = true;
                }
            }
            Deed::Transfer { chest } if *chest != self.chest_parts => {
                let owners = [(CHEST, *chest), (FUND, 10_000 - chest)];
                let event = transfer(self.w.asset(CHEST_RAW), Right::Holding, &owners);
                let id = self.w.record(CHEST, event).transfer();
                // Whoever gains and owned before is not asked.
                let bytes = self.w.by(FUND, accept_transfer(id));
                let _ = self.w.submit(&bytes);
                self.chest_parts = *chest;
                self.epoch += 1;
            }
            Deed::PayOut { line, bp } if !self.paid.is_empty() => {
                let owners = if self.epoch > 0 { vec![CHEST, FUND] } else { vec![CHEST] };
                let owner = owners[line.index(owners.len())];
                let payable = self.w.balance(owner).payable;
                let above = self.w.payout(owner, payable + 1, &reference);
                assert_eq!(self.w.refused(GZ, above), Code::PayoutAbovePayable);
                let amount = payable * bp / 10_000;
                if amount > 0 {
                    let event = self.w.payout(owner, amount, &reference);
                    self.w.record(GZ, event);
                }
            }
            Deed::Refund { .. }
            | Deed::Void { .. }
            | Deed::Transfer { .. }
            | Deed::PayOut { .. } => {}
        }
    }

    /// What the chest hospital earned by its holding right, payment by payment.
    fn of_chest(&self, units: u64, counts: impl Fn(&Paid) -> bool) -> u64 {
        let mut total = 0;
        for epoch in 0..=self.epoch {
            let of_epoch = || self.paid.iter().filter(|p| p.epoch == epoch && counts(p));
            let net: u64 = of_epoch().map(|p| p.left).sum();
            let parts = of_epoch().map(|p| p.chest_parts).next().unwrap_or(0);
            let earned = u128::from(units) * u128::from(net) / 10u128.pow(18);
            total += earned * u128::from(parts) / 10_000;
        }
        total as u64
    }

    fn check(&self) {
        let statement = self.w.statement();
        let left: u64 = self.paid.iter().map(|p| p.left).sum();
        assert_eq!(statement.remaining.net, left, "net of all payments");
        let confirmed = |p: &Paid| self.contracts[p.contract].1;
        let expected: u64 = self.paid.iter().filter(|p| confirmed(p)).map(|p| p.left).sum();
        assert_eq!(statement.confirmed_net, expected, "confirmed net");
        let (id, account) = self.w.account(REPORT, GZ);
        let waits = |(n, (_, is_confirmed)): (usize, &(ContractId, bool))| {
            !is_confirmed && self.paid.iter().any(|p| p.contract == n && p.left > 0)
        };
        let waiting = self.contracts.iter().enumerate().filter(|c| waits(*c)).count();
        assert_eq!(account.unconfirmed as usize, waiting, "contracts that wait");
        let owes = |(id, _): &&(ContractId, bool)| {
            let contract = self.w.state.contract(id).unwrap().unwrap();
            contract.status == ContractStatus::Open && contract.paid < contract.price
        };
        let owing = self.contracts.iter().filter(owes).count();
        assert_eq!(account.unpaid as usize, owing, "contracts that owe");
        let entitled: u64 = statement.lines.iter().map(|l| l.entitled).sum();
        assert_eq!(entitled + statement.residue, left, "no minor unit is lost");
        let mut adjusted = 0;
        for b in &statement.balances {
            let due = i128::from(b.entitled) + i128::from(b.adjusted) + i128::from(b.overpaid);
            let is = [b.held, b.frozen, b.paid, b.payable].map(i128::from);
            assert_eq!(due, is.iter().sum::<i128>(), "{b:?}");
            assert!(b.payable == 0 || b.overpaid == 0);
            adjusted += b.adjusted;
        }
        assert_eq!(adjusted, 0, "what is moved away arrives");
        let chest = self.w.balance(CHEST);
        let claim = self.w.claim(REPORT, &self.w.asset(CHEST_RAW), Right::Holding);
        assert_eq!(chest.entitled, self.of_chest(claim.units, |_| true));
        let free = self.of_chest(claim.units, confirmed);
        let left = i128::from(free) + i128::from(chest.adjusted) - i128::from(chest.paid);
        assert_eq!(i128::from(chest.payable) - i128::from(chest.overpaid), left);
        let payouts: u64 = statement.payouts.iter().map(|p| p.amount).sum();
        let paid: u64 = statement.balances.iter().map(|b| b.paid).sum();
        assert_eq!(payouts, paid, "every payout is on a line");
        let range = headwater_ledger::state::Relation::AccountPayouts(id);
        let listed = self.w.state.range(&range).unwrap().count();
        assert_eq!(listed, statement.payouts.len() as u64);
    }

    /// Ends what is not wholly paid, confirms what waits, closes the account, and pays everything
    /// out.
    fn close(&mut self) {
        let (account, record) = self.w.account(REPORT, GZ);
        if record.unpaid > 0 {
            assert_eq!(self.w.refused(GZ, close(account)), Code::AccountNotSettled);
        }
        for n in 0..self.contracts.len() {
            let id = self.contracts[n].0;
            for party in [BUYER, INSIGHT] {
                self.w.record(party, terminate(id));
            }
        }
        for n in 0..self.contracts.len() {
            let (id, is_confirmed) = self.contracts[n];
            if !is_confirmed {
                self.w.record(BUYER, confirm(id));
                self.contracts[n].1 = true;
            }
        }
        self.check();
        let residue = self.w.statement().residue;
        self.w.pass(31 * DAY_MS);
        self.w.record(GZ, close(account));
        let closing: Vec<headwater_ledger::state::record::ClosingLine> =
            self.w.state.get(&Key::Closing(account)).unwrap().unwrap();
        assert_eq!(closing.len() as u64, residue, "one minor unit to a line");
        assert!(closing.windows(2).all(|pair| pair[0] < pair[1]), "sorted, each once");
        assert_eq!(self.w.statement().residue, 0);
        self.w.pay_out_closed();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Holds [LED-REV-10], [LED-REV-13], [LED-REV-14], [LED-MNY-1], [LED-MNY-2], [LED-MNY-4] and
    /// [LED-MNY-6].
    #[test]
    fn nothing_is_lost_and_nobody_is_paid_what_is_not_payable(
        deeds in prop::collection::vec(deed(), 1..16),
    ) {
        let mut played = Played::begin();
        for deed in &deeds {
            played.play(deed);
        }
        if played.paid.is_empty() {
            return Ok(());
        }
        played.check();
        played.close();
    }
}

/// Holds [LED-MNY-1]: after a void it is as if the payment had never been made, but for what was
/// paid out of it, which is netted.
#[test]
fn a_void_payment_can_be_entered_again_and_its_payouts_are_netted() {
    let (mut w, _) = World::paid_out();
    w.record(GZ, void_payment(w.payment()));
    assert_eq!(w.state.contract(&w.contract()).unwrap().unwrap().paid, 0);
    let balance = w.balance(CHEST);
    assert_eq!((balance.entitled, balance.payable, balance.overpaid), (0, 0, 100_000));
    w.pay(PRICE, TAX, "B-1");
    let again = w.balance(CHEST);
    assert_eq!(again.payable, again.entitled - 100_000);
}

/// Holds [LED-MNY-3]: a contested payout still counts as paid until a ruling reverses it.
#[test]
fn a_contested_payout_counts_until_it_is_ruled_on() {
    let (mut w, payout) = World::paid_out();
    let before = w.balance(CHEST);
    w.record(CHEST, contest(payout));
    assert_eq!(w.balance(CHEST), before);
}

/// Holds [LED-AGG-1] to [LED-AGG-3]: over time each source gets its weight's part, rounded down,
/// and all together never more than the owner was paid.
#[test]
fn sources_get_their_part_of_all_that_was_paid_and_carry_what_is_below_a_minor_unit() {
    let mut w = World::confirmed();
    let aggregate = w.record(CHEST, seal(w.asset(CHEST_RAW), Right::Holding)).first();
    let of = (AggregateId::from_digest(aggregate), w.account(REPORT, GZ).0);
    let (mut paid, mut handed) = (0u64, [0u64; 3]);
    for (n, amount) in [1, 1, 3, 100, 6].into_iter().enumerate() {
        let event = w.payout(CHEST, amount, &format!("P-{n}"));
        w.record(GZ, event);
        paid += amount;
        for (index, handed) in handed.iter_mut().enumerate() {
            let due = paid * (1 << index) / 7 - *handed;
            let above = pay_source(of, index, due + 1, &format!("S-{n}-{index}"));
            assert_eq!(w.refused(CHEST, above), Code::SourceAboveDue);
            if due > 0 {
                w.record(CHEST, pay_source(of, index, due, &format!("S-{n}-{index}")));
                *handed += due;
            }
        }
        assert!(handed.iter().sum::<u64>() <= paid);
    }
    assert_eq!(handed, [15, 31, 63]);
}

/// Holds [LED-RGT-3]: a payout reads all ownership epochs of its right, and however often the right
/// has changed hands, it does not weigh too much to be recorded.
#[test]
fn a_right_can_be_paid_whatever_it_has_been_through() {
    let mut w = World::confirmed();
    let chest = w.asset(CHEST_RAW);
    w.owned_often(chest, Right::Holding, &[(CHEST, 9_999), (FUND, 1)], MAX_EPOCHS - 1);
    let event = w.payout(CHEST, 1, "P-1");
    w.record(GZ, event);
}
