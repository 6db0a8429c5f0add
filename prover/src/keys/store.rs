//! Keys on disk.
//!
//! Two files per circuit in the container format of `container.rs`:
//! `<kind>-<shape>-<key>.pk` and `.vk`, where `<key>` is the beginning of a digest over kind,
//! shape, code version and SRS. Header `{cache_key, circuit_id}`, payload what halo2 writes
//! (`RawBytes` for the proving key, `Processed` for the verifying key).
//!
//! The digest of the whole file is checked before halo2 sees a byte, and after reading, the
//! `circuit_id` is computed anew from the verifying key and compared with the header. That finds
//! damage and mix-ups. It is no defence against somebody who writes to the directory on purpose:
//! such a key is consistent, but has another `circuit_id`. Therefore whoever verifies compares
//! [`VerifierKey::circuit_id`] with a published one (the contract's manifest). The polynomials
//! of a proving key, gigabytes, are read without checks; wrong ones give proofs that
//! [`prove`](crate::proof::prove) refuses.

use std::{
    io::{self, Read, Write},
    panic::{catch_unwind, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use halo2_proofs::{
    halo2curves::bn256::G1Affine,
    plonk::{ProvingKey, VerifyingKey},
    SerdeFormat,
};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use bastion_protocol::CircuitId;

use super::{shape_json, CircuitKeys, VerifierKey};
use crate::{
    artifact::{Digest, Making, Storing},
    container::{self, Kind, Opened},
    progress::Progress,
    srs::Srs,
    ProvableCircuit, ProverError, Result,
};

/// Raised when the meaning of the payload changes, e.g. with a new halo2.
const KEY_VERSION: u32 = 1;
/// halo2's verifying key begins with a version byte, k (u32, little endian) and a flag for
/// compressed selectors, which are never used here.
const VK_PREFIX: usize = 6;

static PK_KIND: Kind = Kind {
    magic: *b"BASTPK\0\0",
    version: KEY_VERSION,
    name: "proving key",
    remedy: "run `bastion setup`",
};

static VK_KIND: Kind = Kind {
    magic: *b"BASTVK\0\0",
    version: KEY_VERSION,
    name: "verifying key",
    remedy: "run `bastion setup`, or copy the .vk file from the prover",
};

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    cache_key: Digest,
    circuit_id: CircuitId,
}

/// A directory of keys.
#[derive(Clone, Debug)]
pub struct KeyStore {
    dir: PathBuf,
    storing: Storing,
}

impl KeyStore {
    /// Keys are kept in `dir`, which is created when the first key is written.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), storing: Storing::BestEffort }
    }

    /// Whether keys that cannot be stored are an error.
    pub fn storing(self, storing: Storing) -> Self {
        Self { storing, ..self }
    }

    /// The keys of a shape: from disk, or made and stored. If another process makes them, this one
    /// waits for them.
    ///
    /// A file that is damaged, or of another format, is reported as a warning and replaced.
    ///
    /// # Errors
    /// Those of [`CircuitKeys::generate`], and [`ProverError::Io`] if the keys have to be stored and
    /// cannot be.
    pub fn keys<C: ProvableCircuit>(
        &self,
        shape: &C::Params,
        srs: &Srs,
        progress: &Progress,
    ) -> Result<CircuitKeys> {
        let stage = progress.stage("keys", C::shape_name(shape), 1);
        let path = self.path::<C>(shape, srs, "pk")?;
        let keys = match read_pk::<C>(&path, shape, srs) {
            Ok(keys) => keys,
            Err(_) => self.make::<C>(shape, srs, progress)?,
        };
        info!(path = %path.display(), circuit_id = %keys.circuit_id(), "proving key");
        stage.advance();
        Ok(keys)
    }

    fn make<C: ProvableCircuit>(
        &self,
        shape: &C::Params,
        srs: &Srs,
        progress: &Progress,
    ) -> Result<CircuitKeys> {
        let path = self.path::<C>(shape, srs, "pk")?;
        let what = format!("the keys of shape {}", C::shape_name(shape));
        // What cannot be written must be known before the minutes that keys take.
        let turn = Making::begin(&path, &what, progress);
        let (_turn, writable) = match turn {
            Ok(turn) => (Some(turn), Ok(())),
            Err(error) => (None, Err(error)),
        };
        self.storing.outcome(&what, writable)?;
        match read_pk::<C>(&path, shape, srs) {
            Ok(keys) => return Ok(keys),
            Err(ProverError::MissingArtifact { .. }) => {}
            Err(error) => warn!(%error, "the cached proving key is replaced"),
        }
        let keys = CircuitKeys::generate::<C>(shape, srs)?;
        let stored = self.write::<C>(shape, srs, &keys);
        self.storing.outcome(&what, stored)?;
        Ok(keys)
    }

    /// The verifying key of a shape, from disk. Fast, and needs no more of the SRS than its two
    /// points of G2.
    ///
    /// # Errors
    /// [`ProverError::MissingArtifact`] if no key was made for this shape and SRS,
    /// [`ProverError::DamagedArtifact`] if the file is not what was written.
    pub fn verifier_key<C: ProvableCircuit>(
        &self,
        shape: &C::Params,
        srs: &Srs,
    ) -> Result<VerifierKey> {
        read_vk::<C>(&self.path::<C>(shape, srs, "vk")?, shape, srs)
    }

    /// Path of a key file; `extension` is `pk` or `vk`.
    ///
    /// # Errors
    /// [`ProverError::Keygen`] if the shape cannot be written as JSON.
    pub fn path<C: ProvableCircuit>(
        &self,
        shape: &C::Params,
        srs: &Srs,
        extension: &str,
    ) -> Result<PathBuf> {
        let key = cache_key::<C>(shape, srs)?.short();
        // Shapes are read from files: their names must not lead out of the directory.
        let name =
            C::shape_name(shape).replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
        Ok(self.dir.join(format!("{}-{name}-{key}.{extension}", C::KIND)))
    }

    fn write<C: ProvableCircuit>(
        &self,
        shape: &C::Params,
        srs: &Srs,
        keys: &CircuitKeys,
    ) -> Result<()> {
        let header =
            Header { cache_key: cache_key::<C>(shape, srs)?, circuit_id: keys.circuit_id() };
        container::write(&self.path::<C>(shape, srs, "vk")?, &VK_KIND, &header, |out| {
            keys.verifier.vk.write(&mut { out }, SerdeFormat::Processed)
        })?;
        container::write(&self.path::<C>(shape, srs, "pk")?, &PK_KIND, &header, |out| {
            write_pk(&keys.pk, out)
        })
    }
}

