//! Where feeds name the currency of their prices, in every form.

use std::io::Cursor;

use expect_test::expect;

use super::forms::{Table, check_table};
use super::read;
use crate::feed::{Source, rows, telling_of_currencies};

#[test]
fn a_column_of_currencies_has_codes_or_signs() {
    check_table(
        "--map currency=money",
        Table(&[
            &["id", "price", "money"],
            &["a", "12,50", "€"],
            &["b", "12,50", "eur"],
            &["c", "1.299,00 €", "EUR"],
            &["d", "$5", "USD"],
            &["e", "12,50", "kr"],
            &["f", "12,50", "Euro"],
            &["g", "12,50 €", "$"],
            &["h", "", "€"],
            &["i", "12,50", ""],
        ]),
        expect![[r#"
            2: a "" 12.50 EUR
            3: b "" 12.50 EUR
            4: c "" 1299.00 EUR
            5: d "" 5 USD
            6! e currency: "kr" is the sign of several currencies, write a code such as SEK
            7! f currency: "Euro" is not an ISO 4217 currency code such as USD
            8! g price: "12,50 €" is not in USD, the currency of the row
            9! h price: there is nothing in column "price"
            10: i "" 12.50
        "#]],
    );
    check_table(
        "--currency CAD",
        Table(&[&["id", "price", "currency"], &["a", "5", "$"]]),
        expect![[r#"
            2: a "" 5 CAD
        "#]],
    );
}

#[test]
fn the_currency_of_a_price_in_xml_stands_in_it_or_beside_it() {
    let item = |price: &str| format!("<f><i><id>a</id>{price}</i><i><id>b</id></i></f>");
    for (price, expected) in [
        ("<price currency='EUR'>26.00</price>", "26.00 EUR"),
        ("<price currencyId='GBP'>26</price>", "26 GBP"),
        ("<price ccy='chf'>26</price>", "26 CHF"),
        ("<price Currency='€'>26,50</price>", "26.50 EUR"),
        ("<price currency='USD'>$26.00</price>", "26.00 USD"),
        (
            "<price><amount>12.50</amount><currency>GBP</currency></price>",
            "12.50 GBP",
        ),
        (
            "<price currency_code='JPY'><value>1.299</value></price>",
            "1299 JPY",
        ),
        ("<price><amount currency='PLN'>5</amount></price>", "5 PLN"),
        (
            "<price><value>5</value><currency code='SEK'/></price>",
            "5 SEK",
        ),
        ("<price>300</price><currencyId>RUR</currencyId>", "300 RUB"),
        (
            "<priceCurrency>EUR</priceCurrency><price>5</price>",
            "5 EUR",
        ),
        // What is said of a price beside its currency is what it was.
        (
            "<price currency='EUR' vat='19'>26.00</price>",
            "26.00 EUR price._vat=19",
        ),
        // A number is a key of the shop, and no currency.
        (
            "<price currencyId='2'>26.00</price>",
            "26.00 price._currencyid=2",
        ),
        // Without a price it is an attribute as before.
        (
            "<price_currency>EUR</price_currency>",
            "price_currency=\"EUR\"",
        ),
        (
            "<old_price currency='EUR'>30</old_price>",
            "old_price=30 old_price._currency=\"EUR\"",
        ),
    ] {
        let expected = format!("1: a \"\" {expected}\n1: b \"\"\n");
        assert_eq!(
            read("", None, Cursor::new(item(price))),
            expected,
            "{price}"
        );
    }
    let rejected = |price: &str| read("", None, Cursor::new(item(price)));
    assert_eq!(
        rejected("<price currency='Taler'>5</price>"),
        "1! a currency: column \"price.@currency\": \"Taler\" is not an ISO 4217 currency code such as USD, or --ignore price.@currency\n1: b \"\"\n",
    );
    assert_eq!(
        rejected("<price currency='EUR'>5</price><currency>USD</currency>"),
        "1! a currency: column \"currency\" names USD and column \"price.@currency\" EUR: --ignore one of them\n1: b \"\"\n",
    );
    assert_eq!(
        rejected("<price currency='EUR'>$5</price>"),
        "1! a price: \"$5\" is not in EUR, the currency of the row\n1: b \"\"\n",
    );
}

#[test]
fn options_say_which_currency_it_is_and_whose() {
    for (options, price, expected) in [
        ("--currency USD", "<price currency='EUR'>5</price>", "5 EUR"),
        ("--currency USD", "<price>5</price>", "5 USD"),
        (
            "--map currency=money",
            "<price currency='EUR'>5</price><money>GBP</money>",
            "5 GBP price._currency=\"EUR\"",
        ),
        (
            "--ignore price.@currency",
            "<price currency='EUR'>5</price>",
            "5",
        ),
        ("--price cost", "<cost currency='EUR'>5</cost>", "5 EUR"),
        (
            "--price cost",
            "<cost><amount>5</amount><ccy>EUR</ccy></cost>",
            "5 EUR",
        ),
        (
            "--price offer.cost",
            "<offer><cost>5</cost><currency>EUR</currency></offer>",
            "5 EUR",
        ),
        (
            "--price-minor price",
            "<price currency='JPY'>500</price>",
            "500 minor JPY",
        ),
        (
            "--price cost",
            "<cost>5</cost><price currency='EUR'>6</price>",
            "5 price=6 price._currency=\"EUR\"",
        ),
    ] {
        let feed = format!("<f><i><id>a</id>{price}</i><i><id>b</id></i></f>");
        let expected = format!("1: a \"\" {expected}\n1: b \"\"\n");
        assert_eq!(
            read(options, None, Cursor::new(feed)),
            expected,
            "{options} {price}"
        );
    }
}

#[test]
fn the_currency_of_a_price_in_json_is_a_member_of_it_or_beside_it() {
    for (members, expected) in [
        (r#""price":{"amount":26,"currency":"EUR"}"#, "26 EUR"),
        (
            r#""price":{"currency_code":"GBP","value":"26.00"}"#,
            "26.00 GBP",
        ),
        (r#""price":{"value":"12,5 €"}"#, "12.5 EUR"),
        (r#""price":{"amount":1.299,"currency":"KWD"}"#, "1.299 KWD"),
        (
            r##""price":{"#text":"26.00","@currency":"EUR"}"##,
            "26.00 EUR",
        ),
        (
            r#""price":{"amount":26,"currency":{"code":"EUR"}}"#,
            "26 EUR",
        ),
        (
            r#""price":{"amount":26,"currency":"EUR","vat":19,"label":"now"}"#,
            "26 EUR price.label=\"now\" price.vat=19",
        ),
        (r#""price":26,"price_currency":"EUR""#, "26 EUR"),
        (r#""priceCurrency":"EUR","price":26"#, "26 EUR"),
        (r#""price":26,"currencyCode":"eur""#, "26 EUR"),
        (r#""price":26,"Currency":"EUR""#, "26 EUR"),
        (r#""price":26,"currency_id":7"#, "26 currency_id=7"),
        (
            r#""price":26,"currency_id":"c-7""#,
            "26 currency_id=\"c-7\"",
        ),
        (
            r#""price":26,"price_currency":null"#,
            "26 clears=attributes.price_currency",
        ),
    ] {
        let feed = format!("{{\"id\":\"a\",{members}}}\n");
        let expected = format!("1: a \"\" {expected}\n");
        assert_eq!(read("", None, Cursor::new(feed)), expected, "{members}");
    }
    for (members, expected) in [
        (
            r#""price":{"gross":26,"net":22}"#,
            "1! a price: expected a single value, found an object: map COLUMN.gross\n",
        ),
        (
            r#""price":{"amount":26,"value":22}"#,
            "1! a price: expected a single value, found an object: map COLUMN.amount\n",
        ),
        (
            r#""price":{"amount":null,"currency":"EUR"}"#,
            "1! a price: there is nothing in column \"price\"\n",
        ),
        (
            r#""price":{"amount":1,"currency":"EUR"},"price_currency":"USD""#,
            "1! a currency: column \"price.currency\" names EUR and column \"price_currency\" USD: --ignore one of them\n",
        ),
    ] {
        let feed = format!("{{\"id\":\"a\",{members}}}\n");
        assert_eq!(read("", None, Cursor::new(feed)), expected, "{members}");
    }
}

#[test]
fn a_table_has_the_currency_of_its_prices_in_a_column() {
    for column in [
        "price_currency",
        "Price Currency",
        "currencyCode",
        "price.@currency",
        "CCY",
    ] {
        let feed = format!("id,price,{column}\na,5,EUR\nb,5,\n");
        let found = read("", None, Cursor::new(feed));
        assert_eq!(found, "2: a \"\" 5 EUR\n3: b \"\" 5\n", "{column}");
    }
    check_table(
        "--price cost",
        Table(&[
            &[
                "id",
                "cost",
                "cost_currency",
                "price_currency",
                "currency_id",
            ],
            &["a", "5", "£", "EUR", "3"],
            &["b", "", "EUR", "EUR", "4"],
        ]),
        expect![[r#"
            2: a "" 5 GBP currency_id=3 price_currency="EUR"
            3! b price: there is nothing in column "cost"
        "#]],
    );
}

#[test]
fn a_price_that_names_no_currency_is_told_once() {
    let told = |options: &str, feed: &'static str| {
        let source = Source::from_reader("feed", feed.as_bytes()).expect("source");
        let notes = source.notes();
        let found = rows(source, None, super::mapping(options)).expect("rows");
        let count = telling_of_currencies(found, notes.clone()).count();
        (count, notes.take().join("\n"))
    };
    let note = "prices that name no currency, as in line 3, have that of their product, and the default one of the \
                catalog in a new product: --currency CODE names it";
    let feed = "id,price,title\na,5 €,A\nb,5,B\nc,6,C\n";
    assert_eq!(told("", feed), (3, note.to_owned()));
    assert_eq!(
        told("--price-minor price", "id,price\n,1\na,x\nb,0\nc,5\n").0,
        4
    );
    assert_eq!(told("--currency EUR", feed), (3, String::new()));
    assert_eq!(told("", "id,title\na,A\n"), (1, String::new()));
}
