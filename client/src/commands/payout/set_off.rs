//! `headwater payout set-off`: what was overpaid on one line of an account, met by what is payable
//! on another of the same member; and all of that for `record-all`.

use clap::Args;
use headwater_ledger::event::market::ProvedLine;
use headwater_ledger::event::{Event, SetOffOverpayment};
use headwater_ledger::hash::{AccountId, AssetId, SetOffId};
use headwater_ledger::query::{self, Balance};
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;
use serde::Serialize;

use super::{claim_of, proved_account};
use crate::build::{Acting, ActingArgs};
use crate::failure::{Failure, Kind};
use crate::lookup::AccountRef;
use crate::remote::resolve::AssetRef;
use crate::session::Session;
use crate::value::amount::{self, Notation};
use crate::value::choice;

pub(super) const AFTER_HELP: &str = "\
Examples:
  headwater payout set-off insight-co/report@first-exchange:CNY --owner city-hospital \\
      --from-asset city-hospital/scans-2026 --from-right holding \\
      --to-asset city-hospital/admissions-2026 --to-right holding --as first-exchange

Nobody is paid: what one line was paid too much meets what is payable on another, so that less has
to be paid there. Both lines are of one member; --to-owner names one that it succeeded, or that
succeeded it. Without --amount it is as much as can be: what is payable and not held on the one, or
what the other was paid beyond its confirmed money, parts that a dispute holds included.
`headwater payout record-all` does it for all lines of an account.";

/// Arguments of `headwater payout set-off`.
#[derive(Debug, Args)]
pub struct SetOffArgs {
    /// The account: PRODUCT@EXCHANGE:CURRENCY or its id
    account: AccountRef,
    /// The owner of the lines
    #[arg(long, value_name = "HANDLE")]
    owner: Handle,
    /// The owner of the line that was overpaid, when it is another of the same member
    #[arg(long, value_name = "HANDLE")]
    to_owner: Option<Handle>,
    /// The asset on whose claim it is payable: HANDLE/NAME or an id
    #[arg(long, value_name = "ASSET")]
    from_asset: AssetRef,
    /// The right on whose claim it is payable: holding, processing or operation
    #[arg(long, value_name = "RIGHT", value_parser = choice::parse::<Right>)]
    from_right: Right,
    /// The asset whose claim was overpaid: HANDLE/NAME or an id
    #[arg(long, value_name = "ASSET")]
    to_asset: AssetRef,
    /// The right whose claim was overpaid: holding, processing or operation
    #[arg(long, value_name = "RIGHT", value_parser = choice::parse::<Right>)]
    to_right: Right,
    /// How much; as much as can be when left out
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<String>,
    /// The amount is in whole minor units
    #[arg(long, requires = "amount")]
    minor: bool,
    #[command(flatten)]
    acting: ActingArgs,
}

/// One line of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LineShown {
    pub asset: AssetId,
    pub name: String,
    pub right: Right,
    pub owner: Handle,
}

impl LineShown {
    fn of(balance: &Balance) -> Self {
        LineShown {
            asset: balance.asset,
            name: balance.name.clone(),
            right: balance.right,
            owner: balance.party.clone(),
        }
    }
}

/// One set-off.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SetOff {
    pub from: LineShown,
    pub to: LineShown,
    /// Minor units.
    pub amount: u64,
    /// None in a dry run.
    pub id: Option<SetOffId>,
}

/// What a line was paid beyond all that is confirmed, parts that are held included.
fn overpaid(balance: &Balance) -> u64 {
    balance.overpaid.saturating_sub(balance.frozen)
}

/// Every set-off that can be made among the lines of each member, in order; what is payable and
/// overpaid becomes less by it. With each line comes who acts for its owner.
pub(super) fn plan(lines: &mut [(Balance, Handle)]) -> Vec<SetOff> {
    let mut planned = Vec::new();
    for to in 0..lines.len() {
        for from in 0..lines.len() {
            let ((source, by), (met, of)) = (&lines[from], &lines[to]);
            let amount = source.payable.min(overpaid(met));
            if by != of || amount == 0 {
                continue;
            }
            let (from_line, to_line) = (LineShown::of(source), LineShown::of(met));
            planned.push(SetOff { from: from_line, to: to_line, amount, id: None });
            lines[from].0.payable -= amount;
            lines[to].0.overpaid -= amount;
        }
    }
    planned
}

