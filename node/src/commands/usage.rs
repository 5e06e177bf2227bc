//! What is said of a command line that cannot be read: a sentence, and how that very command is
//! written.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// A sentence and a hint about arguments that cannot be read.
pub(super) fn told(
    error: &clap::Error,
    root: &Command,
    arguments: &[OsString],
) -> (String, String) {
    let names = arguments.iter().skip(1).filter_map(|word| word.to_str());
    let found = names.filter(|word| !word.starts_with('-')).find_map(|w| root.find_subcommand(w));
    let path = match found {
        Some(command) => format!("{} {}", root.get_name(), command.get_name()),
        None => root.get_name().to_owned(),
    };
    let mut hint = match example(found.unwrap_or(root)) {
        Some(line) => format!("for example: {line}; `{path} --help` has more"),
        None => format!("`{path} --help` has more"),
    };
    if let Some(ContextValue::Strings(near)) = error.get(ContextKind::SuggestedSubcommand)
        && let Some(near) = near.last()
    {
        hint = format!("did you mean `{near}`; {hint}");
    }
    (sentence(error, &path), hint)
}

/// The first command line of a command's examples.
fn example(command: &Command) -> Option<String> {
    let help = command.get_after_help()?.to_string();
    let mut lines = help.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with("headwater-node "))?;
    Some(line.split("  ").next().unwrap_or(line).to_owned())
}

fn sentence(error: &clap::Error, path: &str) -> String {
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(missing))) => {
            format!("`{path}` needs {}", missing.join(", "))
        }
        (ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, _) => {
            format!("`{path}` needs a command")
        }
        _ => {
            // Its first paragraph, on one line; the others are tips and usage.
            let text = error.to_string();
            let first = text.split("\n\n").next().unwrap_or_default();
            let first = first.strip_prefix("error: ").unwrap_or(first);
            first.split_whitespace().collect::<Vec<_>>().join(" ")
        }
    }
}
