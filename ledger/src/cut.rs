//! What an owner has of a claim, with the cuts that rulings made in it: a pure function of the
//! epochs, the cuts and what the claim has earned in each epoch.
//!
//! A cut takes parts of an owner in some epochs out of his line and makes a line of its own of
//! them. What that earns goes to those who had been paid some of it, up to so much each, and the
//! rest to its holder. All of this only grows with what is earned, so that whatever comes later, a
//! refund, a delivery confirmed or another ruling, falls on whoever has the cut. Implements
//! [LED-DSP-7].

use std::collections::BTreeSet;

use crate::account::Epoch;
use crate::attribution::owner_share;
use crate::hash::DisputeId;
use crate::limits::MAX_CUTS;
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::state::record::{CutRecord, Hold, HoldKind, Kept, Run};
use crate::text::Handle;

/// Parts of 10 000 in each epoch of a right.
type Parts = Vec<u16>;

/// A claim of an account.
#[derive(Clone, Copy)]
pub(crate) struct Claimed<'a> {
    /// The epochs of its right.
    pub epochs: &'a [Epoch<Handle>],
    /// What rulings cut out of it.
    pub cuts: &'a [CutRecord],
    /// What it has earned in each epoch.
    pub earned: &'a [u64],
}

/// What somebody has of a claim, or what was taken of it: of each cut, and of his own parts.
#[derive(Clone)]
struct Portion {
    cuts: Vec<Parts>,
    own: Parts,
}

