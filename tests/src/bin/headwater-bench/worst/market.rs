//! Sales that rest on as many grants, stand beside as many licences and are paid in as many parts
//! as there can be.

use anyhow::{Context, Result};
use headwater_ledger::codec::encode;
use headwater_ledger::event::Event;
use headwater_ledger::event::asset::{Input, Purpose, Stage};
use headwater_ledger::event::market::{
    Decision, Licence, ProposeContract, ReviewListing, SignContract,
};
use headwater_ledger::event::rights::GrantRight;
use headwater_ledger::hash::{AssetId, ContractId, GrantId, ListingId};
use headwater_ledger::limits::MAX_LICENCES;
use headwater_ledger::state::{Key, Records};
use headwater_tests::writers::{RAW_SPLIT, list, registration};

use super::Cases;
use super::grants::{in_force, terms, territories};
use super::lineage::{derived, under};
use crate::payments::derivation;

impl Cases {
    pub(super) fn market(&mut self) -> Result<()> {
        self.sell_under_grants(150, true)?;
        self.sell_under_grants(380, false)?;
        self.sell_beside_licences()
    }

    /// A product of the seller's own, made from one raw resource.
    pub(super) fn own_product(&mut self, name: &str) -> Result<AssetId> {
        let seller = self.market.seller.clone();
        let raw = format!("{name}-raw");
        let source = self.asset_of(&seller, &raw)?;
        let events = vec![
            registration(&raw, Stage::Raw, RAW_SPLIT, None)?,
            derived(name, Stage::Product, derivation(&[source])?)?,
        ];
        self.record(&seller, events)?;
        self.asset_of(&seller, name)
    }

    /// Lists a product and has the listing accepted.
    pub(super) fn listed(&mut self, product: AssetId, grants: Vec<GrantId>) -> Result<ListingId> {
        let (seller, exchange) = (self.market.seller.clone(), self.market.exchange.clone());
        let event = self.listing(product, grants)?;
        let listing = ListingId::from_digest(self.record_one(&seller, event)?);
        let review = ReviewListing { listing, decision: Decision::Accept };
        self.record_one(&exchange, Event::ReviewListing(review))?;
        Ok(listing)
    }

    /// A proposal to sell from a listing, to the buyer.
    pub(super) fn proposal(&self, listing: ListingId, exclusive: bool) -> Result<ProposeContract> {
        let record = self.market.ledger.state().listing(&listing)?.context("no such listing")?;
        let until = self.market.ledger.not_after_ms();
        let territories = if exclusive { territories("CN")? } else { vec!["CN".parse()?] };
        Ok(ProposeContract {
            listing,
            buyer: self.market.buyer.handle.clone(),
            schedule: record.schedule,
            price: 1_000_000_000_000,
            currency: "CNY".parse()?,
            licence: Licence {
                purposes: list(vec![Purpose::HealthResearch])?,
                territories: list(territories)?,
                not_after_ms: until,
                exclusive,
            },
            sign_by_ms: until,
            instalments: Default::default(),
        })
    }

    /// Records a proposal; gives the contract and the event that signs it.
    pub(super) fn proposed(&mut self, proposal: ProposeContract) -> Result<(ContractId, Event)> {
        let (seller, schedule) = (self.market.seller.clone(), proposal.schedule);
        let id = self.record_one(&seller, Event::ProposeContract(proposal))?;
        let contract = ContractId::from_digest(id);
        Ok((contract, Event::SignContract(SignContract { contract, schedule })))
    }

    fn sell_under_grants(&mut self, count: usize, many: bool) -> Result<()> {
        let (lab, seller) = (self.owner(1), self.market.seller.clone());
        let inputs = self.raws(&lab, &format!("sold-{count}"), count)?;
        let mut terms = terms(self)?;
        let processing = (GrantRight::Processing, &terms.clone());
        let grants = self.granted((&lab, &seller), &inputs, processing, &[])?;
        terms.sublicence_depth = 1;
        if many {
            terms.territories = list(territories("CN")?)?;
        }
        let operation = (GrantRight::Operation, &terms);
        let covers = self.granted((&lab, &seller), &inputs, operation, &[])?;
        // In two halves: the event that lists may look at more than one that derives.
        let (few, rest) = inputs.split_at(count / 2);
        let half = format!("half-{count}");
        self.record(&seller, vec![derived(&half, Stage::Processed, under(few, &grants)?)?])?;
        let mut filed = under(rest, &grants[count / 2..])?;
        let mut both = filed.inputs.to_vec();
        let asset = self.asset_of(&seller, &half)?;
        both.push(Input { asset, weight: 1, grant: None });
        filed.inputs = list(both)?;
        let resting = format!("resting-{count}");
        self.record(&seller, vec![derived(&resting, Stage::Product, filed)?])?;
        let product = self.asset_of(&seller, &resting)?;
        let event = self.listing(product, covers.clone())?;
        let rests =
            format!("{count} operation grants of {} territories", if many { 32 } else { 1 });
        self.time(format!("list under {rests}"), &seller, event)?;
        let listing = self.listed(product, covers)?;
        let mut proposal = self.proposal(listing, many)?;
        proposal.licence.exclusive = false;
        self.time(
            format!("propose a contract under {rests}"),
            &seller,
            Event::ProposeContract(proposal.clone()),
        )?;
        let (_, sign) = self.proposed(proposal)?;
        let buyer = self.market.buyer.clone();
        self.time(format!("sign a contract under {rests}"), &buyer, sign)
    }

    fn sell_beside_licences(&mut self) -> Result<()> {
        let product = self.own_product("popular-product")?;
        let listing = self.listed(product, vec![])?;
        let proposal = self.proposal(listing, true)?;
        let (_, sign) = self.proposed(proposal.clone())?;
        let (exchange, buyer) = (self.market.exchange.clone(), self.market.buyer.clone());
        let seller = self.market.seller.clone();
        self.record_one(&exchange, sign.clone())?;
        let until = terms(self)?.not_after_ms;
        let list_of = |count: usize, many: bool| {
            (0..count).map(|n| in_force(n, many, until)).collect::<Result<Vec<_>>>()
        };
        let beside = MAX_LICENCES / 9 - 1;
        self.fill(Key::LicencesInForce(product), encode(&list_of(beside, true)?)?)?;
        let proposed = Event::ProposeContract(proposal);
        let of = format!("exclusive licence beside {beside} of 32 territories");
        self.time(format!("propose an {of}"), &seller, proposed)?;
        self.time(format!("sign an {of}"), &buyer, sign)?;
        let (_, sign) = self.proposed(self.proposal(listing, false)?)?;
        self.record_one(&exchange, sign.clone())?;
        let beside = MAX_LICENCES - 1;
        self.fill(Key::LicencesInForce(product), encode(&list_of(beside, false)?)?)?;
        self.time(format!("sign a licence beside {beside}"), &buyer, sign)
    }
}
