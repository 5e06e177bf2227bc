//! Which events append to which list, as the stories in `tests/scenarios` show it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use headwater_ledger::envelope::SignedEnvelope;
use headwater_ledger::execute::{BlockContext, Execution};
use headwater_ledger::hash::ChainId;
use headwater_ledger::reject::Fault;
use headwater_ledger::scenario::names::AnyLists;
use headwater_ledger::scenario::{LedgerTarget, Scenario, Target, Verdict};

use crate::source;

/// The ledger's rules in memory, watched: for each list the events that append to it.
struct Watched {
    target: LedgerTarget,
    appends: BTreeMap<String, BTreeSet<&'static str>>,
}

impl Watched {
    /// Of an envelope with one event, what is appended is that event's doing.
    fn watch(&mut self, envelope: &SignedEnvelope) -> Result<(), Fault> {
        let Ok(verified) = envelope.clone().verify() else { return Ok(()) };
        let [event] = verified.events() else { return Ok(()) };
        let (chain_id, time_ms) = (self.chain_id(), self.next_ms());
        let context = BlockContext { chain_id, height: self.height() + 1, time_ms };
        let mut execution = Execution::begin(self.target.state(), context)?;
        let Ok(effects) = execution.apply(&verified) else { return Ok(()) };
        for appended in &effects.appended {
            let relation = format!("{:?}", appended.relation);
            let list = relation.split('(').next().unwrap_or_default().to_owned();
            self.appends.entry(list).or_default().insert(event.name());
        }
        Ok(())
    }
}

impl Target for Watched {
    fn chain_id(&self) -> ChainId {
        self.target.chain_id()
    }
    fn height(&self) -> u64 {
        self.target.height()
    }
    fn time_ms(&self) -> u64 {
        self.target.time_ms()
    }
    fn next_ms(&self) -> u64 {
        self.target.next_ms()
    }
    fn submit(&mut self, envelope: SignedEnvelope) -> Result<Verdict, Fault> {
        self.watch(&envelope)?;
        self.target.submit(envelope)
    }
    fn pass_until(&mut self, time_ms: u64) -> Result<(), Fault> {
        self.target.pass_until(time_ms)
    }
    fn pass_blocks(&mut self, count: u64) -> Result<(), Fault> {
        self.target.pass_blocks(count)
    }
    fn lists(&self) -> &dyn AnyLists {
        self.target.lists()
    }
    fn past(&self, height: u64) -> Result<(u64, Box<dyn AnyLists + '_>), Fault> {
        self.target.past(height)
    }
}

/// The stories in a folder and below.
fn stories(folder: &Path, found: &mut Vec<Scenario>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            stories(&path, found);
        } else if path.extension().is_some_and(|e| e == "scenario") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push(Scenario::parse(&path.display().to_string(), &text).unwrap());
        }
    }
}

/// A row for each of the lists, in this order, with the events that append to it in theirs.
pub fn rows<'a>(lists: impl Iterator<Item = &'a str>, events: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    stories(&source::root().join("tests/scenarios"), &mut found);
    let mut appends: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for story in found {
        let target = LedgerTarget::new(&story.genesis().unwrap()).unwrap();
        let mut watched = Watched { target, appends: BTreeMap::new() };
        story.run_on(&mut watched);
        for (list, by) in watched.appends {
            appends.entry(list).or_default().extend(by);
        }
    }
    let mut rows = vec!["| list | appended by |".to_owned(), "|---|---|".to_owned()];
    for list in lists {
        let by = appends.get(list).unwrap_or_else(|| panic!("no story appends to {list}"));
        let names: Vec<String> =
            events.iter().filter(|e| by.contains(**e)).map(|e| format!("`{e}`")).collect();
        let all = names.len() == events.len();
        rows.push(format!("| `{list}` | {} |", if all { "all".into() } else { names.join(", ") }));
    }
    rows
}
