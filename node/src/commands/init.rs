//! `init`: the folder of one node.

use std::path::PathBuf;

use anyhow::Result;
use headwater_ledger::state::State;
use serde_json::json;

use super::print_json;
use crate::config::{Config, RawConfig};
use crate::hint::hinted;
use crate::home::{Home, read_genesis};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  headwater-node init --home node --moniker gz-1 --genesis genesis.json\n\nPrints the public half of the keys as JSON: the consensus key goes into the genesis document's\n`validators`, the peer id into the `peers` of the other nodes' config.toml."
)]
pub(super) struct Args {
    /// Folder to make
    #[arg(long, value_name = "DIR", env = "HEADWATER_NODE_HOME")]
    home: PathBuf,
    /// Name of the node in logs
    #[arg(long, default_value = "headwater")]
    moniker: String,
    /// Genesis document of the network
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let genesis = args.genesis.as_deref().map(read_genesis).transpose()?;
    if let Some(genesis) = &genesis {
        State::genesis(genesis)?;
    }
    let chain_id = genesis.as_ref().map(|g| g.chain_id()).transpose()?;
    let raw = RawConfig { moniker: args.moniker.clone(), ..RawConfig::default() };
    let home = Home::at(&args.home);
    if genesis.is_some() && home.genesis_file().exists() {
        let text = format!("{} exists already", home.genesis_file().display());
        return Err(hinted(text, "leave out --genesis to keep it, or choose another folder"));
    }
    let keys = home.create(&Config::try_from(raw)?)?;
    if let Some(genesis) = &genesis {
        home.write_genesis(genesis)?;
    }
    print_json(&json!({
        "home": args.home,
        "consensus_key": keys.signing_key().public_key(),
        "peer_id": keys.peer_id(),
        "chain_id": chain_id,
    }))
}
