//! Rules of the architecture that a compiler does not check. CONTRIBUTING.md lists them; every
//! message says what to do.

mod house;
mod words;
mod modules;
mod parsed;
mod graph;
mod sources;
mod tests;

use std::sync::LazyLock;

use self::house::House;
use self::sources::{Sources, below, files_below, members, text, workspace};

/// Every crate of the workspace.
static HOUSES: LazyLock<Vec<House>> = LazyLock::new(|| {
    let house = |member: &String| House::of(Sources::read(member));
    members().iter().map(house).collect()
});

/// Fails with all that breaks a rule, in every crate.
fn check(broken: impl Fn(&House) -> Vec<String>) {
    none(HOUSES.iter().flat_map(broken).collect());
}

/// Fails with all that `broken` finds in the files of these extensions, of all if there are none.
fn check_files(extensions: &[&str], broken: impl Fn(&str, &str) -> Vec<String>) {
    let files = files_below(&workspace(), extensions);
    let found = files
        .iter()
        .flat_map(|path| broken(&below(path), &text(path)));
    none(found.collect());
}

fn none(found: Vec<String>) {
    assert!(found.is_empty(), "\n\n{}\n", found.join("\n\n"));
}

#[test]
fn no_file_needs_one_that_needs_it() {
    check(House::circles);
}

#[test]
fn a_folder_can_be_looked_over() {
    check(House::full_folders);
}

#[test]
fn a_file_is_read_at_one_sitting() {
    check(House::long_files);
}

#[test]
fn a_function_fits_on_a_screen() {
    check(House::long_functions);
}

#[test]
fn every_file_says_what_it_is() {
    check(House::nameless_files);
}

#[test]
fn lib_rs_lists_its_modules_along_the_way_of_the_data() {
    check(House::order);
}

/// Shown by `just house`.
#[test]
fn every_house_in_figures() {
    for house in HOUSES.iter() {
        println!("{}", house.figures());
    }
}

#[test]
fn the_domain_and_the_projection_step_know_no_database_no_wire_and_no_clock() {
    let words = [
        "sqlx",
        "tonic",
        "prost",
        "async ",
        "tokio",
        "now_utc",
        "Instant::now",
        "SystemTime",
        "catalog_proto",
    ];
    let domain = files_below(&workspace().join("catalog-command/src/domain"), &["rs"]);
    let step = workspace().join("catalog-query/src/projection.rs");
    let pure = domain.into_iter().chain([step]);
    let found = pure.flat_map(|path| words::forbidden(&below(&path), &text(&path), &words));
    none(found.collect());
}

#[test]
fn writers_go_by_the_clock_of_the_database() {
    let commands = files_below(&workspace().join("catalog-command/src/commands"), &["rs"]);
    let words = ["now_utc", "SystemTime"];
    let found = commands
        .iter()
        .flat_map(|path| words::forbidden(&below(path), &text(path), &words));
    none(found.collect());
}

#[test]
fn services_know_of_each_other_only_what_they_may() {
    for (name, forbidden) in [
        (
            "bff",
            vec![
                "sqlx",
                "tantivy",
                "async-nats",
                "catalog-command",
                "catalog-query",
            ],
        ),
        ("catalog-query", vec!["catalog-command", "bff"]),
        ("catalog-command", vec!["catalog-query", "bff", "tantivy"]),
        ("service-kit", vec!["catalog-", "bff", "sqlx", "async-nats"]),
    ] {
        let manifest = text(&workspace().join(name).join("Cargo.toml"));
        let end = manifest
            .find("[dev-dependencies]")
            .unwrap_or(manifest.len());
        let lines = manifest[..end]
            .lines()
            .skip_while(|line| *line != "[dependencies]");
        for line in lines {
            let found = forbidden.iter().find(|one| line.starts_with(**one));
            assert!(found.is_none(), "{name} depends on {line}");
        }
    }
}

#[test]
fn every_dependency_is_used() {
    let found = members().into_iter().flat_map(|member| {
        let folder = workspace().join(&member);
        let generated = Some(folder.join("src/generated")).filter(|folder| folder.exists());
        let folders = [Some(folder.clone()), generated].into_iter().flatten();
        let files = folders.flat_map(|folder| files_below(&folder, &["rs"]));
        let code: String = files.map(|path| text(&path)).collect();
        let manifest = folder.join("Cargo.toml");
        words::unused(&below(&manifest), &text(&manifest), &code)
    });
    none(found.collect());
}

#[test]
fn the_catalog_has_one_spelling() {
    check_files(&[], words::misspelt);
}

#[test]
fn every_comment_of_an_item_has_a_subject() {
    check_files(&["rs"], words::riddles);
}
