//! Handing signed envelopes to a node, and learning what became of them.
//!
//! A node's word that an envelope is recorded is checked against the certified state before it is
//! passed on; see [`confirm`].

use std::thread;
use std::time::{Duration, Instant};

use headwater_ledger::hash::EnvelopeId;
use headwater_ledger::state::{Key, View as _};
use serde::Deserialize;
use serde_json::Map;

use crate::failure::{Failure, Kind};
use crate::remote::Connection;
use crate::remote::http::Node;
use crate::show;

/// Most bytes of one batch.
const MAX_BATCH_BYTES: usize = 16 << 20;
/// Longest single question to a node, so that a changed mind or a lost connection is noticed.
const POLL: Duration = Duration::from_secs(5);
/// Pause before a node that did not answer or had no room is asked again.
const PAUSE: Duration = Duration::from_millis(500);
/// How long an envelope that waits for something else is waited for, at most.
const WAITING_PATIENCE: Duration = Duration::from_secs(10);
/// How long an envelope that breaks a rule for now is tried again, at most: long enough for a node
/// that is a block behind.
const RULE_PATIENCE: Duration = Duration::from_secs(3);

/// Where an envelope stands, as a node says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It can go into the next block.
    Pending,
    /// It refers to something that is not there yet.
    Waiting,
    /// It is recorded.
    Recorded,
    /// It was refused.
    Refused,
    /// The node does not know it.
    Unknown,
}

/// What a node says of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct EnvelopeStatus {
    /// Where it stands.
    pub status: Standing,
    /// Height of the block that records it.
    pub height: Option<u64>,
    /// Its place in that block.
    pub index: Option<u64>,
    /// Code of the rule that refuses it or makes it wait.
    pub code: Option<String>,
    /// Number of that rule.
    pub number: Option<u64>,
    /// Tag of that rule in the spec.
    pub rule: Option<String>,
    /// A sentence.
    pub message: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Whether a refusal is for good.
    #[serde(rename = "final")]
    pub is_final: Option<bool>,
}

impl EnvelopeStatus {
    /// Whether nothing will change any more, as far as this node knows.
    pub fn is_settled(&self) -> bool {
        match self.status {
            Standing::Recorded => true,
            Standing::Refused => self.is_final == Some(true),
            Standing::Pending | Standing::Waiting | Standing::Unknown => false,
        }
    }

    /// Why an envelope that is not recorded is not, as what the command ends with.
    pub fn into_failure(self, id: &EnvelopeId, not_after_ms: u64) -> Failure {
        let until = show::time(not_after_ms);
        let sentence = self.message.clone().unwrap_or_default();
        let (word, message, later) = match self.status {
            Standing::Refused if self.is_final == Some(true) => ("refused", sentence, None),
            Standing::Refused => (
                "refused",
                sentence,
                Some(format!("the same envelope may still be recorded until {until}")),
            ),
            Standing::Waiting => (
                "waiting",
                format!("not recorded yet, because it waits: {sentence}"),
                Some(format!("it will be recorded if that changes until {until}")),
            ),
            Standing::Pending | Standing::Unknown | Standing::Recorded => (
                "pending",
                format!("envelope {id} was sent, but is not recorded yet"),
                Some(format!(
                    "it may still be recorded until {until}; `headwater status` shows whether \
                     the network makes blocks"
                )),
            ),
        };
        let mut facts = Map::new();
        facts.insert("status".into(), word.into());
        facts.insert("envelope".into(), id.to_string().into());
        facts.insert("not_after_ms".into(), not_after_ms.into());
        if let Some(is_final) = self.is_final {
            facts.insert("final".into(), is_final.into());
        }
        if let Some(number) = self.number {
            facts.insert("number".into(), number.into());
        }
        if let Some(rule) = self.rule {
            facts.insert("rule".into(), rule.into());
        }
        let hint = self.code.as_deref().and_then(by_this_program).map(str::to_string).or(self.hint);
        let hint = match (hint, later) {
            (Some(hint), Some(later)) => format!("{hint}; {later}"),
            (Some(hint), None) => hint,
            (None, later) => later.unwrap_or_else(|| "see the message".to_string()),
        };
        let kind = match self.status {
            Standing::Refused | Standing::Waiting => Kind::Refused,
            Standing::Pending | Standing::Unknown | Standing::Recorded => Kind::Node,
        };
        let code = self.code.unwrap_or_else(|| "NOT_RECORDED".to_string());
        Failure::new(kind, message).hint(hint).rule(code, facts)
    }
}

