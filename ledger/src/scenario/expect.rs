//! What a story expects of the ledger between its acts.
//!
//! A question is a row of [`rows::QUERIES`]: its words and how to answer it. Most answers are
//! compared as values of a kind of the language, so that an amount may be written in any way.

mod contest;
mod key;
mod ledger;
mod market;
mod money;
mod object;
mod rows;

use rows::QUERIES;

use super::form::{Cursor, Wrong};
use super::kind::choice::Right;
use super::kind::number::Count;
use super::kind::reference::{Asset, Member};
use super::kind::{Kind, items};
use super::names::{Context, Seen};
use super::run::Other;
use super::target::Target;
use super::token::{Token, nearest, plain};
use crate::hash::{AssetId, Digest};
use crate::query::QueryError;
use crate::state::record::{AssetRecord, MemberRecord};
use crate::state::{Key, Records, View};
use crate::text::Handle;

/// Words between a question and its answer.
const VERBS: [&str; 6] = ["=", "is", "are", "has", "lacks", "mentions"];

impl From<QueryError> for Wrong {
    fn from(error: QueryError) -> Self {
        Wrong(error.to_string())
    }
}

/// What is expected of the ledger.
#[derive(Debug, Clone)]
pub(super) struct Query {
    /// Which question.
    row: &'static Row,
    /// Its words.
    words: Vec<Token>,
    /// The answer expected.
    answer: Vec<Token>,
    /// Whether the answer must be another.
    not: bool,
    /// Of which block it is asked; of the newest unless stated.
    when: Option<When>,
}

/// An earlier block.
#[derive(Debug, Clone)]
enum When {
    /// That of a height.
    Height(Token),
    /// The one in which a step was recorded.
    Step(Token),
}

/// A question: its words, how it is asked, an example, and its answer.
pub(super) struct Row {
    /// The words it begins with.
    pub words: &'static str,
    /// What follows them, and what the answer is.
    pub form: &'static str,
    /// As written.
    pub example: &'static str,
    /// Answers.
    pub answer: fn(&mut Asked<'_>) -> Result<Answer, Wrong>,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.words)
    }
}

/// A question being answered.
pub(super) struct Asked<'a> {
    at: Cursor<'a>,
    /// The answer expected.
    expected: Cursor<'a>,
    context: &'a Context<'a>,
    /// Height of the block it is asked of.
    height: u64,
    /// Time of that block, milliseconds since 1970.
    time_ms: u64,
}

/// The answer as it is, and the one expected, in the same writing.
pub(super) struct Answer {
    is: String,
    expected: String,
}

/// Every question: its words, what follows them, and an example.
pub fn questions() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    QUERIES.iter().map(|row| (row.words, row.form, row.example))
}

impl Query {
    /// Reads what stands after `expect`.
    pub fn parse(tokens: &[Token]) -> Result<Self, Wrong> {
        let (tokens, when) = as_of(tokens)?;
        let mut at = Cursor::new(tokens);
        let mut not = at.skip("not") || at.skip("no");
        let first = at.need("what is expected")?;
        let known = || QUERIES.iter().map(|row| row.words);
        let row = QUERIES.iter().find(|row| row.words == plain(&first.text)).ok_or_else(|| {
            let near = did_you_mean(&first.text, known());
            let known = known().collect::<Vec<_>>().join(", ");
            Wrong(format!("nothing can be asked about `{}`{near}; known: {known}", first.text))
        })?;
        let place = at.rest().iter().position(|t| VERBS.iter().any(|verb| t.is(verb)));
        let (words, answer) = match place {
            Some(place) => {
                let (words, rest) = at.rest().split_at(place);
                not ^= rest.first().is_some_and(|t| t.is("lacks"));
                let rest = rest.get(1..).unwrap_or_default();
                let denied = rest.first().is_some_and(|t| t.is("not"));
                not ^= denied;
                (words, if denied { rest.get(1..).unwrap_or_default() } else { rest })
            }
            None => (at.rest(), Default::default()),
        };
        Ok(Query { row, words: words.to_vec(), answer: answer.to_vec(), not, when })
    }

