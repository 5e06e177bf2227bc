//! Why something is as it is: what was recorded of it, by which rules, what holds of it now, and
//! where that comes from.

mod asset;
mod dispute;
mod grant;
mod market;
mod money;

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::place::{Object, change_in_words, object};
use super::{Lists, QueryError, recorded, shown};
use crate::event::rights::Owner;
use crate::hash::{AccountId, AssetId, Digest};
use crate::keys::PublicKey;
use crate::reject::Fault;
use crate::split::Right;
use crate::state::record::{ChangeRecord, RevokedKey, Signed, SuccessionRecord, TransferRecord};
use crate::state::{Key, Records};
use crate::text::Handle;
use crate::words::word;

/// What is to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// An object, by its id.
    Object(Digest),
    /// What one owner has of one claim of an account.
    Line(AccountId, AssetId, Right, Handle),
}

/// Why something is as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// What kind of thing it is, such as `asset`.
    pub kind: String,
    /// Its id.
    pub id: Digest,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Height at which it was recorded; absent of accounts and lines.
    pub height: Option<u64>,
    /// The reasons, in order of reading.
    pub reasons: Vec<Reason>,
}

/// One statement with the rule it follows from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The rule's tag in the specification.
    pub rule: String,
    /// What holds.
    pub text: String,
    /// The values it rests on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// The way through the lineage from the asset asked about to what causes it, as `handle/name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
}

impl Reason {
    fn new(rule: &str, text: impl Into<String>) -> Self {
        let (values, path) = (BTreeMap::new(), Vec::new());
        Reason { rule: rule.to_string(), text: text.into(), values, path }
    }

    fn with(mut self, name: &str, value: impl Display) -> Self {
        self.values.insert(name.to_string(), value.to_string());
        self
    }

    fn along(mut self, path: Vec<String>) -> Self {
        self.path = path;
        self
    }
}

/// An explanation being written.
struct Case<'a, V> {
    view: &'a V,
    /// Block time of the state.
    time_ms: u64,
    reasons: Vec<Reason>,
}

/// Explains a thing as of a state and its block time.
pub fn explain<V: Lists>(view: &V, topic: &Topic, time_ms: u64) -> Result<Explanation, QueryError> {
    let mut case = Case { view, time_ms, reasons: Vec::new() };
    let (id, found) = match topic {
        Topic::Line(account, asset, right, owner) => {
            case.line(account, asset, *right, owner)?;
            let name = Some(format!("{right} right over {}, {owner}", case.name(asset)?));
            let id = *account.digest();
            return Ok(case.end("line", id, name, None));
        }
        Topic::Object(id) => (*id, object(view, id)?),
    };
    let found = found.ok_or_else(|| QueryError::Unknown(format!("{id}")))?;
    case.object(id, &found)
}

