//! The files and the position of one commit, read from its `meta.json`.

use std::collections::HashMap;
use std::path::Path;

use catalog_events::Position;
use serde::Deserialize;

use crate::index::storage::checkpoint;

#[derive(Clone, Debug, Default)]
pub(crate) struct Commit {
    /// The name of each segment, which its files begin with, and the opstamp of its file of deletions,
    /// if it has one.
    segments: HashMap<String, Option<u64>>,
    pub(crate) position: Position,
}

#[derive(Deserialize)]
struct Meta {
    segments: Vec<MetaSegment>,
    payload: Option<String>,
}

#[derive(Deserialize)]
struct MetaSegment {
    segment_id: String,
    deletes: Option<MetaDeletes>,
}

#[derive(Deserialize)]
struct MetaDeletes {
    opstamp: u64,
}

impl Commit {
    /// Reads a commit; without files if `meta` is not readable.
    pub(crate) fn read(meta: &[u8]) -> Self {
        let Ok(meta) = serde_json::from_slice::<Meta>(meta) else {
            return Self::default();
        };
        let deletes = |segment: MetaSegment| {
            let name = segment.segment_id.replace('-', "");
            (name, segment.deletes.map(|deletes| deletes.opstamp))
        };
        let payload = meta.payload.as_deref().unwrap_or_default();
        Self {
            segments: meta.segments.into_iter().map(deletes).collect(),
            position: checkpoint::decode(payload).unwrap_or_default(),
        }
    }

    /// Whether the commit needs the file.
    pub(crate) fn has(&self, file: &Path) -> bool {
        let name = file.to_str().unwrap_or_default();
        let Some((segment, part)) = name.split_once('.') else {
            return false;
        };
        match (self.segments.get(segment), part.strip_suffix(".del")) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(current), Some(opstamp)) => opstamp.parse().ok() == *current,
        }
    }
}

/// Returns the segment of a file, whose name is 32 hexadecimal digits and an extension.
pub(crate) fn segment_of(name: &str) -> Option<&str> {
    let (segment, _) = name.split_once('.')?;
    let is_id = segment.len() == 32 && segment.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then_some(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_files() {
        let segment = "0123456789abcdef0123456789abcdef";
        let meta = br#"{"segments": [
            {"segment_id": "01234567-89ab-cdef-0123-456789abcdef", "max_doc": 3,
             "deletes": {"num_deleted_docs": 1, "opstamp": 7}}], "payload": "x", "opstamp": 9}"#;
        let commit = Commit::read(meta);
        let has = |name: &str| commit.has(Path::new(name));
        assert!(has(&format!("{segment}.idx")));
        assert!(has(&format!("{segment}.7.del")));
        assert!(
            !has(&format!("{segment}.6.del")),
            "replaced by later deletions"
        );
        assert!(!has(&format!("{}.idx", "ab".repeat(16))));
        assert!(!has("meta.json"));
        assert!(!Commit::read(b"{").has(Path::new(&format!("{segment}.idx"))));
    }
}
