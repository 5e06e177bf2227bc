//! The rules for listings. Listing freezes the attribution schedule. Implements [LED-MKT-1] and
//! [LED-MKT-2].

use crate::asset::named_in_force;
use crate::attribution::{Claim, ScheduleError};
use crate::codec::{self, CodecError};
use crate::event::asset::{Purpose, Stage};
use crate::event::market::{Decision, ListProduct, ReviewListing};
use crate::event::member::Role;
use crate::execute::Act;
use crate::grant::cover;
use crate::hash::{AssetId, Context, Digest, ListingId};
use crate::merkle::tree::{self, Leaf};
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::rights::managed;
use crate::split::{BASIS_POINTS, Right};
use crate::state::record::{ListingRecord, ListingStatus};
use crate::state::{Key, Records, Relation, View};

/// The hash of a schedule: the product and the Merkle root of its claims in order of asset and
/// right. Implements [LED-REV-4].
pub fn schedule_hash(product: &AssetId, claims: &[Claim<AssetId>]) -> Result<Digest, CodecError> {
    let leaves = claims
        .iter()
        .map(|c| Ok(Leaf::of(&codec::encode(&(c.asset, c.right, c.units))?)))
        .collect::<Result<Vec<_>, CodecError>>()?;
    let root = tree::root(&leaves).to_bytes();
    Ok(Context::SCHEDULE.hash(&[&product.digest().to_bytes(), &root]))
}

/// `list_product`.
pub(crate) fn list(act: &mut Act<'_>, e: &ListProduct) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    managed(act, &e.asset, &asset, Right::Operation)?;
    let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
    if asset.stage != Stage::Product {
        return reject(Code::NotAProduct, format!("{}/{} is no product", asset.author, asset.name));
    }
    if !act.named_member(&e.exchange)?.has_role(Role::Exchange) {
        return reject(Code::NotAnExchange, format!("{} is not an exchange", e.exchange));
    }
    if e.exchange == *act.author {
        return reject(Code::ReviewerIsSeller, "the seller would review its own listing".into());
    }
    if u64::from(e.fee_bp) > BASIS_POINTS {
        return reject(Code::FeeTooHigh, format!("a fee of {} bp", e.fee_bp));
    }
    let place = Key::ListedAt(e.asset, e.exchange.clone());
    if stands(act, &place)? {
        return reject(Code::AlreadyListed, format!("it is listed at {} already", e.exchange));
    }
    let cover = cover(act, act.author, &e.asset, &e.operation_grants)?;
    let (claims, edges) = frozen_schedule(act, &e.asset)?;
    act.effects.weight = act.effects.weight.saturating_add(edges);
    let purposes = both(asset.purposes(), cover.purposes.as_deref());
    let id = ListingId::from_digest(*act.event.digest());
    let record = ListingRecord {
        asset: e.asset,
        seller: act.author.clone(),
        exchange: e.exchange.clone(),
        fee_bp: e.fee_bp,
        schedule: schedule_hash(&e.asset, &claims)?,
        claims: u32::try_from(claims.len()).unwrap_or(u32::MAX),
        operation_grants: e.operation_grants.to_vec(),
        territories: cover.territories,
        purposes,
        not_after_ms: cover.not_after_ms.unwrap_or(u64::MAX),
        status: ListingStatus::Pending,
        height: act.context.height,
    };
    act.state.put(&Key::Listing(id), &record)?;
    act.state.put(&place, &id)?;
    act.append(Relation::AssetListings(e.asset), id.digest())?;
    act.effects.created.push(Missing::Listing(id));
    Ok(())
}

/// Whether a listing is there that its seller can still sell from.
fn stands(act: &mut Act<'_>, place: &Key) -> Result<bool, Refusal> {
    let Some(id) = act.state.get::<ListingId>(place)? else { return Ok(false) };
    let listing = named(act, &id)?;
    match check_sellable(act, &listing) {
        Ok(()) => Ok(true),
        Err(Refusal::Reject(_)) => Ok(false),
        Err(Refusal::Fault(fault)) => Err(fault.into()),
    }
}

