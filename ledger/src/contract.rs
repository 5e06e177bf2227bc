//! The rules for three-party contracts and deliveries. Implements [LED-MKT-3], [LED-MKT-4] and
//! [LED-MKT-6].

use crate::event::market::{ConfirmDelivery, ProposeContract, RecordDelivery, SignContract};
use crate::execute::Act;
use crate::hash::{ContractId, Digest};
use crate::limits::MAX_AMOUNT;
use crate::listing;
use crate::reject::{Code, Missing, Refusal, Reject};
use crate::state::record::{ContractRecord, ListingRecord, ListingStatus};
use crate::state::{Key, Records, Relation};

/// `propose_contract`: the seller's proposal is its signature.
pub(crate) fn propose(act: &mut Act<'_>, e: &ProposeContract) -> Result<(), Refusal> {
    let listing = listing::named(act, &e.listing)?;
    let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
    if listing.seller != *act.author {
        return reject(Code::NotSeller, format!("{} is the seller", listing.seller));
    }
    match listing.status {
        ListingStatus::Accepted => {}
        ListingStatus::Pending | ListingStatus::Rejected => {
            return reject(
                Code::ListingNotAccepted,
                format!("the listing is {:?}", listing.status),
            );
        }
    }
    listing::check_sellable(act, &listing)?;
    act.named_member(&e.buyer)?;
    if e.buyer == listing.seller || e.buyer == listing.exchange {
        return reject(Code::SellerIsBuyer, format!("{} cannot be the buyer", e.buyer));
    }
    check_schedule(&listing.schedule, &e.schedule)?;
    if !(1..=MAX_AMOUNT).contains(&e.price) {
        return reject(Code::AmountOutOfRange, format!("a price of {} minor units", e.price));
    }
    check_licence(&listing, e, act.context.time_ms)?;
    if e.sign_by_ms < act.context.time_ms {
        return reject(Code::ContractExpired, format!("it could be signed until {}", e.sign_by_ms));
    }
    let id = ContractId::from_digest(*act.event.digest());
    let record = ContractRecord {
        listing: e.listing,
        asset: listing.asset,
        seller: listing.seller,
        buyer: e.buyer.clone(),
        exchange: listing.exchange,
        schedule: e.schedule,
        price: e.price,
        currency: e.currency,
        fee_bp: listing.fee_bp,
        licence: e.licence.clone(),
        sign_by_ms: e.sign_by_ms,
        buyer_signed: false,
        exchange_signed: false,
        paid: 0,
        delivered: None,
        confirmed: false,
        height: act.context.height,
    };
    act.state.put(&Key::Contract(id), &record)?;
    for party in [&record.seller, &record.buyer, &record.exchange] {
        act.append(Relation::MemberContracts(party.clone()), id.digest())?;
    }
    act.effects.created.push(Missing::Contract(id));
    Ok(())
}

fn check_schedule(agreed: &Digest, stated: &Digest) -> Result<(), Reject> {
    if agreed == stated {
        return Ok(());
    }
    let text = format!("the schedule's hash is {agreed}, not {stated}");
    Err(Reject::new(Code::ScheduleMismatch, text))
}

fn check_licence(listing: &ListingRecord, e: &ProposeContract, now_ms: u64) -> Result<(), Reject> {
    let l = &e.licence;
    let outside = l.purposes.is_empty()
        || l.territories.is_empty()
        || l.not_after_ms > listing.not_after_ms
        || l.not_after_ms < now_ms
        || listing.purposes.as_ref().is_some_and(|a| l.purposes.iter().any(|p| !a.contains(p)))
        || listing
            .territories
            .as_ref()
            .is_some_and(|a| l.territories.iter().any(|t| !a.contains(t)));
    if outside {
        let text = "the licence names nothing, has ended, or goes beyond the product's purposes or the operation grants";
        return Err(Reject::new(Code::LicenceOutsideTerms, text));
    }
    Ok(())
}

/// A contract that an event names.
pub(crate) fn named(act: &Act<'_>, id: &ContractId) -> Result<ContractRecord, Refusal> {
    Ok(act.state.contract(id)?.ok_or_else(|| {
        let text = format!("contract {id} is not recorded");
        Reject::missing(Code::UnknownContract, Missing::Contract(*id), text)
    })?)
}

/// `sign_contract`.
pub(crate) fn sign(act: &mut Act<'_>, e: &SignContract) -> Result<(), Refusal> {
    let mut contract = named(act, &e.contract)?;
    let signed = if contract.buyer == *act.author {
        &mut contract.buyer_signed
    } else if contract.exchange == *act.author {
        &mut contract.exchange_signed
    } else {
        let text = format!("{} is neither the buyer nor the exchange", act.author);
        return Err(Reject::new(Code::NotContractParty, text).into());
    };
    if *signed {
        let text = format!("{} has signed already", act.author);
        return Err(Reject::new(Code::AlreadySigned, text).into());
    }
    *signed = true;
    check_schedule(&contract.schedule, &e.schedule)?;
    if contract.sign_by_ms < act.context.time_ms {
        let text = format!("it could be signed until {}", contract.sign_by_ms);
        return Err(Reject::new(Code::ContractExpired, text).into());
    }
    let listing = listing::named(act, &contract.listing)?;
    listing::check_sellable(act, &listing)?;
    Ok(act.state.put(&Key::Contract(e.contract), &contract)?)
}

/// Fails unless all three parties have signed.
pub(crate) fn require_signed(contract: &ContractRecord) -> Result<(), Reject> {
    if contract.buyer_signed && contract.exchange_signed {
        return Ok(());
    }
    Err(Reject::new(Code::ContractNotSigned, "not all three parties have signed the contract"))
}

/// `record_delivery`.
pub(crate) fn record_delivery(act: &mut Act<'_>, e: &RecordDelivery) -> Result<(), Refusal> {
    let mut contract = named(act, &e.contract)?;
    if contract.seller != *act.author {
        let text = format!("{} is the seller", contract.seller);
        return Err(Reject::new(Code::NotSeller, text).into());
    }
    require_signed(&contract)?;
    if contract.delivered.is_some() {
        return Err(Reject::new(Code::AlreadyDelivered, "the delivery is recorded already").into());
    }
    contract.delivered = Some(e.delivered);
    Ok(act.state.put(&Key::Contract(e.contract), &contract)?)
}

/// `confirm_delivery`.
pub(crate) fn confirm_delivery(act: &mut Act<'_>, e: &ConfirmDelivery) -> Result<(), Refusal> {
    let mut contract = named(act, &e.contract)?;
    if contract.buyer != *act.author {
        let text = format!("{} is the buyer", contract.buyer);
        return Err(Reject::new(Code::NotBuyer, text).into());
    }
    if contract.delivered.is_none() {
        return Err(Reject::new(Code::NotDelivered, "no delivery is recorded").into());
    }
    if contract.confirmed {
        return Err(Reject::new(Code::AlreadyConfirmed, "the delivery is confirmed already").into());
    }
    contract.confirmed = true;
    Ok(act.state.put(&Key::Contract(e.contract), &contract)?)
}
