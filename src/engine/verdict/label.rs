//! The verdict as a label: what upstream finds in the header `x-azeotrope` and the access log in filter state.
//!
//! An RFC 9651 structured-field dictionary, ASCII, at most [`MAX_BYTES`] long:
//!
//! ```text
//! action=observe, would=throttle, score=7.2, reasons=(skeleton_spread full_rate), campaign="c-91f2", rules=12, t=1790000000250
//! ```
//!
//! | key | type | meaning |
//! |---|---|---|
//! | `action` | token | what was done: `allow`, `observe`, `throttle`, `degrade`, `block` |
//! | `would` | token | what the evidence asks for; differs from `action` in observe mode |
//! | `score` | decimal | evidence in nats (log-odds), to a thousandth |
//! | `reasons` | list of tokens | codes of [`Reason`], at most [`MAX_REASONS`]; may be empty |
//! | `campaign` | string | the campaign's name; left out where there is none |
//! | `case` | string | what a refused caller quotes (16 hexadecimal digits); left out where there is none |
//! | `rules` | integer | version of the rules; 0: built-in |
//! | `t` | integer | time of the verdict, milliseconds since the Unix epoch |
//!
//! Readers ignore keys that they do not know.

use super::{Action, Reason, Verdict};
use crate::digits;
use crate::rules::DigestName;
use crate::time::Timestamp;
use sfv::{BareItem, Dictionary, ListEntry, Parser};

/// Longest label.
pub const MAX_BYTES: usize = 512;

/// Most reasons in a label.
pub const MAX_REASONS: usize = 12;

/// Largest integer of RFC 9651 (section 3.3.1).
const MAX_INTEGER: u64 = 999_999_999_999_999;

/// A label, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// What was done.
    pub action: Action,
    /// What the evidence asks for.
    pub would: Action,
    /// Evidence in thousandths of a nat.
    pub score: i32,
    /// Why. Codes of a newer engine that are not known here are left out.
    pub reasons: Vec<Reason>,
    /// The campaign.
    pub campaign: Option<String>,
    /// What a refused caller quotes; 0 where there is none.
    pub case: u64,
    /// Version of the rules.
    pub rules: u64,
    /// When.
    pub time: Timestamp,
}

/// Writes the label of a verdict.
pub(super) fn write(verdict: &Verdict, now: Timestamp) -> String {
    let mut label = String::with_capacity(MAX_BYTES / 2);
    for part in ["action=", verdict.action.name(), ", would=", verdict.would.name(), ", score="] {
        label.push_str(part);
    }
    if verdict.score < 0 {
        label.push('-');
    }
    digits::push_thousandths(&mut label, verdict.score.unsigned_abs());
    let reasons = verdict.reasons.iter().copied().filter(|code| Reason::of(code).is_some()).take(MAX_REASONS);
    label.push_str(", reasons=(");
    label.push_str(&reasons.collect::<Vec<_>>().join(" "));
    label.push(')');
    if let Some(campaign) = verdict.campaign.as_deref().and_then(campaign) {
        for part in [", campaign=\"", campaign, "\""] {
            label.push_str(part);
        }
    }
    if verdict.case != 0 {
        label.push_str(", case=\"");
        digits::push_hex(&mut label, verdict.case);
        label.push('"');
    }
    label.push_str(", rules=");
    digits::push(&mut label, verdict.rules.min(MAX_INTEGER));
    label.push_str(", t=");
    digits::push(&mut label, now.0.min(MAX_INTEGER));
    label
}

/// A campaign's name as rules allow it; anything else is not told on.
fn campaign(name: &str) -> Option<&str> {
    crate::rules::names::CampaignName::parse(name).map(|_| name)
}

impl Label {
    /// Reads a label; `None` for what is none. Keys that are missing have their default.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Dictionary = (text.len() <= MAX_BYTES).then(|| Parser::new(text).parse().ok())??;
        let bare = |key: &str| match fields.get(key)? {
            ListEntry::Item(item) => Some(&item.bare_item),
            ListEntry::InnerList(_) => None,
        };
        let token = |key| bare(key).and_then(BareItem::as_token).map(|token| token.as_str());
        let string = |key| bare(key).and_then(BareItem::as_string).map(|string| string.as_str());
        let integer =
            |key| bare(key).and_then(BareItem::as_integer).and_then(|number| u64::try_from(i64::from(number)).ok());
        Some(Self {
            action: Action::of(token("action")?)?,
            would: Action::of(token("would")?)?,
            score: bare("score").and_then(thousandths).unwrap_or(0),
            reasons: reasons(fields.get("reasons")),
            campaign: string("campaign").map(str::to_owned),
            case: string("case").and_then(DigestName::parse).map_or(0, |digest| digest.0),
            rules: integer("rules").unwrap_or(0),
            time: Timestamp(integer("t").unwrap_or(0)),
        })
    }
}

