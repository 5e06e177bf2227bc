//! The command line: options that hold for every command, and the way from arguments to exit code.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser};

use crate::commands::Command;
use crate::failure::{Failure, Kind};
use crate::keystore::KeyName;
use crate::output::{Format, Output};
use crate::passphrase::Source;
use crate::session::{NodeUrl, Session};
use crate::usage;

const AFTER_HELP: &str = "\
Examples:
  headwater key new city-hospital          make a signing key
  headwater hash admissions.csv            commit to a file without showing it
  headwater status                         pin a chain, and see where the node stands
  headwater trace HANDLE/NAME --down       everything registered as made from an asset
  headwater statement HANDLE               who is owed what, line by line
  headwater grant accept ID --as HANDLE    sign an act; see also asset, contract, payment
  headwater inbox approve --all grant      say yes to what waits for you
  headwater submit FILE.ndjson             sign and send a file of envelopes
  headwater help COMMAND                   more about a command

Exit codes: 0 done, 1 refused or failed, 2 bad usage, 3 verification failed.
With --json, results and failures are one JSON document a line on standard output;
a failure is {\"error\":{\"code\":…,\"message\":…,\"hint\":…}}.";

/// The commands by what they are about, in order of first use.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Ask", &["status", "inbox", "explain", "trace", "shares", "statement"]),
    ("Yourself and others", &["key", "member", "govern"]),
    ("Data and rights", &["hash", "asset", "grant", "access", "review"]),
    ("Trade", &["listing", "contract", "certificate"]),
    ("Money", &["payment", "refund", "payout", "account", "sources", "dispute"]),
    ("Any act", &["act", "submit"]),
];

const TEMPLATE: &str = "\
{about-with-newline}
{usage-heading} {usage}

{before-help}Options for all commands:
{options}{after-help}";

/// The command line, with its commands shown by group.
fn command() -> clap::Command {
    let command = takes_negative(Cli::command());
    let mut overview = String::new();
    for (group, names) in GROUPS {
        overview.push_str(&format!("{group}:\n"));
        for name in names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            overview.push_str(&format!("  {name:<12} {about}\n"));
        }
        overview.push('\n');
    }
    command.help_template(TEMPLATE).before_help(overview.trim_end().to_string())
}

/// Reads `-5.00` after an option as its value, so that what is said is what is wrong with it.
fn takes_negative(command: clap::Command) -> clap::Command {
    let names: Vec<String> =
        command.get_subcommands().map(|command| command.get_name().to_string()).collect();
    let negative = |argument: clap::Arg| match argument.get_action().takes_values() {
        true => argument.allow_negative_numbers(true),
        false => argument,
    };
    names.into_iter().fold(command.mut_args(negative), |command, name| {
        command.mut_subcommand(name, takes_negative)
    })
}

/// Query and sign on a Headwater ledger; every answer is verified before it is printed.
#[derive(Debug, Parser)]
#[command(name = "headwater", version, after_help = AFTER_HELP, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// Options that hold for every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options for all commands")]
struct GlobalArgs {
    /// Folder of keys and pinned state [default: ~/.headwater]
    #[arg(long, global = true, env = "HEADWATER_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    /// Node to ask
    #[arg(
        long,
        global = true,
        env = "HEADWATER_NODE",
        value_name = "URL",
        default_value = "http://127.0.0.1:26680"
    )]
    node: NodeUrl,
    /// Member who acts, or one of its keys: HANDLE or HANDLE+LABEL
    #[arg(long = "as", global = true, env = "HEADWATER_AS", value_name = "HANDLE")]
    acting: Option<KeyName>,
    /// File that holds the passphrase; else HEADWATER_PASSPHRASE or the terminal
    #[arg(long, global = true, env = "HEADWATER_PASSPHRASE_FILE", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Print JSON, one document a line
    #[arg(long, global = true)]
    json: bool,
}

impl GlobalArgs {
    fn into_session(self) -> Result<Session, Failure> {
        let given = self.home.filter(|home| !home.as_os_str().is_empty());
        let home = given.or_else(|| std::env::home_dir().map(|home| home.join(".headwater")));
        let home = home.ok_or_else(|| {
            Failure::new(Kind::Usage, "there is no home folder to keep keys in")
                .hint("pass --home DIR or set HEADWATER_HOME")
        })?;
        let format = if self.json { Format::Json } else { Format::Human };
        let passphrase = Source {
            file: self.passphrase_file,
            variable: "HEADWATER_PASSPHRASE",
            option: "--passphrase-file",
        };
        Ok(Session {
            home,
            node: self.node,
            output: Output::new(format),
            acting: self.acting,
            passphrase,
        })
    }
}

/// Runs the command that the process's arguments name.
pub fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let parsed = command().try_get_matches_from(&arguments);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &arguments),
    };
    let output = Output::new(if cli.global.json { Format::Json } else { Format::Human });
    match cli.global.into_session().and_then(|session| cli.command.run(&session)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.kind().exit_code())
        }
    }
}

/// Prints help, version, or what is wrong with the arguments.
fn usage(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let json = arguments.iter().take_while(|a| *a != "--").any(|argument| argument == "--json");
    // Nothing can be done when the reader has gone.
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if arguments.len() <= 1 {
        let _ = write!(std::io::stderr(), "{}", command().render_help());
        return ExitCode::from(Kind::Usage.exit_code());
    }
    let failure = usage::failure(error, &command(), arguments);
    Output::new(if json { Format::Json } else { Format::Human }).failure(&failure);
    ExitCode::from(failure.kind().exit_code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_is_in_one_group_of_the_overview() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        grouped.sort_unstable();
        let command = Cli::command();
        let mut names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        names.sort_unstable();
        assert_eq!(grouped, names);
        let help = super::command().render_help().to_string();
        assert!(
            help.contains("Trade:\n  listing ") && help.contains("--passphrase-file"),
            "{help}"
        );
    }

    #[test]
    fn every_command_has_help_with_examples() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{} has no description", command.get_name());
            if command.get_subcommands().next().is_none() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("Examples:"), "{} has no examples", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    /// The words of a command line.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match (c, words.last_mut()) {
                ('\'', _) => quoted = !quoted,
                (' ', _) if !quoted => words.push(String::new()),
                (c, Some(word)) => word.push(c),
                (_, None) => {}
            }
        }
        words
    }

    #[test]
    fn every_example_is_a_command_line_that_parses() {
        fn check(command: &clap::Command, count: &mut usize) {
            for whole in usage::examples(command) {
                // What stands for something else is no example of it.
                if whole.contains('…') {
                    continue;
                }
                let parsed = Cli::try_parse_from(words(&whole));
                assert!(parsed.is_ok(), "{whole}: {}", parsed.unwrap_err());
                *count += 1;
            }
            command.get_subcommands().for_each(|command| check(command, count));
        }
        let mut count = 0;
        Cli::command().get_subcommands().for_each(|command| check(command, &mut count));
        assert!(count > 80, "{count} examples");
    }
}
