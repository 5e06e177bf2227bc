//! Acts about members and governance.

use super::Shape;
use crate::event::governance::{Change, ConferRoles, RestoreKey, Rulebook, SetValidator};
use crate::event::{
    AcceptSuccession, AddKey, AdmitMember, ApproveChange, ProposeChange, ProposeSuccession,
    ReinstateMember, RelateMembers, RevokeKey, SetRoles, SetTwoKeys, SuspendMember,
};
use crate::hash::{ChangeId, SuccessionId};
use crate::limits::MAX_KEYS;
use crate::scenario::derive::signing_key;
use crate::scenario::form::{Form, Wrong, parse};
use crate::scenario::kind::choice::{RoleWord, TwoKeyWord};
use crate::scenario::kind::compound::MemberKey;
use crate::scenario::kind::number::{Count, Count32, Part};
use crate::scenario::kind::reference::{Key, Member, Ref};
use crate::scenario::kind::time::{Span, Time};
use crate::scenario::kind::{Flag, Many, Maybe, Text};
use crate::scenario::token::quote;

pub(super) fn admit_member(
    f: &mut Form<'_>,
    e: Option<&AdmitMember>,
) -> Result<AdmitMember, Wrong> {
    let handle = f.first::<Member>("the handle", e.map(|e| &e.handle))?;
    f.context().means_keys_of(&handle);
    let name = quote(handle.as_str());
    Ok(AdmitMember {
        name: f.clause_or::<Text>("name", e.map(|e| &e.name), "the handle", |c| {
            parse::<Text>(&name, c)
        })?,
        roles: f.clause::<Many<RoleWord, 8>>("roles|role", e.map(|e| &e.roles), "holder")?,
        keys: f.clause::<Many<MemberKey, MAX_KEYS>>("keys|key", e.map(|e| &e.keys), "main")?,
        handle,
    })
}

pub(super) fn suspend_member(
    f: &mut Form<'_>,
    e: Option<&SuspendMember>,
) -> Result<SuspendMember, Wrong> {
    Ok(SuspendMember { member: f.first::<Member>("the member", e.map(|e| &e.member))? })
}

pub(super) fn reinstate_member(
    f: &mut Form<'_>,
    e: Option<&ReinstateMember>,
) -> Result<ReinstateMember, Wrong> {
    Ok(ReinstateMember { member: f.first::<Member>("the member", e.map(|e| &e.member))? })
}

pub(super) fn set_roles(f: &mut Form<'_>, e: Option<&SetRoles>) -> Result<SetRoles, Wrong> {
    Ok(SetRoles {
        member: f.first::<Member>("the member", e.map(|e| &e.member))?,
        roles: f.clause::<Many<RoleWord, 8>>("to|roles", e.map(|e| &e.roles), "")?,
    })
}

pub(super) fn add_key(f: &mut Form<'_>, e: Option<&AddKey>) -> Result<AddKey, Wrong> {
    Ok(AddKey { key: f.first::<MemberKey>("the key", e.map(|e| &e.key))? })
}

pub(super) fn revoke_key(f: &mut Form<'_>, e: Option<&RevokeKey>) -> Result<RevokeKey, Wrong> {
    if let Some(member) = f.ahead::<Member>("of")? {
        f.context().means_keys_of(&member);
    }
    Ok(RevokeKey {
        key: f.first::<Key>("the key", e.map(|e| &e.key))?,
        member: f.clause::<Member>("of", e.map(|e| &e.member), "me")?,
        compromised_since_ms: f.clause::<Maybe<Time>>(
            "compromised-since",
            e.map(|e| &e.compromised_since_ms),
            "none",
        )?,
    })
}

pub(super) fn set_two_keys(f: &mut Form<'_>, e: Option<&SetTwoKeys>) -> Result<SetTwoKeys, Wrong> {
    Ok(SetTwoKeys { acts: f.clause::<Many<TwoKeyWord, 3>>("for", e.map(|e| &e.acts), "")? })
}

