//! The story that `scripts/demo` plays, with the real programs and real files. Every figure it
//! prints comes out of the ledger, proved by the client.

mod data;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::client::PASSPHRASE;
use crate::cluster::{Cluster, Setup};
use crate::{Client, program};

/// What a run is to do.
pub struct Options {
    /// Leave the network running.
    pub keep: bool,
    /// Where to write the result.
    pub json: Option<PathBuf>,
    /// The records.
    pub data: PathBuf,
}

/// The records that come with Headwater.
pub fn vendored_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/breast_cancer.csv")
}

const EXCHANGES: [&str; 4] = ["gz-exchange", "bj-exchange", "sd-exchange", "fj-exchange"];
const REGULATOR: &str = "health-regulator";
const CHEST: &str = "chest-hospital";
const COUNTY: &str = "county-hospital";
const FUND: &str = "patients-fund";
const LAB: &str = "clean-lab";
const OPERATOR: &str = "insight-co";
const BUYER: &str = "cover-insurance";
/// Members that an exchange admits during the story, with their roles.
const ADMITTED: [(&str, &str); 6] = [
    (CHEST, "holder"),
    (COUNTY, "holder"),
    (FUND, "holder"),
    (LAB, "processor"),
    (OPERATOR, "operator"),
    (BUYER, "buyer"),
];
/// Those whose statements are shown.
const PAID: [&str; 5] = [CHEST, FUND, COUNTY, LAB, OPERATOR];

const CHEST_RAW: &str = "chest-hospital/fna-2026";
const COUNTY_RAW: &str = "county-hospital/fna-2026";
const CLEANED: &str = "clean-lab/fna-cleaned";
const REPORT: &str = "insight-co/breast-cancer-report";

/// The validator that is killed: not the one the client asks.
const KILLED: usize = 3;

/// A running story.
struct Story {
    cluster: Cluster,
    client: Client,
    folder: PathBuf,
}

/// Plays the story.
pub fn run(options: &Options) -> Result<()> {
    // Both programs are needed; say so before anything starts.
    program("headwater-node")?;
    program("headwater")?;
    let folder = tempfile::Builder::new().prefix("headwater-demo-").tempdir()?;
    let mut story = Story::begin(folder.path())?;

    say("1. Two hospitals register their records");
    let files = data::split(&options.data, folder.path())?;
    story.register_raw(&files)?;
    say("2. They grant the laboratory processing and sub-licensable operation; it cleans");
    let grants = story.grant_to_lab()?;
    say(&format!("   {} is killed with -9", EXCHANGES[KILLED]));
    story.cluster.kill(KILLED)?;
    let cleaned = data::clean(&files, folder.path())?;
    story.register_cleaned(&cleaned, &grants)?;
    say("3. The operator computes a report, registers and lists it; the exchange accepts");
    let report = data::report(&cleaned, folder.path())?;
    let listing = story.register_and_list(&report, &grants)?;
    say("4. Seller, buyer and exchange sign; it is paid and delivered");
    let mut statements = Vec::new();
    let first = story.contract(&listing, "2000000.00")?;
    story.pay(&first, "2000000.00", "113207.55", "BANK-2026-0001")?;
    story.deliver(&first, &report)?;
    statements.push(story.statements("after the first payment")?);
    let second = story.contract(&listing, "1000.00")?;
    let payment = story.pay(&second, "1000.00", "56.60", "BANK-2026-0002")?;
    statements.push(story.statements("after the second payment")?);
    story.act(EXCHANGES[0], &["refund", &payment, "--full", "--bank-ref", "BANK-2026-0003"])?;
    statements.push(story.statements("after its refund in full")?);
    say(&format!("   {} is started again and catches up", EXCHANGES[KILLED]));
    story.cluster.start(KILLED)?;

    say("5. Where it came from, and how its money falls");
    let (height, state_roots) = story.cluster.wait_for_agreement()?;
    story.show(&["trace", REPORT, "--up"])?;
    story.show(&["trace", CHEST_RAW, "--down"])?;
    story.show(&["shares", REPORT])?;
    story.show(&["statement", REPORT])?;
    for member in PAID {
        story.show(&["statement", member])?;
    }
    ensure!(state_roots.iter().all(|r| r == &state_roots[0]), "the state roots differ");
    say(&format!("All four nodes are at height {height} with state root {}", state_roots[0]));

    let mut result = json!({
        "chain_id": story.cluster.chain_id,
        "height": height,
        "state_roots": state_roots,
        "shares": story.shares()?,
        "statements": statements,
        "trace_up": story.trace(REPORT, "--up")?,
        "trace_down": {
            CHEST_RAW: story.trace(CHEST_RAW, "--down")?,
            COUNTY_RAW: story.trace(COUNTY_RAW, "--down")?,
        },
    });
    if options.keep {
        let words = story.keep(folder.keep())?;
        result["client"] = json!(words);
    }
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&result)?;
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn say(line: &str) {
    println!("\n{line}");
}

