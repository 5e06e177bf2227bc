//! The grants that are in force, and what excludes what. Implements [LED-GRT-7].
//!
//! Three kinds of list hold what can have been promised twice: the grants by the owners of a right
//! on one version, those of them that cover later versions too, by line of versions, and the
//! sub-licences of one grant. A sub-licence stays within its grant: what would exclude it from
//! outside excludes that.

use crate::asset;
use crate::event::asset::{Activity, Purpose};
use crate::event::rights::{Exclusivity, GrantRight};
use crate::execute::Act;
use crate::grant::called;
use crate::grant::check::{covers_asset, reaches, weighed};
use crate::hash::{AssetId, Digest, GrantId};
use crate::licence;
use crate::limits::MAX_IN_FORCE;
use crate::nesting;
use crate::reject::{Code, Refusal, Reject};
use crate::state::record::{AssetRecord, GrantRecord, GrantStatus, InForce};
use crate::state::{Key, View, decode_record};
use crate::text::{self, Handle};
use crate::version::VERSION_WEIGHT;

/// Bytes of a list of grants in force that weigh 1.
const BYTES_A_UNIT: usize = 200;

/// The grants that keep their place, in order of acceptance: in force, to begin, or void while another
/// ruling may put them back.
fn placed(act: &mut Act<'_>, key: &Key) -> Result<Vec<InForce>, Refusal> {
    let Some(bytes) = act.state.value(key)? else { return Ok(Vec::new()) };
    act.weigh((bytes.len() / BYTES_A_UNIT) as u64)?;
    let mut placed: Vec<InForce> = decode_record(&bytes)?;
    placed.retain(|entry| entry.keeps_place(act.context.time_ms));
    Ok(placed)
}

/// Those of them that are not void.
fn live(act: &mut Act<'_>, key: &Key) -> Result<Vec<InForce>, Refusal> {
    let mut live = placed(act, key)?;
    live.retain(|entry| entry.void_until_ms.is_none());
    Ok(live)
}

/// The places that a list takes: one an entry, and one more for every four territories.
pub(crate) fn places(list: &[InForce]) -> usize {
    let of = |entry: &InForce| entry.territories.len().wrapping_shr(2).saturating_add(1);
    list.iter().fold(0, |sum, entry| sum.saturating_add(of(entry)))
}

/// The lists that a grant stands in.
fn lists(grant: &GrantRecord, asset: &AssetRecord) -> Vec<Key> {
    if let Some(parent) = grant.parent {
        return vec![Key::SubLicences(parent)];
    }
    let mut lists = vec![Key::GrantsInForce(grant.asset, grant.right)];
    if grant.terms.future_versions {
        lists.push(Key::FutureGrants(asset.first_version, grant.right));
    }
    lists
}

fn entry(
    id: Digest,
    grant: &GrantRecord,
    asset: &AssetRecord,
    void_until_ms: Option<u64>,
) -> InForce {
    InForce {
        id,
        version: asset.version,
        exclusivity: grant.terms.exclusivity,
        purposes: grant.terms.purposes.to_vec(),
        territories: grant.terms.territories.to_vec(),
        not_before_ms: grant.terms.not_before_ms,
        not_after_ms: grant.not_after_ms,
        void_until_ms,
    }
}

/// Whether one of two grants on the same version, or a licence of it, excludes the other.
pub(crate) fn conflict(a: &InForce, b: &InForce) -> bool {
    let excludes = |e: &InForce| match e.exclusivity {
        Exclusivity::None => false,
        Exclusivity::Sole | Exclusivity::Exclusive => true,
    };
    (excludes(a) || excludes(b))
        && a.not_before_ms <= b.not_after_ms
        && b.not_before_ms <= a.not_after_ms
        && nesting::meet(&a.purposes, &b.purposes)
        && nesting::meet(&a.territories, &b.territories)
}

