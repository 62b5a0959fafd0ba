//! Malformed feeds, of which every good row is read and every bad one named by its line.

use std::fmt::Write as _;
use std::io::Cursor;

use super::{chain, mapping};
use crate::feed::{Source, rows};

/// The lines of a feed: `2:a` was read as product a, `3!` was rejected, `4~` read with a warning; an error
/// that ends the feed is shown from its beginning.
fn outcome(options: &str, feed: &[u8]) -> String {
    let source = Source::from_reader("feed", Cursor::new(feed.to_vec()));
    let found = match source.and_then(|source| rows(source, None, mapping(options))) {
        Ok(found) => found,
        Err(err) => return chain(&err),
    };
    let mut text = String::new();
    for row in found {
        let _ = match row {
            Ok(row) => match row.parsed {
                Ok(import) => {
                    let mark = if row.warnings.is_empty() { ':' } else { '~' };
                    let product = import.and_then(|import| import.product);
                    let id = product.map_or(String::new(), |product| product.id);
                    write!(text, " {}{mark}{id}", row.line)
                }
                Err(_) => write!(text, " {}!", row.line),
            },
            Err(err) => write!(text, " {}", chain(&err)),
        };
    }
    text.trim_start().to_owned()
}

/// Feeds with the header `id,title,price` before them.
const TABLES: &[(&str, &str)] = &[
    // Quotes.
    ("a,\"5\" pipe\",1\nb,T,2\n", "2! 3:b"),
    ("a,\"x \\\"y\\\" z\",1\nb,T,2\n", "2! 3:b"),
    ("a,\"Smart\" phone,1\nb,T,2\n", "2! 3:b"),
    ("a,5\" pipe,1\nb,T,2\n", "2:a 3:b"),
    ("a,T \"x\" y,1\n", "2:a"),
    ("a,\"T,1\nb,U,2\nc,V,3\n", "2! 3:b 4:c"),
    ("a,\"T,1\nb,\"U\",2\nc,V,3\n", "2! 3:b 4:c"),
    ("a,T,1\nb,\"U,2", "2:a 3!"),
    ("\"a,T,1\nb,U,2\n", "2! 3:b"),
    ("a,T,\"1\nb,U,2\n", "2! 3:b"),
    ("a,\"T\nU\",1\nb,V,2\n", "2:a 4:b"),
    ("a,\"T\r\nU\",1\r\nb,V,2\r\n", "2:a 4:b"),
    ("a,\"T\"\"\",1\n", "2:a"),
    ("a,\"\"T\"\",1\nb,U,2\n", "2! 3:b"),
    ("a, \"T, U\" ,1\n", "2:a"),
    ("a,\"T\"x,1\nb,\"U\"y,2\nc,V,3\n", "2! 3! 4:c"),
    ("a,'T, U',1\nb,V,2\n", "2! 3:b"),
    ("a,\"\",1\nb,V,2\n", "2! 3:b"),
    // A quote that ends lines later, in another row.
    ("a,\"T,1\nb,U,2\nc,V 5\",3\nd,W,4\n", "2! 3:b 4:c 5:d"),
    ("a,\"T,1\nb,U 5\",2\n", "2! 3:b"),
    ("a,\"T,1\r\nb,U 5\",2\r\n", "2! 3:b"),
    ("a,T,\"1\nb,U,2\"\nc,V,3\n", "2! 3! 4:c"),
    ("\"a,T,1\nb,U\",2,3\n", "2! 3!"),
    ("a,\"T,1\nb,\"\",2\nc,V 5\",3\n", "2! 3! 4:c"),
    ("a,\"T,1\nb,U,free\nc,V 5\",3\n", "2! 3! 4:c"),
    ("a,\"T,1\nbroken\nc,V 5\",3\n", "2! 3! 4:c"),
    ("a/b,\"T\nU\",1\nc,V,2\n", "2! 4:c"),
    ("a,T,\"1\n2\"\nc,V,3\n", "2! 3! 4:c"),
    // A text of several lines ends before the cells behind it.
    ("a,\"T\nU, V\",1\nc,V,2\n", "2:a 4:c"),
    ("\"a\n\",\"T\",\"1\n\"\nc,V,2\n", "2:a 5:c"),
    ("a,\",\",1\n", "2:a"),
    ("a,\"T\",1\n\"b\",\"U\",\"2\"\n", "2:a 3:b"),
    // Numbers of values.
    ("a,T\nb,U,2\n", "2! 3:b"),
    ("a,T,1,x\nb,U,2\n", "2! 3:b"),
    ("a,T,1,\nb,U,2,,,\n", "2:a 3:b"),
    ("a;T;1\nb,U,2\n", "2! 3:b"),
    ("a,T,1 b,U,2\nc,V,3\n", "2! 3:c"),
    ("\n\na,T,1\n\n\nb,U,2\n\n", "4:a 7:b"),
    (",,\n,,\na,T,1\n", "4:a"),
    ("   \na,T,1\n", "3:a"),
    ("a\tT\t1\nb,U,2\n", "2! 3:b"),
    ("a,\"T\nU\",1,9\nb,V,2\n", "2! 3! 4:b"),
    // Ids.
    (",T,1\nb,U,2\n", "2! 3:b"),
    ("a b,T,1\n", "2!"),
    ("a/b,T,1\n", "2!"),
    ("a.b,T,1\n", "2!"),
    ("ä,T,1\n", "2!"),
    (" a ,T,1\n", "2:a"),
    ("a,T,1\na,U,2\n", "2:a 3:a"),
    ("0042,T,1\n", "2:0042"),
    ("id,title,price\na,T,1\n", "2! 3:a"),
    // Prices.
    ("a,T,\nb,U,2\n", "2! 3:b"),
    ("a,T,free\n", "2!"),
    ("a,T,-1\n", "2!"),
    ("a,T,1.2.3\n", "2!"),
    ("a,T,12.\n", "2!"),
    ("a,T,1e3\n", "2!"),
    ("a,T,NaN\n", "2!"),
    ("a,T,\"1.299,00 €\"\n", "2:a"),
    ("a,T,\"$1,299.00\"\n", "2:a"),
    ("a,T,1.299\n", "2!"),
    ("a,T,\"49,90\"\n", "2:a"),
    ("a,T,USD 12.99\nb,U,12.99 EUR\n", "2:a 3:b"),
    ("a,T,12.99 XYZ\n", "2!"),
    ("a,T,12.99-19.99\n", "2!"),
    ("a,T,99999999999999999999\n", "2:a"),
    ("a,T,=1+1\n", "2!"),
    ("a,T,#N/A\n", "2!"),
    // Endings.
    ("a,T,1", "2:a"),
    ("a,T,1\r\nb,U,2\r\n", "2:a 3:b"),
    ("a,T,1\n\u{1a}\n", "2:a 3!"),
    ("a,T,1\n(2 rows)\n", "2:a 3!"),
];

