//! A gRPC service as commands call it: its address, its connection, and errors that tell an
//! operator what to do.

use std::time::Duration;

use anyhow::Context as _;
use service_kit::{GrpcAccess, GrpcChannel};
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};

const CONNECT_MS_MAX: u64 = 3_000;
const CALL_MS_MAX: u64 = 10_000;
/// How often a connection is probed: a peer that vanished is noticed after two of these.
const KEEP_ALIVE_MS: u64 = 10_000;

/// A gRPC service: its address, and its name in messages.
#[derive(Clone, Debug)]
pub struct Target {
    name: &'static str,
    option: &'static str,
    address: String,
    access: GrpcAccess,
    /// The channel of a program that has one already.
    open: Option<GrpcChannel>,
}

impl Target {
    pub fn command(address: &str) -> Self {
        Self {
            name: "write service",
            option: "--command-grpc",
            address: address.to_owned(),
            access: GrpcAccess::default(),
            open: None,
        }
    }

    /// The same service behind a channel that the program has already.
    #[must_use]
    pub fn behind(self, channel: GrpcChannel) -> Self {
        Self {
            open: Some(channel),
            ..self
        }
    }

    pub fn query(address: &str) -> Self {
        Self {
            name: "read service",
            option: "--query-grpc",
            address: address.to_owned(),
            access: GrpcAccess::default(),
            open: None,
        }
    }

    /// Calls it in this way.
    #[must_use]
    pub fn with_access(self, access: GrpcAccess) -> Self {
        Self { access, ..self }
    }

    /// The same service at another address.
    #[must_use]
    pub fn at(&self, address: &str) -> Self {
        Self {
            address: address.to_owned(),
            ..self.clone()
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// A channel that connects at the first call.
    pub fn channel(&self) -> anyhow::Result<GrpcChannel> {
        if let Some(channel) = &self.open {
            return Ok(channel.clone());
        }
        let url = if self.address.contains("://") {
            self.address.clone()
        } else {
            format!("http://{}", self.address)
        };
        let parsed = Endpoint::from_shared(url).ok();
        let with_host = parsed.filter(|endpoint| endpoint.uri().authority().is_some());
        let endpoint = with_host.with_context(|| {
            let Self {
                option, address, ..
            } = self;
            format!("{option} takes HOST:PORT, such as 127.0.0.1:50051, got {address:?}")
        })?;
        let keep_alive = Duration::from_millis(KEEP_ALIVE_MS);
        let endpoint = endpoint
            .connect_timeout(Duration::from_millis(CONNECT_MS_MAX))
            .http2_keep_alive_interval(keep_alive)
            .keep_alive_timeout(keep_alive);
        let channel = self.access.channel(&endpoint);
        channel.with_context(|| format!("cannot call the {}", self.name))
    }

    /// Explains an error in one line: what went wrong, and what to do where no service answered.
    pub fn explain(&self, status: &Status) -> String {
        let Self {
            name,
            option,
            address,
            open,
            ..
        } = self;
        if is_transport(status) {
            let cause = innermost(status);
            if open.is_some() {
                return format!("no answer from the {name} ({cause})");
            }
            return format!(
                "no answer from the {name} at {address} ({cause}): start it, for instance with \
                 `catalogctl up`, or name another with {option}"
            );
        }
        let mut text = if open.is_some() {
            status.message().to_owned()
        } else {
            format!("the {name} refused: {}", status.message())
        };
        for (field, reason) in service_kit::violations(status) {
            if !text.contains(&reason) {
                text.push_str(&format!("; {field}: {reason}"));
            }
        }
        match status.code() {
            Code::Unavailable if open.is_some() => {
                format!("the {name} is not available: {}", status.message())
            }
            Code::Unavailable => format!(
                "the {name} at {address} is not available: {}",
                status.message()
            ),
            Code::Unimplemented if open.is_some() => {
                format!("the {name} is of an older release (UNIMPLEMENTED)")
            }
            Code::Unimplemented => {
                format!("what answers at {address} is no {name}: check {option}")
            }
            _ if open.is_some() => text,
            code @ Code::Unauthenticated => format!(
                "{text} ({code:?}); the token is named with --service-token, or the folder of `catalogctl up` with --data"
            ),
            code => format!("{text} ({code:?})"),
        }
    }

    pub fn error(&self, status: &Status) -> anyhow::Error {
        anyhow::anyhow!(self.explain(status))
    }
}

/// Gives a call a deadline, so that it ends even when nobody answers.
pub fn bounded<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_millis(CALL_MS_MAX));
    request
}

/// Whether another attempt may succeed.
pub(crate) fn is_transient(status: &Status) -> bool {
    let code = status.code();
    is_transport(status)
        || matches!(
            code,
            Code::Unavailable
                | Code::DeadlineExceeded
                | Code::ResourceExhausted
                | Code::Aborted
                | Code::Cancelled
        )
}

/// True when the connection failed, rather than the service.
fn is_transport(status: &Status) -> bool {
    std::error::Error::source(status).is_some()
}

fn innermost(status: &Status) -> String {
    let mut err: &dyn std::error::Error = status;
    while let Some(source) = err.source() {
        err = source;
    }
    err.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_none_is_told() {
        let err = Target::query("not an address")
            .channel()
            .expect_err("no address");
        assert!(
            err.to_string().starts_with("--query-grpc takes HOST:PORT"),
            "{err}"
        );
    }
}
