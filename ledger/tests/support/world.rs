//! A small chain in memory for tests: members act by signed envelopes, one block an act, and the
//! state, the lists and the light block of every height are kept.

#![allow(dead_code)] // each test that includes this uses a part of it

use std::collections::BTreeMap;

use headwater_ledger::certificate::{
    CommitCertificate, CommitSignature, VoteType, vote_sign_bytes,
};
use headwater_ledger::codec::{List, encode};
use headwater_ledger::envelope::{ENVELOPE_VERSION, Envelope, EnvelopeHeader, asset_id, event_id};
use headwater_ledger::event::Event;
use headwater_ledger::event::asset::{
    Activity, ActivityKind, Classification, Content, Deidentification, Derivation, Input, Metadata,
    Purpose, Quality, RegisterAsset, Stage,
};
use headwater_ledger::event::market::{
    ConfirmDelivery, Decision, Licence, ListProduct, ProposeContract, RecordDelivery,
    RecordPayment, RefundPayment, ReviewListing, SignContract,
};
use headwater_ledger::event::member::{AdmitMember, MemberKey, Role, Scope};
use headwater_ledger::event::rights::{
    AcceptGrant, AcceptTransfer, GrantRight, OfferGrant, Owner, Terms, TransferRight,
};
use headwater_ledger::execute::{BlockContext, Execution, genesis_parent};
use headwater_ledger::genesis::{Genesis, PROTOCOL_VERSION};
use headwater_ledger::hash::{
    AssetId, BlockId, ChainId, ContractId, Digest, EventId, GrantId, ListingId, PaymentId,
    TransferId,
};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::light::LightBlock;
use headwater_ledger::query::{ListEntry, Lists};
use headwater_ledger::reject::Fault;
use headwater_ledger::split::{Right, Split};
use headwater_ledger::state::{Key, Records, Relation, State, View};
use headwater_ledger::text::Handle;
use headwater_ledger::validator::Validator;

/// Time of genesis; each block is one second later.
pub const BEGIN_MS: u64 = 1_790_000_000_000;
const FAR_MS: u64 = BEGIN_MS + 400 * 86_400_000;

/// A chain in memory.
pub struct World {
    pub chain_id: ChainId,
    pub genesis: Genesis,
    /// The state after each height; the first is genesis.
    pub states: Vec<State>,
    /// The light block of each height from 1.
    pub blocks: Vec<LightBlock>,
    /// Lists by the canonical bytes of their relation.
    pub lists: BTreeMap<Vec<u8>, Vec<ListEntry>>,
    keys: BTreeMap<String, SigningKey>,
    validators: Vec<SigningKey>,
    parent: BlockId,
}

/// A view of the world's newest state.
pub struct Now<'a>(pub &'a World);

impl View for Now<'_> {
    fn value(&self, key: &Key) -> Result<Option<std::sync::Arc<[u8]>>, Fault> {
        self.0.state().value(key)
    }
}

impl Lists for Now<'_> {
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault> {
        Ok(self.0.lists.get(&encode(relation)?).cloned().unwrap_or_default())
    }
}

pub fn handle(text: &str) -> Handle {
    text.parse().unwrap()
}

pub fn split(holding_bp: u16, processing_bp: u16, operation_bp: u16, upstream_bp: u16) -> Split {
    Split { holding_bp, processing_bp, operation_bp, upstream_bp }
}

fn seed(text: &str) -> SigningKey {
    SigningKey::from_seed(&hash_of(text))
}

fn hash_of(text: &str) -> [u8; 32] {
    blake3::derive_key("headwater test seed", text.as_bytes())
}

fn digest(text: &str) -> Digest {
    Digest::Blake3(hash_of(text))
}

fn list<T: std::fmt::Debug, const MAX: usize>(items: Vec<T>) -> List<T, MAX> {
    List::new(items).unwrap()
}