    /// Whether it holds, now or of the block that is stated.
    pub fn hold(&self, context: &Context<'_>, target: &dyn Target) -> Result<(), Other> {
        let answer = self.ask(context, target).map_err(|wrong| Other {
            expected: format!("expect {} {}", self.row.words, self.row.form),
            came: wrong.0,
            hint: None,
        })?;
        if (answer.is == answer.expected) != self.not {
            return Ok(());
        }
        let not = if self.not { "not " } else { "" };
        let (expected, came) = (format!("{not}{}", answer.expected), answer.is);
        Err(Other { expected, came, hint: None })
    }

    fn ask(&self, context: &Context<'_>, target: &dyn Target) -> Result<Answer, Wrong> {
        let Some(when) = &self.when else {
            return self.answer(context, (target.height(), target.time_ms()));
        };
        let height = match when {
            When::Height(token) => {
                Count::read(&mut Cursor::new(std::slice::from_ref(token)), context)?
            }
            When::Step(name) => context.names.height(&name.text).ok_or_else(|| {
                Wrong(format!("no step before that was recorded has the name `{}`", name.text))
            })?,
        };
        let (time_ms, lists) = target.past(height)?;
        let mut past = context.as_member(context.author.clone());
        (past.seen, past.now_ms) = (Seen(Some(&*lists)), time_ms);
        past.height = height.saturating_add(1);
        self.answer(&past, (height, time_ms))
    }

    fn answer(
        &self,
        context: &Context<'_>,
        (height, time_ms): (u64, u64),
    ) -> Result<Answer, Wrong> {
        let (at, expected) = (Cursor::new(&self.words), Cursor::new(&self.answer));
        let mut asked = Asked { at, expected, context, height, time_ms };
        let answer = (self.row.answer)(&mut asked)?;
        asked.at.finish()?;
        asked.expected.finish()?;
        Ok(answer)
    }
}

/// What to say after a word that is not known.
fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(word, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}

/// Takes `as of height N`, `as of step NAME` or `as of NAME` from the end.
fn as_of(tokens: &[Token]) -> Result<(&[Token], Option<When>), Wrong> {
    let place = tokens.windows(2).position(|pair| match pair {
        [first, second] => first.is("as") && second.is("of"),
        [] | [_] | [_, _, _, ..] => false,
    });
    let Some(place) = place else { return Ok((tokens, None)) };
    let (question, rest) = tokens.split_at(place);
    let mut at = Cursor::new(rest.get(2..).unwrap_or_default());
    let expected = "after `as of` stands `height N` or the name that a step gave";
    let when = if at.skip("height") {
        When::Height(at.need(expected)?.clone())
    } else {
        at.skip("step");
        When::Step(at.need(expected)?.clone())
    };
    at.finish().map_err(|wrong| Wrong(format!("{wrong}: {expected}")))?;
    Ok((question, Some(when)))
}

