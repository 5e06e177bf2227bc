//! Money through the program, to its end: payouts, the sources behind a part of a right, closing an
//! account; and a registration from its filing to the decision after the public notice.

use headwater_ledger::hash::RegistrationId;
use headwater_ledger::payment::account_id;
use headwater_ledger::state::record::{RegistrationRecord, RegistrationStatus};
use headwater_ledger::state::{Key, Records as _, View as _};
use serde_json::json;

use crate::members::{METADATA, Members, raw};

const ACCOUNT: &str = "works/report@bourse:CNY";

/// The clinic's scans are worked into a report by works, which sells it to pharma for 1 000.00 CNY,
/// paid and delivered. Gives the contract.
fn sold(user: &Members) -> String {
    let content = user.file("scans.csv", "1,2\n3,4\n");
    user.act("clinic", &raw("scans", &content));
    let offer = |right: &'static str, more: &[&'static str]| {
        let own = ["grant", "offer", "clinic/scans", "--to", "works", "--right", right];
        let terms = ["--purpose", "commercial", "--territory", "CN", "--days", "30"];
        user.act("clinic", &[&own[..], &terms[..], more].concat())
    };
    let (processing, operation) = (offer("processing", &[]), offer("operation", &["--depth", "2"]));
    user.act("works", &["inbox", "approve", "--all-grants"]);
    let input = format!("clinic/scans:1:{processing}");
    let report = ["asset", "register", "report", "--stage", "product", "--records", "2"];
    let split = ["--content", &content, "--split", "1000/3000/2000/4000", "--input", &input];
    let work = ["--activity", "analysis", "--method", &content, "--purpose", "commercial"];
    let report = [&report[..], &split, &work, &["--territory", "CN"], &METADATA].concat();
    user.act("works", &report);
    let create = ["listing", "create", "works/report", "--exchange", "bourse", "--fee-bp", "150"];
    let listing = user.act("works", &[&create[..], &["--grant", &operation]].concat());
    user.act("bourse", &["listing", "review", &listing, "--accept"]);
    let propose = ["contract", "propose", &listing, "--buyer", "pharma", "--currency", "CNY"];
    let contract = user.act("works", &[&propose[..], &["--price", "1000.00"]].concat());
    for party in ["pharma", "bourse"] {
        user.act(party, &["contract", "sign", &contract, "--yes"]);
    }
    let pay = ["payment", "record", &contract, "--gross", "1000.00", "--tax", "0.00"];
    user.act("bourse", &[&pay[..], &["--currency", "CNY", "--bank-ref", "BANK-1"]].concat());
    user.act("works", &["contract", "deliver", &contract, "--content", &content]);
    contract
}

/// Of 1 000.00 the fee is 15.00; of the rest 40 % go up to the scans, 40 % of it to their holder.
const HOLDER: u64 = 15_760;

#[test]
fn one_payout_is_handed_on_to_the_sources_behind_it() {
    let user = Members::new();
    let contract = sold(&user);
    let file = user.file("sources.csv", "source,weight\nP-1,1\nP-2,3\n");
    let seal = ["sources", "seal", "clinic/scans", "--right", "holding", "--from", &file];
    let aggregate = user.act("clinic", &seal);
    let payout = |amount: &'static str, reference: &'static str| {
        let own = ["payout", "record", ACCOUNT, "--asset", "clinic/scans", "--right", "holding"];
        let paid = ["--owner", "clinic", "--amount", amount, "--bank-ref", reference];
        [&own[..], &paid, &["--wait", "0s", "--valid-for", "10s"]].concat()
    };
    // Held until the delivery is confirmed.
    assert_eq!(user.refused("bourse", &payout("157.61", "OUT-0"))["code"], "PAYOUT_ABOVE_PAYABLE");
    user.act("pharma", &["contract", "confirm", &contract]);
    assert_eq!(user.refused("works", &payout("100.00", "OUT-1"))["code"], "NOT_CLEARING_EXCHANGE");
    assert_eq!(user.refused("bourse", &payout("157.61", "OUT-1"))["code"], "PAYOUT_ABOVE_PAYABLE");
    user.act("bourse", &payout("100.00", "OUT-1"));
    user.act("bourse", &payout("57.60", "OUT-2"));
    let again = user.refused("bourse", &payout("0.01", "OUT-3"));
    assert_eq!(again["code"], "PAYOUT_ABOVE_PAYABLE");
    let statement = user.json(&["statement", "clinic"], 0);
    assert_eq!(statement["totals"][0]["paid"], HOLDER, "{statement}");

    let pay = |source: &'static str, amount: &'static str, reference: &'static str| {
        let own = ["sources", "pay", &aggregate, source, "--from", &file, "--account", ACCOUNT];
        let paid = ["--amount", amount, "--bank-ref", reference, "--wait", "0s"];
        [&own[..], &paid, &["--valid-for", "10s"]].concat()
    };
    assert_eq!(user.refused("works", &pay("P-2", "1.00", "S-0"))["code"], "NOT_AGGREGATE_OWNER");
    assert_eq!(user.refused("clinic", &pay("P-2", "118.21", "S-1"))["code"], "SOURCE_ABOVE_DUE");
    user.act("clinic", &pay("P-2", "100.00", "S-1"));
    assert_eq!(user.refused("clinic", &pay("P-2", "18.20", "S-1"))["code"], "BANK_REFERENCE_USED");
    user.act("clinic", &pay("P-2", "18.20", "S-2"));
    user.act("clinic", &pay("P-1", "39.40", "S-3"));
    for source in ["P-1", "P-2"] {
        let more = user.refused("clinic", &pay(source, "0.01", "S-4"));
        assert_eq!(more["code"], "SOURCE_ABOVE_DUE");
    }
    let missing = [&pay("P-3", "0.01", "S-4")[..], &["--as", "clinic"]].concat();
    user.errs(&missing, "not_found");
    user.file("sources.csv", "source,weight\nP-1,2\nP-2,3\n");
    let changed = [&pay("P-2", "0.01", "S-4")[..], &["--as", "clinic"]].concat();
    user.errs(&changed, "verification_failed");
}

