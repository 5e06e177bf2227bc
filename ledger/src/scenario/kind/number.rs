//! Numbers, parts of a whole and money.

use super::Kind;
use crate::event::asset::Quality;
use crate::money::Currency;
use crate::scenario::form::{Cursor, Wrong};
use crate::scenario::names::Context;
use crate::split::Split;
use crate::words::{money, places};

/// Digits with `_` or `'` between groups.
fn digits(text: &str) -> String {
    text.replace(['_', '\''], "")
}

fn whole<T: std::str::FromStr>(at: &mut Cursor<'_>) -> Result<T, Wrong> {
    let token = at.need("a whole number")?;
    digits(&token.text).parse().map_err(|_| {
        let bits = std::mem::size_of::<T>().saturating_mul(8);
        Wrong(format!("`{}` is not a whole number of at most {bits} bits", token.text))
    })
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $kind:ident = $of:ty;)*) => {$(
        $(#[$doc])*
        pub struct $kind;
        impl Kind for $kind {
            type Of = $of;
            fn name() -> String {
                "number".into()
            }
            fn sample() -> String {
                "3".into()
            }
            fn read(at: &mut Cursor<'_>, _: &Context<'_>) -> Result<$of, Wrong> {
                whole(at)
            }
            fn write(value: &$of, _: &Context<'_>) -> String {
                value.to_string()
            }
        }
    )*};
}

numbers! {
    /// A small number.
    Count8 = u8;
    /// A number.
    Count32 = u32;
    /// A large number.
    Count = u64;
}

/// `60%`, `37.5%`, `6000bp` or `6000`: parts of 10 000.
fn parts(text: &str) -> Result<u16, Wrong> {
    let wrong = || Wrong(format!("`{text}` is not a part such as `60%`, `1.5%` or `6000bp`"));
    if let Some(percent) = text.strip_suffix('%') {
        let bp = decimal(percent, 2).ok_or_else(wrong)?;
        return u16::try_from(bp).map_err(|_| wrong());
    }
    digits(text.strip_suffix("bp").unwrap_or(text)).parse().map_err(|_| wrong())
}

