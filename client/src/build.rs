//! Acting: an envelope is built, signed by the session's key, sent, and followed to its outcome.

mod approval;
mod preview;

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use clap::Args;
use headwater_ledger::codec::List;
use headwater_ledger::envelope::{
    ENVELOPE_VERSION, Envelope, EnvelopeHeader, SignedEnvelope, asset_id, event_id,
};
use headwater_ledger::event::{ApproveAct, Event};
use headwater_ledger::execute::act_hash;
use headwater_ledger::hash::{AccountId, AssetId, ChainId, Digest, EnvelopeId, EventId};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::limits::{MAX_EVENTS, MAX_NOT_AFTER_AHEAD_MS};
use headwater_ledger::query::QueryError;
use headwater_ledger::text::Handle;
use serde::Serialize;

use crate::failure::{Failure, Kind};
use crate::keystore::{KeyName, random};
use crate::lookup::{AccountRef, Object, ObjectRef, exact_id};
use crate::output::{Format, Output, Page, Report};
use crate::remote::Connection;
use crate::remote::resolve::AssetRef;
use crate::remote::view::VerifiedView;
use crate::session::Session;
use crate::submission::{self, Claim, Patience, Standing};
use crate::value::moment::{Span, now_ms};
use crate::value::{choice, personal};

/// Left of the longest validity, so that clocks may differ a little.
const CLOCK_SLACK_MS: u64 = 60_000;
/// Shortest validity that leaves time to be recorded.
const MIN_VALID_MS: u64 = 10_000;

const SIGNING: &str = "Options for signing";

/// Options of every command that signs.
#[derive(Debug, Clone, Args)]
pub struct SigningArgs {
    /// How long the envelope may be recorded, 10s to 24h
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = parse_validity)]
    #[arg(help_heading = SIGNING)]
    pub valid_for: Span,
    /// How long to wait for the outcome
    #[arg(long, value_name = "SPAN", default_value = "60s", help_heading = SIGNING)]
    pub wait: Span,
    /// Refuse text that looks like an identity or phone number, instead of warning
    #[arg(long, help_heading = SIGNING)]
    pub strict: bool,
}

/// Options of every command that does one act.
#[derive(Debug, Clone, Args)]
pub struct ActingArgs {
    /// How to sign.
    #[command(flatten)]
    pub signing: SigningArgs,
    /// Print what would be signed; sign and send nothing
    #[arg(long, help_heading = SIGNING)]
    pub dry_run: bool,
    /// Further key of the member that signs too, for acts that need two: HANDLE+LABEL
    #[arg(long = "also-key", value_name = "KEY", value_delimiter = ',', help_heading = SIGNING)]
    pub also_keys: Vec<KeyName>,
    /// Do not act, but approve ahead that another owner of the right does exactly this
    #[arg(long, help_heading = SIGNING)]
    pub approve: bool,
}

fn parse_validity(text: &str) -> Result<Span, String> {
    let span: Span = text.parse()?;
    if (MIN_VALID_MS..=MAX_NOT_AFTER_AHEAD_MS).contains(&span.ms()) {
        return Ok(span);
    }
    Err("an envelope is valid for 10s to 24h".to_string())
}

impl SigningArgs {
    /// `not_after` of an envelope signed now.
    pub fn not_after_ms(&self) -> u64 {
        let valid_ms = self.valid_for.ms().min(MAX_NOT_AFTER_AHEAD_MS - CLOCK_SLACK_MS);
        now_ms().saturating_add(valid_ms)
    }

    /// Longest wait for an outcome.
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.wait.ms())
    }
}

/// An unsigned envelope with a fresh salt.
pub fn envelope(
    chain_id: ChainId,
    author: Handle,
    not_after_ms: u64,
    events: Vec<Event>,
) -> Result<Envelope, Failure> {
    let mut salt = [0; 16];
    random(&mut salt)?;
    let events = List::new(events).map_err(|events| {
        let message = format_args!("{} events, an envelope has at most {MAX_EVENTS}", events.len());
        Failure::new(Kind::BadInput, message).hint("spread them over several envelopes")
    })?;
    let header = EnvelopeHeader { version: ENVELOPE_VERSION, chain_id, author, not_after_ms, salt };
    Ok(Envelope { header, events })
}

