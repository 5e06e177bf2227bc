//! Speed of commitments beside plain BLAKE3 over the same file, in turns in one run.
//!
//! `cargo run --release --example hash_speed -- FILE [ROUNDS]`; the file should fit in memory twice.

use std::path::Path;
use std::time::Instant;

use headwater_client::commitment::{Lines, Source};
use headwater_ledger::commitment::ContentSalt;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("expected a file")?;
    let rounds: usize = arguments.next().as_deref().unwrap_or("5").parse()?;
    let source = Source::scan(Path::new(&path))?;
    let salt = ContentSalt::from_bytes([7; 32]);
    let mut best = [f64::MAX; 4];
    for _ in 0..=rounds {
        let mut time = |at: usize, run: &dyn Fn() -> Result<(), Box<dyn std::error::Error>>| {
            let start = Instant::now();
            run()?;
            best[at] = best[at].min(start.elapsed().as_secs_f64());
            Ok::<(), Box<dyn std::error::Error>>(())
        };
        time(0, &|| {
            blake3::Hasher::new().update_mmap_rayon(&path)?.finalize();
            Ok(())
        })?;
        time(1, &|| {
            blake3::Hasher::new().update_reader(std::fs::File::open(&path)?)?.finalize();
            Ok(())
        })?;
        time(2, &|| Ok(source.commit(&salt, Lines::Ignore, &|_| ()).map(drop)?))?;
        time(3, &|| Ok(source.commit(&salt, Lines::Count, &|_| ()).map(drop)?))?;
    }
    let gb = source.bytes() as f64 / 1e9;
    for (name, seconds) in
        ["update_mmap_rayon", "update_reader", "commitment", "with lines"].iter().zip(best)
    {
        let (speed, ratio) = (gb / seconds, best[0] / seconds);
        println!("{name:<18} {speed:>6.2} GB/s  {ratio:>5.2} of update_mmap_rayon");
    }
    Ok(())
}
