//! The API over a node without proofs and without L1, for clients in development and for fuzzing.
//!
//! `cargo run -p bastion-node --example api -- 127.0.0.1:4000` serves it until it is stopped;
//! `... -- openapi` prints the OpenAPI file.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../tests/api/world.rs"]
mod world;

use std::net::SocketAddr;

use bastion_client::Client;
use world::{generous, transfer, World};

#[tokio::main]
async fn main() {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".into());
    if argument == "openapi" {
        print!("{}", bastion_node::api::document::openapi_json().unwrap());
        return;
    }
    let at: SocketAddr = argument.parse().expect("an address such as 127.0.0.1:4000");
    let world = World::start_at(at, generous(), world::TIME).await;
    let client = Client::new(&world.url()).unwrap();
    client.submit(&[transfer(0, 0), transfer(1, 0)]).await.unwrap();
    world.seal().await;
    client.submit(&[transfer(0, 1)]).await.unwrap();
    println!("{}", world.url());
    std::future::pending::<()>().await;
}
