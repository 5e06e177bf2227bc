//! Short constructors for every event, with the values that most scenarios do not care about.

use headwater_ledger::event::asset::{
    Activity, ActivityKind, Classification, Content, Deidentification, Derivation, Input, Metadata,
    Purpose, Quality, Stage,
};
use headwater_ledger::event::dispute::{Adjustment, Ground, Redirect, Ruling, Slice, Subject};
use headwater_ledger::event::market::{Decision, Licence, ProvedClaim};
use headwater_ledger::event::member::{MemberKey, Role, Scope};
use headwater_ledger::event::rights::{GrantRight, Owner, Terms};
use headwater_ledger::event::{
    AcceptGrant, AcceptTransfer, AdmitMember, AppealRuling, AttestDeidentification,
    ConfirmDelivery, DeclineGrant, Event, FileEvidence, ListProduct, OfferGrant, OpenDispute,
    OrderFreeze, ProposeContract, RecordDelivery, RecordPayment, RefundPayment, RegisterAsset,
    ReinstateMember, ReviewListing, RevokeGrant, RuleDispute, SignContract, SuspendMember,
    TransferRight, VoidAsset, WithdrawConsent,
};
use headwater_ledger::hash::{
    AccountId, AssetId, ContractId, Digest, DisputeId, GrantId, ListingId, PaymentId, TransferId,
};
use headwater_ledger::split::{Right, Split};

use super::{DAY_MS, FUND, GENESIS_MS, GZ, REGULATOR, Recorded, World, handle, key, list};

/// Anything that is an event.
pub trait Act {
    fn event(self) -> Event;
}

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
    AdmitMember SuspendMember ReinstateMember RegisterAsset TransferRight AcceptTransfer
    OfferGrant AcceptGrant DeclineGrant RevokeGrant VoidAsset ListProduct ReviewListing
    ProposeContract SignContract RecordPayment RecordDelivery ConfirmDelivery RefundPayment
    WithdrawConsent AttestDeidentification OpenDispute OrderFreeze FileEvidence RuleDispute
    AppealRuling
}

pub const PURPOSES: [Purpose; 2] = [Purpose::HealthResearch, Purpose::Commercial];

/// A year after genesis.
pub const YEAR_END_MS: u64 = GENESIS_MS + 365 * DAY_MS;

pub fn digest(text: &str) -> Digest {
    headwater_ledger::hash::Context::CONTENT_LEAF.hash(&[text.as_bytes()])
}

pub fn admit(name: &str, role: Role) -> AdmitMember {
    AdmitMember {
        handle: handle(name),
        name: name.parse().unwrap(),
        roles: list(&[role]),
        keys: list(&[MemberKey { key: key(name).public_key(), scopes: list(&Scope::ALL) }]),
    }
}

pub fn suspend(name: &str) -> SuspendMember {
    SuspendMember { member: handle(name) }
}

pub fn reinstate(name: &str) -> ReinstateMember {
    ReinstateMember { member: handle(name) }
}

/// Holding, processing, operation, upstream.
pub fn split(shares: [u16; 4]) -> Split {
    let [holding_bp, processing_bp, operation_bp, upstream_bp] = shares;
    Split { holding_bp, processing_bp, operation_bp, upstream_bp }
}

pub fn metadata() -> Metadata {
    Metadata {
        format: "text/csv".parse().unwrap(),
        region: "CN-GD".parse().unwrap(),
        period_from_ms: GENESIS_MS - 365 * DAY_MS,
        period_to_ms: GENESIS_MS,
        classification: Classification::Important,
        sensitivity: 3,
        deidentification: Deidentification::Pseudonymised,
        quality: Quality {
            accuracy: 98,
            completeness: 95,
            consistency: 99,
            timeliness: 90,
            conformity: 100,
            accessibility: 80,
        },
    }
}

/// A raw resource that keeps everything for the owners of the holding right.
pub fn raw(name: &str) -> RegisterAsset {
    RegisterAsset {
        consent_based: Default::default(),
        name: name.parse().unwrap(),
        stage: Stage::Raw,
        revises: None,
        content: Content { root: digest(name), bytes: 125_204, records: 569 },
        metadata: metadata(),
        split: split([10_000, 0, 0, 0]),
        derivation: None,
    }
}

