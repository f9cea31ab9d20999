//! What is drawn.

use super::look::{History, Look};
use crate::commands::status;
use crate::explain::campaign::Told;
use crate::explain::words::{moment, span};
use crate::remote::at;
use azeotrope_engine::time::{MINUTE, Timestamp};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Row, Sparkline, Table, TableState, Wrap};
use serde_json::Value;

/// A campaign that was seen within so many milliseconds is under way.
const UNDER_WAY: u64 = 10 * MINUTE;

/// What is shown, and what the person at the keyboard has chosen.
pub(super) struct View {
    history: History,
    /// Why the newest look failed.
    trouble: Option<String>,
    chosen: TableState,
    /// Its story is told in place of the filters.
    telling: bool,
    paused: bool,
}

impl View {
    pub(super) fn new(history: History) -> Self {
        let mut chosen = TableState::default();
        chosen.select((!history.look.campaigns.is_empty()).then_some(0));
        Self { history, trouble: None, chosen, telling: false, paused: false }
    }

    /// Takes over a newer look, or why there is none. The chosen campaign stays chosen wherever it is listed now.
    pub(super) fn heard(&mut self, look: Result<Look, String>) {
        if self.paused {
            return;
        }
        match look {
            Err(trouble) => self.trouble = Some(trouble),
            Ok(look) => {
                let name = self.campaign().map(|campaign| campaign.name.clone());
                let place = look.campaigns.iter().position(|campaign| Some(&campaign.name) == name.as_ref());
                self.chosen.select(place.or_else(|| (!look.campaigns.is_empty()).then_some(0)));
                self.trouble = None;
                self.history.push(look);
            }
        }
    }

    /// Chooses another campaign, so many further down.
    pub(super) fn choose(&mut self, down: isize) {
        let last = self.history.look.campaigns.len().saturating_sub(1);
        if let Some(place) = self.chosen.selected() {
            self.chosen.select(Some(place.saturating_add_signed(down).min(last)));
        }
    }

    pub(super) fn tell(&mut self) {
        self.telling = !self.telling && self.campaign().is_some();
    }

    /// Back from a story; whether there was one.
    pub(super) fn back(&mut self) -> bool {
        std::mem::take(&mut self.telling)
    }

    pub(super) fn pause(&mut self) {
        self.paused = !self.paused;
    }

    fn campaign(&self) -> Option<&Told> {
        self.history.look.campaigns.get(self.chosen.selected()?)
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>) {
        let [top, campaigns, below, keys] =
            Layout::vertical([Constraint::Length(5), Constraint::Min(5), Constraint::Fill(1), Constraint::Length(1)])
                .areas(frame.area());
        self.summary(frame, top);
        self.campaigns(frame, campaigns);
        if self.telling {
            self.story(frame, below)
        } else {
            self.filters(frame, below)
        }
        self.keys(frame, keys);
    }

    fn summary(&self, frame: &mut Frame<'_>, area: Rect) {
        let [words, chart] = Layout::horizontal([Constraint::Min(44), Constraint::Fill(1)]).areas(area);
        let status = &self.history.look.status;
        let rate = self.history.rates.back().map_or_else(|| "–".to_owned(), ToString::to_string);
        let held = at(status, "/held_back/accounts").as_u64();
        let held = held.map(|accounts| format!("held back: {accounts} accounts (campaigns --release)"));
        let lines = vec![
            Line::from(vec![
                "azeotrope ".bold(),
                Span::raw(status::word(at(status, "/sidecar"))),
                Span::raw(format!("  {}", moment(Timestamp(self.history.look.at)))),
            ]),
            Line::raw(format!(
                "bundle {}  rules {}  duty {}",
                at(status, "/bundle/version"),
                at(status, "/rules/number").as_u64().map_or_else(|| "built-in".to_owned(), |n| n.to_string()),
                status::word(at(status, "/duty/name")),
            )),
            Line::raw(format!(
                "today {} requests of {} accounts",
                at(status, "/today/requests"),
                at(status, "/today/accounts")
            )),
            Line::raw(format!("{rate} requests a second  {} batches wait", at(status, "/batches_waiting"))),
            held.map_or_else(Line::default, |held| Line::styled(held, Style::new().fg(Color::Yellow))),
        ];
        frame.render_widget(Paragraph::new(lines), words);
        let shown = usize::from(chart.width.saturating_sub(2));
        let rates: Vec<u64> = self.history.rates.iter().rev().take(shown).rev().copied().collect();
        let block = Block::new().borders(Borders::ALL).title("requests a second");
        frame.render_widget(Sparkline::default().data(&rates).block(block), chart);
    }

    fn campaigns(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let look = &self.history.look;
        let block = Block::new().borders(Borders::TOP).title(format!("campaigns ({})", look.campaigns.len()));
        if look.campaigns.is_empty() {
            frame.render_widget(Paragraph::new("No campaign was named.").block(block), area);
            return;
        }
        let row = |campaign: &Told| {
            let quiet = look.at.saturating_sub(campaign.last);
            let style = if quiet < UNDER_WAY { Style::new().fg(Color::Red) } else { Style::new() };
            Row::new([
                campaign.name.clone(),
                format!("{:>8}", campaign.accounts),
                format!("{:>9}", campaign.exchanges),
                format!("{} ago", span(quiet)),
                campaign.families.join(", "),
            ])
            .style(style)
        };
        let widths = [
            Constraint::Length(14),
            Constraint::Length(8),
            Constraint::Length(9),
            Constraint::Length(15),
            Constraint::Min(10),
        ];
        let head = Row::new(["campaign", "accounts", "exchanges", "last seen", "families"]).bold();
        let rows: Vec<Row<'_>> = look.campaigns.iter().map(row).collect();
        let table = Table::new(rows, widths)
            .header(head)
            .block(block)
            .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
        frame.render_stateful_widget(table, area, &mut self.chosen);
    }

