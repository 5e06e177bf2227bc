//! `headwater trace`: what an asset was made from, or everything registered as made from it.

mod graph;
mod tree;

use std::collections::BTreeSet;
use std::io;

use clap::{Args, ValueEnum};
use headwater_ledger::hash::AssetId;
use headwater_ledger::query::{self, Direction, Trace};
use serde::Serialize;

use super::shares::proved;
use crate::failure::{Failure, Kind};
use crate::output::{self, Output, Page, Report};
use crate::remote::Connection;
use crate::remote::past::AtArgs;
use crate::remote::resolve::AssetRef;
use crate::remote::view::AsOf;
use crate::session::Session;
use crate::show;

const AFTER_HELP: &str = "\
Examples:
  headwater trace insight-co/breast-cancer-report --up
  headwater trace chest-hospital/fna-2026 --down --depth 2
  headwater trace chest-hospital/fna-2026 --down --at 120 --json
  headwater trace insight-co/breast-cancer-report --up --format dot | dot -Tsvg > lineage.svg

ASSET is HANDLE/NAME, an id, or HANDLE/ and the begin of a name that only one asset has.
The answer has every registered derivation, proved whole. What nobody registered is not in it, and
what was registered as raw has no source in it.

With --json, inputs before outputs:
  {\"as_of\":{chain_id,height,block_id,time_ms,state_root},
   \"asset\":ID,\"direction\":\"up\"|\"down\",\"depth\":N|null,\"complete\":BOOL,
   \"assets\":[{id,name,author,stage,version,records,bytes,format,region,classification,
     sensitivity,activity,purposes,territories,height,time_ms,late,void,distance,more}],
   \"edges\":[{input,output,weight,grant}],
   \"grants\":[{id,asset,right,grantor,grantee,status,terms,used}]}";

/// Arguments of `headwater trace`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct TraceArgs {
    /// The asset
    asset: AssetRef,
    #[command(flatten)]
    way: Way,
    /// Most steps to follow [default: all]
    #[arg(long, value_name = "N")]
    depth: Option<u32>,
    #[command(flatten)]
    at: AtArgs,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "tree")]
    format: TraceFormat,
}

/// Which way to go.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Way {
    /// To what it was made from
    #[arg(long)]
    up: bool,
    /// To what was made from it
    #[arg(long)]
    down: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TraceFormat {
    /// A tree, for people
    Tree,
    /// The same as --json
    Json,
    /// A graph in the language of Graphviz
    Dot,
    /// A graph in the language of Mermaid
    Mermaid,
}

#[derive(Serialize)]
struct TraceReport {
    as_of: AsOf,
    #[serde(flatten)]
    trace: Trace,
    #[serde(skip)]
    format: TraceFormat,
}

impl TraceArgs {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        let json = session.output.format() == output::Format::Json;
        let output = match self.format {
            TraceFormat::Dot | TraceFormat::Mermaid if json => {
                return Err(Failure::new(Kind::Usage, "--json and --format ask for two formats")
                    .hint("leave one of them away"));
            }
            TraceFormat::Json => Output::new(output::Format::Json),
            TraceFormat::Tree | TraceFormat::Dot | TraceFormat::Mermaid => session.output,
        };
        let direction = if self.way.up { Direction::Up } else { Direction::Down };
        let connection = Connection::open(session)?;
        let view = connection.view(self.at.height(&connection)?)?;
        let asset = view.asset_id(&self.asset)?;
        let trace = view.ask(|view| query::trace(view, &asset, direction, self.depth)).map_err(
            |failure| match failure.kind() {
                Kind::BadInput => failure.hint("follow fewer steps with --depth N"),
                _ => failure,
            },
        )?;
        output.report(&TraceReport { as_of: view.as_of(), trace, format: self.format })
    }
}

impl Report for TraceReport {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        match self.format {
            TraceFormat::Tree | TraceFormat::Json => {
                tree::draw(&self.trace, page)?;
                page.line("")?;
                self.conclusion(page)
            }
            TraceFormat::Dot => graph::dot(&self.trace, &self.as_of, page),
            TraceFormat::Mermaid => graph::mermaid(&self.trace, &self.as_of, page),
        }
    }
}

impl TraceReport {
    /// What the tree shows, claiming no more than the ledger knows.
    fn conclusion(&self, page: &mut Page<'_>) -> io::Result<()> {
        let trace = &self.trace;
        let voids: Vec<&str> =
            trace.assets.iter().filter(|a| a.void).map(|a| a.name.as_str()).collect();
        if !voids.is_empty() {
            page.line(format_args!("Declared void: {}.", voids.join(", ")))?;
        }
        let way = match trace.direction {
            Direction::Up => "upstream",
            Direction::Down => "downstream",
        };
        let made: BTreeSet<AssetId> = trace.edges.iter().map(|edge| edge.output).collect();
        let found = format!(
            "{} by {}",
            show::count(trace.assets.len() as u64 - 1, "asset", "assets"),
            show::count(made.len() as u64, "derivation", "derivations")
        );
        match trace.depth.filter(|_| !trace.complete) {
            None => page.line(format_args!("All registered derivations {way}: {found}."))?,
            Some(depth) => {
                let steps = show::count(depth.into(), "step", "steps");
                page.line(format_args!(
                    "Registered derivations within {steps} {way}: {found}. More lie beyond each `…`."
                ))?;
            }
        }
        page.line(
            "What nobody registered cannot be seen; what was registered as raw has no source here.",
        )?;
        proved(page, &self.as_of)
    }
}
