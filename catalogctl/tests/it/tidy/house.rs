//! The rules of the house. Each gives what breaks it, as sentences which say what to do.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Arrow, Graph, Knot};
use super::modules::Modules;
use super::sources::Sources;

pub(super) const SIBLINGS_MAX: usize = 16;
pub(super) const FILE_LINES_MAX: usize = 500;
pub(super) const FUNCTION_LINES_MAX: usize = 80;

/// A message tells this many circles of a knot.
const CIRCLES_TOLD_MAX: usize = 8;

/// A crate, parsed once for all rules.
pub(super) struct House {
    sources: Sources,
    modules: Modules,
    graph: Graph,
}

impl House {
    pub(super) fn of(sources: Sources) -> Self {
        let modules = Modules::find(&sources).unwrap_or_else(|error| panic!("{error}"));
        let graph = modules.graph(&sources);
        Self {
            sources,
            modules,
            graph,
        }
    }

    /// No file needs one that needs it.
    pub(super) fn circles(&self) -> Vec<String> {
        let advice =
            "Move what both sides need into a file below both, or hand it over as an argument";
        self.graph
            .knots()
            .iter()
            .map(|knot| told(&self.sources.name, "files", knot, advice))
            .collect()
    }

    /// A folder can be looked over.
    pub(super) fn full_folders(&self) -> Vec<String> {
        self.folders()
            .into_iter()
            .filter(|(_, modules)| modules.len() > SIBLINGS_MAX)
            .map(|(folder, modules)| {
                format!(
                    "{} holds {} modules, and {SIBLINGS_MAX} may be. Give those which belong together a \
                     parent and a folder of their own: {}",
                    self.sources.place(&folder),
                    modules.len(),
                    modules.into_iter().collect::<Vec<_>>().join(", ")
                )
            })
            .collect()
    }

    /// The modules in every folder; `x.rs` and `x/` are one.
    pub(super) fn folders(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut folders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut files = self.modules.files();
        if self.sources.files.contains_key("main.rs") {
            files.insert("main.rs");
        }
        for file in files {
            let mut folder = String::new();
            for name in file.trim_end_matches(".rs").split('/') {
                folders
                    .entry(folder.clone())
                    .or_default()
                    .insert(name.to_owned());
                folder = if folder.is_empty() {
                    name.to_owned()
                } else {
                    format!("{folder}/{name}")
                };
            }
        }
        folders
    }

    /// A file is read at one sitting; tests too.
    pub(super) fn long_files(&self) -> Vec<String> {
        let long = |(file, text): (&String, &String)| {
            let lines = text.lines().count();
            (lines > FILE_LINES_MAX).then(|| {
                format!(
                    "{} has {lines} lines, and {FILE_LINES_MAX} may be. Move a part that has a name of its \
                     own into a file below it",
                    self.sources.place(file)
                )
            })
        };
        self.sources.files.iter().filter_map(long).collect()
    }

    /// A function fits on a screen.
    pub(super) fn long_functions(&self) -> Vec<String> {
        let modules = self.modules.all.iter();
        modules
            .flat_map(|module| module.parsed.functions.iter().map(|one| (&module.file, one)))
            .filter(|(_, function)| function.lines > FUNCTION_LINES_MAX)
            .map(|(file, function)| {
                format!(
                    "{}:{}: `{}` has {} lines, and {FUNCTION_LINES_MAX} may be. Cut it into steps with names",
                    self.sources.place(file),
                    function.line,
                    function.name,
                    function.lines
                )
            })
            .collect()
    }

    /// Every file begins with what it is.
    pub(super) fn nameless_files(&self) -> Vec<String> {
        let files = self.sources.files.iter();
        files
            .filter(|(_, text)| !text.starts_with("//!"))
            .map(|(file, _)| {
                format!(
                    "{} does not begin with `//!` and a sentence which says what it is",
                    self.sources.place(file)
                )
            })
            .collect()
    }

    /// `lib.rs` lists its modules along the way of the data: whoever uses another stands before it.
    pub(super) fn order(&self) -> Vec<String> {
        let listed = &self.modules.listed;
        let graph = self.rooms();
        let advice =
            "Move what both need into a module below both, or one file to where it belongs";
        let knots: Vec<_> = graph
            .knots()
            .iter()
            .map(|knot| told(&self.sources.name, "modules of lib.rs", knot, advice))
            .collect();
        if !knots.is_empty() {
            return knots;
        }
        let rank = |name: &str| listed.iter().position(|one| one == name);
        let back: Vec<_> = graph
            .arrows()
            .filter(|arrow| rank(&arrow.from) > rank(&arrow.to))
            .map(line)
            .collect();
        if back.is_empty() {
            return Vec::new();
        }
        vec![format!(
            "{} lists modules before those that use them:\n{}  An order that tells the way of the \
             data: {}",
            self.sources.place("lib.rs"),
            back.concat(),
            graph.sorted(listed).join(", ")
        )]
    }

    /// The arrows between the modules that `lib.rs` lists.
    fn rooms(&self) -> Graph {
        self.graph.grouped(|file| {
            let name = file
                .split('/')
                .next()
                .unwrap_or(file)
                .trim_end_matches(".rs");
            let known = self.modules.listed.iter().any(|listed| listed == name);
            known.then(|| name.to_owned())
        })
    }

    /// One line of figures.
    pub(super) fn figures(&self) -> String {
        let folders = self.folders();
        let widest = folders.iter().max_by_key(|(_, modules)| modules.len());
        let (folder, modules) = widest.expect("a folder");
        let rooms = self.rooms();
        format!(
            "{:16} {:5} files {:5} arrows {:3} knots   lib.rs: {:3} modules {:4} arrows {:2} knots   \
             widest folder: {} in src/{folder}",
            self.sources.name,
            self.modules.files().len(),
            self.graph.arrows().count(),
            self.graph.knots().len(),
            self.modules.listed.len(),
            rooms.arrows().count(),
            rooms.knots().len(),
            modules.len(),
        )
    }
}

fn line(arrow: &Arrow) -> String {
    let Arrow {
        from,
        to,
        place,
        what,
    } = arrow;
    format!("    {from} -> {to}: {place} has `{what}`\n")
}

fn told(name: &str, nodes: &str, knot: &Knot, advice: &str) -> String {
    let mut text = format!(
        "{name}: {} {nodes} need each other: {}\n",
        knot.members.len(),
        knot.members.iter().cloned().collect::<Vec<_>>().join(", ")
    );
    for (nth, circle) in knot.circles.iter().take(CIRCLES_TOLD_MAX).enumerate() {
        let title = if nth == 0 {
            "the shortest circle"
        } else {
            "another"
        };
        text += &format!("  {title}:\n");
        text.extend(circle.iter().map(line));
    }
    text + &format!("  {advice}.")
}
