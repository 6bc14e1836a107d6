//! Connections that are kept: of each host those that nobody uses, and those that all requests share.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use hyper::rt::Executor as _;
use hyper_util::client::legacy::connect::Connection as _;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use tower::Service as _;

use crate::chat::Breakage;

use super::body::{Hold, ResponseBody};
use super::connect::{self, Connector};
use super::connection::{Pieces, Place, Shared, Single, Unanswered};

/// Whatever is kept too long, or was closed by its other end, is found this often.
const SWEEP_EVERY: Duration = Duration::from_secs(25);

/// What has just come back takes a request after as long, or is not waited for.
const SOON: Duration = Duration::from_millis(10);

/// Connections that turn out to be closed, of those that were kept, and one new one.
const MOST_LINES: usize = 4;

/// The connections of all hosts.
#[derive(Debug)]
pub(super) struct Pool {
    connector: Connector,
    hosts: Mutex<Vec<Arc<Host>>>,
    /// Closes what nobody uses, from the first connection on.
    sweeper: OnceLock<AbortOnDropHandle<()>>,
}

/// Who answers at one address.
#[derive(Debug)]
pub(super) struct Host {
    scheme: Scheme,
    authority: Authority,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The one used last comes last, and is used first.
    idle: Vec<Single>,
    shared: Vec<Shared>,
    /// A connection is being opened that may be one for all, or whose end tells that it is not.
    opening: Option<Opening>,
    /// The host was asked, and does not speak HTTP/2.
    is_old: bool,
}

type Opening = watch::Receiver<Option<Result<(), Breakage>>>;

/// A connection for one request.
enum Line {
    Single(Single),
    Shared(Place),
}

/// What there is for a request.
enum Found {
    Idle(Single),
    Shared(Place),
    Opening(Opening),
    /// Nothing, and one for this request alone may be opened.
    Nothing,
}

impl Pool {
    pub fn new(connector: Connector) -> Self {
        Self { connector, hosts: Mutex::default(), sweeper: OnceLock::new() }
    }

    /// Sends the request over a connection that there is, or over a new one, and waits for the response's head. What a provider refuses to
    /// look at goes out once more.
    pub async fn send(self: Arc<Self>, mut request: Box<Request<Pieces>>) -> Result<Response<ResponseBody>, Breakage> {
        let host = self.host(request.uri()).ok_or(Breakage::Unreachable)?;
        let mut was_refused = false;
        for _ in 0..MOST_LINES {
            let unanswered = match self.line(&host).await? {
                Line::Single(mut single) => match single.send(request).await {
                    Ok(response) => return Ok(response.map(|body| ResponseBody::new(body, Hold::Single(single, host)))),
                    Err(unanswered) => unanswered,
                },
                Line::Shared(place) => match place.send(request).await {
                    Ok((response, open)) => return Ok(response.map(|body| ResponseBody::new(body, Hold::Shared(open)))),
                    Err(unanswered) => unanswered,
                },
            };
            match unanswered {
                Unanswered::Unsent(again) => request = again,
                Unanswered::Refused(again) if !was_refused => (request, was_refused) = (again, true),
                Unanswered::Refused(_) | Unanswered::Lost => break,
            }
        }
        Err(Breakage::Reset)
    }

