//! A history as a scenario file, which `headwater-node scenario` runs.

use headwater_ledger::event::Event;
use headwater_ledger::scenario::names::{Context, Names, Seen};
use headwater_ledger::scenario::render;
use headwater_ledger::text::Handle;

use crate::compare::{History, judge};
use crate::naive::beginning;
use crate::world::{self, BEGIN_MS, Step, World};

/// The history as a scenario in which every step comes out as the model says.
pub fn scenario(history: &History) -> String {
    let mut text = world::beginning(history.protocol);
    let (mut world, mut naive) = (World::new(history.protocol), beginning(history.protocol));
    let mut names = Names::default();
    let mut seq = 0;
    for (place, step) in history.steps.iter().enumerate() {
        let chain = world.chain;
        let verdict = judge(&mut naive, &chain, step, seq);
        let line = line(step, &world, &names);
        let (id, asset) = World::ids(&chain, step);
        let named = match (step.event.makes(), &step.event) {
            (Some(_), Event::RegisterAsset(e)) => {
                names.show_asset(&asset.unwrap(), &step.author, &e.name.to_string());
                String::new()
            }
            (Some(what), _) => {
                let name = format!("{what}-{}", place + 1);
                names.give(&name, what, id);
                format!(" as {name}")
            }
            (None, _) => String::new(),
        };
        let expected = match verdict {
            Ok(()) => "ok".into(),
            Err(code) => format!("reject {}", code.name()),
        };
        text.push_str(&format!("at @{}\n{line}{named} -> {expected}\n", step.time_ms));
        // Where the two differ the story ends.
        if world.submit(step).is_ok() {
            seq += 1;
        }
    }
    text
}

fn line(step: &Step, world: &World, names: &Names) -> String {
    let context = |author: &Handle| Context {
        chain: world.chain,
        author: author.clone(),
        start_ms: BEGIN_MS,
        now_ms: step.time_ms,
        height: world.height + 1,
        names,
        seen: Seen(Some(world)),
        keys_of: std::cell::RefCell::new(None),
    };
    let keys = step.keys.join(", ");
    if let Some((by, act)) = &step.approves {
        let act = render::act(act, &context(by)).unwrap();
        let Event::ApproveAct(e) = &step.event else { panic!("only acts are approved") };
        let asset = names.of(e.asset.digest()).map_or(e.asset.to_string(), str::to_owned);
        let head = format!("as {} with key {keys}", step.author);
        return format!("{head}: approve about {asset} for {by}: {act}");
    }
    let act = render::act(&step.event, &context(&step.author)).unwrap();
    format!("as {} with key {keys}: {act}", step.author)
}
