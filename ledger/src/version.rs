//! The line of versions that an asset belongs to. Void versions keep their places in it and are
//! passed over. Implements [LED-AST-5].

use crate::asset::{called, named, named_in_force};
use crate::event::asset::RegisterAsset;
use crate::execute::Act;
use crate::hash::AssetId;
use crate::limits::MAX_VOID_VERSIONS;
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::state::record::{AssetRecord, Records};
use crate::state::{Key, View};
use crate::words::word;

/// Weight of looking at one later version.
pub(crate) const VERSION_WEIGHT: u64 = 4;

/// Takes the place of a new asset in the line of what it revises. Gives the first version of the
/// line and the new one's number in it.
pub(crate) fn revised(
    act: &mut Act<'_>,
    e: &RegisterAsset,
    id: AssetId,
) -> Result<(AssetId, u32), Refusal> {
    let Some(previous) = &e.revises else { return Ok((id, 1)) };
    let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
    let asset = named_in_force(act, previous)?;
    let shown = format!("{}/{}", asset.author, asset.name);
    if !act.is(&asset.author)? {
        return reject(Code::NotAuthor, format!("{shown} was registered by another member"));
    }
    if asset.stage != e.stage {
        let text = format!("{shown} is {}, a version of it too", word(&asset.stage));
        return reject(Code::StageMismatch, text);
    }
    if asset.consent_based && !e.consent_based {
        let text = format!("{shown} rests on patients' consent, a version of it too");
        return reject(Code::NotConsentBased, text);
    }
    let (mut last, mut number, mut void) = (*previous, asset.version, 0usize);
    while let Some(next) = act.state.get::<AssetId>(&Key::Revision(last))? {
        act.weigh(VERSION_WEIGHT)?;
        let version = named(act, &next)?;
        void = void.saturating_add(1);
        if !version.void || void > MAX_VOID_VERSIONS {
            let next = called(act.state, &next)?;
            return reject(Code::AlreadyRevised, format!("{next} is a newer version of {shown}"));
        }
        (last, number) = (next, version.version);
    }
    act.state.put(&Key::Revision(last), &id)?;
    act.state.put(&Key::LineEnd(asset.first_version), &id)?;
    Ok((asset.first_version, number.saturating_add(1)))
}

/// The end of the line of versions that an asset is in, void ones included.
pub(crate) fn last<V: View>(view: &V, asset: &AssetRecord) -> Result<AssetId, Fault> {
    let first = asset.first_version;
    Ok(view.get(&Key::LineEnd(first))?.unwrap_or(first))
}

/// The first version after another that is not void; adds what looking for it weighs.
pub(crate) fn next<V: View>(
    view: &V,
    id: &AssetId,
    weight: &mut u64,
) -> Result<Option<(AssetId, AssetRecord)>, Fault> {
    let mut last = *id;
    for _ in 0..=MAX_VOID_VERSIONS {
        let Some(next) = view.get::<AssetId>(&Key::Revision(last))? else { return Ok(None) };
        *weight = weight.saturating_add(VERSION_WEIGHT);
        let missing = || Fault(format!("version {next} is missing"));
        let version = view.asset(&next)?.ok_or_else(missing)?;
        if !version.void {
            return Ok(Some((next, version)));
        }
        last = next;
    }
    Ok(None)
}
