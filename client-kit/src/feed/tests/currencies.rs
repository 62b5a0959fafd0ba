//! Where feeds name the currency of their prices, in every form.

use expect_test::expect;

use super::forms::{Table, check_table};

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
