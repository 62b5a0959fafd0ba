//! What the names of columns say, in the languages and habits of many shops.

use crate::feed::Field;

/// The score of a name that says nothing else.
pub(super) const STRONG: i32 = 80;
const WEAK: i32 = 60;
/// A part of the name says it, and the rest says nothing else.
const PART: i32 = 55;
/// A number of an article is what a shop knows it by.
const ARTICLE_AS_ID: i32 = 78;
const MAKER_AS_ID: i32 = 50;

/// The names of a field, folded and with blanks between them: the usual ones, and those that may mean something
/// else.
struct Names {
    field: Field,
    strong: &'static str,
    weak: &'static str,
}

const NAMES: [Names; 11] = [
    Names {
        field: Field::Id,
        strong: "id productid itemid articleid artikelid produktid produitid idproduit idproducto \
            idprodotto idproduct uniqueid externalid identifier uid itemgid offerid productcode \
            codproducto",
        weak: "handle slug key kod code nr no num numero nummer number artikel article art item \
            guid uuid recordid entityid",
    },
    Names {
        field: Field::Sku,
        strong: ARTICLES,
        weak: "model modell modele modelo modello kod code",
    },
    Names {
        field: Field::Title,
        strong: "title name productname producttitle itemname articlename bezeichnung \
            artikelbezeichnung produktbezeichnung artikelname produktname titel titre nom \
            nomproduit nomduproduit designation libelle nombre nombreproducto titulo nome \
            nomeprodotto nomeproduto denominazione titolo nazwa nazwaproduktu tytul nazev naam \
            productnaam benaming navn produktnavn varenavn namn produktnamn benamning nimi \
            tuotenimi nev название наименование 商品名 名称 상품명 kurzbezeichnung",
        weak: "artikel produkt product produit producto prodotto item label kurztext artikeltext \
            headline shortname",
    },
    Names {
        field: Field::Description,
        strong: "description productdescription longdescription descriptionlong beschreibung \
            produktbeschreibung artikelbeschreibung langbeschreibung langtext descripcion \
            descripcionlarga descrizione descrizionelunga descricao descriptif omschrijving opis \
            opisproduktu popis beskrivelse beskrivning kuvaus leiras bodyhtml описание 説明 商品説明 \
            描述 설명",
        weak: "shortdescription descriptionshort kurzbeschreibung descripcioncorta descrizionebreve \
            content body text details summary inhalt contenu desc info",
    },
    Names {
        field: Field::Price,
        strong: "price preis prix prezzo precio preco prijs pris cena hinta ar цена 価格 价格 가격 \
            verkaufspreis vkpreis vk vkbrutto bruttopreis preisbrutto grossprice pricegross \
            prixttc prixdevente pvp precioventa prezzodivendita saleprice sellingprice \
            retailprice currentprice regularprice cenabrutto prijsinclbtw",
        weak: "listprice unitprice uvp rrp msrp netprice pricenet nettopreis preisnetto prixht \
            cenanetto amount priceamount baseprice listenpreis vknetto einzelpreis",
    },
    Names {
        field: Field::Currency,
        strong: "currency currencycode pricecurrency waehrung wahrung devise moneda divisa valuta \
            moeda waluta mena valuutta валюта 通貨",
        weak: "curr ccy",
    },
    Names {
        field: Field::Brand,
        strong: "brand brandname manufacturer manufacturername hersteller herstellername marke \
            markenname marque fabricant marca fabbricante produttore fabricante merk merknaam \
            fabrikant producent marka znacka vyrobce varemerke varumarke maerke merkki \
            valmistaja gyarto бренд производитель ブランド 品牌 브랜드",
        weak: "vendor maker supplier lieferant fournisseur fornitore proveedor leverandor",
    },
    Names {
        field: Field::Gtins,
        strong: "gtin gtins ean ean13 ean8 gtin13 gtin14 gtin12 upc upca barcode barcodes isbn isbn13 \
            jan eancode eannummer eannr codeean codiceean codigoean codebarre codebarres \
            codigodebarras codigobarras codiceabarre strichcode streckkod stregkode strekkode \
            kodean kodkreskowy viivakoodi штрихкод gtinean eangtin eanupc",
        weak: "",
    },
    Names {
        field: Field::Categories,
        strong: "category categories categoryname categorypath productcategory producttype kategorie \
            kategorien kategoriepfad warengruppe produktgruppe artikelgruppe rubrique categorie \
            categoria categorias kategoria kategori productgroup breadcrumb breadcrumbs rubrik \
            famille familia famiglia varegruppe tuoteryhma категория カテゴリ 分类 카테고리",
        weak: "googleproductcategory department gruppe group sortiment type section maincategory",
    },
    Names {
        field: Field::ImageUrl,
        strong: "imageurl image imagelink imagesrc mainimage primaryimage picture pictureurl photo \
            photourl bild bildurl bildlink hauptbild produktbild img imgurl urlimage lienimage \
            imagen urlimagen immagine urlimmagine imagem foto afbeelding afbeeldingurl zdjecie \
            obrazek billede bilde kuva изображение фото 画像 图片",
        weak: "images thumbnail thumb bilder photos pictures imageurls fotos imagenes",
    },
    Names {
        field: Field::Status,
        strong: "status",
        weak: "",
    },
];
/// Names of the number by which a shop knows an article.
const ARTICLES: &str = "sku skus variantsku productsku artikelnummer artikelnr artnr artikelno articlenumber \
    articleno itemnumber itemno itemcode stockcode productnumber productno produktnummer \
    produktnr bestellnummer bestellnr reference ref refproduit codearticle codeproduit codice \
    codicearticolo codiceprodotto codigo codigoproducto codigoarticulo referencia riferimento \
    varenummer varenr artikelkod tuotekoodi kodproduktu indeks cikkszam артикул 品番 货号 \
    artikelcode";
