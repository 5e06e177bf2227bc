//! Where the object with some id stands in the state: one of few keys, whichever is there.

use crate::event::governance::Change;
use crate::hash::{
    AccessId, AccountId, AggregateId, AssetId, CertificateId, ChangeId, ContractId, Digest,
    DisputeId, GrantId, ListingId, OfferId, PaymentId, PayoutId, RegistrationId, RequestId,
    SetOffId, SuccessionId, TransferId,
};
use crate::reject::Fault;
use crate::state::record::{
    AccessRecord, AccountRecord, AggregateRecord, AssetRecord, ChangeRecord, ContractRecord,
    DisputeRecord, GrantRecord, ListingRecord, OfferRecord, PaymentRecord, PayoutRecord,
    RegistrationRecord, RequestRecord, SetOffRecord, SuccessionRecord, TradeCertificateRecord,
    TransferRecord,
};
use crate::state::{Key, View};

/// An object of the state with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // each variant is an id and its record
pub enum Object {
    Asset(AssetId, Box<AssetRecord>),
    Grant(GrantId, Box<GrantRecord>),
    Request(RequestId, Box<RequestRecord>),
    Offer(OfferId, Box<OfferRecord>),
    Transfer(TransferId, TransferRecord),
    Access(AccessId, AccessRecord),
    Registration(RegistrationId, Box<RegistrationRecord>),
    Listing(ListingId, Box<ListingRecord>),
    Contract(ContractId, Box<ContractRecord>),
    Payment(PaymentId, Box<PaymentRecord>),
    Account(AccountId, Box<AccountRecord>),
    Payout(PayoutId, Box<PayoutRecord>),
    SetOff(SetOffId, Box<SetOffRecord>),
    Certificate(CertificateId, TradeCertificateRecord),
    Aggregate(AggregateId, AggregateRecord),
    Dispute(DisputeId, Box<DisputeRecord>),
    Succession(SuccessionId, SuccessionRecord),
    Change(ChangeId, Box<ChangeRecord>),
}

/// The keys under which an object with this id may stand.
pub fn places(id: &Digest) -> [Key; 18] {
    [
        // A request that was approved is a grant with the same id.
        Key::Grant(GrantId::from_digest(*id)),
        Key::Asset(AssetId::from_digest(*id)),
        Key::Request(RequestId::from_digest(*id)),
        Key::Offer(OfferId::from_digest(*id)),
        Key::Transfer(TransferId::from_digest(*id)),
        Key::Access(AccessId::from_digest(*id)),
        Key::Registration(RegistrationId::from_digest(*id)),
        Key::Listing(ListingId::from_digest(*id)),
        Key::Contract(ContractId::from_digest(*id)),
        Key::Payment(PaymentId::from_digest(*id)),
        Key::Account(AccountId::from_digest(*id)),
        Key::Payout(PayoutId::from_digest(*id)),
        Key::SetOff(SetOffId::from_digest(*id)),
        Key::Certificate(CertificateId::from_digest(*id)),
        Key::Aggregate(AggregateId::from_digest(*id)),
        Key::Dispute(DisputeId::from_digest(*id)),
        Key::Succession(SuccessionId::from_digest(*id)),
        Key::Change(ChangeId::from_digest(*id)),
    ]
}

/// The object with this id, when there is one.
pub fn object<V: View>(view: &V, id: &Digest) -> Result<Option<Object>, Fault> {
    let keys = places(id);
    view.prefetch(&keys)?;
    for key in keys {
        if view.value(&key)?.is_some() {
            return read(view, key);
        }
    }
    Ok(None)
}

/// The object under a key, where the key is one of an object.
fn read<V: View>(view: &V, key: Key) -> Result<Option<Object>, Fault> {
    Ok(match key {
        Key::Asset(id) => view.get(&key)?.map(|r| Object::Asset(id, Box::new(r))),
        Key::Grant(id) => view.get(&key)?.map(|r| Object::Grant(id, Box::new(r))),
        Key::Request(id) => view.get(&key)?.map(|r| Object::Request(id, Box::new(r))),
        Key::Offer(id) => view.get(&key)?.map(|r| Object::Offer(id, Box::new(r))),
        Key::Transfer(id) => view.get(&key)?.map(|r| Object::Transfer(id, r)),
        Key::Access(id) => view.get(&key)?.map(|r| Object::Access(id, r)),
        Key::Registration(id) => view.get(&key)?.map(|r| Object::Registration(id, Box::new(r))),
        Key::Listing(id) => view.get(&key)?.map(|r| Object::Listing(id, Box::new(r))),
        Key::Contract(id) => view.get(&key)?.map(|r| Object::Contract(id, Box::new(r))),
        Key::Payment(id) => view.get(&key)?.map(|r| Object::Payment(id, Box::new(r))),
        Key::Account(id) => view.get(&key)?.map(|r| Object::Account(id, Box::new(r))),
        Key::Payout(id) => view.get(&key)?.map(|r| Object::Payout(id, Box::new(r))),
        Key::SetOff(id) => view.get(&key)?.map(|r| Object::SetOff(id, Box::new(r))),
        Key::Certificate(id) => view.get(&key)?.map(|r| Object::Certificate(id, r)),
        Key::Aggregate(id) => view.get(&key)?.map(|r| Object::Aggregate(id, r)),
        Key::Dispute(id) => view.get(&key)?.map(|r| Object::Dispute(id, Box::new(r))),
        Key::Succession(id) => view.get(&key)?.map(|r| Object::Succession(id, r)),
        Key::Change(id) => view.get(&key)?.map(|r| Object::Change(id, Box::new(r))),
        other => return Err(Fault(format!("{other:?} is no key of an object"))),
    })
}

/// What a change by governance is, in a few words.
pub fn change_in_words(change: &Change) -> String {
    match change {
        Change::SetValidator(v) if v.power == 0 => format!("remove validator of {}", v.member),
        Change::SetValidator(v) => format!("validator of {} with power {}", v.member, v.power),
        Change::SetRulebook(_) => "replace the rulebook".to_string(),
        Change::SetProtocol(version) => format!("protocol version {version}"),
        Change::ConferRoles(c) => format!("roles of {}", c.member),
        Change::RestoreKey(c) => format!("a key for {}", c.member),
    }
}
