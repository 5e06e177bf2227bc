//! The rules for three-party contracts: proposal, signatures, and their end before and after all
//! have signed. Implements [LED-MKT-3], [LED-MKT-4], [LED-MKT-11] and [LED-MKT-12].

use crate::money::Currency;

use crate::asset;
use crate::contest::Change;
use crate::event::market::{
    DeclineContract, Instalment, Licence, ProposeContract, SignContract, TerminateContract,
    WithdrawContract,
};
use crate::execute::Act;
use crate::grant::Cover;
use crate::hash::{ContractId, Digest, DisputeId};
use crate::licence;
use crate::limits::{APPROVAL_MS, MAX_AMOUNT};
use crate::listing;
use crate::member::has_repeats;
use crate::nesting;
use crate::payment;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::review;
use crate::rights::disposes;
use crate::split::Right;
use crate::state::record::{Contest, ContractRecord, ContractStatus, ListingRecord};
use crate::state::{Key, Records, Relation};
use crate::text::Handle;
use crate::trade_certificate;
use crate::words::{moment, money};

/// `propose_contract`: the seller's proposal is its signature.
pub(crate) fn propose(act: &mut Act<'_>, e: &ProposeContract) -> Result<(), Refusal> {
    let listing = listing::named(act, &e.listing)?;
    let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
    if !act.is(&listing.seller)? {
        return reject(Code::NotSeller, format!("{} is the seller", listing.seller));
    }
    listing::require_accepted(&listing)?;
    let cover = listing::check_sellable(act, &listing)?;
    let product = asset::named(act, &listing.asset)?;
    disposes(act, &listing.asset, &product, Right::Operation)?;
    listing::check_fee(act, listing.fee_bp)?;
    review::require_passed(act, &listing)?;
    act.named_member(&e.buyer)?;
    require_three(act, [&listing.seller, &e.buyer, &listing.exchange])?;
    require_parties(act, [&listing.seller, &e.buyer, &listing.exchange])?;
    check_schedule(&listing.schedule, &e.schedule)?;
    if e.price > MAX_AMOUNT {
        return reject(
            Code::AmountOutOfRange,
            format!("a price of {}", money(e.price, &e.currency)),
        );
    }
    check_instalments((e.price, &e.currency), &e.instalments)?;
    check_licence(&listing, &cover, &e.licence, act.context.time_ms)?;
    if e.sign_by_ms < act.context.time_ms {
        return reject(
            Code::ContractExpired,
            format!("it could be signed until {}", moment(e.sign_by_ms)),
        );
    }
    if e.price > 0 {
        payment::require_not_closed(act, &listing.asset, &listing.exchange, &e.currency)?;
    }
    licence::check(act, &listing.asset, &e.licence, &e.buyer)?;
    let id = ContractId::from_digest(*act.event.digest());
    let record = ContractRecord {
        listing: e.listing,
        asset: listing.asset,
        related_parties: act.related(&listing.seller, &e.buyer)?,
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
        signed: vec![act.signed()],
        status: ContractStatus::Open,
        seller_terminates: None,
        buyer_terminates: None,
        in_arrears: false,
        instalments: e.instalments.to_vec(),
        paid: 0,
        refunded: 0,
        delivered: None,
        delivered_ms: 0,
        deemed_from_ms: 0,
        confirmed: false,
        deemed: false,
        contest: Contest::default(),
        height: act.context.height,
    };
    act.state.put(&Key::Contract(id), &record)?;
    for party in [&record.seller, &record.buyer, &record.exchange] {
        act.append(Relation::MemberContracts(party.clone()), id.digest())?;
    }
    act.wait_for(&record.buyer)?;
    act.wait_for(&record.exchange)?;
    act.effects.created.push(Missing::Contract(id));
    Ok(())
}

/// Fails unless seller, buyer and exchange are three, as they act now.
pub(crate) fn require_three(
    act: &Act<'_>,
    [seller, buyer, exchange]: [&Handle; 3],
) -> Result<(), Refusal> {
    for (a, b) in [(seller, buyer), (buyer, exchange), (exchange, seller)] {
        if act.same(a, b)? {
            let text = format!("{} stands on both sides, as {a} and as {b}", act.acting(a)?);
            return Err(Reject::new(Code::SellerIsBuyer, text).into());
        }
    }
    Ok(())
}

