//! The rules for assets: registration, contests and derivation. Implements [LED-AST-1] to
//! [LED-AST-7] and [LED-LIN-1] to [LED-LIN-5].

use std::collections::{BTreeMap, BTreeSet};

use crate::envelope::asset_id;
use crate::event::asset::{Activity, Derivation, Input, Metadata, Purpose, RegisterAsset, Stage};
use crate::event::rights::{GrantRight, VoidAsset};
use crate::execute::{Act, acting};
use crate::grant::{self, Use};
use crate::hash::{AccessId, AssetId, Digest, GrantId};
use crate::limits::{CLAIM_TOLERANCE_MS, MAX_CLAIMS, MAX_WEIGHT_SUM};
use crate::member::has_repeats;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::split::{Right, SplitError};
use crate::state::record::{AssetInputs, AssetRecord, GrantRecord};
use crate::state::{Key, Records, Relation, View};
use crate::text::{self, Handle};
use crate::words::{moment, word};
use crate::{access, consent, floor, member, nesting, succession, version, watch};

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
    check_not_void(&asset)?;
    Ok(asset)
}

/// As [`named_in_force`], refusing a contested asset too.
pub(crate) fn named_uncontested(act: &mut Act<'_>, id: &AssetId) -> Result<AssetRecord, Refusal> {
    let asset = named_in_force(act, id)?;
    uncontested(act, &asset)?;
    Ok(asset)
}

/// As [`serves`], for an act: weighs what it looks at.
pub(crate) fn usable(act: &mut Act<'_>, id: &AssetId, asset: &AssetRecord) -> Result<(), Refusal> {
    let mut weight = 0;
    let found = serves(act.state, act.context.time_ms, id, asset, &mut weight);
    act.weigh(weight)?;
    found
}

/// Fails with the first reason why an asset may serve for nothing new at a block time: it is void
/// or contested, a condition that it watches in its ancestry has come true, or patients withdrew
/// their consent from it; adds what it weighs. Implements [LED-AST-7], [LED-WTC-2] and [LED-CNS-1].
pub(crate) fn serves<V: View>(
    view: &V,
    time_ms: u64,
    id: &AssetId,
    asset: &AssetRecord,
    weight: &mut u64,
) -> Result<(), Refusal> {
    check_not_void(asset)?;
    check_uncontested(view, asset, weight)?;
    watch::check_asset(view, time_ms, id, weight)?;
    consent::check_not_withdrawn(view, id, asset)
}

fn check_not_void(asset: &AssetRecord) -> Result<(), Reject> {
    if asset.void {
        let text = format!("asset {}/{} is void", asset.author, asset.name);
        return Err(Reject::new(Code::VoidAsset, text));
    }
    Ok(())
}

/// Fails when an asset is contested: its content is another member's, or the key that signed it is
/// said to have been in other hands, and no ruling has cleared it; adds what it weighs.
/// Implements [LED-AST-7].
pub(crate) fn check_uncontested<V: View>(
    view: &V,
    asset: &AssetRecord,
    weight: &mut u64,
) -> Result<(), Refusal> {
    let why = if asset.cleared {
        return Ok(());
    } else if is_duplicate(view, asset, weight)? {
        "has the content of an asset that another member registered before"
    } else if asset.output_of.is_some() {
        "has content that another member's logged use put out before"
    } else if member::compromised(view, &asset.signer, asset.time_ms)? {
        "was signed with a key that is said to have been in other hands"
    } else {
        return Ok(());
    };
    Err(Reject::new(Code::Contested, format!("{}/{} {why}", asset.author, asset.name)).into())
}

/// As [`check_uncontested`], for an act: weighs what it looks at.
pub(crate) fn uncontested(act: &mut Act<'_>, asset: &AssetRecord) -> Result<(), Refusal> {
    let mut weight = 0;
    let found = check_uncontested(act.state, asset, &mut weight);
    act.weigh(weight)?;
    found
}

/// Weight of looking at an asset that is remembered for a content root.
const CLAIM_WEIGHT: u64 = 2;

/// The assets that are remembered for a content root, in order; adds what reading them weighs.
fn claims<V: View>(
    view: &V,
    root: Digest,
    weight: &mut u64,
) -> Result<Vec<(AssetId, AssetRecord)>, Fault> {
    let ids: Vec<AssetId> = view.get(&Key::ContentClaim(root))?.unwrap_or_default();
    *weight = weight.saturating_add(CLAIM_WEIGHT.saturating_mul(ids.len() as u64));
    let read = |id: AssetId| {
        let asset = view.asset(&id)?.ok_or_else(|| Fault(format!("asset {id} is missing")))?;
        Ok((id, asset))
    };
    ids.into_iter().map(read).collect()
}

