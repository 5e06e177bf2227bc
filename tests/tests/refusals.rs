//! What must be refused, posted to a real node: each with its own code, a sentence and a hint, and
//! a state that stays as it was.

use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use headwater_ledger::envelope::asset_id;
use headwater_ledger::event::Event;
use headwater_ledger::event::member::{Role, Scope};
use headwater_ledger::hash::ChainId;
use headwater_tests::Cluster;
use headwater_tests::cluster::Setup;
use headwater_tests::node::{outcome, post};
use headwater_tests::writers::{Signed, Writer, list};
use serde_json::{Value, json};

const HOUR_MS: u64 = 3_600_000;
/// The term of a grant that ends during the test: time to offer and accept it.
const SHORT_MS: u64 = 3_000;

struct World {
    cluster: Cluster,
    chain: ChainId,
    members: Vec<Writer>,
    serial: u64,
    now_ms: u64,
}

impl World {
    fn begin(folder: &std::path::Path) -> Result<World> {
        let members = [
            ("gz-exchange", Role::Exchange),
            ("bj-exchange", Role::Exchange),
            ("regulator", Role::Regulator),
            ("hospital", Role::Holder),
            ("fund", Role::Holder),
            ("lab", Role::Processor),
            ("operator", Role::Operator),
            ("buyer", Role::Buyer),
            ("rogue", Role::Processor),
            ("clerk", Role::Holder),
        ];
        let members: Vec<Writer> =
            members.into_iter().map(|(h, r)| Writer::new(h, r)).collect::<Result<_>>()?;
        let mut admissions = members.iter().map(Writer::admission).collect::<Result<Vec<_>>>()?;
        if let Some(clerk) = admissions.last_mut() {
            let mut keys = clerk.keys.to_vec();
            keys[0].scopes = list(vec![Scope::Rights])?;
            clerk.keys = list(keys)?;
        }
        let file = folder.join("members.json");
        std::fs::write(&file, serde_json::to_string(&admissions)?)?;
        let mut cluster = Cluster::make(&Setup {
            folder,
            validators: &["gz-exchange"],
            members: Some(&file),
            arguments: &[],
        })?;
        cluster.start_all()?;
        let now = UNIX_EPOCH.elapsed()?;
        Ok(World {
            chain: cluster.chain_id.parse()?,
            cluster,
            members,
            serial: 0,
            now_ms: u64::try_from(now.as_millis())?,
        })
    }

    fn member(&self, handle: &str) -> Result<&Writer> {
        let found = self.members.iter().find(|m| m.handle.as_str() == handle);
        found.with_context(|| format!("no member {handle}"))
    }

    fn asset(&self, name: &str) -> Result<String> {
        let (author, name) = name.split_once('/').context("handle/name")?;
        Ok(asset_id(&self.chain, &author.parse()?, &name.parse()?).to_string())
    }

    fn sign(&mut self, author: &str, event: &Value) -> Result<Signed> {
        self.serial += 1;
        let event: Event = serde_json::from_value(event.clone())?;
        let (not_after, serial) = (self.now_ms + HOUR_MS, self.serial);
        self.member(author)?.sign(self.chain, not_after, serial, vec![event])
    }

    fn api(&self) -> String {
        self.cluster.nodes[0].api.clone()
    }

    fn state_root(&self) -> Result<String> {
        let status = self.cluster.status(0).context("no status")?;
        Ok(status["state_root"].as_str().context("no state root")?.into())
    }

    /// Records an event; gives the id of what it made.
    fn ok(&mut self, author: &str, event: Value) -> Result<String> {
        let signed = self.sign(author, &event)?;
        post(&self.api(), &[&signed.bytes])?;
        let id = signed.id.to_string();
        let status = outcome(&self.api(), &id, 20_000)?;
        ensure!(status["status"] == "recorded", "{author}: {event}: {status}");
        let event = headwater_ledger::envelope::event_id(&signed.id, 0);
        Ok(event.to_string())
    }

