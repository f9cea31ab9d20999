//! A campaign's story.

use super::words::{bare, count, digest, moment, nats, share, span};
use azeotrope_engine::campaign::group::{Bound, Worth};
use azeotrope_engine::campaign::named::Campaign;
use azeotrope_engine::campaign::{Criteria, Joiner};
use azeotrope_engine::nats::{MilliNats, in_nats};
use azeotrope_engine::rules::{Family, Nature};
use serde::{Deserialize, Serialize};

/// A campaign, told: the numbers, and the same in words.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) name: String,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) since: u64,
    pub(crate) named: u64,
    pub(crate) last: u64,
    pub(crate) accounts: u32,
    pub(crate) exchanges: u64,
    pub(crate) families: Vec<String>,
    /// Whether the evidence suffices for a block.
    pub(crate) confirmed: bool,
    pub(crate) named_by: String,
    /// Nats; what was needed.
    pub(crate) evidence: f64,
    pub(crate) needed: f64,
    pub(crate) parties: u32,
    pub(crate) taking: u32,
    pub(crate) target: String,
    pub(crate) contents: u32,
    pub(crate) requests: u32,
    /// Digest of the model its accounts have moved to.
    pub(crate) pivot: Option<String>,
    pub(crate) pivot_at: Option<u64>,
    /// Names of the campaigns that have become part of it.
    #[serde(default)]
    pub(crate) parts: Vec<String>,
    pub(crate) words: Vec<String>,
}

impl Told {
    /// Every campaign that is part of no other.
    pub(crate) fn all(joiner: &Joiner, criteria: &Criteria) -> Vec<Self> {
        joiner.standing().map(|campaign| Self::of(joiner, campaign, criteria)).collect()
    }

    /// A campaign, and where it is among all.
    pub(crate) fn of(joiner: &Joiner, (index, campaign): (u32, &Campaign), criteria: &Criteria) -> Self {
        let (story, worth) = (&campaign.story, &campaign.story.worth);
        Self {
            name: campaign.name.clone(),
            since: story.since.0,
            named: story.named.0,
            last: campaign.last.0,
            accounts: campaign.accounts,
            exchanges: campaign.exchanges,
            families: campaign.families.iter().map(|family| family.name().to_owned()).collect(),
            confirmed: campaign.confirmed(),
            named_by: story.family.name().to_owned(),
            evidence: in_nats(story.score),
            needed: in_nats(criteria.name),
            parties: worth.parties,
            taking: worth.taking,
            target: digest(worth.target),
            contents: worth.contents,
            requests: worth.requests,
            pivot: campaign.pivot.map(|(model, _)| digest(model)),
            pivot_at: campaign.pivot.map(|(_, at)| at.0),
            parts: joiner.parts(index).map(|(_, part)| part.name.clone()).collect(),
            words: words(joiner, index, campaign, criteria),
        }
    }
}

fn words(joiner: &Joiner, index: u32, campaign: &Campaign, criteria: &Criteria) -> Vec<String> {
    let story = &campaign.story;
    let mut words = vec![format!(
        "Its first accounts came {}; it was named {}, {} later. So far {} are linked to it, with {} since they were; last seen {}.",
        moment(story.since),
        moment(story.named),
        span(story.named.since(story.since)),
        count(u64::from(campaign.accounts), "account", "accounts"),
        count(campaign.exchanges, "exchange", "exchanges"),
        moment(campaign.last),
    )];
    words.extend(match story.family.nature() {
        Nature::Deterministic => by_hands(campaign),
        _ => by_group(campaign, criteria),
    });
    words.extend(parts(joiner, index));
    let families: Vec<&str> = campaign.families.iter().map(|family| family.name()).collect();
    words.push(format!("Families that named it or linked accounts to it: {}.", families.join(", ")));
    if !campaign.confirmed() {
        words.push(
            "It is not confirmed: its accounts are known by being alike, as users of one tool are, too; neither wording nor \
             public sets nor anything that changed hands speaks for it. They are throttled, not blocked, until such evidence \
             comes, or an entry of `campaigns` in the rules confirms it."
                .to_owned(),
        );
    }
    if let Some((model, at)) = campaign.pivot {
        words.push(format!(
            "Release pivot: {} its accounts had moved to the new model {} within a day of its release.",
            moment(at),
            digest(model)
        ));
    }
    words
}

