//! The rules for compliance reviews and valuations. Implements [LED-MKT-8] and [LED-MKT-9].

use std::collections::BTreeSet;

use crate::asset::named_in_force;
use crate::event::market::{Decision, RecordValuation, ReviewCompliance};
use crate::event::member::Role;
use crate::execute::{Act, acting, acts_for};
use crate::hash::AssetId;
use crate::limits::MAX_AMOUNT;
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::split::Right;
use crate::state::record::{AssetRecord, ComplianceRecord, ListingRecord, ValuationRecord};
use crate::state::{Key, Records, Relation, View};
use crate::text::Handle;
use crate::words::money;

/// Fails when the author is, or is related to, another member.
pub(crate) fn require_independent(act: &Act<'_>, of: &Handle) -> Result<(), Refusal> {
    if act.related(act.author, of)? {
        let text = format!("{} is not independent of {of}", act.author);
        return Err(Reject::new(Code::NotIndependent, text).into());
    }
    Ok(())
}

/// Weight of looking at an owner and asking who belongs with it.
pub(crate) const RELATED_WEIGHT: u64 = 12;

/// Fails when a member is, or is related to, an owner of a right over an asset, however small its
/// part. Implements [LED-MKT-8].
pub(crate) fn require_independent_of(
    act: &mut Act<'_>,
    member: &Handle,
    asset: (&AssetId, &AssetRecord),
) -> Result<(), Refusal> {
    for owner in owners(act.state, asset)? {
        act.weigh(RELATED_WEIGHT)?;
        if act.related(member, &owner)? {
            let text = format!("{member} is not independent of {owner}, an owner");
            return Err(Reject::new(Code::NotIndependent, text).into());
        }
    }
    Ok(())
}

/// The owners of the three rights over an asset, each once, in order of handle.
pub(crate) fn owners<V: View>(
    view: &V,
    (id, asset): (&AssetId, &AssetRecord),
) -> Result<BTreeSet<Handle>, Fault> {
    let mut all = BTreeSet::new();
    for right in Right::ALL {
        let epoch = view.right(id, asset, right)?.epoch;
        let owners = view.epoch(id, asset, right, epoch)?.owners;
        all.extend(owners.into_iter().map(|owner| owner.member));
    }
    Ok(all)
}

/// Fails when the author is, or is related to, who made an asset or an owner of a right over it.
fn require_outsider(act: &mut Act<'_>, id: &AssetId, asset: &AssetRecord) -> Result<(), Refusal> {
    require_independent(act, &asset.author)?;
    require_independent_of(act, act.author, (id, asset))
}

fn newest(act: &Act<'_>, asset: &AssetId) -> Result<Option<ComplianceRecord>, Refusal> {
    Ok(act.state.get(&Key::Compliance(*asset))?)
}

fn is_regulator<V: View>(view: &V, member: &Handle) -> Result<bool, Fault> {
    Ok(view.member(member)?.is_some_and(|m| m.has_role(Role::Regulator)))
}

/// Whether the newest review, which counts for all, is a regulator's and rejects.
fn rejected<V: View>(view: &V, newest: Option<&ComplianceRecord>) -> Result<bool, Fault> {
    let Some(review) = newest else { return Ok(false) };
    Ok(review.decision == Decision::Reject && is_regulator(view, &review.by)?)
}

/// Weight of looking for the review of one member, or of one for whom it acts.
const REVIEWER_WEIGHT: u64 = 2;

/// The reviewers that a member acts for whose newest reviews of an asset decide so.
fn reviewers<V: View>(
    view: &V,
    asset: &AssetId,
    member: &Handle,
    decision: Decision,
) -> Result<Vec<Handle>, Fault> {
    let mut found = Vec::new();
    for reviewer in acts_for(view, member)? {
        let decided = view.get(&Key::Reviewed(*asset, reviewer.clone()))?;
        if decided == Some(decision) {
            found.push(reviewer);
        }
    }
    Ok(found)
}

/// Whether an asset is rejected at an exchange: by its own newest review, or a regulator's.
pub(crate) fn rejects<V: View>(
    view: &V,
    asset: &AssetId,
    exchange: &Handle,
) -> Result<bool, Fault> {
    let newest: Option<ComplianceRecord> = view.get(&Key::Compliance(*asset))?;
    let exchange = acting(view, exchange)?;
    Ok(rejected(view, newest.as_ref())?
        || !reviewers(view, asset, &exchange, Decision::Reject)?.is_empty())
}

