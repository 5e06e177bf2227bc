//! Whether a grant, or the right itself, allows a use. Implements [LED-LIN-4] and [LED-LIN-5].

use std::collections::{BTreeMap, BTreeSet};

use super::in_force::{Intent, not_reserved, not_sublicensed};
use super::named;
use crate::event::asset::{Activity, Stage};
use crate::event::rights::{GrantRight, Terms};
use crate::execute::Act;
use crate::hash::{AssetId, GrantId};
use crate::limits::MAX_CHAIN;
use crate::nesting;
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::rights::managed;
use crate::split::Right;
use crate::state::record::{AssetRecord, GrantRecord, GrantStatus};
use crate::state::{Key, View, decode_record};
use crate::text::Handle;
use crate::words::{moment, word};

/// Weight of looking at one grant, or at one input's operation right.
pub(super) const GRANT_WEIGHT: u64 = 4;

/// Bytes of a grant's record that weigh 1 more.
const BYTES_A_UNIT: usize = 1_000;

/// A grant that is looked at, weighed with what its record holds.
pub(super) fn weighed(act: &mut Act<'_>, id: &GrantId) -> Result<GrantRecord, Refusal> {
    let Some(bytes) = act.state.value(&Key::Grant(*id))? else { return named(act, id) };
    act.weigh(GRANT_WEIGHT.saturating_add((bytes.len() / BYTES_A_UNIT) as u64))?;
    Ok(decode_record(&bytes)?)
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

/// How a grant covers a use.
pub(super) struct Covered {
    /// Whether the work is filed late.
    pub late: bool,
    /// The earliest end of the grant and those above it.
    pub not_after_ms: u64,
}

/// The grants above a grant, the one it sub-licenses first. Implements [LED-GRT-5].
pub(crate) fn ancestors(
    act: &mut Act<'_>,
    grant: &GrantRecord,
) -> Result<Vec<(GrantId, GrantRecord)>, Refusal> {
    let mut above: Vec<(GrantId, GrantRecord)> = Vec::new();
    let mut next = grant.parent;
    while let Some(id) = next {
        if above.len() >= MAX_CHAIN {
            return Err(Fault(format!("the chain above grant {id} is too long")).into());
        }
        let record = weighed(act, &id)?;
        next = record.parent;
        above.push((id, record));
    }
    Ok(above)
}

/// Whether a grant covers a use now, in order of precedence.
pub(super) fn check(
    act: &mut Act<'_>,
    (id, grant): (&GrantId, &GrantRecord),
    wanted: &Use<'_>,
) -> Result<Covered, Refusal> {
    let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
    let above = ancestors(act, grant)?;
    if !covers_asset(act, grant, (wanted.asset, wanted.record))? {
        return reject(
            Code::GrantWrongAsset,
            format!("the grant does not cover {}/{}", wanted.record.author, wanted.record.name),
        );
    }
    if grant.right != wanted.right {
        return reject(Code::GrantWrongRight, format!("the grant is for {}", word(&grant.right)));
    }
    if !act.same(&grant.grantee, wanted.by)? {
        return reject(Code::GrantWrongGrantee, format!("the grant is for {}", grant.grantee));
    }
    let mut covered =
        Covered { late: in_time(act, grant, wanted.activity)?, not_after_ms: grant.not_after_ms };
    if let Some(activity) = wanted.activity {
        within(&grant.terms, activity)?;
        not_exhausted(grant)?;
    }
    for (_, parent) in &above {
        covered.late |= in_time(act, parent, wanted.activity)?;
        covered.not_after_ms = covered.not_after_ms.min(parent.not_after_ms);
        if wanted.activity.is_some() {
            not_exhausted(parent)?;
        }
    }
    for below in rests_on(act, grant, above)? {
        in_time(act, &below, None)?;
        covered.not_after_ms = covered.not_after_ms.min(below.not_after_ms);
    }
    let used = wanted.activity.map_or_else(Intent::default, Intent::of);
    not_sublicensed(act, wanted.by, (wanted.asset, wanted.record), id, &used)?;
    Ok(covered)
}

/// The grants that an operation grant rests on, those that they rest on in turn, and those above
/// them. Implements [LED-LIN-5].
fn rests_on(
    act: &mut Act<'_>,
    grant: &GrantRecord,
    above: Vec<(GrantId, GrantRecord)>,
) -> Result<Vec<GrantRecord>, Refusal> {
    let under = above.into_iter().flat_map(|(_, parent)| parent.under);
    let mut open: Vec<GrantId> = under.chain(grant.under.iter().copied()).collect();
    let (mut looked, mut found) = (BTreeSet::new(), Vec::new());
    while let Some(id) = open.pop() {
        if looked.insert(id) {
            let below = weighed(act, &id)?;
            open.extend(below.under.iter().chain(&below.parent));
            found.push(below);
        }
    }
    Ok(found)
}

/// Whether a grant is in force for work, or now; `true` when the work is filed late. After a
/// revocation work is filed late with the grantor's consent only. Implements [LED-GRT-13].
pub(super) fn in_time(
    act: &Act<'_>,
    grant: &GrantRecord,
    activity: Option<&Activity>,
) -> Result<bool, Refusal> {
    let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
    let now = act.context.time_ms;
    let file_by_ms = match grant.revoked_ms {
        Some(_) => grant.file_by_ms,
        None => grant.not_after_ms.saturating_add(grant.terms.filing_window_ms),
    };
    let done = activity.is_some_and(|a| a.claimed_to_ms <= grant.not_after_ms);
    let late_allowed = done && now <= file_by_ms;
    let ended = match grant.status {
        GrantStatus::Accepted => None,
        GrantStatus::Offered => {
            return reject(Code::GrantNotAccepted, "the grant is offered, not accepted".into());
        }
        GrantStatus::Revoked if late_allowed => None,
        GrantStatus::Revoked => Some("the grant was revoked"),
        GrantStatus::Declined => Some("the grant was declined"),
        GrantStatus::Surrendered => Some("the grant was given back"),
        GrantStatus::Voided => Some("the grant is void by a ruling"),
        GrantStatus::Withdrawn => Some("the offer of the grant was taken back"),
    };
    if let Some(text) = ended {
        return reject(Code::GrantRevoked, text.into());
    }
    uncontested(act, grant)?;
    let begin = grant.terms.not_before_ms;
    if now < begin || activity.is_some_and(|a| a.claimed_from_ms < begin) {
        return reject(
            Code::GrantNotYetEffective,
            format!("the grant begins at {}", moment(begin)),
        );
    }
    let late = now > grant.not_after_ms || grant.status == GrantStatus::Revoked;
    if late && !late_allowed {
        let end = moment(grant.not_after_ms);
        return match grant.revoked_ms {
            Some(_) => reject(
                Code::GrantRevoked,
                format!("the grant was revoked and ended at {end}; its grantor has not consented"),
            ),
            None => reject(Code::GrantExpired, format!("the grant ended at {end}")),
        };
    }
    Ok(late)
}

/// Fails when the key that signed a grant is said to have been in other hands, and no ruling has
/// cleared it.
pub(super) fn uncontested(act: &Act<'_>, grant: &GrantRecord) -> Result<(), Refusal> {
    if !grant.cleared && crate::member::compromised(&*act.state, &grant.signer, grant.time_ms)? {
        let text = "the key that signed the grant was not its own";
        return Err(Reject::new(Code::Contested, text).into());
    }
    Ok(())
}

/// Whether work is within the purposes and territories of a grant.
fn within(terms: &Terms, activity: &Activity) -> Result<(), Reject> {
    if let Some(p) = activity.purposes.iter().find(|p| !nesting::has(&terms.purposes, p)) {
        let text = format!("purpose {} is not among those of the grant", word(p));
        return Err(Reject::new(Code::PurposeOutsideGrant, text));
    }
    if !nesting::has(&terms.territories, &activity.territory) {
        let text = format!("territory {} is not within those of the grant", activity.territory);
        return Err(Reject::new(Code::TerritoryOutsideGrant, text));
    }
    Ok(())
}

fn not_exhausted(grant: &GrantRecord) -> Result<(), Reject> {
    if grant.terms.max_derivations.is_some_and(|max| grant.used >= max) {
        let text = format!("{} derivations were made", grant.used);
        return Err(Reject::new(Code::GrantExhausted, text));
    }
    Ok(())
}

/// A grant covers its asset and, where it says so, the versions after it.
pub(super) fn covers_asset(
    act: &Act<'_>,
    grant: &GrantRecord,
    (id, asset): (&AssetId, &AssetRecord),
) -> Result<bool, Refusal> {
    if grant.asset == *id {
        return Ok(true);
    }
    if !grant.terms.future_versions || !reaches(grant.right, asset) {
        return Ok(false);
    }
    let granted = crate::asset::named(act, &grant.asset)?;
    Ok(granted.first_version == asset.first_version && granted.version < asset.version)
}

/// Whether a grant with future versions, which only the author of a line of versions gives, reaches
/// a later one: operation must rest on no rights of others.
pub(super) fn reaches(right: GrantRight, later: &AssetRecord) -> bool {
    match right {
        GrantRight::Processing => true,
        GrantRight::Operation => later.stage == Stage::Raw,
    }
}

/// A processing grant that allows a use; `true` when the work is filed late.
pub(crate) fn allows(
    act: &mut Act<'_>,
    id: &GrantId,
    wanted: &Use<'_>,
) -> Result<(GrantRecord, bool), Refusal> {
    let grant = named(act, id)?;
    let late = check(act, (id, &grant), wanted)?.late;
    Ok((grant, late))
}

/// Fails unless the author acts for the processing right over an input, and the owners have not
/// granted this use exclusively. Implements [LED-LIN-4].
pub(crate) fn by_right(
    act: &mut Act<'_>,
    id: &AssetId,
    asset: &AssetRecord,
    activity: &Activity,
) -> Result<(), Refusal> {
    managed(act, id, asset, Right::Processing).map_err(|refusal| match refusal {
        Refusal::Reject(r) if r.code == Code::NotRightManager => {
            Reject::new(Code::GrantRequired, r.message).into()
        }
        Refusal::Reject(_) | Refusal::Fault(_) => refusal,
    })?;
    not_reserved(act, act.author, (id, asset), GrantRight::Processing, &Intent::of(activity))
}

/// Counts one derivation made under grants, once for each of them and of those above them.
pub(crate) fn count_derivation(
    act: &mut Act<'_>,
    used: BTreeMap<GrantId, GrantRecord>,
) -> Result<(), Refusal> {
    for (id, mut grant) in used {
        grant.used = grant.used.saturating_add(1);
        act.state.put(&Key::Grant(id), &grant)?;
    }
    Ok(())
}