fn check_schedule(agreed: &Digest, stated: &Digest) -> Result<(), Reject> {
    if agreed == stated {
        return Ok(());
    }
    let text = format!("the schedule's hash is {agreed}, not {stated}");
    Err(Reject::new(Code::ScheduleMismatch, text))
}

fn check_instalments(
    (price, currency): (u64, &Currency),
    instalments: &[Instalment],
) -> Result<(), Reject> {
    if instalments.is_empty() {
        return Ok(());
    }
    let sum: i128 = instalments.iter().map(|i| i128::from(i.amount)).sum();
    let text = if sum != i128::from(price) {
        let (sum, price) = (money(sum, currency), money(price, currency));
        format!("the instalments add up to {sum}, the price is {price}")
    } else if instalments.iter().any(|i| i.amount == 0) {
        "an instalment is nothing".to_string()
    } else if !instalments.is_sorted_by(|a, b| a.due_ms < b.due_ms) {
        "an instalment is not due later than the one before".to_string()
    } else {
        return Ok(());
    };
    Err(Reject::new(Code::InstalmentsInvalid, text))
}

/// Fails unless a licence lies within the listing and within what the operation rights allow now,
/// which may be less than when the product was listed.
fn check_licence(
    listing: &ListingRecord,
    cover: &Cover,
    l: &Licence,
    now_ms: u64,
) -> Result<(), Reject> {
    let within = !l.purposes.is_empty()
        && !has_repeats(&l.purposes)
        && !l.territories.is_empty()
        && !has_repeats(&l.territories)
        && l.not_after_ms >= now_ms
        && cover.not_after_ms.is_none_or(|end| l.not_after_ms <= end)
        && [&listing.purposes, &cover.purposes]
            .into_iter()
            .flatten()
            .all(|allowed| nesting::within(&l.purposes, allowed))
        && [&listing.territories, &cover.territories]
            .into_iter()
            .flatten()
            .all(|allowed| nesting::within(&l.territories, allowed));
    if within {
        return Ok(());
    }
    let text = "the licence names nothing or something twice, has ended, or goes beyond the product's purposes or the operation grants";
    Err(Reject::new(Code::LicenceOutsideTerms, text))
}

/// A contract that an event names.
pub(crate) fn named(act: &Act<'_>, id: &ContractId) -> Result<ContractRecord, Refusal> {
    Ok(act.state.contract(id)?.ok_or_else(|| {
        let text = format!("contract {id} is not recorded");
        Reject::missing(Code::UnknownContract, Missing::Contract(*id), text)
    })?)
}

pub(crate) fn is_signed(contract: &ContractRecord) -> bool {
    contract.buyer_signed && contract.exchange_signed
}

/// Fails unless all three parties have signed.
pub(crate) fn require_signed(contract: &ContractRecord) -> Result<(), Reject> {
    if is_signed(contract) {
        return Ok(());
    }
    Err(Reject::new(Code::ContractNotSigned, "not all three parties have signed the contract"))
}

/// Fails when a contract was declined, withdrawn or terminated.
pub(crate) fn require_open(contract: &ContractRecord) -> Result<(), Reject> {
    let ended = match contract.status {
        ContractStatus::Open => return Ok(()),
        ContractStatus::Declined => "declined",
        ContractStatus::Withdrawn => "withdrawn",
        ContractStatus::Terminated => "terminated",
    };
    Err(Reject::new(Code::ContractClosed, format!("the contract was {ended}")))
}

fn not_a_party(act: &Act<'_>) -> Refusal {
    let text = format!("{} is not a party of the contract that does this", act.author);
    Reject::new(Code::NotContractParty, text).into()
}