/// Fails unless the seller of a listing still has the right to sell: the product is not void, he
/// manages its operation right, and the rights it was listed under are effective.
pub(crate) fn check_sellable(act: &mut Act<'_>, listing: &ListingRecord) -> Result<(), Refusal> {
    let asset = named_in_force(act, &listing.asset)?;
    let right = act.state.right(&listing.asset, &asset, Right::Operation)?;
    if right.manager != listing.seller {
        let text = format!("the operation right is managed by {} now", right.manager);
        return Err(Reject::new(Code::NotRightManager, text).into());
    }
    cover(act, &listing.seller, &listing.asset, &listing.operation_grants).map(|_| ())
}

fn both(own: Option<&[Purpose]>, covered: Option<&[Purpose]>) -> Option<Vec<Purpose>> {
    match (own, covered) {
        (Some(a), Some(b)) => Some(a.iter().filter(|p| b.contains(p)).copied().collect()),
        (Some(a), None) | (None, Some(a)) => Some(a.to_vec()),
        (None, None) => None,
    }
}

/// The schedule of a product and the number of edges walked. Implements [LED-MKT-2].
fn frozen_schedule(
    act: &Act<'_>,
    product: &AssetId,
) -> Result<(Vec<Claim<AssetId>>, u64), Refusal> {
    let edges = std::cell::Cell::new(0u64);
    let walked = CountingView { state: act.state, edges: &edges };
    match walked.schedule(product) {
        Ok(claims) => Ok((claims, edges.get())),
        Err(ScheduleError::TooManyEdges { max }) => Err(Reject::new(
            Code::AncestryTooLarge,
            format!("the product's ancestry has more than {max} edges"),
        )
        .into()),
        Err(e) => Err(Fault(format!("the schedule of {product} cannot be computed: {e}")).into()),
    }
}

/// Counts what a walk reads, for the weight of the listing.
struct CountingView<'a> {
    state: &'a crate::state::State,
    edges: &'a std::cell::Cell<u64>,
}

impl View for CountingView<'_> {
    fn value(&self, key: &Key) -> Result<Option<std::sync::Arc<[u8]>>, Fault> {
        let value = self.state.value(key)?;
        // An input takes at least 42 bytes of the record.
        let inputs = value.as_ref().map_or(0, |v| v.len() / 42);
        self.edges.set(self.edges.get().saturating_add(inputs as u64).saturating_add(1));
        Ok(value)
    }
}

/// `review_listing`.
pub(crate) fn review(act: &mut Act<'_>, e: &ReviewListing) -> Result<(), Refusal> {
    let mut listing = named(act, &e.listing)?;
    if listing.exchange != *act.author {
        let text = format!("{} reviews this listing", listing.exchange);
        return Err(Reject::new(Code::NotListingExchange, text).into());
    }
    if listing.status != ListingStatus::Pending {
        let text = format!("the listing is {:?} already", listing.status);
        return Err(Reject::new(Code::ListingClosed, text).into());
    }
    named_in_force(act, &listing.asset)?;
    listing.status = match e.decision {
        Decision::Accept => ListingStatus::Accepted,
        Decision::Reject => {
            act.state.delete(&Key::ListedAt(listing.asset, listing.exchange.clone()))?;
            ListingStatus::Rejected
        }
    };
    Ok(act.state.put(&Key::Listing(e.listing), &listing)?)
}

/// A listing that an event names.
pub(crate) fn named(act: &Act<'_>, id: &ListingId) -> Result<ListingRecord, Refusal> {
    Ok(act.state.listing(id)?.ok_or_else(|| {
        let text = format!("listing {id} is not recorded");
        Reject::missing(Code::UnknownListing, Missing::Listing(*id), text)
    })?)
}
