//! What somebody has of an account, in columns: those in which there is nothing are left out.

use std::io;

use headwater_ledger::money::Currency;
use headwater_ledger::query::{Balance, CurrencyTotal, PartyTotal};

use crate::output::Page;
use crate::show;

/// The names of the sums, in order: `entitled + adjusted + set off + overpaid = held + frozen + paid
/// + payable`.
pub const NAMES: [&str; 8] =
    ["entitled", "adjusted", "set off", "held", "frozen", "paid", "payable", "overpaid"];

/// Those that are shown also where there is nothing.
const ALWAYS: [bool; 8] = [true, false, false, true, false, false, true, false];

/// The sums of a balance, in the order of [`NAMES`]. Minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums(pub [i128; 8]);

macro_rules! sums_of {
    ($($of:ty),*) => {
        $(impl From<&$of> for Sums {
            fn from(of: &$of) -> Self {
                Sums([
                    of.entitled.into(),
                    of.adjusted.into(),
                    of.set_off.into(),
                    of.held.into(),
                    of.frozen.into(),
                    of.paid.into(),
                    of.payable.into(),
                    of.overpaid.into(),
                ])
            }
        })*
    };
}
sums_of!(Balance, CurrencyTotal, PartyTotal);

/// Whether a sum is to be shown.
fn is_shown(at: usize, values: impl IntoIterator<Item = i128>) -> bool {
    ALWAYS[at] || values.into_iter().any(|value| value != 0)
}

/// A table with one row of sums for each row of labels.
pub fn table(
    page: &mut Page<'_>,
    labels: &[&str],
    rows: Vec<(Vec<String>, Sums)>,
    currency: &Currency,
) -> io::Result<()> {
    let mut headings: Vec<String> = labels.iter().map(ToString::to_string).collect();
    let (mut cells, sums): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    for (at, name) in NAMES.iter().enumerate() {
        if !is_shown(at, sums.iter().map(|sums| sums.0[at])) {
            continue;
        }
        // The first column of amounts says in what.
        let unit = if at == 0 { format!(", {}", show::unit(currency)) } else { String::new() };
        headings.push(format!("{name}{unit}"));
        let shown = sums.iter().map(|sums| show::signed(sums.0[at], currency)).collect();
        for (row, amount) in cells.iter_mut().zip(show::right_aligned(shown)) {
            row.push(amount);
        }
    }
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    page.table_of(&headings, cells)
}

/// One `name  amount` line for each sum.
pub fn fields(page: &mut Page<'_>, sums: &Sums, currency: &Currency) -> io::Result<()> {
    let shown = NAMES.iter().enumerate().filter(|(at, _)| is_shown(*at, [sums.0[*at]]));
    let (names, amounts): (Vec<_>, Vec<_>) =
        shown.map(|(at, name)| (name, show::signed(sums.0[at], currency))).unzip();
    for (name, amount) in names.into_iter().zip(show::right_aligned(amounts)) {
        page.field(name, format_args!("{amount} {}", show::unit(currency)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_nothing_are_left_out() {
        let currency = "CNY".parse().unwrap();
        let row = |name: &str, sums| (vec![name.to_string()], Sums(sums));
        let rows =
            vec![row("a", [100, -5, 0, 0, 0, 90, 5, 0]), row("b", [0, 5, -2, 0, 0, 0, 3, 0])];
        let mut out = Vec::new();
        table(&mut Page::plain(&mut out), &["party"], rows, &currency).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "party  entitled, CNY  adjusted  set off  held  paid  payable\n\
             a      1.00           -0.05      0.00    0.00  0.90  0.05\n\
             b      0.00            0.05     -0.02    0.00  0.00  0.03\n"
        );
    }
}
