//! A network of two validators with members of every kind, and one client that holds their keys.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use headwater_tests::cluster::Setup;
use headwater_tests::{Client, Cluster};
use serde_json::{Value, json};

const FOUNDERS: [(&str, &str); 4] = [
    ("gz-exchange", "exchange"),
    ("bj-exchange", "exchange"),
    ("watch", "regulator"),
    ("second-watch", "regulator"),
];
const ADMITTED: [(&str, &str); 7] = [
    ("hospital", "holder"),
    ("clinic", "holder"),
    ("fund", "holder"),
    ("lab", "processor"),
    ("maker", "operator"),
    ("buyer", "buyer"),
    ("valuer", "appraiser"),
];
/// A network, and a folder with everybody's keys.
pub struct Market {
    _cluster: Cluster,
    pub client: Client,
    pub folder: tempfile::TempDir,
}

impl Market {
    pub fn begin() -> Result<Market> {
        let folder = tempfile::tempdir()?;
        let home = folder.path().join("client");
        let offline = Client::new(&home, "http://127.0.0.1:1");
        let describe = |handle: &str, role: &str| {
            offline.json(None, &["key", "new", handle])?;
            offline.json(None, &["member", "describe", handle, "--name", handle, "--role", role])
        };
        let founders: Result<Vec<Value>> = FOUNDERS.iter().map(|(h, r)| describe(h, r)).collect();
        let list = folder.path().join("members.json");
        fs::write(&list, json!(founders?).to_string())?;
        let mut cluster = Cluster::make(&Setup {
            folder: folder.path(),
            validators: &["gz-exchange", "bj-exchange"],
            members: Some(&list),
            arguments: &[],
        })?;
        cluster.start_all()?;
        let client = Client::new(&home, &cluster.nodes[0].api);
        let genesis = cluster.nodes[0].home.join("genesis.json");
        client.json(None, &["status", "--genesis", text(&genesis)?])?;
        let market = Market { _cluster: cluster, client, folder };
        market.file("doc", "a document\n")?;
        for (handle, role) in ADMITTED {
            let file = market.file("member", &describe(handle, role)?.to_string())?;
            market.act("gz-exchange", &["member", "admit", "--from", &file])?;
        }
        Ok(market)
    }

    pub fn file(&self, name: &str, content: &str) -> Result<String> {
        let path = self.folder.path().join(name);
        fs::write(&path, content)?;
        Ok(text(&path)?.to_owned())
    }

    pub fn doc(&self) -> Result<String> {
        Ok(text(&self.folder.path().join("doc"))?.to_owned())
    }

    /// Acts; gives the id of the first object made, or nothing.
    pub fn act(&self, member: &str, arguments: &[&str]) -> Result<String> {
        let done = self.client.json(Some(member), arguments)?;
        Ok(done["made"][0]["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Errs, and is told this code, a sentence and a hint, with this exit code.
    pub fn errs(&self, member: &str, arguments: &[&str], code: &str) -> Result<()> {
        let output = self.client.output(Some(member), &[&["--json"], arguments].concat())?;
        let answer: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{member} {arguments:?}: {output:?}"))?;
        let error = &answer["error"];
        ensure!(error["code"] == code, "{member} {arguments:?}: expected {code}, got {answer}");
        for part in ["message", "hint"] {
            let said = error[part].as_str().unwrap_or_default();
            ensure!(said.len() > 10, "{member} {arguments:?}: no {part}: {answer}");
        }
        let expected = if code == "usage" { 2 } else { 1 };
        ensure!(output.status.code() == Some(expected), "{arguments:?}: {:?}", output.status);
        Ok(())
    }

    pub fn ask(&self, arguments: &[&str]) -> Result<Value> {
        self.client.json(None, arguments)
    }

    pub fn shown(&self, member: &str, arguments: &[&str]) -> Result<String> {
        self.client.text(Some(member), arguments)
    }

    pub fn register(&self, owner: &str, name: &str, more: &[&str]) -> Result<()> {
        let content = self.file(name, &format!("{name}\n1,2\n"))?;
        let mut arguments = vec!["asset", "register", name, "--content", &content];
        arguments.extend(["--count-lines", "--format", "text/csv", "--region", "CN-GD"]);
        arguments.extend(["--period-from", "2026-01-01", "--period-to", "2026-06-30"]);
        arguments.extend(["--classification", "general", "--sensitivity", "2"]);
        arguments.extend(["--deidentification", "anonymised"]);
        arguments.extend(more);
        self.act(owner, &arguments)?;
        Ok(())
    }

    /// What waits for a member, by kind.
    pub fn waits(&self, member: &str, kind: &str) -> Result<usize> {
        let inbox = self.ask(&["inbox", member])?;
        let items = inbox["items"].as_array().context("no items")?;
        Ok(items.iter().filter(|item| item["kind"] == kind).count())
    }

    /// One sum of a member over all its accounts in CNY.
    pub fn sum(&self, member: &str, name: &str) -> Result<i64> {
        let statement = self.ask(&["statement", member])?;
        statement["totals"][0][name].as_i64().with_context(|| format!("{name}: {statement}"))
    }

    pub fn explained(&self, what: &str) -> Result<Vec<String>> {
        let answer = self.ask(&["explain", what])?;
        let reasons = answer["reasons"].as_array().context("no reasons")?;
        ensure!(!reasons.is_empty(), "{what} is not explained: {answer}");
        Ok(reasons.iter().filter_map(|r| r["text"].as_str().map(str::to_owned)).collect())
    }
}

pub fn text(path: &Path) -> Result<&str> {
    path.to_str().context("not UTF-8")
}
