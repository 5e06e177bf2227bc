//! The rules for grants: offer, answer, revocation, and use. Implements [LED-GRT-1] to
//! [LED-GRT-4] and [LED-LIN-5].

use std::collections::{BTreeMap, BTreeSet};

use crate::asset::named_in_force;
use crate::event::asset::{Activity, Purpose, Stage};
use crate::event::rights::{AcceptGrant, DeclineGrant, GrantRight, OfferGrant, RevokeGrant, Terms};
use crate::execute::Act;
use crate::hash::{AssetId, GrantId};
use crate::reject::{Code, Missing, Refusal, Reject};
use crate::rights::managed;
use crate::split::{BASIS_POINTS, Right};
use crate::state::record::{AssetRecord, GrantRecord, GrantStatus};
use crate::state::{Key, Records, Relation};
use crate::text::{self, Handle};

/// `offer_grant`.
pub(crate) fn offer(act: &mut Act<'_>, e: &OfferGrant) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    managed(act, &e.asset, &asset, e.right.into())?;
    act.named_member(&e.grantee)?;
    check_terms(e)?;
    if e.right == GrantRight::Operation {
        let cover = cover(act, act.author, &e.asset, &e.under)?;
        cover.check_terms(&e.terms)?;
    }
    let id = GrantId::from_digest(*act.event.digest());
    let record = GrantRecord {
        asset: e.asset,
        right: e.right,
        grantor: act.author.clone(),
        grantee: e.grantee.clone(),
        terms: e.terms.clone(),
        status: GrantStatus::Offered,
        used: 0,
        height: act.context.height,
    };
    act.state.put(&Key::Grant(id), &record)?;
    act.append(Relation::AssetGrants(e.asset), id.digest())?;
    act.append(Relation::MemberGrants(act.author.clone()), id.digest())?;
    if e.grantee != *act.author {
        act.append(Relation::MemberGrants(e.grantee.clone()), id.digest())?;
    }
    act.effects.created.push(Missing::Grant(id));
    Ok(())
}

fn check_terms(e: &OfferGrant) -> Result<(), Reject> {
    let t = &e.terms;
    let reject = |text: &str| Err(Reject::new(Code::TermsInvalid, text));
    let purposes: BTreeSet<_> = t.purposes.iter().collect();
    if purposes.is_empty() || purposes.len() != t.purposes.len() {
        return reject("the terms name no purpose or one twice");
    }
    let territories: BTreeSet<_> = t.territories.iter().collect();
    if territories.is_empty() || territories.len() != t.territories.len() {
        return reject("the terms name no territory or one twice");
    }
    if t.not_before_ms > t.not_after_ms {
        return reject("the term ends before it begins");
    }
    if u64::from(t.floor_bp) > BASIS_POINTS {
        return reject("the floor is above 10000 bp");
    }
    match e.right {
        GrantRight::Processing if t.sublicence_depth > 0 || !e.under.is_empty() => {
            reject("a processing grant has neither a sub-licence depth nor parents")
        }
        GrantRight::Operation
            if t.floor_bp > 0 || t.max_derivations.is_some() || t.filing_window_ms > 0 =>
        {
            reject("an operation grant has no floor, no number of derivations and no filing window")
        }
        GrantRight::Processing | GrantRight::Operation => Ok(()),
    }
}

/// A grant that an event names.
fn named(act: &Act<'_>, id: &GrantId) -> Result<GrantRecord, Refusal> {
    Ok(act.state.grant(id)?.ok_or_else(|| {
        Reject::missing(
            Code::UnknownGrant,
            Missing::Grant(*id),
            format!("grant {id} is not recorded"),
        )
    })?)
}

fn answer(act: &mut Act<'_>, id: &GrantId, status: GrantStatus) -> Result<(), Refusal> {
    let mut grant = named(act, id)?;
    if grant.grantee != *act.author {
        let text = format!("the grant is offered to {}", grant.grantee);
        return Err(Reject::new(Code::NotGrantee, text).into());
    }
    if grant.status != GrantStatus::Offered {
        let text = format!("the grant is {:?} already", grant.status);
        return Err(Reject::new(Code::GrantClosed, text).into());
    }
    grant.status = status;
    Ok(act.state.put(&Key::Grant(*id), &grant)?)
}

