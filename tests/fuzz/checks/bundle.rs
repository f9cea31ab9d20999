//! Signed bundles: forged, damaged and hostile under a good signature.

use crate::{Witness, number, place};
use azeotrope_engine::bundle::{
    KeyId, MAGIC, MAX_PARTS, Manifest, Package, Part, PartKind, PublicKey, Refusal, Running, Signature, TrustedKeys,
};
use azeotrope_engine::time::Timestamp;
use ed25519_compact::{KeyPair, Seed};
use std::rc::Rc;

struct Signer {
    pair: KeyPair,
    key: PublicKey,
}

thread_local! {
    static SIGNER: Signer = Signer::new();
}

impl Signer {
    fn new() -> Self {
        let pair = KeyPair::from_seed(Seed::new([7; 32]));
        Self { key: PublicKey::new(*pair.pk), pair }
    }

    fn sign(&self, bytes: &[u8]) -> Signature {
        *self.pair.sk.sign(bytes, None)
    }
}

/// The bytes as they are, as a manifest's body under a good signature, and as the parts of a bundle that is in order.
pub(crate) fn bundle(input: &[u8], witness: &mut Witness) {
    SIGNER.with(|signer| {
        let keys = TrustedKeys(vec![signer.key]);
        let opened = Manifest::open(input, &keys);
        witness.see(&opened);
        if opened.is_ok() {
            witness.note_taken();
        }
        witness.see(&Package::unpack(input, &keys));
        signed(input, signer, &keys, witness);
        offered(input, signer, &keys, witness);
    });
}

/// What is signed is read as it would be written, and not a bit of it may change.
fn signed(body: &[u8], signer: &Signer, keys: &TrustedKeys, witness: &mut Witness) {
    let id: KeyId = signer.key.id();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut sealed = [&MAGIC[..], &id, &length, body].concat();
    let signature = signer.sign(&sealed);
    sealed.extend_from_slice(&signature);
    let opened = Manifest::open(&sealed, keys);
    witness.see(&opened);
    let Ok((manifest, rest)) = opened else { return };
    witness.note_taken();
    assert!(rest.is_empty() && manifest.parts.len() <= MAX_PARTS);
    assert_eq!(manifest.seal(id, |bytes| signer.sign(bytes)), sealed);
    let at = place(number(body), sealed.len().saturating_sub(1));
    if let Some(byte) = sealed.get_mut(at) {
        *byte ^= 1 << (number(body) >> 61);
    }
    assert!(Manifest::open(&sealed, keys).is_err(), "changed at {at}");
}

/// A manifest that names the parts which the bytes are: each a kind, a length of two bytes, and so many. Taken whole, or
/// nothing is changed.
fn offered(input: &[u8], signer: &Signer, keys: &TrustedKeys, witness: &mut Witness) {
    let bodies = parts(input);
    let parts = bodies.iter().map(|(kind, bytes)| Part::of(*kind, bytes)).collect();
    let manifest = Manifest { version: 5, issued: 1, expires: 100, parts };
    let sealed = manifest.seal(signer.key.id(), |bytes| signer.sign(bytes));
    let bodies: Vec<_> = bodies.into_iter().map(|(_, bytes)| bytes.to_vec()).collect();
    let unpacked = Package::unpack(&Package::pack(&sealed, &bodies), keys);
    assert_eq!(unpacked, Ok(Package { manifest: manifest.clone(), parts: bodies.clone() }));
    let Ok(mut running) = Running::new(b"") else { return };
    let before = Rc::clone(running.engine());
    let offer = |running: &mut Running, manifest: &Manifest, now| {
        running.offer(manifest.clone(), Timestamp(now), |index, _| bodies.get(index).cloned())
    };
    assert_eq!(offer(&mut running, &manifest, 100_000), Err(Refusal::Expired));
    let taken = offer(&mut running, &manifest, 99_999);
    witness.see(&(&taken, running.version(), running.feed().accounts()));
    if taken.is_ok() {
        if !manifest.parts.is_empty() {
            witness.note_taken();
        }
        assert_eq!((taken, running.version(), running.expires()), (Ok(true), 5, 100));
        assert_eq!(offer(&mut running, &manifest, 0), Ok(false));
        assert_eq!(offer(&mut running, &Manifest { version: 4, ..manifest }, 0), Err(Refusal::Older(5)));
    } else {
        assert!(Rc::ptr_eq(&before, running.engine()) && running.version() == 0 && running.feed().accounts() == 0);
    }
}

fn parts(mut input: &[u8]) -> Vec<(PartKind, &[u8])> {
    let mut parts = Vec::new();
    while let Some(([kind, low, high], rest)) = input.split_first_chunk::<3>() {
        let kind = match kind % 3 {
            0 => PartKind::Rules,
            1 => PartKind::Corpus,
            _ => PartKind::Feed,
        };
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (part, rest) = rest.split_at_checked(length).unwrap_or((rest, b""));
        parts.push((kind, part));
        input = rest;
        if parts.len() == MAX_PARTS {
            break;
        }
    }
    parts
}
