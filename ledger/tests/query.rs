//! The answers to the two questions, on a state made by executing envelopes: where did it come
//! from and where did it go, and who is owed what.

#[path = "support/world.rs"]
mod world;

use std::cell::RefCell;
use std::sync::Arc;

use headwater_ledger::event::Event;
use headwater_ledger::event::asset::Stage;
use headwater_ledger::event::member::{AcceptSuccession, ProposeSuccession};
use headwater_ledger::event::rights::{GrantRight, Owner};
use headwater_ledger::hash::{AssetId, SuccessionId};
use headwater_ledger::query::{
    self, Clearing, Direction, ListEntry, Lists, MemberStatement, Money, QueryError,
};
use headwater_ledger::reject::Fault;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::{GrantStatus, ListingStatus};
use headwater_ledger::state::{Key, Relation, View};
use world::{BEGIN_MS, BiopsyReport, Now, World, biopsy_report, handle, split};

fn names(world: &World, asset: &AssetId, direction: Direction, depth: Option<u32>) -> Vec<String> {
    let trace = query::trace(&Now(world), asset, direction, depth).unwrap();
    let shown = |a: &query::TracedAsset| {
        format!("{} {}{}", a.distance, a.name, if a.more { " …" } else { "" })
    };
    trace.assets.iter().map(shown).collect()
}

#[test]
fn a_trace_goes_up_to_every_source_and_down_to_every_derivation() {
    let c = biopsy_report();
    for (asset, direction, depth, expected) in [
        (
            c.report,
            Direction::Up,
            None,
            &[
                "2 chest-hospital/fna-2026",
                "2 county-hospital/fna-2026",
                "1 clean-lab/fna-cleaned",
                "0 insight-co/breast-cancer-report",
            ][..],
        ),
        (
            c.report,
            Direction::Up,
            Some(1),
            &["1 clean-lab/fna-cleaned …", "0 insight-co/breast-cancer-report"],
        ),
        (c.report, Direction::Up, Some(0), &["0 insight-co/breast-cancer-report …"]),
        (c.chest, Direction::Up, None, &["0 chest-hospital/fna-2026"]),
        (
            c.chest,
            Direction::Down,
            None,
            &[
                "0 chest-hospital/fna-2026",
                "1 clean-lab/fna-cleaned",
                "2 insight-co/breast-cancer-report",
            ],
        ),
        (
            c.chest,
            Direction::Down,
            Some(1),
            &["0 chest-hospital/fna-2026", "1 clean-lab/fna-cleaned …"],
        ),
        (c.report, Direction::Down, None, &["0 insight-co/breast-cancer-report"]),
    ] {
        assert_eq!(names(&c.world, &asset, direction, depth), expected, "{direction:?} {depth:?}");
    }
}

#[test]
fn a_trace_names_the_weights_and_the_grants_that_allowed_each_step() {
    let c = biopsy_report();
    let trace = query::trace(&Now(&c.world), &c.report, Direction::Up, None).unwrap();
    assert!(trace.complete);
    let edges: Vec<_> = trace.edges.iter().map(|e| (e.input, e.output, e.weight)).collect();
    let expected =
        [(c.chest, c.cleaned, 300), (c.county, c.cleaned, 269), (c.cleaned, c.report, 1)];
    assert_eq!(edges, expected);
    let grants: Vec<_> = trace.grants.iter().map(|g| Some(g.id)).collect();
    assert_eq!(grants, trace.edges.iter().map(|e| e.grant).collect::<Vec<_>>());
    let first = &trace.grants[0];
    assert_eq!((first.right, first.status), (GrantRight::Processing, GrantStatus::Accepted));
    assert_eq!((first.grantor.as_str(), first.grantee.as_str()), ("chest-hospital", "clean-lab"));
    assert_eq!((first.asset, first.used), (c.chest, 1));
    let raw = &trace.assets[0];
    assert_eq!((raw.stage, raw.records, raw.bytes, raw.height), (Stage::Raw, 300, 66_000, 1));
    assert!(!raw.void && !raw.late && raw.activity.is_none() && raw.purposes.is_none());
    // Down from one source, the other input of the same derivation is not part of the answer.
    let down = query::trace(&Now(&c.world), &c.chest, Direction::Down, None).unwrap();
    let edges: Vec<_> = down.edges.iter().map(|e| (e.input, e.output, e.weight)).collect();
    assert_eq!(edges, [(c.chest, c.cleaned, 300), (c.cleaned, c.report, 1)]);
    assert!(!query::trace(&Now(&c.world), &c.chest, Direction::Down, Some(0)).unwrap().complete);
}

