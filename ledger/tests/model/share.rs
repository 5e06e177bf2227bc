//! Shares in the naive model: what rulings cut out of claims and gave to others. What a claim has
//! earned is looked at one ownership epoch after the other, and every line is added up anew.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use headwater_ledger::event::dispute::Slice;
use headwater_ledger::hash::{AccountId, AssetId, DisputeId};
use headwater_ledger::limits::MAX_CUTS;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use crate::naive::{Hold, Line, Naive, UNITS, Verdict, need};

/// Parts that were cut out, by epoch.
pub type Parts = BTreeMap<usize, u16>;

#[derive(Debug, Clone)]
pub struct Cut {
    pub dispute: DisputeId,
    pub owner: Handle,
    pub parts: Parts,
    pub kept: Vec<(Handle, u128)>,
    pub holder: Handle,
}

/// Parts that went back, and count as the owner's in the epochs between.
#[derive(Debug, Clone)]
pub struct Returned {
    pub asset: AssetId,
    pub right: Right,
    pub from: Handle,
    pub to: Handle,
    pub parts: u16,
    pub epochs: Range<usize>,
}

/// Why parts are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Cooling,
    Frozen,
    /// Awarded from this epoch on, by a ruling that is not final.
    Awarded(usize),
}

/// Where a part lies: in a cut, or with its owner; and in which epoch.
type Place = (Option<usize>, usize);

/// A claim of an account.
pub struct Claim {
    owners: Vec<BTreeMap<Handle, u16>>,
    pub cuts: Vec<Cut>,
    earned: Vec<u128>,
}

impl Naive {
    /// When each epoch of a right began, and to whom its money falls.
    pub fn owners_then(&self, asset: &AssetId, right: Right) -> Vec<(u64, BTreeMap<Handle, u16>)> {
        let epochs = self.epochs(asset, right).iter();
        let mut then: Vec<_> = epochs.map(|e| (e.seq, e.owners.clone())).collect();
        for r in self.returned.iter().filter(|r| (r.asset, r.right) == (*asset, right)) {
            for (_, owners) in &mut then[r.epochs.clone()] {
                *owners.get_mut(&r.from).expect("it was held") -= r.parts;
                *owners.entry(r.to.clone()).or_insert(0) += r.parts;
                owners.retain(|_, parts| *parts > 0);
            }
        }
        then
    }

    /// What a claim has earned in each epoch.
    pub fn earned(
        &self,
        account: &AccountId,
        (asset, right): (&AssetId, Right),
        units: u128,
        confirmed: bool,
    ) -> Vec<u128> {
        let epochs = self.epochs(asset, right);
        let ends = epochs.iter().skip(1).map(|e| e.seq).chain([u64::MAX]);
        let spans = epochs.iter().map(|e| e.seq).zip(ends);
        spans.map(|(from, to)| units * self.net(account, from, to, confirmed) / UNITS).collect()
    }

    pub fn claim(
        &self,
        account: &AccountId,
        (asset, right): (&AssetId, Right),
        units: u128,
        confirmed: bool,
    ) -> Claim {
        let cuts = self.cuts.get(&(*account, *asset, right)).cloned().unwrap_or_default();
        let owners = self.owners_then(asset, right).into_iter().map(|e| e.1).collect();
        let earned = self.earned(account, (asset, right), units, confirmed);
        Claim { owners, cuts, earned }
    }

    /// The holds in force on a right.
    pub fn holds_on(&self, asset: &AssetId, right: Right) -> Vec<&Hold> {
        let live = self.holds.iter().filter(|h| self.now <= h.until);
        live.filter(|h| (h.asset, h.right) == (*asset, right)).collect()
    }

