//! The attribution vectors, and proof that the comparison notices a change of any answer.

#[path = "../examples/support/attribution_vectors.rs"]
mod vectors;

const FILE: &str = include_str!("vectors/attribution.json");

#[test]
fn every_attribution_vector_agrees() {
    assert_eq!(vectors::play_file(FILE), Ok(30));
}

/// Adds one to every number of the answers in turn and expects the comparison to fail.
#[test]
fn a_change_of_any_expected_answer_is_noticed() {
    let file: serde_json::Value = serde_json::from_str(FILE).unwrap();
    let mut changed = 0;
    for case in file.as_array().unwrap() {
        let mut pointers = Vec::new();
        collect_answers(&case["expect"], "/expect".into(), &mut pointers);
        for pointer in &pointers {
            let mut other = case.clone();
            let answer = other.pointer_mut(pointer).unwrap();
            *answer = match &*answer {
                serde_json::Value::String(units) => {
                    (units.parse::<u64>().unwrap() + 1).to_string().into()
                }
                number => (number.as_u64().unwrap() + 1).into(),
            };
            let json = serde_json::to_string(&[other]).unwrap();
            let error = vectors::play_file(&json).expect_err(pointer);
            assert!(error.starts_with(&format!("seed {}: ", case["seed"])), "{error}");
            assert!(error.contains("expected "), "{error}");
            changed += 1;
        }
    }
    assert!(changed >= 2_000, "only {changed} answers were changed");
}

fn collect_answers(value: &serde_json::Value, at: String, pointers: &mut Vec<String>) {
    match value {
        serde_json::Value::Number(_) => pointers.push(at),
        serde_json::Value::String(_) if at.ends_with("/units") => pointers.push(at),
        serde_json::Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                collect_answers(item, format!("{at}/{i}"), pointers);
            }
        }
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                collect_answers(field, format!("{at}/{name}"), pointers);
            }
        }
        _ => {}
    }
}

#[test]
fn a_file_that_makes_no_sense_gets_a_sentence() {
    let raw = r#"{"register":{"asset":"a","author":"p","split":{"holding":10000,"processing":0,"operation":0,"upstream":0},"inputs":[]}}"#;
    let pay = r#"{"pay":{"id":"n","product":"a","currency":"C","gross":5,"tax":0,"fee_bp":0,"exchange":"x"}}"#;
    let nothing = r#"{"schedules":{},"accounts":[],"payment_lines":{}}"#;
    for (steps, expected) in [
        (format!("{raw},{raw}"), "seed 7: step 1: asset a is registered twice"),
        (pay.to_owned(), "seed 7: step 0: payment n is for the unknown product a"),
        (format!("{raw},{pay},{pay}"), "seed 7: step 2: payment n is recorded twice"),
        (
            format!("{raw},{}", pay.replace("\"tax\":0", "\"tax\":6")),
            "seed 7: step 1: payment n: tax above gross or fee above 10000 bp",
        ),
        (
            raw.replace("10000", "9900"),
            "seed 7: step 0: asset a: shares add up to 9900 bp, expected 10000",
        ),
        (
            r#"{"refund":{"payment":"n","net":1,"fee":0,"tax":0}}"#.into(),
            "seed 7: step 0: refund of the unknown payment n",
        ),
        (
            format!("{raw},{pay},{}", r#"{"refund":{"payment":"n","net":6,"fee":0,"tax":0}}"#),
            "seed 7: step 2: refund of more than remains of payment n",
        ),
        (
            format!("{raw},{}", r#"{"transfer":{"asset":"a","right":"holding","owners":[]}}"#),
            "seed 7: step 1: the owners have 0 parts, expected 10000",
        ),
        (format!("{raw},{pay}"), "seed 7: schedules: expected none, got a"),
    ] {
        let json = format!(r#"[{{"seed":7,"steps":[{steps}],"expect":{nothing}}}]"#);
        assert_eq!(vectors::play_file(&json), Err(expected.to_owned()));
    }
    for json in ["", "{}", "[1]", "[{\"seed\":-1}]", "\u{0}"] {
        let error = vectors::play_file(json).unwrap_err();
        assert!(error.starts_with("this is not a file of vectors: "), "{error}");
    }
}
