//! No reader panics, whatever its input is.

use std::io::Cursor;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::told;

#[test]
fn damaged_feeds_of_every_form_end() {
    let google = "<rss xmlns:g=\"http://base.google.com/ns/1.0\"><channel><item><g:id>a</g:id><title>T&amp;<![CDATA[x]]></title><g:price>1 EUR</g:price></item><!-- c --><item><g:id>b</g:id></item></channel></rss>";
    let bmecat = "<BMECAT><T_NEW_CATALOG><ARTICLE><SUPPLIER_AID>1</SUPPLIER_AID><ARTICLE_DETAILS><DESCRIPTION_SHORT>x</DESCRIPTION_SHORT></ARTICLE_DETAILS></ARTICLE></T_NEW_CATALOG></BMECAT>";
    let wrapper =
        "{\"a\":{\"b\":[{\"id\":\"a\",\n\"title\":\"T\",\"price\":1},{\"id\":\"b\"}]},\"c\":1}\n";
    let objects = "{\n\"id\":\"a\",\"x\":[1,{\"y\":\"\\\"z\"}]}\n{\"id\":\"b\"}";
    let whole = prop_oneof![Just(google), Just(bmecat), Just(wrapper), Just(objects)];
    let damage = vec((any::<Index>(), any::<u8>()), 0..8);
    proptest!(|(whole in whole, damage in damage, cut in any::<Index>())| {
        let mut feed = whole.as_bytes().to_vec();
        for (place, byte) in damage {
            let place = place.index(feed.len());
            feed[place] = byte;
        }
        feed.truncate(cut.index(feed.len() * 4).max(1));
        let text = told("", "", Cursor::new(feed));
        prop_assert!(text.lines().count() < 1_000);
    });
}
