//! The sources of a crate: its files with their texts, read from the disk or made up by a test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The files below a crate's `src`.
pub(super) struct Sources {
    /// The folder of the crate, as messages name it.
    pub(super) name: String,
    /// Paths below `src`, as in `index/snapshot.rs`, with the texts.
    pub(super) files: BTreeMap<String, String>,
}

impl Sources {
    /// A made-up crate.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Self {
            name: "made-up".to_owned(),
            files: files.iter().map(owned).collect(),
        }
    }

    /// Reads a member of the workspace. Generated code is left out.
    pub(super) fn read(member: &str) -> Self {
        let root = workspace().join(member).join("src");
        let in_root = |path: PathBuf| {
            let below = path.strip_prefix(&root).expect("below src");
            (below.to_string_lossy().into_owned(), text(&path))
        };
        Self {
            name: member.to_owned(),
            files: files_below(&root, &["rs"])
                .into_iter()
                .map(in_root)
                .collect(),
        }
    }

    /// Where a message says that a file is.
    pub(super) fn place(&self, file: &str) -> String {
        format!("{}/src/{file}", self.name)
    }
}

/// The root of the checkout. Tests run in the folder of their crate, wherever they were compiled.
pub(super) fn workspace() -> PathBuf {
    PathBuf::from("..")
}

/// A file as messages name it: from the root of the checkout on.
pub(super) fn below(path: &Path) -> String {
    let below = path
        .strip_prefix(workspace())
        .expect("a file of the checkout");
    below.to_string_lossy().into_owned()
}

/// Every crate that the workspace's manifest lists.
pub(super) fn members() -> Vec<String> {
    let manifest = text(&workspace().join("Cargo.toml"));
    let list = manifest.split_once("members = [").expect("members").1;
    let list = list.split_once(']').expect("end of members").0;
    list.split(',')
        .map(|member| member.trim().trim_matches('"').to_owned())
        .filter(|member| !member.is_empty())
        .collect()
}

/// Files of these extensions (or, where it is empty, all files) below a folder. Leaves out hidden
/// folders, build outputs and generated code.
pub(super) fn files_below(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        let name = path.file_name().expect("name").to_string_lossy();
        if path.is_dir() {
            let skipped = name.starts_with('.') && name != ".ci" && name != ".github";
            if !(skipped || matches!(&*name, "generated" | "target" | "data")) {
                found.extend(files_below(&path, extensions));
            }
        } else {
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            if extensions.is_empty() || extensions.contains(&&*extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A file as text; what is not text is empty.
pub(super) fn text(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8(bytes).unwrap_or_default()
}
