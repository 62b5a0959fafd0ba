//! The parameters of an import: the options of `catalogctl import`, under the same names and with the same
//! meaning, for both come from one definition.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use clap::error::{ContextKind, ContextValue};
use clap::{ArgAction, Args as _, Command, FromArgMatches as _};
use client_kit::feed::{FormArgs, MappingArgs};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required};

use crate::http::request::params::Query;
use crate::problem::{FieldErrors, Problem, pointer};

/// The only number among the options.
const BATCH: &str = "batch";
const BATCH_MIN: i64 = 1;
const BATCH_MAX: i64 = 1_000;

/// The parameters of `POST /api/import`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ImportParams {
    /// Says what the import would change, and changes nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Products in one transaction
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u16).range(BATCH_MIN..=BATCH_MAX))]
    pub(super) batch: u16,
    #[command(flatten)]
    pub(super) form: FormArgs,
    #[command(flatten)]
    pub(super) mapping: MappingArgs,
}

fn command() -> Command {
    let command = Command::new("import").no_binary_name(true);
    let command = command.disable_help_flag(true).disable_version_flag(true);
    ImportParams::augment_args(command)
}

impl ImportParams {
    /// Takes the encoding that the content type of the body states, unless a parameter does.
    pub(super) fn with_charset(mut self, headers: &HeaderMap) -> Result<Self, Problem> {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let stated = kind
            .and_then(charset)
            .filter(|_| self.form.encoding.is_none());
        if let Some(label) = stated {
            let known = label.parse().map_err(|unknown| {
                let detail = format!("Content-Type: {unknown}");
                Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
            });
            self.form.charset = Some(known?);
        }
        Ok(self)
    }

    pub(super) fn read(query: &Query) -> Result<Self, Problem> {
        let command = command();
        let names: Vec<String> = command.get_arguments().filter_map(name_of).collect();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut errors = FieldErrors::default();
        query.check_names(&known, &mut errors);
        errors.finish()?;
        let mut words = Vec::new();
        for (name, value) in query.pairs() {
            let option = format!("--{}", name.replace('_', "-"));
            let mut arguments = command.get_arguments();
            let argument = arguments.find(|it| name_of(it).is_some_and(|known| known == name));
            if argument.is_some_and(is_flag) {
                match value {
                    "true" | "" => words.push(option),
                    "false" => {}
                    _ => {
                        return Err(Problem::invalid_field(
                            &pointer(&[name]),
                            "must be true or false",
                        ));
                    }
                }
            } else {
                words.push(format!("{option}={value}"));
            }
        }
        let read = command
            .try_get_matches_from(words)
            .and_then(|matches| Self::from_arg_matches(&matches));
        read.map_err(|err| refused(&err))
    }
}

/// The parameter `charset` of a content type (RFC 9110, section 8.3.2).
fn charset(kind: &str) -> Option<&str> {
    let mut parameters = kind.split(';').skip(1);
    parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"'))
    })
}

fn is_number(argument: &clap::Arg) -> bool {
    argument.get_id() == BATCH
}

fn is_flag(argument: &clap::Arg) -> bool {
    matches!(argument.get_action(), ArgAction::SetTrue)
}

/// The name of the parameter that stands for an option.
fn name_of(argument: &clap::Arg) -> Option<String> {
    argument.get_long().map(|long| long.replace('-', "_"))
}

/// Names and values of the parameters that say what options do.
pub(super) fn pairs_of_options(options: &[String]) -> Vec<(String, String)> {
    let command = command();
    let mut words = options.iter();
    let mut pairs = Vec::new();
    while let Some(word) = words.next() {
        let option = word.trim_start_matches('-');
        let (name, beside) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        let name = name.replace('-', "_");
        let mut arguments = command.get_arguments();
        let argument = arguments.find(|it| name_of(it).as_ref() == Some(&name));
        let value = match beside {
            Some(value) => value.to_owned(),
            None if argument.is_some_and(is_flag) => "true".to_owned(),
            None => words.next().cloned().unwrap_or_default(),
        };
        pairs.push((name, value));
    }
    pairs
}