pub(super) fn relate_members(
    f: &mut Form<'_>,
    e: Option<&RelateMembers>,
    related: Shape<bool>,
) -> Result<RelateMembers, Wrong> {
    Ok(RelateMembers {
        a: f.first::<Member>("one member", e.map(|e| &e.a))?,
        b: f.clause::<Member>("to|and|with|from", e.map(|e| &e.b), "")?,
        related: related.0,
    })
}

pub(super) fn propose_succession(
    f: &mut Form<'_>,
    e: Option<&ProposeSuccession>,
) -> Result<ProposeSuccession, Wrong> {
    Ok(ProposeSuccession {
        successor: f.first::<Member>("the successor", e.map(|e| &e.successor))?,
        member: f.clause::<Member>("of|for", e.map(|e| &e.member), "")?,
    })
}

pub(super) fn accept_succession(
    f: &mut Form<'_>,
    e: Option<&AcceptSuccession>,
) -> Result<AcceptSuccession, Wrong> {
    let old = e.map(|e| &e.succession);
    Ok(AcceptSuccession { succession: f.first::<Ref<SuccessionId>>("the succession", old)? })
}

/// The height at which a change is made.
fn at_height(f: &mut Form<'_>, e: Option<&ProposeChange>) -> Result<u64, Wrong> {
    let old = e.map(|e| &e.activate_height);
    f.clause_or::<Count>("at-height", old, "10 blocks ahead", |c| Ok(c.height.saturating_add(10)))
}

pub(super) fn propose_validator(
    f: &mut Form<'_>,
    e: Option<&ProposeChange>,
) -> Result<ProposeChange, Wrong> {
    let old = e.and_then(|e| match &e.change {
        Change::SetValidator(v) => Some(v),
        Change::SetRulebook(_)
        | Change::SetProtocol(_)
        | Change::ConferRoles(_)
        | Change::RestoreKey(_) => None,
    });
    let member = f.first::<Member>("the member", old.map(|v| &v.member))?;
    f.context().means_keys_of(&member);
    let key = f.clause_or::<Key>("key", old.map(|v| &v.key), "its key `validator`", |_| {
        Ok(signing_key(&member, "validator").public_key())
    })?;
    let power = f.clause::<Count>("power", old.map(|v| &v.power), "10")?;
    let change = Change::SetValidator(SetValidator { member, key, power });
    Ok(ProposeChange { change, activate_height: at_height(f, e)? })
}

pub(super) fn propose_rulebook(
    f: &mut Form<'_>,
    e: Option<&ProposeChange>,
) -> Result<ProposeChange, Wrong> {
    let old = e.and_then(|e| match &e.change {
        Change::SetRulebook(rulebook) => Some(rulebook),
        Change::SetValidator(_)
        | Change::SetProtocol(_)
        | Change::ConferRoles(_)
        | Change::RestoreKey(_) => None,
    });
    let change = Change::SetRulebook(rulebook(f, old)?);
    Ok(ProposeChange { change, activate_height: at_height(f, e)? })
}

pub(super) fn propose_protocol(
    f: &mut Form<'_>,
    e: Option<&ProposeChange>,
) -> Result<ProposeChange, Wrong> {
    let old = e.and_then(|e| match &e.change {
        Change::SetProtocol(version) => Some(version),
        Change::SetValidator(_)
        | Change::SetRulebook(_)
        | Change::ConferRoles(_)
        | Change::RestoreKey(_) => None,
    });
    let change = Change::SetProtocol(f.first::<Count32>("the version", old)?);
    Ok(ProposeChange { change, activate_height: at_height(f, e)? })
}

