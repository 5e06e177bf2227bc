//! Answers about what acts made: where it stands, who decides, and why.

use std::collections::BTreeSet;

use super::{Answer, Asked, did_you_mean};
use crate::grant::standing as grant_standing;
use crate::hash::{CertificateId, ChangeId, GrantId, RegistrationId, RequestId};
use crate::query::{BlockTime, Object, Topic, explain, inbox as inbox_of, object};
use crate::reject::Code;
use crate::scenario::form::{Wrong, parse};
use crate::scenario::kind::Kind;
use crate::scenario::kind::number::Count;
use crate::scenario::kind::reference::{Asset, Member, one};
use crate::scenario::token::shown;
use crate::state::record::{
    ChangeRecord, ContractRecord, ContractStatus, DisputeRecord, DisputeStatus, GrantRecord,
    RegistrationRecord, RegistrationStatus, RequestRecord, TradeCertificateRecord,
};
use crate::state::{Key, Records, View};
use crate::words::word;

pub(super) fn status(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (what, id) = a.thing()?;
    // A request that was approved is a grant with the same id.
    let request = Key::Request(RequestId::from_digest(id));
    if let ("request", Some(r)) = (what, a.context.seen.get::<RequestRecord>(&request)?) {
        return a.word(word(&r.status), &REQUEST);
    }
    let found = object(&a.context.seen, &id)?;
    let found = found.ok_or_else(|| Wrong(format!("the {what} is not recorded")))?;
    let (is, known): (String, &[&str]) = match &found {
        Object::Asset(_, r) => either(r.void, &["void", "registered"]),
        // A revocation with a sunset is one, though the grant is used until then.
        Object::Grant(_, r) if r.revoked_ms.is_some() => ("revoked".into(), &GRANT),
        Object::Grant(_, r) => (word(&r.status), &GRANT),
        Object::Request(_, r) => (word(&r.status), &REQUEST),
        Object::Offer(_, r) => either(r.withdrawn, &["withdrawn", "open"]),
        Object::Transfer(_, r) => either(r.done, &["done", "open"]),
        Object::Access(_, r) => (word(&r.status), &["requested", "granted", "refused", "ended"]),
        Object::Registration(_, r) => (word(&r.status), &REGISTRATION),
        Object::Listing(_, r) => {
            (word(&r.status), &["pending", "accepted", "rejected", "delisted"])
        }
        Object::Contract(_, r) => (contract_status(r), &CONTRACT),
        Object::Payment(_, r) => either(r.void, &["void", "recorded"]),
        Object::Account(_, r) => either(r.closed, &["closed", "open"]),
        Object::Payout(_, r) => (word(&r.status), &["paid", "contested", "reversed"]),
        Object::SetOff(_, _) => ("recorded".into(), &["recorded"]),
        Object::Certificate(_, r) => either(r.void, &["void", "issued"]),
        Object::Aggregate(_, _) => ("sealed".into(), &["sealed"]),
        Object::Dispute(_, r) => (dispute_status(r, a.context.now_ms), &DISPUTE),
        Object::Succession(_, r) => either(r.accepted, &["accepted", "proposed"]),
        Object::Change(_, r) => (word(&r.status), &["proposed", "scheduled", "active", "failed"]),
    };
    a.word(is, known)
}

const GRANT: [&str; 7] =
    ["offered", "accepted", "declined", "revoked", "surrendered", "voided", "withdrawn"];
const REQUEST: [&str; 3] = ["open", "approved", "declined"];
const REGISTRATION: [&str; 4] = ["notice", "registered", "rejected", "cancelled"];
const CONTRACT: [&str; 7] =
    ["proposed", "signed", "delivered", "confirmed", "declined", "withdrawn", "terminated"];

const DISPUTE: [&str; 5] = ["open", "marked", "ruled", "appealed", "final"];

/// Where a dispute stands now; open, but only a mark for which nothing is held.
fn dispute_status(record: &DisputeRecord, now_ms: u64) -> String {
    match record.standing(now_ms) {
        DisputeStatus::Open if record.is_mark() => "marked".to_string(),
        standing => word(&standing),
    }
}

/// The first of two words when something is so, else the second; and both.
fn either(is: bool, words: &'static [&'static str; 2]) -> (String, &'static [&'static str]) {
    let [yes, no] = words;
    (if is { yes } else { no }.to_string(), words)
}

/// Proposed, signed, delivered, confirmed; or how it ended.
fn contract_status(record: &ContractRecord) -> String {
    if record.status != ContractStatus::Open {
        return word(&record.status);
    }
    let signed = record.buyer_signed && record.exchange_signed;
    match (signed, record.delivered.is_some(), record.confirmed) {
        (_, _, true) => "confirmed",
        (_, true, false) => "delivered",
        (true, false, false) => "signed",
        (false, false, false) => "proposed",
    }
    .into()
}

