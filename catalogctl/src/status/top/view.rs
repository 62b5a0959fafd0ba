//! What is drawn: a line for each stage of the pipeline, with how fast it goes and how far it was behind lately.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use client_kit::output;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::Line;
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table};

use crate::status::Status;
use crate::status::lag::behind;

/// Rates are those of so long.
const RATE_OVER: Duration = Duration::from_secs(10);
/// How many looks back the lags go.
const LOOKS_MAX: usize = 32;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The stages, as they were at the last looks.
#[derive(Default)]
pub(super) struct View {
    stages: Vec<Stage>,
    title: String,
    errors: Vec<String>,
    looks: BTreeMap<&'static str, VecDeque<Look>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Stage {
    name: &'static str,
    position: i64,
    lag: i64,
    note: String,
}

#[derive(Clone, Copy)]
struct Look {
    at: Instant,
    position: i64,
    lag: i64,
}

impl View {
    pub(super) fn take(&mut self, status: &Status, at: Instant) {
        self.stages = stages(status);
        self.errors = status.errors();
        self.title = title(status);
        for stage in &self.stages {
            let looks = self.looks.entry(stage.name).or_default();
            looks.push_back(Look {
                at,
                position: stage.position,
                lag: stage.lag,
            });
            if looks.len() > LOOKS_MAX {
                looks.pop_front();
            }
        }
    }

    /// How many positions a second a stage has gone on lately.
    fn rate(&self, stage: &str) -> f64 {
        let Some(looks) = self.looks.get(stage) else {
            return 0.0;
        };
        let Some(last) = looks.back() else {
            return 0.0;
        };
        let recent = |look: &&Look| last.at.duration_since(look.at) <= RATE_OVER;
        let first = looks.iter().find(recent).unwrap_or(last);
        let seconds = last.at.duration_since(first.at).as_secs_f64();
        if seconds > 0.0 {
            (last.position - first.position).max(0) as f64 / seconds
        } else {
            0.0
        }
    }

    /// The lags of the last looks, as bars.
    fn bars(&self, stage: &str) -> String {
        let looks = self.looks.get(stage).into_iter().flatten();
        let lags: Vec<i64> = looks.map(|look| look.lag).collect();
        let most = lags.iter().copied().max().unwrap_or(0).max(1);
        let bar = |lag: &i64| match lag {
            0 => ' ',
            lag => BARS[((lag - 1).max(0) * BARS.len() as i64 / most).clamp(0, 7) as usize],
        };
        lags.iter().map(bar).collect()
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, held: bool) {
        let [head, body, foot] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Min(3),
            Constraint::Length(self.errors.len().clamp(1, 4) as u16),
        ])
        .areas(frame.area());
        let state = if held { " held " } else { "" };
        let title = Line::from(vec![
            self.title.as_str().bold(),
            " ".into(),
            state.reversed(),
        ]);
        frame.render_widget(title, head);
        let rows = self.stages.iter().map(|stage| self.row(stage));
        let widths = [
            Constraint::Length(14),
            Constraint::Length(12),
            Constraint::Length(10),
            Constraint::Length(12),
            Constraint::Length(LOOKS_MAX as u16),
            Constraint::Min(10),
        ];
        let names = [
            "stage",
            "position",
            "a second",
            "behind",
            "behind lately",
            "",
        ];
        let table = Table::new(rows, widths)
            .header(Row::new(names).style(Style::new().dim()))
            .block(Block::bordered());
        frame.render_widget(table, body);
        let told = if self.errors.is_empty() {
            Paragraph::new("q ends, space holds").dim()
        } else {
            Paragraph::new(self.errors.join("\n")).fg(Color::Red)
        };
        frame.render_widget(told, foot);
    }

    fn row(&self, stage: &Stage) -> Row<'_> {
        let behind = match stage.lag {
            0 => Cell::from("up to date").fg(Color::Green),
            lag => Cell::from(lag.to_string()).fg(Color::Yellow),
        };
        Row::new([
            Cell::from(stage.name),
            Cell::from(format!("{:>10}", stage.position)),
            Cell::from(format!("{:>8.1}", self.rate(stage.name))),
            behind,
            Cell::from(self.bars(stage.name)),
            Cell::from(stage.note.clone()),
        ])
    }
}

