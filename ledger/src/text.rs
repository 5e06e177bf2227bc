//! Bounded texts: handles, asset names, codes and free text. Implements [LED-TEXT-1].

use std::fmt;
use std::str::FromStr;

use bincode::de::{BorrowDecoder, Decoder};
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{BorrowDecode, Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::hash::tagged_text;

/// Why a text is not of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct ParseText {
    /// The text, shortened.
    pub text: String,
    /// What was expected.
    pub expected: &'static str,
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, max $max:literal, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Most bytes the text may have.
            pub const MAX: usize = $max;
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = ParseText;
            fn from_str(text: &str) -> Result<Self, ParseText> {
                let check: fn(&str) -> bool = $check;
                if !text.is_empty() && text.len() <= Self::MAX && check(text) {
                    return Ok($name(text.into()));
                }
                Err(ParseText { text: text.chars().take(80).collect(), expected: $expected })
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
        impl Encode for $name {
            fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
                self.0.as_bytes().encode(encoder)
            }
        }
        impl<C> Decode<C> for $name {
            fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
                let len = u64::decode(decoder)?;
                if len > Self::MAX as u64 {
                    return Err(DecodeError::LimitExceeded);
                }
                let mut bytes = Vec::new();
                for _ in 0..len {
                    bytes.push(u8::decode(decoder)?);
                }
                let text = std::str::from_utf8(&bytes)
                    .map_err(|_| DecodeError::Other("text is not UTF-8"))?;
                text.parse().map_err(|_| DecodeError::Other(concat!("expected ", $expected)))
            }
        }
        tagged_text!($name);
    };
}

fn is_slug(text: &str, also: &[u8]) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    edge(text.as_bytes().first())
        && edge(text.as_bytes().last())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || also.contains(&b))
}

text!(/// A member's permanent name: 1 to 32 of `a-z 0-9 -`, beginning and ending with a letter or digit.
    Handle, max 32, "a handle (1 to 32 of a-z 0-9 -, no - at the ends)", |t| is_slug(t, b"-"));

text!(/// An asset's name, unique for its author: 1 to 64 of `a-z 0-9 . _ -`.
    AssetName, max 64, "an asset name (1 to 64 of a-z 0-9 . _ -, beginning and ending with a letter or digit)",
    |t| is_slug(t, b"._-"));

text!(/// A code such as a region, a format, a territory or a bank reference: 1 to 64 of `A-Z a-z 0-9 . _ : / + -`.
    Code, max 64, "a code (1 to 64 of A-Z a-z 0-9 . _ : / + -)",
    |t| t.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:/+-".contains(&b)));

text!(/// The display name of a member: 1 to 128 bytes of UTF-8 without control characters.
    DisplayName, max 128, "a display name (1 to 128 bytes without control characters)",
    |t| !t.chars().any(char::is_control));
