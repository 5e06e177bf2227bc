//! The file: one envelope a line, read and checked as a whole before anything is sent.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use headwater_ledger::envelope::asset_id;
use headwater_ledger::event::Event;
use headwater_ledger::hash::{AssetId, ChainId, ContractId, Digest, EnvelopeId, ListingId};
use headwater_ledger::limits::MAX_EVENTS;
use headwater_ledger::text::{AssetName, Handle};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{self, Names};
use crate::build::{Made, check_personal, event_id_at};
use crate::failure::{Failure, Kind};
use crate::keystore::KeyName;

/// Most characters of a label.
const MAX_LABEL: usize = 64;

/// What an event makes, so that later lines can name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Makes {
    /// An asset, known by its name.
    Asset(AssetName),
    /// An object of this kind, named by the event.
    Object(&'static str),
    /// Nothing that has an id of its own.
    Nothing,
}

/// One envelope of the file.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: u64,
    /// Whose act it is, and with which key it is signed.
    pub author: KeyName,
    /// Its label.
    pub label: Option<String>,
    /// Hash of its text, to notice changes.
    pub digest: String,
    /// Whether nothing before it can matter to it.
    pub independent: bool,
    /// What its events make.
    makes: Vec<Makes>,
    /// Its text in the file.
    text: std::ops::Range<usize>,
}

/// A file of envelopes.
#[derive(Debug)]
pub struct Batch {
    text: String,
    lines: Vec<Line>,
    labels: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw<'a> {
    #[serde(borrow)]
    author: &'a RawValue,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    label: Option<&'a RawValue>,
}

impl Batch {
    /// Reads and checks a file. `strict` refuses texts that look personal; else `warn` is told.
    pub fn read(path: &Path, strict: bool, warn: &dyn Fn(String)) -> Result<Self, Failure> {
        let text = fs::read(path).map_err(|error| Failure::io("read", path, &error))?;
        let text = String::from_utf8(text).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = before.iter().filter(|b| **b == b'\n').count() + 1;
            let message = format_args!("line {line} of {} is not UTF-8", path.display());
            Failure::new(Kind::BadInput, message).hint("nothing was sent; save it as UTF-8")
        })?;
        Self::parse(text, strict, warn)
    }

    /// Checks the text of a file.
    pub fn parse(text: String, strict: bool, warn: &dyn Fn(String)) -> Result<Self, Failure> {
        let mut batch = Batch { text: String::new(), lines: Vec::new(), labels: BTreeMap::new() };
        let mut start = 0;
        for (number, whole) in (1..).zip(text.split_inclusive('\n')) {
            let range = start..start + whole.len();
            start = range.end;
            if whole.trim().is_empty() {
                continue;
            }
            let line = batch.check(number, whole, range, strict, warn).map_err(|bad| {
                let place = format!("line {number}, column {}", bad.offset + 1);
                let message = format!("{place}: {}", bad.failure.message());
                let hint = bad.failure.hint_text();
                Failure::new(Kind::BadInput, message)
                    .hint(format_args!("{hint}; nothing of the file was sent this time"))
            })?;
            if let Some(label) = &line.label {
                batch.labels.insert(label.clone(), batch.lines.len());
            }
            batch.lines.push(line);
        }
        batch.text = text;
        Ok(batch)
    }

    fn check(
        &self,
        number: u64,
        text: &str,
        range: std::ops::Range<usize>,
        strict: bool,
        warn: &dyn Fn(String),
    ) -> Result<Line, event::BadEvent> {
        let bad = |offset, message: String| event::BadEvent {
            offset,
            failure: Failure::new(Kind::BadInput, message),
        };
        let raw: Raw<'_> = serde_json::from_str(text).map_err(|error| {
            let message = error.to_string();
            let message = message.rsplit_once(" at line ").map_or(&*message, |(m, _)| m);
            let failure = Failure::new(Kind::BadInput, message).hint(
                "a line is {\"author\": \"handle\", \"events\": [{…}], \"label\": \"optional\"}",
            );
            event::BadEvent { offset: error.column().saturating_sub(1), failure }
        })?;
        // Parts borrow from the line, so their addresses tell their places.
        let offset =
            |part: &RawValue| (part.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let string = |part: &RawValue| {
            serde_json::from_str::<String>(part.get())
                .map_err(|_| bad(offset(part), "expected a text".to_string()))
        };
        let author = string(raw.author)?.parse::<KeyName>();
        let author = author.map_err(|e| bad(offset(raw.author), e.to_string()))?;
        let label = match raw.label {
            None => None,
            Some(part) => {
                let label = string(part)?;
                self.check_label(&label).map_err(|why| bad(offset(part), why))?;
                Some(label)
            }
        };
        if raw.events.is_empty() || raw.events.len() > MAX_EVENTS {
            let count = raw.events.len();
            return Err(bad(0, format!("{count} events, expected 1 to {MAX_EVENTS}")));
        }
        let (mut makes, mut independent) = (Vec::new(), true);
        for part in raw.events {
            let place = |inner: event::BadEvent| event::BadEvent {
                offset: offset(part) + inner.offset,
                failure: inner.failure,
            };
            let event = event::parse(part.get(), self).map_err(place)?;
            independent &= is_independent(&event);
            makes.push(made_by(&event));
            check_personal(&[event], strict, &|text| warn(format!("line {number}: {text}")))
                .map_err(|failure| place(event::BadEvent { offset: 0, failure }))?;
        }
        let digest = blake3::hash(text.trim().as_bytes()).to_hex().to_string();
        Ok(Line { number, author, label, digest, independent, makes, text: range })
    }

    fn check_label(&self, label: &str) -> Result<(), String> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if label.is_empty() || label.len() > MAX_LABEL || !label.bytes().all(allowed) {
            return Err(format!("a label is 1 to {MAX_LABEL} of A-Z a-z 0-9 - _"));
        }
        match self.labels.get(label) {
            Some(&other) => {
                Err(format!("line {} has the label {label} already", self.lines[other].number))
            }
            None => Ok(()),
        }
    }

    /// The lines that hold an envelope.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The events of a line, with what names and labels stand for now.
    pub fn events(&self, line: &Line, names: &dyn Names) -> Result<Vec<Event>, Failure> {
        let text = self.text.get(line.text.clone()).unwrap_or_default();
        let raw: Raw<'_> =
            serde_json::from_str(text).map_err(|error| Failure::new(Kind::BadInput, error))?;
        let parse = |part: &&RawValue| event::parse(part.get(), names).map_err(|bad| bad.failure);
        raw.events.iter().map(parse).collect()
    }

    /// The line with a label, and its place among the lines.
    pub fn labelled(&self, label: &str) -> Option<(usize, &Line)> {
        let index = *self.labels.get(label)?;
        self.lines.get(index).map(|line| (index, line))
    }

    fn need_labelled(&self, label: &str, event: usize) -> Result<(&Line, &Makes), Failure> {
        let (_, line) = self.labelled(label).ok_or_else(|| {
            Failure::new(Kind::BadInput, format_args!("no earlier line has the label {label}"))
                .hint("labels name lines above the one that uses them")
        })?;
        let number = line.number;
        match line.makes.get(event) {
            None => {
                let count = line.makes.len();
                let message =
                    format_args!("line {number} ({label}) has {count} events, no number {event}");
                Err(Failure::new(Kind::BadInput, message).hint("events are counted from 0"))
            }
            Some(Makes::Nothing) => {
                let message =
                    format_args!("event {event} of line {number} ({label}) makes nothing");
                Err(Failure::new(Kind::BadInput, message).hint(
                    "assets, transfers, grants, listings, contracts and payments can be named",
                ))
            }
            Some(makes) => Ok((line, makes)),
        }
    }
}

