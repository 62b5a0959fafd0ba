//! Several replicas of a service behind one client. Calls go to each in turn. A read that met a replica
//! which is gone, stands still or does not serve is tried once on another: a replica that dies costs nobody an
//! answer. Names that stand for several addresses are looked up again and again, so that replicas may
//! come and go.

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use http::{HeaderMap, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use tonic::Code;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::{BoxError, Service as _, ServiceExt as _};

/// How long a replica that failed is left alone.
const AVOIDED: Duration = Duration::from_secs(3);
const LOOK_UP_EVERY: Duration = Duration::from_secs(5);
/// How long the first replica is waited for where a call says nothing of its time.
const ATTEMPT_MAX: Duration = Duration::from_secs(5);
/// No call has a longer deadline.
const TIMEOUT_DIGITS_MAX: usize = 8;

/// Makes the endpoint of an address, with what a client asks of all its connections.
pub(super) type MakeEndpoint = Arc<dyn Fn(Uri) -> Endpoint + Send + Sync>;

/// The replicas of a service. Clones share them.
#[derive(Clone)]
pub(super) struct Replicas(Arc<Shared>);

impl fmt::Debug for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.0.members();
        f.debug_list()
            .entries(members.iter().map(|member| &member.uri))
            .finish()
    }
}

struct Shared {
    members: RwLock<Arc<Vec<Arc<Member>>>>,
    next: AtomicUsize,
    /// What the paths of calls begin with that change nothing.
    reads: &'static str,
}

/// One replica.
struct Member {
    uri: Uri,
    channel: Channel,
    avoided_until: Mutex<Option<Instant>>,
}

/// Why a replica gave no answer.
enum Failure {
    /// It is gone, or has not answered in time.
    Silent,
    /// It says itself that it does not serve, or not any more.
    Unavailable(Response<Body>),
}

impl Replicas {
    /// The members of a list that is not looked up any further.
    pub(super) fn new(members: Vec<(Uri, Channel)>, reads: &'static str) -> Self {
        let members = members
            .into_iter()
            .map(|(uri, channel)| Member::new(uri, channel));
        Self(Arc::new(Shared {
            members: RwLock::new(Arc::new(members.collect())),
            next: AtomicUsize::new(0),
            reads,
        }))
    }

    /// Looks the names of `targets` up for as long as this is in use.
    pub(super) fn follow_names(&self, targets: Vec<Uri>, endpoint: MakeEndpoint) {
        let shared = Arc::downgrade(&self.0);
        tokio::spawn(follow_names(shared, targets, endpoint));
    }

    pub(super) async fn call(self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let members = self.0.members();
        let first = self.0.choose(&members, None);
        if members.len() < 2 || !request.uri().path().starts_with(self.0.reads) {
            return first.send(request).await;
        }
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let again = || Request::from_parts(parts.clone(), Body::new(Full::new(body.clone())));
        let time = timeout_of(&parts.headers).map_or(ATTEMPT_MAX, |timeout| timeout / 2);
        let failure = match first.answer(again(), time).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        first.avoid();
        let second = self.0.choose(&members, Some(&first));
        match second.send(again()).await {
            Ok(answer) => Ok(answer),
            Err(err) => {
                second.avoid();
                match failure {
                    Failure::Unavailable(answer) => Ok(answer),
                    Failure::Silent => Err(err),
                }
            }
        }
    }
}

impl Shared {
    fn members(&self) -> Arc<Vec<Arc<Member>>> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&members)
    }

    /// The next member in turn that has not just failed; any other than `not` where all have.
    fn choose(&self, members: &[Arc<Member>], not: Option<&Arc<Member>>) -> Arc<Member> {
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..members.len()).map(|step| &members[(start + step) % members.len()]);
        let mut others = in_turn.filter(|member| not.is_none_or(|not| !Arc::ptr_eq(member, not)));
        let now = Instant::now();
        let any = others.clone().next();
        let sound = others.find(|member| !member.is_avoided(now));
        // There is always one: a list is never empty, and `not` is given only where there are two.
        Arc::clone(sound.or(any).unwrap_or(&members[0]))
    }
}

impl Member {
    fn new(uri: Uri, channel: Channel) -> Arc<Self> {
        Arc::new(Self {
            uri,
            channel,
            avoided_until: Mutex::default(),
        })
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let mut channel = self.channel.clone();
        let answer = channel.ready().await?.call(request).await?;
        Ok(answer)
    }

