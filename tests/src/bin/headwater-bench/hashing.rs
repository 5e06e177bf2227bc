//! `headwater hash` on a file in the page cache, beside plain BLAKE3 of the same file.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use headwater_tests::program;
use serde_json::json;

use crate::machine::Limits;
use crate::report::{Report, percentile, quantity};

/// Runs of each; the middle one counts.
const RUNS: usize = 5;

/// Measures and reports.
pub fn measure(folder: &Path, bytes: u64, limits: &Limits, report: &mut Report) -> Result<()> {
    let path = folder.join("content");
    write(&path, bytes)?;
    let program = program("headwater")?;
    let home = folder.join("client");
    let own = || {
        let mut command = Command::new(&program);
        command.arg("--home").arg(&home).arg("hash").arg(&path);
        finish(command)
    };
    let b3sum = Command::new("b3sum").arg("--version").output().is_ok_and(|o| o.status.success());
    let plain = || {
        if b3sum {
            let mut command = Command::new("b3sum");
            command.arg(&path);
            return finish(command);
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_mmap_rayon(&path)?;
        black_box(hasher.finalize());
        Ok(())
    };
    let (mut own_s, mut plain_s) = (Vec::new(), Vec::new());
    plain()?;
    for _ in 0..RUNS {
        own_s.push(timed(own)?);
        plain_s.push(timed(plain)?);
    }
    fs::remove_file(&path)?;
    let gb_per_s = |samples: &mut [f64]| bytes as f64 / 1e9 / percentile(samples, 0.5);
    let (own, plain) = (gb_per_s(&mut own_s), gb_per_s(&mut plain_s));
    let beside = if b3sum { "b3sum" } else { "blake3 crate, mmap and rayon" };
    report.section("committing to content");
    let what = format!("headwater hash, {} MiB in the page cache", bytes >> 20);
    report.against(&what, quantity(own, "GB/s"), beside, quantity(plain, "GB/s"));
    report.json(
        "hash",
        json!({
            "file_bytes": bytes,
            "headwater_hash_gb_per_s": own,
            "plain_blake3_gb_per_s": plain,
            "plain_blake3_by": beside,
            "ratio_to_plain_blake3": own / plain,
            "blake3_gb_per_s_one_core": limits.blake3_bytes_per_s / 1e9,
        }),
    );
    Ok(())
}

/// A file that is on the disk and in the page cache.
fn write(path: &Path, bytes: u64) -> Result<()> {
    let mut file = File::create(path)?;
    let mut random = blake3::Hasher::new().finalize_xof();
    let mut piece = vec![0; 1 << 20];
    random.fill(&mut piece);
    for n in 0..bytes >> 20 {
        piece[..8].copy_from_slice(&n.to_le_bytes());
        file.write_all(&piece)?;
    }
    // Written back now, and not while hashing is timed.
    file.sync_all().context("cannot write the file to hash")
}

fn finish(mut command: Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed().as_secs_f64())
}
