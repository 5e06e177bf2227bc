//! Lineage: the ancestry of an asset, or everything registered as derived from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Budget, Lists, MAX_EDGES, MAX_ROWS, QueryError, asked, recorded, shown};
use crate::event::asset::{ActivityKind, Classification, Purpose, Stage};
use crate::event::rights::{GrantRight, Terms};
use crate::hash::{AssetId, GrantId};
use crate::reject::Fault;
use crate::state::record::{AssetInputs, AssetRecord, GrantStatus};
use crate::state::{Key, Records, Relation, View};
use crate::text::{Code, Handle};

/// Which way to go from an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To what it was made from.
    Up,
    /// To what was made from it.
    Down,
}

/// The lineage of an asset in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The asset asked about.
    pub asset: AssetId,
    /// The direction asked for.
    pub direction: Direction,
    /// How many steps were followed at the most; absent when all were.
    pub depth: Option<u32>,
    /// Whether nothing was left unfollowed: every registered step in this direction is here.
    pub complete: bool,
    /// The assets, inputs before what was made from them.
    pub assets: Vec<TracedAsset>,
    /// The derivations between them, in order of the derived asset, then as filed.
    pub edges: Vec<Edge>,
    /// The grants that the edges name, in order of first use.
    pub grants: Vec<TracedGrant>,
}

/// An asset of a lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracedAsset {
    /// Its id.
    pub id: AssetId,
    /// `handle/name`.
    pub name: String,
    /// Who registered it.
    pub author: Handle,
    /// Its stage.
    pub stage: Stage,
    /// Its number in its line of versions, from 1.
    pub version: u32,
    /// Records, as stated.
    pub records: u64,
    /// Bytes, as stated.
    pub bytes: u64,
    /// Format, as stated.
    pub format: Code,
    /// Region, as stated.
    pub region: Code,
    /// Class under the data security law, as stated.
    pub classification: Classification,
    /// Sensitivity from 1 to 5, as stated.
    pub sensitivity: u8,
    /// What was done to make it, as stated; absent for raw resources.
    pub activity: Option<ActivityKind>,
    /// What it may be used for; absent when nothing restricts it.
    pub purposes: Option<Vec<Purpose>>,
    /// Where it may be used; absent when nothing restricts it.
    pub territories: Option<Vec<Code>>,
    /// Height at which it was recorded.
    pub height: u64,
    /// Block time at which it was recorded, milliseconds since 1970.
    pub time_ms: u64,
    /// Whether it was filed after a grant's term, within the filing window.
    pub late: bool,
    /// Whether it was declared void.
    pub void: bool,
    /// Steps from the asset asked about, on the shortest way.
    pub distance: u32,
    /// Whether further steps from here were left unfollowed.
    pub more: bool,
}

/// One input of one derivation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// The asset used.
    pub input: AssetId,
    /// The asset made.
    pub output: AssetId,
    /// The input's weight among those of the output.
    pub weight: u64,
    /// The processing grant that allowed it; absent when the author owned the processing right.
    pub grant: Option<GrantId>,
}

/// A grant that allowed a derivation, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracedGrant {
    /// Its id.
    pub id: GrantId,
    /// The asset it is on.
    pub asset: AssetId,
    /// The right it is under.
    pub right: GrantRight,
    /// Who granted it.
    pub grantor: Handle,
    /// To whom.
    pub grantee: Handle,
    /// Where it stands.
    pub status: GrantStatus,
    /// The terms.
    pub terms: Terms,
    /// Derivations made under it.
    pub used: u32,
}

/// The lineage of an asset: `Up` what it was made from, `Down` everything registered as made from
/// it; at most `depth` steps. Inputs come before outputs.
///
/// Breadth first. What was not registered cannot be found here.
pub fn trace<V: Lists>(
    view: &V,
    asset: &AssetId,
    direction: Direction,
    depth: Option<u32>,
) -> Result<Trace, QueryError> {
    view.prefetch(&[Key::Asset(*asset)])?;
    asked(view, asset)?;
    let mut walk = match direction {
        Direction::Up => ancestry(view, asset, depth)?,
        Direction::Down => descent(view, &BTreeSet::from([*asset]), depth)?,
    };
    let edges = edges(view, &mut walk, direction)?;
    let grants = grants(view, &edges)?;
    let mut assets: Vec<&Step> = walk.steps.values().collect();
    assets.sort_by_key(|step| step.record.seq);
    Ok(Trace {
        asset: *asset,
        direction,
        depth,
        complete: walk.steps.values().all(|step| !step.more),
        assets: assets.into_iter().map(Step::to_traced).collect(),
        edges,
        grants,
    })
}

/// An asset reached by a walk.
pub(super) struct Step {
    pub(super) id: AssetId,
    pub(super) record: AssetRecord,
    pub(super) distance: u32,
    pub(super) more: bool,
    /// Its inputs, where they have been read.
    inputs: Option<AssetInputs>,
}

/// What a walk reached.
pub(super) struct Walk {
    pub(super) steps: BTreeMap<AssetId, Step>,
    budget: Budget,
}

impl Walk {
    fn new() -> Self {
        Walk { steps: BTreeMap::new(), budget: Budget::new("derivations", MAX_EDGES) }
    }
}

