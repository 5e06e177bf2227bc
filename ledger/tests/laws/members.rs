//! Members: who signs for whom, with which keys and how many, who follows whom, who belongs to whom.

use std::collections::{BTreeMap, BTreeSet};

use headwater_ledger::envelope::SignedEnvelope;
use headwater_ledger::event::aggregate::PaySource;
use headwater_ledger::event::dispute::{OpenDispute, OrderFreeze, RuleDispute, Ruling, Subject};
use headwater_ledger::event::market::{
    CloseAccount, ContestPayout, ProvedClaim, ProvedLine, RecordPayout, SetOffOverpayment,
    VoidPayment,
};
use headwater_ledger::event::member::{Role, Scope};
use headwater_ledger::event::{Event, RevokeKey, TwoKeyAct};
use headwater_ledger::execute::{acting, admit as admit_envelope};
use headwater_ledger::hash::{
    AccountId, AggregateId, ContractId, DisputeId, PaymentId, PayoutId, TransferId,
};
use headwater_ledger::limits::MAX_CHAIN;
use headwater_ledger::member::{compromised, related};
use headwater_ledger::reject::{Missing, Refusal};
use headwater_ledger::split::Right;
use headwater_ledger::state::record::Records;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::members::*;
use crate::support::*;

type Kind = (Event, Scope, Option<TwoKeyAct>);

/// Events with the scope each needs and the kind of act for which two keys can be required. What
/// they name does not exist: only the envelope is looked at.
fn kinds(w: &World) -> Vec<Kind> {
    use TwoKeyAct::{Money, Rulings, Transfers};
    let nothing = digest("nothing");
    let asset = w.asset("chest-hospital/nothing");
    let (account, contract) = (AccountId::from_digest(nothing), ContractId::from_digest(nothing));
    let payment = PaymentId::from_digest(nothing);
    let dispute = DisputeId::from_digest(nothing);
    let claim = ProvedClaim {
        asset,
        right: Right::Holding,
        units: 1,
        index: 0,
        claims: 1,
        proof: list(&[]),
    };
    let bank_reference: headwater_ledger::text::Code = "ref".parse().unwrap();
    let line = ProvedLine { claim: claim.clone(), owner: handle(FUND) };
    let set_off = SetOffOverpayment { account, from: line.clone(), to: line, amount: 1 };
    let payout = Event::RecordPayout(RecordPayout {
        account,
        claim,
        owner: handle(FUND),
        amount: 1,
        bank_reference: bank_reference.clone(),
    });
    let source = Event::PaySource(PaySource {
        aggregate: AggregateId::from_digest(nothing),
        account,
        source: nothing,
        weight: 1,
        index: 0,
        proof: list(&[]),
        amount: 1,
        bank_reference,
    });
    let rule =
        Event::RuleDispute(RuleDispute { dispute, ruling: Ruling::Dismiss, reasons: nothing });
    let open = Event::OpenDispute(OpenDispute {
        subject: Subject::Asset(asset),
        ground: headwater_ledger::event::dispute::Ground::Misuse,
        evidence: nothing,
    });
    let contest = ContestPayout { payout: PayoutId::from_digest(nothing), evidence: nothing };
    let transfer = transfer(asset, Right::Holding, &[(FUND, 10_000)]);
    vec![
        (pay(contract, 1, 0, "ref").event(), Scope::Money, Some(Money)),
        (refund(payment, [1, 0, 0], "ref").event(), Scope::Money, Some(Money)),
        (Event::VoidPayment(VoidPayment { payment }), Scope::Money, Some(Money)),
        (payout, Scope::Money, Some(Money)),
        (Event::SetOffOverpayment(set_off), Scope::Money, Some(Money)),
        (Event::CloseAccount(CloseAccount { account }), Scope::Money, Some(Money)),
        (source, Scope::Money, Some(Money)),
        (transfer.event(), Scope::Rights, Some(Transfers)),
        (accept_transfer(TransferId::from_digest(nothing)).event(), Scope::Rights, Some(Transfers)),
        (suspend(FUND).event(), Scope::Arbitrate, Some(Rulings)),
        (reinstate(FUND).event(), Scope::Arbitrate, Some(Rulings)),
        (void(asset).event(), Scope::Register, None),
        (rule, Scope::Arbitrate, Some(Rulings)),
        (Event::OrderFreeze(OrderFreeze { dispute, until_ms: 1 }), Scope::Arbitrate, Some(Rulings)),
        (Event::ContestPayout(contest), Scope::Money, None),
        (open, Scope::Rights, None),
        (deliver(contract).event(), Scope::Contract, None),
        (raw("figures").event(), Scope::Register, None),
        (revoke_key(CHEST, CHEST).event(), Scope::Admin, None),
        (add_key("fourth", &[Scope::Register]).event(), Scope::Admin, None),
        (add_key("fifth", &[Scope::Contract, Scope::Money]).event(), Scope::Admin, None),
        (add_key("sixth", &[Scope::Admin]).event(), Scope::Admin, None),
        (two_keys(&[]).event(), Scope::Admin, None),
    ]
}