pub fn activity() -> Activity {
    Activity {
        kind: ActivityKind::Cleaning,
        method: digest("method"),
        purposes: list(&PURPOSES),
        territory: "CN".parse().unwrap(),
        claimed_from_ms: GENESIS_MS,
        claimed_to_ms: GENESIS_MS,
        cost: None,
    }
}

pub fn input(asset: AssetId, weight: u64, grant: impl Into<Option<GrantId>>) -> Input {
    Input { asset, weight, grant: grant.into() }
}

/// A processed dataset that gives 4 000 to processing and 6 000 upstream.
pub fn processed(name: &str, inputs: &[Input]) -> RegisterAsset {
    RegisterAsset {
        stage: Stage::Processed,
        split: split([0, 4_000, 0, 6_000]),
        derivation: Some(Derivation { inputs: list(inputs), activity: activity() }),
        ..raw(name)
    }
}

/// A product that gives 1 500 to processing, 2 500 to operation and 6 000 upstream.
pub fn product(name: &str, inputs: &[Input]) -> RegisterAsset {
    RegisterAsset {
        stage: Stage::Product,
        split: split([0, 1_500, 2_500, 6_000]),
        ..processed(name, inputs)
    }
}

/// The same registration with another activity.
pub fn doing(asset: RegisterAsset, change: impl FnOnce(&mut Activity)) -> RegisterAsset {
    let mut asset = asset;
    change(&mut asset.derivation.as_mut().expect("a derivation").activity);
    asset
}

/// A transfer to these owners and their parts; the first manages the right from then on.
pub fn transfer(asset: AssetId, right: Right, owners: &[(&str, u16)]) -> TransferRight {
    let owned: Vec<Owner> =
        owners.iter().map(|(m, parts)| Owner { member: handle(m), parts: *parts }).collect();
    TransferRight {
        threshold_parts: Default::default(),
        asset,
        right,
        owners: list(&owned),
        manager: handle(owners[0].0),
    }
}

pub fn accept_transfer(transfer: TransferId) -> AcceptTransfer {
    AcceptTransfer { transfer }
}

/// Terms for a year, in China, for health research and commerce.
pub fn terms() -> Terms {
    Terms {
        exclusivity: Default::default(),
        floor_kind: Default::default(),
        revocation: Default::default(),
        purposes: list(&PURPOSES),
        territories: list(&["CN".parse().unwrap()]),
        not_before_ms: GENESIS_MS,
        not_after_ms: YEAR_END_MS,
        sublicence_depth: 0,
        max_derivations: None,
        future_versions: false,
        floor_bp: 0,
        filing_window_ms: 0,
    }
}

pub fn processing_grant(asset: AssetId, grantee: &str, terms: Terms) -> OfferGrant {
    let right = GrantRight::Processing;
    OfferGrant {
        parent: Default::default(),
        asset,
        right,
        grantee: handle(grantee),
        terms,
        under: list(&[]),
    }
}

/// An operation grant on which so many further steps may build.
pub fn operation_grant(asset: AssetId, grantee: &str, sublicence_depth: u8) -> OfferGrant {
    let terms = Terms { sublicence_depth, ..terms() };
    let right = GrantRight::Operation;
    OfferGrant {
        parent: Default::default(),
        asset,
        right,
        grantee: handle(grantee),
        terms,
        under: list(&[]),
    }
}

pub fn accept_grant(grant: GrantId) -> AcceptGrant {
    AcceptGrant { grant }
}

pub fn decline_grant(grant: GrantId) -> DeclineGrant {
    DeclineGrant { grant }
}

pub fn revoke_grant(grant: GrantId) -> RevokeGrant {
    RevokeGrant { grant }
}

pub fn void(asset: AssetId) -> VoidAsset {
    VoidAsset { asset, reason: digest("reason") }
}

/// A listing at the Guangzhou exchange for a fee of 150 basis points.
pub fn list_product(asset: AssetId, grants: &[GrantId]) -> ListProduct {
    ListProduct { asset, exchange: handle(GZ), fee_bp: 150, operation_grants: list(grants) }
}