/// `accept_grant`.
pub(crate) fn accept(act: &mut Act<'_>, e: &AcceptGrant) -> Result<(), Refusal> {
    answer(act, &e.grant, GrantStatus::Accepted)
}

/// `decline_grant`.
pub(crate) fn decline(act: &mut Act<'_>, e: &DeclineGrant) -> Result<(), Refusal> {
    answer(act, &e.grant, GrantStatus::Declined)
}

/// `revoke_grant`: by whoever manages the right now; for the future only.
pub(crate) fn revoke(act: &mut Act<'_>, e: &RevokeGrant) -> Result<(), Refusal> {
    let mut grant = named(act, &e.grant)?;
    let asset = crate::asset::named(act, &grant.asset)?;
    let right = act.state.right(&grant.asset, &asset, grant.right.into())?;
    if right.manager != *act.author {
        let text = format!("the right is managed by {}", right.manager);
        return Err(Reject::new(Code::NotGrantor, text).into());
    }
    match grant.status {
        GrantStatus::Offered | GrantStatus::Accepted => grant.status = GrantStatus::Revoked,
        GrantStatus::Declined | GrantStatus::Revoked => {
            let text = format!("the grant is {:?} already", grant.status);
            return Err(Reject::new(Code::GrantClosed, text).into());
        }
    }
    Ok(act.state.put(&Key::Grant(e.grant), &grant)?)
}

/// What a grant is wanted for.
pub(crate) struct Use<'a> {
    /// Who wants it.
    pub by: &'a Handle,
    /// The asset to be used.
    pub asset: &'a AssetId,
    /// Its record.
    pub record: &'a AssetRecord,
    /// The right needed.
    pub right: GrantRight,
    /// The work done, for a derivation.
    pub activity: Option<&'a Activity>,
}

/// Whether a grant covers a use now, in order of precedence; `true` when the work is filed late.
/// Implements [LED-LIN-5].
fn check(act: &Act<'_>, grant: &GrantRecord, wanted: &Use<'_>) -> Result<bool, Refusal> {
    let terms = &grant.terms;
    let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
    if !covers_asset(act, grant, wanted)? {
        return reject(
            Code::GrantWrongAsset,
            format!("the grant does not cover {}/{}", wanted.record.author, wanted.record.name),
        );
    }
    if grant.right != wanted.right {
        return reject(Code::GrantWrongRight, format!("the grant is for {:?}", grant.right));
    }
    if grant.grantee != *wanted.by {
        return reject(Code::GrantWrongGrantee, format!("the grant is for {}", grant.grantee));
    }
    match grant.status {
        GrantStatus::Accepted => {}
        GrantStatus::Offered => {
            return reject(Code::GrantNotAccepted, "the grant is offered, not accepted".into());
        }
        GrantStatus::Declined => {
            return reject(Code::GrantRevoked, "the grant was declined".into());
        }
        GrantStatus::Revoked => {
            return reject(Code::GrantRevoked, "the grant was revoked".into());
        }
    }
    let now = act.context.time_ms;
    let claimed = wanted.activity.map(|a| (a.claimed_from_ms, a.claimed_to_ms));
    if now < terms.not_before_ms || claimed.is_some_and(|(from, _)| from < terms.not_before_ms) {
        return reject(
            Code::GrantNotYetEffective,
            format!("the grant begins at {}", terms.not_before_ms),
        );
    }
    let late = now > terms.not_after_ms;
    if late {
        let in_window = now <= terms.not_after_ms.saturating_add(terms.filing_window_ms);
        if !in_window || claimed.is_none_or(|(_, to)| to > terms.not_after_ms) {
            return reject(
                Code::GrantExpired,
                format!("the grant ended at {}", terms.not_after_ms),
            );
        }
    }
    if let Some(activity) = wanted.activity {
        if let Some(p) = activity.purposes.iter().find(|p| !terms.purposes.contains(p)) {
            return reject(
                Code::PurposeOutsideGrant,
                format!("purpose {p:?} is not among those of the grant"),
            );
        }
        if !terms.territories.contains(&activity.territory) {
            return reject(
                Code::TerritoryOutsideGrant,
                format!("territory {} is not among those of the grant", activity.territory),
            );
        }
        if terms.max_derivations.is_some_and(|max| grant.used >= max) {
            return reject(Code::GrantExhausted, format!("{} derivations were made", grant.used));
        }
    }
    Ok(late)
}

