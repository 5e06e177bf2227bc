//! Envelopes: what a member signs. Atomic; one signature covers many events.
//!
//! `Envelope` is signed by `SignedEnvelope`, whose bytes travel; `VerifiedEnvelope` is one whose
//! signatures have been checked. Implements [LED-ENV-1] to [LED-ENV-3].

use std::sync::Arc;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError, List};
use crate::event::Event;
use crate::hash::{AssetId, ChainId, Context, EnvelopeId, EventId};
use crate::keys::{PublicKey, Signature, SigningKey};
use crate::limits::{
    MAX_ENVELOPE_BYTES, MAX_ENVELOPE_WEIGHT, MAX_EVENT_BYTES, MAX_EVENTS, MAX_SIGNATURES,
};
use crate::merkle::tree::{self, Leaf};
use crate::reject::{Code, Reject};
use crate::text::{AssetName, Handle};

/// The only envelope version of protocol version 1.
pub const ENVELOPE_VERSION: u16 = 1;

/// What an envelope is about, before its events.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeHeader {
    /// [`ENVELOPE_VERSION`].
    pub version: u16,
    /// The chain it is for.
    pub chain_id: ChainId,
    /// The member whose acts these are.
    pub author: Handle,
    /// Last block time at which it may be recorded, milliseconds since 1970.
    pub not_after_ms: u64,
    /// Random, so that equal acts have different ids.
    pub salt: [u8; 16],
}

/// A header and its events.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// What it is about.
    pub header: EnvelopeHeader,
    /// The acts, all recorded or none.
    pub events: List<Event, MAX_EVENTS>,
}

impl Envelope {
    /// The id: header and Merkle root of the events, never the signatures.
    pub fn id(&self) -> Result<EnvelopeId, Reject> {
        let mut leaves = Vec::with_capacity(self.events.len());
        for event in &self.events {
            let bytes = codec::encode(event)?;
            if bytes.len() > MAX_EVENT_BYTES {
                return Err(Reject::new(
                    Code::OverLimit,
                    format!("an event has {} bytes, at most {MAX_EVENT_BYTES}", bytes.len()),
                ));
            }
            leaves.push(Leaf::of(&bytes));
        }
        let header = codec::encode(&self.header)?;
        let root = tree::root(&leaves);
        Ok(EnvelopeId::from_digest(Context::ENVELOPE.hash(&[&header, &root.to_bytes()])))
    }

    /// Signs with keys of the author, in any order.
    pub fn sign(self, keys: &[&SigningKey]) -> Result<SignedEnvelope, Reject> {
        let message = sign_bytes(&self.id()?);
        let mut signatures: Vec<_> = keys
            .iter()
            .map(|k| KeySignature { key: k.public_key(), signature: k.sign(&message) })
            .collect();
        signatures.sort_by_key(|s| s.key);
        let signatures = List::new(signatures).map_err(|_| {
            Reject::new(Code::OverLimit, format!("at most {MAX_SIGNATURES} signatures"))
        })?;
        Ok(SignedEnvelope { envelope: self, signatures })
    }
}

/// The 32 bytes an author signs.
pub fn sign_bytes(id: &EnvelopeId) -> [u8; 32] {
    Context::ENVELOPE_SIGNATURE.hash32(&[&id.digest().to_bytes()])
}

/// The id of the `index`th event of an envelope.
pub fn event_id(envelope: &EnvelopeId, index: u32) -> EventId {
    let parts: [&[u8]; 2] = [&envelope.digest().to_bytes(), &index.to_le_bytes()];
    EventId::from_digest(Context::EVENT.hash(&parts))
}

/// The id of the asset that `author` registers as `name` on this chain. Implements [LED-AST-4].
pub fn asset_id(chain_id: &ChainId, author: &Handle, name: &AssetName) -> AssetId {
    let (a, n) = (author.as_str().as_bytes(), name.as_str().as_bytes());
    // Both texts are at most 64 bytes; '/' is in neither, so the concatenation is unambiguous.
    let parts: [&[u8]; 4] = [&chain_id.digest().to_bytes(), a, b"/", n];
    AssetId::from_digest(Context::ASSET.hash(&parts))
}

/// A signature and the key that made it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySignature {
    /// A key of the author.
    pub key: PublicKey,
    /// Over [`sign_bytes`].
    pub signature: Signature,
}

