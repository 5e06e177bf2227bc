//! The guard signs each slot once, forgets nothing and knows a copy.

use super::*;
use headwater_ledger::hash::Digest;
use proptest::prelude::*;

fn chain() -> ChainId {
    ChainId::from_digest(Digest::Blake3([1; 32]))
}
fn me() -> ValidatorAddress {
    ValidatorAddress::from_digest(Digest::Blake3([2; 32]))
}
fn slot(height: u64, round: u32, step: Step) -> Slot {
    Slot { height, round, step }
}
fn nil() -> Content {
    Content { block_id: None, pol_round: None }
}
fn block(seed: u8) -> Content {
    Content { block_id: Some(BlockId::from_digest(Digest::Blake3([seed; 32]))), pol_round: None }
}
fn reopened(home: &Path) -> Guard {
    match Guard::find(home, chain(), me()).unwrap() {
        Found::Guard(guard) => guard,
        Found::Nothing => panic!("no record"),
    }
}
fn refused(result: Result<Content, GuardError>) -> Refusal {
    match result {
        Err(GuardError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_signed_is_on_disk_before_the_answer() {
    let home = tempfile::tempdir().unwrap();
    let mut guard = Guard::vouch(home.path(), chain(), me(), 0).unwrap();
    for (round, step) in
        [(0, Step::Propose), (0, Step::Prevote), (0, Step::Precommit), (1, Step::Prevote)]
    {
        let asked = slot(1, round, step);
        assert_eq!(guard.admit(asked, block(7)).unwrap(), block(7));
        let found = reopened(home.path());
        assert_eq!((found.record.slot, found.record.content), (asked, block(7)));
    }
}

#[test]
fn an_earlier_slot_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let mut guard = Guard::vouch(home.path(), chain(), me(), 4).unwrap();
    let last = slot(5, 2, Step::Prevote);
    guard.admit(last, block(1)).unwrap();
    for asked in [
        slot(5, 2, Step::Propose),
        slot(5, 1, Step::Precommit),
        slot(4, u32::MAX, Step::Precommit),
        slot(1, 0, Step::Propose),
    ] {
        assert_eq!(refused(guard.admit(asked, block(1))), Refusal { asked, signed: last });
    }
    assert_eq!(guard.admit(slot(5, 2, Step::Precommit), nil()).unwrap(), nil());
}

#[test]
fn the_same_slot_gives_the_same_message_again() {
    let home = tempfile::tempdir().unwrap();
    let mut guard = Guard::vouch(home.path(), chain(), me(), 0).unwrap();
    for (step, first, then) in [
        (Step::Propose, block(1), block(2)),
        (Step::Prevote, block(1), nil()),
        (Step::Prevote, nil(), block(1)),
        (Step::Precommit, nil(), block(1)),
        (Step::Precommit, block(1), block(1)),
    ] {
        let asked = slot(guard.last().height + 1, 0, step);
        assert_eq!(guard.admit(asked, first).unwrap(), first);
        assert_eq!(guard.admit(asked, then).unwrap(), first, "{step:?}");
        assert_eq!(reopened(home.path()).admit(asked, then).unwrap(), first, "{step:?}");
    }
}

#[test]
fn a_forgotten_lock_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let mut guard = Guard::vouch(home.path(), chain(), me(), 0).unwrap();
    let asked = slot(1, 0, Step::Precommit);
    guard.admit(asked, block(1)).unwrap();
    refused(guard.admit(asked, nil()));
    refused(guard.admit(asked, block(2)));

    let asked = slot(1, 3, Step::Propose);
    let locked = Content { pol_round: Some(0), ..block(1) };
    guard.admit(asked, locked).unwrap();
    refused(guard.admit(asked, block(2)));
    assert_eq!(guard.admit(asked, locked).unwrap(), locked);
}

#[test]
fn a_vouched_height_is_closed_and_the_next_one_open() {
    let home = tempfile::tempdir().unwrap();
    let mut guard = Guard::vouch(home.path(), chain(), me(), 9).unwrap();
    refused(guard.admit(slot(9, 7, Step::Precommit), nil()));
    assert_eq!(guard.admit(slot(10, 0, Step::Propose), block(1)).unwrap(), block(1));
}

#[test]
fn missing_and_copied_records_count_as_nothing() {
    let home = tempfile::tempdir().unwrap();
    assert!(matches!(Guard::find(home.path(), chain(), me()).unwrap(), Found::Nothing));
    Guard::vouch(home.path(), chain(), me(), 3).unwrap();
    assert_eq!(reopened(home.path()).last().height, 3);
    let other = tempfile::tempdir().unwrap();
    fs::copy(home.path().join(FILE), other.path().join(FILE)).unwrap();
    assert!(matches!(Guard::find(other.path(), chain(), me()).unwrap(), Found::Nothing));
}

#[test]
fn damaged_and_foreign_records_stop_the_node() {
    let home = tempfile::tempdir().unwrap();
    Guard::vouch(home.path(), chain(), me(), 3).unwrap();
    let other_chain = ChainId::from_digest(Digest::Blake3([9; 32]));
    let found = Guard::find(home.path(), other_chain, me());
    assert!(matches!(found, Err(RecordError::Foreign { .. })), "{found:?}");
    let path = home.path().join(FILE);
    let text = fs::read_to_string(&path).unwrap();
    for damaged in [&text[..text.len() - 2], "", &text.replace("\"version\": 1", "\"version\": 2")]
    {
        fs::write(&path, damaged).unwrap();
        let found = Guard::find(home.path(), chain(), me());
        assert!(matches!(found, Err(RecordError::Damaged { .. })), "{found:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Whatever is asked, with restarts in between, no slot ever carries two messages, and after a
    /// refusal to go on from a lock the lock is never voted against.
    #[test]
    fn no_slot_is_signed_twice(asked in prop::collection::vec((0u64..3, 0u32..3, 0u8..3, 0u8..3, any::<bool>()), 1..60)) {
        let home = tempfile::tempdir().unwrap();
        let mut guard = Guard::vouch(home.path(), chain(), me(), 0).unwrap();
        let mut signed = std::collections::BTreeMap::new();
        for (height, round, step, content, restart) in asked {
            let step = [Step::Propose, Step::Prevote, Step::Precommit][usize::from(step)];
            let content = if content == 0 { nil() } else { block(content) };
            if restart {
                guard = reopened(home.path());
            }
            if let Ok(admitted) = guard.admit(slot(height, round, step), content) {
                let before = *signed.entry(slot(height, round, step)).or_insert(admitted);
                prop_assert_eq!(before, admitted);
            }
        }
        prop_assert!(signed.keys().all(|s| s.height > 0));
    }
}
