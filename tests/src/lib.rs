//! A cluster of real nodes on loopback and a client to drive it, for end-to-end tests, the
//! demonstration and the benchmark.

pub mod client;
pub mod cluster;
pub mod demo;
pub mod node;
pub mod writers;

pub use client::Client;
pub use cluster::Cluster;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// The program of this name, built beside the running one.
pub fn program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program has no path")?;
    let mut folder = own.parent().context("this program is in no folder")?;
    if folder.ends_with("deps") {
        folder = folder.parent().context("deps is in no folder")?;
    }
    let path = folder.join(name);
    if !path.exists() {
        bail!("{} is missing: run `cargo build --release --workspace` first", path.display());
    }
    Ok(path)
}
