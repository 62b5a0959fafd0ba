//! The parts that every service of the catalog needs: configuration, telemetry, start and stop, health
//! and metrics, the gRPC server, trace context and typed gRPC errors. They know nothing of the domain.

#![warn(missing_docs)]

mod service;
mod telemetry;
mod tasks;
mod retry;
mod ops;
mod process_metrics;
mod priority;
mod grpc_server;
mod request_log;
mod trace;
mod grpc_client;
mod service_token;
mod transport;
mod env;
mod grpc_error;

/// The allocator of every service. Thousands of times in a request, one thread frees what another has
/// allocated; the C library's allocator spends a quarter of the time of a search on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use crate::env::{ConfigError, Env};
pub use crate::grpc_client::{GrpcAccess, GrpcChannel};
pub use crate::grpc_error::{ERROR_DOMAIN, reason, status, violations};
pub use crate::grpc_server::{GrpcServer, Health};
pub use crate::ops::{Leaving, Ops, Readiness};
pub use crate::priority::work_in_background;
pub use crate::request_log::{RequestLog, RequestLogLayer, Route};
pub use crate::retry::{Failure, Retry, backoff};
pub use crate::service::{Service, run};
pub use crate::service_token::{InvalidServiceTokens, ServiceTokens, TOKEN_MISSING, TOKEN_UNKNOWN};
pub use crate::tasks::{Tasks, stop_signal};
pub use crate::telemetry::{LogFormat, init_telemetry};
pub use crate::trace::{
    MessageOperation, MessageSteps, Span, SpanKind, TraceContext, TraceExport, TracingConfig,
};
pub use crate::transport::{Alpn, ClientTls, Connection, Listener, ServerTls, TlsError};
