//! `headwater payout record-all`: everything payable on an account, in few envelopes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use headwater_ledger::event::{Event, RecordPayout};
use headwater_ledger::execute::acting;
use headwater_ledger::hash::{AccountId, AssetId, EnvelopeId, PayoutId, SetOffId};
use headwater_ledger::money::Currency;
use headwater_ledger::query::{self, Balance};
use headwater_ledger::split::Right;
use headwater_ledger::state::Records as _;
use headwater_ledger::text::{Code, Handle};
use serde::Serialize;

use super::set_off::{LineShown, SetOff, plan};
use super::{claim_of, proved_account};
use crate::build::{Acting, ActingArgs};
use crate::failure::{Failure, Kind};
use crate::lookup::{AccountRef, exact_id};
use crate::output::{Page, Report};
use crate::remote::resolve::AssetRef;
use crate::session::Session;
use crate::show;
use crate::value::amount::{self, Notation};
use crate::value::choice;

/// Set-offs and payouts in one envelope: far below its weight also when claims have many epochs.
const PER_ENVELOPE: usize = 100;

pub(super) const AFTER_HELP: &str = "\
Examples:
  headwater payout record-all insight-co/report@first-exchange:CNY \\
      --bank-ref-prefix ICBC-20261201- --dry-run --as first-exchange
  headwater payout record-all insight-co/report@first-exchange:CNY --from bank.csv \\
      --as first-exchange

First what was overpaid on lines of a member is set off against what is payable on its other lines,
as by `headwater payout set-off`. Then every line that is payable is paid in full: its amount is that
of `headwater statement`, less what was set off. With --bank-ref-prefix the references are
PREFIX0001, PREFIX0002, … in the order listed. FILE has a line ASSET,RIGHT,OWNER,REFERENCE,AMOUNT for
each line that the bank has paid; others are not paid. AMOUNT may be left out; where it is not what
would be recorded, nothing is. --dry-run shows the amounts that the bank is to pay. Lines whose payee
is suspended are set off, and not paid, with a warning. An envelope holds 100 set-offs and payouts;
what an interrupted run recorded is not payable any more, so that it can be run again, with another
prefix.

