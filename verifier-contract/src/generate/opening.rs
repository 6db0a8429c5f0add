//! The opening of the packs: code for each pack, and for each number of places.

use super::{layout::Layout, tables::Tables};
use crate::{
    error::Result,
    field::{invert, power, subtract, SCALAR_MODULUS},
    protocol::{PackedDescription, Query},
};
use alloy_primitives::U256;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Code of the opening.
pub(super) struct Opening {
    /// Calls, one for each pack.
    pub(super) packs: String,
    /// Functions, one for each number of places.
    pub(super) functions: String,
}

/// Writes the code and the tables of rotations. `keys` are the addresses of the key's commitments,
/// `tables` the address of the tables.
pub(super) fn opening(
    d: &PackedDescription,
    keys: &[usize],
    layout: &mut Layout,
    tables: &mut Tables,
) -> Result<Opening> {
    let mut packs = String::new();
    let mut before: Option<Vec<i32>> = None;
    for (index, (first, pack)) in d.packs().into_iter().enumerate() {
        let commitment = match keys.get(index) {
            Some(address) => *address,
            None => layout.point(index - keys.len())?,
        };
        let count = pack.rotations.len();
        let values = layout.evaluation(&Query { poly: first, rotation: pack.rotations[0] })?;
        let _ = writeln!(packs, "// {} polynomials at {count} rotations.", pack.polynomials);
        // Packs in a row may have the same rotations.
        if before.as_ref() != Some(&pack.rotations) {
            let offset = tables.position();
            for &rotation in &pack.rotations {
                tables.push(32 * layout.rotation(rotation));
                let weight = weight(d.omega, &pack.rotations, rotation);
                let address = tables.constant(weight, layout);
                tables.push(address);
            }
            let _ =
                writeln!(packs, "(vanishing, inverse) = _interpolate(TABLES + {offset}, {count});");
        }
        before = Some(pack.rotations.clone());
        if index == 0 {
            packs.push_str("first = vanishing;\n");
            let _ = writeln!(packs, "_copy(SCRATCH, {commitment:#x});");
            let _ = writeln!(
                packs,
                "constantTerm = _places{}({values:#x}, {count});",
                pack.polynomials
            );
            continue;
        }
        packs.push_str("gammaPower = mulmod(gammaPower, gamma, P);\n");
        packs.push_str("factor = mulmod(gammaPower, mulmod(first, inverse, P), P);\n");
        let _ = writeln!(
            packs,
            "constantTerm = addmod(constantTerm, mulmod(factor, _places{}({values:#x}, {count}), P), P);",
            pack.polynomials
        );
        let _ = writeln!(packs, "ok = _add({commitment:#x}, factor) && ok;");
    }
    let sizes: BTreeSet<usize> = d.packs().iter().map(|(_, pack)| pack.polynomials).collect();
    let functions = sizes.into_iter().map(places).collect::<Vec<_>>().join("\n");
    Ok(Opening { packs, functions })
}

/// The function that sums the values of `count` places at z', weighted with the basis.
fn places(count: usize) -> String {
    let mut horner = String::new();
    let read = |place: usize| match place {
        0 => "mload(at)".to_owned(),
        _ => format!("mload(add(at, {:#x}))", 32 * place),
    };
    let _ = writeln!(horner, "                let value := {}", read(count - 1));
    for place in (0..count - 1).rev() {
        let _ = writeln!(
            horner,
            "                value := add(mulmod(value, zPrime, p), {})",
            read(place)
        );
    }
    format!(
        "    function _places{count}(uint256 at, uint256 rotations) private pure returns (uint256 sum) {{
        assembly (\"memory-safe\") {{
            let p := P
            let zPrime := mload(Z_PRIME)
            let basis := BASIS
            for {{ let end := add(at, mul(rotations, {:#x})) }} lt(at, end) {{ at := add(at, {:#x}) }} {{
{horner}                sum := addmod(sum, mulmod(value, mload(basis), p), p)
                basis := add(basis, 0x20)
            }}
        }}
    }}
",
        32 * count,
        32 * count
    )
}

/// `1 / prod (omega^rotation - omega^other)` over the other rotations.
fn weight(omega: U256, rotations: &[i32], rotation: i32) -> U256 {
    let own = power(omega, rotation);
    let product = rotations
        .iter()
        .filter(|other| **other != rotation)
        .map(|other| subtract(own, power(omega, *other)))
        .fold(U256::from(1), |product, factor| product.mul_mod(factor, SCALAR_MODULUS));
    invert(product)
}

/// Statements that raise the variable `y` from `z'` to its power `stride`.
pub(super) fn raised(stride: usize) -> String {
    let mut code = String::new();
    // The highest bit is the variable itself.
    for bit in (0..stride.ilog2()).rev() {
        code.push_str("y := mulmod(y, y, p)\n");
        if stride >> bit & 1 == 1 {
            code.push_str("y := mulmod(y, zPrime, p)\n");
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_take_a_product_for_each_bit() {
        let products = |stride| raised(stride).lines().count();
        assert_eq!([1, 2, 3, 6, 16].map(products), [0, 1, 2, 3, 4]);
    }
}