fn cache_key<C: ProvableCircuit>(shape: &C::Params, srs: &Srs) -> Result<Digest> {
    let shape = shape_json::<C>(shape)?;
    let parts = [C::KIND.as_bytes(), &shape, &C::CODE_VERSION.to_le_bytes(), &srs.id().0];
    Ok(Digest::of_parts("bastion-key-cache-v1", &parts))
}

fn read_pk<C: ProvableCircuit>(path: &Path, shape: &C::Params, srs: &Srs) -> Result<CircuitKeys> {
    let mut file = open::<C>(path, &PK_KIND, shape, srs)?;
    let pk = guarded(&mut file, C::k(shape), |reader| {
        ProvingKey::<G1Affine>::read::<_, C>(
            &mut { reader },
            SerdeFormat::RawBytesUnchecked,
            shape.clone(),
        )
    })?;
    let keys = CircuitKeys::from_pk::<C>(shape, pk, srs)?;
    same_circuit(&file, keys.circuit_id())?;
    Ok(keys)
}

fn read_vk<C: ProvableCircuit>(path: &Path, shape: &C::Params, srs: &Srs) -> Result<VerifierKey> {
    let mut file = open::<C>(path, &VK_KIND, shape, srs)?;
    let vk = guarded(&mut file, C::k(shape), |reader| {
        VerifyingKey::<G1Affine>::read::<_, C>(
            &mut { reader },
            SerdeFormat::Processed,
            shape.clone(),
        )
    })?;
    let key = VerifierKey::new::<C>(shape, vk, srs)?;
    same_circuit(&file, key.circuit_id())?;
    Ok(key)
}

