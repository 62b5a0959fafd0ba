//! Reads the judgments of people: CSV with the columns `query`, `docid` and `rating`; and queries
//! without any.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use super::measures::Ratings;

const RATING_MAX: i32 = 10;

#[derive(Deserialize)]
struct Row {
    query: String,
    docid: String,
    rating: i32,
}

/// Reads the ratings by query.
pub(super) fn read(file: &Path) -> anyhow::Result<BTreeMap<String, Ratings>> {
    let shown = file.display();
    let rows = csv::Reader::from_path(file).with_context(|| format!("cannot read {shown}"))?;
    parse(rows).with_context(|| format!("{shown} holds no judgments"))
}

/// Reads queries without ratings, one a line.
pub(super) fn read_queries(file: &Path) -> anyhow::Result<Vec<String>> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

fn parse<R: std::io::Read>(mut rows: csv::Reader<R>) -> anyhow::Result<BTreeMap<String, Ratings>> {
    let mut judgments: BTreeMap<String, Ratings> = BTreeMap::new();
    for row in rows.deserialize() {
        let Row {
            query,
            docid,
            rating,
        } = row?;
        anyhow::ensure!(
            (0..=RATING_MAX).contains(&rating),
            "{query:?}, {docid}: rating {rating} is not from 0 to {RATING_MAX}"
        );
        let before = judgments
            .entry(query.clone())
            .or_default()
            .insert(docid.clone(), rating);
        anyhow::ensure!(
            before.is_none_or(|before| before == rating),
            "{query:?}, {docid} is rated twice, and not alike"
        );
    }
    anyhow::ensure!(!judgments.is_empty(), "there is no row");
    Ok(judgments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_grouped_by_query_and_nonsense_is_named() {
        let parse = |text: &str| parse(csv::Reader::from_reader(text.as_bytes()));
        let judgments = parse("query,docid,rating\n\"a, b\",1,3\nc,1,0\n\"a, b\",2,0\n").unwrap();
        assert_eq!(
            judgments["a, b"],
            [("1".to_owned(), 3), ("2".to_owned(), 0)].into()
        );
        assert_eq!(judgments.len(), 2);
        for (text, reason) in [
            ("query,docid,rating\n", "no row"),
            ("query,docid,rating\na,1,99\n", "rating 99"),
            ("query,docid,rating\na,1,1\na,1,2\n", "twice"),
            ("query,doc,rating\na,1,1\n", "docid"),
        ] {
            let err = format!("{:#}", parse(text).unwrap_err());
            assert!(err.contains(reason), "{err}");
        }
    }
}
