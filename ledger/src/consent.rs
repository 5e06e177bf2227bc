//! The rules for patients' consent and de-identification. Implements [LED-CNS-1] and [LED-CNS-2].

use crate::approval::owners;
use crate::asset::{named, named_uncontested};
use crate::event::member::Role;
use crate::event::{AttestDeidentification, WithdrawConsent};
use crate::execute::Act;
use crate::hash::AssetId;
use crate::reject::{Code, Refusal, Reject};
use crate::review::require_independent_of;
use crate::split::Right;
use crate::state::record::{AssetRecord, AttestationRecord, WithdrawalRecord};
use crate::state::{Key, Relation, View};
use crate::words::word;
use crate::{version, watch};

/// Fails when consent was withdrawn from exactly this version: nothing new is derived from it.
pub(crate) fn check_not_withdrawn<V: View>(
    view: &V,
    id: &AssetId,
    asset: &AssetRecord,
) -> Result<(), Refusal> {
    if !asset.consent_based || view.value(&Key::Withdrawal(*id))?.is_none() {
        return Ok(());
    }
    let text = format!("patients have withdrawn consent from {}/{}", asset.author, asset.name);
    Err(Reject::new(Code::ConsentWithdrawn, text).into())
}

/// `withdraw_consent`. A void asset too: what was made from it before stands, and watches it.
pub(crate) fn withdraw(act: &mut Act<'_>, e: &WithdrawConsent) -> Result<(), Refusal> {
    let asset = named(act, &e.asset)?;
    if !asset.consent_based {
        let text = format!("{}/{} does not rest on patients' consent", asset.author, asset.name);
        return Err(Reject::new(Code::NotConsentBased, text).into());
    }
    require_voice(act, &e.asset, &asset)?;
    if e.patients == 0 {
        return Err(Reject::new(Code::OutOfRange, "no patient withdraws consent").into());
    }
    let key = Key::Withdrawal(e.asset);
    if act.state.value(&key)?.is_some() {
        let text = format!("consent was withdrawn from {}/{} already", asset.author, asset.name);
        return Err(Reject::new(Code::AlreadyWithdrawn, text).into());
    }
    let record = WithdrawalRecord {
        patients: e.patients,
        commitment: e.commitment,
        deadline_ms: act.context.time_ms.saturating_add(act.rulebook.replacement_ms),
        last: version::last(act.state, &asset)?,
        height: act.context.height,
    };
    act.state.put(&key, &record)?;
    found(act, e.asset)
}

/// Fails unless the author may say that patients withdrew their consent: who registered the asset,
/// owns a part of its holding right, or is a regulator. It is their act, not one of the owners.
fn require_voice(act: &mut Act<'_>, id: &AssetId, asset: &AssetRecord) -> Result<(), Refusal> {
    if act.is(&asset.author)? || act.member.has_role(Role::Regulator) {
        return Ok(());
    }
    for owner in owners(act, id, asset, Right::Holding)? {
        if act.is(&owner.member)? {
            return Ok(());
        }
    }
    let text = format!(
        "{} neither registered {}/{} nor owns its holding right, and is no regulator",
        act.author, asset.author, asset.name
    );
    Err(Reject::new(Code::NotConcerned, text).into())
}

/// `attest_deidentification`.
pub(crate) fn attest(act: &mut Act<'_>, e: &AttestDeidentification) -> Result<(), Refusal> {
    let may = [Role::Appraiser, Role::Auditor, Role::Regulator];
    if !may.iter().any(|role| act.member.has_role(*role)) {
        let text = format!("{} is neither appraiser, auditor nor regulator", act.author);
        return Err(Reject::new(Code::RoleRequired, text).into());
    }
    let asset = named_uncontested(act, &e.asset)?;
    if act.related(act.author, &asset.author)? {
        let text = format!("{} belongs with {}, who made the asset", act.author, asset.author);
        return Err(Reject::new(Code::NotIndependent, text).into());
    }
    require_independent_of(act, act.author, (&e.asset, &asset))?;
    if watch::attested(act.state, &e.asset)? {
        let text = format!("{}/{} is attested already", asset.author, asset.name);
        return Err(Reject::new(Code::AlreadyAttested, text).into());
    }
    let declared = asset.metadata.deidentification;
    if !watch::is_anonymous(declared) {
        let is = word(&declared);
        let text = format!("{}/{} declares the de-identification {is}", asset.author, asset.name);
        return Err(Reject::new(Code::NotAnonymised, text).into());
    }
    let record = AttestationRecord {
        by: act.author.clone(),
        signed: act.signed(),
        report: e.report,
        height: act.context.height,
    };
    act.state.put(&Key::Attestation(e.asset), &record)?;
    found(act, e.asset)
}

/// The event is a finding about the asset.
fn found(act: &mut Act<'_>, asset: AssetId) -> Result<(), Refusal> {
    let event = *act.event.digest();
    Ok(act.append(Relation::AssetFindings(asset), &event)?)
}
