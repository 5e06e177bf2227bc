//! Answers about assets, members and what governance decides.

use super::{Answer, Asked, did_you_mean};
use crate::asset::serves;
use crate::event::governance::Rulebook;
use crate::hash::AssetId;
use crate::reject::{Code, Refusal};
use crate::scenario::form::{Form, Words, Wrong, canonical, divide};
use crate::scenario::kind::choice::RoleWord;
use crate::scenario::kind::compound::Owner;
use crate::scenario::kind::number::Count;
use crate::scenario::kind::reference::{Asset, Member};
use crate::scenario::kind::time::Time;
use crate::scenario::kind::{Kind, Maybe};
use crate::scenario::token::{shown, tokens};
use crate::scenario::verbs::{describe, rulebook as rules};
use crate::state::record::AssetRecord;
use crate::state::{Key, Records, Relation, View};

impl Asked<'_> {
    /// Whether something is so of an asset.
    pub(super) fn flag(&mut self, of: fn(&AssetRecord) -> bool) -> Result<Answer, Wrong> {
        let (_, asset) = self.asset()?;
        self.yes(of(&asset))
    }

    /// The length of a list of an asset.
    pub(super) fn count(&mut self, relation: fn(AssetId) -> Relation) -> Result<Answer, Wrong> {
        let (id, _) = self.asset()?;
        let count = self.context.seen.range(&relation(id))?.count();
        self.compare::<Count>(&count)
    }

    fn number(&mut self, key: Key) -> Result<Answer, Wrong> {
        let number = self.context.seen.get::<u32>(&key)?.unwrap_or(0);
        self.compare::<Count>(&u64::from(number))
    }
}

pub(super) fn registered(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let id = Asset::read(&mut a.at, a.context)?;
    let is = a.context.seen.asset(&id)?.is_some();
    a.yes(is)
}

pub(super) fn version(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (_, asset) = a.asset()?;
    a.compare::<Count>(&u64::from(asset.version))
}

/// Whether an asset may serve for anything new; the code of the first reason why not.
pub(super) fn usable(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (id, asset) = a.asset()?;
    let is = match serves(&a.context.seen, a.context.now_ms, &id, &asset, &mut 0) {
        Ok(()) => "yes".to_owned(),
        Err(Refusal::Reject(reject)) => reject.code.name().to_owned(),
        Err(Refusal::Fault(fault)) => return Err(fault.into()),
    };
    let expected = a.expected.take().map_or("yes", |t| t.text.as_str());
    if expected.eq_ignore_ascii_case("no") {
        let is = if is == "yes" { is } else { "no".into() };
        return Ok(Answer { is, expected: "no".into() });
    }
    if expected.eq_ignore_ascii_case("yes") {
        return Ok(Answer { is, expected: "yes".into() });
    }
    let code = expected.to_ascii_uppercase().replace('-', "_");
    if Code::from_name(&code).is_none() {
        let near = did_you_mean(&code, Code::ALL.iter().map(|code| code.name()));
        return Err(Wrong(format!("`{expected}` is neither yes, no nor a code{near}")));
    }
    Ok(Answer { is, expected: code })
}

pub(super) fn duplicate(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (_, asset) = a.asset()?;
    a.compare::<Maybe<Asset>>(&asset.duplicate_of)
}

pub(super) fn owners(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (right, id, asset) = a.right_of()?;
    let seen = a.context.seen;
    let epoch = seen.right(&id, &asset, right)?.epoch;
    let owners = seen.epoch(&id, &asset, right, epoch)?.owners;
    a.list::<Owner>(&owners, |owner| Some(&owner.member))
}

pub(super) fn manager(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (right, id, asset) = a.right_of()?;
    let manager = a.context.seen.right(&id, &asset, right)?.manager;
    a.members(&[manager])
}

pub(super) fn roles(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let roles = a.member()?.roles;
    a.list::<RoleWord>(&roles, |_| None)
}

pub(super) fn suspended(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let member = a.member()?;
    a.yes(member.suspended)
}

pub(super) fn successor(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let member = a.member()?;
    a.members(member.successor.as_slice())
}

pub(super) fn related(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let one = Member::read(&mut a.at, a.context)?;
    let _ = a.at.skip("to") || a.at.skip("and") || a.at.skip(",");
    let other = Member::read(&mut a.at, a.context)?;
    for member in [&one, &other] {
        a.must_be_member(member)?;
    }
    let is = crate::member::related(&a.context.seen, &one, &other)?;
    a.yes(is)
}

pub(super) fn validators(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let set: Option<Vec<crate::validator::Validator>> = a.context.seen.get(&Key::NextValidators)?;
    let mut is: Vec<_> =
        set.unwrap_or_default().iter().map(|v| format!("{} {}", v.member, v.power)).collect();
    let mut expected = Vec::new();
    loop {
        let member = Member::read(&mut a.expected, a.context)?;
        a.must_be_member(&member)?;
        expected.push(format!("{member} {}", Count::read(&mut a.expected, a.context)?));
        if !a.expected.skip(",") {
            break;
        }
    }
    is.sort();
    expected.sort();
    Ok(Answer { is: is.join(", "), expected: expected.join(", ") })
}

/// The version of the rulebook, or what it says of one rule.
pub(super) fn rulebook(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    if a.at.peek().is_none() {
        return a.number(Key::RulebookVersion);
    }
    let fields = describe(|f, _| rules(f, None));
    let rule = divide(a.at.rest(), &fields)?;
    let ([], [(rule, more)]) = (rule.before.as_slice(), rule.clauses.as_slice()) else {
        let text = shown(a.at.rest());
        let known: Vec<_> = fields.iter().map(|field| canonical(field.keyword)).collect();
        let near = did_you_mean(&text, known.iter().copied());
        return Err(Wrong(format!("`{text}` is no rule{near}; known: {}", known.join(", "))));
    };
    if !more.is_empty() {
        return Err(Wrong(format!("after `rulebook {rule}` stands `=`")));
    }
    let expected = vec![(*rule, a.expected.rest().to_vec())];
    while a.at.take().is_some() || a.expected.take().is_some() {}
    let expected =
        rules(&mut Form::read(&Words { before: vec![], clauses: expected }, a.context), None)?;
    // The value of the rule as a rulebook is written, which leaves out what is standard.
    let value = |rulebook: &Rulebook| {
        let mut form = Form::write(a.context);
        rules(&mut form, Some(rulebook))?;
        let words = divide(&tokens(&form.into_text()).map_err(Wrong)?, &fields)?;
        let written = words.clauses.iter().find(|clause| clause.0 == *rule);
        let standard = fields.iter().find(|field| canonical(field.keyword) == *rule);
        let standard = standard.map_or(String::new(), |field| field.absent.clone());
        Ok::<_, Wrong>(written.map_or(standard, |clause| shown(&clause.1)))
    };
    let (_, rulebook) = a.context.seen.rulebook()?;
    Ok(Answer { is: value(&rulebook)?, expected: value(&expected)? })
}

pub(super) fn protocol(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    a.number(Key::Protocol)
}

pub(super) fn height(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let height = a.height;
    a.compare::<Count>(&height)
}

pub(super) fn time(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let time = a.time_ms;
    a.compare::<Time>(&time)
}