/// `sign_contract`: for each party that the author acts for. With the last signature the buyer's
/// licence begins.
pub(crate) fn sign(act: &mut Act<'_>, e: &SignContract) -> Result<(), Refusal> {
    let mut contract = named(act, &e.contract)?;
    let (buyer, exchange) = (act.is(&contract.buyer)?, act.is(&contract.exchange)?);
    if !buyer && !exchange {
        return Err(not_a_party(act));
    }
    require_open(&contract)?;
    if (!buyer || contract.buyer_signed) && (!exchange || contract.exchange_signed) {
        let text = format!("{} has signed already", act.author);
        return Err(Reject::new(Code::AlreadySigned, text).into());
    }
    contract.buyer_signed |= buyer;
    contract.exchange_signed |= exchange;
    check_schedule(&contract.schedule, &e.schedule)?;
    if contract.sign_by_ms < act.context.time_ms {
        let text = format!("it could be signed until {}", moment(contract.sign_by_ms));
        return Err(Reject::new(Code::ContractExpired, text).into());
    }
    let listing = listing::named(act, &contract.listing)?;
    listing::require_accepted(&listing)?;
    let cover = listing::check_sellable(act, &listing)?;
    review::require_passed(act, &listing)?;
    check_licence(&listing, &cover, &contract.licence, act.context.time_ms)?;
    require_three(act, [&contract.seller, &contract.buyer, &contract.exchange])?;
    require_parties(act, [&contract.seller, &contract.buyer, &contract.exchange])?;
    if act.in_other_hands(&contract.signed)? {
        let text = "a key that signed the contract is said to have been in other hands";
        return Err(Reject::new(Code::Contested, text).into());
    }
    contract.signed.push(act.signed());
    if contract.price > 0 {
        let ContractRecord { asset, exchange, currency, .. } = &contract;
        payment::require_not_closed(act, asset, exchange, currency)?;
    }
    if is_signed(&contract) {
        // A contract that three have signed stands, whatever comes out about their keys.
        contract.signed.clear();
        licence::begin(act, &e.contract, &contract)?;
        payment::contract_signed(act, &contract)?;
        act.wait_for_about(&contract.seller, e.contract.digest())?;
    }
    Ok(act.state.put(&Key::Contract(e.contract), &contract)?)
}

/// Fails while seller, buyer or exchange is suspended, or when the last is no exchange any more.
fn require_parties(act: &Act<'_>, [seller, buyer, exchange]: [&Handle; 3]) -> Result<(), Refusal> {
    act.require_not_suspended(seller)?;
    act.require_not_suspended(buyer)?;
    act.require_exchange(exchange)
}

/// Fails unless a contract can still be declined or withdrawn.
fn require_unsigned(contract: &ContractRecord) -> Result<(), Reject> {
    require_open(contract)?;
    if is_signed(contract) {
        return Err(Reject::new(Code::ContractSigned, "all three have signed the contract"));
    }
    Ok(())
}

/// `decline_contract`.
pub(crate) fn decline(act: &mut Act<'_>, e: &DeclineContract) -> Result<(), Refusal> {
    let mut contract = named(act, &e.contract)?;
    if !act.is(&contract.buyer)? && !act.is(&contract.exchange)? {
        return Err(not_a_party(act));
    }
    require_unsigned(&contract)?;
    contract.status = ContractStatus::Declined;
    Ok(act.state.put(&Key::Contract(e.contract), &contract)?)
}

/// `withdraw_contract`.
pub(crate) fn withdraw(act: &mut Act<'_>, e: &WithdrawContract) -> Result<(), Refusal> {
    let mut contract = named(act, &e.contract)?;
    if !act.is(&contract.seller)? {
        let text = format!("{} is the seller", contract.seller);
        return Err(Reject::new(Code::NotSeller, text).into());
    }
    require_unsigned(&contract)?;
    contract.status = ContractStatus::Withdrawn;
    Ok(act.state.put(&Key::Contract(e.contract), &contract)?)
}

/// What was due before a block time, in minor units.
fn due(contract: &ContractRecord, now_ms: u64) -> u64 {
    let due = contract.instalments.iter().filter(|i| i.due_ms < now_ms);
    due.fold(0, |sum, i| sum.saturating_add(i.amount))
}

/// `terminate_contract`.
pub(crate) fn terminate(act: &mut Act<'_>, e: &TerminateContract) -> Result<(), Refusal> {
    let mut contract = named(act, &e.contract)?;
    let (seller, buyer) = (act.is(&contract.seller)?, act.is(&contract.buyer)?);
    let exchange = act.is(&contract.exchange)?;
    if !seller && !buyer && !exchange {
        return Err(not_a_party(act));
    }
    require_open(&contract)?;
    require_signed(&contract)?;
    let now_ms = act.context.time_ms;
    let overdue = exchange && due(&contract, now_ms) > contract.paid;
    let seller_says = says(contract.seller_terminates, now_ms);
    let buyer_says = says(contract.buyer_terminates, now_ms);
    let says = (seller && !seller_says) || (buyer && !buyer_says);
    if !overdue && !says {
        let text = if exchange { "nothing is overdue" } else { "this party has said so already" };
        return Err(Reject::new(Code::TerminationNotAllowed, text).into());
    }
    let said = |party: bool, before: Option<u64>| if party { Some(now_ms) } else { before };
    contract.seller_terminates = said(seller && !seller_says, contract.seller_terminates);
    contract.buyer_terminates = said(buyer && !buyer_says, contract.buyer_terminates);
    let agreed = (seller || seller_says) && (buyer || buyer_says);
    if overdue || agreed {
        contract.in_arrears = !agreed;
        licence::end(act, &e.contract, &contract.asset)?;
        return end(act, &e.contract, contract);
    }
    let other = if seller { contract.buyer.clone() } else { contract.seller.clone() };
    act.wait_for_about(&other, e.contract.digest())?;
    Ok(act.state.put(&Key::Contract(e.contract), &contract)?)
}

