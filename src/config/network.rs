//! The proxy and the certificates that the environment names, in the variables which most programs share.

use rustls::pki_types::CertificateDer;
use rustls_native_certs::load_certs_from_paths;

use crate::catalog::reader::{Problem, Problems};
use crate::upstream::Network;

use super::environment::Environment;

/// The first that is set counts.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const DIRECT: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// How the environment says that others are reached, or all that is wrong with that.
pub fn network(environment: &Environment) -> Result<Network, Vec<Problem>> {
    let problems = Problems::default();
    let network = read(environment, &problems);
    let problems = problems.into_list();
    if problems.is_empty() { Ok(network) } else { Err(problems) }
}

pub fn read(environment: &Environment, problems: &Problems) -> Network {
    let first = |names: &[&'static str]| names.iter().find_map(|name| Some((*name, environment.get(name)?)));
    let proxy = first(&PROXIES).and_then(|(name, value)| proxy(name, value, problems));
    let direct = first(&DIRECT).map_or("", |(_, value)| value);
    Network::new(roots(environment, problems), proxy.as_deref(), direct)
}

/// The proxy as a URL. Its password is not repeated where it is wrong.
fn proxy(name: &str, value: &str, problems: &Problems) -> Option<String> {
    let (scheme, address) = value.split_once("://").unwrap_or(("http", value));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => "http",
        // The proxy looks names up, as it would with `socks5h`: the answers of a network that needs one may be false.
        "socks5" | "socks5h" => "socks5h",
        _ => {
            complain(name, "relay speaks to a proxy over http:// or socks5://".to_owned(), problems);
            return None;
        }
    };
    let url = format!("{scheme}://{address}");
    let is_url = url.parse().is_ok_and(|uri: http::Uri| uri.host().is_some_and(|host| !host.is_empty()));
    if !is_url {
        complain(name, "is no address of a proxy, which looks like http://proxy.example:3128".to_owned(), problems);
    }
    is_url.then_some(url)
}

fn roots(environment: &Environment, problems: &Problems) -> Vec<CertificateDer<'static>> {
    let named = |variable: &'static str| environment.get(variable).map(|value| (variable, value));
    let file =
        named("SSL_CERT_FILE").map(|(variable, file)| (variable, load_certs_from_paths(Some(file.as_ref()), None)));
    let folders = named("SSL_CERT_DIR").into_iter().flat_map(|(variable, folders)| {
        let folders = folders.split(':').filter(|folder| !folder.is_empty());
        folders.map(move |folder| (variable, load_certs_from_paths(None, Some(folder.as_ref()))))
    });
    let mut roots = Vec::new();
    for (variable, read) in file.into_iter().chain(folders) {
        match read.errors.first() {
            Some(error) => complain(variable, error.to_string(), problems),
            None if read.certs.is_empty() => complain(variable, "holds no certificate".to_owned(), problems),
            None => roots.extend(read.certs),
        }
    }
    roots
}

fn complain(variable: &str, message: String, problems: &Problems) {
    let hint = Some(format!("unset {variable}, or correct it"));
    problems.add(Problem { file: variable.to_owned(), line: None, message, hint, provider: None });
}