/// What to do with this program about a refusal, where the rule's own hint cannot know.
fn by_this_program(code: &str) -> Option<&'static str> {
    match code {
        "FLOOR_CONSENT_MISSING" => Some(
            "write this very act down with --dry-run --json, let every owner whom the floor pays \
             approve it with `headwater act FILE --approve`, then do it with `headwater act FILE`",
        ),
        "APPROVAL_MISSING" => Some(
            "write this very act down with --dry-run --json, let the other owners approve it with \
             `headwater act FILE --approve`, then do it with `headwater act FILE`",
        ),
        "TWO_KEYS_REQUIRED" => {
            Some("sign with a second key of the member too: --also-key HANDLE+LABEL")
        }
        _ => None,
    }
}

/// Sends envelopes in order, in as few requests as they fit into; one status for each, in order.
pub fn send(node: &Node, envelopes: &[&[u8]]) -> Result<Vec<EnvelopeStatus>, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        results: Vec<EnvelopeStatus>,
    }
    let mut statuses = Vec::with_capacity(envelopes.len());
    let mut rest = envelopes;
    while !rest.is_empty() {
        let mut body = Vec::new();
        let mut taken = 0;
        for bytes in rest {
            if taken > 0 && body.len() + 4 + bytes.len() > MAX_BATCH_BYTES {
                break;
            }
            let len = u32::try_from(bytes.len())
                .map_err(|_| Failure::new(Kind::BadInput, "an envelope is too long to be sent"))?;
            body.extend_from_slice(&len.to_le_bytes());
            body.extend_from_slice(bytes);
            taken += 1;
        }
        let answer: Answer = node.post_bytes("/v1/envelopes", &body)?.ok()?.parse()?;
        if answer.results.len() != taken {
            let message = format_args!(
                "{taken} envelopes were sent, the node answers for {}",
                answer.results.len()
            );
            return Err(Failure::new(Kind::Node, message));
        }
        statuses.extend(answer.results);
        rest = &rest[taken..];
    }
    Ok(statuses)
}

/// Asks what became of an envelope; the node may take up to `wait` to answer.
pub fn ask(node: &Node, id: &EnvelopeId, wait: Duration) -> Result<EnvelopeStatus, Failure> {
    let wait_ms = wait.as_millis();
    node.get(&format!("/v1/envelopes/{id}?wait_ms={wait_ms}"))?.ok()?.parse()
}

/// How long to wait for an outcome, and what to tell meanwhile.
pub struct Patience<'a> {
    /// Longest wait.
    pub longest: Duration,
    /// Told what an envelope waits for.
    pub tell: &'a dyn Fn(&EnvelopeStatus),
}

/// Waits for the outcome of an envelope whose bytes were or will be sent. Sends them again when
/// the node has forgotten them or had no room; the same bytes are never recorded twice.
pub fn settle(
    node: &Node,
    id: &EnvelopeId,
    bytes: &[u8],
    first: Option<EnvelopeStatus>,
    patience: &Patience<'_>,
) -> Result<EnvelopeStatus, Failure> {
    let started = Instant::now();
    let mut waiting_since: Option<Instant> = None;
    let mut last = match first {
        Some(status) => Ok(status),
        None => send_one(node, bytes),
    };
    loop {
        let left = patience.longest.saturating_sub(started.elapsed());
        let standing = last.as_ref().ok().map(|status| status.status);
        if let Ok(status) = &last {
            if recorded_before(status) {
                return ask_again(node, id, last);
            }
            if status.is_settled() {
                return last;
            }
            let by_rule = status.status == Standing::Refused && status.rule.is_some();
            if by_rule && started.elapsed() >= RULE_PATIENCE {
                return last;
            }
        }
        if standing == Some(Standing::Waiting) {
            let since = *waiting_since.get_or_insert_with(Instant::now);
            if let Ok(status) = &last {
                (patience.tell)(status);
            }
            if since.elapsed() >= WAITING_PATIENCE {
                return last;
            }
        } else {
            waiting_since = None;
        }
        if left.is_zero() {
            return last;
        }
        last = match standing {
            Some(Standing::Pending | Standing::Recorded) => ask(node, id, POLL.min(left)),
            // Told only when it settles: ask often, so that patience is kept.
            Some(Standing::Waiting) => ask(node, id, POLL.min(left).min(2 * PAUSE)),
            Some(Standing::Unknown) => send_one(node, bytes),
            Some(Standing::Refused) | None => {
                thread::sleep(PAUSE.min(left));
                send_one(node, bytes)
            }
        };
    }
}

fn send_one(node: &Node, bytes: &[u8]) -> Result<EnvelopeStatus, Failure> {
    let mut statuses = send(node, &[bytes])?;
    statuses.pop().ok_or_else(|| Failure::new(Kind::Node, "the node answers nothing"))
}

