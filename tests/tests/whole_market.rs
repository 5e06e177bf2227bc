//! The whole life of a market on a real network through the real programs: what each member types,
//! every figure, and what is said to those who err.

#[path = "support/market.rs"]
mod market;

use anyhow::{Context, Result, ensure};
use market::{Market, text};
use serde_json::{Value, json};

const ACCOUNT: &str = "maker/report@gz-exchange:CNY";
const TERMS: [&str; 6] =
    ["--purpose", "general-research,commercial", "--territory", "CN", "--days", "365"];

#[test]
fn a_market_lives_its_whole_life() -> Result<()> {
    let m = Market::begin()?;
    rights(&m)?;
    let grants = grants(&m)?;
    let listing = derivations(&m, &grants)?;
    let contract = trade(&m, &listing)?;
    let (height, payment) = money(&m, &contract)?;
    disputes(&m)?;
    let certificate = rest_of_the_price(&m, &contract)?;
    registration_and_access(&m)?;
    sources(&m)?;
    consent(&m)?;
    succession(&m)?;
    set_off(&m, &payment, &certificate)?;
    governance(&m)?;
    // The past is as it was.
    let then = m.ask(&["statement", "maker/report", "--at", &height.to_string()])?;
    ensure!(then["as_of"]["height"] == height, "{then}");
    ensure!(then["accounts"][0]["received"]["gross"] == 600_000, "{then}");
    Ok(())
}

fn rights(m: &Market) -> Result<()> {
    m.register(
        "hospital",
        "scans",
        &["--stage", "raw", "--split", "6000/2000/2000/0", "--consent-based"],
    )?;
    m.register("clinic", "labs", &["--stage", "raw", "--split", "10000/0/0/0"])?;
    let transfer = ["asset", "transfer", "hospital/scans", "--right", "holding", "--manager"];
    let owner = |words: &[&'static str]| [&transfer[..], words].concat();
    m.errs("clinic", &owner(&["clinic", "--owner", "clinic=10000"]), "NOT_RIGHT_MANAGER")?;
    m.errs("hospital", &owner(&["hospital", "--owner", "hospital=9000"]), "usage")?;
    let shared = owner(&["hospital", "--owner", "hospital=9000", "--owner", "fund=1000"]);
    let transfer = m.act("hospital", &shared)?;
    m.errs("clinic", &["asset", "accept-transfer", &transfer], "CONSENT_NOT_ASKED")?;
    ensure!(m.waits("fund", "transfer")? == 1);
    m.act("fund", &["inbox", "approve", "--all", "transfer"])?;
    m.errs("fund", &["asset", "accept-transfer", &transfer], "TRANSFER_CLOSED")?;
    ensure!(m.explained("hospital/scans")?.iter().any(|t| t.contains("fund")));
    // An event's id explains what the event made.
    let asset = m.ask(&["explain", "hospital/scans"])?;
    let event = asset["reasons"][0]["values"]["event"].as_str().context("no event")?.to_owned();
    let by_event = m.ask(&["explain", &event])?;
    ensure!(by_event["id"] == asset["id"], "{by_event}");
    Ok(())
}

struct Grants {
    processing: [String; 2],
    operation: String,
}

fn grants(m: &Market) -> Result<Grants> {
    let request = |asset: &'static str, more: &[&'static str]| {
        let own = ["grant", "request", asset, "--right", "processing"];
        m.act("lab", &[&own[..], &TERMS, more].concat())
    };
    let scans = request("hospital/scans", &["--floor", "1000"])?;
    let labs = request("clinic/labs", &[])?;
    m.errs("lab", &["grant", "approve-requests", &scans], "NOT_RIGHT_MANAGER")?;
    // The hospital processes alone, so it needs nobody's word for the floor; an owner may still give
    // it ahead.
    let approve = ["grant", "approve-requests", &scans, "--dry-run"];
    let act = m.client.json(Some("hospital"), &approve)?;
    let act = m.file("act.json", &act.to_string())?;
    m.act("fund", &["act", &act, "--approve"])?;
    m.act("hospital", &["act", &act])?;
    m.errs("hospital", &["grant", "approve-requests", &scans], "REQUEST_CLOSED")?;
    m.act("clinic", &["inbox", "approve", "--all", "request"])?;
    let offer = |from: &str, asset: &str| {
        let own = ["grant", "offer", asset, "--to", "lab", "--right", "operation", "--depth", "2"];
        m.act(from, &[&own[..], &TERMS].concat())
    };
    let operation = [offer("hospital", "hospital/scans")?, offer("clinic", "clinic/labs")?];
    m.errs("maker", &["grant", "accept", &operation[0]], "NOT_GRANTEE")?;
    m.act("lab", &["inbox", "approve", "--all-grants"])?;
    m.errs("lab", &["grant", "accept", &operation[0]], "GRANT_CLOSED")?;
    let preview = ["grant", "offer", "hospital/scans", "--to", "lab", "--right", "processing"];
    let preview = [&preview[..], &TERMS, &["--floor", "2500", "--dry-run"]].concat();
    let preview = m.client.json(Some("hospital"), &preview)?;
    ensure!(preview["preview"]["floor"]["leaves_bp"] == 7_500, "{preview}");
    Ok(Grants { processing: [scans, labs], operation: operation.join(",") })
}

