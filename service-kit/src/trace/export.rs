//! Sends the steps of traces to a collector by OTLP over gRPC. The variables are those that OpenTelemetry
//! names (Environment Variable Specification; SDK and OTLP Exporter), so that one setting serves all programs
//! of a shop.

use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;
use http::Uri;
use opentelemetry::KeyValue;
use opentelemetry_otlp::{SpanExporter, WithTonicConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanProcessor as _};
use tonic::transport::Endpoint;

use crate::GrpcAccess;

/// How long the collector may take for a batch.
const SENT_MS_MAX: u64 = 10_000;
/// How long a service that ends waits for the collector to take the last steps.
const LAST_SENT_MS_MAX: u64 = 2_000;

static PROCESSOR: OnceLock<BatchSpanProcessor> = OnceLock::new();
static SAMPLER: OnceLock<Sampler> = OnceLock::new();

/// Whether anybody is told of the steps of traces.
pub(super) fn is_on() -> bool {
    PROCESSOR.get().is_some()
}

/// Whether a trace that begins here is told.
pub(super) fn samples(trace_id: u128) -> bool {
    SAMPLER.get().is_none_or(|sampler| sampler.takes(trace_id))
}

pub(super) fn send(span: SpanData) {
    if let Some(processor) = PROCESSOR.get() {
        processor.on_end(span);
    }
}

/// Which traces that begin here are told; others follow whoever began them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sampler {
    share: f64,
}

impl Sampler {
    const ALL: Self = Self { share: 1.0 };

    fn parse(name: &str, argument: Option<&str>) -> Result<Self, String> {
        let share = match name {
            "always_on" | "parentbased_always_on" => 1.0,
            "always_off" | "parentbased_always_off" => 0.0,
            "traceidratio" | "parentbased_traceidratio" => {
                let text = argument.unwrap_or("1.0");
                let share = text.trim().parse().ok();
                share
                    .filter(|share| (0.0..=1.0).contains(share))
                    .ok_or_else(|| {
                        format!("OTEL_TRACES_SAMPLER_ARG is a share from 0 to 1, got {text:?}")
                    })?
            }
            _ => {
                return Err(format!(
                    "OTEL_TRACES_SAMPLER is parentbased_always_on, parentbased_always_off or \
                     parentbased_traceidratio, got {name:?}"
                ));
            }
        };
        Ok(Self { share })
    }

    /// All services of one trace decide alike: its id is random.
    fn takes(self, trace_id: u128) -> bool {
        let drawn = (trace_id as u64 >> 1) as f64 / (u64::MAX >> 1) as f64;
        drawn < self.share || self.share >= 1.0
    }
}

/// Where the steps of traces are sent, and which traces.
#[derive(Clone, Debug, PartialEq)]
pub struct TracingConfig {
    /// None sends nothing.
    endpoint: Option<Uri>,
    sampler: Sampler,
}

