//! Reads of a remote state at one fixed height, each proved against the certified state root.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_ledger::codec::encode;
use headwater_ledger::genesis::PROTOCOL_VERSION;
use headwater_ledger::hash::{BlockId, ChainId, Digest};
use headwater_ledger::light::{LightBlock, LightError};
use headwater_ledger::merkle::map_proof::MapMultiProof;
use headwater_ledger::merkle::range::Range;
use headwater_ledger::query::{ListEntry, Lists, QueryError};
use headwater_ledger::reject::Fault;
use headwater_ledger::state::{Key, Records as _, Relation, View};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Connection;
use super::http::Exchange;
use crate::failure::{Failure, Kind};

/// Most keys that one request asks for.
const MAX_KEYS: usize = 1_024;
/// Most entries of a list that one request asks for.
const MAX_ENTRIES: u64 = 4_096;
/// Longest wait for the state of a past height.
const PAST_PATIENCE: Duration = Duration::from_secs(30 * 60);
/// Pause before a past state that is not ready is asked for again; the node itself waits longer.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// The block that a proved answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AsOf {
    /// The chain.
    pub chain_id: ChainId,
    /// Height of the block.
    pub height: u64,
    /// Its id, which the commit certificate signs.
    pub block_id: BlockId,
    /// Its time, milliseconds since 1970.
    pub time_ms: u64,
    /// The root that every record read was proved against.
    pub state_root: Digest,
}

/// A record's bytes, or that there is none.
type Value = Option<Arc<[u8]>>;

/// The state at one height. Every value is proved, and every list is checked to be whole, before
/// it is given.
pub struct VerifiedView<'a> {
    connection: &'a Connection,
    block: LightBlock,
    /// By the canonical bytes of their key; `None` is proved to be absent.
    values: RefCell<BTreeMap<Vec<u8>, Value>>,
    /// By the canonical bytes of the key of their range.
    lists: RefCell<BTreeMap<Vec<u8>, Vec<ListEntry>>>,
    failure: RefCell<Option<Failure>>,
}

#[derive(Deserialize)]
struct StateAnswer {
    block: LightBlock,
    values: Vec<Option<String>>,
    proof: MapMultiProof,
}

#[derive(Deserialize)]
struct ListAnswer {
    entries: Vec<String>,
}

impl<'a> VerifiedView<'a> {
    /// The state at a height, or at the node's latest.
    pub(super) fn open(connection: &'a Connection, at: Option<u64>) -> Result<Self, Failure> {
        let keys = [Key::Protocol, Key::Ordinal].map(|key| (bytes_of(&key), key));
        let (exchange, answer) = ask(connection, at, &keys)?;
        let height = answer.block.header.height;
        let trusted = connection.trusted().height;
        let chain_id = answer.block.header.chain_id;
        if chain_id != connection.chain_id() {
            let reason = LightError::Chain(chain_id).to_string();
            return Err(connection.accuse(&exchange, &reason));
        }
        match at {
            Some(asked) if asked != height => {
                let reason =
                    format!("the state at height {asked} was asked for, the answer is of {height}");
                return Err(connection.accuse(&exchange, &reason));
            }
            None if height < trusted => {
                return Err(super::behind(height, trusted));
            }
            Some(_) | None => {}
        }
        connection.prove(&answer.block, &exchange)?;
        let protocol = answer.block.header.protocol;
        if !(1..=PROTOCOL_VERSION).contains(&protocol) {
            let message = format_args!(
                "the network is at protocol version {protocol}, this client knows 1 \
                 to {PROTOCOL_VERSION}"
            );
            return Err(Failure::new(Kind::Node, message).hint("use a client of that version"));
        }
        let view = VerifiedView {
            connection,
            block: answer.block.clone(),
            values: RefCell::default(),
            lists: RefCell::default(),
            failure: RefCell::default(),
        };
        view.take(&exchange, &keys, answer)?;
        Ok(view)
    }