fn derivations(m: &Market, grants: &Grants) -> Result<String> {
    let doc = m.doc()?;
    let work = ["--method", &doc, "--territory", "CN", "--purpose"];
    let scans = format!("hospital/scans:3:{}", grants.processing[0]);
    let labs = format!("clinic/labs:1:{}", grants.processing[1]);
    let content = m.file("low", "low\n")?;
    let low = [
        "asset",
        "register",
        "low",
        "--content",
        &content,
        "--count-lines",
        "--stage",
        "processed",
        "--format",
        "text/csv",
        "--region",
        "CN",
        "--period-from",
        "2026-01-01",
        "--period-to",
        "2026-06-30",
        "--classification",
        "general",
        "--sensitivity",
        "2",
        "--deidentification",
        "anonymised",
        "--split",
        "4000/3000/2500/500",
        "--input",
        &scans,
        "--activity",
        "cleaning",
    ];
    let low = [&low[..], &work, &["commercial"]].concat();
    m.errs("lab", &low, "FLOOR_NOT_MET")?;
    m.errs("maker", &low, "GRANT_WRONG_GRANTEE")?;
    let cohort = [
        "--stage",
        "processed",
        "--split",
        "0/4000/0/6000",
        "--input",
        &scans,
        "--input",
        &labs,
        "--activity",
        "cleaning",
    ];
    m.register("lab", "cohort", &[&cohort[..], &work, &["general-research,commercial"]].concat())?;
    let offer = |right: &str, more: &[&str]| {
        let own = ["grant", "offer", "lab/cohort", "--to", "maker", "--right", right];
        let terms = ["--purpose", "commercial", "--territory", "CN", "--days", "300"];
        m.act("lab", &[&own[..], &terms, more].concat())
    };
    let processing = offer("processing", &[])?;
    let operation = offer("operation", &["--depth", "1", "--under", &grants.operation])?;
    m.act("maker", &["inbox", "approve", "--all", "grant"])?;
    let cohort = format!("lab/cohort:1:{processing}");
    let report = [
        "--stage",
        "product",
        "--split",
        "0/1500/2500/6000",
        "--input",
        &cohort,
        "--activity",
        "analysis",
    ];
    m.register("maker", "report", &[&report[..], &work, &["commercial"]].concat())?;
    let accept = ["review", "compliance", "maker/report", "--accept", "--rights-level", "2"];
    m.act("gz-exchange", &[&accept[..], &["--document", &doc]].concat())?;
    m.errs("buyer", &[&accept[..], &["--document", &doc]].concat(), "ROLE_REQUIRED")?;
    let value = [
        "review",
        "valuation",
        "maker/report",
        "--method",
        "income",
        "--value",
        "20000.00",
        "--currency",
        "CNY",
        "--quality",
        "98/95/99/80/100/90",
        "--document",
        &doc,
    ];
    m.act("valuer", &value)?;
    let create = ["listing", "create", "maker/report", "--exchange", "gz-exchange", "--fee-bp"];
    let create = [&create[..], &["150", "--grant", &operation]].concat();
    let listing = m.act("maker", &create)?;
    let review = ["listing", "review", &listing, "--accept"];
    m.errs("bj-exchange", &review, "NOT_LISTING_EXCHANGE")?;
    m.act("gz-exchange", &["inbox", "approve", "--all", "listing"])?;
    m.errs("gz-exchange", &review, "LISTING_CLOSED")?;
    for what in ["lab/cohort", "maker/report", &listing, &processing, &operation] {
        m.explained(what)?;
    }
    Ok(listing)
}

