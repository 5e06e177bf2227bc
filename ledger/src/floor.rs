//! Floors: at least a stated part of a sale reaches an input. An absolute floor binds every
//! descendant, however deep; a relative one binds the member that derived directly, those related
//! to him, and nobody else.
//!
//! Implements [LED-FLR-1] to [LED-FLR-3].

use std::collections::{BTreeMap, BTreeSet};

use crate::attribution::UNITS;
use crate::event::rights::{FloorKind, Terms};
use crate::hash::AssetId;
use crate::limits::{MAX_FLOORS, MAX_INHERITED};
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::split::BASIS_POINTS;
use crate::state::record::Floor;
use crate::text::Handle;
use crate::words::percent;

/// Adds up, input by input, what reaches each source, and which floors bind the new asset.
pub(crate) struct Tracker<'a> {
    /// Who derives.
    author: &'a Handle,
    inputs: Vec<(AssetId, u64)>,
    /// The floors that bind, by source and the party of a relative one.
    bound: BTreeMap<(AssetId, Option<Handle>), u16>,
    /// By source, the sum over the inputs of weight × units of the input that reach it.
    reached: BTreeMap<AssetId, u128>,
    /// Whether the author is, or is related to, a party met so far.
    parties: BTreeMap<Handle, bool>,
    weights: u128,
    /// Entries that the inputs brought so far.
    inherited: usize,
}

fn overflow() -> Fault {
    Fault("the arithmetic of floors overflowed".into())
}

fn full(text: String) -> Refusal {
    Reject::new(Code::FloorsFull, text).into()
}

impl<'a> Tracker<'a> {
    pub fn new(author: &'a Handle) -> Self {
        Tracker {
            author,
            inputs: Vec::new(),
            bound: BTreeMap::new(),
            reached: BTreeMap::new(),
            parties: BTreeMap::new(),
            weights: 0,
            inherited: 0,
        }
    }

    /// One input with its weight, the terms it is used under, if under a grant, and the floors
    /// that its record lists. `related` tells whether the author belongs with a party.
    pub fn add(
        &mut self,
        (asset, weight): (AssetId, u64),
        terms: Option<&Terms>,
        inherited: Vec<Floor>,
        mut related: impl FnMut(&Handle) -> Result<bool, Refusal>,
    ) -> Result<(), Refusal> {
        self.weights = self.weights.checked_add(weight.into()).ok_or_else(overflow)?;
        self.inputs.push((asset, weight));
        self.inherited = self.inherited.saturating_add(inherited.len());
        if self.inherited > MAX_INHERITED {
            return Err(full(format!("the inputs bring more than {MAX_INHERITED} floors")));
        }
        if let Some(terms) = terms.filter(|t| t.floor_bp > 0) {
            let party = match terms.floor_kind {
                FloorKind::Absolute => None,
                FloorKind::Relative => Some(self.author.clone()),
            };
            self.bind(asset, party, terms.floor_bp);
        }
        let mut units: BTreeMap<AssetId, u64> = BTreeMap::new();
        for floor in inherited {
            let most = units.entry(floor.source).or_default();
            *most = floor.units.max(*most);
            if self.carries(floor.party.as_ref(), &mut related)? {
                self.bind(floor.source, floor.party, floor.floor_bp);
            }
        }
        for (source, units) in units {
            let part = u128::from(weight).checked_mul(units.into()).ok_or_else(overflow)?;
            let sum = self.reached.entry(source).or_default();
            *sum = sum.checked_add(part).ok_or_else(overflow)?;
        }
        Ok(())
    }

    fn bind(&mut self, source: AssetId, party: Option<Handle>, floor_bp: u16) {
        let bound = self.bound.entry((source, party)).or_default();
        *bound = floor_bp.max(*bound);
    }

    /// Whether a floor of this party binds what the author derives. Implements [LED-FLR-3].
    fn carries(
        &mut self,
        party: Option<&Handle>,
        related: impl FnOnce(&Handle) -> Result<bool, Refusal>,
    ) -> Result<bool, Refusal> {
        let Some(party) = party else { return Ok(true) };
        if let Some(known) = self.parties.get(party) {
            return Ok(*known);
        }
        if self.parties.len() >= MAX_FLOORS {
            let text = format!("the inputs' floors bind more than {MAX_FLOORS} members");
            return Err(full(text));
        }
        let related = related(party)?;
        self.parties.insert(party.clone(), related);
        Ok(related)
    }

    /// Entries that the inputs brought.
    pub fn inherited(&self) -> usize {
        self.inherited
    }