/// What is taken of what somebody has.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// So many parts in every epoch: of the cuts that this dispute has made, then of the others
    /// from the last to the first, then of his own.
    Share(&'a DisputeId, u16),
    /// The cuts that this dispute has made, and so many own parts from an epoch on.
    Awarded(&'a DisputeId, u16, u32),
}

impl<'a> Wanted<'a> {
    fn of_hold(hold: &'a Hold) -> Self {
        match hold.kind {
            HoldKind::Cooling | HoldKind::Frozen => Wanted::Share(&hold.dispute, hold.parts),
            HoldKind::Awarded(since) => Wanted::Awarded(&hold.dispute, hold.parts, since),
        }
    }
}

fn fault(text: &str) -> Fault {
    Fault(format!("a claim contradicts itself: {text}"))
}

/// The parts of runs in each of so many epochs.
fn spread(runs: &[Run], epochs: usize) -> Parts {
    let of = |epoch: u32| {
        let run = runs.iter().find(|r| (r.first..r.before).contains(&epoch));
        run.map_or(0, |r| r.parts)
    };
    (0u32..).take(epochs).map(of).collect()
}

/// The runs of parts in each epoch.
fn runs(parts: &[u16]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (first, parts) in (0u32..).zip(parts).filter(|(_, parts)| **parts > 0) {
        let before = first.saturating_add(1);
        match runs.last_mut() {
            Some(run) if run.before == first && run.parts == *parts => run.before = before,
            _ => runs.push(Run { first, before, parts: *parts }),
        }
    }
    runs
}

fn is_nothing(parts: &[u16]) -> bool {
    parts.iter().all(|parts| *parts == 0)
}

fn less(all: &[u16], taken: &[u16]) -> Result<Parts, Fault> {
    let less = |(all, taken): (&u16, &u16)| all.checked_sub(*taken);
    let left: Option<Parts> = all.iter().zip(taken).map(less).collect();
    left.ok_or_else(|| fault("more parts are cut out than there are"))
}

/// Takes up to what is wanted in each epoch.
fn grab(wanted: &mut [u16], left: &mut [u16], taken: &mut [u16]) {
    for ((wanted, left), taken) in wanted.iter_mut().zip(left).zip(taken) {
        let some = (*wanted).min(*left);
        *wanted = wanted.saturating_sub(some);
        *left = left.saturating_sub(some);
        *taken = taken.saturating_add(some);
    }
}

impl Portion {
    fn nothing(cuts: usize, epochs: usize) -> Self {
        Portion { cuts: vec![vec![0; epochs]; cuts], own: vec![0; epochs] }
    }

    fn is_nothing(&self) -> bool {
        self.cuts.iter().all(|parts| is_nothing(parts)) && is_nothing(&self.own)
    }

    /// Parts in all epochs together.
    fn sum(&self) -> u64 {
        self.cuts.iter().flatten().chain(&self.own).map(|parts| u64::from(*parts)).sum()
    }

    fn add(&mut self, more: &Portion) {
        let sums = self.cuts.iter_mut().flatten().chain(&mut self.own);
        for (sum, more) in sums.zip(more.cuts.iter().flatten().chain(&more.own)) {
            *sum = sum.saturating_add(*more);
        }
    }
}

impl CutRecord {
    fn parts(&self, epochs: usize) -> Parts {
        spread(&self.runs, epochs)
    }
}

impl Claimed<'_> {
    /// What so many parts in each epoch have earned, each epoch rounded down.
    fn amount(&self, parts: &[u16]) -> Result<u64, Fault> {
        let mut total = 0u64;
        for (earned, parts) in self.earned.iter().zip(parts) {
            let share = owner_share(*earned, *parts);
            let sum = share.and_then(|share| total.checked_add(share));
            total = sum.ok_or_else(|| fault("its lines overflow"))?;
        }
        Ok(total)
    }

    fn cut_parts(&self, cut: &CutRecord) -> Parts {
        cut.parts(self.epochs.len())
    }

    /// What a cut has earned.
    pub fn earned_by(&self, cut: &CutRecord) -> Result<u64, Fault> {
        self.amount(&self.cut_parts(cut))
    }

    /// What is kept of a cut by each, and what is left for its holder.
    pub fn divided(&self, cut: &CutRecord) -> Result<(Vec<u64>, u64), Fault> {
        let mut left = self.earned_by(cut)?;
        let keep = |kept: &Kept| {
            let some = kept.amount.min(left);
            left = left.saturating_sub(some);
            some
        };
        let kept = cut.kept.iter().map(keep).collect();
        Ok((kept, left))
    }

    fn rest(&self, cut: &CutRecord) -> Result<u64, Fault> {
        Ok(self.divided(cut)?.1)
    }

    /// The parts of an owner in each epoch.
    fn owned(&self, owner: &Handle) -> Parts {
        let of = |epoch: &Epoch<Handle>| {
            epoch.owners.iter().find(|(member, _)| member == owner).map_or(0, |o| o.1)
        };
        self.epochs.iter().map(of).collect()
    }

    /// The same without what was cut out.
    fn own_left(&self, owner: &Handle) -> Result<Parts, Fault> {
        let mut left = self.owned(owner);
        for cut in self.cuts.iter().filter(|cut| cut.owner == *owner) {
            left = less(&left, &self.cut_parts(cut))?;
        }
        Ok(left)
    }

    /// Whether somebody has owned a part of it, or has, or had, something of a cut.
    pub fn concerns(&self, member: &Handle) -> bool {
        let owns = |epoch: &Epoch<Handle>| epoch.owners.iter().any(|(owner, _)| owner == member);
        self.epochs.iter().any(owns) || self.cuts.iter().any(|cut| cut.concerns(member))
    }

    /// All whom it concerns, in order of handle.
    pub fn members(&self) -> BTreeSet<&Handle> {
        let owners = self.epochs.iter().flat_map(|epoch| epoch.owners.iter().map(|(o, _)| o));
        let of_cuts = self
            .cuts
            .iter()
            .flat_map(|cut| cut.kept.iter().map(|kept| &kept.member).chain([&cut.holder]));
        owners.chain(of_cuts).collect()
    }

    /// What somebody has of it.
    pub fn line(&self, member: &Handle) -> Result<u64, Fault> {
        self.free(member, &[])
    }

    /// What somebody has of it without what is held of him.
    pub fn free(&self, member: &Handle, holds: &[Hold]) -> Result<u64, Fault> {
        let mut left = self.left(member)?;
        let held = self.hold(&mut left, holds.iter().filter(|hold| hold.owner == *member));
        let mut total = self.amount(&left.own)?;
        let mut add = |more: u64| {
            total = total.checked_add(more).ok_or_else(|| fault("its lines overflow"))?;
            Ok::<_, Fault>(())
        };
        for (cut, held) in self.cuts.iter().zip(&held.cuts) {
            let (kept, _) = self.divided(cut)?;
            for (kept, amount) in cut.kept.iter().zip(kept) {
                add(if kept.member == *member { amount } else { 0 })?;
            }
            if cut.holder == *member {
                add(self.rest(&self.split(cut, held, self.earned)?.1)?)?;
            }
        }
        Ok(total)
    }

    /// What somebody can lose of it.
    fn left(&self, member: &Handle) -> Result<Portion, Fault> {
        let parts = |cut: &CutRecord| match cut.holder == *member {
            true => self.cut_parts(cut),
            false => vec![0; self.epochs.len()],
        };
        Ok(Portion { cuts: self.cuts.iter().map(parts).collect(), own: self.own_left(member)? })
    }

    /// Takes what holds are of, one after the other.
    fn hold<'h>(&self, left: &mut Portion, holds: impl Iterator<Item = &'h Hold>) -> Portion {
        let mut held = Portion::nothing(self.cuts.len(), self.epochs.len());
        for hold in holds {
            held.add(&self.take(left, Wanted::of_hold(hold)));
        }
        held
    }

    fn take(&self, left: &mut Portion, wanted: Wanted<'_>) -> Portion {
        let epochs = self.epochs.len();
        let mut taken = Portion::nothing(self.cuts.len(), epochs);
        let mut of_cuts = |wanted: &mut [u16], dispute: &DisputeId, is_own: bool| {
            let all = self.cuts.iter().zip(left.cuts.iter_mut().zip(&mut taken.cuts));
            let wanted_cuts = all.filter(|(cut, _)| (cut.dispute == *dispute) == is_own).rev();
            for (_, (left, taken)) in wanted_cuts {
                grab(wanted, left, taken);
            }
        };
        let mut own = match wanted {
            Wanted::Share(dispute, parts) => {
                let mut wanted = vec![parts; epochs];
                of_cuts(&mut wanted, dispute, true);
                of_cuts(&mut wanted, dispute, false);
                wanted
            }
            Wanted::Awarded(dispute, parts, since) => {
                of_cuts(&mut vec![u16::MAX; epochs], dispute, true);
                (0u32..).take(epochs).map(|epoch| if epoch < since { 0 } else { parts }).collect()
            }
        };
        grab(&mut own, &mut left.own, &mut taken.own);
        taken
    }

    /// Divides a cut by its parts: what is taken, and what is left. What others keep of it they
    /// keep of both: of what is confirmed as both have of that, of what is not as both have of that,
    /// and what is above all of it by their parts. So nobody keeps more or less by it now.
    fn split(
        &self,
        cut: &CutRecord,
        taken: &[u16],
        all: &[u64],
    ) -> Result<(CutRecord, CutRecord), Fault> {
        let left = less(&self.cut_parts(cut), taken)?;
        let all = Claimed { earned: all, ..*self };
        let tiers =
            [(self.amount(taken)?, self.amount(&left)?), (all.amount(taken)?, all.amount(&left)?)];
        let parts = |parts: &[u16]| parts.iter().map(|parts| u128::from(*parts)).sum();
        let of_taken = |sum| part_of(sum, tiers, (parts(taken), parts(&left)));
        let (mut first, mut second) = (cut.clone(), cut.clone());
        let (mut sum, mut before) = (0u128, 0u64);
        for (first, second) in first.kept.iter_mut().zip(&mut second.kept) {
            sum = sum.saturating_add(first.amount.into());
            let until = of_taken(sum).ok_or_else(|| fault("its cuts overflow"))?;
            first.amount = until.saturating_sub(before);
            second.amount = second.amount.saturating_sub(first.amount);
            before = until;
        }
        (first.runs, second.runs) = (runs(taken), runs(&left));
        Ok((first, second))
    }
}

