//! How many random auctions clear, and how long solving takes.
//!
//! `cargo run --release -p bastion-auction --example solve`

use bastion_auction::sample::{book, Shape};
use bastion_auction::{solve, verify, Auction, AuctionError, Terms};
use std::time::Instant;

const AUCTIONS: u64 = 100;

fn main() -> Result<(), AuctionError> {
    println!("| tokens | orders | spread | hub | cleared | tokens suspended | orders filled | median ms | slowest ms |");
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (tokens, orders) in
        [(2, 2_000), (3, 30), (3, 2_000), (8, 200), (20, 200), (20, 2_000), (50, 2_000)]
    {
        for (spread, hub) in [(1_300, 1), (1_300, 2), (1_300, 1 << 20), (100, 2), (20_000, 2)] {
            let shape = Shape { tokens, orders, spread, hub };
            let (mut cleared, mut suspended, mut filled, mut times) = (0, 0, 0, Vec::new());
            for seed in 0..AUCTIONS {
                let auction = Auction::new(book(seed, shape), Terms::default())?;
                let begin = Instant::now();
                let clearing = solve(&auction);
                times.push(begin.elapsed());
                verify(&auction, &clearing)?;
                cleared += u64::from(clearing.trades());
                suspended += usize::from(tokens) - clearing.quotes.len();
                filled += clearing.fills.iter().filter(|fill| fill.sold > 0).count();
            }
            times.sort_unstable();
            let ms = |i: usize| times.get(i).map_or(0.0, |t| t.as_secs_f64() * 1e3);
            println!(
                "| {tokens} | {orders} | {spread} | {hub} | {cleared} of {AUCTIONS} | {suspended} | {:.1} % | {:.1} | {:.1} |",
                filled as f64 / (orders as f64 * AUCTIONS as f64) * 100.0,
                ms(times.len() / 2),
                ms(times.len() - 1),
            );
        }
    }
    Ok(())
}
