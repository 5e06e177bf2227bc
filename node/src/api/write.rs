//! Writing: batches of signed envelopes, and what has become of them.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use headwater_ledger::hash::EnvelopeId;
use headwater_ledger::limits::MAX_ENVELOPE_BYTES;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{Name, Options};
use super::{Api, ApiError};
use crate::app::{Reception, Status, Turned};

/// Most envelopes of one batch.
const MAX_BATCH: usize = 4_096;
/// Longest wait for an outcome.
const MAX_WAIT_MS: u64 = 30_000;

/// The JSON form of a status.
fn status_json(id: Option<&EnvelopeId>, status: &Status) -> Value {
    let turned = |status: &str, why: &Turned| {
        json!({
            "id": id, "status": status, "code": why.code(), "number": why.number(),
            "rule": why.tag(), "message": why.message(), "hint": why.hint(),
            "final": why.is_final(),
        })
    };
    match status {
        Status::Pending => json!({ "id": id, "status": "pending" }),
        Status::Waiting(why) => turned("waiting", why),
        Status::Recorded { height, index } => {
            json!({ "id": id, "status": "recorded", "height": height, "index": index })
        }
        Status::Refused(why) => turned("refused", why),
        Status::Unknown => json!({ "id": id, "status": "unknown" }),
    }
}

/// Splits a batch into its envelopes.
fn split(mut body: Bytes) -> Result<Vec<Bytes>, ApiError> {
    let mut envelopes = Vec::new();
    while !body.is_empty() {
        if envelopes.len() >= MAX_BATCH {
            let text = format!("more than {MAX_BATCH} envelopes in one batch");
            return Err(ApiError::bad_request("BAD_BATCH", text));
        }
        let len = body.first_chunk::<4>().map(|len| u32::from_le_bytes(*len) as usize);
        let len = len.filter(|len| body.len() - 4 >= *len).ok_or_else(|| {
            ApiError::bad_request("BAD_BATCH", "the batch ends in the middle of an envelope")
        })?;
        if len > MAX_ENVELOPE_BYTES {
            let text = format!("an envelope of {len} bytes, at most {MAX_ENVELOPE_BYTES}");
            return Err(ApiError::bad_request("BAD_BATCH", text));
        }
        let _length = body.split_to(4);
        envelopes.push(body.split_to(len));
    }
    Ok(envelopes)
}

/// Takes envelopes: repeated length (u32, little endian) and bytes.
#[utoipa::path(post, path = "/v1/envelopes",
    request_body(content_type = "application/octet-stream"),
    responses((status = 200, description = "one status for each envelope, in order"), (status = 400, description = "BAD_BATCH")))]
pub async fn submit(
    State(api): State<Api>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let envelopes = split(body?)?;
    let run = move |api: &Api| {
        let statuses = envelopes.into_iter().map(|bytes| {
            let (id, status) = take(api, bytes)?;
            Ok(status_json(id.as_ref(), &status))
        });
        statuses.collect::<Result<Vec<Value>, ApiError>>()
    };
    let results = api.aside(run).await?;
    Ok(Json(json!({ "results": results })))
}

/// Takes one envelope and passes it on. Its signatures are checked and it is tried without holding
/// the application, which consensus needs.
fn take(api: &Api, bytes: Bytes) -> Result<(Option<EnvelopeId>, Status), ApiError> {
    let envelope = match api.verdicts.verify(&bytes) {
        Ok(envelope) => envelope,
        Err(reject) => {
            api.metrics.refused(reject.code.name());
            return Ok((None, Status::Refused(Turned::rejected(reject))));
        }
    };
    let id = envelope.id();
    let reception = api.app().receive(&id).map_err(ApiError::internal)?;
    let trial = match reception {
        Reception::Known(status) => return Ok((Some(id), status)),
        Reception::Untried(trial) => trial,
    };
    let tried = trial.run(&envelope);
    let (status, is_new) = api.app().submit_tried(envelope, tried);
    if is_new {
        api.gossip.publish(bytes);
    }
    Ok((Some(id), status))
}

/// Options of a status request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// Wait at most so long for an outcome.
    #[serde(default)]
    wait_ms: u64,
}

/// What has become of an envelope.
#[utoipa::path(get, path = "/v1/envelopes/{id}",
    params(("id" = String, Path, description = "envelope id"),
           ("wait_ms" = Option<u64>, Query, description = "wait for an outcome, at most 30000")),
    responses((status = 200, description = "status")))]
pub async fn envelope(
    State(api): State<Api>,
    Name(id): Name,
    Options(wait): Options<Wait>,
) -> Result<Json<Value>, ApiError> {
    let id: EnvelopeId =
        id.parse().map_err(|e| ApiError::bad_request("BAD_ID", format!("an envelope id: {e}")))?;
    let deadline =
        tokio::time::Instant::now() + Duration::from_millis(wait.wait_ms.min(MAX_WAIT_MS));
    let mut changes = api.app().changes();
    loop {
        changes.borrow_and_update();
        let status = api.app().status(&id);
        let settled = matches!(status, Status::Recorded { .. } | Status::Refused(_));
        let is_over = settled || {
            let changed = tokio::time::timeout_at(deadline, changes.changed()).await;
            !matches!(changed, Ok(Ok(())))
        };
        if is_over {
            return Ok(Json(status_json(Some(&id), &status)));
        }
    }
}
