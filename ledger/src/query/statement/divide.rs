//! An account divided: the lines of each epoch, and what each owner has of each claim.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Sums;
use super::book::{Book, add};
use crate::account::{self, Account, Epoch, MemoryRows, Net};
use crate::attribution::{self, Claim};
use crate::cut::Claimed;
use crate::hash::{AccountId, AssetId, DisputeId};
use crate::hold;
use crate::payout::give_back;
use crate::query::shares::prefetch_rights;
use crate::query::{Budget, MAX_ROWS, QueryError, recorded, shown};
use crate::reject::Fault;
use crate::split::Right;
use crate::state::record::{AccountRecord, ClosingLine, CutRecord, Hold, Kept, LineRecord, Run};
use crate::state::{Key, Records, View};
use crate::text::Handle;

/// What one owner is entitled to for one ownership epoch of one right, before payouts and before
/// what rulings cut out of it: `entitled = held + frozen + payable`.
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

/// What rulings cut out of a claim and gave to somebody. Implements [LED-DSP-7].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutShown {
    /// The dispute whose ruling gave it to the holder, or took it from him again.
    pub dispute: DisputeId,
    /// The asset.
    pub asset: AssetId,
    /// `handle/name`.
    pub name: String,
    /// The right over it.
    pub right: Right,
    /// Whose parts they were.
    pub owner: Handle,
    /// How many, in which epochs.
    pub runs: Vec<Run>,
    /// Minor units that they earned: of all payments, less refunds.
    pub earned: u64,
    /// What of it stays with those who were paid it before the ruling.
    pub kept: Vec<Kept>,
    /// Who has the rest.
    pub holder: Handle,
    /// The rest.
    pub amount: u64,
}

/// An account divided.
#[derive(Default)]
pub(in crate::query) struct Division {
    /// The lines of the epochs, in order of claim, epoch and owner.
    pub lines: Vec<AssetLine>,
    /// What each has of each claim, in order of claim and owner.
    pub balances: Vec<Balance>,
    /// What rulings cut out, in order of claim.
    pub cuts: Vec<CutShown>,
}

impl Division {
    /// Leaves only what concerns some.
    pub(in crate::query) fn retain(&mut self, is_one: impl Fn(&Handle) -> bool) {
        self.lines.retain(|line| is_one(&line.party));
        self.balances.retain(|balance| is_one(&balance.party));
        let concerns = |a: &CutShown| {
            let kept = a.kept.iter().map(|kept| &kept.member);
            kept.chain([&a.owner, &a.holder]).any(&is_one)
        };
        self.cuts.retain(concerns);
    }
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

/// Some claims of an account: entitled over all payments, held of those whose delivery is not
/// confirmed.
pub(super) fn divide<V: View>(
    view: &V,
    asked: &Asked<'_>,
    book: &Book,
    claims: &[Claim<AssetId>],
) -> Result<Division, QueryError> {
    let epochs = epochs(view, claims)?;
    announce(view, asked, &epochs)?;
    let closing = closing(view, asked)?;
    let mut division = Division::default();
    for claim in claims {
        let epochs = epochs.get(&(claim.asset, claim.right));
        let epochs = epochs.ok_or_else(|| Fault("the epochs of a claim were not read".into()))?;
        let (asset, right) = (claim.asset, claim.right);
        let cuts: Vec<CutRecord> =
            view.get(&Key::Cuts(*asked.account, asset, right))?.unwrap_or_default();
        let holds = hold::in_force(view, &asset, right, asked.now_ms)?;
        let name = shown(&recorded(view, &asset)?);
        let earned = |book| earned(claim.units, &nets(book, epochs)?);
        let (all, confirmed) = (earned(&book.all)?, earned(&book.confirmed)?);
        let own = OfClaim {
            claim,
            name: &name,
            epochs,
            cuts: &cuts,
            holds: &holds,
            now_ms: asked.now_ms,
            closing: closing.iter().filter(|c| (c.asset, c.right) == (asset, right)).collect(),
        };
        let lines = own.lines((&all, &confirmed))?;
        own.balances(view, asked.account, &lines, (&all, &confirmed), &mut division.balances)?;
        own.cuts(&all, &mut division.cuts)?;
        division.lines.extend(lines);
    }
    Ok(division)
}

/// What a claim of so many units has earned of the net of each epoch.
fn earned(units: u64, nets: &[u64]) -> Result<Vec<u64>, Fault> {
    let earned = nets.iter().map(|net| attribution::earned(units, *net)).collect();
    Option::ok_or_else(earned, || Fault("a claim of an account overflows".into()))
}

/// One claim of an account.
struct OfClaim<'a> {
    claim: &'a Claim<AssetId>,
    name: &'a str,
    epochs: &'a [Epoch<Handle>],
    cuts: &'a [CutRecord],
    holds: &'a [Hold],
    /// Block time, milliseconds since 1970.
    now_ms: u64,
    /// Its lines that got a minor unit when the account was closed.
    closing: Vec<&'a ClosingLine>,
}

