//! Explanations as text that fits a terminal.

use super::campaign::Told;
use super::words::moment;
use super::{Caller, Explanation};
use crate::terminal::table::Columns;
use azeotrope_engine::time::Timestamp;

/// Columns of a line at most: longer ones are hard to read.
const WIDTH: usize = 100;

/// An explanation as text.
pub(crate) fn explanation(of: &Explanation) -> String {
    let mut page = Page::new();
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
        return page.text;
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
    page.text
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
    let mut page = Page::new();
    if told.is_empty() {
        page.line(0, "No campaign was named.");
        return page.text;
    }
    let mut table = Columns::new(&["campaign", "accounts>", "exchanges>", "since", "named", "named by"]);
    for campaign in told {
        table.row([
            campaign.name.clone(),
            campaign.accounts.to_string(),
            campaign.exchanges.to_string(),
            moment(Timestamp(campaign.since)),
            moment(Timestamp(campaign.named)),
            campaign.named_by.clone(),
        ]);
    }
    page.raw(&table.text());
    for campaign in told {
        page.head(&campaign.name);
        page.all(&campaign.words);
    }
    page.text
}

/// Text in lines of bounded width.
struct Page {
    text: String,
    width: usize,
}

impl Page {
    /// An empty page that fits the terminal.
    fn new() -> Self {
        let terminal = crate::terminal::width().map_or(WIDTH, usize::from);
        Self { text: String::new(), width: terminal.min(WIDTH) }
    }

    fn raw(&mut self, text: &str) {
        self.text.push_str(text);
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
            if !first && column + 1 + length > self.width {
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
        let mut page = Page::new();
        page.line(2, &"word ".repeat(60));
        assert!(page.text.lines().all(|line| line.len() <= WIDTH) && page.text.lines().count() > 2, "{}", page.text);
        assert!(page.text.lines().skip(1).all(|line| line.starts_with("    w") || line.trim().is_empty()));
    }
}
