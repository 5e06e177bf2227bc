//! Parts of a whole as written on a command line: splits, owners, and inputs with their weights.

use std::str::FromStr;

use headwater_ledger::event::rights::Owner;
use headwater_ledger::split::Split;

use crate::lookup::ObjectRef;
use crate::remote::resolve::AssetRef;

/// Parses `HOLDING/PROCESSING/OPERATION/UPSTREAM` in basis points. Whether it is a split depends on
/// the inputs and is checked later.
pub fn parse_split(text: &str) -> Result<Split, String> {
    let bad = "expected HOLDING/PROCESSING/OPERATION/UPSTREAM in basis points that add up to \
               10000, such as 4000/3000/1000/2000";
    let parts: Vec<u16> =
        text.split('/').map(|part| parse_digits(part).ok_or(bad)).collect::<Result<_, _>>()?;
    match parts[..] {
        [holding_bp, processing_bp, operation_bp, upstream_bp] => {
            Ok(Split { holding_bp, processing_bp, operation_bp, upstream_bp })
        }
        _ => Err(bad.to_string()),
    }
}

/// Parses `HANDLE=PARTS`.
pub fn parse_owner(text: &str) -> Result<Owner, String> {
    let (member, parts) = text
        .split_once('=')
        .ok_or("expected HANDLE=PARTS, such as city-hospital=9000 (parts of 10000)")?;
    let member = member.parse().map_err(|e: headwater_ledger::text::ParseText| e.to_string())?;
    let parts = parse_digits(parts).filter(|parts| (1..=10_000).contains(parts));
    let parts = parts.ok_or("the parts are a number from 1 to 10000")?;
    Ok(Owner { member, parts })
}

/// A number without sign.
fn parse_digits<T: FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// An input of a derivation as written: `ASSET:WEIGHT` or `ASSET:WEIGHT:GRANT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputRef {
    /// The asset used.
    pub asset: AssetRef,
    /// Its weight among the inputs.
    pub weight: u64,
    /// The processing grant that allows the use.
    pub grant: Option<ObjectRef>,
}

impl FromStr for InputRef {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = "expected ASSET:WEIGHT or ASSET:WEIGHT:GRANT, such as \
                   city-hospital/admissions-2026:3:01234567";
        // An id has a colon of its own.
        let name_len = if text.starts_with("blake3:") { "blake3:".len() } else { 0 };
        let colon = text.get(name_len..).and_then(|rest| rest.find(':')).ok_or(bad)? + name_len;
        let (asset, rest) = (&text[..colon], &text[colon + 1..]);
        let (weight, grant) = rest.split_once(':').map_or((rest, None), |(w, g)| (w, Some(g)));
        let weight = parse_digits(weight).filter(|weight| *weight > 0).ok_or(bad)?;
        let grant = grant.map(ObjectRef::from_str).transpose();
        Ok(InputRef {
            asset: asset.parse()?,
            weight,
            grant: grant.map_err(|e| format!("the grant of an input: {e}"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_is_four_numbers() {
        let split = parse_split("4000/3000/1000/2000").unwrap();
        assert_eq!((split.holding_bp, split.upstream_bp), (4_000, 2_000));
        for bad in
            ["", "1/2/3", "1/2/3/4/5", "1/2/3/x", "1/2/3/-4", "+1/2/3/4", "1/2/3/65536", "1/2/3/"]
        {
            assert!(parse_split(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn owners_have_parts() {
        let owner = parse_owner("patients-fund=1000").unwrap();
        assert_eq!((owner.member.as_str(), owner.parts), ("patients-fund", 1_000));
        for bad in ["", "a", "a=", "=1", "a=0", "a=10001", "a=-1", "a=1=2", "A=1"] {
            assert!(parse_owner(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn inputs_name_asset_weight_and_grant() {
        let id = format!("blake3:{}", "ab".repeat(32));
        let input: InputRef = "clinic/scans:3".parse().unwrap();
        assert_eq!((input.weight, input.grant), (3, None));
        let input: InputRef = format!("{id}:1:{id}").parse().unwrap();
        assert_eq!(input.asset, id.parse().unwrap());
        assert_eq!(input.grant, Some(id.parse().unwrap()));
        let input: InputRef = "clinic/scans:10:01234567".parse().unwrap();
        assert_eq!(input.grant, Some("blake3:01234567".parse().unwrap()));
        for bad in [
            "",
            "clinic/scans",
            "clinic/scans:",
            "clinic/scans:0",
            "clinic/scans:x",
            "clinic/scans:1:",
            "clinic/scans:1:xyz",
            "scans:1",
            &id,
            "clinic/scans:-1",
        ] {
            assert!(bad.parse::<InputRef>().is_err(), "{bad}");
        }
    }
}
