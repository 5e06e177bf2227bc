//! The rules for the register of rights: filing, public notice, decision, and what follows.
//! Implements [LED-REG-1] to [LED-REG-5].

use crate::asset::{check_ranges, named as named_asset, named_in_force, uncontested};
use crate::event::asset::{
    CancelRegistration, ChangeKind, ChangeRegistration, DecideRegistration, FileRegistration,
    ObjectRegistration, RenewRegistration,
};
use crate::event::market::Decision;
use crate::execute::Act;
use crate::hash::{AssetId, RegistrationId};
use crate::limits::MAX_OBJECTIONS;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::review::{require_independent, require_independent_of};
use crate::rights::{disposes, managed};
use crate::split::Right;
use crate::state::record::{AssetRecord, RegistrationRecord, RegistrationStatus};
use crate::state::{Key, Relation, View};
use crate::text::Handle;
use crate::words::{moment, span, word};

/// Weight of looking at one objection made before.
const OBJECTION_WEIGHT: u64 = 2;

/// Where a registration stands at a block time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Notice,
    InForce,
    Over,
}

/// That of a registration whose asset is not void; a registration is in force no longer than that.
fn standing(record: &RegistrationRecord, now_ms: u64) -> Standing {
    match record.status {
        RegistrationStatus::Notice => Standing::Notice,
        RegistrationStatus::Registered if now_ms <= record.not_after_ms => Standing::InForce,
        RegistrationStatus::Registered
        | RegistrationStatus::Rejected
        | RegistrationStatus::Cancelled => Standing::Over,
    }
}

fn closed(record: &RegistrationRecord) -> Refusal {
    let text = match record.status {
        RegistrationStatus::Registered => "the registration has expired or is decided".to_owned(),
        RegistrationStatus::Notice
        | RegistrationStatus::Rejected
        | RegistrationStatus::Cancelled => format!("the registration is {}", word(&record.status)),
    };
    Reject::new(Code::RegistrationClosed, text).into()
}

fn named(act: &Act<'_>, id: &RegistrationId) -> Result<RegistrationRecord, Refusal> {
    Ok(act.state.get(&Key::Registration(*id))?.ok_or_else(|| {
        let text = format!("registration {id} is not recorded");
        Reject::missing(Code::UnknownRegistration, Missing::Registration(*id), text)
    })?)
}

fn is_registry(act: &Act<'_>, record: &RegistrationRecord) -> Result<(), Refusal> {
    if act.is(&record.registry)? {
        return Ok(());
    }
    let text = format!("{} keeps this registration", record.registry);
    Err(Reject::new(Code::NotRegistry, text).into())
}

/// Fails unless a registration is in force, as far as it is up to the registration.
fn in_force(act: &Act<'_>, record: &RegistrationRecord) -> Result<(), Refusal> {
    match standing(record, act.context.time_ms) {
        Standing::InForce => Ok(()),
        Standing::Notice => {
            let text = "the registration is not decided";
            Err(Reject::new(Code::RegistrationNotInForce, text).into())
        }
        Standing::Over => Err(closed(record)),
    }
}

fn check_term(act: &Act<'_>, term_ms: u64) -> Result<(), Refusal> {
    let longest = act.rulebook.registration_term_ms;
    if (1..=longest).contains(&term_ms) {
        return Ok(());
    }
    let text = format!("a term of {}, at most {}", span(term_ms), span(longest));
    Err(Reject::new(Code::TermOutOfRange, text).into())
}

/// Fails when a registry is, or is related to, who made an asset or an owner of a right over it.
fn check_registry(
    act: &mut Act<'_>,
    registry: &Handle,
    (id, asset): (&AssetId, &AssetRecord),
) -> Result<(), Refusal> {
    if act.related(registry, &asset.author)? {
        let text = format!("{registry} is not independent of {}", asset.author);
        return Err(Reject::new(Code::NotIndependent, text).into());
    }
    require_independent_of(act, registry, (id, asset))
}

/// Stores a registration after an event about it.
fn store(
    act: &mut Act<'_>,
    id: &RegistrationId,
    record: &RegistrationRecord,
) -> Result<(), Refusal> {
    act.state.put(&Key::Registration(*id), record)?;
    let event = *act.event.digest();
    Ok(act.append(Relation::AssetRegistrations(record.asset), &event)?)
}

/// The asset may be filed for again.
fn leave(act: &mut Act<'_>, id: &RegistrationId, asset: &AssetId) -> Result<(), Fault> {
    let place = Key::RegisteredAs(*asset);
    if act.state.get::<RegistrationId>(&place)? == Some(*id) {
        act.state.delete(&place)?;
    }
    Ok(())
}

/// `file_registration`.
pub(crate) fn file(act: &mut Act<'_>, e: &FileRegistration) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    managed(act, &e.asset, &asset, Right::Holding)?;
    act.require_exchange(&e.registry)?;
    require_independent(act, &e.registry)?;
    check_registry(act, &e.registry, (&e.asset, &asset))?;
    check_term(act, e.term_ms)?;
    let place = Key::RegisteredAs(e.asset);
    if let Some(id) = act.state.get::<RegistrationId>(&place)?
        && standing(&named(act, &id)?, act.context.time_ms) != Standing::Over
    {
        let text = format!(
            "registration {id} of {}/{} is in notice or in force",
            asset.author, asset.name
        );
        return Err(Reject::new(Code::AlreadyRegistered, text).into());
    }
    let id = RegistrationId::from_digest(*act.event.digest());
    let record = RegistrationRecord {
        asset: e.asset,
        registry: e.registry.clone(),
        applicant: act.author.clone(),
        status: RegistrationStatus::Notice,
        notice_until_ms: act.context.time_ms.saturating_add(act.rulebook.notice_ms),
        term_ms: e.term_ms,
        not_after_ms: 0,
        objections: Vec::new(),
        metadata: asset.metadata,
        changes: 0,
        height: act.context.height,
    };
    act.state.put(&place, &id)?;
    store(act, &id, &record)?;
    act.wait_for(&e.registry)?;
    act.effects.created.push(Missing::Registration(id));
    Ok(())
}

