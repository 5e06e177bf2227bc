//! The rules for payments and refunds. A payment costs the same whatever the lineage behind it.
//! Implements [LED-MKT-5] and [LED-MKT-7].

use crate::account::{AccountError, AccountRows, Amounts, Entry};
use crate::codec::{self, CodecError};
use crate::contract::{self, require_signed};
use crate::event::market::{RecordPayment, RefundPayment};
use crate::execute::Act;
use crate::hash::{AccountId, AssetId, Context, PaymentId};
use crate::limits::MAX_AMOUNT;
use crate::money::Currency;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::state::record::{AccountRecord, PaymentRecord};
use crate::state::{Key, Records, Relation, State, View};
use crate::text::{self, Handle};

/// The id of the account of a product, a clearing exchange and a currency. Implements [LED-REV-5].
pub fn account_id(
    product: &AssetId,
    exchange: &Handle,
    currency: &Currency,
) -> Result<AccountId, CodecError> {
    let triple = codec::encode(&(*product, exchange.clone(), *currency))?;
    Ok(AccountId::from_digest(Context::ACCOUNT.hash(&[&triple])))
}

/// The rows of an account in a writable state.
struct Rows<'a> {
    state: &'a mut State,
    account: AccountId,
}

impl AccountRows for Rows<'_> {
    type Error = Fault;
    fn entry(&self, n: u64) -> Result<Entry, Fault> {
        self.state.account_entry(&self.account, n)
    }
    fn put_entry(&mut self, n: u64, entry: Entry) -> Result<(), Fault> {
        self.state.put(&Key::AccountEntry(self.account, n), &entry)
    }
    fn refund_node(&self, i: u64) -> Result<u64, Fault> {
        Ok(self.state.get(&Key::AccountRefund(self.account, i))?.unwrap_or(0))
    }
    fn put_refund_node(&mut self, i: u64, net: u64) -> Result<(), Fault> {
        self.state.put(&Key::AccountRefund(self.account, i), &net)
    }
}

fn account_fault(error: AccountError<Fault>) -> Fault {
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
        | AccountError::AboveRemainder { .. }) => account_fault(e).into(),
    }
}

/// Marks a bank reference as used.
fn use_reference(act: &mut Act<'_>, reference: &text::Code) -> Result<(), Refusal> {
    let key = Key::BankReference(act.author.clone(), reference.clone());
    if act.state.value(&key)?.is_some() {
        let text = format!("bank reference {reference} of {} is used already", act.author);
        return Err(Reject::new(Code::BankReferenceUsed, text).into());
    }
    Ok(act.state.put(&key, &act.event)?)
}

/// `record_payment`.
pub(crate) fn record(act: &mut Act<'_>, e: &RecordPayment) -> Result<(), Refusal> {
    let mut contract = contract::named(act, &e.contract)?;
    let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
    if contract.exchange != *act.author {
        return reject(Code::NotClearingExchange, format!("{} clears it", contract.exchange));
    }
    require_signed(&contract)?;
    if e.currency != contract.currency {
        return reject(
            Code::WrongCurrency,
            format!("{} was paid, the contract is in {}", e.currency, contract.currency),
        );
    }
    if !(1..=MAX_AMOUNT).contains(&e.gross) {
        return reject(Code::AmountOutOfRange, format!("a payment of {} minor units", e.gross));
    }
    let Some(amounts) = Amounts::of_payment(e.gross, e.tax, contract.fee_bp) else {
        return reject(Code::TaxAboveGross, format!("tax {} of gross {}", e.tax, e.gross));
    };
    let open = contract.price.saturating_sub(contract.paid);
    if e.gross > open {
        return reject(Code::PaymentAbovePrice, format!("{} paid, {open} are open", e.gross));
    }
    use_reference(act, &e.bank_reference)?;
    contract.paid = contract.paid.saturating_add(e.gross);
    act.state.put(&Key::Contract(e.contract), &contract)?;

    let account = account_id(&contract.asset, &contract.exchange, &contract.currency)?;
    let mut record = match act.state.account(&account)? {
        Some(record) => record,
        None => {
            act.append(Relation::AssetAccounts(contract.asset), account.digest())?;
            AccountRecord {
                product: contract.asset,
                exchange: contract.exchange,
                currency: contract.currency,
                totals: Default::default(),
            }
        }
    };
    let seq = act.seq;
    let mut rows = Rows { state: act.state, account };
    let index = record.totals.record_payment(&mut rows, seq, amounts).map_err(amounts_refusal)?;
    act.state.put(&Key::Account(account), &record)?;
    let id = PaymentId::from_digest(*act.event.digest());
    let payment = PaymentRecord {
        contract: e.contract,
        account,
        index,
        gross: e.gross,
        amounts,
        refunded: Amounts::default(),
        bank_reference: e.bank_reference.clone(),
        seq,
        height: act.context.height,
        time_ms: act.context.time_ms,
    };
    act.state.put(&Key::Payment(id), &payment)?;
    act.append(Relation::AccountPayments(account), id.digest())?;
    act.effects.created.push(Missing::Payment(id));
    Ok(())
}

/// `refund_payment`.
pub(crate) fn refund(act: &mut Act<'_>, e: &RefundPayment) -> Result<(), Refusal> {
    let mut payment = act.state.payment(&e.payment)?.ok_or_else(|| {
        let text = format!("payment {} is not recorded", e.payment);
        Reject::missing(Code::UnknownPayment, Missing::Payment(e.payment), text)
    })?;
    let mut record = act
        .state
        .account(&payment.account)?
        .ok_or_else(|| Fault(format!("account {} of a payment is missing", payment.account)))?;
    if record.exchange != *act.author {
        let text = format!("{} clears it", record.exchange);
        return Err(Reject::new(Code::NotClearingExchange, text).into());
    }
    if (e.net, e.fee, e.tax) == (0, 0, 0) {
        return Err(Reject::new(Code::EmptyRefund, "the refund gives nothing back").into());
    }
    let refunded = &mut payment.refunded;
    for (part, asked, paid, given) in [
        ("net", e.net, payment.amounts.net, &mut refunded.net),
        ("fee", e.fee, payment.amounts.fee, &mut refunded.fee),
        ("tax", e.tax, payment.amounts.tax, &mut refunded.tax),
    ] {
        let remaining = paid.saturating_sub(*given);
        if asked > remaining {
            let text = format!("{asked} of the {part} asked back, {remaining} remain");
            return Err(Reject::new(Code::RefundAboveRemainder, text).into());
        }
        *given = given.saturating_add(asked);
    }
    use_reference(act, &e.bank_reference)?;
    let amounts = Amounts { net: e.net, fee: e.fee, tax: e.tax };
    let mut rows = Rows { state: act.state, account: payment.account };
    record.totals.refund(&mut rows, payment.index, amounts).map_err(account_fault)?;
    act.state.put(&Key::Account(payment.account), &record)?;
    Ok(act.state.put(&Key::Payment(e.payment), &payment)?)
}
