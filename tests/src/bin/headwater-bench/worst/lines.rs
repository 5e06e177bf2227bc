//! What is dear to look at: members at the end of long lines of successors, grants that name many
//! others, and lines of many versions.

use anyhow::{Context, Result};
use headwater_ledger::attribution::UNITS;
use headwater_ledger::codec::encode;
use headwater_ledger::event::asset::Stage;
use headwater_ledger::event::rights::{GrantRight, OfferGrant, Owner, RenewGrant, Terms};
use headwater_ledger::event::{Event, RegisterAsset};
use headwater_ledger::hash::GrantId;
use headwater_ledger::limits::{MAX_CHAIN, MAX_CHOICES, MAX_FLOORS, MAX_INPUTS, MAX_OWNERS};
use headwater_ledger::split::Right;
use headwater_ledger::state::Key;
use headwater_ledger::state::record::{EpochRecord, Floor, Records, RightRecord};
use headwater_ledger::text::Handle;
use headwater_tests::writers::{RAW_SPLIT, list, registration};

use super::Cases;
use super::grants::{in_force, terms};
use super::lineage::derived;
use crate::payments::derivation;

/// Inputs that a sale has room for when each belongs to the most owners.
const OWNED: usize = 24;
/// Parties of relative floors that a derivation has room for at the ends of the longest lines.
const PARTIES: usize = MAX_FLOORS;
/// Grants of the largest record that an offer has room for.
const FAT: usize = 200;
/// Versions after one that is granted with all of them.
const VERSIONS: usize = 300;

impl Cases {
    pub(super) fn lines(&mut self) -> Result<()> {
        self.register_from_a_predecessor()?;
        self.rest_on_succeeded_owners()?;
        self.floors_of_succeeded_parties()?;
        self.rest_on_fat_grants()?;
        self.renew_for_many_versions()
    }

    /// Inputs whose rights a member has for the one it succeeded.
    fn register_from_a_predecessor(&mut self) -> Result<()> {
        let (before, seller) = (self.owner(64), self.market.seller.clone());
        let inputs = self.raws(&before, "of-a-predecessor", MAX_INPUTS)?;
        self.fill(Key::ActedForBy(before.handle.clone()), encode(&seller.handle)?)?;
        let event = derived("of-succeeded", Stage::Processed, derivation(&inputs)?)?;
        self.time(format!("register from {MAX_INPUTS} inputs of a predecessor"), &seller, event)
    }

    /// A sale that rests on inputs of many owners, each of whom the seller has succeeded.
    fn rest_on_succeeded_owners(&mut self) -> Result<()> {
        let seller = self.market.seller.clone();
        let inputs = self.raws(&seller, "succeeded", OWNED)?;
        let derivation = derivation(&inputs)?;
        self.record(&seller, vec![derived("on-succeeded", Stage::Product, derivation)?])?;
        let product = self.asset_of(&seller, "on-succeeded")?;
        let mut records = Vec::new();
        for (n, asset) in inputs.iter().enumerate() {
            let owners: Vec<Owner> = (0..MAX_OWNERS)
                .map(|o| Ok(Owner { member: phantom(n * MAX_OWNERS + o)?, parts: 156 }))
                .collect::<Result<_>>()?;
            for owner in &owners {
                records.push((Key::ActedForBy(owner.member.clone()), encode(&seller.handle)?));
            }
            let manager = owners.first().context("there are owners")?.member.clone();
            let threshold_parts = Some(9_900);
            let signed = Vec::new();
            let head = RightRecord { epoch: 1, changes: 1, manager, threshold_parts, signed };
            records.push((Key::Right(*asset, Right::Operation), encode(&head)?));
            let epoch = EpochRecord { start_seq: 1, height: 1, owners };
            records.push((Key::Epoch(*asset, Right::Operation, 1), encode(&epoch)?));
        }
        self.market.ledger.fill(records)?;
        let event = self.listing(product, vec![])?;
        self.time(
            format!("list from {OWNED} inputs of {MAX_OWNERS} succeeded owners each"),
            &seller,
            event,
        )
    }

