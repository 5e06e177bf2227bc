//! Runs a story on a target and compares what comes of it with what the text expects.

use serde::Serialize;

use super::build::{author, events, give_names, made};
use super::derive::signing_key;
use super::form::{Cursor, Wrong};
use super::kind::Kind;
use super::kind::number::Count;
use super::kind::reference::key_name;
use super::kind::time::{Span, Time, time_text};
use super::names::{Context, Names, Seen};
use super::parse::{Act, Clock, Expected, Scenario, StepKind};
use super::target::{LedgerTarget, Target, Verdict};
use super::token::Token;
use crate::codec::List;
use crate::envelope::{ENVELOPE_VERSION, Envelope, EnvelopeHeader, SignedEnvelope, event_id};
use crate::genesis::Genesis;
use crate::keys::SigningKey;
use crate::reject::Reject;
use crate::text::Handle;

/// Most empty blocks that one line of a story makes.
const MAX_BLOCKS: u64 = 100_000;
/// How long an envelope may be recorded unless a step says otherwise, in milliseconds.
const VALID_MS: u64 = 3_600_000;

/// What came of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The file.
    pub file: String,
    /// Acts and expectations.
    pub steps: usize,
    /// Those that came out as expected.
    pub as_expected: usize,
    /// The others.
    pub failures: Vec<Failure>,
}

/// A step that came out otherwise than expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("line {line}: {step}\n  expected: {expected}\n  came:     {came}")]
pub struct Failure {
    /// Its line in the file.
    pub line: usize,
    /// As written.
    pub step: String,
    /// What the text expects.
    pub expected: String,
    /// What came.
    pub came: String,
    /// What can be done about it.
    pub hint: Option<String>,
}

impl Scenario {
    /// The genesis document of its world.
    pub fn genesis(&self) -> Result<Genesis, Wrong> {
        self.world.genesis()
    }

    /// Runs it on this crate's rules in memory.
    pub fn run(&self) -> Report {
        let target = self.genesis().and_then(|genesis| Ok(LedgerTarget::new(&genesis)?));
        match target {
            Ok(mut target) => self.run_on(&mut target),
            Err(wrong) => {
                let (line, step) = (1, "the first lines".to_owned());
                let (expected, came) = ("a world".to_owned(), wrong.0);
                let failures = vec![Failure { line, step, expected, came, hint: None }];
                Report { file: self.file.clone(), steps: 1, as_expected: 0, failures }
            }
        }
    }

    /// Runs it on a target whose chain began with [`Scenario::genesis`].
    pub fn run_on(&self, target: &mut dyn Target) -> Report {
        let mut report =
            Report { file: self.file.clone(), steps: 0, as_expected: 0, failures: vec![] };
        let mut runner = Runner {
            target,
            names: self.world.names().clone(),
            start_ms: self.world.start_ms(),
            sent: 0,
            moved: false,
            last: None,
        };
        for step in &self.steps {
            let outcome = runner.step(&step.kind);
            let counts = !matches!(step.kind, StepKind::Clock(_));
            report.steps = report.steps.saturating_add(usize::from(counts || outcome.is_err()));
            match outcome {
                Ok(()) => {
                    report.as_expected = report.as_expected.saturating_add(usize::from(counts))
                }
                Err(other) => {
                    let (line, step) = (step.line, step.text.clone());
                    let Other { expected, came, hint } = other;
                    report.failures.push(Failure { line, step, expected, came, hint });
                }
            }
        }
        report
    }
}

/// Something came out otherwise.
pub(super) struct Other {
    /// What was expected.
    pub expected: String,
    /// What came.
    pub came: String,
    /// What can be done.
    pub hint: Option<String>,
}

impl From<Wrong> for Other {
    fn from(wrong: Wrong) -> Self {
        Other { expected: "a step that can be made".into(), came: wrong.0, hint: None }
    }
}

struct Runner<'a> {
    target: &'a mut dyn Target,
    names: Names,
    start_ms: u64,
    /// Envelopes sent so far: the salt of the next.
    sent: u64,
    /// Whether the clock was moved since the newest block.
    moved: bool,
    last: Option<SignedEnvelope>,
}

