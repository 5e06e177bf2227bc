//! The attribution schedule of a product: what part of each sale is due to each right over each
//! ancestor. Exact, in integers, linear in the edges of the ancestry.
//!
//! Implements [LED-REV-2] to [LED-REV-4], [LED-REV-6] and [LED-REV-8].

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::split::{BASIS_POINTS, Right, Split, SplitError};

/// Units in a product: what a schedule divides. Implements [LED-REV-2].
pub const UNITS: u64 = 1_000_000_000_000_000_000;

/// What the owners of one right over one asset are due, in units of a product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim<A> {
    /// The asset.
    pub asset: A,
    /// The right over it.
    pub right: Right,
    /// Of [`UNITS`]; never 0.
    pub units: u64,
}

/// What a schedule needs to know of one asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AncestryNode<A> {
    /// How what the asset earns is divided.
    pub split: Split,
    /// The direct inputs with their weights, in the order in which they were filed.
    pub inputs: Vec<(A, u64)>,
}

/// Why an ancestry has no schedule. All but `TooManyEdges` are faults: no recorded asset causes
/// them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError<A, E> {
    /// An asset could not be read.
    #[error("{0}")]
    Node(E),
    /// The walk was given up.
    #[error("the ancestry has more than {max} edges")]
    TooManyEdges {
        /// Edges allowed.
        max: usize,
    },
    /// An asset's shares are not a split.
    #[error("the split of {asset} is wrong: {error}")]
    Split {
        /// The asset.
        asset: A,
        /// What is wrong with it.
        error: SplitError,
    },
    /// The weights of an asset's inputs add up to nothing.
    #[error("the inputs of {0} have no weight")]
    NoWeight(A),
    /// An asset is its own ancestor.
    #[error("the ancestry runs in a circle near {0}")]
    Cycle(A),
    /// A number that is larger than any limit allows.
    #[error("the shares of an ancestor are too large to compute")]
    Overflow,
}

/// The schedule of `product`: its claims in order of asset and right, none of them zero, their
/// units adding up to [`UNITS`].
///
/// `node` is asked once for each asset of the ancestry. No more than `max_edges` edges are
/// walked. Implements [LED-REV-3] and [LED-REV-4].
pub fn schedule<A: Ord + Clone, E>(
    product: &A,
    node: impl FnMut(&A) -> Result<AncestryNode<A>, E>,
    max_edges: usize,
) -> Result<Vec<Claim<A>>, ScheduleError<A, E>> {
    let (index, mut ancestry) = walk(product, node, max_edges)?;
    match ancestry.divide() {
        Ok(()) => {}
        Err(Stopped::Overflow) => return Err(ScheduleError::Overflow),
        Err(Stopped::Cycle) => {
            let on_cycle = |at: usize| ancestry.nodes.get(at).is_some_and(|n| n.waiting > 0);
            let asset = index.into_iter().find(|(_, at)| on_cycle(*at)).map(|(asset, _)| asset);
            return Err(asset.map_or(ScheduleError::Overflow, ScheduleError::Cycle));
        }
    }
    let mut claims = Vec::new();
    for (asset, at) in index {
        let kept = ancestry.nodes.get(at).ok_or(ScheduleError::Overflow)?.kept;
        for (right, units) in Right::ALL.into_iter().zip(kept) {
            if units > 0 {
                claims.push(Claim { asset: asset.clone(), right, units });
            }
        }
    }
    Ok(claims)
}

