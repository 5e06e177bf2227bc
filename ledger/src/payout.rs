//! The rules for money paid out and set off. Implements [LED-MNY-2], [LED-MNY-3] and [LED-MNY-7].

mod claim;
mod line;
mod set_off;

use crate::dispute;
use crate::event::market::{ContestPayout, RecordPayout};
use crate::execute::Act;
use crate::hash::PayoutId;
use crate::limits::{MAX_AMOUNT, MAX_FREEZES};
use crate::payment::{named_account, require_clearing, use_reference};
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::state::record::{LineRecord, PayoutRecord, PayoutStatus, Reversed};
use crate::state::{Key, Relation, View};

pub(crate) use claim::check;
pub use claim::prove;
pub(crate) use line::{CUT_WEIGHT, EPOCH_WEIGHT, earned, epochs, give_back};
pub(crate) use set_off::set_off;

use crate::words::{moment, money, word};
use line::Line;

/// `record_payout`.
pub(crate) fn record(act: &mut Act<'_>, e: &RecordPayout) -> Result<(), Refusal> {
    let account = named_account(act, &e.account)?;
    require_clearing(act, &account.exchange)?;
    if !(1..=MAX_AMOUNT).contains(&e.amount) {
        let text = format!("a payout of {}", money(e.amount, &account.currency));
        return Err(Reject::new(Code::AmountOutOfRange, text).into());
    }
    claim::check(&account, &e.claim)?;
    let line = Line::read(act, &e.account, &account, &e.claim, &e.owner)?;
    line.require_owned()?;
    let payee = act.acting(&e.owner)?;
    if act.named_member(&payee)?.suspended {
        return Err(Reject::new(Code::PayeeSuspended, format!("{payee} is suspended")).into());
    }
    let payable = line.payable(act)?;
    if i128::from(e.amount) > payable {
        let [asked, payable] = [e.amount.into(), payable].map(|n| money(n, &account.currency));
        let text = format!("{asked} to be paid, {payable} are payable");
        return Err(Reject::new(Code::PayoutAbovePayable, text).into());
    }
    use_reference(act, &account.exchange, &e.bank_reference)?;
    let key = line.key();
    let record = PayoutRecord {
        account: e.account,
        asset: e.claim.asset,
        right: e.claim.right,
        owner: e.owner.clone(),
        payee,
        amount: e.amount,
        bank_reference: e.bank_reference.clone(),
        status: PayoutStatus::Paid,
        seq: act.seq,
        height: act.context.height,
        time_ms: act.context.time_ms,
        contest_until_ms: act.context.time_ms.saturating_add(act.rulebook.contest_ms),
    };
    change_paid(act, &key, |paid| paid.checked_add(e.amount))?;
    let id = PayoutId::from_digest(*act.event.digest());
    act.state.put(&Key::Payout(id), &record)?;
    act.append(Relation::AccountPayouts(e.account), id.digest())?;
    act.wait_for(&e.owner)?;
    act.effects.created.push(Missing::Payout(id));
    Ok(())
}

/// Changes what counts as paid on a line.
fn change_paid(
    act: &mut Act<'_>,
    line: &Key,
    change: impl FnOnce(u64) -> Option<u64>,
) -> Result<(), Refusal> {
    let mut record: LineRecord = act.state.get(line)?.unwrap_or_default();
    record.paid = change(record.paid)
        .ok_or_else(|| Fault("what was paid on a line overflows or is below nothing".into()))?;
    Ok(act.state.put(line, &record)?)
}

/// A payout that an event names.
pub(crate) fn named(act: &Act<'_>, id: &PayoutId) -> Result<PayoutRecord, Refusal> {
    Ok(act.state.get(&Key::Payout(*id))?.ok_or_else(|| {
        let text = format!("payout {id} is not recorded");
        Reject::missing(Code::UnknownPayout, Missing::Payout(*id), text)
    })?)
}

/// `contest_payout`.
pub(crate) fn contest(act: &mut Act<'_>, e: &ContestPayout) -> Result<(), Refusal> {
    let mut payout = named(act, &e.payout)?;
    if !act.is(&payout.payee)? {
        let text = format!("it was paid to {}", payout.payee);
        return Err(Reject::new(Code::NotPayee, text).into());
    }
    if payout.status != PayoutStatus::Paid {
        let text = format!("the payout is {} already", word(&payout.status));
        return Err(Reject::new(Code::PayoutContested, text).into());
    }
    if act.context.time_ms > payout.contest_until_ms {
        let text = format!("it could be contested until {}", moment(payout.contest_until_ms));
        return Err(Reject::new(Code::ContestTooLate, text).into());
    }
    payout.status = PayoutStatus::Contested;
    act.state.put(&Key::Payout(e.payout), &payout)?;
    dispute::open_about_payout(act, &e.payout)
}

/// A ruling that the payout did not arrive: it counts as not paid, and is not paid again until that
/// can be appealed no more.
pub(crate) fn reverse(
    act: &mut Act<'_>,
    id: &PayoutId,
    appealable: Option<u64>,
) -> Result<(), Refusal> {
    settle(act, id, PayoutStatus::Reversed)?;
    hold_reversed(act, id, appealable)
}

/// A ruling that the payout arrived, or the end of one that said it did not: it counts as paid.
pub(crate) fn unreverse(act: &mut Act<'_>, id: &PayoutId) -> Result<(), Refusal> {
    settle(act, id, PayoutStatus::Paid)?;
    hold_reversed(act, id, None)
}

/// Holds on its line what a reversed payout counts as not paid, until a block time, or no longer.
pub(crate) fn hold_reversed(
    act: &mut Act<'_>,
    id: &PayoutId,
    until_ms: Option<u64>,
) -> Result<(), Refusal> {
    let payout = named(act, id)?;
    let now_ms = act.context.time_ms;
    let key = payout.line();
    let mut line: LineRecord = act.state.get(&key)?.unwrap_or_default();
    line.reversed.retain(|r| r.payout != *id && now_ms <= r.until_ms);
    if let Some(until_ms) = until_ms {
        if line.reversed.len() >= MAX_FREEZES {
            let text = format!("{MAX_FREEZES} payouts on the line are reversed and not final");
            return Err(Reject::new(Code::HoldsFull, text).into());
        }
        line.reversed.push(Reversed { payout: *id, amount: payout.amount, until_ms });
    }
    Ok(act.state.put(&key, &line)?)
}

impl PayoutRecord {
    /// Where the record of its line is.
    fn line(&self) -> Key {
        Key::PaidLine(self.account, self.asset, self.right, self.owner.clone())
    }
}

/// Puts a payout where a ruling says it stands; it counts as paid unless it is reversed.
fn settle(act: &mut Act<'_>, id: &PayoutId, status: PayoutStatus) -> Result<(), Refusal> {
    let mut payout = named(act, id)?;
    let line = payout.line();
    let counts = |status| status != PayoutStatus::Reversed;
    match (counts(payout.status), counts(status)) {
        (true, false) => change_paid(act, &line, |paid| paid.checked_sub(payout.amount))?,
        (false, true) => change_paid(act, &line, |paid| paid.checked_add(payout.amount))?,
        (true, true) | (false, false) => {}
    }
    payout.status = status;
    Ok(act.state.put(&Key::Payout(*id), &payout)?)
}
