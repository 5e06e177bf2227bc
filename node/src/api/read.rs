//! Reading: status, blocks, proven state, lists, events and the stream of blocks.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use headwater_ledger::block::Block;
use headwater_ledger::codec;
use headwater_ledger::envelope::event_id;
use headwater_ledger::genesis::Genesis;
use headwater_ledger::light::LightBlock;
use headwater_ledger::state::{Key, Relation, State as LedgerState};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;

use super::error::{JsonBody, Name};
use super::{Api, ApiError};
use crate::app::App;
use crate::archive::rows;
use crate::chain::{Blocks, Point};
use crate::engine;
use crate::metrics::CONTENT_TYPE;
use crate::past::NotYet;
use crate::store::index::{IndexStore, MAX_KEY_BYTES as MAX_ROW_KEY_BYTES};

/// Most keys of one proven read.
const MAX_KEYS: usize = 1_024;
/// Most bytes of one canonical key.
const MAX_KEY_BYTES: usize = 512;
/// Most entries of one piece of a list.
const MAX_ENTRIES: usize = 4_096;
/// Above every row whose key begins with the same bytes.
const KEY_BYTES_ABOVE_ANY_ROW: usize = MAX_ROW_KEY_BYTES + 1;
/// Longest wait for the index to reach the tip.
const INDEX_PATIENCE: Duration = Duration::from_secs(5);

/// Whether the node runs.
#[utoipa::path(get, path = "/health",
    responses((status = 200, description = "status and height"), (status = 503, description = "ENGINE_STOPPED")))]
pub async fn health(State(api): State<Api>) -> Result<Json<Value>, ApiError> {
    if api.app.is_poisoned() {
        let text = "a failure stopped the consensus engine of this node";
        return Err(ApiError::unavailable("ENGINE_STOPPED", text));
    }
    let height = api.app().chain().tip().height;
    Ok(Json(json!({ "status": "ok", "height": height })))
}

/// Metrics in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", responses((status = 200, content_type = "text/plain")))]
pub async fn metrics(State(api): State<Api>) -> Response {
    let mut page = api.metrics.render();
    page.push_str(&engine::metrics_text());
    page.push_str("# EOF\n");
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], page).into_response()
}

/// Where this node stands.
#[utoipa::path(get, path = "/v1/status", responses((status = 200, description = "chain, tip, mempool")))]
pub async fn status(State(api): State<Api>) -> Result<Json<Value>, ApiError> {
    let peers = api.engine.peers().await;
    let app = api.app();
    let (chain, pool) = (app.chain(), app.mempool());
    let tip = chain.tip();
    let (protocol, rulebook) = tip.versions().map_err(ApiError::internal)?;
    Ok(Json(json!({
        "chain_id": chain.chain_id(),
        "name": chain.genesis().name,
        "moniker": api.moniker,
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": protocol,
        "rulebook": rulebook,
        "height": tip.height,
        "block_id": tip.block_id,
        "block_time_ms": tip.time_ms,
        "state_root": tip.state.root(),
        "validators": tip.next.validators().len(),
        "index_height": app.index().height(),
        "min_state_height": chain.lowest(),
        "consensus": {
            "mode": api.engine.mode(),
            "misbehaviours": api.engine.misbehaviours(),
            "peers": peers,
        },
        "mempool": { "envelopes": pool.len(), "bytes": pool.bytes(), "waiting": pool.waiting() },
    })))
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
    Name(height): Name,
) -> Result<Json<LightBlock>, ApiError> {
    let read = move |api: &Api| {
        let (height, recent, blocks) = {
            let app = api.app();
            let height = parse_height(&app, &height)?;
            let chain = app.chain();
            (height, chain.at(height).and_then(|p| p.light.clone()), chain.blocks())
        };
        let light = match recent {
            Some(light) => Some(light),
            None => blocks.light(height).map_err(ApiError::internal)?,
        };
        light.ok_or_else(|| unknown_height(height))
    };
    api.aside(read).await.map(Json)
}