/// Names of the number that its maker gives an article.
const MAKERS: &str = "mpn manufacturerpartnumber partnumber partno manufacturersku modelnumber modelno \
    herstellernummer herstellernr herstellerartikelnummer referencefabricant manufacturerid \
    suppliersku supplierpid teilenummer";
/// Words that say nothing beside another one.
const NEUTRAL: &str = "product products produkt produit producto prodotto item article artikel variant main default \
    full long text value name url link code number the du de del le la of des en fr es it nl pl \
    incl brutto gross ttc shop in high large big original orig";
/// The currencies that a name may have in it.
pub(super) const CURRENCIES: [&str; 14] = [
    "EUR", "USD", "GBP", "CHF", "PLN", "SEK", "DKK", "NOK", "CZK", "HUF", "JPY", "CAD", "AUD",
    "BRL",
];
/// Words by which a price is another one, or another number.
const NO_PRICE: &str = "cost costs purchase einkauf einkaufspreis ek achat acquisto compra compare old was strike \
    streichpreis alter ancien shipping versand delivery deposit pfand min max discount rabatt \
    remise grundpreis per count level valid date type group from to tax id";
/// Words of prices in minor units.
const MINOR: &str = "cents cent pence minor centimes centesimi";

/// How much a name says that a column is a field.
pub(super) fn score(field: Field, column: &str) -> i32 {
    let whole = fold(column);
    let words = words(column);
    let is_article = has(ARTICLES, &whole);
    let is_maker = has(MAKERS, &whole);
    match field {
        Field::Id if is_article => return ARTICLE_AS_ID,
        Field::Id if is_maker => return MAKER_AS_ID,
        Field::Sku if is_maker => return STRONG + 4,
        Field::Price if words.iter().any(|word| has(NO_PRICE, word)) => return 0,
        _ => {}
    }
    let Some(names) = NAMES.iter().find(|names| names.field == field) else {
        return 0;
    };
    if has(names.strong, &whole) {
        return STRONG;
    }
    if has(names.weak, &whole) {
        return WEAK;
    }
    let is_named = |word: &String| has(names.strong, word);
    let is_neutral = |word: &String| {
        has(NEUTRAL, word)
            || word.bytes().all(|byte| byte.is_ascii_digit())
            || (field == Field::Price && has(MINOR, word))
            || (field == Field::Price && is_currency(word))
            || (field == Field::Currency && self::score(Field::Price, word) > 0)
    };
    // `category_id` is no id, and `brand.name` no name.
    let has_name = field != Field::Id && words.iter().any(is_named);
    let is_alone = words.iter().all(|word| is_named(word) || is_neutral(word));
    if has_name && is_alone { PART } else { 0 }
}