/// Names the parameter at fault.
fn refused(err: &clap::Error) -> Problem {
    let text = |kind| match err.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
        _ => None,
    };
    let name = |option: &str| {
        let option = option.split([' ', '=']).next().unwrap_or_default();
        option.trim_start_matches('-').replace('-', "_")
    };
    let place = text(ContextKind::InvalidArg).map(name).unwrap_or_default();
    if place == BATCH && text(ContextKind::PriorArg).is_none() {
        let detail = format!("must be a whole number from {BATCH_MIN} to {BATCH_MAX}");
        return Problem::invalid_field("/batch", detail);
    }
    let detail = match (
        err.get(ContextKind::ValidValue),
        text(ContextKind::PriorArg),
    ) {
        (Some(ContextValue::Strings(valid)), _) => format!("must be one of {}", valid.join(", ")),
        (_, Some(prior)) if name(prior) == place => "is given twice".to_owned(),
        (_, Some(prior)) => format!("excludes {}", name(prior)),
        _ => std::error::Error::source(err).map_or_else(
            || "is not valid".to_owned(),
            |source| in_names_of_parameters(&source.to_string()),
        ),
    };
    Problem::invalid_field(&pointer(&[&place]), detail)
}

/// Writes `--price-minor` as `price_minor`: what a person on a command line is told, for a client.
pub(super) fn in_names_of_parameters(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, option)) = rest.split_once("--") {
        told.push_str(before);
        let letters = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        let end = option
            .find(|letter| !letters(letter))
            .unwrap_or(option.len());
        let (name, behind) = option.split_at(end);
        let begins = !told.ends_with(char::is_alphanumeric);
        rest = behind;
        if begins && name.starts_with(|first: char| first.is_ascii_lowercase()) {
            told.push_str(&name.replace('-', "_"));
            if let Some(value) = behind.strip_prefix(' ').filter(|it| is_value(it)) {
                told.push('=');
                rest = value;
            }
        } else {
            told.push_str("--");
            told.push_str(name);
        }
    }
    told.push_str(rest);
    told
}

/// Whether a text goes on with what stands for a value: `NAME` or `id=COLUMN`.
fn is_value(text: &str) -> bool {
    let end = text.find([' ', ',', ';', ':']).unwrap_or(text.len());
    let word = &text[..end];
    let is_placeholder = !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase());
    is_placeholder || word.contains('=')
}

impl IntoParams for ImportParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let command = command();
        let parameters = command.get_arguments().filter_map(|argument| {
            let help = argument.get_help().map(ToString::to_string);
            let parameter = ParameterBuilder::new()
                .name(name_of(argument)?)
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(help.map(|help| in_names_of_parameters(&help)))
                .schema(Some(schema(argument)));
            Some(parameter.build())
        });
        parameters.collect()
    }
}

