//! Technique search: one payload under ever new wordings, refused by the model again and again.
//!
//! Kept at the end of an account's slot, of one day:
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 4 | the payload last refused, short digest |
//! | 4 | 4 | the whole text it came in, likewise |
//! | 8 | 2 | refusals of it under another wording than the time before |
//!
//! Written only when the model refuses, so an account that is never refused costs nothing. A person words a question anew
//! once or twice; who goes on is searching for what the model lets through. That is worth little by itself.

use super::Evidence;
use super::spread::short;
use crate::digest::Reading;
use crate::nats::MilliNats;
use crate::rules::families::TechniqueSearch;
use crate::sketch::fields::Fields;
use crate::verdict::Reason;

/// Bytes of it in a slot.
pub const BYTES: usize = 10;
const CONTENT: usize = 4;
const WORDINGS: usize = 8;

/// Takes note that the model refused a request.
pub fn refused(bytes: &mut [u8], reading: &Reading) {
    if reading.payload == 0 {
        return;
    }
    let (payload, content) = (short(reading.payload), short(reading.content));
    let mut fields = Fields::new(bytes);
    let known = fields.u32(0) == payload;
    if known && fields.u32(CONTENT) == content {
        return;
    }
    fields.set_u16(WORDINGS, if known { fields.u16(WORDINGS).saturating_add(1) } else { 1 });
    fields.set_u32(0, payload);
    fields.set_u32(CONTENT, content);
}

/// Refused wordings of one payload.
#[must_use]
pub fn wordings(bytes: &[u8]) -> u32 {
    u32::from(Fields::new(bytes).u16(WORDINGS))
}

/// What so many refused wordings speak against an account.
pub fn evidence(wordings: u32, rules: &TechniqueSearch, evidence: &mut Evidence) {
    if wordings >= rules.refused_from {
        let worth = rules.each.0.saturating_mul(MilliNats::try_from(wordings).unwrap_or(MilliNats::MAX));
        evidence.add(Reason::TechniqueSearch, worth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(payload: u64, content: u64) -> Reading {
        Reading { payload, content, ..Reading::default() }
    }

    #[test]
    fn one_payload_in_ever_new_words_adds_up() {
        let mut bytes = [0; BYTES];
        (1..=5).for_each(|content| refused(&mut bytes, &attempt(7, content)));
        assert_eq!(wordings(&bytes), 5);
    }

    #[test]
    fn the_same_words_again_and_other_payloads_do_not() {
        let mut bytes = [0; BYTES];
        (0..50).for_each(|_| refused(&mut bytes, &attempt(7, 1)));
        assert_eq!(wordings(&bytes), 1, "a client that tries again is no search");
        (1..=50).for_each(|n| refused(&mut bytes, &attempt(n, n)));
        assert_eq!(wordings(&bytes), 1, "a job whose questions are refused is none either");
        (1..=50).for_each(|content| refused(&mut bytes, &attempt(0, content)));
        assert_eq!(wordings(&bytes), 1);
    }

    #[test]
    fn it_speaks_from_the_configured_number_on_and_only_so_far() {
        let rules = TechniqueSearch::default();
        let said = |wordings| {
            let mut found = Evidence::default();
            evidence(wordings, &rules, &mut found);
            found.all().first().map(|&(_, milli)| milli)
        };
        assert_eq!(said(rules.refused_from - 1), None);
        assert_eq!(said(rules.refused_from), Some(rules.each.0 * rules.refused_from as i32));
        assert!(said(u32::MAX).is_some_and(|milli| milli > 0));
    }
}
