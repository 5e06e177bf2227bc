//! `headwater statement`: who is owed what, line by line.

use std::io;
use std::str::FromStr;

use clap::Args;
use headwater_ledger::money::Currency;
use headwater_ledger::query::{
    self, AccountStatement, AssetLine, MemberAccount, MemberStatement, ProductStatement,
};
use headwater_ledger::text::{Handle, ParseText};
use serde::Serialize;

use super::shares::proved;
use crate::failure::Failure;
use crate::output::{Page, Report};
use crate::remote::Connection;
use crate::remote::resolve::AssetRef;
use crate::remote::view::AsOf;
use crate::session::Session;
use crate::show;

const AFTER_HELP: &str = "\
Examples:
  headwater statement patients-fund                      what a member is owed, and for what
  headwater statement insight-co/breast-cancer-report    how a product's money was divided
  headwater statement gba-exchange --json

Held: the delivery of what was paid for is not confirmed yet. Payable: it is. Entitled is both.
Payouts are not recorded on this ledger, so nothing is taken off for them.

With --json, amounts in minor units, of a member:
  {\"as_of\":{chain_id,height,block_id,time_ms,state_root},
   \"member\":HANDLE,\"name\":…,\"roles\":[…],\"suspended\":BOOL,
   \"accounts\":[{account,product,name,exchange,currency,net,
     lines:[{asset,name,right,epoch,party,parts,units,entitled,held,payable}],
     entitled,held,payable,clearing:{payments,fee,refunded_fee}|null}],
   \"totals\":[{currency,entitled,held,payable,fees}]}
of a product:
  {\"as_of\":…,\"product\":ID,\"name\":\"handle/name\",\"schedule\":HASH,
   \"accounts\":[{account,exchange,currency,
     received:{gross,net,fee,tax},refunded:{…},remaining:{…},confirmed_net,
     payments:[{id,contract,received,refunded,confirmed,bank_reference,height,time_ms}],
     lines:[…],parties:[{party,entitled,held,payable}],residue}]}";

/// Arguments of `headwater statement`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct StatementArgs {
    /// A member's handle, or a product as HANDLE/NAME or by id
    #[arg(value_name = "MEMBER|PRODUCT")]
    of: Subject,
    /// Height to ask about [default: the latest]
    #[arg(long, value_name = "HEIGHT")]
    at: Option<u64>,
    /// Show lines of nothing too
    #[arg(long)]
    zeros: bool,
}

/// Whose statement it is.
#[derive(Debug, Clone)]
enum Subject {
    Member(Handle),
    Product(AssetRef),
}

impl FromStr for Subject {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') || text.contains(':') {
            return text.parse().map(Subject::Product);
        }
        text.parse().map(Subject::Member).map_err(|error: ParseText| error.to_string())
    }
}

#[derive(Serialize)]
struct ProductReport {
    as_of: AsOf,
    #[serde(flatten)]
    statement: ProductStatement,
    #[serde(skip)]
    zeros: bool,
}

#[derive(Serialize)]
struct MemberReport {
    as_of: AsOf,
    #[serde(flatten)]
    statement: MemberStatement,
    #[serde(skip)]
    zeros: bool,
}

impl StatementArgs {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        let connection = Connection::open(session)?;
        let view = connection.view(self.at)?;
        let (as_of, zeros) = (view.as_of(), self.zeros);
        match &self.of {
            Subject::Member(member) => {
                let statement = view.ask(|view| query::member_statement(view, member))?;
                session.output.report(&MemberReport { as_of, statement, zeros })
            }
            Subject::Product(product) => {
                let product = view.asset_id(product)?;
                let statement = view.ask(|view| query::product_statement(view, &product))?;
                session.output.report(&ProductReport { as_of, statement, zeros })
            }
        }
    }
}

impl Report for ProductReport {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.field("product", &self.statement.name)?;
        page.field("id", self.statement.product)?;
        page.field("schedule", self.statement.schedule)?;
        page.line("")?;
        if self.statement.accounts.is_empty() {
            page.line("No payment is recorded for it.")?;
        }
        for account in &self.statement.accounts {
            self.account(page, account)?;
            page.line("")?;
        }
        proved(page, &self.as_of)
    }
}

impl ProductReport {
    fn account(&self, page: &mut Page<'_>, account: &AccountStatement) -> io::Result<()> {
        let currency = &account.currency;
        page.line(format_args!("Account at {} in {currency}", account.exchange))?;
        sums(page, account)?;
        page.line("")?;
        let column =
            |of: fn(&query::PartyTotal) -> u64| amounts(account.parties.iter().map(of), currency);
        let (entitled, held, payable) =
            (column(|p| p.entitled), column(|p| p.held), column(|p| p.payable));
        let rows = account.parties.iter().zip(entitled).zip(held).zip(payable);
        let rows = rows.map(|(((p, e), h), y)| [p.party.to_string(), e, h, y]);
        let unit = show::unit(currency);
        let entitled = format!("entitled, {unit}");
        page.table(["party", &entitled, "held", "payable"], rows)?;
        page.line("")?;
        lines(page, &account.lines, currency, self.zeros)?;
        page.line("")?;
        payments(page, account)
    }
}

