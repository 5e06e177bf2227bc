//! The rules for use in secure environments: asked for, decided, and logged job by job.
//! Implements [LED-ACC-1] to [LED-ACC-3].

use crate::asset::{check_inherited, named as named_asset, named_in_force, usable};
use crate::event::access::{DecideAccess, RecordUsage, RequestAccess};
use crate::event::asset::Purpose;
use crate::event::market::Decision;
use crate::event::rights::GrantRight;
use crate::execute::Act;
use crate::grant::{Intent, not_reserved};
use crate::hash::{AccessId, AssetId};
use crate::limits::MAX_ACCESS_MS;
use crate::member::has_repeats;
use crate::reject::{Code, Missing, Refusal, Reject};
use crate::request::put_before_deciders;
use crate::rights::{alone, disposes, managed};
use crate::split::Right;
use crate::state::record::{AccessRecord, AccessStatus, AssetRecord, UsageRecord};
use crate::state::{Key, Relation, View};
use crate::text::Handle;
use crate::words::{moment, word};

/// `request_access`.
pub(crate) fn request(act: &mut Act<'_>, e: &RequestAccess) -> Result<(), Refusal> {
    let asset = named_in_force(act, &e.asset)?;
    usable(act, &e.asset, &asset)?;
    check_purposes(&asset, e)?;
    check_not_reserved(act, act.author, (&e.asset, &asset), &e.purposes)?;
    act.named_member(&e.environment)?;
    check_apart(act, act.author, &e.environment)?;
    let now = act.context.time_ms;
    let latest = now.saturating_add(MAX_ACCESS_MS);
    if !(now..=latest).contains(&e.not_after_ms) {
        let (end, latest) = (moment(e.not_after_ms), moment(latest));
        let text =
            format!("the access would end at {end}, now is {}, at most {latest}", moment(now));
        return Err(Reject::new(Code::TermOutOfRange, text).into());
    }
    let id = AccessId::from_digest(*act.event.digest());
    let record = AccessRecord {
        asset: e.asset,
        by: act.author.clone(),
        purposes: e.purposes.to_vec(),
        environment: e.environment.clone(),
        not_after_ms: e.not_after_ms,
        status: AccessStatus::Requested,
        jobs: 0,
        rows: 0,
        height: act.context.height,
    };
    act.state.put(&Key::Access(id), &record)?;
    log(act, &e.asset)?;
    put_before_deciders(act, &e.asset, &asset, Right::Processing)?;
    act.effects.created.push(Missing::Access(id));
    Ok(())
}

/// Fails when who uses data would log it.
fn check_apart(act: &Act<'_>, by: &Handle, environment: &Handle) -> Result<(), Refusal> {
    if act.same(by, environment)? {
        let text = format!("{by} would log its own use");
        return Err(Reject::new(Code::NotIndependent, text).into());
    }
    Ok(())
}

fn check_purposes(asset: &AssetRecord, e: &RequestAccess) -> Result<(), Reject> {
    if e.purposes.is_empty() || has_repeats(&e.purposes) {
        return Err(Reject::new(Code::PurposesEmpty, "the access names no purpose or one twice"));
    }
    check_inherited(asset, &e.purposes, &[])
}

/// Fails when a processing grant gives the use to somebody else alone. Access is leave to use, as a
/// grant is, but for who acts for the right; who may derive may look. Implements [LED-GRT-7].
fn check_not_reserved(
    act: &mut Act<'_>,
    by: &Handle,
    asset: (&AssetId, &AssetRecord),
    purposes: &[Purpose],
) -> Result<(), Refusal> {
    let by_leave = !alone(act, by, asset, Right::Processing)?;
    let used = Intent { purposes: Some(purposes), territory: None, by_leave };
    not_reserved(act, by, asset, GrantRight::Processing, &used)
}

/// An access that an event names.
pub(crate) fn named(act: &Act<'_>, id: &AccessId) -> Result<AccessRecord, Refusal> {
    Ok(act.state.get(&Key::Access(*id))?.ok_or_else(|| {
        let text = format!("access {id} is not recorded");
        Reject::missing(Code::UnknownAccess, Missing::Access(*id), text)
    })?)
}

