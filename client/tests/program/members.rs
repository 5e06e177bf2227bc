//! Members who hold their keys in one home and act against one node that runs the ledger's rules.

use std::ops::Deref;

use headwater_ledger::envelope::asset_id;
use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::hash::AssetId;
use serde_json::Value;

use crate::chain::{Node, seed};
use crate::user::User;

const MEMBERS: [&str; 5] = ["bourse", "clinic", "works", "pharma", "watch"];

/// A user who holds the keys of all members.
pub struct Members {
    user: User,
    pub node: Node,
}

impl Deref for Members {
    type Target = User;
    fn deref(&self) -> &User {
        &self.user
    }
}

impl Members {
    pub fn new() -> Self {
        Self::under(|_| {})
    }

    /// Members under a changed rulebook.
    pub fn under(change: impl FnOnce(&mut Rulebook)) -> Self {
        let mut rulebook = Rulebook::standard();
        change(&mut rulebook);
        let node = Node::start(rulebook);
        let user = User::of(&node.url);
        for handle in MEMBERS {
            let file = user.file("seed", hex::encode(seed(handle)));
            user.json(&["key", "import", handle, "--seed-file", &file], 0);
        }
        Members { user, node }
    }

    /// Acts, and gives the id of the object made, or null.
    pub fn act(&self, member: &str, arguments: &[&str]) -> String {
        let done = self.json(&[arguments, &["--as", member]].concat(), 0);
        assert_eq!(done["status"], "recorded", "{done}");
        done["made"][0]["id"].as_str().unwrap_or_default().to_string()
    }

    /// Acts in vain, and gives the error.
    pub fn refused(&self, member: &str, arguments: &[&str]) -> Value {
        self.json(&[arguments, &["--as", member]].concat(), 1)["error"].clone()
    }

    /// Runs `submit` and gives its reports and the summary.
    pub fn submit(&self, file: &str, options: &[&str], code: i32) -> (Vec<Value>, Value) {
        let output = self.run(&[&["submit", file, "--json"], options].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{stderr}{}",
            String::from_utf8_lossy(&output.stdout)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        if code != 0 {
            assert!(lines.pop().unwrap()["error"].is_object(), "{text}");
        }
        let summary = lines.pop().unwrap_or_default()["summary"].clone();
        (lines, summary)
    }

    pub fn asset(&self, author: &str, name: &str) -> AssetId {
        let chain_id = self.node.chain.lock().unwrap().chain_id();
        asset_id(&chain_id, &author.parse().unwrap(), &name.parse().unwrap())
    }
}

/// What is registered with every asset.
pub const METADATA: [&str; 14] = [
    "--format",
    "text/csv",
    "--region",
    "CN-GD",
    "--period-from",
    "2026-01-01",
    "--period-to",
    "2026-06-30",
    "--classification",
    "general",
    "--sensitivity",
    "2",
    "--deidentification",
    "anonymised",
];

/// The words that register a raw asset.
pub fn raw<'a>(name: &'a str, content: &'a str) -> Vec<&'a str> {
    let own = [
        "asset",
        "register",
        name,
        "--stage",
        "raw",
        "--content",
        content,
        "--count-lines",
        "--split",
        "4000/3000/3000/0",
    ];
    [&own[..], &METADATA[..]].concat()
}
