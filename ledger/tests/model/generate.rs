//! Random histories: mostly acts that make sense where the story stands, some that do not.

mod derive;
mod keys;
mod market;
mod money;
mod point;
mod rare;
mod registry;
mod rights;
mod stale;

use headwater_ledger::event::Event;
use headwater_ledger::event::asset::{
    Classification, Content, Deidentification, Derivation, Metadata, Purpose, Quality,
    RegisterAsset, Stage,
};
use headwater_ledger::hash::{AssetId, Digest};
use headwater_ledger::split::Split;
use headwater_ledger::text::Handle;

use crate::compare::{History, judge};
use crate::naive::{Naive, beginning};
use crate::world::{BEGIN_MS, MEMBERS, Step, World, handle};

const DAY_MS: u64 = 86_400_000;
const PURPOSES: [Purpose; 3] =
    [Purpose::Commercial, Purpose::HealthResearch, Purpose::GeneralResearch];
const TERRITORIES: [&str; 3] = ["CN", "CN-GD", "CN-BJ"];

/// Numbers that look random and are the same for the same seed.
pub struct Random(u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
    fn in_ten(&mut self, n: u64) -> bool {
        self.below(10) < n
    }
    fn pick<T: Clone>(&mut self, items: &[T]) -> Option<T> {
        if items.is_empty() {
            return None;
        }
        let at = self.below(items.len() as u64) as usize;
        Some(items[at].clone())
    }
}

/// What a history is mostly about, so that some come to where a mixture seldom leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Market,
    Floors,
    Money,
    Members,
}

/// The ways to make an act, and how often each is taken in a history about the market, floors,
/// money and members.
const WAYS: [(Make, [u64; 4]); 30] = [
    (Maker::raw, [5, 4, 4, 5]),
    (Maker::derived, [9, 6, 6, 7]),
    (Maker::diamond, [1, 26, 1, 1]),
    (Maker::offer, [8, 14, 5, 7]),
    (Maker::answer, [8, 16, 5, 7]),
    (Maker::grant_life, [4, 2, 2, 4]),
    (Maker::request, [2, 2, 1, 2]),
    (Maker::intended, [1, 1, 1, 1]),
    (Maker::transfer, [4, 2, 4, 5]),
    (Maker::accept_transfer, [3, 2, 4, 4]),
    (Maker::list, [7, 4, 7, 6]),
    (Maker::review, [4, 2, 4, 4]),
    (Maker::propose, [6, 2, 6, 5]),
    (Maker::contract_life, [10, 4, 13, 9]),
    (Maker::pay, [8, 2, 11, 6]),
    (Maker::refund, [3, 1, 5, 2]),
    (Maker::set_off, [2, 1, 6, 2]),
    (Maker::payout, [6, 2, 11, 6]),
    (Maker::dispute, [5, 1, 10, 5]),
    (Maker::close, [2, 1, 3, 1]),
    (Maker::rare, [4, 2, 4, 4]),
    (Maker::stale, [3, 1, 2, 3]),
    (Maker::relate, [0, 4, 0, 1]),
    (Maker::succession, [0, 1, 1, 4]),
    (Maker::registry, [2, 0, 1, 9]),
    (Maker::access, [1, 0, 1, 6]),
    (Maker::certificate, [1, 0, 4, 2]),
    (Maker::aggregate, [1, 0, 9, 2]),
    (Maker::keys, [1, 1, 1, 6]),
    (Maker::governance, [1, 0, 1, 5]),
];

/// A history of so many acts, and how many of them the model passes.
pub fn history(seed: u64, events: usize) -> (History, u64) {
    let protocol = 1 + (seed % 2) as u32;
    let mut maker = Maker {
        random: Random(seed),
        about: [About::Market, About::Floors, About::Money, About::Members][seed as usize / 2 % 4],
        naive: beginning(protocol),
        serial: 0,
        approves: None,
        intended: Vec::new(),
    };
    let chain = World::new(protocol).chain;
    let mut history = History { protocol, steps: Vec::new() };
    let (mut time_ms, mut passed) = (BEGIN_MS, 0);
    while history.steps.len() < events {
        time_ms += match maker.random.below(70) {
            0 => 1 + maker.random.below(40 * DAY_MS),
            1..=4 => 1 + maker.random.below(DAY_MS),
            _ => 1 + maker.random.below(60_000),
        };
        maker.naive.now = time_ms;
        let made = if maker.random.below(12) == 0 { maker.point() } else { maker.act() };
        time_ms = maker.naive.now;
        let Some((author, event)) = made else { continue };
        maker.serial += 1;
        let approves = maker.approves.take();
        let keys = maker.signing(&author, &event);
        let step = Step { author, event, keys, time_ms, salt: maker.serial, approves };
        passed += u64::from(judge(&mut maker.naive, &chain, &step, passed).is_ok());
        history.steps.push(step);
    }
    (history, passed)
}

struct Maker {
    random: Random,
    about: About,
    naive: Naive,
    serial: u64,
    /// For the approval made last: the act, and who is to do it.
    approves: Option<(Handle, Event)>,
    /// Acts that owners were asked to approve, with their assets.
    intended: Vec<(AssetId, Handle, Event)>,
}

