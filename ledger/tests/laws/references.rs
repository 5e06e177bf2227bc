//! What others may wait for: an envelope that refers to something not yet recorded names exactly
//! the object it misses, and the envelope that brings it announces exactly that object.

use headwater_ledger::envelope::event_id;
use headwater_ledger::event::Event;
use headwater_ledger::event::market::Decision;
use headwater_ledger::event::member::Role;
use headwater_ledger::hash::{ContractId, GrantId, ListingId, PaymentId, TransferId};
use headwater_ledger::reject::{Missing, Outlook};
use headwater_ledger::split::Right;

use crate::support::story::*;
use crate::support::*;

/// The story up to some point, whose act creates something, and who does what with it then.
struct Case {
    what: &'static str,
    begin: fn() -> World,
    creator: &'static str,
    creates: fn(&World) -> Event,
    /// The object, given the digest that names the creating event.
    object: fn(&World, headwater_ledger::hash::Digest) -> Missing,
    user: &'static str,
    uses: fn(&World, &Missing) -> Event,
}

fn cases() -> Vec<Case> {
    vec![
        Case {
            what: "a member is admitted, then named in a grant",
            begin: World::sources,
            creator: GZ,
            creates: |_| admit("new-lab", Role::Processor).event(),
            object: |_, _| Missing::Member(handle("new-lab")),
            user: CHEST,
            uses: |w, _| processing_grant(w.asset(CHEST_RAW), "new-lab", terms()).event(),
        },
        Case {
            what: "a member is admitted, then acts",
            begin: World::default,
            creator: GZ,
            creates: |_| admit("new-lab", Role::Processor).event(),
            object: |_, _| Missing::Member(handle("new-lab")),
            user: "new-lab",
            uses: |_, _| raw("figures").event(),
        },
        Case {
            what: "an asset is registered, then derived from",
            begin: World::default,
            creator: CHEST,
            creates: |_| raw("fna-2026").event(),
            object: |w, _| Missing::Asset(w.asset(CHEST_RAW)),
            user: CHEST,
            uses: |w, _| processed("cleaned", &[input(w.asset(CHEST_RAW), 1, None)]).event(),
        },
        Case {
            what: "a transfer is proposed, then accepted",
            begin: World::sources,
            creator: CHEST,
            creates: |w| transfer(w.asset(CHEST_RAW), Right::Holding, &[(FUND, 10_000)]).event(),
            object: |_, id| Missing::Transfer(TransferId::from_digest(id)),
            user: FUND,
            uses: |_, missing| match missing {
                Missing::Transfer(id) => accept_transfer(*id).event(),
                other => panic!("{other:?}"),
            },
        },
        Case {
            what: "a grant is offered, then accepted",
            begin: World::sources,
            creator: CHEST,
            creates: |w| processing_grant(w.asset(CHEST_RAW), LAB, terms()).event(),
            object: |_, id| Missing::Grant(GrantId::from_digest(id)),
            user: LAB,
            uses: |_, missing| match missing {
                Missing::Grant(id) => accept_grant(*id).event(),
                other => panic!("{other:?}"),
            },
        },
        Case {
            what: "a product is listed, then reviewed",
            begin: World::reported,
            creator: INSIGHT,
            creates: |w| list_product(w.asset(REPORT), &[w.grant("cleaned operation")]).event(),
            object: |_, id| Missing::Listing(ListingId::from_digest(id)),
            user: GZ,
            uses: |_, missing| match missing {
                Missing::Listing(id) => review(*id, Decision::Accept).event(),
                other => panic!("{other:?}"),
            },
        },
        Case {
            what: "a contract is proposed, then signed",
            begin: World::accepted,
            creator: INSIGHT,
            creates: |w| w.proposal(PRICE).event(),
            object: |_, id| Missing::Contract(ContractId::from_digest(id)),
            user: BUYER,
            uses: |w, missing| match missing {
                Missing::Contract(id) => sign_contract(*id, w.schedule_hash()).event(),
                other => panic!("{other:?}"),
            },
        },
        Case {
            what: "a payment is recorded, then refunded",
            begin: World::contracted,
            creator: GZ,
            creates: |w| pay(w.contract(), PRICE, TAX, "B-1").event(),
            object: |_, id| Missing::Payment(PaymentId::from_digest(id)),
            user: GZ,
            uses: |_, missing| match missing {
                Missing::Payment(id) => refund(*id, [1, 0, 0], "B-2").event(),
                other => panic!("{other:?}"),
            },
        },
    ]
}