impl World {
    /// A chain with these members and one validator for each of its exchanges, of equal power.
    pub fn new(members: &[(&str, Role)]) -> Self {
        let keys: BTreeMap<String, SigningKey> =
            members.iter().map(|(name, _)| (name.to_string(), seed(name))).collect();
        let admitted = members.iter().map(|(name, role)| AdmitMember {
            handle: handle(name),
            name: format!("The {name}").parse().unwrap(),
            roles: list(vec![*role]),
            keys: list(vec![MemberKey {
                key: keys[*name].public_key(),
                scopes: list(Scope::ALL.to_vec()),
            }]),
        });
        let exchanges: Vec<&str> =
            members.iter().filter(|m| m.1 == Role::Exchange).map(|m| m.0).collect();
        let validators: Vec<SigningKey> =
            exchanges.iter().map(|name| seed(&format!("validator of {name}"))).collect();
        let set = exchanges.iter().zip(&validators).map(|(name, key)| Validator {
            member: handle(name),
            key: key.public_key(),
            power: 10,
        });
        let genesis = Genesis {
            rulebook: Default::default(),
            name: "test".parse().unwrap(),
            protocol: PROTOCOL_VERSION,
            time_ms: BEGIN_MS,
            members: list(admitted.collect()),
            validators: list(set.collect()),
        };
        let chain_id = genesis.chain_id().unwrap();
        World {
            chain_id,
            states: vec![State::genesis(&genesis).unwrap()],
            genesis,
            blocks: Vec::new(),
            lists: BTreeMap::new(),
            keys,
            validators,
            parent: genesis_parent(&chain_id),
        }
    }

    pub fn state(&self) -> &State {
        self.states.last().unwrap()
    }

    pub fn height(&self) -> u64 {
        self.blocks.len() as u64
    }

    /// Records one event of a member in a block of its own.
    pub fn act(&mut self, author: &str, event: Event) -> EventId {
        let height = self.height() + 1;
        let time_ms = BEGIN_MS + height * 1_000;
        let header = EnvelopeHeader {
            version: ENVELOPE_VERSION,
            chain_id: self.chain_id,
            author: handle(author),
            not_after_ms: time_ms + 60_000,
            salt: [0; 16],
        };
        let envelope = Envelope { header, events: list(vec![event]) };
        let envelope = envelope.sign(&[&self.keys[author]]).unwrap().verify().unwrap();
        let context = BlockContext { chain_id: self.chain_id, height, time_ms };
        let mut execution = Execution::begin(self.state(), context).unwrap();
        execution.apply(&envelope).unwrap_or_else(|e| panic!("block {height}: {e}"));
        let executed = execution.finish().unwrap();
        for appended in executed.effects.iter().flat_map(|effects| &effects.appended) {
            let list = self.lists.entry(encode(&appended.relation).unwrap()).or_default();
            assert_eq!(list.len() as u64, appended.index);
            list.push(ListEntry::from_bytes(&appended.entry).unwrap());
        }
        let validators = self.genesis.validator_set().unwrap().validators().to_vec();
        let header = executed.header(&context, self.parent, validators[0].address());
        self.parent = header.id().unwrap();
        let certificate = self.certify(height, self.parent, self.validators.len());
        self.blocks.push(LightBlock { header, certificate, validators });
        self.states.push(executed.state);
        event_id(&envelope.id(), 0)
    }

    /// Precommits of the first `signers` validators.
    pub fn certify(&self, height: u64, block_id: BlockId, signers: usize) -> CommitCertificate {
        let message =
            vote_sign_bytes(&self.chain_id, VoteType::Precommit, height, 0, Some(&block_id));
        let signatures = self.validators.iter().take(signers).map(|key| CommitSignature {
            validator: headwater_ledger::validator::address_of(&key.public_key()),
            signature: key.sign(&message),
        });
        CommitCertificate { height, round: 0, block_id, signatures: signatures.collect() }
    }

    pub fn asset_id(&self, author: &str, name: &str) -> AssetId {
        asset_id(&self.chain_id, &handle(author), &name.parse().unwrap())
    }

    pub fn raw(&mut self, author: &str, name: &str, records: u64) -> AssetId {
        self.register(author, name, Stage::Raw, split(10_000, 0, 0, 0), records, None)
    }

    /// Registers an asset made from inputs: id, weight and grant of each.
    pub fn derive(
        &mut self,
        author: &str,
        name: &str,
        stage: Stage,
        split: Split,
        inputs: &[(AssetId, u64, Option<GrantId>)],
    ) -> AssetId {
        let inputs = inputs.iter().map(|(asset, weight, grant)| Input {
            asset: *asset,
            weight: *weight,
            grant: *grant,
        });
        let activity = Activity {
            kind: ActivityKind::Cleaning,
            method: digest("method"),
            purposes: list(vec![Purpose::HealthResearch, Purpose::Commercial]),
            territory: "CN".parse().unwrap(),
            claimed_from_ms: BEGIN_MS,
            claimed_to_ms: BEGIN_MS,
            cost: None,
        };
        let derivation = Derivation { inputs: list(inputs.collect()), activity };
        self.register(author, name, stage, split, 569, Some(derivation))
    }