/// Parts that are told one by one.
const PARTS: usize = 3;

/// Which campaigns have become part of it.
fn parts(joiner: &Joiner, index: u32) -> Vec<String> {
    let accounts = |of: u32| count(u64::from(of), "account", "accounts");
    let told = joiner.parts(index).take(PARTS).map(|(union, part)| {
        format!(
            "{}, named {}, became part of it {} with {}: {} went from one to the other.",
            part.name,
            moment(part.story.named),
            moment(union.at),
            accounts(union.accounts),
            passed_on(union.by),
        )
    });
    let more: Vec<u32> = joiner.parts(index).skip(PARTS).map(|(union, _)| union.accounts).collect();
    let so_did = format!("So did {} more, with {} in all.", more.len(), accounts(more.iter().sum()));
    told.chain((!more.is_empty()).then_some(so_did)).collect()
}

/// What a family sees go from hand to hand.
fn passed_on(family: Family) -> &'static str {
    match family {
        Family::BlobProvenance => "reasoning blobs, or answers to go on from, that others had been given",
        Family::PrefixContinuity => "conversations that others had begun",
        _ => "bodies that others had been refused",
    }
}

/// Named by what went from hand to hand.
fn by_hands(campaign: &Campaign) -> Vec<String> {
    let what = passed_on(campaign.story.family);
    let worth = &campaign.story.worth;
    vec![format!(
        "Named by {}: within a day, {what} went through the hands of {} (accounts related by no organisation and no \
         network) that take {}. That does not happen by chance: {} nats, whatever the wording.",
        campaign.story.family.name(),
        count(u64::from(worth.parties), "unrelated party", "unrelated parties"),
        digest(worth.target),
        bare(campaign.story.score),
    )]
}

/// The most that focus could be worth, otherwise `most`; and why, where that is because its parties look like a tool's users.
fn at_most(worth: &Worth, most: MilliNats) -> String {
    let held = worth.held().filter(|bound| bound.most() <= most);
    let told = bare(held.map_or(most, Bound::most));
    match held.filter(|_| !worth.by_settings) {
        Some(Bound::Tool) => {
            format!("{told}, for most run programs that nobody runs for anything else, as users of a tool do")
        }
        Some(Bound::Alike) => format!("{told}, for three in four run one program in one way, as users of a tool do"),
        None => told,
    }
}

