//! Reads files of rules: JSON objects one after another.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use catalog_events::RuleForm;
use serde_json::{Map, Value};

/// The text of a file, or of standard input for `-`.
pub(super) fn read_file(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Reads rules, each with the version it was printed at, where the file says so.
pub(super) fn read_rules(text: &str) -> anyhow::Result<Vec<(RuleForm, Option<i64>)>> {
    let objects = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
    let mut rules = Vec::new();
    for (index, object) in objects.enumerate() {
        let number = index + 1;
        let object = object.with_context(|| format!("rule {number} is no JSON object"))?;
        rules.push(read_rule(object).with_context(|| format!("rule {number}"))?);
    }
    if rules.is_empty() {
        bail!("there is no rule in it");
    }
    Ok(rules)
}

fn read_rule(mut object: Map<String, Value>) -> anyhow::Result<(RuleForm, Option<i64>)> {
    let version = match object.remove("version") {
        None | Some(Value::Null) => None,
        Some(version) => Some(version.as_i64().context("version is no whole number")?),
    };
    for kept_by_the_service in ["created_at", "updated_at"] {
        object.remove(kept_by_the_service);
    }
    let form: RuleForm = serde_json::from_value(Value::Object(object))?;
    if form.id.is_empty() {
        bail!("it has no id");
    }
    Ok((form, version))
}
