//! Inboxes: who is asked, once, for as long as the answer counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_ledger::event::dispute::{Ruling, Subject};
use headwater_ledger::event::member::Role;
use headwater_ledger::event::rights::GrantRight;
use headwater_ledger::execute::Appended;
use headwater_ledger::hash::{Digest, DisputeId};
use headwater_ledger::query::{
    self, BlockTime, InboxAction, InboxItem, InboxKind, ListEntry, Lists,
};
use headwater_ledger::reject::{Code, Fault};
use headwater_ledger::split::Right;
use headwater_ledger::state::record::{Filed, FiledRecord, Records};
use headwater_ledger::state::{Key, Relation, View};
use proptest::prelude::*;

use crate::support::members::*;
use crate::support::rights::*;
use crate::support::story::*;
use crate::support::*;

/// A world with its lists.
struct Listed<'a>(&'a World);

impl View for Listed<'_> {
    fn value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault> {
        self.0.state.value(key)
    }
}

impl Lists for Listed<'_> {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        let of = |a: &&Appended| a.relation == *relation;
        let entries = self.0.appended.iter().filter(of);
        Ok(entries.map(|a| ListEntry::from_bytes(&a.entry).unwrap()).collect())
    }
}

fn inbox(w: &World, member: &str) -> Vec<InboxItem> {
    let after = BlockTime { height: w.height, time_ms: w.now_ms };
    query::inbox(&Listed(w), &handle(member), after).unwrap().items
}

/// What the member can do about something; nothing when it is not in its inbox.
fn asked(w: &World, member: &str, id: Digest) -> Vec<InboxAction> {
    let mut items: Vec<InboxItem> =
        inbox(w, member).into_iter().filter(|item| item.id == id).collect();
    assert!(items.len() <= 1, "{member} is asked {} times", items.len());
    items.pop().map_or_else(Vec::new, |item| item.actions)
}

#[derive(Debug, Clone)]
enum Step {
    /// Who opens, about whose asset.
    Open(usize, usize),
    /// Who rules on which.
    Rule(usize, usize),
    /// Whether its opener appeals, else the respondent; which.
    Appeal(bool, usize),
    /// A regulator belongs with a party from now on.
    Relate(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0usize..4, 0usize..4).prop_map(|(who, whose)| Step::Open(who, whose)),
        3 => (0usize..2, any::<usize>()).prop_map(|(who, which)| Step::Rule(who, which)),
        2 => (any::<bool>(), any::<usize>()).prop_map(|(opener, which)| Step::Appeal(opener, which)),
        1 => (0usize..2, 0usize..2).prop_map(|(who, party)| Step::Relate(who, party)),
    ]
}

/// A dispute in the model: its parties, and who has ruled; it waits before the first ruling and
/// after an appeal.
struct Case {
    id: DisputeId,
    parties: [usize; 2],
    rulings: Vec<usize>,
    appealed: bool,
}

