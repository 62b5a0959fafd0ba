//! Columns that are cut into lists.

use clap::Parser as _;
use expect_test::expect;

use super::{Args, check};
use crate::feed::mapping::Mapping;

#[test]
fn columns_are_split_into_lists() {
    check(
        "--split Colours=| --split widths=, --split state=--",
        "id;title;price;Colours;widths;state\n\
         a;T;1;Red| Blue |;1,2.5,007;new -- true\n\
         b;T;1;Red;;a-b\n",
        expect![[r#"
            2: a "T" 1 colours=["Red", "Blue"] state=["new", true] widths=[1, 2.5, "007"]
            3: b "T" 1 colours=["Red"] state=["a-b"]
        "#]],
    );
    check(
        "--split widths=, --keep-text",
        "id;title;price;widths\na;T;1;1,2\n",
        expect![[r#"
            2: a "T" 1 widths=["1", "2"]
        "#]],
    );
    // An array is a list by itself, and a text of JSON is a text.
    check(
        "--split tags=| --split dims.w=/",
        r#"{"id":"a","title":"T","price":1,"tags":"x|1","dims":{"w":"3/4"}}
{"id":"b","title":"T","price":1,"tags":["x|1"],"attributes":{"tags":"y|z"}}"#,
        expect![[r#"
            1: a "T" 1 dims.w=["3", "4"] tags=["x", "1"]
            2: b "T" 1 tags=["y", "z"] tags_2=["x|1"]
        "#]],
    );
    check(
        "--split tag=|",
        "id,title,price,tags\na,T,1,x|y\n",
        expect![[r#"the header has no column "tag" to split; it has id, title, price, tags"#]],
    );
}

#[test]
fn only_an_attribute_is_split_and_only_once() {
    let args = Args::parse_from(["test", "--split", "sizes=|", "--split", "sizes=;"]);
    let twice = Mapping::new(args.mapping).expect_err("twice");
    assert_eq!(twice, "--split names sizes twice");
    let args = Args::parse_from(["test", "--map", "brand=maker", "--split", "maker=|"]);
    let field = Mapping::new(args.mapping).expect_err("a field");
    assert_eq!(
        field,
        "--split maker: the column fills the field brand, and only attributes are split"
    );
    for bad in ["sizes", "sizes=", "=|"] {
        assert!(
            Args::try_parse_from(["test", "--split", bad]).is_err(),
            "{bad}"
        );
    }
}
