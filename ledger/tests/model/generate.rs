//! Random histories: mostly acts that make sense where the story stands, some that do not.

mod market;
mod rare;
mod rights;

use headwater_ledger::event::Event;
use headwater_ledger::event::asset::{
    Activity, ActivityKind, Classification, Content, Deidentification, Derivation, Input, Metadata,
    Purpose, Quality, RegisterAsset, Stage,
};
use headwater_ledger::event::rights::GrantRight;
use headwater_ledger::hash::{AssetId, Digest, GrantId};
use headwater_ledger::split::{Right, Split};
use headwater_ledger::text::Handle;

use crate::compare::{History, beginning, judge};
use crate::naive::{Naive, Standing};
use crate::world::{BEGIN_MS, MEMBERS, Step, World, handle, list};

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

/// A history of so many acts, and how many of them the model passes.
pub fn history(seed: u64, events: usize) -> (History, u64) {
    let protocol = 1 + (seed % 2) as u32;
    let mut maker = Maker {
        random: Random(seed),
        naive: beginning(protocol),
        serial: 0,
        approves: None,
        intended: Vec::new(),
    };
    let chain = World::new(protocol).chain;
    let mut history = History { protocol, steps: Vec::new() };
    let (mut time_ms, mut passed) = (BEGIN_MS, 0);
    while history.steps.len() < events {
        time_ms += match maker.random.below(40) {
            0 => 1 + maker.random.below(40 * DAY_MS),
            1..=4 => 1 + maker.random.below(DAY_MS),
            _ => 1 + maker.random.below(60_000),
        };
        if maker.random.below(12) == 0 {
            time_ms = maker.boundary(time_ms);
        }
        maker.naive.now = time_ms;
        let Some((author, event)) = maker.act() else { continue };
        maker.serial += 1;
        let approves = maker.approves.take();
        let step = Step { author, event, time_ms, salt: maker.serial, approves };
        passed += u64::from(judge(&mut maker.naive, &chain, &step, passed).is_ok());
        history.steps.push(step);
    }
    (history, passed)
}

struct Maker {
    random: Random,
    naive: Naive,
    serial: u64,
    /// For the approval made last: the act, and who is to do it.
    approves: Option<(Handle, Event)>,
    /// Acts that owners were asked to approve, with their assets.
    intended: Vec<(AssetId, Handle, Event)>,
}

type Made = Option<(Handle, Event)>;

impl Maker {
    fn act(&mut self) -> Made {
        match self.random.below(100) {
            0..=4 => self.raw(),
            5..=13 => self.derived(),
            14..=21 => self.offer(),
            22..=29 => self.answer(),
            30..=33 => self.grant_life(),
            34..=35 => self.request(),
            36 => self.intended(),
            37..=40 => self.transfer(),
            41..=43 => self.accept_transfer(),
            44..=50 => self.list(),
            51..=54 => self.review(),
            55..=60 => self.propose(),
            61..=70 => self.contract_life(),
            71..=78 => self.pay(),
            79..=81 => self.refund(),
            82..=86 => self.set_off().or_else(|| self.payout()),
            87..=88 => self.payout(),
            89..=93 => self.dispute(),
            94..=95 => self.close(),
            _ => self.rare(),
        }
    }

    /// A member, rather one of the few who make things.
    /// The very millisecond at which something begins or ends, if there is one soon.
    fn boundary(&mut self, time_ms: u64) -> u64 {
        let soon = time_ms..time_ms + 60 * DAY_MS;
        let grants = self.naive.grants.values().flat_map(|g| [g.terms.not_before_ms, g.end]);
        let signing = self.naive.contracts.values().map(|c| c.sign_by);
        let all: Vec<u64> = grants.chain(signing).filter(|at| soon.contains(at)).collect();
        self.random.pick(&all).unwrap_or(time_ms)
    }

    fn member(&mut self) -> Handle {
        let from = if self.random.in_ten(6) { &MEMBERS[2..7] } else { &MEMBERS[..] };
        let (name, _) = from[self.random.below(from.len() as u64) as usize];
        handle(name)
    }