impl Case {
    fn waits(&self) -> bool {
        self.rulings.len() <= usize::from(self.appealed)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Holds [LED-DSP-6] and [LED-INB-1]: a regulator is asked to rule on exactly the disputes that
    /// wait and that it may rule on, once each; what the state keeps of them is as many places.
    #[test]
    fn regulators_are_asked_exactly_about_what_they_may_rule_on(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        const WHO: [&str; 4] = [CHEST, COUNTY, REGULATOR, BUREAU];
        const ARBITERS: [usize; 2] = [2, 3];
        let mut w = World::default();
        for who in WHO {
            w.record(who, raw("figures"));
        }
        let mut cases: Vec<Case> = Vec::new();
        let mut related: BTreeSet<(usize, usize)> = BTreeSet::new();
        for step in steps {
            match step {
                Step::Open(who, whose) if who != whose => {
                    let asset = w.asset(&format!("{}/figures", WHO[whose]));
                    let id = w.record(WHO[who], dispute(Subject::Asset(asset))).dispute();
                    cases.push(Case { id, parties: [who, whose], rulings: vec![], appealed: false });
                }
                Step::Rule(who, which) if !cases.is_empty() => {
                    let at = which % cases.len();
                    let who = ARBITERS[who];
                    let shown = asked(&w, WHO[who], *cases[at].id.digest());
                    let bytes = w.by(WHO[who], rule(cases[at].id, Ruling::Dismiss));
                    let outcome = w.submit(&bytes).map(drop).map_err(|reject| reject.code);
                    prop_assert_eq!(shown.contains(&InboxAction::Rule), outcome.is_ok());
                    if outcome.is_ok() {
                        cases[at].rulings.push(who);
                    }
                }
                Step::Appeal(opener, which) if !cases.is_empty() => {
                    let at = which % cases.len();
                    let who = WHO[cases[at].parties[usize::from(!opener)]];
                    let shown = asked(&w, who, *cases[at].id.digest());
                    let bytes = w.by(who, appeal(cases[at].id));
                    let outcome = w.submit(&bytes).map(drop).map_err(|reject| reject.code);
                    // All are dismissed: for the other party, which has won, nothing waits.
                    prop_assert_eq!(shown == [InboxAction::Appeal], outcome.is_ok() && opener);
                    cases[at].appealed |= outcome.is_ok();
                }
                Step::Relate(who, party) => {
                    w.record(WHO[ARBITERS[who]], relate(WHO[ARBITERS[who]], WHO[party], true));
                    related.insert((ARBITERS[who], party));
                }
                Step::Open(..) | Step::Rule(..) | Step::Appeal(..) => {}
            }
            for who in ARBITERS {
                let may = |case: &&Case| {
                    case.waits()
                        && !case.rulings.contains(&who)
                        && case.parties.iter().all(|p| *p != who && !related.contains(&(who, *p)))
                };
                let expected: BTreeSet<Digest> =
                    cases.iter().filter(may).map(|case| *case.id.digest()).collect();
                let items = inbox(&w, WHO[who]);
                let rules = items.iter().filter(|item| item.actions.contains(&InboxAction::Rule));
                let shown: Vec<Digest> = rules.map(|item| item.id).collect();
                prop_assert_eq!(shown.len(), expected.len(), "once each");
                prop_assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), expected);
            }
            let waiting = cases.iter().filter(|case| case.waits()).count() as u64;
            prop_assert_eq!(w.state.get::<u64>(&Key::Waiting).unwrap().unwrap_or(0), waiting);
            prop_assert!(w.state.value(&Key::WaitingAt(waiting)).unwrap().is_none());
        }
    }
}

/// Holds [LED-DSP-6]: opening a dispute costs the same with one regulator and with sixty.
#[test]
fn a_dispute_is_put_before_all_regulators_at_once() {
    let opened = |regulators: usize| {
        let mut w = World::sources();
        for i in 0..regulators {
            let name = format!("regulator-{i}");
            w.record(GZ, admit(&name, Role::Auditor));
            w.decide(confer(&name, &[Role::Regulator]));
        }
        let asset = w.asset(CHEST_RAW);
        let opened = w.record(COUNTY, dispute(Subject::Asset(asset)));
        let lists: BTreeMap<String, usize> =
            opened.effects.appended.iter().fold(BTreeMap::new(), |mut lists, a| {
                *lists.entry(format!("{:?}", a.relation)).or_default() += 1;
                lists
            });
        for i in 0..regulators {
            let asked = asked(&w, &format!("regulator-{i}"), opened.first());
            assert_eq!(asked, [InboxAction::Rule]);
        }
        (opened.effects.weight, lists)
    };
    assert_eq!(opened(1), opened(60));
}

/// Holds [LED-DSP-3]: the file of a dispute says what each event is, whose act, and when.
#[test]
fn the_file_of_a_dispute_says_what_was_done_by_whom() {
    let mut w = World::sources();
    let share = slice(w.asset(CHEST_RAW), Right::Holding, CHEST, 100);
    let id = w.record(COUNTY, dispute(Subject::Share(share))).dispute();
    let until = w.now_ms + DAY_MS;
    let acts = [
        (CHEST, w.record(CHEST, evidence(id)).first()),
        (REGULATOR, w.record(REGULATOR, freeze(id, until)).first()),
        (REGULATOR, w.record(REGULATOR, rule(id, redirect(COUNTY, &[]))).first()),
        (CHEST, w.record(CHEST, appeal(id)).first()),
        (BUREAU, w.record(BUREAU, rule(id, Ruling::Dismiss)).first()),
    ];
    let entries = Listed(&w).entries(&Relation::DisputeEvents(id)).unwrap();
    assert_eq!(entries.iter().map(|e| e.id).collect::<Vec<_>>(), acts.map(|(_, event)| event));
    let filed: Vec<FiledRecord> = acts
        .iter()
        .map(|(_, event)| {
            let key = Key::Filed(headwater_ledger::hash::EventId::from_digest(*event));
            w.state.get(&key).unwrap().unwrap()
        })
        .collect();
    for (record, (by, _)) in filed.iter().zip(&acts) {
        assert_eq!((record.dispute, record.by.as_str()), (id, *by));
    }
    assert!(matches!(filed[0].filed, Filed::Evidence(_)));
    assert_eq!(filed[1].filed, Filed::Freeze(until));
    assert_eq!((filed[2].filed, filed[4].filed), (Filed::Ruling(0), Filed::Ruling(1)));
    assert!(matches!(filed[3].filed, Filed::Appeal(_)));
    assert!(filed.windows(2).all(|pair| pair[0].time_ms < pair[1].time_ms));
}