    /// The whole answer of a call that has one message, if it comes in time.
    async fn answer(
        &self,
        request: Request<Body>,
        time: Duration,
    ) -> Result<Response<Body>, Failure> {
        let whole = async {
            let (parts, body) = self.send(request).await?.into_parts();
            let collected = body.collect().await?;
            let trailers = collected.trailers().cloned();
            let is_unavailable =
                says_unavailable(&parts.headers) || trailers.as_ref().is_some_and(says_unavailable);
            let body = Full::new(collected.to_bytes());
            let body = body.with_trailers(async move { trailers.map(Ok) });
            let answer = Response::from_parts(parts, Body::new(body));
            Ok::<_, BoxError>((answer, is_unavailable))
        };
        match tokio::time::timeout(time, whole).await {
            Ok(Ok((answer, false))) => Ok(answer),
            Ok(Ok((answer, true))) => Err(Failure::Unavailable(answer)),
            Ok(Err(_)) | Err(_) => Err(Failure::Silent),
        }
    }

    fn is_avoided(&self, now: Instant) -> bool {
        let until = self.avoided_until.lock();
        until
            .unwrap_or_else(PoisonError::into_inner)
            .is_some_and(|until| now < until)
    }

    fn avoid(&self) {
        tracing::debug!(replica = %self.uri, "gave no answer, and is left alone for a while");
        let mut until = self
            .avoided_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *until = Some(Instant::now() + AVOIDED);
    }
}

fn says_unavailable(headers: &HeaderMap) -> bool {
    let status = headers.get("grpc-status");
    status.is_some_and(|status| Code::from_bytes(status.as_bytes()) == Code::Unavailable)
}

/// The time that a call has, as gRPC states it: up to eight digits and a unit.
fn timeout_of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let count: u64 = (digits.len() <= TIMEOUT_DIGITS_MAX)
        .then(|| digits.parse().ok())
        .flatten()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3_600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

async fn follow_names(shared: Weak<Shared>, targets: Vec<Uri>, endpoint: MakeEndpoint) {
    loop {
        let found = look_up(&targets).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if let Some(found) = found {
            shared.replace(&found, &endpoint);
        }
        drop(shared);
        tokio::time::sleep(LOOK_UP_EVERY).await;
    }
}

/// The addresses that the targets stand for now, each with its target. None where a name cannot be looked up:
/// then all stays as it is.
async fn look_up(targets: &[Uri]) -> Option<Vec<(SocketAddr, Uri)>> {
    let mut found = Vec::new();
    for target in targets {
        let (host, port) = (target.host()?.trim_matches(['[', ']']), target.port_u16()?);
        let addresses = tokio::net::lookup_host((host, port)).await.ok()?;
        found.extend(addresses.map(|address| (address, target.clone())));
    }
    found.sort_by_key(|(address, _)| *address);
    found.dedup_by_key(|(address, _)| *address);
    (!found.is_empty()).then_some(found)
}

impl Shared {
    /// Makes these the members. Connections to addresses that stay are kept.
    fn replace(&self, found: &[(SocketAddr, Uri)], endpoint: &MakeEndpoint) {
        let known = self.members();
        let member = |(address, target): &(SocketAddr, Uri)| {
            let uri: Uri = format!("http://{address}").parse().ok()?;
            let same = known.iter().find(|member| member.uri == uri);
            Some(match same {
                Some(same) => Arc::clone(same),
                None => {
                    // The name stays what is asked for; only the connection goes to the address.
                    let endpoint = endpoint(uri.clone()).origin(target.clone());
                    Member::new(uri, endpoint.connect_lazy())
                }
            })
        };
        let members: Vec<Arc<Member>> = found.iter().filter_map(member).collect();
        let is_same = members.len() == known.len()
            && members
                .iter()
                .zip(known.iter())
                .all(|(a, b)| Arc::ptr_eq(a, b));
        if members.is_empty() || is_same {
            return;
        }
        let uris: Vec<String> = members
            .iter()
            .map(|member| member.uri.to_string())
            .collect();
        tracing::info!("replicas: {}", uris.join(", "));
        *self.members.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(members);
    }
}
