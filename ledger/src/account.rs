//! The account of one (product, clearing exchange, currency): payments, refunds, and the net of
//! any span of time.
//!
//! A payment appends one row, whatever the size of the lineage. What was given back of each, and
//! what of each is confirmed, lie in two sparse Fenwick trees over the payments.
//! Implements [LED-REV-5] to [LED-REV-7], [LED-REV-12] and [LED-REV-14].

mod entitlement;
mod fenwick;

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub use entitlement::{
    Divided, Entitlement, EntitlementError, Epoch, Line, PaymentLine, closing_lines, entitlement,
    epoch_nets, lines, payment_lines,
};

use crate::attribution;

/// Most payments of one account: the capacity of its trees.
pub const MAX_PAYMENTS: u64 = 1 << 32;

/// The totals of an account, in minor units of its currency. The caller stores it beside its
/// rows. Implements [LED-REV-5].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Payments recorded.
    pub payments: u64,
    /// Sum of the payments' net.
    pub net: u64,
    /// Sum of their clearing fees.
    pub fee: u64,
    /// Sum of their taxes.
    pub tax: u64,
    /// Net given back.
    pub refunded_net: u64,
    /// Fees given back.
    pub refunded_fee: u64,
    /// Taxes given back.
    pub refunded_tax: u64,
}

/// The three amounts of a payment or of a refund, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// What the owners of rights share.
    pub net: u64,
    /// The exchange's clearing fee.
    pub fee: u64,
    /// Tax as stated.
    pub tax: u64,
}

impl Amounts {
    /// The amounts of a payment: `gross = net + fee + tax`.
    ///
    /// `None` when the tax exceeds the gross or the fee rate exceeds 10 000 bp.
    /// Implements [LED-REV-6].
    pub fn of_payment(gross: u64, tax: u64, fee_bp: u16) -> Option<Self> {
        let fee = attribution::fee(gross, tax, fee_bp)?;
        let net = gross.checked_sub(tax)?.checked_sub(fee)?;
        Some(Amounts { net, fee, tax })
    }

    /// The three parts of both, each pair made one.
    pub(crate) fn zip(&self, other: &Self, with: fn(u64, u64) -> u64) -> Self {
        Amounts {
            net: with(self.net, other.net),
            fee: with(self.fee, other.fee),
            tax: with(self.tax, other.tax),
        }
    }
}

/// The row of one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Ordinal of the event that recorded the payment, among all events of the ledger.
    pub seq: u64,
    /// Sum of the net of the account's payments up to and including this one, refunds not taken
    /// off.
    pub cumulative_net: u64,
}

/// One of the two trees of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tree {
    /// What was given back of each payment's net.
    Refunded,
    /// The confirmed net of each payment.
    Confirmed,
}

/// Which net of an account's payments is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Net {
    /// What remains of all payments. Implements [LED-REV-7].
    Remaining,
    /// What of it is confirmed and not ordered to be given back. Implements [LED-REV-14].
    Confirmed,
}

/// Where the rows of one account are kept.
pub trait AccountRows {
    /// Why a row cannot be read or written.
    type Error;
    /// The row of payment `n`, counted from 0. An absent row below `payments` is an error.
    fn entry(&self, n: u64) -> Result<Entry, Self::Error>;
    /// Writes the row of payment `n`.
    fn put_entry(&mut self, n: u64, entry: Entry) -> Result<(), Self::Error>;
    /// Node `i` of a tree, 1 to 2^32; 0 when absent.
    fn node(&self, tree: Tree, i: u64) -> Result<u64, Self::Error>;
    /// Writes node `i` of a tree.
    fn put_node(&mut self, tree: Tree, i: u64, net: u64) -> Result<(), Self::Error>;
}

