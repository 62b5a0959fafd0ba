//! Filters, facets, orders and pages through the API.

use catalog_events::{AttributeValue, Money, Product};
use catalog_proto::v1;
use catalog_proto::v1::filter::Kind;
use tonic::Code;

use crate::harness::{Replica, World, eventually, folder, ids, product};

fn of(kind: Kind) -> v1::Filter {
    v1::Filter { kind: Some(kind) }
}

fn brand(name: &str) -> v1::Filter {
    of(Kind::Terms(v1::TermsFilter {
        field: "brand".to_owned(),
        values: vec![name.to_owned()],
    }))
}

fn facet(field: &str) -> v1::FacetRequest {
    v1::FacetRequest {
        field: field.to_owned(),
        ..Default::default()
    }
}

fn mouse(number: i64) -> Product {
    let plain = product(&format!("m{number}"), "Gaming mouse");
    Product {
        brand: Some(if number % 2 == 0 { "Acme" } else { "Nord" }.to_owned()),
        price: Money::from_minor(1_000 + number, plain.price.currency()).expect("price"),
        attributes: [("buttons".to_owned(), AttributeValue::from(number as f64))].into(),
        ..plain
    }
}

async fn world(mut world: World) -> World {
    for number in 0..5 {
        world.put_product(mouse(number)).await;
    }
    world.put_product(product("cup", "Coffee cup")).await;
    world
}

async fn search(
    replica: &Replica,
    request: v1::SearchProductsRequest,
) -> Result<v1::SearchProductsResponse, tonic::Status> {
    let answer = replica.catalog.clone().search_products(request).await?;
    Ok(answer.into_inner())
}

/// Checks the total and the facets of a filtered search.
async fn check_facets(replica: &Replica) {
    let request = v1::SearchProductsRequest {
        query: "mouse".to_owned(),
        filter: Some(brand("ACME")),
        facets: vec![
            facet("brand"),
            facet("attributes.buttons"),
            facet("category"),
        ],
        ..Default::default()
    };
    let found = search(replica, request).await.expect("search");
    assert_eq!((found.total, found.next_page_token.as_str()), (3, ""));
    let brands: Vec<(&str, i64)> = found.facets[0]
        .values
        .iter()
        .map(|value| (value.value.as_str(), value.count))
        .collect();
    // What was chosen does not hide its alternatives.
    assert_eq!(brands, [("Acme", 3), ("Nord", 2)]);
    assert_eq!(found.facets[1].values.len(), 3);
    assert_eq!(
        (found.facets[2].missing, found.facets[2].values.len()),
        (3, 0)
    );
}

