//! Hashes: BLAKE3 with a derive-key context per purpose, and the typed identifiers made from them.
//!
//! Every digest on the wire carries an algorithm tag, so that another suite needs no new format.
//! Implements [LED-HASH-1] to [LED-HASH-3].

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use bincode::de::{BorrowDecoder, Decoder};
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{BorrowDecode, Decode, Encode};
use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The purpose of a hash: the context string of BLAKE3's derive-key mode. Listed in the spec.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    text: &'static str,
    /// The key made from the text, computed once: half the time of a short hash.
    key: fn() -> &'static ContextKey,
}

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Context {}

macro_rules! contexts {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl Context {
            $($(#[$doc])* pub const $name: Context = Context {
                text: $text,
                key: || {
                    static KEY: OnceLock<ContextKey> = OnceLock::new();
                    KEY.get_or_init(|| hash_derive_key_context($text))
                },
            };)*
            /// Every context, for the test that holds the spec to this list.
            pub const ALL: &'static [Context] = &[$(Context::$name),*];
        }
    };
}

contexts! {
    /// Genesis document → chain id.
    GENESIS = "headwater 2026-11 genesis";
    /// Envelope header and event root → envelope id.
    ENVELOPE = "headwater 2026-11 envelope id";
    /// Envelope id → the 32 bytes its authors sign.
    ENVELOPE_SIGNATURE = "headwater 2026-11 envelope signature";
    /// Envelope id and index → event id.
    EVENT = "headwater 2026-11 event id";
    /// Author and name → asset id.
    ASSET = "headwater 2026-11 asset id";
    /// Canonical bytes of an event → the act that owners approve.
    ACT = "headwater 2026-11 act";
    /// Leaf of a Merkle-sum tree: source and weight.
    SUM_LEAF = "headwater 2026-11 sum leaf";
    /// Node of a Merkle-sum tree: hashes and sums of its children.
    SUM_NODE = "headwater 2026-11 sum node";
    /// Account triple → account id.
    ACCOUNT = "headwater 2026-11 account id";
    /// Block header → block id.
    BLOCK = "headwater 2026-11 block id";
    /// Envelope id and signatures → leaf of the block's envelope tree.
    BLOCK_LEAF = "headwater 2026-11 block leaf";
    /// Leaf of a Merkle tree.
    TREE_LEAF = "headwater 2026-11 tree leaf";
    /// Inner node of a Merkle tree.
    TREE_NODE = "headwater 2026-11 tree node";
    /// Number of leaves and top node → root of a Merkle tree.
    TREE_ROOT = "headwater 2026-11 tree root";
    /// Leaf of a Merkle mountain range.
    MMR_LEAF = "headwater 2026-11 range leaf";
    /// Inner node of a Merkle mountain range.
    MMR_NODE = "headwater 2026-11 range node";
    /// Count and peaks → root of a Merkle mountain range.
    MMR_ROOT = "headwater 2026-11 range root";
    /// State key → position in the state map.
    STATE_KEY = "headwater 2026-11 state key";
    /// Leaf of the state map.
    STATE_LEAF = "headwater 2026-11 state leaf";
    /// Inner node of the state map.
    STATE_NODE = "headwater 2026-11 state node";
    /// Schedule claim → leaf bytes of the schedule tree.
    SCHEDULE = "headwater 2026-11 schedule claim";
    /// Validator set → its hash in the header.
    VALIDATOR_SET = "headwater 2026-11 validator set";
    /// Consensus key → validator address.
    VALIDATOR_ADDRESS = "headwater 2026-11 validator address";
    /// Salt and file part → leaf of a content commitment.
    CONTENT_LEAF = "headwater 2026-11 content leaf";
    /// Salt, path and file root → entry of a folder's content commitment.
    CONTENT_FILE = "headwater 2026-11 content file";
}

impl Context {
    /// The context string.
    pub const fn as_str(self) -> &'static str {
        self.text
    }

    /// Hashes the concatenation of `parts` under this context.
    ///
    /// Callers pass fixed-length or canonically encoded parts, so that the concatenation is
    /// unambiguous.
    pub fn hash(self, parts: &[&[u8]]) -> Digest {
        Digest::Blake3(self.hash32(parts))
    }

    /// As [`Context::hash`], without the algorithm tag.
    pub fn hash32(self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_from_context_key((self.key)());
        for part in parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

/// A hash with its algorithm. 33 bytes on the wire: tag, then the hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// BLAKE3, 32 bytes; tag 1.
    Blake3([u8; 32]),
}

impl Digest {
    const TAG_BLAKE3: u8 = 1;

    /// The hash without its tag.
    pub const fn raw(&self) -> &[u8; 32] {
        let Digest::Blake3(bytes) = self;
        bytes
    }

