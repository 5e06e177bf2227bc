//! Events in the ledger's JSON, with names and labels in place of ids that are not known yet.
//!
//! Where an id is expected, `"asset": "handle/name"` and `"revises": "handle/name"` name an asset,
//! `"$label"` the object that the first event of the earlier line with that label makes, and
//! `"$label.N"` the one of its event N, counted from 0. `"schedule": "auto"` in `propose_contract`
//! and `sign_contract` is the schedule hash of the listing or contract, proved.

use headwater_ledger::event::Event;
use headwater_ledger::hash::{AssetId, ContractId, Digest, ListingId};
use headwater_ledger::text::{AssetName, Handle};
use serde_json::Value;

use crate::failure::{Failure, Kind};

/// What labels and names stand for.
pub trait Names {
    /// The id of an asset.
    fn asset(&self, author: &Handle, name: &AssetName) -> AssetId;
    /// The id of what event `event` of the line with this label makes.
    fn labelled(&self, label: &str, event: usize) -> Result<Digest, Failure>;
    /// The schedule hash of a listing.
    fn listing_schedule(&self, listing: &ListingId) -> Result<Digest, Failure>;
    /// The schedule hash of a contract.
    fn contract_schedule(&self, contract: &ContractId) -> Result<Digest, Failure>;
}

/// An event that cannot be read: where in its text, from 0, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct BadEvent {
    /// Bytes before the place in the event's text.
    pub offset: usize,
    /// Why.
    pub failure: Failure,
}

/// Reads an event. What is an event as it stands is taken as it stands.
pub fn parse(text: &str, names: &dyn Names) -> Result<Event, BadEvent> {
    let plain = match serde_json::from_str::<Event>(text) {
        Ok(event) => return Ok(event),
        Err(error) => error,
    };
    let at = |offset, failure| BadEvent { offset, failure };
    let bad = |offset, error: &serde_json::Error| {
        let message = strip_place(&error.to_string());
        at(offset, Failure::new(Kind::BadInput, message))
    };
    let plain_offset = plain.column().saturating_sub(1);
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return Err(bad(plain_offset, &plain));
    };
    let replaced = resolve(&mut value, None, names).map_err(|failure| at(0, failure))?;
    let schedule = resolve_schedule(&mut value, names).map_err(|failure| at(0, failure))?;
    if !replaced && !schedule {
        return Err(bad(plain_offset, &plain));
    }
    serde_json::from_value(value).map_err(|error| bad(0, &error))
}

/// The parser's own line and column, which are replaced by those in the file.
fn strip_place(message: &str) -> String {
    match message.rfind(" at line ") {
        Some(end) => message[..end].to_string(),
        None => message.to_string(),
    }
}