/// An ancestry with its assets numbered in order of discovery, the product being 0.
struct Ancestry {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

struct Node {
    split: Split,
    /// Where its inputs lie in `edges`.
    inputs: Range<usize>,
    /// Sum of the weights of its inputs, 1 without inputs.
    weight: u128,
    /// Edges by which units have yet to arrive.
    waiting: usize,
    /// Units arrived.
    inflow: u64,
    /// Units of the three rights.
    kept: [u64; 3],
}

#[derive(Clone, Copy)]
struct Edge {
    input: usize,
    weight: u64,
}

/// Why units could not be divided.
enum Stopped {
    Overflow,
    Cycle,
}

/// Reads the ancestry breadth first, without recursion: lineages are deep.
fn walk<A: Ord + Clone, E>(
    product: &A,
    mut node: impl FnMut(&A) -> Result<AncestryNode<A>, E>,
    max_edges: usize,
) -> Result<(BTreeMap<A, usize>, Ancestry), ScheduleError<A, E>> {
    let mut index = BTreeMap::from([(product.clone(), 0)]);
    let mut assets = vec![product.clone()];
    let mut ancestry = Ancestry { nodes: Vec::new(), edges: Vec::new() };
    while let Some(asset) = assets.get(ancestry.nodes.len()).cloned() {
        let AncestryNode { split, inputs } = node(&asset).map_err(ScheduleError::Node)?;
        let first = ancestry.edges.len();
        let end = first.checked_add(inputs.len()).filter(|end| *end <= max_edges);
        let end = end.ok_or(ScheduleError::TooManyEdges { max: max_edges })?;
        if let Err(error) = split.check(!inputs.is_empty()) {
            return Err(ScheduleError::Split { asset, error });
        }
        let mut weight = u128::from(inputs.is_empty());
        for (input, input_weight) in inputs {
            let input = match index.entry(input) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    assets.push(new.key().clone());
                    *new.insert(assets.len().saturating_sub(1))
                }
            };
            ancestry.edges.push(Edge { input, weight: input_weight });
            weight = weight.saturating_add(u128::from(input_weight));
        }
        if weight == 0 {
            return Err(ScheduleError::NoWeight(asset));
        }
        ancestry.nodes.push(Node {
            split,
            inputs: first..end,
            weight,
            waiting: 0,
            inflow: 0,
            kept: [0; 3],
        });
    }
    for edge in &ancestry.edges {
        let input = ancestry.nodes.get_mut(edge.input).ok_or(ScheduleError::Overflow)?;
        input.waiting = input.waiting.checked_add(1).ok_or(ScheduleError::Overflow)?;
    }
    Ok((index, ancestry))
}

impl Ancestry {
    /// Divides [`UNITS`] over the ancestry, each asset once all that flows into it has arrived.
    fn divide(&mut self) -> Result<(), Stopped> {
        let product = self.nodes.first_mut().ok_or(Stopped::Overflow)?;
        product.inflow = UNITS;
        let mut ready = if product.waiting == 0 { vec![0] } else { Vec::new() };
        let mut divided = 0usize;
        let mut parts = Parts::default();
        while let Some(at) = ready.pop() {
            let node = self.nodes.get_mut(at).ok_or(Stopped::Overflow)?;
            let inputs = self.edges.get(node.inputs.clone()).ok_or(Stopped::Overflow)?;
            parts.allot(node, inputs).ok_or(Stopped::Overflow)?;
            let (kept, passed_on) = parts.amounts.split_first_chunk().ok_or(Stopped::Overflow)?;
            node.kept = *kept;
            for (edge, amount) in inputs.iter().zip(passed_on) {
                let input = self.nodes.get_mut(edge.input).ok_or(Stopped::Overflow)?;
                input.inflow = input.inflow.checked_add(*amount).ok_or(Stopped::Overflow)?;
                input.waiting = input.waiting.checked_sub(1).ok_or(Stopped::Overflow)?;
                if input.waiting == 0 {
                    ready.push(edge.input);
                }
            }
            divided = divided.saturating_add(1);
        }
        if divided == self.nodes.len() { Ok(()) } else { Err(Stopped::Cycle) }
    }
}

/// The parts of one asset's inflow: of the three rights, then of each input. Reused between
/// assets.
#[derive(Default)]
struct Parts {
    amounts: Vec<u64>,
    /// Remainder and position of each part.
    remainders: Vec<(Reverse<u128>, usize)>,
}

impl Parts {
    /// Divides a node's inflow: each part rounded down, then one unit more for the parts with the
    /// largest remainders, the earlier first among equals. `None` when a number is too large.
    ///
    /// Implements [LED-REV-3].
    fn allot(&mut self, node: &Node, inputs: &[Edge]) -> Option<()> {
        self.amounts.clear();
        self.remainders.clear();
        let inflow = u128::from(node.inflow);
        let whole = node.weight.checked_mul(u128::from(BASIS_POINTS))?;
        let mut left = node.inflow;
        let kept = Right::ALL.into_iter().map(|right| (node.split.share_bp(right), node.weight));
        let passed_on = inputs.iter().map(|edge| (node.split.upstream_bp, u128::from(edge.weight)));
        for (position, (share_bp, weight)) in kept.chain(passed_on).enumerate() {
            let scaled = weight.checked_mul(u128::from(share_bp))?.checked_mul(inflow)?;
            let amount = u64::try_from(scaled.checked_div(whole)?).ok()?;
            let remainder = scaled.checked_rem(whole)?;
            left = left.checked_sub(amount)?;
            self.amounts.push(amount);
            self.remainders.push((Reverse(remainder), position));
        }
        let left = usize::try_from(left).ok()?;
        if left == 0 {
            return Some(());
        }
        if left >= self.remainders.len() {
            return None; // the remainders of n parts add up to less than n wholes
        }
        self.remainders.select_nth_unstable(left);
        for (_, position) in self.remainders.iter().take(left) {
            let amount = self.amounts.get_mut(*position)?;
            *amount = amount.checked_add(1)?;
        }
        Some(())
    }
}

