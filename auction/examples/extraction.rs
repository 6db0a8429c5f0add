//! What an attacker who sees orders first takes from users, on an order book, two pools and the auction.
//!
//! `cargo run --release -p bastion-auction --example extraction [seed [blocks]]`; `--json` as third argument
//! prints the result as JSON.

use bastion_auction::meter::{simulate, Scenario};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |i: usize, default| arguments.get(i).map_or(Ok(default), |text| text.parse::<u64>());
    let report = simulate(Scenario { seed: number(0, 1)?, blocks: number(1, 100)?, users: 12 })?;
    match arguments.get(2).map(String::as_str) {
        Some("--json") => println!("{}", serde_json::to_string_pretty(&report)?),
        Some(_) | None => print!("{report}"),
    }
    Ok(())
}
