//! Redirected shares: a new ownership epoch, and cuts of earlier money that go over with it.
//! Nothing is rewritten: undoing gives back the cuts and begins another epoch.
//! Implements [LED-DSP-4], [LED-DSP-5] and [LED-DSP-7].

use std::collections::{BTreeMap, BTreeSet};

use super::reject;
use super::ruling::redirect_of;
use crate::account::{Epoch, Net};
use crate::asset;
use crate::cut::{self, Award, Claimed};
use crate::event::dispute::{Adjustment, Redirect, Slice};
use crate::event::rights::Owner;
use crate::execute::Act;
use crate::hash::{AccountId, DisputeId};
use crate::limits::{MAX_EPOCHS, MAX_OWNERS};
use crate::payment::{named_account, require_open};
use crate::payout::{self, CUT_WEIGHT, EPOCH_WEIGHT};
use crate::reject::{Code, Fault, Refusal};
use crate::rights::begin_epoch;
use crate::state::record::{
    AssetRecord, Awarded, CutRecord, Hold, LineRecord, Records, Return, RightRecord, RulingRecord,
    Run,
};
use crate::state::{Key, Relation, View};
use crate::text::Handle;
use crate::{hold, member};

/// Weight of one account of which earlier money goes over, besides that of its epochs and cuts.
const ADJUSTMENT_WEIGHT: u64 = 30;

/// The disputed share.
#[derive(Clone, Copy)]
pub(super) struct Disputed<'a> {
    pub dispute: &'a DisputeId,
    pub slice: &'a Slice,
}

/// Undoes the redirect of a first ruling and makes that of this one, in one new epoch. Gives what
/// of the present parts it gave away.
pub(super) fn replace(
    act: &mut Act<'_>,
    disputed: Disputed<'_>,
    first: Option<&RulingRecord>,
    now: Option<&Redirect>,
) -> Result<Option<Awarded>, Refusal> {
    let mut ownership = Ownership::read(act, disputed)?;
    let mut is_undone = false;
    if let Some(first) = first
        && let Some(redirect) = redirect_of(&first.ruling)
    {
        is_undone = true;
        ownership.undo(act, first, &redirect.to)?;
        for adjustment in &redirect.adjustments {
            give_back(act, disputed, &adjustment.account, &redirect.to)?;
        }
    }
    let mut awarded = None;
    if let Some(redirect) = now {
        check(act, disputed.slice, redirect)?;
        let others = ownership.held_by_others(act)?;
        awarded = ownership.award(redirect, &others)?;
        if awarded.is_some() && !is_undone {
            ownership.require_epochs(act)?;
        }
        if !redirect.adjustments.is_empty() {
            adjust_all(act, disputed, redirect, &others)?;
        }
        remember(act, disputed.slice, &redirect.to)?;
    }
    ownership.begin(act)?;
    Ok(awarded)
}

/// The owners of a right while a ruling moves parts between them.
struct Ownership<'a> {
    disputed: Disputed<'a>,
    asset: AssetRecord,
    head: RightRecord,
    owners: BTreeMap<Handle, u16>,
    is_changed: bool,
}

impl<'a> Ownership<'a> {
    fn read(act: &Act<'_>, disputed: Disputed<'a>) -> Result<Self, Refusal> {
        let slice = disputed.slice;
        let asset = asset::named(act, &slice.asset)?;
        let head = act.state.right(&slice.asset, &asset, slice.right)?;
        let epoch = act.state.epoch(&slice.asset, &asset, slice.right, head.epoch)?;
        let owners = epoch.owners.into_iter().map(|o| (o.member, o.parts)).collect();
        Ok(Ownership { disputed, asset, head, owners, is_changed: false })
    }

    fn parts(&self, owner: &Handle) -> u16 {
        self.owners.get(owner).copied().unwrap_or(0)
    }

    /// The epoch that begins.
    fn next(&self) -> u32 {
        self.head.epoch.saturating_add(1)
    }

    /// Moves parts that the first owner has. When the manager is left with none, who got them acts
    /// for the right.
    fn give(&mut self, from: &Handle, to: &Handle, parts: u16) {
        let left = self.parts(from).saturating_sub(parts);
        self.owners.insert(from.clone(), left);
        let got = self.parts(to).saturating_add(parts);
        self.owners.insert(to.clone(), got);
        self.owners.retain(|_, parts| *parts > 0);
        if !self.owners.contains_key(&self.head.manager) {
            self.head.manager = to.clone();
        }
        self.is_changed = true;
    }

