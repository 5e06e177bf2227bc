//! Envelopes: atomic, deterministic, recorded at most once, named without their signatures, and
//! each event shown alone.

use std::collections::BTreeMap;

use headwater_ledger::codec;
use headwater_ledger::envelope::{SignedEnvelope, event_id};
use headwater_ledger::event::Event;
use headwater_ledger::execute::{Execution, expiry_hour};
use headwater_ledger::hash::{Context, EnvelopeId};
use headwater_ledger::limits::MAX_ENVELOPE_BYTES;
use headwater_ledger::merkle::tree::{InclusionProof, Leaf, root};
use headwater_ledger::state::{Key, View};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::*;

fn registrations(names: std::ops::Range<usize>) -> Vec<Event> {
    names.map(|i| raw(&format!("set-{i}")).event()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Holds [LED-EXE-2].
    #[test]
    fn one_bad_event_undoes_its_envelope(good in 1usize..12, at in any::<Index>(), kind in 0..3) {
        let mut w = World::sources();
        let bad = match kind {
            0 => suspend(CHEST).event(),
            1 => raw("fna-2026").event(),
            _ => processing_grant(w.asset("county-hospital/fna-2026"), LAB, terms()).event(),
        };
        let mut events = registrations(0..good);
        events.insert(at.index(good + 1), bad);
        let spoiled = signed(w.envelope(CHEST, events), &[CHEST]);
        let whole = signed(w.envelope(CHEST, registrations(0..good)), &[CHEST]);

        let mut tried = Execution::begin(&w.state, w.context()).unwrap();
        let envelope = |bytes: &[u8]| SignedEnvelope::from_bytes(bytes).unwrap().verify().unwrap();
        prop_assert!(tried.apply(&envelope(&spoiled)).is_err());
        prop_assert_eq!((tried.len(), tried.weight()), (0, 0));
        tried.apply(&envelope(&whole)).unwrap();
        let mut clean = Execution::begin(&w.state, w.context()).unwrap();
        clean.apply(&envelope(&whole)).unwrap();
        let (tried, clean) = (tried.finish().unwrap(), clean.finish().unwrap());
        prop_assert_eq!(tried.state_root, clean.state_root);
        prop_assert_eq!(tried.envelope_root, clean.envelope_root);
        prop_assert_eq!(tried.events as usize, good);
    }

    /// Whatever byte of an envelope changes, nothing is recorded.
    #[test]
    fn no_changed_byte_is_recorded(at in any::<Index>(), flip in 1u8..) {
        let mut w = World::sources();
        let bytes = w.by(CHEST, raw("fna-2027"));
        let mut changed = bytes.clone();
        let at = at.index(bytes.len());
        changed[at] ^= flip;
        prop_assert!(w.submit(&changed).is_err(), "byte {at}");
        prop_assert!(w.submit(&bytes).is_ok());
    }

    /// Holds [LED-ENV-1]: header and event root name an envelope, and one event is shown alone.
    #[test]
    fn each_event_is_shown_without_the_others(count in 1usize..40, at in any::<Index>()) {
        let mut w = World::default();
        let envelope = w.envelope(CHEST, registrations(0..count));
        let encoded: Vec<Vec<u8>> =
            envelope.events.iter().map(|e| codec::encode(e).unwrap()).collect();
        let leaves: Vec<Leaf> = encoded.iter().map(|bytes| Leaf::of(bytes)).collect();
        let at = at.index(count);
        let proof = InclusionProof::of(&leaves, at).unwrap();

        // What a verifier holds: the header, one event, the proof, the id.
        let root = root(&leaves);
        prop_assert!(proof.verify(&root, &Leaf::of(&encoded[at])));
        let header = codec::encode(&envelope.header).unwrap();
        let named = Context::ENVELOPE.hash(&[&header, &root.to_bytes()]);
        let id = envelope.id().unwrap();
        prop_assert_eq!(id, EnvelopeId::from_digest(named));
        let other = (at + 1) % count;
        if other != at {
            prop_assert!(!proof.verify(&root, &Leaf::of(&encoded[other])));
            prop_assert_ne!(event_id(&id, at as u32), event_id(&id, other as u32));
        }
    }

    /// Holds [LED-ENV-5]: an id is kept as long as its envelope could come again, and then goes,
    /// with everything that was kept beside it.
    #[test]
    fn ids_are_kept_until_their_hour_is_over_and_no_longer(
        steps in prop::collection::vec((0u64..3 * HOUR_MS, 0u64..=DAY_MS), 1..40),
    ) {
        let mut w = World::default();
        let mut model: BTreeMap<EnvelopeId, (u64, Vec<u8>)> = BTreeMap::new();
        for (i, (passed, ahead)) in steps.into_iter().enumerate() {
            w.pass(passed);
            let mut envelope = w.envelope(CHEST, registrations(i..i + 1));
            envelope.header.not_after_ms = w.now_ms + ahead;
            let bytes = signed(envelope.clone(), &[CHEST]);
            let now = w.now_ms;
            w.submit(&bytes).unwrap();
            model.insert(envelope.id().unwrap(), (now + ahead, bytes));
            let mut kept = 0;
            for (id, (not_after, bytes)) in &model {
                let recorded = w.state.value(&Key::Recorded(*id)).unwrap().is_some();
                prop_assert_eq!(recorded, expiry_hour(*not_after) >= expiry_hour(now));
                kept += usize::from(recorded);
                let mut again = w.clone();
                again.now_ms = now;
                let code = again.submit(bytes).unwrap_err().code.name();
                let expected = if *not_after < now { "EXPIRED" } else { "DUPLICATE_ENVELOPE" };
                prop_assert_eq!(code, expected);
            }
            // Asset, inputs and content of each registration, two lists, and the lists of what
            // expires when.
            let fixed = World::default().state.map().len() + 2 + 3 * (i + 1);
            let hours: std::collections::BTreeSet<u64> = model
                .values()
                .map(|(not_after, _)| expiry_hour(*not_after))
                .filter(|hour| *hour >= expiry_hour(now))
                .collect();
            prop_assert_eq!(w.state.map().len(), fixed + 2 * kept + hours.len());
        }
    }
}

/// Holds [LED-ENV-5]: a chain that stood still for months catches up, some hours at a time.
#[test]
fn pruning_catches_up_after_a_long_silence() {
    let mut w = World::default();
    let bytes = w.by(CHEST, raw("fna-2026"));
    let id = SignedEnvelope::from_bytes(&bytes).unwrap().envelope.id().unwrap();
    w.submit(&bytes).unwrap();
    w.pass(2_500 * HOUR_MS);
    let mut cursors = Vec::new();
    for i in 0..4 {
        w.record(CHEST, raw(&format!("set-{i}")));
        assert!(w.state.value(&Key::Recorded(id)).unwrap().is_none());
        cursors.push(w.state.get::<u64>(&Key::PruneCursor).unwrap().unwrap());
    }
    let now = expiry_hour(w.now_ms);
    assert_eq!(cursors[0], expiry_hour(GENESIS_MS) + 1_000);
    assert_eq!(cursors[1], expiry_hour(GENESIS_MS) + 2_000);
    assert_eq!(cursors[2..], [now, now]);
}

/// Holds [LED-ENV-1]: who signed changes the block's leaf, and never a name.
#[test]
fn names_do_not_depend_on_signatures() {
    let mut w = World::default();
    let envelope = w.envelope(COUNTY, registrations(0..2));
    let verified = |keys: &[&str]| {
        let bytes = signed(envelope.clone(), keys);
        SignedEnvelope::from_bytes(&bytes).unwrap().verify().unwrap()
    };
    let (one, two) = (verified(&[COUNTY]), verified(&[COUNTY, PIPELINE_KEY]));
    assert_eq!(one.id(), two.id());
    assert_ne!(one.leaf(), two.leaf());
    let run = |envelope| {
        let mut execution = Execution::begin(&w.state, w.context()).unwrap();
        execution.apply(envelope).unwrap();
        execution.finish().unwrap()
    };
    let (one, two) = (run(&one), run(&two));
    assert_eq!(one.state_root, two.state_root);
    assert_eq!(one.effects, two.effects);
    assert_ne!(one.envelope_root, two.envelope_root);
}

/// Salt, author, chain, time and every event are in the name.
#[test]
fn different_envelopes_have_different_names() {
    let mut w = World::default();
    let a = w.envelope(CHEST, registrations(0..2));
    let vary = |change: fn(&mut headwater_ledger::envelope::Envelope)| {
        let mut other = a.clone();
        change(&mut other);
        other.id().unwrap()
    };
    let ids = [
        a.id().unwrap(),
        vary(|e| e.header.salt[15] ^= 1),
        vary(|e| e.header.author = handle(COUNTY)),
        vary(|e| e.header.not_after_ms += 1),
        vary(|e| e.header.version += 1),
        vary(|e| {
            e.header.chain_id = headwater_ledger::hash::ChainId::from_digest(digest("x"));
        }),
        vary(|e| e.events = list(&registrations(0..1))),
        vary(|e| e.events = list(&[raw("set-1").event(), raw("set-0").event()])),
    ];
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
}

/// Holds [LED-LIM-1]: an envelope that was built here has the limits of one that was received.
#[test]
fn an_envelope_built_in_place_has_the_same_limits() {
    let mut w = World::default();
    let source = input(w.asset("chest-hospital/fna-2026"), 1, None);
    let long = |i: usize| {
        let mut asset = processed(&format!("{i:0>64}"), std::slice::from_ref(&source));
        asset.metadata.format = "F".repeat(64).parse().unwrap();
        asset.metadata.region = "R".repeat(64).parse().unwrap();
        doing(asset, |a| {
            a.territory = "T".repeat(64).parse().unwrap();
            a.purposes = list(&[headwater_ledger::event::asset::Purpose::Commercial; 32]);
        })
        .event()
    };
    let mut sealed = |count: usize| {
        let envelope = w.envelope(CHEST, (0..count).map(long).collect());
        envelope.sign(&[&key(CHEST)]).unwrap()
    };
    let within = sealed(3_000);
    assert!(within.to_bytes().unwrap().len() <= MAX_ENVELOPE_BYTES);
    assert!(within.verify().is_ok());
    // The most of these that are light enough.
    let beyond = sealed(3_440);
    assert!(beyond.to_bytes().unwrap().len() > MAX_ENVELOPE_BYTES);
    assert_eq!(beyond.verify().unwrap_err().code.name(), "OVER_LIMIT");
}
