//! The operation rights that operating a derived asset rests on. Implements [LED-GRT-4].

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::check::{Covered, GRANT_WEIGHT, Use, check, reaches, weighed};
use super::in_force::{Intent, not_reserved};
use crate::asset::named_in_force;
use crate::event::asset::{Purpose, Stage};
use crate::event::rights::{GrantRight, Terms};
use crate::execute::Act;
use crate::hash::{AssetId, GrantId};
use crate::limits::MAX_INPUTS;
use crate::nesting;
use crate::reject::{Code, Refusal, Reject};
use crate::rights::disposes_alone;
use crate::split::Right;
use crate::state::Records;
use crate::state::record::{AssetRecord, GrantRecord};
use crate::text::{self, Handle};

/// The protocol version from which an own derived input counts only with its own inputs.
const DEEP_COVER: u32 = 2;

/// Inputs of an asset that weigh 1 to read.
const INPUTS_A_UNIT: u64 = 4;
/// Pairs of territories that weigh 1 when what two grants allow is compared.
const PAIRS_A_UNIT: u64 = 64;

/// What the operation rights over an asset's inputs allow together.
#[derive(Debug, Default)]
pub(crate) struct Cover {
    /// Smallest sub-licence depth; `None` when every input's right is the author's own.
    pub depth: Option<u8>,
    /// Purposes allowed by all; `None` means any.
    pub purposes: Option<Vec<Purpose>>,
    /// Territories allowed by all; `None` means any.
    pub territories: Option<Vec<text::Code>>,
    /// End of the shortest term.
    pub not_after_ms: Option<u64>,
}

/// The grants named, found by the asset or the line of versions they cover.
///
/// For an asset it is the first one named; for a line of versions the one on the earliest version.
pub(crate) struct Named {
    found: Vec<(GrantId, GrantRecord)>,
    by_asset: BTreeMap<AssetId, usize>,
    by_line: BTreeMap<AssetId, (u32, usize)>,
}

impl Named {
    /// Reads the grants, each once, weighed.
    pub(crate) fn read(act: &mut Act<'_>, grants: &[GrantId]) -> Result<Self, Refusal> {
        let mut seen = BTreeSet::new();
        let mut read =
            Named { found: Vec::new(), by_asset: BTreeMap::new(), by_line: BTreeMap::new() };
        for id in grants.iter().filter(|id| seen.insert(**id)) {
            let grant = weighed(act, id)?;
            let place = read.found.len();
            if grant.terms.future_versions {
                let asset = crate::asset::named(act, &grant.asset)?;
                let line = read.by_line.entry(asset.first_version);
                let kept = line.or_insert((asset.version, place));
                if asset.version < kept.0 {
                    *kept = (asset.version, place);
                }
            }
            read.by_asset.entry(grant.asset).or_insert(place);
            read.found.push((*id, grant));
        }
        Ok(read)
    }

    fn covering(&self, id: &AssetId, asset: &AssetRecord) -> Option<&(GrantId, GrantRecord)> {
        if let Some(place) = self.by_asset.get(id) {
            return self.found.get(*place);
        }
        let (version, place) = self.by_line.get(&asset.first_version)?;
        let found = self.found.get(*place)?;
        (*version < asset.version && reaches(found.1.right, asset)).then_some(found)
    }
}

/// The operation rights that `holder` rests on for `asset`: over every input to be looked at he
/// acts for the right himself or one of `grants` is effective and sub-licensable.
pub(crate) fn cover(
    act: &mut Act<'_>,
    holder: &Handle,
    asset: &AssetId,
    grants: &[GrantId],
) -> Result<Cover, Refusal> {
    let grants = Named::read(act, grants)?;
    over(act, holder, asset, &grants)
}

