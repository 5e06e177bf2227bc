//! Transaction certificates in the naive model, and valuations.

use headwater_ledger::event::market::{IssueCertificate, RecordValuation, VoidCertificate};
use headwater_ledger::event::member::Role;
use headwater_ledger::hash::{CertificateId, ContractId};
use headwater_ledger::limits::MAX_AMOUNT;
use headwater_ledger::reject::Code;
use headwater_ledger::text::Handle;

use crate::naive::{Act, ContractStanding, Naive, Verdict, need};

#[derive(Debug, Clone)]
pub struct Certificate {
    pub contract: ContractId,
    pub exchange: Handle,
    pub number: u64,
    pub void: bool,
}

impl Naive {
    /// The certificate of a contract that is not void.
    pub fn certified_by(&self, contract: &ContractId) -> Option<CertificateId> {
        let mut of = self.certificates.iter().filter(|(_, c)| c.contract == *contract && !c.void);
        of.next().map(|(id, _)| *id)
    }

    /// Whether something of what was paid for a contract was given back.
    fn refunded(&self, contract: &ContractId) -> bool {
        let mut payments = self.payments.iter().filter(|p| p.contract == *contract);
        payments.any(|p| (p.back_net, p.back_fee, p.back_tax) != (0, 0, 0))
    }

    fn to_be_refunded(&self, contract: &ContractId) -> bool {
        let mut payments = self.payments.iter().filter(|p| p.contract == *contract);
        payments.any(|p| p.ordered() != (0, 0, 0))
    }

    pub fn issue(&mut self, act: &Act<'_>, id: CertificateId, e: &IssueCertificate) -> Verdict {
        let contract = self.contract(&e.contract)?;
        need(self.is(act.author, &contract.exchange), Code::NotClearingExchange)?;
        need(contract.standing == ContractStanding::Open, Code::ContractClosed)?;
        let due = contract.signed.len() == 2
            && self.paid(&e.contract) == contract.price
            && contract.confirmed
            && !self.refunded(&e.contract)
            && !self.to_be_refunded(&e.contract);
        need(due, Code::CertificateNotDue)?;
        need(self.certified_by(&e.contract).is_none(), Code::AlreadyCertified)?;
        self.three([&contract.seller, &contract.buyer, &contract.exchange])?;
        let before = self.certificates.values().filter(|c| c.exchange == *act.author).count();
        let certificate = Certificate {
            contract: e.contract,
            exchange: act.author.clone(),
            number: before as u64 + 1,
            void: false,
        };
        self.certificates.insert(id, certificate);
        self.contracts.get_mut(&e.contract).unwrap().wants_end.clear();
        Ok(())
    }

    pub fn void_certificate(&mut self, act: &Act<'_>, e: &VoidCertificate) -> Verdict {
        let held = self.certificates.get(&e.certificate).ok_or(Code::UnknownCertificate)?;
        let may = self.is(act.author, &held.exchange) || self.has_role(act.author, Role::Regulator);
        need(may, Code::NotClearingExchange)?;
        need(!held.void, Code::CertificateVoid)?;
        self.certificates.get_mut(&e.certificate).unwrap().void = true;
        Ok(())
    }

    pub fn value(&mut self, act: &Act<'_>, e: &RecordValuation) -> Verdict {
        let asset = self.in_force(&e.asset)?;
        need(self.has_role(act.author, Role::Appraiser), Code::RoleRequired)?;
        need(!self.related(act.author, &asset.author), Code::NotIndependent)?;
        self.apart_from_owners(act.author, &e.asset)?;
        need(1 <= e.value && e.value <= MAX_AMOUNT, Code::AmountOutOfRange)?;
        need(e.quality.scores().iter().all(|s| *s <= 100), Code::OutOfRange)?;
        self.valuations.insert(e.asset, (act.author.clone(), e.value));
        Ok(())
    }
}
