//! A lineage as a tree. What is reached on several ways is drawn once and named again.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use headwater_ledger::event::asset::Stage;
use headwater_ledger::hash::{AssetId, GrantId};
use headwater_ledger::query::{Direction, Edge, Trace, TracedAsset, TracedGrant};
use headwater_ledger::state::record::GrantStatus;

use crate::output::Page;
use crate::show;

/// Deepest level drawn; beyond it a tree is no help.
const MAX_LEVEL: usize = 60;

/// A place in the tree still to be drawn.
struct Place<'a> {
    asset: AssetId,
    edge: Option<&'a Edge>,
    /// What stands before the branch: the lines of the levels above.
    indent: String,
    last: bool,
    level: usize,
}

/// One line: the tree and its columns.
struct Row {
    tree: String,
    stage: &'static str,
    records: u64,
    height: u64,
    notes: String,
}

/// Draws the tree, starting with the asset asked about.
pub(super) fn draw(trace: &Trace, page: &mut Page<'_>) -> io::Result<()> {
    let rows = rows(trace);
    let widest = |of: fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let tree = widest(|row| row.tree.chars().count());
    let stage = widest(|row| row.stage.len());
    let records = widest(|row| show::grouped(row.records).len());
    let height = widest(|row| show::grouped(row.height).len());
    for row in &rows {
        let word = if row.records == 1 { "record" } else { "records" };
        let line = format!(
            "{:<tree$}  {:<stage$}  {:>records$} {word:<7}  height {:>height$}  {}",
            row.tree,
            row.stage,
            show::grouped(row.records),
            show::grouped(row.height),
            row.notes
        );
        page.line(line.trim_end())?;
    }
    Ok(())
}

fn rows(trace: &Trace) -> Vec<Row> {
    let assets: BTreeMap<AssetId, &TracedAsset> =
        trace.assets.iter().map(|asset| (asset.id, asset)).collect();
    let grants: BTreeMap<GrantId, &TracedGrant> =
        trace.grants.iter().map(|grant| (grant.id, grant)).collect();
    let mut branches: BTreeMap<AssetId, Vec<&Edge>> = BTreeMap::new();
    let mut weights: BTreeMap<AssetId, u128> = BTreeMap::new();
    for edge in &trace.edges {
        branches.entry(from(trace.direction, edge)).or_default().push(edge);
        *weights.entry(edge.output).or_default() += u128::from(edge.weight);
    }
    let mut rows = Vec::new();
    let mut drawn = BTreeSet::new();
    let root =
        Place { asset: trace.asset, edge: None, indent: String::new(), last: true, level: 0 };
    let mut places = vec![root];
    while let Some(place) = places.pop() {
        let Some(asset) = assets.get(&place.asset) else { continue };
        let below: &[&Edge] = branches.get(&place.asset).map_or(&[], Vec::as_slice);
        let again = !drawn.insert(place.asset) && !below.is_empty();
        let too_deep = place.level >= MAX_LEVEL && !below.is_empty();
        let total = match trace.direction {
            // Going up all inputs are here; going down only those that were reached.
            Direction::Up => place.edge.and_then(|edge| weights.get(&edge.output)).copied(),
            Direction::Down => None,
        };
        let mut notes = edge_notes(place.edge, total, &grants);
        notes.extend(asset_notes(asset));
        if again {
            notes.push("drawn above".into());
        } else if too_deep {
            notes.push("… deeper levels are not drawn; --format json has them".into());
        }
        rows.push(Row {
            tree: format!("{}{}", branch(&place), asset.name),
            stage: stage(asset.stage),
            records: asset.records,
            height: asset.height,
            notes: notes.join(", "),
        });
        if !again && !too_deep {
            let indent = indent_below(&place);
            for (at, edge) in below.iter().enumerate().rev() {
                places.push(Place {
                    asset: to(trace.direction, edge),
                    edge: Some(edge),
                    indent: indent.clone(),
                    last: at + 1 == below.len(),
                    level: place.level + 1,
                });
            }
        }
    }
    rows
}

fn from(direction: Direction, edge: &Edge) -> AssetId {
    match direction {
        Direction::Up => edge.output,
        Direction::Down => edge.input,
    }
}

fn to(direction: Direction, edge: &Edge) -> AssetId {
    match direction {
        Direction::Up => edge.input,
        Direction::Down => edge.output,
    }
}

fn branch(place: &Place<'_>) -> String {
    match (place.level, place.last) {
        (0, _) => String::new(),
        (_, true) => format!("{}└─ ", place.indent),
        (_, false) => format!("{}├─ ", place.indent),
    }
}

fn indent_below(place: &Place<'_>) -> String {
    match (place.level, place.last) {
        (0, _) => String::new(),
        (_, true) => format!("{}   ", place.indent),
        (_, false) => format!("{}│  ", place.indent),
    }
}

/// How a stage is named.
pub(super) fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Raw => "raw",
        Stage::Processed => "processed",
        Stage::Product => "product",
    }
}