/// The id of the object of this kind that a recorded envelope made.
fn made(recorded: &Value, kind: &str) -> Result<String> {
    let made = recorded["made"].as_array().context("no list of objects made")?;
    let object = made.iter().find(|o| o["kind"] == kind);
    let id = object.and_then(|o| o["id"].as_str());
    Ok(id.with_context(|| format!("no {kind} was made: {recorded}"))?.to_owned())
}

/// The processing and operation grants of the two hospitals.
struct Grants {
    processing: [String; 2],
    operation: [String; 2],
}

impl Story {
    /// Makes keys and a network of four validators, and admits the other members.
    fn begin(folder: &Path) -> Result<Story> {
        say("Making keys and a network of four validators");
        let home = folder.join("client");
        let offline = Client::new(&home, "http://127.0.0.1:1");
        let mut members = Vec::new();
        for (handle, role) in
            EXCHANGES.map(|e| (e, "exchange")).into_iter().chain([(REGULATOR, "regulator")])
        {
            members.push(describe(&offline, handle, role)?);
        }
        let list = folder.join("members.json");
        fs::write(&list, serde_json::to_string_pretty(&members)?)?;
        let mut cluster = Cluster::make(&Setup {
            folder,
            validators: &EXCHANGES,
            members: Some(&list),
            arguments: &["--name", "demo"],
        })?;
        cluster.start_all()?;
        let client = Client::new(&home, &cluster.nodes[0].api);
        let genesis = cluster.nodes[0].home.join("genesis.json");
        client.json(None, &["status", "--genesis", &path(&genesis)?])?;
        let story = Story { cluster, client, folder: folder.to_owned() };
        for (handle, role) in ADMITTED {
            let file = story.folder.join(format!("{handle}.json"));
            fs::write(&file, describe(&story.client, handle, role)?.to_string())?;
            story.act(EXCHANGES[0], &["member", "admit", "--from", &path(&file)?])?;
        }
        Ok(story)
    }

    /// Acts for a member; prints one line; gives what was recorded.
    fn act(&self, member: &str, arguments: &[&str]) -> Result<Value> {
        let recorded = self.client.json(Some(member), arguments)?;
        println!("   {member}: {} {}", arguments[0], arguments[1]);
        Ok(recorded)
    }

    /// Shows an answer as a person would see it.
    fn show(&self, arguments: &[&str]) -> Result<()> {
        println!("\n$ headwater {}", arguments.join(" "));
        print!("{}", self.client.text(Some(REGULATOR), arguments)?);
        Ok(())
    }

    /// `asset register` with what all assets of the story have in common.
    fn register(
        &self,
        owner: &str,
        name: &str,
        file: &Path,
        split: &str,
        more: &[&str],
    ) -> Result<()> {
        let file = path(file)?;
        let mut arguments = vec!["asset", "register", name, "--content", &file, "--split", split];
        arguments.extend(["--format", "text/csv", "--region", "CN-GD"]);
        arguments.extend(["--period-from", "2026-01-01", "--period-to", "2026-06-30"]);
        arguments.extend(["--classification", "important", "--sensitivity", "3"]);
        arguments.extend(["--quality", "98/99/97/90/95/90"]);
        arguments.extend(more);
        self.act(owner, &arguments)?;
        Ok(())
    }

