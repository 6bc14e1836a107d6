//! Providers as most are reached: over TLS and HTTP/2, some behind a proxy.

use std::time::Duration;

use futures_util::future::join_all;
use hyper::{Uri, Version};
use relay::chat::{Breakage, Fault};
use relay::clock::Clock;
use relay::sim::Act;
use relay::upstream::{Call, Client, Network, call_headers, read_whole};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::harness::{
    AUTHORITY, Command, HOST, MOST_AT_A_TIME, Manner, Providers, Proxy, Secured, eventually_within, provider, relay,
    says,
};

/// A provider that is reached only over TLS and through a proxy.
struct Far {
    providers: Providers,
    secured: Secured,
    proxy: Proxy,
}

impl Far {
    async fn new(acts: impl IntoIterator<Item = Act>, protocols: &[&str], manner: Manner) -> Self {
        let fakes = [provider("sim-a").answers(acts), provider("sim-b")];
        let providers = Providers::start(fakes, Clock::system()).await;
        let url: hyper::Uri = providers.described()[0].base_url.parse().expect("a URL");
        let address = url.authority().expect("an address").as_str().parse().expect("of numbers");
        let secured = Secured::before(address, protocols).await;
        let proxy = Proxy::to(secured.address, manner).await;
        Self { providers, secured, proxy }
    }

    /// `relay` with these arguments, to whom `sim-a` is at `HOST`.
    fn relay<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let path = self.providers.described()[0].base_url.splitn(4, '/').last().expect("a path").to_owned();
        relay(arguments)
            .over(&self.providers)
            .variable("SIM_A_BASE_URL", &format!("https://{HOST}/{path}"))
            .variable("SSL_CERT_FILE", AUTHORITY)
            .variable("HTTPS_PROXY", &format!("http://{}", self.proxy.address))
    }
}

/// So many requests under way at the same time, each of which has to be answered.
async fn ask_at_once(client: &Client, far: &Far, requests: u32) {
    assert_eq!(ask_each(client, far, requests).await, requests);
}

/// The same, and how many of them were answered. Without a key all are refused, in a whole answer.
async fn ask_each(client: &Client, far: &Far, requests: u32) -> u32 {
    let one = || async {
        let Ok(received) = client.send(call(far), &mut false).await else { return 0 };
        read_whole(received.body, 10_000).await.expect("all of it");
        1
    };
    join_all((0..requests).map(|_| one())).await.into_iter().sum()
}

