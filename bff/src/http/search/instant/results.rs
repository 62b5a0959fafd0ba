//! Writes answers in the shape that Algolia's clients read.

use std::time::Instant;

use catalog_proto::encoded::{self, Malformed, ProductView};
use catalog_proto::v1;
use serde_json::{Map, Value, json};

use crate::http::search::filter::PRICE;
use crate::http::search::instant::question::{FacetQuestion, HitsQuestion, REACHED_MAX};
use crate::json::product::ProductJson;

/// A page of products.
pub(super) fn hits(
    question: &HitsQuestion,
    answer: &encoded::SearchProductsResponse,
    started: Instant,
) -> Result<Value, Malformed> {
    let hits = answer.products.iter().enumerate().map(|(at, product)| {
        let highlight = answer.highlights.get(at);
        Ok(hit(question, product.view()?, highlight))
    });
    let total = u64::try_from(answer.total).unwrap_or(0);
    let per_page = question.hits_per_page;
    let pages = match per_page {
        0 => 0,
        _ => total.min(REACHED_MAX).div_ceil(per_page),
    };
    let mut result = json!({
        "index": question.index,
        "hits": hits.collect::<Result<Vec<_>, _>>()?,
        "nbHits": total,
        "page": question.page,
        "nbPages": pages,
        "hitsPerPage": per_page,
        "exhaustiveNbHits": true,
        "exhaustiveFacetsCount": true,
        "query": question.query,
        "params": "",
        "processingTimeMS": started.elapsed().as_millis() as u64,
    });
    if !question.facets.is_empty() {
        let (facets, numbers) = facets(question, answer);
        result["facets"] = facets;
        result["facets_stats"] = numbers;
    }
    if !answer.search_id.is_empty() {
        result["queryID"] = json!(answer.search_id);
    }
    Ok(result)
}

/// The values of a facet.
pub(super) fn facet_values(
    question: &FacetQuestion,
    answer: &encoded::SearchProductsResponse,
    started: Instant,
) -> Value {
    let values = answer.facets.first().map(|facet| facet.values.as_slice());
    let hits = values.unwrap_or_default().iter().map(|value| {
        json!({
            "value": value.value,
            "highlighted": marked_within(&value.value, &question.containing, &question.tags),
            "count": value.count,
        })
    });
    json!({
        "facetHits": hits.collect::<Vec<_>>(),
        "exhaustiveFacetsCount": true,
        "processingTimeMS": started.elapsed().as_millis() as u64,
    })
}

fn hit(
    question: &HitsQuestion,
    product: ProductView<'_>,
    highlight: Option<&v1::Highlight>,
) -> Value {
    let texts = [
        ("title", product.title),
        ("brand", product.brand),
        ("description", product.description),
    ];
    let id = product.id;
    let mut hit = match serde_json::to_value(ProductJson::from(product)) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let wanted = |name: &str| {
        let retrieved = &question.retrieved;
        retrieved.is_empty() || retrieved.iter().any(|one| one == name)
    };
    hit.retain(|name, _| wanted(name));
    let mut marked = Map::new();
    for (name, text) in texts {
        let found = highlight.and_then(|all| all.fields.iter().find(|one| one.field == name));
        if wanted(name) && !text.is_empty() {
            marked.insert(name.to_owned(), highlighted(text, found, &question.tags));
        }
    }
    hit.insert("objectID".to_owned(), json!(id));
    hit.insert("_highlightResult".to_owned(), Value::Object(marked));
    Value::Object(hit)
}

/// A text with what matched between tags.
fn highlighted(text: &str, found: Option<&v1::HighlightedField>, tags: &(String, String)) -> Value {
    let Some(found) = found.filter(|found| !found.spans.is_empty()) else {
        return json!({"value": text, "matchLevel": "none", "matchedWords": []});
    };
    let (mut value, mut at) = (String::new(), 0);
    let mut words = Vec::new();
    for span in &found.spans {
        let (start, end) = (span.start as usize, span.end as usize);
        let (Some(before), Some(word)) = (found.text.get(at..start), found.text.get(start..end))
        else {
            continue;
        };
        value.push_str(before);
        value.push_str(&tags.0);
        value.push_str(word);
        value.push_str(&tags.1);
        words.push(word.to_lowercase());
        at = end;
    }
    value.push_str(found.text.get(at..).unwrap_or_default());
    words.dedup();
    json!({"value": value, "matchLevel": "full", "fullyHighlighted": false, "matchedWords": words})
}

/// A value with the text that was looked for between tags.
fn marked_within(value: &str, sought: &str, (before, after): &(String, String)) -> String {
    let sought = sought.trim().to_lowercase();
    let places = value.char_indices().map(|(at, _)| at);
    let mut begins = places.filter(|at| {
        let rest = &value[*at..];
        rest.to_lowercase().starts_with(&sought)
    });
    let Some(start) = begins.next().filter(|_| !sought.is_empty()) else {
        return value.to_owned();
    };
    // Lower case may have other lengths: signs are counted instead of bytes.
    let length: usize = value[start..]
        .chars()
        .take(sought.chars().count())
        .map(char::len_utf8)
        .sum();
    let end = start + length;
    format!(
        "{}{before}{}{after}{}",
        &value[..start],
        &value[start..end],
        &value[end..]
    )
}

/// Counts by field and value, and the numbers of fields that have some.
fn facets(question: &HitsQuestion, answer: &encoded::SearchProductsResponse) -> (Value, Value) {
    let (mut counts, mut numbers) = (Map::new(), Map::new());
    let asked = question.facets.iter().filter(|name| *name != "*");
    let names = asked.map(Some).chain(std::iter::repeat(None));
    for (facet, asked) in answer.facets.iter().zip(names) {
        let own = if facet.field == PRICE {
            "price"
        } else {
            &facet.field
        };
        let name = asked.map_or(own, String::as_str);
        let values = facet.values.iter();
        let values: Map<String, Value> = values
            .map(|value| (value.value.clone(), json!(value.count)))
            .collect();
        counts.insert(name.to_owned(), Value::Object(values));
        if let Some(all) = facet.numbers.as_ref().filter(|all| all.count > 0) {
            let sum = all.mean * all.count as f64;
            let told = json!({"min": all.min, "max": all.max, "avg": all.mean, "sum": sum});
            numbers.insert(name.to_owned(), told);
        }
    }
    (Value::Object(counts), Value::Object(numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matched_stands_between_tags() {
        let tags = ("<".to_owned(), ">".to_owned());
        let span = |start, end| v1::HighlightSpan { start, end };
        let found = v1::HighlightedField {
            field: "title".to_owned(),
            text: "Grün hub".to_owned(),
            spans: vec![span(0, 5), span(6, 9)],
        };
        let marked = highlighted("Grün hub", Some(&found), &tags);
        assert_eq!(marked["value"], "<Grün> <hub>");
        assert_eq!(marked["matchLevel"], "full");
        assert_eq!(marked["matchedWords"], json!(["grün", "hub"]));
        let plain = highlighted("Grün hub", None, &tags);
        assert_eq!(
            (&plain["value"], &plain["matchLevel"]),
            (&json!("Grün hub"), &json!("none"))
        );
    }

    #[test]
    fn a_value_is_marked_where_it_has_the_text() {
        let tags = ("[".to_owned(), "]".to_owned());
        let check = |value, sought, expected: &str| {
            assert_eq!(marked_within(value, sought, &tags), expected)
        };
        check("Lenovo", "len", "[Len]ovo");
        check("Überall", "ÜBER", "[Über]all");
        check("Acme", "x", "Acme");
        check("Acme", "", "Acme");
        check("", "a", "");
    }
}
