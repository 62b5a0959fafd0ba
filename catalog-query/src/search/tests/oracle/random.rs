//! Makes random products, queries, rules and filters from so few values that many of them meet.

use catalog_events::{
    AttributeScalar, AttributeValue, Currency, Money, Product, SearchRule, Status,
};
use catalog_proto::v1;
use catalog_proto::v1::filter::Kind;
use serde_json::{Value, json};
use time::Duration;

use crate::index::tests::support::product;
use crate::search::rules::curation::tests::curation;

/// A random number generator, SplitMix64.
pub(crate) struct Random(pub(crate) u64);

const WORDS: [&str; 14] = [
    "mouse",
    "cable",
    "laptop",
    "printer",
    "camera",
    "speaker",
    "monitor",
    "router",
    "tablet",
    "charger",
    "keyboard",
    "scanner",
    "projector",
    "stand",
];
const BRANDS: [&str; 6] = ["Acme", "ACME", "Zenith", "Öko", "öko", "Nord.Süd"];
const PATHS: [&[&str]; 6] = [
    &["Audio"],
    &["Audio", "Loud"],
    &["Audio", "Loud", "Outdoor"],
    &["audio", "Quiet"],
    &["Office"],
    &["Office", "Paper > A4"],
];
const COLOURS: [&str; 6] = ["Black", "black", "RED", "dark.green", "", "7"];
/// What filters look for in numbers and flags, some of it in another way than facets list it.
const NUMBERS: [&str; 8] = ["7", "7.0", "2.50", "-1", "0", "1000000000", "true", "False"];
const NAMES: [&str; 5] = ["finish", "ports", "sealed", "mixed", "odd.na\\me \"x\""];

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }

    pub(crate) fn product(&mut self, number: u64) -> Product {
        let title: Vec<&str> = (0..=self.below(2)).map(|_| self.one(&WORDS)).collect();
        let currency = self.one(&[Currency::USD, "EUR".parse().expect("currency")]);
        let price = Money::from_minor(self.below(12) as i64 * 500, currency).expect("price");
        let path = self.one(&PATHS);
        let plain = product(&format!("p{number}"), &title.join(" "));
        let mut product = Product {
            price,
            brand: (self.below(4) > 0).then(|| self.one(&BRANDS).to_owned()),
            gtins: vec![format!("40000{number:03}")],
            status: self.one(&[Status::Active, Status::Active, Status::Discontinued]),
            created_at: plain.created_at + Duration::seconds(self.below(40) as i64),
            ..plain
        };
        if self.below(5) > 0 {
            product.categories = path.iter().map(|name| (*name).to_owned()).collect();
        }
        for name in NAMES {
            if self.below(3) > 0 {
                let value = self.value(name);
                product.attributes.insert(name.to_owned(), value);
            }
        }
        product
    }

    fn value(&mut self, name: &str) -> AttributeValue {
        if self.below(3) > 0 {
            return AttributeValue::One(self.scalar(name));
        }
        let scalars = (0..=self.below(4)).map(|_| self.scalar(name));
        AttributeValue::List(scalars.collect())
    }

    fn scalar(&mut self, name: &str) -> AttributeScalar {
        let kind = match name {
            "ports" => 0,
            "sealed" => 1,
            "mixed" => self.below(3),
            _ => 2,
        };
        match kind {
            0 => self.number().into(),
            1 => (self.below(2) == 0).into(),
            _ => self.one(&COLOURS).into(),
        }
    }

    fn number(&mut self) -> f64 {
        self.one(&[-2.5, -1.0, -0.0, 0.0, 0.1, 1.0, 2.0, 2.5, 7.0, 1e9, 1e300])
    }

    pub(crate) fn query(&mut self, is_open: bool) -> String {
        let words = (0..=self.below(2)).map(|_| match self.below(8) {
            0 => format!("0040000{:03}", self.below(500)),
            _ => self.one(&WORDS).to_owned(),
        });
        let mut query = words.collect::<Vec<_>>().join(" ");
        if is_open && self.below(2) == 0 && query.ends_with(char::is_alphabetic) {
            // As it is being typed.
            query.truncate(query.len() - self.below(3) as usize);
        }
        query
    }

    /// Rules in the order of their ids, most of them for this query.
    pub(crate) fn rules(&mut self, query: &str) -> Vec<SearchRule> {
        let rules = (0..=self.below(2)).map(|number| {
            let queries: Vec<String> = (0..self.below(3)).map(|_| self.query_near(query)).collect();
            let actions: Vec<Value> = (0..=self.below(3)).map(|_| self.action()).collect();
            let matching = self.one(&["exact", "contains"]);
            let kind = json!({"queries": queries, "matching": matching, "actions": actions});
            curation(&format!("r{number}"), kind)
        });
        rules.collect()
    }

    fn query_near(&mut self, query: &str) -> String {
        let words: Vec<&str> = query.split(' ').collect();
        match self.below(4) {
            0 => self.query(false),
            1 => self.one(&words).to_owned(),
            _ => query.to_owned(),
        }
    }

    fn action(&mut self) -> Value {
        let id = |random: &mut Self| format!("p{}", random.below(420));
        match self.below(4) {
            0 => {
                let ids: Vec<String> = (0..self.below(4)).map(|_| id(self)).collect();
                let brand = (self.below(2) == 0).then(|| self.one(&BRANDS).to_uppercase());
                let path = self.one(&PATHS);
                let category = &path[..self.below(path.len() as u64 + 1) as usize];
                let target = json!({"product_ids": ids, "brand": brand, "category": category});
                json!({"action": "hide", "target": target})
            }
            1 => json!({"action": "redirect", "url": "/"}),
            _ => {
                let last = self.one(&[3, 100]);
                let position = 1 + self.below(last);
                json!({"action": "pin", "product_id": id(self), "position": position})
            }
        }
    }

    fn field(&mut self) -> String {
        match self.below(10) {
            0 => "brand".to_owned(),
            1 => "category".to_owned(),
            2 => "status".to_owned(),
            3 => "currency".to_owned(),
            4 => "price".to_owned(),
            5 => "created_at".to_owned(),
            _ => self.attribute(),
        }
    }

    fn attribute(&mut self) -> String {
        match self.below(20) {
            0 => "attributes.nowhere".to_owned(),
            _ => format!("attributes.{}", self.one(&NAMES)),
        }
    }

    pub(crate) fn facet(&mut self) -> v1::FacetRequest {
        let field = self.field();
        let interval = match field.as_str() {
            "price" => 1_000.0,
            "created_at" => 10.0,
            "attributes.ports" | "attributes.mixed" => 1.5,
            _ => 0.0,
        };
        v1::FacetRequest {
            field,
            size: self.one(&[0, 1, 2, 100]),
            interval: if self.below(2) == 0 { interval } else { 0.0 },
            containing: self.one(&["", "", "", "a", "1", "RE"]).to_owned(),
        }
    }

    pub(crate) fn filter(&mut self, depth: u64) -> v1::Filter {
        let kind = match self.below(if depth < 4 { 12 } else { 8 }) {
            0 | 1 => self.terms(),
            2 | 3 => self.range(),
            4 => Kind::Flag(v1::FlagFilter {
                field: self.attribute(),
                value: self.below(2) == 0,
            }),
            5 | 6 => {
                let path = self.one(&PATHS);
                let names = 1 + self.below(path.len() as u64) as usize;
                let upper = path[..names].iter().map(|name| name.to_uppercase());
                Kind::Category(v1::CategoryFilter {
                    path: upper.collect(),
                })
            }
            7 => Kind::Exists(v1::ExistsFilter {
                field: self.field(),
            }),
            8 => Kind::Not(Box::new(self.filter(depth + 1))),
            9 => Kind::Any(self.list(depth)),
            _ => Kind::All(self.list(depth)),
        };
        v1::Filter { kind: Some(kind) }
    }

    fn list(&mut self, depth: u64) -> v1::FilterList {
        let filters = (0..self.below(4)).map(|_| self.filter(depth + 1)).collect();
        v1::FilterList { filters }
    }

    fn terms(&mut self) -> Kind {
        let (field, value) = match self.below(5) {
            0 => ("brand".to_owned(), self.one(&BRANDS)),
            1 => (
                "category".to_owned(),
                self.one(&["audio>loud", "Office", "office>paper > a4"]),
            ),
            2 => ("status".to_owned(), self.one(&["Active", "discontinued"])),
            3 => ("currency".to_owned(), self.one(&["usd", "EUR", "JPY"])),
            _ if self.below(3) == 0 => (self.attribute(), self.one(&NUMBERS)),
            _ if self.below(5) == 0 => ("price".to_owned(), self.one(&["500", "1000", "7"])),
            _ => (self.attribute(), self.one(&COLOURS)),
        };
        let mut values = vec![value.to_owned()];
        if self.below(2) == 0 {
            values.push(self.one(&BRANDS).to_uppercase());
        }
        Kind::Terms(v1::TermsFilter { field, values })
    }

    fn range(&mut self) -> Kind {
        let (field, low, width) = match self.below(3) {
            0 => (
                "price".to_owned(),
                self.below(13) as f64 * 500.0 - 0.5,
                2_000.0,
            ),
            1 => {
                let begin = product("p", "").created_at.unix_timestamp() as f64;
                ("created_at".to_owned(), begin + self.below(41) as f64, 10.0)
            }
            _ => (self.attribute(), self.number(), 2.0),
        };
        Kind::Range(v1::RangeFilter {
            field,
            min: (self.below(4) > 0).then_some(low),
            max: (self.below(4) > 0).then_some(low + width),
            below: (self.below(4) == 0).then_some(low + width),
        })
    }
}