With --json:
  {\"dry_run\":BOOL,\"account\":ID,\"currency\":…,\"total\":N,\"envelopes\":[ID],
   \"set_offs\":[{from:{asset,name,right,owner},to:{…},amount,id}],
   \"payouts\":[{asset,name,right,owner,payee,amount,bank_reference,id}]}";

/// Arguments of `headwater payout record-all`.
#[derive(Debug, Args)]
pub struct RecordAllArgs {
    /// The account: PRODUCT@EXCHANGE:CURRENCY or its id
    account: AccountRef,
    /// What the bank's references begin with
    #[arg(long, value_name = "PREFIX", required_unless_present = "from", conflicts_with = "from")]
    bank_ref_prefix: Option<String>,
    /// CSV file with the lines that the bank has paid, and its references
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Only the lines of this owner
    #[arg(long = "owner", value_name = "HANDLE", value_delimiter = ',')]
    owners: Vec<Handle>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// One payout.
#[derive(Debug, Clone, Serialize)]
struct Paid {
    asset: AssetId,
    name: String,
    right: Right,
    owner: Handle,
    payee: Handle,
    /// Minor units.
    amount: u64,
    bank_reference: Code,
    /// None in a dry run.
    id: Option<PayoutId>,
}

#[derive(Serialize)]
struct PaidReport {
    dry_run: bool,
    account: AccountId,
    currency: Currency,
    total: u64,
    envelopes: Vec<EnvelopeId>,
    set_offs: Vec<SetOff>,
    payouts: Vec<Paid>,
}

/// The bank's reference, and the amount where the file gives it.
type InFile = (Code, Option<String>);

/// What names a line: asset, right and owner.
type LineName = (AssetId, Right, Handle);

impl RecordAllArgs {
    /// Runs the command.
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let account = acting.account(&self.account)?;
        let record = proved_account(&acting, &account)?;
        let mut balances = self.balances(&acting, &account, &record.product)?;
        let set_offs = plan(&mut balances);
        let balances = payable(&acting, balances)?;
        let payouts = self.referenced(&acting, &record.currency, balances)?;
        if payouts.is_empty() && set_offs.is_empty() {
            return Err(Failure::new(Kind::NotFound, "nothing of that is payable on the account")
                .hint("`headwater statement` shows what is held, frozen or paid"));
        }
        let mut report = PaidReport {
            dry_run: acting.is_dry_run(),
            account,
            currency: record.currency,
            total: payouts.iter().fold(0, |sum, paid| sum.saturating_add(paid.amount)),
            envelopes: Vec::new(),
            set_offs,
            payouts,
        };
        if report.dry_run {
            return session.output.report(&report);
        }
        let product = &record.product;
        let set_offs = report.set_offs.iter().map(|s| s.event(&acting, &account, product));
        let payouts = report.payouts.iter().map(|paid| event(&acting, &account, product, paid));
        let events = set_offs.chain(payouts).collect::<Result<Vec<_>, _>>()?;
        let mut made = Vec::new();
        for chunk in events.chunks(PER_ENVELOPE) {
            let recorded = acting.record_all(chunk.to_vec());
            let recorded =
                recorded.map_err(|failure| interrupted(failure, made.len(), events.len()))?;
            report.envelopes.push(recorded.envelope);
            made.extend(recorded.made.iter().map(|made| made.id));
        }
        let mut made = made.into_iter();
        for (set_off, id) in report.set_offs.iter_mut().zip(&mut made) {
            set_off.id = Some(SetOffId::from_digest(id));
        }
        for (paid, id) in report.payouts.iter_mut().zip(made) {
            paid.id = Some(PayoutId::from_digest(id));
        }
        session.output.report(&report)
    }

    /// The lines of the owners asked for, and who acts for each.
    fn balances(
        &self,
        acting: &Acting<'_>,
        account: &AccountId,
        product: &AssetId,
    ) -> Result<Vec<(Balance, Handle)>, Failure> {
        let view = acting.connection().view(None)?;
        let now_ms = view.block().header.time_ms;
        let statement = view.ask(|view| query::product_statement(view, product, now_ms))?;
        let found = statement.accounts.into_iter().find(|found| found.account == *account);
        let balances = found.map(|found| found.balances).unwrap_or_default();
        let wanted = |balance: &Balance| {
            (balance.payable, balance.overpaid) != (0, 0)
                && (self.owners.is_empty() || self.owners.contains(&balance.party))
        };
        let mut lines = Vec::new();
        for balance in balances.into_iter().filter(wanted) {
            let payee = view.ask(|view| Ok(self::acting(view, &balance.party)?))?;
            lines.push((balance, payee));
        }
        Ok(lines)
    }

    /// The payouts of these lines, with their references.
    fn referenced(
        &self,
        acting: &Acting<'_>,
        currency: &Currency,
        balances: Vec<(Balance, Handle)>,
    ) -> Result<Vec<Paid>, Failure> {
        let mut file = match &self.from {
            Some(path) => Some(read(path, acting)?),
            None => None,
        };
        let mut payouts = Vec::new();
        for (balance, payee) in balances {
            let Balance { asset, name, right, party: owner, payable: amount, .. } = balance;
            let bank_reference = match &mut file {
                Some(file) => match file.remove(&(asset, right, owner.clone())) {
                    Some((reference, paid)) => {
                        paid.map_or(Ok(()), |paid| same(&paid, amount, currency, &name))?;
                        reference
                    }
                    None => continue,
                },
                None => {
                    let prefix = self.bank_ref_prefix.as_deref().unwrap_or_default();
                    let text = format!("{prefix}{:04}", payouts.len() + 1);
                    text.parse().map_err(|error| {
                        Failure::new(Kind::Usage, format_args!("{text} is no reference: {error}"))
                            .hint("correct --bank-ref-prefix")
                    })?
                }
            };
            payouts.push(Paid {
                asset,
                name,
                right,
                owner,
                payee,
                amount,
                bank_reference,
                id: None,
            });
        }
        if let Some((_, right, owner)) = file.iter().flat_map(BTreeMap::keys).next() {
            let message =
                format_args!("nothing is payable on a {right} line of {owner} in the file");
            return Err(Failure::new(Kind::BadInput, message).hint(
                "correct the line or leave it out; nothing was recorded; `headwater statement` \
                 shows what is payable",
            ));
        }
        Ok(payouts)
    }
}

/// The lines with something payable whose payee is not suspended.
fn payable(
    acting: &Acting<'_>,
    lines: Vec<(Balance, Handle)>,
) -> Result<Vec<(Balance, Handle)>, Failure> {
    let view = acting.connection().view(None)?;
    let mut payable = Vec::new();
    for (balance, payee) in lines.into_iter().filter(|(balance, _)| balance.payable > 0) {
        let member = view.ask(|view| Ok(view.member(&payee)?))?;
        if member.is_some_and(|member| member.suspended) {
            let text = format!("{payee} is suspended: what {} has of ", balance.party);
            acting.output().warn(format!("{text}{} is not paid", balance.name));
        } else {
            payable.push((balance, payee));
        }
    }
    Ok(payable)
}

/// Fails unless the bank has paid what would be recorded.
fn same(paid: &str, amount: u64, currency: &Currency, name: &str) -> Result<(), Failure> {
    if amount::parse(paid, currency, Notation::Decimal)? == amount {
        return Ok(());
    }
    let due = show::money(amount, currency);
    let message = format_args!("the file says {paid} for a line of {name}, {due} are to be paid");
    Err(Failure::new(Kind::BadInput, message).hint(
        "nothing was recorded; `headwater payout record` records a part, --dry-run shows what is \
         to be paid",
    ))
}

/// The references of a file, and the amounts that it gives, by line.
fn read(path: &Path, acting: &Acting<'_>) -> Result<BTreeMap<LineName, InFile>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error))?;
    let mut references = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let ((asset, right, owner), reference) = parse(line).map_err(|error: String| {
            let message = format_args!("line {number} of {}: {error}", path.display());
            Failure::new(Kind::BadInput, message)
                .hint("a line is ASSET,RIGHT,OWNER,REFERENCE or ASSET,RIGHT,OWNER,REFERENCE,AMOUNT")
        })?;
        let name = (exact_id(&asset, &acting.connection().chain_id()), right, owner);
        if references.insert(name, reference).is_some() {
            let message = format_args!("line {number} of {} is there twice", path.display());
            return Err(Failure::new(Kind::BadInput, message).hint("leave one of them out"));
        }
    }
    Ok(references)
}

