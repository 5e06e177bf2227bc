//! Answers about assets, members and what governance decides.

use std::collections::BTreeMap;

use super::{Answer, Asked, did_you_mean};
use crate::asset::serves;
use crate::hash::AssetId;
use crate::reject::{Code, Refusal};
use crate::scenario::form::Wrong;
use crate::scenario::kind::choice::RoleWord;
use crate::scenario::kind::compound::Owner;
use crate::scenario::kind::number::Count;
use crate::scenario::kind::reference::{Asset, Member};
use crate::scenario::kind::time::Time;
use crate::scenario::kind::{Kind, Maybe, items};
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
    let is = match serves(&a.context.seen, a.context.now_ms, &id, &asset) {
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
    let write = |owners: Vec<crate::event::rights::Owner>| {
        let owners: BTreeMap<_, _> = owners.into_iter().map(|o| (o.member.clone(), o)).collect();
        let owners = owners.values().map(|o| Owner::write(o, a.context));
        owners.collect::<Vec<_>>().join(", ")
    };
    let is = write(seen.epoch(&id, &asset, right, epoch)?.owners);
    let expected = write(items::<Owner>(&mut a.expected, a.context)?);
    Ok(Answer { is, expected })
}

pub(super) fn manager(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (right, id, asset) = a.right_of()?;
    let manager = a.context.seen.right(&id, &asset, right)?.manager;
    a.compare::<Member>(&manager)
}

pub(super) fn roles(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let mut roles = a.member()?.roles;
    let mut expected = items::<RoleWord>(&mut a.expected, a.context)?;
    roles.sort();
    expected.sort();
    let write =
        |roles: &[_]| roles.iter().map(|role| RoleWord::word(role)).collect::<Vec<_>>().join(", ");
    Ok(Answer { is: write(&roles), expected: write(&expected) })
}

pub(super) fn suspended(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let member = a.member()?;
    a.yes(member.suspended)
}

pub(super) fn successor(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let member = a.member()?;
    a.compare::<Maybe<Member>>(&member.successor)
}

pub(super) fn related(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let one = Member::read(&mut a.at, a.context)?;
    let _ = a.at.skip("to") || a.at.skip("and") || a.at.skip(",");
    let other = Member::read(&mut a.at, a.context)?;
    for member in [&one, &other] {
        if a.context.seen.member(member)?.is_none() {
            return Err(Wrong(format!("member {member} is not recorded")));
        }
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
        expected.push(format!("{member} {}", Count::read(&mut a.expected, a.context)?));
        if !a.expected.skip(",") {
            break;
        }
    }
    is.sort();
    expected.sort();
    Ok(Answer { is: is.join(", "), expected: expected.join(", ") })
}

pub(super) fn rulebook(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    a.number(Key::RulebookVersion)
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
