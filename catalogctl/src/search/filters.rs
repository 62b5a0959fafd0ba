//! What a search is narrowed to and how it is sorted, as options of `catalogctl search`.

use std::collections::BTreeMap;

use catalog_proto::v1::filter::Kind;
use catalog_proto::v1::{
    Filter, FilterList, ParameterFilter, RangeFilter, SearchProductsRequest, SortOrder, TermsFilter,
};
use clap::ValueEnum;

/// The names of the options.
pub(super) const NAMES: [&str; 8] = [
    "brand",
    "category",
    "price_min",
    "price_max",
    "currency",
    "attr",
    "status",
    "sort",
];
/// The name of the price in major units.
const PRICE: &str = "price_major";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is found")]
pub(crate) struct FilterArgs {
    /// Brand of the products; several are alternatives
    #[arg(long, value_name = "BRAND")]
    brand: Vec<String>,
    /// In this category or below it, such as 'Computers > Mice'; several are alternatives
    #[arg(long, value_name = "PATH")]
    category: Vec<String>,
    /// At this price at least, in major units such as 19.99
    #[arg(long, value_name = "PRICE")]
    price_min: Option<f64>,
    /// At this price at most
    #[arg(long, value_name = "PRICE")]
    price_max: Option<f64>,
    /// Priced in this currency [default for prices: that of the catalog]
    #[arg(long, value_name = "CODE")]
    currency: Vec<String>,
    /// With this value of an attribute, or within a bound: colour=red, weight.max=2.5; several of one
    /// attribute are alternatives
    #[arg(long, value_name = "NAME=VALUE", value_parser = attribute)]
    attr: Vec<(String, String)>,
    /// Sold, or not any more
    #[arg(long, value_name = "STATUS", value_parser = ["active", "discontinued"])]
    status: Option<String>,
    /// The order [default: relevance]
    #[arg(long, value_enum, allow_hyphen_values = true)]
    sort: Option<Sort>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sort {
    /// The best match first
    Relevance,
    /// The cheapest first
    Price,
    /// The dearest first
    #[value(name = "-price")]
    PriceDescending,
    /// The product that was created last first
    Newest,
    /// The most viewed first
    Popularity,
}

fn attribute(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("an attribute is stated as NAME=VALUE, such as colour=red".to_owned()),
    }
}

impl FilterArgs {
    /// Narrows and sorts what a request asks for.
    pub(super) fn apply(self, request: &mut SearchProductsRequest) {
        let sort = self.sort.map_or(SortOrder::Unspecified, |sort| match sort {
            Sort::Relevance => SortOrder::Relevance,
            Sort::Price => SortOrder::PriceAscending,
            Sort::PriceDescending => SortOrder::PriceDescending,
            Sort::Newest => SortOrder::Newest,
            Sort::Popularity => SortOrder::Popularity,
        });
        request.sort = sort.into();
        request.filter = self.filter();
    }

    /// All that is stated holds; values of one field are alternatives.
    fn filter(self) -> Option<Filter> {
        let terms = [
            ("brand", self.brand),
            ("category", self.category),
            ("currency", self.currency),
            ("status", self.status.into_iter().collect()),
        ];
        let terms = terms.into_iter().filter(|(_, values)| !values.is_empty());
        let mut kinds: Vec<Kind> = terms
            .map(|(field, values)| {
                let field = field.to_owned();
                Kind::Terms(TermsFilter { field, values })
            })
            .collect();
        if self.price_min.is_some() || self.price_max.is_some() {
            kinds.push(Kind::Range(RangeFilter {
                field: PRICE.to_owned(),
                min: self.price_min,
                max: self.price_max,
                below: None,
            }));
        }
        let mut attributes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in self.attr {
            attributes.entry(name).or_default().push(value);
        }
        let attributes = attributes.into_iter();
        kinds.extend(
            attributes.map(|(name, values)| Kind::Parameter(ParameterFilter { name, values })),
        );
        let filters = kinds.into_iter().map(|kind| Filter { kind: Some(kind) });
        let filters: Vec<Filter> = filters.collect();
        (!filters.is_empty()).then_some(Filter {
            kind: Some(Kind::All(FilterList { filters })),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        filters: FilterArgs,
    }

    fn read(line: &str) -> SearchProductsRequest {
        let args = ["search"].into_iter().chain(line.split_whitespace());
        let mut request = SearchProductsRequest::default();
        Line::parse_from(args).filters.apply(&mut request);
        request
    }

    #[test]
    fn values_of_one_field_are_alternatives_and_fields_all_hold() {
        let request = read(
            "--brand Acme --brand Bolt --price-max 50 --attr colour=red --attr colour=blue \
             --attr weight.max=2 --sort -price",
        );
        assert_eq!(request.sort(), SortOrder::PriceDescending);
        let Some(Kind::All(all)) = request.filter.expect("filters").kind else {
            panic!("not all");
        };
        let kinds: Vec<Kind> = all.filters.into_iter().filter_map(|one| one.kind).collect();
        let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        let expected = [
            Kind::Terms(TermsFilter {
                field: "brand".to_owned(),
                values: values(&["Acme", "Bolt"]),
            }),
            Kind::Range(RangeFilter {
                field: PRICE.to_owned(),
                max: Some(50.0),
                ..RangeFilter::default()
            }),
            Kind::Parameter(ParameterFilter {
                name: "colour".to_owned(),
                values: values(&["red", "blue"]),
            }),
            Kind::Parameter(ParameterFilter {
                name: "weight.max".to_owned(),
                values: values(&["2"]),
            }),
        ];
        assert_eq!(kinds, expected);
        assert_eq!(read("").filter, None);
        let wrong = Line::try_parse_from(["search", "--attr", "red"]);
        assert!(wrong.is_err());
    }
}
