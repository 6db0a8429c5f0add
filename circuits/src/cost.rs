//! What an operation costs.
