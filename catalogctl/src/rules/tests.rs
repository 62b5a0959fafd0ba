//! Arguments and files become rules.

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    synonyms: SynonymsArgs,
}

fn kind(arguments: &[&str]) -> Result<(KindForm, AddOptions), clap::Error> {
    let line = ["synonyms"].iter().chain(arguments);
    Ok(match Line::try_parse_from(line)?.synonyms.command {
        SynonymsCommand::Add { terms, options } => (KindForm::Synonyms { terms }, options),
        SynonymsCommand::AddOneWay { from, to, options } => {
            (KindForm::OneWaySynonyms { from, to }, options)
        }
        SynonymsCommand::Forbid { terms, options } => (KindForm::Distinct { terms }, options),
        other => panic!("{other:?}"),
    })
}

fn id_of(arguments: &[&str]) -> String {
    derived_id(&kind(arguments).expect("valid").0)
}

#[test]
fn arguments_become_synonyms() {
    let (synonyms, _) = kind(&["add", "laptop", "note book", "portable"]).expect("valid");
    let terms = ["laptop", "note book", "portable"].map(str::to_owned);
    assert_eq!(
        synonyms,
        KindForm::Synonyms {
            terms: terms.into()
        }
    );
    let line = [
        "add-one-way",
        "mouse",
        "trackball",
        "--note",
        "why",
        "--id",
        "m",
    ];
    let (one_way, options) = kind(&line).expect("valid");
    let (from, to) = ("mouse".to_owned(), vec!["trackball".to_owned()]);
    assert_eq!(one_way, KindForm::OneWaySynonyms { from, to });
    assert_eq!(
        (options.id.as_deref(), options.note.as_str()),
        (Some("m"), "why")
    );
    for bad in [
        &["add", "laptop"][..],
        &["add"],
        &["add-one-way", "a"],
        &["remove"],
    ] {
        let err = Line::try_parse_from(["synonyms"].iter().chain(bad)).expect_err("too few");
        assert_eq!(err.exit_code(), 2, "{bad:?}");
    }
}

#[test]
fn each_pin_of_a_query_has_a_rule_of_its_own() {
    let id = |query: &str, product: &str, position: i32| {
        let pin = serde_json::json!({"type": "curation", "queries": [query],
            "actions": [{"action": "pin", "product_id": product, "position": position}]});
        derived_id(&serde_json::from_value(pin).expect("a rule"))
    };
    let first = id("gaming mouse", "p-1", 1);
    assert!(first.starts_with("rule-gaming-mouse-pin-p-1-"), "{first}");
    assert_eq!(first, id(" Gaming Mouse", "p-1", 3));
    assert_ne!(first, id("gaming mouse", "p-2", 1));
    assert_ne!(first, id("mouse", "p-1", 1));
}

#[test]
fn a_derived_id_is_of_the_terms() {
    let id = id_of(&["add", "Laptop", "note book"]);
    assert!(id.starts_with("syn-laptop-note-book-"), "{id}");
    assert_eq!(id, id_of(&["add", "note book", " laptop "]));
    assert_ne!(id, id_of(&["add", "laptop", "note", "book"]));
    assert_ne!(id, id_of(&["add-one-way", "laptop", "note book"]));
    let distinct = id_of(&["forbid", "laptop", "note book"]);
    assert_eq!(distinct, id_of(&["forbid", "Note Book", "laptop"]));
    assert_ne!(distinct, id);
    let one_way = id_of(&["add-one-way", "a", "b", "c"]);
    assert_eq!(one_way, id_of(&["add-one-way", "a", "c", "b"]));
    assert_ne!(one_way, id_of(&["add-one-way", "b", "a", "c"]));
    let long = "x".repeat(100);
    for terms in [["ноутбук", "лэптоп"], [&long, "y"], ["---", "é"]] {
        let id = id_of(&["add", "--", terms[0], terms[1]]);
        assert!(id.parse::<catalog_events::RuleId>().is_ok(), "{id}");
    }
}

#[test]
fn what_list_and_get_print_can_be_put() {
    let kind = json!({"type": "curation", "actions": [{"action": "redirect", "url": "/a"}]});
    let at = "2026-01-02T03:04:05Z";
    let rule = json!({"id": "r-1", "kind": kind, "version": 3, "created_at": at,
                      "updated_at": at, "note": "why"});
    let pretty = serde_json::to_string_pretty(&rule).expect("json");
    let text = format!("{pretty}\n{}\n", json!({"id": "r-2", "kind": kind}));
    let rules = read_rules(&text).expect("two rules");
    assert_eq!((rules[0].0.note.as_str(), rules[0].1), ("why", Some(3)));
    assert_eq!((rules[1].0.id.as_str(), rules[1].1), ("r-2", None));
    assert_eq!(rules[0].0.kind, rules[1].0.kind);
}

#[test]
fn a_file_that_holds_no_rules_is_told() {
    let synonyms = r#""kind": {"type": "synonyms", "terms": ["a", "b"]}"#;
    for (text, reason) in [
        ("".to_owned(), "there is no rule in it"),
        ("[]".to_owned(), "rule 1 is no JSON object"),
        (
            "{".to_owned(),
            "rule 1 is no JSON object: EOF while parsing",
        ),
        (format!("{{{synonyms}}}"), "rule 1: it has no id"),
        (
            format!(r#"{{"id": "a", {synonyms}}} {{"id": "b"}}"#),
            "rule 2: missing field `kind`",
        ),
        (
            format!(r#"{{"id": "a", {synonyms}, "name": 1}}"#),
            "rule 1: unknown field `name`",
        ),
        (
            format!(r#"{{"id": "a", {synonyms}, "version": "1"}}"#),
            "rule 1: version is no whole number",
        ),
    ] {
        let err = format!("{:#}", read_rules(&text).expect_err(reason));
        assert!(err.starts_with(reason), "{err}");
    }
}
