//! Reading: status, blocks, proven state, lists, events and the stream of blocks.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use headwater_ledger::block::Block;
use headwater_ledger::codec;
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::EventId;
use headwater_ledger::light::LightBlock;
use headwater_ledger::state::{Key, Relation, State as LedgerState};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;

use super::{Api, ApiError};
use crate::app::App;
use crate::archive::rows;
use crate::chain::Point;
use crate::metrics::CONTENT_TYPE;

/// Most keys of one proven read.
const MAX_KEYS: usize = 1_024;
/// Most bytes of one canonical key.
const MAX_KEY_BYTES: usize = 512;
/// Most entries of one piece of a list.
const MAX_ENTRIES: usize = 4_096;
/// Longest wait for the index to reach the tip.
const INDEX_PATIENCE: Duration = Duration::from_secs(5);

/// Whether the node runs.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "status and height")))]
pub async fn health(State(api): State<Api>) -> Json<Value> {
    let height = api.app().chain().tip().height;
    Json(json!({ "status": "ok", "height": height }))
}

/// Metrics in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", responses((status = 200, content_type = "text/plain")))]
pub async fn metrics(State(api): State<Api>) -> Response {
    let mut page = api.metrics.render();
    page.push_str(&(api.engine_metrics)());
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], page).into_response()
}

/// Where this node stands.
#[utoipa::path(get, path = "/v1/status", responses((status = 200, description = "chain, tip, mempool")))]
pub async fn status(State(api): State<Api>) -> Json<Value> {
    let app = api.app();
    let (chain, pool) = (app.chain(), app.mempool());
    let tip = chain.tip();
    Json(json!({
        "chain_id": chain.chain_id(),
        "name": chain.genesis().name,
        "moniker": api.moniker,
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": chain.genesis().protocol,
        "height": tip.height,
        "block_id": tip.block_id,
        "block_time_ms": tip.time_ms,
        "state_root": tip.state.root(),
        "validators": tip.next.validators().len(),
        "index_height": app.index().height(),
        "min_state_height": chain.lowest(),
        "mempool": { "envelopes": pool.len(), "bytes": pool.bytes(), "waiting": pool.waiting() },
    }))
}

/// The genesis document, whose hash is the chain id.
#[utoipa::path(get, path = "/v1/genesis", responses((status = 200, description = "genesis document")))]
pub async fn genesis(State(api): State<Api>) -> Json<Genesis> {
    Json(api.app().chain().genesis().clone())
}

fn parse_height(app: &App, text: &str) -> Result<u64, ApiError> {
    if text == "latest" {
        return Ok(app.chain().tip().height);
    }
    text.parse().map_err(|_| {
        ApiError::bad_request("BAD_HEIGHT", format!("`{text}` is neither a height nor `latest`"))
    })
}

fn unknown_height(height: u64) -> ApiError {
    ApiError::not_found("UNKNOWN_HEIGHT", format!("there is no block at height {height} here"))
}

/// Header, commit certificate and validators of a height.
#[utoipa::path(get, path = "/v1/blocks/{height}",
    params(("height" = String, Path, description = "a height, or `latest`")),
    responses((status = 200, description = "light block"), (status = 404, description = "UNKNOWN_HEIGHT")))]
pub async fn block(
    State(api): State<Api>,
    Path(height): Path<String>,
) -> Result<Json<LightBlock>, ApiError> {
    let app = api.app();
    let height = parse_height(&app, &height)?;
    let light = app.chain().light(height).map_err(ApiError::internal)?;
    light.map(Json).ok_or_else(|| unknown_height(height))
}

/// The canonical bytes of a block.
#[utoipa::path(get, path = "/v1/blocks/{height}/raw",
    params(("height" = String, Path, description = "a height, or `latest`")),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, description = "UNKNOWN_HEIGHT")))]
pub async fn raw_block(
    State(api): State<Api>,
    Path(height): Path<String>,
) -> Result<Response, ApiError> {
    let record = {
        let app = api.app();
        let height = parse_height(&app, &height)?;
        let record = app.chain().log().read(height).map_err(ApiError::internal)?;
        record.ok_or_else(|| unknown_height(height))?
    };
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], record.block).into_response())
}

/// A request for records of the state with proof.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateRequest {
    /// Height; the latest when absent.
    height: Option<u64>,
    /// Canonical bytes of keys in hexadecimal.
    keys: Vec<String>,
}

fn state_at(app: &App, height: Option<u64>) -> Result<Arc<Point>, ApiError> {
    let chain = app.chain();
    let height = height.unwrap_or(chain.tip().height);
    if height > chain.tip().height || height == 0 {
        return Err(unknown_height(height));
    }
    let point = chain.at(height).filter(|p| p.light.is_some());
    point.cloned().ok_or_else(|| {
        ApiError::pruned(format!(
            "the state of height {height} is not in memory; the lowest is {}",
            chain.lowest()
        ))
    })
}

/// Records of the state with one proof for all of them.
#[utoipa::path(post, path = "/v1/state",
    responses((status = 200, description = "block, values, multiproof"), (status = 410, description = "HEIGHT_PRUNED")))]
