//! Valid feeds of every form.

use super::super::forms::form;
use super::super::forms::sheet::{ods_entries, ods_row, row, xls, xlsb_entries, xlsx_entries};
use super::super::mapping;
use crate::export::tests::products;
use crate::export::{Columns, Fields, Form};
use crate::feed::{FormArgs, Mapping};

/// A feed, and the options that it is read with.
#[derive(Clone, Debug)]
pub(super) struct Seed {
    pub(super) name: &'static str,
    pub(super) form: FormArgs,
    pub(super) mapping: Mapping,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Text(Vec<u8>),
    /// A file that is no text.
    Binary(Vec<u8>),
    /// The entries of a zip archive.
    Entries(Vec<(&'static str, Vec<u8>)>),
}

/// Texts: name, options of the form, options of the columns, feed.
const TEXTS: [(&str, &str, &str, &str); 28] = [
    (
        "csv",
        "",
        "",
        "id,title,price,brand,gtins,Weight (g),art,categories\na,\"He said \"\"hi\"\",\nand left\",19.9,Acme,4006381333931;96385074,250,007,Home > Toys\nb,T&eacute;,1,,,1.5,x,\n",
    ),
    (
        "csv of a spreadsheet",
        "",
        "--map id=Artikel --map title=Titel --price Preis --split Farben=| --flag Neu --skip 1",
        "Preisliste 2026\nArtikel;Titel;Preis;Farben;Version;Neu\na1;Bohrer \"Blitz\";1.299,00 \u{20ac};rot|blau;4.10;ja\na2;S\u{e4}ge;49,90;gr\u{fc}n;4.1;nein\n",
    ),
    (
        "csv with sep",
        "",
        "--keep-text",
        "\"sep=|\"\r\nid|title|price|weight\r\na|T;U|1|250\r\nb|\"x\r\ny\"|2|\r\n",
    ),
    (
        "csv of an old Mac",
        "--format csv",
        "",
        "id,title,price\ra,T,1\rb,\"U\",2\r",
    ),
    (
        "tsv",
        "--format csv",
        "--text art",
        "id\ttitle\tprice\tart\na\tT\t1\t4.10\nb\tU\t2\t\n",
    ),
    (
        "csv with a long separator",
        "--format csv",
        "--delimiter || --decimal-comma --price-minor cents --currency EUR",
        "id||title||cents||w\na||T||1999||1,5\nb||U||5||2.000,5\n",
    ),
    (
        "csv of changes",
        "",
        "--replace --expect-version version --category-separator /",
        "ID,Title,Price,Currency,Status,version,categories\na,T,1.5,EUR,active,3,A/B\nb,U,2,KWD,discontinued,1,C\n",
    ),
    (
        "csv of Google",
        "--preset google",
        "",
        "id\ttitle\tdescription\tprice\timage_link\tgtin\tmpn\tproduct_type\na\tT\tD\t4.50 EUR\thttp://x/a.jpg\t4006381333931\tL-1\tHome > Lamps\n",
    ),
    (
        "tsv for Google",
        "",
        "",
        "id\ttitle\tg:price\tlink\timage_link\tgtin\tmpn\tproduct_type\na\tT\t4.50 EUR\thttp://x/a\thttp://x/a.jpg\t4006381333931\tL-1\tHome > Lamps\n",
    ),
    (
        "csv with rows in a text",
        "",
        "",
        "id,title,price,price_currency,note\na,Lamp,3,EUR,\"x\nb,T,4,\u{20ac},\nc,Pipe,5,USD,y 5\"\nd,U,6,GBP,\"two\nlines\"\n",
    ),
    (
        "csv of Icecat",
        "--preset icecat",
        "--ignore noise",
        "id,title,price,supplier,ean,attr_t_size,attr_n_size,noise\na,T,1999,Acme,4006381333931,2 m,2,x\n",
    ),
    (
        "csv of a report",
        "",
        "",
        "id,title,price,import_line,import_error,import_row\na,T,1,7,price: wrong,\n",
    ),
    (
        "json lines",
        "",
        "--map brand=supplier --map image_url=media.main --strip-prefix attr_t_ --split tags=| --split dims.w=/",
        "{\"id\":\"a\",\"title\":\" Mouse \",\"supplier\":\"Acme\",\"price\":19.99,\"media\":{\"main\":\"http://x/c\",\"thumb\":\"\"},\"dims\":{\"w\":\"3/4\",\"box\":{\"H\":null}}}\n\n{\"id\":7,\"title\":\"Cable\",\"price\":\"5\",\"attr_t_size\":\"2 m\",\"tags\":[\"a\",1,null,true],\"none\":[],\"in_stock\":true}\n",
    ),
    (
        "json array",
        "",
        "",
        "[\n  {\"id\":\"a\",\"title\":\"] , } \\\" [\",\"price\":1},\n  {\"id\":\"b\",\n   \"title\":\"\\u00e4\\ud83d\\ude00\",\"price\":2e0,\"n\":{\"m\":[1,2]}}\n]\n",
    ),
    (
        "json in an object",
        "",
        "",
        "{\"shop\":{\"name\":\"x\",\"n\":[[1]]},\"data\":{\"items\":[\n{\"id\":\"a\",\"title\":\"T\",\"price\":1},\n{\"id\":\"b\",\"title\":\"T\",\"price\":2}],\"n\":[{}]},\n\"page\":1}\n",
    ),
    (
        "json at a path",
        "--item data/items",
        "",
        "{\"other\":[{\"x\":1}],\"data\":{\"items\":[{\"id\":\"a\",\"title\":\"T\",\"price\":1}]}}",
    ),
    (
        "json by ids",
        "",
        "--ignore variants",
        "{\"ok\":true,\"data\":{\"a\":{\"title\":\"T\",\"price\":{\"amount\":\"1,5\",\"currency\":\"EUR\"}},\n\"b\":{\"title\":\"U\",\"price\":2,\"variants\":[{\"id\":\"v\",\"title\":\"V\",\"price\":1}]}},\"n\":[1]}\n",
    ),
    (
        "json by ids at a path",
        "--item /",
        "--map sku=nowhere",
        "{\"a\":{\"title\":\"T\",\"price\":1},\n\"b\\\"c\":{\"id\":\"b\",\"price\":2}}\n",
    ),
    (
        "json over several lines",
        "",
        "",
        "{\n \"id\": \"a\", \"title\": \"T\",\n \"price\": 1\n}\n{\n\"id\":\"b\",\"title\":\"T\",\"price\":1\n},\n",
    ),
    (
        "json of schema.org",
        "--preset schema-org",
        "",
        "{\"@context\":\"https://schema.org\",\"@graph\":[{\"@type\":\"Product\",\"sku\":\"a\",\"name\":\"T\",\"image\":[\"http://x/a\"],\"brand\":{\"@type\":\"Brand\",\"name\":\"Acme\"},\"gtin13\":\"4006381333931\",\"additionalProperty\":[{\"name\":\"w\",\"value\":5,\"unitText\":\"mm\"}],\"offers\":[{\"@type\":\"Offer\",\"price\":\"4.50\",\"priceCurrency\":\"EUR\",\"availability\":\"https://schema.org/InStock\"}]}]}",
    ),
    (
        "xml",
        "",
        "--map id=@id --map title=name --map currency=price.@currency",
        "<shop><currencies><c id='EUR'/><c id='USD'/></currencies><offers>\n<offer id='1'><name xml:lang='en'>Cup</name><name xml:lang='de'>Tasse</name><price currency='EUR'>2</price><weight>250</weight></offer>\n<offer id='2'><name>Mug</name><price>3</price><tag>a</tag><tag>b</tag><!-- c --><s><t>1</t></s><s><t>2</t></s></offer></offers></shop>",
    ),
    (
        "xml with an item",
        "--item products/p",
        "--keep-text",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE products>\n<products>\n<p><id>a</id><title><![CDATA[x > y]]></title><price>1</price></p>\n<p><id>b</id><title>x &amp; y&nbsp;&#65;</title><price>1</price><e/></p>\n</products>\n",
    ),
    (
        "xml of Google",
        "",
        "",
        "<?xml version=\"1.0\"?>\n<rss version=\"2.0\" xmlns:shop=\"http://base.google.com/ns/1.0\"><channel><title>My shop</title>\n<item><shop:id>a</shop:id><title>Lamp &amp; shade</title><description><![CDATA[<b>Bright</b>]]></description>\n<shop:price>4.50 EUR</shop:price><shop:gtin>4006381333931</shop:gtin><shop:product_type>Home &gt; Lamps</shop:product_type>\n<shop:shipping><shop:country>DE</shop:country></shop:shipping><shop:shipping><shop:country>FR</shop:country></shop:shipping></item>\n<item><shop:id>b</shop:id><title>T</title></item>\n</channel></rss>",
    ),
    (
        "xml of Atom",
        "",
        "",
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:g=\"http://base.google.com/ns/1.0\"><title>x</title><entry><id>http://x/1</id><g:id>a</g:id><title>T</title><summary>S</summary><g:price>EUR 4.50</g:price></entry><entry><g:id>b</g:id><title>U</title></entry></feed>",
    ),
    (
        "xml of BMEcat",
        "",
        "",
        "<?xml version=\"1.0\"?><BMECAT version=\"2005\"><HEADER><CATALOG><LANGUAGE>deu</LANGUAGE></CATALOG></HEADER>\n<T_NEW_CATALOG><PRODUCT mode=\"new\"><SUPPLIER_PID>4711</SUPPLIER_PID><PRODUCT_DETAILS><DESCRIPTION_SHORT>Bohrer</DESCRIPTION_SHORT>\n<INTERNATIONAL_PID type=\"gtin\">4006381333931</INTERNATIONAL_PID><KEYWORD>drill</KEYWORD><KEYWORD>steel</KEYWORD></PRODUCT_DETAILS>\n<PRODUCT_FEATURES><FEATURE><FNAME>Diameter</FNAME><FVALUE>8</FVALUE><FUNIT>mm</FUNIT></FEATURE></PRODUCT_FEATURES>\n<PRODUCT_PRICE_DETAILS><PRODUCT_PRICE price_type=\"net_list\"><PRICE_AMOUNT>4.5</PRICE_AMOUNT><PRICE_CURRENCY>EUR</PRICE_CURRENCY></PRODUCT_PRICE></PRODUCT_PRICE_DETAILS>\n<MIME_INFO><MIME><MIME_TYPE>image/jpeg</MIME_TYPE><MIME_SOURCE>http://x/d.jpg</MIME_SOURCE></MIME></MIME_INFO></PRODUCT></T_NEW_CATALOG></BMECAT>",
    ),
    (
        "xml of attributes",
        "",
        "--map id=@id --map title=@name --price @price",
        "<products><product id=\"a\" name=\"T &lt; U\" price=\"1\"/><product id='b' name='U' price='2'>text</product></products>",
    ),
    (
        "xml in windows-1252",
        "--item p",
        "",
        "<?xml version='1.0' encoding='latin1'?><f><p><id>a</id><title>gr\u{fc}n</title><price>1</price></p></f>",
    ),
    (
        "csv in an encoding",
        "--encoding utf-8",
        "",
        "id,title,price\na,gr\u{fc}n \u{20ac},1\n",
    ),
];

pub(super) fn all() -> Vec<Seed> {
    let texts = TEXTS.into_iter().map(|(name, options, columns, text)| {
        let text = match name {
            "xml in windows-1252" => text.chars().map(|char| char as u8).collect(),
            _ => text.as_bytes().to_vec(),
        };
        Seed {
            name,
            form: form(options),
            mapping: mapping(columns),
            content: Content::Text(text),
        }
    });
    let plain = |name, content| Seed {
        name,
        form: FormArgs::default(),
        mapping: mapping(""),
        content,
    };
    let mut seeds: Vec<Seed> = texts.collect();
    let fields = Fields::default();
    let mut columns = Columns::default();
    for product in products() {
        columns.add(&product, &fields).unwrap();
    }
    let kept = Columns::of_headers(&columns.headers()).unwrap();
    let link = "https://shop.example/{id}".parse().unwrap();
    let forms = [
        ("exported lines", Form::lines(fields.clone())),
        ("exported table", Form::table(&fields, &kept)),
        ("exported for Google", Form::merchant(link)),
    ];
    let exports = forms.map(|(name, form)| plain(name, Content::Text(exported(&form))));
    seeds.extend(exports);
    seeds.extend(spreadsheets().map(|(name, content)| plain(name, content)));
    seeds
}

fn exported(form: &Form) -> Vec<u8> {
    let mut text = Vec::new();
    form.head(&mut text).unwrap();
    for mut product in products() {
        product.image_url = "https://shop.example/a.jpg".to_owned();
        form.write(&product, &mut text).unwrap().unwrap();
    }
    form.tail(&mut text);
    text
}

fn spreadsheets() -> impl Iterator<Item = (&'static str, Content)> {
    let xlsx = [
        row(2, &["id", "title", "price", "new", "stock"]),
        row(3, &["4006381333931", "T", "19.99", "TRUE", "#N/A"]),
        row(5, &["b", "U", "5", "TRUE", "7.0"]),
    ];
    let second = [row(1, &["id", "title"]), row(2, &["z", "Z"])];
    let ods = [
        ods_row(&["id", "title", "price"], ""),
        ods_row(
            &["a", "T", "1"],
            r#"<table:table-cell table:number-columns-repeated="3"/>"#,
        ),
        ods_row(&["b", "U", "2"], ""),
    ];
    let bytes = |entries: Vec<(&'static str, String)>| {
        let entries = entries.into_iter();
        Content::Entries(
            entries
                .map(|(name, text)| (name, text.into_bytes()))
                .collect(),
        )
    };
    let xlsb: [&[&str]; 3] = [
        &["id", "title", "price"],
        &["a", "T", "1"],
        &["b", "U", "2"],
    ];
    [
        (
            "xlsx",
            bytes(xlsx_entries(&xlsx.concat(), &second.concat())),
        ),
        ("ods", bytes(ods_entries(&ods.concat()))),
        ("xlsb", Content::Entries(xlsb_entries(&xlsb))),
        ("xls", Content::Binary(xls())),
    ]
    .into_iter()
}
