//! Sub-licences: grants under a grant. Implements [LED-GRT-5].

use super::check::{ancestors, in_time};
use super::named;
use crate::event::rights::{Exclusivity, GrantRight, Terms};
use crate::execute::Act;
use crate::hash::{AssetId, GrantId};
use crate::nesting;
use crate::reject::{Code, Refusal, Reject};
use crate::state::record::GrantRecord;

/// A grant that is sub-licensed.
pub(super) struct Parent {
    record: GrantRecord,
    /// The earliest end of the grant and those above it.
    not_after_ms: u64,
}

/// The grant that the author sub-licenses: his, on the same right and asset, and in force.
pub(super) fn held(
    act: &mut Act<'_>,
    id: &GrantId,
    asset: &AssetId,
    right: GrantRight,
) -> Result<Parent, Refusal> {
    let record = named(act, id)?;
    let fits = record.asset == *asset && record.right == right && act.is(&record.grantee)?;
    if !fits {
        let text = format!("{} holds no such grant on this right", act.author);
        return Err(Reject::new(Code::ParentNotEffective, text).into());
    }
    let not_after_ms = effective(act, &record)?;
    Ok(Parent { record, not_after_ms })
}

/// Fails unless a grant and all those above it are in force now; the earliest of their ends.
fn effective(act: &mut Act<'_>, grant: &GrantRecord) -> Result<u64, Refusal> {
    let mut end = u64::MAX;
    let above = ancestors(act, grant)?;
    for g in std::iter::once(grant).chain(above.iter().map(|(_, g)| g)) {
        in_time(act, g, None).map_err(|refusal| match refusal {
            Refusal::Reject(r) => Reject::new(Code::ParentNotEffective, r.message).into(),
            Refusal::Fault(fault) => Refusal::Fault(fault),
        })?;
        end = end.min(g.not_after_ms);
    }
    Ok(end)
}

/// Fails unless the grant that a sub-licence is under is in force; the earliest end above it.
pub(super) fn require_effective(act: &mut Act<'_>, grant: &GrantRecord) -> Result<u64, Refusal> {
    match &grant.parent {
        Some(parent) => {
            let parent = named(act, parent)?;
            effective(act, &parent)
        }
        None => Ok(u64::MAX),
    }
}

/// Exclusive binds more than sole, sole more than neither.
fn rank(exclusivity: Exclusivity) -> u8 {
    match exclusivity {
        Exclusivity::None => 0,
        Exclusivity::Sole => 1,
        Exclusivity::Exclusive => 2,
    }
}

/// Whether terms have the very floor of a grant above, which its owners have consented to.
pub(super) fn has_floor_of(above: &Terms, terms: &Terms) -> bool {
    above.floor_bp == terms.floor_bp && above.floor_kind == terms.floor_kind
}

impl Parent {
    /// The terms of the grant that is sub-licensed.
    pub(super) fn terms(&self) -> &Terms {
        &self.record.terms
    }

    /// Whether a sub-licence with these terms stays within this grant.
    pub(super) fn check_terms(&self, terms: &Terms) -> Result<(), Reject> {
        let t = &self.record.terms;
        if terms.sublicence_depth >= t.sublicence_depth {
            let text = format!(
                "depth {} is not below that of the grant above, {}",
                terms.sublicence_depth, t.sublicence_depth
            );
            return Err(Reject::new(Code::SublicenceTooDeep, text));
        }
        let reject = |what: &str| {
            let text = format!("{what} beyond the grant it sub-licenses");
            Err(Reject::new(Code::TermBeyondParent, text))
        };
        if !nesting::within(&terms.purposes, &t.purposes) {
            return reject("purposes go");
        }
        if !nesting::within(&terms.territories, &t.territories) {
            return reject("territories go");
        }
        if terms.not_before_ms < t.not_before_ms || terms.not_after_ms > self.not_after_ms {
            return reject("the term goes");
        }
        if t.floor_bp > 0 && (terms.floor_kind != t.floor_kind || terms.floor_bp < t.floor_bp) {
            return reject("the floor falls");
        }
        if terms.future_versions && !t.future_versions {
            return reject("future versions go");
        }
        if rank(terms.exclusivity) > rank(t.exclusivity) {
            return reject("exclusivity goes");
        }
        Ok(())
    }
}
