//! Names and ids as people write them: assets as `handle/name`, everything else by the id of the
//! event that made it, of which eight digits are enough.

use std::fmt;
use std::str::FromStr;

use headwater_ledger::envelope::asset_id;
use headwater_ledger::hash::{
    AccessId, AccountId, AggregateId, AssetId, CertificateId, ChainId, ChangeId, ContractId,
    Digest, DisputeId, EventId, GrantId, ListingId, OfferId, PaymentId, PayoutId, RegistrationId,
    RequestId, SetOffId, SuccessionId, TransferId,
};
use headwater_ledger::money::Currency;
use headwater_ledger::payment::account_id;
use headwater_ledger::text::{Handle, ParseText};
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

/// An account as written: its id, or `PRODUCT@EXCHANGE:CURRENCY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountRef {
    /// By id.
    Id(AccountId),
    /// By the triple that names it.
    Triple(AssetRef, Handle, Currency),
}

impl FromStr for AccountRef {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((product, place)) = text.split_once('@') else {
            return text.parse().map(AccountRef::Id).map_err(|_| {
                "expected PRODUCT@EXCHANGE:CURRENCY, such as insight-co/report@gba-exchange:CNY, \
                 or the account's id"
                    .to_string()
            });
        };
        let (exchange, currency) =
            place.split_once(':').ok_or("expected EXCHANGE:CURRENCY after the @")?;
        let exchange = exchange.parse().map_err(|error: ParseText| error.to_string())?;
        let currency = currency.parse().map_err(|error| format!("{error}"))?;
        Ok(AccountRef::Triple(product.parse()?, exchange, currency))
    }
}

impl AccountRef {
    /// Its id, which follows from what names it.
    pub fn id(&self, chain_id: &ChainId) -> Result<AccountId, Failure> {
        match self {
            AccountRef::Id(id) => Ok(*id),
            AccountRef::Triple(product, exchange, currency) => {
                account_id(&exact_id(product, chain_id), exchange, currency)
                    .map_err(|error| Failure::new(Kind::BadInput, error))
            }
        }
    }
}

/// An id of an object that an event makes.
pub trait Object: Sized {
    /// What it is called.
    const NAME: &'static str;
    /// The events that make one.
    const MADE_BY: &'static [&'static str];
    /// The id with this digest.
    fn of(digest: Digest) -> Self;
}

macro_rules! objects {
    ($($id:ident: $name:literal made by $($event:literal),+;)*) => {
        $(impl Object for $id {
            const NAME: &'static str = $name;
            const MADE_BY: &'static [&'static str] = &[$($event),+];
            fn of(digest: Digest) -> Self {
                $id::from_digest(digest)
            }
        })*
    };
}

objects! {
    AccessId: "access" made by "request_access";
    AggregateId: "aggregate" made by "seal_sources";
    CertificateId: "certificate" made by "issue_certificate";
    ChangeId: "change" made by "propose_change";
    ContractId: "contract" made by "propose_contract";
    DisputeId: "dispute" made by "open_dispute", "contest_payout";
    GrantId: "grant" made by "offer_grant", "take_offer", "request_grant";
    ListingId: "listing" made by "list_product";
    OfferId: "standing offer" made by "offer_standing";
    PaymentId: "payment" made by "record_payment";
    PayoutId: "payout" made by "record_payout";
    RegistrationId: "registration" made by "file_registration";
    RequestId: "request" made by "request_grant";
    SetOffId: "set-off" made by "set_off_overpayment";
    SuccessionId: "succession" made by "propose_succession";
    TransferId: "transfer" made by "transfer_right";
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
    author: Handle,
    event: serde_json::Map<String, Value>,
}

/// An event that a node names.
pub struct Found {
    /// Its id.
    pub id: EventId,
    /// Who recorded it.
    pub author: Handle,
    /// Its name, such as `offer_grant`.
    pub event: String,
    /// What it says.
    pub body: Value,
}

impl ObjectRef {
    /// The digest of a whole id; `None` of a shortened one.
    pub fn whole(&self) -> Option<Digest> {
        (self.digits.len() == ALL_DIGITS).then(|| self.to_string().parse().ok()).flatten()
    }

    /// The whole id of an object. A whole id is taken as it is; digits are looked up at the node.
    pub fn resolve<I: Object>(&self, node: &Node) -> Result<I, Failure> {
        if let Some(digest) = self.whole() {
            return Ok(I::of(digest));
        }
        let found = self.find(node)?;
        if I::MADE_BY.contains(&found.event.as_str()) {
            return Ok(I::of(*found.id.digest()));
        }
        let message = format_args!(
            "{self} names an event {}, expected {}",
            found.event,
            I::MADE_BY.join(" or ")
        );
        let hint = format_args!("give the {}'s id: that of the event that made it", I::NAME);
        Err(Failure::new(Kind::Usage, message).hint(hint))
    }

    /// The event whose id begins so, as the node tells. What it says is not proved.
    pub fn find(&self, node: &Node) -> Result<Found, Failure> {
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
        let (event, body) = answer.event.into_iter().next().ok_or_else(|| {
            Failure::new(Kind::Node, format_args!("the node says nothing of event {}", answer.id))
        })?;
        Ok(Found { id: EventId::from_digest(answer.id), author: answer.author, event, body })
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

    #[test]
    fn accounts_are_named_by_product_exchange_and_currency() {
        let chain = ChainId::from_digest(Digest::Blake3([7; 32]));
        let named: AccountRef = "works/report@bourse:CNY".parse().unwrap();
        let product = exact_id(&"works/report".parse().unwrap(), &chain);
        let id = account_id(&product, &"bourse".parse().unwrap(), &"CNY".parse().unwrap());
        assert_eq!(named.id(&chain).unwrap(), id.clone().unwrap());
        let by_id: AccountRef = id.clone().unwrap().to_string().parse().unwrap();
        assert_eq!(by_id.id(&chain).unwrap(), id.unwrap());
        for bad in ["", "works/report", "works/report@bourse", "works@bourse:CNY", "a/b@c:cny1"] {
            assert!(bad.parse::<AccountRef>().is_err(), "{bad}");
        }
    }
}
