//! The solver over random markets.
