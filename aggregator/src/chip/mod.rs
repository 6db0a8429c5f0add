#![doc = include_str!("README.md")]

pub mod add;
pub mod check;
pub mod columns;
pub mod config;
pub mod double;
pub mod entry;
pub mod gate;
pub mod grid;
pub mod identity;
pub mod layout;
pub mod output;
pub mod permutation;
pub mod point;
pub mod program;
pub mod scalar;
pub mod sums;
pub mod witness;

#[cfg(test)]
mod tests;

pub use gate::{Gate, Kind};
pub use grid::Grid;
pub use layout::Layout;
pub use program::{Base, Program, Step, Sums};
pub use witness::{fill, Inputs};

/// The gates of all kinds, in the order of [`Kind::ALL`].
pub fn gates() -> Vec<Gate> {
    Kind::ALL
        .into_iter()
        .map(|kind| match kind {
            Kind::Add => add::gate(),
            Kind::Double => double::gate(),
            Kind::Entry => entry::gate(),
            Kind::Point => point::point_gate(),
            Kind::Curve => point::curve_gate(),
            Kind::Constant => point::constant_gate(),
            Kind::Words => point::words_gate(),
            Kind::Output => output::gate(),
            Kind::Scalar => scalar::gate(),
            Kind::Full => permutation::full_gate(),
            Kind::Pair => permutation::pair_gate(),
            Kind::Single => permutation::single_gate(),
            Kind::Load => permutation::load_gate(),
        })
        .collect()
}
