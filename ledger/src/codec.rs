//! Canonical bytes: bincode, little endian, fixed width, bounded, with nothing left over.
//!
//! A value has exactly one encoding and a byte string at most one value. Implements [LED-ENC-1].

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::de::{BorrowDecoder, Decoder};
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{BorrowDecode, Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, de};

/// Upper bound of memory one decode may claim, in bytes. Byte limits of each kind of object are
/// in [`crate::limits`] and are checked before decoding.
const MAX_CLAIM: usize = 64 << 20;

const CONFIG: Configuration<LittleEndian, Fixint, Limit<MAX_CLAIM>> = bincode::config::standard()
    .with_little_endian()
    .with_fixed_int_encoding()
    .with_limit::<MAX_CLAIM>();

/// Why bytes are not the canonical encoding of a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// More bytes than this kind of object may have.
    #[error("{len} bytes, at most {max} are allowed")]
    TooLong {
        /// Bytes received.
        len: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Bytes remain after the value.
    #[error("{0} bytes left over after the value")]
    Trailing(usize),
    /// A list or text longer than its limit.
    #[error("a list or a text is longer than its limit")]
    OverLimit,
    /// Not an encoding, or not the canonical one.
    #[error("not a canonical encoding: {0}")]
    NotCanonical(String),
}

/// The canonical bytes of `value`. Fails only when the value is larger than any limit allows.
pub fn encode<T: Encode>(value: &T) -> Result<Vec<u8>, CodecError> {
    bincode::encode_to_vec(value, CONFIG).map_err(|e| CodecError::NotCanonical(e.to_string()))
}

/// Decodes canonical bytes: at most `max` of them, none left over, and re-encoding gives the same.
pub fn decode<T: Encode + Decode<()>>(bytes: &[u8], max: usize) -> Result<T, CodecError> {
    if bytes.len() > max {
        return Err(CodecError::TooLong { len: bytes.len(), max });
    }
    let (value, used) = decode_prefix::<T>(bytes)?;
    if used != bytes.len() {
        return Err(CodecError::Trailing(bytes.len().saturating_sub(used)));
    }
    if encode(&value)? != bytes {
        return Err(CodecError::NotCanonical("re-encoding gives other bytes".into()));
    }
    Ok(value)
}

/// Decodes a value at the begin of `bytes` and tells how many bytes it took; checks nothing else.
pub fn decode_prefix<T: Decode<()>>(bytes: &[u8]) -> Result<(T, usize), CodecError> {
    bincode::decode_from_slice::<T, _>(bytes, CONFIG).map_err(|e| match e {
        DecodeError::LimitExceeded => CodecError::OverLimit,
        e => CodecError::NotCanonical(e.to_string()),
    })
}

/// A list of at most `MAX` items; the bound is checked before anything is allocated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<T, const MAX: usize> List<T, MAX> {
    /// Fails, giving the items back, when there are more than `MAX`.
    pub fn new(items: Vec<T>) -> Result<Self, Vec<T>> {
        if items.len() > MAX { Err(items) } else { Ok(List(items)) }
    }
    /// The items.
    pub fn into_inner(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> std::ops::Deref for List<T, MAX> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T, const MAX: usize> IntoIterator for &'a List<T, MAX> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Encode + 'static, const MAX: usize> Encode for List<T, MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

impl<C, T: Decode<C>, const MAX: usize> Decode<C> for List<T, MAX> {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let len = u64::decode(decoder)?;
        if len > MAX as u64 {
            return Err(DecodeError::LimitExceeded);
        }
        let mut items = Vec::new();
        for _ in 0..len {
            items.push(T::decode(decoder)?);
        }
        Ok(List(items))
    }
}

impl<'de, C, T: Decode<C>, const MAX: usize> BorrowDecode<'de, C> for List<T, MAX> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        <Self as Decode<C>>::decode(decoder)
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::<T>::deserialize(deserializer)?;
        List::new(items)
            .map_err(|items| de::Error::custom(format!("{} items, at most {MAX}", items.len())))
    }
}
