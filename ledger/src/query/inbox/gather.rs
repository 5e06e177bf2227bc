//! Everything that may wait for a member: what came to it and to those it acts for, and for a
//! regulator the disputes that wait for a ruling.

use std::collections::BTreeSet;

use crate::event::member::Role;
use crate::execute::acts_for;
use crate::hash::{Digest, DisputeId};
use crate::query::place::{Object, object, places};
use crate::query::{Budget, ListEntry, Lists, MAX_ROWS, QueryError};
use crate::reject::Fault;
use crate::state::record::{DisputeRecord, MemberRecord, WaitingDispute};
use crate::state::{Key, Relation, View};
use crate::text::Handle;

/// Each thing once, in the order in which it came.
pub(super) fn gather<V: Lists>(
    view: &V,
    member: &Handle,
    record: &MemberRecord,
) -> Result<Vec<(ListEntry, Object)>, QueryError> {
    let mut budget = Budget::new("entries", MAX_ROWS);
    let (mut came, mut disputes) = (Vec::new(), Vec::new());
    let lists =
        |handle| [Relation::MemberInbox(Handle::clone(&handle)), Relation::MemberDisputes(handle)];
    let lists: Vec<_> = acts_for(view, member)?.into_iter().map(lists).collect();
    view.prefetch(&lists.iter().flatten().cloned().map(Key::Range).collect::<Vec<_>>())?;
    for [inbox, own] in &lists {
        came.extend(view.entries(inbox)?);
        disputes.extend(view.entries(own)?);
        budget.take(came.len().saturating_add(disputes.len()))?;
    }
    if record.has_role(Role::Regulator) {
        disputes.extend(waiting(view, &mut budget)?);
    }
    let keys: Vec<Key> = came.iter().flat_map(|entry| places(&entry.id)).collect();
    let of = |entry: &ListEntry| Key::Dispute(DisputeId::from_digest(entry.id));
    view.prefetch(&keys.into_iter().chain(disputes.iter().map(of)).collect::<Vec<_>>())?;
    let mut seen: BTreeSet<Digest> = BTreeSet::new();
    let mut found = Vec::new();
    for entry in disputes {
        if seen.insert(entry.id) {
            let id = DisputeId::from_digest(entry.id);
            let record: Option<DisputeRecord> = view.get(&Key::Dispute(id))?;
            let record = record.ok_or_else(|| Fault(format!("dispute {id} is not recorded")))?;
            found.push((entry, Object::Dispute(id, Box::new(record))));
        }
    }
    for entry in came {
        if seen.insert(entry.id)
            && let Some(object) = object(view, &entry.id)?
        {
            found.push((entry, object));
        }
    }
    found.sort_by_key(|(entry, _)| entry.height);
    Ok(found)
}

/// The disputes that wait for a ruling. Their number and places are records of the state, so none
/// is left out. Implements [LED-DSP-6].
fn waiting<V: View>(view: &V, budget: &mut Budget) -> Result<Vec<ListEntry>, QueryError> {
    let count: u64 = view.get(&Key::Waiting)?.unwrap_or(0);
    budget.take(usize::try_from(count).unwrap_or(usize::MAX))?;
    let keys: Vec<Key> = (0..count).map(Key::WaitingAt).collect();
    view.prefetch(&keys)?;
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        let waiting: Option<WaitingDispute> = view.get(&key)?;
        let waiting = waiting.ok_or_else(|| Fault("a dispute that waits is missing".into()))?;
        found.push(ListEntry { height: waiting.height, id: *waiting.dispute.digest() });
    }
    // Places are in no order.
    found.sort_by_key(|entry| (entry.height, entry.id));
    Ok(found)
}