    /// Posts bytes that must be refused with this code, leaving the state as it was.
    fn refused_bytes(&self, bytes: &[u8], code: &str, what: &str) -> Result<()> {
        let before = self.state_root()?;
        let results = post(&self.api(), &[bytes])?;
        let status = &results[0];
        ensure!(
            status["code"] == code
                && ["refused", "waiting"].contains(&status["status"].as_str().unwrap_or("")),
            "{what}: expected {code}, got {status}"
        );
        for part in ["message", "hint", "rule"] {
            ensure!(
                status[part].as_str().is_some_and(|t| t.len() > 5),
                "{what}: no {part}: {status}"
            );
        }
        ensure!(self.state_root()? == before, "{what}: the state changed");
        Ok(())
    }

    fn refused(&mut self, author: &str, event: Value, code: &str) -> Result<()> {
        let signed = self.sign(author, &event)?;
        self.refused_bytes(&signed.bytes, code, &format!("{author}: {event}"))
    }

    fn terms(&self, change: Value) -> Value {
        let mut terms = json!({
            "purposes": ["general_research", "commercial"], "territories": ["CN"],
            "not_before_ms": self.now_ms - HOUR_MS, "not_after_ms": self.now_ms + 1_000 * HOUR_MS,
        });
        for (key, value) in change.as_object().into_iter().flatten() {
            terms[key] = value.clone();
        }
        terms
    }

    fn grant(
        &mut self,
        from: &str,
        asset: &str,
        to: &str,
        right: &str,
        change: Value,
        under: Vec<&str>,
    ) -> Result<String> {
        let terms = self.terms(change);
        let asset = self.asset(asset)?;
        let offer = json!({ "offer_grant": {
            "asset": asset, "right": right, "grantee": to, "terms": terms, "under": under } });
        let grant = self.ok(from, offer)?;
        self.ok(to, json!({ "accept_grant": { "grant": grant } }))?;
        Ok(grant)
    }

    fn registration(&self, name: &str, split: [u16; 4], inputs: Value) -> Value {
        let root = format!("blake3:{}", blake3::hash(name.as_bytes()).to_hex());
        let mut event = json!({
            "name": name, "stage": "raw",
            "content": { "root": root, "bytes": 1_000, "records": 10 },
            "metadata": {
                "format": "text/csv", "region": "CN-GD", "period_from_ms": 1, "period_to_ms": 2,
                "classification": "general", "sensitivity": 2, "deidentification": "anonymised",
                "quality": { "accuracy": 90, "completeness": 90, "consistency": 90,
                             "timeliness": 90, "conformity": 90, "accessibility": 90 } },
            "split": { "holding": split[0], "processing": split[1], "operation": split[2], "upstream": split[3] },
        });
        if !inputs.is_null() {
            event["stage"] = json!("product");
            event["derivation"] = json!({ "inputs": inputs, "activity": {
                "kind": "analysis", "method": root, "purposes": ["commercial"], "territory": "CN",
                "claimed_from_ms": self.now_ms - 1_000, "claimed_to_ms": self.now_ms } });
        }
        json!({ "register_asset": event })
    }
}

#[test]
fn each_mistake_has_its_code_a_sentence_a_hint_and_no_effect() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut w = World::begin(folder.path())?;
    envelopes(&mut w)?;
    let raw = w.registration("raw", [10_000, 0, 0, 0], Value::Null);
    w.ok("hospital", raw.clone())?;
    w.refused("hospital", raw, "NAME_TAKEN")?;
    members_and_splits(&mut w)?;
    derivations(&mut w)?;
    market(&mut w)
}

