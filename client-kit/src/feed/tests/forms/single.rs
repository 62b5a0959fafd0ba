//! XML with a single product, whose own elements repeat, and products whose id is an attribute.

use std::fmt::Write as _;
use std::io::Cursor;

use super::told;

/// Feeds of XML, and the element that is taken for the product.
const FEEDS: &[(&str, &str)] = &[
    // Plain.
    (
        "<products><product><id>1</id><title lang='de'>T</title><title lang='en'>U</title></product></products>",
        "products/product",
    ),
    (
        "<products><product id='1'><param name='a'>x</param><param name='b'>y</param></product></products>",
        "products/product",
    ),
    (
        "<Products><Product><Id>1</Id><Images><Image><Url>u</Url></Image><Image><Url>v</Url></Image></Images></Product></Products>",
        "Products/Product",
    ),
    (
        "<x:catalog xmlns:x='urn:x'><x:ITEM><x:sku>1</x:sku><x:tag k='1'/><x:tag k='2'/></x:ITEM></x:catalog>",
        "x:catalog/x:ITEM",
    ),
    // The product is the whole.
    (
        "<product id='1'><title>T</title><picture n='1'>a</picture><picture n='2'>b</picture></product>",
        "product",
    ),
    // Yandex.
    (
        "<yml_catalog><shop><currencies><currency id='RUR' rate='1'/><currency id='EUR' rate='90'/></currencies>\
         <categories><category id='1'>A</category><category id='2' parentId='1'>B</category></categories>\
         <offers><offer id='1'><name>T</name><picture>a</picture><picture>b</picture><param name='x'>1</param>\
         <param name='y'>2</param></offer></offers></shop></yml_catalog>",
        "yml_catalog/shop/offers/offer",
    ),
    // Groups beside the product.
    (
        "<shop><categories><category><id>1</id></category><category><id>2</id></category></categories>\
         <articles><article><id>1</id><name>T</name></article></articles></shop>",
        "shop/articles/article",
    ),
    // Shopify.
    (
        "<products type='array'><product><id type='integer'>1</id><title>T</title><variants type='array'>\
         <variant><id>11</id></variant><variant><id>12</id></variant></variants></product></products>",
        "products/product",
    ),
    // Google and Atom.
    (
        "<rss xmlns:g='http://base.google.com/ns/1.0'><channel><item><g:id>1</g:id><g:additional_image_link>a\
         </g:additional_image_link><g:shipping><g:country>DE</g:country></g:shipping>\
         <g:shipping><g:country>FR</g:country></g:shipping></item></channel></rss>",
        "rss/channel/item",
    ),
    (
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:g='http://base.google.com/ns/1.0'><id>f</id>\
         <entry><g:id>1</g:id><link rel='a' href='x'/><link rel='b' href='y'/></entry></feed>",
        "feed/entry",
    ),
    // A name that says nothing: the element around the repeated ones has an id.
    (
        "<catalog><rec><id>1</id><param name='a'>x</param><param name='b'>y</param></rec></catalog>",
        "catalog/rec",
    ),
    (
        "<catalog><rec nr='5' sku='1'><pictures><pic><u>x</u></pic><pic><u>y</u></pic></pictures></rec></catalog>",
        "catalog/rec",
    ),
    (
        "<catalog><rec><id>1</id><name>T</name></rec></catalog>",
        "catalog/rec",
    ),
    // Several products stay what they were.
    ("<f><p id='1' price='5'/><p id='2' price='6'/></f>", "f/p"),
    (
        "<f id='9'><p id='1' price='5'/><p id='2' price='6'/></f>",
        "f/p",
    ),
    (
        "<orders><rec><id>1</id><items><item><id>5</id></item></items></rec><rec><id>2</id></rec></orders>",
        "orders/rec",
    ),
    (
        "<groups><group><product><id>1</id></product><product><id>2</id></product></group>\
         <group><product><id>3</id></product></group></groups>",
        "groups/group/product",
    ),
    (
        "<catalog><id>x</id><p><id>1</id><n>T</n></p><p><id>2</id><n>U</n></p></catalog>",
        "catalog/p",
    ),
];

#[test]
fn the_element_of_a_single_product_is_found() {
    let mut wrong = String::new();
    for (feed, expected) in FEEDS {
        let text = told("", "", Cursor::new(*feed));
        let note = format!("note: products are read from the element {expected}: --item ");
        if !text.contains(&note) {
            let _ = writeln!(wrong, "{feed}\n  {expected}: {text}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn an_id_that_is_an_attribute_is_one_where_no_element_is() {
    let note = "note: the attribute id of the element of a product is its id: --map id=COLUMN takes another\n";
    let item = "note: products are read from the element f/p: --item PATH names another\n";
    let hint = |option: &str, field: &str| {
        format!(
            "note: nothing fills the {field}: {option}=@{field} takes it from an attribute of the element\n"
        )
    };
    for (options, feed, expected) in [
        (
            "--price @price",
            "<f><p id='1' price='5'/><p id='2' price='6'/></f>",
            format!("1: 1 \"\" 5\n1: 2 \"\" 6\n{item}{note}"),
        ),
        (
            "",
            "<f><p id='1' brand='X'><title>T</title></p><p id='2'/></f>",
            format!(
                "1: 1 \"T\" brand=\"X\"\n1: 2 \"\"\n{item}{note}{}",
                hint("--map brand", "brand")
            ),
        ),
        (
            "",
            "<f><p id='1' price='5'><title>T</title></p><p id='2'/></f>",
            format!(
                "1: 1 \"T\" price=5\n1: 2 \"\"\n{item}{note}{}",
                "note: nothing fills the price: --price @price takes it from an attribute of the element\n"
            ),
        ),
        // The first product settles it.
        (
            "",
            "<f><p id='9'><id>a</id></p><p id='8'><title>T</title></p></f>",
            format!(
                "1: a \"\" id=9\n1!  id: there is nothing in column \"id\": --map id=@id takes the attribute\n{item}"
            ),
        ),
        (
            "--map id=nr",
            "<f><p nr='1'/><p nr='2'/></f>",
            format!(
                "1!  id: there is nothing in column \"nr\": --map id=@nr takes the attribute\n1!  id: there is nothing in \
                 column \"nr\": --map id=@nr takes the attribute\n{item}note: no product of the feed has the column \
                 \"nr\" that --map id names: did you mean \"@nr\"?\n"
            ),
        ),
    ] {
        assert_eq!(told("", options, Cursor::new(feed)), expected, "{feed}");
    }
}

#[test]
fn a_title_with_attributes_is_the_title() {
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:g='http://base.google.com/ns/1.0'>\
                <entry><g:id>1</g:id><title type='html'>T &amp;amp; U</title><summary type='text'>S</summary></entry></feed>";
    let text = told("", "", Cursor::new(atom));
    assert_eq!(
        text.lines().next(),
        Some("1: 1 \"T & U\" description=S"),
        "{text}"
    );
}
