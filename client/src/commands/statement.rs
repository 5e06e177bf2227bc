//! `headwater statement`: who is owed what, line by line.

mod csv;
mod sums;

use std::io;
use std::str::FromStr;

use clap::Args;
use headwater_ledger::money::Currency;
use headwater_ledger::query::{
    self, AccountStatement, AssetLine, Balance, CutShown, MemberAccount, MemberStatement,
    PayoutShown, ProductStatement, SetOffShown,
};
use headwater_ledger::state::record::{OwnerLine, PayoutStatus};
use headwater_ledger::text::{Handle, ParseText};
use serde::Serialize;

use self::sums::Sums;
use super::shares::proved;
use crate::failure::Failure;
use crate::output::{Page, Report};
use crate::remote::Connection;
use crate::remote::past::AtArgs;
use crate::remote::resolve::AssetRef;
use crate::remote::view::AsOf;
use crate::session::Session;
use crate::show;

const AFTER_HELP: &str = "\
Examples:
  headwater statement patients-fund                      what a member is owed, and for what
  headwater statement insight-co/breast-cancer-report    how a product's money was divided
  headwater statement gba-exchange --json
  headwater statement gba-exchange --csv > vouchers.csv

Held: the delivery of what was paid for is not confirmed yet, or a refund is ordered. Frozen: a
dispute holds it. Payable: it can be paid out now. Overpaid: paid out and refunded since. Set off:
what was overpaid here and met by what was payable on other lines; below 0 there. Adjusted: what
rulings gave, below 0 where they took it. Together:
  entitled + adjusted + set off + overpaid = held + frozen + paid + payable
Columns of nothing are left out. The last lines show what each ownership epoch earned, before
payouts.

--csv has one header and no empty cell; amounts are whole minor units:
  height,time,account,product,exchange,currency,closed,kind,asset,right,owner,units,SUMS
with SUMS as below and kind line (one owner of one claim), fee, tax or residue (of the exchange,
right -; fee and tax count as paid when cleared, residue as held). Payouts, set-offs and what
rulings cut out are in --json.

With --json, amounts in minor units, of a member:
  {\"as_of\":{chain_id,height,block_id,time_ms,state_root},
   \"member\":HANDLE,\"name\":…,\"roles\":[…],\"suspended\":BOOL,
   \"accounts\":[{account,product,name,exchange,currency,net,
     lines:[{asset,name,right,epoch,party,parts,units,entitled,held,frozen,payable}],
     balances:[{asset,name,right,party,SUMS}],SUMS,
     cuts:[{dispute,asset,name,right,owner,runs:[{first,before,parts}],earned,
       kept:[{member,amount}],holder,amount}],
     payouts:[{id,asset,right,owner,payee,amount,bank_reference,status,height,time_ms}],
     set_offs:[{id,from:{asset,right,owner},to:{…},amount,height,time_ms}],
     closed,clearing:{payments,fee,refunded_fee}|null}],
   \"totals\":[{currency,SUMS,fees}]}
with SUMS: entitled,adjusted,set_off,held,frozen,paid,payable,overpaid;
of a product:
  {\"as_of\":…,\"product\":ID,\"name\":\"handle/name\",\"schedule\":HASH,
   \"accounts\":[{account,exchange,currency,
     received:{gross,net,fee,tax},refunded:{…},remaining:{…},confirmed_net,
     closed,
     payments:[{id,contract,received,refunded,ordered,void,confirmed,bank_reference,height,
       time_ms}],
     lines:[…],balances:[…],cuts:[…],parties:[{party,SUMS}],payouts:[…],set_offs:[…],
     residue}]}";

/// Arguments of `headwater statement`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct StatementArgs {
    /// A member's handle, or a product as HANDLE/NAME or by id
    #[arg(value_name = "MEMBER|PRODUCT")]
    of: Subject,
    #[command(flatten)]
    at: AtArgs,
    /// Show lines of nothing too
    #[arg(long)]
    zeros: bool,
    /// Print CSV, a row for each line, amounts in whole minor units
    #[arg(long)]
    csv: bool,
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
    #[serde(skip)]
    csv: bool,
}

