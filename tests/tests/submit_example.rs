//! Records the example of batch submission, line by line, by the rules of the ledger, and compares
//! the figures that its document states.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_ledger::codec::{self, List};
use headwater_ledger::envelope::{ENVELOPE_VERSION, Envelope, EnvelopeHeader, asset_id, event_id};
use headwater_ledger::event::Event;
use headwater_ledger::event::member::{AdmitMember, MemberKey, Role, Scope};
use headwater_ledger::execute::{BlockContext, Execution};
use headwater_ledger::genesis::{Genesis, PROTOCOL_VERSION};
use headwater_ledger::hash::{AssetId, ChainId, ContractId, Digest, ListingId};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::query::{self, ListEntry, Lists};
use headwater_ledger::reject::Fault;
use headwater_ledger::state::{Key, Records, Relation, State, View};
use headwater_ledger::text::Handle;
use headwater_ledger::validator::Validator;
use serde_json::Value;

const EXAMPLE: &str = include_str!("../../docs/examples/market.ndjson");

/// 2026-11-23T00:00:00Z.
const BEGIN_MS: u64 = 1_795_392_000_000;

/// Members as the document has them made, each with the seed of its key.
const MEMBERS: [(&str, u8, &[Role]); 4] = [
    ("dev", 1, &[Role::Exchange, Role::Regulator]),
    ("clinic", 2, &[Role::Holder]),
    ("lab", 3, &[Role::Processor, Role::Operator]),
    ("insurer", 4, &[Role::Buyer]),
];

fn key(handle: &str) -> SigningKey {
    let member = MEMBERS.iter().find(|(name, _, _)| *name == handle);
    let (_, seed, _) = member.unwrap_or_else(|| panic!("{handle} is not a member"));
    SigningKey::from_seed(&[*seed; 32])
}

fn list<T, const MAX: usize>(items: Vec<T>) -> List<T, MAX> {
    List::new(items).unwrap_or_else(|_| panic!("too many items"))
}

fn genesis() -> Genesis {
    let members = MEMBERS.map(|(handle, _, roles)| AdmitMember {
        handle: handle.parse().unwrap(),
        name: handle.parse().unwrap(),
        roles: list(roles.to_vec()),
        keys: list(vec![MemberKey {
            key: key(handle).public_key(),
            scopes: list(Scope::ALL.to_vec()),
        }]),
    });
    let consensus = SigningKey::from_seed(&[9; 32]).public_key();
    let validator = Validator { member: "dev".parse().unwrap(), key: consensus, power: 1 };
    Genesis {
        rulebook: Default::default(),
        name: "dev".parse().unwrap(),
        protocol: PROTOCOL_VERSION,
        time_ms: BEGIN_MS,
        members: list(members.to_vec()),
        validators: list(vec![validator]),
    }
}

/// A chain with one envelope a block.
struct Chain {
    chain_id: ChainId,
    state: State,
    height: u64,
    /// What the events of labelled lines made.
    labels: BTreeMap<String, Vec<Digest>>,
    /// Lists by the canonical bytes of their relations.
    entries: BTreeMap<Vec<u8>, Vec<ListEntry>>,
}

impl Chain {
    fn begin() -> Chain {
        let genesis = genesis();
        Chain {
            chain_id: genesis.chain_id().unwrap(),
            state: State::genesis(&genesis).unwrap(),
            height: 0,
            labels: BTreeMap::new(),
            entries: BTreeMap::new(),
        }
    }

    fn asset(&self, name: &str) -> AssetId {
        let (author, name) = name.split_once('/').expect("handle/name");
        asset_id(&self.chain_id, &author.parse().unwrap(), &name.parse().unwrap())
    }

