//! The pages as they are sent; what a browser makes of them is tried with a browser.

use crate::bff::{Bff, send};
use crate::peer::product;

/// The addresses that a page names in `attribute`.
fn named<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let parts = page.split(attribute).skip(1);
    parts.filter_map(|part| part.split('"').next()).collect()
}

#[tokio::test]
async fn a_page_names_files_that_are_kept_for_good() {
    let bff = Bff::start().await;
    for path in ["/", "/console", "/console/products"] {
        check_page(&bff, path).await;
    }
    for path in [
        "/assets/0/shop/main.js",
        "/assets/x/../../Cargo.toml",
        "/assets/x/%2e%2e/Cargo.toml",
    ] {
        assert_eq!(bff.get(path).await.status, 404, "{path}");
    }
}

async fn check_page(bff: &Bff, path: &str) {
    let page = bff.get(path).await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(!policy.contains("unsafe"), "{policy}");
    let mut files = named(&page.body, "href=\"/assets");
    files.extend(named(&page.body, "src=\"/assets"));
    assert!(files.len() > 4, "{files:?}");
    for file in files {
        let found = bff.get(&format!("/assets{file}")).await;
        assert_eq!(found.status, 200, "{file}");
        let kept = found.header("cache-control").expect("it may be kept");
        assert!(kept.contains("immutable"), "{file} {kept}");
        let kind = found.header("content-type").expect("a type");
        let right = ["text/javascript", "text/css", "image/svg+xml"];
        assert!(
            right.iter().any(|one| kind.starts_with(one)),
            "{file} {kind}"
        );
    }
}

#[tokio::test]
async fn nothing_of_a_page_comes_from_elsewhere() {
    let bff = Bff::start().await;
    let page = bff.get("/").await.body;
    for attribute in ["href=\"", "src=\""] {
        for address in named(&page, attribute) {
            assert!(
                address.starts_with('/') && !address.starts_with("//"),
                "{address}"
            );
        }
    }
    assert!(
        !page.contains("<style") && !page.contains("onclick"),
        "{page}"
    );
}

#[tokio::test]
async fn files_of_the_documentation_travel_as_the_client_can_read_them() {
    let bff = Bff::start().await;
    let path = "/api/docs/swagger-ui.css";
    let plain = bff.get(path).await;
    assert_eq!(
        (plain.status, plain.header("content-encoding")),
        (200, None)
    );
    assert!(plain.body.contains(".swagger-ui"), "it is no CSS");
    let packed = send(bff.request("GET", path).header("accept-encoding", "gzip")).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let vary = packed.header("vary").expect("Vary");
    assert!(vary.contains("accept-encoding"), "{vary}");
    let tag = plain.header("etag").expect("ETag");
    let again = send(bff.request("GET", path).header("if-none-match", tag)).await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn machines_read_a_product_in_its_page() {
    let bff = Bff::start().await;
    let mut odd = product("a");
    odd.title = "A <b>\"thing\"</b> & </script><script>alert(1)</script>".to_owned();
    bff.peer.put(odd);
    let page = bff.get("/products/a").await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(
        page.body.contains("<title>A &lt;b&gt;&quot;thing&quot;"),
        "{page:?}"
    );
    assert_eq!(page.body.matches("<script").count(), 2, "{page:?}");
    let data = page.body.split("ld+json\">").nth(1).expect("data");
    let data = data.split("</script>").next().expect("its end");
    let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(data["@type"], "Product");
    assert!(data["name"].as_str().expect("a name").contains("</script>"));
    for gone in ["/products/b", "/products/a.b"] {
        assert_eq!(bff.get(gone).await.status, 404, "{gone}");
    }
}

#[tokio::test]
async fn a_catalog_that_is_not_public_is_not_told_in_a_page() {
    let bff = Bff::start_with(|config| config.public = "search".parse().expect("scopes")).await;
    bff.peer.put(product("a"));
    let page = bff.get("/products/a").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("Product a"), "{page:?}");
}

#[tokio::test]
async fn pages_can_be_switched_off() {
    let bff = Bff::start_with(|config| config.pages = "".parse().expect("no pages")).await;
    for path in ["/", "/products/a", "/console", "/console/keys"] {
        let answer = send(bff.request("GET", path)).await;
        assert_eq!(answer.problem(404), "Not found");
    }
}