impl<V: Lists> Case<'_, V> {
    fn end(self, kind: &str, id: Digest, name: Option<String>, height: Option<u64>) -> Explanation {
        Explanation { kind: kind.to_string(), id, name, height, reasons: self.reasons }
    }

    fn object(mut self, id: Digest, found: &Object) -> Result<Explanation, QueryError> {
        let (kind, about, height) = match found {
            Object::Asset(id, r) => {
                self.asset(id, r)?;
                ("asset", Some(*id), Some(r.height))
            }
            Object::Grant(id, r) => {
                self.grant(id, r)?;
                ("grant", Some(r.asset), Some(r.height))
            }
            Object::Request(_, r) => {
                self.request(r)?;
                ("request", Some(r.asset), Some(r.height))
            }
            Object::Offer(_, r) => {
                self.offer(r)?;
                ("standing offer", Some(r.asset), Some(r.height))
            }
            Object::Transfer(_, r) => {
                self.transfer(r)?;
                ("transfer", Some(r.asset), None)
            }
            Object::Access(_, r) => {
                self.access(r)?;
                ("access", Some(r.asset), Some(r.height))
            }
            Object::Registration(_, r) => {
                self.registration(r)?;
                ("registration", Some(r.asset), Some(r.height))
            }
            Object::Listing(_, r) => {
                self.listing(r)?;
                ("listing", Some(r.asset), Some(r.height))
            }
            Object::Contract(id, r) => {
                self.contract(id, r)?;
                ("contract", Some(r.asset), Some(r.height))
            }
            Object::Payment(_, r) => {
                self.payment(r)?;
                ("payment", None, Some(r.height))
            }
            Object::Account(id, r) => {
                self.account(id, r)?;
                ("account", Some(r.product), None)
            }
            Object::Payout(_, r) => {
                self.payout(r)?;
                ("payout", Some(r.asset), Some(r.height))
            }
            Object::SetOff(_, r) => {
                self.set_off(r)?;
                ("set-off", Some(r.to.asset), Some(r.height))
            }
            Object::Certificate(_, r) => {
                self.certificate(r)?;
                ("certificate", None, Some(r.height))
            }
            Object::Aggregate(_, r) => {
                self.aggregate(r)?;
                ("aggregate", Some(r.asset), Some(r.height))
            }
            Object::Dispute(id, r) => {
                self.dispute(id, r)?;
                ("dispute", None, Some(r.height))
            }
            Object::Succession(_, r) => {
                self.succession(r)?;
                ("succession", None, Some(r.height))
            }
            Object::Change(_, r) => {
                self.change(r)?;
                ("change", None, Some(r.height))
            }
        };
        let name = about.map(|asset| self.name(&asset)).transpose()?;
        Ok(self.end(kind, id, name, height))
    }

    fn say(&mut self, reason: Reason) {
        self.reasons.push(reason);
    }

    /// `handle/name` of a recorded asset.
    fn name(&self, id: &AssetId) -> Result<String, Fault> {
        Ok(shown(&recorded(self.view, id)?))
    }

    /// Says so when the key that signed something was revoked.
    fn signer(&mut self, key: &PublicKey, signed_ms: u64, cleared: bool) -> Result<bool, Fault> {
        let revoked: Option<RevokedKey> = self.view.get(&Key::RevokedKey(*key))?;
        let Some(revoked) = revoked else { return Ok(false) };
        let since = revoked.compromised_since_ms.filter(|since| *since <= signed_ms);
        let contested = since.is_some() && !cleared;
        let text = match (since, cleared) {
            (None, _) => "the key that signed it was revoked later; what it signed stands",
            (Some(_), true) => "the key was in other hands when it signed; a ruling cleared it",
            (Some(_), false) => "contested: the key that signed it was in other hands then",
        };
        let reason = Reason::new("LED-MEM-7", text).with("key", key).with("height", revoked.height);
        self.say(match since {
            Some(since) => reason.with("compromised_since_ms", since),
            None => reason,
        });
        Ok(contested)
    }

    fn transfer(&mut self, t: &TransferRecord) -> Result<(), QueryError> {
        let asset = recorded(self.view, &t.asset)?;
        let changes = self.view.right(&t.asset, &asset, t.right)?.changes;
        let text = format!(
            "{} proposed that the {} right belong to {}, managed by {}",
            t.proposer,
            t.right,
            owners(&t.owners),
            t.manager
        );
        self.say(Reason::new("LED-RGT-2", text));
        let waits = || t.outstanding.iter().map(Handle::as_str).collect::<Vec<_>>().join(", ");
        let text = if t.done {
            "it took effect: every owner who was new or whose part shrank agreed".to_string()
        } else if t.changes != changes {
            "it lapsed: who owns the right or acts for it has changed since".to_string()
        } else {
            format!("it waits for the consent of {}", waits())
        };
        self.say(Reason::new("LED-RGT-3", text));
        for Signed { key, time_ms } in &t.signed {
            self.signer(key, *time_ms, false)?;
        }
        Ok(())
    }

    fn succession(&mut self, s: &SuccessionRecord) -> Result<(), Fault> {
        let text = format!("{} proposed that {} act for {}", s.proposer, s.successor, s.member);
        self.say(Reason::new("LED-MEM-10", text).with("height", s.height));
        let text = if s.accepted {
            format!("{} accepted: it acts wherever {} is named", s.successor, s.member)
        } else {
            format!("it waits for {} to accept", s.successor)
        };
        self.say(Reason::new("LED-MEM-10", text));
        self.signer(&s.signed.key, s.signed.time_ms, false)?;
        Ok(())
    }

    fn change(&mut self, c: &ChangeRecord) -> Result<(), Fault> {
        let text = format!("{} proposed: {}", c.proposer, change_in_words(&c.change));
        let reason = Reason::new("LED-GOV-1", text).with("activate_height", c.activate_height);
        self.say(reason.with("height", c.height));
        let approvals: Vec<&str> = c.approvals.iter().map(Handle::as_str).collect();
        let text = format!("approved by {}; it is {}", approvals.join(", "), word(&c.status));
        self.say(Reason::new("LED-GOV-2", text));
        for Signed { key, time_ms } in &c.signed {
            self.signer(key, *time_ms, false)?;
        }
        Ok(())
    }
}

/// Owners with their parts of 10 000.
fn owners(owners: &[Owner]) -> String {
    let shown: Vec<String> = owners.iter().map(|o| format!("{} {}", o.member, o.parts)).collect();
    shown.join(", ")
}