fn trade(m: &Market, listing: &str) -> Result<String> {
    let propose = ["contract", "propose", listing, "--buyer", "buyer", "--currency", "CNY"];
    let terms = ["--price", "10000.00", "--days", "200", "--instalment", "6000.00=2027-01-15"];
    let wrong = [&propose[..], &terms, &["--instalment", "5000.00=2027-03-31"]].concat();
    m.errs("maker", &wrong, "usage")?;
    let right = [&propose[..], &terms, &["--instalment", "4000.00=2027-03-31"]].concat();
    m.errs("lab", &right, "NOT_SELLER")?;
    let contract = m.act("maker", &right)?;
    m.errs("gz-exchange", &pay(&contract, "6000.00", "339.62", "BANK-1"), "CONTRACT_NOT_SIGNED")?;
    m.act("buyer", &["inbox", "approve", "--all", "contract"])?;
    m.act("gz-exchange", &["contract", "sign", &contract, "--yes"])?;
    m.errs("lab", &["contract", "sign", &contract, "--yes"], "NOT_CONTRACT_PARTY")?;
    m.errs("buyer", &["contract", "sign", &contract, "--yes"], "ALREADY_SIGNED")?;
    Ok(contract)
}

fn pay<'a>(contract: &'a str, gross: &'a str, tax: &'a str, reference: &'a str) -> [&'a str; 11] {
    [
        "payment",
        "record",
        contract,
        "--gross",
        gross,
        "--tax",
        tax,
        "--currency",
        "CNY",
        "--bank-ref",
        reference,
    ]
}

