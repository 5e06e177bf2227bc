//! One description of each act, used three ways: to read it, to write it and to document it.

use super::kind::Kind;
use super::names::Context;
use super::token::{Token, nearest, plain, shown, tokens};

/// Why words mean nothing here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(pub String);

impl From<crate::reject::Fault> for Wrong {
    fn from(fault: crate::reject::Fault) -> Self {
        Wrong(format!("the ledger cannot be read: {fault}"))
    }
}

impl From<crate::codec::CodecError> for Wrong {
    fn from(error: crate::codec::CodecError) -> Self {
        Wrong(error.to_string())
    }
}

/// A reading position among words.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    tokens: &'a [Token],
}

impl<'a> Cursor<'a> {
    /// At the begin of some words.
    pub fn new(tokens: &'a [Token]) -> Self {
        Cursor { tokens }
    }
    /// The next word, not taken.
    pub fn peek(&self) -> Option<&'a Token> {
        self.tokens.first()
    }
    /// Takes the next word.
    pub fn take(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }
    /// Takes the next word; fails when there is none.
    pub fn need(&mut self, expected: &str) -> Result<&'a Token, Wrong> {
        self.take().ok_or_else(|| Wrong(format!("{expected} is missing")))
    }
    /// Takes the next word when it is this one.
    pub fn skip(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|t| !t.quoted && plain(&t.text) == word);
        if found {
            self.take();
        }
        found
    }
    /// Takes this very word.
    pub fn expect(&mut self, word: &str) -> Result<(), Wrong> {
        if self.skip(word) {
            return Ok(());
        }
        Err(Wrong(format!("expected `{word}`, found {}", self.found())))
    }
    /// The words that are left.
    pub fn rest(&self) -> &'a [Token] {
        self.tokens
    }
    /// What comes next, for a message.
    pub fn found(&self) -> String {
        match self.peek() {
            Some(_) => format!("`{}`", shown(self.tokens)),
            None => "the end".into(),
        }
    }
    /// Fails when words are left.
    pub fn finish(&self) -> Result<(), Wrong> {
        if self.tokens.is_empty() {
            return Ok(());
        }
        Err(Wrong(format!("`{}` is not understood", shown(self.tokens))))
    }
}

/// The words of an act: what stands before the first keyword, and its clauses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Words before the first keyword.
    pub before: Vec<Token>,
    /// Clauses: canonical keyword and words.
    pub clauses: Vec<(&'static str, Vec<Token>)>,
}

/// A field of an act, as documented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Keyword, other spellings after `|`; empty for what stands first.
    pub keyword: &'static str,
    /// What it is, for what stands first.
    pub what: &'static str,
    /// The kind of its value.
    pub kind: String,
    /// An example of a value.
    pub sample: String,
    /// What holds when it is left out; empty when it must be there.
    pub absent: String,
}

/// What an act's description is used for.
pub enum Form<'a> {
    /// Reads the words of an act.
    Read(Reading<'a>),
    /// Writes an act.
    Write(Writing<'a>),
    /// Tells the fields.
    Describe(Describing<'a>),
}

/// Reading an act.
pub struct Reading<'a> {
    before: Cursor<'a>,
    words: &'a Words,
    used: Vec<&'static str>,
    context: &'a Context<'a>,
}

/// Writing an act.
pub struct Writing<'a> {
    out: String,
    context: &'a Context<'a>,
}

/// Telling the fields of an act.
pub struct Describing<'a> {
    fields: Vec<Field>,
    context: &'a Context<'a>,
}

