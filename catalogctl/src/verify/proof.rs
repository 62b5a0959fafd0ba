//! Compares every projection with the log at the position where the projection was read, and finds
//! the products in which they differ.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use anyhow::Context as _;
use catalog_events::Digest;
use catalog_proto::v1::{ProductState, Projection, ProjectionDigest};
use client_kit::Meter;

use super::ask::{LogDigest, Services, buckets};

/// How often all projections are compared. A difference that is gone when its product is looked for
/// was healed by a later event, so everything is compared again.
const PROOFS_MAX: usize = 5;

pub(super) struct Proof {
    pub(super) log: LogProof,
    pub(super) projections: Vec<ProjectionProof>,
    pub(super) parked: i64,
}

/// The digest kept with the log, and the one folded from its events.
pub(super) struct LogProof {
    pub(super) kept: LogDigest,
    pub(super) folded: LogDigest,
}

pub(super) struct ProjectionProof {
    pub(super) projection: Projection,
    pub(super) position: i64,
    pub(super) documents: i64,
    /// The digest of the projection; embeddings have none.
    pub(super) digest: Option<Digest>,
    pub(super) pending: i64,
    pub(super) faults: Vec<Fault>,
    pub(super) faults_total: i64,
    pub(super) differences: Vec<Difference>,
    /// True when the digests differ but no product shows where.
    pub(super) unexplained: bool,
}

/// Something in a projection that contradicts itself.
pub(super) struct Fault {
    /// The product; empty when the fault is not about one product.
    pub(super) product_id: String,
    pub(super) problem: String,
}

/// A product about which log and projection differ.
pub(super) struct Difference {
    pub(super) product_id: String,
    pub(super) kind: Kind,
    /// The version in the log; none when the log has no such product.
    pub(super) log_version: Option<i64>,
    /// The version in the projection; none when it has no such product or keeps no versions.
    pub(super) version: Option<i64>,
    /// True when an event of the product could not be applied.
    pub(super) parked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Missing,
    Extra,
    Version,
    Content,
}

impl Proof {
    pub(super) fn is_equal(&self) -> bool {
        self.log.is_equal() && self.projections_are_equal()
    }

    pub(super) fn projections_are_equal(&self) -> bool {
        self.projections.iter().all(ProjectionProof::is_equal)
    }

    /// The number of findings, which tells whether a repair helped.
    pub(super) fn findings(&self) -> i64 {
        let findings = self.projections.iter().map(|one| {
            one.faults_total + one.differences.len() as i64 + i64::from(one.unexplained)
        });
        findings.sum()
    }

    /// The ids of the products with a finding.
    pub(super) fn products(&self) -> Vec<String> {
        let mut products = BTreeSet::new();
        for one in &self.projections {
            products.extend(one.differences.iter().map(|one| &one.product_id));
            products.extend(one.faults.iter().map(|one| &one.product_id));
        }
        let named = products.into_iter().filter(|id| !id.is_empty());
        named.cloned().collect()
    }
}

impl LogProof {
    pub(super) fn is_equal(&self) -> bool {
        self.kept == self.folded
    }
}

impl ProjectionProof {
    pub(super) fn is_equal(&self) -> bool {
        self.faults_total == 0 && self.differences.is_empty() && !self.unexplained
    }
}

pub(super) async fn prove(services: &Services, meter: &mut Meter) -> anyhow::Result<Proof> {
    for round in 1.. {
        let (checked, log) = tokio::try_join!(check(services, meter), log(services))?;
        let parked = services.parked().await?;
        let parked_products: HashSet<&str> = parked
            .events
            .iter()
            .map(|event| event.product_id.as_str())
            .collect();
        let mut projections = Vec::new();
        let mut healed = false;
        for (projection, digest) in &checked {
            let mut proof = compare(services, *projection, digest, log.is_equal()).await?;
            healed |= proof.unexplained;
            for one in &mut proof.differences {
                one.parked = parked_products.contains(one.product_id.as_str());
            }
            projections.push(proof);
        }
        if !healed || round == PROOFS_MAX {
            return Ok(Proof {
                log,
                projections,
                parked: parked.total,
            });
        }
    }
    anyhow::bail!("no proof was made")
}

