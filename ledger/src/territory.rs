//! Territories: codes in which everything below a `-` belongs to what stands before it. Implements
//! [LED-TEXT-3].

use crate::limits::MAX_CHOICES;
use crate::text::Code;

/// Whether a territory is another or lies within it: `CN` covers `CN-GD`.
pub(crate) fn covers(outer: &Code, inner: &Code) -> bool {
    let rest = inner.as_str().strip_prefix(outer.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Whether two territories have anything in common: one covers the other.
pub(crate) fn overlaps(a: &Code, b: &Code) -> bool {
    covers(a, b) || covers(b, a)
}

/// Whether every territory lies within one of the others.
pub(crate) fn within(inner: &[Code], outer: &[Code]) -> bool {
    inner.iter().all(|i| outer.iter().any(|o| covers(o, i)))
}

/// Whether two lists of territories have anything in common.
pub(crate) fn meet(a: &[Code], b: &[Code]) -> bool {
    a.iter().any(|x| b.iter().any(|y| overlaps(x, y)))
}

/// What two lists have in common, in order of the first, then of the second, without what lies in
/// another named before; at most `MAX_CHOICES`, the first.
pub(crate) fn common(a: &[Code], b: &[Code]) -> Vec<Code> {
    let mut found: Vec<Code> = Vec::new();
    for x in a {
        for y in b {
            let narrower = if covers(x, y) {
                y
            } else if covers(y, x) {
                x
            } else {
                continue;
            };
            if found.len() < MAX_CHOICES && !found.iter().any(|f| covers(f, narrower)) {
                found.push(narrower.clone());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<Code> {
        text.split_whitespace().map(|t| t.parse().unwrap()).collect()
    }

    #[test]
    fn a_territory_covers_itself_and_what_lies_below() {
        let table = [
            ("CN", "CN", true),
            ("CN", "CN-GD", true),
            ("CN", "CN-GD-01", true),
            ("CN-GD", "CN", false),
            ("CN-GD", "CN-BJ", false),
            ("CN", "CNX", false),
            ("C", "CN", false),
        ];
        for (outer, inner, expected) in table {
            let (outer, inner) = (outer.parse().unwrap(), inner.parse().unwrap());
            assert_eq!(covers(&outer, &inner), expected, "{outer} {inner}");
            assert_eq!(overlaps(&inner, &outer), expected || covers(&inner, &outer));
        }
    }

    #[test]
    fn what_lists_have_in_common_lies_in_both() {
        let table = [
            ("CN", "CN-GD SG", "CN-GD"),
            ("CN-GD SG", "CN", "CN-GD"),
            ("CN CN-GD", "CN-GD", "CN-GD"),
            ("CN", "SG", ""),
            ("CN-GD CN-BJ", "CN-BJ CN-GD-01", "CN-GD-01 CN-BJ"),
        ];
        for (a, b, expected) in table {
            let (a, b) = (codes(a), codes(b));
            let both = common(&a, &b);
            assert_eq!(both, codes(expected));
            assert!(within(&both, &a) && within(&both, &b));
            assert_eq!(meet(&a, &b), !both.is_empty());
        }
    }
}
