//! An account divided: the lines of each epoch, and what each owner has of each claim.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Sums;
use super::book::{Book, add};
use crate::account::{self, Account, Epoch, MemoryRows};
use crate::attribution::{self, Claim};
use crate::hash::{AccountId, AssetId};
use crate::hold::held_parts;
use crate::query::shares::prefetch_rights;
use crate::query::{Budget, MAX_ROWS, QueryError, recorded, shown};
use crate::reject::Fault;
use crate::split::Right;
use crate::state::record::{AccountRecord, ClosingLine, LineRecord};
use crate::state::{Key, Records, View};
use crate::text::Handle;

/// What one owner is entitled to for one ownership epoch of one right, before payouts:
/// `entitled = held + frozen + payable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetLine {
    /// The asset.
    pub asset: AssetId,
    /// `handle/name`.
    pub name: String,
    /// The right over it.
    pub right: Right,
    /// The ownership epoch, from 0.
    pub epoch: u64,
    /// The owner.
    pub party: Handle,
    /// Its parts of 10 000.
    pub parts: u16,
    /// Units of 10^18 that the right is due.
    pub units: u64,
    /// Minor units, rounded down; with the minor unit that closing the account may have added.
    pub entitled: u64,
    /// Of it, what waits for a delivery to be confirmed or is ordered to be given back.
    pub held: u64,
    /// Of it, what a dispute holds.
    pub frozen: u64,
    /// Of it, what is payable, whether or not it was paid out.
    pub payable: u64,
}

/// What one owner has of one claim over all epochs: `entitled + adjusted + set_off + overpaid =
/// held + frozen + paid + payable`. Implements [LED-MNY-6].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// The asset.
    pub asset: AssetId,
    /// `handle/name`.
    pub name: String,
    /// The right over it.
    pub right: Right,
    /// The owner.
    pub party: Handle,
    /// Minor units earned: of all payments, less refunds.
    pub entitled: u64,
    /// What rulings moved here, less what they moved away.
    pub adjusted: i64,
    /// What was set off with what was overpaid here, less what was set off away from here.
    pub set_off: i64,
    /// Of it, what waits for a delivery to be confirmed or is ordered to be given back.
    pub held: u64,
    /// Of it, what a dispute holds.
    pub frozen: u64,
    /// Of it, what was paid out.
    pub paid: u64,
    /// Of it, what can be paid out now.
    pub payable: u64,
    /// What was paid out beyond it; it is netted from later earnings, or set off.
    pub overpaid: u64,
}

impl Balance {
    pub(super) fn sums(&self) -> Sums {
        let Balance { entitled, adjusted, set_off, held, frozen, paid, payable, overpaid, .. } =
            *self;
        Sums { entitled, adjusted, set_off, held, frozen, paid, payable, overpaid }
    }
}

/// The account that is asked about, and when.
pub(super) struct Asked<'a> {
    pub(super) account: &'a AccountId,
    pub(super) record: &'a AccountRecord,
    /// Block time, milliseconds since 1970.
    pub(super) now_ms: u64,
}

/// The lines of some claims of an account: entitled over all payments, held of those whose
/// delivery is not confirmed. And what each owner has of each claim.
pub(super) fn divide<V: View>(
    view: &V,
    asked: &Asked<'_>,
    book: &Book,
    claims: &[Claim<AssetId>],
) -> Result<(Vec<AssetLine>, Vec<Balance>), QueryError> {
    let epochs = epochs(view, claims)?;
    announce(view, asked, &epochs)?;
    let closing = closing(view, asked)?;
    let mut lines = Vec::new();
    for claim in claims {
        let epochs = epochs.get(&(claim.asset, claim.right));
        let epochs = epochs.ok_or_else(|| Fault("the epochs of a claim were not read".into()))?;
        let (all, confirmed) = (nets(&book.all, epochs)?, nets(&book.confirmed, epochs)?);
        let name = shown(&recorded(view, &claim.asset)?);
        for (at, (epoch, nets)) in (0u32..).zip(epochs.iter().zip(all.into_iter().zip(confirmed))) {
            for (party, parts) in &epoch.owners {
                let owner = (at, party, *parts);
                let mut line = line(view, asked.now_ms, (claim, &name), owner, nets)?;
                let (asset, right, owner) = (claim.asset, claim.right, party.clone());
                let closed = ClosingLine { asset, right, epoch: at, owner };
                let more = u64::from(closing.binary_search(&closed).is_ok());
                add(&mut line.entitled, more)?;
                add(&mut line.payable, more)?;
                lines.push(line);
            }
        }
    }
    let balances = balances(view, asked.account, &lines)?;
    Ok((lines, balances))
}

