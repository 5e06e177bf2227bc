//! Refusals of the envelope itself, whatever it holds.

use headwater_ledger::codec;
use headwater_ledger::envelope::{Envelope, EnvelopeHeader, KeySignature, SignedEnvelope};
use headwater_ledger::event::Event;
use headwater_ledger::event::dispute::{Redirect, RuleDispute, Ruling};
use headwater_ledger::event::member::Scope;
use headwater_ledger::hash::{ChainId, DisputeId};
use headwater_ledger::keys::Signature;
use headwater_ledger::limits::{
    MAX_ADJUSTMENTS, MAX_ENVELOPE_BYTES, MAX_EVENTS, MAX_INPUTS, MAX_PROOF,
};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;

use crate::Row;
use crate::support::members::*;
use crate::support::*;

/// An envelope of the chest hospital that would pass.
fn good(w: &mut World) -> Envelope {
    w.envelope(CHEST, vec![raw("fna-2026").event()])
}

/// The same with another header.
fn with(w: &mut World, change: impl FnOnce(&mut EnvelopeHeader)) -> Vec<u8> {
    let mut envelope = good(w);
    change(&mut envelope.header);
    signed(envelope, &[CHEST])
}

/// The bytes of an envelope without any signature.
fn unsigned(envelope: Envelope) -> Vec<u8> {
    SignedEnvelope { envelope, signatures: list(&[]) }.to_bytes().unwrap()
}

/// The same bytes with another number in the place of one found by its bytes.
fn patched(bytes: Vec<u8>, find: &[u8], put: &[u8]) -> Vec<u8> {
    let mut bytes = bytes;
    let at: Vec<usize> =
        (0..=bytes.len() - find.len()).filter(|at| bytes[*at..].starts_with(find)).collect();
    assert_eq!(at.len(), 1, "the place is unambiguous");
    bytes[at[0]..at[0] + put.len()].copy_from_slice(put);
    bytes
}

/// Where the signatures begin: their number, a key of 33 and a signature of 65 bytes.
fn signatures_at(bytes: &[u8]) -> usize {
    bytes.len() - (8 + 33 + 65)
}

/// A registration of a merge of as many inputs as there may be.
fn widest(w: &World, name: &str) -> Event {
    let part = |i: usize| w.asset(&format!("chest-hospital/part-{i}"));
    let inputs: Vec<_> = (0..MAX_INPUTS).map(|i| input(part(i), 1, None)).collect();
    processed(name, &inputs).event()
}

