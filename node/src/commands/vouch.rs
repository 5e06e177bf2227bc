//! `vouch`: an operator's word after the last-signed record was lost.

use anyhow::{Result, bail};

use super::HomeArg;
use crate::engine::vouch_nothing_signed_above;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  headwater-node vouch --home node --height 1200 --yes\n\nA validator without its last-signed record abstains until the network has moved on. When more than\na third of the validators lost theirs at once, the network waits; then every operator who knows\nthat its validator signed nothing above a height may say so. A false word can fork the chain."
)]
pub(super) struct Args {
    #[command(flatten)]
    home: HomeArg,
    /// The validator has signed nothing above this height
    #[arg(long)]
    height: u64,
    /// You are sure
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(args: &Args) -> Result<()> {
    if !args.yes {
        bail!("a false word can fork the chain; repeat with --yes if you are sure");
    }
    let home = args.home.home();
    let chain_id = home.genesis()?.chain_id()?;
    let key = home.keys()?.signing_key().public_key();
    std::fs::create_dir_all(home.engine_folder())?;
    let validator = headwater_ledger::validator::address_of(&key);
    vouch_nothing_signed_above(&home.engine_folder(), chain_id, validator, args.height)?;
    println!("{validator} may sign from height {} on", args.height.saturating_add(1));
    Ok(())
}
