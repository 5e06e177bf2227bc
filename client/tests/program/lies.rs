//! The client against nodes that lie. Whatever a node says, nothing is printed that is not proved; a
//! lie ends with exit code 3 and is kept as evidence.

use headwater_ledger::light::LightBlock;
use headwater_ledger::state::Key;
use serde_json::{Value, json};

use crate::served::{FakeNode, Reader, Served, SetOf, TIP, TRACE_DOWN, case, changing, keys};
use crate::world::biopsy_report;

#[test]
fn a_short_quorum_is_caught() {
    let (_, node) = case();
    node.lies(|_, path, _, answer| {
        if path == "/v1/state" {
            let signatures = &mut answer["block"]["certificate"]["signatures"];
            signatures.as_array_mut().unwrap().truncate(2);
        }
    });
    Reader::new().catches(&node, &["status"], "voting power 20 of 40 is not more than two thirds");
    node.lies(|_, path, _, answer| {
        if path == "/v1/state" {
            let signatures = answer["block"]["certificate"]["signatures"].as_array_mut().unwrap();
            signatures[3] = signatures[0].clone();
        }
    });
    Reader::new().catches(&node, &["status"], "signed twice");
}

#[test]
fn a_changed_header_is_caught() {
    let (_, node) = case();
    node.lies(|_, path, _, answer| {
        if path == "/v1/state" {
            answer["block"]["header"]["time_ms"] = json!(1_800_000_000_000u64);
        }
    });
    Reader::new().catches(&node, &["status"], "the certificate is for another block");
}

#[test]
fn validators_of_the_nodes_own_are_caught() {
    let (_, node) = case();
    node.lies(|_, path, _, answer| {
        if path == "/v1/state" {
            let mut block: LightBlock = serde_json::from_value(answer["block"].clone()).unwrap();
            let own = SetOf::new("liar", 4);
            block.header.validators = own.hash();
            block.validators = own.set.validators().to_vec();
            block.certificate = own.certify(&block.header);
            answer["block"] = json!(block);
        }
    });
    // Every height in between is asked for, and none of them announces such a set.
    Reader::new().catches(&node, &["status"], "was decided by validator set");
}

#[test]
fn an_answer_of_another_height_is_caught() {
    let (_, node) = case();
    node.lies(|served, path, request, answer| {
        if path == "/v1/state" && request["height"] == 20 {
            *answer = served.prove(19, &keys(request));
        }
    });
    let asked = ["shares", "insight-co/breast-cancer-report", "--at", "20"];
    Reader::new().catches(&node, &asked, "height 20 was asked for, the answer is of 19");
}

#[test]
fn a_record_of_a_stale_state_is_caught() {
    let (_, node) = case();
    // The first answer fixes the height; the records of the question come from the one before.
    node.lies(|served, path, request, answer| {
        if path == "/v1/state" && request["height"] == TIP {
            let block = answer["block"].clone();
            *answer = served.prove(TIP - 1, &keys(request));
            answer["block"] = block;
        }
    });
    let product = ["statement", "insight-co/breast-cancer-report"];
    Reader::new().catches(&node, &product, "the proof does not lead from the records");
    // With the block it really is of, it is a block that was not asked for.
    node.lies(|served, path, request, answer| {
        if path == "/v1/state" && request["height"] == TIP {
            *answer = served.prove(TIP - 1, &keys(request));
        }
    });
    Reader::new().catches(&node, &product, "the answer rests on another block");
}

#[test]
fn a_node_that_is_behind_is_not_taken_for_the_latest() {
    let (_, node) = case();
    let user = Reader::new();
    user.json(&node, &["status"], 0);
    let mut behind = Served::of(biopsy_report().world);
    behind.height = 12;
    let behind = FakeNode::start(behind);
    let answer = user.json(&behind, &["status"], 1);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("height 12, but height 24 was proved before"), "{message}");
    // Asked for on purpose, an earlier height is proved from genesis on.
    let early = user.json(&behind, &["statement", "patients-fund", "--at", "12"], 0);
    assert_eq!(early["as_of"]["height"], 12);
}

