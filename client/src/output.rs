//! What commands print: text for people, or one JSON document per result with `--json`.
//!
//! Results go to standard output, warnings and progress to standard error. With `--json` a failure
//! too is one object on standard output, so that a program reads one stream and the exit code.
//! Colour and progress bars appear on terminals only, and never when `NO_COLOR` is set.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use comfy_table::{Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::failure::{Failure, Kind};

/// The result of a command: as JSON by its fields, for people by [`Report::human`].
pub trait Report: Serialize {
    /// Writes the result for a person.
    fn human(&self, page: &mut Page<'_>) -> io::Result<()>;
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a person.
    Human,
    /// One JSON document on one line.
    Json,
}

/// Where a command prints.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
}

impl Output {
    /// Prints in this format.
    pub const fn new(format: Format) -> Self {
        Output { format }
    }

    /// The format.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Prints a result. Commands that give many results call it many times; with `--json` that is
    /// one document a line.
    pub fn report<R: Report>(&self, report: &R) -> Result<(), Failure> {
        let colour = wants_colour(io::stdout().is_terminal());
        let mut out = io::stdout().lock();
        let written = match self.format {
            Format::Human => report.human(&mut Page { out: &mut out, colour }),
            Format::Json => write_json(&mut out, report),
        };
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
    }

    /// Prints a warning. It has nowhere else to go when standard error is closed.
    pub fn warn(&self, warning: impl fmt::Display) {
        let colour = wants_colour(io::stderr().is_terminal());
        let _ = write_marked(&mut io::stderr(), "warning", YELLOW, colour, &warning.to_string());
    }

    /// Prints a failure: with `--json` as an object on standard output, else as `error:` and
    /// `hint:` lines on standard error. Says nothing when the reader has gone.
    pub fn failure(&self, failure: &Failure) {
        if failure.kind() == Kind::ReaderGone {
            return;
        }
        // The exit code still tells when neither stream can be written.
        let _ = match self.format {
            Format::Json => write_json(&mut io::stdout().lock(), &failure.to_json()),
            Format::Human => {
                let colour = wants_colour(io::stderr().is_terminal());
                write_failure(&mut io::stderr().lock(), failure, colour)
            }
        };
    }

    /// A progress bar over `total` bytes on standard error; invisible unless that is a terminal.
    pub fn progress_bytes(&self, total: u64) -> ProgressBar {
        let target = match io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr_with_hz(10),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let template = "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}

/// A page for a person: where [`Report::human`] writes.
pub struct Page<'a> {
    out: &'a mut dyn Write,
    colour: bool,
}

impl<'a> Page<'a> {
    /// A page written to `out`, for tests.
    pub fn plain(out: &'a mut dyn Write) -> Self {
        Page { out, colour: false }
    }

    /// One line of text.
    pub fn line(&mut self, text: impl fmt::Display) -> io::Result<()> {
        writeln!(self.out, "{}", printable(&text.to_string()))
    }

    /// One `name  value` line, with the values of neighbouring lines in one column.
    pub fn field(&mut self, name: &str, value: impl fmt::Display) -> io::Result<()> {
        let value = printable(&value.to_string());
        let padded = format!("{name:<12}");
        writeln!(self.out, "{} {value}", paint(&padded, BOLD, self.colour))
    }

    /// A table with these headings; numbers and ids are left as they are, never wrapped.
    pub fn table<const N: usize>(
        &mut self,
        headings: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> io::Result<()> {
        self.table_of(&headings, rows.into_iter().map(Vec::from))
    }

    /// As [`Page::table`], for columns that are known only when it is printed.
    pub fn table_of(
        &mut self,
        headings: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> io::Result<()> {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        table.set_header(headings.iter().copied());
        for row in rows {
            table.add_row(row.iter().map(|text| printable(text)));
        }
        table.column_iter_mut().for_each(|column| {
            column.set_padding((0, 2));
        });
        for line in table.lines() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

const BOLD: &str = "1";
const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const CYAN: &str = "1;36";

fn wants_colour(is_terminal: bool) -> bool {
    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn paint(text: &str, style: &str, colour: bool) -> String {
    if colour { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_string() }
}

/// `text` with control characters spelled out, so that a file name or a node's answer cannot steer
/// the terminal. Line breaks and tabs stay.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            c if c.is_control() || is_direction_mark(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Marks that reorder what is shown, with which one text can be made to look like another.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn write_json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

fn write_failure(out: &mut dyn Write, failure: &Failure, colour: bool) -> io::Result<()> {
    let sentence = crate::show::sentence(&failure.to_string());
    write_marked(out, "error", RED, colour, &sentence)?;
    write_marked(out, "hint", CYAN, colour, failure.hint_text())
}

fn write_marked(
    out: &mut dyn Write,
    mark: &str,
    style: &str,
    colour: bool,
    text: &str,
) -> io::Result<()> {
    writeln!(out, "{} {}", paint(&format!("{mark}:"), style, colour), printable(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(write: impl FnOnce(&mut Page<'_>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut Page::plain(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_failure_is_a_sentence_and_a_hint() {
        let mut out = Vec::new();
        let failure = Failure::new(Kind::Refused, "shares add up to 9900 bp").hint("add 100 bp");
        write_failure(&mut out, &failure, false).unwrap();
        assert_eq!(out, b"error: shares add up to 9900 bp\nhint: add 100 bp\n");
    }

    #[test]
    fn colour_surrounds_the_mark_only() {
        let mut out = Vec::new();
        write_failure(&mut out, &Failure::new(Kind::Io, "no space").hint("make some"), true)
            .unwrap();
        assert_eq!(out, b"\x1b[1;31merror:\x1b[0m no space\n\x1b[1;36mhint:\x1b[0m make some\n");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\r\u{202e}c\n"), "a\\u{1b}[2Jb\\u{d}\\u{202e}c\n");
        assert_eq!(page(|p| p.line("a\x1b[2J")), "a\\u{1b}[2J\n");
        assert_eq!(page(|p| p.field("root", "\x07")), "root         \\u{7}\n");
    }

    #[test]
    fn a_table_is_plain_aligned_text() {
        let rows = [[String::new(), "1".to_string()], ["bcd".to_string(), "22".to_string()]];
        assert_eq!(page(|p| p.table(["key", "n"], rows)), "key  n\n     1\nbcd  22\n");
    }
}
