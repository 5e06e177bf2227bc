//! A step of a story into an author, keys and events.

use super::form::{Form, Wrong, parse};
use super::kind::reference::Member;
use super::names::Context;
use super::parse::{Act, Deed, Given, Mistake, Scenario, StepKind, within};
use super::token::{Token, shown};
use crate::codec::List;
use crate::envelope::asset_id;
use crate::event::{ApproveAct, Event};
use crate::execute::act_hash;
use crate::hash::{AssetId, ChainId, Digest, EventId};
use crate::state::Records;
use crate::text::Handle;

/// Who acts.
pub(super) fn author(tokens: &[Token]) -> Result<Handle, Wrong> {
    let text = tokens.first().map_or("", |t| t.text.as_str());
    text.parse().map_err(|e: crate::text::ParseText| Wrong(e.to_string()))
}

/// The events of an envelope.
pub(super) fn events(act: &Act, context: &Context<'_>) -> Result<Vec<Event>, Wrong> {
    act.deeds.iter().map(|deed| event(deed, context)).collect()
}

/// One event.
fn event(deed: &Deed, context: &Context<'_>) -> Result<Event, Wrong> {
    let verb = deed.verb;
    *context.keys_of.borrow_mut() = None;
    if let Some((by, approved)) = deed.approved.as_deref() {
        let by = by.as_ref().map(|t| parse::<Member>(&t.shown(), context)).transpose()?;
        let by = by.unwrap_or_else(|| context.author.clone());
        let approved = event(approved, &context.as_member(by))?;
        let about = deed.words.clauses.iter().find(|c| c.0 == "about");
        let asset = match about {
            Some((_, words)) => parse::<super::kind::reference::Asset>(&shown(words), context)?,
            None => subject(&approved, context)?,
        };
        return Ok(Event::ApproveAct(ApproveAct { asset, act: act_hash(&approved)? }));
    }
    let mut form = Form::read(&deed.words, context);
    let event = (verb.visit)(&mut form, None).map_err(|e| within(verb, e))?;
    form.finish().map_err(|e| within(verb, e))?;
    if deed.name.is_some() && event.makes().is_none() {
        let text = "makes nothing that a later step could name; leave `as …` out";
        return Err(Wrong(format!("`{}` {text}", verb.name())));
    }
    Ok(event)
}

/// The asset that an act is about, for its approval.
fn subject(event: &Event, context: &Context<'_>) -> Result<AssetId, Wrong> {
    let seen = context.seen;
    let stand_in = AssetId::from_digest(super::derive::label("no asset"));
    let of_grant = |id| -> Result<AssetId, Wrong> {
        context.recorded(seen.grant(id)?.map(|g| g.asset), stand_in, "the grant")
    };
    match event {
        Event::TransferRight(e) => Ok(e.asset),
        Event::OfferGrant(e) => Ok(e.asset),
        Event::OfferStanding(e) => Ok(e.asset),
        Event::RequestGrant(e) => Ok(e.asset),
        Event::ListProduct(e) => Ok(e.asset),
        Event::FileRegistration(e) => Ok(e.asset),
        Event::RegisterAsset(e) => Ok(asset_id(&context.chain, &context.author, &e.name)),
        Event::RevokeGrant(e) => of_grant(&e.grant),
        Event::RenewGrant(e) => of_grant(&e.grant),
        Event::ConsentFiling(e) => of_grant(&e.grant),
        other => Err(Wrong(format!(
            "say which asset the act `{}` is about, as in `approve about ASSET: …`",
            other.name()
        ))),
    }
}

/// The id of what an event makes.
pub(super) fn made(event: &Event, id: &EventId, chain: &ChainId, author: &Handle) -> Digest {
    match event {
        Event::RegisterAsset(e) => *asset_id(chain, author, &e.name).digest(),
        _ => *id.digest(),
    }
}

/// Gives names to what the acts of an envelope make.
pub(super) fn give_names(
    act: &Act,
    events: &[Event],
    names: &mut super::names::Names,
    id: impl Fn(u32, &Event) -> Digest,
) {
    for ((index, deed), event) in (0u32..).zip(&act.deeds).zip(events) {
        let id = id(index, event);
        if let Event::SealSources(sealed) = event {
            let aggregate = crate::hash::AggregateId::from_digest(id);
            names.remember_aggregate(aggregate, sealed.root);
        }
        if let (Some(name), Some(what)) = (&deed.name, event.makes()) {
            names.give(name, what, id);
        }
    }
}

impl Scenario {
    /// The mistakes that can be found without running the story.
    pub(super) fn check(&self) -> Vec<Mistake> {
        let mistake =
            |line, wrong: Wrong| Mistake { file: self.file.clone(), line, message: wrong.0 };
        let chain = match self.world.genesis().map(|g| g.chain_id()) {
            Ok(Ok(chain)) => chain,
            Ok(Err(e)) => return vec![mistake(1, Wrong(e.to_string()))],
            Err(wrong) => return vec![mistake(1, wrong)],
        };
        let mut names = self.world.names().clone();
        let (mut given, mut mistakes) = (Given::default(), Vec::new());
        for step in &self.steps {
            let StepKind::Act(act) = &step.kind else { continue };
            let events = author(&act.author).and_then(|author| {
                let context = Context {
                    chain,
                    author,
                    start_ms: self.world.start_ms(),
                    now_ms: self.world.start_ms(),
                    height: 1,
                    names: &names,
                    seen: super::names::Seen(None),
                    keys_of: std::cell::RefCell::new(None),
                };
                events(act, &context)
            });
            match events {
                Ok(events)
                    if List::<Event, { crate::limits::MAX_EVENTS }>::new(events.clone())
                        .is_ok() =>
                {
                    let stand_in = |index: u32, _: &Event| {
                        super::derive::label(&format!("{} {index}", step.line))
                    };
                    give_names(act, &events, &mut names, stand_in);
                }
                Ok(_) => {
                    mistakes.push(mistake(step.line, Wrong("too many acts in a block".into())))
                }
                Err(wrong) => {
                    mistakes.push(mistake(step.line, Wrong(format!("{wrong}\n  {}", step.text))));
                    // Later steps may use the names all the same.
                    for deed in &act.deeds {
                        if let Some(name) = &deed.name {
                            names.give(name, "step with a mistake", super::derive::label(name));
                        }
                    }
                }
            }
            for name in act.deeds.iter().filter_map(|deed| deed.name.as_ref()) {
                if let Err(wrong) = given.take(name) {
                    mistakes.push(mistake(step.line, wrong));
                }
            }
        }
        mistakes
    }
}
