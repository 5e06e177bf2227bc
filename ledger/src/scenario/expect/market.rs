//! Answers about reviews, valuations and what is due under a contract.

use super::{Answer, Asked};
use crate::event::market::Instalment as Part;
use crate::hash::ContractId;
use crate::money::Currency;
use crate::review::rejects;
use crate::scenario::form::Wrong;
use crate::scenario::kind::Kind;
use crate::scenario::kind::choice::MethodWord;
use crate::scenario::kind::number::{Minor, Money, in_currency};
use crate::scenario::kind::reference::one;
use crate::scenario::kind::time::{Time, time_text};
use crate::state::record::{ComplianceRecord, ContractRecord, ValuationRecord};
use crate::state::{Key, View};
use crate::words::money;

/// Which outcome of the compliance reviews counts at an exchange.
pub(super) fn compliance(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (id, _) = a.asset()?;
    a.at.expect("at")?;
    let exchange = a.member_with_handle()?.0;
    let review: Option<ComplianceRecord> = a.context.seen.get(&Key::Compliance(id))?;
    let is = match review {
        _ if rejects(&a.context.seen, &id, &exchange)? => "failed",
        Some(review) if review.passes > 0 => "passed",
        Some(_) | None => "none",
    };
    a.word(is.into(), &["passed", "failed", "none"])
}

/// The newest valuation.
pub(super) fn valuation(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (id, _) = a.asset()?;
    let newest: Option<ValuationRecord> = a.context.seen.get(&Key::Valuation(id))?;
    let write = |(value, currency): (u64, Currency), method| {
        format!("{} by {}", money(value, &currency), MethodWord::word(&method))
    };
    let is = newest.map_or("none".into(), |v| write((v.value, v.currency), v.method));
    if a.expected.skip("none") {
        return Ok(Answer { is, expected: "none".into() });
    }
    let value = Money::read(&mut a.expected, a.context)?;
    a.expected.expect("by")?;
    let method = MethodWord::read(&mut a.expected, a.context)?;
    Ok(Answer { is, expected: write(value, method) })
}

/// Where an instalment stands.
const STANDS: [&str; 3] = ["paid", "due", "overdue"];

/// The instalments of a contract in order, and where each stands. Implements [LED-MKT-12].
pub(super) fn instalments(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (what, id) = a.named()?;
    let ("contract", id) = (what, ContractId::from_digest(id)) else {
        return Err(Wrong(format!("{} has no instalments; contracts have", one(what))));
    };
    let contract: ContractRecord = a.record(Key::Contract(id))?;
    let currency = contract.currency;
    let write = |part: &Part, stands: &str| {
        format!("{} by {} {stands}", money(part.amount, &currency), time_text(part.due_ms))
    };
    let (mut is, mut due) = (Vec::new(), 0u64);
    for part in &contract.instalments {
        due = due.saturating_add(part.amount);
        let stands = match (contract.paid >= due, a.context.now_ms > part.due_ms) {
            (true, _) => "paid",
            (false, true) => "overdue",
            (false, false) => "due",
        };
        is.push(write(part, stands));
    }
    let mut expected = Vec::new();
    while !a.expected.skip("none") {
        let amount = in_currency(Minor::read(&mut a.expected, a.context)?, &currency)?;
        a.expected.expect("by")?;
        let due_ms = Time::read(&mut a.expected, a.context)?;
        let stands = a.word(String::new(), &STANDS)?.expected;
        expected.push(write(&Part { amount, due_ms }, &stands));
        if !a.expected.skip(",") {
            break;
        }
    }
    let list = |parts: Vec<String>| match parts.is_empty() {
        true => "none".into(),
        false => parts.join(", "),
    };
    Ok(Answer { is: list(is), expected: list(expected) })
}