const ACTS: [TwoKeyAct; 3] = [TwoKeyAct::Money, TwoKeyAct::Transfers, TwoKeyAct::Rulings];
const KEYS: [&str; 3] = [CHEST, "second", "third"];

fn chosen<T: Copy>(all: &[T], which: &[bool]) -> Vec<T> {
    all.iter().zip(which).filter(|(_, chosen)| **chosen).map(|(item, _)| *item).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Holds [LED-MEM-3] and [LED-MEM-8]: each event needs a key with its scope, and two where
    /// the member or the rulebook says so of its kind, or of any kind and it chooses otherwise or
    /// adds a key that could be the second, unless in place of one that signed.
    #[test]
    fn every_event_has_as_many_keys_as_it_needs(
        second in prop::array::uniform6(any::<bool>()),
        third in prop::array::uniform6(any::<bool>()),
        signers in prop::array::uniform3(any::<bool>()),
        own in prop::array::uniform3(any::<bool>()),
        everybody in prop::array::uniform3(prop::bool::weighted(0.3)),
        picks in prop::collection::vec(any::<Index>(), 1..4),
    ) {
        let mut w = World::default();
        let mut scopes: Vec<BTreeSet<Scope>> = vec![Scope::ALL.into()];
        for (name, which) in KEYS[1..].iter().zip([second, third]) {
            let granted = chosen(&Scope::ALL, &which);
            if !granted.is_empty() {
                w.record(CHEST, add_key(name, &granted));
            }
            scopes.push(granted.into_iter().collect());
        }
        w.record(CHEST, two_keys(&chosen(&ACTS, &own)));
        w.decide(rulebook(|r| r.two_keys = list(&chosen(&ACTS, &everybody))));
        // It is in force from the next block on.
        w.record(GZ, raw("figures"));
        let signers: Vec<usize> =
            (0..3).filter(|i| signers[*i] && !scopes[*i].is_empty()).collect();
        prop_assume!(!signers.is_empty());

        let kinds = kinds(&w);
        let picked: Vec<&Kind> = picks.iter().map(|pick| &kinds[pick.index(kinds.len())]).collect();
        let names: Vec<&str> = signers.iter().map(|i| KEYS[*i]).collect();
        let envelope = w.envelope(CHEST, picked.iter().map(|kind| kind.0.clone()).collect());
        let envelope = SignedEnvelope::from_bytes(&signed(envelope, &names)).unwrap();
        let verdict = admit_envelope(&w.state, &w.context(), &envelope.verify().unwrap());
        let verdict = match verdict {
            Ok(_) => "OK",
            Err(Refusal::Reject(reject)) => reject.code.name(),
            Err(Refusal::Fault(fault)) => panic!("{fault}"),
        };

        let keys = |scope| signers.iter().filter(|i| scopes[**i].contains(&scope)).count();
        let required: Vec<TwoKeyAct> =
            ACTS.into_iter().enumerate().filter(|(i, _)| own[*i] || everybody[*i]).map(|p| p.1).collect();
        let unlocks = |kind: &Kind| match &kind.0 {
            Event::AddKey(e) => could_be_second(&e.key.scopes, &required),
            _ => false,
        };
        // The first key is the only one that an event of these ends.
        let ends = signers.contains(&0) && picked.iter().any(|kind| kind.0.name() == "revoke_key");
        let more = picked.iter().filter(|kind| unlocks(kind)).count() > usize::from(ends);
        let needs_two = |kind: &Kind| {
            kind.2.is_some_and(|act| required.contains(&act))
                || (kind.0.name() == "set_two_keys" && !required.is_empty())
                || (more && unlocks(kind))
        };
        let expected = if picked.iter().any(|kind| keys(kind.1) == 0) {
            "KEY_OUT_OF_SCOPE"
        } else if picked.iter().any(|kind| needs_two(kind) && keys(kind.1) == 1) {
            "TWO_KEYS_REQUIRED"
        } else {
            "OK"
        };
        prop_assert_eq!(verdict, expected);
    }
}

