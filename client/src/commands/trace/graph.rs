//! A lineage as a graph for other programs to draw: arrows go from inputs to outputs.

use std::collections::BTreeMap;
use std::io;

use headwater_ledger::event::asset::Stage;
use headwater_ledger::hash::AssetId;
use headwater_ledger::query::{Trace, TracedAsset};

use super::tree::stage;
use crate::output::Page;
use crate::remote::view::AsOf;
use crate::show;

/// Prints the graph in the language of Graphviz.
pub(super) fn dot(trace: &Trace, as_of: &AsOf, page: &mut Page<'_>) -> io::Result<()> {
    let numbers = numbers(trace);
    page.line(format_args!("// as of height {}, block {}, proved", as_of.height, as_of.block_id))?;
    page.line("digraph lineage {")?;
    page.line("  rankdir=LR;")?;
    page.line("  node [fontname=\"sans-serif\"];")?;
    for (asset, n) in trace.assets.iter().zip(0u64..) {
        let shape = match asset.stage {
            Stage::Raw => "cylinder",
            Stage::Processed => "box",
            Stage::Product => "component",
        };
        let style = if asset.void { ", style=dashed, color=red" } else { "" };
        let label = label(asset).join("\\n");
        page.line(format_args!("  a{n} [shape={shape}, label=\"{label}\"{style}];"))?;
    }
    for edge in &trace.edges {
        if let (Some(input), Some(output)) = (numbers.get(&edge.input), numbers.get(&edge.output)) {
            page.line(format_args!("  a{input} -> a{output} [label=\"{}\"];", edge.weight))?;
        }
    }
    page.line("}")
}

/// Prints the graph in the language of Mermaid.
pub(super) fn mermaid(trace: &Trace, as_of: &AsOf, page: &mut Page<'_>) -> io::Result<()> {
    let numbers = numbers(trace);
    page.line(format_args!("%% as of height {}, block {}, proved", as_of.height, as_of.block_id))?;
    page.line("flowchart LR")?;
    for (asset, n) in trace.assets.iter().zip(0u64..) {
        let label = label(asset).join("<br/>");
        let (open, close) = match asset.stage {
            Stage::Raw => ("[(", ")]"),
            Stage::Processed => ("[", "]"),
            Stage::Product => ("[[", "]]"),
        };
        page.line(format_args!("  a{n}{open}\"{label}\"{close}"))?;
        if asset.void {
            page.line(format_args!("  style a{n} stroke:#c00,stroke-dasharray:4"))?;
        }
    }
    for edge in &trace.edges {
        if let (Some(input), Some(output)) = (numbers.get(&edge.input), numbers.get(&edge.output)) {
            page.line(format_args!("  a{input} -->|{}| a{output}", edge.weight))?;
        }
    }
    Ok(())
}

fn numbers(trace: &Trace) -> BTreeMap<AssetId, u64> {
    trace.assets.iter().map(|asset| asset.id).zip(0..).collect()
}

/// The lines of a node. Handles and names hold nothing that the two languages would read.
fn label(asset: &TracedAsset) -> Vec<String> {
    let mut lines = vec![
        asset.name.clone(),
        format!("{}, {}", stage(asset.stage), show::count(asset.records, "record", "records")),
    ];
    if asset.void {
        lines.push("VOID".into());
    }
    if asset.more {
        lines.push("more beyond".into());
    }
    lines
}
