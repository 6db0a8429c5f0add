//! The OpenAPI file and the page.

use std::path::Path;

use bastion_node::api::document::openapi_json;

use crate::raw::get;
use crate::world::{generous, World};

#[test]
fn the_committed_file_is_that_of_the_routes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == openapi_json().unwrap(),
        "write it again: cargo run --release -p bastion-node --example api -- openapi > docs/openapi.json"
    );
    let document: serde_json::Value = serde_json::from_str(&committed).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    // Each route has a name of its own, from which clients are generated.
    let routes = document["paths"].as_object().unwrap().values();
    let mut names: Vec<&str> = routes
        .flat_map(|route| route.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let routes = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), routes);
    // Every reference leads somewhere.
    let mut waiting = vec![&document];
    while let Some(value) = waiting.pop() {
        match value {
            serde_json::Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(|r| r.as_str()) {
                    let pointer = reference.trim_start_matches('#');
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                }
                waiting.extend(map.values());
            }
            serde_json::Value::Array(list) => waiting.extend(list),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_and_the_page_are_served() {
    let world = World::start(generous()).await;
    let document = get(world.address, "/v1/openapi.json").await;
    assert_eq!(document.header("content-type"), Some("application/json"));
    assert_eq!(String::from_utf8(document.body).unwrap(), openapi_json().unwrap());
    let page = get(world.address, "/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert!(!page.body.is_empty());
}
