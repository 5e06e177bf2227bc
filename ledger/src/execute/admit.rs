//! What must hold of an envelope before its events are looked at: its header, its author, and the
//! keys that signed it. Implements [LED-ENV-2], [LED-ENV-3], [LED-MEM-3] and [LED-MEM-8].

use std::collections::BTreeSet;

use super::BlockContext;
use crate::envelope::VerifiedEnvelope;
use crate::event::member::{Scope, TwoKeyAct};
use crate::event::{Event, KeyChange};
use crate::limits::MAX_NOT_AFTER_AHEAD_MS;
use crate::reject::{Code, Missing, Refusal, Reject};
use crate::state::record::MemberRecord;
use crate::state::{Key, Records, State, View};
use crate::words::{moment, word};

/// What must hold of the envelope itself, in order of precedence; gives its author's record.
///
/// Implements [LED-ENV-2].
pub fn admit(
    state: &State,
    context: &BlockContext,
    envelope: &VerifiedEnvelope,
) -> Result<MemberRecord, Refusal> {
    let header = envelope.header();
    let reject = |code, message| Err(Refusal::from(Reject::new(code, message)));
    if header.chain_id != context.chain_id {
        return reject(
            Code::WrongChain,
            format!("signed for chain {}, this is {}", header.chain_id, context.chain_id),
        );
    }
    if header.not_after_ms < context.time_ms {
        return reject(
            Code::Expired,
            format!(
                "not_after {} is before the block's time {}",
                moment(header.not_after_ms),
                moment(context.time_ms)
            ),
        );
    }
    if header.not_after_ms > context.time_ms.saturating_add(MAX_NOT_AFTER_AHEAD_MS) {
        return reject(
            Code::NotAfterTooFar,
            format!(
                "not_after {} is more than 24 hours after the block's time {}",
                moment(header.not_after_ms),
                moment(context.time_ms)
            ),
        );
    }
    let id = envelope.id();
    if state.value(&Key::Recorded(id))?.is_some() {
        return reject(Code::DuplicateEnvelope, format!("envelope {id} is recorded already"));
    }
    let Some(member) = state.member(&header.author)? else {
        return Err(Reject::missing(
            Code::UnknownAuthor,
            Missing::Member(header.author.clone()),
            format!("author {} is not a member", header.author),
        )
        .into());
    };
    if member.suspended && !envelope.events().iter().all(Event::defends) {
        return reject(Code::AuthorSuspended, format!("{} is suspended", header.author));
    }
    if let Some(successor) = &member.successor {
        let text = format!("{} was succeeded by {successor}", header.author);
        return reject(Code::AuthorSucceeded, text);
    }
    check_keys(state, &member, envelope)?;
    Ok(member)
}

/// The keys that signed are the author's, and suffice for every event. Implements [LED-ENV-3],
/// [LED-MEM-3] and [LED-MEM-8].
fn check_keys(
    state: &State,
    member: &MemberRecord,
    envelope: &VerifiedEnvelope,
) -> Result<(), Refusal> {
    let mut signed: Vec<&[Scope]> = Vec::new();
    for s in envelope.signatures() {
        match member.scopes_of(&s.key) {
            Some(scopes) => signed.push(scopes),
            None => {
                return Err(crate::member::no_key(state, &envelope.header().author, &s.key)?.into());
            }
        }
    }
    // No key signs twice: a verified envelope has each at most once.
    let with_scope = |event: &Event| signed.iter().filter(|s| s.contains(&event.scope())).count();
    for event in envelope.events() {
        if with_scope(event) == 0 {
            let text =
                format!("{} needs a key with the scope {}", event.name(), word(&event.scope()));
            return Err(Reject::new(Code::KeyOutOfScope, text).into());
        }
    }
    let concerned =
        |event: &Event| event.two_key_act().is_some() || event.key_change() != KeyChange::None;
    let mut required: BTreeSet<TwoKeyAct> = member.two_keys.iter().copied().collect();
    if envelope.events().iter().any(concerned) {
        required.extend(state.rulebook()?.1.two_keys.iter().copied());
    }
    let unlocks = |event: &&Event| unlocks(event, &required);
    let unlocking = envelope.events().iter().filter(unlocks).count();
    let only_replaces = unlocking <= signers_ended(member, envelope, &required);
    for event in envelope.events() {
        let needs_two = event.two_key_act().is_some_and(|act| required.contains(&act))
            || (event.key_change() == KeyChange::Chooses && !required.is_empty())
            || (unlocks(&event) && !only_replaces);
        if needs_two && with_scope(event) < 2 {
            let text =
                format!("{} needs two keys with the scope {}", event.name(), word(&event.scope()));
            return Err(Reject::new(Code::TwoKeysRequired, text).into());
        }
    }
    Ok(())
}

/// Whether an event adds a key that could be the second one for what needs two, or add one that
/// is. Implements [LED-MEM-8].
fn unlocks(event: &Event, required: &BTreeSet<TwoKeyAct>) -> bool {
    match event.key_change() {
        KeyChange::Adds(scopes) => opens(scopes, required),
        KeyChange::None | KeyChange::Ends(..) | KeyChange::Chooses => false,
    }
}

/// Whether a key with these scopes could be the second one for what needs two, or add it.
fn opens(scopes: &[Scope], required: &BTreeSet<TwoKeyAct>) -> bool {
    required.iter().any(|act| scopes.contains(&act.scope()) || scopes.contains(&Scope::Admin))
}

/// How many of the keys that signed an envelope, and could be such a second one, it ends: as many
/// can be added in their place, and nobody has more of them than before.
fn signers_ended(
    member: &MemberRecord,
    envelope: &VerifiedEnvelope,
    required: &BTreeSet<TwoKeyAct>,
) -> usize {
    let author = &envelope.header().author;
    let signers = envelope.signatures().iter();
    let ended = |key| {
        let end = KeyChange::Ends(author, key);
        envelope.events().iter().any(|event| event.key_change() == end)
    };
    let opened = |key| member.scopes_of(key).is_some_and(|scopes| opens(scopes, required));
    signers.filter(|s| opened(&s.key) && ended(&s.key)).count()
}
