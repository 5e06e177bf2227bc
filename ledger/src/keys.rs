//! Ed25519 keys and signatures with algorithm tags.
//!
//! Verification follows ZIP-215, in which single and batch verification agree, so that validators
//! never disagree on a crafted signature. Keys are checked more strictly when they are registered.
//! Implements [LED-KEY-1] to [LED-KEY-3].

use std::fmt;
use std::str::FromStr;

use bincode::de::{BorrowDecoder, Decoder};
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{BorrowDecode, Decode, Encode};
use ed25519_dalek::Signer as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::hash::{ParseTagged, parse_tagged, tagged_text};

/// A public key with its algorithm. 33 bytes on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublicKey {
    /// Ed25519; tag 1.
    Ed25519([u8; 32]),
}

/// A signature with its algorithm. 65 bytes on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signature {
    /// Ed25519; tag 1.
    Ed25519([u8; 64]),
}

const TAG_ED25519: u8 = 1;

impl PublicKey {
    /// The key without its tag.
    pub const fn raw(&self) -> &[u8; 32] {
        let PublicKey::Ed25519(bytes) = self;
        bytes
    }

    /// Whether the key may be registered: canonical, not of small order, free of torsion.
    pub fn is_acceptable(&self) -> bool {
        let compressed = curve25519_dalek::edwards::CompressedEdwardsY(*self.raw());
        compressed.decompress().is_some_and(|point| {
            point.compress() == compressed && !point.is_small_order() && point.is_torsion_free()
        })
    }

    /// Whether `signature` over `message` is valid under ZIP-215.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        let Signature::Ed25519(bytes) = signature;
        ed25519_zebra::VerificationKey::try_from(*self.raw())
            .is_ok_and(|key| key.verify(&(*bytes).into(), message).is_ok())
    }
}

/// A signing key. Its bytes are wiped when it is dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of a 32-byte secret seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        SigningKey(ed25519_dalek::SigningKey::from_bytes(seed))
    }
    /// The secret seed; the caller keeps it safe.
    pub fn to_seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }
    /// Its public key.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::Ed25519(self.0.verifying_key().to_bytes())
    }
    /// Signs `message`.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature::Ed25519(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.public_key())
    }
}

macro_rules! tagged_bytes {
    ($name:ident, $len:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $name::Ed25519(bytes) = self;
                write!(f, "ed25519:{}", hex::encode(bytes))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
        impl FromStr for $name {
            type Err = ParseTagged;
            fn from_str(text: &str) -> Result<Self, ParseTagged> {
                parse_tagged(text, "ed25519").map($name::Ed25519)
            }
        }
        impl Encode for $name {
            fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
                let $name::Ed25519(bytes) = self;
                TAG_ED25519.encode(encoder)?;
                bytes.encode(encoder)
            }
        }
        impl<C> Decode<C> for $name {
            fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
                match u8::decode(decoder)? {
                    TAG_ED25519 => Ok($name::Ed25519(<[u8; $len]>::decode(decoder)?)),
                    _ => Err(DecodeError::Other("unknown signature algorithm tag")),
                }
            }
        }
        tagged_text!($name);
    };
}

tagged_bytes!(PublicKey, 32);
tagged_bytes!(Signature, 64);
