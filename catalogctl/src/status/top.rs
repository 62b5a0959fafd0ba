//! `catalogctl top`: the positions, lags and rates of the whole pipeline as they change, until somebody has seen enough.

mod view;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

use crate::endpoints::{EndpointArgs, Endpoints};
use crate::status::Status;
use crate::status::top::view::View;

/// Keys that wait to be looked at.
const KEYS_MAX: usize = 16;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Keys: q or Esc ends it, space holds it. Where there is no terminal, `catalogctl status` tells the same once."
)]
pub(crate) struct TopArgs {
    /// Looks so often
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    every_ms: u64,
}

/// What somebody at the terminal wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    End,
    Hold,
    /// The terminal has another size.
    Redraw,
}

pub(crate) async fn command(args: TopArgs, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    if !std::io::stdout().is_terminal() {
        bail!("this is for a terminal: `catalogctl status` tells the same once");
    }
    let endpoints = endpoints.resolve()?;
    // Restores the terminal, when this panics too.
    let mut terminal = ratatui::try_init()?;
    let ended = show(&args, &endpoints, &mut terminal).await;
    ratatui::restore();
    ended.map(|()| ExitCode::SUCCESS)
}

async fn show(
    args: &TopArgs,
    endpoints: &Endpoints,
    terminal: &mut ratatui::DefaultTerminal,
) -> anyhow::Result<()> {
    let mut wishes = wishes();
    let mut every = tokio::time::interval(Duration::from_millis(args.every_ms));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut view, mut held) = (View::default(), false);
    loop {
        tokio::select! {
            wish = wishes.recv() => match wish {
                None | Some(Wish::End) => return Ok(()),
                Some(Wish::Hold) => held = !held,
                Some(Wish::Redraw) => {}
            },
            _ = every.tick(), if !held => {
                let status = Status::ask(endpoints).await?;
                view.take(&status, Instant::now());
            }
        }
        terminal.draw(|frame| view.draw(frame, held))?;
    }
}

/// Listens to the keys on a thread of its own: reading them blocks.
fn wishes() -> mpsc::Receiver<Wish> {
    let (told, wishes) = mpsc::channel(KEYS_MAX);
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            let Some(wish) = wish(&event) else {
                continue;
            };
            if told.blocking_send(wish).is_err() {
                return;
            }
        }
    });
    wishes
}

fn wish(event: &Event) -> Option<Wish> {
    match event {
        Event::Resize(..) => Some(Wish::Redraw),
        Event::Key(key) if key.kind == KeyEventKind::Press => match key.code {
            KeyCode::Char('q') | KeyCode::Esc => Some(Wish::End),
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Wish::End),
            KeyCode::Char(' ') => Some(Wish::Hold),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyEvent;

    use super::*;

    #[test]
    fn keys_are_wishes() {
        let key = |code, modifiers| wish(&Event::Key(KeyEvent::new(code, modifiers)));
        let none = KeyModifiers::NONE;
        assert_eq!(key(KeyCode::Char('q'), none), Some(Wish::End));
        assert_eq!(key(KeyCode::Esc, none), Some(Wish::End));
        assert_eq!(
            key(KeyCode::Char('c'), KeyModifiers::CONTROL),
            Some(Wish::End)
        );
        assert_eq!(key(KeyCode::Char('c'), none), None);
        assert_eq!(key(KeyCode::Char(' '), none), Some(Wish::Hold));
        assert_eq!(wish(&Event::Resize(80, 24)), Some(Wish::Redraw));
    }
}
