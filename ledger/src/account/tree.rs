//! Trees of base 16 over the payments of an account, kept as rows.
//!
//! Node (k, i) is about the 16^(k + 1) payments from number i · 16^(k + 1) on, in sixteen groups of
//! 16^k. There is a level for each hexadecimal digit of the number of payments, and the digits of
//! a payment's number are its places in the nodes above it. So one row is read on each level.
//! Implements [LED-REV-15].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use super::{AccountError, AccountRows, Entry, Tree};

/// Groups of a node, and payments of a row.
const BASE: u64 = 16;

/// A node of a tree over the payments. Node (0, i) is about the payments of row i.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// Its level, from 0.
    pub level: u32,
    /// Its number on the level, from 0.
    pub index: u64,
}

/// What a tree of sums holds for each of a node's groups.
pub type Sums = [u64; BASE as usize];

/// How many levels an account of so many payments has.
fn levels(payments: u64) -> u32 {
    payments.checked_ilog(BASE).map_or(0, |level| level.saturating_add(1))
}

/// The nodes above payment `n`, from below, each with the place of the payment's group.
fn path(n: u64, levels: u32) -> impl Iterator<Item = (Node, usize)> {
    let mut group = n;
    (0..levels).map_while(move |level| {
        let place = usize::try_from(group % BASE).ok()?;
        group /= BASE;
        Some((Node { level, index: group }, place))
    })
}

/// How many of a node's groups have a payment.
fn groups(payments: u64, node: Node) -> usize {
    let group = BASE.saturating_pow(node.level);
    let begun = payments.div_ceil(group).saturating_sub(node.index.saturating_mul(BASE));
    usize::try_from(begun.min(BASE)).unwrap_or(0)
}

/// The row of payment `n` of so many, and the payment's place in it.
fn row<R: AccountRows>(
    rows: &R,
    payments: u64,
    n: u64,
) -> Result<(Vec<Entry>, usize), AccountError<R::Error>> {
    let (node, place) = path(n, 1).next().ok_or(AccountError::Overflow)?;
    let row = rows.entries(node.index).map_err(AccountError::Rows)?;
    let whole = row.len() == groups(payments, node);
    if whole { Ok((row, place)) } else { Err(AccountError::Incomplete) }
}

/// The ordinals that a node of the index holds.
fn starts<R: AccountRows>(
    rows: &R,
    payments: u64,
    node: Node,
) -> Result<Vec<u64>, AccountError<R::Error>> {
    let expected = groups(payments, node).saturating_sub(1);
    if expected == 0 {
        return Ok(Vec::new());
    }
    let starts = rows.starts(node).map_err(AccountError::Rows)?;
    if starts.len() == expected { Ok(starts) } else { Err(AccountError::Incomplete) }
}

/// Appends a payment to so many. All rows are read before the first is written, so that on error
/// nothing is changed unless the store itself fails half way.
pub(super) fn append<R: AccountRows>(
    rows: &mut R,
    payments: u64,
    entry: Entry,
) -> Result<(), AccountError<R::Error>> {
    let mut last_row = match payments.checked_sub(1) {
        Some(last) => row(rows, payments, last)?.0,
        None => Vec::new(),
    };
    if let Some(Entry { seq: last, .. }) = last_row.last().filter(|last| last.seq >= entry.seq) {
        return Err(AccountError::NotLater { seq: entry.seq, last: *last });
    }
    if payments.is_multiple_of(BASE) {
        last_row.clear();
    }
    last_row.push(entry);
    // It begins a group on the levels up to that of its last digit that is not 0, and is the first
    // of a node on those below.
    let begun = path(payments, levels(payments)).find(|(_, place)| *place > 0);
    let begun = match begun.filter(|(node, _)| node.level > 0) {
        Some((node, _)) => {
            let mut starts = starts(rows, payments, node)?;
            starts.push(entry.seq);
            Some((node, starts))
        }
        None => None,
    };
    let grown = grown(rows, payments)?;
    rows.put_entries(payments / BASE, last_row).map_err(AccountError::Rows)?;
    if let Some((node, starts)) = begun {
        rows.put_starts(node, starts).map_err(AccountError::Rows)?;
    }
    let first = Node { level: levels(payments), index: 0 };
    for (tree, sums) in grown {
        rows.put_sums(tree, first, sums).map_err(AccountError::Rows)?;
    }
    Ok(())
}

