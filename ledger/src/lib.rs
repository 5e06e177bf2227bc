//! Headwater's rules: events, rights, lineage, attribution and proofs.
//!
//! A function of bytes: no clock, no disk, no network, no randomness.
//!
//! Primitives ([`codec`], [`hash`], [`keys`], [`text`], [`money`], [`limits`]) → [`event`],
//! [`envelope`], [`merkle`] → [`state`] → the rules (members, assets, rights, grants, listings,
//! contracts, payments) → [`execute`] → [`block`], [`certificate`] → [`query`].

// Input must never reach a panic, and no float a rule. Tests may do as they like.
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_types,
        clippy::disallowed_methods,
        clippy::float_arithmetic,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod account;
pub mod attribution;
pub mod block;
pub mod certificate;
pub mod codec;
pub mod commitment;
pub mod envelope;
pub mod event;
pub mod execute;
pub mod genesis;
pub mod hash;
pub mod keys;
pub mod licence;
pub mod light;
pub mod limits;
pub mod listing;
pub mod member;
pub mod merkle;
pub mod money;
pub mod payment;
pub mod query;
pub mod reject;
pub mod scenario;
pub mod split;
pub mod state;
pub mod text;
pub mod validator;

mod access;
pub mod aggregate;
mod approval;
mod asset;
mod closing;
mod consent;
mod contest;
mod contract;
mod cut;
mod delivery;
mod dispute;
mod floor;
mod governance;
mod grant;
mod hold;
mod nesting;
pub mod payout;
mod registration;
mod request;
mod review;
mod rights;
mod succession;
mod trade_certificate;
mod version;
mod watch;
pub mod words;