/// `object_registration`.
pub(crate) fn object(act: &mut Act<'_>, e: &ObjectRegistration) -> Result<(), Refusal> {
    let mut record = named(act, &e.registration)?;
    if act.is(&record.applicant)? {
        let text = format!("{} filed the registration", record.applicant);
        return Err(Reject::new(Code::NotConcerned, text).into());
    }
    match record.status {
        RegistrationStatus::Notice if act.context.time_ms <= record.notice_until_ms => {}
        RegistrationStatus::Notice | RegistrationStatus::Registered => {
            let text = format!("the public notice was until {}", moment(record.notice_until_ms));
            return Err(Reject::new(Code::NoticeOver, text).into());
        }
        RegistrationStatus::Rejected | RegistrationStatus::Cancelled => {
            return Err(closed(&record));
        }
    }
    act.weigh((record.objections.len() as u64).saturating_mul(OBJECTION_WEIGHT))?;
    for member in &record.objections {
        if act.is(member)? {
            let text = format!("{member} has objected");
            return Err(Reject::new(Code::AlreadyObjected, text).into());
        }
    }
    if record.objections.len() >= MAX_OBJECTIONS {
        let text = format!("{MAX_OBJECTIONS} members have objected");
        return Err(Reject::new(Code::OverLimit, text).into());
    }
    record.objections.push(act.author.clone());
    store(act, &e.registration, &record)?;
    act.wait_for(&record.registry)?;
    Ok(act.wait_for(&record.applicant)?)
}

/// `decide_registration`.
pub(crate) fn decide(act: &mut Act<'_>, e: &DecideRegistration) -> Result<(), Refusal> {
    let mut record = named(act, &e.registration)?;
    is_registry(act, &record)?;
    if record.status != RegistrationStatus::Notice {
        return Err(closed(&record));
    }
    if act.context.time_ms <= record.notice_until_ms {
        let text = format!("the public notice is until {}", moment(record.notice_until_ms));
        return Err(Reject::new(Code::NoticeNotOver, text).into());
    }
    match e.decision {
        Decision::Accept => {
            let asset = named_in_force(act, &record.asset)?;
            act.require_exchange(&record.registry)?;
            act.require_not_suspended(&record.applicant)?;
            check_registry(act, act.author, (&record.asset, &asset))?;
            uncontested(act, &asset)?;
            record.status = RegistrationStatus::Registered;
            record.not_after_ms = act.context.time_ms.saturating_add(record.term_ms);
        }
        Decision::Reject => {
            record.status = RegistrationStatus::Rejected;
            leave(act, &e.registration, &record.asset)?;
        }
    }
    store(act, &e.registration, &record)
}

/// `change_registration`: the holding right amends, whoever owns it now; the registry corrects.
pub(crate) fn change(act: &mut Act<'_>, e: &ChangeRegistration) -> Result<(), Refusal> {
    let mut record = named(act, &e.registration)?;
    let asset = named_in_force(act, &record.asset)?;
    match e.kind {
        ChangeKind::Amendment => {
            managed(act, &record.asset, &asset, Right::Holding)?;
        }
        ChangeKind::Correction => is_registry(act, &record)?,
    }
    in_force(act, &record)?;
    check_ranges(&e.metadata, None)?;
    record.metadata = e.metadata.clone();
    record.changes = record.changes.saturating_add(1);
    store(act, &e.registration, &record)
}

/// `renew_registration`.
pub(crate) fn renew(act: &mut Act<'_>, e: &RenewRegistration) -> Result<(), Refusal> {
    let mut record = named(act, &e.registration)?;
    is_registry(act, &record)?;
    let asset = named_in_force(act, &record.asset)?;
    in_force(act, &record)?;
    act.require_exchange(&record.registry)?;
    check_registry(act, act.author, (&record.asset, &asset))?;
    uncontested(act, &asset)?;
    check_term(act, e.term_ms)?;
    let end = record.not_after_ms.saturating_add(e.term_ms);
    let longest = act.rulebook.registration_term_ms.saturating_mul(2);
    let latest = act.context.time_ms.saturating_add(longest);
    if end > latest {
        let text = format!("it would end at {}, at the latest at {}", moment(end), moment(latest));
        return Err(Reject::new(Code::TermOutOfRange, text).into());
    }
    record.not_after_ms = end;
    store(act, &e.registration, &record)
}

/// `cancel_registration`.
pub(crate) fn cancel(act: &mut Act<'_>, e: &CancelRegistration) -> Result<(), Refusal> {
    let mut record = named(act, &e.registration)?;
    let asset = named_asset(act, &record.asset)?;
    if !act.is(&record.registry)? {
        disposes(act, &record.asset, &asset, Right::Holding)?;
    }
    if standing(&record, act.context.time_ms) == Standing::Over {
        return Err(closed(&record));
    }
    record.status = RegistrationStatus::Cancelled;
    leave(act, &e.registration, &record.asset)?;
    store(act, &e.registration, &record)
}
