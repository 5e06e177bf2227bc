//! Failures: one sentence, one hint, one exit code.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | refused or failed |
//! | 2 | bad usage |
//! | 3 | verification failed |

use std::fmt;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

/// What kind of failure it is. Its code is stable and printed with `--json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The arguments make no sense together; nothing was tried.
    Usage,
    /// A file or value given by the user is not what it should be.
    BadInput,
    /// What was asked for does not exist.
    NotFound,
    /// What was to be created exists already.
    AlreadyExists,
    /// No passphrase could be had, or it is too weak.
    Passphrase,
    /// The passphrase does not open the key.
    WrongPassphrase,
    /// A file of our own was altered or damaged.
    Damaged,
    /// The operating system refused.
    Io,
    /// The node cannot be reached or does not make sense.
    Node,
    /// A rule of the ledger refused the act.
    Refused,
    /// Something does not match its proof or commitment.
    VerificationFailed,
    /// Whoever read our output has gone; there is nobody left to tell.
    ReaderGone,
}

impl Kind {
    /// The stable code printed with `--json`.
    pub const fn code(self) -> &'static str {
        match self {
            Kind::Usage => "usage",
            Kind::BadInput => "bad_input",
            Kind::NotFound => "not_found",
            Kind::AlreadyExists => "already_exists",
            Kind::Passphrase => "passphrase",
            Kind::WrongPassphrase => "wrong_passphrase",
            Kind::Damaged => "damaged",
            Kind::Io => "io",
            Kind::Node => "node",
            Kind::Refused => "refused",
            Kind::VerificationFailed => "verification_failed",
            Kind::ReaderGone => "reader_gone",
        }
    }

    /// What to do where a failure says nothing better.
    const fn remedy(self) -> &'static str {
        match self {
            Kind::Usage => "`headwater help COMMAND` has the command's options and examples",
            Kind::BadInput => "correct what was given and try again",
            Kind::NotFound => "check how it is written",
            Kind::AlreadyExists => "choose another name, or move the old one away",
            Kind::Passphrase => "pass --passphrase-file FILE or set HEADWATER_PASSPHRASE",
            Kind::WrongPassphrase => "check the passphrase",
            Kind::Damaged => "restore it from a backup",
            Kind::Io => "check the disk, and who may read and write there",
            Kind::Node => "try again in a moment, or ask another node with --node",
            Kind::Refused => "`headwater help COMMAND` says what the command asks for",
            Kind::VerificationFailed => "ask another node with --node",
            Kind::ReaderGone => "read the output to its end",
        }
    }

    /// The exit code of the process.
    pub const fn exit_code(self) -> u8 {
        match self {
            Kind::ReaderGone => 0,
            Kind::BadInput
            | Kind::NotFound
            | Kind::AlreadyExists
            | Kind::Passphrase
            | Kind::WrongPassphrase
            | Kind::Damaged
            | Kind::Io
            | Kind::Node
            | Kind::Refused => 1,
            Kind::Usage => 2,
            Kind::VerificationFailed => 3,
        }
    }
}

/// Why a command failed, in words for a person: a sentence, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    kind: Kind,
    message: String,
    hint: Option<String>,
    /// What a rule of the ledger says beyond the sentence.
    rule: Option<Box<Rule>>,
}

/// A refusal by a rule of the ledger, or by a node's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    code: String,
    facts: Map<String, Value>,
}

