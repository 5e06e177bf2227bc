//! Why an amount is what it is: payments, accounts, lines and payouts, with their formulas.

use crate::money::Currency;
use std::collections::BTreeMap;

use super::{Case, Reason};
use crate::attribution::{self, UNITS};
use crate::hash::{AccountId, AssetId};
use crate::query::shares::claims;
use crate::query::statement::{EpochNet, account_statement, claim_statement, set_offs};
use crate::query::{AssetLine, CutShown, Lists, QueryError};
use crate::reject::Fault;
use crate::split::Right;
use crate::state::record::{
    AccountRecord, AggregateRecord, ClosingLine, Contest, Hold, HoldKind, OwnerLine, PaymentRecord,
    PayoutRecord, PayoutStatus, Run, SetOffRecord,
};
use crate::state::{Key, Records};
use crate::text::Handle;
use crate::words::{money, number, percent};

/// `3000 parts in epochs 0 to 2`.
fn run_in_words(run: &Run) -> String {
    let last = run.before.saturating_sub(1);
    match run.first == last {
        true => format!("{} parts in epoch {last}", run.parts),
        false => format!("{} parts in epochs {} to {last}", run.parts, run.first),
    }
}

fn overflow() -> Fault {
    Fault("the amounts of an account overflow".into())
}

