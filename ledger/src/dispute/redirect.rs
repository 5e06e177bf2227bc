//! Redirected shares: a new ownership epoch, and lines of earlier money that go over with it.
//! Nothing is rewritten; undoing is another epoch and other lines. Implements [LED-DSP-4].

use std::collections::{BTreeMap, BTreeSet};

use super::reject;
use crate::asset;
use crate::event::dispute::{Adjustment, Redirect, Slice};
use crate::event::rights::Owner;
use crate::execute::Act;
use crate::hash::AccountId;
use crate::limits::MAX_OWNERS;
use crate::payout::{self, EPOCH_WEIGHT};
use crate::reject::{Code, Missing, Refusal, Reject};
use crate::rights::begin_epoch;
use crate::state::record::{AccountRecord, AssetRecord, LineRecord, RightRecord};
use crate::state::{Key, Records, View};
use crate::text::Handle;

/// Weight of moving one line of money.
const ADJUSTMENT_WEIGHT: u64 = 30;
/// Weight that giving back leaves for what else a ruling does.
const RESERVED_WEIGHT: u64 = 1_000;

/// Undoes the redirect of a first ruling and makes that of this one, in one new epoch.
pub(super) fn replace(
    act: &mut Act<'_>,
    slice: &Slice,
    first: Option<&Redirect>,
    now: Option<&Redirect>,
) -> Result<(), Refusal> {
    let mut ownership = Ownership::read(act, slice)?;
    if let Some(first) = first {
        let left = ownership.parts(&first.to);
        ownership.give(&first.to, &slice.owner, slice.parts.min(left));
        give_back(act, slice, ownership.head.epoch, first)?;
    }
    if let Some(redirect) = now {
        check(act, slice, redirect)?;
        let owned = ownership.parts(&slice.owner);
        if owned < slice.parts {
            let text = format!("{} of the {owned} parts that {} owns", slice.parts, slice.owner);
            return reject(Code::SubjectInvalid, text);
        }
        ownership.give(&slice.owner, &redirect.to, slice.parts);
        for adjustment in &redirect.adjustments {
            adjust(act, slice, &redirect.to, adjustment)?;
        }
    }
    ownership.begin(act, slice)
}

/// The owners of a right while a ruling moves parts between them.
struct Ownership {
    asset: AssetRecord,
    head: RightRecord,
    before: BTreeMap<Handle, u16>,
    owners: BTreeMap<Handle, u16>,
}

impl Ownership {
    fn read(act: &Act<'_>, slice: &Slice) -> Result<Self, Refusal> {
        let asset = asset::named(act, &slice.asset)?;
        let head = act.state.right(&slice.asset, &asset, slice.right)?;
        let epoch = act.state.epoch(&slice.asset, &asset, slice.right, head.epoch)?;
        let owners: BTreeMap<_, _> =
            epoch.owners.into_iter().map(|o| (o.member, o.parts)).collect();
        Ok(Ownership { asset, head, before: owners.clone(), owners })
    }

    fn parts(&self, owner: &Handle) -> u16 {
        self.owners.get(owner).copied().unwrap_or(0)
    }

    /// Moves parts that the first owner has. Whoever is left with none acts for the right no
    /// more; who got them does.
    fn give(&mut self, from: &Handle, to: &Handle, parts: u16) {
        if parts == 0 {
            return;
        }
        let left = self.parts(from).saturating_sub(parts);
        self.owners.insert(from.clone(), left);
        let got = self.parts(to).saturating_add(parts);
        self.owners.insert(to.clone(), got);
        self.owners.retain(|_, parts| *parts > 0);
        if !self.owners.contains_key(&self.head.manager) {
            self.head.manager = to.clone();
        }
    }

    /// Begins the epoch, if anything has moved.
    fn begin(self, act: &mut Act<'_>, slice: &Slice) -> Result<(), Refusal> {
        if self.owners == self.before {
            return Ok(());
        }
        if self.owners.len() > MAX_OWNERS {
            let text = format!("the right would have more than {MAX_OWNERS} owners");
            return reject(Code::RulingDoesNotFit, text);
        }
        let owners = self.owners.into_iter().map(|(member, parts)| Owner { member, parts });
        begin_epoch(act, (&slice.asset, &self.asset), slice.right, self.head, owners.collect())
    }
}

