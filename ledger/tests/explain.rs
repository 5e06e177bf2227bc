//! What waits for whom, and why things are as they are, on a state made by executing envelopes.

#[path = "support/world.rs"]
mod world;

use std::sync::Arc;

use headwater_ledger::codec::List;
use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::market::{
    ConfirmDelivery, Decision, ListProduct, RecordDelivery, ReviewListing,
};
use headwater_ledger::event::rights::{AcceptGrant, GrantRight, OfferGrant, Owner, Terms};
use headwater_ledger::event::{AcceptTransfer, Event, TransferRight};
use headwater_ledger::hash::{Digest, GrantId, ListingId, TransferId};
use headwater_ledger::query::{
    self, BlockTime, InboxAction, InboxKind, ListEntry, Lists, QueryError, Topic,
};
use headwater_ledger::reject::Fault;
use headwater_ledger::split::Right;
use headwater_ledger::state::{Key, Relation, View};
use headwater_ledger::words::number;
use world::{BEGIN_MS, Now, World, biopsy_report, handle};

/// The newest state, in which these ids wait for whoever is asked about.
struct Desk<'a>(&'a World, &'a [Digest]);

impl View for Desk<'_> {
    fn value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault> {
        Now(self.0).value(key)
    }
}

impl Lists for Desk<'_> {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        match relation {
            Relation::MemberInbox(_) => {
                Ok(self.1.iter().map(|id| ListEntry { height: 1, id: *id }).collect())
            }
            other => Now(self.0).entries(other),
        }
    }
}

fn waits(world: &World, member: &str, ids: &[Digest]) -> Vec<(InboxKind, Vec<InboxAction>)> {
    let height = world.height();
    let after = BlockTime { height, time_ms: BEGIN_MS + height * 1_000 };
    let inbox = query::inbox(&Desk(world, ids), &handle(member), after).unwrap();
    inbox.items.into_iter().map(|item| (item.kind, item.actions)).collect()
}

fn terms() -> Terms {
    Terms {
        purposes: List::new(vec![Purpose::Commercial]).unwrap(),
        territories: List::new(vec!["CN".parse().unwrap()]).unwrap(),
        not_before_ms: BEGIN_MS,
        not_after_ms: BEGIN_MS + 1_000_000,
        sublicence_depth: 0,
        max_derivations: None,
        future_versions: false,
        floor_bp: 0,
        filing_window_ms: 0,
        floor_kind: Default::default(),
        exclusivity: Default::default(),
        revocation: Default::default(),
    }
}

const ANSWER: [InboxAction; 2] = [InboxAction::Accept, InboxAction::Decline];

#[test]
fn an_item_waits_for_its_member_alone_and_only_until_it_is_decided() {
    let mut c = biopsy_report();
    let offer = Event::OfferGrant(OfferGrant {
        asset: c.chest,
        right: GrantRight::Processing,
        grantee: handle("insight-co"),
        terms: terms(),
        under: List::default(),
        parent: None,
    });
    let grant = GrantId::from_digest(*c.world.act("chest-hospital", offer).digest());
    let ids = [*grant.digest()];
    assert_eq!(waits(&c.world, "insight-co", &ids), [(InboxKind::Grant, ANSWER.to_vec())]);
    assert_eq!(waits(&c.world, "clean-lab", &ids), []);
    c.world.act("insight-co", Event::AcceptGrant(AcceptGrant { grant }));
    assert_eq!(waits(&c.world, "insight-co", &ids), []);

    let list = Event::TransferRight(TransferRight {
        asset: c.county,
        right: Right::Holding,
        owners: List::new(vec![
            Owner { member: handle("county-hospital"), parts: 5_000 },
            Owner { member: handle("patients-fund"), parts: 5_000 },
        ])
        .unwrap(),
        manager: handle("county-hospital"),
        threshold_parts: None,
    });
    let transfer = TransferId::from_digest(*c.world.act("county-hospital", list).digest());
    let ids = [*transfer.digest()];
    let accept = vec![InboxAction::Accept];
    assert_eq!(waits(&c.world, "patients-fund", &ids), [(InboxKind::Transfer, accept)]);
    assert_eq!(waits(&c.world, "county-hospital", &ids), []);
    c.world.act("patients-fund", Event::AcceptTransfer(AcceptTransfer { transfer }));
    assert_eq!(waits(&c.world, "patients-fund", &ids), []);
}

#[test]
fn the_market_waits_for_the_exchange_and_the_buyer_in_turn() {
    let mut c = biopsy_report();
    let ids = [*c.contract.digest()];
    assert_eq!(waits(&c.world, "pharma-one", &ids), [], "signed, not delivered");
    let delivered = Digest::Blake3([7; 32]);
    let deliver = Event::RecordDelivery(RecordDelivery { contract: c.contract, delivered });
    c.world.act("insight-co", deliver);
    let confirm = vec![InboxAction::Confirm];
    assert_eq!(waits(&c.world, "pharma-one", &ids), [(InboxKind::Delivery, confirm)]);
    assert_eq!(waits(&c.world, "gba-exchange", &ids), []);
    let event = Event::ConfirmDelivery(ConfirmDelivery { contract: c.contract });
    c.world.act("pharma-one", event);
    assert_eq!(waits(&c.world, "pharma-one", &ids), []);

    let grants = query::trace(&Now(&c.world), &c.report, query::Direction::Up, Some(1)).unwrap();
    assert!(!grants.grants.is_empty());
    let state = c.world.state();
    let listing: headwater_ledger::state::record::ListingRecord =
        state.get(&Key::Listing(c.listing)).unwrap().unwrap();
    let list = Event::ListProduct(ListProduct {
        asset: c.report,
        exchange: handle("delta-exchange"),
        fee_bp: 100,
        operation_grants: List::new(listing.operation_grants).unwrap(),
    });
    let second = ListingId::from_digest(*c.world.act("insight-co", list).digest());
    let ids = [*second.digest()];
    assert_eq!(waits(&c.world, "delta-exchange", &ids), [(InboxKind::Listing, ANSWER.to_vec())]);
    let review = ReviewListing { listing: second, decision: Decision::Accept };
    c.world.act("delta-exchange", Event::ReviewListing(review));
    assert_eq!(waits(&c.world, "delta-exchange", &ids), []);
}

