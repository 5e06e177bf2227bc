//! Money in the naive model. Every amount is summed up anew, from the first payment on, whenever it
//! is asked for.

use std::collections::{BTreeMap, BTreeSet};

use headwater_ledger::event::dispute::{Ruling, Subject};
use headwater_ledger::event::market::{
    ProvedLine, RecordPayment, RecordPayout, RefundPayment, SetOffOverpayment,
};
use headwater_ledger::hash::{AccountId, AssetId, PaymentId, PayoutId, SetOffId};
use headwater_ledger::limits::MAX_AMOUNT;
use headwater_ledger::payment::account_id;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::text::{Code as Text, Handle};

use crate::naive::{
    Act, ContractStanding, Line, Naive, Order, Payment, Payout, PayoutStanding, SetOff, UNITS,
    Verdict, need,
};

/// What a line has of an account; `left` is payable, or overpaid when it is below 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    pub entitled: u128,
    pub adjusted: i128,
    pub set_off: i128,
    pub held: u128,
    pub frozen: u128,
    pub paid: u128,
    pub left: i128,
}

/// The claims of a product, and what flows into each asset.
type Flow = (BTreeMap<(AssetId, Right), u128>, BTreeMap<AssetId, u128>);

impl Naive {
    pub fn use_reference(&mut self, of: &Handle, reference: &Text) -> Verdict {
        let new = self.references.insert((of.clone(), reference.clone()));
        need(new, Code::BankReferenceUsed)
    }

    pub fn pay(&mut self, act: &Act<'_>, id: PaymentId, e: &RecordPayment) -> Verdict {
        let contract = self.contract(&e.contract)?;
        need(self.is(act.author, &contract.exchange), Code::NotClearingExchange)?;
        need(contract.standing == ContractStanding::Open, Code::ContractClosed)?;
        need(contract.signed.len() == 2, Code::ContractNotSigned)?;
        need(e.currency == contract.currency, Code::WrongCurrency)?;
        need((1..=MAX_AMOUNT).contains(&e.gross), Code::AmountOutOfRange)?;
        need(e.tax <= e.gross, Code::TaxAboveGross)?;
        need(e.gross <= contract.price - self.paid(&e.contract), Code::PaymentAbovePrice)?;
        let account = account_id(&contract.asset, &contract.exchange, &contract.currency).unwrap();
        let held = &self.accounts[&account];
        need(held.closed.is_none(), Code::AccountClosed)?;
        self.use_reference(&contract.exchange, &e.bank_reference)?;
        let fee = u64::try_from(u128::from(e.gross - e.tax) * u128::from(contract.fee_bp) / 10_000);
        let fee = fee.unwrap();
        self.payments.push(Payment {
            id,
            contract: e.contract,
            account,
            seq: act.seq,
            void_until: self.now.saturating_add(self.rulebook.contest_ms),
            gross: e.gross,
            net: e.gross - e.tax - fee,
            fee,
            tax: e.tax,
            back_net: 0,
            back_fee: 0,
            back_tax: 0,
            orders: Vec::new(),
            void: false,
            reference: e.bank_reference.clone(),
        });
        if contract.confirmed {
            self.keep_open(&account);
        }
        Ok(())
    }

    /// What of an account is confirmed may have changed: it stays open for a while.
    pub fn keep_open(&mut self, account: &AccountId) {
        let until = self.now.saturating_add(self.rulebook.contest_ms);
        let held = self.accounts.get_mut(account).unwrap();
        held.open_until = held.open_until.max(until);
    }

    /// The same when something of a payment is given back, or to be.
    pub fn orders_change(&mut self, subject: &Subject) {
        let Subject::Payment(id) = subject else { return };
        let p = &self.payments[self.payment(id).unwrap()];
        if self.contracts[&p.contract].confirmed {
            let account = p.account;
            self.keep_open(&account);
        }
    }

