//! Absolute floors: at least a stated part of any descendant's sale reaches an input, however deep.
//!
//! Implements [LED-FLR-1] and [LED-FLR-2].

use std::collections::BTreeMap;

use crate::attribution::UNITS;
use crate::hash::AssetId;
use crate::limits::MAX_FLOORS;
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::split::BASIS_POINTS;
use crate::state::record::Floor;

/// What one tracked source must get and gets of the inflow of the inputs.
#[derive(Default)]
struct Tracked {
    floor_bp: u16,
    /// Sum over the inputs of weight × units of the input that reach the source.
    weighted_units: u128,
}

/// Adds up, input by input, what reaches each tracked source.
pub(crate) struct Tracker {
    inputs: Vec<(AssetId, u64)>,
    tracked: BTreeMap<AssetId, Tracked>,
    weights: u128,
}

fn overflow() -> Fault {
    Fault("the arithmetic of floors overflowed".into())
}

impl Tracker {
    pub fn new() -> Self {
        Tracker { inputs: Vec::new(), tracked: BTreeMap::new(), weights: 0 }
    }

    /// One input with its weight, the floor of the grant it is used under (0 for none) and the
    /// floors that bind it already.
    pub fn add(
        &mut self,
        asset: AssetId,
        weight: u64,
        floor_bp: u16,
        inherited: Vec<Floor>,
    ) -> Result<(), Fault> {
        self.weights = self.weights.checked_add(weight.into()).ok_or_else(overflow)?;
        self.inputs.push((asset, weight));
        if floor_bp > 0 {
            let t = self.tracked.entry(asset).or_default();
            t.floor_bp = t.floor_bp.max(floor_bp);
        }
        for floor in inherited {
            let t = self.tracked.entry(floor.source).or_default();
            t.floor_bp = t.floor_bp.max(floor.floor_bp);
            let part = u128::from(weight).checked_mul(floor.units.into()).ok_or_else(overflow)?;
            t.weighted_units = t.weighted_units.checked_add(part).ok_or_else(overflow)?;
        }
        Ok(())
    }

    /// The floors that bind the new asset; refuses when one is broken or there are too many.
    pub fn settle(mut self, upstream_bp: u16) -> Result<Vec<Floor>, Refusal> {
        for (asset, weight) in &self.inputs {
            if let Some(t) = self.tracked.get_mut(asset) {
                let whole = u128::from(*weight).checked_mul(UNITS.into()).ok_or_else(overflow)?;
                t.weighted_units = t.weighted_units.checked_add(whole).ok_or_else(overflow)?;
            }
        }
        if self.tracked.len() > MAX_FLOORS {
            let text =
                format!("{} floors would bind the asset, at most {MAX_FLOORS}", self.tracked.len());
            return Err(Reject::new(Code::FloorsFull, text).into());
        }
        let whole = u128::from(BASIS_POINTS).checked_mul(self.weights).ok_or_else(overflow)?;
        let mut floors = Vec::new();
        for (source, t) in self.tracked {
            // Reached / (10 000 · W · 10^18) is the part of a sale that reaches the source; it is
            // compared with floor / 10 000 by multiplying both sides by 10 000 · W · 10^18.
            let reached = t.weighted_units.checked_mul(upstream_bp.into()).ok_or_else(overflow)?;
            let required = u128::from(t.floor_bp)
                .checked_mul(self.weights)
                .and_then(|n| n.checked_mul(UNITS.into()))
                .ok_or_else(overflow)?;
            if reached < required {
                let got_bp = reached
                    .checked_div(self.weights.checked_mul(UNITS.into()).ok_or_else(overflow)?)
                    .unwrap_or(0);
                let text = format!(
                    "of a sale {got_bp} bp would reach {source}, its floor is {} bp",
                    t.floor_bp
                );
                return Err(Reject::new(Code::FloorNotMet, text).into());
            }
            let units = reached.checked_div(whole).ok_or_else(overflow)?;
            let units = u64::try_from(units).map_err(|_| overflow())?;
            floors.push(Floor { source, floor_bp: t.floor_bp, units });
        }
        Ok(floors)
    }
}
