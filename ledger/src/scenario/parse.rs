//! A file of the language into the steps of a story.

use std::collections::BTreeSet;

use super::expect::Query;
use super::form::{Cursor, Words, Wrong, divide};
use super::token::{Line, Token, lines, nearest, plain, shown};
use super::verbs::{VERBS, Verb, fields, is_word, verb_at};
use super::world::{World, values};
use crate::reject::Code;

/// A mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what was expected.
    pub message: String,
}

/// A story.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file it is from.
    pub file: String,
    /// Who is there when it begins.
    pub(super) world: World,
    /// What happens.
    pub(super) steps: Vec<Step>,
}

/// A line of a story.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Its line in the file.
    pub line: usize,
    /// As written.
    pub text: String,
    /// What it does.
    pub kind: StepKind,
}

/// What a line of a story does.
#[derive(Debug, Clone)]
pub(super) enum StepKind {
    /// A member acts.
    Act(Act),
    /// The last envelope is sent once more.
    Again(Expected),
    /// Time passes.
    Clock(Clock),
    /// Something must be so.
    Expect(Query),
}

/// How time passes.
#[derive(Debug, Clone)]
pub(super) enum Clock {
    /// The next block is so long after the last.
    After(Vec<Token>),
    /// The next block has this time.
    At(Vec<Token>),
    /// So many empty blocks.
    Blocks(Vec<Token>),
    /// Empty blocks until the next has this height.
    Height(Vec<Token>),
}

/// A member acts: one envelope.
#[derive(Debug, Clone)]
pub(super) struct Act {
    /// Who.
    pub author: Vec<Token>,
    /// The keys that sign; `main` unless stated.
    pub keys: Vec<String>,
    /// Until when the envelope may be recorded; an hour unless stated.
    pub valid_until: Option<Vec<Token>>,
    /// What the envelope holds.
    pub deeds: Vec<Deed>,
    /// What must come of it.
    pub expected: Expected,
    /// Whether the text says what must come of it.
    said: bool,
}

/// One event of an envelope.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    /// Its verb.
    pub verb: &'static Verb,
    /// Its words.
    pub words: Words,
    /// The name given to what it makes.
    pub name: Option<String>,
    /// For approvals: the act approved, and who is to do it.
    pub approved: Option<Box<(Option<Token>, Deed)>>,
}

/// What must come of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// It is recorded.
    Recorded,
    /// It is refused for one of these reasons.
    Refused(Vec<Code>),
}

impl Scenario {
    /// Reads a text; all its mistakes when there are any.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Mistake>> {
        let mistake = |line, message| Mistake { file: file.into(), line, message };
        let lines = lines(text).map_err(|bad| vec![mistake(bad.0, bad.1)])?;
        let mut story = Scenario { file: file.into(), world: World::default(), steps: Vec::new() };
        let mut mistakes = Vec::new();
        for line in &lines {
            if let Err(wrong) = story.read_line(line) {
                mistakes.push(mistake(line.number, wrong.0));
            }
        }
        if mistakes.is_empty() {
            mistakes = story.check();
        }
        if mistakes.is_empty() { Ok(story) } else { Err(mistakes) }
    }

    fn read_line(&mut self, line: &Line) -> Result<(), Wrong> {
        if self.world.declare(line)? {
            if self.steps.is_empty() {
                return Ok(());
            }
            return Err(Wrong(format!(
                "`{}` stands after the first step; the world is declared before",
                shown(&line.tokens)
            )));
        }
        if line.tokens.first().is_some_and(|t| t.is("and")) {
            let last = self.steps.last_mut().map(|step| (&mut step.kind, &mut step.text));
            let Some((StepKind::Act(act), text)) = last else {
                return Err(Wrong("`and` continues an act of a member, and there is none".into()));
            };
            if act.said {
                let wrong = "`and` continues an act whose outcome is said already; put `->` last";
                return Err(Wrong(wrong.into()));
            }
            let (words, expected) = outcome(line.tokens.get(1..).unwrap_or_default())?;
            act.deeds.push(deed(words)?);
            (act.said, act.expected) = (expected.is_some(), expected.unwrap_or(Expected::Recorded));
            text.push_str(&format!("\n  {}", shown(&line.tokens)));
            return Ok(());
        }
        let kind = step(&line.tokens)?;
        self.steps.push(Step { line: line.number, text: shown(&line.tokens), kind });
        Ok(())
    }
}

