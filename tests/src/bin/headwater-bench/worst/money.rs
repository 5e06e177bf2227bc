//! Accounts with a million payments, rights with as many epochs and owners as there can be, and
//! contracts paid in as many parts.

use std::ops::Range;

use anyhow::{Context, Result};
use headwater_ledger::account::{Account, Amounts, MemoryRows, Node};
use headwater_ledger::aggregate::Sources;
use headwater_ledger::attribution::Claim;
use headwater_ledger::codec::encode;
use headwater_ledger::event::Event;
use headwater_ledger::event::aggregate::{PaySource, SealSources};
use headwater_ledger::event::asset::Input;
use headwater_ledger::event::dispute::{
    Adjustment, Ground, OpenDispute, Redirect, RuleDispute, Ruling, Slice, Subject,
};
use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::event::market::{
    CloseAccount, ConfirmDelivery, ProvedClaim, ProvedLine, RecordDelivery, RecordPayment,
    RecordPayout, RefundPayment, SetOffOverpayment, TerminateContract, VoidPayment,
};
use headwater_ledger::hash::{
    AccountId, AggregateId, AssetId, ContractId, Digest, DisputeId, PaymentId,
};
use headwater_ledger::limits::{
    MAX_ADJUSTMENTS, MAX_CLOSING_LINES, MAX_CONTRACT_PAYMENTS, MAX_EPOCHS, MAX_INPUTS, MAX_OWNERS,
    MAX_SOURCES,
};
use headwater_ledger::payment::{account_id, sums_key};
use headwater_ledger::payout::prove;
use headwater_ledger::split::{Right, Split};
use headwater_ledger::state::record::{AccountRecord, AssetInputs, LineRecord, PaymentRecord};
use headwater_ledger::state::{Key, Records, View};

use super::Cases;

/// Payments of an account.
const PAYMENTS: u64 = 1_000_000;
/// Minor units paid out.
const PAID: u64 = 1_000_000_000;
/// Epochs of each of two rights whose lines are set off: as many as the weight of an event allows.
const SET_OFF_EPOCHS: u32 = 117;
/// Net of each.
const NET: u64 = 1_000_000;

impl Cases {
    pub(super) fn money(&mut self) -> Result<()> {
        self.contract_in_parts()?;
        self.void_among_claims()?;
        self.pay_out()?;
        self.close()?;
        self.rule()?;
        self.rule_over_epochs()
    }

    /// A product with a contract that all have signed.
    fn sold(&mut self, name: &str) -> Result<(AssetId, ContractId)> {
        let product = self.own_product(name)?;
        let listing = self.listed(product, vec![])?;
        let proposal = self.proposal(listing, false)?;
        let (contract, sign) = self.proposed(proposal)?;
        for party in [self.market.buyer.clone(), self.market.exchange.clone()] {
            self.record_one(&party, sign.clone())?;
        }
        Ok((product, contract))
    }

    fn payment(&self, contract: ContractId, reference: &str) -> Result<Event> {
        Ok(Event::RecordPayment(RecordPayment {
            contract,
            gross: 1_000_000,
            tax: 60_000,
            currency: "CNY".parse()?,
            bank_reference: reference.parse()?,
        }))
    }

    fn account_of(&self, product: &AssetId) -> Result<AccountId> {
        Ok(account_id(product, &self.market.exchange.handle, &"CNY".parse()?)?)
    }