/// Checks that pages in an order hold every product once.
async fn check_pages(replica: &Replica) {
    let mut request = v1::SearchProductsRequest {
        limit: 2,
        sort: v1::SortOrder::PriceDescending.into(),
        ..Default::default()
    };
    let mut walked = Vec::new();
    loop {
        let page = search(replica, request.clone()).await.expect("page");
        assert_eq!(page.total, 6);
        walked.extend(page.products.into_iter().map(|product| product.id));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(walked, ["cup", "m4", "m3", "m2", "m1", "m0"]);
}

/// Checks that views order an answer and are told of a suggestion.
async fn check_popularity(replica: &Replica) {
    let popular = v1::SearchProductsRequest {
        query: "mouse".to_owned(),
        sort: v1::SortOrder::Popularity.into(),
        ..Default::default()
    };
    eventually("by popularity", async || {
        let found = search(replica, popular.clone()).await.expect("search");
        (ids(&found.products) == ["m1", "m3", "m0", "m2", "m4"]).then_some(())
    })
    .await;
    let request = v1::AutocompleteRequest {
        prefix: "gam".to_owned(),
        limit: 1,
        ..Default::default()
    };
    let answer = replica.catalog.clone().autocomplete(request).await;
    let ends = answer.expect("ends").into_inner().suggestions;
    assert_eq!((ends[0].documents, ends[0].views), (5, 16));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_filtered_counted_and_paged() {
    let world = world(World::without_model().await).await;
    let views = "INSERT INTO product_views VALUES ('m3', 7, now()), ('m1', 9, now())";
    let folder = folder();
    // The first replica makes the table, the second begins with what is in it.
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    sqlx::query(views)
        .execute(&world.pool)
        .await
        .expect("views");
    replica.stop().await;
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;

    check_facets(&replica).await;
    check_pages(&replica).await;
    check_popularity(&replica).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_search_is_told() {
    let world = world(World::without_model().await).await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let check = async |request: v1::SearchProductsRequest, field: &str| {
        let refused = search(&replica, request).await.expect_err(field);
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(service_kit::violations(&refused)[0].0, field);
    };
    let mouse = || v1::SearchProductsRequest {
        query: "mouse".to_owned(),
        limit: 1,
        ..Default::default()
    };
    let filter = Some(of(Kind::Exists(v1::ExistsFilter {
        field: "colour".to_owned(),
    })));
    check(
        v1::SearchProductsRequest { filter, ..mouse() },
        "filter.exists.field",
    )
    .await;
    let facets = vec![facet("brand"), facet("x")];
    check(
        v1::SearchProductsRequest { facets, ..mouse() },
        "facets[1].field",
    )
    .await;
    let blank = v1::SearchProductsRequest {
        sort: v1::SortOrder::Relevance.into(),
        facets: vec![facet("brand")],
        ..Default::default()
    };
    check(blank, "query").await;

    let first = search(&replica, mouse()).await.expect("page");
    let page_token = first.next_page_token;
    assert!(!page_token.is_empty());
    let other = v1::SearchProductsRequest {
        filter: Some(brand("Acme")),
        page_token: page_token.clone(),
        ..mouse()
    };
    check(other, "page_token").await;
    for forged in ["x", "AQ", &page_token[1..], &page_token.repeat(2)] {
        let request = v1::SearchProductsRequest {
            page_token: forged.to_owned(),
            ..mouse()
        };
        check(request, "page_token").await;
    }
}

/// A product that comes, goes or moves between two pages makes no product appear twice, and none that
/// stays is left out.
#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_while_products_change() {
    let mut world = world(World::without_model().await).await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    for sort in [v1::SortOrder::Relevance, v1::SortOrder::PriceAscending] {
        let mut request = v1::SearchProductsRequest {
            query: "gaming mouse".to_owned(),
            limit: 2,
            sort: sort.into(),
            strategy: v1::SearchStrategy::Keyword.into(),
            ..Default::default()
        };
        let mut walked = Vec::new();
        for round in 0.. {
            let page = search(&replica, request.clone()).await.expect("page");
            walked.extend(page.products.into_iter().map(|product| product.id));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
            // Better than all that was shown, and cheaper.
            let new = product(
                &format!("new{round}-{}", sort.as_str_name()),
                "Gaming mouse",
            );
            let price = Money::from_minor(1, new.price.currency()).expect("price");
            world.put_product(Product { price, ..new }).await;
            world.delete("cup").await;
            replica.caught_up(&world).await;
            assert!(round < 10, "{walked:?}");
        }
        let mut stayed: Vec<&String> = walked.iter().filter(|id| id.starts_with('m')).collect();
        stayed.sort();
        assert_eq!(stayed, ["m0", "m1", "m2", "m3", "m4"], "{sort:?}");
        let mut distinct = walked.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), walked.len(), "{sort:?}: {walked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn products_like_one_are_near_in_meaning_and_pass_the_filter() {
    let mut world = world(World::new().await).await;
    world.put("mug", "Espresso mug").await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let similar = async |id: &str, filter: Option<v1::Filter>| {
        let request = v1::SimilarProductsRequest {
            id: id.to_owned(),
            limit: 2,
            filter,
            ..Default::default()
        };
        let answer = replica.catalog.clone().similar_products(request).await;
        answer.map(tonic::Response::into_inner)
    };
    let found = similar("mug", None).await.expect("similar");
    assert_eq!((ids(&found.products)[0], found.degraded), ("cup", false));
    assert_eq!(found.products.len(), 2);
    let found = similar("mug", Some(brand("nord"))).await.expect("similar");
    let mut mice = ids(&found.products);
    mice.sort_unstable();
    assert_eq!(mice, ["m1", "m3"]);
    assert_eq!(
        similar("nobody", None).await.expect_err("unknown").code(),
        Code::NotFound
    );

    let by_meaning = v1::SearchProductsRequest {
        query: "espresso".to_owned(),
        strategy: v1::SearchStrategy::Vector.into(),
        filter: Some(brand("nord")),
        ..Default::default()
    };
    // A filter leaves what is near enough without it, and looks for nothing further away.
    let found = search(&replica, by_meaning).await.expect("search");
    assert_eq!((found.total, found.products.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_past_a_forced_filter() {
    let world = world(World::new().await).await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let facets = async |forced: v1::Filter| {
        let request = v1::SearchProductsRequest {
            query: "*".to_owned(),
            forced_filter: Some(forced),
            facets: vec![facet("brand")],
            ..Default::default()
        };
        let found = search(&replica, request).await.expect("search");
        let values = found.facets[0].values.iter().map(|one| one.value.clone());
        (found.total, values.collect::<Vec<_>>())
    };
    assert_eq!(facets(brand("nord")).await, (2, vec!["Nord".to_owned()]));
    let (_, others) = facets(of(Kind::Not(Box::new(brand("nord"))))).await;
    assert!(!others.contains(&"Nord".to_owned()), "{others:?}");

    let similar = async |id: &str| {
        let request = v1::SimilarProductsRequest {
            id: id.to_owned(),
            forced_filter: Some(brand("nord")),
            ..Default::default()
        };
        replica.catalog.clone().similar_products(request).await
    };
    let hidden = similar("m0").await.expect_err("of another brand");
    assert_eq!(hidden.code(), Code::NotFound);
    let found = similar("m1").await.expect("similar").into_inner();
    assert_eq!(ids(&found.products), ["m3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_vectors_words_tell_what_is_alike() {
    let world = world(World::without_model().await).await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let request = v1::SimilarProductsRequest {
        id: "m0".to_owned(),
        ..Default::default()
    };
    let found = replica
        .catalog
        .similar_products(request)
        .await
        .expect("similar")
        .into_inner();
    assert!(found.degraded);
    // These two have its brand as well.
    assert_eq!(ids(&found.products)[..2], ["m2", "m4"]);
    assert_eq!(found.products.len(), 5);

    let typed = async |prefix: &str| {
        let request = v1::AutocompleteRequest {
            prefix: prefix.to_owned(),
            limit: 2,
            ..Default::default()
        };
        let answer = replica.catalog.clone().autocomplete(request).await;
        let ends = answer.expect("ends").into_inner().suggestions.into_iter();
        ends.map(|end| (end.text, end.documents, end.views))
            .collect::<Vec<_>>()
    };
    let end = |text: &str, documents, views| (text.to_owned(), documents, views);
    assert_eq!(
        typed("gam").await,
        [end("gaming", 5, 0), end("gaming mouse", 5, 0)]
    );
}