    fn register(
        &mut self,
        author: &str,
        name: &str,
        stage: Stage,
        split: Split,
        records: u64,
        derivation: Option<Derivation>,
    ) -> AssetId {
        let quality = Quality {
            accuracy: 90,
            completeness: 91,
            consistency: 92,
            timeliness: 93,
            conformity: 94,
            accessibility: 95,
        };
        let event = RegisterAsset {
            consent_based: Default::default(),
            name: name.parse().unwrap(),
            stage,
            revises: None,
            content: Content {
                root: digest(&format!("{author}/{name}")),
                bytes: records * 220,
                records,
            },
            metadata: Metadata {
                format: "text/csv".parse().unwrap(),
                region: "CN-GD".parse().unwrap(),
                period_from_ms: 0,
                period_to_ms: BEGIN_MS,
                classification: Classification::Important,
                sensitivity: 4,
                deidentification: Deidentification::Pseudonymised,
                quality,
            },
            split,
            derivation,
        };
        self.act(author, Event::RegisterAsset(event));
        self.asset_id(author, name)
    }

    /// Offers a grant and accepts it.
    pub fn grant(
        &mut self,
        grantor: &str,
        asset: AssetId,
        right: GrantRight,
        grantee: &str,
        (depth, under): (u8, &[GrantId]),
    ) -> GrantId {
        let terms = Terms {
            exclusivity: Default::default(),
            floor_kind: Default::default(),
            revocation: Default::default(),
            purposes: list(vec![Purpose::HealthResearch, Purpose::Commercial]),
            territories: list(vec!["CN".parse().unwrap()]),
            not_before_ms: 0,
            not_after_ms: FAR_MS,
            sublicence_depth: depth,
            max_derivations: None,
            future_versions: false,
            floor_bp: 0,
            filing_window_ms: 0,
        };
        let under = list(under.to_vec());
        let offer = OfferGrant {
            parent: Default::default(),
            asset,
            right,
            grantee: handle(grantee),
            terms,
            under,
        };
        let grant = GrantId::from_digest(*self.act(grantor, Event::OfferGrant(offer)).digest());
        self.act(grantee, Event::AcceptGrant(AcceptGrant { grant }));
        grant
    }

    /// Transfers a right to owners with parts; those whose consent it needs accept.
    pub fn transfer(&mut self, by: &str, asset: AssetId, right: Right, owners: &[(&str, u16)]) {
        let transfer = TransferRight {
            threshold_parts: Default::default(),
            asset,
            right,
            owners: list(
                owners.iter().map(|o| Owner { member: handle(o.0), parts: o.1 }).collect(),
            ),
            manager: handle(owners[0].0),
        };
        let event = self.act(by, Event::TransferRight(transfer));
        let transfer = TransferId::from_digest(*event.digest());
        let record = self.state().transfer(&transfer).unwrap().unwrap();
        for owner in record.outstanding {
            self.act(owner.as_str(), Event::AcceptTransfer(AcceptTransfer { transfer }));
        }
    }

    /// Lists a product, and the exchange accepts it.
    pub fn list(
        &mut self,
        seller: &str,
        asset: AssetId,
        exchange: &str,
        fee_bp: u16,
        grants: &[GrantId],
    ) -> ListingId {
        let event = ListProduct {
            asset,
            exchange: handle(exchange),
            fee_bp,
            operation_grants: list(grants.to_vec()),
        };
        let event = self.act(seller, Event::ListProduct(event));
        let listing = ListingId::from_digest(*event.digest());
        let review = ReviewListing { listing, decision: Decision::Accept };
        self.act(exchange, Event::ReviewListing(review));
        listing
    }

