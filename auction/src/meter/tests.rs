//! The meter over small traces.
