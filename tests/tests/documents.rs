//! Holds the documents and the shape of the repository to what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the package lies in the repository").to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Files of the repository, those about to be added included; deleted ones are left out. In a copy
/// without its history: every file outside build folders.
fn files() -> Result<Vec<String>> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
    match Command::new("git").args(arguments).current_dir(root()).output() {
        Ok(output) if output.status.success() => {
            let names = String::from_utf8(output.stdout)?;
            let names = names.split('\0').filter(|name| root().join(name).is_file());
            Ok(names.map(str::to_owned).collect())
        }
        Ok(_) | Err(_) => {
            let mut found = Vec::new();
            walk(&root(), "", &mut found)?;
            Ok(found)
        }
    }
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().context("a name that is not UTF-8")?;
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_file() {
            found.push(path);
        } else if entry.file_type()?.is_dir() && !matches!(&*name, ".git" | "target") {
            walk(&entry.path(), &format!("{path}/"), found)?;
        }
    }
    Ok(())
}

fn documents() -> Vec<String> {
    let files = files().unwrap();
    let found: Vec<String> = files.into_iter().filter(|name| name.ends_with(".md")).collect();
    for expected in ["README.md", "ARCHITECTURE.md", "ledger-spec.md", "docs/operating.md"] {
        assert!(found.iter().any(|name| name == expected), "{expected} is missing");
    }
    found
}

/// The text without fenced code and with inline code emptied.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            out.extend(line.split('`').step_by(2));
            out.push('\n');
        }
    }
    out
}

/// The targets of inline links.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        let heading = line.trim_start_matches('#');
        if fenced || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading.trim().to_lowercase().replace(' ', "-");
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        found.insert(kept.collect());
    }
    found
}

#[test]
fn links_within_the_repository_lead_somewhere() {
    let mut checked = 0;
    for name in documents() {
        let text = read(&name);
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => root().join(&name),
                path => root().join(&name).parent().expect("a file lies in a folder").join(path),
            };
            assert!(target.exists(), "{name} links to {link}, which does not exist");
            let inside = target.canonicalize().unwrap().starts_with(root().canonicalize().unwrap());
            assert!(inside, "{name} links to {link}, which lies outside the repository");
            if !anchor.is_empty() {
                let headings = anchors(&fs::read_to_string(&target).unwrap());
                assert!(headings.contains(anchor), "{name} links to {link}: no such heading");
            }
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} links were found");
}

/// Words such as `scripts/demo` anywhere in a text, code included.
fn scripts(text: &str) -> BTreeSet<String> {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let words = text.split(|c| !name(c)).map(|word| word.trim_end_matches(['.', '/']));
    words.filter(|w| w.starts_with("scripts/")).map(str::to_owned).collect()
}

#[test]
fn scripts_that_documents_name_exist_and_can_be_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut named = BTreeSet::new();
    for document in documents() {
        for script in scripts(&read(&document)) {
            let found = fs::metadata(root().join(&script));
            let mode = found.unwrap_or_else(|_| panic!("{document} names {script}")).permissions();
            assert!(mode.mode() & 0o111 != 0, "{script} has no run bit");
            named.insert(script);
        }
    }
    assert!(named.contains("scripts/demo") && named.contains("scripts/test"), "{named:?}");
}

#[test]
fn the_readme_begins_with_exactly_two_commands() {
    let readme = read("README.md");
    let (_, start) = readme.split_once("## Quick start\n").expect("a quick start");
    let section = start.split("\n## ").next().unwrap_or_default();
    let blocks: Vec<&str> = section.split("```").skip(1).step_by(2).collect();
    assert_eq!(blocks, ["sh\nscripts/demo\nscripts/test\n"]);
}