    /// Puts payments of other contracts into an account, all confirmed, and tells which events
    /// recorded them.
    fn fill_account(&mut self, id: AccountId, unconfirmed: u32) -> Result<Range<u64>> {
        let record = self.market.ledger.state().account(&id)?.context("no account")?;
        let ordinal: Option<u64> = self.market.ledger.state().get(&Key::Ordinal)?;
        let begin = ordinal.context("no ordinal")?;
        let (mut totals, mut rows) = (Account::default(), MemoryRows::default());
        let amounts = Amounts { net: NET, fee: 0, tax: 0 };
        let events = begin..begin + PAYMENTS;
        for seq in events.clone() {
            totals.record_payment(&mut rows, seq, amounts)?;
        }
        let all: Vec<(u64, u64)> = (0..PAYMENTS).map(|n| (n, NET)).collect();
        totals.confirm(&mut rows, &all)?;
        let record = AccountRecord { totals, unconfirmed, ..record };
        let mut records =
            vec![(Key::Account(id), encode(&record)?), (Key::Ordinal, encode(&events.end)?)];
        for (row, entries) in rows.entries {
            records.push((Key::AccountEntries(id, row), encode(&entries)?));
        }
        for (Node { level, index }, starts) in rows.starts {
            records.push((Key::AccountIndex(id, level, index), encode(&starts)?));
        }
        for ((tree, node), sums) in rows.sums {
            records.push((sums_key(id, tree, node), encode(&sums)?));
        }
        self.market.ledger.fill(records)?;
        Ok(events)
    }

    /// Lets payments lie as far from each other in their account as they can.
    fn scatter(&mut self, payments: &[PaymentId]) -> Result<()> {
        let mut records = Vec::new();
        for (n, id) in (0..).zip(payments) {
            let payment = self.market.ledger.state().payment(id)?.context("no payment")?;
            let index = n * PAYMENTS / payments.len() as u64;
            records.push((Key::Payment(*id), encode(&PaymentRecord { index, ..payment })?));
        }
        self.market.ledger.fill(records)
    }

    fn contract_in_parts(&mut self) -> Result<()> {
        let exchange = self.market.exchange.clone();
        let (seller, buyer) = (self.market.seller.clone(), self.market.buyer.clone());
        let (product, contract) = self.sold("paid-in-parts")?;
        self.fill_account(self.account_of(&product)?, 0)?;
        let mut payments = Vec::new();
        for n in 0..MAX_CONTRACT_PAYMENTS - 1 {
            let event = self.payment(contract, &format!("part-{n}"))?;
            payments.push(PaymentId::from_digest(self.record_one(&exchange, event)?));
        }
        let parts = MAX_CONTRACT_PAYMENTS;
        let event = self.payment(contract, "the-last")?;
        self.time(format!("record a payment, the last of {parts}"), &exchange, event.clone())?;
        payments.push(PaymentId::from_digest(self.record_one(&exchange, event)?));
        self.scatter(&payments)?;
        let refund = |net: u64, reference: &str| -> Result<Event> {
            let payment = payments[0];
            let bank_reference = reference.parse()?;
            Ok(Event::RefundPayment(RefundPayment { payment, net, fee: 0, tax: 0, bank_reference }))
        };
        let whole = self.market.ledger.state().payment(&payments[0])?.context("no payment")?;
        let event = refund(whole.amounts.net, "whole")?;
        self.time(format!("refund a payment wholly, one of {parts}"), &exchange, event)?;
        let void = Event::VoidPayment(VoidPayment { payment: payments[0] });
        self.time(format!("void a payment, one of {parts}"), &exchange, void.clone())?;
        let terminate = Event::TerminateContract(TerminateContract { contract });
        self.time("terminate a contract", &seller, terminate)?;
        let delivered = Digest::Blake3([9; 32]);
        let deliver = Event::RecordDelivery(RecordDelivery { contract, delivered });
        self.record_one(&seller, deliver)?;
        let confirm = Event::ConfirmDelivery(ConfirmDelivery { contract });
        self.time(format!("confirm a delivery paid in {parts} parts"), &buyer, confirm.clone())?;
        self.record_one(&buyer, confirm)?;
        let event = refund(1, "some")?;
        self.time("refund part of a confirmed payment", &exchange, event)?;
        self.time("void a confirmed payment", &exchange, void)?;
        Ok(())
    }

