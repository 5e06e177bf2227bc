//! Events as lines of the language.

use super::form::{Form, Wrong};
use super::names::Context;
use super::verbs::{named, verb_of};
use crate::event::Event;

/// The act that records an event; reading it in the same context gives the same event.
pub fn act(event: &Event, context: &Context<'_>) -> Result<String, Wrong> {
    let words = verb_of(event);
    let plain = super::token::plain(words);
    let verb = named(&plain).ok_or_else(|| Wrong(format!("no verb `{words}`")))?;
    let mut form = Form::write(context);
    (verb.visit)(&mut form, Some(event))?;
    Ok(format!("{words}{}", form.into_text()))
}

/// The step by which a member records an event.
pub fn step(event: &Event, context: &Context<'_>) -> Result<String, Wrong> {
    Ok(format!("as {}: {}", context.author, act(event, context)?))
}
