//! The byte-level table of the specification, row by row, and how formats grow.

use headwater_ledger::codec::{self, CodecError, List};
use headwater_ledger::envelope::{Envelope, EnvelopeHeader};
use headwater_ledger::event::member::SuspendMember;
use headwater_ledger::event::{AcceptGrant, Event};
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::{ChainId, Context, Digest, GrantId};
use headwater_ledger::keys::{PublicKey, Signature, SigningKey};
use headwater_ledger::merkle::tree::{self, Leaf};
use headwater_ledger::money::Currency;
use headwater_ledger::reject::{Code, Reject};
use headwater_ledger::split::Right;
use headwater_ledger::state::State;
use headwater_ledger::text::{AssetName, DisplayName, Handle};

fn bytes(value: &impl bincode::Encode) -> String {
    hex::encode(codec::encode(value).unwrap())
}

fn code(error: CodecError) -> Code {
    Reject::from(error).code
}

/// Holds [LED-ENC-2].
#[test]
fn every_kind_of_value_has_the_bytes_of_the_table() {
    assert_eq!(bytes(&0x12u8), "12");
    assert_eq!(bytes(&0x1234u16), "3412");
    assert_eq!(bytes(&0x1234_5678u32), "78563412");
    assert_eq!(bytes(&0x0102_0304_0506_0708u64), "0807060504030201");
    assert_eq!(bytes(&true), "01");
    assert_eq!(bytes(&[7u8, 8, 9]), "070809");
    assert_eq!(bytes(&None::<u16>), "00");
    assert_eq!(bytes(&Some(2u16)), "010200");
    assert_eq!(bytes(&List::<u16, 4>::new(vec![1, 2]).unwrap()), "020000000000000001000200");
    assert_eq!(bytes(&vec![1u16, 2]), "020000000000000001000200");
    assert_eq!(bytes(&(1u8, 2u16)), "010200");
    assert_eq!(bytes(&Right::Operation), "02000000");
    assert_eq!(bytes(&"st-mary".parse::<Handle>().unwrap()), "070000000000000073742d6d617279");
    assert_eq!(bytes(&"é".parse::<DisplayName>().unwrap()), "0200000000000000c3a9");
    assert_eq!(bytes(&"CNY".parse::<Currency>().unwrap()), "434e59");
}

/// Holds [LED-ENC-3].
#[test]
fn digests_keys_and_signatures_carry_the_tag_of_their_algorithm() {
    let nines = "09".repeat(32);
    assert_eq!(bytes(&Digest::Blake3([9; 32])), format!("01{nines}"));
    assert_eq!(bytes(&PublicKey::Ed25519([9; 32])), format!("01{nines}"));
    assert_eq!(bytes(&Signature::Ed25519([9; 64])), format!("01{nines}{nines}"));
    for tag in [0u8, 2, 255] {
        let tagged = [&[tag][..], &[9; 64]].concat();
        let digest = codec::decode::<Digest>(&tagged[..33], 33).map_err(code);
        assert_eq!(digest, Err(Code::NonCanonical), "digest of tag {tag}");
        let key = codec::decode::<PublicKey>(&tagged[..33], 33).map_err(code);
        assert_eq!(key, Err(Code::NonCanonical), "key of tag {tag}");
        let signature = codec::decode::<Signature>(&tagged, 65).map_err(code);
        assert_eq!(signature, Err(Code::NonCanonical), "signature of tag {tag}");
    }
    assert_eq!(format!("blake3:{nines}").parse(), Ok(Digest::Blake3([9; 32])));
    assert_eq!(format!("ed25519:{nines}").parse(), Ok(PublicKey::Ed25519([9; 32])));
    for other in [format!("blake3:{}", "AB".repeat(32)), format!("sha256:{nines}"), nines.clone()] {
        assert!(other.parse::<Digest>().is_err(), "{other}");
    }
}