impl Step {
    fn to_traced(&self) -> TracedAsset {
        let asset = &self.record;
        TracedAsset {
            id: self.id,
            name: shown(asset),
            author: asset.author.clone(),
            stage: asset.stage,
            version: asset.version,
            records: asset.content.records,
            bytes: asset.content.bytes,
            format: asset.metadata.format.clone(),
            region: asset.metadata.region.clone(),
            classification: asset.metadata.classification,
            sensitivity: asset.metadata.sensitivity,
            activity: asset.activity.as_ref().map(|activity| activity.kind),
            purposes: asset.purposes().map(<[Purpose]>::to_vec),
            territories: asset.territories.clone(),
            height: asset.height,
            time_ms: asset.time_ms,
            late: asset.late,
            void: asset.void,
            distance: self.distance,
            more: self.more,
        }
    }
}

fn inputs_of<V: View>(view: &V, id: &AssetId) -> Result<AssetInputs, Fault> {
    view.inputs(id)?.ok_or_else(|| Fault(format!("asset {id} has no inputs record")))
}

/// Walks from an asset to everything it was made from.
pub(super) fn ancestry<V: View>(
    view: &V,
    asset: &AssetId,
    depth: Option<u32>,
) -> Result<Walk, QueryError> {
    let mut walk = Walk::new();
    let mut seen = BTreeSet::from([*asset]);
    let mut level = vec![*asset];
    let mut distance = 0u32;
    while !level.is_empty() {
        let follow = depth.is_none_or(|depth| distance < depth);
        let mut keys: Vec<Key> = level.iter().map(|id| Key::Asset(*id)).collect();
        if follow {
            keys.extend(level.iter().map(|id| Key::Inputs(*id)));
        }
        view.prefetch(&keys)?;
        let mut next = Vec::new();
        for id in level {
            let record = recorded(view, &id)?;
            let inputs = follow.then(|| inputs_of(view, &id)).transpose()?;
            for input in inputs.iter().flat_map(|inputs| &inputs.inputs) {
                walk.budget.take(1)?;
                if seen.insert(input.asset) {
                    next.push(input.asset);
                }
            }
            // Exactly what is not raw has inputs.
            let more = !follow && record.stage != Stage::Raw;
            walk.steps.insert(id, Step { id, record, distance, more, inputs });
        }
        level = next;
        distance = distance.saturating_add(1);
    }
    Ok(walk)
}

/// Walks from some assets to everything registered as made from them.
pub(super) fn descent<V: Lists>(
    view: &V,
    from: &BTreeSet<AssetId>,
    depth: Option<u32>,
) -> Result<Walk, QueryError> {
    let mut walk = Walk::new();
    let mut seen = from.clone();
    let mut level: Vec<AssetId> = from.iter().copied().collect();
    let mut distance = 0u32;
    while !level.is_empty() {
        let follow = depth.is_none_or(|depth| distance < depth);
        let keys: Vec<Key> = level
            .iter()
            .flat_map(|id| [Key::Asset(*id), Key::Range(Relation::AssetDerivations(*id))])
            .collect();
        view.prefetch(&keys)?;
        let mut next = Vec::new();
        for id in level {
            let record = recorded(view, &id)?;
            let derivations = Relation::AssetDerivations(id);
            let any = view.range(&derivations)?.count() > 0;
            if follow && any {
                for entry in view.entries(&derivations)? {
                    walk.budget.take(1)?;
                    let derived = AssetId::from_digest(entry.id);
                    if seen.insert(derived) {
                        next.push(derived);
                    }
                }
            }
            let more = !follow && any;
            walk.steps.insert(id, Step { id, record, distance, more, inputs: None });
        }
        level = next;
        distance = distance.saturating_add(1);
    }
    Ok(walk)
}

/// The derivations between the assets of a walk.
fn edges<V: View>(
    view: &V,
    walk: &mut Walk,
    direction: Direction,
) -> Result<Vec<Edge>, QueryError> {
    if direction == Direction::Down {
        let made = |step: &&mut Step| step.distance > 0;
        let keys: Vec<Key> =
            walk.steps.values_mut().filter(made).map(|step| Key::Inputs(step.id)).collect();
        view.prefetch(&keys)?;
        let mut budget = Budget::new("inputs", MAX_ROWS);
        for step in walk.steps.values_mut().filter(made) {
            let inputs = inputs_of(view, &step.id)?;
            budget.take(inputs.inputs.len())?;
            step.inputs = Some(inputs);
        }
    }
    let mut outputs: Vec<&Step> = walk.steps.values().collect();
    outputs.sort_by_key(|step| step.record.seq);
    let mut edges = Vec::new();
    for output in outputs {
        for input in output.inputs.iter().flat_map(|inputs| &inputs.inputs) {
            if walk.steps.contains_key(&input.asset) {
                edges.push(Edge {
                    input: input.asset,
                    output: output.id,
                    weight: input.weight,
                    grant: input.grant,
                });
            }
        }
    }
    Ok(edges)
}

/// The grants that edges name.
fn grants<V: View>(view: &V, edges: &[Edge]) -> Result<Vec<TracedGrant>, QueryError> {
    let mut seen = BTreeSet::new();
    let ids: Vec<GrantId> =
        edges.iter().filter_map(|edge| edge.grant).filter(|id| seen.insert(*id)).collect();
    view.prefetch(&ids.iter().map(|id| Key::Grant(*id)).collect::<Vec<_>>())?;
    let mut grants = Vec::with_capacity(ids.len());
    for id in ids {
        let grant = view.grant(&id)?;
        let grant = grant.ok_or_else(|| Fault(format!("grant {id} is named and not recorded")))?;
        grants.push(TracedGrant {
            id,
            asset: grant.asset,
            right: grant.right,
            grantor: grant.grantor,
            grantee: grant.grantee,
            status: grant.status,
            terms: grant.terms,
            used: grant.used,
        });
    }
    Ok(grants)
}