#[test]
fn an_account_is_closed_once_everything_is_settled() {
    // Nobody is given time to dispute what was confirmed.
    let user = Members::under(|rulebook| rulebook.contest_ms = 0);
    let contract = sold(&user);
    let close = ["account", "close", ACCOUNT];
    let early = [&close[..], &["--wait", "0s", "--valid-for", "10s"]].concat();
    assert_eq!(user.refused("works", &early)["code"], "NOT_CLEARING_EXCHANGE");
    assert_eq!(user.refused("bourse", &early)["code"], "ACCOUNT_NOT_SETTLED");
    // That word has run out when the account can be closed.
    user.node.chain.lock().unwrap().ahead_ms = MINUTE_MS;
    user.node.chain.lock().unwrap().tick();
    user.act("pharma", &["contract", "confirm", &contract]);
    let dry = user.json(&[&close[..], &["--as", "bourse", "--dry-run"]].concat(), 0);
    let chain_id = user.node.chain.lock().unwrap().chain_id();
    let product = user.asset("works", "report");
    let currency = "CNY".parse().unwrap();
    let account = account_id(&product, &"bourse".parse().unwrap(), &currency).unwrap();
    assert_eq!(dry["envelope"]["events"][0]["close_account"]["account"], json!(account));
    assert_eq!(dry["envelope"]["header"]["chain_id"], json!(chain_id));
    let is_closed = || {
        let chain = user.node.chain.lock().unwrap();
        chain.state().account(&account).unwrap().unwrap().closed
    };
    assert!(!is_closed());
    user.act("bourse", &close);
    assert!(is_closed());
    assert_eq!(user.refused("bourse", &close)["code"], "ACCOUNT_CLOSED");
    let statement = user.json(&["statement", "works/report"], 0);
    let account = &statement["accounts"][0];
    assert_eq!((&account["residue"], &account["closed"]), (&json!(0), &json!(true)), "{account}");
    // What is owed is paid all the same.
    let all = ["payout", "record-all", ACCOUNT, "--bank-ref-prefix", "OUT-", "--as", "bourse"];
    let paid = user.json(&all, 0);
    assert_eq!(paid["total"], 98_500, "{paid}");
}

const MINUTE_MS: u64 = 60_000;

#[test]
fn a_registration_is_decided_when_its_public_notice_is_over() {
    let user = Members::under(|rulebook| rulebook.notice_ms = 30 * MINUTE_MS);
    let content = user.file("scans.csv", "1\n");
    user.act("clinic", &raw("scans", &content));
    let file = ["asset", "registration", "file", "clinic/scans", "--registry", "bourse"];
    let registration = user.act("clinic", &[&file[..], &["--days", "365"]].concat());
    let status = || {
        let id: RegistrationId = registration.parse().unwrap();
        let chain = user.node.chain.lock().unwrap();
        let record: RegistrationRecord =
            chain.state().get(&Key::Registration(id)).unwrap().unwrap();
        record.status
    };
    let decide = ["asset", "registration", "decide", &registration[..15], "--accept"];
    let at_once = [&decide[..], &["--wait", "0s", "--valid-for", "10m"]].concat();
    let early = user.refused("bourse", &at_once);
    assert_eq!(early["code"], "NOTICE_NOT_OVER");
    assert!(early["hint"].as_str().unwrap().contains("until"), "{early}");
    let waits = |user: &Members| user.json(&["inbox", "bourse"], 0)["items"].clone();
    assert_eq!(waits(&user)[0]["kind"], "registration");
    // The word given too early ran out with its validity: the decision is still to be made.
    user.node.chain.lock().unwrap().ahead_ms = 31 * MINUTE_MS;
    user.node.chain.lock().unwrap().tick();
    assert_eq!(status(), RegistrationStatus::Notice);
    assert_eq!(user.refused("pharma", &decide)["code"], "NOT_REGISTRY");
    user.act("bourse", &decide);
    assert_eq!(status(), RegistrationStatus::Registered);
    assert_eq!(user.refused("bourse", &decide)["code"], "REGISTRATION_CLOSED");
    assert_eq!(waits(&user), json!([]));
    let why = user.json(&["explain", &registration], 0).to_string();
    assert!(why.contains("\"registered\""), "{why}");
}