impl Failure {
    /// A failure; `message` is a sentence without capital and full stop.
    pub fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Failure { kind, message: message.to_string(), hint: None, rule: None }
    }

    /// The same with what the user can do about it.
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The same with the code of a rule, such as `GRANT_EXPIRED`, and further fields for `--json`.
    pub fn rule(mut self, code: impl Into<String>, facts: Map<String, Value>) -> Self {
        self.rule = Some(Box::new(Rule { code: code.into(), facts }));
        self
    }

    /// The operating system refused to do `what` (such as `read`) with `path`.
    pub fn io(what: &str, path: &Path, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => Kind::NotFound,
            io::ErrorKind::AlreadyExists => Kind::AlreadyExists,
            _ => Kind::Io,
        };
        let failure = Failure::new(kind, format_args!("cannot {what} {}: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::NotFound => failure.hint("check the path, and where it begins"),
            io::ErrorKind::IsADirectory => failure.hint("name a file, not a folder"),
            io::ErrorKind::NotADirectory => failure.hint("name a folder, not a file"),
            io::ErrorKind::InvalidData => failure.hint("the file must be UTF-8 text"),
            _ => failure,
        }
    }

    /// Writing the output failed. A closed pipe is no news to anybody.
    pub fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::new(Kind::ReaderGone, "the reader has gone"),
            _ => Failure::new(Kind::Io, format_args!("cannot write the output: {error}")),
        }
    }

    /// What kind of failure it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }
    /// The sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
    /// What the user can do about it.
    pub fn hint_text(&self) -> &str {
        self.hint.as_deref().unwrap_or(self.kind.remedy())
    }

    /// The stable code printed with `--json`: the rule's where a rule refused, else the kind's.
    pub fn code(&self) -> &str {
        self.rule.as_ref().map_or(self.kind.code(), |rule| &rule.code)
    }

    /// The object printed with `--json`: `{"error":{"code":…,"message":…,"hint":…}}`, with further
    /// fields where a rule refused.
    pub fn to_json(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        struct Document<'a> {
            error: Error<'a>,
        }
        #[derive(Serialize)]
        struct Error<'a> {
            code: &'a str,
            message: &'a str,
            hint: &'a str,
            #[serde(flatten)]
            facts: Option<&'a Map<String, Value>>,
        }
        let hint = self.hint_text();
        let facts = self.rule.as_ref().map(|rule| &rule.facts);
        Document { error: Error { code: self.code(), message: &self.message, hint, facts } }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Some(rule) => write!(f, "{}: {}", rule.code, self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_promised() {
        assert_eq!(Kind::ReaderGone.exit_code(), 0);
        assert_eq!(Kind::Refused.exit_code(), 1);
        assert_eq!(Kind::Io.exit_code(), 1);
        assert_eq!(Kind::Usage.exit_code(), 2);
        assert_eq!(Kind::VerificationFailed.exit_code(), 3);
    }

    #[test]
    fn a_failure_is_one_json_object() {
        let failure = Failure::new(Kind::NotFound, "no key of `a`").hint("make one");
        let json = serde_json::to_string(&failure.to_json()).unwrap();
        let expected =
            r#"{"error":{"code":"not_found","message":"no key of `a`","hint":"make one"}}"#;
        assert_eq!(json, expected);
    }

    #[test]
    fn a_refusal_has_the_code_of_its_rule() {
        let facts = [("status".to_string(), Value::from("refused"))].into_iter().collect();
        let failure = Failure::new(Kind::Refused, "it ended").hint("ask");
        let failure = failure.rule("GRANT_EXPIRED", facts);
        assert_eq!(failure.to_string(), "GRANT_EXPIRED: it ended");
        let json = serde_json::to_string(&failure.to_json()).unwrap();
        let expected = r#"{"error":{"code":"GRANT_EXPIRED","message":"it ended","hint":"ask","status":"refused"}}"#;
        assert_eq!(json, expected);
    }

    #[test]
    fn no_failure_is_without_a_hint() {
        for kind in [Kind::Usage, Kind::NotFound, Kind::Io, Kind::Node, Kind::Refused] {
            assert!(Failure::new(kind, "x").hint_text().len() > 10, "{kind:?}");
        }
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let failure = Failure::io("read", Path::new("a.csv"), &missing);
        assert_eq!(failure.hint_text(), "check the path, and where it begins");
    }

    #[test]
    fn a_closed_pipe_is_told_apart_from_a_full_disk() {
        let gone = Failure::output(&io::Error::from(io::ErrorKind::BrokenPipe));
        let full = Failure::output(&io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!((gone.kind(), full.kind()), (Kind::ReaderGone, Kind::Io));
    }
}
