//! A statement as CSV, a row for each line: what an accounting system makes vouchers of.
//!
//! Amounts are whole minor units. No cell is empty, and of every row `entitled + adjusted + set_off
//! + overpaid = held + frozen + paid + payable`.

use std::io;

use headwater_ledger::money::Currency;
use headwater_ledger::query::{AssetLine, Balance, MemberStatement, ProductStatement};
use headwater_ledger::text::Handle;

use super::sums::Sums;
use crate::output::Page;
use crate::remote::view::AsOf;
use crate::show;

/// The columns, in order.
pub const COLUMNS: &str = "height,time,account,product,exchange,currency,closed,kind,asset,right,\
                           owner,units,entitled,adjusted,set_off,held,frozen,paid,payable,overpaid";

/// What every row of an account begins with.
struct Account<'a> {
    as_of: &'a AsOf,
    account: String,
    product: &'a str,
    exchange: &'a Handle,
    currency: &'a Currency,
    closed: bool,
}

/// What a row is about.
struct Subject<'a> {
    kind: &'a str,
    asset: &'a str,
    right: String,
    owner: &'a Handle,
    units: u64,
}

impl Account<'_> {
    fn row(&self, of: &Subject<'_>, sums: &Sums) -> Vec<String> {
        let begin = [
            self.as_of.height.to_string(),
            show::time(self.as_of.time_ms),
            self.account.clone(),
            self.product.to_string(),
            self.exchange.to_string(),
            self.currency.to_string(),
            self.closed.to_string(),
            of.kind.to_string(),
            of.asset.to_string(),
            of.right.clone(),
            of.owner.to_string(),
            of.units.to_string(),
        ];
        begin.into_iter().chain(sums.0.iter().map(ToString::to_string)).collect()
    }

    /// What an owner has of a claim; its units are those of its lines.
    fn line(&self, balance: &Balance, lines: &[AssetLine]) -> Vec<String> {
        let own = |line: &&AssetLine| line.asset == balance.asset && line.right == balance.right;
        let of = Subject {
            kind: "line",
            asset: &balance.name,
            right: balance.right.to_string(),
            owner: &balance.party,
            units: lines.iter().find(own).map_or(0, |line| line.units),
        };
        self.row(&of, &balance.into())
    }

    /// What the exchange takes when it clears, or what rounding leaves.
    fn of_exchange(&self, kind: &str, amount: u64) -> Vec<String> {
        let amount = i128::from(amount);
        let sums = match kind {
            "residue" => [amount, 0, 0, amount, 0, 0, 0, 0],
            _ => [amount, 0, 0, 0, 0, amount, 0, 0],
        };
        let right = "-".to_string();
        let of = Subject { kind, asset: self.product, right, owner: self.exchange, units: 0 };
        self.row(&of, &Sums(sums))
    }
}

/// A member's statement.
pub fn member(page: &mut Page<'_>, as_of: &AsOf, statement: &MemberStatement) -> io::Result<()> {
    heading(page)?;
    for a in &statement.accounts {
        let (account, product) = (a.account.to_string(), a.name.as_str());
        let (exchange, currency) = (&a.exchange, &a.currency);
        let begin = Account { as_of, account, product, exchange, currency, closed: a.closed };
        for balance in &a.balances {
            write(page, &begin.line(balance, &a.lines))?;
        }
        if let Some(clearing) = &a.clearing {
            write(page, &begin.of_exchange("fee", clearing.fee))?;
        }
    }
    Ok(())
}

/// A product's statement.
pub fn product(page: &mut Page<'_>, as_of: &AsOf, statement: &ProductStatement) -> io::Result<()> {
    heading(page)?;
    for a in &statement.accounts {
        let (account, product) = (a.account.to_string(), statement.name.as_str());
        let (exchange, currency) = (&a.exchange, &a.currency);
        let begin = Account { as_of, account, product, exchange, currency, closed: a.closed };
        for balance in &a.balances {
            write(page, &begin.line(balance, &a.lines))?;
        }
        write(page, &begin.of_exchange("fee", a.remaining.fee))?;
        write(page, &begin.of_exchange("tax", a.remaining.tax))?;
        write(page, &begin.of_exchange("residue", a.residue))?;
    }
    Ok(())
}

fn heading(page: &mut Page<'_>) -> io::Result<()> {
    page.line(COLUMNS)
}

fn write(page: &mut Page<'_>, fields: &[String]) -> io::Result<()> {
    page.line(fields.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(","))
}

/// A field, in quotes where it needs them.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_need_it() {
        assert_eq!(quoted("clinic/scans"), "clinic/scans");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