    /// Puts ids in the place of what stands for them.
    fn resolve(&self, key: &str, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(reference) = text.strip_prefix('$') {
                    let (label, place) = reference.split_once('.').unwrap_or((reference, "0"));
                    let made = &self.labels[label];
                    *text = made[place.parse::<usize>().unwrap()].to_string();
                } else if matches!(key, "asset" | "revises") && text.contains('/') {
                    *text = self.asset(text).to_string();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.resolve(key, item)),
            Value::Object(fields) => {
                fields.iter_mut().for_each(|(key, item)| self.resolve(key, item));
                if fields.get("schedule").is_some_and(|s| s == "auto") {
                    fields["schedule"] = self.schedule(fields).to_string().into();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn schedule(&self, fields: &serde_json::Map<String, Value>) -> Digest {
        let id = |name: &str| fields.get(name).map(|id| id.as_str().unwrap().parse().unwrap());
        match (id("listing"), id("contract")) {
            (Some(listing), _) => {
                let listing = self.state.listing(&ListingId::from_digest(listing)).unwrap();
                listing.expect("a listing").schedule
            }
            (None, Some(contract)) => {
                let contract = self.state.contract(&ContractId::from_digest(contract)).unwrap();
                contract.expect("a contract").schedule
            }
            (None, None) => panic!("no listing and no contract"),
        }
    }

    /// Signs a line with its author's key and records it as a block of its own.
    fn record(&mut self, line: &str) {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let author: Handle = line["author"].as_str().unwrap().parse().unwrap();
        let label = line.get("label").map(|label| label.as_str().unwrap().to_owned());
        let mut events = line["events"].take();
        self.resolve("", &mut events);
        let events: Vec<Event> = serde_json::from_value(events).unwrap();

        let context = BlockContext {
            chain_id: self.chain_id,
            height: self.height + 1,
            time_ms: BEGIN_MS + 1_000 * (self.height + 1),
        };
        let header = EnvelopeHeader {
            version: ENVELOPE_VERSION,
            chain_id: self.chain_id,
            author: author.clone(),
            not_after_ms: context.time_ms + 3_600_000,
            salt: [0; 16],
        };
        let envelope = Envelope { header, events: list(events.clone()) };
        let signed = envelope.sign(&[&key(author.as_str())]).unwrap().verify().unwrap();
        let mut execution = Execution::begin(&self.state, context).unwrap();
        execution.apply(&signed).unwrap_or_else(|refusal| panic!("{author}: {refusal}"));
        let executed = execution.finish().unwrap();
        for appended in executed.effects.iter().flat_map(|effects| &effects.appended) {
            let entry = ListEntry::from_bytes(&appended.entry).unwrap();
            let relation = codec::encode(&appended.relation).unwrap();
            self.entries.entry(relation).or_default().push(entry);
        }
        self.state = executed.state;
        self.height += 1;

        let made = (0..).zip(&events).map(|(place, event)| match event {
            Event::RegisterAsset(asset) => *asset_id(&self.chain_id, &author, &asset.name).digest(),
            _ => *event_id(&signed.id(), place).digest(),
        });
        let made = made.collect();
        if let Some(label) = label {
            assert!(self.labels.insert(label, made).is_none(), "a label is used twice");
        }
    }
}

impl View for Chain {
    fn value(&self, key: &Key) -> Result<Option<Arc<[u8]>>, Fault> {
        self.state.value(key)
    }
}

impl Lists for Chain {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        let relation = codec::encode(relation).unwrap();
        Ok(self.entries.get(&relation).cloned().unwrap_or_default())
    }
}

#[test]
fn every_line_of_the_example_is_recorded_and_its_money_falls_as_stated() {
    let mut chain = Chain::begin();
    EXAMPLE.lines().for_each(|line| chain.record(line));
    let statement = query::product_statement(&chain, &chain.asset("lab/report-2026"), 0).unwrap();
    let [account] = &statement.accounts[..] else { panic!("{statement:?}") };
    assert_eq!((account.received.gross, account.received.tax), (1_060_000, 60_000));
    assert_eq!((account.received.fee, account.received.net), (15_000, 985_000));
    let parties: BTreeMap<&str, u64> =
        account.parties.iter().map(|p| (p.party.as_str(), p.payable)).collect();
    assert_eq!(parties, BTreeMap::from([("clinic", 394_000), ("lab", 591_000)]));
    assert_eq!(account.residue, 0);

    let document = include_str!("../../docs/submit.md");
    for figure in ["| `lab` | 5 910.00 |", "| `clinic` | 3 940.00 |", "net of 9 850.00 CNY"] {
        assert!(document.contains(figure), "the document does not state {figure}");
    }
}
