//! Sparse Fenwick trees over the payments of an account, kept as rows.
//!
//! Payment n, counted from 0, has place n + 1. A change at place i changes the nodes i,
//! i + lowbit(i), … up to 2^32; the sum of the first i places is that of the nodes i,
//! i − lowbit(i), … above 0. An absent node is 0.

use std::collections::BTreeMap;

use super::{AccountError, AccountRows, MAX_PAYMENTS, Tree};

/// Adds an amount at each of some payments. All nodes are read before the first is written, so
/// that on error nothing is changed unless the store itself fails half way.
pub(super) fn raise<R: AccountRows>(
    rows: &mut R,
    tree: Tree,
    payments: &[(u64, u64)],
) -> Result<(), AccountError<R::Error>> {
    let mut raised: BTreeMap<u64, u64> = BTreeMap::new();
    for (n, amount) in payments {
        for i in path(*n).take_while(|_| *amount > 0) {
            let by = raised.entry(i).or_insert(0);
            *by = by.checked_add(*amount).ok_or(AccountError::Overflow)?;
        }
    }
    for (i, by) in &mut raised {
        let node = rows.node(tree, *i).map_err(AccountError::Rows)?;
        *by = by.checked_add(node).ok_or(AccountError::Overflow)?;
    }
    put(rows, tree, raised)
}

/// Takes an amount off at payment `n`.
pub(super) fn lower<R: AccountRows>(
    rows: &mut R,
    tree: Tree,
    n: u64,
    amount: u64,
) -> Result<(), AccountError<R::Error>> {
    let mut lowered = BTreeMap::new();
    for i in path(n).take_while(|_| amount > 0) {
        let node = rows.node(tree, i).map_err(AccountError::Rows)?;
        lowered.insert(i, node.checked_sub(amount).ok_or(AccountError::Overflow)?);
    }
    put(rows, tree, lowered)
}

/// The sum over the first `count` payments.
pub(super) fn prefix<R: AccountRows>(
    rows: &R,
    tree: Tree,
    count: u64,
) -> Result<u64, AccountError<R::Error>> {
    let (mut sum, mut i) = (0u64, count);
    while i > 0 {
        let node = rows.node(tree, i).map_err(AccountError::Rows)?;
        sum = sum.checked_add(node).ok_or(AccountError::Overflow)?;
        i = i.checked_sub(lowest_bit(i)).ok_or(AccountError::Overflow)?;
    }
    Ok(sum)
}

fn put<R: AccountRows>(
    rows: &mut R,
    tree: Tree,
    nodes: BTreeMap<u64, u64>,
) -> Result<(), AccountError<R::Error>> {
    for (i, node) in nodes {
        rows.put_node(tree, i, node).map_err(AccountError::Rows)?;
    }
    Ok(())
}

/// The nodes that a change at payment `n` changes: at most 33.
fn path(n: u64) -> impl Iterator<Item = u64> {
    let within = |i: &u64| *i <= MAX_PAYMENTS;
    let next = move |i: &u64| i.checked_add(lowest_bit(*i)).filter(within);
    std::iter::successors(n.checked_add(1).filter(within), next)
}

/// The lowest bit that is set.
const fn lowest_bit(i: u64) -> u64 {
    i & i.wrapping_neg()
}