/// Why an account refuses. The refunds' errors are rules; the others are faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError<E> {
    /// A row could not be read or written.
    #[error("{0}")]
    Rows(E),
    /// A payment that was recorded no later than the one before.
    #[error("payment recorded as event {seq}, but the last one was event {last}")]
    NotLater {
        /// Its ordinal.
        seq: u64,
        /// The ordinal of the account's last payment.
        last: u64,
    },
    /// A refund of a payment that does not exist.
    #[error("payment {n} of an account with {payments} payments")]
    NoSuchPayment {
        /// The payment named.
        n: u64,
        /// Payments recorded.
        payments: u64,
    },
    /// A refund of more than remains.
    #[error("a refund of {asked} minor units of {part}, but {remaining} remain")]
    AboveRemainder {
        /// `net` of the payment, or `fee` or `tax` of the account.
        part: &'static str,
        /// Minor units asked for.
        asked: u64,
        /// Minor units not refunded before.
        remaining: u64,
    },
    /// The account holds as many payments as it can.
    #[error("the account is full: 2^32 payments")]
    Full,
    /// A sum above what 64 bits hold, or rows that contradict each other.
    #[error("the sums of the account overflow or contradict its rows")]
    Overflow,
}

impl Account {
    /// Appends a payment recorded by event `seq` and gives its number, from 0. Reads one row and
    /// writes one. On error the account and its rows are as before. Implements [LED-REV-12].
    pub fn record_payment<R: AccountRows>(
        &mut self,
        rows: &mut R,
        seq: u64,
        payment: Amounts,
    ) -> Result<u64, AccountError<R::Error>> {
        let n = self.payments;
        if n >= MAX_PAYMENTS {
            return Err(AccountError::Full);
        }
        if let Some(last) = n.checked_sub(1) {
            let last = rows.entry(last).map_err(AccountError::Rows)?.seq;
            if last >= seq {
                return Err(AccountError::NotLater { seq, last });
            }
        }
        let next = Account {
            payments: n.checked_add(1).ok_or(AccountError::Overflow)?,
            net: self.net.checked_add(payment.net).ok_or(AccountError::Overflow)?,
            fee: self.fee.checked_add(payment.fee).ok_or(AccountError::Overflow)?,
            tax: self.tax.checked_add(payment.tax).ok_or(AccountError::Overflow)?,
            ..*self
        };
        rows.put_entry(n, Entry { seq, cumulative_net: next.net }).map_err(AccountError::Rows)?;
        *self = next;
        Ok(n)
    }

    /// Gives back parts of payment `n`: at most 33 rows are written. No more net than remains of
    /// the payment, no more fee and tax than remain in the account; what remains of the payment's
    /// own fee and tax is the caller's to hold. On error nothing is changed, unless the store
    /// itself fails half way. Implements [LED-REV-7].
    pub fn refund<R: AccountRows>(
        &mut self,
        rows: &mut R,
        n: u64,
        refund: Amounts,
    ) -> Result<(), AccountError<R::Error>> {
        let within = |part, asked, remaining| {
            if asked <= remaining {
                return Ok(());
            }
            Err(AccountError::AboveRemainder { part, asked, remaining })
        };
        within("net", refund.net, self.net_of(rows, n)?)?;
        let open = |paid: u64, refunded| paid.checked_sub(refunded).ok_or(AccountError::Overflow);
        within("fee", refund.fee, open(self.fee, self.refunded_fee)?)?;
        within("tax", refund.tax, open(self.tax, self.refunded_tax)?)?;
        let sum = |a: u64, b| a.checked_add(b).ok_or(AccountError::Overflow);
        let next = Account {
            refunded_net: sum(self.refunded_net, refund.net)?,
            refunded_fee: sum(self.refunded_fee, refund.fee)?,
            refunded_tax: sum(self.refunded_tax, refund.tax)?,
            ..*self
        };
        fenwick::raise(rows, Tree::Refunded, &[(n, refund.net)])?;
        *self = next;
        Ok(())
    }

    /// The net of all payments less all refunds.
    pub fn net_after_refunds<E>(&self) -> Result<u64, AccountError<E>> {
        self.net.checked_sub(self.refunded_net).ok_or(AccountError::Overflow)
    }

