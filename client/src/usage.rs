//! What is said of a command line that cannot be read: a sentence, and how that very command is
//! written.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::failure::{Failure, Kind};

/// Why a command line cannot be read, with an example of the command that it names.
pub fn failure(error: &clap::Error, root: &Command, arguments: &[OsString]) -> Failure {
    let (path, command) = named(root, arguments);
    let mut hints: Vec<String> = tips(error);
    if let Some(suggested) = values(error, ContextKind::SuggestedSubcommand).last() {
        let found = command.find_subcommand(suggested);
        hints.extend(found.and_then(example).map(|line| format!("for example: {line}")));
    } else {
        hints.extend(example(command).map(|line| format!("for example: {line}")));
    }
    hints.push(format!("`{path} --help` has more"));
    Failure::new(Kind::Usage, sentence(error, &path, command)).hint(hints.join("; "))
}

/// The lines of a command's `Examples:` as they are typed, without what is for the shell or the
/// reader.
pub fn examples(command: &Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut examples = Vec::new();
    let mut lines = help.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if !line.starts_with("headwater ") {
            continue;
        }
        let mut whole = line.to_string();
        while whole.ends_with('\\') {
            whole.truncate(whole.trim_end_matches('\\').trim_end().len());
            whole.push(' ');
            whole.push_str(lines.next().unwrap_or_default());
        }
        let end = ["  ", " > ", " | "].iter().filter_map(|mark| whole.find(mark)).min();
        whole.truncate(end.unwrap_or(whole.len()));
        examples.push(whole);
    }
    examples
}

/// The first example of a command, or of the first of its commands that has one.
fn example(command: &Command) -> Option<String> {
    let own = examples(command).into_iter().next();
    own.or_else(|| command.get_subcommands().find_map(example))
}

/// The command that arguments name, as far as they name one, and its words.
fn named<'a>(root: &'a Command, arguments: &[OsString]) -> (String, &'a Command) {
    let (mut path, mut command) = (root.get_name().to_string(), root);
    let mut words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        if let Some(option) = word.strip_prefix("--") {
            let of =
                |c: &Command| c.get_arguments().any(|a| a.get_long() == Some(option) && takes(a));
            if of(command) || of(root) {
                words.next();
            }
        } else if let Some(found) = command.find_subcommand(word) {
            path = format!("{path} {}", found.get_name());
            command = found;
        } else {
            break;
        }
    }
    (path, command)
}

fn takes(argument: &clap::Arg) -> bool {
    argument.get_action().takes_values()
}

/// What is wrong, without capital and full stop.
fn sentence(error: &clap::Error, path: &str, command: &Command) -> String {
    match error.kind() {
        ErrorKind::MissingRequiredArgument => {
            let mut missing = values(error, ContextKind::InvalidArg);
            missing.sort_by_key(|name| name.starts_with('-'));
            format!("`{path}` needs {}", missing.join(", "))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            format!("`{path}` needs a command: {}", names.join(", "))
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

/// What the parser itself advises.
fn tips(error: &clap::Error) -> Vec<String> {
    let meant =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    // The nearest comes last.
    let meant = meant.iter().flat_map(|kind| values(error, *kind)).rev();
    let meant: Vec<String> = meant.map(|name| format!("`{name}`")).collect();
    if meant.is_empty() { Vec::new() } else { vec![format!("did you mean {}", meant.join(" or "))] }
}

fn values(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(value)) => vec![value.clone()],
        Some(ContextValue::Strings(values)) => values.clone(),
        _ => Vec::new(),
    }
}