fn schema(argument: &clap::Arg) -> RefOr<Schema> {
    let single = ObjectBuilder::new();
    let values = argument.get_possible_values();
    let single = if is_flag(argument) {
        single.schema_type(Type::Boolean)
    } else if is_number(argument) {
        let single = single.schema_type(Type::Integer);
        single.minimum(Some(BATCH_MIN)).maximum(Some(BATCH_MAX))
    } else if values.is_empty() {
        single.schema_type(Type::String)
    } else {
        let names = values.iter().map(|value| value.get_name().to_owned());
        single.schema_type(Type::String).enum_values(Some(names))
    };
    match argument.get_action() {
        ArgAction::Append => Schema::Array(ArrayBuilder::new().items(single).build()).into(),
        _ => Schema::Object(single.build()).into(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn check_refused(query: &str, (pointer, detail): (&str, &str)) {
        let problem = ImportParams::read(&Query::parse(query)).expect_err("at fault");
        let expected = serde_json::json!([{"pointer": pointer, "detail": detail}]);
        assert_eq!(problem.to_json()["errors"], expected, "{query}");
    }

    #[test]
    fn parameters_are_the_options_of_the_command() {
        let read = |query| ImportParams::read(&Query::parse(query)).expect("valid");
        let params = read("dry_run=true&map=brand%3Dsupplier&map=sku=name&price_minor=p&batch=7");
        assert!(params.dry_run && params.batch == 7 && params.mapping.map.len() == 2);
        assert_eq!(params.mapping.price_minor.as_deref(), Some("p"));
        assert!(!read("dry_run=false").dry_run);
        // A value that looks like an option is a value.
        assert_eq!(
            read("delimiter=--x").mapping.delimiter.as_deref(),
            Some("--x")
        );
    }

    #[test]
    fn options_are_parameters_again() {
        let options = [
            "--map",
            "id=Art. No",
            "--decimal-comma",
            "--delimiter=-",
            "--price",
            "Preis",
        ];
        let pairs = pairs_of_options(&options.map(str::to_owned));
        let expected = [
            ("map", "id=Art. No"),
            ("decimal_comma", "true"),
            ("delimiter", "-"),
            ("price", "Preis"),
        ];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        let params = ImportParams::read(&Query::from_pairs(pairs)).expect("valid");
        assert_eq!(params.mapping.price.as_deref(), Some("Preis"));
    }

    #[test]
    fn a_parameter_at_fault_is_named() {
        check_refused(
            "dryrun=true",
            ("/dryrun", "is no parameter here: did you mean dry_run?"),
        );
        check_refused(
            "format=yaml",
            ("/format", "must be one of jsonl, json, csv, xml, sheet"),
        );
        check_refused("map=price=p", ("/map", "name it with price or price_minor"));
        check_refused("price=a&price_minor=b", ("/price", "excludes price_minor"));
        check_refused("price=a&price=b", ("/price", "is given twice"));
        check_refused("replace=maybe", ("/replace", "must be true or false"));
        let told = "must be a whole number from 1 to 1000";
        for batch in ["0", "1001", "x", "", "1.5", "99999"] {
            check_refused(&format!("batch={batch}"), ("/batch", told));
        }
        check_refused("batch=1&batch=2", ("/batch", "is given twice"));
    }

    #[test]
    fn the_content_type_may_state_the_encoding() {
        let read = |query: &str, kind: &'static str| {
            let headers = [(CONTENT_TYPE, HeaderValue::from_static(kind))];
            let params = ImportParams::read(&Query::parse(query)).expect("valid");
            params.with_charset(&headers.into_iter().collect())
        };
        let form = |query: &str, kind: &'static str| {
            let form = read(query, kind).expect("valid").form;
            (form.encoding, form.charset)
        };
        let known = |label: &str| Some(label.parse().expect("known"));
        let cyrillic = known("windows-1251");
        for kind in [
            "text/csv; charset=windows-1251",
            "text/csv;header=present; Charset = \"Windows-1251\" ",
            "application/json;charset=cp1251",
        ] {
            assert_eq!(form("", kind), (None, cyrillic), "{kind}");
        }
        for kind in ["text/csv", "application/json", "text/csv; encoding=koi8-r"] {
            assert_eq!(form("", kind), (None, None), "{kind}");
        }
        let both = form("encoding=koi8-r", "text/csv; charset=nonsense");
        assert_eq!(both, (known("koi8-r"), None));
        let refused = read("", "text/csv; charset=nonsense").expect_err("unknown");
        let told = refused.to_json();
        assert_eq!(told["status"], 415);
        let detail = told["detail"].as_str().expect("a detail");
        assert!(
            detail.starts_with(
                "Content-Type: there is no encoding \"nonsense\"; some that there are: UTF-8"
            ),
            "{detail}"
        );
    }

    #[test]
    fn options_are_told_as_parameters() {
        let check = |text, expected| assert_eq!(in_names_of_parameters(text), expected);
        check(
            "name it with --price or --price-minor -- or not, a--b",
            "name it with price or price_minor -- or not, a--b",
        );
        check("one of --entry NAME: a, b", "one of entry=NAME: a, b");
        check("use --map id=COLUMN; it", "use map=id=COLUMN; it");
    }
}
