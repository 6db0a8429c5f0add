//! Bastion's own Solidity verifier of packed proofs, written from a [`PackedDescription`].
//!
//! The contract's text is `BastionVerifier.sol.tmpl`; this module fills in addresses, tables, the
//! verifying key and the constraints.

mod cse;
mod emit;
mod layout;
mod opening;
mod program;
mod tables;

use crate::{
    error::Result,
    field::{invert, power, BASE_MODULUS, SCALAR_MODULUS},
    protocol::{G1Point, PackedDescription},
};
use alloy_primitives::U256;
use layout::Layout;
use std::fmt::Write;
use tables::Tables;

const CONTRACT: &str = include_str!("BastionVerifier.sol.tmpl");
const ACCUMULATOR: &str = include_str!("accumulator.sol.tmpl");

/// Name of the generated contract.
pub const CONTRACT_NAME: &str = "BastionVerifier";

/// Writes the contract that verifies the described proofs.
///
/// The output depends on the description alone.
///
/// # Errors
/// If the description contradicts itself or needs more memory than two-byte pointers reach.
pub fn generate_solidity(d: &PackedDescription) -> Result<String> {
    d.check()?;
    let mut layout = Layout::new(d);
    let mut tables = Tables::default();

    let mut key = String::new();
    let mut keys = Vec::new();
    for fixed in &d.fixed {
        let address = layout.reserve(2);
        keys.push(address);
        store_point(&mut key, address, &fixed.point);
    }
    let generator = layout.reserve(2);
    store_point(&mut key, generator, &d.srs.g1);

    let constraints = program::constraints(d, &mut layout, &mut tables)?;

    let segments = tables.position();
    for segment in &layout.segments {
        for value in [segment.points, segment.scalars, segment.challenges] {
            tables.push(value);
        }
    }
    let rotations = tables.position();
    powers(d, &mut layout, &mut tables, &mut key);
    let instance_queries = tables.position();
    for query in layout.instance_queries.clone() {
        let column = query.poly - d.fixed_count();
        let before: usize = d.num_instance[..column].iter().sum();
        let rows = d.num_instance[column];
        tables.push(layout.instance(before));
        tables.push(rows);
        let address = tables.constant(power(d.omega, -query.rotation), &mut layout);
        tables.push(address);
    }
    let opening = opening::opening(d, &keys, &mut layout, |address, weight| {
        store(&mut key, address, weight);
    })?;
    let accumulator = tables.position();
    for &(column, row) in d.accumulator.iter().flat_map(|layout| &layout.indices) {
        let before: usize = d.num_instance[..column].iter().sum();
        tables.push(layout.instance(before + row));
    }

    for (address, value) in tables.constants() {
        store(&mut key, address, value);
    }
    let words = tables.words();
    let table_address = layout.reserve(words.len());
    for (index, word) in words.into_iter().enumerate() {
        store(&mut key, table_address + 32 * index, word);
    }
    // Reading the last entries takes a whole word.
    layout.reserve(1);
    let arena_end = layout.end()?;

    let n_inv = invert(U256::from(1) << d.k);
    let z = layout.z();
    let minus = |y: U256| if y.is_zero() { y } else { BASE_MODULUS - y };
    let hex = |address: usize| format!("{address:#x}");
    let word = |value: U256| format!("{value:#066x}");
    let has_accumulator = d.accumulator.is_some();
    let quotient = d.commitment_count() - 1;
    let values = [
        ("P", word(SCALAR_MODULUS)),
        ("DIGEST", word(d.digest)),
        ("INSTANCE_COUNT", d.instance_count().to_string()),
        ("PROOF_LENGTH", d.proof_length().to_string()),
        ("K", d.k.to_string()),
        ("OMEGA", word(d.omega)),
        ("N_INV", word(n_inv)),
        ("OMEGA_INV", word(invert(d.omega))),
        ("OMEGA_LAST", word(power(d.omega, layout.lagrange_last))),
        ("OMEGA_FIRST", word(power(d.omega, layout.lagrange_first))),
        ("SCRATCH", hex(layout.scratch)),
        ("CHALLENGES", hex(layout.challenges)),
        ("ALPHA", hex(layout.challenges + 32 * d.combiner)),
        ("Z", hex(z)),
        ("GAMMA", hex(z + 0x20)),
        ("Z_PRIME", hex(z + 0x40)),
        ("ZN", hex(layout.zn)),
        ("BATCH", hex(layout.lagrange)),
        ("VANISHING_INV", hex(layout.vanishing_inv)),
        ("Z_INV", hex(layout.z_inv)),
        ("QUOTIENT_INV", hex(layout.quotient_inv)),
        ("ROTATION_INV", hex(layout.rotation_inv)),
        ("BATCH_END", hex(layout.lagrange + 32 * layout.batch_count)),
        ("ROTATION_DIFF", hex(layout.rotation_diff)),
        ("PREFIX", hex(layout.prefix)),
        ("INSTANCE_INV", hex(layout.instance_inv)),
        ("INSTANCE_EVALS", hex(layout.instance_evals)),
        ("QUOTIENT_EVAL", hex(layout.quotient_eval)),
        ("QUOTIENT", hex(layout.point(quotient)?)),
        ("LEFT", hex(layout.state)),
        ("RIGHT", hex(layout.state + 0x40)),
        ("OLD_LEFT", hex(layout.state + 0x80)),
        ("OLD_RIGHT", hex(layout.state + 0xc0)),
        ("TRANSCRIPT", hex(layout.transcript)),
        ("INSTANCES", hex(layout.instance(0))),
        ("GENERATOR", hex(generator)),
        ("W", hex(layout.point(quotient + 1)?)),
        ("W_PRIME", hex(layout.point(quotient + 2)?)),
        ("TABLES", hex(table_address)),
        ("ARENA_END", hex(arena_end)),
        ("SEGMENTS", hex(table_address + segments)),
        ("SEGMENT_COUNT", layout.segments.len().to_string()),
        ("ROTATIONS", hex(table_address + rotations)),
        ("INSTANCE_QUERIES", hex(table_address + instance_queries)),
        ("INSTANCE_QUERY_COUNT", layout.instance_queries.len().to_string()),
        ("STRIDE", d.stride.to_string()),
        ("RAISED", indent(&opening::raised("y", "zPrime", d.stride), 3)),
        ("PACKS", indent(&opening.packs, 3)),
        ("PLACES", opening.functions),
        ("ACCUMULATOR", hex(table_address + accumulator)),
        (
            "FOLD_ACCUMULATOR",
            if has_accumulator { "        _foldAccumulator();\n".into() } else { String::new() },
        ),
        ("ACCUMULATOR_FUNCTIONS", if has_accumulator { ACCUMULATOR.into() } else { String::new() }),
        ("KEY", indent(&key, 3)),
        ("WEIGHTED", indent(&program::weighted(&constraints), 3)),
        ("CONSTRAINTS", indent(&constraints, 3)),
        ("G2_X0", word(d.srs.g2.x[0])),
        ("G2_X1", word(d.srs.g2.x[1])),
        ("G2_Y0", word(d.srs.g2.y[0])),
        ("G2_Y1", word(d.srs.g2.y[1])),
        ("NEG_S_G2_X0", word(d.srs.s_g2.x[0])),
        ("NEG_S_G2_X1", word(d.srs.s_g2.x[1])),
        ("NEG_S_G2_Y0", word(minus(d.srs.s_g2.y[0]))),
        ("NEG_S_G2_Y1", word(minus(d.srs.s_g2.y[1]))),
    ];
    Ok(fill(CONTRACT, &values))
}

