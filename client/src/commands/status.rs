//! `headwater status`: the chain this folder is pinned to, and where the node stands, proved.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use clap::Args;
use headwater_ledger::hash::{ChainId, Digest};
use headwater_ledger::text::Handle;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::output::{Page, Report};
use crate::remote::chain::Pinned;
use crate::remote::view::{AsOf, VerifiedView};
use crate::remote::{Connection, Expected, Pinning};
use crate::session::Session;
use crate::show;

const AFTER_HELP: &str = "\
Examples:
  headwater status
  headwater status --chain-id blake3:…       pin this chain, or fail if another is pinned
  headwater status --genesis genesis.json    the same, with a genesis document of your own
  headwater status --pin                     forget the pinned chain and pin the node's

A chain is named by the hash of its genesis document. The first command that talks to a node pins
the chain which that node states; from then on nothing of another chain is accepted. To be sure,
get the chain id from an exchange by another way, and pass it with --chain-id.

With --json:
  {\"as_of\":{chain_id,height,block_id,time_ms,state_root},
   \"name\":…,\"pinning\":\"before\"|\"as_named\"|\"first_use\",\"pin_file\":…,
   \"validators\":{\"hash\":…,\"power\":N,\"signed_power\":N,
     \"members\":[{member,power,signed}]},
   \"stated\":{moniker,version,protocol,height,index_height,min_state_height,
     mempool:{envelopes,bytes,waiting}}}
`stated` is what the node says of itself; everything else is proved.";

/// Arguments of `headwater status`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct StatusArgs {
    /// Chain to pin, or to compare with the pinned one
    #[arg(long, value_name = "ID")]
    chain_id: Option<ChainId>,
    /// Genesis document of the chain to pin, or to compare with the pinned one
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Replace the pinned chain
    #[arg(long)]
    pin: bool,
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stated {
    moniker: String,
    version: String,
    protocol: u32,
    height: u64,
    index_height: u64,
    min_state_height: u64,
    mempool: Mempool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mempool {
    envelopes: u64,
    bytes: u64,
    waiting: u64,
}

#[derive(Debug, Serialize)]
struct StatusReport {
    as_of: AsOf,
    name: String,
    pinning: &'static str,
    pin_file: PathBuf,
    validators: ValidatorsShown,
    stated: Stated,
    #[serde(skip)]
    node: String,
}

#[derive(Debug, Serialize)]
struct ValidatorsShown {
    hash: Digest,
    power: u64,
    signed_power: u64,
    members: Vec<ValidatorShown>,
}

#[derive(Debug, Serialize)]
struct ValidatorShown {
    member: Handle,
    power: u64,
    signed: bool,
}

impl StatusArgs {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        let expected =
            Expected { chain_id: self.chain_id, genesis: self.genesis, replace: self.pin };
        let connection = Connection::open_for(session, &expected)?;
        let view = connection.view(None)?;
        let stated: Stated = connection.node().get("/v1/status")?.ok()?.parse()?;
        session.output.report(&StatusReport {
            as_of: view.as_of(),
            name: connection.chain_name(),
            pinning: match connection.pinning() {
                Pinning::Before => "before",
                Pinning::AsNamed => "as_named",
                Pinning::FirstUse => "first_use",
            },
            pin_file: Pinned::path(connection.home()),
            validators: ValidatorsShown::of(&view),
            stated,
            node: session.node.to_string(),
        })
    }
}

impl ValidatorsShown {
    fn of(view: &VerifiedView<'_>) -> Self {
        let block = view.block();
        let signers: BTreeSet<_> =
            block.certificate.signatures.iter().map(|signature| signature.validator).collect();
        let shown = |v: &headwater_ledger::validator::Validator| ValidatorShown {
            member: v.member.clone(),
            power: v.power,
            signed: signers.contains(&v.address()),
        };
        let members: Vec<ValidatorShown> = block.validators.iter().map(shown).collect();
        ValidatorsShown {
            hash: block.header.validators,
            power: members.iter().map(|v| v.power).sum(),
            signed_power: members.iter().filter(|v| v.signed).map(|v| v.power).sum(),
            members,
        }
    }
}

impl Report for StatusReport {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.field("chain", &self.name)?;
        page.field("chain id", self.as_of.chain_id)?;
        let pinned = match self.pinning {
            "before" => "pinned",
            "as_named" => "pinned now, as you named it",
            _ => "pinned now, as the node states it: compare the chain id with an exchange's",
        };
        page.field("", format_args!("{pinned} ({})", self.pin_file.display()))?;
        page.field("height", show::grouped(self.as_of.height))?;
        page.field("block", self.as_of.block_id)?;
        page.field("time", show::time(self.as_of.time_ms))?;
        page.field("state root", self.as_of.state_root)?;
        let v = &self.validators;
        page.field(
            "certificate",
            format_args!("signed by {} of {} voting power, verified", v.signed_power, v.power),
        )?;
        page.line("")?;
        let rows = v.members.iter().map(|v| {
            let signed = if v.signed { "yes" } else { "no" };
            [v.member.to_string(), v.power.to_string(), signed.to_string()]
        });
        page.table(["validator", "power", "signed"], rows)?;
        page.line("")?;
        let s = &self.stated;
        page.line("The node says of itself, which is not proved:")?;
        page.field("node", format_args!("{} at {}", s.moniker, self.node))?;
        page.field("version", format_args!("{}, protocol {}", s.version, s.protocol))?;
        page.field("index", format_args!("height {}", show::grouped(s.index_height)))?;
        page.field(
            "states",
            format_args!("of heights from {} on", show::grouped(s.min_state_height)),
        )?;
        page.field(
            "mempool",
            format_args!(
                "{}, {} of them waiting",
                show::count(s.mempool.envelopes, "envelope", "envelopes"),
                s.mempool.waiting
            ),
        )
    }
}
