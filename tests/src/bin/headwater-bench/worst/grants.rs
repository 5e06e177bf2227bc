//! Rights with as many owners, epochs and grants in force as there can be.

use std::ops::Range;

use anyhow::Result;
use headwater_ledger::codec::encode;
use headwater_ledger::event::Event;
use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::rights::{
    AcceptGrant, AcceptTransfer, ApproveAct, ApproveRequests, Exclusivity, GrantRight, OfferGrant,
    Owner, RequestGrant, Terms, TransferRight,
};
use headwater_ledger::execute::act_hash;
use headwater_ledger::hash::{AssetId, Digest, GrantId, RequestId, TransferId};
use headwater_ledger::keys::PublicKey;
use headwater_ledger::limits::{MAX_ANSWERS, MAX_CHOICES, MAX_IN_FORCE, MAX_OWNERS, MAX_SIGNED};
use headwater_ledger::split::Right;
use headwater_ledger::state::Key;
use headwater_ledger::state::record::{EpochRecord, InForce, RevokedKey, RightRecord, Signed};
use headwater_ledger::text::Code;
use headwater_tests::writers::list;

use super::Cases;

/// Terms that allow everything the benchmark does.
pub(super) fn terms(cases: &Cases) -> Result<Terms> {
    Ok(Terms {
        purposes: list(vec![Purpose::HealthResearch, Purpose::Commercial])?,
        territories: list(vec!["CN".parse()?])?,
        not_before_ms: 0,
        not_after_ms: cases.market.ledger.not_after_ms() + 100_000_000,
        sublicence_depth: 0,
        max_derivations: None,
        future_versions: false,
        floor_bp: 0,
        filing_window_ms: 0,
        floor_kind: Default::default(),
        exclusivity: Default::default(),
        revocation: Default::default(),
    })
}

/// As many territories as can be named, none of which covers another.
pub(super) fn territories(prefix: &str) -> Result<Vec<Code>> {
    (0..MAX_CHOICES).map(|n| Ok(format!("{prefix}-GUANGDONG-{n:02}").parse()?)).collect()
}

/// An entry of those in force.
pub(super) fn in_force(n: usize, many: bool, until_ms: u64) -> Result<InForce> {
    let mut id = [7; 32];
    id[..8].copy_from_slice(&(n as u64).to_le_bytes());
    Ok(InForce {
        id: Digest::Blake3(id),
        version: 1,
        exclusivity: Exclusivity::None,
        purposes: vec![Purpose::HealthResearch, Purpose::Commercial],
        territories: if many { territories(&format!("X{n}"))? } else { vec!["XX".parse()?] },
        not_before_ms: 0,
        not_after_ms: until_ms,
        void_until_ms: None,
    })
}

impl Cases {
    pub(super) fn grants(&mut self) -> Result<()> {
        self.transfer()?;
        self.many_owners()?;
        self.in_force_grants()
    }

    /// As many owners of a right as there can be, in order of handle.
    pub(super) fn owners(&self) -> Vec<Owner> {
        let parts = 10_000 / MAX_OWNERS as u16;
        let rest = 10_000 - parts * MAX_OWNERS as u16;
        let owner = |n: usize| {
            let parts = if n == 0 { parts + rest } else { parts };
            Owner { member: self.owner(n).handle, parts }
        };
        (0..MAX_OWNERS).map(owner).collect()
    }

    /// Puts a right into the hands of many owners, with as many epochs behind it, spread over events.
    pub(super) fn owned_by_many(
        &mut self,
        asset: AssetId,
        right: Right,
        epochs: u32,
        threshold_parts: Option<u16>,
        events: Range<u64>,
    ) -> Result<()> {
        let owners = self.owners();
        let manager = owners[0].member.clone();
        let (mut signed, mut records) = (Vec::new(), Vec::new());
        // Keys revoked in peace, each of which has to be looked at.
        for n in 0..MAX_SIGNED {
            let key = PublicKey::Ed25519(*blake3::hash(&n.to_le_bytes()).as_bytes());
            signed.push(Signed { key, time_ms: events.start });
            let (member, height, time_ms) = (manager.clone(), 1, events.start);
            let revoked = RevokedKey { member, height, time_ms, compromised_since_ms: None };
            records.push((Key::RevokedKey(key), encode(&revoked)?));
        }
        let head = RightRecord { epoch: epochs, changes: epochs, manager, threshold_parts, signed };
        records.push((Key::Right(asset, right), encode(&head)?));
        for n in 1..=epochs {
            let span = events.end - events.start;
            let start_seq = events.start + span * u64::from(n) / u64::from(epochs + 1);
            let epoch = EpochRecord { start_seq, height: 1, owners: owners.clone() };
            records.push((Key::Epoch(asset, right, n), encode(&epoch)?));
        }
        self.market.ledger.fill(records)
    }