/// Writes pointers to the powers of omega that belong to rotations. Those that follow one another,
/// mostly all, are computed by a loop; others are constants.
fn powers(d: &PackedDescription, layout: &mut Layout, tables: &mut Tables, key: &mut String) {
    let rotations = layout.rotations.clone();
    let run =
        rotations.chunk_by(|a, b| a + 1 == *b).max_by_key(|run| run.len()).unwrap_or_default();
    let first = run.first().copied().unwrap_or(0);
    let start = layout.reserve(run.len());
    let _ = writeln!(
        key,
        "{{\n    let power := {:#066x}\n    for {{ let at := {start:#x} }} lt(at, {:#x}) {{ at := \
         add(at, 0x20) }} {{\n        mstore(at, power)\n        power := mulmod(power, OMEGA, P)\n    \
         }}\n}}",
        power(d.omega, first),
        start + 32 * run.len()
    );
    for rotation in &rotations {
        let address = if run.contains(rotation) {
            start + 32 * (rotation - first).unsigned_abs() as usize
        } else {
            tables.constant(power(d.omega, *rotation), layout)
        };
        tables.push(address);
    }
}

/// Replaces each `{{NAME}}` by its value.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    })
}

fn store(code: &mut String, address: usize, value: U256) {
    let _ = writeln!(code, "mstore({address:#x}, {value:#066x})");
}

fn store_point(code: &mut String, address: usize, point: &G1Point) {
    store(code, address, point.x);
    store(code, address + 0x20, point.y);
}

fn indent(code: &str, steps: usize) -> String {
    let pad = "    ".repeat(steps);
    code.lines().map(|line| format!("{pad}{line}")).collect::<Vec<_>>().join("\n")
}