/// Whether another member has the first asset with this content that is not void; adds what looking
/// for it weighs. Implements [LED-AST-7].
pub(crate) fn is_duplicate<V: View>(
    view: &V,
    asset: &AssetRecord,
    weight: &mut u64,
) -> Result<bool, Fault> {
    if asset.duplicate_of.is_none() {
        return Ok(false);
    }
    let claims = claims(view, asset.content.root, weight)?;
    let Some((_, first)) = claims.iter().find(|(_, first)| !first.void) else { return Ok(false) };
    Ok(acting(view, &first.author)? != acting(view, &asset.author)?)
}

/// Whose content an asset has, when it is another member's. Implements [LED-AST-7].
#[derive(Default)]
struct Foreign {
    duplicate_of: Option<AssetId>,
    output_of: Option<AccessId>,
}

/// Looks for whoever had this content before: who registered the first asset with it that is not
/// void, or whose logged use put it out. When it is another member both are told.
fn foreign(act: &mut Act<'_>, root: Digest, id: AssetId) -> Result<Foreign, Refusal> {
    let mut weight = 0;
    let mut claims = claims(act.state, root, &mut weight)?;
    act.weigh(weight)?;
    // What a ruling voided keeps its content until that is final: it may come back.
    claims.retain(|(_, asset)| !asset.void || act.context.time_ms <= asset.void_until_ms);
    for (own, asset) in &claims {
        if act.is(&asset.author)? {
            let text = format!("{} has this content", called(act.state, own)?);
            return Err(Reject::new(Code::ContentRegistered, text).into());
        }
    }
    let sound = claims.iter().position(|(_, asset)| !asset.void).unwrap_or(0);
    if let Some((first, AssetRecord { author, .. })) = claims.into_iter().nth(sound) {
        remember(act, root, id)?;
        act.append(Relation::AssetDuplicates(first), id.digest())?;
        act.append(Relation::AssetDuplicates(id), first.digest())?;
        act.wait_for(&author)?;
        act.wait_for(act.author)?;
        return Ok(Foreign { duplicate_of: Some(first), output_of: None });
    }
    if let Some(access) = act.state.get::<AccessId>(&Key::UsageOutput(root))? {
        let by = access::named(act, &access)?.by;
        if !act.is(&by)? {
            act.wait_for(&by)?;
            act.wait_for(act.author)?;
            return Ok(Foreign { duplicate_of: None, output_of: Some(access) });
        }
    }
    remember(act, root, id)?;
    Ok(Foreign::default())
}

