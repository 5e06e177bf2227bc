//! `cargo run --release -p headwater-ledger --example attribution_vectors -- FILE` plays a file of
//! attribution vectors through the rules and compares every answer.

use std::process::ExitCode;

#[path = "support/attribution_vectors.rs"]
mod vectors;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(path), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: attribution_vectors FILE");
        return ExitCode::from(2);
    };
    let played = std::fs::read_to_string(&path)
        .map_err(|e| format!("cannot be read: {e}"))
        .and_then(|json| vectors::play_file(&json));
    match played {
        Ok(cases) => {
            println!("{cases} cases, {cases} agree");
            ExitCode::SUCCESS
        }
        Err(difference) => {
            eprintln!("{}: {difference}", path.to_string_lossy());
            ExitCode::FAILURE
        }
    }
}