/// Replaces names and labels, and tells whether there were any.
fn resolve(value: &mut Value, key: Option<&str>, names: &dyn Names) -> Result<bool, Failure> {
    match value {
        Value::String(text) => {
            let Some(digest) = stands_for(text, key, names)? else { return Ok(false) };
            *text = digest.to_string();
            Ok(true)
        }
        Value::Array(items) => {
            items.iter_mut().try_fold(false, |any, item| Ok(resolve(item, key, names)? || any))
        }
        Value::Object(fields) => fields
            .iter_mut()
            .try_fold(false, |any, (name, item)| Ok(resolve(item, Some(name), names)? || any)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(false),
    }
}

fn stands_for(text: &str, key: Option<&str>, names: &dyn Names) -> Result<Option<Digest>, Failure> {
    if let Some(reference) = text.strip_prefix('$') {
        let (label, event) = match reference.split_once('.') {
            None => (reference, Some(0)),
            Some((label, event)) => (label, event.parse().ok()),
        };
        let event = event.ok_or_else(|| {
            Failure::new(Kind::BadInput, format_args!("`{text}` is not a reference to an event"))
                .hint("write $label, or $label.N with the number of the event from 0")
        })?;
        return names.labelled(label, event).map(Some);
    }
    match (key, text.split_once('/')) {
        (Some("asset" | "revises"), Some((author, name))) => {
            let bad = |error| Failure::new(Kind::BadInput, error);
            let author: Handle = author.parse().map_err(bad)?;
            let name: AssetName = name.parse().map_err(bad)?;
            Ok(Some(*names.asset(&author, &name).digest()))
        }
        _ => Ok(None),
    }
}

/// Replaces `"schedule": "auto"`, and tells whether it was there.
fn resolve_schedule(value: &mut Value, names: &dyn Names) -> Result<bool, Failure> {
    let Some((name, fields)) = value.as_object_mut().and_then(|event| event.iter_mut().next())
    else {
        return Ok(false);
    };
    if fields.get("schedule").and_then(Value::as_str) != Some("auto") {
        return Ok(false);
    }
    let id = |key: &str| {
        let id = fields.get(key).and_then(Value::as_str);
        let id = id.and_then(|id| id.parse::<Digest>().ok());
        id.ok_or_else(|| Failure::new(Kind::BadInput, format_args!("{name} names no {key}")))
    };
    let schedule = match name.as_str() {
        "propose_contract" => names.listing_schedule(&ListingId::from_digest(id("listing")?))?,
        "sign_contract" => names.contract_schedule(&ContractId::from_digest(id("contract")?))?,
        _ => return Ok(false),
    };
    fields["schedule"] = Value::String(schedule.to_string());
    Ok(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Fixed;

    fn digest(byte: u8) -> Digest {
        Digest::Blake3([byte; 32])
    }

    impl Names for Fixed {
        fn asset(&self, author: &Handle, name: &AssetName) -> AssetId {
            assert_eq!((author.as_str(), name.as_str()), ("clinic", "scans"));
            AssetId::from_digest(digest(1))
        }
        fn labelled(&self, label: &str, event: usize) -> Result<Digest, Failure> {
            match (label, event) {
                ("offer", 0) => Ok(digest(2)),
                ("offer", 1) => Ok(digest(3)),
                _ => Err(Failure::new(Kind::BadInput, "no such label")),
            }
        }
        fn listing_schedule(&self, listing: &ListingId) -> Result<Digest, Failure> {
            assert_eq!(*listing.digest(), digest(2));
            Ok(digest(4))
        }
        fn contract_schedule(&self, contract: &ContractId) -> Result<Digest, Failure> {
            assert_eq!(*contract.digest(), digest(3));
            Ok(digest(5))
        }
    }

    fn parsed(event: Value) -> Value {
        serde_json::to_value(parse(&event.to_string(), &Fixed).unwrap()).unwrap()
    }

    #[test]
    fn labels_stand_for_what_events_make() {
        let accept = |grant: &str| parsed(json!({"accept_grant": {"grant": grant}}));
        let expected = |byte| json!({"accept_grant": {"grant": digest(byte)}});
        assert_eq!(accept("$offer"), expected(2));
        assert_eq!(accept("$offer.0"), expected(2));
        assert_eq!(accept("$offer.1"), expected(3));
        assert_eq!(accept(&digest(9).to_string()), expected(9));
    }

    #[test]
    fn assets_are_named_also_inside_inputs() {
        let list = json!({"list_product": {"asset": "clinic/scans", "exchange": "bourse",
            "fee_bp": 150, "operation_grants": ["$offer", "$offer.1"]}});
        let list = parsed(list);
        assert_eq!(list["list_product"]["asset"], json!(digest(1)));
        assert_eq!(list["list_product"]["operation_grants"], json!([digest(2), digest(3)]));
        let mut inner = json!({"register_asset": {"derivation": {"inputs": [
            {"asset": "clinic/scans", "weight": 1, "grant": "$offer"}]}, "name": "a/b"}});
        assert_eq!(resolve(&mut inner, None, &Fixed), Ok(true));
        let inputs = &inner["register_asset"]["derivation"]["inputs"];
        assert_eq!(*inputs, json!([{"asset": digest(1), "weight": 1, "grant": digest(2)}]));
        assert_eq!(inner["register_asset"]["name"], "a/b");
    }

    #[test]
    fn schedules_are_looked_up_where_asked_for() {
        let sign = |schedule: &str| {
            parsed(json!({"sign_contract": {"contract": "$offer.1", "schedule": schedule}}))
        };
        assert_eq!(sign("auto")["sign_contract"]["schedule"], json!(digest(5)));
        let given = digest(9).to_string();
        assert_eq!(sign(&given)["sign_contract"]["schedule"], json!(digest(9)));
        let propose = parsed(json!({"propose_contract": {"listing": "$offer", "buyer": "b",
            "schedule": "auto", "price": 1, "currency": "CNY", "sign_by_ms": 1,
            "licence": {"purposes": ["commercial"], "territories": ["CN"], "not_after_ms": 1}}}));
        assert_eq!(propose["propose_contract"]["schedule"], json!(digest(4)));
    }

    #[test]
    fn the_place_of_a_mistake_is_told() {
        let bad = |text: &str| {
            let bad = parse(text, &Fixed).unwrap_err();
            (bad.offset, bad.failure.message().to_string())
        };
        let (offset, message) = bad(r#"{"accept_grant":{"grant":1}}"#);
        assert_eq!(offset, 25, "{message}");
        assert!(!message.contains("line"), "{message}");
        let (_, message) = bad(r#"{"accept_gift":{}}"#);
        assert!(message.contains("accept_gift"), "{message}");
        let (_, message) = bad(r#"{"accept_grant":{"grant":"$nobody"}}"#);
        assert_eq!(message, "no such label");
        let (_, message) = bad(r#"{"accept_grant":{"grant":"$offer","gift":1}}"#);
        assert!(message.contains("gift"), "{message}");
        assert!(parse(r#"{"accept_grant":{"grant":"$offer.x"}}"#, &Fixed).is_err());
        assert!(parse(r#"{"void_asset":{"asset":"Clinic/scans","reason":"x"}}"#, &Fixed).is_err());
    }
}
