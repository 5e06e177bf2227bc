//! Questions about the past: by height and by time, and while a node makes a state again.

use std::sync::atomic::Ordering::Relaxed;

use headwater_client::show;

use crate::members::Members;
use crate::served::{FakeNode, Reader, Served, case};
use crate::world::biopsy_report;

fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

#[test]
fn a_time_names_the_last_block_up_to_it() {
    let served = Served::of(biopsy_report().world);
    let times: Vec<u64> = served.blocks.iter().map(|b| b.header.time_ms).collect();
    let node = FakeNode::start(served);
    let user = Reader::new();
    let height = |time: &str| {
        let asked = ["statement", "chest-hospital", "--at-time", time];
        user.json(&node, &asked, 0)["as_of"]["height"].as_u64().unwrap()
    };
    for at in [1usize, 2, 7, 16, 23, 24] {
        let time = times[at - 1];
        assert_eq!(height(&time.to_string()), at as u64);
        let end = times.get(at).map_or(time, |next| next - 1);
        assert_eq!(height(&end.to_string()), at as u64);
    }
    // A day is asked about up to its end: as of the day of block 7 its last block counts.
    let day = &show::time(times[6])[..10];
    let same_day = times.iter().filter(|time| show::time(**time).starts_with(day)).count();
    assert_eq!(height(day), same_day as u64);
    let second = show::time(times[6]).replace(' ', "T").replace("TUTC", "Z");
    let until = times.iter().filter(|time| **time / 1_000 * 1_000 <= times[6] / 1_000 * 1_000);
    assert!(until.count() as u64 >= height(&second) && height(&second) <= 7, "{second}");
}

#[test]
fn a_time_before_the_chain_or_still_to_come_is_refused() {
    let served = Served::of(biopsy_report().world);
    let first = served.blocks[0].header.time_ms;
    let last = served.blocks[23].header.time_ms;
    let node = FakeNode::start(served);
    let user = Reader::new();
    let refused = |time: u64| {
        let time = time.to_string();
        user.json(&node, &["status"], 0);
        let asked = ["--node", &node.url, "statement", "chest-hospital", "--at-time", &time];
        user.0.errs(&asked, "not_found")
    };
    let early = refused(first - 1);
    assert!(early["message"].as_str().unwrap().starts_with("the first block is of"), "{early}");
    assert!(early["hint"].as_str().unwrap().contains("--at 1"), "{early}");
    let late = refused(now_ms().max(last) + 3_600_000);
    assert!(late["message"].as_str().unwrap().contains("is still to come"), "{late}");
    assert!(late["hint"].as_str().unwrap().contains("leave --at-time out"), "{late}");
}

#[test]
fn a_time_after_the_latest_block_is_answered_unless_it_is_still_to_come() {
    let user = Members::new();
    let ask = |time: u64| {
        let time = time.to_string();
        user.json(&["statement", "clinic", "--at-time", &time], 0)["as_of"]["height"].clone()
    };
    assert_eq!(ask(now_ms()), 1);
    user.node.chain.lock().unwrap().tick();
    user.node.chain.lock().unwrap().tick();
    std::thread::sleep(std::time::Duration::from_millis(10));
    assert_eq!(ask(now_ms()), 3);
    // The chain's own clock may be ahead of this one.
    user.node.chain.lock().unwrap().ahead_ms = 600_000;
    user.node.chain.lock().unwrap().tick();
    let times = user.node.chain.lock().unwrap().times();
    assert_eq!(ask(times[3]), 4);
    let to_come = (times[3] + 1).to_string();
    user.errs(&["statement", "clinic", "--at-time", &to_come], "not_found");
}

#[test]
fn a_node_that_hides_its_last_blocks_does_not_pass_off_an_earlier_one() {
    let (_, node) = case();
    let user = Reader::new();
    user.json(&node, &["status"], 0);
    let mut behind = Served::of(biopsy_report().world);
    behind.height = 12;
    let time = behind.blocks[23].header.time_ms.to_string();
    let early = behind.blocks[10].header.time_ms.to_string();
    let behind = FakeNode::start(behind);
    let ask = |time| ["--node", &behind.url, "statement", "patients-fund", "--at-time", time];
    let error = user.0.errs(&ask(&time), "node");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("height 12, but height 24 was proved before"), "{message}");
    // What it does not hide is answered.
    assert_eq!(user.0.json(&ask(&early), 0)["as_of"]["height"], 11);
}

#[test]
fn a_state_that_a_node_makes_again_is_waited_for() {
    let served = Served::of(biopsy_report().world);
    served.rebuilding.store(2, Relaxed);
    let node = FakeNode::start(served);
    let output = Reader::new().run(&node, &["statement", "chest-hospital", "--at", "7", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.matches("makes the state of that height again").count(), 1, "{told}");
}

#[test]
fn a_height_that_no_block_has_is_told_in_the_words_of_this_program() {
    let (_, node) = case();
    let user = Reader::new();
    user.json(&node, &["status"], 0);
    let asked = ["--node", &node.url, "statement", "chest-hospital", "--at", "25"];
    let error = user.0.errs(&asked, "node");
    assert!(error["hint"].as_str().unwrap().starts_with("`headwater status` shows"), "{error}");
}