impl TracingConfig {
    /// Reads the variables of the process. The error names the one that makes no sense.
    pub fn from_process() -> Result<Self, String> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Begins to send what `service` does, where a collector is named. The async runtime must be there
    /// already; nothing is connected yet.
    pub fn begin(self, service: &'static str) -> anyhow::Result<TraceExport> {
        let _ = SAMPLER.set(self.sampler);
        let Some(endpoint) = self.endpoint else {
            return Ok(TraceExport(()));
        };
        let address = Endpoint::from(endpoint.clone())
            .connect_timeout(Duration::from_millis(SENT_MS_MAX))
            .timeout(Duration::from_millis(SENT_MS_MAX));
        let channel = GrpcAccess::default().connect(&address)?;
        let exporter = SpanExporter::builder().with_tonic().with_channel(channel);
        let exporter = exporter.build().context("the collector of traces")?;
        let mut processor = BatchSpanProcessor::builder(exporter).build();
        processor.set_resource(&resource(service));
        if PROCESSOR.set(processor).is_ok() {
            tracing::info!(%endpoint, "traces are sent");
        }
        Ok(TraceExport(()))
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let stated = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
        let off = |name: &str, value: &str| stated(name).is_some_and(|text| text.trim() == value);
        let is_off = off("OTEL_SDK_DISABLED", "true") || off("OTEL_TRACES_EXPORTER", "none");
        let endpoint = [
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ]
        .into_iter()
        .find_map(|name| Some((name, stated(name)?)))
        .filter(|_| !is_off)
        .map(|(name, text)| {
            address(&text)
                .ok_or_else(|| format!("{name} is http://HOST:4317 or https://…, got {text:?}"))
        })
        .transpose()?;
        let protocol =
            stated("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or(stated("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if let Some(other) = protocol.filter(|known| endpoint.is_some() && known != "grpc") {
            return Err(format!(
                "OTEL_EXPORTER_OTLP_PROTOCOL: traces are sent by grpc, to the collector's port 4317, got {other:?}"
            ));
        }
        let argument = stated("OTEL_TRACES_SAMPLER_ARG");
        let sampler = stated("OTEL_TRACES_SAMPLER").map_or(Ok(Sampler::ALL), |name| {
            Sampler::parse(name.trim(), argument.as_deref())
        })?;
        Ok(Self { endpoint, sampler })
    }
}

fn address(text: &str) -> Option<Uri> {
    let uri: Uri = text.trim().parse().ok()?;
    let is_known = matches!(uri.scheme_str(), Some("http" | "https"));
    (is_known && uri.authority().is_some()).then_some(uri)
}

/// The steps on their way to the collector. What could not be sent is dropped: no request waits for it.
pub struct TraceExport(());

impl TraceExport {
    /// Sends what is left.
    pub async fn end(self) {
        let sent = tokio::task::spawn_blocking(|| {
            let wait = Duration::from_millis(LAST_SENT_MS_MAX);
            PROCESSOR
                .get()
                .map(|processor| processor.shutdown_with_timeout(wait))
        });
        if let Ok(Some(Err(err))) = sent.await {
            tracing::warn!("the last traces: {err}");
        }
    }
}

/// Who tells: the name of the service, unless `OTEL_SERVICE_NAME` states another, and what
/// `OTEL_RESOURCE_ATTRIBUTES` adds.
fn resource(service: &'static str) -> Resource {
    let named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
    let builder = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if named {
        builder.build()
    } else {
        builder.with_service_name(service).build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<TracingConfig, String> {
        TracingConfig::read(|name| {
            let stated = variables.iter().find(|(known, _)| *known == name);
            stated.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_a_collector_nothing_is_sent() {
        for variables in [
            &[][..],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4317"),
                ("OTEL_SDK_DISABLED", "true"),
            ],
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4317"),
                ("OTEL_TRACES_EXPORTER", "none"),
            ],
        ] {
            assert_eq!(
                read(variables).expect("valid").endpoint,
                None,
                "{variables:?}"
            );
        }
    }

    #[test]
    fn the_address_for_traces_goes_before_that_for_all() {
        let config = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4317"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces:4317"),
        ]);
        let endpoint = config.expect("valid").endpoint.expect("an address");
        assert_eq!(endpoint.host(), Some("traces"));
    }

    #[test]
    fn what_makes_no_sense_is_told_by_name() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/traces"),
            ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ] {
            let err = read(&[(name, value)]).expect_err(value);
            assert!(err.starts_with(name), "{err}");
        }
        let by_http = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ];
        assert!(read(&by_http).expect_err("not grpc").contains("4317"));
        for share in ["2", "-1", "half", "NaN"] {
            let ratio = [
                ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", share),
            ];
            assert!(read(&ratio).expect_err(share).contains("from 0 to 1"));
        }
    }

    #[test]
    fn a_share_of_the_traces_is_taken_by_their_ids() {
        let taken = |share: &str| {
            let sampler = Sampler::parse("traceidratio", Some(share)).expect("a share");
            let mut random = fastrand::Rng::with_seed(7);
            (0..10_000)
                .filter(|_| sampler.takes(random.u128(1..)))
                .count()
        };
        assert_eq!((taken("0"), taken("1")), (0, 10_000));
        assert!((2_300..2_700).contains(&taken("0.25")));
        assert!(Sampler::ALL.takes(u128::MAX));
    }
}
