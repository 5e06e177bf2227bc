//! Money that leaves the ledger: voids, payouts, closings and aggregates, and statements of it.

use headwater_ledger::aggregate::Sources;
use headwater_ledger::codec;
use headwater_ledger::event::dispute::Adjustment;
use headwater_ledger::event::market::{ProvedClaim, ProvedLine};
use headwater_ledger::event::rights::Owner;
use headwater_ledger::event::{
    CloseAccount, ContestPayout, Event, PaySource, RecordPayout, SealSources, SetOffOverpayment,
    VoidPayment,
};
use headwater_ledger::hash::{AccountId, AggregateId, AssetId, Digest, PaymentId, PayoutId};
use headwater_ledger::payout;
use headwater_ledger::query::{self, AccountStatement, Balance, ListEntry, Lists};
use headwater_ledger::reject::{Code, Fault};
use headwater_ledger::split::Right;
use headwater_ledger::state::record::{EpochRecord, RightRecord};
use headwater_ledger::state::{Key, Relation, State, View};

use super::story::*;
use super::{Act, BUYER, CHEST, GZ, INSIGHT, World, confirm, deliver, digest, handle, refund};

macro_rules! acts {
    ($($name:ident)*) => {
        $(impl Act for $name {
            fn event(self) -> Event {
                Event::$name(self)
            }
        })*
    };
}

acts! {
    VoidPayment RecordPayout ContestPayout CloseAccount SealSources PaySource SetOffOverpayment
}

pub fn void_payment(payment: PaymentId) -> VoidPayment {
    VoidPayment { payment }
}

pub fn close(account: AccountId) -> CloseAccount {
    CloseAccount { account }
}

pub fn contest(payout: PayoutId) -> ContestPayout {
    ContestPayout { payout, evidence: digest("evidence") }
}

/// Three sources of the weights 1, 2 and 4.
pub fn sources() -> Sources {
    let weighed = [1, 2, 4].map(|w| (digest(&format!("source {w}")), w));
    Sources::new(&weighed).unwrap()
}

pub fn seal(asset: AssetId, right: Right) -> SealSources {
    let (root, total_weight) = (sources().root(), sources().total_weight());
    SealSources { asset, right, root, sources: 3, total_weight }
}

/// Pays one of the three sources, from 0.
pub fn pay_source(
    (aggregate, account): (AggregateId, AccountId),
    index: usize,
    amount: u64,
    reference: &str,
) -> PaySource {
    let weight = 1 << index;
    PaySource {
        aggregate,
        account,
        source: digest(&format!("source {weight}")),
        weight,
        index: index as u64,
        proof: sources().proof(index).unwrap(),
        amount,
        bank_reference: reference.parse().unwrap(),
    }
}

impl World {
    /// A claim of a product's schedule with its proof.
    pub fn claim(&self, product: &str, asset: &AssetId, right: Right) -> ProvedClaim {
        payout::prove(&self.schedule(product), asset, right).unwrap().expect("a claim")
    }

    /// A payout to an owner of the chest hospital's holding right in the report's account.
    pub fn payout(&self, owner: &str, amount: u64, reference: &str) -> RecordPayout {
        let (account, _) = self.account(REPORT, GZ);
        RecordPayout {
            account,
            claim: self.claim(REPORT, &self.asset(CHEST_RAW), Right::Holding),
            owner: handle(owner),
            amount,
            bank_reference: reference.parse().unwrap(),
        }
    }

    /// Pays every line of the report's closed account what it can be paid, and not a minor unit more:
    /// then nothing is left.
    pub fn pay_out_closed(&mut self) {
        for (n, balance) in self.statement().balances.into_iter().enumerate() {
            let above = balance.payable + 1;
            let mut event = self.payout(balance.party.as_str(), above, &format!("LAST-{n}"));
            event.claim = self.claim(REPORT, &balance.asset, balance.right);
            assert_eq!(self.refused(GZ, event.clone()), Code::PayoutAbovePayable);
            event.amount = balance.payable;
            if event.amount > 0 {
                self.record(GZ, event);
            }
        }
        let statement = self.statement();
        let paid: u64 = statement.balances.iter().map(|b| b.paid).sum();
        let overpaid: u64 = statement.balances.iter().map(|b| b.overpaid).sum();
        assert_eq!(paid, statement.remaining.net + overpaid, "all is paid out, to the last fen");
    }

    /// The report is paid, delivered and confirmed.
    pub fn confirmed() -> World {
        let mut w = World::paid();
        w.deliver_and_confirm();
        w
    }