/// A decimal number in units of `10^-places`; exact or nothing.
fn decimal(text: &str, places: usize) -> Option<u64> {
    let text = digits(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let ascii = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !ascii(whole) || !ascii(fraction) || fraction.len() > places {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse().ok()
}

/// Parts of 10 000: a fee, a share of a right, a floor.
pub struct Part;

impl Kind for Part {
    type Of = u16;
    fn name() -> String {
        "part".into()
    }
    fn sample() -> String {
        "15%".into()
    }
    fn read(at: &mut Cursor<'_>, _: &Context<'_>) -> Result<u16, Wrong> {
        parts(&at.need("a part such as `15%` or `1500bp`")?.text)
    }
    fn write(value: &u16, _: &Context<'_>) -> String {
        let (percent, rest) = (value / 100, value % 100);
        if rest == 0 { format!("{percent}%") } else { format!("{value}bp") }
    }
}

/// The four shares of a split.
pub struct Shares;

impl Kind for Shares {
    type Of = Split;
    fn name() -> String {
        "split".into()
    }
    fn sample() -> String {
        "60/20/20/0".into()
    }
    fn read(at: &mut Cursor<'_>, _: &Context<'_>) -> Result<Split, Wrong> {
        let text = &at.need("a split such as `60/20/20/0`")?.text;
        let wrong = || {
            Wrong(format!(
                "`{text}` is not a split: four parts for holding/processing/operation/upstream, \
                 such as `60/20/20/0`, `60/20/20/0%` or `6000/2000/2000/0bp`"
            ))
        };
        let (numbers, unit) = match (text.strip_suffix('%'), text.strip_suffix("bp")) {
            (Some(numbers), _) => (numbers, Some("%")),
            (None, Some(numbers)) => (numbers, Some("bp")),
            (None, None) => (text.as_str(), None),
        };
        let numbers: Vec<&str> = numbers.split('/').map(|n| n.trim_end_matches('%')).collect();
        // Without a unit it is percent unless a number is above 100.
        let hundreds = numbers.iter().any(|n| digits(n).parse::<u32>().is_ok_and(|n| n > 100));
        let unit = unit.unwrap_or(if hundreds { "bp" } else { "%" });
        let shares: Result<Vec<u16>, Wrong> =
            numbers.iter().map(|n| parts(&format!("{n}{unit}"))).collect();
        match shares.map_err(|_| wrong())?.as_slice() {
            [holding_bp, processing_bp, operation_bp, upstream_bp] => Ok(Split {
                holding_bp: *holding_bp,
                processing_bp: *processing_bp,
                operation_bp: *operation_bp,
                upstream_bp: *upstream_bp,
            }),
            [] | [_] | [_, _] | [_, _, _] | [_, _, _, _, _, ..] => Err(wrong()),
        }
    }
    fn write(s: &Split, _: &Context<'_>) -> String {
        let Split { holding_bp, processing_bp, operation_bp, upstream_bp } = s;
        format!("{holding_bp}/{processing_bp}/{operation_bp}/{upstream_bp}bp")
    }
}

/// Six quality scores.
pub struct Scores;

impl Kind for Scores {
    type Of = Quality;
    fn name() -> String {
        "scores".into()
    }
    fn sample() -> String {
        "90/91/92/93/94/95".into()
    }
    fn read(at: &mut Cursor<'_>, _: &Context<'_>) -> Result<Quality, Wrong> {
        let text = &at.need("quality scores such as `90/91/92/93/94/95`")?.text;
        let scores: Result<Vec<u8>, _> = text.split('/').map(str::parse).collect();
        let [accuracy, completeness, consistency, timeliness, conformity, accessibility] =
            match scores.ok().as_deref() {
                Some([all]) => [*all; 6],
                Some([a, b, c, d, e, f]) => [*a, *b, *c, *d, *e, *f],
                Some(_) | None => {
                    return Err(Wrong(format!(
                        "`{text}` is not one score for all or six with `/`"
                    )));
                }
            };
        Ok(Quality { accuracy, completeness, consistency, timeliness, conformity, accessibility })
    }
    fn write(value: &Quality, _: &Context<'_>) -> String {
        value.scores().map(|s| s.to_string()).join("/")
    }
}

/// A currency.
pub struct Coin;

impl Kind for Coin {
    type Of = Currency;
    fn name() -> String {
        "currency".into()
    }
    fn sample() -> String {
        "CNY".into()
    }
    fn read(at: &mut Cursor<'_>, _: &Context<'_>) -> Result<Currency, Wrong> {
        let text = &at.need("a currency such as CNY")?.text;
        text.parse().map_err(|e: crate::text::ParseText| Wrong(e.to_string()))
    }
    fn write(value: &Currency, _: &Context<'_>) -> String {
        value.to_string()
    }
}

/// An amount with its currency.
pub struct Money;

impl Kind for Money {
    type Of = (u64, Currency);
    fn name() -> String {
        "amount".into()
    }
    fn sample() -> String {
        "2000000.00 CNY".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<(u64, Currency), Wrong> {
        let number = at.need("an amount such as `100.00 CNY`")?;
        let minor = at.skip("minor");
        let next = at.found();
        let currency = Coin::read(at, context).map_err(|_| {
            Wrong(format!("after {} expected a currency such as CNY, found {next}", number.text))
        })?;
        Ok((amount(&number.text, minor, &currency)?, currency))
    }
    fn write((minor, currency): &(u64, Currency), _: &Context<'_>) -> String {
        money(*minor, currency)
    }
}

fn amount(text: &str, minor: bool, currency: &Currency) -> Result<u64, Wrong> {
    let places = if minor { 0 } else { places(currency) };
    decimal(text, places).ok_or_else(|| {
        let text = format!("`{text}` is not an amount of at most {places} decimal places");
        Wrong(format!("{text} ({currency}), such as {}", money(12_345u64, currency)))
    })
}

/// An amount where the event names no currency of its own.
pub struct Minor;

impl Kind for Minor {
    type Of = (u64, Option<Currency>);
    fn name() -> String {
        "amount".into()
    }
    fn sample() -> String {
        "100.00 CNY".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<Self::Of, Wrong> {
        let ahead = at.rest();
        let unit = ahead.get(1).filter(|t| !t.quoted).map(|t| t.text.as_str());
        let bare_minor = unit == Some("minor")
            && ahead.get(2).is_none_or(|t| t.text.parse::<Currency>().is_err());
        let number = at.peek().map(|t| digits(&t.text)).unwrap_or_default();
        if bare_minor || (number == "0" && unit.is_none_or(|u| u.parse::<Currency>().is_err())) {
            let amount = whole(at)?;
            at.skip("minor");
            return Ok((amount, None));
        }
        let (amount, currency) = Money::read(at, context).map_err(|e| {
            Wrong(format!("{e}; write `100.00 CNY`, or minor units as in `10000 minor`"))
        })?;
        Ok((amount, Some(currency)))
    }
    fn write((minor, currency): &Self::Of, _: &Context<'_>) -> String {
        match currency {
            Some(currency) => money(*minor, currency),
            None => format!("{minor} minor"),
        }
    }
}

/// The minor units of an amount that must be in this currency.
pub fn in_currency(amount: (u64, Option<Currency>), currency: &Currency) -> Result<u64, Wrong> {
    match amount {
        (minor, Some(other)) if other != *currency => {
            Err(Wrong(format!("{} and {currency} in one act", money(minor, &other))))
        }
        (minor, _) => Ok(minor),
    }
}
