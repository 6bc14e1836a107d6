//! How connections to providers are protected.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// One TLS configuration for everything: ring, and Mozilla's roots compiled in, so that a bare machine works.
pub fn config() -> ClientConfig {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