/// Pays, delivers and pays out; gives a height at which 6 000.00 were paid, and the payment.
fn money(m: &Market, contract: &str) -> Result<(u64, String)> {
    m.errs("bj-exchange", &pay(contract, "6000.00", "0", "BANK-1"), "NOT_CLEARING_EXCHANGE")?;
    m.errs("gz-exchange", &pay(contract, "60000.00", "0", "BANK-1"), "PAYMENT_ABOVE_PRICE")?;
    let payment = m.act("gz-exchange", &pay(contract, "6000.00", "339.62", "BANK-1"))?;
    m.errs("gz-exchange", &pay(contract, "4000.00", "226.42", "BANK-1"), "BANK_REFERENCE_USED")?;
    ensure!((m.sum("lab", "held")?, m.sum("lab", "payable")?) == (133_811, 0));
    let all = ["payout", "record-all", ACCOUNT, "--bank-ref-prefix"];
    m.errs("gz-exchange", &[&all[..], &["A-"]].concat(), "not_found")?;
    let content = m.folder.path().join("report");
    m.act("maker", &["contract", "deliver", contract, "--content", text(&content)?])?;
    m.errs("maker", &["contract", "confirm", contract], "DELIVERY_NOT_DEEMED")?;
    m.act("buyer", &["inbox", "approve", "--all", "delivery"])?;
    m.errs("buyer", &["contract", "confirm", contract], "ALREADY_CONFIRMED")?;
    // net 557 548 of gross 600 000, tax 33 962, fee floor(566 038 x 150 / 10 000) = 8 490.
    let paid = [
        ("clinic", 50_179),
        ("fund", 9_032),
        ("hospital", 141_503),
        ("lab", 133_811),
        ("maker", 223_019),
    ];
    for (member, amount) in paid {
        ensure!(m.sum(member, "payable")? == amount, "{member}");
    }
    let statement = m.ask(&["statement", "maker/report"])?;
    let account = &statement["accounts"][0];
    ensure!((&account["residue"], &account["remaining"]["fee"]) == (&json!(4), &json!(8_490)));
    let height = statement["as_of"]["height"].as_u64().context("no height")?;

    let dry = [&all[..], &["A-", "--dry-run"]].concat();
    let list = m.client.json(Some("gz-exchange"), &dry)?;
    ensure!(list["total"] == 557_544 && list["envelopes"] == json!([]), "{list}");
    m.errs("bj-exchange", &[&all[..], &["A-"]].concat(), "NOT_CLEARING_EXCHANGE")?;
    let file =
        m.file("bank.csv", "lab/cohort,processing,lab,B-1\nclinic/labs,holding,clinic,B-2\n")?;
    let from = ["payout", "record-all", ACCOUNT, "--from", &file];
    let two = m.client.json(Some("gz-exchange"), &from)?;
    ensure!(two["payouts"].as_array().is_some_and(|p| p.len() == 2), "{two}");
    m.errs("gz-exchange", &from, "bad_input")?;
    let own = [&all[..], &["A-", "--owner", "hospital"]].concat();
    let three = m.client.json(Some("gz-exchange"), &own)?;
    ensure!(three["total"] == 141_503 && three["payouts"][2]["bank_reference"] == "A-0003");
    let one = [
        "payout",
        "record",
        ACCOUNT,
        "--asset",
        "hospital/scans",
        "--right",
        "holding",
        "--owner",
        "fund",
        "--bank-ref",
        "C-1",
        "--amount",
    ];
    m.errs("gz-exchange", &[&one[..], &["90.33"]].concat(), "PAYOUT_ABOVE_PAYABLE")?;
    contested(m, &three)?;
    statements(m)?;
    m.explained(&payment)?;
    m.explained(contract)?;
    m.explained(ACCOUNT)?;
    Ok((height, payment))
}

/// The hospital says that a payout did not arrive; it is ruled so, and paid again.
fn contested(m: &Market, payouts: &Value) -> Result<()> {
    let doc = m.doc()?;
    let payout = payouts["payouts"][0]["id"].as_str().context("no payout")?;
    let amount = payouts["payouts"][0]["amount"].as_i64().context("no amount")?;
    ensure!(m.waits("hospital", "payout")? == 3);
    let contest = ["payout", "contest", payout, "--document", &doc];
    m.errs("fund", &contest, "NOT_PAYEE")?;
    let dispute = m.act("hospital", &contest)?;
    m.errs("hospital", &contest, "PAYOUT_CONTESTED")?;
    let rule = ["dispute", "rule", &dispute, "--reverse-payout", "--document", &doc];
    m.errs("gz-exchange", &rule, "ROLE_REQUIRED")?;
    m.act("watch", &rule)?;
    // Not before that is final: here another regulator says the same on appeal.
    ensure!((m.sum("hospital", "payable")?, m.sum("hospital", "frozen")?) == (0, amount));
    m.act("gz-exchange", &["dispute", "appeal", &dispute, "--document", &doc])?;
    m.act("second-watch", &rule)?;
    ensure!(m.sum("hospital", "payable")? == amount);
    let again = ["payout", "record-all", ACCOUNT, "--bank-ref-prefix", "D-", "--owner", "hospital"];
    m.client.json(Some("gz-exchange"), &again)?;
    ensure!((m.sum("hospital", "payable")?, m.sum("hospital", "paid")?) == (0, 141_503));
    m.explained(payout)?;
    m.explained(&dispute)?;
    Ok(())
}

