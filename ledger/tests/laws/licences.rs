//! Exclusive licences on random histories over three exchanges, against a model that looks at all
//! contracts.

use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::event::market::{Decision, Licence};
use headwater_ledger::event::member::Role;
use headwater_ledger::event::{ListProduct, ProposeContract};
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::{ContractId, ListingId};
use headwater_ledger::licence;
use headwater_ledger::reject::Code;
use headwater_ledger::state::record::{ContractRecord, InForce, Records};
use headwater_ledger::state::{Key, View};

use crate::support::market::*;
use crate::support::*;

const SH: &str = "sh-exchange";
const EXCHANGES: [&str; 3] = [GZ, BJ, SH];
const BUYERS: [&str; 2] = [BUYER, COUNTY];
const PLACES: [&str; 5] = ["CN", "CN-GD", "CN-GD-GZ", "CN-SH", "SG"];

/// Numbers that look random; the seed is in every message.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }
    fn licence(&mut self, now_ms: u64) -> Licence {
        let purposes: &[Purpose] = match self.roll(3) {
            0 => &[Purpose::HealthResearch],
            1 => &[Purpose::Commercial],
            _ => &PURPOSES,
        };
        Licence {
            exclusive: self.roll(3) == 0,
            purposes: list(purposes),
            territories: list(&[PLACES[self.roll(5)].parse().unwrap()]),
            not_after_ms: now_ms + 5_000 + self.roll(60) as u64 * 1_000,
        }
    }
}

/// One hospital sells what it made of its own data at three exchanges.
fn market() -> (World, Vec<ListingId>) {
    let mut members = genesis().members.into_inner();
    members.push(admit(SH, Role::Exchange));
    let rulebook = Some(Rulebook::standard());
    let mut w = World::begun(Genesis { members: list(&members), rulebook, ..genesis() });
    w.record(CHEST, raw("figures"));
    w.record(CHEST, product("report", &[input(w.asset("chest-hospital/figures"), 1, None)]));
    let report = w.asset("chest-hospital/report");
    let listings = EXCHANGES.map(|exchange| {
        let event = ListProduct { exchange: handle(exchange), ..list_product(report, &[]) };
        let listing = w.record(CHEST, event).listing();
        w.record(exchange, review(listing, Decision::Accept));
        listing
    });
    (w, listings.to_vec())
}

fn record(w: &World, id: &ContractId) -> ContractRecord {
    w.state.contract(id).unwrap().unwrap()
}

/// By the parts of the codes, not by their text.
fn share_a_place(a: &Licence, b: &Licence) -> bool {
    a.territories.iter().any(|x| {
        b.territories.iter().any(|y| {
            let (x, y) = (x.as_str().split('-'), y.as_str().split('-'));
            x.zip(y).all(|(x, y)| x == y)
        })
    })
}

fn conflict(a: &Licence, b: &Licence) -> bool {
    (a.exclusive || b.exclusive)
        && PURPOSES.iter().any(|p| a.purposes.contains(p) && b.purposes.contains(p))
        && share_a_place(a, b)
}

/// The contracts whose licences are in force in the last block, by their records alone.
fn in_force(w: &World, all: &[ContractId], now_ms: u64) -> Vec<ContractId> {
    all.iter().filter(|id| licence::in_force(&record(w, id), now_ms).is_some()).copied().collect()
}

