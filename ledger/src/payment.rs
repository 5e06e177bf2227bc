//! The rules for payments and refunds. A payment costs the same whatever the lineage behind it.
//! Implements [LED-MKT-5], [LED-MKT-7] and [LED-MNY-1].

mod confirm;
mod order;
mod owed;
mod void;

use std::borrow::BorrowMut;

use crate::account::{AccountError, AccountRows, Amounts, Entry, Node, Sums, Tree};
use crate::codec::{self, CodecError};
use crate::contract::{self, require_signed};
use crate::event::market::{RecordPayment, RefundPayment};
use crate::execute::Act;
use crate::hash::{AccountId, AssetId, Context, PaymentId};
use crate::limits::{MAX_AMOUNT, MAX_CONTRACT_PAYMENTS};
use crate::money::Currency;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::state::record::{AccountRecord, ContractRecord, ContractStatus, PaymentRecord};
use crate::state::{Key, Records, Relation, State, View};
use crate::text::{self, Handle};
use crate::trade_certificate;
use crate::words::{money, word};

pub(crate) use confirm::{delivery_confirmed, refund_ordered};
pub(crate) use order::{order_refund, withdraw_order};
pub(crate) use owed::{account_of, contract_changed, contract_signed, require_not_closed};
pub(crate) use void::void;

/// The id of the account of a product, a clearing exchange and a currency. Implements [LED-REV-5].
pub fn account_id(
    product: &AssetId,
    exchange: &Handle,
    currency: &Currency,
) -> Result<AccountId, CodecError> {
    let triple = codec::encode(&(*product, exchange.clone(), *currency))?;
    Ok(AccountId::from_digest(Context::ACCOUNT.hash(&[&triple])))
}

/// The key of a node of one of an account's trees of sums.
pub fn sums_key(account: AccountId, tree: Tree, node: Node) -> Key {
    match tree {
        Tree::Refunded => Key::AccountRefund(account, node.level, node.index),
        Tree::Confirmed => Key::AccountConfirmed(account, node.level, node.index),
    }
}

/// The rows of an account in a state: one that is written, or a snapshot.
pub(crate) struct Rows<S> {
    pub state: S,
    pub account: AccountId,
}

impl<S: BorrowMut<State>> AccountRows for Rows<S> {
    type Error = Fault;
    fn entries(&self, i: u64) -> Result<Vec<Entry>, Fault> {
        let entries = self.state.borrow().get(&Key::AccountEntries(self.account, i))?;
        Ok(entries.unwrap_or_default())
    }
    fn put_entries(&mut self, i: u64, entries: Vec<Entry>) -> Result<(), Fault> {
        self.state.borrow_mut().put(&Key::AccountEntries(self.account, i), &entries)
    }
    fn starts(&self, Node { level, index }: Node) -> Result<Vec<u64>, Fault> {
        let starts = self.state.borrow().get(&Key::AccountIndex(self.account, level, index))?;
        Ok(starts.unwrap_or_default())
    }
    fn put_starts(&mut self, Node { level, index }: Node, starts: Vec<u64>) -> Result<(), Fault> {
        self.state.borrow_mut().put(&Key::AccountIndex(self.account, level, index), &starts)
    }
    fn sums(&self, tree: Tree, node: Node) -> Result<Sums, Fault> {
        Ok(self.state.borrow().get(&sums_key(self.account, tree, node))?.unwrap_or_default())
    }
    fn put_sums(&mut self, tree: Tree, node: Node, sums: Sums) -> Result<(), Fault> {
        let key = sums_key(self.account, tree, node);
        if sums == Sums::default() {
            return self.state.borrow_mut().delete(&key);
        }
        self.state.borrow_mut().put(&key, &sums)
    }
}

pub(crate) fn account_fault(error: AccountError<Fault>) -> Fault {
    Fault(format!("an account contradicts itself: {error}"))
}

