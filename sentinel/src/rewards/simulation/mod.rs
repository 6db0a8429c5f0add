//! Agents that try what pays.