/// What must hold of a redirect itself: another member gets the slice, who has nothing to do with
/// the arbiter, and every line is of the right and of an account of its own.
fn check(act: &Act<'_>, slice: &Slice, redirect: &Redirect) -> Result<(), Refusal> {
    act.named_member(&redirect.to)?;
    if redirect.to == slice.owner {
        return reject(Code::RulingDoesNotFit, format!("{} has the slice already", redirect.to));
    }
    if act.related(act.author, &redirect.to)? {
        let text = format!("{} is, or belongs with, {}", act.author, redirect.to);
        return reject(Code::ArbiterIsParty, text);
    }
    let accounts: BTreeSet<_> = redirect.adjustments.iter().map(|a| a.account).collect();
    let claims = redirect.adjustments.iter().map(|a| &a.claim);
    let elsewhere = claims.filter(|c| c.asset != slice.asset || c.right != slice.right).count();
    if accounts.len() != redirect.adjustments.len() || elsewhere > 0 {
        let text = "an adjustment is not of the disputed right, or names an account again";
        return reject(Code::RulingDoesNotFit, text);
    }
    Ok(())
}

fn account(act: &Act<'_>, id: &AccountId) -> Result<AccountRecord, Refusal> {
    Ok(act.state.account(id)?.ok_or_else(|| {
        let text = format!("account {id} is not recorded");
        Reject::missing(Code::UnknownAccount, Missing::Account(*id), text)
    })?)
}

/// Moves a line of money from the owner of the slice to whom it was redirected.
fn adjust(
    act: &mut Act<'_>,
    slice: &Slice,
    to: &Handle,
    adjustment: &Adjustment,
) -> Result<(), Refusal> {
    act.weigh(ADJUSTMENT_WEIGHT)?;
    let paid = account(act, &adjustment.account)?;
    if paid.closed {
        let product = asset::called(act.state, &paid.product)?;
        let text = format!("{} has closed the account of {product}", paid.exchange);
        return reject(Code::AccountClosed, text);
    }
    if adjustment.amount == 0 {
        return reject(Code::AmountOutOfRange, "an adjustment of nothing");
    }
    let unpaid = payout::unpaid(act, &adjustment.account, &adjustment.claim, &slice.owner)?;
    if adjustment.amount > unpaid {
        let text = format!("{} moved, {unpaid} are due to {}", adjustment.amount, slice.owner);
        return reject(Code::AdjustmentAboveUnpaid, text);
    }
    let amount = adjustment.amount;
    let (account, owner) = (adjustment.account, &slice.owner);
    line(act, slice, account, owner, |l| l.adjusted_out = l.adjusted_out.saturating_add(amount))?;
    line(act, slice, account, to, |l| l.adjusted_in = l.adjusted_in.saturating_add(amount))
}

/// Moves back what a first ruling moved, as far as it was not paid out since and the account is
/// open.
fn give_back(
    act: &mut Act<'_>,
    slice: &Slice,
    epochs: u32,
    first: &Redirect,
) -> Result<(), Refusal> {
    for a in &first.adjustments {
        act.weigh(ADJUSTMENT_WEIGHT)?;
        if account(act, &a.account)?.closed {
            continue;
        }
        let back = unspent(act, slice, epochs, (a, &first.to))?;
        let (owner, to) = (&slice.owner, &first.to);
        line(act, slice, a.account, owner, |l| {
            l.adjusted_out = l.adjusted_out.saturating_sub(back)
        })?;
        line(act, slice, a.account, to, |l| l.adjusted_in = l.adjusted_in.saturating_sub(back))?;
    }
    Ok(())
}

/// How much of what an adjustment moved was not paid out since. What the line itself has earned
/// serves too, unless that is not known already and the event has no weight left to compute it.
fn unspent(
    act: &mut Act<'_>,
    slice: &Slice,
    epochs: u32,
    (a, to): (&Adjustment, &Handle),
) -> Result<u64, Refusal> {
    let key = Key::PaidLine(a.account, slice.asset, slice.right, to.clone());
    let l: LineRecord = act.state.get(&key)?.unwrap_or_default();
    let moved = u64::try_from(l.left_of(0).max(0)).unwrap_or(u64::MAX);
    let walk = u64::from(epochs).saturating_add(1).saturating_mul(EPOCH_WEIGHT);
    if moved >= a.amount || act.weight_left() < walk.saturating_add(RESERVED_WEIGHT) {
        return Ok(moved.min(a.amount));
    }
    Ok(payout::unpaid(act, &a.account, &a.claim, to)?.min(a.amount))
}

/// Changes what rulings moved on an owner's line of the disputed right.
fn line(
    act: &mut Act<'_>,
    slice: &Slice,
    account: AccountId,
    owner: &Handle,
    change: impl FnOnce(&mut LineRecord),
) -> Result<(), Refusal> {
    let key = Key::PaidLine(account, slice.asset, slice.right, owner.clone());
    let mut record: LineRecord = act.state.get(&key)?.unwrap_or_default();
    change(&mut record);
    Ok(act.state.put(&key, &record)?)
}
