//! Reads the crate's own source: structures, enumerations, constants and rule tags, as the tables of
//! the specification show them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// One field, variant or constant.
pub struct Item {
    /// Its name, as in JSON.
    pub name: String,
    /// Type of a field, fields of a variant, value of a constant.
    pub kind: String,
    /// Its documentation.
    pub doc: String,
    /// Whether JSON may leave it out.
    pub optional: bool,
}

/// A structure or an enumeration.
pub struct Declared {
    /// Whether it is an enumeration.
    pub is_enum: bool,
    /// Whether its fields are encoded in this order.
    pub is_encoded: bool,
    /// Its fields or variants in order.
    pub items: Vec<Item>,
}

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in a folder").to_owned()
}

/// All Rust files below a folder of the project, with their text.
pub fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("source is UTF-8");
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

/// Documentation as the specification shows it: one paragraph, without links and rule tags.
fn tidy(doc: &str) -> String {
    let mut text = doc.to_owned();
    while let Some(at) = text.find("Implements [") {
        let end = text[at..].find("].").map_or(text.len(), |e| at + e + 2);
        text.replace_range(at..end, "");
    }
    for module in
        ["super::record::", "crate::merkle::range::", "crate::account::", "crate::limits::"]
    {
        text = text.replace(module, "");
    }
    // Names of the code, as rules of the specification.
    for (name, rule) in [
        ("[`vote_sign_bytes`]", "the bytes of a precommit [LED-CERT-1]"),
        ("[`sign_bytes`]", "the bytes of [LED-ENV-3]"),
        ("[`ENVELOPE_VERSION`]", "1"),
        ("[`UNITS`]", "10^18 units"),
    ] {
        text = text.replace(name, rule);
    }
    while let Some(at) = text.find("Vec<") {
        let end = text[at..].find('>').map_or(text.len(), |e| at + e);
        let item = text[at + 4..end].to_owned();
        text.replace_range(at..=end.min(text.len().saturating_sub(1)), &format!("list {item}"));
    }
    text.replace("[`", "`").replace("`]", "`").trim().replace('|', "\\|")
}

/// A type as the specification writes it.
fn notation(ty: &str) -> String {
    let ty = ty.trim();
    let inner = |prefix: &str| ty.strip_prefix(prefix)?.strip_suffix('>').map(str::to_owned);
    if let Some(inner) = inner("Option<") {
        return format!("option {}", notation(&inner));
    }
    if let Some(inner) = inner("Vec<") {
        return format!("list {}", notation(&inner));
    }
    if let Some(inner) = inner("List<") {
        let (item, max) = inner.rsplit_once(',').expect("a list has a limit");
        return format!("list {}, at most {}", notation(item), max.trim());
    }
    if let Some(array) = ty.strip_prefix("[u8; ").and_then(|t| t.strip_suffix(']')) {
        return format!("{array} bytes");
    }
    ty.rsplit("::").next().expect("split gives an item").to_owned()
}

/// Splits the types of a variant at commas outside brackets.
fn split_types(types: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in types.chars() {
        match c {
            '<' | '[' | '(' => depth += 1,
            '>' | ']' | ')' => depth -= 1,
            _ => {}
        }
        match c {
            ',' if depth == 0 => parts.push(String::new()),
            c => parts.last_mut().expect("never empty").push(c),
        }
    }
    parts.iter().map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect()
}

/// `SnakeCase` → `snake_case`.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Removes serde attributes inside a variant's parentheses.
fn without_attributes(mut text: String) -> String {
    while let Some(at) = text.find("#[") {
        let end = text[at..].find(")]").map_or(text.len(), |e| at + e + 2);
        text.replace_range(at..end, "");
    }
    text
}

/// Every structure and enumeration with named fields or variants in some files.
pub fn declared(folder: &str) -> BTreeMap<String, Declared> {
    let mut all = BTreeMap::new();
    for (_, text) in files(folder) {
        let text = text.split("#[cfg(test)]\nmod").next().unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let mut derives = String::new();
        let mut at = 0;
        while at < lines.len() {
            let line = lines[at];
            at += 1;
            if line.starts_with("#[derive(") {
                derives.clear();
            }
            if line.starts_with("#[") || line.starts_with("    Debug") || line.starts_with(")]") {
                derives.push_str(line);
            }
            let bare =
                line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
            let Some((is_enum, rest)) = bare
                .strip_prefix("struct ")
                .map(|r| (false, r))
                .or(bare.strip_prefix("enum ").map(|r| (true, r)))
            else {
                continue;
            };
            let Some(head) = rest.strip_suffix(" {") else { continue };
            let name = head.split('<').next().unwrap_or(head).to_owned();
            let is_encoded = derives.contains("Encode") || derives.contains("Decode");
            derives.clear();
            let begin = at;
            while at < lines.len() && lines[at] != "}" {
                at += 1;
            }
            let items = items(&lines[begin..at], is_enum);
            all.insert(name, Declared { is_enum, is_encoded, items });
        }
    }
    all
}

