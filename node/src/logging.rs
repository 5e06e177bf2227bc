//! The node's log: one line an event on standard error, as text or JSON.
//!
//! Messages are constants and data are fields, so that a message can be searched for and counted:
//! `info!(height, events, "block committed")`. Keys, bodies and amounts are never logged.

use std::io::IsTerminal as _;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::{Config, LogFormat};

/// Goes before every filter: below `error`, these libraries write whole messages with their bodies,
/// or a line for every packet. Naming them in the filter brings them back.
const QUIET: &str = "arc_malachitebft=warn,libp2p_gossipsub=error,libp2p_swarm=warn,yamux=warn,multistream_select=warn";

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The environment variable does not hold a filter.
    #[error("the environment variable RUST_LOG is `{filter}`, not a log filter")]
    Filter {
        /// What it holds.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// A log was started before in this process.
    #[error("the log was started twice")]
    Twice(#[source] TryInitError),
}

impl LogError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            LogError::Filter { .. } => "write a level or a list such as info,headwater_node=debug",
            LogError::Twice(_) => "start one node in a process",
        }
    }
}

/// Starts the log of this process. `RUST_LOG`, when set, goes before the configured filter; colour
/// is used only on a terminal and never when `NO_COLOR` is set.
pub fn start(config: &Config) -> Result<(), LogError> {
    let environment = std::env::var("RUST_LOG").ok().filter(|text| !text.trim().is_empty());
    let filter = filter(environment.as_deref().unwrap_or(config.log_filter()))?;
    let colour = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let style = if colour { Style::Coloured } else { Style::Plain };
    subscriber(config.log_format(), style, filter, std::io::stderr)
        .try_init()
        .map_err(LogError::Twice)
}

/// Whether text may have colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain,
    Coloured,
}

fn filter(text: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::try_new(format!("{QUIET},{text}"))
        .map_err(|source| LogError::Filter { filter: text.to_owned(), source })
}

fn subscriber<W>(
    format: LogFormat,
    style: Style,
    filter: EnvFilter,
    writer: W,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(style == Style::Coloured);
    match format {
        LogFormat::Text => Box::new(lines.finish()),
        LogFormat::Json => Box::new(lines.json().flatten_event(true).finish()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use tracing::{error, info, warn};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, style: Style, text: &str, act: impl FnOnce()) -> String {
        let page = Page::default();
        let written = page.clone();
        let subscriber = subscriber(format, style, filter(text).unwrap(), move || written.clone());
        tracing::subscriber::with_default(subscriber, act);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn commit() {
        info!(height = 7, events = 3, "block committed");
    }

    #[test]
    fn json_lines_have_message_level_and_fields_at_the_top() {
        let page = logged(LogFormat::Json, Style::Plain, "info", commit);
        let line: serde_json::Value = serde_json::from_str(page.trim_end()).unwrap();
        assert_eq!(line["message"], "block committed");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["height"], 7);
        assert_eq!(line["events"], 3);
        assert!(line["timestamp"].is_string());
    }

    #[test]
    fn text_has_no_colour_codes_unless_asked() {
        let plain = logged(LogFormat::Text, Style::Plain, "info", commit);
        assert!(plain.contains("block committed height=7 events=3"), "{plain}");
        assert!(!plain.contains('\u{1b}'), "{plain}");
        let coloured = logged(LogFormat::Text, Style::Coloured, "info", commit);
        assert!(coloured.contains('\u{1b}'), "{coloured}");
    }

    #[test]
    fn the_filter_holds_and_libraries_that_print_bodies_are_quiet_unless_named() {
        let act = || {
            info!(target: "headwater_node::x", "ours at info");
            info!(target: "headwater_node::y", "other at info");
            warn!(target: "libp2p_gossipsub::behaviour", "a body");
            error!(target: "libp2p_gossipsub::behaviour", "an error");
        };
        let page = logged(LogFormat::Text, Style::Plain, "warn,headwater_node::x=info", act);
        assert!(page.contains("ours at info") && page.contains("an error"), "{page}");
        assert!(!page.contains("other at info") && !page.contains("a body"), "{page}");
        let page = logged(LogFormat::Text, Style::Plain, "info,libp2p_gossipsub=debug", act);
        assert!(page.contains("a body"), "{page}");
    }

    #[test]
    fn a_wrong_filter_is_an_error_with_a_hint() {
        let error = filter("info,=,").unwrap_err();
        assert!(matches!(&error, LogError::Filter { filter, .. } if filter == "info,=,"));
        assert!(error.hint().contains("headwater_node=debug"));
    }
}
