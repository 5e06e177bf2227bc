//! Answers about the keys of members.

use super::{Answer, Asked, did_you_mean};
use crate::event::member::{MemberKey as LedgerKey, Scope};
use crate::keys::PublicKey;
use crate::scenario::derive::signing_key;
use crate::scenario::form::Wrong;
use crate::scenario::kind::Kind;
use crate::scenario::kind::choice::ScopeWord;
use crate::scenario::kind::compound::MemberKey;
use crate::scenario::kind::reference::{Key as KeyName, key_name};
use crate::scenario::kind::time::{Time, time_text};
use crate::scenario::token::Token;
use crate::state::record::RevokedKey;
use crate::state::{Key, View};
use crate::text::Handle;

impl Asked<'_> {
    /// Fails unless a word names a key that the story has spoken of before.
    fn must_be_key(&self, word: Option<&Token>, owner: &Handle) -> Result<(), Wrong> {
        let Some(word) = word.filter(|t| !t.text.starts_with("ed25519:")) else { return Ok(()) };
        let (of, name) = key_name(&word.text, owner)?;
        let key = signing_key(&of, &name).public_key().to_string();
        let names = self.context.names;
        if names.said(&key).is_some() {
            return Ok(());
        }
        let own = format!("{owner}/");
        let all = names.all_said();
        let near = did_you_mean(&name, all.iter().filter_map(|said| said.strip_prefix(&own)));
        Err(Wrong(format!("no key `{name}` of {of} was spoken of before{near}")))
    }

    /// How a key is called.
    fn key_text(&self, key: &PublicKey, owner: &Handle) -> String {
        let text = key.to_string();
        let said = self.context.names.said(&text).unwrap_or(text);
        said.strip_prefix(&format!("{owner}/")).map_or(said.clone(), String::from)
    }
}

/// Its scopes in order and in brackets; nothing when it has all.
fn scopes_text(key: &LedgerKey) -> String {
    let has: Vec<_> = Scope::ALL.iter().filter(|scope| key.scopes.contains(scope)).collect();
    if has.len() == Scope::ALL.len() {
        return String::new();
    }
    let words: Vec<_> = has.into_iter().map(ScopeWord::word).collect();
    format!("[{}]", words.join(", "))
}

/// The keys that are valid, with their scopes.
pub(super) fn keys(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (handle, member) = a.member_with_handle()?;
    a.context.means_keys_of(&handle);
    let text = |a: &Asked<'_>, keys: &[LedgerKey]| {
        let mut keys: Vec<_> = keys
            .iter()
            .map(|key| format!("{}{}", a.key_text(&key.key, &handle), scopes_text(key)))
            .collect();
        keys.sort();
        if keys.is_empty() { "none".into() } else { keys.join(", ") }
    };
    let is = text(a, &member.keys);
    let mut expected = Vec::new();
    while !a.expected.skip("none") {
        a.must_be_key(a.expected.peek(), &handle)?;
        expected.push(MemberKey::read(&mut a.expected, a.context)?);
        if !(a.expected.skip(",") || a.expected.skip("and")) {
            break;
        }
    }
    Ok(Answer { is, expected: text(a, &expected) })
}

/// Whether a key of a member is valid, or since when it is not.
pub(super) fn key(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let word = a.at.need("the name of a key")?;
    let (handle, member) = a.member_with_handle()?;
    a.must_be_key(Some(word), &handle)?;
    a.context.means_keys_of(&handle);
    let mut one = super::Cursor::new(std::slice::from_ref(word));
    let key = KeyName::read(&mut one, a.context)?;
    let revoked: Option<RevokedKey> = a.context.seen.get(&Key::RevokedKey(key))?;
    let revoked = revoked.filter(|revoked| revoked.member == handle);
    let since = revoked.as_ref().and_then(|revoked| revoked.compromised_since_ms);
    let is = match (member.scopes_of(&key), revoked) {
        (Some(_), _) => "valid",
        (None, Some(_)) if since.is_some() => "compromised",
        (None, Some(_)) => "revoked",
        (None, None) => "none",
    };
    let mut answer = a.word(is.into(), &["valid", "revoked", "compromised", "none"])?;
    if a.expected.skip("since") {
        let time = Time::read(&mut a.expected, a.context)?;
        answer.expected = format!("{} since {}", answer.expected, time_text(time));
        if let Some(since) = since {
            answer.is = format!("{} since {}", answer.is, time_text(since));
        }
    }
    Ok(answer)
}
