//! Reads what an Algolia client asks. What InstantSearch sends for its own bookkeeping is passed over; what would
//! change the answer and is not known is refused, not ignored.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::http::search::instant::filters::{self, Filters};
use crate::json::{number, raw};
use crate::problem::{FieldErrors, Problem, pointer};

const REQUESTS_MAX: usize = 50;
const HITS_MAX: u64 = 100;
const HITS_UNLESS_TOLD: u64 = 20;
/// Nobody looks further than so many hits.
pub(super) const REACHED_MAX: u64 = 1_000;
const QUERY_BYTES_MAX: usize = 1_000;
const FACETS_MAX: usize = 50;
const FACET_SIZE_UNLESS_TOLD: u64 = 10;
const FACET_SIZE_MAX: u64 = 100;

const NUMBERS: [&str; 4] = ["page", "hitsPerPage", "maxValuesPerFacet", "maxFacetHits"];

/// What narrows the products, and is not understood here.
const REFUSED: [&str; 9] = [
    "filters",
    "aroundLatLng",
    "aroundLatLngViaIP",
    "aroundRadius",
    "insideBoundingBox",
    "insidePolygon",
    "optionalWords",
    "restrictSearchableAttributes",
    "similarQuery",
];

/// One of the requests.
#[derive(Debug)]
pub(super) enum Question {
    Hits(Box<HitsQuestion>),
    FacetValues(Box<FacetQuestion>),
}

/// A page of products.
#[derive(Debug)]
pub(super) struct HitsQuestion {
    pub(super) index: String,
    pub(super) query: String,
    pub(super) page: u64,
    pub(super) hits_per_page: u64,
    /// The fields whose values are counted; `*` for those that the catalog chooses.
    pub(super) facets: Vec<String>,
    pub(super) facet_size: u64,
    pub(super) filters: Filters,
    /// The members of products; none stands for all.
    pub(super) retrieved: Vec<String>,
    pub(super) tags: (String, String),
    /// Whether the search counts for statistics.
    pub(super) tracked: bool,
}

/// The values of a facet that have a text in them.
#[derive(Debug)]
pub(super) struct FacetQuestion {
    pub(super) facet: String,
    pub(super) containing: String,
    pub(super) size: u64,
    pub(super) query: String,
    pub(super) filters: Filters,
    pub(super) tags: (String, String),
}

/// Reads `{"requests": […]}`.
pub(super) fn read_questions(body: &RawValue) -> Result<Vec<Question>, Problem> {
    let mut errors = FieldErrors::default();
    let body: Value = serde_json::from_str(body.get()).unwrap_or_default();
    let requests = body.get("requests").and_then(Value::as_array);
    let requests = requests.filter(|all| (1..=REQUESTS_MAX).contains(&all.len()));
    let Some(requests) = requests else {
        let detail = format!("must be an array of 1 to {REQUESTS_MAX} requests");
        return Err(Problem::invalid_field("/requests", detail));
    };
    let mut questions = Vec::with_capacity(requests.len());
    for (at, request) in requests.iter().enumerate() {
        let place = pointer(&["requests", &at.to_string()]);
        let Some(members) = request.as_object() else {
            errors.push(place, raw::WrongKind::Object);
            continue;
        };
        questions.extend(Asked::of(members, place, &mut errors).question());
    }
    errors.finish()?;
    Ok(questions)
}

/// Reads the body of a search within the values of a facet.
pub(super) fn read_facet_question(
    facet: String,
    body: &RawValue,
) -> Result<FacetQuestion, Problem> {
    let mut errors = FieldErrors::default();
    let body: Value = serde_json::from_str(body.get()).unwrap_or_default();
    let Some(members) = body.as_object() else {
        return Err(Problem::invalid_field("", raw::WrongKind::Object));
    };
    let mut asked = Asked::of(members, String::new(), &mut errors);
    let question = asked.facet_question(facet);
    errors.finish()?;
    Ok(question)
}

/// The parameters of one request, wherever they stand.
struct Asked<'e> {
    params: Map<String, Value>,
    place: String,
    errors: &'e mut FieldErrors,
}