/// An envelope with its signatures; these bytes travel and are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedEnvelope {
    /// What is signed.
    pub envelope: Envelope,
    /// By whom; keys in ascending order of their bytes, each once.
    pub signatures: List<KeySignature, MAX_SIGNATURES>,
}

impl SignedEnvelope {
    /// The bytes that travel.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode(self)
    }

    /// Decodes received bytes strictly.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Reject> {
        Ok(codec::decode(bytes, MAX_ENVELOPE_BYTES)?)
    }

    /// Checks what needs no state: version, bounds, weight and every signature.
    pub fn verify(self) -> Result<VerifiedEnvelope, Reject> {
        self.verify_unless(|_| false)
    }

    /// As [`SignedEnvelope::verify`], without checking the signatures again when `known` says that
    /// this leaf had a positive verdict before. A leaf commits to every byte, signatures included.
    pub fn verify_unless(
        self,
        known: impl FnOnce(&Leaf) -> bool,
    ) -> Result<VerifiedEnvelope, Reject> {
        let header = &self.envelope.header;
        if header.version != ENVELOPE_VERSION {
            return Err(Reject::new(
                Code::UnsupportedVersion,
                format!("envelope version {}, expected {ENVELOPE_VERSION}", header.version),
            ));
        }
        if self.envelope.events.is_empty() {
            return Err(Reject::new(Code::NoEvents, "the envelope has no events"));
        }
        let weight =
            self.envelope.events.iter().fold(0u64, |w, e| w.saturating_add(e.base_weight()));
        if weight > MAX_ENVELOPE_WEIGHT {
            return Err(Reject::new(
                Code::OverWeight,
                format!("the envelope weighs {weight}, at most {MAX_ENVELOPE_WEIGHT}"),
            ));
        }
        let bytes = self.to_bytes()?;
        if bytes.len() > MAX_ENVELOPE_BYTES {
            return Err(CodecError::TooLong { len: bytes.len(), max: MAX_ENVELOPE_BYTES }.into());
        }
        let id = self.envelope.id()?;
        if self.signatures.is_empty() {
            return Err(Reject::new(Code::Unsigned, "the envelope has no signature"));
        }
        // One order, so that who passes an envelope on cannot choose which key counts as the first.
        if !self.signatures.is_sorted_by(|a, b| a.key < b.key) {
            let text = "the keys that signed are not in ascending order, each once";
            return Err(Reject::new(Code::BadSignature, text));
        }
        let signatures = codec::encode(&self.signatures)?;
        let leaf = Context::BLOCK_LEAF.hash32(&[&id.digest().to_bytes(), &signatures]);
        let leaf = Leaf::of(&leaf);
        if !known(&leaf) {
            let message = sign_bytes(&id);
            if let Some(s) = self.signatures.iter().find(|s| !s.key.verify(&message, &s.signature))
            {
                let text = format!("the signature of {} is not valid", s.key);
                return Err(Reject::new(Code::BadSignature, text));
            }
        }
        Ok(VerifiedEnvelope { id, leaf, bytes: bytes.into(), signed: self })
    }
}

/// An envelope whose bytes are canonical and whose signatures are valid for the keys they name.
///
/// Whether those keys are the author's is checked when it is executed.
#[derive(Debug, Clone)]
pub struct VerifiedEnvelope {
    id: EnvelopeId,
    leaf: Leaf,
    bytes: Arc<[u8]>,
    signed: SignedEnvelope,
}

impl VerifiedEnvelope {
    /// Its id.
    pub fn id(&self) -> EnvelopeId {
        self.id
    }
    /// Its leaf in the block's envelope tree: id and signatures.
    pub fn leaf(&self) -> Leaf {
        self.leaf
    }
    /// The bytes that travel.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }
    /// The header.
    pub fn header(&self) -> &EnvelopeHeader {
        &self.signed.envelope.header
    }
    /// The events.
    pub fn events(&self) -> &[Event] {
        &self.signed.envelope.events
    }
    /// The signatures.
    pub fn signatures(&self) -> &[KeySignature] {
        &self.signed.signatures
    }
    /// The signed form.
    pub fn signed(&self) -> &SignedEnvelope {
        &self.signed
    }
}