    /// The 33 wire bytes.
    pub fn to_bytes(self) -> [u8; 33] {
        let mut out = [Self::TAG_BLAKE3; 33];
        out[1..].copy_from_slice(self.raw());
        out
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blake3:{}", hex::encode(self.raw()))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a text is not a digest, key or signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `{expected}:` and {digits} lower-case hexadecimal digits")]
pub struct ParseTagged {
    /// The algorithm prefix expected.
    pub expected: &'static str,
    /// The number of digits expected.
    pub digits: usize,
}

/// Parses `prefix:hex` into exactly `N` bytes; lower case only, so that one value has one text.
pub(crate) fn parse_tagged<const N: usize>(
    text: &str,
    expected: &'static str,
) -> Result<[u8; N], ParseTagged> {
    let bad = ParseTagged { expected, digits: N.saturating_mul(2) };
    let digits = text.strip_prefix(expected).and_then(|t| t.strip_prefix(':'));
    let digits = digits.ok_or_else(|| bad.clone())?;
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(bad);
    }
    let mut out = [0; N];
    hex::decode_to_slice(digits, &mut out).map_err(|_| bad)?;
    Ok(out)
}

impl FromStr for Digest {
    type Err = ParseTagged;
    fn from_str(text: &str) -> Result<Self, ParseTagged> {
        parse_tagged(text, "blake3").map(Digest::Blake3)
    }
}

impl Encode for Digest {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.to_bytes().encode(encoder)
    }
}

impl<C> Decode<C> for Digest {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        match u8::decode(decoder)? {
            Self::TAG_BLAKE3 => Ok(Digest::Blake3(<[u8; 32]>::decode(decoder)?)),
            _ => Err(DecodeError::Other("unknown hash algorithm tag")),
        }
    }
}

/// Implements borrowed decoding and serde's text form for types that have the owned ones.
macro_rules! tagged_text {
    ($name:ty) => {
        impl<'de, C> BorrowDecode<'de, C> for $name {
            fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(
                decoder: &mut D,
            ) -> Result<Self, DecodeError> {
                <Self as Decode<C>>::decode(decoder)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}
pub(crate) use tagged_text;

tagged_text!(Digest);

/// Declares an identifier: a digest that cannot be mistaken for another kind.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Digest);

        impl $name {
            /// Wraps a digest computed or received elsewhere as this kind of identifier.
            pub const fn from_digest(digest: Digest) -> Self {
                $name(digest)
            }
            /// The digest.
            pub const fn digest(&self) -> &Digest {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl FromStr for $name {
            type Err = ParseTagged;
            fn from_str(text: &str) -> Result<Self, ParseTagged> {
                text.parse().map($name)
            }
        }
        impl Encode for $name {
            fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
                self.0.encode(encoder)
            }
        }
        impl<C> Decode<C> for $name {
            fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
                Digest::decode(decoder).map($name)
            }
        }
        tagged_text!($name);
    };
}

id!(/// The hash of the genesis document; names the chain.
    ChainId);
id!(/// Names an envelope; never depends on its signatures.
    EnvelopeId);
id!(/// Names an event: its envelope and its place in it.
    EventId);
id!(/// Names an asset: its author and its name, so that it is known before it is recorded.
    AssetId);
id!(/// Names a grant: the event that offered it.
    GrantId);
id!(/// Names a transfer of a right: the event that proposed it.
    TransferId);
id!(/// Names a listing: the event that made it.
    ListingId);
id!(/// Names a contract: the event that proposed it.
    ContractId);
id!(/// Names a payment: the event that recorded it.
    PaymentId);
id!(/// Names an account: a product, a clearing exchange and a currency.
    AccountId);
id!(/// Names a change by governance: the event that proposed it.
    ChangeId);
id!(/// Names a succession: the event that proposed it.
    SuccessionId);
id!(/// Names a registration: the event that filed it.
    RegistrationId);
id!(/// Names a request for a grant: the event that made it, and the grant it becomes.
    RequestId);
id!(/// Names a standing offer: the event that made it.
    OfferId);
id!(/// Names an access: the event that asked for it.
    AccessId);
id!(/// Names a payout: the event that recorded it.
    PayoutId);
id!(/// Names a set-off: the event that recorded it.
    SetOffId);
id!(/// Names a transaction certificate: the event that issued it.
    CertificateId);
id!(/// Names an aggregate: the event that sealed it.
    AggregateId);
id!(/// Names a dispute: the event that opened it.
    DisputeId);
id!(/// Names a block: the hash of its header.
    BlockId);
id!(/// Names a validator: the hash of its consensus key.
    ValidatorAddress);
