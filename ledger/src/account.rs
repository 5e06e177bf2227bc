//! The account of one (product, clearing exchange, currency): payments, refunds, and the net of
//! any span of time.
//!
//! A payment costs the same, whatever the size of the lineage. What was given back of each, and
//! what of each is confirmed, lie in two sparse trees of sums over the payments.
//! Implements [LED-REV-5] to [LED-REV-7], [LED-REV-12] and [LED-REV-14].

mod entitlement;
mod tree;

use crate::money::Currency;
use crate::words::money;
use std::collections::BTreeMap;
use std::convert::Infallible;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub use entitlement::{
    Divided, Entitlement, EntitlementError, Epoch, Line, PaymentLine, closing_lines, entitlement,
    epoch_nets, lines, payment_lines,
};

pub use tree::{Node, Sums};

use crate::attribution;

/// Most payments of one account.
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

    /// The three parts for a sentence.
    pub(crate) fn in_words(&self, currency: &Currency) -> String {
        let [net, fee, tax] = [self.net, self.fee, self.tax].map(|n| money(n, currency));
        format!("net {net}, fee {fee}, tax {tax}")
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

/// One payment, as its row lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Ordinal of the event that recorded the payment, among all events of the ledger.
    pub seq: u64,
    /// Sum of the net of the account's payments up to and including this one, refunds not taken
    /// off.
    pub cumulative_net: u64,
}

/// One of the two trees of sums of an account.
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

/// Where the rows of one account are kept. Implements [LED-REV-15].
pub trait AccountRows {
    /// Why a row cannot be read or written.
    type Error;
    /// Row `i` of the payments: up to sixteen from 16 · i on; none when absent.
    fn entries(&self, i: u64) -> Result<Vec<Entry>, Self::Error>;
    /// Writes row `i` of the payments.
    fn put_entries(&mut self, i: u64, entries: Vec<Entry>) -> Result<(), Self::Error>;
    /// A node of the index: the ordinals of the events that recorded the first payments of its
    /// groups, but the first group; none when absent.
    fn starts(&self, node: Node) -> Result<Vec<u64>, Self::Error>;
    /// Writes a node of the index.
    fn put_starts(&mut self, node: Node, starts: Vec<u64>) -> Result<(), Self::Error>;
    /// A node of a tree of sums; zeros when absent.
    fn sums(&self, tree: Tree, node: Node) -> Result<Sums, Self::Error>;
    /// Writes a node of a tree of sums; removes it when they are zeros.
    fn put_sums(&mut self, tree: Tree, node: Node, sums: Sums) -> Result<(), Self::Error>;
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
    /// A row of payments, or a node of their index, that is missing or has another length.
    #[error("a row of the account does not fit its number of payments")]
    Incomplete,
    /// A sum above what 64 bits hold, or rows that contradict each other.
    #[error("the sums of the account overflow or contradict its rows")]
    Overflow,
}