#[test]
fn inputs_come_before_outputs_in_a_diamond_and_each_asset_once() {
    let mut c = biopsy_report();
    let all = split(0, 0, 5_000, 5_000);
    let left = c.world.derive("clean-lab", "left", Stage::Processed, all, &[(c.cleaned, 1, None)]);
    let right = c.world.derive("clean-lab", "right", Stage::Processed, all, &[(left, 1, None)]);
    let inputs = [(right, 2, None), (c.cleaned, 3, None)];
    let tip = c.world.derive("clean-lab", "tip", Stage::Product, all, &inputs);
    let up = query::trace(&Now(&c.world), &tip, Direction::Up, None).unwrap();
    let shown: Vec<_> = up.assets.iter().map(|a| (a.name.as_str(), a.distance)).collect();
    let expected = [
        ("chest-hospital/fna-2026", 2),
        ("county-hospital/fna-2026", 2),
        ("clean-lab/fna-cleaned", 1),
        ("clean-lab/left", 2),
        ("clean-lab/right", 1),
        ("clean-lab/tip", 0),
    ];
    assert_eq!(shown, expected);
    let into_tip = |e: &&query::Edge| e.output == tip;
    let into_tip: Vec<_> = up.edges.iter().filter(into_tip).map(|e| (e.input, e.weight)).collect();
    assert_eq!(into_tip, [(right, 2), (c.cleaned, 3)]);
    let down = query::trace(&Now(&c.world), &c.cleaned, Direction::Down, None).unwrap();
    assert_eq!((down.assets.len(), down.edges.len()), (5, 5));
}

#[test]
fn what_is_not_recorded_is_said_to_be_unknown() {
    let c = biopsy_report();
    let stranger = c.world.asset_id("chest-hospital", "nothing");
    let unknown = Err(QueryError::Unknown(format!("asset {stranger}")));
    let view = Now(&c.world);
    assert_eq!(query::trace(&view, &stranger, Direction::Up, None).map(drop), unknown);
    assert_eq!(query::shares(&view, &stranger).map(drop), unknown);
    assert_eq!(query::product_statement(&view, &stranger, BEGIN_MS).map(drop), unknown);
    let unknown = Err(QueryError::Unknown("member nobody".into()));
    assert_eq!(query::member_statement(&view, &handle("nobody"), BEGIN_MS).map(drop), unknown);
}

/// Holds [LED-REV-4].
#[test]
fn shares_name_the_owners_and_the_hash_that_the_listing_froze() {
    let c = biopsy_report();
    let shares = query::shares(&Now(&c.world), &c.report).unwrap();
    let lines: std::collections::BTreeMap<_, _> =
        shares.claims.iter().map(|l| ((l.name.as_str(), l.right), (l.units, l.epoch))).collect();
    let expected = [
        (("chest-hospital/fna-2026", Right::Holding), (189_806_678_383_128_295, 1)),
        (("clean-lab/fna-cleaned", Right::Processing), (240_000_000_000_000_000, 0)),
        (("county-hospital/fna-2026", Right::Holding), (170_193_321_616_871_705, 0)),
        (("insight-co/breast-cancer-report", Right::Processing), (150_000_000_000_000_000, 0)),
        (("insight-co/breast-cancer-report", Right::Operation), (250_000_000_000_000_000, 0)),
    ];
    assert_eq!(lines, expected.into());
    let units: u64 = shares.claims.iter().map(|l| l.units).sum();
    assert_eq!(units, 1_000_000_000_000_000_000);
    let of_chest = shares.claims.iter().find(|l| l.asset == c.chest).unwrap();
    let owners = [("chest-hospital", 9_000), ("patients-fund", 1_000)]
        .map(|(member, parts)| Owner { member: handle(member), parts });
    assert_eq!(of_chest.owners, owners);
    let [listing] = &shares.listings[..] else { panic!("{:?}", shares.listings) };
    assert_eq!((listing.id, listing.schedule), (c.listing, shares.schedule));
    assert_eq!((listing.status, listing.fee_bp), (ListingStatus::Accepted, 150));
}