impl Asked<'_> {
    /// Compares a value with the answer expected.
    fn compare<K: Kind>(&mut self, is: &K::Of) -> Result<Answer, Wrong> {
        let expected = K::read(&mut self.expected, self.context)?;
        let expected = K::write(&expected, self.context);
        Ok(Answer { is: K::write(is, self.context), expected })
    }

    /// Compares values without regard to their order.
    fn list<K: Kind>(
        &mut self,
        is: &[K::Of],
        member: fn(&K::Of) -> Option<&Handle>,
    ) -> Result<Answer, Wrong> {
        let write = |values: &[K::Of]| {
            let mut values: Vec<_> = values.iter().map(|v| K::write(v, self.context)).collect();
            values.sort();
            if values.is_empty() { "none".into() } else { values.join(", ") }
        };
        let expected = items::<K>(&mut self.expected, self.context)?;
        for member in expected.iter().filter_map(member) {
            self.must_be_member(member)?;
        }
        Ok(Answer { is: write(is), expected: write(&expected) })
    }

    /// Compares members without regard to their order.
    fn members(&mut self, is: &[Handle]) -> Result<Answer, Wrong> {
        self.list::<Member>(is, |member| Some(member))
    }

    /// Fails when an answer names a member that there is not.
    fn must_be_member(&self, handle: &Handle) -> Result<(), Wrong> {
        let record = self.context.seen.member(handle)?;
        record.map(|_| ()).ok_or_else(|| Wrong(format!("member {handle} is not recorded")))
    }

    /// Compares yes or no; without an answer, yes is expected.
    fn yes(&mut self, is: bool) -> Result<Answer, Wrong> {
        self.compare::<super::kind::Flag>(&is)
    }

    /// Compares a word with one of those there are.
    fn word(&mut self, is: String, known: &[&str]) -> Result<Answer, Wrong> {
        let word = self.expected.need("the answer")?;
        let expected = plain(&word.text);
        if expected != is && !known.contains(&expected.as_str()) {
            let near = did_you_mean(&expected, known.iter().copied());
            let known = known.join(", ");
            return Err(Wrong(format!("`{}` is no answer{near}; known: {known}", word.text)));
        }
        Ok(Answer { is, expected })
    }

    /// The asset asked about.
    fn asset(&mut self) -> Result<(AssetId, AssetRecord), Wrong> {
        self.at.skip("of");
        let id = Asset::read(&mut self.at, self.context)?;
        let record = self.context.seen.asset(&id)?;
        Ok((id, record.ok_or_else(|| Wrong("the asset is not recorded".into()))?))
    }

    /// The member asked about.
    fn member(&mut self) -> Result<MemberRecord, Wrong> {
        Ok(self.member_with_handle()?.1)
    }

    /// The member asked about, with its handle.
    fn member_with_handle(&mut self) -> Result<(Handle, MemberRecord), Wrong> {
        self.at.skip("of");
        let handle = Member::read(&mut self.at, self.context)?;
        let record = self.context.seen.member(&handle)?;
        let record = record.ok_or_else(|| Wrong(format!("member {handle} is not recorded")))?;
        Ok((handle, record))
    }

    /// What bears the name asked about.
    fn named(&mut self) -> Result<(&'static str, Digest), Wrong> {
        self.at.skip("of");
        let name = &self.at.need("a name given by an earlier step")?.text;
        self.name(name)
    }

    /// What bears a name.
    fn name(&self, name: &str) -> Result<(&'static str, Digest), Wrong> {
        self.context.names.get(name).ok_or_else(|| {
            let near = did_you_mean(name, self.context.names.all());
            Wrong(format!("no step before has named anything `{name}`{near}"))
        })
    }

    /// What is asked about: something with a name, or else an asset.
    fn thing(&mut self) -> Result<(&'static str, Digest), Wrong> {
        self.at.skip("of");
        let first = self.at.peek().map(|t| t.text.as_str()).unwrap_or_default();
        if self.context.names.get(first).is_some() {
            return self.named();
        }
        let first = first.to_owned();
        let id = Asset::read(&mut self.at, self.context)?;
        self.must_be_recorded(&id, &first)?;
        Ok(("asset", *id.digest()))
    }

    /// Fails when a word is the name of nothing, and of no asset that is recorded.
    fn must_be_recorded(&self, id: &AssetId, word: &str) -> Result<(), Wrong> {
        if self.context.seen.asset(id)?.is_some() {
            return Ok(());
        }
        let near = did_you_mean(word, self.context.names.all());
        let text = format!("no step has named anything `{word}`, and no such asset is recorded");
        Err(Wrong(format!("{text}{near}")))
    }

    /// A record that must be there.
    fn record<T: bincode::Decode<()>>(&self, key: Key) -> Result<T, Wrong> {
        let record = self.context.seen.get(&key)?;
        record.ok_or_else(|| Wrong("it is not recorded".into()))
    }

    /// The right over an asset that is asked about.
    fn right_of(&mut self) -> Result<(crate::split::Right, AssetId, AssetRecord), Wrong> {
        self.at.skip("of");
        let right = Right::read(&mut self.at, self.context)?;
        let (id, asset) = self.asset()?;
        Ok((right, id, asset))
    }
}
