//! Floors on random lineages, against exact rational arithmetic.
//!
//! The model computes from the top down, by recursion over paths, the exact part of an asset's
//! revenue that reaches a source. All weights of a derivation add up to 12, so that with n
//! derivations behind an asset every such part is a whole number over 120 000ⁿ.

use headwater_ledger::attribution::UNITS;
use headwater_ledger::event::RegisterAsset;
use headwater_ledger::event::rights::{FloorKind, Terms};
use headwater_ledger::hash::GrantId;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::Records;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::*;

const SOURCES: usize = 3;
const WEIGHTS: u64 = 12;
/// Basis points times the sum of the weights.
const STEP: u128 = 10_000 * WEIGHTS as u128;

#[derive(Debug, Clone)]
struct Step {
    upstream_bp: u16,
    inputs: Vec<(Index, u64)>,
}

#[derive(Debug, Clone)]
struct Node {
    upstream_bp: u128,
    inputs: Vec<(usize, u64)>,
}

fn step() -> impl Strategy<Value = Step> {
    let inputs = prop_oneof![
        any::<Index>().prop_map(|a| vec![(a, 12)]),
        (any::<[Index; 2]>(), 1u64..12).prop_map(|(a, w)| vec![(a[0], w), (a[1], 12 - w)]),
        (any::<[Index; 3]>(), 1u64..6, 1u64..6).prop_map(|(a, v, w)| vec![
            (a[0], v),
            (a[1], w),
            (a[2], 12 - v - w)
        ]),
    ];
    (3_000u16..=10_000, inputs).prop_map(|(upstream_bp, inputs)| Step { upstream_bp, inputs })
}

/// The part of `node`'s revenue that reaches `source`, over 120 000^`height`.
fn reach(nodes: &[Node], node: usize, source: usize, height: u32) -> u128 {
    if node == source {
        return STEP.pow(height);
    }
    let inputs = nodes[node].inputs.iter();
    inputs
        .map(|(input, weight)| {
            let below = reach(nodes, *input, source, height - 1);
            nodes[node].upstream_bp * u128::from(*weight) * below
        })
        .sum()
}