/// Whether a key with these scopes could sign, or let sign, an act that needs two.
fn could_be_second(scopes: &[Scope], required: &[TwoKeyAct]) -> bool {
    let scope = |act: &TwoKeyAct| match act {
        TwoKeyAct::Money => Scope::Money,
        TwoKeyAct::Transfers => Scope::Rights,
        TwoKeyAct::Rulings => Scope::Arbitrate,
    };
    !required.is_empty()
        && (scopes.contains(&Scope::Admin) || required.iter().any(|a| scopes.contains(&scope(a))))
}

/// What a thief tries with the keys he has: adds some, ends some, chooses.
type Attempt = (Vec<[bool; 6]>, Vec<usize>, Option<[bool; 3]>);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Holds [LED-MEM-8]: where acts need two keys of everybody, who has stolen one key never
    /// comes by a second one for them, whatever he adds, ends or chooses.
    #[test]
    fn one_stolen_key_never_becomes_two(
        others in prop::collection::vec(prop::array::uniform6(any::<bool>()), 0..3),
        stolen in any::<Index>(),
        everybody in prop::array::uniform3(any::<bool>()),
        attempts in prop::collection::vec(
            (
                prop::collection::vec(prop::array::uniform6(any::<bool>()), 0..3),
                prop::collection::vec(0usize..6, 0..3),
                prop::option::weighted(0.2, prop::array::uniform3(any::<bool>())),
            ),
            1..8,
        ),
    ) {
        let attempts: Vec<Attempt> = attempts;
        let required = chosen(&ACTS, &everybody);
        prop_assume!(!required.is_empty());
        let mut w = World::default();
        let mut names = vec![CHEST.to_string()];
        for which in others.iter().map(|which| chosen(&Scope::ALL, which)) {
            if !which.is_empty() {
                let name = format!("honest-{}", names.len());
                w.record(CHEST, add_key(&name, &which));
                names.push(name);
            }
        }
        w.decide(rulebook(|r| r.two_keys = list(&required)));
        let mut his = BTreeSet::from([names[stolen.index(names.len())].clone()]);
        for (adds, ends, choice) in attempts {
            let mut events = Vec::new();
            let mut added = Vec::new();
            for which in adds.iter().map(|which| chosen(&Scope::ALL, which)) {
                let name = format!("thief-{}", names.len() + added.len());
                events.push(add_key(&name, &which).event());
                added.push(name);
            }
            for end in ends.iter().filter_map(|end| names.get(*end)) {
                events.push(revoke_key(CHEST, end).event());
            }
            events.extend(choice.map(|which| two_keys(&chosen(&ACTS, &which)).event()));
            let keys: Vec<&str> = his.iter().map(String::as_str).collect();
            if events.is_empty() || keys.is_empty() {
                continue;
            }
            let envelope = w.envelope(CHEST, events);
            if w.submit(&signed(envelope, &keys)).is_ok() {
                names.extend(added.iter().cloned());
                his.extend(added);
            }
            let record = w.state.member(&handle(CHEST)).unwrap().unwrap();
            his.retain(|name| record.scopes_of(&key_of(name)).is_some());
            let his_scopes = || his.iter().filter_map(|name| record.scopes_of(&key_of(name)));
            let second = his_scopes().filter(|scopes| could_be_second(scopes, &required)).count();
            prop_assert!(second <= 1, "he has {second} keys: {his:?}");
        }
    }
}

#[derive(Debug, Clone)]
enum KeyStep {
    Add(usize, usize),
    /// Who, whose, which, and how long ago it was stolen.
    Revoke(bool, usize, usize, Option<u64>),
    Sign(usize, usize),
}

fn key_step() -> impl Strategy<Value = KeyStep> {
    let stolen = prop::option::of(0u64..5_000);
    prop_oneof![
        (0usize..2, 0usize..6).prop_map(|(who, key)| KeyStep::Add(who, key)),
        (any::<bool>(), 0usize..2, 0usize..6, stolen)
            .prop_map(|(own, whose, key, ago)| KeyStep::Revoke(own, whose, key, ago)),
        (0usize..2, 0usize..6).prop_map(|(who, key)| KeyStep::Sign(who, key)),
    ]
}

