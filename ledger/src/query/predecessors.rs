//! Whom a member acts for.

use super::{Budget, ListEntry, Lists, QueryError};
use crate::hash::SuccessionId;
use crate::reject::Fault;
use crate::state::record::SuccessionRecord;
use crate::state::{Key, Relation};
use crate::text::Handle;

/// The member and those it acts for: whom it has succeeded, whom they had, and so on.
/// Implements [LED-MEM-10].
pub(super) fn acts_for<V: Lists>(
    view: &V,
    member: &Handle,
    budget: &mut Budget,
) -> Result<Vec<Handle>, QueryError> {
    let mut found = vec![member.clone()];
    let mut at = 0usize;
    while let Some(handle) = found.get(at).cloned() {
        at = at.saturating_add(1);
        let entries = view.entries(&Relation::MemberPredecessors(handle))?;
        budget.take(entries.len())?;
        let key = |e: &ListEntry| Key::Succession(SuccessionId::from_digest(e.id));
        let keys: Vec<Key> = entries.iter().map(key).collect();
        view.prefetch(&keys)?;
        for key in keys {
            let record: Option<SuccessionRecord> = view.get(&key)?;
            let record = record.ok_or_else(|| Fault("a succession is not recorded".into()))?;
            found.push(record.member);
        }
    }
    Ok(found)
}