impl OfClaim<'_> {
    fn claimed<'a>(&'a self, earned: &'a [u64]) -> Claimed<'a> {
        Claimed { epochs: self.epochs, cuts: self.cuts, earned }
    }

    /// A line for each owner of each epoch: of what the claim has earned in it, and of what of that
    /// is confirmed.
    fn lines(&self, (all, confirmed): (&[u64], &[u64])) -> Result<Vec<AssetLine>, Fault> {
        let mut lines = Vec::new();
        let earned = all.iter().zip(confirmed);
        for (at, (epoch, (all, confirmed))) in (0u32..).zip(self.epochs.iter().zip(earned)) {
            for (party, parts) in &epoch.owners {
                let mut line = self.line((at, party, *parts), (*all, *confirmed))?;
                let own = |c: &&&ClosingLine| c.epoch == at && c.owner == *party;
                let more = self.closing.iter().filter(own).count() as u64;
                add(&mut line.entitled, more)?;
                add(&mut line.payable, more)?;
                lines.push(line);
            }
        }
        Ok(lines)
    }

    /// One line before the account was closed.
    fn line(
        &self,
        (epoch, party, parts): (u32, &Handle, u16),
        (all, confirmed): (u64, u64),
    ) -> Result<AssetLine, Fault> {
        let share = |earned, parts| {
            let share = attribution::owner_share(earned, parts);
            share.ok_or_else(|| Fault("a line of an account overflows".into()))
        };
        let held = hold::parts_in(self.holds, party, epoch).min(parts.into());
        let free_parts = parts.saturating_sub(u16::try_from(held).unwrap_or(u16::MAX));
        let (entitled, free) = (share(all, parts)?, share(confirmed, parts)?);
        let payable = share(confirmed, free_parts)?;
        Ok(AssetLine {
            asset: self.claim.asset,
            name: self.name.to_owned(),
            right: self.claim.right,
            epoch: epoch.into(),
            party: party.clone(),
            parts,
            units: self.claim.units,
            entitled,
            held: less(entitled, free)?,
            frozen: less(free, payable)?,
            payable,
        })
    }

    /// What each has of the claim, with what rulings moved and without what was paid.
    fn balances<V: View>(
        &self,
        view: &V,
        account: &AccountId,
        lines: &[AssetLine],
        (all, confirmed): (&[u64], &[u64]),
        balances: &mut Vec<Balance>,
    ) -> Result<(), Fault> {
        let overflow = |_| Fault("a balance overflows".into());
        let (asset, right) = (self.claim.asset, self.claim.right);
        let (all, confirmed) = (self.claimed(all), self.claimed(confirmed));
        for party in all.members() {
            let mut entitled = 0;
            for line in lines.iter().filter(|line| line.party == *party) {
                add(&mut entitled, line.entitled)?;
            }
            let (has, due) = (all.line(party)?, confirmed.line(party)?);
            let free = confirmed.free(party, self.holds)?;
            let given = self.closing.iter().filter(|c| c.owner == *party).count() as u64;
            let key = Key::PaidLine(*account, asset, right, party.clone());
            let record: LineRecord = view.get(&key)?.unwrap_or_default();
            let unpaid = record.left_of(due.saturating_add(given));
            let held = less(due, free)?.saturating_add(record.reversed_at(self.now_ms));
            let frozen = unpaid.max(0).min(held.into());
            let adjusted = i128::from(has).saturating_add(given.into());
            let adjusted = adjusted.saturating_sub(entitled.into());
            let small = |amount: i128| u64::try_from(amount.max(0)).map_err(overflow);
            balances.push(Balance {
                asset,
                name: self.name.to_owned(),
                right,
                party: party.clone(),
                entitled,
                adjusted: i64::try_from(adjusted).map_err(overflow)?,
                set_off: i64::try_from(record.set_off()).map_err(overflow)?,
                held: less(has, due)?,
                frozen: small(frozen)?,
                paid: record.paid,
                payable: small(unpaid.saturating_sub(frozen))?,
                overpaid: small(unpaid.saturating_neg())?,
            });
        }
        Ok(())
    }

    fn cuts(&self, all: &[u64], cuts: &mut Vec<CutShown>) -> Result<(), Fault> {
        let all = self.claimed(all);
        for cut in self.cuts {
            let (kept, amount) = all.divided(cut)?;
            let members = cut.kept.iter().map(|kept| kept.member.clone());
            let kept = members.zip(kept).map(|(member, amount)| Kept { member, amount });
            cuts.push(CutShown {
                dispute: cut.dispute,
                asset: self.claim.asset,
                name: self.name.to_owned(),
                right: self.claim.right,
                owner: cut.owner.clone(),
                runs: cut.runs.clone(),
                earned: all.earned_by(cut)?,
                kept: kept.collect(),
                holder: cut.holder.clone(),
                amount,
            });
        }
        Ok(())
    }
}

