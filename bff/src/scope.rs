//! What a caller may do.

use std::fmt;
use std::str::FromStr;

use catalog_proto::v1;

/// A part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Scope {
    /// Searches, completions, similar products and clicks.
    Search = 1,
    /// Products by id, lists of them and their history.
    Read = 1 << 1,
    /// Writes of products.
    Write = 1 << 2,
    /// Search rules.
    Rules = 1 << 3,
    /// Keys and statistics.
    Operate = 1 << 4,
}

impl Scope {
    pub(crate) const ALL: [Self; 5] = [
        Self::Search,
        Self::Read,
        Self::Write,
        Self::Rules,
        Self::Operate,
    ];

    pub(crate) fn of_message(scope: v1::ApiScope) -> Option<Self> {
        match scope {
            v1::ApiScope::Unspecified => None,
            v1::ApiScope::Search => Some(Self::Search),
            v1::ApiScope::Read => Some(Self::Read),
            v1::ApiScope::Write => Some(Self::Write),
            v1::ApiScope::Rules => Some(Self::Rules),
            v1::ApiScope::Operate => Some(Self::Operate),
        }
    }

    pub(crate) fn to_message(self) -> v1::ApiScope {
        match self {
            Self::Search => v1::ApiScope::Search,
            Self::Read => v1::ApiScope::Read,
            Self::Write => v1::ApiScope::Write,
            Self::Rules => v1::ApiScope::Rules,
            Self::Operate => v1::ApiScope::Operate,
        }
    }

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

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a scope is search, read, write, rules or operate")]
pub struct InvalidScope;

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(name: &str) -> Result<Self, InvalidScope> {
        let mut all = Self::ALL.into_iter();
        all.find(|scope| scope.name() == name).ok_or(InvalidScope)
    }
}

/// Any number of scopes; as a text, their names with commas between them.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Every scope.
    pub const ALL: Self = Self(0b1_1111);

    /// These and those.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `scope` is one of them.
    pub fn has(self, scope: Scope) -> bool {
        self.0 & scope as u8 != 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let bits = scopes.into_iter().map(|scope| scope as u8);
        Self(bits.fold(0, |all, one| all | one))
    }
}

impl FromStr for Scopes {
    type Err = InvalidScope;

    fn from_str(list: &str) -> Result<Self, InvalidScope> {
        let names = list.split([',', ' ']).filter(|name| !name.is_empty());
        names.map(str::parse).collect()
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = Scope::ALL.into_iter().filter(|scope| self.has(*scope));
        f.debug_list().entries(held.map(Scope::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_a_list_of_names() {
        let some: Scopes = "search, read".parse().expect("scopes");
        assert!(some.has(Scope::Search) && some.has(Scope::Read));
        assert!(!some.has(Scope::Write));
        assert_eq!(format!("{some:?}"), r#"["search", "read"]"#);
        assert_eq!("".parse(), Ok(Scopes::default()));
        assert_eq!("search,admin".parse::<Scopes>(), Err(InvalidScope));
        assert_eq!("search,read,write,rules,operate".parse(), Ok(Scopes::ALL));
    }
}