/// The first nodes of the level that begins when one payment more is recorded, if one does: their
/// first group is all there was. None of zeros.
fn grown<R: AccountRows>(
    rows: &R,
    payments: u64,
) -> Result<Vec<(Tree, Sums)>, AccountError<R::Error>> {
    let level = levels(payments);
    let mut grown = Vec::new();
    if level == 0 || level == levels(payments.saturating_add(1)) {
        return Ok(grown);
    }
    for tree in [Tree::Refunded, Tree::Confirmed] {
        let mut sums = Sums::default();
        let [first, ..] = &mut sums;
        *first = prefix(rows, tree, payments)?;
        if sums != Sums::default() {
            grown.push((tree, sums));
        }
    }
    Ok(grown)
}

/// How many payments were recorded by events before `seq`, and the sum of their net.
pub(super) fn before<R: AccountRows>(
    rows: &R,
    payments: u64,
    seq: u64,
) -> Result<(u64, u64), AccountError<R::Error>> {
    let mut index = 0u64;
    for level in (1..levels(payments)).rev() {
        let starts = starts(rows, payments, Node { level, index })?;
        let place = starts.partition_point(|start| *start < seq);
        index = index.saturating_mul(BASE).saturating_add(place as u64);
    }
    let first = index.saturating_mul(BASE);
    let (row, _) = row(rows, payments, first)?;
    let place = row.partition_point(|entry| entry.seq < seq);
    match place.checked_sub(1).and_then(|last| row.get(last)) {
        Some(last) => Ok((first.saturating_add(place as u64), last.cumulative_net)),
        None if first == 0 => Ok((0, 0)),
        None => Err(AccountError::Incomplete),
    }
}

/// Ordinal of the event that recorded payment `n` of so many, and the sum of the net up to and
/// including it.
pub(super) fn entry<R: AccountRows>(
    rows: &R,
    payments: u64,
    n: u64,
) -> Result<Entry, AccountError<R::Error>> {
    let (row, place) = row(rows, payments, n)?;
    row.get(place).copied().ok_or(AccountError::NoSuchPayment { n, payments })
}

/// Changes the sums above each of some payments of so many. All nodes are read before the first
/// is written, so that on error nothing is changed unless the store itself fails half way.
pub(super) fn change<R: AccountRows>(
    rows: &mut R,
    tree: Tree,
    payments: u64,
    by: &[(u64, u64)],
    with: fn(u64, u64) -> Option<u64>,
) -> Result<(), AccountError<R::Error>> {
    let mut nodes: BTreeMap<Node, Sums> = BTreeMap::new();
    for (n, amount) in by.iter().copied().filter(|(_, amount)| *amount > 0) {
        if n >= payments {
            return Err(AccountError::NoSuchPayment { n, payments });
        }
        for (node, place) in path(n, levels(payments)) {
            let sums = match nodes.entry(node) {
                Slot::Occupied(read) => read.into_mut(),
                Slot::Vacant(new) => new.insert(rows.sums(tree, node).map_err(AccountError::Rows)?),
            };
            let sum = sums.get_mut(place).ok_or(AccountError::Overflow)?;
            *sum = with(*sum, amount).ok_or(AccountError::Overflow)?;
        }
    }
    for (node, sums) in nodes {
        rows.put_sums(tree, node, sums).map_err(AccountError::Rows)?;
    }
    Ok(())
}

/// The sum over the first `count` payments, of which there are at least so many.
pub(super) fn prefix<R: AccountRows>(
    rows: &R,
    tree: Tree,
    count: u64,
) -> Result<u64, AccountError<R::Error>> {
    let mut sum = 0u64;
    for (node, place) in path(count, levels(count)).filter(|(_, place)| *place > 0) {
        let sums = rows.sums(tree, node).map_err(AccountError::Rows)?;
        for group in sums.iter().take(place) {
            sum = sum.checked_add(*group).ok_or(AccountError::Overflow)?;
        }
    }
    Ok(sum)
}