/// The clearing fee of a payment in minor units: `floor((gross − tax) · fee_bp / 10 000)`.
///
/// `None` when the tax exceeds the gross or the fee rate exceeds 10 000 bp.
/// Implements [LED-REV-6].
pub fn fee(gross: u64, tax: u64, fee_bp: u16) -> Option<u64> {
    if u64::from(fee_bp) > BASIS_POINTS {
        return None;
    }
    floor_part(gross.checked_sub(tax)?, u64::from(fee_bp), BASIS_POINTS)
}

/// What a claim of `units` earns of `net`, in minor units: `floor(units · net / 10^18)`.
///
/// `None` when the claim is for more than the whole. Implements [LED-REV-8].
pub fn earned(units: u64, net: u64) -> Option<u64> {
    if units > UNITS {
        return None;
    }
    floor_part(net, units, UNITS)
}

/// What an owner of `parts` in 10 000 has of `earned`, rounded down.
///
/// `None` when the parts are more than the whole. Implements [LED-REV-8].
pub fn owner_share(earned: u64, parts: u16) -> Option<u64> {
    if u64::from(parts) > BASIS_POINTS {
        return None;
    }
    floor_part(earned, u64::from(parts), BASIS_POINTS)
}

/// `floor(amount · part / whole)`.
fn floor_part(amount: u64, part: u64, whole: u64) -> Option<u64> {
    let scaled = u128::from(amount).checked_mul(u128::from(part))?;
    u64::try_from(scaled.checked_div(u128::from(whole))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Inputs = &'static [(u32, u64)];

    /// Assets by number; the inputs of each.
    fn run(
        assets: &[(Split, Inputs)],
        max_edges: usize,
    ) -> Result<Vec<Claim<u32>>, ScheduleError<u32, String>> {
        let node = |asset: &u32| {
            let (split, inputs) = assets.get(*asset as usize).ok_or("not registered")?;
            Ok(AncestryNode { split: *split, inputs: inputs.to_vec() })
        };
        schedule(&0, |asset| node(asset).map_err(|e: &str| format!("{asset} is {e}")), max_edges)
    }

    fn split(holding_bp: u16, processing_bp: u16, operation_bp: u16, upstream_bp: u16) -> Split {
        Split { holding_bp, processing_bp, operation_bp, upstream_bp }
    }

    const RAW: Split =
        Split { holding_bp: 10_000, processing_bp: 0, operation_bp: 0, upstream_bp: 0 };

    fn units(claims: &[Claim<u32>]) -> Vec<(u32, Right, u64)> {
        claims.iter().map(|c| (c.asset, c.right, c.units)).collect()
    }

    #[test]
    fn a_diamond_adds_up_at_the_shared_ancestor() {
        let half = split(1_000, 2_000, 2_000, 5_000);
        let assets: [(Split, Inputs); 4] =
            [(half, &[(1, 3), (2, 1)]), (half, &[(3, 1)]), (half, &[(3, 9)]), (RAW, &[])];
        let milli = UNITS / 10_000;
        assert_eq!(
            units(&run(&assets, 4).unwrap()),
            [
                (0, Right::Holding, 1_000 * milli),
                (0, Right::Processing, 2_000 * milli),
                (0, Right::Operation, 2_000 * milli),
                (1, Right::Holding, 375 * milli),
                (1, Right::Processing, 750 * milli),
                (1, Right::Operation, 750 * milli),
                (2, Right::Holding, 125 * milli),
                (2, Right::Processing, 250 * milli),
                (2, Right::Operation, 250 * milli),
                (3, Right::Holding, 2_500 * milli),
            ]
        );
    }

    /// Holds [LED-REV-3].
    #[test]
    fn left_over_units_go_to_the_largest_remainders_and_the_earlier_of_equals() {
        // 10^18 / 3 leaves one unit over; all remainders are equal, so the first input has it.
        let thirds: [(Split, Inputs); 4] = [
            (split(0, 0, 0, 10_000), &[(3, 1), (2, 1), (1, 1)]),
            (RAW, &[]),
            (RAW, &[]),
            (RAW, &[]),
        ];
        let third = UNITS / 3;
        let expected = [
            (1, Right::Holding, third),
            (2, Right::Holding, third),
            (3, Right::Holding, third + 1),
        ];
        assert_eq!(units(&run(&thirds, 3).unwrap()), expected);
        // 2/3 has the larger remainder although it comes later.
        let unequal: [(Split, Inputs); 3] =
            [(split(0, 0, 0, 10_000), &[(1, 1), (2, 2)]), (RAW, &[]), (RAW, &[])];
        let expected = [(1, Right::Holding, third), (2, Right::Holding, 2 * third + 1)];
        assert_eq!(units(&run(&unequal, 2).unwrap()), expected);
    }

    #[test]
    fn an_input_named_twice_is_two_parts() {
        let assets: [(Split, Inputs); 2] =
            [(split(0, 0, 5_000, 5_000), &[(1, 1), (1, 2)]), (RAW, &[])];
        let half = UNITS / 2;
        let expected = [(0, Right::Operation, half), (1, Right::Holding, half)];
        assert_eq!(units(&run(&assets, 2).unwrap()), expected);
        assert_eq!(run(&assets, 1), Err(ScheduleError::TooManyEdges { max: 1 }));
    }

    #[test]
    fn what_no_recorded_asset_does_is_an_error() {
        let up = split(0, 0, 5_000, 5_000);
        let circle: [(Split, Inputs); 3] = [(up, &[(1, 1)]), (up, &[(2, 1)]), (up, &[(1, 1)])];
        assert_eq!(run(&circle, 9), Err(ScheduleError::Cycle(1)));
        let own_input: [(Split, Inputs); 1] = [(up, &[(0, 1)])];
        assert_eq!(run(&own_input, 9), Err(ScheduleError::Cycle(0)));
        let weightless: [(Split, Inputs); 2] = [(up, &[(1, 0)]), (RAW, &[])];
        assert_eq!(run(&weightless, 9), Err(ScheduleError::NoWeight(0)));
        let short: [(Split, Inputs); 2] = [(up, &[(1, 1)]), (split(1, 0, 0, 0), &[])];
        let error = SplitError::Sum(1);
        assert_eq!(run(&short, 9), Err(ScheduleError::Split { asset: 1, error }));
        let dangling: [(Split, Inputs); 1] = [(up, &[(7, 1)])];
        assert_eq!(run(&dangling, 9), Err(ScheduleError::Node("7 is not registered".into())));
        let huge: [(Split, Inputs); 3] =
            [(up, &[(1, u64::MAX), (2, u64::MAX)]), (RAW, &[]), (RAW, &[])];
        assert_eq!(run(&huge, 9), Err(ScheduleError::Overflow));
    }

    #[test]
    fn the_heaviest_weights_fit() {
        let most = crate::limits::MAX_WEIGHT_SUM;
        let claims = schedule(
            &0u32,
            |asset| -> Result<_, String> {
                let inputs = if *asset == 0 { vec![(1, most - 1), (2, 1)] } else { vec![] };
                let split = if *asset == 0 { split(0, 0, 0, 10_000) } else { RAW };
                Ok(AncestryNode { split, inputs })
            },
            2,
        )
        .unwrap();
        let expected = [(1, Right::Holding, UNITS - 100), (2, Right::Holding, 100)];
        assert_eq!(units(&claims), expected);
    }

    /// Holds [LED-REV-6] and [LED-REV-8].
    #[test]
    fn amounts_round_down_and_refuse_more_than_the_whole() {
        assert_eq!(fee(10_000, 0, 30), Some(30));
        assert_eq!(fee(10_333, 1_000, 30), Some(27)); // 27.999
        assert_eq!(fee(u64::MAX, 0, 10_000), Some(u64::MAX));
        assert_eq!(fee(5, 6, 0), None);
        assert_eq!(fee(5, 0, 10_001), None);
        assert_eq!(earned(UNITS, u64::MAX), Some(u64::MAX));
        assert_eq!(earned(UNITS - 1, 10), Some(9));
        assert_eq!(earned(UNITS + 1, 10), None);
        assert_eq!(owner_share(9_999, 9_999), Some(9_998));
        assert_eq!(owner_share(u64::MAX, 10_000), Some(u64::MAX));
        assert_eq!(owner_share(1, 10_001), None);
    }
}