/// Named by a group that shares a key.
fn by_group(campaign: &Campaign, criteria: &Criteria) -> Vec<String> {
    let (story, worth) = (&campaign.story, &campaign.story.worth);
    let shared = match story.family {
        Family::CorpusSweep => "take their prompts from public sets with one setting of the client",
        Family::TechniqueSearch => "send one payload under different wordings",
        Family::CohortSynchrony if worth.disguise > 0 => {
            "set their programs in one way, take one model, and ask what few but each other ask"
        }
        Family::CohortSynchrony => "have one program, set in one way, and ask what few but each other ask",
        _ => "share one template",
    };
    let all =
        if worth.taking == worth.parties { "all of them".to_owned() } else { format!("{} of them", worth.taking) };
    let most = worth.most(story.family, criteria.focus);
    let focus = worth.focus.min(most);
    let most = at_most(worth, most);
    let wording = story.score.saturating_sub(focus).saturating_sub(worth.turns).saturating_sub(worth.disguise);
    let agreeing = match story.family {
        Family::CorpusSweep => "That so many do, while accounts on the whole seldom do,".to_owned(),
        Family::CohortSynchrony if worth.by_settings => "that they so meet their own kind, not anybody,".to_owned(),
        _ if worth.by_settings => "one program sets the sampling parameters of nearly all of them, which".to_owned(),
        _ => format!(
            "{all} take {}, which among everybody {} do. That they agree",
            digest(worth.target),
            share(worth.ln_share)
        ),
    };
    let mut words = vec![
        format!(
            "Named by {}: {} (different organisations or networks) {shared}; {agreeing} is worth {} nats (at most {most}).",
            story.family.name(),
            count(u64::from(worth.parties), "unrelated party", "unrelated parties"),
            nats(focus),
        ),
        format!(
            "Their wording, by the content model, is worth {} nats a party on average and {} in all (at most {} either way).",
            nats(worth.mean_wording()),
            nats(wording),
            bare(criteria.wording),
        ),
        format!(
            "They asked about {} different things in {}: no single prompt that is passed around.",
            worth.contents,
            count(u64::from(worth.requests), "request", "requests"),
        ),
    ];
    if worth.disguise > 0 {
        let programs = match story.family {
            Family::CohortSynchrony => "several names, and few, while people who are set alike run whatever there is",
            _ => "several names, and all are set in the same few ways, which tells them from a tool and its users",
        };
        words.push(format!(
            "Their client programs bear {programs}: {} nats (at most {}).",
            nats(worth.disguise),
            bare(criteria.disguise),
        ));
    }
    if worth.turns > 0 {
        let (turns, alike) = worth.taken;
        words.push(format!(
            "They take turns: of {} an account took, {alike} came after as many requests of the others as the one before, \
             which times do not account for: {} nats (at most {}).",
            count(u64::from(turns), "turn that", "turns that"),
            nats(worth.turns),
            bare(criteria.turns),
        ));
    }
    words.push(format!("Together {} nats; {} are needed to name a campaign.", bare(story.score), bare(criteria.name)));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use azeotrope_engine::campaign::named::Story;
    use azeotrope_engine::time::Timestamp;

    fn told(family: Family, worth: Worth) -> String {
        let (since, named) = (Timestamp(0), Timestamp(60_000));
        let story = Story { since, named, score: 14_500, worth, family };
        by_group(&Campaign::new("c-1".to_owned(), story), &Criteria::default()).join("\n")
    }

    fn named_by(worth: Worth) -> String {
        told(Family::SkeletonSpread, worth)
    }

    #[test]
    fn accounts_that_meet_their_kin_are_told_as_such() {
        let worth = Worth { parties: 8, taking: 8, focus: 8_000, by_settings: true, ..Worth::default() };
        let told = told(Family::CohortSynchrony, worth);
        assert!(told.contains("ask what few but each other ask; that they so meet their own kind"), "{told}");
    }

    #[test]
    fn so_are_those_of_several_programs() {
        let worth =
            Worth { parties: 9, taking: 9, focus: 8_000, by_settings: true, disguise: 7_000, ..Worth::default() };
        let told = told(Family::CohortSynchrony, worth);
        assert!(told.contains("set their programs in one way, take one model"), "{told}");
        assert!(told.contains("several names, and few") && told.contains("+7.00 nats (at most 8.00"), "{told}");
    }

    #[test]
    fn a_disguise_is_told_with_its_number() {
        let worth = Worth { parties: 40, taking: 40, focus: 8_000, disguise: 6_500, ..Worth::default() };
        let told = named_by(worth);
        assert!(told.contains("bear several names") && told.contains("+6.50 nats (at most 8.00"), "{told}");
        assert!(told.contains("and +0.00 in all"), "{told}");
    }

    #[test]
    fn why_agreeing_is_worth_no_more_is_told_where_that_is_because_of_a_tool() {
        let told =
            |focus, by_settings| named_by(Worth { parties: 60, taking: 60, focus, by_settings, ..Worth::default() });
        assert!(told(8_000, false).contains("(at most 8.00, for most run programs that nobody runs for anything else"));
        assert!(told(13_000, false).contains("(at most 13.00, for three in four run one program in one way"));
        assert!(told(12_000, false).contains("+12.00 nats (at most 16.00)"), "as the rules say");
        assert!(
            told(8_000, true).contains("+8.00 nats (at most 8.00)"),
            "shared settings are worth no more in any group"
        );
    }

    #[test]
    fn turns_are_told_with_their_numbers() {
        let worth = Worth { parties: 40, taking: 40, focus: 8_000, turns: 6_500, taken: (90, 61), ..Worth::default() };
        let told = named_by(worth);
        assert!(told.contains("of 90 turns that an account took, 61 came after as many requests"), "{told}");
        assert!(
            told.contains("+6.50 nats (at most 8.00") && !named_by(Worth { turns: 0, ..worth }).contains("turns"),
            "{told}"
        );
    }

    #[test]
    fn what_counted_is_what_is_told() {
        let worth = Worth { parties: 20, taking: 20, focus: 8_000, ..Worth::default() };
        assert!(named_by(worth).contains("all of them take"));
        let settings = named_by(Worth { by_settings: true, ..worth });
        assert!(
            settings.contains("one program sets the sampling parameters") && !settings.contains("take"),
            "{settings}"
        );
    }
}
