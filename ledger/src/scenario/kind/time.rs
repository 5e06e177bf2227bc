//! Times, periods and durations.

use super::Kind;
use crate::scenario::form::{Cursor, Wrong};
use crate::scenario::names::Context;
pub use crate::words::time as time_text;
use crate::words::{DAY_MS, month_days, year_days};

const UNITS: [(&str, u64); 7] = [
    ("ms", 1),
    ("min", 60_000),
    ("m", 60_000),
    ("s", 1_000),
    ("h", 3_600_000),
    ("d", DAY_MS),
    ("w", 7 * DAY_MS),
];

/// A duration such as `30d`, `12h` or `1d12h`.
pub fn span(text: &str) -> Option<u64> {
    if text == "forever" {
        return Some(u64::MAX);
    }
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit = UNITS.iter().find(|u| u.0 == unit)?.1;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = after;
    }
    if text.is_empty() { None } else { Some(total) }
}

/// How a duration is written.
pub fn span_text(ms: u64) -> String {
    if ms == u64::MAX {
        return "forever".into();
    }
    for (unit, each) in [("d", DAY_MS), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)] {
        if ms.is_multiple_of(each) {
            return format!("{}{unit}", ms.checked_div(each).unwrap_or(0));
        }
    }
    format!("{ms}ms")
}

/// A duration.
pub struct Span;

impl Kind for Span {
    type Of = u64;
    fn name() -> String {
        "duration".into()
    }
    fn sample() -> String {
        "30d".into()
    }
    fn read(at: &mut Cursor<'_>, _: &Context<'_>) -> Result<u64, Wrong> {
        let text = &at.need("a duration such as `30d`")?.text;
        let wrong = || Wrong(format!("`{text}` is not a duration such as `30d`, `12h`, `90min`"));
        if let (Ok(number), Some(unit)) = (text.parse::<u64>(), at.peek()) {
            let unit = match unit.text.as_str() {
                "day" | "days" => "d",
                "hour" | "hours" => "h",
                "minute" | "minutes" => "min",
                "second" | "seconds" => "s",
                other => other,
            };
            let found = span(&format!("{number}{unit}")).ok_or_else(wrong)?;
            at.take();
            return Ok(found);
        }
        span(text).ok_or_else(wrong)
    }
    fn write(value: &u64, _: &Context<'_>) -> String {
        span_text(*value)
    }
}

/// A block time.
pub struct Time;