pub async fn state(
    State(api): State<Api>,
    Json(request): Json<StateRequest>,
) -> Result<Json<Value>, ApiError> {
    if request.keys.len() > MAX_KEYS || request.keys.is_empty() {
        let text = format!("{} keys, expected 1 to {MAX_KEYS}", request.keys.len());
        return Err(ApiError::bad_request("BAD_KEYS", text));
    }
    let mut hashes = Vec::with_capacity(request.keys.len());
    for key in &request.keys {
        let bytes = hex::decode(key)
            .map_err(|e| ApiError::bad_request("BAD_KEYS", format!("a key is not hex: {e}")))?;
        let key: Key = codec::decode(&bytes, MAX_KEY_BYTES)
            .map_err(|e| ApiError::bad_request("BAD_KEYS", format!("a key: {e}")))?;
        hashes.push(key.hash().map_err(ApiError::internal)?);
    }
    let point = state_at(&api.app(), request.height)?;
    let Some(light) = point.light.clone() else { return Err(unknown_height(point.height)) };
    let map = LedgerState::map(&point.state);
    let values: Vec<Option<String>> =
        hashes.iter().map(|h| map.get(h).map(hex::encode)).collect();
    let proof = map.prove_many(&hashes);
    let proof = proof.ok_or_else(|| {
        ApiError::bad_request("BAD_KEYS", "the keys cannot be proven together")
    })?;
    Ok(Json(json!({ "block": light, "values": values, "proof": proof })))
}

/// A request for a piece of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListRequest {
    /// Which list.
    relation: Relation,
    /// From this entry, counted from 0.
    #[serde(default)]
    from: u64,
    /// At most so many.
    limit: usize,
}

/// A piece of a list; whole lists are checked against the state.
#[utoipa::path(post, path = "/v1/lists", responses((status = 200, description = "entries in order")))]
pub async fn lists(
    State(api): State<Api>,
    Json(request): Json<ListRequest>,
) -> Result<Json<Value>, ApiError> {
    let (index, tip) = {
        let app = api.app();
        (app.index().clone(), app.chain().tip().height)
    };
    let started = std::time::Instant::now();
    while index.height() < tip {
        if started.elapsed() > INDEX_PATIENCE {
            let text = format!("the index is at height {}, the chain at {tip}", index.height());
            return Err(ApiError::unavailable("INDEX_BEHIND", text));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (prefix, after) =
        rows::list_scan(&request.relation, request.from).map_err(ApiError::internal)?;
    let limit = request.limit.min(MAX_ENTRIES);
    let rows = index.scan(&prefix, after.as_deref(), limit).map_err(ApiError::internal)?;
    let entries: Vec<String> = rows.iter().map(|(_, value)| hex::encode(value)).collect();
    Ok(Json(json!({ "entries": entries })))
}

/// Finds the event whose id begins with these digits.
fn find_event(app: &App, text: &str) -> Result<(EventId, Block, (u64, u32, u32)), ApiError> {
    let bad = || {
        let text = format!("`{text}` is not an event id or 8 or more of its digits");
        ApiError::bad_request("BAD_ID", text)
    };
    let digits = text.strip_prefix("blake3:").unwrap_or(text);
    let digits = digits.get(..digits.len() & !1).ok_or_else(bad)?;
    let prefix = hex::decode(digits).map_err(|_| bad())?;
    if prefix.len() < 4 || prefix.len() > 32 {
        return Err(bad());
    }
    let found = app
        .index()
        .scan(&rows::event_prefix(&prefix), None, 2)
        .map_err(ApiError::internal)?;
    let unknown = || ApiError::not_found("UNKNOWN_EVENT", format!("no event {text} is recorded"));
    let [(_, value)] = &found[..] else {
        if found.len() > 1 {
            let text = format!("{text} is the begin of several event ids");
            return Err(ApiError::bad_request("AMBIGUOUS_ID", text));
        }
        return Err(unknown());
    };
    let place = rows::read_event(value).ok_or_else(|| ApiError::internal("a row is malformed"))?;
    let record = app.chain().log().read(place.0).map_err(ApiError::internal)?;
    let record = record.ok_or_else(|| ApiError::internal("the index is ahead of the log"))?;
    let block = Block::from_bytes(&record.block).map_err(ApiError::internal)?;
    let signed = block.envelopes.get(place.1 as usize);
    let signed = signed.ok_or_else(|| ApiError::internal("the index contradicts the log"))?;
    let envelope = signed.envelope.id().map_err(ApiError::internal)?;
    let id = headwater_ledger::envelope::event_id(&envelope, place.2);
    // Rows are keyed by half an id; the other half is compared here.
    if !id.to_string().trim_start_matches("blake3:").starts_with(digits) {
        return Err(unknown());
    }
    Ok((id, block, place))
}

/// One event and where it is recorded.
#[utoipa::path(get, path = "/v1/events/{id}",
    params(("id" = String, Path, description = "event id, or at least 8 of its digits")),
    responses((status = 200, description = "event and place"), (status = 404, description = "UNKNOWN_EVENT")))]
pub async fn event(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let (id, block, (height, place, index)) = find_event(&api.app(), &id)?;
    let signed = block.envelopes.get(place as usize);
    let signed = signed.ok_or_else(|| ApiError::internal("the index contradicts the log"))?;
    let event = signed.envelope.events.get(index as usize);
    let event = event.ok_or_else(|| ApiError::internal("the index contradicts the log"))?;
    Ok(Json(json!({
        "id": id,
        "height": height,
        "time_ms": block.header.time_ms,
        "envelope": place,
        "index": index,
        "envelope_id": signed.envelope.id().map_err(ApiError::internal)?,
        "author": signed.envelope.header.author,
        "event": event,
    })))
}

/// Committed blocks as they come.
#[utoipa::path(get, path = "/v1/stream", responses((status = 200, content_type = "text/event-stream")))]
pub async fn stream(
    State(api): State<Api>,
) -> Sse<impl Stream<Item = Result<SseEvent, Infallible>>> {
    // A reader that falls behind misses notices; heights tell it which.
    let notices = BroadcastStream::new(api.app().blocks()).filter_map(|notice| {
        let event = SseEvent::default().event("block").json_data(notice.ok()?).ok()?;
        Some(Ok(event))
    });
    Sse::new(notices).keep_alive(KeepAlive::default())
}
