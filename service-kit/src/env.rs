//! Configuration from environment variables. Reading a variable also documents it, so that
//! `--help` cannot leave one out, and all mistakes are reported at once.

use std::fmt::{Display, Write as _};
use std::str::FromStr;

/// Reads variables under one prefix and collects what is wrong with them.
pub struct Env {
    prefix: &'static str,
    lookup: Lookup,
    documented: Vec<Variable>,
    problems: Vec<String>,
}

type Lookup = Box<dyn Fn(&str) -> Option<String> + Send>;

struct Variable {
    name: String,
    default: Option<String>,
    help: &'static str,
}

/// Every variable that is missing or cannot be read, each on a line of its own.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(Vec<String>);

impl Env {
    /// Reads the variables of the process. Names carry `prefix`, which is not repeated in the calls below.
    pub fn from_process(prefix: &'static str) -> Self {
        Self::new(prefix, |name| std::env::var(name).ok())
    }

    /// Reads `pairs` instead of the process's variables, for several services in one process and for
    /// tests. Their names carry the prefix.
    pub fn from_pairs<const N: usize>(
        prefix: &'static str,
        pairs: [(&'static str, String); N],
    ) -> Self {
        Self::new(prefix, move |name| find(&pairs, name))
    }

    /// Reads the variables of the process with some of them replaced.
    pub fn from_process_with<const N: usize>(
        prefix: &'static str,
        pairs: [(&'static str, String); N],
    ) -> Self {
        Self::new(prefix, move |name| {
            find(&pairs, name).or_else(|| std::env::var(name).ok())
        })
    }

    fn new(prefix: &'static str, lookup: impl Fn(&str) -> Option<String> + Send + 'static) -> Self {
        Self {
            prefix,
            lookup: Box::new(lookup),
            documented: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Reads a variable with a default, which is what a text that cannot be read counts as until
    /// [`Env::finish`] reports it. Panics where the default cannot be read either.
    pub fn or<T>(&mut self, name: &str, default: &str, help: &'static str) -> T
    where
        T: FromStr,
        T::Err: Display,
    {
        let name = self.document(name, Some(default), help);
        let text = self.read(&name).unwrap_or_else(|| default.to_owned());
        text.parse().unwrap_or_else(|err| {
            self.problems.push(format!("{name}: {err}, got {text:?}"));
            match default.parse() {
                Ok(value) => value,
                Err(err) => unreachable!("the default of {name} does not parse: {err}"),
            }
        })
    }

    /// Reads a variable with a default, whose empty value means something: that nothing is allowed, for
    /// instance. It is no default then.
    pub fn or_empty<T>(&mut self, name: &str, default: &str, help: &'static str) -> T
    where
        T: FromStr,
        T::Err: Display,
    {
        if (self.lookup)(&format!("{}{name}", self.prefix)).is_some_and(|value| value.is_empty())
            && let Ok(nothing) = "".parse()
        {
            self.document(name, Some(default), help);
            return nothing;
        }
        self.or(name, default, help)
    }

    /// Reads a variable that may be unset.
    pub fn optional<T>(&mut self, name: &str, help: &'static str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let name = self.document(name, None, help);
        let text = self.read(&name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(err) => {
                self.problems.push(format!("{name}: {err}, got {text:?}"));
                None
            }
        }
    }

    /// Reads a secret that may be unset. No message repeats it.
    pub fn secret<T>(&mut self, name: &str, help: &'static str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let name = self.document(name, None, help);
        match self.read(&name)?.parse() {
            Ok(value) => Some(value),
            Err(err) => {
                self.problems.push(format!("{name}: {err}"));
                None
            }
        }
    }

    /// Reads a text that must be set. It may be a secret: no message repeats it.
    pub fn required(&mut self, name: &str, help: &'static str) -> String {
        let name = self.document(name, None, help);
        self.read(&name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is not set: {help}"));
            String::new()
        })
    }

    /// Reports that a variable, which could be read, makes no sense: it contradicts another one, or names a
    /// file that is not what it should be.
    pub fn reject(&mut self, name: &str, why: impl Display) {
        self.problems.push(format!("{}{name}: {why}", self.prefix));
    }

    /// Fails with everything that was wrong with the variables that were read.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError(self.problems))
        }
    }

    /// The variables that were read, with their defaults, as text for `--help`.
    pub fn help(&self) -> String {
        let mut text = String::new();
        for Variable {
            name,
            default,
            help,
        } in &self.documented
        {
            let default = match default {
                Some(default) => format!(" [default: {default}]"),
                None => String::new(),
            };
            let _ = writeln!(text, "  {name}{default}\n      {help}");
        }
        text
    }

    fn read(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    fn document(&mut self, name: &str, default: Option<&str>, help: &'static str) -> String {
        let name = format!("{}{name}", self.prefix);
        self.documented.push(Variable {
            name: name.clone(),
            default: default.map(str::to_owned),
            help,
        });
        name
    }
}

fn find(pairs: &[(&'static str, String)], name: &str) -> Option<String> {
    let found = pairs.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_is_none_unless_it_means_something() {
        let pairs = [("X_PORT", String::new()), ("X_OPEN", String::new())];
        let mut env = Env::from_pairs("X_", pairs);
        assert_eq!(env.or::<u16>("PORT", "80", "The port."), 80);
        assert_eq!(env.or_empty::<String>("OPEN", "all", "What is open."), "");
        assert_eq!(
            env.or_empty::<String>("SHUT", "none", "What is shut."),
            "none"
        );
        assert!(env.help().contains("X_OPEN [default: all]"));
        env.finish().expect("no mistakes");
    }

    #[test]
    fn reports_every_mistake_at_once_and_documents_every_variable() {
        let pairs = [
            ("X_PORT", "high".to_owned()),
            ("X_SECRET", "hunter2".to_owned()),
        ];
        let mut env = Env::from_pairs("X_", pairs);
        assert_eq!(env.or::<u16>("PORT", "80", "The port."), 80);
        assert_eq!(env.or::<u32>("LIMIT", "7", "The limit."), 7);
        assert_eq!(env.required("URL", "the database"), "");
        assert_eq!(env.secret::<u16>("SECRET", "the secret"), None);
        assert!(env.help().contains("X_PORT [default: 80]\n      The port."));
        let err = env.finish().expect_err("three mistakes").to_string();
        assert_eq!(
            err,
            "X_PORT: invalid digit found in string, got \"high\"\nX_URL is not set: the database\n\
             X_SECRET: invalid digit found in string"
        );
    }
}