fn edge_notes(
    edge: Option<&Edge>,
    total: Option<u128>,
    grants: &BTreeMap<GrantId, &TracedGrant>,
) -> Vec<String> {
    let Some(edge) = edge else { return Vec::new() };
    let weight = match total {
        Some(total) => format!("weight {} of {total}", edge.weight),
        None => format!("weight {}", edge.weight),
    };
    let by = match edge.grant {
        None => "by its own processing right".to_string(),
        Some(id) => {
            let id_shown = show::short(id.digest());
            match grants.get(&id) {
                None => format!("under grant {id_shown}"),
                Some(grant) => {
                    let status = match grant.status {
                        GrantStatus::Accepted => "",
                        GrantStatus::Revoked => " (revoked since)",
                        GrantStatus::Surrendered => " (given back since)",
                        GrantStatus::Voided => " (void by a ruling)",
                        GrantStatus::Offered | GrantStatus::Declined | GrantStatus::Withdrawn => {
                            " (not in force)"
                        }
                    };
                    format!("under grant {id_shown} of {}{status}", grant.grantor)
                }
            }
        }
    };
    vec![weight, by]
}

fn asset_notes(asset: &TracedAsset) -> Vec<String> {
    let mut notes = Vec::new();
    if asset.void {
        notes.push("VOID".into());
    }
    if asset.late {
        notes.push("filed late".into());
    }
    if asset.more {
        notes.push("…".into());
    }
    notes
}

#[cfg(test)]
mod tests {
    use headwater_ledger::event::asset::Classification;
    use headwater_ledger::hash::Digest;

    use super::*;

    fn id(n: u8) -> AssetId {
        AssetId::from_digest(Digest::Blake3([n; 32]))
    }

    fn asset(n: u8, name: &str) -> TracedAsset {
        TracedAsset {
            id: id(n),
            name: name.into(),
            author: "lab".parse().unwrap(),
            stage: Stage::Processed,
            version: 1,
            records: u64::from(n) * 500,
            bytes: 0,
            format: "text/csv".parse().unwrap(),
            region: "CN".parse().unwrap(),
            classification: Classification::General,
            sensitivity: 1,
            activity: None,
            purposes: None,
            territories: None,
            height: u64::from(n),
            time_ms: 0,
            late: false,
            void: n == 2,
            distance: 0,
            more: n == 4,
        }
    }

    fn edge(input: u8, output: u8, weight: u64) -> Edge {
        Edge { input: id(input), output: id(output), weight, grant: None }
    }

    fn drawn(trace: &Trace) -> String {
        let mut out = Vec::new();
        draw(trace, &mut Page::plain(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// 9 is made from 4 and 2, and 2 from 4.
    fn diamond(direction: Direction, asset_asked: u8) -> Trace {
        Trace {
            asset: id(asset_asked),
            direction,
            depth: Some(1),
            complete: false,
            assets: vec![asset(4, "lab/source"), asset(2, "lab/middle"), asset(9, "lab/result")],
            edges: vec![edge(4, 2, 7), edge(2, 9, 1), edge(4, 9, 3)],
            grants: vec![],
        }
    }

    #[test]
    fn a_tree_goes_up_with_all_weights_and_marks_what_matters() {
        let expected = "\
lab/result        processed  4 500 records  height 9
├─ lab/middle     processed  1 000 records  height 2  weight 1 of 4, by its own processing right, VOID
│  └─ lab/source  processed  2 000 records  height 4  weight 7 of 7, by its own processing right, …
└─ lab/source     processed  2 000 records  height 4  weight 3 of 4, by its own processing right, …
";
        assert_eq!(drawn(&diamond(Direction::Up, 9)), expected);
    }

    #[test]
    fn what_is_reached_twice_is_drawn_once() {
        let mut trace = diamond(Direction::Down, 4);
        trace.assets.push(asset(10, "lab/report"));
        trace.edges.push(edge(9, 10, 1));
        let text = drawn(&trace);
        let names: Vec<&str> = text.lines().map(|l| l.split("  p").next().unwrap()).collect();
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(names[2].starts_with("│  └─ lab/result"), "{text}");
        assert!(names[3].starts_with("│     └─ lab/report"), "{text}");
        assert!(text.lines().nth(4).unwrap().ends_with("drawn above"), "{text}");
        assert!(!text.contains(" of 4"), "going down, not all inputs are known: {text}");
    }

    #[test]
    fn a_deep_lineage_is_cut_and_says_so() {
        let assets: Vec<TracedAsset> = (0..=200).map(|n| asset(n, &format!("lab/a{n}"))).collect();
        let edges = (0..200).map(|n| edge(n, n + 1, 1)).collect();
        let trace = Trace {
            asset: id(200),
            direction: Direction::Up,
            depth: None,
            complete: true,
            assets,
            edges,
            grants: vec![],
        };
        let text = drawn(&trace);
        assert_eq!(text.lines().count(), MAX_LEVEL + 1);
        assert!(text.lines().last().unwrap().contains("deeper levels are not drawn"));
    }
}