/// How much of a sum that is kept of two parts is kept of the first: up to what both have confirmed
/// as that stands, up to what they have in all as the rest of that stands, above as `parts` do.
/// Rounded down in each, so that no more is kept of one than it has.
fn part_of(sum: u128, tiers: [(u64, u64); 2], parts: (u128, u128)) -> Option<u64> {
    let (mut left, mut kept) = (sum, 0u128);
    let (mut first, mut second) = (0u128, 0u128);
    for (of_first, of_second) in tiers {
        let more = (u128::from(of_first).checked_sub(first)?, of_second.into());
        let more = (more.0, u128::checked_sub(more.1, second)?);
        let whole = more.0.checked_add(more.1)?;
        let here = left.min(whole);
        kept = kept.checked_add(here.checked_mul(more.0)?.checked_div(whole).unwrap_or(0))?;
        left = left.checked_sub(here)?;
        (first, second) = (of_first.into(), of_second.into());
    }
    let whole = parts.0.checked_add(parts.1)?;
    let above = left.checked_mul(parts.0)?.checked_div(whole).unwrap_or(0);
    u64::try_from(kept.checked_add(above)?).ok()
}

impl CutRecord {
    fn concerns(&self, member: &Handle) -> bool {
        self.holder == *member || self.kept.iter().any(|kept| kept.member == *member)
    }
}

