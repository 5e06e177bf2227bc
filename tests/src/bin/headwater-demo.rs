//! The demonstration: four validators record a product's lineage, rights and sale; the client
//! traces it and shows who is owed what. Run it with `scripts/demo`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use headwater_tests::demo::{self, Options};

/// Play a product's life on a four-validator network on this machine.
#[derive(Parser)]
struct Arguments {
    /// Leave the network running and say how to talk to it
    #[arg(long)]
    keep: bool,
    /// Write the machine-readable result to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Records to use instead of the ones that come with Headwater
    #[arg(long, value_name = "CSV")]
    data: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let options = Options {
        keep: arguments.keep,
        json: arguments.json,
        data: arguments.data.unwrap_or_else(demo::vendored_data),
    };
    match demo::run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            eprintln!(
                "hint: nothing of it is left running; run it again with RUST_LOG=debug to see more"
            );
            ExitCode::FAILURE
        }
    }
}
