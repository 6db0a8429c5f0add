//! Agents that try what pays. Every profit comes from calls of the real [`Registry`](super::Registry);
//! the simulation adds only what the agents know and what their actions cost and gain outside of it.

mod day;
mod knob;
mod plans;
mod play;
mod region;
mod rng;
mod strategy;
#[cfg(test)]
mod tests;
mod world;

pub use knob::Knob;
pub use region::{is_best_reply, Margin, Region, Study};
pub use strategy::{Role, Strategy};
pub use world::World;