/// As [`cover`], with the grants read before.
pub(crate) fn over(
    act: &mut Act<'_>,
    holder: &Handle,
    asset: &AssetId,
    grants: &Named,
) -> Result<Cover, Refusal> {
    let mut cover = Cover::default();
    let mut looked = BTreeSet::new();
    let mut open = VecDeque::from([*asset]);
    while let Some(above) = open.pop_front() {
        let inputs = act.state.inputs(&above)?.map(|i| i.inputs).unwrap_or_default();
        act.weigh((inputs.len() as u64).checked_div(INPUTS_A_UNIT).unwrap_or(0))?;
        for input in &inputs {
            if !looked.insert(input.asset) {
                continue;
            }
            act.weigh(GRANT_WEIGHT)?;
            if looked.len() > MAX_INPUTS {
                let text = format!("the sale rests on more than {MAX_INPUTS} assets");
                return Err(Reject::new(Code::OperationNotCovered, text).into());
            }
            let record = named_in_force(act, &input.asset)?;
            let right = GrantRight::Operation;
            if !disposes_alone(act, holder, (&input.asset, &record), Right::Operation)? {
                let (asset, record) = (&input.asset, &record);
                let wanted = Use { by: holder, asset, record, right, activity: None };
                cover.rest_on(act, grants, &wanted)?;
                continue;
            }
            not_reserved(act, holder, (&input.asset, &record), right, &Intent::default())?;
            if act.protocol >= DEEP_COVER && record.stage != Stage::Raw {
                open.push_back(input.asset);
            }
        }
    }
    Ok(cover)
}

/// Takes one more list of territories in, weighed.
pub(crate) fn narrow(
    act: &mut Act<'_>,
    held: &mut Option<Vec<text::Code>>,
    with: &[text::Code],
) -> Result<(), Reject> {
    let pairs = (held.as_ref().map_or(0, Vec::len) as u64).saturating_mul(with.len() as u64);
    act.weigh(pairs.checked_div(PAIRS_A_UNIT).unwrap_or(0))?;
    nesting::narrow(held, with);
    Ok(())
}

impl Cover {
    /// Takes in the sub-licensable grant that covers a use.
    fn rest_on(
        &mut self,
        act: &mut Act<'_>,
        grants: &Named,
        wanted: &Use<'_>,
    ) -> Result<(), Refusal> {
        if let Some((id, grant)) = grants.covering(wanted.asset, wanted.record) {
            let covered = check(act, (id, grant), wanted)?;
            if grant.terms.sublicence_depth > 0 {
                narrow(act, &mut self.territories, &grant.terms.territories)?;
                self.narrow(&grant.terms, &covered);
                return Ok(());
            }
        }
        let text = format!(
            "no sub-licensable operation grant on input {}/{} is named",
            wanted.record.author, wanted.record.name
        );
        Err(Reject::new(Code::OperationNotCovered, text).into())
    }

    /// Takes in the terms of one more grant, besides its territories.
    fn narrow(&mut self, t: &Terms, covered: &Covered) {
        let end = covered.not_after_ms;
        self.depth = Some(self.depth.map_or(t.sublicence_depth, |d| d.min(t.sublicence_depth)));
        self.not_after_ms = Some(self.not_after_ms.map_or(end, |n| n.min(end)));
        nesting::narrow(&mut self.purposes, &t.purposes);
    }

    /// Whether an operation grant with these terms stays within what it rests on.
    pub(crate) fn check_terms(&self, terms: &Terms) -> Result<(), Reject> {
        if self.depth.is_some_and(|d| terms.sublicence_depth >= d) {
            let text = format!(
                "depth {} is not below that of the grants it rests on",
                terms.sublicence_depth
            );
            return Err(Reject::new(Code::SublicenceTooDeep, text));
        }
        let outside = self.purposes.as_ref().is_some_and(|a| !nesting::within(&terms.purposes, a))
            || self.territories.as_ref().is_some_and(|a| !nesting::within(&terms.territories, a))
            || self.not_after_ms.is_some_and(|n| terms.not_after_ms > n);
        if outside {
            let text = "purposes, territories or term go beyond the grants it rests on";
            return Err(Reject::new(Code::TermBeyondParent, text));
        }
        Ok(())
    }
}