/// Holds [LED-INB-1] and [LED-MEM-10]: what waited for a member waits for its successor, and for
/// that one's in turn, once, and its answer counts for every name it acts for.
#[test]
fn the_last_successor_is_asked_once_for_every_name() {
    let mut w = World::sources();
    let chest = w.asset(CHEST_RAW);
    let owners = [(CHEST, 5_000), (COUNTY, 2_000), (FUND, 3_000)];
    let shared = w.record(CHEST, transfer(chest, Right::Holding, &owners)).transfer();
    let county = w.asset(COUNTY_RAW);
    let wish = w.record(LAB, request_grant(county, GrantRight::Processing, terms())).first();
    let offered = w.record(CHEST, processing_grant(chest, COUNTY, terms())).grant();
    let ids = [*shared.digest(), wish, *offered.digest()];
    let shown = |w: &World, member: &str| -> Vec<InboxKind> {
        ids.iter()
            .filter_map(|id| inbox(w, member).into_iter().find(|i| i.id == *id).map(|i| i.kind))
            .collect()
    };
    let all = [InboxKind::Transfer, InboxKind::Request, InboxKind::Grant];
    assert_eq!(shown(&w, COUNTY), all);
    assert_eq!(shown(&w, FUND), [InboxKind::Transfer]);
    w.succeed(COUNTY, FUND);
    assert_eq!(inbox(&w, COUNTY), []);
    assert_eq!(shown(&w, FUND), all);
    w.record(GZ, admit("new-hospital", Role::Holder));
    w.succeed(FUND, "new-hospital");
    assert_eq!((inbox(&w, COUNTY), inbox(&w, FUND)), (vec![], vec![]));
    assert_eq!(shown(&w, "new-hospital"), all);
    w.record("new-hospital", accept_transfer(shared));
    assert!(w.state.transfer(&shared).unwrap().unwrap().done);
    w.record("new-hospital", accept_grant(offered));
    assert_eq!(shown(&w, "new-hospital"), [InboxKind::Request]);
    assert_eq!(w.refused("new-hospital", accept_transfer(shared)), Code::TransferClosed);
}

/// Holds [LED-GOV-2] and [LED-INB-1]: for a validator for which somebody has approved nobody is
/// asked again; for another one, who runs it now is, until its height.
#[test]
fn a_proposal_waits_until_its_height_for_who_acts_for_a_validator() {
    let mut w = World::default();
    for new in [CHEST, COUNTY] {
        w.decide(confer(new, &[Role::Exchange]));
        w.record(FUND, raw(&format!("before-{new}")));
    }
    let activate = w.height + 8;
    let id = w.record(GZ, change(rulebook(|r| r.fee_cap_bp = 1), activate)).change();
    let waits = |w: &World, member: &str| asked(w, member, *id.digest()) == [InboxAction::Accept];
    let all = |w: &World| [GZ, BJ, CHEST, COUNTY].map(|member| waits(w, member));
    assert_eq!(all(&w), [false, true, false, false]);
    w.succeed(GZ, CHEST);
    assert_eq!(all(&w), [false, true, false, false]);
    w.succeed(BJ, COUNTY);
    assert_eq!(all(&w), [false, false, false, true]);
    let mut late = w.clone();
    while late.height + 1 < activate {
        assert!(waits(&late, COUNTY), "height {}", late.height);
        let name = format!("at-{}", late.height);
        late.record(FUND, raw(&name));
    }
    assert!(!waits(&late, COUNTY));
    assert_eq!(late.refused(COUNTY, approve(id)), Code::ChangeClosed);
    w.record(COUNTY, approve(id));
    assert_eq!(all(&w), [false; 4]);
    assert_eq!(w.refused(COUNTY, approve(id)), Code::ChangeClosed);
}
