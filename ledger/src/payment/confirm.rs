//! What of a payment is confirmed: payable, unless somebody's share of it is held or paid out.
//! Implements [LED-REV-14] and [LED-MNY-5].

use super::{Rows, account_fault, amounts_refusal};
use crate::account::Amounts;
use crate::contract;
use crate::execute::Act;
use crate::hash::{ContractId, PaymentId};
use crate::reject::{Fault, Refusal, Reject};
use crate::state::record::{AccountRecord, ContractRecord, PaymentRecord, Records};
use crate::state::{Key, View};

/// Weight of confirming one payment, or of taking one back.
const CONFIRM_WEIGHT: u64 = 40;

/// Weight of looking at one payment.
const READ_WEIGHT: u64 = 3;

/// The payments of a contract that are not void.
pub(super) fn payments(act: &Act<'_>, contract: &ContractId) -> Result<Vec<PaymentId>, Fault> {
    Ok(act.state.get(&Key::ContractPayments(*contract))?.unwrap_or_default())
}

/// What is left of the net.
fn left(payment: &PaymentRecord) -> u64 {
    payment.amounts.net.saturating_sub(payment.refunded.net)
}

/// What the payment's confirmed net is once its delivery is confirmed.
fn payable(payment: &PaymentRecord) -> u64 {
    left(payment).saturating_sub(payment.ordered.net)
}

/// Whether something is left of the net of one of these payments.
fn any_left(act: &Act<'_>, payments: &[PaymentId]) -> Result<bool, Fault> {
    for id in payments {
        if left(&recorded_payment(act, id)?) > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a ruling has ordered a refund of one of a contract's payments that is not made yet.
pub(crate) fn refund_ordered(act: &mut Act<'_>, contract: &ContractId) -> Result<bool, Refusal> {
    let payments = payments(act, contract)?;
    act.weigh(READ_WEIGHT.saturating_mul(payments.len() as u64))?;
    for id in &payments {
        if recorded_payment(act, id)?.ordered != Amounts::default() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn recorded_payment(act: &Act<'_>, id: &PaymentId) -> Result<PaymentRecord, Fault> {
    let payment = act.state.payment(id)?;
    payment.ok_or_else(|| Fault(format!("payment {id} of a contract is missing")))
}

/// A payment is recorded: confirmed at once when its contract is, waiting otherwise. The list of
/// the contract's payments does not have it yet.
pub(super) fn recorded(
    act: &mut Act<'_>,
    contract: &ContractRecord,
    account: &mut AccountRecord,
    payment: &PaymentRecord,
) -> Result<(), Refusal> {
    if contract.confirmed {
        weigh(act, 1)?;
        keep_open(act, account);
        let mut rows = Rows { state: &mut *act.state, account: payment.account };
        let confirmed = [(payment.index, payable(payment))];
        account.totals.confirm(&mut rows, &confirmed).map_err(amounts_refusal)?;
    } else if left(payment) > 0 && !any_left(act, &payments(act, &payment.contract)?)? {
        account.unconfirmed = account.unconfirmed.saturating_add(1);
    }
    Ok(())
}

/// A payment's refunds or orders changed; its new record is stored already.
pub(super) fn changed(
    act: &mut Act<'_>,
    account: &mut AccountRecord,
    before: &PaymentRecord,
    after: &PaymentRecord,
) -> Result<(), Refusal> {
    let nothing = Amounts::default();
    let orders = account.orders.saturating_add(u32::from(after.ordered != nothing));
    let orders = orders.checked_sub(u32::from(before.ordered != nothing));
    account.orders = orders.ok_or_else(|| Fault("an account has less than no order".into()))?;
    if contract::named(act, &before.contract)?.confirmed {
        keep_open(act, account);
        let (old, new) = (payable(before), payable(after));
        let mut rows = Rows { state: &mut *act.state, account: before.account };
        let totals = &account.totals;
        let more = [(before.index, new.saturating_sub(old))];
        totals.confirm(&mut rows, &more).map_err(account_fault)?;
        let less = old.saturating_sub(new);
        totals.withhold(&mut rows, before.index, less).map_err(account_fault)?;
    } else if left(before) > 0
        && left(after) == 0
        && !any_left(act, &payments(act, &before.contract)?)?
    {
        settle(account)?;
    }
    Ok(())
}

/// What of an account is confirmed has changed: whoever has a claim has time to make it before the
/// account can be closed. Implements [LED-MNY-4].
fn keep_open(act: &Act<'_>, account: &mut AccountRecord) {
    let until_ms = act.context.time_ms.saturating_add(act.rulebook.contest_ms);
    account.open_until_ms = account.open_until_ms.max(until_ms);
}

/// One contract less of which the account waits for the delivery.
fn settle(account: &mut AccountRecord) -> Result<(), Fault> {
    let fewer = account.unconfirmed.checked_sub(1);
    account.unconfirmed =
        fewer.ok_or_else(|| Fault("an account waits for fewer contracts than none".into()))?;
    Ok(())
}

fn weigh(act: &mut Act<'_>, payments: usize) -> Result<(), Reject> {
    act.weigh(CONFIRM_WEIGHT.saturating_mul(payments as u64))
}

/// What was paid for a contract becomes payable: its delivery was confirmed just now.
pub(crate) fn delivery_confirmed(act: &mut Act<'_>, contract: &ContractId) -> Result<(), Refusal> {
    let payments = payments(act, contract)?;
    weigh(act, payments.len())?;
    let mut confirmed = Vec::with_capacity(payments.len());
    let mut of = None;
    let mut waited = false;
    for id in &payments {
        let payment = recorded_payment(act, id)?;
        confirmed.push((payment.index, payable(&payment)));
        waited = waited || left(&payment) > 0;
        of = Some(payment.account);
    }
    let Some(id) = of else { return Ok(()) };
    let account = act.state.account(&id)?;
    let mut account = account.ok_or_else(|| Fault(format!("account {id} is missing")))?;
    let mut rows = Rows { state: &mut *act.state, account: id };
    account.totals.confirm(&mut rows, &confirmed).map_err(account_fault)?;
    keep_open(act, &mut account);
    if waited {
        settle(&mut account)?;
    }
    Ok(act.state.put(&Key::Account(id), &account)?)
}
