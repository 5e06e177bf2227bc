//! What a step can refer to: names given before, the clock, and the ledger as it is now.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::form::Wrong;
use crate::hash::{AggregateId, AssetId, ChainId, Digest};
use crate::query::{ListEntry, Lists};
use crate::reject::Fault;
use crate::state::{Key, Relation, View};
use crate::text::Handle;

/// A view of any kind, behind a reference.
pub trait AnyLists {
    /// The bytes under a key.
    fn any_value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault>;
    /// All entries of a list.
    fn any_entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault>;
}

impl<L: Lists> AnyLists for L {
    fn any_value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault> {
        self.value(key)
    }
    fn any_entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        self.entries(relation)
    }
}

/// The ledger as it is now; before a file is run there is none, and nothing is recorded.
#[derive(Clone, Copy)]
pub struct Seen<'a>(pub Option<&'a dyn AnyLists>);

impl View for Seen<'_> {
    fn value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault> {
        self.0.map_or(Ok(None), |lists| lists.any_value(key))
    }
}

impl Lists for Seen<'_> {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        self.0.map_or(Ok(Vec::new()), |lists| lists.any_entries(relation))
    }
}

/// Names of what acts made.
#[derive(Debug, Clone, Default)]
pub struct Names {
    by_name: BTreeMap<String, (&'static str, Digest)>,
    by_digest: BTreeMap<Digest, String>,
    /// The sources behind the root of a Merkle-sum tree, as they were read.
    sealed: RefCell<BTreeMap<Digest, Vec<(String, u64)>>>,
    /// The root of each aggregate.
    roots: BTreeMap<AggregateId, Digest>,
    /// The height at which what bears a name was recorded.
    heights: BTreeMap<String, u64>,
    /// What the story calls assets and keys, by their ids as written in full.
    said: RefCell<BTreeMap<String, String>>,
}

impl Names {
    /// Gives a name to what an act made.
    pub fn give(&mut self, name: &str, what: &'static str, id: Digest) {
        self.by_name.insert(name.into(), (what, id));
        self.by_digest.insert(id, name.into());
    }

    /// Remembers how an asset is shown.
    pub fn show_asset(&mut self, id: &AssetId, author: &Handle, name: &str) {
        self.by_digest.insert(*id.digest(), format!("{author}/{name}"));
    }

    /// What bears a name.
    pub fn get(&self, name: &str) -> Option<(&'static str, Digest)> {
        self.by_name.get(name).copied()
    }

    /// The name of something.
    pub fn of(&self, id: &Digest) -> Option<&str> {
        self.by_digest.get(id).map(String::as_str)
    }

    /// Remembers the sources behind a root.
    pub fn remember_sources(&self, root: Digest, sources: Vec<(String, u64)>) {
        self.sealed.borrow_mut().insert(root, sources);
    }

    /// Remembers which root an aggregate has.
    pub fn remember_aggregate(&mut self, id: AggregateId, root: Digest) {
        self.roots.insert(id, root);
    }

    /// The sources of an aggregate that was sealed in this story.
    pub fn sources(&self, id: &AggregateId) -> Option<Vec<(String, u64)>> {
        self.sealed.borrow().get(self.roots.get(id)?).cloned()
    }

    /// Remembers how the story calls an asset or a key.
    pub fn say(&self, id: String, name: String) {
        self.said.borrow_mut().insert(id, name);
    }

    /// How the story calls an asset or a key, by its id as written in full.
    pub fn said(&self, id: &str) -> Option<String> {
        self.said.borrow().get(id).cloned()
    }

    /// Every asset and key, as the story calls it.
    pub fn all_said(&self) -> Vec<String> {
        self.said.borrow().values().cloned().collect()
    }

    /// A sentence with the names of the story in place of ids.
    pub fn in_words(&self, sentence: &str) -> String {
        let is_id = |c: char| c.is_ascii_alphanumeric() || c == ':';
        let mut words = String::new();
        for piece in sentence.split_inclusive(|c| !is_id(c)) {
            let id = piece.trim_end_matches(|c| !is_id(c));
            let known = id.parse().ok().and_then(|digest| self.of(&digest).map(String::from));
            let name = known.or_else(|| self.said(id));
            words.push_str(name.as_deref().unwrap_or(id));
            words.push_str(piece.get(id.len()..).unwrap_or_default());
        }
        words
    }

    /// Remembers at which height what bears a name was recorded.
    pub fn recorded_at(&mut self, name: &str, height: u64) {
        self.heights.insert(name.into(), height);
    }

    /// The height at which what bears a name was recorded.
    pub fn height(&self, name: &str) -> Option<u64> {
        self.heights.get(name).copied()
    }

    /// Every name.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

/// What is known where a step stands.
pub struct Context<'a> {
    /// The chain.
    pub chain: ChainId,
    /// Who acts.
    pub author: Handle,
    /// Block time at the begin of the story, milliseconds since 1970.
    pub start_ms: u64,
    /// Block time of the block this step will be in.
    pub now_ms: u64,
    /// Height of that block.
    pub height: u64,
    /// The names given so far.
    pub names: &'a Names,
    /// The ledger as it is now.
    pub seen: Seen<'a>,
    /// Whose keys a bare name of a key means; the author's when there is nobody.
    pub keys_of: RefCell<Option<Handle>>,
}

impl Context<'_> {
    /// The same as seen by another member.
    pub fn as_member(&self, author: Handle) -> Context<'_> {
        Context {
            chain: self.chain,
            author,
            start_ms: self.start_ms,
            now_ms: self.now_ms,
            height: self.height,
            names: self.names,
            seen: self.seen,
            keys_of: RefCell::new(None),
        }
    }

    /// From here on a bare name of a key means a key of this member.
    pub fn means_keys_of(&self, member: &Handle) {
        *self.keys_of.borrow_mut() = Some(member.clone());
    }

    /// Whose keys a bare name of a key means.
    pub fn key_owner(&self) -> Handle {
        self.keys_of.borrow().clone().unwrap_or_else(|| self.author.clone())
    }

    /// Fails when a value cannot be read from the ledger; before running, gives a stand-in.
    pub fn recorded<T>(&self, found: Option<T>, stand_in: T, what: &str) -> Result<T, Wrong> {
        match (found, self.seen.0) {
            (Some(found), _) => Ok(found),
            (None, None) => Ok(stand_in),
            (None, Some(_)) => Err(Wrong(format!("{what} is not recorded"))),
        }
    }
}
