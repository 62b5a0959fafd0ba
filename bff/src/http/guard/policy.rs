//! Who may do what: every operation names the scope that it needs, in the OpenAPI document. Invariant: a
//! route without a policy is served to nobody.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::{HeaderValue, Method};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;

use crate::http::pages;
use crate::http::routes::DOCUMENT;
use crate::openapi::{operations, scope_of};
use crate::scope::Scope;

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// It is for everybody.
    Open,
    Needs(Scope),
}

/// A route with the policies of its methods.
pub(crate) struct Route {
    pub(crate) path: String,
    methods: Vec<(Method, Policy)>,
}

impl Route {
    /// Returns the methods of the route, as `Allow` lists them.
    pub(crate) fn allow(&self) -> HeaderValue {
        let methods = self.methods.iter().map(|(method, _)| method.as_str());
        let mut methods: Vec<&str> = methods.chain(["OPTIONS"]).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        let listed = HeaderValue::try_from(methods.join(", "));
        listed.unwrap_or(HeaderValue::from_static("OPTIONS"))
    }

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
    for page in pages::PATHS {
        add(page, Method::GET, Policy::Open);
    }
    routes
});

/// Reads the policy that an operation states; None if it states none.
fn policy_of(operation: &Operation) -> Option<Policy> {
    let requirement = operation.security.as_ref()?.first()?;
    if *requirement == SecurityRequirement::default() {
        return Some(Policy::Open);
    }
    scope_of(operation).map(Policy::Needs)
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
