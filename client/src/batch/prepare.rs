//! From a line to signed bytes: names and labels resolved, and earlier bytes used again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use headwater_ledger::envelope::asset_id;
use headwater_ledger::event::Event;
use headwater_ledger::hash::{AssetId, ContractId, Digest, EnvelopeId, ListingId};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::query;
use headwater_ledger::state::Records as _;
use headwater_ledger::text::{AssetName, Handle};

use super::event::Names;
use super::input::{Batch, Line};
use super::journal::Past;
use crate::build::{Signed, SigningArgs, envelope, event_ids, objects, sign};
use crate::failure::{Failure, Kind};
use crate::keystore::KeyName;
use crate::remote::Connection;
use crate::submission::{self, EnvelopeStatus, Standing};
use crate::value::moment::now_ms;

/// Signs the lines of a file.
pub struct Signer<'a> {
    /// The connection, for proved reads.
    pub connection: &'a Connection,
    /// The file.
    pub batch: &'a Batch,
    /// The keys of its authors.
    pub keys: BTreeMap<KeyName, SigningKey>,
    /// The keys that sign the lines of their member too.
    pub also_keys: Vec<KeyName>,
    /// How long envelopes are valid.
    pub signing: SigningArgs,
    /// The envelope of each line that is recorded, by place among the lines.
    pub recorded: RefCell<BTreeMap<usize, EnvelopeId>>,
}

/// A signed line.
pub struct Prepared {
    /// The envelope.
    pub signed: Signed,
    /// What is known of it already: an earlier run may have had it recorded.
    pub known: Option<EnvelopeStatus>,
}

impl Signer<'_> {
    /// Signs a line, or takes the bytes signed before as long as they may be recorded.
    pub fn prepare(&self, line: &Line, past: Option<&Past>) -> Result<Prepared, Failure> {
        if let Some(Past::Signed(signed)) = past {
            let again = |known| Ok(Prepared { signed: signed.clone(), known });
            if now_ms() <= signed.envelope.header.not_after_ms {
                return again(None);
            }
            match self.late(signed)? {
                Late::Recorded(status) => return again(Some(status)),
                Late::MayPass => return again(None),
                Late::Never => {}
            }
        }
        let events = self.batch.events(line, self)?;
        let keys = self.keys_of(&line.author)?;
        let not_after_ms = self.signing.not_after_ms();
        let author = line.author.handle.clone();
        let envelope = envelope(self.connection.chain_id(), author, not_after_ms, events)?;
        Ok(Prepared { signed: sign(envelope, &keys)?, known: None })
    }

    /// The key of a line's author, and those that sign with it.
    fn keys_of(&self, author: &KeyName) -> Result<Vec<&SigningKey>, Failure> {
        let further =
            self.also_keys.iter().filter(|key| key.handle == author.handle && *key != author);
        let unlocked = |name: &KeyName| {
            self.keys.get(name).ok_or_else(|| {
                Failure::new(Kind::NotFound, format_args!("the key {name} is not unlocked"))
            })
        };
        std::iter::once(author).chain(further).map(unlocked).collect()
    }

    /// What became of an envelope whose time is over by this machine's clock. Only when the proved
    /// block time agrees, and what it would have made is proved not to be there, may the line be
    /// signed anew: nothing is ever recorded twice.
    fn late(&self, signed: &Signed) -> Result<Late, Failure> {
        let status = submission::ask(self.connection.node(), &signed.id, Duration::ZERO)?;
        if status.status == Standing::Recorded {
            return Ok(Late::Recorded(status));
        }
        let view = self.connection.view(None)?;
        if view.block().header.time_ms <= signed.envelope.header.not_after_ms {
            return Ok(Late::MayPass);
        }
        let made = objects(&signed.envelope, &signed.id);
        // Atomic: one object is as good as all. What makes none cannot be done twice anyway.
        let Some(first) = made.first() else { return Ok(Late::Never) };
        let id = first.id;
        let there = view.ask(|view| {
            Ok(match signed.envelope.events.get(first.event) {
                Some(Event::RegisterAsset(_)) => {
                    let event = event_ids(&signed.envelope, &signed.id).get(first.event).copied();
                    let asset = view.asset(&AssetId::from_digest(id))?;
                    asset.is_some_and(|asset| Some(asset.event) == event)
                }
                Some(_) | None => query::object(view, &id)?.is_some(),
            })
        })?;
        let place = EnvelopeStatus { status: Standing::Recorded, ..status };
        Ok(if there { Late::Recorded(place) } else { Late::Never })
    }
}

/// What became of an envelope whose time is over.
enum Late {
    /// It is recorded.
    Recorded(EnvelopeStatus),
    /// The chain's clock is behind: it may still pass.
    MayPass,
    /// It is not recorded and never will be.
    Never,
}

impl Names for Signer<'_> {
    fn asset(&self, author: &Handle, name: &AssetName) -> AssetId {
        asset_id(&self.connection.chain_id(), author, name)
    }

    fn labelled(&self, label: &str, event: usize) -> Result<Digest, Failure> {
        let found = self.batch.labelled(label);
        let (index, line) = found.ok_or_else(|| {
            Failure::new(Kind::BadInput, format_args!("no line has the label {label}"))
        })?;
        let envelope = self.recorded.borrow().get(&index).copied();
        let envelope = envelope.ok_or_else(|| {
            let number = line.number;
            let message =
                format_args!("line {number} ({label}), which it refers to, is not recorded");
            Failure::new(Kind::Refused, message).hint("see the report of that line")
        })?;
        line.made(&self.connection.chain_id(), &envelope, event).ok_or_else(|| {
            let message = format_args!("event {event} of line {} makes nothing", line.number);
            Failure::new(Kind::BadInput, message)
        })
    }

    fn listing_schedule(&self, listing: &ListingId) -> Result<Digest, Failure> {
        let view = self.connection.view(None)?;
        let found = view.ask(|view| Ok(view.listing(listing)?))?;
        found.map(|listing| listing.schedule).ok_or_else(|| not_there("listing", listing.digest()))
    }

    fn contract_schedule(&self, contract: &ContractId) -> Result<Digest, Failure> {
        let view = self.connection.view(None)?;
        let found = view.ask(|view| Ok(view.contract(contract)?))?;
        let schedule = found.map(|contract| contract.schedule);
        schedule.ok_or_else(|| not_there("contract", contract.digest()))
    }
}

fn not_there(what: &str, id: &Digest) -> Failure {
    Failure::new(Kind::NotFound, format_args!("{what} {id} is not recorded, proved"))
        .hint("correct the id, or have it recorded first")
}
