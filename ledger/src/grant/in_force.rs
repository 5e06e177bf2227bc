//! The grants on a right that are in force, and what excludes what. Implements [LED-GRT-7].

use std::collections::{BTreeMap, BTreeSet};

use crate::event::asset::Purpose;
use crate::event::rights::{Exclusivity, GrantRight};
use crate::execute::Act;
use crate::grant::called;
use crate::hash::{AssetId, Digest, GrantId};
use crate::licence;
use crate::limits::MAX_IN_FORCE;
use crate::reject::{Code, Refusal, Reject};
use crate::state::record::{GrantRecord, GrantStatus, InForce};
use crate::state::{Key, Records, View, decode_record};
use crate::territory;
use crate::text::{self, Handle};

/// Bytes of a list of grants in force that weigh 1.
const BYTES_A_UNIT: usize = 200;

/// The grants on a right that are listed, in order of acceptance: what has ended is left out, and so
/// is what sub-licenses it.
fn listed(act: &mut Act<'_>, key: &Key) -> Result<Vec<InForce>, Refusal> {
    let Some(bytes) = act.state.value(key)? else { return Ok(Vec::new()) };
    act.weigh((bytes.len() / BYTES_A_UNIT) as u64)?;
    let listed: Vec<InForce> = decode_record(&bytes)?;
    let now = act.context.time_ms;
    Ok(standing(listed, |entry| entry.not_after_ms >= now))
}

/// Those of them in force, or whose term is to begin: not void, and under nothing void.
fn live(act: &mut Act<'_>, key: &Key) -> Result<Vec<InForce>, Refusal> {
    Ok(standing(listed(act, key)?, |entry| !entry.void))
}

/// The entries that something holds of, and of those above them. A grant stands behind the one it
/// sub-licenses.
fn standing(mut entries: Vec<InForce>, holds: impl Fn(&InForce) -> bool) -> Vec<InForce> {
    let mut kept: BTreeSet<Digest> = BTreeSet::new();
    entries.retain(|entry| {
        let stands = entry.parent.is_none_or(|parent| kept.contains(parent.digest()));
        let keeps = stands && holds(entry);
        if keeps {
            kept.insert(entry.id);
        }
        keeps
    });
    entries
}

/// The places that a list takes: one an entry, and one more for every four territories.
pub(crate) fn places(list: &[InForce]) -> usize {
    let of = |entry: &InForce| entry.territories.len().wrapping_shr(2).saturating_add(1);
    list.iter().fold(0, |sum, entry| sum.saturating_add(of(entry)))
}

fn entry(id: Digest, grant: &GrantRecord) -> InForce {
    InForce {
        id,
        parent: grant.parent,
        exclusivity: grant.terms.exclusivity,
        purposes: grant.terms.purposes.to_vec(),
        territories: grant.terms.territories.to_vec(),
        not_before_ms: grant.terms.not_before_ms,
        not_after_ms: grant.not_after_ms,
        void: grant.status == GrantStatus::Voided,
    }
}

/// Whether one of two grants excludes the other.
pub(crate) fn conflict(a: &InForce, b: &InForce) -> bool {
    let excludes = |e: &InForce| match e.exclusivity {
        Exclusivity::None => false,
        Exclusivity::Sole | Exclusivity::Exclusive => true,
    };
    (excludes(a) || excludes(b))
        && a.not_before_ms <= b.not_after_ms
        && b.not_before_ms <= a.not_after_ms
        && a.purposes.iter().any(|p| b.purposes.contains(p))
        && territory::meet(&a.territories, &b.territories)
}

/// Whether a grant stands above another in a chain of sub-licences.
fn above(parents: &BTreeMap<Digest, Option<GrantId>>, upper: &Digest, lower: &InForce) -> bool {
    let mut next = lower.parent;
    while let Some(parent) = next {
        if parent.digest() == upper {
            return true;
        }
        next = parents.get(parent.digest()).copied().flatten();
    }
    false
}

