//! Refunds that rulings order: what each dispute ordered, and what of it was given back.
//! Implements [LED-MNY-5].

use super::confirm::changed;
use super::{named, require_open, within};
use crate::account::Amounts;
use crate::execute::Act;
use crate::hash::{DisputeId, PaymentId};
use crate::limits::MAX_REFUND_ORDERS;
use crate::reject::{Code, Refusal, Reject};
use crate::state::Key;
use crate::state::record::{PaymentRecord, RefundOrdered};

/// What of an order was not given back.
fn left(order: &RefundOrdered) -> Amounts {
    order.ordered.zip(&order.met, u64::saturating_sub)
}

impl PaymentRecord {
    /// Sums up what is ordered and was not given back.
    fn sum_orders(&mut self) {
        let none = Amounts::default();
        self.ordered =
            self.orders.iter().fold(none, |sum, o| sum.zip(&left(o), u64::saturating_add));
    }

    /// What is given back meets what was ordered to be, the first order first.
    pub(super) fn meet_orders(&mut self, mut given: Amounts) {
        for order in &mut self.orders {
            let met = left(order).zip(&given, u64::min);
            given = given.zip(&met, u64::saturating_sub);
            order.met = order.met.zip(&met, u64::saturating_add);
        }
        self.sum_orders();
    }
}

/// The ruling of a dispute orders parts of a payment to be given back, in place of what the first
/// one ordered: what was given back for that counts. The net among them is held until it is.
pub(crate) fn order_refund(
    act: &mut Act<'_>,
    id: &PaymentId,
    dispute: &DisputeId,
    asked: Amounts,
) -> Result<(), Refusal> {
    let (payment, account) = named(act, id)?;
    require_open(&account)?;
    if payment.void {
        return Err(Reject::new(Code::PaymentClosed, "the payment is void").into());
    }
    if asked == Amounts::default() {
        return Err(Reject::new(Code::EmptyRefund, "the order gives nothing back").into());
    }
    replace(act, id, dispute, asked)
}

/// The order of a dispute, if there is one, is reversed on appeal: what of it was not given back by
/// then is not held any more.
pub(crate) fn withdraw_order(
    act: &mut Act<'_>,
    id: &PaymentId,
    dispute: &DisputeId,
) -> Result<(), Refusal> {
    let (payment, _) = named(act, id)?;
    if payment.orders.iter().all(|order| order.dispute != *dispute) {
        return Ok(());
    }
    replace(act, id, dispute, Amounts::default())
}

fn replace(
    act: &mut Act<'_>,
    id: &PaymentId,
    dispute: &DisputeId,
    ordered: Amounts,
) -> Result<(), Refusal> {
    let (payment, mut account) = named(act, id)?;
    let mut after = payment.clone();
    let is_full = after.orders.len() >= MAX_REFUND_ORDERS;
    match after.orders.iter_mut().find(|order| order.dispute == *dispute) {
        Some(order) => order.ordered = ordered,
        None if is_full => {
            let text = format!("{MAX_REFUND_ORDERS} disputes have ordered refunds of the payment");
            return Err(Reject::new(Code::RefundOrdersFull, text).into());
        }
        None => {
            let met = Amounts::default();
            after.orders.push(RefundOrdered { dispute: *dispute, ordered, met });
        }
    }
    after.sum_orders();
    within(&after.ordered, &payment.amounts, &payment.refunded, &account.currency)?;
    act.state.put(&Key::Payment(*id), &after)?;
    changed(act, &mut account, &payment, &after)?;
    Ok(act.state.put(&Key::Account(payment.account), &account)?)
}
