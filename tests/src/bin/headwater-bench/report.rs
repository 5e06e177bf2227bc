//! The report: a table for people and a document for machines, from the same numbers.

use serde_json::{Map, Value, json};

use crate::machine::Machine;

/// A number as it is reported.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    /// The value, in the unit.
    pub value: f64,
    /// The unit as shown.
    pub unit: &'static str,
}

/// A quantity.
pub fn quantity(value: f64, unit: &'static str) -> Quantity {
    Quantity { value, unit }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = readable(self.value);
        if self.unit.is_empty() {
            f.write_str(&number)
        } else {
            write!(f, "{number} {}", self.unit)
        }
    }
}

/// Three digits that count at the least, thousands apart.
fn readable(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude < 1.0 {
        return format!("{value:.3}");
    }
    if magnitude < 100.0 {
        return format!("{value:.*}", if magnitude < 10.0 { 2 } else { 1 });
    }
    let digits = format!("{magnitude:.0}");
    let mut out = String::from(if value < 0.0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// A line of the table.
struct Row {
    what: String,
    measured: String,
    limit: String,
    ratio: String,
}

/// What was measured so far.
#[derive(Default)]
pub struct Report {
    sections: Vec<(String, Vec<Row>)>,
    document: Map<String, Value>,
}

impl Report {
    /// Begins a section of the table.
    pub fn section(&mut self, title: &str) {
        self.sections.push((title.into(), Vec::new()));
    }

    /// A line without a limit.
    pub fn line(&mut self, what: &str, measured: Quantity) {
        self.push(what, measured, String::new(), String::new());
    }

    /// A line with the machine's own limit, and the part of it that was reached.
    pub fn against(&mut self, what: &str, measured: Quantity, limit: &str, of: Quantity) {
        let ratio = format!("{:.2}", measured.value / of.value);
        self.push(what, measured, format!("{of} {limit}"), ratio);
    }

    /// A line with a ratio to another number of the run.
    pub fn ratio(&mut self, what: &str, measured: Quantity, to: &str, of: Quantity) {
        let ratio = format!("{:.2}x", measured.value / of.value);
        self.push(what, measured, format!("{of} {to}"), ratio);
    }

    fn push(&mut self, what: &str, measured: Quantity, limit: String, ratio: String) {
        if self.sections.is_empty() {
            self.section("");
        }
        if let Some((_, rows)) = self.sections.last_mut() {
            rows.push(Row { what: what.into(), measured: measured.to_string(), limit, ratio });
        }
    }

    /// Adds a part of the document.
    pub fn json(&mut self, key: &str, value: Value) {
        self.document.insert(key.into(), rounded(value));
    }

    /// The whole document.
    pub fn document(&self, machine: &Machine, quick: bool, seconds: f64) -> Value {
        let mut all = Map::new();
        all.insert("format".into(), json!(1));
        all.insert("headwater_version".into(), json!(env!("CARGO_PKG_VERSION")));
        all.insert("quick".into(), json!(quick));
        all.insert("run_seconds".into(), rounded(json!(seconds)));
        all.insert("machine".into(), rounded(machine.json()));
        all.extend(self.document.clone());
        Value::Object(all)
    }

    /// The table.
    pub fn table(&self, machine: &Machine, quick: bool, seconds: f64) -> String {
        let mut out = format!("{}\n", machine.sentence());
        let kind = if quick { "quick run, not exact" } else { "full run" };
        out += &format!("{kind}, {seconds:.0} s\n");
        let width = |of: fn(&Row) -> &String| {
            let rows = self.sections.iter().flat_map(|(_, rows)| rows);
            rows.map(|row| of(row).chars().count()).max().unwrap_or(0)
        };
        let (what, measured, limit) =
            (width(|r| &r.what) + 2, width(|r| &r.measured), width(|r| &r.limit));
        let mut line = |a: &str, b: &str, c: &str, d: &str| {
            let line = format!("  {a:<what$}  {b:>measured$}  {c:<limit$}  {d:>8}");
            out.push_str(line.trim_end());
            out.push('\n');
        };
        line("", "measured", "beside", "ratio");
        for (title, rows) in &self.sections {
            line("", "", "", "");
            line(title, "", "", "");
            for row in rows {
                line(&format!("  {}", row.what), &row.measured, &row.limit, &row.ratio);
            }
        }
        out
    }
}

/// Floats to six digits that count: more would only be noise.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(n) if n.is_f64() => {
            let text = format!("{:.5e}", n.as_f64().unwrap_or(0.0));
            json!(text.parse::<f64>().unwrap_or(0.0))
        }
        Value::Array(items) => items.into_iter().map(rounded).collect(),
        Value::Object(map) => map.into_iter().map(|(k, v)| (k, rounded(v))).collect(),
        other => other,
    }
}

/// The value below which this part of the samples lies; 0 without samples.
pub fn percentile(samples: &mut [f64], part: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let at = (samples.len() as f64 * part) as usize;
    samples.get(at.min(samples.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits_that_count_and_thousands_apart() {
        for (value, shown) in [
            (0.1234, "0.123"),
            (4.206, "4.21"),
            (42.04, "42.0"),
            (999.6, "1 000"),
            (1234567.0, "1 234 567"),
        ] {
            assert_eq!(readable(value), shown);
        }
    }

    #[test]
    fn percentiles_are_samples() {
        let mut samples = vec![5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(percentile(&mut samples, 0.5), 3.0);
        assert_eq!(percentile(&mut samples, 0.99), 5.0);
        assert_eq!(percentile(&mut samples, 1.0), 5.0);
        assert_eq!(percentile(&mut [], 0.5), 0.0);
    }
}