/// Whether a word is the code of a currency that many shops have.
fn is_currency(word: &str) -> bool {
    CURRENCIES
        .iter()
        .any(|code| code.eq_ignore_ascii_case(word))
}

/// Whether a name says that a column has prices in minor units.
pub(super) fn is_minor(column: &str) -> bool {
    words(column).iter().any(|word| has(MINOR, word))
}

/// Whether a name speaks of what the shop itself pays.
pub(super) fn is_cost(column: &str) -> bool {
    const COSTS: &str = "cost costs purchase purchaseprice einkauf einkaufspreis ek ekpreis achat prixachat \
        acquisto";
    let is_one = |word: &String| has(COSTS, word);
    words(column).iter().any(is_one) || has(COSTS, &fold(column))
}

/// Whether a name speaks of a measure or an amount of money, which are numbers even if they end in 0.
pub(super) fn is_measure(column: &str) -> bool {
    const MEASURES: &str = "price preis prix prezzo precio prijs pris cena weight gewicht poids peso vikt vekt waga \
        length width height depth lange laenge breite hohe hoehe tiefe largeur hauteur longueur \
        profondeur volume volumen kg cm mm diameter watt uvp msrp rrp rating";
    words(column).iter().any(|word| has(MEASURES, word))
}

/// Whether a word is one of a list.
fn has(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|one| one == word)
}

/// The words of a name, folded. A capital letter begins a word.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for char in name.chars() {
        let begins = char.is_uppercase() && was_lower;
        was_lower = char.is_lowercase();
        if (begins || !char.is_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty())
        {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push_str(&fold(&char.to_string()));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A name in lower case without accents and without what is neither letter nor digit.
pub(super) fn fold(name: &str) -> String {
    let lower = name.chars().flat_map(char::to_lowercase);
    let mut folded = String::with_capacity(name.len());
    for char in lower.filter(|char| char.is_alphanumeric()) {
        match char {
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ą' => folded.push('a'),
            'é' | 'è' | 'ê' | 'ë' | 'ę' | 'ě' => folded.push('e'),
            'í' | 'ì' | 'î' | 'ï' => folded.push('i'),
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' | 'ő' => folded.push('o'),
            'ú' | 'ù' | 'û' | 'ü' | 'ů' | 'ű' => folded.push('u'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'ñ' | 'ń' => folded.push('n'),
            'ś' | 'š' => folded.push('s'),
            'ž' | 'ź' | 'ż' => folded.push('z'),
            'ý' => folded.push('y'),
            'ł' => folded.push('l'),
            'ř' => folded.push('r'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            other => folded.push(other),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_many_languages() {
        for (field, column, expected) in [
            (Field::Sku, "Artikel-Nr.", STRONG),
            (Field::Id, "Artikel-Nr.", ARTICLE_AS_ID),
            (Field::Sku, "Référence", STRONG),
            (Field::Title, "product_name_de", PART),
            (Field::Title, "brand_name", 0),
            (Field::Brand, "brand.name", STRONG),
            (Field::Id, "category_id", 0),
            (Field::Price, "Preis (EUR)", PART),
            (Field::Price, "purchasePrice", 0),
            (Field::Price, "price_in_cents", PART),
            (Field::Price, "priceCents", PART),
            (Field::Currency, "Währung", STRONG),
            (Field::Currency, "prix.@devise", PART),
            (Field::Price, "Pris (DKK)", PART),
            (Field::Description, "Descripción", STRONG),
            (Field::ImageUrl, "image_url_1", PART),
            (Field::ImageUrl, "image alt text", 0),
            (Field::Brand, "Značka", STRONG),
            (Field::Title, "商品名", STRONG),
        ] {
            assert_eq!(score(field, column), expected, "{column} {field:?}");
        }
        assert!(is_minor("priceCents") && !is_minor("percent"));
        assert!(is_cost("EK") && is_cost("purchasePrice") && !is_cost("costume"));
    }
}
