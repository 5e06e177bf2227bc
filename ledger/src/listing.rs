//! The rules for listings. Listing freezes the attribution schedule. Implements [LED-MKT-1],
//! [LED-MKT-2] and [LED-MKT-10].

use crate::asset::{self, named_in_force, usable};
use crate::attribution::{Claim, ScheduleError};
use crate::codec::{self, CodecError};
use crate::event::asset::{Purpose, Stage};
use crate::event::market::{Decision, DelistProduct, ListProduct, ReviewListing};
use crate::event::member::Role;
use crate::event::rights::GrantRight;
use crate::execute::Act;
use crate::grant::{Cover, Intent, cover, narrow, not_reserved};
use crate::hash::{AssetId, Context, Digest, ListingId};
use crate::hold;
use crate::merkle::tree::{self, Leaf};
use crate::nesting;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::review;
use crate::rights::{self, disposes};
use crate::split::Right;
use crate::state::record::{AssetRecord, ListingRecord, ListingStatus, RightRecord};
use crate::state::{Key, Records, Relation, View};
use crate::text::Handle;
use crate::words::{percent, word};

/// The hash of a schedule: the product and the Merkle root of its claims in order of asset and
/// right. Implements [LED-REV-4].
pub fn schedule_hash(product: &AssetId, claims: &[Claim<AssetId>]) -> Result<Digest, CodecError> {
    let leaves = claims.iter().map(claim_leaf).collect::<Result<Vec<_>, CodecError>>()?;
    Ok(schedule_hash_of(product, &tree::root(&leaves)))
}

/// The leaf of a claim in its schedule's tree.
pub(crate) fn claim_leaf(claim: &Claim<AssetId>) -> Result<Leaf, CodecError> {
    Ok(Leaf::of(&codec::encode(&(claim.asset, claim.right, claim.units))?))
}

/// The hash of the schedule whose tree has this root.
pub(crate) fn schedule_hash_of(product: &AssetId, root: &Digest) -> Digest {
    Context::SCHEDULE.hash(&[&product.digest().to_bytes(), &root.to_bytes()])
}

/// `list_product`.
pub(crate) fn list(act: &mut Act<'_>, e: &ListProduct) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    usable(act, &e.asset, &asset)?;
    disposes(act, &e.asset, &asset, Right::Operation)?;
    let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
    if asset.stage != Stage::Product {
        return reject(Code::NotAProduct, format!("{}/{} is no product", asset.author, asset.name));
    }
    act.require_exchange(&e.exchange)?;
    if act.is(&e.exchange)? {
        return reject(Code::ReviewerIsSeller, "the seller would review its own listing".into());
    }
    check_fee(act, e.fee_bp)?;
    make_room(act, &e.asset, &e.exchange)?;
    not_reserved(act, act.author, (&e.asset, &asset), GrantRight::Operation, &Intent::default())?;
    let cover = cover(act, act.author, &e.asset, &e.operation_grants)?;
    let max = usize::try_from(act.rulebook.max_ancestry_edges).unwrap_or(usize::MAX);
    let (claims, edges) = frozen_schedule(act, &e.asset, max)?;
    act.weigh(edges)?;
    let mut purposes = asset.purposes().map(<[Purpose]>::to_vec);
    if let Some(covered) = &cover.purposes {
        nesting::narrow(&mut purposes, covered);
    }
    let mut territories = asset.territories.clone();
    if let Some(covered) = &cover.territories {
        narrow(act, &mut territories, covered)?;
    }
    let id = ListingId::from_digest(*act.event.digest());
    let record = ListingRecord {
        asset: e.asset,
        seller: act.author.clone(),
        exchange: e.exchange.clone(),
        fee_bp: e.fee_bp,
        schedule: schedule_hash(&e.asset, &claims)?,
        claims: u32::try_from(claims.len()).unwrap_or(u32::MAX),
        operation_grants: e.operation_grants.to_vec(),
        territories,
        purposes,
        not_after_ms: cover.not_after_ms.unwrap_or(u64::MAX),
        status: ListingStatus::Pending,
        height: act.context.height,
    };
    act.state.put(&Key::Listing(id), &record)?;
    act.state.put(&Key::ListedAt(e.asset, e.exchange.clone()), &id)?;
    act.append(Relation::AssetListings(e.asset), id.digest())?;
    act.wait_for(&e.exchange)?;
    act.effects.created.push(Missing::Listing(id));
    Ok(())
}

