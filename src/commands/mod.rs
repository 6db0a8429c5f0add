//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod cost;
pub(crate) mod demo;
pub(crate) mod exodus;
pub(crate) mod inspect;
pub(crate) mod l1;
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
use bastion_prover::srs::{SrsChoice, SrsOrigin};

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
    let srs = manifest.srs.parse().map_err(|e| NodeError::Malformed {
        path: dir.join("manifest.json").display().to_string(),
        why: format!("`{}` is no identity of a reference string: {e}", manifest.srs),
    })?;
    let choice = SrsChoice::Named(srs);
    let prover = BlockProver::open(&shape, manifest.batches_per_block, &cache, choice, progress)?;
    let same = |what, found: &str, expected: String| {
        if found == expected {
            return Ok(());
        }
        Err(NodeError::Mismatch { what, found: found.into(), expected })
    };
    same("reference string", &manifest.srs, prover.srs.id().to_string())?;
    let unsafe_dev = prover.srs.origin() == SrsOrigin::UnsafeDev;
    if manifest.unsafe_dev_srs != unsafe_dev {
        return Err(
            NodeError::WrongMark { says: manifest.unsafe_dev_srs, srs: manifest.srs }.into()
        );
    }
    same(
        "batch circuit",
        &manifest.batch_circuit_id,
        prover.batches.keys().circuit_id().to_string(),
    )?;
    same("block circuit", &manifest.block_circuit_id, prover.block.verifier.circuit_id.clone())?;
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

/// A reference string as people read it: nobody must miss that it is unsafe.
fn srs_line(id: &str, unsafe_dev: bool) -> String {
    let warning = if unsafe_dev { " (UNSAFE: development only)" } else { "" };
    format!("{id}{warning}")
}