/// What was paid in during one ownership epoch, less refunds. Minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) struct EpochNet {
    /// Of all payments.
    pub all: u64,
    /// Of those whose delivery is confirmed, less what is ordered to be given back.
    pub confirmed: u64,
}

/// The net of each ownership epoch of a claim's right.
pub(super) fn epoch_nets<V: View>(
    view: &V,
    book: &Book,
    claim: &Claim<AssetId>,
) -> Result<Vec<EpochNet>, QueryError> {
    let epochs = epochs(view, std::slice::from_ref(claim))?.into_values().flatten();
    let epochs: Vec<Epoch<Handle>> = epochs.collect();
    let (all, confirmed) = (nets(&book.all, &epochs)?, nets(&book.confirmed, &epochs)?);
    Ok(all.into_iter().zip(confirmed).map(|(all, confirmed)| EpochNet { all, confirmed }).collect())
}

/// The net of each epoch.
fn nets(
    (account, rows): &(Account, MemoryRows),
    epochs: &[Epoch<Handle>],
) -> Result<Vec<u64>, Fault> {
    account::epoch_nets::<_, _, Fault>(account, rows, epochs)
        .map_err(|e| Fault(format!("an account cannot be divided: {e}")))
}

/// One line before the account was closed: of the net of its epoch, and of the confirmed net.
fn line<V: View>(
    view: &V,
    now_ms: u64,
    (claim, name): (&Claim<AssetId>, &str),
    (epoch, party, parts): (u32, &Handle, u16),
    (all, confirmed): (u64, u64),
) -> Result<AssetLine, Fault> {
    let share = |net, parts| {
        let earned = attribution::earned(claim.units, net);
        let share = earned.and_then(|earned| attribution::owner_share(earned, parts));
        share.ok_or_else(|| Fault("a line of an account overflows".into()))
    };
    let held_parts = held_parts(view, &claim.asset, claim.right, party, now_ms)?;
    let (entitled, free) = (share(all, parts)?, share(confirmed, parts)?);
    let payable = share(confirmed, parts.saturating_sub(held_parts))?;
    let less =
        |a: u64, b| a.checked_sub(b).ok_or_else(|| Fault("more is payable than entitled".into()));
    Ok(AssetLine {
        asset: claim.asset,
        name: name.to_owned(),
        right: claim.right,
        epoch: epoch.into(),
        party: party.clone(),
        parts,
        units: claim.units,
        entitled,
        held: less(entitled, free)?,
        frozen: less(free, payable)?,
        payable,
    })
}

/// The lines that got a minor unit when the account was closed, in order.
fn closing<V: View>(view: &V, asked: &Asked<'_>) -> Result<Vec<ClosingLine>, Fault> {
    if !asked.record.closed {
        return Ok(Vec::new());
    }
    Ok(view.get(&Key::Closing(*asked.account))?.unwrap_or_default())
}