/// A signed envelope, checked as a node would check it, and its bytes.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Its id.
    pub id: EnvelopeId,
    /// The bytes that travel.
    pub bytes: Vec<u8>,
    /// What is signed.
    pub envelope: Envelope,
}

/// Signs an envelope with keys of its author.
pub fn sign(envelope: Envelope, keys: &[&SigningKey]) -> Result<Signed, Failure> {
    let refused = |error: headwater_ledger::reject::Reject| {
        Failure::new(Kind::BadInput, &error.message)
            .hint(error.code.help())
            .rule(error.code.name(), serde_json::Map::new())
    };
    let signed = envelope.sign(keys).map_err(refused)?;
    let verified = signed.verify().map_err(refused)?;
    Ok(Signed {
        id: verified.id(),
        bytes: verified.bytes().to_vec(),
        envelope: verified.signed().envelope.clone(),
    })
}

/// Reads back an envelope signed earlier.
pub fn read_signed(bytes: Vec<u8>) -> Option<Signed> {
    let SignedEnvelope { envelope, .. } = SignedEnvelope::from_bytes(&bytes).ok()?;
    Some(Signed { id: envelope.id().ok()?, bytes, envelope })
}

/// An object that an event makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// Place of the event in the envelope.
    pub event: usize,
    /// What it is.
    pub kind: &'static str,
    /// Its id.
    pub id: Digest,
    /// Its name, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The objects that an envelope makes once it is recorded.
pub fn objects(envelope: &Envelope, id: &EnvelopeId) -> Vec<Made> {
    let header = &envelope.header;
    let made = |(index, event): (usize, &Event)| {
        let kind = event.makes()?;
        let (id, name) = match event {
            Event::RegisterAsset(asset) => (
                *asset_id(&header.chain_id, &header.author, &asset.name).digest(),
                Some(format!("{}/{}", header.author, asset.name)),
            ),
            _ => (*event_id_at(id, index).digest(), None),
        };
        Some(Made { event: index, kind, id, name })
    };
    envelope.events.iter().enumerate().filter_map(made).collect()
}

/// The ids of the events of an envelope.
pub fn event_ids(envelope: &Envelope, id: &EnvelopeId) -> Vec<EventId> {
    (0..envelope.events.len()).map(|index| event_id_at(id, index)).collect()
}

/// The id of one event of an envelope.
pub fn event_id_at(id: &EnvelopeId, index: usize) -> EventId {
    // An envelope has at most 4 096 events.
    event_id(id, u32::try_from(index).unwrap_or(u32::MAX))
}

/// Warns of texts that look personal, or refuses them: what is recorded stays for ever.
pub fn check_personal(
    events: &[Event],
    strict: bool,
    warn: &dyn Fn(String),
) -> Result<(), Failure> {
    for event in events {
        let json = serde_json::to_value(event).map_err(|e| Failure::new(Kind::BadInput, e))?;
        for (place, what) in personal::look_in(&json) {
            let text = format!("{place} looks like {}", what.as_str());
            if strict {
                return Err(Failure::new(Kind::BadInput, text).hint(
                    "nothing personal may reach the ledger: use a code of your own, or leave out \
                     --strict if it is none",
                ));
            }
            warn(format!("{text}; what is recorded can never be erased"));
        }
    }
    Ok(())
}

/// A member about to act.
pub struct Acting<'a> {
    session: &'a Session,
    connection: Connection,
    author: Handle,
    /// None in a dry run, which signs nothing.
    keys: Vec<SigningKey>,
    args: ActingArgs,
}