    fn story(&self, frame: &mut Frame<'_>, area: Rect) {
        let Some(campaign) = self.campaign() else { return };
        let block = Block::new().borders(Borders::TOP).title(format!("the story of {}", campaign.name));
        let lines: Vec<Line<'_>> = campaign.words.iter().map(|words| Line::raw(words.as_str())).collect();
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }).block(block), area);
    }

    fn filters(&self, frame: &mut Frame<'_>, area: Rect) {
        let filters = status::filters(&self.history.look.status);
        let row = |filter: &Value| {
            let behind = at(filter, "/behind") == true;
            let style = if behind { Style::new().fg(Color::Yellow) } else { Style::new() };
            Row::new([
                status::word(at(filter, "/name")),
                status::word(at(filter, "/worker")),
                format!("{:>12}", at(filter, "/version").to_string()),
                format!("{:>6}", at(filter, "/lost").to_string()),
                format!("{:>5} s", at(filter, "/heard_seconds_ago").to_string()),
                if behind { "behind".to_owned() } else { String::new() },
            ])
            .style(style)
        };
        let widths = [
            Constraint::Min(8),
            Constraint::Length(16),
            Constraint::Length(12),
            Constraint::Length(6),
            Constraint::Length(7),
            Constraint::Length(6),
        ];
        let head = Row::new(["proxy", "worker", "     version", "  lost", "  heard", ""]).bold();
        let block = Block::new().borders(Borders::TOP).title(format!("filters ({})", filters.len()));
        frame.render_widget(Table::new(filters.iter().map(row), widths).header(head).block(block), area);
    }

    fn keys(&self, frame: &mut Frame<'_>, area: Rect) {
        let line = match (&self.trouble, self.paused) {
            (Some(trouble), _) => Line::styled(format!("no answer: {trouble}"), Style::new().fg(Color::Red)),
            (None, true) => Line::styled("paused; p goes on", Style::new().fg(Color::Yellow)),
            (None, false) => Line::raw("↑ ↓ choose   Enter story   p pause   q leave").dim(),
        };
        frame.render_widget(Paragraph::new(line), area);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use serde_json::json;

    fn told(name: &str, last: u64) -> Told {
        serde_json::from_value(json!({
            "name": name, "since": 0, "named": 0, "last": last, "accounts": 250, "exchanges": 9_000,
            "families": ["skeleton_spread"], "confirmed": false, "named_by": "skeleton_spread", "evidence": 9.0, "needed": 7.0,
            "parties": 3, "taking": 3, "target": "00", "contents": 3, "requests": 3, "pivot": null, "pivot_at": null,
            "words": [format!("{name} began like this, and went on for longer than a line of a narrow terminal holds.")],
        }))
        .unwrap()
    }

    fn look(at: u64, names: &[&str]) -> Look {
        let filter =
            json!({ "name": "edge", "worker": "01", "version": 6, "behind": true, "lost": 0, "heard_seconds_ago": 1 });
        let status = json!({ "sidecar": "one", "bundle": { "version": 7 }, "filters": [filter] });
        Look { at, status, campaigns: names.iter().map(|name| told(name, at)).collect() }
    }

    fn drawn(view: &mut View, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view.draw(frame)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn campaigns_and_filters_are_shown_in_any_terminal() {
        let mut view = View::new(History::new(look(1_000, &["amber-fox", "blue-owl"])));
        for (width, height) in [(120, 40), (80, 24), (60, 16)] {
            let text = drawn(&mut view, width, height);
            assert!(text.contains("amber-fox") && text.contains("edge") && text.contains("behind"), "{text}");
        }
        // Too small to read, and no reason to fall over.
        for (width, height) in [(1, 1), (10, 3), (200, 2)] {
            drawn(&mut view, width, height);
        }
    }

    #[test]
    fn the_chosen_campaign_stays_chosen_when_the_order_changes() {
        let mut view = View::new(History::new(look(1_000, &["amber-fox", "blue-owl"])));
        view.choose(1);
        view.tell();
        view.heard(Ok(look(3_000, &["blue-owl", "amber-fox", "cold-elk"])));
        assert!(drawn(&mut view, 100, 30).contains("the story of blue-owl"));
        view.choose(-5);
        assert!(drawn(&mut view, 100, 30).contains("the story of blue-owl"));
        assert!(view.back() && !view.back());
    }

    #[test]
    fn a_sidecar_that_does_not_answer_leaves_what_was_seen() {
        let mut view = View::new(History::new(look(1_000, &["amber-fox"])));
        view.heard(Err("connection refused".to_owned()));
        let text = drawn(&mut view, 100, 30);
        assert!(text.contains("amber-fox") && text.contains("no answer: connection refused"), "{text}");
    }
}
