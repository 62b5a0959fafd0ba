//! The products as they were at one position of the log, whatever is written meanwhile.

use std::collections::BTreeMap;

use catalog_proto::v1;
use service_kit::{reason, violations};
use sqlx::PgPool;
use tonic::{Code, Status};

use crate::harness::{Catalog, input};

/// What the answers of an export say together.
#[derive(Debug, Default, PartialEq)]
struct Exported {
    position: i64,
    total: i64,
    event_id: String,
    looked_at: i32,
    reached: String,
    /// `id@version title`.
    products: Vec<String>,
}

async fn export(
    catalog: &mut Catalog,
    request: v1::ExportProductsRequest,
) -> Result<Exported, Status> {
    let mut answers = catalog
        .commands
        .export_products(request)
        .await?
        .into_inner();
    let mut found = Exported::default();
    while let Some(answer) = answers.message().await? {
        assert!(prost::Message::encoded_len(&answer) < 3 * 1024 * 1024);
        found.position = answer.position;
        found.total = answer.total;
        found.event_id = answer.event_id;
        found.looked_at += answer.looked_at;
        if !answer.reached_id.is_empty() {
            assert!(answer.reached_id > found.reached, "in order of id");
            found.reached = answer.reached_id;
        }
        let last = answer.products.last().map_or("", |product| &product.id);
        assert!(last <= found.reached.as_str(), "reached what it lists");
        let shown = answer.products.iter().map(|product| {
            let v1::Product {
                id, version, title, ..
            } = product;
            format!("{id}@{version} {title}").trim_end().to_owned()
        });
        found.products.extend(shown);
    }
    Ok(found)
}

fn at(position: i64) -> v1::ExportProductsRequest {
    v1::ExportProductsRequest {
        position,
        ..Default::default()
    }
}

async fn listed(catalog: &mut Catalog, request: v1::ExportProductsRequest) -> Vec<String> {
    export(catalog, request).await.expect("export").products
}

async fn rename(catalog: &mut Catalog, id: &str, title: &str) {
    let answer = catalog.import(vec![input(id, title)]).await;
    assert_eq!(answer.expect("import").updated, 1);
}

async fn delete(catalog: &mut Catalog, id: &str) {
    let request = v1::DeleteProductRequest {
        id: id.to_owned(),
        ..Default::default()
    };
    let deleted = catalog.commands.delete_product(request).await;
    deleted.expect("delete");
}

/// Every position of a life answers the same, now and after more was written.
#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_answered_as_it_was_for_good() {
    let mut catalog = Catalog::start().await;
    let empty = export(&mut catalog, at(0)).await.expect("export");
    assert_eq!(empty, Exported::default(), "one answer, without products");

    catalog.create("b", "Bed").await;
    catalog.create("a", "Arm").await;
    rename(&mut catalog, "b", "Bunk").await;
    delete(&mut catalog, "a").await;
    catalog.create("C", "Cup").await;
    catalog.create("a", "Arm again").await;
    let events = catalog.events(6).await;
    let expected: [&[&str]; 6] = [
        &["b@1 Bed"],
        &["a@1 Arm", "b@1 Bed"],
        &["a@1 Arm", "b@2 Bunk"],
        &["b@2 Bunk"],
        &["C@1 Cup", "b@2 Bunk"],
        // By bytes: capital letters first.
        &["C@1 Cup", "a@3 Arm again", "b@2 Bunk"],
    ];
    let before = async |catalog: &mut Catalog| {
        let mut found = Vec::new();
        for position in 1..=6 {
            found.push(export(catalog, at(position)).await.expect("export"));
        }
        found
    };
    let first = before(&mut catalog).await;
    for (index, found) in first.iter().enumerate() {
        assert_eq!(found.products, expected[index], "position {}", index + 1);
        assert_eq!(found.position, index as i64 + 1);
        assert_eq!(found.total, expected[index].len() as i64);
        assert_eq!(found.looked_at as usize, expected[index].len());
        assert_eq!(found.event_id, events[index].event_id.to_string());
    }
    let present = export(&mut catalog, at(0)).await.expect("export");
    assert_eq!(present, first[5], "0 is the end of the log");

    rename(&mut catalog, "b", "Bench").await;
    delete(&mut catalog, "C").await;
    catalog.create("aa", "New").await;
    catalog.events(9).await;
    let again = before(&mut catalog).await;
    let without_reach = |exports: Vec<Exported>| -> Vec<_> {
        let forget = |one| Exported {
            reached: String::new(),
            ..one
        };
        exports.into_iter().map(forget).collect()
    };
    assert_eq!(without_reach(again), without_reach(first));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_a_position_is_not_seen_yet() {
    let mut catalog = Catalog::start().await;
    catalog.create("a", "Arm").await;
    catalog.events(1).await;
    let held = catalog.hold_sequencer().await;
    rename(&mut catalog, "a", "Armchair").await;
    catalog.create("b", "Bed").await;
    let found = export(&mut catalog, at(0)).await.expect("export");
    assert_eq!((found.position, found.total), (1, 1));
    assert_eq!(found.products, ["a@1 Arm"]);

    held.rollback().await.expect("let the sequencer go");
    catalog.events(3).await;
    let found = export(&mut catalog, at(0)).await.expect("export");
    assert_eq!((found.position, found.total), (3, 2));
    assert_eq!(found.products, ["a@2 Armchair", "b@1 Bed"]);
}