/// Whether a grant's floor binds `node`: a path leads down to the source.
fn descends(nodes: &[Node], node: usize, source: usize) -> bool {
    node == source || nodes[node].inputs.iter().any(|(input, _)| descends(nodes, *input, source))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Holds [LED-FLR-1]: what is accepted gives no source less than its floor; what is refused
    /// would, but for what rounding down may cost; and what is tracked is never too much.
    #[test]
    fn no_descendant_gives_a_source_less_than_its_floor(
        floors in prop::array::uniform3(prop_oneof![Just(0u16), 1u16..4_000]),
        steps in prop::collection::vec(step(), 1..6),
    ) {
        let mut w = World::default();
        let mut nodes = Vec::new();
        let mut ids = Vec::new();
        let mut grants = Vec::new();
        for (i, floor_bp) in floors.iter().enumerate() {
            let name = format!("source-{i}");
            w.record(CHEST, raw(&name));
            let id = w.asset(&format!("{CHEST}/{name}"));
            let terms = Terms { floor_bp: *floor_bp, ..terms() };
            grants.push(w.give(CHEST, processing_grant(id, LAB, terms)));
            ids.push(id);
            nodes.push(Node { upstream_bp: 0, inputs: Vec::new() });
        }
        for (n, step) in steps.into_iter().enumerate() {
            let mut inputs: Vec<(usize, u64)> = Vec::new();
            for (at, weight) in &step.inputs {
                let at = at.index(nodes.len());
                match inputs.iter_mut().find(|(known, _)| *known == at) {
                    Some(known) => known.1 += weight,
                    None => inputs.push((at, *weight)),
                }
            }
            let filed: Vec<_> = inputs
                .iter()
                .map(|(at, weight)| input(ids[*at], *weight, grants.get(*at).copied()))
                .collect();
            let name = format!("derived-{n}");
            let kept = 10_000 - step.upstream_bp;
            let asset = RegisterAsset {
                split: split([0, kept, 0, step.upstream_bp]),
                ..processed(&name, &filed)
            };
            nodes.push(Node { upstream_bp: step.upstream_bp.into(), inputs });
            let (node, height) = (nodes.len() - 1, n as u32 + 1);
            let whole = STEP.pow(height);
            let bytes = w.by(LAB, asset);
            let verdict = w.submit(&bytes);
            // Per source: what reaches it, exactly, and what its floor asks, both over `whole`
            // and in basis points.
            let bound: Vec<(usize, u128, u128)> = (0..SOURCES)
                .filter(|s| floors[*s] > 0 && descends(&nodes, node, *s))
                .map(|s| {
                    let reached = reach(&nodes, node, s, height) * 10_000;
                    (s, reached, u128::from(floors[s]) * whole)
                })
                .collect();
            // Each derivation on the way rounds down once, by less than a unit.
            let slack = u128::from(height) * (whole / u128::from(UNITS) + 1) * 10_000;
            match verdict {
                Ok(_) => {
                    for (s, reached, required) in &bound {
                        prop_assert!(reached >= required, "source {s} gets too little");
                    }
                    let id = w.asset(&format!("{LAB}/{name}"));
                    let tracked = w.state.floors(&id).unwrap();
                    prop_assert_eq!(tracked.len(), bound.len());
                    for (s, reached, _) in &bound {
                        let floor = tracked.iter().find(|f| f.source == ids[*s]).unwrap();
                        prop_assert_eq!(floor.floor_bp, floors[*s]);
                        let lower = u128::from(floor.units);
                        let upper = scaled_up(*reached, whole);
                        prop_assert!(lower <= upper, "{lower} units tracked of {upper}");
                        prop_assert!(upper - lower <= u128::from(height) + 1);
                    }
                    ids.push(id);
                }
                Err(reject) => {
                    prop_assert_eq!(reject.code.name(), "FLOOR_NOT_MET");
                    prop_assert!(
                        bound.iter().any(|(_, reached, required)| *reached < required + slack),
                        "refused although every floor is met"
                    );
                    nodes.pop();
                    return Ok(());
                }
            }
        }
    }
}

/// `reached / (10 000 · whole)` in units of 10^18, rounded up, by long division in base 10.
fn scaled_up(reached: u128, whole: u128) -> u128 {
    let (mut units, mut rest) = (0u128, reached / 10_000);
    for _ in 0..18 {
        rest *= 10;
        units = units * 10 + rest / whole;
        rest %= whole;
    }
    units + u128::from(rest > 0)
}

/// The schedule that is sold by agrees with the floors: claims of a source reach its floor.
#[test]
fn a_floor_is_paid_out_to_the_last_unit_it_asks_for() {
    let mut w = World::default();
    w.record(CHEST, raw("fna-2026"));
    let source = w.asset("chest-hospital/fna-2026");
    let floor = Terms { floor_bp: 3_600, ..terms() };
    let grant = w.give(CHEST, processing_grant(source, LAB, floor));
    w.record(LAB, processed("cleaned", &[input(source, 1, grant)]));
    let cleaned = w.asset("clean-lab/cleaned");
    // 0.6 · 0.6 is exactly the floor; a basis point less breaks it.
    let further = |bp: u16| RegisterAsset {
        split: split([0, 0, 10_000 - bp, bp]),
        ..product("sold", &[input(cleaned, 1, None)])
    };
    assert_eq!(w.refused(LAB, further(5_999)).name(), "FLOOR_NOT_MET");
    w.record(LAB, further(6_000));
    let claims = w.schedule("clean-lab/sold");
    let claim = claims.iter().find(|c| c.asset == source && c.right == Right::Holding).unwrap();
    assert_eq!(claim.units, UNITS / 10_000 * 3_600);
}