#[test]
fn an_offer_whose_term_is_over_waits_for_nobody() {
    let mut c = biopsy_report();
    let offer = Event::OfferGrant(OfferGrant {
        asset: c.chest,
        right: GrantRight::Processing,
        grantee: handle("insight-co"),
        terms: terms(),
        under: List::default(),
        parent: None,
    });
    let id = *c.world.act("chest-hospital", offer).digest();
    for (time_ms, items) in [(BEGIN_MS + 1_000_000, 1), (BEGIN_MS + 1_000_001, 0)] {
        let after = BlockTime { height: c.world.height(), time_ms };
        let inbox = query::inbox(&Desk(&c.world, &[id]), &handle("insight-co"), after).unwrap();
        assert_eq!(inbox.items.len(), items);
    }
}

fn texts(world: &World, topic: &Topic) -> Vec<String> {
    let explained = query::explain(&Now(world), topic, BEGIN_MS + 100_000).unwrap();
    assert!(explained.reasons.iter().all(|reason| reason.rule.starts_with("LED-")));
    explained.reasons.into_iter().map(|reason| reason.text).collect()
}

#[test]
fn a_line_is_explained_by_the_amounts_of_the_statement() {
    let c = biopsy_report();
    let statement = query::product_statement(&Now(&c.world), &c.report, u64::MAX).unwrap();
    let account = &statement.accounts[0];
    assert!(account.lines.len() > 5);
    for line in &account.lines {
        let topic = Topic::Line(account.account, line.asset, line.right, line.party.clone());
        let of_line = |l: &&query::AssetLine| {
            (l.asset, l.right, &l.party) == (line.asset, line.right, &line.party)
        };
        let entitled: u64 = account.lines.iter().filter(of_line).map(|l| l.entitled).sum();
        let held: u64 = account.lines.iter().filter(of_line).map(|l| l.held).sum();
        let payable = entitled - held;
        let cny = "CNY".parse().unwrap();
        let [entitled, held, payable] = [entitled, held, payable].map(|n| number(n, &cny));
        let text = format!(
            "entitled {entitled} + adjusted 0.00 + set off 0.00 + overpaid 0.00 = held {held} + \
             frozen 0.00 + paid 0.00 + payable {payable}, in CNY"
        );
        let texts = texts(&c.world, &topic);
        assert!(texts.contains(&text), "{text} not in {texts:#?}");
    }
    let whole = texts(&c.world, &Topic::Object(*account.account.digest()));
    let net = account.remaining.net;
    let entitled = net - account.residue;
    let [net, entitled, residue] =
        [net, entitled, account.residue].map(|n| number(n, &account.currency));
    let text = format!("residue = {net} - {entitled} = {residue} CNY, left by rounding");
    assert!(whole.contains(&text), "{text} not in {whole:#?}");
}

#[test]
fn an_asset_is_explained_by_its_inputs_and_the_grants_that_allowed_them() {
    let c = biopsy_report();
    let texts = texts(&c.world, &Topic::Object(*c.cleaned.digest()));
    for expected in [
        "clean-lab registered it as a processed asset",
        "uses chest-hospital/fna-2026 by a grant of chest-hospital, in force",
        "uses county-hospital/fna-2026 by a grant of county-hospital, in force",
        "processing right: clean-lab 10000; clean-lab acts for it",
        "new derivations, grants and listings of it are possible, as far as rights allow",
    ] {
        assert!(texts.iter().any(|text| text == expected), "{expected} not in {texts:#?}");
    }
}

#[test]
fn everything_recorded_is_explained_and_nothing_else() {
    let c = biopsy_report();
    let trace = query::trace(&Now(&c.world), &c.report, query::Direction::Up, None).unwrap();
    let mut ids = vec![*c.listing.digest(), *c.contract.digest(), *c.payment.digest()];
    ids.extend(trace.assets.iter().map(|asset| *asset.id.digest()));
    ids.extend(trace.grants.iter().map(|grant| *grant.id.digest()));
    for id in ids {
        assert!(!texts(&c.world, &Topic::Object(id)).is_empty(), "{id}");
    }
    let unknown = Digest::Blake3([9; 32]);
    let error = query::explain(&Now(&c.world), &Topic::Object(unknown), BEGIN_MS).unwrap_err();
    assert_eq!(error, QueryError::Unknown(unknown.to_string()));
}

#[test]
fn a_proved_claim_is_the_claim_of_the_schedule_at_its_place() {
    let c = biopsy_report();
    let shares = query::shares(&Now(&c.world), &c.report).unwrap();
    for (at, line) in shares.claims.iter().enumerate() {
        let claim = query::proved_claim(&Now(&c.world), &c.report, &line.asset, line.right);
        let claim = claim.unwrap().unwrap();
        assert_eq!((claim.index, claim.claims), (at as u64, shares.claims.len() as u64));
        assert_eq!((claim.asset, claim.right, claim.units), (line.asset, line.right, line.units));
    }
    let none = query::proved_claim(&Now(&c.world), &c.report, &c.chest, Right::Operation);
    assert_eq!(none, Ok(None));
}
