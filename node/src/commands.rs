//! The command line of `headwater-node`.

mod check;
mod dev;
mod init;
mod scenario;
mod start;
mod testnet;
mod vouch;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::config::ConfigError;
use crate::hint::Hinted;
use crate::home::Home;
use crate::logging::LogError;

const AFTER_HELP: &str = "\
Examples:
  headwater-node dev                                  one validator, nothing to configure
  headwater-node testnet --output net --validators gz-exchange,bj-exchange,sd-exchange,fj-exchange
  headwater-node start --home net/gz-exchange
  headwater-node check --home net/gz-exchange         re-derive everything from the block log

Exit codes: 0 done, 1 failed, 2 bad usage.";

/// Headwater's validator daemon.
#[derive(Debug, Parser)]
#[command(name = "headwater-node", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the folder of a node: configuration, keys, and a genesis document if one is given
    Init(init::Args),
    /// Make the folders of a whole network on this machine
    Testnet(testnet::Args),
    /// Run one validator for development, made on first use
    Dev(dev::Args),
    /// Run a node
    Start(HomeArg),
    /// Rebuild the query indexes from the block log
    Reindex(HomeArg),
    /// Verify the whole block log: certificates, signatures, every rule, every state root
    Check(check::Args),
    /// Run stories on the rules and compare what comes of them with what they expect
    Scenario(scenario::Args),
    /// Say that a validator whose last-signed record is lost signed nothing above a height
    Vouch(vouch::Args),
}

/// The folder of a node.
#[derive(Debug, clap::Args)]
struct HomeArg {
    /// Folder of the node
    #[arg(long, value_name = "DIR", env = "HEADWATER_NODE_HOME")]
    home: PathBuf,
}

impl HomeArg {
    fn home(&self) -> Home {
        Home::at(&self.home)
    }
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Command::Init(args) => init::run(args),
        Command::Testnet(args) => testnet::run(args),
        Command::Dev(args) => dev::run(args),
        Command::Start(args) => start::run(&args.home()),
        Command::Reindex(args) => check::reindex(&args.home()),
        Command::Check(args) => check::run(args),
        Command::Scenario(args) => scenario::run(args),
        Command::Vouch(args) => vouch::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            if let Some(hint) = hint(&error) {
                eprintln!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

fn hint(error: &anyhow::Error) -> Option<String> {
    for cause in error.chain() {
        if let Some(hinted) = cause.downcast_ref::<Hinted>() {
            return Some(hinted.hint().into());
        }
        if let Some(error) = cause.downcast_ref::<ConfigError>() {
            return Some(error.hint().into());
        }
        if let Some(error) = cause.downcast_ref::<LogError>() {
            return Some(error.hint().into());
        }
    }
    None
}

fn print_json(value: &serde_json::Value) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
