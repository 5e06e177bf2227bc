//! Short constructors for the events of the market, the register and secure environments, and a
//! world with another rulebook.

use headwater_ledger::event::asset::{ChangeKind, Metadata, Purpose, Quality};
use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::event::market::{Decision, Instalment, Licence, ValuationMethod};
use headwater_ledger::event::member::Role;
use headwater_ledger::event::{
    CancelRegistration, ChangeRegistration, DecideAccess, DecideRegistration, DeclineContract,
    DelistProduct, Event, FileRegistration, IssueCertificate, ListProduct, ObjectRegistration,
    ProposeContract, RecordUsage, RecordValuation, RenewRegistration, RequestAccess,
    ReviewCompliance, TerminateContract, VoidCertificate, WithdrawContract,
};
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::{
    AccessId, AssetId, CertificateId, ContractId, ListingId, RegistrationId,
};
use headwater_ledger::reject::Code;
use headwater_ledger::state::State;

use super::events::{Act, admit, digest, licence, propose};
use super::story::{PRICE, REPORT, TAX};
use super::{BUYER, CHEST, COUNTY, DAY_MS, GZ, INSIGHT, Recorded, World, genesis, handle, list};

macro_rules! acts {
    ($($name:ident)*) => {
        $(impl Act for $name {
            fn event(self) -> Event {
                Event::$name(self)
            }
        })*
    };
}

acts! {
    DelistProduct DeclineContract WithdrawContract TerminateContract IssueCertificate
    VoidCertificate ReviewCompliance RecordValuation FileRegistration ObjectRegistration
    DecideRegistration ChangeRegistration RenewRegistration CancelRegistration RequestAccess
    DecideAccess RecordUsage
}

/// A year, in milliseconds.
pub const YEAR_MS: u64 = 365 * DAY_MS;

pub fn delist(listing: ListingId) -> DelistProduct {
    DelistProduct { listing }
}
pub fn decline(contract: ContractId) -> DeclineContract {
    DeclineContract { contract }
}
pub fn withdraw(contract: ContractId) -> WithdrawContract {
    WithdrawContract { contract }
}
pub fn terminate(contract: ContractId) -> TerminateContract {
    TerminateContract { contract }
}
pub fn certify(contract: ContractId) -> IssueCertificate {
    IssueCertificate { contract }
}
pub fn void_certificate(certificate: CertificateId) -> VoidCertificate {
    VoidCertificate { certificate, reason: digest("reason") }
}
pub fn comply(asset: AssetId, decision: Decision) -> ReviewCompliance {
    ReviewCompliance { asset, decision, rights_level: 2, report: digest("report") }
}
pub fn quality(score: u8) -> Quality {
    Quality {
        accuracy: score,
        completeness: score,
        consistency: score,
        timeliness: score,
        conformity: score,
        accessibility: score,
    }
}
pub fn value(asset: AssetId, value: u64) -> RecordValuation {
    RecordValuation {
        asset,
        method: ValuationMethod::Income,
        value,
        currency: "CNY".parse().unwrap(),
        quality: quality(90),
        report: digest("report"),
    }
}
pub fn file(asset: AssetId) -> FileRegistration {
    FileRegistration { asset, registry: handle(GZ), term_ms: YEAR_MS }
}
pub fn object(registration: RegistrationId) -> ObjectRegistration {
    ObjectRegistration { registration, grounds: digest("grounds") }
}
pub fn decide(registration: RegistrationId, decision: Decision) -> DecideRegistration {
    DecideRegistration { registration, decision }
}
pub fn change(
    registration: RegistrationId,
    kind: ChangeKind,
    metadata: Metadata,
) -> ChangeRegistration {
    ChangeRegistration { registration, kind, metadata }
}
pub fn renew(registration: RegistrationId, term_ms: u64) -> RenewRegistration {
    RenewRegistration { registration, term_ms }
}
pub fn cancel(registration: RegistrationId) -> CancelRegistration {
    CancelRegistration { registration, reason: digest("reason") }
}
/// The buyer asks to work for a year inside the county hospital's environment.
pub fn ask_access(asset: AssetId) -> RequestAccess {
    RequestAccess {
        asset,
        purposes: list(&[Purpose::HealthResearch]),
        environment: handle(COUNTY),
        not_after_ms: super::GENESIS_MS + YEAR_MS,
    }
}
pub fn decide_access(access: AccessId, decision: Decision) -> DecideAccess {
    DecideAccess { access, decision }
}
pub fn usage(access: AccessId, job: &str, output: Option<&str>) -> RecordUsage {
    RecordUsage { access, job: digest(job), rows: 10, output: output.map(digest) }
}

