//! Holds `docs/rejections.md` to the code: the page is made from `reject.rs`.
//!
//! `HEADWATER_WRITE_SPEC=1 cargo test -p headwater-ledger --test rejections_document` writes it
//! anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use headwater_ledger::reject::{Code, Outlook};

const HEAD: &str = "\
# Why an envelope is refused

Every refusal has a code that never changes its meaning, a sentence with the values that matter, a hint, and
the rule of the [specification](../ledger-spec.md) behind it. A refused envelope changes nothing.

*Again* says what may become of the very same signed envelope until its `not_after` has passed:

- **no**: sign another one that keeps the rule.
- **waits**: it refers to something that is not recorded yet; a node keeps it and tries again when that is.
- **later**: the state may change so that it passes; send it again then.

This page is made from the code; do not edit it.
";

/// The first digit of a number, and what codes with it are about.
const AREAS: [(u16, &str); 6] = [
    (1, "Envelopes, keys and weights"),
    (2, "Members and governance"),
    (3, "Assets, lineage, consent and the register"),
    (4, "Rights, grants and access"),
    (5, "Market and money"),
    (6, "Disputes"),
];

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (digit, title) in AREAS {
        write!(page, "\n## {title}\n\n| number | code | rule | again | what to do |\n").unwrap();
        page.push_str("|---:|---|---|---|---|\n");
        for code in Code::ALL.iter().filter(|code| code.number() / 100 == digit) {
            let again = match code.outlook() {
                Outlook::Final => "no",
                Outlook::AwaitsReference => "waits",
                Outlook::AwaitsState => "later",
            };
            let (number, name, rule) = (code.number(), code.name(), code.tag());
            let help = code.help().replace('|', "\\|");
            writeln!(page, "| {number} | `{name}` | {rule} | {again} | {help} |").unwrap();
        }
    }
    page
}

#[expect(clippy::disallowed_methods, reason = "the page is written anew when asked for")]
#[test]
fn the_page_of_rejections_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rejections.md");
    let page = page();
    for code in Code::ALL {
        assert!(page.contains(&format!("| `{}` |", code.name())), "{code} is in no area");
    }
    if std::env::var_os("HEADWATER_WRITE_SPEC").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let hint = "write it anew: HEADWATER_WRITE_SPEC=1 cargo test -p headwater-ledger --test \
                rejections_document";
    assert!(written == page, "docs/rejections.md is not what the code says; {hint}");
}
