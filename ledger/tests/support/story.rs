//! The story that most scenarios begin with, in steps that build on each other: two hospitals, a
//! lab that cleans their data, a company that sells a report, and a buyer.

use headwater_ledger::event::asset::Input;
use headwater_ledger::event::market::Decision;
use headwater_ledger::event::rights::Terms;
use headwater_ledger::event::{OfferGrant, ProposeContract};
use headwater_ledger::hash::{ContractId, Digest, GrantId, ListingId, PaymentId};
use headwater_ledger::split::Right;
use headwater_ledger::state::record::Records;

use super::events::*;
use super::{BUYER, CHEST, COUNTY, FUND, GZ, INSIGHT, LAB, World, list};

pub const CHEST_RAW: &str = "chest-hospital/fna-2026";
pub const COUNTY_RAW: &str = "county-hospital/fna-2026";
pub const CLEANED: &str = "clean-lab/fna-cleaned";
pub const REPORT: &str = "insight-co/breast-cancer-report";

/// 2 000 000.00 CNY, in fen, and the tax in it.
pub const PRICE: u64 = 200_000_000;
pub const TAX: u64 = 11_320_755;

impl World {
    fn name(&mut self, name: &'static str, digest: Digest) {
        self.named.insert(name, digest);
    }

    fn find(&self, name: &str) -> Digest {
        *self.named.get(name).unwrap_or_else(|| panic!("the story has not come to `{name}`"))
    }

    /// A grant that the story named.
    pub fn grant(&self, name: &str) -> GrantId {
        GrantId::from_digest(self.find(name))
    }
    pub fn listing(&self) -> ListingId {
        ListingId::from_digest(self.find("listing"))
    }
    pub fn contract(&self) -> ContractId {
        ContractId::from_digest(self.find("contract"))
    }
    pub fn payment(&self) -> PaymentId {
        PaymentId::from_digest(self.find("payment"))
    }
    /// The hash of the listing's attribution schedule.
    pub fn schedule_hash(&self) -> Digest {
        self.state.listing(&self.listing()).unwrap().expect("a listing").schedule
    }

    /// Offers a grant and accepts it.
    pub fn give(&mut self, grantor: &str, offer: OfferGrant) -> GrantId {
        let grantee = offer.grantee.clone();
        let grant = self.record(grantor, offer).grant();
        self.record(grantee.as_str(), accept_grant(grant));
        grant
    }

    fn give_named(&mut self, name: &'static str, grantor: &str, offer: OfferGrant) {
        let grant = self.give(grantor, offer);
        self.name(name, *grant.digest());
    }

    /// Both hospitals register their examinations.
    pub fn sources() -> World {
        let mut w = World::default();
        w.record(CHEST, raw("fna-2026"));
        w.record(COUNTY, raw("fna-2026"));
        w
    }

    /// A tenth of the chest hospital's holding right goes to the patients' fund.
    pub fn share_with_patients(&mut self) {
        let owners = [(CHEST, 9_000), (FUND, 1_000)];
        let chest = self.asset(CHEST_RAW);
        let transfer = self.record(CHEST, transfer(chest, Right::Holding, &owners)).transfer();
        self.record(FUND, accept_transfer(transfer));
    }

    /// Both hospitals let the lab process, with a floor, and operate, sub-licensable twice.
    pub fn granted() -> World {
        let mut w = World::sources();
        w.grant_lab();
        w
    }

    pub fn grant_lab(&mut self) {
        let floor = Terms { floor_bp: 1_500, ..terms() };
        let (chest, county) = (self.asset(CHEST_RAW), self.asset(COUNTY_RAW));
        self.give_named("chest processing", CHEST, processing_grant(chest, LAB, floor.clone()));
        self.give_named("county processing", COUNTY, processing_grant(county, LAB, floor));
        self.give_named("chest operation", CHEST, operation_grant(chest, LAB, 2));
        self.give_named("county operation", COUNTY, operation_grant(county, LAB, 2));
    }

    /// The lab's inputs: 300 and 269 records.
    pub fn lab_inputs(&self) -> [Input; 2] {
        [
            input(self.asset(CHEST_RAW), 300, self.grant("chest processing")),
            input(self.asset(COUNTY_RAW), 269, self.grant("county processing")),
        ]
    }

    /// The lab cleans, and lets the company process and sell.
    pub fn cleaned() -> World {
        let mut w = World::granted();
        w.clean();
        w
    }

    pub fn clean(&mut self) {
        let inputs = self.lab_inputs();
        self.record(LAB, processed("fna-cleaned", &inputs));
        let cleaned = self.asset(CLEANED);
        self.give_named("cleaned processing", LAB, processing_grant(cleaned, INSIGHT, terms()));
        let under = list(&[self.grant("chest operation"), self.grant("county operation")]);
        let operation = OfferGrant { under, ..operation_grant(cleaned, INSIGHT, 1) };
        self.give_named("cleaned operation", LAB, operation);
    }

    pub fn report_inputs(&self) -> [Input; 1] {
        [input(self.asset(CLEANED), 1, self.grant("cleaned processing"))]
    }

    /// The company's report, not listed yet.
    pub fn reported() -> World {
        let mut w = World::cleaned();
        w.report();
        w
    }

    pub fn report(&mut self) {
        let inputs = self.report_inputs();
        self.record(INSIGHT, product("breast-cancer-report", &inputs));
    }

    /// The listing waits for the exchange.
    pub fn listed() -> World {
        let mut w = World::reported();
        w.list_report();
        w
    }

    pub fn list_report(&mut self) {
        let grants = [self.grant("cleaned operation")];
        let listing = self.record(INSIGHT, list_product(self.asset(REPORT), &grants)).listing();
        self.name("listing", *listing.digest());
    }

    /// The exchange has accepted the listing.
    pub fn accepted() -> World {
        let mut w = World::listed();
        w.accept_listing();
        w
    }

    pub fn accept_listing(&mut self) {
        self.record(GZ, review(self.listing(), Decision::Accept));
    }

    /// The contract that the company proposes to the buyer.
    pub fn proposal(&self, price: u64) -> ProposeContract {
        propose(self.listing(), BUYER, self.schedule_hash(), price)
    }

    /// The contract is proposed, and signed by nobody else.
    pub fn proposed() -> World {
        let mut w = World::accepted();
        w.propose(PRICE);
        w
    }

    pub fn propose(&mut self, price: u64) {
        let contract = self.record(INSIGHT, self.proposal(price)).contract();
        self.name("contract", *contract.digest());
    }

    /// All three parties have signed.
    pub fn contracted() -> World {
        let mut w = World::proposed();
        w.sign_by_all();
        w
    }

    pub fn sign_by_all(&mut self) {
        for party in [BUYER, GZ] {
            self.record(party, sign_contract(self.contract(), self.schedule_hash()));
        }
    }

    /// The whole price is paid.
    pub fn paid() -> World {
        let mut w = World::contracted();
        w.pay(PRICE, TAX, "B-1");
        w
    }

    pub fn pay(&mut self, gross: u64, tax: u64, reference: &str) {
        let payment = self.record(GZ, pay(self.contract(), gross, tax, reference)).payment();
        self.name("payment", *payment.digest());
    }
}
