//! The rules for assets: registration and derivation. Implements [LED-AST-1] to [LED-LIN-5].

use std::collections::BTreeSet;

use crate::envelope::asset_id;
use crate::event::asset::{Activity, Derivation, Metadata, RegisterAsset, Stage};
use crate::event::member::Role;
use crate::event::rights::{GrantRight, VoidAsset};
use crate::execute::Act;
use crate::floor;
use crate::grant::{self, Use};
use crate::hash::{AssetId, GrantId};
use crate::limits::MAX_WEIGHT_SUM;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::split::{Right, SplitError};
use crate::state::record::{AssetInputs, AssetRecord};
use crate::state::{Key, Records, Relation, View};

/// An asset that an event names; it waits for one that is not recorded.
pub(crate) fn named(act: &Act<'_>, id: &AssetId) -> Result<AssetRecord, Refusal> {
    Ok(act.state.asset(id)?.ok_or_else(|| {
        Reject::missing(
            Code::UnknownAsset,
            Missing::Asset(*id),
            format!("asset {id} is not recorded"),
        )
    })?)
}

/// As [`named`], refusing a void asset.
pub(crate) fn named_in_force(act: &Act<'_>, id: &AssetId) -> Result<AssetRecord, Refusal> {
    let asset = named(act, id)?;
    if asset.void {
        return Err(Reject::new(
            Code::VoidAsset,
            format!("asset {}/{} is void", asset.author, asset.name),
        )
        .into());
    }
    Ok(asset)
}

/// `register_asset`.
pub(crate) fn register(act: &mut Act<'_>, e: &RegisterAsset) -> Result<(), Refusal> {
    let id = asset_id(&act.context.chain_id, act.author, &e.name);
    if act.state.value(&Key::Asset(id))?.is_some() {
        return Err(Reject::new(
            Code::NameTaken,
            format!("{}/{} is registered already", act.author, e.name),
        )
        .into());
    }
    check_split(e)?;
    check_stage(e)?;
    check_ranges(&e.metadata, e.derivation.as_ref().map(|d| &d.activity))?;
    let (first_version, version) = revised(act, e, id)?;
    let mut late = false;
    if let Some(derivation) = &e.derivation {
        late = derive(act, e, derivation, id)?;
    }
    let record = AssetRecord {
        author: act.author.clone(),
        name: e.name.clone(),
        stage: e.stage,
        content: e.content.clone(),
        metadata: e.metadata.clone(),
        activity: e.derivation.as_ref().map(|d| d.activity.clone()),
        first_version,
        version,
        late,
        void: false,
        event: act.event,
        seq: act.seq,
        height: act.context.height,
        time_ms: act.context.time_ms,
    };
    act.state.put(&Key::Asset(id), &record)?;
    let inputs = e.derivation.as_ref().map(|d| d.inputs.to_vec()).unwrap_or_default();
    act.state.put(&Key::Inputs(id), &AssetInputs { split: e.split, inputs })?;
    act.append(Relation::MemberAssets(act.author.clone()), id.digest())?;
    act.effects.created.push(Missing::Asset(id));
    Ok(())
}

fn check_split(e: &RegisterAsset) -> Result<(), Reject> {
    let has_inputs = e.derivation.as_ref().is_some_and(|d| !d.inputs.is_empty());
    e.split.check(has_inputs).map_err(|error| {
        let code = match &error {
            SplitError::Sum(_) => Code::SplitSum,
            SplitError::UpstreamWithoutInputs => Code::UpstreamWithoutInputs,
            SplitError::InputsWithoutUpstream => Code::InputsWithoutUpstream,
        };
        Reject::new(code, error.to_string())
    })
}

fn check_stage(e: &RegisterAsset) -> Result<(), Reject> {
    let derived = e.derivation.as_ref().is_some_and(|d| !d.inputs.is_empty());
    let fits = match e.stage {
        Stage::Raw => e.derivation.is_none(),
        Stage::Processed | Stage::Product => derived,
    };
    if fits {
        return Ok(());
    }
    let has = if e.derivation.is_some() { "has" } else { "has no" };
    Err(Reject::new(
        Code::StageMismatch,
        format!("stage {:?}, but the registration {has} derivation", e.stage),
    ))
}

fn check_ranges(m: &Metadata, activity: Option<&Activity>) -> Result<(), Reject> {
    let reject = |what: String| Err(Reject::new(Code::OutOfRange, what));
    if !(1..=5).contains(&m.sensitivity) {
        return reject(format!("sensitivity {} is not within 1 to 5", m.sensitivity));
    }
    if let Some(score) = m.quality.scores().iter().find(|s| **s > 100) {
        return reject(format!("quality score {score} is above 100"));
    }
    if m.period_from_ms > m.period_to_ms {
        return reject("the period covered ends before it begins".into());
    }
    if activity.is_some_and(|a| a.claimed_from_ms > a.claimed_to_ms) {
        return reject("the claimed time of the activity ends before it begins".into());
    }
    Ok(())
}

