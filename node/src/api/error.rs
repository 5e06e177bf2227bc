//! Errors of the API: a status, a stable code, a sentence and a hint.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error answer.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: &'static str,
}

impl ApiError {
    /// The request is not well formed.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        let hint = "see /openapi.json for the form of requests";
        ApiError { status: StatusCode::BAD_REQUEST, code, message: message.into(), hint }
    }
    /// What is asked for is not here.
    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        let hint = "see /openapi.json for the routes, or ask another node";
        ApiError { status: StatusCode::NOT_FOUND, code, message: message.into(), hint }
    }
    /// The state of that height is no longer in memory.
    pub fn pruned(message: impl Into<String>) -> Self {
        ApiError {
            status: StatusCode::GONE,
            code: "HEIGHT_PRUNED",
            message: message.into(),
            hint: "ask for a more recent height, or raise storage.keep_heights_in_memory",
        }
    }
    /// Not now.
    pub fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        let hint = "try again in a moment";
        ApiError { status: StatusCode::SERVICE_UNAVAILABLE, code, message: message.into(), hint }
    }
    /// Our own failure.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "request failed");
        ApiError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "INTERNAL",
            message: error.to_string(),
            hint: "see the node's log",
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({
            "error": { "code": self.code, "message": self.message, "hint": self.hint }
        });
        (self.status, Json(body)).into_response()
    }
}