fn open<C: ProvableCircuit>(
    path: &Path,
    kind: &'static Kind,
    shape: &C::Params,
    srs: &Srs,
) -> Result<Opened<Header>> {
    let file = container::open::<Header>(path, kind)?;
    let expected = cache_key::<C>(shape, srs)?;
    if file.header.cache_key != expected {
        let got = file.header.cache_key;
        return Err(file.damaged(format!("it was made for {got}, needed {expected}")));
    }
    Ok(file)
}

fn same_circuit(file: &Opened<Header>, got: CircuitId) -> Result<()> {
    let expected = file.header.circuit_id;
    if got == expected {
        return Ok(());
    }
    Err(file.damaged(format!("its key is of circuit {got}, its header says {expected}")))
}

/// Lets halo2 parse a payload. Its readers assert and unwrap; what they would trip over first is
/// checked here, and the rest is caught.
fn guarded<T>(
    file: &mut Opened<Header>,
    k: u32,
    read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
) -> Result<T> {
    let mut prefix = [0u8; VK_PREFIX];
    let got = file.payload.read_exact(&mut prefix);
    let [_, k0, k1, k2, k3, compressed] = prefix;
    if got.is_err() || u32::from_le_bytes([k0, k1, k2, k3]) != k || compressed != 0 {
        return Err(file.damaged(format!("its key is not one for k = {k} with plain selectors")));
    }
    let mut reader = prefix.as_slice().chain(&mut file.payload);
    let parsed = catch_unwind(AssertUnwindSafe(|| read(&mut reader)));
    let rest = io::copy(&mut file.payload, &mut io::sink());
    match (parsed, rest) {
        (Ok(Ok(key)), Ok(0)) => Ok(key),
        (Ok(Ok(_)), Ok(rest)) => Err(file.damaged(format!("{rest} bytes follow the key"))),
        (Ok(Err(e)), _) | (_, Err(e)) => Err(file.damaged(format!("halo2 cannot read it: {e}"))),
        (Err(_), _) => Err(file.damaged("halo2 cannot read it")),
    }
}

/// halo2 unwraps the errors of the writer in `ProvingKey::write`. A full disk must not end in a
/// panic, so the writer it sees never fails: it notes the first error and swallows the rest.
fn write_pk(pk: &ProvingKey<G1Affine>, out: &mut dyn Write) -> io::Result<()> {
    struct Deferred<'a> {
        out: &'a mut dyn Write,
        error: Option<io::Error>,
    }

    impl Write for Deferred<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.error.is_none() {
                self.error = self.out.write_all(bytes).err();
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut deferred = Deferred { out, error: None };
    pk.write(&mut deferred, SerdeFormat::RawBytes)?;
    deferred.error.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_circuit::{ToyCircuit, ToyShape};
    use rand::SeedableRng;

    /// halo2 would panic here.
    #[test]
    fn a_full_disk_while_writing_a_proving_key_is_an_error() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self
                    .0
                    .checked_sub(bytes.len())
                    .ok_or(io::Error::from(io::ErrorKind::StorageFull))?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let srs = crate::srs::Srs::generate_unsafe_dev(8, &[8], rng).unwrap();
        let keys = CircuitKeys::generate::<ToyCircuit>(&ToyShape::tiny(), &srs).unwrap();
        let error = write_pk(&keys.pk, &mut Full(20_000)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
