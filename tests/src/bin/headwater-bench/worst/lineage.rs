//! Registrations with as many inputs, grants, floors and conditions as there can be, and listings
//! behind the largest ancestries.

use anyhow::{Context, Result};
use headwater_ledger::event::Event;
use headwater_ledger::event::asset::{Derivation, Stage};
use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::event::market::ListProduct;
use headwater_ledger::event::rights::{AcceptGrant, GrantRight, OfferGrant, Revocation, Terms};
use headwater_ledger::hash::{AssetId, GrantId};
use headwater_ledger::limits::{MAX_CHAIN, MAX_FLOORS, MAX_INHERITED, MAX_INPUTS};
use headwater_tests::writers::{RAW_SPLIT, Writer, list, registration};

use super::Cases;
use super::grants::terms;
use crate::payments::{DERIVED_SPLIT, derivation};

/// Own inputs beside one with the deepest lineage of another.
const BESIDE: usize = 100;
/// Inputs that an event has room for when each is used under a grant.
pub(super) const GRANTED: usize = 300;

impl Cases {
    pub(super) fn lineage(&mut self) -> Result<()> {
        let seller = self.market.seller.clone();
        let plain = registration("plain", Stage::Raw, RAW_SPLIT, None)?;
        self.time("register a raw resource", &seller, plain)?;
        self.register_from_own()?;
        self.register_under_grants()?;
        self.register_under_chains()?;
        self.register_with_conditions()?;
        self.list_own_diamonds()?;
        self.list_behind_another()
    }

    fn register_from_own(&mut self) -> Result<()> {
        let seller = self.market.seller.clone();
        let inputs = self.raws(&seller, "own", MAX_INPUTS)?;
        let event = derived("of-many", Stage::Processed, derivation(&inputs)?)?;
        self.time(format!("register from {MAX_INPUTS} inputs of one's own"), &seller, event)
    }

    /// Grants of a member to another, each on one asset, accepted.
    pub(super) fn granted(
        &mut self,
        (from, to): (&Writer, &Writer),
        assets: &[AssetId],
        (right, terms): (GrantRight, &Terms),
        parents: &[GrantId],
    ) -> Result<Vec<GrantId>> {
        let offer = |(n, asset): (usize, &AssetId)| {
            Event::OfferGrant(OfferGrant {
                asset: *asset,
                right,
                grantee: to.handle.clone(),
                terms: terms.clone(),
                under: Default::default(),
                parent: parents.get(n).copied(),
            })
        };
        let offered = self.record(from, assets.iter().enumerate().map(offer).collect())?;
        let ids: Vec<_> = offered.iter().map(|id| GrantId::from_digest(*id.digest())).collect();
        let accept = |grant: &GrantId| Event::AcceptGrant(AcceptGrant { grant: *grant });
        self.record(to, ids.iter().map(accept).collect())?;
        Ok(ids)
    }

    fn register_under_grants(&mut self) -> Result<()> {
        let (lab, seller) = (self.owner(0), self.market.seller.clone());
        let inputs = self.raws(&lab, "granted", GRANTED)?;
        let processing = (GrantRight::Processing, &terms(self)?);
        let grants = self.granted((&lab, &seller), &inputs, processing, &[])?;
        let event = derived("of-granted", Stage::Processed, under(&inputs, &grants)?)?;
        self.time(format!("register from {GRANTED} inputs under a grant each"), &seller, event)
    }

    /// Every input under a grant at the end of the longest chain of sub-licences.
    fn register_under_chains(&mut self) -> Result<()> {
        let inputs = 48;
        let seller = self.market.seller.clone();
        let assets = self.raws(&self.owner(0), "chained", inputs)?;
        let mut terms = terms(self)?;
        let mut grants = Vec::new();
        for step in 0..=MAX_CHAIN {
            let from = self.owner(step);
            let to = if step == MAX_CHAIN { seller.clone() } else { self.owner(step + 1) };
            terms.sublicence_depth = (MAX_CHAIN - step) as u8;
            let processing = (GrantRight::Processing, &terms);
            grants = self.granted((&from, &to), &assets, processing, &grants)?;
        }
        let event = derived("of-chained", Stage::Processed, under(&assets, &grants)?)?;
        let what = format!("register from {inputs} inputs under {MAX_CHAIN} sub-licences each");
        self.time(what, &seller, event)
    }

    /// Inputs that bring as many floors and conditions as can be carried.
    fn register_with_conditions(&mut self) -> Result<()> {
        let (lab, seller) = (self.owner(0), self.market.seller.clone());
        let sources = self.raws(&lab, "floored", MAX_FLOORS)?;
        let mut terms = terms(self)?;
        terms.floor_bp = 1;
        terms.revocation = Revocation::SuspendDownstream;
        let processing = (GrantRight::Processing, &terms);
        let grants = self.granted((&lab, &seller), &sources, processing, &[])?;
        let event = derived("under-floors", Stage::Processed, under(&sources, &grants)?)?;
        let what = format!("register from {MAX_FLOORS} inputs with a floor and a condition each");
        self.time(what, &seller, event)?;
        let brought = MAX_INHERITED / MAX_FLOORS;
        let mut inputs = Vec::new();
        for n in 0..brought {
            let name = format!("under-floors-{n}");
            let event = derived(&name, Stage::Processed, under(&sources, &grants)?)?;
            self.record(&seller, vec![event])?;
            inputs.push(self.asset_of(&seller, &name)?);
        }
        let event = derived("under-all-floors", Stage::Processed, derivation(&inputs)?)?;
        let what = format!("register from {brought} inputs that bring {MAX_INHERITED} of each");
        self.time(what, &seller, event)
    }