impl Kind for Time {
    type Of = u64;
    fn name() -> String {
        "time".into()
    }
    fn sample() -> String {
        "2027-12-31".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<u64, Wrong> {
        let text = &at.need("a time such as `2027-12-31`")?.text;
        let wrong = || {
            Wrong(format!(
                "`{text}` is not a time such as `2027-12-31`, `2027-12-31T18:00`, `start+30d`, \
                 `now+12h` or `forever`"
            ))
        };
        // A time of day may stand apart from its date.
        let of_day = at.peek().filter(|t| !t.quoted).and_then(|t| clock(&t.text));
        if let (Some(day), Some(of_day)) = (date(text), of_day) {
            at.take();
            at.skip("utc");
            return day.checked_add(of_day).ok_or_else(wrong);
        }
        let time = time(text, context).ok_or_else(wrong)?;
        at.skip("utc");
        Ok(time)
    }
    fn write(value: &u64, _: &Context<'_>) -> String {
        time_text(*value)
    }
}

/// Two times with `to` between them.
pub struct Period;

impl Kind for Period {
    type Of = (u64, u64);
    fn name() -> String {
        "period".into()
    }
    fn sample() -> String {
        "2026-01-01 to 2026-06-30".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<(u64, u64), Wrong> {
        let from = Time::read(at, context)?;
        if !at.skip("..") {
            at.expect("to")?;
        }
        Ok((from, Time::read(at, context)?))
    }
    fn write((from, to): &(u64, u64), _: &Context<'_>) -> String {
        format!("{} to {}", time_text(*from), time_text(*to))
    }
}

fn time(text: &str, context: &Context<'_>) -> Option<u64> {
    if let Some(ms) = text.strip_prefix('@') {
        return ms.parse().ok();
    }
    let moved = |base: u64, rest: &str| match rest.split_at_checked(1) {
        None => Some(base),
        Some(("+", by)) => base.checked_add(span(by)?),
        Some(("-", by)) => base.checked_sub(span(by)?),
        Some(_) => None,
    };
    for (word, base) in [("now", context.now_ms), ("start", context.start_ms)] {
        if let Some(rest) = text.strip_prefix(word) {
            return moved(base, rest);
        }
    }
    match text {
        "forever" | "never" => return Some(u64::MAX),
        "always" => return Some(0),
        _ => {}
    }
    let (absolute, by) = text.split_once('+').unwrap_or((text, ""));
    let absolute = match absolute.trim_end_matches('Z').split_once('T') {
        Some((day, of_day)) => date(day)?.checked_add(clock(of_day)?)?,
        None => date(absolute)?,
    };
    if by.is_empty() { Some(absolute) } else { absolute.checked_add(span(by)?) }
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.mmm`, in milliseconds.
fn clock(text: &str) -> Option<u64> {
    let mut fields = text.split(':');
    let (hours, minutes) = (fields.next()?, fields.next()?);
    let (seconds, ms) = fields
        .next()
        .unwrap_or("0")
        .split_once('.')
        .unwrap_or_else(|| (text.split(':').nth(2).unwrap_or("0"), "0"));
    if fields.next().is_some() || ms.len() > 3 {
        return None;
    }
    let number = |text: &str, below: u64| text.parse::<u64>().ok().filter(|n| *n < below);
    let ms = number(&format!("{ms:0<3}"), 1_000)?;
    let (hours, minutes, seconds) =
        (number(hours, 24)?, number(minutes, 60)?, number(seconds, 60)?);
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    minutes.checked_mul(60)?.checked_add(seconds)?.checked_mul(1_000)?.checked_add(ms)
}

/// The begin of a day `YYYY-MM-DD` of 1970 to 9999 in UTC, milliseconds since 1970.
fn date(text: &str) -> Option<u64> {
    let mut fields = text.split('-');
    let mut number = |digits: usize| {
        let field = fields.next().filter(|f| f.len() == digits)?;
        field.parse::<u64>().ok()
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let month = usize::try_from(month.checked_sub(1)?).ok()?;
    let in_month = month_days(year).nth(month)?;
    if fields.next().is_some() || year < 1970 || !(1..=in_month).contains(&day) {
        return None;
    }
    let years: u64 = (1970..year).map(year_days).sum();
    let months: u64 = month_days(year).take(month).sum();
    years.checked_add(months)?.checked_add(day)?.checked_sub(1)?.checked_mul(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_since_1970_and_written_back() {
        for (text, days) in
            [("1970-01-01", 0), ("1972-03-01", 790), ("2000-02-29", 11_016), ("2027-01-01", 20_819)]
        {
            assert_eq!(date(text), Some(days * DAY_MS), "{text}");
            assert_eq!(time_text(days * DAY_MS), text);
        }
        for bad in
            ["2027-02-29", "2027-13-01", "2027-1-1", "2027-00-01", "1969-12-31", "2027-01-01-01"]
        {
            assert_eq!(date(bad), None, "{bad}");
        }
        assert_eq!(clock("12:30"), Some(45_000_000));
        assert_eq!(clock("12:30:01.5"), Some(45_001_500));
        assert_eq!(clock("24:00"), None);
    }

    #[test]
    fn durations_are_exact() {
        assert_eq!(span("1d12h"), Some(129_600_000));
        assert_eq!(span("90min"), Some(5_400_000));
        for bad in ["", "d", "3", "3x", "d3"] {
            assert_eq!(span(bad), None, "{bad}");
        }
        for ms in [0, 1, 1_000, 60_000, 3_600_000, DAY_MS, DAY_MS + 1, u64::MAX] {
            assert_eq!(span(&span_text(ms)), Some(ms));
        }
    }
}
