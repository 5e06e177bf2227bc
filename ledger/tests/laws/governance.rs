//! Governance: random proposals and approvals against a model written differently, headers that
//! tell of every change, and replay from genesis.

use std::collections::{BTreeMap, BTreeSet};

use headwater_ledger::block::Header;
use headwater_ledger::envelope::SignedEnvelope;
use headwater_ledger::event::AdmitMember;
use headwater_ledger::event::governance::{Change, Rulebook};
use headwater_ledger::event::member::{Role, Scope};
use headwater_ledger::execute::{BlockContext, Execution, genesis_parent};
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::{ChangeId, Digest};
use headwater_ledger::merkle::map::StateMap;
use headwater_ledger::reject::Refusal;
use headwater_ledger::state::record::{ChangeRecord, ChangeStatus, Records};
use headwater_ledger::state::{Key, Relation, State, View};
use headwater_ledger::validator::{Validator, ValidatorSet};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::members::*;
use crate::support::*;

/// Four exchanges and a hospital; each has two consensus keys to use, named after its number.
pub const WHO: [&str; 5] = [GZ, BJ, "sh-exchange", "sz-exchange", CHEST];

const LOST: &str = "village-clinic";

fn consensus_key(number: usize) -> String {
    format!("consensus-{number}")
}

pub fn validators(set: &BTreeMap<usize, (usize, u64)>) -> Vec<Validator> {
    let validator = |(number, (who, power)): (&usize, &(usize, u64))| Validator {
        member: handle(WHO[*who]),
        key: key(&consensus_key(*number)).public_key(),
        power: *power,
    };
    set.iter().map(validator).collect()
}

fn hash(set: &BTreeMap<usize, (usize, u64)>) -> Digest {
    ValidatorSet::new(validators(set)).unwrap().hash().unwrap()
}

pub fn genesis_with(powers: [u64; 4]) -> (Genesis, BTreeMap<usize, (usize, u64)>) {
    let mut genesis = genesis();
    let mut members = genesis.members.to_vec();
    members.extend(WHO[2..4].iter().map(|name| admit(name, Role::Exchange)));
    // Who has lost the keys to add others with.
    let lost = list(&[member_key("lost", &[Scope::Register])]);
    members.push(AdmitMember { keys: lost, ..admit(LOST, Role::Holder) });
    genesis.members = list(&members);
    genesis.protocol = 1;
    let set = powers.into_iter().enumerate().map(|(i, power)| (i, (i, power))).collect();
    genesis.validators = list(&validators(&set));
    (genesis, set)
}

/// A chain of whole blocks, with the bytes of all and the headers they had.
pub struct Chain {
    genesis: Genesis,
    pub world: World,
    headers: Vec<Header>,
    blocks: Vec<(BlockContext, Vec<Vec<u8>>)>,
}

impl Chain {
    pub fn new(genesis: Genesis) -> Self {
        let mut world = World::default();
        world.chain = genesis.chain_id().unwrap();
        world.state = State::genesis(&genesis).unwrap();
        Chain { genesis, world, headers: Vec::new(), blocks: Vec::new() }
    }

    /// A block of those of the envelopes that pass, as a proposer makes it; what became of each.
    pub fn block(&mut self, tried: Vec<Vec<u8>>) -> Vec<&'static str> {
        let context = self.world.context();
        let mut execution = Execution::begin(&self.world.state, context).unwrap();
        let mut recorded = Vec::new();
        let outcomes = tried.into_iter().map(|bytes| {
            let outcome = try_envelope(&mut execution, &bytes);
            if outcome == "OK" {
                recorded.push(bytes);
            }
            outcome
        });
        let outcomes = outcomes.collect();
        let (header, state) = finish(execution, &context, self.headers.last());
        self.world.state = state;
        self.world.height += 1;
        self.world.now_ms += 1_000;
        self.headers.push(header);
        self.blocks.push((context, recorded));
        outcomes
    }

    /// Executes all blocks again, from the bytes; at one height on a state read from its entries.
    fn replay(&self, reopened_at: usize) {
        let mut state = State::genesis(&self.genesis).unwrap();
        let mut parent: Option<&Header> = None;
        for (height, ((context, envelopes), expected)) in
            self.blocks.iter().zip(&self.headers).enumerate()
        {
            if height == reopened_at {
                let mut map = StateMap::new();
                for (key, value) in state.map().iter() {
                    map.insert(*key, value.clone());
                }
                state = State::from_map(map);
            }
            let mut execution = Execution::begin(&state, *context).unwrap();
            for bytes in envelopes {
                assert_eq!(try_envelope(&mut execution, bytes), "OK", "recorded means valid");
            }
            let (header, after) = finish(execution, context, parent);
            assert_eq!(header, *expected);
            state = after;
            parent = Some(expected);
        }
        assert_eq!(state.root(), self.world.state.root());
    }
}

