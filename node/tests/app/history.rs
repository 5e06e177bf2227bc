//! Random but sensible histories: what members of a market submit, with references to what may
//! not be recorded yet, mistakes, doubles and envelopes that come too late.

use headwater_ledger::envelope::{VerifiedEnvelope, asset_id, event_id};
use headwater_ledger::event::Event;
use headwater_ledger::event::market::Decision;
use headwater_ledger::hash::{AssetId, ContractId, Digest, GrantId, ListingId, PaymentId};
use headwater_ledger::split::Right;
use headwater_ledger::state::{Records, State};

use crate::nodes::{Clerk, MEMBERS, chain_id};
use crate::support::*;

/// A small generator of numbers; the same seed gives the same ones.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678_9ABC_DEF1)
    }
    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        match of.len() as u64 {
            0 => None,
            n => of.get(self.below(n) as usize),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Raw,
    Processed,
    Product,
}

struct Made {
    author: &'static str,
    id: AssetId,
    kind: Kind,
}

/// The last few, so that something comes of them.
fn last<T>(of: &[T]) -> &[T] {
    &of[of.len().saturating_sub(4)..]
}

/// The members and what they have submitted so far.
pub struct History {
    dice: Dice,
    clerk: Clerk,
    names: u64,
    assets: Vec<Made>,
    /// Grant, grantee, and the asset it is for.
    grants: Vec<(GrantId, &'static str, AssetId)>,
    transfers: Vec<(headwater_ledger::hash::TransferId, &'static str)>,
    listings: Vec<(ListingId, &'static str, &'static str)>,
    /// Contract, seller, buyer, exchange, schedule.
    contracts: Vec<(ContractId, [&'static str; 3], Digest)>,
    payments: Vec<(PaymentId, &'static str)>,
    sent: Vec<VerifiedEnvelope>,
}

impl History {
    pub fn new(seed: u64) -> Self {
        History {
            dice: Dice::new(seed),
            clerk: Clerk::default(),
            names: 0,
            assets: Vec::new(),
            grants: Vec::new(),
            transfers: Vec::new(),
            listings: Vec::new(),
            contracts: Vec::new(),
            payments: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// Everything submitted so far.
    pub fn sent(&self) -> &[VerifiedEnvelope] {
        &self.sent
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("asset-{}", self.names)
    }

    fn member(&mut self) -> &'static str {
        MEMBERS[self.dice.below(4) as usize]
    }

    /// The next envelope somebody submits at about this time.
    pub fn next(&mut self, state: &State, now_ms: u64) -> VerifiedEnvelope {
        if self.dice.chance(5)
            && let Some(before) = self.dice.pick(&self.sent)
        {
            return before.clone();
        }
        let (author, events) = loop {
            if let Some(act) = self.act(state) {
                break act;
            }
        };
        let patience = match self.dice.chance(15) {
            true => self.dice.below(8_000),
            false => HOUR_MS,
        };
        let envelope = self.clerk.sign_until(author, &events, now_ms + patience);
        self.remember(author, &envelope);
        self.sent.push(envelope.clone());
        envelope
    }

    fn act(&mut self, state: &State) -> Option<(&'static str, Vec<Event>)> {
        let one = |author, event| Some((author, vec![event]));
        match self.dice.below(24) {
            0..3 => {
                let author = self.member();
                let count = 1 + self.dice.below(4);
                let events = (0..count).map(|_| raw(&self.name()).event());
                Some((author, events.collect()))
            }
            3..6 => self.derive(),
            6 | 7 => {
                let asset = self.dice.pick(&self.assets)?;
                let (id, author) = (asset.id, asset.author);
                let grantee = self.member();
                one(author, processing_grant(id, grantee, terms()).event())
            }
            8 => {
                let (grant, grantee, _) = *self.dice.pick(&self.grants)?;
                match self.dice.chance(85) {
                    true => one(grantee, accept_grant(grant).event()),
                    false => one(grantee, decline_grant(grant).event()),
                }
            }
            9 => {
                let asset = self.dice.pick(&self.assets)?;
                let (id, author) = (asset.id, asset.author);
                let other = self.member();
                let owners = [(author, 7_000), (other, 3_000)];
                match author == other {
                    true => None,
                    false => one(author, transfer(id, Right::Holding, &owners).event()),
                }
            }
            10 => {
                let (transfer, owner) = *self.dice.pick(&self.transfers)?;
                one(owner, accept_transfer(transfer).event())
            }
            11 => {
                let products: Vec<_> =
                    self.assets.iter().filter(|a| a.kind == Kind::Product).collect();
                let product = self.dice.pick(&products)?;
                let (id, author) = (product.id, product.author);
                let exchange = handle(self.member());
                let listing =
                    headwater_ledger::event::ListProduct { exchange, ..list_product(id, &[]) };
                one(author, listing.event())
            }
            12..16 => self.sell(state),
            16..19 => {
                let (contract, [_, buyer, exchange], schedule) =
                    *self.dice.pick(last(&self.contracts))?;
                let party = if self.dice.chance(50) { buyer } else { exchange };
                one(party, sign_contract(contract, schedule).event())
            }
            19..23 => self.settle(),
            _ => {
                let suspends = self.dice.chance(50);
                let author = self.member();
                one(
                    author,
                    if suspends { suspend("idle").event() } else { reinstate("idle").event() },
                )
            }
        }
    }

    /// A derivation from an own asset, or with a grant from another's.
    fn derive(&mut self) -> Option<(&'static str, Vec<Event>)> {
        let with_grant = self.dice.chance(40);
        let (author, source) = match with_grant {
            true => {
                let (grant, grantee, asset) = *self.dice.pick(&self.grants)?;
                (grantee, input(asset, 1, grant))
            }
            false => {
                let asset = self.dice.pick(&self.assets)?;
                (asset.author, input(asset.id, 1 + self.dice.below(9), None))
            }
        };
        let name = self.name();
        let event = match self.dice.chance(50) {
            true => processed(&name, &[source]).event(),
            false => product(&name, &[source]).event(),
        };
        Some((author, vec![event]))
    }

    /// A review of a listing, or a contract on it.
    fn sell(&mut self, state: &State) -> Option<(&'static str, Vec<Event>)> {
        let (listing, seller, exchange) = *self.dice.pick(last(&self.listings))?;
        let record = state.listing(&listing).unwrap();
        let Some(record) = record.filter(|_| self.dice.chance(60)) else {
            return Some((exchange, vec![review(listing, Decision::Accept).event()]));
        };
        let buyer = self.member();
        Some((seller, vec![propose(listing, buyer, record.schedule, 1_000_000).event()]))
    }

    /// Money and deliveries of a contract.
    fn settle(&mut self) -> Option<(&'static str, Vec<Event>)> {
        let (contract, [seller, buyer, exchange], _) = *self.dice.pick(last(&self.contracts))?;
        let reference = format!("B-{}", self.dice.below(40));
        Some(match self.dice.below(4) {
            0 => (seller, vec![deliver(contract).event()]),
            1 => (buyer, vec![confirm(contract).event()]),
            2 => {
                let (payment, exchange) = *self.dice.pick(last(&self.payments))?;
                (exchange, vec![refund(payment, [self.dice.below(900), 1, 0], &reference).event()])
            }
            _ => {
                let gross = 1 + self.dice.below(90_000);
                (exchange, vec![pay(contract, gross, gross / 20, &reference).event()])
            }
        })
    }

    /// Keeps the names of what the envelope will make, for later ones to refer to.
    fn remember(&mut self, author: &'static str, envelope: &VerifiedEnvelope) {
        let member = |h: &headwater_ledger::text::Handle| {
            MEMBERS.into_iter().find(|m| *m == h.as_str()).expect("a member")
        };
        for (index, event) in (0..).zip(envelope.events()) {
            let digest = *event_id(&envelope.id(), index).digest();
            match event {
                Event::RegisterAsset(e) => {
                    let id = asset_id(&chain_id(), &handle(author), &e.name);
                    let kind = match e.stage {
                        headwater_ledger::event::asset::Stage::Raw => Kind::Raw,
                        headwater_ledger::event::asset::Stage::Processed => Kind::Processed,
                        headwater_ledger::event::asset::Stage::Product => Kind::Product,
                    };
                    self.assets.push(Made { author, id, kind });
                }
                Event::OfferGrant(e) => {
                    self.grants.push((GrantId::from_digest(digest), member(&e.grantee), e.asset));
                }
                Event::TransferRight(e) => {
                    let id = headwater_ledger::hash::TransferId::from_digest(digest);
                    self.transfers.push((id, member(&e.owners[1].member)));
                }
                Event::ListProduct(e) => {
                    self.listings.push((
                        ListingId::from_digest(digest),
                        author,
                        member(&e.exchange),
                    ));
                }
                Event::ProposeContract(e) => {
                    let listing = self.listings.iter().find(|l| l.0 == e.listing);
                    let exchange = listing.expect("a listing").2;
                    let parties = [author, member(&e.buyer), exchange];
                    self.contracts.push((ContractId::from_digest(digest), parties, e.schedule));
                }
                Event::RecordPayment(_) => {
                    self.payments.push((PaymentId::from_digest(digest), author));
                }
                _ => {}
            }
        }
    }
}
