//! Renders a proof for people.

use catalog_proto::v1::Projection;
use client_kit::output;
use client_kit::proof::{Difference, Kind, LogProof, ProjectionProof, Proof, name};

/// The most lines of findings in the text; JSON has all of them.
const LINES_MAX: usize = 20;

pub(super) fn to_text(proof: &Proof, repaired: u64, repair_tried: bool) -> String {
    let mut text = log_line(&proof.log);
    for one in &proof.projections {
        text += &projection_line(one);
        let faults = one.faults.iter().map(|fault| match &*fault.product_id {
            "" => fault.problem.clone(),
            id => format!("{id}: {}", fault.problem),
        });
        text += &lines(faults, one.faults_total);
        let differences = one.differences.iter().map(difference_line);
        text += &lines(differences, one.differences.len() as i64);
        if one.unexplained {
            text += "  the digest differs, and no product shows where\n";
        }
    }
    if proof.parked > 0 {
        let parked = proof.parked;
        text += &format!(
            "{parked} events are parked: `catalogctl parked list` shows why, `catalogctl parked \
             retry` tries them again\n"
        );
    }
    if repaired > 0 {
        text += &format!("{repaired} products were set to what the log says\n");
    }
    text += conclusion(proof, repair_tried);
    text
}

fn conclusion(proof: &Proof, repair_tried: bool) -> &'static str {
    match (proof.is_equal(), proof.projections_are_equal()) {
        (true, _) => "equal: every projection holds what the log says\n",
        (false, true) => {
            "differs: the log contradicts itself, so restore the database of the write side\n"
        }
        (false, false) if repair_tried => {
            "differs: what is left cannot be mended product by product; `catalogctl rebuild` builds \
             all of it anew\n"
        }
        (false, false) => "differs: `catalogctl verify --repair` mends it\n",
    }
}

fn log_line(log: &LogProof) -> String {
    let kept = &log.kept;
    let digest = kept.buckets.total();
    let verdict = if log.is_equal() {
        "adds up".to_owned()
    } else {
        format!(
            "but its events fold to {} products, digest {}",
            log.folded.documents,
            log.folded.buckets.total()
        )
    };
    let (position, documents) = (kept.position, kept.documents);
    format!(
        "{:<14} {position:>10}  {documents} products, digest {digest}, {verdict}\n",
        "event log"
    )
}

fn projection_line(one: &ProjectionProof) -> String {
    let (position, documents) = (one.position, one.documents);
    let what = match one.projection {
        Projection::Embeddings => "vectors",
        _ => "products",
    };
    let mut line = format!(
        "{:<14} {position:>10}  {documents} {what}",
        name(one.projection)
    );
    if one.pending > 0 {
        line += &format!(", {} still to be computed", one.pending);
    }
    if let Some(digest) = &one.digest {
        line += &format!(", digest {digest}");
    }
    line += &verdict(one);
    line + "\n"
}

fn verdict(one: &ProjectionProof) -> String {
    let mut verdict = String::new();
    if !one.differences.is_empty() {
        verdict += &format!(", {} differ from the log", one.differences.len());
    }
    if one.faults_total > 0 {
        verdict += &format!(", {} faults", one.faults_total);
    }
    match (one.is_equal(), one.projection) {
        (false, _) => verdict,
        (true, Projection::Embeddings) => ", no fault".to_owned(),
        (true, _) => ", equals the log".to_owned(),
    }
}

fn lines(all: impl Iterator<Item = String>, total: i64) -> String {
    let shown: Vec<String> = all.take(LINES_MAX).collect();
    let more = total - shown.len() as i64;
    let mut text = String::new();
    for line in shown {
        text += &format!("  {}\n", output::plain(&line));
    }
    if more > 0 {
        text += &format!("  … and {more} more\n");
    }
    text
}

fn difference_line(one: &Difference) -> String {
    let version = |version: Option<i64>| match version {
        Some(version) => format!("version {version}"),
        None => "a version".to_owned(),
    };
    let (log, held) = (version(one.log_version), version(one.version));
    let what = match one.kind {
        Kind::Missing => format!("missing, the log has {log}"),
        Kind::Extra => format!("{held} is too many, the log has none"),
        Kind::Version => format!("{held}, the log has {log}"),
        Kind::Content => format!("another content than {log} of the log"),
    };
    let why = if one.parked {
        " (an event of it is parked)"
    } else {
        ""
    };
    format!("{}: {what}{why}", one.product_id)
}

