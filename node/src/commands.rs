//! The command line of `headwater-node`.

mod check;
mod dev;
mod init;
mod scenario;
mod start;
mod testnet;
mod usage;
mod vouch;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, Parser, Subcommand};
use serde_json::json;

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

Exit codes: 0 done, 1 failed, 2 bad usage. With --json a failure is
{\"error\":{\"code\":…,\"message\":…,\"hint\":…}} on standard output.";

const BAD_USAGE: u8 = 2;

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
    #[command(after_help = "Example:\n  headwater-node start --home net/gz-exchange")]
    Start(HomeArg),
    /// Rebuild the query indexes from the block log
    #[command(
        after_help = "Example:\n  headwater-node reindex --home net/gz-exchange\n\nThe node must not be running."
    )]
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
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let form = match arguments.iter().any(|argument| argument == "--json") {
        true => Form::Json,
        false => Form::Human,
    };
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return misread(&error, &arguments, form),
    };
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
        Err(error) if reader_has_gone(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Its document is printed: one is all that `--json` gives.
            let form = if error.is::<scenario::CameOtherwise>() { Form::Human } else { form };
            tell(form, "failed", &format!("{error:#}"), &hint(&error));
            ExitCode::FAILURE
        }
    }
}

/// How failures are told.
#[derive(Clone, Copy)]
enum Form {
    Human,
    Json,
}

/// Prints a failure: as lines on standard error, or as one document on standard output.
fn tell(form: Form, code: &str, message: &str, hint: &str) {
    match form {
        Form::Human => eprintln!("error: {message}\nhint: {hint}"),
        Form::Json => {
            let error = json!({ "code": code, "message": message, "hint": hint });
            println!("{}", json!({ "error": error }));
        }
    }
}

/// Prints help, version, or what is wrong with the arguments.
fn misread(error: &clap::Error, arguments: &[OsString], form: Form) -> ExitCode {
    // Nothing can be done when the reader has gone.
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if arguments.len() <= 1 {
        let _ = write!(io::stderr(), "{}", Cli::command().render_help());
        return ExitCode::from(BAD_USAGE);
    }
    let (message, hint) = usage::told(error, &Cli::command(), arguments);
    tell(form, "usage", &message, &hint);
    ExitCode::from(BAD_USAGE)
}

/// Whether who read the output has seen enough of it, as `head` does.
fn reader_has_gone(error: &anyhow::Error) -> bool {
    let gone = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    error.downcast_ref::<io::Error>().is_some_and(gone)
}

fn hint(error: &anyhow::Error) -> String {
    for cause in error.chain() {
        if let Some(hinted) = cause.downcast_ref::<Hinted>() {
            return hinted.hint().into();
        }
        if let Some(error) = cause.downcast_ref::<ConfigError>() {
            return error.hint().into();
        }
        if let Some(error) = cause.downcast_ref::<LogError>() {
            return error.hint().into();
        }
        match cause.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::NotFound) => return "check the path, and where it begins".into(),
            Some(io::ErrorKind::AddrInUse) => {
                let text = "another program listens there: stop it, or change config.toml";
                return text.into();
            }
            Some(_) | None => {}
        }
    }
    "`headwater-node help COMMAND` has the command's options; docs/operating.md has more".into()
}

fn print_json(value: &serde_json::Value) -> Result<()> {
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string_pretty(value)?)?)
}
