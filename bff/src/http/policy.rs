//! Who may do what: every operation names the scope that it needs, in the OpenAPI document. Invariant: a
//! route without a policy is served to nobody.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use axum::http::Method;
use utoipa::openapi::path::Operation;

use crate::http::docs;
use crate::http::routes::DOCUMENT;
use crate::openapi::{KEY, operations};

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Scope {
    Search,
    Read,
    Write,
    Rules,
    Operate,
}

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// It is for everybody.
    Open,
    Needs(Scope),
}

impl Scope {
    pub(crate) const ALL: [Self; 5] = [
        Self::Search,
        Self::Read,
        Self::Write,
        Self::Rules,
        Self::Operate,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Read => "read",
            Self::Write => "write",
            Self::Rules => "rules",
            Self::Operate => "operate",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a scope is search, read, write, rules or operate")]
pub(crate) struct InvalidScope;

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(name: &str) -> Result<Self, InvalidScope> {
        let mut all = Self::ALL.into_iter();
        all.find(|scope| scope.name() == name).ok_or(InvalidScope)
    }
}

/// A route with the policies of its methods.
pub(crate) struct Route {
    pub(crate) path: String,
    methods: Vec<(Method, Policy)>,
}

impl Route {
    /// Returns the policy of a request; None where the route has no such method.
    pub(crate) fn policy(&self, method: &Method) -> Option<Policy> {
        // A HEAD is a GET whose body is not sent.
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let mut methods = self.methods.iter();
        let found = methods.find(|(known, _)| known == method);
        found.map(|(_, policy)| *policy)
    }
}

/// Returns the route whose path the router matched.
pub(crate) fn route(path: &str) -> Option<&'static Route> {
    ROUTES.get(path)
}

static ROUTES: LazyLock<HashMap<String, Route>> = LazyLock::new(|| {
    let mut routes: HashMap<String, Route> = HashMap::new();
    let mut add = |path: &str, method, policy| {
        let route = routes.entry(path.to_owned()).or_insert_with(|| Route {
            path: path.to_owned(),
            methods: Vec::new(),
        });
        route.methods.push((method, policy));
    };
    for (path, item) in &DOCUMENT.paths.paths {
        for (method, operation) in operations(item) {
            if let (Ok(method), Some(policy)) = (method.parse(), policy_of(operation)) {
                add(path, method, policy);
            }
        }
    }
    for page in [docs::PAGE, docs::PAGE_INDEX, docs::PAGE_FILE] {
        add(page, Method::GET, Policy::Open);
    }
    routes
});

/// Reads the policy that an operation states; None if it states none.
fn policy_of(operation: &Operation) -> Option<Policy> {
    let requirement = operation.security.as_ref()?.first()?;
    let requirement = serde_json::to_value(requirement).ok()?;
    let Some(scopes) = requirement.get(KEY) else {
        return Some(Policy::Open);
    };
    let scope = scopes.get(0)?.as_str()?;
    scope.parse().ok().map(Policy::Needs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_states_who_may_ask() {
        let mut count = 0;
        for (path, item) in &DOCUMENT.paths.paths {
            for (method, operation) in operations(item) {
                assert!(policy_of(operation).is_some(), "{method} {path}");
                let method = method.parse().expect("a method");
                let known = route(path).and_then(|route| route.policy(&method));
                assert!(known.is_some(), "{method} {path}");
                count += 1;
            }
        }
        assert!(count > 15, "{count}");
    }
}