    /// The floors that bind the new asset, in order of source and party; refuses when one is
    /// broken or there are too many. A refusal calls the source as `called` says.
    pub fn settle(
        mut self,
        upstream_bp: u16,
        called: impl Fn(&AssetId) -> Result<String, Fault>,
    ) -> Result<Vec<Floor>, Refusal> {
        let bound = self.bound.len();
        if bound > MAX_FLOORS {
            return Err(full(format!("{bound} floors would bind the asset, at most {MAX_FLOORS}")));
        }
        let sources: BTreeSet<AssetId> = self.bound.keys().map(|(source, _)| *source).collect();
        for (asset, weight) in self.inputs.iter().filter(|(asset, _)| sources.contains(asset)) {
            let whole = u128::from(*weight).checked_mul(UNITS.into()).ok_or_else(overflow)?;
            let sum = self.reached.entry(*asset).or_default();
            *sum = sum.checked_add(whole).ok_or_else(overflow)?;
        }
        let whole = u128::from(BASIS_POINTS).checked_mul(self.weights).ok_or_else(overflow)?;
        let mut floors = Vec::new();
        for ((source, party), floor_bp) in self.bound {
            let weighted = self.reached.get(&source).copied().unwrap_or(0);
            // Reached / (10 000 · W · 10^18) is the part of a sale that reaches the source; it is
            // compared with floor / 10 000 by multiplying both sides by 10 000 · W · 10^18.
            let reached = weighted.checked_mul(upstream_bp.into()).ok_or_else(overflow)?;
            let per_bp = self.weights.checked_mul(UNITS.into()).ok_or_else(overflow)?;
            let required = per_bp.checked_mul(floor_bp.into()).ok_or_else(overflow)?;
            if reached < required {
                let got_bp = reached.checked_div(per_bp).and_then(|bp| u64::try_from(bp).ok());
                let (got, floor) = (percent(got_bp.unwrap_or(0)), percent(floor_bp));
                let source = called(&source)?;
                let text = format!("of a sale {got} would reach {source}, its floor is {floor}");
                return Err(Reject::new(Code::FloorNotMet, text).into());
            }
            let units = reached.checked_div(whole).ok_or_else(overflow)?;
            let units = u64::try_from(units).map_err(|_| overflow())?;
            floors.push(Floor { source, floor_bp, units, party });
        }
        Ok(floors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Digest;

    fn asset(n: u32) -> AssetId {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        AssetId::from_digest(Digest::Blake3(bytes))
    }

    fn floor(source: u32, party: Option<&str>) -> Floor {
        let party = party.map(|p| p.parse().unwrap());
        Floor { source: asset(source), floor_bp: 1, units: UNITS / 10_000, party }
    }

    fn add(tracker: &mut Tracker<'_>, n: u32, floors: Vec<Floor>) -> Result<(), Option<Code>> {
        let related = |party: &Handle| Ok(party.as_str() == "related");
        tracker.add((asset(n), 1), None, floors, related).map_err(|refusal| match refusal {
            Refusal::Reject(reject) => Some(reject.code),
            Refusal::Fault(_) => None,
        })
    }

    /// Holds [LED-FLR-2].
    #[test]
    fn inputs_bring_a_bounded_number_of_floors_and_parties() {
        let author: Handle = "author".parse().unwrap();
        let many = |n: usize| (0..n).map(|_| floor(7, None)).collect::<Vec<_>>();
        let mut tracker = Tracker::new(&author);
        for n in 0..64 {
            assert_eq!(add(&mut tracker, n, many(MAX_INHERITED / 64)), Ok(()));
        }
        assert_eq!(tracker.inherited(), MAX_INHERITED);
        assert_eq!(add(&mut tracker, 64, many(1)), Err(Some(Code::FloorsFull)));

        let mut tracker = Tracker::new(&author);
        let of = |n: usize| floor(7, Some(&format!("party-{n}")));
        assert_eq!(add(&mut tracker, 0, (0..MAX_FLOORS).map(of).collect()), Ok(()));
        assert_eq!(add(&mut tracker, 1, (0..MAX_FLOORS).map(of).collect()), Ok(()));
        assert_eq!(add(&mut tracker, 2, vec![of(MAX_FLOORS)]), Err(Some(Code::FloorsFull)));
    }

    /// Holds [LED-FLR-3].
    #[test]
    fn a_relative_floor_is_carried_by_who_is_related_and_dropped_by_others() {
        let author: Handle = "author".parse().unwrap();
        let mut tracker = Tracker::new(&author);
        let floors = vec![floor(7, None), floor(7, Some("related")), floor(7, Some("stranger"))];
        assert_eq!(add(&mut tracker, 0, floors), Ok(()));
        let kept = tracker.settle(10_000, |source| Ok(source.to_string())).unwrap();
        let parties: Vec<_> = kept.iter().map(|f| f.party.as_ref().map(Handle::as_str)).collect();
        assert_eq!(parties, [None, Some("related")]);
        assert!(kept.iter().all(|f| f.units == UNITS / 10_000));
    }
}