#[derive(Serialize)]
struct MemberReport {
    as_of: AsOf,
    #[serde(flatten)]
    statement: MemberStatement,
    #[serde(skip)]
    zeros: bool,
    #[serde(skip)]
    csv: bool,
}

impl StatementArgs {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        let connection = Connection::open(session)?;
        let view = connection.view(self.at.height(&connection)?)?;
        let (as_of, zeros, csv) = (view.as_of(), self.zeros, self.csv);
        let now_ms = as_of.time_ms;
        match &self.of {
            Subject::Member(member) => {
                let statement = view.ask(|view| query::member_statement(view, member, now_ms))?;
                session.output.report(&MemberReport { as_of, statement, zeros, csv })
            }
            Subject::Product(product) => {
                let product = view.asset_id(product)?;
                let statement =
                    view.ask(|view| query::product_statement(view, &product, now_ms))?;
                session.output.report(&ProductReport { as_of, statement, zeros, csv })
            }
        }
    }
}

impl Report for ProductReport {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.csv {
            return csv::product(page, &self.as_of, &self.statement);
        }
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
        let closed = if account.closed { ", closed" } else { "" };
        page.line(format_args!("Account at {} in {currency}{closed}", account.exchange))?;
        sums(page, account)?;
        page.line("")?;
        let rows = account.parties.iter().map(|p| (vec![p.party.to_string()], Sums::from(p)));
        sums::table(page, &["party"], rows.collect(), currency)?;
        page.line("")?;
        balances(page, &account.balances, currency, self.zeros)?;
        page.line("")?;
        lines(page, &account.lines, currency, self.zeros)?;
        page.line("")?;
        cuts(page, &account.cuts, currency)?;
        payments(page, account)?;
        payouts(page, &account.payouts, &account.lines, currency)?;
        set_offs(page, &account.set_offs, &account.lines, currency)
    }
}

/// What each owner has of each claim. Those that never had anything are left out unless asked for.
fn balances(
    page: &mut Page<'_>,
    balances: &[Balance],
    currency: &Currency,
    zeros: bool,
) -> io::Result<()> {
    let rows = balances
        .iter()
        .map(|b| (vec![b.name.clone(), b.right.to_string(), b.party.to_string()], Sums::from(b)));
    let rows: Vec<_> = rows.filter(|(_, sums)| zeros || *sums != Sums([0; 8])).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sums::table(page, &["asset", "right", "owner"], rows, currency)
}

/// What rulings cut out of claims and gave to somebody.
fn cuts(page: &mut Page<'_>, cuts: &[CutShown], currency: &Currency) -> io::Result<()> {
    if cuts.is_empty() {
        return Ok(());
    }
    page.line("")?;
    let earned = amounts(cuts.iter().map(|cut| cut.earned), currency);
    let kept = cuts.iter().map(|cut| cut.kept.iter().map(|kept| kept.amount).sum());
    let rows = cuts.iter().zip(earned).zip(amounts(kept, currency));
    let rows = rows.zip(amounts(cuts.iter().map(|cut| cut.amount), currency));
    let rows = rows.map(|(((cut, earned), kept), amount)| {
        [
            show::short(cut.dispute.digest()),
            cut.name.clone(),
            cut.right.to_string(),
            cut.owner.to_string(),
            earned,
            kept,
            cut.holder.to_string(),
            amount,
        ]
    });
    page.table(
        ["ruled in", "asset", "right", "share of", "earned", "kept", "given to", "amount"],
        rows,
    )?;
    page.line("")
}

/// Payouts, under the names that the lines give.
fn payouts(
    page: &mut Page<'_>,
    payouts: &[PayoutShown],
    lines: &[AssetLine],
    currency: &Currency,
) -> io::Result<()> {
    if payouts.is_empty() {
        return Ok(());
    }
    page.line("")?;
    let amounts = amounts(payouts.iter().map(|p| p.amount), currency);
    let rows = payouts.iter().zip(amounts).map(|(p, amount)| {
        let line = lines.iter().find(|line| line.asset == p.asset);
        let owner = if p.owner == p.payee {
            p.owner.to_string()
        } else {
            format!("{} for {}", p.payee, p.owner)
        };
        let status = match p.status {
            PayoutStatus::Paid => "paid",
            PayoutStatus::Contested => "contested",
            PayoutStatus::Reversed => "reversed",
        };
        [
            show::time(p.time_ms),
            owner,
            line.map_or_else(|| p.asset.to_string(), |line| line.name.clone()),
            p.right.to_string(),
            amount,
            status.to_string(),
            p.bank_reference.to_string(),
            show::short(p.id.digest()),
        ]
    });
    page.table(["payout", "to", "asset", "right", "amount", "status", "bank reference", "id"], rows)
}

