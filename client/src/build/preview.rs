//! How money would fall, shown before an asset is registered or listed.

use headwater_ledger::attribution::{self, AncestryNode, Claim, ScheduleError, UNITS};
use headwater_ledger::event::rights::{FloorKind, Terms};
use headwater_ledger::hash::AssetId;
use headwater_ledger::limits::MAX_ANCESTRY_EDGES;
use headwater_ledger::query::QueryError;
use headwater_ledger::reject::Fault;
use headwater_ledger::state::Records as _;
use serde_json::{Map, json};

use super::{Acting, Preview};
use crate::failure::Failure;
use crate::remote::view::VerifiedView;
use crate::show;

impl Acting<'_> {
    /// In a dry run, how the money of a product falls or would fall. `new` is how it is divided when
    /// it is not recorded yet; `None` where something that it names is not recorded either.
    pub fn shares_preview(
        &self,
        product: &AssetId,
        name: &str,
        new: Option<AncestryNode<AssetId>>,
    ) -> Result<Option<Preview>, Failure> {
        if !self.is_dry_run() {
            return Ok(None);
        }
        self.ask(|view| {
            let Some(claims) = schedule(view, product, new)? else { return Ok(None) };
            let mut lines = Vec::with_capacity(claims.len());
            let mut facts = Vec::with_capacity(claims.len());
            for claim in &claims {
                let asset = view.asset(&claim.asset)?.map(|a| format!("{}/{}", a.author, a.name));
                let asset = asset.unwrap_or_else(|| name.to_string());
                let share = show::percent(claim.units);
                lines.push(("share", format!("{share}  {} right of {asset}", claim.right)));
                facts.push(json!({ "asset": claim.asset, "name": asset, "right": claim.right,
                    "units": claim.units }));
            }
            let facts = Map::from_iter([("shares".to_string(), facts.into())]);
            Ok(Some(Preview { facts, lines }))
        })
    }
}

impl Acting<'_> {
    /// In a dry run, what the floor of a processing grant, and the floors that bind its asset
    /// already, leave to what is derived from it.
    pub fn floor_preview(&self, id: &AssetId, terms: &Terms) -> Result<Option<Preview>, Failure> {
        if !self.is_dry_run() {
            return Ok(None);
        }
        self.ask(|view| {
            if view.asset(id)?.is_none() {
                return Ok(None);
            }
            let whose = match terms.floor_kind {
                FloorKind::Absolute => "of any descendant's sale",
                FloorKind::Relative => "of what the grantee earns with it",
            };
            let floor = show::basis_points(terms.floor_bp);
            let mut lines = vec![("floor", format!("{floor} {whose} must reach the asset"))];
            let mut least_bp = u64::from(terms.floor_bp);
            let mut inherited = Vec::new();
            for floor in view.floors(id)? {
                let upstream_bp = upstream_for(floor.floor_bp, floor.units);
                least_bp = least_bp.max(upstream_bp);
                let source = view.asset(&floor.source)?;
                let name = source.map_or_else(
                    || floor.source.to_string(),
                    |source| format!("{}/{}", source.author, source.name),
                );
                let bp = show::basis_points(floor.floor_bp);
                let whom = floor.party.as_ref().map_or(String::new(), |p| format!(" of {p}"));
                let text = format!("{bp} must reach {name} further up{whom}: {upstream_bp} bp upstream");
                lines.push(("inherited", text));
                inherited.push(json!({ "source": floor.source, "name": name,
                    "floor_bp": floor.floor_bp, "party": floor.party, "upstream_bp": upstream_bp }));
            }
            let left_bp = 10_000u64.saturating_sub(least_bp);
            let text = if least_bp > 10_000 {
                "nothing: no split of what is derived from it alone can keep all floors".to_string()
            } else {
                format!("{} bp of a split, when it is the only input, with {least_bp} upstream", left_bp)
            };
            lines.push(("leaves", text));
            let facts = json!({ "floor_bp": terms.floor_bp, "least_upstream_bp": least_bp,
                "leaves_bp": left_bp, "inherited": inherited });
            let facts = Map::from_iter([("floor".to_string(), facts)]);
            Ok(Some(Preview { facts, lines }))
        })
    }
}

/// The least upstream part, in basis points, with which `floor_bp` of a sale reach an asset to which
/// `units` of 10^18 of the only input's revenue flow.
fn upstream_for(floor_bp: u16, units: u64) -> u64 {
    let needed = u128::from(floor_bp) * u128::from(UNITS);
    let least = needed.checked_div(u128::from(units)).unwrap_or(u128::MAX);
    let exact = least.saturating_mul(u128::from(units)) >= needed;
    u64::try_from(if exact { least } else { least.saturating_add(1) }).unwrap_or(u64::MAX)
}

fn schedule(
    view: &VerifiedView<'_>,
    product: &AssetId,
    new: Option<AncestryNode<AssetId>>,
) -> Result<Option<Vec<Claim<AssetId>>>, QueryError> {
    let mut missing = false;
    let node = |id: &AssetId| -> Result<AncestryNode<AssetId>, Fault> {
        if let Some(new) = new.as_ref().filter(|_| id == product) {
            return Ok(new.clone());
        }
        let found = view.inputs(id)?.ok_or_else(|| {
            missing = true;
            Fault(format!("asset {id} is not recorded"))
        })?;
        let inputs = found.inputs.iter().map(|input| (input.asset, input.weight)).collect();
        Ok(AncestryNode { split: found.split, inputs })
    };
    match attribution::schedule(product, node, MAX_ANCESTRY_EDGES) {
        Ok(claims) => Ok(Some(claims)),
        // The rules will say what is wrong; there is nothing to show.
        Err(_) if missing => Ok(None),
        Err(ScheduleError::Node(fault)) => Err(fault.into()),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_part_that_a_floor_needs_is_rounded_up() {
        assert_eq!(upstream_for(1_500, UNITS), 1_500);
        assert_eq!(upstream_for(1_500, UNITS / 2), 3_000);
        assert_eq!(upstream_for(1_000, UNITS / 3), 3_001);
        assert_eq!(upstream_for(6_000, UNITS / 2), 12_000);
        assert_eq!(upstream_for(1, 0), u64::MAX);
        assert_eq!(upstream_for(0, UNITS), 0);
    }
}
