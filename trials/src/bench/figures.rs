//! All figures of a run, and how they are shown.

mod table;

use serde::Serialize;

use crate::bench::completions::CompletionFigures;
use crate::bench::figures::table::Table;
use crate::bench::footprint::Footprint;
use crate::bench::freshness::Freshness;
use crate::bench::imports::ImportFigures;
use crate::bench::overload::OverloadFigures;
use crate::bench::process::{Machine, Memory};
use crate::bench::reads::{GetFigures, Side};
use crate::bench::rebuilds::RebuildFigures;
use crate::bench::searches::{Rate, SearchFigures};
use crate::bench::writes::WriteFigures;

/// The figures; those that were not measured are left out.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    machine: Machine,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) get: Option<GetFigures>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) freshness: Vec<Freshness>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) writes: Vec<WriteFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) import: Option<ImportFigures>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) memory: Vec<Memory>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) searches: Vec<SearchFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hybrid_beyond_slowest_leg_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completions: Option<CompletionFigures>,
    /// The embeddings made after an import.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) embedded_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) footprint: Option<Footprint>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) overloads: Vec<OverloadFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rebuild: Option<RebuildFigures>,
}

impl Figures {
    pub(super) fn new() -> Self {
        Self {
            machine: Machine::read(),
            get: None,
            freshness: Vec::new(),
            writes: Vec::new(),
            import: None,
            memory: Vec::new(),
            searches: Vec::new(),
            hybrid_beyond_slowest_leg_ms: None,
            completions: None,
            embedded_per_second: None,
            footprint: None,
            overloads: Vec::new(),
            rebuild: None,
        }
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&self.machine.to_string());
        if let Some(get) = &self.get {
            show_get(get, &mut table);
        }
        for one in &self.writes {
            let readers = if one.alone {
                ", the query service paused"
            } else {
                ""
            };
            table.row(
                &format!("single writes, {} at once{readers}", one.clients),
                &per_second(one.ours_per_second, "writes"),
                &per_second(one.bare_postgres_per_second, "rows"),
                "bare inserts of the same rows, one a transaction",
                one.ours_per_second / one.bare_postgres_per_second,
            );
        }
        for one in &self.freshness {
            let name = format!(
                "201 to found, p50 / p99, at {} writes/s",
                one.writes_per_second_asked
            );
            let held = one.writes_per_second;
            let figure = format!(
                "{:.0} / {:.0} ms ({} probes, {held:.0} writes/s held)",
                one.p50_ms, one.p99_ms, one.probes
            );
            table.note(&name, &figure);
        }
        if let Some(import) = &self.import {
            show_import(import, &mut table);
        }
        for one in &self.memory {
            let figure = format!("{:.0} MB (peak {:.0} MB)", one.resident_mb, one.peak_mb);
            table.note(
                &format!("memory of {} after the import", one.service),
                &figure,
            );
        }
        for one in &self.searches {
            show_search(one, &mut table);
        }
        self.show_beside_searches(&mut table);
        for one in &self.overloads {
            show_overload(one, &mut table);
        }
        if let Some(rebuild) = &self.rebuild {
            show_rebuild(rebuild, &mut table);
        }
        table
    }

    fn show_beside_searches(&self, table: &mut Table) {
        if let Some(millis) = self.hybrid_beyond_slowest_leg_ms {
            let figure = format!("{millis:+.2} ms");
            table.note("hybrid search beside its slowest leg alone, p50", &figure);
        }
        if let Some(one) = &self.completions {
            let name = format!("autocomplete of {} products, p50 / p99", one.products);
            let times = format!("{:.2} / {:.2} ms", one.p50_ms, one.p99_ms);
            table.note(&name, &format!("{times} ({} keystrokes)", one.keystrokes));
        }
        if let Some(rate) = self.embedded_per_second {
            let figure = format!("{rate:.1} products/s");
            table.note("embedding behind an import", &figure);
        }
        if let Some(one) = &self.footprint {
            show_footprint(one, table);
        }
    }
}

fn per_second(rate: f64, what: &str) -> String {
    format!("{rate:.0} {what}/s")
}