/// Puts an asset at the end of those with its content.
fn remember(act: &mut Act<'_>, root: Digest, id: AssetId) -> Result<(), Refusal> {
    let place = Key::ContentClaim(root);
    let mut claims: Vec<AssetId> = act.state.get(&place)?.unwrap_or_default();
    if claims.len() < MAX_CLAIMS {
        claims.push(id);
        act.state.put(&place, &claims)?;
    }
    Ok(())
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
    let activity = e.derivation.as_ref().map(|d| &d.activity);
    check_ranges(&e.metadata, activity)?;
    check_claimed(activity, act.context.time_ms)?;
    let (first_version, version) = version::revised(act, e, id)?;
    let (late, territories) = match &e.derivation {
        Some(derivation) => derive(act, e, derivation, id)?,
        None => (false, None),
    };
    let Foreign { duplicate_of, output_of } = foreign(act, e.content.root, id)?;
    let record = AssetRecord {
        author: act.author.clone(),
        name: e.name.clone(),
        stage: e.stage,
        content: e.content.clone(),
        metadata: e.metadata.clone(),
        activity: e.derivation.as_ref().map(|d| d.activity.clone()),
        territories,
        first_version,
        version,
        late,
        void: false,
        void_until_ms: 0,
        consent_based: e.consent_based,
        duplicate_of,
        output_of,
        disputes: 0,
        cleared: false,
        signer: act.signer,
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

/// How an asset is called in a refusal: `handle/name`, or its id while it is not recorded.
pub(crate) fn called<V: View>(view: &V, id: &AssetId) -> Result<String, Fault> {
    let asset = view.asset(id)?;
    Ok(asset.map_or_else(|| id.to_string(), |asset| format!("{}/{}", asset.author, asset.name)))
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
    if fits && e.consent_based && e.stage != Stage::Raw {
        let text = "only a raw resource rests on patients' consent";
        return Err(Reject::new(Code::StageMismatch, text));
    }
    if fits {
        return Ok(());
    }
    let has = if e.derivation.is_some() { "has" } else { "has no" };
    Err(Reject::new(
        Code::StageMismatch,
        format!("stage {}, but the registration {has} derivation", word(&e.stage)),
    ))
}

pub(crate) fn check_ranges(m: &Metadata, activity: Option<&Activity>) -> Result<(), Reject> {
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

/// Fails when work is claimed that is still to be done. Implements [LED-AST-3].
fn check_claimed(activity: Option<&Activity>, now_ms: u64) -> Result<(), Reject> {
    let latest = now_ms.saturating_add(CLAIM_TOLERANCE_MS);
    let Some(end) = activity.map(|a| a.claimed_to_ms).filter(|end| *end > latest) else {
        return Ok(());
    };
    let text = format!(
        "the claimed time of the activity ends at {}, at the latest at {}",
        moment(end),
        moment(latest)
    );
    Err(Reject::new(Code::OutOfRange, text))
}

/// Checks a derivation, counts the grants it uses and records floors, conditions and edges. Tells
/// whether it was filed late. Implements [LED-LIN-1] to [LED-LIN-5].
fn derive(
    act: &mut Act<'_>,
    e: &RegisterAsset,
    derivation: &Derivation,
    id: AssetId,
) -> Result<(bool, Option<Vec<text::Code>>), Refusal> {
    check_inputs(act.state, derivation, &id, act.rulebook.max_inputs)?;
    let activity = &derivation.activity;
    check_purposes(activity)?;
    let mut late = false;
    let mut floors = floor::Tracker::new(act.author);
    let mut watches = watch::Gathered::new(e.metadata.deidentification);
    let mut used: BTreeMap<GrantId, GrantRecord> = BTreeMap::new();
    let mut territories = None;
    for input in &derivation.inputs {
        let asset = named(act, &input.asset)?;
        check_input(act, &input.asset, &asset, activity)?;
        let grant = allowed(act, input, &asset, activity)
            .map_err(|refusal| refusal.of(&format!("input {}/{}", asset.author, asset.name)))?;
        let terms = grant.as_ref().map(|(grant, _)| &grant.terms);
        let inherited = act.state.floors(&input.asset)?;
        let related = |party: &Handle| {
            let line = succession::line(act.state, party)?.len() as u64;
            act.weigh(line.saturating_mul(PARTY_WEIGHT))?;
            Ok(act.related(act.author, party)?)
        };
        floors.add((input.asset, input.weight), terms, inherited, related)?;
        watches.add(act, (&input.asset, &asset), input.grant.as_ref().zip(terms))?;
        let within = asset.territories.as_deref().into_iter();
        for limit in within.chain(terms.map(|terms| &*terms.territories)) {
            grant::narrow(act, &mut territories, limit)?;
        }
        if let (Some(id), Some((grant, filed_late))) = (input.grant, grant) {
            act.weigh(USE_WEIGHT)?;
            late |= filed_late;
            for (above, record) in grant::ancestors(act, &grant)? {
                watches.add_grant(&above, &record.terms);
                used.insert(above, record);
            }
            used.insert(id, grant);
        }
        act.append(Relation::AssetDerivations(input.asset), id.digest())?;
    }
    weigh(act, floors.inherited().saturating_add(watches.read()))?;
    grant::count_derivation(act, used)?;
    let watched = watches.settle(act)?;
    if !watched.is_empty() {
        act.state.put(&Key::Watches(id), &watched)?;
    }
    let tracked = floors.settle(e.split.upstream_bp, |source| called(act.state, source))?;
    if !tracked.is_empty() {
        act.state.put(&Key::Floors(id), &tracked)?;
    }
    Ok((late, territories))
}

/// Weight of asking whether one member of the line of a floor's party is related to the author.
const PARTY_WEIGHT: u64 = 2;
/// Weight of using a grant and of counting that.
const USE_WEIGHT: u64 = 7;

/// Two entries that inputs bring, floors or conditions, weigh one unit. Implements [LED-LIM-2].
fn weigh(act: &mut Act<'_>, inherited: usize) -> Result<(), Reject> {
    act.weigh((inherited as u64).checked_div(2).unwrap_or(0))
}

/// Whether an asset may be an input at all. Implements [LED-LIN-2] and [LED-LIN-3].
fn check_input(
    act: &mut Act<'_>,
    id: &AssetId,
    asset: &AssetRecord,
    activity: &Activity,
) -> Result<(), Refusal> {
    if asset.void {
        let text = format!("input {}/{} is void", asset.author, asset.name);
        return Err(Reject::new(Code::VoidInput, text).into());
    }
    uncontested(act, asset)?;
    consent::check_not_withdrawn(act.state, id, asset)?;
    let territory = std::slice::from_ref(&activity.territory);
    Ok(check_inherited(asset, &activity.purposes, territory)?)
}

/// Fails unless purposes and territories lie within those that an asset has from its derivation.
/// Implements [LED-LIN-3] and [LED-LIN-7].
pub(crate) fn check_inherited(
    asset: &AssetRecord,
    purposes: &[Purpose],
    territories: &[text::Code],
) -> Result<(), Reject> {
    let shown = || format!("{}/{}", asset.author, asset.name);
    if let Some(allowed) = asset.purposes()
        && let Some(p) = purposes.iter().find(|p| !nesting::has(allowed, p))
    {
        let text = format!("purpose {} is not among those of {}", word(p), shown());
        return Err(Reject::new(Code::PurposeNotInherited, text));
    }
    if let Some(allowed) = &asset.territories
        && let Some(t) = territories.iter().find(|t| !nesting::has(allowed, t))
    {
        let text = format!("territory {t} is not within those of {}", shown());
        return Err(Reject::new(Code::TerritoryNotInherited, text));
    }
    Ok(())
}

/// Whether the author may use an input: under a grant, which is given with whether the work is
/// filed late, or by his own right. Implements [LED-LIN-4].
fn allowed(
    act: &mut Act<'_>,
    input: &Input,
    asset: &AssetRecord,
    activity: &Activity,
) -> Result<Option<(GrantRecord, bool)>, Refusal> {
    let Some(grant) = &input.grant else {
        grant::by_right(act, &input.asset, asset, activity)?;
        return Ok(None);
    };
    let wanted = Use {
        by: act.author,
        asset: &input.asset,
        record: asset,
        right: GrantRight::Processing,
        activity: Some(activity),
    };
    grant::allows(act, grant, &wanted).map(Some)
}

fn check_inputs<V: View>(
    view: &V,
    derivation: &Derivation,
    id: &AssetId,
    most: u32,
) -> Result<(), Refusal> {
    let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
    if u32::try_from(derivation.inputs.len()).map_or(true, |inputs| inputs > most) {
        let text = format!("{} inputs, at most {most} by the rulebook", derivation.inputs.len());
        return reject(Code::OverLimit, text);
    }
    let mut seen = BTreeSet::new();
    let mut sum = 0u64;
    for input in &derivation.inputs {
        if input.asset == *id {
            return reject(Code::OwnOutputInput, "the asset is among its own inputs".into());
        }
        if !seen.insert(input.asset) {
            let text = format!("input {} is named twice", called(view, &input.asset)?);
            return reject(Code::RepeatedInput, text);
        }
        if input.weight == 0 {
            let text = format!("input {} weighs 0", called(view, &input.asset)?);
            return reject(Code::WeightZero, text);
        }
        sum = sum.saturating_add(input.weight);
    }
    if sum > MAX_WEIGHT_SUM {
        let text = format!("the weights add up to {sum}, at most {MAX_WEIGHT_SUM}");
        return reject(Code::WeightsOverLimit, text);
    }
    Ok(())
}

fn check_purposes(activity: &Activity) -> Result<(), Reject> {
    if activity.purposes.is_empty() || has_repeats(&activity.purposes) {
        return Err(Reject::new(Code::PurposesEmpty, "the activity names no purpose or one twice"));
    }
    Ok(())
}

/// `void_asset`: the author takes an asset back while nothing rests on it. Any other is voided by a
/// ruling. Implements [LED-AST-6].
pub(crate) fn void(act: &mut Act<'_>, e: &VoidAsset) -> Result<(), Refusal> {
    let mut asset = named_in_force(act, &e.asset)?;
    let shown = format!("{}/{}", asset.author, asset.name);
    if !act.is(&asset.author)? {
        let text = format!("{shown} was registered by another member");
        return Err(Reject::new(Code::NotAuthor, text).into());
    }
    if let Some(what) = concerns_others(act.state, &e.asset)? {
        return Err(Reject::new(Code::AssetInUse, format!("{shown} {what}")).into());
    }
    asset.void = true;
    Ok(act.state.put(&Key::Asset(e.asset), &asset)?)
}

/// What others have of an asset, or claim: a part of a right, a grant, something made of it, an
/// access, a listing or a dispute, ended ones too.
fn concerns_others<V: View>(view: &V, id: &AssetId) -> Result<Option<&'static str>, Fault> {
    for right in Right::ALL {
        if view.value(&Key::Right(*id, right))?.is_some() {
            return Ok(Some("has a right that was transferred"));
        }
    }
    let lists = [
        (Relation::AssetDerivations(*id), "is an input of others"),
        (Relation::AssetGrants(*id), "has grants"),
        (Relation::AssetListings(*id), "has been listed"),
        (Relation::AssetUsage(*id), "has been asked for in a secure environment"),
        (Relation::AssetDisputes(*id), "has been disputed"),
    ];
    for (list, what) in lists {
        if view.range(&list)?.count() > 0 {
            return Ok(Some(what));
        }
    }
    Ok(None)
}
