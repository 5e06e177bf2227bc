//! Nodes as processes: started, killed, waited for; ended when the cluster is dropped.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::program;

/// How long a condition may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// One node.
pub struct Node {
    /// The member that runs it.
    pub name: String,
    /// Its folder.
    pub home: PathBuf,
    /// Base address of its API.
    pub api: String,
    child: Option<Child>,
}

/// A network on loopback.
pub struct Cluster {
    /// The nodes, in order of the validators given.
    pub nodes: Vec<Node>,
    /// The chain id.
    pub chain_id: String,
    folder: PathBuf,
    detached: bool,
}

/// What a cluster is made of.
pub struct Setup<'a> {
    /// An empty folder.
    pub folder: &'a Path,
    /// Members that run the validators.
    pub validators: &'a [&'a str],
    /// Genesis members as a JSON list; `None` lets `testnet` make them.
    pub members: Option<&'a Path>,
    /// Further arguments of `testnet`.
    pub arguments: &'a [&'a str],
}

/// Where the search for ports goes on, so that clusters of one process do not compete.
static NEXT_PORT: Mutex<u16> = Mutex::new(0);

/// The first of `count` ports in a row that are free now.
pub fn free_ports(count: u16) -> Result<u16> {
    let mut next = NEXT_PORT.lock().unwrap_or_else(PoisonError::into_inner);
    if *next == 0 {
        // Processes start at different places for the same reason.
        *next = 20_000 + u16::try_from(std::process::id() % 300)? * 40;
    }
    for _ in 0..1_000 {
        let base = *next;
        *next = if base > 31_000 { 20_000 } else { base + count };
        let mut ports = base..base + count;
        if ports.all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return Ok(base);
        }
    }
    bail!("no {count} free ports in a row")
}

impl Cluster {
    /// Makes the folders of a network. Nothing runs yet.
    pub fn make(setup: &Setup<'_>) -> Result<Cluster> {
        let base = free_ports(3 * u16::try_from(setup.validators.len())?)?;
        let mut command = Command::new(program("headwater-node")?);
        command.arg("testnet").arg("--output").arg(setup.folder.join("net"));
        command.args(["--validators", &setup.validators.join(",")]);
        command.args(["--base-port", &base.to_string()]);
        if let Some(members) = setup.members {
            command.arg("--members").arg(members);
        }
        let output = command.args(setup.arguments).output().context("cannot run testnet")?;
        if !output.status.success() {
            bail!("testnet failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let made: Value = serde_json::from_slice(&output.stdout)?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("not a text");
        let nodes = made["nodes"].as_array().context("testnet printed no nodes")?;
        let nodes = nodes.iter().map(|node| {
            Ok(Node {
                name: text(&node["member"])?,
                home: text(&node["home"])?.into(),
                api: text(&node["api"])?,
                child: None,
            })
        });
        Ok(Cluster {
            nodes: nodes.collect::<Result<_>>()?,
            chain_id: text(&made["chain_id"])?,
            folder: setup.folder.to_owned(),
            detached: false,
        })
    }

    /// Starts a node; its log goes to `NAME.log` in the cluster's folder.
    pub fn start(&mut self, place: usize) -> Result<()> {
        let node = &mut self.nodes[place];
        let log = self.folder.join(format!("{}.log", node.name));
        let log = File::options().create(true).append(true).open(log)?;
        let child = Command::new(program("headwater-node")?)
            .args(["start", "--home"])
            .arg(&node.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        node.child = Some(child);
        Ok(())
    }

    /// Starts every node and waits until all have decided a block.
    pub fn start_all(&mut self) -> Result<()> {
        for place in 0..self.nodes.len() {
            self.start(place)?;
        }
        for place in 0..self.nodes.len() {
            self.wait_for_height(place, 1)?;
        }
        Ok(())
    }

    /// Kills a node without warning.
    pub fn kill(&mut self, place: usize) -> Result<()> {
        let mut child = self.nodes[place].child.take().context("the node does not run")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Asks a node to stop and waits until it has; gives whether it ended well.
    pub fn stop(&mut self, place: usize) -> Result<bool> {
        let mut child = self.nodes[place].child.take().context("the node does not run")?;
        Command::new("kill").arg(child.id().to_string()).status()?;
        Ok(child.wait()?.success())
    }

    /// The process id of a node.
    pub fn pid(&self, place: usize) -> Option<u32> {
        self.nodes[place].child.as_ref().map(Child::id)
    }

    /// What a node says of itself; `None` while it does not answer.
    pub fn status(&self, place: usize) -> Option<Value> {
        get(&format!("{}/v1/status", self.nodes[place].api)).ok()
    }

    /// A node's height; 0 while it does not answer.
    pub fn height(&self, place: usize) -> u64 {
        self.status(place).and_then(|s| s["height"].as_u64()).unwrap_or(0)
    }

    /// Waits until a node has reached a height.
    pub fn wait_for_height(&self, place: usize, height: u64) -> Result<()> {
        let name = &self.nodes[place].name;
        wait(&format!("{name} to reach height {height}"), || Ok(self.height(place) >= height))
    }

    /// Waits until all running nodes are at one height with one state root; gives both.
    pub fn wait_for_agreement(&self) -> Result<(u64, Vec<String>)> {
        let mut found = None;
        wait("all nodes to agree", || {
            let running: Vec<usize> =
                (0..self.nodes.len()).filter(|n| self.nodes[*n].child.is_some()).collect();
            let seen: Vec<(u64, String)> = running
                .iter()
                .filter_map(|n| self.status(*n))
                .filter_map(|s| Some((s["height"].as_u64()?, s["state_root"].as_str()?.into())))
                .collect();
            let agreed = seen.len() == running.len() && seen.iter().all(|s| s == &seen[0]);
            if agreed && let Some((height, _)) = seen.first() {
                found = Some((*height, seen.iter().map(|(_, root)| root.clone()).collect()));
            }
            Ok(agreed)
        })?;
        found.context("no node runs")
    }

    /// The block id of a height at a node.
    pub fn block_id(&self, place: usize, height: u64) -> Result<String> {
        let light = get(&format!("{}/v1/blocks/{height}", self.nodes[place].api))?;
        let id = light["certificate"]["block_id"].as_str();
        Ok(id.context("no block id")?.into())
    }

    /// Leaves the nodes running when this is dropped.
    pub fn detach(&mut self) {
        self.detached = true;
    }

    /// The last lines of a node's log.
    pub fn log_tail(&self, place: usize) -> String {
        let path = self.folder.join(format!("{}.log", self.nodes[place].name));
        let text = fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.detached {
            return;
        }
        for node in &mut self.nodes {
            if let Some(mut child) = node.child.take() {
                // It may have ended by itself.
                let _ = child.kill();
                let _ = child.wait();
            }
        }
        if std::thread::panicking() {
            for place in 0..self.nodes.len() {
                eprintln!("--- log of {}\n{}", self.nodes[place].name, self.log_tail(place));
            }
        }
    }
}

/// Waits for a condition, never for a time.
pub fn wait(what: &str, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    while !done()? {
        if started.elapsed() > PATIENCE {
            bail!("gave up waiting for {what}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// A JSON document from a node.
pub fn get(url: &str) -> Result<Value> {
    let mut answer = ureq::get(url)
        .config()
        .timeout_global(Some(Duration::from_secs(10)))
        .build()
        .call()
        .with_context(|| format!("GET {url}"))?;
    Ok(answer.body_mut().read_json()?)
}
