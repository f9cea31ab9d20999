//! All that is known of one campaign, or of one account: its story, what joins its accounts, and why each is linked.

mod ties;

use super::ask::{Reply, Sort};
use super::traffic::{Step, Traffic};
use crate::explain::campaign::Told;
use crate::explain::words::digest;
use azeotrope_engine::campaign::account::{Account, Link};
use azeotrope_engine::campaign::named::Campaign;
use azeotrope_engine::campaign::{Criteria, Joiner};
use azeotrope_engine::nats::in_nats;
use azeotrope_engine::rules::{Rules, Subject};
use azeotrope_engine::time::Timestamp;
use serde_json::{Value, json};
use std::cmp::Reverse;
use ties::attributes;

/// What the duty knows.
pub(super) struct Known<'a> {
    pub(super) joiner: &'a Joiner,
    pub(super) traffic: &'a Traffic,
    pub(super) criteria: &'a Criteria,
    pub(super) rules: &'a Rules,
    pub(super) now: Timestamp,
}

impl Known<'_> {
    /// A campaign, with a page of its accounts.
    pub(super) fn campaign(&self, name: &str, sort: Sort, offset: usize, limit: usize) -> Reply {
        let Some((index, campaign)) = self.joiner.find(name) else {
            return Reply::Unknown("no such campaign".to_owned());
        };
        let mut members = self.members(index);
        let ties = self.ties(index, &members);
        let picture = self.picture(index, &members, &ties);
        match sort {
            Sort::Linked => members.sort_by_key(|(account, _, link)| (Reverse(link.at), *account)),
            Sort::Doubtful => members.sort_by_key(|(account, _, link)| (link.score, *account)),
            Sort::Requests => members.sort_by_key(|(account, known, _)| (Reverse(known.requests), *account)),
        }
        let page: Vec<Value> = members.iter().skip(offset).take(limit).map(|member| self.row(member)).collect();
        Reply::Told(json!({
            "now": self.now.0,
            "campaign": Told::of(self.joiner, (index, campaign), self.criteria),
            "confirmed": campaign.confirmed() || self.rules.confirms(&campaign.name, self.now),
            "timeline": self.timeline(index, campaign),
            "minutes": self.traffic.course(index as usize, Step::Minute),
            "hours": self.traffic.course(index as usize, Step::Hour),
            "ties": ties,
            "graph": picture,
            "accounts": { "total": members.len(), "offset": offset, "items": page },
        }))
    }

    /// Its accounts that are remembered.
    fn members(&self, index: u32) -> Vec<(u64, &Account, Link)> {
        let linked = |(account, known)| move |link: Link| (link.campaign == index).then_some((account, known, link));
        let mut members: Vec<(u64, &Account, Link)> = self
            .joiner
            .accounts()
            .filter_map(|(account, known)| known.link.and_then(linked((account, known))))
            .collect();
        members.sort_unstable_by_key(|(account, ..)| *account);
        members
    }

    fn row(&self, (account, known, link): &(u64, &Account, Link)) -> Value {
        json!({
            "account": digest(*account),
            "party": digest(known.party),
            "requests": known.requests,
            "family": link.family.name(),
            "score": in_nats(link.score),
            "linked": link.at.0,
            "terms": {
                "prior": in_nats(link.terms.prior), "client": in_nats(link.terms.client), "key": in_nats(link.terms.key),
                "again": in_nats(link.terms.again), "wording": in_nats(link.terms.wording),
            },
            "adopted": link.terms.score() == 0,
            "allowed": self.allowed(*account),
        })
    }

    /// What happened when, the earliest first.
    fn timeline(&self, index: u32, campaign: &Campaign) -> Vec<Value> {
        let story = &campaign.story;
        let mut moments = vec![
            (story.since, "first", "The first account of the group came".to_owned()),
            (
                story.named,
                "named",
                format!(
                    "Named by {}: {:.2} nats, {} unrelated parties",
                    story.family.name(),
                    in_nats(story.score),
                    story.worth.parties
                ),
            ),
        ];
        if let Some((model, at)) = campaign.pivot {
            moments.push((at, "pivot", format!("Its accounts moved to the new model {}", digest(model))));
        }
        let mut parts: Vec<_> = self.joiner.parts(index).collect();
        parts.sort_by_key(|(union, _)| union.at);
        if let Some((union, part)) = parts.last() {
            let text = format!("{} other(s) had become part of it, {} the last of them", parts.len(), part.name);
            moments.push((union.at, "union", text));
        }
        moments.push((campaign.last, "last", format!("Last seen; {} accounts are linked", campaign.accounts)));
        moments.sort_by_key(|(at, ..)| *at);
        moments.into_iter().map(|(at, kind, text)| json!({ "at": at.0, "kind": kind, "text": text })).collect()
    }

    fn allowed(&self, account: u64) -> bool {
        self.rules.lists.allows(Subject::Account(account), self.now)
    }

    /// An account.
    pub(super) fn account(&self, account: u64) -> Reply {
        let Some(known) = self.joiner.account(account) else {
            return Reply::Unknown("no such account is remembered".to_owned());
        };
        let link = known.link.map(|link| {
            let campaign = self.joiner.campaigns().get(link.campaign as usize);
            json!({ "campaign": campaign.map(|campaign| &campaign.name), "row": self.row(&(account, known, link)) })
        });
        let [target, settings, client, network] = attributes(known).map(digest);
        Reply::Told(json!({
            "now": self.now.0,
            "account": digest(account),
            "party": digest(known.party),
            "requests": known.requests, "from_public_sets": known.corpus,
            "wording": in_nats(known.said(0)), "most": in_nats(known.most), "needed": in_nats(azeotrope_engine::campaign::LINK),
            "target": target, "settings": settings, "client": client, "network": network,
            "link": link,
            "allowed": self.allowed(account),
        }))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::ties::DRAWN;
    use super::*;
    use azeotrope_engine::caller::Caller;
    use azeotrope_engine::campaign::Limits;
    use azeotrope_engine::dialect::Dialect;
    use azeotrope_engine::digest::Reading;
    use azeotrope_engine::digest::skeleton::Place;

    pub(in crate::serve) const NOW: Timestamp = Timestamp(1_790_000_000_000);

    /// Two hundred people who take what they like, and a harvest of forty accounts with one template.
    pub(in crate::serve) fn joiner() -> Joiner {
        let mut joiner = people();
        harvest(&mut joiner, 0, NOW);
        joiner
    }

    fn people() -> Joiner {
        let mut joiner = Joiner::new(Limits::default(), Criteria::default());
        for n in 1..=200_u64 {
            let caller = Caller { account: n, network: 10_000 + n, agent: n % 7 + 1, ..Caller::default() };
            let reading = Reading {
                dialect: Some(Dialect::ChatCompletions),
                line: 100 + n % 5,
                settings: 500 + n % 50,
                content: n * 7_919,
                wording: -1_500,
                ..Reading::default()
            };
            joiner.observe(&caller, &reading, Timestamp(NOW.0 + n));
        }
        joiner
    }

    /// A harvest of accounts from `first` + 1,001 on: with a template, a target and a program of its own.
    pub(in crate::serve) fn harvest(joiner: &mut Joiner, first: u64, begin: Timestamp) {
        pool(joiner, first, begin, 1);
    }

    /// The same, its program set in so many ways.
    fn pool(joiner: &mut Joiner, first: u64, begin: Timestamp, ways: u64) {
        for n in first + 1..=first + 40 {
            let caller = Caller { account: 1_000 + n, network: 20_000 + n, agent: 77 + first, ..Caller::default() };
            let mut reading = Reading {
                dialect: Some(Dialect::ChatCompletions),
                line: 104 + first,
                settings: 999 + first + n % ways,
                content: n * 104_729,
                wording: 1_500,
                ..Reading::default()
            };
            reading.skeleton.keys.push((Place::System, 4_242 + first));
            joiner.observe(&caller, &reading, Timestamp(begin.0 + 1_000 + n));
        }
    }

    fn told(reply: Reply) -> Value {
        match reply {
            Reply::Told(value) => value,
            Reply::Unknown(what) => panic!("{what}"),
        }
    }

    fn ask<T>(joiner: &Joiner, of: impl FnOnce(&Known<'_>) -> T) -> T {
        let rules = Rules::parse(br#"{"format":1,"version":1,"allow":[{"account":"00000000000003ea"}]}"#).unwrap();
        let (traffic, criteria) = (Traffic::default(), Criteria::default());
        of(&Known { joiner, traffic: &traffic, criteria: &criteria, rules: &rules, now: NOW })
    }

    #[test]
    fn a_campaign_is_told_with_its_accounts_a_page_at_a_time() {
        let joiner = joiner();
        let name = joiner.campaigns()[0].name.clone();
        let page = |offset, limit| told(ask(&joiner, |known| known.campaign(&name, Sort::Linked, offset, limit)));
        let all = page(0, 500);
        let total = all["accounts"]["total"].as_u64().unwrap();
        assert!(total >= 35, "{total}");
        let names = |page: &Value| -> Vec<String> {
            page["accounts"]["items"].as_array().unwrap().iter().map(|row| row["account"].to_string()).collect()
        };
        assert_eq!([names(&page(0, 10)), names(&page(10, 500))].concat(), names(&all));
        assert!(names(&page(5_000, 10)).is_empty());
        let unknown = ask(&joiner, |known| known.campaign("c-none", Sort::Linked, 0, 1));
        assert!(matches!(unknown, Reply::Unknown(_)));
    }

    #[test]
    fn a_campaign_that_became_part_of_another_is_found_there_by_its_name() {
        let mut joiner = people();
        // Their wording confirms both, for neither looks like a tool's users.
        [0, 500].iter().for_each(|&first| pool(&mut joiner, first, NOW, 3));
        let names: Vec<String> = joiner.campaigns().iter().map(|campaign| campaign.name.clone()).collect();
        let sender = |n: u64| Caller { account: 1_000 + n, network: 20_000 + n, agent: 77, ..Caller::default() };
        for n in 0..4 {
            joiner.given(900 + n, &sender(10), NOW);
            let reading = Reading {
                dialect: Some(Dialect::ChatCompletions),
                line: 604,
                blobs: vec![900 + n],
                content: n + 1,
                ..Reading::default()
            };
            joiner.observe(&sender(510 + n), &reading, Timestamp(NOW.0 + 9_000 + n));
        }
        let found = told(ask(&joiner, |known| known.campaign(&names[1], Sort::Linked, 0, 1)));
        assert_eq!((&found["campaign"]["name"], &found["campaign"]["parts"]), (&json!(names[0]), &json!([names[1]])));
        assert!(found["accounts"]["total"].as_u64().unwrap() >= 70, "{}", found["accounts"]["total"]);
        let union = |moment: &&Value| moment["kind"] == "union";
        assert!(
            found["timeline"]
                .as_array()
                .unwrap()
                .iter()
                .find(union)
                .is_some_and(|it| it["text"].as_str().unwrap().contains(&names[1]))
        );
        let words = found["campaign"]["words"].to_string();
        assert!(
            words.contains(&format!("{}, named ", names[1]))
                && words.contains("reasoning blobs, or answers to go on from, that others"),
            "{words}"
        );
        assert_eq!(Told::all(&joiner, &Criteria::default()).len(), 1);
    }

    #[test]
    fn what_its_accounts_share_is_told_and_drawn() {
        let joiner = joiner();
        let name = joiner.campaigns()[0].name.clone();
        let story = told(ask(&joiner, |known| known.campaign(&name, Sort::Doubtful, 0, 10)));
        let ties = story["ties"].as_array().unwrap();
        let of =
            |kind: &str| ties.iter().find(|tie| tie["kind"] == kind).unwrap_or_else(|| panic!("no {kind}: {ties:?}"));
        assert_eq!(of("key")["digest"], "0000000000001092");
        assert!(of("settings")["here"].as_f64().unwrap() > 0.9 && of("settings")["elsewhere"].as_f64().unwrap() < 0.1);
        // Everybody has a network of their own: that ties nobody.
        assert!(ties.iter().all(|tie| tie["kind"] != "network"));
        let drawn = story["graph"]["accounts"].as_array().unwrap();
        assert!(drawn.len() <= DRAWN && drawn.iter().all(|one| !one["ties"].as_array().unwrap().is_empty()));
        assert_eq!(story["timeline"][0]["kind"], "first");
    }

    #[test]
    fn an_account_is_told_with_why_it_is_linked_and_that_it_is_allowed() {
        let joiner = joiner();
        let linked = told(ask(&joiner, |known| known.account(1_002)));
        assert_eq!((&linked["allowed"], linked["link"]["campaign"].is_string()), (&json!(true), true));
        let person = told(ask(&joiner, |known| known.account(7)));
        assert_eq!(
            (&person["link"], &person["allowed"], &person["requests"]),
            (&Value::Null, &json!(false), &json!(1))
        );
        assert!(matches!(ask(&joiner, |known| known.account(999_999)), Reply::Unknown(_)));
    }
}