/// A key in the model: whose it is, whether it signs, since when it was in other hands, and which
/// key added it when.
#[derive(Debug, Clone, Copy)]
struct KnownKey {
    owner: usize,
    signs: bool,
    stolen_ms: Option<u64>,
    added: Option<(usize, u64)>,
}

/// Ends a key, and with one that was in other hands those that it had added since, but for the
/// signer of this.
fn end(
    model: &mut BTreeMap<usize, KnownKey>,
    key: usize,
    stolen_ms: Option<u64>,
    now_ms: u64,
    signer: &str,
) {
    let known = model.get_mut(&key).unwrap();
    (known.signs, known.stolen_ms) = (false, stolen_ms);
    let Some(since) = stolen_ms else { return };
    for (other, name) in SIX_KEYS.iter().enumerate() {
        let Some(KnownKey { signs: true, added: Some((by, at)), .. }) = model.get(&other) else {
            continue;
        };
        let at = *at;
        if *by == key && (since..now_ms).contains(&at) && *name != signer {
            end(model, other, Some(at), now_ms, signer);
        }
    }
}

const SIX_KEYS: [&str; 6] = [CHEST, COUNTY, "a", "b", "c", "d"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Holds [LED-MEM-6] and [LED-MEM-7]: a key is one member's for ever, signs from its addition
    /// to its revocation, and is compromised from the time stated on, with those it had added since.
    #[test]
    fn a_key_signs_for_one_member_until_it_is_revoked(
        steps in prop::collection::vec(key_step(), 1..30),
    ) {
        const WHO: [&str; 2] = [CHEST, COUNTY];
        let names = SIX_KEYS;
        let mut w = World::default();
        let begin = w.now_ms;
        w.pass(60_000);
        let first = |owner| KnownKey { owner, signs: true, stolen_ms: None, added: None };
        let mut model: BTreeMap<usize, KnownKey> = [(0, first(0)), (1, first(1))].into();
        for (number, step) in steps.into_iter().enumerate() {
            let usable = |model: &BTreeMap<usize, KnownKey>, who| {
                model.iter().find(|(_, k)| k.owner == who && k.signs).map(|(key, _)| names[*key])
            };
            let state_of = |known: Option<&KnownKey>, owner| match known {
                Some(k) if k.owner == owner && k.signs => "OK",
                Some(k) if k.owner == owner => "KEY_REVOKED",
                _ => "KEY_UNKNOWN",
            };
            let (bytes, expected) = match step {
                KeyStep::Add(who, key) => {
                    let Some(signer) = usable(&model, who) else { continue };
                    let event = add_key(names[key], &Scope::ALL).event();
                    let bytes = signed(w.envelope(WHO[who], vec![event]), &[signer]);
                    let taken = model.contains_key(&key);
                    let by = names.iter().position(|name| *name == signer).unwrap();
                    let added = Some((by, w.now_ms));
                    model.entry(key).or_insert(KnownKey { added, ..first(who) });
                    (bytes, if taken { "KEY_IN_USE" } else { "OK" })
                }
                KeyStep::Revoke(own, whose, key, ago) => {
                    let (author, signer) = match usable(&model, whose) {
                        Some(signer) if own => (WHO[whose], signer),
                        _ => (REGULATOR, REGULATOR),
                    };
                    let stolen_ms = ago.map(|ago| w.now_ms - ago);
                    let event = RevokeKey {
                        compromised_since_ms: stolen_ms,
                        ..revoke_key(WHO[whose], names[key])
                    };
                    // Found to have been in other hands, or for longer.
                    let later = |k: &KnownKey| {
                        let earlier = |t| k.stolen_ms.is_none_or(|before| t < before);
                        k.owner == whose && stolen_ms.is_some_and(earlier)
                    };
                    let expected = match model.get(&key) {
                        Some(known) if later(known) => "OK",
                        known => state_of(known, whose),
                    };
                    if expected == "OK" {
                        end(&mut model, key, stolen_ms, w.now_ms, signer);
                    }
                    (signed(w.envelope(author, vec![event.event()]), &[signer]), expected)
                }
                KeyStep::Sign(who, key) => {
                    let event = raw(&format!("set-{number}")).event();
                    let expected = state_of(model.get(&key), who);
                    (signed(w.envelope(WHO[who], vec![event]), &[names[key]]), expected)
                }
            };
            let outcome = w.submit(&bytes).map(|_| "OK").unwrap_or_else(|r| r.code.name());
            prop_assert_eq!(outcome, expected);
            for (key, known) in &model {
                let public = key_of(names[*key]);
                for time in [begin, w.now_ms - 2_000, w.now_ms] {
                    let expected = known.stolen_ms.is_some_and(|since| time >= since);
                    prop_assert_eq!(compromised(&w.state, &public, time).unwrap(), expected);
                }
            }
        }
    }
}

