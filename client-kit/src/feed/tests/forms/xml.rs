//! XML: which element is a product, and what its columns are.

use expect_test::expect;

use super::check;
use crate::feed::row::ROW_BYTES_MAX;

#[test]
fn a_google_feed_is_found_and_its_fields_are_filled() {
    check(
        "",
        "",
        r#"<?xml version="1.0"?>
<rss version="2.0" xmlns:shop="http://base.google.com/ns/1.0"><channel><title>My shop</title>
<item><shop:id>a</shop:id><title>Lamp &amp; shade&nbsp;set</title><description><![CDATA[<b>Bright</b>]]></description>
<shop:price>4.50 EUR</shop:price><shop:image_link>http://x/a.jpg</shop:image_link><shop:brand>Acme</shop:brand>
<shop:gtin>4006381333931</shop:gtin><shop:mpn>L-1</shop:mpn><shop:product_type>Home &gt; Lamps</shop:product_type>
<shop:availability>in stock</shop:availability>
<shop:shipping><shop:country>DE</shop:country></shop:shipping><shop:shipping><shop:country>FR</shop:country></shop:shipping></item>
<item><shop:id>b</shop:id><title>T</title></item>
</channel></rss>"#,
        expect![[r#"
            3: a "Lamp & shade\u{a0}set" 4.50 EUR description=<b>Bright</b> image=http://x/a.jpg brand=Acme sku=L-1 gtins=["4006381333931"] categories=["Home", "Lamps"] availability="in stock" shipping.country=["DE", "FR"]
            8: b "T"
            note: products are read from the element rss/channel/item: --item PATH names another
            note: the feed is one of Google: g:id, g:price, g:gtin and others fill the fields that no --map names
        "#]],
    );
}

#[test]
fn the_item_is_named_or_the_element_that_repeats() {
    let feed = "<shop><currencies><c id='EUR'/><c id='USD'/></currencies><offers>
<offer id='1'><name xml:lang='en'>Cup</name><name xml:lang='de'>Tasse</name><price currency='EUR'>2</price><weight>250</weight></offer>
<offer id='2'><name>Mug</name><price>3</price><tag>a</tag><tag>b</tag></offer></offers></shop>";
    check(
        "",
        "--map id=@id --map title=name --map currency=price.@currency",
        feed,
        expect![[r#"
            2: 1 "Cup" 2 EUR name.de="Tasse" weight=250
            3: 2 "Mug" 3 tag=["a", "b"]
            note: products are read from the element shop/offers/offer: --item PATH names another
        "#]],
    );
    check(
        "--item offers/offer",
        "--map id=@id --map title=name",
        feed,
        expect![[r#"
            2: 1 "Cup" 2 EUR name.de="Tasse" weight=250
            3: 2 "Mug" 3 tag=["a", "b"]
        "#]],
    );
    check(
        "--item product",
        "",
        feed,
        expect![[r#"
        line 3: the XML has no element product: --item PATH names the element of a product; it has shop, shop/currencies, shop/currencies/c, shop/offers, shop/offers/offer, shop/offers/offer/name, shop/offers/offer/price, shop/offers/offer/weight, shop/offers/offer/tag
    "#]],
    );
    check(
        "",
        "",
        "<a><b>1</b></a>",
        expect![
            "feed: XML in which no element repeats: --item PATH names the element of a product; it has a, a/b"
        ],
    );
    check(
        "",
        "",
        "<!DOCTYPE html><html><body>Log in</body></html>",
        expect!["feed: an HTML page and no feed: is it the answer of a login or an error?"],
    );
}

#[test]
fn what_is_wrong_with_an_item_ends_with_it() {
    let long = "x".repeat(ROW_BYTES_MAX);
    let feed = format!(
        "<f><p><id>a</id><title>T</title><price>1</price></p>
<p><id>b</id><title>T</id></p>
<p><id>c</id><title>x & y</title><price>1</price></p>
<p><id>d</id><title>x &what; y</title><price>1</price></p>
<p><id>e</id><title>{long}</title><price>1</price></p>
<p><id>f</id><title>T</title><price>1</price>
<p><id>g</id><title>T</title><price>1</price></p>
<p><id>h</id><title>T</title><price>1</price></p></f>"
    );
    check(
        "",
        "",
        feed,
        expect![[r#"
            1: a "T" 1
            2!  : no well-formed XML: ill-formed document: expected `</title>`, but `</id>` was found
            3!  : no well-formed XML: ill-formed document: entity or character reference not closed: `;` not found before end of input
            4!  : no well-formed XML: &what; is no known entity: write its character, or &amp; for an &
            5!  : the row is longer than 1048576 bytes
            6!  : the element <p> is not closed before line 7
            7: g "T" 1
            8: h "T" 1
            note: products are read from the element f/p: --item PATH names another
        "#]],
    );
    check(
        "",
        "",
        "<f><p><id>a</id></p>\n<p><id>b</id>",
        expect![[r#"
            1: a ""
            line 2: the element <p> that starts here is not closed
            note: products are read from the element f/p: --item PATH names another
        "#]],
    );
    check(
        "",
        "",
        "<f><p><id>a</id></p>\n<p><id>b</id></p>\n",
        expect![[r#"
            1: a ""
            2: b ""
            line 3: the XML ends inside of <f>: it was cut off, get it again
            note: products are read from the element f/p: --item PATH names another
        "#]],
    );
}

#[test]
fn entities_of_its_own_are_refused() {
    check(
        "--item p",
        "",
        "<!DOCTYPE f [<!ENTITY a \"aaaa\"><!ENTITY b SYSTEM \"file:///etc/passwd\">]><f><p>&b;</p></f>",
        expect![[r#"
            line 1: the XML defines entities of its own, which are not read: write their values instead and remove <!DOCTYPE …>
        "#]],
    );
}

#[test]
fn bmecat_is_found_and_its_features_are_attributes() {
    check(
        "",
        "",
        r#"<?xml version="1.0" encoding="ISO-8859-1"?><BMECAT version="2005"><HEADER><CATALOG><LANGUAGE>deu</LANGUAGE></CATALOG></HEADER>
<T_NEW_CATALOG><PRODUCT mode="new"><SUPPLIER_PID>4711</SUPPLIER_PID><PRODUCT_DETAILS><DESCRIPTION_SHORT>Bohrer</DESCRIPTION_SHORT>
<INTERNATIONAL_PID type="gtin">4006381333931</INTERNATIONAL_PID><MANUFACTURER_NAME>Acme</MANUFACTURER_NAME><KEYWORD>drill</KEYWORD><KEYWORD>steel</KEYWORD></PRODUCT_DETAILS>
<PRODUCT_FEATURES><FEATURE><FNAME>Diameter</FNAME><FVALUE>8</FVALUE><FUNIT>mm</FUNIT></FEATURE></PRODUCT_FEATURES>
<PRODUCT_PRICE_DETAILS><PRODUCT_PRICE price_type="net_list"><PRICE_AMOUNT>4.5</PRICE_AMOUNT><PRICE_CURRENCY>EUR</PRICE_CURRENCY></PRODUCT_PRICE></PRODUCT_PRICE_DETAILS>
<MIME_INFO><MIME><MIME_TYPE>image/jpeg</MIME_TYPE><MIME_SOURCE>http://x/d.jpg</MIME_SOURCE></MIME></MIME_INFO></PRODUCT></T_NEW_CATALOG></BMECAT>"#,
        expect![[r#"
            2: 4711 "Bohrer" 4.5 EUR image=http://x/d.jpg brand=Acme gtins=["4006381333931"] Diameter="8 mm" keywords=["drill", "steel"] mode="new"
            note: products are read from the element ARTICLE or PRODUCT: --item PATH names another
            note: the feed is one of BMEcat: SUPPLIER_PID, DESCRIPTION_SHORT and others fill the fields that no --map names
        "#]],
    );
}
