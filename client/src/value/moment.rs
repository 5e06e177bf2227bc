//! Points and spans of time: dates, RFC 3339, milliseconds; `90s`, `30m`, `2h`, `7d`.
//!
//! Everything is UTC. A date alone means its first millisecond where something begins and its last
//! where something ends.

use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::show;

/// Milliseconds of a day.
pub const DAY_MS: u64 = 86_400_000;
/// The first millisecond of the year 10 000.
const END_MS: u64 = 253_402_300_800_000;
/// Numbers below this are taken for misspelt dates, not for milliseconds.
const LEAST_MS: u64 = 10_000_000_000;

/// A moment as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A whole day, by its first millisecond.
    Day(u64),
    /// A point in time.
    Instant(u64),
}

impl Moment {
    /// Milliseconds since 1970 where something begins at this moment.
    pub fn begin_ms(self) -> u64 {
        match self {
            Moment::Day(ms) | Moment::Instant(ms) => ms,
        }
    }
    /// Milliseconds since 1970 where something lasts up to and including this moment.
    pub fn end_ms(self) -> u64 {
        match self {
            Moment::Day(ms) => ms + DAY_MS - 1,
            Moment::Instant(ms) => ms,
        }
    }
}

/// Why a text is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a date from 1970 on: 2026-11-23, 2026-11-23T08:00:00Z (or with +08:00), or \
     milliseconds since 1970"
)]
pub struct BadMoment;

impl FromStr for Moment {
    type Err = BadMoment;
    fn from_str(text: &str) -> Result<Self, BadMoment> {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            let ms = text.parse().map_err(|_| BadMoment)?;
            return match ms {
                0 | LEAST_MS..END_MS => Ok(Moment::Instant(ms)),
                _ => Err(BadMoment),
            };
        }
        let date = text.get(..10).ok_or(BadMoment)?;
        let day_ms = parse_date(date).ok_or(BadMoment)?;
        match text.get(10..) {
            None | Some("") => Ok(Moment::Day(u64::try_from(day_ms).map_err(|_| BadMoment)?)),
            Some(rest) => {
                let ms = parse_time(rest).and_then(|time_ms| day_ms.checked_add(time_ms));
                let ms = ms.and_then(|ms| u64::try_from(ms).ok()).filter(|ms| *ms < END_MS);
                ms.map(Moment::Instant).ok_or(BadMoment)
            }
        }
    }
}

/// A number of exactly `digits` decimal digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    let exact = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    exact.then(|| text.parse().ok()).flatten()
}

/// `2026-11-23` as milliseconds since 1970; the years 1970 to 9999.
fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    let (y, m, d) = (number(y, 4)?, number(m, 2)?, number(d, 2)?);
    let leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let last = match m {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if parts.next().is_some() || y < 1970 || !(1..=last).contains(&d) {
        return None;
    }
    Some(days_from_civil(y, m, d) * DAY_MS as i64)
}

/// Days since 1970 of a date of the Gregorian calendar.
fn days_from_civil(y: i64, m: i64, d: i64) -> i64 {
    // Years are counted from March, so that the leap day is the last of its year.
    let (y, m) = if m > 2 { (y, m - 3) } else { (y - 1, m + 9) };
    let day_of_year = (153 * m + 2) / 5 + d - 1;
    y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719_468
}

/// `T08:00:00.5+08:00` as milliseconds of the day, less the offset.
fn parse_time(text: &str) -> Option<i64> {
    let rest = text.strip_prefix(['T', 't', ' '])?;
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at(zone);
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(c, f)| (c, Some(f)));
    let mut parts = clock.split(':');
    let (h, m) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let s = number(parts.next()?, 2)?;
    if parts.next().is_some() || h > 23 || m > 59 || s > 59 {
        return None;
    }
    let ms = match fraction {
        None => 0,
        Some(f) if (1..=3).contains(&f.len()) => {
            number(f, f.len())? * 10i64.pow(3 - f.len() as u32)
        }
        Some(_) => return None,
    };
    let offset_minutes = match zone {
        "Z" | "z" => 0,
        zone => {
            let (h, m) = zone.get(1..)?.split_once(':')?;
            let (h, m) = (number(h, 2)?, number(m, 2)?);
            if h > 23 || m > 59 {
                return None;
            }
            let minutes = h * 60 + m;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    Some(((h * 60 + m - offset_minutes) * 60 + s) * 1_000 + ms)
}

/// Shows a last moment: a time in UTC, or `no end`.
pub fn show_end(ms: u64) -> String {
    if ms >= END_MS { "no end".to_string() } else { show::time(ms) }
}

/// Milliseconds since 1970, by this machine's clock.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    ms: u64,
}