    /// The block that everything here rests on.
    pub fn block(&self) -> &LightBlock {
        &self.block
    }

    /// The same, as printed with every answer.
    pub fn as_of(&self) -> AsOf {
        let header = &self.block.header;
        AsOf {
            chain_id: header.chain_id,
            height: header.height,
            block_id: self.block.certificate.block_id,
            time_ms: header.time_ms,
            state_root: header.state_root,
        }
    }

    /// Asks a question of this view. What stopped a read is told rather than what it led to.
    pub fn ask<T>(
        &self,
        question: impl FnOnce(&Self) -> Result<T, QueryError>,
    ) -> Result<T, Failure> {
        question(self).map_err(|error| match (self.failure.take(), error) {
            (Some(failure), _) => failure,
            (None, error @ QueryError::Unknown(_)) => {
                let height = self.block.header.height;
                Failure::new(Kind::NotFound, format_args!("{error} as of height {height}, proved"))
                    .hint(
                        "check how it is written; it may have been recorded later than that height",
                    )
            }
            (None, error @ QueryError::TooLarge { .. }) => Failure::new(Kind::BadInput, error),
            (None, QueryError::Fault(fault)) => {
                Failure::new(Kind::Node, format_args!("the proved state makes no sense: {fault}"))
                    .hint("check that this client is of the network's version")
            }
        })
    }

    /// Reads and proves those of these keys that are not known yet.
    fn fetch(&self, keys: &[Key]) -> Result<(), Failure> {
        let mut seen = BTreeSet::new();
        let missing: Vec<(Vec<u8>, Key)> = {
            let values = self.values.borrow();
            let new = |(bytes, _): &(Vec<u8>, Key)| {
                !values.contains_key(bytes) && seen.insert(bytes.clone())
            };
            keys.iter().map(|key| (bytes_of(key), key.clone())).filter(new).collect()
        };
        for keys in missing.chunks(MAX_KEYS) {
            let (exchange, answer) = ask(self.connection, Some(self.block.header.height), keys)?;
            if answer.block.header != self.block.header {
                let reason = format!(
                    "the answer rests on another block than block {} of height {}",
                    self.block.certificate.block_id, self.block.header.height
                );
                return Err(self.connection.accuse(&exchange, &reason));
            }
            self.take(&exchange, keys, answer)?;
        }
        Ok(())
    }

    /// Proves the values of an answer and keeps them.
    fn take(
        &self,
        exchange: &Exchange,
        keys: &[(Vec<u8>, Key)],
        answer: StateAnswer,
    ) -> Result<(), Failure> {
        let lie = |reason: &str| self.connection.accuse(exchange, reason);
        if answer.values.len() != keys.len() {
            let (asked, given) = (keys.len(), answer.values.len());
            return Err(lie(&format!("{asked} records were asked for, {given} were given")));
        }
        let mut values: Vec<Value> = Vec::with_capacity(keys.len());
        for value in answer.values {
            let value = value.map(hex::decode).transpose();
            let value = value.map_err(|_| lie("a record is not hexadecimal"))?;
            values.push(value.map(Arc::from));
        }
        let mut claims = Vec::with_capacity(keys.len());
        for ((_, key), value) in keys.iter().zip(&values) {
            let hash = key.hash().map_err(|error| Failure::new(Kind::BadInput, error))?;
            claims.push((hash, value.as_deref()));
        }
        let root = &self.block.header.state_root;
        if !answer.proof.verify(root, &claims) {
            return Err(lie(&format!(
                "the proof does not lead from the records to the state root {root} of height {}",
                self.block.header.height
            )));
        }
        let keys = keys.iter().map(|(bytes, _)| bytes.clone());
        self.values.borrow_mut().extend(keys.zip(values));
        Ok(())
    }

