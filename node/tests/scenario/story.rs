//! A short history on four nodes, and the members and validators it begins with.

use headwater_ledger::envelope::{ENVELOPE_VERSION, Envelope, EnvelopeHeader, asset_id};
use headwater_ledger::event::Event;
use headwater_ledger::event::member::Role;
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::ChainId;
use headwater_ledger::keys::SigningKey;
use headwater_ledger::query::Lists as _;
use headwater_ledger::reject::Code;
use headwater_ledger::state::{Records as _, Relation};

use crate::network::{Network, Outcome, Settings};
use crate::support::{self, Act, HOUR_MS, admit, handle, key, list, raw};

/// The exchanges that run the first four validators, and those that may join.
pub const EXCHANGES: [&str; 5] =
    ["gz-exchange", "bj-exchange", "sd-exchange", "fj-exchange", "hz-exchange"];

/// The consensus key of an exchange's validator.
pub fn consensus_key(exchange: &str) -> SigningKey {
    key(&format!("{exchange}/consensus"))
}

/// The usual members, the exchanges among them; the first four of those run a validator each.
pub fn genesis() -> Genesis {
    let mut members = support::genesis().members.into_inner();
    for exchange in &EXCHANGES {
        if members.iter().all(|m| m.handle.as_str() != *exchange) {
            members.push(admit(exchange, Role::Exchange));
        }
    }
    let keys = EXCHANGES.map(consensus_key);
    let validators: Vec<_> = EXCHANGES.into_iter().zip(&keys).take(4).collect();
    let validators = list(&Network::validators(&validators));
    Genesis { members: list(&members), validators, ..support::genesis() }
}

/// A network of as many nodes as this, the first four of which are validators.
pub fn network(nodes: usize, settings: Settings) -> Network {
    let keys: Vec<_> = EXCHANGES.iter().take(nodes).map(|e| consensus_key(e)).collect();
    Network::start(genesis(), &keys, settings)
}

/// The bytes of an envelope with these acts, good for an hour.
pub fn signed(network: &Network, salt: u8, author: &str, events: Vec<Event>) -> Vec<u8> {
    envelope(network.chain_id(), network.now_ms(), salt, author, events)
}

fn envelope(chain_id: ChainId, now_ms: u64, salt: u8, author: &str, events: Vec<Event>) -> Vec<u8> {
    let header = EnvelopeHeader {
        version: ENVELOPE_VERSION,
        chain_id,
        author: handle(author),
        not_after_ms: now_ms + HOUR_MS,
        salt: [salt; 16],
    };
    let envelope = Envelope { header, events: list(&events) };
    envelope.sign(&[&key(author)]).unwrap().to_bytes().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_nodes_record_what_one_is_given_and_agree_on_the_state() {
    let mut network = network(4, Settings::default());
    let member = admit("new-hospital", Role::Holder).event();
    let outcome = network.submit(0, &signed(&network, 1, EXCHANGES[0], vec![member])).await;
    assert!(outcome.height() >= 1);

    // At another node, a day later by every clock: the asset of the new member.
    network.set_time(network.now_ms() + 24 * HOUR_MS);
    network.reach(outcome.height()).await;
    let asset = raw("scans-2026").event();
    let bytes = signed(&network, 2, "new-hospital", vec![asset]);
    let height = network.submit(1, &bytes).await.height();
    network.reach(height).await;
    for i in 0..network.len() {
        let seen = network.seen(i).await;
        let id =
            asset_id(&network.chain_id(), &handle("new-hospital"), &"scans-2026".parse().unwrap());
        assert!(seen.asset(&id).unwrap().is_some(), "node {i}");
        let owned = seen.entries(&Relation::MemberAssets(handle("new-hospital"))).unwrap();
        assert_eq!(
            owned.iter().map(|e| (e.height, e.id)).collect::<Vec<_>>(),
            [(height, *id.digest())]
        );
        let header = network.app(i).chain().light(height).unwrap().unwrap().header;
        // Blocks before it may have had the very time of the clock.
        let late = header.time_ms - network.now_ms();
        assert!(late < 1_000, "the block is {late} ms after the clock");
    }

    // The same again, and a stranger's: refused with the code of the rule, nothing pending.
    match network.submit(2, &signed(&network, 3, "stranger", vec![raw("x").event()])).await {
        Outcome::Refused(reject) => assert_eq!(reject.code, Code::UnknownAuthor),
        Outcome::Recorded { .. } => panic!("a stranger's envelope was recorded"),
    }
    assert!((0..4).all(|i| network.app(i).mempool().is_empty()));

    // A node that was away fetches what it missed; the root is the same on all.
    network.stop_node(3).await.unwrap();
    let bytes = signed(&network, 4, "new-hospital", vec![raw("scans-2027").event()]);
    let height = network.submit(0, &bytes).await.height();
    network.start_node(3);
    network.reach(height).await;
    let (height, root) = network.agree().await;
    assert!(height >= 3 && network.state(3).root() == root || network.height(3) > height);
    network.finish().await;
}
