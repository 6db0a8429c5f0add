//! What the operator does while the node runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;

/// Switches of a node. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Control(Arc<Switches>);

#[derive(Debug, Default)]
struct Switches {
    paused: AtomicBool,
    draining: AtomicBool,
    /// Why nothing more is taken, by the part of the node that says so.
    trouble: Mutex<BTreeMap<&'static str, String>>,
}

impl Control {
    /// Whether nothing is accepted because the operator said so.
    pub fn paused(&self) -> bool {
        self.0.paused.load(Ordering::Relaxed)
    }

    /// Accepts nothing from now on, or accepts again. What was accepted is finished.
    pub fn set_paused(&self, paused: bool) {
        self.0.paused.store(paused, Ordering::Relaxed);
    }

    /// Whether the node ends when everything that was accepted is final.
    pub fn draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    /// Accepts nothing any more; the node ends when everything is final.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Says why a part of the node takes nothing more, or that it does again.
    pub fn set_trouble(&self, part: &'static str, trouble: Option<String>) {
        let mut troubles = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            Some(why) => {
                // Once: its figures may change with every look.
                if !troubles.contains_key(part) {
                    warn!(part, why, "operations are not accepted");
                }
                troubles.insert(part, why);
            }
            None => {
                troubles.remove(part);
            }
        }
    }

    /// Whether operations are accepted.
    ///
    /// # Errors
    /// Why not.
    pub fn accepting(&self) -> Result<(), String> {
        if self.draining() {
            return Err("the node is draining: it ends when all blocks are final".into());
        }
        if self.paused() {
            return Err("the operator has paused the node: try again later".into());
        }
        let troubles = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match troubles.values().next() {
            Some(trouble) => Err(trouble.clone()),
            None => Ok(()),
        }
    }
}