/// Weighs looking for the reviews of a member.
fn weigh_reviewers(act: &mut Act<'_>, member: &Handle) -> Result<(), Refusal> {
    let reviewers = acts_for(act.state, &act.acting(member)?)?.len() as u64;
    Ok(act.weigh(reviewers.saturating_mul(REVIEWER_WEIGHT))?)
}

/// Fails when a product is rejected where it is listed, by the exchange or by a regulator, or the
/// rulebook wants that it has passed and it has not.
pub(crate) fn require_passed(act: &mut Act<'_>, listing: &ListingRecord) -> Result<(), Refusal> {
    weigh_reviewers(act, &listing.exchange)?;
    let passed = newest(act, &listing.asset)?.is_some_and(|review| review.passes > 0);
    if rejects(act.state, &listing.asset, &listing.exchange)?
        || (act.rulebook.require_compliance && !passed)
    {
        let text = "the product has not passed its compliance review";
        return Err(Reject::new(Code::ComplianceRequired, text).into());
    }
    Ok(())
}

/// `review_compliance`.
pub(crate) fn compliance(act: &mut Act<'_>, e: &ReviewCompliance) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    let roles = [Role::Exchange, Role::Appraiser, Role::Regulator];
    if !roles.iter().any(|role| act.member.has_role(*role)) {
        let text = format!("{} is no exchange, appraiser or regulator", act.author);
        return Err(Reject::new(Code::RoleRequired, text).into());
    }
    require_outsider(act, &e.asset, &asset)?;
    let before = newest(act, &e.asset)?;
    check_overrules(act, before.as_ref())?;
    if !(1..=5).contains(&e.rights_level) {
        let text = format!("property-rights level {} is not within 1 to 5", e.rights_level);
        return Err(Reject::new(Code::OutOfRange, text).into());
    }
    weigh_reviewers(act, act.author)?;
    let taken_back = reviewers(act.state, &e.asset, act.author, Decision::Accept)?;
    for reviewer in acts_for(act.state, act.author)? {
        act.state.delete(&Key::Reviewed(e.asset, reviewer))?;
    }
    act.state.put(&Key::Reviewed(e.asset, act.author.clone()), &e.decision)?;
    let passes = before.as_ref().map_or(0, |review| review.passes);
    let passes = passes.saturating_sub(u32::try_from(taken_back.len()).unwrap_or(u32::MAX));
    let (accepts, passes) = match e.decision {
        Decision::Accept => (true, passes.saturating_add(1)),
        Decision::Reject => (false, passes),
    };
    let listed = act.state.value(&Key::ListedAt(e.asset, act.author.clone()))?.is_some();
    let regulator = act.member.has_role(Role::Regulator);
    // What anybody else rejects is a finding like others: it stops nobody's sales.
    if accepts || regulator || listed || !taken_back.is_empty() {
        let record = ComplianceRecord {
            by: act.author.clone(),
            decision: e.decision,
            passes,
            rights_level: e.rights_level,
            report: e.report,
            height: act.context.height,
        };
        act.state.put(&Key::Compliance(e.asset), &record)?;
    }
    found(act, &e.asset)
}

/// Only a regulator overrules the rejection of a regulator.
fn check_overrules(act: &Act<'_>, before: Option<&ComplianceRecord>) -> Result<(), Refusal> {
    if rejected(act.state, before)? {
        act.require_role(Role::Regulator)?;
    }
    Ok(())
}

/// `record_valuation`.
pub(crate) fn valuation(act: &mut Act<'_>, e: &RecordValuation) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    act.require_role(Role::Appraiser)?;
    require_outsider(act, &e.asset, &asset)?;
    if !(1..=MAX_AMOUNT).contains(&e.value) {
        let text = format!("a value of {}", money(e.value, &e.currency));
        return Err(Reject::new(Code::AmountOutOfRange, text).into());
    }
    if let Some(score) = e.quality.scores().iter().find(|s| **s > 100) {
        let text = format!("quality score {score} is above 100");
        return Err(Reject::new(Code::OutOfRange, text).into());
    }
    let record = ValuationRecord {
        by: act.author.clone(),
        method: e.method,
        value: e.value,
        currency: e.currency,
        quality: e.quality,
        report: e.report,
        height: act.context.height,
    };
    act.state.put(&Key::Valuation(e.asset), &record)?;
    found(act, &e.asset)
}

/// A finding joins those about the asset.
fn found(act: &mut Act<'_>, asset: &AssetId) -> Result<(), Refusal> {
    let id = *act.event.digest();
    Ok(act.append(Relation::AssetFindings(*asset), &id)?)
}