/// Vouchers have one header, no empty cell, and add up; people see the same words.
fn statements(m: &Market) -> Result<()> {
    let csv = m.shown("watch", &["statement", "maker/report", "--csv"])?;
    let mut rows = csv.lines();
    let header: Vec<&str> = rows.next().context("no header")?.split(',').collect();
    ensure!(header.len() == 20 && header[19] == "overpaid", "{header:?}");
    let mut entitled = 0;
    for row in rows {
        let cells: Vec<&str> = row.split(',').collect();
        ensure!(cells.len() == header.len() && cells.iter().all(|c| !c.is_empty()), "{row}");
        let sums: Vec<i64> = cells[12..].iter().map(|c| c.parse()).collect::<Result<_, _>>()?;
        let [e, adjusted, set_off, held, frozen, paid, payable, overpaid] = sums[..] else {
            anyhow::bail!("{row}")
        };
        ensure!(e + adjusted + set_off + overpaid == held + frozen + paid + payable, "{row}");
        entitled += e;
    }
    // Every minor unit of the gross amount is on a row.
    ensure!(entitled == 600_000, "{entitled}\n{csv}");
    let page = m.shown("watch", &["statement", "hospital"])?;
    for word in ["paid", "payable", "reversed", "D-0001"] {
        ensure!(page.contains(word), "{word}: {page}");
    }
    Ok(())
}

fn disputes(m: &Market) -> Result<()> {
    let doc = m.doc()?;
    let share = ["--share", "hospital/scans", "--right", "holding", "--owner", "fund", "--parts"];
    let open = [&["dispute", "open"], &share[..]].concat();
    let ground = ["--ground", "ownership", "--document", &doc];
    m.errs("clinic", &[&open[..], &["1001"], &ground].concat(), "SUBJECT_INVALID")?;
    let dispute = m.act("clinic", &[&open[..], &["1000"], &ground].concat())?;
    ensure!((m.sum("fund", "frozen")?, m.sum("fund", "payable")?) == (9_032, 0));
    let freeze = ["dispute", "freeze", &dispute, "--until", "2027-01-31"];
    m.errs("hospital", &freeze, "ROLE_REQUIRED")?;
    m.act("watch", &freeze)?;
    ensure!(m.waits("fund", "dispute")? == 1);
    m.act("fund", &["dispute", "evidence", &dispute, "--document", &doc])?;
    m.errs("lab", &["dispute", "evidence", &dispute, "--document", &doc], "NOT_DISPUTE_PARTY")?;
    let redirect = [
        "dispute",
        "rule",
        &dispute,
        "--redirect-to",
        "clinic",
        "--adjust",
        ACCOUNT,
        "--document",
        &doc,
    ];
    m.errs("clinic", &redirect, "ROLE_REQUIRED")?;
    m.act("watch", &redirect)?;
    // All that the share has earned and nobody was paid; it is held with the clinic.
    ensure!((m.sum("fund", "adjusted")?, m.sum("clinic", "adjusted")?) == (-9_032, 9_032));
    ensure!((m.sum("fund", "payable")?, m.sum("clinic", "frozen")?) == (0, 9_032));
    m.act("fund", &["dispute", "appeal", &dispute, "--document", &doc])?;
    let dismiss = ["dispute", "rule", &dispute, "--dismiss", "--document", &doc];
    m.errs("watch", &dismiss, "SAME_ARBITER")?;
    m.act("second-watch", &dismiss)?;
    ensure!((m.sum("fund", "payable")?, m.sum("clinic", "adjusted")?) == (9_032, 0));
    ensure!(m.explained(&dispute)?.iter().any(|t| t.contains("without ground")));
    Ok(())
}

