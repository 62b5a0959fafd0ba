//! What is accepted, and how mistakes are named.

use serde_json::{Value, json};

use super::*;

fn form(kind: Value) -> RuleForm {
    serde_json::from_value(json!({"id": "r-1", "kind": kind})).expect("form")
}

fn check(kind: Value, field: &str, reason: &str) {
    let found = RuleDraft::parse(form(kind.clone()));
    assert_eq!(found, Err(vec![Violation::new(field, reason)]), "{kind}");
}

fn curation(actions: Value) -> Value {
    json!({"type": "curation", "actions": actions})
}

fn terms(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("t{n}")).collect()
}

#[test]
fn takes_what_is_within_bounds_and_trims_it() {
    let draft = RuleDraft::parse(form(json!({"type": "synonyms", "terms": [" TV ", "set"]})));
    let kind = draft.expect("valid").kind;
    let terms = vec!["TV".to_owned(), "set".to_owned()];
    assert_eq!(kind, RuleKind::Synonyms { terms });
    let target = json!({"product_ids": vec!["p"; 1_000], "brand": " Acme "});
    for good in [
        json!({"type": "synonyms", "terms": terms_of(50)}),
        json!({"type": "synonyms", "terms": ["a b c d e f g h", "x".repeat(100)]}),
        json!({"type": "one_way_synonyms", "from": "a", "to": ["b"]}),
        json!({"type": "curation", "queries": vec!["q".repeat(200); 100],
               "actions": [{"action": "hide", "target": target}]}),
        curation(json!([
            {"action": "pin", "product_id": "a", "position": 1},
            {"action": "pin", "product_id": "b", "position": 100},
            {"action": "boost", "target": {"category": ["A"]}, "factor": 100.0},
            {"action": "bury", "target": {"brand": "B"}, "factor": 1.01},
            {"action": "redirect", "url": "https://example.org/a?b=c"},
        ])),
        curation(json!([{"action": "redirect", "url": "/"}])),
    ] {
        let draft = RuleDraft::parse(form(good.clone()));
        assert!(draft.is_ok(), "{good}: {draft:?}");
    }
}

fn terms_of(count: usize) -> Value {
    terms(count).into()
}

#[test]
fn names_the_term_at_fault() {
    let synonyms = |terms: Value| json!({"type": "synonyms", "terms": terms});
    let count = "has not 2 to 50 entries";
    check(synonyms(json!(["a"])), "terms", count);
    check(synonyms(terms_of(51)), "terms", count);
    check(
        synonyms(json!(["a", "b", " a"])),
        "terms[2]",
        "is given twice",
    );
    let again = "is \"a b\" once more: letter case and spaces make no other word";
    check(synonyms(json!(["a b", "A  B"])), "terms[1]", again);
    let again = "is \"É\" once more: letter case and spaces make no other word";
    check(synonyms(json!(["É", "x", "é"])), "terms[2]", again);
    check(synonyms(json!(["a", " "])), "terms[1]", "is empty");
    let unseen = "is empty: it has only characters that nobody sees";
    check(synonyms(json!(["a", "\u{200B}"])), "terms[1]", unseen);
    let long = "is longer than 100 characters";
    check(synonyms(json!(["a", "ü".repeat(101)])), "terms[1]", long);
    let control = "has control characters";
    check(synonyms(json!(["a\tb", "c"])), "terms[0]", control);
    let words = "has more than 8 words";
    check(
        synonyms(json!(["a b c d e f g h i", "z"])),
        "terms[0]",
        words,
    );
    let one_way =
        |from: &str, to: Value| json!({"type": "one_way_synonyms", "from": from, "to": to});
    check(one_way("", json!(["b"])), "from", "is empty");
    check(one_way("a", json!([])), "to", "has not 1 to 50 entries");
    let itself = "is the term of from";
    check(one_way("a", json!(["b", "a "])), "to[1]", itself);
    check(one_way("a", json!(["A", "b"])), "to[0]", itself);
}

