//! The checker itself, on made-up crates with one planted mistake each.

use super::house::{FILE_LINES_MAX, FUNCTION_LINES_MAX, House, SIBLINGS_MAX};
use super::sources::Sources;
use super::words;

fn house(files: &[(&str, &str)]) -> House {
    House::of(Sources::of(files))
}

/// One message, which has all these parts.
fn check(found: &[String], parts: &[&str]) {
    let [message] = found else {
        panic!("{} messages: {found:#?}", found.len());
    };
    for part in parts {
        assert!(message.contains(part), "no {part:?} in\n{message}");
    }
}

fn nothing(found: &[String]) {
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_circle_is_told_with_its_lines_and_what_to_do() {
    let found = house(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;"),
        ("a.rs", "\nuse crate::b::B;\npub struct A(B);"),
        ("b.rs", "pub struct B(crate::c::C);"),
        ("c.rs", "use super::a;\n\npub struct C(Box<a::A>);"),
    ])
    .circles();
    let arrows = [
        "3 files need each other: a.rs, b.rs, c.rs",
        "a.rs -> b.rs: made-up/src/a.rs:2 has `crate::b::B`",
        "b.rs -> c.rs: made-up/src/b.rs:1 has `crate::c::C`",
        "c.rs -> a.rs: made-up/src/c.rs:3 has `a::A`",
        "Move what both sides need into a file below both",
    ];
    check(&found, &arrows);
}

#[test]
fn the_shortest_circle_comes_first_and_circles_apart_are_told_apart() {
    let found = house(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;\nmod d;\nmod e;"),
        ("a.rs", "pub struct A(crate::b::B);"),
        ("b.rs", "pub struct B(crate::c::C);"),
        ("c.rs", "pub struct C(crate::a::A, crate::b::B);"),
        ("d.rs", "pub struct D(crate::e::E);"),
        ("e.rs", "pub struct E(crate::d::D);"),
    ])
    .circles();
    check(
        &found[..1],
        &["the shortest circle:\n    b.rs -> c.rs", "another"],
    );
    check(&found[1..], &["2 files need each other: d.rs, e.rs"]);
}

#[test]
fn what_a_parent_passes_on_is_an_arrow_to_the_file_that_defines_it() {
    let files = [
        ("lib.rs", "mod index;"),
        (
            "index.rs",
            "mod snapshot;\nmod writer;\npub use self::snapshot::Snapshot;\nuse self::writer::Writer;\n\
             pub struct Index(Writer);",
        ),
        ("index/snapshot.rs", "pub struct Snapshot;"),
        (
            "index/writer.rs",
            "use crate::index::Snapshot;\npub struct Writer(Snapshot);",
        ),
    ];
    nothing(&house(&files).circles());
}

#[test]
fn a_parent_that_uses_what_it_passes_on_needs_the_child() {
    let found = house(&[
        ("lib.rs", "mod index;"),
        (
            "index.rs",
            "mod writer;\npub use self::writer::Writer;\npub const MAX: usize = 1;\n\
             pub fn open() -> Writer { todo!() }",
        ),
        ("index/writer.rs", "pub struct Writer([u8; super::MAX]);"),
    ])
    .circles();
    check(
        &found,
        &[
            "index.rs -> index/writer.rs: made-up/src/index.rs:4 has `Writer`",
            "index/writer.rs -> index.rs: made-up/src/index/writer.rs:1 has `super::MAX`",
        ],
    );
}

#[test]
fn paths_in_macros_renamed_and_grouped_imports_and_globs_are_arrows() {
    for using in [
        "fn f() { println!(\"{}\", crate::b::text(1)); }",
        "fn f() { let text = 1; wait! { _ = super::b::text(text) => {} } }",
        "use crate::b::text as words;\nfn f() { words(1); }",
        "use crate::{b::{self}};\nfn f() { b::text(1); }",
        "use crate::b::*;\nfn f() { text(1); }",
        "fn f() { use crate::b; b::text(1); }",
    ] {
        let a = format!("{using}\npub struct A;");
        let b = "use crate::a::A;\npub fn text(_: A) {}";
        let found = house(&[("lib.rs", "mod a;\nmod b;"), ("a.rs", &a), ("b.rs", b)]).circles();
        check(&found, &["a.rs -> b.rs", "b.rs -> a.rs"]);
    }
}