impl<'a> Acting<'a> {
    /// Connects and unlocks the key of `--as`, and those of `--also-key`.
    pub fn begin(session: &'a Session, args: &ActingArgs) -> Result<Self, Failure> {
        let author = session.acting()?.handle.clone();
        if let Some(other) = args.also_keys.iter().find(|key| key.handle != author) {
            let message = format_args!("{other} is no key of {author}, who acts");
            return Err(Failure::new(Kind::Usage, message).hint("correct --also-key or --as"));
        }
        let mut keys = Vec::new();
        if !args.dry_run {
            keys.push(session.signing_key()?);
            for name in &args.also_keys {
                keys.push(session.unlock(name)?);
            }
        }
        let connection = Connection::open(session)?;
        Ok(Acting { session, connection, author, keys, args: args.clone() })
    }

    /// Who acts.
    pub fn author(&self) -> &Handle {
        &self.author
    }

    /// What every command is given.
    pub fn session(&self) -> &Session {
        self.session
    }

    /// The connection, for proved reads.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Where warnings go.
    pub fn output(&self) -> Output {
        self.session.output
    }

    /// Whether nothing is to be signed.
    pub fn is_dry_run(&self) -> bool {
        self.args.dry_run
    }

    /// The id of an asset.
    pub fn asset(&self, asset: &AssetRef) -> AssetId {
        exact_id(asset, &self.connection.chain_id())
    }

    /// The id of an object that an event made.
    pub fn id<I: Object>(&self, object: &ObjectRef) -> Result<I, Failure> {
        object.resolve(self.connection.node())
    }

    /// The ids of several objects.
    pub fn ids<I: Object, const MAX: usize>(
        &self,
        objects: &[ObjectRef],
    ) -> Result<List<I, MAX>, Failure> {
        let ids = objects.iter().map(|object| self.id(object)).collect::<Result<Vec<I>, _>>()?;
        choice::list(ids, &format!("{}s", I::NAME))
    }

    /// The id of an account.
    pub fn account(&self, account: &AccountRef) -> Result<AccountId, Failure> {
        account.id(&self.connection.chain_id())
    }