    /// Gives back the present parts that a first ruling gave away, and the part in the right's
    /// management that went with them. They were held since, so that they are there; what they
    /// earned between is the owner's too.
    fn undo(
        &mut self,
        act: &mut Act<'_>,
        first: &RulingRecord,
        from: &Handle,
    ) -> Result<(), Fault> {
        let Some(awarded) = &first.awarded else { return Ok(()) };
        let (slice, dispute) = (self.disputed.slice, *self.disputed.dispute);
        if self.parts(from) < awarded.parts {
            return Err(Fault(format!("{from} has less than what dispute {dispute} held of it")));
        }
        self.give(from, &slice.owner, awarded.parts);
        if let Some(manager) = &awarded.manager_was
            && self.head.manager == *from
        {
            self.head.manager = manager.clone();
        }
        let key = Key::Returns(slice.asset, slice.right);
        let mut returns: Vec<Return> = act.state.get(&key)?.unwrap_or_default();
        let run = Run { first: awarded.since, before: self.next(), parts: awarded.parts };
        let (from, to) = (from.clone(), slice.owner.clone());
        returns.push(Return { from, to, run });
        act.state.put(&key, &returns)
    }

    /// What other disputes hold of the owner.
    fn held_by_others(&self, act: &Act<'_>) -> Result<Vec<Hold>, Fault> {
        let slice = self.disputed.slice;
        let now_ms = act.context.time_ms;
        let mut holds = hold::in_force(act.state, &slice.asset, slice.right, now_ms)?;
        holds.retain(|h| h.owner == slice.owner && h.dispute != *self.disputed.dispute);
        Ok(holds)
    }

    /// Gives away as many parts of the slice as the owner still has.
    fn award(&mut self, redirect: &Redirect, others: &[Hold]) -> Result<Option<Awarded>, Refusal> {
        let slice = self.disputed.slice;
        let owned = self.parts(&slice.owner);
        let parts = slice.parts.min(owned);
        if parts == 0 {
            if redirect.adjustments.is_empty() {
                let text = format!("{} owns nothing of it any more", slice.owner);
                return reject(Code::NothingToRedirect, text);
            }
            return Ok(None);
        }
        let held = hold::parts_of(others, &slice.owner);
        if held.saturating_add(parts.into()) > owned.into() {
            let text = format!(
                "{parts} of the {owned} parts of {}, other disputes hold {held}",
                slice.owner
            );
            return reject(Code::PartsHeld, text);
        }
        let manager = self.head.manager.clone();
        self.give(&slice.owner, &redirect.to, parts);
        let manager_was = (self.head.manager != manager).then_some(manager);
        Ok(Some(Awarded { parts, since: self.next(), manager_was }))
    }

    /// Fails unless the right has an epoch left for this redirect, one to undo it, and one to undo
    /// each of the others that are not final. Implements [LED-RGT-3].
    fn require_epochs(&self, act: &Act<'_>) -> Result<(), Refusal> {
        let slice = self.disputed.slice;
        let awarded = hold::awarded(act, &slice.asset, slice.right)?;
        let pending = u32::try_from(awarded.len()).unwrap_or(u32::MAX);
        if self.next().saturating_add(pending).saturating_add(2) > MAX_EPOCHS {
            let text = format!("the right has had {} ownership epochs", self.next());
            return reject(Code::EpochsFull, text);
        }
        Ok(())
    }