    /// A ruling gives a slice of one account to somebody.
    pub fn cut_out(
        &mut self,
        dispute: DisputeId,
        slice: &Slice,
        to: &Handle,
        (account, units): (AccountId, u128),
    ) -> Verdict {
        let of = (&slice.asset, slice.right);
        let claim = self.claim(&account, of, units, true);
        let all = self.claim(&account, of, units, false);
        let from = &slice.owner;
        need(!self.unsettled(&account, &line_of(slice)), Code::AccountNotSettled)?;
        let wanted = (dispute, slice.parts);
        let mut gone = BTreeMap::new();
        let alone = claim.share(from, wanted, &gone);
        for hold in self.holds_on(&slice.asset, slice.right) {
            if hold.owner == *from && hold.dispute != dispute {
                claim.hold(hold, &mut gone);
            }
        }
        let taken = claim.share(from, wanted, &gone);
        let sum = |taken: &BTreeMap<Place, u16>| taken.values().map(|p| u32::from(*p)).sum::<u32>();
        need(sum(&taken) == sum(&alone), Code::PartsHeld)?;
        need(sum(&taken) > 0, Code::NothingToRedirect)?;
        let mut cuts = Vec::new();
        for n in 0..claim.cuts.len() {
            let (given, left) = claim.divide(n, &taken, &all.earned);
            cuts.extend([(given, true), (left, false)]);
        }
        cuts.retain(|(cut, _)| !cut.parts.is_empty());
        let own: Parts = taken
            .iter()
            .filter(|((cut, _), _)| cut.is_none())
            .map(|((_, e), p)| (*e, *p))
            .collect();
        if !own.is_empty() {
            let (owner, holder) = (from.clone(), from.clone());
            cuts.push((Cut { dispute, owner, parts: own, kept: Vec::new(), holder }, true));
        }
        let full = cuts.iter().any(|(cut, given)| *given && cut.kept.len() >= MAX_CUTS);
        need(cuts.len() <= MAX_CUTS && !full, Code::CutsFull)?;
        let cut = Claim { cuts: cuts.iter().map(|c| c.0.clone()).collect(), ..claim };
        let line = (slice.asset, slice.right, from.clone());
        let unpaid = cut.line(from) as i128 + self.had(&account, &line);
        let unpaid = u128::try_from(unpaid.max(0)).unwrap();
        let given: u128 = cuts.iter().filter(|c| c.1).map(|c| cut.fall(&c.0).1).sum();
        let mut keeps = given.saturating_sub(unpaid);
        for (part, _) in cuts.iter_mut().filter(|c| c.1) {
            let kept = keeps.min(cut.fall(part).1);
            keeps -= kept;
            if kept > 0 {
                part.kept.push((from.clone(), kept));
            }
            (part.dispute, part.holder) = (dispute, to.clone());
        }
        let all = Claim { cuts: cuts.iter().map(|c| c.0.clone()).collect(), ..all };
        let goes: u128 = cuts.iter().filter(|c| c.1).map(|c| all.fall(&c.0).1).sum();
        need(goes > 0, Code::NothingToRedirect)?;
        let cuts = cuts.into_iter().map(|c| c.0).collect();
        self.cuts.insert((account, slice.asset, slice.right), cuts);
        Ok(())
    }

    /// A ruling on appeal gives it back.
    pub fn put_back(
        &mut self,
        dispute: DisputeId,
        slice: &Slice,
        from: &Handle,
        account: AccountId,
    ) {
        let key = (account, slice.asset, slice.right);
        for cut in self.cuts.get_mut(&key).into_iter().flatten() {
            if cut.dispute == dispute && cut.holder == *from {
                if cut.kept.last().is_some_and(|(member, _)| *member == slice.owner) {
                    cut.kept.pop();
                }
                cut.holder = slice.owner.clone();
            }
        }
    }
}

impl Claim {
    /// All whom it concerns.
    pub fn members(&self) -> BTreeSet<Handle> {
        let owners = self.owners.iter().flat_map(|o| o.keys().cloned());
        let of_cuts = self
            .cuts
            .iter()
            .flat_map(|cut| cut.kept.iter().map(|k| k.0.clone()).chain([cut.holder.clone()]));
        owners.chain(of_cuts).collect()
    }

    fn value(&self, parts: &Parts) -> u128 {
        parts.iter().map(|(e, p)| self.earned[*e] * u128::from(*p) / 10_000).sum()
    }

    /// What of a cut falls to those who keep some of it, and the rest.
    fn fall(&self, cut: &Cut) -> (Vec<u128>, u128) {
        let mut left = self.value(&cut.parts);
        let mut kept = Vec::new();
        for (_, most) in &cut.kept {
            kept.push(left.min(*most));
            left -= kept.last().unwrap();
        }
        (kept, left)
    }

    /// How many parts lie in a place, for whoever has it.
    fn parts(&self, member: &Handle, (cut, epoch): Place) -> u16 {
        let in_cut = |cut: &Cut| cut.parts.get(&epoch).copied().unwrap_or(0);
        match cut {
            Some(n) if self.cuts[n].holder == *member => in_cut(&self.cuts[n]),
            Some(_) => 0,
            None => {
                let owned = self.owners[epoch].get(member).copied().unwrap_or(0);
                owned - self.cuts.iter().filter(|c| c.owner == *member).map(in_cut).sum::<u16>()
            }
        }
    }

    /// The places that somebody loses first: those a dispute has cut, the other cuts, his own.
    fn order(&self, dispute: DisputeId) -> Vec<Option<usize>> {
        let mut cuts: Vec<usize> = (0..self.cuts.len()).rev().collect();
        cuts.sort_by_key(|n| self.cuts[*n].dispute != dispute);
        cuts.into_iter().map(Some).chain([None]).collect()
    }

    /// So many parts of somebody in each epoch, but for what is gone.
    fn share(
        &self,
        member: &Handle,
        (dispute, parts): (DisputeId, u16),
        gone: &BTreeMap<Place, u16>,
    ) -> BTreeMap<Place, u16> {
        let mut taken = BTreeMap::new();
        for epoch in 0..self.owners.len() {
            let mut wanted = parts;
            for cut in self.order(dispute) {
                let there = self.parts(member, (cut, epoch));
                let there = there - gone.get(&(cut, epoch)).copied().unwrap_or(0);
                let some = wanted.min(there);
                wanted -= some;
                if some > 0 {
                    taken.insert((cut, epoch), some);
                }
            }
        }
        taken
    }

