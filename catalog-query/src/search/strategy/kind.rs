//! The names of the strategies.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StrategyKind {
    Keyword,
    Vector,
    Hybrid,
}