    fn transfer(&mut self) -> Result<()> {
        let first = self.owner(0);
        let asset = self.raws(&first, "transferred", 1)?[0];
        let owners = self.owners();
        let transfer = |owners: Vec<Owner>| -> Result<Event> {
            Ok(Event::TransferRight(TransferRight {
                asset,
                right: Right::Holding,
                manager: owners[0].member.clone(),
                owners: list(owners)?,
                threshold_parts: None,
            }))
        };
        let event = transfer(owners.clone())?;
        self.time(format!("transfer a right to {MAX_OWNERS} owners"), &first, event.clone())?;
        let id = TransferId::from_digest(self.record_one(&first, event)?);
        let accept = |n: usize, cases: &Cases| {
            (cases.owner(n), Event::AcceptTransfer(AcceptTransfer { transfer: id }))
        };
        for n in 1..MAX_OWNERS - 1 {
            let (who, event) = accept(n, self);
            self.record_one(&who, event)?;
        }
        let (who, event) = accept(MAX_OWNERS - 1, self);
        self.time(format!("accept a transfer, the last of {MAX_OWNERS}"), &who, event)
    }

    /// Acts that need the parts of all owners.
    fn many_owners(&mut self) -> Result<()> {
        let author = self.owner(0);
        let asset = self.raws(&author, "owned", 1)?[0];
        for right in [Right::Holding, Right::Processing, Right::Operation] {
            self.owned_by_many(asset, right, 1, Some(10_000), 1..400)?;
        }
        let mut floored = terms(self)?;
        floored.floor_bp = 1;
        let seller = self.market.seller.clone();
        let offer = Event::OfferGrant(OfferGrant {
            asset,
            right: GrantRight::Processing,
            grantee: seller.handle.clone(),
            terms: floored.clone(),
            under: Default::default(),
            parent: None,
        });
        let act = act_hash(&offer)?;
        let approve = Event::ApproveAct(ApproveAct { asset, act });
        for n in 1..MAX_OWNERS - 1 {
            self.record_one(&self.owner(n), approve.clone())?;
        }
        let last = self.owner(MAX_OWNERS - 1);
        self.time(
            format!("approve an act, the last of {MAX_OWNERS} owners"),
            &last,
            approve.clone(),
        )?;
        self.record_one(&last, approve)?;
        self.time(format!("offer a floor that {MAX_OWNERS} owners approved"), &author, offer)?;
        let right = GrantRight::Processing;
        let request = Event::RequestGrant(RequestGrant { asset, right, terms: floored });
        self.time(format!("request a grant of {MAX_OWNERS} owners"), &seller, request)
    }

    fn in_force_grants(&mut self) -> Result<()> {
        let (lab, seller) = (self.owner(0), self.market.seller.clone());
        let asset = self.raws(&lab, "popular", 1)?[0];
        let right = GrantRight::Processing;
        let mut wanted = terms(self)?;
        wanted.territories = list(territories("CN")?)?;
        wanted.exclusivity = Exclusivity::Exclusive;
        let exclusive = Event::OfferGrant(OfferGrant {
            asset,
            right,
            grantee: seller.handle.clone(),
            terms: wanted.clone(),
            under: Default::default(),
            parent: None,
        });
        let offered = GrantId::from_digest(self.record_one(&lab, exclusive.clone())?);
        wanted.exclusivity = Exclusivity::None;
        wanted.territories = list(vec!["CN".parse()?])?;
        let request = Event::RequestGrant(RequestGrant { asset, right, terms: wanted });
        let requests = self.record(&seller, vec![request; MAX_ANSWERS])?;
        let requests: Vec<_> =
            requests.iter().map(|id| RequestId::from_digest(*id.digest())).collect();
        let until = terms(self)?.not_after_ms;
        let list_of = |count: usize, many: bool| {
            (0..count).map(|n| in_force(n, many, until)).collect::<Result<Vec<_>>>()
        };
        let beside = MAX_IN_FORCE / 9 - 1;
        let key = Key::GrantsInForce(asset, right);
        self.fill(key.clone(), encode(&list_of(beside, true)?)?)?;
        self.time(format!("offer an exclusive grant beside {beside}"), &lab, exclusive)?;
        let accept = Event::AcceptGrant(AcceptGrant { grant: offered });
        self.time(format!("accept an exclusive grant beside {beside}"), &seller, accept)?;
        let beside = MAX_IN_FORCE - MAX_ANSWERS;
        self.fill(key.clone(), encode(&list_of(beside, false)?)?)?;
        let approve = |requests: &[RequestId]| -> Result<Event> {
            let requests = list(requests.to_vec())?;
            Ok(Event::ApproveRequests(ApproveRequests { requests, under: Default::default() }))
        };
        let event = approve(&requests[..10])?;
        self.time(format!("approve 10 requests beside {beside} grants"), &lab, event)?;
        self.fill(key, encode(&Vec::<InForce>::new())?)?;
        let event = approve(&requests)?;
        self.time(format!("approve {MAX_ANSWERS} requests, no grant before"), &lab, event)
    }
}