    fn register_raw(&self, files: &data::Split) -> Result<()> {
        for (owner, part) in [(CHEST, &files.chest), (COUNTY, &files.county)] {
            let records = part.records.to_string();
            let more =
                ["--stage", "raw", "--deidentification", "pseudonymised", "--records", &records];
            self.register(owner, "fna-2026", &part.file, "10000/0/0/0", &more)?;
        }
        let owners = ["--owner", "chest-hospital=9000", "--owner", "patients-fund=1000"];
        let mut transfer = vec!["asset", "transfer", CHEST_RAW, "--right", "holding"];
        transfer.extend(owners);
        transfer.extend(["--manager", CHEST]);
        let transfer = made(&self.act(CHEST, &transfer)?, "transfer")?;
        self.act(FUND, &["asset", "accept-transfer", &transfer])?;
        Ok(())
    }

    /// Offers a grant and accepts it.
    fn grant(
        &self,
        from: &str,
        asset: &str,
        to: &str,
        right: &str,
        more: &[&str],
    ) -> Result<String> {
        let mut offer = vec!["grant", "offer", asset, "--to", to, "--right", right];
        offer.extend(["--purpose", "general-research,commercial", "--territory", "CN"]);
        offer.extend(more);
        let grant = made(&self.act(from, &offer)?, "grant")?;
        self.act(to, &["grant", "accept", &grant])?;
        Ok(grant)
    }

    fn grant_to_lab(&self) -> Result<Grants> {
        let processing = |from, asset| {
            self.grant(from, asset, LAB, "processing", &["--days", "365", "--floor", "1500"])
        };
        let operation = |from, asset| {
            self.grant(from, asset, LAB, "operation", &["--days", "365", "--depth", "2"])
        };
        Ok(Grants {
            processing: [processing(CHEST, CHEST_RAW)?, processing(COUNTY, COUNTY_RAW)?],
            operation: [operation(CHEST, CHEST_RAW)?, operation(COUNTY, COUNTY_RAW)?],
        })
    }

    fn register_cleaned(&self, cleaned: &data::Cleaned, grants: &Grants) -> Result<()> {
        let records = cleaned.records.to_string();
        let inputs = [
            format!("{CHEST_RAW}:{}:{}", cleaned.from_chest, grants.processing[0]),
            format!("{COUNTY_RAW}:{}:{}", cleaned.from_county, grants.processing[1]),
        ];
        let method = path(&cleaned.method)?;
        let more = [
            "--stage",
            "processed",
            "--deidentification",
            "anonymised",
            "--records",
            &records,
            "--input",
            &inputs[0],
            "--input",
            &inputs[1],
            "--activity",
            "cleaning",
            "--purpose",
            "general-research,commercial",
            "--territory",
            "CN",
            "--method",
            &method,
        ];
        self.register(LAB, "fna-cleaned", &cleaned.file, "0/4000/0/6000", &more)
    }

    fn register_and_list(&self, report: &data::Report, raw: &Grants) -> Result<String> {
        let processing = self.grant(LAB, CLEANED, OPERATOR, "processing", &["--days", "300"])?;
        let under = raw.operation.join(",");
        let more = ["--days", "300", "--depth", "1", "--under", &under];
        let operation = self.grant(LAB, CLEANED, OPERATOR, "operation", &more)?;
        let input = format!("{CLEANED}:1:{processing}");
        let method = path(&report.method)?;
        let more = [
            "--stage",
            "product",
            "--deidentification",
            "aggregated",
            "--records",
            "1",
            "--input",
            &input,
            "--activity",
            "analysis",
            "--purpose",
            "commercial",
            "--territory",
            "CN",
            "--method",
            &method,
        ];
        self.register(OPERATOR, "breast-cancer-report", &report.file, "0/1500/2500/6000", &more)?;
        let mut create = vec!["listing", "create", REPORT, "--exchange", EXCHANGES[0]];
        create.extend(["--fee-bp", "150", "--grant", &operation]);
        let listing = made(&self.act(OPERATOR, &create)?, "listing")?;
        self.act(EXCHANGES[0], &["listing", "review", &listing, "--accept"])?;
        Ok(listing)
    }

    /// A contract signed by all three.
    fn contract(&self, listing: &str, price: &str) -> Result<String> {
        let mut propose = vec!["contract", "propose", listing, "--buyer", BUYER];
        propose.extend(["--price", price, "--currency", "CNY", "--days", "200"]);
        let contract = made(&self.act(OPERATOR, &propose)?, "contract")?;
        self.act(BUYER, &["contract", "sign", &contract, "--yes"])?;
        self.act(EXCHANGES[0], &["contract", "sign", &contract, "--yes"])?;
        Ok(contract)
    }

