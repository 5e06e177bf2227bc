//! Who is entitled to what of an account: a pure function of payments, refunds, ownership epochs
//! and schedule.
//!
//! Implements [LED-REV-8] to [LED-REV-11] and [LED-REV-13].

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Account, AccountError, AccountRows, Net};
use crate::attribution::{self, Claim, UNITS};
use crate::split::{BASIS_POINTS, Right};

/// A span during which one right over one asset had the same owners: from `start_seq` to before
/// the start of the next epoch. Implements [LED-REV-8].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch<P> {
    /// Ordinal of the event that began it, among all events of the ledger.
    pub start_seq: u64,
    /// The owners, each named once, with their parts; the parts add up to 10 000.
    pub owners: Vec<(P, u16)>,
}

/// What one owner is entitled to for one epoch of one right; zero lines are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line<A, P> {
    /// The asset.
    pub asset: A,
    /// The right over it.
    pub right: Right,
    /// The ownership epoch, from 0.
    pub epoch_index: u64,
    /// The owner.
    pub party: P,
    /// Minor units, rounded down.
    pub amount: u64,
}

/// What one payment brings one owner of one right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentLine<A, P> {
    /// The asset.
    pub asset: A,
    /// The right over it.
    pub right: Right,
    /// The owner when the payment was recorded.
    pub party: P,
    /// Minor units; never 0.
    pub amount: u64,
}

/// The whole of an account, divided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entitlement<A, P> {
    /// A line for each owner of each epoch of each claim, in order of claim, epoch and owner.
    pub lines: Vec<Line<A, P>>,
    /// Minor units that rounding leaves in the account. Implements [LED-REV-9].
    pub residue: u64,
}

/// Why an account cannot be divided. All are faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntitlementError<R, E> {
    /// The account or its rows.
    #[error("{0}")]
    Account(AccountError<R>),
    /// The epochs of a claim could not be read.
    #[error("{0}")]
    Epochs(E),
    /// The claims are not a whole schedule; the sum of their units.
    #[error("claims of {0} units, expected 1000000000000000000")]
    Units(u128),
    /// No epoch, or epochs that are not in order of their start.
    #[error("ownership epochs are missing or out of order")]
    EpochOrder,
    /// The owners of an epoch do not own the whole; the sum of their parts.
    #[error("owners of {0} parts, expected 10000")]
    Parts(u64),
    /// A payment was recorded before anyone owned the right.
    #[error("a payment precedes the first ownership epoch")]
    PaymentBeforeOwners,
    /// A sum above what 64 bits hold, or amounts that contradict each other.
    #[error("the lines of the account overflow or contradict its totals")]
    Overflow,
}

/// What dividing an account with rows `R` gives, when `E` is the error of reading epochs.
pub type Divided<T, R, E> = Result<T, EntitlementError<<R as AccountRows>::Error, E>>;

impl<R, E> From<AccountError<R>> for EntitlementError<R, E> {
    fn from(error: AccountError<R>) -> Self {
        EntitlementError::Account(error)
    }
}

/// Divides the whole account over a whole schedule. The lines and the residue add up to the net
/// less refunds. Implements [LED-REV-9] and [LED-REV-10].
pub fn entitlement<A: Clone, P: Clone, R: AccountRows, E>(
    account: &Account,
    rows: &R,
    claims: &[Claim<A>],
    epochs: impl FnMut(&A, Right) -> Result<Vec<Epoch<P>>, E>,
) -> Divided<Entitlement<A, P>, R, E> {
    check_whole(claims)?;
    let lines = lines(account, rows, claims, epochs)?;
    let mut residue = account.net_after_refunds()?;
    for line in &lines {
        residue = residue.checked_sub(line.amount).ok_or(EntitlementError::Overflow)?;
    }
    Ok(Entitlement { lines, residue })
}

/// The lines of some claims of the account's product, in order of claim, epoch and owner.
///
/// `epochs` gives all epochs of a right, in order. Implements [LED-REV-8].
pub fn lines<A: Clone, P: Clone, R: AccountRows, E>(
    account: &Account,
    rows: &R,
    claims: &[Claim<A>],
    epochs: impl FnMut(&A, Right) -> Result<Vec<Epoch<P>>, E>,
) -> Divided<Vec<Line<A, P>>, R, E> {
    let mut lines = Vec::new();
    each_line(account, rows, claims, epochs, |line, _| lines.push(line))?;
    Ok(lines)
}