#[test]
fn names_the_part_of_a_curation_at_fault() {
    let queries = |queries: Value| {
        json!({"type": "curation", "queries": queries,
               "actions": [{"action": "redirect", "url": "/"}]})
    };
    check(
        queries(vec!["q"; 101].into()),
        "queries",
        "has more than 100 entries",
    );
    check(queries(json!([" "])), "queries[0]", "is empty");
    let long = "is longer than 200 bytes";
    check(queries(json!(["ü".repeat(101)])), "queries[0]", long);

    check(curation(json!([])), "actions", "has not 1 to 100 entries");
    let pin =
        |id: &str, position: i32| json!({"action": "pin", "product_id": id, "position": position});
    for position in [0, -1, 101] {
        let range = "is not from 1 to 100";
        check(
            curation(json!([pin("a", position)])),
            "actions[0].position",
            range,
        );
    }
    let taken = "is taken by another pin";
    check(
        curation(json!([pin("a", 1), pin("b", 1)])),
        "actions[1].position",
        taken,
    );
    check(
        curation(json!([pin("a", 1), pin("a", 2)])),
        "actions[1].product_id",
        "is pinned twice",
    );
    for factor in [1.0, 0.5, 100.5, -2.0] {
        let boost = json!([{"action": "boost", "target": {"brand": "B"}, "factor": factor}]);
        let range = "is not more than 1 and at most 100";
        check(curation(boost), "actions[0].factor", range);
    }
    let hide = |target: Value| curation(json!([{"action": "hide", "target": target}]));
    let nothing = "names no products, brand or category";
    check(hide(json!({})), "actions[0].target", nothing);
    check(hide(json!({"brand": " "})), "actions[0].target", nothing);
    let level = "actions[0].target.category[1]";
    check(hide(json!({"category": ["A", ""]})), level, "is empty");
    let many = json!({"product_ids": vec!["p"; 1_001]});
    let field = "actions[0].target.product_ids";
    check(hide(many), field, "has more than 1000 entries");
    let bad = "a product id is 1 to 64 characters of A-Z a-z 0-9 _ -";
    check(
        hide(json!({"product_ids": ["a", "a.b"]})),
        "actions[0].target.product_ids[1]",
        bad,
    );
}

#[test]
fn a_redirect_leads_to_the_web_or_stays_in_the_shop() {
    let bad = "is not an http or https URL, nor a path that begins with one slash";
    for url in [
        "",
        "lamps",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "https://",
        "/a b",
        "/a\"b",
    ] {
        let redirect = json!([{"action": "redirect", "url": url}]);
        check(curation(redirect), "actions[0].url", bad);
    }
    let redirect = json!({"action": "redirect", "url": "/a"});
    check(
        curation(json!([redirect, redirect])),
        "actions[1]",
        "is a second redirect",
    );
}

#[test]
fn reports_all_mistakes_at_once_and_bounds_them() {
    let form = RuleForm {
        id: "a.b".to_owned(),
        kind: KindForm::Unknown,
        starts_at: Some(OffsetDateTime::UNIX_EPOCH),
        ends_at: Some(OffsetDateTime::UNIX_EPOCH),
        note: "x".repeat(1_001),
        disabled: false,
    };
    let found = RuleDraft::parse(form).expect_err("four mistakes");
    let fields: Vec<_> = found.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["id", "kind", "ends_at", "note"]);

    let hide = json!({"action": "hide", "target": {"product_ids": vec!["."; 1_000]}});
    let found = RuleDraft::parse(self::form(curation(vec![hide; 10].into())));
    assert_eq!(found.expect_err("10,000 mistakes").len(), 50);
}

#[test]
fn a_rule_fits_into_one_message() {
    let ids = vec!["x".repeat(64); 1_000];
    let hide = json!({"action": "hide", "target": {"product_ids": ids}});
    let whole = curation(vec![hide; 8].into());
    check(whole, "", "is larger than 524288 bytes");
}