/// The canonical bytes of a block.
#[utoipa::path(get, path = "/v1/blocks/{height}/raw",
    params(("height" = String, Path, description = "a height, or `latest`")),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, description = "UNKNOWN_HEIGHT")))]
pub async fn raw_block(State(api): State<Api>, Name(height): Name) -> Result<Response, ApiError> {
    let read = move |api: &Api| {
        let (height, blocks) = {
            let app = api.app();
            (parse_height(&app, &height)?, app.chain().blocks())
        };
        let record = blocks.record(height).map_err(ApiError::internal)?;
        Ok(record.ok_or_else(|| unknown_height(height))?.block)
    };
    let block = api.aside(read).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], block).into_response())
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

/// The state of any height in the log: one that is not in memory any more is made again.
async fn state_at(api: &Api, height: Option<u64>) -> Result<Arc<Point>, ApiError> {
    let (height, past) = {
        let app = api.app();
        let chain = app.chain();
        let height = height.unwrap_or(chain.tip().height);
        if height > chain.tip().height || height == 0 {
            return Err(unknown_height(height));
        }
        if let Some(point) = chain.at(height).filter(|p| p.light.is_some()) {
            return Ok(point.clone());
        }
        (height, app.past())
    };
    past.at(height, api.past_patience).await.map_err(|not_yet| match not_yet {
        NotYet::Rebuilding { .. } => ApiError::rebuilding(not_yet.to_string()),
        NotYet::Fault(fault) => ApiError::internal(fault),
    })
}

/// Records of the state with one proof for all of them.
#[utoipa::path(post, path = "/v1/state",
    responses((status = 200, description = "block, values, multiproof"), (status = 503, description = "STATE_REBUILDING")))]
pub async fn state(
    State(api): State<Api>,
    JsonBody(request): JsonBody<StateRequest>,
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
    let point = state_at(&api, request.height).await?;
    let Some(light) = point.light.clone() else { return Err(unknown_height(point.height)) };
    let map = LedgerState::map(&point.state);
    let values: Vec<Option<String>> = hashes.iter().map(|h| map.get(h).map(hex::encode)).collect();
    let proof = map.prove_many(&hashes);
    let proof = proof
        .ok_or_else(|| ApiError::bad_request("BAD_KEYS", "the keys cannot be proven together"))?;
    Ok(Json(json!({ "block": light, "values": values, "proof": proof })))
}