/// How the residue is given out when an account is closed for good: one minor unit more for each
/// of the lines that rounding cost the most, the earlier first among equals. They and the
/// entitlement add up to the net less refunds. In order of claim, epoch and owner.
///
/// Implements [LED-REV-13].
pub fn closing_lines<A: Clone, P: Clone, R: AccountRows, E>(
    account: &Account,
    rows: &R,
    claims: &[Claim<A>],
    epochs: impl FnMut(&A, Right) -> Result<Vec<Epoch<P>>, E>,
) -> Divided<Vec<Line<A, P>>, R, E> {
    check_whole(claims)?;
    let mut residue = account.net_after_refunds()?;
    let mut lines = Vec::new();
    let mut overdrawn = false;
    each_line(account, rows, claims, epochs, |line, shortfall| {
        match residue.checked_sub(line.amount) {
            Some(left) => residue = left,
            None => overdrawn = true,
        }
        lines.push((Reverse(shortfall), lines.len(), Line { amount: 1, ..line }));
    })?;
    let residue = usize::try_from(residue).ok().filter(|residue| *residue <= lines.len());
    let residue = residue.filter(|_| !overdrawn).ok_or(EntitlementError::Overflow)?;
    lines.sort_unstable_by_key(|(shortfall, position, _)| (*shortfall, *position));
    lines.truncate(residue);
    lines.sort_unstable_by_key(|(_, position, _)| *position);
    Ok(lines.into_iter().map(|(_, _, line)| line).collect())
}

/// Computes each line, and what rounding down cost it in parts of 10^22 of a minor unit.
fn each_line<A: Clone, P: Clone, R: AccountRows, E>(
    account: &Account,
    rows: &R,
    claims: &[Claim<A>],
    mut epochs: impl FnMut(&A, Right) -> Result<Vec<Epoch<P>>, E>,
    mut put: impl FnMut(Line<A, P>, u128),
) -> Divided<(), R, E> {
    let mut nets = Nets::new(account, rows, Net::Remaining);
    for Claim { asset, right, units } in claims {
        let epochs = epochs(asset, *right).map_err(EntitlementError::Epochs)?;
        let nets = nets.of_epochs(&epochs)?;
        for (epoch_index, (epoch, net)) in (0u64..).zip(epochs.into_iter().zip(nets)) {
            let earned = attribution::earned(*units, net).ok_or(EntitlementError::Overflow)?;
            for (party, parts) in epoch.owners {
                let amount = attribution::owner_share(earned, parts);
                let amount = amount.ok_or(EntitlementError::Overflow)?;
                let shortfall = shortfall(*units, net, parts, amount);
                let shortfall = shortfall.ok_or(EntitlementError::Overflow)?;
                put(
                    Line { asset: asset.clone(), right: *right, epoch_index, party, amount },
                    shortfall,
                );
            }
        }
    }
    Ok(())
}

/// `units · net · parts − amount · 10^22`, without ever holding a product that large.
fn shortfall(units: u64, net: u64, parts: u16, amount: u64) -> Option<u128> {
    let parts = u128::from(parts);
    let scaled = u128::from(units).checked_mul(u128::from(net))?;
    let (earned, rest) = (scaled.checked_div(UNITS.into())?, scaled.checked_rem(UNITS.into())?);
    let paid = u128::from(amount).checked_mul(BASIS_POINTS.into())?;
    let of_owner = earned.checked_mul(parts)?.checked_sub(paid)?.checked_mul(UNITS.into())?;
    of_owner.checked_add(rest.checked_mul(parts)?)
}

/// A net of each epoch of a right; the last one goes on. Reads O(log payments) rows for each.
/// Implements [LED-REV-8] and [LED-REV-14].
pub fn epoch_nets<P, R: AccountRows, E>(
    account: &Account,
    rows: &R,
    epochs: &[Epoch<P>],
    net: Net,
) -> Divided<Vec<u64>, R, E> {
    Nets::new(account, rows, net).of_epochs(epochs)
}

