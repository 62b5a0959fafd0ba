//! The kinds of strategies that a request can ask for.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StrategyKind {
    Keyword,
    Vector,
    Hybrid,
}