pub fn review(listing: ListingId, decision: Decision) -> ReviewListing {
    ReviewListing { listing, decision }
}

pub fn licence() -> Licence {
    Licence {
        exclusive: Default::default(),
        purposes: list(&PURPOSES),
        territories: list(&["CN".parse().unwrap()]),
        not_after_ms: YEAR_END_MS,
    }
}

/// A contract over `price` fen, to be signed within a day of genesis.
pub fn propose(listing: ListingId, buyer: &str, schedule: Digest, price: u64) -> ProposeContract {
    ProposeContract {
        instalments: Default::default(),
        listing,
        buyer: handle(buyer),
        schedule,
        price,
        currency: "CNY".parse().unwrap(),
        licence: licence(),
        sign_by_ms: GENESIS_MS + DAY_MS,
    }
}

pub fn sign_contract(contract: ContractId, schedule: Digest) -> SignContract {
    SignContract { contract, schedule }
}

pub fn pay(contract: ContractId, gross: u64, tax: u64, reference: &str) -> RecordPayment {
    RecordPayment {
        contract,
        gross,
        tax,
        currency: "CNY".parse().unwrap(),
        bank_reference: reference.parse().unwrap(),
    }
}

pub fn deliver(contract: ContractId) -> RecordDelivery {
    RecordDelivery { contract, delivered: digest("delivered") }
}

pub fn confirm(contract: ContractId) -> ConfirmDelivery {
    ConfirmDelivery { contract }
}

/// A refund of net, fee and tax.
pub fn refund(payment: PaymentId, parts: [u64; 3], reference: &str) -> RefundPayment {
    let [net, fee, tax] = parts;
    RefundPayment { payment, net, fee, tax, bank_reference: reference.parse().unwrap() }
}

/// A raw resource that rests on patients' consent.
pub fn consented(name: &str) -> RegisterAsset {
    RegisterAsset { consent_based: true, ..raw(name) }
}

pub fn withdraw_consent(asset: AssetId) -> WithdrawConsent {
    WithdrawConsent { asset, patients: 3, commitment: digest("patients") }
}

pub fn attest(asset: AssetId) -> AttestDeidentification {
    AttestDeidentification { asset, report: digest("report") }
}

/// Parts of what a member owns of a right.
pub fn slice(asset: AssetId, right: Right, owner: &str, parts: u16) -> Slice {
    Slice { asset, right, owner: handle(owner), parts }
}

pub fn dispute(subject: Subject) -> OpenDispute {
    OpenDispute { subject, ground: Ground::Ownership, evidence: digest("evidence") }
}

pub fn freeze(dispute: DisputeId, until_ms: u64) -> OrderFreeze {
    OrderFreeze { dispute, until_ms }
}

pub fn evidence(dispute: DisputeId) -> FileEvidence {
    FileEvidence { dispute, evidence: digest("more evidence") }
}

pub fn rule(dispute: DisputeId, ruling: Ruling) -> RuleDispute {
    RuleDispute { dispute, ruling, reasons: digest("reasons") }
}

pub fn redirect(to: &str, adjustments: &[Adjustment]) -> Ruling {
    Ruling::Redirect(Redirect { to: handle(to), adjustments: list(adjustments) })
}

impl World {
    /// An asset is void by a ruling, in a dispute that the patients' fund opens.
    pub fn void(&mut self, asset: &str) -> Recorded {
        let case = dispute(Subject::Asset(self.asset(asset)));
        let case = self.record(FUND, case).dispute();
        self.record(REGULATOR, rule(case, Ruling::VoidAsset))
    }
}
pub fn appeal(dispute: DisputeId) -> AppealRuling {
    AppealRuling { dispute, grounds: digest("grounds") }
}

/// An account of which earlier money goes over; of a claim without a proof.
pub fn adjustment(asset: AssetId, right: Right, account: Digest) -> Adjustment {
    let claim = ProvedClaim { asset, right, units: 1, index: 0, claims: 1, proof: list(&[]) };
    Adjustment { account: AccountId::from_digest(account), claim }
}