/// A refusal that says that these very bytes are recorded already.
fn recorded_before(status: &EnvelopeStatus) -> bool {
    status.status == Standing::Refused && status.code.as_deref() == Some("DUPLICATE_ENVELOPE")
}

/// The place of an envelope that is recorded already; without a place where the node forgot it.
fn ask_again(
    node: &Node,
    id: &EnvelopeId,
    last: Result<EnvelopeStatus, Failure>,
) -> Result<EnvelopeStatus, Failure> {
    let found = ask(node, id, Duration::ZERO)?;
    if found.status == Standing::Recorded {
        return Ok(found);
    }
    last.map(|status| EnvelopeStatus { status: Standing::Recorded, ..status })
}

/// A node's word that an envelope is recorded.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The envelope.
    pub id: EnvelopeId,
    /// Last block time at which it could be recorded.
    pub not_after_ms: u64,
    /// The height said to record it.
    pub height: Option<u64>,
}

/// Proves that these envelopes are recorded. The state keeps an id until its envelope's
/// `not_after` only, so this is asked right after the node says so; later there is nothing to
/// compare with.
pub fn confirm(connection: &Connection, claims: &[Claim]) -> Result<(), Failure> {
    if claims.is_empty() {
        return Ok(());
    }
    let claimed = claims.iter().filter_map(|claim| claim.height).max().unwrap_or(0);
    let started = Instant::now();
    let view = loop {
        let view = connection.view(None)?;
        let height = view.block().header.height;
        if height >= claimed {
            break view;
        }
        if started.elapsed() > POLL {
            let message = format_args!(
                "the node says that it recorded an envelope at height {claimed}, but proves \
                 nothing beyond height {height}"
            );
            return Err(Failure::new(Kind::VerificationFailed, message)
                .hint("ask another node with --node"));
        }
        thread::sleep(PAUSE);
    };
    let header = &view.block().header;
    let kept = claims.iter().filter(|claim| claim.not_after_ms >= header.time_ms);
    let ids: Vec<EnvelopeId> = kept.map(|claim| claim.id).collect();
    let keys: Vec<Key> = ids.iter().map(|id| Key::Recorded(*id)).collect();
    view.ask(|view| Ok(view.prefetch(&keys)?))?;
    for (id, key) in ids.iter().zip(&keys) {
        if view.ask(|view| Ok(view.value(key)?))?.is_none() {
            let message = format_args!(
                "the node says that envelope {id} is recorded, but the state of height {} proves \
                 that it is not",
                header.height
            );
            return Err(Failure::new(Kind::VerificationFailed, message)
                .hint("ask another node with --node, and show this to the regulator"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn id() -> EnvelopeId {
        format!("blake3:{}", "ab".repeat(32)).parse().unwrap()
    }

    fn status(json: Value) -> EnvelopeStatus {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_final_refusal_keeps_the_words_of_the_rule() {
        let refused = status(json!({
            "id": id(), "status": "refused", "code": "GRANT_EXPIRED", "number": 428,
            "message": "the grant ended at 5", "hint": "obtain a new grant",
            "rule": "LED-LIN-5", "final": true,
        }));
        assert!(refused.is_settled());
        let failure = refused.into_failure(&id(), 0);
        assert_eq!((failure.kind(), failure.code()), (Kind::Refused, "GRANT_EXPIRED"));
        assert_eq!(failure.message(), "the grant ended at 5");
        assert_eq!(failure.hint_text(), "obtain a new grant");
        let json = serde_json::to_value(failure.to_json()).unwrap();
        assert_eq!(json["error"]["number"], 428);
        assert_eq!(json["error"]["final"], true);
    }

    #[test]
    fn what_may_still_pass_is_said_to() {
        let waiting = status(json!({
            "id": id(), "status": "waiting", "code": "UNKNOWN_GRANT", "number": 411,
            "message": "grant X is not recorded", "hint": "correct the grant's id", "final": false,
        }));
        assert!(!waiting.is_settled());
        let failure = waiting.into_failure(&id(), 1_795_392_000_000);
        assert!(failure.message().contains("grant X is not recorded"), "{failure}");
        assert!(failure.hint_text().contains("2026-11-23 00:00:00 UTC"), "{failure:?}");
        let full = status(json!({
            "id": id(), "status": "refused", "code": "MEMBER_QUOTA", "number": null,
            "message": "full", "hint": "wait", "rule": null, "final": false,
        }));
        assert!(!full.is_settled());
        assert!(full.into_failure(&id(), 0).hint_text().contains("may still"));
    }
}