    /// The answer to a question about the newest state, proved.
    pub fn ask<T>(
        &self,
        question: impl FnOnce(&VerifiedView<'_>) -> Result<T, QueryError>,
    ) -> Result<T, Failure> {
        self.connection.view(None)?.ask(|view| question(view))
    }

    /// Signs, sends and reports one act; in a dry run, only prints it.
    pub fn act(&self, event: Event) -> Result<(), Failure> {
        self.act_previewed(event, None)
    }

    /// As [`Acting::act`], with what a dry run tells of the consequences.
    pub fn act_previewed(&self, event: Event, preview: Option<Preview>) -> Result<(), Failure> {
        self.act_all(vec![event], preview)
    }

    /// As [`Acting::act_previewed`], for several acts in one envelope: all of them or none.
    pub fn act_all(&self, events: Vec<Event>, preview: Option<Preview>) -> Result<(), Failure> {
        let envelope = self.prepare(events)?;
        let output = self.session.output;
        if self.args.dry_run {
            return output.report(&DryRun { dry_run: true, envelope, preview });
        }
        output.report(&self.record_envelope(envelope)?)
    }

    /// Signs and sends several acts in one envelope, and gives what was recorded.
    pub fn record_all(&self, events: Vec<Event>) -> Result<Recorded, Failure> {
        self.record_envelope(self.prepare(events)?)
    }

    /// An envelope as it would be signed.
    fn prepare(&self, events: Vec<Event>) -> Result<Envelope, Failure> {
        let output = self.session.output;
        let events = if self.args.approve {
            let approved = events.iter().map(|event| self.approval(event));
            approved.collect::<Result<Vec<_>, _>>()?
        } else {
            events
        };
        let signing = &self.args.signing;
        check_personal(&events, signing.strict, &|warning| output.warn(warning))?;
        let not_after_ms = signing.not_after_ms();
        let chain_id = self.connection.chain_id();
        envelope(chain_id, self.author.clone(), not_after_ms, events)
    }

    fn record_envelope(&self, envelope: Envelope) -> Result<Recorded, Failure> {
        let keys: Vec<&SigningKey> = self.keys.iter().collect();
        self.record(&sign(envelope, &keys)?)
    }

    /// The event that approves another one ahead. Implements [LED-RGT-4].
    fn approval(&self, event: &Event) -> Result<Event, Failure> {
        let asset = self.ask(|view| approval::asset_of(view, event))?.ok_or_else(|| {
            let message = format_args!("nobody needs the approval of others for {}", event.name());
            Failure::new(Kind::Usage, message).hint("leave out --approve")
        })?;
        let act = act_hash(event).map_err(|error| Failure::new(Kind::BadInput, error))?;
        Ok(Event::ApproveAct(ApproveAct { asset, act }))
    }

    fn record(&self, signed: &Signed) -> Result<Recorded, Failure> {
        let node = self.connection.node();
        let first = submission::send(node, &[&signed.bytes]).map_err(|failure| {
            let id = signed.id;
            let hint = failure.hint_text();
            let hint = format!("{hint}; if envelope {id} reached it, it may be recorded");
            failure.hint(hint)
        })?;
        let spinner = Waiting::begin(&self.session.output);
        let patience = Patience {
            longest: self.args.signing.patience(),
            tell: &|status| spinner.tell(status.message.as_deref().unwrap_or_default()),
        };
        let first = first.into_iter().next();
        let status = submission::settle(node, &signed.id, &signed.bytes, first, &patience);
        spinner.end();
        let status = status?;
        let not_after_ms = signed.envelope.header.not_after_ms;
        if status.status != Standing::Recorded {
            return Err(status.into_failure(&signed.id, not_after_ms));
        }
        let claim = Claim { id: signed.id, not_after_ms, height: status.height };
        submission::confirm(&self.connection, &[claim])?;
        Ok(Recorded {
            status: "recorded",
            envelope: signed.id,
            height: status.height,
            index: status.index,
            events: event_ids(&signed.envelope, &signed.id),
            made: objects(&signed.envelope, &signed.id),
        })
    }
}

/// A line on the terminal while an outcome is awaited; nothing where there is no terminal.
struct Waiting {
    bar: indicatif::ProgressBar,
}

impl Waiting {
    fn begin(output: &Output) -> Self {
        let visible = io::stderr().is_terminal() && output.format() == Format::Human;
        if !visible {
            return Waiting { bar: indicatif::ProgressBar::hidden() };
        }
        let bar = indicatif::ProgressBar::new_spinner().with_message("waiting for a block");
        bar.enable_steady_tick(Duration::from_millis(100));
        Waiting { bar }
    }

    fn tell(&self, what: &str) {
        let what = crate::output::printable(what).replace('\n', " ");
        self.bar.set_message(format!("it waits: {what}"));
    }

    fn end(self) {
        self.bar.finish_and_clear();
    }
}

/// What an act would lead to.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// For programs.
    #[serde(flatten)]
    pub facts: serde_json::Map<String, serde_json::Value>,
    /// For people: names and values.
    #[serde(skip)]
    pub lines: Vec<(&'static str, String)>,
}

/// What would be signed. Ids of envelope and events are left out: they change with the salt.
#[derive(Serialize)]
struct DryRun {
    dry_run: bool,
    envelope: Envelope,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<Preview>,
}

impl Report for DryRun {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.line("this would be signed; nothing was sent:")?;
        page.line(serde_json::to_string_pretty(&self.envelope).map_err(io::Error::other)?)?;
        let mut lines = self.preview.iter().flat_map(|preview| &preview.lines);
        lines.try_for_each(|(name, value)| page.field(name, value))
    }
}

/// An act that is recorded.
#[derive(Debug, Serialize)]
pub struct Recorded {
    /// Always `recorded`.
    pub status: &'static str,
    /// Id of the envelope.
    pub envelope: EnvelopeId,
    /// Height of its block; absent where the node recorded it earlier and forgot.
    pub height: Option<u64>,
    /// Its place in the block.
    pub index: Option<u64>,
    /// Ids of its events.
    pub events: Vec<EventId>,
    /// The objects made.
    pub made: Vec<Made>,
}