/// Adds up the lines of each owner of each claim, and takes off what was paid and moved.
fn balances<V: View>(
    view: &V,
    account: &AccountId,
    lines: &[AssetLine],
) -> Result<Vec<Balance>, Fault> {
    let mut balances: BTreeMap<(AssetId, Right, &Handle), Balance> = BTreeMap::new();
    for line in lines {
        let key = (line.asset, line.right, &line.party);
        let balance = balances.entry(key).or_insert_with(|| Balance {
            asset: line.asset,
            name: line.name.clone(),
            right: line.right,
            party: line.party.clone(),
            entitled: 0,
            adjusted: 0,
            set_off: 0,
            held: 0,
            frozen: 0,
            paid: 0,
            payable: 0,
            overpaid: 0,
        });
        add(&mut balance.entitled, line.entitled)?;
        add(&mut balance.held, line.held)?;
        add(&mut balance.frozen, line.frozen)?;
        add(&mut balance.payable, line.payable)?;
    }
    for ((asset, right, party), balance) in &mut balances {
        let key = Key::PaidLine(*account, *asset, *right, (*party).clone());
        let record: LineRecord = view.get(&key)?.unwrap_or_default();
        let confirmed = balance.payable.saturating_add(balance.frozen);
        let unpaid = record.left_of(confirmed);
        let frozen = unpaid.max(0).min(balance.frozen.into());
        let overflow = |_| Fault("a balance overflows".into());
        let small = |amount: i128| u64::try_from(amount.max(0)).map_err(overflow);
        balance.adjusted = i64::try_from(record.adjusted()).map_err(overflow)?;
        balance.set_off = i64::try_from(record.set_off()).map_err(overflow)?;
        balance.paid = record.paid;
        balance.frozen = small(frozen)?;
        balance.payable = small(unpaid.saturating_sub(frozen))?;
        balance.overpaid = small(unpaid.saturating_neg())?;
    }
    Ok(balances.into_values().collect())
}

type Epochs = BTreeMap<(AssetId, Right), Vec<Epoch<Handle>>>;

/// Announces what was paid, moved and held of the rights whose epochs these are.
fn announce<V: View>(view: &V, asked: &Asked<'_>, epochs: &Epochs) -> Result<(), Fault> {
    let mut keys = Vec::new();
    for ((asset, right), epochs) in epochs {
        let owners: BTreeSet<&Handle> =
            epochs.iter().flat_map(|epoch| epoch.owners.iter().map(|o| &o.0)).collect();
        keys.push(Key::Holds(*asset, *right));
        let line = |owner: &Handle| Key::PaidLine(*asked.account, *asset, *right, owner.clone());
        keys.extend(owners.into_iter().map(line));
    }
    view.prefetch(&keys)
}

/// All epochs of the rights that claims are for.
fn epochs<V: View>(view: &V, claims: &[Claim<AssetId>]) -> Result<Epochs, QueryError> {
    prefetch_rights(view, claims)?;
    let mut budget = Budget::new("lines", MAX_ROWS);
    let mut current = Vec::with_capacity(claims.len());
    let mut keys = Vec::new();
    for claim in claims {
        let asset = recorded(view, &claim.asset)?;
        let epoch = view.right(&claim.asset, &asset, claim.right)?.epoch;
        budget.take(usize::try_from(epoch).unwrap_or(usize::MAX))?;
        keys.extend((1..=epoch).map(|n| Key::Epoch(claim.asset, claim.right, n)));
        current.push((claim, asset, epoch));
    }
    view.prefetch(&keys)?;
    let mut epochs = Epochs::new();
    for (claim, asset, last) in current {
        let mut of_right = Vec::new();
        for n in 0..=last {
            let epoch = view.epoch(&claim.asset, &asset, claim.right, n)?;
            budget.take(epoch.owners.len())?;
            let owners = epoch.owners.into_iter().map(|o| (o.member, o.parts)).collect();
            of_right.push(Epoch { start_seq: epoch.start_seq, owners });
        }
        epochs.insert((claim.asset, claim.right), of_right);
    }
    Ok(epochs)
}
