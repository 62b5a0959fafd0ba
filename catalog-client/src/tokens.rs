//! The consistency tokens of the client's own writes.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Every replica has a write long before this.
const AGE_MAX: Duration = Duration::from_secs(30);
const COUNT_MAX: usize = 50;

/// The newest tokens, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<VecDeque<(Instant, String)>>);

impl Tokens {
    pub(crate) fn remember(&self, token: &str) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|(_, known)| known != token);
        if tokens.len() >= COUNT_MAX {
            tokens.pop_front();
        }
        tokens.push_back((Instant::now(), token.to_owned()));
    }

    /// The value of the header; None where there is nothing to wait for.
    pub(crate) fn header(&self) -> Option<String> {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|(at, _)| at.elapsed() < AGE_MAX);
        let texts: Vec<&str> = tokens.iter().map(|(_, token)| token.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_tokens_are_carried_once() {
        let tokens = Tokens::default();
        assert_eq!(tokens.header(), None);
        for token in ["a", "b", "a"] {
            tokens.remember(token);
        }
        assert_eq!(tokens.header().as_deref(), Some("b,a"));
        for count in 0..COUNT_MAX {
            tokens.remember(&count.to_string());
        }
        let header = tokens.header().expect("tokens");
        assert!(
            header.starts_with("0,1,") && !header.contains('a'),
            "{header}"
        );
    }
}
