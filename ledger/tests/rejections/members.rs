//! Refusals of admissions, roles, keys, suspensions, relations and successions.

use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::event::member::{MemberKey, Role, Scope};
use headwater_ledger::event::{AdmitMember, RevokeKey, TwoKeyAct};
use headwater_ledger::hash::SuccessionId;
use headwater_ledger::keys::PublicKey;
use headwater_ledger::limits::{MAX_CHAIN, MAX_KEYS, MAX_PREDECESSORS};
use headwater_ledger::reject::Code;
use headwater_ledger::state::Key;

use crate::Row;
use crate::support::members::*;
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

/// A member for each step of the longest line of successors there may be, and one more.
fn longest_line(w: &mut World) -> String {
    let name = |i: usize| format!("firm-{i}");
    for i in 0..=MAX_CHAIN {
        w.record(GZ, admit(&name(i), Role::Operator));
    }
    for i in 0..MAX_CHAIN {
        w.succeed(&name(i), &name(i + 1));
    }
    name(MAX_CHAIN)
}

/// The end of a key that is said to be in other hands since some milliseconds ago.
fn stolen(w: &World, ago_ms: u64) -> RevokeKey {
    let since = w.now_ms - ago_ms;
    RevokeKey { compromised_since_ms: Some(since), ..revoke_key(COUNTY, PIPELINE_KEY) }
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
    Row(Code::RoleReserved, "an exchange admits another exchange", |w| {
        w.by(GZ, admit("sh-exchange", Role::Exchange))
    }),
    Row(Code::RoleReserved, "an exchange admits a regulator among other roles", |w| {
        let roles = list(&[Role::Auditor, Role::Regulator]);
        w.by(GZ, AdmitMember { roles, ..newcomer() })
    }),
    Row(Code::RoleRequired, "a hospital gives another a role", |w| {
        w.by(CHEST, set_roles(COUNTY, &[Role::Holder, Role::Processor]))
    }),
    Row(Code::RoleRequired, "a regulator gives a hospital a role", |w| {
        w.by(REGULATOR, set_roles(COUNTY, &[Role::Holder, Role::Processor]))
    }),
    Row(Code::UnknownMember, "roles for a stranger", |w| {
        w.by(GZ, set_roles("unheard-of", &[Role::Holder]))
    }),
    Row(Code::NotConcerned, "an exchange gives itself a role", |w| {
        w.by(GZ, set_roles(GZ, &[Role::Exchange, Role::Operator]))
    }),
    Row(Code::MemberIncomplete, "every role is taken from a member", |w| {
        w.by(GZ, set_roles(CHEST, &[]))
    }),
    Row(Code::MemberIncomplete, "a member gets one role twice", |w| {
        w.by(GZ, set_roles(CHEST, &[Role::Holder, Role::Holder]))
    }),
    Row(Code::RoleReserved, "an exchange makes a hospital a regulator", |w| {
        w.by(GZ, set_roles(CHEST, &[Role::Holder, Role::Regulator]))
    }),
    Row(Code::RoleReserved, "an exchange takes the role of another exchange", |w| {
        w.by(GZ, set_roles(BJ, &[Role::Operator]))
    }),
    Row(Code::RoleReserved, "an exchange takes the role of a regulator", |w| {
        w.by(GZ, set_roles(REGULATOR, &[Role::Auditor]))
    }),
    Row(Code::TooManyKeys, "one key more than a member may have", |w| {
        let names: Vec<String> = (0..MAX_KEYS).map(|i| format!("key-{i}")).collect();
        for name in &names[1..] {
            w.record(CHEST, add_key(name, &[Scope::Register]));
        }
        w.by(CHEST, add_key(&names[0], &[Scope::Register]))
    }),
    Row(Code::MemberIncomplete, "a new key without a scope", |w| w.by(CHEST, add_key("new", &[]))),
    Row(Code::MemberIncomplete, "a new key with a scope twice", |w| {
        w.by(CHEST, add_key("new", &[Scope::Money, Scope::Money]))
    }),
    Row(Code::KeyNotAcceptable, "a new key of small order", |w| {
        let mut weak = add_key("new", &[Scope::Money]);
        weak.key.key = PublicKey::Ed25519([0; 32]);
        w.by(CHEST, weak)
    }),
    Row(Code::KeyInUse, "a member adds a key that it has", |w| {
        w.by(CHEST, add_key(CHEST, &[Scope::Money]))
    }),
    Row(Code::KeyInUse, "a member adds the key of another", |w| {
        w.by(CHEST, add_key(PIPELINE_KEY, &[Scope::Money]))
    }),
    Row(Code::KeyInUse, "a member adds again the key that it revoked", |w| {
        w.record(COUNTY, revoke_key(COUNTY, PIPELINE_KEY));
        w.by(COUNTY, add_key(PIPELINE_KEY, &[Scope::Register]))
    }),
    Row(Code::KeyInUse, "a newcomer comes with a revoked key", |w| {
        w.record(COUNTY, revoke_key(COUNTY, PIPELINE_KEY));
        w.by(GZ, with_keys(&[key(PIPELINE_KEY).public_key()]))
    }),
    Row(Code::KeyRevoked, "an envelope signed with a revoked key", |w| {
        w.record(COUNTY, revoke_key(COUNTY, PIPELINE_KEY));
        signed(w.envelope(COUNTY, vec![raw("fna-2026").event()]), &[PIPELINE_KEY])
    }),
    Row(Code::KeyRevoked, "a revoked key signs beside one in force", |w| {
        w.record(COUNTY, revoke_key(COUNTY, PIPELINE_KEY));
        signed(w.envelope(COUNTY, vec![raw("fna-2026").event()]), &[COUNTY, PIPELINE_KEY])
    }),
    Row(Code::KeyUnknown, "another member's revoked key signs", |w| {
        w.record(COUNTY, revoke_key(COUNTY, PIPELINE_KEY));
        signed(w.envelope(CHEST, vec![raw("fna-2026").event()]), &[PIPELINE_KEY])
    }),
    Row(Code::KeyRevoked, "a key is revoked twice", |w| {
        w.record(COUNTY, revoke_key(COUNTY, PIPELINE_KEY));
        w.by(COUNTY, revoke_key(COUNTY, PIPELINE_KEY))
    }),
    Row(Code::KeyUnknown, "the end of a key that nobody has", |w| {
        w.by(COUNTY, revoke_key(COUNTY, "no such key"))
    }),
    Row(Code::KeyUnknown, "the end of a key under another member's name", |w| {
        w.by(REGULATOR, revoke_key(CHEST, PIPELINE_KEY))
    }),
    Row(Code::UnknownMember, "the end of a stranger's key", |w| {
        w.by(REGULATOR, revoke_key("unheard-of", PIPELINE_KEY))
    }),
    Row(Code::NotConcerned, "an exchange ends a hospital's key", |w| {
        w.by(GZ, revoke_key(COUNTY, PIPELINE_KEY))
    }),
    Row(
        Code::NotConcerned,
        "a succeeded member's key ended by who has nothing to do with it",
        |w| {
            w.succeed(COUNTY, CHEST);
            w.by(LAB, revoke_key(COUNTY, PIPELINE_KEY))
        },
    ),
    Row(Code::CompromiseOutOfRange, "stolen a millisecond before the look-back", |w| {
        w.pass(60 * DAY_MS);
        let event = stolen(w, Rulebook::standard().compromise_lookback_ms + 1);
        w.by(COUNTY, event)
    }),
    Row(Code::CompromiseOutOfRange, "stolen a millisecond from now", |w| {
        let since = Some(w.now_ms + 1);
        w.by(COUNTY, RevokeKey { compromised_since_ms: since, ..stolen(w, 0) })
    }),
    Row(Code::MemberIncomplete, "two keys for one kind of act, said twice", |w| {
        w.by(CHEST, two_keys(&[TwoKeyAct::Money, TwoKeyAct::Money]))
    }),
    Row(Code::TwoKeysRequired, "one key signs a suspension where the member wants two", |w| {
        w.record(REGULATOR, two_keys(&[TwoKeyAct::Rulings]));
        w.by(REGULATOR, suspend(CHEST))
    }),
    Row(Code::TwoKeysRequired, "one key adds a key where the member wants two", |w| {
        w.record(CHEST, two_keys(&[TwoKeyAct::Money]));
        w.by(CHEST, add_key("second", &[Scope::Money]))
    }),
    Row(Code::TwoKeysRequired, "one key names a successor where the member wants two", |w| {
        w.record(CHEST, two_keys(&[TwoKeyAct::Transfers]));
        w.by(CHEST, succession(CHEST, COUNTY))
    }),
    Row(Code::TwoKeysRequired, "one key names a successor where the rulebook wants two", |w| {
        w.decide(rulebook(|r| r.two_keys = list(&[TwoKeyAct::Money])));
        w.by(CHEST, succession(CHEST, COUNTY))
    }),
    Row(Code::TwoKeysRequired, "one key takes back that the member wants two", |w| {
        w.record(CHEST, two_keys(&[TwoKeyAct::Transfers]));
        w.by(CHEST, two_keys(&[]))
    }),
    Row(Code::TwoKeysRequired, "a second key without the scope", |w| {
        w.record(REGULATOR, add_key("clerk", &[Scope::Register, Scope::Admin]));
        w.record(REGULATOR, two_keys(&[TwoKeyAct::Rulings]));
        signed(w.envelope(REGULATOR, vec![suspend(CHEST).event()]), &[REGULATOR, "clerk"])
    }),
    Row(Code::TwoKeysRequired, "one key adds a money key where the rulebook wants two", |w| {
        w.decide(rulebook(|r| r.two_keys = list(&[TwoKeyAct::Money])));
        w.by(CHEST, add_key("second", &[Scope::Money]))
    }),
    Row(Code::TwoKeysRequired, "one key adds an administrator where the rulebook wants two", |w| {
        w.decide(rulebook(|r| r.two_keys = list(&[TwoKeyAct::Rulings])));
        w.by(CHEST, add_key("second", &[Scope::Admin]))
    }),
    Row(Code::TwoKeysRequired, "one key chooses where the rulebook wants two", |w| {
        w.decide(rulebook(|r| r.two_keys = list(&[TwoKeyAct::Money])));
        w.by(CHEST, two_keys(&[]))
    }),
    Row(Code::TwoKeysRequired, "two keys take the place of the one that signs", |w| {
        w.decide(rulebook(|r| r.two_keys = list(&[TwoKeyAct::Transfers])));
        let (a, b) = (add_key("a", &[Scope::Rights]), add_key("b", &[Scope::Rights]));
        let events = vec![a.event(), b.event(), revoke_key(CHEST, CHEST).event()];
        signed(w.envelope(CHEST, events), &[CHEST])
    }),
    Row(Code::TwoKeysRequired, "a key in the place of another that does not sign", |w| {
        w.record(CHEST, add_key("second", &[Scope::Rights]));
        w.decide(rulebook(|r| r.two_keys = list(&[TwoKeyAct::Transfers])));
        let events =
            vec![add_key("third", &[Scope::Rights]).event(), revoke_key(CHEST, "second").event()];
        signed(w.envelope(CHEST, events), &[CHEST])
    }),
    Row(Code::TwoKeysRequired, "one key signs a ruling where the rulebook wants two", |w| {
        w.decide(rulebook(|r| r.two_keys = list(&[TwoKeyAct::Rulings])));
        w.by(REGULATOR, suspend(CHEST))
    }),
    Row(Code::AuthorSucceeded, "a merged hospital goes on registering", |w| {
        w.succeed(COUNTY, CHEST);
        w.by(COUNTY, raw("fna-2026"))
    }),
    Row(Code::SuccessionClosed, "a suspension of who was succeeded", |w| {
        w.succeed(COUNTY, CHEST);
        w.by(REGULATOR, suspend(COUNTY))
    }),
    Row(Code::NotConcerned, "a regulator suspends itself", |w| w.by(REGULATOR, suspend(REGULATOR))),
    Row(Code::SameMember, "a member belongs together with itself", |w| {
        w.by(CHEST, relate(CHEST, CHEST, true))
    }),
    Row(Code::SameMember, "a member belongs together with its successor", |w| {
        w.succeed(COUNTY, CHEST);
        w.by(CHEST, relate(CHEST, COUNTY, true))
    }),
    Row(Code::UnknownMember, "a hospital belongs together with a stranger", |w| {
        w.by(CHEST, relate(CHEST, "unheard-of", true))
    }),
    Row(Code::UnknownMember, "a stranger belongs together with a hospital", |w| {
        w.by(CHEST, relate("unheard-of", CHEST, true))
    }),
    Row(Code::NotConcerned, "a third hospital says that two belong together", |w| {
        w.by(FUND, relate(CHEST, COUNTY, true))
    }),
    Row(Code::NotConcerned, "one of two says that they do not belong together any more", |w| {
        w.record(CHEST, relate(CHEST, COUNTY, true));
        w.by(CHEST, relate(CHEST, COUNTY, false))
    }),
    Row(Code::NotConcerned, "an exchange says that two do not belong together", |w| {
        w.record(REGULATOR, relate(CHEST, COUNTY, true));
        w.by(GZ, relate(CHEST, COUNTY, false))
    }),
    Row(Code::NotConcerned, "an exchange says that its rival belongs to a seller", |w| {
        w.by(GZ, relate(BJ, INSIGHT, true))
    }),
    Row(
        Code::NotConcerned,
        "a hospital takes an arbiter away by calling itself close to it",
        |w| w.by(CHEST, relate(CHEST, REGULATOR, true)),
    ),
    Row(Code::NotConcerned, "a regulator ends a tie of its own", |w| {
        w.record(REGULATOR, relate(CHEST, REGULATOR, true));
        w.by(REGULATOR, relate(CHEST, REGULATOR, false))
    }),
    Row(Code::NotConcerned, "an exchange names the successor of its rival", |w| {
        w.record(GZ, admit("shell", Role::Holder));
        w.by(GZ, succession(BJ, "shell"))
    }),
    Row(Code::NotConcerned, "an exchange makes itself the successor of a hospital", |w| {
        w.by(GZ, succession(COUNTY, GZ))
    }),
    Row(Code::NotConcerned, "a regulator names the successor of an exchange", |w| {
        w.by(REGULATOR, succession(BJ, GZ))
    }),
    Row(Code::NotConcerned, "a regulator names the successor of another regulator", |w| {
        w.by(REGULATOR, succession(BUREAU, CHEST))
    }),
    Row(Code::NotConcerned, "who was named by a regulator has become an exchange since", |w| {
        let id = w.record(REGULATOR, succession(COUNTY, CHEST)).succession();
        w.decide(confer(COUNTY, &[Role::Holder, Role::Exchange]));
        w.record(FUND, raw("fna-2026"));
        w.by(CHEST, accept_succession(id))
    }),
    Row(Code::NotIndependent, "a regulator makes itself the successor of a hospital", |w| {
        w.by(REGULATOR, succession(COUNTY, REGULATOR))
    }),
    Row(Code::NotIndependent, "a regulator gives a hospital to whom it belongs with", |w| {
        w.record(REGULATOR, relate(REGULATOR, CHEST, true));
        w.by(REGULATOR, succession(COUNTY, CHEST))
    }),
    Row(Code::NotIndependent, "a regulator suspends whom it belongs with", |w| {
        w.record(REGULATOR, relate(REGULATOR, CHEST, true));
        w.by(REGULATOR, suspend(CHEST))
    }),
    Row(Code::NotIndependent, "a regulator reinstates whom it belongs with", |w| {
        w.record(REGULATOR, suspend(CHEST));
        w.record(REGULATOR, relate(REGULATOR, CHEST, true));
        w.by(REGULATOR, reinstate(CHEST))
    }),
    Row(Code::SuccessionInvalid, "a regulator names the successor of who is suspended", |w| {
        w.record(REGULATOR, suspend(COUNTY));
        w.by(REGULATOR, succession(COUNTY, CHEST))
    }),
    Row(Code::SuccessionInvalid, "suspended between the proposal and its acceptance", |w| {
        let id = w.record(COUNTY, succession(COUNTY, CHEST)).succession();
        w.record(REGULATOR, suspend(COUNTY));
        w.by(CHEST, accept_succession(id))
    }),
    Row(Code::SuccessionInvalid, "who is no exchange succeeds one", |w| {
        w.by(BJ, succession(BJ, CHEST))
    }),
    Row(Code::UnknownMember, "a successor for a stranger", |w| {
        w.by(REGULATOR, succession("unheard-of", CHEST))
    }),
    Row(Code::UnknownMember, "a stranger as successor", |w| {
        w.by(REGULATOR, succession(COUNTY, "unheard-of"))
    }),
    Row(Code::SuccessionInvalid, "a member succeeds itself", |w| {
        w.by(REGULATOR, succession(COUNTY, COUNTY))
    }),
    Row(Code::SuccessionInvalid, "a suspended successor", |w| {
        w.record(REGULATOR, suspend(CHEST));
        w.by(REGULATOR, succession(COUNTY, CHEST))
    }),
    Row(Code::SuccessionInvalid, "a successor that was succeeded itself", |w| {
        w.succeed(CHEST, FUND);
        w.by(REGULATOR, succession(COUNTY, CHEST))
    }),
    Row(Code::SuccessionInvalid, "a line of successors would lead back", |w| {
        w.succeed(COUNTY, CHEST);
        w.by(REGULATOR, succession(CHEST, COUNTY))
    }),
    Row(Code::SuccessionInvalid, "a line of successors longer than there may be", |w| {
        let last = longest_line(w);
        w.by(REGULATOR, succession(&last, CHEST))
    }),
    Row(Code::SuccessionInvalid, "a successor of more members than there may be", |w| {
        let id = w.record(REGULATOR, succession(COUNTY, CHEST)).succession();
        let taken: Vec<_> = (0..MAX_PREDECESSORS).map(|i| handle(&format!("firm-{i}"))).collect();
        w.put(&Key::ActsFor(handle(CHEST)), &taken);
        w.by(CHEST, accept_succession(id))
    }),
    Row(Code::SuccessionInvalid, "a line that became too long before the last step", |w| {
        w.record(GZ, admit("firm-x", Role::Operator));
        let id = w.record(REGULATOR, succession("firm-x", CHEST)).succession();
        let name = |i: usize| format!("firm-{i}");
        for i in 1..=MAX_CHAIN {
            w.record(GZ, admit(&name(i), Role::Operator));
        }
        for i in 1..MAX_CHAIN {
            w.succeed(&name(i), &name(i + 1));
        }
        w.succeed(&name(MAX_CHAIN), "firm-x");
        w.by(CHEST, accept_succession(id))
    }),
    Row(Code::SuccessionClosed, "a second successor for one member", |w| {
        w.succeed(COUNTY, CHEST);
        w.by(REGULATOR, succession(COUNTY, FUND))
    }),
    Row(Code::SuccessionClosed, "a succession accepted twice", |w| {
        let id = w.record(REGULATOR, succession(COUNTY, CHEST)).succession();
        w.record(CHEST, accept_succession(id));
        w.by(CHEST, accept_succession(id))
    }),
    Row(Code::SuccessionClosed, "another successor has accepted before", |w| {
        let id = w.record(REGULATOR, succession(COUNTY, FUND)).succession();
        w.succeed(COUNTY, CHEST);
        w.by(FUND, accept_succession(id))
    }),
    Row(Code::UnknownSuccession, "a succession that nobody proposed", |w| {
        w.by(CHEST, accept_succession(SuccessionId::from_digest(digest("nothing"))))
    }),
    Row(Code::NotSuccessor, "the member that ends accepts", |w| {
        let id = w.record(REGULATOR, succession(COUNTY, CHEST)).succession();
        w.by(COUNTY, accept_succession(id))
    }),
    Row(Code::NotSuccessor, "who succeeded the successor accepts", |w| {
        let id = w.record(COUNTY, succession(COUNTY, CHEST)).succession();
        w.succeed(CHEST, FUND);
        w.by(FUND, accept_succession(id))
    }),
];