impl Account {
    /// Appends a payment recorded by event `seq` and gives its number, from 0. Reads one row and
    /// writes one; every sixteenth time another is read and written, and at a power of 16 those of
    /// a level more. On error nothing is changed, unless the store itself fails half way.
    /// Implements [LED-REV-12].
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
        let next = Account {
            payments: n.checked_add(1).ok_or(AccountError::Overflow)?,
            net: self.net.checked_add(payment.net).ok_or(AccountError::Overflow)?,
            fee: self.fee.checked_add(payment.fee).ok_or(AccountError::Overflow)?,
            tax: self.tax.checked_add(payment.tax).ok_or(AccountError::Overflow)?,
            ..*self
        };
        tree::append(rows, n, Entry { seq, cumulative_net: next.net })?;
        *self = next;
        Ok(n)
    }

    /// Gives back parts of payment `n`: a row is written on each level. No more net than remains
    /// of the payment, no more fee and tax than remain in the account; what remains of the
    /// payment's own fee and tax is the caller's to hold. On error nothing is changed, unless the
    /// store itself fails half way. Implements [LED-REV-7].
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
        tree::change(rows, Tree::Refunded, self.payments, &[(n, refund.net)], u64::checked_add)?;
        *self = next;
        Ok(())
    }

    /// The net of all payments less all refunds.
    pub fn net_after_refunds<E>(&self) -> Result<u64, AccountError<E>> {
        self.net.checked_sub(self.refunded_net).ok_or(AccountError::Overflow)
    }

    /// What remains of the net of payment `n`. Reads three rows at the most.
    pub fn net_of<R: AccountRows>(&self, rows: &R, n: u64) -> Result<u64, AccountError<R::Error>> {
        let paid = tree::entry(rows, self.payments, n)?.cumulative_net;
        let before = match n.checked_sub(1) {
            Some(before) => tree::entry(rows, self.payments, before)?.cumulative_net,
            None => 0,
        };
        let given_back = tree::single(rows, Tree::Refunded, n)?;
        let net = paid.checked_sub(before).and_then(|net| net.checked_sub(given_back));
        net.ok_or(AccountError::Overflow)
    }

    /// Adds to the confirmed net of payments, each named once. Nodes that they share are written
    /// once. Implements [LED-REV-14].
    pub fn confirm<R: AccountRows>(
        &self,
        rows: &mut R,
        payments: &[(u64, u64)],
    ) -> Result<(), AccountError<R::Error>> {
        tree::change(rows, Tree::Confirmed, self.payments, payments, u64::checked_add)
    }

    /// Takes off the confirmed net of payment `n`. Implements [LED-REV-14].
    pub fn withhold<R: AccountRows>(
        &self,
        rows: &mut R,
        n: u64,
        net: u64,
    ) -> Result<(), AccountError<R::Error>> {
        tree::change(rows, Tree::Confirmed, self.payments, &[(n, net)], u64::checked_sub)
    }

    /// The sum of a net over all payments. Reads a row on each level.
    pub fn total<R: AccountRows>(&self, rows: &R, net: Net) -> Result<u64, AccountError<R::Error>> {
        match net {
            Net::Remaining => self.net_after_refunds(),
            Net::Confirmed => tree::prefix(rows, Tree::Confirmed, self.payments),
        }
    }

    /// The sum of a net over the payments recorded by events before `seq`.
    ///
    /// The net of an epoch `[start, end)` is the difference of two of these. Reads two rows on each
    /// level. Implements [LED-REV-7].
    pub fn net_before<R: AccountRows>(
        &self,
        rows: &R,
        net: Net,
        seq: u64,
    ) -> Result<u64, AccountError<R::Error>> {
        let (count, paid) = tree::before(rows, self.payments, seq)?;
        match net {
            Net::Remaining => {
                let given_back = tree::prefix(rows, Tree::Refunded, count)?;
                paid.checked_sub(given_back).ok_or(AccountError::Overflow)
            }
            Net::Confirmed => tree::prefix(rows, Tree::Confirmed, count),
        }
    }

    /// Ordinal of the event that recorded the first payment; the end of time when there is none.
    fn first_seq<R: AccountRows>(&self, rows: &R) -> Result<u64, AccountError<R::Error>> {
        if self.payments == 0 {
            return Ok(u64::MAX);
        }
        Ok(tree::entry(rows, self.payments, 0)?.seq)
    }
}

/// The rows of one account in memory: for tests, examples and benchmarks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryRows {
    /// The rows of the payments.
    pub entries: BTreeMap<u64, Vec<Entry>>,
    /// The nodes of the index.
    pub starts: BTreeMap<Node, Vec<u64>>,
    /// The nodes of the trees of sums.
    pub sums: BTreeMap<(Tree, Node), Sums>,
}

