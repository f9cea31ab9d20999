//! Why a group of accounts that share a key was named.

use super::words::{bare, count, digest, nats, share};
use azeotrope_engine::campaign::Criteria;
use azeotrope_engine::campaign::group::{Basis, Worth};
use azeotrope_engine::campaign::named::{Campaign, Story};
use azeotrope_engine::nats::MilliNats;
use azeotrope_engine::rules::Family;

/// What was weighed, one sentence each, and what it came to.
pub(super) fn sentences(campaign: &Campaign, criteria: &Criteria) -> Vec<String> {
    let (story, worth) = (&campaign.story, &campaign.story.worth);
    let most = worth.most(story.family, criteria.focus);
    let focus = worth.focus.min(most);
    let wording = story.score.saturating_sub(focus).saturating_sub(worth.turns).saturating_sub(worth.disguise);
    let mut words = vec![
        format!(
            "Named by {}: {} (different organisations or networks) {}; {} is worth {} nats (at most {}).",
            story.family.name(),
            count(u64::from(worth.parties), "unrelated party", "unrelated parties"),
            shared(story),
            agreeing(story),
            nats(focus),
            at_most(worth, most),
        ),
        format!(
            "Their wording, by the content model, is worth {} nats a party on average and {} in all (at most {} either way).",
            nats(worth.mean_wording()),
            nats(wording),
            bare(criteria.wording),
        ),
        format!(
            "They asked about {} different things in {} (what a prompt leaves to the model is another each time): no single prompt \
             that is passed around.",
            worth.contents,
            count(u64::from(worth.requests), "request", "requests"),
        ),
    ];
    words.extend(disguise(story, criteria));
    words.extend(turns(worth, criteria));
    words.push(format!("Together {} nats; {} are needed to name a campaign.", bare(story.score), bare(criteria.name)));
    words
}

/// What the accounts have in common.
fn shared(story: &Story) -> &'static str {
    match story.family {
        Family::CorpusSweep => "take their prompts from public sets with one setting of the client",
        Family::TechniqueSearch => "send one payload under different wordings",
        Family::CohortSynchrony if story.worth.disguise > 0 => {
            "set their programs in one way, take one model, and ask what few but each other ask"
        }
        Family::CohortSynchrony => "have one program, set in one way, and ask what few but each other ask",
        _ => "share one template",
    }
}

/// What else they agree in, and how much that says.
fn agreeing(story: &Story) -> String {
    let worth = &story.worth;
    match story.family {
        Family::CorpusSweep => "That so many do, while accounts on the whole seldom do,".to_owned(),
        Family::CohortSynchrony if worth.basis == Basis::Settings => {
            "that they so meet their own kind, not anybody,".to_owned()
        }
        _ if worth.basis == Basis::Settings => {
            "one program sets the sampling parameters of nearly all of them, which".to_owned()
        }
        _ => {
            let some = format!("{} of them", worth.taking);
            let all = if worth.taking == worth.parties { "all of them" } else { &some };
            let (target, share) = (digest(worth.target), share(worth.ln_share));
            format!("{all} take {target}, which among everybody {share} do. That they agree")
        }
    }
}

/// The most that focus could be worth, otherwise `most`; and why, where that is because its parties look like a tool's users.
fn at_most(worth: &Worth, most: MilliNats) -> String {
    let held = worth.basis.most(most);
    let told = bare(held);
    let why = match worth.basis {
        Basis::Tool => "most run programs that nobody runs for anything else",
        Basis::Alike => "three in four run one program in one way",
        Basis::Targets | Basis::Settings => return told,
    };
    if held < most { format!("{told}, for {why}, as users of a tool do") } else { told }
}

/// Client programs of several names that are set alike.
fn disguise(story: &Story, criteria: &Criteria) -> Option<String> {
    let programs = match story.family {
        _ if story.worth.disguise <= 0 => return None,
        Family::CohortSynchrony => "several names, and few, while people who are set alike run whatever there is",
        _ => "several names, and all are set in the same few ways, which tells them from a tool and its users",
    };
    let (found, most) = (nats(story.worth.disguise), bare(criteria.disguise));
    Some(format!("Their client programs bear {programs}: {found} nats (at most {most})."))
}

/// Accounts that take turns.
fn turns(worth: &Worth, criteria: &Criteria) -> Option<String> {
    let (turns, alike) = worth.taken;
    (worth.turns > 0).then(|| {
        format!(
            "They take turns: of {} an account took, {alike} came after as many requests of the others as the one before, \
             which times do not account for: {} nats (at most {}).",
            count(u64::from(turns), "turn that", "turns that"),
            nats(worth.turns),
            bare(criteria.turns),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use azeotrope_engine::time::Timestamp;

    fn told(family: Family, worth: Worth) -> String {
        let (since, named) = (Timestamp(0), Timestamp(60_000));
        let story = Story { since, named, score: 14_500, worth, family };
        sentences(&Campaign::new("c-1".to_owned(), story), &Criteria::default()).join("\n")
    }

    fn named_by(worth: Worth) -> String {
        told(Family::SkeletonSpread, worth)
    }

    #[test]
    fn accounts_that_meet_their_kin_are_told_as_such() {
        let worth = Worth { parties: 8, taking: 8, focus: 8_000, basis: Basis::Settings, ..Worth::default() };
        let told = told(Family::CohortSynchrony, worth);
        assert!(told.contains("ask what few but each other ask; that they so meet their own kind"), "{told}");
    }

    #[test]
    fn so_are_those_of_several_programs() {
        let basis = Basis::Settings;
        let worth = Worth { parties: 9, taking: 9, focus: 8_000, basis, disguise: 7_000, ..Worth::default() };
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
        let told = |focus, basis| named_by(Worth { parties: 60, taking: 60, focus, basis, ..Worth::default() });
        let tool = "(at most 8.00, for most run programs that nobody runs for anything else";
        assert!(told(8_000, Basis::Tool).contains(tool) && told(5_000, Basis::Tool).contains(tool));
        assert!(told(13_000, Basis::Alike).contains("(at most 13.00, for three in four run one program in one way"));
        assert!(told(8_000, Basis::Targets).contains("+8.00 nats (at most 16.00)"), "as the rules say");
        assert!(told(8_000, Basis::Settings).contains("+8.00 nats (at most 8.00)"), "so in any group");
        // What goes around once is worth less than such a group anyway.
        let once = Worth { parties: 20, taking: 20, focus: 10_000, basis: Basis::Alike, ..Worth::default() };
        assert!(named_by(once).contains("+10.00 nats (at most 10.00)"));
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
        let settings = named_by(Worth { basis: Basis::Settings, ..worth });
        assert!(
            settings.contains("one program sets the sampling parameters") && !settings.contains("take"),
            "{settings}"
        );
    }
}
