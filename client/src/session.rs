//! What every command is given: the options that hold for all of them, ready for use.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use headwater_ledger::keys::SigningKey;

use crate::failure::{Failure, Kind};
use crate::keystore::{KeyName, Keystore};
use crate::output::Output;
use crate::passphrase::{Passphrase, Source};

/// The base address of a node's HTTP API, without a final `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeUrl(String);

impl NodeUrl {
    /// The address of a path that begins with `/`.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for NodeUrl {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let is_host = |c: char| !c.is_whitespace() && !c.is_control() && c != '?' && c != '#';
        match host.map(|host| host.trim_end_matches('/')) {
            Some(host) if !host.is_empty() && host.chars().all(is_host) => {
                Ok(NodeUrl(text.trim_end_matches('/').to_string()))
            }
            _ => Err("expected an address such as http://127.0.0.1:26680"),
        }
    }
}

/// The options that hold for all commands.
#[derive(Debug, Clone)]
pub struct Session {
    /// The folder of keys and pinned state; may not exist yet.
    pub home: PathBuf,
    /// The node to ask.
    pub node: NodeUrl,
    /// Where to print.
    pub output: Output,
    pub(crate) acting: Option<KeyName>,
    pub(crate) passphrase: Source,
}

impl Session {
    /// The keystore in the home folder.
    pub fn keystore(&self) -> Keystore {
        Keystore::open(&self.home)
    }

    /// The passphrase of an existing key, from option, environment or terminal.
    pub fn passphrase(&self, key: &KeyName) -> Result<Passphrase, Failure> {
        self.passphrase.ask(key)
    }

    /// The passphrase for a new key; asked for twice on a terminal.
    pub fn choose_passphrase(&self, key: &KeyName) -> Result<Passphrase, Failure> {
        self.passphrase.choose(key)
    }

    /// The key named by `--as`; its handle is the member who acts.
    pub fn acting(&self) -> Result<&KeyName, Failure> {
        self.acting.as_ref().ok_or_else(|| {
            Failure::new(Kind::Usage, "which member acts is not known")
                .hint("pass --as HANDLE or set HEADWATER_AS")
        })
    }

    /// Unlocks the key named by `--as`.
    pub fn signing_key(&self) -> Result<SigningKey, Failure> {
        self.unlock(self.acting()?)
    }

    /// Unlocks a key.
    pub fn unlock(&self, name: &KeyName) -> Result<SigningKey, Failure> {
        let keystore = self.keystore();
        // A missing key is told before a passphrase is asked for.
        keystore.info(name)?;
        keystore.unlock(name, &self.passphrase(name)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_addresses_lose_their_final_slash() {
        let url: NodeUrl = "http://127.0.0.1:26680/".parse().unwrap();
        assert_eq!(url.join("/health"), "http://127.0.0.1:26680/health");
        for bad in
            ["", "http://", "http:///", "ftp://a", "127.0.0.1:26680", "http://a b", "http://a?b"]
        {
            assert!(bad.parse::<NodeUrl>().is_err(), "{bad}");
        }
    }
}