/// Where the money of an account is: every minor unit of what was paid.
fn sums(page: &mut Page<'_>, account: &AccountStatement) -> io::Result<()> {
    let currency = &account.currency;
    let remaining = &account.remaining;
    let entitled = remaining.net - account.residue;
    let mut rows = vec![("received", account.received.gross)];
    if account.refunded.gross > 0 {
        rows.push(("refunded", account.refunded.gross));
        rows.push(("remaining", remaining.gross));
    }
    rows.push(("tax", remaining.tax));
    rows.push(("fee", remaining.fee));
    rows.push(("entitled", entitled));
    rows.push(("residue", account.residue));
    let shown = amounts(rows.iter().map(|row| row.1), currency);
    let unit = show::unit(currency);
    for ((name, _), amount) in rows.iter().zip(shown) {
        let note = match *name {
            "tax" => ", as stated",
            "fee" => ", of the exchange",
            "residue" => ", left by rounding and carried",
            _ => "",
        };
        page.field(name, format_args!("{amount} {unit}{note}"))?;
    }
    Ok(())
}

fn payments(page: &mut Page<'_>, account: &AccountStatement) -> io::Result<()> {
    let currency = &account.currency;
    let gross = amounts(account.payments.iter().map(|p| p.received.gross), currency);
    let refunded = amounts(account.payments.iter().map(|p| p.refunded.gross), currency);
    let rows = account.payments.iter().zip(gross).zip(refunded).map(|((p, gross), refunded)| {
        [
            show::time(p.time_ms),
            gross,
            refunded,
            if p.confirmed { "confirmed" } else { "not confirmed" }.to_string(),
            p.bank_reference.to_string(),
            show::short(p.contract.digest()),
        ]
    });
    page.table(["payment", "gross", "refunded", "delivery", "bank reference", "contract"], rows)
}

/// The lines of an account. Lines of nothing are told, not shown, unless asked for.
fn lines(
    page: &mut Page<'_>,
    lines: &[AssetLine],
    currency: &Currency,
    zeros: bool,
) -> io::Result<()> {
    let shown: Vec<&AssetLine> = lines.iter().filter(|l| zeros || l.entitled > 0).collect();
    let column = |of: fn(&AssetLine) -> u64| amounts(shown.iter().map(|line| of(line)), currency);
    let (entitled, held, payable) =
        (column(|l| l.entitled), column(|l| l.held), column(|l| l.payable));
    let shares = show::right_aligned(shown.iter().map(|line| show::percent(line.units)).collect());
    let parts =
        show::right_aligned(shown.iter().map(|line| show::basis_points(line.parts)).collect());
    let rows = shown.iter().zip(shares).zip(parts).zip(entitled).zip(held).zip(payable);
    let rows = rows.map(|(((((line, share), parts), entitled), held), payable)| {
        [
            line.name.clone(),
            line.right.to_string(),
            share,
            format!("{} from epoch {}", line.party, line.epoch),
            parts,
            entitled,
            held,
            payable,
        ]
    });
    if !shown.is_empty() {
        page.table(
            ["asset", "right", "share", "owner", "parts", "entitled", "held", "payable"],
            rows,
        )?;
    }
    let hidden = lines.len() - shown.len();
    if hidden > 0 {
        let hidden = show::count(hidden as u64, "line", "lines");
        page.line(format_args!("{hidden} of nothing not shown; --zeros shows all"))?;
    }
    Ok(())
}

fn amounts(values: impl Iterator<Item = u64>, currency: &Currency) -> Vec<String> {
    show::right_aligned(values.map(|value| show::number(value, currency)).collect())
}

impl Report for MemberReport {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let s = &self.statement;
        page.field("member", format_args!("{} ({})", s.member, s.name))?;
        if s.suspended {
            page.field("", "suspended")?;
        }
        for total in &s.totals {
            page.line("")?;
            let currency = &total.currency;
            let mut rows = vec![
                ("entitled", total.entitled),
                ("held", total.held),
                ("payable", total.payable),
            ];
            if s.accounts.iter().any(|a| a.currency == *currency && a.clearing.is_some()) {
                rows.push(("fees", total.fees));
            }
            let shown = amounts(rows.iter().map(|row| row.1), currency);
            for ((name, _), amount) in rows.iter().zip(shown) {
                page.field(name, format_args!("{amount} {}", show::unit(currency)))?;
            }
        }
        page.line("")?;
        if s.accounts.is_empty() {
            page.line("No account of any registered product concerns this member.")?;
            page.line("")?;
        }
        for account in &s.accounts {
            self.account(page, account)?;
            page.line("")?;
        }
        proved(page, &self.as_of)
    }
}

impl MemberReport {
    fn account(&self, page: &mut Page<'_>, account: &MemberAccount) -> io::Result<()> {
        let currency = &account.currency;
        page.line(format_args!("{}, cleared by {}", account.name, account.exchange))?;
        page.field("net", format_args!("{} in all", show::money(account.net, currency)))?;
        if let Some(clearing) = &account.clearing {
            let fee = show::money(clearing.fee, currency);
            let payments = show::count(clearing.payments, "payment", "payments");
            page.field("fee", format_args!("{fee} for clearing {payments}"))?;
        }
        if account.lines.is_empty() {
            return Ok(());
        }
        page.field("entitled", show::money(account.entitled, currency))?;
        lines(page, &account.lines, currency, self.zeros)
    }
}
