//! One claim of a schedule with the proof that it is one, as payouts and adjustments carry it.

use super::QueryError;
use super::shares::claims;
use crate::event::market::ProvedClaim;
use crate::hash::AssetId;
use crate::payout;
use crate::reject::Fault;
use crate::split::Right;
use crate::state::View;

/// The claim of a right over an asset in a product's schedule; `None` when the schedule gives that
/// right nothing. Implements [LED-REV-4].
pub fn proved_claim<V: View>(
    view: &V,
    product: &AssetId,
    asset: &AssetId,
    right: Right,
) -> Result<Option<ProvedClaim>, QueryError> {
    Ok(payout::prove(&claims(view, product)?, asset, right).map_err(Fault::from)?)
}