/// What kind of step a line is.
fn step(tokens: &[Token]) -> Result<StepKind, Wrong> {
    let mut at = Cursor::new(tokens);
    let first = at.take().map(|t| plain(&t.text)).unwrap_or_default();
    let rest = |at: &Cursor<'_>| {
        let rest = at.rest();
        rest.strip_suffix(&[Token { text: ":".into(), quoted: false }]).unwrap_or(rest).to_vec()
    };
    match first.as_str() {
        "as" => act(at.rest()).map(StepKind::Act),
        "expect" => Query::parse(at.rest()).map(StepKind::Expect),
        "after" => Ok(StepKind::Clock(Clock::After(rest(&at)))),
        "at" if at.skip("height") => Ok(StepKind::Clock(Clock::Height(rest(&at)))),
        "at" => Ok(StepKind::Clock(Clock::At(rest(&at)))),
        "wait" => {
            let tokens = rest(&at);
            match tokens.as_slice() {
                [number, unit] if unit.is("blocks") || unit.is("block") => {
                    Ok(StepKind::Clock(Clock::Blocks(vec![number.clone()])))
                }
                [] | [_] | [_, _, ..] => Ok(StepKind::Clock(Clock::After(tokens))),
            }
        }
        "again" | "repeat" => {
            let (words, expected) = outcome(at.rest())?;
            Cursor::new(words).finish()?;
            Ok(StepKind::Again(expected.unwrap_or(Expected::Recorded)))
        }
        other => {
            let known = ["as", "and", "expect", "after", "at", "wait", "again", "member", "time"];
            let near = nearest(other, known.into_iter());
            let near = near.map_or(String::new(), |n| format!(" (did you mean `{n}`?)"));
            Err(Wrong(format!(
                "`{}` is no step{near}; a step is `as MEMBER: VERB …`, `expect …`, `after DURATION`, \
                 `at TIME`, `wait N blocks` or `again`",
                shown(tokens)
            )))
        }
    }
}

/// Divides a step at `->`.
fn outcome(tokens: &[Token]) -> Result<(&[Token], Option<Expected>), Wrong> {
    let Some(place) = tokens.iter().position(|t| t.is("->")) else { return Ok((tokens, None)) };
    let (words, after) = tokens.split_at(place);
    let mut at = Cursor::new(after.get(1..).unwrap_or_default());
    if at.skip("ok") || at.skip("recorded") {
        at.finish()?;
        return Ok((words, Some(Expected::Recorded)));
    }
    let _ = at.skip("reject") || at.skip("rejected") || at.skip("refused");
    let mut codes = Vec::new();
    while let Some(token) = at.take() {
        if token.is("or") || token.is(",") {
            continue;
        }
        let code = Code::from_name(&token.text.to_ascii_uppercase().replace('-', "_"));
        codes.push(code.ok_or_else(|| {
            let near = nearest(&token.text, Code::ALL.iter().map(|c| c.name()));
            let upper = token.text.to_ascii_uppercase();
            let near = near
                .or_else(|| Code::ALL.iter().map(|c| c.name()).find(|name| name.contains(&upper)));
            let near = near.map_or(String::new(), |n| format!("; did you mean {n}?"));
            Wrong(format!("`{}` is no code of docs/rejections.md{near}", token.text))
        })?);
    }
    if codes.is_empty() {
        return Err(Wrong("after `->` stands `ok` or `reject CODE`".into()));
    }
    Ok((words, Some(Expected::Refused(codes))))
}

/// `MEMBER with key K valid until T: VERB …` or `MEMBER …: { VERB …; VERB … }`.
fn act(tokens: &[Token]) -> Result<Act, Wrong> {
    let (words, expected) = outcome(tokens)?;
    let opens = |t: &Token| t.is(":") || t.is("{");
    let Some(place) = words.iter().position(opens) else {
        let wrong = "after the member stands `:`, as in `as clean-lab: accept grant g`";
        return Err(Wrong(format!("{wrong}; found `{}`", shown(words))));
    };
    let (head, rest) = words.split_at(place);
    let rest = rest.strip_prefix(&[Token { text: ":".into(), quoted: false }]).unwrap_or(rest);
    let (author, keys, valid_until) = head_of(head)?;
    let block = rest.first().is_some_and(|t| t.is("{"));
    let mut deeds = Vec::new();
    if block {
        let inside = rest.get(1..).unwrap_or_default();
        let [inside @ .., last] = inside else { return Err(Wrong("`{` is not closed".into())) };
        if !last.is("}") {
            return Err(Wrong("a block ends with `}` on a line of its own".into()));
        }
        for part in inside.split(|t| t.is(";")).filter(|part| !part.is_empty()) {
            let and = [Token { text: "and".into(), quoted: false }];
            deeds.push(deed(part.strip_prefix(&and).unwrap_or(part))?);
        }
    } else {
        deeds.push(deed(rest)?);
    }
    if deeds.is_empty() {
        return Err(Wrong("the block holds no act".into()));
    }
    let said = expected.is_some();
    let expected = expected.unwrap_or(Expected::Recorded);
    Ok(Act { author, keys, valid_until, deeds, expected, said })
}

