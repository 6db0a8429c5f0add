//! The opening of the packs: code for each pack, and for each number of places.

use super::layout::Layout;
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

/// Writes the code. `keys` are the addresses of the key's commitments; `weigh` takes the address and
/// the value of each weight.
pub(super) fn opening(
    d: &PackedDescription,
    keys: &[usize],
    layout: &mut Layout,
    mut weigh: impl FnMut(usize, U256),
) -> Result<Opening> {
    let mut packs = String::new();
    for (index, (first, pack)) in d.packs().into_iter().enumerate() {
        let commitment = match keys.get(index) {
            Some(address) => *address,
            None => layout.point(index - keys.len())?,
        };
        let (places, count) = (pack.polynomials, pack.rotations.len());
        let _ = writeln!(packs, "// {places} polynomials at {count} rotations.");
        let weights = layout.reserve(count);
        let mut done = 0;
        // Rotations that follow one another lie side by side.
        for run in pack.rotations.chunk_by(|a, b| layout.rotation(*a) + 1 == layout.rotation(*b)) {
            let values = layout.evaluation(&Query { poly: first, rotation: run[0] })?;
            for (n, rotation) in run.iter().enumerate() {
                let address = weights + 32 * (done + n);
                weigh(address, weight(d.omega, &pack.rotations, *rotation));
            }
            let differences = 32 * layout.rotation(run[0]);
            let call = format!(
                "_places{places}({values:#x}, {:#x}, {differences}, {:#x})",
                values + 32 * places * run.len(),
                weights + 32 * done
            );
            match done {
                0 => {
                    let _ = writeln!(packs, "(value, inverse) = {call};");
                }
                _ => {
                    let _ = writeln!(
                        packs,
                        "{{\n    (uint256 further, uint256 inverted) = {call};\n    value = \
                         addmod(value, further, P);\n    inverse = mulmod(inverse, inverted, P);\n}}"
                    );
                }
            }
            done += run.len();
        }
        if count > 1 {
            let _ = writeln!(packs, "value = _scaled(value, {});", count - 1);
        }
        if index == 0 {
            for rotation in &pack.rotations {
                let address = layout.rotation_diff + 32 * layout.rotation(*rotation);
                let _ = writeln!(packs, "first = mulmod(first, _load({address:#x}), P);");
            }
            packs.push_str("gammaPower = first;\nconstantTerm = mulmod(first, value, P);\n");
            let _ = writeln!(packs, "_copy(SCRATCH, {commitment:#x});");
            continue;
        }
        packs.push_str("gammaPower = mulmod(gammaPower, gamma, P);\n");
        packs.push_str("constantTerm = addmod(constantTerm, mulmod(gammaPower, value, P), P);\n");
        let _ =
            writeln!(packs, "ok = _add({commitment:#x}, mulmod(gammaPower, inverse, P)) && ok;");
    }
    let sizes: BTreeSet<usize> = d.packs().iter().map(|(_, pack)| pack.polynomials).collect();
    let functions = sizes.into_iter().map(places).collect::<Vec<_>>().join("\n");
    Ok(Opening { packs, functions })
}

/// The function that sums the values of `count` places at z' over a run of rotations, each divided by
/// its difference and weighted, and multiplies the inverses of the differences.
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
        "    function _places{count}(uint256 at, uint256 end, uint256 offset, uint256 weight)
        private
        pure
        returns (uint256 sum, uint256 inverse)
    {{
        assembly (\"memory-safe\") {{
            let p := P
            let zPrime := mload(Z_PRIME)
            offset := add(offset, ROTATION_INV)
            inverse := 1
            for {{ }} lt(at, end) {{ at := add(at, {:#x}) }} {{
{horner}                let inverted := mload(offset)
                inverse := mulmod(inverse, inverted, p)
                sum := addmod(sum, mulmod(mulmod(value, mload(weight), p), inverted, p), p)
                offset := add(offset, 0x20)
                weight := add(weight, 0x20)
            }}
        }}
    }}
",
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

/// Statements that raise the variable `name`, which has the value `base`, to a power above 0.
pub(super) fn raised(name: &str, base: &str, exponent: usize) -> String {
    let mut code = String::new();
    // The highest bit is the variable itself.
    for bit in (0..exponent.ilog2()).rev() {
        let _ = writeln!(code, "{name} := mulmod({name}, {name}, p)");
        if exponent >> bit & 1 == 1 {
            let _ = writeln!(code, "{name} := mulmod({name}, {base}, p)");
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_take_a_product_for_each_bit() {
        let products = |stride| raised("y", "x", stride).lines().count();
        assert_eq!([1, 2, 3, 6, 16].map(products), [0, 1, 2, 3, 4]);
    }
}
