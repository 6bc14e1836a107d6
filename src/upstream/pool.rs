//! Connections that are kept: of each host those that nobody uses, and those that all requests share.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use http::header::HOST;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::rt::Executor as _;
use hyper_util::client::legacy::connect::Connection as _;
use hyper_util::rt::TokioExecutor;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tower::Service as _;

use crate::chat::Breakage;

use super::body::{ResponseBody, Source};
use super::client::{self, Received};
use super::connect::{self, Connector};
use super::connection::{Pieces, Unanswered};
use super::shared::{Place, Seat, Shared};
use super::single::Single;

/// Whatever is kept too long, or was closed by its other end, is found this often.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// So many connections of those that were kept may turn out to be closed.
const MOST_LINES: usize = 8;

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
    /// As HTTP/1.1 names it in each request.
    name: HeaderValue,
    kept: Mutex<Kept>,
    /// Told when a connection is free for another request.
    freed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The one used last comes last, and is used first.
    #[expect(clippy::vec_box, reason = "each goes from here to its response and back, for every request")]
    idle: Vec<Box<Single>>,
    shared: Vec<Shared>,
    /// The one that was opened last for all who wait.
    opening: Option<Opening>,
    /// The host spoke HTTP/1.1 when it was asked last.
    is_old: bool,
}

type Opening = watch::Receiver<Option<Result<(), Breakage>>>;

/// A connection for one request.
enum Line {
    Single(Box<Single>),
    Shared(Place),
}

/// What there is for a request.
enum Found {
    Line(Line),
    /// And whether it was begun for this request.
    Opening(Opening, bool),
}

impl Pool {
    pub fn new(connector: Connector) -> Self {
        Self { connector, hosts: Mutex::default(), sweeper: OnceLock::new() }
    }