    pub fn payment(&self, id: &PaymentId) -> Result<usize, Code> {
        self.payments.iter().position(|p| p.id == *id).ok_or(Code::UnknownPayment)
    }

    pub fn refund(&mut self, act: &Act<'_>, e: &RefundPayment) -> Verdict {
        let at = self.payment(&e.payment)?;
        let p = self.payments[at].clone();
        let account = self.accounts[&p.account].clone();
        need(self.is(act.author, &account.exchange), Code::NotClearingExchange)?;
        need(account.closed.is_none(), Code::AccountClosed)?;
        need(!p.void, Code::PaymentClosed)?;
        need((e.net, e.fee, e.tax) != (0, 0, 0), Code::EmptyRefund)?;
        let fits = e.net <= p.net - p.back_net
            && e.fee <= p.fee - p.back_fee
            && e.tax <= p.tax - p.back_tax;
        need(fits, Code::RefundAboveRemainder)?;
        need(self.certified_by(&p.contract).is_none(), Code::AlreadyCertified)?;
        self.use_reference(&account.exchange, &e.bank_reference)?;
        let held = &mut self.payments[at];
        held.back_net += e.net;
        held.back_fee += e.fee;
        held.back_tax += e.tax;
        held.meet_order((e.net, e.fee, e.tax));
        self.orders_change(&Subject::Payment(e.payment));
        Ok(())
    }

    pub fn void_payment(&mut self, act: &Act<'_>, id: &PaymentId) -> Verdict {
        let at = self.payment(id)?;
        let p = self.payments[at].clone();
        let account = self.accounts[&p.account].clone();
        need(self.is(act.author, &account.exchange), Code::NotClearingExchange)?;
        need(account.closed.is_none(), Code::AccountClosed)?;
        let back = (p.back_net, p.back_fee, p.back_tax);
        let untouched = !p.void && (back, p.ordered()) == ((0, 0, 0), (0, 0, 0));
        need(untouched, Code::PaymentClosed)?;
        let mut about = self.disputes.values().filter(|d| d.subject == Subject::Payment(*id));
        need(about.all(|d| self.is_final(d)), Code::PaymentDisputed)?;
        need(self.now <= p.void_until, Code::VoidTooLate)?;
        need(self.certified_by(&p.contract).is_none(), Code::AlreadyCertified)?;
        let schedule = self.schedule(&account.product);
        let contested = self.disputes.values().any(|d| match &d.subject {
            Subject::Share(s) => schedule.contains_key(&(s.asset, s.right)) && !self.is_final(d),
            _ => false,
        });
        need(!contested, Code::PaymentDisputed)?;
        let moved = schedule.keys().any(|(asset, right)| {
            self.epochs(asset, *right).last().is_some_and(|epoch| epoch.seq > p.seq)
        });
        need(!moved, Code::VoidTooLate)?;
        self.payments[at].void = true;
        self.orders_change(&Subject::Payment(*id));
        self.references.remove(&(account.exchange, p.reference));
        Ok(())
    }

    /// The net of an account's payments of a span of ordinals: all, or of confirmed deliveries.
    pub fn net(&self, account: &AccountId, from: u64, to: u64, confirmed: bool) -> u128 {
        self.payments
            .iter()
            .filter(|p| p.account == *account && !p.void && from <= p.seq && p.seq < to)
            .filter(|p| !confirmed || self.contracts[&p.contract].confirmed)
            .map(|p| u128::from(p.net - p.back_net - if confirmed { p.ordered().0 } else { 0 }))
            .sum()
    }

    pub fn paid_out(&self, account: &AccountId, line: &Line) -> u128 {
        self.payouts
            .values()
            .filter(|p| p.account == *account && p.standing != PayoutStanding::Reversed)
            .filter(|p| (p.asset, p.right, &p.owner) == (line.0, line.1, &line.2))
            .map(|p| u128::from(p.amount))
            .sum()
    }

