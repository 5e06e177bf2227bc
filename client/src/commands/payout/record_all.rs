//! `headwater payout record-all`: everything payable on an account, in few envelopes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use headwater_ledger::event::{Event, RecordPayout};
use headwater_ledger::execute::acting;
use headwater_ledger::hash::{AccountId, AssetId, EnvelopeId, PayoutId};
use headwater_ledger::money::Currency;
use headwater_ledger::query::{self, Balance};
use headwater_ledger::split::Right;
use headwater_ledger::state::Records as _;
use headwater_ledger::text::{Code, Handle};
use serde::Serialize;

use super::{claim_of, proved_account};
use crate::build::{Acting, ActingArgs};
use crate::failure::{Failure, Kind};
use crate::lookup::{AccountRef, exact_id};
use crate::output::{Page, Report};
use crate::remote::resolve::AssetRef;
use crate::session::Session;
use crate::show;
use crate::value::choice;

/// Payouts in one envelope: far below its weight also when claims have many epochs.
const PER_ENVELOPE: usize = 100;

pub(super) const AFTER_HELP: &str = "\
Examples:
  headwater payout record-all insight-co/report@first-exchange:CNY \\
      --bank-ref-prefix ICBC-20261201- --dry-run --as first-exchange
  headwater payout record-all insight-co/report@first-exchange:CNY --from bank.csv \\
      --as first-exchange

Every line that is payable is paid in full: its amount is that of `headwater statement`. With
--bank-ref-prefix the references are PREFIX0001, PREFIX0002, … in the order listed. FILE has a line
ASSET,RIGHT,OWNER,REFERENCE for each line that the bank has paid; others are left alone. Lines whose
payee is suspended are left out with a warning. An envelope holds 100 payouts; what an interrupted
run recorded is not payable any more, so that it can be run again, with another prefix.

With --json:
  {\"dry_run\":BOOL,\"account\":ID,\"currency\":…,\"total\":N,\"envelopes\":[ID],
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
    payouts: Vec<Paid>,
}

/// What names a line: asset, right and owner.
type LineName = (AssetId, Right, Handle);

impl RecordAllArgs {
    /// Runs the command.
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let account = acting.account(&self.account)?;
        let record = proved_account(&acting, &account)?;
        let balances = self.payable(&acting, &account, &record.product)?;
        let payouts = self.referenced(&acting, balances)?;
        if payouts.is_empty() {
            return Err(Failure::new(Kind::NotFound, "nothing of that is payable on the account")
                .hint("`headwater statement` shows what is held, frozen or paid"));
        }
        let mut report = PaidReport {
            dry_run: acting.is_dry_run(),
            account,
            currency: record.currency,
            total: payouts.iter().fold(0, |sum, paid| sum.saturating_add(paid.amount)),
            envelopes: Vec::new(),
            payouts,
        };
        if report.dry_run {
            return session.output.report(&report);
        }
        let all = report.payouts.len();
        for from in (0..all).step_by(PER_ENVELOPE) {
            let Some(chunk) = report.payouts.get_mut(from..all.min(from + PER_ENVELOPE)) else {
                break;
            };
            let events = chunk.iter().map(|paid| event(&acting, &account, &record.product, paid));
            let recorded = acting.record_all(events.collect::<Result<_, _>>()?);
            let recorded = recorded.map_err(|failure| interrupted(failure, from, all))?;
            report.envelopes.push(recorded.envelope);
            for (paid, made) in chunk.iter_mut().zip(&recorded.made) {
                paid.id = Some(PayoutId::from_digest(made.id));
            }
        }
        session.output.report(&report)
    }

    /// The lines with something payable, and who is paid on each.
    fn payable(
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
            balance.payable > 0 && (self.owners.is_empty() || self.owners.contains(&balance.party))
        };
        let mut payable = Vec::new();
        for balance in balances.into_iter().filter(wanted) {
            let (payee, suspended) = view.ask(|view| {
                let payee = self::acting(view, &balance.party)?;
                let suspended = view.member(&payee)?.is_some_and(|member| member.suspended);
                Ok((payee, suspended))
            })?;
            if suspended {
                let text = format!("{payee} is suspended: what {} has of ", balance.party);
                acting.output().warn(format!("{text}{} is not paid", balance.name));
            } else {
                payable.push((balance, payee));
            }
        }
        Ok(payable)
    }

    /// The payouts of these lines, with their references.
    fn referenced(
        &self,
        acting: &Acting<'_>,
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
                    Some(reference) => reference,
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

/// The references of a file, by line.
fn read(path: &Path, acting: &Acting<'_>) -> Result<BTreeMap<LineName, Code>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error))?;
    let mut references = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let ((asset, right, owner), reference) = parse(line).map_err(|error: String| {
            let message = format_args!("line {number} of {}: {error}", path.display());
            Failure::new(Kind::BadInput, message).hint("a line is ASSET,RIGHT,OWNER,REFERENCE")
        })?;
        let name = (exact_id(&asset, &acting.connection().chain_id()), right, owner);
        if references.insert(name, reference).is_some() {
            let message = format_args!("line {number} of {} is there twice", path.display());
            return Err(Failure::new(Kind::BadInput, message).hint("leave one of them out"));
        }
    }
    Ok(references)
}

fn parse(line: &str) -> Result<((AssetRef, Right, Handle), Code), String> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [asset, right, owner, reference] = fields[..] else {
        return Err(format!("{} fields, expected 4", fields.len()));
    };
    let owner = owner.parse().map_err(|error| format!("{error}"))?;
    let reference = reference.parse().map_err(|error| format!("{error}"))?;
    Ok(((asset.parse()?, choice::parse(right)?, owner), reference))
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
    let done = format!("{recorded} of {all} payouts are recorded and not payable any more");
    failure.hint(format_args!("{hint}; {done}"))
}

impl Report for PaidReport {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.dry_run {
            page.line("this would be recorded; nothing was sent:")?;
        }
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
        let (name, reference) = parse("clinic/scans, holding,clinic,ICBC-1").unwrap();
        assert_eq!((name.1, name.2.as_str()), (Right::Holding, "clinic"));
        assert_eq!(reference.to_string(), "ICBC-1");
        for bad in ["", "clinic/scans,holding,clinic", "clinic,holding,clinic,R", "a/b,c,d,e"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
