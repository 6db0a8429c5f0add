//! Block keys on disk.
//!
//! Two files: the proving key as halo2 writes it, and beside it everything else as JSON behind
//! one line with its digest. The JSON holds the digest of the key, so a pair that was not written
//! together, or was damaged, is recognised before halo2 reads it: its reader asserts, and takes
//! lengths as they come.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use bastion_contract::protocol::G1Point;
use bastion_prover::artifact::{write_atomic, write_bytes_atomic, Digest};
use bastion_prover::keys::VerifierKey;
use bastion_prover::srs::Srs;
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest as _};
use halo2_base::gates::flex_gate::ThreadBreakPoints;
use halo2_proofs::plonk::ProvingKey;
use halo2_proofs::SerdeFormat;
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::circuit::BlockCircuit;
use crate::error::{panic_text, AggregatorError};
use crate::keys::{circuit_id, Made};
use crate::shape::{BlockParams, BlockShape};

/// Raised with every change of the block circuit or of these files.
const CODE_VERSION: u32 = 9;
const BUFFER: usize = 1 << 20;

type Hasher = Blake2b<U32>;

/// The file beside the proving key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    pk: Digest,
    config: BlockParams,
    break_points: ThreadBreakPoints,
    commitments: Vec<G1Point>,
    circuit_id: Digest,
}

/// Path of the proving key.
pub(crate) fn path(dir: &Path, shape: BlockShape, batch: &VerifierKey, srs: &Srs) -> PathBuf {
    let id = Digest::of_parts(
        "bastion.block.cache",
        &[
            &CODE_VERSION.to_be_bytes(),
            &(shape.batches as u64).to_be_bytes(),
            &shape.k.to_be_bytes(),
            &batch.circuit_id().to_bytes(),
            srs.id().0.as_slice(),
        ],
    );
    dir.join(format!("{}-{}.pk", shape.name(), id.short()))
}

fn side_path(path: &Path) -> PathBuf {
    path.with_extension("side")
}

/// Stores keys. The side file comes last: without it the proving key does not count.
pub(crate) fn write(path: &Path, made: &Made, id: &Digest) -> Result<(), AggregatorError> {
    let mut digest = Digest([0; 32]);
    write_atomic(path, |out| {
        let mut out = Hashing::new(out);
        made.pk.write(&mut out, SerdeFormat::RawBytesUnchecked)?;
        digest = out.finish()?;
        Ok(())
    })?;
    let side = Side {
        pk: digest,
        config: made.config,
        break_points: made.break_points.clone(),
        commitments: made.commitments.clone(),
        circuit_id: *id,
    };
    let json = serde_json::to_string(&side)
        .map_err(|e| AggregatorError::io("write", path, io::Error::other(e)))?;
    let text = format!("{}\n{json}", Digest::of(json.as_bytes()));
    Ok(write_bytes_atomic(&side_path(path), text.as_bytes())?)
}

/// Reads the side file; `None` if there is none.
///
/// # Errors
/// [`AggregatorError::Damaged`] if it is not what was written.
fn side(path: &Path) -> Result<Option<Side>, AggregatorError> {
    let side_path = side_path(path);
    let text = match std::fs::read_to_string(&side_path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(AggregatorError::io("read", &side_path, error)),
    };
    let (digest, json) = text.split_once('\n').unwrap_or_default();
    if digest != Digest::of(json.as_bytes()).to_string() {
        return Err(AggregatorError::damaged(&side_path, "its digest is wrong"));
    }
    serde_json::from_str(json)
        .map(Some)
        .map_err(|e| AggregatorError::damaged(&side_path, e.to_string()))
}

/// Reads keys; `None` if there are none.
///
/// # Errors
/// [`AggregatorError::Damaged`] if they are not what was written, or of another circuit.
pub(crate) fn read(
    path: &Path,
    shape: BlockShape,
    batch: &VerifierKey,
    srs: &Srs,
) -> Result<Option<Made>, AggregatorError> {
    let Some(side) = side(path)? else {
        return Ok(None);
    };
    let io = |e| AggregatorError::io("read", path, e);
    if digest_of_file(path).map_err(io)? != side.pk {
        return Err(AggregatorError::damaged(path, "its digest is wrong"));
    }
    let mut file = BufReader::with_capacity(BUFFER, File::open(path).map_err(io)?);
    let pk = catch_unwind(AssertUnwindSafe(|| {
        ProvingKey::read::<_, BlockCircuit>(&mut file, SerdeFormat::RawBytesUnchecked, side.config)
            .map_err(|e| e.to_string())
    }))
    .unwrap_or_else(|panic| Err(panic_text(panic.as_ref())))
    .map_err(|reason| AggregatorError::damaged(path, reason))?;

    let made = Made {
        pk,
        config: side.config,
        break_points: side.break_points,
        commitments: side.commitments,
    };
    let id = circuit_id(shape, batch, srs, made.pk.get_vk(), &made.description(srs)?);
    if id != side.circuit_id {
        return Err(AggregatorError::damaged(
            path,
            format!("it is of circuit {id}, not {}", side.circuit_id),
        ));
    }
    info!(path = %path.display(), "block proving key read");
    Ok(Some(made))
}

fn digest_of_file(path: &Path) -> io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Digest(hasher.finalize().into())),
            n => hasher.update(&buffer[..n]),
        }
    }
}

/// Hashes what passes through it. halo2 unwraps the errors of the writer in `ProvingKey::write`,
/// and a full disk must not end in a panic: this writer never fails, it notes the first error.
struct Hashing<'a> {
    out: &'a mut dyn Write,
    hasher: Hasher,
    error: Option<io::Error>,
}

impl<'a> Hashing<'a> {
    fn new(out: &'a mut dyn Write) -> Self {
        Self { out, hasher: Hasher::new(), error: None }
    }

    fn finish(self) -> io::Result<Digest> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(Digest(self.hasher.finalize().into())),
        }
    }
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.error.is_none() {
            self.hasher.update(bytes);
            self.error = self.out.write_all(bytes).err();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_an_error_and_no_panic() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut full = Full;
        let mut out = Hashing::new(&mut full);
        out.write_all(b"key").unwrap();
        assert_eq!(out.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