/// Feeds with the header `id;title;price;description` before them, which has a field of several lines.
const TEXTS: &[(&str, &str)] = &[
    ("a;T;1;\"two\nlines; fine\"\nb;U;2;x\n", "2:a 4:b"),
    ("a;T;1;\"two\n\nlines\"\nb;U;2;x\n", "2:a 5:b"),
    ("a;T;1;\"5 cm\nb;U;2;x\nc;V;3;6\"\nd;W;4;y\n", "2~a 5:d"),
    ("a;T;1;\"5 cm\nb;U;2;x\nno row\"\nd;W;4;y\n", "2:a 5:d"),
    (
        "a;T;1;\"a list\nOf many; many; many; words\"\nd;W;4;y\n",
        "2:a 4:d",
    ),
    // What is rejected anyway takes no row with it.
    (
        "a/b;T;1;\"5 cm\nb;U;2;x\nc;V;3;6\"\nd;W;4;y\n",
        "2! 3:b 4:c 5:d",
    ),
    (
        "a;T;x1;\"5 cm\nb;U;2;x\nc;V;3;6\"\nd;W;4;y\n",
        "2! 3:b 4:c 5:d",
    ),
    ("a;T;x1;\"two\nlines\"\nd;W;4;y\n", "2! 4:d"),
];

/// Feeds as they are.
const FEEDS: &[(&str, &[u8], &str)] = &[
    // No UTF-8 is taken for windows-1252, and that is told.
    ("", b"id,title,price\na,\xff,1\nb,U,2\n", "2:a 3:b"),
    ("", b"sep=;\nid;title;price\na;T;1\n", "3:a"),
    ("", b"\"sep=;\"\r\nid;title;price\r\na;T;1\r\n", "3:a"),
    ("", b"\nid|title|price\na|T|1\n", "3:a"),
    ("", b"ID;Title;Price\na;T;1\n", "2:a"),
    (
        "",
        b"id,gtins\na,4.0E+12\nb,4006381333931.0\nc,4006381333931\n",
        "2~a 3~b 4:c",
    ),
    (
        "",
        b"{\"id\":\"a\"}\n{\"id\":\"b\"\n{\"id\":\"c\"}\n",
        "1:a 2! 3:c",
    ),
    (
        "",
        b"{\"id\":\"a\"}\nnull\n[]\n\"x\"\n{\"id\":\"b\"}",
        "1:a 2! 3! 4! 5:b",
    ),
    ("", b"{\"id\":\"a\",\"x\":NaN}\n{\"id\":\"b\"}", "1! 2:b"),
    ("", b"{'id':'a'}\n{\"id\":\"b\"}", "1! 2:b"),
    (
        "",
        b"[{\"id\":\"a\"},{\"id\":1.5},{},{\"id\":\"b\"}]",
        "1:a 1! 1! 1:b",
    ),
    (
        "",
        b"{\"id\":\"a\",\"title\":{\"en\":\"T\"}}\n{\"id\":\"b\"}",
        "1! 2:b",
    ),
    ("", b"{\"id\":\"a\",\"gtins\":[\"1\"]}\n", "1~a"),
    ("", b"{\"id\":\"a\",\"price\":\"1,2,3\"}\n", "1!"),
    ("", b"{\"id\":\"a\",\"price\":1.999}\n", "1:a"),
    ("--currency USD", b"{\"id\":\"a\",\"price\":1.999}\n", "1!"),
];

#[test]
fn of_a_malformed_feed_every_good_row_is_read() {
    assert!(TABLES.len() + FEEDS.len() >= 60);
    let tables = TABLES.iter().map(|(feed, expected)| {
        let feed = format!("id,title,price\n{feed}");
        ("", feed.into_bytes(), *expected)
    });
    let texts = TEXTS.iter().map(|(feed, expected)| {
        let feed = format!("id;title;price;description\n{feed}");
        ("", feed.into_bytes(), *expected)
    });
    let feeds = FEEDS.iter();
    let feeds = feeds.map(|(options, feed, expected)| (*options, feed.to_vec(), *expected));
    let mut wrong = String::new();
    for (options, feed, expected) in tables.chain(texts).chain(feeds) {
        let found = outcome(options, &feed);
        if found != expected {
            let feed = String::from_utf8_lossy(&feed).into_owned();
            let _ = writeln!(wrong, "{feed:?} {options}\n  is {found}\n  not {expected}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