impl Runner<'_> {
    fn context(&self, author: Handle) -> Context<'_> {
        Context {
            chain: self.target.chain_id(),
            author,
            start_ms: self.start_ms,
            now_ms: self.target.next_ms(),
            height: self.target.height().saturating_add(1),
            names: &self.names,
            seen: Seen(Some(self.target.lists())),
            keys_of: std::cell::RefCell::new(None),
        }
    }

    fn step(&mut self, kind: &StepKind) -> Result<(), Other> {
        match kind {
            StepKind::Act(act) => self.act(act),
            StepKind::Again(expected) => {
                let last = self.last.clone();
                let last = last.ok_or_else(|| Wrong("nothing was sent before".into()))?;
                self.submit(last, expected)
            }
            StepKind::Clock(clock) => Ok(self.clock(clock)?),
            StepKind::Expect(query) => {
                let nobody =
                    "nobody".parse().map_err(|e: crate::text::ParseText| Wrong(e.to_string()))?;
                query.hold(&self.context(nobody), &*self.target)
            }
        }
    }

    fn act(&mut self, act: &Act) -> Result<(), Other> {
        let author = author(&act.author)?;
        let context = self.context(author.clone());
        let events = events(act, &context)?;
        let until = act.valid_until.as_ref().map(|t| only::<Time>(t, &context)).transpose()?;
        let not_after_ms = until.unwrap_or(self.target.next_ms().saturating_add(VALID_MS));
        let mut keys: Vec<SigningKey> = Vec::new();
        for name in &act.keys {
            let (owner, name) = key_name(name, &author)?;
            keys.push(signing_key(&owner, &name));
        }
        self.sent = self.sent.saturating_add(1);
        let salt = u128::from(self.sent).to_le_bytes();
        let chain_id = self.target.chain_id();
        let header = EnvelopeHeader {
            version: ENVELOPE_VERSION,
            chain_id,
            author: author.clone(),
            not_after_ms,
            salt,
        };
        let list = List::new(events.clone()).map_err(|_| Wrong("too many acts".into()))?;
        let envelope = Envelope { header, events: list };
        let id = envelope.id();
        let signed = envelope.sign(&keys.iter().collect::<Vec<_>>());
        if let Ok(id) = id {
            let made =
                |index: u32, event: &_| made(event, &event_id(&id, index), &chain_id, &author);
            give_names(act, &events, &mut self.names, made);
        }
        let before = self.target.height();
        let outcome = match signed {
            Ok(signed) => self.submit(signed, &act.expected),
            Err(reject) => compare(Verdict::Refused(reject), &act.expected, &self.names),
        };
        let height = self.target.height();
        if height > before {
            for name in act.deeds.iter().filter_map(|deed| deed.name.as_deref()) {
                self.names.recorded_at(name, height);
            }
        }
        outcome
    }

    fn submit(&mut self, envelope: SignedEnvelope, expected: &Expected) -> Result<(), Other> {
        self.last = Some(envelope.clone());
        let verdict = self.target.submit(envelope).map_err(|fault| Other {
            expected: told(expected),
            came: format!("a fault of the ledger: {fault}"),
            hint: Some("this is a mistake of the software, not of the story: report it".into()),
        })?;
        self.moved = self.moved && verdict != Verdict::Recorded;
        compare(verdict, expected, &self.names)
    }

    fn clock(&mut self, clock: &Clock) -> Result<(), Wrong> {
        let nobody: Handle =
            "nobody".parse().map_err(|e: crate::text::ParseText| Wrong(e.to_string()))?;
        let context = self.context(nobody);
        match clock {
            Clock::After(tokens) => {
                let by = only::<Span>(tokens, &context)?;
                let from = if self.moved { self.target.next_ms() } else { self.target.time_ms() };
                self.target.pass_until(from.saturating_add(by))?;
                self.moved = true;
            }
            Clock::At(tokens) => {
                let time = only::<Time>(tokens, &context)?;
                let last = self.target.time_ms();
                if time <= last {
                    let last = time_text(last);
                    return Err(Wrong(format!("the newest block has the time {last} already")));
                }
                self.target.pass_until(time)?;
                self.moved = true;
            }
            Clock::Blocks(tokens) => {
                let count = only::<Count>(tokens, &context)?;
                self.blocks(count)?;
            }
            Clock::Height(tokens) => {
                let height = only::<Count>(tokens, &context)?;
                let next = self.target.height().saturating_add(1);
                let count = height.checked_sub(next);
                self.blocks(count.ok_or_else(|| Wrong(format!("the next block is {next}")))?)?;
            }
        }
        Ok(())
    }

    fn blocks(&mut self, count: u64) -> Result<(), Wrong> {
        if count > MAX_BLOCKS {
            return Err(Wrong(format!("at most {MAX_BLOCKS} empty blocks at once")));
        }
        self.moved = self.moved && count == 0;
        Ok(self.target.pass_blocks(count)?)
    }
}

fn only<K: Kind>(tokens: &[Token], context: &Context<'_>) -> Result<K::Of, Wrong> {
    let mut at = Cursor::new(tokens);
    let value = K::read(&mut at, context)?;
    at.finish()?;
    Ok(value)
}

fn told(expected: &Expected) -> String {
    match expected {
        Expected::Recorded => "ok".into(),
        Expected::Refused(codes) => {
            let codes: Vec<&str> = codes.iter().map(|code| code.name()).collect();
            format!("reject {}", codes.join(" or "))
        }
    }
}

fn compare(verdict: Verdict, expected: &Expected, names: &Names) -> Result<(), Other> {
    let came = match (&verdict, expected) {
        (Verdict::Recorded, Expected::Recorded) => return Ok(()),
        (Verdict::Refused(reject), Expected::Refused(codes)) if codes.contains(&reject.code) => {
            return Ok(());
        }
        (Verdict::Recorded, Expected::Refused(_)) => "ok".into(),
        (Verdict::Refused(reject), Expected::Recorded | Expected::Refused(_)) => {
            let Reject { code, message, .. } = reject;
            format!("reject {code}: {}", names.in_words(message))
        }
    };
    let hint = match verdict {
        Verdict::Recorded => None,
        Verdict::Refused(reject) => Some(reject.code.help().to_owned()),
    };
    Err(Other { expected: told(expected), came, hint })
}
