//! The HTTP/JSON API. Reads are proven against certified state roots; writes are signed envelopes.
//!
//! Implements the routes of the spec's appendix. Nothing here is trusted by a client.

mod error;
mod read;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use utoipa::OpenApi;

use crate::app::{App, SharedVerdicts};
use crate::engine::EngineView;
use crate::gossip::Gossip;
use crate::metrics::Metrics;
pub use error::ApiError;

/// Most bytes of a batch of envelopes.
pub const MAX_BATCH_BYTES: usize = 16 << 20;

/// What the handlers share.
#[derive(Clone)]
pub struct Api {
    /// The application.
    pub app: Arc<Mutex<App>>,
    /// Where accepted envelopes are passed on.
    pub gossip: Arc<dyn Gossip>,
    /// Metrics of this node.
    pub metrics: Arc<Metrics>,
    /// The consensus engine.
    pub engine: Arc<EngineView>,
    /// Name of this node for people.
    pub moniker: String,
    /// Signature verdicts.
    pub verdicts: SharedVerdicts,
    /// Longest wait for the state of a past height; asking again goes on waiting.
    pub past_patience: Duration,
}

impl Api {
    fn app(&self) -> MutexGuard<'_, App> {
        // A panic while it was locked has stopped the engine; reads stay useful until the end.
        self.app.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs what takes a while, such as reading blocks, where it holds nobody up.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Api) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let api = self.clone();
        tokio::task::spawn_blocking(move || work(&api)).await.map_err(ApiError::internal)?
    }
}

/// The OpenAPI document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Headwater node",
        description = "Proven reads and signed envelopes. Digests are \
        `blake3:` and 64 hexadecimal digits, keys `ed25519:` and 64."
    ),
    paths(
        read::health,
        read::metrics,
        read::status,
        read::genesis,
        read::block,
        read::raw_block,
        read::state,
        read::lists,
        read::event,
        read::stream,
        write::submit,
        write::envelope
    )
)]
struct ApiDoc;

/// All routes.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/health", get(read::health))
        .route("/metrics", get(read::metrics))
        .route("/openapi.json", get(|| async { axum::Json(ApiDoc::openapi()) }))
        .route("/v1/status", get(read::status))
        .route("/v1/genesis", get(read::genesis))
        .route("/v1/blocks/{height}", get(read::block))
        .route("/v1/blocks/{height}/raw", get(read::raw_block))
        .route("/v1/state", post(read::state))
        .route("/v1/lists", post(read::lists))
        .route("/v1/events/{id}", get(read::event))
        .route("/v1/stream", get(read::stream))
        .route("/v1/envelopes", post(write::submit))
        .route("/v1/envelopes/{id}", get(write::envelope))
        .layer(DefaultBodyLimit::max(MAX_BATCH_BYTES))
        .fallback(|| async { ApiError::not_found("UNKNOWN_ROUTE", "there is no such route") })
        .method_not_allowed_fallback(|| async {
            let text = "the route is there, but not with this method".to_owned();
            ApiError::rejected(StatusCode::METHOD_NOT_ALLOWED, text)
        })
        .with_state(api)
}