    fn pay(&self, contract: &str, gross: &str, tax: &str, reference: &str) -> Result<String> {
        let mut record = vec!["payment", "record", contract, "--gross", gross, "--tax", tax];
        record.extend(["--currency", "CNY", "--bank-ref", reference]);
        made(&self.act(EXCHANGES[0], &record)?, "payment")
    }

    fn deliver(&self, contract: &str, report: &data::Report) -> Result<()> {
        let file = path(&report.file)?;
        self.act(OPERATOR, &["contract", "deliver", contract, "--content", &file])?;
        self.act(BUYER, &["contract", "confirm", contract])?;
        Ok(())
    }

    /// What everybody is entitled to now, in fen, as members see it and as the account shows it.
    fn statements(&self, moment: &str) -> Result<Value> {
        let product = self.client.json(Some(REGULATOR), &["statement", REPORT])?;
        let account = &product["accounts"][0];
        let mut out = Map::new();
        for member in PAID {
            let own = self.client.json(Some(REGULATOR), &["statement", member])?;
            let total = own["totals"][0]["entitled"].clone();
            let parties = account["parties"].as_array().context("no parties")?;
            let in_account = parties.iter().find(|p| p["party"] == member);
            let in_account = in_account.map(|p| p["entitled"].clone());
            ensure!(in_account == Some(total.clone()), "two statements of {member} differ");
            out.insert(member.into(), total);
        }
        out.insert("residue".into(), account["residue"].clone());
        for part in ["fee", "tax", "net"] {
            out.insert(part.into(), account["remaining"][part].clone());
        }
        println!("   {moment}, in fen:");
        for (name, amount) in &out {
            println!("   {name:>18} {:>12}", amount.to_string());
        }
        Ok(out.into())
    }

    fn shares(&self) -> Result<Vec<Value>> {
        let shares = self.client.json(Some(REGULATOR), &["shares", REPORT])?;
        let claims = shares["claims"].as_array().context("no claims")?;
        let claim = |c: &Value| json!({ "asset": c["name"], "right": c["right"], "units": c["units"].to_string() });
        Ok(claims.iter().map(claim).collect())
    }

    /// The lineage as names.
    fn trace(&self, asset: &str, direction: &str) -> Result<Value> {
        let trace = self.client.json(Some(REGULATOR), &["trace", asset, direction])?;
        let assets = trace["assets"].as_array().context("no assets")?;
        let name = |id: &Value| -> Result<Value> {
            let found = assets.iter().find(|a| a["id"] == *id);
            Ok(found.with_context(|| format!("{id} is not among the assets"))?["name"].clone())
        };
        let edges = trace["edges"].as_array().context("no edges")?;
        let edges = edges.iter().map(|e| Ok(json!([name(&e["input"])?, name(&e["output"])?])));
        Ok(json!({
            "assets": assets.iter().map(|a| a["name"].clone()).collect::<Vec<_>>(),
            "edges": edges.collect::<Result<Vec<_>>>()?,
        }))
    }

    /// Leaves everything running; gives the words that run the client as the regulator.
    fn keep(&mut self, folder: PathBuf) -> Result<Vec<String>> {
        let passphrase = folder.join("passphrase");
        fs::write(&passphrase, PASSPHRASE)?;
        let mut words = self.client.words(Some(REGULATOR))?;
        words.extend(["--passphrase-file".into(), path(&passphrase)?]);
        self.cluster.detach();
        let pids: Vec<String> =
            (0..4).filter_map(|n| self.cluster.pid(n)).map(|p| p.to_string()).collect();
        say("The network keeps running. Ask it anything as the regulator:");
        println!("   {} trace {REPORT} --up", words.join(" "));
        println!("Other members: put their handle after --as. Nodes:");
        for node in &self.cluster.nodes {
            println!("   {:<12} {}", node.name, node.api);
        }
        println!("Stop it:   kill {} && rm -r {}", pids.join(" "), folder.display());
        Ok(words)
    }
}

fn path(path: &Path) -> Result<String> {
    Ok(path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?.to_owned())
}

/// Makes a member's key and describes the member.
fn describe(client: &Client, handle: &str, role: &str) -> Result<Value> {
    client.json(None, &["key", "new", handle])?;
    client.json(None, &["member", "describe", handle, "--name", handle, "--role", role])
}