    /// The deepest lineage of one's own, each asset made from the two before: the sale rests on all
    /// of it.
    fn list_own_diamonds(&mut self) -> Result<()> {
        let seller = self.market.seller.clone();
        let count = MAX_INPUTS;
        let lineage: Vec<Vec<usize>> =
            (0..count).map(|n: usize| (n.saturating_sub(2)..n).collect()).collect();
        let edges: usize = lineage.iter().map(Vec::len).sum();
        let product = self.market.register("diamonds", &lineage)?;
        let event = self.listing(product, vec![])?;
        self.time(format!("list behind {count} own assets, {edges} edges"), &seller, event)
    }

    /// The deepest lineage of another, and as many own inputs as there can be besides.
    fn list_behind_another(&mut self) -> Result<()> {
        let edges = Rulebook::standard().max_ancestry_edges as usize;
        let (lab, seller) = (self.owner(0), self.market.seller.clone());
        let mut terms = terms(self)?;
        terms.sublicence_depth = 1;
        let (end, cover) = self.chain(edges - BESIDE - 5)?;
        let processing = (GrantRight::Processing, &terms);
        let grants = self.granted((&lab, &seller), &[end], processing, &[])?;
        let mut inputs = vec![end];
        inputs.extend(self.raws(&seller, "beside", BESIDE - 1)?);
        let derivation = under(&inputs, &grants)?;
        self.record(&seller, vec![derived("beside-a-chain", Stage::Product, derivation)?])?;
        let product = self.asset_of(&seller, "beside-a-chain")?;
        let event = self.listing(product, vec![cover])?;
        let what = format!("list from {BESIDE} inputs, one behind a chain, {edges} edges");
        self.time(what, &seller, event)
    }

    /// A chain of so many edges, in stretches of owners who each have the rights over the one
    /// before; its last asset, of the first owner, and the grant its sale rests on.
    fn chain(&mut self, edges: usize) -> Result<(AssetId, GrantId)> {
        let mut terms = terms(self)?;
        let stretches = 5;
        let mut below: Option<(AssetId, Vec<GrantId>)> = None;
        for stretch in 0..stretches {
            terms.sublicence_depth = (stretches - stretch + 1) as u8;
            let place = stretches - 1 - stretch;
            let who = self.owner(place);
            let length = edges / stretches;
            let names: Vec<String> = (0..=length).map(|n| format!("chain-{stretch}-{n}")).collect();
            let mut held = Vec::new();
            let mut events = Vec::new();
            if let Some((input, covers)) = &below {
                let (from, to) = (self.owner(place + 1), who.clone());
                let processing = (GrantRight::Processing, &terms);
                let grants = self.granted((&from, &to), &[*input], processing, &[])?;
                held = self.operable((&from, &to), *input, &terms, covers)?;
                events.push(derived(&names[0], Stage::Processed, under(&[*input], &grants)?)?);
            } else {
                events.push(registration(&names[0], Stage::Raw, RAW_SPLIT, None)?);
            }
            for n in 1..=length {
                let input = self.asset_of(&who, &names[n - 1])?;
                events.push(derived(&names[n], Stage::Processed, derivation(&[input])?)?);
            }
            self.record(&who, events)?;
            below = Some((self.asset_of(&who, &names[length])?, held));
        }
        let (end, covers) = below.context("a chain has an end")?;
        let (first, seller) = (self.owner(0), self.market.seller.clone());
        terms.sublicence_depth = 1;
        terms.max_derivations = None;
        let held = self.operable((&first, &seller), end, &terms, &covers)?;
        Ok((end, *held.first().context("no grant")?))
    }

    /// An operation grant that rests on others, accepted.
    fn operable(
        &mut self,
        (from, to): (&Writer, &Writer),
        asset: AssetId,
        terms: &Terms,
        under: &[GrantId],
    ) -> Result<Vec<GrantId>> {
        let offer = Event::OfferGrant(OfferGrant {
            asset,
            right: GrantRight::Operation,
            grantee: to.handle.clone(),
            terms: Terms { sublicence_depth: terms.sublicence_depth, ..terms.clone() },
            under: list(under.to_vec())?,
            parent: None,
        });
        let grant = GrantId::from_digest(self.record_one(from, offer)?);
        self.record_one(to, Event::AcceptGrant(AcceptGrant { grant }))?;
        Ok(vec![grant])
    }

    pub(super) fn listing(&self, asset: AssetId, grants: Vec<GrantId>) -> Result<Event> {
        let exchange = self.market.exchange.handle.clone();
        let operation_grants = list(grants)?;
        Ok(Event::ListProduct(ListProduct { asset, exchange, fee_bp: 250, operation_grants }))
    }
}

/// A registration of a derived asset.
pub(super) fn derived(name: &str, stage: Stage, derivation: Derivation) -> Result<Event> {
    registration(name, stage, DERIVED_SPLIT, Some(derivation))
}

/// A derivation of which the first inputs are used under grants.
pub(super) fn under(inputs: &[AssetId], grants: &[GrantId]) -> Result<Derivation> {
    let mut derivation = derivation(inputs)?;
    let mut filed = derivation.inputs.to_vec();
    for (input, grant) in filed.iter_mut().zip(grants) {
        (input.grant, input.weight) = (Some(*grant), 1);
    }
    derivation.inputs = list(filed)?;
    Ok(derivation)
}