fn rest_of_the_price(m: &Market, contract: &str) -> Result<String> {
    let issue = ["certificate", "issue", contract];
    m.errs("gz-exchange", &issue, "CERTIFICATE_NOT_DUE")?;
    m.act("gz-exchange", &pay(contract, "4000.00", "226.42", "BANK-2"))?;
    m.errs("bj-exchange", &issue, "NOT_CLEARING_EXCHANGE")?;
    let certificate = m.act("gz-exchange", &issue)?;
    m.errs("gz-exchange", &issue, "ALREADY_CERTIFIED")?;
    ensure!(m.explained(&certificate)?[0].contains("certificate"));
    Ok(certificate)
}

fn registration_and_access(m: &Market) -> Result<()> {
    let file = ["asset", "registration", "file", "hospital/scans", "--registry", "gz-exchange"];
    let registration = m.act("hospital", &[&file[..], &["--days", "1096"]].concat())?;
    ensure!(m.waits("gz-exchange", "registration")? == 1);
    let decide = ["asset", "registration", "decide", &registration, "--accept"];
    m.errs("gz-exchange", &decide, "NOTICE_NOT_OVER")?;
    m.explained(&registration)?;
    let request = [
        "access",
        "request",
        "hospital/scans",
        "--purpose",
        "general-research",
        "--environment",
        "gz-exchange",
        "--until",
        "2027-03-31",
    ];
    let access = m.act("lab", &request)?;
    m.errs("lab", &["access", "decide", &access, "--accept"], "NOT_RIGHT_MANAGER")?;
    m.act("hospital", &["inbox", "approve", "--all", "access"])?;
    let job = format!("blake3:{}", "ab".repeat(32));
    let log = ["access", "log", &access, "--rows", "51200", "--job", &job];
    m.errs("lab", &log, "NOT_ENVIRONMENT")?;
    m.act("gz-exchange", &log)?;
    m.explained(&access)?;
    Ok(())
}

fn sources(m: &Market) -> Result<()> {
    let lines: String = (1..=500).map(|n| format!("source-{n},{n}\n")).collect();
    let file = m.file("sources.csv", &lines)?;
    let seal = ["sources", "seal", "clinic/labs", "--right", "holding", "--from", &file];
    m.errs("lab", &seal, "NOT_OWNER")?;
    m.act("clinic", &seal)?;
    // In place of the first, of which nobody was paid yet.
    let aggregate = m.act("clinic", &seal)?;
    ensure!(m.explained(&aggregate)?[0].contains("500 sources"));
    Ok(())
}

fn consent(m: &Market) -> Result<()> {
    let doc = m.doc()?;
    let withdraw =
        |asset| ["asset", "withdraw-consent", asset, "--patients", "3", "--document", &doc];
    m.errs("clinic", &withdraw("clinic/labs"), "NOT_CONSENT_BASED")?;
    m.errs("clinic", &withdraw("hospital/scans"), "NOT_CONCERNED")?;
    m.act("hospital", &withdraw("hospital/scans"))?;
    let why = m.explained("maker/report")?;
    ensure!(why.iter().any(|t| t.contains("a version is to replace it")), "{why:?}");
    Ok(())
}

fn succession(m: &Market) -> Result<()> {
    let succeed = ["member", "succeed", "fund", "--by", "clinic"];
    m.errs("clinic", &succeed, "NOT_CONCERNED")?;
    let succession = m.act("watch", &succeed)?;
    m.errs("lab", &["member", "accept-succession", &succession], "NOT_SUCCESSOR")?;
    m.act("clinic", &["inbox", "approve", "--all", "succession"])?;
    m.explained(&succession)?;
    let all = ["payout", "record-all", ACCOUNT, "--bank-ref-prefix", "E-", "--owner", "fund"];
    let paid = m.client.json(Some("gz-exchange"), &all)?;
    ensure!(paid["payouts"][0]["payee"] == "clinic", "{paid}");
    Ok(())
}

