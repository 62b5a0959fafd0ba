//! Writes a file of ranking profiles, one for every point of a grid.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use anyhow::Context as _;
use catalog_query::ListedProfiles;
use serde_json::{Value, json};

use super::candidates::numbers;
use crate::eval::typing::fingerprint;

/// The most profiles of a grid.
const POINTS_MAX: usize = 1_000;
/// The versions of profiles stay below this number.
const VERSIONS: u64 = 1_000_000;

/// The values of some parameters of a profile: `NAME=VALUE,…;NAME=VALUE,…`. Names that are joined
/// by `+` have the same value in each profile.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grid(Vec<Axis>);

#[derive(Clone, Debug, PartialEq)]
struct Axis {
    names: Vec<String>,
    values: Vec<Value>,
}

impl FromStr for Grid {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let axes = text
            .split(';')
            .map(str::trim)
            .filter(|axis| !axis.is_empty());
        let axes: Vec<Axis> = axes.map(axis).collect::<Result<_, _>>()?;
        let points = axes.iter().map(|axis| axis.values.len()).product::<usize>();
        if axes.is_empty() || points > POINTS_MAX {
            return Err(format!("a grid has 1 to {POINTS_MAX} points"));
        }
        Ok(Self(axes))
    }
}

fn axis(text: &str) -> Result<Axis, String> {
    let Some((names, values)) = text.split_once('=') else {
        return Err(format!("{text:?} is not NAME=VALUE,VALUE"));
    };
    let value = |text: &str| match serde_json::from_str(text.trim()) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value),
        _ => Err(format!("{text:?} is neither a number nor true or false")),
    };
    Ok(Axis {
        names: names
            .split('+')
            .map(|name| name.trim().to_owned())
            .collect(),
        values: values.split(',').map(value).collect::<Result<_, _>>()?,
    })
}

/// Writes the points of a grid around a profile, and that profile as the default, to a file which
/// the service can be started with. Returns how many profiles it holds.
///
/// The profile is `base`, or the default one, of the profiles in `from`, or of those that the
/// service has by itself.
pub(in crate::eval) fn write(
    grid: &Grid,
    from: Option<&Path>,
    base: &str,
    file: &Path,
) -> anyhow::Result<usize> {
    let known = catalog_query::ranking_profiles(from)?;
    let name = if base.is_empty() {
        &known.default
    } else {
        base
    };
    let profiles = grid.profiles(base_profile(&known, name)?)?;
    let count = profiles.len();
    let text = serde_json::to_string_pretty(&json!({"default": name, "profiles": profiles}))?;
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    catalog_query::ranking_profiles(Some(file)).context("the service would not take it")?;
    Ok(count)
}

fn base_profile<'a>(known: &'a ListedProfiles, name: &str) -> anyhow::Result<&'a Value> {
    let mut profiles = known.profiles.iter();
    let found = profiles.find(|profile| profile["name"] == name);
    found.with_context(|| format!("there is no profile {name:?} to start from"))
}

impl Grid {
    /// The base and every point that is not the base, each with its values in its name.
    fn profiles(&self, base: &Value) -> anyhow::Result<Vec<Value>> {
        let mut points = vec![(Vec::new(), base.clone())];
        for Axis { names, values } in &self.0 {
            let mut more = Vec::new();
            for (parts, profile) in &points {
                for value in values {
                    let mut profile = profile.clone();
                    for name in names {
                        *parameter(&mut profile, name)? = value.clone();
                    }
                    let part = format!("{}-{value}", names[0]);
                    more.push(([&parts[..], &[part]].concat(), profile));
                }
            }
            points = more;
        }
        let named = points.into_iter().map(|(parts, mut profile)| {
            profile["name"] = json!(parts.join("_"));
            // It changes with every value, so that a service with an older file is noticed.
            profile["version"] = json!(0);
            profile["version"] = json!(fingerprint(&profile.to_string()) % VERSIONS);
            profile
        });
        let others = named.filter(|point| numbers(point) != numbers(base));
        Ok(std::iter::once(base.clone()).chain(others).collect())
    }
}

/// A parameter of a profile by its path.
fn parameter<'a>(profile: &'a mut Value, path: &str) -> anyhow::Result<&'a mut Value> {
    let known = numbers(profile);
    let pointer = format!("/{}", path.replace('.', "/"));
    let found = known
        .contains_key(path)
        .then(|| profile.pointer_mut(&pointer));
    found.flatten().with_context(|| {
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        format!(
            "a profile has no number {path:?}, only {}",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_becomes_a_file_that_the_service_takes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("grid.json");
        let grid: Grid = "vector_weight=0.2,0.4; words.kind+words_beside_vectors.kind=0,0.3,0.6"
            .parse()
            .unwrap();
        assert_eq!(write(&grid, None, "", &file).unwrap(), 7);
        let written = catalog_query::ranking_profiles(Some(&file)).unwrap();
        let own = catalog_query::ranking_profiles(None).unwrap();
        assert_eq!(written.default, own.default);
        let point = base_profile(&written, "vector_weight-0.4_words.kind-0.3").unwrap();
        let base = base_profile(&written, &own.default).unwrap();
        assert_eq!(base, &own.profiles[0]);
        let mut expected = numbers(base);
        for (name, value) in [
            ("vector_weight", 0.4),
            ("words.kind", 0.3),
            ("words_beside_vectors.kind", 0.3),
        ] {
            expected.insert(name.to_owned(), value);
        }
        assert_eq!(numbers(point), expected, "all else is that of the base");

        let finer: Grid = "depth=100,150,200".parse().unwrap();
        let around = folder.path().join("finer.json");
        let from = "vector_weight-0.4_words.kind-0.3";
        assert_eq!(write(&finer, Some(&file), from, &around).unwrap(), 3);
        let written = catalog_query::ranking_profiles(Some(&around)).unwrap();
        assert_eq!(written.default, from);
        let point = base_profile(&written, "depth-150").unwrap();
        assert_eq!(point["vector_weight"], json!(0.4));
        assert_ne!(point["version"], written.profiles[0]["version"]);
    }

    #[test]
    fn what_is_no_grid_is_told() {
        let parsed = |text: &str| text.parse::<Grid>().map(|_| ());
        for (text, reason) in [
            ("", "1 to 1000 points"),
            ("vector_weight", "NAME=VALUE"),
            ("vector_weight=a", "neither a number"),
            ("vector_weight=", "neither a number"),
        ] {
            let err = parsed(text).unwrap_err();
            assert!(err.contains(reason), "{text}: {err}");
        }
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str, base: &str| {
            let grid: Grid = text.parse().unwrap();
            format!(
                "{:#}",
                write(&grid, None, base, &folder.path().join("f")).unwrap_err()
            )
        };
        let err = write("words=1", "");
        assert!(
            err.contains("no number \"words\", only depth, keyword_weight"),
            "{err}"
        );
        assert!(write("depth=0", "").contains("depth is not from"));
        assert!(write("depth=1", "none").contains("no profile \"none\""));
    }
}
