//! How sentences say amounts, parts, moments, spans of time and words of a choice: as the language
//! of scenarios writes them. Records and events never hold these.

use crate::money::Currency;

/// One day in milliseconds.
pub const DAY_MS: u64 = 86_400_000;

/// Decimal places of a currency's minor unit.
pub fn places(currency: &Currency) -> usize {
    match currency.to_string().as_str() {
        "JPY" | "KRW" | "VND" | "CLP" | "ISK" | "XAF" | "XOF" | "XPF" | "UGX" | "PYG" => 0,
        "BHD" | "KWD" | "OMR" | "JOD" | "TND" | "IQD" | "LYD" => 3,
        _ => 2,
    }
}

/// An amount of minor units without its currency: `12.34`, `-0.05`.
pub fn number(minor: impl Into<i128>, currency: &Currency) -> String {
    let (minor, places) = (minor.into(), places(currency));
    let digits = minor.unsigned_abs();
    let digits = format!("{digits:0>width$}", width = places.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
    let point = if places == 0 { "" } else { "." };
    format!("{}{whole}{point}{fraction}", if minor < 0 { "-" } else { "" })
}

/// An amount: `12.34 CNY`.
pub fn money(minor: impl Into<i128>, currency: &Currency) -> String {
    format!("{} {currency}", number(minor, currency))
}

/// Basis points as a part of a hundred: `15%`, `1.5%`, `0.01%`.
pub fn percent(bp: impl Into<u64>) -> String {
    let bp = bp.into();
    let fraction = format!("{:02}", bp % 100);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction}%", bp / 100)
}

/// A word of a choice, a status or a role as Rust shows it, in the writing of the language.
pub fn word(of: &dyn std::fmt::Debug) -> String {
    let mut word = String::new();
    for c in format!("{of:?}").chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

/// A span of time in the largest unit that measures it wholly: `30 days`, `12 hours`.
pub fn span(ms: u64) -> String {
    for (unit, each) in
        [("day", DAY_MS), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000)]
    {
        if ms.is_multiple_of(each) {
            let count = ms.checked_div(each).unwrap_or(0);
            return format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
        }
    }
    format!("{ms} ms")
}

/// A moment with its zone, for a sentence: `2027-06-30T12:00 UTC`.
pub fn moment(ms: u64) -> String {
    let text = time(ms);
    if text.starts_with(|c: char| c.is_ascii_digit()) { format!("{text} UTC") } else { text }
}

const MONTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// The days of each month of a year.
pub fn month_days(year: u64) -> impl Iterator<Item = u64> {
    MONTHS
        .into_iter()
        .zip(0u64..)
        .map(move |(days, month)| days.saturating_add(u64::from(month == 1 && leap(year))))
}

/// The days of a year.
pub fn year_days(year: u64) -> u64 {
    if leap(year) { 366 } else { 365 }
}

/// A time as the language of scenarios writes it: `2027-06-30`, `2027-06-30T12:00`, `forever`.
pub fn time(ms: u64) -> String {
    if ms == u64::MAX {
        return "forever".into();
    }
    let (mut days, in_day) = (ms / DAY_MS, ms % DAY_MS);
    let mut year = 1970;
    while days >= year_days(year) {
        days = days.saturating_sub(year_days(year));
        year = u64::saturating_add(year, 1);
        if year > 9999 {
            return format!("@{ms}");
        }
    }
    let mut month = 1u64;
    for in_month in month_days(year) {
        if days < in_month {
            break;
        }
        days = days.saturating_sub(in_month);
        month = month.saturating_add(1);
    }
    let day = format!("{year:04}-{month:02}-{:02}", days.saturating_add(1));
    let (hours, minutes) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (seconds, ms) = (in_day / 1_000 % 60, in_day % 1_000);
    match (hours, minutes, seconds, ms) {
        (0, 0, 0, 0) => day,
        (_, _, 0, 0) => format!("{day}T{hours:02}:{minutes:02}"),
        (_, _, _, 0) => format!("{day}T{hours:02}:{minutes:02}:{seconds:02}"),
        (_, _, _, _) => format!("{day}T{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::member::Role;
    use crate::event::rights::Revocation;

    #[test]
    fn sentences_say_what_people_write() {
        let cny = "CNY".parse().unwrap();
        assert_eq!(money(1_234u64, &cny), "12.34 CNY");
        assert_eq!(money(-5i128, &cny), "-0.05 CNY");
        assert_eq!(money(1_234u64, &"JPY".parse().unwrap()), "1234 JPY");
        assert_eq!(money(1_234u64, &"KWD".parse().unwrap()), "1.234 KWD");
        for (bp, text) in [(0u16, "0%"), (1, "0.01%"), (150, "1.5%"), (3_000, "30%")] {
            assert_eq!(percent(bp), text);
        }
        assert_eq!(percent(10_001u64), "100.01%");
        for (ms, text) in
            [(0, "0 days"), (DAY_MS, "1 day"), (129_600_000, "36 hours"), (1_001, "1001 ms")]
        {
            assert_eq!(span(ms), text);
        }
        assert_eq!(moment(1_790_000_000_000), "2026-09-21T14:13:20 UTC");
        assert_eq!(moment(20_819 * DAY_MS), "2027-01-01 UTC");
        assert_eq!(moment(u64::MAX), "forever");
        assert_eq!(word(&Role::Regulator), "regulator");
        assert_eq!(word(&Revocation::SuspendDownstream), "suspend-downstream");
    }
}
