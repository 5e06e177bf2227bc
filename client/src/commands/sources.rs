//! `headwater sources`: many sources behind one owner's part of a right.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use headwater_ledger::event::aggregate::SumNode;
use headwater_ledger::event::{Event, PaySource, SealSources};
use headwater_ledger::hash::{AggregateId, AssetId, Digest};
use headwater_ledger::limits::MAX_SOURCES;
use headwater_ledger::merkle::sum::{Node, Tree};
use headwater_ledger::query::QueryError;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::AggregateRecord;
use headwater_ledger::state::{Key, View as _};
use headwater_ledger::text::Code;

use super::payout::proved_account;
use crate::build::{Acting, ActingArgs};
use crate::failure::{Failure, Kind};
use crate::lookup::{AccountRef, ObjectRef};
use crate::remote::resolve::AssetRef;
use crate::salts::Salts;
use crate::session::Session;
use crate::value::amount::{self, Notation};
use crate::value::choice;

/// Commit to the sources behind a part of a right, and hand their parts on.
#[derive(Debug, Subcommand)]
pub enum SourcesCommand {
    /// Commit to the sources and their weights
    #[command(after_help = "\
Examples:
  headwater sources seal city-hospital/admissions-2026 --right holding --from sources.csv \\
      --as patients-fund

FILE has a line SOURCE,WEIGHT for each source: a code of your own, never a name, and a whole number
from 1. Only a commitment is recorded. The salts are kept in the folder salts of the home folder:
without them and the file no source can be paid. Until a source has been paid, the list can be sealed anew
in place of one that was wrong.")]
    Seal(SealArgs),
    /// Record that a source was handed its part
    #[command(after_help = "\
Examples:
  headwater sources pay 01234567 P-000017 --from sources.csv \\
      --account insight-co/report@first-exchange:CNY --amount 12.50 \\
      --bank-ref ICBC-20261201-000117 --as patients-fund

FILE is the one that was sealed, unchanged.")]
    Pay(PayArgs),
}