fn title(status: &Status) -> String {
    let products = status.write.as_ref().map(|write| write.products);
    let generation = status.read.as_ref().map(|read| read.generation);
    match (products, generation) {
        (Ok(products), Ok(generation)) => {
            format!("catalog: {products} products, generation {generation}")
        }
        _ => "catalog: a service does not answer".to_owned(),
    }
}

fn stages(status: &Status) -> Vec<Stage> {
    let mut stages = Vec::new();
    let mut add = |name, position, lag: i64, note: &str| {
        stages.push(Stage {
            name,
            position,
            lag: lag.max(0),
            note: output::plain(note),
        });
    };
    if let Ok(write) = &status.write {
        add("event log", write.log_position, write.outbox_pending, "");
        let behind = write.log_position - write.stream_sequence;
        add("stream", write.stream_sequence, behind, &write.relay_error);
    }
    let end = status.write.as_ref().map_or(0, |write| write.log_position);
    if let Ok(read) = &status.read {
        for one in &read.projections {
            let name = match one.name.as_str() {
                "read_model" => "documents",
                "keyword_index" => "keyword index",
                "embeddings" => "vectors",
                _ => continue,
            };
            add(name, one.position, behind(one, end), &one.error);
        }
        if let Some(rules) = &read.rules {
            let end = status.write.as_ref().map_or(0, |write| write.rule_position);
            add(
                "search rules",
                rules.position,
                end - rules.position,
                &rules.error,
            );
        }
    }
    stages
}

#[cfg(test)]
mod tests {
    use catalog_proto::v1::{GetReadStatusResponse, GetWriteStatusResponse, ProjectionStatus};
    use expect_test::expect;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn status(log: i64, applied: i64) -> Status {
        let projection = |name: &str, position| ProjectionStatus {
            name: name.to_owned(),
            position,
            ..ProjectionStatus::default()
        };
        Status {
            write: Ok(GetWriteStatusResponse {
                log_position: log,
                stream_sequence: log,
                products: 35,
                ..GetWriteStatusResponse::default()
            }),
            read: Ok(GetReadStatusResponse {
                generation: 2,
                projections: vec![
                    projection("read_model", applied),
                    projection("keyword_index", log),
                ],
                ..GetReadStatusResponse::default()
            }),
        }
    }

    fn drawn(view: &View) -> String {
        let mut terminal = Terminal::new(TestBackend::new(96, 9)).expect("a terminal");
        terminal
            .draw(|frame| view.draw(frame, false))
            .expect("drawn");
        terminal.backend().to_string()
    }

    #[test]
    fn stages_are_shown_with_rates_and_lags() {
        let (mut view, start) = (View::default(), Instant::now());
        view.take(&status(100, 100), start);
        view.take(&status(300, 200), start + Duration::from_secs(1));
        view.take(&status(500, 500), start + Duration::from_secs(2));
        let shown = drawn(&view);
        expect![[r#"
            "catalog: 35 products, generation 2                                                              "
            "┌──────────────────────────────────────────────────────────────────────────────────────────────┐"
            "│stage          position     a second   behind       behind lately                             │"
            "│event log             500      200.0   up to date                                             │"
            "│stream                500      200.0   up to date                                             │"
            "│documents             500      200.0   up to date    █                                        │"
            "│keyword index         500      200.0   up to date                                             │"
            "└──────────────────────────────────────────────────────────────────────────────────────────────┘"
            "q ends, space holds                                                                             "
        "#]].assert_eq(&shown);
    }

    #[test]
    fn a_service_that_is_away_is_told() {
        let mut view = View::default();
        let mut away = status(1, 1);
        away.read = Err("no answer from the read service".to_owned());
        view.take(&away, Instant::now());
        let shown = drawn(&view);
        assert!(shown.contains("no answer from the read service"), "{shown}");
        assert!(shown.contains("a service does not answer"), "{shown}");
    }
}