    /// What remains of the net of payment `n`.
    pub fn net_of<R: AccountRows>(&self, rows: &R, n: u64) -> Result<u64, AccountError<R::Error>> {
        self.of_one(rows, Net::Remaining, n)
    }

    /// The confirmed net of payment `n`. Implements [LED-REV-14].
    pub fn confirmed_of<R: AccountRows>(
        &self,
        rows: &R,
        n: u64,
    ) -> Result<u64, AccountError<R::Error>> {
        self.of_one(rows, Net::Confirmed, n)
    }

    fn of_one<R: AccountRows>(
        &self,
        rows: &R,
        net: Net,
        n: u64,
    ) -> Result<u64, AccountError<R::Error>> {
        if n >= self.payments {
            return Err(AccountError::NoSuchPayment { n, payments: self.payments });
        }
        let end = n.checked_add(1).ok_or(AccountError::Overflow)?;
        let before = of_first(rows, net, n)?;
        of_first(rows, net, end)?.checked_sub(before).ok_or(AccountError::Overflow)
    }

    /// Adds to the confirmed net of payments, each named once. Nodes that they share are written
    /// once. Implements [LED-REV-14].
    pub fn confirm<R: AccountRows>(
        &self,
        rows: &mut R,
        payments: &[(u64, u64)],
    ) -> Result<(), AccountError<R::Error>> {
        fenwick::raise(rows, Tree::Confirmed, payments)
    }

    /// Takes off the confirmed net of payment `n`. Implements [LED-REV-14].
    pub fn withhold<R: AccountRows>(
        &self,
        rows: &mut R,
        n: u64,
        net: u64,
    ) -> Result<(), AccountError<R::Error>> {
        fenwick::lower(rows, Tree::Confirmed, n, net)
    }

    /// The sum of a net over all payments. Reads O(log payments) rows.
    pub fn total<R: AccountRows>(&self, rows: &R, net: Net) -> Result<u64, AccountError<R::Error>> {
        match net {
            Net::Remaining => self.net_after_refunds(),
            Net::Confirmed => of_first(rows, net, self.payments),
        }
    }

    /// The sum of a net over the payments recorded by events before `seq`.
    ///
    /// The net of an epoch `[start, end)` is the difference of two of these. Reads O(log payments)
    /// rows. Implements [LED-REV-7].
    pub fn net_before<R: AccountRows>(
        &self,
        rows: &R,
        net: Net,
        seq: u64,
    ) -> Result<u64, AccountError<R::Error>> {
        of_first(rows, net, self.payments_before(rows, seq)?)
    }

