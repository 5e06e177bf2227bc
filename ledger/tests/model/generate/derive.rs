//! Derivations: of what a member may use, through several paths, exactly on floors.

use std::collections::{BTreeMap, BTreeSet};

use headwater_ledger::event::Event;
use headwater_ledger::event::asset::{Activity, ActivityKind, Derivation, Input, Stage};
use headwater_ledger::event::rights::GrantRight;
use headwater_ledger::hash::{AssetId, Digest, GrantId};
use headwater_ledger::split::{Right, Split};
use headwater_ledger::text::Handle;

use super::{About, DAY_MS, Made, Maker, TERRITORIES};
use crate::grant::narrow;
use crate::naive::{self, Standing, UNITS, all_allowed};
use crate::world::list;

/// Something to derive from, with the grant to name.
type Source = (AssetId, Option<GrantId>);

impl Maker {
    /// What a member can derive from.
    fn sources(&self, author: &Handle) -> Vec<Source> {
        let manages = |id: &&AssetId| {
            let manager = &self.naive.epoch(id, Right::Processing).manager;
            self.naive.is(author, manager)
        };
        let own = self.naive.assets.keys().filter(manages);
        let granted = self.naive.grants.iter().filter(|(_, g)| {
            g.right == GrantRight::Processing
                && self.naive.is(author, &g.grantee)
                && matches!(
                    g.standing,
                    Standing::Accepted | Standing::Revoked | Standing::Withdrawn
                )
        });
        let mut all: Vec<Source> = own.map(|id| (*id, None)).collect();
        all.extend(granted.map(|(id, g)| (g.asset, Some(*id))));
        // A grant may cover a later version too.
        let later = granted_later(self, author);
        all.extend(later);
        all
    }

    pub(super) fn derived(&mut self) -> Made {
        let author = self.member();
        let sources = self.sources(&author);
        let mut inputs: Vec<Input> = Vec::new();
        for _ in 0..=self.random.below(3) {
            let (asset, grant) = self.random.pick(&sources)?;
            if inputs.iter().any(|i| i.asset == asset) && !self.random.in_ten(1) {
                continue;
            }
            let weight = 1 + self.random.below(1_000);
            inputs.push(Input { asset, weight, grant });
        }
        let split = if self.random.in_ten(3) {
            self.on_the_floor(&author, &inputs)
        } else {
            self.split(true)
        };
        self.derivation(author, inputs, split)
    }

    /// A derivation of some inputs, mostly within what they allow.
    fn derivation(&mut self, author: Handle, inputs: Vec<Input>, split: Split) -> Made {
        let mut purposes = self.purposes();
        let mut territory = TERRITORIES[self.random.below(3) as usize].to_owned();
        let early = self.random.below(3) * self.random.below(60 * DAY_MS);
        let mut from = self.naive.now.saturating_sub(early);
        for input in &inputs {
            let sensible = self.random.in_ten(9);
            if let Some(allowed) = &self.naive.assets[&input.asset].purposes
                && sensible
            {
                purposes.retain(|p| all_allowed(&[*p], allowed));
            }
            let within = &self.naive.assets[&input.asset].territories;
            if let Some([first, ..]) = within.as_deref()
                && sensible
            {
                territory = first.to_string();
            }
            let Some(grant) = input.grant.map(|g| &self.naive.grants[&g]) else { continue };
            if sensible {
                purposes.retain(|p| all_allowed(&[*p], &grant.terms.purposes));
                let held = [territory.parse().unwrap()];
                let both = narrow(&held, &grant.terms.territories);
                territory = both.first().unwrap_or(&grant.terms.territories[0]).to_string();
            }
            let (begin, end) = (grant.terms.not_before_ms, grant.end);
            from = match self.random.below(16) {
                0 => begin,
                1 => begin.saturating_sub(1),
                2 => end,
                3 => end + 1,
                _ if from < begin => begin,
                _ => from,
            };
        }
        let stage = if self.random.in_ten(5) { Stage::Product } else { Stage::Processed };
        let activity = Activity {
            kind: ActivityKind::Merging,
            method: Digest::Blake3([7; 32]),
            purposes: list(&purposes),
            territory: territory.parse().unwrap(),
            claimed_from_ms: from,
            claimed_to_ms: from + self.random.below(2),
            cost: None,
        };
        let derivation = Derivation { inputs: list(&inputs), activity };
        let e = self.asset_event(stage, split, Some(derivation));
        Some((author, Event::RegisterAsset(e)))
    }