/// A grant covers its asset and, where it says so, the versions after it.
fn covers_asset(act: &Act<'_>, grant: &GrantRecord, wanted: &Use<'_>) -> Result<bool, Refusal> {
    if grant.asset == *wanted.asset {
        return Ok(true);
    }
    if !covers_later(grant, wanted.record) {
        return Ok(false);
    }
    let granted = crate::asset::named(act, &grant.asset)?;
    Ok(granted.first_version == wanted.record.first_version
        && granted.version < wanted.record.version)
}

/// Whether a grant can cover a later version: it says so, the later version is born as a right of
/// whoever granted, and operation of it rests on no rights of others.
fn covers_later(grant: &GrantRecord, later: &AssetRecord) -> bool {
    let rests_on_nothing = match grant.right {
        GrantRight::Processing => true,
        GrantRight::Operation => later.stage == Stage::Raw,
    };
    grant.terms.future_versions && grant.grantor == later.author && rests_on_nothing
}

/// A processing grant that allows a use; `true` when the work is filed late.
pub(crate) fn allows(
    act: &Act<'_>,
    id: &GrantId,
    wanted: &Use<'_>,
) -> Result<(GrantRecord, bool), Refusal> {
    let grant = named(act, id)?;
    let late = check(act, &grant, wanted)?;
    Ok((grant, late))
}

/// Counts one derivation made under a grant, for however many inputs.
pub(crate) fn count_derivation(act: &mut Act<'_>, id: &GrantId) -> Result<(), Refusal> {
    let mut grant = named(act, id)?;
    grant.used = grant.used.saturating_add(1);
    Ok(act.state.put(&Key::Grant(*id), &grant)?)
}

/// What the operation rights over an asset's direct inputs allow together.
#[derive(Debug, Default)]
pub(crate) struct Cover {
    /// Smallest sub-licence depth; `None` when every input's right is the author's own.
    pub depth: Option<u8>,
    /// Purposes allowed by all; `None` means any.
    pub purposes: Option<Vec<Purpose>>,
    /// Territories allowed by all; `None` means any.
    pub territories: Option<Vec<text::Code>>,
    /// End of the shortest term.
    pub not_after_ms: Option<u64>,
}

fn intersect<T: Clone + PartialEq>(held: &mut Option<Vec<T>>, with: &[T]) {
    *held = Some(match held.take() {
        None => with.to_vec(),
        Some(list) => list.into_iter().filter(|x| with.contains(x)).collect(),
    });
}

/// The grants named, found by the asset or the line of versions they cover.
///
/// For an asset it is the first one named; for a line of versions the one on the earliest version.
struct Named {
    by_asset: BTreeMap<AssetId, GrantRecord>,
    by_line: BTreeMap<AssetId, (u32, GrantRecord)>,
}

impl Named {
    fn read(act: &Act<'_>, grants: &[GrantId]) -> Result<Self, Refusal> {
        let mut found = Named { by_asset: BTreeMap::new(), by_line: BTreeMap::new() };
        for id in grants {
            let grant = named(act, id)?;
            if grant.terms.future_versions {
                let asset = crate::asset::named(act, &grant.asset)?;
                let line = found.by_line.entry(asset.first_version);
                let kept = line.or_insert_with(|| (asset.version, grant.clone()));
                if asset.version < kept.0 {
                    *kept = (asset.version, grant.clone());
                }
            }
            found.by_asset.entry(grant.asset).or_insert(grant);
        }
        Ok(found)
    }

