//! Opens a connection to a provider, through a proxy where one leads there, and gives up in time.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::TryFutureExt as _;
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::{BoxError, Service};

use crate::chat::Breakage;
use crate::chat::fault::Stage;
use crate::socket::Socket;

use super::network::Network;

type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Names, TCP, a proxy's greeting and TLS together take no longer than `within`.
#[derive(Debug, Clone)]
pub struct Connector {
    secured: HttpsConnector<Road>,
    within: Duration,
}

impl Connector {
    pub fn new(network: &Network, within: Duration) -> Self {
        let mut direct = HttpConnector::new();
        direct.enforce_http(false);
        direct.set_nodelay(true);
        // Of several addresses each has its share of this.
        direct.set_connect_timeout(Some(within));
        let secured = HttpsConnectorBuilder::new()
            .with_tls_config(network.tls())
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(Road { direct, network: network.clone() });
        Self { secured, within }
    }
}

/// A connection's bytes, through TLS where it has some.
pub type Stream = MaybeHttpsStream<Bare>;

/// The same without TLS.
type Bare = TokioIo<Socket<TcpStream>>;

impl Connection for Socket<TcpStream> {
    fn connected(&self) -> Connected {
        self.0.connected()
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.secured.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (within, connecting) = (self.within, self.secured.call(uri));
        Box::pin(async move {
            let too_late = |_| Err(io::Error::from(io::ErrorKind::TimedOut).into());
            tokio::time::timeout(within, connecting).await.unwrap_or_else(too_late)
        })
    }
}

/// The way to a host, TLS not counted.
#[derive(Debug, Clone)]
struct Road {
    direct: HttpConnector,
    network: Network,
}

impl Service<Uri> for Road {
    type Response = Bare;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Some(proxy) = self.network.proxy_to(&uri) else {
            return Box::pin(self.direct.call(uri).map_ok(joining).err_into());
        };
        let (address, direct) = (proxy.uri().clone(), self.direct.clone());
        let failed = |error: BoxError| BoxError::from(ProxyError(error));
        if address.scheme_str() == Some("http") {
            let tunnel = Tunnel::new(address, direct);
            let mut tunnel = match proxy.basic_auth() {
                Some(credential) => tunnel.with_auth(credential.clone()),
                None => tunnel,
            };
            return Box::pin(tunnel.call(uri).map_ok(joining).map_err(move |error| failed(error.into())));
        }
        let socks = SocksV5::new(address, direct);
        let mut socks = match proxy.raw_auth() {
            Some((user, password)) => socks.with_auth(user.to_owned(), password.to_owned()),
            None => socks,
        };
        Box::pin(socks.call(uri).map_ok(joining).map_err(move |error| failed(error.into())))
    }
}

fn joining(stream: TokioIo<TcpStream>) -> Bare {
    TokioIo::new(Socket(stream.into_inner()))
}

#[derive(Debug, thiserror::Error)]
#[error("the proxy gives no connection: {0}")]
struct ProxyError(BoxError);

/// Why there is no connection, as far as the error tells.
pub fn cause(error: &(dyn Error + 'static)) -> Breakage {
    let mut causes = successors(Some(error), |error| below(*error));
    causes.find_map(known).unwrap_or(Breakage::Unreachable)
}

/// What an I/O error was made of is not among its sources.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let made_of = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    made_of.map_or_else(|| error.source(), |inner| Some(inner))
}

fn known(error: &(dyn Error + 'static)) -> Option<Breakage> {
    let is_late = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
    match () {
        () if error.is::<ProxyError>() => Some(Breakage::Proxy),
        () if error.downcast_ref().is_some_and(is_late) => Some(Breakage::Timeout(Stage::Connect)),
        () if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) => Some(Breakage::Untrusted),
        () => None,
    }
}

/// An error with its causes, in one line. Holds addresses at most, never a key.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<String> = successors(Some(error), |error| (*error).source()).map(ToString::to_string).collect();
    texts.join(": ")
}
