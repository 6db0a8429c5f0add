//! The structured reference string: powers of one secret tau in G1, and tau in G2.
//!
//! One [`Srs`] serves every circuit whose k it covers. That the batch circuit and the
//! aggregation circuits take their parameters from the *same* object is not a convenience:
//! an accumulator made by one is decided under the `s_g2` of the other.
//!
//! On disk an SRS is one file with the powers, `<stem>.srs`, and one file per circuit size with
//! the Lagrange basis of that size, `<stem>-lagrange-<k>.srs`, computed once and cached; packed
//! commitments have one of their own, `<stem>-packed-<k>.srs`. The
//! formats are described in `file.rs`; which file of a folder is used, `cache.rs` decides.

mod b2sum;
mod cache;
mod check;
mod file;
mod fixed_base;
mod generate;
mod import;
mod packed;
mod params;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use halo2_proofs::{
    arithmetic::g_to_lagrange,
    halo2curves::{
        bn256::{Bn256, G1Affine, G2Affine},
        group::prime::PrimeCurveAffine,
        serde::SerdeObject,
    },
    poly::kzg::commitment::ParamsKZG,
};
use rand::SeedableRng;
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::{
    artifact::{Digest, Storing},
    ProverError, Result,
};
pub use b2sum::{B2sum, NotAB2sum};
pub use cache::{Held, SrsChoice, SrsDir};
pub use import::Imported;
pub use packed::{packed_k, PackedParams, PLACES, STRIDE};
pub use params::Params;

/// Smallest supported SRS, as log2 of the number of powers. halo2 needs a few blinding rows.
pub const MIN_K: u32 = 4;
/// Largest supported SRS: the 2-adicity of the scalar field of BN254.
pub const MAX_K: u32 = 28;

/// Where the secret of an SRS came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SrsOrigin {
    /// Made on this machine from a tau that somebody may know: whoever knows it can forge
    /// every proof. For development chains alone.
    UnsafeDev,
    /// Result of a public multi-party ceremony.
    Ceremony,
}

/// A structured reference string with 2^k powers.
pub struct Srs {
    k: u32,
    origin: SrsOrigin,
    g: Vec<G1Affine>,
    g2: G2Affine,
    s_g2: G2Affine,
    id: Digest,
    /// The `.srs` file this was read from or written to; Lagrange bases are cached beside it.
    path: Option<PathBuf>,
    /// Lagrange bases made together with the SRS and not yet stored, by k. halo2's parameters
    /// do not give their basis back, so it is kept here until it is safe on disk.
    unsaved_lagrange: BTreeMap<u32, Vec<G1Affine>>,
    /// The same of packed bases.
    unsaved_packed: BTreeMap<u32, Vec<G1Affine>>,
    /// Whether a Lagrange basis that cannot be stored is an error.
    storing: Storing,
    /// Parameters made so far, by k.
    params: Mutex<BTreeMap<u32, Arc<Params>>>,
    /// Parameters of packed commitments made so far, by k.
    packed: Mutex<BTreeMap<u32, Arc<PackedParams>>>,
}

