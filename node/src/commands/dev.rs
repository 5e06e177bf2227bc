//! `dev`: one validator with nothing to configure.

use std::path::PathBuf;

use anyhow::{Context, Result};
use headwater_ledger::codec::List;
use headwater_ledger::event::member::Role;
use headwater_ledger::genesis::{Genesis, PROTOCOL_VERSION};
use headwater_ledger::text::Handle;
use headwater_ledger::validator::Validator;

use super::{start, testnet};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, RawConfig};
use crate::home::{Home, fresh_seed, write_secret};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  headwater-node dev\n  headwater-node dev --home dev\n\nThe member `dev` is exchange, regulator, holder, processor, operator and buyer at once. Its key:\n  headwater key import dev --seed-file DIR/member.seed\n  headwater --as dev status"
)]
pub(super) struct Args {
    /// Folder of the node [default: ~/.headwater-dev]
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let folder = match &args.home {
        Some(folder) => folder.clone(),
        None => std::env::home_dir()
            .context("there is no home folder; pass --home DIR")?
            .join(".headwater-dev"),
    };
    let home = Home::at(folder);
    if !home.config_file().exists() {
        create(&home)?;
    }
    let seed = home.folder().join("member.seed");
    eprintln!("the key of member `dev`: headwater key import dev --seed-file {}", seed.display());
    start::run(&home)
}

fn create(home: &Home) -> Result<()> {
    let raw = RawConfig { moniker: "dev".into(), ..RawConfig::default() };
    let keys = home.create(&Config::try_from(raw)?)?;
    let member: Handle = "dev".parse()?;
    let seed = fresh_seed()?;
    let roles = [
        Role::Exchange,
        Role::Holder,
        Role::Processor,
        Role::Operator,
        Role::Buyer,
        Role::Regulator,
    ];
    let key = headwater_ledger::keys::SigningKey::from_seed(&seed);
    let admission = testnet::admission(&member, &roles, &key)?;
    let too_many = |_| anyhow::anyhow!("too many members");
    let validator = Validator { member, key: keys.signing_key().public_key(), power: 1 };
    let genesis = Genesis {
        rulebook: Default::default(),
        name: "dev".parse()?,
        protocol: PROTOCOL_VERSION,
        time_ms: SystemClock.now_ms(),
        members: List::new(vec![admission]).map_err(too_many)?,
        validators: List::new(vec![validator]).map_err(|_| anyhow::anyhow!("too many"))?,
    };
    home.write_genesis(&genesis)?;
    write_secret(&home.folder().join("member.seed"), &seed)
}
