//! The first lines of a story: who is there when it begins.

use super::derive::{label, signing_key};
use super::form::{Cursor, Form, Wrong, divide, joined};
use super::kind::number::{Count, Count32};
use super::kind::reference::Member;
use super::kind::time::Time;
use super::kind::{Kind, items};
use super::names::{Context, Names, Seen};
use super::token::{Line, Token, plain};
use super::verbs::{describe, fields, named, rulebook};
use crate::codec::List;
use crate::event::Event;
use crate::event::governance::Rulebook;
use crate::event::member::{AdmitMember, Role};
use crate::genesis::Genesis;
use crate::hash::ChainId;
use crate::text::Handle;
use crate::validator::Validator;

/// Block time at the begin unless stated: 2027-01-01.
const START_MS: u64 = 20_819 * 86_400_000;

/// What the first lines of a file declare.
#[derive(Debug, Clone)]
pub(super) struct World {
    protocol: u32,
    start_ms: u64,
    rulebook: Option<Rulebook>,
    members: Vec<AdmitMember>,
    validators: Vec<(Handle, u64)>,
    /// The names of the members' keys.
    names: Names,
}

impl Default for World {
    fn default() -> Self {
        let (members, validators) = (Vec::new(), Vec::new());
        let names = Names::default();
        World { protocol: 1, start_ms: START_MS, rulebook: None, members, validators, names }
    }
}

impl World {
    /// Reads a line that declares something; false when the line is a step.
    pub fn declare(&mut self, line: &Line) -> Result<bool, Wrong> {
        let names = self.names.clone();
        let context = Context {
            chain: ChainId::from_digest(label("no chain yet")),
            author: "nobody".parse().map_err(|e: crate::text::ParseText| Wrong(e.to_string()))?,
            start_ms: self.start_ms,
            now_ms: self.start_ms,
            height: 0,
            names: &names,
            seen: Seen(None),
            keys_of: std::cell::RefCell::new(None),
        };
        let mut at = Cursor::new(&line.tokens);
        let Some(first) = at.take().filter(|t| !t.quoted) else { return Ok(false) };
        match plain(&first.text).as_str() {
            "protocol" => self.protocol = only::<Count32>(&mut at, &context)?,
            "time" => self.start_ms = only::<Time>(&mut at, &context)?,
            "rulebook" => self.rulebook = Some(rules(&values(at.rest()), &context)?),
            "member" | "members" => self.members(&mut at, &context)?,
            "validator" => {
                let member = Member::read(&mut at, &context)?;
                at.skip("power");
                let power =
                    if at.peek().is_some() { only::<Count>(&mut at, &context)? } else { 10 };
                self.validators.push((member, power));
            }
            _ => return Ok(false),
        }
        self.names = names;
        Ok(true)
    }

    fn members(&mut self, at: &mut Cursor<'_>, context: &Context<'_>) -> Result<(), Wrong> {
        let handles = items::<Member>(at, context)?;
        at.skip(":");
        let Some(verb) = named("admit") else { return Err(Wrong("no verb `admit`".into())) };
        let mut rest = values(at.rest());
        let keyword = ["name", "roles", "role", "keys", "key"];
        if !rest.is_empty() && !joined(&rest, 1).is_some_and(|w| keyword.contains(&w.as_str())) {
            rest.insert(0, Token { text: "roles".into(), quoted: false });
        }
        for handle in handles {
            let mut words = vec![Token { text: handle.to_string(), quoted: true }];
            words.extend(rest.clone());
            let words = divide(&words, fields(verb))?;
            let context = context.as_member(handle);
            let mut form = Form::read(&words, &context);
            let event = (verb.visit)(&mut form, None)?;
            form.finish()?;
            if let Event::AdmitMember(member) = event {
                self.members.push(member);
            }
        }
        Ok(())
    }

    /// The names of the members' keys.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Block time at the begin.
    pub fn start_ms(&self) -> u64 {
        self.start_ms
    }

    /// The genesis document.
    pub fn genesis(&self) -> Result<Genesis, Wrong> {
        let mut validators = self.validators.clone();
        if validators.is_empty() {
            let exchanges = self.members.iter().filter(|m| m.roles.contains(&Role::Exchange));
            validators.extend(exchanges.map(|m| (m.handle.clone(), 10)));
        }
        if validators.is_empty() {
            let text = "no member has the role exchange, so that nobody runs a validator; begin \
                        with a line such as `member gz-exchange: exchange`";
            return Err(Wrong(text.into()));
        }
        let validators = validators
            .into_iter()
            .map(|(member, power)| {
                let key = signing_key(&member, "validator").public_key();
                Validator { member, key, power }
            })
            .collect();
        let many = |what: &str| Wrong(format!("too many {what}"));
        Ok(Genesis {
            name: "scenario".parse().map_err(|e: crate::text::ParseText| Wrong(e.to_string()))?,
            protocol: self.protocol,
            time_ms: self.start_ms,
            members: List::new(self.members.clone()).map_err(|_| many("members"))?,
            validators: List::new(validators).map_err(|_| many("validators"))?,
            rulebook: self.rulebook.clone(),
        })
    }
}

/// Words without `=`, which may stand between a keyword and its value.
pub(super) fn values(tokens: &[Token]) -> Vec<Token> {
    tokens.iter().filter(|t| !t.is("=")).cloned().collect()
}

fn only<K: Kind>(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<K::Of, Wrong> {
    at.skip(":");
    at.skip("=");
    let value = K::read(at, context)?;
    at.finish()?;
    Ok(value)
}

fn rules(tokens: &[Token], context: &Context<'_>) -> Result<Rulebook, Wrong> {
    let fields = describe(|f, _| rulebook(f, None));
    let words = divide(tokens, &fields)?;
    let mut form = Form::read(&words, context);
    let rules = rulebook(&mut form, None)?;
    form.finish()?;
    Ok(rules)
}
