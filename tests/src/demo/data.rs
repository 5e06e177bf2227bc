//! The data work of the story: really splitting, cleaning and summarising records.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Records of the first hospital; the rest are the second's.
const CHEST_RECORDS: usize = 300;

/// A file with so many records.
pub struct Part {
    /// The file.
    pub file: PathBuf,
    /// Its records.
    pub records: usize,
}

/// The records of the two hospitals.
pub struct Split {
    /// The first 300.
    pub chest: Part,
    /// The rest.
    pub county: Part,
}

/// What the laboratory made.
pub struct Cleaned {
    /// The cleaned file.
    pub file: PathBuf,
    /// Its records.
    pub records: usize,
    /// How many came from the chest hospital.
    pub from_chest: usize,
    /// How many came from the county hospital.
    pub from_county: usize,
    /// Description of what was done.
    pub method: PathBuf,
}

/// What the operator made.
pub struct Report {
    /// The report.
    pub file: PathBuf,
    /// Description of what was done.
    pub method: PathBuf,
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Splits the records between the hospitals.
pub fn split(source: &Path, folder: &Path) -> Result<Split> {
    let text = fs::read_to_string(source)
        .with_context(|| format!("cannot read the records {}", source.display()))?;
    let records: Vec<&str> = text.lines().skip(1).filter(|line| !line.is_empty()).collect();
    ensure!(records.len() > CHEST_RECORDS, "{} records are too few", records.len());
    let (chest, county) = records.split_at(CHEST_RECORDS);
    let part = |name: &str, lines: &[&str]| -> Result<Part> {
        let file = write(folder, name, &(lines.join("\n") + "\n"))?;
        Ok(Part { file, records: lines.len() })
    };
    Ok(Split { chest: part("chest.csv", chest)?, county: part("county.csv", county)? })
}

/// A record that has 30 numbers and a diagnosis of 0 or 1.
fn parse(line: &str) -> Option<(Vec<f64>, bool)> {
    let mut fields: Vec<f64> =
        line.split(',').map(|f| f.trim().parse().ok()).collect::<Option<_>>()?;
    let diagnosis = fields.pop()?;
    let whole = fields.len() == 30 && fields.iter().all(|f| f.is_finite() && *f >= 0.0);
    (whole && (diagnosis == 0.0 || diagnosis == 1.0)).then_some((fields, diagnosis == 1.0))
}

/// Drops malformed records, rounds to three decimals, and orders by diagnosis and size.
pub fn clean(files: &Split, folder: &Path) -> Result<Cleaned> {
    let mut rows = Vec::new();
    let mut counts = [0; 2];
    for (place, part) in [&files.chest, &files.county].into_iter().enumerate() {
        for (fields, benign) in fs::read_to_string(&part.file)?.lines().filter_map(parse) {
            counts[place] += 1;
            rows.push((benign, fields));
        }
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0).then(a.1[0].total_cmp(&b.1[0])));
    let mut text = String::new();
    for (benign, fields) in &rows {
        let numbers: Vec<String> = fields.iter().map(|f| format!("{f:.3}")).collect();
        writeln!(text, "{},{}", if *benign { "benign" } else { "malignant" }, numbers.join(","))?;
    }
    let method = "drop records that are not 30 numbers and a diagnosis; round to three decimals; \
                  order by diagnosis and mean radius\n";
    Ok(Cleaned {
        file: write(folder, "fna-cleaned.csv", &text)?,
        records: rows.len(),
        from_chest: counts[0],
        from_county: counts[1],
        method: write(folder, "cleaning.txt", method)?,
    })
}

/// Computes counts and means of the first ten features by diagnosis.
pub fn report(cleaned: &Cleaned, folder: &Path) -> Result<Report> {
    let mut groups: BTreeMap<String, (u32, Vec<f64>)> = BTreeMap::new();
    for line in fs::read_to_string(&cleaned.file)?.lines() {
        let (diagnosis, numbers) = line.split_once(',').context("a cleaned record is malformed")?;
        let group = groups.entry(diagnosis.to_owned()).or_insert((0, vec![0.0; 10]));
        group.0 += 1;
        for (sum, number) in group.1.iter_mut().zip(numbers.split(',')) {
            *sum += number.parse::<f64>()?;
        }
    }
    let mut text = String::from("diagnosis,records,means of the first ten features\n");
    for (diagnosis, (records, sums)) in &groups {
        let means: Vec<String> =
            sums.iter().map(|s| format!("{:.4}", s / f64::from(*records))).collect();
        writeln!(text, "{diagnosis},{records},{}", means.join(","))?;
    }
    let method = "count records and average the first ten features by diagnosis\n";
    Ok(Report {
        file: write(folder, "breast-cancer-report.csv", &text)?,
        method: write(folder, "analysis.txt", method)?,
    })
}