fn key_of(name: &str) -> headwater_ledger::keys::PublicKey {
    key(name).public_key()
}

const FIRMS: [&str; 6] = ["firm-a", "firm-b", "firm-c", "firm-d", "firm-e", "firm-f"];

#[derive(Debug, Clone)]
enum Tie {
    Succeed(usize, usize),
    Relate(usize, usize),
    Part(usize, usize),
}

fn tie() -> impl Strategy<Value = Tie> {
    (0..3, 0usize..6, 0usize..6).prop_map(|(kind, a, b)| match kind {
        0 => Tie::Succeed(a, b),
        1 => Tie::Relate(a, b),
        _ => Tie::Part(a, b),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Holds [LED-MEM-9] and [LED-MEM-10]: who was succeeded signs nothing and is acted for by one
    /// that was not; successions part nobody who belongs together; only a regulator does.
    #[test]
    fn ties_outlast_successions(steps in prop::collection::vec(tie(), 1..24)) {
        let mut w = World::default();
        for firm in FIRMS {
            w.record(GZ, admit(firm, Role::Operator));
        }
        let mut next: BTreeMap<usize, usize> = BTreeMap::new();
        let mut ties = pairs(&w);
        for step in steps {
            let (Tie::Succeed(a, b) | Tie::Relate(a, b) | Tie::Part(a, b)) = step;
            let head = |mut firm: usize| {
                while let Some(successor) = next.get(&firm) {
                    firm = *successor;
                }
                firm
            };
            match step {
                Tie::Succeed(..) => {
                    // The firm itself or the regulator; a firm that has ended says nothing.
                    let by = if next.contains_key(&a) || (a + b) % 2 == 0 {
                        REGULATOR
                    } else {
                        FIRMS[a]
                    };
                    let bytes = w.by(by, succession(FIRMS[a], FIRMS[b]));
                    let expected = match (next.contains_key(&a), a == b || next.contains_key(&b)) {
                        (true, _) => "SUCCESSION_CLOSED",
                        (false, true) => "SUCCESSION_INVALID",
                        (false, false) => "OK",
                    };
                    let outcome = w.submit(&bytes);
                    prop_assert_eq!(code(&outcome), expected);
                    if let Ok(recorded) = outcome {
                        w.record(FIRMS[b], accept_succession(recorded.succession()));
                        next.insert(a, b);
                        let now = pairs(&w);
                        prop_assert!(now.is_superset(&ties), "a succession parted somebody");
                        prop_assert!(now.contains(&(a, b)));
                    }
                }
                Tie::Relate(..) | Tie::Part(..) => {
                    let relates = matches!(step, Tie::Relate(..));
                    let expected = if head(a) == head(b) { "SAME_MEMBER" } else { "OK" };
                    let bytes = w.by(REGULATOR, relate(FIRMS[a], FIRMS[b], relates));
                    prop_assert_eq!(code(&w.submit(&bytes)), expected);
                    let now = pairs(&w);
                    if relates {
                        prop_assert!(now.is_superset(&ties) && now.contains(&(a, b)));
                    } else {
                        prop_assert!(now.is_subset(&ties));
                        prop_assert_eq!(now.contains(&(a, b)), head(a) == head(b));
                    }
                }
            }
            ties = pairs(&w);
            for (number, firm) in FIRMS.iter().enumerate() {
                let acts = acting(&w.state, &handle(firm)).unwrap();
                let last = (0..).scan(number, |at, _| {
                    let here = *at;
                    *at = *next.get(at)?;
                    Some(here)
                });
                let last = last.last().map_or(number, |before| next[&before]);
                prop_assert_eq!(acts.as_str(), FIRMS[last]);
                let bytes = w.by(firm, raw("figures"));
                let expected = if last == number { "OK" } else { "AUTHOR_SUCCEEDED" };
                prop_assert_eq!(code(&w.clone().submit(&bytes)), expected);
            }
        }
    }
}

fn code(outcome: &Result<Recorded, headwater_ledger::reject::Reject>) -> &'static str {
    outcome.as_ref().map_or_else(|reject| reject.code.name(), |_| "OK")
}

/// The pairs of firms that belong together; both orders are asked.
fn pairs(w: &World) -> BTreeSet<(usize, usize)> {
    let mut pairs = BTreeSet::new();
    for (a, one) in FIRMS.iter().enumerate() {
        for (b, other) in FIRMS.iter().enumerate() {
            if related(&w.state, &handle(one), &handle(other)).unwrap() {
                pairs.insert((a, b));
            }
        }
    }
    assert!(pairs.iter().all(|(a, b)| pairs.contains(&(*b, *a))), "one belongs, the other not");
    assert!((0..FIRMS.len()).all(|a| pairs.contains(&(a, a))));
    pairs
}

/// Holds [LED-MEM-10]: a line of successors is followed to its end, however long it may be; it
/// waits for the successor, who finds it in its inbox.
#[test]
fn the_longest_line_is_followed_to_its_end() {
    let mut w = World::default();
    let name = |i: usize| format!("firm-{i}");
    for i in 0..=MAX_CHAIN {
        w.record(GZ, admit(&name(i), Role::Operator));
    }
    for i in 0..MAX_CHAIN {
        let proposed = w.record(REGULATOR, succession(&name(i), &name(i + 1)));
        let inbox = headwater_ledger::state::Relation::MemberInbox(handle(&name(i + 1)));
        assert_eq!(w.state.range(&inbox).unwrap().count(), 1);
        assert_eq!(proposed.effects.created, [Missing::Succession(proposed.succession())]);
        w.record(&name(i + 1), accept_succession(proposed.succession()));
    }
    let last = handle(&name(MAX_CHAIN));
    for i in 0..=MAX_CHAIN {
        assert_eq!(acting(&w.state, &handle(&name(i))).unwrap(), last);
    }
    // Who stands at the end of the longest line may still take others in.
    w.succeed(COUNTY, last.as_str());
    let record = w.state.member(&last).unwrap().unwrap();
    assert_eq!(record.predecessors as usize, MAX_CHAIN);
}

/// Holds [LED-MEM-5]: what is reserved stays as it was, everything else is as the exchange says.
#[test]
fn an_exchange_changes_all_roles_but_those_of_governance() {
    use Role::*;
    let all = [Exchange, Holder, Processor, Operator, Buyer, Appraiser, Regulator, Auditor];
    let world = World::default();
    for name in [BJ, REGULATOR, CHEST] {
        for bits in (0u16..256).step_by(5) {
            let roles: Vec<Role> =
                all.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|p| *p.1).collect();
            let mut w = world.clone();
            let before = w.state.member(&handle(name)).unwrap().unwrap();
            let bytes = w.by(GZ, set_roles(name, &roles));
            let expected = if roles.is_empty() {
                "MEMBER_INCOMPLETE"
            } else if [Exchange, Regulator].iter().any(|r| roles.contains(r) != before.has_role(*r))
            {
                "ROLE_RESERVED"
            } else {
                "OK"
            };
            assert_eq!(code(&w.submit(&bytes)), expected, "{name} {roles:?}");
            let after = w.state.member(&handle(name)).unwrap().unwrap();
            assert_eq!(after.roles, if expected == "OK" { roles } else { before.roles });
        }
    }
}