/// The grants by the owners of a right that cover a version of an asset: those on it, and those on
/// an earlier one that cover later ones too; of those that `of` reads.
fn covering(
    act: &mut Act<'_>,
    (id, asset): (&AssetId, &AssetRecord),
    right: GrantRight,
    of: fn(&mut Act<'_>, &Key) -> Result<Vec<InForce>, Refusal>,
) -> Result<Vec<InForce>, Refusal> {
    let mut found = of(act, &Key::GrantsInForce(*id, right))?;
    if asset.version > 1 && reaches(right, asset) {
        let earlier = of(act, &Key::FutureGrants(asset.first_version, right))?;
        found.extend(earlier.into_iter().filter(|entry| entry.version < asset.version));
    }
    Ok(found)
}

/// The grants that a new one must stand beside: sub-licences of the same grant, or what covers the
/// same version; for one that covers later versions too also what was granted on those.
fn beside(
    act: &mut Act<'_>,
    grant: &GrantRecord,
    asset: &AssetRecord,
) -> Result<Vec<InForce>, Refusal> {
    if let Some(parent) = grant.parent {
        return placed(act, &Key::SubLicences(parent));
    }
    let right = grant.right;
    let mut others = covering(act, (&grant.asset, asset), right, placed)?;
    if !grant.terms.future_versions {
        return Ok(others);
    }
    let mut newest = grant.asset;
    while let Some(next) = act.state.get::<AssetId>(&Key::Revision(newest))? {
        act.weigh(VERSION_WEIGHT)?;
        if reaches(right, &asset::named(act, &next)?) {
            others.extend(placed(act, &Key::GrantsInForce(next, right))?);
        }
        newest = next;
    }
    Ok(others)
}

/// Fails when a grant that is in force excludes this one, or this one that. A grant has an id once
/// it is offered.
pub(super) fn check(
    act: &mut Act<'_>,
    id: Option<&GrantId>,
    grant: &GrantRecord,
) -> Result<(), Refusal> {
    let asset = asset::named(act, &grant.asset)?;
    let id = id.map_or(*act.event.digest(), |id| *id.digest());
    let new = entry(id, grant, &asset, None);
    if grant.right == GrantRight::Operation && new.exclusivity == Exclusivity::Exclusive {
        licence::check_reserved(act, &grant.asset, &new, &grant.grantee)?;
    }
    let others = beside(act, grant, &asset)?;
    let excluded = others.iter().find(|other| other.id != id && conflict(&new, other));
    if let Some(other) = excluded {
        let other = called(act.state, &GrantId::from_digest(other.id))?;
        let text = format!("{other} and this one exclude each other");
        return Err(Reject::new(Code::ExclusiveConflict, text).into());
    }
    Ok(())
}

fn store(act: &mut Act<'_>, key: &Key, list: &Vec<InForce>) -> Result<(), Refusal> {
    Ok(if list.is_empty() { act.state.delete(key) } else { act.state.put(key, list) }?)
}

/// Fails when an exclusive licence of a product would take the place of an exclusive grant to
/// operate it, to another than the buyer, that is void and may come back.
pub(crate) fn check_void(
    act: &mut Act<'_>,
    asset: &AssetId,
    licence: &InForce,
    buyer: &Handle,
) -> Result<(), Refusal> {
    let product = asset::named(act, asset)?;
    for other in covering(act, (asset, &product), GrantRight::Operation, placed)? {
        let is_void = other.void_until_ms.is_some();
        if !is_void || other.exclusivity != Exclusivity::Exclusive || !conflict(licence, &other) {
            continue;
        }
        let id = GrantId::from_digest(other.id);
        let grant = weighed(act, &id)?;
        if !act.same(&grant.grantee, buyer)? {
            let text = format!("{} may yet be put back", called(act.state, &id)?);
            return Err(Reject::new(Code::LicenceConflict, text).into());
        }
    }
    Ok(())
}

/// Enters an accepted grant, unless it has ended.
pub(super) fn add(act: &mut Act<'_>, id: &GrantId, grant: &GrantRecord) -> Result<(), Refusal> {
    if grant.not_after_ms < act.context.time_ms {
        return Ok(());
    }
    check(act, Some(id), grant)?;
    let asset = asset::named(act, &grant.asset)?;
    let new = entry(*id.digest(), grant, &asset, None);
    for key in lists(grant, &asset) {
        let mut list = placed(act, &key)?;
        list.push(new.clone());
        if places(&list) > MAX_IN_FORCE {
            let text = format!("the grants in force beside it fill {MAX_IN_FORCE} places");
            return Err(Reject::new(Code::InForceFull, text).into());
        }
        store(act, &key, &list)?;
    }
    Ok(())
}

/// Brings the entry of a grant up to its record: its end, until when a ruling that voided it can be
/// undone, or that it is no longer in force. What a ruling voids stays listed: another can put it
/// back, in its own place.
pub(super) fn update(
    act: &mut Act<'_>,
    id: &GrantId,
    grant: &GrantRecord,
    void_until_ms: Option<u64>,
) -> Result<(), Refusal> {
    let asset = asset::named(act, &grant.asset)?;
    for key in lists(grant, &asset) {
        let mut list = placed(act, &key)?;
        match grant.status {
            GrantStatus::Accepted | GrantStatus::Voided => {
                if let Some(old) = list.iter_mut().find(|entry| entry.id == *id.digest()) {
                    *old = entry(*id.digest(), grant, &asset, void_until_ms);
                }
            }
            GrantStatus::Offered
            | GrantStatus::Declined
            | GrantStatus::Revoked
            | GrantStatus::Surrendered
            | GrantStatus::Withdrawn => list.retain(|entry| entry.id != *id.digest()),
        }
        store(act, &key, &list)?;
    }
    Ok(())
}

/// A use of an asset; what is not said is any.
#[derive(Default)]
pub(crate) struct Intent<'a> {
    /// What for.
    pub purposes: Option<&'a [Purpose]>,
    /// Where.
    pub territory: Option<&'a text::Code>,
    /// Whether somebody else than the owners makes it, by their leave: then a sole grant excludes it.
    pub by_leave: bool,
}

