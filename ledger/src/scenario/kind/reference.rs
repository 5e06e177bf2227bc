//! References: members, assets, what acts made, keys and hashes.

use super::{Kind, bare};
use crate::envelope::asset_id;
use crate::hash::{
    AccessId, AggregateId, AssetId, CertificateId, ChangeId, ContractId, Digest, DisputeId,
    GrantId, ListingId, OfferId, PaymentId, PayoutId, RegistrationId, RequestId, SetOffId,
    SuccessionId, TransferId,
};
use crate::keys::PublicKey;
use crate::scenario::derive::{label, signing_key};
use crate::scenario::form::{Cursor, Wrong};
use crate::scenario::names::Context;
use crate::scenario::token::{Token, nearest};
use crate::state::Records;
use crate::text::{Handle, ParseText};

/// A member, by handle; `me` is the author.
pub struct Member;

impl Kind for Member {
    type Of = Handle;
    fn name() -> String {
        "member".into()
    }
    fn sample() -> String {
        "clean-lab".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<Handle, Wrong> {
        let token = at.need("a member")?;
        if token.is("me") {
            return Ok(context.author.clone());
        }
        token.text.parse().map_err(|e: ParseText| Wrong(e.to_string()))
    }
    fn write(value: &Handle, _: &Context<'_>) -> String {
        bare(value.as_str())
    }
}

/// A digest in hexadecimal, or that of a text in quotes.
fn digest(token: &Token) -> Option<Result<Digest, Wrong>> {
    if token.quoted {
        return Some(Ok(label(&token.text)));
    }
    if token.text.starts_with("blake3:") {
        let parsed = token.text.parse();
        return Some(parsed.map_err(|e: crate::hash::ParseTagged| Wrong(e.to_string())));
    }
    None
}

/// A hash: a text in quotes stands for its own.
pub struct Hash;

impl Kind for Hash {
    type Of = Digest;
    fn name() -> String {
        "hash".into()
    }
    fn sample() -> String {
        "\"report 7\"".into()
    }
    fn read(at: &mut Cursor<'_>, _: &Context<'_>) -> Result<Digest, Wrong> {
        let token = at.need("a text in quotes that stands for a hash")?;
        digest(token).unwrap_or_else(|| {
            let text = format!("`{}` is not a hash: write a text in quotes", token.text);
            Err(Wrong(format!("{text}, or `blake3:` with 64 digits")))
        })
    }
    fn write(value: &Digest, _: &Context<'_>) -> String {
        value.to_string()
    }
}

/// An asset: `handle/name`, or the name alone for one of the author's.
pub struct Asset;

impl Kind for Asset {
    type Of = AssetId;
    fn name() -> String {
        "asset".into()
    }
    fn sample() -> String {
        "chest-hospital/fna-2026".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<AssetId, Wrong> {
        let token = at.need("an asset such as `chest-hospital/fna-2026`")?;
        if let Some(found) = digest(token) {
            return found.map(AssetId::from_digest);
        }
        if let Some(("asset", id)) = context.names.get(&token.text) {
            return Ok(AssetId::from_digest(id));
        }
        let wrong = |e: ParseText| Wrong(e.to_string());
        let (author, name) = match token.text.split_once('/') {
            Some((author, name)) => (author.parse().map_err(wrong)?, name),
            None => (context.author.clone(), token.text.as_str()),
        };
        let id = asset_id(&context.chain, &author, &name.parse().map_err(wrong)?);
        context.names.say(id.digest().to_string(), format!("{author}/{name}"));
        Ok(id)
    }
    fn write(value: &AssetId, context: &Context<'_>) -> String {
        written(value.digest(), context)
    }
}

/// How something is referred to: by its name when it has one that can be read again.
fn written(id: &Digest, context: &Context<'_>) -> String {
    match context.names.of(id) {
        Some(name) if bare(name) == name => name.into(),
        Some(_) | None => id.to_string(),
    }
}

/// The content of an asset: a text that stands for it, or the same as that of another asset.
pub struct ContentRoot;

impl Kind for ContentRoot {
    type Of = Digest;
    fn name() -> String {
        "hash, or `same as ASSET`".into()
    }
    fn sample() -> String {
        "\"scans of 2026\"".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<Digest, Wrong> {
        if at.skip("same-as") || at.skip("same") {
            at.skip("as");
            let asset = Asset::read(at, context)?;
            let found = context.seen.asset(&asset)?.map(|record| record.content.root);
            return context.recorded(found, label("content"), "the asset with that content");
        }
        Hash::read(at, context)
    }
    fn write(value: &Digest, _: &Context<'_>) -> String {
        value.to_string()
    }
}

/// An identifier that events make.
pub trait Made: Copy {
    /// What it names, as in [`crate::event::Event::makes`].
    const WHAT: &'static str;
    /// From a digest.
    fn from_digest(digest: Digest) -> Self;
    /// Its digest.
    fn digest(&self) -> &Digest;
}

/// A thing of a kind, with its article.
pub fn one(what: &str) -> String {
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {what}")
}

/// A reference to what an earlier step made, by the name it was given.
pub struct Ref<T>(T);

impl<T: Made> Kind for Ref<T> {
    type Of = T;
    fn name() -> String {
        format!("name of {}", one(T::WHAT))
    }
    fn sample() -> String {
        format!("\"some {}\"", T::WHAT)
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<T, Wrong> {
        let (what, wanted) = (T::WHAT, one(T::WHAT));
        let token = at.need(&format!("the name of {wanted}"))?;
        if let Some(found) = digest(token) {
            return found.map(T::from_digest);
        }
        match context.names.get(&token.text) {
            Some((made, id)) if made == what || (made, what) == ("request", "grant") => {
                Ok(T::from_digest(id))
            }
            Some((made, _)) => {
                Err(Wrong(format!("`{}` names {}, expected {wanted}", token.text, one(made))))
            }
            None => {
                let near = nearest(&token.text, context.names.all());
                let near = near.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
                let text = format!("no step before has named {wanted} `{}`{near}", token.text);
                Err(Wrong(format!("{text} (end the step that makes it with `as {}`)", token.text)))
            }
        }
    }
    fn write(value: &T, context: &Context<'_>) -> String {
        written(value.digest(), context)
    }
}

macro_rules! made {
    ($($id:ident = $what:literal),* $(,)?) => {$(
        impl Made for $id {
            const WHAT: &'static str = $what;
            fn from_digest(digest: Digest) -> Self {
                $id::from_digest(digest)
            }
            fn digest(&self) -> &Digest {
                $id::digest(self)
            }
        }
    )*};
}

made! {
    TransferId = "transfer", GrantId = "grant", ListingId = "listing", ContractId = "contract",
    PaymentId = "payment", SuccessionId = "succession", ChangeId = "change",
    RegistrationId = "registration", RequestId = "request", OfferId = "offer",
    AccessId = "access", PayoutId = "payout", SetOffId = "set-off", CertificateId = "certificate",
    AggregateId = "aggregate", DisputeId = "dispute",
}

/// A key, by its name: of the member the act is about, or `member/name`.
pub struct Key;

impl Kind for Key {
    type Of = PublicKey;
    fn name() -> String {
        "key".into()
    }
    fn sample() -> String {
        "pipeline".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<PublicKey, Wrong> {
        let text = &at.need("the name of a key")?.text;
        if text.starts_with("ed25519:") {
            return text.parse().map_err(|e: crate::hash::ParseTagged| Wrong(e.to_string()));
        }
        let (owner, name) = key_name(text, &context.key_owner())?;
        let key = signing_key(&owner, &name).public_key();
        context.names.say(key.to_string(), format!("{owner}/{name}"));
        Ok(key)
    }
    fn write(value: &PublicKey, _: &Context<'_>) -> String {
        value.to_string()
    }
}

/// Whose key a name means, and its name.
pub fn key_name(text: &str, owner: &Handle) -> Result<(Handle, String), Wrong> {
    let wrong = |e: ParseText| Wrong(e.to_string());
    let (owner, name) = match text.split_once('/') {
        Some((owner, name)) => (owner.parse().map_err(wrong)?, name),
        None => (owner.clone(), text),
    };
    name.parse::<crate::text::Code>().map_err(wrong)?;
    Ok((owner, name.into()))
}