    /// Signs a contract by all three and pays its price; the delivery is not yet confirmed.
    pub fn sell(
        &mut self,
        (seller, buyer, exchange): (&str, &str, &str),
        listing: ListingId,
        (gross, tax): (u64, u64),
        reference: &str,
    ) -> (ContractId, PaymentId) {
        let schedule = self.state().listing(&listing).unwrap().unwrap().schedule;
        let contract = self.act(
            seller,
            Event::ProposeContract(ProposeContract {
                instalments: Default::default(),
                listing,
                buyer: handle(buyer),
                schedule,
                price: gross,
                currency: "CNY".parse().unwrap(),
                licence: Licence {
                    exclusive: Default::default(),
                    purposes: list(vec![Purpose::HealthResearch]),
                    territories: list(vec!["CN".parse().unwrap()]),
                    not_after_ms: FAR_MS,
                },
                sign_by_ms: FAR_MS,
            }),
        );
        let contract = ContractId::from_digest(*contract.digest());
        for party in [buyer, exchange] {
            self.act(party, Event::SignContract(SignContract { contract, schedule }));
        }
        let payment = self.act(
            exchange,
            Event::RecordPayment(RecordPayment {
                contract,
                gross,
                tax,
                currency: "CNY".parse().unwrap(),
                bank_reference: reference.parse().unwrap(),
            }),
        );
        (contract, PaymentId::from_digest(*payment.digest()))
    }

    /// Records a delivery and confirms it.
    pub fn deliver(&mut self, seller: &str, buyer: &str, contract: ContractId) {
        let delivered = digest("delivered");
        self.act(seller, Event::RecordDelivery(RecordDelivery { contract, delivered }));
        self.act(buyer, Event::ConfirmDelivery(ConfirmDelivery { contract }));
    }

    pub fn refund(&mut self, exchange: &str, payment: PaymentId, net: u64, fee: u64, tax: u64) {
        let bank_reference = format!("refund-{}", self.height()).parse().unwrap();
        self.act(
            exchange,
            Event::RefundPayment(RefundPayment { payment, net, fee, tax, bank_reference }),
        );
    }
}

/// Two hospitals' biopsies, cleaned by a laboratory, made into a report, listed and sold once for
/// 2 000 000.00 CNY; a patients' fund owns a tenth of the chest hospital's holding right.
pub struct BiopsyReport {
    pub world: World,
    pub chest: AssetId,
    pub county: AssetId,
    pub cleaned: AssetId,
    pub report: AssetId,
    pub listing: ListingId,
    pub contract: ContractId,
    pub payment: PaymentId,
}

pub fn biopsy_report() -> BiopsyReport {
    use GrantRight::{Operation, Processing};
    let mut world = World::new(&[
        ("gba-exchange", Role::Exchange),
        ("delta-exchange", Role::Exchange),
        ("river-exchange", Role::Exchange),
        ("coast-exchange", Role::Exchange),
        ("chest-hospital", Role::Holder),
        ("county-hospital", Role::Holder),
        ("patients-fund", Role::Holder),
        ("clean-lab", Role::Processor),
        ("insight-co", Role::Operator),
        ("pharma-one", Role::Buyer),
    ]);
    let chest = world.raw("chest-hospital", "fna-2026", 300);
    let county = world.raw("county-hospital", "fna-2026", 269);
    let owners = [("chest-hospital", 9_000), ("patients-fund", 1_000)];
    world.transfer("chest-hospital", chest, Right::Holding, &owners);
    let to_lab = (0, &[][..]);
    let of_chest = world.grant("chest-hospital", chest, Processing, "clean-lab", to_lab);
    let of_county = world.grant("county-hospital", county, Processing, "clean-lab", to_lab);
    let inputs = [(chest, 300, Some(of_chest)), (county, 269, Some(of_county))];
    let shares = split(0, 4_000, 0, 6_000);
    let cleaned = world.derive("clean-lab", "fna-cleaned", Stage::Processed, shares, &inputs);
    let sublicensable = (2, &[][..]);
    let chest_op = world.grant("chest-hospital", chest, Operation, "clean-lab", sublicensable);
    let county_op = world.grant("county-hospital", county, Operation, "clean-lab", sublicensable);
    let of_cleaned = world.grant("clean-lab", cleaned, Processing, "insight-co", to_lab);
    let under = [chest_op, county_op];
    let cleaned_op = world.grant("clean-lab", cleaned, Operation, "insight-co", (1, &under));
    let shares = split(0, 1_500, 2_500, 6_000);
    let inputs = [(cleaned, 1, Some(of_cleaned))];
    let report =
        world.derive("insight-co", "breast-cancer-report", Stage::Product, shares, &inputs);
    let listing = world.list("insight-co", report, "gba-exchange", 150, &[cleaned_op]);
    let parties = ("insight-co", "pharma-one", "gba-exchange");
    let (contract, payment) = world.sell(parties, listing, (200_000_000, 11_320_755), "bank-1");
    BiopsyReport { world, chest, county, cleaned, report, listing, contract, payment }
}
