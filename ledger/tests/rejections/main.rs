//! Every reason to refuse an envelope, provoked the real way: bytes, decoding, verification,
//! execution. A row is a code, what happens in words, and the steps that lead there; the last
//! step's bytes must be refused with exactly that code and change nothing.

#[path = "../support/mod.rs"]
mod support;

mod assets;
mod conditions;
mod disputes;
mod envelopes;
mod governance;
mod grants;
mod market;
mod members;
mod payouts;
mod permits;
mod register;
mod rights;
mod set_offs;
mod suspensions;
mod trade;

use std::collections::BTreeSet;

use headwater_ledger::envelope::SignedEnvelope;
use headwater_ledger::execute::{Executed, Execution};
use headwater_ledger::hash::{AccountId, AssetId, Digest, GrantId, RequestId};
use headwater_ledger::reject::{Code, Outlook, Refusal, Reject};
use headwater_ledger::state::{Key, Records as _, View as _};
use support::World;

/// Takes a world to the point, and gives the bytes that must be refused.
type Steps = fn(&mut World) -> Vec<u8>;

/// A code, what happens, and how.
pub struct Row(Code, &'static str, Steps);

fn tables() -> Vec<&'static Row> {
    [
        envelopes::ROWS,
        members::ROWS,
        governance::ROWS,
        assets::ROWS,
        conditions::ROWS,
        rights::ROWS,
        grants::ROWS,
        permits::ROWS,
        market::ROWS,
        payouts::ROWS,
        set_offs::ROWS,
        suspensions::ROWS,
        trade::ROWS,
        register::ROWS,
        disputes::ROWS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The next block, with what the story puts before.
fn begin(world: &World) -> Execution {
    let mut execution = Execution::begin(&world.state, world.context()).unwrap();
    for bytes in &world.before {
        let envelope = SignedEnvelope::from_bytes(bytes).and_then(SignedEnvelope::verify);
        execution.apply(&envelope.unwrap()).unwrap();
    }
    execution
}

/// Executes a block that tries these bytes, on top of the world as it is.
fn block_with(world: &World, bytes: &[u8]) -> (Result<(), Reject>, Executed) {
    let mut execution = begin(world);
    let verified = SignedEnvelope::from_bytes(bytes).and_then(SignedEnvelope::verify);
    let verdict = verified.and_then(|envelope| match execution.apply(&envelope) {
        Ok(_) => Ok(()),
        Err(Refusal::Reject(reject)) => Err(reject),
        Err(Refusal::Fault(fault)) => panic!("the ledger failed: {fault}"),
    });
    (verdict, execution.finish().unwrap())
}

fn check(row: &Row) {
    let Row(code, what, steps) = row;
    let mut world = World::default();
    let bytes = steps(&mut world);
    let without = begin(&world).finish().unwrap();
    let before = world.state.root();
    let (verdict, block) = block_with(&world, &bytes);
    let reject = verdict.expect_err(what);
    assert_eq!(reject.code, *code, "{what}: {reject}");
    assert_eq!(block.state_root, without.state_root, "{what}: it left a trace");
    assert_eq!((block.envelopes, block.events), (without.envelopes, without.events), "{what}");
    assert_eq!(block.envelope_root, without.envelope_root, "{what}");
    assert_eq!(block.effects, without.effects, "{what}");
    assert_eq!(world.state.root(), before, "{what}: the snapshot changed");
    let waits = code.outlook() == Outlook::AwaitsReference;
    assert_eq!(reject.missing.is_some(), waits, "{what}: what it waits for");
    assert!(!reject.message.is_empty(), "{what}: a refusal is a sentence");
    // Moments are told as dates, amounts with their currency, choices by the words people use.
    let words = || reject.message.split(|c: char| !c.is_ascii_alphanumeric());
    let of_time = |figure: u64| (1_000_000_000_000..1_000_000_000_000_000).contains(&figure);
    assert!(!words().filter_map(|w| w.parse().ok()).any(of_time), "{what}: {reject}");
    let of_code = |w: &str| {
        let mut letters = w.chars();
        letters.next().is_some_and(|c| c.is_ascii_uppercase())
            && letters.next().is_some_and(|c| c.is_ascii_lowercase())
    };
    // What is no envelope is told in the words of whoever builds one.
    assert!(*code == Code::NonCanonical || !words().any(of_code), "{what}: {reject}");
    for word in reject.message.split(|c: char| !c.is_ascii_alphanumeric() && c != ':') {
        let Ok(id) = word.parse::<Digest>() else { continue };
        let (asset, account) = (AssetId::from_digest(id), AccountId::from_digest(id));
        let (grant, request) = (GrantId::from_digest(id), Key::Request(RequestId::from_digest(id)));
        let named = world.state.asset(&asset).unwrap().is_some()
            || world.state.account(&account).unwrap().is_some()
            || world.state.grant(&grant).unwrap().is_some()
            || world.state.value(&request).unwrap().is_some();
        assert!(!named, "{what}: by its name, not its id: {reject}");
    }
}

#[test]
fn every_refusal_has_its_code_and_leaves_no_trace() {
    let rows = tables();
    let broken: Vec<String> = rows
        .into_iter()
        .filter_map(|row| {
            let outcome = std::panic::catch_unwind(|| check(row));
            outcome.err().map(|_| format!("{}: {}", row.0, row.1))
        })
        .collect();
    assert!(broken.is_empty(), "rows that do not hold:\n{}", broken.join("\n"));
}

#[test]
fn every_code_has_a_row() {
    let covered: BTreeSet<Code> = tables().into_iter().map(|row| row.0).collect();
    let missing: Vec<&Code> = Code::ALL.iter().filter(|code| !covered.contains(code)).collect();
    assert!(missing.is_empty(), "codes that no row provokes: {missing:?}");
}

#[test]
fn every_row_tells_a_story_of_its_own() {
    let rows = tables();
    let told: BTreeSet<&str> = rows.iter().map(|row| row.1).collect();
    assert_eq!(told.len(), rows.len());
}
