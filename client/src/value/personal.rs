//! Finds what looks like a Chinese identity number or a phone number in texts that would be
//! recorded for ever. A guess, for warnings: nothing personal may reach the ledger.

use serde_json::Value;

/// What a text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personal {
    /// An identity number of a resident of China.
    IdentityNumber,
    /// A phone number.
    PhoneNumber,
}

impl Personal {
    /// With its article, for a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Personal::IdentityNumber => "an identity number",
            Personal::PhoneNumber => "a phone number",
        }
    }
}

/// What a text looks like, if it looks like anything personal.
pub fn look(text: &str) -> Option<Personal> {
    // Both as written and with the separators between digits left out.
    let plain: Vec<char> = text.chars().map(to_ascii_digit).collect();
    let mut joined = Vec::with_capacity(plain.len());
    for (i, &c) in plain.iter().enumerate() {
        let between_digits = i > 0
            && joined.last().is_some_and(char::is_ascii_digit)
            && plain.get(i + 1).is_some_and(char::is_ascii_digit);
        if !(between_digits && matches!(c, ' ' | '-' | '.' | '/')) {
            joined.push(c);
        }
    }
    [plain, joined].iter().find_map(|text| runs(text).find_map(|run| classify(&run)))
}

/// Full-width digits are digits too.
fn to_ascii_digit(c: char) -> char {
    match c {
        '０'..='９' => char::from_digit(c as u32 - '０' as u32, 10).unwrap_or(c),
        c => c,
    }
}

/// The longest runs of digits; an `X` that ends a run of 17 belongs to it.
fn runs(text: &[char]) -> impl Iterator<Item = String> {
    let mut runs = vec![String::new()];
    for c in text {
        match (c, runs.last_mut()) {
            (c, Some(run)) if c.is_ascii_digit() => run.push(*c),
            ('x' | 'X', Some(run)) if run.len() == 17 => run.push('X'),
            (_, Some(run)) if run.is_empty() => {}
            _ => runs.push(String::new()),
        }
    }
    runs.into_iter()
}

fn classify(run: &str) -> Option<Personal> {
    let number = |from: usize, to: usize| run.get(from..to).and_then(|t| t.parse::<u32>().ok());
    let is_province = |n: Option<u32>| {
        matches!(n, Some(11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83))
    };
    let is_day = |month: Option<u32>, day: Option<u32>| {
        matches!(month, Some(1..=12)) && matches!(day, Some(1..=31))
    };
    let is_mobile = |digits: &str| {
        digits.len() == 11
            && digits.starts_with('1')
            && !matches!(digits.as_bytes()[1], b'0'..=b'2')
    };
    let identity = match run.len() {
        18 => {
            is_province(number(0, 2))
                && matches!(number(6, 10), Some(1900..=2099))
                && is_day(number(10, 12), number(12, 14))
        }
        15 => is_province(number(0, 2)) && is_day(number(8, 10), number(10, 12)),
        _ => false,
    };
    if identity {
        return Some(Personal::IdentityNumber);
    }
    let local = run.strip_prefix("0086").or_else(|| run.strip_prefix("86"));
    let phone = is_mobile(run) || local.is_some_and(is_mobile);
    phone.then_some(Personal::PhoneNumber)
}

/// The texts in a JSON value that look personal, each with the path that leads to it. Digests, keys
/// and commitments are no free text.
pub fn look_in(value: &Value) -> Vec<(String, Personal)> {
    let mut found = Vec::new();
    walk(value, &mut String::new(), &mut found);
    found
}

fn walk(value: &Value, path: &mut String, found: &mut Vec<(String, Personal)>) {
    let len = path.len();
    match value {
        Value::String(text) if text.starts_with("blake3:") || text.starts_with("ed25519:") => {}
        Value::String(text) => found.extend(look(text).map(|what| (path.clone(), what))),
        Value::Array(items) => {
            for item in items {
                walk(item, path, found);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                walk(item, path, found);
                path.truncate(len);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn identity_and_phone_numbers_are_seen() {
        // The first is the example of the national standard GB 11643.
        for text in [
            "11010519491231002X",
            "id-11010519491231002x-scan",
            "110105 19491231 0023",
            "110105491231002",
            "１１０１０５１９４９１２３１００２Ｘ".replace('Ｘ', "X").as_str(),
        ] {
            assert_eq!(look(text), Some(Personal::IdentityNumber), "{text}");
        }
        for text in ["13812345678", "+86 138-1234-5678", "call.13812345678", "008613812345678"] {
            assert_eq!(look(text), Some(Personal::PhoneNumber), "{text}");
        }
    }

    #[test]
    fn ordinary_texts_are_left_alone() {
        for text in [
            "",
            "city-hospital",
            "admissions-2026",
            "ICBC-20261123-000017",
            "2026-11-23",
            "202611230000012345",
            "12345678901",
            "23812345678",
            "138123456789",
            "CN-GD",
            "1795392000000",
            "990105194912310021",
            "110105194913310021",
        ] {
            assert_eq!(look(text), None, "{text}");
        }
    }

    #[test]
    fn the_place_in_an_event_is_named() {
        let event = json!({"record_payment": {
            "bank_reference": "13812345678",
            "contract": "blake3:13812345678",
            "tags": ["11010519491231002X"],
            "gross": 13_812_345_678u64,
        }});
        let expected = vec![
            ("record_payment.bank_reference".to_string(), Personal::PhoneNumber),
            ("record_payment.tags".to_string(), Personal::IdentityNumber),
        ];
        assert_eq!(look_in(&event), expected);
    }
}