/// The parties' totals: handle, entitled, held, payable.
fn parties(c: &BiopsyReport) -> Vec<(String, u64, u64, u64)> {
    let statement = query::product_statement(&Now(&c.world), &c.report, BEGIN_MS).unwrap();
    let [account] = &statement.accounts[..] else { panic!("{:?}", statement.accounts) };
    let shown = |p: &query::PartyTotal| (p.party.to_string(), p.entitled, p.held, p.payable);
    account.parties.iter().map(shown).collect()
}

/// Holds [LED-REV-8] to [LED-REV-10].
#[test]
fn a_sale_is_divided_to_the_last_minor_unit_and_held_until_it_is_delivered() {
    let mut c = biopsy_report();
    let statement = query::product_statement(&Now(&c.world), &c.report, BEGIN_MS).unwrap();
    let [account] = &statement.accounts[..] else { panic!("{:?}", statement.accounts) };
    let received = Money { gross: 200_000_000, net: 185_849_057, fee: 2_830_188, tax: 11_320_755 };
    assert_eq!((account.received, account.remaining), (received, received));
    assert_eq!(account.refunded, Money::default());
    assert_eq!((account.residue, account.confirmed_net), (3, 0));
    let owed = [
        ("chest-hospital", 31_747_852),
        ("clean-lab", 44_603_773),
        ("county-hospital", 31_630_268),
        ("insight-co", 74_339_622),
        ("patients-fund", 3_527_539),
    ];
    assert_eq!(parties(&c), owed.map(|(party, owed)| (party.to_string(), owed, owed, 0)));
    let entitled: u64 = account.lines.iter().map(|l| l.entitled).sum();
    assert_eq!(entitled + account.residue + received.fee + received.tax, received.gross);
    let [payment] = &account.payments[..] else { panic!("{:?}", account.payments) };
    assert_eq!((payment.id, payment.contract, payment.received), (c.payment, c.contract, received));
    assert!(!payment.confirmed);

    c.world.deliver("insight-co", "pharma-one", c.contract);
    assert_eq!(parties(&c), owed.map(|(party, owed)| (party.to_string(), owed, 0, owed)));
    let statement = query::product_statement(&Now(&c.world), &c.report, BEGIN_MS).unwrap();
    assert_eq!(statement.accounts[0].confirmed_net, received.net);
}