/// Sums that would not fit are a refusal, not a fault: they follow from what was asked for.
fn amounts_refusal(error: AccountError<Fault>) -> Refusal {
    match error {
        AccountError::Overflow | AccountError::Full => Reject::new(
            Code::AmountOutOfRange,
            "the account cannot hold this payment: its sums or its number of payments are exhausted",
        )
        .into(),
        e @ (AccountError::Rows(_)
        | AccountError::NotLater { .. }
        | AccountError::NoSuchPayment { .. }
        | AccountError::Incomplete
        | AccountError::AboveRemainder { .. }) => account_fault(e).into(),
    }
}

/// Marks a reference of whoever's bank it is as used.
pub(crate) fn use_reference(
    act: &mut Act<'_>,
    of: &Handle,
    reference: &text::Code,
) -> Result<(), Refusal> {
    let key = Key::BankReference(of.clone(), reference.clone());
    if act.state.value(&key)?.is_some() {
        let text = format!("bank reference {reference} of {of} is used already");
        return Err(Reject::new(Code::BankReferenceUsed, text).into());
    }
    Ok(act.state.put(&key, &act.event)?)
}

/// An account that an event names.
pub(crate) fn named_account(act: &Act<'_>, id: &AccountId) -> Result<AccountRecord, Refusal> {
    Ok(act.state.account(id)?.ok_or_else(|| {
        let text = format!("account {id} is not recorded");
        Reject::missing(Code::UnknownAccount, Missing::Account(*id), text)
    })?)
}

/// Fails unless the author acts for the exchange that clears.
pub(crate) fn require_clearing(act: &Act<'_>, exchange: &Handle) -> Result<(), Refusal> {
    if act.is(exchange)? {
        return Ok(());
    }
    Err(Reject::new(Code::NotClearingExchange, format!("{exchange} clears it")).into())
}

/// Fails when the account is closed.
pub(crate) fn require_open(account: &AccountRecord) -> Result<(), Reject> {
    if !account.closed {
        return Ok(());
    }
    Err(Reject::new(Code::AccountClosed, "the account is closed"))
}

/// `record_payment`.
pub(crate) fn record(act: &mut Act<'_>, e: &RecordPayment) -> Result<(), Refusal> {
    let mut contract = contract::named(act, &e.contract)?;
    require_clearing(act, &contract.exchange)?;
    let amounts = check_payment(&contract, e)?;
    let account = account_id(&contract.asset, &contract.exchange, &contract.currency)?;
    let mut record = recorded_account(act, &account)?;
    require_open(&record)?;
    let mut payments = confirm::payments(act, &e.contract)?;
    if payments.len() >= MAX_CONTRACT_PAYMENTS {
        let text = format!("the contract has {} payments", payments.len());
        return Err(Reject::new(Code::TooManyPayments, text).into());
    }
    use_reference(act, &contract.exchange, &e.bank_reference)?;
    let seq = act.seq;
    let mut rows = Rows { state: &mut *act.state, account };
    let index = record.totals.record_payment(&mut rows, seq, amounts).map_err(amounts_refusal)?;
    let payment = PaymentRecord {
        contract: e.contract,
        account,
        index,
        gross: e.gross,
        amounts,
        refunded: Amounts::default(),
        ordered: Amounts::default(),
        orders: Vec::new(),
        contest: Default::default(),
        void: false,
        bank_reference: e.bank_reference.clone(),
        seq,
        height: act.context.height,
        time_ms: act.context.time_ms,
        void_until_ms: act.context.time_ms.saturating_add(act.rulebook.contest_ms),
    };
    confirm::recorded(act, &contract, &mut record, &payment)?;
    let id = PaymentId::from_digest(*act.event.digest());
    payments.push(id);
    let before = contract.clone();
    contract.paid = contract.paid.saturating_add(e.gross);
    owed::count(&mut record, &before, &contract)?;
    act.state.put(&Key::Contract(e.contract), &contract)?;
    act.state.put(&Key::ContractPayments(e.contract), &payments)?;
    act.state.put(&Key::Account(account), &record)?;
    act.state.put(&Key::Payment(id), &payment)?;
    act.append(Relation::AccountPayments(account), id.digest())?;
    act.effects.created.push(Missing::Payment(id));
    Ok(())
}

/// The account of a signed contract or of a payment.
fn recorded_account(act: &Act<'_>, id: &AccountId) -> Result<AccountRecord, Fault> {
    act.state.account(id)?.ok_or_else(|| Fault(format!("account {id} is missing")))
}