fn call(far: &Far) -> Call {
    let path = far.providers.described()[0].base_url.splitn(4, '/').last().expect("a path").to_owned();
    let uri: Uri = format!("https://{HOST}/{path}/chat/completions").parse().expect("a URL");
    let body = bytes::Bytes::from_static(br#"{"model":"sim-m","messages":[{"role":"user","content":"x"}]}"#);
    Call { headers: call_headers(&uri, None), uri, body: [body].into_iter().collect(), stream: false }
}

const CONNECTED_WITHIN: Duration = Duration::from_secs(5);

/// As relay's own client would be on a machine with this authority and this proxy.
fn client(far: &Far) -> Client {
    let roots = vec![CertificateDer::from_pem_file(AUTHORITY).expect("a fixture")];
    let proxy = format!("http://{}", far.proxy.address);
    Client::new(&Network::new(roots, Some(&proxy), ""), CONNECTED_WITHIN)
}

const ONLY_A: [&str; 4] = ["ask", "-m", "sim-a", "hello"];

#[tokio::test(flavor = "multi_thread")]
async fn chats_and_checks_go_through_the_proxy_and_over_http_2() {
    let far = Far::new([says("from afar")], &["h2", "http/1.1"], Manner::Http(None)).await;
    far.relay(ONLY_A).await.exits(0).prints("from afar\n");
    assert_eq!(far.secured.versions(), [Version::HTTP_2]);
    let doctor = far.relay(["doctor", "--network"]).await;
    doctor.exits(0);
    assert!(doctor.stdout.contains("sim-a: answers, and takes its key"), "{}", doctor.stdout);
    assert!(doctor.stdout.contains(&format!("{} leads to the providers", far.proxy.address)), "{}", doctor.stdout);
    assert_eq!(far.proxy.hosts(), ["provider.example:443"; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_without_http_2_are_asked_in_http_1() {
    let far = Far::new([says("from afar")], &["http/1.1"], Manner::Http(None)).await;
    far.relay(ONLY_A).await.exits(0).prints("from afar\n");
    assert_eq!(far.secured.versions(), [Version::HTTP_11]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socks_proxy_is_given_the_name_to_look_up() {
    let far = Far::new([says("from afar"), says("again")], &["h2"], Manner::Socks).await;
    for (scheme, answer) in [("socks5", "from afar\n"), ("SOCKS5h", "again\n")] {
        let asked = far.relay(ONLY_A).variable("HTTPS_PROXY", "");
        asked.variable("all_proxy", &format!("{scheme}://{}", far.proxy.address)).await.exits(0).prints(answer);
    }
    far.relay(["doctor", "--network"])
        .variable("HTTPS_PROXY", &format!("socks5://{}", far.proxy.address))
        .await
        .exits(0);
    assert_eq!(far.proxy.hosts(), ["provider.example:443"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxys_password_is_given_to_it_and_to_nobody_else() {
    let far = Far::new([says("from afar")], &["h2"], Manner::Http(Some("Basic bWU6c0BjcmV0"))).await;
    let with = |credential: &str, arguments: [&'static str; 4]| {
        far.relay(arguments).variable("HTTPS_PROXY", &format!("http://{credential}{}", far.proxy.address))
    };
    with("me:s%40cret@", ONLY_A).await.exits(0).prints("from afar\n");
    for refused in ["", "me:other@"] {
        let ended = with(refused, ONLY_A).await;
        ended.exits(69).says("sim-a/sim-m  proxy-failed");
        assert!(!ended.stderr.contains("other"), "{}", ended.stderr);
    }
    assert!(far.providers.only_chat("sim-a").header("proxy-authorization").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_of_no_proxy_and_plain_http_are_asked_directly() {
    let far = Far::new([], &["h2"], Manner::Http(None)).await;
    far.relay(ONLY_A).variable("NO_PROXY", "example").await.exits(69).says("sim-a/sim-m  unreachable");
    far.relay(["ask", "-m", "sim-b", "hello"]).variable("HTTP_PROXY", "http://127.0.0.1:1").await.exits(0);
    assert!(far.proxy.hosts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_keeps_silent_costs_the_time_to_connect() {
    let far = Far::new([], &["h2"], Manner::Silent).await;
    let start = std::time::Instant::now();
    let asked = far.relay(["ask", "-v", "hello"]).more_config("[timeouts]\nconnect = \"200ms\"\n").await;
    asked.exits(0).says("timed out").says("sim-b/sim-m");
    assert!(start.elapsed().as_secs() < 5, "the other provider had its turn");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_unknown_authority_is_told_as_such() {
    let far = Far::new([], &["h2"], Manner::Http(None)).await;
    far.relay(ONLY_A).variable("SSL_CERT_FILE", "").await.exits(69).says("sim-a/sim-m  untrusted-certificate");
    let doctor = far.relay(["doctor", "--network"]).variable("SSL_CERT_FILE", "").await;
    assert!(doctor.stdout.contains("its certificate is not trusted; SSL_CERT_FILE"), "{}", doctor.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_the_environment_are_told_without_the_password() {
    let far = Far::new([], &["h2"], Manner::Http(None)).await;
    let mistakes = [
        (
            "HTTPS_PROXY",
            "ftp://me:secret@proxy.example",
            "HTTPS_PROXY: relay speaks to a proxy over http:// or socks5://",
        ),
        ("HTTPS_PROXY", "http://me:secret@", "HTTPS_PROXY: is no address of a proxy"),
        ("SSL_CERT_FILE", "/nowhere.pem", "/nowhere.pem"),
        ("SSL_CERT_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "SSL_CERT_FILE: holds no certificate"),
        ("SSL_CERT_DIR", "/nowhere", "/nowhere"),
    ];
    for (variable, value, message) in mistakes {
        for arguments in [&ONLY_A[..], &["ask", "--via", "http://127.0.0.1:1", "hello"]] {
            let ended = far.relay(arguments.iter().copied()).variable(variable, value).await;
            ended.exits(78).says(message).says(&format!("(unset {variable}, or correct it)"));
            assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_over_http_2_that_breaks_off_is_continued_elsewhere() {
    let far = Far::new([Act::Cut { after: 4 }], &["h2"], Manner::Http(None)).await;
    let asked = far.relay(["ask", "-v", "hello"]).await;
    asked.exits(0).says("route=sim-a/sim-m").says("route=sim-b/sim-m");
    assert_eq!(far.secured.versions(), [Version::HTTP_2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_refused_to_look_at_goes_out_once_more() {
    let far = Far::new([says("from afar")], &["h2"], Manner::Http(None)).await;
    far.secured.refuse(1);
    far.relay(ONLY_A).await.exits(0).prints("from afar\n");
    far.secured.refuse(2);
    far.relay(ONLY_A).await.exits(69).says("sim-a/sim-m  reset");
    assert_eq!(far.secured.versions(), [Version::HTTP_2; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_that_leaves_had_not_looked_at_goes_out_once_more() {
    let far = Far::new([says("from afar")], &["h2"], Manner::Http(None)).await;
    far.secured.leave(1);
    far.relay(ONLY_A).await.exits(0).prints("from afar\n");
    far.secured.leave(2);
    far.relay(ONLY_A).await.exits(69).says("sim-a/sim-m  reset");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_of_http_2_that_breaks_may_have_crossed_the_request() {
    let far = Far::new([], &["h2"], Manner::Http(None)).await;
    let client = client(&far);
    let failure = async || client.send(call(&far), &mut false).await.err();
    far.secured.be_gone(1);
    assert_eq!(failure().await, Some(Fault::Broken(Breakage::Reset)), "its first request was looked at");
    ask_at_once(&client, &far, 1).await;
    far.secured.be_gone(1);
    assert_eq!(failure().await, Some(Fault::Broken(Breakage::Crossed)));
    ask_at_once(&client, &far, 1).await;
    assert_eq!(far.proxy.hosts().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_share_a_connection_and_open_another_where_it_is_full() {
    let far = Far::new([], &["h2", "http/1.1"], Manner::Http(None)).await;
    let client = client(&far);
    let connections = || far.proxy.hosts().len();
    ask_at_once(&client, &far, MOST_AT_A_TIME).await;
    assert_eq!(connections(), 1, "who comes while a connection is opened waits for it");
    // By its answer all is known that the provider said before.
    ask_at_once(&client, &far, 1).await;
    ask_at_once(&client, &far, MOST_AT_A_TIME + 1).await;
    // It is opened also where a place on the first was free before.
    let seconds = CONNECTED_WITHIN.as_secs();
    eventually_within(seconds, "one more than the first takes", || connections() == 2).await;
    ask_at_once(&client, &far, 2 * MOST_AT_A_TIME).await;
    assert_eq!(connections(), 2, "both are kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_1_each_request_under_way_has_a_connection_that_others_use_after_it() {
    let far = Far::new([], &["http/1.1"], Manner::Http(None)).await;
    let client = client(&far);
    for _ in 0..3 {
        ask_at_once(&client, &far, 4).await;
    }
    // Whose connection somebody else was quicker to take opens another.
    assert!((4..=6).contains(&far.proxy.hosts().len()), "{:?}", far.proxy.hosts());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_answered_whatever_the_provider_takes_at_a_time() {
    let far = Far::new([], &["h2", "http/1.1"], Manner::Http(None)).await;
    let client = client(&far);
    for _ in 0..3 {
        ask_at_once(&client, &far, 5 * MOST_AT_A_TIME).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_to_connect_that_fails_costs_only_its_own_request() {
    let far = Far::new([], &["h2"], Manner::Http(None)).await;
    let client = client(&far);
    far.secured.close(1);
    assert_eq!(ask_each(&client, &far, 20).await, 19);
    // The one that failed, and as many as 19 requests need.
    assert!((2..=4).contains(&far.proxy.hosts().len()), "{:?}", far.proxy.hosts());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_connection_takes_one_that_is_free_before() {
    let far = Far::new([], &["http/1.1"], Manner::Http(None)).await;
    let client = client(&far);
    ask_at_once(&client, &far, 1).await;
    far.secured.keep_silent(2);
    let start = std::time::Instant::now();
    ask_at_once(&client, &far, 3).await;
    assert!(start.elapsed() < CONNECTED_WITHIN, "nobody waited for the silent ones");
}