/// Fails when a grant that is in force on the right excludes this one, or this one that. A grant has
/// an id once it is offered.
pub(super) fn check(
    act: &mut Act<'_>,
    id: Option<&GrantId>,
    grant: &GrantRecord,
) -> Result<(), Refusal> {
    let mut others = live(act, &Key::GrantsInForce(grant.asset, grant.right))?;
    let id = id.map_or(*act.event.digest(), |id| *id.digest());
    let parents: BTreeMap<_, _> = others.iter().map(|e| (e.id, e.parent)).collect();
    others.retain(|other| other.id != id);
    let new = entry(id, grant);
    if grant.right == GrantRight::Operation && new.exclusivity == Exclusivity::Exclusive {
        licence::check_reserved(act, &grant.asset, &new, &grant.grantee)?;
    }
    let excluded = others.iter().find(|other| {
        conflict(&new, other)
            && !above(&parents, &other.id, &new)
            && !above(&parents, &new.id, other)
    });
    if let Some(other) = excluded {
        let other = called(act.state, &GrantId::from_digest(other.id))?;
        let text = format!("{other} and this one exclude each other");
        return Err(Reject::new(Code::ExclusiveConflict, text).into());
    }
    Ok(())
}

/// Enters an accepted grant, unless it has ended. One that is listed, about which a ruling was
/// given, keeps its place, and those that sub-license it theirs.
pub(super) fn add(act: &mut Act<'_>, id: &GrantId, grant: &GrantRecord) -> Result<(), Refusal> {
    if grant.not_after_ms < act.context.time_ms {
        return Ok(());
    }
    check(act, Some(id), grant)?;
    let key = Key::GrantsInForce(grant.asset, grant.right);
    let mut list = listed(act, &key)?;
    let new = entry(*id.digest(), grant);
    match list.iter_mut().find(|entry| entry.id == new.id) {
        Some(old) => *old = new,
        None => list.push(new),
    }
    if places(&list) > MAX_IN_FORCE {
        let text = format!("the grants on this right that are in force fill {MAX_IN_FORCE} places");
        return Err(Reject::new(Code::InForceFull, text).into());
    }
    Ok(act.state.put(&key, &list)?)
}

/// Brings the entry of a grant up to its record: its end, that it is void, or that it is no longer
/// in force. What a ruling voids stays listed: another can put it back.
pub(super) fn update(act: &mut Act<'_>, id: &GrantId, grant: &GrantRecord) -> Result<(), Refusal> {
    let key = Key::GrantsInForce(grant.asset, grant.right);
    let mut list = listed(act, &key)?;
    match grant.status {
        GrantStatus::Accepted | GrantStatus::Voided => {
            if let Some(old) = list.iter_mut().find(|entry| entry.id == *id.digest()) {
                *old = entry(*id.digest(), grant);
            }
        }
        GrantStatus::Offered
        | GrantStatus::Declined
        | GrantStatus::Revoked
        | GrantStatus::Surrendered => list.retain(|entry| entry.id != *id.digest()),
    }
    Ok(act.state.put(&key, &list)?)
}

/// Fails when the owners of a right have granted a use exclusively to another than `holder`, who
/// uses the right itself; no purposes and territory mean any.
pub(crate) fn not_reserved(
    act: &mut Act<'_>,
    holder: &Handle,
    asset: &AssetId,
    right: GrantRight,
    used: Option<(&[Purpose], &text::Code)>,
) -> Result<(), Refusal> {
    let now = act.context.time_ms;
    for entry in live(act, &Key::GrantsInForce(*asset, right))? {
        let exclusive = match entry.exclusivity {
            Exclusivity::None | Exclusivity::Sole => false,
            Exclusivity::Exclusive => entry.not_before_ms <= now,
        };
        let meets = used.is_none_or(|(purposes, territory)| {
            purposes.iter().any(|p| entry.purposes.contains(p))
                && entry.territories.iter().any(|t| territory::overlaps(t, territory))
        });
        if !(exclusive && meets) {
            continue;
        }
        let id = GrantId::from_digest(entry.id);
        let grantee = act.state.grant(&id)?.map(|g| g.grantee);
        let own = match grantee {
            Some(grantee) => act.same(&grantee, holder)?,
            None => false,
        };
        if !own {
            let text = format!("{} gives this use exclusively", called(act.state, &id)?);
            return Err(Reject::new(Code::ReservedToGrantee, text).into());
        }
    }
    Ok(())
}
