//! Currencies. Amounts are whole minor units (`u64`), never above [`crate::limits::MAX_AMOUNT`].

use std::fmt;
use std::str::FromStr;

use bincode::de::{BorrowDecoder, Decoder};
use bincode::error::DecodeError;
use bincode::{BorrowDecode, Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::hash::tagged_text;
use crate::text::ParseText;

/// An ISO 4217 alphabetic currency code: three upper-case letters. Implements [LED-TEXT-2].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
pub struct Currency([u8; 3]);

impl FromStr for Currency {
    type Err = ParseText;
    fn from_str(text: &str) -> Result<Self, ParseText> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Currency(letters)),
            _ => Err(ParseText {
                text: text.chars().take(80).collect(),
                expected: "a currency (three upper-case letters, such as CNY)",
            }),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{}", char::from(*b)))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<C> Decode<C> for Currency {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let letters = <[u8; 3]>::decode(decoder)?;
        if letters.iter().all(u8::is_ascii_uppercase) {
            return Ok(Currency(letters));
        }
        Err(DecodeError::Other("a currency is three upper-case letters"))
    }
}

tagged_text!(Currency);