    /// How many payments were recorded by events before `seq`.
    fn payments_before<R: AccountRows>(
        &self,
        rows: &R,
        seq: u64,
    ) -> Result<u64, AccountError<R::Error>> {
        let (mut low, mut high) = (0, self.payments);
        while low < high {
            let middle = low.midpoint(high);
            if rows.entry(middle).map_err(AccountError::Rows)?.seq < seq {
                low = middle.checked_add(1).ok_or(AccountError::Overflow)?;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

/// The sum of a net over the first `count` payments.
fn of_first<R: AccountRows>(rows: &R, net: Net, count: u64) -> Result<u64, AccountError<R::Error>> {
    let Some(last) = count.checked_sub(1) else { return Ok(0) };
    match net {
        Net::Remaining => {
            let paid = rows.entry(last).map_err(AccountError::Rows)?.cumulative_net;
            let refunded = fenwick::prefix(rows, Tree::Refunded, count)?;
            paid.checked_sub(refunded).ok_or(AccountError::Overflow)
        }
        Net::Confirmed => fenwick::prefix(rows, Tree::Confirmed, count),
    }
}

/// The rows of one account in memory: for tests, examples and benchmarks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryRows {
    entries: BTreeMap<u64, Entry>,
    nodes: BTreeMap<(Tree, u64), u64>,
}

/// A payment without a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("payment {0} has no row")]
pub struct NoEntry(pub u64);

impl AccountRows for MemoryRows {
    type Error = NoEntry;
    fn entry(&self, n: u64) -> Result<Entry, NoEntry> {
        self.entries.get(&n).copied().ok_or(NoEntry(n))
    }
    fn put_entry(&mut self, n: u64, entry: Entry) -> Result<(), NoEntry> {
        self.entries.insert(n, entry);
        Ok(())
    }
    fn node(&self, tree: Tree, i: u64) -> Result<u64, NoEntry> {
        Ok(self.nodes.get(&(tree, i)).copied().unwrap_or(0))
    }
    fn put_node(&mut self, tree: Tree, i: u64, net: u64) -> Result<(), NoEntry> {
        self.nodes.insert((tree, i), net);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(net: u64) -> Amounts {
        Amounts { net, fee: 0, tax: 0 }
    }

    /// Holds [LED-REV-5], [LED-REV-6] and [LED-REV-12].
    #[test]
    fn a_payment_appends_one_row_with_the_running_total() {
        let (mut account, mut rows) = (Account::default(), MemoryRows::default());
        let payment = Amounts::of_payment(1_000, 60, 250).unwrap();
        assert_eq!(payment, Amounts { net: 917, fee: 23, tax: 60 });
        assert_eq!(account.record_payment(&mut rows, 7, payment), Ok(0));
        assert_eq!(account.record_payment(&mut rows, 9, net(3)), Ok(1));
        assert_eq!(rows.entries.len(), 2);
        assert_eq!(rows.entry(1), Ok(Entry { seq: 9, cumulative_net: 920 }));
        assert_eq!(account, Account { payments: 2, net: 920, fee: 23, tax: 60, ..account });
        let late = account.record_payment(&mut rows, 9, net(1));
        assert_eq!(late, Err(AccountError::NotLater { seq: 9, last: 9 }));
        assert_eq!((account.payments, rows.entries.len()), (2, 2));
    }

    /// Holds [LED-REV-8].
    #[test]
    fn an_epoch_counts_the_payments_from_its_start_to_before_its_end() {
        let (mut account, mut rows) = (Account::default(), MemoryRows::default());
        for (seq, amount) in [(10, 100), (20, 50), (30, 7)] {
            account.record_payment(&mut rows, seq, net(amount)).unwrap();
        }
        account.refund(&mut rows, 1, net(20)).unwrap();
        for (seq, expected) in [
            (0, 0),
            (10, 0),
            (11, 100),
            (20, 100),
            (21, 130),
            (30, 130),
            (31, 137),
            (u64::MAX, 137),
        ] {
            assert_eq!(account.net_before(&rows, Net::Remaining, seq), Ok(expected), "event {seq}");
        }
        assert_eq!(account.net_after_refunds::<NoEntry>(), Ok(137));
        assert_eq!(account.net_of(&rows, 1), Ok(30));
    }

    /// Holds [LED-REV-7].
    #[test]
    fn a_refund_stays_within_what_remains_and_changes_nothing_otherwise() {
        let (mut account, mut rows) = (Account::default(), MemoryRows::default());
        account.record_payment(&mut rows, 1, Amounts { net: 100, fee: 5, tax: 9 }).unwrap();
        account.record_payment(&mut rows, 2, net(900)).unwrap();
        account.refund(&mut rows, 0, Amounts { net: 60, fee: 1, tax: 9 }).unwrap();
        let before = (account, rows.clone());
        let above =
            |part, asked, remaining| AccountError::AboveRemainder { part, asked, remaining };
        for (n, refund, expected) in [
            (0, net(41), above("net", 41, 40)),
            (0, Amounts { net: 0, fee: 5, tax: 0 }, above("fee", 5, 4)),
            (0, Amounts { net: 1, fee: 0, tax: 1 }, above("tax", 1, 0)),
            (2, net(0), AccountError::NoSuchPayment { n: 2, payments: 2 }),
        ] {
            assert_eq!(account.refund(&mut rows, n, refund), Err(expected));
            assert_eq!((account, &rows), (before.0, &before.1));
        }
        account.refund(&mut rows, 0, Amounts { net: 40, fee: 4, tax: 0 }).unwrap();
        assert_eq!(account.net_of(&rows, 0), Ok(0));
        assert_eq!(account.net_of(&rows, 1), Ok(900));
    }

    /// Holds [LED-REV-14].
    #[test]
    fn the_confirmed_net_is_counted_at_the_time_of_the_payment() {
        let (mut account, mut rows) = (Account::default(), MemoryRows::default());
        for (seq, amount) in [(10, 100), (20, 50), (30, 7)] {
            account.record_payment(&mut rows, seq, net(amount)).unwrap();
        }
        account.confirm(&mut rows, &[(2, 7), (0, 100)]).unwrap();
        account.withhold(&mut rows, 0, 30).unwrap();
        let before = |seq| account.net_before(&rows, Net::Confirmed, seq).unwrap();
        assert_eq!([10, 11, 21, 30, 31].map(before), [0, 70, 70, 70, 77]);
        assert_eq!([0, 1, 2].map(|n| account.confirmed_of(&rows, n).unwrap()), [70, 0, 7]);
        assert_eq!(account.total(&rows, Net::Confirmed), Ok(77));
        assert_eq!(account.total(&rows, Net::Remaining), Ok(157));
        let above = account.withhold(&mut rows, 1, 1_000);
        assert_eq!(above, Err(AccountError::Overflow));
    }

    #[test]
    fn sums_above_64_bits_and_full_accounts_are_errors() {
        let (mut account, mut rows) = (Account::default(), MemoryRows::default());
        account.record_payment(&mut rows, 1, net(u64::MAX)).unwrap();
        assert_eq!(account.record_payment(&mut rows, 2, net(1)), Err(AccountError::Overflow));
        let overflow = account.refund(&mut rows, u64::MAX, net(1));
        assert_eq!(overflow, Err(AccountError::NoSuchPayment { n: u64::MAX, payments: 1 }));
        account.refund(&mut rows, 0, net(u64::MAX)).unwrap();
        assert_eq!(account.net_before(&rows, Net::Remaining, 9), Ok(0));
        let mut full = Account { payments: MAX_PAYMENTS, ..Account::default() };
        assert_eq!(full.record_payment(&mut rows, 3, net(1)), Err(AccountError::Full));
    }

    #[test]
    fn the_last_payment_of_a_full_account_can_be_refunded() {
        let last = MAX_PAYMENTS - 1;
        let mut rows = MemoryRows::default();
        rows.put_entry(last - 2, Entry { seq: 0, cumulative_net: 0 }).unwrap();
        rows.put_entry(last - 1, Entry { seq: 1, cumulative_net: 10 }).unwrap();
        rows.put_entry(last, Entry { seq: 2, cumulative_net: 15 }).unwrap();
        let mut account = Account { payments: MAX_PAYMENTS, net: 15, ..Account::default() };
        account.refund(&mut rows, last, net(5)).unwrap();
        account.refund(&mut rows, last - 1, net(1)).unwrap();
        assert_eq!((account.net_of(&rows, last), account.net_of(&rows, last - 1)), (Ok(0), Ok(9)));
        assert_eq!(rows.node(Tree::Refunded, MAX_PAYMENTS), Ok(6));
    }

    #[test]
    fn rows_that_contradict_the_account_are_a_fault() {
        let (mut account, mut rows) = (Account::default(), MemoryRows::default());
        account.record_payment(&mut rows, 1, net(5)).unwrap();
        rows.put_node(Tree::Refunded, 1, 6).unwrap();
        assert_eq!(account.net_before(&rows, Net::Remaining, 2), Err(AccountError::Overflow));
        rows.entries.clear();
        assert_eq!(
            account.net_before(&rows, Net::Remaining, 2),
            Err(AccountError::Rows(NoEntry(0)))
        );
    }
}