/// The sum of payment `n` alone.
pub(super) fn single<R: AccountRows>(
    rows: &R,
    tree: Tree,
    n: u64,
) -> Result<u64, AccountError<R::Error>> {
    let (node, place) = path(n, 1).next().ok_or(AccountError::Overflow)?;
    let sums = rows.sums(tree, node).map_err(AccountError::Rows)?;
    sums.get(place).copied().ok_or(AccountError::Overflow)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Account, Amounts, MemoryRows, Net};
    use super::*;

    /// An account, and beside it a plain list of its payments.
    #[derive(Default)]
    struct Pair {
        account: Account,
        rows: MemoryRows,
        payments: Vec<Payment>,
    }

    #[derive(Default, Clone, Copy)]
    struct Payment {
        seq: u64,
        net: u64,
        refunded: u64,
        confirmed: u64,
    }

    impl Pair {
        fn pay(&mut self, gap: u64, net: u64) {
            let seq = self.payments.last().map_or(gap, |last| last.seq + 1 + gap);
            let amounts = Amounts { net, fee: 0, tax: 0 };
            self.account.record_payment(&mut self.rows, seq, amounts).unwrap();
            self.payments.push(Payment { seq, net, ..Payment::default() });
        }

        fn refund(&mut self, n: usize, net: u64) {
            let of = &mut self.payments[n];
            let net = net.min(of.net - of.refunded);
            of.refunded += net;
            let refund = Amounts { net, fee: 0, tax: 0 };
            self.account.refund(&mut self.rows, n as u64, refund).unwrap();
        }

        fn confirm(&mut self, by: &[(usize, u64)]) {
            by.iter().for_each(|(n, net)| self.payments[*n].confirmed += net);
            let by: Vec<(u64, u64)> = by.iter().map(|(n, net)| (*n as u64, *net)).collect();
            self.account.confirm(&mut self.rows, &by).unwrap();
        }

        fn withhold(&mut self, n: usize, net: u64) {
            let net = net.min(self.payments[n].confirmed);
            self.payments[n].confirmed -= net;
            self.account.withhold(&mut self.rows, n as u64, net).unwrap();
        }

        /// Compares every row with what [LED-REV-15] says that it holds.
        fn compare_rows(&self) {
            let mut expected = MemoryRows::default();
            let mut net = 0;
            let entries = self.payments.iter().map(|payment| {
                net += payment.net;
                Entry { seq: payment.seq, cumulative_net: net }
            });
            let entries: Vec<Entry> = entries.collect();
            expected.entries = (0..).zip(entries.chunks(16).map(<[Entry]>::to_vec)).collect();
            let sizes = (0u32..).map(|level| (level, 16usize.pow(level)));
            for (level, size) in sizes.take_while(|(_, size)| *size <= self.payments.len()) {
                let groups: Vec<&[Payment]> = self.payments.chunks(size).collect();
                for (index, groups) in (0..).zip(groups.chunks(16)) {
                    let node = Node { level, index };
                    let starts: Vec<u64> = groups[1..].iter().map(|group| group[0].seq).collect();
                    if level > 0 && !starts.is_empty() {
                        expected.starts.insert(node, starts);
                    }
                    let mut sums = |tree, of: fn(&Payment) -> u64| {
                        let mut sums = [0; 16];
                        let group = |group: &&[Payment]| group.iter().map(of).sum();
                        let zipped = sums.iter_mut().zip(groups.iter().map(group));
                        zipped.for_each(|(sum, of_group)| *sum = of_group);
                        if sums != [0; 16] {
                            expected.sums.insert((tree, node), sums);
                        }
                    };
                    sums(Tree::Refunded, |payment| payment.refunded);
                    sums(Tree::Confirmed, |payment| payment.confirmed);
                }
            }
            assert_eq!(self.rows, expected);
        }

        /// Compares what is told of the payments before an event with their plain sums.
        fn compare_before(&self, seq: u64) {
            let before = |net, of: fn(&Payment) -> u64| {
                let recorded = self.payments.iter().filter(|payment| payment.seq < seq);
                let expected: u64 = recorded.map(of).sum();
                let told = self.account.net_before(&self.rows, net, seq);
                assert_eq!(told, Ok(expected), "{net:?} before {seq} of {}", self.payments.len());
            };
            before(Net::Remaining, |payment| payment.net - payment.refunded);
            before(Net::Confirmed, |payment| payment.confirmed);
        }

        /// Compares everything that is told.
        fn compare(&self) {
            self.compare_rows();
            let confirmed = self.payments.iter().map(|payment| payment.confirmed).sum();
            assert_eq!(self.account.total(&self.rows, Net::Confirmed), Ok(confirmed));
            self.compare_before(0);
            self.compare_before(u64::MAX);
            for (n, payment) in (0..).zip(&self.payments) {
                self.compare_before(payment.seq);
                self.compare_before(payment.seq + 1);
                let net = payment.net - payment.refunded;
                assert_eq!(self.account.net_of(&self.rows, n), Ok(net));
            }
        }
    }

    #[derive(Debug, Clone)]
    enum Act {
        Pay(Vec<(u64, u64)>),
        Refund(prop::sample::Index, u64),
        Confirm(Vec<(prop::sample::Index, u64)>),
        Withhold(prop::sample::Index, u64),
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let net = prop_oneof![Just(0), 1..9u64, Just(u64::MAX)];
        let few = |net: u64| net.min(1 << 40);
        let index = any::<prop::sample::Index>;
        let act = prop_oneof![
            prop::collection::vec((0..3u64, 0..1_000u64), 1..40).prop_map(Act::Pay),
            (index(), net.clone()).prop_map(|(n, net)| Act::Refund(n, net)),
            prop::collection::vec((index(), net.clone().prop_map(few)), 1..9)
                .prop_map(Act::Confirm),
            (index(), net).prop_map(|(n, net)| Act::Withhold(n, net)),
        ];
        prop::collection::vec(act, 1..40)
    }

    proptest! {
        /// Holds [LED-REV-15]: whatever happens in whatever order, the rows are those of the
        /// payments, and what is read from them is what adding up the payments gives.
        #[test]
        fn trees_tell_what_a_plain_list_tells(acts in acts()) {
            let mut pair = Pair::default();
            for act in &acts {
                let count = pair.payments.len();
                match act {
                    Act::Pay(payments) => payments.iter().for_each(|(gap, net)| pair.pay(*gap, *net)),
                    _ if count == 0 => {}
                    Act::Refund(n, net) => pair.refund(n.index(count), *net),
                    Act::Withhold(n, net) => pair.withhold(n.index(count), *net),
                    Act::Confirm(by) => {
                        let by: Vec<_> = by.iter().map(|(n, net)| (n.index(count), *net)).collect();
                        pair.confirm(&by);
                    }
                }
                pair.compare_rows();
            }
            pair.compare();
        }
    }

    /// Holds [LED-REV-15]: what was changed before a level began, and what is changed after.
    #[test]
    fn trees_are_whole_at_every_count_near_a_power_of_16() {
        let mut pair = Pair::default();
        for count in 1..=65_540usize {
            pair.pay(count as u64 % 3, count as u64);
            let near = |power: usize| count.abs_diff(power) <= 3;
            if count % 1_000 == 7 || [1, 16, 256, 4_096, 65_536].into_iter().any(near) {
                let last = count - 1;
                pair.confirm(&[(last, 5), (last / 2, 3), (0, 1)]);
                pair.refund(last, 1);
                pair.refund(last / 3, 1);
                pair.withhold(last / 2, 2);
                pair.compare_rows();
                for n in [0, 1, last / 16, last / 3, last / 2, last] {
                    let seq = pair.payments[n.min(last)].seq;
                    pair.compare_before(seq);
                    pair.compare_before(seq + 1);
                }
            }
            if count == 300 {
                pair.compare();
            }
        }
    }

    /// Holds [LED-REV-15]: a node of zeros is as if it had never been.
    #[test]
    fn taking_everything_off_removes_every_node() {
        let mut pair = Pair::default();
        (0..300).for_each(|_| pair.pay(0, 10));
        let never = pair.rows.clone();
        pair.confirm(&[(0, 10), (299, 10), (17, 10)]);
        assert_ne!(pair.rows, never);
        [0, 299, 17].into_iter().for_each(|n| pair.withhold(n, 10));
        assert_eq!(pair.rows, never);
    }
}