/// A ruling that gives a share to somebody else.
pub(crate) struct Award<'a> {
    pub dispute: &'a DisputeId,
    pub from: &'a Handle,
    pub to: &'a Handle,
    pub parts: u16,
    /// What other disputes hold of the owner.
    pub others: &'a [Hold],
}

impl Award<'_> {
    /// Cuts the share out of a claim, whose confirmed earnings these are and `all` those of all
    /// payments, and gives it away, but for what its owner was paid of it: `unpaid` says what of his
    /// line was not, below 0 when more was. Gives the cuts then; fails when nothing goes over.
    pub fn cut(
        &self,
        claimed: &Claimed<'_>,
        all: &[u64],
        unpaid: impl FnOnce(u64) -> i128,
    ) -> Result<Vec<CutRecord>, Refusal> {
        let taken = self.taken(claimed)?;
        let mut cuts = Vec::new();
        let mut given = Vec::new();
        for (cut, taken) in claimed.cuts.iter().zip(&taken.cuts) {
            let (first, second) = claimed.split(cut, taken, all)?;
            for (part, is_given) in [(first, true), (second, false)] {
                if !part.runs.is_empty() {
                    cuts.push(part);
                    given.push(is_given);
                }
            }
        }
        if !is_nothing(&taken.own) {
            let (dispute, owner, holder) = (*self.dispute, self.from.clone(), self.from.clone());
            let runs = runs(&taken.own);
            cuts.push(CutRecord { dispute, owner, runs, kept: Vec::new(), holder });
            given.push(true);
        }
        let is_full =
            |(cut, is_given): (&CutRecord, &bool)| *is_given && cut.kept.len() >= MAX_CUTS;
        if cuts.len() > MAX_CUTS || cuts.iter().zip(&given).any(is_full) {
            let text = format!("rulings have cut the claim, or given a cut away, {MAX_CUTS} times");
            return Err(Reject::new(Code::CutsFull, text).into());
        }
        let line = Claimed { cuts: &cuts, ..*claimed }.line(self.from)?;
        let unpaid = u64::try_from(unpaid(line).max(0)).unwrap_or(u64::MAX);
        self.give(claimed, &mut cuts, &given, unpaid)?;
        let all = Claimed { cuts: &cuts, earned: all, ..*claimed };
        for (cut, is_given) in cuts.iter().zip(&given) {
            if *is_given && all.rest(cut)? > 0 {
                return Ok(cuts);
            }
        }
        let text = format!("all that {} had of the claim was paid to him", self.from);
        Err(Reject::new(Code::NothingToRedirect, text).into())
    }

    fn taken(&self, claimed: &Claimed<'_>) -> Result<Portion, Refusal> {
        let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
        let wanted = Wanted::Share(self.dispute, self.parts);
        let mut left = claimed.left(self.from)?;
        let alone = claimed.take(&mut left.clone(), wanted).sum();
        claimed.hold(&mut left, self.others.iter());
        let taken = claimed.take(&mut left, wanted);
        if taken.sum() < alone {
            let text = format!("other disputes hold parts of the same share of {}", self.from);
            return reject(Code::PartsHeld, text);
        }
        if taken.is_nothing() {
            let text = format!("{} has nothing of the claim that could be given away", self.from);
            return reject(Code::NothingToRedirect, text);
        }
        Ok(taken)
    }

    /// Gives the cuts to the new holder; what the old one was paid of them he keeps.
    fn give(
        &self,
        claimed: &Claimed<'_>,
        cuts: &mut [CutRecord],
        given: &[bool],
        unpaid: u64,
    ) -> Result<(), Fault> {
        let mut amounts = Vec::with_capacity(cuts.len());
        let mut paid = 0u64;
        for (cut, is_given) in cuts.iter().zip(given) {
            let amount = if *is_given { claimed.rest(cut)? } else { 0 };
            paid = paid.checked_add(amount).ok_or_else(|| fault("its lines overflow"))?;
            amounts.push(amount);
        }
        paid = paid.saturating_sub(unpaid);
        let all = cuts.iter_mut().zip(given).zip(amounts);
        for ((cut, _), amount) in all.filter(|((_, is_given), _)| **is_given) {
            let kept = paid.min(amount);
            paid = paid.saturating_sub(kept);
            if kept > 0 {
                cut.kept.push(Kept { member: self.from.clone(), amount: kept });
            }
            cut.dispute = *self.dispute;
            cut.holder = self.to.clone();
        }
        Ok(())
    }
}

