//! What nests: a territory has what lies below it, a purpose the purposes that belong to it.
//! Implements [LED-TEXT-3] and [LED-LIN-6].

use crate::event::asset::Purpose;
use crate::limits::MAX_CHOICES;
use crate::text::Code;

/// Something of which one may include another.
pub(crate) trait Nested: Clone {
    /// Whether this is the other or includes it.
    fn includes(&self, inner: &Self) -> bool;
}

/// Everything below a `-` belongs to what stands before it: `CN` includes `CN-GD`.
impl Nested for Code {
    fn includes(&self, inner: &Code) -> bool {
        let rest = inner.as_str().strip_prefix(self.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

/// As in the GA4GH Data Use Ontology: general research use is any research, health research is
/// research on a disease too and not that on origins. Care, methods and commerce are apart.
impl Nested for Purpose {
    fn includes(&self, inner: &Purpose) -> bool {
        use Purpose::{
            ClinicalCare, Commercial, DiseaseResearch, GeneralResearch, HealthResearch,
            MethodDevelopment, PopulationResearch,
        };
        self == inner
            || match self {
                GeneralResearch => {
                    matches!(inner, HealthResearch | DiseaseResearch | PopulationResearch)
                }
                HealthResearch => *inner == DiseaseResearch,
                DiseaseResearch | PopulationResearch | ClinicalCare | MethodDevelopment
                | Commercial => false,
            }
    }
}

/// Whether one of a list includes this.
pub(crate) fn has<T: Nested>(outer: &[T], inner: &T) -> bool {
    outer.iter().any(|o| o.includes(inner))
}

/// Whether everything in one list lies within something of another.
pub(crate) fn within<T: Nested>(inner: &[T], outer: &[T]) -> bool {
    inner.iter().all(|i| has(outer, i))
}

/// Whether two lists have anything in common.
pub(crate) fn meet<T: Nested>(a: &[T], b: &[T]) -> bool {
    a.iter().any(|x| b.iter().any(|y| x.includes(y) || y.includes(x)))
}

/// What two lists have in common, in order of the first, then of the second, without what lies in
/// another named before; at most `MAX_CHOICES`, the first.
pub(crate) fn common<T: Nested>(a: &[T], b: &[T]) -> Vec<T> {
    let mut found: Vec<T> = Vec::new();
    for x in a {
        for y in b {
            let narrower = if x.includes(y) {
                y
            } else if y.includes(x) {
                x
            } else {
                continue;
            };
            if found.len() < MAX_CHOICES && !has(&found, narrower) {
                found.push(narrower.clone());
            }
        }
    }
    found
}

/// What is left of something that may be limited when one more list limits it; `None` is any.
pub(crate) fn narrow<T: Nested>(held: &mut Option<Vec<T>>, with: &[T]) {
    *held = Some(held.take().map_or_else(|| with.to_vec(), |held| common(&held, with)));
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
            let (outer, inner): (Code, Code) = (outer.parse().unwrap(), inner.parse().unwrap());
            assert_eq!(outer.includes(&inner), expected, "{outer} {inner}");
            let (outer, inner) = ([outer], [inner]);
            assert_eq!(meet(&inner, &outer), expected || within(&outer, &inner));
        }
    }

    #[test]
    fn research_includes_narrower_research_and_nothing_else() {
        use Purpose::*;
        let all = [
            GeneralResearch,
            HealthResearch,
            DiseaseResearch,
            PopulationResearch,
            ClinicalCare,
            MethodDevelopment,
            Commercial,
        ];
        let more = [
            (GeneralResearch, HealthResearch),
            (GeneralResearch, DiseaseResearch),
            (GeneralResearch, PopulationResearch),
            (HealthResearch, DiseaseResearch),
        ];
        for (outer, inner) in all.iter().flat_map(|a| all.iter().map(move |b| (*a, *b))) {
            let expected = outer == inner || more.contains(&(outer, inner));
            assert_eq!(outer.includes(&inner), expected, "{outer:?} {inner:?}");
        }
        let asked = [HealthResearch, Commercial];
        assert_eq!(common(&[GeneralResearch], &asked), [HealthResearch]);
        assert_eq!(
            common(&asked, &[DiseaseResearch, GeneralResearch]),
            [DiseaseResearch, HealthResearch]
        );
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