impl Report for Recorded {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        match self.height {
            Some(height) => page.field("recorded", format_args!("at height {height}"))?,
            None => page.field("recorded", "before")?,
        }
        for made in &self.made {
            match &made.name {
                Some(name) => page.field(made.kind, format_args!("{name} {}", made.id))?,
                None => page.field(made.kind, made.id)?,
            }
        }
        page.field("envelope", self.envelope)?;
        self.events.iter().try_for_each(|event| page.field("event", event))
    }
}

#[cfg(test)]
mod tests {
    use headwater_ledger::event::{AcceptGrant, RecordPayment, SuspendMember};
    use headwater_ledger::hash::GrantId;

    use super::*;

    fn chain() -> ChainId {
        ChainId::from_digest(Digest::Blake3([7; 32]))
    }

    fn payment(reference: &str) -> Event {
        Event::RecordPayment(RecordPayment {
            contract: format!("blake3:{}", "00".repeat(32)).parse().unwrap(),
            gross: 1,
            tax: 0,
            currency: "CNY".parse().unwrap(),
            bank_reference: reference.parse().unwrap(),
        })
    }

    #[test]
    fn equal_acts_have_different_ids_and_bytes_read_back() {
        let key = SigningKey::from_seed(&[1; 32]);
        let make = || {
            let grant = GrantId::from_digest(Digest::Blake3([2; 32]));
            let events = vec![Event::AcceptGrant(AcceptGrant { grant })];
            sign(envelope(chain(), "clinic".parse().unwrap(), 5, events).unwrap(), &[&key]).unwrap()
        };
        let (one, two) = (make(), make());
        assert_ne!(one.id, two.id);
        let back = read_signed(one.bytes.clone()).unwrap();
        assert_eq!((back.id, &back.envelope), (one.id, &one.envelope));
        assert!(read_signed(one.bytes[1..].to_vec()).is_none());
    }

    #[test]
    fn an_empty_envelope_is_refused_before_it_is_sent() {
        let key = SigningKey::from_seed(&[1; 32]);
        let empty = envelope(chain(), "clinic".parse().unwrap(), 5, Vec::new()).unwrap();
        assert_eq!(sign(empty, &[&key]).unwrap_err().code(), "NO_EVENTS");
    }

    #[test]
    fn a_payment_is_named_by_its_event_and_a_suspension_makes_nothing() {
        let member = "clinic".parse().unwrap();
        let events = vec![Event::SuspendMember(SuspendMember { member }), payment("ICBC-1")];
        let envelope = envelope(chain(), "bourse".parse().unwrap(), 5, events).unwrap();
        let id = envelope.id().unwrap();
        let expected =
            Made { event: 1, kind: "payment", id: *event_id(&id, 1).digest(), name: None };
        assert_eq!(objects(&envelope, &id), [expected]);
    }

    #[test]
    fn personal_texts_are_warned_of_or_refused() {
        let warnings = std::cell::RefCell::new(Vec::new());
        let check = |reference: &str, strict| {
            check_personal(&[payment(reference)], strict, &|w| warnings.borrow_mut().push(w))
        };
        assert!(check("ICBC-2026-000017", true).is_ok());
        assert!(check("13812345678", false).is_ok());
        assert_eq!(warnings.borrow().len(), 1);
        assert!(warnings.borrow()[0].contains("bank_reference"), "{warnings:?}");
        assert_eq!(check("13812345678", true).unwrap_err().kind(), Kind::BadInput);
    }

    #[test]
    fn validity_is_bounded() {
        for good in ["10s", "1h", "24h", "1d"] {
            assert!(parse_validity(good).is_ok(), "{good}");
        }
        for bad in ["9s", "25h", "2d", "0s", "1"] {
            assert!(parse_validity(bad).is_err(), "{bad}");
        }
    }
}
