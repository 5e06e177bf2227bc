//! The scenario language: stories of members and their acts as text that an expert of the domain
//! reads and writes. Described in `docs/scenarios.md`.
//!
//! Not part of the rules: nothing here decides anything. A text is read into steps, a step into an
//! author, keys and events; a [`Target`] records them, and what comes of it is compared with what
//! the text expects. [`LedgerTarget`] is this crate's rules in memory.

pub mod form;
pub mod kind;
pub mod names;
pub mod token;
pub mod verbs;

mod derive;

mod build;
mod expect;
mod parse;
mod run;
mod target;
mod world;

pub mod render;

pub use derive::signing_key;
pub use expect::questions;
pub use parse::{Mistake, Scenario};
pub use run::{Failure, Report};
pub use target::{LedgerTarget, Target, Verdict};
