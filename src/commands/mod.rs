//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod bench_market;
pub(crate) mod bench_sentinel;
pub(crate) mod blobs;
pub(crate) mod bundle;
pub(crate) mod claims;
pub(crate) mod configuration;
pub(crate) mod control;
pub(crate) mod cost;
pub(crate) mod db;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod exodus;
pub(crate) mod inspect;
pub(crate) mod job;
pub(crate) mod l1;
pub(crate) mod node;
pub(crate) mod operator;
pub(crate) mod proof;
pub(crate) mod prove;
pub(crate) mod receipt;
pub(crate) mod replay;
pub(crate) mod rewards;
pub(crate) mod rollup;
pub(crate) mod sentinel;
pub(crate) mod setup;
pub(crate) mod shapes;
pub(crate) mod sources;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod transactions;
pub(crate) mod verify;
pub(crate) mod wallet;
pub(crate) mod worker;

use std::path::{Path, PathBuf};

use bastion_circuits::Shape;
use bastion_node::block_store::{BlockDir, Manifest};
use bastion_node::check::FolderVerifier;
use bastion_node::pipeline::Cache;
use bastion_node::NodeError;

use crate::config::Settings;

/// Opens a folder of blocks, and the verifiers that its manifest names: no keys, no reference string.
fn open(dir: &Path, settings: &Settings) -> eyre::Result<(BlockDir, Manifest, FolderVerifier)> {
    let folder = BlockDir::new(dir);
    let manifest = folder.complete()?;
    let verifier = FolderVerifier::open(&documents(&manifest, settings)?)?;
    verifier.check(&manifest)?;
    Ok((folder, manifest, verifier))
}

/// The folder of the verifiers that a manifest names.
fn documents(manifest: &Manifest, settings: &Settings) -> Result<PathBuf, NodeError> {
    shape_of(manifest)?;
    let folder = Cache::new(&settings.cache_dir).verifier_dir(
        &manifest.shape,
        manifest.batches_per_block,
        manifest.block_circuit_id,
    );
    match folder.exists() {
        true => Ok(folder),
        false => Err(NodeError::NoDocuments {
            dir: folder.display().to_string(),
            shape: manifest.shape.clone(),
        }),
    }
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