/// More products than a page holds, and more bytes than an answer holds.
#[tokio::test(flavor = "multi_thread")]
async fn many_and_large_products_come_once_each_and_go_on_anywhere() {
    let mut catalog = Catalog::start().await;
    let large = |number: usize| v1::ProductInput {
        attributes: (0..20)
            .map(|n| {
                let kind = v1::attribute_value::Kind::Text("x".repeat(10_000));
                let value = v1::AttributeValue { kind: Some(kind) };
                (format!("a{n}"), value)
            })
            .collect(),
        ..input(&format!("large-{number:02}"), "Large")
    };
    catalog
        .import((0..30).map(large).collect())
        .await
        .expect("import");
    let small = |number: usize| input(&format!("p-{number:04}"), "Small");
    for part in (0..1_200).collect::<Vec<_>>().chunks(600) {
        let products = part.iter().map(|number| small(*number)).collect();
        catalog.import(products).await.expect("import");
    }
    delete(&mut catalog, "p-0007").await;
    catalog.events(1_231).await;

    let all = listed(&mut catalog, at(0)).await;
    let large_ids = (0..30).map(|number| format!("large-{number:02}@1 Large"));
    let small_ids = (0..1_200)
        .filter(|number| *number != 7)
        .map(|number| format!("p-{number:04}@1 Small"));
    let expected: Vec<_> = large_ids.chain(small_ids).collect();
    assert_eq!(all, expected);
    for after in [0, 1, 29, 31, 700, 1_228] {
        let request = v1::ExportProductsRequest {
            position: 1_231,
            after_id: all[after].split('@').next().expect("id").to_owned(),
            ..Default::default()
        };
        assert_eq!(listed(&mut catalog, request).await, all[after + 1..]);
    }
    let request = v1::ExportProductsRequest {
        ids_only: true,
        ..at(0)
    };
    let bare = listed(&mut catalog, request).await;
    let expected: Vec<_> = all
        .iter()
        .filter_map(|text| Some(text.split_once(' ')?.0.to_owned()))
        .collect();
    assert_eq!(bare, expected, "ids and versions alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_takes_what_was_so_at_the_position() {
    let mut catalog = Catalog::start().await;
    let product =
        |id: &str, brand: &str, levels: &[&str], status: v1::ProductStatus| v1::ProductInput {
            brand: brand.to_owned(),
            categories: levels.iter().map(|level| (*level).to_owned()).collect(),
            status: status.into(),
            ..input(id, "")
        };
    use v1::ProductStatus::{Active, Discontinued};
    let products = [
        product("a", "Acme", &["Office", "Chairs"], Active),
        product("b", "Acme", &["Office", "Desks > Tables"], Discontinued),
        product("c", "acme", &["Office"], Active),
        product("d", "", &[], Discontinued),
    ]
    .map(|one| v1::ProductInput {
        title: one.id.clone(),
        ..one
    });
    catalog.import(products.to_vec()).await.expect("import");
    let changed = product("a", "Other", &["Sale"], Discontinued);
    let changed = v1::ProductInput {
        title: "a".to_owned(),
        ..changed
    };
    catalog.import(vec![changed]).await.expect("import");
    catalog.events(5).await;
    let mut check = async |position,
                           brand: &str,
                           levels: &[&str],
                           status: v1::ProductStatus,
                           expected: &[&str]| {
        for ids_only in [false, true] {
            let request = v1::ExportProductsRequest {
                brand: brand.to_owned(),
                categories: levels.iter().map(|level| (*level).to_owned()).collect(),
                status: status.into(),
                ids_only,
                ..at(position)
            };
            let found = export(&mut catalog, request).await.expect("export");
            let ids: Vec<_> = found.products.iter().map(|text| &text[..1]).collect();
            assert_eq!(ids, expected, "{brand} {levels:?} {status:?} at {position}");
            assert_eq!((found.total, found.looked_at), (4, 4), "whatever it takes");
            assert_eq!(found.reached, "d");
        }
    };
    use v1::ProductStatus::Unspecified;
    check(0, "", &[], Unspecified, &["a", "b", "c", "d"]).await;
    check(4, "Acme", &[], Unspecified, &["a", "b"]).await;
    check(5, "Acme", &[], Unspecified, &["b"]).await;
    check(4, "", &["Office"], Unspecified, &["a", "b", "c"]).await;
    check(4, "", &["Office", "Desks > Tables"], Unspecified, &["b"]).await;
    check(4, "", &["Chairs"], Unspecified, &[]).await;
    check(4, "", &[], Discontinued, &["b", "d"]).await;
    check(4, "Acme", &["Office"], Active, &["a"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_cannot_be_answered_is_told_why() {
    let mut catalog = Catalog::start().await;
    catalog.create("a", "Arm").await;
    catalog.events(1).await;
    let bad = v1::ExportProductsRequest {
        position: -1,
        after_id: "a.b".to_owned(),
        categories: vec!["x".to_owned(); 21],
        status: 9,
        ..Default::default()
    };
    let refused = export(&mut catalog, bad).await.expect_err("mistakes");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(reason(&refused).as_deref(), Some("INVALID_EXPORT"));
    let fields: BTreeMap<_, _> = violations(&refused).into_iter().collect();
    let named: Vec<_> = fields.keys().map(String::as_str).collect();
    assert_eq!(named, ["after_id", "categories", "position", "status"]);

    let refused = export(&mut catalog, at(2)).await.expect_err("beyond");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(reason(&refused).as_deref(), Some("BEYOND_THE_LOG"));
    assert!(
        refused
            .message()
            .starts_with("the position is 2, and the log ends at 1: ask for 0"),
        "{}",
        refused.message()
    );
}

/// The events behind a product are not read to find one: the index on its versions is.
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_read_by_index() {
    let mut catalog = Catalog::start().await;
    let products = |round: usize| -> Vec<_> {
        let one = |n: usize| input(&format!("p{n:03}"), &format!("Round {round}"));
        (0..500).map(one).collect()
    };
    for round in 0..6 {
        catalog.import(products(round)).await.expect("import");
    }
    catalog.events(3_000).await;
    for statement in ["ANALYZE event_log", "ANALYZE products"] {
        sqlx::query(statement)
            .execute(&catalog.pool)
            .await
            .expect("analyze");
    }
    let plan = explained(&catalog.pool).await;
    assert!(plan.contains("event_log_one_event_per_version"), "{plan}");
    assert!(!plan.contains("Seq Scan on event_log"), "{plan}");
    let found = listed(&mut catalog, at(1_000)).await;
    assert_eq!((found.len(), found[0].as_str()), (500, "p000@2 Round 1"));
}

/// The plan of the statement that an export reads its pages with, as any parameters get it.
async fn explained(pool: &PgPool) -> String {
    let source = include_str!("../../src/store/snapshot.rs");
    let statement = source
        .split("\"SELECT id, version, live")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("the statement of a page");
    let mut db = pool.acquire().await.expect("connection");
    for statement in [
        "SET plan_cache_mode = force_generic_plan".to_owned(),
        format!(
            "PREPARE page (bigint, text, bigint, boolean, bigint) AS SELECT id, version, live{statement}"
        ),
    ] {
        let prepared = sqlx::raw_sql(sqlx::AssertSqlSafe(statement));
        prepared.execute(&mut *db).await.expect("prepare");
    }
    let explain = "EXPLAIN EXECUTE page (3000, '', 500, true, 2000000)";
    let rows: Vec<String> = sqlx::query_scalar(explain)
        .fetch_all(&mut *db)
        .await
        .expect("plan");
    rows.join("\n")
}
