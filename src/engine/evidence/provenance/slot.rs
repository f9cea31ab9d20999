//! A thing in a slot of the store.
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 8 | account that has it |
//! | 8 | 4 | half the digest of its organisation |
//! | 12 | 4 | half the digest of its network |
//! | 16 | 4 | last seen there, seconds since the Unix epoch |
//! | 20 | 1 | what it is; 0: nothing |
//! | 21 | 1 | 1: more than one party had it |
//! | 22 | 2 | 0 |

use super::{Hand, Held};
use crate::rules::Family;
use crate::sketch::fields::Fields;
use crate::time::{SECOND, Timestamp};

const ACCOUNT: usize = 0;
const ORGANISATION: usize = 8;
const NETWORK: usize = 12;
const AT: usize = 16;
const KIND: usize = 20;
const SHARED: usize = 21;
/// Bytes of a slot.
pub const BYTES: u16 = 24;

/// The mark of what a family holds.
const fn kind(family: Family) -> u8 {
    match family {
        Family::BlobProvenance => 1,
        Family::PrefixContinuity => 2,
        _ => 3,
    }
}

/// What the slot says, where it holds a thing of this family.
#[must_use]
#[inline(never)]
pub fn read(slot: &[u8], family: Family) -> Option<Held> {
    let fields = Fields::new(slot);
    let by =
        Hand { account: fields.u64(ACCOUNT), organisation: fields.u32(ORGANISATION), network: fields.u32(NETWORK) };
    let at = Timestamp(u64::from(fields.u32(AT)).saturating_mul(SECOND));
    (fields.u8(KIND) == kind(family)).then_some(Held { by, at, shared: fields.u8(SHARED) != 0 })
}

/// Writes the slot. Of the time it keeps whole seconds.
pub fn write(slot: &mut [u8], family: Family, held: &Held) {
    slot.fill(0);
    let mut fields = Fields::new(slot);
    fields.set_u64(ACCOUNT, held.by.account);
    fields.set_u32(ORGANISATION, held.by.organisation);
    fields.set_u32(NETWORK, held.by.network);
    fields.set_u32(AT, u32::try_from(held.at.0 / SECOND).unwrap_or(u32::MAX));
    fields.set_u8(KIND, kind(family));
    fields.set_u8(SHARED, u8::from(held.shared));
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILIES: [Family; 3] = [Family::BlobProvenance, Family::PrefixContinuity, Family::FailoverEcho];

    #[test]
    fn a_blank_slot_holds_nothing() {
        assert!(FAMILIES.iter().all(|&family| read(&[0; BYTES as usize], family).is_none()));
    }

    #[cfg(not(target_family = "wasm"))]
    mod properties {
        use super::*;
        use proptest::prelude::*;

        proptest! {
            #[test]
            fn what_is_written_comes_back(account: u64, organisation: u32, network: u32, seconds: u32, shared: bool) {
                let by = Hand { account, organisation, network };
                let held = Held { by, at: Timestamp(u64::from(seconds) * SECOND), shared };
                let mut slot = [0xA5; BYTES as usize];
                for family in FAMILIES {
                    write(&mut slot, family, &held);
                    prop_assert_eq!(read(&slot, family), Some(held));
                    prop_assert!(FAMILIES.iter().all(|&other| other == family || read(&slot, other).is_none()));
                }
            }

            #[test]
            fn any_bytes_of_any_length_are_survived(mut bytes in proptest::collection::vec(any::<u8>(), 0..32)) {
                for family in FAMILIES {
                    let held = read(&bytes, family).unwrap_or_default();
                    write(&mut bytes, family, &held);
                }
            }
        }
    }
}