    /// What payouts count as not paid by rulings that are not final.
    fn reversed(&self, account: &AccountId, line: &Line) -> u128 {
        let reversed =
            |id: &PayoutId| self.may_come_back(&Subject::Payout(*id), &Ruling::ReversePayout);
        self.payouts
            .iter()
            .filter(|(id, p)| p.account == *account && reversed(id))
            .filter(|(_, p)| (p.asset, p.right, &p.owner) == (line.0, line.1, &line.2))
            .map(|(_, p)| u128::from(p.amount))
            .sum()
    }

    /// Whether what a line was paid in the end is open: a refund of the account is ordered, or a payout
    /// of the line reversed, not finally.
    pub fn unsettled(&self, account: &AccountId, line: &Line) -> bool {
        let of = |p: &Payment| p.account == *account && !p.void;
        let ordered = self.payments.iter().any(|p| of(p) && p.ordered() != (0, 0, 0));
        ordered || self.reversed(account, line) > 0
    }

    /// What was set off with a line, less what was set off away from it.
    pub fn set_off_with(&self, account: &AccountId, line: &Line) -> i128 {
        let of = self.set_offs.values().filter(|s| s.account == *account);
        of.map(|s| {
            let amount = i128::from(s.amount);
            amount * i128::from(s.to == *line) - amount * i128::from(s.from == *line)
        })
        .sum()
    }

    /// The minor units of the residue that a line got when the account was closed.
    fn of_residue(&self, account: &AccountId, line: &Line) -> u128 {
        let closed = self.accounts.get(account).and_then(|a| a.closed.as_ref());
        closed.map_or(0, |given| given.iter().filter(|(of, _)| of == line).count() as u128)
    }

    /// What was set off with a line, less what was paid on it.
    pub fn had(&self, account: &AccountId, line: &Line) -> i128 {
        self.set_off_with(account, line) - self.paid_out(account, line) as i128
    }

    /// What a line has of confirmed deliveries, held or not, and was not paid.
    pub fn unpaid(&self, account: &AccountId, units: u128, line: &Line) -> i128 {
        let has = self.claim(account, (&line.0, line.1), units, true).line(&line.2);
        (has + self.of_residue(account, line)) as i128 + self.had(account, line)
    }

    /// What a line has of an account, divided.
    pub fn balance(&self, account: &AccountId, units: u128, line: &Line) -> Balance {
        let (asset, right, owner) = line;
        let given = self.of_residue(account, line);
        let claim = |confirmed| self.claim(account, (asset, *right), units, confirmed);
        let (all, confirmed) = (claim(false).line(owner), claim(true).line(owner));
        let free = claim(true).free(owner, &self.holds_on(asset, *right));
        let (set_off, paid) = (self.set_off_with(account, line), self.paid_out(account, line));
        let unpaid = (confirmed + given) as i128 + set_off - paid as i128;
        let held = confirmed - free + self.reversed(account, line);
        let frozen = held.min(u128::try_from(unpaid).unwrap_or(0));
        let own = self.lines(account).into_iter().filter(|l| l.0.0 == *line);
        let closed = self.accounts[account].closed.clone().unwrap_or_default();
        let of_residue = |at: &(Line, usize)| closed.iter().filter(|c| *c == at).count() as u128;
        let entitled = own.map(|l| l.1 + of_residue(&l.0)).sum::<u128>();
        Balance {
            entitled,
            adjusted: (all + given) as i128 - entitled as i128,
            set_off,
            held: all - confirmed,
            frozen,
            paid,
            left: unpaid - frozen as i128,
        }
    }