type Head = (Vec<Token>, Vec<String>, Option<Vec<Token>>);

/// The author of an envelope, its keys and its validity.
fn head_of(tokens: &[Token]) -> Result<Head, Wrong> {
    let mut at = Cursor::new(tokens);
    let author = vec![at.need("the member who acts")?.clone()];
    let (mut keys, mut valid_until) = (vec!["main".to_owned()], None);
    loop {
        if at.skip("together") {
            continue;
        }
        if at.skip("with") {
            keys.clear();
            if at.skip("no") {
                at.expect("key")?;
                continue;
            }
            let _ = at.skip("keys") || at.skip("key");
            keys.push(at.need("the name of a key")?.text.clone());
            while at.skip(",") || at.skip("and") {
                keys.push(at.need("the name of a key")?.text.clone());
            }
            continue;
        }
        if at.skip("valid") {
            at.expect("until")?;
            valid_until = Some(vec![at.need("a time")?.clone()]);
            continue;
        }
        at.finish().map_err(|e| {
            Wrong(format!("{e}: between member and `:` stands `with key …` or `valid until …`"))
        })?;
        return Ok((author, keys, valid_until));
    }
}

/// `VERB … as NAME`.
fn deed(tokens: &[Token]) -> Result<Deed, Wrong> {
    let Some((verb, taken)) = verb_at(tokens) else {
        let begin = tokens.get(..2).or(tokens.get(..1)).unwrap_or_default();
        let words = begin.iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ");
        let known = || VERBS.iter().map(Verb::name);
        let near = nearest(&words, known()).or_else(|| {
            let first = begin.first().map_or("", |t| t.text.as_str());
            nearest(first, known()).or_else(|| known().find(|v| v.starts_with(first)))
        });
        let near = near.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
        return Err(Wrong(format!("`{words}` is no verb{near} (docs/scenarios.md lists them)")));
    };
    let (tokens, name) = name_of(tokens.get(taken..).unwrap_or_default())?;
    let colon = tokens.iter().position(|t| t.is(":"));
    if let (Some(colon), "approve_act") = (colon, verb.event) {
        let (head, rest) = tokens.split_at(colon);
        let (head, by) = for_member(head)?;
        let words = divide(&values(&head), fields(verb))?;
        let approved = deed(rest.get(1..).unwrap_or_default())?;
        return Ok(Deed { verb, words, name, approved: Some(Box::new((by, approved))) });
    }
    let words = divide(&values(tokens), fields(verb)).map_err(|e| within(verb, e))?;
    Ok(Deed { verb, words, name, approved: None })
}

/// A mistake with the verb it stands at.
pub(super) fn within(verb: &Verb, wrong: Wrong) -> Wrong {
    Wrong(format!("{}: {wrong}; for example `{}`", verb.name(), verb.example))
}

/// Takes `for MEMBER` out of the head of an approval.
fn for_member(head: &[Token]) -> Result<(Vec<Token>, Option<Token>), Wrong> {
    match head.iter().position(|t| t.is("for")) {
        None => Ok((head.to_vec(), None)),
        Some(place) => {
            let (before, after) = head.split_at(place);
            let mut at = Cursor::new(after);
            at.take();
            let member = at.need("the member whose act is approved")?.clone();
            Ok(([before, at.rest()].concat(), Some(member)))
        }
    }
}

/// Takes `as NAME`, `called NAME` or `call it NAME` from the end.
fn name_of(tokens: &[Token]) -> Result<(&[Token], Option<String>), Wrong> {
    let (rest, name) = match tokens {
        [rest @ .., call, it, name] if call.is("call") && it.is("it") => (rest, name),
        [rest @ .., word, name] if word.is("as") || word.is("called") => (rest, name),
        [..] => return Ok((tokens, None)),
    };
    // `same as ASSET` gives no name.
    if rest.last().is_some_and(|t| t.is("same")) {
        return Ok((tokens, None));
    }
    if is_word(&name.text) || name.text.contains(['/', ':']) {
        return Err(Wrong(format!(
            "`{}` is a word of the language: choose another name",
            name.text
        )));
    }
    Ok((rest, Some(name.text.clone())))
}

/// Names given so far in a file, each once.
#[derive(Debug, Default)]
pub(super) struct Given(BTreeSet<String>);

impl Given {
    /// Takes a name; fails when it is given already.
    pub fn take(&mut self, name: &str) -> Result<(), Wrong> {
        if self.0.insert(name.into()) {
            return Ok(());
        }
        Err(Wrong(format!("`{name}` is the name of something else already")))
    }
}