impl Line {
    /// The id of what an event of this line makes in this envelope.
    pub fn made(&self, chain_id: &ChainId, envelope: &EnvelopeId, event: usize) -> Option<Digest> {
        match self.makes.get(event)? {
            Makes::Asset(name) => Some(*asset_id(chain_id, &self.author.handle, name).digest()),
            Makes::Object(_) => Some(*event_id_at(envelope, event).digest()),
            Makes::Nothing => None,
        }
    }

    /// Everything that this line makes in this envelope.
    pub fn all_made(&self, chain_id: &ChainId, envelope: &EnvelopeId) -> Vec<Made> {
        let made = |(event, makes): (usize, &Makes)| {
            let (kind, name) = match makes {
                Makes::Asset(name) => ("asset", Some(format!("{}/{name}", self.author.handle))),
                Makes::Object(kind) => (*kind, None),
                Makes::Nothing => return None,
            };
            Some(Made { event, kind, id: self.made(chain_id, envelope, event)?, name })
        };
        self.makes.iter().enumerate().filter_map(made).collect()
    }
}

/// While a file is checked, every name stands for the same id: only its form matters.
impl Names for Batch {
    fn asset(&self, _author: &Handle, _name: &AssetName) -> AssetId {
        AssetId::from_digest(PLACEHOLDER)
    }
    fn labelled(&self, label: &str, event: usize) -> Result<Digest, Failure> {
        self.need_labelled(label, event).map(|_| PLACEHOLDER)
    }
    fn listing_schedule(&self, _listing: &ListingId) -> Result<Digest, Failure> {
        Ok(PLACEHOLDER)
    }
    fn contract_schedule(&self, _contract: &ContractId) -> Result<Digest, Failure> {
        Ok(PLACEHOLDER)
    }
}