/// Holds [LED-MKT-13]: whatever the order of proposals, signatures, ends and time, no licence in
/// force conflicts with another one, and none is refused that would not.
#[test]
fn no_licence_overlaps_an_exclusive_one_at_any_exchange() {
    let (begun, listings) = market();
    let (mut began, mut refused) = (0, 0);
    for seed in 1..=16 {
        let (mut w, mut dice) = (begun.clone(), Dice(seed));
        let mut all: Vec<ContractId> = Vec::new();
        for step in 0..120 {
            let now_ms = w.now_ms;
            let before = in_force(&w, &all, now_ms);
            let clashes = |w: &World, wanted: &Licence| {
                before.iter().any(|id| conflict(&record(w, id).licence, wanted))
            };
            match dice.roll(8) {
                0..3 => {
                    let listing = listings[dice.roll(3)];
                    let schedule = w.state.listing(&listing).unwrap().unwrap().schedule;
                    let wanted = dice.licence(now_ms);
                    let proposal = ProposeContract {
                        licence: wanted.clone(),
                        ..propose(listing, BUYERS[dice.roll(2)], schedule, 100)
                    };
                    let bytes = w.by(CHEST, proposal);
                    match w.submit(&bytes) {
                        Ok(recorded) => {
                            assert!(!clashes(&w, &wanted), "seed {seed}, step {step}");
                            all.push(recorded.contract());
                        }
                        Err(reject) => {
                            assert_eq!(reject.code, Code::LicenceConflict);
                            assert!(clashes(&w, &wanted), "seed {seed}, step {step}");
                        }
                    }
                }
                3..7 if !all.is_empty() => {
                    let id = all[dice.roll(all.len())];
                    let contract = record(&w, &id);
                    let parties = [contract.buyer.clone(), contract.exchange.clone()];
                    for party in parties {
                        let sign = sign_contract(id, contract.schedule);
                        if w.tried(party.as_str(), sign) == Some(Code::LicenceConflict) {
                            refused += 1;
                            assert!(clashes(&w, &contract.licence), "seed {seed}, step {step}");
                        }
                    }
                }
                _ if !all.is_empty() => {
                    let id = all[dice.roll(all.len())];
                    let contract = record(&w, &id);
                    w.tried(contract.seller.as_str(), terminate(id));
                    w.tried(contract.buyer.as_str(), terminate(id));
                }
                _ => w.pass(3_000),
            }
            let after = in_force(&w, &all, w.now_ms - 1_000);
            began += after.iter().filter(|id| !before.contains(id)).count();
            for (i, a) in after.iter().enumerate() {
                for b in &after[i + 1..] {
                    let (a, b) = (record(&w, a).licence, record(&w, b).licence);
                    assert!(!conflict(&a, &b), "seed {seed}, step {step}: {a:?} beside {b:?}");
                }
            }
            let key = Key::LicencesInForce(w.asset("chest-hospital/report"));
            let kept: Vec<InForce> = w.state.get(&key).unwrap().unwrap_or_default();
            for id in &after {
                assert!(kept.iter().any(|k| k.id == *id.digest()), "seed {seed}, step {step}");
            }
        }
    }
    assert!(began > 20 && refused > 5, "{began} began, {refused} were refused");
}

/// A licence ends with its term or with its contract, and makes room for an exclusive one.
#[test]
fn the_end_of_a_licence_makes_room() {
    use crate::support::story::*;
    let mut w = World::contracted();
    let exclusive = |w: &World| w.licensed(|l| l.exclusive = true);
    assert_eq!(w.refused(INSIGHT, exclusive(&w.clone())), Code::LicenceConflict);
    let mut later = w.clone();
    later.now_ms = YEAR_END_MS + 1;
    assert_eq!(later.refused(INSIGHT, w.proposal(PRICE)), Code::GrantExpired);
    w.record(BUYER, terminate(w.contract()));
    assert!(licence::in_force(&record(&w, &w.contract()), w.now_ms).is_some());
    w.record(INSIGHT, terminate(w.contract()));
    assert!(licence::in_force(&record(&w, &w.contract()), w.now_ms).is_none());
    let contract = w.record(INSIGHT, exclusive(&w.clone())).contract();
    for party in [BUYER, GZ] {
        assert!(licence::in_force(&record(&w, &contract), w.now_ms).is_none());
        w.record(party, sign_contract(contract, w.schedule_hash()));
    }
    assert!(licence::in_force(&record(&w, &contract), YEAR_END_MS).is_some());
    assert!(licence::in_force(&record(&w, &contract), YEAR_END_MS + 1).is_none());
}
