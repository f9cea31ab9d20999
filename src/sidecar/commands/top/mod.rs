//! `azeotrope top`: what a sidecar sees, live.

mod look;
mod view;

use super::{Failure, Outcome, print};
use crate::remote::Sidecar;
use look::{History, Look};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use view::View;

/// Longest wait for a key, so that what is new is drawn soon.
const WAIT: Duration = Duration::from_millis(100);

/// Watch a sidecar live: traffic, campaigns, which filter runs what
///
/// Keys: arrows choose a campaign, Enter tells its story, p pauses, q leaves. Where standard output is no terminal, or
/// with --json or --once, one look is printed. Exit codes: 0: left, or printed; 2: wrong usage; 3: no answer at the start.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    sidecar: Sidecar,
    #[command(flatten)]
    format: super::format::Format,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    every: u64,
    /// Print one look and leave
    #[arg(long)]
    once: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let first = Look::at(&self.sidecar)?;
        if self.once || self.format.json() || !std::io::stdout().is_terminal() {
            self.format.print(|| first.to_json(), || first.text())?;
            return Ok(Outcome::Well);
        }
        let looks = watch(self.sidecar, Duration::from_secs(self.every));
        let mut terminal = ratatui::try_init().map_err(Failure::output)?;
        let left = live(&mut terminal, View::new(History::new(first)), &looks);
        ratatui::restore();
        left?;
        print("")?;
        Ok(Outcome::Well)
    }
}

/// Looks again and again, beside the thread that draws: a sidecar that is slow must not hold up a key.
fn watch(sidecar: Sidecar, every: Duration) -> Receiver<Result<Look, String>> {
    let (send, looks) = sync_channel(1);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(every);
            if send.send(Look::at(&sidecar).map_err(|failure| failure.to_string())).is_err() {
                return;
            }
        }
    });
    looks
}

fn live(
    terminal: &mut ratatui::DefaultTerminal,
    mut view: View,
    looks: &Receiver<Result<Look, String>>,
) -> Result<(), Failure> {
    loop {
        terminal.draw(|frame| view.draw(frame)).map_err(Failure::output)?;
        if event::poll(WAIT).map_err(Failure::output)?
            && let Event::Key(key) = event::read().map_err(Failure::output)?
            && !pressed(&mut view, key)
        {
            return Ok(());
        }
        if let Ok(look) = looks.try_recv() {
            view.heard(look);
        }
    }
}

/// Does what a key asks for; whether to go on.
fn pressed(view: &mut View, key: KeyEvent) -> bool {
    if key.kind != KeyEventKind::Press {
        return true;
    }
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return false,
        KeyCode::Char('q') => return false,
        KeyCode::Esc if !view.back() => return false,
        KeyCode::Down | KeyCode::Char('j') => view.choose(1),
        KeyCode::Up | KeyCode::Char('k') => view.choose(-1),
        KeyCode::Enter => view.tell(),
        KeyCode::Char('p') => view.pause(),
        _ => {}
    }
    true
}