    /// A payment that is divided over as many claims as a listed product can have.
    fn void_among_claims(&mut self) -> Result<()> {
        let (lab, exchange) = (self.owner(0), self.market.exchange.clone());
        let (product, contract) = self.sold("behind-many-claims")?;
        let source = self.asset_of(&self.market.seller.clone(), "behind-many-claims-raw")?;
        let most = Rulebook::standard().max_ancestry_edges as usize - 1;
        let wide = self.raws(&lab, "claimed", most)?;
        let split = |up| Split {
            holding_bp: 4_000 - up,
            processing_bp: 3_000,
            operation_bp: 3_000,
            upstream_bp: up,
        };
        let node = |inputs: &[AssetId], up: u16| -> AssetInputs {
            let input = |asset: &AssetId| Input { asset: *asset, weight: 1, grant: None };
            AssetInputs { split: split(up), inputs: inputs.iter().map(input).collect() }
        };
        let (first, others) = wide.split_at(MAX_INPUTS);
        let mut records = Vec::new();
        for asset in &wide {
            records.push((Key::Inputs(*asset), encode(&node(&[], 0))?));
        }
        for (asset, inputs) in first.iter().zip(others.chunks(MAX_INPUTS)) {
            records.push((Key::Inputs(*asset), encode(&node(inputs, 3_000))?));
        }
        records.push((Key::Inputs(source), encode(&node(first, 3_000))?));
        self.market.ledger.fill(records)?;
        let claims = self.market.ledger.state().schedule(&product)?.len();
        let paid = self.payment(contract, "for-many")?;
        let payment = PaymentId::from_digest(self.record_one(&exchange, paid)?);
        let void = Event::VoidPayment(VoidPayment { payment });
        self.time(format!("void a payment of {claims} claims"), &exchange, void)
    }

    /// The claim of a right over an asset in an account of a product, proved.
    fn claim(&self, product: &AssetId, asset: &AssetId, right: Right) -> Result<ProvedClaim> {
        let claims: Vec<Claim<AssetId>> = self.market.ledger.state().schedule(product)?;
        prove(&claims, asset, right)?.context("no such claim")
    }

    fn pay_out(&mut self) -> Result<()> {
        let exchange = self.market.exchange.clone();
        let (product, contract) = self.sold("much-paid")?;
        let event = self.payment(contract, "first")?;
        self.record_one(&exchange, event)?;
        let account = self.account_of(&product)?;
        let events = self.fill_account(account, 1)?;
        let seller = self.market.seller.clone();
        let event = self.payment(contract, "after-a-million")?;
        self.time("record a payment after a million", &exchange, event)?;
        let delivered = Digest::Blake3([9; 32]);
        let deliver = Event::RecordDelivery(RecordDelivery { contract, delivered });
        self.record_one(&seller, deliver)?;
        let source = self.asset_of(&seller, "much-paid-raw")?;
        self.owned_by_many(source, Right::Holding, MAX_EPOCHS, None, events.clone())?;
        let owner = self.owner(MAX_OWNERS - 1);
        let payout = Event::RecordPayout(RecordPayout {
            account,
            claim: self.claim(&product, &source, Right::Holding)?,
            owner: owner.handle.clone(),
            amount: PAID,
            bank_reference: "payout".parse()?,
        });
        let what =
            format!("pay out of a million payments, {MAX_EPOCHS} epochs of {MAX_OWNERS} owners");
        self.time(what, &exchange, payout.clone())?;
        self.set_off((product, account), source, events)?;
        let weights: Vec<(Digest, u64)> = (0..u64::from(MAX_SOURCES))
            .map(|n| (Digest::Blake3(*blake3::hash(&n.to_le_bytes()).as_bytes()), 1 + n))
            .collect();
        let sources = Sources::new(&weights).context("the sources cannot be sealed")?;
        let seal = Event::SealSources(SealSources {
            asset: source,
            right: Right::Holding,
            root: sources.root(),
            sources: MAX_SOURCES,
            total_weight: sources.total_weight(),
        });
        self.time("seal sources", &owner, seal.clone())?;
        let aggregate = AggregateId::from_digest(self.record_one(&owner, seal)?);
        self.record_one(&exchange, payout)?;
        let last = weights.len() - 1;
        let pay = Event::PaySource(PaySource {
            aggregate,
            account,
            source: weights[last].0,
            weight: weights[last].1,
            index: last as u64,
            proof: sources.proof(last).context("no proof")?,
            amount: 0,
            bank_reference: "source".parse()?,
        });
        let Event::PaySource(mut pay) = pay else { return Ok(()) };
        // The smallest part that anyone can be paid, of the largest source there is.
        pay.amount = PAID * pay.weight / sources.total_weight();
        if pay.amount == 0 {
            return Ok(());
        }
        self.time(format!("pay one of {MAX_SOURCES} sources"), &owner, Event::PaySource(pay))
    }