#[test]
fn a_module_and_a_function_of_one_name_are_told_apart() {
    let files = [
        ("lib.rs", "mod find;\nmod user;"),
        (
            "find.rs",
            "mod find;\npub use self::find::find;\npub struct Found(crate::user::User);",
        ),
        ("find/find.rs", "pub fn find() {}"),
        (
            "user.rs",
            "use crate::find::find;\npub struct User;\nfn f() { find(); }",
        ),
    ];
    nothing(&house(&files).circles());
}

#[test]
fn a_variable_is_not_the_function_of_its_name() {
    let files = [
        ("lib.rs", "mod a;"),
        (
            "a.rs",
            "mod decode;\npub use self::decode::decode;\npub struct A;\n\
             fn f(decode: u8) -> u8 { format!(\"{}\", decode); decode }",
        ),
        ("a/decode.rs", "pub fn decode(_: super::A) {}"),
    ];
    nothing(&house(&files).circles());
}

#[test]
fn tests_may_use_all() {
    let tests = "use super::*;\nuse crate::b::B;\nstruct A(B);";
    let a = "mod tests;\n#[cfg(test)]\nmod checks { use crate::b::B; }\n#[cfg(test)]\nmod oracle;\n\
             pub struct A;\nimpl A { #[cfg(test)] fn b() -> crate::b::B { todo!() } }\n\
             #[cfg(test)]\nuse crate::b::B;";
    let files = [
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", a),
        ("a/tests.rs", tests),
        ("a/oracle.rs", tests),
        ("b.rs", "pub struct B(crate::a::A);"),
    ];
    nothing(&house(&files).circles());
}

/// A crate with this many modules below `wide`, the first of them with a folder, and a test.
fn wide(modules: usize) -> House {
    let names: Vec<_> = (0..modules).map(|nth| format!("m{nth}")).collect();
    let list: String = names.iter().map(|name| format!("mod {name};\n")).collect();
    let paths: Vec<_> = names.iter().map(|name| format!("wide/{name}.rs")).collect();
    let list = format!("{list}mod tests;\n");
    let mut files = vec![
        ("lib.rs", "mod wide;"),
        ("wide.rs", &list),
        ("wide/tests.rs", ""),
    ];
    files.extend(paths.iter().map(|path| (path.as_str(), "")));
    files.extend([("wide/m0.rs", "mod below;"), ("wide/m0/below.rs", "")]);
    house(&files)
}

#[test]
fn a_seventeenth_module_in_a_folder_is_found() {
    nothing(&wide(SIBLINGS_MAX).full_folders());
    let found = wide(SIBLINGS_MAX + 1).full_folders();
    check(
        &found,
        &[
            "made-up/src/wide holds 17 modules",
            "m0, m1, m10",
            "a folder of their own",
        ],
    );
}

#[test]
fn a_file_of_501_lines_is_found_also_one_of_tests() {
    let of = |lines: usize| "\n".repeat(lines);
    let file = |text: &str| house(&[("lib.rs", ""), ("tests.rs", text)]).long_files();
    nothing(&file(&of(FILE_LINES_MAX)));
    let found = file(&of(FILE_LINES_MAX + 1));
    check(
        &found,
        &["made-up/src/tests.rs has 501 lines", "into a file below it"],
    );
}