fn envelopes(w: &mut World) -> Result<()> {
    let event = w.registration("envelope", [10_000, 0, 0, 0], Value::Null);
    let event: Event = serde_json::from_value(event)?;
    let hospital = w.member("hospital")?.clone();
    let sign = |w: &World, serial, not_after| {
        hospital.sign(w.chain, not_after, serial, vec![event.clone()])
    };

    let expired = sign(w, 9_001, w.now_ms - HOUR_MS)?;
    w.refused_bytes(&expired.bytes, "EXPIRED", "expired")?;
    let far = sign(w, 9_002, w.now_ms + 25 * HOUR_MS)?;
    w.refused_bytes(&far.bytes, "NOT_AFTER_TOO_FAR", "not_after too far ahead")?;
    let other: ChainId = format!("blake3:{}", "22".repeat(32)).parse()?;
    let wrong = hospital.sign(other, w.now_ms + HOUR_MS, 9_003, vec![event.clone()])?;
    w.refused_bytes(&wrong.bytes, "WRONG_CHAIN", "wrong chain")?;
    let good = sign(w, 9_004, w.now_ms + HOUR_MS)?;
    let mut bad = good.bytes.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    w.refused_bytes(&bad, "BAD_SIGNATURE", "bad signature")?;
    let mut trailing = good.bytes.clone();
    trailing.push(0);
    w.refused_bytes(&trailing, "TRAILING_BYTES", "trailing bytes")?;
    w.refused_bytes(&good.bytes[..40], "NON_CANONICAL", "cut off")?;
    let mut long = good.bytes.clone();
    // The author's length, after version (2) and chain id (33).
    long[35..43].copy_from_slice(&u64::MAX.to_le_bytes());
    w.refused_bytes(&long, "OVER_LIMIT", "a length over the limit")?;
    let none = hospital.sign(w.chain, w.now_ms + HOUR_MS, 9_005, vec![])?;
    w.refused_bytes(&none.bytes, "NO_EVENTS", "no events")?;
    let stranger = Writer::new("stranger", Role::Holder)?;
    let unknown = stranger.sign(w.chain, w.now_ms + HOUR_MS, 9_006, vec![event.clone()])?;
    w.refused_bytes(&unknown.bytes, "UNKNOWN_AUTHOR", "unknown author")?;
    let clerk = w.member("clerk")?.clone();
    let scope = clerk.sign(w.chain, w.now_ms + HOUR_MS, 9_007, vec![event.clone()])?;
    w.refused_bytes(&scope.bytes, "KEY_OUT_OF_SCOPE", "key outside its scope")?;

    // The same envelope twice is recorded once: the node says where.
    post(&w.api(), &[&good.bytes])?;
    let id = good.id.to_string();
    let first = outcome(&w.api(), &id, 20_000)?;
    ensure!(first["status"] == "recorded", "{first}");
    let again = post(&w.api(), &[&good.bytes])?;
    ensure!(again[0]["height"] == first["height"] && again[0]["index"] == first["index"]);
    Ok(())
}

fn members_and_splits(w: &mut World) -> Result<()> {
    let raw = |w: &World, split| w.registration("split", split, Value::Null);
    w.refused("hospital", raw(w, [9_000, 0, 0, 0]), "SPLIT_SUM")?;
    w.refused("hospital", raw(w, [9_000, 0, 0, 1_000]), "UPSTREAM_WITHOUT_INPUTS")?;
    let input = json!([{ "asset": w.asset("hospital/raw")?, "weight": 1 }]);
    let event = w.registration("split", [10_000, 0, 0, 0], input);
    w.refused("hospital", event, "INPUTS_WITHOUT_UPSTREAM")?;
    let asset = w.asset("hospital/raw")?;
    let transfer = |owners| {
        json!({ "transfer_right": {
            "asset": asset, "right": "holding", "owners": owners, "manager": "hospital" } })
    };
    let owners =
        json!([{ "member": "hospital", "parts": 9_000 }, { "member": "fund", "parts": 999 }]);
    w.refused("hospital", transfer(owners), "PARTS_SUM")?;
    w.refused(
        "fund",
        transfer(json!([{ "member": "hospital", "parts": 10_000 }])),
        "NOT_RIGHT_MANAGER",
    )?;
    w.refused("rogue", json!({ "suspend_member": { "member": "lab" } }), "ROLE_REQUIRED")?;
    w.ok("regulator", json!({ "suspend_member": { "member": "rogue" } }))?;
    let event = w.registration("mine", [10_000, 0, 0, 0], Value::Null);
    w.refused("rogue", event, "AUTHOR_SUSPENDED")
}