#[test]
fn no_file_reaches_outside_the_repository() {
    // In two parts each, so that this file does not find itself.
    let forbidden = [
        ["../sh", "ared"],
        ["../.lib", "rary"],
        ["/wo", "rk/"],
        ["index.", "crates.io"],
        ["static.", "crates.io"],
        ["proxy.", "golang.org"],
        ["pypi.", "org"],
        ["registry.", "npmjs"],
        ["source.", "crates-io"],
    ]
    .map(|parts| parts.concat());
    for name in files().unwrap() {
        let bytes = fs::read(root().join(&name)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for (number, line) in (1..).zip(text.lines()) {
            for word in &forbidden {
                assert!(!line.contains(word.as_str()), "{name}:{number} names {word}");
            }
            // The index that every cargo knows by this name, and no other.
            let source = line.strip_prefix("source = ").filter(|_| name == "Cargo.lock");
            let public = "\"registry+https://github.com/rust-lang/crates.io-index\"";
            assert!(source.is_none_or(|s| s == public), "{name}:{number} names another registry");
        }
    }
}

/// The crates of the workspace, each with those it depends on, those of its tests included.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let arguments = ["metadata", "--no-deps", "--format-version", "1", "--offline"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|p| (name(p), p["dependencies"].as_array().unwrap().iter().map(name).collect()))
        .collect()
}

#[test]
fn node_and_client_know_the_ledger_and_not_each_other() {
    let all = dependencies();
    let own = |name: &str| -> Vec<&str> {
        let found = all.get(name).unwrap_or_else(|| panic!("no package {name}"));
        found.iter().map(String::as_str).filter(|d| d.starts_with("headwater-")).collect()
    };
    assert_eq!(own("headwater-ledger"), [""; 0]);
    assert_eq!(own("headwater-node"), ["headwater-ledger"]);
    assert_eq!(own("headwater-client"), ["headwater-ledger"]);
    for (package, dependencies) in &all {
        let engine = dependencies.iter().any(|name| name.contains("malachite"));
        assert_eq!(engine, package == "headwater-node", "{package}");
    }
}

/// Lines of Rust files below a folder: file, number, line without its comment.
fn source_lines(folder: &str) -> Vec<(String, usize, String)> {
    let mut lines = Vec::new();
    for name in files().unwrap() {
        if name.starts_with(folder) && name.ends_with(".rs") {
            for (number, line) in (1..).zip(read(&name).lines()) {
                let code = line.split("//").next().unwrap_or_default();
                lines.push((name.clone(), number, code.to_owned()));
            }
        }
    }
    assert!(lines.len() > 100, "{folder} was not found");
    lines
}

#[test]
fn the_consensus_library_is_imported_by_one_module() {
    let engine = |name: &str| name == "node/src/engine.rs" || name.starts_with("node/src/engine/");
    let (inside, outside): (Vec<_>, Vec<_>) = ["ledger/", "node/", "client/", "tests/"]
        .into_iter()
        .flat_map(source_lines)
        // Names of its metrics are text and no import.
        .filter(|(_, _, code)| code.replace("\"malachitebft_", "").contains("malachitebft_"))
        .filter(|(name, _, _)| name != "tests/tests/documents.rs")
        .partition(|(name, _, _)| engine(name));
    assert!(!inside.is_empty(), "the library is not imported at all");
    assert!(outside.is_empty(), "imported outside the engine: {outside:?}");
}

#[test]
fn the_ledger_is_a_function_of_bytes() {
    let owned_by_programs = [
        "std::env",
        "std::fs",
        "std::io",
        "std::net",
        "std::process",
        "std::thread",
        "std::time",
        "SystemTime",
        "Instant::",
        "HashMap",
        "HashSet",
        "getrandom",
        "rand::",
        "tokio",
        "async fn",
        "println!",
        "f32",
        "f64",
    ];
    let mut tests = String::new();
    for (name, number, code) in source_lines("ledger/src/") {
        if code.trim_start().starts_with("#[cfg(test)]") {
            tests.clone_from(&name);
        }
        // Tests stand at the end of a file.
        if name != tests {
            for word in owned_by_programs {
                assert!(!code.contains(word), "{name}:{number} uses {word}");
            }
        }
    }
}

#[test]
fn the_example_of_batch_submission_is_the_file_beside_it() {
    let example = read("docs/examples/market.ndjson");
    let document = read("docs/submit.md");
    assert!(document.contains(&format!("```json\n{example}```")), "docs/submit.md shows another");
}
