//! The log of requests: one line for each, HTTP or gRPC, with its trace id, status and time.

mod answered;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use http::header::CONTENT_TYPE;
use http::{Request, Response};
use tower::{Layer, Service};

use self::answered::Answered;
pub use self::answered::Route;
pub(crate) use self::answered::register;
use crate::{Span, SpanKind, TraceContext};

/// Wraps a service in [`RequestLog`].
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestLogLayer;

/// A service whose requests are logged under the target `request`. Its handlers find the
/// [`TraceContext`] in the extensions of the request.
#[derive(Clone, Debug)]
pub struct RequestLog<S>(S);

impl<S> Layer<S> for RequestLogLayer {
    type Service = RequestLog<S>;

    fn layer(&self, inner: S) -> RequestLog<S> {
        RequestLog(inner)
    }
}

impl<S, B, R> Service<Request<B>> for RequestLog<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let trace = TraceContext::from_headers(request.headers());
        request.extensions_mut().insert(trace);
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let is_grpc = is_grpc(&request);
        let started = Instant::now();
        let mut span = Span::start(trace, SpanKind::Server, "request");
        let answer = self.0.call(request);
        Box::pin(async move {
            let response = answer.await?;
            let took = started.elapsed();
            let micros = took.as_micros() as u64;
            let http = response.status().as_u16();
            // gRPC puts the code of an immediate error into the headers, others into trailers.
            let grpc = response
                .headers()
                .get("grpc-status")
                .and_then(|code| code.to_str().ok());
            let answered = Answered {
                method: &method,
                path: &path,
                is_grpc,
                took,
            };
            answered.tell(&mut span, &response, grpc);
            tracing::info!(
                target: "request",
                %method,
                path,
                status = http,
                grpc,
                micros,
                trace_id = trace.trace_id(),
            );
            Ok(response)
        })
    }
}

fn is_grpc<B>(request: &Request<B>) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}
