//! The way to a provider as most have it: a proxy, then TLS with a certificate that only one authority vouches for, then HTTP/2.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// The authority behind `HOST`'s certificate, for `SSL_CERT_FILE`.
pub const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/authority.pem");
/// Resolved nowhere: only a proxy leads there.
pub const HOST: &str = "provider.example";

/// Requests that one connection takes at a time over HTTP/2.
pub const MOST_AT_A_TIME: u32 = 8;

/// Speaks for `HOST`, and hands every request to a provider that speaks plainly. Gone when dropped.
pub struct Secured {
    pub address: SocketAddr,
    heard: Arc<Heard>,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    versions: Mutex<Vec<Version>>,
    /// So many requests more are refused without a look at them.
    refused: AtomicUsize,
    /// So many connections more are closed at once, or never hear a word.
    closed: AtomicUsize,
    silent: AtomicUsize,
    /// So many connections more are left at their first request, which nobody looks at.
    left: AtomicUsize,
    /// So many requests more are read, and their connection is gone.
    gone: AtomicUsize,
}

/// Whether one is left, which is taken.
fn takes_one(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

impl Secured {
    /// Offers these protocols (`h2`, `http/1.1`).
    pub async fn before(provider: SocketAddr, protocols: &[&str]) -> Self {
        let (listener, address) = listen().await;
        let acceptor = TlsAcceptor::from(Arc::new(tls(protocols)));
        let heard = Arc::new(Heard::default());
        let hearing = Arc::clone(&heard);
        let listening = tokio::task::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::task::spawn(serve(acceptor.clone(), socket, provider, Arc::clone(&hearing)));
            }
        });
        Self { address, heard, listening }
    }

    /// Of the requests so far, in their order.
    pub fn versions(&self) -> Vec<Version> {
        self.heard.versions.lock().expect("no panic").clone()
    }

    /// The next so many connections are closed at once.
    pub fn close(&self, connections: usize) {
        self.heard.closed.store(connections, Ordering::Relaxed);
    }

    /// The next so many connections never hear a word.
    pub fn keep_silent(&self, connections: usize) {
        self.heard.silent.store(connections, Ordering::Relaxed);
    }

    /// The next so many connections end at their first request with an error of HTTP/2, which says that nobody has looked at it.
    pub fn leave(&self, connections: usize) {
        self.heard.left.store(connections, Ordering::Relaxed);
    }

    /// The connections of the next so many requests end without a word.
    pub fn be_gone(&self, requests: usize) {
        self.heard.gone.store(requests, Ordering::Relaxed);
    }

    /// The next so many requests are refused, as HTTP/2 can.
    pub fn refuse(&self, requests: usize) {
        self.heard.refused.store(requests, Ordering::Relaxed);
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn tls(protocols: &[&str]) -> rustls::ServerConfig {
    let file = |name: &str| format!("{}/tests/fixtures/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    let certificate = CertificateDer::from_pem_file(file("provider.pem")).expect("a fixture");
    let key = PrivateKeyDer::from_pem_file(file("provider.key")).expect("a fixture");
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("ring speaks them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("they belong together");
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config
}

async fn serve(acceptor: TlsAcceptor, socket: TcpStream, provider: SocketAddr, heard: Arc<Heard>) {
    if takes_one(&heard.closed) {
        return;
    }
    if takes_one(&heard.silent) {
        // For longer than any test takes.
        tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    }
    let Ok(socket) = acceptor.accept(socket).await else { return };
    let is_two = socket.get_ref().1.alpn_protocol() == Some(b"h2");
    if takes_one(&heard.left) {
        leave(socket).await;
        return;
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let gone = Arc::new(Notify::new());
    let is_gone = Arc::clone(&gone);
    let service = service_fn(move |request: Request<Incoming>| {
        heard.versions.lock().expect("no panic").push(request.version());
        if takes_one(&heard.gone) {
            gone.notify_one();
        }
        forward(request, client.clone(), provider, takes_one(&heard.refused))
    });
    let served = async {
        // A connection that ends badly ends for its client too, who says so.
        let _ = if is_two {
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .max_concurrent_streams(MOST_AT_A_TIME)
                .serve_connection(TokioIo::new(socket), service)
                .await
        } else {
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service).await
        };
    };
    tokio::select! {
        biased;
        () = is_gone.notified() => {}
        () = served => {}
    }
}

/// Says, once a request begins, that none was looked at (GOAWAY with the last stream 0), and that the client asks too much.
async fn leave(mut socket: tokio_rustls::server::TlsStream<TcpStream>) -> Option<()> {
    const NO_SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const ENHANCE_YOUR_CALM: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xb];
    const HEADERS: u8 = 1;
    socket.write_all(&NO_SETTINGS).await.ok()?;
    socket.read_exact(&mut [0; "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len()]).await.ok()?;
    loop {
        let mut head = [0; 9];
        socket.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        socket.read_exact(&mut vec![0; length as usize]).await.ok()?;
        if head[3] == HEADERS {
            break;
        }
    }
    socket.write_all(&ENHANCE_YOUR_CALM).await.ok()?;
    // Until its client closes it.
    socket.read_to_end(&mut Vec::new()).await.ok()?;
    Some(())
}

/// With what HTTP/2 says of it.
#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct Refused(#[source] h2::Error);

async fn forward(
    request: Request<Incoming>,
    client: Client<HttpConnector, http_body_util::Full<bytes::Bytes>>,
    provider: SocketAddr,
    is_refused: bool,
) -> Result<Response<Incoming>, Refused> {
    if is_refused {
        return Err(Refused(h2::Reason::REFUSED_STREAM.into()));
    }
    let (mut head, body) = request.into_parts();
    let path = head.uri.path_and_query().expect("a path").as_str();
    head.uri = Uri::try_from(format!("http://{provider}{path}")).expect("a path of a URL");
    head.version = Version::HTTP_11;
    let body =
        http_body_util::Full::new(body.collect().await.map_err(|_| Refused(h2::Reason::CANCEL.into()))?.to_bytes());
    let answer = client.request(Request::from_parts(head, body)).await;
    let mut response = answer.map_err(|_| Refused(h2::Reason::INTERNAL_ERROR.into()))?;
    // They belong to the connection, and HTTP/2 does not know them.
    for name in [hyper::header::CONNECTION, hyper::header::TRANSFER_ENCODING] {
        response.headers_mut().remove(name);
    }
    Ok(response)
}

/// What a proxy does with whoever asks it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Manner {
    /// HTTP CONNECT, with this `Proxy-Authorization` if any.
    Http(Option<&'static str>),
    /// SOCKS 5 without a password.
    Socks,
    /// Takes the connection and says nothing.
    Silent,
}

/// A proxy through which every host is the same one. Gone when dropped.
pub struct Proxy {
    pub address: SocketAddr,
    /// The hosts it was asked for.
    hosts: Arc<Mutex<Vec<String>>>,
    listening: JoinHandle<()>,
}

impl Proxy {
    pub async fn to(target: SocketAddr, manner: Manner) -> Self {
        let (listener, address) = listen().await;
        let hosts = Arc::default();
        let asked = Arc::clone(&hosts);
        let listening = tokio::task::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::task::spawn(lead(socket, target, manner, Arc::clone(&asked)));
            }
        });
        Self { address, hosts, listening }
    }

    pub fn hosts(&self) -> Vec<String> {
        self.hosts.lock().expect("no panic").clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// `None` where the client leaves or is refused.
async fn lead(mut socket: TcpStream, target: SocketAddr, manner: Manner, hosts: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let host = match manner {
        Manner::Http(credential) => connect(&mut socket, credential).await?,
        Manner::Socks => socks(&mut socket).await?,
        Manner::Silent => std::future::pending().await,
    };
    hosts.lock().expect("no panic").push(host);
    let mut beyond = TcpStream::connect(target).await.ok()?;
    copy_bidirectional(&mut socket, &mut beyond).await.ok()?;
    Some(())
}

async fn connect(socket: &mut TcpStream, credential: Option<&str>) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("a head is text");
    let host = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).expect("nothing else is asked");
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let mut credentials = headers.filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"));
    let given = credentials.next().map(|(_, value)| value);
    if credential.is_some() && given != credential {
        socket.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.ok()?;
        return None;
    }
    socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
    Some(host.to_owned())
}

async fn socks(socket: &mut TcpStream) -> Option<String> {
    let mut greeting = [0; 3];
    socket.read_exact(&mut greeting).await.ok()?;
    assert_eq!(greeting, [5, 1, 0], "one way to log in: none");
    socket.write_all(&[5, 0]).await.ok()?;
    let mut asked = [0; 5];
    socket.read_exact(&mut asked).await.ok()?;
    assert_eq!(asked[..4], [5, 1, 0, 3], "a connection to a name");
    let mut host = vec![0; usize::from(asked[4])];
    socket.read_exact(&mut host).await.ok()?;
    let port = socket.read_u16().await.ok()?;
    socket.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
    Some(format!("{}:{port}", String::from_utf8(host).expect("a name is text")))
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    (listener, address)
}
