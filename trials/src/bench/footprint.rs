//! Measures what a catalog takes: the keyword index on disk, the read model in Postgres, and the
//! memory of the query service, scaled to a million products.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use crate::bench::database::live_generation;
use crate::bench::process;
use crate::cluster::{Cluster, Part};

const MILLION: f64 = 1e6;
const MEGABYTE: f64 = 1e6;

/// Megabytes for a million products, scaled from the products that there were.
#[derive(Debug, Serialize)]
pub(super) struct Footprint {
    pub(super) products: u64,
    pub(super) index_mb: f64,
    pub(super) documents_mb: f64,
    pub(super) vectors_mb: f64,
    /// The memory in use; it is not scaled, since most of it does not grow with the products.
    pub(super) resident_mb: f64,
    pub(super) peak_mb: f64,
}

pub(super) async fn measure(cluster: &Cluster, products: u64) -> anyhow::Result<Footprint> {
    let (mut db, generation) = live_generation(cluster).await?;
    let (documents, vectors): (i64, i64) = sqlx::query_as(
        "SELECT pg_total_relation_size(($1 || '.documents')::regclass),
                pg_total_relation_size(($1 || '.embeddings')::regclass)",
    )
    .bind(generation)
    .fetch_one(&mut db)
    .await?;
    let memory = process::memory_of(cluster, Part::Query)?;
    let scaled = |bytes: f64| bytes / MEGABYTE * (MILLION / products.max(1) as f64);
    Ok(Footprint {
        products,
        index_mb: scaled(bytes_below(&cluster.query_data_dir())? as f64),
        documents_mb: scaled(documents as f64),
        vectors_mb: scaled(vectors as f64),
        resident_mb: memory.resident_mb,
        peak_mb: memory.peak_mb,
    })
}

/// The size of all files below a folder; one that a merge removes meanwhile counts as nothing.
fn bytes_below(folder: &Path) -> anyhow::Result<u64> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut bytes = 0;
    for entry in entries {
        let entry = entry?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            bytes += bytes_below(&entry.path())?;
        } else {
            bytes += entry.metadata().map_or(0, |file| file.len());
        }
    }
    Ok(bytes)
}
