//! Assets in the naive model: registration, derivation, consent and voiding.

use std::collections::{BTreeMap, BTreeSet};

use headwater_ledger::event::asset::{
    Activity, AttestDeidentification, Deidentification, Metadata, RegisterAsset, Stage,
    WithdrawConsent,
};
use headwater_ledger::event::dispute::{Ruling, Subject};
use headwater_ledger::event::member::Role;
use headwater_ledger::event::rights::{FloorKind, GrantRight, Revocation};
use headwater_ledger::hash::{AssetId, Digest, GrantId};
use headwater_ledger::limits::{CLAIM_TOLERANCE_MS, MAX_FLOORS, MAX_VOID_VERSIONS, MAX_WEIGHT_SUM};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::text::{Code as Text, Handle};

use crate::grant::{distinct, narrow};
use crate::naive::{Act, Asset, Bound, Epoch, Input, Naive, UNITS, Verdict, need};

/// A source, and the party of a relative floor.
pub type FloorOf = (AssetId, Option<Handle>);

/// The floors that bind an asset.
pub type Floors = BTreeMap<FloorOf, Bound>;

/// Whether data so described are about nobody who can be singled out.
fn anonymous(m: &Metadata) -> bool {
    matches!(m.deidentification, Deidentification::Anonymised | Deidentification::Aggregated)
}

/// Whether what is said of an asset is within its ranges.
pub fn in_ranges(m: &Metadata) -> bool {
    (1..=5).contains(&m.sensitivity)
        && m.quality.scores().iter().all(|s| *s <= 100)
        && m.period_from_ms <= m.period_to_ms
}

impl Asset {
    /// Whether its de-identification was attested when an event came, by the key's owner.
    pub fn attested(&self, seq: u64) -> bool {
        let stood =
            |from: u64, fell: Option<u64>| from < seq && fell.is_none_or(|fell| seq <= fell);
        self.attested.iter().any(|(from, _, fell)| stood(*from, *fell))
    }
}

impl Naive {
    pub fn known(&self, handle: &Handle) -> Verdict {
        need(self.members.contains_key(handle), Code::UnknownMember)
    }

    pub fn asset_named(&self, id: &AssetId) -> Result<&Asset, Code> {
        self.assets.get(id).ok_or(Code::UnknownAsset)
    }

    pub fn in_force(&self, id: &AssetId) -> Result<&Asset, Code> {
        let asset = self.asset_named(id)?;
        need(!asset.void, Code::VoidAsset)?;
        Ok(asset)
    }

    /// As [`Naive::in_force`], refusing what is contested.
    pub fn uncontested(&self, id: &AssetId) -> Result<&Asset, Code> {
        let asset = self.in_force(id)?;
        need(!self.contested(asset), Code::Contested)?;
        Ok(asset)
    }