pub const ROWS: &[Row] = &[
    Row(Code::NonCanonical, "bytes that are no envelope", |_| b"headwater".to_vec()),
    Row(Code::NonCanonical, "no bytes at all", |_| Vec::new()),
    Row(Code::NonCanonical, "the last byte is cut off", |w| {
        let mut bytes = w.by(CHEST, raw("fna-2026"));
        bytes.pop();
        bytes
    }),
    Row(Code::NonCanonical, "an event that does not exist", |w| {
        let envelope = w.envelope(CHEST, vec![suspend(COUNTY).event()]);
        let bytes = signed(envelope, &[CHEST]);
        // Event 1, then the length and the text of the handle.
        let name = [&15u64.to_le_bytes()[..], COUNTY.as_bytes()].concat();
        let find = [&1u32.to_le_bytes()[..], &name].concat();
        patched(bytes, &find, &99u32.to_le_bytes())
    }),
    Row(Code::NonCanonical, "a handle in capitals", |w| {
        patched(w.by(CHEST, suspend(COUNTY)), COUNTY.as_bytes(), b"COUNTY-HOSPITAL")
    }),
    Row(Code::NonCanonical, "a signature with an unknown algorithm", |w| {
        let mut bytes = w.by(CHEST, raw("fna-2026"));
        let at = signatures_at(&bytes);
        bytes[at + 8] = 2;
        bytes
    }),
    Row(Code::NonCanonical, "an absent value marked neither absent nor present", |w| {
        let mut bytes = w.by(CHEST, raw("fna-2026"));
        // The derivation is the last field of the last event.
        let at = signatures_at(&bytes) - 1;
        assert_eq!(bytes[at], 0);
        bytes[at] = 2;
        bytes
    }),
    Row(Code::TrailingBytes, "a byte after the envelope", |w| {
        let mut bytes = w.by(CHEST, raw("fna-2026"));
        bytes.push(0);
        bytes
    }),
    Row(Code::TrailingBytes, "two envelopes at once", |w| {
        [w.by(CHEST, raw("fna-2026")), w.by(CHEST, raw("fna-2027"))].concat()
    }),
    Row(Code::OverLimit, "more bytes than an envelope may have", |_| {
        vec![0; MAX_ENVELOPE_BYTES + 1]
    }),
    Row(Code::OverLimit, "more events than an envelope may have", |w| {
        let envelope = good(w);
        let header = codec::encode(&envelope.header).unwrap();
        let mut bytes = signed(envelope, &[CHEST]);
        let many = MAX_EVENTS as u64 + 1;
        bytes[header.len()..header.len() + 8].copy_from_slice(&many.to_le_bytes());
        bytes
    }),
    Row(Code::OverLimit, "a list of 2^64 - 1 signatures", |w| {
        let mut bytes = w.by(CHEST, raw("fna-2026"));
        let at = signatures_at(&bytes);
        bytes[at..at + 8].fill(0xff);
        bytes
    }),
    Row(Code::OverLimit, "a handle of 33 letters", |w| {
        let name = [&15u64.to_le_bytes()[..], COUNTY.as_bytes()].concat();
        patched(w.by(CHEST, suspend(COUNTY)), &name, &33u64.to_le_bytes())
    }),
    Row(Code::OverLimit, "an event of more than 64 KiB", |w| {
        let mut line =
            adjustment(w.asset("chest-hospital/fna-2026"), Right::Holding, digest("account"));
        line.claim.proof = list(&[digest("node"); MAX_PROOF]);
        let adjustments = list(&vec![line; MAX_ADJUSTMENTS]);
        let ruling = Ruling::Redirect(Redirect { to: handle(COUNTY), adjustments });
        let dispute = DisputeId::from_digest(digest("dispute"));
        let event = RuleDispute { dispute, ruling, reasons: digest("reasons") }.event();
        unsigned(w.envelope(CHEST, vec![event]))
    }),
    Row(Code::NoEvents, "an envelope without events", |w| {
        signed(w.envelope(CHEST, vec![]), &[CHEST])
    }),
    Row(Code::UnsupportedVersion, "an envelope of the next version", |w| {
        with(w, |header| header.version = 2)
    }),
    Row(Code::WrongChain, "signed for another chain", |w| {
        with(w, |header| header.chain_id = ChainId::from_digest(digest("elsewhere")))
    }),
    Row(Code::Expired, "a millisecond too late", |w| {
        let expired = w.now_ms - 1;
        with(w, |header| header.not_after_ms = expired)
    }),
    Row(Code::Expired, "signed in time, submitted after its hour", |w| {
        let bytes = w.by(CHEST, raw("fna-2026"));
        w.pass(HOUR_MS + 1);
        bytes
    }),
    Row(Code::NotAfterTooFar, "a millisecond more than a day ahead", |w| {
        let far = w.now_ms + DAY_MS + 1;
        with(w, |header| header.not_after_ms = far)
    }),
    Row(Code::DuplicateEnvelope, "the same envelope twice", |w| {
        let bytes = w.by(CHEST, raw("fna-2026"));
        w.submit(&bytes).unwrap();
        bytes
    }),
    Row(Code::DuplicateEnvelope, "the same envelope once more, at the last moment", |w| {
        let bytes = w.by(CHEST, raw("fna-2026"));
        let not_after = w.now_ms + HOUR_MS;
        w.submit(&bytes).unwrap();
        w.now_ms = not_after;
        bytes
    }),
    Row(Code::DuplicateEnvelope, "the same envelope with one more signature", |w| {
        let envelope = w.envelope(COUNTY, vec![raw("fna-2026").event()]);
        let once = signed(envelope.clone(), &[COUNTY]);
        w.submit(&once).unwrap();
        signed(envelope, &[COUNTY, PIPELINE_KEY])
    }),
    Row(Code::UnknownAuthor, "an author who was never admitted", |w| {
        w.by("unheard-of", raw("fna-2026"))
    }),
    Row(Code::AuthorSuspended, "a suspended author", |w| {
        w.record(REGULATOR, suspend(CHEST));
        w.by(CHEST, raw("fna-2026"))
    }),
    Row(Code::Unsigned, "an envelope nobody signed", |w| unsigned(good(w))),
    Row(Code::KeyUnknown, "signed with the key of another member", |w| signed(good(w), &[COUNTY])),
    Row(Code::KeyUnknown, "signed by the author and by a stranger", |w| {
        signed(good(w), &[CHEST, "unheard-of"])
    }),
    Row(Code::BadSignature, "one bit of the signature is wrong", |w| {
        let mut bytes = w.by(CHEST, raw("fna-2026"));
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    }),
    Row(Code::BadSignature, "the content changed after it was signed", |w| {
        let bytes = w.by(CHEST, raw("fna-2026"));
        let mut envelope = SignedEnvelope::from_bytes(&bytes).unwrap();
        envelope.envelope.events = list(&[raw("fna-2027").event()]);
        envelope.to_bytes().unwrap()
    }),
    Row(Code::BadSignature, "a signature under the name of another key", |w| {
        let bytes = w.by(CHEST, raw("fna-2026"));
        let mut envelope = SignedEnvelope::from_bytes(&bytes).unwrap();
        let signature = envelope.signatures[0].signature;
        envelope.signatures = list(&[KeySignature { key: key(COUNTY).public_key(), signature }]);
        envelope.to_bytes().unwrap()
    }),
    Row(Code::BadSignature, "the same key signed twice", |w| signed(good(w), &[CHEST, CHEST])),
    Row(Code::BadSignature, "a second signature of zeros", |w| {
        let envelope = w.envelope(COUNTY, vec![raw("fna-2026").event()]);
        let bytes = signed(envelope, &[COUNTY]);
        let mut envelope = SignedEnvelope::from_bytes(&bytes).unwrap();
        let first = envelope.signatures[0].clone();
        let key = key(PIPELINE_KEY).public_key();
        let empty = KeySignature { key, signature: Signature::Ed25519([0; 64]) };
        let mut both = [first, empty];
        both.sort_by_key(|s| s.key);
        envelope.signatures = list(&both);
        envelope.to_bytes().unwrap()
    }),
    Row(Code::BadSignature, "two valid signatures passed on in another order", |w| {
        w.record(CHEST, add_key("second", &Scope::ALL));
        let bytes = signed(w.envelope(CHEST, vec![raw("fna-2026").event()]), &[CHEST, "second"]);
        let mut envelope = SignedEnvelope::from_bytes(&bytes).unwrap();
        let mut both = envelope.signatures.to_vec();
        both.reverse();
        envelope.signatures = list(&both);
        envelope.to_bytes().unwrap()
    }),
    Row(Code::KeyOutOfScope, "a registration key offers a grant", |w| {
        w.record(COUNTY, raw("fna-2026"));
        let offer = processing_grant(w.asset("county-hospital/fna-2026"), LAB, terms());
        let envelope = w.envelope(COUNTY, vec![offer.event()]);
        signed(envelope, &[PIPELINE_KEY])
    }),
    Row(Code::KeyOutOfScope, "one event of two is outside the key's scope", |w| {
        let offer = processing_grant(w.asset("county-hospital/fna-2026"), LAB, terms());
        let events = vec![raw("fna-2026").event(), offer.event()];
        let envelope = w.envelope(COUNTY, events);
        signed(envelope, &[PIPELINE_KEY])
    }),
    Row(Code::OverWeight, "27 merges of 512 inputs in one envelope", |w| {
        let events = (0..27).map(|i| widest(w, &format!("merged-{i}"))).collect();
        signed(w.envelope(CHEST, events), &[CHEST])
    }),
    Row(Code::OverWeight, "listings that walk more than a block may, each by itself light", |w| {
        // 512 own inputs take four units of weight each to look at, whoever lists.
        w.all(CHEST, (0..MAX_INPUTS).map(|i| raw(&format!("part-{i}")).event()).collect());
        let part = |i: usize| w.asset(&format!("{CHEST}/part-{i}"));
        let parts: Vec<_> = (0..MAX_INPUTS).map(|i| input(part(i), 1, None)).collect();
        w.record(CHEST, processed("merged", &parts));
        let merged = w.asset("chest-hospital/merged");
        let offer = || operation_grant(merged, LAB, 1).event();
        signed(w.envelope(CHEST, (0..130).map(|_| offer()).collect()), &[CHEST])
    }),
    Row(Code::BlockFull, "an envelope for which the block has no room", |w| {
        w.all(CHEST, (0..MAX_INPUTS).map(|i| raw(&format!("part-{i}")).event()).collect());
        let merges = |w: &mut World, names: std::ops::Range<usize>| {
            let events = names.map(|i| widest(w, &format!("merged-{i}"))).collect();
            signed(w.envelope(CHEST, events), &[CHEST])
        };
        w.before = vec![merges(w, 0..20)];
        merges(w, 20..30)
    }),
    Row(Code::RoleRequired, "a hospital admits a member", |w| {
        w.by(CHEST, admit("new-hospital", headwater_ledger::event::member::Role::Holder))
    }),
    Row(Code::RoleRequired, "an exchange suspends a member", |w| w.by(GZ, suspend(CHEST))),
    Row(Code::RoleRequired, "an exchange lifts a suspension", |w| {
        w.record(REGULATOR, suspend(CHEST));
        w.by(GZ, reinstate(CHEST))
    }),
    Row(Code::RoleRequired, "a regulator admits a member", |w| {
        w.by(REGULATOR, admit("new-hospital", headwater_ledger::event::member::Role::Holder))
    }),
];