impl Recorded {
    pub fn registration(&self) -> RegistrationId {
        RegistrationId::from_digest(self.first())
    }
    pub fn access(&self) -> AccessId {
        AccessId::from_digest(self.first())
    }
    pub fn certificate(&self) -> CertificateId {
        CertificateId::from_digest(self.first())
    }
}

impl World {
    /// A world whose rulebook is the standard one but for a change.
    pub fn ruled(change: fn(&mut Rulebook)) -> World {
        let mut rulebook = Rulebook::standard();
        change(&mut rulebook);
        World::begun(Genesis { rulebook: Some(rulebook), ..genesis() })
    }

    /// The world that begins with another genesis.
    pub fn begun(genesis: Genesis) -> World {
        World {
            chain: genesis.chain_id().unwrap(),
            state: State::genesis(&genesis).unwrap(),
            ..World::default()
        }
    }

    /// Tries an act: the code that refuses it, or none when it was recorded.
    pub fn tried(&mut self, author: &str, act: impl Act) -> Option<Code> {
        let bytes = self.by(author, act);
        self.submit(&bytes).err().map(|reject| reject.code)
    }

    /// The report, listed and accepted at an exchange.
    pub fn listed_at(&mut self, exchange: &str) -> ListingId {
        let asset = self.asset(REPORT);
        let grants = [self.grant("cleaned operation")];
        let listing = ListProduct {
            exchange: handle(exchange),
            ..super::events::list_product(asset, &grants)
        };
        let listing = self.record(INSIGHT, listing).listing();
        self.record(exchange, super::events::review(listing, Decision::Accept));
        listing
    }

    /// A contract in two instalments, due after ten and twenty days.
    pub fn instalments(&self) -> ProposeContract {
        let half =
            |days| Instalment { amount: PRICE / 2, due_ms: super::GENESIS_MS + days * DAY_MS };
        ProposeContract { instalments: list(&[half(10), half(20)]), ..self.proposal(PRICE) }
    }

    /// A contract with another licence than the usual.
    pub fn licensed(&self, change: impl FnOnce(&mut Licence)) -> ProposeContract {
        let mut licence = licence();
        change(&mut licence);
        let usual = propose(self.listing(), BUYER, self.schedule_hash(), PRICE);
        ProposeContract { licence, ..usual }
    }

    /// Signed, paid, delivered and confirmed.
    pub fn completed() -> World {
        let mut w = World::contracted();
        w.pay(PRICE, TAX, "B-1");
        w.record(INSIGHT, super::events::deliver(w.contract()));
        w.record(BUYER, super::events::confirm(w.contract()));
        w
    }

    /// A registration of the chest hospital's resource, in public notice.
    pub fn filed(&mut self) -> RegistrationId {
        self.record(CHEST, super::events::raw("fna-2026"));
        let asset = self.asset("chest-hospital/fna-2026");
        self.record(CHEST, file(asset)).registration()
    }

    /// The same, registered.
    pub fn registered(&mut self) -> RegistrationId {
        let registration = self.filed();
        self.pass(10 * DAY_MS);
        self.record(GZ, decide(registration, Decision::Accept));
        registration
    }

    /// An access of the buyer to the chest hospital's resource, asked for.
    pub fn asked(&mut self) -> AccessId {
        self.record(CHEST, super::events::raw("fna-2026"));
        let asset = self.asset("chest-hospital/fna-2026");
        self.record(BUYER, ask_access(asset)).access()
    }
}