fn try_envelope(execution: &mut Execution, bytes: &[u8]) -> &'static str {
    let envelope = SignedEnvelope::from_bytes(bytes).unwrap().verify().unwrap();
    match execution.apply(&envelope) {
        Ok(_) => "OK",
        Err(Refusal::Reject(reject)) => reject.code.name(),
        Err(Refusal::Fault(fault)) => panic!("the ledger failed: {fault}"),
    }
}

fn finish(
    execution: Execution,
    context: &BlockContext,
    parent: Option<&Header>,
) -> (Header, State) {
    let executed = execution.finish().unwrap();
    let proposer = validators(&[(0, (0, 1))].into())[0].address();
    let parent = parent.map_or_else(|| genesis_parent(&context.chain_id), |p| p.id().unwrap());
    (executed.header(context, parent, proposer), executed.state)
}

#[derive(Debug, Clone)]
enum What {
    /// The key's number, the member's, the power.
    Power(usize, usize, u64),
    Fees(u16),
    Protocol(u32),
    Key(usize),
}

impl What {
    fn change(&self) -> Change {
        match self {
            What::Power(number, who, power) => {
                set_validator(WHO[*who], &consensus_key(*number), *power)
            }
            What::Fees(cap) => rulebook(|r| r.fee_cap_bp = *cap),
            What::Protocol(version) => Change::SetProtocol(*version),
            What::Key(number) => {
                restore(LOST, member_key(&format!("restored-{number}"), &[Scope::Register]))
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Try {
    Propose(usize, What, u64),
    Approve(usize, Index),
    /// Everybody approves.
    Agree(Index),
    Register,
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        // Mostly the key of the member itself; power 0 removes.
        4 => (0usize..6, 0usize..5, prop_oneof![Just(0u64), 1u64..40], any::<bool>()).prop_map(
            |(number, who, power, own)| {
                What::Power(number, if own { number.min(3) } else { who }, power)
            }
        ),
        1 => prop_oneof![0u16..10_000, Just(10_001u16)].prop_map(What::Fees),
        2 => (1u32..4).prop_map(What::Protocol),
        1 => (0usize..3).prop_map(What::Key),
    ]
}

fn attempt() -> impl Strategy<Value = Try> {
    prop_oneof![
        3 => (0usize..5, what(), 0u64..6).prop_map(|(who, what, at)| Try::Propose(who, what, at)),
        2 => (0usize..5, any::<Index>()).prop_map(|(who, which)| Try::Approve(who, which)),
        2 => any::<Index>().prop_map(Try::Agree),
        1 => Just(Try::Register),
    ]
}

struct Proposed {
    id: ChangeId,
    what: What,
    at: u64,
    approved: BTreeSet<usize>,
    status: ChangeStatus,
}

/// What governance has made of a chain so far, kept without any ledger.
struct Model {
    /// By the consensus key's number: who runs it, with which power.
    present: BTreeMap<usize, (usize, u64)>,
    /// The set that decides each height, from height 0 on.
    decides: Vec<BTreeMap<usize, (usize, u64)>>,
    protocol: u32,
    versions: Vec<u16>,
    restored: BTreeSet<usize>,
    proposals: Vec<Proposed>,
    /// Approved changes, in order of their approval.
    queue: Vec<usize>,
}

impl Model {
    fn possible(&self, what: &What) -> bool {
        match what {
            What::Power(number, who, power) => match (self.present.get(number), power) {
                (None, 0) => false,
                (Some((runs, _)), 0) => runs == who && self.present.len() > 1,
                (None, _) => *who < 4,
                (Some((runs, before)), _) => runs == who && before != power,
            },
            What::Fees(cap) => *cap <= 10_000,
            What::Protocol(version) => *version == 2 && self.protocol == 1,
            What::Key(number) => !self.restored.contains(number),
        }
    }

    fn begin(&mut self, height: u64) {
        let due: Vec<usize> =
            self.queue.iter().copied().filter(|i| self.proposals[*i].at == height).collect();
        for i in due {
            let what = self.proposals[i].what.clone();
            if !self.possible(&what) {
                self.proposals[i].status = ChangeStatus::Failed;
                continue;
            }
            self.proposals[i].status = ChangeStatus::Active;
            match what {
                What::Power(number, _, 0) => drop(self.present.remove(&number)),
                What::Power(number, who, power) => drop(self.present.insert(number, (who, power))),
                What::Fees(cap) => self.versions.push(cap),
                What::Protocol(version) => self.protocol = version,
                What::Key(number) => drop(self.restored.insert(number)),
            }
        }
        self.decides.push(self.present.clone());
    }

    fn runs(&self, who: usize) -> bool {
        self.present.values().any(|(runs, _)| *runs == who)
    }

    fn count(&mut self, i: usize) {
        let power = |all: bool| -> u64 {
            let counted =
                self.present.values().filter(|v| all || self.proposals[i].approved.contains(&v.0));
            counted.map(|v| v.1).sum()
        };
        if power(false) * 3 > power(true) * 2 {
            self.proposals[i].status = ChangeStatus::Scheduled;
            self.queue.push(i);
        }
    }

    fn propose(
        &mut self,
        who: usize,
        what: &What,
        at: u64,
        height: u64,
        id: ChangeId,
    ) -> &'static str {
        if !self.runs(who) {
            return "NOT_VALIDATOR";
        }
        if at <= height {
            return "ACTIVATION_OUT_OF_RANGE";
        }
        if !self.possible(what) {
            return "CHANGE_INVALID";
        }
        let (what, approved) = (what.clone(), [who].into());
        self.proposals.push(Proposed { id, what, at, approved, status: ChangeStatus::Proposed });
        self.count(self.proposals.len() - 1);
        "OK"
    }

    fn approve(&mut self, who: usize, i: usize, height: u64) -> &'static str {
        let proposed = &self.proposals[i];
        if !self.runs(who) {
            return "NOT_VALIDATOR";
        }
        if proposed.status != ChangeStatus::Proposed || proposed.at <= height {
            return "CHANGE_CLOSED";
        }
        if proposed.approved.contains(&who) {
            return "ALREADY_APPROVED";
        }
        if !self.possible(&proposed.what) {
            return "CHANGE_INVALID";
        }
        self.proposals[i].approved.insert(who);
        self.count(i);
        "OK"
    }
}

/// Plays one block; gives the envelopes tried with what must become of each.
fn play(chain: &mut Chain, model: &mut Model, tries: Vec<Try>) {
    let height = chain.world.height + 1;
    model.begin(height);
    let mut tried = Vec::new();
    let mut expected = Vec::new();
    for attempt in tries {
        match attempt {
            Try::Propose(who, what, ahead) => {
                let at = height + ahead;
                let envelope =
                    chain.world.envelope(WHO[who], vec![change(what.change(), at).event()]);
                let id = envelope.id().unwrap();
                let id = *headwater_ledger::envelope::event_id(&id, 0).digest();
                tried.push(signed(envelope, &[WHO[who]]));
                expected.push(model.propose(who, &what, at, height, ChangeId::from_digest(id)));
            }
            Try::Approve(_, which) | Try::Agree(which) if !model.proposals.is_empty() => {
                let everybody =
                    if let Try::Approve(who, _) = attempt { who..who + 1 } else { 0..4 };
                let i = which.index(model.proposals.len());
                for who in everybody {
                    tried.push(chain.world.by(WHO[who], approve(model.proposals[i].id)));
                    expected.push(model.approve(who, i, height));
                }
            }
            Try::Approve(..) | Try::Agree(_) => {}
            Try::Register => {
                let name = format!("set-{height}-{}", tried.len());
                tried.push(chain.world.by(CHEST, raw(&name)));
                expected.push("OK");
            }
        }
    }
    assert_eq!(chain.block(tried), expected, "block {height}");
    let header = chain.headers.last().unwrap();
    let at = height as usize;
    assert_eq!(header.validators, hash(&model.decides[at]), "who decides {height}");
    assert_eq!(header.next_validators, hash(&model.decides[at + 1]), "who decides the next");
    assert_eq!(header.protocol, model.protocol);
    assert_eq!(header.rulebook as usize, model.versions.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Holds [LED-GOV-1] to [LED-GOV-4], [LED-VAL-2] and [LED-VER-1]: a change takes effect at its
    /// height exactly when more than two thirds approved it before and it is still possible; the
    /// headers tell of it; and replay from genesis, across a change of protocol too, gives the
    /// same headers.
    #[test]
    fn changes_are_made_at_their_height_and_replayed(
        powers in prop::array::uniform4(1u64..20),
        blocks in prop::collection::vec(prop::collection::vec(attempt(), 0..4), 1..16),
        reopened in any::<Index>(),
    ) {
        let (genesis, set) = genesis_with(powers);
        let mut chain = Chain::new(genesis);
        let mut model = Model {
            // Heights 1 and 2 are decided by the set of genesis; the first place is no height. At
            // height h, `begin` appends the set that decides h + 2.
            decides: vec![set.clone(); 3],
            present: set,
            protocol: 1,
            versions: vec![Rulebook::standard().fee_cap_bp],
            restored: BTreeSet::new(),
            proposals: Vec::new(),
            queue: Vec::new(),
        };
        let count = blocks.len();
        for tries in blocks {
            play(&mut chain, &mut model, tries);
        }
        for proposed in &model.proposals {
            let record: ChangeRecord =
                chain.world.state.get(&Key::Change(proposed.id)).unwrap().unwrap();
            prop_assert_eq!(record.status, proposed.status);
            prop_assert_eq!(record.approvals.len(), proposed.approved.len());
        }
        let listed = chain.world.state.range(&Relation::Changes).unwrap().count();
        prop_assert_eq!(listed as usize, model.proposals.len());
        for (version, cap) in (1u32..).zip(&model.versions) {
            let rulebook: Rulebook =
                chain.world.state.get(&Key::Rulebook(version)).unwrap().unwrap();
            prop_assert_eq!(rulebook.fee_cap_bp, *cap);
        }
        chain.replay(reopened.index(count));
    }
}

/// A chain under protocol 1 that crosses to 2 in its middle, with trade on both sides, replayed.
/// Holds [LED-VER-1].
#[test]
fn a_chain_that_crosses_protocols_replays() {
    let (genesis, _) = genesis_with([1; 4]);
    let mut chain = Chain::new(genesis);
    let propose = chain.world.by(GZ, change(Change::SetProtocol(2), 4));
    let id = SignedEnvelope::from_bytes(&propose).unwrap().envelope.id().unwrap();
    let id = ChangeId::from_digest(*headwater_ledger::envelope::event_id(&id, 0).digest());
    assert_eq!(chain.block(vec![propose]), ["OK"]);
    let approvals = [BJ, WHO[2]].map(|who| chain.world.by(who, approve(id)));
    assert_eq!(chain.block(approvals.to_vec()), ["OK"; 2]);
    for i in 0..4 {
        let bytes = chain.world.by(CHEST, raw(&format!("set-{i}")));
        assert_eq!(chain.block(vec![bytes]), ["OK"]);
    }
    let protocols: Vec<u32> = chain.headers.iter().map(|h| h.protocol).collect();
    assert_eq!(protocols, [1, 1, 1, 2, 2, 2]);
    for reopened in 0..6 {
        chain.replay(reopened);
    }
}
