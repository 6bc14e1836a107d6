//! Of which meters a header speaks.

use super::*;

/// A model with a limit of its own, beside one that all models share.
fn shared(limit: &str, own: &str) -> Fleet {
    let text = format!(
        "dialect = \"openai\"\nbase_url = \"https://a.example\"\nkey_env = [\"A_KEY\"]\nstatus = \"free\"\n{limit}\n\
         [[model]]\nid = \"one\"\nscale = \"small\"\ncontext = 1000\n{own}\n\
         [[model]]\nid = \"other\"\nscale = \"small\"\ncontext = 1000\n{own}\n"
    );
    let catalog = Catalog::only(&[Overlay { id: "a".to_owned(), place: "a".to_owned(), text }]).expect("valid");
    let provider = Arc::new(catalog.providers.into_iter().next().expect("one"));
    let keys = vec![KeyId { place: 0, hash: 0 }];
    Fleet::new(&[Account { provider, keys, separate: false, priority: 0, max_concurrency: None }])
}

/// What each limit of a route has counted after three requests to either model, once a header of `limit` has said that one of it is used. In
/// both stores.
async fn told(fleet: &Fleet, limit: u64, scope: Option<Scope>) -> Vec<Vec<u64>> {
    let mut all = Vec::new();
    for store in stores(fleet).1 {
        for model in ["one", "other"] {
            for _ in 0..3 {
                let lease = store.reserve(route(fleet, model), Cost::request(1, 1), at(0)).await.expect("room");
                store.settle(lease, Settlement::AsReserved, row(route(fleet, model), at(0), None), at(0));
            }
        }
        let (limit, remaining) = (Some(limit), Some(limit - 1));
        let (kind, period, source) = (Kind::Requests, Period::Day, Source::Header);
        let fact = Fact { kind, period, limit, remaining, resets_at: None, scope, source };
        store.tell(route(fleet, "one"), &[fact], at(1), at(1));
        all.push(used(store.as_ref(), route(fleet, "one"), at(1)));
    }
    all
}

#[tokio::test]
async fn a_header_speaks_of_one_meter_and_not_of_all_that_count_alike() {
    let own = "limits = [{ requests = 100, per = \"day\" }]";
    let users = shared("[[limit]]\nrequests = 12\nper = \"day\"\nsource = \"user\"", own);
    assert_eq!(told(&users, 100, None).await, [[6, 1], [6, 1]], "the user's number is nobody else's");
    let users = shared("[[limit]]\nrequests = 12\nper = \"day\"\nsource = \"user\"", "");
    assert_eq!(told(&users, 100, None).await, [[6], [6]], "nor where it stands alone");
    let both = shared("[[limit]]\nrequests = 40\nper = \"day\"", own);
    assert_eq!(told(&both, 40, None).await, [[1, 3], [1, 3]], "the one whose number it is");
    assert_eq!(told(&both, 70, None).await, [[6, 1], [6, 1]], "else the model's");
    assert_eq!(told(&both, 100, Some(Scope::Key)).await, [[1, 3], [1, 3]], "or whose its name says");
    assert_eq!(told(&both, 40, Some(Scope::Model)).await, [[6, 1], [6, 1]]);
}
