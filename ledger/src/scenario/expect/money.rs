//! Answers about money: what members have of an account, and accounts themselves.

use super::{Answer, Asked, did_you_mean};
use crate::aggregate::part;
use crate::hash::{AccountId, AggregateId, AssetId};
use crate::money::Currency;
use crate::query::{AccountStatement, Balance, CurrencyTotal, member_statement, product_statement};
use crate::scenario::derive::label;
use crate::scenario::form::{Wrong, parse};
use crate::scenario::kind::Kind;
use crate::scenario::kind::compound::{Account, RightOf};
use crate::scenario::kind::number::{Coin, Count, Money};
use crate::scenario::kind::reference::{Asset, Member, Ref};
use crate::scenario::token::shown;
use crate::state::record::AggregateRecord;
use crate::state::{Key, Records, View};
use crate::words::money;

/// What a source of an aggregate has of an account, in minor units.
pub(super) struct SourceLine {
    /// Its part of what the owner has had so far.
    pub entitled: u128,
    /// What the owner has handed it.
    pub paid: u128,
    /// What the owner may hand it now.
    pub payable: u128,
}

impl Asked<'_> {
    /// Compares an amount.
    fn amount(&mut self, is: i128, currency: &Currency) -> Result<Answer, Wrong> {
        let text = self.expected.rest().first().map_or(String::new(), |t| t.text.clone());
        let written = match self.expected.rest() {
            [_] => format!("{text} {currency}"),
            rest => shown(rest),
        };
        while self.expected.take().is_some() {}
        let (sign, written) = match written.strip_prefix('-') {
            Some(written) => (-1, written),
            None => (1, written.as_str()),
        };
        let (expected, other) = parse::<Money>(written, self.context)?;
        let expected = money(i128::from(expected).saturating_mul(sign), &other);
        Ok(Answer { is: money(is, currency), expected })
    }

    /// The account asked about.
    fn account_id(&mut self) -> Result<(AccountId, Currency, AssetId), Wrong> {
        let account = Account::read(&mut self.at, self.context)?;
        let record = self.context.seen.account(&account)?;
        let record = record.ok_or_else(|| Wrong("the account is not recorded".into()))?;
        Ok((account, record.currency, record.product))
    }

    /// A number of the account asked about.
    pub(super) fn account(&mut self, of: fn(&AccountStatement) -> u64) -> Result<Answer, Wrong> {
        self.at.skip("of");
        let (account, currency, product) = self.account_id()?;
        let statement = product_statement(&self.context.seen, &product, self.context.now_ms)?;
        let statement = statement.accounts.iter().find(|s| s.account == account);
        let statement = statement.ok_or_else(|| Wrong("the account is not listed".into()))?;
        self.amount(of(statement).into(), &currency)
    }

    /// The sum of what a member has on an account.
    pub(super) fn lines(&mut self, of: fn(&Balance) -> i128) -> Result<Answer, Wrong> {
        self.at.skip("of");
        let member = Member::read(&mut self.at, self.context)?;
        self.at.expect("on")?;
        let (account, currency, product) = self.account_id()?;
        let claim = match self.at.skip("for") {
            true => Some(RightOf::read(&mut self.at, self.context)?),
            false => None,
        };
        let statement = product_statement(&self.context.seen, &product, self.context.now_ms)?;
        let balances = statement.accounts.iter().filter(|s| s.account == account);
        let balances = balances.flat_map(|s| &s.balances).filter(|balance| {
            balance.party == member && claim.is_none_or(|c| c == (balance.right, balance.asset))
        });
        let sum = balances.fold(0i128, |sum, balance| sum.saturating_add(of(balance)));
        self.amount(sum, &currency)
    }

    /// The sum of what a member has on an account, or what is so of a source of an aggregate.
    pub(super) fn share(
        &mut self,
        of_line: fn(&Balance) -> i128,
        of_source: fn(&SourceLine) -> u128,
    ) -> Result<Answer, Wrong> {
        self.at.skip("of");
        if !self.at.skip("source") {
            return self.lines(of_line);
        }
        let source = &self.at.need("the name of a source")?.text;
        self.at.expect("of")?;
        let id = Ref::<AggregateId>::read(&mut self.at, self.context)?;
        self.at.expect("on")?;
        let (account, currency, _) = self.account_id()?;
        let aggregate: AggregateRecord = self.record(Key::Aggregate(id))?;
        let sealed = self.context.names.sources(&id);
        let sealed = sealed.ok_or_else(|| Wrong("its sources are not listed here".into()))?;
        let (_, weight) = sealed.iter().find(|s| s.0 == *source).ok_or_else(|| {
            let near = did_you_mean(source, sealed.iter().map(|s| s.0.as_str()));
            Wrong(format!("`{source}` is none of its sources{near}"))
        })?;
        let entitled = part(&self.context.seen, &aggregate, &account, *weight)?;
        let paid: Option<u64> =
            self.context.seen.get(&Key::SourcePaid(id, account, label(source)))?;
        let paid = u128::from(paid.unwrap_or(0));
        let AggregateRecord { asset, right, owner, .. } = aggregate;
        let in_force = self.context.seen.get(&Key::SealedBy(asset, right, owner))? == Some(id);
        let payable = if in_force { entitled.saturating_sub(paid) } else { 0 };
        let is = of_source(&SourceLine { entitled, paid, payable });
        self.amount(i128::try_from(is).unwrap_or(i128::MAX), &currency)
    }

    /// A number of what a member has in one currency.
    fn in_currency(&mut self, of: fn(&CurrencyTotal) -> u64) -> Result<Answer, Wrong> {
        self.at.skip("of");
        let member = Member::read(&mut self.at, self.context)?;
        self.at.expect("in")?;
        let currency = Coin::read(&mut self.at, self.context)?;
        let statement = member_statement(&self.context.seen, &member, self.context.now_ms)?;
        let total = statement.totals.iter().find(|t| t.currency == currency);
        self.amount(total.map_or(0, of).into(), &currency)
    }
}

pub(super) fn total(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    a.in_currency(|total| total.entitled)
}

pub(super) fn fees(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    a.in_currency(|total| total.fees)
}

pub(super) fn closed(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    a.at.skip("account");
    let (account, _, _) = a.account_id()?;
    let closed = a.context.seen.account(&account)?.is_some_and(|record| record.closed);
    a.yes(closed)
}

pub(super) fn claim(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    a.at.skip("of");
    let (right, asset) = RightOf::read(&mut a.at, a.context)?;
    a.at.expect("in")?;
    let product = Asset::read(&mut a.at, a.context)?;
    let schedule = a.context.seen.schedule(&product).map_err(|e| Wrong(e.to_string()))?;
    let found = schedule.iter().find(|c| c.asset == asset && c.right == right);
    let answer = a.compare::<Count>(&found.map_or(0, |c| c.units))?;
    a.expected.skip("units");
    Ok(answer)
}

pub(super) fn claims(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (product, _) = a.asset()?;
    let schedule = a.context.seen.schedule(&product).map_err(|e| Wrong(e.to_string()))?;
    a.compare::<Count>(&u64::try_from(schedule.len()).unwrap_or(u64::MAX))
}
