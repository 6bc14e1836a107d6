//! Keys: the gateway's own opens it, each provider sees its own, and no caller's key goes anywhere.

use relay::sim::Act;

use super::harness::{gateway, provider};

#[tokio::test]
async fn a_gateway_with_a_key_opens_to_that_key_alone() {
    let gateway = gateway().over([provider("sim-a")]).key("s3cret").start().await;
    let refused = [
        None,
        Some("Bearer wrong"),
        Some("Bearer s3cre"),
        Some("Bearer s3cret2"),
        Some("Basic s3cret"),
        Some("s3cret"),
        Some("Bearer"),
    ];
    for header in refused {
        for asking in [gateway.ask("hello"), gateway.get("/v1/models"), gateway.get("/v1/models/sim-a/sim-m")] {
            let asking = match header {
                Some(value) => asking.header("authorization", value),
                None => asking,
            };
            let reply = asking.await;
            reply.refused(401, "invalid_api_key");
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
            assert!(!reply.text().contains("s3cret"));
        }
    }
    assert_eq!(gateway.providers.simulator.total_calls(), 0);
    gateway.ask("hello").key("s3cret").await.by("sim-a/sim-m");
    gateway.ask("hello").header("Authorization", "bearer s3cret").await.by("sim-a/sim-m");
    assert_eq!(gateway.get("/v1/models").key("s3cret").await.status, 200);
    for open in ["/livez", "/readyz", "/health"] {
        assert_eq!(gateway.get(open).await.status, 200, "{open}");
    }
}

#[tokio::test]
async fn a_gateway_without_a_key_takes_any() {
    let gateway = gateway().over([provider("sim-a")]).start().await;
    gateway.ask("hello").await.by("sim-a/sim-m");
    gateway.ask("hello").key("whatever").await.by("sim-a/sim-m");
}

#[tokio::test]
async fn each_provider_sees_its_own_key_and_nothing_of_the_caller() {
    let fakes = [provider("sim-a").answers([Act::status(500)]), provider("sim-b")];
    let gateway = gateway().over(fakes).key("s3cret").start().await;
    let asking = gateway.ask("hello").key("s3cret").header("cookie", "session=1").header("x-session-id", "me");
    let asking =
        asking.header("openai-organization", "org").header("x-api-key", "other").header("x-forwarded-for", "10.1.1.1");
    asking.header("user-agent", "OpenAI/Python").await.by("sim-b/sim-m");
    for id in ["sim-a", "sim-b"] {
        let call = gateway.providers.only_chat(id);
        let key = &gateway.providers.described().iter().find(|one| one.id == id).expect("described").key;
        assert_eq!(call.header("authorization"), Some(format!("Bearer {key}").as_str()));
        assert!(call.header("user-agent").is_some_and(|agent| agent.starts_with("relay/")));
        let mut names: Vec<&str> = call.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "authorization", "content-length", "content-type", "host", "user-agent"]);
        assert!(!format!("{:?}", call.headers).contains("s3cret"));
    }
}
