//! Errors that say what to do about them.

/// An error with what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Hinted {
    message: String,
    hint: &'static str,
}

impl Hinted {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        self.hint
    }
}

/// An error with its hint.
pub fn hinted(message: impl Into<String>, hint: &'static str) -> anyhow::Error {
    Hinted { message: message.into(), hint }.into()
}
