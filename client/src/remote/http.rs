//! Requests to a node and its answers, kept word for word in case they are evidence.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ureq::{Agent, http};

use crate::failure::{Failure, Kind};
use crate::session::NodeUrl;

/// Most bytes of one answer: a block of 8 MiB in hexadecimal, with room to spare.
const MAX_ANSWER_BYTES: u64 = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

/// A node's HTTP API.
#[derive(Debug)]
pub struct Node {
    url: NodeUrl,
    agent: Agent,
}

/// One request and its answer.
#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    /// HTTP method.
    pub method: &'static str,
    /// Path on the node.
    pub path: String,
    /// Body sent, where there was one.
    pub request: Option<Value>,
    /// HTTP status.
    pub status: u16,
    /// Body received.
    pub answer: String,
}

/// What a node says when it refuses a request.
#[derive(Debug, Deserialize)]
struct Refused {
    error: RefusedError,
}

#[derive(Debug, Deserialize)]
struct RefusedError {
    code: String,
    message: String,
    #[serde(default)]
    hint: Option<String>,
}

impl Node {
    /// The node at an address; nothing is sent yet.
    pub fn new(url: &NodeUrl) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(ANSWER_TIMEOUT))
            .user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION")))
            .build();
        Node { url: url.clone(), agent: config.into() }
    }

    /// Its address.
    pub fn url(&self) -> &NodeUrl {
        &self.url
    }

    /// Sends `GET path`.
    pub fn get(&self, path: &str) -> Result<Exchange, Failure> {
        let answer = self.agent.get(self.url.join(path)).call();
        self.exchange("GET", path, None, answer)
    }

    /// Sends `POST path` with a JSON body.
    pub fn post(&self, path: &str, body: Value) -> Result<Exchange, Failure> {
        let answer = self.agent.post(self.url.join(path)).send_json(&body);
        self.exchange("POST", path, Some(body), answer)
    }

    /// Sends `POST path` with bytes.
    pub fn post_bytes(&self, path: &str, body: &[u8]) -> Result<Exchange, Failure> {
        let request = self.agent.post(self.url.join(path));
        let answer = request.content_type("application/octet-stream").send(body);
        self.exchange("POST", path, None, answer)
    }

    fn exchange(
        &self,
        method: &'static str,
        path: &str,
        request: Option<Value>,
        answer: Result<http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Exchange, Failure> {
        let mut answer = answer.map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_string();
        let answer = body.map_err(|error| self.unreachable(&error))?;
        Ok(Exchange { method, path: path.to_string(), request, status, answer })
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        Failure::new(Kind::Node, format_args!("no answer from {}: {error}", self.url))
            .hint("check that the node runs, or name another with --node URL or HEADWATER_NODE")
    }
}

/// What to do with this program where the node's hint is for those who write programs.
fn by_this_program(code: &str) -> Option<&'static str> {
    match code {
        "UNKNOWN_HEIGHT" => Some("`headwater status` shows the node's height; heights begin at 1"),
        "AMBIGUOUS_ID" => Some("give more of its digits"),
        "UNKNOWN_ROUTE" => Some("--node is the address of a node without any path after it"),
        "STATE_REBUILDING" => Some("run the command again later: the node goes on with it"),
        _ => None,
    }
}

impl Exchange {
    /// Whether the node is still making a past state again.
    pub fn is_rebuilding(&self) -> bool {
        let refused = || serde_json::from_str::<Refused>(&self.answer).ok();
        self.status == 503 && refused().is_some_and(|r| r.error.code == "STATE_REBUILDING")
    }

    /// The exchange, unless the node refused the request.
    pub fn ok(self) -> Result<Self, Failure> {
        if self.status == 200 {
            return Ok(self);
        }
        let Ok(Refused { error }) = serde_json::from_str(&self.answer) else {
            let message = format_args!("the node answers {} to {}", self.status, self.path);
            return Err(Failure::new(Kind::Node, message)
                .hint("check that --node names a Headwater node of this version"));
        };
        let message = format_args!("the node refuses: {} ({})", error.message, error.code);
        let failure = Failure::new(Kind::Node, message);
        Err(match (by_this_program(&error.code), error.hint) {
            (Some(hint), _) => failure.hint(hint),
            (None, Some(hint)) => failure.hint(hint),
            (None, None) => failure,
        })
    }

    /// The answer as what the API promises.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.answer).map_err(|error| {
            let message = format_args!(
                "the node's answer to {} is not what was expected: {error}",
                self.path
            );
            Failure::new(Kind::Node, message)
                .hint("check that --node names a Headwater node of this version")
        })
    }
}
