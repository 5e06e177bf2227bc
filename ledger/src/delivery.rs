//! The rules for deliveries: recorded by the seller, confirmed by the buyer, or deemed to be once
//! time is over. Implements [LED-MKT-6].

use crate::asset::named_in_force;
use crate::contract::{named, require_open, require_signed};
use crate::event::market::{ConfirmDelivery, RecordDelivery};
use crate::execute::Act;
use crate::reject::{Code, Refusal, Reject};
use crate::state::Key;
use crate::state::record::ContractRecord;
use crate::words::moment;

/// `record_delivery`.
pub(crate) fn record(act: &mut Act<'_>, e: &RecordDelivery) -> Result<(), Refusal> {
    let mut contract = named(act, &e.contract)?;
    if !act.is(&contract.seller)? {
        let text = format!("{} is the seller", contract.seller);
        return Err(Reject::new(Code::NotSeller, text).into());
    }
    require_open(&contract)?;
    require_signed(&contract)?;
    named_in_force(act, &contract.asset)?;
    if contract.delivered.is_some() {
        return Err(Reject::new(Code::AlreadyDelivered, "the delivery is recorded already").into());
    }
    contract.delivered = Some(e.delivered);
    contract.delivered_ms = act.context.time_ms;
    // Who was delivered to keeps the time that the rulebook gave then.
    contract.deemed_from_ms = act.context.time_ms.saturating_add(act.rulebook.deemed_delivery_ms);
    act.wait_for_about(&contract.buyer, e.contract.digest())?;
    Ok(act.state.put(&Key::Contract(e.contract), &contract)?)
}

/// `confirm_delivery`: also of a contract that has been terminated since, for what was delivered
/// before is paid. The buyer needs no recorded delivery: nobody knows better what has come. Nobody
/// else confirms once a ruling, or seller and buyer, have ended the contract: the seller may not
/// have performed. Who has ended it by not paying cannot keep so what he was delivered.
pub(crate) fn confirm(act: &mut Act<'_>, e: &ConfirmDelivery) -> Result<(), Refusal> {
    let mut contract = named(act, &e.contract)?;
    let buyer = act.is(&contract.buyer)?;
    if !buyer && !act.is(&contract.seller)? && !act.is(&contract.exchange)? {
        let text = format!("{} is the buyer", contract.buyer);
        return Err(Reject::new(Code::NotBuyer, text).into());
    }
    require_signed(&contract)?;
    if !buyer && !contract.in_arrears {
        require_open(&contract)?;
    }
    if contract.confirmed {
        return Err(Reject::new(Code::AlreadyConfirmed, "the delivery is confirmed already").into());
    }
    if !buyer {
        require_deemed(act, &contract)?;
    }
    contract.confirmed = true;
    contract.deemed = !buyer;
    act.state.put(&Key::Contract(e.contract), &contract)?;
    crate::payment::delivery_confirmed(act, &e.contract)
}

/// Fails unless a delivery counts as confirmed although the buyer has not confirmed it: it was
/// recorded, the time is over, and nobody disputes it.
fn require_deemed(act: &Act<'_>, contract: &ContractRecord) -> Result<(), Reject> {
    if contract.delivered.is_none() {
        return Err(Reject::new(Code::NotDelivered, "no delivery is recorded"));
    }
    if act.context.time_ms < contract.deemed_from_ms {
        let from = moment(contract.deemed_from_ms);
        let text = format!("it can be deemed confirmed from {from} on");
        return Err(Reject::new(Code::DeliveryNotDeemed, text));
    }
    if contract.contest.is_open(act.context.time_ms) {
        let text = "a dispute about the contract or its payments is not final";
        return Err(Reject::new(Code::DeliveryNotDeemed, text));
    }
    Ok(())
}