    pub fn register(&mut self, act: &Act<'_>, id: AssetId, e: &RegisterAsset) -> Verdict {
        need(!self.assets.contains_key(&id), Code::NameTaken)?;
        let derived = e.derivation.as_ref().is_some_and(|d| !d.inputs.is_empty());
        let s = e.split;
        let sum = [s.holding_bp, s.processing_bp, s.operation_bp, s.upstream_bp];
        need(sum.iter().map(|bp| u32::from(*bp)).sum::<u32>() == 10_000, Code::SplitSum)?;
        need(derived || s.upstream_bp == 0, Code::UpstreamWithoutInputs)?;
        need(!derived || s.upstream_bp > 0, Code::InputsWithoutUpstream)?;
        need((e.stage == Stage::Raw) == e.derivation.is_none(), Code::StageMismatch)?;
        need(e.stage == Stage::Raw || derived, Code::StageMismatch)?;
        need(!e.consent_based || e.stage == Stage::Raw, Code::StageMismatch)?;
        let activity = e.derivation.as_ref().map(|d| &d.activity);
        let in_range =
            in_ranges(&e.metadata) && activity.is_none_or(|a| a.claimed_from_ms <= a.claimed_to_ms);
        let done = activity.is_none_or(|a| a.claimed_to_ms <= self.now + CLAIM_TOLERANCE_MS);
        need(in_range && done, Code::OutOfRange)?;
        let (mut line, mut version) = (id, 1);
        if let Some(previous) = &e.revises {
            let old = self.in_force(previous)?;
            need(self.is(act.author, &old.author), Code::NotAuthor)?;
            need(old.stage == e.stage, Code::StageMismatch)?;
            need(e.consent_based || !old.consent_based, Code::NotConsentBased)?;
            let later = || self.versions(old).filter(|a| a.version > old.version);
            let free = later().all(|a| a.void) && later().count() <= MAX_VOID_VERSIONS;
            need(free, Code::AlreadyRevised)?;
            (line, version) = (old.line, old.version + later().count() as u32 + 1);
        }
        let mut inputs = Vec::new();
        let mut floors = BTreeMap::new();
        if let Some(d) = &e.derivation {
            for i in &d.inputs {
                inputs.push(Input { asset: i.asset, weight: i.weight, grant: i.grant });
            }
            self.derive(act, id, &inputs, (&d.activity, &e.metadata))?;
            floors = self.floors(act.author, &inputs, s.upstream_bp)?;
        }
        let mut territories: Option<Vec<Text>> = None;
        for input in &inputs {
            let own = self.assets[&input.asset].territories.clone();
            let granted = input.grant.map(|g| self.grants[&g].terms.territories.to_vec());
            for limit in own.into_iter().chain(granted) {
                territories = Some(match territories {
                    None => limit,
                    Some(held) => narrow(&held, &limit),
                });
            }
        }
        let named = inputs.iter().filter_map(|i| i.grant);
        let used: BTreeSet<GrantId> = named.flat_map(|grant| self.chain(grant)).collect();
        for grant in used {
            self.grants.get_mut(&grant).unwrap().used += 1;
        }
        let root = e.content.root;
        let own = self.lasting(root).any(|a| self.is(act.author, &a.author));
        need(!own, Code::ContentRegistered)?;
        let duplicate = self.lasting(root).next().is_some();
        let maker = self.outputs.get(&root).filter(|_| !duplicate);
        let foreign = maker.is_some_and(|maker| !self.is(act.author, maker));
        let asset = Asset {
            author: act.author.clone(),
            name: e.name.to_string(),
            stage: e.stage,
            split: s,
            inputs,
            purposes: activity.map(|a| a.purposes.to_vec()),
            territories,
            line,
            version,
            void: false,
            consent_based: e.consent_based,
            root,
            duplicate,
            foreign,
            cleared: false,
            signed: (act.signer, self.now),
            metadata: e.metadata.clone(),
            seq: act.seq,
            time: self.now,
            withdrawn: None,
            attested: vec![],
            floors,
            reviews: Vec::new(),
        };
        self.assets.insert(id, asset);
        for right in Right::ALL {
            let owners = BTreeMap::from([(act.author.clone(), 10_000)]);
            let manager = act.author.clone();
            let epoch = Epoch {
                seq: act.seq,
                changes: 0,
                owners,
                manager,
                threshold: None,
                signed: vec![],
            };
            self.rights.insert((id, right), vec![epoch]);
        }
        Ok(())
    }

    /// The versions of the line of an asset.
    fn versions(&self, asset: &Asset) -> impl Iterator<Item = &Asset> {
        self.assets.values().filter(move |a| a.line == asset.line)
    }

    /// Whether consent was withdrawn from an asset and nothing replaced it in time.
    fn lapsed(&self, asset: &Asset) -> bool {
        let Some((seq, deadline)) = asset.withdrawn else { return false };
        let later = self.versions(asset).filter(|a| a.seq > seq && !a.void);
        let replaced = later.map(|a| a.time).any(|time| time <= deadline);
        deadline < self.now && !replaced
    }

    /// The assets with a content that count: not what another's job had put out.
    fn claims(&self, root: Digest) -> impl Iterator<Item = (&AssetId, &Asset)> {
        self.assets.iter().filter(move |(_, a)| a.root == root && !a.foreign)
    }

    /// The first of them that is not void.
    fn first_with(&self, root: &Digest) -> Option<&Asset> {
        let sound = self.claims(*root).map(|(_, a)| a).filter(|a| !a.void);
        sound.min_by_key(|a| a.seq)
    }

    /// Those of them that are not void for good.
    fn lasting(&self, root: Digest) -> impl Iterator<Item = &Asset> {
        let lasts = |id: &AssetId, a: &Asset| {
            !a.void || self.may_come_back(&Subject::Asset(*id), &Ruling::VoidAsset)
        };
        self.claims(root).filter(move |(id, a)| lasts(id, a)).map(|(_, a)| a)
    }

