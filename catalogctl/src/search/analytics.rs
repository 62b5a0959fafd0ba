//! `catalogctl analytics`: what people searched for in the last days, what they did not find, and what
//! they opened.

use std::fmt::Write as _;
use std::process::ExitCode;

use catalog_proto::v1::usage_service_client::UsageServiceClient;
use catalog_proto::v1::{
    GetSearchAnalyticsRequest, GetSearchAnalyticsResponse, QueryCount, SearchLatency,
    SearchStrategy,
};
use client_kit::{bounded, output};
use serde_json::{Value, json};

use crate::endpoints::EndpointArgs;

const QUERY_CHARS_MAX: usize = 48;
/// How many places are shown to people; programs get all.
const PLACES_SHOWN_MAX: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct AnalyticsArgs {
    /// Looks back so many days, today in UTC included
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(i32).range(1..=90))]
    days: i32,
    /// Lists at most so many queries of each kind
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    limit: i32,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn command(
    args: AnalyticsArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let target = endpoints.resolve()?.query;
    let request = GetSearchAnalyticsRequest {
        days: args.days,
        limit: args.limit,
    };
    let mut client = UsageServiceClient::new(target.channel()?);
    let answer = client
        .get_search_analytics(bounded(request))
        .await
        .map_err(|status| target.error(&status))?
        .into_inner();
    if args.json {
        output::json(&to_json(&answer))?;
    } else {
        output::text(&to_text(&answer))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn to_text(answer: &GetSearchAnalyticsResponse) -> String {
    let totals = answer.totals.unwrap_or_default();
    let days = match answer.days {
        1 => "today".to_owned(),
        days => format!("in {days} days"),
    };
    let mut text = format!(
        "{} searches {days}: {} without a result, {} corrected, {} degraded; {} products opened\n",
        totals.searches, totals.without_result, totals.corrected, totals.degraded, totals.clicks
    );
    for times in &answer.latency {
        let (p50, p95) = (times.p50_ms, times.p95_ms);
        let name = strategy(times);
        let count = times.searches;
        let _ = writeln!(
            text,
            "  {name:8} {count:>9} searches  p50 {p50:>7.1} ms  p95 {p95:>7.1} ms"
        );
    }
    queries(&mut text, "popular queries", &answer.popular);
    queries(
        &mut text,
        "queries without a result",
        &answer.without_result,
    );
    let opened = answer.positions.iter().filter(|place| place.shown > 0);
    let mut opened = opened.take(PLACES_SHOWN_MAX).peekable();
    if opened.peek().is_some() {
        text.push_str("\nopened by place\n");
    }
    for place in opened {
        let share = 100.0 * place.clicks as f64 / place.shown as f64;
        let (position, clicks, shown) = (place.position, place.clicks, place.shown);
        let _ = writeln!(text, "{position:>9}  {clicks} of {shown} ({share:.1} %)");
    }
    text
}

fn queries(text: &mut String, title: &str, queries: &[QueryCount]) {
    if queries.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    for count in queries {
        let query = output::shorten(&output::plain(&count.query), QUERY_CHARS_MAX);
        let (searches, total, clicks) = (count.searches, count.total, count.clicks);
        let _ = writeln!(
            text,
            "{searches:>9}  {query:QUERY_CHARS_MAX$}  {total} found, {clicks} opened"
        );
    }
}

fn to_json(answer: &GetSearchAnalyticsResponse) -> Value {
    let totals = answer.totals.unwrap_or_default();
    let query = |one: &QueryCount| {
        json!({
            "query": one.query, "searches": one.searches, "total": one.total, "clicks": one.clicks,
        })
    };
    let queries = |list: &[QueryCount]| list.iter().map(query).collect::<Vec<_>>();
    let positions = answer.positions.iter().map(
        |place| json!({"position": place.position, "shown": place.shown, "clicks": place.clicks}),
    );
    let latency = answer.latency.iter().map(|times| {
        json!({
            "strategy": strategy(times), "searches": times.searches,
            "p50_ms": rounded(times.p50_ms), "p95_ms": rounded(times.p95_ms),
        })
    });
    json!({
        "days": answer.days,
        "totals": {
            "searches": totals.searches, "without_result": totals.without_result,
            "corrected": totals.corrected, "degraded": totals.degraded, "clicks": totals.clicks,
        },
        "popular": queries(&answer.popular),
        "without_result": queries(&answer.without_result),
        "positions": positions.collect::<Vec<_>>(),
        "latency": latency.collect::<Vec<_>>(),
    })
}

/// Three digits after the point are more than these figures are exact to.
fn rounded(ms: f64) -> f64 {
    (ms * 1_000.0).round() / 1_000.0
}

fn strategy(times: &SearchLatency) -> &'static str {
    match times.strategy() {
        SearchStrategy::Unspecified => "all",
        SearchStrategy::Keyword => "keyword",
        SearchStrategy::Vector => "vector",
        SearchStrategy::Hybrid => "hybrid",
    }
}

#[cfg(test)]
mod tests {
    use catalog_proto::v1::{PositionClicks, SearchTotals};
    use expect_test::expect;

    use super::*;

    #[test]
    fn people_read_it_at_a_glance() {
        let count = |query: &str, searches, total| QueryCount {
            query: query.to_owned(),
            searches,
            total,
            clicks: 1,
        };
        let place = |position, shown, clicks| PositionClicks {
            position,
            shown,
            clicks,
        };
        let times = |strategy: SearchStrategy| SearchLatency {
            strategy: strategy.into(),
            searches: 12,
            p50_ms: 2.34,
            p95_ms: 12.34,
        };
        let answer = GetSearchAnalyticsResponse {
            days: 7,
            totals: Some(SearchTotals {
                searches: 12,
                without_result: 2,
                corrected: 1,
                degraded: 0,
                clicks: 3,
            }),
            popular: vec![count("gaming mouse", 10, 7)],
            without_result: vec![count("zzz\u{1b}[2J", 2, 0)],
            positions: vec![place(1, 10, 3), place(101, 0, 1)],
            latency: vec![
                times(SearchStrategy::Unspecified),
                times(SearchStrategy::Hybrid),
            ],
        };
        expect![[r#"
            12 searches in 7 days: 2 without a result, 1 corrected, 0 degraded; 3 products opened
              all             12 searches  p50     2.3 ms  p95    12.3 ms
              hybrid          12 searches  p50     2.3 ms  p95    12.3 ms

            popular queries
                   10  gaming mouse                                      7 found, 1 opened

            queries without a result
                    2  zzz[2J                                            0 found, 1 opened

            opened by place
                    1  3 of 10 (30.0 %)
        "#]]
        .assert_eq(&to_text(&answer));
        let today = GetSearchAnalyticsResponse {
            days: 1,
            ..GetSearchAnalyticsResponse::default()
        };
        expect![[r#"
            0 searches today: 0 without a result, 0 corrected, 0 degraded; 0 products opened
        "#]]
        .assert_eq(&to_text(&today));
    }
}
