//! Envelopes posted to a node without the client in between.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cluster::get;

/// Posts envelopes in one batch; one status for each.
pub fn post(api: &str, envelopes: &[&[u8]]) -> Result<Vec<Value>> {
    let mut body = Vec::new();
    for bytes in envelopes {
        body.extend_from_slice(&u32::try_from(bytes.len())?.to_le_bytes());
        body.extend_from_slice(bytes);
    }
    let mut answer = ureq::post(format!("{api}/v1/envelopes"))
        .content_type("application/octet-stream")
        .send(&body[..])
        .context("POST /v1/envelopes")?;
    let answer: Value = answer.body_mut().read_json()?;
    let results = answer["results"].as_array().context("no results")?;
    ensure!(results.len() == envelopes.len(), "{} results", results.len());
    Ok(results.clone())
}

/// What becomes of an envelope within `wait_ms`.
pub fn outcome(api: &str, id: &str, wait_ms: u64) -> Result<Value> {
    get(&format!("{api}/v1/envelopes/{id}?wait_ms={wait_ms}"))
}
