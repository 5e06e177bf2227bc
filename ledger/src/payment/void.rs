//! The rule for payments entered in error: taken back while nobody else has come by a share in them.
//! Implements [LED-MNY-1].

use super::{Rows, account_fault, confirm, named, owed, require_clearing, require_open};
use crate::account::Amounts;
use crate::asset;
use crate::closing::no_share_contested;
use crate::contract;
use crate::event::market::VoidPayment;
use crate::execute::Act;
use crate::limits::MAX_ANCESTRY_EDGES;
use crate::listing::frozen_schedule;
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::state::record::{AccountRecord, EpochRecord, PaymentRecord, RightRecord};
use crate::state::{Key, View};
use crate::trade_certificate;
use crate::words::moment;

/// Weight of looking whether a claim has changed hands.
const CLAIM_WEIGHT: u64 = 3;
/// Weight of looking when it last did.
const MOVED_WEIGHT: u64 = 7;

/// `void_payment`.
pub(crate) fn void(act: &mut Act<'_>, e: &VoidPayment) -> Result<(), Refusal> {
    let (payment, mut record) = named(act, &e.payment)?;
    require_clearing(act, &record.exchange)?;
    require_open(&record)?;
    let nothing = Amounts::default();
    if payment.void || payment.refunded != nothing || payment.ordered != nothing {
        let text = "the payment is void, or parts of it are refunded or to be refunded";
        return Err(Reject::new(Code::PaymentClosed, text).into());
    }
    if payment.contest.is_open(act.context.time_ms) {
        let text = "a dispute about the payment is not final";
        return Err(Reject::new(Code::PaymentDisputed, text).into());
    }
    if act.context.time_ms > payment.void_until_ms {
        let text = format!("it could be voided until {}", moment(payment.void_until_ms));
        return Err(Reject::new(Code::VoidTooLate, text).into());
    }
    trade_certificate::require_none(act, &payment.contract)?;
    require_unmoved(act, &payment, &record)?;
    let mut contract = contract::named(act, &payment.contract)?;
    let before = contract.clone();
    contract.paid = contract.paid.checked_sub(payment.gross).ok_or_else(|| {
        Fault(format!("contract {} was paid less than one of its payments", payment.contract))
    })?;
    owed::count(&mut record, &before, &contract)?;
    act.state.put(&Key::Contract(payment.contract), &contract)?;
    let mut payments = confirm::payments(act, &payment.contract)?;
    payments.retain(|id| *id != e.payment);
    act.state.put(&Key::ContractPayments(payment.contract), &payments)?;
    let reference = payment.bank_reference.clone();
    act.state.delete(&Key::BankReference(record.exchange.clone(), reference))?;
    let mut rows = Rows { state: &mut *act.state, account: payment.account };
    record.totals.refund(&mut rows, payment.index, payment.amounts).map_err(account_fault)?;
    let after = PaymentRecord { void: true, refunded: payment.amounts, ..payment.clone() };
    act.state.put(&Key::Payment(e.payment), &after)?;
    confirm::changed(act, &mut record, &payment, &after)?;
    Ok(act.state.put(&Key::Account(payment.account), &record)?)
}

/// Fails when a dispute about a share in a payment is not final, or a share has changed hands since:
/// recorded anew the payment would be of who owns it now, and out of reach of what was ruled.
fn require_unmoved(
    act: &mut Act<'_>,
    payment: &PaymentRecord,
    account: &AccountRecord,
) -> Result<(), Refusal> {
    let (claims, edges) = frozen_schedule(act, &account.product, MAX_ANCESTRY_EDGES)?;
    act.weigh(edges)?;
    act.weigh(CLAIM_WEIGHT.saturating_mul(claims.len() as u64))?;
    no_share_contested(act, &claims, Code::PaymentDisputed)?;
    for claim in &claims {
        let (id, right) = (claim.asset, claim.right);
        let head: Option<RightRecord> = act.state.get(&Key::Right(id, right))?;
        let epoch: Option<EpochRecord> = match head.filter(|head| head.epoch > 0) {
            Some(head) => {
                act.weigh(MOVED_WEIGHT)?;
                act.state.get(&Key::Epoch(id, right, head.epoch))?
            }
            None => None,
        };
        if epoch.is_some_and(|epoch| epoch.start_seq > payment.seq) {
            let over = asset::called(act.state, &id)?;
            let text = format!("parts of the {right} right over {over} have changed hands since");
            return Err(Reject::new(Code::VoidTooLate, text).into());
        }
    }
    Ok(())
}
