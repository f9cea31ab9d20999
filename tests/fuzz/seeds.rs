//! First inputs of the formats that nobody can type: what our own writers write.

use azeotrope_engine::bundle::{Manifest, Part, PartKind, PublicKey};
use azeotrope_engine::caller::Caller;
use azeotrope_engine::campaign::feed::{Linked, Profile};
use azeotrope_engine::campaign::{Change, Criteria, Joiner, Limits};
use azeotrope_engine::corpus::Corpus;
use azeotrope_engine::dialect::Dialect;
use azeotrope_engine::digest::Reading;
use azeotrope_engine::engine::Engine;
use azeotrope_engine::observation::{Fate, Header, Queue};
use azeotrope_engine::route::Route;
use azeotrope_engine::rules::{Family, FamilySet, Kind};
use azeotrope_engine::time::Timestamp;
use azeotrope_engine::verdict::Verdict;
use ed25519_compact::{KeyPair, Seed};
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use ruzstd::encoding::{CompressionLevel, compress_to_vec as zstd};

type Seeds = Vec<(&'static str, &'static str, Vec<u8>)>;

/// Target, name and bytes of each.
pub(crate) fn seeds() -> Seeds {
    let mut seeds = documents();
    seeds.extend(packed());
    seeds.extend(published());
    seeds.extend(observed());
    seeds
}

fn documents() -> Seeds {
    vec![
        ("rules", "defaults", Kind::Rules.defaults().to_string().into_bytes()),
        ("configuration", "defaults", Kind::Configuration.defaults().to_string().into_bytes()),
        ("configuration", "full", include_bytes!("checks/full.json").to_vec()),
        ("label", "whole", b"action=observe, would=throttle, score=7.2, reasons=(skeleton_spread full_rate), campaign=\"c-1\", case=\"00000000000000ff\", rules=12, t=1790000000250".to_vec()),
        ("headers", "map", [&2_u32.to_le_bytes()[..], &5_u32.to_le_bytes(), &4_u32.to_le_bytes(), &1_u32.to_le_bytes(), &0_u32.to_le_bytes(), b":path\0/v1/\0x\0\0"].concat()),
        ("headers", "shelf", [&[2, 4, 7][..], b"sealed"].concat()),
    ]
}

fn packed() -> Seeds {
    let text = br#"{"prompt":"azeotrope azeotrope azeotrope azeotrope azeotrope"}"#;
    let head = b"\x1F\x8B\x08\x1E\0\0\0\0\0\0\x02\0XYname\0comment\0CC".to_vec();
    let gzip = [head, compress_to_vec(text, 6), vec![0; 8]].concat();
    let plain = [b"\x1F\x8B\x08\0\0\0\0\0\0\x03".to_vec(), compress_to_vec_zlib(text, 6), vec![0; 8]].concat();
    vec![
        ("encoding", "gzip", gzip),
        ("encoding", "gzip-of-zlib", plain),
        ("encoding", "zlib", compress_to_vec_zlib(text, 6)),
        ("encoding", "deflate", compress_to_vec(text, 6)),
        ("encoding", "zstd", zstd(text.as_slice(), CompressionLevel::Fastest)),
        ("encoding", "zstd-bomb", [b"\x28\xB5\x2F\xFD\0\xFF".to_vec(), [2, 0, 16, b' '].repeat(9)].concat()),
    ]
}

fn published() -> Seeds {
    let linked = Linked {
        campaign: 0,
        score: 7_000,
        families: FamilySet::of(&[Family::SkeletonSpread]),
        until: Timestamp(9_000),
    };
    let profile = Profile { name: "c-1".into(), base: -3, targets: vec![(1, 2)], pivot: Some(9), ..Profile::default() };
    let changes: Vec<Change> = [
        Some(Change::Profile { campaign: 0, profile }),
        Some(Change::Account { account: 5, campaign: 0, score: 7, families: linked.families, until: linked.until }),
        Some(Change::Key { key: 6, campaign: 0, lift: 9, until: linked.until }),
        Change::crowd(&[1, 2, 3, 4], &linked),
    ]
    .into_iter()
    .flatten()
    .collect();
    let feed = Change::write_all(&changes);
    let corpus = Corpus::build((1..40).collect()).map(|corpus| corpus.to_bytes()).unwrap_or_default();
    let rules = br#"{"format":1,"version":2,"thresholds":{"observe":4.0}}"#;
    let parts = [(0_u8, PartKind::Rules, &rules[..]), (1, PartKind::Corpus, &corpus), (2, PartKind::Feed, &feed)];
    let listed = parts.iter().map(|(_, kind, bytes)| Part::of(*kind, bytes)).collect();
    let manifest = Manifest { version: 3, issued: 1, expires: 9, parts: listed };
    // Signed with the key that the target trusts.
    let pair = KeyPair::from_seed(Seed::new([7; 32]));
    let sealed = manifest.seal(PublicKey::new(*pair.pk).id(), |bytes| *pair.sk.sign(bytes, None));
    let body = sealed.get(20..sealed.len().saturating_sub(64)).unwrap_or_default().to_vec();
    let together = parts.iter().flat_map(|(kind, _, bytes)| {
        let [low, high, ..] = (bytes.len() as u32).to_le_bytes();
        [&[*kind, low, high][..], bytes].concat()
    });
    vec![
        ("bundle", "manifest", sealed.clone()),
        ("bundle", "body", body),
        ("bundle", "parts", together.collect()),
        ("feed", "every-change", feed.clone()),
        ("corpus", "forty", corpus.clone()),
    ]
}

fn observed() -> Seeds {
    let Ok(engine) = Engine::new(b"{}") else { return Vec::new() };
    let route = Route { dialect: Dialect::Messages, model: String::new(), stream: false };
    let mut queue = Queue::new(1 << 16);
    let mut joiner =
        Joiner::new(Limits { accounts: 8, singles: 8, groups: 8, ledger: 8, campaigns: 2 }, Criteria::default());
    for number in 0..4_u8 {
        let headers = [(b"authorization".to_vec(), vec![b'k', number])];
        let caller: Caller = engine.caller(Some(route.dialect), &headers, format!("10.{number}.0.1").as_bytes(), None);
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"Rate this answer: {number}"}}]}}"#);
        let reading: Reading = engine.read(&route, body.as_bytes(), true);
        let now = Timestamp(u64::from(number));
        queue.request(&caller, &reading, &Verdict::default(), Fate::Answered, (now, now));
        queue.refused(&caller, &reading, now);
        queue.given(&caller, &[5, 6], now);
        joiner.given(5, &caller, now);
        joiner.refused(&caller, &reading, now);
        joiner.observe(&caller, &reading, now);
    }
    let header = Header { process: 1, sender: 2, sequence: 3, name: "envoy-1".to_owned(), ..Header::default() };
    let batch = queue.take().map(|load| load.batch(header, Timestamp(9))).unwrap_or_default();
    vec![("observations", "batch", batch), ("snapshot", "small", joiner.snapshot().unwrap_or_default())]
}