/// Whether a party that said at a time that it wants a contract ended still does.
pub(crate) fn says(since_ms: Option<u64>, now_ms: u64) -> bool {
    since_ms.is_some_and(|at| now_ms <= at.saturating_add(APPROVAL_MS))
}

/// A certificate says that the contract was performed: nobody wants it ended any more.
pub(crate) fn certified(
    act: &mut Act<'_>,
    id: &ContractId,
    contract: ContractRecord,
) -> Result<(), Fault> {
    let after = ContractRecord { seller_terminates: None, buyer_terminates: None, ..contract };
    act.state.put(&Key::Contract(*id), &after)
}

/// The contract ends: nothing more is paid or delivered under it.
fn end(act: &mut Act<'_>, id: &ContractId, mut contract: ContractRecord) -> Result<(), Refusal> {
    let before = contract.clone();
    contract.status = ContractStatus::Terminated;
    payment::contract_changed(act, &before, &contract)?;
    Ok(act.state.put(&Key::Contract(*id), &contract)?)
}

fn disputed(act: &Act<'_>, id: &ContractId) -> Result<ContractRecord, Fault> {
    let missing = || Fault(format!("contract {id} of a dispute is missing"));
    act.state.contract(id)?.ok_or_else(missing)
}

/// A ruling ends a contract. Its licence keeps its place among those in force until the ruling can
/// be appealed no more, so that no other takes it before. Implements [LED-MKT-12].
pub(crate) fn end_by_ruling(
    act: &mut Act<'_>,
    id: &ContractId,
    last_appeal_ms: Option<u64>,
) -> Result<(), Refusal> {
    let contract = disputed(act, id)?;
    require_open(&contract)?;
    match last_appeal_ms {
        Some(_) => licence::keep(act, id, &contract.asset, last_appeal_ms)?,
        None => licence::end(act, id, &contract.asset)?,
    }
    trade_certificate::lapse(act, id)?;
    end(act, id, contract)
}

/// A ruling that ended a contract is appealed: the licence keeps its place until it is decided.
pub(crate) fn end_appealed(act: &mut Act<'_>, id: &ContractId) -> Result<(), Refusal> {
    let contract = disputed(act, id)?;
    licence::keep(act, id, &contract.asset, Some(u64::MAX))
}

/// A ruling that ended a contract is affirmed.
pub(crate) fn end_affirmed(act: &mut Act<'_>, id: &ContractId) -> Result<(), Refusal> {
    let contract = disputed(act, id)?;
    licence::end(act, id, &contract.asset)
}

/// A ruling that ended a contract is undone: it stands as it did, and so does its licence.
pub(crate) fn reinstate(act: &mut Act<'_>, id: &ContractId) -> Result<(), Refusal> {
    let before = disputed(act, id)?;
    let contract = ContractRecord { status: ContractStatus::Open, ..before.clone() };
    licence::keep(act, id, &contract.asset, None)?;
    payment::contract_changed(act, &before, &contract)?;
    Ok(act.state.put(&Key::Contract(*id), &contract)?)
}

/// Notes a change of a dispute about the contract or one of its payments.
pub(crate) fn mark_disputed(
    act: &mut Act<'_>,
    id: &ContractId,
    (dispute, change): (&DisputeId, Change),
) -> Result<(), Refusal> {
    let mut contract = disputed(act, id)?;
    contract.contest = contract.contest.after(dispute, change, act.context.time_ms)?;
    Ok(act.state.put(&Key::Contract(*id), &contract)?)
}