/// What the payment and its contract must be like by themselves.
fn check_payment(contract: &ContractRecord, e: &RecordPayment) -> Result<Amounts, Reject> {
    let reject = |code, text: String| Err(Reject::new(code, text));
    if contract.status != ContractStatus::Open {
        return reject(Code::ContractClosed, format!("the contract is {}", word(&contract.status)));
    }
    require_signed(contract)?;
    if e.currency != contract.currency {
        return reject(
            Code::WrongCurrency,
            format!("{} was paid, the contract is in {}", e.currency, contract.currency),
        );
    }
    let gross = money(e.gross, &e.currency);
    if !(1..=MAX_AMOUNT).contains(&e.gross) {
        return reject(Code::AmountOutOfRange, format!("a payment of {gross}"));
    }
    let Some(amounts) = Amounts::of_payment(e.gross, e.tax, contract.fee_bp) else {
        return reject(
            Code::TaxAboveGross,
            format!("tax {} of gross {gross}", money(e.tax, &e.currency)),
        );
    };
    let open = contract.price.saturating_sub(contract.paid);
    if e.gross > open {
        let open = money(open, &e.currency);
        return reject(Code::PaymentAbovePrice, format!("{gross} paid, {open} are open"));
    }
    Ok(amounts)
}

/// A payment that an event names, with its account.
pub(crate) fn named(
    act: &Act<'_>,
    id: &PaymentId,
) -> Result<(PaymentRecord, AccountRecord), Refusal> {
    let payment = act.state.payment(id)?.ok_or_else(|| {
        let text = format!("payment {id} is not recorded");
        Reject::missing(Code::UnknownPayment, Missing::Payment(*id), text)
    })?;
    let account = recorded_account(act, &payment.account)?;
    Ok((payment, account))
}

/// `refund_payment`.
pub(crate) fn refund(act: &mut Act<'_>, e: &RefundPayment) -> Result<(), Refusal> {
    let (payment, mut record) = named(act, &e.payment)?;
    require_clearing(act, &record.exchange)?;
    require_open(&record)?;
    if payment.void {
        return Err(Reject::new(Code::PaymentClosed, "the payment is void").into());
    }
    let given = Amounts { net: e.net, fee: e.fee, tax: e.tax };
    if given == Amounts::default() {
        return Err(Reject::new(Code::EmptyRefund, "the refund gives nothing back").into());
    }
    let mut after = payment.clone();
    after.refunded = within(&given, &payment.amounts, &payment.refunded, &record.currency)?;
    after.meet_orders(given);
    trade_certificate::require_none(act, &payment.contract)?;
    use_reference(act, &record.exchange, &e.bank_reference)?;
    let mut rows = Rows { state: &mut *act.state, account: payment.account };
    record.totals.refund(&mut rows, payment.index, given).map_err(account_fault)?;
    act.state.put(&Key::Payment(e.payment), &after)?;
    confirm::changed(act, &mut record, &payment, &after)?;
    let mut contract = contract::named(act, &payment.contract)?;
    for part in [e.net, e.fee, e.tax] {
        contract.refunded = contract.refunded.saturating_add(part);
    }
    act.state.put(&Key::Contract(payment.contract), &contract)?;
    Ok(act.state.put(&Key::Account(payment.account), &record)?)
}

/// What is given of each part with `more`; fails when that is above what there was.
fn within(
    more: &Amounts,
    of: &Amounts,
    given: &Amounts,
    currency: &Currency,
) -> Result<Amounts, Reject> {
    for (part, asked, of, given) in [
        ("net", more.net, of.net, given.net),
        ("fee", more.fee, of.fee, given.fee),
        ("tax", more.tax, of.tax, given.tax),
    ] {
        let remaining = of.saturating_sub(given);
        if asked > remaining {
            let [asked, remaining] = [asked, remaining].map(|n| money(n, currency));
            let text = format!("{asked} of the {part} asked back, {remaining} remain");
            return Err(Reject::new(Code::RefundAboveRemainder, text));
        }
    }
    Ok(given.zip(more, u64::saturating_add))
}