/// The epochs of a claim with what rulings cut out of them as lines of its own, which are the
/// holders'; the parts of each still add up.
pub(crate) fn divided(
    mut epochs: Vec<Epoch<Handle>>,
    cuts: &[CutRecord],
) -> Result<Vec<Epoch<Handle>>, Fault> {
    let count = epochs.len();
    for cut in cuts {
        for (epoch, parts) in epochs.iter_mut().zip(cut.parts(count)).filter(|(_, p)| *p > 0) {
            // The owner's own line is the first of his.
            let own = epoch.owners.iter_mut().find(|(owner, _)| *owner == cut.owner);
            let left = own.as_ref().and_then(|(_, own)| own.checked_sub(parts));
            let Some(((_, own), left)) = own.zip(left) else {
                return Err(fault("more parts are cut out than there are"));
            };
            *own = left;
            epoch.owners.push((cut.holder.clone(), parts));
        }
    }
    for epoch in &mut epochs {
        epoch.owners.retain(|(_, parts)| *parts > 0);
        epoch.owners.sort_by(|a, b| a.0.cmp(&b.0));
    }
    Ok(epochs)
}

/// Gives back what a dispute's ruling gave away: it was held since, so that nothing was paid of it.
pub(crate) fn undo(cuts: &mut [CutRecord], dispute: &DisputeId, from: &Handle, to: &Handle) {
    for cut in cuts.iter_mut().filter(|c| c.dispute == *dispute && c.holder == *from) {
        cut.kept.pop_if(|kept| kept.member == *to);
        cut.holder = to.clone();
    }
}
