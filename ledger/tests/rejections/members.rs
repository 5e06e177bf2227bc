//! Refusals of admissions and suspensions.

use headwater_ledger::event::AdmitMember;
use headwater_ledger::event::member::{MemberKey, Role, Scope};
use headwater_ledger::keys::PublicKey;
use headwater_ledger::reject::Code;

use crate::Row;
use crate::support::*;

fn newcomer() -> AdmitMember {
    admit("new-hospital", Role::Holder)
}

/// The newcomer with these keys, for everything.
fn with_keys(keys: &[PublicKey]) -> AdmitMember {
    let keys: Vec<MemberKey> =
        keys.iter().map(|key| MemberKey { key: *key, scopes: list(&Scope::ALL) }).collect();
    AdmitMember { keys: list(&keys), ..newcomer() }
}

pub const ROWS: &[Row] = &[
    Row(Code::HandleTaken, "a handle that a member has from the begin", |w| {
        w.by(GZ, AdmitMember { handle: handle(CHEST), ..newcomer() })
    }),
    Row(Code::HandleTaken, "the same newcomer admitted by both exchanges", |w| {
        w.record(GZ, newcomer());
        w.by(BJ, with_keys(&[key("another key").public_key()]))
    }),
    Row(Code::UnknownMember, "the suspension of a stranger", |w| {
        w.by(REGULATOR, suspend("unheard-of"))
    }),
    Row(Code::UnknownMember, "the reinstatement of a stranger", |w| {
        w.by(REGULATOR, reinstate("unheard-of"))
    }),
    Row(Code::KeyNotAcceptable, "a key of small order", |w| {
        w.by(GZ, with_keys(&[PublicKey::Ed25519([0; 32])]))
    }),
    Row(Code::KeyNotAcceptable, "a key that is no point of the curve", |w| {
        let mut bytes = [0; 32];
        bytes[0] = 2;
        w.by(GZ, with_keys(&[key("new-hospital").public_key(), PublicKey::Ed25519(bytes)]))
    }),
    Row(Code::KeyInUse, "the key of another member", |w| {
        w.by(GZ, with_keys(&[key(CHEST).public_key()]))
    }),
    Row(Code::KeyInUse, "another member's second key", |w| {
        w.by(GZ, with_keys(&[key("fresh").public_key(), key(PIPELINE_KEY).public_key()]))
    }),
    Row(Code::MemberIncomplete, "a member without a role", |w| {
        w.by(GZ, AdmitMember { roles: list(&[]), ..newcomer() })
    }),
    Row(Code::MemberIncomplete, "a member with a role twice", |w| {
        w.by(GZ, AdmitMember { roles: list(&[Role::Holder, Role::Holder]), ..newcomer() })
    }),
    Row(Code::MemberIncomplete, "a member without a key", |w| w.by(GZ, with_keys(&[]))),
    Row(Code::MemberIncomplete, "a member with a key twice", |w| {
        let key = key("new-hospital").public_key();
        w.by(GZ, with_keys(&[key, key]))
    }),
    Row(Code::MemberIncomplete, "a key that may sign nothing", |w| {
        let key = MemberKey { key: key("new-hospital").public_key(), scopes: list(&[]) };
        w.by(GZ, AdmitMember { keys: list(&[key]), ..newcomer() })
    }),
    Row(Code::MemberIncomplete, "a key with a scope twice", |w| {
        let scopes = list(&[Scope::Register, Scope::Register]);
        let key = MemberKey { key: key("new-hospital").public_key(), scopes };
        w.by(GZ, AdmitMember { keys: list(&[key]), ..newcomer() })
    }),
    Row(Code::AlreadySuspended, "suspended twice", |w| {
        w.record(REGULATOR, suspend(CHEST));
        w.by(REGULATOR, suspend(CHEST))
    }),
    Row(Code::NotSuspended, "a reinstatement of a member in good standing", |w| {
        w.by(REGULATOR, reinstate(CHEST))
    }),
    Row(Code::NotSuspended, "reinstated twice", |w| {
        w.record(REGULATOR, suspend(CHEST));
        w.record(REGULATOR, reinstate(CHEST));
        w.by(REGULATOR, reinstate(CHEST))
    }),
];
