//! Why an account is held to be one of a campaign's: a sum, term by term.

use super::words::{bare, moment, nats};
use azeotrope_engine::campaign::LINK;
use azeotrope_engine::campaign::account::{Account, Terms};
use azeotrope_engine::campaign::feed::GivenAway;
use azeotrope_engine::nats::in_nats;
use azeotrope_engine::rules::Family;
use azeotrope_engine::verdict::judge::{Known, Member};
use serde::Serialize;

/// The link, told.
#[derive(Debug, Serialize)]
pub(crate) struct Link {
    pub(crate) how: &'static str,
    /// Nats, as the proxy held it.
    pub(crate) score: f64,
    pub(crate) terms: Vec<Term>,
    pub(crate) words: Vec<String>,
}

/// A term of the sum.
#[derive(Debug, Serialize)]
pub(crate) struct Term {
    pub(crate) term: &'static str,
    pub(crate) nats: f64,
    pub(crate) words: String,
}

impl Link {
    pub(crate) fn of(member: &Member, account: Option<&Account>) -> Self {
        let (how, terms, words) = match member.by {
            Known::Listed => {
                ("listed", Vec::new(), vec!["The rules list the account or its skeleton for it.".to_owned()])
            }
            Known::GivenAway(given) => (
                "given_away",
                given_away(&given),
                vec![format!(
                    "The sidecar has not linked the account yet; this request gives it away: it carries {}. From {} nats that \
                     suffices.",
                    match given.by {
                        Family::BlobProvenance => "a blob that another party was given, as the campaign's do",
                        Family::CorpusSweep => "a prompt out of a public set, as the campaign's do",
                        _ => "a key of the campaign",
                    },
                    bare(LINK)
                )],
            ),
            Known::Linked => linked(member, account),
        };
        Self { how, score: in_nats(member.score), terms, words }
    }
}

fn linked(member: &Member, account: Option<&Account>) -> (&'static str, Vec<Term>, Vec<String>) {
    let known = account.and_then(|account| Some((account, account.link?)));
    let Some((account, link)) = known else {
        return (
            "linked",
            Vec::new(),
            vec!["The sidecar linked it; its account is no longer remembered there.".to_owned()],
        );
    };
    let mut words = vec![format!(
        "The sidecar linked it by {}, or last became surer, {}: {} nats ({} are needed). Seen by then: {} requests, {} with \
         telling keys, {} out of public prompt sets.",
        link.family.name(),
        moment(link.at),
        bare(link.score),
        bare(LINK),
        account.requests,
        account.matches,
        account.corpus,
    )];
    if link.score != member.score {
        words.push(format!(
            "The proxy held it at {} nats: the sidecar's news takes up to a second.",
            bare(member.score)
        ));
    }
    if link.terms == Terms::default() {
        words.push(
            "It was one of the group that named the campaign, or a blob, conversation or refused body went through its hands: \
             the whole evidence is its own."
                .to_owned(),
        );
        return ("linked", Vec::new(), words);
    }
    ("linked", sum(&link.terms), words)
}

fn sum(terms: &Terms) -> Vec<Term> {
    vec![
        term("prior", terms.prior, "before any evidence: how common the campaign's accounts are among all"),
        term(
            "client",
            terms.client,
            "what it takes, its settings, client program and network, against everybody's (at most so much that it blocks nobody, \
             where no beginning or end of a template tells)",
        ),
        term(
            "key",
            terms.key,
            "a key it shares with the campaign: how much commoner it is there than elsewhere; where that says little, less what \
             it loses to chance among all its requests",
        ),
        term(
            "again",
            terms.again,
            "further requests with telling keys, or out of public prompt sets where the campaign sweeps them",
        ),
        term("wording", terms.wording, "its wording, by the content model (bounded: never decides alone)"),
    ]
}

fn given_away(given: &GivenAway) -> Vec<Term> {
    vec![
        term("prior", given.base, "before any evidence, with a client that the campaign is not known for"),
        term("key", given.key, "a key it shares with the campaign: how much commoner it is there than elsewhere"),
        term("target", given.target, "what it takes"),
        term("settings", given.settings, "how its client program is set"),
        term("client program", given.agent, "its client program"),
        term("wording", given.wording, "the request's wording, by the content model"),
    ]
}

fn term(term: &'static str, milli: i32, meaning: &str) -> Term {
    Term { term, nats: in_nats(milli), words: format!("{:>6}  {term}: {meaning}", nats(milli)) }
}
