//! The stories of `tests/scenarios`, which run on the rules in memory, on networks of four nodes:
//! every step comes out the same, and every node ends with the state root that memory has.
//!
//! A story without governance has its validators filled up to four, since nothing in it depends on
//! them; one with governance has its own, and followers. Blocks are made when the story needs them.
//!
//! A story of more than [`MAX_HEIGHT`] blocks is told in memory only, by another test.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use headwater_ledger::codec::List;
use headwater_ledger::event::member::Role;
use headwater_ledger::genesis::Genesis;
use headwater_ledger::scenario::{Report, Scenario, Target as _, signing_key};
use headwater_ledger::validator::Validator;

use crate::support::admit;
use crate::target::{NetworkTarget, Rehearsal, consensus_keys};

/// Most blocks of a story that is told on a network.
const MAX_HEIGHT: u64 = 500;
/// Stories at the same time.
const AT_ONCE: usize = 2;
/// The story in whose middle a node is restarted.
const RESTARTED: &str = "market/demo.scenario";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "scenario") {
            found.push(path);
        }
    }
}

/// The same world with four validators at least.
fn filled_up(genesis: Genesis) -> Genesis {
    let (mut members, mut validators) = (genesis.members.to_vec(), genesis.validators.to_vec());
    for n in validators.len()..4 {
        let name = format!("validator-{n}");
        let member = admit(&name, Role::Exchange);
        let key = signing_key(&member.handle, "validator").public_key();
        validators.push(Validator { member: member.handle.clone(), key, power: 10 });
        members.push(member);
    }
    let members = List::new(members).unwrap();
    Genesis { members, validators: List::new(validators).unwrap(), ..genesis }
}

fn failures(report: &Report) -> Vec<String> {
    report.failures.iter().map(|f| format!("{}: {f}", report.file)).collect()
}

/// Tells a story in memory and on a network; gives what came out otherwise.
fn compare(path: &Path) -> Result<String, Vec<String>> {
    let name = path.strip_prefix(folder()).unwrap().display().to_string();
    let text = std::fs::read_to_string(path).unwrap();
    let story = Scenario::parse(&name, &text)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let own = story.genesis().unwrap();
    let mut rehearsal = Rehearsal::new(&own);
    story.run_on(&mut rehearsal);
    let genesis =
        if rehearsal.governs || text.contains("validator") { own } else { filled_up(own) };
    let keys = consensus_keys(&genesis, &rehearsal.proposed);
    let mut rehearsal = Rehearsal::new(&genesis);
    let expected = story.run_on(&mut rehearsal);
    let blocks = rehearsal.height();
    if blocks > MAX_HEIGHT {
        return Ok(format!("left out, it has {blocks} blocks"));
    }

    let middle = path.ends_with(RESTARTED).then_some(blocks / 2);
    let mut target = NetworkTarget::new(genesis, &keys, middle);
    let report = story.run_on(&mut target);
    let (height, root) = target.finish();
    let mut wrong = failures(&report);
    if report != expected {
        wrong.extend(failures(&expected).iter().map(|f| format!("in memory: {f}")));
    }
    // After a restart the network makes a block of its own.
    if middle.is_none() && (height, Some(&root)) != (blocks, rehearsal.roots.get(&height)) {
        wrong.push(format!("{name}: height {height}, root {root}; in memory height {blocks}"));
    }
    if wrong.is_empty() { Ok(format!("{blocks} blocks")) } else { Err(wrong) }
}

#[test]
fn every_story_comes_out_on_four_nodes_as_in_memory() {
    let mut found = Vec::new();
    files(&folder(), &mut found);
    found.sort();
    let (left, wrong) = (Mutex::new(found), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                // The lock is not held while a story is told.
                let next = || left.lock().unwrap().pop();
                while let Some(path) = next() {
                    let begun = Instant::now();
                    let shown = path.strip_prefix(folder()).unwrap().display();
                    match compare(&path) {
                        Ok(told) => println!("{shown}: {told}, {:.1?}", begun.elapsed()),
                        Err(found) => wrong.lock().unwrap().extend(found),
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} steps came out otherwise:\n{}", wrong.len(), wrong.join("\n"));
}