impl Span {
    /// Milliseconds.
    pub const fn ms(self) -> u64 {
        self.ms
    }
}

impl FromStr for Span {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (count, unit) = text.split_at(unit);
        let unit_ms = match unit {
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => DAY_MS,
            _ => return Err("expected a time span such as 90s, 30m, 2h or 7d"),
        };
        let count = count.parse::<u64>().map_err(|_| "expected a number, such as in 30m")?;
        let ms = count.checked_mul(unit_ms).ok_or("the time span is too long")?;
        Ok(Span { ms })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_read_as_written() {
        for (text, begin_ms, end_ms) in [
            ("1970-01-01", 0, 86_399_999),
            ("2026-11-23", 1_795_392_000_000, 1_795_478_399_999),
            ("2024-02-29", 1_709_164_800_000, 1_709_251_199_999),
            ("2026-11-23T08:00:00Z", 1_795_420_800_000, 1_795_420_800_000),
            ("2026-11-23T08:00:00+08:00", 1_795_392_000_000, 1_795_392_000_000),
            ("2026-11-22 20:00:00.25-04:00", 1_795_392_000_250, 1_795_392_000_250),
            ("1795392000000", 1_795_392_000_000, 1_795_392_000_000),
            ("0", 0, 0),
        ] {
            let moment: Moment = text.parse().expect(text);
            assert_eq!((moment.begin_ms(), moment.end_ms()), (begin_ms, end_ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "20261123",
            "2026",
            "2026-1-23",
            "2026-13-01",
            "2026-02-29",
            "2023-02-29",
            "2100-02-29",
            "2026-04-31",
            "2026-11-00",
            "1969-12-31",
            "10000-01-01",
            "tomorrow",
            "2026-11-23T",
            "2026-11-23T08:00",
            "2026-11-23T08:00:00",
            "2026-11-23T24:00:00Z",
            "2026-11-23T08:60:00Z",
            "2026-11-23T08:00:00.1234Z",
            "2026-11-23T08:00:00+8:00",
            "2026-11-23T08:00:00+0800",
            "2026-11-23x",
            "-1",
            "1795392000000000",
            "２０２６-11-23",
            "1970-01-01T00:00:00+01:00",
        ] {
            assert_eq!(text.parse::<Moment>(), Err(BadMoment), "{text}");
        }
    }

    #[test]
    fn spans_have_a_unit() {
        let ms = |text: &str| text.parse::<Span>().map(Span::ms);
        assert_eq!(ms("90s"), Ok(90_000));
        assert_eq!(ms("30m"), Ok(1_800_000));
        assert_eq!(ms("24h"), Ok(DAY_MS));
        assert_eq!(ms("7d"), Ok(7 * DAY_MS));
        for bad in ["", "1", "h", "1.5h", "-1h", "1w", "1 h", "99999999999999999d"] {
            assert!(ms(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(seconds in 0..END_MS / 1_000) {
            let shown = show::time(seconds * 1_000).replace(" UTC", "Z");
            prop_assert_eq!(shown.parse(), Ok(Moment::Instant(seconds * 1_000)));
        }
    }

    #[test]
    fn an_end_beyond_every_date_is_none() {
        assert_eq!(show_end(u64::MAX), "no end");
        assert_eq!(show_end(END_MS - 1), "9999-12-31 23:59:59 UTC");
    }
}
