//! Explanations as text that fits a terminal.

use super::campaign::Told;
use super::words::moment;
use super::{Caller, Explanation};
use azeotrope_engine::time::Timestamp;

/// Columns of a line.
const WIDTH: usize = 100;

/// An explanation as text.
pub(crate) fn explanation(of: &Explanation) -> String {
    let mut page = Page::default();
    page.line(0, &format!("exchange {} at {}", of.id, moment(Timestamp(of.time))));
    match (&of.recorded, of.reproduced()) {
        (Some(_), Some(true)) => page.line(0, "The recorded verdict is reproduced byte for byte."),
        (Some(recorded), _) => {
            page.line(0, "THE RECORDED VERDICT IS ANOTHER. Were rules, corpora, proxies and trace the same?");
            page.raw(&format!("  recorded   {recorded}\n  recomputed {}\n", of.line));
        }
        (None, _) => {}
    }
    let (Some(decision), Some(caller)) = (&of.decision, &of.caller) else {
        page.line(0, "It is no LLM call: it passed untouched and uncounted.");
        return page.0;
    };
    page.line(0, &sender(caller));
    page.head(&format!("Decision: {}", decision.action));
    page.all(&decision.words);
    page.head("Reasons");
    for reason in &decision.reasons {
        page.line(2, &format!("{}: {} It {}.", reason.code, reason.meaning, reason.words));
    }
    if decision.reasons.is_empty() {
        page.line(2, "None.");
    }
    if let Some(campaign) = &of.campaign {
        page.head(&format!("Campaign {}", campaign.name));
        page.all(&campaign.words);
    }
    if let Some(link) = &of.link {
        page.head("Why this account is held to be one of it");
        page.all(&link.words);
        link.terms.iter().for_each(|term| page.line(4, &term.words));
        if !link.terms.is_empty() {
            page.line(4, &format!("{:>6.2}  in all", link.terms.iter().map(|term| term.nats).sum::<f64>()));
        }
    }
    if let Some(counters) = &of.counters {
        page.head("What this proxy had counted itself");
        page.all(&counters.words);
    }
    page.head("What would have changed it");
    page.all(&decision.otherwise);
    if !of.allow.is_empty() {
        page.line(2, "To let it through, put one of these into `allow` of the rules:");
        of.allow.iter().for_each(|entry| page.raw(&format!("    {entry}\n")));
    }
    page.0
}

fn sender(caller: &Caller) -> String {
    let named = [
        ("account", &caller.account),
        ("organisation", &caller.organisation),
        ("network", &caller.network),
        ("client program", &caller.client_program),
    ];
    let named = named.iter().filter_map(|(what, digest)| Some(format!("{what} {}", digest.as_ref()?)));
    format!("from {}", named.collect::<Vec<_>>().join(", "))
}

/// Campaigns as text.
pub(crate) fn campaigns(told: &[Told]) -> String {
    let mut page = Page::default();
    if told.is_empty() {
        page.line(0, "No campaign was named.");
        return page.0;
    }
    page.line(
        0,
        &format!("{:<12} {:>9} {:>10}  {:<21} {:<21} named by", "campaign", "accounts", "exchanges", "since", "named"),
    );
    for campaign in told {
        page.raw(&format!(
            "{:<12} {:>9} {:>10}  {:<21} {:<21} {}\n",
            campaign.name,
            campaign.accounts,
            campaign.exchanges,
            moment(Timestamp(campaign.since)),
            moment(Timestamp(campaign.named)),
            campaign.named_by,
        ));
    }
    for campaign in told {
        page.head(&campaign.name);
        page.all(&campaign.words);
    }
    page.0
}

/// Text in lines of bounded width.
#[derive(Default)]
struct Page(String);

impl Page {
    fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn head(&mut self, title: &str) {
        self.raw("\n");
        self.line(0, title);
    }

    fn all(&mut self, texts: &[String]) {
        texts.iter().for_each(|text| self.line(2, text));
    }

    /// A paragraph, its first line indented by so much and the others by two more; leading blanks are kept.
    fn line(&mut self, indent: usize, text: &str) {
        let blanks = text.len() - text.trim_start().len();
        let mut column = indent + blanks;
        self.raw(&" ".repeat(column));
        let mut first = true;
        for word in text.trim_start().split(' ') {
            let length = word.chars().count();
            if !first && column + 1 + length > WIDTH {
                column = indent + 2;
                self.raw(&format!("\n{}", " ".repeat(column)));
            } else if !first {
                self.raw(" ");
                column += 1;
            }
            self.raw(word);
            column += length;
            first = false;
        }
        self.raw("\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        let mut page = Page::default();
        page.line(2, &"word ".repeat(60));
        assert!(page.0.lines().all(|line| line.len() <= WIDTH) && page.0.lines().count() > 2, "{}", page.0);
        assert!(page.0.lines().skip(1).all(|line| line.starts_with("    w") || line.trim().is_empty()));
    }
}
