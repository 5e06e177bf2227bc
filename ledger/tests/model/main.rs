//! Random histories through the ledger and through the naive model: every verdict and every answer
//! must be the same, and the laws of money must hold after every event.
//!
//! `HEADWATER_MODEL_EVENTS` says how many events at least (100 000 by default),
//! `HEADWATER_MODEL_SEED` begins elsewhere, or replays one history. A difference prints the seed of
//! its history and the shortest history found that still differs, as a scenario.

#![allow(
    clippy::disallowed_methods,
    reason = "the environment says how long to run, not what is right"
)]

mod access;
mod aggregate;
mod answers;
mod apply;
mod asset;
mod certificate;
mod compare;
mod dispute;
mod generate;
mod governance;
mod grant;
mod in_force;
mod keys;
mod market;
mod members;
mod money;
mod naive;
mod records;
mod registration;
mod request;
mod rights;
mod share;
mod story;
mod world;

use std::collections::BTreeMap;

use headwater_ledger::scenario::Scenario;

use compare::{Difference, History, check, shorten};

/// Events of one history.
const EVENTS: usize = 220;
/// Histories of the standard run begin here.
const FIRST_SEED: u64 = 2026;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn tell(seed: u64, history: &History, difference: &Difference) -> String {
    let (short, difference) = shorten(history, difference);
    let text = story::scenario(&short);
    format!("seed {seed}: {difference}\n\nshortest history found, as a scenario:\n\n{text}")
}

/// How often each kind of event was recorded and refused, and each code given.
#[derive(Default)]
struct Counts {
    kinds: BTreeMap<&'static str, (u64, u64)>,
    codes: BTreeMap<&'static str, u64>,
}

impl Counts {
    fn add(&mut self, history: &History) {
        for (step, verdict) in compare::verdicts(history) {
            let kind = self.kinds.entry(step.event.name()).or_default();
            match verdict {
                Ok(()) => kind.0 += 1,
                Err(code) => {
                    kind.1 += 1;
                    *self.codes.entry(code.name()).or_default() += 1;
                }
            }
        }
    }

    fn print(&self) {
        for (kind, (recorded, refused)) in &self.kinds {
            println!("{kind:28} {recorded:7} recorded {refused:7} refused");
        }
        for (code, times) in &self.codes {
            println!("{code:28} {times:7}");
        }
        println!("{} kinds of events, {} codes", self.kinds.len(), self.codes.len());
    }
}

#[test]
fn the_ledger_and_the_naive_model_agree_on_every_verdict_and_every_answer() {
    let wanted = number("HEADWATER_MODEL_EVENTS").unwrap_or(100_000);
    let first = number("HEADWATER_MODEL_SEED").unwrap_or(FIRST_SEED);
    let (mut seed, mut events, mut recorded) = (first, 0, 0);
    let mut counts = Counts::default();
    while events < wanted {
        let (history, passed) = generate::history(seed, EVENTS);
        if let Some(difference) = check(&history) {
            panic!("{}", tell(seed, &history, &difference));
        }
        counts.add(&history);
        events += history.steps.len() as u64;
        recorded += passed;
        seed += 1;
    }
    if std::env::var_os("HEADWATER_MODEL_VERBOSE").is_some() {
        counts.print();
    }
    println!("{events} events, {recorded} recorded, seeds {first} to {}", seed - 1);
    assert!(recorded * 2 > events, "most events are meant to pass: {recorded} of {events}");
    if events >= 20_000 {
        let never: Vec<_> = counts.kinds.iter().filter(|(_, n)| n.0 == 0).map(|k| k.0).collect();
        assert!(never.is_empty(), "never recorded: {never:?}");
    }
}

/// A counterexample is worth something only when others can run it.
#[test]
fn the_scenario_of_a_history_gives_the_same_verdicts() {
    for seed in [1, 2] {
        let (history, _) = generate::history(seed, EVENTS);
        let text = story::scenario(&history);
        let scenario = match Scenario::parse("history", &text) {
            Ok(scenario) => scenario,
            Err(mistakes) => panic!("{}\n{text}", mistakes[0]),
        };
        let report = scenario.run();
        assert_eq!(report.failures.first(), None, "{text}");
        assert_eq!(report.as_expected, history.steps.len());
    }
}