fn derivations(w: &mut World) -> Result<()> {
    let raw = w.asset("hospital/raw")?;
    let split = [0, 4_000, 0, 6_000];
    let derive = |w: &World, inputs: Value| w.registration("made", split, inputs);
    let one = |grant: Value| json!([{ "asset": raw, "weight": 1, "grant": grant }]);

    w.refused("lab", derive(w, one(Value::Null)), "GRANT_REQUIRED")?;
    let unknown = json!([{ "asset": w.asset("hospital/nothing")?, "weight": 1 }]);
    w.refused("lab", derive(w, unknown), "UNKNOWN_ASSET")?;
    let own = json!([{ "asset": w.asset("lab/made")?, "weight": 1 }]);
    w.refused("lab", derive(w, own), "OWN_OUTPUT_INPUT")?;
    let twice = json!([{ "asset": raw, "weight": 1 }, { "asset": raw, "weight": 2 }]);
    w.refused("lab", derive(w, twice), "REPEATED_INPUT")?;
    let heavy = json!([{ "asset": raw, "weight": 10_000_000_000_000_001u64 }]);
    w.refused("lab", derive(w, heavy), "WEIGHTS_OVER_LIMIT")?;

    let h = "hospital/raw";
    let research = w.grant(
        "hospital",
        h,
        "lab",
        "processing",
        json!({ "purposes": ["general_research"] }),
        vec![],
    )?;
    w.refused("lab", derive(w, one(json!(research))), "PURPOSE_OUTSIDE_GRANT")?;
    let later = json!({ "not_before_ms": w.now_ms + HOUR_MS });
    let later = w.grant("hospital", h, "lab", "processing", later, vec![])?;
    w.refused("lab", derive(w, one(json!(later))), "GRANT_NOT_YET_EFFECTIVE")?;
    let begun = Instant::now();
    let ends_ms = u64::try_from(UNIX_EPOCH.elapsed()?.as_millis())? + SHORT_MS;
    let over = json!({ "not_after_ms": ends_ms });
    let over = w.grant("hospital", h, "lab", "processing", over, vec![])?;
    std::thread::sleep(Duration::from_millis(SHORT_MS + 100).saturating_sub(begun.elapsed()));
    w.refused("lab", derive(w, one(json!(over))), "GRANT_EXPIRED")?;
    let revoked = w.grant("hospital", h, "lab", "processing", json!({}), vec![])?;
    w.ok("hospital", json!({ "revoke_grant": { "grant": revoked } }))?;
    w.refused("lab", derive(w, one(json!(revoked))), "GRANT_REVOKED")?;
    let floor =
        w.grant("hospital", h, "lab", "processing", json!({ "floor_bp": 6_001 }), vec![])?;
    w.refused("lab", derive(w, one(json!(floor))), "FLOOR_NOT_MET")?;
    let once =
        w.grant("hospital", h, "lab", "processing", json!({ "max_derivations": 1 }), vec![])?;
    w.refused("operator", derive(w, one(json!(once))), "GRANT_WRONG_GRANTEE")?;
    w.ok("lab", derive(w, one(json!(once))))?;
    let event = w.registration("made-2", split, one(json!(once)));
    w.refused("lab", event, "GRANT_EXHAUSTED")?;

    let event = w.registration("doubtful", [10_000, 0, 0, 0], Value::Null);
    w.ok("hospital", event)?;
    let doubtful = w.asset("hospital/doubtful")?;
    let reason = format!("blake3:{}", "33".repeat(32));
    let void = json!({ "void_asset": { "asset": doubtful, "reason": reason } });
    w.refused("regulator", void.clone(), "NOT_AUTHOR")?;
    w.ok("hospital", void)?;
    let void = json!([{ "asset": doubtful, "weight": 1 }]);
    w.refused("hospital", derive(w, void), "VOID_INPUT")
}