async fn log(services: &Services) -> anyhow::Result<LogProof> {
    let kept = services.log_digest(None, false).await?;
    let folded = services.log_digest(Some(kept.position), true).await?;
    Ok(LogProof { kept, folded })
}

async fn check(
    services: &Services,
    meter: &mut Meter,
) -> anyhow::Result<Vec<(Projection, ProjectionDigest)>> {
    let mut steps = services.check().await?;
    let failed = |status| services.query_failed(&status);
    let mut checked = Vec::new();
    while let Some(step) = steps.message().await.map_err(failed)? {
        let projection = step.projection();
        let (done, total) = (step.done.max(0) as u64, step.total.max(0) as u64);
        let text = format!("{}, {done} of {total}", name(projection));
        meter.set(done, (total > 0).then_some(total), &text);
        if let Some(digest) = step.digest {
            checked.push((projection, digest));
        }
    }
    let all = checked.len() >= 3;
    all.then_some(checked)
        .context("the read service ended before it had read everything: see its log")
}

async fn compare(
    services: &Services,
    projection: Projection,
    checked: &ProjectionDigest,
    trust_log: bool,
) -> anyhow::Result<ProjectionProof> {
    let mut proof = ProjectionProof {
        projection,
        position: checked.position,
        documents: checked.documents,
        digest: None,
        pending: checked.pending,
        faults_total: checked.faults_total,
        faults: checked.faults.iter().map(Fault::new).collect(),
        differences: Vec::new(),
        unexplained: false,
    };
    if projection == Projection::Embeddings {
        return Ok(proof);
    }
    let held = buckets(&checked.buckets)?;
    proof.digest = Some(held.total());
    let position = Some(checked.position);
    let log = services.log_digest(position, !trust_log).await?;
    let differing: Vec<i32> = log
        .buckets
        .differing(&held)
        .into_iter()
        .map(|bucket| bucket as i32)
        .collect();
    if differing.is_empty() {
        return Ok(proof);
    }
    let (position, listed) = services.projected_products(projection, &differing).await?;
    let logged = services.log_products(position, &differing).await?;
    proof.differences = differences(logged, listed);
    proof.unexplained = proof.differences.is_empty();
    Ok(proof)
}

fn differences(logged: Vec<ProductState>, listed: Vec<ProductState>) -> Vec<Difference> {
    let mut all: BTreeMap<String, (Option<ProductState>, Vec<ProductState>)> = BTreeMap::new();
    for state in logged {
        let entry = all.entry(state.id.clone()).or_default();
        entry.0 = Some(state);
    }
    for state in listed {
        let entry = all.entry(state.id.clone()).or_default();
        entry.1.push(state);
    }
    let different = all.into_iter().filter_map(|(product_id, (log, held))| {
        let version = held
            .first()
            .map(|held| held.version)
            .filter(|version| *version > 0);
        let kind = match (&log, held.as_slice()) {
            (Some(log), [held]) if held.content_hash == log.content_hash => return None,
            (Some(_), []) => Kind::Missing,
            (None, _) => Kind::Extra,
            (Some(log), _) if version.is_some_and(|version| version != log.version) => {
                Kind::Version
            }
            (Some(_), _) => Kind::Content,
        };
        Some(Difference {
            product_id,
            kind,
            log_version: log.map(|log| log.version),
            version,
            parked: false,
        })
    });
    different.collect()
}

impl Fault {
    fn new(fault: &catalog_proto::v1::ProjectionFault) -> Self {
        Self {
            product_id: fault.product_id.clone(),
            problem: fault.problem.clone(),
        }
    }
}

/// The name of a projection, as `catalogctl status` shows it.
pub(super) fn name(projection: Projection) -> &'static str {
    match projection {
        Projection::Unspecified => "unknown",
        Projection::ReadModel => "read_model",
        Projection::KeywordIndex => "keyword_index",
        Projection::Embeddings => "embeddings",
    }
}