#[test]
fn two_certified_blocks_at_one_height_are_caught() {
    let (_, node) = case();
    let user = Reader::new();
    user.json(&node, &["status"], 0);
    let world = biopsy_report().world;
    let mut block = world.blocks.last().unwrap().clone();
    block.header.time_ms += 1;
    block.certificate = world.certify(TIP, block.header.id().unwrap(), 4);
    node.lies(move |_, path, _, answer| {
        if path == "/v1/state" {
            answer["block"] = json!(block);
        }
    });
    user.catches(&node, &["status"], "was proved at this height before");
}

#[test]
fn a_valid_proof_of_another_key_is_caught() {
    let (_, node) = case();
    let world = biopsy_report().world;
    let chest = Key::Asset(world.asset_id("chest-hospital", "fna-2026"));
    let county = Key::Asset(world.asset_id("county-hospital", "fna-2026"));
    node.lies(move |served, path, request, answer| {
        if path == "/v1/state" && keys(request).contains(&chest) {
            let mut keys = keys(request);
            for key in keys.iter_mut().filter(|key| **key == chest) {
                *key = county.clone();
            }
            *answer = served.prove(TIP, &keys);
        }
    });
    Reader::new().catches(&node, &TRACE_DOWN, "the proof does not lead from the records");
}

#[test]
fn a_flipped_value_is_caught() {
    let (_, node) = case();
    for flip in [
        |value: &mut Value| {
            let mut bytes = hex::decode(value.as_str().unwrap()).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            *value = json!(hex::encode(bytes));
        },
        |value: &mut Value| *value = Value::Null,
    ] {
        node.lies(move |_, path, request, answer| {
            if path == "/v1/state" && !request["height"].is_null() {
                answer["values"].as_array_mut().unwrap().iter_mut().for_each(|value| {
                    if !value.is_null() {
                        flip(value);
                    }
                });
            }
        });
        Reader::new().catches(&node, &TRACE_DOWN, "the proof does not lead from the records");
    }
    node.lies(|_, path, request, answer| {
        if path == "/v1/state" && !request["height"].is_null() {
            answer["values"].as_array_mut().unwrap().pop();
        }
    });
    Reader::new().catches(&node, &TRACE_DOWN, "records were asked for");
}

#[test]
fn a_list_that_is_not_whole_is_caught() {
    let (_, node) = case();
    let lists = |lie: fn(&mut Vec<Value>)| {
        move |_: &Served, path: &str, _: &Value, answer: &mut Value| {
            if path == "/v1/lists" {
                lie(answer["entries"].as_array_mut().unwrap());
            }
        }
    };
    let member = ["statement", "chest-hospital"];
    for (lie, reason) in [
        ((|entries| drop(entries.pop())) as fn(&mut Vec<Value>), "were given after the first"),
        (|entries| entries.push(entries[0].clone()), "2 were given after the first 0"),
        (
            |entries| {
                let mut bytes = hex::decode(entries[0].as_str().unwrap()).unwrap();
                bytes[40] ^= 1;
                entries[0] = json!(hex::encode(bytes));
            },
            "the entries do not hash to the list's root",
        ),
        (
            |entries| {
                let mut bytes = hex::decode(entries[0].as_str().unwrap()).unwrap();
                bytes[0] ^= 1;
                entries[0] = json!(hex::encode(bytes));
            },
            "the entries do not hash to the list's root",
        ),
        (|entries| entries[0] = json!("00"), "an entry of the list is malformed"),
    ] {
        node.lies(lists(lie));
        Reader::new().catches(&node, &member, reason);
    }
    // A node that is ahead has longer lists: only what is of the height asked counts.
    node.lies(lists(|_| {}));
    let early = ["trace", "clean-lab/fna-cleaned", "--down", "--at", "17"];
    let early = Reader::new().json(&node, &early, 0);
    assert_eq!(early["assets"].as_array().unwrap().len(), 1);
}

#[test]
fn a_change_of_the_validators_that_was_never_announced_is_caught() {
    let (a, liar) = (SetOf::new("a", 4), SetOf::new("liar", 4));
    let mut served = changing(&[&a; 9]);
    let taken_over: Vec<&SetOf> = (1..=9).map(|h| if h < 6 { &a } else { &liar }).collect();
    // From height 6 on other validators decide, but block 5 as `a` decided it names `a` as next.
    let forged = changing(&taken_over);
    served.blocks.splice(5.., forged.blocks[5..].iter().cloned());
    let node = FakeNode::start(served);
    Reader::new().catches(&node, &["status"], "block 6 was decided by validator set");
}