    /// Sends the request over a connection that there is, or over a new one, and waits for the response's head. What a provider refuses to
    /// look at goes out once more.
    pub async fn send(
        self: Arc<Self>,
        mut request: Box<Request<Pieces>>,
        is_sent: &mut bool,
    ) -> Result<Received, Breakage> {
        let host = self.host(request.uri()).ok_or(Breakage::Unreachable)?;
        let mut was_refused = false;
        for _ in 0..MOST_LINES {
            *is_sent = false;
            let line = self.line(&host).await?;
            *is_sent = true;
            let unanswered = match line {
                Line::Single(mut single) => match single.send(request).await {
                    Ok((status, headers)) => {
                        return Ok(received(status, headers, Source::Single(Some(single), host)));
                    }
                    Err(unanswered) => unanswered,
                },
                Line::Shared(place) => match share(place, request, &mut was_refused).await {
                    Ok((response, seat)) => {
                        let (head, body) = response.into_parts();
                        return Ok(received(head.status, head.headers, Source::Shared(body, seat)));
                    }
                    Err(unanswered) => unanswered,
                },
            };
            match unanswered {
                Unanswered::Unsent(again) => request = again,
                Unanswered::Refused(again) if !was_refused => (request, was_refused) = (again, true),
                Unanswered::Crossed => return Err(host.crossed()),
                Unanswered::Refused(_) | Unanswered::Lost => break,
            }
            tracing::debug!(host = %host.authority, "the call goes over another connection");
            host.address(&mut request);
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
        let (scheme, authority) = (scheme.clone(), authority.clone());
        let host = Host { scheme, authority, name: client::host(uri)?, kept: Mutex::default(), freed: Arc::default() };
        hosts.push(Arc::new(host));
        hosts.last().cloned()
    }

    /// Waits for the first connection that takes the request: one that is opened, or one that somebody else is done with.
    async fn line(self: &Arc<Self>, host: &Arc<Host>) -> Result<Line, Breakage> {
        let (mut waits_for, mut has_failed) = (None, false);
        loop {
            let (opening, is_own) = match self.find(host, waits_for.take()) {
                Found::Line(line) => return Ok(line),
                Found::Opening(opening, is_own) => (opening, is_own),
            };
            // Rare, and large.
            match Box::pin(opened(opening.clone(), &host.freed)).await {
                None => waits_for = Some((opening, is_own)),
                Some(Ok(())) => {}
                // One of several servers at an address may be ill: else all who wait would pay for one attempt.
                Some(Err(Breakage::Reset | Breakage::Unreachable)) if !is_own && !has_failed => has_failed = true,
                Some(Err(breakage)) => return Err(breakage),
            }
        }
    }

    /// What there is, or what was waited for, or a new connection. Until it is known that a host does not speak HTTP/2, one is opened for
    /// all that wait.
    fn find(self: &Arc<Self>, host: &Arc<Host>, waited_for: Option<(Opening, bool)>) -> Found {
        let mut kept = host.kept();
        if let Some(line) = kept.find(&host.freed) {
            return Found::Line(line);
        }
        if let Some((opening, is_own)) = waited_for {
            return Found::Opening(opening, is_own);
        }
        let is_for_all = host.scheme == Scheme::HTTPS && !kept.is_old;
        if let Some(opening) = kept.opening.clone().filter(|opening| is_for_all && is_under_way(opening)) {
            return Found::Opening(opening, false);
        }
        let (opened, opening) = watch::channel(None);
        kept.opening = is_for_all.then(|| opening.clone());
        let (pool, host) = (Arc::clone(self), Arc::clone(host));
        // It goes on when its first caller has left: the next one is there soon. The connector gives up in time.
        TokioExecutor::new().execute(async move {
            if opened.send(Some(pool.open(&host).await)).is_err() {
                // Whoever it was for has found another.
                host.freed.notify_one();
            }
        });
        Found::Opening(opening, true)
    }

    async fn open(self: &Arc<Self>, host: &Arc<Host>) -> Result<(), Breakage> {
        let stream = self.connector.clone().call(host.uri(None)).await.map_err(|error| {
            tracing::debug!(error = %connect::chain(&*error), "no connection");
            connect::cause(&*error)
        })?;
        self.sweeper.get_or_init(|| sweeper(Arc::downgrade(self)));
        let is_old = !stream.connected().is_negotiated_h2();
        if is_old {
            host.kept().idle.push(Box::new(Single::over(stream)));
        } else {
            let shared = Shared::over(stream).await.map_err(|error| {
                tracing::debug!(error = %connect::chain(&error), "the connection failed");
                Breakage::Reset
            })?;
            host.kept().shared.push(shared);
        }
        host.kept().is_old = is_old;
        Ok(())
    }
}

fn received(status: StatusCode, headers: HeaderMap, body: Source) -> Received {
    Received { status: status.as_u16(), headers, body: ResponseBody::new(body) }
}

/// Over a shared connection. What was refused goes out again over the same one, if it is open: by now its bound is known, and kept.
async fn share(
    mut place: Place,
    request: Box<Request<Pieces>>,
    was_refused: &mut bool,
) -> Result<(Response<Incoming>, Seat), Unanswered> {
    let answer = match place.send(request).await {
        Err(Unanswered::Refused(again)) if !*was_refused && place.is_open() => {
            *was_refused = true;
            place.send(again).await
        }
        answer => answer,
    };
    answer.map(|response| (response, place.seat))
}

/// Whether its task still runs.
fn is_under_way(opening: &Opening) -> bool {
    opening.borrow().is_none() && opening.has_changed().is_ok()
}

/// What came of it; nothing where something else is free before.
async fn opened(mut opening: Opening, freed: &Notify) -> Option<Result<(), Breakage>> {
    tokio::select! {
        biased;
        // Only a panic, or a runtime that ends, drops the task without a word.
        opened = opening.wait_for(Option::is_some) => Some(opened.map_or(Err(Breakage::Reset), |it| it.unwrap_or(Ok(())))),
        () = freed.notified() => None,
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

    fn uri(&self, path: Option<PathAndQuery>) -> Uri {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        Uri::from_parts(parts).expect("scheme, authority and path make an address")
    }

    /// Gives a request its whole address again that comes back from a connection of either kind.
    fn address(&self, request: &mut Request<Pieces>) {
        *request.uri_mut() = self.uri(request.uri().path_and_query().cloned());
        request.headers_mut().insert(HOST, self.name.clone());
    }

    /// A request met the end of a kept connection. The others were kept as long: a machine that slept finds all of them ended, and was told
    /// of none.
    fn crossed(&self) -> Breakage {
        self.kept().idle.clear();
        Breakage::Crossed
    }

    /// Takes a connection back that takes another request.
    pub fn put(&self, single: Box<Single>) {
        self.kept().idle.push(single);
        self.freed.notify_one();
    }
}

impl Kept {
    fn find(&mut self, freed: &Arc<Notify>) -> Option<Line> {
        while let Some(mut single) = self.idle.pop() {
            if single.is_kept() {
                return Some(Line::Single(single));
            }
        }
        self.shared.retain(Shared::is_kept);
        let shared = self.shared.iter_mut().find(|shared| shared.has_room());
        shared.map(|shared| Line::Shared(shared.join(freed)))
    }

    fn sweep(&mut self) {
        self.idle.retain_mut(|single| single.is_kept());
        self.shared.retain(Shared::is_kept);
    }
}

#[cfg(test)]
mod tests {
    use super::super::network::Network;
    use super::*;
    use crate::chat::Slices;

    #[test]
    fn a_request_that_comes_back_has_its_whole_address_again() {
        let pool = Arc::new(Pool::new(Connector::new(&Network::default(), Duration::from_secs(1))));
        for (url, name) in [("https://a.example/v1/x?y=1", "a.example"), ("http://127.0.0.1:8080/v1", "127.0.0.1:8080")]
        {
            let uri: Uri = url.parse().expect("a URL");
            let host = pool.host(&uri).expect("it has one");
            let path = uri.path_and_query().expect("it has one").clone();
            for shaped in [Uri::from(path), uri] {
                let mut request = Request::new(Pieces::new(Slices::new()));
                *request.uri_mut() = shaped;
                host.address(&mut request);
                assert_eq!(
                    (request.uri().to_string().as_str(), &request.headers()[HOST]),
                    (url, &HeaderValue::from_static(name))
                );
            }
        }
    }
}
