//! A campaign's story.

use super::group;
use super::words::{bare, count, digest, moment, span};
use azeotrope_engine::campaign::named::Campaign;
use azeotrope_engine::campaign::{Criteria, Joiner};
use azeotrope_engine::nats::in_nats;
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
        _ => group::sentences(campaign, criteria),
    });
    words.extend(parts(joiner, index));
    let families: Vec<&str> = campaign.families.iter().map(|family| family.name()).collect();
    words.push(format!("Families that named it or linked accounts to it: {}.", families.join(", ")));
    if !campaign.confirmed() {
        words.push(
            "It is not confirmed: its accounts are known by being alike, as users of one tool are, too; neither public sets nor \
             anything that changed hands speaks for it, nor does wording that could not be a tool's. They are throttled, not \
             blocked, until such evidence comes, or an entry of `campaigns` in the rules confirms it."
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