/// A floor binds whoever derives further, and not only the grantee.
#[test]
fn a_floor_binds_descendants_of_other_members() {
    let mut w = World::cleaned();
    let thin =
        RegisterAsset { split: split([0, 0, 9_000, 1_000]), ..product("thin", &w.report_inputs()) };
    assert_eq!(w.refused(INSIGHT, thin).name(), "FLOOR_NOT_MET");
}

/// Two grants on one source: the higher floor counts, and inputs add up.
#[test]
fn the_highest_floor_counts_and_paths_add_up() {
    let mut w = World::default();
    w.record(CHEST, raw("fna-2026"));
    let source = w.asset("chest-hospital/fna-2026");
    let give = |w: &mut World, floor_bp| {
        w.give(CHEST, processing_grant(source, LAB, Terms { floor_bp, ..terms() }))
    };
    let (low, high) = (give(&mut w, 100), give(&mut w, 4_000));
    w.record(LAB, processed("half", &[input(source, 1, high)]));
    let half = w.asset("clean-lab/half");
    // By one path 0.6 · 0.6 = 3 600, too little; with half from the source itself 4 800.
    assert_eq!(w.refused(LAB, processed("thin", &[input(half, 1, None)])).name(), "FLOOR_NOT_MET");
    w.record(LAB, processed("both", &[input(half, 1, None), input(source, 1, low)]));
    let tracked = w.state.floors(&w.asset("clean-lab/both")).unwrap();
    assert_eq!(tracked.len(), 1);
    assert_eq!((tracked[0].floor_bp, tracked[0].units), (4_000, UNITS / 10_000 * 4_800));
}

/// A relative floor binds who derived directly and not those who derive from him.
#[test]
fn a_relative_floor_binds_its_party_and_no_stranger() {
    let mut w = World::default();
    w.record(CHEST, raw("fna-2026"));
    let source = w.asset("chest-hospital/fna-2026");
    let floor = Terms { floor_bp: 3_000, floor_kind: FloorKind::Relative, ..terms() };
    let grant = w.give(CHEST, processing_grant(source, LAB, floor));
    let thin = |name: &str, from, grant: Option<GrantId>| RegisterAsset {
        split: split([0, 8_000, 0, 2_000]),
        ..processed(name, &[input(from, 1, grant)])
    };
    assert_eq!(w.refused(LAB, thin("thin", source, Some(grant))).name(), "FLOOR_NOT_MET");
    w.record(LAB, processed("cleaned", &[input(source, 1, grant)]));
    let cleaned = w.asset("clean-lab/cleaned");
    let tracked = w.state.floors(&cleaned).unwrap();
    assert_eq!(tracked.len(), 1);
    assert_eq!(tracked[0].party, Some(handle(LAB)));
    assert_eq!(tracked[0].units, UNITS / 10_000 * 6_000);
    // The party itself is bound further down; a stranger is not, nor is who follows him.
    assert_eq!(w.refused(LAB, thin("thin", cleaned, None)).name(), "FLOOR_NOT_MET");
    let further = w.give(LAB, processing_grant(cleaned, INSIGHT, terms()));
    w.record(INSIGHT, thin("report", cleaned, Some(further)));
    let report = w.asset("insight-co/report");
    assert!(w.state.floors(&report).unwrap().is_empty());
    let back = w.give(INSIGHT, processing_grant(report, LAB, terms()));
    w.record(LAB, thin("again", report, Some(back)));
    // Paths add up: half from the source itself makes up for a thin path.
    let both = [input(cleaned, 1, None), input(source, 1, grant)];
    let asset = RegisterAsset { split: split([0, 6_000, 0, 4_000]), ..processed("both", &both) };
    w.record(LAB, asset);
    let tracked = w.state.floors(&w.asset("clean-lab/both")).unwrap();
    // 0.4 · (0.5 · 0.6 + 0.5).
    assert_eq!(tracked.iter().map(|f| f.units).collect::<Vec<_>>(), [UNITS / 10_000 * 3_200]);
}
