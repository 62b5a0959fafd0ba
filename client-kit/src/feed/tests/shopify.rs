//! Exports of Shopify: variants, images and what a product shares, in the columns of before 2024 and of today.

use expect_test::expect;

use super::forms::form;
use super::{check, mapping, show_rows};
use crate::feed::{Source, rows};

const OLD: &str = "\
Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Price,Variant Compare At Price,Variant Barcode,Image Src,Image Position,Variant Image,Cost per item,Color (product.metafields.shopify.color-pattern),Status\n";
const NEW: &str = "\
Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,Option1 Linked To,Price,Compare-at price,Cost per item,Inventory quantity,Weight value (grams),Product image URL,Image position,Variant image URL\n";

/// Reads a feed and shows its notes behind its rows.
fn told(options: &str, feed: &str) -> String {
    let form = form("");
    let source = Source::read_as("feed", std::io::Cursor::new(feed.to_owned()), &form);
    let source = source.expect("opened");
    let notes = source.notes();
    let mut text = show_rows(rows(source, None, mapping(options)));
    for note in notes.take() {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

#[test]
fn every_variant_is_a_product() {
    let feed = format!(
        "{OLD}\
tee,Classic Tee,<p>Soft</p>,Fjell,Apparel > Shirts,T-Shirt,\"summer, cotton\",TRUE,Color,\"Red, White\",Size,M,'001,180,shopify,3,19.90,25.00,'4006381333931,http://i/1.jpg,1,http://i/red.jpg,7.50,red; white,active
tee,,,,,,,,,Blue,,L,,190,shopify,0,21.00,,,http://i/2.jpg,2,,7.50,,
tee,,,,,,,,,,,,,,,,,,,http://i/3.jpg,3,,,,
mug,Mug,,Fjell,,Kitchen,,FALSE,Title,Default Title,,,MUG,300,,,9.50,,,,,,,,active
old,Old lamp,,,,,,TRUE,Title,Default Title,,,,,,,5.00,,,,,,,,archived
"
    );
    expect![[r#"
        2: tee_Red-White_M_9db6d8440a "Classic Tee - Red, White / M" 19.90 description=<p>Soft</p> image=http://i/red.jpg brand=Fjell sku=001 gtins=["4006381333931"] categories=["Apparel", "Shirts"] color="Red, White" color_2="red; white" compare_at_price=25 grams=180 handle="tee" inventory_quantity=3 size="M" tags=["summer", "cotton"] type="T-Shirt"
        3: tee_Blue_L "Classic Tee - Blue / L" 21.00 description=<p>Soft</p> image=http://i/1.jpg brand=Fjell categories=["Apparel", "Shirts"] color="Blue" color_2="red; white" grams=190 handle="tee" inventory_quantity=0 size="L" tags=["summer", "cotton"] type="T-Shirt" clears=sku,gtins
        4: left out
        5: mug "Mug" discontinued 9.50 brand=Fjell sku=MUG categories=["Kitchen"] grams=300 handle="mug" type="Kitchen" clears=description,gtins,image_url
        6: old "Old lamp" discontinued 5.00 handle="old" clears=description,brand,categories,sku,gtins,image_url
        note: the feed is one of Shopify: Handle, Vendor, Variant Price and others fill the fields that no --map names
        note: columns about the shop are left out: Variant Inventory Tracker, Image Position, Cost per item; --text COLUMN keeps one as an attribute
        note: a product has one image: 1 rows with nothing but another one are left out, and 1 other images that stand beside variants
        note: 2 variants are discontinued, as their product is archived, a draft or not published
    "#]]
    .assert_eq(&told("", &feed));
}

#[test]
fn the_columns_of_today_say_the_same() {
    let feed = format!(
        "{NEW}\
Classic Tee,tee,Soft,Fjell,Apparel > Shirts,T-Shirt,\"summer, cotton\",TRUE,Active,A-1,4006381333931,Size,M,,19.90,25.00,7.50,3,180,http://i/1.jpg,1,
,tee,,,,,,,,A-2,,,L,,21,,,,,http://i/2.jpg,2,http://i/l.jpg
,tee,,,,,,,,,,,,,,,,,,http://i/3.jpg,3,
Secret,secret,,,,,,FALSE,Draft,,,,,,5,,,,,,,
"
    );
    expect![[r#"
        2: tee_M "Classic Tee - M" 19.90 description=Soft image=http://i/1.jpg brand=Fjell sku=A-1 gtins=["4006381333931"] categories=["Apparel", "Shirts"] compare_at_price=25 grams=180 handle="tee" inventory_quantity=3 size="M" tags=["summer", "cotton"] type="T-Shirt"
        3: tee_L "Classic Tee - L" 21 description=Soft image=http://i/l.jpg brand=Fjell sku=A-2 categories=["Apparel", "Shirts"] handle="tee" size="L" tags=["summer", "cotton"] type="T-Shirt" clears=gtins
        4: left out
        5: secret "Secret" discontinued 5 handle="secret" clears=description,brand,categories,sku,gtins,image_url
        note: the feed is one of Shopify: Handle, Vendor, Variant Price and others fill the fields that no --map names
        note: columns about the shop are left out: Option1 Linked To, Cost per item, Image position; --text COLUMN keeps one as an attribute
        note: a product has one image: 1 rows with nothing but another one are left out, and 1 other images that stand beside variants
        note: 1 variants are discontinued, as their product is archived, a draft or not published
    "#]]
    .assert_eq(&told("", &feed));
}

#[test]
fn rows_of_a_handle_need_not_follow_each_other() {
    check(
        "",
        "Handle,Title,Option1 Name,Option1 Value,Variant Price,Image Src\n\
         tee,Tee,Size,M,5,http://i/t.jpg\n\
         mug,Mug,Title,Default Title,nothing,\n\
         mug,,,Large,7,\n\
         tee,,,L,6,\n\
         lost,,,S,6,\n\
         lost,,,,,http://i/x.jpg\n\
         ,Nobody,,S,6,\n\
         tee,,,,,\n\
         tee,Tee,Size,XL,6,\n\
         \"bad,Bad,Size,S,5,\n\
         bad,,,M,5,\n",
        expect![[r#"
            2: tee_M "Tee - M" 5 image=http://i/t.jpg handle="tee" size="M"
            3! mug price: "nothing" is not a price such as 19.99
            4: mug_Large "Mug - Large" 7 handle="mug" title="Large" clears=image_url
            5: tee_L "Tee - L" 6 image=http://i/t.jpg handle="tee" size="L"
            6!  handle: the first row of the handle "lost", which has the title, is missing, was rejected or is too far away: import all rows of a handle together
            7: left out
            8!  handle: there is no handle, which tells the product of the row
            9!  handle: the row has neither a variant nor an image
            10: tee_XL "Tee - XL" 6 image=http://i/t.jpg handle="tee" size="XL"
            11!  : the quote of value 1 is never closed; it would take in the next line, 12
            12!  handle: the first row of the handle "bad", which has the title, is missing, was rejected or is too far away: import all rows of a handle together
        "#]],
    );
}

#[test]
fn what_the_user_says_goes_before() {
    check(
        "--map id=SKU --map title=Title --map brand=Type --split Tags=; --ignore Published",
        "Handle,Title,Type,Tags,Published,SKU,Price,Option1 Value\na,T,Acme,x,FALSE,1,2,M\n",
        expect![[r#"
            2: 1 "T" 2 brand=Acme sku=1 categories=["Acme"] handle="a" tags=["x"]
        "#]],
    );
    // A change of prices names no titles.
    check(
        "",
        "Handle,Option1 Value,Variant Price\ntee,M,5\ntee,L,6\nmug,Default Title,6\n",
        expect![[r#"
            2: tee_M "" 5 handle="tee"
            3: tee_L "" 6 handle="tee"
            4: mug "" 6 handle="mug"
        "#]],
    );
    let error = |options: &str, feed: &str| {
        let form = form(options);
        let source = Source::read_as("feed", std::io::Cursor::new(feed.to_owned()), &form);
        show_rows(source.and_then(|source| rows(source, None, mapping(""))))
    };
    expect![[r#"the header has no column Handle or "URL handle", which the preset shopify needs; it has id, title, price"#]].assert_eq(&error("--preset shopify", "id,title,price\n"));
    expect!["the preset shopify reads the table that Shopify exports, a CSV or a spreadsheet"]
        .assert_eq(&error("--preset shopify", "{\"id\":\"a\"}"));
    // Another preset, and a table that only has a column of this name, are read as before.
    expect![[r#"
        2: a "T" 1 handle="brass"
    "#]]
    .assert_eq(&error("", "id,Handle,title,price\na,brass,T,1\n"));
}