    pub fn payout(&mut self, act: &Act<'_>, id: PayoutId, e: &RecordPayout) -> Verdict {
        let account = self.accounts.get(&e.account).ok_or(Code::UnknownAccount)?.clone();
        need(self.is(act.author, &account.exchange), Code::NotClearingExchange)?;
        need((1..=MAX_AMOUNT).contains(&e.amount), Code::AmountOutOfRange)?;
        let c = &e.claim;
        let units = self.proved_units(&e.account, c)?;
        let line = (c.asset, c.right, e.owner.clone());
        self.known_line(&e.account, &line)?;
        let payee = self.acting(&e.owner);
        need(!self.members[&payee].suspended, Code::PayeeSuspended)?;
        let left = self.balance(&e.account, units, &line).left;
        need(i128::from(e.amount) <= left, Code::PayoutAbovePayable)?;
        self.use_reference(&account.exchange, &e.bank_reference)?;
        let payout = Payout {
            account: e.account,
            asset: c.asset,
            right: c.right,
            owner: e.owner.clone(),
            payee,
            amount: e.amount,
            contest_until: self.now.saturating_add(self.rulebook.contest_ms),
            standing: PayoutStanding::Paid,
        };
        self.payouts.insert(id, payout);
        Ok(())
    }

    /// A line that somebody has: he owned a part once, or a ruling gave him what one has earned.
    fn known_line(&self, account: &AccountId, line: &Line) -> Verdict {
        let claim = self.claim(account, (&line.0, line.1), 0, false);
        let had = self.set_offs.values().any(|s| s.account == *account && s.from == *line);
        let had = had || self.paid_out(account, line) > 0;
        need(had || claim.members().contains(&line.2), Code::NoSuchLine)
    }

    pub fn set_off(&mut self, act: &Act<'_>, id: SetOffId, e: &SetOffOverpayment) -> Verdict {
        let account = self.accounts.get(&e.account).ok_or(Code::UnknownAccount)?.clone();
        need(self.is(act.author, &account.exchange), Code::NotClearingExchange)?;
        need((1..=MAX_AMOUNT).contains(&e.amount), Code::AmountOutOfRange)?;
        let of = |l: &ProvedLine| (l.claim.asset, l.claim.right, l.owner.clone());
        let (from, to) = (of(&e.from), of(&e.to));
        need(from != to, Code::SameLine)?;
        let units = self.proved_units(&e.account, &e.from.claim)?;
        let units_to = self.proved_units(&e.account, &e.to.claim)?;
        self.known_line(&e.account, &from)?;
        self.known_line(&e.account, &to)?;
        need(self.acting(&from.2) == self.acting(&to.2), Code::OwnersDiffer)?;
        let amount = i128::from(e.amount);
        let payable = self.balance(&e.account, units, &from).left;
        need(amount <= payable, Code::SetOffAbovePayable)?;
        let overpaid = -self.unpaid(&e.account, units_to, &to);
        need(amount <= overpaid, Code::SetOffAboveOverpaid)?;
        let before: i128 = [(units, &from), (units_to, &to)]
            .map(|(units, line)| self.balance(&e.account, units, line).left)
            .iter()
            .sum();
        let set_off = SetOff { account: e.account, from, to, amount: e.amount };
        let (from, to) = (set_off.from.clone(), set_off.to.clone());
        self.set_offs.insert(id, set_off);
        let after = self.balance(&e.account, units, &from).left;
        let met = self.balance(&e.account, units_to, &to).left;
        assert!(after >= 0 && met <= 0 && after + met == before, "a set-off pays nobody");
        Ok(())
    }

    /// A product and everything it was made of.
    pub fn ancestry(&self, product: &AssetId) -> BTreeSet<AssetId> {
        let mut below = BTreeSet::from([*product]);
        loop {
            let more: BTreeSet<AssetId> = below
                .iter()
                .flat_map(|id| self.assets[id].inputs.iter().map(|i| i.asset))
                .filter(|id| !below.contains(id))
                .collect();
            if more.is_empty() {
                return below;
            }
            below.extend(more);
        }
    }