    /// A derivation of a single asset under a grant.
    pub(super) fn derived_under(&mut self, grant: GrantId) -> Made {
        let held = self.naive.grants[&grant].clone();
        let inputs = vec![Input { asset: held.asset, weight: 1, grant: Some(grant) }];
        let author = self.or_any(held.grantee);
        let split = self.on_the_floor(&author, &inputs);
        self.derivation(author, inputs, split)
    }

    /// A derivation in which two paths or more lead to a source that has floors.
    pub(super) fn diamond(&mut self) -> Made {
        let author = self.member();
        let sources = self.sources(&author);
        let mut through: BTreeMap<AssetId, Vec<Source>> = BTreeMap::new();
        for (asset, grant) in &sources {
            let floors = self.naive.assets[asset].floors.keys().map(|(source, _)| *source);
            let own = grant.filter(|g| self.naive.grants[g].terms.floor_bp > 0).map(|_| *asset);
            for source in floors.chain(own).collect::<BTreeSet<_>>() {
                through.entry(source).or_default().push((*asset, *grant));
            }
        }
        let paths = |all: &Vec<Source>| all.iter().map(|s| s.0).collect::<BTreeSet<_>>().len();
        let several: Vec<_> = through.values().filter(|all| paths(all) > 1).cloned().collect();
        let any: Vec<_> = through.into_values().collect();
        let from = self.random.pick(if several.is_empty() { &any } else { &several })?;
        let mut inputs: Vec<Input> = Vec::new();
        for n in 0..2 + self.random.below(3) {
            let from = if n < 2 || self.random.in_ten(7) { &from } else { &sources };
            let (asset, grant) = self.random.pick(from)?;
            if !inputs.iter().any(|i| i.asset == asset) {
                let weight = self.random.pick(&[1, 1, 2, 3, 10, 97])?;
                inputs.push(Input { asset, weight, grant });
            }
        }
        let split = self.on_the_floor(&author, &inputs);
        self.derivation(author, inputs, split)
    }

    /// A split whose upstream part is the least that the floors allow, one less, or somewhat more.
    fn on_the_floor(&mut self, author: &Handle, inputs: &[Input]) -> Split {
        let inputs: Vec<naive::Input> = inputs
            .iter()
            .map(|i| naive::Input { asset: i.asset, weight: i.weight, grant: i.grant })
            .collect();
        let whole: u128 = inputs.iter().map(|i| u128::from(i.weight)).sum();
        let demanded = self.naive.demanded(author, &inputs);
        let least = demanded.iter().map(|((source, _), bp)| {
            (bp * whole * UNITS).div_ceil(self.naive.reaching(&inputs, source).max(1))
        });
        let least = least.max().unwrap_or(0).clamp(1, 10_000) as u64;
        let upstream = match self.random.below(8) {
            0 => least - 1,
            1 => least + self.random.below(10_001 - least),
            2 if self.about == About::Floors => 10_000,
            _ => least,
        };
        let upstream_bp = upstream.clamp(1, 10_000) as u16;
        let holding_bp = self.random.below(10_001 - u64::from(upstream_bp)) as u16;
        let operation_bp = 10_000 - upstream_bp - holding_bp;
        Split { holding_bp, processing_bp: 0, operation_bp, upstream_bp }
    }
}

/// Later versions of what a member was granted with the later ones.
fn granted_later(maker: &Maker, author: &Handle) -> Vec<Source> {
    let naive = &maker.naive;
    let mut all = Vec::new();
    for (id, grant) in &naive.grants {
        let fits = grant.right == GrantRight::Processing
            && grant.terms.future_versions
            && naive.is(author, &grant.grantee);
        if fits {
            let line = naive.assets[&grant.asset].line;
            let later = naive.assets.iter().filter(|(_, a)| a.line == line && a.version > 1);
            all.extend(later.map(|(asset, _)| (*asset, Some(*id))));
        }
    }
    all
}