    /// Reads a list and checks that it is whole.
    fn fetch_list(&self, relation: &Relation, range: &Range) -> Result<Vec<ListEntry>, Failure> {
        let mut found = Range::default();
        let mut entries = Vec::new();
        let mut last = None;
        while found.count() < range.count() {
            let limit = (range.count() - found.count()).min(MAX_ENTRIES);
            let request = json!({ "relation": relation, "from": found.count(), "limit": limit });
            let exchange = self.connection.node().post("/v1/lists", request)?.ok()?;
            let ListAnswer { entries: piece } = exchange.parse()?;
            if piece.is_empty() || piece.len() as u64 > limit {
                let reason = format!(
                    "the list has {} entries at height {}, {} were given after the first {}",
                    range.count(),
                    self.block.header.height,
                    piece.len(),
                    found.count()
                );
                return Err(self.connection.accuse(&exchange, &reason));
            }
            for entry in piece {
                let entry = hex::decode(entry).ok();
                let entry = entry.and_then(|bytes| ListEntry::from_bytes(&bytes).ok());
                let entry = entry.ok_or_else(|| {
                    self.connection.accuse(&exchange, "an entry of the list is malformed")
                })?;
                found.push(&entry.to_bytes());
                entries.push(entry);
            }
            last = Some(exchange);
        }
        match last {
            Some(exchange) if found != *range => {
                let reason = format!(
                    "the entries do not hash to the list's root at height {}: something was \
                     changed, left out or put in",
                    self.block.header.height
                );
                Err(self.connection.accuse(&exchange, &reason))
            }
            Some(_) | None => Ok(entries),
        }
    }

    /// Keeps why a read failed, since the ledger's queries carry only its sentence.
    fn fault(&self, failure: Failure) -> Fault {
        let fault = Fault(failure.message().to_string());
        self.failure.replace(Some(failure));
        fault
    }
}

impl View for VerifiedView<'_> {
    fn value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault> {
        self.prefetch(std::slice::from_ref(key))?;
        let values = self.values.borrow();
        let value = values.get(&bytes_of(key)).cloned();
        value.ok_or_else(|| Fault("a record that was read is gone".into()))
    }

    fn prefetch(&self, keys: &[Key]) -> Result<(), Fault> {
        self.fetch(keys).map_err(|failure| self.fault(failure))
    }
}

impl Lists for VerifiedView<'_> {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        let key = bytes_of(&Key::Range(relation.clone()));
        if let Some(entries) = self.lists.borrow().get(&key) {
            return Ok(entries.clone());
        }
        let range = self.range(relation)?;
        let entries = self.fetch_list(relation, &range).map_err(|failure| self.fault(failure))?;
        self.lists.borrow_mut().insert(key, entries.clone());
        Ok(entries)
    }
}

/// Asks for records with proof; nothing is checked yet. Waits while the node makes a past state
/// again from its log.
fn ask(
    connection: &Connection,
    height: Option<u64>,
    keys: &[(Vec<u8>, Key)],
) -> Result<(Exchange, StateAnswer), Failure> {
    let keys: Vec<String> = keys.iter().map(|(bytes, _)| hex::encode(bytes)).collect();
    let request = json!({ "height": height, "keys": keys });
    let (started, mut told) = (Instant::now(), false);
    loop {
        let exchange = connection.node().post("/v1/state", request.clone())?;
        if !exchange.is_rebuilding() || started.elapsed() > PAST_PATIENCE {
            let exchange = exchange.ok()?;
            let answer = exchange.parse()?;
            return Ok((exchange, answer));
        }
        if !told {
            told = true;
            let text = "the node makes the state of that height again from its log; waiting";
            connection.output.warn(text);
        }
        std::thread::sleep(ASK_AGAIN_AFTER);
    }
}

/// The canonical bytes of a key. Keys hold nothing that could be too long to encode.
fn bytes_of(key: &Key) -> Vec<u8> {
    encode(key).unwrap_or_default()
}