fn show_get(get: &GetFigures, table: &mut Table) {
    table.row(
        "GET /api/products/ID, requests",
        &per_second(get.ours.requests_per_second, "requests"),
        &per_second(get.limit.requests_per_second, "requests"),
        "bare axum → tonic pass-through of the same bytes",
        get.ours.requests_per_second / get.limit.requests_per_second,
    );
    for (name, side) in [
        ("GET with a key, compression negotiated", &get.keyed),
        ("GET that is unchanged (304), with a key", &get.unchanged),
    ] {
        table.row(
            name,
            &per_second(side.requests_per_second, "requests"),
            &per_second(get.limit.requests_per_second, "requests"),
            "the same pass-through",
            side.requests_per_second / get.limit.requests_per_second,
        );
    }
    table.row(
        "GET, processor time a request",
        &format!("{:.0} µs", get.ours.cpu_micros_per_request),
        &format!("{:.0} µs", get.limit.cpu_micros_per_request),
        "both processes of each side",
        get.ours.cpu_micros_per_request / get.limit.cpu_micros_per_request,
    );
    let times = |side: &Side| format!("{:.2} / {:.2} ms", side.p50_ms, side.p99_ms);
    table.row(
        "GET, p50 / p99",
        &times(&get.ours),
        &times(&get.limit),
        "",
        get.ours.p50_ms / get.limit.p50_ms,
    );
}

fn show_import(import: &ImportFigures, table: &mut Table) {
    table.row(
        "import, file to keyword-searchable",
        &per_second(import.searchable_per_second, "products"),
        &per_second(import.bare_postgres_per_second, "rows"),
        "bare inserts of the same rows into one table",
        import.searchable_per_second / import.bare_postgres_per_second,
    );
    let embedded = format!("{} of {}", import.embedded_meanwhile, import.products);
    table.note("products embedded by then", &embedded);
}

fn show_search(search: &SearchFigures, table: &mut Table) {
    let name = format!(
        "{} search of {} products, {} at once",
        search.strategy, search.products, search.clients
    );
    let show = |rate: &Rate| {
        let per_second = per_second(rate.requests_per_second, "requests");
        format!("{per_second}, {:.2} / {:.2} ms", rate.p50_ms, rate.p99_ms)
    };
    table.row(
        &name,
        &show(&search.ours),
        &show(&search.sql),
        match search.sql_any {
            Some(_) => "one SQL statement over the same, all words and no total; p50 / p99",
            None => "one SQL statement over the same; p50 / p99",
        },
        search.ours.requests_per_second / search.sql.requests_per_second,
    );
    if let Some(sql) = &search.sql_any {
        table.row(
            "",
            "",
            &show(sql),
            "one SQL statement with the same answer: any word, and how many products",
            search.ours.requests_per_second / sql.requests_per_second,
        );
    }
}

fn show_footprint(footprint: &Footprint, table: &mut Table) {
    let of = |what: &str| format!("{what} for a million products, from {}", footprint.products);
    let megabytes = |megabytes: f64| format!("{megabytes:.0} MB");
    table.note(&of("keyword index"), &megabytes(footprint.index_mb));
    table.note(
        &of("documents in Postgres"),
        &megabytes(footprint.documents_mb),
    );
    table.note(&of("vectors in Postgres"), &megabytes(footprint.vectors_mb));
    let memory = format!(
        "{:.0} MB (peak {:.0} MB)",
        footprint.resident_mb, footprint.peak_mb
    );
    table.note("memory of the query service after the searches", &memory);
}

fn show_overload(overload: &OverloadFigures, table: &mut Table) {
    let name = format!(
        "{} under {:.0} requests/s, 4 times the {:.0} that can be answered",
        overload.asked, overload.offered_per_second, overload.capacity_per_second
    );
    table.row(
        &name,
        &format!("{:.1} ms p99", overload.accepted_p99_ms),
        &format!("{:.1} ms p99", overload.alone_p99_ms),
        "the same without load",
        overload.accepted_p99_ms / overload.alone_p99_ms,
    );
    let refused = format!(
        "{:.0} accepted/s, {:.0} refused/s in {:.1} ms p99; BFF {:.0} MB (peak {:.0}), query service {:.0} MB (peak {:.0})",
        overload.accepted_per_second,
        overload.refused_per_second,
        overload.refused_p99_ms,
        overload.bff.resident_mb,
        overload.bff.peak_mb,
        overload.query.resident_mb,
        overload.query.peak_mb,
    );
    table.note("", &refused);
}

fn show_rebuild(rebuild: &RebuildFigures, table: &mut Table) {
    table.row(
        "rebuild, replay",
        &per_second(rebuild.replayed_per_second, "events"),
        &per_second(rebuild.bare_consumer_per_second, "events"),
        "a consumer of the same stream that does nothing",
        rebuild.replayed_per_second / rebuild.bare_consumer_per_second,
    );
    let whole = format!(
        "{:.1} s, query service at most {:.0} MB, {} of {} reads failed",
        rebuild.seconds, rebuild.peak_mb, rebuild.failed_reads, rebuild.reads
    );
    table.note(&format!("rebuild of {} events", rebuild.events), &whole);
}
