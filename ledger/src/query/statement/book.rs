//! The payments of one account, read whole: once all of them, once those whose delivery is
//! confirmed.

use std::collections::BTreeSet;
use std::convert::Infallible;

use super::{Money, PaymentShown};
use crate::account::{Account, AccountError, Amounts, MemoryRows};
use crate::hash::{AccountId, ContractId, PaymentId};
use crate::query::{Budget, Lists, MAX_ROWS, QueryError};
use crate::reject::Fault;
use crate::state::record::{ContractRecord, PaymentRecord};
use crate::state::{Key, Records, Relation, View};

/// The payments of an account.
pub(super) struct Book {
    /// Totals and rows of all payments.
    pub(super) all: (Account, MemoryRows),
    /// Totals and rows as if only the payments with a confirmed delivery had been recorded, and
    /// what is ordered to be given back had been.
    pub(super) confirmed: (Account, MemoryRows),
    /// The payments, in the order recorded.
    pub(super) payments: Vec<PaymentShown>,
}

impl Book {
    /// Reads the payments of an account and checks them against its totals.
    pub(super) fn read<V: Lists>(
        view: &V,
        account: &AccountId,
        totals: &Account,
    ) -> Result<Self, QueryError> {
        let entries = view.entries(&Relation::AccountPayments(*account))?;
        Budget::new("payments", MAX_ROWS).take(entries.len())?;
        let ids: Vec<PaymentId> = entries.iter().map(|e| PaymentId::from_digest(e.id)).collect();
        view.prefetch(&ids.iter().map(|id| Key::Payment(*id)).collect::<Vec<_>>())?;
        let mut payments = Vec::with_capacity(ids.len());
        for id in ids {
            let payment = view.payment(&id)?;
            payments.push((id, payment.ok_or_else(|| missing("payment", &id))?));
        }
        let contracts: BTreeSet<ContractId> = payments.iter().map(|(_, p)| p.contract).collect();
        view.prefetch(&contracts.into_iter().map(Key::Contract).collect::<Vec<_>>())?;

        let mut book = Book {
            all: Default::default(),
            confirmed: Default::default(),
            payments: Vec::with_capacity(payments.len()),
        };
        for (id, payment) in payments {
            book.add(view, id, payment)?;
        }
        if book.all.0 != *totals {
            return Err(Fault(format!("account {account} and its payments differ")).into());
        }
        Ok(book)
    }

    fn add<V: View>(
        &mut self,
        view: &V,
        id: PaymentId,
        payment: PaymentRecord,
    ) -> Result<(), Fault> {
        let confirmed = contract(view, &payment.contract)?.confirmed;
        record(&mut self.all, &payment, payment.refunded)?;
        if confirmed {
            let given = payment.refunded.zip(&payment.ordered, u64::saturating_add);
            record(&mut self.confirmed, &payment, given)?;
        }
        self.payments.push(PaymentShown {
            id,
            contract: payment.contract,
            received: Money::of(&payment.amounts)?,
            refunded: Money::of(&payment.refunded)?,
            ordered: Money::of(&payment.ordered)?,
            void: payment.void,
            confirmed,
            bank_reference: payment.bank_reference,
            height: payment.height,
            time_ms: payment.time_ms,
        });
        Ok(())
    }

    /// What remains of the net of the payments whose delivery is confirmed.
    pub(super) fn confirmed_net(&self) -> Result<u64, Fault> {
        self.confirmed.0.net_after_refunds().map_err(fault)
    }
}

/// Records a payment and what was given back, or is not to be counted, of it.
fn record(
    book: &mut (Account, MemoryRows),
    payment: &PaymentRecord,
    given: Amounts,
) -> Result<(), Fault> {
    let (account, rows) = book;
    let n = account.record_payment(rows, payment.seq, payment.amounts).map_err(fault)?;
    if given == Amounts::default() {
        return Ok(());
    }
    account.refund(rows, n, given).map_err(fault)
}

fn fault(error: AccountError<Infallible>) -> Fault {
    Fault(format!("the payments of an account contradict each other: {error}"))
}

fn missing(what: &str, id: &impl std::fmt::Display) -> Fault {
    Fault(format!("{what} {id} is named and not recorded"))
}

/// A contract that a record of the state names.
pub(super) fn contract<V: View>(view: &V, id: &ContractId) -> Result<ContractRecord, Fault> {
    view.contract(id)?.ok_or_else(|| missing("contract", id))
}

/// Adds to a sum of minor units.
pub(super) fn add(sum: &mut u64, amount: u64) -> Result<(), Fault> {
    *sum = sum.checked_add(amount).ok_or_else(|| Fault("a sum of money overflows".into()))?;
    Ok(())
}

/// What was paid into an account, and what of it was given back.
pub(super) fn sums(totals: &Account) -> Result<(Money, Money), Fault> {
    let paid = Amounts { net: totals.net, fee: totals.fee, tax: totals.tax };
    let refunded =
        Amounts { net: totals.refunded_net, fee: totals.refunded_fee, tax: totals.refunded_tax };
    Ok((Money::of(&paid)?, Money::of(&refunded)?))
}

impl Money {
    fn of(amounts: &Amounts) -> Result<Self, Fault> {
        let Amounts { net, fee, tax } = *amounts;
        let mut gross = net;
        add(&mut gross, fee)?;
        add(&mut gross, tax)?;
        Ok(Money { gross, net, fee, tax })
    }

    /// What remains after `refunded`.
    pub(super) fn less(&self, refunded: &Money) -> Result<Self, Fault> {
        let part = |paid: u64, refunded| {
            let left = paid.checked_sub(refunded);
            left.ok_or_else(|| Fault("an account gave back more than it received".into()))
        };
        Ok(Money {
            gross: part(self.gross, refunded.gross)?,
            net: part(self.net, refunded.net)?,
            fee: part(self.fee, refunded.fee)?,
            tax: part(self.tax, refunded.tax)?,
        })
    }
}
