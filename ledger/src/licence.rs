//! The licences of a product that are in force: no other overlaps an exclusive one, at whichever
//! exchange it was sold. Implements [LED-MKT-13].

use crate::event::market::Licence;
use crate::event::rights::Exclusivity;
use crate::execute::Act;
use crate::grant::{check_void, conflict, places};
use crate::hash::{AssetId, ContractId, Digest};
use crate::limits::MAX_LICENCES;
use crate::nesting;
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::state::record::{ContractRecord, ContractStatus, InForce};
use crate::state::{Key, Records, View};
use crate::text::Handle;

/// Places of a list of licences that weigh 1.
const PLACES_A_UNIT: u64 = 2;
/// Pairs of territories that weigh 1 when a licence is compared with one that excludes it.
const PAIRS_A_UNIT: u64 = 128;
/// Weight of looking whose an exclusive licence is.
const CONTRACT_WEIGHT: u64 = 4;

/// The licence that a contract gives its buyer at a block time: signed by all three, not ended and
/// within its term. `None` when there is none.
pub fn in_force(contract: &ContractRecord, now_ms: u64) -> Option<&Licence> {
    let signed = contract.buyer_signed && contract.exchange_signed;
    let open = match contract.status {
        ContractStatus::Open => true,
        ContractStatus::Declined | ContractStatus::Withdrawn | ContractStatus::Terminated => false,
    };
    (signed && open && now_ms <= contract.licence.not_after_ms).then_some(&contract.licence)
}

/// The licences of a product that are in force now; the more there are, the more it weighs.
fn others(act: &mut Act<'_>, asset: &AssetId) -> Result<Vec<InForce>, Refusal> {
    let mut list: Vec<InForce> = act.state.get(&Key::LicencesInForce(*asset))?.unwrap_or_default();
    act.weigh((places(&list) as u64).checked_div(PLACES_A_UNIT).unwrap_or(0))?;
    list.retain(|other| other.keeps_place(act.context.time_ms));
    Ok(list)
}

fn store(act: &mut Act<'_>, asset: &AssetId, list: &Vec<InForce>) -> Result<(), Fault> {
    let key = Key::LicencesInForce(*asset);
    if list.is_empty() { act.state.delete(&key) } else { act.state.put(&key, list) }
}

/// Those in force all have today in common, so purposes and territories decide.
fn overlap(licence: &Licence, other: &InForce) -> bool {
    nesting::meet(&licence.purposes, &other.purposes)
        && nesting::meet(&licence.territories, &other.territories)
}

fn check_among(act: &mut Act<'_>, licence: &Licence, others: &[InForce]) -> Result<(), Refusal> {
    let excludes = |other: &&InForce| licence.exclusive || other.exclusivity != Exclusivity::None;
    let territories = others.iter().filter(excludes).map(|other| other.territories.len());
    let pairs = territories.fold(0u64, |sum, many| sum.saturating_add(many as u64));
    let pairs = pairs.saturating_mul(licence.territories.len() as u64);
    act.weigh(pairs.checked_div(PAIRS_A_UNIT).unwrap_or(0))?;
    let conflict = others.iter().filter(excludes).find(|other| overlap(licence, other));
    match conflict {
        None => Ok(()),
        Some(other) => {
            let contract = act.state.contract(&ContractId::from_digest(other.id))?;
            let buyer = contract.map(|contract| contract.buyer.to_string()).unwrap_or_default();
            let text = format!("it overlaps the licence of {buyer} by contract {}", other.id);
            Err(Reject::new(Code::LicenceConflict, text).into())
        }
    }
}

/// Fails when a licence to a buyer cannot stand beside those in force.
pub(crate) fn check(
    act: &mut Act<'_>,
    asset: &AssetId,
    licence: &Licence,
    buyer: &Handle,
) -> Result<(), Refusal> {
    let others = others(act, asset)?;
    check_beside(act, asset, (licence, buyer), &others)
}

fn check_beside(
    act: &mut Act<'_>,
    asset: &AssetId,
    (licence, buyer): (&Licence, &Handle),
    others: &[InForce],
) -> Result<(), Refusal> {
    check_among(act, licence, others)?;
    if !licence.exclusive {
        return Ok(());
    }
    let own = entry(act, *act.event.digest(), licence);
    check_void(act, asset, &own, buyer)
}

/// Fails when an exclusive grant to operate a product would reserve what an exclusive licence of it
/// gives to another than the grantee.
pub(crate) fn check_reserved(
    act: &mut Act<'_>,
    asset: &AssetId,
    grant: &InForce,
    grantee: &Handle,
) -> Result<(), Refusal> {
    for other in others(act, asset)? {
        if other.exclusivity == Exclusivity::None || !conflict(grant, &other) {
            continue;
        }
        let id = ContractId::from_digest(other.id);
        act.weigh(CONTRACT_WEIGHT)?;
        let contract = act.state.contract(&id)?;
        let contract = contract.ok_or_else(|| Fault(format!("contract {id} is missing")))?;
        if !act.same(&contract.buyer, grantee)? {
            let buyer = &contract.buyer;
            let text = format!(
                "the exclusive licence of {buyer} by contract {id} and this grant exclude each other"
            );
            return Err(Reject::new(Code::ExclusiveConflict, text).into());
        }
    }
    Ok(())
}

/// The licence of a contract that all three have signed begins.
pub(crate) fn begin(
    act: &mut Act<'_>,
    id: &ContractId,
    contract: &ContractRecord,
) -> Result<(), Refusal> {
    let mut list = others(act, &contract.asset)?;
    check_beside(act, &contract.asset, (&contract.licence, &contract.buyer), &list)?;
    list.push(entry(act, *id.digest(), &contract.licence));
    if places(&list) > MAX_LICENCES {
        let text = format!("the licences of the product in force fill {MAX_LICENCES} places");
        return Err(Reject::new(Code::InForceFull, text).into());
    }
    Ok(store(act, &contract.asset, &list)?)
}

fn entry(act: &Act<'_>, id: Digest, licence: &Licence) -> InForce {
    InForce {
        id,
        version: 0,
        exclusivity: if licence.exclusive { Exclusivity::Exclusive } else { Exclusivity::None },
        purposes: licence.purposes.to_vec(),
        territories: licence.territories.to_vec(),
        not_before_ms: act.context.time_ms,
        not_after_ms: licence.not_after_ms,
        void_until_ms: None,
    }
}

/// The licence of a contract that a ruling has ended keeps its place until a block time, for it may
/// come back; or it is in force again.
pub(crate) fn keep(
    act: &mut Act<'_>,
    id: &ContractId,
    asset: &AssetId,
    void_until_ms: Option<u64>,
) -> Result<(), Refusal> {
    let mut list = others(act, asset)?;
    if let Some(own) = list.iter_mut().find(|entry| entry.id == *id.digest()) {
        own.void_until_ms = void_until_ms;
    }
    Ok(store(act, asset, &list)?)
}

/// The licence of a contract ends before its term.
pub(crate) fn end(act: &mut Act<'_>, id: &ContractId, asset: &AssetId) -> Result<(), Refusal> {
    let mut list = others(act, asset)?;
    list.retain(|other| other.id != *id.digest());
    Ok(store(act, asset, &list)?)
}