/// Holds [LED-REJ-2].
#[test]
fn who_refers_to_nothing_yet_waits_for_exactly_what_is_then_created() {
    for case in cases() {
        let mut w = (case.begin)();
        let creating = (case.creates)(&w);
        let creating = w.envelope(case.creator, vec![creating]);
        let id = *event_id(&creating.id().unwrap(), 0).digest();
        let object = (case.object)(&w, id);
        let using = (case.uses)(&w, &object);
        let using = w.envelope(case.user, vec![using]);
        let using = signed(using, &[case.user]);

        let early = w.submit(&using).expect_err(case.what);
        assert_eq!(early.missing.as_ref(), Some(&object), "{}: {early}", case.what);
        assert_eq!(early.code.outlook(), Outlook::AwaitsReference, "{}", case.what);
        let recorded = w.submit(&signed(creating, &[case.creator])).expect(case.what);
        assert_eq!(recorded.effects.created, [object], "{}", case.what);
        let late = w.submit(&using);
        assert!(late.is_ok(), "{}: {}", case.what, late.unwrap_err());
    }
}

/// The last signature under a contract opens the account that the first payment goes into.
#[test]
fn the_last_signature_opens_the_account() {
    let mut w = World::proposed();
    let (contract, schedule) = (w.contract(), w.schedule_hash());
    assert_eq!(w.record(BUYER, sign_contract(contract, schedule)).effects.created, []);
    let signed = w.record(GZ, sign_contract(contract, schedule));
    assert_eq!(signed.effects.created, [Missing::Account(w.account(REPORT, GZ).0)]);
    w.pay(PRICE, TAX, "B-1");
}

/// Acts that create nothing announce nothing.
#[test]
fn acts_that_create_nothing_announce_nothing() {
    let mut w = World::paid();
    let silent = [
        w.record(INSIGHT, deliver(w.contract())),
        w.record(BUYER, confirm(w.contract())),
        w.record(GZ, refund(w.payment(), [1, 0, 0], "B-2")),
        w.record(CHEST, revoke_grant(w.grant("chest processing"))),
        w.record(REGULATOR, suspend(CHEST)),
        w.void(CHEST_RAW),
    ];
    for recorded in silent {
        assert_eq!(recorded.effects.created, []);
    }
}

/// Within one envelope, an event may refer to what an earlier one creates; not the other way.
#[test]
fn an_envelope_may_refer_to_its_own_earlier_events() {
    let mut w = World::default();
    let derived = processed("cleaned", &[input(w.asset(CHEST_RAW), 1, None)]).event();
    let source = raw("fna-2026").event();
    let backwards = w.envelope(CHEST, vec![derived.clone(), source.clone()]);
    let refused = w.submit(&signed(backwards, &[CHEST])).unwrap_err();
    assert_eq!(refused.missing, Some(Missing::Asset(w.asset(CHEST_RAW))));
    let forwards = w.envelope(CHEST, vec![source, derived]);
    let recorded = w.submit(&signed(forwards, &[CHEST])).unwrap();
    let cleaned = w.asset("chest-hospital/cleaned");
    let expected = [Missing::Asset(w.asset(CHEST_RAW)), Missing::Asset(cleaned)];
    assert_eq!(recorded.effects.created, expected);
}
