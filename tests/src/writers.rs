//! Members that register assets, and the envelopes they sign.

use anyhow::{Result, anyhow};
use headwater_ledger::codec::List;
use headwater_ledger::envelope::{ENVELOPE_VERSION, Envelope, EnvelopeHeader};
use headwater_ledger::event::Event;
use headwater_ledger::event::asset::{
    Classification, Content, Deidentification, Derivation, Metadata, Quality, RegisterAsset, Stage,
};
use headwater_ledger::event::member::{AdmitMember, MemberKey, Role, Scope};
use headwater_ledger::hash::{ChainId, Digest, EnvelopeId};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::split::Split;
use headwater_ledger::text::Handle;

/// A member with its key.
#[derive(Clone)]
pub struct Writer {
    /// Its handle.
    pub handle: Handle,
    /// Its only key, for everything.
    pub key: SigningKey,
    role: Role,
}

impl Writer {
    /// A member with a key of its own.
    pub fn new(handle: &str, role: Role) -> Result<Self> {
        let seed = blake3::derive_key("headwater benchmark 2026 member", handle.as_bytes());
        Ok(Writer { handle: handle.parse()?, key: SigningKey::from_seed(&seed), role })
    }

    /// Its admission, for a genesis document.
    pub fn admission(&self) -> Result<AdmitMember> {
        let key = MemberKey { key: self.key.public_key(), scopes: list(Scope::ALL.to_vec())? };
        Ok(AdmitMember {
            handle: self.handle.clone(),
            name: self.handle.as_str().parse()?,
            roles: list(vec![self.role])?,
            keys: list(vec![key])?,
        })
    }

    /// Signs events.
    pub fn sign(
        &self,
        chain_id: ChainId,
        not_after_ms: u64,
        serial: u64,
        events: Vec<Event>,
    ) -> Result<Signed> {
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&serial.to_le_bytes());
        let author = self.handle.clone();
        let version = ENVELOPE_VERSION;
        let header = EnvelopeHeader { version, chain_id, author, not_after_ms, salt };
        let count = events.len() as u64;
        let envelope = Envelope { header, events: list(events)? };
        let id = envelope.id()?;
        let bytes = envelope.sign(&[&self.key])?.to_bytes()?;
        Ok(Signed { id, events: count, bytes })
    }
}

/// A signed envelope.
#[derive(Clone)]
pub struct Signed {
    /// Its id.
    pub id: EnvelopeId,
    /// Its number of events.
    pub events: u64,
    /// The bytes that travel.
    pub bytes: Vec<u8>,
}

/// A bounded list of what is known to fit.
pub fn list<T, const MAX: usize>(items: Vec<T>) -> Result<List<T, MAX>> {
    List::new(items).map_err(|items| anyhow!("{} items, at most {MAX}", items.len()))
}

/// The registration of an asset, raw without a derivation.
pub fn registration(
    name: &str,
    stage: Stage,
    split: Split,
    derivation: Option<Derivation>,
) -> Result<Event> {
    let quality = Quality {
        accuracy: 97,
        completeness: 93,
        consistency: 95,
        timeliness: 88,
        conformity: 90,
        accessibility: 80,
    };
    let root = Digest::Blake3(*blake3::hash(name.as_bytes()).as_bytes());
    Ok(Event::RegisterAsset(RegisterAsset {
        consent_based: Default::default(),
        name: name.parse()?,
        stage,
        revises: None,
        content: Content { root, bytes: 1_234_567, records: 569 },
        metadata: Metadata {
            format: "text/csv".parse()?,
            region: "CN-GD".parse()?,
            period_from_ms: 1_700_000_000_000,
            period_to_ms: 1_760_000_000_000,
            classification: Classification::Important,
            sensitivity: 4,
            deidentification: Deidentification::Pseudonymised,
            quality,
        },
        split,
        derivation,
    }))
}

/// The split of a raw resource.
pub const RAW_SPLIT: Split =
    Split { holding_bp: 8_000, processing_bp: 1_000, operation_bp: 1_000, upstream_bp: 0 };

/// Registrations of raw resources by members in turn, `per_envelope` in each envelope.
///
/// Names begin with `prefix`, which differs between the loads of a chain.
pub fn registrations(
    writers: &[Writer],
    chain_id: ChainId,
    not_after_ms: u64,
    prefix: &str,
    (envelopes, per_envelope): (usize, usize),
) -> Result<Vec<Signed>> {
    (0..envelopes)
        .map(|n| {
            let writer = &writers[n % writers.len()];
            let events = (0..per_envelope).map(|event| {
                let name = format!("{prefix}-{:07}", n * per_envelope + event);
                registration(&name, Stage::Raw, RAW_SPLIT, None)
            });
            writer.sign(chain_id, not_after_ms, n as u64, events.collect::<Result<_>>()?)
        })
        .collect()
}
