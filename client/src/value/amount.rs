//! Amounts of money: decimals of a currency, or whole minor units.

use headwater_ledger::limits::MAX_AMOUNT;
use headwater_ledger::money::Currency;

use crate::failure::{Failure, Kind};
use crate::show;

/// How an amount is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// As a decimal of the currency, such as `2000000.00`.
    Decimal,
    /// As a whole number of minor units, such as `200000000`.
    Minor,
}

/// Parses an amount into minor units, 0 to 10^18. A decimal states all the digits of its currency
/// or none; nothing is ever rounded.
pub fn parse(text: &str, currency: &Currency, notation: Notation) -> Result<u64, Failure> {
    let bad = |why: &str| Failure::new(Kind::Usage, format_args!("the amount `{text}` {why}"));
    let digits = match (notation, show::decimals(currency)) {
        (Notation::Minor, _) => 0,
        (Notation::Decimal, Some(digits)) => digits,
        (Notation::Decimal, None) => {
            let message = format_args!("the minor units of {currency} are not known here");
            let hint = "add --minor and give every amount in whole minor units";
            return Err(Failure::new(Kind::Usage, message).hint(hint));
        }
    };
    let (whole, part) = text.split_once('.').map_or((text, None), |(w, p)| (w, Some(p)));
    let is_number = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || part.is_some_and(|p| !is_number(p)) {
        return Err(bad("is not a number").hint(example(currency, digits)));
    }
    if part.is_some_and(|p| p.len() != digits) {
        let why = match notation {
            Notation::Minor => "is not a whole number of minor units".to_string(),
            Notation::Decimal => format!("does not have {digits} decimals, as {currency} has"),
        };
        return Err(bad(&why).hint(example(currency, digits)));
    }
    // At most four decimals are in use anywhere.
    let scale = 10u64.pow(digits as u32);
    let minor = whole.parse::<u64>().ok().and_then(|w| w.checked_mul(scale)).and_then(|w| {
        let part = part.unwrap_or("0").parse::<u64>().ok()?;
        w.checked_add(part)
    });
    minor
        .filter(|minor| *minor <= MAX_AMOUNT)
        .ok_or_else(|| bad("is too large").hint("an amount has at most 10^18 minor units"))
}

fn example(currency: &Currency, digits: usize) -> String {
    match digits {
        0 => "write a whole number such as 2000000".to_string(),
        digits => {
            format!("write it as 2000000.{} for {currency}, without separators", "0".repeat(digits))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(text: &str) -> Currency {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_are_exact() {
        for (text, code, minor) in [
            ("2000000.00", "CNY", 200_000_000),
            ("113207.55", "CNY", 11_320_755),
            ("5", "EUR", 500),
            ("0.01", "USD", 1),
            ("2000", "JPY", 2_000),
            ("10000000000000000.00", "CNY", MAX_AMOUNT),
        ] {
            assert_eq!(parse(text, &currency(code), Notation::Decimal), Ok(minor), "{text} {code}");
        }
        assert_eq!(parse("7", &currency("XAU"), Notation::Minor), Ok(7));
        assert_eq!(parse("7", &currency("CNY"), Notation::Minor), Ok(7));
    }

    #[test]
    fn nothing_is_rounded_or_guessed() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "1.5",
            "1.234",
            "1,000.00",
            "1e3",
            "-1.00",
            "+1",
            " 1",
            "1.00 ",
            "１",
            "10000000000000000.01",
            "99999999999999999999",
            "0x10",
            "1.00.0",
        ] {
            let failure = parse(text, &currency("CNY"), Notation::Decimal).unwrap_err();
            assert_eq!(failure.kind(), Kind::Usage, "{text}");
        }
        assert!(parse("1.0", &currency("JPY"), Notation::Decimal).is_err());
        assert!(parse("1.00", &currency("CNY"), Notation::Minor).is_err());
        let unknown = parse("1.00", &currency("XAU"), Notation::Decimal).unwrap_err();
        assert!(unknown.hint_text().contains("--minor"), "{unknown:?}");
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(minor in 0..=MAX_AMOUNT, code in "CNY|JPY|EUR") {
            let currency = currency(&code);
            let shown = show::number(minor, &currency).replace(' ', "");
            prop_assert_eq!(parse(&shown, &currency, Notation::Decimal), Ok(minor));
        }
    }
}