/// The index, once it has all that was committed when it was asked for.
async fn whole_index(api: &Api) -> Result<Arc<dyn IndexStore>, ApiError> {
    let (index, tip) = {
        let app = api.app();
        (app.index().clone(), app.chain().tip().height)
    };
    let started = Instant::now();
    while index.height() < tip {
        if started.elapsed() > INDEX_PATIENCE {
            let text = format!("the index is at height {}, the chain at {tip}", index.height());
            return Err(ApiError::unavailable("INDEX_BEHIND", text));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(index)
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
#[utoipa::path(post, path = "/v1/lists", responses((status = 200, description = "entries in order"), (status = 503, description = "INDEX_BEHIND")))]
pub async fn lists(
    State(api): State<Api>,
    JsonBody(request): JsonBody<ListRequest>,
) -> Result<Json<Value>, ApiError> {
    let index = whole_index(&api).await?;
    let (prefix, after) =
        rows::list_scan(&request.relation, request.from).map_err(ApiError::internal)?;
    let limit = request.limit.min(MAX_ENTRIES);
    let rows = index.scan(&prefix, after.as_deref(), limit).map_err(ApiError::internal)?;
    let entries: Vec<String> = rows.iter().map(|(_, value)| hex::encode(value)).collect();
    Ok(Json(json!({ "entries": entries })))
}

/// The first digits of an event id.
struct IdPrefix<'a> {
    digits: &'a str,
    /// The whole bytes among them.
    bytes: Vec<u8>,
    /// The digit that is left over.
    half: Option<u8>,
}

impl<'a> IdPrefix<'a> {
    fn parse(text: &'a str) -> Result<Self, ApiError> {
        let bad = || {
            let text = format!("`{text}` is not an event id or 8 or more of its digits");
            ApiError::bad_request("BAD_ID", text)
        };
        let digits = text.strip_prefix("blake3:").unwrap_or(text);
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if !(8..=64).contains(&digits.len()) || !digits.bytes().all(is_digit) {
            return Err(bad());
        }
        let (whole, half) = digits.split_at(digits.len() & !1);
        Ok(IdPrefix {
            digits,
            bytes: hex::decode(whole).map_err(|_| bad())?,
            half: half.chars().next().and_then(|c| c.to_digit(16)).map(|d| d as u8),
        })
    }

    /// The places of the first two events whose row begins with these digits; rows are keyed by
    /// half an id.
    fn find(&self, index: &dyn IndexStore) -> Result<Vec<(u64, u32, u32)>, ApiError> {
        let prefix = rows::event_prefix(&self.bytes);
        // Rows hold no digits beyond half an id.
        let half = self.half.filter(|_| prefix.len() < rows::EVENT_KEY_BYTES);
        // Rows before the left over digit are jumped over: the last key that could be one.
        let before = half.and_then(|half| (half << 4).checked_sub(1));
        let after = before.map(|byte| {
            let mut key = prefix.clone();
            key.push(byte);
            key.resize(KEY_BYTES_ABOVE_ANY_ROW, u8::MAX);
            key
        });
        let found = index.scan(&prefix, after.as_deref(), 2).map_err(ApiError::internal)?;
        let fits = |key: &[u8]| match (half, key.get(prefix.len())) {
            (Some(half), Some(byte)) => byte >> 4 == half,
            (Some(_), None) | (None, _) => true,
        };
        let places = found.iter().filter(|(key, _)| fits(key)).map(|(_, value)| {
            rows::read_event(value).ok_or_else(|| ApiError::internal("a row is malformed"))
        });
        places.collect()
    }
}

/// Finds the event whose id begins with these digits.
fn find_event(index: &dyn IndexStore, blocks: &Blocks, text: &str) -> Result<Value, ApiError> {
    let prefix = IdPrefix::parse(text)?;
    let unknown = || ApiError::not_found("UNKNOWN_EVENT", format!("no event {text} is recorded"));
    let (height, place, number) = match prefix.find(index)?[..] {
        [] => return Err(unknown()),
        [place] => place,
        [_, _, ..] => {
            let text = format!("several event ids begin with {text}");
            return Err(ApiError::bad_request("AMBIGUOUS_ID", text));
        }
    };
    let contradiction = || ApiError::internal("the index contradicts the log");
    let record = blocks.record(height).map_err(ApiError::internal)?.ok_or_else(contradiction)?;
    let block = Block::from_bytes(&record.block).map_err(ApiError::internal)?;
    let signed = block.envelopes.get(place as usize).ok_or_else(contradiction)?;
    let event = signed.envelope.events.get(number as usize).ok_or_else(contradiction)?;
    let envelope = signed.envelope.id().map_err(ApiError::internal)?;
    let id = event_id(&envelope, number);
    if !hex::encode(id.digest().raw()).starts_with(prefix.digits) {
        return Err(unknown());
    }
    Ok(json!({
        "id": id,
        "height": height,
        "time_ms": block.header.time_ms,
        "envelope": place,
        "index": number,
        "envelope_id": envelope,
        "author": signed.envelope.header.author,
        "event": event,
    }))
}

/// One event and where it is recorded.
#[utoipa::path(get, path = "/v1/events/{id}",
    params(("id" = String, Path, description = "event id, or at least 8 of its digits")),
    responses((status = 200, description = "event and place"), (status = 400, description = "BAD_ID, AMBIGUOUS_ID"), (status = 404, description = "UNKNOWN_EVENT"), (status = 503, description = "INDEX_BEHIND")))]
pub async fn event(State(api): State<Api>, Name(id): Name) -> Result<Json<Value>, ApiError> {
    let index = whole_index(&api).await?;
    let find = move |api: &Api| {
        let blocks = api.app().chain().blocks();
        find_event(&*index, &blocks, &id)
    };
    api.aside(find).await.map(Json)
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