/// Events of one envelope see each other: none overwrites what the one before has done.
#[test]
fn many_changes_of_a_member_in_one_envelope_add_up() {
    let mut w = World::default();
    w.all(
        CHEST,
        vec![
            add_key("a", &[Scope::Register]).event(),
            two_keys(&[TwoKeyAct::Money]).event(),
            add_key("b", &[Scope::Money]).event(),
            revoke_key(CHEST, "a").event(),
        ],
    );
    let member = w.state.member(&handle(CHEST)).unwrap().unwrap();
    let keys: Vec<_> = member.keys.iter().map(|k| k.key).collect();
    assert_eq!(keys, [key_of(CHEST), key_of("b")]);
    assert_eq!(member.two_keys, [TwoKeyAct::Money]);
}

/// Holds [LED-MEM-7]: without a key a member is named as before and does nothing.
#[test]
fn a_member_may_lose_its_last_key() {
    let mut w = World::default();
    w.record(CHEST, revoke_key(CHEST, CHEST));
    assert_eq!(w.refused(CHEST, raw("fna-2026")).name(), "KEY_REVOKED");
    assert!(w.state.member(&handle(CHEST)).unwrap().unwrap().keys.is_empty());
    w.record(COUNTY, relate(COUNTY, CHEST, true));
    assert!(related(&w.state, &handle(CHEST), &handle(COUNTY)).unwrap());
}