/// Holds [LED-REV-7] and [LED-REV-8].
#[test]
fn a_second_sale_after_a_transfer_is_the_new_owners_and_a_refund_the_old_ones() {
    let mut c = biopsy_report();
    c.world.deliver("insight-co", "pharma-one", c.contract);
    c.world.transfer("chest-hospital", c.chest, Right::Holding, &[("patients-fund", 10_000)]);
    let sellers = ("insight-co", "pharma-one", "gba-exchange");
    c.world.sell(sellers, c.listing, (200_000_000, 11_320_755), "bank-2");
    c.world.refund("gba-exchange", c.payment, 85_849_057, 0, 0);
    let statement = query::product_statement(&Now(&c.world), &c.report, BEGIN_MS).unwrap();
    let account = &statement.accounts[0];
    let of_chest: Vec<_> = account
        .lines
        .iter()
        .filter(|l| l.asset == c.chest)
        .map(|l| (l.epoch, l.party.as_str(), l.parts, l.entitled, l.held, l.payable))
        .collect();
    let earned_first = 189_806_678_383_128_295u128 * 100_000_000 / 10u128.pow(18);
    let earned_second = 189_806_678_383_128_295u128 * 185_849_057 / 10u128.pow(18);
    let (first, second) = (earned_first as u64, earned_second as u64);
    let (nine, one) = (first * 9 / 10, first / 10);
    let expected = [
        (0, "chest-hospital", 10_000, 0, 0, 0),
        (1, "chest-hospital", 9_000, nine, 0, nine),
        (1, "patients-fund", 1_000, one, 0, one),
        (2, "patients-fund", 10_000, second, second, 0),
    ];
    assert_eq!(of_chest, expected);
    assert_eq!(account.remaining.net, 100_000_000 + 185_849_057);
    assert_eq!(account.confirmed_net, 100_000_000);
    assert_eq!(account.refunded, Money { gross: 85_849_057, net: 85_849_057, fee: 0, tax: 0 });
    assert_eq!(account.payments.len(), 2);
    let entitled: u64 = account.lines.iter().map(|l| l.entitled).sum();
    assert_eq!(entitled + account.residue, account.remaining.net);
    for line in &account.lines {
        assert_eq!(line.held + line.payable, line.entitled, "{line:?}");
    }
}

fn member(world: &World, name: &str) -> MemberStatement {
    query::member_statement(&Now(world), &handle(name), BEGIN_MS).unwrap()
}

#[test]
fn a_member_sees_its_own_lines_of_every_account_and_nobody_elses() {
    let mut c = biopsy_report();
    let fund = member(&c.world, "patients-fund");
    let [account] = &fund.accounts[..] else { panic!("{:?}", fund.accounts) };
    assert_eq!(account.name, "insight-co/breast-cancer-report");
    assert_eq!((account.entitled, account.held, account.payable), (3_527_539, 3_527_539, 0));
    assert_eq!((account.net, account.clearing), (185_849_057, None));
    let [line] = &account.lines[..] else { panic!("{:?}", account.lines) };
    assert_eq!((line.name.as_str(), line.right), ("chest-hospital/fna-2026", Right::Holding));
    assert_eq!((line.epoch, line.parts, line.entitled), (1, 1_000, 3_527_539));
    // Before the transfer the hospital owned everything, and earned nothing.
    let chest = member(&c.world, "chest-hospital");
    let lines: Vec<_> = chest.accounts[0].lines.iter().map(|l| (l.epoch, l.entitled)).collect();
    assert_eq!(lines, [(0, 0), (1, 31_747_852)]);
    assert_eq!(chest.totals[0].entitled, 31_747_852);
    // Whoever sold its right keeps what it earned.
    c.world.transfer("chest-hospital", c.chest, Right::Holding, &[("patients-fund", 10_000)]);
    assert_eq!(member(&c.world, "chest-hospital").totals[0].entitled, 31_747_852);
    // A member's lines are those of the product's statement.
    let product = query::product_statement(&Now(&c.world), &c.report, BEGIN_MS).unwrap();
    for party in &product.accounts[0].parties {
        let own = member(&c.world, party.party.as_str());
        let mut lines = product.accounts[0].lines.clone();
        lines.retain(|line| line.party == party.party);
        assert_eq!(own.accounts[0].lines, lines);
    }
}

#[test]
fn an_exchange_sees_its_fees_and_a_buyer_sees_no_account() {
    let mut c = biopsy_report();
    let exchange = member(&c.world, "gba-exchange");
    let [account] = &exchange.accounts[..] else { panic!("{:?}", exchange.accounts) };
    let clearing = Clearing { payments: 1, fee: 2_830_188, refunded_fee: 0 };
    assert_eq!((account.clearing, account.lines.len()), (Some(clearing), 0));
    assert_eq!((exchange.totals[0].fees, exchange.totals[0].entitled), (2_830_188, 0));
    c.world.refund("gba-exchange", c.payment, 0, 188, 0);
    assert_eq!(member(&c.world, "gba-exchange").totals[0].fees, 2_830_000);
    for stranger in ["delta-exchange", "pharma-one"] {
        let statement = member(&c.world, stranger);
        assert!(statement.accounts.is_empty() && statement.totals.is_empty(), "{stranger}");
    }
}