/// Where a registration or a grant stands at the time of the block.
pub(super) fn standing(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (what, id) = a.named()?;
    let now = a.context.now_ms;
    let is = match what {
        "registration" => {
            let id = RegistrationId::from_digest(id);
            let record: RegistrationRecord = a.record(Key::Registration(id))?;
            let asset = a.context.seen.asset(&record.asset)?;
            match record.status {
                RegistrationStatus::Registered if asset.is_some_and(|asset| asset.void) => {
                    "void".into()
                }
                RegistrationStatus::Registered if now <= record.not_after_ms => "in-force".into(),
                RegistrationStatus::Registered => "expired".into(),
                RegistrationStatus::Notice if now <= record.notice_until_ms => "notice".into(),
                RegistrationStatus::Notice => "undecided".into(),
                RegistrationStatus::Rejected | RegistrationStatus::Cancelled => {
                    word(&record.status)
                }
            }
        }
        "grant" => {
            let record: GrantRecord = a.record(Key::Grant(GrantId::from_digest(id)))?;
            word(&grant_standing(&a.context.seen, &record, now)?)
        }
        other => return Err(Wrong(format!("{} has a status and no standing", one(other)))),
    };
    a.word(is, &STANDING)
}

/// Where a registration or a grant can stand.
const STANDING: [&str; 19] = [
    "in-force",
    "not-yet",
    "ending",
    "expired",
    "ended-above",
    "suspended",
    "contested",
    "lapsed",
    "notice",
    "undecided",
    "rejected",
    "cancelled",
    "void",
    "offered",
    "declined",
    "revoked",
    "surrendered",
    "voided",
    "withdrawn",
];

pub(super) fn objections(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (_, id) = a.named()?;
    let record: RegistrationRecord =
        a.record(Key::Registration(RegistrationId::from_digest(id)))?;
    a.members(&record.objections)
}

pub(super) fn approvals(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (_, id) = a.named()?;
    let record: ChangeRecord = a.record(Key::Change(ChangeId::from_digest(id)))?;
    a.members(&record.approvals)
}

pub(super) fn certificate(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    a.at.skip("number");
    let (_, id) = a.named()?;
    let key = Key::Certificate(CertificateId::from_digest(id));
    let record: TradeCertificateRecord = a.record(key)?;
    a.compare::<Count>(&record.number)
}

pub(super) fn used(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (_, id) = a.named()?;
    let grant: GrantRecord = a.record(Key::Grant(GrantId::from_digest(id)))?;
    a.compare::<Count>(&u64::from(grant.used))
}

pub(super) fn inbox(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    a.at.skip("of");
    let member = Member::read(&mut a.at, a.context)?;
    let thing = a.expected.rest();
    while a.expected.take().is_some() {}
    let id = match thing {
        [one] if a.context.names.get(&one.text).is_some() => a.name(&one.text)?.1,
        [..] => {
            let text = shown(thing);
            let asset = parse::<Asset>(&text, a.context);
            let asset = asset.map_err(|_| Wrong(format!("nothing is named `{text}`")))?;
            a.must_be_recorded(&asset, &text)?;
            *asset.digest()
        }
    };
    let after = BlockTime { height: a.context.height.saturating_sub(1), time_ms: a.context.now_ms };
    let waits = inbox_of(&a.context.seen, &member, after)?;
    let is = if waits.items.iter().any(|item| item.id == id) { "there" } else { "not there" };
    Ok(Answer { is: is.into(), expected: "there".into() })
}

/// Whether the reasons for something name a rule, or contain a text.
pub(super) fn explains(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (_, id) = a.thing()?;
    let told = explain(&a.context.seen, &Topic::Object(id), a.context.now_ms)?;
    let wanted = a.expected.need("a rule's tag or a text in quotes")?;
    if !wanted.quoted {
        is_tag(&wanted.text)?;
    }
    let is = match wanted.quoted {
        true => told.reasons.iter().any(|reason| reason.text.contains(&wanted.text)),
        false => told.reasons.iter().any(|reason| reason.rule == wanted.text),
    };
    if is {
        return Ok(Answer { is: wanted.shown(), expected: wanted.shown() });
    }
    let reasons = told.reasons.iter().map(|r| format!("[{}] {}", r.rule, r.text));
    Ok(Answer { is: reasons.collect::<Vec<_>>().join("; "), expected: wanted.shown() })
}

/// Fails unless a word can be a rule's tag: `LED`, one of the areas of rules, and a number.
fn is_tag(word: &str) -> Result<(), Wrong> {
    let area = |tag: &'static str| tag.rsplit_once('-').map(|(area, _)| area);
    let areas: BTreeSet<&str> = Code::ALL.iter().filter_map(|code| area(code.tag())).collect();
    let is = word.rsplit_once('-').is_some_and(|(area, number)| {
        areas.contains(area) && number.parse::<u32>().is_ok_and(|n| (1..100).contains(&n))
    });
    if is {
        return Ok(());
    }
    let near = did_you_mean(word, areas.into_iter());
    Err(Wrong(format!("`{word}` is no rule's tag, as `LED-FLR-3` is; quote a text{near}")))
}