    fn derive(
        &self,
        act: &Act<'_>,
        id: AssetId,
        inputs: &[Input],
        (activity, metadata): (&Activity, &Metadata),
    ) -> Verdict {
        need(inputs.len() <= self.rulebook.max_inputs as usize, Code::OverLimit)?;
        let mut sum = 0u128;
        for (n, input) in inputs.iter().enumerate() {
            need(input.asset != id, Code::OwnOutputInput)?;
            let again = inputs[..n].iter().any(|earlier| earlier.asset == input.asset);
            need(!again, Code::RepeatedInput)?;
            need(input.weight > 0, Code::WeightZero)?;
            sum += u128::from(input.weight);
        }
        need(sum <= u128::from(MAX_WEIGHT_SUM), Code::WeightsOverLimit)?;
        need(!activity.purposes.is_empty() && distinct(&activity.purposes), Code::PurposesEmpty)?;
        for input in inputs {
            self.input(act, input, activity)?;
        }
        let suspended = inputs.iter().any(|i| self.suspended_upstream(&i.asset));
        need(!suspended, Code::SuspendedUpstream)?;
        let shielded = |i: &Input| anonymous(metadata) && self.assets[&i.asset].attested(act.seq);
        let lapsed = |i: &Input| !shielded(i) && self.lapsed_upstream(&i.asset);
        need(!inputs.iter().any(lapsed), Code::ConsentWithdrawn)
    }

    fn input(&self, act: &Act<'_>, input: &Input, activity: &Activity) -> Verdict {
        let asset = self.asset_named(&input.asset)?;
        need(!asset.void, Code::VoidInput)?;
        need(!self.contested(asset), Code::Contested)?;
        need(asset.withdrawn.is_none(), Code::ConsentWithdrawn)?;
        let territory = std::slice::from_ref(&activity.territory);
        self.inherited(&input.asset, &activity.purposes, territory)?;
        let processing = GrantRight::Processing;
        if let Some(grant) = input.grant {
            return self.allows(act.author, grant, &input.asset, processing, Some(activity));
        }
        self.acts_for(act, &input.asset, Right::Processing).map_err(|code| match code {
            Code::NotRightManager => Code::GrantRequired,
            other => other,
        })?;
        self.not_reserved(act.author, &input.asset, processing, Some(activity))
    }

    /// Whether an asset's content is another's, or it was signed by other hands, and no ruling has
    /// cleared it.
    pub fn contested(&self, asset: &Asset) -> bool {
        let others = |first: &Asset| self.acting(&first.author) != self.acting(&asset.author);
        let duplicate = asset.duplicate && self.first_with(&asset.root).is_some_and(others);
        !asset.cleared && (duplicate || asset.foreign || self.compromised(asset.signed))
    }

    /// Whether an asset may serve for something new.
    pub fn usable(&self, id: &AssetId) -> Verdict {
        let asset = &self.assets[id];
        need(!self.contested(asset), Code::Contested)?;
        need(!self.suspended_upstream(id), Code::SuspendedUpstream)?;
        let exempt = asset.attested(u64::MAX);
        need(exempt || !self.lapsed_upstream(id), Code::ConsentWithdrawn)?;
        need(asset.withdrawn.is_none(), Code::ConsentWithdrawn)
    }

    /// Whether a grant was revoked under which an asset, or anything upstream, was made, and its
    /// terms say that this suspends what is below.
    fn suspended_upstream(&self, id: &AssetId) -> bool {
        self.assets[id].inputs.iter().any(|input| {
            let chain = input.grant.map(|g| self.chain(g)).unwrap_or_default();
            let revoked = chain.iter().map(|g| &self.grants[g]).any(|grant| {
                grant.terms.revocation == Revocation::SuspendDownstream
                    && grant.revoked.is_some()
                    && !grant.revoked_by.zip(grant.revoked).is_none_or(|s| self.compromised(s))
            });
            revoked || self.suspended_upstream(&input.asset)
        })
    }

    /// Whether consent lapsed upstream of an asset, along a path on which nothing had been attested
    /// when the next was made of it.
    fn lapsed_upstream(&self, id: &AssetId) -> bool {
        let asset = &self.assets[id];
        asset.inputs.iter().any(|input| {
            let source = &self.assets[&input.asset];
            if anonymous(&asset.metadata) && source.attested(asset.seq) {
                return false;
            }
            source.consent_based && self.lapsed(source) || self.lapsed_upstream(&input.asset)
        })
    }

