//! Names and ids as people write them: assets as `handle/name`, everything else by the id of the
//! event that made it, of which eight digits are enough.

use std::fmt;
use std::str::FromStr;

use headwater_ledger::envelope::asset_id;
use headwater_ledger::hash::{AssetId, ChainId, Digest};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::{Failure, Kind};
use crate::remote::http::Node;
use crate::remote::resolve::AssetRef;

/// The id of an asset, which follows from its whole name. Needs no question to anybody: an act may
/// name an asset that is about to be recorded.
pub fn exact_id(asset: &AssetRef, chain_id: &ChainId) -> AssetId {
    match asset {
        AssetRef::Name(author, name) => asset_id(chain_id, author, name),
        AssetRef::Id(id) => *id,
    }
}

/// The id of an object made by an event, whole or by its first digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    digits: String,
}

/// Fewest digits that name an object.
const MIN_DIGITS: usize = 8;
const ALL_DIGITS: usize = 64;

impl FromStr for ObjectRef {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let digits = text.strip_prefix("blake3:").unwrap_or(text);
        let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if (MIN_DIGITS..=ALL_DIGITS).contains(&digits.len()) && digits.bytes().all(is_digit) {
            return Ok(ObjectRef { digits: digits.to_string() });
        }
        Err("expected an id (blake3: and 64 hexadecimal digits), or at least 8 of its digits")
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blake3:{}", self.digits)
    }
}

#[derive(Deserialize)]
struct EventAnswer {
    id: Digest,
    event: serde_json::Map<String, Value>,
}

impl ObjectRef {
    /// The whole id of what an `event` (such as `offer_grant`) made. A whole id is taken as it is;
    /// digits are looked up at the node.
    pub fn resolve(&self, node: &Node, event: &str) -> Result<Digest, Failure> {
        if self.digits.len() == ALL_DIGITS {
            let parsed = self.to_string().parse::<Digest>();
            return parsed.map_err(|error| Failure::new(Kind::Usage, error));
        }
        let exchange = node.get(&format!("/v1/events/{self}"))?;
        if exchange.status == 404 {
            let message = format_args!("nothing whose id begins with {self} is recorded");
            return Err(Failure::new(Kind::NotFound, message)
                .hint("check the digits, or give the whole id"));
        }
        let answer: EventAnswer = exchange.ok()?.parse()?;
        if !answer.id.to_string().starts_with(&self.to_string()) {
            let message = format_args!("{self} was asked for, the node answers {}", answer.id);
            return Err(Failure::new(Kind::VerificationFailed, message)
                .hint("give the whole id, or ask another node with --node"));
        }
        match answer.event.keys().next() {
            Some(name) if name == event => Ok(answer.id),
            name => {
                let name = name.map_or("nothing known", String::as_str);
                let message = format_args!("{self} names an event {name}, expected {event}");
                Err(Failure::new(Kind::Usage, message).hint(
                    "a grant is named by its offer_grant, a listing by its list_product, a \
                     contract by its propose_contract, a payment by its record_payment",
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_named_by_author_and_name_or_by_id() {
        let chain = ChainId::from_digest(Digest::Blake3([7; 32]));
        let id = asset_id(&chain, &"clinic".parse().unwrap(), &"scans-1.2".parse().unwrap());
        assert_eq!(exact_id(&"clinic/scans-1.2".parse().unwrap(), &chain), id);
        assert_eq!(exact_id(&id.to_string().parse().unwrap(), &chain), id);
    }

    #[test]
    fn ids_may_be_shortened_to_eight_digits() {
        let parse = |text: &str| text.parse::<ObjectRef>().map(|id| id.to_string());
        assert_eq!(parse("01234567"), Ok("blake3:01234567".into()));
        assert_eq!(parse("blake3:01234567ab"), Ok("blake3:01234567ab".into()));
        assert_eq!(parse(&"a".repeat(64)), Ok(format!("blake3:{}", "a".repeat(64))));
        for bad in ["", "0123456", "0123456g", "0123456A", "ed25519:01234567", &"a".repeat(65)] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