    /// Two lines of an owner with as many epochs as can be, one of them overpaid.
    fn set_off(
        &mut self,
        (product, account): (AssetId, AccountId),
        source: AssetId,
        events: Range<u64>,
    ) -> Result<()> {
        let (exchange, owner) = (self.market.exchange.clone(), self.owner(MAX_OWNERS - 1));
        let line = |cases: &Cases, right| -> Result<ProvedLine> {
            let claim = cases.claim(&product, &source, right)?;
            Ok(ProvedLine { claim, owner: owner.handle.clone() })
        };
        // The epoch of the author comes before those of the owners.
        for right in [Right::Processing, Right::Operation] {
            self.owned_by_many(source, right, SET_OFF_EPOCHS - 1, None, events.clone())?;
        }
        let key = Key::PaidLine(account, source, Right::Operation, owner.handle.clone());
        let paid = LineRecord { paid: 1 << 60, ..LineRecord::default() };
        self.market.ledger.fill([(key, encode(&paid)?)])?;
        let event = Event::SetOffOverpayment(SetOffOverpayment {
            account,
            from: line(self, Right::Processing)?,
            to: line(self, Right::Operation)?,
            amount: 1,
        });
        let what = format!(
            "set off in a million payments, twice {SET_OFF_EPOCHS} epochs of {MAX_OWNERS} owners"
        );
        self.time(what, &exchange, event)
    }

    /// As many lines as an account can be closed with.
    fn close(&mut self) -> Result<()> {
        let exchange = self.market.exchange.clone();
        let (product, contract) = self.sold("closed")?;
        let event = self.payment(contract, "of-the-closed")?;
        self.record_one(&exchange, event)?;
        let parties = [self.market.seller.clone(), self.market.buyer.clone()];
        for party in parties {
            let terminate = Event::TerminateContract(TerminateContract { contract });
            self.record_one(&party, terminate)?;
        }
        let account = self.account_of(&product)?;
        let events = self.fill_account(account, 0)?;
        let source = self.asset_of(&self.market.seller.clone(), "closed-raw")?;
        // All other claims have a line each.
        let claims = self.market.ledger.state().schedule(&product)?.len();
        let epochs = ((MAX_CLOSING_LINES - claims) / MAX_OWNERS).min(MAX_EPOCHS as usize);
        self.owned_by_many(source, Right::Holding, epochs as u32, None, events)?;
        let lines = epochs * MAX_OWNERS + claims;
        let what = format!("close an account of {lines} lines and a million payments");
        self.time(what, &exchange, Event::CloseAccount(CloseAccount { account }))
    }