#[test]
fn a_successor_sees_what_those_it_succeeded_have_and_clear() {
    let mut c = biopsy_report();
    let chest = member(&c.world, "chest-hospital");
    let fees = member(&c.world, "gba-exchange").totals[0].fees;
    for (ended, by) in [("chest-hospital", "county-hospital"), ("gba-exchange", "delta-exchange")] {
        let own = member(&c.world, by).totals.first().map_or(0, |total| total.entitled);
        let proposal = ProposeSuccession { member: handle(ended), successor: handle(by) };
        let id = c.world.act(ended, Event::ProposeSuccession(proposal));
        let succession = SuccessionId::from_digest(*id.digest());
        c.world.act(by, Event::AcceptSuccession(AcceptSuccession { succession }));
        let after = &member(&c.world, by).totals[0];
        if ended == "chest-hospital" {
            // The lines stay in the name that earned them.
            assert_eq!(after.entitled, own + chest.totals[0].entitled);
            let lines = &member(&c.world, by).accounts[0].lines;
            assert!(chest.accounts[0].lines.iter().all(|line| lines.contains(line)));
        } else {
            assert_eq!(after.fees, fees);
        }
    }
}

/// A view that counts reads which were not announced, as a remote view would pay for them.
struct Remote<'a> {
    inner: Now<'a>,
    known: RefCell<Vec<Key>>,
    announced: RefCell<usize>,
    surprises: RefCell<Vec<Key>>,
}

impl View for Remote<'_> {
    fn value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault> {
        if !self.known.borrow().contains(key) {
            self.surprises.borrow_mut().push(key.clone());
            self.known.borrow_mut().push(key.clone());
        }
        self.inner.value(key)
    }
    fn prefetch(&self, keys: &[Key]) -> Result<(), Fault> {
        let mut known = self.known.borrow_mut();
        let new: Vec<&Key> = keys.iter().filter(|key| !known.contains(key)).collect();
        *self.announced.borrow_mut() += usize::from(!new.is_empty());
        known.extend(new.into_iter().cloned().collect::<Vec<_>>());
        Ok(())
    }
}

impl Lists for Remote<'_> {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        self.value(&Key::Range(relation.clone()))?;
        self.inner.entries(relation)
    }
}

#[test]
fn every_read_is_announced_so_that_a_level_costs_one_round_trip() {
    let c = biopsy_report();
    let ask = |what: &str, question: &dyn Fn(&Remote<'_>), round_trips: usize| {
        let remote = Remote {
            inner: Now(&c.world),
            known: RefCell::default(),
            announced: RefCell::default(),
            surprises: RefCell::default(),
        };
        question(&remote);
        assert_eq!(*remote.surprises.borrow(), [], "{what}");
        assert!(*remote.announced.borrow() <= round_trips, "{what}: {:?}", remote.announced);
    };
    let up = |r: &Remote<'_>| drop(query::trace(r, &c.report, Direction::Up, None).unwrap());
    ask("up", &up, 5);
    let down = |r: &Remote<'_>| drop(query::trace(r, &c.chest, Direction::Down, None).unwrap());
    ask("down", &down, 6);
    ask("shares", &|r| drop(query::shares(r, &c.report).unwrap()), 7);
    ask("statement", &|r| drop(query::product_statement(r, &c.report, BEGIN_MS).unwrap()), 10);
    let own = |r: &Remote<'_>| {
        drop(query::member_statement(r, &handle("patients-fund"), BEGIN_MS).unwrap());
    };
    ask("member", &own, 14);
}