/// What a payment of `net` brings each owner if it is recorded now: each line's entitlement after
/// it less that before it. Zero lines are left out; in order of claim and owner.
///
/// `account` and `rows` are as before the payment; `current` gives the current epoch of a right.
/// Implements [LED-REV-11].
pub fn payment_lines<A: Clone, P: Clone, R: AccountRows, E>(
    account: &Account,
    rows: &R,
    claims: &[Claim<A>],
    mut current: impl FnMut(&A, Right) -> Result<Epoch<P>, E>,
    net: u64,
) -> Divided<Vec<PaymentLine<A, P>>, R, E> {
    let total = account.net_after_refunds()?;
    let mut nets = Nets::new(account, rows, Net::Remaining);
    let mut lines = Vec::new();
    for Claim { asset, right, units } in claims {
        let epoch = current(asset, *right).map_err(EntitlementError::Epochs)?;
        check_parts(&epoch)?;
        let start = nets.before(epoch.start_seq)?;
        let before = total.checked_sub(start).ok_or(EntitlementError::Overflow)?;
        let after = before.checked_add(net).ok_or(EntitlementError::Overflow)?;
        let earned = |net| attribution::earned(*units, net).ok_or(EntitlementError::Overflow);
        let (earned_before, earned_after) = (earned(before)?, earned(after)?);
        if earned_before == earned_after {
            continue;
        }
        for (party, parts) in epoch.owners {
            let share = |earned| attribution::owner_share(earned, parts);
            let amount = share(earned_before)
                .zip(share(earned_after))
                .and_then(|(before, after)| after.checked_sub(before))
                .ok_or(EntitlementError::Overflow)?;
            if amount > 0 {
                lines.push(PaymentLine { asset: asset.clone(), right: *right, party, amount });
            }
        }
    }
    Ok(lines)
}

/// The net of spans of an account. Many rights change hands together, so what was computed for
/// one start is kept for the others.
struct Nets<'a, R> {
    account: &'a Account,
    rows: &'a R,
    net: Net,
    before: BTreeMap<u64, u64>,
    /// When the first payment was recorded, once that has been read.
    first_payment: Option<u64>,
}

impl<'a, R: AccountRows> Nets<'a, R> {
    fn new(account: &'a Account, rows: &'a R, net: Net) -> Self {
        Nets { account, rows, net, before: BTreeMap::new(), first_payment: None }
    }

    fn first_payment(&mut self) -> Result<u64, AccountError<R::Error>> {
        let first = match self.first_payment {
            Some(first) => first,
            None => self.account.first_seq(self.rows)?,
        };
        self.first_payment = Some(first);
        Ok(first)
    }

    /// The net of the payments recorded before `seq`.
    fn before(&mut self, seq: u64) -> Result<u64, AccountError<R::Error>> {
        if let Some(net) = self.before.get(&seq) {
            return Ok(*net);
        }
        if seq <= self.first_payment()? {
            return Ok(0);
        }
        let net = self.account.net_before(self.rows, self.net, seq)?;
        self.before.insert(seq, net);
        Ok(net)
    }

    /// The net of each epoch; the last one goes on.
    fn of_epochs<P, E>(&mut self, epochs: &[Epoch<P>]) -> Divided<Vec<u64>, R, E> {
        let first = epochs.first().ok_or(EntitlementError::EpochOrder)?;
        if self.first_payment()? < first.start_seq {
            return Err(EntitlementError::PaymentBeforeOwners);
        }
        let mut nets = Vec::with_capacity(epochs.len());
        let mut start_net = 0;
        for (at, epoch) in epochs.iter().enumerate() {
            check_parts(epoch)?;
            let next = at.checked_add(1).and_then(|next| epochs.get(next));
            let end_net = match next {
                Some(next) if next.start_seq <= epoch.start_seq => {
                    return Err(EntitlementError::EpochOrder);
                }
                Some(next) => self.before(next.start_seq)?,
                None => self.account.total(self.rows, self.net)?,
            };
            nets.push(end_net.checked_sub(start_net).ok_or(EntitlementError::Overflow)?);
            start_net = end_net;
        }
        Ok(nets)
    }
}

fn check_whole<A, R, E>(claims: &[Claim<A>]) -> Result<(), EntitlementError<R, E>> {
    let units = claims.iter().fold(0u128, |sum, claim| sum.saturating_add(claim.units.into()));
    if units == u128::from(UNITS) { Ok(()) } else { Err(EntitlementError::Units(units)) }
}

fn check_parts<P, R, E>(epoch: &Epoch<P>) -> Result<(), EntitlementError<R, E>> {
    let parts =
        epoch.owners.iter().fold(0u64, |sum, (_, parts)| sum.saturating_add(u64::from(*parts)));
    if parts == BASIS_POINTS { Ok(()) } else { Err(EntitlementError::Parts(parts)) }
}
