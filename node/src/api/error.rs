//! Errors of the API: a status, a stable code, a sentence and a hint. And the extractors of axum
//! with their refusals in this form.

use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

/// When to ask again what is not to be had now.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

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
    /// The state of that height is being made again.
    pub fn rebuilding(message: impl Into<String>) -> Self {
        ApiError {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "STATE_REBUILDING",
            message: message.into(),
            hint: "ask again: the node goes on with it meanwhile",
        }
    }
    /// What axum itself says of a request: its status, our form.
    pub fn rejected(status: StatusCode, message: String) -> Self {
        let code = match status {
            StatusCode::PAYLOAD_TOO_LARGE => "TOO_LARGE",
            StatusCode::METHOD_NOT_ALLOWED => "WRONG_METHOD",
            _ => "BAD_REQUEST",
        };
        ApiError { status, ..ApiError::bad_request(code, message) }
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
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}

macro_rules! from_rejections {
    ($($rejection:ty),*) => {
        $(impl From<$rejection> for ApiError {
            fn from(rejection: $rejection) -> Self {
                ApiError::rejected(rejection.status(), rejection.body_text())
            }
        })*
    };
}

from_rejections!(BytesRejection, JsonRejection, PathRejection, QueryRejection);

/// A JSON body.
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        Ok(JsonBody(Json::<T>::from_request(request, state).await?.0))
    }
}

/// The part of the path that names what is asked for.
pub struct Name(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Name(Path::<String>::from_request_parts(parts, state).await?.0))
    }
}

/// Options after the question mark.
pub struct Options<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Options<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Options(Query::<T>::from_request_parts(parts, state).await?.0))
    }
}
