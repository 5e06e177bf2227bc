//! Merkle structures: the tree over a fixed list, the append-only range, and the state map.
//!
//! All three hash under contexts of their own, so that no hash of one can be read as a hash of
//! another. Roots are typed digests; everything inside a proof is raw 32-byte hashes, because a
//! proof never mixes algorithms.

pub mod map;
pub mod map_proof;
pub mod range;
pub mod sum;
pub mod tree;

/// serde form of 32 raw bytes: 64 lower-case hexadecimal digits.
pub(crate) mod hex32 {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn parse(text: &str) -> Option<[u8; 32]> {
        let mut out = [0; 32];
        let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
        (lower && hex::decode_to_slice(text, &mut out).is_ok()).then_some(out)
    }

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        parse(&text).ok_or_else(|| de::Error::custom("a hash is 64 lower-case hexadecimal digits"))
    }
}

/// serde form of a bounded list of 32 raw bytes each: a list of hexadecimal texts.
pub(crate) mod hex32_list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::codec::List;

    #[derive(Serialize, Deserialize)]
    struct Hex(#[serde(with = "super::hex32")] [u8; 32]);

    pub(crate) fn serialize<S: Serializer, const MAX: usize>(
        hashes: &List<[u8; 32], MAX>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(hashes.iter().map(|hash| Hex(*hash)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const MAX: usize>(
        from: D,
    ) -> Result<List<[u8; 32], MAX>, D::Error> {
        let hashes = List::<Hex, MAX>::deserialize(from)?;
        let hashes = hashes.into_inner().into_iter().map(|Hex(hash)| hash).collect();
        List::new(hashes).map_err(|_| serde::de::Error::custom("list longer than its limit"))
    }
}