    /// Adds what is held to what is gone.
    fn hold(&self, hold: &Hold, gone: &mut BTreeMap<Place, u16>) {
        let held = match hold.kind {
            Held::Cooling | Held::Frozen => {
                self.share(&hold.owner, (hold.dispute, hold.parts), gone)
            }
            Held::Awarded(since) => {
                let all = self.share(&hold.owner, (hold.dispute, 10_000), gone);
                let own = |epoch: usize| if epoch < since { 0 } else { hold.parts };
                let of_dispute = |n: usize| self.cuts[n].dispute == hold.dispute;
                let held = all.into_iter().filter_map(|((cut, epoch), parts)| match cut {
                    Some(n) => of_dispute(n).then_some(((cut, epoch), parts)),
                    None => Some(((cut, epoch), parts.min(own(epoch)))),
                });
                held.collect()
            }
        };
        for (place, parts) in held {
            *gone.entry(place).or_insert(0) += parts;
        }
    }

    /// Divides a cut into what is taken and what is left.
    fn divide(&self, n: usize, taken: &BTreeMap<Place, u16>, all: &[u128]) -> (Cut, Cut) {
        let cut = &self.cuts[n];
        let (mut given, mut left) = (cut.clone(), cut.clone());
        given.parts = BTreeMap::new();
        for ((_, epoch), parts) in taken.iter().filter(|((of, _), _)| *of == Some(n)) {
            given.parts.insert(*epoch, *parts);
            *left.parts.get_mut(epoch).unwrap() -= parts;
        }
        left.parts.retain(|_, parts| *parts > 0);
        let all = Claim { owners: Vec::new(), cuts: Vec::new(), earned: all.to_vec() };
        let (a, b) = (self.value(&given.parts), self.value(&left.parts));
        let (c, d) = (all.value(&given.parts), all.value(&left.parts));
        let count = |parts: &Parts| parts.values().map(|p| u128::from(*p)).sum::<u128>();
        let steps = [(a, b), (c - a, d - b)];
        let kept_of_first = |sum: u128| {
            let mut rest = sum;
            let mut kept = 0;
            for (first, second) in steps {
                let here = rest.min(first + second);
                kept += (here * first).checked_div(first + second).unwrap_or(0);
                rest -= here;
            }
            let (first, whole) = (count(&given.parts), count(&cut.parts));
            kept + rest * first / whole
        };
        let mut sum = 0;
        for (at, (_, amount)) in cut.kept.iter().enumerate() {
            let first = kept_of_first(sum + amount) - kept_of_first(sum);
            sum += amount;
            given.kept[at].1 = first;
            left.kept[at].1 = amount - first;
        }
        (given, left)
    }

    /// What somebody has of it.
    pub fn line(&self, member: &Handle) -> u128 {
        self.free(member, &[])
    }

    /// The same without what is held of him.
    pub fn free(&self, member: &Handle, holds: &[&Hold]) -> u128 {
        let mut gone = BTreeMap::new();
        for hold in holds.iter().filter(|h| h.owner == *member) {
            self.hold(hold, &mut gone);
        }
        let own: Parts = (0..self.owners.len())
            .map(|e| (e, self.parts(member, (None, e)) - gone.get(&(None, e)).unwrap_or(&0)))
            .collect();
        let mut total = self.value(&own);
        for n in 0..self.cuts.len() {
            let cut = &self.cuts[n];
            let kept = cut.kept.iter().zip(self.fall(cut).0);
            total += kept.filter(|(k, _)| k.0 == *member).map(|(_, amount)| amount).sum::<u128>();
            if cut.holder == *member {
                total += self.fall(&self.divide(n, &gone, &self.earned).1).1;
            }
        }
        total
    }

    /// The parts of each epoch with whoever has them: the owners' first, in order of handle, then
    /// what was cut out.
    pub fn pieces(&self) -> Vec<Vec<(Handle, u16)>> {
        let of_epoch = |e: usize| {
            let owners = self.owners[e].keys();
            let own = owners.map(|owner| (owner.clone(), self.parts(owner, (None, e))));
            let cut = self.cuts.iter().map(|c| (c.holder.clone(), *c.parts.get(&e).unwrap_or(&0)));
            let mut pieces: Vec<_> = own.chain(cut).filter(|(_, parts)| *parts > 0).collect();
            pieces.sort_by(|a, b| a.0.cmp(&b.0));
            pieces
        };
        (0..self.owners.len()).map(of_epoch).collect()
    }
}

/// The line whose parts are disputed.
pub fn line_of(slice: &Slice) -> Line {
    (slice.asset, slice.right, slice.owner.clone())
}
