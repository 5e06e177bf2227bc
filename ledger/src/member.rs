//! The rules for members: admission and suspension. Implements [LED-MEM-1] to [LED-MEM-4].

use std::collections::BTreeSet;

use crate::event::AdmitMember;
use crate::event::member::Role;
use crate::execute::Act;
use crate::reject::{Code, Missing, Refusal, Reject};
use crate::state::record::MemberRecord;
use crate::state::{Key, Records, State, View};
use crate::text::Handle;

/// An exchange admits a member.
pub(crate) fn admit_member(act: &mut Act<'_>, e: &AdmitMember) -> Result<(), Refusal> {
    act.require_role(Role::Exchange)?;
    admit(act.state, act.context.height, e)?;
    act.effects.created.push(Missing::Member(e.handle.clone()));
    Ok(())
}

/// Admits a member, at genesis or by an exchange.
pub(crate) fn admit(state: &mut State, height: u64, e: &AdmitMember) -> Result<(), Refusal> {
    if state.member(&e.handle)?.is_some() {
        return Err(
            Reject::new(Code::HandleTaken, format!("{} is a member already", e.handle)).into()
        );
    }
    let roles: BTreeSet<_> = e.roles.iter().collect();
    let keys: BTreeSet<_> = e.keys.iter().map(|k| k.key).collect();
    if roles.is_empty()
        || keys.is_empty()
        || roles.len() != e.roles.len()
        || keys.len() != e.keys.len()
        || e.keys.iter().any(|k| k.scopes.is_empty() || has_repeats(&k.scopes))
    {
        return Err(Reject::new(
            Code::MemberIncomplete,
            format!("{} needs roles, keys and scopes for every key, each once", e.handle),
        )
        .into());
    }
    for key in keys {
        if !key.is_acceptable() {
            return Err(Reject::new(
                Code::KeyNotAcceptable,
                format!("{key} is weak, torsioned or not canonical"),
            )
            .into());
        }
        if let Some(owner) = state.get::<Handle>(&Key::KeyOwner(key))? {
            return Err(Reject::new(Code::KeyInUse, format!("{key} is a key of {owner}")).into());
        }
        state.put(&Key::KeyOwner(key), &e.handle)?;
    }
    let record = MemberRecord {
        name: e.name.clone(),
        roles: e.roles.to_vec(),
        keys: e.keys.to_vec(),
        suspended: false,
        height,
    };
    Ok(state.put(&Key::Member(e.handle.clone()), &record)?)
}

fn has_repeats<T: Ord>(items: &[T]) -> bool {
    items.iter().collect::<BTreeSet<_>>().len() != items.len()
}

/// A regulator suspends or reinstates a member.
pub(crate) fn set_suspended(
    act: &mut Act<'_>,
    handle: &Handle,
    suspended: bool,
) -> Result<(), Refusal> {
    act.require_role(Role::Regulator)?;
    let mut member = act.named_member(handle)?;
    if member.suspended == suspended {
        let (code, is) = if suspended {
            (Code::AlreadySuspended, "is suspended already")
        } else {
            (Code::NotSuspended, "is not suspended")
        };
        return Err(Reject::new(code, format!("{handle} {is}")).into());
    }
    member.suspended = suspended;
    Ok(act.state.put(&Key::Member(handle.clone()), &member)?)
}
