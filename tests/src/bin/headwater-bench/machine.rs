//! The machine and its own limits: what no ledger on it can exceed.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use headwater_ledger::keys::{Signature, SigningKey};
use serde_json::{Value, json};

use crate::report::{Report, percentile, quantity};

/// Bytes of the messages whose signatures are checked: an envelope with one small event.
const MESSAGE_BYTES: usize = 304;
/// Bytes appended before each fdatasync.
const RECORD_BYTES: usize = 1_024;
/// Bytes hashed at a time: they stay in the cache, as the pieces that are read of a file do.
const PIECE_BYTES: usize = 128 << 10;

/// What the machine is.
pub struct Machine {
    /// Processors that this process may use.
    pub cores: usize,
    cpu_model: String,
    kernel: String,
    memory_mib: u64,
    load_average: f64,
}

fn field_of(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().into())
}

impl Machine {
    /// Reads what the kernel says of it. Must be called before anything is measured, for the load
    /// average to be that of others.
    pub fn read() -> Self {
        let unknown = || "unknown".to_string();
        let kib = field_of("/proc/meminfo", "MemTotal");
        let kib = kib.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        let load = fs::read_to_string("/proc/loadavg").ok();
        let load = load.and_then(|text| text.split(' ').next()?.parse().ok());
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu_model: field_of("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| unknown(), |text| text.trim().into()),
            memory_mib: kib.unwrap_or(0) >> 10,
            load_average: load.unwrap_or(0.0),
        }
    }

    /// For the document.
    pub fn json(&self) -> Value {
        json!({
            "cores": self.cores,
            "cpu_model": self.cpu_model,
            "architecture": std::env::consts::ARCH,
            "kernel": self.kernel,
            "memory_mib": self.memory_mib,
            "load_average_before": self.load_average,
        })
    }

    /// For people.
    pub fn sentence(&self) -> String {
        format!(
            "{} cores of {} ({}), {} MiB, Linux {}; load average before: {:.2}",
            self.cores,
            self.cpu_model,
            std::env::consts::ARCH,
            self.memory_mib,
            self.kernel,
            self.load_average
        )
    }
}

/// The machine's own limits.
pub struct Limits {
    /// Ed25519 signatures checked by one core in a second.
    pub ed25519_verifications_per_s: f64,
    /// Appends of a KiB with fdatasync in a second, one after the other.
    pub fsyncs_per_s: f64,
    /// The middle one of them, in milliseconds.
    pub fsync_p50_ms: f64,
    /// BLAKE3 by one core, in bytes a second.
    pub blake3_bytes_per_s: f64,
}

impl Limits {
    /// Measures each for so many seconds, the disk in the folder that the nodes use.
    pub fn measure(folder: &Path, seconds: f64) -> Result<Self> {
        let time = Duration::from_secs_f64(seconds);
        let (fsyncs_per_s, fsync_p50_ms) = fsyncs(folder, time)?;
        Ok(Limits {
            ed25519_verifications_per_s: verifications(time),
            fsyncs_per_s,
            fsync_p50_ms,
            blake3_bytes_per_s: blake3_of_pieces(time),
        })
    }

    /// Reports them.
    pub fn report(&self, machine: &Machine, report: &mut Report) {
        report.section("this machine");
        let verifications = self.ed25519_verifications_per_s;
        report.line("Ed25519 verifications, one core", quantity(verifications, "/s"));
        report.line("appends of 1 KiB with fdatasync", quantity(self.fsyncs_per_s, "/s"));
        report.line("one of them, median", quantity(self.fsync_p50_ms, "ms"));
        report.line("BLAKE3, one core", quantity(self.blake3_bytes_per_s / 1e9, "GB/s"));
        report.json(
            "limits",
            json!({
                "cores": machine.cores,
                "ed25519_message_bytes": MESSAGE_BYTES,
                "ed25519_verifications_per_s_one_core": verifications,
                "fsync_record_bytes": RECORD_BYTES,
                "fsyncs_per_s": self.fsyncs_per_s,
                "fsync_p50_ms": self.fsync_p50_ms,
                "blake3_gb_per_s_one_core": self.blake3_bytes_per_s / 1e9,
            }),
        );
    }
}

/// Calls `work` again and again for a time; gives calls a second.
pub fn rate(time: Duration, mut work: impl FnMut()) -> f64 {
    work();
    let (started, mut calls) = (Instant::now(), 0u64);
    while started.elapsed() < time {
        work();
        calls += 1;
    }
    calls as f64 / started.elapsed().as_secs_f64()
}

fn verifications(time: Duration) -> f64 {
    let signed: Vec<(SigningKey, Vec<u8>, Signature)> = (0..64u8)
        .map(|n| {
            let (key, message) = (SigningKey::from_seed(&[n; 32]), vec![n; MESSAGE_BYTES]);
            let signature = key.sign(&message);
            (key, message, signature)
        })
        .collect();
    let keys: Vec<_> = signed.iter().map(|(key, ..)| key.public_key()).collect();
    let mut turn = 0;
    rate(time, || {
        let (_, message, signature) = &signed[turn % 64];
        assert!(black_box(&keys[turn % 64]).verify(message, signature));
        turn += 1;
    })
}

fn fsyncs(folder: &Path, time: Duration) -> Result<(f64, f64)> {
    let path = folder.join("fsyncs");
    let mut file = File::create(&path)?;
    let mut samples = Vec::new();
    let started = Instant::now();
    while started.elapsed() < time {
        let begun = Instant::now();
        file.write_all(&[7; RECORD_BYTES])?;
        file.sync_data()?;
        samples.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let per_s = samples.len() as f64 / started.elapsed().as_secs_f64();
    fs::remove_file(&path)?;
    Ok((per_s, percentile(&mut samples, 0.5)))
}

fn blake3_of_pieces(time: Duration) -> f64 {
    let piece = vec![9u8; PIECE_BYTES];
    let mut hasher = blake3::Hasher::new();
    let per_s = rate(time, || {
        hasher.update(black_box(&piece));
    });
    black_box(hasher.finalize());
    per_s * PIECE_BYTES as f64
}
