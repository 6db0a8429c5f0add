//! `bastion shapes`

use std::num::NonZeroUsize;

use bastion_node::recommend::{matrix, Comparison, Machine, MatrixEntry, Prediction, UnitCosts};
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
memory; a tie within 3 % goes to the smaller block.

Examples:
  bastion shapes
  bastion shapes --cores 16 --memory 48GiB --json
  bastion setup $(bastion shapes --recommend) --unsafe-dev-srs
  bastion shapes --matrix

Exit code 6: no shape fits the memory.")]
pub(crate) struct Args {
    /// Cores [default: those of this machine].
    #[arg(long, value_name = "N")]
    cores: Option<NonZeroUsize>,
    /// Batches in a block [default: as many as are best].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=8))]
    batches: Option<u8>,
    /// Prints nothing but the best, as flags for `setup`, `prove` and `bench`.
    #[arg(long)]
    recommend: bool,
    /// Prints the best for 2, 16 and 64 cores with 8, 24 and 128 GiB.
    #[arg(long, conflicts_with_all = ["cores", "batches", "recommend"])]
    matrix: bool,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let units = UnitCosts::measure()?;
    if args.matrix {
        return output::report(settings, &matrix(units), |m| matrix_text(m));
    }
    let mut machine = Machine::here(settings.memory);
    machine.cores = args.cores.unwrap_or(machine.cores);
    let comparison = Comparison::new(machine, units, args.batches.map(usize::from))?;
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

fn text(c: &Comparison) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "shape",
        "k",
        "transfers a batch",
        "cells a transfer",
        "batches a block",
        "at once",
        "memory",
        "transfers/s",
        "latency",
        "",
    ]);
    for p in &c.shapes {
        let numbers = [
            p.k.to_string(),
            p.transfers_per_batch.to_string(),
            p.cells_per_transfer.to_string(),
            p.batches.to_string(),
            p.at_once.to_string(),
            MemoryBudget(p.memory_bytes).to_string(),
            format!("{:.2}", p.transfers_per_second),
            format!("{:.0} s", p.latency_seconds),
        ];
        let right = |text| Cell::new(text).set_alignment(CellAlignment::Right);
        let mut row = vec![Cell::new(&p.shape)];
        row.extend(numbers.map(right));
        row.push(Cell::new(verdict(p)));
        table.add_row(row);
    }
    format!(
        "{table}\npredicted for {} cores and {} (one core here, arithmetic {}: {:.1} ns a multiplication, {:.1} us a term of 2^14, {:.1} ns a butterfly)",
        c.cores,
        MemoryBudget(c.memory_bytes),
        c.units.arithmetic,
        c.units.multiplication * 1e9,
        c.units.msm_term * 1e6,
        c.units.butterfly * 1e9,
    )
}

fn verdict(p: &Prediction) -> &'static str {
    match (p.recommended, p.fits_memory, p.fits_l1) {
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
