//! Campaigns that rules name and nobody has found: an entry with a mistyped name does nothing, and says so nowhere else. It may
//! be right all the same, for a campaign that is to come.

use super::candidate;
use super::duty::CAMPAIGNS;
use crate::store::{Outcome, Store, get_json};
use azeotrope_engine::rules::{Document, Rules};
use serde::Deserialize;

/// Names that are taken for one mistyped: so many letters differ at most.
const NEAR: usize = 2;

/// The names of a campaign: its own, and of those that became part of it.
#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    parts: Vec<String>,
}

/// What is to be said of a document that is to take the place of the one in force: of the campaigns that only it names.
pub(super) fn campaigns(store: &dyn Store, document: &str) -> Outcome<Option<String>> {
    let told: Vec<Named> = get_json(store, CAMPAIGNS)?.unwrap_or_default();
    let known: Vec<String> = told.into_iter().flat_map(|Named { name, parts }| [vec![name], parts].concat()).collect();
    let parsed = |text: &str| Rules::parse(text.as_bytes()).map(|rules| rules.document).unwrap_or_default();
    let before = candidate::in_force(store)?.map(|rules| parsed(&rules.document)).unwrap_or_default();
    Ok(warning(&before, &parsed(document), &known))
}

fn warning(before: &Document, after: &Document, known: &[String]) -> Option<String> {
    let old: Vec<String> = before.campaigns.iter().map(|campaign| campaign.id.as_str().to_owned()).collect();
    let unknown = after.campaigns.iter().filter(|campaign| {
        // One with accounts or templates of its own is the operator's, and found by nobody else.
        campaign.accounts.is_empty() && campaign.skeletons.is_empty()
    });
    let unknown = unknown.map(|campaign| campaign.id.as_str().to_owned());
    let lines: Vec<String> = unknown
        .filter(|id| !old.contains(id) && !known.contains(id))
        .map(|id| match nearest(&id, known) {
            Some(near) => format!("no such campaign: {id}; did you mean {near}?"),
            None => format!("no such campaign: {id}; it counts once one of this name is found"),
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

fn nearest<'a>(id: &str, known: &'a [String]) -> Option<&'a String> {
    let near = known.iter().map(|known| (strsim::levenshtein(id, known), known));
    Some(near.filter(|(distance, _)| *distance <= NEAR).min()?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_that_nobody_found_is_told_once_with_the_name_that_was_meant() {
        let document = |campaigns: &str| {
            let text = format!(r#"{{"format":1,"version":1,"campaigns":[{campaigns}]}}"#);
            Rules::parse(text.as_bytes()).unwrap().document
        };
        let known = ["c-21be02ee".to_owned(), "c-83f1a022".to_owned()];
        let none = Document::default();
        let told = |before: &Document, after: &Document| warning(before, after, &known).unwrap_or_default();
        let mistyped = document(r#"{"id":"c-21be02e","confirmed":true},{"id":"c-83f1a022"}"#);
        assert_eq!(told(&none, &mistyped), "no such campaign: c-21be02e; did you mean c-21be02ee?");
        assert_eq!(told(&mistyped, &mistyped), "");
        assert!(told(&none, &document(r#"{"id":"c-1"}"#)).ends_with("it counts once one of this name is found"));
        assert_eq!(told(&none, &document(r#"{"id":"c-1","accounts":["00000000000000ff"]}"#)), "");
    }
}