/// One line is paid out, money is given back, and the other lines make up for it.
fn set_off(m: &Market, payment: &str, certificate: &str) -> Result<()> {
    let scans = ["--asset", "hospital/scans", "--right", "processing", "--owner", "hospital"];
    let due = m.ask(&["statement", "hospital"])?["accounts"][0]["balances"]
        .as_array()
        .and_then(|all| all.iter().find(|b| b["right"] == "processing").cloned())
        .context("no such line")?["payable"]
        .to_string();
    let pay = [&["payout", "record", ACCOUNT, "--bank-ref", "F-1", "--minor"], &scans[..]].concat();
    m.act("gz-exchange", &[&pay[..], &["--amount", &due]].concat())?;
    let lines = ["--owner", "hospital", "--from-asset", "hospital/scans", "--from-right"];
    let to = ["holding", "--to-asset", "hospital/scans", "--to-right", "processing"];
    let one = [&["payout", "set-off", ACCOUNT], &lines[..], &to].concat();
    m.errs("gz-exchange", &one, "not_found")?;
    let refund = ["refund", payment, "--net", "1000.00", "--bank-ref", "BANK-3"];
    // What is certified as wholly paid stays so while the certificate is in force.
    m.errs("gz-exchange", &refund, "ALREADY_CERTIFIED")?;
    m.act("gz-exchange", &["certificate", "void", certificate, "--document", &m.doc()?])?;
    m.act("gz-exchange", &refund)?;
    let too_much = m.sum("hospital", "overpaid")?;
    ensure!(too_much > 0 && m.sum("hospital", "payable")? > too_much);
    m.errs("bj-exchange", &one, "NOT_CLEARING_EXCHANGE")?;
    let above = (too_much + 1).to_string();
    let above = [&one[..], &["--amount", &above, "--minor"]].concat();
    m.errs("gz-exchange", &above, "SET_OFF_ABOVE_OVERPAID")?;
    let id = m.act("gz-exchange", &[&one[..], &["--amount", "1.00"]].concat())?;
    ensure!(m.explained(&id)?[0].contains("nobody was paid"));
    ensure!(m.sum("hospital", "overpaid")? == too_much - 100);
    let all = ["payout", "record-all", ACCOUNT, "--owner", "hospital", "--bank-ref-prefix", "G-"];
    let paid = m.client.json(Some("gz-exchange"), &all)?;
    let moved = paid["set_offs"].as_array().context("no set-offs")?;
    let sum: i64 = moved.iter().filter_map(|s| s["amount"].as_i64()).sum();
    ensure!(sum == too_much - 100 && moved.iter().all(|s| s["id"].is_string()), "{paid}");
    for nothing in ["payable", "overpaid", "set_off"] {
        ensure!(m.sum("hospital", nothing)? == 0, "{nothing}");
    }
    ensure!(m.sum("hospital", "paid")? == m.sum("hospital", "entitled")?);
    let page = m.shown("watch", &["statement", "hospital"])?;
    ensure!(page.contains("set off") && page.contains("overpaid on"), "{page}");
    Ok(())
}

fn governance(m: &Market) -> Result<()> {
    let rules = m.ask(&["govern", "rulebook"])?;
    let file = m.file("rulebook.json", &rules.to_string())?;
    let height = m.ask(&["trace", "maker/report", "--up"])?["as_of"]["height"]
        .as_u64()
        .context("no height")?;
    let at = (height + 1_000).to_string();
    let propose = ["govern", "propose", "rulebook", &file, "--at-height", &at];
    m.errs("buyer", &propose, "NOT_VALIDATOR")?;
    let change = m.act("gz-exchange", &propose)?;
    ensure!(m.waits("bj-exchange", "change")? == 1);
    m.act("bj-exchange", &["inbox", "approve", "--all", "change"])?;
    m.errs("bj-exchange", &["govern", "approve", &change], "CHANGE_CLOSED")?;
    m.explained(&change)?;
    Ok(())
}
