//! How amounts, shares, times and ids are shown to a person. JSON never uses these.

use headwater_ledger::attribution::UNITS;
use headwater_ledger::hash::Digest;
use headwater_ledger::money::Currency;

/// Decimal places of the currencies whose minor unit is known for certain.
const DECIMALS: [(&str, usize); 8] = [
    ("CNY", 2),
    ("EUR", 2),
    ("GBP", 2),
    ("HKD", 2),
    ("JPY", 0),
    ("KRW", 0),
    ("SGD", 2),
    ("USD", 2),
];

/// An amount in its currency: `317 478.52 CNY`. Of a currency that is not known here, the minor
/// units are shown as they are.
pub fn money(minor_units: u64, currency: &Currency) -> String {
    let amount = number(minor_units, currency);
    match decimals(currency) {
        Some(_) => format!("{amount} {currency}"),
        None => format!("{amount} minor units of {currency}"),
    }
}

/// As [`money`], without the currency: for a column whose heading names it.
pub fn number(minor_units: u64, currency: &Currency) -> String {
    let digits = decimals(currency).unwrap_or(0);
    if digits == 0 {
        return grouped(minor_units);
    }
    let unit = 10u64.pow(digits as u32);
    format!("{}.{:0digits$}", grouped(minor_units / unit), minor_units % unit)
}

/// As [`number`], of an amount that may be below nothing.
pub fn signed(minor_units: i128, currency: &Currency) -> String {
    let amount = u64::try_from(minor_units.unsigned_abs()).unwrap_or(u64::MAX);
    let sign = if minor_units < 0 { "-" } else { "" };
    format!("{sign}{}", number(amount, currency))
}

/// The heading of a column of amounts.
pub fn unit(currency: &Currency) -> String {
    match decimals(currency) {
        Some(_) => currency.to_string(),
        None => format!("minor units of {currency}"),
    }
}

/// Decimal places of a currency, where they are known for certain.
pub fn decimals(currency: &Currency) -> Option<usize> {
    let code = currency.to_string();
    DECIMALS.iter().find(|(known, _)| *known == code).map(|(_, decimals)| *decimals)
}

/// A sentence of the rules as people read it here: the digits of amounts in groups.
pub fn sentence(text: &str) -> String {
    let mut words: Vec<String> = text.split(' ').map(String::from).collect();
    for at in 1..words.len() {
        let (before, rest) = words.split_at_mut(at);
        let (Some(amount), Some(unit)) = (before.last_mut(), rest.first()) else { continue };
        let code = unit.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
        if let (Ok(number), Ok(_), true) =
            (whole.parse(), code.parse::<Currency>(), whole.len() > 3)
        {
            let point = if fraction.is_empty() { "" } else { "." };
            *amount = format!("{}{point}{fraction}", grouped(number));
        }
    }
    words.join(" ")
}

/// A number with its digits in groups of three: `185 849 057`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// Units of 10^18 as a percentage, rounded to six places: `18.980668 %`.
pub fn percent(units: u64) -> String {
    let millionths = (u128::from(units) * 100_000_000 + u128::from(UNITS) / 2) / u128::from(UNITS);
    format!("{}.{:06} %", millionths / 1_000_000, millionths % 1_000_000)
}

/// Basis points as a percentage: `1.50 %`.
pub fn basis_points(bp: u16) -> String {
    format!("{}.{:02} %", bp / 100, bp % 100)
}

/// Milliseconds since 1970 as UTC: `2026-11-23 04:50:07 UTC`.
pub fn time(time_ms: u64) -> String {
    let seconds = time_ms / 1_000;
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The date of a day counted from 1970-01-01, in the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    // Days from 0000-03-01, so that a leap day ends a year; eras of 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + carry, month, day)
}

/// The first digits of an id, enough to tell it from others by eye.
pub fn short(id: &Digest) -> String {
    id.to_string().chars().take("blake3:".len() + 12).collect()
}

/// `1 asset`, `2 assets`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// Texts padded on the left to one width, for a column of numbers.
pub fn right_aligned(texts: Vec<String>) -> Vec<String> {
    let width = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    texts.into_iter().map(|text| format!("{text:>width$}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_in_the_unit_people_use() {
        for (minor, currency, expected) in [
            (31_747_852, "CNY", "317 478.52 CNY"),
            (5, "USD", "0.05 USD"),
            (100, "EUR", "1.00 EUR"),
            (1_234_567, "JPY", "1 234 567 JPY"),
            (1_234_567, "XTS", "1 234 567 minor units of XTS"),
            (u64::MAX, "CNY", "184 467 440 737 095 516.15 CNY"),
            (0, "CNY", "0.00 CNY"),
        ] {
            assert_eq!(money(minor, &currency.parse().unwrap()), expected);
        }
    }

    #[test]
    fn sentences_of_the_rules_are_made_readable() {
        for (text, expected) in [
            ("a contract for 10000.00 CNY", "a contract for 10 000.00 CNY"),
            ("paid 1234567 JPY, reference A", "paid 1 234 567 JPY, reference A"),
            ("paid 0.05 CNY, reference 7000", "paid 0.05 CNY, reference 7000"),
            ("10 000.00 CNY to be paid", "10 000.00 CNY to be paid"),
            ("ended at 2026-09-21T14:13:20 UTC", "ended at 2026-09-21T14:13:20 UTC"),
            ("at height 12000", "at height 12000"),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }

    #[test]
    fn shares_are_rounded_to_the_nearest_millionth_of_a_percent() {
        for (units, expected) in [
            (UNITS, "100.000000 %"),
            (189_806_678_383_128_295, "18.980668 %"),
            (150_000_000_000_000_000, "15.000000 %"),
            (4_999_999_999, "0.000000 %"),
            (5_000_000_000, "0.000001 %"),
        ] {
            assert_eq!(percent(units), expected);
        }
        assert_eq!(basis_points(150), "1.50 %");
    }

    #[test]
    fn times_are_utc_in_every_kind_of_year() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_868_799, "2000-02-29 23:59:59 UTC"),
            (1_790_000_000, "2026-09-21 14:13:20 UTC"),
            (1_835_395_200, "2028-02-29 00:00:00 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
        ] {
            assert_eq!(time(seconds * 1_000 + 999), expected);
        }
    }
}
