//! `headwater act`: an event written as JSON, signed and sent to the letter.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use headwater_ledger::event::Event;
use serde_json::Value;

use crate::build::{Acting, ActingArgs};
use crate::failure::{Failure, Kind};
use crate::session::Session;

const AFTER_HELP: &str = "\
Examples:
  headwater grant offer city-hospital/a --to data-works --right processing --days 90 \\
      --purpose commercial --territory CN --dry-run --json --as city-hospital > act.json
  headwater act act.json --approve --as patients-fund
  headwater act act.json --as city-hospital

FILE holds an event in the ledger's JSON, such as {\"accept_grant\":{\"grant\":…}}, or what --dry-run
--json printed; - reads standard input. Owners who act for a right together need the very same
act: one writes it down, the others approve it with --approve, then it is done.";

/// Arguments of `headwater act`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct ActArgs {
    /// File with the event, or with what --dry-run --json printed
    file: PathBuf,
    #[command(flatten)]
    acting: ActingArgs,
}

impl ActArgs {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::io("read", &self.file, &error);
        let mut text = String::new();
        if self.file.as_os_str() == "-" {
            std::io::stdin().lock().read_to_string(&mut text).map_err(failed)?;
        } else {
            text = fs::read_to_string(&self.file).map_err(failed)?;
        }
        let events = events(&text).map_err(|error| {
            let message = format_args!("{} holds no event: {error}", self.file.display());
            Failure::new(Kind::BadInput, message)
                .hint("write it as {\"accept_grant\":{\"grant\":…}}, or use --dry-run --json")
        })?;
        Acting::begin(session, &self.acting)?.act_all(events, None)
    }
}

/// The events of a text: one event, or those of an envelope that was not signed.
fn events(text: &str) -> Result<Vec<Event>, serde_json::Error> {
    let mut value: Value = serde_json::from_str(text)?;
    match value.pointer_mut("/envelope/events") {
        Some(events) => serde_json::from_value(events.take()),
        None => Ok(vec![serde_json::from_value(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_alone_or_from_a_dry_run() {
        let event = r#"{"suspend_member":{"member":"lab"}}"#;
        let one = events(event).unwrap();
        let dry = format!(r#"{{"dry_run":true,"envelope":{{"header":{{}},"events":[{event}]}}}}"#);
        assert_eq!(events(&dry).unwrap(), one);
        assert!(events("{}").is_err() && events("").is_err());
    }
}