const PLACEHOLDER: Digest = Digest::Blake3([0; 32]);

fn is_independent(event: &Event) -> bool {
    match event {
        Event::RegisterAsset(asset) => asset.derivation.is_none() && asset.revises.is_none(),
        _ => false,
    }
}

fn made_by(event: &Event) -> Makes {
    match event {
        Event::RegisterAsset(asset) => Makes::Asset(asset.name.clone()),
        event => event.makes().map_or(Makes::Nothing, Makes::Object),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANT: &str = "blake3:0000000000000000000000000000000000000000000000000000000000000001";

    fn parse(text: &str) -> Result<Batch, Failure> {
        Batch::parse(text.to_string(), true, &|warning| panic!("{warning}"))
    }

    fn refused(text: &str) -> String {
        parse(text).unwrap_err().message().to_string()
    }

    fn offer(label: &str) -> String {
        format!(
            r#"{{"author":"clinic","label":"{label}","events":[{{"offer_grant":{{"asset":"clinic/a","right":"processing","grantee":"works","terms":{{"purposes":["commercial"],"territories":["CN"],"not_before_ms":0,"not_after_ms":1}}}}}}]}}"#
        )
    }

    #[test]
    fn lines_are_read_with_their_numbers() {
        let text = format!(
            "\n{}\r\n\n{{\"author\":\"works+two\",\"events\":[{{\"accept_grant\":{{\"grant\":\"$one\"}}}}]}}",
            offer("one")
        );
        let batch = parse(&text).unwrap();
        let [first, second] = batch.lines() else { panic!("{batch:?}") };
        assert_eq!((first.number, first.label.as_deref()), (2, Some("one")));
        assert_eq!((second.number, second.author.to_string()), (4, "works+two".to_string()));
        assert!(!first.independent && !second.independent);
        let chain = ChainId::from_digest(PLACEHOLDER);
        let envelope = EnvelopeId::from_digest(PLACEHOLDER);
        assert_eq!(first.made(&chain, &envelope, 0), Some(*event_id_at(&envelope, 0).digest()));
        assert_eq!(parse("").unwrap().lines().len(), 0);
    }

    #[test]
    fn mistakes_are_told_by_line_and_column() {
        let good = offer("one");
        let cases = [
            ("{\"author\":\"a\",}", "line 2, column 15: "),
            (
                "{\"author\":\"a\",\"events\":[{\"accept_grant\":{\"grant\":5}}]}",
                "line 2, column 50: ",
            ),
            ("{\"author\":\"A\",\"events\":[]}", "line 2, column 11: "),
            ("{\"author\":\"a\",\"events\":[]}", "line 2, column 1: 0 events"),
            (
                "{\"author\":\"a\",\"events\":[{\"accept_grant\":{\"grant\":\"$two\"}}]}",
                "line 2, column 25: no earlier line",
            ),
            (
                "{\"author\":\"a\",\"events\":[{\"accept_grant\":{\"grant\":\"$one.1\"}}]}",
                "line 2, column 25: line 1 (one) has 1 events",
            ),
            ("{\"author\":\"a\",\"event\":[]}", "line 2, column 21: unknown field"),
            ("[]", "line 2, column "),
            (
                "{\"author\":\"a\",\"events\":[{}],\"label\":\"a.b\"}",
                "line 2, column 37: a label is",
            ),
        ];
        for (line, expected) in cases {
            let message = refused(&format!("{good}\n{line}\n"));
            assert!(message.starts_with(expected), "{line}: {message}");
        }
        let twice = refused(&format!("{good}\n{good}"));
        assert!(twice.contains("line 1 has the label one already"), "{twice}");
    }

    #[test]
    fn what_makes_nothing_cannot_be_named() {
        let line = |label: &str, grant: &str| {
            format!(
                r#"{{"author":"a","label":"{label}","events":[{{"accept_grant":{{"grant":"{grant}"}}}}]}}"#
            )
        };
        let message = refused(&format!("{}\n{}", line("one", GRANT), line("two", "$one")));
        assert!(message.contains("makes nothing"), "{message}");
        let forward = refused(&format!("{}\n{}", line("one", "$two"), offer("two")));
        assert!(forward.contains("no earlier line"), "{forward}");
    }

    #[test]
    fn personal_texts_stop_a_strict_run() {
        let line = format!(
            r#"{{"author":"a","events":[{{"record_payment":{{"contract":"{GRANT}","gross":1,"tax":0,"currency":"CNY","bank_reference":"13812345678"}}}}]}}"#
        );
        assert!(refused(&line).contains("phone number"));
    }
}