fn items(lines: &[&str], is_enum: bool) -> Vec<Item> {
    let mut items = Vec::new();
    let (mut doc, mut optional, mut renamed) = (String::new(), false, None);
    for line in lines.iter().map(|l| l.trim()) {
        if let Some(text) = line.strip_prefix("///") {
            doc.push_str(text);
        } else if line.starts_with("#[") {
            optional |= line.contains("serde(default)");
            if let Some(rest) = line.split("rename = \"").nth(1) {
                renamed = rest.split('"').next().map(str::to_owned);
            }
        } else if let Some(code) = line.strip_suffix(',') {
            let (name, kind) = if is_enum {
                match code.split_once('(') {
                    None => (code.to_owned(), String::new()),
                    Some((name, types)) => {
                        let types = types.strip_suffix(')').expect("a variant on one line");
                        let types = split_types(&without_attributes(types.to_owned()));
                        let types: Vec<_> = types.iter().map(|t| notation(t)).collect();
                        (name.to_owned(), types.join(", "))
                    }
                }
            } else {
                let code = code.strip_prefix("pub(super) ").unwrap_or(code);
                let code = code.strip_prefix("pub ").unwrap_or(code);
                let (name, ty) = code.split_once(": ").expect("a field has a type");
                (name.to_owned(), notation(ty))
            };
            let name = renamed.take().unwrap_or(name);
            items.push(Item { name, kind, doc: tidy(&doc), optional });
            (doc, optional) = (String::new(), false);
        }
    }
    items
}

/// The constants of a file: name, value as written and documentation.
pub fn constants(file: &str) -> Vec<Item> {
    let text = fs::read_to_string(root().join(file)).expect("the file is there");
    let mut items = Vec::new();
    let mut doc = String::new();
    for line in text.lines() {
        if let Some(text) = line.strip_prefix("///") {
            doc.push_str(text);
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let (name, rest) = rest.split_once(": ").expect("a constant has a type");
            let (_, value) = rest.split_once(" = ").expect("a constant has a value");
            let kind = value.trim_end_matches(';').to_owned();
            let doc = tidy(&std::mem::take(&mut doc));
            items.push(Item { name: name.to_owned(), kind, doc, optional: false });
        } else {
            doc.clear();
        }
    }
    items
}

/// Computes `a`, `a << b` and `a * b * …`.
pub fn evaluate(expression: &str) -> u64 {
    let number = |text: &str| {
        let digits = text.trim().replace('_', "");
        digits.parse::<u64>().unwrap_or_else(|_| panic!("`{text}` is no number"))
    };
    match expression.split_once("<<") {
        Some((value, shift)) => number(value) << number(shift),
        None => expression.split('*').map(number).product(),
    }
}

/// The rule tags in a text: each that is named, and all that ranges (two tags of one family with
/// "to" between them) cover.
pub fn tags(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut named = BTreeSet::new();
    let mut covered = BTreeSet::new();
    let mut before: Option<(String, usize)> = None;
    let text = text.replace("\n//!", "").replace("\n///", "").replace("\n    ///", "");
    let mut at = 0;
    while let Some(found) = text[at..].find("LED-") {
        let start = at + found;
        let rest = &text[start..];
        let end = rest
            .find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'))
            .unwrap_or(rest.len());
        at = start + end.max(4);
        let tag = rest[..end].trim_end_matches('-').to_owned();
        let Some((family, number)) = parts(&tag) else { continue };
        if let Some((first, stop)) = &before
            && let Some((first_family, first_number)) = parts(first)
            && first_family == family
            && text[*stop..start].trim_matches([']', '[']).trim() == "to"
        {
            covered.extend((first_number..=number).map(|n| format!("{family}-{n}")));
        }
        named.insert(tag.clone());
        before = Some((tag, at));
    }
    covered.extend(named.iter().cloned());
    (named, covered)
}

fn parts(tag: &str) -> Option<(&str, u32)> {
    let (family, number) = tag.rsplit_once('-')?;
    let plain = family.strip_prefix("LED-")?.bytes().all(|b| b.is_ascii_uppercase());
    (plain && family.len() > 4).then_some(())?;
    Some((family, number.parse().ok()?))
}