impl<'e> Asked<'e> {
    fn of(members: &Map<String, Value>, place: String, errors: &'e mut FieldErrors) -> Self {
        let mut params = members.clone();
        match params.remove("params") {
            Some(Value::String(text)) => {
                let pairs = form_urlencoded::parse(text.as_bytes()).into_owned();
                params.extend(pairs.map(|(name, text)| {
                    let value = typed(&name, text);
                    (name, value)
                }));
            }
            Some(Value::Object(more)) => params.extend(more),
            _ => {}
        }
        for name in REFUSED {
            if params.get(name).is_some_and(|value| !is_nothing(value)) {
                errors.push(
                    format!("{place}/{name}"),
                    "is not understood here: use facetFilters and numericFilters",
                );
            }
        }
        Self {
            params,
            place,
            errors,
        }
    }

    fn question(mut self) -> Option<Question> {
        let is_facet = self.text("type") == "facet";
        let (facet, _) = (self.text("facet"), self.text("facetQuery"));
        if !is_facet {
            return Some(Question::Hits(Box::new(self.hits_question())));
        }
        if facet.is_empty() {
            self.fail("facet", "is required");
            return None;
        }
        Some(Question::FacetValues(Box::new(self.facet_question(facet))))
    }

    fn hits_question(&mut self) -> HitsQuestion {
        let hits_per_page = self.number("hitsPerPage", HITS_UNLESS_TOLD, 0, HITS_MAX);
        let page = self.number("page", 0, 0, REACHED_MAX);
        let facets = self.texts("facets");
        if facets.len() > FACETS_MAX {
            self.fail("facets", "names more than 50 facets");
        }
        let retrieved = self.texts("attributesToRetrieve");
        HitsQuestion {
            index: self.text("indexName"),
            query: self.query(),
            page,
            hits_per_page,
            facets,
            facet_size: self.number("maxValuesPerFacet", FACET_SIZE_UNLESS_TOLD, 1, 1_000),
            filters: self.filters(),
            retrieved: retrieved.into_iter().filter(|name| name != "*").collect(),
            tags: self.tags(),
            tracked: self.params.get("analytics") != Some(&Value::Bool(false)),
        }
    }

    fn facet_question(&mut self, facet: String) -> FacetQuestion {
        FacetQuestion {
            facet,
            containing: self.text("facetQuery"),
            size: self.number("maxFacetHits", FACET_SIZE_UNLESS_TOLD, 1, FACET_SIZE_MAX),
            query: self.query(),
            filters: self.filters(),
            tags: self.tags(),
        }
    }

    fn query(&mut self) -> String {
        let query = self.text("query");
        if query.len() > QUERY_BYTES_MAX {
            self.fail("query", "must be at most 1000 bytes");
        }
        query
    }

    fn filters(&mut self) -> Filters {
        let mut all = Filters::default();
        for (name, read) in [
            ("facetFilters", filters::facet as filters::Reader),
            ("numericFilters", filters::numeric),
        ] {
            let stated = self.params.get(name).cloned().unwrap_or_default();
            if let Err(reason) = all.add(&stated, read) {
                self.fail(name, reason);
            }
        }
        all
    }

    fn tags(&mut self) -> (String, String) {
        let before = self.text("highlightPreTag");
        let after = self.text("highlightPostTag");
        if before.is_empty() && after.is_empty() {
            ("<em>".to_owned(), "</em>".to_owned())
        } else {
            (before, after)
        }
    }

