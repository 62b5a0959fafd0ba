//! `catalogctl synonyms suggest`: shows pairs of words that the catalog seems to use for the same,
//! for a person to accept.

use std::process::ExitCode;

use anyhow::Context as _;
use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::{SuggestSynonymsRequest, SynonymSuggestion};
use client_kit::{Meter, output};
use serde_json::{Value, json};

use crate::endpoints::EndpointArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct SuggestArgs {
    /// How many pairs at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=1000))]
    limit: i32,
    /// Prints one JSON object a pair
    #[arg(long)]
    json: bool,
}

pub(crate) async fn suggest(
    args: SuggestArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let target = endpoints.resolve()?.query;
    let mut client = CatalogQueryOperationsClient::new(target.channel()?);
    let request = SuggestSynonymsRequest { limit: args.limit };
    let answer = client.suggest_synonyms(request).await;
    let mut steps = answer.map_err(|status| target.error(&status))?.into_inner();
    let mut meter = Meter::new("looking for synonyms");
    let mut last = None;
    while let Some(step) = steps
        .message()
        .await
        .map_err(|status| target.error(&status))?
    {
        let (done, total) = (step.done.max(0) as u64, step.total.max(0) as u64);
        let text = format!("{done} of {total} words");
        meter.set(done, (total > 0).then_some(total), &text);
        last = Some(step);
    }
    meter.clear();
    let found =
        last.context("the read service ended before it had looked at any word: see its log")?;
    if args.json {
        for pair in &found.suggestions {
            output::json(&to_json(pair))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    for pair in &found.suggestions {
        output::line(&to_line(pair))?;
    }
    match found.suggestions.first() {
        None => output::line("no words look like synonyms")?,
        Some(SynonymSuggestion { term, synonym, .. }) => eprintln!(
            "to accept one: catalogctl synonyms add {term} {synonym}\n\
             to see it no more: catalogctl synonyms forbid {term} {synonym}",
        ),
    }
    Ok(ExitCode::SUCCESS)
}

fn to_line(pair: &SynonymSuggestion) -> String {
    let line = format!(
        "{:.2}  {} ({})  {} ({}): {}",
        pair.confidence,
        pair.term,
        pair.term_documents,
        pair.synonym,
        pair.synonym_documents,
        pair.evidence
    );
    output::plain(&line)
}

fn to_json(pair: &SynonymSuggestion) -> Value {
    json!({
        "term": pair.term,
        "synonym": pair.synonym,
        "confidence": pair.confidence,
        "similarity": pair.similarity,
        "term_documents": pair.term_documents,
        "synonym_documents": pair.synonym_documents,
        "both_documents": pair.both_documents,
        "evidence": pair.evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_one_line_and_one_object() {
        let pair = SynonymSuggestion {
            term: "laptop".to_owned(),
            synonym: "notebook".to_owned(),
            confidence: 0.5,
            similarity: 0.75,
            term_documents: 114,
            synonym_documents: 538,
            both_documents: 60,
            evidence: "together in 60 products".to_owned(),
        };
        let line = "0.50  laptop (114)  notebook (538): together in 60 products";
        assert_eq!(to_line(&pair), line);
        assert_eq!(to_json(&pair)["both_documents"], 60);
    }
}
