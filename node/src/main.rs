//! `headwater-node`: see `headwater-node --help`.

fn main() -> std::process::ExitCode {
    headwater_node::commands::run()
}