/// Set-offs, under the names that the lines give.
fn set_offs(
    page: &mut Page<'_>,
    set_offs: &[SetOffShown],
    lines: &[AssetLine],
    currency: &Currency,
) -> io::Result<()> {
    if set_offs.is_empty() {
        return Ok(());
    }
    page.line("")?;
    let name = |line: &OwnerLine| {
        let found = lines.iter().find(|shown| shown.asset == line.asset);
        let asset = found.map_or_else(|| line.asset.to_string(), |line| line.name.clone());
        format!("{}, {} of {asset}", line.owner, line.right)
    };
    let amounts = amounts(set_offs.iter().map(|s| s.amount), currency);
    let rows = set_offs.iter().zip(amounts).map(|(s, amount)| {
        [show::time(s.time_ms), name(&s.from), name(&s.to), amount, show::short(s.id.digest())]
    });
    page.table(["set-off", "payable on", "overpaid on", "amount", "id"], rows)
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
            match (p.void, p.confirmed) {
                (true, _) => "void",
                (false, true) => "confirmed",
                (false, false) => "not confirmed",
            }
            .to_string(),
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
    let (entitled, held, frozen) =
        (column(|l| l.entitled), column(|l| l.held), column(|l| l.frozen));
    let shares = show::right_aligned(shown.iter().map(|line| show::percent(line.units)).collect());
    let parts =
        show::right_aligned(shown.iter().map(|line| show::basis_points(line.parts)).collect());
    let rows = shown.iter().zip(shares).zip(parts).zip(entitled).zip(held).zip(frozen);
    let rows = rows.map(|(((((line, share), parts), entitled), held), frozen)| {
        [
            line.name.clone(),
            line.right.to_string(),
            share,
            format!("{} from epoch {}", line.party, line.epoch),
            parts,
            entitled,
            held,
            frozen,
        ]
    });
    if !shown.is_empty() {
        page.table(
            ["asset", "right", "share", "owner", "parts", "earned", "held", "frozen"],
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
        if self.csv {
            return csv::member(page, &self.as_of, s);
        }
        page.field("member", format_args!("{} ({})", s.member, s.name))?;
        if s.suspended {
            page.field("", "suspended")?;
        }
        for total in &s.totals {
            page.line("")?;
            let currency = &total.currency;
            sums::fields(page, &Sums::from(total), currency)?;
            if s.accounts.iter().any(|a| a.currency == *currency && a.clearing.is_some()) {
                page.field("fees", show::money(total.fees, currency))?;
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
        let closed = if account.closed { ", closed" } else { "" };
        page.line(format_args!("{}, cleared by {}{closed}", account.name, account.exchange))?;
        page.field("net", format_args!("{} in all", show::money(account.net, currency)))?;
        if let Some(clearing) = &account.clearing {
            let fee = show::money(clearing.fee, currency);
            let payments = show::count(clearing.payments, "payment", "payments");
            page.field("fee", format_args!("{fee} for clearing {payments}"))?;
            if clearing.refunded_fee > 0 {
                let given = show::money(clearing.refunded_fee, currency);
                page.field("", format_args!("{given} of fees given back besides"))?;
            }
        }
        if account.balances.is_empty() {
            return Ok(());
        }
        balances(page, &account.balances, currency, self.zeros)?;
        page.line("")?;
        lines(page, &account.lines, currency, self.zeros)?;
        cuts(page, &account.cuts, currency)?;
        payouts(page, &account.payouts, &account.lines, currency)?;
        set_offs(page, &account.set_offs, &account.lines, currency)
    }
}