fn parse(line: &str) -> Result<((AssetRef, Right, Handle), InFile), String> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let (asset, right, owner, reference, amount) = match fields[..] {
        [asset, right, owner, reference] => (asset, right, owner, reference, None),
        [asset, right, owner, reference, paid] => (asset, right, owner, reference, Some(paid)),
        _ => return Err(format!("{} fields, expected 4 or 5", fields.len())),
    };
    let owner = owner.parse().map_err(|error| format!("{error}"))?;
    let reference = reference.parse().map_err(|error| format!("{error}"))?;
    let line = (asset.parse()?, choice::parse(right)?, owner);
    Ok((line, (reference, amount.map(str::to_string))))
}

fn event(
    acting: &Acting<'_>,
    account: &AccountId,
    product: &AssetId,
    paid: &Paid,
) -> Result<Event, Failure> {
    Ok(Event::RecordPayout(RecordPayout {
        account: *account,
        claim: claim_of(acting, product, &paid.asset, paid.right)?,
        owner: paid.owner.clone(),
        amount: paid.amount,
        bank_reference: paid.bank_reference.clone(),
    }))
}

fn interrupted(failure: Failure, recorded: usize, all: usize) -> Failure {
    if recorded == 0 {
        return failure;
    }
    let hint = failure.hint_text().to_string();
    let done =
        format!("{recorded} of {all} set-offs and payouts are recorded and not payable any more");
    failure.hint(format_args!("{hint}; {done}"))
}

impl PaidReport {
    fn set_offs(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.set_offs.is_empty() {
            return Ok(());
        }
        let line = |line: &LineShown| format!("{}, {} of {}", line.owner, line.right, line.name);
        let amounts = self.set_offs.iter().map(|s| show::number(s.amount, &self.currency));
        let amounts = show::right_aligned(amounts.collect());
        let rows = self.set_offs.iter().zip(amounts).map(|(s, amount)| {
            let id = s.id.map(|id| show::short(id.digest())).unwrap_or_default();
            [line(&s.from), line(&s.to), amount, id]
        });
        let unit = format!("amount, {}", show::unit(&self.currency));
        page.table(["payable on", "overpaid on", &unit, "set-off"], rows)?;
        page.line("")
    }
}

impl Report for PaidReport {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.dry_run {
            page.line("this would be recorded; nothing was sent:")?;
        }
        self.set_offs(page)?;
        let amounts = self.payouts.iter().map(|paid| show::number(paid.amount, &self.currency));
        let amounts = show::right_aligned(amounts.collect());
        let rows = self.payouts.iter().zip(amounts).map(|(paid, amount)| {
            let payee = paid.payee.to_string();
            [
                paid.name.clone(),
                paid.right.to_string(),
                paid.owner.to_string(),
                payee,
                amount,
                paid.bank_reference.to_string(),
                paid.id.map(|id| show::short(id.digest())).unwrap_or_default(),
            ]
        });
        let unit = format!("amount, {}", show::unit(&self.currency));
        page.table(["asset", "right", "owner", "payee", &unit, "bank reference", "payout"], rows)?;
        page.field("total", show::money(self.total, &self.currency))?;
        self.envelopes.iter().try_for_each(|envelope| page.field("envelope", envelope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_file_names_a_line_of_the_account() {
        let (name, (reference, amount)) = parse("clinic/scans, holding,clinic,ICBC-1").unwrap();
        assert_eq!((name.1, name.2.as_str()), (Right::Holding, "clinic"));
        assert_eq!((reference.to_string().as_str(), amount), ("ICBC-1", None));
        let (_, (_, amount)) = parse("clinic/scans,holding,clinic,ICBC-1, 12.50").unwrap();
        assert_eq!(amount.as_deref(), Some("12.50"));
        for bad in ["", "clinic/scans,holding,clinic", "clinic,holding,clinic,R", "a/b,c,d,e"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
