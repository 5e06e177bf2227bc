//! The rules for compliance reviews and valuations. Implements [LED-MKT-8] and [LED-MKT-9].

use crate::approval::owners;
use crate::asset::named_in_force;
use crate::event::market::{Decision, RecordValuation, ReviewCompliance};
use crate::event::member::Role;
use crate::execute::{Act, acting};
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

/// What it adds to the weight of looking at an owner to ask who belongs with it.
const RELATED_WEIGHT: u64 = 9;

/// Fails when a member is, or is related to, an owner of a right over an asset, however small its
/// part. Implements [LED-MKT-8].
pub(crate) fn require_independent_of(
    act: &mut Act<'_>,
    member: &Handle,
    (id, asset): (&AssetId, &AssetRecord),
    right: Right,
) -> Result<(), Refusal> {
    for owner in owners(act, id, asset, right)? {
        act.weigh(RELATED_WEIGHT)?;
        if act.related(member, &owner.member)? {
            let text = format!("{member} is not independent of {}, an owner", owner.member);
            return Err(Reject::new(Code::NotIndependent, text).into());
        }
    }
    Ok(())
}

/// Fails when the author is, or is related to, who made an asset or who is paid for its sales.
fn require_outsider(act: &mut Act<'_>, id: &AssetId, asset: &AssetRecord) -> Result<(), Refusal> {
    require_independent(act, &asset.author)?;
    require_independent_of(act, act.author, (id, asset), Right::Operation)
}

fn newest(act: &Act<'_>, asset: &AssetId) -> Result<Option<ComplianceRecord>, Refusal> {
    Ok(act.state.get(&Key::Compliance(*asset))?)
}

fn required() -> Refusal {
    Reject::new(Code::ComplianceRequired, "the product has not passed its compliance review").into()
}

/// Whether a review rejects for an exchange: its own does, and that of a regulator does for all.
pub(crate) fn rejects<V: View>(
    view: &V,
    review: &ComplianceRecord,
    exchange: &Handle,
) -> Result<bool, Fault> {
    match review.decision {
        Decision::Accept => Ok(false),
        Decision::Reject => {
            Ok(is_regulator(view, &review.by)?
                || acting(view, &review.by)? == acting(view, exchange)?)
        }
    }
}

fn is_regulator<V: View>(view: &V, member: &Handle) -> Result<bool, Fault> {
    Ok(view.member(member)?.is_some_and(|m| m.has_role(Role::Regulator)))
}

/// Fails when a product is rejected where it is listed.
pub(crate) fn require_not_rejected(act: &Act<'_>, listing: &ListingRecord) -> Result<(), Refusal> {
    match newest(act, &listing.asset)? {
        Some(review) if rejects(act.state, &review, &listing.exchange)? => Err(required()),
        Some(_) | None => Ok(()),
    }
}

/// Fails when a product is rejected where it is listed, or the rulebook wants that it has passed
/// and it has not.
pub(crate) fn require_passed(act: &Act<'_>, listing: &ListingRecord) -> Result<(), Refusal> {
    require_not_rejected(act, listing)?;
    let passed = newest(act, &listing.asset)?.is_some_and(|review| review.passed);
    if passed || !act.rulebook.require_compliance { Ok(()) } else { Err(required()) }
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
    let regulator = act.member.has_role(Role::Regulator);
    let listed = act.state.value(&Key::ListedAt(e.asset, act.author.clone()))?.is_some();
    let passed = match e.decision {
        Decision::Accept => true,
        Decision::Reject => !regulator && before.is_some_and(|review| review.passed),
    };
    // What anybody else rejects is a finding like others: it stops nobody's sales.
    if e.decision == Decision::Accept || regulator || listed {
        let record = ComplianceRecord {
            by: act.author.clone(),
            decision: e.decision,
            passed,
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
    let Some(review) = before else { return Ok(()) };
    if review.decision == Decision::Reject && is_regulator(act.state, &review.by)? {
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
