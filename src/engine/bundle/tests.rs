use super::*;
use crate::campaign::Change;
use crate::campaign::feed::Profile;
use crate::time::Timestamp;
use ed25519_compact::{KeyPair, Seed};

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_seed(Seed::new([seed; 32]))
}

fn trusted(seed: u8) -> TrustedKeys {
    TrustedKeys(vec![PublicKey::new(*pair(seed).pk)])
}

fn seal(manifest: &Manifest, seed: u8) -> Vec<u8> {
    let pair = pair(seed);
    manifest.seal(PublicKey::new(*pair.pk).id(), |bytes| *pair.sk.sign(bytes, None))
}

fn bundle(version: u64) -> (Manifest, Vec<Vec<u8>>) {
    let feed = Change::write_all(&[Change::Profile { campaign: 0, profile: Profile::default() }]);
    let rules = br#"{"format":1,"version":7}"#.to_vec();
    let parts = vec![Part::of(PartKind::Rules, &rules), Part::of(PartKind::Feed, &feed)];
    (Manifest { version, issued: 1_000, expires: 2_000, parts }, vec![rules, feed])
}

#[test]
fn what_was_signed_is_read_back() {
    let (manifest, parts) = bundle(9);
    let bytes = Package::pack(&seal(&manifest, 1), &parts);
    let package = Package::unpack(&bytes, &trusted(1)).unwrap();
    assert_eq!((&package.manifest, &package.parts), (&manifest, &parts));
    assert!(manifest.holds(Timestamp(1_999_999)) && !manifest.holds(Timestamp(2_000_000)));
    let read = |index: usize| {
        let part = &manifest.parts[index];
        Contents::read(part.kind, index, &part.hash, &parts[index]).unwrap()
    };
    assert!(matches!(read(0), Contents::Rules(rules) if rules.document.version == 7));
    assert!(matches!(read(1), Contents::Feed(changes) if changes.len() == 1));
}

#[test]
fn a_key_that_is_not_trusted_signs_nothing() {
    let sealed = seal(&bundle(9).0, 2);
    assert_eq!(Manifest::open(&sealed, &trusted(1)), Err(Refusal::UnknownKey));
    assert_eq!(Manifest::open(&sealed, &TrustedKeys::default()), Err(Refusal::UnknownKey));
    // Who writes a trusted key's id before a signature of its own gains nothing.
    let mut forged = sealed;
    forged[8..16].copy_from_slice(&trusted(1).0[0].id());
    assert_eq!(Manifest::open(&forged, &trusted(1)), Err(Refusal::BadSignature));
}

#[test]
fn any_changed_byte_is_noticed() {
    let (manifest, parts) = bundle(9);
    let bytes = Package::pack(&seal(&manifest, 1), &parts);
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 0x10;
        assert!(Package::unpack(&changed, &trusted(1)).is_err(), "{place}");
        assert!(Package::unpack(&bytes[..place], &trusted(1)).is_err(), "cut at {place}");
    }
    assert_eq!(Package::unpack(&[&bytes[..], b"x"].concat(), &trusted(1)), Err(Refusal::Damaged));
}

#[test]
fn what_is_signed_is_bounded_all_the_same() {
    let (manifest, _) = bundle(9);
    let many = Manifest { parts: vec![manifest.parts[0]; MAX_PARTS + 1], ..manifest.clone() };
    let large = Manifest { parts: vec![Part { size: u32::MAX, ..manifest.parts[0] }], ..manifest.clone() };
    let nothing = Manifest { version: 0, ..manifest };
    for wrong in [many, large, nothing] {
        assert_eq!(Manifest::open(&seal(&wrong, 1), &trusted(1)), Err(Refusal::Damaged));
    }
}

#[test]
fn a_part_of_another_kind_is_refused_with_its_place() {
    let bytes = b"{\"format\":1}";
    let refused = Contents::read(PartKind::Rules, 0, &hash(bytes), bytes).unwrap_err();
    assert_eq!(refused.to_string(), "part 0: $: `version` is missing");
    assert!(Contents::read(PartKind::Corpus, 1, &hash(bytes), bytes).is_err());
    assert!(Contents::read(PartKind::Feed, 2, &hash(b"\xff\xff"), b"\xff\xff").is_err());
    assert_eq!(Contents::read(PartKind::Rules, 3, &[0; 32], bytes).unwrap_err(), Refusal::Part(3));
}

#[test]
fn a_public_key_is_44_characters_of_base64() {
    let key = trusted(1).0[0];
    assert_eq!(PublicKey::parse(&key.text()), Some(key));
    for wrong in ["", "AAAA", &"A".repeat(44), &"?".repeat(44), &key.text()[1..]] {
        assert_eq!(PublicKey::parse(wrong), None, "{wrong}");
    }
}
