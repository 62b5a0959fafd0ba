//! The command line of a suggestion, as one can paste it into a shell.

use clap::ValueEnum as _;

use crate::feed::{FormArgs, MappingArgs, shell_word};

/// The options that say all of this.
pub(super) fn options(form: &FormArgs, mapping: &MappingArgs) -> Vec<String> {
    let mut options = Vec::new();
    let mut add = |name: &str, value: &str| {
        if value.starts_with('-') {
            options.push(format!("--{name}={value}"));
        } else {
            options.extend([format!("--{name}"), value.to_owned()]);
        }
    };
    let FormArgs {
        format,
        encoding,
        charset,
        entry,
        item,
        sheet,
        preset,
    } = form;
    let value = |value: Option<clap::builder::PossibleValue>| {
        value.map_or(String::new(), |value| value.get_name().to_owned())
    };
    if let Some(format) = format {
        add("format", &value(format.to_possible_value()));
    }
    // A file that is read by itself comes with no header.
    if let Some(encoding) = encoding.or(*charset) {
        add("encoding", encoding.name());
    }
    for (name, text) in [("entry", entry), ("item", item), ("sheet", sheet)] {
        if let Some(text) = text {
            add(name, text);
        }
    }
    if let Some(preset) = preset {
        add("preset", &value(preset.to_possible_value()));
    }
    if mapping.skip > 0 {
        add("skip", &mapping.skip.to_string());
    }
    for (field, column) in &mapping.map {
        add("map", &format!("{}={column}", field.as_str()));
    }
    for (name, text) in [
        ("delimiter", &mapping.delimiter),
        ("price", &mapping.price),
        ("price-minor", &mapping.price_minor),
        ("category-separator", &mapping.category_separator),
        ("expect-version", &mapping.expect_version),
    ] {
        if let Some(text) = text {
            add(name, text);
        }
    }
    if let Some(currency) = mapping.currency {
        add("currency", &currency.to_string());
    }
    for (name, columns) in [
        ("strip-prefix", &mapping.strip_prefix),
        ("ignore", &mapping.ignore),
        ("text", &mapping.text),
        ("number", &mapping.number),
        ("flag", &mapping.flag),
    ] {
        for column in columns {
            add(name, column);
        }
    }
    for (column, separator) in &mapping.split {
        add("split", &format!("{column}={separator}"));
    }
    options.extend(switches(mapping));
    options
}

/// The options that have no value.
fn switches(mapping: &MappingArgs) -> impl Iterator<Item = String> {
    let switches = [
        ("keep-text", mapping.keep_text),
        ("decimal-comma", mapping.decimal_comma),
        ("decimal-point", mapping.decimal_point),
        ("replace", mapping.replace),
    ];
    let set = switches.into_iter().filter(|(_, is_set)| *is_set);
    set.map(|(name, _)| format!("--{name}"))
}

/// Words as a shell takes them apart again.
pub(super) fn quoted(words: &[String]) -> String {
    let quoted = words.iter().map(|word| shell_word(word));
    quoted.collect::<Vec<_>>().join(" ")
}
