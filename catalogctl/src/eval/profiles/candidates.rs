//! The profiles to compare, and their parameters.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use catalog_proto::v1::SearchProductsRequest;
use serde_json::Value;

use crate::eval::asker::Asker;
use crate::search::Strategy;

/// The weights of an answer that do not come from its profile.
const NOT_OF_THE_PROFILE: [&str; 1] = ["vector_coverage"];
/// What an answer is asked for to see its weights.
const ANY_QUERY: &str = "a";

/// Where the profiles come from.
pub(in crate::eval) struct Source<'a> {
    /// The profiles to compare; empty for all of the file.
    pub(in crate::eval) names: &'a [String],
    /// The file that the service has.
    pub(in crate::eval) file: Option<&'a Path>,
}

/// A profile with its numbers by name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) name: String,
    parameters: BTreeMap<String, f64>,
}

impl Candidate {
    pub(super) fn parameters(&self) -> &BTreeMap<String, f64> {
        &self.parameters
    }

    #[cfg(test)]
    pub(super) fn new(name: &str, parameters: &[(&str, f64)]) -> Self {
        let parameters = parameters.iter();
        Self {
            name: name.to_owned(),
            parameters: parameters
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect(),
        }
    }
}

impl Source<'_> {
    /// The names of the profiles to compare.
    pub(super) fn names(&self) -> anyhow::Result<Vec<String>> {
        let listed = self.file.map(listed).transpose()?;
        let names = match &listed {
            Some(listed) if self.names.is_empty() => listed.keys().cloned().collect(),
            _ => self.names.to_vec(),
        };
        if let (Some(listed), Some(file)) = (&listed, self.file) {
            let unknown = names.iter().find(|name| !listed.contains_key(*name));
            if let Some(name) = unknown {
                let known = listed.keys().cloned().collect::<Vec<_>>().join(", ");
                anyhow::bail!("{} has no profile {name:?}, only {known}", file.display());
            }
        }
        Ok(names)
    }

    /// The profiles with their parameters: those of the file, or without one, those that the
    /// service tells of an answer. It fails where the service has other profiles than the file.
    pub(super) async fn candidates(
        &self,
        asker: &mut Asker,
        names: &[String],
        strategy: Strategy,
    ) -> anyhow::Result<Vec<Candidate>> {
        let listed = self.file.map(listed).transpose()?;
        let mut candidates = Vec::new();
        for name in names {
            let (label, weights) = told(asker, name, strategy).await?;
            let parameters = match listed.as_ref().and_then(|listed| listed.get(name)) {
                Some(profile) => {
                    let version = &profile["version"];
                    anyhow::ensure!(
                        label == format!("{name}@{version}"),
                        "the read service has {label}, the file has version {version} of it: start \
                         the service anew with this file as CATALOG_QUERY_RANKING_PROFILES"
                    );
                    numbers(profile)
                }
                None => weights,
            };
            candidates.push(Candidate {
                name: name.clone(),
                parameters,
            });
        }
        Ok(candidates)
    }
}

/// The profiles of a file by name.
fn listed(file: &Path) -> anyhow::Result<BTreeMap<String, Value>> {
    let listed = catalog_query::ranking_profiles(Some(file))?;
    let named = listed.profiles.into_iter().map(|profile| {
        let name = profile["name"].as_str().context("a profile has no name")?;
        Ok((name.to_owned(), profile))
    });
    named.collect()
}

/// The label of a profile, as `name@version`, and its weights, as the service tells them.
async fn told(
    asker: &mut Asker,
    name: &str,
    strategy: Strategy,
) -> anyhow::Result<(String, BTreeMap<String, f64>)> {
    let request = SearchProductsRequest {
        query: ANY_QUERY.to_owned(),
        limit: 1,
        strategy: catalog_proto::v1::SearchStrategy::from(strategy).into(),
        ranking_profile: name.to_owned(),
        explain: true,
        ..SearchProductsRequest::default()
    };
    let answer = asker.ask(request).await.with_context(|| {
        format!(
            "profile {name:?} (the read service reads the file in CATALOG_QUERY_RANKING_PROFILES \
             when it starts)"
        )
    })?;
    let weights = answer.explanation.unwrap_or_default().weights.into_iter();
    let of_profile = weights.filter(|(name, _)| !NOT_OF_THE_PROFILE.contains(&&**name));
    Ok((answer.ranking_profile, of_profile.collect()))
}

/// The numbers of a profile by their paths, such as `words.title.k1`; a flag is 0 or 1. The version
/// is no parameter.
pub(super) fn numbers(profile: &Value) -> BTreeMap<String, f64> {
    let mut numbers = BTreeMap::new();
    collect(profile, "", &mut numbers);
    numbers.remove("version");
    numbers
}

fn collect(value: &Value, path: &str, numbers: &mut BTreeMap<String, f64>) {
    let number = match value {
        Value::Object(members) => {
            for (name, member) in members {
                let below = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                collect(member, &below, numbers);
            }
            None
        }
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        other => other.as_f64(),
    };
    if let Some(number) = number {
        numbers.insert(path.to_owned(), number);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_told_by_their_paths() {
        let profile = json!({"name": "a", "version": 3, "depth": 200, "flip": true,
            "words": {"kind": 0.5, "title": {"k1": 1.2}}, "list": [1]});
        let expected = [
            ("depth", 200.0),
            ("flip", 1.0),
            ("words.kind", 0.5),
            ("words.title.k1", 1.2),
        ];
        let expected: BTreeMap<String, f64> = expected
            .map(|(name, value)| (name.to_owned(), value))
            .into();
        assert_eq!(numbers(&profile), expected);
    }
}