fn market(w: &mut World) -> Result<()> {
    let made = w.asset("lab/made")?;
    let list = |exchange: &str, grants: Vec<&str>| {
        json!({ "list_product": {
            "asset": made, "exchange": exchange, "fee_bp": 150, "operation_grants": grants } })
    };
    w.refused("lab", list("gz-exchange", vec![]), "OPERATION_NOT_COVERED")?;
    let operation = json!({ "sublicence_depth": 1 });
    let operation = w.grant("hospital", "hospital/raw", "lab", "operation", operation, vec![])?;
    let listing = w.ok("lab", list("gz-exchange", vec![&operation]))?;
    let accept = json!({ "review_listing": { "listing": listing, "decision": "accept" } });
    w.refused("bj-exchange", accept.clone(), "NOT_LISTING_EXCHANGE")?;
    w.ok("gz-exchange", accept)?;

    let schedule = {
        let key = headwater_ledger::state::Key::Listing(listing.parse()?);
        let key = hex::encode(headwater_ledger::codec::encode(&key)?);
        let mut answer = ureq::post(format!("{}/v1/state", w.api()))
            .send_json(json!({ "height": null, "keys": [key] }))?;
        let answer: Value = answer.body_mut().read_json()?;
        let bytes = hex::decode(answer["values"][0].as_str().context("no listing")?)?;
        let (record, _): (headwater_ledger::state::record::ListingRecord, usize) =
            headwater_ledger::codec::decode_prefix(&bytes)?;
        record.schedule.to_string()
    };
    let wrong = format!("blake3:{}", "44".repeat(32));
    let propose = |w: &World, schedule: &str| {
        json!({ "propose_contract": {
            "listing": listing, "buyer": "buyer", "schedule": schedule, "price": 100_000,
            "currency": "CNY", "sign_by_ms": w.now_ms + HOUR_MS,
            "licence": { "purposes": ["commercial"], "territories": ["CN"],
                         "not_after_ms": w.now_ms + 10 * HOUR_MS } } })
    };
    w.refused("lab", propose(w, &wrong), "SCHEDULE_MISMATCH")?;
    let event = propose(w, &schedule);
    let contract = w.ok("lab", event)?;
    let sign =
        |schedule: &str| json!({ "sign_contract": { "contract": contract, "schedule": schedule } });
    let pay = |gross: u64, currency: &str, reference: &str| {
        json!({ "record_payment": {
            "contract": contract, "gross": gross, "tax": 10, "currency": currency,
            "bank_reference": reference } })
    };
    w.refused("operator", sign(&schedule), "NOT_CONTRACT_PARTY")?;
    w.refused("buyer", sign(&wrong), "SCHEDULE_MISMATCH")?;
    w.ok("buyer", sign(&schedule))?;
    w.refused("buyer", sign(&schedule), "ALREADY_SIGNED")?;
    w.refused("gz-exchange", pay(1_000, "CNY", "ref-1"), "CONTRACT_NOT_SIGNED")?;
    w.ok("gz-exchange", sign(&schedule))?;
    w.refused("bj-exchange", pay(1_000, "CNY", "ref-1"), "NOT_CLEARING_EXCHANGE")?;
    w.refused("gz-exchange", pay(1_000, "USD", "ref-1"), "WRONG_CURRENCY")?;
    w.refused("gz-exchange", pay(100_001, "CNY", "ref-1"), "PAYMENT_ABOVE_PRICE")?;
    let payment = w.ok("gz-exchange", pay(1_000, "CNY", "ref-1"))?;
    w.refused("gz-exchange", pay(1_000, "CNY", "ref-1"), "BANK_REFERENCE_USED")?;
    // Of 1 000 gross and 10 tax the fee is 14 and the net 976.
    let refund = |net: u64| {
        json!({ "refund_payment": {
            "payment": payment, "net": net, "fee": 0, "tax": 0, "bank_reference": "ref-2" } })
    };
    w.refused("gz-exchange", refund(977), "REFUND_ABOVE_REMAINDER")?;
    w.ok("gz-exchange", refund(976))?;
    Ok(())
}
