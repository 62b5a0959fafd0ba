//! GTINs and addresses of images, however a feed writes them.

use std::io::Cursor;

use super::forms::told;

/// What is read of a text as the value of a field: the product, then what is told of it.
fn read(column: &str, text: &str) -> String {
    let feed = serde_json::json!({ "id": "a", column: text }).to_string();
    told("", "", Cursor::new(feed))
}

fn check(column: &str, cases: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let found = read(column, text);
        if found != format!("1: a \"\"{expected}\n") {
            wrong.push_str(&format!(
                "{text:?}\n  is  {found}  not 1: a \"\"{expected}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_gtin_may_have_blanks_and_hyphens_in_it() {
    const ONE: &str = " gtins=[\"4006381333931\"]";
    const TWO: &str = " gtins=[\"4006381333931\", \"96385074\"]";
    check(
        "gtins",
        &[
            ("4006381333931", ONE),
            ("4 006381 333931", ONE),
            ("4\u{a0}006381\u{a0}333931", ONE),
            ("4\u{2009}006381\u{202f}333931", ONE),
            ("400-6381-333931", ONE),
            ("4006381\u{2011}333931\u{200b}", ONE),
            ("'4006381333931", ONE),
            ("=\"4006381333931\"", ONE),
            ("978-3-16-148410-0", " gtins=[\"9783161484100\"]"),
            // Several, however they are separated.
            ("4006381333931 96385074", TWO),
            ("4006381333931\u{a0}96385074", TWO),
            ("4 006381 333931, 9638 5074", TWO),
            ("4 006381 333931;96385074", TWO),
            ("4006381333931|96385074", TWO),
            ("4006381333931/96385074", TWO),
            // What is none is told as it stands, and takes no other one with it.
            (
                "96385074 12",
                " gtins=[\"96385074\"]\n1~ a gtins: \"12\" is left out: a GTIN has 8 to 14 digits",
            ),
            (
                "4 00 12",
                "\n1~ a gtins: \"4 00 12\" is left out: a GTIN has 8 to 14 digits",
            ),
            (
                "00000000000000",
                "\n1~ a gtins: \"00000000000000\" is left out: a GTIN of zeros stands for none",
            ),
            (
                "0000-0000",
                "\n1~ a gtins: \"0000-0000\" is left out: a GTIN of zeros stands for none",
            ),
        ],
    );
}

#[test]
fn a_formula_of_a_text_is_its_text_in_every_column() {
    let feed = "=\"id\",title,gtins,sku,ean,note\n\
                =\"007\",=\"T\",=\"4006381333931\",\"=\"\"0815\"\"\",=\"96385074\",=\"a\n\
                b,=\"a\"\"b\",,=A1,=\"\",x=\"1\"\n";
    let expected = "2: 007 \"T\" sku=0815 gtins=[\"4006381333931\"] ean=\"96385074\" note=\"=\\\"a\"\n\
                    3: b \"=\\\"a\\\"\\\"b\\\"\" sku==A1 note=\"x=\\\"1\\\"\" clears=gtins\n";
    assert_eq!(told("", "", Cursor::new(feed)), expected);
}

#[test]
fn an_address_of_an_image_is_mended_where_that_has_one_meaning() {
    check(
        "image_url",
        &[
            ("https://x/a.jpg", " image=https://x/a.jpg"),
            ("HTTPS://X.EXAMPLE/A.jpg", " image=https://X.EXAMPLE/A.jpg"),
            ("Http://x/a.jpg", " image=http://x/a.jpg"),
            ("//cdn.example/a.jpg", " image=https://cdn.example/a.jpg"),
            (" https://x/a b.jpg ", " image=https://x/a%20b.jpg"),
            ("https://x/a\u{a0}b.jpg", " image=https://x/a%C2%A0b.jpg"),
            ("https://x/{a}|b.jpg", " image=https://x/%7Ba%7D%7Cb.jpg"),
            ("https://x/%20ä.jpg", " image=https://x/%20ä.jpg"),
            (
                "https://x/?u=https://y/a.jpg",
                " image=https://x/?u=https://y/a.jpg",
            ),
        ],
    );
}

#[test]
fn what_is_no_address_of_an_image_is_left_out_and_the_product_stays() {
    let left_out = |text: &str, why: &str| {
        let expected = format!("\n1~ a image_url: {text:?} is left out: {why}");
        check("image_url", &[(text, &expected)]);
    };
    let address = "an image has an address of http or https, such as https://shop.example/a.jpg";
    for text in [
        "www.example.com/a.jpg",
        "/media/a.jpg",
        "no_selection",
        "C:\\images\\a.jpg",
        "ftp://x/a.jpg",
        "data:image/png;base64,AAAA",
        "https://",
        "https:///a.jpg",
        "https://a b.example/a.jpg",
        "https:\\\\x\\a.jpg",
        "https://x/a\u{7}.jpg",
        "///a.jpg",
    ] {
        left_out(text, address);
    }
    let several =
        "it has several addresses, and an image one: --map image_url=COLUMN names a column of one";
    for text in [
        "https://x/a.jpg https://x/b.jpg",
        "https://x/a.jpg|https://x/b.jpg",
        "https://x/a.jpg, https://x/b.jpg",
        "https://x/a.jpg;//x/b.jpg",
    ] {
        left_out(text, several);
    }
    let long = format!("https://x/{}.jpg", "a".repeat(2_000));
    let found = read("image_url", &long);
    assert!(
        found.starts_with("1: a \"\"\n1~ a image_url: \"https://x/aaa")
            && found.ends_with("…\" is left out: an address has 2000 bytes at most\n"),
        "{found}"
    );
}