    fn covering(&self, id: &AssetId, asset: &AssetRecord) -> Option<&GrantRecord> {
        let by_line = || {
            let (version, grant) = self.by_line.get(&asset.first_version)?;
            (*version < asset.version && covers_later(grant, asset)).then_some(grant)
        };
        self.by_asset.get(id).or_else(by_line)
    }
}

/// Weight of looking at one grant, or at one input's operation right.
const COVER_WEIGHT: u64 = 3;

/// The operation rights that `holder` rests on for `asset`: over every direct input he manages the
/// right or one of `grants` is effective and sub-licensable. Implements [LED-GRT-4].
pub(crate) fn cover(
    act: &mut Act<'_>,
    holder: &Handle,
    asset: &AssetId,
    grants: &[GrantId],
) -> Result<Cover, Refusal> {
    let mut cover = Cover::default();
    let inputs = act.state.inputs(asset)?.map(|i| i.inputs).unwrap_or_default();
    let looks = (grants.len() as u64).saturating_add(inputs.len() as u64);
    let weight = looks.saturating_mul(COVER_WEIGHT);
    act.effects.weight = act.effects.weight.saturating_add(weight);
    let grants = Named::read(act, grants)?;
    for input in &inputs {
        let record = named_in_force(act, &input.asset)?;
        let manager = act.state.right(&input.asset, &record, Right::Operation)?.manager;
        if manager != *holder {
            let (asset, record, right) = (&input.asset, &record, GrantRight::Operation);
            let wanted = Use { by: holder, asset, record, right, activity: None };
            cover.narrow(rest_on(act, &grants, &wanted)?);
        }
    }
    Ok(cover)
}

/// The terms of the sub-licensable grant that covers a use.
fn rest_on<'a>(act: &Act<'_>, grants: &'a Named, wanted: &Use<'_>) -> Result<&'a Terms, Refusal> {
    let grant = grants.covering(wanted.asset, wanted.record);
    if let Some(grant) = grant {
        check(act, grant, wanted)?;
    }
    grant.map(|g| &g.terms).filter(|t| t.sublicence_depth > 0).ok_or_else(|| {
        let text = format!(
            "no sub-licensable operation grant on input {}/{} is named",
            wanted.record.author, wanted.record.name
        );
        Reject::new(Code::OperationNotCovered, text).into()
    })
}

impl Cover {
    /// Takes in the terms of one more grant.
    fn narrow(&mut self, t: &Terms) {
        self.depth = Some(self.depth.map_or(t.sublicence_depth, |d| d.min(t.sublicence_depth)));
        self.not_after_ms =
            Some(self.not_after_ms.map_or(t.not_after_ms, |n| n.min(t.not_after_ms)));
        intersect(&mut self.purposes, &t.purposes);
        intersect(&mut self.territories, &t.territories);
    }

    /// Whether an operation grant with these terms stays within what it rests on.
    fn check_terms(&self, terms: &Terms) -> Result<(), Reject> {
        if self.depth.is_some_and(|d| terms.sublicence_depth >= d) {
            let text = format!(
                "depth {} is not below that of the grants it rests on",
                terms.sublicence_depth
            );
            return Err(Reject::new(Code::SublicenceTooDeep, text));
        }
        let outside =
            self.purposes.as_ref().is_some_and(|a| terms.purposes.iter().any(|p| !a.contains(p)))
                || self
                    .territories
                    .as_ref()
                    .is_some_and(|a| terms.territories.iter().any(|t| !a.contains(t)))
                || self.not_after_ms.is_some_and(|n| terms.not_after_ms > n);
        if outside {
            let text = "purposes, territories or term go beyond the grants it rests on";
            return Err(Reject::new(Code::TermBeyondParent, text));
        }
        Ok(())
    }
}
