//! Headers of shops in many languages, each with a few rows, and the options that are proposed.

use std::fmt::Write as _;

use super::{command, look};

/// A table, the options, and what is told to do.
const FEEDS: &[(&str, &str)] = &[
    (
        "SKU,Product Name,Price,Brand,UPC,Category,Description,Image URL\nA-1,Walnut desk lamp,49.90,Fjell,012345678905,Home > Lighting,A lamp for the desk,https://x/a.jpg\nA-2,Oak table,1299.00,Acme,036000291452,Home > Furniture,A table,https://x/b.jpg\nA-3,Chair,99.00,Acme,042100005264,Home > Furniture,A chair,https://x/c.jpg\n",
        "--map id=SKU --map 'title=Product Name' --map gtins=UPC --map categories=Category --map 'image_url=Image URL'",
    ),
    (
        "item_number,item_name,unit_price,currency_code,manufacturer,mpn,ean\n1001,Lamp,49.90,EUR,Fjell,X-1,4006381333931\n1002,Table,99.00,EUR,Acme,X-2,5901234123457\n1003,Chair,9.00,EUR,Acme,X-3,4006381333931\n",
        "--map id=item_number --map sku=mpn --map title=item_name --map currency=currency_code --map gtins=ean --map brand=manufacturer --price unit_price",
    ),
    (
        "productId|productName|salePrice|purchasePrice|inStock\np1|Lamp|49.90|20.00|yes\np2|Table|99.00|50.00|no\n",
        "--map id=productId --map title=productName --price salePrice --ignore purchasePrice --flag inStock",
    ),
    (
        "Stock Code,Title,RRP,Net Price,Colours\nS1,Lamp,60.00,40.00,red;blue\nS2,Table,120.00,90.00,red\nS3,Chair,20.00,10.00,green;red\n",
        "--map 'id=Stock Code' --map 'sku=Stock Code' --price RRP --number 'Net Price' --split 'Colours=;'",
    ),
    (
        "name,price_cents,slug\nLamp,4990,lamp\nTable,129900,table\n",
        "--map id=slug --map title=name --price-minor price_cents",
    ),
    (
        "Artikelnummer;Bezeichnung;Verkaufspreis;Hersteller;EAN;Warengruppe;Beschreibung;Bild-URL\n4711;Bohrer;1.299,00;Fjell;4006381333931;Werkzeug/Bohrer;Für Holz;http://x/a.jpg\n4712;Säge;49,90;Acme;5901234123457;Werkzeug/Sägen;Für Metall;http://x/b.jpg\n",
        "--map id=Artikelnummer --map sku=Artikelnummer --map title=Bezeichnung --map gtins=EAN --map brand=Hersteller --map categories=Warengruppe --map image_url=Bild-URL --map description=Beschreibung --price Verkaufspreis --category-separator /",
    ),
    (
        "Artikel;Titel;Preis;Währung;Marke;Lagernd\na1;Bohrer;5,00 €;EUR;Fjell;ja\na2;Säge;49,90 €;EUR;Acme;nein\n",
        "--map id=Artikel --map title=Titel --map 'currency=Währung' --map brand=Marke --price Preis --flag Lagernd",
    ),
    (
        "Bestellnr.;Kurztext;Langtext;EK;VK brutto;UVP\na1;Bohrer;Ein Bohrer;3,00;5,00;6,00\na2;Säge;Eine Säge;30,00;49,90;60,00\n",
        "--map id=Bestellnr. --map sku=Bestellnr. --map title=Kurztext --map description=Langtext --price 'VK brutto' --ignore EK --decimal-comma",
    ),
    (
        "Référence;Désignation;Prix TTC;Marque;Code-barres;Rubrique;Photo\nR1;Lampe;49,90;Fjell;3017620422003;Maison > Lampes;http://x/a.jpg\nR2;Table;129,00;Acme;3017620422003;Maison > Tables;http://x/b.jpg\n",
        "--map 'id=Référence' --map 'sku=Référence' --map 'title=Désignation' --map gtins=Code-barres --map brand=Marque --map categories=Rubrique --map image_url=Photo --price 'Prix TTC'",
    ),
    (
        "Nom du produit;Réf.;Prix HT;Descriptif\nLampe;R1;40,00;Une lampe\nTable;R2;100,00;Une table\n",
        "--map 'id=Réf.' --map 'sku=Réf.' --map 'title=Nom du produit' --map description=Descriptif --price 'Prix HT'",
    ),
    (
        "Codice articolo;Nome prodotto;Prezzo;Marca;Categoria;Immagine\nC1;Lampada;49,90;Fjell;Casa > Luci;http://x/a.jpg\nC2;Tavolo;129,00;Acme;Casa > Mobili;http://x/b.jpg\n",
        "--map 'id=Codice articolo' --map 'sku=Codice articolo' --map 'title=Nome prodotto' --map brand=Marca --map categories=Categoria --map image_url=Immagine --price Prezzo",
    ),
    (
        "Codice;Denominazione;Prezzo;Descrizione;Disponibile\nC1;Lampada;49,90;Una lampada;si\nC2;Tavolo;129,00;Un tavolo;no\n",
        "--map id=Codice --map sku=Codice --map title=Denominazione --map description=Descrizione --price Prezzo --flag Disponibile",
    ),
    (
        "Referencia;Nombre;Precio;Marca;Código de barras;Categoría;Descripción\nE1;Lámpara;49,90;Fjell;8410376015683;Casa|Luz;Una lámpara\nE2;Mesa;129,00;Acme;8410376015683;Casa|Muebles;Una mesa\n",
        "--map id=Referencia --map sku=Referencia --map title=Nombre --map 'gtins=Código de barras' --map brand=Marca --map 'categories=Categoría' --map 'description=Descripción' --price Precio --category-separator '|'",
    ),
    (
        "Código,Título,Preço,Marca,Imagem\nP1,Luminária,\"49,90\",Fjell,http://x/a.jpg\nP2,Mesa,\"1.129,00\",Acme,http://x/b.jpg\n",
        "--map 'id=Código' --map 'sku=Código' --map 'title=Título' --map brand=Marca --map image_url=Imagem --price 'Preço'",
    ),
    (
        "artikelcode\tnaam\tprijs\tmerk\tomschrijving\tafbeelding\nN1\tLamp\t49,90\tFjell\tEen lamp\thttp://x/a.jpg\nN2\tTafel\t129,00\tAcme\tEen tafel\thttp://x/b.jpg\n",
        "--map id=artikelcode --map sku=artikelcode --map title=naam --map brand=merk --map image_url=afbeelding --map description=omschrijving --price prijs",
    ),
    (
        "Indeks;Nazwa;Cena brutto;Producent;Kod EAN;Kategoria;Opis;Zdjęcie\nI1;Lampa;49,90 zł;Fjell;5901234123457;Dom > Lampy;Lampa;http://x/a.jpg\nI2;Stół;129,00 zł;Acme;5901234123457;Dom > Stoły;Stół;http://x/b.jpg\n",
        "--map id=Indeks --map sku=Indeks --map title=Nazwa --map 'gtins=Kod EAN' --map brand=Producent --map categories=Kategoria --map 'image_url=Zdjęcie' --map description=Opis --price 'Cena brutto'",
    ),
    (
        "Artikelnr;Benämning;Pris;Varumärke;Kategori\nS1;Lampa;49,90;Fjell;Hem > Lampor\nS2;Bord;129,00;Acme;Hem > Bord\n",
        "--map id=Artikelnr --map sku=Artikelnr --map 'title=Benämning' --map 'brand=Varumärke' --map categories=Kategori --price Pris",
    ),
    (
        "Varenr;Navn;Pris (DKK);Varemærke;Billede\nD1;Lampe;49,95;Fjell;http://x/a.jpg\nD2;Bord;129,00;Acme;http://x/b.jpg\n",
        "--map id=Varenr --map sku=Varenr --map title=Navn --map image_url=Billede --price 'Pris (DKK)' --currency DKK",
    ),
    (
        "Kód,Název,Cena,Výrobce,Popis\nK1,Lampa,49.90,Fjell,Lampa na stůl\nK2,Stůl,129.00,Acme,Stůl z dubu\n",
        "--map 'id=Kód' --map 'sku=Kód' --map 'title=Název' --map 'brand=Výrobce' --map description=Popis --price Cena",
    ),
    (
        "品番,商品名,価格,ブランド,説明\nJ1,ランプ,¥4990,Fjell,机のランプ\nJ2,机,¥12900,Acme,木の机\n",
        "--map 'id=品番' --map 'sku=品番' --map 'title=商品名' --map 'brand=ブランド' --map 'description=説明' --price '価格'",
    ),
    (
        "Артикул;Название;Цена;Бренд;Фото\nR1;Лампа;49,90;Fjell;http://x/a.jpg\nR2;Стол;129,00;Acme;http://x/b.jpg\n",
        "--map 'id=Артикул' --map 'sku=Артикул' --map 'title=Название' --map 'brand=Бренд' --map 'image_url=Фото' --price 'Цена'",
    ),
    (
        "id,title,link,image_link,price,brand,gtin,google_product_category,availability\ng1,Lamp,http://s/1,http://x/a.jpg,49.90 EUR,Fjell,4006381333931,Home > Lighting,in_stock\ng2,Table,http://s/2,http://x/b.jpg,129.00 EUR,Acme,5901234123457,Home > Furniture,in_stock\n",
        "",
    ),
    (
        "ID,Type,SKU,Name,Published,Short description,Description,In stock?,Weight (kg),Regular price,Categories,Tags,Images\n10,simple,W1,Lamp,1,Short,A long one,1,1.50,49.90,\"Home, Home > Lamps\",\"a, b\",http://x/a.jpg\n11,simple,W2,Table,1,Short,Another,0,12.00,129.00,Home > Tables,a,http://x/b.jpg\n",
        "--map title=Name --map image_url=Images --price 'Regular price' --number 'Weight (kg)' --split Tags=,",
    ),
    (
        "sku,name,price,special_price,url_key,image,categories,manufacturer,weight\nM1,Lamp,49.90,39.90,lamp,/m/a.jpg,Default/Home/Lamps,Fjell,1.5000\nM2,Table,129.00,,table,/m/b.jpg,Default/Home/Tables,Acme,12.0000\n",
        "--map id=sku --map title=name --map brand=manufacturer --category-separator / --number special_price --number weight",
    ),
    (
        "c1;c2;c3;c4;c5;c6\nAB-1;Walnut desk lamp with shade;49,90;4006381333931;http://x/a.jpg;Home > Lamps\nAB-2;Oak table for four people;129,00;5901234123457;http://x/b.jpg;Home > Tables\nAB-3;Chair of oak and leather;99,00;3017620422003;http://x/c.jpg;Home > Tables\nAB-4;Sofa for two and a cat;999,00;8410376015683;http://x/d.jpg;Home > Lamps\n",
        "--map id=c1 --map title=c2 --map gtins=c4 --map categories=c6 --map image_url=c5 --price c3",
    ),
    (
        "sku;name;price;gtin;size;weight;codes\nA1;Lamp;5.00;4006381333931;10;1.50;007\nA2;Desk;6.00;5901234123457;20;2.00;12\n",
        "--map id=sku --map title=name --map gtins=gtin --number weight",
    ),
];

#[test]
fn headers_of_many_shops_are_understood() {
    let mut wrong = String::new();
    for (feed, expected) in FEEDS {
        let found = look("feed.csv", "", feed.as_bytes());
        let mut told = command::quoted(&found.options);
        for missing in &found.missing {
            let _ = write!(told, " [{missing}]");
        }
        if found.trial.rejected > 0 || found.trial.products + 1 != feed.lines().count() {
            let _ = write!(told, " {:?}", found.trial);
        }
        if told != *expected {
            let header = feed.lines().next().unwrap_or_default();
            let _ = writeln!(wrong, "{header}\n  found    {told}\n  expected {expected}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