/// `decide_access`: a request is answered, and what was granted ended.
pub(crate) fn decide(act: &mut Act<'_>, e: &DecideAccess) -> Result<(), Refusal> {
    let mut access = named(act, &e.access)?;
    let asset = named_asset(act, &access.asset)?;
    match e.decision {
        Decision::Reject if access.status == AccessStatus::Requested => {
            managed(act, &access.asset, &asset, Right::Processing)?
        }
        Decision::Accept | Decision::Reject => {
            disposes(act, &access.asset, &asset, Right::Processing)?
        }
    };
    access.status = match (access.status, e.decision) {
        (AccessStatus::Requested, Decision::Accept)
            if act.context.time_ms > access.not_after_ms =>
        {
            let text = format!("it was asked for until {}", moment(access.not_after_ms));
            return Err(Reject::new(Code::AccessClosed, text).into());
        }
        (AccessStatus::Requested, Decision::Accept) => {
            usable(act, &access.asset, &asset)?;
            act.require_not_suspended(&access.by)?;
            check_apart(act, &access.by, &access.environment)?;
            check_not_reserved(act, &access.by, (&access.asset, &asset), &access.purposes)?;
            AccessStatus::Granted
        }
        (AccessStatus::Requested, Decision::Reject) => AccessStatus::Refused,
        (AccessStatus::Granted, Decision::Reject) if act.context.time_ms <= access.not_after_ms => {
            AccessStatus::Ended
        }
        (AccessStatus::Granted, _) | (AccessStatus::Refused | AccessStatus::Ended, _) => {
            let text = format!("the access is {} already", word(&access.status));
            return Err(Reject::new(Code::AccessClosed, text).into());
        }
    };
    act.state.put(&Key::Access(e.access), &access)?;
    log(act, &access.asset)
}

/// `record_usage`: a job runs while the access is in force and the asset may still be used so.
pub(crate) fn record_usage(act: &mut Act<'_>, e: &RecordUsage) -> Result<(), Refusal> {
    let mut access = named(act, &e.access)?;
    if !act.is(&access.environment)? {
        let text = format!("{} logs this access", access.environment);
        return Err(Reject::new(Code::NotEnvironment, text).into());
    }
    let granted = access.status == AccessStatus::Granted;
    if !granted || act.context.time_ms > access.not_after_ms {
        let text = format!(
            "the access is {}, until {}",
            word(&access.status),
            moment(access.not_after_ms)
        );
        return Err(Reject::new(Code::AccessNotInForce, text).into());
    }
    let user = act.acting(&access.by)?;
    if act.named_member(&user)?.suspended {
        return Err(Reject::new(Code::AccessNotInForce, format!("{user} is suspended")).into());
    }
    let asset = named_in_force(act, &access.asset)?;
    usable(act, &access.asset, &asset)?;
    let job = Key::Usage(e.access, e.job);
    if act.state.value(&job)?.is_some() {
        return Err(Reject::new(Code::JobRepeated, format!("job {} is logged", e.job)).into());
    }
    act.state.put(&job, &act.event)?;
    let record = UsageRecord { access: e.access, job: e.job, rows: e.rows, output: e.output };
    act.state.put(&Key::UsageEntry(act.event), &record)?;
    if let Some(output) = e.output {
        let first = Key::UsageOutput(output);
        if act.state.value(&first)?.is_none() {
            act.state.put(&first, &e.access)?;
        }
    }
    access.jobs = access.jobs.saturating_add(1);
    access.rows = access.rows.saturating_add(e.rows);
    act.state.put(&Key::Access(e.access), &access)?;
    log(act, &access.asset)
}

/// An event joins those about the use of the asset.
fn log(act: &mut Act<'_>, asset: &AssetId) -> Result<(), Refusal> {
    let id = *act.event.digest();
    Ok(act.append(Relation::AssetUsage(*asset), &id)?)
}