    /// Relative floors of as many parties as there can be, each at the end of the longest line.
    fn floors_of_succeeded_parties(&mut self) -> Result<()> {
        let seller = self.market.seller.clone();
        let inputs = self.raws(&seller, "bound", 2)?;
        let state = self.market.ledger.state();
        let mut member = state.member(&seller.handle)?.context("the seller is a member")?;
        let line: Vec<Handle> =
            (0..MAX_CHAIN).map(|n| phantom(900_000 + n)).collect::<Result<_>>()?;
        let mut records = Vec::new();
        let mut floors = Vec::new();
        for n in 0..PARTIES {
            let party = phantom(910_000 + n)?;
            member.successor = line.first().cloned();
            records.push((Key::Member(party.clone()), encode(&member)?));
            let end = line.last().context("a line has an end")?;
            records.push((Key::ActedForBy(party.clone()), encode(end)?));
            let (source, party) = (inputs[1], Some(party));
            floors.push(Floor { source, floor_bp: 1, units: UNITS, party });
        }
        for (n, one) in line.iter().enumerate() {
            member.successor = line.get(n + 1).cloned();
            records.push((Key::Member(one.clone()), encode(&member)?));
        }
        records.push((Key::Floors(inputs[0]), encode(&floors)?));
        self.market.ledger.fill(records)?;
        let event = derived("from-bound", Stage::Processed, derivation(&inputs[..1])?)?;
        self.time(format!("register under floors of {PARTIES} succeeded parties"), &seller, event)
    }

    /// An offer under as many grants as it can look at, each of which names as many others.
    fn rest_on_fat_grants(&mut self) -> Result<()> {
        let (lab, other) = (self.owner(0), self.owner(1));
        let assets = self.raws(&lab, "fat", 2)?;
        let thin = self.granted((&lab, &other), &assets[..1], operation(&terms(self)?), &[])?;
        let mut wide = terms(self)?;
        let long = |n: usize| format!("T{n:02}{}", "X".repeat(61)).parse();
        wide.territories = list((0..MAX_CHOICES).map(long).collect::<Result<Vec<_>, _>>()?)?;
        let offer = |asset, terms: &Terms, under: Vec<GrantId>| -> Result<Event> {
            Ok(Event::OfferGrant(OfferGrant {
                asset,
                right: GrantRight::Operation,
                grantee: other.handle.clone(),
                terms: terms.clone(),
                under: list(under)?,
                parent: None,
            }))
        };
        let fat = offer(assets[0], &wide, vec![thin[0]; MAX_INPUTS])?;
        let mut grants = Vec::new();
        for some in vec![fat; FAT].chunks(25) {
            let made = self.record(&lab, some.to_vec())?;
            grants.extend(made.iter().map(|id| GrantId::from_digest(*id.digest())));
        }
        let repeated = offer(assets[1], &wide, vec![grants[0]; MAX_INPUTS])?;
        self.time(
            format!("offer under one grant of {MAX_INPUTS}, named {MAX_INPUTS} times"),
            &lab,
            repeated,
        )?;
        let many = offer(assets[1], &wide, grants)?;
        self.time(format!("offer under {FAT} grants of {MAX_INPUTS} each"), &lab, many)
    }

    /// The renewal of a grant with future versions, compared with what was granted on all of them.
    fn renew_for_many_versions(&mut self) -> Result<()> {
        let lab = self.owner(0);
        let first = self.raws(&lab, "versions", 1)?[0];
        let mut held = terms(self)?;
        held.future_versions = true;
        let processing = (GrantRight::Processing, &held);
        let grant = self.granted((&lab, &self.owner(1)), &[first], processing, &[])?[0];
        let mut events = Vec::new();
        let mut before = first;
        let mut lists = Vec::new();
        for n in 0..VERSIONS {
            let name = format!("version-{n}");
            let Event::RegisterAsset(next) = registration(&name, Stage::Raw, RAW_SPLIT, None)?
            else {
                continue;
            };
            let revises = Some(before);
            events.push(Event::RegisterAsset(RegisterAsset { revises, ..next }));
            before = self.asset_of(&lab, &name)?;
            let beside: Vec<_> =
                (0..8).map(|i| in_force(i, false, held.not_after_ms)).collect::<Result<_>>()?;
            lists.push((Key::GrantsInForce(before, GrantRight::Processing), encode(&beside)?));
        }
        self.record(&lab, events)?;
        self.market.ledger.fill(lists)?;
        let not_after_ms = held.not_after_ms + 1;
        let event = Event::RenewGrant(RenewGrant { grant, not_after_ms });
        self.time(format!("renew a grant of {VERSIONS} later versions"), &lab, event)
    }
}

fn operation(terms: &Terms) -> (GrantRight, &Terms) {
    (GrantRight::Operation, terms)
}

/// A handle as long as they are.
fn phantom(n: usize) -> Result<Handle> {
    Ok(format!("a-member-with-a-long-name-{n:06}").parse()?)
}