impl std::fmt::Debug for Srs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Srs")
            .field("k", &self.k)
            .field("origin", &self.origin)
            .field("id", &self.id)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Srs {
    /// An SRS from its points: the way in for ceremony files.
    ///
    /// `g[i]` must be `[tau^i]_1` and `s_g2` must be `[tau]_2`. Only the form is checked here;
    /// call [`Srs::check_consistency`] on points that come from outside.
    ///
    /// # Errors
    /// [`ProverError::SrsSize`] if the number of powers is not 2^k with k in
    /// [`MIN_K`]..=[`MAX_K`]; [`ProverError::SrsInconsistent`] if a point is the identity
    /// (tau = 0, and halo2's multi-exponentiation assumes that no base is the identity).
    pub fn from_powers(
        origin: SrsOrigin,
        g: Vec<G1Affine>,
        g2: G2Affine,
        s_g2: G2Affine,
    ) -> Result<Self> {
        let k = g.len().checked_ilog2().unwrap_or(0);
        if !g.len().is_power_of_two() || !(MIN_K..=MAX_K).contains(&k) {
            return Err(ProverError::SrsSize { k });
        }
        let id = srs_id(origin, &g2, &s_g2);
        if g.iter().any(|point| bool::from(point.is_identity())) {
            return Err(ProverError::SrsInconsistent {
                id,
                reason: "a power of tau is the point at infinity".into(),
            });
        }
        Ok(Self {
            k,
            origin,
            g,
            g2,
            s_g2,
            id,
            path: None,
            unsaved_lagrange: BTreeMap::new(),
            unsaved_packed: BTreeMap::new(),
            storing: Storing::BestEffort,
            params: Mutex::default(),
            packed: Mutex::default(),
        })
    }

    /// log2 of the number of powers, and so the largest k of a circuit it serves.
    pub fn k(&self) -> u32 {
        self.k
    }

    /// Whether somebody may know the secret.
    pub fn origin(&self) -> SrsOrigin {
        self.origin
    }

    /// Identity: a digest of the origin, g2 and `s_g2`. It does not depend on k, so truncating
    /// an SRS does not change the circuits proven under it.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// The generator of G1.
    pub fn generator(&self) -> G1Affine {
        self.g[0]
    }

    /// The generator of G2 and tau times it.
    pub fn g2(&self) -> (G2Affine, G2Affine) {
        (self.g2, self.s_g2)
    }

    /// The parameters for circuits with 2^k rows.
    ///
    /// The first call for a k needs the Lagrange basis of that size. It is taken from the cache
    /// file, or else computed by an inverse FFT in the group (minutes for k = 20) and stored.
    /// A development SRS made by [`Srs::generate_unsafe_dev`] has the bases that were asked for
    /// from the start. Later calls return the same object.
    ///
    /// # Errors
    /// [`ProverError::SrsTooSmall`] if k exceeds [`Srs::k`], [`ProverError::SrsSize`] if it is
    /// below [`MIN_K`]; [`ProverError::Io`] if the basis had to be stored and could not.
    pub fn params(&self, k: u32) -> Result<Arc<Params>> {
        if k > self.k {
            return Err(ProverError::SrsTooSmall { needed: k, held: self.k });
        }
        if k < MIN_K {
            return Err(ProverError::SrsSize { k });
        }
        let mut cache = self.cache();
        if let Some(params) = cache.get(&k) {
            return Ok(params.clone());
        }
        let lagrange = match self.unsaved_lagrange.get(&k) {
            Some(lagrange) => lagrange.clone(),
            None => match self.read_lagrange(k) {
                Some(lagrange) => lagrange,
                None => self.compute_lagrange(k)?,
            },
        };
        let powers = self.powers(k).to_vec();
        let basis = lagrange.clone();
        let kzg = params_from_parts(k, powers, lagrange, self.g2, self.s_g2);
        let params = Arc::new(Params::new(kzg, &basis));
        cache.insert(k, params.clone());
        Ok(params)
    }

    fn powers(&self, k: u32) -> &[G1Affine] {
        &self.g[..1 << k]
    }

    fn cache(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<Params>>> {
        // The map is valid after every step, so a panic elsewhere does not spoil it.
        self.params.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn packed_cache(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<PackedParams>>> {
        self.packed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn compute_lagrange(&self, k: u32) -> Result<Vec<G1Affine>> {
        info!(k, "computing the Lagrange basis by an inverse FFT in the group");
        let powers = self.powers(k).iter().map(|g| g.to_curve()).collect();
        let lagrange = g_to_lagrange(powers, k);
        let stored = self.write_lagrange(k, &lagrange);
        self.storing.outcome("the Lagrange basis", stored)?;
        Ok(lagrange)
    }
}

/// `ParamsKZG` from its parts.
///
/// halo2's constructor is a method that ignores its receiver, hence the throw-away object; its
/// own (known) secret does not enter the result.
pub(crate) fn params_from_parts(
    k: u32,
    g: Vec<G1Affine>,
    g_lagrange: Vec<G1Affine>,
    g2: G2Affine,
    s_g2: G2Affine,
) -> ParamsKZG<Bn256> {
    let receiver = ParamsKZG::<Bn256>::setup(1, rand::rngs::StdRng::seed_from_u64(0));
    receiver.from_parts(k, g, Some(g_lagrange), g2, s_g2)
}

fn srs_id(origin: SrsOrigin, g2: &G2Affine, s_g2: &G2Affine) -> Digest {
    let origin: &[u8] = match origin {
        SrsOrigin::UnsafeDev => b"unsafe-dev",
        SrsOrigin::Ceremony => b"ceremony",
    };
    Digest::of_parts("bastion-srs-v1", &[origin, &g2.to_raw_bytes(), &s_g2.to_raw_bytes()])
}

#[cfg(test)]
mod cache_tests;
#[cfg(test)]
mod tests;
