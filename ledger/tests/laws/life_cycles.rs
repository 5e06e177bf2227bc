//! Life cycles as tables: every event is tried in every state, and gives the code in its cell, or
//! none where it is recorded.

use headwater_ledger::event::asset::ChangeKind;
use headwater_ledger::event::market::Decision;
use headwater_ledger::hash::{AccessId, RegistrationId};
use headwater_ledger::reject::Code;

use crate::support::market::*;
use crate::support::story::*;
use crate::support::*;

type State = (&'static str, fn() -> World);
type Try = (&'static str, fn(&mut World) -> Option<Code>);

const OK: Option<Code> = None;

/// Rows are events, columns are states.
fn check(states: &[State], table: &[(Try, &[Option<Code>])]) {
    let worlds: Vec<World> = states.iter().map(|(_, build)| build()).collect();
    for ((event, attempt), cells) in table {
        assert_eq!(cells.len(), states.len(), "{event}");
        for ((state, world), expected) in states.iter().zip(&worlds).zip(*cells) {
            let found = attempt(&mut world.clone());
            assert_eq!(found, *expected, "{event}, when {}", state.0);
        }
    }
}

fn sign(w: &mut World, party: &str) -> Option<Code> {
    let act = sign_contract(w.contract(), w.schedule_hash());
    w.tried(party, act)
}

fn contract_then(steps: fn(&mut World)) -> World {
    let mut w = World::proposed();
    steps(&mut w);
    w
}

/// Holds [LED-MKT-4], [LED-MKT-6], [LED-MKT-11], [LED-MKT-12] and [LED-CRT-1].
#[test]
fn contracts() {
    use Code::*;
    let states: &[State] = &[
        ("proposed", World::proposed),
        ("buyer signed", || contract_then(|w| assert_eq!(sign(w, BUYER), None))),
        ("exchange signed", || contract_then(|w| assert_eq!(sign(w, GZ), None))),
        ("signed", World::contracted),
        ("delivered", || {
            contract_then(|w| {
                w.sign_by_all();
                w.record(INSIGHT, deliver(w.contract()));
            })
        }),
        ("completed", World::completed),
        ("declined", || {
            contract_then(|w| {
                w.record(BUYER, decline(w.contract()));
            })
        }),
        ("withdrawn", || {
            contract_then(|w| {
                w.record(INSIGHT, withdraw(w.contract()));
            })
        }),
        ("terminated", || {
            contract_then(|w| {
                w.sign_by_all();
                w.record(BUYER, terminate(w.contract()));
                w.record(INSIGHT, terminate(w.contract()));
            })
        }),
        ("delivered, then terminated", || {
            contract_then(|w| {
                w.sign_by_all();
                w.record(INSIGHT, deliver(w.contract()));
                w.record(BUYER, terminate(w.contract()));
                w.record(INSIGHT, terminate(w.contract()));
            })
        }),
    ];
    let (unsigned, closed) = (Some(ContractNotSigned), Some(ContractClosed));
    let (signed, twice) = (Some(ContractSigned), Some(AlreadySigned));
    let (early, before) = (Some(DeliveryNotDeemed), Some(NotDelivered));
    let (done, due) = (Some(AlreadyConfirmed), Some(CertificateNotDue));
    let never = Some(TerminationNotAllowed);
    let again = Some(AlreadyDelivered);
    check(
        states,
        &[
            (
                ("the buyer signs", |w| sign(w, BUYER)),
                &[OK, twice, OK, twice, twice, twice, closed, closed, closed, closed],
            ),
            (
                ("the exchange signs", |w| sign(w, GZ)),
                &[OK, OK, twice, twice, twice, twice, closed, closed, closed, closed],
            ),
            (
                ("the buyer declines", |w| w.tried(BUYER, decline(w.contract()))),
                &[OK, OK, OK, signed, signed, signed, closed, closed, closed, closed],
            ),
            (
                ("the exchange declines", |w| w.tried(GZ, decline(w.contract()))),
                &[OK, OK, OK, signed, signed, signed, closed, closed, closed, closed],
            ),
            (
                ("the seller withdraws", |w| w.tried(INSIGHT, withdraw(w.contract()))),
                &[OK, OK, OK, signed, signed, signed, closed, closed, closed, closed],
            ),
            (
                ("the seller terminates", |w| w.tried(INSIGHT, terminate(w.contract()))),
                &[unsigned, unsigned, unsigned, OK, OK, OK, closed, closed, closed, closed],
            ),
            (
                ("the buyer terminates", |w| w.tried(BUYER, terminate(w.contract()))),
                &[unsigned, unsigned, unsigned, OK, OK, OK, closed, closed, closed, closed],
            ),
            (
                ("the exchange terminates", |w| w.tried(GZ, terminate(w.contract()))),
                &[
                    unsigned, unsigned, unsigned, never, never, never, closed, closed, closed,
                    closed,
                ],
            ),
            (
                ("the seller delivers", |w| w.tried(INSIGHT, deliver(w.contract()))),
                &[unsigned, unsigned, unsigned, OK, again, again, closed, closed, closed, closed],
            ),
            (
                ("the buyer confirms", |w| w.tried(BUYER, confirm(w.contract()))),
                &[unsigned, unsigned, unsigned, OK, OK, done, unsigned, unsigned, OK, OK],
            ),
            (
                ("the seller confirms", |w| w.tried(INSIGHT, confirm(w.contract()))),
                &[
                    unsigned, unsigned, unsigned, before, early, done, unsigned, unsigned, closed,
                    closed,
                ],
            ),
            (
                ("the exchange certifies", |w| w.tried(GZ, certify(w.contract()))),
                &[due, due, due, due, due, OK, closed, closed, closed, closed],
            ),
        ],
    );
}

fn listing_then(steps: fn(&mut World)) -> World {
    let mut w = World::listed();
    steps(&mut w);
    w
}

/// Holds [LED-MKT-1], [LED-MKT-3] and [LED-MKT-10].
#[test]
fn listings() {
    use Code::*;
    let states: &[State] = &[
        ("pending", World::listed),
        ("accepted", World::accepted),
        ("rejected", || {
            listing_then(|w| {
                w.record(GZ, review(w.listing(), Decision::Reject));
            })
        }),
        ("delisted", || {
            listing_then(|w| {
                w.record(INSIGHT, delist(w.listing()));
            })
        }),
        ("accepted and delisted", || {
            listing_then(|w| {
                w.accept_listing();
                w.record(GZ, delist(w.listing()));
            })
        }),
    ];
    let (closed, ended) = (Some(ListingClosed), Some(ListingEnded));
    let (waits, there) = (Some(ListingNotAccepted), Some(AlreadyListed));
    check(
        states,
        &[
            (
                ("accepted", |w| w.tried(GZ, review(w.listing(), Decision::Accept))),
                &[OK, closed, closed, closed, closed],
            ),
            (
                ("rejected", |w| w.tried(GZ, review(w.listing(), Decision::Reject))),
                &[OK, closed, closed, closed, closed],
            ),
            (
                ("ended by the seller", |w| w.tried(INSIGHT, delist(w.listing()))),
                &[OK, OK, ended, ended, ended],
            ),
            (
                ("ended by the exchange", |w| w.tried(GZ, delist(w.listing()))),
                &[OK, OK, ended, ended, ended],
            ),
            (
                ("ended by a regulator", |w| w.tried(REGULATOR, delist(w.listing()))),
                &[OK, OK, ended, ended, ended],
            ),
            (
                ("sold from", |w| w.tried(INSIGHT, w.proposal(PRICE))),
                &[waits, OK, waits, ended, ended],
            ),
            (
                ("listed again", |w| {
                    let grants = [w.grant("cleaned operation")];
                    w.tried(INSIGHT, list_product(w.asset(REPORT), &grants))
                }),
                &[there, there, OK, OK, OK],
            ),
        ],
    );
}

fn registration(w: &World) -> RegistrationId {
    RegistrationId::from_digest(w.named["registration"])
}

fn registered_then(steps: fn(&mut World, RegistrationId)) -> World {
    let mut w = World::default();
    let id = w.filed();
    w.named.insert("registration", *id.digest());
    steps(&mut w, id);
    w
}

fn accepted(w: &mut World, id: RegistrationId) {
    w.pass(10 * DAY_MS);
    w.record(GZ, decide(id, Decision::Accept));
}

fn changed(w: &mut World, author: &str, kind: ChangeKind) -> Option<Code> {
    let metadata = w.asset_record(CHEST_RAW).metadata;
    w.tried(author, change(registration(w), kind, metadata))
}

/// Holds [LED-REG-1] to [LED-REG-5].
#[test]
fn registrations() {
    use Code::*;
    let states: &[State] = &[
        ("in notice", || registered_then(|_, _| ())),
        ("after the notice", || registered_then(|w, _| w.pass(10 * DAY_MS))),
        ("registered", || registered_then(accepted)),
        ("expired", || {
            registered_then(|w, id| {
                accepted(w, id);
                w.pass(YEAR_MS);
            })
        }),
        ("rejected", || {
            registered_then(|w, id| {
                w.pass(10 * DAY_MS);
                w.record(GZ, decide(id, Decision::Reject));
            })
        }),
        ("cancelled", || {
            registered_then(|w, id| {
                w.record(CHEST, cancel(id));
            })
        }),
    ];
    let (closed, over) = (Some(RegistrationClosed), Some(NoticeOver));
    let (waits, early) = (Some(RegistrationNotInForce), Some(NoticeNotOver));
    let there = Some(AlreadyRegistered);
    check(
        states,
        &[
            (
                ("objected", |w| w.tried(COUNTY, object(registration(w)))),
                &[OK, over, over, over, closed, closed],
            ),
            (
                ("accepted", |w| w.tried(GZ, decide(registration(w), Decision::Accept))),
                &[early, OK, closed, closed, closed, closed],
            ),
            (
                ("rejected", |w| w.tried(GZ, decide(registration(w), Decision::Reject))),
                &[early, OK, closed, closed, closed, closed],
            ),
            (
                ("amended", |w| changed(w, CHEST, ChangeKind::Amendment)),
                &[waits, waits, OK, closed, closed, closed],
            ),
            (
                ("corrected", |w| changed(w, GZ, ChangeKind::Correction)),
                &[waits, waits, OK, closed, closed, closed],
            ),
            (
                ("renewed", |w| w.tried(GZ, renew(registration(w), YEAR_MS))),
                &[waits, waits, OK, closed, closed, closed],
            ),
            (
                ("cancelled by the holder", |w| w.tried(CHEST, cancel(registration(w)))),
                &[OK, OK, OK, closed, closed, closed],
            ),
            (
                ("cancelled by the registry", |w| w.tried(GZ, cancel(registration(w)))),
                &[OK, OK, OK, closed, closed, closed],
            ),
            (
                ("filed again", |w| w.tried(CHEST, file(w.asset(CHEST_RAW)))),
                &[there, there, there, OK, OK, OK],
            ),
        ],
    );
}

fn access(w: &World) -> AccessId {
    AccessId::from_digest(w.named["access"])
}

fn asked_then(steps: fn(&mut World)) -> World {
    let mut w = World::default();
    let id = w.asked();
    w.named.insert("access", *id.digest());
    steps(&mut w);
    w
}

/// Holds [LED-ACC-1] to [LED-ACC-3].
#[test]
fn accesses() {
    use Code::*;
    let states: &[State] = &[
        ("requested", || asked_then(|_| ())),
        ("granted", || {
            asked_then(|w| {
                w.record(CHEST, decide_access(access(w), Decision::Accept));
            })
        }),
        ("refused", || {
            asked_then(|w| {
                w.record(CHEST, decide_access(access(w), Decision::Reject));
            })
        }),
        ("granted, and its asset void", || {
            asked_then(|w| {
                w.record(CHEST, decide_access(access(w), Decision::Accept));
                w.void(CHEST_RAW);
            })
        }),
        ("ended", || {
            asked_then(|w| {
                w.record(CHEST, decide_access(access(w), Decision::Accept));
                w.now_ms = GENESIS_MS + YEAR_MS + 1;
            })
        }),
    ];
    let (closed, waits) = (Some(AccessClosed), Some(AccessNotInForce));
    let void = Some(VoidAsset);
    check(
        states,
        &[
            (
                ("granted", |w| w.tried(CHEST, decide_access(access(w), Decision::Accept))),
                &[OK, closed, closed, closed, closed],
            ),
            (
                ("refused", |w| w.tried(CHEST, decide_access(access(w), Decision::Reject))),
                &[OK, OK, closed, OK, closed],
            ),
            (
                ("used", |w| w.tried(COUNTY, usage(access(w), "job", Some("output")))),
                &[waits, OK, waits, void, waits],
            ),
        ],
    );
}
