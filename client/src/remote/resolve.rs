//! From what a user writes to what the ledger knows, proved.

use headwater_ledger::envelope::asset_id;
use headwater_ledger::hash::AssetId;
use headwater_ledger::query::Lists as _;
use headwater_ledger::reject::Fault;
use headwater_ledger::state::{Key, Records as _, Relation, View as _};
use headwater_ledger::text::{AssetName, Handle};

use super::view::VerifiedView;
use crate::failure::{Failure, Kind};

/// Most assets of a member that are searched for one whose name begins as written.
const MAX_SEARCHED: u64 = 10_000;

/// An asset as a user writes it: its id, `handle/name`, or `handle/` and the begin of the name
/// where only one of the member's assets has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssetRef {
    /// By id.
    Id(AssetId),
    /// By author and name, or the begin of the name.
    Name(Handle, AssetName),
}

impl std::str::FromStr for AssetRef {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("blake3:") {
            return text.parse().map(AssetRef::Id).map_err(
                |e: headwater_ledger::hash::ParseTagged| {
                    format!("{e}; an asset can also be written HANDLE/NAME")
                },
            );
        }
        let Some((author, name)) = text.split_once('/') else {
            return Err("expected HANDLE/NAME or an id such as blake3:…".into());
        };
        let author =
            author.parse().map_err(|e: headwater_ledger::text::ParseText| e.to_string())?;
        let name = name.parse().map_err(|e: headwater_ledger::text::ParseText| e.to_string())?;
        Ok(AssetRef::Name(author, name))
    }
}

impl VerifiedView<'_> {
    /// The id of a recorded asset.
    pub fn asset_id(&self, asset: &AssetRef) -> Result<AssetId, Failure> {
        let (author, name) = match asset {
            AssetRef::Id(id) => return self.recorded(id),
            AssetRef::Name(author, name) => (author, name),
        };
        let id = asset_id(&self.block().header.chain_id, author, name);
        if self.ask(|view| Ok(view.value(&Key::Asset(id))?.is_some()))? {
            return Ok(id);
        }
        let height = self.block().header.height;
        let mut found = self.ask(|view| Ok(view.named_from(author, name)?))?;
        match (found.pop(), found.len()) {
            (Some((_, id)), 0) => Ok(id),
            (Some(last), _) => {
                found.push(last);
                let names: Vec<String> =
                    found.iter().take(10).map(|(name, _)| format!("{author}/{name}")).collect();
                let message = format_args!("{author}/{name} begins several names");
                Err(Failure::new(Kind::NotFound, message)
                    .hint(format_args!("name one of: {}", names.join(", "))))
            }
            (None, _) => Err(Failure::new(
                Kind::NotFound,
                format_args!("asset {author}/{name} is not recorded as of height {height}, proved"),
            )
            .hint(format_args!(
                "assets are written HANDLE/NAME; check both, or ask a later height than {height}"
            ))),
        }
    }

    fn recorded(&self, id: &AssetId) -> Result<AssetId, Failure> {
        if self.ask(|view| Ok(view.value(&Key::Asset(*id))?.is_some()))? {
            return Ok(*id);
        }
        let height = self.block().header.height;
        let message = format_args!("asset {id} is not recorded as of height {height}, proved");
        Err(Failure::new(Kind::NotFound, message).hint("an id is of one chain only; check it"))
    }

    /// The member's own assets whose name begins so, unless it has too many to search.
    fn named_from(
        &self,
        author: &Handle,
        begin: &AssetName,
    ) -> Result<Vec<(AssetName, AssetId)>, Fault> {
        let relation = Relation::MemberAssets(author.clone());
        if self.range(&relation)?.count() > MAX_SEARCHED {
            return Ok(Vec::new());
        }
        let entries = self.entries(&relation)?;
        let ids: Vec<AssetId> = entries.iter().map(|e| AssetId::from_digest(e.id)).collect();
        self.prefetch(&ids.iter().map(|id| Key::Asset(*id)).collect::<Vec<_>>())?;
        let mut found = Vec::new();
        for id in ids {
            if let Some(asset) = self.asset(&id)?
                && asset.author == *author
                && asset.name.as_str().starts_with(begin.as_str())
            {
                found.push((asset.name, id));
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}