impl SetOff {
    /// The event that records it.
    pub(super) fn event(
        &self,
        acting: &Acting<'_>,
        account: &AccountId,
        product: &AssetId,
    ) -> Result<Event, Failure> {
        let line = |line: &LineShown| {
            let claim = claim_of(acting, product, &line.asset, line.right)?;
            Ok::<_, Failure>(ProvedLine { claim, owner: line.owner.clone() })
        };
        let (from, to) = (line(&self.from)?, line(&self.to)?);
        let (account, amount) = (*account, self.amount);
        Ok(Event::SetOffOverpayment(SetOffOverpayment { account, from, to, amount }))
    }
}

impl SetOffArgs {
    /// Runs the command.
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let account = acting.account(&self.account)?;
        let record = proved_account(&acting, &account)?;
        let from = (acting.asset(&self.from_asset), self.from_right, self.owner.clone());
        let to_owner = self.to_owner.clone().unwrap_or_else(|| self.owner.clone());
        let to = (acting.asset(&self.to_asset), self.to_right, to_owner);
        let amount = match &self.amount {
            Some(text) => {
                let notation = if self.minor { Notation::Minor } else { Notation::Decimal };
                amount::parse(text, &record.currency, notation)?
            }
            None => most(&acting, &account, &record.product, (&from, &to))?,
        };
        let line = |(asset, right, owner): (AssetId, Right, Handle)| {
            let claim = claim_of(&acting, &record.product, &asset, right)?;
            Ok::<_, Failure>(ProvedLine { claim, owner })
        };
        let (from, to) = (line(from)?, line(to)?);
        acting.act(Event::SetOffOverpayment(SetOffOverpayment { account, from, to, amount }))
    }
}

/// What names a line: asset, right and owner.
type LineName = (AssetId, Right, Handle);

/// As much as can be set off between two lines.
fn most(
    acting: &Acting<'_>,
    account: &AccountId,
    product: &AssetId,
    (from, to): (&LineName, &LineName),
) -> Result<u64, Failure> {
    let view = acting.connection().view(None)?;
    let now_ms = view.block().header.time_ms;
    let statement = view.ask(|view| query::product_statement(view, product, now_ms))?;
    let found = statement.accounts.into_iter().find(|found| found.account == *account);
    let balances = found.map(|found| found.balances).unwrap_or_default();
    let of = |name: &LineName| {
        balances.iter().find(|b| (b.asset, b.right, &b.party) == (name.0, name.1, &name.2))
    };
    let amount = match (of(from), of(to)) {
        (Some(from), Some(to)) => from.payable.min(overpaid(to)),
        (None, _) | (_, None) => 0,
    };
    if amount == 0 {
        let message = "nothing is payable on the one line, or nothing was overpaid on the other";
        return Err(Failure::new(Kind::NotFound, message)
            .hint("`headwater statement` shows what is payable and overpaid, line by line"));
    }
    Ok(amount)
}

#[cfg(test)]
mod tests {
    use headwater_ledger::hash::Digest;

    use super::*;

    fn line(n: u8, owner: &str, [payable, overpaid, frozen]: [u64; 3]) -> (Balance, Handle) {
        let balance = Balance {
            asset: AssetId::from_digest(Digest::Blake3([n; 32])),
            name: format!("clinic/{n}"),
            right: Right::Holding,
            party: owner.parse().unwrap(),
            entitled: 0,
            adjusted: 0,
            set_off: 0,
            held: 0,
            frozen,
            paid: 0,
            payable,
            overpaid,
        };
        let acts = if owner == "old-clinic" { "clinic" } else { owner };
        (balance, acts.parse().unwrap())
    }

    #[test]
    fn each_member_is_set_off_with_itself_and_nothing_that_is_held_counts() {
        let mut lines = vec![
            line(1, "clinic", [30, 0, 0]),
            line(2, "clinic", [0, 50, 10]),
            line(3, "lab", [900, 0, 0]),
            line(4, "old-clinic", [25, 0, 0]),
            line(5, "lab", [0, 7, 7]),
        ];
        let planned = plan(&mut lines);
        let shown: Vec<_> =
            planned.iter().map(|s| (s.from.name.as_str(), s.to.name.as_str(), s.amount)).collect();
        assert_eq!(shown, [("clinic/1", "clinic/2", 30), ("clinic/4", "clinic/2", 10)]);
        let left: Vec<_> = lines.iter().map(|(b, _)| (b.payable, b.overpaid)).collect();
        assert_eq!(left, [(0, 0), (0, 10), (900, 0), (15, 0), (0, 7)]);
        assert!(plan(&mut lines).is_empty());
    }
}