/// Fails when a fee is above what the rulebook allows now.
pub(crate) fn check_fee(act: &Act<'_>, fee_bp: u16) -> Result<(), Reject> {
    let cap = act.rulebook.fee_cap_bp;
    if fee_bp > cap {
        let text = format!("a fee of {}, at most {}", percent(fee_bp), percent(cap));
        return Err(Reject::new(Code::FeeTooHigh, text));
    }
    Ok(())
}

/// Fails when the product has a listing at the exchange that can be sold from; ends one that
/// cannot, so that there is never more than one.
fn make_room(act: &mut Act<'_>, asset: &AssetId, exchange: &Handle) -> Result<(), Refusal> {
    let place = Key::ListedAt(*asset, exchange.clone());
    let Some(id) = act.state.get::<ListingId>(&place)? else { return Ok(()) };
    let mut listing = named(act, &id)?;
    match check_sellable(act, &listing) {
        Ok(_) => {
            let text = format!("it is listed at {exchange} already");
            Err(Reject::new(Code::AlreadyListed, text).into())
        }
        Err(Refusal::Reject(_)) => {
            listing.status = ListingStatus::Delisted;
            Ok(act.state.put(&Key::Listing(id), &listing)?)
        }
        Err(Refusal::Fault(fault)) => Err(fault.into()),
    }
}

/// Fails unless a listing was accepted and has not ended.
pub(crate) fn require_accepted(listing: &ListingRecord) -> Result<(), Reject> {
    match listing.status {
        ListingStatus::Accepted => Ok(()),
        ListingStatus::Pending | ListingStatus::Rejected => Err(Reject::new(
            Code::ListingNotAccepted,
            format!("the listing is {}", word(&listing.status)),
        )),
        ListingStatus::Delisted => Err(Reject::new(Code::ListingEnded, "the listing has ended")),
    }
}

/// Fails unless the seller of a listing still has the right to sell: the product is usable, he
/// acts for its operation right, and the rights it was listed under are
/// effective. Gives what these allow now.
pub(crate) fn check_sellable(act: &mut Act<'_>, listing: &ListingRecord) -> Result<Cover, Refusal> {
    let asset = named_in_force(act, &listing.asset)?;
    usable(act, &listing.asset, &asset)?;
    let right = act.state.right(&listing.asset, &asset, Right::Operation)?;
    if !acts_for(act, listing, &asset, &right)? {
        let text = format!("the operation right is managed by {} now", right.manager);
        return Err(Reject::new(Code::NotRightManager, text).into());
    }
    rights::uncontested(act, &asset, Right::Operation, &right)?;
    let place = (&listing.asset, &asset);
    not_reserved(act, &listing.seller, place, GrantRight::Operation, &Intent::default())?;
    cover(act, &listing.seller, &listing.asset, &listing.operation_grants)
}

/// Whether the seller manages the right or, where owners decide by their parts, owns one.
fn acts_for(
    act: &Act<'_>,
    listing: &ListingRecord,
    asset: &AssetRecord,
    right: &RightRecord,
) -> Result<bool, Refusal> {
    let seller = &listing.seller;
    let awarded = hold::awarded(act, &listing.asset, Right::Operation)?;
    if right.threshold_parts.is_none() && awarded.is_empty() {
        return Ok(act.same(&right.manager, seller)?);
    }
    let epoch = act.state.epoch(&listing.asset, asset, Right::Operation, right.epoch)?;
    let mut owns = false;
    for owner in &epoch.owners {
        let acts = right.threshold_parts.is_some() || owner.member == right.manager;
        if acts && act.same(&owner.member, seller)? {
            if hold::lasting(&awarded, owner) > 0 {
                return Ok(true);
            }
            owns = true;
        }
    }
    if owns {
        let text = format!("{seller} has its parts by a ruling that is not final");
        return Err(Reject::new(Code::PartsHeld, text).into());
    }
    Ok(false)
}