    /// The schedule of a product: its units, given down the lineage one asset at a time, each once
    /// all that flows into it has come.
    pub fn schedule(&self, product: &AssetId) -> BTreeMap<(AssetId, Right), u128> {
        self.flow(product).0
    }

    /// How many units flow into each asset that a product was made of.
    pub fn inflow(&self, product: &AssetId) -> BTreeMap<AssetId, u128> {
        self.flow(product).1
    }

    fn flow(&self, product: &AssetId) -> Flow {
        let below = self.ancestry(product);
        let mut inflow: BTreeMap<AssetId, u128> = below.iter().map(|id| (*id, 0)).collect();
        inflow.insert(*product, UNITS);
        let mut left = below.clone();
        let mut claims = BTreeMap::new();
        while !left.is_empty() {
            let feeds = |id: &AssetId| {
                left.iter().any(|o| self.assets[o].inputs.iter().any(|i| i.asset == *id))
            };
            let next = *left.iter().find(|id| !feeds(id)).expect("no circle");
            let asset = &self.assets[&next];
            let weights: Vec<u128> = asset.inputs.iter().map(|i| u128::from(i.weight)).collect();
            let whole: u128 = if weights.is_empty() { 1 } else { weights.iter().sum() };
            let s = asset.split;
            let mut shares: Vec<u128> = [s.holding_bp, s.processing_bp, s.operation_bp]
                .iter()
                .map(|bp| u128::from(*bp) * whole)
                .collect();
            shares.extend(weights.iter().map(|w| w * u128::from(s.upstream_bp)));
            let parts = largest_remainders(inflow[&next], &shares, 10_000 * whole);
            for (right, units) in Right::ALL.into_iter().zip(&parts) {
                if *units > 0 {
                    claims.insert((next, right), *units);
                }
            }
            for (input, units) in asset.inputs.iter().zip(&parts[3..]) {
                *inflow.get_mut(&input.asset).unwrap() += units;
            }
            left.remove(&next);
        }
        (claims, inflow)
    }

    pub fn schedule_hash(&self, product: &AssetId) -> headwater_ledger::hash::Digest {
        let claims: Vec<_> = self
            .schedule(product)
            .into_iter()
            .map(|((asset, right), units)| headwater_ledger::attribution::Claim {
                asset,
                right,
                units: u64::try_from(units).unwrap(),
            })
            .collect();
        headwater_ledger::listing::schedule_hash(product, &claims).unwrap()
    }

    /// Every owner's line of an account, with its epoch, in order of claim, epoch and owner, and its
    /// amount; before what rulings cut out.
    pub fn lines(&self, account: &AccountId) -> Vec<((Line, usize), u128)> {
        let mut lines = Vec::new();
        for ((asset, right), units) in self.schedule(&self.accounts[account].product) {
            let earned = self.earned(account, (&asset, right), units, false);
            let then = self.owners_then(&asset, right).into_iter().zip(earned);
            for (n, ((_, owners), earned)) in then.enumerate() {
                for (owner, parts) in owners {
                    lines.push((((asset, right, owner), n), earned * u128::from(parts) / 10_000));
                }
            }
        }
        lines
    }

    /// The same with what was cut out as lines of its own; the amount, and the exact part below a
    /// minor unit, in 10^-22.
    fn pieces(&self, account: &AccountId) -> Vec<((Line, usize), u128, u128)> {
        let mut lines = Vec::new();
        for ((asset, right), units) in self.schedule(&self.accounts[account].product) {
            let claim = self.claim(account, (&asset, right), units, false);
            let epochs = self.epochs(&asset, right);
            for (n, pieces) in claim.pieces().into_iter().enumerate() {
                let end = epochs.get(n + 1).map_or(u64::MAX, |next| next.seq);
                let net = self.net(account, epochs[n].seq, end, false);
                let earned = units * net / UNITS;
                for (owner, parts) in pieces {
                    let parts = u128::from(parts);
                    let amount = earned * parts / 10_000;
                    let exact =
                        (earned * parts - amount * 10_000) * UNITS + units * net % UNITS * parts;
                    lines.push((((asset, right, owner), n), amount, exact));
                }
            }
        }
        lines
    }