impl AccountRows for MemoryRows {
    type Error = Infallible;
    fn entries(&self, i: u64) -> Result<Vec<Entry>, Infallible> {
        Ok(self.entries.get(&i).cloned().unwrap_or_default())
    }
    fn put_entries(&mut self, i: u64, entries: Vec<Entry>) -> Result<(), Infallible> {
        self.entries.insert(i, entries);
        Ok(())
    }
    fn starts(&self, node: Node) -> Result<Vec<u64>, Infallible> {
        Ok(self.starts.get(&node).cloned().unwrap_or_default())
    }
    fn put_starts(&mut self, node: Node, starts: Vec<u64>) -> Result<(), Infallible> {
        self.starts.insert(node, starts);
        Ok(())
    }
    fn sums(&self, tree: Tree, node: Node) -> Result<Sums, Infallible> {
        Ok(self.sums.get(&(tree, node)).copied().unwrap_or_default())
    }
    fn put_sums(&mut self, tree: Tree, node: Node, sums: Sums) -> Result<(), Infallible> {
        match sums == Sums::default() {
            true => self.sums.remove(&(tree, node)),
            false => self.sums.insert((tree, node), sums),
        };
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
    fn a_payment_is_appended_to_a_row_with_the_running_total() {
        let (mut account, mut rows) = (Account::default(), MemoryRows::default());
        let payment = Amounts::of_payment(1_000, 60, 250).unwrap();
        assert_eq!(payment, Amounts { net: 917, fee: 23, tax: 60 });
        assert_eq!(account.record_payment(&mut rows, 7, payment), Ok(0));
        assert_eq!(account.record_payment(&mut rows, 9, net(3)), Ok(1));
        let row = |seq, cumulative_net| Entry { seq, cumulative_net };
        assert_eq!(rows.entries, BTreeMap::from([(0, vec![row(7, 917), row(9, 920)])]));
        assert_eq!(account, Account { payments: 2, net: 920, fee: 23, tax: 60, ..account });
        let late = account.record_payment(&mut rows, 9, net(1));
        assert_eq!(late, Err(AccountError::NotLater { seq: 9, last: 9 }));
        assert_eq!((account.payments, rows.entries[&0].len()), (2, 2));
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
        assert_eq!(account.net_after_refunds::<Infallible>(), Ok(137));
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
        assert_eq!(account.total(&rows, Net::Confirmed), Ok(77));
        assert_eq!(account.total(&rows, Net::Remaining), Ok(157));
        let above = account.withhold(&mut rows, 1, 1_000);
        assert_eq!(above, Err(AccountError::Overflow));
        let beyond = account.confirm(&mut rows, &[(3, 1)]);
        assert_eq!(beyond, Err(AccountError::NoSuchPayment { n: 3, payments: 3 }));
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
        let entry = |n| Entry { seq: n, cumulative_net: if n < 15 { 10 } else { 15 } };
        rows.put_entries(last / 16, (0..16).map(entry).collect()).unwrap();
        rows.put_entries(last / 16 - 1, vec![entry(0); 16]).unwrap();
        let mut account = Account { payments: MAX_PAYMENTS, net: 15, ..Account::default() };
        account.refund(&mut rows, last, net(4)).unwrap();
        assert_eq!((account.net_of(&rows, last), account.net_of(&rows, last - 15)), (Ok(1), Ok(0)));
        assert_eq!(rows.sums(Tree::Refunded, Node { level: 8, index: 0 }).unwrap()[0], 4);
        assert_eq!(rows.sums.len(), 9);
    }

    #[test]
    fn rows_that_contradict_the_account_are_a_fault() {
        let (mut account, mut rows) = (Account::default(), MemoryRows::default());
        for seq in 0..40 {
            account.record_payment(&mut rows, seq, net(5)).unwrap();
        }
        let whole = (account, rows.clone());
        let before = |rows: &MemoryRows, seq| account.net_before(rows, Net::Remaining, seq);
        rows.put_sums(Tree::Refunded, Node { level: 0, index: 0 }, [6; 16]).unwrap();
        assert_eq!(before(&rows, 2), Err(AccountError::Overflow));
        rows.entries.get_mut(&0).unwrap().pop();
        assert_eq!(before(&rows, 2), Err(AccountError::Incomplete));
        assert_eq!(before(&rows, 30), Ok(30 * 5));
        rows.entries.remove(&2);
        assert_eq!(account.net_of(&rows, 39), Err(AccountError::Incomplete));
        assert_eq!(account.record_payment(&mut rows, 41, net(1)), Err(AccountError::Incomplete));
        let (_, mut rows) = whole;
        rows.starts.clear();
        assert_eq!(account.net_before(&rows, Net::Confirmed, 30), Err(AccountError::Incomplete));
    }
}