#[test]
fn a_function_of_81_lines_is_found_wherever_it_is() {
    let of = |lines: usize| format!("fn long() {{{}}}", "\n".repeat(lines - 1));
    nothing(&house(&[("lib.rs", &of(FUNCTION_LINES_MAX))]).long_functions());
    let long = of(FUNCTION_LINES_MAX + 1);
    for text in [
        format!("\n{long}"),
        format!("struct A; impl A {{\n{long} }}"),
        format!("trait A {{\n{long} }}"),
        format!("mod inner {{\n{long} }}"),
        format!("fn outer() {{\n{long} }}"),
    ] {
        let found = house(&[("lib.rs", &text)]).long_functions();
        let found = &found[found.len() - 1..];
        check(
            found,
            &[
                "made-up/src/lib.rs:2: `long` has 81 lines",
                "steps with names",
            ],
        );
    }
    nothing(&house(&[("lib.rs", &format!("#[cfg(test)]\n{long}"))]).long_functions());
}

#[test]
fn a_module_listed_before_one_that_uses_it_is_found_with_a_better_order() {
    let files = |list| {
        house(&[
            ("lib.rs", list),
            ("app.rs", "mod run;"),
            (
                "app/run.rs",
                "pub struct Run(crate::config::Config, crate::store::Store);",
            ),
            ("store.rs", "pub struct Store(crate::config::Config);"),
            ("config.rs", "pub struct Config;"),
        ])
        .order()
    };
    nothing(&files("mod app;\nmod store;\nmod config;"));
    check(
        &files("mod config;\nmod app;\nmod store;\npub use crate::config::Config;"),
        &[
            "made-up/src/lib.rs lists modules before those that use them",
            "app -> config: made-up/src/app/run.rs:1 has `crate::config::Config`",
            "store -> config",
            "data: app, store, config",
        ],
    );
}

#[test]
fn modules_of_lib_rs_that_need_each_other_have_no_order() {
    let found = house(&[
        ("lib.rs", "mod search;\nmod read_model;"),
        ("search.rs", "pub mod pass;\npub mod engine;"),
        ("search/pass.rs", "pub struct Pass;"),
        ("search/engine.rs", "use crate::read_model::Reader;"),
        (
            "read_model.rs",
            "pub struct Reader(crate::search::pass::Pass);",
        ),
    ]);
    nothing(&found.circles());
    let parts = [
        "2 modules of lib.rs need each other: read_model, search",
        "engine.rs:1",
    ];
    check(&found.order(), &parts);
}

#[test]
fn a_file_that_does_not_say_what_it_is_is_found() {
    let found = house(&[
        ("lib.rs", "//! A library.\nmod a;"),
        ("a.rs", "pub struct A;"),
    ]);
    check(
        &found.nameless_files(),
        &["made-up/src/a.rs does not begin with `//!`"],
    );
}

#[test]
fn words_are_found_with_their_lines() {
    let other = concat!("the Catalog", "ue of tools");
    check(
        &words::misspelt("a.md", &format!("\n{other}")),
        &["a.md:2: write `catalog`"],
    );
    nothing(&words::misspelt("a.md", "a catalog"));
    let text = "/// Of a write.\nA,\n/// The bound\n/// Of what\nB,\n//! As of now.\n// Of course.";
    let found = words::riddles("a.rs", text);
    assert_eq!(found.len(), 2, "{found:#?}");
    check(&found[..1], &["a.rs:1: begin with what it is or does"]);
    check(&found[1..], &["a.rs:6:"]);
    let found = words::forbidden("a.rs", "use sqlx::Row;", &["sqlx", "tonic"]);
    check(&found, &["a.rs: pure code has no `sqlx`"]);
}

#[test]
fn a_dependency_that_no_code_names_is_found() {
    let manifest = "[package]\nname = \"a\"\n[dependencies]\n# Ours.\nserde-json.workspace = true\n\
                    time = \"1\"\n\n[dev-dependencies]\nproptest = \"1\"\n[lints]\nworkspace = true";
    let code = "use serde_json::Value;\nfn f(times: u8) {}\nuse proptest::*;";
    check(
        &words::unused("a/Cargo.toml", manifest, code),
        &["a/Cargo.toml: no code uses `time`"],
    );
}