pub(super) fn propose_roles(
    f: &mut Form<'_>,
    e: Option<&ProposeChange>,
) -> Result<ProposeChange, Wrong> {
    let old = e.and_then(|e| match &e.change {
        Change::ConferRoles(roles) => Some(roles),
        Change::SetValidator(_)
        | Change::SetRulebook(_)
        | Change::SetProtocol(_)
        | Change::RestoreKey(_) => None,
    });
    let member = f.first::<Member>("the member", old.map(|r| &r.member))?;
    let roles = f.clause::<Many<RoleWord, 8>>("to|roles", old.map(|r| &r.roles), "")?;
    let change = Change::ConferRoles(ConferRoles { member, roles });
    Ok(ProposeChange { change, activate_height: at_height(f, e)? })
}

pub(super) fn propose_key(
    f: &mut Form<'_>,
    e: Option<&ProposeChange>,
) -> Result<ProposeChange, Wrong> {
    let old = e.and_then(|e| match &e.change {
        Change::RestoreKey(key) => Some(key),
        Change::SetValidator(_)
        | Change::SetRulebook(_)
        | Change::SetProtocol(_)
        | Change::ConferRoles(_) => None,
    });
    if let Some(member) = f.ahead::<Member>("for")? {
        f.context().means_keys_of(&member);
    }
    let key = f.first::<MemberKey>("the key", old.map(|k| &k.key))?;
    let member = f.clause::<Member>("for|of", old.map(|k| &k.member), "")?;
    let change = Change::RestoreKey(RestoreKey { member, key });
    Ok(ProposeChange { change, activate_height: at_height(f, e)? })
}

pub(super) fn approve_change(
    f: &mut Form<'_>,
    e: Option<&ApproveChange>,
) -> Result<ApproveChange, Wrong> {
    Ok(ApproveChange { change: f.first::<Ref<ChangeId>>("the change", e.map(|e| &e.change))? })
}

/// The numbers of a rulebook; those of the standard one unless stated.
pub(in crate::scenario) fn rulebook(
    f: &mut Form<'_>,
    e: Option<&Rulebook>,
) -> Result<Rulebook, Wrong> {
    Ok(Rulebook {
        fee_cap_bp: f.clause::<Part>("fee-cap|fee-cap-bp", e.map(|e| &e.fee_cap_bp), "30%")?,
        max_inputs: f.clause::<Count32>("max-inputs", e.map(|e| &e.max_inputs), "512")?,
        max_ancestry_edges: f.clause::<Count32>(
            "max-ancestry-edges",
            e.map(|e| &e.max_ancestry_edges),
            "2048",
        )?,
        deemed_delivery_ms: f.clause::<Span>(
            "deemed-delivery",
            e.map(|e| &e.deemed_delivery_ms),
            "15d",
        )?,
        cooling_ms: f.clause::<Span>("cooling", e.map(|e| &e.cooling_ms), "7d")?,
        max_freeze_ms: f.clause::<Span>("max-freeze", e.map(|e| &e.max_freeze_ms), "180d")?,
        appeal_ms: f.clause::<Span>("appeal", e.map(|e| &e.appeal_ms), "15d")?,
        notice_ms: f.clause::<Span>("notice", e.map(|e| &e.notice_ms), "10d")?,
        registration_term_ms: f.clause::<Span>(
            "registration-term",
            e.map(|e| &e.registration_term_ms),
            "1096d",
        )?,
        replacement_ms: f.clause::<Span>("replacement", e.map(|e| &e.replacement_ms), "30d")?,
        compromise_lookback_ms: f.clause::<Span>(
            "compromise-lookback",
            e.map(|e| &e.compromise_lookback_ms),
            "30d",
        )?,
        contest_ms: f.clause::<Span>("contest", e.map(|e| &e.contest_ms), "30d")?,
        require_compliance: f.clause::<Flag>(
            "require-compliance",
            e.map(|e| &e.require_compliance),
            "no",
        )?,
        two_keys: f.clause::<Many<TwoKeyWord, 3>>("two-keys", e.map(|e| &e.two_keys), "none")?,
    })
}
