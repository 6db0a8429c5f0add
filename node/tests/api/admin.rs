//! The operator's routes.

use bastion_node::service::run::Order;

use crate::raw::{self, post, Answer};
use crate::world::{generous, World, TOKEN};

async fn order(world: &World, path: &str) -> Answer {
    post(world.admin, path, &format!("authorization: Bearer {TOKEN}\r\n"), b"").await
}

async fn ask(world: &World, path: &str) -> Answer {
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: bearer {TOKEN}\r\n\r\n"
    );
    raw::send(world.admin, &head, b"").await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_the_token_is_the_operator() {
    let world = World::start(generous()).await;
    let wrong = [
        "",
        "authorization: Bearer x\r\n",
        "authorization: Basic eDp4\r\n",
        "authorization: Bearer \r\n",
    ];
    for header in wrong {
        for path in ["/admin/v1/pause", "/admin/v1/nothing", "/"] {
            let answer = post(world.admin, path, header, b"").await;
            assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthorized"));
        }
    }
    assert!(!world.parts.control.paused());
    // And the public address has none of it.
    let header = format!("authorization: Bearer {TOKEN}\r\n");
    let answer = post(world.address, "/admin/v1/pause", &header, b"").await;
    assert_eq!(answer.problem(), "no_such_route");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_at_the_admin_address_too_and_reads_alone() {
    let world = World::start(generous()).await;
    let page = raw::get(world.admin, "/").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(page.body, raw::get(world.address, "/").await.body);
    // To no other origin than its own, which is the operator's.
    let policy = page.header("content-security-policy").unwrap_or_default().to_owned();
    assert!(policy.contains("connect-src 'self'; "), "{policy}");
    assert_eq!(raw::get(world.admin, "/assets/app.js").await.status, 200);
    assert_eq!(raw::get(world.admin, "/v1/version").await.status, 200);
    assert_eq!(raw::get(world.admin, "/nothing").await.problem(), "no_such_route");
    for path in ["/admin", "/admin/v1/quarantine", "/admin/v1/nothing", "/admin/../admin/v1/pause"]
    {
        let answer = raw::get(world.admin, path).await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (401, None),
            "{path}"
        );
    }
    for path in ["/v1/operations", "/v1/status", "/", "/assets/app.js"] {
        assert_eq!(post(world.admin, path, "", b"{}").await.status, 401, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_pauses_closes_and_drains() {
    let world = World::start(generous()).await;
    assert_eq!(order(&world, "/admin/v1/pause").await.status, 200);
    assert!(world.parts.control.paused());
    assert_eq!(order(&world, "/admin/v1/resume").await.status, 200);
    assert!(!world.parts.control.paused());
    assert_eq!(order(&world, "/admin/v1/close-block").await.status, 200);
    assert!(world.parts.log.last_batch().unwrap().unwrap().1.ends_block);
    assert_eq!(order(&world, "/admin/v1/drain").await.status, 200);
    assert!(world.parts.control.draining());
    assert_eq!(order(&world, "/admin/v1/nothing").await.problem(), "no_such_route");
    assert_eq!(ask(&world, "/admin/v1/pause").await.problem(), "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_looks_after_jobs() {
    let world = World::start(generous()).await;
    world.seal().await;
    let key = world.parts.coordinator.waiting()[0];
    let path = format!("/admin/v1/jobs/{key}");
    assert_eq!(ask(&world, &path).await.json()["state"], "queued");
    assert_eq!(ask(&world, "/admin/v1/jobs/batch-9-00").await.problem(), "not_found");
    let lease = world.parts.coordinator.lease("wendy", |k| *k == key).unwrap().unwrap();
    world.parts.coordinator.fail("wendy", &key, lease.lease, "broken", false).unwrap();
    let shown = ask(&world, &path).await.json();
    assert_eq!(
        (shown["state"].as_str(), shown["causes"][0].as_str()),
        (Some("failed"), Some("broken"))
    );
    assert_eq!(order(&world, &format!("{path}/retry")).await.status, 200);
    assert_eq!(ask(&world, &path).await.json()["state"], "queued");
    assert_eq!(order(&world, &format!("{path}/cancel")).await.status, 200);
    assert_eq!(ask(&world, &path).await.json()["state"], "cancelled");
    assert_eq!(order(&world, "/admin/v1/jobs/batch-9-00/retry").await.problem(), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_looks_after_transactions() {
    let mut world = World::start(generous()).await;
    let (_gone, nobody) = std::sync::mpsc::channel();
    let orders = std::mem::replace(&mut world.orders, nobody);
    let settler = std::thread::spawn(move || {
        for order in orders.iter().take(3) {
            match order {
                Order::List(reply) => reply.send(Vec::new()).unwrap(),
                Order::Resend(name, reply) => {
                    assert_eq!(name, "commit 7");
                    reply.send(Ok(())).unwrap();
                }
                Order::Cancel(name, reply) => reply.send(Err(format!("{name} is mined"))).unwrap(),
            }
        }
    });
    let listed = ask(&world, "/admin/v1/l1/intents").await;
    assert_eq!(listed.json()["intents"].as_array().map(Vec::len), Some(0));
    assert_eq!(order(&world, "/admin/v1/l1/intents/commit%207/resend").await.status, 200);
    let refused = order(&world, "/admin/v1/l1/intents/commit%207/cancel").await;
    assert_eq!((refused.status, refused.problem().as_str()), (409, "conflict"));
    settler.join().unwrap();
    // The settler has ended.
    assert_eq!(ask(&world, "/admin/v1/l1/intents").await.problem(), "not_ready");
}