fn less(a: u64, b: u64) -> Result<u64, Fault> {
    a.checked_sub(b).ok_or_else(|| Fault("more is payable than entitled".into()))
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
    account::epoch_nets::<_, _, Fault>(account, rows, epochs, Net::Remaining)
        .map_err(|e| Fault(format!("an account cannot be divided: {e}")))
}

/// The lines that got a minor unit when the account was closed, in order.
fn closing<V: View>(view: &V, asked: &Asked<'_>) -> Result<Vec<ClosingLine>, Fault> {
    if !asked.record.closed {
        return Ok(Vec::new());
    }
    Ok(view.get(&Key::Closing(*asked.account))?.unwrap_or_default())
}

type Epochs = BTreeMap<(AssetId, Right), Vec<Epoch<Handle>>>;

/// Announces what was paid, moved and held of the rights whose epochs these are.
fn announce<V: View>(view: &V, asked: &Asked<'_>, epochs: &Epochs) -> Result<(), Fault> {
    let mut keys = Vec::new();
    for ((asset, right), epochs) in epochs {
        let owners: BTreeSet<&Handle> =
            epochs.iter().flat_map(|epoch| epoch.owners.iter().map(|o| &o.0)).collect();
        keys.push(Key::Holds(*asset, *right));
        keys.push(Key::Cuts(*asked.account, *asset, *right));
        let line = |owner: &Handle| Key::PaidLine(*asked.account, *asset, *right, owner.clone());
        keys.extend(owners.into_iter().map(line));
    }
    view.prefetch(&keys)
}

/// All epochs of the rights that claims are for.
fn epochs<V: View>(view: &V, claims: &[Claim<AssetId>]) -> Result<Epochs, QueryError> {
    let of = |c: &Claim<AssetId>| {
        [Key::Asset(c.asset), Key::Right(c.asset, c.right), Key::Returns(c.asset, c.right)]
    };
    view.prefetch(&claims.iter().flat_map(of).collect::<Vec<_>>())?;
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
        give_back(view, &claim.asset, claim.right, &mut of_right)?;
        epochs.insert((claim.asset, claim.right), of_right);
    }
    Ok(epochs)
}
