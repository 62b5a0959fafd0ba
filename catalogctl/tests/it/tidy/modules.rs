//! The modules of a crate, found as the compiler finds them: from `lib.rs` along every `mod`.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Arrow, Graph};
use super::parsed::{Child, Import, Parsed, Segments};
use super::sources::Sources;

pub(super) struct Module {
    /// The names from the crate's root down; empty for the root.
    path: Segments,
    /// The file that holds it, below `src`.
    pub(super) file: String,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    pub(super) parsed: Parsed,
}

/// The production modules of a crate; the root is the first.
pub(super) struct Modules {
    pub(super) all: Vec<Module>,
    /// The children of the root in the order in which `lib.rs` lists them.
    pub(super) listed: Vec<String>,
}

/// What a path leads to.
#[derive(Clone, Copy)]
enum Target {
    Module(usize),
    /// Something that this module defines.
    ItemOf(usize),
}

impl Modules {
    pub(super) fn find(sources: &Sources) -> Result<Self, String> {
        let root = ["lib.rs", "main.rs"]
            .into_iter()
            .find(|file| sources.files.contains_key(*file))
            .ok_or_else(|| format!("{} has neither lib.rs nor main.rs", sources.name))?;
        let mut modules = Self {
            all: Vec::new(),
            listed: Vec::new(),
        };
        modules.add_file(sources, root, Vec::new(), None)?;
        Ok(modules)
    }

    fn add_file(
        &mut self,
        sources: &Sources,
        file: &str,
        path: Segments,
        parent: Option<usize>,
    ) -> Result<usize, String> {
        let text = sources.files.get(file).ok_or_else(|| {
            format!(
                "{} is missing: write `x.rs`, not `x/mod.rs`",
                sources.place(file)
            )
        })?;
        let parsed =
            Parsed::file(text).map_err(|error| format!("{}: {error}", sources.place(file)))?;
        self.add(sources, file, path, parent, parsed)
    }

    fn add(
        &mut self,
        sources: &Sources,
        file: &str,
        path: Segments,
        parent: Option<usize>,
        mut parsed: Parsed,
    ) -> Result<usize, String> {
        let id = self.all.len();
        let children = std::mem::take(&mut parsed.children);
        self.all.push(Module {
            path: path.clone(),
            file: file.to_owned(),
            parent,
            children: BTreeMap::new(),
            parsed,
        });
        for child in children {
            let (Child::File(name) | Child::Inline(name, _)) = &child;
            let name = name.clone();
            let mut below = path.clone();
            below.push(name.clone());
            let child_id = match child {
                Child::File(_) => {
                    let file = format!("{}.rs", below.join("/"));
                    self.add_file(sources, &file, below, Some(id))?
                }
                Child::Inline(_, parsed) => self.add(sources, file, below, Some(id), parsed)?,
            };
            if parent.is_none() {
                self.listed.push(name.clone());
            }
            self.all[id].children.insert(name, child_id);
        }
        Ok(id)
    }

    /// The files of the production modules.
    pub(super) fn files(&self) -> BTreeSet<&str> {
        self.all.iter().map(|module| module.file.as_str()).collect()
    }

    /// An arrow from every file to each file whose items it names.
    pub(super) fn graph(&self, sources: &Sources) -> Graph {
        let mut graph = Graph::default();
        for (id, module) in self.all.iter().enumerate() {
            let imports = module.parsed.imports.iter();
            let imports = imports
                .filter(|import| !self.is_re_export(id, import))
                .map(|import| (&import.path, import.line));
            let mentions = module.parsed.mentions.iter();
            let mentions = mentions.map(|mention| (&mention.path, mention.line));
            for (path, line) in imports.chain(mentions) {
                if let Some(Target::ItemOf(target)) = self.resolve(id, path, &mut BTreeSet::new()) {
                    graph.add(Arrow {
                        from: module.file.clone(),
                        to: self.all[target].file.clone(),
                        place: format!("{}:{line}", sources.place(&module.file)),
                        what: path.join("::"),
                    });
                }
            }
        }
        graph
    }

    /// Whether a `pub use` only passes on what is defined below the module itself.
    fn is_re_export(&self, module: usize, import: &Import) -> bool {
        let below = |target: Target| match target {
            Target::Module(id) | Target::ItemOf(id) => {
                self.all[id].path.starts_with(&self.all[module].path)
            }
        };
        import.public
            && self
                .resolve(module, &import.path, &mut BTreeSet::new())
                .is_some_and(below)
    }

    /// Follows a path to the module that defines what it names, through re-exports. None: it is
    /// another crate's, or a local name.
    fn resolve(
        &self,
        from: usize,
        path: &[String],
        seen: &mut BTreeSet<(usize, String)>,
    ) -> Option<Target> {
        let (first, mut rest) = path.split_first()?;
        let mut target = match first.as_str() {
            "crate" => Target::Module(0),
            "self" => Target::Module(from),
            "super" => Target::Module(self.all[from].parent?),
            name => self.lookup(from, name, !rest.is_empty(), seen)?,
        };
        while let (Target::Module(module), Some((name, after))) = (target, rest.split_first()) {
            target = if name == "super" {
                Target::Module(self.all[module].parent?)
            } else {
                // What a macro defines is not found by its name, but it is there.
                self.lookup(module, name, !after.is_empty(), seen)
                    .unwrap_or(Target::ItemOf(module))
            };
            rest = after;
        }
        Some(target)
    }

    /// Finds a name in a module. Where a module and a function share it, `leads_on` tells which one
    /// is meant.
    fn lookup(
        &self,
        module: usize,
        name: &str,
        leads_on: bool,
        seen: &mut BTreeSet<(usize, String)>,
    ) -> Option<Target> {
        let Module {
            children, parsed, ..
        } = &self.all[module];
        let child = children.get(name).map(|id| Target::Module(*id));
        if leads_on && child.is_some() {
            return child;
        }
        if parsed.items.contains(name) {
            return Some(Target::ItemOf(module));
        }
        if seen.insert((module, name.to_owned())) {
            let mut named = parsed.imports.iter().filter(|import| import.name == name);
            if let Some(target) = named.find_map(|import| self.resolve(module, &import.path, seen))
            {
                return Some(target);
            }
            let globs = parsed.imports.iter().filter(|import| import.name == "*");
            for glob in globs {
                let Some(Target::Module(from)) = self.resolve(module, &glob.path, seen) else {
                    continue;
                };
                if let Some(target) = self.lookup(from, name, leads_on, seen) {
                    return Some(target);
                }
            }
        }
        child
    }
}
