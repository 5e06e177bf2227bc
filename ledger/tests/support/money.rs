//! Entitlement as the records of a state give it.

use std::collections::BTreeMap;

use headwater_ledger::account::{self, AccountRows, Entitlement, Entry, Epoch, Node, Sums, Tree};
use headwater_ledger::attribution::Claim;
use headwater_ledger::hash::{AccountId, AssetId};
use headwater_ledger::payment::{self, account_id};
use headwater_ledger::reject::Fault;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::{AccountRecord, Records};
use headwater_ledger::state::{Key, State, View};
use headwater_ledger::text::Handle;

use super::{World, handle};

/// The rows of an account, for reading.
struct StateRows<'a> {
    state: &'a State,
    account: AccountId,
}

impl AccountRows for StateRows<'_> {
    type Error = Fault;
    fn entries(&self, i: u64) -> Result<Vec<Entry>, Fault> {
        Ok(self.state.get(&Key::AccountEntries(self.account, i))?.unwrap_or_default())
    }
    fn put_entries(&mut self, _: u64, _: Vec<Entry>) -> Result<(), Fault> {
        Err(Fault("a test does not write".into()))
    }
    fn starts(&self, node: Node) -> Result<Vec<u64>, Fault> {
        let key = Key::AccountIndex(self.account, node.level, node.index);
        Ok(self.state.get(&key)?.unwrap_or_default())
    }
    fn put_starts(&mut self, _: Node, _: Vec<u64>) -> Result<(), Fault> {
        Err(Fault("a test does not write".into()))
    }
    fn sums(&self, tree: Tree, node: Node) -> Result<Sums, Fault> {
        Ok(self.state.get(&payment::sums_key(self.account, tree, node))?.unwrap_or_default())
    }
    fn put_sums(&mut self, _: Tree, _: Node, _: Sums) -> Result<(), Fault> {
        Err(Fault("a test does not write".into()))
    }
}

impl World {
    /// The account of a product at an exchange in CNY.
    pub fn account(&self, shown: &str, exchange: &str) -> (AccountId, AccountRecord) {
        let currency = "CNY".parse().unwrap();
        let id = account_id(&self.asset(shown), &handle(exchange), &currency).unwrap();
        let record = self.state.account(&id).unwrap();
        (id, record.unwrap_or_else(|| panic!("{shown} has no account at {exchange}")))
    }

    pub fn schedule(&self, shown: &str) -> Vec<Claim<AssetId>> {
        self.state.schedule(&self.asset(shown)).unwrap()
    }

    /// All ownership epochs of a right, in order.
    pub fn epochs(&self, asset: &AssetId, right: Right) -> Result<Vec<Epoch<Handle>>, Fault> {
        let record = self.state.asset(asset)?.ok_or_else(|| Fault(format!("no asset {asset}")))?;
        let last = self.state.right(asset, &record, right)?.epoch;
        (0..=last)
            .map(|epoch| {
                let found = self.state.epoch(asset, &record, right, epoch)?;
                let owners = found.owners.into_iter().map(|o| (o.member, o.parts)).collect();
                Ok(Epoch { start_seq: found.start_seq, owners })
            })
            .collect()
    }

    /// Everything the account of a product divides into.
    pub fn entitlement(&self, shown: &str, exchange: &str) -> Entitlement<AssetId, Handle> {
        let (account, record) = self.account(shown, exchange);
        let rows = StateRows { state: &self.state, account };
        let claims = self.schedule(shown);
        account::entitlement(&record.totals, &rows, &claims, |a, r| self.epochs(a, r)).unwrap()
    }

    /// What each party is entitled to, added up, and the residue.
    pub fn shares(&self, shown: &str, exchange: &str) -> (BTreeMap<String, u64>, u64) {
        let divided = self.entitlement(shown, exchange);
        let mut shares = BTreeMap::new();
        for line in &divided.lines {
            *shares.entry(line.party.to_string()).or_default() += line.amount;
        }
        (shares, divided.residue)
    }
}