type Made = Option<(Handle, Event)>;
type Make = fn(&mut Maker) -> Made;

impl Maker {
    fn act(&mut self) -> Made {
        if self.random.below(60) == 0 {
            return self.reinstate();
        }
        let about = self.about as usize;
        let all: u64 = WAYS.iter().map(|(_, often)| often[about]).sum();
        let mut at = self.random.below(all);
        let way = WAYS.iter().find(|(_, often)| {
            let here = at < often[about];
            at = at.saturating_sub(often[about]);
            here
        });
        way.expect("the numbers add up").0(self)
    }

    /// A member, rather one of the few who make things.
    fn member(&mut self) -> Handle {
        let few = match self.about {
            About::Floors => &MEMBERS[2..6],
            About::Market | About::Money | About::Members => &MEMBERS[2..7],
        };
        let from = if self.random.in_ten(7) { few } else { &MEMBERS[..] };
        let (name, _) = from[self.random.below(from.len() as u64) as usize];
        let member = handle(name);
        if self.random.in_ten(9) { self.naive.acting(&member) } else { member }
    }

    /// Mostly the member that should, or who acts for him; else any.
    fn or_any(&mut self, should: Handle) -> Handle {
        match self.random.below(24) {
            0 | 1 => self.member(),
            2 => should,
            _ => self.naive.acting(&should),
        }
    }

    fn digest(&mut self) -> Digest {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.random.next().to_le_bytes());
        Digest::Blake3(bytes)
    }

    fn asset(&mut self) -> Option<AssetId> {
        let all: Vec<AssetId> = self.naive.assets.keys().copied().collect();
        self.random.pick(&all)
    }

    fn far(&mut self) -> u64 {
        self.naive.now + (1 + self.random.below(400)) * DAY_MS
    }

    fn purposes(&mut self) -> Vec<Purpose> {
        let count = 1 + self.random.below(3) as usize;
        let mut purposes = PURPOSES[..count].to_vec();
        if self.random.in_ten(2) {
            let wider = [
                Purpose::GeneralResearch,
                Purpose::HealthResearch,
                Purpose::DiseaseResearch,
                Purpose::PopulationResearch,
            ];
            let other = wider[self.random.below(4) as usize];
            if !purposes.contains(&other) {
                purposes[0] = other;
            }
        }
        purposes
    }

    fn asset_event(
        &mut self,
        stage: Stage,
        split: Split,
        derivation: Option<Derivation>,
    ) -> RegisterAsset {
        self.serial += 1;
        let copied = self.naive.assets.values().next().map(|a| a.root);
        let logged: Vec<Digest> = self.naive.outputs.keys().copied().collect();
        let root = match (copied, self.random.pick(&logged)) {
            (Some(root), _) if self.random.below(25) == 0 => root,
            (_, Some(output)) if self.random.below(12) == 0 => output,
            _ => self.digest(),
        };
        let mut metadata = metadata();
        if self.random.in_ten(2) {
            metadata.deidentification = Deidentification::Pseudonymised;
        }
        RegisterAsset {
            name: format!("a{}", self.serial).parse().unwrap(),
            stage,
            revises: None,
            content: Content { root, bytes: 1, records: 1 },
            metadata,
            split,
            consent_based: stage == Stage::Raw && self.random.in_ten(3),
            derivation,
        }
    }

    fn split(&mut self, derived: bool) -> Split {
        let upstream_bp = if derived { 1 + self.random.below(9_000) as u16 } else { 0 };
        let mut left = 10_000 - upstream_bp;
        let mut part = || {
            let bp = (self.random.below(u64::from(left) + 1)) as u16;
            left -= bp;
            bp
        };
        let (holding_bp, processing_bp) = (part(), part());
        Split { holding_bp, processing_bp, operation_bp: left, upstream_bp }
    }

    fn raw(&mut self) -> Made {
        let author = self.member();
        let split = self.split(false);
        let mut e = self.asset_event(Stage::Raw, split, None);
        let own: Vec<AssetId> = self
            .naive
            .assets
            .iter()
            .filter(|(_, a)| a.author == author && a.stage == Stage::Raw)
            .map(|(id, _)| *id)
            .collect();
        if self.random.in_ten(3) {
            e.revises = self.random.pick(&own);
        }
        if e.revises.is_some_and(|old| self.naive.assets[&old].consent_based) {
            e.consent_based |= self.random.in_ten(9);
        }
        Some((author, Event::RegisterAsset(e)))
    }
}

fn metadata() -> Metadata {
    let quality = Quality {
        accuracy: 90,
        completeness: 90,
        consistency: 90,
        timeliness: 90,
        conformity: 90,
        accessibility: 90,
    };
    Metadata {
        format: "text/csv".parse().unwrap(),
        region: "CN-GD".parse().unwrap(),
        period_from_ms: 0,
        period_to_ms: 1,
        classification: Classification::General,
        sensitivity: 2,
        deidentification: Deidentification::Anonymised,
        quality,
    }
}
