//! The yardstick: a proxy of hyper in and hyper-util out that streams bodies both ways and reads nothing of them.

use std::net::SocketAddr;

use http_body_util::{Either, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::http::uri::{Authority, Scheme};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::host;

type Outgoing = Client<HttpConnector, Incoming>;

/// Starts the proxy in the thread called `NAME`, and says where it listens.
pub fn start(upstream: SocketAddr) -> SocketAddr {
    host::in_own_thread(NAME, host::SERVER_CORE, move || async move {
        let listener = host::listen().await;
        let address = host::address_of(&listener);
        let authority: Authority = upstream.to_string().parse().expect("an address is an authority");
        let client = client();
        tokio::spawn(host::serve(listener, move |request| pass(request, client.clone(), authority.clone())));
        address
    })
}

pub const NAME: &str = "bare";

fn client() -> Outgoing {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector)
}

async fn pass(
    mut request: Request<Incoming>,
    client: Outgoing,
    authority: Authority,
) -> Response<Either<Incoming, Empty<Bytes>>> {
    let mut uri = std::mem::take(request.uri_mut()).into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(authority);
    *request.uri_mut() = Uri::from_parts(uri).expect("scheme, authority and path make an address");
    client.request(request).await.map_or_else(|_| unreachable_upstream(), |response| response.map(Either::Left))
}

fn unreachable_upstream() -> Response<Either<Incoming, Empty<Bytes>>> {
    let mut response = Response::new(Either::Right(Empty::new()));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