fn thousandths(item: &BareItem) -> Option<i32> {
    let decimal = item.as_decimal()?;
    i32::try_from(decimal.as_integer_scaled_1000()).ok()
}

fn reasons(entry: Option<&ListEntry>) -> Vec<Reason> {
    let Some(ListEntry::InnerList(list)) = entry else { return Vec::new() };
    list.items.iter().filter_map(|item| Reason::of(item.bare_item.as_token()?.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict() -> Verdict {
        Verdict {
            action: Action::Observe,
            would: Action::Throttle,
            score: 7_200,
            reasons: vec!["skeleton_spread", "full_rate"],
            campaign: Some("c-91f2".to_owned()),
            rules: 12,
            ..Verdict::default()
        }
    }

    #[test]
    fn looks_as_documented() {
        assert_eq!(
            verdict().label(Timestamp(1_790_000_000_250)),
            "action=observe, would=throttle, score=7.2, reasons=(skeleton_spread full_rate), campaign=\"c-91f2\", \
             rules=12, t=1790000000250"
        );
        assert_eq!(
            Verdict::default().label(Timestamp(5)),
            "action=allow, would=allow, score=0.0, reasons=(), rules=0, t=5"
        );
    }

    #[test]
    fn is_read_back_as_it_was_written() {
        for score in [0, 1, -50, 7_215, -7_000, i32::MAX, i32::MIN] {
            let verdict = Verdict { score, case: 0xff, ..verdict() };
            let label = Label::parse(&verdict.label(Timestamp(1_790_000_000_250))).unwrap();
            assert_eq!(label.score, score);
            assert_eq!(label.reasons, [Reason::SkeletonSpread, Reason::FullRate]);
            assert_eq!((label.action, label.would), (Action::Observe, Action::Throttle));
            assert_eq!((label.campaign.as_deref(), label.case, label.rules), (Some("c-91f2"), 0xff, 12));
            assert_eq!(label.time, Timestamp(1_790_000_000_250));
        }
    }

    #[test]
    fn the_worst_verdict_stays_in_bounds_and_in_form() {
        let verdict = Verdict {
            action: Action::Throttle,
            would: Action::Throttle,
            score: i32::MIN,
            reasons: Reason::ALL.iter().chain(Reason::ALL).map(|reason| reason.code()).collect(),
            campaign: Some("c".repeat(64)),
            case: u64::MAX,
            rules: u64::MAX,
            ..Verdict::default()
        };
        let label = verdict.label(Timestamp(u64::MAX));
        assert!(label.len() <= MAX_BYTES, "{}", label.len());
        assert!(label.is_ascii());
        assert_eq!(Label::parse(&label).unwrap().reasons.len(), MAX_REASONS);
    }

    #[test]
    fn what_has_no_place_in_a_label_is_left_out() {
        let campaign = Some("a\", action=allow\r\nx: y".to_owned());
        let verdict = Verdict { campaign, reasons: vec!["no such reason", "unread"], ..Verdict::default() };
        let label = verdict.label(Timestamp(5));
        assert_eq!(label, "action=allow, would=allow, score=0.0, reasons=(unread), rules=0, t=5");
    }

    #[test]
    fn what_is_no_label_is_refused() {
        for text in ["", "action=observe", "action=maybe, would=block", "action=\"observe\", would=block", "\u{e9}"] {
            assert_eq!(Label::parse(text), None, "{text}");
        }
        assert_eq!(Label::parse(&"a".repeat(MAX_BYTES + 1)), None);
    }

    #[test]
    fn keys_and_codes_of_a_newer_engine_are_ignored() {
        let label = Label::parse("action=block, would=block, score=9.0, reasons=(new unread), new=?1").unwrap();
        assert_eq!(label.reasons, [Reason::Unread]);
    }
}
