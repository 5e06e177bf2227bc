//! Kinds of values in the language: how each is read, written and explained.

pub mod choice;
pub mod compound;
pub mod number;
pub mod reference;
pub mod time;

use super::form::{Cursor, Wrong};
use super::names::Context;
use super::token::quote;
use crate::codec::List;
use crate::text::{AssetName, Code, DisplayName};

/// A kind of value.
pub trait Kind {
    /// What it is in an event.
    type Of: Clone;
    /// What it is called in a message and in the documentation.
    fn name() -> String;
    /// An example, as written.
    fn sample() -> String;
    /// Reads a value.
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<Self::Of, Wrong>;
    /// Writes a value so that reading gives it again.
    fn write(value: &Self::Of, context: &Context<'_>) -> String;
}

/// A value or `none`.
pub struct Maybe<K>(K);

impl<K: Kind> Kind for Maybe<K> {
    type Of = Option<K::Of>;
    fn name() -> String {
        format!("{} or `none`", K::name())
    }
    fn sample() -> String {
        K::sample()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<Self::Of, Wrong> {
        if at.skip("none") {
            return Ok(None);
        }
        K::read(at, context).map(Some)
    }
    fn write(value: &Self::Of, context: &Context<'_>) -> String {
        value.as_ref().map_or("none".into(), |value| K::write(value, context))
    }
}

/// A value that is there or not at all.
pub struct Given<K>(K);

impl<K> Given<K> {
    /// How the documentation says that it is not there.
    pub const ABSENT: &'static str = "absent";
}

impl<K: Kind> Kind for Given<K> {
    type Of = Option<K::Of>;
    fn name() -> String {
        K::name()
    }
    fn sample() -> String {
        K::sample()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<Self::Of, Wrong> {
        K::read(at, context).map(Some)
    }
    fn write(value: &Self::Of, context: &Context<'_>) -> String {
        value.as_ref().map_or(Self::ABSENT.into(), |value| K::write(value, context))
    }
}

/// Values with commas between them, or `none`.
pub struct Many<K, const MAX: usize>(K);

impl<K: Kind, const MAX: usize> Kind for Many<K, MAX> {
    type Of = List<K::Of, MAX>;
    fn name() -> String {
        format!("list of {}", K::name())
    }
    fn sample() -> String {
        K::sample()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<Self::Of, Wrong> {
        let items = items::<K>(at, context)?;
        List::new(items)
            .map_err(|items| Wrong(format!("{} values, at most {MAX} are allowed", items.len())))
    }
    fn write(value: &Self::Of, context: &Context<'_>) -> String {
        if value.is_empty() {
            return "none".into();
        }
        value.iter().map(|item| K::write(item, context)).collect::<Vec<_>>().join(", ")
    }
}

/// Reads values with commas, or the word `and`, between them.
pub fn items<K: Kind>(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<Vec<K::Of>, Wrong> {
    let mut items = Vec::new();
    if at.skip("none") || at.skip("nothing") {
        return Ok(items);
    }
    loop {
        items.push(K::read(at, context)?);
        let comma = at.skip(",");
        if !(at.skip("and") || comma) {
            return Ok(items);
        }
    }
}

/// A bare word: a word that no keyword or comma could be mistaken for, or else in quotes.
pub fn bare(text: &str) -> String {
    let odd = |c: char| !(c.is_ascii_alphanumeric() || "._/+-:".contains(c));
    let edges = text.ends_with(':') || text.starts_with("->") || text.is_empty();
    if edges || text.contains(odd) || super::verbs::is_keyword(text) {
        return quote(text);
    }
    text.into()
}

macro_rules! texts {
    ($($(#[$doc:meta])* $kind:ident = $of:ty, $name:literal, $sample:literal;)*) => {$(
        $(#[$doc])*
        pub struct $kind;
        impl Kind for $kind {
            type Of = $of;
            fn name() -> String {
                $name.into()
            }
            fn sample() -> String {
                $sample.into()
            }
            fn read(at: &mut Cursor<'_>, _: &Context<'_>) -> Result<$of, Wrong> {
                at.need($name)?.text.parse().map_err(|e: crate::text::ParseText| Wrong(e.to_string()))
            }
            fn write(value: &$of, _: &Context<'_>) -> String {
                bare(value.as_str())
            }
        }
    )*};
}

texts! {
    /// A code: a territory, a format, a bank reference.
    Word = Code, "code", "CN";
    /// The name of an asset of the author.
    Name = AssetName, "name", "fna-2026";
    /// A text for people, in quotes.
    Text = DisplayName, "text", "\"Clean Lab Ltd\"";
}

/// Yes or no; the keyword alone means yes.
pub struct Flag;

impl Kind for Flag {
    type Of = bool;
    fn name() -> String {
        "`yes` or `no`".into()
    }
    fn sample() -> String {
        "yes".into()
    }
    fn read(at: &mut Cursor<'_>, _: &Context<'_>) -> Result<bool, Wrong> {
        if at.peek().is_none() || at.skip("yes") {
            return Ok(true);
        }
        if at.skip("no") {
            return Ok(false);
        }
        Err(Wrong(format!("expected `yes` or `no`, found {}", at.found())))
    }
    fn write(value: &bool, _: &Context<'_>) -> String {
        if *value { "yes".into() } else { "no".into() }
    }
}