/// The line of versions the asset belongs to and its number in it. Implements [LED-AST-5].
fn revised(act: &mut Act<'_>, e: &RegisterAsset, id: AssetId) -> Result<(AssetId, u32), Refusal> {
    let Some(previous) = &e.revises else { return Ok((id, 1)) };
    let asset = named_in_force(act, previous)?;
    if asset.author != *act.author {
        return Err(Reject::new(
            Code::NotAuthor,
            format!("{}/{} was registered by another member", asset.author, asset.name),
        )
        .into());
    }
    let key = Key::Revision(*previous);
    if act.state.value(&key)?.is_some() {
        return Err(Reject::new(
            Code::AlreadyRevised,
            format!("{}/{} has a newer version", asset.author, asset.name),
        )
        .into());
    }
    act.state.put(&key, &id)?;
    Ok((asset.first_version, asset.version.saturating_add(1)))
}

/// Checks a derivation, counts the grants it uses and records floors and edges. Tells whether it
/// was filed late. Implements [LED-LIN-1] to [LED-LIN-5].
fn derive(
    act: &mut Act<'_>,
    e: &RegisterAsset,
    derivation: &Derivation,
    id: AssetId,
) -> Result<bool, Refusal> {
    check_inputs(derivation, &id)?;
    let activity = &derivation.activity;
    check_purposes(activity)?;
    let mut late = false;
    let mut floors = floor::Tracker::new();
    let mut used: BTreeSet<GrantId> = BTreeSet::new();
    for input in &derivation.inputs {
        let asset = named(act, &input.asset)?;
        let shown = format!("{}/{}", asset.author, asset.name);
        if asset.void {
            return Err(Reject::new(Code::VoidInput, format!("input {shown} is void")).into());
        }
        if let Some(allowed) = asset.purposes()
            && let Some(p) = activity.purposes.iter().find(|p| !allowed.contains(p))
        {
            let text = format!("purpose {p:?} is not among those of input {shown}");
            return Err(Reject::new(Code::PurposeNotInherited, text).into());
        }
        let mut floor_bp = 0;
        match &input.grant {
            Some(grant) => {
                let wanted = Use {
                    by: act.author,
                    asset: &input.asset,
                    record: &asset,
                    right: GrantRight::Processing,
                    activity: Some(activity),
                };
                let (record, filed_late) = grant::allows(act, grant, &wanted)?;
                used.insert(*grant);
                late |= filed_late;
                floor_bp = record.terms.floor_bp;
            }
            None => {
                let right = act.state.right(&input.asset, &asset, Right::Processing)?;
                if right.manager != *act.author {
                    let text = format!("{} holds no processing right over {shown}", act.author);
                    return Err(Reject::new(Code::GrantRequired, text).into());
                }
            }
        }
        let inherited = act.state.floors(&input.asset)?;
        floors.add(input.asset, input.weight, floor_bp, inherited)?;
        act.append(Relation::AssetDerivations(input.asset), id.digest())?;
    }
    for grant in &used {
        grant::count_derivation(act, grant)?;
    }
    let tracked = floors.settle(e.split.upstream_bp)?;
    if !tracked.is_empty() {
        act.state.put(&Key::Floors(id), &tracked)?;
    }
    Ok(late)
}

fn check_inputs(derivation: &Derivation, id: &AssetId) -> Result<(), Reject> {
    let mut seen = BTreeSet::new();
    let mut sum = 0u64;
    for input in &derivation.inputs {
        if input.asset == *id {
            return Err(Reject::new(Code::OwnOutputInput, "the asset is among its own inputs"));
        }
        if !seen.insert(input.asset) {
            let text = format!("input {} is named twice", input.asset);
            return Err(Reject::new(Code::RepeatedInput, text));
        }
        if input.weight == 0 {
            return Err(Reject::new(Code::WeightZero, format!("input {} weighs 0", input.asset)));
        }
        sum = sum.saturating_add(input.weight);
    }
    if sum > MAX_WEIGHT_SUM {
        let text = format!("the weights add up to {sum}, at most {MAX_WEIGHT_SUM}");
        return Err(Reject::new(Code::WeightsOverLimit, text));
    }
    Ok(())
}

fn check_purposes(activity: &Activity) -> Result<(), Reject> {
    let distinct: BTreeSet<_> = activity.purposes.iter().collect();
    if distinct.is_empty() || distinct.len() != activity.purposes.len() {
        return Err(Reject::new(Code::PurposesEmpty, "the activity names no purpose or one twice"));
    }
    Ok(())
}

/// `void_asset`. Implements [LED-AST-6].
pub(crate) fn void(act: &mut Act<'_>, e: &VoidAsset) -> Result<(), Refusal> {
    act.require_role(Role::Regulator)?;
    let mut asset = named_in_force(act, &e.asset)?;
    asset.void = true;
    Ok::<(), Fault>(act.state.put(&Key::Asset(e.asset), &asset)?).map_err(Refusal::from)
}