impl<V: Lists> Case<'_, V> {
    fn account_of(&self, id: &AccountId) -> Result<AccountRecord, QueryError> {
        let account = self.view.account(id)?;
        account.ok_or_else(|| QueryError::Unknown(format!("account {id}")))
    }

    pub(super) fn holds(&self, asset: &AssetId, right: Right) -> Result<Vec<Hold>, Fault> {
        Ok(self.view.get(&Key::Holds(*asset, right))?.unwrap_or_default())
    }

    pub(super) fn payment(&mut self, p: &PaymentRecord) -> Result<(), QueryError> {
        let account = self.account_of(&p.account)?;
        let contract = self.view.contract(&p.contract)?;
        let contract = contract.ok_or_else(|| Fault("a payment of no contract".into()))?;
        let text = format!("{} cleared {}", account.exchange, money(p.gross, &account.currency));
        self.say(
            Reason::new("LED-MKT-5", text)
                .with("account", p.account)
                .with("contract", p.contract)
                .with("currency", account.currency)
                .with("bank_reference", &p.bank_reference)
                .with("height", p.height),
        );
        let (a, fee_bp) = (&p.amounts, contract.fee_bp);
        let text = format!(
            "fee = floor(({} - {}) x {fee_bp} / 10 000) = {}; net = {} - {} - {} = {}, in minor \
             units of {}",
            p.gross, a.tax, a.fee, p.gross, a.tax, a.fee, a.net, account.currency
        );
        self.say(Reason::new("LED-REV-6", text));
        let r = &p.refunded;
        if (r.net, r.fee, r.tax) != (0, 0, 0) {
            let text = format!("given back: {}", r.in_words(&account.currency));
            self.say(Reason::new("LED-MKT-7", text));
        }
        let o = &p.ordered;
        if (o.net, o.fee, o.tax) != (0, 0, 0) {
            let text = format!("a ruling orders to give back: {}", o.in_words(&account.currency));
            self.say(Reason::new("LED-DSP-4", text));
        }
        let text = match (p.void, contract.confirmed) {
            (true, _) => ("LED-MNY-1", "void: it was entered in error"),
            (false, true) => ("LED-MKT-6", "payable: the delivery is confirmed"),
            (false, false) => ("LED-MKT-6", "held: the delivery is not confirmed"),
        };
        self.say(Reason::new(text.0, text.1));
        Ok(())
    }

    pub(super) fn account(
        &mut self,
        id: &AccountId,
        account: &AccountRecord,
    ) -> Result<(), QueryError> {
        let t = &account.totals;
        let text = format!(
            "{} payments cleared by {} in {}",
            t.payments, account.exchange, account.currency
        );
        self.say(Reason::new("LED-REV-5", text).with("schedule", account.schedule));
        let (net, fee, tax) = (
            t.net.saturating_sub(t.refunded_net),
            t.fee.saturating_sub(t.refunded_fee),
            t.tax.saturating_sub(t.refunded_tax),
        );
        let n = |minor: u64| number(minor, &account.currency);
        let text = format!(
            "net = {} - {} = {}; fee = {} - {} = {}; tax = {} - {} = {}, in {}",
            n(t.net),
            n(t.refunded_net),
            n(net),
            n(t.fee),
            n(t.refunded_fee),
            n(fee),
            n(t.tax),
            n(t.refunded_tax),
            n(tax),
            account.currency
        );
        self.say(Reason::new("LED-REV-7", text));
        let claims = claims(self.view, &account.product)?;
        let whole = account_statement(self.view, id, &claims, self.time_ms)?;
        let units: BTreeMap<_, u64> =
            claims.iter().map(|c| ((c.asset, c.right), c.units)).collect();
        for b in &whole.balances {
            let text = format!(
                "{}, {} right of {}: {}",
                b.party,
                b.right,
                b.name,
                money(b.entitled, &account.currency)
            );
            let reason = Reason::new("LED-REV-8", text).with("payable", b.payable);
            let units = units.get(&(b.asset, b.right));
            self.say(reason.with("units", units.copied().unwrap_or(0)));
        }
        let entitled = net.saturating_sub(whole.residue);
        let [net, entitled] = [net, entitled].map(n);
        let residue = money(whole.residue, &account.currency);
        let text = format!("residue = {net} - {entitled} = {residue}, left by rounding");
        self.say(Reason::new("LED-REV-9", text));
        for (count, rule, of) in [
            (account.unpaid, "LED-MKT-5", "signed contracts not wholly paid"),
            (account.unconfirmed, "LED-MKT-6", "contracts paid whose delivery is not confirmed"),
            (account.orders, "LED-MNY-5", "payments with refunds ordered and not given back"),
        ] {
            if count > 0 {
                self.say(Reason::new(rule, format!("{of}: {count}")));
            }
        }
        self.contest(&Key::AccountContest(*id))?;
        if account.closed {
            let given: Vec<ClosingLine> = self.view.get(&Key::Closing(*id))?.unwrap_or_default();
            let text = format!("closed: {} lines got a minor unit of the residue", given.len());
            self.say(Reason::new("LED-MNY-4", text));
        }
        Ok(())
    }

    pub(super) fn line(
        &mut self,
        id: &AccountId,
        asset: &AssetId,
        right: Right,
        owner: &Handle,
    ) -> Result<(), QueryError> {
        let account = self.account_of(id)?;
        let product = self.name(&account.product)?;
        let claims = claims(self.view, &account.product)?;
        let claim = claims.iter().find(|c| c.asset == *asset && c.right == right);
        let claim = claim.ok_or_else(|| {
            QueryError::Unknown(format!("a claim of the {right} right over {asset}"))
        })?;
        let units = claim.units;
        let text = format!("the schedule of {product} gives the {right} right {units} of {UNITS}");
        self.say(Reason::new("LED-REV-4", text).with("schedule", account.schedule));
        let (nets, mut division) =
            claim_statement(self.view, (id, &account), claim.clone(), self.time_ms)?;
        division.retain(|party| party == owner);
        for line in &division.lines {
            let net = usize::try_from(line.epoch).ok().and_then(|at| nets.get(at));
            self.epoch(line, net.copied().ok_or_else(overflow)?, &account.currency)?;
        }
        self.held_parts(asset, right, owner)?;
        for cut in &division.cuts {
            self.cut(cut, &account.currency);
        }
        self.moved(
            (id, &account.currency),
            &OwnerLine { asset: *asset, right, owner: owner.clone() },
        )?;
        let n = |minor: i128| number(minor, &account.currency);
        let Some(b) = division.balances.first() else {
            self.say(Reason::new("LED-MNY-6", format!("{owner} has never owned a part of it")));
            return Ok(());
        };
        let text = format!(
            "entitled {} + adjusted {} + set off {} + overpaid {} = held {} + frozen {} + paid {} + \
             payable {}, in {}",
            n(b.entitled.into()),
            n(b.adjusted.into()),
            n(b.set_off.into()),
            n(b.overpaid.into()),
            n(b.held.into()),
            n(b.frozen.into()),
            n(b.paid.into()),
            n(b.payable.into()),
            account.currency
        );
        let reason = Reason::new("LED-MNY-6", text).with("entitled", b.entitled);
        let reason = reason.with("adjusted", b.adjusted).with("set_off", b.set_off);
        let reason = reason.with("held", b.held);
        let reason = reason.with("frozen", b.frozen).with("paid", b.paid);
        self.say(reason.with("payable", b.payable).with("overpaid", b.overpaid));
        Ok(())
    }

    /// What one ownership epoch brought an owner.
    fn epoch(
        &mut self,
        line: &AssetLine,
        net: EpochNet,
        currency: &Currency,
    ) -> Result<(), QueryError> {
        let (units, n, parts) = (line.units, line.epoch, line.parts);
        let earned = attribution::earned(units, net.all).ok_or_else(overflow)?;
        let share = attribution::owner_share(earned, parts).ok_or_else(overflow)?;
        let text = format!(
            "epoch {n}: earned = floor({units} x {} / {UNITS}) = {earned}; entitled = \
             floor({earned} x {parts} / 10 000) = {share}, in minor units of {currency}",
            net.all
        );
        let reason = Reason::new("LED-REV-8", text).with("epoch", n).with("net", net.all);
        self.say(reason.with("confirmed_net", net.confirmed));
        if line.entitled > share {
            let more = money(line.entitled.saturating_sub(share), currency);
            let text = format!("closing the account gave it {more} more");
            self.say(Reason::new("LED-MNY-4", text));
        }
        Ok(())
    }

    /// Says how long disputes keep something open.
    fn contest(&mut self, key: &Key) -> Result<(), Fault> {
        let contest: Contest = self.view.get(key)?.unwrap_or_default();
        if contest.waiting > 0 {
            let text = format!("disputes that wait for a ruling: {}", contest.waiting);
            self.say(Reason::new("LED-DSP-9", text));
        }
        if self.time_ms <= contest.appeal_until_ms() {
            let text = "a ruling about it can be appealed";
            let reason = Reason::new("LED-DSP-9", text);
            self.say(reason.with("appeal_until_ms", contest.appeal_until_ms()));
        }
        Ok(())
    }

    /// Says who has what a ruling cut out of a claim.
    fn cut(&mut self, a: &CutShown, currency: &Currency) {
        let amount = |minor: u64| money(minor, currency);
        let kept: Vec<String> = a
            .kept
            .iter()
            .map(|kept| format!("{} keeps {}", kept.member, amount(kept.amount)))
            .collect();
        let kept = if kept.is_empty() { String::new() } else { format!("; {}", kept.join("; ")) };
        let runs: Vec<String> = a.runs.iter().map(run_in_words).collect();
        let text = format!(
            "a ruling cut out {} of {}: earned {}{kept}; {} has {}",
            runs.join(", "),
            a.owner,
            amount(a.earned),
            a.holder,
            amount(a.amount)
        );
        self.say(Reason::new("LED-DSP-7", text).with("dispute", a.dispute));
    }

    /// Says that parts are held, and until when.
    pub(super) fn held(&mut self, text: String, hold: &Hold) {
        let reason = match hold.kind {
            HoldKind::Cooling | HoldKind::Frozen => Reason::new("LED-DSP-8", text),
            HoldKind::Awarded(since) => {
                let text = format!("{text}, until the ruling that gave them is final");
                Reason::new("LED-DSP-8", text).with("since_epoch", since)
            }
        };
        let reason = reason.with("dispute", hold.dispute);
        self.say(if hold.until_ms == u64::MAX {
            reason
        } else {
            reason.with("until_ms", hold.until_ms)
        });
    }

    /// Says which of an owner's parts are held by disputes.
    fn held_parts(
        &mut self,
        asset: &AssetId,
        right: Right,
        owner: &Handle,
    ) -> Result<(), QueryError> {
        for hold in self.holds(asset, right)? {
            if hold.owner == *owner && self.time_ms <= hold.until_ms {
                let text = format!("{} of the right are held by a dispute", percent(hold.parts));
                self.held(text, &hold);
            }
        }
        Ok(())
    }

    pub(super) fn payout(&mut self, p: &PayoutRecord) -> Result<(), QueryError> {
        let account = self.account_of(&p.account)?;
        let text = format!(
            "{} paid {} {} on the line of {}",
            account.exchange,
            p.payee,
            money(p.amount, &account.currency),
            p.owner
        );
        self.say(
            Reason::new("LED-MNY-2", text)
                .with("account", p.account)
                .with("bank_reference", &p.bank_reference)
                .with("height", p.height)
                .with("time_ms", p.time_ms),
        );
        let (rule, text) = match p.status {
            PayoutStatus::Paid => ("LED-MNY-2", "it counts as paid"),
            PayoutStatus::Contested => ("LED-MNY-3", "its payee says it did not arrive"),
            PayoutStatus::Reversed => {
                ("LED-DSP-4", "ruled not to have arrived: counts as not paid")
            }
        };
        self.say(Reason::new(rule, text));
        self.line(&p.account, &p.asset, p.right, &p.owner)
    }

    /// Says what was set off on a line.
    fn moved(
        &mut self,
        (account, currency): (&AccountId, &Currency),
        line: &OwnerLine,
    ) -> Result<(), QueryError> {
        for s in set_offs(self.view, account)? {
            let (way, other) = match (s.from == *line, s.to == *line) {
                (true, _) => ("against what was overpaid on", &s.to),
                (false, true) => ("with what was payable on", &s.from),
                (false, false) => continue,
            };
            let amount = money(s.amount, currency);
            let text = format!("{amount} set off {way} {}", self.line_name(other)?);
            let reason = Reason::new("LED-MNY-7", text).with("set_off", s.id);
            self.say(reason.with("height", s.height).with("time_ms", s.time_ms));
        }
        Ok(())
    }

    /// A line in words.
    fn line_name(&self, line: &OwnerLine) -> Result<String, QueryError> {
        let name = self.name(&line.asset)?;
        Ok(format!("the line of {} of the {} right of {name}", line.owner, line.right))
    }

    pub(super) fn set_off(&mut self, s: &SetOffRecord) -> Result<(), QueryError> {
        let account = self.account_of(&s.account)?;
        let (from, to) = (self.line_name(&s.from)?, self.line_name(&s.to)?);
        let text = format!(
            "{} set off {} that were payable on {from} against what was paid beyond {to}; nobody \
             was paid",
            account.exchange,
            money(s.amount, &account.currency)
        );
        self.say(
            Reason::new("LED-MNY-7", text)
                .with("account", s.account)
                .with("height", s.height)
                .with("time_ms", s.time_ms),
        );
        for (which, line) in [(from, &s.from), (to, &s.to)] {
            self.say(Reason::new("LED-MNY-6", format!("now, {which}:")));
            self.line(&s.account, &line.asset, line.right, &line.owner)?;
        }
        Ok(())
    }

    pub(super) fn aggregate(&mut self, a: &AggregateRecord) -> Result<(), QueryError> {
        let text = format!(
            "{} sealed {} sources behind its part of the {} right",
            a.owner, a.sources, a.right
        );
        self.say(
            Reason::new("LED-AGG-1", text)
                .with("root", a.root)
                .with("total_weight", a.total_weight)
                .with("height", a.height),
        );
        let text =
            format!("a source of weight w gets at most w / {} of what is paid", a.total_weight);
        self.say(Reason::new("LED-AGG-2", text));
        Ok(())
    }
}