    /// A redirect with as many adjustments as there can be, each of an account with its payments.
    fn rule(&mut self) -> Result<()> {
        let seller = self.market.seller.clone();
        let exchange = self.market.exchange.clone();
        let source = self.raws(&seller, "disputed", 1)?[0];
        let mut adjustments = Vec::new();
        for n in 0..MAX_ADJUSTMENTS {
            let name = format!("disputed-product-{n}");
            let derivation = crate::payments::derivation(&[source])?;
            let event = super::lineage::derived(
                &name,
                headwater_ledger::event::asset::Stage::Product,
                derivation,
            )?;
            self.record(&seller, vec![event])?;
            let product = self.asset_of(&seller, &name)?;
            let listing = self.listed(product, vec![])?;
            let proposal = self.proposal(listing, false)?;
            let (contract, sign) = self.proposed(proposal)?;
            for party in [self.market.buyer.clone(), exchange.clone()] {
                self.record_one(&party, sign.clone())?;
            }
            let event = self.payment(contract, &format!("disputed-{n}"))?;
            self.record_one(&exchange, event)?;
            let delivered = Digest::Blake3([8; 32]);
            let deliver = Event::RecordDelivery(RecordDelivery { contract, delivered });
            self.record_one(&seller, deliver)?;
            let buyer = self.market.buyer.clone();
            let confirm = Event::ConfirmDelivery(ConfirmDelivery { contract });
            self.record_one(&buyer, confirm)?;
            let account = self.account_of(&product)?;
            let claim = self.claim(&product, &source, Right::Holding)?;
            adjustments.push(Adjustment { account, claim });
        }
        let slice = Slice {
            asset: source,
            right: Right::Holding,
            owner: seller.handle.clone(),
            parts: 5_000,
        };
        let opener = self.owner(3);
        let open = Event::OpenDispute(OpenDispute {
            subject: Subject::Share(slice),
            ground: Ground::Ownership,
            evidence: Digest::Blake3([4; 32]),
        });
        self.time("open a dispute about a share", &opener, open.clone())?;
        let dispute = DisputeId::from_digest(self.record_one(&opener, open)?);
        let regulator = self.others[0].clone();
        let to = opener.handle.clone();
        let adjustments = headwater_tests::writers::list(adjustments)?;
        let rule = Event::RuleDispute(RuleDispute {
            dispute,
            ruling: Ruling::Redirect(Redirect { to, adjustments }),
            reasons: Digest::Blake3([5; 32]),
        });
        let what = format!("redirect a share with {MAX_ADJUSTMENTS} adjustments");
        self.time(what, &regulator, rule)
    }

    /// A share of a right with as many epochs as leave room for a ruling, in an account of a million
    /// payments.
    fn rule_over_epochs(&mut self) -> Result<()> {
        let (seller, exchange) = (self.market.seller.clone(), self.market.exchange.clone());
        let (product, contract) = self.sold("much-disputed")?;
        let event = self.payment(contract, "disputed-first")?;
        self.record_one(&exchange, event)?;
        let account = self.account_of(&product)?;
        let events = self.fill_account(account, 1)?;
        let source = self.asset_of(&seller, "much-disputed-raw")?;
        let epochs = MAX_EPOCHS - 3;
        self.owned_by_many(source, Right::Holding, epochs, None, events)?;
        let (opener, owner) = (self.owner(5), self.owner(MAX_OWNERS - 1).handle);
        let slice = Slice { asset: source, right: Right::Holding, owner, parts: 100 };
        let open = Event::OpenDispute(OpenDispute {
            subject: Subject::Share(slice),
            ground: Ground::Ownership,
            evidence: Digest::Blake3([4; 32]),
        });
        let dispute = DisputeId::from_digest(self.record_one(&opener, open)?);
        let claim = self.claim(&product, &source, Right::Holding)?;
        let adjustments = headwater_tests::writers::list(vec![Adjustment { account, claim }])?;
        let rule = Event::RuleDispute(RuleDispute {
            dispute,
            ruling: Ruling::Redirect(Redirect { to: opener.handle.clone(), adjustments }),
            reasons: Digest::Blake3([5; 32]),
        });
        let regulator = self.others[0].clone();
        let what = format!("redirect over {epochs} epochs among a million payments");
        self.time(what, &regulator, rule)
    }
}