/// Arguments of `headwater sources seal`.
#[derive(Debug, Args)]
pub struct SealArgs {
    /// The asset: HANDLE/NAME or an id
    asset: AssetRef,
    /// The right of which you own a part: holding, processing or operation
    #[arg(long, value_parser = choice::parse::<Right>)]
    right: Right,
    /// CSV file of the sources
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater sources pay`.
#[derive(Debug, Args)]
pub struct PayArgs {
    /// The aggregate's id, or at least 8 of its digits
    aggregate: ObjectRef,
    /// The source, as in the file
    source: String,
    /// CSV file of the sources
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The account the money came from: PRODUCT@EXCHANGE:CURRENCY or its id
    #[arg(long)]
    account: AccountRef,
    /// What the source was paid
    #[arg(long, value_name = "AMOUNT")]
    amount: String,
    /// The amount is in whole minor units
    #[arg(long)]
    minor: bool,
    /// Your reference of the payment, unique for you
    #[arg(long, value_name = "REF")]
    bank_ref: Code,
    #[command(flatten)]
    acting: ActingArgs,
}

impl SourcesCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            SourcesCommand::Seal(args) => args.run(session),
            SourcesCommand::Pay(args) => args.run(session),
        }
    }
}

/// The sources of a file, in its order.
fn read(path: &Path) -> Result<Vec<(String, u64)>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error))?;
    parse(&text).map_err(|(line, why)| {
        Failure::new(Kind::BadInput, format_args!("{}, line {line}: {why}", path.display()))
            .hint("write a line SOURCE,WEIGHT for each source")
    })
}

/// The lines `SOURCE,WEIGHT` of a text; a first line `source,weight` is a heading.
fn parse(text: &str) -> Result<Vec<(String, u64)>, (usize, String)> {
    let mut sources = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, line) in text.lines().enumerate() {
        let bad = |why: &str| (at + 1, why.to_string());
        let line = line.trim();
        if line.is_empty() || (at == 0 && line.eq_ignore_ascii_case("source,weight")) {
            continue;
        }
        let (source, weight) = line.rsplit_once(',').ok_or_else(|| bad("no comma"))?;
        let (source, weight) = (source.trim(), weight.trim());
        let weight = weight.parse::<u64>().ok().filter(|weight| *weight > 0);
        let weight = weight.ok_or_else(|| bad("the weight is no whole number from 1"))?;
        if source.is_empty() {
            return Err(bad("the source has no name"));
        }
        if !seen.insert(source) {
            return Err(bad("the source is named twice"));
        }
        sources.push((source.to_string(), weight));
    }
    let most = usize::try_from(MAX_SOURCES).unwrap_or(usize::MAX);
    if sources.is_empty() || sources.len() > most {
        return Err((0, format!("{} sources, expected 1 to {most}", sources.len())));
    }
    Ok(sources)
}

/// The sources' commitments and the tree over them.
fn tree(salts: &mut Salts, sources: &[(String, u64)]) -> Result<(Vec<Digest>, Tree), Failure> {
    let mut commitments = Vec::with_capacity(sources.len());
    for (source, _) in sources {
        commitments.push(salts.commit_text(source)?);
    }
    let leaves = commitments.iter().zip(sources).map(|(c, (_, weight))| Node::leaf(c, *weight));
    let tree = Tree::new(leaves.collect()).ok_or_else(|| {
        Failure::new(Kind::BadInput, "the weights of the sources are too large together")
    })?;
    Ok((commitments, tree))
}

fn salts(session: &Session, asset: &AssetId, right: Right) -> Result<Salts, Failure> {
    let subject = format!("sources-{right}-{}", hex::encode(asset.digest().raw()));
    Salts::open(&session.home, &subject)
}

impl SealArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let sources = read(&self.from)?;
        let acting = Acting::begin(session, &self.acting)?;
        let (asset, right) = (acting.asset(&self.asset), self.right);
        let mut salts = salts(session, &asset, right)?;
        let (_, tree) = tree(&mut salts, &sources)?;
        let root = tree.root().ok_or_else(|| Failure::new(Kind::BadInput, "no sources"))?;
        if !acting.is_dry_run() {
            salts.save()?;
        }
        acting.act(Event::SealSources(SealSources {
            asset,
            right,
            root: root.hash,
            // At most `MAX_SOURCES`, as read.
            sources: u32::try_from(sources.len()).unwrap_or(u32::MAX),
            total_weight: root.sum,
        }))
    }
}

impl PayArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let sources = read(&self.from)?;
        let index = sources.iter().position(|(source, _)| *source == self.source);
        let index = index.ok_or_else(|| {
            let message = format_args!("{} is not in {}", self.source, self.from.display());
            Failure::new(Kind::NotFound, message).hint("correct the source or --from")
        })?;
        let acting = Acting::begin(session, &self.acting)?;
        let aggregate: AggregateId = acting.id(&self.aggregate)?;
        let record = acting.ask(|view| {
            let record: Option<AggregateRecord> = view.get(&Key::Aggregate(aggregate))?;
            record.ok_or_else(|| QueryError::Unknown(format!("aggregate {aggregate}")))
        })?;
        let mut salts = salts(session, &record.asset, record.right)?;
        let (commitments, tree) = tree(&mut salts, &sources)?;
        if tree.root().map(|root| root.hash) != Some(record.root) {
            let message = "the file, with the salts kept here, is not what was sealed";
            return Err(Failure::new(Kind::VerificationFailed, message)
                .hint("use the very file that was sealed, on the machine that sealed it"));
        }
        let account = acting.account(&self.account)?;
        let currency = proved_account(&acting, &account)?.currency;
        let notation = if self.minor { Notation::Minor } else { Notation::Decimal };
        let amount = amount::parse(&self.amount, &currency, notation)?;
        let path = tree.path(index).unwrap_or_default();
        let proof = path.into_iter().map(|node| SumNode { hash: node.hash, sum: node.sum });
        acting.act(Event::PaySource(PaySource {
            aggregate,
            account,
            source: commitments[index],
            weight: sources[index].1,
            index: index as u64,
            proof: choice::list(proof.collect(), "nodes")?,
            amount,
            bank_reference: self.bank_ref,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_lines_of_a_name_and_a_weight() {
        let expected = vec![("P-1".to_string(), 3), ("P-2".to_string(), 10)];
        assert_eq!(parse("source,weight\nP-1,3\n\n P-2 , 10 \n"), Ok(expected));
        for (bad, line) in [("", 0), ("P-1", 1), ("P-1,0", 1), ("a,1\na,2", 2), (",1", 1)] {
            assert_eq!(parse(bad).unwrap_err().0, line, "{bad}");
        }
    }
}
