//! Proves that the read models hold what the event log says: compares every projection with the log at the
//! position where the projection was read, finds the products in which they differ, and has them mended.

mod json;
mod services;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use anyhow::Context as _;
use catalog_events::Digest;
use catalog_proto::v1::{ProductState, Projection, ProjectionDigest};

use self::services::buckets;
pub use self::services::{LogDigest, Services};

/// How often all projections are compared. A difference that is gone when its product is looked for
/// was healed by a later event, so everything is compared again.
const PROOFS_MAX: usize = 5;
/// The most rounds of repair; each mends what the verification before it has named.
const REPAIRS_MAX: usize = 10;
/// The most products that the read service repairs in one call.
const REPAIR_PRODUCTS_MAX: usize = 1_000;

/// How far it is: what is done, how much of it, and of how much where that is known.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The projection that is read, or `repair`.
    pub of: &'a str,
    /// How much is done.
    pub done: u64,
    /// How much there is to do; none where that is not known.
    pub total: Option<u64>,
}

/// Takes the steps.
pub type Told<'a> = dyn FnMut(Step<'_>) + Send + 'a;

/// What was found.
pub struct Proof {
    /// What the log says of itself.
    pub log: LogProof,
    /// What the projections hold of it.
    pub projections: Vec<ProjectionProof>,
    /// How many events could not be applied.
    pub parked: i64,
}

/// The digest kept with the log, and the one folded from its events.
pub struct LogProof {
    /// The one that is kept.
    pub kept: LogDigest,
    /// The one of the events.
    pub folded: LogDigest,
}

/// A projection, compared with the log.
pub struct ProjectionProof {
    /// Which one it is.
    pub projection: Projection,
    /// The position at which it was read.
    pub position: i64,
    /// The number of live products in it.
    pub documents: i64,
    /// The digest of the projection; embeddings have none.
    pub digest: Option<Digest>,
    /// The number of products whose embedding is still to be computed.
    pub pending: i64,
    /// What contradicts itself, as many as the service tells.
    pub faults: Vec<Fault>,
    /// How many of them there are.
    pub faults_total: i64,
    /// The products in which it differs.
    pub differences: Vec<Difference>,
    /// True when the digests differ but no product shows where.
    pub unexplained: bool,
}

/// Something in a projection that contradicts itself.
pub struct Fault {
    /// The product; empty when the fault is not about one product.
    pub product_id: String,
    /// What is wrong, in words.
    pub problem: String,
}

/// A product about which log and projection differ.
pub struct Difference {
    /// The product.
    pub product_id: String,
    /// What differs.
    pub kind: Kind,
    /// The version in the log; none when the log has no such product.
    pub log_version: Option<i64>,
    /// The version in the projection; none when it has no such product or keeps no versions.
    pub version: Option<i64>,
    /// True when an event of the product could not be applied.
    pub parked: bool,
}

/// How a product differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The projection lacks the product.
    Missing,
    /// The projection has a product that the log has not.
    Extra,
    /// The versions differ.
    Version,
    /// The contents differ.
    Content,
}

impl Proof {
    /// Whether the log adds up, and every projection equals it.
    pub fn is_equal(&self) -> bool {
        self.log.is_equal() && self.projections_are_equal()
    }

    /// Whether every projection equals the log.
    pub fn projections_are_equal(&self) -> bool {
        self.projections.iter().all(ProjectionProof::is_equal)
    }

    /// The number of findings, which tells whether a repair helped.
    pub fn findings(&self) -> i64 {
        let findings = self.projections.iter().map(|one| {
            one.faults_total + one.differences.len() as i64 + i64::from(one.unexplained)
        });
        findings.sum()
    }

    /// The ids of the products with a finding.
    pub fn products(&self) -> Vec<String> {
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
    /// Whether the two are the same.
    pub fn is_equal(&self) -> bool {
        self.kept == self.folded
    }
}

impl ProjectionProof {
    /// Whether it holds what the log says.
    pub fn is_equal(&self) -> bool {
        self.faults_total == 0 && self.differences.is_empty() && !self.unexplained
    }
}

/// Proves, repairs as long as that helps, and proves again. Returns the last proof and how many products
/// were changed.
///
/// # Errors
///
/// Where a service does not answer.
pub async fn prove_and_repair(
    services: &Services,
    told: &mut Told<'_>,
) -> anyhow::Result<(Proof, u64)> {
    let mut proof = prove(services, told).await?;
    let mut repaired = 0;
    for _ in 0..REPAIRS_MAX {
        if proof.projections_are_equal() {
            break;
        }
        let before = proof.findings();
        repaired += repair(services, &proof, told).await?;
        proof = prove(services, told).await?;
        if proof.findings() >= before {
            break;
        }
    }
    Ok((proof, repaired))
}

async fn repair(services: &Services, proof: &Proof, told: &mut Told<'_>) -> anyhow::Result<u64> {
    let ids = proof.products();
    let mut repaired = services.repair(Vec::new()).await?;
    for (done, some) in ids.chunks(REPAIR_PRODUCTS_MAX).enumerate() {
        told(Step {
            of: "repair",
            done: (done * REPAIR_PRODUCTS_MAX) as u64,
            total: Some(ids.len() as u64),
        });
        repaired += services.repair(some.to_vec()).await?;
    }
    Ok(repaired)
}

/// Compares all projections with the log.
///
/// # Errors
///
/// Where a service does not answer.
pub async fn prove(services: &Services, told: &mut Told<'_>) -> anyhow::Result<Proof> {
    for round in 1.. {
        let (checked, log) = tokio::try_join!(check(services, told), log(services))?;
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
    told: &mut Told<'_>,
) -> anyhow::Result<Vec<(Projection, ProjectionDigest)>> {
    let mut steps = services.check().await?;
    let failed = |status| services.query_failed(&status);
    let mut checked = Vec::new();
    while let Some(step) = steps.message().await.map_err(failed)? {
        let projection = step.projection();
        told(Step {
            of: name(projection),
            done: step.done.max(0) as u64,
            total: Some(step.total.max(0) as u64).filter(|total| *total > 0),
        });
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
pub fn name(projection: Projection) -> &'static str {
    match projection {
        Projection::Unspecified => "unknown",
        Projection::ReadModel => "read_model",
        Projection::KeywordIndex => "keyword_index",
        Projection::Embeddings => "embeddings",
    }
}
