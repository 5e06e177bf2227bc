//! Enumerations of the ledger, written as in its JSON or with `-` for `_`.

use headwater_ledger::codec::List;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::{Failure, Kind};

/// Parses one value of an enumeration; an unknown one is answered with the list of all.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(text.replace('-', "_"))).map_err(|error| {
        let text = error.to_string();
        // ``unknown variant `a`, expected one of `b_c`, `d` ``: what was given is told elsewhere.
        let expected = text.find("expected").map_or(text.as_str(), |at| &text[at..]);
        expected.replace('`', "").replace('_', "-")
    })
}

/// A bounded list of the ledger.
pub fn list<T, const MAX: usize>(items: Vec<T>, what: &str) -> Result<List<T, MAX>, Failure> {
    List::new(items).map_err(|items| {
        let message = format_args!("{} {what} are given, at most {MAX} are allowed", items.len());
        Failure::new(Kind::Usage, message)
    })
}

#[cfg(test)]
mod tests {
    use headwater_ledger::event::asset::Purpose;

    use super::*;

    #[test]
    fn choices_are_written_with_either_dash() {
        for text in ["health_research", "health-research"] {
            assert_eq!(parse::<Purpose>(text), Ok(Purpose::HealthResearch));
        }
        let error = parse::<Purpose>("art").unwrap_err();
        assert!(error.starts_with("expected one of general-research, "), "{error}");
    }

    #[test]
    fn lists_are_bounded() {
        assert!(list::<u8, 2>(vec![1, 2], "roles").is_ok());
        assert_eq!(list::<u8, 2>(vec![1, 2, 3], "roles").unwrap_err().kind(), Kind::Usage);
    }
}