    pub fn residue(&self, account: &AccountId) -> u128 {
        let given: u128 = self.pieces(account).iter().map(|l| l.1).sum();
        let closed = self.accounts[account].closed.as_ref().map_or(0, |c| c.len() as u128);
        self.net(account, 0, u64::MAX, false) - given - closed
    }

    pub fn close(&mut self, act: &Act<'_>, id: &AccountId) -> Verdict {
        let account = self.accounts.get(id).ok_or(Code::UnknownAccount)?.clone();
        need(self.is(act.author, &account.exchange), Code::NotClearingExchange)?;
        need(account.closed.is_none(), Code::AccountClosed)?;
        let mut payments = self.payments.iter().filter(|p| p.account == *id && !p.void);
        let settled = payments.all(|p| {
            p.ordered() == (0, 0, 0)
                && (p.net == p.back_net || self.contracts[&p.contract].confirmed)
        });
        let owed = self.contracts.iter().any(|(contract, c)| {
            account_id(&c.asset, &c.exchange, &c.currency).unwrap() == *id
                && c.signed.len() == 2
                && c.standing == ContractStanding::Open
                && self.paid(contract) < c.price
        });
        let schedule = self.schedule(&account.product);
        let concerns = |subject: &Subject| match subject {
            Subject::Share(slice) => schedule.contains_key(&(slice.asset, slice.right)),
            other => self.account_of(other) == Some(*id),
        };
        let mut disputes = self.disputes.values().filter(|d| concerns(&d.subject));
        let settled = settled && !owed && disputes.all(|d| self.is_final(d));
        need(settled && self.now > account.open_until, Code::AccountNotSettled)?;
        let residue = usize::try_from(self.residue(id)).unwrap();
        let mut lines = self.pieces(id);
        lines.sort_by_key(|line| std::cmp::Reverse(line.2));
        let chosen = lines.into_iter().take(residue).map(|line| line.0).collect();
        self.accounts.get_mut(id).unwrap().closed = Some(chosen);
        Ok(())
    }
}

impl Payment {
    /// What was ordered to be given back and was not.
    pub fn ordered(&self) -> (u64, u64, u64) {
        let left = |o: &Order, part: fn(&(u64, u64, u64)) -> u64| {
            part(&o.asked).saturating_sub(part(&o.met))
        };
        let sum = |part| self.orders.iter().map(|o| left(o, part)).sum();
        (sum(|p| p.0), sum(|p| p.1), sum(|p| p.2))
    }

    /// What is given back meets what was ordered to be, the first order first.
    pub fn meet_order(&mut self, given: (u64, u64, u64)) {
        let meet = |asked: u64, met: &mut u64, given: &mut u64| {
            let some = asked.saturating_sub(*met).min(*given);
            *met += some;
            *given -= some;
        };
        let (mut net, mut fee, mut tax) = given;
        for order in &mut self.orders {
            meet(order.asked.0, &mut order.met.0, &mut net);
            meet(order.asked.1, &mut order.met.1, &mut fee);
            meet(order.asked.2, &mut order.met.2, &mut tax);
        }
    }
}

/// Divides an amount by shares of a whole: floors, then one each to the largest remainders, the
/// earlier first.
pub fn largest_remainders(amount: u128, shares: &[u128], whole: u128) -> Vec<u128> {
    let mut parts: Vec<u128> = shares.iter().map(|s| s * amount / whole).collect();
    let left = amount - parts.iter().sum::<u128>();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|n| std::cmp::Reverse(shares[*n] * amount % whole));
    for n in order.into_iter().take(usize::try_from(left).unwrap()) {
        parts[n] += 1;
    }
    parts
}
