//! How this machine reaches others: whose certificates it trusts, and which proxy leads out.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use crate::catalog::is_loopback;

/// Made once and shared: connections of all clients trust the same roots and resume each other's TLS sessions.
#[derive(Clone)]
pub struct Network {
    tls: ClientConfig,
    /// As a URL, which may hold a password.
    proxy: Option<Arc<str>>,
    matcher: Arc<Matcher>,
}

impl Network {
    /// Mozilla's roots are compiled in, so that a bare machine works; `roots` are trusted beside them. `proxy` is the URL of one, and
    /// `direct` names the hosts that are reached without it, as `NO_PROXY` does.
    pub fn new(roots: Vec<CertificateDer<'static>>, proxy: Option<&str>, direct: &str) -> Self {
        let mut trusted = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        trusted.add_parsable_certificates(roots);
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks the default versions")
            .with_root_certificates(trusted)
            .with_no_client_auth();
        let matcher = Matcher::builder().https(proxy.unwrap_or_default()).no(direct).build();
        Self { tls, proxy: proxy.map(Arc::from), matcher: Arc::new(matcher) }
    }

    pub(super) fn tls(&self) -> ClientConfig {
        self.tls.clone()
    }

    /// The proxy on the way to `uri`. Plain HTTP is spoken to this machine and to servers of its own network, which no proxy outside
    /// would find.
    pub(super) fn proxy_to(&self, uri: &Uri) -> Option<Intercept> {
        let leaves = uri.scheme_str() == Some("https") && !is_loopback(uri.host()?);
        if leaves { self.matcher.intercept(uri) } else { None }
    }

    /// The same as a URL.
    pub(super) fn proxy_url_to(&self, url: &str) -> Option<&str> {
        self.proxy_to(&url.parse().ok()?)?;
        self.proxy.as_deref()
    }

    /// The proxy by host and port, without a password.
    pub fn proxy(&self) -> Option<&str> {
        let url = self.proxy.as_deref()?;
        let address = url.split_once("://").map_or(url, |(_, address)| address);
        let address = address.rsplit_once('@').map_or(address, |(_, address)| address);
        Some(address.trim_end_matches('/'))
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new(Vec::new(), None, "")
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Network").field("proxy", &self.proxy()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_leads_out_and_nowhere_else() {
        let network = Network::new(Vec::new(), Some("http://me:secret@proxy.example:3128"), "corp.example, 10.0.0.0/8");
        for url in ["https://api.groq.com/openai/v1", "https://notcorp.example/", "https://192.168.1.2/v1"] {
            assert_eq!(network.proxy_url_to(url), Some("http://me:secret@proxy.example:3128"), "{url}");
        }
        let direct = ["http://api.example/", "https://localhost:1/", "https://127.0.0.1/", "https://[::1]:8443/v1"];
        for url in direct.into_iter().chain(["https://a.corp.example/v1", "https://10.1.2.3/"]) {
            assert_eq!(network.proxy_url_to(url), None, "{url}");
        }
        assert_eq!(Network::default().proxy_url_to("https://api.groq.com/"), None);
    }

    #[test]
    fn a_proxys_password_is_not_shown() {
        let network = Network::new(Vec::new(), Some("socks5://me:secret@proxy.example:1080/"), "");
        assert_eq!(network.proxy(), Some("proxy.example:1080"));
        assert_eq!(format!("{network:?}"), "Network { proxy: Some(\"proxy.example:1080\"), .. }");
    }
}