/// Holds [LED-ENC-1].
#[test]
fn what_is_not_canonical_is_refused_in_the_order_of_the_rule() {
    let name = codec::encode(&"notes".parse::<AssetName>().unwrap()).unwrap();
    let refused = |bytes: &[u8], max: usize| codec::decode::<AssetName>(bytes, max).map_err(code);
    assert_eq!(refused(&name, name.len() - 1), Err(Code::OverLimit));
    assert_eq!(refused(&[&name[..], &[0]].concat(), 99), Err(Code::TrailingBytes));
    assert_eq!(refused(&name[..name.len() - 1], 99), Err(Code::NonCanonical));
    // A length above the limit is refused before anything is read or allocated.
    assert_eq!(refused(&u64::MAX.to_le_bytes(), 99), Err(Code::OverLimit));
    assert_eq!(refused(&65u64.to_le_bytes(), 99), Err(Code::OverLimit));
    let mut upper = name.clone();
    upper[8] = b'N';
    assert_eq!(refused(&upper, 99), Err(Code::NonCanonical));
    assert_eq!(codec::decode::<bool>(&[2], 1).map_err(code), Err(Code::NonCanonical));
    assert_eq!(codec::decode::<Option<u8>>(&[2, 0], 2).map_err(code), Err(Code::NonCanonical));
}

fn signed() -> headwater_ledger::envelope::SignedEnvelope {
    let header = EnvelopeHeader {
        version: 1,
        chain_id: ChainId::from_digest(Digest::Blake3([0xcc; 32])),
        author: "st-mary".parse().unwrap(),
        not_after_ms: 1,
        salt: [7; 16],
    };
    let event = Event::SuspendMember(SuspendMember { member: "lab-seven".parse().unwrap() });
    let key = SigningKey::from_seed(&[0x42; 32]);
    Envelope { header, events: List::new(vec![event]).unwrap() }.sign(&[&key]).unwrap()
}

/// Holds [LED-BLK-2].
#[test]
fn the_leaf_of_an_envelope_commits_to_its_signatures_and_its_id_does_not() {
    let one = signed();
    let mut other = one.clone();
    let key = SigningKey::from_seed(&[0x43; 32]);
    other = other.envelope.sign(&[&key]).unwrap();
    let id = one.envelope.id().unwrap();
    let signatures = codec::encode(&one.signatures).unwrap();
    let datum = Context::BLOCK_LEAF.hash32(&[&id.digest().to_bytes(), &signatures]);
    let (one, other) = (one.verify().unwrap(), other.verify().unwrap());
    assert_eq!(one.leaf(), Leaf::of(&datum));
    assert_eq!(one.id(), other.id());
    assert_ne!(tree::root(&[one.leaf()]), tree::root(&[other.leaf()]));
}

/// Holds [LED-VER-1].
#[test]
fn a_genesis_document_of_an_unknown_protocol_version_is_refused() {
    let json = r#"{"name":"example","protocol":3,"time_ms":0,"members":[],"validators":[]}"#;
    let genesis: Genesis = serde_json::from_str(json).unwrap();
    let refused = State::genesis(&genesis).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("protocol version 3"), "{refused}");
}

/// Holds [LED-VER-2].
#[test]
fn an_event_of_a_later_version_is_not_canonical_in_this_one() {
    let grant = GrantId::from_digest(Digest::Blake3([0x33; 32]));
    let mut event = codec::encode(&Event::AcceptGrant(AcceptGrant { grant })).unwrap();
    let last = (0..).find(|tag: &u32| {
        event[..4].copy_from_slice(&tag.to_le_bytes());
        codec::decode::<Event>(&[&event[..4], &[0; 64]].concat(), 99)
            .map_err(|e| e.to_string())
            .is_err_and(|e| e.contains("UnexpectedVariant"))
    });
    assert_eq!(last, Some(69), "the first tag without an event");
    assert_eq!(codec::decode::<Event>(&event, 99).map_err(code), Err(Code::NonCanonical));
}
