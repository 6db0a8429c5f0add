//! `bastion shapes`

use std::num::NonZeroUsize;

use bastion_node::recommend::{
    matrix, Comparison, Machine, MatrixEntry, Prediction, Prices, UnitCosts, MAX_BATCHES,
};
use bastion_prover::schedule::MemoryBudget;
use comfy_table::{presets, Cell, CellAlignment, Table};

use crate::config::Settings;
use crate::output;

/// Compares the shapes on a machine, and recommends one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Speed is predicted: counts of the work, at what one core of this machine takes for its elementary
operations, which are measured in a second. `bastion bench` measures the whole. Cells are all of the
circuit's, blanks included. Each shape is shown with the number of batches whose throughput is
highest and whose data fits one L1 transaction. Recommended is the highest throughput that fits the
memory; a tie within 3 % goes to the smaller block. With a price of gas it is the lowest cost of a
transfer instead, on L1 and in proving together.

Examples:
  bastion shapes
  bastion shapes --cores 16 --memory 48GiB --json
  bastion setup $(bastion shapes --recommend) --unsafe-dev-srs
  bastion shapes --matrix
  bastion shapes --gas-price 2 --ether 3000 --core-hour 0.04

Exit code 6: no shape fits the memory.")]
pub(crate) struct Args {
    /// Cores [default: those of this machine].
    #[arg(long, value_name = "N")]
    cores: Option<NonZeroUsize>,
    /// Batches in a block [default: as many as are best].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_BATCHES)))]
    batches: Option<u8>,
    /// Price of a unit of gas, in 10^9 wei: recommends by cost.
    #[arg(long, value_name = "GWEI", value_parser = price)]
    gas_price: Option<f64>,
    /// Price of a unit of the gas of blobs, in 10^9 wei [default: a sixteenth of that of gas, the least
    /// that L1 takes (EIP-7918)].
    #[arg(long, value_name = "GWEI", value_parser = price, requires = "gas_price")]
    blob_gas_price: Option<f64>,
    /// Price of an ether.
    #[arg(long, value_name = "PRICE", default_value = "3000", value_parser = price, requires = "gas_price")]
    ether: f64,
    /// Price of a core for an hour, in the same currency.
    #[arg(long, value_name = "PRICE", default_value = "0.04", value_parser = price, requires = "gas_price")]
    core_hour: f64,
    /// Seconds after which a block is closed, full or not.
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = price, requires = "gas_price")]
    wait: f64,
    /// Prints nothing but the best, as flags for `setup`, `prove` and `bench`.
    #[arg(long)]
    recommend: bool,
    /// Prints the best for 2, 16 and 64 cores with 8, 24 and 128 GiB.
    #[arg(long, conflicts_with_all = ["cores", "batches", "recommend", "gas_price"])]
    matrix: bool,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let units = UnitCosts::measure()?;
    if args.matrix {
        return output::report(settings, &matrix(units), |m| matrix_text(m));
    }
    let mut machine = Machine::here(settings.memory);
    machine.cores = args.cores.unwrap_or(machine.cores);
    let prices = args.gas_price.map(|gas_gwei| Prices {
        gas_gwei,
        blob_gas_gwei: args.blob_gas_price.unwrap_or(gas_gwei / 16.0),
        ether: args.ether,
        core_hour: args.core_hour,
        wait_seconds: args.wait,
    });
    let comparison = Comparison::new(machine, units, args.batches.map(usize::from), prices)?;
    if args.recommend {
        let best = comparison.recommended()?;
        return output::report(settings, best, |p| {
            format!("--shape {} --batches {}", p.shape, p.batches)
        });
    }
    output::report(settings, &comparison, text)?;
    comparison.recommended()?;
    Ok(())
}

fn price(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(price) if price.is_finite() && price > 0.0 => Ok(price),
        Ok(_) | Err(_) => Err("give a number above 0".into()),
    }
}

fn text(c: &Comparison) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    let mut header = vec![
        "shape",
        "k",
        "transfers a batch",
        "cells a transfer",
        "batches a block",
        "at once",
        "memory",
        "transfers/s",
        "latency",
    ];
    if c.prices.is_some() {
        header.extend([
            "data in",
            "gas a transfer",
            "gas of 1,000",
            "proving of 1,000",
            "full from",
        ]);
    }
    header.push("");
    table.set_header(header);
    for p in &c.shapes {
        let mut numbers = vec![
            p.k.to_string(),
            p.transfers_per_batch.to_string(),
            p.cells_per_transfer.to_string(),
            p.batches.to_string(),
            p.at_once.to_string(),
            MemoryBudget(p.memory_bytes).to_string(),
            format!("{:.2}", p.transfers_per_second),
            format!("{:.0} s", p.latency_seconds),
        ];
        if let Some(cost) = p.cost {
            numbers.extend([
                cost.data_mode.to_string(),
                format!("{:.0}", cost.gas),
                format!("{:.4}", cost.gas_cost * 1_000.0),
                format!("{:.4}", cost.proving_cost * 1_000.0),
                format!("{:.2}/s", cost.full_from),
            ]);
        }
        let right = |text| Cell::new(text).set_alignment(CellAlignment::Right);
        let mut row = vec![Cell::new(&p.shape)];
        row.extend(numbers.into_iter().map(right));
        row.push(Cell::new(verdict(p)));
        table.add_row(row);
    }
    let priced = c.prices.map_or_else(String::new, |prices| {
        format!(
            "\nof full blocks, at {} gwei ({} for that of blobs, which is not in the gas a transfer), {} an ether and {} a core-hour. A block is full from so many transfers a second on, if it \
             is closed after {} s; below that, a smaller block costs the same gas, so the larger one pays from there on",
            prices.gas_gwei, prices.blob_gas_gwei, prices.ether, prices.core_hour, prices.wait_seconds
        )
    });
    format!(
        "{table}\npredicted for {} cores and {} (one core here, arithmetic {}: {:.1} ns a multiplication, {:.1} us a term of 2^14, {:.1} ns a butterfly){priced}",
        c.cores,
        MemoryBudget(c.memory_bytes),
        c.units.arithmetic,
        c.units.multiplication * 1e9,
        c.units.msm_term * 1e6,
        c.units.butterfly * 1e9,
    )
}

fn verdict(p: &Prediction) -> &'static str {
    match (p.recommended, p.fits_memory, p.is_taken()) {
        (true, ..) => "recommended",
        (_, false, _) => "too large for the memory",
        (_, _, false) => "too much data for an L1 transaction",
        _ => "",
    }
}

/// A table in Markdown: cores downwards, memory across.
fn matrix_text(entries: &[MatrixEntry]) -> String {
    let mut memories: Vec<u64> = entries.iter().map(|e| e.memory_gib).collect();
    memories.sort_unstable();
    memories.dedup();
    let header: Vec<String> = memories.iter().map(|m| format!(" {m} GiB |")).collect();
    let rule = "---|".repeat(memories.len() + 1);
    let mut out = format!("| cores |{}\n|{rule}", header.concat());
    for (i, entry) in entries.iter().enumerate() {
        if i % memories.len() == 0 {
            out += &format!("\n| {} |", entry.cores);
        }
        out += &match &entry.best {
            None => " none fits |".into(),
            Some(p) => format!(
                " `{}` x {}: {:.1} a second, {:.0} s, {} |",
                p.shape,
                p.batches,
                p.transfers_per_second,
                p.latency_seconds,
                MemoryBudget(p.memory_bytes)
            ),
        };
    }
    out
}