    pub fn deliver_and_confirm(&mut self) {
        self.record(INSIGHT, deliver(self.contract()));
        self.record(BUYER, confirm(self.contract()));
    }

    /// The chest hospital was paid 1 000.00.
    pub fn paid_out() -> (World, PayoutId) {
        let mut w = World::confirmed();
        let event = w.payout(CHEST, 100_000, "P-1");
        let payout = PayoutId::from_digest(w.record(GZ, event).first());
        (w, payout)
    }

    /// A line of the report's account with its proof.
    pub fn line(&self, asset: &str, right: Right, owner: &str) -> ProvedLine {
        ProvedLine { claim: self.claim(REPORT, &self.asset(asset), right), owner: handle(owner) }
    }

    /// Sets off on the report's account what is payable to the company for operation of its report
    /// against what it was paid too much for processing it.
    pub fn set_off(&self, amount: u64) -> SetOffOverpayment {
        SetOffOverpayment {
            account: self.account(REPORT, GZ).0,
            from: self.line(REPORT, Right::Operation, INSIGHT),
            to: self.line(REPORT, Right::Processing, INSIGHT),
            amount,
        }
    }

    /// The company was paid all of 278 773.58 for processing; then 500 000.00 of the net were refunded,
    /// so that it has 75 000.00 too much there, and 339 622.64 payable for operation.
    pub fn overpaid() -> World {
        let mut w = World::confirmed();
        let mut event = w.payout(INSIGHT, 27_877_358, "P-1");
        event.claim = w.line(REPORT, Right::Processing, INSIGHT).claim;
        w.record(GZ, event);
        w.record(GZ, refund(w.payment(), [50_000_000, 0, 0], "B-2"));
        w
    }

    /// What an owner has of a right over an asset on the report's account.
    pub fn balance_of(&self, asset: &str, right: Right, owner: &str) -> Balance {
        let asset = self.asset(asset);
        let wanted = |b: &Balance| (b.asset, b.right, b.party.as_str()) == (asset, right, owner);
        self.statement().balances.into_iter().find(wanted).expect("a balance")
    }

    /// The report's account as its statement shows it.
    pub fn statement(&self) -> AccountStatement {
        let statement = query::product_statement(self, &self.asset(REPORT), self.now_ms).unwrap();
        statement.accounts.into_iter().next().expect("an account")
    }

    /// What an owner has of the chest hospital's holding right.
    pub fn balance(&self, owner: &str) -> Balance {
        self.balance_of(CHEST_RAW, Right::Holding, owner)
    }

    /// Puts a record into the state as a rule that is tested elsewhere would.
    pub fn put<T: bincode::Encode>(&mut self, key: &Key, value: &T) {
        let mut map = self.state.map().clone();
        map.insert(key.hash().unwrap(), codec::encode(value).unwrap().into());
        self.state = State::from_map(map);
    }

    /// A right has changed hands until it is in an epoch, and always had the same owners, the first of
    /// whom acts for it.
    pub fn owned_often(
        &mut self,
        asset: AssetId,
        right: Right,
        owners: &[(&str, u16)],
        epoch: u32,
    ) {
        let owned = |(member, parts): &(&str, u16)| Owner { member: handle(member), parts: *parts };
        let (all, manager) = (owners.iter().map(owned).collect::<Vec<_>>(), handle(owners[0].0));
        for n in 1..=epoch {
            let (start_seq, owners) = (10_000 + u64::from(n), all.clone());
            self.put(&Key::Epoch(asset, right, n), &EpochRecord { start_seq, height: 1, owners });
        }
        let (threshold_parts, signed) = (None, Vec::new());
        let head = RightRecord { epoch, changes: epoch, manager, threshold_parts, signed };
        self.put(&Key::Right(asset, right), &head);
    }

    /// The report's account, for a redirect of the chest hospital's holding right.
    pub fn earlier_money(&self) -> Adjustment {
        let (account, _) = self.account(REPORT, GZ);
        Adjustment { account, claim: self.claim(REPORT, &self.asset(CHEST_RAW), Right::Holding) }
    }
}

impl View for World {
    fn value(&self, key: &Key) -> Result<Option<std::sync::Arc<[u8]>>, Fault> {
        self.state.value(key)
    }
}

impl Lists for World {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        let of_list = self.appended.iter().filter(|a| a.relation == *relation);
        Ok(of_list.map(|a| ListEntry::from_bytes(&a.entry).unwrap()).collect())
    }
}

/// A digest that names nothing.
pub fn nothing() -> Digest {
    digest("nothing")
}