    /// Begins the epoch, if anything has moved. Whatever was ruled clears the keys in other hands
    /// with which the right was transferred; not those that are found to have been so later.
    fn begin(mut self, act: &mut Act<'_>) -> Result<(), Refusal> {
        let Slice { asset, right, .. } = self.disputed.slice;
        let signed = std::mem::take(&mut self.head.signed);
        act.weigh(signed.len() as u64)?;
        let before = signed.len();
        for one in signed {
            if !member::compromised(act.state, &one.key, one.time_ms)? {
                self.head.signed.push(one);
            }
        }
        if !self.is_changed {
            if self.head.signed.len() < before {
                act.state.put(&Key::Right(*asset, *right), &self.head)?;
            }
            return Ok(());
        }
        if self.owners.len() > MAX_OWNERS {
            let text = format!("the right would have more than {MAX_OWNERS} owners");
            return reject(Code::RulingDoesNotFit, text);
        }
        let owners = self.owners.into_iter().map(|(member, parts)| Owner { member, parts });
        begin_epoch(act, (asset, &self.asset), *right, self.head, owners.collect())
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

/// Cuts the slice out of all accounts named. The epochs of the right are read once.
fn adjust_all(
    act: &mut Act<'_>,
    disputed: Disputed<'_>,
    redirect: &Redirect,
    others: &[Hold],
) -> Result<(), Refusal> {
    let slice = disputed.slice;
    let epochs = payout::epochs(act.state, &slice.asset, slice.right)?;
    act.weigh(EPOCH_WEIGHT.saturating_mul(epochs.len() as u64))?;
    let (dispute, parts) = (disputed.dispute, slice.parts);
    let award = Award { dispute, from: &slice.owner, to: &redirect.to, parts, others };
    for adjustment in &redirect.adjustments {
        adjust(act, slice, &award, (adjustment, &epochs))?;
    }
    Ok(())
}

/// Cuts a slice out of one account.
fn adjust(
    act: &mut Act<'_>,
    slice: &Slice,
    award: &Award<'_>,
    (adjustment, epochs): (&Adjustment, &[Epoch<Handle>]),
) -> Result<(), Refusal> {
    let Adjustment { account: id, claim } = adjustment;
    act.weigh(ADJUSTMENT_WEIGHT)?;
    let account = named_account(act, id)?;
    require_open(&account)?;
    payout::check(&account, claim)?;
    let key = Key::Cuts(*id, slice.asset, slice.right);
    let cuts: Vec<CutRecord> = act.state.get(&key)?.unwrap_or_default();
    act.weigh(EPOCH_WEIGHT.saturating_mul(epochs.len() as u64).saturating_mul(2))?;
    act.weigh(CUT_WEIGHT.saturating_mul(cuts.len().saturating_add(1) as u64))?;
    let (totals, of_claim) = ((id, &account.totals), (claim.units, epochs));
    let earned = payout::earned(act.state, totals, of_claim, Net::Confirmed)?;
    let all = payout::earned(act.state, totals, of_claim, Net::Remaining)?;
    let paid = Key::PaidLine(*id, slice.asset, slice.right, slice.owner.clone());
    let paid: LineRecord = act.state.get(&paid)?.unwrap_or_default();
    // What he keeps is what was paid in the end: that must be settled.
    if account.orders > 0 || paid.reversed_at(act.context.time_ms) > 0 {
        let text =
            "a refund is ordered of the account, or a payout of the line reversed, not finally";
        return reject(Code::AccountNotSettled, text);
    }
    let claimed = Claimed { epochs, cuts: &cuts, earned: &earned };
    let cuts = award.cut(&claimed, &all, |has| paid.left_of(has))?;
    Ok(act.state.put(&key, &cuts)?)
}

/// Gives back what a first ruling cut out of one account.
fn give_back(
    act: &mut Act<'_>,
    disputed: Disputed<'_>,
    account: &AccountId,
    from: &Handle,
) -> Result<(), Refusal> {
    act.weigh(ADJUSTMENT_WEIGHT)?;
    let slice = disputed.slice;
    let key = Key::Cuts(*account, slice.asset, slice.right);
    let mut cuts: Vec<CutRecord> = act.state.get(&key)?.unwrap_or_default();
    cut::undo(&mut cuts, disputed.dispute, from, &slice.owner);
    Ok(act.state.put(&key, &cuts)?)
}

/// Whoever a ruling gave a share has had it: it can be disputed, and is among what he has had.
fn remember(act: &mut Act<'_>, slice: &Slice, to: &Handle) -> Result<(), Fault> {
    let key = Key::AwardedTo(slice.asset, slice.right, to.clone());
    let before: u16 = act.state.get(&key)?.unwrap_or(0);
    if before == 0 {
        act.append(Relation::MemberAssets(to.clone()), slice.asset.digest())?;
    }
    act.state.put(&key, &before.max(slice.parts))
}