#[cfg(test)]
mod tests {
    use catalog_events::{ContentHash, Digest};
    use expect_test::expect;

    use client_kit::proof::{Fault, LogDigest};

    use super::*;

    fn proof() -> Proof {
        let log = || LogDigest {
            position: 1_000,
            documents: 900,
            buckets: [ContentHash::from_bytes([1; 16])].into_iter().collect(),
        };
        let one = |projection| ProjectionProof {
            projection,
            position: 999,
            documents: 900,
            digest: Some(Digest::from_bytes([1; 16])),
            pending: 0,
            faults: Vec::new(),
            faults_total: 0,
            differences: Vec::new(),
            unexplained: false,
        };
        Proof {
            log: LogProof {
                kept: log(),
                folded: log(),
            },
            projections: vec![
                one(Projection::ReadModel),
                one(Projection::KeywordIndex),
                ProjectionProof {
                    pending: 4,
                    digest: None,
                    ..one(Projection::Embeddings)
                },
            ],
            parked: 0,
        }
    }

    fn difference(id: &str, kind: Kind, log: Option<i64>, held: Option<i64>) -> Difference {
        Difference {
            product_id: id.to_owned(),
            kind,
            log_version: log,
            version: held,
            parked: false,
        }
    }

    #[test]
    fn a_clean_catalog_is_told_in_a_few_lines() {
        expect![[r#"
            event log            1000  900 products, digest 01010101010101010101010101010101, adds up
            read_model            999  900 products, digest 01010101010101010101010101010101, equals the log
            keyword_index         999  900 products, digest 01010101010101010101010101010101, equals the log
            embeddings            999  900 vectors, 4 still to be computed, no fault
            equal: every projection holds what the log says
        "#]]
        .assert_eq(&to_text(&proof(), 0, false));
    }

    #[test]
    fn every_difference_is_named() {
        let mut proof = proof();
        proof.projections[0].differences = vec![
            difference("p-1", Kind::Missing, Some(3), None),
            difference("p-2", Kind::Extra, None, Some(7)),
            Difference {
                parked: true,
                ..difference("p-3", Kind::Version, Some(3), Some(2))
            },
        ];
        proof.projections[1].differences = (0..22)
            .map(|n| difference(&format!("k-{n}"), Kind::Content, Some(1), None))
            .collect();
        proof.projections[2].faults = vec![Fault {
            product_id: "p-4".to_owned(),
            problem: "the vector is of another text, and no new one is queued".to_owned(),
        }];
        proof.projections[2].faults_total = 1;
        proof.parked = 1;
        let text = to_text(&proof, 0, false);
        let without_bulk: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with("  k-") || line.starts_with("  k-0"))
            .collect();
        expect![[r#"
            event log            1000  900 products, digest 01010101010101010101010101010101, adds up
            read_model            999  900 products, digest 01010101010101010101010101010101, 3 differ from the log
              p-1: missing, the log has version 3
              p-2: version 7 is too many, the log has none
              p-3: version 2, the log has version 3 (an event of it is parked)
            keyword_index         999  900 products, digest 01010101010101010101010101010101, 22 differ from the log
              k-0: another content than version 1 of the log
              … and 2 more
            embeddings            999  900 vectors, 4 still to be computed, 1 faults
              p-4: the vector is of another text, and no new one is queued
            1 events are parked: `catalogctl parked list` shows why, `catalogctl parked retry` tries them again
            differs: `catalogctl verify --repair` mends it"#]]
        .assert_eq(&without_bulk.join("\n"));
        assert_eq!(proof.findings(), 3 + 22 + 1);
        assert_eq!(proof.products().len(), 3 + 22 + 1);
        assert_eq!(
            proof.to_json(2)["projections"][0]["differences"][2]["parked"],
            true
        );
    }

    #[test]
    fn a_log_that_does_not_add_up_is_no_equality() {
        let mut proof = proof();
        proof.log.folded.documents = 899;
        assert!(!proof.is_equal());
        assert!(to_text(&proof, 0, true).ends_with("restore the database of the write side\n"));
    }
}
