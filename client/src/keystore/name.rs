//! Names of keys: the member's handle, and a label for further keys of the same member.

use std::fmt;
use std::str::FromStr;

use headwater_ledger::text::{Handle, ParseText};
use serde::{Deserialize, Serialize};

/// Tells several keys of one member apart: 1 to 32 of `a-z 0-9 -`, as a handle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(Handle);

impl Label {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Label {
    type Err = ParseText;
    fn from_str(text: &str) -> Result<Self, ParseText> {
        let expected = "a label (1 to 32 of a-z 0-9 -, no - at the ends)";
        text.parse().map(Label).map_err(|error| ParseText { expected, ..error })
    }
}

/// The name of a key, written `HANDLE` or `HANDLE+LABEL`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName {
    /// The member whose key it is.
    pub handle: Handle,
    /// Its label, unless it is the member's first key.
    pub label: Option<Label>,
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.label {
            Some(label) => write!(f, "{}+{label}", self.handle),
            None => self.handle.fmt(f),
        }
    }
}

impl FromStr for KeyName {
    type Err = ParseText;
    fn from_str(text: &str) -> Result<Self, ParseText> {
        let (handle, label) = match text.split_once('+') {
            Some((handle, label)) => (handle, Some(label.parse()?)),
            None => (text, None),
        };
        Ok(KeyName { handle: handle.parse()?, label })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_written() {
        for text in ["city-hospital", "city-hospital+signing-2"] {
            assert_eq!(text.parse::<KeyName>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        for text in ["", "+", "a+", "+b", "a+b+c", "../a", "a/b", "a+../b", "A", ".a"] {
            assert!(text.parse::<KeyName>().is_err(), "{text}");
        }
    }
}
