//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod cost;
pub(crate) mod demo;
pub(crate) mod inspect;
pub(crate) mod prove;
pub(crate) mod setup;
pub(crate) mod shapes;
pub(crate) mod submit;
pub(crate) mod verify;

use std::path::Path;

use bastion_circuits::Shape;
use bastion_node::dir::{BlockDir, Manifest};
use bastion_node::pipeline::{BlockProver, Cache};
use bastion_node::NodeError;
use bastion_prover::progress::Progress;

use crate::config::Settings;

/// Opens a folder, and the keys that its manifest names.
fn open(
    dir: &Path,
    settings: &Settings,
    progress: &Progress,
) -> eyre::Result<(BlockDir, Manifest, BlockProver)> {
    let folder = BlockDir::new(dir);
    let manifest = folder.complete()?;
    let shape = shape_of(&manifest)?;
    let cache = Cache::new(&settings.cache_dir);
    cache.require_srs(manifest.batches_per_block, &shape)?;
    let prover = BlockProver::open(&shape, manifest.batches_per_block, &cache, progress)?;
    let same = |what, found: &str, expected: String| {
        if found == expected {
            return Ok(());
        }
        Err(NodeError::Mismatch {
            what,
            found: found.into(),
            expected,
        })
    };
    same(
        "reference string",
        &manifest.srs,
        prover.srs.id().to_string(),
    )?;
    same(
        "batch circuit",
        &manifest.batch_circuit_id,
        prover.batches.keys().circuit_id().to_string(),
    )?;
    same(
        "block circuit",
        &manifest.block_circuit_id,
        prover.block.verifier.circuit_id.clone(),
    )?;
    Ok((folder, manifest, prover))
}

/// The shape that a manifest names: another release may know more of them.
fn shape_of(manifest: &Manifest) -> Result<Shape, NodeError> {
    Shape::named(&manifest.shape).map_err(|_| NodeError::Mismatch {
        what: "the shape",
        found: manifest.shape.clone(),
        expected: format!("one of {}", Shape::all().map(|s| s.name).join(", ")),
    })
}