    fn hosts(&self) -> MutexGuard<'_, Vec<Arc<Host>>> {
        // A panic elsewhere leaves connections that still are some.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host(&self, uri: &Uri) -> Option<Arc<Host>> {
        let (scheme, authority) = (uri.scheme()?, uri.authority()?);
        let mut hosts = self.hosts();
        // Providers are few, and their names short.
        let known = hosts.iter().find(|host| host.authority == *authority && host.scheme == *scheme);
        if let Some(known) = known {
            return Some(Arc::clone(known));
        }
        let host = Host { scheme: scheme.clone(), authority: authority.clone(), kept: Mutex::default() };
        hosts.push(Arc::new(host));
        hosts.last().cloned()
    }

    async fn line(self: &Arc<Self>, host: &Arc<Host>) -> Result<Line, Breakage> {
        loop {
            match self.find(host) {
                Found::Idle(mut single) => {
                    if single.is_ready() || timeout(SOON, single.ready()).await.unwrap_or(false) {
                        return Ok(Line::Single(single));
                    }
                }
                Found::Shared(place) => return Ok(Line::Shared(place)),
                // These are rare, and large.
                Found::Opening(opening) => Box::pin(opened(opening)).await?,
                Found::Nothing => return Box::pin(self.open(host)).await,
            }
        }
    }

    /// Until it is known that a host does not speak HTTP/2, one connection is opened for all that wait.
    fn find(self: &Arc<Self>, host: &Arc<Host>) -> Found {
        let mut kept = host.kept();
        if let Some(found) = kept.find() {
            return found;
        }
        if host.scheme != Scheme::HTTPS || kept.is_old {
            return Found::Nothing;
        }
        let (opened, opening) = watch::channel(None);
        kept.opening = Some(opening.clone());
        let (pool, host) = (Arc::clone(self), Arc::clone(host));
        // It goes on when its first caller has left: the next one is there soon. The connector gives up in time.
        TokioExecutor::new().execute(async move {
            let line = pool.open(&host).await;
            let mut kept = host.kept();
            kept.opening = None;
            let result = line.map(|line| {
                if let Line::Single(single) = line {
                    kept.idle.push(single);
                }
            });
            opened.send_replace(Some(result));
        });
        Found::Opening(opening)
    }

    async fn open(self: &Arc<Self>, host: &Arc<Host>) -> Result<Line, Breakage> {
        let stream = self.connector.clone().call(host.uri()).await.map_err(|error| {
            tracing::debug!(error = %connect::chain(&*error), "no connection");
            connect::cause(&*error)
        })?;
        self.sweeper.get_or_init(|| sweeper(Arc::downgrade(self)));
        let opened = if stream.connected().is_negotiated_h2() {
            Shared::over(stream).await.map(|mut shared| {
                let place = shared.join();
                host.kept().shared.push(shared);
                Line::Shared(place)
            })
        } else {
            host.kept().is_old = true;
            Single::over(stream).await.map(Line::Single)
        };
        opened.map_err(|error| {
            tracing::debug!(error = %connect::chain(&error), "the connection failed");
            Breakage::Reset
        })
    }
}

async fn opened(mut opening: Opening) -> Result<(), Breakage> {
    match opening.wait_for(Option::is_some).await {
        Ok(opened) => (*opened).unwrap_or(Ok(())),
        // Only a runtime that ends drops the task.
        Err(_) => Err(Breakage::Reset),
    }
}

#[expect(clippy::disallowed_methods, reason = "it ends with its pool")]
fn sweeper(pool: Weak<Pool>) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            sleep(SWEEP_EVERY).await;
            let Some(pool) = pool.upgrade() else { return };
            for host in pool.hosts().iter() {
                host.kept().sweep();
            }
        }
    }))
}

impl Host {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uri(&self) -> Uri {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        Uri::from_parts(parts).expect("scheme, authority and path make an address")
    }

    /// Takes a connection back whose response nobody reads any more.
    pub fn put(&self, mut single: Single) {
        single.rest();
        self.kept().idle.push(single);
    }
}

impl Kept {
    fn find(&mut self) -> Option<Found> {
        while !self.idle.is_empty() {
            // What came back last may not be done with its response yet.
            let place = self.idle.iter().rposition(Single::is_ready).unwrap_or(self.idle.len() - 1);
            let single = self.idle.remove(place);
            if single.is_kept() {
                return Some(Found::Idle(single));
            }
        }
        self.shared.retain(Shared::is_kept);
        if let Some(shared) = self.shared.iter_mut().find(|shared| shared.has_room()) {
            return Some(Found::Shared(shared.join()));
        }
        self.opening.clone().map(Found::Opening)
    }

    fn sweep(&mut self) {
        self.idle.retain(Single::is_kept);
        self.shared.retain(Shared::is_kept);
    }
}
