//! How searches went, for operators: how many, by which strategy, how long, and how many were answered with less.

use std::time::Duration;

use catalog_proto::encoded;
use catalog_proto::v1;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tonic::{Code, Status};

/// Upper bounds in seconds: a search takes a millisecond or two, and is given up after two seconds.
const SECONDS: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 2.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByStrategy {
    strategy: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCode {
    code: String,
}

impl ByCode {
    fn of(code: Code) -> Self {
        let code = format!("{code:?}");
        Self { code }
    }
}

/// The metrics of searches. Clones share them.
#[derive(Clone)]
pub(crate) struct SearchMetrics {
    seconds: Family<ByStrategy, Histogram, fn() -> Histogram>,
    degraded: Counter,
    nothing_found: Counter,
    failed: Family<ByCode, Counter>,
}

impl SearchMetrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            degraded: Counter::default(),
            nothing_found: Counter::default(),
            failed: Family::default(),
        };
        // A series that begins with its first search hides that search from rates.
        for strategy in ["keyword", "vector", "hybrid"] {
            drop(metrics.seconds.get_or_create(&ByStrategy { strategy }));
        }
        for code in [Code::Unavailable, Code::DeadlineExceeded] {
            drop(metrics.failed.get_or_create(&ByCode::of(code)));
        }
        let registry = registry.sub_registry_with_prefix("catalog_query_search");
        let help = "How long searches took, by the strategy that answered";
        registry.register("seconds", help, metrics.seconds.clone());
        let help = "Searches that one leg alone answered, as the other could not";
        registry.register("degraded", help, metrics.degraded.clone());
        let help = "Searches that found nothing";
        registry.register("nothing_found", help, metrics.nothing_found.clone());
        let help = "Searches without an answer, by gRPC code";
        registry.register("failed", help, metrics.failed.clone());
        metrics
    }

    pub(crate) fn ended(
        &self,
        answer: &Result<encoded::SearchProductsResponse, Status>,
        took: Duration,
    ) {
        match answer {
            Ok(answer) => {
                let strategy = match answer.strategy() {
                    v1::SearchStrategy::Unspecified => "none",
                    v1::SearchStrategy::Keyword => "keyword",
                    v1::SearchStrategy::Vector => "vector",
                    v1::SearchStrategy::Hybrid => "hybrid",
                };
                let seconds = self.seconds.get_or_create(&ByStrategy { strategy });
                seconds.observe(took.as_secs_f64());
                if answer.degraded {
                    self.degraded.inc();
                }
                if answer.total == 0 {
                    self.nothing_found.inc();
                }
            }
            Err(status) => {
                let code = ByCode::of(status.code());
                self.failed.get_or_create(&code).inc();
            }
        }
    }
}
