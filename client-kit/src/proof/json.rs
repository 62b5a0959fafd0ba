//! A proof in JSON.

use serde_json::{Value, json};

use crate::proof::{Kind, LogProof, ProjectionProof, Proof, name};

impl Proof {
    /// What was found, for programs.
    pub fn to_json(&self, repaired: u64) -> Value {
        let LogProof { kept, folded } = &self.log;
        json!({
            "equal": self.is_equal(),
            "repaired": repaired,
            "parked_events": self.parked,
            "log": {
                "position": kept.position,
                "documents": kept.documents,
                "digest": kept.buckets.total().to_string(),
                "folded_documents": folded.documents,
                "folded_digest": folded.buckets.total().to_string(),
                "equal": self.log.is_equal(),
            },
            "projections": self.projections.iter().map(projection_json).collect::<Vec<_>>(),
        })
    }
}

fn projection_json(one: &ProjectionProof) -> Value {
    let faults = one.faults.iter().map(|fault| {
        let id = Some(&fault.product_id).filter(|id| !id.is_empty());
        json!({ "product_id": id, "problem": fault.problem })
    });
    let differences = one.differences.iter().map(|one| {
        let kind = match one.kind {
            Kind::Missing => "missing",
            Kind::Extra => "extra",
            Kind::Version => "version",
            Kind::Content => "content",
        };
        json!({
            "product_id": one.product_id,
            "kind": kind,
            "log_version": one.log_version,
            "version": one.version,
            "parked": one.parked,
        })
    });
    json!({
        "name": name(one.projection),
        "position": one.position,
        "documents": one.documents,
        "pending": one.pending,
        "digest": one.digest.map(|digest| digest.to_string()),
        "equal": one.is_equal(),
        "faults_total": one.faults_total,
        "faults": faults.collect::<Vec<_>>(),
        "differences": differences.collect::<Vec<_>>(),
        "unexplained": one.unexplained,
    })
}