/// The first spelling of a keyword.
pub fn canonical(keyword: &'static str) -> &'static str {
    keyword.split('|').next().unwrap_or(keyword)
}

impl<'a> Form<'a> {
    /// For reading.
    pub fn read(words: &'a Words, context: &'a Context<'a>) -> Self {
        let before = Cursor::new(&words.before);
        Form::Read(Reading { before, words, used: Vec::new(), context })
    }

    /// For writing.
    pub fn write(context: &'a Context<'a>) -> Self {
        Form::Write(Writing { out: String::new(), context })
    }

    /// For telling the fields.
    pub fn describe(context: &'a Context<'a>) -> Self {
        Form::Describe(Describing { fields: Vec::new(), context })
    }

    /// What is known around the act.
    pub fn context(&self) -> &'a Context<'a> {
        match self {
            Form::Read(r) => r.context,
            Form::Write(w) => w.context,
            Form::Describe(d) => d.context,
        }
    }

    /// A value that stands before every clause.
    pub fn first<K: Kind>(
        &mut self,
        what: &'static str,
        old: Option<&K::Of>,
    ) -> Result<K::Of, Wrong> {
        match self {
            Form::Read(r) => {
                K::read(&mut r.before, r.context).map_err(|e| Wrong(format!("{what}: {e}")))
            }
            Form::Write(w) => {
                let old = old.ok_or_else(|| Wrong("nothing to write".into()))?;
                w.out.push(' ');
                w.out.push_str(&K::write(old, w.context));
                Ok(old.clone())
            }
            Form::Describe(d) => {
                let sample = K::sample();
                let (kind, absent) = (K::name(), String::new());
                d.fields.push(Field { keyword: "", what, kind, sample: sample.clone(), absent });
                parse::<K>(&sample, d.context)
            }
        }
    }

    /// A clause whose default is written in the language itself; empty: it must be there.
    pub fn clause<K: Kind>(
        &mut self,
        keyword: &'static str,
        old: Option<&K::Of>,
        absent: &str,
    ) -> Result<K::Of, Wrong> {
        self.clause_or::<K>(keyword, old, absent, |context| parse::<K>(absent, context))
    }

    /// A clause whose default is computed; `told` says in words what it is.
    pub fn clause_or<K: Kind>(
        &mut self,
        keyword: &'static str,
        old: Option<&K::Of>,
        told: &str,
        absent: impl FnOnce(&Context<'_>) -> Result<K::Of, Wrong>,
    ) -> Result<K::Of, Wrong> {
        let name = canonical(keyword);
        match self {
            Form::Read(r) => {
                r.used.push(name);
                let Some((_, words)) = r.words.clauses.iter().find(|c| c.0 == name) else {
                    if told.is_empty() {
                        let text = format!("`{name} {}` is missing", K::name().to_uppercase());
                        return Err(Wrong(format!("{text}, such as `{name} {}`", K::sample())));
                    }
                    return absent(r.context);
                };
                let mut at = Cursor::new(words);
                let value = K::read(&mut at, r.context).and_then(|v| at.finish().map(|()| v));
                value.map_err(|e| Wrong(format!("`{name} {}`: {e}", shown(words))))
            }
            Form::Write(w) => {
                let old = old.ok_or_else(|| Wrong("nothing to write".into()))?;
                let text = K::write(old, w.context);
                if text != told {
                    w.out.push_str(&format!(" {name} {text}"));
                }
                Ok(old.clone())
            }
            Form::Describe(d) => {
                let (sample, kind, absent) = (K::sample(), K::name(), told.to_owned());
                d.fields.push(Field { keyword, what: "", kind, sample: sample.clone(), absent });
                parse::<K>(&sample, d.context)
            }
        }
    }

    /// A clause that is needed before its turn, when an act is read and the clause is there.
    pub fn ahead<K: Kind>(&self, keyword: &'static str) -> Result<Option<K::Of>, Wrong> {
        let Form::Read(r) = self else { return Ok(None) };
        let Some((_, words)) = r.words.clauses.iter().find(|c| c.0 == keyword) else {
            return Ok(None);
        };
        K::read(&mut Cursor::new(words), r.context).map(Some)
    }

    /// Ends reading: fails when a word was not understood.
    pub fn finish(&self) -> Result<(), Wrong> {
        match self {
            Form::Read(r) => r.finish(),
            Form::Write(_) | Form::Describe(_) => Ok(()),
        }
    }

    /// What was written.
    pub fn into_text(self) -> String {
        match self {
            Form::Write(w) => w.out,
            Form::Read(_) | Form::Describe(_) => String::new(),
        }
    }

    /// The fields told.
    pub fn into_fields(self) -> Vec<Field> {
        match self {
            Form::Describe(d) => d.fields,
            Form::Read(_) | Form::Write(_) => Vec::new(),
        }
    }
}

impl Reading<'_> {
    fn finish(&self) -> Result<(), Wrong> {
        if let Some(token) = self.before.peek() {
            let near = nearest(&token.text, self.used.iter().copied());
            let near = near.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            let clauses = match self.used.is_empty() {
                true => "there are no clauses here".into(),
                false => format!("the clauses here are: {}", self.used.join(", ")),
            };
            let text = shown(self.before.rest());
            return Err(Wrong(format!("`{text}` is not understood{near} ({clauses})")));
        }
        match self.words.clauses.iter().find(|c| !self.used.contains(&c.0)) {
            Some((keyword, _)) => {
                Err(Wrong(format!("the clause `{keyword}` has no meaning without the others")))
            }
            None => Ok(()),
        }
    }
}

/// Reads a value from a text of the language.
pub fn parse<K: Kind>(text: &str, context: &Context<'_>) -> Result<K::Of, Wrong> {
    let tokens = tokens(text).map_err(Wrong)?;
    let mut at = Cursor::new(&tokens);
    let value = K::read(&mut at, context)?;
    at.finish()?;
    Ok(value)
}

/// Divides the words of an act at the keywords of its verb.
pub fn divide(tokens: &[Token], fields: &[Field]) -> Result<Words, Wrong> {
    let mut words = Words { before: Vec::new(), clauses: Vec::new() };
    let mut at = Cursor::new(tokens);
    while let Some(token) = at.peek() {
        if let Some((keyword, taken)) = keyword_at(at.rest(), fields) {
            for _ in 0..taken {
                at.take();
            }
            if words.clauses.iter().any(|c| c.0 == keyword) {
                return Err(Wrong(format!("the clause `{keyword}` stands twice")));
            }
            words.clauses.push((keyword, Vec::new()));
            continue;
        }
        at.take();
        match words.clauses.last_mut() {
            Some(clause) => clause.1.push(token.clone()),
            None => words.before.push(token.clone()),
        }
    }
    Ok(words)
}

/// The keyword that begins here, and of how many words it is. The longest wins.
fn keyword_at(tokens: &[Token], fields: &[Field]) -> Option<(&'static str, usize)> {
    for taken in (1..=3).rev() {
        let Some(found) = joined(tokens, taken) else { continue };
        for field in fields.iter().filter(|f| !f.keyword.is_empty()) {
            if field.keyword.split('|').any(|k| k == found) {
                return Some((canonical(field.keyword), taken));
            }
        }
    }
    None
}

/// So many words, as one keyword.
pub fn joined(tokens: &[Token], count: usize) -> Option<String> {
    let words = tokens.get(..count)?;
    if words.iter().any(|t| t.quoted) {
        return None;
    }
    Some(words.iter().map(|t| plain(&t.text)).collect::<Vec<_>>().join("-"))
}