impl<'a> Intent<'a> {
    /// Work that is done by right or under a grant.
    pub fn of(activity: &'a Activity) -> Self {
        Intent {
            purposes: Some(&activity.purposes),
            territory: Some(&activity.territory),
            by_leave: false,
        }
    }

    /// Whether a grant that has begun leaves this use to its grantee, as far as it goes.
    fn is_reserved_by(&self, entry: &InForce, now_ms: u64) -> bool {
        let excludes = match entry.exclusivity {
            Exclusivity::None => false,
            Exclusivity::Sole => self.by_leave,
            Exclusivity::Exclusive => true,
        };
        excludes
            && entry.not_before_ms <= now_ms
            && self.purposes.is_none_or(|all| nesting::meet(all, &entry.purposes))
            && self
                .territory
                .is_none_or(|one| nesting::meet(std::slice::from_ref(one), &entry.territories))
    }

    /// Whether a grant that has begun allows all of this use.
    fn is_within(&self, entry: &InForce, now_ms: u64) -> bool {
        entry.not_before_ms <= now_ms
            && self.purposes.is_some_and(|all| nesting::within(all, &entry.purposes))
    }
}

/// Fails when the owners of a right have granted a use to another than `holder`, who makes it, and
/// to nobody else. What they granted to the holder he can have sub-licensed exclusively in turn.
pub(crate) fn not_reserved(
    act: &mut Act<'_>,
    holder: &Handle,
    asset: (&AssetId, &AssetRecord),
    right: GrantRight,
    used: &Intent<'_>,
) -> Result<(), Refusal> {
    let open = covering(act, asset, right, live)?;
    left_to(act, holder, asset, open, used)
}

/// Fails when a grant that allows a use was sub-licensed for it to another than `holder`, exclusively.
pub(super) fn not_sublicensed(
    act: &mut Act<'_>,
    holder: &Handle,
    asset: (&AssetId, &AssetRecord),
    grant: &GrantId,
    used: &Intent<'_>,
) -> Result<(), Refusal> {
    let open = live(act, &Key::SubLicences(*grant))?;
    left_to(act, holder, asset, open, used)
}

/// Fails unless grants leave a use of an asset to its holder.
fn left_to(
    act: &mut Act<'_>,
    holder: &Handle,
    asset: (&AssetId, &AssetRecord),
    entries: Vec<InForce>,
    used: &Intent<'_>,
) -> Result<(), Refusal> {
    let now = act.context.time_ms;
    for entry in entries.into_iter().filter(|entry| used.is_reserved_by(entry, now)) {
        let id = GrantId::from_digest(entry.id);
        let grant = weighed(act, &id)?;
        if !covers_asset(act, &grant, asset)? {
            continue;
        }
        let held = match act.same(&grant.grantee, holder)? {
            true => Some(id),
            false if used.by_leave => held_below(act, holder, id, used)?,
            false => None,
        };
        let Some(held) = held else {
            let text = format!("{} gives this use to nobody else", called(act.state, &id)?);
            return Err(Reject::new(Code::ReservedToGrantee, text).into());
        };
        // What he may do he has sub-licensed in turn: as to that he stands where the owners do.
        let below = live(act, &Key::SubLicences(held))?;
        left_to(act, holder, asset, below, &Intent { by_leave: false, ..*used })?;
    }
    Ok(())
}

/// The sub-licence below a grant under which a member may make a use.
fn held_below(
    act: &mut Act<'_>,
    holder: &Handle,
    grant: GrantId,
    used: &Intent<'_>,
) -> Result<Option<GrantId>, Refusal> {
    let mut open = live(act, &Key::SubLicences(grant))?;
    while let Some(entry) = open.pop() {
        let id = GrantId::from_digest(entry.id);
        let grantee = weighed(act, &id)?.grantee;
        if used.is_within(&entry, act.context.time_ms) && act.same(&grantee, holder)? {
            return Ok(Some(id));
        }
        open.extend(live(act, &Key::SubLicences(id))?);
    }
    Ok(None)
}