    fn text(&mut self, name: &str) -> String {
        match self.params.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(_) => {
                self.fail(name, "must be a string");
                String::new()
            }
        }
    }

    /// A list of texts, or one text, or texts with commas between them.
    fn texts(&mut self, name: &str) -> Vec<String> {
        match self.params.get(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) => {
                let parts = text.split(',').map(|part| part.trim().to_owned());
                parts.filter(|part| !part.is_empty()).collect()
            }
            Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
                let texts = list.iter().filter_map(Value::as_str);
                texts.map(str::to_owned).collect()
            }
            Some(_) => {
                self.fail(name, "must be an array of strings");
                Vec::new()
            }
        }
    }

    fn number(&mut self, name: &str, unless_told: u64, min: u64, max: u64) -> u64 {
        let stated = match self.params.get(name) {
            None | Some(Value::Null) => return unless_told,
            Some(value) => whole(value),
        };
        match stated.filter(|number| (min..=max).contains(number)) {
            Some(number) => number,
            None => {
                self.fail(name, format!("must be a whole number from {min} to {max}"));
                unless_told
            }
        }
    }

    fn fail(&mut self, name: &str, reason: impl std::fmt::Display) {
        self.errors
            .push(format!("{}{}", self.place, pointer(&[name])), reason);
    }
}

/// The value that stands in an address: JSON where it is a list, an object, a flag or a known number, else a text.
fn typed(name: &str, text: String) -> Value {
    let is_json = NUMBERS.contains(&name)
        || text.starts_with(['[', '{'])
        || matches!(text.as_str(), "true" | "false");
    let value = is_json.then(|| serde_json::from_str(&text).ok()).flatten();
    value.unwrap_or(Value::String(text))
}

/// A whole number, which JSON may write as `1.0` or `1e2` too.
fn whole(value: &Value) -> Option<u64> {
    let number = value.as_number()?.to_string();
    let number = RawValue::from_string(number).ok()?;
    number::whole(&number).and_then(|number| u64::try_from(number).ok())
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<Vec<Question>, Problem> {
        let text = body.to_string();
        read_questions(raw::value(text.as_bytes()).expect("JSON"))
    }

    fn hits(body: &Value) -> HitsQuestion {
        match read(body).expect("valid").pop() {
            Some(Question::Hits(hits)) => *hits,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn parameters_stand_beside_the_index_or_in_params() {
        let beside = json!({"requests": [{"indexName": "shop", "query": "usb hub", "page": 2, "hitsPerPage": 5,
            "facets": ["brand", "attributes.colour"], "maxValuesPerFacet": 20}]});
        let within = json!({"requests": [{"indexName": "shop",
            "params": "query=usb%20hub&page=2&hitsPerPage=5&facets=%5B%22brand%22%2C%22attributes.colour%22%5D&maxValuesPerFacet=20"}]});
        for body in [beside, within] {
            let found = hits(&body);
            assert_eq!(
                (found.index.as_str(), found.query.as_str()),
                ("shop", "usb hub")
            );
            assert_eq!(
                (found.page, found.hits_per_page, found.facet_size),
                (2, 5, 20)
            );
            assert_eq!(found.facets, ["brand", "attributes.colour"]);
        }
    }

    #[test]
    fn what_would_change_the_answer_is_not_ignored() {
        let pointers = |body: Value| -> Vec<String> {
            let problem = read(&body).expect_err("at fault").to_json();
            let errors = problem["errors"].as_array().expect("errors").iter();
            errors
                .map(|error| error["pointer"].as_str().expect("a pointer").to_owned())
                .collect()
        };
        assert_eq!(pointers(json!({})), ["/requests"]);
        assert_eq!(pointers(json!({"requests": [1]})), ["/requests/0"]);
        let odd = json!({"requests": [{"filters": "brand:a OR brand:b"}, {"hitsPerPage": 1000, "page": -1},
            {"type": "facet"}, {"facetFilters": "brand"}, {"numericFilters": ["price~1"]}]});
        assert_eq!(
            pointers(odd),
            [
                "/requests/0/filters",
                "/requests/1/hitsPerPage",
                "/requests/1/page",
                "/requests/2/facet",
                "/requests/3/facetFilters",
                "/requests/4/numericFilters",
            ]
        );
        let bookkeeping = json!({"requests": [{"indexName": "a", "clickAnalytics": true, "userToken": "x", "tagFilters": "",
            "filters": "", "analyticsTags": []}]});
        assert!(read(&bookkeeping).is_ok());
    }
}
