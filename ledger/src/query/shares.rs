//! The attribution schedule of a product with names, owners, and the listings that froze it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::trace::ancestry;
use super::{Lists, QueryError, asked, recorded, shown};
use crate::attribution::{Claim, ScheduleError};
use crate::event::rights::Owner;
use crate::hash::{AssetId, Digest, ListingId};
use crate::listing::schedule_hash;
use crate::reject::Fault;
use crate::split::Right;
use crate::state::record::ListingStatus;
use crate::state::{Key, Records, Relation, View};
use crate::text::Handle;

/// How money that reaches a product falls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// The product.
    pub product: AssetId,
    /// `handle/name`.
    pub name: String,
    /// The hash of the schedule, which contracts name.
    pub schedule: Digest,
    /// The claims, in order of asset and right; their units add up to 10^18.
    pub claims: Vec<ShareLine>,
    /// The product's listings, in the order they were made.
    pub listings: Vec<ListingShown>,
}

/// What the owners of one right over one asset are due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareLine {
    /// The asset.
    pub asset: AssetId,
    /// `handle/name`.
    pub name: String,
    /// The right over it.
    pub right: Right,
    /// Units of 10^18.
    pub units: u64,
    /// The current ownership epoch of the right, from 0.
    pub epoch: u32,
    /// Its owners now, in parts of 10 000.
    pub owners: Vec<Owner>,
}

/// A listing of the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingShown {
    /// Its id.
    pub id: ListingId,
    /// Where.
    pub exchange: Handle,
    /// Who sells.
    pub seller: Handle,
    /// The exchange's fee in basis points.
    pub fee_bp: u16,
    /// Where it stands.
    pub status: ListingStatus,
    /// The hash it froze.
    pub schedule: Digest,
    /// Height at which it was made.
    pub height: u64,
}

/// The attribution schedule of a product, as it follows from the registered ancestry.
/// Implements [LED-REV-4].
pub fn shares<V: Lists>(view: &V, product: &AssetId) -> Result<Shares, QueryError> {
    view.prefetch(&[
        Key::Asset(*product),
        Key::Inputs(*product),
        Key::Range(Relation::AssetListings(*product)),
    ])?;
    let asset = asked(view, product)?;
    let claims = claims(view, product)?;
    let schedule = schedule_hash(product, &claims).map_err(Fault::from)?;
    prefetch_rights(view, &claims)?;
    let lines = claims.iter().map(|claim| line(view, claim)).collect::<Result<_, Fault>>()?;
    let listings = listings(view, product)?;
    Ok(Shares { product: *product, name: shown(&asset), schedule, claims: lines, listings })
}

/// The claims of a product, reading its ancestry level by level first.
pub(super) fn claims<V: View>(
    view: &V,
    product: &AssetId,
) -> Result<Vec<Claim<AssetId>>, QueryError> {
    ancestry(view, product, None)?;
    view.schedule(product).map_err(|error| match error {
        ScheduleError::Node(fault) => fault.into(),
        ScheduleError::TooManyEdges { max } => QueryError::TooLarge { what: "derivations", max },
        error @ (ScheduleError::Split { .. }
        | ScheduleError::NoWeight(_)
        | ScheduleError::Cycle(_)
        | ScheduleError::Overflow) => {
            Fault(format!("the schedule of {product} cannot be computed: {error}")).into()
        }
    })
}

/// Announces who owns the rights that claims are for: the assets and the current epochs.
pub(super) fn prefetch_rights<V: View>(view: &V, claims: &[Claim<AssetId>]) -> Result<(), Fault> {
    let assets: BTreeSet<AssetId> = claims.iter().map(|claim| claim.asset).collect();
    let mut keys: Vec<Key> = assets.into_iter().map(Key::Asset).collect();
    keys.extend(claims.iter().map(|claim| Key::Right(claim.asset, claim.right)));
    view.prefetch(&keys)?;
    let mut epochs = Vec::new();
    for claim in claims {
        let asset = recorded(view, &claim.asset)?;
        let epoch = view.right(&claim.asset, &asset, claim.right)?.epoch;
        if epoch > 0 {
            epochs.push(Key::Epoch(claim.asset, claim.right, epoch));
        }
    }
    view.prefetch(&epochs)
}

fn line<V: View>(view: &V, claim: &Claim<AssetId>) -> Result<ShareLine, Fault> {
    let asset = recorded(view, &claim.asset)?;
    let epoch = view.right(&claim.asset, &asset, claim.right)?.epoch;
    Ok(ShareLine {
        asset: claim.asset,
        name: shown(&asset),
        right: claim.right,
        units: claim.units,
        epoch,
        owners: view.epoch(&claim.asset, &asset, claim.right, epoch)?.owners,
    })
}

fn listings<V: Lists>(view: &V, product: &AssetId) -> Result<Vec<ListingShown>, Fault> {
    let entries = view.entries(&Relation::AssetListings(*product))?;
    let ids: Vec<ListingId> = entries.iter().map(|e| ListingId::from_digest(e.id)).collect();
    view.prefetch(&ids.iter().map(|id| Key::Listing(*id)).collect::<Vec<_>>())?;
    let shown = |id: ListingId| {
        let listing = view.listing(&id)?;
        let listing = listing.ok_or_else(|| Fault(format!("listing {id} is not recorded")))?;
        Ok(ListingShown {
            id,
            exchange: listing.exchange,
            seller: listing.seller,
            fee_bp: listing.fee_bp,
            status: listing.status,
            schedule: listing.schedule,
            height: listing.height,
        })
    };
    ids.into_iter().map(shown).collect()
}
