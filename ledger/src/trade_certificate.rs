//! The rules for transaction certificates: numbered by exchange, one in force a contract.
//! Implements [LED-CRT-1] and [LED-CRT-2].

use crate::contract::{self, require_open, require_signed};
use crate::event::market::{IssueCertificate, VoidCertificate};
use crate::event::member::Role;
use crate::execute::Act;
use crate::hash::{CertificateId, ContractId};
use crate::payment;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::state::record::{ContractRecord, TradeCertificateRecord};
use crate::state::{Key, Relation, View};
use crate::words::money;

/// `issue_certificate`.
pub(crate) fn issue(act: &mut Act<'_>, e: &IssueCertificate) -> Result<(), Refusal> {
    let contract = contract::named(act, &e.contract)?;
    if !act.is(&contract.exchange)? {
        let text = format!("{} clears the contract", contract.exchange);
        return Err(Reject::new(Code::NotClearingExchange, text).into());
    }
    require_open(&contract)?;
    if let Some(missing) = outstanding(act, &e.contract, &contract)? {
        return Err(Reject::new(Code::CertificateNotDue, missing).into());
    }
    let certified = Key::CertifiedBy(e.contract);
    if act.state.value(&certified)?.is_some() {
        return Err(Reject::new(Code::AlreadyCertified, "the contract is certified").into());
    }
    contract::require_three(act, [&contract.seller, &contract.buyer, &contract.exchange])?;
    let last: Option<u64> = act.state.get(&Key::CertificateNumber(act.author.clone()))?;
    let number = last.unwrap_or(0).saturating_add(1);
    let id = CertificateId::from_digest(*act.event.digest());
    let record = TradeCertificateRecord {
        contract: e.contract,
        exchange: act.author.clone(),
        number,
        void: false,
        height: act.context.height,
        time_ms: act.context.time_ms,
    };
    act.state.put(&Key::CertificateNumber(act.author.clone()), &number)?;
    act.state.put(&Key::Certificate(id), &record)?;
    act.state.put(&certified, &id)?;
    contract::certified(act, &e.contract, contract)?;
    act.append(Relation::ExchangeCertificates(act.author.clone()), id.digest())?;
    act.effects.created.push(Missing::Certificate(id));
    Ok(())
}

/// What a contract lacks to be certified.
fn outstanding(
    act: &mut Act<'_>,
    id: &ContractId,
    contract: &ContractRecord,
) -> Result<Option<String>, Refusal> {
    let price = money(contract.price, &contract.currency);
    Ok(Some(if require_signed(contract).is_err() {
        "not all three parties have signed".into()
    } else if contract.paid != contract.price {
        format!("{} of {price} are paid", money(contract.paid, &contract.currency))
    } else if contract.refunded > 0 {
        format!("{} of {price} were given back", money(contract.refunded, &contract.currency))
    } else if !contract.confirmed {
        "the delivery is not confirmed".into()
    } else if payment::refund_ordered(act, id)? {
        "a ruling has ordered that something is given back".into()
    } else {
        return Ok(None);
    }))
}

/// `void_certificate`.
pub(crate) fn void(act: &mut Act<'_>, e: &VoidCertificate) -> Result<(), Refusal> {
    let key = Key::Certificate(e.certificate);
    let mut record: TradeCertificateRecord = act.state.get(&key)?.ok_or_else(|| {
        let text = format!("certificate {} is not recorded", e.certificate);
        Reject::missing(Code::UnknownCertificate, Missing::Certificate(e.certificate), text)
    })?;
    if !act.is(&record.exchange)? && !act.member.has_role(Role::Regulator) {
        let text = format!("{} issued the certificate", record.exchange);
        return Err(Reject::new(Code::NotClearingExchange, text).into());
    }
    if record.void {
        return Err(Reject::new(Code::CertificateVoid, "the certificate is void").into());
    }
    record.void = true;
    act.state.put(&key, &record)?;
    Ok(act.state.delete(&Key::CertifiedBy(record.contract))?)
}

/// Fails while a certificate is in force that says that a contract is wholly paid.
pub(crate) fn require_none(act: &Act<'_>, contract: &ContractId) -> Result<(), Refusal> {
    if act.state.value(&Key::CertifiedBy(*contract))?.is_none() {
        return Ok(());
    }
    let text = "the trade is certified as wholly paid";
    Err(Reject::new(Code::AlreadyCertified, text).into())
}

/// The certificate of a contract that a ruling ends is void, if there is one.
pub(crate) fn lapse(act: &mut Act<'_>, contract: &ContractId) -> Result<(), Refusal> {
    let certified = Key::CertifiedBy(*contract);
    let Some(id) = act.state.get::<CertificateId>(&certified)? else { return Ok(()) };
    let key = Key::Certificate(id);
    let record: Option<TradeCertificateRecord> = act.state.get(&key)?;
    let record = record.ok_or_else(|| Fault(format!("certificate {id} is missing")))?;
    act.state.put(&key, &TradeCertificateRecord { void: true, ..record })?;
    Ok(act.state.delete(&certified)?)
}
