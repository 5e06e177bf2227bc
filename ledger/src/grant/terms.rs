//! Which terms a grant may have. Implements [LED-GRT-1].

use super::check::reaches;
use crate::asset::check_inherited;
use crate::event::rights::{GrantRight, Revocation, Terms};
use crate::execute::Act;
use crate::hash::GrantId;
use crate::limits::{MAX_CHAIN, MAX_SUNSET_MS};
use crate::member::has_repeats;
use crate::reject::{Code, Refusal, Reject};
use crate::split::BASIS_POINTS;
use crate::state::record::AssetRecord;

/// Fails unless the terms hold in themselves at a block time and fit the right, the grants it rests
/// on and the grant it sub-licenses.
pub(crate) fn check(
    now_ms: u64,
    right: GrantRight,
    t: &Terms,
    under: &[GrantId],
    parent: Option<&GrantId>,
) -> Result<(), Reject> {
    let reject = |text: &str| Err(Reject::new(Code::TermsInvalid, text));
    if t.purposes.is_empty() || has_repeats(&t.purposes) {
        return reject("the terms name no purpose or one twice");
    }
    if t.territories.is_empty() || has_repeats(&t.territories) {
        return reject("the terms name no territory or one twice");
    }
    if t.not_before_ms > t.not_after_ms {
        return reject("the term ends before it begins");
    }
    if t.not_after_ms < now_ms {
        return reject("the term is over already");
    }
    if u64::from(t.floor_bp) > BASIS_POINTS {
        return reject("the floor is above 10000 bp");
    }
    if usize::from(t.sublicence_depth) > MAX_CHAIN {
        return reject("the sub-licence depth is above 8");
    }
    if t.max_derivations == Some(0) {
        return reject("the terms allow no derivation");
    }
    let sunset_fits = match t.revocation {
        Revocation::Prospective | Revocation::SuspendDownstream => true,
        Revocation::Sunset(ms) => (1..=MAX_SUNSET_MS).contains(&ms),
    };
    if !sunset_fits {
        return reject("a sunset is not within 1 ms to ten years");
    }
    if parent.is_some() && !under.is_empty() {
        return reject("a sub-licence rests on its parent alone");
    }
    match right {
        GrantRight::Processing if !under.is_empty() => {
            reject("a processing grant rests on no operation grants")
        }
        GrantRight::Operation
            if t.floor_bp > 0 || t.max_derivations.is_some() || t.filing_window_ms > 0 =>
        {
            reject("an operation grant has no floor, no number of derivations and no filing window")
        }
        GrantRight::Processing | GrantRight::Operation => Ok(()),
    }
}

/// Fails when the owners of a right would grant what is not theirs: purposes and territories that
/// the asset has not inherited; or later versions, which are born as the rights of whoever registers
/// them, and operation of what is derived rests on others.
pub(crate) fn check_fits(
    act: &Act<'_>,
    right: GrantRight,
    t: &Terms,
    asset: &AssetRecord,
) -> Result<(), Refusal> {
    check_inherited(asset, &t.purposes, &t.territories)?;
    if !t.future_versions || (reaches(right, asset) && act.is(&asset.author)?) {
        return Ok(());
    }
    let text =
        "later versions are granted by the author of an asset, and operation of raw ones only";
    Err(Reject::new(Code::TermsInvalid, text).into())
}