    /// Nine times of ten the member that should, else any.
    fn or_any(&mut self, should: Handle) -> Handle {
        if self.random.below(12) > 0 { should } else { self.member() }
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
        PURPOSES[..count].to_vec()
    }

    fn asset_event(
        &mut self,
        stage: Stage,
        split: Split,
        derivation: Option<Derivation>,
    ) -> RegisterAsset {
        self.serial += 1;
        let quality = Quality {
            accuracy: 90,
            completeness: 90,
            consistency: 90,
            timeliness: 90,
            conformity: 90,
            accessibility: 90,
        };
        let copied = self.naive.assets.values().next().map(|a| a.root);
        let root = match copied {
            Some(root) if self.random.below(25) == 0 => root,
            _ => self.digest(),
        };
        RegisterAsset {
            name: format!("a{}", self.serial).parse().unwrap(),
            stage,
            revises: None,
            content: Content { root, bytes: 1, records: 1 },
            metadata: Metadata {
                format: "text/csv".parse().unwrap(),
                region: "CN-GD".parse().unwrap(),
                period_from_ms: 0,
                period_to_ms: 1,
                classification: Classification::General,
                sensitivity: 2,
                deidentification: Deidentification::Anonymised,
                quality,
            },
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
        Some((author, Event::RegisterAsset(e)))
    }

    /// What a member can derive from, with the grant to name.
    fn sources(&self, author: &Handle) -> Vec<(AssetId, Option<GrantId>)> {
        let own = self
            .naive
            .assets
            .keys()
            .filter(|id| self.naive.epoch(id, Right::Processing).manager == *author);
        let granted = self.naive.grants.iter().filter(|(_, g)| {
            g.right == GrantRight::Processing
                && g.grantee == *author
                && matches!(g.standing, Standing::Accepted | Standing::Revoked)
        });
        let mut all: Vec<_> = own.map(|id| (*id, None)).collect();
        all.extend(granted.map(|(id, g)| (g.asset, Some(*id))));
        all
    }

    fn derived(&mut self) -> Made {
        let author = self.member();
        let sources = self.sources(&author);
        let mut inputs: Vec<Input> = Vec::new();
        let mut purposes = self.purposes();
        let mut territory = TERRITORIES[self.random.below(3) as usize].to_owned();
        for _ in 0..=self.random.below(3) {
            let (asset, grant) = self.random.pick(&sources)?;
            if inputs.iter().any(|i| i.asset == asset) && !self.random.in_ten(1) {
                continue;
            }
            let sensible = self.random.in_ten(9);
            if let Some(allowed) = &self.naive.assets[&asset].purposes
                && sensible
            {
                purposes.retain(|p| allowed.contains(p));
            }
            if let Some(grant) = grant.map(|g| &self.naive.grants[&g])
                && sensible
            {
                purposes.retain(|p| grant.terms.purposes.contains(p));
                territory = grant.terms.territories[0].to_string();
            }
            let weight = 1 + self.random.below(1_000);
            inputs.push(Input { asset, weight, grant });
        }
        let stage = if self.random.in_ten(5) { Stage::Product } else { Stage::Processed };
        let early = self.random.below(3) * self.random.below(60 * DAY_MS);
        let from = self.naive.now.saturating_sub(early);
        let activity = Activity {
            kind: ActivityKind::Merging,
            method: Digest::Blake3([7; 32]),
            purposes: list(&purposes),
            territory: territory.parse().unwrap(),
            claimed_from_ms: from,
            claimed_to_ms: from,
            cost: None,
        };
        let derivation = Derivation { inputs: list(&inputs), activity };
        let mut split = self.split(true);
        let alone = inputs.first().filter(|_| inputs.len() == 1).and_then(|input| input.grant);
        let floor_bp = alone.map_or(0, |grant| self.naive.grants[&grant].terms.floor_bp);
        if floor_bp > 0 && self.random.in_ten(4) {
            // Exactly the floor.
            let (holding_bp, upstream_bp) = (10_000 - floor_bp, floor_bp);
            split = Split { holding_bp, processing_bp: 0, operation_bp: 0, upstream_bp };
        }
        let e = self.asset_event(stage, split, Some(derivation));
        Some((author, Event::RegisterAsset(e)))
    }
}
