//! Lineages of several shapes: which assets each asset is made from.

/// The shape of a lineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Each made from the one before.
    Chain,
    /// Collections of up to five hundred raw resources each, and a product of the collections.
    Wide,
    /// Layers of two, each made from both of the layer before: diamonds all the way.
    Diamonds,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Shape; 3] = [Shape::Chain, Shape::Wide, Shape::Diamonds];

    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Chain => "chain",
            Shape::Wide => "wide",
            Shape::Diamonds => "diamonds",
        }
    }

    /// The inputs of each asset, by place. Inputs come before what is made from them; the product
    /// is last and has exactly `ancestors` (at least 1).
    pub fn inputs(self, ancestors: usize) -> Vec<Vec<usize>> {
        if ancestors <= 1 {
            return vec![vec![], vec![0]];
        }
        match self {
            Shape::Chain => {
                (0..=ancestors).map(|n| n.checked_sub(1).into_iter().collect()).collect()
            }
            Shape::Wide => {
                let collections = ancestors.div_ceil(500);
                let raw = ancestors - collections;
                let mut all = vec![Vec::new(); raw];
                all.extend((0..collections).map(|c| (c..raw).step_by(collections).collect()));
                all.push((raw..ancestors).collect());
                all
            }
            Shape::Diamonds => (0..=ancestors)
                .map(|n| {
                    let layer = n / 2 * 2;
                    if n == ancestors {
                        (n - 2..n).collect()
                    } else {
                        (layer.saturating_sub(2)..layer).collect()
                    }
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn ancestors(inputs: &[Vec<usize>]) -> usize {
        let mut seen = BTreeSet::new();
        let mut pending = vec![inputs.len() - 1];
        while let Some(n) = pending.pop() {
            pending.extend(inputs[n].iter().filter(|input| seen.insert(**input)));
        }
        seen.len()
    }

    #[test]
    fn a_product_has_exactly_the_ancestors_asked_for() {
        for shape in Shape::ALL {
            for count in [1, 2, 3, 100, 101, 1_000, 1_001, 10_000] {
                let inputs = shape.inputs(count);
                assert_eq!(inputs.len(), count + 1, "{shape:?} {count}");
                assert_eq!(ancestors(&inputs), count, "{shape:?} {count}");
                assert!(inputs.iter().enumerate().all(|(n, i)| i.iter().all(|i| *i < n)));
                assert!(inputs.iter().all(|i| i.len() <= headwater_ledger::limits::MAX_INPUTS));
            }
        }
    }
}
