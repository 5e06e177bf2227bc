//! The rules for compliance reviews and valuations. Implements [LED-MKT-8] and [LED-MKT-9].

use crate::asset::named_in_force;
use crate::event::market::{Decision, RecordValuation, ReviewCompliance};
use crate::event::member::Role;
use crate::execute::Act;
use crate::hash::AssetId;
use crate::limits::MAX_AMOUNT;
use crate::reject::{Code, Refusal, Reject};
use crate::split::Right;
use crate::state::record::{AssetRecord, ComplianceRecord, ValuationRecord};
use crate::state::{Key, Records, Relation, View};
use crate::text::Handle;

/// Fails when the author is, or is related to, another member.
pub(crate) fn require_independent(act: &Act<'_>, of: &Handle) -> Result<(), Refusal> {
    if act.related(act.author, of)? {
        let text = format!("{} is not independent of {of}", act.author);
        return Err(Reject::new(Code::NotIndependent, text).into());
    }
    Ok(())
}

/// Fails when the author is, or is related to, the author of an asset or the manager of its
/// operation right, who sells it.
fn require_independent_of(act: &Act<'_>, id: &AssetId, asset: &AssetRecord) -> Result<(), Refusal> {
    require_independent(act, &asset.author)?;
    require_independent(act, &act.state.right(id, asset, Right::Operation)?.manager)
}

fn newest(act: &Act<'_>, asset: &AssetId) -> Result<Option<ComplianceRecord>, Refusal> {
    Ok(act.state.get(&Key::Compliance(*asset))?)
}

fn required() -> Refusal {
    Reject::new(Code::ComplianceRequired, "the product has not passed its compliance review").into()
}

/// Fails when the newest review rejects an asset.
pub(crate) fn require_not_rejected(act: &Act<'_>, asset: &AssetId) -> Result<(), Refusal> {
    match newest(act, asset)?.map(|review| review.decision) {
        Some(Decision::Reject) => Err(required()),
        Some(Decision::Accept) | None => Ok(()),
    }
}

/// Fails when the newest review rejects an asset, or the rulebook wants one and there is none.
pub(crate) fn require_passed(act: &Act<'_>, asset: &AssetId) -> Result<(), Refusal> {
    match newest(act, asset)?.map(|review| review.decision) {
        Some(Decision::Accept) => Ok(()),
        None if !act.rulebook.require_compliance => Ok(()),
        Some(Decision::Reject) | None => Err(required()),
    }
}

/// `review_compliance`.
pub(crate) fn compliance(act: &mut Act<'_>, e: &ReviewCompliance) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    let roles = [Role::Exchange, Role::Appraiser, Role::Regulator];
    if !roles.iter().any(|role| act.member.has_role(*role)) {
        let text = format!("{} is no exchange, appraiser or regulator", act.author);
        return Err(Reject::new(Code::RoleRequired, text).into());
    }
    require_independent_of(act, &e.asset, &asset)?;
    check_overrules(act, &e.asset)?;
    if !(1..=5).contains(&e.rights_level) {
        let text = format!("property-rights level {} is not within 1 to 5", e.rights_level);
        return Err(Reject::new(Code::OutOfRange, text).into());
    }
    let record = ComplianceRecord {
        by: act.author.clone(),
        decision: e.decision,
        rights_level: e.rights_level,
        report: e.report,
        height: act.context.height,
    };
    act.state.put(&Key::Compliance(e.asset), &record)?;
    found(act, &e.asset)
}

/// Only a regulator overrules the rejection of a regulator.
fn check_overrules(act: &Act<'_>, asset: &AssetId) -> Result<(), Refusal> {
    let Some(review) = newest(act, asset)? else { return Ok(()) };
    let by_regulator = || -> Result<bool, Refusal> {
        Ok(act.state.member(&review.by)?.is_some_and(|m| m.has_role(Role::Regulator)))
    };
    if review.decision == Decision::Reject && by_regulator()? {
        act.require_role(Role::Regulator)?;
    }
    Ok(())
}

/// `record_valuation`.
pub(crate) fn valuation(act: &mut Act<'_>, e: &RecordValuation) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    act.require_role(Role::Appraiser)?;
    require_independent_of(act, &e.asset, &asset)?;
    if !(1..=MAX_AMOUNT).contains(&e.value) {
        let text = format!("a value of {} minor units", e.value);
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
