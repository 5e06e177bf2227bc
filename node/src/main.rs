//! `headwater-node`: see `headwater-node --help`.

/// The state is millions of small allocations: see docs/adr/0007-allocator.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    headwater_node::commands::run()
}