    /// The floors demanded of an asset made from inputs, by source and party.
    pub fn demanded(&self, author: &Handle, inputs: &[Input]) -> BTreeMap<FloorOf, u128> {
        let mut wanted: BTreeMap<FloorOf, u128> = BTreeMap::new();
        for input in inputs {
            let mut bind = |key, bp: u128| {
                let held = wanted.entry(key).or_insert(0);
                *held = bp.max(*held);
            };
            if let Some(grant) = input.grant {
                let terms = &self.grants[&grant].terms;
                let party = match terms.floor_kind {
                    FloorKind::Absolute => None,
                    FloorKind::Relative => Some(author.clone()),
                };
                if terms.floor_bp > 0 {
                    bind((input.asset, party), terms.floor_bp.into());
                }
            }
            for ((source, party), bound) in &self.assets[&input.asset].floors {
                if party.as_ref().is_none_or(|p| self.related(p, author)) {
                    bind((*source, party.clone()), bound.bp);
                }
            }
        }
        wanted
    }

    /// How much of what all inputs together get reaches a source, times their weights.
    pub fn reaching(&self, inputs: &[Input], source: &AssetId) -> u128 {
        let reaches = |input: &Input| {
            let through = &self.assets[&input.asset].floors;
            let entries = through.iter().filter(|((of, _), _)| of == source);
            let most = entries.map(|(_, bound)| bound.units).max().unwrap_or(0);
            let itself = if input.asset == *source { UNITS } else { 0 };
            u128::from(input.weight) * (itself + most)
        };
        inputs.iter().map(reaches).sum()
    }

    /// The floors that would bind an asset made from inputs; refuses when one is broken.
    fn floors(&self, author: &Handle, inputs: &[Input], upstream_bp: u16) -> Result<Floors, Code> {
        let weights: u128 = inputs.iter().map(|i| u128::from(i.weight)).sum();
        let mut floors = BTreeMap::new();
        for ((source, party), bp) in self.demanded(author, inputs) {
            let reached = self.reaching(inputs, &source) * u128::from(upstream_bp);
            need(reached >= bp * weights * UNITS, Code::FloorNotMet)?;
            floors.insert((source, party), Bound { bp, units: reached / (10_000 * weights) });
        }
        need(floors.len() <= MAX_FLOORS, Code::FloorsFull)?;
        Ok(floors)
    }

    pub fn withdraw_consent(&mut self, act: &Act<'_>, e: &WithdrawConsent) -> Verdict {
        let asset = self.asset_named(&e.asset)?;
        need(asset.consent_based, Code::NotConsentBased)?;
        let withdrawn = asset.withdrawn;
        let mut owners = self.epoch(&e.asset, Right::Holding).owners.keys();
        let may = self.is(act.author, &asset.author)
            || owners.any(|owner| self.is(act.author, owner))
            || self.has_role(act.author, Role::Regulator);
        need(may, Code::NotConcerned)?;
        need(e.patients > 0, Code::OutOfRange)?;
        need(withdrawn.is_none(), Code::AlreadyWithdrawn)?;
        let deadline = self.now + self.rulebook.replacement_ms;
        self.assets.get_mut(&e.asset).unwrap().withdrawn = Some((act.seq, deadline));
        Ok(())
    }

    pub fn attest(&mut self, act: &Act<'_>, e: &AttestDeidentification) -> Verdict {
        let may = [Role::Appraiser, Role::Auditor, Role::Regulator];
        need(may.iter().any(|r| self.has_role(act.author, *r)), Code::RoleRequired)?;
        let asset = self.uncontested(&e.asset)?;
        need(!self.related(act.author, &asset.author), Code::NotIndependent)?;
        self.apart_from_owners(act.author, &e.asset)?;
        need(!asset.attested(act.seq), Code::AlreadyAttested)?;
        need(anonymous(&asset.metadata), Code::NotAnonymised)?;
        let attested = (act.seq, (act.signer, self.now), None);
        self.assets.get_mut(&e.asset).unwrap().attested.push(attested);
        Ok(())
    }

    pub fn void_asset(&mut self, act: &Act<'_>, id: &AssetId) -> Verdict {
        let asset = self.in_force(id)?;
        need(self.is(act.author, &asset.author), Code::NotAuthor)?;
        let transferred = Right::ALL.iter().any(|r| self.rights[&(*id, *r)].len() > 1)
            || Right::ALL.iter().any(|r| self.epoch(id, *r).changes > 0);
        let used = self.assets.values().any(|a| a.inputs.iter().any(|i| i.asset == *id))
            || self.grants.values().any(|g| g.asset == *id)
            || self.listings.values().any(|l| l.asset == *id)
            || self.accesses.values().any(|a| a.asset == *id)
            || self.disputes.values().any(|d| match &d.subject {
                Subject::Payment(_) | Subject::Payout(_) | Subject::Contract(_) => false,
                about => self.asset_disputed(about) == *id,
            });
        need(!transferred && !used, Code::AssetInUse)?;
        self.assets.get_mut(id).unwrap().void = true;
        Ok(())
    }
}