/// The schedule of a product whose ancestry has at most so many edges, and what the walk weighs.
/// Implements [LED-MKT-2].
pub(crate) fn frozen_schedule(
    act: &Act<'_>,
    product: &AssetId,
    max: usize,
) -> Result<(Vec<Claim<AssetId>>, u64), Refusal> {
    let edges = std::cell::Cell::new(0u64);
    let walked = CountingView { state: act.state, edges: &edges };
    match walked.schedule_within(product, max) {
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
    if !act.is(&listing.exchange)? {
        let text = format!("{} reviews this listing", listing.exchange);
        return Err(Reject::new(Code::NotListingExchange, text).into());
    }
    if act.related(&listing.seller, act.author)? {
        let text = format!("{} is related to the seller {}", act.author, listing.seller);
        return Err(Reject::new(Code::NotIndependent, text).into());
    }
    let asset = asset::named(act, &listing.asset)?;
    let product = (&listing.asset, &asset);
    review::require_independent_of(act, act.author, product)?;
    match listing.status {
        ListingStatus::Pending => {}
        ListingStatus::Accepted | ListingStatus::Rejected | ListingStatus::Delisted => {
            let text = format!("the listing is {} already", word(&listing.status));
            return Err(Reject::new(Code::ListingClosed, text).into());
        }
    }
    match e.decision {
        Decision::Accept => {
            named_in_force(act, &listing.asset)?;
            act.require_exchange(&listing.exchange)?;
            act.require_not_suspended(&listing.seller)?;
            check_fee(act, listing.fee_bp)?;
            review::require_passed(act, &listing)?;
            listing.status = ListingStatus::Accepted;
        }
        Decision::Reject => {
            leave(act, &e.listing, &listing)?;
            listing.status = ListingStatus::Rejected;
        }
    }
    Ok(act.state.put(&Key::Listing(e.listing), &listing)?)
}

/// The product may be listed at the exchange again, unless another listing has its place already.
fn leave(act: &mut Act<'_>, id: &ListingId, listing: &ListingRecord) -> Result<(), Fault> {
    let place = Key::ListedAt(listing.asset, listing.exchange.clone());
    if act.state.get::<ListingId>(&place)? == Some(*id) {
        act.state.delete(&place)?;
    }
    Ok(())
}

/// `delist_product`.
pub(crate) fn delist(act: &mut Act<'_>, e: &DelistProduct) -> Result<(), Refusal> {
    let mut listing = named(act, &e.listing)?;
    let party = act.is(&listing.seller)? || act.is(&listing.exchange)?;
    if !party && !act.member.has_role(Role::Regulator) {
        let text = format!("{} is not seller, exchange or regulator", act.author);
        return Err(Reject::new(Code::NotConcerned, text).into());
    }
    match listing.status {
        ListingStatus::Pending | ListingStatus::Accepted => {}
        ListingStatus::Rejected | ListingStatus::Delisted => {
            return Err(Reject::new(Code::ListingEnded, "the listing has ended").into());
        }
    }
    leave(act, &e.listing, &listing)?;
    listing.status = ListingStatus::Delisted;
    Ok(act.state.put(&Key::Listing(e.listing), &listing)?)
}

/// A listing that an event names.
pub(crate) fn named(act: &Act<'_>, id: &ListingId) -> Result<ListingRecord, Refusal> {
    Ok(act.state.listing(id)?.ok_or_else(|| {
        let text = format!("listing {id} is not recorded");
        Reject::missing(Code::UnknownListing, Missing::Listing(*id), text)
    })?)
}
